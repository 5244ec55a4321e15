/* SPDX-License-Identifier: ISC */
/*
 * What "inetws check" has found out: the facts, and the steps that they are
 * judged to be.
 */
#ifndef MODES_CHECK_CHECK_H
#define MODES_CHECK_CHECK_H

#include <stdint.h>

#include "base/error.h"
#include "handshake/route.h"
#include "handshake/websocket.h"
#include "tls/cert.h"

#define CHECK_USE_MAX	8192	/* how to use it */
#define CHECK_PAST_THRESHOLD	1	/* exit status: it works, but */

/* In the order in which they are taken and shown. */
enum check_step { STEP_NAME, STEP_CONNECT, STEP_PROXY, STEP_TLS, STEP_ANSWER,
    STEP_UPGRADE, STEP_EXTENSION, STEP_SUBPROTOCOL, STEP_PING, STEP_RESUME,
    STEP_MESSAGE, STEP_TARGET, STEP_IDLE, CHECK_STEPS };

enum step_state { STEP_NOT_TRIED, STEP_OK, STEP_WARNING, STEP_FAILED,
    STEP_STOPPED };

struct step {
	enum step_state state;
	int64_t us;		/* how long it took, -1: that is not known */
	char text[480];		/* what was found, "" nothing */
	char advice[400];	/* what to do about it, "" nothing */
};

/* One of the addresses of a name. */
struct check_address {
	char name[NET_NAME_MAX];
	int64_t us;		/* to connect; -1: it cannot be connected to */
	char why[64];		/* then; "" it was not tried */
};

/* Who sent the answer. */
enum check_who {
	WHO_UNKNOWN,
	WHO_INETWS,
	WHO_SERVER,		/* a web server or a proxy */
	WHO_CDN,
	WHO_LOGIN		/* a page that asks for a login */
};

/* Did the two agree on the extension? */
enum check_extension {
	EXTENSION_NOT_KNOWN,	/* there is no open websocket */
	EXTENSION_AGREED,
	EXTENSION_PLAIN,	/* the peer does not know it */
	EXTENSION_STRIPPED	/* it knows it, but it was removed */
};

/* How a small message comes through. */
enum check_message {
	MESSAGE_NOT_TRIED,
	MESSAGE_AT_ONCE,
	MESSAGE_HELD,		/* only when more came behind it */
	MESSAGE_LATE,		/* later than with more behind it */
	MESSAGE_LOST		/* not at all */
};

/* The stream at the server's side. */
enum check_target {
	TARGET_NOT_KNOWN,
	TARGET_REACHED,
	TARGET_ENDED,		/* reached, and it ended without a byte */
	TARGET_DEAD
};

enum check_resume {
	RESUME_NOT_ASKED,
	RESUME_WENT_ON,
	RESUME_LATE,		/* not with the first request */
	RESUME_NONE,		/* the peer keeps no sessions */
	RESUME_ENDED		/* the session was lost */
};

/* What became of an idle websocket. */
enum check_idle {
	IDLE_NOT_ASKED,
	IDLE_LIVES,
	IDLE_CUT,		/* the transport ended: the path did it */
	IDLE_SILENT,		/* a ping had no answer */
	IDLE_ENDED		/* the peer ended it */
};

/* What a user wants to be warned of; 0: nothing. */
struct check_limits {
	unsigned int days;	/* to the end of a certificate */
	int64_t rtt;		/* ms of a ping's round trip */
};

struct check {
	char url[256];		/* as given, without secrets */
	char again[2048];	/* the options and the URL for connect */
	char left_out[256];	/* of them: what is secret, "" nothing */
	struct error why;	/* status EXIT_ENDED: all went well */
	enum check_step failed_at;	/* CHECK_STEPS: before the first, or
					 * nowhere */
	enum check_step under_way;	/* CHECK_STEPS: none */
	int64_t since;			/* of clock_us() */
	int stopped;			/* by this signal; 0: by none */
	enum check_step stopped_at;	/* then; CHECK_STEPS: in none */
	int64_t stopped_us;		/* after so long, -1: not known */

	/* microseconds, -1: it did not come to that */
	int64_t find, connect, tunnel, tls, upgrade;
	char host[ADDR_HOST_MAX + 16];	/* what was looked up and dialled */
	enum route_reason route;
	const char *route_by;	/* as in struct route */
	const char *unused;	/* a variable that names a proxy, but does not
				 * count here; or NULL */
	char proxy[400];	/* by which, "" none: then addresses and peer
				 * are its */
	struct check_address address[NET_FOUND_MAX];
	int addresses;		/* of the name */
	char peer[128];		/* the one that was connected to */
	int is_tls;
	struct cert cert;
	const char *login;	/* what gives the credentials */

	/* who is there */
	int http_status;	/* 0: there was no answer */
	enum check_who who;
	char who_name[64];	/* "nginx", "" unknown */
	char title[80];		/* of the page, "" none */
	char at[256];		/* where redirects led, "" there were none */
	enum check_extension extension;	/* of an open websocket */
	char id[20], peer_id[20];	/* with it: what joins the logs */
	uint32_t window;		/* with it: bytes */
	int resume_asked, resume;	/* with it: for a session; there is */
	const char *subprotocol_offered;	/* NULL: none */
	char subprotocol[64], server[128], via[128];	/* "" none */

	unsigned int pings, pongs;	/* sent, answered */
	int64_t least, mean, most;	/* round trips, microseconds */
	unsigned int close;		/* the peer ended it so soon: its code,
					 * 0: it did not */
	char reason[130];	/* of its Close, as it came */
	enum check_message message;
	int64_t message_us;	/* until it was answered, -1 it was not */
	int message_is_line;	/* it was one of the extension, else a ping */
	enum check_target target;
	char banner[80];	/* its first line, "" there was none */

	enum check_resume resumed;
	int64_t resumed_us;	/* from the cut until all went on */
	unsigned int requests;	/* for that */

	enum check_idle idle;
	int64_t idle_limit;	/* ms, how long it was looked at */
	int64_t idle_lived;	/* ms, and an answer came; 0: none did */
	int64_t idle_end;	/* ms, when it was over */
	unsigned int idle_pings;	/* that the peer sent meanwhile */

	/* by which it was judged */
	struct check_limits limits;
	int64_t now;		/* seconds since 1970 */
	struct step step[CHECK_STEPS];
};

/*
 * judge.c: it is stopped in the step that is under way, by this signal, after
 * so long (microseconds, -1: not known).  c->why may say more; a step that has
 * failed before stays so.
 */
void check_stop(struct check *, int signo, int64_t us);

/* who.c: what sent the answer, by its head and the beginning of its body. */
void check_who(struct check *, const struct websocket *);

/*
 * addresses.c: the addresses of what was dialled.  Of these one may be
 * connected to already; the others are tried, at the same time, for a moment:
 * 0, or -1: a signal came.
 */
void check_addresses(struct check *, const struct net_found *);
int check_other_addresses(struct check *, const struct net_found *);

#endif
