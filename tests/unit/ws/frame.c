/* SPDX-License-Identifier: ISC */
/*
 * Frame headers and masks (RFC 6455 section 5).
 *
 * If it fails: the bytes of a frame are taken for others.
 */
#include <stdlib.h>
#include <string.h>

#include "ws/frame.h"
#include "tap.h"

/* Headers as bytes, and what they mean; why: what they break. */
static const struct {
	const char *name;
	uint8_t bytes[FRAME_HEAD_MAX];
	size_t len;
	struct frame f;
	const char *why;
} heads[] = {
	{ "empty binary", { 0x82, 0x00 }, 2,
	    { .fin = 1, .opcode = 2 }, NULL },
	{ "first of fragments", { 0x01, 0x05 }, 2,
	    { .opcode = 1, .length = 5 }, NULL },
	{ "continuation", { 0x00, 0x01 }, 2, { .length = 1 }, NULL },
	{ "125 bytes", { 0x82, 0x7d }, 2,
	    { .fin = 1, .opcode = 2, .length = 125 }, NULL },
	{ "126 bytes", { 0x82, 0x7e, 0x00, 0x7e }, 4,
	    { .fin = 1, .opcode = 2, .length = 126 }, NULL },
	{ "65535 bytes", { 0x82, 0x7e, 0xff, 0xff }, 4,
	    { .fin = 1, .opcode = 2, .length = 65535 }, NULL },
	{ "65536 bytes", { 0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0 }, 10,
	    { .fin = 1, .opcode = 2, .length = 65536 }, NULL },
	{ "2^63 - 1 bytes", { 0x82, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff }, 10,
	    { .fin = 1, .opcode = 2, .length = INT64_MAX }, NULL },
	{ "masked", { 0x81, 0x83, 1, 2, 3, 4 }, 6, { .fin = 1, .opcode = 1,
	    .masked = 1, .key = { 1, 2, 3, 4 }, .length = 3 }, NULL },
	{ "masked, 16-bit length", { 0x82, 0xfe, 1, 0, 9, 8, 7, 6 }, 8,
	    { .fin = 1, .opcode = 2, .masked = 1, .key = { 9, 8, 7, 6 },
	    .length = 256 }, NULL },
	{ "masked, 64-bit length", { 0x82, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 5, 6,
	    7, 8 }, 14, { .fin = 1, .opcode = 2, .masked = 1,
	    .key = { 5, 6, 7, 8 }, .length = 1ULL << 40 }, NULL },
	{ "Close", { 0x88, 0x02 }, 2,
	    { .fin = 1, .opcode = 8, .length = 2 }, NULL },
	{ "ping of 125 bytes", { 0x89, 0x7d }, 2,
	    { .fin = 1, .opcode = 9, .length = 125 }, NULL },
	{ "pong", { 0x8a, 0x00 }, 2, { .fin = 1, .opcode = 10 }, NULL },

	{ "RSV1", { 0xc2, 0x00 }, 2, { 0 }, "reserved bit" },
	{ "RSV2", { 0xa2, 0x00 }, 2, { 0 }, "reserved bit" },
	{ "RSV3", { 0x92, 0x00 }, 2, { 0 }, "reserved bit" },
	{ "opcode 3", { 0x83, 0x00 }, 2, { 0 }, "reserved opcode" },
	{ "opcode 7", { 0x87, 0x00 }, 2, { 0 }, "reserved opcode" },
	{ "opcode 11", { 0x8b, 0x00 }, 2, { 0 }, "reserved opcode" },
	{ "opcode 15", { 0x8f, 0x00 }, 2, { 0 }, "reserved opcode" },
	{ "Close in fragments", { 0x08, 0x00 }, 2, { 0 }, "in fragments" },
	{ "ping in fragments", { 0x09, 0x00 }, 2, { 0 }, "in fragments" },
	{ "pong in fragments", { 0x0a, 0x00 }, 2, { 0 }, "in fragments" },
	{ "ping of 126 bytes", { 0x89, 0x7e, 0x00, 0x7e }, 2, { 0 },
	    "too long" },
	{ "Close with a 64-bit length", { 0x88, 0x7f }, 2, { 0 }, "too long" },
	{ "125 in 16 bits", { 0x82, 0x7e, 0x00, 0x7d }, 4, { 0 }, "shortest" },
	{ "0 in 16 bits", { 0x82, 0x7e, 0x00, 0x00 }, 4, { 0 }, "shortest" },
	{ "65535 in 64 bits", { 0x82, 0x7f, 0, 0, 0, 0, 0, 0, 0xff, 0xff },
	    10, { 0 }, "shortest" },
	{ "2^63", { 0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0 }, 10, { 0 },
	    "63 bits" },
};

#define NHEADS (sizeof(heads) / sizeof(heads[0]))

static int
same(const struct frame *a, const struct frame *b)
{
	return a->fin == b->fin && a->opcode == b->opcode &&
	    a->masked == b->masked && a->length == b->length &&
	    (!a->masked || memcmp(a->key, b->key, 4) == 0);
}

/* Every prefix needs more; what follows a header is not looked at. */
static void
test_decode(void)
{
	struct frame f;
	const char *why;
	uint8_t *exact, more[FRAME_HEAD_MAX + 4];
	size_t i, n;
	int good;

	for (i = 0; i < NHEADS; i++) {
		good = 1;
		for (n = 0; n <= heads[i].len; n++) {
			exact = malloc(n > 0 ? n : 1);
			memcpy(exact, heads[i].bytes, n);
			why = NULL;
			memset(&f, 0, sizeof(f));
			if (n < heads[i].len)
				good &= frame_decode(&f, exact, n, &why) == 0;
			else if (heads[i].why == NULL)
				good &= frame_decode(&f, exact, n, &why) ==
				    (ssize_t)n && same(&f, &heads[i].f);
			else
				good &= frame_decode(&f, exact, n, &why) < 0 &&
				    why != NULL &&
				    strstr(why, heads[i].why) != NULL;
			free(exact);
		}
		memset(more, 0xff, sizeof(more));
		memcpy(more, heads[i].bytes, heads[i].len);
		n = frame_decode(&f, more, sizeof(more), &why);
		if (heads[i].why == NULL)
			good &= n == heads[i].len && same(&f, &heads[i].f);
		ok(good, "decode: %s", heads[i].name);
	}
}

static void
test_encode(void)
{
	uint8_t out[FRAME_HEAD_MAX];
	size_t i, n;

	for (i = 0; i < NHEADS; i++) {
		if (heads[i].why != NULL)
			continue;
		n = frame_encode(out, &heads[i].f);
		ok(n == heads[i].len && memcmp(out, heads[i].bytes, n) == 0 &&
		    n == frame_head_size(heads[i].f.length, heads[i].f.masked),
		    "encode: %s", heads[i].name);
	}
}

/* Against one byte at a time, at every alignment and phase. */
static void
test_mask(void)
{
	enum { MOST = 300 };
	uint8_t key[4] = { 0x12, 0x9a, 0x00, 0xff };
	uint8_t src[MOST + 16], dst[MOST + 16], want[MOST];
	size_t n, phase, shift, i;
	int apart = 1, inside = 1, around = 1;

	for (i = 0; i < sizeof(src); i++)
		src[i] = i * 37 + 11;
	for (n = 0; n <= MOST; n++)
		for (phase = 0; phase < 8; phase++) {
			shift = (n * 3 + phase) % 9;
			for (i = 0; i < n; i++)
				want[i] = src[shift + i] ^
				    key[(phase + i) % 4];
			memset(dst, 0xee, sizeof(dst));
			frame_mask(dst + 4, src + shift, n, key, phase);
			apart &= memcmp(dst + 4, want, n) == 0;
			around &= dst[3] == 0xee && dst[4 + n] == 0xee;
			memcpy(dst + shift, src + shift, n);
			frame_mask(dst + shift, dst + shift, n, key, phase);
			inside &= memcmp(dst + shift, want, n) == 0;
		}
	ok(apart, "mask from one place to another");
	ok(inside, "mask in place");
	ok(around, "mask touches nothing else");

	memcpy(dst, src, MOST);
	frame_mask(dst, dst, 7, key, 0);
	frame_mask(dst + 7, dst + 7, 130, key, 7);
	frame_mask(dst + 137, dst + 137, MOST - 137, key, 137);
	frame_mask(dst, dst, MOST, key, 0);
	ok(memcmp(dst, src, MOST) == 0, "mask in pieces is its own inverse");
}

static void
test_close_codes(void)
{
	unsigned int code, wrong = 0;
	int want;

	for (code = 0; code <= 65535; code++) {
		switch (code) {
		case 1000: case 1001: case 1002: case 1003:
		case 1007: case 1008: case 1009: case 1010: case 1011:
		case 1012: case 1013: case 1014:
			want = 1;
			break;
		default:
			want = code / 1000 == 3 || code / 1000 == 4;
		}
		wrong += !frame_close_valid(code) != !want;
	}
	is(wrong, 0, "which of all close codes may be sent");
}

/*
 * The C library takes the feature for missing, so that frame.c does, too.  Other
 * processors have nothing to be without, and an emulator may start no program.
 */
#ifdef __x86_64__

#include "apart.h"

static char *self;

static int
mask_without_avx2(void)
{
	setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2", 1);
	if (freopen("/dev/null", "w", stdout) != NULL)
		execl(self, self, "mask", NULL);
	return 1;
}

static void
test_without_avx2(char *program)
{
	self = program;
	is(run(mask_without_avx2), 0, "the same on a processor without AVX2");
}

#else

static void
test_without_avx2(char *program)
{
}

#endif

int
main(int argc, char **argv)
{
	test_mask();
	if (argc > 1)
		return done_testing();
	test_without_avx2(argv[0]);
	test_decode();
	test_encode();
	test_close_codes();
	return done_testing();
}
