/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/memory.h"

#define TABLE	((uintptr_t)2 << 20)	/* bytes one page table maps */

static void *piece;
static int lent MEMORY_HOT;

/*
 * Maps zeroed pages, never huge ones: most processes touch only a few of them.
 */
static void *
map(void *at, size_t size)
{
	void *p = mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE | (at != NULL ? MAP_FIXED : 0),
	    -1, 0);

#ifdef HAVE_LINUX
	if (p != MAP_FAILED)
		madvise(p, size, MADV_NOHUGEPAGE);
#endif
	return p;
}

/* Aligns to a page table, so that small memory needs one table and not two. */
static void *
begin_of_table(void *p)
{
	return (void *)(((uintptr_t)p + TABLE - 1) & ~(TABLE - 1));
}

int
memory_prepare(void)
{
	void *p;

	if (piece != NULL)
		return 0;
	if ((p = map(NULL, MEMORY_MAX + TABLE)) == MAP_FAILED)
		return -1;
	piece = begin_of_table(p);
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

/* If it cannot be mapped again now, the next memory_take() tries to. */
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

void
memory_discard(void *p, size_t size)
{
	uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t from = ((uintptr_t)p + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)p + size) & ~(page - 1);

	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

void *
memory_unshared(size_t size)
{
	void *p = map(NULL, size);

	if (p == MAP_FAILED)
		return NULL;
#ifdef HAVE_LINUX
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

/* Each piece begins at a cache line. */
void *
memory_shared(size_t size)
{
	static char *shared;
	static size_t used;
	void *p;

	if (shared == NULL) {
		p = mmap(NULL, MEMORY_SHARED_MAX + TABLE, PROT_READ |
		    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
		if (p == MAP_FAILED)
			return NULL;
		shared = begin_of_table(p);
	}
	size = (size + 63) & ~(size_t)63;
	if (size > MEMORY_SHARED_MAX - used) {
		errno = ENOMEM;
		return NULL;
	}
	used += size;
	return shared + used - size;
}

int
memory_file(const char *label)
{
#if defined(MFD_ALLOW_SEALING) && !defined(COMPAT_ALL)
	return memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
#else
	char path[] = "/tmp/inetws-XXXXXXXX";
	int fd = mkstemp(path);

	if (fd == -1) {
		errno = ENOSYS;
		return -1;
	}
	unlink(path);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
#endif
}
