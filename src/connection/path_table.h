/* SPDX-License-Identifier: ISC */
/*
 * The paths of tunnels that dialled: a table that the supervisor shares with
 * its children, by which it tells a child of a change of the network only if
 * that concerns it.  A child writes its own place; as any child could write
 * any place, what stands there is a hint.  A child that outlives the supervisor
 * has to watch the network itself.
 */
#ifndef CONNECTION_PATH_TABLE_H
#define CONNECTION_PATH_TABLE_H

#include "net/changes.h"

#define PATH_TABLE_PLACES	65552	/* children that can be entered */

/*
 * In the supervisor.  begin: 0, or -1 without memory.  clear: the child of this
 * number is gone, or not born yet.
 */
int path_table_begin(void);
void path_table_end(void);
void path_table_clear(unsigned int child);

/* One change, of which many children may have to be told. */
struct path_change {
	unsigned int what;	/* bits of net_changes_take() */
	int known;		/* private: what was found of the last path */
	int holds;
	struct net_path path;
};

/*
 * Has this child to be told?  Its address or its way is gone, or the host was
 * suspended; or it looks for a path, and there is something new.
 */
int path_table_concerns(unsigned int child, struct path_change *);

/* In a child, first: its number. */
void path_table_be(unsigned int child);

/*
 * In a child, before the sandbox: SIGUSR2 also tells it of the supervisor's
 * end.  Has the supervisor ended?  0 also where the system does not tell.
 */
void path_table_follow(void);
int path_table_is_left(void);

/*
 * In a child that can dial again: this is its path; it looks for another one.
 * Without a table (no supervisor) they do nothing.
 */
void path_table_up(const struct net_path *);
void path_table_lost(void);

#endif
