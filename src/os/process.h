/* SPDX-License-Identifier: ISC */
/*
 * Creating processes, and what the system knows of one.
 */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include <sys/types.h>

#include <stdint.h>

/* What a process uses. */
struct process_usage {
	double cpu;			/* seconds, with its ended children */
	uint64_t virtual_bytes, resident_bytes;
	uint64_t fds, max_fds;		/* open descriptors, their limit */
};

/*
 * Prepares a static program, once at its start: with glibc users, groups and
 * hosts are then found in files and DNS only.  The modules that nsswitch.conf(5)
 * may name for others cannot be loaded safely; libnss_systemd crashes.
 */
void process_static(void);

/*
 * fork(2) without the handlers of pthread_atfork(3), which a process without
 * threads does not need: the child copies three pages of memory less than after
 * glibc's fork(3).
 */
pid_t process_fork(void);

/*
 * The same; of the descriptors that a process keeps from its children
 * (fd_keep()) the child has only a and b, which may be -1.  The time for this
 * does not depend on the number of descriptors: if there are many, parent and
 * child share a table until the child has its own, and the parent waits for
 * that.  On a machine so busy that this takes long, the table is copied
 * instead.  A child that is stopped just then is killed after 0.2 seconds, and if
 * it does not end then the parent goes on with a copy of the table.
 */
pid_t process_fork_with(int a, int b);

/* Waits for the end of a child that will end soon, and drops its status. */
void process_wait(pid_t);

/*
 * Kills a child, so that its place among the processes is free.  0; or -1 if it
 * has not ended within 0.2 seconds, as when a tracer or a file system holds it:
 * its status is still to be waited for.
 */
int process_kill(pid_t);

/*
 * Has this child ended?  Its status can still be waited for.  1 also if it is
 * none.
 */
int process_has_ended(pid_t);

/*
 * Does the process still run that had this number at a time (of clock_ms())?  1
 * also if it cannot be told from a later process with the same number.
 */
int process_lives(int pid, int64_t at);

/*
 * This process gets the signal when its parent, which has this number, ends; at
 * once if that has ended already.  0, or -1 where the system does not do this.
 */
int process_follow(pid_t parent, int signo);

/* The namespace of process numbers (pid_namespaces(7)); 0 if not known. */
uint64_t process_namespace(void);

/* What a process uses: 0, or -1 where there is no /proc. */
int process_look(int pid, struct process_usage *);

#endif
