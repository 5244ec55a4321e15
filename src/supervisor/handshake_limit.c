/* SPDX-License-Identifier: ISC */
/*
 * How many children may be in their handshakes.  That one is beyond it shows
 * on the statistics page, which is looked at only when the limit is reached.
 */
#include <stdlib.h>

#include "stats/page.h"
#include "supervisor/internal.h"

/* Without memory for it there is no such limit. */
static int
make_room(struct handshakes *h, unsigned int room)
{
	struct in_handshake *of;

	if (h->room >= room)
		return 1;
	if ((of = reallocarray(h->of, room, sizeof(of[0]))) == NULL)
		return 0;
	h->of = of;
	h->room = room;
	return 1;
}

void
handshake_limit_begun(struct supervisor *s, pid_t pid, int slot)
{
	struct handshakes *h = &s->handshakes;

	if (h->n < s->o->limits.handshakes &&
	    make_room(h, s->o->limits.handshakes))
		h->of[h->n++] = (struct in_handshake){ pid, slot };
}

void
handshake_limit_ended(struct supervisor *s, pid_t pid)
{
	struct handshakes *h = &s->handshakes;
	unsigned int i;

	for (i = 0; i < h->n; i++)
		if (h->of[i].pid == pid) {
			h->of[i] = h->of[--h->n];
			return;
		}
}

static void
look(struct handshakes *h)
{
	unsigned int i = 0;

	while (i < h->n)
		if (stats_is_established(h->of[i].slot, h->of[i].pid))
			h->of[i] = h->of[--h->n];
		else
			i++;
}

int
handshake_limit_allows(struct supervisor *s)
{
	struct handshakes *h = &s->handshakes;

	if (s->o->limits.handshakes == 0 || h->n < s->o->limits.handshakes)
		return 1;
	look(h);
	return h->n < s->o->limits.handshakes;
}

void
handshake_limit_end(struct supervisor *s)
{
	free(s->handshakes.of);
	s->handshakes.of = NULL;
	s->handshakes.n = s->handshakes.room = 0;
}
