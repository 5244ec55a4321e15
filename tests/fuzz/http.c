/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte (bit 0: answer or request, the rest: the size of pieces),
 * then a head.  Asserted: whatever the pieces, the result is the same; what
 * is accepted keeps the rules.
 */
#include "proto/http.h"
#include "fuzz.h"

struct outcome {
	ssize_t n;
	int status;
	char err[256];
	struct http_head head;
};

static void
parse(struct outcome *o, int is_answer, const char *data, size_t len,
    size_t piece)
{
	struct http_parser_state st;
	size_t n = 0;

	memset(o, 0, sizeof *o);
	http_begin(&st, is_answer);
	do {
		n = len - n < piece ? len : n + piece;
		o->n = http_parse(&st, data, n, &o->head, &o->status, o->err,
		    sizeof o->err);
		CHECK(o->n <= (ssize_t)n);
	} while (o->n == 0 && n < len);
}

static void
inside(struct slice s, const char *data, size_t len)
{
	if (s.p == NULL)
		CHECK(s.len == 0);
	else
		CHECK(s.p >= data && s.len <= len &&
		    s.p + s.len <= data + len);
}

static void
check_head(const struct http_head *h, int is_answer, const char *data,
    size_t len)
{
	unsigned int i;

	CHECK(len >= 4 && memcmp(data + len - 4, "\r\n\r\n", 4) == 0);
	CHECK(memmem(data, len - 1, "\r\n\r\n", 4) == NULL);
	CHECK(memchr(data, '\0', len) == NULL);
	CHECK(h->nfields <= HTTP_FIELDS_MAX);
	inside(h->method, data, len);
	inside(h->target, data, len);
	inside(h->reason, data, len);
	if (is_answer)
		CHECK(h->status >= 100 && h->status <= 999);
	else
		CHECK(slice_is(h->method, "GET") && h->target.len > 0 &&
		    h->minor == 1 && h->target.p == data + 4);
	for (i = 0; i < h->nfields; i++) {
		inside(h->field[i].name, data, len);
		inside(h->field[i].value, data, len);
		CHECK(http_is_token(h->field[i].name));
		CHECK(h->field[i].name.p[-1] == '\n');
		CHECK(h->field[i].name.p[h->field[i].name.len] == ':');
		if (h->field[i].value.len > 0)
			CHECK(memchr(h->field[i].value.p, '\n',
			    h->field[i].value.len) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static struct outcome whole, pieces;
	const char *data = (const char *)in + 1;
	size_t len = size - 1;
	int is_answer;

	if (size == 0)
		return 0;
	is_answer = in[0] & 1;
	parse(&whole, is_answer, data, len, len == 0 ? 1 : len);
	parse(&pieces, is_answer, data, len, (in[0] >> 1) + 1);

	CHECK(whole.n == pieces.n && whole.status == pieces.status);
	CHECK(strcmp(whole.err, pieces.err) == 0);
	CHECK(memcmp(&whole.head, &pieces.head, sizeof whole.head) == 0);
	CHECK(whole.n != 0 || len < HTTP_HEAD_MAX);
	if (whole.n < 0)
		CHECK(whole.err[0] != '\0' && whole.status >= 400);
	/* An empty line before a request is ignored. */
	if (whole.n > 2 && !is_answer && data[0] == '\r') {
		data += 2;
		whole.n -= 2;
	}
	if (whole.n > 0)
		check_head(&whole.head, is_answer, data, whole.n);
	return 0;
}
