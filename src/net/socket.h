/* SPDX-License-Identifier: ISC */
/*
 * Sockets: listening, accepting, dialling, ending.  Every descriptor made
 * here is close-on-exec and non-blocking.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/addr.h"

#define NET_NAME_MAX	128	/* "[v6%scope]:port" or "unix:/path" */

enum { NET_ANY = 0, NET_IPV4 = 4, NET_IPV6 = 6 };

/*
 * Opens the sockets that a LISTEN word of kind ADDR_TCP or ADDR_UNIX means:
 * one, or two on one port for a bare PORT (loopback of both families) and for
 * a name with addresses of both; a missing family is no error.  ":PORT" is one
 * dual-stack socket, or IPv4 alone where there is no IPv6.  SO_REUSEADDR is
 * set; a stale Unix socket, which refuses connections, is replaced; a live one
 * is not, nor a file that is no socket.  What is in use is tried again for half
 * a second by net_listen(); net_listen_now() does not wait.  Returns how
 * many (1 or 2) were put into fds, or -1 with errno and why (71).
 */
int net_listen(const struct addr *, int backlog, int fds[2], struct error *);
int net_listen_now(const struct addr *, int backlog, int fds[2],
    struct error *);

/*
 * The file that a Unix socket was bound to; all zero for any other socket, and
 * if the file is gone.  To be asked right after net_listen().  net_has_file():
 * is this still the file at its path?  net_unlisten() removes it if so, to be
 * called while the socket is open: later the number may be another file's.
 */
struct net_file {
	dev_t device;
	ino_t number;
};

struct net_file net_file_of(int fd);
int net_has_file(int fd, const struct net_file *);
void net_unlisten(int fd, const struct net_file *);

/*
 * May this peer connect to the listener of this word?  An abstract Unix socket
 * without ",mode=0666" admits our own user and root only.
 */
int net_admits(const struct addr *, int fd);

/* The address of a Unix socket, "/path" or "@name".  Its length. */
struct sockaddr_un;
socklen_t net_unix_address(struct sockaddr_un *, const char *path);

/* True for a Unix socket left by a process that is gone. */
int net_is_stale(const char *path);

/*
 * The address a socket is bound to / connected to, v4-mapped ones as IPv4; "-"
 * where there is none.  Abstract and unnamed Unix sockets are "unix:@name" and
 * "unix:".  Always printable.  Each returns dst.
 */
char *net_local_name(int fd, char *dst, size_t size);
char *net_peer_name(int fd, char *dst, size_t size);
char *net_print(const struct sockaddr *, socklen_t, char *dst, size_t size);

/*
 * accept4(2) of one connection; -1 with errno.  It has what net_tune() and
 * net_linger_reset() have set its listener to, also if it came before they did.
 */
int net_accept(int listener, struct sockaddr_storage *, socklen_t *);

/*
 * Is this what accept(2) reports of the connection or its network rather than
 * of us?  The connection is gone then, and the next one may be good.
 */
int net_accept_is_transient(int error);

#define NET_FOUND_MAX	16

/* Addresses of a name, in the order in which they are tried. */
struct net_found {
	struct {
		struct sockaddr_storage ss;
		socklen_t len;
	} at[NET_FOUND_MAX];
	int n;			/* 0 for a Unix socket */
	const char *from;	/* word of net_bind_source(), or NULL */
};

/*
 * Finds the addresses of a name, family being NET_ANY, NET_IPV4 or NET_IPV6:
 * those in named, numbers separated by commas, IPv6 with or without brackets,
 * of which those of another family are left out; or, if named is NULL, those
 * that getaddrinfo(3) finds, which blocks and knows no deadline, families
 * interleaved and IPv6 first (RFC 8305 4).  0, or -1 and why: 75 if no name
 * server answers, 71 if this system lacks something, else 68.
 */
int net_find(struct net_found *, const struct addr *, const char *named,
    int family, struct error *);

/*
 * Names are looked up from here on by what the system's configuration says now,
 * and each name server is asked once, for a second: where the C library can do
 * that.
 */
void net_find_soon(void);

/*
 * Dials the addresses found as RFC 8305 5 has it (race.h), or a Unix socket,
 * until deadline of clock_ms().  The name of what answered is put into peer
 * (NET_NAME_MAX bytes) unless that is NULL.  The connected descriptor, or -1
 * and why: 75 at the deadline, 69 refused or unreachable, 71 out of descriptors
 * or memory.  A TCP connection is reset when it is closed, also if the process is
 * killed (net_linger_reset()): no end is told before there is one.
 */
int net_dial_found(const struct addr *, const struct net_found *,
    int64_t deadline, char *peer, struct error *);

/*
 * Dials a Unix socket without waiting: the descriptor, or -1, why and errno,
 * which is EAGAIN if its backlog is full.
 */
int net_dial_unix(const struct addr *, char *peer, struct error *);

/*
 * connect(2) of a non-blocking socket, which waits for room in the listener's
 * queue until the deadline.  0, or -1 with errno; ETIMEDOUT: there was none;
 * EINTR: signal_terminated().
 */
int net_connect_unix(int fd, const struct sockaddr_un *, socklen_t,
    int64_t deadline);

/*
 * source.c: where a connection is dialled from, as interface.h has the word
 * (NULL: anywhere).  net_bind_source() binds a socket of this family (AF_INET,
 * AF_INET6), net_source_check() tries whether that can be done: 0, or -1 with
 * errno.  net_find_from() is net_find() of addresses that can be dialled from
 * there: an address as word leaves its family only.
 */
int net_bind_source(int fd, const char *word, int family);
int net_source_check(const char *word);
int net_find_from(struct net_found *, const struct addr *, const char *named,
    const char *word, int family, struct error *);

/*
 * Will net_find_from() find nothing at any time, as a number in place of a name
 * is of another family?  0, or -1 and why (64): it begins with the option that
 * leaves one family only, and has what, the words for such a place.
 */
int net_family_check(const struct addr *, const char *named, const char *what,
    const char *word, int family, struct error *);

/* The number of an IPv6 zone, "eth0" or "2"; 0: there is none. */
uint32_t net_zone(const char *zone);

/*
 * TCP_NODELAY, keepalive, and a bound for what waits in the socket; harmless on
 * other sockets.  The connections of a listener inherit them.
 */
void net_tune(int fd);

/* The next close sends a TCP reset; harmless on other sockets. */
void net_linger_reset(int fd);

/* The next close is an ordinary one again. */
void net_linger_default(int fd);

/*
 * Bytes that the next hop of a TCP connection has acknowledged so far, or 0
 * where that is not known.
 */
uint64_t net_acknowledged(int fd);

/*
 * How many that will be when it has all that was written by now, at least, and
 * one or two more at most; or UINT64_MAX where that is not known.
 */
uint64_t net_written(int fd);

/* Does it have any that are not?  0 also where the system does not tell. */
int net_unacknowledged(int fd);

/*
 * Is it a socket?  Does it listen?  1, 0, or -1 with errno.  Is it a Unix
 * socket?  net_error() takes the error (SO_ERROR) that the next call would get;
 * 0 if there is none.  These two keep errno.
 */
int net_is_socket(int fd);
int net_is_unix(int fd);
int net_error(int fd);
int net_is_listener(int fd);

/*
 * What poll(2) says of a socket whose peer sends no more.  Where it has no word
 * of its own for that, SO_RCVLOWAT holds for sockets of all kinds: one that is
 * readable without new bytes is at its end.
 */
#ifdef POLLRDHUP
#define NET_POLL_ENDED	POLLRDHUP
#else
#define NET_POLL_ENDED	POLLIN
#endif

/*
 * Has a TCP peer already reset this connection?  1, 0, or -1 with errno.
 * Consumes neither data nor the error.
 */
int net_is_reset(int fd);

#endif
