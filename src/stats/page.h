/* SPDX-License-Identifier: ISC */
/*
 * The statistics page: memory that the processes of an instance share.  Each
 * connection has a slot that only its own process writes, with plain stores of
 * whole words.  A killed process leaves its slot unchanged; the next reader or
 * owner of the slot detects that.
 *
 * The counters of a slot go on from one connection to the next, so their sum
 * over all slots never decreases and nothing is collected when one ends.
 *
 * A page in a file may be shared by unrelated processes (--stats-file): a slot
 * belongs to the process that holds a POSIX lock on the byte of its number.
 * Otherwise the supervisor assigns slots and releases them when it reaps; of
 * those that another supervisor left, the process numbers tell which live.  A
 * process without a slot counts in its own memory and adds that to the last
 * slot now and then: it is counted, but not listed.
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
#define STATS_SLOT_NONE	(-1)	/* find one */

/*
 * A slot, without holes (internal.h).  CONTRIBUTING.md says what belongs to a
 * new field.
 */
struct stats_slot {
	uint32_t seq;		/* odd while the rest is being changed */
	uint32_t state;		/* enum report_state */
	int32_t pid;
	uint32_t gap_most;	/* ms, the longest of all its connections */

	/* The present connection's: stats_take() zeroes all up to counts. */
	uint32_t resumes;
	uint32_t pongs;		/* those whose round trip is counted */
	uint32_t gap;		/* ms, the longest time without a websocket */
	uint32_t window_up, window_down; /* bytes, 0 without a session */
	char mode[12];
	char peer[64], via[64], user[64], target[128];
	char id[20], peer_id[20];
	int64_t begun_at;	/* of clock_ms() */
	int64_t data_at;	/* last payload */
	int64_t rtt;		/* ms, -1 unknown */
	int64_t lost_at;	/* when its websocket was lost, 0: it is not */
	uint64_t up_before, down_before; /* counts of earlier connections */
	uint64_t source;	/* ip_source() of the peer, 0 unknown */
	uint64_t turn;		/* order in which sources became known */

	struct report_counts counts;	/* of all its connections */
	char unused[24];
} __attribute__((aligned(128)));

/* One writer per field: no order, no lock, whole words. */
#define STATS_SET(field, v)	__atomic_store_n(&(field), v, __ATOMIC_RELAXED)
#define STATS_GET(field)	__atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STATS_ADD(field, n)	STATS_SET(field, STATS_GET(field) + (n))

/* The instance as a whole; its supervisor writes it. */
struct stats_about {
	const char *mode, *name;	/* "A,B -> C" */
	unsigned int max;		/* connections */
};

/*
 * Makes the page of this process and its children, with so many slots for
 * connections, and slot 0 for the supervisor.  path NULL: without a file.  The
 * file must not exist, gets mode 0600, and is removed by stats_close().  0, or
 * -1 with errno.
 */
int stats_create(const char *path, unsigned int slots,
    const struct stats_about *);

/*
 * Takes over such a page of a supervisor that has ended, if it listened at the
 * same addresses and some of its processes live on.  0, or -1: not such a
 * page.
 */
int stats_take_over(const char *path, const struct stats_about *);

/*
 * In a page taken over: does the process of this slot live on?  The slot of a
 * killed process is closed.
 */
int stats_is_inherited(int slot);

/* The number of slots for connections. */
unsigned int stats_room(void);

/*
 * Opens the page in a shared file; makes it with that many slots if it does
 * not exist, or is of an earlier version.  0, also without a page if that is of
 * a later version or another process keeps the file locked, which is logged;
 * or -1 and why: 78 if it is another kind of file.
 */
int stats_share(const char *path, unsigned int slots, struct error *);

/* The description of the instance has changed. */
void stats_retitle(const struct stats_about *);

/* Gives the file to another user, if that is possible. */
void stats_give(uid_t, gid_t);

/*
 * Gives the file its final name, once it is locked, unless there is a file of
 * that name: 0, or -1 with errno.
 */
int stats_rename(const char *path);

/* The path of the file, or NULL. */
const char *stats_path(void);

/* This slot will be used: readers read up to it from now on. */
void stats_prepare(int slot);

/*
 * From now on this process writes a slot: the numbered one, which must have
 * been prepared, or a free one.  A connection that was left there is counted
 * as killed.
 */
void stats_take(int slot, enum report_state);

/*
 * The state of this slot's connection.  It is counted as begun once it has
 * finished its handshake, or failed in it: until then it may be a redial, which
 * is handed over to the connection that it belongs to.
 */
void stats_set_state(enum report_state);

/*
 * Writes the source of this slot's peer, and returns how many earlier
 * connections of that source there are, counting up to max: of several that
 * come at the same time each gets another number.  A process without a slot
 * gets 0.  Source 0: this connection is not counted any more.
 */
unsigned int stats_source(uint64_t source, unsigned int max);

/*
 * This slot's connection has had no websocket since then, of clock_ms(); it
 * has one again, after so many milliseconds.
 */
void stats_lost(int64_t since);
void stats_resumed(int64_t gap);

/*
 * Does no process of this instance know yet that something, by its hash, was
 * logged?  The last few are known.
 */
int stats_is_new(uint64_t hash);

/*
 * Failures of one kind, by a hash of their host and reason: ten in a minute are
 * logged, more are counted on the page, by all its processes; times are of
 * clock_ms().  add: may this one be logged?  take: the next kind, from *at on,
 * whose minute is over and of which some were left out: 1; 0: there is none.
 * time: when there will be one, or CLOCK_NEVER.
 */
#define STATS_REPEATS_LOGGED	10	/* of a kind, a minute */
#define STATS_REPEATS_MS	60000

struct stats_repeat {
	char host[48], why[96];
};

int stats_repeats_add(uint64_t kind, const struct stats_repeat *,
    int64_t now);
int stats_repeats_take(unsigned int *at, int64_t now, struct stats_repeat *,
    unsigned int *left_out);
int64_t stats_repeats_time(void);

/* Frees this process's slot and counts the result. */
void stats_release(unsigned int result);

/* In the supervisor: the process of this slot has ended. */
void stats_close_slot(int slot);

/*
 * Has this process, with that slot or one that it took by itself, finished its
 * handshake?  1 also where there are no statistics; -1: it has no slot, or not
 * yet.
 */
int stats_is_established(int slot, int pid);

/* The slot that this process writes; never NULL. */
extern struct stats_slot *stats_mine;

/*
 * The texts of a slot are changed between these two calls, so that readers see
 * either the old or the new ones.
 */
void stats_begin_change(void);
void stats_end_change(void);

/* In a process without a slot: adds its new counts to the last slot. */
void stats_flush(void);

/* Is there a page, and one that is shared by --stats-file? */
int stats_is_open(void);
int stats_is_shared(void);

/* In the supervisor: what is missing of the sandbox, "" nothing, or "off". */
void stats_set_sandbox(const char *missing);

/* In the supervisor: so many visitors are queued. */
void stats_set_waiting(unsigned int);

/*
 * In a gate's supervisor: name i as it may be shown, "" if it is unused;
 * whether it is listed in --agents-file; so many visitors are queued for it.
 */
void stats_set_name(unsigned int i, const char *text, int listed,
    unsigned int waiting);

/* The last readiness check's result, kept for the next one; 0 at first. */
int64_t stats_ready_cache(void);
void stats_set_ready_cache(int64_t);

/* Unmaps; with remove also removes the file that stats_create() made. */
void stats_close(int remove);

/* For reading: the page of this process, or one in a file. */
struct stats_view {
	const struct stats_header *page;
	size_t size;		/* of the page */
	int fd;			/* -1: without a file */
	int supervised;		/* a living supervisor closes slots */
	int64_t patience;	/* us left to wait for slots being changed */
};

/* Never waits for a slot that is being changed. */
void stats_view_own(struct stats_view *);

/*
 * 0, or -1 and why: 68 there is none, 77 it may not be read, 78 it is another
 * kind of file.
 */
int stats_view_open(struct stats_view *, const char *path, struct error *);
void stats_view_close(struct stats_view *);

/*
 * Is it a page, of any version, that no process uses any more?  Not for our
 * own page, whose locks this would release.
 */
int stats_is_abandoned(const char *path);

/* Everything but the rows. */
void stats_read(const struct stats_view *, struct report *);

/* Has a connection of this process's page a websocket, parked or not? */
int stats_has_websocket(void);

/*
 * The counts of this process's page, as begun those in handshake too; does not
 * check who is alive.
 */
void stats_sum(struct report_counts *);

/* Slots are numbered from 0 to one less than this. */
unsigned int stats_slots(const struct stats_view *);

/* 1 and the row of a slot, or 0 if there is none. */
int stats_row(struct stats_view *, unsigned int slot,
    struct report_row *);

/* The names of a gate, also those that only rows have. */
void stats_names(struct stats_view *, struct report_names *);

/* The same of a process that has ended, before its slot is closed. */
int stats_last_row(int slot, struct report_row *);

#endif
