/* SPDX-License-Identifier: ISC */
/*
 * The core of the supervisor: supervisor.c runs it and ends it, accept.c lets
 * connections in and keeps the limits, child.c begins and ends children, pool.c
 * brings visitors to those that are parked, admit.c says which may be, extra.c
 * finds places for extra ones, spare.c keeps some parked, fork_ahead.c
 * has some ready, network.c, reload.c and show.c do what their names say.
 *
 * What it consists of are objects with a header each.  They know nothing of
 * each other nor of the core; what comes of a call is what it returns.
 */
#ifndef SUPERVISOR_INTERNAL_H
#define SUPERVISOR_INTERNAL_H

#include <sys/socket.h>
#include <sys/types.h>

#include <stdint.h>

#include "config/options.h"
#include "connection/failure_lines.h"
#include "net/refusals.h"
#include "net/changes.h"
#include "os/event.h"
#include "os/notify.h"
#include "supervisor/ahead.h"
#include "supervisor/children.h"
#include "supervisor/handshake_limit.h"
#include "supervisor/metrics/listener.h"
#include "supervisor/names.h"
#include "supervisor/pause.h"
#include "supervisor/queue.h"
#include "supervisor/respawn.h"
#include "supervisor/slots.h"
#include "supervisor/supervisor.h"
#include "supervisor/tables.h"

enum phase { SERVING, DRAINING, ENDING, KILLING, ENDED };

/* An accepted connection; peer if sa is NULL.  Without one, fd is -1. */
struct incoming {
	int fd;
	const struct sockaddr *sa;
	socklen_t len;
	const char *peer;
};

/* What ps(1) and the service manager are shown. */
struct shown {
	char name[400];			/* "inetws server: A -> B" */
	int changed;			/* what is shown is not true */
	int64_t next;			/* not before */
	char status[120];		/* the last one */
	int64_t refresh, refresh_every;	/* it may be out of date by then */
	int64_t repeated;		/* failures are summed up: not before */
};

/* At a time. */
struct limits {
	unsigned int connections;
	unsigned int extras;		/* children beyond that limit */
	unsigned int spares;
	unsigned int ahead;		/* children forked ahead */
	unsigned int visitors;		/* that are queued */
	unsigned int names;		/* listeners of names */
};

/* Extra children that wait for a place, the first one first. */
struct places {
	struct place_wanted {
		unsigned int child;
		int64_t due;		/* to ask another session for it */
	} by[SUPERVISOR_EXTRA];
	unsigned int n;
};

struct supervisor {
	const struct options *o;
	const struct service *service;

	struct event_set events;	/* all that is watched */
	struct event_set accepting;	/* one of these: the listeners */
	int is_accepting;		/* is it watched now? */
	int is_busy;			/* perhaps more connections wait */
	int listener[SUPERVISOR_LISTENERS_MAX];
	unsigned int nlisteners;	/* 0 when no longer accepting */
	int pidfile;			/* -1: none */
	int reserve;			/* given up to refuse when there are no
					 * descriptors left */

	unsigned int descriptor_limit;
	struct limits fits;		/* into it */
	struct children children;
	struct ahead ahead;
	struct queue queue;
	struct names names;
	struct slots slots;
	struct handshake_limit handshakes;
	struct refusals refusals;
	struct pause pause;
	struct net_changes network;	/* while there may be tunnels that
					 * dialled */
	unsigned int network_what;	/* has happened and is not told */
	int64_t network_due;		/* it will be then; 0: nothing */
	struct places places;
	struct tables tables;
	unsigned int admitted;		/* generation of --agents-file that
					 * counts for what is parked */
	int is_listing;			/* its names get their listeners: */
	unsigned int listed, no_listener;	/* so many; and have none */
	struct metrics_listener metrics;
	struct respawn respawn;

	struct failure_lines failures;

	uint64_t nrefused;		/* since the start */
	int64_t complain;		/* of a limit, not before */
	uint32_t reaped, reaped_twice;	/* of those that said they end */
	int64_t reap_again;		/* a second look at them; 0: none */
	int64_t reap_all;		/* a look at all children; 0: none */

	enum phase phase;
	int status;			/* to exit with */
	int64_t phase_end;

	struct notify notify;
	struct shown shown;
};

/* --- supervisor.c --- */

/* Stops, as if told to by TERM. */
void supervisor_terminate(struct supervisor *);

/* --- accept.c --- */

/* Accepts some connections of listeners that are ready. */
void accept_ready(struct supervisor *);
void accept_metrics(struct supervisor *, unsigned int listener);

/* Begins or ends watching the listeners, as is right now. */
void accept_watch(struct supervisor *);

/* A child for a connection, or a refusal; 0: accepting has to pause. */
int accept_serve(struct supervisor *, const struct incoming *);

/*
 * accept_refuse() answers a connection that cannot be served, if the mode can,
 * and closes it; accept_reset() resets it.  Both own fd.
 */
void accept_refuse(struct supervisor *, int fd);
void accept_reset(struct supervisor *, int fd);

/* One was refused at this limit: counts it, and logs that now and then. */
void accept_count_refused(struct supervisor *);
void accept_at_limit(struct supervisor *, const char *name,
    unsigned int limit);

/*
 * Takes the limits from the options, as far as there are descriptors; logs if
 * they are too few.  How many are needed at least, or -1 without memory: then
 * all is as it was.
 */
int accept_limits(struct supervisor *);

/* A call failed for lack of something. */
void accept_pause(struct supervisor *, const char *call, int error);

/* --- child.c --- */

/* As many tunnels as there may be?  Extra ones do not count. */
unsigned int child_count(const struct supervisor *);
int child_is_limit_reached(struct supervisor *);

/*
 * Starts a child, in serve_extra if it is an extra one.  0, or -1 with
 * errno; the descriptor stays the caller's.
 */
int child_start(struct supervisor *, const struct incoming *, int extra);

/*
 * Before a child is forked: the place that it will have is cleared; its slot.
 * Then it is a child, with the grant of failure_lines_grant().
 */
int child_prepare(struct supervisor *);
void child_begun(struct supervisor *, pid_t, int slot, int channel,
    const struct incoming *, int extra, int64_t failure_line);

/*
 * Forks a child ahead of its connection, which it receives by its end of a pair.
 * As fork(2).
 */
pid_t child_fork_ahead(const struct supervisor *, int theirs);

/*
 * Forks a process for something else: 0 in that one, where nothing of the
 * supervisor's is left open but these two, which may be -1, and no table.
 * Otherwise as fork(2).
 */
pid_t child_fork_aside(struct supervisor *, int keep, int other);

/* After SIGCHLD: takes dead children back, and never waits. */
void child_reap(struct supervisor *);

/* The same for those that it may have missed; when tend has something to do. */
void child_reap_tend(struct supervisor *, int64_t now);
int64_t child_reap_time(const struct supervisor *);

/* What comes of its end, with the status of waitpid(2). */
void child_forget(struct supervisor *, pid_t, int status);

void child_signal_all(const struct supervisor *, int signo);

/* --- network.c --- */

/*
 * Begins to watch for changes of the network (net/changes.h), if children of
 * this mode dial.  0, or -1 with errno.
 */
int network_watch(struct supervisor *);

/* A change can be read. */
void network_ready(struct supervisor *);

/* At s->network_due: SIGUSR2 to those that dialled and that it concerns. */
void network_tend(struct supervisor *, int64_t now);

/* --- pool.c --- */

/* A connection for a parked child; as accept_serve(). */
int pool_accept(struct supervisor *, const struct incoming *, int name);

/* A child's channel is ready. */
void pool_read_channel(struct supervisor *, struct child *);

/* A child has ended: its channel is read to the end, before it is forgotten. */
void pool_child_ended(struct supervisor *, struct child *);

/* The child has no channel any more, and waits for nothing. */
void pool_end_channel(struct supervisor *, struct child *);

/* A child of this name has been parked: is there a visitor for it? */
void pool_serve_queue(struct supervisor *, int name);

/* What has been offered to it goes elsewhere, untouched. */
void pool_bring_back(struct supervisor *, struct visitor *);

/* When tend has something to do, in milliseconds of clock_ms(). */
int64_t pool_time(const struct supervisor *);
void pool_tend(struct supervisor *, int64_t now);

/*
 * The options have changed: what is parked with the old ones has to go, and
 * spares with new ones are dialled at once.
 */
void pool_renew(struct supervisor *);

/* No visitor is accepted any more; leave: as in names_stop(). */
void pool_stop(struct supervisor *, int leave);

/* The statistics page shows what is true of this name. */
void pool_show_name(const struct supervisor *, int name);

/* --- admit.c --- */

/* A child asks whether its websocket may be parked: "NAME AGENT-ID HASH". */
void admit(struct supervisor *, struct child *, char *text);

/* The same child, an extra one till now, has got a place. */
void admit_at_last(struct supervisor *, struct child *);

/*
 * --agents-file, at the start and after HUP, when its table is there.  1: there
 * is more to do, in another turn.
 */
int admit_reload(struct supervisor *);

/* At HUP: sockets of names whose files are gone are made anew. */
void admit_renew(struct supervisor *);

/* --- extra.c --- */

/*
 * An extra child, whose request is no redial and has passed all
 * checks, wants to become one like others.  1: it is; 0: it waits for that, or
 * has been refused.
 */
int extra_wants_place(struct supervisor *, struct child *);

/*
 * Before anything is done in favour of such a child: 1, or 0 if it has been
 * refused, as it could not even wait for a place.
 */
int extra_may_wait(struct supervisor *, struct child *);

/* It does not wait any more. */
void extra_forget(struct supervisor *, const struct child *);

/* A child has ended: is its place wanted?  None is given any more. */
void extra_child_ended(struct supervisor *);
void extra_stop(struct supervisor *);

/* When tend has something to do. */
int64_t extra_time(const struct supervisor *);
void extra_tend(struct supervisor *, int64_t now);

/* --- spare.c --- */

/* A spare was parked. */
void spare_parked(struct supervisor *);

/* A spare was refused: the server does not park. */
void spare_unwanted(struct supervisor *);

/* The seconds of its Retry-After.  0, or -1 if these are none. */
int spare_retry_after(struct supervisor *, const char *text);

/* A parked spare has got a stream. */
void spare_used(struct supervisor *);

/* A spare has ended, with the status of waitpid(2). */
void spare_ended(struct supervisor *, const struct child *, int status);

/* A child, or NULL, is stopped by a signal (SIGSTOP). */
void spare_stopped(const struct child *);

/* When tend has something to do: it starts spares that are lacking. */
int64_t spare_time(const struct supervisor *);
void spare_tend(struct supervisor *, int64_t now);

/* --- fork_ahead.c --- */

/* A connection for a child that is there already: 1, or 0 if none is. */
int fork_ahead_serve(struct supervisor *, const struct incoming *);

/* One that has not received its connection is ended, which another one gets. */
void fork_ahead_lost(struct supervisor *, struct ahead_place *);

/* ahead_take_back(), where there may be no descriptors left. */
int fork_ahead_take_back(struct supervisor *, struct ahead_place *,
    struct ahead_message *);

/* A connection that was taken back is served as if it had just come. */
void fork_ahead_serve_again(struct supervisor *, int fd,
    const struct ahead_message *);

/* Forks as many as there may be; when there is something to do. */
void fork_ahead_tend(struct supervisor *, int64_t now);
int64_t fork_ahead_time(const struct supervisor *, int64_t now);

/* --- show.c --- */

void show_name(struct supervisor *);
struct stats_about show_about(const struct supervisor *);
void show_tend(struct supervisor *, int64_t now);
int64_t show_time(const struct supervisor *);

/* Logs what was to be summed up later. */
void show_end(struct supervisor *);

/*
 * "listening on ADDR" and the like, on standard error or in the log, and what
 * to be warned of then.
 */
void show_addresses(const struct supervisor *);

/* --- reload.c --- */

/* HUP. */
void supervisor_reload(struct supervisor *);

/* At the start, before anything is served: makes the tables of files. */
void reload_begin(struct supervisor *);

/*
 * Before a request is accepted: looks at the files.  1: now; 0: one has changed,
 * and the listeners of requests wait until it is read.
 */
int reload_before_accept(struct supervisor *);

/* Requests that have waited are accepted, and do not exempt others from a look. */
void reload_accepted(struct supervisor *);

/* The same before a process without a connection is forked. */
int reload_before_fork(struct supervisor *);

/* Another number after each change of what children inherit. */
unsigned int reload_generation(const struct supervisor *);

/* The process that made the table of a file has ended. */
void reload_table_ended(struct supervisor *, unsigned int file);

/* When tend has something to do. */
int64_t reload_time(const struct supervisor *);
void reload_tend(struct supervisor *, int64_t now);

#endif
