/* SPDX-License-Identifier: ISC */
/*
 * Giving up the privileges of root, for good.
 */
#ifndef SANDBOX_PRIVILEGES_H
#define SANDBOX_PRIVILEGES_H

#include <sys/types.h>

#include "base/error.h"

#define PRIVILEGES_GROUPS	64

/* The user to become. */
struct privileges {
	uid_t uid;
	gid_t gid;
	gid_t groups[PRIVILEGES_GROUPS];
	int ngroups;
	int only_group;		/* gid and no other group */
};

/*
 * "user" with all groups of that user, or "user:group" with that group only;
 * both by name or number.  0, or -1 and why (64).
 */
int privileges_find(struct privileges *, const char *user, struct error *);

/*
 * Makes dir the root directory, if it is not NULL, and becomes the user, if
 * one is given.  Does nothing if the process is that user already and has only
 * the group that was named, if one was.  0, or -1 and why (71): a part of the
 * privileges may be given up then.
 */
int privileges_drop(const char *dir, const struct privileges *, struct error *);

#endif
