/* SPDX-License-Identifier: ISC */
/*
 * Which agent a request is from, and whether it may be that one.
 */
#ifndef MODES_GATE_ADMIT_H
#define MODES_GATE_ADMIT_H

#include "modes/accepted.h"
#include "proto/agent_name.h"

/* --agents-file of these options, which may change what it names. */
void gate_agents_file(struct line_file *, const struct options *);

/*
 * 1: admitted, name is its name ("" if names do not matter), shown is how the
 * log may show it, hash that of its secret in --agents-file ("" if there is
 * none).  0: it was refused, *status is what to exit with.
 */
int gate_admit(struct accepted *, const struct acceptor *,
    char name[AGENT_NAME_MAX], char shown[AGENT_NAME_MAX],
    char hash[AGENT_HASH_MAX], int *status);

#endif
