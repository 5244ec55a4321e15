/* SPDX-License-Identifier: ISC */
/*
 * The asking side of SOCKS 5 (RFC 1928), with a name and password if need be
 * (RFC 1929), and of SOCKS 4 and 4A, which have no RFC: what is to be sent,
 * and what the answers mean.
 */
#ifndef PROTO_SOCKS_H
#define PROTO_SOCKS_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/ip.h"

#define SOCKS_ASK_MAX	520	/* the longest of our messages */
#define SOCKS_ANSWER_MAX 262	/* the longest of theirs */

enum socks_step { SOCKS_METHODS, SOCKS_LOGIN, SOCKS_CONNECT, SOCKS4_CONNECT,
    SOCKS_DONE };

/*
 * Set to zeros but for what is asked and, for SOCKS 4, step SOCKS4_CONNECT;
 * step then tells how far it is.
 */
struct socks {
	enum socks_step step;
	const char *user;	/* "user:password", "" for none; SOCKS 4 has
				 * no password and sends the user alone */
	const char *host;	/* the proxy looks it up if ip is NULL */
	const struct ip *ip;
	uint16_t port;
};

/*
 * Writes the message of this step.  Its length, or -1 and why (64) if user,
 * password or host are longer than 255 bytes, or SOCKS 4 is asked for an IPv6
 * address.
 */
int socks_write(unsigned char dst[SOCKS_ASK_MAX], const struct socks *,
    struct error *);

/*
 * Looks at what came in answer to it.  >0: as many bytes belong to it, and
 * the step is the next one.  0: needs more.  -1 and why: malformed (76) or
 * refused, by the status that the refusal leads to.
 */
ssize_t socks_read(struct socks *, const unsigned char *buf, size_t len,
    struct error *);

#endif
