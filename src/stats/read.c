/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "os/clock.h"
#include "stats/internal.h"

/*
 * An entry that is being changed is read again: TRIES times at once, then after
 * pauses of PAUSE_US, until the pauses for the whole page add up to
 * PATIENCE_US.
 */
#define TRIES	10
#define PAUSE_US 100
#define PATIENCE_US 10000

#define UNLISTED_MAX 1000	/* unlisted processes that are counted */

/* A named file that does not exist is an error of the command line. */
static int
cannot_open(const char *path, struct error *why)
{
	int denied = errno == EACCES;
	int status = denied ? EXIT_DENIED : errno == ENOENT ||
	    errno == ENOTDIR ? EXIT_BADUSAGE : EXIT_SYSTEM;

	return error_set(why, status, "%s: %s%s", path, strerror(errno),
	    denied ? ", it belongs to another user" : "");
}

int
stats_view_open(struct stats_view *v, const char *path, struct error *why)
{
	uint32_t version;
	int saved;

	v->page = NULL;
	v->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (v->fd == -1)
		return cannot_open(path, why);
	if ((v->page = stats_map(v->fd, PROT_READ, &v->size)) != NULL) {
		v->supervised = v->page->has_supervisor &&
		    stats_locked(v->fd, 0, 1, NULL);
		v->patience = PATIENCE_US;
		return 0;
	}
	saved = errno;
	version = stats_version_of(v->fd);
	close(v->fd);
	v->fd = -1;
	if (saved == EINVAL && version != 0 && version != STATS_VERSION)
		return error_set(why, EXIT_BADCONFIG, "%s: of another version "
		    "of inetws (its format is %u, this one reads %u); its "
		    "tunnels go on, but are not shown", path,
		    (unsigned int)version, STATS_VERSION);
	return error_set(why, EXIT_BADCONFIG, "%s: %s", path,
	    saved == EINVAL ? "not a statistics page" : strerror(saved));
}

void
stats_view_close(struct stats_view *v)
{
	if (v->page != NULL)
		stats_unmap(v->page, v->size);
	if (v->fd != -1)
		close(v->fd);
	v->page = NULL;
	v->fd = -1;
}

static int
is_of_supervisor(int fd)
{
	uint32_t is;

	return pread(fd, &is, sizeof(is), offsetof(struct stats_header,
	    has_supervisor)) == sizeof(is) && is != 0;
}

int
stats_is_abandoned(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int left;

	if (fd == -1)
		return 0;
	left = stats_version_of(fd) != 0 && is_of_supervisor(fd) &&
	    !stats_locked(fd, 0, 0, NULL);
	close(fd);
	return left;
}

unsigned int
stats_slots(const struct stats_view *v)
{
	uint32_t used, most;

	if (v->page == NULL)
		return 0;
	used = STATS_GET(v->page->used);
	most = stats_slots_in(v->size) - 1;
	return used < most ? used : most;
}

/*
 * Copies an entry while no process changes it.  Gives up after a while and
 * copies what is there: the writer may have been killed within a change, or may
 * be a compromised child that wants to hold up its readers.
 */
static void
copy_whole(struct stats_view *v, void *to, const void *from, size_t size,
    const uint32_t *seq)
{
	uint32_t before;
	int i;

	for (i = 0; ; i++) {
		before = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
		memcpy(to, from, size);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((before & 1) == 0 && STATS_GET(*seq) == before)
			return;
		if (i < TRIES)
			continue;
		if (v->patience <= 0)
			return;
		v->patience += clock_us();
		usleep(PAUSE_US);
		v->patience -= clock_us();
	}
}

int
stats_is_alive(const struct stats_view *v, unsigned int slot)
{
	return v->fd == -1 || v->supervised ||
	    stats_slot_lives(v->page, v->fd, slot) ||
	    stats_at(v->page, slot)->pid == getpid();
}

/*
 * The number of locked bytes in [from, from + n), but not more than most, since
 * any reader of the file may lock as many as it likes.  fcntl(2) tells of one
 * lock; what is before it and behind it is counted in the same way.
 */
static unsigned int
count_locks(int fd, off_t from, off_t n, unsigned int most)
{
	unsigned int before;
	off_t at;

	if (most == 0 || n <= 0 || !stats_locked(fd, from, n, &at) || at < from)
		return 0;
	before = count_locks(fd, from, at - from, most - 1);
	return before + 1 + count_locks(fd, at + 1, from + n - at - 1,
	    most - 1 - before);
}

/*
 * Copies a text of the page.  Every child can write there, and a compromised
 * one may write anything: the copy ends within its field and has no characters
 * that control a terminal.
 */
#define TEXT(to, from) do {						\
	_Static_assert(sizeof(to) >= sizeof(from), "it fits");		\
	str_copy_shown(to, from, sizeof(from));				\
} while (0)

/*
 * Milliseconds since a time of the page; 0 if it is none, or is in the future,
 * as times of an earlier boot may be.
 */
static int64_t
since(int64_t then)
{
	int64_t now = clock_ms();

	return then < 0 || then > now ? 0 : now - then;
}

static void
read_header(const struct stats_header *h, struct report *r)
{
	memset(r, 0, sizeof(*r));
	TEXT(r->version, h->program);
	TEXT(r->mode, h->mode);
	TEXT(r->name, h->name);
	TEXT(r->sandbox, h->sandbox);
	r->huge_text = h->huge_text;
	TEXT(r->huge_text_missing, h->huge_text_missing);
	r->started = h->started;
	r->uptime = since(h->started_at);
	r->max = h->max;
}

/* Each number is read whole; they need not be of the same moment. */
static void
add_counts(struct report_counts *to, const struct stats_slot *s)
{
	uint64_t *sum = (uint64_t *)(void *)to;
	const uint64_t *n = (const uint64_t *)(const void *)&s->counts;
	size_t i;

	for (i = 0; i < REPORT_NUMBERS; i++)
		sum[i] += STATS_GET(n[i]);
}

void
stats_sum(struct report_counts *counts)
{
	struct stats_view v;
	unsigned int i;

	memset(counts, 0, sizeof(*counts));
	stats_view_own(&v);
	if (v.page == NULL) {
		add_counts(counts, stats_mine);
		return;
	}
	add_counts(counts, stats_unlisted_slot(v.page, v.size));
	for (i = 0; i < stats_slots(&v); i++) {
		add_counts(counts, stats_at(v.page, i));
		counts->begun += report_in_handshake(
		    STATS_GET(stats_at(v.page, i)->state));
	}
}

/* The longest gap of all connections there were. */
static void
add_gap(struct report *r, const struct stats_slot *s)
{
	uint32_t gap = STATS_GET(s->gap_most);

	if (gap > r->gap)
		r->gap = gap;
}

/* The largest window of the connections there are. */
static void
add_window(struct report *r, const struct stats_slot *s)
{
	uint32_t up = STATS_GET(s->window_up), down = STATS_GET(s->window_down);

	if (up < down)
		up = down;
	if (up > r->window)
		r->window = up;
}

void
stats_read(const struct stats_view *v, struct report *r)
{
	const struct stats_slot *s;
	unsigned int i, state;

	if (v->page == NULL) {
		memset(r, 0, sizeof(*r));
		return;
	}
	read_header(v->page, r);
	r->waiting = STATS_GET(v->page->waiting);
	s = stats_unlisted_slot(v->page, v->size);
	add_counts(&r->counts, s);
	add_gap(r, s);
	for (i = 0; i < stats_slots(v); i++) {
		s = stats_at(v->page, i);
		add_counts(&r->counts, s);
		add_gap(r, s);
		state = STATS_GET(s->state);
		if (state == STATE_FREE || state >= STATES)
			continue;
		if (!stats_is_alive(v, i)) {
			r->counts.ended[RESULT_KILLED] +=
			    state != STATE_LISTENING;
			r->counts.begun += report_in_handshake(state);
		} else if (state == STATE_LISTENING)
			r->pid = STATS_GET(s->pid);
		else {
			r->active[state]++;
			add_window(r, s);
		}
	}
	if (v->fd != -1)
		r->unlisted = count_locks(v->fd, STATS_UNLISTED,
		    STATS_UNLISTED, UNLISTED_MAX);
}

int
stats_has_websocket(void)
{
	struct stats_view v;
	struct report r;

	stats_view_own(&v);
	stats_read(&v, &r);
	return r.active[STATE_PARKED] + r.active[STATE_OPEN] +
	    r.active[STATE_HALF_CLOSED] + r.active[STATE_LOST] > 0;
}

/* Reads the row of a slot: 1, or 0 if it is free. */
static int
read_row(struct stats_view *v, unsigned int slot, struct report_row *r)
{
	const struct stats_slot *from = stats_at(v->page, slot);
	struct stats_slot s;

	copy_whole(v, &s, from, sizeof(s), &from->seq);
	if (s.state < STATE_HANDSHAKE || s.state >= STATES)
		return 0;
	memset(r, 0, sizeof(*r));
	r->pid = s.pid;
	r->state = s.state;
	TEXT(r->mode, s.mode);
	TEXT(r->peer, s.peer);
	TEXT(r->via, s.via);
	TEXT(r->user, s.user);
	TEXT(r->target, s.target);
	TEXT(r->id, s.id);
	TEXT(r->peer_id, s.peer_id);
	r->age = since(s.begun_at);
	r->idle = since(s.data_at);
	r->rtt = s.rtt;
	r->lost = s.state == STATE_LOST && s.lost_at != 0 ?
	    since(s.lost_at) : -1;
	r->gap = r->lost > (int64_t)s.gap ? r->lost : (int64_t)s.gap;
	r->window_up = s.window_up;
	r->window_down = s.window_down;
	r->up = s.counts.up - s.up_before;
	r->down = s.counts.down - s.down_before;
	r->resumes = s.resumes;
	return 1;
}

int
stats_row(struct stats_view *v, unsigned int slot, struct report_row *r)
{
	return slot < stats_slots(v) &&
	    STATS_GET(stats_at(v->page, slot)->state) >= STATE_HANDSHAKE &&
	    read_row(v, slot, r) && stats_is_alive(v, slot);
}

/* Reads name i of a gate: 1, or 0 if it is unused. */
static int
read_name(struct stats_view *v, unsigned int i, struct stats_name *to)
{
	const struct stats_name *from = stats_name_at(v->page, v->size, i);
	struct stats_name n;

	copy_whole(v, &n, from, sizeof(n), &from->seq);
	*to = n;
	TEXT(to->text, n.text);
	return to->text[0] != '\0';
}

void
stats_names(struct stats_view *v, struct report_names *names)
{
	struct report_row r;
	struct stats_name one;
	unsigned int i;
	uint32_t used;

	if (v->page == NULL || !report_is_gate(v->page->mode))
		return;
	used = STATS_GET(v->page->names);
	for (i = 0; i < used && i < STATS_NAMES; i++)
		if (read_name(v, i, &one))
			report_add_name(names, one.text, one.listed != 0,
			    one.waiting);
	for (i = 0; i < stats_slots(v); i++)
		if (stats_row(v, i, &r))
			report_add_row(names, &r);
}

int
stats_last_row(int slot, struct report_row *r)
{
	struct stats_view v;

	stats_view_own(&v);
	return slot >= 0 && (unsigned int)slot < stats_slots(&v) &&
	    read_row(&v, (unsigned int)slot, r);
}
