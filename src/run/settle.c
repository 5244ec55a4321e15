/* SPDX-License-Identifier: ISC */
#include <netdb.h>
#include <stddef.h>

#include "os/rights.h"
#include "os/stats.h"
#include "run/settle.h"
#include "run/start.h"

/* What the resolver loads when it is first used is not there in a chroot. */
static void
load_resolver(void)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
		freeaddrinfo(found);
}

int
settle(const struct options *o)
{
	struct rights rights;
	struct why why;

	if (o->chroot == NULL && o->run_as == NULL)
		return EXIT_ENDED;
	if (o->run_as != NULL) {
		if (rights_find(&rights, o->run_as, &why) == -1)
			return start_failed(&why);
		stats_give(rights.uid, rights.gid);
	}
	load_resolver();
	if (rights_give_up(o->chroot, o->run_as != NULL ? &rights : NULL,
	    &why) == -1)
		return start_failed(&why);
	return EXIT_ENDED;
}

int
settle_failed(const struct options *o, const struct why *why)
{
	log_event(LOG_L_ERROR, "start", "why", why->text,
	    o->chroot != NULL ? "in" : NULL, o->chroot, NULL);
	return why->status;
}
