/* SPDX-License-Identifier: ISC */
/*
 * What an instance does, as numbers and rows: filled in by whoever can look,
 * shown as a table, JSON, HTML (report_show.c) or metrics (metrics.c).
 */
#ifndef STATS_REPORT_H
#define STATS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

enum report_state {
	STATE_FREE,		/* nobody */
	STATE_LISTENING,	/* a supervisor's own */
	STATE_HANDSHAKE,	/* not both halves yet */
	STATE_PARKED,		/* a wire that waits for its stream */
	STATE_OPEN,
	STATE_HALF_CLOSED,	/* one direction has ended */
	STATE_LOST,		/* a session without its wire */
	STATES
};

/* How connections ended: the first ones are enum tunnel_end's. */
enum report_result {
	RESULT_ENDED = 1,
	RESULT_HANDED_OVER = 10, /* to the process that keeps its session */
	RESULT_NO_NAME,		/* these could not begin */
	RESULT_UNREACHABLE,
	RESULT_SYSTEM,
	RESULT_LEFT,
	RESULT_TIMEOUT,
	RESULT_PROTOCOL,
	RESULT_DENIED,
	RESULT_OTHER,
	RESULT_KILLED,		/* the process ended before it could tell */
	RESULTS
};

/* The peer's close codes, in few classes. */
enum { CODE_NONE, CODE_1000, CODE_1001, CODE_1002, CODE_1006_OR_LESS,
    CODE_1007, CODE_1008, CODE_1009, CODE_1011, CODE_1012, CODE_OTHER,
    CODES };

#define REPORT_BUCKETS	13	/* the last one is without bound */

struct report_histogram {
	uint64_t bucket[REPORT_BUCKETS];	/* not cumulated */
	uint64_t sum;				/* milliseconds */
};

/* Numbers that only grow; nothing but uint64_t. */
struct report_counts {
	uint64_t up, down;	/* bytes, from the wire's client and to it */
	uint64_t begun;		/* connections */
	uint64_t refused;	/* at the limit */
	uint64_t losses, resumes;
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
	char user[64];		/* "" nobody was checked */
	char id[20], peer_id[20];
	int64_t age, idle;	/* ms */
	int64_t rtt;		/* ms, -1 unknown */
	uint64_t up, down;	/* bytes */
	uint64_t up_rate, down_rate;	/* bytes a second */
	unsigned int resumes;
};

struct report {
	char version[32], mode[12];
	char name[256];		/* "A,B -> C" */
	int pid;		/* of the supervisor, 0: none lives */
	int64_t started;	/* seconds since 1970 */
	int64_t uptime;		/* ms */
	unsigned int max;	/* --max-connections, 0: unknown */
	unsigned int active[STATES];
	unsigned int unlisted;	/* alive, but without a row */
	unsigned int waiting;	/* visitors whom nobody serves yet */
	struct report_counts counts;
};

/* Whom visitors of a gate come for: an agent's name, or "-" for any. */
struct report_name {
	char text[128];
	int listed;		/* in --agents-file */
	unsigned int parked;	/* wires that wait */
	unsigned int open;	/* those with a visitor */
	unsigned int waiting;	/* visitors whom nobody serves yet */
};

#define REPORT_NAMES_MAX	4096

struct report_names {
	struct report_name *of;
	unsigned int n, max;
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

/* All that are alive: rows and others, without the supervisor. */
unsigned int report_active(const struct report *);

/*
 * Adds to what is known of a name: so many wait for it.  One for which there
 * is no room any more is left out.
 */
void report_name(struct report_names *, const char *text, int listed,
    unsigned int waiting);

/* The same of an agent's wire. */
void report_name_row(struct report_names *, const struct report_row *);

/* Is an instance of this mode one that has names? */
int report_is_gate(const char *mode);

/* a += b */
void report_add(struct report_counts *a, const struct report_counts *b);

/*
 * Lines: an instance, the names of the columns, a row.
 */
void report_table_head(struct out *, const struct report *);
void report_table_columns(struct out *);
void report_table_row(struct out *, const struct report_row *);

void report_table_name_columns(struct out *);
void report_table_name(struct out *, const struct report_name *);

/* Members of an object without its braces; a row or a name as an object. */
void report_json_head(struct out *, const struct report *);
void report_json_row(struct out *, const struct report_row *);
void report_json_name(struct out *, const struct report_name *);

/*
 * A page: head, names if there are any, the names of the columns, each row,
 * and the end, which tells of rows left out.
 */
void report_html_head(struct out *, const struct report *);
void report_html_names(struct out *, const struct report_names *);
void report_html_columns(struct out *);
void report_html_row(struct out *, const struct report_row *);
void report_html_end(struct out *, unsigned int more);

#endif
