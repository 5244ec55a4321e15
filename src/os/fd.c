/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "os/fd.h"

static struct rlimit original;	/* before fd_limit_raise(); 0: unchanged */
static int kept_most;		/* see fd_kept_most() */

int
fd_not_stored(int error)
{
	return error == EIO || error == ENOSPC || error == EDQUOT;
}

int
fd_close(int fd)
{
	return close(fd) == -1 && fd_not_stored(errno) ? -1 : 0;
}

int
fd_is_at(int fd, const char *path)
{
	struct stat open, there;

	return fstat(fd, &open) == 0 && stat(path, &there) == 0 &&
	    open.st_dev == there.st_dev && open.st_ino == there.st_ino;
}

int
fd_belongs_to(int fd, uid_t uid)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == geteuid() ||
	    st.st_uid == 0 || st.st_uid == uid);
}

int
fd_nonblock(int fd)
{
	int flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    (flags = fcntl(fd, F_GETFD)) == -1)
		return -1;
	return fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == -1 ? -1 : 0;
}

int
fd_null(int flags)
{
	int fd = open("/dev/null", flags | O_CLOEXEC), p[2];

	if (fd != -1 || errno != ENOENT)
		return fd;
#ifdef HAVE_LINUX
	fd = memfd_create("null", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd != -1) {
		fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE);
		return fd;
	}
#endif
	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	close(p[1]);
	return p[0];
}

void
fd_seal(int fd)
{
#ifdef HAVE_LINUX
	fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_WRITE);
#endif
}

static int
fd_move(int fd, int min)
{
	int moved;

	if (fd >= min)
		return fd;
	if ((moved = fcntl(fd, F_DUPFD_CLOEXEC, min)) != -1)
		close(fd);
	return moved;
}

unsigned int
fd_limit_raise(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 64;
	if (r.rlim_cur < r.rlim_max) {
		if (original.rlim_max == 0)
			original = r;
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) == -1)
			r = original;
	}
	return r.rlim_cur < INT_MAX ? r.rlim_cur : INT_MAX;
}

void
fd_limit_restore(void)
{
	if (original.rlim_max != 0)
		setrlimit(RLIMIT_NOFILE, &original);
}

int
fd_keep(int fd)
{
	int kept = fd_move(fd, FD_KEPT);

	if (kept > kept_most)
		kept_most = kept;
	return kept;
}

int
fd_kept_most(void)
{
	return kept_most;
}

int
fd_reserve(void)
{
	int fd = fd_null(O_RDONLY), kept;

	if (fd == -1)
		return -1;
	if ((kept = fd_keep(fd)) == -1)
		close(fd);
	return kept;
}

int
fd_lock_inherited(int fd, off_t at)
{
#if defined(F_OFD_SETLK) && !defined(COMPAT_ALL)
	struct flock l = { .l_type = F_RDLCK, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &l);
#else
	errno = ENOTSUP;
	return -1;
#endif
}
