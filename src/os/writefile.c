/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/writefile.h"

static int
write_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		bytes += n;
		len -= n;
	}
	return 0;
}

/*
 * Writes and closes.  fchmod(2): other users may read it, whatever the umask.
 */
static int
fill(int fd, const void *bytes, size_t len)
{
	int r, e;

	r = fchmod(fd, 0644) == -1 || write_all(fd, bytes, len) == -1 ? -1 : 0;
	e = errno;
	if (close(fd) == -1 && r == 0)
		return -1;
	errno = e;
	return r;
}

/* Replacing /dev/null or /dev/stdout would be a loss. */
static int
may_replace(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == -1)
		return errno == ENOENT;
	if (S_ISREG(st.st_mode))
		return 1;
	errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	return 0;
}

int
writefile(const char *path, const void *bytes, size_t len)
{
	const char *name = strrchr(path, '/');
	char tmp[PATH_MAX];
	int fd, n, e;

	if (!may_replace(path))
		return -1;
	name = name == NULL ? path : name + 1;
	n = snprintf(tmp, sizeof(tmp), "%.*s.%s.%d", (int)(name - path), path,
	    name, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(tmp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	unlink(tmp);	/* of a killed process that had our number */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fill(fd, bytes, len) == 0 && rename(tmp, path) == 0)
		return 0;
	e = errno;
	unlink(tmp);
	errno = e;
	return -1;
}

int
writefile_stdout(void)
{
	if (fflush(stdout) == EOF || ferror(stdout))
		return -1;
	return fd_close(STDOUT_FILENO);
}
