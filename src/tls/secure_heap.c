/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "os/memory.h"
#include "tls/openssl.h"
#include "tls/secure_heap.h"

#define WIPE_MAX	12288	/* bytes; a record's buffer has over 16384 */
#define PAGE		4096	/* the system's may be larger */
#define STEP		16	/* small blocks differ by so much in size */
#define SMALL_MAX	1024
#define CHUNK		(16 * PAGE)	/* got from malloc(3) at once */
#define PAGES		128	/* of the region: two handshakes, one in the
				 * other, take half; beyond is malloc(3) */

enum kind { SMALL, RUN, SYSTEM };	/* RUN: pages of the region */
enum page { FREE_PAGE, RUN_PAGE, SMALL_PAGE };

/* Before each block, as free(3) is not told of sizes. */
struct head {
	size_t size;
	unsigned char kind, generation;
} __attribute__((aligned(STEP)));

_Static_assert(sizeof(struct head) == STEP, "blocks are aligned");

/* Of a block that has been freed, behind its head. */
struct link {
	struct head *next;
};

static struct heap {
	struct head *free[SMALL_MAX / STEP + 1];
	unsigned char *at, *end;	/* no blocks yet */
	unsigned char generation;	/* 0; 1: after secure_heap_leave() */
	unsigned char taken[PAGES];	/* enum page */
	unsigned char live[PAGES];	/* small blocks in use there */
} heap;

static unsigned char region[PAGES * PAGE] __attribute__((aligned(PAGE)));

/* The first so many free pages, or NULL. */
static unsigned char *
take_run(unsigned int n)
{
	unsigned int i, k;

	for (i = 0; i + n <= PAGES; i += k + 1) {
		for (k = 0; k < n && !heap.taken[i + k]; k++)
			;
		if (k < n)
			continue;
		memset(heap.taken + i, RUN_PAGE, n);
		return region + i * PAGE;
	}
	return NULL;
}

static unsigned int
page_of(const void *p)
{
	return ((const unsigned char *)p - region) / PAGE;
}

static unsigned int
pages_of(size_t size)
{
	return (sizeof(struct head) + size + PAGE - 1) / PAGE;
}

/* More room for small blocks.  0 or -1. */
static int
refill(void)
{
	size_t size = heap.generation == 0 ? CHUNK : PAGE;

	heap.at = heap.generation == 0 ? aligned_alloc(PAGE, CHUNK) :
	    take_run(1);
	heap.end = heap.at == NULL ? NULL : heap.at + size;
	if (heap.at != NULL && heap.generation != 0)
		heap.taken[page_of(heap.at)] = SMALL_PAGE;
	return heap.at == NULL ? -1 : 0;
}

static void
put_small(struct head *h)
{
	unsigned int i = (h->size + STEP - 1) / STEP;
	struct link *l = (struct link *)(h + 1);

	l->next = heap.free[i];
	heap.free[i] = h;
}

/* Pages of the region that have no small blocks in use any more. */
static void
drop_empty(void)
{
	struct head **h;
	unsigned int i;

	for (i = 0; i < sizeof(heap.free) / sizeof(heap.free[0]); i++)
		for (h = &heap.free[i]; *h != NULL; )
			if (heap.live[page_of(*h)] == 0)
				*h = ((struct link *)(*h + 1))->next;
			else
				h = &((struct link *)(*h + 1))->next;
	for (i = 0; i < PAGES; i++)
		if (heap.taken[i] == SMALL_PAGE && heap.live[i] == 0)
			heap.taken[i] = FREE_PAGE;
	if (heap.at != heap.end && heap.taken[page_of(heap.at)] == 0)
		heap.at = heap.end;
}

/*
 * A parent makes a page of blocks of one size, a child one block: it has few,
 * and they shall lie together.
 */
static struct head *
get_small(size_t size)
{
	unsigned int i = (size + STEP - 1) / STEP, n;
	size_t step = sizeof(struct head) + i * STEP;
	struct head *h = heap.free[i];

	if (h != NULL) {
		heap.free[i] = ((struct link *)(h + 1))->next;
		return h;
	}
	if ((size_t)(heap.end - heap.at) < step && refill() == -1)
		return NULL;
	h = (struct head *)heap.at;
	if (heap.generation != 0) {
		heap.at += step;
		return h;
	}
	for (n = 1; (n + 1) * step <= PAGE; n++) {
		h = (struct head *)(heap.at + n * step);
		*h = (struct head){ .size = size, .kind = SMALL };
		put_small(h);
	}
	h = (struct head *)heap.at;
	heap.at += PAGE;
	return h;
}

#ifdef __SANITIZE_ADDRESS__
#define IS_OURS(size)	0		/* each block by itself, to be watched */
#else
#define IS_OURS(size)	(size)
#endif

/* malloc(3) aligns to 8 bytes on some systems, as 32-bit ARM. */
static struct head *
get_of_system(size_t size)
{
	void *p;

	return posix_memalign(&p, STEP, sizeof(struct head) + size) == 0 ?
	    p : NULL;
}

static void *
get(size_t size, const char *file, int line)
{
	struct head *h = NULL;
	enum kind kind = size <= SMALL_MAX ? SMALL : RUN;

	if (size == 0 || size > SIZE_MAX - PAGE - sizeof(*h))
		return NULL;
	if (IS_OURS(size))
		h = kind == SMALL ? get_small(size) : heap.generation == 0 ||
		    size >= sizeof(region) ? NULL :
		    (struct head *)take_run(pages_of(size));
	if (h == NULL) {
		kind = SYSTEM;
		if ((h = get_of_system(size)) == NULL)
			return NULL;
	}
	*h = (struct head){ .size = size, .kind = kind,
	    .generation = heap.generation };
	if (kind == SMALL && heap.generation != 0)
		heap.live[page_of(h)]++;
	return h + 1;
}

static void
give_back(void *p, const char *file, int line)
{
	struct head *h = p;

	if (p == NULL)
		return;
	h--;
	if (h->size <= WIPE_MAX)
		explicit_bzero(p, h->size);
	if (h->generation != heap.generation)
		return;
	if (h->kind == SMALL) {
		if (heap.generation != 0)
			heap.live[page_of(h)]--;
		put_small(h);
	} else if (h->kind == RUN)
		memset(heap.taken + page_of(h), FREE_PAGE, pages_of(h->size));
	else
		free(h);
}

/* realloc(3) would leave the old place as it is. */
static void *
change(void *p, size_t size, const char *file, int line)
{
	struct head *h = p;
	void *new;

	if (p == NULL)
		return get(size, file, line);
	if (size == 0) {
		give_back(p, file, line);
		return NULL;
	}
	if ((new = get(size, file, line)) == NULL)
		return NULL;
	h--;
	memcpy(new, p, h->size < size ? h->size : size);
	give_back(p, file, line);
	return new;
}

void
secure_heap(void)
{
	CRYPTO_set_mem_functions(get, change, give_back);
}

void
secure_heap_leave(void)
{
	if (heap.generation == 0)
		heap = (struct heap){ .generation = 1 };
}

void
secure_heap_trim(void)
{
	unsigned int i, n;

	if (heap.generation != 0) {
		drop_empty();
		for (i = 0; i < PAGES; i += n + 1) {
			for (n = 0; i + n < PAGES && !heap.taken[i + n]; n++)
				;
			if (n > 0)
				memory_discard(region + i * PAGE, n * PAGE);
		}
	}
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
