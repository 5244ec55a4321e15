/* SPDX-License-Identifier: ISC */
/*
 * The address of --metrics: a process for each request, and few at a time;
 * who comes when there are enough waits in the backlog.
 */
#include <sys/socket.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/title.h"
#include "supervisor/internal.h"
#include "supervisor/metrics_http.h"
#include "supervisor/startup.h"

#define BACKLOG	16

int
metrics_listener_begin(struct supervisor *s)
{
	struct metrics_listener *m = &s->metrics;
	struct error why;
	int fds[2], i, n;

	if (s->o->observe.metrics == NULL)
		return 0;
	if ((n = startup_listener(s->service->given, LISTENER_METRICS, s->o->observe.metrics,
	    BACKLOG, fds, &why)) == -1) {
		startup_failed(s->o, &why);
		return -1;
	}
	for (i = 0; i < n; i++)
		m->listener[m->n++] = fds[i];
	return 0;
}

void
metrics_listener_announce(const struct supervisor *s)
{
	char addr[NET_NAME_MAX];
	unsigned int i;

	for (i = 0; i < s->metrics.n; i++)
		supervisor_announce(s, "metrics", "metrics on", net_local_name(
		    s->metrics.listener[i], addr, sizeof(addr)));
}

unsigned int
metrics_listener_watch(const struct supervisor *s, struct pollfd *p)
{
	unsigned int i;

	if (s->metrics.nchildren == METRICS_CHILDREN ||
	    supervisor_paused(s) != 0)
		return 0;
	for (i = 0; i < s->metrics.n; i++)
		p[i] = (struct pollfd){ .fd = s->metrics.listener[i],
		    .events = POLLIN };
	return s->metrics.n;
}

void
metrics_listener_close(const struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->metrics.n; i++)
		close(s->metrics.listener[i]);
}

static _Noreturn void
be_child(const struct supervisor *s, int fd)
{
	child_leave_supervisor(s);
	title_set("inetws: answering about %s", s->name);
	metrics_serve(fd, s->o, s->service, s->phase != SERVING);
	_exit(0);
}

void
metrics_listener_accept(struct supervisor *s, const struct pollfd *p,
    unsigned int n)
{
	struct metrics_listener *m = &s->metrics;
	struct sockaddr_storage ss;
	socklen_t len;
	unsigned int i;
	pid_t pid;
	int fd;

	for (i = 0; i < n && m->nchildren < METRICS_CHILDREN; i++) {
		if (p[i].revents == 0)
			continue;
		if ((fd = net_accept(p[i].fd, &ss, &len)) == -1) {
			if (errno != EAGAIN && errno != EWOULDBLOCK &&
			    !accept_error_is_transient(errno))
				supervisor_pause(s, "accept", errno);
			continue;
		}
		if ((pid = fork()) == 0)
			be_child(s, fd);
		if (pid != -1)
			m->child[m->nchildren++] = pid;
		close(fd);
	}
}

void
metrics_listener_forget(struct supervisor *s, pid_t pid)
{
	struct metrics_listener *m = &s->metrics;
	unsigned int i;

	for (i = 0; i < m->nchildren; i++)
		if (m->child[i] == pid) {
			m->child[i] = m->child[--m->nchildren];
			return;
		}
}

void
metrics_listener_end(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->metrics.nchildren; i++)
		kill(s->metrics.child[i], SIGKILL);
	if (s->metrics.n > 0 && s->o->observe.metrics->kind == ADDR_UNIX)
		unlink(s->o->observe.metrics->path);
	metrics_listener_close(s);
	s->metrics.n = 0;
}
