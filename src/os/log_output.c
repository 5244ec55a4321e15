/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log_output.h"
#include "os/memory.h"

#define WAIT_MS		250	/* for room, if the last line found some */
#define STEP_MS		10	/* pause between two tries */

#ifndef _PATH_LOG
#define _PATH_LOG	"/dev/log"
#endif

/*
 * Memory that the processes of an instance share.  A compromised child may
 * write anything to it, so nothing is decided by it.
 */
struct state {
	atomic_uint lost;	/* lines, not yet reported */
};

static struct state own;	/* used before log_output_share() */

static struct {
	int fd;
	int is_socket;		/* fd is one */
	int is_file;		/* fd is a regular file, which has room */
	int facility;
	int restricted;		/* see log_output_restrict() */
	int never_waits;
	int full;		/* the last line found no room */
	int stderr_full;	/* ... of log_output_print(), with syslog */
	char ident[32];		/* of syslog, "": standard error */
	struct state *state;
} output = { .fd = STDERR_FILENO, .state = &own };

static const struct sockaddr_un syslogd = {
	.sun_family = AF_UNIX, .sun_path = _PATH_LOG
};

/*
 * Standard error must not block.  Setting O_NONBLOCK would change it for other
 * processes too that have the same open file.  So a pipe or a terminal is opened
 * again, with the flag; send(2) to a socket has a flag of its own; and before
 * writing to anything else poll(2) is asked.  A terminal that has room for a
 * part of a line gets that part.
 */
static void
open_stderr(void)
{
	struct stat st;
	int fd = -1;

	output.fd = STDERR_FILENO;
	output.is_socket = output.is_file = 0;
	if (fstat(STDERR_FILENO, &st) == -1)
		return;
	output.is_socket = S_ISSOCK(st.st_mode);
	output.is_file = S_ISREG(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDERR_FILENO))
		fd = open("/proc/self/fd/2",
		    O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd != -1)
		output.fd = fd;
}

/* If syslogd does not run now, it may later: connecting may fail. */
static void
open_syslog(void)
{
	output.is_socket = 1;
	output.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (output.fd != -1)
		(void)connect(output.fd, (const struct sockaddr *)&syslogd,
		    sizeof(syslogd));
}

void
log_output_share(void)
{
	void *p = output.state == &own ? memory_shared(sizeof(own)) : NULL;

	if (p != NULL)
		output.state = p;
	output.never_waits = 1;
}

void
log_output_wait(void)
{
	output.never_waits = 0;
}

void
log_output_open(const char *ident, int facility)
{
	int was_syslog = output.ident[0] != '\0';

	strlcpy(output.ident, ident != NULL ? ident : "",
	    sizeof(output.ident));
	output.facility = facility;
	if (ident != NULL)
		tzset();	/* or every child reads the zone's file */
	if (output.fd > STDERR_FILENO) {
		if (was_syslog == (ident != NULL))
			return;
		close(output.fd);
	}
	if (ident != NULL)
		open_syslog();
	else
		open_stderr();
}

void
log_output_move(int fd)
{
	if (output.fd <= STDERR_FILENO)
		close(fd);
	else if (output.fd == fd || dup3(output.fd, fd, O_CLOEXEC) != -1)
		output.fd = fd;
}

void
log_output_restrict(void)
{
	output.restricted = 1;
}

/* RFC 3164, without the host name, as on the local socket (syslog(3)). */
static size_t
print_head(char *dst, size_t size, int level)
{
	time_t now = time(NULL);
	char date[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		strftime(date, sizeof(date), "%b %e %T", &tm);
	return snprintf(dst, size, "<%d>%s %s[%d]: ", output.facility | level,
	    date, output.ident, (int)getpid());
}

/*
 * Sends to a syslogd that was restarted, which has another socket.  In the
 * sandbox connect(2) is forbidden, and sendmsg(2) to the path is left, which
 * works if the path is in reach.
 */
static int
send_anew(struct msghdr *m)
{
	if (!output.restricted && connect(output.fd,
	    (const struct sockaddr *)&syslogd, sizeof(syslogd)) == 0)
		return sendmsg(output.fd, m, MSG_DONTWAIT | MSG_NOSIGNAL) ==
		    -1 ? -1 : 0;
	m->msg_name = (void *)(uintptr_t)&syslogd;
	m->msg_namelen = sizeof(syslogd);
	return sendmsg(output.fd, m, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -1 :
	    0;
}

static int
send_syslog(int level, const char *line, size_t len)
{
	char head[80];
	struct iovec iov[2] = {
		{ head, print_head(head, sizeof(head), level) },
		{ (void *)(uintptr_t)line, len - 1 }
	};
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (sendmsg(output.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) != -1)
		return 0;
	if (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET)
		return -1;
	return send_anew(&m) == -1 ? -1 : 0;
}

/* Writes a line.  0, or -1 with errno; EAGAIN: there is no room. */
static int
try(int level, const char *line, size_t len)
{
	struct pollfd p = { .fd = output.fd, .events = POLLOUT };
	ssize_t n;

	if (output.ident[0] != '\0')
		return send_syslog(level, line, len);
	if (output.is_socket)
		n = send(output.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (!output.is_file && poll(&p, 1, 0) == 0) {
		errno = EAGAIN;
		n = -1;
	} else
		n = write(output.fd, line, len);
	return n == -1 ? -1 : 0;
}

static int
is_full(int r)
{
	return r == -1 && (errno == EAGAIN || errno == ENOBUFS);
}

/* For how many milliseconds a line may wait. */
static int
patience(void)
{
	return output.never_waits || output.full ? 0 : WAIT_MS;
}

/*
 * The log is full for all processes at once.  So a child inherits output.full
 * of its parent, and does not wait again once it is set.  poll(2) does not tell
 * when a socket that is not connected has room:  every second call of it has no
 * descriptor and is only a pause.
 */
int
log_output_write(int level, const char *line, size_t len)
{
	struct pollfd p = { .fd = output.fd, .events = POLLOUT };
	int64_t until = 0;
	int r, n = 0;

	while ((r = try(level, line, len)) == -1) {
		if (errno == EINTR)
			continue;
		if (until == 0)
			until = clock_ms() + patience();
		if (!is_full(r) || clock_ms() >= until)
			break;
		poll(&p, ++n % 2, STEP_MS);
	}
	if (output.full != is_full(r))	/* a write copies a page of a child */
		output.full = !output.full;
	if (r == -1)
		log_output_lose(1);
	return r;
}

int
log_output_print(const char *line, size_t len)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	int has_room;

	if (output.ident[0] == '\0')
		return log_output_write(LOG_INFO, line, len);
	has_room = poll(&p, 1, output.never_waits || output.stderr_full ? 0 :
	    WAIT_MS) == 1;
	if (output.stderr_full != !has_room)
		output.stderr_full = !has_room;
	if (has_room && write(STDERR_FILENO, line, len) != -1)
		return 0;
	log_output_lose(1);
	return -1;
}

unsigned int
log_output_lost(void)
{
	return output.state->lost == 0 ? 0 :
	    atomic_exchange(&output.state->lost, 0);
}

void
log_output_lose(unsigned int n)
{
	output.state->lost += n;
}
