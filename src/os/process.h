/* SPDX-License-Identifier: ISC */
/*
 * Another process, and what the system tells of one.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <sys/types.h>

#include "proto/report.h"

/*
 * fork(2) for a process without threads, which has nothing to put right in
 * the child: three pages less to copy there than what fork(3) of the GNU C
 * library writes to.
 */
pid_t process_fork(void);

/* 0, or -1 where there is no /proc; started is not filled in. */
int process_look(int pid, struct report_process *);

#endif
