/* SPDX-License-Identifier: ISC */
/*
 * A child's beginning and its end.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "net/socket.h"
#include "os/process.h"
#include "os/signals.h"
#include "stats/page.h"
#include "supervisor/internal.h"

void
child_leave_supervisor(const struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->nlisteners; i++)
		close(s->listener[i].fd);
	metrics_listener_close(s);
	pool_close(s);
	for (i = 0; i < s->refused.n; i++)
		close(s->refused.fd[i]);
	if (s->reserve != -1)
		close(s->reserve);
	if (s->pidfile != -1)
		close(s->pidfile);
	if (s->notify.fd != -1)
		close(s->notify.fd);
	signals_child();
}

/* The child's side of the fork. */
static _Noreturn void
be_child(const struct supervisor *s, const struct incoming *a, int slot,
    int pair, int full)
{
	const struct service *service = s->service;
	char peer[NET_NAME_MAX];

	child_leave_supervisor(s);
	stats_take(slot, STATE_HANDSHAKE);
	if (a->sa != NULL)
		net_print(a->sa, a->len, peer, sizeof(peer));
	else
		strlcpy(peer, a->peer, sizeof(peer));
	if (full)
		_exit(service->serve_full(service->arg, a->fd, peer));
	if (pair != -1)
		_exit(service->park(service->arg, a->fd, peer, pair));
	_exit(service->serve(service->arg, a->fd, peer));
}

int
supervisor_is_full(struct supervisor *s)
{
	return s->active + s->nsurvivors >= s->max &&
	    s->active + slots_inherited(s) >= s->max;
}

int
child_start(struct supervisor *s, const struct incoming *a)
{
	int slot = slots_take(s), pair[2] = { -1, -1 }, e;
	int full = supervisor_is_full(s);
	pid_t pid = -1;

	if (s->service->before != NULL)
		s->service->before(s->service->arg);
	if ((full || (a->fd != -1 && !s->service->parks) ||
	    fdpass_pair(pair) == 0) && (pid = process_fork()) == 0) {
		if (pair[0] != -1)
			close(pair[0]);
		be_child(s, a, slot, pair[1], full);
	}
	e = errno;
	if (pair[1] != -1)
		close(pair[1]);
	if (pid == -1) {
		if (pair[0] != -1)
			close(pair[0]);
		slots_give_back(s, slot);
		errno = e;
		return -1;
	}
	s->child[s->active] = (struct child){ .pid = pid, .slot = slot,
	    .channel = pair[0], .spare = a->fd == -1, .name = NAME_NONE,
	    .seat = pair[0] == -1 ? CHILD_SINGLE : CHILD_STARTING,
	    .queued = { .fd = -1 } };
	s->active++;
	if (a->fd != -1)
		handshake_limit_begun(s, pid, slot);
	s->changed = 1;
	return 0;
}

static void
forget(struct supervisor *s, pid_t pid, int status)
{
	struct child c;
	unsigned int i;

	for (i = 0; i < s->active && s->child[i].pid != pid; i++)
		;
	if (i == s->active) {
		metrics_listener_forget(s, pid);
		return;
	}
	c = s->child[i];
	if (WIFSIGNALED(status) && s->phase < KILLING)
		slots_log_killed(pid, WTERMSIG(status), c.slot);
	slots_give_back(s, c.slot);
	handshake_limit_ended(s, pid);
	s->active--;
	s->child[i] = s->child[s->active];
	s->changed = 1;
	pool_child_ended(s, &c, status);
}

void
supervisor_reap(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		forget(s, pid, status);
}

void
supervisor_signal(const struct supervisor *s, int signo)
{
	unsigned int i;

	for (i = 0; i < s->active; i++)
		kill(s->child[i].pid, signo);
}
