/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/random.h"

#define AT_ONCE	256		/* getentropy(3)'s limit */
#define BACKOFF_FIRST	200	/* ms */
#define DOUBLINGS	10

void
random_bytes(void *dst, size_t len)
{
	uint8_t *p = dst;
	size_t n;

	for (; len > 0; p += n, len -= n) {
		n = len < AT_ONCE ? len : AT_ONCE;
		if (getentropy(p, n) == -1)
			abort();
	}
}

uint32_t
random_below(uint32_t n)
{
	uint32_t number;

	random_bytes(&number, sizeof(number));
	return number % n;
}

int64_t
random_backoff(unsigned int failures, int64_t most)
{
	unsigned int n = failures > 0 ? failures - 1 : 0;
	int64_t ms = (int64_t)BACKOFF_FIRST << (n < DOUBLINGS ? n : DOUBLINGS);

	if (ms > most)
		ms = most;
	return ms / 2 + random_below(ms + 1);
}
