/* SPDX-License-Identifier: ISC */
/*
 * The statistics page: memory that the processes of an instance share, one
 * slot for each connection, which its own process alone writes, with plain
 * stores of whole words.  A process that is killed leaves its slot as it was,
 * and whoever takes or reads it sees so.
 *
 * The counters of a slot go on from one connection to the next, so their sum
 * over all slots never decreases and nothing has to be gathered at an end.
 *
 * A page in a file may be shared by processes that know nothing of each
 * other: a slot belongs to whoever holds a POSIX lock on the byte of its
 * number.  In a page without a file the supervisor gives slots out and takes
 * them back when it reaps.  When no slot is left a process counts for itself
 * and adds that to the last slot now and then: it is not listed, but counted.
 */
#ifndef STATS_PAGE_H
#define STATS_PAGE_H

#include <sys/types.h>

#include <stdint.h>

#include "base/error.h"
#include "stats/report.h"

#define STATS_SLOTS_MAX	65536
#define STATS_NAMES	REPORT_NAMES_MAX
#define STATS_NAME_MAX	116	/* terminated: a socket's path is no longer */
#define STATS_SLOT_NONE	(-1)	/* find one */

/* One connection; all but the counters is of the present one. */
struct stats_slot {
	uint32_t seq;		/* odd while what follows is changed */
	uint32_t state;		/* enum report_state */
	int32_t pid;
	uint32_t resumes;
	uint32_t pongs;		/* those whose round trip is counted */
	int64_t begun_at;	/* of clock_ms() */
	int64_t data_at;	/* last payload */
	int64_t rtt;		/* ms, -1 unknown */
	uint64_t up_before, down_before;	/* counts, of earlier ones */
	uint64_t source;	/* ip_source() of the peer, 0 unknown */
	uint64_t turn;		/* when that became known, against others */
	char mode[12];
	char peer[64], via[64], user[64], target[128];
	char id[20], peer_id[20];
	struct report_counts counts;
} __attribute__((aligned(128)));

/* One writer each: no order, no lock, but whole words. */
#define STATS_SET(field, v)	__atomic_store_n(&(field), v, __ATOMIC_RELAXED)
#define STATS_GET(field)	__atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STATS_ADD(field, n)	STATS_SET(field, STATS_GET(field) + (n))

/* What is said of an instance as a whole, by its supervisor. */
struct stats_about {
	const char *mode, *name;	/* "A,B -> C" */
	unsigned int max;		/* connections */
};

/*
 * Makes the page of this process and its children: with so many slots for
 * connections, beside the supervisor's own slot 0.  path NULL: without a
 * file.  A file is made with mode 0600, must not exist, and goes with
 * stats_close().  0, or -1 with errno.
 */
int stats_create(const char *path, unsigned int slots,
    const struct stats_about *);

/*
 * Takes over such a page of a supervisor that is gone, if it listened at the
 * same addresses, and some of its processes live on.  0, or -1: it is none.
 */
int stats_take_over(const char *path, const struct stats_about *);

/*
 * Of a page taken over: is this slot that of a process that lives on?  What
 * others have left is brought to its end.
 */
int stats_is_inherited(int slot);

/* How many slots there are for connections. */
unsigned int stats_room(void);

/*
 * The same in a file that is shared; made with that many slots if it is not
 * there.  0, or -1 and why: 78 if it is something else.
 */
int stats_share(const char *path, unsigned int slots, struct error *);

/* What is said of the instance has changed. */
void stats_retitle(const struct stats_about *);

/* Its file shall belong to somebody else, as far as that can be. */
void stats_give(uid_t, gid_t);

/* Gives the file its final name, once it is locked: 0, or -1 with errno. */
int stats_rename(const char *path);

/* Where the file is, or NULL. */
const char *stats_path(void);

/* This slot is about to be somebody's: readers look as far as it. */
void stats_prepare(int slot);

/*
 * From now on this process writes a slot: the numbered one, which has been
 * prepared, or one that nobody has.  Whatever was left there is brought to its
 * end.
 */
void stats_take(int slot, enum report_state);

/*
 * Notes where the peer of this slot is from, and returns how many others from
 * there have been noted before and still are, counting no further than max: of
 * several that come at once each gets another number.  A process without a
 * slot is not noted, and gets 0.  Source 0: it does not count any more.
 */
unsigned int stats_source(uint64_t source, unsigned int max);

/* Its state becomes free, and the result is counted. */
void stats_release(unsigned int result);

/* The supervisor: the process that had this slot is gone. */
void stats_close_slot(int slot);

/*
 * Has this process, which had that slot or took one by itself, got beyond its
 * handshake?  Yes, if nobody knows.
 */
int stats_is_established(int slot, int pid);

/* The slot that this process writes; there always is one. */
extern struct stats_slot *stats_mine;

/*
 * The texts of a slot are changed between these two, so that no reader sees
 * half of them.
 */
void stats_begin_change(void);
void stats_end_change(void);

/* Of a process without a slot: adds up what has come since. */
void stats_flush(void);

/*
 * May a line of a kind that strangers can cause go to the log?  Some each
 * second may, for all processes together.  *left_out is how many have not
 * been since the last that might.
 */
int stats_may_log(uint64_t *left_out);

/* Is there a page, and one that is shared by --stats-file? */
int stats_is_open(void);
int stats_is_shared(void);

/* The supervisor: so many visitors wait for somebody who serves them. */
void stats_set_waiting(unsigned int);

/*
 * A gate's supervisor: name i, as it may be shown, "" if there is none any
 * more; whether it is one of --agents-file; so many visitors wait for it.
 */
void stats_set_name(unsigned int i, const char *text, int listed,
    unsigned int waiting);

/* What one process has found out for the next: any value, 0 at first. */
int64_t stats_ready_cache(void);
void stats_set_ready_cache(int64_t);

/* Unmaps; with remove the file that stats_create() made is removed. */
void stats_close(int remove);

/* Reading.  The page of this process, or one in a file. */
struct stats_view {
	const struct stats_header *page;
	size_t size;		/* of it */
	int fd;			/* -1: without a file */
};

void stats_view_own(struct stats_view *);

/* 0, or -1 and why: 68 if there is none, 77 if it may not be read, 78. */
int stats_view_open(struct stats_view *, const char *path, struct error *);
void stats_view_close(struct stats_view *);

/*
 * Is it a page, of this version or another, that no process has anything to do
 * with any more?  Not to be asked of our own, whose locks would be given up.
 */
int stats_is_abandoned(const char *path);

/* All but the rows. */
void stats_read(const struct stats_view *, struct report *);

/* The counts of this process's page, without asking who is alive. */
void stats_sum(struct report_counts *);

/* Slots are numbered from 0 to one less than this. */
unsigned int stats_slots(const struct stats_view *);

/* 1 and the row of a slot, or 0 if that has none. */
int stats_row(const struct stats_view *, unsigned int slot,
    struct report_row *);

/* The names of a gate, with those that are in its rows. */
void stats_names(const struct stats_view *, struct report_names *);

/* The same of a process that is gone, before its slot is buried. */
int stats_last_row(int slot, struct report_row *);

#endif
