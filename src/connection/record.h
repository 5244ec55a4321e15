/* SPDX-License-Identifier: ISC */
/*
 * What a connection's process tells the statistics page.  Plain stores into
 * memory: no system call, but for the clock where a time is needed.
 */
#ifndef CONNECTION_RECORD_H
#define CONNECTION_RECORD_H

#include "connection/connection.h"
#include "tunnel/tunnel.h"

/* Who takes part, as far as is known. */
void record_peers(const struct connection *);

/* Both halves are there. */
void record_open(const struct connection *);

/* Before the relay sleeps, or answers: how far it has come. */
void record_progress(const struct tunnel *);

/* A session ends before --resume is over, for others. */
void record_gave_way(void);

/* It was no connection, it only looked. */
void record_probe(void);

void record_lost(const struct connection *);
void record_resumed(const struct connection *);

/* The end: of a tunnel, or of what could not become one. */
void record_end(const struct connection *);
void record_failed(int exit_status);
void record_handed_over(void);

#endif
