/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "sandbox/privileges.h"

#define NAME_MAX_LEN	64

/* -1: not a number. */
static long long
number(const char *text)
{
	uint64_t n;

	return slice_number(slice_of(text), 0, 0xfffffffe, &n) == 0 ?
	    (long long)n : -1;
}

static int
find_group(struct privileges *r, const char *name, struct error *why)
{
	const struct group *gr = getgrnam(name);
	long long n = number(name);

	if (gr == NULL && n == -1)
		return error_set(why, EXIT_BADUSAGE,
		    "--run-as: there is no group %s", name);
	r->gid = gr != NULL ? gr->gr_gid : (gid_t)n;
	r->groups[0] = r->gid;
	r->ngroups = 1;
	r->only_group = 1;
	return 0;
}

static int
find_user(struct privileges *r, const char *name, struct error *why)
{
	const struct passwd *pw = getpwnam(name);
	long long n = number(name);

	if (pw == NULL && n != -1)
		pw = getpwuid((uid_t)n);
	if (pw == NULL && n == -1)
		return error_set(why, EXIT_BADUSAGE,
		    "--run-as: there is no user %s", name);
	r->uid = pw != NULL ? pw->pw_uid : (uid_t)n;
	r->gid = pw != NULL ? pw->pw_gid : (gid_t)n;
	r->ngroups = PRIVILEGES_GROUPS;
	r->only_group = 0;
	if (pw == NULL) {
		r->groups[0] = r->gid;
		r->ngroups = 1;
	} else if (getgrouplist(pw->pw_name, r->gid, r->groups,
	    &r->ngroups) == -1)
		return error_set(why, EXIT_BADUSAGE,
		    "--run-as: %s is in more than %d groups", name,
		    PRIVILEGES_GROUPS);
	return 0;
}

int
privileges_find(struct privileges *r, const char *user, struct error *why)
{
	char name[NAME_MAX_LEN];
	size_t len = strcspn(user, ":");

	if (len == 0 || len >= sizeof(name))
		return error_set(why, EXIT_BADUSAGE,
		    "--run-as: there is no user %.80s", user);
	memcpy(name, user, len);
	name[len] = '\0';
	if (find_user(r, name, why) == -1)
		return -1;
	return user[len] == '\0' ? 0 : find_group(r, user + len + 1, why);
}

static int
failed(struct error *why, const char *what, const char *of)
{
	return error_set(why, EXIT_SYSTEM, "%s %s: %s%s", what, of,
	    strerror(errno), errno == EPERM ? ", only root may" : "");
}

/* Is the named group the only one already? */
static int
has_only_group(const struct privileges *r)
{
	gid_t rgid, egid, sgid, other;
	int n;

	if (getresgid(&rgid, &egid, &sgid) == -1 || rgid != r->gid ||
	    egid != r->gid || sgid != r->gid)
		return 0;
	n = getgroups(1, &other);
	return n == 0 || (n == 1 && other == r->gid);
}

static int
become(const struct privileges *r, struct error *why)
{
	uid_t ruid, euid, suid;

	if (getresuid(&ruid, &euid, &suid) == 0 && ruid == r->uid &&
	    euid == r->uid && suid == r->uid && ruid != 0 &&
	    (!r->only_group || has_only_group(r)))
		return 0;
	if (setgroups(r->ngroups, r->groups) == -1)
		return failed(why, "--run-as:", "groups");
	if (setresgid(r->gid, r->gid, r->gid) == -1)
		return failed(why, "--run-as:", "group");
	if (setresuid(r->uid, r->uid, r->uid) == -1)
		return failed(why, "--run-as:", "user");
	if (r->uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return error_set(why, EXIT_SYSTEM,
		    "--run-as: root's privileges came back");
	return 0;
}

int
privileges_drop(const char *dir, const struct privileges *r, struct error *why)
{
	if (dir != NULL && (chroot(dir) == -1 || chdir("/") == -1))
		return failed(why, "--chroot", dir);
	return r == NULL ? 0 : become(r, why);
}
