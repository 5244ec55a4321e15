/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor's files share: supervisor_run.c runs it and ends it,
 * supervisor_accept.c lets connections in, supervise_child.c begins and ends
 * children, supervise_pool.c brings visitors to those who wait for them.
 */
#ifndef SUPERVISOR_INTERNAL_H
#define SUPERVISOR_INTERNAL_H

#include <sys/socket.h>
#include <sys/types.h>

#include <poll.h>
#include <stdint.h>

#include "base/str.h"
#include "config/options.h"
#include "connection/worker_channel.h"
#include "net/socket.h"
#include "os/notify.h"
#include "stats/page.h"
#include "supervisor/respawn.h"
#include "supervisor/supervisor.h"

#define REFUSED_MAX	16	/* refused connections not closed yet */

enum phase { SERVING, DRAINING, ENDING, KILLING, ENDED };

/* Refused connections whose answer is under way, oldest first. */
struct refused {
	int fd[REFUSED_MAX];
	int64_t until[REFUSED_MAX];
	unsigned int n;
};

#define METRICS_CHILDREN 8	/* requests for metrics at a time */

/* The address of --metrics. */
struct metrics_listener {
	int listener[2];
	unsigned int n;			/* of them, 0: there is none */
	pid_t child[METRICS_CHILDREN];
	unsigned int nchildren;
};

/* A connection; without one, fd is -1.  Whom it is from: sa, or else peer. */
struct incoming {
	int fd;
	const struct sockaddr *sa;
	socklen_t len;
	const char *peer;
};

/* A visitor who has nobody yet. */
struct queued {
	int fd;				/* -1: none */
	int name;			/* of his door, or NAME_NONE */
	int64_t until;			/* his patience */
	char peer[NET_NAME_MAX];
};

#define NAME_NONE	(-1)

enum child_state {
	CHILD_SINGLE,			/* it waits for nobody (any more) */
	CHILD_STARTING,			/* not yet */
	CHILD_PARKED,
	CHILD_OFFERED			/* has a guest, whom we have as well */
};

struct child {
	pid_t pid;
	int slot;			/* on the statistics page */
	int channel;			/* our end, or -1 */
	int spare;			/* began without a connection */
	enum child_state seat;
	int name;			/* whose wire it is, or NAME_NONE */
	char owner[AGENT_ID_MAX];	/* whose agent's */
	char agent[AGENT_NAME_MAX];	/* the name it gave, */
	char hash[AGENT_HASH_MAX];	/* and the secret's it was let in by */
	int64_t since;			/* it waits */
	struct queued queued;
};

/* Whom visitors come for. */
struct name {
	char text[AGENT_NAME_MAX];	/* "" for the one door of all */
	int fd[2];			/* his door */
	unsigned int nfd;
	int used;			/* else there is nothing here */
	int listed;			/* has a door for ever */
	unsigned int waiting;		/* visitors */
	int here, there;		/* agents: now, a moment ago */
	char owner[AGENT_ID_MAX];	/* --replace: the agent that came last */
	char former[AGENT_ID_MAX];	/* ... and whose place it took */
	int64_t until;			/* the door stays without them */
};

#define NAMES_MAX	4096

struct names {
	struct name *name;
	unsigned int n, max;
};

/* Those who wait, and those who are waited for. */
struct pool {
	struct queued *guest;		/* in the order in which they came */
	unsigned int nguests, max_guests;
	unsigned int npairs, ndoors;	/* that are looked at */
	int64_t door_goes;		/* the next door without anybody */
	int64_t look;			/* for who has left, not before */

	struct respawn pace;		/* of spares */
};

/* Children that were in their handshake when this was last looked at. */
struct handshakes {
	struct in_handshake {
		pid_t pid;
		int slot;
	} *of;
	unsigned int n, room;
};

/* What we write to for each child, and none of them looks at. */
struct unshared {
	struct pollfd poll[SUPERVISOR_LISTENERS_MAX + 2 +
	    2 * NAMES_MAX + OPT_CONNECTIONS_MAX + SUPERVISOR_EXTRA];
	int slot[STATS_SLOTS_MAX + 2];	/* for connections */
	int survivor[STATS_SLOTS_MAX + 2];	/* those of an earlier
						 * supervisor's */
};

struct supervisor {
	const struct options *o;
	const struct service *service;
	struct pollfd listener[SUPERVISOR_LISTENERS_MAX];
	unsigned int nlisteners;	/* 0 when no longer accepting */
	int pidfile;			/* -1: none */
	int reserve;			/* given up to refuse when there are no
					 * descriptors left */

	struct child *child;
	unsigned int room;		/* of child: the highest max */
	struct pool pool;
	struct names names;
	struct unshared *unshared;
	unsigned int given, nslots;	/* slots from given on are free */
	unsigned int nsurvivors;
	int64_t look;			/* at them, not before */
	unsigned int active, max;
	uint64_t nrefused;		/* since the start */
	struct handshakes handshakes;
	struct refused refused;
	struct metrics_listener metrics;

	enum phase phase;
	int status;			/* to exit with */
	int64_t phase_end;
	int pause;			/* ms, the last one; 0: all is well */
	int64_t pause_end;
	int64_t complain_pause, complain_limit;	/* not before */

	struct notify notify;
	char name[400];			/* "inetws server: A -> B" */
	int changed;			/* what is shown is not true */
	int64_t show;			/* not before */
	char shown[120];		/* the last status */
	int64_t refresh, refresh_every;	/* it may be out of date by then */
};

/* Tells of an address: an event of the log, and words on standard error. */
void supervisor_announce(const struct supervisor *, const char *event,
    const char *words, const char *addr);

/*
 * supervisor_show.c: what ps(1) and the service manager show.  name: makes
 * s->name.  time: when there is something new to show.
 */
void supervisor_name(struct supervisor *);
void supervisor_show(struct supervisor *);
int64_t supervisor_show_time(const struct supervisor *);

/* supervisor_reload.c: HUP. */
void supervisor_reload(struct supervisor *);

/* Takes back the dead children; never waits. */
void supervisor_reap(struct supervisor *);
void supervisor_signal(const struct supervisor *, int signo);

/* Are there as many tunnels as there may be? */
int supervisor_is_full(struct supervisor *);

/*
 * Starts a child, in serve_full if there are max already.  0, or -1 with
 * errno; the descriptor stays the caller's.
 */
int child_start(struct supervisor *, const struct incoming *);

/* A child for a connection, or a refusal; 0: accepting has to pause. */
int supervisor_serve(struct supervisor *, const struct incoming *);
void supervisor_refuse(struct supervisor *, int fd);

/* Stops, as if told to by TERM. */
void supervisor_terminate(struct supervisor *);

/* Accepts a bounded number of connections on the listeners that are ready. */
void supervisor_accept(struct supervisor *);
void supervisor_accept_some(struct supervisor *, int listener, int name);

/* Is this error of accept(2) only about a connection, which is gone? */
int accept_error_is_transient(int error);

/* Stops accepting for a while, metrics too, because a call failed. */
void supervisor_pause(struct supervisor *, const char *call, int error);

/* Until when accepting pauses: a time to come, or 0. */
int64_t supervisor_paused(const struct supervisor *);

/* Closes refused connections whose time has come, or all. */
void supervisor_close_refused(struct supervisor *, int all);

/* The descriptor that is held back, or -1. */
int supervisor_open_reserve(void);

/*
 * supervise_pool.c.  watch: how many descriptors there are to look at; heard:
 * what came of it.  time: when tend has something to do.  arrived: a
 * connection for somebody who waits; as supervisor_serve().  gone: a child has
 * ended.  close: in a child.
 */
int pool_begin(struct supervisor *, struct error *);
unsigned int pool_watch(struct supervisor *, struct pollfd *,
    int accepting);
void pool_read_channels(struct supervisor *, const struct pollfd *);
int64_t pool_time(const struct supervisor *);
void pool_tend(struct supervisor *);
int pool_accept(struct supervisor *, const struct incoming *,
    int name);
void pool_child_ended(struct supervisor *, struct child *, int status);
void pool_stop(struct supervisor *, int leave);
void pool_close(const struct supervisor *);
void pool_end(struct supervisor *);

/*
 * For its other half, pool_admit.c: the child waits no more; somebody has
 * come to wait, is there who waits for him; a child asks whether it may.
 */
void pool_end_channel(struct child *);
void pool_serve_queue(struct supervisor *, int name);
void pool_admit(struct supervisor *, struct child *, char *text);

/* Those who wait and are not in this --agents-file wait no more. */
void pool_expel(struct supervisor *, struct slice file);

/* Until when a visitor waits who comes now: --queue, of clock_ms(). */
int64_t pool_queue_until(const struct supervisor *);

/*
 * supervise_spare.c: one has come to wait, may not wait there, has a visitor,
 * has ended; when tend, which starts what is missing, has something to do.
 */
void spare_parked(struct supervisor *);
void spare_unwanted(struct supervisor *);
void spare_used(struct supervisor *);
void spare_ended(struct supervisor *, const struct child *,
    int status);
int64_t spare_time(const struct supervisor *);
void spare_tend(struct supervisor *);

/*
 * supervise_names.c: visitors' doors.  begin, settled: 0, or -1 and why; the
 * latter behind --chroot and --run-as makes those that have names.  name: the
 * number of a name, whose door is made if it has none; NAME_NONE and why.
 * tend: takes doors away that have nobody, and says when the next one goes.
 */
int names_begin(struct supervisor *, struct error *);
int names_begin_unprivileged(struct supervisor *, struct error *);
void names_announce(const struct supervisor *);
int names_listen(struct supervisor *, const char *text, struct error *);
const char *names_text(const struct supervisor *, int name,
    char *dst);
unsigned int names_watch(const struct supervisor *,
    struct pollfd *);
void names_accept(struct supervisor *, const struct pollfd *,
    unsigned int n);
int64_t names_tend(struct supervisor *);
void names_reload(struct supervisor *);
void names_stop(struct supervisor *, int leave);
void names_close(const struct supervisor *);
void names_end(struct supervisor *);

/*
 * supervise_limit.c: --max-handshakes.  begun: a child is there; ended: it is
 * gone.  may: is there room for one more?
 */
void handshake_limit_begun(struct supervisor *, pid_t, int slot);
void handshake_limit_ended(struct supervisor *, pid_t);
int handshake_limit_allows(struct supervisor *);
void handshake_limit_end(struct supervisor *);

/*
 * supervise_stats.c: the statistics page.  A child's slot may be none; it
 * comes back when the child is gone.
 */
void slots_begin(struct supervisor *);
struct stats_about slots_about(const struct supervisor *);

/* What the page says of a name is not true any more. */
void slots_set_name(const struct supervisor *, int name);

/* How many tunnels of an earlier supervisor there still are. */
unsigned int slots_inherited(struct supervisor *);
int slots_take(struct supervisor *);
void slots_give_back(struct supervisor *, int slot);
void slots_log(struct supervisor *);
void slots_log_killed(pid_t, int signo, int slot);
void slots_end(struct supervisor *);

/*
 * supervise_metrics.c: 0, or -1 with the reason told; the descriptors to watch
 * and what came of it; a child that is gone, if it was one of these.
 */
int metrics_listener_begin(struct supervisor *);
void metrics_listener_announce(const struct supervisor *);
unsigned int metrics_listener_watch(const struct supervisor *,
    struct pollfd *two);
void metrics_listener_accept(struct supervisor *, const struct pollfd *,
    unsigned int n);
void metrics_listener_forget(struct supervisor *, pid_t);
void metrics_listener_close(const struct supervisor *);

/*
 * supervise_child.c: a child of whatever kind keeps nothing that is the
 * supervisor's, neither descriptors nor signals.
 */
void child_leave_supervisor(const struct supervisor *);
void metrics_listener_end(struct supervisor *);

#endif
