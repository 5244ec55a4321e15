/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/inherit.h"
#include "net/listen_fds.h"
#include "os/fd.h"

#define BACKLOG		4096	/* the system cuts it to its own maximum */

/* What a descriptor is. */
enum sort { IS_LISTENER, IS_CONNECTION, IS_OTHER };

static int
sort_of(int fd)
{
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1)
		return errno == ENOTSOCK ? IS_OTHER : -1;
	if (type != SOCK_STREAM) {
		errno = EPROTOTYPE;
		return -1;
	}
	switch (net_is_listener(fd)) {
	case 1:
		return IS_LISTENER;
	case 0:
		return IS_CONNECTION;
	}
	return -1;
}

/* Are they the same socket? */
static int
same_socket(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 &&
	    S_ISSOCK(sa.st_mode) && S_ISSOCK(sb.st_mode) &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Puts /dev/null on one of the descriptors 0 to 2. */
static int
put_null(int fd)
{
	int null, r;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		return -1;
	if (null == fd)
		return fcntl(fd, F_SETFD, 0);
	r = dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	return r == -1 ? -1 : 0;
}

int
inherit_stderr(void)
{
	int fd, n;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && put_null(fd) == -1)
			return -1;
	n = listen_fds_count();
	if (!same_socket(STDERR_FILENO, STDIN_FILENO) &&
	    (n == 0 || !same_socket(STDERR_FILENO, LISTEN_FDS_FIRST)))
		return 0;
	return put_null(STDERR_FILENO) == -1 ? -1 : 1;
}

/*
 * Opens a pipe or terminal anew, so that O_NONBLOCK is ours alone: the flag
 * belongs to the open file, which a shell or the next program may share.
 * Other files never make anybody wait (and would lose their offset).
 */
static int
reopen(int fd, int flags)
{
	char path[40];
	struct stat st;

	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISFIFO(st.st_mode) && !isatty(fd)) {
		errno = EINVAL;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

/*
 * Moves a descriptor above 2, where it is close-on-exec, and makes it
 * non-blocking as far as that hurts nobody else.  Returns the new number.
 */
static int
move(int fd, int flags)
{
	int new = -1;

	if (net_is_socket(fd) != 1)
		new = reopen(fd, flags);
	if (new != -1 && new <= STDERR_FILENO) {
		close(new);
		new = -1;
	}
	if (new == -1) {
		new = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (new == -1)
			return -1;
		if (!isatty(new) && fd_nonblock(new) == -1) {
			close(new);
			return -1;
		}
	}
	if (fd > STDERR_FILENO)
		close(fd);
	else if (put_null(fd) == -1) {
		close(new);
		return -1;
	}
	return new;
}

static int
kept(const struct inherited *a, int fd)
{
	unsigned int i, k;

	for (i = 0; i < a->nlisteners; i++)
		if (a->listener[i] == fd)
			return 1;
	for (i = 0; i < INHERIT_EXTRA; i++)
		for (k = 0; k < a->extra[i].n; k++)
			if (a->extra[i].fd[k] == fd)
				return 1;
	return fd <= STDERR_FILENO || fd == a->rfd || fd == a->wfd;
}

/* One more listener. */
static int
add_listener(struct inherited *a, int fd, struct error *why)
{
	if (a->rfd != -1)
		return error_set(why, EXIT_BADUSAGE,
		    "cannot serve a connection and a listener at once");
	if (a->nlisteners == INHERIT_MAX)
		return error_set(why, EXIT_BADUSAGE, "more than %d listeners",
		    INHERIT_MAX);
	a->listener[a->nlisteners++] = fd;
	return 0;
}

static int
set_connection(struct inherited *a, int rfd, int wfd, struct error *why)
{
	if (a->rfd != -1 || a->nlisteners > 0)
		return error_set(why, EXIT_BADUSAGE,
		    "a connection that was handed over must be the only one");
	a->rfd = rfd;
	a->wfd = wfd;
	return 0;
}

static int
failed(struct error *why, int fd)
{
	return error_set(why, EXIT_SYSTEM, "descriptor %d: %s", fd,
	    strerror(errno));
}

/*
 * Takes over a socket, and every other of the descriptors 0 to 2 that is the
 * same one: left open there it would keep the connection alive, and invite
 * words into the stream.  Returns its number from now on.
 */
static int
own(struct inherited *a, int fd, struct error *why)
{
	int mine, other;

	for (other = STDIN_FILENO; other <= STDERR_FILENO; other++) {
		if (other == fd || !same_socket(fd, other))
			continue;
		if (put_null(other) == -1)
			return failed(why, other);
		if (other == STDERR_FILENO)
			a->no_stderr = 1;
	}
	if (fd <= STDERR_FILENO)
		mine = move(fd, O_RDWR);
	else
		mine = fd_nonblock(fd) == -1 ? -1 : fd;
	return mine != -1 ? mine : failed(why, fd);
}

/* What kind of socket it is; none that is ours already. */
static int
sort_of_new(const struct inherited *a, int fd, struct error *why)
{
	int sort;

	if (fd > STDERR_FILENO && kept(a, fd))
		return error_set(why, EXIT_BADUSAGE,
		    "descriptor %d is to be listened on twice", fd);
	if ((sort = sort_of(fd)) == -1)
		return failed(why, fd);
	if (sort == IS_OTHER)
		return error_set(why, EXIT_SYSTEM, "descriptor %d is no socket",
		    fd);
	return sort;
}

static int
take(struct inherited *a, int fd, struct error *why)
{
	int sort, mine;

	if ((sort = sort_of_new(a, fd, why)) == -1 ||
	    (mine = own(a, fd, why)) == -1)
		return -1;
	if (sort == IS_LISTENER)
		return add_listener(a, mine, why);
	return set_connection(a, mine, mine, why);
}

/* The same, of a door. */
static int
take_for(struct inherited *a, struct inherited_extra *d, int fd,
    struct error *why)
{
	int sort, mine;

	if ((sort = sort_of_new(a, fd, why)) == -1)
		return -1;
	if (sort != IS_LISTENER)
		return error_set(why, EXIT_BADUSAGE, "descriptor %d is a "
		    "connection, and no listener", fd);
	if (d->n == INHERIT_EXTRA_FDS)
		return error_set(why, EXIT_BADUSAGE, "more than %d listeners "
		    "for one purpose", INHERIT_EXTRA_FDS);
	if ((mine = own(a, fd, why)) == -1)
		return -1;
	d->fd[d->n++] = mine;
	return 0;
}

/* Standard input and output: one socket, or two of anything. */
static int
take_stdio(struct inherited *a, struct error *why)
{
	int rfd, wfd;

	if (same_socket(STDIN_FILENO, STDOUT_FILENO))
		return take(a, STDIN_FILENO, why);
	if ((rfd = move(STDIN_FILENO, O_RDONLY)) == -1)
		return failed(why, STDIN_FILENO);
	if ((wfd = move(STDOUT_FILENO, O_WRONLY)) == -1)
		return failed(why, STDOUT_FILENO);
	return set_connection(a, rfd, wfd, why);
}

/*
 * Descriptor 0 as inetd hands it over.  Whoever says inetd where there are
 * two pipes, as under ncat, means both.
 */
static int
take_inetd(struct inherited *a, struct error *why)
{
	if (net_is_socket(STDIN_FILENO) == 1)
		return take(a, STDIN_FILENO, why);
	return take_stdio(a, why);
}

/* All words there are. */
struct words {
	const struct addr *word;
	unsigned int n;
	const struct addr *const *doors;
};

static int
names(const struct addr *word, int i)
{
	return word != NULL && word->kind == ADDR_SYSTEMD &&
	    word->name[0] != '\0' && listen_fds_named(i, word->name);
}

/* Does some word name the i-th that systemd has passed? */
static int
is_named(const struct words *w, int i)
{
	unsigned int k;

	for (k = 0; k < w->n; k++)
		if (names(&w->word[k], i))
			return 1;
	for (k = 0; w->doors != NULL && k < INHERIT_EXTRA; k++)
		if (names(w->doors[k], i))
			return 1;
	return 0;
}

/* Those of this name, or those that nobody names; for a door unless NULL. */
static int
take_systemd(struct inherited *a, struct inherited_extra *d,
    const char *name, const struct words *w, struct error *why)
{
	int i, fd, n = listen_fds_count(), found = 0;

	for (i = 0; i < n; i++) {
		fd = LISTEN_FDS_FIRST + i;
		if (*name != '\0' ? !listen_fds_named(i, name) : is_named(w, i) ||
		    kept(a, fd))
			continue;
		if ((d != NULL ? take_for(a, d, fd, why) :
		    take(a, fd, why)) == -1)
			return -1;
		found++;
	}
	if (found > 0)
		return 0;
	if (*name == '\0')
		return error_set(why, EXIT_BADUSAGE, "systemd has passed no %s"
		    "socket to this process", n > 0 ? "other " : "");
	return error_set(why, EXIT_BADUSAGE, n == 0 ?
	    "systemd has passed no socket to this process" :
	    "systemd has passed no socket named %s", name);
}

static int
open_listeners(struct inherited *a, const struct addr *word, struct error *why)
{
	int i, n, fds[2];

	if ((n = net_listen(word, BACKLOG, fds, why)) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (add_listener(a, fds[i], why) == -1)
			return -1;
	return 0;
}

static int
take_word(struct inherited *a, const struct addr *word,
    const struct words *w, struct error *why)
{
	switch (word->kind) {
	case ADDR_TCP:
	case ADDR_UNIX:
		return open_listeners(a, word, why);
	case ADDR_FD:
		return take(a, word->number, why);
	case ADDR_SYSTEMD:
		return take_systemd(a, NULL, word->name, w, why);
	case ADDR_INETD:
		return take_inetd(a, why);
	case ADDR_STDIO:
		return take_stdio(a, why);
	}
	return error_set(why, EXIT_BADUSAGE, "nothing to listen on");
}

/* No word was said. */
static int
guess(struct inherited *a, const struct words *w, struct error *why)
{
	if (listen_fds_count() > 0)
		return take_systemd(a, NULL, "", w, why);
	if (net_is_socket(STDIN_FILENO) == 1)
		return take(a, STDIN_FILENO, why);
	return error_set(why, EXIT_BADUSAGE,
	    "nothing to listen on: no -l, no socket from systemd or inetd");
}

static int
begin(struct inherited *a, const struct words *w, struct error *why)
{
	const struct addr *word;
	unsigned int i;
	int r = 0;

	memset(a, 0, sizeof(*a));
	a->rfd = a->wfd = -1;
	for (i = 0; w->doors != NULL && i < INHERIT_EXTRA && r == 0; i++) {
		if ((word = w->doors[i]) == NULL)
			continue;
		if (word->kind == ADDR_FD)
			r = take_for(a, &a->extra[i], word->number, why);
		else if (word->kind == ADDR_SYSTEMD)
			r = take_systemd(a, &a->extra[i], word->name, w, why);
	}
	return r;
}

int
inherit_extra(struct inherited *a, const struct addr *const doors[],
    struct error *why)
{
	struct words w = { .doors = doors };

	if (begin(a, &w, why) == -1)
		return -1;
	listen_fds_forget();
	return 0;
}

int
inherit(struct inherited *a, const struct addr *words, unsigned int n,
    const struct addr *const doors[], struct error *why)
{
	struct words w = { .word = words, .n = n, .doors = doors };
	unsigned int i;

	if (begin(a, &w, why) == -1)
		return -1;
	if (n == 0 && guess(a, &w, why) == -1)
		return -1;
	for (i = 0; i < n; i++)
		if (take_word(a, &words[i], &w, why) == -1)
			return -1;
	listen_fds_forget();
	if (a->rfd != -1)
		inherit_peer(a->rfd, a->peer);
	return 0;
}

void
inherit_close_others(const struct inherited *a)
{
	unsigned int i, k;
	int fd, top;

	top = a->rfd > a->wfd ? a->rfd : a->wfd;
	for (i = 0; i < a->nlisteners; i++)
		if (a->listener[i] > top)
			top = a->listener[i];
	for (i = 0; i < INHERIT_EXTRA; i++)
		for (k = 0; k < a->extra[i].n; k++)
			if (a->extra[i].fd[k] > top)
				top = a->extra[i].fd[k];
	for (fd = STDERR_FILENO + 1; fd < top; fd++)
		if (!kept(a, fd))
			close(fd);
	closefrom(top > STDERR_FILENO ? top + 1 : STDERR_FILENO + 1);
}
