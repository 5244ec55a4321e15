/* SPDX-License-Identifier: ISC */
/*
 * A segment of the program is copied to a file in memory.  The kernel puts that
 * into huge pages, and the copy takes the place of the segment.  At no time is
 * there memory that can be written and executed, so that neither systemd's
 * MemoryDenyWriteExecute= nor PR_SET_MDWE is in the way.  The mapping is private
 * and the file sealed: what a process writes to its text, if it can, no other
 * process sees.
 */
#include <errno.h>
#include <string.h>

#include "os/huge_text.h"

#ifdef HAVE_LINUX
#include <sys/mman.h>

#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/memory.h"
#include "os/readfile.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif

/*
 * On arm64 this may say that the kernel lets text only jump to marked places
 * (BTI), which a mapping of our own would not have.
 */
#ifndef PT_GNU_PROPERTY
#define PT_GNU_PROPERTY	0x6474e553
#endif
#ifdef __aarch64__
#define BRANCH_TARGETS	1
#else
#define BRANCH_TARGETS	0
#endif

#define SIZE_OF_HUGE	"/sys/kernel/mm/transparent_hugepage/hpage_pmd_size"
#define SMALL		4	/* less than a quarter of a page is left alone */

/* Addresses from begin to end, exclusive. */
struct range {
	uintptr_t begin, end;
};

struct program {
	uintptr_t huge;		/* bytes of a huge page */
	uintptr_t base;		/* what is added to the addresses of head */
	const ElfW(Phdr) *head;
	unsigned int n;
};

static struct range
rounded(struct range r, uintptr_t to)
{
	r.begin &= ~(to - 1);
	r.end = (r.end + to - 1) & ~(to - 1);
	return r;
}

static struct range
segment(const struct program *p, const ElfW(Phdr) *of)
{
	struct range r = { p->base + of->p_vaddr, 0 };

	r.end = r.begin + of->p_memsz;
	return r;
}

/* The first object is the program. */
static int
take_program(struct dl_phdr_info *i, size_t size, void *arg)
{
	struct program *p = arg;

	p->base = i->dlpi_addr;
	p->head = i->dlpi_phdr;
	p->n = i->dlpi_phnum;
	return 1;
}

static int
has(const struct program *p, unsigned int type)
{
	unsigned int i;

	for (i = 0; i < p->n; i++)
		if (p->head[i].p_type == type)
			return 1;
	return 0;
}

/* Does no other segment lie in this range? */
static int
is_alone(const struct program *p, const ElfW(Phdr) *in, struct range r)
{
	struct range other;
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		other = segment(p, &p->head[i]);
		if (&p->head[i] != in && p->head[i].p_type == PT_LOAD &&
		    other.begin < r.end && other.end > r.begin)
			return 0;
	}
	return 1;
}

/* Reserves addresses that belong to nobody; 0, or -1 with errno. */
static int
reserve(uintptr_t begin, uintptr_t end)
{
	void *p;

	if (begin == end)
		return 0;
	p = mmap((void *)begin, end - begin, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
	if (p == (void *)begin)
		return 0;
	if (p != MAP_FAILED) {
		munmap(p, end - begin);	/* Linux before 4.17 */
		errno = EEXIST;
	}
	return -1;
}

static void
release(uintptr_t begin, uintptr_t end)
{
	if (begin != end)
		munmap((void *)begin, end - begin);
}

/*
 * A sealed file in memory with this segment, where its range would begin at the
 * file's beginning.  -1 with errno.
 */
static int
copy_to_file(struct range seg, struct range to)
{
	int fd = memory_file("inetws-text");
	ssize_t n;

	if (fd == -1)
		return -1;
	if (ftruncate(fd, (off_t)(to.end - to.begin)) == -1)
		goto failed;
	for (; seg.begin < seg.end; seg.begin += (uintptr_t)n)
		if ((n = pwrite(fd, (void *)seg.begin, seg.end - seg.begin,
		    (off_t)(seg.begin - to.begin))) <= 0)
			goto failed;
	fd_seal(fd);
	return fd;
failed:
	close(fd);
	return -1;
}

/*
 * Takes the place of the segment.  mremap(2) unmaps what is there, and could
 * then fail only for lack of a few hundred bytes of the kernel's memory, for
 * which Linux ends a process instead; anything else it finds out before.
 */
static int
replace(struct range seg, struct range to, void *copy)
{
	struct range used = rounded(seg, (uintptr_t)getpagesize());
	int saved;

	if (reserve(to.begin, used.begin) == -1)
		return -1;
	if (reserve(used.end, to.end) == 0) {
		if (mremap(copy, to.end - to.begin, to.end - to.begin,
		    MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to.begin) !=
		    MAP_FAILED)
			return 0;
		saved = errno;
		release(used.end, to.end);
		errno = saved;
	}
	saved = errno;
	release(to.begin, used.begin);
	errno = saved;
	return -1;
}

/* Puts a segment into huge pages.  Bytes, or -1 with errno. */
static long
move(const struct program *p, const ElfW(Phdr) *of)
{
	struct range seg = segment(p, of), to = rounded(seg, p->huge);
	size_t size = to.end - to.begin;
	int prot = PROT_READ | (of->p_flags & PF_X ? PROT_EXEC : 0);
	int fd, saved, done = 0;
	uintptr_t place;
	void *area, *copy;

	if ((fd = copy_to_file(seg, to)) == -1)
		return -1;
	area = mmap(NULL, size + p->huge, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area != MAP_FAILED) {
		place = ((uintptr_t)area + p->huge - 1) & ~(p->huge - 1);
		copy = mmap((void *)place, size, prot, MAP_PRIVATE |
		    MAP_FIXED, fd, 0);
		done = copy != MAP_FAILED &&
		    madvise(copy, size, MADV_COLLAPSE) == 0 &&
		    replace(seg, to, copy) == 0;
		saved = errno;
		munmap(area, size + p->huge);
		errno = saved;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return done ? (long)size : -1;
}

/*
 * Is this text or a table of constants, with huge pages of its own?  Less than
 * a quarter of one does not matter.
 */
static int
is_suitable(const struct program *p, const ElfW(Phdr) *of)
{
	return of->p_type == PT_LOAD && !(of->p_flags & PF_W) &&
	    of->p_memsz >= p->huge / SMALL &&
	    is_alone(p, of, rounded(segment(p, of), p->huge));
}

static int
read_size(struct program *p)
{
	char text[24];

	if (readfile(SIZE_OF_HUGE, text, sizeof(text)) == -1)
		return -1;
	p->huge = strtoul(text, NULL, 10);
	return p->huge != 0 ? 0 : -1;
}

long
huge_text(struct error *why)
{
	struct program p = { 0 };
	long n = 0, all = 0;
	unsigned int i;

	dl_iterate_phdr(take_program, &p);
	if (has(&p, PT_INTERP))
		return error_set(why, EXIT_SYSTEM, "the build is not static");
	if (read_size(&p) == -1)
		return error_set(why, EXIT_SYSTEM, "the kernel has none");
	if (BRANCH_TARGETS && has(&p, PT_GNU_PROPERTY))
		return error_set(why, EXIT_SYSTEM, "branch "
		    "protection of arm64 would be lost");
	for (i = 0; i < p.n && n != -1; i++)
		if (is_suitable(&p, &p.head[i]) &&
		    (n = move(&p, &p.head[i])) != -1)
			all += n;
	if (all > 0)
		return all;
	if (n == -1)
		return error_set(why, EXIT_SYSTEM, "the kernel cannot: %s",
		    strerror(errno));
	return error_set(why, EXIT_SYSTEM, "the build is not linked for huge "
	    "pages of %lu KiB", (unsigned long)p.huge >> 10);
}

#else

long
huge_text(struct error *why)
{
	return error_set(why, EXIT_SYSTEM, "the system cannot");
}

#endif
