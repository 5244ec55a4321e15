/* SPDX-License-Identifier: ISC */
/*
 * Pages whose supervisor has ended while its tunnels live on: a supervisor
 * with the same listeners takes the page over and counts these tunnels.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stats/internal.h"

/* Do two names of instances, "A,B -> C", have the same A,B?  C may differ. */
static int
same_listeners(const char *a, const char *b)
{
	const char *end = strstr(a, " -> ");
	size_t len = end != NULL ? (size_t)(end - a) : strlen(a);

	return strncmp(a, b, len) == 0 &&
	    (b[len] == '\0' || strncmp(b + len, " -> ", 4) == 0);
}

/* Has the file no name any more?  "status" removes pages that nobody uses. */
static int
is_removed(int fd)
{
	struct stat st;

	return fstat(fd, &st) == -1 || st.st_nlink == 0;
}

/*
 * Did an ended supervisor of this kind leave the page, while children of it
 * still run?  If so, this process holds the lock of slot 0 from now on.
 */
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
	    stats_children_live(h, fd) && !is_removed(fd);
}

/* Maps the page in the file if it is_orphan(); else NULL. */
static struct stats_header *
map_orphan(const char *path, const struct stats_about *about, int *fd,
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

int
stats_take_over(const char *path, const struct stats_about *about)
{
	struct stats_header *h;
	unsigned int i;
	size_t size;
	int fd;

	if ((h = map_orphan(path, about, &fd, &size)) == NULL)
		return -1;
	stats_own.page = h;
	stats_own.size = size;
	stats_own.fd = fd;
	strlcpy(stats_own.path, path, sizeof(stats_own.path));
	stats_share_lock(h, fd);
	stats_describe(h, stats_slots_in(size), about);
	STATS_SET(h->ready_cache, 0);
	for (i = 0; i < STATS_NAMES && i < h->names; i++)
		stats_set_name(i, "", 0, 0);
	return 0;
}

void
stats_chown(uid_t uid, gid_t gid)
{
	struct stats_view v;

	stats_view_own(&v);
	if (v.page != NULL && v.fd != -1 && fchown(v.fd, uid, gid) == -1)
		return;
}

int
stats_inherited(int slot)
{
	struct stats_view v;

	stats_view_own(&v);
	if (v.page == NULL || v.fd == -1 ||
	    (unsigned int)slot >= stats_slots(&v))
		return 0;
	if (STATS_GET(stats_at(v.page, slot)->state) == STATE_FREE)
		return 0;
	return stats_slot_lives(v.page, v.fd, (unsigned int)slot) ? 1 : -1;
}
