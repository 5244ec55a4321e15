/* SPDX-License-Identifier: ISC */
/*
 * Time for deadlines: milliseconds of a clock that never jumps.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER	INT64_MAX

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);

/* The time in so many milliseconds; 0, an option that is off: CLOCK_NEVER. */
int64_t clock_after(int64_t ms);

/* clock_ms() in microseconds, for measuring. */
int64_t clock_us(void);

/* Milliseconds that this host was suspended since it was started, or 0. */
int64_t clock_asleep(void);

/* Seconds since 1970: what a date is compared with, never for deadlines. */
int64_t clock_date(void);

/* The timeout for poll(2) until then: 0 if past, -1 for CLOCK_NEVER. */
int clock_poll(int64_t deadline);

#endif
