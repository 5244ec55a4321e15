/* SPDX-License-Identifier: ISC */
/*
 * Control lines of the extension "inetws" (inetws-protocol(7)): what two
 * inetws tell each other in text messages.
 */
#ifndef WS_CONTROL_H
#define WS_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum control_kind {
	CONTROL_OPEN,		/* text: the visitor's "ip:port", or "-" */
	CONTROL_OK,
	CONTROL_FAIL,		/* text: the reason */
	CONTROL_EOF,		/* number */
	CONTROL_RST,
	CONTROL_ACK		/* number, and credit if numbers is 2 */
};

struct control {
	enum control_kind kind;
	uint64_t number, credit;
	unsigned int numbers;
	struct slice text;	/* points into the line */
};

/*
 * Reads a line.  0, or -1 if it is none: numbers are decimal, below 2^63,
 * without sign or leading zeros; one blank separates; nothing follows.
 */
int control_parse(struct control *, const void *line, size_t len);

#define CONTROL_LINE_MAX	125
#define CONTROL_ADDR_MAX	64	/* "[v6]:port", terminated */
#define CONTROL_REASON_MAX	121	/* terminated */

/*
 * The three below write a line, not terminated, and return its length.
 * control_write(): without text; number only where the kind has one; 26 bytes of
 * room.
 */
size_t control_write(char *dst, enum control_kind, uint64_t number);

/* "ack" with both numbers; 44 bytes of room. */
size_t control_write_ack(char *dst, uint64_t number, uint64_t credit);

/* With a text, which is cut if need be; CONTROL_LINE_MAX bytes of room. */
size_t control_write_text(char *dst, enum control_kind, const char *text);

#endif
