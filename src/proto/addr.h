/* SPDX-License-Identifier: ISC */
/*
 * The words LISTEN, TARGET and URL of the command line: parsing and printing.
 * Nothing is resolved here.
 */
#ifndef PROTO_ADDR_H
#define PROTO_ADDR_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define ADDR_HOST_MAX	255	/* RFC 1035 2.3.4 */
#define ADDR_TEXT_MAX	(ADDR_HOST_MAX + 16)	/* of addr_print(), with NUL */
#define ADDR_PATH_MAX	107	/* sun_path, without the NUL */
#define URL_PATH_MAX	4095	/* bytes of path and query */
#define URL_USER_MAX	1023	/* bytes of "user:password" */

enum addr_kind {
	ADDR_TCP,	/* host and port */
	ADDR_UNIX,	/* path and mode */
	ADDR_FD,	/* "fd:3": number */
	ADDR_SYSTEMD,	/* "systemd:NAME": name, "" for all that it passes */
	ADDR_INETD,	/* descriptor 0, a listener or a connection */
	ADDR_STDIO	/* "-": one connection on descriptors 0 and 1 */
};

struct addr {
	enum addr_kind kind;
	char host[ADDR_HOST_MAX + 1];	/* name or address, no brackets */
	uint16_t port;			/* 0: any free one (LISTEN only) */
	char path[ADDR_PATH_MAX + 1];	/* "@NAME": abstract, see unix(7) */
	int mode;			/* permission bits, -1: not given */
	int number;			/* of a descriptor */
	char name[64];			/* of systemd's FileDescriptorName= */
	unsigned int any : 1;		/* LISTEN ":8080": all addresses; host
					 * is "" */
	unsigned int loopback : 1;	/* LISTEN "8080": 127.0.0.1 and ::1;
					 * host is "localhost" */
};

/*
 * Parses a LISTEN: HOST:PORT, [V6]:PORT, :PORT, PORT, unix:/path[,mode=0660],
 * unix:@name[,mode=0666], fd:N, systemd[:name], inetd, or -.  0, or -1 with one
 * line in err.
 */
int addr_listen(struct addr *, const char *word, char *err, size_t errlen);

/*
 * Parses a TARGET: HOST:PORT or [V6]:PORT, with a port 1..65535, unix:/path or
 * unix:@name.  0, or -1 with one line in err.
 */
int addr_target(struct addr *, const char *word, char *err, size_t errlen);

/*
 * Parses HOST[:PORT] of a URL; port is the default one.  0, or -1 with one line
 * in err.
 */
int addr_of_url(struct addr *, struct slice word, unsigned int port,
    char *err, size_t errlen);

/* Writes an address so that it can be parsed again.  Returns dst. */
char *addr_print(char *dst, size_t size, const struct addr *);

/*
 * The URL of a websocket (RFC 6455 3), with the scheme ws, wss, http or https,
 * or ws+unix:/SOCKET:/PATH.  It has no fragment.  Userinfo is kept apart from
 * the rest, because it is never shown.
 */
struct url {
	int tls;			/* wss, https */
	struct addr at;			/* to dial: ADDR_TCP or ADDR_UNIX */
	char path[URL_PATH_MAX + 1];	/* path and query, begins with '/' */
	char user[URL_USER_MAX + 1];	/* userinfo "user:password" without
					 * percent-encoding, "": none */
};

/* 0, or -1 with one line in err, in which no userinfo shows. */
int url_parse(struct url *, const char *word, char *err, size_t errlen);

/*
 * Parses the authority of a URL (RFC 3986 3.2), [USER[:PASSWORD]@]HOST[:PORT],
 * and fills in at and user; port is the default one.  0, or -1 with one line in
 * err, in which no userinfo shows.
 */
int url_authority(struct url *, struct slice, unsigned int port, char *err,
    size_t errlen);

/*
 * -1 if an authority, which is a part of word, has no host; then err shows the
 * word up to the end of the authority (not if there may be userinfo in it) and
 * what was expected.  Else 0.
 */
int url_no_host(struct slice authority, const char *expected,
    struct slice word, char *err, size_t errlen);

/* Have they the same scheme, host and port, so that credentials go to both? */
int url_same_origin(const struct url *, const struct url *);

/* Have they the same host and port, or the same path of a socket? */
int addr_same(const struct addr *, const struct addr *);

/*
 * Resolves the reference of a field Location (RFC 3986 5) against base: it may
 * be a URL, //HOST/PATH, /PATH, or relative.  The result has the userinfo of
 * the reference, never that of base.  0, or -1 with one line in err.
 */
int url_join(struct url *result, const struct url *base, const char *ref,
    char *err, size_t errlen);

/* The value of Host: host[:port], without a default port.  Returns dst. */
char *url_host(char *dst, size_t size, const struct url *);

/* The URL without userinfo and query, to be shown.  Returns dst. */
char *url_print(char *dst, size_t size, const struct url *);

#endif
