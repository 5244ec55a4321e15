/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "os/memory.h"

#define TABLE	((uintptr_t)2 << 20)	/* bytes one page table maps */

static void *piece;
static int lent MEMORY_HOT;

/* Fresh pages, never huge: most processes touch only a few of them. */
static void *
map(void *at, size_t size)
{
	void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE | (at != NULL ? MAP_FIXED : 0),
	    -1, 0);

#ifdef MADV_NOHUGEPAGE
	if (p != MAP_FAILED)
		madvise(p, size, MADV_NOHUGEPAGE);
#endif
	return p;
}

/* Aligned to a page table, as every table that is used costs a page. */
int
memory_prepare(void)
{
	void *p;

	if (piece != NULL)
		return 0;
	if ((p = map(NULL, MEMORY_MAX + TABLE)) == MAP_FAILED)
		return -1;
	piece = (void *)(((uintptr_t)p + TABLE - 1) & ~(TABLE - 1));
	return 0;
}

void *
memory_take(size_t size)
{
	if (lent || size > MEMORY_MAX || memory_prepare() == -1)
		abort();
	lent = 1;
	return piece;
}

/* If it cannot be mapped anew now, the next memory_take() tries again. */
void
memory_return(void)
{
	int e = errno;

	if (map(piece, MEMORY_MAX) == MAP_FAILED) {
		munmap(piece, MEMORY_MAX);
		piece = NULL;
	}
	lent = 0;
	errno = e;
}

void *
memory_unshared(size_t size)
{
	void *p = map(NULL, size);

	if (p == MAP_FAILED)
		return NULL;
#ifdef MADV_DONTFORK
	madvise(p, size, MADV_DONTFORK);
#endif
	return p;
}

void
memory_unshared_end(void *p, size_t size)
{
	if (p != NULL)
		munmap(p, size);
}

int
memory_file(const char *label)
{
#ifdef MFD_ALLOW_SEALING
	return memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
#else
	errno = ENOSYS;
	return -1;
#endif
}
