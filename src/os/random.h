/* SPDX-License-Identifier: ISC */
/*
 * Random bytes of the kernel.  A process lives for one connection and needs few
 * of them: a generator of its own would cost more memory and system calls than
 * it saves.
 */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Unpredictable bytes.  Aborts if there are none, since nothing would be safe.
 */
void random_bytes(void *, size_t);

/*
 * A random number from 0 to n - 1, n being 1 or more.  For pauses, not for
 * secrets: for large n small numbers are a little more frequent.
 */
uint32_t random_below(uint32_t n);

/*
 * How long to wait before a failed attempt is repeated: milliseconds after this
 * number of failures in a row (from 1): 200, doubled with each failure up to
 * most, and then varied at random by up to half of it, so that clients that
 * lost the same server do not return at the same time.
 */
int64_t random_backoff(unsigned int failures, int64_t most);

#endif
