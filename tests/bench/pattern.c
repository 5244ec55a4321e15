/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "pattern.h"

/* A prime, so that it shares no factor with any buffer's size. */
#define PERIOD	65521
#define LENGTH	(PERIOD + PATTERN_MOST)

static const unsigned char mask[4] = { 0x5a, 0xc3, 0x97, 0x1e };

static unsigned char plain[LENGTH];
static unsigned char masked[LENGTH];

void
pattern_make(void)
{
	uint64_t x = 88172645463325252ULL;
	size_t i;

	for (i = 0; i < LENGTH; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		plain[i] = i < PERIOD ? x >> 32 : plain[i - PERIOD];
		masked[i] = plain[i] ^ mask[i % 4];
	}
}

const unsigned char *
pattern_at(uint64_t place)
{
	return plain + place % PERIOD;
}

/* A frame's mask begins with its payload: turn the key to where that is. */
const unsigned char *
pattern_masked_at(uint64_t place, unsigned char key[4])
{
	size_t at = place % PERIOD;
	int i;

	for (i = 0; i < 4; i++)
		key[i] = mask[(at + i) % 4];
	return masked + at;
}

uint64_t
pattern_start(uint32_t id)
{
	return (uint64_t)id * 7919;
}
