/* SPDX-License-Identifier: ISC */
/*
 * Tells the service manager the state of this process, as sd_notify(3) does: by
 * datagrams to $NOTIFY_SOCKET.  Without that variable the functions do nothing.
 */
#ifndef OS_NOTIFY_H
#define OS_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd;			/* -1: there is no NOTIFY_SOCKET */
	socklen_t len;		/* of to */
	struct sockaddr_un to;	/* NOTIFY_SOCKET */
};

/*
 * Reads NOTIFY_SOCKET, and removes it from the environment, so that no program
 * that we start sends notifications in our name.  0, or -1 with errno if it
 * cannot be used; n->fd is then -1.
 */
int notify_open(struct notify *n);

/* Only removes NOTIFY_SOCKET from the environment. */
void notify_forget(void);

/*
 * Sends "READY=1", "STOPPING=1", "STATUS=..." and the like; lines are
 * separated by newlines.  Never blocks; a message that cannot be sent is lost.
 */
void notify_send(const struct notify *, const char *state);

/* Sends RELOADING=1 with the time, which systemd requires. */
void notify_reloading(const struct notify *);

void notify_close(struct notify *);

#endif
