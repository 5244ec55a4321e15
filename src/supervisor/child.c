/* SPDX-License-Identifier: ISC */
/*
 * A child's beginning and its end.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "connection/path_table.h"
#include "connection/waiting.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"
#include "sandbox/limits.h"
#include "supervisor/internal.h"
#include "supervisor/watch.h"

#define REAP_AGAIN	100	/* ms from a child's end to a second look */
#define REAP_ALL	1000	/* ... to a look at all, and 1 for each child, */
#define REAP_HURRY	100	/* ... or a fifth, if some may have been killed */

/*
 * A child of whatever kind has nothing that is the supervisor's, neither
 * descriptors nor signals.  The set of events, which is shared by the fork, is
 * left like all else, and not touched in any other way.
 */
static pid_t
fork_child(int keep, int channel)
{
	pid_t pid = process_fork_with(keep, channel);

	if (pid == 0) {
		signals_child();
		log_wait();
	}
	return pid;
}

/* Those that are forked ahead give their place among the processes away. */
static pid_t
fork_or_make_room(struct supervisor *s, int keep, int channel)
{
	pid_t pid = fork_child(keep, channel);
	int e = errno;

	if (pid == -1 && ahead_stop(&s->ahead, clock_ms() + AHEAD_REST) > 0)
		return fork_child(keep, channel);
	errno = e;
	return pid;
}

/* The child's side of the fork. */
static _Noreturn void
be_child(const struct supervisor *s, const struct incoming *a, int slot,
    int channel, int extra, int may_log, unsigned int number)
{
	const struct service *service = s->service;
	char peer[NET_NAME_MAX];
	int status;

	waiting_be(number);
	path_table_be(number);
	path_table_follow();
	failure_lines_allow(may_log);
	stats_take(slot, STATE_HANDSHAKE);
	limits_not_dumpable();
	if (a->sa != NULL)
		net_print(a->sa, a->len, peer, sizeof(peer));
	else
		strlcpy(peer, a->peer, sizeof(peer));
	if (extra)
		status = service->serve_extra(service->arg, a->fd, peer,
		    channel);
	else if (channel != -1)
		status = service->park(service->arg, a->fd, peer, channel);
	else
		status = service->serve(service->arg, a->fd, peer);
	waiting_end_child();
	_exit(failure_lines_exit_status(status));	/* perhaps 128 more */
}

static _Noreturn void
be_ahead(const struct supervisor *s, int theirs)
{
	struct ahead_message m;
	struct incoming a = { .sa = (struct sockaddr *)&m.sa };

	title_set("%s, forked ahead", s->shown.name);
	limits_not_dumpable();
	if ((a.fd = ahead_wait(theirs, &m)) < 0)
		_exit(EXIT_ENDED);
	close(theirs);
	title_set("%s, handshake", s->shown.name);
	a.len = m.len;
	be_child(s, &a, m.slot, -1, 0, m.may_log, m.child);
}

pid_t
child_fork_ahead(const struct supervisor *s, int theirs)
{
	pid_t pid = fork_child(theirs, -1);

	if (pid == 0)
		be_ahead(s, theirs);
	return pid;
}

pid_t
child_fork_aside(struct supervisor *s, int keep, int other)
{
	pid_t pid = fork_or_make_room(s, keep, other);
	unsigned int i;

	if (pid != 0)
		return pid;
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (s->service->files[i] != NULL)
			line_file_forget(s->service->files[i]);
	return 0;
}

unsigned int
child_count(const struct supervisor *s)
{
	return s->children.n - s->children.extras +
	    slots_inherited(&s->slots);
}

/* Inherited tunnels are recounted only when the limit seems reached. */
int
child_is_limit_reached(struct supervisor *s)
{
	if (child_count(s) < s->fits.connections)
		return 0;
	if (slots_look(&s->slots, clock_ms()))
		s->shown.changed = 1;
	return child_count(s) >= s->fits.connections;
}

/* Our end and the child's; both -1 if it needs none. */
static int
make_channel(const struct supervisor *s, const struct incoming *a, int extra,
    int pair[2])
{
	int fd, e;

	pair[0] = pair[1] = -1;
	if (a->fd != -1 && !extra && !s->service->parks)
		return 0;
	if (fdpass_pair(pair) == -1)
		return -1;
	if ((fd = fd_keep(pair[0])) != -1) {
		pair[0] = fd;
		return 0;
	}
	e = errno;
	close(pair[0]);
	close(pair[1]);
	errno = e;
	return -1;
}

int
child_prepare(struct supervisor *s)
{
	unsigned int number = children_next_index(&s->children);

	waiting_clear(number);
	path_table_clear(number);
	return slots_take(&s->slots);
}

/* A channel that cannot be watched is of no use. */
void
child_begun(struct supervisor *s, pid_t pid, int slot, int channel,
    const struct incoming *a, int extra, int64_t failure_line)
{
	struct child *c = children_add(&s->children, pid, slot, channel,
	    a->fd == -1);
	unsigned int index = children_index(&s->children, c);

	c->failure_line = failure_line;
	c->renewed = s->tables.renewed;
	children_set_extra(&s->children, c, extra);
	if (channel != -1 && event_add(&s->events, channel,
	    watch_tag(WATCH_CHANNEL, index, c->generation)) == -1) {
		accept_pause(s, "epoll", errno);
		pool_end_channel(s, c);
	}
	if (a->fd != -1 && !extra)
		handshake_limit_begun(&s->handshakes, index, pid, slot);
	s->shown.changed = 1;
}

int
child_start(struct supervisor *s, const struct incoming *a, int extra)
{
	int slot, pair[2], e;
	int64_t line;
	pid_t pid;

	if (s->children.n == s->children.room) {
		errno = EAGAIN;
		return -1;
	}
	if (!extra && fork_ahead_serve(s, a))
		return 0;
	if (make_channel(s, a, extra, pair) == -1)
		return -1;
	slot = child_prepare(s);
	line = failure_lines_grant(&s->failures, clock_ms());
	if ((pid = fork_or_make_room(s, a->fd, pair[1])) == 0)
		be_child(s, a, slot, pair[1], extra, line != 0,
		    children_next_index(&s->children));
	e = errno;
	if (pair[1] != -1)
		close(pair[1]);
	if (pid != -1) {
		child_begun(s, pid, slot, pair[0], a, extra, line);
		return 0;
	}
	if (pair[0] != -1)
		close(pair[0]);
	slots_give_back(&s->slots, slot);
	failure_lines_ended(&s->failures, line, 0, clock_ms());
	errno = e;
	return -1;
}

void
child_forget(struct supervisor *s, pid_t pid, int status)
{
	struct child *c = children_find(&s->children, pid);
	struct ahead_place *p = ahead_find(&s->ahead, pid);
	struct ahead_message m;
	struct visitor v;
	struct child ended;
	int again = -1;

	if (p != NULL) {
		again = fork_ahead_take_back(s, p, &m);
		ahead_ended(&s->ahead, p, clock_ms());
	}
	if (c == NULL) {
		metrics_listener_ended(&s->metrics, pid);
		tables_ended(&s->tables, pid);
		return;
	}
	failure_lines_ended(&s->failures, c->failure_line, WIFEXITED(status) &&
	    failure_lines_was_wanted(WEXITSTATUS(status)), clock_ms());
	if (WIFSIGNALED(status) && s->phase < KILLING && again == -1)
		slots_log_killed(pid, WTERMSIG(status), c->slot);
	slots_give_back(&s->slots, c->slot);
	handshake_limit_ended(&s->handshakes,
	    children_index(&s->children, c));
	pool_child_ended(s, c);
	ended = *c;
	v = c->visitor;
	c->visitor.fd = -1;
	pool_end_channel(s, c);
	if (c->name != NAME_NONE) {
		takeover_remove(names_takeover(&s->names, c->name),
		    c->takeover, clock_ms());
		names_remove_agent(&s->names, c->name, clock_ms());
	}
	waiting_clear(children_index(&s->children, c));
	path_table_clear(children_index(&s->children, c));
	children_remove(&s->children, c);
	if (ended.spare)
		spare_ended(s, &ended, status);
	s->shown.changed = 1;
	pool_bring_back(s, &v);
	extra_child_ended(s);
	if (again != -1)
		fork_ahead_serve_again(s, again, &m);
}

/* It has ended, or is stopped: then another process has to do its work. */
static void
changed(struct supervisor *s, pid_t pid, int status)
{
	struct ahead_place *p = ahead_find(&s->ahead, pid);

	if (!WIFSTOPPED(status))
		child_forget(s, pid, status);
	else if (p != NULL)
		fork_ahead_lost(s, p);
	else
		spare_stopped(children_find(&s->children, pid));
}

/* Was it killed? */
static int
reap(struct supervisor *s, pid_t pid)
{
	int status;

	if (pid <= 0 || waitpid(pid, &status, WNOHANG | WUNTRACED) != pid)
		return 0;
	changed(s, pid, status);
	return WIFSIGNALED(status);
}

/* The system looks at all children for this, which takes its time. */
static void
reap_all(struct supervisor *s)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
		changed(s, pid, status);
	s->reap_all = 0;
}

/* Those that said they end, from the nth one on. */
static void
reap_from(struct supervisor *s, uint32_t n)
{
	uint32_t ended = waiting_ended();
	int i;

	s->reaped = ended;
	if (ended - n > WAITING_RING) {
		s->reap_all = 1;
		return;
	}
	for (; n != ended; n++) {
		i = waiting_ended_child(n);
		if (i != -1 && (unsigned int)i < s->children.top)
			reap(s, children_numbered(&s->children,
			    (unsigned int)i)->pid);
	}
}

/*
 * The signal names one child, and of several that end at once often one only.
 * The others have written their numbers into a ring (waiting.h) just before
 * _exit(2), which waitpid(2) may not see yet: each is tried now and once more
 * later.  Those that were killed or stopped wrote nothing and are found by a look
 * at all children, sooner if this one was killed: then others may have been, too.
 */
void
child_reap(struct supervisor *s)
{
	int64_t now = clock_ms(), all;
	int killed = reap(s, signal_child());

	reap_from(s, s->reaped);
	if (s->reap_again == 0)
		s->reap_again = now + REAP_AGAIN;
	all = killed || s->phase != SERVING ? REAP_HURRY +
	    s->children.n / 5 : REAP_ALL + s->children.n;
	if (s->reap_all == 0 || now + all < s->reap_all)
		s->reap_all = now + all;
}

/* Those that answer about metrics or make tables say nothing, and are few. */
static void
reap_again(struct supervisor *s)
{
	uint32_t from = s->reaped_twice;
	unsigned int i = s->metrics.nchildren;

	s->reap_again = 0;
	s->reaped_twice = s->reaped;
	reap_from(s, from);
	while (i-- > 0)
		reap(s, s->metrics.child[i].pid);
	for (i = 0; i < sizeof(s->tables.build) / sizeof(s->tables.build[0]);
	    i++)
		reap(s, s->tables.build[i].pid);
}

void
child_reap_tend(struct supervisor *s, int64_t now)
{
	if (s->reap_again != 0 && now >= s->reap_again)
		reap_again(s);
	if (s->reap_all != 0 && now >= s->reap_all)
		reap_all(s);
}

int64_t
child_reap_time(const struct supervisor *s)
{
	int64_t again = s->reap_again != 0 ? s->reap_again : CLOCK_NEVER;

	return s->reap_all != 0 && s->reap_all < again ? s->reap_all : again;
}

void
child_signal_all(const struct supervisor *s, int signo)
{
	const struct child *c = NULL;

	while ((c = children_next(&s->children, c)) != NULL)
		kill(c->pid, signo);
}
