/* SPDX-License-Identifier: ISC */
/*
 * The fields that are added to our requests: --header, the output of
 * --header-command, --forward-peer, and the cookies of earlier answers; those
 * for a proxy, --proxy-header and the output of --proxy-header-command.
 */
#ifndef HANDSHAKE_HEADERS_H
#define HANDSHAKE_HEADERS_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "config/options.h"
#include "handshake/websocket.h"
#include "proto/cookie.h"
#include "proto/header.h"

#define HEADERS_GIVEN_MAX	8192	/* bytes of options and a command */
#define HEADERS_SIZE		(HEADERS_GIVEN_MAX + COOKIES_SENT_MAX)

/*
 * Starts --header-command for a request to url, which may be where a redirect
 * of o->url leads; for another origin than that of o->url it is not run.  It
 * may run for --handshake-timeout, or ten seconds if that is off, in a process
 * that has wiped the keys of these contexts.  *question is to be passed to the
 * functions below; 0: there is nothing to run.  A command that still runs for
 * an earlier question is ended.  0, or -1 and why.
 */
int headers_ask(uint64_t *question, const struct options *,
    const struct url *, struct trust *, struct error *);

/*
 * Writes the fields.  1; 0: the command still runs, and it goes on when what
 * headers_poll() sets is ready, or at headers_time(); -1 and why.
 *
 * Another origin than that of o->url gets no field that may be a secret
 * (header_is_private()).  The cookies that this process has taken stand behind
 * those that are given, in one field (RFC 6265 5.4).
 */
int headers_write(char lines[HEADERS_SIZE], const struct options *,
    const struct url *, uint64_t question, struct error *);

/*
 * What a running command is waited for with: writes 0 or 1 entries and returns
 * how many; and by when it has ended, of clock_ms(), 0 if none runs.
 */
int headers_poll(uint64_t question, struct pollfd *);
int64_t headers_time(uint64_t question);

/*
 * -1 and why: the command is not waited for any more; error is ETIMEDOUT or
 * EINTR.
 */
int headers_late(const struct options *, enum header_for, int error,
    struct error *);

/* Takes the cookies of an answer to a request for this URL. */
void headers_take_cookies(const struct http_head *, const struct url *);

/* As headers_ask() and headers_write(), for a request to an HTTP proxy. */
int headers_ask_proxy(uint64_t *question, const struct options *,
    const struct proxy *, struct trust *, struct error *);
int headers_write_proxy(char lines[HEADERS_GIVEN_MAX], const struct options *,
    uint64_t question, struct error *);

#endif
