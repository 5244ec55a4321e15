/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <time.h>

#include "os/clock.h"

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t
clock_asleep(void)
{
#if defined(CLOCK_BOOTTIME) && !defined(COMPAT_ALL)
	struct timespec all, awake;

	if (clock_gettime(CLOCK_BOOTTIME, &all) == 0 &&
	    clock_gettime(CLOCK_MONOTONIC, &awake) == 0)
		return ((int64_t)all.tv_sec - awake.tv_sec) * 1000 +
		    (all.tv_nsec - awake.tv_nsec) / 1000000;
#endif
	return 0;
}

int64_t
clock_after(int64_t ms)
{
	return ms == 0 ? CLOCK_NEVER : clock_ms() + ms;
}

int64_t
clock_date(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int
clock_poll(int64_t deadline)
{
	int64_t left;

	if (deadline == CLOCK_NEVER)
		return -1;
	left = deadline - clock_ms();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}
