/* SPDX-License-Identifier: ISC */
/* A clock that goes on as the test says. */
#ifndef TODAY_H
#define TODAY_H

#include <stdint.h>
#include <time.h>

static int64_t today = 1000000;		/* ms */
static int64_t today_step;		/* ms that pass at each look */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	today += today_step;
	ts->tv_sec = today / 1000;
	ts->tv_nsec = today % 1000 * 1000000;
	return 0;
}

#endif
