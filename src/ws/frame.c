/* SPDX-License-Identifier: ISC */
#include <string.h>

#if defined(__x86_64__) && __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

#include "ws/frame.h"

#define BIT_FIN		0x80
#define BITS_RESERVED	0x70
#define BIT_MASK	0x80

/*
 * The rules of RFC 6455 5.2 that the first byte and the lengths obey; what
 * depends on other frames is the tunnel's to check.
 */
static const char *
check(const struct frame *f, uint8_t first, uint8_t len7)
{
	if (first & BITS_RESERVED)
		return "reserved bit set";
	if (f->opcode > FRAME_PONG ||
	    (f->opcode > FRAME_BINARY && f->opcode < FRAME_CLOSE))
		return "reserved opcode";
	if (f->opcode >= FRAME_CLOSE) {
		if (!f->fin)
			return "control frame in fragments";
		if (len7 > FRAME_CONTROL_MAX)
			return "control frame too long";
	}
	return NULL;
}

ssize_t
frame_decode(struct frame *f, const uint8_t *p, size_t len, const char **why)
{
	size_t need = 2, i, n;
	uint8_t len7;

	if (len < 2)
		return 0;
	f->fin = (p[0] & BIT_FIN) != 0;
	f->opcode = p[0] & 0x0f;
	f->masked = (p[1] & BIT_MASK) != 0;
	len7 = p[1] & 0x7f;
	if ((*why = check(f, p[0], len7)) != NULL)
		return -1;

	n = len7 == 126 ? 2 : len7 == 127 ? 8 : 0;
	need += n + (f->masked ? 4 : 0);
	if (len < need)
		return 0;
	f->length = n == 0 ? len7 : 0;
	for (i = 0; i < n; i++)
		f->length = f->length << 8 | p[2 + i];
	if ((n == 2 && f->length < 126) || (n == 8 && f->length < 65536)) {
		*why = "length not in its shortest form";
		return -1;
	}
	if (f->length >> 63) {
		*why = "length over 63 bits";
		return -1;
	}
	if (f->masked)
		memcpy(f->key, p + 2 + n, 4);
	return (ssize_t)need;
}

size_t
frame_head_size(uint64_t length, int masked)
{
	return 2u + (length > 65535 ? 8u : length > 125 ? 2u : 0u) +
	    (masked ? 4u : 0u);
}

size_t
frame_encode(uint8_t *p, const struct frame *f)
{
	size_t n = 0, bytes;

	p[n++] = (f->fin ? BIT_FIN : 0) | f->opcode;
	bytes = f->length > 65535 ? 8 : f->length > 125 ? 2 : 0;
	p[n++] = (uint8_t)((f->masked ? BIT_MASK : 0) |
	    (bytes == 8 ? 127 : bytes == 2 ? 126 : f->length));
	while (bytes > 0)
		p[n++] = (uint8_t)(f->length >> (8 * --bytes));
	if (f->masked) {
		memcpy(p + n, f->key, 4);
		n += 4;
	}
	return n;
}

/*
 * 32 bytes at once; the compiler makes of it what the machine has.  Where the C
 * library can tell what that is, there is a version for AVX2.  The compiler's
 * own way to tell asks the processor at each start, some 15 times, and each
 * question is expensive in a virtual machine.
 */
typedef uint64_t wide __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) size_t
mask_loop(uint8_t *dst, const uint8_t *src, size_t n, uint64_t key)
{
	const wide keys = { key, key, key, key };
	wide a, b;
	size_t i;

	for (i = 0; i + 64 <= n; i += 64) {
		memcpy(&a, src + i, 32);
		memcpy(&b, src + i + 32, 32);
		a ^= keys;
		b ^= keys;
		memcpy(dst + i, &a, 32);
		memcpy(dst + i + 32, &b, 32);
	}
	return i;
}

#ifdef CPU_FEATURE_ACTIVE

__attribute__((target("avx2")))
static size_t
mask_avx2(uint8_t *dst, const uint8_t *src, size_t n, uint64_t key)
{
	return mask_loop(dst, src, n, key);
}

static size_t
mask_wide(uint8_t *dst, const uint8_t *src, size_t n, uint64_t key)
{
	return CPU_FEATURE_ACTIVE(AVX2) ? mask_avx2(dst, src, n, key) :
	    mask_loop(dst, src, n, key);
}

#else
#define mask_wide	mask_loop
#endif

void
frame_mask(uint8_t *dst, const uint8_t *src, size_t n, const uint8_t key[4],
    size_t phase)
{
	uint8_t turned[8];
	uint64_t k, w;
	size_t i;

	for (i = 0; i < 8; i++)
		turned[i] = key[(phase + i) & 3];
	memcpy(&k, turned, 8);

	i = n >= 64 ? mask_wide(dst, src, n, k) : 0;
	for (; i + 8 <= n; i += 8) {
		memcpy(&w, src + i, 8);
		w ^= k;
		memcpy(dst + i, &w, 8);
	}
	for (; i < n; i++)
		dst[i] = src[i] ^ turned[i & 7];
}

int
frame_close_valid(unsigned int code)
{
	if (code >= 3000 && code <= 4999)
		return 1;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
	    code != 1006;
}
