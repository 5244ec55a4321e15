/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/readfile.h"
#include "os/signals.h"

#define NS		INT64_C(1000000000)
#define STEP		(NS / 50)	/* step of times, with a margin */
#define COARSE_STEP	(2 * NS)	/* on file systems that count seconds */

/* As --config /dev/null, which holds nothing. */
static int
is_null(const struct stat *st)
{
	struct stat null;

	return S_ISCHR(st->st_mode) && stat("/dev/null", &null) == 0 &&
	    st->st_rdev == null.st_rdev;
}

/* A directory is left to read(2), which has an errno for it. */
int
readfile_may(const char *path)
{
	struct stat st;

	if (!signals_are_flags())
		return 0;
	if (stat(path, &st) == -1)
		return -1;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || is_null(&st))
		return 0;
	errno = ESPIPE;
	return -1;
}

const char *
readfile_reason(int error)
{
	return error == ESPIPE ? "not a regular file, which is read at the "
	    "start only: restart to read it" : strerror(error);
}

ssize_t
readfile(const char *path, char *dst, size_t size)
{
	size_t len = 0;
	ssize_t n = 0;
	int fd, e, wait = signals_are_flags() ? O_NONBLOCK : 0;

	if (readfile_may(path) == -1 ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait)) == -1)
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
	return (ssize_t)len;
}

static int64_t
ns(struct timespec t)
{
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

void
file_stamp_of(struct file_stamp *s, const struct stat *st)
{
	memset(s, 0, sizeof(*s));
	s->dev = st->st_dev;
	s->ino = st->st_ino;
	s->size = st->st_size;
	s->modified = ns(st->st_mtim);
	s->changed = ns(st->st_ctim);
}

int
file_stamp_is(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->modified == b->modified && a->changed == b->changed;
}

/* A time in the future is that of another clock, so nothing follows from it. */
int
file_stamp_unstable(const struct file_stamp *s)
{
	int64_t step = s->changed % NS == 0 ? COARSE_STEP : STEP, age;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	age = ns(now) - s->changed;
	return age < -COARSE_STEP || age >= step ? 0 :
	    (int)((step - age) / (NS / 1000)) + 1;
}
