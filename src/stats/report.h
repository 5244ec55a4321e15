/* SPDX-License-Identifier: ISC */
/*
 * What an instance does, as numbers and rows.  read.c reads them from its page;
 * render.c shows them as a table or JSON, html.c as HTML, metrics.c as metrics.
 */
#ifndef STATS_REPORT_H
#define STATS_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/out.h"

enum report_state {
	STATE_FREE,		/* no process */
	STATE_LISTENING,	/* a supervisor */
	STATE_HANDSHAKE,	/* websocket or stream are still to come */
	STATE_PARKED,		/* it has a websocket, but no stream yet */
	STATE_OPEN,		/* bytes may flow in both directions */
	STATE_HALF_CLOSED,	/* one direction has ended */
	STATE_LOST,		/* a session that lost its websocket */
	STATE_REFUSING,		/* the request is refused, the answer on its way */
	STATES
};

/*
 * How connections ended.  The first ones have the values of enum tunnel_end
 * (tunnel/tunnel.h); those from RESULT_NO_NAME on never had a tunnel.
 */
enum report_result {
	RESULT_ENDED = 1,
	RESULT_HANDED_OVER = 10, /* to the process that keeps its session */
	RESULT_NO_NAME,		/* a host name was not found */
	RESULT_UNREACHABLE,	/* the target or server was not reached */
	RESULT_SYSTEM,		/* a system call failed */
	RESULT_LEFT,		/* the peer ended the handshake */
	RESULT_TIMEOUT,
	RESULT_PROTOCOL,
	RESULT_DENIED,		/* authentication or a rule refused it */
	RESULT_OTHER,
	RESULT_PROBE,		/* a health check, or it sent no request */
	RESULT_KILLED,		/* its process was killed, at any time */
	RESULTS
};

/* Classes of the peer's close codes (RFC 6455 7.4). */
enum { CODE_NONE, CODE_1000, CODE_1001, CODE_1002, CODE_1006_OR_LESS,
    CODE_1007, CODE_1008, CODE_1009, CODE_1011, CODE_1012, CODE_OTHER,
    CODES };

#define REPORT_BUCKETS	13	/* the last one has no upper bound */

struct report_histogram {
	uint64_t bucket[REPORT_BUCKETS];	/* not cumulative */
	uint64_t sum;				/* milliseconds */
};

/* Counters.  Every member is a uint64_t or made of them: they are added up. */
struct report_counts {
	uint64_t up;		/* bytes of payload from websocket clients */
	uint64_t down;		/* bytes of payload to websocket clients */
	uint64_t begun;		/* connections whose handshake is over */
	uint64_t refused;	/* connections beyond a limit */
	uint64_t losses, resumes;	/* websockets of sessions that were
				 * lost; that were replaced */
	uint64_t gaps;		/* ms without a websocket, of those replaced */
	uint64_t gave_way;	/* sessions that ended to make room */
	uint64_t ended[RESULTS];	/* connections, by result */
	uint64_t code[CODES];		/* tunnels, by the peer's close code */
	struct report_histogram duration;	/* of tunnels */
	struct report_histogram handshake;	/* of connections */
	struct report_histogram rtt;		/* of pings */
};

#define REPORT_NUMBERS	(sizeof(struct report_counts) / sizeof(uint64_t))

/* A connection. */
struct report_row {
	int pid;
	enum report_state state;
	char mode[12];
	char peer[64], via[64], target[128];
	char user[64];		/* "": not authenticated */
	char id[20], peer_id[20];	/* of the log: ours, the peer's */
	int64_t age, idle;	/* ms since its begin, since the last payload */
	int64_t rtt;		/* ms, -1 unknown */
	int64_t lost;		/* ms without a websocket, -1: it has one */
	int64_t gap;		/* ms, the longest time without one */
	unsigned int window_up, window_down; /* bytes that may be sent ahead,
				 * 0: it cannot be resumed */
	uint64_t up, down;	/* bytes */
	uint64_t up_rate, down_rate;	/* bytes a second, 0: not measured */
	unsigned int resumes;
};

/* An instance. */
struct report {
	char version[32], mode[12];
	char name[256];		/* "A,B -> C" */
	char sandbox[64];	/* what is missing: "landlock seccomp", "off" */
	uint64_t huge_text;	/* bytes of the program in huge pages */
	char huge_text_missing[64];	/* why it is 0: "off", a clause */
	int pid;		/* of the supervisor, 0: it has ended */
	int64_t started;	/* seconds since 1970 */
	int64_t uptime;		/* ms */
	unsigned int max;	/* --max-connections, 0: unknown */
	unsigned int active[STATES];	/* connections, by their state */
	unsigned int unlisted;	/* connections that run, but have no row */
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

/*
 * A set of names.  The caller provides of, with room for max (up to
 * REPORT_NAMES_MAX), and sets n and index to zero.
 */
struct report_names {
	struct report_name *of;
	unsigned int n, max;
	uint16_t index[2 * REPORT_NAMES_MAX];	/* hash table: 0: no name, else
						 * its place in of, plus 1 */
};

/*
 * As they are shown: "half-closed", "timeout" (NULL: no such result), "1001".
 */
const char *report_state_name(enum report_state);

/* Has the handshake of such a connection begun, and not succeeded? */
int report_in_handshake(enum report_state);
const char *report_result_name(unsigned int);
const char *report_code_name(unsigned int);

/* The result of a connection whose handshake failed with this exit status. */
enum report_result report_failure(int exit_status);

/* The class (CODE_...) of a close code; 0: the peer sent none. */
unsigned int report_code(unsigned int close_code);

/* Upper bounds of the buckets but the last, in milliseconds. */
extern const int64_t report_duration_ms[REPORT_BUCKETS - 1];
extern const int64_t report_handshake_ms[REPORT_BUCKETS - 1];
extern const int64_t report_rtt_ms[REPORT_BUCKETS - 1];

/* The number of the bucket that a time in milliseconds belongs to. */
unsigned int report_bucket(const int64_t bounds[REPORT_BUCKETS - 1],
    int64_t ms);

/* The number of connections that there are, with unlisted ones. */
unsigned int report_active(const struct report *);

/*
 * The number of connections that there were, with those in their handshake.  It
 * falls again when one of these turns out to be a redial.
 */
uint64_t report_total(const struct report *);

/*
 * Adds a name, or adds to the numbers of one that is there.  listed: it is in
 * --agents-file; waiting: queued visitors.  A name for which there is no room
 * is left out.
 */
void report_add_name(struct report_names *, const char *text, int listed,
    unsigned int waiting);

/* Adds a row of an agent's websocket to the numbers of its name. */
void report_add_row(struct report_names *, const struct report_row *);

/* Is this the mode "gate", whose instances have names of agents? */
int report_is_gate(const char *mode);

/*
 * Lines of the table: an instance, the titles of the columns, a row.  width:
 * how many characters a line may have, 80 or more; where that is too few for
 * all columns, some are left out, and an instance takes two lines.  0: no
 * limit.
 */
void report_table_head(struct out *, const struct report *,
    unsigned int width);
void report_table_columns(struct out *, unsigned int width);
void report_table_row(struct out *, const struct report_row *,
    unsigned int width);

void report_table_name_columns(struct out *);
void report_table_name(struct out *, const struct report_name *);

/*
 * JSON: the members of an instance's object, without its braces; a row as an
 * object; a name as an object.
 */
void report_json_head(struct out *, const struct report *);
void report_json_row(struct out *, const struct report_row *);
void report_json_name(struct out *, const struct report_name *);

/*
 * A page of HTML, to be called in this order: the head, the names, the titles
 * of the columns, each row, and the end, which says how many more rows there
 * are.
 */
void report_html_head(struct out *, const struct report *);
void report_html_names(struct out *, const struct report_names *);
void report_html_columns(struct out *);
void report_html_row(struct out *, const struct report_row *);
void report_html_end(struct out *, unsigned int more);

/*
 * The value of Content-Security-Policy for this page: its script may only load
 * the page again.
 */
void report_html_policy(struct out *);

#endif
