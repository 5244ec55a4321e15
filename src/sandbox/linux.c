/* SPDX-License-Identifier: ISC */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "os/process.h"
#include "sandbox/linux_calls.h"
#include "sandbox/sandbox.h"

/*
 * Landlock's interface and a prctl(2) as their documentation has them, for
 * headers older than the kernel.
 */
#define SET_MDWE		65
#define MDWE_REFUSE_EXEC_GAIN	1

#define CREATE_RULESET		444
#define ADD_RULE		445
#define RESTRICT_SELF		446
#define CREATE_VERSION		1u
#define RULE_PATH_BENEATH	1
#define RULE_NET_PORT		2

#define FS_READ_FILE		(1ull << 2)
#define FS_READ_DIR		(1ull << 3)
#define NET_BIND_TCP		(1ull << 0)
#define NET_CONNECT_TCP		(1ull << 1)
#define SCOPE_ABSTRACT		(1ull << 0)
#define SCOPE_SIGNAL		(1ull << 1)

struct ruleset {
	uint64_t fs, net, scoped;
};

struct net_port {
	uint64_t allowed, port;
};

struct path_beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* What sandbox_prepare() has made ready; -1: the kernel has no Landlock. */
static int ruleset = -1;
static struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3];
static int has_more;		/* capabilities than those */

static unsigned int missing;	/* parts */
static int tried;		/* missing is known */

/*
 * What is read when a name is looked up and a certificate is verified.  A rule
 * for a folder also holds for files that are created later: after a change of
 * the network, when a redial needs it, resolv.conf is another file.  Three
 * files have rules of their own because they may be symbolic links to files
 * outside these folders; a rule is for what the path leads to.
 * nsswitch.conf(5) makes the C library load libraries.
 */
static const char *const system_readable[] = {
	"/etc", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf",
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/usr/share/pki", "/var/lib/ca-certificates",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	"/run/connman"
};

#define NSYSTEM	(sizeof(system_readable) / sizeof(system_readable[0]))

/* All rights to files that a kernel with this version of Landlock knows. */
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

/* A path that does not exist, or cannot be read, needs no rule. */
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

/*
 * Is it a symbolic link whose target may be outside its folder and outside
 * system_readable?  When in doubt, yes.
 */
static int
leads_out(const char *path)
{
	char to[PATH_MAX];
	ssize_t n = readlink(path, to, sizeof(to) - 1);
	size_t i, len;

	if (n == -1)
		return 0;
	to[n] = '\0';
	for (i = 0; i < NSYSTEM; i++) {
		len = strlen(system_readable[i]);
		if (strncmp(to, system_readable[i], len) == 0 && to[len] == '/')
			return strstr(to, "/../") != NULL;
	}
	return strchr(to, '/') != NULL;
}

/*
 * Allows reading the files that symbolic links in this folder lead to: the file
 * of an authority may be somewhere else.  0, or -1 with errno.
 */
static int
allow_links(const char *path)
{
	const struct dirent *entry;
	char file[PATH_MAX];
	struct stat st;
	int failed = 0, e;
	DIR *d;

	if ((d = opendir(path)) == NULL)
		return errno == EMFILE || errno == ENFILE ? -1 : 0;
	while (!failed && (entry = readdir(d)) != NULL)
		if (snprintf(file, sizeof(file), "%s/%s", path,
		    entry->d_name) < (int)sizeof(file) && leads_out(file) &&
		    stat(file, &st) == 0 && S_ISREG(st.st_mode))
			failed = allow_reading(file) == -1;
	e = errno;
	closedir(d);
	errno = e;
	return failed ? -1 : 0;
}

static int
add_rules(long abi, const char *const *readable, unsigned int n)
{
	struct net_port any_port = { NET_BIND_TCP, 0 };
	unsigned int i;

	/* --interface: an address, and a port that the kernel chooses. */
	if (abi >= 4 && syscall(ADD_RULE, ruleset, RULE_NET_PORT, &any_port,
	    0) == -1)
		return -1;
	for (i = 0; i < NSYSTEM; i++)
		if (allow_reading(system_readable[i]) == -1)
			return -1;
	for (i = 0; i < n; i++)
		if (readable[i] != NULL && (allow_reading(readable[i]) == -1 ||
		    allow_links(readable[i]) == -1))
			return -1;
	return 0;
}

static int
dials(enum sandbox_role role)
{
	return role != SANDBOX_RELAY && role != SANDBOX_PROGRAM;
}

static int
has_program(enum sandbox_role role)
{
	return role == SANDBOX_PROGRAM || role == SANDBOX_REDIAL_PROGRAM;
}

/*
 * A ruleset lists what is forbidden, and rules are exceptions.  seccomp
 * refuses most of it as well, but Landlock sees what a pointer points to.  A
 * kernel without Landlock says ENOSYS or EOPNOTSUPP, a container's filter of
 * system calls anything, EPERM most of the time.
 */
static int
prepare_landlock(enum sandbox_role role, const char *const *readable,
    unsigned int n)
{
	struct ruleset r = { 0, 0, 0 };
	long abi;

	abi = syscall(CREATE_RULESET, NULL, 0, CREATE_VERSION);
	if (abi == -1)
		return 0;
	r.fs = fs_rights(abi);
	if (abi >= 4)
		r.net = NET_BIND_TCP;
	if (abi >= 4 && !dials(role))
		r.net |= NET_CONNECT_TCP;
	if (abi >= 6 && role != SANDBOX_REDIAL_ABSTRACT)
		r.scoped = SCOPE_ABSTRACT;
	/* A program gets HUP also from the kernel, on our behalf. */
	if (abi >= 6 && !has_program(role))
		r.scoped |= SCOPE_SIGNAL;
	/* A longer structure is fine as long as what is unknown is zero. */
	ruleset = (int)syscall(CREATE_RULESET, &r, sizeof(r), 0);
	if (ruleset == -1)
		return errno == EMFILE || errno == ENFILE ? -1 : 0;
	if (!dials(role) || add_rules(abi, readable, n) == 0)
		return 0;
	if (errno != EPERM && errno != ENOSYS)
		return -1;
	close(ruleset);
	ruleset = -1;
	return 0;
}

/*
 * Root's capabilities go, but those to open and connect to what its user owns
 * not when it dials, nor that to hang up a program that became another user.
 * A process that has no others need not be allowed to call capset(2).
 */
static void
prepare_capabilities(enum sandbox_role role)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };
	uint32_t keep = 0;

	if (dials(role))
		keep |= 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	if (has_program(role))
		keep |= 1u << CAP_KILL;
	memset(kept, 0, sizeof(kept));
	has_more = 1;
	if (syscall(SYS_capget, &h, kept) == -1)
		keep = 0;
	else
		has_more = ((kept[0].effective | kept[0].permitted) & ~keep) !=
		    0 || kept[0].inheritable != 0 || (kept[1].effective |
		    kept[1].permitted | kept[1].inheritable) != 0;
	kept[0].effective &= keep;
	kept[0].permitted &= keep;
	kept[0].inheritable = 0;
	memset(&kept[1], 0, sizeof(kept[1]));
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
	prepare_capabilities(role);
	sandbox_calls_prepare(dials(role), has_program(role));
	return 0;
}

static int
enter_landlock(void)
{
	int r = -1, e;

	if (ruleset == -1) {
		errno = ENOSYS;
		return -1;
	}
	r = (int)syscall(RESTRICT_SELF, ruleset, 0);
	e = errno;
	close(ruleset);
	ruleset = -1;
	errno = e;
	return r == -1 ? -1 : 0;
}

static int
drop_capabilities(void)
{
	struct __user_cap_header_struct h = {
	    .version = _LINUX_CAPABILITY_VERSION_3 };

	return has_more && syscall(SYS_capset, &h, kept) == -1 ? -1 : 0;
}

/*
 * No memory that is written and then executed, also where a filter does not
 * see the arguments of mmap(2).  Kernels before 6.3 do not have that.
 */
static int
forbid_privileges(void)
{
	prctl(SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * The parts that fail, with the errno of the last one.  Few system calls, since
 * every child pays for them.
 */
static unsigned int
enter_parts(void)
{
	static const struct {
		unsigned int part;
		int (*enter)(void);
	} parts[] = {
		{ SANDBOX_NO_NEW_PRIVS, forbid_privileges },
		{ SANDBOX_FILES, enter_landlock },
		{ SANDBOX_CAPABILITIES, drop_capabilities },
		{ SANDBOX_CALLS, sandbox_calls_enter }
	};
	unsigned int i, failed = 0;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!(missing & parts[i].part) && parts[i].enter() == -1)
			failed |= parts[i].part;
	return failed;
}

/* A child that is killed there does not tell by which part. */
int
sandbox_try(void)
{
	pid_t pid = process_fork(), r;
	int status;

	if (pid == -1)
		return -1;
	if (pid == 0)
		_exit((int)enter_parts());
	while ((r = waitpid(pid, &status, 0)) == -1 && errno == EINTR)
		;
	if (r == -1)
		return -1;
	missing = WIFEXITED(status) ? (unsigned int)WEXITSTATUS(status) :
	    SANDBOX_PARTS;
	tried = 1;
	return 0;
}

unsigned int
sandbox_missing(void)
{
	return missing;
}

int
sandbox_enter(pid_t program)
{
	unsigned int failed;

	sandbox_calls_set_program(program);
	failed = enter_parts();
	if (failed != 0 && tried)
		return -1;
	if (failed != 0)	/* or the page is copied for nothing */
		missing |= failed;
	return 0;
}
