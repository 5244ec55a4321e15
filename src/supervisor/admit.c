/* SPDX-License-Identifier: ISC */
/*
 * A wire of an agent wants to wait here: may it?
 */
#include <string.h>

#include "net/fdpass.h"
#include "os/clock.h"
#include "proto/agent_name.h"
#include "supervisor/internal.h"

/* Other agents' wires of this name have to go. */
static void
evict(struct supervisor *s, const struct child *me)
{
	struct child *c;

	for (c = s->child; c < s->child + s->active; c++)
		if (c != me && c->seat == CHILD_PARKED && c->name == me->name &&
		    (me->owner[0] == '\0' ||
		    strcmp(c->owner, me->owner) != 0))
			pool_end_channel(c);
}

/* Has another child, waiting or not, come from this agent? */
static int
is_here(const struct supervisor *s, const struct child *me, const char *owner)
{
	const struct child *c;

	for (c = s->child; c < s->child + s->active; c++)
		if (c != me && c->name == me->name &&
		    strcmp(c->owner, owner) == 0)
			return 1;
	return 0;
}

/*
 * With --replace: 1 if this agent is the one of its name from now on.  One
 * whose place another has taken dials again, and must not take it back as long
 * as that one is there, or they would take turns forever.
 */
static int
replaces(struct supervisor *s, const struct child *me)
{
	struct name *n = &s->names.name[me->name];

	if (strcmp(n->owner, me->owner) != 0) {
		if (me->owner[0] != '\0' &&
		    strcmp(n->former, me->owner) == 0 &&
		    is_here(s, me, n->owner))
			return 0;
		strlcpy(n->former, n->owner, sizeof(n->former));
		strlcpy(n->owner, me->owner, sizeof(n->owner));
	}
	evict(s, me);
	return 1;
}

static unsigned int
count_free(const struct supervisor *s, int name)
{
	const struct child *c;
	unsigned int n = 0;

	for (c = s->child; c < s->child + s->active; c++)
		n += c->seat == CHILD_PARKED && c->name == name;
	return n;
}

/* A child asks whether its wire may wait: "NAME OWNER HASH". */
void
pool_admit(struct supervisor *s, struct child *c, char *text)
{
	char *owner = strchr(text, ' '), *hash;
	struct error why;

	hash = owner == NULL ? NULL : strchr(owner + 1, ' ');
	if (hash == NULL || c->seat != CHILD_STARTING) {
		pool_end_channel(c);
		return;
	}
	*hash++ = '\0';
	*owner++ = '\0';
	error_set(&why, EXIT_AGAIN, "the gate is closing");
	c->name = s->phase == SERVING ? names_listen(s, text, &why) :
	    NAME_NONE;
	strlcpy(c->owner, owner, sizeof(c->owner));
	strlcpy(c->agent, text, sizeof(c->agent));
	strlcpy(c->hash, hash, sizeof(c->hash));
	if (c->name != NAME_NONE && s->o->reverse.replace && !replaces(s, c)) {
		error_set(&why, EXIT_AGAIN, "another agent has taken its place");
		c->name = NAME_NONE;
	}
	if (c->name != NAME_NONE &&
	    count_free(s, c->name) >= s->o->reverse.max_parked) {
		error_set(&why, EXIT_AGAIN, "enough wires of this name wait");
		c->name = NAME_NONE;
	}
	if (c->name == NAME_NONE) {
		fdpass_send(c->channel, WORKER_REFUSED, why.text, -1);
		pool_end_channel(c);
		return;
	}
	fdpass_send(c->channel, WORKER_MAY_PARK, "", -1);
	c->seat = CHILD_PARKED;
	c->since = clock_ms();
	s->changed = 1;
	pool_serve_queue(s, c->name);
}

static int
is_listed(const struct child *c, struct slice file)
{
	struct agents_file_line l;
	struct lines lines;
	int r;

	lines_begin(&lines, file);
	while ((r = agents_file_next(&lines, &l)) != 0)
		if (r == 1 && slice_is(l.name, c->agent) &&
		    slice_is(l.hash, c->hash))
			return 1;
	return 0;
}

/* Tunnels go on; whose hash was only written otherwise dials again. */
void
pool_expel(struct supervisor *s, struct slice file)
{
	struct child *c;

	for (c = s->child; c < s->child + s->active; c++)
		if (c->seat == CHILD_PARKED && c->hash[0] != '\0' &&
		    !is_listed(c, file))
			pool_end_channel(c);
}
