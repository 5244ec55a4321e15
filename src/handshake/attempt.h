/* SPDX-License-Identifier: ISC */
/*
 * A path to a server in steps that do not wait: TCP, and what lies on top of
 * it.  Each layer makes of one end another one: TLS with a proxy, the proxy's
 * tunnel, TLS with the server.  Several may be on their way at a time.
 */
#ifndef HANDSHAKE_ATTEMPT_H
#define HANDSHAKE_ATTEMPT_H

#include <poll.h>

#include "handshake/exchange.h"
#include "handshake/route.h"
#include "handshake/trace.h"
#include "handshake/websocket.h"
#include "net/changes.h"
#include "net/race.h"
#include "proto/socks.h"

#define ATTEMPT_POLL_MAX	NET_FOUND_MAX

enum attempt_state {
	ATTEMPT_NONE,
	ATTEMPT_TCP,		/* connecting, or on a Unix socket */
	ATTEMPT_PROXY_TLS,	/* handshake with the proxy */
	ATTEMPT_PROXY,		/* the proxy is asked for a tunnel */
	ATTEMPT_TLS,		/* handshake with the server */
	ATTEMPT_UP,		/* a request may be sent */
	ATTEMPT_FAILED
};

/* An attempt failed by an answer, not for want of one. */
enum attempt_refusal {
	REFUSED_NOT,
	REFUSED_BY_PROXY,	/* its answer to CONNECT or SOCKS */
	REFUSED_CERTIFICATE	/* theirs, or ours by them */
};

struct attempt {
	enum attempt_state state;
	struct io io;			/* the caller's when it is up */
	struct error why;		/* when it has failed */
	char via[NET_NAME_MAX];		/* where the TCP connection goes */
	int64_t at[DIAL_STEPS];		/* as in struct websocket */
	int uses_known;			/* `known' is dialled, not what the name
					 * resolves to */
	int64_t begun, moved_at;	/* of clock_ms(): the last new state */
	int64_t deadline;
	enum attempt_refusal refused;	/* why it has failed */
	uint32_t retry_after;		/* of a proxy's refusal, in seconds;
					 * 0: none */

	/* set before it begins */
	const union net_end *known;	/* to dial if no name server answers;
					 * NULL: none */
	int skip_lookup;		/* dial `known' without looking the name
					 * up, as no server answered lately */
	void (*looks)(void *);		/* called when it is connected to a proxy
					 * and looks the server's name up, which
					 * may wait; NULL: nothing is */
	void *looks_arg;

	/* private */
	const struct options *o;
	const struct url *url;
	struct trust *trust;
	struct trace trace;
	struct net_race race;
	int64_t look_at;		/* a Unix socket is tried again */
	struct net_found found;
	struct route route;
	struct tls *tls;		/* in its handshake */
	struct tls_ctx *ctx;
	struct pollfd wait;
	int looks_up;			/* as in struct websocket */
	uint64_t question;		/* --proxy-header-command */
	int has_fields;			/* its answer is there */
	struct exchange exchange;
	struct exchange_room room;
	struct socks socks;
	struct ip ip;
	unsigned char message[SOCKS_ASK_MAX], answer[SOCKS_ANSWER_MAX + 1];
	size_t length, sent, received;
};

/*
 * Begins, and looks names up, which may wait.  All of it has until deadline, of
 * clock_ms().  What is handed over must last as long as the attempt.
 */
void attempt_begin(struct attempt *, const struct options *,
    const struct url *, struct trust *, const struct trace *,
    int64_t deadline);

/*
 * Does what can be done now.  1: up; -1: failed, and its descriptors are closed;
 * 0: it goes on when one of those of attempt_poll() is ready, or at
 * attempt_time().
 */
int attempt_step(struct attempt *);

/*
 * Until when, of clock_ms(), no other attempt is to begin because of this one:
 * it is connected, and reached its state less than 3 seconds before, or waits
 * for --proxy-header-command.  0: it is not connected.
 */
int64_t attempt_gets_on_until(const struct attempt *);

/* Is the address that it is dialled from still this host's? */
int attempt_holds(const struct attempt *);

/*
 * What it waits for: writes at most ATTEMPT_POLL_MAX entries and returns how
 * many; and until when, of clock_ms().
 */
int attempt_poll(const struct attempt *, struct pollfd *);
int64_t attempt_time(const struct attempt *);

/* Makes it fail; error, ETIMEDOUT or EINTR, is the reason. */
void attempt_cancel(struct attempt *, int error);

/* Gives it up: closes its descriptors, and sets no error. */
void attempt_end(struct attempt *);

/*
 * Copies to the websocket what is known of it until now, but not its io.  The
 * websocket points into the attempt.
 */
void attempt_show(const struct attempt *, struct websocket *);

/* The same, and moves its io: the attempt is up or has failed. */
void attempt_take(struct attempt *, struct websocket *);

/*
 * attempt_proxy.c: how the tunnel of a proxy is asked for.  Begins: 0, or -1
 * and why; a step as attempt_step(); what it waits for; is that a program of
 * ours; why it did not come.
 */
int attempt_proxy_begin(struct attempt *);
int attempt_proxy_step(struct attempt *);
int attempt_proxy_poll(const struct attempt *, struct pollfd *);
int64_t attempt_proxy_time(const struct attempt *);
int attempt_proxy_waits(const struct attempt *);
void attempt_proxy_cancel(struct attempt *, int error);

/* Puts the proxy's name before the error: -1. */
int attempt_blame_proxy(struct attempt *);

#endif
