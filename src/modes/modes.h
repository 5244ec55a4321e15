/* SPDX-License-Identifier: ISC */
/*
 * The modes: each function does all that a command line asks for, and returns
 * the exit status.
 */
#ifndef MODES_MODES_H
#define MODES_MODES_H

#include "config/options.h"

int server_main(const struct options *);
int client_main(const struct options *);
int connect_main(const struct options *);
int gate_main(const struct options *);
int agent_main(const struct options *);
int status_main(const struct options *);
int check_main(const struct options *);

#endif
