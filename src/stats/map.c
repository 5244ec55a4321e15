/* SPDX-License-Identifier: ISC */
/* The size of a page, its mapping into memory, and the locks in its file. */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/fd.h"
#include "os/process.h"
#include "stats/internal.h"

_Static_assert(offsetof(struct stats_header, version) == sizeof(uint32_t) &&
    offsetof(struct stats_header, has_supervisor) == 5 * sizeof(uint32_t),
    "the magic number, the version and this have their place in all versions");

#define RELAXED		__ATOMIC_RELAXED

struct stats_own stats_own = { .fd = -1 };

size_t
stats_page_size(unsigned int slots)
{
	size_t blocks = (slots + STATS_BLOCK_SLOTS - 1) / STATS_BLOCK_SLOTS;

	return (STATS_HEADER_BLOCKS + blocks) * STATS_BLOCK +
	    STATS_NAMES * sizeof(struct stats_name);
}

unsigned int
stats_slots_for(unsigned int connections)
{
	unsigned int slots = (connections < STATS_SLOTS_MAX ? connections :
	    STATS_SLOTS_MAX) + 2;

	return (slots + STATS_BLOCK_SLOTS - 1) / STATS_BLOCK_SLOTS *
	    STATS_BLOCK_SLOTS;
}

void
stats_unmap(const struct stats_header *h, size_t size)
{
	stats_unguard(h);
	munmap((void *)(uintptr_t)h, size);
}

uint32_t
stats_version_of(int fd)
{
	uint32_t begin[2];

	return pread(fd, begin, sizeof(begin), 0) == sizeof(begin) &&
	    begin[0] == STATS_MAGIC ? begin[1] : 0;
}

struct stats_header *
stats_map(int fd, int prot, size_t *size)
{
	struct stats_header *h;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return NULL;
	errno = EINVAL;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)stats_page_size(1))
		return NULL;
	*size = st.st_size;
	h = mmap(NULL, *size, prot, MAP_SHARED, fd, 0);
	if (h == MAP_FAILED)
		return NULL;
	stats_guard(h, *size);
	if (__atomic_load_n(&h->magic, __ATOMIC_ACQUIRE) == STATS_MAGIC &&
	    h->version == STATS_VERSION &&
	    h->header_size == sizeof(struct stats_header) &&
	    h->slot_size == sizeof(struct stats_slot) && h->slots > 2 &&
	    h->slots <= stats_slots_for(STATS_SLOTS_MAX) &&
	    *size == stats_page_size(stats_slots_in(*size)) &&
	    stats_slots_in(*size) == h->slots)
		return h;
	stats_unmap(h, *size);
	errno = EINVAL;
	return NULL;
}

int
stats_lock(int fd, short type, off_t at, off_t n)
{
	struct flock l = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = at, .l_len = n };

	return fcntl(fd, F_SETLK, &l);
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

void
stats_share_lock(struct stats_header *h, int fd)
{
	h->shares_lock = fd_lock_inherited(fd, STATS_SHARED_LOCK) == 0;
}

int
stats_children_live(const struct stats_header *h, int fd)
{
	return h->shares_lock ? stats_locked(fd, STATS_SHARED_LOCK, 1, NULL) :
	    stats_locked(fd, 1, STATS_SLOTS_MAX, NULL);
}

int
stats_slot_lives(const struct stats_header *h, int fd, unsigned int slot)
{
	const struct stats_slot *s = stats_at(h, slot);

	if (!h->shares_lock || slot == 0)
		return stats_locked(fd, slot, 1, NULL);
	return h->namespace != process_namespace() ||
	    process_lives(STATS_GET(s->pid), STATS_GET(s->begun_at));
}

void
stats_seq_begin(uint32_t *seq)
{
	__atomic_store_n(seq, *seq | 1, RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

void
stats_seq_end(uint32_t *seq)
{
	__atomic_store_n(seq, (*seq | 1) + 1, __ATOMIC_RELEASE);
}

int
stats_is_shared(void)
{
	return stats_own.page != NULL && stats_own.fd != -1 &&
	    stats_own.path[0] == '\0';
}

void
stats_view_own(struct stats_view *v)
{
	v->page = stats_own.page;
	v->size = stats_own.size;
	v->fd = stats_own.fd;
	v->supervised = v->page != NULL && !stats_is_shared();
	v->patience = 0;
}
