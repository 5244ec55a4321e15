/* SPDX-License-Identifier: ISC */
/*
 * Times.  Deadlines are in milliseconds of a clock that never jumps,
 * clock_ms().
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER	INT64_MAX	/* a deadline that never comes */

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);

/*
 * The deadline in ms milliseconds; CLOCK_NEVER if ms is 0, as of an option that
 * is off.
 */
int64_t clock_after(int64_t ms);

/* The same clock in microseconds, to measure durations. */
int64_t clock_us(void);

/* Milliseconds that this host was suspended since boot; 0 if not known. */
int64_t clock_asleep(void);

/* Seconds since 1970, to compare with dates; not for deadlines. */
int64_t clock_date(void);

/* The timeout of poll(2) until a deadline: 0 if it is past, -1 if never. */
int clock_poll(int64_t deadline);

#endif
