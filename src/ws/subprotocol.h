/* SPDX-License-Identifier: ISC */
/*
 * Subprotocols on the accepting side (RFC 6455 4.2.2, 11.3.4): which of those
 * that a request offers is answered, and a token that hides among them.
 */
#ifndef WS_SUBPROTOCOL_H
#define WS_SUBPROTOCOL_H

#include <stddef.h>

#include "base/str.h"
#include "proto/http.h"

#define SUBPROTOCOL_MAX	256	/* bytes of one that is answered */

/*
 * The first that the request offers among those of accepted ("a,b", or "*"
 * for any), compared exactly, as the offerer will do.  It points into the
 * head; p is NULL if there is none.
 */
struct slice subprotocol_choose(const struct http_head *,
    const char *accepted);

/*
 * Browsers cannot set Authorization: takes a token that is offered as PREFIX
 * and TOKEN out of the offer, and adds "Authorization: Bearer TOKEN" if the
 * head has no such field.  New values are put into buf.  0, or -1 if they do
 * not fit or there are two tokens.
 */
int subprotocol_take_bearer(struct http_head *, const char *prefix, char *buf,
    size_t size);

#endif
