/* SPDX-License-Identifier: ISC */
/*
 * The client side of SOCKS 5 (RFC 1928), with or without a user and password
 * (RFC 1929), and of SOCKS 4 and 4A, which have no RFC: writing requests,
 * reading answers.
 */
#ifndef PROTO_SOCKS_H
#define PROTO_SOCKS_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/ip.h"

#define SOCKS_ASK_MAX	520	/* bytes of the longest request */
#define SOCKS_ANSWER_MAX 262	/* bytes of the longest answer */

/* Which request is next. */

enum socks_step { SOCKS_METHODS, SOCKS_LOGIN, SOCKS_CONNECT, SOCKS4_CONNECT,
    SOCKS_DONE };

/*
 * The caller sets all of it to zero, then user, host, ip and port, and for
 * SOCKS 4 step to SOCKS4_CONNECT.  socks_read() changes step.
 */
struct socks {
	enum socks_step step;
	const char *user;	/* "user:password", "": none; SOCKS 4 has no
				 * password and sends the user alone */
	const char *host;	/* the proxy resolves it if ip is NULL */
	const struct ip *ip;	/* where to connect to, or NULL */
	uint16_t port;
};

/*
 * Writes the request of this step.  Its length; or -1 and why (64) if user,
 * password or host are longer than 255 bytes, or if SOCKS 4 is asked for an
 * IPv6 address.
 */
int socks_write(unsigned char dst[SOCKS_ASK_MAX], const struct socks *,
    struct error *);

/*
 * Reads the answer to that request.  > 0: it has this length, and step is the
 * next one. 0: it is not complete.  -1 and why: malformed (76), or refused (69,
 * 75, 76 or 77).
 */
ssize_t socks_read(struct socks *, const unsigned char *buf, size_t len,
    struct error *);

#endif
