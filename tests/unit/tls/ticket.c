/* SPDX-License-Identifier: ISC */
/*
 * Session tickets between processes: bad ones in the queue are ignored.
 *
 * If it fails: handshakes are slow, or one is resumed that must not be.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "tls/certs.h"
#include "tls/dial.h"
#include "tls/internal.h"
#include "tap.h"

#define SOON	(clock_ms() + 10000)
#define NAME	(ADDR_HOST_MAX + 1)

static time_t asleep;		/* seconds that this host was suspended */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int r = timespec_get(ts, TIME_UTC) == TIME_UTC ? 0 : -1;

#ifdef CLOCK_BOOTTIME
	if (id == CLOCK_BOOTTIME)
		ts->tv_sec += asleep;
#endif
	return r;
}

static struct error why;
static char dir[] = "/tmp/inetws-ticket-XXXXXX";
static X509 *server_cert;
static char ca_file[64], cert_file[64], key_file[64];

static ssize_t
get(struct tls *t, int fd, char *buf, size_t size)
{
	struct iovec iov = { buf, size };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while ((n = tls_readv(t, &iov, 1)) == -1 && errno == EAGAIN &&
	    poll(&p, 1, 10000) > 0)
		;
	return n;
}

static int filled = -1;	/* not -1: fill the queue within the handshake */

static void
fill(const struct tls_ctx *client)
{
	while (filled != -1 && filled < 1000 &&
	    send(client->tickets[0], "rubbish", 7, MSG_DONTWAIT) == 7)
		filled++;
}

/* One connection; 1 resumed, 0 not, -1 failed.  The server is a child. */
static int
meet(struct tls_ctx *client, struct tls_ctx *server)
{
	struct iovec iov = { (char *)"hello", 5 };
	char buf[100] = "old";
	struct tls *t;
	int fd[2], r = -1, status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
		exit(1);
	fd_nonblock(fd[0]);
	fd_nonblock(fd[1]);
	fflush(stdout);
	if ((pid = fork()) == 0) {
		close(fd[0]);
		t = tls_accept(server, fd[1], fd[1], SOON, &why);
		if (t == NULL)
			_exit(1);
		if (tls_subject(t, buf, sizeof(buf)) != 0 || buf[0] != '\0')
			_exit(2);	/* it has no certificate */
		tls_writev(t, &iov, 1, 0);
		get(t, fd[1], buf, sizeof(buf));
		_exit(0);
	}
	close(fd[1]);
	t = dial_tls(client, fd[0], NULL, "localhost", SOON, &why);
	fill(client);
	if (t != NULL && get(t, fd[0], buf, sizeof(buf)) == 5) {
		tls_describe(t, buf, sizeof(buf));
		r = strstr(buf, "resumed") != NULL;
	}
	tls_free(t);
	close(fd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 2 ? -2 : r;
}

/* All that waits, thrown away; the last one is kept.  Its length. */
static ssize_t
drain(struct tls_ctx *ctx, char *last, size_t size)
{
	ssize_t n, len = 0;

	while ((n = recv(ctx->tickets[1], last, size, MSG_DONTWAIT)) > 0)
		len = n;
	return len;
}

static void
put(struct tls_ctx *ctx, const char *bytes, size_t len)
{
	if (send(ctx->tickets[0], bytes, len, MSG_DONTWAIT) != (ssize_t)len)
		exit(1);
}

/* What a ticket has behind its name; see struct ticket. */
enum { VERIFIED_AT, CAME_AT, ENDS_AT };

static void
set_number(char *bytes, int which, int64_t number)
{
	size_t at = (NAME + 7) & ~(size_t)7;

	memcpy(bytes + at + which * sizeof(number), &number, sizeof(number));
}

static void
test_queue(struct tls_ctx *client, struct tls_ctx *server)
{
	static char good[65536], bad[65536];
	ssize_t len;
	int i, r;

	is(meet(client, server), 0, "at first a full handshake");
	is(meet(client, server), 1, "then resumed");
	len = drain(client, good, sizeof(good));
	ok(len > NAME + 100, "a ticket of %zd bytes", len);
	is(meet(client, server), 0, "none left: a full handshake");

	drain(client, bad, sizeof(bad));
	for (i = 0; i < 8; i++) {
		memset(bad, i == 0 ? 0 : 'x', sizeof(bad));
		put(client, bad, i == 1 ? 1 : i * 1000 + 1);
	}
	is(meet(client, server), 0, "rubbish");

	for (i = 0; i < len; i += 97) {
		drain(client, bad, sizeof(bad));
		memcpy(bad, good, len);
		put(client, bad, i + 1);
		if ((r = meet(client, server)) != 0)
			ok(0, "cut to %d bytes: %d", i + 1, r);
	}
	ok(1, "cut anywhere");

	for (i = 0; i < len; i += 41) {
		drain(client, bad, sizeof(bad));
		memcpy(bad, good, len);
		bad[i] ^= 0x55;
		put(client, bad, len);
		if ((r = meet(client, server)) == -1 && why.status == 0)
			ok(0, "changed at %d", i);
	}
	ok(1, "changed anywhere");

	drain(client, bad, sizeof(bad));
	memcpy(bad, good, len);
	bad[0] ^= 1;
	put(client, bad, len);
	is(meet(client, server), 0, "with another peer");

	drain(client, bad, sizeof(bad));
	memcpy(bad, good, len);
	set_number(bad, VERIFIED_AT, ticket_clock() - 3600000);
	put(client, bad, len);
	is(meet(client, server), 0, "verified too long ago");

	drain(client, bad, sizeof(bad));
	memcpy(bad, good, len);
	set_number(bad, VERIFIED_AT, ticket_clock() - 3597000);
	set_number(bad, CAME_AT, ticket_clock() - 3597000);
	put(client, bad, len);
	is(meet(client, server), 1, "it is good for nearly an hour");

	/* As a process that was taken over may write them. */
	for (i = 0; i < 4; i++) {
		drain(client, bad, sizeof(bad));
		memcpy(bad, good, len);
		set_number(bad, i % 2 ? CAME_AT : VERIFIED_AT, i < 2 ?
		    ticket_clock() + 3600000 : i == 2 ? INT64_MIN : INT64_MAX);
		put(client, bad, len);
		is(meet(client, server), 0, "a time that cannot be");
	}

	drain(client, bad, sizeof(bad));
	memcpy(bad, good, len);
	set_number(bad, ENDS_AT, time(NULL) - 1);
	put(client, bad, len);
	is(meet(client, server), 0, "its certificate has expired");

#if defined(CLOCK_BOOTTIME) && !defined(COMPAT_ALL)
	drain(client, bad, sizeof(bad));
	put(client, good, len);
	asleep = 3600;
	is(meet(client, server), 0, "while this host slept it grew old");
	asleep = 0;
#endif

	drain(client, bad, sizeof(bad));
	put(client, good, len);
	is(meet(client, server), 1, "the good one is still good");
}

/* Has the last ticket this certificate in it? */
static int
has_certificate(struct tls_ctx *client)
{
	static char bytes[65536];
	unsigned char *der = NULL;
	int len = i2d_X509(server_cert, &der);
	ssize_t n = drain(client, bytes, sizeof(bytes));
	int r = memmem(bytes, n, der, len) != NULL;

	OPENSSL_free(der);
	return r;
}

/*
 * Decoding a certificate takes as long as half a handshake: a ticket has none
 * but where it is looked at again.
 */
static void
test_certificate(struct tls_options *co, struct tls_ctx *server, int version)
{
	struct tls_ctx *client;
	char pin[80];
	int pinned;

	for (pinned = 0; pinned < 2; pinned++) {
		pins_print(pin, sizeof(pin), server_cert);
		co->pins = pinned ? pin : NULL;
		if ((client = tls_context(co, &why)) == NULL)
			exit(1);
		SSL_CTX_set_max_proto_version(client->ssl, version);
		tls_tickets_open(client);
		ok(meet(client, server) == 0, "%s, TLS 1.%d: full", pinned ?
		    "pinned" : "any key", version - TLS1_VERSION);
		is(meet(client, server), 1, "resumed");
		is(meet(client, server), 1, "and again, by its ticket");
		ok(has_certificate(client) == pinned, "%s certificate in it",
		    pinned ? "a" : "no");
		tls_ctx_free(client);
	}
	co->pins = NULL;
}

/* The server's key is used for a while; tickets of the one before are void. */
static void
test_rotation(struct tls_ctx *client, struct tls_ctx *server)
{
	unsigned char key[3][128] = { { 0 } }, zero[16] = { 0 };
	char waste[65536];
	int64_t begun;
	long n;
	int i;

	drain(client, waste, sizeof(waste));
	is(meet(client, server), 0, "a ticket");
	is(tls_tickets_rotate(server), 0, "the key is young");
	is(meet(client, server), 1, "its tickets are good");
	is(tls_tickets_rotate(client), 0, "a client has none");
	n = SSL_CTX_get_tlsext_ticket_keys(server->ssl, NULL, 0);
	ok(n > 32 && n <= 128, "keys of %ld bytes", n);
	for (i = 0; i < 3; i++) {
		server->new_key_at = begun = clock_ms();
		is(tls_tickets_rotate(server), 1, "it is time for another one");
		ok(server->new_key_at >= begun + 3600000 &&
		    server->new_key_at <= clock_ms() + 3600000,
		    "the next one in an hour");
		SSL_CTX_get_tlsext_ticket_keys(server->ssl, key[i], n);
	}
	for (i = 0; i + 16 <= n; i += 16)
		ok(memcmp(key[0] + i, key[1] + i, 16) != 0 &&
		    memcmp(key[1] + i, key[2] + i, 16) != 0 &&
		    memcmp(key[2] + i, zero, 16) != 0,
		    "all of it is another one each time");
	is(meet(client, server), 0, "it has made the ticket void");
	drain(client, waste, sizeof(waste));
	is(meet(client, server), 0, "without one of the old");
	is(meet(client, server), 1, "its own are good");
}

/* The process of a connection wipes it with the private keys. */
static void
test_forget(struct tls_ctx *server)
{
	static const unsigned char zero[128];
	unsigned char key[128];
	long n = SSL_CTX_get_tlsext_ticket_keys(server->ssl, NULL, 0);

	SSL_CTX_get_tlsext_ticket_keys(server->ssl, key, n);
	ok(memcmp(key, zero, n) != 0, "a key of tickets");
	tls_forget_keys(server, NULL);
	SSL_CTX_get_tlsext_ticket_keys(server->ssl, key, n);
	ok(memcmp(key, zero, n) == 0, "it is wiped with the others");
}

/* A full queue makes room for what is new. */
static void
test_bounds(struct tls_ctx *client, struct tls_ctx *server)
{
	char waste[65536];
	ssize_t n, last = 0;
	int count = 0;

	drain(client, waste, sizeof(waste));
	filled = 0;
	is(meet(client, server), 0, "the queue fills up meanwhile");
	ok(filled > 0 && filled < 100, "with %d datagrams", filled);
	filled = -1;
	while ((n = recv(client->tickets[1], waste, sizeof(waste),
	    MSG_DONTWAIT)) > 0) {
		last = n;
		count++;
	}
	ok(count < 100 && last > NAME + 100, "of %d the last is a ticket",
	    count);
}

int
main(void)
{
	struct tls_options co = { .cafile = ca_file };
	const char *cert = cert_file, *key = key_file;
	struct tls_options so = { .server = 1, .certs = &cert, .ncerts = 1,
	    .keys = &key, .nkeys = 1 };
	struct tls_ctx *client, *server;
	struct pair ca, leaf;

	signal(SIGPIPE, SIG_IGN);
	if (tls_prepare(&why) == -1 || mkdtemp(dir) == NULL)
		return 1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	snprintf(cert_file, sizeof(cert_file), "%s/cert.pem", dir);
	snprintf(key_file, sizeof(key_file), "%s/key.pem", dir);
	ca = make_cert("our authority", NULL, NULL, -DAY, DAY);
	leaf = make_cert("leaf", "DNS:localhost", &ca, -DAY, DAY);
	save(ca_file, ca.cert);
	save(cert_file, leaf.cert);
	save_key(key_file, leaf.key);
	free_pair(&ca);
	server_cert = leaf.cert;
	EVP_PKEY_free(leaf.key);

	client = tls_context(&co, &why);
	server = tls_context(&so, &why);
	if (!ok(client != NULL && server != NULL, "two contexts"))
		printf("# %s\n", why.text);
	is(tls_tickets_open(client), 0, "tickets");
	is(tls_tickets_open(client), 0, "once is enough");
	test_queue(client, server);
	test_certificate(&co, server, TLS1_2_VERSION);
	test_certificate(&co, server, TLS1_3_VERSION);
	test_rotation(client, server);
	test_bounds(client, server);
	tls_tickets_close(client);
	is(meet(client, server), 0, "nothing behind the end");
	test_forget(server);
	tls_ctx_free(client);
	tls_ctx_free(server);
	X509_free(server_cert);
	unlink(ca_file);
	unlink(cert_file);
	unlink(key_file);
	rmdir(dir);
	return done_testing();
}
