/* SPDX-License-Identifier: ISC */
/*
 * Unpredictable bytes, straight from the kernel: a process that lives for one
 * connection needs so few that a generator of its own would cost it more, in
 * pages and system calls, than it saves.
 */
#ifndef OS_RANDOM_H
#define OS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Never fails: without random bytes nothing here is safe, so it aborts. */
void random_bytes(void *, size_t);

/*
 * 0 to n - 1, n from 1: even enough for pauses that must not be the same
 * everywhere, not for secrets.
 */
uint32_t random_below(uint32_t n);

#endif
