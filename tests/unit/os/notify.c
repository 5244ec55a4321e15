/* SPDX-License-Identifier: ISC */
/* If it fails: systemd kills an instance that is well. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
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

/* systemd that is reexecuted has another socket at the same path. */
static void
restarted(const char *path)
{
	struct notify n;
	int fd = manager(path);

	setenv("NOTIFY_SOCKET", path, 1);
	notify_open(&n);
	ok(fcntl(n.fd, F_GETFD) & FD_CLOEXEC, "no program gets it");
	close(fd);
	unlink(path);
	fd = manager(path);
	notify_send(&n, "READY=1");
	is_str(told(fd), "READY=1", "a manager that was restarted");
	notify_send(&n, "STOPPING=1");
	is_str(told(fd), "STOPPING=1", "is told once each time");
	is_str(told(fd), strerror(EAGAIN), "and no more");
	close(fd);
	unlink(path);
	notify_close(&n);
}

/* One that comes later, as with chroot(2) in between. */
static void
late(const char *path)
{
	struct notify n;
	int fd;

	setenv("NOTIFY_SOCKET", path, 1);
	is(notify_open(&n), 0, "a manager that is not there yet");
	fd = manager(path);
	notify_send(&n, "READY=1");
	is_str(told(fd), "READY=1", "is told");
	close(fd);
	unlink(path);
	notify_close(&n);
}

/* Names as long as a socket can have. */
static void
longest(char first)
{
	struct sockaddr_un sun;
	char name[sizeof(sun.sun_path) + 1];
	struct notify n;

	memset(name, 'a', sizeof(name));
	name[0] = first;
	name[sizeof(sun.sun_path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	is(notify_open(&n), 0, "the longest name");
	is(n.len, sizeof(n.to) - (first == '@'), "all of it");
	is(memcmp(n.to.sun_path + 1, name + 1, sizeof(sun.sun_path) - 1), 0,
	    "as it is");
	notify_close(&n);
	name[sizeof(sun.sun_path) - 1] = 'a';
	name[sizeof(sun.sun_path)] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	is(notify_open(&n), -1, "no longer one");
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
	restarted(path);
	late(path);
	rmdir(dir);
	longest('/');
	longest('@');

	useless("");
	useless("/");
	useless("@");
	useless("vsock:2:1234");
	memset(longname, 'a', sizeof(longname));
	longname[0] = '/';
	longname[sizeof(longname) - 1] = '\0';
	useless(longname);
	return done_testing();
}
