/* SPDX-License-Identifier: ISC */
/*
 * Input: the beginning of a connection.  Asserted: what is taken does not
 * depend on how it comes in pieces, as long as more is wanted all of it
 * belongs to the header, and what is known can be written and read again.
 */
#include "proto/proxy_protocol.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	const char *data = (const char *)in;
	struct proxy_protocol p, q;
	char err[200], out[PROXY_PROTOCOL_MAX];
	ssize_t whole, r;
	size_t n;
	int v, len;

	if (size > 2 * PROXY_PROTOCOL_MAX)
		return 0;
	whole = proxy_protocol_parse(&p, data, size, err, sizeof(err));
	CHECK(whole <= (ssize_t)size && whole <= PROXY_PROTOCOL_MAX);
	CHECK(whole != 0 || size < PROXY_PROTOCOL_MAX);
	for (n = 0; n < size; n++) {
		r = proxy_protocol_parse(&q, data, n, err, sizeof(err));
		CHECK(whole <= 0 || r == ((ssize_t)n < whole ? 0 : whole));
		CHECK(whole != 0 || r == 0);
	}
	if (whole <= 0)
		return 0;
	for (v = 1; v <= 2; v++) {
		len = proxy_protocol_write(out, sizeof(out), v, &p);
		CHECK(len > 0 && proxy_protocol_parse(&q, out, len, err,
		    sizeof(err)) == len);
		CHECK(memcmp(&p, &q, sizeof(p)) == 0);
	}
	return 0;
}
