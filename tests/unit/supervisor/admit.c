/* SPDX-License-Identifier: ISC */
/*
 * Which websockets of agents a gate parks, and which it ends when the list of
 * names changes.
 *
 * If it fails: an agent is refused, or one that is not listed any more gets
 * visitors; two agents take each other's place for ever.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "proto/agent_name.h"
#include "proto/http.h"
#include "supervisor/internal.h"
#include "done.h"
#include "seen.h"
#include "tap.h"
#include "today.h"

#define NAME	4	/* the number that the agent's name gets */

/* What the parts around it answer, and what they were asked. */
static struct script {
	int no_name, not_claimed, no_place, must_wait, unreadable;
	const char *no_listener;	/* of names that begin so */
	const char *listed;		/* "NAME HASH\n"... */
	unsigned int top;
	struct takeover *of;
	char asked[100];
} said;

static void
did_to(const char *what, const char *which)
{
	char words[100];

	strlcpy(words, what, sizeof(words));
	strlcat(words, which, sizeof(words));
	did(words);
}

static int
scripted_listen(const char *text, struct error *why)
{
	strlcpy(said.asked, text, sizeof(said.asked));
	if (said.no_name)
		error_set(why, 1, "no such directory");
	return said.no_name ? NAME_NONE : NAME;
}

static int
scripted_claim(const char *agent_id)
{
	did_to("claim-", agent_id);
	return !said.not_claimed;
}

static unsigned int
scripted_add(void)
{
	did("takeover");
	return 77;
}

static int
has_listener(const char *name, struct error *why)
{
	size_t len = said.no_listener == NULL ? 0 : strlen(said.no_listener);

	if (len == 0 || strncmp(name, said.no_listener, len) != 0)
		return 0;
	error_set(why, 1, "the address is in use");
	return -1;
}

static int
scripted_list(const char *name, struct error *why)
{
	did_to("list-", name);
	return has_listener(name, why);
}

static const char *
scripted_text(int name, char *text)
{
	snprintf(text, AGENT_NAME_MAX, "name%d", name);
	return text;
}

static int
scripted_renew(int name, struct error *why)
{
	char text[AGENT_NAME_MAX];

	return has_listener(scripted_text(name, text), why);
}

/* The nth word of the list of names, and of hashes. */
static struct slice
part(unsigned int n, int is_hash)
{
	const char *p = said.listed, *end;

	while (n-- > 0)
		p = strchr(p, '\n') + 1;
	end = strchr(p, ' ');
	return is_hash ? slice_between(end + 1, strchr(end, '\n')) :
	    slice_between(p, end);
}

static int
is_same(struct slice a, struct slice b)
{
	return a.len == b.len && memcmp(a.p, b.p, a.len) == 0;
}

static unsigned int
scripted_find(const struct line_table *t, const struct line_key *k,
    unsigned int *from)
{
	unsigned int n = 0;

	for (*from = 0; *from < t->n; ++*from)
		if (is_same(part(*from, 0), k->key))
			break;
	while (*from + n < t->n && is_same(part(*from + n, 0), k->key))
		n++;
	return n;
}

static int
scripted_open(struct error *why)
{
	if (said.unreadable)
		error_set(why, 1, "no permission");
	return said.unreadable ? -1 : 0;
}

static void
scripted_end(struct supervisor *s, struct child *c)
{
	did_to("end-", c->agent);
	close(c->channel);
	c->channel = -1;
	children_set_state(&s->children, c, CHILD_PLAIN, 0);
}

static void
scripted_serve(int name)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", name);
	did_to("serve-", number);
}

static struct line_table table, *current;
static int shown;

#define names_listen(n, text, at, why)	scripted_listen(text, why)
#define names_takeover(n, name)		((name) == NAME ? said.of : NULL)
#define names_renew(n, name, why)	scripted_renew(name, why)
#define names_list(n, text, why)	scripted_list(text, why)
#define names_begin_listing(n)		did("begin")
#define names_end_listing(n)		did("end")
#define names_top(n)			said.top
#define names_text(n, name, dst)	scripted_text(name, dst)
#define names_add_agent(n, name)	did("agent")
#define takeover_claim(t, id, at)	scripted_claim(id)
#define takeover_add(t)			scripted_add()
#define pool_show_name(s, name)		(shown++, did("show"))
#define pool_serve_queue(s, name)	scripted_serve(name)
#define pool_end_channel		scripted_end
#define extra_may_wait(s, c)		!said.must_wait
#define extra_wants_place(s, c)		!said.no_place
#define line_file_table(f)		current
#define line_file_check_open(f, why)	scripted_open(why)
#define line_table_find			scripted_find
#define line_table_key(t, i)		part(i, 0)
#define line_table_value(t, i)		part(i, 1)
#include "supervisor/admit.c"

static struct supervisor sup;
static struct options options;
static struct service mode;
static struct line_file file;
static struct takeover takeover;
static int theirs[20];

static void
fresh(void)
{
	if (sup.service != NULL)
		children_end(&sup.children);
	memset(&sup, 0, sizeof(sup));
	memset(&said, 0, sizeof(said));
	was_done();
	memset(&options, 0, sizeof(options));
	memset(&mode, 0, sizeof(mode));
	memset(&file, 0, sizeof(file));
	today_step = 0;
	sup.o = &options;
	sup.service = &mode;
	sup.phase = SERVING;
	sup.names.name = (void *)&sup;
	mode.agents = &file;
	current = &table;
	said.of = &takeover;
	options.reverse.max_parked = 3;
	if (children_begin(&sup.children) == -1 ||
	    children_grow(&sup.children, 20) == -1)
		abort();
	seen();
}

static struct child *
agent(int i)
{
	int pair[2];

	if (fdpass_pair(pair) == -1)
		abort();
	theirs[i] = pair[1];
	return children_add(&sup.children, 100 + i, 0, pair[0], 0);
}

/* Asks for a place, with a name, an agent and a hash. */
static struct child *
asks(int i, const char *text)
{
	char line[FDPASS_TEXT_MAX];
	struct child *c = agent(i);

	strlcpy(line, text, sizeof(line));
	admit(&sup, c, line);
	return c;
}

/* The letter and text that it was told. */
static const char *
told(int i)
{
	static char line[FDPASS_TEXT_MAX + 4];
	char text[FDPASS_TEXT_MAX];
	int fd, letter = fdpass_take(theirs[i], text, &fd);

	if (letter <= 0)
		return "";
	snprintf(line, sizeof(line), "%c%s", letter, text);
	return line;
}

static const char *
refusal(const char *words)
{
	static char line[FDPASS_TEXT_MAX];

	snprintf(line, sizeof(line), "%c%s", WORKER_REFUSED, words);
	return line;
}

static const char *
welcome(void)
{
	static char line[2] = { WORKER_MAY_PARK };

	return line;
}

static void
test_words(void)
{
	struct child *c;

	fresh();
	c = asks(0, "web one abc");
	is_str(said.asked, "web", "the name");
	is_str(c->agent_id, "one", "the agent");
	is_str(c->hash, "abc", "its hash");
	is(c->state, CHILD_PARKED, "is parked");
	is(c->name, NAME, "under this name");
	is_str(told(0), welcome(), "and told so");
	is_str(was_done(), "show agent serve-4", "visitors are served");
	ok(sup.shown.changed, "and it is shown");
	c = asks(1, "web  ");
	ok(c->state == CHILD_PARKED && c->agent_id[0] == '\0' &&
	    c->hash[0] == '\0', "words may be empty");
	was_done();
	c = asks(2, "web one");
	ok(c->channel == -1 && c->state == CHILD_PLAIN, "two words are none");
	is_str(was_done(), "end-", "the process is not asked again");
	c = asks(3, "web");
	is(c->channel, -1, "nor is one");
}

static void
test_refused(void)
{
	struct child *c;

	fresh();
	sup.phase = DRAINING;
	c = asks(0, "web one abc");
	is_str(told(0), refusal("1 the gate is closing"), "at the end");
	ok(c->channel == -1 && c->name == NAME_NONE, "it has no name");
	is_str(said.asked, "", "nor a listener");
	fresh();
	said.no_name = 1;
	asks(0, "web one abc");
	is_str(told(0), refusal("1 no such directory"), "no listener");
	fresh();
	sup.tables.renewed = 1;
	c = asks(0, "web one abc");
	ok(c->channel == -1 && strcmp(told(0), refusal("1 the options have "
	    "changed")) == 0, "one that was let in by old options");
	fresh();
	asks(0, "web a 1");
	asks(1, "web b 1");
	c = asks(2, "web c 1");
	is(c->state, CHILD_PARKED, "the third of three");
	c = asks(3, "web d 1");
	ok(c->state == CHILD_PLAIN && strcmp(told(3), refusal("1 enough "
	    "websockets of this name are parked")) == 0, "not a fourth");
}

static void
test_process_gone(void)
{
	struct child *c;
	char text[] = "web one abc";

	fresh();
	c = agent(0);
	close(theirs[0]);
	admit(&sup, c, text);
	ok(c->state == CHILD_PLAIN && c->name == NAME_NONE && c->channel == -1,
	    "a process that has ended has no place");
	is_str(was_done(), "show end-web", "and no agent is counted");
}

static void
test_full(void)
{
	struct child *c;
	char text[] = "web one abc";

	fresh();
	said.must_wait = 1;
	c = agent(0);
	children_set_extra(&sup.children, c, 1);
	admit(&sup, c, text);
	is_str(was_done(), "", "one that cannot even wait: nothing");
	said.must_wait = 0;
	said.no_place = 1;
	admit_at_last(&sup, c);
	is_str(was_done(), "show", "one that waits has a listener");
	is(c->state, CHILD_STARTING, "and is not parked");
	is_str(told(0), "", "nor told");
	said.no_place = 0;
	admit_at_last(&sup, c);
	is(c->state, CHILD_PARKED, "when there is a place it is");
	is_str(told(0), welcome(), "and is told so");
	said.must_wait = said.no_place = 1;
	is(asks(1, "web one abc")->state, CHILD_PARKED,
	    "one that is no extra one asks for none");
}

static void
test_replace(void)
{
	struct child *c, *old;

	fresh();
	options.reverse.replace = 1;
	options.reverse.max_parked = 2;
	asks(0, "web one abc");
	is_str(was_done(), "show claim-one agent takeover serve-4",
	    "it takes the name");
	old = asks(1, "web one abc");
	is(old->takeover, 77, "and is counted");
	ok(old->state == CHILD_PARKED, "a second one of the same agent");
	is_str(was_done(), "show claim-one agent takeover serve-4",
	    "ends nothing");
	today += 9;
	c = asks(2, "web two abc");
	is_str(was_done(), "show claim-two end-web end-web agent takeover "
	    "serve-4", "another agent: those of the first one go");
	ok(c->state == CHILD_PARKED && old->state == CHILD_PLAIN &&
	    old->asked == today, "and leave it their places");
	c = asks(3, "web  abc");
	ok(strcmp(was_done(), "show claim- end-web agent takeover serve-4")
	    == 0 && c->state == CHILD_PARKED, "one without an id, too");
	asks(4, "web  abc");
	is_str(was_done(), "show claim- end-web agent takeover serve-4",
	    "which may be any agent");
	said.not_claimed = 1;
	c = asks(5, "web two abc");
	is_str(told(5), refusal("30 another agent has taken its place"),
	    "an agent that was replaced is told to wait");
	is_str(was_done(), "show claim-two end-web", "and ends no other one");
	is(c->state, CHILD_PLAIN, "it has no place");
}

static void
test_expelled(void)
{
	struct child *c;

	fresh();
	options.reverse.agents_file = "/agents";
	file.generation = 1;
	said.listed = "web aa\nweb bb\nxyz cc\n";
	table.n = 3;
	asks(0, "web one aa");
	asks(1, "web two bb");
	c = asks(2, "web three cc");
	options.reverse.max_parked = 9;
	asks(3, "wet one aa");
	asks(4, "any one ");
	c = asks(5, "xyz one aa");
	children_set_state(&sup.children, c, CHILD_PLAIN, 0);
	was_done();
	is(admit_reload(&sup), 0, "a new list");
	is_str(was_done(), "begin end-web end-wet",
	    "those of no line are ended, but no tunnel is");
	is(admit_reload(&sup), 0, "the same list");
	is_str(was_done(), "", "is not looked at again");

	fresh();
	file.generation = 1;
	admit_reload(&sup);
	is_str(was_done(), "", "without --agents-file");
	options.reverse.agents_file = "/agents";
	sup.names.name = NULL;
	admit_reload(&sup);
	is_str(was_done(), "", "without names");
	sup.names.name = (void *)&sup;
	mode.agents = NULL;
	admit_reload(&sup);
	is_str(was_done(), "", "without a file");
	mode.agents = &file;
	current = NULL;
	is(admit_reload(&sup), 0, "no table: the file is read by each");
	ok(!was_seen("agents-file"), "it can be read");
	said.unreadable = 1;
	is(admit_reload(&sup), 0, "it cannot");
	ok(was_seen("event=agents-file file=/agents why=\"no permission\""),
	    "which is told");
	is_str(was_done(), "", "and all stays");
}

static void
test_listing(void)
{
	fresh();
	options.reverse.agents_file = "/agents";
	options.reverse.visitors_dir = "/run/visitors";
	file.generation = 1;
	said.listed = "a 1\nb 1\nc 1\n";
	said.top = 2;
	table.n = 3;
	is(admit_reload(&sup), 0, "three names in one turn");
	is_str(was_done(), "begin list-a list-b list-c end show show", "all");

	file.generation = 2;
	today_step = 2;
	is(admit_reload(&sup), 1, "a slow machine: not all");
	is_str(was_done(), "begin list-a list-b", "in five milliseconds");
	is(admit_reload(&sup), 0, "the others in the next turn");
	is_str(was_done(), "list-c end show show", "and no more");
	file.generation = 3;
	admit_reload(&sup);
	was_done();
	file.generation = 4;
	admit_reload(&sup);
	is_str(was_done(), "begin list-a list-b", "a newer list: from its top");
	admit_reload(&sup);
	today_step = 0;
	was_done();

	said.no_listener = "b";
	file.generation = 5;
	admit_reload(&sup);
	ok(was_seen("event=no-listener name=b why=\"the address is in use\"\n"),
	    "one without a listener");
	was_done();
	said.no_listener = NULL;
	is(admit_reload(&sup), 0, "is tried again");
	is_str(was_done(), "begin list-a list-b list-c end show show",
	    "with all");
	admit_reload(&sup);
	is_str(was_done(), "", "until it has one");
	ok(!was_seen("no-listener"), "then nothing is told");
}

static unsigned int
lines(void)
{
	const char *p;
	unsigned int n = 0;

	for (p = seen(); (p = strchr(p, '\n')) != NULL; p++)
		n++;
	return n;
}

static void
test_many(void)
{
	fresh();
	said.no_listener = "name";
	said.top = 8;
	admit_renew(&sup);
	is(lines(), 8, "eight without a listener: a line of each");
	said.top = 9;
	admit_renew(&sup);
	is(lines(), 9, "nine: a line of eight, and how many");
	said.top = 50;
	admit_renew(&sup);
	ok(was_seen("event=no-listener count=50 "), "the number of all");
	said.no_listener = "name7";
	said.top = 9;
	admit_renew(&sup);
	ok(was_seen("event=no-listener name=name7 why=\"the"), "which it is");
	options.reverse.agents_file = "/agents";
	options.reverse.visitors_dir = "/run/visitors";
	said.no_listener = "n";
	said.listed = "na 1\nnb 1\nnc 1\nnd 1\nne 1\nnf 1\nng 1\nnh 1\nni 1\n";
	table.n = 9;
	file.generation = 1;
	admit_reload(&sup);
	is(lines(), 9, "the same with a new list");
	said.top = STATS_NAMES + 1;
	said.no_listener = NULL;
	was_done();
	file.generation = 2;
	said.listed = "na 1\n";
	table.n = 1;
	shown = 0;
	admit_reload(&sup);
	is(shown, STATS_NAMES, "no more are shown than there is room for");
}

int
main(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	test_words();
	test_refused();
	test_process_gone();
	test_full();
	test_replace();
	test_expelled();
	test_listing();
	test_many();
	children_end(&sup.children);
	return done_testing();
}
