/* SPDX-License-Identifier: ISC */
/*
 * Opens a websocket, as its client or as its server.  These functions wait;
 * redial.h has the steps that do not.  A deadline is a time of clock_ms().
 */
#ifndef HANDSHAKE_WEBSOCKET_H
#define HANDSHAKE_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "config/options.h"
#include "net/io.h"
#include "net/socket.h"
#include "proto/http.h"
#include "tls/tls.h"
#include "ws/extension.h"
#include "ws/upgrade.h"

#define WEBSOCKET_REDIRECTS_MAX	5

struct route;

/* The steps of dialling. */
enum dial_step { DIAL_BEGUN, DIAL_FOUND, DIAL_CONNECTED, DIAL_TUNNELLED,
    DIAL_SECURED, DIAL_ANSWERED, DIAL_STEPS };

/* An open websocket, and what its handshake told. */
struct websocket {
	struct io io;
	char via[NET_NAME_MAX];		/* address the TCP connection goes to or
					 * comes from */
	int has_extension;		/* both sides speak "inetws" */
	struct extension theirs;	/* the peer's parameters */
	const char *early;		/* bytes that came behind the head, in
					 * a static buffer; of a refusal: of
					 * its body */
	size_t early_len;
	const char *raw;		/* of a request: all that was read, head
					 * and early bytes */
	size_t raw_len;
	const struct http_head *head;	/* of a request, without the token of
					 * --bearer-subprotocol, or the answer
					 * to one, in a static buffer */

	/* of a dialled one, also if that failed */
	int64_t at[DIAL_STEPS];		/* of clock_us(), when the last attempt
					 * had done a step; 0: not */
	const char *name;		/* where it went, static */
	const struct route *route;	/* by which way, static; or NULL */
	const struct net_found *found;	/* the addresses of what was dialled,
					 * static; or NULL */
	int redirects;
	int elsewhere;			/* they lead to another origin than o->url's */
	int looks_up;			/* of DIAL_CONNECTED to a proxy: now the
					 * server's name is looked up */
	uint32_t retry_after;		/* of a refusal, by a proxy too, in
					 * seconds; 0: none */
	int is_adopted;			/* a tunnel goes on meanwhile: it is refused
					 * without waiting */
	int is_probe;			/* a refused request only looked whether
					 * something answers */
};

/* TLS contexts, NULL until one is needed. */
struct trust {
	struct tls_ctx *server, *proxy;
};

/*
 * Dials o->url: names, TCP, proxies, TLS, upgrade, redirects (301 302 303 307
 * 308, at most five, never from TLS to plain, nor from the network to a Unix
 * socket; credentials stay with the host they were given for).  For each
 * redirect anew, all up to the request has --connect-timeout together, request
 * and answer --handshake-timeout.  offer may be NULL.  0, or -1 and why;
 * *http_status is the status of the server's last answer, 0 if there was none.
 * With o->log.verbose each step goes to stderr.
 */
int websocket_dial(struct websocket *, const struct options *, struct trust *,
    const struct extension *offer, int *http_status, struct error *);

/*
 * From here on the dials of this process call done() when a step is, with what
 * is known by then, w->io excepted: at each redirect with DIAL_ANSWERED, and
 * DIAL_BEGUN once more; when a dial has failed, with DIAL_STEPS.  Between
 * DIAL_BEGUN and what follows a name is looked up, and no signal seen; so it is
 * behind DIAL_CONNECTED with w->looks_up.
 */
void websocket_watch(void (*done)(const struct websocket *, enum dial_step));

/*
 * Sends a GET request for o->url that is not one for a websocket, dialled as
 * by websocket_dial().  The status of its answer; 0 if there was none; why says
 * what became of it.
 */
int websocket_look(const struct options *, struct trust *, struct error *);

/* No websocket will be dialled any more: ends the --header-command helper. */
void websocket_dials_done(void);

/*
 * Ends a dialled websocket that transported nothing: sends Close with a code,
 * and waits until deadline, or at least 100 ms, for the peer to close.  Closes
 * the connection, TLS with close_notify.
 */
void websocket_bye(struct websocket *, int code, int64_t deadline);

/*
 * Reads and checks the request on an accepted connection until deadline.  0:
 * *request is filled in and points into a static buffer; w->io, w->early and,
 * if there was an offer, w->theirs are set; nothing has been answered.  -1: it
 * has been refused on the connection (400 404 405 408 414 426 431 501 505),
 * which is closed, and why says the reason; or the peer left (why->status is
 * EXIT_LOST).  The caller sets w->via.
 * 1: it asks for the page at --metrics-path or --health-path, w->head being the
 * request.
 */
int websocket_request(struct websocket *, const struct options *, struct io,
    struct upgrade_request *request, int64_t deadline, struct error *);

/*
 * As if these bytes, a whole request and what came behind it, had been read
 * from the io just now.  They must stay valid until the websocket is answered.
 */
int websocket_adopt(struct websocket *, const struct options *, struct io,
    const char *bytes, size_t len, struct upgrade_request *request,
    struct error *);

/*
 * Answers 101; answer NULL declines the extension, otherwise
 * w->has_extension is set.  0, or -1 and why: 75 at the deadline, else 74;
 * the connection is closed then.
 */
int websocket_answer(struct websocket *, const struct upgrade_request *,
    const struct extension *answer, int64_t deadline, struct error *);

/*
 * Answers with a status and one line of text, and closes.  Takes a second at
 * the longest, while the peer reads it and what it had sent is drained: a
 * close with bytes unread would reset the connection and lose the answer.
 */
void websocket_refuse(struct websocket *, int status, const char *text);

/* The same for a request of which nothing was read, without TLS. */
void websocket_refuse_unread(struct websocket *, int status, const char *text);

/* The same with further field lines ("" or each ending in CR LF). */
void websocket_refuse_with(struct websocket *, int status, const char *fields,
    const char *text);

/*
 * The same without waiting: for a caller with other work, and a peer that
 * sends nothing before it is answered.
 */
void websocket_refuse_now(struct websocket *, int status, const char *fields,
    const char *text);

/*
 * Requests from here on have "Forwarded: for=" this address, as net_print()
 * writes it.  Kept in a static buffer; if it is no address there is no field.
 */
void websocket_set_forwarded(const char *peer);

/*
 * Requests from here on have "Inetws-Agent:" this token, by which a gate knows
 * the websockets of one agent.  Kept in a static buffer.
 */
void websocket_set_agent(const char *token);

#endif
