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
#include "os/fd.h"
#include "os/log.h"
#include "os/process.h"
#include "stats/internal.h"

#define RELAXED		__ATOMIC_RELAXED
#define LOCK_TRIES	20	/* for a lock that another process holds */
#define LOCK_PAUSE_US	10000
#define SHARE_TRIES	5	/* while others make the page anew */

void
stats_describe(struct stats_header *h, unsigned int slots,
    const struct stats_about *about)
{
	h->version = STATS_VERSION;
	h->header_size = sizeof(struct stats_header);
	h->slot_size = sizeof(struct stats_slot);
	h->slots = slots;
	if (h->used == 0)
		h->used = 1;
	h->started = time(NULL);
	h->started_at = clock_ms();
	strlcpy(h->program, INETWS_VERSION, sizeof(h->program));
	if (about != NULL) {
		h->has_supervisor = 1;
		h->namespace = process_namespace();
		h->max = about->max;
		strlcpy(h->mode, about->mode, sizeof(h->mode));
		strlcpy(h->name, about->name, sizeof(h->name));
	}
	__atomic_store_n(&h->magic, STATS_MAGIC, __ATOMIC_RELEASE);
}

void
stats_retitle(const struct stats_about *about)
{
	struct stats_header *h = stats_own.page;

	if (h == NULL || !h->has_supervisor)
		return;
	h->max = about->max;
	strlcpy(h->name, about->name, sizeof(h->name));
}

int
stats_create(const char *path, unsigned int slots,
    const struct stats_about *about)
{
	size_t size;
	void *p;
	int fd = -1, saved;

	slots = stats_slots_for(slots);
	size = stats_page_size(slots);
	if (path != NULL) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd == -1)
			return -1;
	}
	p = MAP_FAILED;
	if (fd == -1 || ftruncate(fd, (off_t)size) == 0)
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
	if (fd != -1)
		stats_guard(p, size);
	stats_own.page = p;
	stats_own.size = size;
	stats_own.fd = fd;
	if (path != NULL)
		strlcpy(stats_own.path, path, sizeof(stats_own.path));
	stats_describe(stats_own.page, slots, about);
	if (fd != -1 && about != NULL)
		stats_share_lock(stats_own.page, fd);
	return 0;
}

/*
 * Takes the lock under which a shared page is made, or an earlier one removed.
 * Another process may hold it for as long as it likes, so it is waited for 0.2
 * seconds only.  0, or -1 with errno.
 */
static int
lock_for_making(int fd)
{
	int tries = 0;

	while (stats_lock(fd, F_WRLCK, STATS_MAKE_LOCK, 1) == -1) {
		if (errno == EACCES)
			errno = EAGAIN;
		if (errno != EAGAIN || ++tries == LOCK_TRIES)
			return -1;
		usleep(LOCK_PAUSE_US);
	}
	return 0;
}

/* Makes a page of a file that is empty.  0, or -1 with errno. */
static int
make_shared(int fd, unsigned int slots)
{
	struct stats_header *h;
	struct stat st;
	size_t size = stats_page_size(stats_slots_for(slots));
	int r = -1;

	if (lock_for_making(fd) == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_size > 0)
		r = 0;
	else if (ftruncate(fd, (off_t)size) == 0 && (h = mmap(NULL, size,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) != MAP_FAILED) {
		stats_guard(h, size);
		stats_describe(h, stats_slots_for(slots), NULL);
		stats_unmap(h, size);
		r = 0;
	}
	stats_lock(fd, F_UNLCK, STATS_MAKE_LOCK, 1);
	return r;
}

/*
 * Until this process has a slot, or is unlisted, it has no lock that says that
 * it uses the page.  So it holds this one, which belongs to whoever makes the
 * page anew for a moment only.
 */
static void
enter(int fd)
{
	int tries;

	stats_own.enters = 0;
	for (tries = 0; tries < LOCK_TRIES && !stats_own.enters; tries++) {
		if (tries > 0)
			usleep(LOCK_PAUSE_US);
		stats_own.enters = stats_lock(fd, F_RDLCK, STATS_ENTER_LOCK,
		    1) == 0;
	}
}

/*
 * Maps the page of a file, and makes it if it is not there.  Only making needs
 * the lock.
 */
static int
open_shared(int fd, unsigned int slots, uid_t uid)
{
	if (!fd_belongs_to(fd, uid)) {
		errno = EPERM;
		return -1;
	}
	stats_own.page = stats_map(fd, PROT_READ | PROT_WRITE,
	    &stats_own.size);
	if (stats_own.page == NULL && errno == EINVAL &&
	    make_shared(fd, slots) == 0)
		stats_own.page = stats_map(fd, PROT_READ | PROT_WRITE,
		    &stats_own.size);
	return stats_own.page == NULL ? -1 : 0;
}

/*
 * Removes the file of an earlier version's page; the processes that have mapped
 * it go on using it.  A page of a later version stays: otherwise two versions
 * would remove each other's page for ever.  0, also if another process has
 * removed it meanwhile, or -1.
 */
static int
remove_earlier(int fd, const char *path)
{
	int r = 0;

	if (stats_version_of(fd) >= STATS_VERSION || lock_for_making(fd) == -1)
		return -1;
	if (fd_is_at(fd, path))
		r = unlink(path);
	stats_lock(fd, F_UNLCK, STATS_MAKE_LOCK, 1);
	return r;
}

/*
 * Removes the file of a page that has less room than is wanted, unless another
 * process uses it.  Was it removed?
 */
static int
remove_small(int fd, const char *path, unsigned int slots)
{
	int removed;

	if (stats_slots_in(stats_own.size) >= stats_slots_for(slots) ||
	    stats_lock(fd, F_WRLCK, STATS_ENTER_LOCK, 1) == -1)
		return 0;
	removed = !stats_locked(fd, 0, 0, NULL) && fd_is_at(fd, path) &&
	    unlink(path) == 0;
	if (!removed)
		stats_lock(fd, F_RDLCK, STATS_ENTER_LOCK, 1);
	return removed;
}

/* Maps the page at this path if it is one to be used; see open_page(). */
static int
use_page(int fd, const char *path, unsigned int slots, uid_t uid, int *again)
{
	enter(fd);
	if (open_shared(fd, slots, uid) == -1)
		return -1;
	*again = !fd_is_at(fd, path) || remove_small(fd, path, slots);
	if (!*again)
		return 0;
	stats_unmap(stats_own.page, stats_own.size);
	stats_own.page = NULL;
	errno = EAGAIN;
	return -1;
}

/*
 * Opens the page in a file, makes it if there is none, and replaces one of an
 * earlier version, and one that is too small and not in use.  The descriptor, or
 * -1 with errno; EAGAIN: another process keeps it locked; ESTALE: it is of another
 * version; EINVAL: it is another kind of file; EPERM: it is another user's.
 */
static int
open_page(const char *path, unsigned int slots, uid_t uid)
{
	int fd, saved, again, tries = 0;

	do {
		again = 0;
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY |
		    O_NOFOLLOW, 0600);
		if (fd == -1 || use_page(fd, path, slots, uid, &again) == 0)
			return fd;
		saved = errno;
		if (saved == EINVAL && stats_version_of(fd) != 0) {
			saved = ESTALE;
			again = remove_earlier(fd, path) == 0;
		}
		close(fd);
	} while (again && ++tries < SHARE_TRIES);
	errno = saved;
	return -1;
}

/* A program that cannot keep statistics runs without them. */
int
stats_share(const char *path, unsigned int slots, uid_t uid, struct error *why)
{
	int fd = open_page(path, slots, uid);

	if (fd != -1) {
		stats_own.fd = fd;
		stats_own.path[0] = '\0';
		return 0;
	}
	if (errno == EAGAIN || errno == ESTALE) {
		log_event(LOG_L_WARN, "no-statistics", "file", path,
		    "why", errno == ESTALE ?
		    "it is of another version of inetws, or damaged" :
		    "another process keeps it locked", NULL);
		return 0;
	}
	return error_set(why, EXIT_BADUSAGE, "--stats-file %s: %s",
	    path, errno == EINVAL ? "not a statistics file" :
	    errno == EPERM ? "it belongs to another user" :
	    strerror(errno));
}

int
stats_rename(const char *path)
{
	if (strcmp(stats_own.path, path) == 0)
		return 0;
	if (link(stats_own.path, path) == -1)
		return -1;
	unlink(stats_own.path);
	strlcpy(stats_own.path, path, sizeof(stats_own.path));
	return 0;
}

unsigned int
stats_capacity(void)
{
	return stats_own.page == NULL ? 0 : stats_slots_in(stats_own.size) - 2;
}

int
stats_is_open(void)
{
	return stats_own.page != NULL;
}

const char *
stats_path(void)
{
	return stats_own.path[0] != '\0' ? stats_own.path : NULL;
}

void
stats_set_sandbox(const char *missing)
{
	struct stats_header *h = stats_own.page;

	if (h != NULL && h->has_supervisor)
		strlcpy(h->sandbox, missing, sizeof(h->sandbox));
}

void
stats_set_huge_text(uint64_t bytes, const char *missing)
{
	struct stats_header *h = stats_own.page;

	if (h == NULL || !h->has_supervisor)
		return;
	h->huge_text = bytes;
	strlcpy(h->huge_text_missing, missing, sizeof(h->huge_text_missing));
}

void
stats_set_waiting(unsigned int n)
{
	if (stats_own.page != NULL)
		STATS_SET(stats_own.page->waiting, n);
}

void
stats_set_name(unsigned int i, const char *text, int listed,
    unsigned int waiting)
{
	struct stats_header *h = stats_own.page;
	struct stats_name *n;

	if (h == NULL || i >= STATS_NAMES || (i >= h->names &&
	    text[0] == '\0'))
		return;
	n = stats_name_at(h, stats_own.size, i);
	stats_seq_begin(&n->seq);
	strlcpy(n->text, text, sizeof(n->text));
	STATS_SET(n->listed, listed);
	STATS_SET(n->waiting, waiting);
	stats_seq_end(&n->seq);
	if (i >= h->names)
		STATS_SET(h->names, i + 1);
}

int64_t
stats_ready_cache(void)
{
	return stats_own.page == NULL ? 0 :
	    STATS_GET(stats_own.page->ready_cache);
}

void
stats_set_ready_cache(int64_t value)
{
	if (stats_own.page != NULL)
		STATS_SET(stats_own.page->ready_cache, value);
}

void
stats_close(int remove)
{
	if (stats_own.page == NULL)
		return;
	if (remove && stats_own.path[0] != '\0' &&
	    fd_is_at(stats_own.fd, stats_own.path))
		unlink(stats_own.path);
	stats_detach();
	stats_unmap(stats_own.page, stats_own.size);
	if (stats_own.fd != -1)
		close(stats_own.fd);
	stats_own.page = NULL;
	stats_own.fd = -1;
	stats_own.path[0] = '\0';
}
