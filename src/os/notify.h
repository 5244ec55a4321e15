/* SPDX-License-Identifier: ISC */
/*
 * Telling the service manager how we are, as sd_notify(3) does: one datagram
 * to $NOTIFY_SOCKET.  Without it everything here does nothing.
 */
#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;			/* -1: nobody wants to know */
	socklen_t len;
	struct sockaddr_un to;
};

/*
 * Reads NOTIFY_SOCKET and removes it from the environment, so that no child
 * speaks for us.  A leading '@' means an abstract name.  Returns 0, or -1
 * with errno if it is set but of no use; n->fd is then -1.
 */
int notify_open(struct notify *n);

/* Removes it alone, where nobody tells anything. */
void notify_forget(void);

/*
 * Sends "READY=1", "STOPPING=1", "STATUS=..." and the like; lines are
 * separated by newlines.  Never blocks; a message that cannot be sent is lost.
 */
void notify_send(const struct notify *, const char *state);

/* RELOADING=1 with the time that systemd wants to see with it. */
void notify_reloading(const struct notify *);

void notify_close(struct notify *);

#endif
