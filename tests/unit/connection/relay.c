/* SPDX-License-Identifier: ISC */
/*
 * The loop of a tunnel, by a scripted clock: a wait takes no time and moves the
 * clock on.  The other ends are played by the test.
 *
 * If it fails: bytes wait although they could go on, a tunnel does not end when
 * it is told to, or memory is kept that nothing uses.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "connection/record.h"
#include "connection/relay.h"
#include "os/clock.h"
#include "os/memory.h"
#include "os/signals.h"
#include "stats/page.h"
#include "tap.h"

#define BEGIN	1000000		/* ms */

static int64_t now = BEGIN;
static int64_t longest;		/* the longest wait */
static int waits;
static int64_t first_wait;	/* since waits was 0 */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	ts->tv_sec = now / 1000;
	ts->tv_nsec = now % 1000 * 1000000;
	return 0;
}

/* A signal that is pending comes in; else the time passes at once. */
int
ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask)
{
	sigset_t waiting, old;
	int ready = poll(fds, n, 0), signo;
	int64_t ms = timeout == NULL ? -1 : timeout->tv_sec * 1000 +
	    timeout->tv_nsec / 1000000;

	if (waits++ == 0)
		first_wait = ms;
	if (ready != 0)
		return ready;
	sigpending(&waiting);
	for (signo = 1; signo < 32; signo++)
		if (sigismember(&waiting, signo) && !sigismember(mask, signo)) {
			sigprocmask(SIG_SETMASK, mask, &old);
			sigprocmask(SIG_SETMASK, &old, NULL);
			errno = EINTR;
			return -1;
		}
	if (ms == -1)
		abort();	/* nothing would ever wake it */
	longest = ms > longest ? ms : longest;
	now += ms;
	return 0;
}

/* What the network has: in place of net/acknowledged. */
static uint64_t all, taken;

uint64_t
net_acknowledged(int fd)
{
	return taken;
}

uint64_t
net_written(int fd)
{
	return all;
}

int
net_unacknowledged(int fd)
{
	return taken < all;
}

static struct relay r;
static int far[2];		/* the other ends: of the stream, the websocket */

/* A plain peer; we are its server, or its client. */
static struct tunnel_config
config(int client)
{
	struct tunnel_config cfg = { .client = client, .hold = 1, .discard = 1,
	    .linger = 10000, .out_size = 65536, .in_size = TUNNEL_SLACK };

	alarm(scaled(30));
	relay_memory(&cfg);
	return cfg;
}

static void
begin_with(struct tunnel_config cfg)
{
	int s[2], w[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w) == -1)
		abort();
	signals_single();
	far[0] = s[1];
	far[1] = w[1];
	relay_begin(&r, &cfg, io_of(s[0]), io_of(w[0]), NULL, 0);
}

static void
begin(int client)
{
	begin_with(config(client));
}

/* The peer is another inetws, with which we have a session. */
static void
begin_session(void)
{
	struct tunnel_config cfg = { .client = 1, .extension = 1, .session = 1,
	    .win = 65536, .win_max = 65536, .peer_win = 65536,
	    .linger = 10000, .out_size = TUNNEL_KEEP_MIN,
	    .in_size = 65536 + TUNNEL_SLACK };

	alarm(scaled(30));
	relay_memory(&cfg);
	begin_with(cfg);
}

/* A frame of the peer, masked by zeros where it is the client. */
static void
frame(int opcode, const char *payload, size_t len)
{
	uint8_t head[8] = { (uint8_t)(0x80 | opcode), (uint8_t)(0x80 | len) };
	int masked = !r.tunnel.cfg.client;

	head[1] = (uint8_t)((masked ? 0x80 : 0) | len);
	if (write(far[1], head, masked ? 6 : 2) == -1 ||
	    write(far[1], payload, len) == -1)
		abort();
}

/* What an end was given, as text or as the bytes of frames. */
static int
got(int fd, const void *want, size_t len)
{
	char text[1000];
	ssize_t n = read(fd, text, sizeof(text));

	return n == (ssize_t)len && memcmp(text, want, len) == 0;
}

static int
is_empty(int fd)
{
	char c;

	return read(fd, &c, 1) == -1 && errno == EAGAIN;
}

static int
is_ended(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

/* Both ways, with what is counted of it. */
static int
forwards(void)
{
	begin(0);
	frame(2, "hello", 5);
	if (relay(&r, now) != RELAY_OPENED && 0)
		return 1;
	if (relay(&r, now + 100) != RELAY_TIME || !got(far[0], "hello", 5))
		return 2;
	if (write(far[0], "answer", 6) != 6 ||
	    relay(&r, now + 100) != RELAY_TIME ||
	    !got(far[1], "\x82\x06" "answer", 8))
		return 3;
	if (stats_mine->counts.up != 5 || stats_mine->counts.down != 6 ||
	    stats_mine->state != STATE_OPEN)
		return 4;
	shutdown(far[0], SHUT_WR);
	relay(&r, now + 100);
	if (!is_empty(far[1]) || stats_mine->state != STATE_HALF_CLOSED)
		return 5;	/* Close waits for the peer's end */
	frame(2, "more", 4);
	frame(8, "\x03\xe8", 2);
	if (relay(&r, now + 100) != RELAY_TIME || !got(far[0], "more", 4) ||
	    !is_ended(far[0]) || !got(far[1], "\x88\x02\x03\xe8", 4) ||
	    !is_ended(far[1]))
		return 6;
	shutdown(far[1], SHUT_WR);	/* which the peer does next */
	if (relay(&r, now + 100) != RELAY_DONE)
		return 8;
	return r.tunnel.end == TUNNEL_ENDED && stats_mine->counts.up == 9 ?
	    0 : 7;
}

static int
as_client(void)
{
	char text[100];

	begin(1);
	if (write(far[0], "ab", 2) != 2 || relay(&r, now + 100) != RELAY_TIME ||
	    read(far[1], text, sizeof(text)) != 8 ||
	    text[0] != (char)0x82 || text[1] != (char)0x82 ||
	    (text[2] ^ text[6]) != 'a' || (text[3] ^ text[7]) != 'b')
		return 1;
	frame(2, "xyz", 3);
	relay(&r, now + 100);
	return got(far[0], "xyz", 3) && stats_mine->counts.up == 2 &&
	    stats_mine->counts.down == 3 ? 0 : 2;
}

/* What came with the handshake. */
static int
early(void)
{
	struct tunnel_config cfg = config(0);
	int s[2], w[2];

	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w);
	signals_single();
	relay_begin(&r, &cfg, io_of(s[0]), io_of(w[0]),
	    "\x82\x82\0\0\0\0hi", 8);
	return relay(&r, now + 100) == RELAY_TIME && got(s[1], "hi", 2) ?
	    0 : 1;
}

/* It returns at its time, and not before or after. */
static int
times(void)
{
	int64_t until = now + 12345;

	begin(0);
	if (relay(&r, until) != RELAY_TIME || now != until)
		return 1;
	if (relay(&r, until) != RELAY_TIME || now != until)
		return 2;
	waits = 0;
	relay(&r, until + 10);
	return waits == 1 ? 0 : 3;
}

static int
watches(void)
{
	int control[2], other[2];

	begin(0);
	if (pipe(control) == -1 || pipe(other) == -1)
		return 1;
	r.control = control[0];
	r.watched[0] = (struct pollfd){ .fd = -1, .events = POLLIN };
	r.watched[1] = (struct pollfd){ .fd = other[0], .events = POLLIN };
	r.nwatched = 1;
	if (write(other[1], "x", 1) != 1 ||
	    relay(&r, now + 50) != RELAY_TIME)
		return 2;
	r.nwatched = 2;
	if (relay(&r, now + 50) != RELAY_WATCHED)
		return 3;
	if (write(control[1], "x", 1) != 1 ||
	    relay(&r, now + 50) != RELAY_CONTROL)
		return 4;
	r.nwatched = 0;
	r.control = -1;
	if (relay(&r, now + 50) != RELAY_TIME)
		return 5;
	/* bytes go on before the event is told */
	r.control = control[0];
	frame(2, "hello", 5);
	if (relay(&r, now + 50) != RELAY_CONTROL)
		return 6;
	return got(far[0], "hello", 5) ? 0 : 7;
}

static int
hint(void)
{
	begin(0);
	signals_supervisor();
	signals_child();
	raise(SIGUSR2);
	if (relay(&r, now + 5000) != RELAY_HINT || now >= BEGIN + 5000)
		return 1;
	return relay(&r, now + 50) == RELAY_TIME ? 0 : 2;
}

/* TERM: Close 1001, and so much time for the peer. */
static int
terminated(void)
{
	begin(0);
	raise(SIGTERM);
	relay(&r, now + 1);		/* the signal comes in */
	relay(&r, now);
	waits = 0;
	relay(&r, now + 500);
	if (first_wait > 500)
		return 5;
	if (!got(far[1], "\x88\x10\x03\xe9server stopped", 18))
		return 1;
	if (relay(&r, CLOCK_NEVER) != RELAY_DONE)
		return 2;
	if (now - BEGIN < 1000 || now - BEGIN > 1100)
		return 3;
	return r.tunnel.end == TUNNEL_STOPPED && is_ended(far[0]) ? 0 : 4;
}

static int
terminated_twice(void)
{
	begin(0);
	raise(SIGTERM);
	relay(&r, now + 50);
	raise(SIGINT);
	if (relay(&r, CLOCK_NEVER) != RELAY_DONE)
		return 1;
	return now - BEGIN >= 100 && now - BEGIN < 300 ? 0 : 2;
}

/* ssh(1) closes its pipes and sends HUP: what it sent is forwarded. */
static int
hung_up(void)
{
	begin(0);
	if (write(far[0], "last", 4) != 4)
		return 1;
	raise(SIGHUP);
	relay(&r, now + 1500);
	if (!got(far[1], "\x82\x04last", 6))
		return 2;
	if (r.tunnel.end == TUNNEL_STOPPED)
		return 3;		/* not at once */
	waits = 0;
	if (relay(&r, CLOCK_NEVER) != RELAY_DONE || waits > 20)
		return 4;		/* nor does it turn without end */
	return now - BEGIN >= 2000 && now - BEGIN <= 3200 ? 0 : 5;
}

/* It is seen first that the stream has no reader any more. */
static int
hung_up_late(void)
{
	begin(0);
	tunnel_stream_write_closed(&r.tunnel);
	relay(&r, now + 1000);
	raise(SIGHUP);
	return relay(&r, now + 10000) == RELAY_DONE &&
	    now - BEGIN <= 4200 ? 0 : 1;
}

/* The stream was reset, and the peer does not answer: no new path is wanted. */
static int
hung_up_over(void)
{
	begin_session();
	tunnel_stream_failed(&r.tunnel);
	raise(SIGHUP);
	return relay(&r, now + 10000) == RELAY_DONE &&
	    now - BEGIN <= 3200 ? 0 : 1;
}

/* Used memory is given back when nothing has come for a second. */
static int
gives_back(void)
{
	int64_t data;

	begin(0);
	if (relay_memory_idle(&r) != CLOCK_NEVER)
		return 1;
	frame(2, "secret", 6);
	relay(&r, now + 5);
	data = r.tunnel.data_at;
	if (relay_memory_idle(&r) != data + 1000 ||
	    memchr(r.tunnel.cfg.in, 's', 100) == NULL)
		return 2;
	relay(&r, data + 999);
	if (now != data + 999 || memchr(r.tunnel.cfg.in, 's', 100) == NULL)
		return 3;
	relay(&r, data + 1001);
	if (memchr(r.tunnel.cfg.in, 's', 100) != NULL ||
	    relay_memory_idle(&r) != CLOCK_NEVER)
		return 4;
	/* what has not been written yet stays */
	if (write(far[0], "x", 1) != 1)
		return 5;
	relay(&r, now + 1);
	relay(&r, now + 2000);
	frame(2, "abc", 3);
	shutdown(far[0], SHUT_RD);
	return relay_memory_idle(&r) == CLOCK_NEVER ? 0 : 6;
}

/* A reader that has stopped: its bytes are not dropped with the memory. */
static int
keeps(void)
{
	static char much[100];
	char text[4096];
	int size = 4096, i, n = 0;
	ssize_t k;

	begin(0);
	setsockopt(r.stream.wfd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	memset(much, 'm', sizeof(much));
	for (i = 0; i < 1000; i++) {
		frame(2, much, sizeof(much));
		if (i % 50 == 49)
			relay(&r, now + 1);
	}
	if (r.tunnel.in_end == 0 || relay_memory_idle(&r) != CLOCK_NEVER)
		return 1;
	relay(&r, now + 5000);
	while ((k = read(far[0], text, sizeof(text))) > 0 ||
	    (relay(&r, now + 1) == RELAY_TIME &&
	    (k = read(far[0], text, sizeof(text))) > 0))
		for (; k > 0; k--)
			n += text[k - 1] == 'm';
	return n == 1000 * (int)sizeof(much) ? 0 : 2;
}

/* The far end of the stream is gone, with or without something unread. */
static int
stream_closed(void)
{
	begin(0);
	close(far[0]);
	relay(&r, now + 100);
	frame(2, "lost", 4);
	if (relay(&r, now + 100) == RELAY_WATCHED || r.tunnel.sink == SINK_OPEN)
		return 1;
	if (r.error != EPIPE && r.error != 0)
		return 2;
	frame(8, "\x03\xe8", 2);
	return relay(&r, now + 20000) == RELAY_DONE ? 0 : 3;
}

/* The websocket ends without a Close. */
static int
wire_cut(void)
{
	begin(0);
	frame(2, "hello", 5);
	close(far[1]);
	if (relay(&r, now + 100) != RELAY_DONE)
		return 1;
	return r.tunnel.end == TUNNEL_WIRE_LOST && stats_mine->counts.up == 5 ?
	    0 : 2;
}

/* That is noticed by a write; the peer's last words came before. */
static int
wire_closed(void)
{
	begin(1);
	frame(2, "bye", 3);
	frame(8, "\x03\xe8", 2);
	close(far[1]);
	if (write(far[0], "more", 4) != 4)
		return 1;
	relay(&r, now + 100);
	return got(far[0], "bye", 3) && is_ended(far[0]) ? 0 : 2;
}

/* A message of so many bytes, from a server. */
#define PAGE	4096

static void
page(void)
{
	static char bytes[4 + PAGE] = { (char)0x82, 126, PAGE >> 8 };

	if (write(far[1], bytes, sizeof(bytes)) != sizeof(bytes))
		abort();
}

/* The same, while the stream takes nothing; returns how many bytes came. */
static size_t
stall(void)
{
	size_t n = 0;
	int i;

	begin(1);
	for (; tunnel_wants(&r.tunnel) & TUNNEL_READ_WIRE; n += PAGE) {
		page();
		relay(&r, now + 1);
	}
	for (i = 0; i < 5; i++, n += PAGE)
		page();
	frame(8, "\x03\xe8", 2);
	close(far[1]);
	if (write(far[0], "more", 4) != 4)
		abort();
	waits = 0;
	relay(&r, now + 5000);
	return n;
}

static int
wire_closed_stalled(void)
{
	static char bytes[10 * PAGE];
	size_t n = stall();
	ssize_t k = -1;
	int i;

	if (waits > 20)
		return 2;
	for (i = 0; i < 1000 && k != 0; i++) {
		relay(&r, now + 1);
		if ((k = read(far[0], bytes, sizeof(bytes))) > 0)
			n -= k;
	}
	return k == 0 && n == 0 ? 0 : 3;
}

/* It does not wait for ever. */
static int
wire_closed_stuck(void)
{
	int64_t begun;

	stall();
	begun = now - 5000;
	if (r.tunnel.end != TUNNEL_GOING)
		return 1;
	return relay(&r, CLOCK_NEVER) == RELAY_DONE && waits < 40 &&
	    now - begun >= 10000 && now - begun < 21000 ? 0 : 2;
}

/*
 * The websocket takes nothing, and does not end: all that it has brought is
 * passed on, and then it is not waited for.
 */
static int
wire_refuses(void)
{
	static char bytes[40 * PAGE];
	size_t n = 0;
	ssize_t k = -1;
	int i;

	begin(1);
	for (i = 0; i < 20; i++, n += PAGE)
		page();
	shutdown(far[1], SHUT_RD);
	if (write(far[0], "more", 4) != 4)
		return 1;
	for (i = 0; i < 1000 && k != 0; i++) {
		relay(&r, now + 1);
		while ((k = read(far[0], bytes, sizeof(bytes))) > 0)
			n -= k;
		if (k == -1 && errno == ECONNRESET)
			break;
	}
	return n == 0 && r.tunnel.end == TUNNEL_WIRE_LOST &&
	    now - BEGIN < 1000 ? 0 : 2;
}

/* The target was dialled for a long time; meanwhile the peer has sent Pings. */
static int
away(void)
{
	begin_session();
	r.tunnel.cfg.ping_interval = 1000;
	r.tunnel.cfg.ping_timeout = 2000;
	if (relay(&r, now + 1) != RELAY_TIME)
		return 1;
	frame(9, "ping", 4);
	now += 3000;
	relay_catch_up(&r);
	return relay(&r, now) == RELAY_TIME && r.tunnel.wire == WIRE_OPEN ?
	    0 : 2;
}

/* A stream that comes later: it is asked for, and given back untouched. */
static int
returned(void)
{
	struct io stream;

	begin(0);
	stream = relay_return(&r);
	if (r.stream.rfd != -1 || stream.rfd == -1 || !is_empty(far[0]))
		return 1;
	io_close(&stream);
	return is_ended(far[0]) ? 0 : 2;
}

/* Nothing is waited for longer than the tunnel's own times say. */
static int
pings(void)
{
	struct tunnel_config cfg = config(0);
	int s[2], w[2];

	cfg.ping_interval = 25000;
	cfg.ping_timeout = 50000;
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s);
	socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w);
	signals_single();
	relay_begin(&r, &cfg, io_of(s[0]), io_of(w[0]), NULL, 0);
	far[1] = w[1];
	relay(&r, BEGIN + 24999);
	if (!is_empty(w[1]))
		return 1;
	relay(&r, BEGIN + 25001);
	if (is_empty(w[1]) || longest > 25000)
		return 2;
	frame(10, "", 0);
	relay(&r, BEGIN + 25100);
	return relay(&r, CLOCK_NEVER) == RELAY_DONE && now - BEGIN > 70000 &&
	    now - BEGIN < 90000 ? 0 : 3;
}

/* A byte that is on its way through a pipe goes on without another one. */
static int
one_byte(void)
{
	begin(0);
	r.out.bulk = 1;
	if (!splice_ready(&r.out, r.websocket.wfd))
		return 0;		/* not on this system */
	if (write(far[0], "z", 1) != 1 ||
	    splice_from(&r.out, r.stream.rfd, 1) != 1)
		return 1;
	r.ready = 0;
	relay(&r, now + 50);
	return got(far[1], "\x82\x01z", 3) ? 0 : 2;
}

/* While the network has something it is looked at, less and less often. */
static int
looks(void)
{
	begin(0);
	r.tunnel.cfg.hold = 0;
	shutdown(far[0], SHUT_WR);
	all = 10;
	relay(&r, now + 1);
	if (is_empty(far[1]))
		return 1;		/* our Close */
	waits = 0;
	relay(&r, BEGIN + 5000);
	if (waits < 12 || waits > 18 || first_wait > 10 || longest > 640)
		return 2;
	taken = 5;			/* it is slow, but it goes on */
	relay(&r, BEGIN + 6000);
	relay(&r, BEGIN + 14000);
	if (r.tunnel.wire == WIRE_CLOSED)
		return 3;
	return relay(&r, CLOCK_NEVER) == RELAY_DONE && now > BEGIN + 15000 &&
	    now < BEGIN + 18000 ? 0 : 4;
}

/* --- what is recorded --- */

static void
test_record(void)
{
	static struct connection c;
	static struct options o = { .mode = MODE_SERVER };
	struct report_counts *n = &stats_mine->counts;

	stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	c.o = &o;
	strlcpy(c.peer, "192.0.2.1:5", sizeof(c.peer));
	strlcpy(c.via, "10.0.0.1", sizeof(c.via));
	strlcpy(c.user, "a\nb", sizeof(c.user));
	strlcpy(c.target, "h:22", sizeof(c.target));
	strlcpy(c.ours.id, "1-2", sizeof(c.ours.id));
	strlcpy(c.theirs.id, "3-4", sizeof(c.theirs.id));
	c.started = now - 7;
	record_open(&c);
	ok(strcmp(stats_mine->mode, "server") == 0 &&
	    strcmp(stats_mine->peer, c.peer) == 0 &&
	    strcmp(stats_mine->via, c.via) == 0 &&
	    strcmp(stats_mine->user, "a\\nb") == 0 &&
	    strcmp(stats_mine->target, c.target) == 0 &&
	    strcmp(stats_mine->id, "1-2") == 0 &&
	    strcmp(stats_mine->peer_id, "3-4") == 0, "who takes part");
	is((long long)n->handshake.sum, 7, "how long the handshake took");
	is((long long)n->handshake.bucket[report_bucket(report_handshake_ms,
	    7)], 1, "in its bucket");
	c.relay.tunnel.pongs = 1;
	c.relay.tunnel.rtt = 30;
	record_progress(&c.relay.tunnel);
	record_progress(&c.relay.tunnel);
	is((long long)n->rtt.sum, 30, "each ping once");
	is((long long)n->rtt.bucket[report_bucket(report_rtt_ms, 30)], 1,
	    "in its bucket");
	is(stats_mine->rtt, 30, "and the last one");
	c.lost_at = now - 500;
	record_lost(&c);
	is(stats_mine->lost_at, now - 500, "when it was lost");
	c.resumes = 3;
	record_resumed(&c);
	ok((long long)n->gaps == 500 && stats_mine->resumes == 3 &&
	    n->losses == 1 && n->resumes == 1, "a gap");
	record_gave_way();
	is((long long)n->gave_way, 1, "one that gave way");
	c.started = now - 2000;
	c.relay.tunnel.peer_code = 1001;
	c.relay.tunnel.end = TUNNEL_STOPPED;
	record_end(&c);
	ok(n->duration.sum == 2000 && n->code[CODE_1001] == 1 &&
	    n->ended[TUNNEL_STOPPED] == 1, "its end");
	stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	record_failed(EXIT_DENIED);
	stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	record_handed_over();
	stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	record_probe();
	ok(n->ended[RESULT_DENIED] == 1 && n->ended[RESULT_HANDED_OVER] == 1 &&
	    n->ended[RESULT_PROBE] == 1, "what was no tunnel");
	c.started = now + 5;
	stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	record_open(&c);
	is((long long)n->handshake.sum, 7, "no time is negative");
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);	/* whatever we were started under */
	signal(SIGHUP, SIG_DFL);
	alarm(scaled(60));
	if (memory_prepare() == -1)
		abort();
	is(run(forwards), 0, "bytes both ways, and the end");
	is(run(as_client), 0, "as a client");
	is(run(early), 0, "bytes that came with the handshake");
	is(run(times), 0, "it returns in time");
	is(run(watches), 0, "other descriptors");
	is(run(hint), 0, "USR2");
	is(run(terminated), 0, "TERM");
	is(run(terminated_twice), 0, "TERM and INT");
	is(run(hung_up), 0, "HUP");
	is(run(hung_up_late), 0, "HUP behind the end of the stream's reader");
	is(run(hung_up_over), 0, "HUP, and the peer is silent");
	is(run(gives_back), 0, "memory is given back");
	is(run(keeps), 0, "but none that is needed");
	is(run(stream_closed), 0, "the stream's other end is gone");
	is(run(wire_cut), 0, "the websocket is cut");
	is(run(wire_closed), 0, "the websocket is closed while we send");
	is(run(wire_refuses), 0, "it takes nothing, and does not end");
	is(run(wire_closed_stalled), 0, "so also while the stream takes nothing");
	is(run(wire_closed_stuck), 0, "but not for ever");
	is(run(away), 0, "what came meanwhile is looked at first");
	is(run(returned), 0, "a stream that is given back");
	is(run(pings), 0, "pings");
	is(run(one_byte), 0, "a single byte");
	is(run(looks), 0, "what the network has not taken");
	test_record();
	return done_testing();
}
