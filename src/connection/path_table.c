/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "connection/path_table.h"
#include "os/memory.h"
#include "os/process.h"

enum { NONE, UP, LOST };

struct place {
	uint32_t state;
	struct net_path path;
};

static struct place *table, *mine MEMORY_HOT;

static struct {
	pid_t pid;
	int is_followed;	/* its end is told */
} supervisor MEMORY_HOT;

#define GET(field)	__atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define SET(field, v)	__atomic_store_n(&(field), v, __ATOMIC_RELEASE)

/* Pages that no tunnel was entered in cost nothing. */
int
path_table_begin(void)
{
	table = memory_shared(PATH_TABLE_PLACES * sizeof(*table));
	supervisor.pid = getpid();
	return table == NULL ? -1 : 0;
}

void
path_table_end(void)
{
	table = NULL;
}

/* A page that was never written is not touched for that. */
void
path_table_clear(unsigned int child)
{
	if (table != NULL && child < PATH_TABLE_PLACES &&
	    GET(table[child].state) != NONE)
		SET(table[child].state, NONE);
}

/* Most tunnels have the same ends: the last answer is likely to be right. */
static int
holds(struct path_change *change, const struct net_path *path)
{
	struct net_path p = *path;

	if (p.local.sa.sa_family == AF_INET)
		p.local.in.sin_port = 0;
	else
		p.local.in6.sin6_port = 0;
	if (!change->known || memcmp(&change->path, &p, sizeof(p)) != 0) {
		change->path = p;
		change->holds = net_path_holds(&p);
		change->known = 1;
	}
	return change->holds;
}

int
path_table_concerns(unsigned int child, struct path_change *change)
{
	const struct place *p;

	if (table == NULL || child >= PATH_TABLE_PLACES)
		return 0;
	p = &table[child];
	switch (GET(p->state)) {
	case UP:
		return (change->what & NET_WOKEN) != 0 ||
		    ((change->what & NET_CHANGED) != 0 &&
		    !holds(change, &p->path));
	case LOST:
		return (change->what & (NET_APPEARED | NET_WOKEN)) != 0;
	}
	return 0;
}

void
path_table_be(unsigned int child)
{
	mine = table != NULL && child < PATH_TABLE_PLACES ? &table[child] :
	    NULL;
}

void
path_table_follow(void)
{
	supervisor.is_followed = table != NULL &&
	    process_follow(supervisor.pid, SIGUSR2) == 0;
}

int
path_table_is_left(void)
{
	return supervisor.is_followed && getppid() != supervisor.pid;
}

void
path_table_up(const struct net_path *path)
{
	if (mine == NULL)
		return;
	SET(mine->state, NONE);
	mine->path = *path;
	SET(mine->state, UP);
}

void
path_table_lost(void)
{
	if (mine != NULL)
		SET(mine->state, LOST);
}
