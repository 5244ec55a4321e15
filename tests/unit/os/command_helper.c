/* SPDX-License-Identifier: ISC */
/*
 * A process that runs a command when it is asked to.
 *
 * If it fails: a session with --header-command cannot redial.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/command_helper.h"
#include "tap.h"

extern char **environ;

static char out[COMMAND_HELPER_OUT_MAX];
static struct error why;

/* The secret is wiped before the script runs. */
static void
forget(void *arg)
{
	char *secret = strstr(arg, "secret");

	if (secret != NULL)
		memcpy(secret, "forgot", 6);
}

static struct command_helper
helper_of(const char *script)
{
	static char sh[] = "sh", c[] = "-c", text[500];
	static char *argv[] = { sh, c, text, NULL };
	struct command_helper k;

	strlcpy(text, script, sizeof(text));
	if (command_helper_start(&k, argv, environ, forget, text) == -1)
		abort();
	return k;
}

/* Waits for the answer to the question, as command_run(). */
static int
answer_of(struct command_helper *k, uint64_t number)
{
	struct pollfd p = { .fd = k->fd, .events = POLLIN };
	int status;

	while (command_helper_answer(k, number, &status, out, &why) == 0)
		poll(&p, 1, clock_poll(k->until));
	return status;
}

static int
question(struct command_helper *k, int64_t ms)
{
	return command_helper_ask(k, ms, &why) == -1 ? -1 :
	    answer_of(k, k->asked);
}

/* One question to a helper of its own. */
static int
ask(const char *script, int64_t ms)
{
	struct command_helper k = helper_of(script);
	int status;

	memset(&why, 0, sizeof(why));
	status = question(&k, ms);
	command_helper_end(&k);
	return status;
}

static void
test_answers(void)
{
	is(ask("printf 'A: b\\nC: d\\n'", 5000), 0, "a good end");
	is_str(out, "A: b\nC: d\n", "its output");
	is(ask("echo secret", 5000), 0, "what is to be forgotten");
	is_str(out, "forgot\n", "is");
	is(ask("echo x; exit 3", 5000), 3, "a bad end");
	is(ask("kill -9 $$", 5000), -1, "killed");
	is(why.status, EXIT_SYSTEM, "is 71");
	is(ask("sleep 60", 100), -1, "too slow");
	is(why.status, EXIT_AGAIN, "is 75");
	is(ask("head -c 8191 /dev/zero | tr '\\0' x", 5000), 0,
	    "as much as there is room for");
	is(strlen(out), COMMAND_HELPER_OUT_MAX - 1, "all of it");
	is(ask("head -c 8192 /dev/zero | tr '\\0' x", 5000), -1,
	    "a byte more");
	is(why.status, EXIT_SYSTEM, "is 71");
	is(ask("head -c 1000000 /dev/zero | tr '\\0' x", 5000), -1,
	    "much more");
}

/* Several times, also after a failure. */
static void
test_again(void)
{
	struct command_helper k = helper_of("n=$(cat n 2>/dev/null); "
	    "echo $((n + 1)) | tee n; test \"$n\" != 1");
	int i;

	unlink("n");
	for (i = 1; i <= 4; i++) {
		is(question(&k, 5000), i == 2,
		    "asked again");
		is(atoi(out), i, "a new answer");
	}
	command_helper_end(&k);
	command_helper_end(&k);
	is(k.pid, 0, "ended, once");
	is(question(&k, 5000), -1,
	    "it is gone");
	unlink("n");
}

/* An answer that comes too late is not taken for that of the next question. */
static void
test_late(void)
{
	struct command_helper k = helper_of("echo x >>n; wc -l <n");

	unlink("n");
	kill(k.pid, SIGSTOP);
	is(question(&k, 100), -1, "a helper that is late");
	is(why.status, EXIT_AGAIN, "is 75");
	kill(k.pid, SIGCONT);
	is(question(&k, 5000), 0, "the next question");
	ok(atoi(out) == 1 || atoi(out) == 2, "has its own answer");
	command_helper_end(&k);
	unlink("n");
}

/* Nobody waits for a command that is not needed any more. */
static void
test_given_up(void)
{
	struct command_helper k = helper_of("test -e n || { >n; sleep 60; }; "
	    "echo second");
	int64_t began = clock_ms();
	uint64_t first;
	int status;

	unlink("n");
	is(command_helper_ask(&k, 50000, &why), 0, "one that is slow");
	first = k.asked;
	is(command_helper_answer(&k, first, &status, out, &why), 0,
	    "has no answer yet");
	while (access("n", F_OK) == -1 && clock_ms() < began + 20000)
		poll(NULL, 0, 5);
	is(question(&k, 5000), 0, "is killed for the next question");
	is_str(out, "second\n", "which has its own answer");
	is(answer_of(&k, first), -1, "the first one has none");
	is(why.status, EXIT_AGAIN, "and that is 75");
	command_helper_end(&k);

	k = helper_of("sleep 60");
	command_helper_ask(&k, 50000, &why);
	command_helper_end(&k);
	k = helper_of("exec >&-; sleep 60");
	command_helper_ask(&k, 50000, &why);
	poll(NULL, 0, 50);
	command_helper_end(&k);
	ok(clock_ms() < began + 30000, "an end does not wait for one either");
	unlink("n");
}

/* What the asker holds is not held on to. */
static void
test_descriptors(void)
{
	int fd[2];
	struct command_helper k;
	char c;

	if (pipe(fd) == -1)
		abort();
	k = helper_of("true");
	close(fd[1]);
	is(read(fd[0], &c, 1), 0, "the end of a pipe that it was born with");
	close(fd[0]);
	command_helper_end(&k);
}

static void
test_death(void)
{
	struct command_helper k = helper_of("true");

	kill(k.pid, SIGKILL);
	is(question(&k, 5000), -1,
	    "a dead one");
	is(why.status, EXIT_SYSTEM, "is 71");
	command_helper_end(&k);
	ok(waitpid(-1, NULL, 0) == -1 && errno == ECHILD, "no child is left");
}

/* A process that was taken over may ask for any time. */
static void
test_rubbish(void)
{
	static const int64_t odd[] = { INT64_MAX, INT64_MIN, -1 };
	struct command_helper k;
	uint64_t q[2] = { 1, 0 };
	char c;
	int i;

	for (i = 0; i < 3; i++) {
		k = helper_of("true");
		memcpy(&q[1], &odd[i], sizeof(odd[i]));
		send(k.fd, q, sizeof(q), MSG_NOSIGNAL);
		is(recv(k.fd, &c, 1, 0), 0, "an odd time: it ends");
		command_helper_end(&k);
	}
}

int
main(void)
{
	char dir[] = "/tmp/inetws-helper.XXXXXX";

	alarm(60);
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		abort();
	test_answers();
	test_late();
	test_given_up();
	test_again();
	test_descriptors();
	test_death();
	test_rubbish();
	rmdir(dir);
	return done_testing();
}
