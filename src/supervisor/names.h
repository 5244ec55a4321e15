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
 * The listener of all, or room for those of names, of which at most so many at
 * a time have one.  0, or -1 and why.
 */
int names_begin(struct names *, const struct options *,
    const struct inherited *given, const struct event_set *,
    unsigned int max_listeners, struct error *);

/* From now on at most so many listeners; more than that stay. */
void names_set_max(struct names *, unsigned int listeners);

/* Stops listening; with leave what is in the file system stays. */
void names_stop(struct names *, int leave);
void names_end(struct names *);

/* The number of a name, which gets a listener; NAME_NONE and why. */
int names_listen(struct names *, const char *text, int64_t now,
    struct error *);

/*
 * Its text as it may be shown, NULL if it has none, "" if the number is not
 * in use.  dst, of AGENT_NAME_MAX bytes, may be used for it.
 */
const char *names_text(const struct names *, int name, char *dst);
int names_is_listed(const struct names *, int name);

/*
 * The listener of a name, or its second one, as the one for all may have two
 * (IPv4 and IPv6); -1: it is gone.
 */
int names_listener(const struct names *, int name, unsigned int second);

/* A process of this name's agents is there, or gone; visitors wait, or not. */
void names_add_agent(struct names *, int name);
void names_remove_agent(struct names *, int name, int64_t now);
void names_set_waiting(struct names *, int name, unsigned int visitors);

/* With --replace, whose name it is. */
struct takeover *names_takeover(const struct names *, int name);

/*
 * Gives back the listener of one name whose agents have been gone for so long:
 * its number, or NAME_NONE.  time: when there is one, or CLOCK_NEVER.
 */
int names_expire(struct names *, int64_t now);
int64_t names_time(const struct names *);

/*
 * Which names are listed: until end also those of before, from then on those
 * told of since the last begin.  list: 0, or -1 and why.
 */
void names_begin_listing(struct names *);
int names_list(struct names *, const char *text, struct error *);
void names_end_listing(struct names *);

/* Numbers below this one have been used. */
unsigned int names_top(const struct names *);

#endif
