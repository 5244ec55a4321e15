/* SPDX-License-Identifier: ISC */
/*
 * Our state for the service manager, as sd_notify(3) has it: datagrams to
 * $NOTIFY_SOCKET.  Without that variable the functions do nothing.
 */
#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;			/* -1: there is no NOTIFY_SOCKET */
	socklen_t len;
	struct sockaddr_un to;
};

/*
 * Reads NOTIFY_SOCKET and removes it from the environment, so that no program
 * we start notifies in our name.  A leading '@' means an abstract name.
 * Returns 0, or -1 with errno if it cannot be used; n->fd is then -1.
 */
int notify_open(struct notify *n);

/* Only removes NOTIFY_SOCKET from the environment. */
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
