/* SPDX-License-Identifier: ISC */
/*
 * Acknowledgements and credit: when they are sent, how they grow, and that no
 * two windows make a stream wait for a timer.
 *
 * If it fails: a tunnel of a session stands still, or uses more memory than it
 * may.
 */
#include "tunnel/rig.h"

#define FIRST	262144
#define MAX	(1 << 20)

static uint8_t sample[MAX];

static void
begin(struct rig *r, int client)
{
	struct tunnel_config cfg = rig_config(client, 1, FIRST);

	cfg.win_max = MAX;
	cfg.out_size = 16 * MAX;
	cfg.in_size = MAX + TUNNEL_SLACK;
	rig_begin(r, cfg);
}

/* The next line is an ack with both numbers. */
static int
next_ack(struct rig *r, unsigned long long *n, unsigned long long *credit)
{
	struct sent_frame f;
	char line[126];

	if (rig_next(r, &f) != 1 || f.opcode != 1)
		return 0;
	memcpy(line, f.payload, f.len);
	line[f.len] = '\0';
	return sscanf(line, "ack %llu %llu", n, credit) == 2;
}

static void
test_limit(void)
{
	struct rig r;

	begin(&r, 0);
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, sample, FIRST);
	is(r.t.end, TUNNEL_GOING, "the first credit may be used");
	rig_frame(&r, 0x82, "x", 1);
	is(r.t.end, TUNNEL_PEER_FAULT, "and no more than that");
	rig_end(&r);
	begin(&r, 1);
	is(tunnel_window_in(&r.t), FIRST, "as it is told");
	is(tunnel_window_out(&r.t), FIRST, "of both directions");
	rig_stream(&r, "x", 1);
	rig_line(&r, "ack 1 300000");
	is(tunnel_window_out(&r.t), 300000, "the peer raises it");
	rig_line(&r, "ack 1 9223372036854775807");
	is(r.t.end, TUNNEL_PEER_FAULT, "not beyond what can be counted");
	rig_end(&r);
	begin(&r, 0);
	rig_stream(&r, "hello", 5);
	rig_line(&r, "ack 5");
	is(r.t.end, TUNNEL_PEER_FAULT, "no end is confirmed that was not sent");
	rig_end(&r);
	begin(&r, 0);
	rig_stream(&r, "hello", 5);
	ok(!tunnel_half_closed(&r.t), "both directions are open");
	rig_stream_eof(&r);
	ok(tunnel_half_closed(&r.t), "one is not");
	rig_line(&r, "ack 4");
	is(r.t.end, TUNNEL_PEER_FAULT, "nor with another count");
	rig_end(&r);
	begin(&r, 0);
	rig_line(&r, "eof 0");
	ok(tunnel_half_closed(&r.t), "nor is it when the peer's has ended");
	rig_end(&r);
}

/* It is raised while the stream takes what comes, and never falls. */
static void
test_raised(void)
{
	unsigned long long n, credit, limit = FIRST, last = 0;
	struct rig r;
	int i, good = 1;

	begin(&r, 0);
	for (i = 0; i < 100; i++) {
		rig_frame(&r, 0x82, sample, 65536);
		while (next_ack(&r, &n, &credit)) {
			good &= n + credit >= limit && credit <= MAX;
			limit = n + credit;
			last = credit;
		}
	}
	ok(good, "what is permitted never falls");
	is(last, MAX, "and grows to 1 MiB");
	rig_end(&r);

	begin(&r, 0);
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, sample, FIRST);
	good = 1;
	for (i = 0; i < 60; i++) {
		tunnel_stream_wrote(&r.t, 65536);
		rig_pump(&r);
		while (next_ack(&r, &n, &credit))
			good &= credit == FIRST;
		rig_frame(&r, 0x82, sample, 65536);
	}
	ok(good && r.t.end == TUNNEL_GOING,
	    "not while the stream is behind");
	rig_end(&r);
}

/*
 * Beyond 1 MiB only where a round trip is long, or the stream very quick.  Half
 * of a credit in less than two round trips, of which three have to be measured.
 */
static void
test_path(void)
{
	static const struct {
		const char *name;
		int rtt, period;	/* ms; ms for 1 MiB */
		unsigned long long credit;
		int pings;		/* at least */
	} paths[] = {
		{ "near", 1, 20, MAX, 1000 },
		{ "not known", -1, 6, MAX, 1 },
		{ "quick", -1, 5, 2 * MAX, 1 },
		{ "very quick", -1, 1, 4 * MAX, 1 },
		{ "near, and very quick", 1, 1, 4 * MAX, 100 },
		{ "far, and slow", 50, 1000, MAX, 1000 },
		{ "half in two round trips", 10, 40, MAX, 1000 },
		{ "half in less than two", 10, 39, 2 * MAX, 100 },
		{ "far, and fast", 50, 5, 16 * MAX, 3 },
	};
	unsigned long long n, credit, last;
	struct tunnel_config cfg = rig_config(0, 1, FIRST);
	struct sent_frame f;
	struct rig r;
	size_t i;
	int k, pings, twice;
	uint32_t seq;

	cfg.win_max = 16 * MAX;
	cfg.in_size = 16 * MAX + TUNNEL_SLACK;
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		rig_begin(&r, cfg);
		last = pings = twice = 0;
		seq = 0;
		for (k = 0; k < 32000; k++) {
			rig_at(&r, k * paths[i].period / 16);
			rig_frame(&r, 0x82, sample, 65536);
			while (rig_next(&r, &f) == 1)
				if (f.opcode == 9) {
					pings++;
					twice |= seq != r.t.pong_seq;
					memcpy(&seq, f.payload, 4);
				} else if (sscanf((const char *)f.payload,
				    "ack %llu %llu", &n, &credit) == 2)
					last = credit % 100000000;
			if (seq != r.t.pong_seq && paths[i].rtt >= 0) {
				rig_frame(&r, 0x8a, &seq, 4);
				r.t.rtt_least = paths[i].rtt;
			}
			r.nsent = r.seen = 0;
			memset(r.sent, 0, 256);
		}
		ok(pings >= paths[i].pings && !twice && r.t.in_credit == paths[i].credit &&
		    last > 0, "%s: %llu (%llu, %d pings, one at a time)",
		    paths[i].name, paths[i].credit,
		    (unsigned long long)r.t.in_credit, pings);
		rig_end(&r);
	}
}

/* Round trips are measured early, so that credit keeps up with TCP. */
static void
test_probes(void)
{
	struct tunnel_config cfg = rig_config(0, 1, FIRST);
	struct sent_frame f;
	struct rig r;
	int pings = 0;

	cfg.win_max = 16 * MAX;
	cfg.in_size = 16 * MAX + TUNNEL_SLACK;
	rig_begin(&r, cfg);
	rig_frame(&r, 0x82, sample, 65535);
	ok(rig_silent(&r), "less than a quarter of the credit: no Ping");
	rig_frame(&r, 0x82, "x", 1);
	while (rig_next(&r, &f) == 1)
		pings += f.opcode == 9;
	is(pings, 1, "a quarter: one");
	rig_frame(&r, 0x82, sample, 65536);
	while (rig_next(&r, &f) == 1)
		pings += f.opcode == 9;
	is(pings, 1, "no other before it is answered");
	is((int)r.t.in_credit, 2 * FIRST, "half of it is used: twice as much");
	rig_end(&r);
}

static void
test_when(void)
{
	struct rig r;
	int i;

	begin(&r, 0);
	rig_frame(&r, 0x82, sample, 16383);
	is(rig_deadline(&r), 1000, "a little waits a second");
	rig_frame(&r, 0x82, "x", 1);
	is(rig_deadline(&r), 200, "more waits 200 ms");
	rig_frame(&r, 0x82, sample, 49151);
	ok(rig_silent(&r), "less than a quarter waits");
	rig_frame(&r, 0x82, "x", 1);
	ok(rig_sent(&r, 1, "ack 65536 262144"), "a quarter does not wait");
	rig_end(&r);

	begin(&r, 0);
	r.t.cfg.win_max = r.t.in_limit = r.t.in_credit = 4 * MAX;
	for (i = 0; i < 4; i++) {
		ok(rig_silent(&r), "%d * 64 KiB of 4 MiB", i);
		rig_frame(&r, 0x82, sample, 65536);
	}
	ok(rig_sent(&r, 1, "ack 262144 4194304"), "never more than 256 KiB");
	rig_end(&r);

	begin(&r, 1);
	rig_frame(&r, 0x82, "hello", 5);
	ok(rig_silent(&r), "a few bytes");
	rig_stream(&r, "echo", 4);
	ok(rig_sent(&r, 1, "ack 5 262144") && rig_sent(&r, 2, "echo") &&
	    rig_silent(&r), "are acknowledged with data");
	is(rig_deadline(&r), -1, "and not once more");
	rig_end(&r);
}

/* What waits for acknowledgement, as far as the stream may be read. */
static size_t
outstanding(struct rig *r)
{
	while (rig_stream(r, sample, 65536) > 0)
		;
	return r->t.out_sent - r->t.out_kept;
}

static void
acknowledge(struct rig *r)
{
	char line[64];

	snprintf(line, sizeof(line), "ack %llu 16777216",
	    (unsigned long long)r->t.out_sent);
	rig_line(r, line);
}

static void
test_ring(void)
{
	struct rig r;
	size_t i, n;

	begin(&r, 1);
	rig_line(&r, "ack 0 16777216");
	n = outstanding(&r);
	ok(n > 2 * MAX && n <= 4 * MAX,
	    "it grows to 4 MiB where acks are soon");
	rig_at(&r, 5);
	acknowledge(&r);
	ok(outstanding(&r) <= 4 * MAX, "and no further");
	rig_at(&r, 105);
	acknowledge(&r);
	n = outstanding(&r);
	ok(n > 8 * MAX && n <= 16 * MAX, "where they take long it does");
	rig_end(&r);

	begin(&r, 1);
	is(outstanding(&r), FIRST, "never beyond the credit");
	rig_end(&r);

	/* What is kept stays what it was. */
	begin(&r, 0);
	rig_line(&r, "ack 0 16777216");
	r.t.out_cap = 1000;
	for (i = 0; i < 20000; i++)
		sample[i] = i * 7 >> 3;
	rig_stream(&r, sample, 700);
	rig_line(&r, "ack 600 16777216");
	rig_stream(&r, sample + 700, 19300);
	ok(r.t.out_cap > 1000 && r.t.out_head == 20000, "(it grew)");
	rig_wire_eof(&r);
	r.nsent = r.seen = 0;
	tunnel_resume(&r.t, 600);
	rig_pump(&r);
	{
		struct sent_frame f;

		ok(rig_next(&r, &f) == 1 && f.len == 19400 &&
		    memcmp(f.payload, sample + 600, f.len) == 0,
		    "a ring that has grown holds the same");
	}
	rig_end(&r);
}

/* One side of two that are joined without delay. */
static struct tunnel side[2];
static uint64_t read_bytes, got_bytes;

static void
open_side(int i, uint32_t window, uint32_t peer_window)
{
	struct tunnel_config cfg = rig_config(i == 0, 1, 65536);

	cfg.win = window < FIRST ? window : FIRST;
	cfg.peer_win = peer_window < FIRST ? peer_window : FIRST;
	cfg.win_max = window;
	cfg.out_size = window < TUNNEL_KEEP_MIN ? TUNNEL_KEEP_MIN : window;
	cfg.in_size = window + TUNNEL_SLACK;
	cfg.out = malloc(cfg.out_size);
	cfg.in = malloc(cfg.in_size);
	cfg.mask_buffer = malloc(TUNNEL_MASK_BUFFER);
	tunnel_begin(&side[i], &cfg, RIG_START);
}

/* All that this side wants to write goes to the other at once. */
static int
step(int i, uint64_t total)
{
	struct tunnel *t = &side[i], *o = &side[!i];
	struct iovec iov[TUNNEL_RUNS], in;
	unsigned int w = tunnel_wants(t);
	size_t n;
	int k;

	if (w & TUNNEL_WRITE_WIRE) {
		k = tunnel_wire_data(t, iov);
		tunnel_wire_space(o, &in);
		n = k == 0 ? 0 : iov[0].iov_len < in.iov_len ?
		    iov[0].iov_len : in.iov_len;
		memcpy(in.iov_base, iov[0].iov_base, n);
		tunnel_wire_read(o, n);
		tunnel_wire_wrote(t, n);
		return 1;
	}
	if (w & TUNNEL_WRITE_STREAM) {
		k = tunnel_stream_data(t, iov);
		for (n = 0; k-- > 0;)
			n += iov[k].iov_len;
		got_bytes += n;
		tunnel_stream_wrote(t, n);
		return 1;
	}
	if (i == 0 && (w & TUNNEL_READ_STREAM) && read_bytes < total) {
		k = tunnel_stream_space(t, iov);
		n = iov[0].iov_len;
		if (n > 40000)
			n = 40000;
		if (n > total - read_bytes)
			n = total - read_bytes;
		memset(iov[0].iov_base, 'x', n);
		read_bytes += n;
		tunnel_stream_read(t, n);
		return k > 0;
	}
	return 0;
}

static void
test_windows(void)
{
	static const uint32_t windows[] = {
		65536, 262144, 1048576, 16777216
	};
	const uint64_t total = 8 << 20;
	int a, b, i;

	for (a = 0; a < 4; a++)
		for (b = 0; b < 4; b++) {
		read_bytes = got_bytes = 0;
		open_side(0, windows[a], windows[b]);
		open_side(1, windows[b], windows[a]);
		while (step(0, total) || step(1, total))
			;
		ok(got_bytes > total - 65536, "windows %u and %u: nothing "
		    "waits for a timer", windows[a], windows[b]);
		for (i = 0; i < 2; i++) {
			free(side[i].cfg.out);
			free(side[i].cfg.in);
			free(side[i].cfg.mask_buffer);
		}
	}
}

/*
 * A ring of 1000 bytes that may have 1500: its size when so many bytes have
 * been sent, and an acknowledgement of all but some comes twice.
 */
static int
grows_at(int first, int acknowledged, int more)
{
	struct tunnel_config cfg = rig_config(0, 1, FIRST);
	char line[64];
	struct rig r;
	int cap;

	cfg.out_size = 1500;
	rig_begin(&r, cfg);
	r.t.out_cap = 1000;
	rig_stream(&r, sample, (size_t)first);
	snprintf(line, sizeof(line), "ack %d 1000000", acknowledged);
	rig_line(&r, line);
	rig_stream(&r, sample, (size_t)more);
	rig_line(&r, line);
	cap = (int)r.t.out_cap;
	rig_end(&r);
	return cap;
}

static void
test_wraps(void)
{
	struct rig r;

	is(grows_at(600, 600, 900), 1500, "what lies in one piece: it grows");
	is(grows_at(200, 100, 800), 1500, "to its end");
	is(grows_at(300, 200, 800), 1000, "what wraps could not be moved");
	is(grows_at(600, 600, 700), 1000, "with a quarter free it need not");

	/* Past the ring goes what 4 MiB of it could hold; a pipe has less. */
	begin(&r, 0);
	rig_line(&r, "ack 0 16777216");
	r.t.out_cap = 16 * MAX;
	is((int)tunnel_bypass_out(&r.t), 4 * MAX, "4 MiB");
	tunnel_stream_bypass(&r.t, 300000);
	is((int)tunnel_bypass_out(&r.t), 4 * MAX - 300000,
	    "and what is left of them");
	rig_end(&r);
}

/* The time of an acknowledgement, from the first byte on. */
static void
test_delay(void)
{
	struct rig r;

	begin(&r, 0);
	rig_stream(&r, "x", 1);
	rig_at(&r, 37);
	rig_line(&r, "ack 1 262144");
	is(r.t.ack_delay, 37, "of the first byte");
	rig_stream(&r, "yy", 2);
	rig_at(&r, 50);
	rig_stream(&r, "z", 1);
	rig_line(&r, "ack 2 262144");
	is(r.t.ack_delay, 37, "not yet of the next");
	rig_at(&r, 60);
	rig_line(&r, "ack 4 262144");
	is(r.t.ack_delay, 23, "but when all of its frame is");
	rig_end(&r);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(sample); i++)
		sample[i] = i * 31 >> 3;
	test_limit();
	test_raised();
	test_path();
	test_probes();
	test_when();
	test_ring();
	test_windows();
	test_wraps();
	test_delay();
	return done_testing();
}
