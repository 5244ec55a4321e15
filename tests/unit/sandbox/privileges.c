/* SPDX-License-Identifier: ISC */
/*
 * Who is the user already that it is to become, in every one of its ids.
 *
 * If it fails: a process keeps privileges that --run-as should have taken.
 */
#include <sys/types.h>

#include <grp.h>
#include <unistd.h>

#include "apart.h"
#include "sandbox/privileges.h"
#include "tap.h"

#define USER	12345
#define GROUP	54321
#define OTHER	23456

static const struct {
	const char *name;
	uid_t uid[3];		/* real, effective, saved */
	gid_t gid[3];
	int ngroups;
	gid_t group;
	int only_group, fails;
} t[] = {
	{ "that user", { USER, USER, USER }, { GROUP, GROUP, GROUP }, 0, 0,
	    1, 0 },
	{ "with its group once more", { USER, USER, USER },
	    { GROUP, GROUP, GROUP }, 1, GROUP, 1, 0 },
	{ "with another group", { USER, USER, USER }, { GROUP, GROUP, GROUP },
	    1, OTHER, 1, 1 },
	{ "with another group, where any will do", { USER, USER, USER },
	    { OTHER, OTHER, OTHER }, 1, OTHER, 0, 0 },
	{ "another real user", { OTHER, USER, USER }, { GROUP, GROUP, GROUP },
	    0, 0, 1, 1 },
	{ "another effective user", { USER, OTHER, USER },
	    { GROUP, GROUP, GROUP }, 0, 0, 1, 1 },
	{ "another saved user", { USER, USER, OTHER },
	    { GROUP, GROUP, GROUP }, 0, 0, 1, 1 },
	{ "another real group", { USER, USER, USER }, { OTHER, GROUP, GROUP },
	    0, 0, 1, 1 },
	{ "another effective group", { USER, USER, USER },
	    { GROUP, OTHER, GROUP }, 0, 0, 1, 1 },
	{ "another saved group", { USER, USER, USER },
	    { GROUP, GROUP, OTHER }, 0, 0, 1, 1 },
};

static size_t row;

/* Only root may change any of them, so what is not right yet fails. */
static int
try(void)
{
	struct privileges p = { .uid = USER, .gid = GROUP, .groups = { GROUP },
	    .ngroups = 1, .only_group = t[row].only_group };
	struct error why;

	if (setgroups(t[row].ngroups, &t[row].group) == -1 ||
	    setresgid(t[row].gid[0], t[row].gid[1], t[row].gid[2]) == -1 ||
	    setresuid(t[row].uid[0], t[row].uid[1], t[row].uid[2]) == -1)
		return 2;
	return privileges_drop(NULL, &p, &why) == -1;
}

/* From root: all of them are changed. */
static int
drop(void)
{
	struct privileges p = { .uid = USER, .gid = GROUP, .groups = { OTHER },
	    .ngroups = 1 };
	struct error why;
	uid_t u[3];
	gid_t g[3], group;

	if (privileges_drop(NULL, &p, &why) == -1)
		return 1;
	getresuid(&u[0], &u[1], &u[2]);
	getresgid(&g[0], &g[1], &g[2]);
	return getgroups(1, &group) != 1 || group != OTHER ||
	    u[0] != USER || u[1] != USER || u[2] != USER ||
	    g[0] != GROUP || g[1] != GROUP || g[2] != GROUP;
}

int
main(void)
{
	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	for (row = 0; row < sizeof(t) / sizeof(t[0]); row++)
		is(run(try), t[row].fails, t[row].name);
	is(run(drop), 0, "root becomes that user, with its groups");
	return done_testing();
}
