/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/command.h"
#include "os/command_helper.h"
#include "os/fd.h"
#include "os/log_output.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"

#define HELD_FD		3	/* the socket, in the helper */
#define LOG_FD		4	/* the log's descriptor there */
#define SLACK_MS	1000	/* for the answer of a command that timed out */

/* The messages on the socket: a question, and its answer. */
struct question {
	uint64_t number;
	int64_t ms;		/* to run at most */
};

struct answer {
	uint64_t number;	/* of its question, to tell late ones apart */
	int status;		/* as command_run() */
	struct error why;
	char out[COMMAND_HELPER_OUT_MAX + 1];	/* one byte more, to see whether
						 * it fits */
};

/*
 * The helper must keep no stream or socket of its parent open: only its own
 * socket fd, as HELD_FD, and the log, as LOG_FD.  fd is moved twice, as it may
 * be LOG_FD.
 */
static int
close_others(int fd)
{
	int null = fd_null(O_RDWR);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return -1;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD + 1);
	log_output_move(LOG_FD);
	if (fd == -1 || dup3(fd, HELD_FD, O_CLOEXEC) == -1)
		return -1;
	closefrom(LOG_FD + 1);
	return 0;
}

static _Noreturn void
serve(int fd, char *const argv[], char *const env[])
{
	static struct answer a;
	struct question q;
	struct pollfd p = { .fd = HELD_FD, .events = POLLIN };

	if (close_others(fd) == -1)
		_exit(1);
	title_set("inetws: running %s when asked", argv[0]);
	while (!signal_terminated()) {
		if (signals_poll(&p, 1, -1) <= 0)
			continue;
		/* The parent may be compromised: its message is checked. */
		if (recv(HELD_FD, &q, sizeof(q), MSG_WAITALL) != sizeof(q) ||
		    q.ms < 0 || q.ms > INT32_MAX)
			break;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;		/* one that could not be killed */
		memset(&a, 0, sizeof(a));
		a.number = q.number;
		a.status = command_run(argv, env, "", a.out, sizeof(a.out),
		    clock_ms() + q.ms, HELD_FD, &a.why);
		if (send(HELD_FD, &a, sizeof(a), MSG_NOSIGNAL) == -1)
			break;
		explicit_bzero(&a, sizeof(a));
	}
	_exit(0);
}

/* Both sockets block, so each message is sent and read as a whole. */
int
command_helper_start(struct command_helper *k, char *const argv[],
    char *const env[], void (*forget)(void *), void *arg)
{
	int fd[2];

	k->pid = 0;
	k->asked = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	if ((k->pid = fork()) == 0) {
		forget(arg);
		serve(fd[1], argv, env);
	}
	close(fd[1]);
	if (k->pid == -1) {
		k->pid = 0;
		close(fd[0]);
		return -1;
	}
	k->fd = fd[0];
	return 0;
}

static int
failed(const char *what, struct error *why)
{
	return error_set(why, EXIT_SYSTEM, "the process that runs the command "
	    "%s", what);
}

int
command_helper_ask(struct command_helper *k, int64_t ms, struct error *why)
{
	struct question q = { ++k->asked, ms };

	k->until = clock_after(ms + SLACK_MS);
	if (k->pid == 0 ||
	    send(k->fd, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q))
		return failed("is gone", why);
	return 0;
}

/* The answer to the last question; 1, 0: not yet, or -1 and why. */
static int
receive(struct command_helper *k, struct answer *a, struct error *why)
{
	struct pollfd p = { .fd = k->fd, .events = POLLIN };

	do {
		if (poll(&p, 1, 0) != 1)
			return clock_ms() < k->until ? 0 : error_set(why,
			    EXIT_AGAIN, "the command took too long");
		if (recv(k->fd, a, sizeof(*a), MSG_WAITALL) != sizeof(*a))
			return failed("is gone", why);
	} while (a->number != k->asked);
	return 1;
}

int
command_helper_answer(struct command_helper *k, uint64_t number, int *status,
    char *out, struct error *why)
{
	static struct answer a;
	int r;

	out[0] = '\0';
	r = number == k->asked ? receive(k, &a, why) : error_set(why,
	    EXIT_AGAIN, "it was run anew for another connection");
	if (r == 0)
		return 0;
	*status = r == 1 ? a.status : -1;
	if (r == 1 && a.status == -1)
		*why = a.why;
	else if (r == 1 && strlcpy(out, a.out, COMMAND_HELPER_OUT_MAX) >=
	    COMMAND_HELPER_OUT_MAX)
		*status = error_set(why, EXIT_SYSTEM, "the command's output is "
		    "longer than %d bytes", COMMAND_HELPER_OUT_MAX - 1);
	explicit_bzero(&a, sizeof(a));
	return 1;
}

void
command_helper_end(struct command_helper *k)
{
	if (k->pid == 0)
		return;
	close(k->fd);
	process_wait(k->pid);
	k->pid = 0;
}
