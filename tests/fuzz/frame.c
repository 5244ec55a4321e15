/* SPDX-License-Identifier: ISC */
/*
 * Input: a frame.  Asserted: its header means what a decoder written from the
 * figure in RFC 6455 5.2 reads in it, no prefix of it is enough, and written
 * again it is the same bytes; masking is what section 5.3 says, wherever the
 * payload is cut.
 */
#include "ws/frame.h"
#include "fuzz.h"

static uint64_t
big_endian(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n-- > 0)
		v = v * 256 + *p++;
	return v;
}

/* >0, 0, -1 as frame_decode(). */
static int
decode(const uint8_t *p, size_t size, uint64_t *length)
{
	unsigned int opcode, len7;
	int extra, size_of_head;

	if (size < 2)
		return 0;
	opcode = p[0] % 16;
	len7 = p[1] % 128;
	if ((p[0] / 16) % 8 != 0 || (opcode >= 3 && opcode <= 7) ||
	    opcode >= 11)
		return -1;
	if (opcode >= 8 && (len7 > 125 || p[0] < 128))
		return -1;
	extra = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
	size_of_head = 2 + extra + (p[1] >= 128 ? 4 : 0);
	if (size < (size_t)size_of_head)
		return 0;
	*length = extra == 0 ? len7 : big_endian(p + 2, extra);
	if (extra == 2 && *length <= 125)
		return -1;
	if (extra == 8 && (*length <= 65535 || p[2] >= 128))
		return -1;
	return size_of_head;
}

/* The payload, masked in two pieces, from one place to another and back. */
static void
check_mask(const uint8_t *p, size_t n, const uint8_t key[4])
{
	uint8_t *dst = malloc(n + 1), *src = malloc(n + 1);
	size_t cut = n > 0 ? p[0] % (n + 1) : 0, i;

	memcpy(src, p, n);
	frame_mask(dst, src, cut, key, 0);
	frame_mask(dst + cut, src + cut, n - cut, key, cut);
	for (i = 0; i < n; i++)
		CHECK(dst[i] == (p[i] ^ key[i % 4]));
	frame_mask(dst, dst, n, key, 0);
	CHECK(memcmp(dst, p, n) == 0);
	free(dst);
	free(src);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct frame f;
	const char *why = NULL;
	uint8_t out[FRAME_HEAD_MAX], *exact;
	uint64_t length = 0;
	size_t n;
	int want, got;

	for (n = 0; n <= FRAME_HEAD_MAX && n <= size; n++) {
		exact = malloc(n > 0 ? n : 1);
		memcpy(exact, in, n);
		want = decode(exact, n, &length);
		got = frame_decode(&f, exact, n, &why);
		CHECK(want == -1 ? got < 0 : got == want);
		free(exact);
		if (want == -1)
			CHECK(why != NULL && *why != '\0');
		if (want != 0)
			break;
	}
	if (n > size || n > FRAME_HEAD_MAX || want == -1)
		return 0;
	CHECK(f.fin == in[0] >> 7 && f.opcode == in[0] % 16);
	CHECK(f.masked == in[1] >> 7 && f.length == length);
	CHECK(frame_encode(out, &f) == n && memcmp(out, in, n) == 0);
	CHECK(frame_head_size(f.length, f.masked) == n);
	if (f.masked)
		check_mask(in + n, size - n, f.key);
	if (f.opcode == FRAME_CLOSE && size - n >= 2)
		frame_close_valid(in[n] << 8 | in[n + 1]);
	return 0;
}
