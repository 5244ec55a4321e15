/* SPDX-License-Identifier: ISC */
/*
 * Where lines of the log go: syslogd, which may be restarted, and standard
 * error of different kinds.
 *
 * If it fails: lines are lost that could be delivered, go where they do not
 * belong, or a process waits for the reader of its log.
 */
#include <syslog.h>

#undef _PATH_LOG
#define _PATH_LOG "syslogd"	/* in the working directory */
#include "os/log_output.c"

#include <sys/wait.h>

#include <stdlib.h>

#include "apart.h"
#include "os/log.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-log.XXXXXX";
static int taken;		/* what is read is what was logged */

static int
syslogd_begins(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strlcpy(sun.sun_path, _PATH_LOG, sizeof(sun.sun_path));
	unlink(_PATH_LOG);
	taken = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return bind(taken, (struct sockaddr *)&sun, sizeof(sun));
}

static void
syslogd_ends(void)
{
	close(taken);
	unlink(_PATH_LOG);
}

static int
got(const char *want)
{
	char text[1000];
	ssize_t n = read(taken, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return strcmp(text, want) == 0;
}

/* The next line that syslogd has got, but for its date. */
static int
got_line(const char *program, int priority, const char *line)
{
	char text[1000], want[1000], date[40];
	ssize_t n = read(taken, text, sizeof(text) - 1);
	const char *at;
	int head;

	text[n > 0 ? n : 0] = '\0';
	head = snprintf(want, sizeof(want), "<%d>", priority);
	if (strncmp(text, want, head) != 0)
		return 0;
	snprintf(want, sizeof(want), " %s[%d]: %s", program, (int)getpid(),
	    line);
	if ((at = strstr(text, want)) == NULL || strcmp(at, want) != 0)
		return 0;
	snprintf(date, sizeof(date), "%.*s", (int)(at - text - head),
	    text + head);
	/* Nov  9 01:02:03 */
	return strlen(date) == 15 && date[3] == ' ' && date[6] == ' ' &&
	    date[9] == ':' && date[12] == ':';
}

static int
put(const char *line)
{
	return log_output_write(LOG_WARNING, line, strlen(line));
}

/* Standard error becomes this; not yet for the log. */
static void
put_at_2(int fd)
{
	dup2(fd, STDERR_FILENO);
	close(fd);
}

static int
begins_and_ends(void)
{
	int fd;

	put_at_2(open("/dev/null", O_WRONLY));
	syslogd_begins();
	log_output_open("prog", LOG_LOCAL3);
	if (put("one\n") != 0 || !got_line("prog", 156, "one"))
		return 1;
	unlink(_PATH_LOG);		/* it is connected */
	if (put("two\n") != 0 || !got_line("prog", 156, "two"))
		return 2;
	fd = output.fd;
	log_output_open("other", LOG_DAEMON);
	if (output.fd != fd || put("three\n") != 0 ||
	    !got_line("other", 28, "three"))
		return 3;
	syslogd_ends();
	if (put("four\n") != -1 || put("four\n") != -1 ||
	    log_output_lost() != 2 || log_output_lost() != 0)
		return 4;
	syslogd_begins();
	if (put("five\n") != 0 || !got_line("other", 28, "five"))
		return 5;
	unlink(_PATH_LOG);
	if (put("six\n") != 0 || !got_line("other", 28, "six"))
		return 6;
	log_output_open(NULL, LOG_DAEMON);
	return fcntl(fd, F_GETFD) == -1 && output.fd == STDERR_FILENO ? 0 : 7;
}

static int
begins_late(void)
{
	log_output_open("prog", LOG_DAEMON);
	if (put("one\n") != -1 || log_output_lost() != 1)
		return 1;
	syslogd_begins();
	return put("two\n") == 0 && got_line("prog", 28, "two") ? 0 : 2;
}

/* In the sandbox it cannot connect any more. */
static int
restricted(void)
{
	syslogd_begins();
	log_output_open("prog", LOG_DAEMON);
	log_output_restrict();
	syslogd_ends();
	syslogd_begins();
	if (put("one\n") != 0 || !got_line("prog", 28, "one"))
		return 1;
	syslogd_ends();
	if (put("two\n") != -1)
		return 2;
	syslogd_begins();
	return put("three\n") == 0 && got_line("prog", 28, "three") ? 0 : 3;
}

/* Its socket is full: that is no reason to connect again, nor to wait twice. */
static int
does_not_read(void)
{
	int64_t begin;
	int n;

	syslogd_begins();
	log_output_open("prog", LOG_DAEMON);
	begin = clock_ms();
	for (n = 0; put("line\n") == 0 && n < 10000; n++)
		;
	if (clock_ms() - begin < WAIT_MS || log_output_lost() != 1)
		return 1;
	begin = clock_ms();
	for (n = 0; n < 100; n++)
		put("line\n");
	if (clock_ms() - begin > 100 * WAIT_MS / 2 || log_output_lost() != 100)
		return 2;
	for (n = 0; got_line("prog", 28, "line"); n++)
		;
	return n > 0 && put("again\n") == 0 && got_line("prog", 28, "again") ?
	    0 : 3;
}

static void
stderr_is(int fd)
{
	put_at_2(fd);
	log_output_open(NULL, 0);
}

static int
pipe_is_full(void)
{
	int64_t begin;
	char text[4096];
	int p[2], i, status = -1;

	if (pipe(p) == -1)
		return 1;
	taken = p[0];
	stderr_is(p[1]);
	if (put("one\n") != 0 || !got("one\n"))
		return 2;
	if ((fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) != 0)
		return 3;		/* which others would have, too */
	if (output.fd == STDERR_FILENO || (fcntl(output.fd, F_GETFD) &
	    FD_CLOEXEC) == 0)
		return 4;
	memset(text, 'x', sizeof(text));
	begin = clock_ms();
	while (log_output_write(LOG_INFO, text, sizeof(text)) == 0)
		;
	if (clock_ms() - begin < WAIT_MS || log_output_lost() != 1)
		return 5;
	/* a child of it knows that it is full; one that is slow is not asked */
	for (i = 0; i < 5 && status != 0; i++) {
		if (fork() == 0) {
			begin = clock_ms();
			put("x\n");
			_exit(clock_ms() - begin >= WAIT_MS / 2);
		}
		wait(&status);
	}
	if (status != 0)
		return 6;
	while (read(taken, text, sizeof(text)) == sizeof(text) &&
	    put("found room\n") == -1)
		;
	log_output_lost();
	return output.full == 0 ? 0 : 7;
}

/* A reader that is slow, but reads. */
static int
pipe_is_slow(void)
{
	char text[4096];
	int p[2], i, good = 0;

	if (pipe(p) == -1)
		return 1;
	stderr_is(p[1]);
	memset(text, 'x', sizeof(text));
	for (i = 0; i < 5 && !good; i++) {	/* it may be too slow */
		output.full = 1;		/* to fill it, do not wait */
		while (log_output_write(LOG_INFO, text, sizeof(text)) == 0)
			output.full = 1;
		log_output_lost();
		output.full = 0;
		if (fork() == 0) {
			poll(NULL, 0, 30);
			_exit(read(p[0], text, sizeof(text)) != sizeof(text));
		}
		good = put("one\n") == 0 && log_output_lost() == 0;
		if (wait(NULL) == -1)
			return 3;
	}
	return good ? 0 : 2;
}

static int
socket_is_full(void)
{
	int p[2], n;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) == -1)
		return 1;
	taken = p[0];
	stderr_is(p[1]);
	if (put("one\n") != 0 || !got("one\n"))
		return 2;
	alarm(scaled(20));
	for (n = 0; put("line\n") == 0; n++)
		;
	close(taken);
	return log_output_lost() == 1 && put("x\n") == -1 ? 0 : 3;
}

static int
is_file(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);

	taken = open("file", O_RDONLY);
	unlink("file");
	stderr_is(fd);
	return output.is_file && !output.is_socket && put("one\n") == 0 &&
	    got("one\n") && put("two\n") == 0 && got("two\n") ? 0 : 1;
}

/* What a person has to see goes to standard error, wherever the log goes. */
static int
prints(void)
{
	int p[2], log, n;

	if (pipe2(p, O_NONBLOCK) == -1 || syslogd_begins() == -1)
		return 1;
	log = taken;
	dup2(p[1], STDERR_FILENO);
	log_output_open("prog", LOG_DAEMON);
	taken = p[0];
	if (log_output_print("one\n", 4) != 0 || !got("one\n"))
		return 2;
	taken = log;
	if (!got(""))
		return 3;
	for (n = 0; log_output_print("line\n", 5) == 0 && n < 100000; n++)
		;
	if (log_output_lost() != 1)
		return 4;
	log_output_open(NULL, 0);
	while (read(p[0], dir, 4) > 0)
		;
	taken = p[0];
	return log_output_print("two\n", 4) == 0 && got("two\n") ? 0 : 5;
}

static int
moves(void)
{
	int fd;

	stderr_is(open("/dev/null", O_WRONLY));
	dup2(STDERR_FILENO, 30);
	log_output_move(30);
	if (output.fd != STDERR_FILENO || fcntl(30, F_GETFD) != -1)
		return 1;
	syslogd_begins();
	log_output_open("prog", LOG_DAEMON);
	fd = output.fd;
	log_output_move(fd);
	if (output.fd != fd)
		return 2;
	log_output_move(31);
	return output.fd == 31 && (fcntl(31, F_GETFD) & FD_CLOEXEC) != 0 &&
	    put("one\n") == 0 && got_line("prog", 28, "one") ? 0 : 3;
}

/* Processes of an instance count together, and only once shared. */
static int
counts(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (fork() == 0) {
			log_output_lose(2);
			_exit(0);
		}
		wait(NULL);
		log_output_lose(3);
		if (log_output_lost() != (i == 0 ? 3 : 5) ||
		    log_output_lost() != 0)
			return i + 1;
		log_output_share();
		log_output_share();
	}
	if (patience() != 0)
		return 3;
	log_output_wait();
	return patience() == WAIT_MS ? 0 : 4;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return 1;
	is(run(begins_and_ends), 0, "syslogd, which is restarted");
	is(run(begins_late), 0, "... which begins later");
	is(run(restricted), 0, "... which a process in the sandbox finds again");
	is(run(does_not_read), 0, "... which does not read");
	is(run(pipe_is_full), 0, "a pipe that is full");
	is(run(pipe_is_slow), 0, "one that has room in a moment");
	is(run(socket_is_full), 0, "a socket");
	is(run(is_file), 0, "a file");
	is(run(prints), 0, "what a person has to see");
	is(run(moves), 0, "the number that a helper wants");
	is(run(counts), 0, "lost lines are counted for all processes");
	unlink(_PATH_LOG);
	unlink("file");
	rmdir(dir);
	return done_testing();
}
