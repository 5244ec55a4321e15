/* SPDX-License-Identifier: ISC */
/*
 * Large memory: a block that is lent, memory that children share, and memory
 * that they do not inherit.  All of it is mapped before the first fork, so that
 * a child allocates nothing.  Pages that are not touched cost nothing.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

#define MEMORY_MAX	(40 * 1024 * 1024)	/* bytes of the block */

/*
 * For small variables that most children write: the linker puts them side by
 * side, so that a child copies one page of memory for all of them.
 */
#ifdef __ELF__
#define MEMORY_HOT	__attribute__((section(".data.hot")))
#else
#define MEMORY_HOT
#endif

/* Maps the block; once, before the first fork.  0, or -1 with errno. */
int memory_prepare(void);

/*
 * Lends the block to one user at a time: size bytes, at most MEMORY_MAX,
 * zeroed, aligned to a page.  Aborts if it is lent already, if size is larger,
 * or without memory.
 */
void *memory_take(size_t size);

/* Takes the block back and discards its contents.  Keeps errno. */
void memory_return(void);

/*
 * Discards the contents of all pages that lie completely in this memory; they
 * are zero when they are touched again.  The other pages stay: pages may be
 * larger than 4 KiB (64 KiB on many machines with arm64 and ppc64el), and the
 * kernel would discard the whole last one.
 */
void memory_discard(void *, size_t size);

/*
 * Zeroed memory that children do not inherit (MADV_DONTFORK), so that writing
 * to it after a fork copies no pages.  size: the largest that may ever be
 * needed.  NULL with errno.
 */
void *memory_unshared(size_t size);
void memory_unshared_end(void *, size_t size);

/*
 * Zeroed memory that children share, until this process ends.  It is a part of
 * one mapping of MEMORY_SHARED_MAX bytes, so that a child needs one page table
 * for all that it touches there.  NULL with errno.
 */
#define MEMORY_SHARED_MAX (6 * 1024 * 1024)
void *memory_shared(size_t size);

/*
 * Opens an empty file without a name, close-on-exec: in memory, to be sealed by
 * fd_seal(), or in /tmp on systems that cannot do that.  label is for /proc.
 * -1 with errno; ENOSYS:  neither is possible.
 */
int memory_file(const char *label);

#endif
