/* SPDX-License-Identifier: ISC */
/*
 * What server and gate have in common: a connection that was accepted, up to
 * the answer to its request, that is who the peer is, what it asks for, and
 * whether it belongs to a session; and their service for the supervisor.
 */
#ifndef MODES_ACCEPTED_H
#define MODES_ACCEPTED_H

#include "connection/connection.h"
#include "handshake/peer.h"
#include "handshake/tls_reload.h"
#include "handshake/websocket.h"
#include "supervisor/supervisor.h"

#define ACCEPTED_BUSY	"too many connections, try again"
#define ACCEPTED_EXTRA_MS 3000	/* handshake timeout in an extra child */
#define ACCEPTED_NO_SANDBOX "cannot enter the sandbox"

/* What all connections of an instance share; made before the first fork. */
struct acceptor {
	const struct options *o;

	/* Checks the target and the files that the options name. */
	int (*check)(const struct options *, struct error *);
	struct tls_reload tls;
	struct line_file users, agents;	/* --auth-file, --agents-file */
};

/* An accepted connection. */
struct accepted {
	int extra;			/* this process is an extra child; set
					 * by the caller */
	struct connection *c;
	struct peer peer;
	struct websocket w;
	struct upgrade_request request;
	int64_t deadline;		/* of the handshake, of clock_ms() */
};

/*
 * Sets arg to the acceptor, and the functions of the service that keep its TLS
 * context up to date, prepare the sandbox and refuse connections.
 */
void accepted_service(struct service *, struct acceptor *);

/*
 * Checks the files, unless they are behind --chroot, and calls startup(): what we
 * were started with.  GO_ON, or the status to exit with.
 */
int accepted_startup(const struct acceptor *, struct inherited *given);

/*
 * Behind --chroot and --run-as: checks the files once more, with the privileges
 * that are left, and prepares the sandbox.  arg is a struct acceptor.  GO_ON,
 * or the status to exit with.
 */
int accepted_prepare(void *arg);

/*
 * Reads the PROXY header if one is expected, does the TLS handshake if there is
 * a context, reads the request and checks who sent it.  1: peer, user, via and
 * subject of c are set; 0: the connection is over, and *status is the exit
 * status.  The table of --auth-file is unmapped.
 */
int accepted_begin(struct accepted *, struct connection *,
    struct acceptor *, struct io, const char *peer, int *status);

/*
 * Is the request a redial, for the session of another process?  1: then it has
 * been handed over to that process or refused, and *status is the exit status.
 * 0: it is not.  With TLS, or on two pipes, a process has to stay as the end of
 * the connection: this one, or, if the supervisor counts this one (is_counted),
 * a child of it, which does not return.
 */
int accepted_redial(struct accepted *, int is_counted, int *status);

/* Answers with this HTTP status, logs, and returns the exit status. */
int accepted_refuse(struct accepted *, int status, const char *text);

/* The same with 503 and Retry-After. */
int accepted_refuse_for(struct accepted *, unsigned int seconds,
    const char *text);

/*
 * Makes the TLS context if the options ask for one; then a connection for which
 * there is no extra child is closed without an HTTP answer.  To be called after
 * accepted_service().  forks: as for tls_reload_begin().  0, or -1 and why.
 */
int accepted_begin_tls(struct acceptor *, struct service *, int forks,
    struct error *);

#endif
