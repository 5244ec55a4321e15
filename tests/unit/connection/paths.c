/* SPDX-License-Identifier: ISC */
/*
 * The search for a new path while the network changes, by a proxy that does
 * not answer.
 *
 * If it fails: a laptop that changes networks hangs, or gives up a path that
 * works.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <net/if.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "config/settings.h"
#include "connection/paths.h"
#include "os/clock.h"
#include "tap.h"

#define SLOW_MS		1100	/* longer than from one path to the next */

/* A resolver that takes its time, and does not know the name. */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **list)
{
	static int (*real)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);

	if (strcmp(name, "slow.example") == 0) {
		if (!(hints->ai_flags & AI_NUMERICHOST))
			poll(NULL, 0, SLOW_MS);
		return EAI_NONAME;
	}
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	return real(name, service, hints, list);
}

static struct options o;
static struct paths p;
static struct trust trust;

/* Options by which to dial through a silent proxy at this address. */
static int
listen_at(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	static char words[4][16] = { "inetws", "connect", "-x",
	    "ws://192.0.2.1/" }, proxy[64];
	char *argv[] = { words[0], words[1], words[2], proxy, words[3], NULL };
	struct error why;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, address, &in.sin_addr);
	is(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0, "(bound)");
	listen(fd, 64);
	getsockname(fd, (struct sockaddr *)&in, &len);
	snprintf(proxy, sizeof(proxy), "http://%s:%d", address,
	    ntohs(in.sin_port));
	options_free(&o);
	is(options_parse(&o, 5, argv, &why), OPT_RUN, "(options)");
	return fd;
}

/* Goes on until the newest of n waits for the proxy. */
static int
wait_for(unsigned int n)
{
	struct pollfd fds[PATHS_POLL_MAX];
	int64_t end = clock_ms() + 20000;
	struct attempt *a;

	while (clock_ms() < end) {
		if (paths_step(&p, end, &a) != PATHS_NOTHING)
			return 0;
		if (p.n == n && p.at[n - 1]->state == ATTEMPT_PROXY)
			return 1;
		poll(fds, (nfds_t)paths_poll(&p, fds),
		    clock_poll(paths_time(&p)));
	}
	return 0;
}

static void
test_kept(void)
{
	int fd = listen_at("127.0.0.1"), i, kept = 1, early = 1;
	struct attempt *first, *a;
	int64_t now;

	paths_want(&p, &o, &trust, NULL, clock_ms());
	ok(wait_for(1), "one is under way");
	first = p.at[0];
	paths_renew(&p);
	ok(p.n == 1 && p.at[0] == first, "a change of the network: it stays");
	ok(p.next_at <= first->begun + PATHS_HURRY || p.next_at <= clock_ms(),
	    "another one begins at once");
	ok(wait_for(2), "also while one gets on");
	ok(p.at[0] == first, "which stays");
	for (i = 0; i < 20; i++) {
		now = clock_ms();
		paths_renew(&p);
		early &= p.next_at >= p.at[p.n - 1]->begun + PATHS_HURRY;
		p.next_at = now;	/* as if it were time */
		kept &= paths_step(&p, now + 20000, &a) == PATHS_NOTHING &&
		    p.at[0] == first && p.n > 1 && p.n <= PATHS_MAX;
	}
	ok(kept, "many changes: the oldest stays, among three at most");
	ok(early, "and they do not begin at each");
	paths_end(&p);
	close(fd);
}

static void
set_address(const char *name, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r;

	memset(&r, 0, sizeof(r));
	strlcpy(r.ifr_name, name, sizeof(r.ifr_name));
	inet_pton(AF_INET, address, &in.sin_addr);
	memcpy(&r.ifr_addr, &in, sizeof(in));
	ok(ioctl(fd, SIOCSIFADDR, &r) == 0, "(%s is %s)", name, address);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	is(ioctl(fd, SIOCSIFFLAGS, &r), 0, "(up)");
	close(fd);
}

static void
test_gone(void)
{
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1) {
		ok(1, "skipped # SKIP no network of its own");
		return;
	}
	set_address("lo", "127.0.0.1");
	set_address("lo:1", "10.9.9.9");
	fd = listen_at("10.9.9.9");
	paths_want(&p, &o, &trust, NULL, clock_ms());
	ok(wait_for(1), "one from another address");
	set_address("lo:1", "11.9.9.9");
	paths_renew(&p);
	is(p.n, 0, "which is gone: it ends");
	ok(p.next_at <= clock_ms(), "and a new one begins at once");
	paths_end(&p);
	close(fd);
}

static void
test_slow_resolver(void)
{
	char words[3][32] = { "inetws", "connect", "ws://slow.example/" };
	char *argv[] = { words[0], words[1], words[2], NULL };
	struct attempt *a;
	struct error why;

	options_free(&o);
	is(options_parse(&o, 3, argv, &why), OPT_RUN, "(options)");
	paths_want(&p, &o, &trust, NULL, clock_ms());
	is(paths_step(&p, clock_ms() + 20000, &a), PATHS_FAILED, "no such name");
	ok(paths_time(&p) > clock_ms(), "the next one is not late already");
	paths_end(&p);
}

int
main(void)
{
	test_slow_resolver();
	test_kept();
	test_gone();
	options_free(&o);
	return done_testing();
}
