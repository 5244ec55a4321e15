/* SPDX-License-Identifier: ISC */
/*
 * What the files of carry share: carry.c begins and ends a tunnel,
 * carry_session.c sees to its wire when that is lost, carry_wait.c to a stream
 * that comes later.
 */
#ifndef RUN_CARRY_INSIDE_H
#define RUN_CARRY_INSIDE_H

#include "connection/connection.h"

/* What ps(1) shows. */
void carry_show(const struct carry *, const char *state);

/* NULL for an empty string, which the log leaves out. */
const char *carry_word(const char *);

/* Events of the relay: a wire lost, somebody at the session's door, time. */
void carry_lost(struct carry *);
void carry_visited(struct carry *);
void carry_time(struct carry *);

/* A message on the pair; RELAY_GET, RELAY_OPENED, RELAY_RETURN. */
void carry_visitor(struct carry *);
void carry_get(struct carry *);
void carry_opened(struct carry *);
void carry_return(struct carry *);

#endif
