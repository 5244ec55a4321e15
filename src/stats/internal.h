/* SPDX-License-Identifier: ISC */
/*
 * The layout of the page, and what the files share that write it (page.c the
 * page, slot.c a slot), read it (read.c) and take it over (takeover.c).  From
 * the bottom: fault, map, slot, repeats and read, page, takeover.
 */
#ifndef STATS_INTERNAL_H
#define STATS_INTERNAL_H

#include <sys/types.h>

#include <stddef.h>

#include "stats/page.h"

#define STATS_MAGIC	0x73777465u	/* another byte order differs */
#define STATS_VERSION	13
#define STATS_TOLD	16
#define STATS_REPEATS	24
#define STATS_UNLISTED	(1L << 24)	/* locks of processes without a slot */
#define STATS_LIFE	(STATS_UNLISTED - 2)	/* see stats_share_life() */

/* An agent's name at a gate; only the supervisor writes it. */
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
	uint32_t waiting;	/* queued visitors */
	uint32_t used;		/* slots below this one have been used */
	char program[32], mode[12], name[256], sandbox[64];
	int64_t ready_cache;
	uint64_t turn;		/* the last one that was given */
	uint32_t names;		/* those below this one have been used */
	uint32_t shares_life;	/* see stats_share_life() */
	uint64_t namespace;	/* of the numbers of processes, 0 unknown */
	uint32_t told_next, unused;
	uint64_t told[STATS_TOLD];	/* of stats_is_new(), in a ring */
	struct repeat {
		uint64_t kind;		/* a hash, 0: never used */
		int64_t since;		/* of clock_ms() */
		uint32_t n;		/* since then */
		uint32_t left_out;	/* not logged, and not told yet */
		struct stats_repeat text;
	} repeat[STATS_REPEATS] __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/*
 * The layout of this version.  Programs of one version read each other's pages,
 * so that whatever changes one of these numbers raises STATS_VERSION.
 */
_Static_assert(sizeof(struct stats_header) == 4736 &&
    offsetof(struct stats_header, ready_cache) == 416 &&
    offsetof(struct stats_header, told) == 456 &&
    offsetof(struct stats_header, repeat) == 640 &&
    sizeof(struct repeat) == 168 &&
    sizeof(struct stats_name) == 128 &&
    offsetof(struct stats_name, text) == 12,
    "another layout of the page: raise STATS_VERSION");
_Static_assert(sizeof(struct stats_slot) == 1152 &&
    offsetof(struct stats_slot, resumes) == 16 &&
    offsetof(struct stats_slot, mode) == 36 &&
    offsetof(struct stats_slot, begun_at) == 408 &&
    offsetof(struct stats_slot, counts) == 472 &&
    offsetof(struct stats_slot, unused) == 1128 &&
    offsetof(struct report_counts, ended) == 64 &&
    offsetof(struct report_counts, code) == 232 &&
    offsetof(struct report_counts, duration) == 320 &&
    sizeof(struct report_histogram) == 112,
    "another layout of a slot: raise STATS_VERSION");

/* The shared statistics page of this process. */
struct stats_own {
	struct stats_header *page;
	size_t size;
	int fd;			/* -1: no file */
	int unlisted;		/* no slot: counts go to the last one */
	struct report_counts flushed;	/* what went there already */
	char path[200];
};

extern struct stats_own stats_own;

/*
 * The page is made of blocks, as small as the system's pages are anywhere, and
 * no slot lies in two of them: a process has one page to touch.  The first ones
 * are the header's.
 */
#define STATS_BLOCK	4096
#define STATS_HEAD	2	/* blocks */
#define STATS_A_BLOCK	(STATS_BLOCK / sizeof(struct stats_slot)) /* slots */
_Static_assert(sizeof(struct stats_header) <= STATS_HEAD * STATS_BLOCK,
    "the header's blocks");

/* A slot of the page. */
static inline struct stats_slot *
stats_at(const struct stats_header *h, unsigned int slot)
{
	return (struct stats_slot *)(void *)((char *)(uintptr_t)h +
	    (STATS_HEAD + slot / STATS_A_BLOCK) * STATS_BLOCK +
	    slot % STATS_A_BLOCK * sizeof(struct stats_slot));
}

/*
 * The number of slots in a page of this size.  The header's own number was
 * compared with it once and is not used again: all children can write there.
 */
static inline unsigned int
stats_fit(size_t size)
{
	return ((size - STATS_NAMES * sizeof(struct stats_name)) /
	    STATS_BLOCK - STATS_HEAD) * STATS_A_BLOCK;
}

/* A name; the names are at the end of the page. */
static inline struct stats_name *
stats_name_at(const struct stats_header *h, size_t size, unsigned int i)
{
	return (struct stats_name *)(void *)((char *)(uintptr_t)h + size) -
	    STATS_NAMES + i;
}

/*
 * fcntl(2): a lock of this type (F_UNLCK: none) on n bytes from at; it never
 * waits, since any reader of the file may hold locks.  0, or -1 with errno.
 */
int stats_lock(int fd, short type, off_t at, off_t n);

/*
 * Looking for a lock takes the longer the more there are, so the children of a
 * supervisor have none of their own, where the system can do without: they
 * share one, which they inherit with the descriptor, and which is there as long
 * as one of them lives.  Which do is asked of the system.
 */
void stats_share_life(struct stats_header *, int fd);

/* Does a process of an earlier supervisor live?  Before the call above. */
int stats_is_life_locked(const struct stats_header *, int fd);

/* Does the process of a slot live?  For any page that is in a file. */
int stats_lives(const struct stats_header *, int fd, unsigned int slot);

/*
 * A mapped file may become shorter than its mapping: zeroed memory then takes
 * the place of what is missing.  Two mappings at a time can be guarded.
 * stats_is_missing(): has that happened?
 */
void stats_guard(const void *p, size_t size);
void stats_unguard(const void *p);
int stats_is_missing(void);

/* The entry with this sequence number is changed between these two. */
void stats_change(uint32_t *seq);
void stats_changed(uint32_t *seq);

/* From now on this process writes no slot. */
void stats_leave(void);

/* Does another process hold a lock in this range?  *where: its start. */
int stats_locked(int fd, off_t from, off_t n, off_t *where);

/* Bytes of a page with so many slots (of stats_bound()). */
size_t stats_page_size(unsigned int slots);

/* So many slots for connections, the two extra ones, and full blocks. */
unsigned int stats_bound(unsigned int slots);

/* Writes the header; the magic number last. */
void stats_describe(struct stats_header *, unsigned int slots,
    const struct stats_about *);

/*
 * The version of the page in a file, 0 if it is no page.  The magic number, the
 * version behind it and the locks are the same in all of them.
 */
uint32_t stats_version_of(int fd);

/* Maps a page of this version.  NULL with errno; EINVAL: it is not one. */
struct stats_header *stats_map(int fd, int prot, size_t *size);
void stats_unmap(const struct stats_header *, size_t size);

#endif
