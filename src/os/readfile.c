/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/memory.h"
#include "os/readfile.h"

ssize_t
readfile(const char *path, char *dst, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd, e;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	while (len < size && ((n = read(fd, dst + len, size - len)) > 0 ||
	    (n == -1 && errno == EINTR)))
		len += n > 0 ? n : 0;
	e = errno;
	close(fd);
	if (n == -1 || len == size) {
		errno = n == -1 ? e : EFBIG;
		return -1;
	}
	dst[len] = '\0';
	return len;
}

int
readfile_take(const char *path, struct slice *text)
{
	char *p = memory_take(READFILE_MAX);
	ssize_t n = readfile(path, p, READFILE_MAX);

	if (n == -1) {
		memory_return();
		return -1;
	}
	*text = (struct slice){ p, n };
	return 0;
}
