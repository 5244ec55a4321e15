/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "supervisor/metrics/listener.h"
#include "supervisor/startup.h"
#include "supervisor/watch.h"

#define BACKLOG		128
#define SHARE_MS	200	/* for each, when there are too many */

int
metrics_listener_begin(struct metrics_listener *m, const struct options *o,
    const struct inherited *given, const struct event_set *events,
    struct error *why)
{
	int i, n, fd;

	m->o = o;
	m->events = events;
	m->watched = 1;
	if (o->observe.metrics == NULL)
		return 0;
	if ((n = startup_listener(given, LISTENER_METRICS,
	    o->observe.metrics, BACKLOG, m->fd, &m->file, why)) == -1)
		return -1;
	m->n = n;
	for (i = 0; i < n; i++) {
		if ((fd = fd_keep(m->fd[i])) != -1)
			m->fd[i] = fd;
		if (fd == -1 || event_add(events, fd,
		    watch_tag(WATCH_METRICS, i, 0)) == -1)
			return error_set(why, EXIT_SYSTEM, "the listener of "
			    "--metrics: %s", strerror(errno));
	}
	return 0;
}

void
metrics_listener_end(struct metrics_listener *m)
{
	unsigned int i;

	for (i = 0; i < m->nchildren; i++)
		kill(m->child[i].pid, SIGKILL);
	for (i = 0; i < m->n; i++) {
		net_unlisten(m->fd[i], &m->file);
		event_delete(m->events, m->fd[i]);
		close(m->fd[i]);
	}
	m->n = 0;
}

int
metrics_listener_accept(struct metrics_listener *m, unsigned int i)
{
	struct sockaddr_storage ss;
	socklen_t len;

	int fd = -1;

	errno = EAGAIN;
	if (i < m->n && m->nchildren < METRICS_CHILDREN)
		fd = net_accept(m->fd[i], &ss, &len);
	if (fd == -1 || net_admits(m->o->observe.metrics, fd))
		return fd;
	close(fd);
	errno = EACCES;
	return -1;
}

void
metrics_listener_forked(struct metrics_listener *m, pid_t pid, int64_t now)
{
	m->child[m->nchildren++] = (struct metrics_child){ pid, now };
}

int
metrics_listener_ended(struct metrics_listener *m, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < m->nchildren && m->child[i].pid != pid; i++)
		;
	if (i == m->nchildren)
		return 0;
	m->nchildren--;
	memmove(m->child + i, m->child + i + 1,
	    (m->nchildren - i) * sizeof(m->child[0]));
	return 1;
}

static int
watch(struct metrics_listener *m, int on)
{
	unsigned int i;

	for (i = 0; i < m->n && m->watched != on; i++)
		if (event_change(m->events, m->fd[i],
		    watch_tag(WATCH_METRICS, i, 0), on) == -1)
			return -1;
	m->watched = on;
	return 0;
}

static int
is_knocking(const struct metrics_listener *m)
{
	struct pollfd p[INHERIT_EXTRA_FDS];
	unsigned int i;

	for (i = 0; i < m->n; i++)
		p[i] = (struct pollfd){ .fd = m->fd[i], .events = POLLIN };
	return poll(p, m->n, 0) > 0;
}

int64_t
metrics_listener_tend(struct metrics_listener *m, int paused, int64_t now)
{
	int full = m->nchildren == METRICS_CHILDREN;

	if (m->n == 0)
		return CLOCK_NEVER;
	if (watch(m, !paused && !full) == -1)
		return -1;
	if (!full)
		return CLOCK_NEVER;
	if (m->child[0].since + SHARE_MS > now)
		return m->child[0].since + SHARE_MS;
	if (is_knocking(m))
		kill(m->child[0].pid, SIGKILL);
	return now + SHARE_MS;
}
