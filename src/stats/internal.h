/* SPDX-License-Identifier: ISC */
/*
 * Private to stats: the layout of the page, and what its files share.  Each of
 * them calls only those before it in this order: fault.c (SIGBUS), map.c (size,
 * mapping, locks), slot.c (writing a slot), repeats.c and read.c, page.c (the
 * page as a whole), takeover.c.
 *
 * A page is, in this order:
 *	the header		STATS_HEADER_BLOCKS blocks
 *	the slots		STATS_BLOCK_SLOTS in each block: slot 0 is the
 *				supervisor's, the last one is that of all
 *				unlisted processes
 *	the names		STATS_NAMES of a gate
 */
#ifndef STATS_INTERNAL_H
#define STATS_INTERNAL_H

#include <sys/types.h>

#include <stddef.h>

#include "stats/page.h"

#define STATS_MAGIC	0x73777465u	/* differs in another byte order */
#define STATS_VERSION	14
#define STATS_LOGGED_MAX 16
#define STATS_REPEATS_MAX 24

/*
 * Bytes of the file that are locked; most of them lie behind its end.  Byte N
 * belongs to the owner of slot N, byte STATS_UNLISTED + PID to an unlisted
 * process.
 */
#define STATS_UNLISTED	(1L << 24)
#define STATS_MAKE_LOCK	(STATS_UNLISTED - 1)	/* while a page is made */
#define STATS_SHARED_LOCK (STATS_UNLISTED - 2)	/* see stats_share_lock() */
#define STATS_ENTER_LOCK (STATS_UNLISTED - 3)	/* of one without a lock yet */

/* An agent's name at a gate; only the supervisor writes it. */
struct stats_name {
	uint32_t seq;			/* sequence lock */
	uint32_t listed, waiting;
	char text[STATS_NAME_MAX];	/* "": unused */
} __attribute__((aligned(128)));

struct stats_header {
	uint32_t magic, version, header_size, slot_size;
	uint32_t slots;		/* all of them, with the first and the last */
	uint32_t has_supervisor;
	int64_t started;	/* seconds since 1970 */
	int64_t started_at;	/* of clock_ms() */
	uint32_t max;		/* --max-connections */
	uint32_t waiting;	/* queued visitors */
	uint32_t used;		/* one more than the highest slot ever used */
	char program[32];	/* version of inetws */
	char mode[12], name[256], sandbox[64];
	uint64_t huge_text;	/* bytes */
	char huge_text_missing[64];
	int64_t ready_cache;
	uint64_t turn;		/* last one given by stats_count_source() */
	uint32_t names;		/* one more than the highest name ever used */
	uint32_t shares_lock;	/* see stats_share_lock() */
	uint64_t namespace;	/* process_namespace(), 0 unknown */
	uint32_t logged_next, unused;
	uint64_t logged[STATS_LOGGED_MAX]; /* ring of stats_log_once() */
	struct repeat {		/* of stats_repeats_add() */
		uint64_t kind;		/* a hash, 0: never used */
		int64_t since;		/* of clock_ms(), begin of the minute */
		uint32_t n;		/* failures since then */
		uint32_t left_out;	/* of them: not logged, nor taken yet */
		struct stats_repeat text;
	} repeat[STATS_REPEATS_MAX] __attribute__((aligned(128)));
} __attribute__((aligned(128)));

/*
 * The layout of this version.  Programs of one version read each other's pages,
 * so that whatever changes one of these numbers raises STATS_VERSION.
 */
_Static_assert(sizeof(struct stats_header) == 4864 &&
    offsetof(struct stats_header, ready_cache) == 488 &&
    offsetof(struct stats_header, logged) == 528 &&
    offsetof(struct stats_header, repeat) == 768 &&
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

/* The page of this process. */
struct stats_own {
	struct stats_header *page;	/* NULL: there is none */
	size_t size;		/* bytes */
	int fd;			/* -1: no file */
	int unlisted;		/* this process has no slot */
	int enters;		/* it holds STATS_ENTER_LOCK */
	struct report_counts flushed;	/* what stats_flush() has added */
	char path[200];		/* of stats_create(), "" else */
};

extern struct stats_own stats_own;

/*
 * A block is as large as the smallest memory page of any system.  No slot lies
 * in two of them, so that a process touches one memory page for its slot.
 */
#define STATS_BLOCK		4096	/* bytes */
#define STATS_HEADER_BLOCKS	2
#define STATS_BLOCK_SLOTS	(STATS_BLOCK / sizeof(struct stats_slot))
_Static_assert(sizeof(struct stats_header) <= STATS_HEADER_BLOCKS * STATS_BLOCK,
    "the header's blocks");

/* The slot with this number. */
static inline struct stats_slot *
stats_at(const struct stats_header *h, unsigned int slot)
{
	return (struct stats_slot *)(void *)((char *)(uintptr_t)h +
	    (STATS_HEADER_BLOCKS + slot / STATS_BLOCK_SLOTS) * STATS_BLOCK +
	    slot % STATS_BLOCK_SLOTS * sizeof(struct stats_slot));
}

/*
 * The number of slots in a page of this size in bytes.  The header has this
 * number too; it is compared once and not trusted again, since all children can
 * write there.
 */
static inline unsigned int
stats_slots_in(size_t size)
{
	return ((size - STATS_NAMES * sizeof(struct stats_name)) /
	    STATS_BLOCK - STATS_HEADER_BLOCKS) * STATS_BLOCK_SLOTS;
}

/* The slot that all unlisted processes add to: the last one. */
static inline struct stats_slot *
stats_unlisted_slot(const struct stats_header *h, size_t size)
{
	return stats_at(h, stats_slots_in(size) - 1);
}

/* Name i; the names are at the end of the page. */
static inline struct stats_name *
stats_name_at(const struct stats_header *h, size_t size, unsigned int i)
{
	return (struct stats_name *)(void *)((char *)(uintptr_t)h + size) -
	    STATS_NAMES + i;
}

/* --- fault.c --- */

/*
 * A mapped file may become shorter than its mapping.  In a guarded mapping
 * zeroed memory then takes the place of what is missing, instead of SIGBUS.
 * Two mappings at a time can be guarded.
 */
void stats_guard(const void *p, size_t size);
void stats_unguard(const void *p);

/* Was something missing in a guarded mapping? */
int stats_was_truncated(void);

/* --- map.c --- */

/*
 * Sets a POSIX lock of this type (F_UNLCK removes it) on n bytes from at.
 * Never waits, since any reader of the file may hold locks.  0, or -1 with
 * errno.
 */
int stats_lock(int fd, short type, off_t at, off_t n);

/* Does another process hold a lock in this range?  *where: its first byte. */
int stats_locked(int fd, off_t from, off_t n, off_t *where);

/*
 * The more locks a file has, the longer the kernel looks for one.  So the
 * children of a supervisor have no lock each, where the system has locks that
 * belong to an open file: they inherit one lock together, which exists as long
 * as one of them runs.  Which of them run is found out by process numbers.
 * Sets shares_lock, which says whether this is so.
 */
void stats_share_lock(struct stats_header *, int fd);

/*
 * Does a child of the earlier supervisor run?  To be called before
 * stats_share_lock().
 */
int stats_children_live(const struct stats_header *, int fd);

/* Does the process of a slot run?  For any page that is in a file. */
int stats_slot_lives(const struct stats_header *, int fd, unsigned int slot);

/*
 * A sequence lock: the entry that has this number is changed between these two
 * calls.  A reader whose copy was made meanwhile finds an odd or another
 * number.
 */
void stats_seq_begin(uint32_t *seq);
void stats_seq_end(uint32_t *seq);

/*
 * The size in bytes of a page with this number of slots, of stats_slots_for().
 */
size_t stats_page_size(unsigned int slots);

/*
 * How many slots a page needs for this number of connections: with the first
 * and the last one, rounded up to full blocks.
 */
unsigned int stats_slots_for(unsigned int connections);

/*
 * The version of the page in a file, 0 if it is no page.  The magic number, the
 * version behind it, has_supervisor and the locks are the same in all versions.
 */
uint32_t stats_version_of(int fd);

/* Maps a page of this version.  NULL with errno; EINVAL: it is no such page. */
struct stats_header *stats_map(int fd, int prot, size_t *size);
void stats_unmap(const struct stats_header *, size_t size);

/* --- slot.c --- */

/* From now on this process writes to no page. */
void stats_detach(void);

/* --- read.c --- */

/*
 * Does the process of a slot that is in use still run?  To find out costs
 * system calls, which are saved where a supervisor closes the slots of killed
 * processes.
 */
int stats_is_alive(const struct stats_view *, unsigned int slot);

/* --- page.c --- */

/*
 * Writes the header, the magic number last; about NULL: without a supervisor.
 */
void stats_describe(struct stats_header *, unsigned int slots,
    const struct stats_about *);

#endif
