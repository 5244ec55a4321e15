/* SPDX-License-Identifier: ISC */
/*
 * Much memory for a while: one piece, mapped before the first fork, so that a
 * child has it without allocating.  What is not touched costs nothing, neither
 * pages nor tables of pages that lie between what is used all the time.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

#define MEMORY_MAX	(40 * 1024 * 1024)

/* Once, before any fork.  0, or -1 with errno. */
int memory_prepare(void);

/*
 * Lends it out, to one at a time: at most MEMORY_MAX bytes, zeroed, at the
 * beginning of a page.  To ask when somebody has it, or for more, is a mistake
 * in the program, which ends there; and so it does without memory.
 */
void *memory_take(size_t size);

/* Takes it back; what was in it is gone.  errno stays as it is. */
void memory_return(void);

/*
 * Zeroed memory that this process does not share with its children, who have
 * nothing there: so the parent's writing copies no pages after a fork.  Made
 * as large as it may ever have to be, as what is not touched costs nothing.
 * NULL with errno.
 */
void *memory_unshared(size_t size);
void memory_unshared_end(void *, size_t size);

#endif
