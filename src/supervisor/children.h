/* SPDX-License-Identifier: ISC */
/*
 * The table of children: found by process, or as the one of a name whose turn
 * it is.  It forks and closes nothing, and forked processes do not have it.
 */
#ifndef SUPERVISOR_CHILDREN_H
#define SUPERVISOR_CHILDREN_H

#include <sys/types.h>

#include <stdint.h>

#include "connection/worker_channel.h"
#include "supervisor/visitor.h"

enum child_state {
	CHILD_PLAIN,		/* has no channel (any more) */
	CHILD_STARTING,		/* is not parked yet */
	CHILD_ASKING,		/* extra: waits for a place */
	CHILD_PARKED,
	CHILD_OFFERED		/* has been offered a visitor */
};

struct child {
	pid_t pid;		/* 0: this place is free */
	int slot;		/* on the statistics page */
	int channel;		/* our end, or -1 */
	int spare;		/* began without a connection */
	int64_t failure_line;	/* may it log one?  failure_lines_grant() */
	unsigned int generation;
	unsigned int takeover;	/* of its name, when it was admitted */
	unsigned int renewed;	/* as of tables.h, when it began */
	int64_t asked;		/* to give way, of clock_ms(); 0: never */
	struct visitor visitor;	/* that it was offered */
	char agent_id[AGENT_ID_MAX];
	char agent[AGENT_NAME_MAX];	/* the name it gave, */
	char hash[AGENT_HASH_MAX];	/* and the secret's it was let in by */

	/* set by the functions below alone */
	enum child_state state;
	int extra;		/* has no place within the limit */
	int name;		/* whose websocket it has, or NAME_NONE */
	int64_t since, offered;	/* parked; its visitor: of clock_ms() */
	int next_pid;		/* private: with the same hash, or free */
	int next, previous;	/* private: in the list of those that were
				 * offered one, or the newest of other agents, */
	int older, newer;	/* ... of this agent, parked for this name */
};

struct children {
	struct child *child;	/* the table, room places */
	int *bucket;		/* by process */
	struct parked *parked;	/* by name */
	unsigned int room, nbuckets;
	unsigned int top;	/* places below it have been used */
	int free;		/* the first free one, plus one */
	unsigned int n;			/* with the extra ones */
	unsigned int extras;		/* those alone */
	unsigned int spares_starting, spares_parked;
};

/*
 * children_begin() makes a table without places, children_grow() gives it so
 * many.  0, or -1 without memory.  children_end() frees it, also after either
 * has failed.
 */
int children_begin(struct children *);
int children_grow(struct children *, unsigned int room);
void children_end(struct children *);

/*
 * Adds a child, which is CHILD_PLAIN if it has no channel (-1), and otherwise
 * CHILD_STARTING.  NULL: there is no free place.
 */
struct child *children_add(struct children *, pid_t, int slot, int channel,
    int spare);
void children_remove(struct children *, struct child *);

struct child *children_find(const struct children *, pid_t);

/* The number that the next child will have. */
unsigned int children_next_index(const struct children *);

/* The child is extra, or has got a place within the limit after all. */
void children_set_extra(struct children *, struct child *, int extra);

/* The number of a child, and a child by its number. */
unsigned int children_index(const struct children *, const struct child *);
struct child *children_numbered(const struct children *, unsigned int);

/* A child by the tag of an event, or NULL if it is gone. */
struct child *children_at(const struct children *, unsigned int index,
    unsigned int generation);

void children_set_state(struct children *, struct child *, enum child_state,
    int64_t now);
void children_set_name(struct children *, struct child *, int name);

/*
 * Of the children that are parked for a name: the one whose turn it is, the
 * one after that, and how many there are.  Agents take turns: when a child of
 * one has been offered a visitor, it is another agent's turn.  Children of an
 * agent without a token take turns, too.  Of one agent the newest comes first,
 * because its network may have changed since the others began.  All spares are
 * of one agent.
 */
struct child *children_parked(const struct children *, int name);
struct child *children_parked_next(const struct children *,
    const struct child *);
unsigned int children_count_parked(const struct children *, int name);

/*
 * The child that was offered its visitor before all others that were, or NULL.
 */
struct child *children_offered(const struct children *);

/*
 * Goes through all children: the next one, NULL at the end; begins with NULL.
 */
struct child *children_next(const struct children *, const struct child *);

#endif
