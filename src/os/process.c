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

void
process_wait(pid_t pid)
{
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}

/* Not on 32 bits: futex(2) and the C library disagree there about time. */
#if defined(HAS__FORK) && defined(__LP64__) && \
    __has_include(<linux/close_range.h>)
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
#define LOOK_MS		10	/* for a child to leave its parent's table */
#define LOOKS		20	/* ... so often, then it is killed */
#define LONG_MS		3	/* a wait that tells of a busy machine, */
#define COPY_MS		1000	/* where tables are copied for so long */

/* What a child says of its table: nothing yet, or this, or an errno. */
#define TABLE_SHARED	0
#define TABLE_LEFT	UINT32_MAX

static int64_t short_again;	/* not before; CLOCK_NEVER: it is refused by
				 * the kernel, or by a container */

/*
 * Of a table that it is to close from FD_KEPT on, close_range(2) copies what is
 * below.  The word is gone before anything else runs in the child.
 */
static void
leave_table(uint32_t *word)
{
	int left = syscall(SYS_close_range, FD_KEPT, ~0U,
	    CLOSE_RANGE_UNSHARE) == 0;

	__atomic_store_n(word, left ? TABLE_LEFT : (uint32_t)errno,
	    __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
	munmap(word, sizeof(*word));
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

/*
 * The word, at last.  Looks are counted, since time may have passed while
 * neither could run.  One that ended without a word has left no less.
 */
static uint32_t
wait_for_table(const uint32_t *word, pid_t pid)
{
	const struct timespec look = { 0, LOOK_MS * 1000000L };
	int64_t begun = clock_ms();
	uint32_t now;
	int looks = 0;

	while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) ==
	    TABLE_SHARED && !has_ended(pid)) {
		if (looks++ == LOOKS)
			kill(pid, SIGKILL);
		syscall(SYS_futex, word, FUTEX_WAIT, TABLE_SHARED, &look,
		    NULL, 0);
	}
	if (clock_ms() - begun > LONG_MS)
		short_again = clock_ms() + COPY_MS;
	return now;
}

static pid_t
clone_with_table(void)
{
#ifdef __s390__
	return (pid_t)syscall(SYS_clone, NULL, CLONE_FILES | SIGCHLD, NULL,
	    NULL, NULL);
#else
	return (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL,
	    NULL, NULL);
#endif
}

/* The child has gone, or is about to, as its table could not be left. */
static pid_t
take_back(pid_t pid, int error)
{
	kill(pid, SIGKILL);
	process_wait(pid);
	errno = error;
	return -1;
}

/* -1 with errno; it may be done in another way then. */
static pid_t
fork_short(void)
{
	uint32_t *word, said = TABLE_LEFT;
	pid_t pid;

	word = mmap(NULL, sizeof(*word), PROT_READ | PROT_WRITE, MAP_SHARED |
	    MAP_ANONYMOUS, -1, 0);
	if (word == MAP_FAILED)
		return -1;
	if ((pid = clone_with_table()) == 0) {
		leave_table(word);
		return 0;
	}
	if (pid != -1 && (said = wait_for_table(word, pid)) != TABLE_LEFT &&
	    said != TABLE_SHARED)
		pid = take_back(pid, (int)said);
	if (pid == -1 && (errno == EPERM || errno == EINVAL ||
	    errno == ENOSYS))
		short_again = CLOCK_NEVER;
	munmap(word, sizeof(*word));
	return pid;
}

#endif

static void
close_all(int from, int below)
{
#ifdef HAS__FORK
	if (from >= below || close_range(from, below - 1, 0) == 0)
		return;
#endif
	for (; from < below; from++)
		close(from);
}

/* Closes what is not to be kept, but a and b. */
static void
leave(int a, int b)
{
	int first = a < b ? a : b, last = a < b ? b : a;

	if (first < FD_KEPT)
		first = FD_KEPT - 1;
	if (last < FD_KEPT)
		last = first;
	close_all(FD_KEPT, first);
	close_all(first + 1, last);
	closefrom(last + 1);
}

/* Those to pass on are below FD_KEPT, but when there were few numbers left. */
pid_t
process_fork_with(int a, int b)
{
	pid_t pid;

#ifdef HAS_SHORT_TABLE
	if (fd_kept_most() >= SHORT_FROM && a < FD_KEPT && b < FD_KEPT &&
	    clock_ms() >= short_again && (pid = fork_short()) != -1)
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
	    (unsigned long)sysconf(_SC_CLK_TCK)) - suspended_ms() - START_MS <=
	    at;
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
	p->resident_bytes = (uint64_t)pages * (uint64_t)getpagesize();
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
