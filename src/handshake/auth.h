/* SPDX-License-Identifier: ISC */
/*
 * Who may use a server: --auth-file and --auth-command.  Both are asked anew
 * for each request, so that a change counts at once.
 */
#ifndef HANDSHAKE_AUTH_H
#define HANDSHAKE_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "config/line_file.h"
#include "config/options.h"
#include "handshake/websocket.h"
#include "ws/upgrade.h"

struct auth {
	const char *peer;		/* the true address, "" unknown */
	const char *subject;		/* of the client's certificate, or "" */
	char *user;			/* filled in: the user, "" none */
	size_t size;			/* of user */
};

/* Is the hash, in hexadecimal digits, the SHA-256 of the secret? */
int auth_is_secret(const char *secret, struct slice hash);

/* --auth-file of these options, which may change what it names. */
void auth_file(struct line_file *, const struct options *);

/* Before a chroot(2): loads what would be out of reach behind it. */
int auth_prepare(const struct options *, struct error *);

/*
 * auth_prepare(), and: can all of the file be used, and the command be
 * executed?  0, or -1 and why (64).
 */
int auth_check(const struct options *, struct error *);

/*
 * The same at a reload, but of the file only: can it be opened?  Lines that
 * cannot be used are logged by the process that reads them.
 */
int auth_check_again(const struct options *, struct error *);

/*
 * Is a request allowed?  users is --auth-file.  0; or the status to refuse with
 * (400, 401, 403, 500, 504), and err in one line, which names no secret; *extra
 * is "" or the field lines that belong to the refusal.
 */
int auth_request(struct auth *, const struct options *,
    const struct line_file *users, const struct websocket *,
    const struct upgrade_request *, int64_t deadline, const char **extra, char *err, size_t errlen);

#endif
