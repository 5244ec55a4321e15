/* SPDX-License-Identifier: ISC */
/*
 * Which agent a request is from, and whether it may be that one.
 */
#ifndef MODES_GATE_ADMIT_H
#define MODES_GATE_ADMIT_H

#include "modes/accepted.h"
#include "proto/agent_name.h"

/* Can --agents-file be used?  At the start; 0, or -1 and why (64). */
int gate_check_file(const struct options *, struct error *);

/*
 * 1: admitted, name is its name ("" if names do not matter), shown is how the
 * log may show it, hash that of its secret in --agents-file ("" if there is
 * none).  0: it was refused, *status is what to exit with.
 */
int gate_admit(struct accepted *, const struct options *,
    char name[AGENT_NAME_MAX], char shown[AGENT_NAME_MAX],
    char hash[AGENT_HASH_MAX], int *status);

#endif
