/* SPDX-License-Identifier: ISC */
/*
 * Creating a process, and what the system tells of one.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <sys/types.h>

#include <stdint.h>

/* What /proc tells of a process. */
struct process_usage {
	double cpu;			/* seconds, children's too */
	uint64_t virtual_bytes, resident_bytes;
	uint64_t fds, max_fds;
};

/*
 * fork(2) without the library's handlers, of which a process without threads
 * needs none: the child copies three pages less than after fork(3) of glibc.
 */
pid_t process_fork(void);

/*
 * The same, and of the descriptors that are kept from children (fd_keep())
 * the child has only these two, which may be -1.  What that costs does not
 * depend on how many there are: if they are many the child begins with the table
 * of its parent, which waits until the child has a table of its own; on a
 * machine so busy that this takes long, tables are copied.  A child that was
 * stopped just then is killed after 0.2 seconds.
 */
pid_t process_fork_with(int a, int b);

/* Waits for the end of a child that is about to end, and forgets its status. */
void process_wait(pid_t);

/*
 * Does the process still live that had this number at a time (of clock_ms())?
 * 1 also if that cannot be told from another process with the same number.
 */
int process_lives(int pid, int64_t at);

/* The namespace of our numbers; 0 where there are none, or it is not known. */
uint64_t process_namespace(void);

/* 0, or -1 where there is no /proc. */
int process_look(int pid, struct process_usage *);

#endif
