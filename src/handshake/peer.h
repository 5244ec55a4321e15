/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end of an accepted connection: its true address, its
 * user, and whether it is allowed.
 *
 * The address is found in steps, each of which counts only if the one before
 * led to a trusted sender: the socket's address (or that of --accept-proxy's
 * header), the field of --real-ip-header from a --trusted-proxy, the "open"
 * of a warm client that is itself in a --trusted-proxy network.
 */
#ifndef HANDSHAKE_PEER_H
#define HANDSHAKE_PEER_H

#include <stddef.h>
#include <stdint.h>

#include "config/line_file.h"
#include "config/options.h"
#include "handshake/websocket.h"
#include "net/socket.h"
#include "tls/tls.h"
#include "ws/upgrade.h"

#define PEER_USER_MAX	128	/* bytes of a user name, with its NUL */

struct peer {
	char address[NET_NAME_MAX];	/* the true one, "" unknown */
	char user[PEER_USER_MAX];	/* "" without authentication */
	int trusted;			/* it came by a --trusted-proxy */
	int trusts_open;		/* the address in its "open" counts */
	int untold;			/* a proxy is there and tells no address */
	char subject[TLS_SUBJECT_MAX];	/* of the client's certificate */
};

/* address is the other end of the connection itself. */
void peer_begin(struct peer *, const char *address);

/*
 * --accept-proxy: reads the PROXY header off the connection, and not a byte
 * more.  With kept the header stays in the socket, so that another process can
 * read it again, and *kept is its length, for peer_drop().  0, or -1 and why
 * (76, 75 at the deadline, 74 if the peer left).  Without the option nothing
 * happens, *kept is 0.
 */
int peer_proxy_header(struct peer *, const struct options *, int fd,
    int64_t deadline, size_t *kept, struct error *);

/* Takes so many bytes that are in the socket.  0, or -1 with errno. */
int peer_drop(int fd, size_t kept);

/*
 * Address, Origin and authentication of a request, users being --auth-file.
 * 0; or -1 and why: it has been refused on the connection, which is closed.
 */
int peer_check(struct peer *, const struct options *,
    const struct line_file *users, struct websocket *,
    const struct upgrade_request *, int64_t deadline, struct error *);

/*
 * Whose a connection is, behind peer_check(): its user's, that of its
 * certificate, or its address's, as a number.  0 if that is of no one in
 * particular: a Unix socket, a loopback address, a trusted proxy that tells no
 * address.
 */
uint64_t peer_owner(const struct peer *, const struct options *);

/*
 * --max-per-source: 0 if there may be one more from this address; from now on
 * it is counted.  -1 and why (75) if not, or if it cannot be counted.
 */
int peer_count(const struct options *, const char *address, struct error *);

/*
 * A warm client, or a gate, says "open FROM" ("-": it does not tell): address
 * becomes FROM if that counts, and is counted then.  0, or -1 and why (75).
 */
int peer_opened(const struct options *, char address[NET_NAME_MAX],
    int trusts_open, const char *from, struct error *);

/*
 * --send-proxy: tells a target on a fresh connection (fd) who the peer is;
 * via is the address it came to.  0, or -1 and why (69).
 */
int peer_tell_target(const struct options *, int fd, const char *peer,
    const char *via, struct error *);

#endif
