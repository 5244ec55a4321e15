/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/notify.h"

/* Parses a path or abstract name; vsock addresses are not supported. */
static int
address(struct notify *n, const char *name)
{
	size_t len = strlen(name);

	if ((*name != '/' && *name != '@') || len < 2 ||
	    len >= sizeof(n->to.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memset(&n->to, 0, sizeof(n->to));
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, name, len);
	n->len = offsetof(struct sockaddr_un, sun_path) + len;
	if (*name == '@')
		n->to.sun_path[0] = '\0';
	else
		n->len++;
	return 0;
}

void
notify_forget(void)
{
	unsetenv("NOTIFY_SOCKET");
}

int
notify_open(struct notify *n)
{
	const char *name;
	int r;

	n->fd = -1;
	if ((name = getenv("NOTIFY_SOCKET")) == NULL)
		return 0;
	r = address(n, name);
	notify_forget();
	if (r == -1)
		return -1;
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (n->fd == -1)
		return -1;
	(void)connect(n->fd, (const struct sockaddr *)&n->to, n->len);
	return 0;
}

/*
 * The path of the socket may be out of reach after chroot(2), so the connection
 * is tried first.  If the manager was restarted, its new socket is reached by
 * the path only.
 */
void
notify_send(const struct notify *n, const char *state)
{
	if (n->fd == -1 ||
	    send(n->fd, state, strlen(state), MSG_NOSIGNAL) != -1 ||
	    (errno != ECONNREFUSED && errno != ENOTCONN &&
	    errno != ECONNRESET))
		return;
	(void)sendto(n->fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&n->to, n->len);
}

/*
 * Type=notify-reload takes RELOADING=1 only with the time, in CLOCK_MONOTONIC
 * microseconds (sd_notify(3)).
 */
void
notify_reloading(const struct notify *n)
{
	char state[80];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	    clock_us());
	notify_send(n, state);
}

void
notify_close(struct notify *n)
{
	if (n->fd != -1)
		close(n->fd);
	n->fd = -1;
}
