/* SPDX-License-Identifier: ISC */
#if defined(COMPAT_EXECVPE) || defined(COMPAT_FLOPEN)
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>
#endif

#define OPEN_AT_MOST	1048576

#ifdef COMPAT_EXECVPE
extern char **environ;

/* It returns only where it fails, and the caller ends then. */
int
compat_execvpe(const char *program, char *const argv[], char *const env[])
{
	environ = (char **)(uintptr_t)env;
	return execvp(program, argv);
}
#endif

#ifdef COMPAT_PROCESS
/* Which are open is not known, but how many may be. */
void
compat_closefrom(int fd)
{
	long max = sysconf(_SC_OPEN_MAX);

	if (max < 0 || max > OPEN_AT_MOST)
		max = OPEN_AT_MOST;
	for (; fd < max; fd++)
		close(fd);
}

/* The saved ones are not told: they are those of execve(2), or dropped. */
int
compat_getresuid(uid_t *r, uid_t *e, uid_t *s)
{
	*r = getuid();
	*e = *s = geteuid();
	return 0;
}

int
compat_getresgid(gid_t *r, gid_t *e, gid_t *s)
{
	*r = getgid();
	*e = *s = getegid();
	return 0;
}

/* setuid(2) by root sets all three, and so does setgid(2). */
int
compat_setresuid(uid_t r, uid_t e, uid_t s)
{
	return setuid(r);
}

int
compat_setresgid(gid_t r, gid_t e, gid_t s)
{
	return setgid(r);
}
#endif

#ifdef COMPAT_MEMORY
/* The pointer is volatile, so that no compiler leaves the stores out. */
void
compat_explicit_bzero(void *dst, size_t len)
{
	volatile unsigned char *p = dst;

	while (len-- > 0)
		*p++ = 0;
}

void *
compat_memrchr(const void *src, int c, size_t len)
{
	const unsigned char *p = src;

	while (len-- > 0)
		if (p[len] == (unsigned char)c)
			return (void *)(uintptr_t)(p + len);
	return NULL;
}
#endif

#ifdef COMPAT_FLOPEN
/* A file that was replaced before it was locked is not the one of that name. */
static int
is_replaced(int fd, const char *path)
{
	struct stat opened, there;

	return fstat(fd, &opened) == -1 || stat(path, &there) == -1 ||
	    opened.st_dev != there.st_dev || opened.st_ino != there.st_ino;
}

/* O_NONBLOCK is about the lock too. */
int
compat_flopen(const char *path, int flags, unsigned int mode)
{
	int fd, saved;

	while ((fd = open(path, flags, mode)) != -1) {
		if (flock(fd, LOCK_EX |
		    (flags & O_NONBLOCK ? LOCK_NB : 0)) == -1) {
			saved = errno;
			close(fd);
			errno = saved;
			return -1;
		}
		if (!is_replaced(fd, path))
			break;
		close(fd);
	}
	return fd;
}
#endif
