/* SPDX-License-Identifier: ISC */
/*
 * ppoll(2) by pselect(2), which waits with another signal mask as well, and
 * poll(2), which then tells what is ready.  pselect(2) does not wake for the
 * end of a descriptor that is watched for nothing else, nor does it take high
 * numbers: with one of these poll(2) looks every LOOK_MS.
 */
#ifdef COMPAT_PPOLL
#include <sys/select.h>

#include <stdint.h>
#include <string.h>

#define LOOK_MS	250

struct watched {
	fd_set in, out;
	int top;		/* the highest number, plus one */
	int looks;		/* not all can be waited for */
};

static void
prepare(struct watched *w, const struct pollfd *fds, nfds_t n)
{
	nfds_t i;

	FD_ZERO(&w->in);
	FD_ZERO(&w->out);
	w->top = w->looks = 0;
	for (i = 0; i < n; i++) {
		if (fds[i].fd < 0)
			continue;
		if (fds[i].fd >= FD_SETSIZE ||
		    (fds[i].events & (POLLIN | POLLOUT)) == 0) {
			w->looks = 1;
			continue;
		}
		if (fds[i].events & POLLIN)
			FD_SET(fds[i].fd, &w->in);
		if (fds[i].events & POLLOUT)
			FD_SET(fds[i].fd, &w->out);
		if (fds[i].fd >= w->top)
			w->top = fds[i].fd + 1;
	}
}

static int64_t
ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* 0: something is ready, or it is time to look; -1 with errno. */
static int
wait_once(const struct pollfd *fds, nfds_t n, int64_t ms, const sigset_t *mask)
{
	struct timespec ts;
	struct watched w;

	prepare(&w, fds, n);
	if (w.looks && (ms < 0 || ms > LOOK_MS))
		ms = LOOK_MS;
	ts.tv_sec = ms / 1000;
	ts.tv_nsec = ms % 1000 * 1000000;
	return pselect(w.top, &w.in, &w.out, NULL, ms < 0 ? NULL : &ts,
	    mask) == -1 ? -1 : 0;
}

int
compat_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask)
{
	int64_t until = 0, left = -1;
	int ready;

	if (timeout != NULL) {
		left = (int64_t)timeout->tv_sec * 1000 +
		    timeout->tv_nsec / 1000000;
		until = ms_now() + left;
	}
	while ((ready = poll(fds, n, 0)) == 0) {
		if (wait_once(fds, n, left, mask) == -1)
			return -1;
		if (timeout == NULL)
			continue;
		if (left <= 0)
			return poll(fds, n, 0);
		if ((left = until - ms_now()) < 0)
			left = 0;
	}
	return ready;
}
#endif
