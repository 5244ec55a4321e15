/* SPDX-License-Identifier: ISC */
/*
 * Visitors' doors: one that is always there, or one for each name of an agent,
 * as DIR/NAME.sock.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/readfile.h"
#include "proto/agent_name.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"

#define BACKLOG		512
#define HANDOFF_MODE	0660

static int
is_dir(const struct supervisor *s)
{
	return s->o->reverse.visitors_dir != NULL;
}

/* Names are shown as they are unless they are secrets; NULL: it has none. */
const char *
names_text(const struct supervisor *s, int name, char *dst)
{
	const char *text = s->names.name[name].text;

	if (!is_dir(s))
		return NULL;
	return s->o->reverse.allow_any_agent ? agent_name_mask(dst, text) :
	    text;
}

/* The address of a name's door: 0, or -1 if the name is too long for that. */
static int
address(const struct supervisor *s, const char *text, struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->kind = ADDR_UNIX;
	a->mode = HANDOFF_MODE;
	return agent_name_path(a->path, sizeof(a->path), s->o->reverse.visitors_dir,
	    text);
}

static int
find(const struct supervisor *s, const char *text)
{
	unsigned int i;

	for (i = 0; i < s->names.n; i++)
		if (s->names.name[i].used &&
		    strcmp(s->names.name[i].text, text) == 0)
			return i;
	return NAME_NONE;
}

static int
place(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->names.n; i++)
		if (!s->names.name[i].used)
			return i;
	return s->names.n < s->names.max ? (int)s->names.n++ : NAME_NONE;
}

/* Opens the door of a name.  Why not is told to its agent: without a path. */
static int
open_door(struct supervisor *s, struct name *name, struct error *why)
{
	struct addr a;
	int n;

	if (address(s, name->text, &a) == -1)
		return error_set(why, EXIT_BADUSAGE, "the name is too long");
	if ((n = net_listen_now(&a, BACKLOG, name->fd, why)) == -1)
		return error_set(why, EXIT_SYSTEM, "its door cannot be made: %s",
		    strerror(errno));
	name->nfd = n;
	net_tune(name->fd[0]);
	return 0;
}

/* The number of a name that has a door, or is given one. */
static int
make(struct supervisor *s, const char *text, struct error *why)
{
	struct name *name;
	int i = find(s, text);

	if (i == NAME_NONE && (i = place(s)) == NAME_NONE) {
		error_set(why, EXIT_AGAIN, "too many names");
		return NAME_NONE;
	}
	name = &s->names.name[i];
	if (!name->used) {
		memset(name, 0, sizeof(*name));
		strlcpy(name->text, text, sizeof(name->text));
	}
	if (name->nfd == 0 && open_door(s, name, why) == -1)
		return NAME_NONE;
	name->used = 1;
	slots_set_name(s, i);
	return i;
}

int
names_listen(struct supervisor *s, const char *text, struct error *why)
{
	int i;

	if (!is_dir(s))
		return 0;
	if (!agent_name_is_valid(slice_of(text))) {
		error_set(why, EXIT_PROTOCOL, "no name");
		return NAME_NONE;
	}
	if ((i = make(s, text, why)) != NAME_NONE)
		s->names.name[i].there = 1;
	return i;
}

static void
close_door(struct supervisor *s, struct name *name)
{
	struct addr a;
	unsigned int i;

	if (name->nfd > 0 && is_dir(s) && address(s, name->text, &a) == 0)
		unlink(a.path);
	for (i = 0; i < name->nfd; i++)
		close(name->fd[i]);
	name->nfd = 0;
}

/* 0: it is as it should be, and the text is memory that is taken. */
static int
read_file(const struct supervisor *s, struct slice *file)
{
	struct agents_file_line l;
	struct lines lines;
	int r;

	if (readfile_take(s->o->reverse.agents_file, file) == -1) {
		log_event(LOG_L_ERROR, "agents-file", "file",
		    s->o->reverse.agents_file, "why", strerror(errno), NULL);
		return -1;
	}
	lines_begin(&lines, *file);
	while ((r = agents_file_next(&lines, &l)) == 1)
		;
	if (r == -1)
		memory_return();
	return r;
}

/* Those in the file have a door whether they are there or not. */
static void
keep_listed(struct supervisor *s, struct slice file)
{
	struct lines lines;
	char word[AGENT_NAME_MAX];
	struct agents_file_line l;
	struct error why;
	unsigned int k;
	int i;

	for (k = 0; k < s->names.n; k++)
		s->names.name[k].listed = 0;
	lines_begin(&lines, file);
	while (agents_file_next(&lines, &l) == 1) {
		if (slice_copy(word, sizeof(word), l.name) == -1)
			continue;
		if ((i = make(s, word, &why)) == NAME_NONE)
			log_event(LOG_L_ERROR, "no-door", "name", word,
			    "why", why.text, NULL);
		else
			s->names.name[i].listed = 1;
	}
	for (k = 0; k < s->names.n; k++)
		slots_set_name(s, k);
}

/* With something wrong in it (which is told) all stays as it was. */
void
names_reload(struct supervisor *s)
{
	struct slice file;

	if (s->names.max == 0 || s->o->reverse.agents_file == NULL ||
	    read_file(s, &file) == -1)
		return;
	if (is_dir(s))
		keep_listed(s, file);
	pool_expel(s, file);
	memory_return();
}

/* What a gate that was killed has left behind. */
static void
remove_stale(const struct supervisor *s)
{
	const size_t end = strlen(AGENT_NAME_SUFFIX);
	struct slice name;
	struct dirent *e;
	struct addr a;
	DIR *d;

	if ((d = opendir(s->o->reverse.visitors_dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		name = slice_of(e->d_name);
		if (name.len <= end || strcmp(e->d_name + name.len - end,
		    AGENT_NAME_SUFFIX) != 0)
			continue;
		e->d_name[name.len -= end] = '\0';
		if (agent_name_is_valid(name) &&
		    address(s, e->d_name, &a) == 0 && net_is_stale(a.path))
			unlink(a.path);
	}
	closedir(d);
}

int
names_begin(struct supervisor *s, struct error *why)
{
	struct names *names = &s->names;
	int n;

	if (s->o->reverse.visitors == NULL && !is_dir(s))
		return 0;
	names->max = is_dir(s) ? NAMES_MAX : 1;
	names->name = calloc(names->max, sizeof(names->name[0]));
	if (names->name == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (is_dir(s))
		return 0;
	n = startup_listener(s->service->given, LISTENER_VISITORS, s->o->reverse.visitors,
	    BACKLOG, names->name[0].fd, why);
	if (n == -1)
		return -1;
	names->n = 1;
	names->name[0].nfd = n;
	names->name[0].used = names->name[0].listed = 1;
	while (n-- > 0)
		net_tune(names->name[0].fd[n]);
	return 0;
}

int
names_begin_unprivileged(struct supervisor *s, struct error *why)
{
	struct stat st;

	if (!is_dir(s))
		return 0;
	if (stat(s->o->reverse.visitors_dir, &st) == -1 ||
	    (!S_ISDIR(st.st_mode) && (errno = ENOTDIR)) ||
	    access(s->o->reverse.visitors_dir, W_OK | X_OK) == -1)
		return error_set(why, EXIT_SYSTEM, "--visitors-dir %s: %s",
		    s->o->reverse.visitors_dir, strerror(errno));
	remove_stale(s);
	names_reload(s);
	return 0;
}

void
names_announce(const struct supervisor *s)
{
	char addr[NET_NAME_MAX];
	unsigned int i;

	for (i = 0; !is_dir(s) && s->names.n == 1 &&
	    i < s->names.name[0].nfd; i++)
		supervisor_announce(s, "visitors", "visitors on",
		    net_local_name(s->names.name[0].fd[i], addr,
		    sizeof(addr)));
}

unsigned int
names_watch(const struct supervisor *s, struct pollfd *p)
{
	unsigned int i, k, n = 0;

	for (i = 0; i < s->names.n; i++)
		for (k = 0; k < s->names.name[i].nfd; k++)
			p[n++] = (struct pollfd){
			    .fd = s->names.name[i].fd[k], .events = POLLIN };
	return n;
}

/* Which descriptor is whose has not changed since. */
void
names_accept(struct supervisor *s, const struct pollfd *p,
    unsigned int n)
{
	unsigned int i, k, at = 0;

	for (i = 0; i < s->names.n; i++)
		for (k = 0; k < s->names.name[i].nfd && at < n; k++, at++)
			if (p[at].fd == s->names.name[i].fd[k] &&
			    p[at].revents != 0)
				supervisor_accept_some(s, p[at].fd, i);
}

/* Whose agents are there. */
static void
look(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->names.n; i++)
		s->names.name[i].here = 0;
	for (i = 0; i < s->active; i++)
		if (s->child[i].name != NAME_NONE)
			s->names.name[s->child[i].name].here = 1;
}

/*
 * A door stays for the queue time without an agent.  Its name stays as long as
 * visitors wait who came by it, so that they are never another name's.
 */
int64_t
names_tend(struct supervisor *s)
{
	int64_t now = clock_ms(), next = CLOCK_NEVER;
	struct name *name;

	if (!is_dir(s))
		return next;
	look(s);
	for (name = s->names.name; name < s->names.name + s->names.n; name++) {
		if (!name->used || name->here || name->listed) {
			name->there = name->here;
			continue;
		}
		if (name->there) {
			name->there = 0;
			name->until = pool_queue_until(s);
		}
		if (now >= name->until) {
			close_door(s, name);
			name->used = name->waiting > 0;
			slots_set_name(s, name - s->names.name);
		} else if (name->until < next)
			next = name->until;
	}
	return next;
}

void
names_stop(struct supervisor *s, int leave)
{
	unsigned int i, k;

	if (!is_dir(s) && s->names.n == 1 && !leave &&
	    s->o->reverse.visitors->kind == ADDR_UNIX)
		unlink(s->o->reverse.visitors->path);
	for (i = 0; i < s->names.n; i++) {
		if (!leave && s->names.name[i].used)
			close_door(s, &s->names.name[i]);
		for (k = 0; k < s->names.name[i].nfd; k++)
			close(s->names.name[i].fd[k]);
		s->names.name[i].nfd = 0;
	}
}

void
names_close(const struct supervisor *s)
{
	unsigned int i, k;

	for (i = 0; i < s->names.n; i++)
		for (k = 0; k < s->names.name[i].nfd; k++)
			close(s->names.name[i].fd[k]);
}

void
names_end(struct supervisor *s)
{
	free(s->names.name);
}
