/* SPDX-License-Identifier: ISC */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/log.h"
#include "os/log_output.h"
#include "os/signals.h"
#include "os/stderr_log.h"
#include "os/title.h"

#define PIPE_FD	3	/* the reading end, in the new process */
#define LOG_FD	4	/* the log's descriptor there */

static void
log_text(enum log_level level, const char *peer, const char *program,
    const char *line, size_t len)
{
	struct log_line l;

	if (len == 0)
		return;
	log_begin(&l, level, "program-stderr");
	log_str(&l, "peer", peer[0] == '\0' ? NULL : peer);
	log_str(&l, "program", program);
	log_bytes(&l, "text", line, len);
	log_end(&l);
}

/* Logs each line; longer ones in pieces of LOG_VALUE_MAX. */
static _Noreturn void
read_lines(enum log_level level, const char *peer, const char *program)
{
	static char buf[LOG_VALUE_MAX];
	size_t len = 0, used;
	const char *end;
	ssize_t n;

	while ((n = read(PIPE_FD, buf + len, sizeof(buf) - len)) > 0 ||
	    (n == -1 && errno == EINTR)) {
		len += n > 0 ? n : 0;
		for (used = 0; (end = memchr(buf + used, '\n', len - used)) !=
		    NULL; used = end - buf + 1)
			log_text(level, peer, program, buf + used,
			    end - buf - used);
		if (used == 0 && len == sizeof(buf)) {
			log_text(level, peer, program, buf, len);
			used = len;
		}
		len -= used;
		memmove(buf, buf + used, len);
	}
	log_text(level, peer, program, buf, len);
	_exit(0);
}

/*
 * Closes all descriptors of the parent, such as the connection, but the log and
 * the reading end of the pipe; that one is first moved away from LOG_FD.
 */
static void
close_others(int in)
{
	in = fcntl(in, F_DUPFD_CLOEXEC, LOG_FD + 1);
	log_output_move(LOG_FD);
	if (in == -1 || dup3(in, PIPE_FD, O_CLOEXEC) == -1)
		_exit(1);
	closefrom(LOG_FD + 1);
}

/*
 * Starts the process that logs as a grandchild.  The child between ends at
 * once, so that the grandchild is no child of ours when it ends.  0, or -1: it
 * could not be started.
 */
static int
start(enum log_level level, const char *peer, const char *program, int in)
{
	int status;
	pid_t pid = fork();

	if (pid == -1)
		return -1;
	if (pid > 0) {
		while (waitpid(pid, &status, 0) == -1)
			if (errno != EINTR)
				return -1;
		return status == 0 ? 0 : -1;
	}
	if ((pid = fork()) != 0)
		_exit(pid == -1 ? 1 : 0);
	close_others(in);
	signals_helper();
	title_set("inetws: logging standard error of %s%s%s", program,
	    peer[0] == '\0' ? "" : " for ", peer);
	read_lines(level, peer, program);
}

int
stderr_log_begin(enum log_level level, const char *peer, const char *program)
{
	int fd[2], failed;

	if ((!log_is_elsewhere() && !log_owns_stderr()) ||
	    pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	failed = start(level, peer, program, fd[0]) == -1;
	close(fd[0]);
	if (!failed)
		return fd[1];
	close(fd[1]);
	return -1;
}
