/* SPDX-License-Identifier: ISC */
/*
 * What an instance does, as numbers and rows: read from its page (read.c),
 * shown as a table or JSON (render.c), HTML (html.c) or metrics (metrics.c).
 */
#ifndef STATS_REPORT_H
#define STATS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

enum report_state {
	STATE_FREE,		/* no process */
	STATE_LISTENING,	/* a supervisor */
	STATE_HANDSHAKE,	/* not both halves yet */
	STATE_PARKED,		/* a websocket without a stream */
	STATE_OPEN,
	STATE_HALF_CLOSED,	/* one direction has ended */
	STATE_LOST,		/* a session that lost its websocket */
	STATES
};

/* How connections ended; the first ones are those of enum tunnel_end. */
enum report_result {
	RESULT_ENDED = 1,
	RESULT_HANDED_OVER = 10, /* to the process that keeps its session */
	RESULT_NO_NAME,		/* from here: the connection could not begin */
	RESULT_UNREACHABLE,
	RESULT_SYSTEM,
	RESULT_LEFT,
	RESULT_TIMEOUT,
	RESULT_PROTOCOL,
	RESULT_DENIED,
	RESULT_OTHER,
	RESULT_PROBE,		/* it only looked */
	RESULT_KILLED,		/* its process was killed */
	RESULTS
};

/* The peer's close codes, in few classes. */
enum { CODE_NONE, CODE_1000, CODE_1001, CODE_1002, CODE_1006_OR_LESS,
    CODE_1007, CODE_1008, CODE_1009, CODE_1011, CODE_1012, CODE_OTHER,
    CODES };

#define REPORT_BUCKETS	13	/* the last one is without bound */

struct report_histogram {
	uint64_t bucket[REPORT_BUCKETS];	/* not cumulative */
	uint64_t sum;				/* milliseconds */
};

/* Counters; nothing but uint64_t. */
struct report_counts {
	uint64_t up, down;	/* bytes, from the websocket's client, to it */
	uint64_t begun;		/* connections, without those in handshake */
	uint64_t refused;	/* at a limit */
	uint64_t losses, resumes;	/* of websockets of sessions */
	uint64_t gaps;		/* ms without one, of those resumed */
	uint64_t gave_way;	/* sessions that ended to make room */
	uint64_t ended[RESULTS];
	uint64_t code[CODES];
	struct report_histogram duration, handshake, rtt;
};

#define REPORT_NUMBERS	(sizeof(struct report_counts) / sizeof(uint64_t))

struct report_row {
	int pid;
	enum report_state state;
	char mode[12];
	char peer[64], via[64], target[128];
	char user[64];		/* "": not authenticated */
	char id[20], peer_id[20];
	int64_t age, idle;	/* ms */
	int64_t rtt;		/* ms, -1 unknown */
	int64_t lost;		/* ms without a websocket, -1: it has one */
	int64_t gap;		/* ms, the longest time without one */
	unsigned int window_up, window_down; /* bytes that may be sent ahead,
				 * 0: it cannot be resumed */
	uint64_t up, down;	/* bytes */
	uint64_t up_rate, down_rate;	/* bytes a second */
	unsigned int resumes;
};

struct report {
	char version[32], mode[12];
	char name[256];		/* "A,B -> C" */
	char sandbox[64];	/* what is missing: "landlock seccomp", "off" */
	int pid;		/* of the supervisor, 0: it has ended */
	int64_t started;	/* seconds since 1970 */
	int64_t uptime;		/* ms */
	unsigned int max;	/* --max-connections, 0: unknown */
	unsigned int active[STATES];
	unsigned int unlisted;	/* alive, but without a row */
	unsigned int waiting;	/* queued visitors */
	int64_t gap;		/* ms, the longest time that a tunnel was
				 * without a websocket and went on */
	unsigned int window;	/* bytes, the largest now */
	struct report_counts counts;
};

/* A name of agents at a gate; "-": visitors of any agent. */
struct report_name {
	char text[128];
	int listed;		/* in --agents-file */
	unsigned int parked;	/* websockets without a visitor */
	unsigned int open;	/* websockets with a visitor */
	unsigned int waiting;	/* queued visitors */
};

#define REPORT_NAMES_MAX	4096

/* of has room for max, up to REPORT_NAMES_MAX; n and index begin as zeros. */
struct report_names {
	struct report_name *of;
	unsigned int n, max;
	uint16_t index[2 * REPORT_NAMES_MAX];	/* by hash, 0: none, else + 1 */
};

const char *report_state_name(enum report_state);
const char *report_result_name(unsigned int);	/* NULL: there is none */
const char *report_code_name(unsigned int);

/* The result of a connection that could not begin with this exit status. */
enum report_result report_failure(int exit_status);

/* The class of a close code; 0 is none. */
unsigned int report_code(unsigned int close_code);

/* Upper bounds of the buckets but the last, in milliseconds. */
extern const int64_t report_duration_ms[REPORT_BUCKETS - 1];
extern const int64_t report_handshake_ms[REPORT_BUCKETS - 1];
extern const int64_t report_rtt_ms[REPORT_BUCKETS - 1];

unsigned int report_bucket(const int64_t bounds[REPORT_BUCKETS - 1],
    int64_t ms);

/* All living connections, listed and unlisted. */
unsigned int report_active(const struct report *);

/*
 * All connections there were, with those in handshake: of these one may turn
 * out to be a redial, so that the number falls again.
 */
uint64_t report_total(const struct report *);

/*
 * Adds to a name's numbers: so many visitors are queued.  A name for which
 * there is no room is left out.
 */
void report_name(struct report_names *, const char *text, int listed,
    unsigned int waiting);

/* The same for an agent's websocket. */
void report_name_row(struct report_names *, const struct report_row *);

/* Does an instance of this mode have names? */
int report_is_gate(const char *mode);

/*
 * Lines: an instance, the names of the columns, a row.  width: what a line may
 * have, 80 or more; fewer columns are shown where it is too narrow for all of
 * them, and an instance takes two lines.  0: as much as is needed.
 */
void report_table_head(struct out *, const struct report *,
    unsigned int width);
void report_table_columns(struct out *, unsigned int width);
void report_table_row(struct out *, const struct report_row *,
    unsigned int width);

void report_table_name_columns(struct out *);
void report_table_name(struct out *, const struct report_name *);

/* Members of an object without its braces; a row or a name as an object. */
void report_json_head(struct out *, const struct report *);
void report_json_row(struct out *, const struct report_row *);
void report_json_name(struct out *, const struct report_name *);

/*
 * A page: head, names if there are any, the names of the columns, each row,
 * and the end, which says how many rows were left out.
 */
void report_html_head(struct out *, const struct report *);
void report_html_names(struct out *, const struct report_names *);
void report_html_columns(struct out *);
void report_html_row(struct out *, const struct report_row *);
void report_html_end(struct out *, unsigned int more);

/* The value of its Content-Security-Policy: it may load itself again. */
void report_html_policy(struct out *);

#endif
