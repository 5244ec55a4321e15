/* SPDX-License-Identifier: ISC */
/*
 * TLS against a server of OpenSSL's own making: a forked process with
 * certificates made here.
 *
 * If it fails: a tunnel is open to those on the way, or a cut one looks
 * complete.
 */
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/dial.h"
#include "net/io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "tls/certs.h"
#include "tls/dial.h"
#include "tls/tls.h"
#include "tap.h"

#define BULK	(6 * 1024 * 1024)
#define SOON	(clock_ms() + scaled(10000))

static struct error why;
static char dir[] = "/tmp/inetws-tls-XXXXXX";
static char ca_file[64], self_file[64], junk_file[64];

/* The server. */

enum manner {
	ECHO,		/* "SNI ALPN", then echo until the end, in good form */
	TRUNCATE,	/* sends data and ends without close_notify */
	RESET,		/* sends data and resets */
	LAST_WORDS,	/* hello and close_notify at once, but no FIN */
	PART,		/* sends data, and at once a part of a record */
	GARBLE,		/* sends data and then no TLS */
	BULK_BOTH,	/* sends and takes BULK bytes */
	BULK_KEYS,	/* the same, and asks for new keys meanwhile */
	RECORDS,	/* "how many, the first, the longest", at each '!' */
	TICKETS,	/* so many, "hello", and nothing else */
	NESTED,		/* the same in a connection in the first; stops then */
	PLAIN,		/* does not speak TLS */
	REQUESTS,	/* HelloRequest, many times, in place of a handshake */
	HANG_UP,	/* closes instead of a handshake */
	SILENT		/* nothing at all */
};

struct server {
	enum manner manner;
	const struct pair *pair;
	int max_version;	/* 0: any */
	int tickets;		/* of TICKETS and NESTED */
	pid_t pid;
	int fd;			/* ours, connected to it */
};

static char
bulk_byte(size_t i)
{
	return (char)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
	if (inlen < 9 || memcmp(in, "\x08http/1.1", 9) != 0)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = in + 1;
	*outlen = 8;
	return SSL_TLSEXT_ERR_OK;
}

static SSL *
serve_handshake(const struct server *s, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	if (s->max_version != 0) {
		SSL_CTX_set_security_level(ctx, 0);
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_max_proto_version(ctx, s->max_version);
	}
	SSL_CTX_use_certificate(ctx, s->pair->cert);
	SSL_CTX_use_PrivateKey(ctx, s->pair->key);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1)
		_exit(3);
	return ssl;
}

static void
serve_echo(SSL *ssl)
{
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const unsigned char *alpn;
	unsigned int len;
	char buf[300];
	int n;

	SSL_get0_alpn_selected(ssl, &alpn, &len);
	n = snprintf(buf, sizeof(buf), "%s %.*s", sni ? sni : "-", (int)len,
	    (const char *)alpn);
	SSL_write(ssl, buf, n);
	while ((n = SSL_read(ssl, buf, sizeof(buf))) > 0)
		SSL_write(ssl, buf, n);
	SSL_write(ssl, "bye", 3);
	SSL_shutdown(ssl);
}

/*
 * Sends and takes at the same time.  It never stops reading because it cannot
 * write: who answers a key update must be able to get rid of the answer.  It
 * asks for one only: a second, while the peer's write is stuck and the first
 * unanswered, makes OpenSSL 3.0 fail with "bad length" on that side.
 */
static void
serve_bulk(SSL *ssl, int fd, int keys)
{
	static char out[20000], in[16384];
	size_t sent = 0, got = 0, i, n;
	struct pollfd p = { .fd = fd };
	int bad = 0, r, moved;

	fd_nonblock(fd);
	while (sent < BULK || got < BULK) {
		moved = 0;
		p.events = POLLIN;
		if (sent < BULK) {
			n = BULK - sent < 20000 ? BULK - sent : 20000;
			for (i = 0; i < n; i++)
				out[i] = bulk_byte(sent + i);
			if ((r = SSL_write(ssl, out, n)) > 0) {
				sent += n;
				moved = 1;
				if (keys && sent == 1000000)
					SSL_key_update(ssl,
					    SSL_KEY_UPDATE_REQUESTED);
			} else if (SSL_get_error(ssl, r) ==
			    SSL_ERROR_WANT_WRITE)
				p.events |= POLLOUT;
			else if (SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
				_exit(4);
		}
		if ((r = SSL_read(ssl, in, sizeof(in))) > 0) {
			for (i = 0; i < (size_t)r; i++)
				bad |= in[i] != bulk_byte(got + i);
			got += r;
			moved = 1;
		} else if (SSL_get_error(ssl, r) == SSL_ERROR_WANT_WRITE)
			p.events |= POLLOUT;
		else if (SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
			_exit(5);
		if (!moved)
			poll(&p, 1, 10000);
	}
	fcntl(fd, F_SETFL, 0);
	SSL_write(ssl, bad ? "BAD" : "GOOD", bad ? 3 : 4);
	SSL_shutdown(ssl);
}

/* With a buffer of the largest record one SSL_read() is one record. */
static void
serve_records(SSL *ssl)
{
	char buf[16384], say[32];
	size_t n, first = 0, longest = 0;
	int count = 0;

	while (SSL_read_ex(ssl, buf, sizeof(buf), &n) == 1) {
		if (count++ == 0)
			first = longest = n;
		if (n > longest)
			longest = n;
		if (buf[n - 1] != '!')
			continue;
		n = snprintf(say, sizeof(say), "%d, %zu, %zu", count, first,
		    longest);
		SSL_write(ssl, say, n);
		count = 0;
	}
}

static void
serve_tickets(SSL *ssl, int n)
{
	while (n-- > 0) {
		SSL_new_session_ticket(ssl);
		SSL_do_handshake(ssl);
	}
	SSL_write(ssl, "hello", 5);
}

/* A second connection in the first. */
static SSL *
nest(SSL *outer)
{
	SSL *ssl = SSL_new(SSL_get_SSL_CTX(outer));
	BIO *bio = BIO_new(BIO_f_ssl());

	BIO_set_ssl(bio, outer, BIO_NOCLOSE);
	SSL_set_bio(ssl, bio, bio);
	if (SSL_accept(ssl) != 1)
		_exit(6);
	return ssl;
}

static void
serve(const struct server *s, int fd)
{
	static const char repeated[5 + 16384] = { 22, 3, 3, 64, 0 };
	int on = 1;
	char c;
	SSL *ssl = NULL;

	if (s->manner < PLAIN)
		ssl = serve_handshake(s, fd);
	switch (s->manner) {
	case ECHO:
		serve_echo(ssl);
		break;
	case TRUNCATE:
		SSL_write(ssl, "hello", 5);
		break;
	case RESET:
		SSL_write(ssl, "hello", 5);
		(void)!read(fd, &c, 1);
		net_linger_reset(fd);
		close(fd);
		_exit(0);
	case LAST_WORDS:
		/* in one segment, so that both are there at once */
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		SSL_write(ssl, "hello", 5);
		SSL_shutdown(ssl);
		on = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		while (read(fd, &c, 1) == 1)
			;
		break;
	case PART:
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		SSL_write(ssl, "hello", 5);
		(void)!write(fd, "\x17\x03\x03\0\x40part", 9);
		on = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		while (read(fd, &c, 1) == 1)
			;
		break;
	case GARBLE:
		SSL_write(ssl, "hello", 5);
		(void)!write(fd, "this is no record of TLS at all", 31);
		while (read(fd, &c, 1) == 1)
			;
		break;
	case BULK_BOTH:
	case BULK_KEYS:
		serve_bulk(ssl, fd, s->manner == BULK_KEYS);
		break;
	case RECORDS:
		serve_records(ssl);
		break;
	case REQUESTS:
		for (on = 0; on < 64; on++)
			(void)!write(fd, repeated, sizeof(repeated));
		break;
	case TICKETS:
		serve_tickets(ssl, s->tickets);
		while (read(fd, &c, 1) == 1)
			;
		break;
	case NESTED:
		ssl = nest(ssl);
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		serve_tickets(ssl, s->tickets);
		on = 0;
		setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
		raise(SIGSTOP);
		while (read(fd, &c, 1) == 1)
			;
		break;
	case PLAIN:
		(void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
		while (read(fd, &c, 1) == 1)
			;
		break;
	case HANG_UP:
		(void)!read(fd, &c, 1);
		break;
	case SILENT:
		while (read(fd, &c, 1) == 1)
			;
		break;
	}
	/* what was not read must not turn the end into a reset */
	shutdown(fd, SHUT_WR);
	while (read(fd, &c, 1) == 1)
		;
	_exit(0);
}

static void
start(struct server *s)
{
	struct sockaddr_storage ss;
	struct addr a;
	char peer[NET_NAME_MAX];
	socklen_t len = sizeof(ss);
	struct pollfd p = { .events = POLLIN };
	int l[2], fd;

	memset(&a, 0, sizeof(a));
	strlcpy(a.host, "127.0.0.1", sizeof(a.host));
	if (net_listen(&a, 4, l, &why) != 1)
		exit(1);
	fflush(stdout);
	if ((s->pid = fork()) == 0) {
		alarm(scaled(60));
		p.fd = l[0];
		poll(&p, 1, scaled(10000));
		fd = accept(l[0], NULL, NULL);
		close(l[0]);
		serve(s, fd);
	}
	getsockname(l[0], (struct sockaddr *)&ss, &len);
	a.port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	s->fd = net_dial(&a, NET_ANY, SOON, peer, &why);
	close(l[0]);
}

/* Ends our side; the server's exit status. */
static int
stop(struct server *s)
{
	int status = -1;

	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
	kill(s->pid, SIGCONT);
	waitpid(s->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The client's side. */

static struct tls_ctx *
context(const char *cafile, int insecure)
{
	struct tls_options o = { .cafile = cafile, .insecure = insecure };

	return tls_context(&o, &why);
}

static void
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	poll(&p, 1, 10000);
}

/* As the relay does it: ask pending first, poll, read. */
static ssize_t
get(struct io *io, char *buf, size_t size)
{
	struct iovec iov = { buf, size };
	short rev, wev;
	ssize_t n;
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (!io_pending(io)) {
			io_events(io, 1, 0, &rev, &wev);
			wait_for(io->rfd, rev | wev);
		}
		n = io_readv(io, &iov, 1);
		if (n != -1 || errno != EAGAIN)
			return n;
	}
	return -1;
}

static ssize_t
put(struct io *io, const char *text)
{
	struct iovec iov = { (void *)text, strlen(text) };

	return io_writev(io, &iov, 1);
}

/* Connects to a server that behaves in some manner; hands out the io. */
static struct io
connected(struct server *s, const char *host)
{
	struct tls_ctx *ctx = context(ca_file, 0);
	struct io io = IO_CLOSED;

	start(s);
	io = io_of(s->fd);
	io.tls = dial_tls(ctx, s->fd, NULL, host, SOON, &why);
	tls_ctx_free(ctx);
	s->fd = -1;
	if (io.tls == NULL)
		printf("# %s\n", why.text);
	return io;
}

static void
test_good(const struct pair *pair, const char *host, const char *sni,
    int version)
{
	struct server s = { .manner = ECHO, .pair = pair,
	    .max_version = version };
	struct io io = connected(&s, host);
	char buf[100], want[100];
	ssize_t n;

	if (!ok(io.tls != NULL, "%s is verified", host)) {
		io_close(&io);
		stop(&s);
		return;
	}
	n = get(&io, buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	snprintf(want, sizeof(want), "%s http/1.1", sni);
	is_str(buf, want, "server name and ALPN");
	tls_describe(io.tls, buf, sizeof(buf));
	ok(strncmp(buf, version == TLS1_2_VERSION ? "TLSv1.2 " : "TLSv1.3 ",
	    8) == 0, "it is %s", buf);
	is(put(&io, "ping"), 4, "write");
	is(get(&io, buf, 2), 2, "read a part");
	is(io_pending(&io), !ktls_receives(io.tls), "there is more, "
	    "that poll does not know unless the kernel decrypts");
	is(get(&io, buf, sizeof(buf)), 2, "read the rest");
	is(io_pending(&io), 0, "no more");
	is(io_finish(&io), 0, "finish");
	is(get(&io, buf, sizeof(buf)), 3, "the other direction goes on");
	is(get(&io, buf, sizeof(buf)), 0, "to its close_notify");
	is(get(&io, buf, sizeof(buf)), 0, "which stays the end");
	io_close(&io);
	is(stop(&s), 0, "the server was content");
}

/* The handshake must fail; the text must hold both words. */
static void
test_bad(struct server s, const char *cafile, const char *host, int status,
    const char *word, const char *word2)
{
	struct tls_ctx *ctx = context(cafile, 0);
	struct tls *t;

	start(&s);
	memset(&why, 0, sizeof(why));
	t = dial_tls(ctx, s.fd, NULL, host, SOON, &why);
	ok(t == NULL, "refused: %s", why.text);
	is(why.status, status, "status");
	ok(strstr(why.text, word) != NULL, "the text says '%s'", word);
	if (word2 != NULL)
		ok(strstr(why.text, word2) != NULL, "and '%s'", word2);
	tls_free(t);
	tls_ctx_free(ctx);
	stop(&s);
}

static void
test_refusals(const struct pair *ca)
{
	struct pair self = make_cert("self", "DNS:localhost", NULL, -DAY, DAY);
	struct pair named = make_cert("foo", "DNS:bar,DNS:baz,IP:192.0.2.1",
	    ca, -DAY, DAY);
	struct pair old = make_cert("old", "DNS:localhost", ca, -9 * DAY,
	    -2 * DAY);
	struct pair early = make_cert("early", "DNS:localhost", ca, 2 * DAY,
	    9 * DAY);
	struct pair good = make_cert("good", "DNS:localhost", ca, -DAY, DAY);
	struct server s = { .manner = ECHO, .pair = &named };

	test_bad(s, ca_file, "127.0.0.1", EXIT_DENIED, "certificate of "
	    "127.0.0.1: IP address mismatch",
	    "it is for CN=foo / DNS:bar, DNS:baz, IP:192.0.2.1");
	test_bad(s, ca_file, "localhost", EXIT_DENIED, "certificate of "
	    "localhost: hostname mismatch", "it is for CN=foo / DNS:bar");
	s.pair = &self;
	test_bad(s, ca_file, "localhost", EXIT_DENIED,
	    "self-signed certificate", "--cacert");
	s.pair = &old;
	test_bad(s, ca_file, "localhost", EXIT_DENIED, "expired on 2",
	    "it is now 2");
	s.pair = &early;
	test_bad(s, ca_file, "localhost", EXIT_DENIED, "not valid before 2",
	    "it is now 2");
	s.pair = &good;
	test_bad(s, NULL, "localhost", EXIT_DENIED, "unknown authority: CN=our"
	    " authority", "--cacert");
	s.max_version = TLS1_1_VERSION;
	test_bad(s, ca_file, "localhost", EXIT_PROTOCOL, "1.2 or later", NULL);
	s.max_version = 0;
	s.manner = PLAIN;
	test_bad(s, ca_file, "localhost", EXIT_PROTOCOL, "TLS with localhost:",
	    "does not speak TLS");
	s.manner = HANG_UP;
	test_bad(s, ca_file, "localhost", EXIT_PROTOCOL, "TLS with localhost:",
	    NULL);
	s.manner = SILENT;
	test_bad(s, ca_file, "localhost", EXIT_AGAIN, "timed out", NULL);

	/* what is refused above is taken when told so */
	save(self_file, self.cert);
	s = (struct server){ .manner = LAST_WORDS, .pair = &self };
	start(&s);
	{
		struct tls_ctx *ctx = context(self_file, 0);
		struct tls *t = dial_tls(ctx, s.fd, NULL, "localhost", SOON, &why);

		ok(t != NULL, "a self-signed one given by --cacert");
		tls_free(t);
		tls_ctx_free(ctx);
	}
	stop(&s);
	s.pair = &old;
	start(&s);
	{
		struct tls_ctx *ctx = context(NULL, 1);
		struct tls *t = dial_tls(ctx, s.fd, NULL, "elsewhere", SOON, &why);

		ok(t != NULL, "anything with --insecure");
		tls_free(t);
		tls_ctx_free(ctx);
	}
	stop(&s);
	free_pair(&self);
	free_pair(&named);
	free_pair(&old);
	free_pair(&early);
	free_pair(&good);
}

/* hello, and then an end that is none. */
static void
test_end(const struct pair *pair, enum manner manner, int version,
    ssize_t want, int error, const char *name)
{
	struct server s = { .manner = manner, .pair = pair,
	    .max_version = version };
	struct io io = connected(&s, "localhost");
	char buf[100];
	struct iovec iov = { buf, sizeof(buf) };
	ssize_t n;

	is(get(&io, buf, sizeof(buf)), 5, "hello");
	if (manner == RESET)
		put(&io, "x");
	n = get(&io, buf, sizeof(buf));
	ok(n == want && (n == 0 || errno == error), "%s: %s", name,
	    n == 0 ? "end of file" : strerror(errno));
	/* what has been told once lasts, but nothing wakes poll(2) for it */
	n = io_readv(&io, &iov, 1);
	ok(n == want && (n == 0 || errno == error), "%s: again", name);
	if (want == -1) {
		is(put(&io, "x"), -1, "nothing can be written then");
		is(io_finish(&io), -1, "nor finished");
	}
	io_close(&io);
	stop(&s);
}

/*
 * Both directions at once through full buffers, with writes that must be
 * repeated, in pieces of all sizes, while the server may change keys; which is
 * an end where the kernel sends.
 */
static void
test_bulk(const struct pair *pair, int version, enum manner manner)
{
	static char out[BULK], buf[70000];
	struct server s = { .manner = manner, .pair = pair,
	    .max_version = version };
	struct io io = connected(&s, "localhost");
	size_t sent = 0, got = 0, head, i;
	int blocked = 0, bad = 0, end = 0, tail = 0, stuck = 0, e = 0;
	int64_t deadline = clock_ms() + scaled(60000);
	struct iovec iov[3];
	short rev, wev;
	int small = 16384;
	ssize_t n;

	for (i = 0; i < BULK; i++)
		out[i] = bulk_byte(i);
	setsockopt(io.wfd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	if (io.tls != NULL && manner == BULK_KEYS)
		stuck = ktls_sends(io.tls);
	while (io.tls != NULL && !end && clock_ms() < deadline) {
		if (sent < BULK) {
			/* a short head, a middle and the rest, in the limits */
			head = sent % 23;
			if (head > BULK - sent)
				head = BULK - sent;
			iov[0] = (struct iovec){ out + sent, head };
			n = (BULK - sent - head) / 2 % 9000;
			iov[1] = (struct iovec){ out + sent + head, n };
			iov[2] = (struct iovec){ out + sent + head + n,
			    BULK - sent - head - n };
			n = io_writev(&io, iov, 3);
			if (n > 0)
				sent += n;
			else if (errno != EAGAIN)
				break;
			blocked += sent < BULK;
		}
		iov[0] = (struct iovec){ buf, 10 };
		iov[1] = (struct iovec){ buf + 10, sizeof(buf) - 10 };
		n = io_readv(&io, iov, 2);
		e = errno;
		if (n == -1 && e != EAGAIN)
			break;
		end = n == 0;
		for (i = 0; n > 0 && i < (size_t)n; i++, got++)
			if (got < BULK)
				bad |= buf[i] != bulk_byte(got);
			else
				tail |= buf[i] == 'G';
		if (end || io_pending(&io))
			continue;
		io_events(&io, 1, sent < BULK, &rev, &wev);
		wait_for(io.rfd, rev | wev);
	}
	if (stuck) {
		is(e, EPROTO, "new keys are an end where the kernel sends");
		ok(!bad && sent < BULK, "and what came was good");
		io_close(&io);
		stop(&s);
		return;
	}
	is(sent, BULK, "all sent");
	is(got, BULK + 4, "all received");
	ok(!bad, "as it was sent");
	ok(tail, "and the server knows the same");
	ok(blocked > 0, "writes blocked %d times", blocked);
	ok(end, "and it ended in good form");
	io_close(&io);
	is(stop(&s), 0, "the server was content");
}

/*
 * Writes all of it, and compares in what records it came; unless there was
 * silence since then (of clock_ms()) on a machine that was busy.
 */
static void
test_record(struct io *io, const struct iovec *iov, int n, int64_t since,
    const char *want, const char *name)
{
	struct iovec rest[4];
	char buf[40];
	ssize_t put, got;
	int i = 0;

	memcpy(rest, iov, n * sizeof(rest[0]));
	while (i < n) {
		put = io_writev(io, rest + i, n - i);
		if (put == -1 && errno != EAGAIN)
			break;
		if (put == -1)
			wait_for(io->wfd, POLLOUT);
		for (; put >= 0 && i < n && (size_t)put >= rest[i].iov_len; i++)
			put -= rest[i].iov_len;
		if (put > 0) {
			rest[i].iov_base = (char *)rest[i].iov_base + put;
			rest[i].iov_len -= put;
		}
	}
	got = get(io, buf, sizeof(buf) - 1);
	buf[got > 0 ? got : 0] = '\0';
	if (clock_ms() - since >= 1000)
		ok(got > 0, "too slow to tell: %s", name);
	else
		is_str(buf, want, name);
}

/* What comes first is to be read without waiting for a second packet. */
static void
test_records(const struct pair *pair)
{
	static char big[202000];
	struct server s = { .manner = RECORDS, .pair = pair };
	struct io io = connected(&s, "localhost");
	struct iovec iov[4] = { { (char *)"head", 4 }, { (char *)"", 0 },
	    { (char *)"payload", 7 }, { (char *)"end!", 4 } };
	int64_t since = clock_ms();

	test_record(&io, iov, 4, since, "1, 15, 15",
	    "small pieces are one record");
	memset(big, 'x', sizeof(big));
	iov[2] = (struct iovec){ big, sizeof(big) };
	since = clock_ms();
	test_record(&io, iov, 4, since, "19, 1360, 16384",
	    "large ones grow from a packet, the last piece in its own");
	test_record(&io, iov, 4, since, "14, 16384, 16384", "and stay large");
	poll(NULL, 0, 1100);
	since = clock_ms();
	test_record(&io, iov, 4, since, "19, 1360, 16384",
	    "until there is silence");
	io_close(&io);
	stop(&s);
}

/* Close_notify came with the data: poll would wait for ever. */
static void
test_pending_end(const struct pair *pair)
{
	struct server s = { .manner = LAST_WORDS, .pair = pair };
	struct io io = connected(&s, "localhost");
	struct pollfd p = { .fd = io.rfd, .events = POLLIN };
	char buf[100];

	is(get(&io, buf, sizeof(buf)), 5, "last words");
	is(io_pending(&io), 1, "behind which the end was found");
	is(get(&io, buf, sizeof(buf)), 0, "then the end");
	is(poll(&p, 1, 0), 0, "which no FIN told of");
	is(io_pending(&io), 0, "and nothing is left to tell");
	io_close(&io);
	is(stop(&s), 0, "the server was content");
}

/* A part of a record is nothing to read: who asked again would spin. */
static void
test_part(const struct pair *pair)
{
	struct server s = { .manner = PART, .pair = pair };
	struct io io = connected(&s, "localhost");
	struct iovec iov;
	char buf[100];

	is(get(&io, buf, sizeof(buf)), 5, "a record");
	is(io_pending(&io), 0, "of the next one there is only a part");
	iov.iov_base = buf;
	iov.iov_len = sizeof(buf);
	is(io_readv(&io, &iov, 1), -1, "nothing to read");
	is(errno, EAGAIN, "yet");
	is(io_pending(&io), 0, "and nothing pending");
	io_close(&io);
	is(stop(&s), 0, "the server was content");
}

static void
test_context(void)
{
	struct tls_options o = { .cafile = "/nonexistent/ca.pem" };
	const char *version;
	struct tls_ctx *ctx;

	ok(tls_context(&o, &why) == NULL, "no such --cacert");
	is(why.status, EXIT_BADUSAGE, "is 64");
	is_str(why.text, "--cacert /nonexistent/ca.pem: "
	    "No such file or directory", "in words");
	o.cafile = junk_file;
	ok(tls_context(&o, &why) == NULL, "no certificate in --cacert: %s",
	    why.text);
	o = (struct tls_options){ .capath = "/nonexistent" };
	ok(tls_context(&o, &why) == NULL, "no such --capath");
	is_str(why.text, "--capath /nonexistent: No such file or directory",
	    "in words");
	o = (struct tls_options){ .capath = dir };
	ctx = tls_context(&o, &why);
	ok(ctx != NULL, "a directory will do");
	tls_ctx_free(ctx);
	tls_ctx_free(NULL);
	version = tls_version(&why);
	ok(version != NULL && strncmp(version, "OpenSSL ", 8) == 0, "%s",
	    version != NULL ? version : why.text);
}

/* The server is trusted in this context, which is freed. */
static void
trusts(struct server *s, struct tls_ctx *ctx, const char *name)
{
	struct tls *t;

	start(s);
	t = dial_tls(ctx, s->fd, NULL, "localhost", SOON, &why);
	ok(t != NULL, "%s", name);
	tls_free(t);
	tls_ctx_free(ctx);
	stop(s);
}

/* A directory whose entry has the hash of its name. */
static void
test_hashed(const struct pair *ca, const struct pair *pair)
{
	struct tls_options o = { .capath = dir };
	struct server s = { .manner = LAST_WORDS, .pair = pair };
	char path[128], list[160];

	snprintf(path, sizeof(path), "%s/%08lx.0", dir,
	    X509_subject_name_hash(ca->cert));
	if (symlink(ca_file, path) == -1)
		exit(1);
	trusts(&s, tls_context(&o, &why), "an authority found by its hash");

	/* the system's place, as the environment may move it */
	unsetenv("SSL_CERT_FILE");
	setenv("SSL_CERT_DIR", dir, 1);
	trusts(&s, context(NULL, 0), "also in the system's directory");
	snprintf(list, sizeof(list), "/nonexistent:%s:/", dir);
	setenv("SSL_CERT_DIR", list, 1);
	trusts(&s, context(NULL, 0), "or in one of several");
	setenv("SSL_CERT_DIR", dir, 1);
	unlink(path);
	setenv("SSL_CERT_FILE", ca_file, 1);
	trusts(&s, context(NULL, 0), "or in the bundle");
	unsetenv("SSL_CERT_DIR");
	unsetenv("SSL_CERT_FILE");
}

/* The system's authorities, of which a clean machine may have none. */
static void
make_system_store(char *file, size_t size)
{
	struct pair other = make_cert("another authority", NULL, NULL, -DAY,
	    9 * DAY);

	snprintf(file, size, "%s/system.pem", dir);
	save(file, other.cert);
	free_pair(&other);
	setenv("SSL_CERT_FILE", file, 1);
}

/* Waits until so many bytes have come that one step must not take all. */
static void
wait_for_much(int fd)
{
	int64_t deadline = SOON;
	int there = 0;

	while (there < 60000 && clock_ms() < deadline &&
	    ioctl(fd, FIONREAD, &there) == 0)
		usleep(1000);
}

/* A peer could hold us for as long as it sends what is no data. */
static void
test_requests(const struct pair *pair)
{
	struct server s = { .manner = REQUESTS, .pair = pair };
	struct tls_ctx *ctx;
	struct tls *t;
	struct pollfd p;
	int there = 0;

	start(&s);
	ctx = context(ca_file, 0);
	t = tls_dial(ctx, s.fd, s.fd, NULL, "localhost", &why);
	is(tls_go_on(ctx, t, &p), 0, "it has to be waited");
	wait_for_much(s.fd);
	is(tls_go_on(ctx, t, &p), 0, "what comes is nothing");
	ok(ioctl(s.fd, FIONREAD, &there) == 0 && there > 0,
	    "one step does not take it all");
	is(poll(&p, 1, 0), 1, "the next one can be made at once");
	tls_cancel(t, ETIMEDOUT, &why);
	tls_ctx_free(ctx);
	stop(&s);
}

static void
test_tickets(const struct pair *pair)
{
	struct server s = { .manner = TICKETS, .pair = pair, .tickets = 500 };
	struct io io = connected(&s, "localhost");
	char buf[100];
	struct iovec iov = { buf, sizeof(buf) };
	int there = 0;

	wait_for_much(io.rfd);
	ok(io_readv(&io, &iov, 1) == -1 && errno == EAGAIN, "only tickets");
	ok(ioctl(io.rfd, FIONREAD, &there) == 0 && there > 0,
	    "one read does not take them all");
	is(get(&io, buf, sizeof(buf)), 5, "what comes behind them is read");
	io_close(&io);
	stop(&s);
}

/*
 * The outer connection holds what is left of a flood when the socket is empty:
 * poll(2) must not wait for more.
 */
static int
reads_on(const struct pair *pair, struct tls_ctx *ctx, int tickets)
{
	struct server s = { .manner = NESTED, .pair = pair,
	    .tickets = tickets };
	struct io io = connected(&s, "localhost");
	struct pollfd p = { .fd = io.rfd };
	char buf[100];
	struct iovec iov = { buf, sizeof(buf) };
	short rev, wev;
	int goes_on = 1;
	ssize_t n = -1;

	io.tls = dial_tls(ctx, io.rfd, io.tls, "localhost", SOON, &why);
	if (io.tls == NULL)
		return 0;
	waitpid(s.pid, NULL, WUNTRACED);
	while (goes_on && (n = io_readv(&io, &iov, 1)) == -1 &&
	    errno == EAGAIN) {
		io_events(&io, 1, 0, &rev, &wev);
		p.events = (short)(rev | wev);
		goes_on = poll(&p, 1, scaled(5000)) == 1;
	}
	io_close(&io);
	stop(&s);
	return goes_on && n == 5;
}

static void
test_nested(const struct pair *pair)
{
	struct tls_ctx *ctx = context(ca_file, 0);
	int n;

	for (n = 150; n < 230 && reads_on(pair, ctx, n); n += 4)
		;
	ok(n >= 230, "tickets in an inner connection: %d", n);
	tls_ctx_free(ctx);
}

int
main(void)
{
	char system_file[128];
	struct pair ca, good;

	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", dir);
	snprintf(self_file, sizeof(self_file), "%s/self.pem", dir);
	snprintf(junk_file, sizeof(junk_file), "%s/junk.pem", dir);
	ca = make_cert("our authority", NULL, NULL, -DAY, 9 * DAY);
	good = make_cert("good", "DNS:localhost,DNS:*.example.org,"
	    "IP:127.0.0.1,IP:::1", &ca, -DAY, DAY);
	save(ca_file, ca.cert);
	save(junk_file, NULL);
	make_system_store(system_file, sizeof(system_file));

	test_context();
	test_good(&good, "localhost", "localhost", 0);
	test_good(&good, "localhost", "localhost", TLS1_2_VERSION);
	test_good(&good, "a.example.org.", "a.example.org", 0);
	test_good(&good, "127.0.0.1", "-", 0);
	test_good(&good, "[::1]", "-", 0);
	test_good(&good, "::1%lo", "-", 0);
	test_refusals(&ca);
	test_end(&good, TRUNCATE, 0, -1, EPROTO, "cut short");
	test_end(&good, TRUNCATE, TLS1_2_VERSION, -1, EPROTO, "cut short");
	test_end(&good, GARBLE, 0, -1, EPROTO, "garbled");
	test_end(&good, RESET, 0, -1, ECONNRESET, "reset");
	test_end(&good, LAST_WORDS, 0, 0, 0, "close_notify");
	test_pending_end(&good);
	test_part(&good);
	test_records(&good);
	test_bulk(&good, 0, BULK_BOTH);
	test_bulk(&good, 0, BULK_KEYS);
	test_bulk(&good, TLS1_2_VERSION, BULK_BOTH);
	test_requests(&good);
	test_tickets(&good);
	test_nested(&good);
	test_hashed(&ca, &good);

	free_pair(&ca);
	free_pair(&good);
	unlink(ca_file);
	unlink(self_file);
	unlink(junk_file);
	unlink(system_file);
	rmdir(dir);
	return done_testing();
}
