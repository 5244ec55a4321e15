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
#include "net/inherit_fd.h"
#include "net/listen_fds.h"
#include "net/socket.h"
#include "os/fd.h"

#define BACKLOG		4096	/* the system cuts it to its own maximum */

/*
 * Output and errors of a service are one Unix socket of the journal; elsewhere one
 * socket for both may be a connection.
 *
 * A closed standard input is an empty one.  A closed standard output must take
 * nothing, so that take_stdio() finds out.
 */
int
inherit_stderr(void)
{
	int fd, n;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    inherit_put_null(fd, fd == STDOUT_FILENO ?
		    O_RDONLY : O_RDWR) == -1)
			return -1;
	n = listen_fds_count();
	if (!inherit_same_socket(STDERR_FILENO, STDIN_FILENO) &&
	    (n == 0 || !inherit_same_socket(STDERR_FILENO, LISTEN_FDS_FIRST)) &&
	    (net_is_unix(STDERR_FILENO) ||
	    !inherit_same_socket(STDERR_FILENO, STDOUT_FILENO)))
		return 0;
	return inherit_put_null(STDERR_FILENO, O_RDWR) == -1 ? -1 : 1;
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
		    "cannot serve a connection and a listener at once: leave "
		    "one --listen out");
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
		    "a connection that was handed over must be the only one: "
		    "leave the other --listen out");
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
 * same one: left open there it would keep the connection alive, and messages
 * could get into the stream.  Returns its number from now on.
 */
static int
own(struct inherited *a, int fd, struct error *why)
{
	int mine, other;

	for (other = STDIN_FILENO; other <= STDERR_FILENO; other++) {
		if (other == fd || !inherit_same_socket(fd, other))
			continue;
		if (inherit_put_null(other, O_RDWR) == -1)
			return failed(why, other);
		if (other == STDERR_FILENO)
			a->no_stderr = 1;
	}
	if (fd <= STDERR_FILENO)
		mine = inherit_move(fd, O_RDWR);
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
	if ((sort = inherit_sort(fd)) == -1)
		return failed(why, fd);
	if (sort == IS_OTHER)
		return error_set(why, EXIT_SYSTEM, "descriptor %d is no "
		    "socket: expected one that listens or is connected", fd);
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

/* The same, for an extra listener. */
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

	if (inherit_same_socket(STDIN_FILENO, STDOUT_FILENO))
		return take(a, STDIN_FILENO, why);
	if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return error_set(why, EXIT_BADUSAGE, "standard output is "
		    "closed, or not open for writing");
	/* A Unix socket, which inherit_stderr() leaves to the journal. */
	if (inherit_same_socket(STDOUT_FILENO, STDERR_FILENO)) {
		if (inherit_put_null(STDERR_FILENO, O_RDWR) == -1)
			return failed(why, STDERR_FILENO);
		a->no_stderr = 1;
	}
	if ((rfd = inherit_move(STDIN_FILENO, O_RDONLY)) == -1)
		return failed(why, STDIN_FILENO);
	if ((wfd = inherit_move(STDOUT_FILENO, O_WRONLY)) == -1)
		return failed(why, STDOUT_FILENO);
	return set_connection(a, rfd, wfd, why);
}

/*
 * Descriptor 0 as inetd hands it over; or both of two pipes, as under ncat.
 */
static int
take_inetd(struct inherited *a, struct error *why)
{
	if (net_is_socket(STDIN_FILENO) == 1)
		return take(a, STDIN_FILENO, why);
	return take_stdio(a, why);
}

/* All LISTEN words. */
struct words {
	const struct addr *word;
	unsigned int n;
	const struct addr *const *extra;
};

static int
names(const struct addr *word, int i)
{
	return word != NULL && word->kind == ADDR_SYSTEMD &&
	    word->name[0] != '\0' && listen_fds_named(i, word->name);
}

/* Does a word name the i-th socket that systemd has passed? */
static int
is_named(const struct words *w, int i)
{
	unsigned int k;

	for (k = 0; k < w->n; k++)
		if (names(&w->word[k], i))
			return 1;
	for (k = 0; w->extra != NULL && k < INHERIT_EXTRA; k++)
		if (names(w->extra[k], i))
			return 1;
	return 0;
}

/*
 * Takes those of this name, or without a name those that no word names; as
 * extra listeners unless d is NULL.
 */
static int
take_systemd(struct inherited *a, struct inherited_extra *d,
    const char *name, const struct words *w, struct error *why)
{
	int i, fd, n = listen_fds_count(), found = 0;

	for (i = 0; i < n; i++) {
		fd = LISTEN_FDS_FIRST + i;
		if (*name != '\0' ? !listen_fds_named(i, name) :
		    is_named(w, i) || kept(a, fd))
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
		    "socket to this process: start its .socket unit", n > 0 ? "other " : "");
	return error_set(why, EXIT_BADUSAGE, n == 0 ?
	    "systemd has passed no socket to this process: start its .socket "
	    "unit" : "systemd has passed no socket named %s: see "
	    "FileDescriptorName= in its .socket unit", name);
}

static int
open_listeners(struct inherited *a, const struct addr *word, struct error *why)
{
	int i, n, fds[2];

	if ((n = net_listen(word, BACKLOG, fds, why)) == -1)
		return -1;
	for (i = 0; i < n; i++) {
		if (add_listener(a, fds[i], why) == -1)
			return -1;
		a->file[a->nlisteners - 1] = net_file_of(fds[i]);
	}
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

/* Without LISTEN words. */
static int
guess(struct inherited *a, const struct words *w, struct error *why)
{
	if (listen_fds_count() > 0)
		return take_systemd(a, NULL, "", w, why);
	if (net_is_socket(STDIN_FILENO) == 1)
		return take(a, STDIN_FILENO, why);
	return error_set(why, EXIT_BADUSAGE,
	    "nothing to listen on: expected -l LISTEN, or a socket from "
	    "systemd or inetd");
}

static int
begin(struct inherited *a, const struct words *w, struct error *why)
{
	const struct addr *word;
	unsigned int i;
	int r = 0;

	memset(a, 0, sizeof(*a));
	a->rfd = a->wfd = -1;
	for (i = 0; w->extra != NULL && i < INHERIT_EXTRA && r == 0; i++) {
		if ((word = w->extra[i]) == NULL)
			continue;
		if (word->kind == ADDR_FD)
			r = take_for(a, &a->extra[i], word->number, why);
		else if (word->kind == ADDR_SYSTEMD)
			r = take_systemd(a, &a->extra[i], word->name, w, why);
	}
	return r;
}

int
inherit_extra(struct inherited *a, const struct addr *const extra[],
    struct error *why)
{
	struct words w = { .extra = extra };

	if (begin(a, &w, why) == -1)
		return -1;
	listen_fds_forget();
	return 0;
}

int
inherit(struct inherited *a, const struct addr *words, unsigned int n,
    const struct addr *const extra[], struct error *why)
{
	struct words w = { .word = words, .n = n, .extra = extra };
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
