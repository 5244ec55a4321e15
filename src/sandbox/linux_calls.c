/* SPDX-License-Identifier: ISC */
/*
 * A program for the kernel's packet filter that is given each system call's
 * number and arguments (seccomp(2)).  The kernel copies, checks, translates
 * and compiles it for every child that hands it over, so it is short: the
 * allowed calls are bits of words, of which those without any are left out,
 * and whatever is asked of arguments leads to the same three answers.
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
#include <string.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "os/log.h"
#include "sandbox/linux_calls.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && !defined(__AARCH64EB__)
#define ARCH	AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#define N(array)	(sizeof(array) / sizeof((array)[0]))

/* The calls of every role. */
static const short relay[] = {
	__NR_ppoll, __NR_read, __NR_write, __NR_readv, __NR_writev,
	__NR_splice, __NR_sendmsg, __NR_sendto, __NR_recvmsg, __NR_recvfrom,
	__NR_close, __NR_shutdown, __NR_setsockopt, __NR_getsockopt,
	__NR_getpeername, __NR_getsockname, __NR_accept4, __NR_pipe2,
	__NR_fcntl, __NR_fstat, __NR_rt_sigpending, __NR_rt_sigprocmask,
	__NR_rt_sigaction, __NR_rt_sigreturn, __NR_restart_syscall,
	__NR_madvise, __NR_brk, __NR_mmap, __NR_munmap, __NR_mremap,
	__NR_mprotect, __NR_futex, __NR_getrandom, __NR_getpid, __NR_gettid,
	__NR_geteuid, __NR_getuid, __NR_getegid, __NR_getgid,
	__NR_clock_gettime, __NR_clock_nanosleep, __NR_nanosleep,
	__NR_gettimeofday, __NR_wait4, __NR_waitid, __NR_exit,
	__NR_exit_group,
#ifdef __NR_poll
	__NR_poll, __NR_time,	/* which later architectures never had */
#endif
};

/* Of one that has a program. */
static const short hangup[] = { __NR_kill };

/* Of one that dials; the resolver's netlink socket wants a bind(2). */
static const short dial[] = {
	__NR_socket, __NR_connect, __NR_bind, __NR_sendmmsg, __NR_ioctl,
	__NR_openat, __NR_newfstatat, __NR_statx, __NR_lseek, __NR_pread64,
	__NR_getdents64, __NR_readlinkat, __NR_faccessat, __NR_faccessat2,
	__NR_getcwd, __NR_uname,
#ifdef __NR_open
	__NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink,
#endif
};

/* What nobody but an intruder asks for. */
static const short deadly[] = {
	__NR_execve, __NR_execveat, __NR_ptrace, __NR_process_vm_readv,
	__NR_process_vm_writev,
};

/*
 * Where a jump leads: so many instructions on (0 is the next one), or to an
 * answer, all of which are at the end.
 */
enum { ALLOWED = 253, REFUSED, KILLED };

#define RETURN(what)	BPF_STMT(BPF_RET | BPF_K, what)
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IS(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ABOVE(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, yes, no)
#define HAS(bits, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, yes, no)

/*
 * The kernel first tries the program on every number there is, to note which
 * calls need no further questions, and gives a try up at an instruction that
 * depends on anything else or that it does not expect here.  To let it try
 * takes it several times as long as all the rest, so the first one, which does
 * nothing, is of that kind.
 */
static const struct sock_filter begin[] = {
	BPF_STMT(BPF_LDX | BPF_IMM, 0),
	LOAD(arch), IS(ARCH, 0, KILLED),
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 5),
};

/* The word of the call is in X: has it the bit? */
static const struct sock_filter find_bit[] = {
	BPF_STMT(BPF_STX, 0),
	LOAD(nr), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 31),
	BPF_STMT(BPF_MISC | BPF_TAX, 0),
	BPF_STMT(BPF_LD | BPF_MEM, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_X, 0),
	HAS(1, 0, REFUSED),
	LOAD(nr),
};

/* F_DUPFD to F_SETLKW, which come first, and pipes' sizes: no signals. */
static const struct sock_filter ask_fcntl[] = {
	IS(__NR_fcntl, 0, 4), LOAD(args[1]), ABOVE(F_SETLKW, 0, ALLOWED),
	IS(F_SETPIPE_SZ, ALLOWED, 0), IS(F_GETPIPE_SZ, ALLOWED, REFUSED),
};

/* No code is made. */
static const struct sock_filter ask_code[] = {
	IS(__NR_mmap, 1, 0), IS(__NR_mprotect, 0, 2),
	LOAD(args[2]), HAS(PROT_EXEC, REFUSED, ALLOWED),
};

/* A library's may come from its file. */
static const struct sock_filter ask_code_to_dial[] = {
	IS(__NR_mmap, 0, 2),
	LOAD(args[3]), HAS(MAP_ANONYMOUS, 1, ALLOWED),
	IS(__NR_mprotect, 0, 2),
	LOAD(args[2]), HAS(PROT_EXEC, REFUSED, ALLOWED),
};

/* To read, where there is no Landlock to see to it. */
#define WRITING	(O_ACCMODE | O_CREAT | O_TRUNC)

static const struct sock_filter ask_to_dial[] = {
#ifdef __NR_open
	IS(__NR_open, 0, 2), LOAD(args[1]), HAS(WRITING, REFUSED, ALLOWED),
#endif
	IS(__NR_openat, 0, 2), LOAD(args[2]), HAS(WRITING, REFUSED, ALLOWED),
	/* Nothing that types into the user's terminal. */
	IS(__NR_ioctl, 0, 2), LOAD(args[1]), IS(FIONREAD, ALLOWED, REFUSED),
	IS(__NR_socket, 0, 5), LOAD(args[0]), IS(AF_INET, ALLOWED, 0),
	IS(AF_INET6, ALLOWED, 0), IS(AF_UNIX, ALLOWED, 0),
	IS(AF_NETLINK, ALLOWED, REFUSED),
};

/* No worse than our end would be. */
static const struct sock_filter ask_hangup[] = {
	IS(__NR_kill, 0, 2), LOAD(args[1]), IS(SIGHUP, ALLOWED, REFUSED),
};

#ifdef SANDBOX_DEBUG
#define REFUSAL	SECCOMP_RET_TRAP
#define DEATH	SECCOMP_RET_TRAP
#else
#define REFUSAL	(SECCOMP_RET_ERRNO | EPERM)
#define DEATH	SECCOMP_RET_KILL_PROCESS
#endif

/* In the order of the jumps' names. */
static const struct sock_filter answers[] = {
	RETURN(SECCOMP_RET_ALLOW), RETURN(REFUSAL), RETURN(DEATH),
};

#define WORDS	16	/* of 32 calls each */
#define MOST	(N(begin) + 2 * WORDS + N(find_bit) + N(ask_fcntl) + \
	N(ask_code_to_dial) + N(ask_to_dial) + N(ask_hangup) + N(deadly) + \
	N(answers))

_Static_assert(MOST < ALLOWED, "no jump is too long");

static struct sock_filter filter[MOST];
static struct sock_fprog program = { .filter = filter };

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

/* Loads the word of the call, and goes on behind the last one. */
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

/* What is deadly is among the bits too, so that it is looked at. */
static void
append_deadly(void)
{
	size_t i;

	for (i = 0; i < N(deadly); i++)
		append((const struct sock_filter[]){
		    IS(deadly[i], KILLED, 0) }, 1);
}

/* From instruction i: answers begin at the end of what there is so far. */
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
		APPEND(ask_code_to_dial);
		APPEND(ask_to_dial);
	} else
		APPEND(ask_code);
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

/*
 * Without SECCOMP_FILTER_FLAG_SPEC_ALLOW older kernels slow a filtered process
 * down, as one that runs a stranger's code (kernel 4.17 and on know it).
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

/* No table for this architecture: Landlock and no_new_privs must do. */
static void
assemble(int dials, int has_program)
{
}

const struct sock_fprog *
sandbox_calls_program(void)
{
	return NULL;
}

int
sandbox_calls_enter(void)
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

static void
tell_refused(void)
{
	struct sigaction sa = { .sa_sigaction = tell,
	    .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
}

#else

static void
tell_refused(void)
{
}

#endif

void
sandbox_calls_prepare(int dials, int has_program)
{
	assemble(dials, has_program);
	tell_refused();
}
