/* SPDX-License-Identifier: ISC */
/*
 * A program for the kernel's packet filter that is given each system call's
 * number and arguments (seccomp(2)).  It is a constant and short, because the
 * kernel runs it for every number there is when a child hands it over, in
 * order to note which calls need no further questions: a list of comparisons
 * costs three times as much.  So the allowed ones are bits of words, made by
 * the compiler.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "os/log.h"
#include "os/sandbox_linux_calls.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define ARCH	AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#ifdef SANDBOX_DEBUG
#define REFUSED	SECCOMP_RET_TRAP
#define KILLED	SECCOMP_RET_TRAP
#else
#define REFUSED	(SECCOMP_RET_ERRNO | EPERM)
#define KILLED	SECCOMP_RET_KILL_PROCESS
#endif

#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(what)	BPF_STMT(BPF_RET | BPF_K, what)
#define IS(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ABOVE(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, yes, no)
#define HAS(bits, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

/* What one architecture has and the other never had. */
#ifdef __NR_poll
#define OLD(X, k)	X(poll, k) X(time, k)
#define OLD_FILES(X, k)	X(stat, k) X(lstat, k) X(access, k) X(readlink, k) \
	X(open, k)
#else
#define OLD(X, k)
#define OLD_FILES(X, k)
#endif

/* The calls of each role; X says what to make of them. */
#define RELAY(X, k)							\
	X(ppoll, k) X(read, k) X(write, k) X(readv, k) X(writev, k)	\
	X(splice, k) X(sendmsg, k) X(sendto, k) X(recvmsg, k)		\
	X(recvfrom, k) X(close, k) X(shutdown, k) X(setsockopt, k)	\
	X(getsockopt, k) X(getpeername, k) X(getsockname, k)		\
	X(accept4, k) X(pipe2, k) X(fcntl, k) X(fstat, k)		\
	X(rt_sigpending, k) X(rt_sigprocmask, k) X(rt_sigaction, k)	\
	X(rt_sigreturn, k) X(restart_syscall, k) X(madvise, k)		\
	X(brk, k) X(mmap, k) X(munmap, k) X(mremap, k) X(mprotect, k)	\
	X(futex, k) X(getrandom, k) X(getpid, k) X(gettid, k)		\
	X(geteuid, k) X(getuid, k) X(getegid, k) X(getgid, k)		\
	X(clock_gettime, k) X(clock_nanosleep, k) X(nanosleep, k)	\
	X(gettimeofday, k) X(wait4, k) X(waitid, k) X(exit, k)		\
	X(exit_group, k) OLD(X, k) DEADLY(X, k)

#define PROGRAM(X, k)	RELAY(X, k) X(kill, k)

/* The resolver's netlink socket wants a bind(2). */
#define REDIAL(X, k)							\
	RELAY(X, k) X(socket, k) X(connect, k) X(bind, k)		\
	X(sendmmsg, k) X(ioctl, k) X(openat, k) X(newfstatat, k)	\
	X(statx, k) X(lseek, k) X(pread64, k) X(getdents64, k)		\
	X(readlinkat, k) X(faccessat, k) X(faccessat2, k)		\
	X(getcwd, k) X(uname, k) OLD_FILES(X, k)

/* In the words, so that they are looked at. */
#define DEADLY(X, k)							\
	X(execve, k) X(execveat, k) X(ptrace, k)			\
	X(process_vm_readv, k) X(process_vm_writev, k)

/* Word k of the bits. */
#define BIT(call, k) \
	| (__NR_##call / 32 == (k) ? 1u << __NR_##call % 32 : 0)
#define WORD(role, k) \
	IS(k, 0, 2), BPF_STMT(BPF_LD | BPF_IMM, 0 role(BIT, k)),	\
	BPF_STMT(BPF_JMP | BPF_JA, 3 * (WORDS - 1 - (k)) + 1)
#define WORDS	15

/* Goes on with a call that has its bit set. */
#define BEGIN(role)							\
	LOAD(arch), IS(ARCH, 1, 0), RETURN(KILLED),			\
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 31),		\
	BPF_STMT(BPF_MISC | BPF_TAX, 0),				\
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 5),		\
	WORD(role, 0), WORD(role, 1), WORD(role, 2), WORD(role, 3),	\
	WORD(role, 4), WORD(role, 5), WORD(role, 6), WORD(role, 7),	\
	WORD(role, 8), WORD(role, 9), WORD(role, 10), WORD(role, 11),	\
	WORD(role, 12), WORD(role, 13), WORD(role, 14),			\
	RETURN(REFUSED),						\
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0), HAS(1, 1, 0),		\
	RETURN(REFUSED), LOAD(nr)

/* Which depend on an argument, and what is deadly. */
#define KILL(call, k)	IS(__NR_##call, 0, 1), RETURN(KILLED),

/* Not if argument i has one of these bits. */
#define WITHOUT(call, i, bits)						\
	IS(__NR_##call, 0, 4), LOAD(args[i]), HAS(bits, 0, 1),		\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

/* F_DUPFD to F_SETLKW, which come first, and pipes' sizes: no signals. */
#define FCNTL								\
	IS(__NR_fcntl, 0, 6), LOAD(args[1]), ABOVE(F_SETLKW, 0, 3),	\
	IS(F_SETPIPE_SZ, 2, 0), IS(F_GETPIPE_SZ, 1, 0),			\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

/* A library's code may come from its file. */
#define MMAP								\
	IS(__NR_mmap, 0, 6), LOAD(args[2]), HAS(PROT_EXEC, 0, 3),	\
	LOAD(args[3]), HAS(MAP_ANONYMOUS, 0, 1),			\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

/* Nothing that types into the user's terminal. */
#define IOCTL								\
	IS(__NR_ioctl, 0, 4), LOAD(args[1]), IS(FIONREAD, 1, 0),	\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

#define SOCKET								\
	IS(__NR_socket, 0, 7), LOAD(args[0]), IS(AF_INET, 4, 0),	\
	IS(AF_INET6, 3, 0), IS(AF_UNIX, 2, 0), IS(AF_NETLINK, 1, 0),	\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

/* No worse than our end would be. */
#define HANGUP								\
	IS(__NR_kill, 0, 4), LOAD(args[1]), IS(SIGHUP, 1, 0),		\
	RETURN(REFUSED), RETURN(SECCOMP_RET_ALLOW)

/* To read, where there is no Landlock to see to it. */
#define WRITING	(O_ACCMODE | O_CREAT | O_TRUNC)
#ifdef __NR_open
#define OPEN	WITHOUT(open, 1, WRITING), WITHOUT(openat, 2, WRITING)
#else
#define OPEN	WITHOUT(openat, 2, WRITING)
#endif

#define END	DEADLY(KILL, 0) RETURN(SECCOMP_RET_ALLOW)

static const struct sock_filter relay[] = {
	BEGIN(RELAY), FCNTL, WITHOUT(mmap, 2, PROT_EXEC),
	WITHOUT(mprotect, 2, PROT_EXEC), END
};

static const struct sock_filter program[] = {
	BEGIN(PROGRAM), FCNTL, WITHOUT(mmap, 2, PROT_EXEC),
	WITHOUT(mprotect, 2, PROT_EXEC), HANGUP, END
};

static const struct sock_filter redial[] = {
	BEGIN(REDIAL), FCNTL, MMAP, WITHOUT(mprotect, 2, PROT_EXEC),
	OPEN, IOCTL, SOCKET, END
};

#define REDIAL_PROGRAM(X, k)	REDIAL(X, k) X(kill, k)

static const struct sock_filter redial_program[] = {
	BEGIN(REDIAL_PROGRAM), FCNTL, MMAP, WITHOUT(mprotect, 2, PROT_EXEC),
	OPEN, IOCTL, SOCKET, HANGUP, END
};

#define FILTER(p)	{ .len = sizeof(p) / sizeof((p)[0]),		\
	.filter = (struct sock_filter *)(uintptr_t)(p) }

static const struct sock_fprog programs[] = {
	[SANDBOX_RELAY] = FILTER(relay),
	[SANDBOX_PROGRAM] = FILTER(program),
	[SANDBOX_REDIAL] = FILTER(redial),
	[SANDBOX_REDIAL_PROGRAM] = FILTER(redial_program)
};

/*
 * Without SECCOMP_FILTER_FLAG_SPEC_ALLOW older kernels slow a filtered process
 * down, as one that runs a stranger's code (kernel 4.17 and on know it).
 */
int
sandbox_calls_enter(enum sandbox_role role)
{
	const struct sock_fprog *p = &programs[role];

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_SPEC_ALLOW, p) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, p) == 0 ?
	    0 : -1;
}

#else

/* No table for this architecture: Landlock and no_new_privs must do. */
int
sandbox_calls_enter(enum sandbox_role role)
{
	return 0;
}

#endif

#if defined(ARCH) && defined(SANDBOX_DEBUG)

/* Made by the Makefile from this system's headers. */
static const struct {
	long number;
	const char *name;
} names[] = {
#include <sandbox_names.h>
};

static void
tell(int signo, siginfo_t *info, void *context)
{
	const char *name = "unknown";
	struct log_line l;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].number == info->si_syscall)
			name = names[i].name;
	log_begin(&l, LOG_L_ERROR, "sandbox");
	log_str(&l, "refused", name);
	log_num(&l, "number", info->si_syscall);
	log_end(&l);
	_exit(71);
}

void
sandbox_calls_prepare(void)
{
	struct sigaction sa = { .sa_sigaction = tell,
	    .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
}

#else

void
sandbox_calls_prepare(void)
{
}

#endif
