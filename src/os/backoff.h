/* SPDX-License-Identifier: ISC */
/*
 * How long to wait before a failed attempt is repeated.
 */
#ifndef OS_BACKOFF_H
#define OS_BACKOFF_H

#include <stdint.h>

/*
 * Milliseconds to wait after this number of failures in a row (from 1): 200,
 * doubled with each failure up to most, and then varied at random by up to half
 * of it, so that clients that lost the same server do not return at the same
 * time.
 */
int64_t backoff_ms(unsigned int failures, int64_t most);

#endif
