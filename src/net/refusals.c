/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <unistd.h>

#include "os/clock.h"
#include "net/refusals.h"

#define KEPT_MS	500

static void
close_oldest(struct refusals *r)
{
	close(r->at[r->first].fd);
	r->first = (r->first + 1) % REFUSALS_MAX;
	r->n--;
}

void
refusals_add(struct refusals *r, int fd, int64_t now)
{
	if (r->n == REFUSALS_MAX)
		close_oldest(r);
	shutdown(fd, SHUT_WR);
	r->at[(r->first + r->n++) % REFUSALS_MAX] = (struct refused){
	    fd, now + KEPT_MS };
}

void
refusals_close(struct refusals *r, int64_t now)
{
	while (r->n > 0 && r->at[r->first].until <= now)
		close_oldest(r);
}

void
refusals_close_all(struct refusals *r)
{
	while (r->n > 0)
		close_oldest(r);
}

int64_t
refusals_time(const struct refusals *r)
{
	return r->n > 0 ? r->at[r->first].until : CLOCK_NEVER;
}
