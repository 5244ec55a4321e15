/* SPDX-License-Identifier: ISC */
/* If it fails: systemd kills an instance that is well. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/notify.h"
#include "tap.h"

/* A service manager's socket; a name with '@' is abstract. */
static int
manager(const char *name)
{
	struct sockaddr_un sun;
	socklen_t len;
	int fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	strlcpy(sun.sun_path, name, sizeof(sun.sun_path));
	len = offsetof(struct sockaddr_un, sun_path) + strlen(name);
	if (*name == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, len) == -1)
		return -1;
	return fd;
}

static const char *
told(int fd)
{
	static char buf[512];
	ssize_t n;

	if ((n = recv(fd, buf, sizeof(buf) - 1, 0)) == -1)
		return strerror(errno);
	buf[n] = '\0';
	return buf;
}

static void
speaks_to(const char *name)
{
	struct notify n;
	int fd = manager(name);
	long long usec;

	ok(fd != -1, "manager at %s", name);
	setenv("NOTIFY_SOCKET", name, 1);
	is(notify_open(&n), 0, "opened");
	ok(getenv("NOTIFY_SOCKET") == NULL, "children will not speak for us");
	notify_send(&n, "READY=1");
	is_str(told(fd), "READY=1", "one datagram");
	notify_send(&n, "STATUS=12 active, 340 total");
	is_str(told(fd), "STATUS=12 active, 340 total", "and another");
	notify_reloading(&n);
	ok(sscanf(told(fd), "RELOADING=1\nMONOTONIC_USEC=%lld", &usec) == 1 &&
	    usec > 0, "reloading has the time");
	close(fd);
	notify_send(&n, "STOPPING=1");
	ok(1, "a manager that has gone is no harm");
	notify_close(&n);
	is(n.fd, -1, "closed");
}

static void
useless(const char *name)
{
	struct notify n;

	setenv("NOTIFY_SOCKET", name, 1);
	errno = 0;
	ok(notify_open(&n) == -1 && errno == EINVAL && n.fd == -1,
	    "'%.20s' is of no use", name);
	ok(getenv("NOTIFY_SOCKET") == NULL, "and is removed");
	notify_send(&n, "READY=1");
}

int
main(void)
{
	char dir[] = "/tmp/inetws-notify-XXXXXX", path[64], name[64];
	char longname[200];
	struct notify n;

	unsetenv("NOTIFY_SOCKET");
	is(notify_open(&n), 0, "no NOTIFY_SOCKET");
	is(n.fd, -1, "no descriptor then");
	notify_send(&n, "READY=1");
	notify_close(&n);

	snprintf(name, sizeof(name), "@inetws-notify-%d", (int)getpid());
	speaks_to(name);
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/socket", dir);
	speaks_to(path);
	unlink(path);
	rmdir(dir);

	useless("");
	useless("/");
	useless("vsock:2:1234");
	memset(longname, 'a', sizeof(longname));
	longname[0] = '/';
	longname[sizeof(longname) - 1] = '\0';
	useless(longname);
	return done_testing();
}
