/* SPDX-License-Identifier: ISC */
/*
 * The statistics page: memory that the processes of an instance share.
 *
 * It is an array of slots.  Each connection has a slot, which only its own
 * process writes, with plain stores of whole words.  A killed process leaves
 * its slot unchanged; the next reader or owner of the slot detects that.
 *
 * The counters of a slot are not reset when the next connection takes it.  So
 * the sum over all slots never decreases, and nothing has to be moved elsewhere
 * when a connection ends.
 *
 * There are two ways to own a slot:
 * - With --stats-file unrelated processes share the page.  Slot N belongs to
 *   the process that holds a POSIX lock on byte N of the file.
 * - Otherwise the supervisor assigns a slot to each child and releases it when
 *   it reaps the child.  A supervisor that takes over the page of an earlier one
 *   finds out by process numbers which of its slots are in use.
 *
 * A process that got no slot ("unlisted") counts in its own memory and adds
 * that to the last slot of the page from time to time: its counts are in the
 * sums, but it is no row.
 */
#ifndef STATS_PAGE_H
#define STATS_PAGE_H

#include <sys/types.h>

#include <stdint.h>

#include "base/error.h"
#include "stats/report.h"

#define STATS_SLOTS_MAX	65536
#define STATS_NAMES	REPORT_NAMES_MAX
#define STATS_NAME_MAX	116	/* with the NUL: as a socket's path */
#define STATS_SLOT_NONE	(-1)	/* none assigned: stats_take() looks for one */

/*
 * A slot.  Its layout is fixed and has no padding (checked in internal.h). "How
 * to add a field to the statistics" in CONTRIBUTING.md says what belongs to a
 * new field.
 */
struct stats_slot {
	uint32_t seq;		/* sequence lock: odd during a change */
	uint32_t state;		/* enum report_state */
	int32_t pid;
	uint32_t gap_most;	/* ms, largest gap of all connections that
				 * this slot has had */

	/*
	 * From here to counts: of the present connection.  stats_take() sets
	 * all of it to zero.
	 */
	uint32_t resumes;	/* lost websockets that were replaced */
	uint32_t pongs;		/* that are counted in counts.rtt */
	uint32_t gap;		/* ms, the longest time without a websocket */
	uint32_t window_up, window_down; /* bytes, 0 without a session */
	char mode[12];
	char peer[64], via[64], user[64], target[128];
	char id[20], peer_id[20];
	int64_t begun_at;	/* of clock_ms() */
	int64_t data_at;	/* of clock_ms(), of the last payload */
	int64_t rtt;		/* ms, of the last ping, -1 unknown */
	int64_t lost_at;	/* of clock_ms(), when its websocket was lost,
				 * 0: it has one */
	uint64_t up_before, down_before; /* counts.up and .down at its start */
	uint64_t source;	/* ip_source() of the peer, 0 unknown */
	uint64_t turn;		/* see stats_count_source() */

	struct report_counts counts;	/* of all connections of this slot */
	char unused[24];
} __attribute__((aligned(128)));

/*
 * Relaxed atomic access to a field that has one writer: a reader sees an old or
 * a new value, never a mixture.  The order of two stores is not guaranteed.
 */
#define STATS_SET(field, v)	__atomic_store_n(&(field), v, __ATOMIC_RELAXED)
#define STATS_GET(field)	__atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STATS_ADD(field, n)	STATS_SET(field, STATS_GET(field) + (n))

/* What a supervisor writes about its instance; texts are copied. */
struct stats_about {
	const char *mode;		/* "server" */
	const char *name;		/* listeners and target: "A,B -> C" */
	unsigned int max;		/* --max-connections */
};

/* --- opening and closing the page of this process --- */

/*
 * Makes the page of this process and its children: slot 0 for the supervisor,
 * and this number of slots for connections (at most STATS_SLOTS_MAX).  path
 * NULL: without a file.  The file must not exist, gets mode 0600, and is
 * removed by stats_close().  0, or -1 with errno.
 */
int stats_create(const char *path, unsigned int slots,
    const struct stats_about *);

/*
 * Takes over the page that a supervisor made with stats_create(), if that
 * supervisor has ended, had the same mode and listeners, and some of its
 * children still run.  0, or -1 if the file is no such page.
 */
int stats_take_over(const char *path, const struct stats_about *);

/*
 * In a page that was taken over: 1 if the process of this slot still runs; 0 if
 * the slot is free; -1 if it was killed, and the slot is to be closed.
 */
int stats_inherited(int slot);

/* The number of slots for connections, 0 without a page. */
unsigned int stats_capacity(void);

/*
 * --stats-file: opens the page in a file that unrelated processes share.  If
 * there is none, or one of an earlier version, or one that is smaller and used
 * by no process, makes one with this number of slots.  Where the page is of a
 * later version, or another process keeps the file locked, that is logged, and
 * this process runs without a page.  0, or -1 and why (64): it cannot be opened,
 * is another kind of file, a symbolic link, or belongs to neither the user of this
 * process, nor root, nor this user.
 */
int stats_share(const char *path, unsigned int slots, uid_t, struct error *);

/* After a reload: writes max and name anew. */
void stats_retitle(const struct stats_about *);

/* Makes another user the owner of the file.  Failing is no error. */
void stats_chown(uid_t, gid_t);

/*
 * Renames the file that stats_create() made, if there is no file of the new
 * name.  0, or -1 with errno.
 */
int stats_rename(const char *path);

/* The path of the file that stats_create() made, or NULL. */
const char *stats_path(void);

/* Is there a page?  Is it one of stats_share()? */
int stats_is_open(void);
int stats_is_shared(void);

/* Unmaps; with remove also removes the file that stats_create() made. */
void stats_close(int remove);

/* --- this process's slot --- */

/* In the supervisor: this slot will be used, so readers have to read it. */
void stats_prepare(int slot);

/*
 * Makes this slot the one that this process writes; it must have been prepared.
 * STATS_SLOT_NONE: looks for a free one in a page of stats_share().  A
 * connection that a killed process left there is counted as killed.  Without a
 * free slot this process is unlisted.
 */
void stats_take(int slot, enum report_state);

/*
 * Sets the state of this slot's connection.  It is counted as begun when its
 * handshake ends, well or not: until then it may be a redial, which belongs to
 * a connection that is counted already.
 */
void stats_set_state(enum report_state);

/*
 * Registers this slot's connection as one of a source (of ip_source()), and
 * returns how many connections of that source were registered before it and
 * still run, but not more than max.  Of several that register at the same time
 * each gets another number.  -1: this process cannot be counted, as there is no
 * page, or it got no slot of it.  Source 0 removes the registration.
 */
int stats_count_source(uint64_t source, unsigned int max);

/* Has this process no slot, as no free one was left in the page? */
int stats_is_full(void);

/* The websocket of this slot's connection was lost at this clock_ms(). */
void stats_lost(int64_t since);

/* It has a new one, after this time without one in milliseconds. */
void stats_resumed(int64_t gap);

/* Counts the result (enum report_result) and frees this process's slot. */
void stats_release(unsigned int result);

/* The slot that this process writes; never NULL. */
extern struct stats_slot *stats_mine;

/*
 * Texts of stats_mine are changed between these two calls, so that a reader
 * sees all old or all new ones.
 */
void stats_begin_change(void);
void stats_end_change(void);

/* In an unlisted process: adds what it counted to the last slot. */
void stats_flush(void);

/* --- what the processes of an instance tell each other --- */

/*
 * May something, given by a hash of it, be logged?  1 at the first call for
 * this hash in any process of the page, else 0.  The page remembers the last 16
 * hashes.  Without a page 1.
 */
int stats_log_once(uint64_t hash);

/*
 * Limits how many failures of one kind are logged: STATS_REPEATS_LOGGED in
 * STATS_REPEATS_MS, by all processes of the page together; the others are
 * counted.  A kind is a hash of host and reason.  Times are of clock_ms().
 */
#define STATS_REPEATS_LOGGED	10
#define STATS_REPEATS_MS	60000

struct stats_repeat {
	char host[48], why[96];
};

/* Counts a failure.  May it be logged? */
int stats_repeats_add(uint64_t kind, const struct stats_repeat *,
    int64_t now);

/*
 * Takes the number of failures of one kind that were not logged, once the
 * minute is over.  *at is 0 at first, and says where the next call goes on.  1,
 * or 0 if there is no such kind.
 */
int stats_repeats_take(unsigned int *at, int64_t now, struct stats_repeat *,
    unsigned int *left_out);

/* When stats_repeats_take() will have one, or CLOCK_NEVER. */
int64_t stats_repeats_time(void);

/* --- in the supervisor --- */

/*
 * The process of this slot has ended: if it did not release it, it was killed.
 */
void stats_close_slot(int slot);

/*
 * Has the process with this number finished its handshake?  Its slot is the
 * given one, or, if that is STATS_SLOT_NONE, the one that it found by itself.
 * -1: it has no slot (yet).  1 also where there are no statistics.
 */
int stats_is_established(int slot, int pid);

/* Parts of the sandbox that are missing: "landlock seccomp", "", or "off". */
void stats_set_sandbox(const char *missing);

/* Bytes of the program in huge pages; if 0 also why, or "off". */
void stats_set_huge_text(uint64_t bytes, const char *missing);

/* The number of queued visitors. */
void stats_set_waiting(unsigned int);

/*
 * A gate's entry i (below STATS_NAMES): the agent's name as it may be shown, ""
 * if the entry is unused; is the name in --agents-file; visitors queued for it.
 */
void stats_set_name(unsigned int i, const char *text, int listed,
    unsigned int waiting);

/* The result of the last readiness check, for the next one; 0 at first. */
int64_t stats_ready_cache(void);
void stats_set_ready_cache(int64_t);

/* --- reading --- */

/* The page of this process, or one in a file. */
struct stats_view {
	const struct stats_header *page; /* NULL: there is none */
	size_t size;		/* of the page, in bytes */
	int fd;			/* -1: without a file */
	int supervised;		/* a supervisor runs, which closes slots */
	int64_t patience;	/* us left to wait for slots being changed */
};

/* Its reader never waits for a slot that is being changed. */
void stats_view_own(struct stats_view *);

/*
 * 0, or -1 and why: 64 there is none, 71 it cannot be opened, 77 permission
 * denied, 78 another kind of file, or a page of another version.
 */
int stats_view_open(struct stats_view *, const char *path, struct error *);
void stats_view_close(struct stats_view *);

/*
 * Is the file a supervisor's page, of any version, that no process uses any more?
 * One of stats_share() is kept for the next process.  Not to be called for the
 * page of this process: it would lose its locks (fcntl(2)).
 */
int stats_is_abandoned(const char *path);

/* All but the rows. */
void stats_read(const struct stats_view *, struct report *);

/* Has a connection in this process's page a websocket, parked or not? */
int stats_has_websocket(void);

/*
 * The counts of this process's page.  Quicker than stats_read(): does not look
 * which processes run, and takes those in their handshake as begun.
 */
void stats_sum(struct report_counts *);

/* One more than the highest number of a slot that was ever used. */
unsigned int stats_slots(const struct stats_view *);

/* 1 and the row of a slot, or 0 if it is free. */
int stats_row(struct stats_view *, unsigned int slot,
    struct report_row *);

/* The same for a process that has ended, before its slot is closed. */
int stats_last_row(int slot, struct report_row *);

/* A gate's names: of its entries, and of rows whose name has none. */
void stats_names(struct stats_view *, struct report_names *);

#endif
