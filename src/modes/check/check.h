/* SPDX-License-Identifier: ISC */
/*
 * The facts that "inetws check" finds out, and the steps with a verdict that
 * judge.c makes of them.
 */
#ifndef MODES_CHECK_CHECK_H
#define MODES_CHECK_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "handshake/route.h"
#include "handshake/websocket.h"
#include "tls/cert.h"

#define CHECK_USE_MAX	8192	/* bytes of check_advise_use() */
#define CHECK_PAST_THRESHOLD	1	/* exit status: there are warnings */

/* In the order in which they are taken and shown. */
enum check_step { STEP_NAME, STEP_CONNECT, STEP_PROXY, STEP_TLS, STEP_ANSWER,
    STEP_UPGRADE, STEP_EXTENSION, STEP_SUBPROTOCOL, STEP_PING, STEP_RESUME,
    STEP_MESSAGE, STEP_TARGET, STEP_IDLE, CHECK_STEPS };

enum step_state { STEP_NOT_TRIED, STEP_OK, STEP_WARNING, STEP_FAILED,
    STEP_STOPPED };

struct step {
	enum step_state state;
	int64_t us;		/* how long it took in microseconds, -1: not
				 * known */
	char text[480];		/* what was found, or "" */
	char advice[400];	/* what to do about it, or "" */
};

/* One of the addresses of a name. */
struct check_address {
	char name[NET_NAME_MAX];
	int64_t us;		/* microseconds to connect; -1: it failed, or
				 * was not tried */
	char why[64];		/* why it failed; "": it was not tried */
};

/* Who sent the answer. */
enum check_who {
	WHO_UNKNOWN,
	WHO_INETWS,
	WHO_SERVER,		/* a web server or a proxy */
	WHO_CDN,
	WHO_LOGIN		/* a page that asks for a login */
};

/* Do both sides use the extension "inetws"? */
enum check_extension {
	EXTENSION_NOT_KNOWN,	/* there is no open websocket */
	EXTENSION_AGREED,
	EXTENSION_PLAIN,	/* the peer does not know it */
	EXTENSION_STRIPPED	/* it knows it, but it was removed */
};

/* Does a small message arrive at once, or does a proxy collect bytes? */
enum check_message {
	MESSAGE_NOT_TRIED,
	MESSAGE_AT_ONCE,
	MESSAGE_HELD,		/* only when more bytes followed */
	MESSAGE_LATE,		/* sooner when more bytes followed */
	MESSAGE_LOST		/* never */
};

/* The target of the server. */
enum check_target {
	TARGET_NOT_KNOWN,
	TARGET_REACHED,
	TARGET_ENDED,		/* reached, but it ended without a byte */
	TARGET_DEAD		/* the server does not reach it */
};

/* --test-resume: what happened to the session when its websocket was cut. */
enum check_resume {
	RESUME_NOT_ASKED,
	RESUME_NOT_TRIED,	/* an earlier step has failed */
	RESUME_WENT_ON,		/* with the first request */
	RESUME_LATE,		/* with a later request */
	RESUME_NONE,		/* the peer keeps no sessions */
	RESUME_ENDED		/* the session was lost */
};

/* --proxy-idle: what happened to an idle websocket. */
enum check_idle {
	IDLE_NOT_ASKED,
	IDLE_NOT_TRIED,		/* an earlier step or this one has failed */
	IDLE_LIVES,
	IDLE_CUT,		/* the connection ended, or something else than
				 * a websocket came: the path cut it */
	IDLE_SILENT,		/* a ping had no answer */
	IDLE_ENDED		/* the peer ended it by a Close */
};

/* Limits beyond which the user wants a warning; 0: none. */
struct check_limits {
	unsigned int days;	/* to the end of a certificate */
	int64_t rtt;		/* ms of a ping's round trip */
};

struct check {
	char url[256];		/* as given, without secrets */
	char again[2048];	/* the options and the URL for connect */
	char left_out[256];	/* secrets that again lacks, or "" */
	struct error why;	/* of the step that failed; status EXIT_ENDED:
				 * none did */
	enum check_step failed_at;	/* CHECK_STEPS: none, or something
					 * before the first one */
	enum check_step under_way;	/* CHECK_STEPS: none */
	int64_t since;			/* of clock_us(), when it began */
	int stopped;			/* the signal that stopped the check, 0:
					 * none did */
	enum check_step stopped_at;	/* in this step; CHECK_STEPS: in none */
	int64_t stopped_us;		/* microseconds since it began, -1: not
					 * known */

	/* How long each part of dialling took: microseconds, -1: not done. */
	int64_t find, connect, tunnel, tls, upgrade;
	char host[ADDR_TEXT_MAX];	/* what was looked up and dialled */
	enum route_reason route;
	const char *route_by;	/* as in struct route */
	const char *unused;	/* a variable that names a proxy, but does not
				 * count here; or NULL */
	char proxy[400];	/* its URL, "": none.  With a proxy host,
				 * address and peer are those of the proxy */
	struct check_address address[NET_FOUND_MAX];	/* of host */
	int addresses;		/* how many */
	char peer[128];		/* the address that was connected to */
	int is_tls;
	struct cert cert;
	const char *login;	/* where the credentials come from: a part of
				 * a sentence */

	/* who answered */
	int http_status;	/* 0: there was no answer */
	enum check_who who;
	char who_name[64];	/* "nginx", "" unknown */
	char title[80];		/* of the page of HTML, or "" */
	char at[256];		/* URL that redirects led to, or "" */
	enum check_extension extension;

	/* Only with the extension. */
	char id[20], peer_id[20];	/* ids in the logs of both sides */
	uint32_t window;		/* of the peer, bytes */
	int resume_asked, resume;	/* a session was asked for; agreed on */

	const char *subprotocol_offered;	/* NULL: none */
	char subprotocol[64], server[128], via[128];	/* fields of the answer,
							 * or "" */

	unsigned int pings, pongs;	/* sent, answered */
	int64_t least, mean, most;	/* round trips, microseconds */
	unsigned int close;		/* code of the peer's Close, 0: none */
	char reason[130];	/* of this Close, not escaped */
	enum check_message message;
	int64_t message_us;	/* until it was answered, -1: it was not */
	int message_is_line;	/* 1: a control line of the extension was the
				 * message, 0: a ping */
	enum check_target target;
	char banner[80];	/* the first line of the target, or "" */

	enum check_resume resumed;
	int64_t resumed_us;	/* from the cut until the session went on */
	unsigned int requests;	/* how many were needed */

	enum check_idle idle;
	int64_t idle_limit;	/* ms, of --proxy-idle */
	int64_t idle_lived;	/* ms, the longest idle time after which a ping
				 * was answered; 0: none was */
	int64_t idle_end;	/* ms, the idle time after which it ended */
	unsigned int idle_pings;	/* that the peer sent meanwhile */

	/* of check_judge() */
	struct check_limits limits;
	int64_t now;		/* seconds since 1970 */
	struct step step[CHECK_STEPS];
};

/*
 * judge.c: a signal stopped the check, in the step that is under way, us
 * microseconds after that began (-1: not known).  If c->why is set, it stays; a
 * step that has failed before stays failed.
 */
void check_stop(struct check *, int signo, int64_t us);

/*
 * who.c: finds out what sent the answer, by its head and the beginning of its
 * body.
 */
void check_who(struct check *, const struct websocket *);

/*
 * addresses.c: check_addresses() lists the addresses of the host that is
 * dialled.  check_other_addresses() tries to connect to those that were not
 * connected to, all at the same time, for two seconds.  0, or -1: a signal
 * came.
 */
void check_addresses(struct check *, const struct net_found *);
int check_other_addresses(struct check *, const struct net_found *);

#endif
