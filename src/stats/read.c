/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "stats/internal.h"

#define TRIES	200	/* to see a slot between two changes */
#define SPINS	100	/* of these without a pause */
#define PATIENCE 100	/* microseconds between the others */

int
stats_view_open(struct stats_view *v, const char *path, struct error *why)
{
	int saved;

	v->page = NULL;
	v->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (v->fd == -1)
		return error_set(why, errno == EACCES ? EXIT_DENIED :
		    EXIT_NAME, "%s: %s%s", path, strerror(errno),
		    errno == EACCES ? ", it belongs to another user" : "");
	if ((v->page = stats_map(v->fd, PROT_READ, &v->size)) != NULL)
		return 0;
	saved = errno;
	close(v->fd);
	v->fd = -1;
	return error_set(why, EXIT_BADCONFIG, "%s: %s", path,
	    saved == EINVAL ?
	    "not a statistics page, or of another version of inetws" :
	    strerror(saved));
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

/* The magic number and the locks are the same in all versions. */
int
stats_is_abandoned(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint32_t magic;
	int left;

	if (fd == -1)
		return 0;
	left = read(fd, &magic, sizeof(magic)) == sizeof(magic) &&
	    magic == STATS_MAGIC && !stats_locked(fd, 0, 0, NULL);
	close(fd);
	return left;
}

unsigned int
stats_slots(const struct stats_view *v)
{
	uint32_t used;

	if (v->page == NULL)
		return 0;
	used = STATS_GET(v->page->used);
	return used < stats_fit(v->size) ? used : stats_fit(v->size) - 1;
}

/*
 * Copies an entry between two changes, if possible: a process that is changing
 * it may be waiting for a processor or for memory.
 */
static void
copy_whole(void *to, const void *from, size_t size, const uint32_t *seq)
{
	uint32_t before;
	int i;

	for (i = 0; i < TRIES; i++) {
		before = __atomic_load_n(seq, __ATOMIC_ACQUIRE);
		memcpy(to, from, size);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((before & 1) == 0 && STATS_GET(*seq) == before)
			return;
		if (i >= SPINS)
			usleep(PATIENCE);
	}
}

static void
copy(struct stats_slot *to, const struct stats_slot *from)
{
	copy_whole(to, from, sizeof(*to), &from->seq);
}

/* A slot with a state but without a lock: its process was killed. */
static int
is_alive(const struct stats_view *v, unsigned int slot)
{
	return v->fd == -1 || stats_locked(v->fd, slot, 1, NULL) ||
	    stats_at(v->page, slot)->pid == getpid();
}

/* The number of locks of one byte each in [from, from + n). */
static unsigned int
count_locks(int fd, off_t from, off_t n)
{
	off_t at;

	if (n <= 0 || !stats_locked(fd, from, n, &at) || at < from)
		return 0;
	return 1 + count_locks(fd, from, at - from) +
	    count_locks(fd, at + 1, from + n - at - 1);
}

/*
 * Every child can write the page, and a compromised one may write anything:
 * a text must end within its field and must not control a reader's terminal.
 */
static void
take(char *to, const char *from, size_t size)
{
	unsigned char c, last = 0;
	size_t i;

	for (i = 0; i + 1 < size && (c = from[i]) != '\0'; last = c, i++)
		to[i] = c < ' ' || c == 0x7f ||
		    (last == 0xc2 && c >= 0x80 && c < 0xa0) ? '?' : c;
	memset(to + i, 0, size - i);
}

#define TEXT(to, from) do {						\
	_Static_assert(sizeof(to) >= sizeof(from), "it fits");		\
	take(to, from, sizeof(from));					\
} while (0)

static void
about(const struct stats_header *h, struct report *r)
{
	memset(r, 0, sizeof(*r));
	TEXT(r->version, h->program);
	TEXT(r->mode, h->mode);
	TEXT(r->name, h->name);
	TEXT(r->sandbox, h->sandbox);
	r->started = h->started;
	r->uptime = clock_ms() - h->started_at;
	if (r->uptime < 0)
		r->uptime = 0;	/* of an earlier boot */
	r->max = h->max;
}

/*
 * The supervisor asks for this: it waits for no writer.  Each count is one
 * word, so that half a change is no worse than none.
 */
void
stats_sum(struct report_counts *counts)
{
	struct stats_view v;
	unsigned int i;

	memset(counts, 0, sizeof(*counts));
	stats_view_own(&v);
	if (v.page == NULL) {
		report_add(counts, &stats_mine->counts);
		return;
	}
	report_add(counts, &stats_at(v.page, stats_fit(v.size) - 1)->counts);
	for (i = 0; i < stats_slots(&v); i++)
		report_add(counts, &stats_at(v.page, i)->counts);
}

void
stats_read(const struct stats_view *v, struct report *r)
{
	struct stats_slot s;
	unsigned int i;

	if (v->page == NULL) {
		memset(r, 0, sizeof(*r));
		return;
	}
	about(v->page, r);
	r->waiting = STATS_GET(v->page->waiting);
	copy(&s, stats_at(v->page, stats_fit(v->size) - 1));
	report_add(&r->counts, &s.counts);
	for (i = 0; i < stats_slots(v); i++) {
		copy(&s, stats_at(v->page, i));
		report_add(&r->counts, &s.counts);
		if (s.state == STATE_FREE || s.state >= STATES)
			continue;
		if (!is_alive(v, i))
			r->counts.ended[RESULT_KILLED] +=
			    s.state != STATE_LISTENING;
		else if (s.state == STATE_LISTENING)
			r->pid = s.pid;
		else
			r->active[s.state]++;
	}
	if (v->fd != -1)
		r->unlisted = count_locks(v->fd, STATS_UNLISTED,
		    STATS_UNLISTED);
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

static int64_t
since(int64_t then)
{
	int64_t ms = clock_ms() - then;

	return ms > 0 ? ms : 0;
}

/* 0 if there is none. */
static int
row(const struct stats_slot *slot, struct report_row *r)
{
	const struct stats_slot s = *slot;

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
	r->up = s.counts.up - s.up_before;
	r->down = s.counts.down - s.down_before;
	r->resumes = s.resumes;
	return 1;
}

int
stats_row(const struct stats_view *v, unsigned int slot, struct report_row *r)
{
	struct stats_slot s;

	if (slot >= stats_slots(v) ||
	    STATS_GET(stats_at(v->page, slot)->state) < STATE_HANDSHAKE)
		return 0;
	copy(&s, stats_at(v->page, slot));
	return row(&s, r) && is_alive(v, slot);
}

/* 0 if there is none. */
static int
name(const struct stats_name *from, struct stats_name *to)
{
	copy_whole(to, from, sizeof(*to), &from->seq);
	to->text[sizeof(to->text) - 1] = '\0';
	return to->text[0] != '\0';
}

void
stats_names(const struct stats_view *v, struct report_names *names)
{
	struct report_row r;
	struct stats_name one;
	unsigned int i;
	uint32_t used;

	if (v->page == NULL || !report_is_gate(v->page->mode))
		return;
	used = STATS_GET(v->page->names);
	for (i = 0; i < used && i < STATS_NAMES; i++)
		if (name(stats_name_at(v->page, v->size, i), &one))
			report_name(names, one.text, one.listed, one.waiting);
	for (i = 0; i < stats_slots(v); i++)
		if (stats_row(v, i, &r))
			report_name_row(names, &r);
}

int
stats_last_row(int slot, struct report_row *r)
{
	struct stats_view v;

	stats_view_own(&v);
	return slot >= 0 && (unsigned int)slot < stats_slots(&v) &&
	    row(stats_at(v.page, slot), r);
}
