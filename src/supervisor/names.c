/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/memory.h"
#include "proto/agent_name.h"
#include "supervisor/names.h"
#include "supervisor/startup.h"
#include "supervisor/visitor.h"
#include "supervisor/watch.h"

#define BACKLOG		512
#define SOCKET_MODE	0660
#define BUCKETS		65536
#define KEPT_MS		60000	/* a listener without agents, when visitors
				 * wait without end */

struct name {
	char text[AGENT_NAME_MAX];	/* "" for the one listener of all */
	int fd[2];
	unsigned int nfd;
	struct net_file file;
	int used;			/* else this number is free */
	unsigned int listed;		/* when it was last; 0: it is not */
	unsigned int agents, waiting;
	int64_t until;			/* the listener stays without agents */
	int next_text;			/* with the same hash, or free */
	int next, previous;		/* whose agents have left */
	int leaving;			/* is it one of these? */
	struct takeover takeover;
};

static int
is_dir(const struct names *n)
{
	return n->o->reverse.visitors_dir != NULL;
}

const char *
names_text(const struct names *n, int name, char *dst)
{
	const char *text = n->name[name].text;

	if (!n->name[name].used)
		return "";
	if (!is_dir(n))
		return NULL;
	return n->o->reverse.allow_any_agent ? agent_name_mask(dst, text) :
	    text;
}

struct takeover *
names_takeover(const struct names *n, int name)
{
	return &n->name[name].takeover;
}

int
names_is_listed(const struct names *n, int name)
{
	return n->name[name].listed != 0;
}

unsigned int
names_top(const struct names *n)
{
	return n->top;
}

int
names_listener(const struct names *n, int name, unsigned int second)
{
	return name < (int)n->top && second < n->name[name].nfd ?
	    n->name[name].fd[second] : -1;
}

/* --- the table --- */

static int *
bucket_of(const struct names *n, const char *text)
{
	uint32_t h = 2166136261U;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619U;
	return &n->bucket[(h ^ h >> 16) % BUCKETS];
}

static int
find(const struct names *n, const char *text)
{
	int i;

	for (i = *bucket_of(n, text); i != 0; i = n->name[i - 1].next_text)
		if (strcmp(n->name[i - 1].text, text) == 0)
			return i - 1;
	return NAME_NONE;
}

static int
add(struct names *n, const char *text)
{
	int i = n->free, *bucket;

	if (i != 0)
		n->free = n->name[i - 1].next_text;
	else if (n->top < n->max)
		i = (int)++n->top;
	else
		return NAME_NONE;
	memset(&n->name[i - 1], 0, sizeof(n->name[0]));
	n->name[i - 1].used = 1;
	strlcpy(n->name[i - 1].text, text, sizeof(n->name[0].text));
	bucket = bucket_of(n, text);
	n->name[i - 1].next_text = *bucket;
	*bucket = i;
	n->n++;
	return i - 1;
}

static void
free_number(struct names *n, int name)
{
	struct name *me = &n->name[name];
	int *p = bucket_of(n, me->text);

	while (*p != name + 1)
		p = &n->name[*p - 1].next_text;
	*p = me->next_text;
	me->used = 0;
	me->next_text = n->free;
	n->free = name + 1;
	n->n--;
}

/* In the order in which they left, which is that of their ends. */
static void
set_leaving(struct names *n, int name, int leaving)
{
	struct name *me = &n->name[name];

	if (me->leaving == leaving)
		return;
	me->leaving = leaving;
	if (leaving) {
		me->previous = n->last;
		me->next = 0;
		*(n->last != 0 ? &n->name[n->last - 1].next : &n->first) =
		    name + 1;
		n->last = name + 1;
		return;
	}
	*(me->previous != 0 ? &n->name[me->previous - 1].next : &n->first) =
	    me->next;
	*(me->next != 0 ? &n->name[me->next - 1].previous : &n->last) =
	    me->previous;
}

/* --- listeners --- */

/* What is watched is closed only when it is watched no more. */
static void
close_listeners(struct names *n, struct name *me, int leave)
{
	unsigned int i;

	for (i = 0; i < me->nfd; i++) {
		if (!leave)
			net_unlisten(me->fd[i], &me->file);
		event_delete(n->events, me->fd[i]);
		close(me->fd[i]);
	}
	n->nlisteners -= me->nfd;
	me->nfd = 0;
}

/* Moves and watches those just made; -1 with errno, and they are closed. */
static int
watch(struct names *n, int name, int nfd)
{
	struct name *me = &n->name[name];
	int i, fd, failed = 0;

	n->nlisteners += nfd;
	for (i = 0; i < nfd; i++) {
		if ((fd = fd_keep(me->fd[i])) == -1)
			failed = errno;
		else
			me->fd[i] = fd;
		if (failed == 0 && event_add(n->events, me->fd[i],
		    watch_tag(WATCH_NAME, watch_name_index(name, i), 0)) == -1)
			failed = errno;
		net_tune(me->fd[i]);
	}
	me->nfd = nfd;
	if (failed == 0)
		return 0;
	close_listeners(n, me, 0);
	errno = failed;
	return -1;
}

/* The agent is told why not, without a path. */
static int
open_listener(struct names *n, int name, struct error *why)
{
	struct name *me = &n->name[name];
	struct addr a = { .kind = ADDR_UNIX, .mode = SOCKET_MODE };
	int nfd;

	if (agent_name_path(a.path, sizeof(a.path), n->o->reverse.visitors_dir,
	    me->text) == -1)
		return error_set(why, EXIT_BADUSAGE, "the name is too long");
	nfd = net_listen_now(&a, BACKLOG, me->fd, why);
	if (nfd != -1)
		me->file = net_file_of(me->fd[0]);
	if (nfd == -1 || watch(n, name, nfd) == -1)
		return error_set(why, EXIT_SYSTEM,
		    "its socket cannot be made: %s", strerror(errno));
	return 0;
}

int
names_renew(struct names *n, int name, struct error *why)
{
	struct name *me = &n->name[name];

	if (!is_dir(n) || me->nfd == 0 || net_has_file(me->fd[0], &me->file))
		return 0;
	close_listeners(n, me, 0);
	return open_listener(n, name, why);
}

static void
drop(struct names *n, int name)
{
	struct name *me = &n->name[name];

	set_leaving(n, name, 0);
	close_listeners(n, me, 0);
	if (me->waiting == 0)
		free_number(n, name);
}

/* It has neither agents nor a line in the file: it leaves in its time. */
static void
leave(struct names *n, int name, int64_t now)
{
	int64_t ms = n->o->reverse.queue;

	n->name[name].until = now + (ms > 0 ? ms : KEPT_MS);
	set_leaving(n, name, 1);
}

/* Room for one listener more, if need be that of a name without agents. */
static int
make_room(struct names *n, int new)
{
	unsigned int max = n->max - (new != 0);

	if (n->nlisteners < n->max_listeners && n->n <= max)
		return 1;
	if (n->first == 0)
		return 0;
	drop(n, n->first - 1);
	return n->nlisteners < n->max_listeners && n->n <= max;
}

static int
make(struct names *n, const char *text, struct error *why)
{
	int name = find(n, text), new = name == NAME_NONE;

	if (!new && n->name[name].nfd > 0)
		return names_renew(n, name, why) == 0 ? name : NAME_NONE;
	if (!make_room(n, new) || (new && (name = add(n, text)) == NAME_NONE)) {
		error_set(why, EXIT_AGAIN, "the gate has no room for more names");
		return NAME_NONE;
	}
	if (open_listener(n, name, why) == 0)
		return name;
	if (new)
		free_number(n, name);
	return NAME_NONE;
}

int
names_listen(struct names *n, const char *text, int64_t now,
    struct error *why)
{
	int name;

	if (!is_dir(n))
		return 0;
	if (!agent_name_is_valid(slice_of(text))) {
		error_set(why, EXIT_PROTOCOL, "no name");
		return NAME_NONE;
	}
	name = make(n, text, why);
	if (name != NAME_NONE && n->name[name].agents == 0 &&
	    !n->name[name].listed)
		leave(n, name, now);
	return name;
}

/* --- who is there --- */

void
names_add_agent(struct names *n, int name)
{
	if (n->name[name].agents++ == 0)
		set_leaving(n, name, 0);
}

void
names_remove_agent(struct names *n, int name, int64_t now)
{
	if (--n->name[name].agents == 0 && !n->name[name].listed && is_dir(n))
		leave(n, name, now);
}

void
names_set_waiting(struct names *n, int name, unsigned int visitors)
{
	struct name *me = &n->name[name];

	me->waiting = visitors;
	if (visitors == 0 && me->used && me->nfd == 0 && me->agents == 0 &&
	    is_dir(n))
		free_number(n, name);
}

int
names_expire(struct names *n, int64_t now)
{
	int name = n->first - 1;

	if (n->first == 0 || n->name[name].until > now)
		return NAME_NONE;
	drop(n, name);
	return name;
}

int64_t
names_time(const struct names *n)
{
	return n->first == 0 ? CLOCK_NEVER : n->name[n->first - 1].until;
}

/* --- --agents-file --- */

void
names_begin_listing(struct names *n)
{
	n->listing++;
}

int
names_list(struct names *n, const char *text, struct error *why)
{
	int i = make(n, text, why);

	if (i == NAME_NONE)
		return -1;
	n->name[i].listed = n->listing;
	set_leaving(n, i, 0);
	return 0;
}

void
names_end_listing(struct names *n)
{
	struct name *me;
	unsigned int i;

	for (i = 0; i < n->top; i++) {
		me = &n->name[i];
		if (!me->used || me->listed == 0 || me->listed == n->listing)
			continue;
		me->listed = 0;
		if (me->agents == 0)
			drop(n, (int)i);
	}
}

/* --- life --- */

int
names_begin(struct names *n, const struct options *o,
    const struct inherited *given, const struct event_set *events,
    unsigned int max_listeners, struct error *why)
{
	int nfd;

	memset(n, 0, sizeof(*n));
	n->o = o;
	n->events = events;
	n->max_listeners = max_listeners;
	if (o->reverse.visitors == NULL && !is_dir(n))
		return 0;
	n->max = is_dir(n) ? NAMES_MAX : 1;
	n->name = memory_unshared(n->max * sizeof(n->name[0]));
	n->bucket = memory_unshared(BUCKETS * sizeof(n->bucket[0]));
	if (n->name == NULL || n->bucket == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (is_dir(n))
		return 0;
	add(n, "");
	n->name[0].listed = 1;
	nfd = startup_listener(given, LISTENER_VISITORS, o->reverse.visitors,
	    BACKLOG, n->name[0].fd, &n->name[0].file, why);
	if (nfd == -1)
		return -1;
	if (watch(n, 0, nfd) == -1)
		return error_set(why, EXIT_SYSTEM, "the visitors' listener: "
		    "%s", strerror(errno));
	return 0;
}

void
names_set_max(struct names *n, unsigned int listeners)
{
	n->max_listeners = listeners;
}

void
names_stop(struct names *n, int leave)
{
	unsigned int i;

	if (n->name == NULL)
		return;
	for (i = 0; i < n->top; i++)
		close_listeners(n, &n->name[i], leave);
	n->first = n->last = 0;
}

/* Descriptors that are left go with the process. */
void
names_end(struct names *n)
{
	memory_unshared_end(n->name, n->max * sizeof(struct name));
	memory_unshared_end(n->bucket, BUCKETS * sizeof(n->bucket[0]));
	n->name = NULL;
	n->bucket = NULL;
}
