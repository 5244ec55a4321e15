/* SPDX-License-Identifier: ISC */
#include <sys/resource.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/process.h"

#define START_MS 20	/* what a starting time may be wrong by */

#if defined(HAVE_LINUX) && defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define HAS__FORK
#endif
#endif

pid_t
process_fork(void)
{
#ifdef HAS__FORK
	return _Fork();
#else
	return fork();
#endif
}

#ifdef HAVE_LINUX

/* Fields 3 and on follow the name, which may hold anything (proc(5)). */
static int
read_stat(int pid, char *buf, size_t size, const char **fields)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = '\0';
	if ((*fields = strrchr(buf, ')')) == NULL)
		return -1;
	++*fields;
	return 0;
}

/* The clock of starting times goes on while the machine is suspended. */
static int64_t
suspended_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		return 0;
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000 - clock_ms();
}

int
process_lives(int pid, int64_t at)
{
	unsigned long long start;
	char buf[1024], state;
	const char *fields;

	if (pid <= 0 || (kill(pid, 0) == -1 && errno == ESRCH))
		return 0;
	if (read_stat(pid, buf, sizeof(buf), &fields) == -1 ||
	    sscanf(fields, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, &start) != 2)
		return 1;
	return state != 'Z' && state != 'X' && (int64_t)(start * 1000 /
	    (unsigned long)sysconf(_SC_CLK_TCK)) - suspended_ms() <=
	    at + START_MS;
}

uint64_t
process_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static uint64_t
count_descriptors(int pid)
{
	char path[64];
	const struct dirent *e;
	uint64_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	if ((d = opendir(path)) == NULL)
		return 0;
	while (errno = 0, (e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	if (errno != 0)
		n = 0;
	closedir(d);
	return n;
}

int
process_look(int pid, struct process_usage *p)
{
	unsigned long long t[4], size;
	char buf[1024];
	const char *fields;
	struct rlimit limit;
	long pages;

	memset(p, 0, sizeof(*p));
	if (read_stat(pid, buf, sizeof(buf), &fields) == -1 ||
	    sscanf(fields, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%llu %llu %llu %llu %*d %*d %*d %*d %*u %llu %ld", &t[0], &t[1],
	    &t[2], &t[3], &size, &pages) != 6)
		return -1;
	p->cpu = (double)(t[0] + t[1] + t[2] + t[3]) /
	    (double)sysconf(_SC_CLK_TCK);
	p->virtual_bytes = size;
	p->resident_bytes = (uint64_t)pages * sysconf(_SC_PAGESIZE);
	p->fds = count_descriptors(pid);
	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) == 0)
		p->max_fds = limit.rlim_cur;
	return 0;
}

#else

int
process_lives(int pid, int64_t at)
{
	return pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

uint64_t
process_namespace(void)
{
	return 0;
}

int
process_look(int pid, struct process_usage *p)
{
	memset(p, 0, sizeof(*p));
	return -1;
}

#endif
