/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"
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

#if defined(HAS__FORK) && __has_include(<linux/close_range.h>)
#include <linux/close_range.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include <sched.h>
#ifdef SYS_close_range
#define HAS_SHORT_TABLE
#endif
#endif

#ifdef HAS_SHORT_TABLE

#define SHORT_FROM	256	/* descriptors: copying fewer costs less than
				 * waiting for the child */
#define LEAVE_MS	1000	/* for a child to leave its parent's table */
#define LOOK_MS		10	/* ... and between looks whether it lives */

enum table { TABLE_SHARED, TABLE_LEFT, TABLE_KEPT };

static uint32_t *table;	/* enum table of the child being forked, shared */
static int is_refused;	/* by the kernel, or by a container */

static void
set_table(enum table to)
{
	__atomic_store_n(table, (uint32_t)to, __ATOMIC_RELEASE);
	syscall(SYS_futex, table, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Of a table that it is to close from FD_KEPT on, it copies what is below. */
static void
leave_table(void)
{
	int left = syscall(SYS_close_range, FD_KEPT, ~0U,
	    CLOSE_RANGE_UNSHARE) == 0;

	set_table(left ? TABLE_LEFT : TABLE_KEPT);
	if (!left)
		_exit(0);
}

static int
has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    -1 || info.si_pid == pid;
}

/* What a child that ended too early left does not matter to its parent. */
static enum table
wait_for_table(pid_t pid)
{
	const struct timespec look = { 0, LOOK_MS * 1000000L };
	int64_t until = clock_ms() + LEAVE_MS;
	uint32_t now;

	while ((now = __atomic_load_n(table, __ATOMIC_ACQUIRE)) ==
	    TABLE_SHARED) {
		syscall(SYS_futex, table, FUTEX_WAIT, TABLE_SHARED, &look,
		    NULL, 0);
		if (clock_ms() > until)
			kill(pid, SIGKILL);
		if (clock_ms() > until + LOOK_MS || has_ended(pid))
			return (enum table)__atomic_load_n(table,
			    __ATOMIC_ACQUIRE);
	}
	return (enum table)now;
}

/* -1 with errno ENOSYS if it has to be done in another way. */
static pid_t
fork_short(void)
{
	pid_t pid;

	if (table == NULL && !is_refused && (table = mmap(NULL,
	    sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0)) == MAP_FAILED)
		is_refused = 1;
	errno = ENOSYS;
	if (is_refused)
		return -1;
	*table = TABLE_SHARED;
#ifdef __s390__
	pid = (pid_t)syscall(SYS_clone, NULL, CLONE_FILES | SIGCHLD, NULL,
	    NULL, NULL);
#else
	pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
	    NULL, NULL);
#endif
	if (pid == 0)
		leave_table();
	if (pid == -1 && errno != EAGAIN && errno != ENOMEM)
		is_refused = 1;
	else if (pid > 0 && wait_for_table(pid) == TABLE_KEPT) {
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
		is_refused = 1;
	}
	if (is_refused)
		errno = ENOSYS;
	return is_refused ? -1 : pid;
}

#endif

/* Closes what is not to be kept, but a and b. */
static void
leave(int a, int b)
{
	int fd, last = a > b ? a : b;

	for (fd = FD_KEPT; fd <= last; fd++)
		if (fd != a && fd != b)
			close(fd);
	closefrom(fd);
}

/* Those to pass on are below FD_KEPT, but when there were few numbers left. */
pid_t
process_fork_with(int a, int b)
{
	pid_t pid;

#ifdef HAS_SHORT_TABLE
	if (fd_kept_most() >= SHORT_FROM && a < FD_KEPT && b < FD_KEPT &&
	    ((pid = fork_short()) != -1 || errno != ENOSYS))
		return pid;
#endif
	if ((pid = process_fork()) == 0)
		leave(a, b);
	return pid;
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
