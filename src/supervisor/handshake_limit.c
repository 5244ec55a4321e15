/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <string.h>

#include "os/clock.h"
#include "os/memory.h"
#include "stats/page.h"
#include "supervisor/handshake_limit.h"

#define LOOKS	64	/* at slots, for each connection at the limit */

/*
 * A client's child needs both timeouts for its dial, and before that each of
 * them for a PROXY header and a --header-command; no other needs more.  They are
 * allowed once more for the resolver, which no timeout interrupts.
 */
#define TIMES	3
#define MARGIN	5000	/* for all else, in ms */

struct in_handshake {
	unsigned int child;
	pid_t pid;
	int slot;
	int64_t begun;
};

static void
give_back(struct handshake_limit *h)
{
	memory_unshared_end(h->of, h->room * sizeof(h->of[0]));
	memory_unshared_end(h->place, h->room * sizeof(h->place[0]));
}

int
handshake_limit_grow(struct handshake_limit *h, unsigned int room)
{
	struct handshake_limit new = *h;

	if (room <= h->room)
		return 0;
	new.room = room;
	new.of = memory_unshared(room * sizeof(new.of[0]));
	new.place = memory_unshared(room * sizeof(new.place[0]));
	if (new.of == NULL || new.place == NULL) {
		give_back(&new);
		return -1;
	}
	if (h->room > 0) {
		memcpy(new.of, h->of, h->n * sizeof(h->of[0]));
		memcpy(new.place, h->place, h->room * sizeof(h->place[0]));
		give_back(h);
	}
	*h = new;
	return 0;
}

void
handshake_limit_end(struct handshake_limit *h)
{
	give_back(h);
	memset(h, 0, sizeof(*h));
}

/* place: plus one, 0 being none. */
void
handshake_limit_begun(struct handshake_limit *h, unsigned int child,
    pid_t pid, int slot)
{
	h->of[h->n] = (struct in_handshake){ child, pid, slot, clock_ms() };
	h->place[child] = (int)++h->n;
}

void
handshake_limit_ended(struct handshake_limit *h, unsigned int child)
{
	int at = h->place[child];

	if (at == 0)
		return;
	h->place[child] = 0;
	h->of[at - 1] = h->of[--h->n];
	if (at - 1 < (int)h->n)
		h->place[h->of[at - 1].child] = at;
}

/*
 * The child has a deadline for each step, and is long beyond all of them.  One
 * without a slot may be established, which only its slot would tell.
 */
static int
is_stuck(const struct in_handshake *of, int established,
    const struct options *o)
{
	int64_t connect = o->timeouts.connect, handshake = o->timeouts.handshake;

	return established == 0 && connect != 0 && handshake != 0 &&
	    clock_ms() - of->begun >= TIMES * (connect + handshake) + MARGIN;
}

int
handshake_limit_allows(struct handshake_limit *h, const struct options *o)
{
	unsigned int looks, max = o->limits.handshakes;
	const struct in_handshake *of;
	int established;

	for (looks = 0; max > 0 && h->n >= max && looks < LOOKS; looks++) {
		h->look = (h->look + 1) % h->n;
		of = &h->of[h->look];
		established = stats_is_established(of->slot, of->pid);
		if (established != 1 && !is_stuck(of, established, o))
			continue;
		if (established != 1)
			kill(of->pid, SIGKILL);
		handshake_limit_ended(h, of->child);
	}
	return max == 0 || h->n < max;
}
