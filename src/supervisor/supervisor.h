/* SPDX-License-Identifier: ISC */
/*
 * The supervisor: accepts, forks a child for each connection, reaps, keeps
 * the limits, and does what signals say.  It reads no byte that a peer sent,
 * and nothing that a peer or a child does ends it.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "config/line_file.h"
#include "config/options.h"
#include "net/inherit.h"

#define SUPERVISOR_LISTENERS_MAX	64
#define SUPERVISOR_READY_MS	3000	/* for each step of being ready */
#define SUPERVISOR_EXTRA		16	/* children at a time */
#define SUPERVISOR_FILES_MAX		2

/* What the mode does with a connection. */
struct service {
	void *arg;			/* handed to the functions that have it */

	/*
	 * In a child of its own, which holds fd (non-blocking, close-on-exec)
	 * and no other descriptor of the supervisor: serves the connection and
	 * returns the child's exit status.  Signals are as signals_child()
	 * says.  Owns fd.  peer is net_print()'s.
	 */
	int (*serve)(void *arg, int fd, const char *peer);

	/*
	 * The same for a child whose websocket is parked until a visitor comes
	 * (connection/worker_channel.h); channel is its end.  fd -1: it has no
	 * connection, and dials.  With parks each connection gets such a child.
	 */
	int (*park)(void *arg, int fd, const char *peer, int channel);
	int parks;

	/*
	 * So many children without a connection are kept parked.  With
	 * spares_serve they get the connections of the listeners, which have
	 * children of their own only while none is parked.
	 */
	const unsigned int *spares;	/* NULL: none */
	int spares_serve;

	/*
	 * The same in an extra child: one beyond a limit, of which there are
	 * SUPERVISOR_EXTRA at a time.  What adds nothing to what there is, such
	 * as a new websocket for a session, is served; all else asks for a place
	 * over the channel (worker_ask_place(), or worker_ask_park() with
	 * parks), once it has passed all checks.  May be NULL.
	 */
	int (*serve_extra)(void *arg, int fd, const char *peer, int channel);

	/*
	 * In the supervisor, when there is no extra child left: refuses it with at
	 * most one send(2), which does not block.  fd stays the
	 * supervisor's, which closes it a moment later, so that the answer is
	 * not overtaken by the reset that unread bytes cause.  NULL: such a
	 * connection is reset.
	 */
	void (*refuse)(int fd);

	/*
	 * Can it be served with these options?  0, or -1 and why: at HUP they
	 * are as good as at the start, or the old ones stay.  May be NULL.
	 */
	int (*check)(const struct options *, struct error *);

	/*
	 * In the supervisor, on HUP: begins to read files again; load goes on
	 * with it.  May be NULL.
	 */
	void (*reload)(void *arg);

	/*
	 * In the supervisor, once, behind --chroot and --run-as: GO_ON, or
	 * the exit status.  May be NULL.
	 */
	int (*unprivileged)(void *arg);

	/*
	 * In the supervisor, before a connection is accepted or its process
	 * is forked: looks for changed files, cheaply.  1: files are being
	 * read, by load, and the connection had better wait for them.  load:
	 * reads one file, for no longer than that takes; logs what went wrong
	 * and keeps the old state then; 1: there are more, 0: that is all.
	 * May be NULL.
	 */
	int (*before)(void *arg);
	int (*load)(void *arg);

	/* Counts what before has changed at once.  May be NULL. */
	const unsigned int *rotated;

	/*
	 * In a child of its own, for /readyz: could a connection be served
	 * now?  0, or -1 and why, within a few seconds.  May be NULL.
	 */
	int (*ready)(void *arg, struct error *);

	/*
	 * Files whose tables the children have: no request is accepted while
	 * one of them has changed and its table is not there.  agents: which
	 * of them lists names.  NULL: none.
	 */
	struct line_file *files[SUPERVISOR_FILES_MAX];
	struct line_file *agents;

	/* What startup() got: the files of the listeners, in their order, and
	 * the listeners of visitors and metrics. */
	const struct inherited *given;
};

/*
 * Serves until a signal ends it; returns the exit status: 0; why it could not
 * begin; or, after --retry, that of the last spare.  Prints "listening on ADDR"
 * on standard error for each listener first.  Takes over the listeners and
 * closes them when it stops accepting; the files of Unix sockets, as given has
 * them, are then removed, except with --drain leave.  At most o->limits.connections
 * children at a time, and SUPERVISOR_EXTRA in serve_extra.
 *
 * TERM, INT: stops accepting and waits o->timeouts.drain for the children, then
 * tells them to end (TERM), and kills what is left 3 seconds later; with 0 it
 * tells them at once, with -1 it returns at once and leaves them alive.  A
 * second TERM or INT, or QUIT, ends all at once: 250 ms are left for telling
 * the peers.  HUP reloads.  USR1 logs statistics.
 */
int supervisor_run(const struct options *o, const int *listeners,
    unsigned int n, const struct service *);

#endif
