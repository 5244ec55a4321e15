/* SPDX-License-Identifier: ISC */
/*
 * The websocket extension "inetws" (inetws-protocol(7)): its parameters in
 * Sec-WebSocket-Extensions (RFC 6455 9.1).
 */
#ifndef WS_EXTENSION_H
#define WS_EXTENSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define EXTENSION_ID_MAX	16
#define EXTENSION_INSTANCE_LEN	16	/* of Inetws-Instance */
#define EXTENSION_SESSION_LEN	32	/* 128 bits in lower-case hex */
#define EXTENSION_WIN_MIN	65536
#define EXTENSION_WIN_MAX	16777216
#define EXTENSION_WIN_FIRST	262144	/* the most that "win" offers, and
					 * what its absence means */
#define EXTENSION_VERSION	2

enum {
	EXT_SERVE = 1,		/* offer: an agent, dials when told "open" */
	EXT_PARK = 2,		/* warm: the answerer dials at "open" */
	EXT_RESUME = 4		/* a session is asked for, or named */
};

struct extension {
	unsigned int flags;			/* EXT_ */
	char id[EXTENSION_ID_MAX + 1];		/* of the sender's log */
	uint32_t win;				/* bytes, the first credit */
	char session[EXTENSION_SESSION_LEN + 1];/* "" if resume had no value */
	uint64_t attempt;			/* n=, of a redial, from 1 */
	uint64_t at;				/* at=, payload bytes taken */
	unsigned int has_at : 1;
	unsigned int has_id : 1;
	unsigned int version;

	/* of a header field, not the element: where the session lives, "" unknown */
	char instance[EXTENSION_INSTANCE_LEN + 1];
};

/*
 * Reads one element of Sec-WebSocket-Extensions.  1: it is a valid "inetws"
 * element and *ext is filled in, defaults included; parameters that are not
 * known are ignored.  0: it is some other extension, or one of ours with a
 * repeated, missing or malformed parameter or of another version, which is to
 * be declined.  id must be there; n and at only come with a named session,
 * serve never with park.
 *
 * Set on 0 too, if the element is ours: ext->version, 0 if there was no well
 * formed v; ext->has_id if there was an id, of whatever form, as a plain peer
 * that echoes our name would not give one; ext->id, "" if that was malformed.
 */
int extension_parse(struct extension *ext, struct slice element);

/*
 * May it stand in an offer?  A redial names a session and has n and at; any
 * other offer has none of these.
 */
int extension_is_offer(const struct extension *);

/*
 * May it stand in the answer to this offer?  It has nothing that was not
 * offered, a session has a name, and only what answers a redial has at.
 */
int extension_is_answer(const struct extension *,
    const struct extension *offer);

/*
 * Is it an element as RFC 6455 9.1 has them, whoever's: a token, then
 * parameters, blanks around each part allowed?
 */
int extension_is_well_formed(struct slice element);

/* Is the element's name "inetws", whatever its parameters are? */
int extension_is_ours(struct slice element);

/* Writes an element, terminated.  The length, or -1 if it does not fit. */
int extension_write(char *dst, size_t size, const struct extension *);

#endif
