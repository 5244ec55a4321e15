/* SPDX-License-Identifier: ISC */
/*
 * How long to wait before trying again.
 */
#ifndef OS_BACKOFF_H
#define OS_BACKOFF_H

#include <stdint.h>

/*
 * Milliseconds to wait after this number of failures in a row (from 1): 200,
 * doubled each time up to most, plus or minus half of it at random, so that
 * clients that lost the same server do not return at the same time.
 */
int64_t backoff_ms(unsigned int failures, int64_t most);

#endif
