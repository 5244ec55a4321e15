/* SPDX-License-Identifier: ISC */
#ifdef __linux__
#include <sys/epoll.h>
#else
#include <sys/event.h>
#include <sys/time.h>

#include <fcntl.h>
#endif

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "os/event.h"
#include "os/signals.h"

void
event_close(struct event_set *s)
{
	if (s->fd != -1)
		close(s->fd);
	s->fd = -1;
}

#ifdef __linux__

int
event_open(struct event_set *s)
{
	s->fd = epoll_create1(EPOLL_CLOEXEC);
	return s->fd == -1 ? -1 : 0;
}

static int
control(const struct event_set *s, int how, int fd, uint32_t tag, int on)
{
	struct epoll_event e = { .events = on ? EPOLLIN : 0,
	    .data.u32 = tag };

	return epoll_ctl(s->fd, how, fd, &e);
}

int
event_add(const struct event_set *s, int fd, uint32_t tag)
{
	return control(s, EPOLL_CTL_ADD, fd, tag, 1);
}

int
event_change(const struct event_set *s, int fd, uint32_t tag, int on)
{
	return control(s, EPOLL_CTL_MOD, fd, tag, on);
}

int
event_delete(const struct event_set *s, int fd)
{
	return control(s, EPOLL_CTL_DEL, fd, 0, 0);
}

int
event_take(const struct event_set *s, uint32_t tags[EVENT_BATCH])
{
	struct epoll_event e[EVENT_BATCH];
	int i, n;

	if ((n = epoll_wait(s->fd, e, EVENT_BATCH, 0)) == -1)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++)
		tags[i] = e[i].data.u32;
	return n;
}

#else

int
event_open(struct event_set *s)
{
	if ((s->fd = kqueue()) == -1)
		return -1;
	return fcntl(s->fd, F_SETFD, FD_CLOEXEC) == -1 ? -1 : 0;
}

static int
control(const struct event_set *s, int how, int fd, uint32_t tag)
{
	struct kevent e;

	EV_SET(&e, fd, EVFILT_READ, how, 0, 0, (void *)(uintptr_t)tag);
	return kevent(s->fd, &e, 1, NULL, 0, NULL) == -1 ? -1 : 0;
}

int
event_add(const struct event_set *s, int fd, uint32_t tag)
{
	return control(s, EV_ADD, fd, tag);
}

int
event_change(const struct event_set *s, int fd, uint32_t tag, int on)
{
	return control(s, on ? EV_ADD | EV_ENABLE : EV_ADD | EV_DISABLE, fd,
	    tag);
}

int
event_delete(const struct event_set *s, int fd)
{
	return control(s, EV_DELETE, fd, 0);
}

int
event_take(const struct event_set *s, uint32_t tags[EVENT_BATCH])
{
	struct kevent e[EVENT_BATCH];
	struct timespec now = { 0, 0 };
	int i, n;

	n = kevent(s->fd, NULL, 0, e, EVENT_BATCH, &now);
	if (n == -1)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++)
		tags[i] = (uint32_t)(uintptr_t)e[i].udata;
	return n;
}

#endif

int
event_wait(const struct event_set *s, uint32_t tags[EVENT_BATCH], int timeout)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int n = signals_poll(&p, 1, timeout);

	if (n <= 0)
		return n == -1 && errno != EINTR ? -1 : 0;
	return event_take(s, tags);
}
