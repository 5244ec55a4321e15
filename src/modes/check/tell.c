/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"
#include "modes/check/tell.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log_output.h"
#include "os/signals.h"

#define END_MAX		32768	/* bytes of all that is printed at the end */
#define ERASE		"\r\033[K"

static enum { FOR_PERSON, FOR_JSON, FOR_NAGIOS } form;
static struct check_limits limits;
static unsigned int told;	/* steps that were printed, a bit for each */
static int has_colours;
static int shows_step;		/* the step under way is shown on stderr */
static int names_step;		/* ... and is there now, to be erased */

/* The output of tell_at_once() for each signal. */
static struct {
	int signo, status;
	size_t len;
	char text[END_MAX];
} last[] = { { .signo = SIGINT }, { .signo = SIGTERM }, { .signo = SIGHUP } };
static int is_last_set;

#define NLAST	(sizeof(last) / sizeof(last[0]))

/* May lines be coloured, and erased? */
static int
is_terminal(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && (term == NULL || strcmp(term, "dumb") != 0);
}

void
tell_progress(const char *text)
{
	if (text[0] != '\0')
		log_output_print(text, strlen(text));
}

/*
 * Prints a text.  Once a signal has come, it does not wait for a reader that
 * has stopped.  0; or -1 with errno: not everything was written, this time or
 * before.
 */
static int
say(const char *text)
{
	static int failed;

	tell_progress(names_step ? ERASE : "");
	names_step = 0;
	if (failed == 0 && signals_write(STDOUT_FILENO, text,
	    strlen(text)) == 0)
		return 0;
	if (failed == 0 && errno != EINTR)
		failed = errno;
	if (failed != 0)
		errno = failed;
	return -1;
}

void
tell_begin(struct check *c, const struct options *o)
{
	const char *no = getenv("NO_COLOR");
	char line[sizeof(c->url) + 2];

	form = o->check.nagios ? FOR_NAGIOS : o->json ? FOR_JSON : FOR_PERSON;
	limits = (struct check_limits){ o->check.warn_expiry,
	    o->check.warn_rtt };
	c->under_way = CHECK_STEPS;
	has_colours = is_terminal(STDOUT_FILENO) &&
	    (no == NULL || no[0] == '\0');
	shows_step = form == FOR_PERSON && !o->log.verbose &&
	    is_terminal(STDERR_FILENO);
	signals_single();
	if (form != FOR_PERSON)
		return;
	snprintf(line, sizeof(line), "%s\n", c->url);
	say(line);
}

void
tell_under_way(struct check *c, enum check_step i)
{
	char text[64];

	c->under_way = i;
	c->since = clock_us();
	/* STEP_IDLE shows its own progress. */
	if (!shows_step || i == STEP_IDLE)
		return;
	snprintf(text, sizeof(text), ERASE "%8s%s ...", "", i < CHECK_STEPS ?
	    check_step_name(i) : "other addresses");
	tell_progress(text);
	names_step = 1;
}

/* Adds those steps that were not printed yet. */
static void
show(struct out *out, const struct check *c, enum check_step from,
    enum check_step to)
{
	enum check_step i;

	for (i = from; i < to; i++)
		if (!(told & 1u << i))
			check_show(out, c, i, i + 1, c->now, has_colours);
}

static void
tell(struct check *c, enum check_step from, enum check_step to)
{
	static char text[8192];
	struct out out;
	enum check_step i;

	if (form != FOR_PERSON)
		return;
	check_judge(c, &limits, time(NULL));
	out_begin(&out, text, sizeof(text));
	show(&out, c, from, to);
	for (i = from; i < to; i++)
		told |= 1u << i;
	say(text);
}

void
tell_step(struct check *c, enum check_step i)
{
	tell(c, i, i + 1);
}

void
tell_before(struct check *c, enum check_step end)
{
	tell(c, 0, end);
}

void
tell_redirect(struct check *c)
{
	char text[sizeof(c->at) + 64];
	struct out out;

	told = 0;
	if (form != FOR_PERSON)
		return;
	out_begin(&out, text, sizeof(text));
	check_show_redirect(&out, c);
	say(text);
}

void
tell_addresses(struct check *c)
{
	static char text[2048];
	struct out out;

	if (form != FOR_PERSON || c->connect < 0)
		return;
	out_begin(&out, text, sizeof(text));
	check_show_others(&out, c);
	say(text);
}

/* Writes what was not printed yet; returns the exit status. */
static int
write_end(struct out *out, struct check *c)
{
	check_judge(c, &limits, time(NULL));
	switch (form) {
	case FOR_NAGIOS:
		check_nagios(out, c, &limits, c->now);
		return (int)check_level(c);
	case FOR_JSON:
		check_json(out, c, c->now);
		break;
	case FOR_PERSON:
		show(out, c, 0, CHECK_STEPS);
		check_result(out, c, has_colours);
		break;
	}
	return check_status(c);
}

/* The signal handler; calls only what signal-safety(7) lists. */
static void
end_at_once(int signo)
{
	struct pollfd p = { STDOUT_FILENO, POLLOUT, 0 };
	struct pollfd err = { STDERR_FILENO, POLLOUT, 0 };
	size_t i = 0, done, most = PIPE_BUF;
	ssize_t n;

	while (i < NLAST - 1 && last[i].signo != signo)
		i++;
	n = names_step && poll(&err, 1, 0) == 1 ?
	    write(STDERR_FILENO, ERASE, strlen(ERASE)) : 0;
	for (done = 0; n != -1 && done < last[i].len &&
	    poll(&p, 1, 0) == 1; done += n)
		n = write(STDOUT_FILENO, last[i].text + done,
		    last[i].len - done < most ? last[i].len - done : most);
	_exit(last[i].status);
}

void
tell_at_once(const struct check *c, const struct error *why)
{
	static struct check then;
	struct out out;
	size_t i;

	for (i = 0; i < NLAST; i++) {
		then = *c;
		then.why = *why;
		check_stop(&then, last[i].signo, -1);
		out_begin(&out, last[i].text, sizeof(last[i].text));
		last[i].status = write_end(&out, &then);
		last[i].len = out.len;
	}
	is_last_set = 1;
	signals_at_once(end_at_once);
}

void
tell_flags(void)
{
	if (is_last_set)
		signals_single();
	is_last_set = 0;
}

int
tell_end(struct check *c)
{
	static char text[END_MAX];
	struct out out;
	int status;

	out_begin(&out, text, sizeof(text));
	status = write_end(&out, c);
	if (say(text) == 0 && fd_close(STDOUT_FILENO) == 0)
		return status;
	if (errno != EINTR)
		fprintf(stderr, "inetws: standard output: %s\n",
		    strerror(errno));
	return form == FOR_NAGIOS ? CHECK_UNKNOWN : errno == EINTR ?
	    128 + signal_terminated() : EXIT_SYSTEM;
}
