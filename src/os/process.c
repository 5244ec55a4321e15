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

#ifdef HAVE_LINUX
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif
#ifdef __GLIBC__
#include <sys/auxv.h>

#include <nss.h>
#endif

#define START_MS 20	/* by so much a starting time may be wrong */

/* Between looks at a child that was killed, twice as long each time. */
#define KILL_FIRST_NS	50000L		/* ... 0.2 seconds in all */
#define KILL_LAST_NS	102400000L

#if defined(HAVE_LINUX) && defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define HAS__FORK
#endif
#endif

void
process_static(void)
{
#ifdef __GLIBC__
	if (getauxval(AT_BASE) != 0)
		return;			/* a dynamic loader started it */
	__nss_configure_lookup("passwd", "files");
	__nss_configure_lookup("group", "files");
	__nss_configure_lookup("initgroups", "files");
	__nss_configure_lookup("services", "files");
	__nss_configure_lookup("hosts", "files dns");
#endif
}

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

/* Most are gone at the first or second look. */
int
process_kill(pid_t pid)
{
	struct timespec look = { 0, KILL_FIRST_NS };

	kill(pid, SIGKILL);
	for (; look.tv_nsec <= KILL_LAST_NS; look.tv_nsec *= 2) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return 0;
		nanosleep(&look, NULL);
	}
	return waitpid(pid, NULL, WNOHANG) != 0 ? 0 : -1;
}

int
process_has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) ==
	    -1 || info.si_pid == pid;
}

/* Not on 32 bits: futex(2) and the C library disagree there about time. */
#if defined(HAS__FORK) && defined(__LP64__) && \
    __has_include(<linux/close_range.h>)
#include <linux/close_range.h>
#include <linux/futex.h>

#include <sched.h>
#ifdef SYS_close_range
#define HAS_SHORT_TABLE
#endif
#endif

#ifdef HAS_SHORT_TABLE

/*
 * Forking without a copy of the descriptor table.  fork(2) copies all of it,
 * and the child closes most of them again.  Here parent and child share the
 * table at first (CLONE_FILES).  The child calls close_range(2) with
 * CLOSE_RANGE_UNSHARE: this gives it a table of its own with the descriptors
 * below FD_KEPT only.  Until then the parent waits, since it must not change
 * the shared table.  The child reports in a word of shared memory.
 */
#define SHORT_FROM	256	/* least descriptors for this: to copy fewer
				 * costs less than to wait for the child */
#define LOOK_MS		10	/* between two looks at the word */
#define LOOKS		20	/* after so many the child is killed */
#define LONG_MS		3	/* a longer wait means a busy machine: then */
#define COPY_MS		1000	/* ... for so long tables are copied */

/* The word: not reported yet; the child has its own table; or its errno. */
#define TABLE_SHARED	0
#define TABLE_LEFT	UINT32_MAX

static int64_t short_again;	/* not before this clock_ms(); CLOCK_NEVER:
				 * the kernel or a container refuses it */

/* In the child: gets a table of its own, and reports. */
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

/*
 * Waits for the child's word.  It counts looks and does not read the clock,
 * since time may have passed in which neither process could run.  TABLE_SHARED:
 * the child ended without a word, or was killed and does not end; the table is
 * shared no more.
 */
static uint32_t
wait_for_table(const uint32_t *word, pid_t pid)
{
	const struct timespec look = { 0, LOOK_MS * 1000000L };
	int64_t begun = clock_ms();
	uint32_t now;
	int looks = 0;

	while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) ==
	    TABLE_SHARED && !process_has_ended(pid)) {
		if (looks++ == LOOKS)
			kill(pid, SIGKILL);
		if (looks > 2 * LOOKS && unshare(CLONE_FILES) == 0)
			break;
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

/* The child could not leave the table, and ends: -1 with errno. */
static pid_t
take_back(pid_t pid, int error)
{
	if (process_kill(pid) == -1)
		unshare(CLONE_FILES);
	errno = error;
	return -1;
}

/* The process of the child; or -1 with errno: then fork(2) is tried. */
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
#ifdef SYS_close_range	/* not every C library has its function */
	if (from >= below ||
	    syscall(SYS_close_range, from, below - 1, 0) == 0)
		return;
#endif
	for (; from < below; from++)
		close(from);
}

/* Closes the descriptors from FD_KEPT on, except a and b. */
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

/* a and b are below FD_KEPT, unless few numbers were free. */
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

/*
 * Reads /proc/PID/stat.  *fields: field 3 and the rest, which follow the name,
 * which may have any characters (proc(5)).
 */
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

/* Starting times are of a clock that counts the time of suspension too. */
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
	    (unsigned long)sysconf(_SC_CLK_TCK)) - clock_asleep() - START_MS <=
	    at;
}

int
process_follow(pid_t parent, int signo)
{
	if (prctl(PR_SET_PDEATHSIG, signo) == -1)
		return -1;
	if (getppid() != parent)
		kill(getpid(), signo);
	return 0;
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

int
process_follow(pid_t parent, int signo)
{
	errno = ENOSYS;
	return -1;
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
