/* SPDX-License-Identifier: ISC */
#include <netdb.h>
#include <stddef.h>

#include "sandbox/drop.h"
#include "sandbox/privileges.h"

/* The libraries that the resolver loads at first use are not in a chroot. */
static void
load_resolver(void)
{
	struct addrinfo *found;

	if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
		freeaddrinfo(found);
}

int
drop_privileges(const struct options *o, void (*give)(uid_t, gid_t),
    struct error *why)
{
	struct privileges user;

	if (o->service.chroot == NULL && o->service.run_as == NULL)
		return 0;
	if (o->service.run_as != NULL) {
		if (privileges_find(&user, o->service.run_as, why) == -1)
			return -1;
		if (o->service.chroot != NULL && user.uid == 0)
			return error_set(why, EXIT_BADUSAGE, "--chroot: needs "
			    "another --run-as than root, who can leave the "
			    "directory");
		if (give != NULL)
			give(user.uid, user.gid);
	}
	load_resolver();
	return privileges_drop(o->service.chroot,
	    o->service.run_as != NULL ? &user : NULL, why);
}
