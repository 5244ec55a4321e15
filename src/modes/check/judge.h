/* SPDX-License-Identifier: ISC */
/*
 * What "inetws check" has found out, judged and shown: for a person, as JSON,
 * and as a line for Nagios and its kind.
 */
#ifndef MODES_CHECK_JUDGE_H
#define MODES_CHECK_JUDGE_H

#include <stdint.h>

#include "base/error.h"
#include "base/out.h"
#include "tls/cert.h"

#define CHECK_WARNINGS_MAX	8
#define CHECK_PAST_THRESHOLD	1	/* exit status: it works, but */

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };

/* What became of an idle websocket. */
enum check_idle {
	IDLE_NOT_ASKED,
	IDLE_LIVES,
	IDLE_CUT,		/* the transport ended: the path did it */
	IDLE_SILENT,		/* a ping had no answer */
	IDLE_ENDED		/* the peer ended it */
};

struct check {
	char url[256];		/* as given, without secrets */
	struct error why;		/* status EXIT_ENDED: all went well */

	/* microseconds, -1: it did not come to that */
	int64_t find, connect, tunnel, tls, upgrade;
	char proxy[400];	/* by which, "" none: then addresses and peer
				 * are its */
	char addresses[400];	/* of the name, "a, b" */
	char peer[128];		/* the one that was connected to */
	struct cert cert;

	/* who is there */
	int http_status;	/* 0: there was no answer */
	char at[256];		/* where redirects led, "" there were none */
	int has_extension;	/* it is inetws */
	char id[20], peer_id[20];	/* with it: what joins the logs */
	uint32_t window;		/* with it: bytes */
	int resume_asked, resume;	/* with it: for a session; there is */
	char subprotocol[64], server[128], via[128];	/* "" none */

	unsigned int pings, pongs;	/* sent, answered */
	int64_t least, mean, most;	/* round trips, microseconds */
	unsigned int close;		/* the peer ended it so soon: its code,
					 * 0: it did not */
	char reason[130];	/* of its Close, as it came */

	enum check_idle idle;
	int64_t idle_limit;	/* ms, how long it was looked at */
	int64_t idle_lived;	/* ms, and an answer came; 0: none did */
	int64_t idle_end;	/* ms, when it was over */
	int idle_stopped;	/* by a signal, before all was known */
	unsigned int idle_pings;	/* that the peer sent meanwhile */

	char warning[CHECK_WARNINGS_MAX][160];
	unsigned int nwarnings;
};

/* What a user wants to be warned of; 0: nothing. */
struct check_limits {
	unsigned int days;	/* to the end of a certificate */
	int64_t rtt;		/* ms of a ping's round trip */
};

/* Fills in the warnings.  now: seconds since 1970. */
void check_judge(struct check *, const struct check_limits *, int64_t now);

/* Days until the first certificate of the chain expires; below 0: it has. */
int64_t check_days(const struct check *, int64_t now);

/* "expires in 9 days", "has expired" within two days; returns dst. */
const char *check_expiry(char *dst, size_t, int64_t days);

/* What to give to --ping-interval, ms; 0: what it is will do. */
int64_t check_ping_interval(const struct check *);

enum check_level check_level(const struct check *);

/* For a person: the steps until the pings, and what comes after them. */
void check_steps(struct out *, const struct check *, int64_t now);
void check_result(struct out *, const struct check *);
void check_json(struct out *, const struct check *, int64_t now);
void check_nagios(struct out *, const struct check *,
    const struct check_limits *, int64_t now);

#endif
