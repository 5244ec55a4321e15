/* SPDX-License-Identifier: ISC */
/*
 * Payload: large frames in constant memory, masks, the ring, and what goes
 * first when several things are to be sent.
 *
 * If it fails: bytes are wrong, lost or in another order.
 */
#include "tunnel/rig.h"

static uint8_t
pattern(uint64_t at)
{
	return at * 2654435761u >> 11;
}

static size_t
header(uint8_t *p, int client, uint64_t length)
{
	size_t n = 0, i;

	p[n++] = 0x82;
	p[n++] = 127 | (client ? 0 : 0x80);
	for (i = 8; i-- > 0;)
		p[n++] = length >> (8 * i);
	for (i = 0; !client && i < 4; i++)
		p[n++] = 0x11 * (i + 1);
	return n;
}

/* A frame of 2^62 bytes: the buffers are what they are (ASan looks on). */
static int
streams_huge(int client, size_t chunk)
{
	static uint8_t buf[300000];
	struct rig r;
	uint64_t at = 0, i;
	int good = 1;

	rig_begin(&r, rig_config(client, 0, 0));
	rig_feed(&r, buf, header(buf, client, 1ULL << 62));
	while (at < (chunk < 100 ? 1 << 19 : 8 << 20)) {
		for (i = 0; i < chunk; i++)
			buf[i] = pattern(at + i) ^
			    (client ? 0 : 0x11 * ((at + i) % 4 + 1));
		good &= rig_feed(&r, buf, chunk) == chunk;
		rig_pump(&r);
		good &= r.ngot == chunk;
		for (i = 0; i < r.ngot; i++)
			good &= r.got[i] == pattern(at + i);
		r.ngot = 0;
		at += chunk;
	}
	good &= tunnel_taken(&r.t) == at && r.t.end == TUNNEL_GOING;
	rig_end(&r);
	return good;
}

/* A stream that takes nothing stops the wire, and loses nothing. */
static int
holds_back(int client, size_t frame)
{
	static uint8_t buf[70000], made[70014];
	struct rig r;
	uint64_t at = 0, i;
	size_t n;
	int good = 1;

	rig_begin(&r, rig_config(client, 0, 0));
	r.stream_stuck = 1;
	while (rig_wants(&r, TUNNEL_READ_WIRE) && at < 4 << 20) {
		for (i = 0; i < frame; i++)
			buf[i] = pattern(at + i);
		n = rig_make(made, !client, 0x82, buf, frame);
		i = rig_feed(&r, made, n);
		at += frame;
		if (i < n)
			break;		/* the rest stays unread */
		rig_pump(&r);
	}
	good &= at < 4 << 20 && !rig_wants(&r, TUNNEL_READ_WIRE);
	r.stream_stuck = 0;
	r.morsel = 7777;
	rig_pump(&r);
	good &= r.ngot == tunnel_taken(&r.t) && r.ngot > 100000;
	for (i = 0; i < r.ngot; i++)
		good &= r.got[i] == pattern(i);
	good &= rig_wants(&r, TUNNEL_READ_WIRE) != 0;
	rig_end(&r);
	return good;
}

static void
test_in(void)
{
	ok(streams_huge(0, 10007), "server: 2^62 bytes in constant memory");
	ok(streams_huge(1, 10007), "client: 2^62 bytes in constant memory");
	ok(streams_huge(0, 262144), "server: as much as the buffer at once");
	ok(streams_huge(1, 3), "client: three bytes at a time");
	ok(holds_back(0, 70000), "server: a stuck stream stops the wire");
	ok(holds_back(1, 70000), "client: a stuck stream stops the wire");
	ok(holds_back(0, 40), "server: ... with small frames");
	ok(holds_back(1, 5000), "client: ... with middling frames");
}

/*
 * A stream that always has so much to take yet: the buffer never becomes
 * empty, and what is in it is moved down, large payloads as several pieces.
 */
static int
lags(uint32_t win, size_t behind)
{
	static uint8_t buf[5000], made[5014];
	struct iovec iov[TUNNEL_RUNS];
	struct rig r;
	uint64_t at = 0, seen = 0;
	size_t i, n;
	int good = 1;

	rig_begin(&r, rig_config(1, win > 0, win));
	r.stream_stuck = 1;
	while (good && at < 2 << 20) {
		for (i = 0; i < sizeof(buf); i++)
			buf[i] = pattern(at + i);
		n = rig_make(made, 0, 0x82, buf, sizeof(buf));
		good &= rig_feed(&r, made, n) == n;
		at += sizeof(buf);
		r.morsel = at - seen > behind ? at - seen - behind : 1;
		tunnel_stream_wrote(&r.t, rig_collect(&r, r.got, &r.ngot, iov,
		    tunnel_stream_data(&r.t, iov)));
		r.morsel = 0;
		for (i = 0; i < r.ngot; i++)
			good &= r.got[i] == pattern(seen + i);
		seen += r.ngot;
		r.ngot = 0;
		rig_at(&r, at / 1000);
		r.seen = r.nsent = 0;
	}
	good &= r.t.end == TUNNEL_GOING;
	rig_end(&r);
	return good;
}

/* Large payloads are written from where they were read, small ones joined. */
static void
test_runs(void)
{
	static uint8_t payload[4097];
	struct iovec iov[TUNNEL_RUNS];
	struct rig r;
	int i, good = 1;

	rig_begin(&r, rig_config(1, 0, 0));
	r.stream_stuck = 1;
	for (i = 1; i <= TUNNEL_RUNS; i++) {
		rig_frame(&r, 0x82, payload, 4097);
		good &= tunnel_stream_data(&r.t, iov) == i;
	}
	ok(good, "large payloads are not copied");
	rig_frame(&r, 0x82, payload, 4097);
	is(tunnel_stream_data(&r.t, iov), TUNNEL_RUNS,
	    "as many as the list holds");
	is(iov[TUNNEL_RUNS - 1].iov_len, 2 * 4097, "what follows is joined");
	rig_end(&r);

	rig_begin(&r, rig_config(1, 0, 0));
	r.stream_stuck = 1;
	rig_frame(&r, 0x82, payload, 4097);
	rig_frame(&r, 0x82, payload, 4096);
	is(tunnel_stream_data(&r.t, iov), 1, "as are small ones");
	is(iov[0].iov_len, 4097 + 4096, "to what came before");
	rig_end(&r);
}

/* What was sent, frame by frame; keys never come twice. */
struct tally {
	uint64_t bytes, frames, largest;
	uint8_t key[4];
	int wrong;
};

static void
tally(struct rig *r, struct tally *y)
{
	struct sent_frame h;
	char line[40];
	size_t i;
	int more;

	while ((more = rig_next(r, &h)) == 1) {
		if (h.masked != r->t.cfg.client ||
		    (h.masked && memcmp(h.key, y->key, 4) == 0))
			y->wrong = 1;
		memcpy(y->key, h.key, 4);
		if (h.opcode != 2)
			continue;
		if (h.len == 0 || !h.fin)
			y->wrong = 1;
		for (i = 0; i < h.len; i++)
			y->wrong |= h.payload[i] != pattern(y->bytes + i);
		y->bytes += h.len;
		y->frames++;
		if (h.len > y->largest)
			y->largest = h.len;
	}
	y->wrong |= more == -1;
	if (r->seen == r->nsent)
		r->seen = r->nsent = 0;
	if (r->t.cfg.session && r->seen == 0) {
		snprintf(line, sizeof(line), "ack %llu 16777216",
		    (unsigned long long)y->bytes);
		rig_line(r, line);
	}
}

/* One write to the wire, of a part of what there is. */
static void
write_some(struct rig *r, size_t most)
{
	struct iovec iov[3];
	int k;

	if (!rig_wants(r, TUNNEL_WRITE_WIRE))
		return;
	k = tunnel_wire_data(&r->t, iov);
	r->morsel = most;
	tunnel_wire_wrote(&r->t, rig_collect(r, r->sent, &r->nsent, iov, k));
	r->morsel = 0;
}

/*
 * Through a ring of this size, read and written in such pieces.  The wire
 * lags behind, so that the ring is never empty and wraps everywhere.
 */
static struct tally
goes_out(int client, int ext, uint32_t win, size_t ring, size_t piece,
    size_t morsel)
{
	static uint8_t buf[500000];
	struct tunnel_config cfg = rig_config(client, ext, win);
	struct tally y = { .wrong = 0 };
	struct rig r;
	uint64_t at = 0, i;
	size_t n;

	if (ring > 0)
		cfg.out_size = ring;
	rig_begin(&r, cfg);
	r.wire_stuck = 1;
	while (at < 40 * ring + 2 * win && !y.wrong) {
		n = 1 + (piece + at * 7) % piece;
		for (i = 0; i < n; i++)
			buf[i] = pattern(at + i);
		at += rig_stream(&r, buf, n);
		write_some(&r, morsel + at % 3);
		tally(&r, &y);
	}
	for (n = 0; n < 5000000 && rig_wants(&r, TUNNEL_WRITE_WIRE); n++) {
		write_some(&r, morsel + n % 5);
		tally(&r, &y);
	}
	if (y.bytes != at || rig_wants(&r, TUNNEL_WRITE_WIRE))
		y.wrong = 1;
	rig_end(&r);
	return y;
}

static void
test_out(void)
{
	static const struct {
		const char *name;
		int client, ext;
		uint32_t win;
		size_t ring, piece, morsel;
	} runs[] = {
		{ "client, small ring", 1, 0, 0, 1001, 333, 200 },
		{ "client, small ring, a byte at a time", 1, 0, 0, 509, 97, 1 },
		{ "client, small ring, morsels", 1, 0, 0, 4095, 4096, 100 },
		{ "client, large ring", 1, 0, 0, 300003, 300000, 60000 },
		{ "client, inetws", 1, 1, 0, 300001, 250000, 99999 },
		{ "client with a session", 1, 1, 65537, 0, 10000, 9000 },
		{ "client with a session, morsels", 1, 1, 3001, 0, 999, 77 },
		{ "client with a session, frames beyond the mask buffer",
		    1, 1, 450003, 0, 450000, 500000 },
		{ "... and morsels", 1, 1, 450001, 0, 450000, 50001 },
		{ "server, small ring", 0, 0, 0, 1001, 333, 200 },
		{ "server, small ring, morsels", 0, 0, 0, 4095, 4096, 100 },
		{ "server, large ring", 0, 0, 0, 300003, 300000, 60000 },
		{ "server, inetws", 0, 1, 0, 300001, 250000, 99999 },
		{ "server with a session", 0, 1, 65537, 0, 10000, 777 },
	};
	struct tally y;
	size_t i;

	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		y = goes_out(runs[i].client, runs[i].ext, runs[i].win,
		    runs[i].ring, runs[i].piece, runs[i].morsel);
		ok(!y.wrong && y.frames > 1, "out: %s", runs[i].name);
		if (!runs[i].ext)
			ok(y.largest <= 65535, "... no frame beyond 65535");
		else if (runs[i].piece > 200000)
			ok(y.largest > 65535, "... in large frames");
	}
}

/* Every frame takes four bytes of its own from the source of masks. */
static void
test_masks(void)
{
	struct rig r;
	struct sent_frame h;
	uint32_t keys[1000], k, draws = rig_draws;
	unsigned int n = 0, i, twice = 0, made_up = 0;

	rig_begin(&r, rig_config(1, 0, 0));
	while (n < 1000) {
		rig_stream(&r, "same", 4);
		rig_frame(&r, 0x89, "same", 4);
		while (n < 1000 && rig_next(&r, &h) == 1) {
			k = h.key[0] | h.key[1] << 8 | h.key[2] << 16 |
			    (uint32_t)h.key[3] << 24;
			for (i = 0; i < n; i++)
				twice += keys[i] == k;
			keys[n++] = k;
			/* a multiple of the step, drawn since */
			for (i = 1; i < 2000; i++)
				if (k == draws + i * 0x01000193u)
					break;
			made_up += i == 2000;
		}
	}
	is(twice, 0, "no mask is used twice");
	is(made_up, 0, "every mask is as it was drawn");
	rig_end(&r);
}

/* What is in the middle of a frame is finished first. */
static void
test_order(void)
{
	struct rig r;
	int client;

	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, 0, 0));
		r.wire_stuck = 1;
		rig_stream(&r, "hello", 5);
		rig_frame(&r, 0x89, "1", 1);
		rig_frame(&r, 0x89, "2", 1);
		r.wire_stuck = 0;
		rig_pump(&r);
		ok(rig_sent(&r, 10, "2") && rig_sent(&r, 2, "hello"),
		    "a pong goes before data that has not begun");
		ok(rig_silent(&r), "only the last ping is answered");

		r.wire_stuck = 1;
		rig_stream(&r, "hello", 5);
		{
			struct iovec iov[3];

			tunnel_wire_data(&r.t, iov);
			memcpy(r.sent + r.nsent, iov[0].iov_base, 1);
			r.nsent++;
			tunnel_wire_wrote(&r.t, 1);
		}
		rig_frame(&r, 0x89, "3", 1);
		if (client)
			rig_stream(&r, "more", 4);
		else
			ok(!(tunnel_wants(&r.t) & TUNNEL_READ_STREAM),
			    "to a plain peer all is written before more is read");
		r.wire_stuck = 0;
		rig_pump(&r);
		if (!client)
			rig_stream(&r, "more", 4);
		ok(rig_sent(&r, 2, "hello") && rig_sent(&r, 10, "3") &&
		    rig_sent(&r, 2, "more"), "... and not into a frame");
		rig_end(&r);
	}
}

/*
 * A plain peer's Close in the middle of our frame: that one is finished as it
 * began, whatever the stream sends meanwhile; nothing new is begun.
 */
static void
test_close_inside(void)
{
	static uint8_t buf[60000], more[60000];
	struct tally y;
	struct rig r;
	struct iovec iov[3];
	size_t i;
	int client, k;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = pattern(i);
	memset(more, '!', sizeof(more));
	for (client = 0; client < 2; client++) {
		rig_begin(&r, rig_config(client, 0, 0));
		memset(&y, 0, sizeof(y));
		r.wire_stuck = 1;
		rig_stream(&r, buf, 30000);
		k = tunnel_wire_data(&r.t, iov);
		r.morsel = 100;
		tunnel_wire_wrote(&r.t, rig_collect(&r, r.sent, &r.nsent, iov,
		    k));
		r.morsel = 0;
		rig_stream(&r, buf + 30000, 10000);
		rig_close(&r, 1000);
		ok(rig_stream(&r, more, 60000) == 60000,
		    "what the stream sends behind Close is taken");
		r.wire_stuck = 0;
		rig_pump(&r);
		if (client)
			rig_wire_eof(&r);
		ok(r.finished, "then the frame and Close are out");
		tally(&r, &y);
		ok(!y.wrong && y.bytes == 30000 && y.frames == 1,
		    "%s: the frame is whole, and the last one",
		    client ? "client" : "server");
		rig_stream_eof(&r);
		if (!client)
			rig_wire_eof(&r);
		ok(r.done && r.t.end == TUNNEL_ENDED, "and it ends well");
		rig_end(&r);
	}
}

/* Bytes that bypass the buffers count as if they were in them. */
static void
test_bypass(void)
{
	struct iovec iov[3];
	struct rig r;
	size_t all, head, part = TUNNEL_FRAME_MAX;
	struct tunnel_config cfg = rig_config(0, 1, 0);

	cfg.out_size = 3 * part;
	rig_begin(&r, cfg);
	all = tunnel_bypass_out(&r.t);
	is(all, 3 * part, "no more bypasses than there would be room for");
	tunnel_stream_bypass(&r.t, all);
	ok(!rig_wants(&r, TUNNEL_READ_STREAM), "then nothing more is read");
	is(tunnel_stream_space(&r.t, iov), 0, "for there is no room");
	while (tunnel_bypass_unsent(&r.t) > 0) {
		is(tunnel_wire_data(&r.t, iov), 1, "the header is the machine's");
		head = iov[0].iov_len;
		is(head, 10, "and of one frame");
		tunnel_wire_wrote(&r.t, head);
		is(tunnel_wire_data(&r.t, iov), 0, "the rest is not");
		is(r.t.payload_left, part, "of 128 KiB");
		ok(tunnel_wire_more(&r.t) == (tunnel_bypass_unsent(&r.t) >
		    part), "it is known whether another follows");
		tunnel_wire_wrote(&r.t, part - 1);
		ok(!rig_wants(&r, TUNNEL_READ_STREAM), "a byte is left");
		tunnel_wire_wrote(&r.t, 1);
	}
	ok(rig_wants(&r, TUNNEL_READ_STREAM), "all is out");
	is(tunnel_bypass_out(&r.t), all, "and as much may come again");

	tunnel_stream_space(&r.t, iov);
	tunnel_stream_read(&r.t, 1000);
	ok(!rig_wants(&r, TUNNEL_READ_STREAM),
	    "what was read is written first, so that bytes may bypass it");
	rig_pump(&r);
	ok(rig_wants(&r, TUNNEL_READ_STREAM), "then more may come");
	is(tunnel_bypass_out(&r.t), all, "bypassing the buffers again");
	rig_end(&r);
}

/* What is masked needs no more room than it was told. */
static void
test_mask_room(void)
{
	static uint8_t bytes[TUNNEL_MASK_BUFFER + 100], room[sizeof(bytes)];
	struct tunnel_config cfg = rig_config(1, 1, 1 << 18);
	struct rig r;
	size_t i;
	int good = 1;

	rig_begin(&r, cfg);
	free(r.t.cfg.mask_buffer);
	r.t.cfg.mask_buffer = room;
	memset(room, '#', sizeof(room));
	r.wire_stuck = 1;
	rig_stream(&r, bytes, sizeof(bytes));
	r.wire_stuck = 0;
	rig_pump(&r);
	for (i = TUNNEL_MASK_BUFFER; i < sizeof(room); i++)
		good &= room[i] == '#';
	ok(good && r.nsent > sizeof(bytes),
	    "a frame that is larger than the buffer for it");
	r.t.cfg.mask_buffer = NULL;
	rig_end(&r);
}

int
main(void)
{
	test_mask_room();
	test_in();
	test_runs();
	ok(lags(0, 1000), "a stream that is always behind");
	ok(lags(100000, 12000), "... with a session");
	test_out();
	test_masks();
	test_order();
	test_close_inside();
	test_bypass();
	return done_testing();
}
