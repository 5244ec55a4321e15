/* SPDX-License-Identifier: ISC */
/*
 * The rules of RFC 6455 as a tunnel obeys them.  Every vector is sent to a
 * server (masked) and to a client (unmasked): at once, byte by byte, and in
 * two pieces split at every place, with the stream and the wire taking what
 * they are given in between or only in the end.  The outcome is the same.
 *
 * If it fails: a peer that breaks the rules goes on, or one that keeps them is
 * refused.
 */
#include <stdlib.h>

#include "tunnel/rig.h"

/* How a piece of a vector becomes bytes. */
enum how {
	AS_IS,		/* a correct frame */
	LEN16, LEN64,	/* length in more bytes than it needs */
	TOP_BIT,	/* 64-bit length of 2^63 + n */
	LONGER,		/* claims 2^40 bytes, and begins with these */
	FLIPPED,	/* masked by a server, or unmasked by a client */
	PAD126		/* payload filled up to 126 bytes */
};

struct piece {
	int first;	/* byte of the header */
	const char *text;
	size_t len;
	enum how how;
};

#define F(first, text)		{ first, text, sizeof(text) - 1, AS_IS }
#define G(first, text, how)	{ first, text, sizeof(text) - 1, how }

enum who { ANY, PLAIN, PLAIN_CLIENT, PLAIN_SERVER, INETWS };	/* to */

static const struct vector {
	const char *name;
	struct piece p[7];
	const char *payload;	/* what the stream gets */
	unsigned int code;	/* of our Close, 1005: without one, 0: none */
	enum tunnel_end end;
	const char *pong;	/* the last one */
	enum who who;
} vectors[] = {
	{ "nothing", { { 0, NULL, 0, AS_IS } }, "", 0, TUNNEL_GOING, NULL, ANY },
	{ "a binary message", { F(0x82, "hello") },
	    "hello", 0, TUNNEL_GOING, NULL, ANY },
	{ "two messages", { F(0x82, "hel"), F(0x82, "lo") },
	    "hello", 0, TUNNEL_GOING, NULL, ANY },
	{ "a zero-length message is nothing", { F(0x82, "") },
	    "", 0, TUNNEL_GOING, NULL, ANY },
	{ "zero-length messages among others",
	    { F(0x82, "a"), F(0x82, ""), F(0x82, ""), F(0x82, "b") },
	    "ab", 0, TUNNEL_GOING, NULL, ANY },
	{ "three fragments",
	    { F(0x02, "he"), F(0x00, "ll"), F(0x80, "o") },
	    "hello", 0, TUNNEL_GOING, NULL, ANY },
	{ "empty fragments",
	    { F(0x02, ""), F(0x00, ""), F(0x00, "x"), F(0x80, ""),
	      F(0x82, "y") }, "xy", 0, TUNNEL_GOING, NULL, ANY },
	{ "126 bytes", { G(0x82, "abc", PAD126) }, "abc", 0,
	    TUNNEL_GOING, NULL, ANY },
	{ "the beginning of a terabyte", { G(0x82, "abc", LONGER) },
	    "abc", 0, TUNNEL_GOING, NULL, ANY },

	/* 5.5.2, 5.5.3 */
	{ "a ping is answered", { F(0x89, "you?") },
	    "", 0, TUNNEL_GOING, "you?", ANY },
	{ "an empty ping", { F(0x89, "") }, "", 0, TUNNEL_GOING, "",
	    ANY },
	{ "of many pings the last one counts",
	    { F(0x89, "1"), F(0x89, "22"), F(0x82, "x"), F(0x89, "333") },
	    "x", 0, TUNNEL_GOING, "333", ANY },
	{ "a ping inside a fragmented message",
	    { F(0x02, "he"), F(0x89, "?"), F(0x00, "l"), F(0x8a, "!"),
	      F(0x80, "lo") }, "hello", 0, TUNNEL_GOING, "?", ANY },
	{ "an unasked pong is ignored",
	    { F(0x8a, "surprise"), F(0x82, "x"), F(0x8a, "") },
	    "x", 0, TUNNEL_GOING, NULL, ANY },
	{ "a ping before Close is answered",
	    { F(0x89, "?"), F(0x88, "\x03\xe8") },
	    "", 1000, TUNNEL_ENDED, "?", PLAIN },

	/* 5.2 */
	{ "RSV1", { F(0x82, "a"), F(0xc2, "b") }, "a", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },
	{ "RSV2", { F(0xa2, "b") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "RSV3 of a ping", { F(0x99, "b") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "opcode 3", { F(0x83, "b") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "opcode 7", { F(0x87, "") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "opcode 11", { F(0x8b, "") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "opcode 15", { F(0x8f, "") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "5 bytes, length in 16 bits", { G(0x82, "hello", LEN16) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "no bytes, length in 64 bits", { G(0x82, "", LEN64) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "length over 63 bits", { G(0x82, "hello", TOP_BIT) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "masked by the wrong side", { G(0x82, "hello", FLIPPED) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a ping masked by the wrong side", { G(0x89, "", FLIPPED) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a later frame masked by the wrong side",
	    { F(0x82, "a"), G(0x82, "b", FLIPPED), F(0x82, "c") },
	    "a", 1002, TUNNEL_PEER_FAULT, NULL, ANY },

	/* 5.4, 5.5 */
	{ "a ping of 126 bytes", { G(0x89, "x", PAD126) },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a ping with a long form of a short length",
	    { G(0x89, "x", LEN16) }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },
	{ "a ping in fragments", { F(0x09, "?") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },
	{ "Close in fragments", { F(0x08, "\x03\xe8") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a continuation of nothing", { F(0x80, "x") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a continuation behind a whole message",
	    { F(0x82, "a"), F(0x00, "b") }, "a", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "a message inside a message",
	    { F(0x02, "a"), F(0x82, "b") }, "a", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "text inside a message",
	    { F(0x02, "a"), F(0x81, "ack 0") }, "a", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },

	/* text is data of plain peers: 5.6, 8.1 */
	{ "text", { F(0x81, "caf\xc3\xa9") }, "caf\xc3\xa9", 0,
	    TUNNEL_GOING, NULL, PLAIN },
	{ "a character in two frames",
	    { F(0x01, "caf\xc3"), F(0x89, "?"), F(0x80, "\xa9!") },
	    "caf\xc3\xa9!", 0, TUNNEL_GOING, "?", PLAIN },
	{ "a character in four frames, some empty",
	    { F(0x01, "\xf0"), F(0x00, "\x9f"), F(0x00, ""),
	      F(0x00, "\x98"), F(0x80, "\x80") },
	    "\xf0\x9f\x98\x80", 0, TUNNEL_GOING, NULL, PLAIN },
	{ "an empty text", { F(0x81, ""), F(0x81, "x") }, "x", 0,
	    TUNNEL_GOING, NULL, PLAIN },
	{ "a text message that ends inside a character",
	    { F(0x81, "caf\xc3") }, "caf\xc3", 1007, TUNNEL_PEER_FAULT, NULL,
	    PLAIN },
	{ "an empty last fragment ends inside a character",
	    { F(0x01, "\xc3"), F(0x80, "") }, "\xc3", 1007,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "two texts do not share a character",
	    { F(0x81, "a\xc3"), F(0x81, "\xa9") }, "a\xc3", 1007,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "a surrogate across frames",
	    { F(0x01, "\xed"), F(0x80, "\xa0\x80") }, "\xed", 1007,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "an overlong form", { F(0x81, "\xc0\xaf") }, "", 1007,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "bad text at the beginning of a terabyte",
	    { G(0x81, "ab\xff", LONGER) }, "ab", 1007,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "binary need not be UTF-8",
	    { F(0x02, "\xff\xfe"), F(0x80, "\xc3"), F(0x81, "x") },
	    "\xff\xfe\xc3x", 0, TUNNEL_GOING, NULL, PLAIN },

	/* 5.5.1, 7.4 */
	{ "Close without a code", { F(0x82, "x"), F(0x88, "") }, "x", 1005,
	    TUNNEL_ENDED, NULL, PLAIN },
	{ "Close 1000", { F(0x82, "x"), F(0x88, "\x03\xe8") }, "x", 1000,
	    TUNNEL_ENDED, NULL, PLAIN },
	{ "Close 1001 of a client, with a reason",
	    { F(0x82, "x"), F(0x88, "\x03\xe9" "caf\xc3\xa9") }, "x", 1001,
	    TUNNEL_ENDED, NULL, PLAIN_CLIENT },
	{ "Close 1001 of a server",
	    { F(0x82, "x"), F(0x88, "\x03\xe9" "bye") }, "x", 1001,
	    TUNNEL_PEER_CLOSED, NULL, PLAIN_SERVER },
	{ "Close inside a fragmented message",
	    { F(0x02, "x"), F(0x88, "\x03\xe8") }, "x", 1002,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "Close 1001 of a client inside a fragmented message",
	    { F(0x02, "x"), F(0x88, "\x03\xe9") }, "x", 1002,
	    TUNNEL_PEER_FAULT, NULL, PLAIN_CLIENT },
	{ "Close without a code inside a character",
	    { F(0x01, "\xc3"), F(0x88, "") }, "\xc3", 1002,
	    TUNNEL_PEER_FAULT, NULL, PLAIN },
	{ "Close 1011 inside a fragmented message",
	    { F(0x02, "x"), F(0x88, "\x03\xf3") }, "x", 1011,
	    TUNNEL_PEER_CLOSED, NULL, PLAIN },
	{ "Close 1011", { F(0x82, "x"), F(0x88, "\x03\xf3") }, "x", 1011,
	    TUNNEL_PEER_CLOSED, NULL, ANY },
	{ "Close 1012", { F(0x88, "\x03\xf4") }, "", 1012,
	    TUNNEL_PEER_CLOSED, NULL, ANY },
	{ "Close 3000", { F(0x88, "\x0b\xb8") }, "", 3000,
	    TUNNEL_PEER_CLOSED, NULL, ANY },
	{ "Close 4999", { F(0x88, "\x13\x87") }, "", 4999,
	    TUNNEL_PEER_CLOSED, NULL, ANY },
	{ "Close with one byte", { F(0x88, "\x03") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, ANY },
	{ "Close 0", { F(0x88, "\0\0") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 999", { F(0x88, "\x03\xe7") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 1004", { F(0x88, "\x03\xec") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 1005", { F(0x88, "\x03\xed") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 1006", { F(0x88, "\x03\xee") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 1015", { F(0x88, "\x03\xf7") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 2999", { F(0x88, "\x0b\xb7") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "Close 5000", { F(0x88, "\x13\x88") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "a reason that is not UTF-8", { F(0x88, "\x03\xe8\xff") }, "",
	    1007, TUNNEL_PEER_FAULT, NULL, ANY },
	{ "a reason that ends inside a character",
	    { F(0x88, "\x03\xe8" "a\xc3") }, "", 1007, TUNNEL_PEER_FAULT,
	    NULL, ANY },
	{ "what follows Close is ignored",
	    { F(0x82, "x"), F(0x88, "\x03\xe8"), F(0x82, "y"),
	      F(0x89, "?"), F(0xff, "rubbish"), F(0x88, "\x03\xf3") },
	    "x", 1000, TUNNEL_ENDED, NULL, PLAIN },
	{ "what follows a fault is ignored",
	    { F(0x83, "x"), F(0x82, "y"), F(0x89, "?"),
	      F(0x88, "\x03\xe8") }, "", 1002, TUNNEL_PEER_FAULT, NULL,
	    ANY },

	/* control lines */
	{ "eof", { F(0x82, "hello"), F(0x81, "eof 5") }, "hello", 0,
	    TUNNEL_GOING, NULL, INETWS },
	{ "eof of nothing", { F(0x81, "eof 0") }, "", 0, TUNNEL_GOING, NULL,
	    INETWS },
	{ "eof sent twice",
	    { F(0x82, "hi"), F(0x81, "eof 2"), F(0x81, "eof 2") },
	    "hi", 0, TUNNEL_GOING, NULL, INETWS },
	{ "eof with another count behind it",
	    { F(0x82, "hi"), F(0x81, "eof 2"), F(0x81, "eof 3") },
	    "hi", 1002, TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "a ping behind eof",
	    { F(0x82, "hi"), F(0x81, "eof 2"), F(0x89, "?") },
	    "hi", 0, TUNNEL_GOING, "?", INETWS },
	{ "eof tells less than came",
	    { F(0x82, "hello"), F(0x81, "eof 4") }, "hello", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "eof tells more than came",
	    { F(0x82, "hello"), F(0x81, "eof 6") }, "hello", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "data behind eof",
	    { F(0x82, "hi"), F(0x81, "eof 2"), F(0x82, "!") },
	    "hi", 1002, TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "rst", { F(0x82, "hi"), F(0x81, "rst") }, "hi", 1000,
	    TUNNEL_PEER_RESET, NULL, INETWS },
	{ "rst and Close", { F(0x81, "rst"), F(0x88, "\x03\xe8") }, "",
	    1000, TUNNEL_PEER_RESET, NULL, INETWS },
	{ "Close without eof", { F(0x88, "\x03\xe8") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "Close before our eof",
	    { F(0x81, "eof 0"), F(0x88, "\x03\xe8") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "Close 1001 where nothing can be resumed",
	    { F(0x82, "x"), F(0x88, "\x03\xe9") }, "x", 1001,
	    TUNNEL_PEER_CLOSED, NULL, INETWS },
	{ "Close without a code between inetws", { F(0x88, "") }, "", 1005,
	    TUNNEL_PEER_CLOSED, NULL, INETWS },
	{ "ack without a session", { F(0x81, "ack 0") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "ack with a credit without a session", { F(0x81, "ack 0 65536") },
	    "", 1002, TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "open in the middle", { F(0x81, "open -") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "ok in the middle", { F(0x81, "ok") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "fail in the middle", { F(0x81, "fail x") }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "an unknown line", { F(0x82, "x"), F(0x81, "hello") }, "x", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "an empty line", { F(0x81, "") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, INETWS },
	{ "a line in fragments", { F(0x01, "eof"), F(0x80, " 0") }, "",
	    1002, TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "half of rst", { F(0x01, "rst") }, "", 1002, TUNNEL_PEER_FAULT,
	    NULL, INETWS },
	{ "a line of 126 bytes", { G(0x81, "fail ", PAD126) }, "", 1002,
	    TUNNEL_PEER_FAULT, NULL, INETWS },
	{ "the first bytes of a longer line", { G(0x81, "fail ", LONGER) }, "",
	    1002, TUNNEL_PEER_FAULT, NULL, INETWS },
};

#define NVECTORS (sizeof(vectors) / sizeof(vectors[0]))

/* Makes the bytes of one piece. */
static size_t
make(uint8_t *dst, const struct piece *p, int masked)
{
	uint8_t payload[126];
	size_t len = p->len, n, i;
	uint64_t length;

	if (len > sizeof(payload))
		abort();
	if (p->how == FLIPPED)
		masked = !masked;
	memset(payload, '.', sizeof(payload));
	memcpy(payload, p->text, len);
	if (p->how == PAD126)
		len = 126;
	if (p->how != LEN16 && p->how != LEN64 && p->how != TOP_BIT &&
	    p->how != LONGER)
		return rig_make(dst, masked, p->first, payload, len);
	length = p->how == LONGER ? 1ULL << 40 :
	    p->how == TOP_BIT ? 1ULL << 63 | len : len;
	n = 0;
	dst[n++] = p->first;
	dst[n++] = (p->how == LEN16 ? 126 : 127) | (masked ? 0x80 : 0);
	for (i = p->how == LEN16 ? 2 : 8; i-- > 0;)
		dst[n++] = length >> (8 * i);
	if (masked) {
		memset(dst + n, 0x5a, 4);
		n += 4;
	}
	for (i = 0; i < len; i++)
		dst[n++] = payload[i] ^ (masked ? 0x5a : 0);
	return n;
}

/* What came of it. */
struct outcome {
	size_t ngot;
	uint8_t got[256];
	unsigned int code, pongs;
	char pong[128];
	enum tunnel_end end;
	int wrong;
};

static void
listen_to(struct rig *r, struct outcome *o)
{
	struct sent_frame h;
	int more;

	while ((more = rig_next(r, &h)) == 1) {
		if (o->code != 0 || h.masked != r->t.cfg.client || !h.fin)
			o->wrong = 1;
		if (h.opcode == 10) {
			o->pongs++;
			memcpy(o->pong, h.payload, h.len);
			o->pong[h.len] = '\0';
		} else if (h.opcode == 8)
			o->code = rig_close_code(&h);
		else if (h.opcode != 1 || h.len < 4 ||
		    memcmp(h.payload, "ack ", 4) != 0)
			o->wrong = 1;
	}
	if (more == -1 || r->seen != r->nsent || r->endless)
		o->wrong = 1;
}

/* eager: streams take what they are given after every piece. */
static void
run(const struct vector *v, int client, int ext, const uint8_t *bytes,
    size_t len, size_t split, size_t step, int eager, struct outcome *o)
{
	struct rig r;
	size_t at = 0, n;

	rig_begin(&r, rig_config(client, ext, 0));
	memset(o, 0, sizeof(*o));
	while (at < len) {
		n = at < split ? split - at : step > 0 ? step : len - at;
		n = n < len - at ? n : len - at;
		rig_feed(&r, bytes + at, n);
		if (eager)
			rig_pump(&r);
		at += n;
	}
	rig_pump(&r);
	if (client && r.t.wire == WIRE_CLOSED) {
		o->wrong = r.finished;		/* the server ends first */
		rig_wire_eof(&r);
	}
	listen_to(&r, o);
	o->ngot = r.ngot;
	memcpy(o->got, r.got, r.ngot < 256 ? r.ngot : 256);
	o->end = r.t.end;
	if ((r.reset != 0) != (o->end != TUNNEL_GOING &&
	    o->end != TUNNEL_ENDED))
		o->wrong = 1;
	if ((o->end == TUNNEL_ENDED || o->end == TUNNEL_PEER_CLOSED) &&
	    !(r.finished && r.t.peer_code == v->code))
		o->wrong = 1;
	rig_end(&r);
}

/*
 * What was delivered before a fault depends on how fast the stream took it,
 * but is never anything else; otherwise all of it is.
 */
static int
as_expected(const struct vector *v, const struct outcome *o)
{
	uint8_t want[126];
	size_t n = strlen(v->payload);
	int clean = v->end == TUNNEL_GOING || v->end == TUNNEL_ENDED;

	memset(want, '.', sizeof(want));
	memcpy(want, v->payload, n);
	if (clean && v->p[0].how == PAD126)
		n = 126;
	return !o->wrong && o->code == v->code && o->end == v->end &&
	    (clean ? o->ngot == n : o->ngot <= n) &&
	    memcmp(o->got, want, o->ngot) == 0 &&
	    (v->pong == NULL ? o->pongs == 0 :
	    o->pongs > 0 && strcmp(o->pong, v->pong) == 0);
}

static int
check(const struct vector *v, int client, int ext)
{
	struct outcome o;
	uint8_t bytes[1024];
	size_t len = 0, i, split;
	int good = 1, eager;

	for (i = 0; i < 7 && v->p[i].text != NULL; i++)
		len += make(bytes + len, &v->p[i], !client);
	for (eager = 0; eager < 2; eager++) {
		run(v, client, ext, bytes, len, 0, 1, eager, &o);
		good &= as_expected(v, &o);
		for (split = 0; split <= len; split++) {
			run(v, client, ext, bytes, len, split, 0, eager, &o);
			good &= as_expected(v, &o);
		}
	}
	if (!good)
		printf("# %s: code %u, end %s, %zu bytes, %u pongs%s\n",
		    client ? "client" : "server", o.code,
		    tunnel_end_name(o.end), o.ngot, o.pongs,
		    o.wrong ? ", wrong frames or actions" : "");
	return good;
}

static void
test_vectors(void)
{
	const struct vector *v;
	size_t i;
	int good;

	for (i = 0; i < NVECTORS; i++) {
		v = &vectors[i];
		good = 1;
		if (v->who < INETWS && v->who != PLAIN_CLIENT)
			good &= check(v, 1, 0);
		if (v->who < INETWS && v->who != PLAIN_SERVER)
			good &= check(v, 0, 0);
		if (v->who == ANY || v->who == INETWS)
			good &= check(v, 0, 1) & check(v, 1, 1);
		ok(good, "%s", v->name);
	}
}

int
main(void)
{
	test_vectors();
	return done_testing();
}
