/* SPDX-License-Identifier: ISC */
/*
 * A program for the kernel's packet filter that is given the number and the
 * arguments of each system call (seccomp(2)).  The kernel copies, checks and
 * compiles it for every child, so it is short: allowed calls are bits in
 * words, words without any are left out, and all rules for arguments end in
 * the same three answers.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>

#include "sandbox/linux_arch.h"
#include "sandbox/linux_calls.h"

#ifdef SANDBOX_ARCH

#define N(array)	(sizeof(array) / sizeof((array)[0]))

/*
 * The calls of every role.  Old architectures have calls that later ones do
 * not have any more; those of 32 bits have others for long times and files.
 */
static const short relay[] = {
	__NR_ppoll, __NR_read, __NR_write, __NR_readv, __NR_writev,
	__NR_splice, __NR_tee, __NR_sendmsg, __NR_sendto, __NR_recvmsg, __NR_recvfrom,
	__NR_close, __NR_shutdown, __NR_setsockopt, __NR_getsockopt,
	__NR_getpeername, __NR_getsockname, __NR_accept4, __NR_pipe2,
	__NR_fcntl, __NR_fstat, __NR_rt_sigpending, __NR_rt_sigprocmask,
	__NR_rt_sigaction, __NR_rt_sigreturn, __NR_restart_syscall,
	__NR_madvise, __NR_brk, __NR_munmap, __NR_mremap, __NR_mprotect,
	__NR_futex, __NR_getrandom, __NR_getpid, __NR_gettid, __NR_geteuid,
	__NR_getuid, __NR_getegid, __NR_getgid, __NR_clock_gettime,
	__NR_clock_nanosleep, __NR_nanosleep, __NR_gettimeofday, __NR_wait4,
	__NR_waitid, __NR_exit, __NR_exit_group,
#ifdef __NR_mmap2
	__NR_mmap2,		/* i386 has an mmap with hidden arguments too */
#else
	__NR_mmap,
#endif
#ifdef __NR_poll
	__NR_poll,
#endif
#ifdef __NR_time
	__NR_time,
#endif
#ifdef __NR_send
	__NR_send, __NR_recv,
#endif
#ifdef SANDBOX_SOCKETCALL
	SANDBOX_SOCKETCALL,
#endif
#ifdef __NR_sigreturn
	__NR_sigreturn,
#endif
#ifdef __NR_fcntl64
	__NR_fcntl64, __NR_fstat64,
#endif
#ifdef __NR_getuid32
	__NR_getuid32, __NR_geteuid32, __NR_getgid32, __NR_getegid32,
#endif
#ifdef __NR_ppoll_time64
	__NR_ppoll_time64, __NR_clock_gettime64, __NR_clock_nanosleep_time64,
	__NR_futex_time64,
#endif
};

/* With a program. */
static const short hangup[] = { __NR_kill };

/*
 * To dial, and to watch the network when the supervisor has ended; a netlink
 * socket, also the resolver's, needs bind(2).
 */
static const short dial[] = {
	__NR_socket, __NR_connect, __NR_bind, __NR_sendmmsg, __NR_ioctl,
	__NR_openat, __NR_statx, __NR_lseek, __NR_pread64, __NR_getdents64,
	__NR_readlinkat, __NR_faccessat, __NR_faccessat2, __NR_getcwd,
	__NR_uname, __NR_getppid, __NR_timerfd_create, __NR_timerfd_settime,
#ifdef __NR_timerfd_settime64
	__NR_timerfd_settime64,
#endif
#ifdef __NR_newfstatat
	__NR_newfstatat,
#endif
#ifdef __NR_fstatat64
	__NR_fstatat64,
#endif
#ifdef __NR_stat64
	__NR_stat64, __NR_lstat64,
#endif
#ifdef __NR__llseek
	__NR__llseek,
#endif
#ifdef __NR_open
	__NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink,
#endif
};

/* Only an intruder asks for these. */
static const short deadly[] = {
	__NR_execve, __NR_execveat, __NR_ptrace, __NR_process_vm_readv,
	__NR_process_vm_writev,
};

/*
 * Targets of jumps: a number of instructions to skip, or one of the answers,
 * which are at the end.
 */
enum { ALLOWED = 253, REFUSED, KILLED };

#define RETURN(what)	BPF_STMT(BPF_RET | BPF_K, what)
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARG(n)	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	offsetof(struct seccomp_data, args[n]) + SANDBOX_LOW_HALF)
#define IS(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ABOVE(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, yes, no)
#define HAS(bits, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

/*
 * Before it installs a program the kernel tries it on every number, to find
 * the calls whose answer does not depend on arguments, and stops a try at an
 * instruction that it does not expect.  All these tries take several times as
 * long as the rest, so the first instruction, which has no effect, is one that
 * it does not expect.
 */
static const struct sock_filter begin[] = {
	BPF_STMT(BPF_LDX | BPF_IMM, 0),
	LOAD(arch), IS(SANDBOX_ARCH, 0, KILLED),
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 5),
};

/* The call's word is in X: is the call's bit set? */
static const struct sock_filter find_bit[] = {
	BPF_STMT(BPF_STX, 0),
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 31),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_MEM, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0),
	HAS(1, 0, REFUSED),
	LOAD(nr),
};

/*
 * F_DUPFD to F_SETLKW, the same with 64 bits, and sizes of pipes: nothing that
 * sends signals.  The numbers are the kernel's; a C library may have replaced
 * F_SETLKW by F_SETLKW64.
 */
#define LAST_LOCK	7
#define FIRST_LOCK64	12
#define LAST_LOCK64	14

static const struct sock_filter ask_fcntl[] = {
	IS(__NR_fcntl, 0, 4), LOAD_ARG(1), ABOVE(LAST_LOCK, 0, ALLOWED),
	IS(F_SETPIPE_SZ, ALLOWED, 0), IS(F_GETPIPE_SZ, ALLOWED, REFUSED),
#ifdef __NR_fcntl64
	IS(__NR_fcntl64, 0, 6), LOAD_ARG(1), ABOVE(LAST_LOCK, 0, ALLOWED),
	IS(F_SETPIPE_SZ, ALLOWED, 0), IS(F_GETPIPE_SZ, ALLOWED, 0),
	ABOVE(LAST_LOCK64, REFUSED, 0),
	ABOVE(FIRST_LOCK64 - 1, ALLOWED, REFUSED),
#endif
};

/* The calls of socketcall(2), as linux/net.h numbers them. */
#define CALL_CONNECT	3
#define CALL_GETSOCKNAME 6
#define CALL_SOCKETPAIR	8
#define CALL_ACCEPT4	18
#define CALL_SENDMMSG	20

/*
 * Its arguments are in memory, where a filter does not see them: socket(2)
 * cannot be restricted this way.
 */
static const struct sock_filter ask_socketcall[] = {
#ifdef SANDBOX_SOCKETCALL
	IS(SANDBOX_SOCKETCALL, 0, 4), LOAD_ARG(0), IS(CALL_SOCKETPAIR, REFUSED, 0),
	ABOVE(CALL_ACCEPT4, REFUSED, 0),
	ABOVE(CALL_GETSOCKNAME - 1, ALLOWED, REFUSED),
#endif
};

static const struct sock_filter ask_socketcall_to_dial[] = {
#ifdef SANDBOX_SOCKETCALL
	IS(SANDBOX_SOCKETCALL, 0, 7), LOAD_ARG(0), IS(CALL_SOCKETPAIR, REFUSED, 0),
	IS(CALL_SENDMMSG, ALLOWED, 0), ABOVE(CALL_ACCEPT4, REFUSED, 0),
	ABOVE(CALL_GETSOCKNAME - 1, ALLOWED, 0),
	ABOVE(CALL_CONNECT, REFUSED, 0), ABOVE(0, ALLOWED, REFUSED),
#endif
};

#ifdef __NR_mmap2
#define MMAP	__NR_mmap2
#else
#define MMAP	__NR_mmap
#endif

/* No executable memory. */
static const struct sock_filter ask_code[] = {
	IS(__NR_mprotect, 1, 0), IS(SANDBOX_MMAP_HIDDEN ? -1 : MMAP, 0, 2),
	LOAD_ARG(2), HAS(PROT_EXEC, REFUSED, ALLOWED),
};

/*
 * But code of a library, from its file, to execute and not to write.
 */
static const struct sock_filter ask_code_to_dial[] = {
	IS(SANDBOX_MMAP_HIDDEN ? -1 : MMAP, 0, 5),
	LOAD_ARG(2), HAS(PROT_EXEC, 0, ALLOWED), HAS(PROT_WRITE, REFUSED, 0),
	LOAD_ARG(3), HAS(MAP_ANONYMOUS | MAP_SHARED, REFUSED, ALLOWED),
	IS(__NR_mprotect, 0, 2),
	LOAD_ARG(2), HAS(PROT_EXEC, REFUSED, ALLOWED),
};

/* Files are opened to read; Landlock sees to it too, where there is one. */
#define WRITING	(O_ACCMODE | O_CREAT | O_TRUNC)

static const struct sock_filter ask_to_dial[] = {
#ifdef __NR_open
	IS(__NR_open, 0, 2), LOAD_ARG(1), HAS(WRITING, REFUSED, ALLOWED),
#endif
	IS(__NR_openat, 0, 2), LOAD_ARG(2), HAS(WRITING, REFUSED, ALLOWED),
	/* The index of a link-local address's interface; no terminals. */
	IS(__NR_ioctl, 0, 3), LOAD_ARG(1), IS(FIONREAD, ALLOWED, 0),
	IS(SIOCGIFINDEX, ALLOWED, REFUSED),
	/* TCP, UDP and Unix sockets, and the resolver's look at addresses. */
	IS(__NR_socket, 0, 15), LOAD_ARG(0), IS(AF_NETLINK, 11, 0),
	IS(AF_INET, 2, 0), IS(AF_INET6, 1, 0), IS(AF_UNIX, 0, REFUSED),
	LOAD_ARG(1), BPF_STMT(BPF_ALU | BPF_AND | BPF_K,
	    (uint32_t)~(SOCK_CLOEXEC | SOCK_NONBLOCK)),
	IS(SOCK_STREAM, 1, 0), IS(SOCK_DGRAM, 0, REFUSED),
	LOAD_ARG(2), IS(0, ALLOWED, 0), IS(IPPROTO_TCP, ALLOWED, 0),
	IS(IPPROTO_UDP, ALLOWED, REFUSED),
	LOAD_ARG(2), IS(NETLINK_ROUTE, ALLOWED, REFUSED),
};

/* HUP to the program's group; its number is entered when it is known. */
#define NO_PROGRAM	0x80000000u
#define OF_GROUP	2	/* the instruction with it */

static const struct sock_filter ask_hangup[] = {
	IS(__NR_kill, 0, 4), LOAD_ARG(0), IS(NO_PROGRAM, 0, REFUSED),
	LOAD_ARG(1), IS(SIGHUP, ALLOWED, REFUSED),
};

#ifdef SANDBOX_DEBUG
#define REFUSAL	SECCOMP_RET_TRAP
#define DEATH	SECCOMP_RET_TRAP
#else
#define REFUSAL	(SECCOMP_RET_ERRNO | EPERM)
#define DEATH	SECCOMP_RET_KILL_PROCESS
#endif

/* In the order of the enum above. */
static const struct sock_filter answers[] = {
	RETURN(SECCOMP_RET_ALLOW), RETURN(REFUSAL), RETURN(DEATH),
};

#define WORDS	16	/* of 32 calls each */
#define MOST	(N(begin) + 2 * WORDS + N(find_bit) + N(ask_fcntl) + \
	N(ask_socketcall_to_dial) + N(ask_code_to_dial) + N(ask_to_dial) + \
	N(ask_hangup) + N(deadly) + N(answers))

_Static_assert(MOST < ALLOWED, "no jump is too long");

static struct sock_filter filter[MOST];
static struct sock_fprog program = { .filter = filter };
static struct sock_filter *group;	/* NULL: there is no program */

static void
append(const struct sock_filter *piece, size_t n)
{
	memcpy(filter + program.len, piece, n * sizeof(*piece));
	program.len += n;
}

#define APPEND(piece)	append(piece, N(piece))

static void
allow(uint32_t word[WORDS], const short *calls, size_t n)
{
	while (n-- > 0)
		word[calls[n] / 32] |= 1u << calls[n] % 32;
}

/* Loads the call's word, and goes on after the last one. */
static void
append_words(const uint32_t word[WORDS])
{
	unsigned int k, left = 0;

	for (k = 0; k < WORDS; k++)
		left += word[k] != 0;
	for (k = 0; k < WORDS; k++) {
		if (word[k] == 0)
			continue;
		left--;
		append((const struct sock_filter[]){
		    BPF_STMT(BPF_LDX | BPF_IMM, word[k]),
		    IS(k, 2 * left, left > 0 ? 0 : REFUSED) }, 2);
	}
}

/* Deadly calls are among the bits too, so that they come this far. */
static void
append_deadly(void)
{
	size_t i;

	for (i = 0; i < N(deadly); i++)
		append((const struct sock_filter[]){
		    IS(deadly[i], KILLED, 0) }, 1);
}

/* A jump of instruction i to an answer; these follow what there is so far. */
static void
lead(uint8_t *jump, unsigned int i)
{
	if (*jump >= ALLOWED)
		*jump = program.len + (*jump - ALLOWED) - (i + 1);
}

static void
append_answers(void)
{
	unsigned int i;

	for (i = 0; i < program.len; i++) {
		lead(&filter[i].jt, i);
		lead(&filter[i].jf, i);
	}
	APPEND(answers);
}

static void
assemble(int dials, int has_program)
{
	uint32_t word[WORDS] = { 0 };

	allow(word, relay, N(relay));
	allow(word, deadly, N(deadly));
	if (dials)
		allow(word, dial, N(dial));
	if (has_program)
		allow(word, hangup, N(hangup));
	program.len = 0;
	APPEND(begin);
	append_words(word);
	APPEND(find_bit);
	APPEND(ask_fcntl);
	if (dials) {
		APPEND(ask_socketcall_to_dial);
		APPEND(ask_code_to_dial);
		APPEND(ask_to_dial);
	} else {
		APPEND(ask_socketcall);
		APPEND(ask_code);
	}
	group = has_program ? filter + program.len + OF_GROUP : NULL;
	if (has_program)
		APPEND(ask_hangup);
	append_deadly();
	append_answers();
}

const struct sock_fprog *
sandbox_calls_program(void)
{
	return &program;
}

void
sandbox_calls_set_program(pid_t pid)
{
	if (group != NULL)
		group->k = pid > 0 ? -(uint32_t)pid : NO_PROGRAM;
}

/*
 * Without SECCOMP_FILTER_FLAG_SPEC_ALLOW older kernels slow a filtered process
 * down, like one that runs untrusted code (known since kernel 4.17).
 */
int
sandbox_calls_enter(void)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
		return 0;
	if (errno != EINVAL)
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ==
	    0 ? 0 : -1;
}

#else

/* No table for this architecture. */
static void
assemble(int dials, int has_program)
{
}

const struct sock_fprog *
sandbox_calls_program(void)
{
	return NULL;
}

void
sandbox_calls_set_program(pid_t pid)
{
}

int
sandbox_calls_enter(void)
{
	errno = ENOSYS;
	return -1;
}

#endif

void
sandbox_calls_prepare(int dials, int has_program)
{
	assemble(dials, has_program);
	sandbox_calls_tell_refused();
}
