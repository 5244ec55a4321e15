/* SPDX-License-Identifier: ISC */
/*
 * The dialled stream: a target or a program.
 *
 * If it fails: a program gets another request's environment, is left running, or
 * is ended although it still works; or an error does not say what is wrong.
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

#include "apart.h"
#include "connection/target.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/signals.h"
#include "descriptors.h"
#include "tap.h"

static struct connection c;
static struct options o;
static struct error why;
static struct io stream;
static char sh[] = "sh", dash_c[] = "-c", script[200];
static char *program[] = { sh, dash_c, script, NULL };

static int
start(const char *text)
{
	strlcpy(script, text, sizeof(script));
	o.program = program;
	o.timeouts.connect = 20000;
	return target_dial(&c, NULL, &stream, &why);
}

static const char *
said(void)
{
	static char text[200000];
	struct pollfd p = { .fd = stream.rfd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (poll(&p, 1, 20000) == 1 && len < sizeof(text) - 1 &&
	    (n = read(stream.rfd, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = '\0';
	return text;
}

static int
environment(void)
{
	char name[40];
	const char *text;
	int i;

	setenv("REMOTE_USER", "forged", 1);
	setenv("HTTP_X", "forged", 1);
	setenv("KEPT", "kept", 1);
	strlcpy(c.peer, "192.0.2.1:5000", sizeof(c.peer));
	if (start("env") != 0)
		return 1;
	text = said();
	if (strstr(text, "\nREMOTE_ADDR=192.0.2.1\n") == NULL &&
	    strncmp(text, "REMOTE_ADDR=192.0.2.1\n", 22) != 0)
		return 2;
	if (strstr(text, "forged") != NULL || strstr(text, "KEPT=kept") == NULL ||
	    strstr(text, "REMOTE_USER") != NULL)
		return 3;
	target_end(&c, 0);
	strlcpy(c.user, "ann", sizeof(c.user));
	start("env");
	if (strstr(said(), "REMOTE_USER=ann\n") == NULL)
		return 4;
	target_end(&c, 0);
	for (i = 0; i < 1200; i++) {
		snprintf(name, sizeof(name), "FILL%d", i);
		setenv(name, "x", 1);
	}
	start("env");
	text = said();
	return strstr(text, "REMOTE_USER=ann\n") != NULL &&
	    strstr(text, "FILL0=") != NULL && strstr(text, "FILL1199=") == NULL ?
	    0 : 5;
}

static int
cannot_run(void)
{
	static char none[] = "/none/such";
	int before = count_open();

	o.program = (char *[]){ none, NULL };
	o.timeouts.connect = 20000;
	if (target_dial(&c, NULL, &stream, &why) != -1 ||
	    why.status != EXIT_SYSTEM || strcmp(why.text,
	    "cannot run /none/such: No such file or directory") != 0)
		return 1;
	if (target_check(&o, &why) != -1 || why.status != EXIT_BADUSAGE ||
	    strcmp(why.text, "PROGRAM /none/such: No such file or directory") !=
	    0)
		return 2;
	o.program = program;
	return target_check(&o, &why) == 0 && count_open() == before ? 0 : 3;
}

static int
dials(void)
{
	char err[200];
	int before = count_open();

	o.mode = MODE_SERVER;
	o.timeouts.connect = 5000;
	if (addr_target(&o.target, "unix:/none/such", err, sizeof(err)) == -1 ||
	    target_dial(&c, NULL, &stream, &why) != -1 ||
	    why.status != EXIT_UNREACHABLE)
		return 1;
	if (strcmp(target_reason(&why), "the target refused the connection or is "
	    "unreachable") != 0)
		return 2;
	why.status = EXIT_NAME;
	if (strcmp(target_reason(&why),
	    "the name of the target is not found") != 0)
		return 3;
	why.status = EXIT_AGAIN;
	if (strcmp(target_reason(&why),
	    "the target did not answer in time") != 0)
		return 4;
	why.status = EXIT_SYSTEM;
	if (strcmp(target_reason(&why), "the target cannot be used") != 0)
		return 5;
	target_name(&c);
	if (strcmp(c.target, "unix:/none/such") != 0)
		return 6;
	o.program = program;
	target_name(&c);
	return strcmp(c.target, "sh") == 0 && count_open() == before ? 0 : 7;
}

/* One that ends by itself has the time for it, at least a second. */
static int
ends(void)
{
	int64_t begin;
	int i;

	o.timeouts.linger = 0;
	for (i = 0; i < 3; i++) {	/* a busy machine may be slower */
		memset(&c.program, 0, sizeof(c.program));
		start("exec >&- <&-; sleep 0.4; exit 5");
		target_end(&c, 0);
		if (WIFEXITED(c.program.status))
			break;
	}
	if (!c.program.ended || WEXITSTATUS(c.program.status) != 5)
		return 1;
	memset(&c.program, 0, sizeof(c.program));
	target_end(&c, 1);		/* there is none */
	o.timeouts.linger = 60000;
	begin = clock_ms();
	start("sleep 60");
	target_end(&c, 1);
	if (clock_ms() - begin > 20000 || !c.program.ended ||
	    !WIFSIGNALED(c.program.status))
		return 2;
	return WTERMSIG(c.program.status) == SIGHUP ? 0 : 3;
}

/* TERM does not wait for it. */
static int
terminated(void)
{
	int64_t begin;

	o.timeouts.linger = 60000;
	signals_single();
	start("sleep 60");
	raise(SIGTERM);
	signals_poll(NULL, 0, 1000);
	begin = clock_ms();
	target_end(&c, 0);
	return clock_ms() - begin < 20000 ? 0 : 1;
}

static int
dropped(void)
{
	start("sleep 60");
	target_drop(&c, &stream);
	return stream.rfd == -1 && c.program.ended &&
	    WTERMSIG(c.program.status) == SIGHUP ? 0 : 1;
}

int
main(void)
{
	alarm(scaled(100));
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	c.o = &o;
	is(run(environment), 0, "a program's environment");
	is(run(cannot_run), 0, "one that cannot be run");
	is(run(dials), 0, "a target that is not there");
	is(run(ends), 0, "its end");
	is(run(terminated), 0, "its end at TERM");
	is(run(dropped), 0, "a program that nobody wants any more");
	return done_testing();
}
