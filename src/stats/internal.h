/* SPDX-License-Identifier: ISC */
/*
 * The layout of the page, and what those share that write it (stats.c the
 * page, stats_slot.c a slot) and read it (stats_read.c).
 */
#ifndef STATS_INTERNAL_H
#define STATS_INTERNAL_H

#include <sys/types.h>

#include "stats/page.h"

#define STATS_MAGIC	0x73777465u	/* a page of another byte order differs */
#define STATS_VERSION	6
#define STATS_UNLISTED	(1L << 24)	/* locks of processes without a slot */

/* What visitors of a gate come for; written by the supervisor alone. */
struct stats_name {
	uint32_t seq;
	uint32_t listed, waiting;
	char text[STATS_NAME_MAX];	/* "": none */
} __attribute__((aligned(128)));

struct stats_header {
	uint32_t magic, version, header_size, slot_size;
	uint32_t slots;		/* with slot 0 and the last, shared one */
	uint32_t has_supervisor;
	int64_t started;	/* seconds since 1970 */
	int64_t started_at;	/* of clock_ms() */
	uint32_t max;
	uint32_t waiting;	/* visitors */
	uint32_t used;		/* slots below this one have been used */
	char program[32], mode[12], name[256];
	int64_t note;
	uint64_t turn;		/* the last one given */
	int64_t log_second;	/* whose lines are counted */
	uint64_t log_lines, log_left_out;
	uint32_t names;		/* those below this one have been used */
} __attribute__((aligned(128)));

/* The shared statistics page of this process. */
struct stats_own {
	struct stats_header *page;
	size_t size;
	int fd;			/* -1: no file */
	int unlisted;		/* no slot: what is mine goes to the last */
	struct report_counts flushed;	/* of it */
	char path[200];
};

extern struct stats_own stats_own;

/*
 * The page is made of blocks, as small as the system's pages are anywhere, and
 * no slot lies in two of them: a process has one page to touch.  The header
 * has its place in the first one.
 */
#define STATS_BLOCK	4096
#define STATS_A_BLOCK	((STATS_BLOCK - sizeof(struct stats_header)) / \
	sizeof(struct stats_slot))	/* slots */

/* A slot of the page. */
static inline struct stats_slot *
stats_at(const struct stats_header *h, unsigned int slot)
{
	return (struct stats_slot *)(void *)((char *)(uintptr_t)h +
	    sizeof(*h) + slot / STATS_A_BLOCK * STATS_BLOCK +
	    slot % STATS_A_BLOCK * sizeof(struct stats_slot));
}

/*
 * How many slots a page of this size has.  What the page says of itself was
 * compared once, and is not asked again: all children can write there.
 */
static inline unsigned int
stats_fit(size_t size)
{
	return (size - STATS_NAMES * sizeof(struct stats_name)) /
	    STATS_BLOCK * STATS_A_BLOCK;
}

/* A name; they come last. */
static inline struct stats_name *
stats_name_at(const struct stats_header *h, size_t size, unsigned int i)
{
	return (struct stats_name *)(void *)((char *)(uintptr_t)h + size) -
	    STATS_NAMES + i;
}

/* fcntl(2): a lock of this type, or none, on n bytes from at. */
int stats_lock(int fd, int wait, short type, off_t at, off_t n);

/*
 * What is mapped there, up to two of them at a time, may turn out not to be in
 * the file: memory of zeros takes its place then.  Has that been so?
 */
void stats_guard(const void *p, size_t size);
void stats_unguard(const void *p);
int stats_is_missing(void);

/* What has this number is changed between these two. */
void stats_change(uint32_t *seq);
void stats_changed(uint32_t *seq);

/* This process writes no slot any more. */
void stats_leave(void);

/* The locks of other processes in a range: is there one, and where? */
int stats_locked(int fd, off_t from, off_t n, off_t *where);

/* The page in stats_take_over()'s sense, with slot 0 locked, or NULL. */
struct stats_header *stats_inherit(const char *path,
    const struct stats_about *, int *fd, size_t *size);

/* Maps what is a page of this version.  NULL with errno; EINVAL: it is none. */
struct stats_header *stats_map(int fd, int prot, size_t *size);
void stats_unmap(const struct stats_header *, size_t size);

#endif
