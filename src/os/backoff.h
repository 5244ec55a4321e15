/* SPDX-License-Identifier: ISC */
/*
 * How long to wait before trying again.
 */
#ifndef OS_BACKOFF_H
#define OS_BACKOFF_H

#include <stdint.h>

/*
 * Milliseconds behind the so many-th failure in a row, from 1: 200, doubled
 * each time up to most, give or take half of it at random, so that those who
 * lost the same server do not come back at the same time.
 */
int64_t backoff_ms(unsigned int failures, int64_t most);

#endif
