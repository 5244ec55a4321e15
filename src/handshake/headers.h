/* SPDX-License-Identifier: ISC */
/*
 * The fields that are added to our requests: --header, the output of
 * --header-command, --forward-peer, and the cookies of earlier answers; those
 * for a proxy, --proxy-header and the output of --proxy-header-command.
 */
#ifndef HANDSHAKE_HEADERS_H
#define HANDSHAKE_HEADERS_H

#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "handshake/websocket.h"
#include "proto/cookie.h"

/*
 * Those for a request to url, which may be where a redirect of o->url leads:
 * another host gets neither secrets nor the command's output.  The command
 * is run, for --handshake-timeout or ten seconds, by a process that has
 * wiped the keys of these contexts.  0, or -1 and why.
 *
 * The cookies that this process has taken stand behind those that are given,
 * in one field.  size is HEADERS_SIZE.
 */
#define HEADERS_SIZE	(HEADERS_GIVEN_MAX + COOKIES_SENT_MAX)
#define HEADERS_GIVEN_MAX 8192
int headers_write(char *lines, size_t size, const struct options *,
    const struct url *, struct trust *, struct error *);

/* Takes the cookies of an answer to a request for this URL. */
void headers_take_cookies(const struct http_head *, const struct url *);

/* Those for a request to an HTTP proxy, whose command is run likewise. */
int headers_write_proxy(char *lines, size_t size, const struct options *,
    const struct proxy *, struct trust *, struct error *);

#endif
