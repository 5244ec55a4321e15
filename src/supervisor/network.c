/* SPDX-License-Identifier: ISC */
/*
 * Changes of the network, of which children that have dialled are told.
 */
#include <signal.h>

#include "connection/path_table.h"
#include "os/clock.h"
#include "os/fd.h"
#include "supervisor/internal.h"
#include "supervisor/watch.h"

#define NETWORK_MS	100	/* from a change of the network to telling:
				 * it is several messages, often */

int
network_watch(struct supervisor *s)
{
	int *fd[2] = { &s->network.route, &s->network.clock };
	int i, kept;

	if (s->o->mode != MODE_CLIENT && s->o->mode != MODE_AGENT)
		return 0;
	if (path_table_begin() == -1)
		return -1;
	net_changes_open(&s->network);
	for (i = 0; i < 2; i++) {
		if (*fd[i] == -1)
			continue;
		if ((kept = fd_keep(*fd[i])) == -1)
			return -1;
		*fd[i] = kept;
		if (event_add(&s->events, kept,
		    watch_tag(WATCH_NETWORK, i, 0)) == -1)
			return -1;
	}
	return 0;
}

void
network_ready(struct supervisor *s)
{
	s->network_what |= net_changes_take(&s->network);
	if (s->network_what != 0 && s->network_due == 0)
		s->network_due = clock_ms() + NETWORK_MS;
}

void
network_tend(struct supervisor *s, int64_t now)
{
	struct path_change change = { .what = s->network_what };
	struct child *c;
	unsigned int i;

	if (s->network_due == 0 || now < s->network_due)
		return;
	s->network_what = 0;
	s->network_due = 0;
	for (i = 0; i < s->children.top; i++) {
		c = children_numbered(&s->children, i);
		if (c->pid != 0 && path_table_concerns(i, &change))
			kill(c->pid, SIGUSR2);
	}
}
