/* SPDX-License-Identifier: ISC */
/*
 * What a connection's process tells the statistics page.  Plain stores into
 * memory: no system call, but for the clock where a time is needed.
 */
#ifndef RUN_NOTE_H
#define RUN_NOTE_H

#include "connection/connection.h"
#include "tunnel/tunnel.h"

/* Who takes part, as far as is known. */
void note_who(const struct carry *);

/* Both halves are there. */
void note_open(const struct carry *);

/* Before the relay sleeps, or answers: how far it has come. */
void note_round(const struct tunnel *);

void note_lost(void);
void note_resumed(const struct carry *);

/* The end: of a tunnel, or of what could not become one. */
void note_end(const struct carry *);
void note_failed(int exit_status);
void note_handed_over(void);

#endif
