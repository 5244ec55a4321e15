/* SPDX-License-Identifier: ISC */
/*
 * What a child may say to the supervisor: each message in each state of a child,
 * with what becomes of its visitor and of descriptors that came along.
 *
 * If it fails: a child that went wrong parks, takes or returns what is not its
 * own, or a good one is killed.
 */
#include <sys/socket.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "connection/worker_channel.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "supervisor/internal.h"
#include "tap.h"

enum { PID = 4711 };

static int nkilled, nhinted, nadmitted, nforgotten, nrenewed;
static int has_place, is_parked;

static int
scripted_kill(pid_t pid, int signo)
{
	nkilled += pid == PID && signo == SIGTERM;
	nhinted += pid == PID && signo == SIGUSR2;
	return 0;
}

static void
scripted_admit(struct supervisor *s, struct child *c, char *text)
{
	nadmitted++;
}

static int
scripted_wants_place(struct supervisor *s, struct child *c)
{
	return has_place;
}

static void
scripted_forget(struct supervisor *s, const struct child *c)
{
	nforgotten++;
}

#define kill			scripted_kill
#define admit			scripted_admit
#define extra_wants_place	scripted_wants_place
#define extra_forget		scripted_forget
#define waiting_renew()		nrenewed++
#define waiting_is_parked(n)	((void)(n), is_parked)
#include "supervisor/pool.c"

static const char letters[] = "PEpNRTBWOFVx";

/* A child and how its supervisor has it. */
struct kind {
	enum child_state state;
	int spare, extra, parks, spares_serve;
};

static struct supervisor sup;
static struct options options;
static struct service service;
static struct child *child;
static int theirs, visitor;

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static void
begin(const struct kind *k)
{
	int pair[2];

	memset(&sup, 0, sizeof(sup));
	sup.o = &options;
	sup.service = &service;
	sup.phase = SERVING + 1;
	sup.respawn.proved = 1;
	service.parks = k->parks;
	service.spares_serve = k->spares_serve;
	if (event_open(&sup.events) == -1 || fdpass_pair(pair) == -1 ||
	    children_begin(&sup.children) == -1 ||
	    children_grow(&sup.children, 1) == -1)
		_exit(99);
	theirs = pair[1];
	child = children_add(&sup.children, PID, 0, pair[0], k->spare);
	event_add(&sup.events, pair[0], 0);
	children_set_extra(&sup.children, child, k->extra);
	children_set_state(&sup.children, child, k->state, clock_ms());
	visitor = child->visitor.fd = k->state == CHILD_OFFERED ? dup(2) : -1;
	nkilled = nadmitted = nforgotten = 0;
	has_place = 1;
}

static void
end(void)
{
	if (child->channel != -1)
		close(child->channel);
	close(theirs);
	children_end(&sup.children);
	event_close(&sup.events);
}

/* As connection/worker_channel.h and supervisor.h say. */
static int
is_right(const struct kind *k, char letter)
{
	switch (letter) {
	case 'P':
		return k->state == CHILD_STARTING && !k->spare;
	case 'E':
		return k->state == CHILD_STARTING && k->extra && !k->parks;
	case 'p':
	case 'N':
	case 'R':
		return k->state == CHILD_STARTING && k->spare;
	case 'T':
		return k->state == CHILD_OFFERED || (k->state == CHILD_PARKED &&
		    k->spare && !k->spares_serve);
	case 'B':
		return k->state == CHILD_OFFERED;
	}
	return 0;
}

/* 0, or what was wrong. */
static const char *
said(const struct kind *k, char letter)
{
	fdpass_send(theirs, letter, "7", -1);
	pool_read_channel(&sup, child);
	if (nkilled != !is_right(k, letter))
		return nkilled ? "killed" : "not killed";
	if (nkilled && (child->channel != -1 || child->state != CHILD_PLAIN))
		return "its channel is kept";
	if (nadmitted != (is_right(k, letter) && letter == 'P'))
		return "admitted";
	if (visitor != -1 && is_open(visitor))
		return "its visitor is kept";
	if (nforgotten != (k->state == CHILD_ASKING))
		return "its place";
	return NULL;
}

static void
test_letters(void)
{
	static const enum child_state states[] = { CHILD_STARTING, CHILD_ASKING,
	    CHILD_PARKED, CHILD_OFFERED };
	const char *wrong;
	int i, n, nwrong = 0;

	for (n = 0; n < 4 * 16; n++)
		for (i = 0; letters[i] != '\0'; i++) {
			struct kind k = { states[n / 16], n & 1, n >> 1 & 1,
			    n >> 2 & 1, n >> 3 & 1 };

			begin(&k);
			if ((wrong = said(&k, letters[i])) != NULL) {
				nwrong++;
				fprintf(stderr, "# '%c' state %d spare %d extra"
				    " %d parks %d serve %d: %s\n", letters[i],
				    k.state, k.spare, k.extra, k.parks,
				    k.spares_serve, wrong);
			}
			end();
		}
	is(nwrong, 0, "each message in each state");
}

/* What a good message leads to. */
static void
test_effects(void)
{
	struct kind spare = { CHILD_STARTING, 1, 0, 0, 0 },
	    extra = { CHILD_STARTING, 0, 1, 0, 0 };
	char text[FDPASS_TEXT_MAX];
	int fd;

	begin(&spare);
	fdpass_send(theirs, WORKER_PARKED, "", -1);
	pool_read_channel(&sup, child);
	is(child->state, CHILD_PARKED, "a spare is parked");
	end();
	begin(&spare);
	fdpass_send(theirs, WORKER_NO_PARK, "", -1);
	pool_read_channel(&sup, child);
	is(child->channel, -1, "the channel of one that will not be is closed");
	end();
	begin(&extra);
	fdpass_send(theirs, WORKER_ASK_PLACE, "", -1);
	pool_read_channel(&sup, child);
	is(child->channel, -1, "that of an extra one that gets a place, too");
	is(fdpass_take(theirs, text, &fd), WORKER_PLACE, "and is told");
	end();
	begin(&extra);
	has_place = 0;
	fdpass_send(theirs, WORKER_ASK_PLACE, "", -1);
	pool_read_channel(&sup, child);
	ok(child->channel != -1, "one that waits for a place is");
	ok(fdpass_take(theirs, text, &fd) == -1 && errno == EAGAIN,
	    "and is told nothing");
	end();
}

/* Seconds: a number from 1. */
static void
test_retry_after(void)
{
	static const struct {
		const char *text;
		int good;
	} v[] = { { "1", 1 }, { "4294967295", 1 }, { "4294967296", 0 },
		{ "0", 0 }, { "", 0 }, { "1x", 0 }, { "-1", 0 } };
	struct kind k = { CHILD_STARTING, 1, 0, 0, 0 };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		begin(&k);
		fdpass_send(theirs, WORKER_RETRY_AFTER, v[i].text, -1);
		pool_read_channel(&sup, child);
		is(nkilled, !v[i].good, v[i].text);
		end();
	}
}

/* A descriptor that came along is closed; the end of a channel. */
static void
test_descriptors(void)
{
	struct kind k = { CHILD_STARTING, 1, 0, 0, 0 };
	int next;

	begin(&k);
	next = dup(2);
	close(next);
	fdpass_send(theirs, WORKER_PARKED, "", 2);
	pool_read_channel(&sup, child);
	ok(!is_open(next), "a descriptor that nobody expects is closed");
	shutdown(theirs, SHUT_WR);
	pool_read_channel(&sup, child);
	is(nkilled, 1, "a spare whose channel has ended is told to end");
	is(child->state, CHILD_PARKED, "and is judged when it has");
	end();
	k.spare = 0;
	begin(&k);
	shutdown(theirs, SHUT_WR);
	pool_read_channel(&sup, child);
	ok(nkilled == 0 && child->state == CHILD_PLAIN,
	    "any other goes on without");
	end();
	k = (struct kind){ CHILD_OFFERED, 1, 0, 0, 0 };
	begin(&k);
	shutdown(theirs, SHUT_WR);
	pool_read_channel(&sup, child);
	ok(nkilled == 0 && child->state == CHILD_PLAIN && !is_open(visitor),
	    "one that was offered a visitor returns it, spare or not");
	end();
}

/* New options, and a child of this kind: has it lost its channel? */
static int
renewed(enum child_state state, int spare)
{
	struct kind k = { state, spare, 0, !spare, 0 };
	int lost;

	begin(&k);
	nrenewed = 0;
	sup.respawn.not_before = 1;
	pool_renew(&sup);
	ok(nrenewed == 1 && sup.respawn.not_before == 0 && nkilled == 0,
	    "others come at once");
	lost = child->channel == -1 && child->state == CHILD_PLAIN;
	end();
	return lost;
}

static void
test_renew(void)
{
	struct kind spare = { CHILD_PARKED, 1, 0, 0, 0 };
	struct kind dialling = { CHILD_STARTING, 1, 0, 0, 0 };
	const struct visitor v = { .fd = 2, .name = NAME_NONE };

	is(renewed(CHILD_PARKED, 1), 1, "a parked spare goes");
	is(renewed(CHILD_STARTING, 1), 1, "also one that begins");
	is(renewed(CHILD_PARKED, 0), 1, "so does an agent's");
	is(renewed(CHILD_STARTING, 0), 0, "one that begins is asked later");
	is(renewed(CHILD_ASKING, 0), 0, "or asks already");
	is(renewed(CHILD_OFFERED, 0), 0, "one that has its visitor serves it");

	begin(&dialling);
	fdpass_send(theirs, WORKER_NO_PARK, "", -1);
	pool_renew(&sup);
	ok(sup.respawn.not_before == 0,
	    "that the former server does not park is nothing to the new one");
	end();
	begin(&spare);
	sup.respawn.tries = 3;
	fdpass_send(theirs, WORKER_TAKEN, "", -1);
	pool_renew(&sup);
	ok(child->state == CHILD_PLAIN && nkilled == 0,
	    "one that has just been used is one no more");
	pool_end_channel(&sup, child);
	end();
	begin(&spare);
	ok(offer(&sup, &v) == 1 && child->state == CHILD_OFFERED,
	    "a parked one gets a visitor");
	end();
	begin(&spare);
	sup.tables.renewed++;
	ok(offer(&sup, &v) == 0 && child->channel == -1,
	    "but not one with old options, which goes");
	nhinted = is_parked = 0;
	pool_renew(&sup);
	is(nhinted, 0, "no channel: a tunnel is not told");
	is_parked = 1;
	pool_renew(&sup);
	is(nhinted, 1, "but what is parked is");
	is_parked = 0;
	end();
}

int
main(void)
{
	test_renew();
	log_open(LOG_TO_NOWHERE, LOG_L_ERROR, "pool");
	test_letters();
	test_effects();
	test_retry_after();
	test_descriptors();
	return done_testing();
}
