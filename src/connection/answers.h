/* SPDX-License-Identifier: ISC */
/*
 * What the answers to a session's redials mean: which of them ends it, and
 * when to ask again (inetws-protocol(7), "When a redial fails").  Values in,
 * values out; times are milliseconds of the caller's clock.
 */
#ifndef CONNECTION_ANSWERS_H
#define CONNECTION_ANSWERS_H

#include <stdint.h>

#define ANSWERS_WAIT_MAX	30000	/* ms of a Retry-After that are heeded */

/* What a redial came to. */
enum answer {
	ANSWER_NONE,	/* no connection, a refused certificate, a bare end */
	ANSWER_PROXY,	/* a forward proxy's refusal: no server was asked */
	ANSWER_ENDED,	/* 410 from where the session lived; or that or a 101
			 * without the session, when it is over and only the
			 * peer's Close is missing */
	ANSWER_GONE,	/* any other 410: perhaps another server keeps it */
	ANSWER_DENIED,	/* 401, 403 */
	ANSWER_OTHER,	/* any other status, a 101 that is not valid, or one
			 * without the session */
	ANSWER_NOT_KEPT,/* 101 from a position that is not kept */
	ANSWER_OF_NO_USE,/* 101 with the session, whose websocket was lost
			 * before it was of use */
	ANSWERS
};

/* Of one loss; all zeros at first. */
struct answers {
	unsigned int tries;
	unsigned int seen;	/* 1 << enum answer */
	enum answer last;
	unsigned int row;	/* how often in a row */
	int64_t since;		/* the first of these */
};

/*
 * What an HTTP status means: 0 is none, 101 one without the session.  same: the
 * answer names the instance that gave the session.  over: all is delivered, and
 * only the peer's Close is missing.
 */
enum answer answer_of_status(int status, int same, int over);

/* One has come.  Does it end the session? */
int answers_add(struct answers *, enum answer, int64_t now);

/*
 * How long to wait before the next try: pause, or the Retry-After of the
 * answer, in seconds, if that is longer; of what is left of --resume a quarter
 * at most.
 */
int64_t answers_wait(uint32_t retry_after, int64_t pause, int64_t left);

/*
 * The pause, in milliseconds, after so many answers in a row that did not help:
 * longer with each, up to five seconds, and varied at random; 0 after none.
 */
int64_t answers_pause(unsigned int tries);

/* One more has come: when to try again, give_up being the end of --resume. */
int64_t answers_next(unsigned int *tries, uint32_t retry_after, int64_t now,
    int64_t give_up);

/* Did a server know the session?  As a part of a sentence. */
const char *answers_tell(const struct answers *);

#endif
