/* SPDX-License-Identifier: ISC */
#include "os/backoff.h"
#include "os/random.h"

#define FIRST		200	/* ms */
#define DOUBLINGS	10

int64_t
backoff_ms(unsigned int failures, int64_t most)
{
	unsigned int n = failures > 0 ? failures - 1 : 0;
	int64_t ms = (int64_t)FIRST << (n < DOUBLINGS ? n : DOUBLINGS);

	if (ms > most)
		ms = most;
	return ms / 2 + random_below(ms + 1);
}
