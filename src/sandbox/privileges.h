/* SPDX-License-Identifier: ISC */
/*
 * Giving up the rights of root, for good.
 */
#ifndef OS_RIGHTS_H
#define OS_RIGHTS_H

#include <sys/types.h>

#include "base/error.h"

#define RIGHTS_GROUPS	64

/* Who to be. */
struct rights {
	uid_t uid;
	gid_t gid;
	gid_t groups[RIGHTS_GROUPS];
	int ngroups;
	int alone;		/* that group, and no other */
};

/*
 * "user" with all of his groups, or "user:group" with that one alone; both by
 * name or number.  0, or -1 and why (64).
 */
int rights_find(struct rights *, const char *user, struct why *);

/*
 * Makes dir the root directory, if it is not NULL, and becomes the user, if
 * there is one.  Nothing is done for somebody who is that user already, and
 * has no group but the one that was named, if one was.  0, or -1 and why (71):
 * rights may have been given up in part then.
 */
int rights_give_up(const char *dir, const struct rights *, struct why *);

#endif
