/* SPDX-License-Identifier: ISC */
/*
 * The websocket client of check.
 *
 * If it fails: check leaves the server's log with a stream that was cut off, or
 * takes something else for the answer to its ping.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modes/check/probe.h"
#include "os/clock.h"
#include "os/signals.h"
#include "tap.h"
#include "ws/frame.h"

static struct probe p;
static int far;

static void
begin(int extension)
{
	struct websocket w = { .has_extension = extension, .early = "" };
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == -1)
		abort();
	w.io = io_of(fd[0]);
	far = fd[1];
	probe_begin(&p, &w);
}

/* A frame of the server. */
static void
frame(int opcode, const void *payload, size_t n)
{
	uint8_t head[2] = { (uint8_t)(0x80 | opcode), (uint8_t)n };

	if (write(far, head, 2) != 2 || write(far, payload, n) != (ssize_t)n)
		abort();
}

static void
text(const char *line)
{
	frame(FRAME_TEXT, line, strlen(line));
}

/* The frames that the server got, as "OPCODE:PAYLOAD ", unmasked. */
static const char *
sent(void)
{
	static char shown[2000];
	uint8_t in[2000];
	ssize_t n = read(far, in, sizeof(in)), at;
	size_t i, len = 0;

	for (at = 0; n - at >= 6; at += 6 + (in[at + 1] & 0x7f)) {
		len += (size_t)snprintf(shown + len, sizeof(shown) - len, "%d:",
		    in[at] & 0x0f);
		for (i = 0; i < (in[at + 1] & 0x7fu); i++)
			shown[len++] = (char)(in[at + 6 + i] ^
			    in[at + 2 + i % 4]);
		shown[len++] = ' ';
	}
	shown[len] = '\0';
	return shown;
}

static int64_t
soon(void)
{
	return clock_ms() + scaled(2000);
}

/* Both directions end, and each side knows it. */
static void
test_end(void)
{
	begin(1);
	text("eof 3");
	frame(FRAME_BINARY, "abc", 3);
	text("ack 0");
	frame(FRAME_CLOSE, "\x03\xe8", 2);
	shutdown(far, SHUT_WR);
	probe_end(&p, soon());
	is_str(sent(), "1:eof 0 1:ack 3 8:\x03\xe8 ", "an end in good order");
	close(far);
	begin(1);
	text("eof 0");
	frame(FRAME_CLOSE, "\x03\xe8", 2);
	shutdown(far, SHUT_WR);
	probe_end(&p, soon());
	ok(strstr(sent(), "1:rst") != NULL, "one that is not confirmed: a reset");
	close(far);
	begin(1);
	text("rst");
	shutdown(far, SHUT_WR);
	probe_wait(&p, soon());
	probe_end(&p, soon());
	is_str(sent(), "8:\x03\xe8 ", "a stream that is reset has no end");
	close(far);
	begin(0);
	shutdown(far, SHUT_WR);
	probe_end(&p, soon());
	is_str(sent(), "8:\x03\xe8 ", "a plain peer has none either");
	close(far);
}

/* The last line waits for room: a path that is slow is not a reset. */
static int
last_line(void)
{
	static uint8_t in[1 << 20];
	size_t filled = 0, n = 0;
	ssize_t k;
	int status;

	begin(1);
	p.eof = p.eof_acked = p.eof_sent = 1;
	while ((k = write(p.io.wfd, in, 4096)) > 0)
		filled += (size_t)k;
	if (fork() == 0) {
		close(p.io.rfd);
		poll(NULL, 0, 100);
		shutdown(far, SHUT_WR);
		while ((k = read(far, in + n, sizeof(in) - n)) != 0)
			if (k > 0)
				n += (size_t)k;
			else
				poll(NULL, 0, 5);
		/* "ack 0", masked */
		_exit(n < filled + 11 || in[filled] != 0x81 ||
		    (in[filled + 6] ^ in[filled + 2]) != 'a');
	}
	probe_end(&p, soon());
	if (wait(&status) == -1 || status != 0)
		return 1;
	close(far);
	return 0;
}

static void
test_pings(void)
{
	uint64_t n;

	begin(0);
	is(probe_ping(&p, soon()), 0, "a ping");
	probe_ping(&p, soon());
	n = 3;
	frame(FRAME_PONG, &n, sizeof(n));
	is(probe_wait(&p, clock_ms() + 50), PROBE_NOTHING, "one never sent");
	n = 0;
	frame(FRAME_PONG, &n, sizeof(n));
	is(probe_wait(&p, clock_ms() + 50), PROBE_NOTHING, "nor this");
	n = 1;
	frame(FRAME_PONG, &n, sizeof(n) - 1);
	is(probe_wait(&p, clock_ms() + 50), PROBE_NOTHING, "half of one");
	frame(FRAME_PONG, &n, sizeof(n));
	is(probe_wait(&p, soon()), PROBE_PONG, "the first");
	is((long long)p.ponged, 1, "its number");
	frame(FRAME_PONG, &n, sizeof(n));
	is(probe_wait(&p, clock_ms() + 50), PROBE_NOTHING, "again: it is old");
	n = 2;
	frame(FRAME_PONG, &n, sizeof(n));
	is(probe_wait(&p, soon()), PROBE_PONG, "the second");
	sent();
	frame(FRAME_PING, "hi", 2);
	probe_wait(&p, clock_ms() + 50);
	is_str(sent(), "10:hi ", "a ping of the peer is answered");
	is(p.pings, 1, "and counted");
	close(far);
}

static void
test_ends(void)
{
	begin(1);
	frame(FRAME_BINARY, "SSH-", 4);
	frame(FRAME_BINARY, "2.0", 3);
	frame(FRAME_CLOSE, "\x03\xf3" "by\0e", 6);
	is(probe_wait(&p, soon()), PROBE_CLOSE, "a Close");
	is(p.code, 1011, "its code");
	is_str(p.reason, "by?e", "its text");
	is((long long)p.taken, 7, "data before it");
	ok(p.said_len == 7 && memcmp(p.said, "SSH-2.0", 7) == 0, "and what it is");
	close(far);
	begin(0);
	frame(FRAME_CLOSE, "", 0);
	is(probe_wait(&p, soon()), PROBE_CLOSE, "a Close without a code");
	is(p.code, 1005, "is told so");
	close(far);
	begin(0);
	close(far);
	is(probe_wait(&p, soon()), PROBE_END, "the end of the connection");
	begin(1);
	text("eof 0");
	is(probe_wait(&p, soon()), PROBE_EOF, "an end of the stream");
	ok(p.eof && !p.eof_acked && !p.rst, "of the peer's");
	text("ack 5 9");
	is(probe_wait(&p, clock_ms() + 50), PROBE_NOTHING, "credit is no end");
	text("fail x");
	is(probe_wait(&p, soon()), PROBE_EOF, "a target that is not reached");
	ok(p.rst, "has no stream");
	close(far);
}

int
main(void)
{
	signals_single();
	test_end();
	is(last_line(), 0, "the last line is waited for");
	test_pings();
	test_ends();
	return done_testing();
}
