/* SPDX-License-Identifier: ISC */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "sandbox/linux_calls.h"
#include "sandbox/sandbox.h"

/*
 * Landlock's interface as its documentation has it, for headers older than
 * the kernel.
 */
#define CREATE_RULESET		444
#define ADD_RULE		445
#define RESTRICT_SELF		446
#define CREATE_VERSION		1u
#define RULE_PATH_BENEATH	1

#define FS_READ_FILE		(1ull << 2)
#define FS_READ_DIR		(1ull << 3)
#define NET_BIND_TCP		(1ull << 0)
#define NET_CONNECT_TCP		(1ull << 1)
#define SCOPE_ABSTRACT		(1ull << 0)
#define SCOPE_SIGNAL		(1ull << 1)

struct ruleset {
	uint64_t fs, net, scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What sandbox_prepare() has made ready; -1: the kernel has no Landlock. */
static int ruleset = -1;

/*
 * What looking up a name and verifying a certificate reads.  The folders, not
 * the files in them: resolv.conf is another file after the network changed,
 * and that is when it is needed.  Libraries are what nsswitch.conf(5) asks
 * for.
 */
static const char *const system_readable[] = {
	"/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/pki", "/var/lib/ca-certificates",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	"/run/connman"
};

#define NSYSTEM	(sizeof(system_readable) / sizeof(system_readable[0]))

/* All rights to files that a kernel of this ABI knows. */
static uint64_t
fs_rights(long abi)
{
	uint64_t all = (1ull << 13) - 1;

	if (abi >= 2)
		all |= 1ull << 13;	/* to link and rename elsewhere */
	if (abi >= 3)
		all |= 1ull << 14;	/* to truncate */
	if (abi >= 5)
		all |= 1ull << 15;	/* to ioctl(2) devices */
	return all;
}

/* A path that is not there, or not for us, needs no rule. */
static int
allow_reading(const char *path)
{
	struct path_beneath rule = { .allowed = FS_READ_FILE };
	struct stat st;
	int failed, e;

	rule.fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.fd == -1)
		return errno == EMFILE || errno == ENFILE ? -1 : 0;
	if (fstat(rule.fd, &st) == 0 && S_ISDIR(st.st_mode))
		rule.allowed |= FS_READ_DIR;
	failed = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == -1;
	e = errno;
	close(rule.fd);
	errno = e;
	return failed ? -1 : 0;
}

static int
dials(enum sandbox_role role)
{
	return role == SANDBOX_REDIAL || role == SANDBOX_REDIAL_PROGRAM;
}

static int
has_program(enum sandbox_role role)
{
	return role == SANDBOX_PROGRAM || role == SANDBOX_REDIAL_PROGRAM;
}

/*
 * A ruleset names what is forbidden, and rules make exceptions.  seccomp
 * refuses most of it as well; where it is not to be had, Landlock stands
 * alone, and it sees what a pointer points to.
 */
static int
prepare_landlock(enum sandbox_role role, const char *const *readable,
    unsigned int n)
{
	struct ruleset r = { 0, 0, 0 };
	unsigned int i;
	long abi;

	abi = syscall(CREATE_RULESET, NULL, 0, CREATE_VERSION);
	if (abi == -1)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
	r.fs = fs_rights(abi);
	if (abi >= 4)
		r.net = NET_BIND_TCP;
	if (abi >= 4 && !dials(role))
		r.net |= NET_CONNECT_TCP;
	if (abi >= 6)
		r.scoped = SCOPE_ABSTRACT;
	/* A program gets HUP also from the kernel, on our behalf. */
	if (abi >= 6 && !has_program(role))
		r.scoped |= SCOPE_SIGNAL;
	/* A longer structure is fine as long as what is unknown is zero. */
	ruleset = syscall(CREATE_RULESET, &r, sizeof(r), 0);
	if (ruleset == -1)
		return -1;
	if (!dials(role))
		return 0;
	for (i = 0; i < NSYSTEM; i++)
		if (allow_reading(system_readable[i]) == -1)
			return -1;
	for (i = 0; i < n; i++)
		if (readable[i] != NULL && allow_reading(readable[i]) == -1)
			return -1;
	return 0;
}

int
sandbox_prepare(enum sandbox_role role, const char *const *readable,
    unsigned int n)
{
	int old = ruleset;

	ruleset = -1;
	if (prepare_landlock(role, readable, n) == -1) {
		if (ruleset != -1)
			close(ruleset);
		ruleset = old;
		return -1;
	}
	if (old != -1)
		close(old);
	sandbox_calls_prepare(dials(role), has_program(role));
	return 0;
}

/* Four system calls, for every child pays for them. */
int
sandbox_enter(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if (ruleset != -1) {
		if (syscall(RESTRICT_SELF, ruleset, 0) == -1)
			return -1;
		close(ruleset);
		ruleset = -1;
	}
	return sandbox_calls_enter();
}
