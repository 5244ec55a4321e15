/* SPDX-License-Identifier: ISC */
/*
 * Giving up the rights of root, for good.
 */
#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

#include <sys/types.h>

#include "base/error.h"

#define PRIVILEGES_GROUPS	64

/* Who to be. */
struct privileges {
	uid_t uid;
	gid_t gid;
	gid_t groups[PRIVILEGES_GROUPS];
	int ngroups;
	int only_group;		/* that group, and no other */
};

/*
 * "user" with all of his groups, or "user:group" with that one only_group; both by
 * name or number.  0, or -1 and why (64).
 */
int privileges_find(struct privileges *, const char *user, struct error *);

/*
 * Makes dir the root directory, if it is not NULL, and becomes the user, if
 * there is one.  Nothing is done for somebody who is that user already, and
 * has no group but the one that was named, if one was.  0, or -1 and why (71):
 * rights may have been given up in part then.
 */
int privileges_drop(const char *dir, const struct privileges *, struct error *);

#endif
