/* SPDX-License-Identifier: ISC */
/*
 * What a program writes to standard error, as events of the log.
 *
 * If it fails: an error message of a program is lost, forged, or said of
 * another connection; or the connection stays open after its end.
 */
#ifdef HAVE_LINUX
#include <sys/prctl.h>
#endif
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/stderr_log.h"
#include "forks.h"
#include "tap.h"

static int reader, writer;

/* From here on standard error is a pipe of ours. */
static void
capture(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		abort();
	dup2(p[1], STDERR_FILENO);
	close(p[1]);
	reader = p[0];
}

/* In a process of its own: has it text logged by one that nobody waits for? */
static int
says(const char *peer, const char *text, size_t len, int end)
{
	int fd = stderr_log_begin(LOG_L_WARN, peer, "prog");
	ssize_t got;
	char c;

	if (fd == -1)
		return 1;
	close(writer);
	if (!(fcntl(fd, F_GETFD) & FD_CLOEXEC) || read(end, &c, 1) != 0 ||
	    waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return 2;
	while (len > 0 && (got = write(fd, text, len)) > 0) {
		text += got;
		len -= got;
	}
	return 0;
}

/* The events of this text, without their times. */
static const char *
events(const char *peer, const char *text, size_t len)
{
	static char all[20000], shown[20000];
	struct pollfd p = { .fd = reader, .events = POLLIN };
	int end[2], status, bad = 0;
	size_t n = 0;
	ssize_t got;
	char *at;

	/* a pipe that ends with the process which logs */
	if (pipe(end) == -1 || (writer = fcntl(end[1], F_DUPFD, 60)) == -1)
		abort();
	close(end[1]);
	fflush(stdout);
	if (fork() == 0)
		_exit(says(peer, text, len, end[0]));
	close(writer);
	close(end[0]);
	while (wait(&status) != -1)	/* on Linux also which logs */
		bad |= status;
	if (bad != 0)
		return "none, or not alone";
	while (n < sizeof(all) - 1 && poll(&p, 1, n == 0 ? 20000 : 300) == 1 &&
	    (got = read(reader, all + n, sizeof(all) - 1 - n)) > 0)
		n += got;
	all[n] = '\0';
	shown[0] = '\0';
	for (at = all; (at = strstr(at, "\"level\"")) != NULL; at++) {
		n = strcspn(at, "\n") + 1;
		strncat(shown, at, n);
	}
	return shown;
}

#define EVENT(peer, text) "\"level\":\"warn\",\"event\":\"program-stderr\"," \
    peer "\"program\":\"prog\",\"text\":\"" text "\"}\n"

static void
test_lines(void)
{
	char big[LOG_VALUE_MAX + 3], want[3000];

	is_str(events("1.2.3.4:5", "one\n\ntwo\nrest", 13),
	    EVENT("\"peer\":\"1.2.3.4:5\",", "one")
	    EVENT("\"peer\":\"1.2.3.4:5\",", "two")
	    EVENT("\"peer\":\"1.2.3.4:5\",", "rest"),
	    "lines, also the last one; not empty ones");
	is_str(events("", "a\"b\n", 4), EVENT("", "a\\\\x22b"),
	    "no peer, and bytes that could forge a line");
	memset(big, 'x', sizeof(big));
	big[LOG_VALUE_MAX] = 'y';
	big[LOG_VALUE_MAX + 1] = 'z';
	big[LOG_VALUE_MAX + 2] = '\n';
	snprintf(want, sizeof(want), EVENT("", "%.*s") EVENT("", "yz"),
	    LOG_VALUE_MAX, big);
	is_str(events("", big, sizeof(big)), want, "a long line in pieces");
	big[LOG_VALUE_MAX - 1] = '\n';
	snprintf(want, sizeof(want), EVENT("", "%.*s") EVENT("", "yz"),
	    LOG_VALUE_MAX - 1, big);
	is_str(events("", big, sizeof(big)), want, "one that just fits");
}

static void
test_none(void)
{
	int before = count_open();

	forks = 0;
	is(stderr_log_begin(LOG_L_WARN, "", "prog"), -1, "without a process");
	forks = 1;
	close(writer);
	if (fork() == 0) {
		forks = 1;
		_exit(stderr_log_begin(LOG_L_WARN, "", "prog") != -1);
	}
	forks = INT_MAX;
	int status = -1;
	wait(&status);
	is(status, 0, "without a second one");
	is(count_open(), before, "no descriptor is left");
	log_style(LOG_LOGFMT, 0);
	is(stderr_log_begin(LOG_L_WARN, "", "prog"), -1,
	    "where other text may be, it stays as it is");
	is(count_open(), before, "and there is no pipe");
}

int
main(void)
{
	alarm(scaled(60));
#ifdef HAVE_LINUX
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
#endif
	capture();
	log_style(LOG_JSON, 0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	test_lines();
	test_none();
	return done_testing();
}
