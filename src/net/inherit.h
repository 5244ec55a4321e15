/* SPDX-License-Identifier: ISC */
/*
 * How we were started, told from descriptors and environment: listeners or
 * one connection, opened here or handed over by inetd, systemd, tcpserver,
 * socat, ssh ...
 */
#ifndef NET_INHERIT_H
#define NET_INHERIT_H

#include "base/error.h"
#include "net/socket.h"
#include "proto/addr.h"

#define INHERIT_MAX	64
#define INHERIT_EXTRA	2
#define INHERIT_EXTRA_FDS 2

/*
 * Either listeners or a connection, never both; besides, listeners for other
 * purposes, which are handed over too.  All descriptors are above 2,
 * close-on-exec and non-blocking; only a terminal that cannot be opened anew
 * stays blocking, because its flags are shared with others.  The caller owns
 * them.
 */
struct inherited {
	int listener[INHERIT_MAX];
	struct net_file file[INHERIT_MAX];	/* of those opened here */
	unsigned int nlisteners;
	int rfd, wfd;			/* the connection, or -1; the same one
					 * for a socket */
	struct inherited_extra {
		int fd[INHERIT_EXTRA_FDS];
		unsigned int n;
	} extra[INHERIT_EXTRA];
	char peer[NET_NAME_MAX];	/* its peer, "" if not known */
	int no_stderr;			/* descriptor 2 was this connection too
					 * and is /dev/null now: log to syslog,
					 * as when inherit_stderr() is 1 */
};

/*
 * To be called first of all, before anything can be printed: makes sure that
 * descriptors 0 to 2 are open, and puts /dev/null in the place of 2 if that
 * is the client's socket, as under every inetd.  Returns 1 if so, else 0; -1
 * with errno if /dev/null cannot be opened.
 */
int inherit_stderr(void);

/*
 * Opens or takes over what the LISTEN words mean.  Without words: what systemd
 * passed if LISTEN_PID is ours, else a socket on descriptor 0, else -1 and a
 * usage error.  LISTEN_* are removed from the environment if they were ours.
 * What was taken from descriptors 0 and 1 is replaced by /dev/null there.
 *
 * extra are INHERIT_EXTRA words of other listeners, or NULL; each of them may
 * be NULL.  Those of kind ADDR_FD and ADDR_SYSTEMD are taken over, others are
 * not opened here.  What one word names, neither a word "systemd" without a
 * name takes nor no word at all.
 *
 * 0, or -1 and why: 64 or 71; some descriptors may have been taken over then,
 * and none of those is closed.
 */
int inherit(struct inherited *, const struct addr *words, unsigned int n,
    const struct addr *const extra[], struct error *);

/* Only the extra listeners, for a mode without listeners or connection. */
int inherit_extra(struct inherited *, const struct addr *const extra[],
    struct error *);

/*
 * The peer of a connection: the socket's, or else (pipes, Unix
 * sockets) the launcher in TCPREMOTEIP, REMOTE_ADDR, REMOTE_HOST,
 * SOCAT_PEERADDR, NCAT_REMOTE_ADDR, in this order, numeric only; else "" or
 * the name of the Unix socket.  dst has NET_NAME_MAX bytes.
 */
void inherit_peer(int fd, char *dst);

/*
 * Closes whatever else a launcher leaked to us, above descriptor 2.  To be
 * called before anything else is opened that shall last: log_open() to syslog
 * comes after it, or its descriptor is closed here behind its back and the
 * number goes to the next socket.
 */
void inherit_close_others(const struct inherited *);

#endif
