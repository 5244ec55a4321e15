/* SPDX-License-Identifier: ISC */
#include "connection/answers.h"
#include "os/random.h"

#define BACKOFF_MAX	5000	/* ms */

/*
 * So many of one kind in a row, over so many milliseconds at least, end the
 * session; 0: none does, and it is tried again until --resume is over.
 */
static const struct {
	unsigned int most;
	int64_t over;
} rules[ANSWERS] = {
	[ANSWER_NONE] = { 0, 0 },
	[ANSWER_PROXY] = { 0, 0 },
	[ANSWER_ENDED] = { 1, 0 },
	[ANSWER_GONE] = { 5, 0 },
	[ANSWER_DENIED] = { 5, 30000 },
	[ANSWER_OTHER] = { 0, 0 },
	[ANSWER_NOT_KEPT] = { 1, 0 },
	[ANSWER_OF_NO_USE] = { 0, 0 }
};

enum answer
answer_of_status(int status, int same, int over)
{
	switch (status) {
	case 0:
		return ANSWER_NONE;
	case 401:
	case 403:
		return ANSWER_DENIED;
	case 101:
		return over ? ANSWER_ENDED : ANSWER_OTHER;
	case 410:
		return same || over ? ANSWER_ENDED : ANSWER_GONE;
	}
	return ANSWER_OTHER;
}

int
answers_add(struct answers *a, enum answer kind, int64_t now)
{
	a->tries++;
	if (a->row == 0 || a->last != kind) {
		a->last = kind;
		a->row = 0;
		a->since = now;
	}
	a->row++;
	a->seen |= 1u << kind;
	return rules[kind].most != 0 && a->row >= rules[kind].most &&
	    now - a->since >= rules[kind].over;
}

int64_t
answers_wait(uint32_t retry_after, int64_t pause, int64_t left)
{
	int64_t wait = (int64_t)retry_after * 1000;

	if (wait > ANSWERS_WAIT_MAX)
		wait = ANSWERS_WAIT_MAX;
	if (wait > left / 4)
		wait = left / 4;
	return wait > pause ? wait : pause;
}

int64_t
answers_pause(unsigned int tries)
{
	return tries == 0 ? 0 : random_backoff(tries, BACKOFF_MAX);
}

int64_t
answers_next(unsigned int *tries, uint32_t retry_after, int64_t now,
    int64_t give_up)
{
	return now + answers_wait(retry_after, answers_pause(++*tries),
	    give_up - now);
}

const char *
answers_tell(const struct answers *a)
{
	if (a->seen & 1u << ANSWER_ENDED)
		return "the server that kept the session has ended it";
	if (a->seen & (1u << ANSWER_NOT_KEPT | 1u << ANSWER_OF_NO_USE))
		return "a server knew the session";
	if (a->seen & ~(1u << ANSWER_NONE | 1u << ANSWER_PROXY))
		return "no server knew the session";
	if (a->seen & 1u << ANSWER_PROXY)
		return "a proxy answered, but no server";
	return "no server answered";
}
