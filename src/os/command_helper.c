/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/command.h"
#include "os/command_helper.h"
#include "os/fd.h"
#include "os/signals.h"
#include "os/title.h"

#define HELD_FD		3	/* the socket, in the helper */
#define SLACK_MS	1000	/* for the answer of a command that timed out */

/* One message each way. */
struct question {
	uint64_t number;
	int64_t ms;		/* to run at most */
};

struct answer {
	uint64_t number;	/* of its question: one may come too late */
	int status;		/* as command_run() */
	struct error why;
	char out[COMMAND_HELPER_OUT_MAX + 1];	/* one more: did it fit? */
};

/* The helper must keep no stream or socket of its parent open. */
static int
close_others(int fd)
{
	int null = fd_null(O_RDWR);

	if (null == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return -1;
	if (fd != HELD_FD && dup3(fd, HELD_FD, O_CLOEXEC) == -1)
		return -1;
	closefrom(HELD_FD + 1);
	return 0;
}

static _Noreturn void
serve(int fd, char *const argv[], char *const env[], int mute)
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
		if (recv(HELD_FD, &q, sizeof(q), MSG_WAITALL) != sizeof(q))
			break;
		memset(&a, 0, sizeof(a));
		a.number = q.number;
		a.status = command_run(argv, env, mute, a.out, sizeof(a.out),
		    clock_ms() + q.ms, &a.why);
		if (send(HELD_FD, &a, sizeof(a), MSG_NOSIGNAL) == -1)
			break;
		explicit_bzero(&a, sizeof(a));
	}
	_exit(0);
}

/* Both ends block, so each question and each answer is sent and read whole. */
int
command_helper_start(struct command_helper *k, char *const argv[],
    char *const env[], int mute, void (*forget)(void *), void *arg)
{
	int fd[2];

	k->pid = 0;
	k->asked = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	if ((k->pid = fork()) == 0) {
		forget(arg);
		serve(fd[1], argv, env, mute);
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

/* The answer to this question; 0, or -1 and why. */
static int
take_answer(const struct command_helper *k, uint64_t number, struct answer *a,
    int64_t deadline, struct error *why)
{
	struct pollfd p = { .fd = k->fd, .events = POLLIN };

	do {
		if (signals_wait(&p, 1, deadline + SLACK_MS) == -1)
			return error_set(why, EXIT_AGAIN,
			    "the command took too long");
		if (recv(k->fd, a, sizeof(*a), MSG_WAITALL) != sizeof(*a))
			return failed("is gone", why);
	} while (a->number != number);
	return 0;
}

int
command_helper_ask(struct command_helper *k, char *out, int64_t deadline,
    struct error *why)
{
	static struct answer a;
	struct question q = { ++k->asked, deadline - clock_ms() };
	int status;

	out[0] = '\0';
	if (k->pid == 0 ||
	    send(k->fd, &q, sizeof(q), MSG_NOSIGNAL) != sizeof(q))
		return failed("is gone", why);
	if (take_answer(k, q.number, &a, deadline, why) == -1)
		return -1;
	status = a.status;
	if (status == -1)
		*why = a.why;
	else if (strlcpy(out, a.out, COMMAND_HELPER_OUT_MAX) >=
	    COMMAND_HELPER_OUT_MAX)
		status = error_set(why, EXIT_SYSTEM, "the command's output is "
		    "longer than %d bytes", COMMAND_HELPER_OUT_MAX - 1);
	explicit_bzero(&a, sizeof(a));
	return status;
}

void
command_helper_end(struct command_helper *k)
{
	if (k->pid == 0)
		return;
	close(k->fd);
	while (waitpid(k->pid, NULL, 0) == -1 && errno == EINTR)
		;
	k->pid = 0;
}
