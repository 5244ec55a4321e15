/* SPDX-License-Identifier: ISC */
/*
 * The filter's program, interpreted here for every number and many arguments,
 * and compared with the same rules written a second time.
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

#include "tap.h"

#if defined(SANDBOX_linux) && (defined(__x86_64__) || \
    (defined(__aarch64__) && !defined(__AARCH64EB__)))

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox/linux_calls.h"

#ifdef __x86_64__
#define ARCH	AUDIT_ARCH_X86_64
#define OTHER	AUDIT_ARCH_I386
#else
#define ARCH	AUDIT_ARCH_AARCH64
#define OTHER	AUDIT_ARCH_ARM
#endif

#define ALLOW	SECCOMP_RET_ALLOW
#ifdef SANDBOX_DEBUG
#define REFUSE	SECCOMP_RET_TRAP
#define KILL	SECCOMP_RET_TRAP
#else
#define REFUSE	(SECCOMP_RET_ERRNO | EPERM)
#define KILL	SECCOMP_RET_KILL_PROCESS
#endif
#define BROKEN	0x12345678	/* no answer of a filter */

#define NUMBERS	600

/* Values of arguments that a rule depends on, and their neighbours. */
static const uint64_t values[] = {
	0, 1, 2, 3, PROT_EXEC, PROT_READ | PROT_EXEC, 6, 7,
	F_SETLKW, F_SETOWN, F_SETSIG, F_SETLEASE, F_SETPIPE_SZ,
	F_GETPIPE_SZ, F_SETPIPE_SZ - 1, F_GETPIPE_SZ + 1,
	AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG,
	MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS,
	O_CREAT, O_TRUNC, O_CLOEXEC | O_RDONLY, O_NONBLOCK | O_RDWR,
	FIONREAD, TIOCSTI, SIGHUP, SIGKILL, SIGTERM,
	0xffffffff, 0x100000000, 0x100000000 | PROT_EXEC
};

#define NVALUES	(sizeof(values) / sizeof(values[0]))

/* Those that every role may call with any arguments. */
static int
is_free(uint32_t number)
{
	switch (number) {
#ifdef __NR_poll
	case __NR_poll: case __NR_time:
#endif
	case __NR_ppoll: case __NR_read: case __NR_write: case __NR_readv:
	case __NR_writev: case __NR_splice: case __NR_sendmsg:
	case __NR_sendto: case __NR_recvmsg: case __NR_recvfrom:
	case __NR_close: case __NR_shutdown: case __NR_setsockopt:
	case __NR_getsockopt: case __NR_getpeername: case __NR_getsockname:
	case __NR_accept4: case __NR_pipe2: case __NR_fstat:
	case __NR_rt_sigpending: case __NR_rt_sigprocmask:
	case __NR_rt_sigaction: case __NR_rt_sigreturn:
	case __NR_restart_syscall: case __NR_madvise: case __NR_brk:
	case __NR_munmap: case __NR_mremap: case __NR_futex:
	case __NR_getrandom: case __NR_getpid: case __NR_gettid:
	case __NR_geteuid: case __NR_getuid: case __NR_getegid:
	case __NR_getgid: case __NR_clock_gettime:
	case __NR_clock_nanosleep: case __NR_nanosleep:
	case __NR_gettimeofday: case __NR_wait4: case __NR_waitid:
	case __NR_exit: case __NR_exit_group:
		return 1;
	}
	return 0;
}

/* Those that a process that dials may call in addition. */
static int
is_free_to_dial(uint32_t number)
{
	switch (number) {
#ifdef __NR_stat
	case __NR_stat: case __NR_lstat: case __NR_access:
	case __NR_readlink:
#endif
	case __NR_connect: case __NR_bind: case __NR_sendmmsg:
	case __NR_newfstatat: case __NR_statx: case __NR_lseek:
	case __NR_pread64: case __NR_getdents64: case __NR_readlinkat:
	case __NR_faccessat: case __NR_faccessat2: case __NR_getcwd:
	case __NR_uname:
		return 1;
	}
	return 0;
}

static int
is_deadly(uint32_t number)
{
	return number == __NR_execve || number == __NR_execveat ||
	    number == __NR_ptrace || number == __NR_process_vm_readv ||
	    number == __NR_process_vm_writev;
}

static int
is_command(uint32_t command)
{
	return command <= F_SETLKW || command == F_SETPIPE_SZ ||
	    command == F_GETPIPE_SZ;
}

static int
is_family(uint32_t family)
{
	return family == AF_INET || family == AF_INET6 ||
	    family == AF_UNIX || family == AF_NETLINK;
}

static int
writes(uint32_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != 0;
}

/* May it, of those that depend on an argument? */
static int
may(const struct seccomp_data *d, int dials, int has_program)
{
	switch (d->nr) {
	case __NR_fcntl:
		return is_command(d->args[1]);
	case __NR_mmap:
		return !(d->args[2] & PROT_EXEC) ||
		    (dials && !(d->args[3] & MAP_ANONYMOUS));
	case __NR_mprotect:
		return !(d->args[2] & PROT_EXEC);
	case __NR_kill:
		return has_program && (uint32_t)d->args[1] == SIGHUP;
#ifdef __NR_open
	case __NR_open:
		return dials && !writes(d->args[1]);
#endif
	case __NR_openat:
		return dials && !writes(d->args[2]);
	case __NR_ioctl:
		return dials && (uint32_t)d->args[1] == FIONREAD;
	case __NR_socket:
		return dials && is_family(d->args[0]);
	}
	return 0;
}

static uint32_t
expected(const struct seccomp_data *d, int dials, int has_program)
{
	if (d->arch != ARCH || is_deadly(d->nr))
		return KILL;
	return is_free(d->nr) || (dials && is_free_to_dial(d->nr)) ||
	    may(d, dials, has_program) ? ALLOW : REFUSE;
}

/* A jump of n, from the instruction before *pc. */
static int
jump(const struct sock_fprog *p, unsigned int *pc, uint32_t n)
{
	*pc += n;
	return *pc < p->len;
}

/* The instructions that seccomp(2) permits, as the kernel runs them. */
static uint32_t
run(const struct sock_fprog *p, const struct seccomp_data *d)
{
	uint32_t a = 0, x = 0, mem[BPF_MEMWORDS] = { 0 };
	const struct sock_filter *f;
	unsigned int pc = 0;

	while (pc < p->len) {
		f = &p->filter[pc++];
		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (f->k % 4 != 0 || f->k >= sizeof(*d))
				return BROKEN;
			memcpy(&a, (const char *)d + f->k, sizeof(a));
			break;
		case BPF_LD | BPF_IMM:
			a = f->k;
			break;
		case BPF_LDX | BPF_IMM:
			x = f->k;
			break;
		case BPF_LD | BPF_MEM:
			a = mem[f->k];
			break;
		case BPF_ST:
			mem[f->k] = a;
			break;
		case BPF_STX:
			mem[f->k] = x;
			break;
		case BPF_MISC | BPF_TAX:
			x = a;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			a >>= f->k;
			break;
		case BPF_ALU | BPF_RSH | BPF_X:
			if (x > 31)
				return BROKEN;
			a >>= x;
			break;
		case BPF_JMP | BPF_JA:
			if (!jump(p, &pc, f->k))
				return BROKEN;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			if (!jump(p, &pc, a == f->k ? f->jt : f->jf))
				return BROKEN;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			if (!jump(p, &pc, a > f->k ? f->jt : f->jf))
				return BROKEN;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			if (!jump(p, &pc, a & f->k ? f->jt : f->jf))
				return BROKEN;
			break;
		case BPF_RET | BPF_K:
			return f->k;
		default:
			return BROKEN;
		}
	}
	return BROKEN;
}

static unsigned int wrong;

static void
compare(const struct seccomp_data *d, int dials, int has_program)
{
	uint32_t got = run(sandbox_calls_program(), d);
	uint32_t want = expected(d, dials, has_program);

	if (got != want && wrong++ < 10)
		printf("# %#x of %#x (%#llx, %#llx ...): %#x, not %#x\n",
		    d->nr, d->arch, (unsigned long long)d->args[0],
		    (unsigned long long)d->args[1], got, want);
}

/* Two values in turn, so that all pairs of neighbours are seen. */
static void
try_arguments(int number, int dials, int has_program)
{
	struct seccomp_data d = { .nr = number, .arch = ARCH };
	size_t i, k, n;

	for (i = 0; i < NVALUES; i++)
		for (k = 0; k < NVALUES; k++) {
			for (n = 0; n < 6; n++)
				d.args[n] = values[n % 2 ? i : k];
			compare(&d, dials, has_program);
		}
}

static void
try_program(int dials, int has_program)
{
	struct seccomp_data d = { .arch = OTHER };
	const struct sock_fprog *p;
	int number;

	sandbox_calls_prepare(dials, has_program);
	p = sandbox_calls_program();
	printf("# dials: %d, has a program: %d: %u instructions\n", dials,
	    has_program, p->len);
	is(p->filter[p->len - 1].code, BPF_RET | BPF_K, "its end is one");
	wrong = 0;
	for (number = 0; number < NUMBERS; number++) {
		try_arguments(number, dials, has_program);
		/* As programs with short pointers call it on x86. */
		try_arguments(number | 0x40000000, dials, has_program);
		d.nr = number;
		compare(&d, dials, has_program);
	}
	try_arguments(-1, dials, has_program);
	is(wrong, 0, "each call is answered as it should be");
}

int
main(void)
{
	try_program(0, 0);
	try_program(0, 1);
	try_program(1, 0);
	try_program(1, 1);
	return done_testing();
}

#else

int
main(void)
{
	puts("1..0 # SKIP no table of calls here, or none with sanitizers");
	return 0;
}

#endif
