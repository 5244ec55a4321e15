/* SPDX-License-Identifier: ISC */
/*
 * What visitors of a gate come to: one listener for all, or one for each name
 * of an agent, as DIR/NAME.sock.
 *
 * A name has its listener as long as it is listed in --agents-file, an agent
 * of it has a process, or one had a moment ago.  Its number stays as long as
 * visitors wait that came to it, so that they never become another name's.
 */
#ifndef SUPERVISOR_NAMES_H
#define SUPERVISOR_NAMES_H

#include <stdint.h>

#include "base/error.h"
#include "config/options.h"
#include "net/inherit.h"
#include "os/event.h"
#include "supervisor/takeover.h"

struct names {
	const struct options *o;
	const struct event_set *events;	/* where listeners are watched */
	struct name *name;		/* by number; NULL: this is no gate */
	int *bucket;			/* by text */
	unsigned int top, n, max;	/* numbers below top have been used */
	unsigned int nlisteners, max_listeners;
	unsigned int listing;		/* so many have begun */
	int free;			/* a number, plus one */
	int first, last;		/* whose agents have left, plus one */
};

/*
 * Opens the listener for all visitors, or makes room for the names, of which at
 * most so many have a listener at a time.  0, or -1 and why.
 */
int names_begin(struct names *, const struct options *,
    const struct inherited *given, const struct event_set *,
    unsigned int max_listeners, struct error *);

/* From now on at most so many listeners; those that exist stay. */
void names_set_max(struct names *, unsigned int listeners);

/* Stops listening; with leave what is in the file system stays. */
void names_stop(struct names *, int leave);
void names_end(struct names *);

/*
 * Opens the listener of a name, unless it has one: the number of the name, or
 * NAME_NONE and why.
 */
int names_listen(struct names *, const char *text, int64_t now,
    struct error *);

/*
 * Makes the socket of a name anew if its file is gone or another's: what a
 * cleaner of files has removed.  0, or -1 and why: it has no listener then.
 */
int names_renew(struct names *, int name, struct error *);

/*
 * The text of a name as it may be shown: NULL if it has none, "" if the number
 * is not in use.  It may be written to dst, which has AGENT_NAME_MAX bytes.
 */
const char *names_text(const struct names *, int name, char *dst);
int names_is_listed(const struct names *, int name);

/*
 * The listener of a name, or its second one, as the one for all may have two
 * (IPv4 and IPv6); -1: it is gone.
 */
int names_listener(const struct names *, int name, unsigned int second);

/*
 * A process that serves an agent of this name has begun, or has ended; so many
 * visitors of this name wait.
 */
void names_add_agent(struct names *, int name);
void names_remove_agent(struct names *, int name, int64_t now);
void names_set_waiting(struct names *, int name, unsigned int visitors);

/* With --replace: which agent has this name. */
struct takeover *names_takeover(const struct names *, int name);

/*
 * names_expire() closes the listener of one name whose agents have been gone
 * for a while: the number of the name, or NAME_NONE.  It is to be called at
 * names_time() (clock_ms(); CLOCK_NEVER).
 */
int names_expire(struct names *, int64_t now);
int64_t names_time(const struct names *);

/*
 * Which names --agents-file lists.  names_list() is called for each of them,
 * between the other two: 0, or -1 and why.  Names that were listed before stay
 * so until names_end_listing().
 */
void names_begin_listing(struct names *);
int names_list(struct names *, const char *text, struct error *);
void names_end_listing(struct names *);

/* Numbers below this one have been used. */
unsigned int names_top(const struct names *);

#endif
