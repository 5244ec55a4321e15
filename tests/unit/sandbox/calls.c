/* SPDX-License-Identifier: ISC */
/*
 * The filter's program, interpreted here for every number and many arguments,
 * and compared with the same rules written a second time.  tests/it/sandbox/
 * arch.t builds this once more for each other architecture whose numbers are
 * installed.
 *
 * If it fails: a tunnel dies of a call that it needs, or may make one that it
 * must not.
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

#include "tap.h"

#ifdef SANDBOX_linux
#include "sandbox/linux_arch.h"
#endif

#ifdef SANDBOX_ARCH

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "sandbox/linux_calls.h"

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
#define PROGRAM	4321		/* the process of a program */

/* Values of arguments that a rule depends on, and their neighbours. */
static const uint64_t values[] = {
	0, 1, 2, 3, PROT_EXEC, PROT_READ | PROT_EXEC,
	PROT_WRITE | PROT_EXEC, 7, 8, 9, 11, 12, 14, 15, 16, 17, 18, 19, 20,
	F_SETPIPE_SZ, F_GETPIPE_SZ, F_SETPIPE_SZ - 1, F_GETPIPE_SZ + 1,
	SOCK_STREAM | SOCK_CLOEXEC, SOCK_DGRAM | SOCK_NONBLOCK,
	SOCK_RAW | SOCK_CLOEXEC, AF_INET6, AF_PACKET, AF_ALG, IPPROTO_RAW,
	MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS,
	O_CREAT, O_TRUNC, O_CLOEXEC | O_RDONLY, O_NONBLOCK | O_RDWR,
	FIONREAD, SIOCGIFINDEX, TIOCSTI, SIGKILL, PROGRAM,
	(uint32_t)-PROGRAM, (uint64_t)-PROGRAM, 0x80000000,
	0xffffffff, 0x100000000, 0x100000000 | PROT_EXEC
};

#define NVALUES	(sizeof(values) / sizeof(values[0]))

/* Those that every role may call with any arguments. */
static int
is_free(uint32_t number)
{
	switch (number) {
#ifdef __NR_poll
	case __NR_poll:
#endif
#ifdef __NR_time
	case __NR_time:
#endif
#ifdef __NR_send
	case __NR_send: case __NR_recv:
#endif
#ifdef __NR_sigreturn
	case __NR_sigreturn:
#endif
#ifdef __NR_fstat64
	case __NR_fstat64:
#endif
#ifdef __NR_geteuid32
	case __NR_geteuid32: case __NR_getuid32:
	case __NR_getegid32: case __NR_getgid32:
#endif
#ifdef __NR_clock_gettime64
	case __NR_clock_gettime64: case __NR_clock_nanosleep_time64:
	case __NR_ppoll_time64: case __NR_futex_time64:
#endif
	case __NR_ppoll: case __NR_read: case __NR_write: case __NR_readv:
	case __NR_writev: case __NR_splice: case __NR_tee: case __NR_sendmsg:
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
#ifdef __NR_stat64
	case __NR_stat64: case __NR_lstat64:
#endif
#ifdef __NR_newfstatat
	case __NR_newfstatat:
#endif
#ifdef __NR_fstatat64
	case __NR_fstatat64:
#endif
#ifdef __NR__llseek
	case __NR__llseek:
#endif
	case __NR_connect: case __NR_bind: case __NR_sendmmsg:
	case __NR_statx: case __NR_lseek: case __NR_pread64:
	case __NR_getdents64: case __NR_readlinkat: case __NR_faccessat:
	case __NR_faccessat2: case __NR_getcwd: case __NR_uname:
	case __NR_getppid: case __NR_timerfd_create: case __NR_timerfd_settime:
#ifdef __NR_timerfd_settime64
	case __NR_timerfd_settime64:
#endif
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

/* F_SETLK, F_SETLKW and their forms with 64 bits are 6, 7, 13, 14. */
static int
is_command(uint32_t command, int is64)
{
	return command <= 7 || command == F_SETPIPE_SZ ||
	    command == F_GETPIPE_SZ ||
	    (is64 && command >= 12 && command <= 14);
}

static int
is_socket(uint32_t family, uint32_t type, uint32_t protocol)
{
	type &= ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (family == AF_NETLINK)
		return protocol == 0;	/* NETLINK_ROUTE */
	return (family == AF_INET || family == AF_INET6 ||
	    family == AF_UNIX) &&
	    (type == SOCK_STREAM || type == SOCK_DGRAM) &&
	    (protocol == 0 || protocol == IPPROTO_TCP ||
	    protocol == IPPROTO_UDP);
}

#ifdef SANDBOX_SOCKETCALL

/* linux/net.h: which calls are which. */
static int
is_socketcall(uint32_t call, int dials)
{
	switch (call) {
	case 6: case 7:			/* getsockname, getpeername */
	case 9: case 10: case 11: case 12: /* send, recv, sendto, recvfrom */
	case 13: case 14: case 15:	/* shutdown, socket options */
	case 16: case 17: case 18:	/* sendmsg, recvmsg, accept4 */
		return 1;
	case 1: case 2: case 3: case 20: /* socket, bind, connect, sendmmsg */
		return dials;
	}
	return 0;
}

#endif

static int
writes(uint32_t flags)
{
	return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != 0;
}

static int
may_map(uint32_t protection, uint32_t flags, int dials)
{
	if (SANDBOX_ARCH == AUDIT_ARCH_S390X || !(protection & PROT_EXEC))
		return 1;
	return dials && !(protection & PROT_WRITE) &&
	    !(flags & (MAP_ANONYMOUS | MAP_SHARED));
}

/* May it, of those that depend on an argument? */
static int
may(const struct seccomp_data *d, int dials, int has_program)
{
	switch (d->nr) {
	case __NR_fcntl:
		return is_command(d->args[1], 0);
#ifdef __NR_fcntl64
	case __NR_fcntl64:
		return is_command(d->args[1], 1);
#endif
#ifdef SANDBOX_SOCKETCALL
	case __NR_socketcall:
		return is_socketcall(d->args[0], dials);
#endif
#ifdef __NR_mmap2
	case __NR_mmap2:
#else
	case __NR_mmap:
#endif
		return may_map(d->args[2], d->args[3], dials);
	case __NR_mprotect:
		return !(d->args[2] & PROT_EXEC);
	case __NR_kill:
		return has_program && (int)d->args[0] == -PROGRAM &&
		    (uint32_t)d->args[1] == SIGHUP;
#ifdef __NR_open
	case __NR_open:
		return dials && !writes(d->args[1]);
#endif
	case __NR_openat:
		return dials && !writes(d->args[2]);
	case __NR_ioctl:
		return dials && ((uint32_t)d->args[1] == FIONREAD ||
		    (uint32_t)d->args[1] == SIOCGIFINDEX);
	case __NR_socket:
		return dials && is_socket(d->args[0], d->args[1],
		    d->args[2]);
	}
	return 0;
}

static uint32_t
expected(const struct seccomp_data *d, int dials, int has_program)
{
	if (d->arch != SANDBOX_ARCH || is_deadly(d->nr))
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

/* 32 bits of what the kernel gives a filter, in that architecture's order. */
static uint32_t
load(const struct seccomp_data *d, uint32_t at)
{
	unsigned int high = SANDBOX_ARCH & __AUDIT_ARCH_LE ? 4 : 0;

	if (at == 0)
		return d->nr;
	if (at == offsetof(struct seccomp_data, arch))
		return d->arch;
	return d->args[(at - 16) / 8] >> (at % 8 == high ? 32 : 0);
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
			a = load(d, f->k);
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
	struct seccomp_data d = { .nr = number, .arch = SANDBOX_ARCH };
	size_t i, k, n;

	for (i = 0; i < NVALUES; i++)
		for (k = 0; k < NVALUES; k++) {
			for (n = 0; n < 6; n++)
				d.args[n] = values[n % 2 ? i : k];
			compare(&d, dials, has_program);
		}
}

/*
 * Of a call with rules: all pairs of values for each two arguments, the others
 * being one of a few.
 */
static void
try_rules(int number, int dials, int has_program)
{
	static const uint64_t others[] = { 0, 1, AF_INET, PROT_EXEC,
	    (uint32_t)-PROGRAM };
	struct seccomp_data d = { .nr = number, .arch = SANDBOX_ARCH };
	size_t i, k, n, o;

	for (o = 0; o < sizeof(others) / sizeof(others[0]); o++)
		for (i = 0; i < NVALUES; i++)
			for (k = 0; k < NVALUES; k++)
				for (n = 0; n < 3; n++) {
					d.args[0] = d.args[1] = d.args[2] =
					    others[o];
					d.args[n] = values[i];
					d.args[n + 1] = values[k];
					compare(&d, dials, has_program);
				}
}

static void
try_program(int dials, int has_program)
{
	struct seccomp_data d = { .arch = SANDBOX_ARCH ^ 1 };
	static const int ruled[] = {
		__NR_fcntl, __NR_mprotect, __NR_kill, __NR_openat, __NR_ioctl,
		__NR_socket,
#ifdef __NR_fcntl64
		__NR_fcntl64,
#endif
#ifdef __NR_socketcall
		__NR_socketcall,
#endif
#ifdef __NR_mmap
		__NR_mmap,
#endif
#ifdef __NR_mmap2
		__NR_mmap2,
#endif
#ifdef __NR_open
		__NR_open,
#endif
	};
	const struct sock_fprog *p;
	size_t i;
	int number;

	sandbox_calls_prepare(dials, has_program);
	sandbox_calls_set_program(PROGRAM);
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
	for (i = 0; i < sizeof(ruled) / sizeof(ruled[0]); i++)
		try_rules(ruled[i], dials, has_program);
	is(wrong, 0, "each call is answered as it should be");
}


static int
hangs_up(int pid)
{
	struct seccomp_data d = { .nr = __NR_kill, .arch = SANDBOX_ARCH,
	    .args = { (uint32_t)pid, SIGHUP } };

	return run(sandbox_calls_program(), &d) != REFUSE;
}

int
main(void)
{
	try_program(0, 0);
	try_program(0, 1);
	try_program(1, 0);
	try_program(1, 1);
	sandbox_calls_set_program(0);
	ok(!hangs_up(0) && !hangs_up(-1),
	    "without a program none is sent HUP");
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
