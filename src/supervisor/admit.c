/* SPDX-License-Identifier: ISC */
/*
 * A websocket of an agent shall be parked here: may it?
 */
#include <stdio.h>
#include <string.h>

#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "proto/agent_name.h"
#include "proto/http.h"
#include "supervisor/internal.h"

#define SHOWN_MAX	8	/* names without a listener, each in a line */
#define LIST_US		5000	/* microseconds of a turn for making listeners */

/*
 * Other agents' parked websockets of this name have to go, and leave places:
 * no session is asked for these.
 */
static void
evict(struct supervisor *s, int name, const struct child *me)
{
	struct child *c = children_parked(&s->children, name), *next;

	for (; c != NULL; c = next) {
		next = children_parked_next(&s->children, c);
		if (me->agent_id[0] == '\0' ||
		    strcmp(c->agent_id, me->agent_id) != 0) {
			c->asked = clock_ms();
			pool_end_channel(s, c);
		}
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
	if (c->renewed != s->tables.renewed) {
		error_set(why, EXIT_AGAIN, "the options have changed");
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
	int name;

	if (c->extra && !extra_may_wait(s, c))
		return;
	name = find_place(s, c, &again, &why);
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

/* Another agent may have taken its name meanwhile: it is looked at again. */
void
admit_at_last(struct supervisor *s, struct child *c)
{
	answer(s, c);
}

/* Is there a line with this name and this hash? */
static int
is_listed(const struct line_table *t, const struct child *c)
{
	struct line_key k = { 0, slice_of(c->agent) };
	unsigned int i, n;

	for (n = line_table_find(t, &k, &i); n > 0; n--, i++)
		if (slice_is(line_table_value(t, i), c->hash))
			return 1;
	return 0;
}

/* Parked websockets whose line is gone are ended; tunnels go on. */
static void
expel(struct supervisor *s, const struct line_table *t)
{
	struct child *c = NULL;

	while ((c = children_next(&s->children, c)) != NULL)
		if (c->state == CHILD_PARKED && c->hash[0] != '\0' &&
		    !is_listed(t, c))
			pool_end_channel(s, c);
}

static void
log_no_listener(const char *name, const struct error *why)
{
	log_event(LOG_L_ERROR, "no-listener", "name", name, "why", why->text,
	    NULL);
}

static void
log_more(unsigned int failed)
{
	struct log_line l;

	if (failed <= SHOWN_MAX)
		return;
	log_begin(&l, LOG_L_ERROR, "no-listener");
	log_num(&l, "count", failed);
	log_str(&l, "hint", "these are all that have none");
	log_end(&l);
}

void
admit_renew(struct supervisor *s)
{
	unsigned int i, failed = 0;
	char text[AGENT_NAME_MAX];
	struct error why;

	for (i = 0; i < names_top(&s->names); i++)
		if (names_renew(&s->names, (int)i, &why) == -1 &&
		    failed++ < SHOWN_MAX)
			log_no_listener(names_text(&s->names, (int)i, text),
			    &why);
	log_more(failed);
}

/*
 * Those in the file have a listener whether their agents are there or not.  1:
 * the time of this turn is over, and there are more.
 */
static int
list(struct supervisor *s, const struct line_table *t)
{
	int64_t end = clock_us() + LIST_US;
	char word[AGENT_NAME_MAX];
	struct error why;

	for (; s->listed < t->n && clock_us() < end; s->listed++)
		if (slice_copy(word, sizeof(word), line_table_key(t,
		    s->listed)) == 0 &&
		    names_list(&s->names, word, &why) == -1 &&
		    s->no_listener++ < SHOWN_MAX)
			log_no_listener(word, &why);
	return s->listed < t->n;
}

static void
begin(struct supervisor *s, const struct line_table *t, unsigned int generation)
{
	s->admitted = generation;
	s->listed = s->no_listener = 0;
	names_begin_listing(&s->names);
	expel(s, t);
}

static void
end(struct supervisor *s)
{
	unsigned int i;

	if (s->o->reverse.visitors_dir != NULL)
		names_end_listing(&s->names);
	log_more(s->no_listener);
	for (i = 0; i < names_top(&s->names) && i < STATS_NAMES; i++)
		pool_show_name(s, (int)i);
}

/* If it cannot be read (which is told) all stays as it was. */
int
admit_reload(struct supervisor *s)
{
	const struct line_file *f = s->service->agents;
	const struct line_table *t = f == NULL ? NULL : line_file_table(f);
	struct error why;

	if (s->names.name == NULL || s->o->reverse.agents_file == NULL ||
	    f == NULL)
		return 0;
	if (t == NULL) {
		if (line_file_check_open(f, &why) == -1)
			log_event(LOG_L_ERROR, "agents-file", "file",
			    s->o->reverse.agents_file, "why", why.text, NULL);
		return 0;
	}
	if (f->generation == s->admitted && !s->is_listing &&
	    s->no_listener == 0)
		return 0;
	if (f->generation != s->admitted || !s->is_listing)
		begin(s, t, f->generation);
	s->is_listing = s->o->reverse.visitors_dir != NULL && list(s, t);
	if (!s->is_listing)
		end(s);
	return s->is_listing;
}
