/* SPDX-License-Identifier: ISC */
/*
 * A library that is loaded before all others (LD_PRELOAD) and makes calls fail,
 * be short, be interrupted or be slow.
 *
 * The plan is a file, named in the environment, which the test has filled in
 * and reads while the program runs (tests/faults/plan.py).  It is mapped before
 * main() and shared by all processes that come of it, so that nothing is asked
 * of the system later that the sandbox would refuse.
 *
 * What a call meets follows from the seed, the process (the how many-th child
 * of the how many-th child ...), the kind of the call and its number in that
 * process: the same seed gives the same plan.  An error is one that the call
 * can have on such a descriptor.  A connection that is said to be reset is
 * reset: see dead[].
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The kinds of calls, in the order of the plan's tables. */
#define KINDS(X) \
	X(read) X(write) X(readv) X(writev) X(recv) X(send) X(recvmsg) \
	X(sendmsg) X(splice) X(tee) X(accept4) X(connect) X(fork) X(poll) \
	X(epoll_wait) X(epoll_ctl) X(mmap) X(malloc) X(open) X(getaddrinfo) \
	X(socket) X(pipe) X(waitpid) X(close)

/*
 * short: less than was asked for.  intr, again: EINTR, EAGAIN.  slow: some
 * milliseconds later.  lack: no memory, no descriptor, no process.  gone: the
 * connection, the file or the name has failed.
 */
#define EFFECTS(X) \
	X(short) X(intr) X(again) X(slow) X(lack) X(gone)

#define KIND(name)	K_##name,
#define EFFECT(name)	E_##name,
enum kind { KINDS(KIND) NKINDS };
enum effect { EFFECTS(EFFECT) NEFFECTS, E_none = NEFFECTS };

#define TOLD	4096	/* the last faults, for a person */

struct told {
	int32_t pid, fd, error;
	uint8_t kind, effect;
	uint16_t process;	/* of its number */
	uint64_t n;
};

struct plan {
	uint64_t seed;
	char name[16];		/* of the program that is concerned */
	uint32_t armed;		/* set and cleared while it runs */
	uint32_t attached;	/* programs that have found the plan */
	uint32_t rate[NKINDS][NEFFECTS];	/* of 2^32 calls */
	uint64_t calls[NKINDS];			/* while armed */
	uint64_t done[NKINDS][NEFFECTS];
	uint64_t ntold;
	struct told told[TOLD];
};

static struct plan *plan;	/* NULL: nothing is done */
static struct {
	uint64_t id;
	uint64_t children;
	int handles;		/* signals: without a handler there is no EINTR */
	uint64_t n[NKINDS];
} self;

/*
 * Connections that were said to be reset.  The kernel does not know of it, so
 * reading gives an end, writing EPIPE and poll(2) an error from then on, and
 * when it is closed the peer gets a reset.  If the peer's FIN had come before,
 * what it sent can still be read, up to this end.
 */
#define FDS	4096
static uint8_t dead[FDS];

static struct {
	pid_t (*fork)(void);
	pid_t (*Fork)(void);
	int (*sigaction)(int, const struct sigaction *, struct sigaction *);
	int (*getaddrinfo)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
} real;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("INETWS_FAULTS");
	struct plan *p;
	int fd;

	if (path == NULL || (fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
		return;
	if (lseek(fd, 0, SEEK_END) != sizeof(*p)) {
		close(fd);
		return;
	}
	p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return;
	if (strcmp(program_invocation_short_name, p->name) != 0) {
		munmap(p, sizeof(*p));
		return;
	}
	real.fork = (pid_t (*)(void))dlsym(RTLD_NEXT, "fork");
	real.Fork = (pid_t (*)(void))dlsym(RTLD_NEXT, "_Fork");
	*(void **)&real.sigaction = dlsym(RTLD_NEXT, "sigaction");
	*(void **)&real.getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
	self.id = mix(p->seed ^ mix(__atomic_fetch_add(&p->attached, 1,
	    __ATOMIC_RELAXED)));
	plan = p;
}

/* What this call shall meet; *r chooses among errors and amounts. */
static enum effect
look_up(enum kind k, uint32_t *r)
{
	uint64_t x;
	uint32_t at;
	int e;

	*r = 0;
	if (plan == NULL || !__atomic_load_n(&plan->armed, __ATOMIC_RELAXED))
		return E_none;
	__atomic_fetch_add(&plan->calls[k], 1, __ATOMIC_RELAXED);
	x = mix(self.id ^ mix(self.n[k]++ * NKINDS + k));
	at = x >> 32;
	*r = x;
	for (e = 0; e < NEFFECTS; e++) {
		if (at < plan->rate[k][e])
			return e != E_intr || self.handles ? e : E_none;
		at -= plan->rate[k][e];
	}
	return E_none;
}

static void
tell(enum kind k, enum effect e, int fd, int error)
{
	uint64_t i = __atomic_fetch_add(&plan->ntold, 1, __ATOMIC_RELAXED);

	__atomic_fetch_add(&plan->done[k][e], 1, __ATOMIC_RELAXED);
	plan->told[i % TOLD] = (struct told){ .pid = syscall(SYS_getpid),
	    .fd = fd, .error = error, .kind = k, .effect = e,
	    .process = self.id, .n = self.n[k] };
}

static int
fail(enum kind k, enum effect e, int fd, int error)
{
	tell(k, e, fd, error);
	errno = error;
	return -1;
}

/* One of a list that ends in 0. */
static int
one_of(const int *list, uint32_t r)
{
	uint32_t n = 0;

	while (list[n] != 0)
		n++;
	return list[r % n];
}

#define LIST(...)	((const int[]){ __VA_ARGS__, 0 })

static void
be_slow(enum kind k, int fd, uint32_t r)
{
	struct timespec ts = { 0, (r % 16 == 0 ? 60 : 1 + r / 16 % 12) *
	    1000000L };
	int error = errno;

	tell(k, E_slow, fd, 0);
	syscall(SYS_nanosleep, &ts, NULL);
	errno = error;
}

/* What a descriptor is, by calls that the sandbox allows. */
enum thing { INET, UNIX, DATAGRAM, PIPE, OTHER };

static enum thing
thing_of(int fd)
{
	int domain = 0, type = 0, error = errno;
	socklen_t len = sizeof(int);
	enum thing t = OTHER;

	if (syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_TYPE, &type, &len) ==
	    0 && syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain,
	    &len) == 0)
		t = type != SOCK_STREAM ? DATAGRAM :
		    domain == AF_UNIX ? UNIX : INET;
	else if (syscall(SYS_fcntl, fd, F_GETPIPE_SZ, 0) > 0)
		t = PIPE;
	errno = error;
	return t;
}

static int
never_blocks(int fd)
{
	int error = errno;
	long flags = syscall(SYS_fcntl, fd, F_GETFL, 0);

	errno = error;
	return flags != -1 && (flags & O_NONBLOCK);
}

static int
is_dead(int fd)
{
	return fd >= 0 && fd < FDS && dead[fd];
}

static void
set_dead(int fd, int is)
{
	if (fd >= 0 && fd < FDS)
		dead[fd] = is;
}

static void
reset_at_close(int fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	syscall(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* Has the peer ended what it sends?  A reset behind that is EPIPE. */
static int
has_fin(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int error = errno;
	long r = syscall(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info,
	    &len);

	errno = error;
	return r == 0 && (info.tcpi_state == TCP_CLOSE_WAIT ||
	    info.tcpi_state == TCP_LAST_ACK);
}

/* --- bytes --- */

enum way { IN, OUT };

/* Messages between processes are whole, and so is what a pipe takes at once. */
#define WHOLE	4096

/*
 * What a call that moves bytes shall meet: 1, go on, with at most *most bytes;
 * 0, it is at its end; -1, it has failed.
 */
static int
meet(enum kind k, int fd, enum way way, size_t *most)
{
	uint32_t r;
	enum effect e = look_up(k, &r);
	enum thing t;

	if (is_dead(fd)) {
		if (way == IN)
			return has_fin(fd);
		errno = EPIPE;
		return -1;
	}
	if (e == E_none)
		return 1;
	t = thing_of(fd);
	switch (e) {
	case E_short:
		if (*most < 2 || t == DATAGRAM ||
		    ((t == UNIX || t == PIPE) && *most <= WHOLE))
			return 1;
		*most = 1 + (r % 4 == 0 ? 0 : r / 4 % (*most - 1));
		if (t == UNIX || t == PIPE)
			*most += *most < WHOLE ? WHOLE - *most : 0;
		tell(k, e, fd, 0);
		return 1;
	case E_intr:
		return fail(k, e, fd, EINTR);
	case E_again:
		return never_blocks(fd) && (t == INET || (t == UNIX &&
		    (way == IN || *most > WHOLE))) ? fail(k, e, fd, EAGAIN) :
		    1;
	case E_slow:
		be_slow(k, fd, r);
		return 1;
	case E_lack:
		if (t == OTHER || (t == PIPE && k != K_splice && k != K_tee))
			return 1;
		return fail(k, e, fd, t == INET || way == IN ? ENOMEM :
		    ENOBUFS);
	case E_gone:
		if (t == OTHER)
			return fail(k, e, fd, way == IN ? EIO : ENOSPC);
		if (t != INET)
			return 1;
		reset_at_close(fd);
		set_dead(fd, 1);
		return fail(k, e, fd, has_fin(fd) ? EPIPE :
		    one_of(LIST(ECONNRESET, ECONNRESET, ETIMEDOUT,
		    EHOSTUNREACH), r));
	default:
		return 1;
	}
}

ssize_t
read(int fd, void *buf, size_t n)
{
	int m = meet(K_read, fd, IN, &n);

	return m == 1 ? syscall(SYS_read, fd, buf, n) : m;
}

ssize_t
write(int fd, const void *buf, size_t n)
{
	int m = meet(K_write, fd, OUT, &n);

	return m == 1 ? syscall(SYS_write, fd, buf, n) : m;
}

ssize_t
recv(int fd, void *buf, size_t n, int flags)
{
	int m = meet(K_recv, fd, IN, &n);

	return m == 1 ? syscall(SYS_recvfrom, fd, buf, n, flags, NULL, NULL) :
	    m;
}

ssize_t
sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *to,
    socklen_t len)
{
	int m = meet(K_send, fd, OUT, &n);

	return m == 1 ? syscall(SYS_sendto, fd, buf, n, flags, to, len) : m;
}

ssize_t
send(int fd, const void *buf, size_t n, int flags)
{
	return sendto(fd, buf, n, flags, NULL, 0);
}

/* The first most bytes of a list, in place of it if it is longer. */
#define PIECES	8

static int
shorten(struct iovec *dst, const struct iovec *src, size_t n, size_t most)
{
	size_t i;

	for (i = 0; i < n && i < PIECES && most > 0; i++) {
		dst[i] = src[i];
		if (dst[i].iov_len > most)
			dst[i].iov_len = most;
		most -= dst[i].iov_len;
	}
	return i;
}

static size_t
length(const struct iovec *iov, size_t n)
{
	size_t all = 0;

	while (n-- > 0)
		all += iov[n].iov_len;
	return all;
}

static ssize_t
move(enum kind k, long number, int fd, enum way way, const struct iovec *iov,
    int n)
{
	struct iovec some[PIECES];
	size_t all = length(iov, n), most = all;
	int m = meet(k, fd, way, &most);

	if (m != 1)
		return m;
	if (most < all) {
		n = shorten(some, iov, n, most);
		iov = some;
	}
	return syscall(number, fd, iov, n);
}

ssize_t
readv(int fd, const struct iovec *iov, int n)
{
	return move(K_readv, SYS_readv, fd, IN, iov, n);
}

ssize_t
writev(int fd, const struct iovec *iov, int n)
{
	return move(K_writev, SYS_writev, fd, OUT, iov, n);
}

static ssize_t
message(enum kind k, long number, int fd, enum way way, struct msghdr *m,
    int flags)
{
	struct iovec some[PIECES], *iov = m->msg_iov;
	size_t all = length(iov, m->msg_iovlen), most = all, n = m->msg_iovlen;
	int r = meet(k, fd, way, &most);
	ssize_t done;

	if (r != 1)
		return r;
	if (most < all) {
		m->msg_iovlen = shorten(some, iov, n, most);
		m->msg_iov = some;
	}
	done = syscall(number, fd, m, flags);
	m->msg_iov = iov;
	m->msg_iovlen = n;
	return done;
}

static void
forget_passed(struct msghdr *m)
{
	struct cmsghdr *h = m->msg_controllen > 0 ? CMSG_FIRSTHDR(m) : NULL;
	int fd;

	if (h == NULL || h->cmsg_level != SOL_SOCKET ||
	    h->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(h), sizeof(fd));
	set_dead(fd, 0);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t n = message(K_recvmsg, SYS_recvmsg, fd, IN, m, flags);

	if (n != -1)
		forget_passed(m);
	return n;
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	struct msghdr copy = *m;

	return message(K_sendmsg, SYS_sendmsg, fd, OUT, &copy, flags);
}

/* Of the two the one that is no pipe, if there is one. */
ssize_t
splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t n,
    unsigned int flags)
{
	enum way way = thing_of(in) == PIPE ? OUT : IN;
	int m = meet(K_splice, way == OUT ? out : in, way, &n);

	return m == 1 ? syscall(SYS_splice, in, in_at, out, out_at, n, flags) :
	    m;
}

ssize_t
tee(int in, int out, size_t n, unsigned int flags)
{
	int m = meet(K_tee, in, IN, &n);

	return m == 1 ? syscall(SYS_tee, in, out, n, flags) : m;
}

/* --- connections --- */

int
accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	uint32_t r;
	enum effect e = look_up(K_accept4, &r);
	int new;

	if (e == E_intr || (e == E_again && never_blocks(fd)))
		return fail(K_accept4, e, fd, e == E_intr ? EINTR : EAGAIN);
	if (e == E_lack)
		return fail(K_accept4, e, fd, one_of(LIST(EMFILE, ENFILE,
		    ENOBUFS, ENOMEM), r));
	if (e == E_slow)
		be_slow(K_accept4, fd, r);
	new = syscall(SYS_accept4, fd, sa, len, flags);
	if (new == -1)
		return -1;
	set_dead(new, 0);
	if (e != E_gone)
		return new;
	reset_at_close(new);
	syscall(SYS_close, new);
	return fail(K_accept4, e, fd, r % 4 ? ECONNABORTED : EPROTO);
}

int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	uint32_t r;
	enum effect e = look_up(K_connect, &r);
	int is_unix = sa->sa_family == AF_UNIX;

	if ((e == E_lack || e == E_gone) && !is_unix)
		reset_at_close(fd);	/* it may be on its way already */
	if (e == E_lack)
		return fail(K_connect, e, fd, is_unix ? EAGAIN :
		    one_of(LIST(EADDRNOTAVAIL, ENOBUFS), r));
	if (e == E_gone)
		return fail(K_connect, e, fd, is_unix ? ECONNREFUSED :
		    one_of(LIST(ECONNREFUSED, ETIMEDOUT, ENETUNREACH,
		    EHOSTUNREACH), r));
	if (e == E_intr && !never_blocks(fd)) {
		if (!is_unix)
			syscall(SYS_connect, fd, sa, len);
		return fail(K_connect, e, fd, EINTR);
	}
	if (e == E_slow)
		be_slow(K_connect, fd, r);
	return syscall(SYS_connect, fd, sa, len);
}

static int
lacking(enum kind k, const int *errors)
{
	uint32_t r;
	enum effect e = look_up(k, &r);

	if (e == E_slow)
		be_slow(k, -1, r);
	return e == E_lack ? fail(k, e, -1, one_of(errors, r)) : 0;
}

static int
new_one(long fd)
{
	set_dead(fd, 0);
	return fd;
}

int
socket(int domain, int type, int protocol)
{
	if (lacking(K_socket, LIST(EMFILE, ENFILE, ENOBUFS, ENOMEM)) == -1)
		return -1;
	return new_one(syscall(SYS_socket, domain, type, protocol));
}

int
socketpair(int domain, int type, int protocol, int fds[2])
{
	if (lacking(K_socket, LIST(EMFILE, ENFILE, ENOBUFS, ENOMEM)) == -1 ||
	    syscall(SYS_socketpair, domain, type, protocol, fds) == -1)
		return -1;
	set_dead(fds[0], 0);
	set_dead(fds[1], 0);
	return 0;
}

int
pipe2(int fds[2], int flags)
{
	if (lacking(K_pipe, LIST(EMFILE, ENFILE)) == -1 ||
	    syscall(SYS_pipe2, fds, flags) == -1)
		return -1;
	set_dead(fds[0], 0);
	set_dead(fds[1], 0);
	return 0;
}

int
shutdown(int fd, int how)
{
	if (is_dead(fd)) {
		errno = ENOTCONN;
		return -1;
	}
	return syscall(SYS_shutdown, fd, how);
}

int
setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (is_dead(fd) && level == SOL_SOCKET && option == SO_LINGER)
		return 0;
	return syscall(SYS_setsockopt, fd, level, option, value, len);
}

int
close(int fd)
{
	uint32_t r;
	enum effect e = look_up(K_close, &r);

	set_dead(fd, 0);
	if (syscall(SYS_close, fd) == -1)
		return -1;
	return e == E_intr ? fail(K_close, e, fd, EINTR) : 0;
}

void
closefrom(int low)
{
	int fd;

	for (fd = low < 0 ? 0 : low; fd < FDS; fd++)
		dead[fd] = 0;
	syscall(SYS_close_range, low, ~0u, 0);
}

int
dup2(int from, int to)
{
	set_dead(to, is_dead(from));
#ifdef SYS_dup2
	return syscall(SYS_dup2, from, to);
#else
	return from == to ? (int)syscall(SYS_fcntl, from, F_GETFD) == -1 ? -1 :
	    to : (int)syscall(SYS_dup3, from, to, 0);
#endif
}

int
dup3(int from, int to, int flags)
{
	set_dead(to, is_dead(from));
	return syscall(SYS_dup3, from, to, flags);
}

/* --- waiting --- */

/* Those that are dead are ready for all; how many. */
static int
poll_dead(struct pollfd *p, nfds_t n)
{
	nfds_t i;
	int found = 0;

	for (i = 0; i < n; i++) {
		p[i].revents = 0;
		if (is_dead(p[i].fd)) {
			p[i].revents = POLLERR | POLLHUP | (p[i].events &
			    (POLLIN | POLLOUT | POLLRDHUP));
			found++;
		}
	}
	return found;
}

static int
before_poll(enum kind k, int fd)
{
	uint32_t r;
	enum effect e = look_up(k, &r);

	if (e == E_intr || e == E_lack)
		return fail(k, e, fd, e == E_intr ? EINTR : ENOMEM);
	if (e == E_slow)
		be_slow(k, fd, r);
	return 0;
}

int
ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout,
    const sigset_t *mask)
{
	struct timespec copy;
	int found;

	if (before_poll(K_poll, -1) == -1)
		return -1;
	if ((found = poll_dead(p, n)) > 0)
		return found;
	if (timeout != NULL)
		copy = *timeout;
	return syscall(SYS_ppoll, p, n, timeout != NULL ? &copy : NULL, mask,
	    8);
}

int
poll(struct pollfd *p, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };

	return ppoll(p, n, timeout < 0 ? NULL : &ts, NULL);
}

int
epoll_wait(int fd, struct epoll_event *e, int most, int timeout)
{
	if (before_poll(K_epoll_wait, fd) == -1)
		return -1;
	return syscall(SYS_epoll_pwait, fd, e, most, timeout, NULL, 0);
}

int
epoll_ctl(int set, int how, int fd, struct epoll_event *e)
{
	if (how == EPOLL_CTL_ADD &&
	    lacking(K_epoll_ctl, LIST(ENOMEM, ENOSPC)) == -1)
		return -1;
	return syscall(SYS_epoll_ctl, set, how, fd, e);
}

pid_t
waitpid(pid_t pid, int *status, int flags)
{
	uint32_t r;
	enum effect e = look_up(K_waitpid, &r);

	if (e == E_intr && !(flags & WNOHANG))
		return fail(K_waitpid, e, -1, EINTR);
	return syscall(SYS_wait4, pid, status, flags, NULL);
}

int
sigaction(int signo, const struct sigaction *new, struct sigaction *old)
{
	if (plan == NULL)
		*(void **)&real.sigaction = dlsym(RTLD_NEXT, "sigaction");
	if (new != NULL && new->sa_handler != SIG_DFL &&
	    new->sa_handler != SIG_IGN)
		self.handles = 1;
	return real.sigaction(signo, new, old);
}

/* --- processes, memory, files, names --- */

static pid_t
begin_process(pid_t (*how)(void))
{
	uint64_t id;
	int handles = self.handles;
	pid_t pid;

	if (plan == NULL)
		return how != NULL ? how() :
		    ((pid_t (*)(void))dlsym(RTLD_NEXT, "fork"))();
	if (lacking(K_fork, LIST(EAGAIN, ENOMEM)) == -1)
		return -1;
	id = mix(self.id ^ mix(++self.children));
	if ((pid = how()) == 0) {
		memset(&self, 0, sizeof(self));
		self.id = id;
		self.handles = handles;
	}
	return pid;
}

pid_t
fork(void)
{
	return begin_process(real.fork);
}

pid_t
_Fork(void)
{
	return begin_process(real.Fork);
}

/*
 * Where there is SYS_mmap2, it is the one that takes its arguments as they are,
 * but counts in 4096 bytes; SYS_mmap is none (ARM) or wants them in memory
 * (i386), as on s390x.
 */
void *
mmap64(void *at, size_t size, int prot, int flags, int fd, off64_t offset)
{
	if (lacking(K_mmap, LIST(ENOMEM)) == -1)
		return MAP_FAILED;
#if defined(SYS_mmap2)
	return (void *)syscall(SYS_mmap2, at, size, prot, flags, fd,
	    (long)(offset / 4096));
#elif defined(__s390x__)
	unsigned long all[] = { (unsigned long)at, size, prot, flags, fd,
	    offset };

	return (void *)syscall(SYS_mmap, all);
#else
	return (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
#endif
}

void *
mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	return mmap64(at, size, prot, flags, fd, offset);
}

void *
malloc(size_t size)
{
	return lacking(K_malloc, LIST(ENOMEM)) == -1 ? NULL :
	    __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return lacking(K_malloc, LIST(ENOMEM)) == -1 ? NULL :
	    __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	return lacking(K_malloc, LIST(ENOMEM)) == -1 ? NULL :
	    __libc_realloc(p, size);
}

void *
aligned_alloc(size_t step, size_t size)
{
	return lacking(K_malloc, LIST(ENOMEM)) == -1 ? NULL :
	    __libc_memalign(step, size);
}

int
posix_memalign(void **p, size_t step, size_t size)
{
	if (lacking(K_malloc, LIST(ENOMEM)) == -1)
		return ENOMEM;
	*p = __libc_memalign(step, size);
	return *p == NULL ? ENOMEM : 0;
}

int
memfd_create(const char *name, unsigned int flags)
{
	if (lacking(K_open, LIST(EMFILE, ENFILE, ENOMEM)) == -1)
		return -1;
	return new_one(syscall(SYS_memfd_create, name, flags));
}

int
timerfd_create(int clock, int flags)
{
	if (lacking(K_open, LIST(EMFILE, ENFILE, ENOMEM)) == -1)
		return -1;
	return new_one(syscall(SYS_timerfd_create, clock, flags));
}

int
open(const char *path, int flags, ...)
{
	uint32_t r;
	enum effect e = look_up(K_open, &r);
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	switch (e) {
	case E_intr:
		return fail(K_open, e, -1, EINTR);
	case E_lack:
		return fail(K_open, e, -1, one_of(LIST(EMFILE, ENFILE,
		    ENOMEM), r));
	case E_gone:
		return fail(K_open, e, -1, EIO);
	case E_slow:
		be_slow(K_open, -1, r);
		/* FALLTHROUGH */
	default:
		return new_one(syscall(SYS_openat, AT_FDCWD, path, flags,
		    mode));
	}
}

int
open64(const char *path, int flags, ...)
{
	va_list ap;
	int mode;

	va_start(ap, flags);
	mode = va_arg(ap, int);
	va_end(ap);
	return open(path, flags, mode);
}

int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	uint32_t r;
	enum effect e = look_up(K_getaddrinfo, &r);

	if (plan == NULL)
		*(void **)&real.getaddrinfo = dlsym(RTLD_NEXT, "getaddrinfo");
	if (e == E_lack && r % 2 == 0) {
		fail(K_getaddrinfo, e, -1, EMFILE);
		return EAI_SYSTEM;
	}
	if (e == E_lack || e == E_gone) {
		tell(K_getaddrinfo, e, -1, 0);
		return e == E_lack ? EAI_MEMORY :
		    one_of(LIST(EAI_AGAIN, EAI_FAIL), r);
	}
	if (e == E_slow)
		be_slow(K_getaddrinfo, -1, r);
	return real.getaddrinfo(host, service, hints, found);
}
