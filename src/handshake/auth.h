/* SPDX-License-Identifier: ISC */
/*
 * Who may use a server: --auth-file and --auth-command.  Both are asked anew
 * for each request, so that a change counts at once.
 */
#ifndef HANDSHAKE_AUTH_H
#define HANDSHAKE_AUTH_H

#include <stddef.h>
#include <stdint.h>

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

/*
 * At the start: can the file be used, and the command be executed?  0, or -1
 * and why (64).
 */
int auth_check(const struct options *, struct error *);

/*
 * 0: let in.  Else the status to refuse with (401, 403, 500, 504), and err in
 * one line, which names no secret; extra is "" or the fields that belong to
 * the refusal.
 */
int auth_request(struct auth *, const struct options *,
    const struct websocket *, const struct upgrade_request *,
    int64_t deadline, const char **extra, char *err, size_t errlen);

#endif
