/* SPDX-License-Identifier: ISC */
/*
 * A connection that was accepted for a websocket, up to the request's answer:
 * who it is from, what it asks for, and whether it belongs to a session.
 */
#ifndef MODES_ACCEPTED_H
#define MODES_ACCEPTED_H

#include "connection/connection.h"
#include "handshake/peer.h"
#include "handshake/tls_reload.h"
#include "handshake/websocket.h"
#include "supervisor/supervisor.h"

#define ACCEPTED_BUSY	"too many connections, try again"
#define ACCEPTED_EXTRA_MS 3000	/* for the request of an extra child */
#define ACCEPTED_NO_SANDBOX "cannot enter the sandbox"

/* What all connections share; made before the first fork. */
struct acceptor {
	const struct options *o;
	struct tls_reload tls;
	struct line_file users, agents;	/* --auth-file, --agents-file */
};

struct accepted {
	int extra;			/* this child is: set by the caller */
	struct connection *c;
	struct peer peer;
	struct websocket w;
	struct upgrade_request request;
	int64_t deadline;		/* of the handshake */
};

/*
 * Reads the PROXY header, speaks TLS if there is a context, reads the request
 * and checks who sent it.  1: go on, c's peer, user, via and subject are
 * set; 0: it is over, *status is what to exit with.  --auth-file is forgotten.
 */
int accepted_begin(struct accepted *, struct connection *,
    struct acceptor *, struct io, const char *peer, int *status);

/*
 * A redial belongs to the process that keeps the session: 1 if it was one,
 * which has been handed over or refused; *status is what to exit with.  With
 * TLS, and of two pipes, a process stays as its end: this one, or, if a
 * supervisor counts this one, another one, which does not return.
 */
int accepted_redial(struct accepted *, int is_counted, int *status);

/* Refuses, logs, and returns what to exit with. */
int accepted_refuse(struct accepted *, int status, const char *text);

/* The same with 503, to be tried again after so many seconds. */
int accepted_refuse_for(struct accepted *, unsigned int seconds,
    const char *text);

/*
 * Makes the TLS context if the options ask for one; then a connection for
 * which there is no extra child is closed without an HTTP answer.  forks: as
 * tls_reload_begin() has it.  0, or -1 and why.
 */
int accepted_begin_tls(struct tls_reload *, const struct options *,
    struct service *, int forks, struct error *);

/* service.refuse: one send. */
void accepted_busy(int fd);

#endif
