/* SPDX-License-Identifier: ISC */
/*
 * A lost websocket: how long another one is waited for, what is told when none
 * came, and who may have the session.
 *
 * If it fails: a session is given up too early or kept for ever, or another
 * user gets it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "connection/internal.h"
#include "connection/notice.h"
#include "connection/path_table.h"
#include "connection/record.h"
#include "connection/waiting.h"
#include "os/clock.h"
#include "os/log.h"
#include "done.h"
#include "seen.h"
#include "tap.h"
#include "today.h"

/* What the parts around it answer, and what they were asked. */
static struct script {
	uint64_t progress, taken, sent, kept_from;
	int over, loss_is_known, left, waiting, accept, confirm, adopt, answer;
	struct handoff_request request;
	struct extension theirs;

	int expired, searches, renewed, redialled, refused, notices;
	int gave_way, stopped, records_lost;
	unsigned int code;
	int64_t first, planned;
	const char *refusal;
	struct extension answered;
} said;

static void
scripted_expire(struct tunnel *t)
{
	said.expired++;
}

static void
scripted_stop(struct tunnel *t, unsigned int code, enum tunnel_end end,
    const char *why)
{
	said.stopped = end;
	said.code = code;
}

static void
scripted_search(struct connection *c, int64_t first)
{
	said.searches++;
	said.first = first;
}

static int
scripted_accept(int listener, struct handoff_request *r)
{
	*r = said.request;
	return said.accept;
}

static int
scripted_adopt(struct websocket *w, struct upgrade_request *r)
{
	memset(w, 0, sizeof(*w));
	memset(r, 0, sizeof(*r));
	w->io = IO_CLOSED;
	w->theirs = said.theirs;
	return said.adopt;
}

static void
scripted_refuse(int status, const char *fields)
{
	said.refused = status;
	said.refusal = fields;
}

#define tunnel_progress(t)		said.progress
#define tunnel_over(t)			said.over
#define tunnel_wants(t)		(said.loss_is_known ? TUNNEL_LOST : 0)
#define tunnel_taken(t)			said.taken
#define tunnel_sent(t)			said.sent
#define tunnel_may_resume(t, at)	((at) >= said.kept_from)
#define tunnel_stop			scripted_stop
#define tunnel_expire			scripted_expire
#define relay_resume(r, io, at, e, n)	((at) >= said.kept_from ? 0 : -1)
#define answers_pause(tries)		((int64_t)(tries) * 1000)
#define waiting_start(owner, at)	said.waiting
#define waiting_stop()			did("waits-no-more")
#define waiting_give_way()		did("gives-way")
#define record_lost(c)			said.records_lost++
#define record_resumed(c)		did("resumed-record")
#define record_gave_way()		said.gave_way++
#define notice_plan(c, at)		said.planned = (at)
#define notice_lost(c)			said.notices++
#define notice_resumed(c)		did("notice")
#define connection_show(c, state)	did(state)
#define connection_path_up(c)		did("path-up")
#define connection_path_lost(c)		did("path-lost")
#define connection_search		scripted_search
#define connection_search_end(c)	did("search-ends")
#define connection_search_late(c)	did("search-late")
#define connection_network_changed(c)	said.renewed++
#define connection_left(c)		did("left")
#define path_table_is_left()		said.left
#define connection_redial(c)		said.redialled++
#define handoff_accept			scripted_accept
#define handoff_confirm(v)		said.confirm
#define handoff_instance_field()	"instance"
#define websocket_adopt(w, o, io, b, n, r, why) \
	((void)error_set((why), EXIT_PROTOCOL, "adopt"), scripted_adopt(w, r))
#define websocket_refuse_now(w, status, fields, text) \
	scripted_refuse(status, fields)
#define websocket_answer(w, r, a, deadline, why) \
	((void)(why), said.answered = *(a), said.answer)
#define connection_renewed(c)		did("new-options")
#include "connection/resume.c"

static struct connection c;
static struct options o;

/* A session of this side, with --resume of 20 and --linger of 2 seconds. */
static void
begin(int client)
{
	memset(&c, 0, sizeof(c));
	memset(&said, 0, sizeof(said));
	was_done();
	said.loss_is_known = 1;
	o.timeouts.resume = 20000;
	o.timeouts.linger = 2000;
	c.o = &o;
	c.client = client;
	c.relay.tunnel.why = "the websocket failed";
	c.relay.tunnel.end = TUNNEL_GOING;
	c.give_up = c.notice_at = CLOCK_NEVER;
}

/* Over another websocket since now, which is lost so many ms later. */
static void
resume_for(int64_t ms)
{
	struct websocket w = { .io = IO_CLOSED };

	connection_resume(&c, &w);
	today += ms;
	connection_lost(&c);
}

static void
test_of_use(void)
{
	int64_t first;

	begin(1);
	connection_lost(&c);
	first = today;
	is_str(was_done(), "lost path-lost", "it is shown as lost");
	is(c.give_up, first + 20000, "the first loss: all of --resume");
	is(said.first, first, "a redial at once");
	said.progress = 100;
	resume_for(2999);
	is(c.give_up, today + 20000, "it moved something: all begins anew");
	first = today;
	strlcpy(c.last_try, "refused", sizeof(c.last_try));
	c.answers_logged = 1;
	resume_for(2999);
	is(c.give_up, first + 20000, "it moved nothing: no more time");
	is(said.first, today + 1000, "and a pause");
	resume_for(0);
	is(said.first, today + 2000, "a longer one the next time");
	is_str(c.last_try, "a websocket that moved nothing: "
	    "the websocket failed", "what the last try came to");
	is(c.answers.seen, 1 << ANSWER_OF_NO_USE, "is one of the answers");
	is(c.answers_logged, 1, "no line of each answer");
	is(c.lost_at, today, "lost now");
	resume_for(3000);
	is(c.give_up, today + 20000, "three seconds are of use");
	is(said.first, today, "no pause");
	ok(c.answers.seen == 0 && c.last_try[0] == '\0' &&
	    c.answers_logged == 0, "and nothing of before");
	resume_for(1);
	said.progress++;
	resume_for(1);
	ok(c.tries == 0 && c.stuck_at == today, "one byte is of use");
	c.doubted_at = today - 700;
	resume_for(1);
	is(c.lost_at, today, "a new websocket is in no doubt");
	c.doubted_at = today - 700;
	connection_lost(&c);
	is(c.lost_at, today - 700, "lost since it was in doubt");
	is(said.planned, today - 700, "a person is told in time");
}

static int64_t
patience(int client, int over, enum tunnel_end end, int64_t linger)
{
	begin(client);
	said.over = over;
	c.relay.tunnel.end = end;
	o.timeouts.linger = linger;
	connection_lost(&c);
	return c.give_up - today;
}

static void
test_only_close_missing(void)
{
	is(patience(1, 0, TUNNEL_GOING, 2000), 20000, "going on: --resume");
	is(patience(1, 1, TUNNEL_GOING, 2000), 2000, "all is done: --linger");
	is(patience(1, 1, TUNNEL_GOING, 0), 20000, "no --linger");
	is(patience(1, 1, TUNNEL_GOING, 19999), 19999, "a bit shorter");
	is(patience(1, 1, TUNNEL_GOING, 20001), 20000, "a longer one");
	is(patience(0, 1, TUNNEL_GOING, 2000), 20000, "an acceptor waits on");
	is(patience(0, 1, TUNNEL_STREAM_RESET, 2000), 2000,
	    "not for one that failed");
	is(patience(0, 0, TUNNEL_STREAM_RESET, 2000), 20000,
	    "that is not over");
}

static void
test_give_up(void)
{
	begin(1);
	connection_lost(&c);
	today += 19999;
	connection_time(&c);
	is(said.redialled, 1, "a redial in the last millisecond");
	is(said.expired, 0, "and no end");
	is(said.notices, 0, "nobody is told");
	c.notice_at = today;
	connection_time(&c);
	is(said.notices, 1, "at its time");
	c.doubted_at = today;
	was_done();
	today++;
	connection_time(&c);
	is(said.expired, 1, "then the end");
	is(said.notices, 1, "and no notice more");
	ok(c.give_up == CLOCK_NEVER && c.notice_at == CLOCK_NEVER &&
	    c.doubted_at == 0, "once");
	is_str(was_done(), "search-late search-ends", "the search ends, too");
	is(said.redialled, 2, "no redial");
	ok(strstr(c.why, "the websocket failed, for 20.0s no new websocket: ")
	    == c.why || strstr(c.why, "for 20s no new websocket: ") != NULL,
	    "for how long (%s)", c.why);
	ok(strstr(c.why, "the last try") == NULL, "there was no try");
	ok(c.relay.tunnel.why == c.why, "as the reason of the end");

	begin(1);
	connection_lost(&c);
	strlcpy(c.last_try, "no route", sizeof(c.last_try));
	today += 20000;
	connection_time(&c);
	ok(strstr(c.why, "; the last try: no route") != NULL, "%s", c.why);

	begin(1);
	connection_lost(&c);
	resume_for(1000);
	is(said.gave_way, 0, "nothing gave way");
	today = c.give_up;
	connection_time(&c);
	ok(strstr(c.why, "for 20") != NULL && strstr(c.why,
	    "no new websocket of use: ") != NULL, "%s", c.why);

	begin(0);
	connection_lost(&c);
	is(said.searches, 0, "an acceptor has nothing to dial");
	today = c.give_up;
	connection_time(&c);
	ok(strstr(c.why, "for 20") != NULL && strcmp(strstr(c.why, " no "),
	    " no redial came") == 0, "%s", c.why);
	begin(0);
	connection_lost(&c);
	resume_for(1000);
	today = c.give_up;
	connection_time(&c);
	ok(strcmp(strstr(c.why, " no "), " no redial came that was of use")
	    == 0, "%s", c.why);

	begin(0);
	said.waiting = -1;
	connection_lost(&c);
	ok(said.expired == 1 && said.gave_way == 1,
	    "too many wait: no waiting");
	ok(strstr(c.why, "without a redial: too many sessions") != NULL, "%s",
	    c.why);
	begin(0);
	connection_lost(&c);
	said.waiting = -1;
	resume_for(1500);
	ok(strstr(c.why, "after 0") != NULL, "since now: %s", c.why);
	begin(1);
	said.waiting = -1;
	connection_lost(&c);
	is(said.expired, 0, "a dialler takes nobody's place");
}

static void
test_hint(void)
{
	begin(1);
	connection_hint(&c);
	is(said.renewed, 1, "to a dialler: the network has changed");
	connection_lost(&c);
	today += WAITING_MIN;
	connection_hint(&c);
	ok(said.renewed == 2 && said.expired == 0, "also if it is lost");
	was_done();
	said.left = 1;
	connection_hint(&c);
	is_str(was_done(), "left", "or the supervisor has ended");
	is(said.renewed, 2, "which is no change");

	begin(0);
	o.timeouts.resume = 100000;
	c.lost_at = today - 100000;
	connection_hint(&c);
	is(said.expired, 0, "one with a websocket keeps its place");
	connection_lost(&c);
	today += WAITING_MIN - 1;
	connection_hint(&c);
	is(said.expired, 0, "and one that has not waited for long");
	today++;
	connection_hint(&c);
	ok(said.expired == 1 && said.gave_way == 1, "then it gives way");
	is(c.end_by, today + 1000, "within a second");
	is_str(was_done(), "new-options lost path-lost new-options gives-way "
	    "search-late search-ends",
	    "and says so");
	ok(strstr(c.why, "needed for another") != NULL, "%s", c.why);
	connection_hint(&c);
	is(said.expired, 1, "once");
	is(said.renewed, 0, "and dials nothing");
}

/* The pause between two looks at the network. */
static void
test_look_again(void)
{
	begin(1);
	c.give_up = c.notice_at = CLOCK_NEVER;
	c.look.next = today + 5;
	connection_time(&c);
	is(c.look.next, today + 5, "not yet");
	today += 5;
	connection_time(&c);
	is(c.look.next, 0, "now");
}

static void
redialled(void)
{
	begin(0);
	strlcpy(c.user, "anna", sizeof(c.user));
	strlcpy(c.subject, "CN=a", sizeof(c.subject));
	strlcpy(c.theirs.id, "abcd", sizeof(c.theirs.id));
	strlcpy(c.via, "before", sizeof(c.via));
	strlcpy(c.ours.id, "mine", sizeof(c.ours.id));
	c.attempt = 4;
	said.taken = 70;
	said.sent = 60;
	said.kept_from = 50;
	strlcpy(said.request.user, "anna", sizeof(said.request.user));
	strlcpy(said.request.subject, "CN=a", sizeof(said.request.subject));
	strlcpy(said.theirs.id, "abcd", sizeof(said.theirs.id));
	said.theirs.attempt = 5;
	said.theirs.at = 50;
	connection_lost(&c);
	seen();
	was_done();
}

static void
test_owner(void)
{
	redialled();
	strlcpy(said.request.user, "ann", sizeof(said.request.user));
	connection_handoff(&c);
	ok(said.refused == 410 && c.resumes == 0, "another user");
	is_str(said.refusal, "instance", "is told that there is none");
	redialled();
	said.request.subject[0] = '\0';
	connection_handoff(&c);
	ok(said.refused == 410 && c.resumes == 0, "without the certificate");
	redialled();
	said.theirs.id[0] = 'b';
	connection_handoff(&c);
	ok(said.refused == 410 && c.resumes == 0, "another process");
	is(c.attempt, 4, "none of them used up an attempt");
	redialled();
	said.theirs.attempt = 4;
	connection_handoff(&c);
	ok(said.refused == 410 && c.resumes == 0, "an attempt of before");
	is_str(said.refusal, "", "which is no end of the session");
	ok(c.give_up != CLOCK_NEVER && said.stopped == 0, "it waits on");
}

static void
test_position(void)
{
	const char *log;

	redialled();
	said.theirs.at = 49;
	connection_handoff(&c);
	ok(said.refused == 410 && c.resumes == 0, "from what is not kept");
	is_str(said.refusal, "instance", "the session is over");
	ok(said.code == CLOSE_PROTOCOL && said.stopped == TUNNEL_PEER_FAULT,
	    "by the peer's fault");
	is(c.attempt, 5, "the attempt is used up");

	redialled();
	said.answer = -1;
	connection_handoff(&c);
	ok(c.resumes == 0 && c.attempt == 5, "it left before the answer");
	redialled();
	said.accept = -1;
	connection_handoff(&c);
	said.accept = 0;
	said.confirm = -1;
	connection_handoff(&c);
	said.confirm = 0;
	said.adopt = -1;
	connection_handoff(&c);
	ok(c.resumes == 0 && c.attempt == 4 && said.refused == 0,
	    "none came, or none that can be served");

	redialled();
	today += 1500;
	connection_handoff(&c);
	ok(c.resumes == 1 && c.resumed_at == today, "the owner resumes");
	ok(said.answered.flags == EXT_RESUME && said.answered.has_at &&
	    said.answered.at == 70, "and is told what has come");
	ok(c.give_up == CLOCK_NEVER && c.doubted_at == 0,
	    "nothing to wait for");
	is_str(c.via, "before", "from nowhere else");
	is_str(was_done(), "waits-no-more path-up resumed-record notice open",
	    "all learn of it");
	log = seen();
	ok(strstr(log, "event=resumed") != NULL &&
	    strstr(log, "id=mine after=1.5") != NULL &&
	    strstr(log, "resent=10") != NULL, "and it is logged");
	is(said.records_lost, 1, "one loss");

	said.loss_is_known = 0;
	said.theirs.attempt = 9;
	strlcpy(said.request.via, "x", sizeof(said.request.via));
	strlcpy(c.peer, "host", sizeof(c.peer));
	today += 3000;
	connection_handoff(&c);
	ok(c.resumes == 2 && c.attempt == 9, "again");
	is(said.records_lost, 2, "by this the loss is learnt");
	is_str(c.via, "x", "from where");
	log = seen();
	ok(strstr(log, "event=websocket-lost peer=host id=mine "
	    "why=\"the peer dialled again\"") != NULL &&
	    strstr(log, "event=resumed peer=host id=mine") != NULL,
	    "whose it is");
	is(c.lost_at, today, "since now");
}

static void
test_pings(void)
{
	const char *log;

	begin(1);
	strlcpy(c.ours.id, "mine", sizeof(c.ours.id));
	seen();
	connection_lost(&c);
	ok(!was_seen("ping-interval"), "no other interval of pings");
	c.relay.tunnel.ping_adapted = 1;
	c.relay.tunnel.cfg.ping_interval = 25000;
	c.relay.tunnel.idle_death = 30000;
	connection_lost(&c);
	log = seen();
	ok(strstr(log, "id=mine interval=25") != NULL &&
	    strstr(log, "idle=30") != NULL && strstr(log, "why=\"the path ends")
	    != NULL, "one that was adapted");
	connection_lost(&c);
	ok(!was_seen("ping-interval"), "once");
}

int
main(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	test_of_use();
	test_only_close_missing();
	test_give_up();
	test_hint();
	test_look_again();
	test_owner();
	test_position();
	test_pings();
	return done_testing();
}
