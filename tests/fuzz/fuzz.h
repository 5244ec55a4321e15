/* SPDX-License-Identifier: ISC */
/* What the harnesses share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(x)	do { if (!(x)) {				\
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);		\
	abort(); } } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The input, taken piece by piece; zeros follow it. */
struct input {
	const uint8_t *p;
	size_t left;
};

static inline unsigned int
input_byte(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->p++;
}

/* Small, or of all its bits, or next to a limit of some type. */
static inline uint64_t
input_number(struct input *in)
{
	static const uint64_t edge[] = { 0, INT32_MAX, UINT32_MAX, INT64_MAX,
	    (uint64_t)INT64_MIN, UINT64_MAX, 1ULL << 53, 1ULL << 16 };
	unsigned int kind = input_byte(in), i;
	uint64_t n = 0;

	if (kind < 128)
		return kind;
	if (kind >= 192)
		return edge[kind % 8] + (uint64_t)(int64_t)(int8_t)
		    input_byte(in);
	for (i = 0; i < 8; i++)
		n = n << 8 | input_byte(in);
	return n;
}

/* At most so many bytes, of which the input says how many: *len of them. */
static inline const uint8_t *
input_bytes(struct input *in, size_t most, size_t *len)
{
	const uint8_t *p = in->p;

	*len = input_byte(in);
	p = in->p;
	if (*len > most)
		*len = most;
	if (*len > in->left)
		*len = in->left;
	in->p += *len;
	in->left -= *len;
	return p;
}

/* The same as a string of dst[size], as far as its first NUL. */
static inline char *
input_text(struct input *in, char *dst, size_t size)
{
	size_t len;
	const uint8_t *p = input_bytes(in, size - 1, &len);

	memcpy(dst, p, len);
	dst[len] = '\0';
	return dst;
}

/* Printable ASCII, and of one line. */
static inline void
check_plain(const char *text)
{
	for (; *text != '\0'; text++)
		CHECK(*text >= ' ' && *text <= '~');
}

/* The number of open descriptors. */
static inline int
count_descriptors(int (*is_open)(int))
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += is_open(fd);
	return n;
}

#endif
