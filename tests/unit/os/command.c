/* SPDX-License-Identifier: ISC */
/*
 * A program that is asked something, such as --auth-command.
 *
 * If it fails: a request is allowed or refused by what the program did not say,
 * a program runs on after its time, or descriptors leak.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "forks.h"
#include "os/clock.h"
#include "os/command.h"
#include "os/signals.h"
#include "tap.h"

extern char **environ;

static char out[16];
static struct error why;

/* A busy machine may need longer than 0.2 seconds to let one end that is killed:
 * it is asked again then. */
static int
ask(const char *script, int64_t ms, int stop)
{
	char sh[] = "sh", c[] = "-c", text[500], *argv[] = { sh, c, text, NULL };
	int tries, r;

	for (tries = 0; tries < 5; tries++) {
		strlcpy(text, script, sizeof(text));
		memset(&why, 0, sizeof(why));
		memset(out, '?', sizeof(out));
		r = command_run(argv, environ, "", out, sizeof(out),
		    clock_after(ms), stop, &why);
		if (r != -1 || strstr(why.text, "it goes on") == NULL)
			break;
		waitpid(-1, NULL, 0);
	}
	return r;
}

static void
test_answers(void)
{
	int before = count_open();

	is(ask("echo yes", 20000, -1), 0, "a good end");
	is_str(out, "yes\n", "its output");
	is(ask("exit 126", 20000, -1), 126, "a bad one");
	is_str(out, "", "no output");
	is(ask("printf 123456789012345", 20000, -1), 0, "as much as fits");
	is_str(out, "123456789012345", "all of it");
	is(ask("head -c 100000 /dev/zero | tr '\\0' x", 20000, -1), 0, "more");
	is_str(out, "xxxxxxxxxxxxxxx", "what fits of it");
	is(ask("printf 'a\\0b'", 20000, -1), -1, "a NUL would hide the rest");
	ok(why.status == EXIT_SYSTEM &&
	    strcmp(why.text, "sh: NUL in its output") == 0, "%s", why.text);
	is(ask("printf 'a\\0b'; exit 1", 20000, -1), 1, "... of a good answer");
	is(ask("kill -9 $$", 20000, -1), -1, "killed");
	ok(why.status == EXIT_SYSTEM &&
	    strcmp(why.text, "sh: killed by signal 9") == 0, "%s", why.text);
	is(ask("exit 127", 20000, -1), -1, "what a shell says of none");
	ok(why.status == EXIT_SYSTEM &&
	    strcmp(why.text, "sh: cannot be run") == 0, "%s", why.text);
	is(ask("cat; echo $?", 20000, -1), 0, "its input is empty");
	is_str(out, "0\n", "... but there");
	is(ask("exec >&-; sleep 0.1; exit 4", 20000, -1), 4,
	    "its output may end before it");
	is(count_open(), before, "no descriptor is left");
	ok(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "nor a process");
}

/* After its time it is killed, with all that it has started. */
static void
test_late(void)
{
	int64_t begin = clock_ms();
	struct pollfd end = { .events = POLLIN };
	int left[2], before;
	char script[100];

	if (pipe(left) == -1)
		abort();
	before = count_open();
	dup2(left[1], 2);
	is(ask("sleep 60 & sleep 60", 300, -1), -1, "too slow");
	ok(clock_ms() >= begin + 300, "but it had its time");
	ok(why.status == EXIT_AGAIN && strcmp(why.text,
	    "sh: took too long and was killed") == 0, "%s", why.text);
	is(ask("sleep 60 & exit 0", 5000, -1), -1, "a process that it left");
	ok(why.status == EXIT_AGAIN && strcmp(why.text, "sh: left a process "
	    "that kept its output open") == 0, "%s", why.text);
	is(ask("exec >&-; sleep 60", 300, -1), -1, "its output has ended");
	ok(why.status == EXIT_AGAIN && strcmp(why.text,
	    "sh: took too long and was killed") == 0, "%s", why.text);
	is(ask("exec python3 -c 'import os, time; os.setpgid(0, os.getpgid("
	    "os.getppid())); time.sleep(60)'", 1000, -1), -1,
	    "one that has left its process group");
	ok(strcmp(why.text, "sh: took too long and was killed") == 0, "%s",
	    why.text);
	dup2(1, 2);
	close(left[1]);
	end.fd = left[0];
	ok(poll(&end, 1, 20000) == 1 && read(left[0], script, 1) == 0,
	    "nothing of them lives");
	close(left[0]);
	is(count_open(), before - 2, "no descriptor is left");
	ok(clock_ms() < begin + 50000, "nor was it waited for");
}

/* Who asked does not want to know it any more. */
static void
test_stop(void)
{
	int64_t begin = clock_ms();
	int p[2];

	if (pipe(p) == -1)
		abort();
	is(ask("echo yes", 20000, p[0]), 0, "one who waits");
	close(p[1]);
	is(ask("sleep 60", 60000, p[0]), -1, "one who has gone");
	is(ask("exec >&-; sleep 60", 60000, p[0]), -1, "... at any time");
	is(why.status, EXIT_AGAIN, "another one may come");
	ok(clock_ms() < begin + 30000, "it is killed at once");
	close(p[0]);
}

static int
terminated(void)
{
	int64_t begin = clock_ms();
	const char *scripts[] = { "sleep 60", "exec >&-; sleep 60" };
	int i;

	signals_single();
	for (i = 0; i < 2; i++) {
		raise(SIGTERM);
		if (ask(scripts[i], 60000, -1) != -1 ||
		    why.status != EXIT_AGAIN ||
		    strcmp(why.text, "sh: interrupted") != 0)
			return i + 1;
	}
	return clock_ms() < begin + 30000 ? 0 : 3;
}

static int
no_fork(void)
{
	int before = count_open();

	forks = 0;
	return ask("echo yes", 20000, -1) == -1 && why.status == EXIT_SYSTEM &&
	    strcmp(why.text, "sh: Resource temporarily unavailable") == 0 &&
	    out[0] == '\0' && count_open() == before ? 0 : 1;
}

/* What it could do harm with. */
static int
world(void)
{
	int kept = fcntl(0, F_DUPFD, 20);

	signals_supervisor();
	signals_child();
	if (kept == -1 || ask("for i in $(seq 0 90); do test -e "
	    "/proc/$$/fd/$i && printf '%d ' $i; done; true", 20000, -1) != 0 ||
	    strcmp(out, "0 1 2 ") != 0)
		return 1;
	if (ask("kill -TERM $$; sleep 20", 20000, -1) != -1 ||
	    strcmp(why.text, "sh: killed by signal 15") != 0)
		return 2;
	return ask("test $(ps -o pgid= -p $$) = $$", 20000, -1) == 0 ? 0 : 3;
}

static char dir[] = "/tmp/inetws-command.XXXXXX";

static void
put(const char *name, int mode)
{
	int fd = open(name, O_WRONLY | O_CREAT, mode);

	fchmod(fd, mode);
	close(fd);
}

/* For the error of a program that cannot be found, before it is needed. */
static int
exists(void)
{
	char path[300], deep[PATH_MAX + 100];

	if (chdir(dir) == -1)
		return 1;
	put("x", 0755);
	put("y", 0644);
	mkdir("d", 0755);
	mkdir("e", 0755);
	put("e/y", 0755);
	snprintf(path, sizeof(path), "%s/x", dir);
	if (command_exists(path) != 0 || command_exists("./x") != 0)
		return 2;
	if (command_exists("./d") != -1 || errno != EISDIR)
		return 3;
	if (command_exists("./none") != -1 || errno != ENOENT)
		return 4;
	if (command_exists("./y") != -1 || errno != EACCES)
		return 5;
	setenv("PATH", "/none", 1);
	if (command_exists("x") != -1 || errno != ENOENT)
		return 6;
	setenv("PATH", "/none:", 1);
	if (command_exists("x") != 0)		/* here (environ(7)) */
		return 7;
	setenv("PATH", ":/none", 1);
	if (command_exists("x") != 0)
		return 8;
	snprintf(path, sizeof(path), "%s:%s/e:/none", dir, dir);
	setenv("PATH", path, 1);
	if (command_exists("y") != 0 || command_exists("x") != 0)
		return 9;
	snprintf(path, sizeof(path), "%s:/none", dir);
	setenv("PATH", path, 1);
	if (command_exists("y") != -1 || errno != EACCES)
		return 10;
	if (command_exists("d") != -1 || errno != ENOENT)
		return 11;
	memset(deep, 'a', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	setenv("PATH", deep, 1);
	if (command_exists("x") != -1 || errno != ENOENT)
		return 12;
	unsetenv("PATH");
	return command_exists("sh") == 0 ? 0 : 13;
}

static void
test_exists(void)
{
	char command[60];

	if (mkdtemp(dir) == NULL)
		abort();
	is(run(exists), 0, "where a program is looked for");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	is(system(command), 0, "(removed)");
}

int
main(void)
{
	alarm(scaled(100));
	test_answers();
	test_late();
	test_stop();
	is(run(terminated), 0, "TERM ends it");
	is(run(no_fork), 0, "without a process");
#ifdef HAVE_LINUX
	is(run(world), 0, "no descriptor or signal is left for it");
#endif
	test_exists();
	return done_testing();
}
