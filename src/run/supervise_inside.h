/* SPDX-License-Identifier: ISC */
/*
 * What the supervisor's files share: supervise.c runs it and ends it,
 * supervise_accept.c lets connections in.
 */
#ifndef RUN_SUPERVISE_INSIDE_H
#define RUN_SUPERVISE_INSIDE_H

#include <sys/types.h>

#include <poll.h>
#include <stdint.h>

#include "os/notify.h"
#include "os/stats.h"
#include "run/options.h"
#include "run/supervise.h"

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
struct metrics_door {
	int listener[2];
	unsigned int n;			/* of them, 0: there is none */
	pid_t child[METRICS_CHILDREN];
	unsigned int nchildren;
};

/* Children that were in their handshake when this was last looked at. */
struct handshakes {
	struct young {
		pid_t pid;
		int slot;
	} *of;
	unsigned int n, room;
};

struct supervisor {
	const struct options *o;
	const struct service *service;
	struct pollfd listener[SUPERVISE_LISTENERS_MAX];
	unsigned int nlisteners;	/* 0 when no longer accepting */
	int pidfile;			/* -1: none */
	int reserve;			/* given up to refuse when there are no
					 * descriptors left */

	pid_t *child;
	int *slot;			/* of each, on the statistics page */
	int *free_slot;			/* those that nobody has */
	unsigned int nfree;
	int *survivor;			/* slots of an earlier supervisor's */
	unsigned int nsurvivors;
	int64_t look;			/* at them, not before */
	unsigned int active, max;
	uint64_t nrefused;		/* since the start */
	struct handshakes handshakes;
	struct refused refused;
	struct metrics_door metrics;

	enum phase phase;
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
void supervise_announce(const struct supervisor *, const char *event,
    const char *words, const char *addr);

/*
 * supervise_show.c: what ps(1) and the service manager show.  name: makes
 * s->name.  time: when there is something new to show.
 */
void supervise_name(struct supervisor *);
void supervise_show(struct supervisor *);
int64_t supervise_show_time(const struct supervisor *);

/* supervise_reload.c: HUP. */
void supervise_reload(struct supervisor *);

/* Takes back the dead children; never waits. */
void supervise_reap(struct supervisor *);

/* Accepts a bounded number of connections on the listeners that are ready. */
void supervise_accept(struct supervisor *);

/* Until when accepting pauses: a time to come, or 0. */
int64_t supervise_paused(const struct supervisor *);

/* Closes refused connections whose time has come, or all. */
void supervise_close_refused(struct supervisor *, int all);

/* The descriptor that is held back, or -1. */
int supervise_open_reserve(void);

/*
 * supervise_limit.c: --max-handshakes.  begun: a child is there; ended: it is
 * gone.  may: is there room for one more?
 */
void supervise_handshake_begun(struct supervisor *, pid_t, int slot);
void supervise_handshake_ended(struct supervisor *, pid_t);
int supervise_handshake_may(struct supervisor *);
void supervise_handshake_end(struct supervisor *);

/*
 * supervise_stats.c: the statistics page.  A child's slot may be none; it
 * comes back when the child is gone.
 */
int supervise_stats_begin(struct supervisor *);
struct stats_about supervise_about(const struct supervisor *);

/* How many tunnels of an earlier supervisor there still are. */
unsigned int supervise_survivors(struct supervisor *);
int supervise_slot(struct supervisor *);
void supervise_slot_back(struct supervisor *, int slot);
void supervise_log_statistics(struct supervisor *);
void supervise_log_killed(pid_t, int signo, int slot);
void supervise_stats_end(struct supervisor *);

/*
 * supervise_metrics.c: 0, or -1 with the reason told; the descriptors to watch
 * and what came of it; a child that is gone, if it was one of these.
 */
int supervise_metrics_begin(struct supervisor *);
void supervise_metrics_announce(const struct supervisor *);
unsigned int supervise_metrics_watch(const struct supervisor *,
    struct pollfd *two);
void supervise_metrics_accept(struct supervisor *, const struct pollfd *,
    unsigned int n);
void supervise_metrics_forget(struct supervisor *, pid_t);
void supervise_close_metrics(const struct supervisor *);
void supervise_metrics_end(struct supervisor *);

#endif
