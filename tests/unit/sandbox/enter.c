/* SPDX-License-Identifier: ISC */
/*
 * The sandbox and the user as the options say: which files a redial may read,
 * what is limited, who --run-as is, and what the log says.
 *
 * If it fails: a tunnel dies in its sandbox, or a process keeps rights that the
 * options take from it.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(SANDBOX_linux)
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#endif

#include "apart.h"
#include "os/log.h"
#include "os/title.h"
#include "sandbox/drop.h"
#include "sandbox/enter.h"
#include "sandbox/limits.h"
#include "sandbox/privileges.h"
#include "seen.h"
#include "tap.h"

static struct options o;
static struct error why;
static char folder[] = "/tmp/inetws-enter-XXXXXX", file[64];

/* --- the sandbox --- */

#if defined(SANDBOX_linux)

static int can_be_hidden;	/* files can: there is a Landlock */

/* In a child: may it read the file?  0 yes, 1 no, 2 something else. */
static int
reads(void)
{
	if (enter_prepare(&o, SANDBOX_REDIAL) != GO_ON ||
	    enter_sandbox(&o, 0) != GO_ON)
		return 2;
	return open(file, O_RDONLY) == -1;
}

static void
may(const char *name)
{
	is(run(reads), 0, name);
}

static void
may_not(const char *name)
{
	if (can_be_hidden)
		is(run(reads), 1, name);
}

static void
begin(int tls)
{
	memset(&o, 0, sizeof(o));
	o.mode = MODE_CLIENT;
	o.timeouts.resume = 1000;
	o.url.tls = tls;
}

static void
test_readable(void)
{
	begin(1);
	may_not("a file that no option names is not read");
	o.tls.cacert = file;
	may("--cacert is");
	begin(1);
	o.tls.capath = folder;
	may("--capath is");
	begin(1);
	o.tls.crlfile = file;
	may("--crlfile is");
	begin(1);
	o.tls.peer_certs = file;
	may("--peer-certs is");
	begin(1);
	o.proxy.cacert = file;
	may("--proxy-cacert is");
	begin(1);
	o.tls.cert = o.tls.key = o.tls.key_password_file = file;
	may_not("a key of ours has been read before");
	begin(0);
	o.tls.cert = file;
	may("but not where a redirect may lead to TLS: --cert");
	begin(0);
	o.tls.key = file;
	may("--key");
	begin(0);
	o.tls.key_password_file = file;
	may("--key-password-file");
	o.timeouts.resume = 0;
	may_not("without sessions nothing is dialled again");
	begin(1);
	setenv("SSL_CERT_FILE", file, 1);
	may("the authorities of the environment");
	unsetenv("SSL_CERT_FILE");
	setenv("SSL_CERT_DIR", folder, 1);
	may("and their folder");
	unsetenv("SSL_CERT_DIR");
}

/* In a child: what is limited? */
static int
limited(void)
{
	struct rlimit core, files;

	if (enter_prepare(&o, SANDBOX_RELAY) != GO_ON ||
	    enter_sandbox(&o, 0) != GO_ON)
		return 1;
	if (o.service.sandbox != SANDBOX_OFF)
		return open("/etc/hosts", O_RDONLY) == -1 ? 6 : 0;
	if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_cur != 64 ||
	    files.rlim_max != 64)
		return 2;
	if (getrlimit(RLIMIT_CORE, &core) == -1 || core.rlim_cur != 0)
		return 3;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ? 4 : 0;
}

static int
tries(void)
{
	return enter_prepare(&o, SANDBOX_RELAY) == GO_ON &&
	    enter_try(&o) == GO_ON ? 0 : 1;
}

static void
test_limits(void)
{
	char text[ENTER_MISSING_MAX];

	begin(0);
	o.service.sandbox = SANDBOX_OFF;
	is(run(limited), 0, "without a sandbox there are limits, too");
	is(run(tries), 0, "and nothing is tried");
	is_str(enter_missing(&o, text, sizeof(text)), "off", "it is off");
	o.service.sandbox = SANDBOX_AUTO;
	is(run(limited), 6, "with one no file is opened");
	is(run(tries), 0, "it is tried before");
	is_str(enter_missing(&o, text, sizeof(text)), "",
	    "what was tried in a child is not known here");
}

static long refused_call;
static const char *refused_part;

/* In a child, where this system call fails with EPERM. */
static int
lacks(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused_call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	char text[ENTER_MISSING_MAX];

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1 ||
	    enter_prepare(&o, SANDBOX_RELAY) != GO_ON)
		return 1;
	if (enter_try(&o) != (o.service.sandbox == SANDBOX_REQUIRE ?
	    EXIT_SYSTEM : GO_ON))
		return 2;
	if (strcmp(enter_missing(&o, text, sizeof(text)), refused_part) != 0)
		return 3;
	enter_warn(&o);
	return enter_sandbox(&o, 0) != (o.service.sandbox == SANDBOX_REQUIRE ?
	    EXIT_SYSTEM : GO_ON) ? 4 : 0;
}

static void
test_missing(void)
{
	static const struct {
		long call;
		const char *part;
	} v[] = {
		{ SYS_capset, "capabilities" },
		{ 446, "landlock" },	/* landlock_restrict_self(2) */
		{ SYS_seccomp, "seccomp" }
	};
	char want[200];
	const char *said;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		begin(0);
		refused_call = v[i].call;
		refused_part = v[i].part;
		seen();
		is(run(lacks), 0, v[i].part);
		snprintf(want, sizeof(want), "level=warn event=sandbox "
		    "missing=%s why=\"not available on this system\"",
		    v[i].part);
		said = seen();
		ok(strstr(said, want) != NULL, "the log says so");
		o.service.sandbox = SANDBOX_REQUIRE;
		is(run(lacks), 0, "it may be required");
		snprintf(want, sizeof(want), "level=error event=sandbox "
		    "missing=%s why=\"--sandbox require: not available on this "
		    "system\"", v[i].part);
		said = seen();
		ok(strstr(said, want) != NULL, "which is an error");
	}
}

static int
warns_as_user(void)
{
	if (setresuid(12345, 12345, 12345) == -1)
		return 1;
	enter_warn(&o);
	return 0;
}

static void
test_warnings(void)
{
	const char *said;

	begin(0);
	o.service.sandbox = SANDBOX_OFF;
	seen();
	enter_warn(&o);
	said = seen();
	ok(strstr(said, "event=privileges why=\"handshakes run as root\" "
	    "hint=\"use --run-as USER\"") != NULL, "root is warned of");
	ok(strstr(said, "event=sandbox") == NULL, "what is off is not");
	is(run(warns_as_user), 0, "(as a user)");
	is_str(seen(), "", "a user is not");
}

#endif

/* --- who it runs as --- */

static void
unknown(const char *user, const char *said)
{
	struct privileges p;

	is(privileges_find(&p, user, &why), -1, "no such user");
	is_str(why.text, said, said);
	is(why.status, EXIT_BADUSAGE, "64");
}

static void
test_find(void)
{
	struct privileges p;
	char name[80], want[120];

	is(privileges_find(&p, "root", &why), 0, "a name");
	ok(p.uid == 0 && p.gid == 0 && p.ngroups >= 1 && !p.only_group,
	    "with its groups");
	is(privileges_find(&p, "0", &why), 0, "its number");
	ok(p.uid == 0 && p.gid == 0 && !p.only_group, "is the same");
	is(privileges_find(&p, "54321", &why), 0, "a number without a name");
	ok(p.uid == 54321 && p.gid == 54321 && p.ngroups == 1 &&
	    p.groups[0] == 54321 && !p.only_group, "is user and group");
	is(privileges_find(&p, "54321:65432", &why), 0, "and a group");
	ok(p.uid == 54321 && p.gid == 65432 && p.ngroups == 1 &&
	    p.groups[0] == 65432 && p.only_group, "is the only one");
	is(privileges_find(&p, "54321:root", &why), 0, "a group by name");
	is(p.gid, 0, "its number");
	is(privileges_find(&p, "4294967294", &why), 0, "the largest number");
	unknown("4294967295", "--run-as: there is no user 4294967295");
	unknown("no-such-user", "--run-as: there is no user no-such-user");
	unknown(":root", "--run-as: there is no user :root");
	unknown("", "--run-as: there is no user ");
	unknown("root:no-such-group", "--run-as: there is no group "
	    "no-such-group");
	memset(name, 'u', sizeof(name));
	name[64] = '\0';
	snprintf(want, sizeof(want), "--run-as: there is no user %s", name);
	unknown(name, want);
}

static uid_t given_user;
static gid_t given_group;

static void
give(uid_t uid, gid_t gid)
{
	given_user = uid;
	given_group = gid;
}

static int
drops(void)
{
	struct stat st;

	if (drop_privileges(&o, give, &why) == -1)
		return why.status;
	if (o.service.run_as != NULL && (given_user != 54321 ||
	    given_group != 54321 || geteuid() != 54321 || getegid() != 54321))
		return 2;
	if (o.service.chroot != NULL && stat("/file", &st) == -1)
		return 3;
	return o.service.chroot != NULL && stat("file", &st) == -1 ? 4 : 0;
}

static int
drops_as_user(void)
{
	if (setresuid(12345, 12345, 12345) == -1 ||
	    drop_privileges(&o, NULL, &why) != -1 ||
	    strstr(why.text, ", only root may") == NULL)
		return 1;
	return why.status;
}

static void
test_drop(void)
{
	memset(&o, 0, sizeof(o));
	is(drop_privileges(&o, give, &why), 0, "nothing is to be given up");
	is(given_user, 0, "(nothing is given)");
	o.service.run_as = "54321";
	is(run(drops), 0, "--run-as");
	is(run(drops_as_user), EXIT_SYSTEM, "which root alone can: 71");
	o.service.chroot = folder;
	is(run(drops), 0, "with --chroot");
	o.service.run_as = NULL;
	is(run(drops), 0, "or that alone");
	o.service.run_as = "root";
	is(run(drops), EXIT_BADUSAGE, "root would leave it again: 64");
	o.service.run_as = "no-such-user";
	is(run(drops), EXIT_BADUSAGE, "nobody: 64");
	o.service.run_as = "54321";
	o.service.chroot = "/nonexistent";
	is(run(drops), EXIT_SYSTEM, "a folder that is not there: 71");
	drop_privileges(&o, NULL, &why);
	is_str(why.text, "--chroot /nonexistent: No such file or directory",
	    "says which");
}

int
main(int argc, char **argv)
{
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid() != 0) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	title_init(argc, argv, environ);
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) == -1)
		abort();
	snprintf(file, sizeof(file), "%s/file", folder);
	if ((fd = open(file, O_CREAT | O_WRONLY, 0644)) == -1)
		abort();
	close(fd);
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	test_find();
	test_drop();
#if defined(SANDBOX_linux)
	if (prctl(PR_GET_SECCOMP) != -1) {
		can_be_hidden = syscall(444, NULL, 0, 1) >= 1;
		test_readable();
		test_limits();
		if (can_be_hidden)	/* or that is missing, too */
			test_missing();
		test_warnings();
	}
#endif
	unlink(file);
	rmdir(folder);
	return done_testing();
}
