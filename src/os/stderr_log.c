/* SPDX-License-Identifier: ISC */
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
log_text(const char *peer, const char *program, const char *line, size_t len)
{
	struct log_line l;

	if (len == 0)
		return;
	log_begin(&l, LOG_L_INFO, "program-stderr");
	log_str(&l, "peer", peer);
	log_str(&l, "program", program);
	log_bytes(&l, "text", line, len);
	log_end(&l);
}

/* Logs each line; longer ones in pieces of LOG_VALUE_MAX. */
static _Noreturn void
read_lines(const char *peer, const char *program)
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
			log_text(peer, program, buf + used, end - buf - used);
		if (used == 0 && len == sizeof(buf)) {
			log_text(peer, program, buf, len);
			used = len;
		}
		len -= used;
		memmove(buf, buf + used, len);
	}
	log_text(peer, program, buf, len);
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

int
stderr_log_begin(const char *peer, const char *program)
{
	int fd[2];

	if ((!log_is_elsewhere() && !log_owns_stderr()) ||
	    pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	switch (fork()) {
	case 0:
		close_others(fd[0]);
		signals_helper();
		title_set("inetws: logging standard error of %s for %s",
		    program, peer);
		read_lines(peer, program);
	case -1:
		close(fd[0]);
		close(fd[1]);
		return -1;
	}
	close(fd[0]);
	return fd[1];
}
