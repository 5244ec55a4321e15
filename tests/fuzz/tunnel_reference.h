/* SPDX-License-Identifier: ISC */
/*
 * What a tunnel should make of the bytes of a wire, decoded one byte at a
 * time from the text of RFC 6455 and inetws-protocol(7), without src/proto.
 */
#ifndef TUNNEL_REFERENCE_H
#define TUNNEL_REFERENCE_H

#include "fuzz.h"
#include "utf8_reference.h"

#define PAYLOAD_MAX	(4 << 20)
#define PINGS_MAX	64

/* The header of a frame, as it comes. */
struct head {
	uint8_t b[14];
	int have;
	int fin, opcode, masked;
	uint64_t length;
	uint8_t key[4];
};

/* 1 when the header is complete. */
static int
head_byte(struct head *h, uint8_t c)
{
	int extra, i;

	h->b[h->have++] = c;
	if (h->have < 2)
		return 0;
	h->fin = h->b[0] >> 7;
	h->opcode = h->b[0] & 15;
	h->masked = h->b[1] >> 7;
	h->length = h->b[1] & 127;
	extra = h->length == 126 ? 2 : h->length == 127 ? 8 : 0;
	if (h->have < 2 + extra + 4 * h->masked)
		return 0;
	if (extra > 0)
		for (h->length = 0, i = 0; i < extra; i++)
			h->length = h->length * 256 + h->b[2 + i];
	if (h->masked)
		memcpy(h->key, h->b + 2 + extra, 4);
	return 1;
}

/* Is what is there of the header against RFC 6455 5.2 or 5.5? */
static int
head_bad(const struct head *h, int whole)
{
	int len7 = h->b[1] & 127;

	if (h->have < 2)
		return 0;
	if ((h->b[0] & 0x70) || (h->opcode & 7) > 2)
		return 1;
	if (h->opcode >= 8 && (!h->fin || len7 > 125))
		return 1;
	if (!whole)
		return 0;
	return (len7 == 126 && h->length < 126) ||
	    (len7 == 127 && (h->length < 65536 || h->length >> 63));
}

struct reference {
	int client, ext, session;	/* what the machine is */
	uint8_t *payload;		/* all of it, since the beginning */
	uint64_t len;
	uint64_t len_at_close;		/* when the machine had sent Close */
	int bad;			/* the machine must have noticed */
	int doomed;			/* ... may have noticed */
	unsigned int code;		/* what it then says */
	int closed;			/* Close came */
	unsigned int close_code;	/* with this code, 1005: none */
	int rst, eof;
	int asks, serves;		/* the machine's stream comes later */
	int said_open, open, okayed;	/* our open; theirs; ok, either way */
	char addr[64];
	uint64_t acked;			/* last ack that came */
	uint64_t limit;			/* what it and "win" permit */
	uint64_t total;			/* payload the machine was given */
	int ended;			/* ... to its end */
	int eof_told;			/* the machine has sent eof */
	int confirmed;			/* and this was answered */
	uint64_t sent;			/* payload that was written to us */
	uint64_t must, may;		/* limits of the window */
	uint8_t ping[PINGS_MAX][125];
	int ping_len[PINGS_MAX], pings;

	/* of this wire */
	struct head head;
	int in_frame;
	uint64_t at;			/* in the frame */
	int message;
	struct utf8_reference utf8;
	uint8_t small[125];
};

static void
reference_new_wire(struct reference *r)
{
	memset(&r->head, 0, sizeof(r->head));
	r->in_frame = r->message = 0;
	r->closed = r->doomed = 0;
	r->pings = 0;
}

static void
bad(struct reference *r, unsigned int code)
{
	if (!r->bad) {
		r->bad = r->doomed = 1;
		r->code = code;
	}
}

static int
is_line(const struct reference *r)
{
	return r->ext && r->head.opcode == 1;
}

/* May the peer send data? */
static int
flows(const struct reference *r)
{
	if (r->serves && !r->client)
		return r->open;
	return (!r->asks && !r->serves) || r->okayed;
}

static void
reference_head(struct reference *r)
{
	const struct head *h = &r->head;

	if (head_bad(h, 1) || h->masked == r->client)
		bad(r, 1002);
	else if (h->opcode < 8) {
		if ((h->opcode == 0) != (r->message != 0))
			bad(r, 1002);
		else if (is_line(r) && (!h->fin || h->length > 125))
			bad(r, 1002);
		else if (!is_line(r) && h->length > 0 && !flows(r))
			bad(r, 1002);
		else if (h->opcode != 0 && !is_line(r)) {
			r->message = h->opcode;
			memset(&r->utf8, 0, sizeof(r->utf8));
		}
	}
	r->in_frame = 1;
	r->at = 0;
}

static void
reference_data(struct reference *r, uint8_t c)
{
	if (r->session && r->len + 1 > r->may)
		r->doomed = 1;
	if ((r->session && r->len + 1 > r->must) || r->eof || !flows(r))
		bad(r, 1002);
	else if (r->message == 1 && utf8_reference(&r->utf8, c) == -1)
		bad(r, 1007);
	else if (r->len < PAYLOAD_MAX)
		r->payload[r->len++] = c;
}

/* "WORD N": N is decimal, without leading zeros, below 2^63. */
static int
number_line(const char *text, const char *word, uint64_t *n)
{
	size_t len = strlen(word), digits = strspn(text + len, "0123456789");

	if (strncmp(text, word, len) != 0 || digits == 0 || digits > 19 ||
	    text[len + digits] != '\0' || (text[len] == '0' && digits > 1))
		return 0;
	*n = strtoull(text + len, NULL, 10);
	return *n <= INT64_MAX;
}

/* open, ok and fail, as far as the harness says them; 1 if it is in order. */
static int
reference_word(struct reference *r, const char *text)
{
	if (r->serves && strncmp(text, "open ", 5) == 0 &&
	    (strcmp(text + 5, "-") == 0 ||
	    strcmp(text + 5, "192.0.2.1:7") == 0)) {
		if (r->open)
			return strcmp(text + 5, r->addr) == 0;
		snprintf(r->addr, sizeof(r->addr), "%s", text + 5);
		return r->open = 1;
	}
	/* An answer to what is on its way out may be noticed as a fault. */
	if (r->asks && strcmp(text, "ok") == 0)
		r->okayed = 1;
	else if (r->asks && !r->okayed &&
	    strncmp(text, "fail ", 5) == 0 && text[5] != '\0' &&
	    strspn(text + 5, "abcdefghijklmnopqrstuvwxyz") ==
	    strlen(text + 5))
		r->rst = 1;
	else
		return 0;
	if (!r->said_open)
		r->doomed = 1;
	return 1;
}

/*
 * "ack N W", or "ack N" for eof; which may be on its way out of the machine
 * already: then it may have been noticed, or not.
 */
static int
ack_line(struct reference *r, const char *text)
{
	char first[126];
	const char *blank;
	uint64_t n, credit;

	if (number_line(text, "ack ", &n)) {
		if (!r->ended || n != r->total)
			return 0;
		if (r->eof_told)
			r->confirmed = 1;
		else
			r->doomed = 1;
		r->acked = r->sent;
		return 1;
	}
	if (!r->session || strncmp(text, "ack ", 4) != 0 ||
	    (blank = strchr(text + 4, ' ')) == NULL)
		return 0;
	memcpy(first, text, blank - text);
	first[blank - text] = '\0';
	if (!number_line(first, "ack ", &n) ||
	    !number_line(blank, " ", &credit) || n < r->acked ||
	    n > r->sent || credit > INT64_MAX - n || n + credit < r->limit)
		return 0;
	r->acked = n;
	r->limit = n + credit;
	return 1;
}

static void
reference_line(struct reference *r, const uint8_t *line, size_t len)
{
	char text[126];
	uint64_t n;

	if (r->rst)
		return;
	memcpy(text, line, len);
	text[len] = '\0';
	if (strlen(text) != len)
		bad(r, 1002);
	else if (strcmp(text, "rst") == 0 && (!r->serves || r->open))
		r->rst = 1;
	else if (reference_word(r, text))
		;
	else if (number_line(text, "eof ", &n) && n == r->len && flows(r))
		r->eof = 1;
	else if (ack_line(r, text))
		;
	else
		bad(r, 1002);
}

static void
reference_close(struct reference *r, int len)
{
	struct utf8_reference u = { 0, 0, 0 };
	unsigned int code = len < 2 ? 1005 : r->small[0] * 256 + r->small[1];
	int i, good = len != 1;

	if (len >= 2)
		good = (code >= 3000 && code < 5000) ||
		    (code >= 1000 && code <= 1003) ||
		    (code >= 1007 && code <= 1014);
	if (!good) {
		bad(r, 1002);
		return;
	}
	for (i = 2; i < len; i++)
		if (utf8_reference(&u, r->small[i]) == -1) {
			bad(r, 1007);
			return;
		}
	if (u.left > 0) {
		bad(r, 1007);
		return;
	}
	r->closed = 1;
	r->close_code = code;
	/* An end that would be clean, but for the message that has none. */
	if (!r->ext && r->message != 0 && (code == 1000 || code == 1005 ||
	    (code == 1001 && !r->client)))
		bad(r, 1002);
}

static void
reference_frame_end(struct reference *r)
{
	int len = r->head.length;

	r->in_frame = 0;
	r->head.have = 0;
	if (r->head.opcode == 9) {
		memcpy(r->ping[r->pings % PINGS_MAX], r->small, len);
		r->ping_len[r->pings++ % PINGS_MAX] = len;
	} else if (r->head.opcode == 8)
		reference_close(r, len);
	else if (is_line(r))
		reference_line(r, r->small, len);
	else if (r->head.opcode < 8 && r->head.fin) {
		if (r->message == 1 && r->utf8.left > 0)
			bad(r, 1007);
		r->message = 0;
	}
}

/* A byte that the machine is told. */
static void
reference_byte(struct reference *r, uint8_t c)
{
	if (r->bad || r->closed)
		return;
	if (!r->in_frame) {
		if (head_byte(&r->head, c))
			reference_head(r);
		else if (head_bad(&r->head, 0))
			r->doomed = 1;
	} else {
		if (r->head.masked)
			c ^= r->head.key[r->at % 4];
		if (r->head.opcode >= 8 || is_line(r))
			r->small[r->at] = c;
		else
			reference_data(r, c);
		r->at++;
	}
	if (!r->bad && r->in_frame && r->at == r->head.length)
		reference_frame_end(r);
}

#endif
