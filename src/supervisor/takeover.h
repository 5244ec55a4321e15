/* SPDX-License-Identifier: ISC */
/*
 * --replace: which agent of a name is the one that serves it.  One that was
 * replaced dials again, and must not take the name back as long as the other
 * one is there, or they would replace each other for ever.
 */
#ifndef SUPERVISOR_TAKEOVER_H
#define SUPERVISOR_TAKEOVER_H

#include <stdint.h>

#include "connection/worker_channel.h"

#define TAKEOVER_REPLACED	4	/* agents that are remembered */
#define TAKEOVER_MS	30000	/* without a websocket of the one that is
				 * there, until one of them may come back */

/* All zeros at first. */
struct takeover {
	char agent_id[AGENT_ID_MAX];
	char replaced[TAKEOVER_REPLACED][AGENT_ID_MAX];	/* last one first */
	unsigned int n;			/* tells one from the next */
	unsigned int websockets;	/* of the one that is there */
	int64_t last;			/* when it lost one */
};

/*
 * 1 if the agent with this id, "" not known, is the one from now on; 0 if it
 * has to wait.
 */
int takeover_claim(struct takeover *, const char *agent_id, int64_t now);

/*
 * A websocket of the one that is there has been admitted: the number of the
 * takeover, which is given back when it has ended.
 */
unsigned int takeover_add(struct takeover *);
void takeover_remove(struct takeover *, unsigned int n, int64_t now);

#endif
