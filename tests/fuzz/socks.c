/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte of flags (credentials, by address), then all that a SOCKS
 * proxy says.  In any pieces it must come to the same.
 */
#include "proto/socks.h"
#include "fuzz.h"

/* One answer, read by pieces of this size.  As socks_read(). */
static ssize_t
by_pieces(struct socks *s, const uint8_t *p, size_t len, size_t piece,
    struct error *why)
{
	enum socks_step step = s->step;
	ssize_t n = 0;
	size_t have;

	for (have = 0; n == 0 && have < len; ) {
		have = len - have < piece ? len : have + piece;
		n = socks_read(s, p, have, why);
		CHECK(n <= (ssize_t)have);
		CHECK(n <= SOCKS_ANSWER_MAX);
		if (n == 0)
			CHECK(s->step == step && have < SOCKS_ANSWER_MAX);
	}
	if (n > 0)
		CHECK(s->step != step);
	return n;
}

/* Where it ended: -1 refused, 0 wants more, 1 done; *used is what it took. */
static int
exchange(struct socks *s, const uint8_t *p, size_t len, size_t piece,
    size_t *used)
{
	unsigned char out[SOCKS_ASK_MAX];
	struct error why = { 0, "" };
	ssize_t n;
	int turns;

	*used = 0;
	for (turns = 0; s->step != SOCKS_DONE; turns++) {
		CHECK(turns < 3);
		n = socks_write(out, s, &why);
		CHECK(n > 0 && n <= SOCKS_ASK_MAX);
		n = by_pieces(s, p + *used, len - *used, piece, &why);
		if (n == -1) {
			CHECK(why.status != 0 && why.text[0] != '\0');
			return -1;
		}
		if (n == 0)
			return 0;
		*used += n;
	}
	return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct ip ip;
	struct socks s = { .user = "", .host = "h.example", .port = 443 };
	struct socks t;
	size_t used, again;
	int how;

	if (size == 0)
		return 0;
	memset(&ip, in[0], sizeof ip);
	if (in[0] & 1)
		s.user = "user:password";
	if (in[0] & 2)
		s.ip = &ip;
	t = s;
	how = exchange(&s, in + 1, size - 1, size, &used);
	CHECK(exchange(&t, in + 1, size - 1, 1, &again) == how);
	CHECK(used == again && s.step == t.step && used < size);
	return 0;
}
