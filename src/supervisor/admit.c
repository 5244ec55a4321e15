/* SPDX-License-Identifier: ISC */
/*
 * A websocket of an agent shall be parked here: may it?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/readfile.h"
#include "proto/agent_name.h"
#include "proto/http.h"
#include "supervisor/internal.h"

#define BUCKETS		16384

/* Other agents' parked websockets of this name have to go. */
static void
evict(struct supervisor *s, int name, const struct child *me)
{
	struct child *c = children_parked(&s->children, name), *next;

	for (; c != NULL; c = next) {
		next = children_parked_next(&s->children, c);
		if (me->agent_id[0] == '\0' ||
		    strcmp(c->agent_id, me->agent_id) != 0)
			pool_end_channel(s, c);
	}
}

/* The number of its name, or NAME_NONE and why. */
static int
find_place(struct supervisor *s, struct child *c, unsigned int *again,
    struct error *why)
{
	int name;

	*again = HTTP_RETRY_AFTER;
	if (s->phase != SERVING) {
		error_set(why, EXIT_AGAIN, "the gate is closing");
		return NAME_NONE;
	}
	name = names_listen(&s->names, c->agent, clock_ms(), why);
	if (name == NAME_NONE)
		return NAME_NONE;
	pool_show_name(s, name);
	if (s->o->reverse.replace) {
		if (!takeover_claim(names_takeover(&s->names, name),
		    c->agent_id, clock_ms())) {
			*again = TAKEOVER_MS / 1000;
			error_set(why, EXIT_AGAIN,
			    "another agent has taken its place");
			return NAME_NONE;
		}
		evict(s, name, c);
	}
	if (children_count_parked(&s->children, name) >=
	    s->o->reverse.max_parked) {
		error_set(why, EXIT_AGAIN,
		    "enough websockets of this name are parked");
		return NAME_NONE;
	}
	return name;
}

/* It has a place among the children; is there one for its name? */
static void
answer(struct supervisor *s, struct child *c)
{
	char answer[FDPASS_TEXT_MAX];
	unsigned int again;
	struct error why;
	int name = find_place(s, c, &again, &why);

	if (name == NAME_NONE) {
		snprintf(answer, sizeof(answer), "%u %.300s", again, why.text);
		fdpass_send(c->channel, WORKER_REFUSED, answer, -1);
		pool_end_channel(s, c);
		return;
	}
	if (c->extra && !extra_wants_place(s, c))
		return;
	if (fdpass_send(c->channel, WORKER_MAY_PARK, "", -1) == -1) {
		pool_end_channel(s, c);
		return;
	}
	children_set_name(&s->children, c, name);
	names_add_agent(&s->names, name);
	if (s->o->reverse.replace)
		c->takeover = takeover_add(names_takeover(&s->names, name));
	children_set_state(&s->children, c, CHILD_PARKED, clock_ms());
	s->shown.changed = 1;
	pool_serve_queue(s, name);
}

void
admit(struct supervisor *s, struct child *c, char *text)
{
	char *agent_id = strchr(text, ' '), *hash;

	hash = agent_id == NULL ? NULL : strchr(agent_id + 1, ' ');
	if (hash == NULL) {
		pool_end_channel(s, c);
		return;
	}
	*hash++ = '\0';
	*agent_id++ = '\0';
	strlcpy(c->agent_id, agent_id, sizeof(c->agent_id));
	strlcpy(c->agent, text, sizeof(c->agent));
	strlcpy(c->hash, hash, sizeof(c->hash));
	answer(s, c);
}

/* What was free for its name may not be so any more. */
void
admit_at_last(struct supervisor *s, struct child *c)
{
	answer(s, c);
}

/*
 * Which children come from a line of --agents-file, by name and secret: for one
 * pass over the file, however many lines and children there are.
 */
struct listed {
	int *bucket, *next;		/* numbers of children, plus one */
	char *found;
	unsigned int room;
};

static int *
bucket_of(const struct listed *l, struct slice name, struct slice hash)
{
	uint32_t h = 2166136261U;
	size_t i;

	for (i = 0; i < name.len; i++)
		h = (h ^ (unsigned char)name.p[i]) * 16777619U;
	for (i = 0; i < hash.len; i++)
		h = (h ^ (unsigned char)hash.p[i]) * 16777619U;
	return &l->bucket[(h ^ h >> 16) % BUCKETS];
}

static int
listed_begin(struct listed *l, const struct children *children)
{
	struct child *c = NULL;
	int *bucket, i;

	l->room = children->room;
	l->bucket = memory_unshared(BUCKETS * sizeof(l->bucket[0]));
	l->next = memory_unshared(l->room * sizeof(l->next[0]));
	l->found = memory_unshared(l->room);
	if (l->bucket == NULL || l->next == NULL || l->found == NULL)
		return -1;
	while ((c = children_next(children, c)) != NULL) {
		if (c->state != CHILD_PARKED || c->hash[0] == '\0')
			continue;
		i = (int)children_index(children, c);
		bucket = bucket_of(l, slice_of(c->agent), slice_of(c->hash));
		l->next[i] = *bucket;
		*bucket = i + 1;
	}
	return 0;
}

static void
listed_end(struct listed *l)
{
	memory_unshared_end(l->bucket, BUCKETS * sizeof(l->bucket[0]));
	memory_unshared_end(l->next, l->room * sizeof(l->next[0]));
	memory_unshared_end(l->found, l->room);
}

static void
listed_find(struct listed *l, const struct children *children,
    const struct agents_file_line *line)
{
	const struct child *c;
	int i;

	for (i = *bucket_of(l, line->name, line->hash); i != 0;
	    i = l->next[i - 1]) {
		c = children_numbered(children, i - 1);
		if (slice_is(line->name, c->agent) &&
		    slice_is(line->hash, c->hash))
			l->found[i - 1] = 1;
	}
}

/*
 * Parked websockets whose line is gone are ended; tunnels go on.  One whose
 * hash was only written otherwise dials again.
 */
static void
expel(struct supervisor *s, struct slice file)
{
	struct agents_file_line line;
	struct lines lines;
	struct listed l;
	struct child *c = NULL;
	int r, failed = listed_begin(&l, &s->children) == -1;

	lines_begin(&lines, file);
	while (!failed && (r = agents_file_next(&lines, &line)) != 0)
		if (r == 1)
			listed_find(&l, &s->children, &line);
	while ((c = children_next(&s->children, c)) != NULL)
		if (c->state == CHILD_PARKED && c->hash[0] != '\0' &&
		    (failed || !l.found[children_index(&s->children, c)]))
			pool_end_channel(s, c);
	listed_end(&l);
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

/* Those in the file have a listener whether their agents are there or not. */
static void
list(struct supervisor *s, struct slice file)
{
	char word[AGENT_NAME_MAX];
	struct agents_file_line l;
	struct lines lines;
	struct error why;
	int r;

	names_begin_listing(&s->names);
	lines_begin(&lines, file);
	while ((r = agents_file_next(&lines, &l)) != 0)
		if (r == 1 && slice_copy(word, sizeof(word), l.name) == 0 &&
		    names_list(&s->names, word, &why) == -1)
			log_event(LOG_L_ERROR, "no-listener", "name", word,
			    "why", why.text, NULL);
	names_end_listing(&s->names);
}

/* With something wrong in it (which is told) all stays as it was. */
void
admit_reload(struct supervisor *s)
{
	struct slice file;
	unsigned int i;

	if (s->names.name == NULL || s->o->reverse.agents_file == NULL ||
	    read_file(s, &file) == -1)
		return;
	if (s->o->reverse.visitors_dir != NULL)
		list(s, file);
	expel(s, file);
	memory_return();
	for (i = 0; i < names_top(&s->names) && i < STATS_NAMES; i++)
		pool_show_name(s, i);
}
