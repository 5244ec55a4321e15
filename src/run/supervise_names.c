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

#include "os/clock.h"
#include "os/log.h"
#include "os/net.h"
#include "os/readfile.h"
#include "proto/agents.h"
#include "run/start.h"
#include "run/supervise_inside.h"

#define BACKLOG		512
#define SUFFIX		".sock"
#define DOOR_MODE	0660
#define FILE_MAX	(256 * 1024)

static int
is_dir(const struct supervisor *s)
{
	return s->o->visitors_dir != NULL;
}

/* Names are shown as they are unless they are secrets. */
const char *
supervise_door_name(const struct supervisor *s, int name, char *dst)
{
	const char *text = s->names.name[name].text;

	return s->o->allow_any_agent && is_dir(s) ? agents_mask(dst, text) :
	    text;
}

/* The address of a name's door: 0, or -1 if the name is too long for that. */
static int
address(const struct supervisor *s, const char *text, struct addr *a)
{
	int n;

	memset(a, 0, sizeof(*a));
	a->kind = ADDR_UNIX;
	a->mode = DOOR_MODE;
	n = snprintf(a->path, sizeof(a->path), "%s/%s" SUFFIX,
	    s->o->visitors_dir, text);
	return n > 0 && (size_t)n < sizeof(a->path) ? 0 : -1;
}

static int
find(const struct supervisor *s, const char *text)
{
	unsigned int i;

	for (i = 0; i < s->names.n; i++)
		if (s->names.name[i].used &&
		    strcmp(s->names.name[i].text, text) == 0)
			return i;
	return NO_NAME;
}

static int
place(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->names.n; i++)
		if (!s->names.name[i].used)
			return i;
	return s->names.n < s->names.max ? (int)s->names.n++ : NO_NAME;
}

/* Opens the door of a name that has none. */
static int
make(struct supervisor *s, const char *text, struct why *why)
{
	struct name *name;
	struct addr a;
	int i, n;

	if (address(s, text, &a) == -1) {
		why_set(why, EXIT_BADUSAGE, "the name is too long");
		return NO_NAME;
	}
	if ((i = place(s)) == NO_NAME) {
		why_set(why, EXIT_AGAIN, "too many names");
		return NO_NAME;
	}
	name = &s->names.name[i];
	memset(name, 0, sizeof(*name));
	if ((n = net_listen(&a, BACKLOG, name->fd, why)) == -1)
		return NO_NAME;
	name->nfd = n;
	name->used = 1;
	strlcpy(name->text, text, sizeof(name->text));
	net_tune(name->fd[0]);
	return i;
}

int
supervise_door(struct supervisor *s, const char *text, struct why *why)
{
	int i;

	if (!is_dir(s))
		return 0;
	if (!agents_is_name(slice_of(text))) {
		why_set(why, EXIT_PROTOCOL, "no name");
		return NO_NAME;
	}
	if ((i = find(s, text)) == NO_NAME)
		i = make(s, text, why);
	if (i != NO_NAME)
		s->names.name[i].there = 1;
	return i;
}

static void
unmake(struct supervisor *s, struct name *name)
{
	struct addr a;
	unsigned int i;

	if (is_dir(s) && address(s, name->text, &a) == 0)
		unlink(a.path);
	for (i = 0; i < name->nfd; i++)
		close(name->fd[i]);
	name->nfd = 0;
	name->used = 0;
}

/* Those in the file have a door whether they are there or not. */
static void
keep_listed(struct supervisor *s)
{
	static char text[FILE_MAX];
	char word[AGENTS_NAME_MAX];
	struct agents_line l;
	struct slice rest;
	struct why why;
	unsigned int k;
	ssize_t n;
	int i, r;

	if (s->o->agents_file == NULL || !is_dir(s))
		return;
	if ((n = readfile(s->o->agents_file, text, sizeof(text))) == -1) {
		log_event(LOG_L_ERROR, "agents-file", "file",
		    s->o->agents_file, "why", strerror(errno), NULL);
		return;
	}
	for (k = 0; k < s->names.n; k++)
		s->names.name[k].listed = 0;
	rest = (struct slice){ text, n };
	while ((r = agents_next(&rest, &l)) != 0) {
		if (r == -1 || slice_copy(word, sizeof(word), l.name) == -1)
			continue;
		if ((i = find(s, word)) == NO_NAME &&
		    (i = make(s, word, &why)) == NO_NAME)
			log_event(LOG_L_ERROR, "no-door", "name", word,
			    "why", why.text, NULL);
		else
			s->names.name[i].listed = 1;
	}
	explicit_bzero(text, n);
}

/* What a gate that was killed has left behind. */
static void
remove_stale(const struct supervisor *s)
{
	struct slice name;
	struct dirent *e;
	struct addr a;
	DIR *d;

	if ((d = opendir(s->o->visitors_dir)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		name = slice_of(e->d_name);
		if (name.len <= strlen(SUFFIX) ||
		    strcmp(e->d_name + name.len - strlen(SUFFIX), SUFFIX) != 0)
			continue;
		e->d_name[name.len -= strlen(SUFFIX)] = '\0';
		if (agents_is_name(name) &&
		    address(s, e->d_name, &a) == 0 && net_is_stale(a.path))
			unlink(a.path);
	}
	closedir(d);
}

int
supervise_names_begin(struct supervisor *s, struct why *why)
{
	struct names *names = &s->names;
	struct stat st;
	int n;

	if (s->o->visitors == NULL && !is_dir(s))
		return 0;
	names->max = is_dir(s) ? SUPERVISE_NAMES_MAX : 1;
	names->name = calloc(names->max, sizeof(names->name[0]));
	if (names->name == NULL)
		return why_set(why, EXIT_SYSTEM, "out of memory");
	if (is_dir(s)) {
		if (stat(s->o->visitors_dir, &st) == -1 ||
		    (!S_ISDIR(st.st_mode) && (errno = ENOTDIR)))
			return why_set(why, EXIT_SYSTEM, "--visitors-dir %s: "
			    "%s", s->o->visitors_dir, strerror(errno));
		remove_stale(s);
		keep_listed(s);
		return 0;
	}
	n = start_door(s->service->given, DOOR_VISITORS, s->o->visitors,
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

void
supervise_names_announce(const struct supervisor *s)
{
	char addr[NET_NAME_MAX];
	unsigned int i;

	for (i = 0; !is_dir(s) && s->names.n == 1 &&
	    i < s->names.name[0].nfd; i++)
		supervise_announce(s, "visitors", "visitors on",
		    net_local_name(s->names.name[0].fd[i], addr,
		    sizeof(addr)));
}

unsigned int
supervise_names_size(const struct supervisor *s)
{
	return 2 * s->names.max;
}

unsigned int
supervise_names_watch(const struct supervisor *s, struct pollfd *p)
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
supervise_names_heard(struct supervisor *s, const struct pollfd *p,
    unsigned int n)
{
	unsigned int i, k, at = 0;

	for (i = 0; i < s->names.n; i++)
		for (k = 0; k < s->names.name[i].nfd && at < n; k++, at++)
			if (p[at].fd == s->names.name[i].fd[k] &&
			    p[at].revents != 0)
				supervise_accept_some(s, p[at].fd, i);
}

/* A door stays as long as visitors would wait there. */
int64_t
supervise_names_tend(struct supervisor *s)
{
	int64_t now = clock_ms(), next = CLOCK_NEVER;
	struct name *name;
	unsigned int i;

	if (!is_dir(s))
		return next;
	for (i = 0; i < s->names.n; i++)
		s->names.name[i].here = 0;
	for (i = 0; i < s->active; i++)
		if (s->child[i].name != NO_NAME)
			s->names.name[s->child[i].name].here = 1;
	for (name = s->names.name; name < s->names.name + s->names.n; name++) {
		if (!name->used || name->here || name->listed) {
			name->there = name->here;
			continue;
		}
		if (name->there) {
			name->there = 0;
			name->until = now + s->o->queue;
		}
		if (now >= name->until)
			unmake(s, name);
		else if (name->until < next)
			next = name->until;
	}
	return next;
}

void
supervise_names_reload(struct supervisor *s)
{
	int64_t now = clock_ms();
	unsigned int i;

	keep_listed(s);
	for (i = 0; i < s->names.n; i++)
		if (!s->names.name[i].listed && !s->names.name[i].there)
			s->names.name[i].until = now;
}

void
supervise_names_stop(struct supervisor *s, int leave)
{
	unsigned int i, k;

	if (!is_dir(s) && s->names.n == 1 && !leave &&
	    s->o->visitors->kind == ADDR_UNIX)
		unlink(s->o->visitors->path);
	for (i = 0; i < s->names.n; i++) {
		if (!leave && s->names.name[i].used)
			unmake(s, &s->names.name[i]);
		for (k = 0; k < s->names.name[i].nfd; k++)
			close(s->names.name[i].fd[k]);
		s->names.name[i].nfd = 0;
	}
}

void
supervise_names_close(const struct supervisor *s)
{
	unsigned int i, k;

	for (i = 0; i < s->names.n; i++)
		for (k = 0; k < s->names.name[i].nfd; k++)
			close(s->names.name[i].fd[k]);
}

void
supervise_names_end(struct supervisor *s)
{
	free(s->names.name);
}
