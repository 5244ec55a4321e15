/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/private_socket.h"
#include "net/socket.h"

#ifdef HAVE_LINUX

static socklen_t
make_address(struct sockaddr_un *sun, const char *name)
{
	int n;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	n = snprintf(sun->sun_path + 1, sizeof(sun->sun_path) - 1, "inetws-%s",
	    name) + 1;
	return offsetof(struct sockaddr_un, sun_path) + n;
}

static int
prepare_folder(const struct sockaddr_un *sun)
{
	return 0;
}

static void
remove_name(const char *name)
{
}

static int
same_user(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 &&
	    who.uid == geteuid();
}

#else

static socklen_t
make_address(struct sockaddr_un *sun, const char *name)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path, sizeof(sun->sun_path), "/tmp/inetws-%u/%s",
	    (unsigned int)geteuid(), name);
	return sizeof(*sun);
}

/* In /tmp anybody could have made it. */
static int
prepare_folder(const struct sockaddr_un *sun)
{
	char folder[sizeof(sun->sun_path)];
	struct stat st;

	strlcpy(folder, sun->sun_path, sizeof(folder));
	*strrchr(folder, '/') = '\0';
	if (mkdir(folder, 0700) == -1 && errno != EEXIST)
		return -1;
	if (lstat(folder, &st) == -1)
		return -1;
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) != 0) {
		errno = EACCES;
		return -1;
	}
	return 0;
}

static void
remove_name(const char *name)
{
	struct sockaddr_un sun;

	make_address(&sun, name);
	unlink(sun.sun_path);
}

static int
same_user(int fd)
{
	uid_t uid;
	gid_t gid;

	return getpeereid(fd, &uid, &gid) == 0 && uid == geteuid();
}

#endif

static int
failed(int fd, int error)
{
	close(fd);
	errno = error;
	return -1;
}

int
private_socket_listen(const char *name)
{
	struct sockaddr_un sun;
	socklen_t len = make_address(&sun, name);
	int fd;

	if (prepare_folder(&sun) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sun, len) == -1 ||
	    listen(fd, 4) == -1)
		return failed(fd, errno);
	return fd;
}

int
private_socket_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	return fd == -1 || same_user(fd) ? fd : failed(fd, EACCES);
}

void
private_socket_close(int listener, const char *name)
{
	remove_name(name);
	close(listener);
}

int
private_socket_connect(const char *name, int64_t deadline)
{
	struct sockaddr_un sun;
	socklen_t len = make_address(&sun, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (net_connect_unix(fd, &sun, len, deadline) == -1)
		return failed(fd, errno);
	if (!same_user(fd))
		return failed(fd, EACCES);
	return fd;
}
