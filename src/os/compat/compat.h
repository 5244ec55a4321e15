/* SPDX-License-Identifier: ISC */
/*
 * Calls that some systems lack, under their usual names.  The compiler reads
 * this before every file (-include in the Makefile), so that no other file asks
 * which system it is built for, but those of os/, net/, tls/ and sandbox/ that
 * use what only one system has:
 *
 *	HAVE_LINUX	the calls, sockets and files of Linux
 *
 * With COMPAT_ALL (make COMPAT=all) Linux is treated as if it had none of
 * them, nor what only some others have, which is how the fallbacks are tested;
 * but of epoll(7) and setproctitle(3), as it has nothing to use instead.
 */
#ifndef OS_COMPAT_COMPAT_H
#define OS_COMPAT_COMPAT_H

#if defined(__linux__) && !defined(COMPAT_ALL)
#define HAVE_LINUX
#endif

#if defined(__APPLE__) || defined(COMPAT_ALL)
#define COMPAT_DESCRIPTORS	/* flags of new descriptors */
#define COMPAT_PPOLL
#define COMPAT_PROCESS		/* closefrom, execvpe, setproctitle, user ids */
#define COMPAT_MEMORY		/* memrchr, explicit_bzero */
#define COMPAT_FLOPEN
#elif defined(__OpenBSD__)
#define COMPAT_EXECVPE
#define COMPAT_FLOPEN
#endif
#ifdef COMPAT_PROCESS
#define COMPAT_EXECVPE
#endif
#if !defined(__linux__) && !defined(__FreeBSD__)
#define COMPAT_SECURE_GETENV
#endif

#ifdef COMPAT_DESCRIPTORS
#include <sys/types.h>
#include <sys/socket.h>

#include <unistd.h>

/*
 * Close-on-exec is set by a second call.  Between the two no other process is
 * started, as there are no threads.
 */
#undef SOCK_CLOEXEC
#undef SOCK_NONBLOCK
#define SOCK_CLOEXEC	0x10000000
#define SOCK_NONBLOCK	0x20000000

int compat_socket(int domain, int type, int protocol);
int compat_socketpair(int domain, int type, int protocol, int fd[2]);
int compat_accept4(int fd, struct sockaddr *, socklen_t *, int flags);
int compat_pipe2(int fd[2], int flags);
int compat_dup3(int from, int to, int flags);
ssize_t compat_recvmsg(int fd, struct msghdr *, int flags);

#define socket(d, t, p)		compat_socket(d, t, p)
#define socketpair(d, t, p, f)	compat_socketpair(d, t, p, f)
#define accept4(f, a, l, g)	compat_accept4(f, a, l, g)
#define pipe2(f, g)		compat_pipe2(f, g)
#define dup3(f, t, g)		compat_dup3(f, t, g)

/* Only descriptors that came with the message need the flag. */
#undef MSG_CMSG_CLOEXEC
#define MSG_CMSG_CLOEXEC	0x40000000
#define recvmsg(f, m, g)	compat_recvmsg(f, m, g)

/* SIGPIPE is ignored in every process that writes to a socket. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL	0
#endif
#endif

#ifdef COMPAT_PPOLL
#include <poll.h>
#include <signal.h>
#include <time.h>

int compat_ppoll(struct pollfd *, nfds_t, const struct timespec *,
    const sigset_t *);

#define ppoll(f, n, t, m)	compat_ppoll(f, n, t, m)
#endif

#ifdef COMPAT_EXECVPE
int compat_execvpe(const char *, char *const argv[], char *const env[]);

#define execvpe(p, a, e)	compat_execvpe(p, a, e)
#endif

#ifdef COMPAT_PROCESS
#include <sys/types.h>

#include <unistd.h>

void compat_closefrom(int);
int compat_getresuid(uid_t *, uid_t *, uid_t *);
int compat_getresgid(gid_t *, gid_t *, gid_t *);
int compat_setresuid(uid_t, uid_t, uid_t);
int compat_setresgid(gid_t, gid_t, gid_t);

#define closefrom(f)		compat_closefrom(f)
#define getresuid(r, e, s)	compat_getresuid(r, e, s)
#define getresgid(r, e, s)	compat_getresgid(r, e, s)
#define setresuid(r, e, s)	compat_setresuid(r, e, s)
#define setresgid(r, e, s)	compat_setresgid(r, e, s)
#endif

#ifdef COMPAT_MEMORY
#include <string.h>

void compat_explicit_bzero(void *, size_t);
void *compat_memrchr(const void *, int, size_t);

#define explicit_bzero(p, n)	compat_explicit_bzero(p, n)
#define memrchr(p, c, n)	compat_memrchr(p, c, n)
#endif

#ifdef COMPAT_FLOPEN
#include <libutil.h>

int compat_flopen(const char *path, int flags, unsigned int mode);

#define flopen(p, f, m)		compat_flopen(p, f, m)
#endif

#ifdef COMPAT_SECURE_GETENV
#include <stdlib.h>
#include <unistd.h>

#define secure_getenv(n)	(issetugid() ? NULL : getenv(n))
#endif

#ifdef __APPLE__
#include <sys/types.h>

#include <Availability.h>
#include <stdlib.h>		/* arc4random(3) */
#include <sys/random.h>		/* getentropy(3) */
#include <unistd.h>

#define TCP_KEEPIDLE			TCP_KEEPALIVE
#define st_mtim				st_mtimespec
#define st_ctim				st_ctimespec
#define getgrouplist(u, g, l, n)	getgrouplist(u, (int)(g), (int *)(l), n)
#define setproctitle_init(c, v, e)	((void)0)
#define setproctitle(...)		((void)0)
#endif

#endif
