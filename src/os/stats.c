/* SPDX-License-Identifier: ISC */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/stats_inside.h"

#define LINES_A_SECOND	100	/* of the log, that strangers cause */
#define RELAXED		__ATOMIC_RELAXED

/* The shared statistics page of this process. */
static struct {
	struct stats_header *page;
	size_t size;
	int fd;			/* -1: no file */
	int unlisted;		/* no slot: what is mine goes to the last */
	struct report_counts flushed;	/* of it */
	char path[200];
} own = { .fd = -1 };

static struct stats_slot alone = { .rtt = -1 };
struct stats_slot *stats_mine = &alone;

static size_t
page_size(unsigned int slots)
{
	return sizeof(struct stats_header) +
	    (size_t)slots * sizeof(struct stats_slot);
}

static void
describe(struct stats_header *h, unsigned int slots,
    const struct stats_about *about)
{
	h->version = STATS_VERSION;
	h->header_size = sizeof(struct stats_header);
	h->slot_size = sizeof(struct stats_slot);
	h->slots = slots;
	h->started = time(NULL);
	h->started_at = clock_ms();
	strlcpy(h->program, INETWS_VERSION, sizeof(h->program));
	if (about != NULL) {
		h->has_supervisor = 1;
		h->max = about->max;
		strlcpy(h->mode, about->mode, sizeof(h->mode));
		strlcpy(h->name, about->name, sizeof(h->name));
	}
	__atomic_store_n(&h->magic, STATS_MAGIC, __ATOMIC_RELEASE);
}

void
stats_retitle(const struct stats_about *about)
{
	if (own.page == NULL || !own.page->has_supervisor)
		return;
	own.page->max = about->max;
	strlcpy(own.page->name, about->name, sizeof(own.page->name));
}

/* Slot 0 and the last one come on top. */
static unsigned int
bounded(unsigned int slots)
{
	return (slots < STATS_SLOTS_MAX ? slots : STATS_SLOTS_MAX) + 2;
}

int
stats_create(const char *path, unsigned int slots,
    const struct stats_about *about)
{
	size_t size;
	void *p;
	int fd = -1, saved;

	slots = bounded(slots);
	size = page_size(slots);
	if (path != NULL) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1)
			return -1;
	}
	p = MAP_FAILED;
	if (fd == -1 || ftruncate(fd, size) == 0)
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED |
		    MAP_NORESERVE | (fd == -1 ? MAP_ANONYMOUS : 0), fd, 0);
	if (p == MAP_FAILED) {
		saved = errno;
		if (fd != -1) {
			unlink(path);
			close(fd);
		}
		errno = saved;
		return -1;
	}
	own.page = p;
	own.size = size;
	own.fd = fd;
	strlcpy(own.path, path != NULL ? path : "", sizeof(own.path));
	describe(own.page, slots, about);
	return 0;
}

int
stats_take_over(const char *path, const struct stats_about *about)
{
	struct stats_header *h;
	size_t size;
	int fd;

	if ((h = stats_orphan(path, about, &fd, &size)) == NULL)
		return -1;
	own.page = h;
	own.size = size;
	own.fd = fd;
	strlcpy(own.path, path, sizeof(own.path));
	describe(h, stats_fit(size), about);
	STATS_SET(h->note, 0);
	return 0;
}

struct stats_header *
stats_map(int fd, int prot, size_t *size)
{
	struct stats_header *h;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(*h))
		return NULL;
	*size = st.st_size;
	h = mmap(NULL, *size, prot, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return NULL;
	if (__atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) == STATS_MAGIC &&
	    h->version == STATS_VERSION &&
	    h->header_size == sizeof(struct stats_header) &&
	    h->slot_size == sizeof(struct stats_slot) && h->slots > 2 &&
	    h->slots <= STATS_SLOTS_MAX + 2 &&
	    *size == page_size(stats_fit(*size)) &&
	    stats_fit(*size) == h->slots)
		return h;
	munmap(h, *size);
	errno = EINVAL;
	return NULL;
}

static int
lock(int fd, int wait, short type, off_t at, off_t n)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = n };

	return fcntl(fd, wait ? F_SETLKW : F_SETLK, &l);
}

int
stats_locked(int fd, off_t from, off_t n, off_t *where)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = from, .l_len = n };

	if (fcntl(fd, F_GETLK, &l) == -1 || l.l_type == F_UNLCK)
		return 0;
	if (where != NULL)
		*where = l.l_start;
	return 1;
}

/* An empty file becomes a page, one process at a time. */
static int
make_shared(int fd, unsigned int slots)
{
	struct stats_header *h;
	struct stat st;
	size_t size = page_size(bounded(slots));
	int r = -1;

	if (lock(fd, 1, F_WRLCK, STATS_UNLISTED - 1, 1) == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		r = 0;
	else if (ftruncate(fd, size) == 0 && (h = mmap(NULL, size,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED) {
		describe(h, bounded(slots), NULL);
		munmap(h, size);
		r = 0;
	}
	lock(fd, 0, F_UNLCK, STATS_UNLISTED - 1, 1);
	return r;
}

int
stats_share(const char *path, unsigned int slots, struct why *why)
{
	int fd, saved;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd == -1)
		return why_set(why, EXIT_BADCONFIG, "statistics file %s: %s",
		    path, strerror(errno));
	if (make_shared(fd, slots) == -1 || (own.page = stats_map(fd,
	    PROT_READ | PROT_WRITE, &own.size)) == NULL) {
		saved = errno;
		close(fd);
		return why_set(why, EXIT_BADCONFIG, "statistics file %s: %s",
		    path, saved == EINVAL ?
		    "is none, or of another version of inetws" :
		    strerror(saved));
	}
	own.fd = fd;
	own.path[0] = '\0';
	return 0;
}

int
stats_rename(const char *path)
{
	if (rename(own.path, path) == -1)
		return -1;
	strlcpy(own.path, path, sizeof(own.path));
	return 0;
}

unsigned int
stats_room(void)
{
	return own.page == NULL ? 0 : stats_fit(own.size) - 2;
}

int
stats_is_open(void)
{
	return own.page != NULL;
}

int
stats_is_shared(void)
{
	return own.page != NULL && own.fd != -1 && own.path[0] == '\0';
}

const char *
stats_path(void)
{
	return own.path[0] != '\0' ? own.path : NULL;
}

void
stats_begin_change(void)
{
	__atomic_store_n(&stats_mine->seq, stats_mine->seq | 1, RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void
stats_end_change(void)
{
	__atomic_store_n(&stats_mine->seq, (stats_mine->seq | 1) + 1,
	    __ATOMIC_RELEASE);
}

/* A slot that nobody has, in a file. */
static int
search(void)
{
	unsigned int pass, slot;

	for (pass = 0; pass < 2; pass++)
		for (slot = 1; slot < stats_fit(own.size) - 1; slot++) {
			if (pass == 0 && STATS_GET(stats_at(own.page,
			    slot)->state) != STATE_FREE)
				continue;
			if (lock(own.fd, 0, F_WRLCK, slot, 1) == 0)
				return slot;
		}
	return STATS_SLOT_NONE;
}

/* Readers look no further. */
static void
mark_used(uint32_t slot)
{
	uint32_t used = STATS_GET(own.page->used);

	while (used <= slot && !__atomic_compare_exchange_n(&own.page->used,
	    &used, slot + 1, 0, RELAXED, RELAXED))
		;
}

/* No slot: this process counts in memory of its own. */
static void
be_unlisted(void)
{
	stats_mine = &alone;
	if (own.page == NULL)
		return;
	own.unlisted = 1;
	own.flushed = alone.counts;
	if (own.fd != -1)
		lock(own.fd, 0, F_WRLCK, STATS_UNLISTED + getpid(), 1);
}

void
stats_take(int slot, enum report_state state)
{
	if (own.page == NULL || slot >= (int)stats_fit(own.size) - 1 ||
	    (slot == STATS_SLOT_NONE &&
	    (own.fd == -1 || (slot = search()) == STATS_SLOT_NONE)))
		be_unlisted();
	else {
		stats_mine = stats_at(own.page, slot);
		if (own.fd != -1)
			lock(own.fd, 0, F_WRLCK, slot, 1);
		mark_used(slot);
	}
	stats_bury(slot);
	stats_begin_change();
	stats_mine->pid = getpid();
	stats_mine->resumes = 0;
	stats_mine->begun_at = stats_mine->data_at = clock_ms();
	stats_mine->rtt = -1;
	stats_mine->pongs = 0;
	stats_mine->up_before = stats_mine->counts.up;
	stats_mine->down_before = stats_mine->counts.down;
	stats_mine->mode[0] = stats_mine->peer[0] = stats_mine->via[0] = '\0';
	stats_mine->user[0] = stats_mine->target[0] = '\0';
	stats_mine->id[0] = stats_mine->peer_id[0] = '\0';
	STATS_SET(stats_mine->source, 0);
	if (state != STATE_LISTENING)
		STATS_ADD(stats_mine->counts.begun, 1);
	STATS_SET(stats_mine->state, state);
	stats_end_change();
	stats_flush();
}

static void
conclude(struct stats_slot *s, unsigned int result)
{
	__atomic_store_n(&s->seq, s->seq | 1, RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (s->state != STATE_LISTENING)
		STATS_ADD(s->counts.ended[result], 1);
	STATS_SET(s->source, 0);
	STATS_SET(s->state, STATE_FREE);
	__atomic_store_n(&s->seq, (s->seq | 1) + 1, __ATOMIC_RELEASE);
}

void
stats_release(unsigned int result)
{
	if (stats_mine->state != STATE_FREE)
		conclude(stats_mine, result);
	stats_flush();
}

void
stats_bury(int slot)
{
	struct stats_slot *s;

	if (own.page == NULL || slot < 0 || slot >= (int)stats_fit(own.size) - 1)
		return;
	s = stats_at(own.page, slot);
	if (s->state != STATE_FREE)
		conclude(s, RESULT_KILLED);
}

/* The one slot with several writers. */
void
stats_flush(void)
{
	const uint64_t *from = (const uint64_t *)(void *)&alone.counts;
	uint64_t *done = (uint64_t *)(void *)&own.flushed, *to;
	size_t i;

	if (!own.unlisted)
		return;
	to = (uint64_t *)(void *)&stats_at(own.page,
	    stats_fit(own.size) - 1)->counts;
	for (i = 0; i < REPORT_NUMBERS; i++) {
		if (from[i] == done[i])
			continue;
		__atomic_fetch_add(&to[i], from[i] - done[i], RELAXED);
		done[i] = from[i];
	}
}

/* Two processes may both begin a second: then a few lines more come through. */
int
stats_may_log(uint64_t *left_out)
{
	struct stats_header *h = own.page;
	int64_t second = clock_ms() / 1000;

	*left_out = 0;
	if (h == NULL)
		return 1;
	if (__atomic_exchange_n(&h->log_second, second, RELAXED) != second)
		__atomic_store_n(&h->log_lines, 0, RELAXED);
	if (__atomic_fetch_add(&h->log_lines, 1, RELAXED) >= LINES_A_SECOND) {
		__atomic_fetch_add(&h->log_left_out, 1, RELAXED);
		return 0;
	}
	*left_out = __atomic_exchange_n(&h->log_left_out, 0, RELAXED);
	return 1;
}

void
stats_set_waiting(unsigned int n)
{
	if (own.page != NULL)
		STATS_SET(own.page->waiting, n);
}

int64_t
stats_note(void)
{
	return own.page == NULL ? 0 : STATS_GET(own.page->note);
}

void
stats_set_note(int64_t note)
{
	if (own.page != NULL)
		STATS_SET(own.page->note, note);
}

void
stats_close(int remove)
{
	if (own.page == NULL)
		return;
	if (remove && own.path[0] != '\0')
		unlink(own.path);
	stats_mine = &alone;
	munmap(own.page, own.size);
	if (own.fd != -1)
		close(own.fd);
	own.page = NULL;
	own.fd = -1;
	own.path[0] = '\0';
}

void
stats_view_own(struct stats_view *v)
{
	v->page = own.page;
	v->size = own.size;
	v->fd = own.fd;
}
