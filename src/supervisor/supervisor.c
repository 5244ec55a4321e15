/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/pidfile.h"
#include "os/signals.h"
#include "sandbox/drop.h"
#include "stats/page.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"

#define GRACE		3000	/* ms from TERM to KILL */
#define HURRY		250	/* the same, when asked twice */
#define REAP_AT_END	1000	/* ms from KILL to giving up */

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/*
 * "listening on ADDR" on standard error, which those who start us wait for.
 * Where all lines there are the log's the words are in one of them, and where
 * the log is elsewhere it tells too.
 */
void
supervisor_announce(const struct supervisor *s, const char *event,
    const char *words, const char *addr)
{
	char msg[NET_NAME_MAX + 64];

	snprintf(msg, sizeof(msg), "%s %s as %s", words, addr,
	    mode_name(s->o->mode));
	if (!log_owns_stderr() || !log_wants(LOG_L_INFO))
		dprintf(STDERR_FILENO, "%s %s\n", words, addr);
	if (log_owns_stderr() || log_is_elsewhere())
		log_event(LOG_L_INFO, event, "address", addr, "name",
		    strstr(s->name, "inetws ") != NULL ? s->name + 7 :
		    s->name, "version", INETWS_VERSION, "msg", msg, NULL);
}

/* When all else is there: who waits for these lines may rely on it. */
static void
announce(const struct supervisor *s)
{
	char addr[NET_NAME_MAX];
	unsigned int i;

	for (i = 0; i < s->nlisteners; i++)
		supervisor_announce(s, "listening", "listening on",
		    net_local_name(s->listener[i].fd, addr, sizeof(addr)));
}

static int
take_pidfile(struct supervisor *s)
{
	struct error why;

	if (s->o->service.pidfile == NULL)
		return 0;
	if ((s->pidfile = pidfile_make(s->o->service.pidfile, &why)) != -1)
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

/*
 * Sockets in the file system are removed while we still listen on them: later
 * a successor may have put its own there.
 */
static void
stop_accepting(struct supervisor *s, int leave)
{
	unsigned int i;

	for (i = 0; i < s->o->nlisten && !leave; i++)
		if (s->o->listen[i].kind == ADDR_UNIX)
			unlink(s->o->listen[i].path);
	for (i = 0; i < s->nlisteners; i++)
		close(s->listener[i].fd);
	s->nlisteners = 0;
	pool_stop(s, leave);
	leave_pidfile(s);
	notify_send(&s->notify, "STOPPING=1");
}

static void
enter(struct supervisor *s, enum phase phase, int64_t ms)
{
	if (phase == ENDING)
		supervisor_signal(s, SIGTERM);
	if (phase == KILLING)
		supervisor_signal(s, SIGKILL);
	s->phase = phase;
	s->phase_end = clock_ms() + ms;
	s->changed = 1;
	s->show = 0;
}

static void
log_stopping(const struct supervisor *s, const char *how)
{
	struct log_line l;

	log_begin(&l, LOG_L_INFO, "stopping");
	log_num(&l, "active", s->active);
	log_str(&l, "tunnels", how);
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
	if (s->active == 0)
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

static void
take_signals(struct supervisor *s)
{
	if (signal_taken(SIGCHLD))
		supervisor_reap(s);
	if (signal_taken(SIGTERM) + signal_taken(SIGINT) > 0)
		supervisor_terminate(s);
	if (signal_taken(SIGQUIT))
		quit(s);
	if (signal_taken(SIGHUP))
		supervisor_reload(s);
	if (signal_taken(SIGUSR1))
		slots_log(s);
#ifdef SIGINFO
	if (signal_taken(SIGINFO))
		slots_log(s);
#endif
}

/* Sleeps until there is something to do. */
static void
wait_and_accept(struct supervisor *s)
{
	struct pollfd *p = s->unshared->poll;
	int64_t until = pool_time(s), paused;
	unsigned int i, n = s->nlisteners, nmetrics, npool;

	if ((paused = supervisor_paused(s)) != 0)
		until = min64(until, paused);
	if (paused != 0)
		n = 0;
	if (s->phase != SERVING)
		until = min64(until, s->phase_end);
	until = min64(until, supervisor_show_time(s));
	if (s->refused.n > 0)
		until = min64(until, s->refused.until[0]);
	nmetrics = metrics_listener_watch(s, p);
	memcpy(p + nmetrics, s->listener, n * sizeof(p[0]));
	npool = pool_watch(s, p + nmetrics + n, paused == 0);
	if (signals_poll(p, nmetrics + n + npool, clock_poll(until)) <= 0)
		return;
	for (i = 0; i < s->nlisteners; i++)
		s->listener[i].revents = i < n ? p[nmetrics + i].revents : 0;
	pool_read_channels(s, p + nmetrics + n);
	supervisor_accept(s);
	metrics_listener_accept(s, p, nmetrics);
}

/* EXIT_ENDED, or the status to exit with. */
static int
no_memory(void)
{
	log_event(LOG_L_ERROR, "no-memory", "error", strerror(errno), NULL);
	return EXIT_SYSTEM;
}

static int
begin(struct supervisor *s, const int *listeners, unsigned int n)
{
	struct error why;
	unsigned int i;
	int status;

	s->max = s->o->limits.connections > 0 ? s->o->limits.connections : 1;
	s->room = s->max;
	s->nlisteners = n < SUPERVISOR_LISTENERS_MAX ? n :
	    SUPERVISOR_LISTENERS_MAX;
	for (i = 0; i < s->nlisteners; i++) {
		s->listener[i].fd = listeners[i];
		s->listener[i].events = POLLIN;
	}
	s->child = calloc(s->max + SUPERVISOR_EXTRA, sizeof(s->child[0]));
	s->unshared = memory_unshared(sizeof(*s->unshared));
	if (s->child == NULL || s->unshared == NULL)
		return no_memory();
	if (pool_begin(s, &why) == -1)
		return startup_failed(s->o, &why);
	s->reserve = supervisor_open_reserve();
	if (notify_open(&s->notify) == -1)
		log_event(LOG_L_WARN, "notify", "error", strerror(errno),
		    NULL);
	signals_supervisor();
	supervisor_name(s);
	if (metrics_listener_begin(s) == -1)
		return EXIT_SYSTEM;
	slots_begin(s);
	if (take_pidfile(s) == -1)
		return EXIT_SYSTEM;
	if (drop_privileges(s->o, stats_give, &why) == -1)
		return startup_failed(s->o, &why);
	if ((s->service->settled != NULL && (status =
	    s->service->settled(s->service->arg)) != EXIT_ENDED))
		return status;
	if (names_begin_unprivileged(s, &why) == -1)
		return startup_failed_inside(s->o, &why);
	announce(s);
	names_announce(s);
	metrics_listener_announce(s);
	s->changed = 1;
	notify_send(&s->notify, "READY=1");
	return EXIT_ENDED;
}

/* Also of what has not begun. */
static void
end(struct supervisor *s)
{
	if (s->reserve != -1)
		close(s->reserve);
	leave_pidfile(s);
	notify_close(&s->notify);
	metrics_listener_end(s);
	handshake_limit_end(s);
	slots_end(s);
	pool_end(s);
	memory_unshared_end(s->unshared, sizeof(*s->unshared));
	free(s->child);
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
	if ((status = begin(&s, listeners, n)) != EXIT_ENDED) {
		end(&s);
		return status;
	}
	while (s.phase != ENDED) {
		pool_tend(&s);
		supervisor_show(&s);
		wait_and_accept(&s);
		take_signals(&s);
		supervisor_close_refused(&s, 0);
		advance(&s);
	}
	supervisor_close_refused(&s, 1);
	end(&s);
	return s.status;
}
