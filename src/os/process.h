/* SPDX-License-Identifier: ISC */
/*
 * What the system tells of a process.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include "proto/report.h"

/* 0, or -1 where there is no /proc; started is not filled in. */
int process_look(int pid, struct report_process *);

#endif
