/* SPDX-License-Identifier: ISC */
/*
 * Pages whose supervisor is gone while its tunnels live on: whoever listens in
 * its place takes the page over, and with it those that are still to count.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stats/internal.h"

/* "A,B -> C": where it goes may have changed. */
static int
same_listeners(const char *a, const char *b)
{
	const char *end = strstr(a, " -> ");
	size_t len = end != NULL ? (size_t)(end - a) : strlen(a);

	return strncmp(a, b, len) == 0 &&
	    (b[len] == '\0' || strncmp(b + len, " -> ", 4) == 0);
}

/* Somebody may remove it as soon as its last process has gone. */
static int
is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 || st.st_nlink == 0;
}

static int
is_orphan(const struct stats_header *h, int fd,
    const struct stats_about *about)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET,
	    .l_start = 0, .l_len = 1 };
	char name[sizeof(h->name)];

	memcpy(name, h->name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	return h->has_supervisor &&
	    strncmp(h->mode, about->mode, sizeof(h->mode)) == 0 &&
	    same_listeners(name, about->name) &&
	    fcntl(fd, F_SETLK, &l) == 0 &&
	    stats_locked(fd, 1, STATS_SLOTS_MAX, NULL) && !is_removed(fd);
}

struct stats_header *
stats_inherit(const char *path, const struct stats_about *about, int *fd,
    size_t *size)
{
	struct stats_header *h;

	*fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd == -1)
		return NULL;
	h = stats_map(*fd, PROT_READ | PROT_WRITE, size);
	if (h != NULL && is_orphan(h, *fd, about))
		return h;
	if (h != NULL)
		stats_unmap(h, *size);
	close(*fd);
	return NULL;
}

void
stats_give(uid_t uid, gid_t gid)
{
	struct stats_view v;

	stats_view_own(&v);
	if (v.page != NULL && v.fd != -1 && fchown(v.fd, uid, gid) == -1)
		return;
}

int
stats_is_inherited(int slot)
{
	struct stats_view v;

	stats_view_own(&v);
	if (v.page == NULL || v.fd == -1 ||
	    (unsigned int)slot >= stats_slots(&v))
		return 0;
	if (STATS_GET(stats_at(v.page, slot)->state) == STATE_FREE)
		return 0;
	if (stats_locked(v.fd, slot, 1, NULL))
		return 1;
	stats_close_slot(slot);
	return 0;
}
