/* SPDX-License-Identifier: ISC */
/*
 * Connections that a process which waits for one shall get: a visitor of a
 * gate, a connection of a warm client.  Here both are called visitors.
 */
#ifndef SUPERVISOR_VISITOR_H
#define SUPERVISOR_VISITOR_H

#include <stdint.h>

#include "net/socket.h"

#define NAME_NONE	(-1)	/* not a visitor of a gate */
#define NAMES_MAX	65536

struct visitor {
	int fd;			/* -1: there is none */
	int name;		/* the number of the name it came to */
	int64_t until;		/* it waits, of clock_ms() */
	char peer[NET_NAME_MAX];
};

#endif
