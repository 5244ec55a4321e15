/* SPDX-License-Identifier: ISC */
/*
 * Private to auth.c: a program that decides, told of the request as CGI
 * (RFC 3875) has it.
 */
#ifndef HANDSHAKE_AUTH_COMMAND_H
#define HANDSHAKE_AUTH_COMMAND_H

#include "handshake/auth.h"

/* As auth_request(); a->user is what the file has found, "" without one. */
int auth_command(struct auth *a, const struct options *,
    const struct websocket *, const struct upgrade_request *, int64_t deadline,
    char *err, size_t errlen);

#endif
