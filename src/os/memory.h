/* SPDX-License-Identifier: ISC */
/*
 * One large piece of memory, lent for a while: mapped before the first fork, so
 * that a child has it without allocating.  Pages that are not touched cost
 * nothing.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

#define MEMORY_MAX	(40 * 1024 * 1024)

/*
 * For small variables that most children write: they lie together, so that a
 * child copies one page for all of them.
 */
#ifdef __ELF__
#define MEMORY_HOT	__attribute__((section(".data.hot")))
#else
#define MEMORY_HOT
#endif

/* Once, before any fork.  0, or -1 with errno. */
int memory_prepare(void);

/*
 * Lends it, to one user at a time: at most MEMORY_MAX bytes, zeroed, page
 * aligned.  Aborts if it is lent already, if size is larger, or if there is no
 * memory.
 */
void *memory_take(size_t size);

/* Takes it back and discards its contents.  errno is kept. */
void memory_return(void);

/*
 * Discards what is in the pages that lie wholly in this memory; they are zero
 * when they are touched again.  Pages may be larger than 4 KiB (64 KiB on many
 * machines with arm64 and ppc64el), and the kernel would discard the whole last
 * one.
 */
void memory_discard(void *, size_t size);

/*
 * Zeroed memory that children do not inherit (MADV_DONTFORK), so that writing
 * to it after a fork copies no pages.  Ask for the largest size that may ever
 * be needed, as pages that are not touched cost nothing.  NULL with errno.
 */
void *memory_unshared(size_t size);
void memory_unshared_end(void *, size_t size);

/*
 * Zeroed memory that children share, for as long as this process lives.  All of
 * it is one mapping, side by side, so that a child needs one page table for what
 * it touches there, and few pages.  At most MEMORY_SHARED_MAX in all.  NULL with
 * errno.
 */
#define MEMORY_SHARED_MAX (6 * 1024 * 1024)
void *memory_shared(size_t size);

/*
 * An empty file without a name, in memory where the system can do that, else in
 * /tmp; close-on-exec, for fd_seal().  -1 with errno, ENOSYS: there is no such
 * thing here.
 */
int memory_file(const char *label);

#endif
