/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "stats/report.h"
#include "tunnel/tunnel.h"

_Static_assert((int)RESULT_ENDED == (int)TUNNEL_ENDED &&
    (int)RESULT_HANDED_OVER == (int)TUNNEL_STOPPED + 1,
    "results begin with the tunnel's ends");

const int64_t report_duration_ms[REPORT_BUCKETS - 1] = {
	100, 500, 1000, 5000, 15000, 60000, 300000, 900000, 3600000,
	14400000, 43200000, 86400000
};
const int64_t report_handshake_ms[REPORT_BUCKETS - 1] = {
	1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000
};
const int64_t report_rtt_ms[REPORT_BUCKETS - 1] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000
};

const char *
report_state_name(enum report_state state)
{
	static const char *const names[STATES] = {
		"free", "listening", "handshaking", "parked", "open",
		"half-closed", "lost", "refusing"
	};

	return (unsigned int)state < STATES ? names[state] : "unknown";
}

int
report_in_handshake(enum report_state state)
{
	return state == STATE_HANDSHAKE || state == STATE_REFUSING;
}

const char *
report_result_name(unsigned int result)
{
	static const char *const names[RESULTS] = {
		[RESULT_HANDED_OVER] = "handed-over",
		[RESULT_NO_NAME] = "name-not-found",
		[RESULT_UNREACHABLE] = "unreachable",
		[RESULT_SYSTEM] = "system",
		[RESULT_LEFT] = "left-early",
		[RESULT_TIMEOUT] = "timeout",
		[RESULT_PROTOCOL] = "protocol",
		[RESULT_DENIED] = "denied",
		[RESULT_OTHER] = "other",
		[RESULT_PROBE] = "probe",
		[RESULT_KILLED] = "killed"
	};

	if (result >= RESULT_ENDED && result <= TUNNEL_STOPPED)
		return tunnel_end_name((enum tunnel_end)result);
	return result < RESULTS ? names[result] : NULL;
}

const char *
report_code_name(unsigned int code)
{
	static const char *const names[CODES] = {
		"none", "1000", "1001", "1002", "1003-1006", "1007", "1008",
		"1009", "1011", "1012", "other"
	};

	return code < CODES ? names[code] : "other";
}

enum report_result
report_failure(int exit_status)
{
	switch (exit_status) {
	case EXIT_NAME:
		return RESULT_NO_NAME;
	case EXIT_UNREACHABLE:
		return RESULT_UNREACHABLE;
	case EXIT_SYSTEM:
		return RESULT_SYSTEM;
	case EXIT_LOST:
		return RESULT_LEFT;
	case EXIT_AGAIN:
		return RESULT_TIMEOUT;
	case EXIT_PROTOCOL:
		return RESULT_PROTOCOL;
	case EXIT_DENIED:
		return RESULT_DENIED;
	}
	return RESULT_OTHER;
}

unsigned int
report_code(unsigned int close_code)
{
	static const unsigned int classes[] = {
		CODE_1000, CODE_1001, CODE_1002, CODE_1006_OR_LESS,
		CODE_1006_OR_LESS, CODE_NONE, CODE_1006_OR_LESS, CODE_1007,
		CODE_1008, CODE_1009, CODE_OTHER, CODE_1011, CODE_1012
	};

	if (close_code == 0)
		return CODE_NONE;
	if (close_code < 1000 || close_code > 1012)
		return CODE_OTHER;
	return classes[close_code - 1000];
}

unsigned int
report_bucket(const int64_t bounds[REPORT_BUCKETS - 1], int64_t ms)
{
	unsigned int i;

	for (i = 0; i < REPORT_BUCKETS - 1 && ms > bounds[i]; i++)
		;
	return i;
}

unsigned int
report_active(const struct report *r)
{
	unsigned int i, n = r->unlisted;

	for (i = STATE_HANDSHAKE; i < STATES; i++)
		n += r->active[i];
	return n;
}

uint64_t
report_total(const struct report *r)
{
	return r->counts.begun + r->active[STATE_HANDSHAKE] +
	    r->active[STATE_REFUSING];
}

static struct report_name *
name_of(struct report_names *names, const char *text)
{
	const unsigned int mask = 2 * REPORT_NAMES_MAX - 1;
	uint64_t hash = hash_add(HASH_BEGIN, text, strlen(text));
	struct report_name *n;
	unsigned int i;

	for (i = (unsigned int)hash & mask; names->index[i] != 0; i = (i + 1) & mask)
		if (strcmp(names->of[names->index[i] - 1].text, text) == 0)
			return &names->of[names->index[i] - 1];
	if (names->n == names->max)
		return NULL;
	n = &names->of[names->n++];
	names->index[i] = (uint16_t)names->n;
	memset(n, 0, sizeof(*n));
	strlcpy(n->text, text, sizeof(n->text));
	return n;
}

void
report_add_name(struct report_names *names, const char *text, int listed,
    unsigned int waiting)
{
	struct report_name *n = name_of(names, text);

	if (n == NULL)
		return;
	n->listed |= listed;
	n->waiting += waiting;
}

void
report_add_row(struct report_names *names, const struct report_row *r)
{
	struct report_name *n;

	if (r->state < STATE_PARKED ||
	    (n = name_of(names, r->target)) == NULL)
		return;
	if (r->state == STATE_PARKED)
		n->parked++;
	else
		n->open++;
}

int
report_is_gate(const char *mode)
{
	return strcmp(mode, "gate") == 0;
}
