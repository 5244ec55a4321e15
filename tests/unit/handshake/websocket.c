/* SPDX-License-Identifier: ISC */
/*
 * The handshakes over real sockets: requests written into a socket pair, and
 * a forked server that gives prepared answers.
 *
 * If it fails: inetws and a server or a client of others do not understand
 * each other.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "handshake/websocket.h"
#include "net/deadline_io.h"
#include "net/socket.h"
#include "os/clock.h"
#include "tap.h"

#define KEY	"dGhlIHNhbXBsZSBub25jZQ=="
#define GOOD	"Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"

static struct options opt;
static struct websocket w;
static struct upgrade_request req;
static struct error why;

/* All that comes until end of file; the length, or -1. */
static ssize_t
read_all(int fd, char *dst, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, dst + len, size - 1 - len)) > 0)
		len += n;
	dst[len] = '\0';
	return n == -1 ? -1 : (ssize_t)len;
}

static void
nonblock(int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		abort();
}

/* Offers a request; what was answered goes to got. */
static int
offer(const char *text, int shut, int64_t ms, char *got, size_t size)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    write(pair[0], text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	nonblock(pair[1]);
	if (shut)
		shutdown(pair[0], SHUT_WR);
	r = websocket_request(&w, &opt, io_of(pair[1]), &req, clock_ms() + ms,
	    &why);
	if (r == 0) {
		r = websocket_answer(&w, &req, NULL, clock_ms() + ms, &why);
		io_close(&w.io);
	}
	ok(w.io.rfd == -1, "nothing stays open");
	if (read_all(pair[0], got, size) == -1)
		strlcpy(got, "error", size);
	close(pair[0]);
	return r;
}

static void
refused(const char *text, const char *status)
{
	char got[2048], want[32];

	is(offer(text, 1, 5000, got, sizeof got), -1, "refused");
	snprintf(want, sizeof want, "HTTP/1.1 %s ", status);
	if (!ok(strncmp(got, want, strlen(want)) == 0, "with %s", status))
		printf("# got %s, %s\n", got, why.text);
	ok(strstr(why.text, status) != NULL, "and says so: %s", why.text);
}

static void
test_requests(void)
{
	char got[2048];

	is(offer("GET /a?b HTTP/1.1\r\n" GOOD "\r\nearly", 1, 5000, got,
	    sizeof got), 0, "a good request");
	ok(strncmp(got, "HTTP/1.1 101 ", 13) == 0, "101");
	is(w.early_len, 5, "early bytes");
	ok(memcmp(w.early, "early", 5) == 0, "are these");

	refused("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "426");
	refused("GET / HTTP/1.1\n", "400");
	refused("PUT / HTTP/1.1\r\n", "405");
	refused("GET / HTTP/1.0\r\n\r\n", "505");
	opt.websocket.path = "/a";
	refused("GET /b?/a HTTP/1.1\r\n" GOOD "\r\n", "404");
	is(offer("GET /a?c HTTP/1.1\r\n" GOOD "\r\n", 1, 5000, got,
	    sizeof got), 0, "the right path, with a query");
	opt.websocket.path = NULL;

	is(offer("GET / HT", 0, 50, got, sizeof got), -1, "too slow");
	ok(strncmp(got, "HTTP/1.1 408 ", 13) == 0, "408");
	is(why.status, EXIT_AGAIN, "try again");
	is(offer("GET / HT", 1, 5000, got, sizeof got), -1, "left");
	is(why.status, EXIT_LOST, "lost");
	is_str(got, "", "without an answer");
	is(offer("", 1, 5000, got, sizeof got), -1, "came and left");
	is(why.status, EXIT_LOST, "lost");
}

static int
listen_any(uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;
	struct addr a;
	char err[100];
	int fds[2], n;

	if (addr_listen(&a, "127.0.0.1:0", err, sizeof err) == -1)
		abort();
	n = net_listen(&a, 16, fds, &why);
	if (n != 1 || getsockname(fds[0], (void *)&ss, &len) == -1)
		abort();
	*port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	fcntl(fds[0], F_SETFL, 0);
	return fds[0];
}

/*
 * A refusal must reach a peer that has sent more than was read: a child plays
 * the peer and tells by its exit status.
 */
static void
test_unread(void)
{
	static char junk[100000], got[2048];
	uint16_t port;
	int l = listen_any(&port), fd, status;
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pid_t pid = fork();

	if (pid == 0) {
		memset(junk, 'x', sizeof junk);
		memcpy(junk, "\n", 1);
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (void *)&sin, sizeof sin) == -1 ||
		    write(fd, junk, sizeof junk) != sizeof junk ||
		    read_all(fd, got, sizeof got) == -1)
			_exit(1);
		_exit(strstr(got, "a bare LF\n") == NULL);
	}
	fd = accept(l, NULL, NULL);
	nonblock(fd);
	close(l);
	is(websocket_request(&w, &opt, io_of(fd), &req, clock_ms() + 5000,
	    &why),
	    -1, "junk is refused");
	waitpid(pid, &status, 0);
	is(status, 0, "and the peer could read why");
}

/* One prepared answer; "%A" becomes the accept value. */
static void
serve_one(int l, const char *answer)
{
	char text[4096], accepted[UPGRADE_ACCEPT_LEN + 1], *p;
	struct http_parser_state st;
	struct http_head head;
	char err[100];
	size_t len = 0;
	ssize_t n;
	int fd = accept(l, NULL, NULL), status;

	http_begin(&st, 0);
	do {
		n = read(fd, text + len, sizeof text - len);
		if (n <= 0)
			_exit(2);
		len += n;
	} while ((n = http_parse(&st, text, len, &head, &status, err,
	    sizeof err)) == 0);
	if (n < 0 || upgrade_check_request(&req, &head, err, sizeof err))
		_exit(3);
	if ((size_t)n != len || recv(fd, text, 1, MSG_DONTWAIT) != -1)
		_exit(6);	/* a frame before there is an answer */
	if (strstr(answer, "WANT-AUTH") != NULL) {
		struct slice auth;

		if (http_field(&head, "Authorization", &auth) != 1)
			_exit(4);
	} else if (http_has_token(&head, "Authorization", "Basic dTpw") ||
	    http_has_token(&head, "Cookie", "c"))
		_exit(5);
	upgrade_accept(accepted, req.key);
	p = strstr(answer, "%A");
	if (p == NULL)
		dprintf(fd, "%s", answer);
	else
		dprintf(fd, "%.*s%s%s", (int)(p - answer), answer, accepted,
		    p + 2);
	if (strstr(answer, "HANG") != NULL)
		while (read(fd, text, sizeof text) > 0)
			;
	close(fd);
}

/* Dials a server that gives these answers in turn, at /start. */
static int
dial(const char *user, const char *const *answers)
{
	struct trust trust = { NULL, NULL };
	uint16_t port;
	char url[200], err[100], text[1024];
	int l = listen_any(&port), r, http, status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		for (; *answers != NULL; answers++) {
			snprintf(text, sizeof text, *answers, port, port);
			serve_one(l, strstr(*answers, "%A") ? *answers :
			    text);
		}
		_exit(0);
	}
	close(l);
	snprintf(url, sizeof url, "ws://%s127.0.0.1:%u/start", user, port);
	if (url_parse(&opt.url, url, err, sizeof err) == -1)
		abort();
	r = websocket_dial(&w, &opt, &trust, NULL, &http, &why);
	if (r == 0)
		ok(w.io.rfd != -1 && http == 101, "the websocket is open");
	else
		ok(w.io.rfd == -1, "nothing stays open: %s", why.text);
	io_close(&w.io);
	waitpid(pid, &status, 0);
	is(status, 0, "the server saw what it should");
	return r;
}

#define A101	"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\nSec-WebSocket-Accept: %A\r\n\r\n"
#define TO(loc)	"HTTP/1.1 302 Found\r\nLocation: " loc "\r\n\r\n"

static void
fails(const char *answer, int status, const char *words)
{
	const char *const list[] = { answer, NULL };

	is(dial("", list), -1, "fails");
	is(why.status, status, "status");
	ok(strstr(why.text, words) != NULL, "says %s", words);
}

static void
test_dial(void)
{
	is(dial("", (const char *const []){ A101 "early", NULL }), 0, "101");
	is(w.early_len, 5, "early bytes");
	is(dial("", (const char *const []){ "HTTP/1.1 103 Hints\r\nA: b\r\n"
	    "\r\n" A101, NULL }), 0, "after an interim answer");

	fails("HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 12\r\n\r\nno\x01 target\nx", EXIT_UNREACHABLE,
	    "502 Bad Gateway: no\\x01 target");
	ok(strstr(why.text, "target\\n") == NULL, "only one line");
	fails("HTTP/1.1 403 No\r\n\r\n", EXIT_DENIED, "403 No");
	fails("HTTP/1.1 503 Full\r\n\r\n", EXIT_AGAIN, "503 Full");
	fails("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n"
	    "Content-Length: 3\r\n\r\nabc", EXIT_PROTOCOL, "404 Not Found");
	fails("HTTP/1.1 101 x\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
	    EXIT_PROTOCOL, "Sec-WebSocket-Accept");
	fails("SSH-2.0-x\r\n", EXIT_PROTOCOL, "SSH-2.0-x");
	fails("", EXIT_PROTOCOL, "without an answer");
	opt.timeouts.handshake = 50;
	fails("HTTP/1.1 200 HANG", EXIT_AGAIN, "timed out");
	opt.timeouts.handshake = 5000;
}

static void
test_redirects(void)
{
	is(dial("u:p@", (const char *const []){
	    "HTTP/1.1 307 WANT-AUTH\r\nLocation: /b\r\n\r\n",
	    "HTTP/1.1 308 WANT-AUTH\r\nLocation: ../c?d\r\n\r\n",
	    A101 "WANT-AUTH", NULL }), 0, "two redirects, same host");
	opt.websocket.header.v[0] = "Authorization: x";
	opt.websocket.header.v[1] = "Cookie: c";
	opt.websocket.header.n = 2;
	is(dial("", (const char *const []){
	    "HTTP/1.1 301 WANT-AUTH\r\n"
	    "Location: ws://localhost:%u/x\r\n\r\n", A101, NULL }), 0,
	    "to another host, without credentials");
	opt.websocket.header.n = 0;
	is(dial("u:p@", (const char *const []){
	    "HTTP/1.1 301 WANT-AUTH\r\n"
	    "Location: http://localhost:%u/x\r\n\r\n", A101, NULL }), 0,
	    "nor userinfo");
	is(dial("", (const char *const []){ TO("/1"), TO("/2"), TO("/3"),
	    TO("/4"), TO("/5"), A101, NULL }), 0, "five redirects");
	is(dial("", (const char *const []){ TO("/1"), TO("/2"), TO("/3"),
	    TO("/4"), TO("/5"), TO("/6"), NULL }), -1, "six");
	is(why.status, EXIT_PROTOCOL, "are too many");
	fails(TO("ws+unix:/tmp/x:/"), EXIT_PROTOCOL, "redirects to");
	fails(TO("ftp://x/"), EXIT_PROTOCOL, "no websocket URL");
	fails("HTTP/1.1 302 x\r\n\r\n", EXIT_PROTOCOL, "Location");
	fails("HTTP/1.1 302 x\r\nLocation: /a\r\nLocation: /b\r\n\r\n",
	    EXIT_PROTOCOL, "Location");
}

/* A blocking end that is full, as a terminal may be which was told to stop. */
static void
test_full(void)
{
	static const char zeros[4096];
	struct io io;
	int in[2], out[2];

	if (pipe(in) == -1 || pipe(out) == -1)
		abort();
	nonblock(out[1]);
	while (write(out[1], zeros, sizeof zeros) > 0)
		;
	if (fcntl(out[1], F_SETFL, 0) == -1)
		abort();
	io = (struct io){ .rfd = in[0], .wfd = out[1] };
	is(deadline_write(&io, "x", 1, clock_ms() + 50), -1,
	    "nothing is written");
	is(errno, ETIMEDOUT, "but there is an end to waiting for it");
	io_close(&io);
	close(in[1]);
	close(out[0]);
}

/* No amount of bytes moves a deadline. */
static void
test_flood(void)
{
	static char flood[65536];
	struct io io;
	int64_t end;
	int pair[2];
	ssize_t n = 1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	if ((pid = fork()) == 0) {
		close(pair[1]);
		while (write(pair[0], flood, sizeof(flood)) > 0)
			;
		_exit(0);
	}
	close(pair[0]);
	nonblock(pair[1]);
	io = io_of(pair[1]);
	end = clock_ms() + 100;
	while (n > 0 && clock_ms() < end + 2000)
		n = deadline_read(&io, flood, 512, end);
	is(n, -1, "a flood of bytes ends at the deadline");
	is(errno, ETIMEDOUT, "with ETIMEDOUT");
	io_close(&io);
	waitpid(pid, NULL, 0);
}

/* Close, and a moment for the peer's, also when there is no time any more. */
static void
test_bye(void)
{
	struct websocket bye;
	uint8_t got[16];
	int64_t begun;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		abort();
	nonblock(pair[1]);
	memset(&bye, 0, sizeof(bye));
	bye.io = io_of(pair[1]);
	begun = clock_ms();
	websocket_bye(&bye, 1000, begun - 1);
	ok(clock_ms() >= begun + 50, "an answer is waited for");
	is(read(pair[0], got, sizeof(got)), 8, "Close");
	ok(got[0] == 0x88 && got[1] == 0x82 && (got[6] ^ got[2]) == 0x03 &&
	    (got[7] ^ got[3]) == 0xe8, "1000, masked");
	is(read(pair[0], got, sizeof(got)), 0, "and the end");
	close(pair[0]);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(60);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	opt.timeouts.connect = opt.timeouts.handshake = 5000;
	test_requests();
	test_unread();
	test_full();
	test_flood();
	test_dial();
	test_redirects();
	test_bye();
	return done_testing();
}
