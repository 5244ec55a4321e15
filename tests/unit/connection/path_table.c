/* SPDX-License-Identifier: ISC */
/*
 * Which children a change of the network concerns.
 *
 * If it fails: a laptop that changes networks hangs, or each change costs as
 * much as there are tunnels.
 */
#include <sys/wait.h>

#include <arpa/inet.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "connection/path_table.h"
#include "tap.h"

static void
up(unsigned int child, int family, const char *local, in_port_t port)
{
	struct net_path p;

	memset(&p, 0, sizeof(p));
	p.local.sa.sa_family = p.remote.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		inet_pton(family, local, &p.local.in.sin_addr);
		p.local.in.sin_port = port;
		inet_pton(family, "127.0.0.1", &p.remote.in.sin_addr);
		p.remote.in.sin_port = htons(80);
	} else {
		inet_pton(family, local, &p.local.in6.sin6_addr);
		p.local.in6.sin6_port = port;
		p.remote.in6.sin6_addr = p.local.in6.sin6_addr;
		p.remote.in6.sin6_port = htons(80);
	}
	path_table_be(child);
	path_table_up(&p);
}

static int
concerns(unsigned int child, unsigned int what)
{
	struct path_change change = { .what = what };

	return path_table_concerns(child, &change);
}

/* The answer of the last look is turned round, to see which is taken. */
static void
test_once(int family, const char *address)
{
	struct path_change change = { .what = NET_CHANGED };
	int first;

	up(1, family, address, htons(1111));
	up(2, family, address, htons(2222));
	up(3, family, family == AF_INET ? "127.0.0.2" : "::2", htons(1111));
	first = path_table_concerns(1, &change);
	change.holds = !change.holds;
	is(path_table_concerns(2, &change), !first,
	    "another port of the address: not looked at again");
	path_table_concerns(3, &change);
	is(path_table_concerns(1, &change), first, "another address is");
}

static void
write_byte(int fd, int byte)
{
	unsigned char b = (unsigned char)byte;

	if (write(fd, &b, 1) != 1)
		_exit(1);
}

static int
read_byte(int fd)
{
	unsigned char b;

	return read(fd, &b, 1) == 1 ? b : -1;
}

/* A child says whether it is left, before and after the supervisor's end. */
static _Noreturn void
be_left(int fd)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	alarm(60);
	write_byte(fd, path_table_is_left());
	path_table_follow();
	write_byte(fd, path_table_is_left());
	signo = sigwait(&set, &signo) == 0 ? signo : 0;
	write_byte(fd, signo);
	write_byte(fd, path_table_is_left());
	_exit(0);
}

static void
test_left(void)
{
	int fd[2], go[2];
	pid_t pid;

	is(path_table_is_left(), 0, "who is no child is not left");
	is(pipe(fd), 0, "(a pipe)");
	is(pipe(go), 0, "(another)");
	if ((pid = fork()) == 0) {
		if (path_table_begin() == -1 || (pid = fork()) == -1)
			_exit(1);
		if (pid == 0)
			be_left(fd[1]);
		read_byte(go[0]);
		_exit(0);
	}
	close(fd[1]);
	is(read_byte(fd[0]), 0, "a child");
	is(read_byte(fd[0]), 0, "that follows its supervisor");
	write_byte(go[1], 0);
	waitpid(pid, NULL, 0);
	is(read_byte(fd[0]), SIGUSR2, "is told of its end");
	is(read_byte(fd[0]), 1, "and is left");
	close(fd[0]);
	close(go[0]);
	close(go[1]);
}

int
main(void)
{
	test_left();
	up(1, AF_INET, "127.0.0.1", htons(1111));
	is(concerns(1, NET_WOKEN), 0, "without a table none is told");
	is(path_table_begin(), 0, "a table");
	is(concerns(1, NET_WOKEN), 0, "nobody is in it");
	up(1, AF_INET, "127.0.0.1", htons(1111));
	is(concerns(1, NET_CHANGED), 0, "an address that holds");
	is(concerns(1, NET_APPEARED), 0, "nor does it look for one");
	is(concerns(1, NET_WOKEN), 1, "but the host was suspended");
	up(2, AF_INET, "192.0.2.99", htons(1111));
	is(concerns(2, NET_CHANGED), 1, "an address that is gone");
	path_table_lost();
	is(concerns(2, NET_CHANGED), 0, "a path is looked for: not if one goes");
	is(concerns(2, NET_APPEARED), 1, "but if one comes");
	is(concerns(2, NET_WOKEN), 1, "or the host was suspended");
	is(concerns(1, NET_CHANGED), 0, "(the other has its place)");
	path_table_clear(2);
	is(concerns(2, NET_WOKEN), 0, "a child that is gone");
	test_once(AF_INET, "127.0.0.1");
	test_once(AF_INET6, "::1");
	path_table_be(PATH_TABLE_PLACES);
	path_table_lost();
	path_table_clear(PATH_TABLE_PLACES);
	is(concerns(PATH_TABLE_PLACES, NET_WOKEN), 0, "beyond the table");
	up(PATH_TABLE_PLACES - 1, AF_INET, "127.0.0.1", htons(1111));
	is(concerns(PATH_TABLE_PLACES - 1, NET_WOKEN), 1, "its last place");
	path_table_end();
	is(concerns(1, NET_WOKEN), 0, "no table any more");
	return done_testing();
}
