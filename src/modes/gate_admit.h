/* SPDX-License-Identifier: ISC */
/*
 * Which agent a request is from, and whether its credentials prove that.
 */
#ifndef MODES_GATE_ADMIT_H
#define MODES_GATE_ADMIT_H

#include "modes/accepted.h"
#include "proto/agent_name.h"

/* Fills in the file of --agents-file; a reload may change its name in *o. */
void gate_agents_file(struct line_file *, const struct options *);

/*
 * 1: the agent is admitted.  name: its name, "" if names do not matter; shown:
 * the name as the log may show it; hash: that of its secret in --agents-file,
 * "" without one.  0: it was refused, and *status is the exit status.
 */
int gate_admit(struct accepted *, const struct acceptor *,
    char name[AGENT_NAME_MAX], char shown[AGENT_NAME_MAX],
    char hash[AGENT_HASH_MAX], int *status);

#endif
