/* SPDX-License-Identifier: ISC */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "peer.h"

/* What the command line asked for. */
struct load {
	int port;
	int ws;			/* speak websocket */
	int down;		/* bulk: from the target rather than to it */
	size_t count;		/* streams, connections, or slots */
	double seconds;		/* to measure for */
	uint64_t size;		/* bulk: bytes in all instead of seconds */
	int sync;		/* "ready", then wait for a line on stdin */
};

/* One line of the peers' loop. */
struct crowd {
	struct peer *peers;
	size_t count;
	int ep;
};

uint64_t	 now_ns(void);

/*
 * Between the set-up and what is measured, so that whoever started us can
 * read a contender's counters: print "ready" and wait for a line.
 */
void		 ready(const struct load *);

/* Connect all, a few at a time, each proven by a byte there and back. */
void		 crowd_open(struct crowd *, const struct load *);

/* Begin or stop to be told when it can be written. */
void		 crowd_want(const struct crowd *, struct peer *, int out);

/* The answer to h, when in_want is 1. */
peer_taker	 take_hello;

/* The measures: each prints one line of JSON and ends us when bytes differ. */
void		 measure_bulk(struct crowd *, const struct load *);
void		 measure_rtt(struct crowd *, const struct load *);
void		 measure_idle(struct crowd *, const struct load *);
void		 measure_rate(struct crowd *, const struct load *);

/* Exit statuses: 1 for a connection that failed, this for wrong bytes. */
#define EXIT_BYTES	3
void		 bytes_differ(const struct peer *) __attribute__((noreturn));

#endif
