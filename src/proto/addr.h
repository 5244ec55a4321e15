/* SPDX-License-Identifier: ISC */
/*
 * Where things are: the LISTEN, TARGET and URL words of the command line.
 * Parsing only; nothing is resolved here.
 */
#ifndef PROTO_ADDR_H
#define PROTO_ADDR_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define ADDR_HOST_MAX	255	/* RFC 1035 2.3.4 */
#define ADDR_PATH_MAX	107	/* sun_path, without the NUL */
#define URL_PATH_MAX	4095
#define URL_USER_MAX	1023	/* "user:password" */

enum addr_kind {
	ADDR_TCP,	/* host and port */
	ADDR_UNIX,	/* path, mode */
	ADDR_FD,	/* number */
	ADDR_SYSTEMD,	/* name, "" for all that systemd passed */
	ADDR_INETD,	/* descriptor 0, whatever it is */
	ADDR_STDIO	/* "-": descriptors 0 and 1 */
};

struct addr {
	enum addr_kind kind;
	char host[ADDR_HOST_MAX + 1];	/* "" any, "localhost" for bare PORT */
	uint16_t port;			/* 0: any free one (LISTEN only) */
	char path[ADDR_PATH_MAX + 1];
	int mode;			/* permission bits, -1 not given */
	int number;			/* descriptor */
	char name[64];			/* of systemd's FileDescriptorName= */
	unsigned int any : 1;		/* LISTEN ":8080": all addresses */
	unsigned int loopback : 1;	/* LISTEN "8080": both loopbacks */
};

/*
 * LISTEN: HOST:PORT, [V6]:PORT, :PORT, PORT, unix:/path[,mode=0660],
 * unix:@name[,mode=0666] (abstract: path begins with '@'), fd:N,
 * systemd[:name], inetd, -.  0, or -1 with one line in err.
 */
int addr_listen(struct addr *, const char *word, char *err, size_t errlen);

/* TARGET: HOST:PORT, [V6]:PORT, unix:/path, unix:@name; port 1..65535. */
int addr_target(struct addr *, const char *word, char *err, size_t errlen);

/* HOST[:PORT] of a URL; port is what a missing or empty one is. */
int addr_of_url(struct addr *, struct slice word, unsigned int port,
    char *err, size_t errlen);

/* How an address is written, as parsed; always terminated.  Returns dst. */
char *addr_print(char *dst, size_t size, const struct addr *);

/*
 * A websocket URL (RFC 6455 3): ws wss http https, or ws+unix:/sock:/path.
 * No fragment.  Userinfo is allowed and kept apart, so that it never shows.
 */
struct url {
	int tls;			/* wss, https */
	struct addr at;			/* to dial: ADDR_TCP or ADDR_UNIX */
	char path[URL_PATH_MAX + 1];	/* path and query, begins with '/' */
	char user[URL_USER_MAX + 1];	/* percent-decoded userinfo "user:pass",
					 * "" if none */
};

int url_parse(struct url *, const char *word, char *err, size_t errlen);

/*
 * What stands between "//" and the path: [USER[:PASSWORD]@]HOST[:PORT].
 * Fills in at and user; port is what a missing one is.  0, or -1 with one
 * line in err, in which no userinfo shows.
 */
int url_authority(struct url *, struct slice, unsigned int port, char *err,
    size_t errlen);

/*
 * Has that part of the word no host?  Then -1 and err: the word up to there,
 * if it has no userinfo, and what was expected.  Else 0.
 */
int url_no_host(struct slice, const char *expected, struct slice word,
    char *err, size_t errlen);

/* Do credentials for one go to the other?  Scheme, host and port count. */
int url_same_origin(const struct url *, const struct url *);
int addr_same(const struct addr *, const struct addr *);

/*
 * Resolves a Location (RFC 3986 5) against base: absolute, //host, /path or
 * relative.  0, or -1 with one line in err.  The result has no userinfo
 * unless the reference had one.
 */
int url_join(struct url *result, const struct url *base, const char *ref,
    char *err, size_t errlen);

/* host[:port] for the Host field, port left out when it is the default. */
char *url_host(char *dst, size_t size, const struct url *);

/* The whole URL without userinfo and query, for logs and people. */
char *url_print(char *dst, size_t size, const struct url *);

#endif
