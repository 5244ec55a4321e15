/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "connection/path_table.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/pidfile.h"
#include "os/signals.h"
#include "sandbox/drop.h"
#include "stats/page.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"
#include "supervisor/watch.h"

#define GRACE		3000	/* ms from TERM to KILL */
#define HURRY		250	/* the same, when asked twice */
#define REAP_AT_END	1000	/* ms from KILL to giving up */

static int
take_pidfile(struct supervisor *s)
{
	struct error why;
	int fd;

	if (s->o->service.pidfile == NULL)
		return 0;
	s->pidfile = pidfile_make(s->o->service.pidfile, &why);
	if (s->pidfile != -1 && (fd = fd_keep(s->pidfile)) != -1)
		s->pidfile = fd;
	if (s->pidfile != -1)
		return 0;
	startup_failed(s->o, &why);
	return -1;
}

static void
leave_pidfile(struct supervisor *s)
{
	if (s->pidfile != -1)
		pidfile_leave(s->pidfile, s->o->service.pidfile);
	s->pidfile = -1;
}

static void
stop_accepting(struct supervisor *s, int leave)
{
	unsigned int i;

	for (i = 0; i < s->nlisteners; i++) {
		if (!leave)
			net_unlisten(s->listener[i],
			    &s->service->given->file[i]);
		event_delete(&s->accepting, s->listener[i]);
		close(s->listener[i]);
	}
	s->nlisteners = 0;
	pool_stop(s, leave);
	ahead_stop(&s->ahead, CLOCK_NEVER);
	extra_stop(s);
	leave_pidfile(s);
	notify_send(&s->notify, "STOPPING=1");
}

static void
enter(struct supervisor *s, enum phase phase, int64_t ms)
{
	if (phase == ENDING)
		child_signal_all(s, SIGTERM);
	if (phase == KILLING)
		child_signal_all(s, SIGKILL);
	s->phase = phase;
	s->phase_end = clock_ms() + ms;
	s->shown.changed = 1;
	s->shown.next = 0;
}

static void
log_stopping(const struct supervisor *s, const char *how)
{
	struct log_line l;
	char time[24], hint[100];

	log_begin(&l, LOG_L_INFO, "stopping");
	log_num(&l, "active", s->children.n);
	log_str(&l, "tunnels", how);
	if (s->children.n > 0 && strcmp(how, "drained") == 0) {
		str_ms(time, sizeof(time), s->o->timeouts.drain);
		snprintf(hint, sizeof(hint), "they may finish for %s; a "
		    "second signal ends them", time);
		log_str(&l, "hint", hint);
	}
	log_end(&l);
}

/* TERM or INT, or there is nothing more to do. */
void
supervisor_terminate(struct supervisor *s)
{
	int64_t drain = s->o->timeouts.drain;

	if (s->phase == ENDING)
		enter(s, KILLING, REAP_AT_END);
	if (s->phase == DRAINING)
		enter(s, ENDING, HURRY);
	if (s->phase != SERVING)
		return;
	stop_accepting(s, drain < 0);
	log_stopping(s, drain < 0 ? "left" : drain > 0 ? "drained" : "ended");
	if (drain < 0)
		s->phase = ENDED;
	else if (drain > 0)
		enter(s, DRAINING, drain);
	else
		enter(s, ENDING, GRACE);
}

/* QUIT. */
static void
quit(struct supervisor *s)
{
	if (s->phase == SERVING) {
		stop_accepting(s, 0);
		log_stopping(s, "ended");
	}
	if (s->phase == ENDING)
		enter(s, KILLING, REAP_AT_END);
	if (s->phase < ENDING)
		enter(s, ENDING, HURRY);
}

/* Goes on to the next phase when the time of this one is over. */
static void
advance(struct supervisor *s)
{
	if (s->phase == SERVING || s->phase == ENDED)
		return;
	if (s->children.n == 0)
		s->phase = ENDED;
	else if (clock_ms() < s->phase_end)
		return;
	else if (s->phase == DRAINING)
		enter(s, ENDING, GRACE);
	else if (s->phase == ENDING)
		enter(s, KILLING, REAP_AT_END);
	else
		s->phase = ENDED;
}

/* In a process of its own: a log that is slow holds nobody up. */
static void
log_statistics(struct supervisor *s)
{
	pid_t pid = child_fork_aside(s, -1, -1);

	if (pid == 0) {
		slots_log(s->children.n + slots_inherited(&s->slots));
		_exit(0);
	}
	if (pid == -1)
		log_event(LOG_L_WARN, "no-statistics", "error",
		    strerror(errno), NULL);
}

static void
take_signals(struct supervisor *s)
{
	if (signal_taken(SIGCHLD))
		child_reap(s);
	if (signal_taken(SIGTERM) + signal_taken(SIGINT) > 0)
		supervisor_terminate(s);
	if (signal_taken(SIGQUIT))
		quit(s);
	if (signal_taken(SIGHUP))
		supervisor_reload(s);
	if (signal_report_wanted())
		log_statistics(s);
}

static void
earlier(int64_t *until, int64_t t)
{
	if (t < *until)
		*until = t;
}

/* Does what is due, and says when there is something to do again. */
static int64_t
tend(struct supervisor *s)
{
	int64_t now = clock_ms(), until = CLOCK_NEVER, metrics, paused;

	child_reap_tend(s, now);
	reload_tend(s, now);
	pool_tend(s, now);
	spare_tend(s, now);
	extra_tend(s, now);
	show_tend(s, now);
	fork_ahead_tend(s, now);
	refusals_close(&s->refusals, now);
	network_tend(s, now);
	paused = pause_until(&s->pause, now);
	metrics = metrics_listener_tend(&s->metrics, paused != 0, now);
	if (metrics == -1)
		accept_pause(s, "epoll", errno);
	accept_watch(s);
	if (s->network_due != 0)
		earlier(&until, s->network_due);
	earlier(&until, child_reap_time(s));
	if (s->phase != SERVING)
		earlier(&until, s->phase_end);
	if ((paused = pause_until(&s->pause, now)) != 0)
		earlier(&until, paused);
	earlier(&until, pool_time(s));
	earlier(&until, spare_time(s));
	earlier(&until, extra_time(s));
	earlier(&until, show_time(s));
	earlier(&until, fork_ahead_time(s, now));
	earlier(&until, reload_time(s));
	earlier(&until, refusals_time(&s->refusals));
	if (metrics != -1)
		earlier(&until, metrics);
	return until;
}

static void
dispatch(struct supervisor *s, uint32_t tag)
{
	struct child *c;

	switch (watch_kind(tag)) {
	case WATCH_LISTENERS:
		accept_ready(s);
		break;
	case WATCH_METRICS:
		accept_metrics(s, watch_index(tag));
		break;
	case WATCH_CHANNEL:
		c = children_at(&s->children, watch_index(tag),
		    watch_generation(tag));
		if (c != NULL)
			pool_read_channel(s, c);
		break;
	case WATCH_NETWORK:
		network_ready(s);
		break;
	case WATCH_TABLE:
		reload_table_ended(s, watch_index(tag));
		break;
	default:
		break;		/* the others are in the other set */
	}
}

/* Without events there is still time, and there are signals. */
static void
wait_for_events(struct supervisor *s, int64_t until)
{
	uint32_t tags[EVENT_BATCH];
	int i, n = event_wait(&s->events, tags, clock_poll(until));

	if (n == -1) {
		accept_pause(s, "poll", errno);
		signals_poll(NULL, 0, 100);
	}
	s->is_busy = 0;
	for (i = 0; i < n; i++)
		dispatch(s, tags[i]);
}

/* --- the beginning and the end --- */

static int
watch_listeners(struct supervisor *s, const int *listeners, unsigned int n)
{
	unsigned int i;

	s->nlisteners = n < SUPERVISOR_LISTENERS_MAX ? n :
	    SUPERVISOR_LISTENERS_MAX;
	for (i = 0; i < s->nlisteners; i++)
		if ((s->listener[i] = fd_keep(listeners[i])) == -1 ||
		    event_add(&s->accepting, s->listener[i],
		    watch_tag(WATCH_LISTENER, i, 0)) == -1)
			return -1;
	return 0;
}

/* One set watches the other: accepting stops and goes on by one call. */
static int
open_events(struct supervisor *s)
{
	if (event_open(&s->events) == -1 || event_open(&s->accepting) == -1 ||
	    (s->events.fd = fd_keep(s->events.fd)) == -1 ||
	    (s->accepting.fd = fd_keep(s->accepting.fd)) == -1)
		return -1;
	s->is_accepting = 1;
	return event_add(&s->events, s->accepting.fd,
	    watch_tag(WATCH_LISTENERS, 0, 0));
}

static void
open_notify(struct supervisor *s)
{
	int fd;

	if (notify_open(&s->notify) == -1)
		log_event(LOG_L_WARN, "notify", "error", strerror(errno), NULL);
	if (s->notify.fd != -1 && (fd = fd_keep(s->notify.fd)) != -1)
		s->notify.fd = fd;
}

static int
out_of_something(const char *what)
{
	log_event(LOG_L_ERROR, "start", "why", what, "error", strerror(errno),
	    NULL);
	return EXIT_SYSTEM;
}

static int
begin_limits(struct supervisor *s)
{
	struct error why;
	int least;

	s->descriptor_limit = fd_limit_raise();
	if (children_begin(&s->children) == -1 || waiting_begin() == -1 ||
	    (least = accept_limits(s)) == -1)
		return out_of_something("no memory");
	if ((unsigned int)least <= s->descriptor_limit)
		return GO_ON;
	error_set(&why, EXIT_SYSTEM, "the limit of open files is %u, and at "
	    "least %d are needed: raise it with ulimit -n or LimitNOFILE=",
	    s->descriptor_limit, least);
	return startup_failed(s->o, &why);
}

/* GO_ON, or the status to exit with. */
static int
begin_objects(struct supervisor *s, const int *listeners, unsigned int n)
{
	const struct inherited *given = s->service->given;
	struct stats_about about;
	struct error why;
	int status;

	s->nlisteners = n;
	if ((status = begin_limits(s)) != GO_ON)
		return status;
	if (open_events(s) == -1 || watch_listeners(s, listeners, n) == -1)
		return out_of_something("cannot watch the listeners");
	if (network_watch(s) == -1)
		return out_of_something("cannot watch the network");
	if (names_begin(&s->names, s->o, given, &s->accepting, s->fits.names,
	    &why) == -1)
		return startup_failed(s->o, &why);
	s->reserve = fd_reserve();
	open_notify(s);
	signals_supervisor();
	show_name(s);
	if (metrics_listener_begin(&s->metrics, s->o, given, &s->events,
	    &why) == -1)
		return startup_failed(s->o, &why);
	about = show_about(s);
	if (slots_begin(&s->slots, s->fits.connections, &about) == -1)
		return out_of_something("no memory");
	return GO_ON;
}

static int
begin(struct supervisor *s, const int *listeners, unsigned int n)
{
	struct error why;
	int status;

	if ((status = begin_objects(s, listeners, n)) != GO_ON)
		return status;
	if (take_pidfile(s) == -1)
		return EXIT_SYSTEM;
	startup_huge_text(s->o);
	if (drop_privileges(s->o, stats_chown, &why) == -1)
		return startup_failed(s->o, &why);
	if ((s->service->unprivileged != NULL && (status =
	    s->service->unprivileged(s->service->arg)) != GO_ON) ||
	    (status = startup_try_sandbox(s->o)) != GO_ON)
		return status;
	if (startup_visitors_dir(s->o->reverse.visitors_dir, &why) == -1)
		return startup_failed_inside(s->o, &why);
	reload_begin(s);
	fork_ahead_tend(s, clock_ms());
	show_addresses(s);
	s->shown.changed = 1;
	notify_send(&s->notify, "READY=1");
	return GO_ON;
}

/* Also of what has not begun. */
static void
end(struct supervisor *s)
{
	show_end(s);
	refusals_close_all(&s->refusals);
	if (s->reserve != -1)
		close(s->reserve);
	leave_pidfile(s);
	notify_close(&s->notify);
	metrics_listener_end(&s->metrics);
	slots_end(&s->slots, s->children.n);
	names_end(&s->names);
	queue_end(&s->queue);
	handshake_limit_end(&s->handshakes);
	children_end(&s->children);
	waiting_end();
	path_table_end();
	net_changes_close(&s->network);
	event_close(&s->accepting);
	event_close(&s->events);
}

int
supervisor_run(const struct options *o, const int *listeners, unsigned int n,
    const struct service *service)
{
	struct supervisor s;
	int status;

	memset(&s, 0, sizeof(s));
	s.status = EXIT_ENDED;
	s.o = o;
	s.service = service;
	s.reserve = s.notify.fd = s.pidfile = -1;
	s.events.fd = s.accepting.fd = -1;
	s.network = NET_CHANGES_NONE;
	status = begin(&s, listeners, n);
	while (status == GO_ON && s.phase != ENDED) {
		wait_for_events(&s, tend(&s));
		take_signals(&s);
		advance(&s);
	}
	end(&s);
	return status != GO_ON ? status : s.status;
}
