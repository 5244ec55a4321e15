/* SPDX-License-Identifier: ISC */
/*
 * Children: what a fork that fails leaves behind, what is done when one has
 * ended, and when the system is asked which ones have.
 *
 * If it fails: a supervisor runs out of descriptors or of places, serves nobody
 * although it could, or does not notice that a child has ended.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/path_table.h"
#include "connection/waiting.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/fd.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"
#include "sandbox/limits.h"
#include "supervisor/internal.h"
#include "supervisor/watch.h"
#include "descriptors.h"
#include "done.h"
#include "tap.h"
#include "today.h"

#define ROOM	3

static struct ahead_place ahead_place;
static struct takeover takeover;

/* What the parts around it answer, and what they were asked. */
static struct script {
	int forks;		/* so many succeed; -1: in the child */
	int ahead;		/* so many places it gives away */
	int serves_ahead, unwatched, unpaired, unkept, inherited, recount;
	int looks, forgot;
	pid_t is_ahead;
	int taken_back;
	uint32_t said_end;	/* how many have; the children are 0, 1, 2 */
	int signal;
	struct { pid_t pid; int status; } end[5];

	int keep, channel, slots, grants, asked_all, paused, line, slot;
	unsigned int number, cleared, paths;
	int64_t rest;
} said;

static pid_t
scripted_fork(int keep, int channel)
{
	said.keep = keep;
	said.channel = channel;
	did("fork");
	if (said.forks == -1)
		return fork();
	if (said.forks-- > 0)
		return 700 + said.forks;
	said.forks = 0;
	errno = EAGAIN;
	return -1;
}

static unsigned int
scripted_stop(int64_t until)
{
	said.rest = until;
	said.forks += said.ahead > 0;
	errno = EINVAL;
	return (unsigned int)said.ahead;
}

static int
scripted_serve_ahead(void)
{
	did("ahead");
	return said.serves_ahead;
}

static int
scripted_take_back(void)
{
	did("take-back");
	return said.taken_back;
}

static int
scripted_slot(void)
{
	return 40 + said.slots++;
}

static void
scripted_give_back(int slot)
{
	if (slot < 40)
		abort();
	said.slots--;
	errno = EINVAL;
}

static int64_t
scripted_grant(void)
{
	said.grants++;
	return 9;
}

static void
scripted_line_end(int64_t line, int wanted)
{
	if (line != 9)
		abort();
	said.grants--;
	said.line = wanted;
}

static int
scripted_look(void)
{
	said.looks++;
	said.inherited = 0;
	return said.recount;
}

static int
scripted_add(int fd)
{
	if (fcntl(fd, F_GETFD) == -1)
		abort();
	errno = ENOSPC;
	return said.unwatched ? -1 : 0;
}

static void
scripted_end(struct child *c)
{
	did("end-channel");
	if (c->channel != -1)
		close(c->channel);
	c->channel = -1;
}

static pid_t
scripted_wait(pid_t pid, int *status, int flags)
{
	int i;

	if (flags != (WNOHANG | WUNTRACED))
		abort();
	said.asked_all += pid == -1;
	for (i = 0; i < 5; i++)
		if (said.end[i].pid != 0 && (pid == -1 ||
		    pid == said.end[i].pid)) {
			pid = said.end[i].pid;
			*status = said.end[i].status;
			said.end[i].pid = 0;
			return pid;
		}
	return 0;
}

static int
scripted_pair(int pair[2])
{
	if (!said.unpaired)
		return fdpass_pair(pair);
	errno = EMFILE;
	return -1;
}

static int
scripted_keep(int fd)
{
	if (!said.unkept)
		return fd_keep(fd);
	errno = ENFILE;
	return -1;
}

/* What gives descriptors back may say something else. */
static int
scripted_close(int fd)
{
	int r = close(fd);

	errno = EINTR;
	return r;
}

static int
scripted_kill(pid_t pid, int signo)
{
	if (signo != SIGUSR1)
		abort();
	did("signal");
	return 0;
}

static int
scripted_signal(void)
{
	int pid = said.signal;

	said.signal = 0;
	return pid;
}

#define process_fork_with		scripted_fork
#define waiting_clear(i)		said.cleared |= 1 << (i)
#define waiting_be(i)			said.number = (i)
#define waiting_end_child()		(void)0
#define path_table_clear(i)		said.paths |= 1 << (i)
#define path_table_be(i)		(void)(i)
#define path_table_follow()		(void)0
#define failure_lines_allow(may)	(void)(may)
#define stats_take(slot, state)		said.slot = (slot)
#define signals_child()			(void)0
#define log_wait()			(void)0
#define ahead_stop(a, until)		scripted_stop(until)
#define ahead_find(a, pid) \
	((pid) == said.is_ahead ? &ahead_place : NULL)
#define ahead_ended(a, p, at)		did("ahead-ended")
#define fork_ahead_serve(s, a)		scripted_serve_ahead()
#define fork_ahead_take_back(s, p, m)	((void)(m), scripted_take_back())
#define fork_ahead_serve_again(s, fd, m)	did("serve-again")
#define fork_ahead_lost(s, p)		did("ahead-stopped")
#define slots_take(p)			scripted_slot()
#define slots_give_back(p, slot)	scripted_give_back(slot)
#define slots_look(p, at)		scripted_look()
#define slots_inherited(p)		(unsigned int)said.inherited
#define slots_log_killed(pid, signo, slot)	did("killed")
#define failure_lines_grant(f, at)	scripted_grant()
#define failure_lines_ended(f, line, wanted, at) \
	scripted_line_end(line, wanted)
#define handshake_limit_begun(h, i, pid, slot) \
	did((i) < ROOM ? "handshake" : "wrong")
#define handshake_limit_ended(h, i)	did("handshake-over")
#define line_file_forget(f)		said.forgot++
#define fd_keep				scripted_keep
#define fdpass_pair			scripted_pair
#define event_add(e, fd, tag)		scripted_add(fd)
#define accept_pause(s, call, e)	said.paused = (e)
#define pool_end_channel(s, c)		scripted_end(c)
#define pool_child_ended(s, c)		did("pool")
#define pool_bring_back(s, v) \
	did((v)->fd == 55 ? "visitor-back" : "none-back")
#define metrics_listener_ended(m, pid)	did("metrics")
#define tables_ended(t, pid)		did("tables")
#define names_takeover(n, name)		&takeover
#define takeover_remove(t, n, at) \
	did((t) == &takeover ? "takeover" : "wrong")
#define names_remove_agent(n, name, at)	did("agent-left")
#define spare_ended(s, c, status)	did("spare")
#define spare_stopped(c)		did("stopped")
#define extra_child_ended(s)		did("extra")
#define waiting_ended()			said.said_end
#define waiting_ended_child(n)		((int)((n) % 4) - 1)
#define signal_child			scripted_signal
#define waitpid				scripted_wait
#define close				scripted_close
#define kill				scripted_kill
#include "supervisor/child.c"
#undef waitpid
#undef close

static struct supervisor sup;
static struct service mode;

static int
serve(void *arg, int fd, const char *peer)
{
	return strcmp(peer, "who") == 0 && said.slot == 40 &&
	    said.number == 0 ? 3 : 1;
}

static int
park(void *arg, int fd, const char *peer, int channel)
{
	return channel != -1 ? 4 : 1;
}

static int
serve_extra(void *arg, int fd, const char *peer, int channel)
{
	return channel != -1 ? 5 : 1;
}

static void
begin(void)
{
	if (sup.service != NULL)
		children_end(&sup.children);
	memset(&sup, 0, sizeof(sup));
	memset(&said, 0, sizeof(said));
	was_done();
	memset(&mode, 0, sizeof(mode));
	mode.serve = serve;
	mode.park = park;
	mode.serve_extra = serve_extra;
	sup.service = &mode;
	sup.phase = SERVING;
	sup.fits.connections = 2;
	said.forks = 100;
	said.taken_back = -1;
	if (children_begin(&sup.children) == -1 ||
	    children_grow(&sup.children, ROOM) == -1)
		abort();
}

static int
start(int fd, int extra)
{
	struct incoming a = { .fd = fd, .peer = "who" };

	return child_start(&sup, &a, extra);
}

static struct child *
newest(void)
{
	return children_find(&sup.children, 700 + said.forks);
}

static void
test_start(void)
{
	int open = count_open();
	struct child *c;

	begin();
	is(start(0, 0), 0, "a connection");
	c = newest();
	ok(c != NULL && c->channel == -1 && !c->spare && !c->extra &&
	    c->slot == 40 && c->failure_line == 9, "has a child");
	ok(said.keep == 0 && said.channel == -1, "with it alone");
	is_str(was_done(), "ahead fork handshake", "that has its handshake");
	is(count_open(), open, "and no channel");
	ok(said.cleared == 1 && said.paths == 1, "its place is a new one");
	ok(sup.shown.changed, "it is shown");
	is(start(0, 1), 0, "an extra one");
	ok(newest()->extra && newest()->channel != -1, "has a channel");
	is_str(was_done(), "fork", "is no one's that was forked ahead");
	is(count_open(), open + 1, "the supervisor keeps one end");
	is(start(-1, 0), 0, "one without a connection");
	ok(newest()->spare && newest()->channel != -1, "has one, too");
	is_str(was_done(), "ahead fork", "and no handshake");
	is(start(0, 0), -1, "there is no room for a fourth");
	is(errno, EAGAIN, "for now");
	ok(said.slots == 3 && said.grants == 3, "it has taken nothing");
	is_str(was_done(), "", "nor forked");
	close(children_find(&sup.children, 798)->channel);
	close(children_find(&sup.children, 797)->channel);

	begin();
	mode.parks = 1;
	is(start(0, 0), 0, "of a mode that parks");
	ok(newest()->channel != -1, "each has one");
	close(newest()->channel);
	begin();
	said.serves_ahead = 1;
	is(start(0, 0), 0, "one that was forked ahead takes it");
	ok(sup.children.n == 0 && said.slots == 0, "no other one is begun");
	is(count_open(), open, "nothing is left open");
}

static void
test_failure(void)
{
	int open = count_open();

	begin();
	said.forks = 0;
	said.line = -1;
	is(start(0, 1), -1, "no process");
	is(errno, EAGAIN, "and why");
	ok(said.rest == today + AHEAD_REST && AHEAD_REST > 0,
	    "none is forked ahead for a time");
	is_str(was_done(), "fork", "once");
	is(said.line, 0, "nobody had a line to log");
	is(count_open(), open, "no descriptor is left");
	ok(said.slots == 0 && said.grants == 0 && sup.children.n == 0,
	    "nor a place");
	said.ahead = 2;
	is(start(0, 0), 0, "one that was forked ahead gives its place");
	is_str(was_done(), "ahead fork fork handshake", "to this one");

	begin();
	said.unpaired = 1;
	is(start(0, 1), -1, "no channel");
	ok(errno == EMFILE && said.slots == 0 && said.grants == 0,
	    "nothing is taken");
	is(start(0, 0), 0, "who needs none has a child");
	begin();
	said.unkept = 1;
	is(start(0, 1), -1, "its descriptor has no place");
	ok(errno == ENFILE && said.slots == 0, "nothing is taken");
	is(count_open(), open, "nor left open");

	begin();
	said.unwatched = 1;
	is(start(0, 1), 0, "a channel that cannot be watched");
	ok(said.paused == ENOSPC && newest()->channel == -1, "is ended");
	is(count_open(), open, "and closed");
}

static void
test_limit(void)
{
	begin();
	start(0, 0);
	said.inherited = 0;
	is(child_is_limit_reached(&sup), 0, "one of two");
	is(said.looks, 0, "is no reason to look");
	said.inherited = 1;
	sup.shown.changed = 0;
	is(child_is_limit_reached(&sup), 0, "an old tunnel has ended");
	is(said.looks, 1, "as a look tells");
	ok(!sup.shown.changed, "the same number");
	start(0, 1);
	is(child_count(&sup), 1, "extra children are not counted");
	close(newest()->channel);
	start(0, 0);
	sup.shown.changed = 0;
	said.recount = 1;
	is(child_is_limit_reached(&sup), 1, "two of two");
	ok(sup.shown.changed, "the number that was inherited is another");
}

/* How a child of our own ends. */
static int
ends(int fd, int extra)
{
	int status = 0;
	pid_t pid;

	said.forks = -1;
	if (start(fd, extra) == -1)
		abort();
	pid = children_next(&sup.children, NULL)->pid;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		abort();
	child_forget(&sup, pid, status);
	return WEXITSTATUS(status);
}

static void
test_serves(void)
{
	begin();
	is(ends(0, 0) & 127, 3, "serves it, for this peer");
	is(ends(0, 1) & 127, 5, "an extra one, with its channel");
	is(ends(-1, 0) & 127, 4, "parks, with its channel");
	mode.parks = 1;
	is(ends(0, 0) & 127, 4, "in a mode that parks, too");
	ok(said.slots == 0 && said.grants == 0 && sup.children.n == 0,
	    "all have given back what they had");
}

static void
test_ended(void)
{
	struct child *c;

	begin();
	start(0, 0);
	was_done();
	sup.shown.changed = 0;
	said.cleared = said.paths = 0;
	child_forget(&sup, 799, 128 << 8);
	ok(said.cleared == 1 && said.paths == 1, "no word of it is left");
	ok(said.slots == 0 && said.grants == 0 && sup.children.n == 0 &&
	    sup.shown.changed, "it has left its place");
	is(said.line, 1, "and would have had more to log");
	is_str(was_done(), "handshake-over pool end-channel none-back extra",
	    "one that waits has it");
	start(0, 0);
	child_forget(&sup, 698 + 100, 0);
	is(said.line, 0, "nothing more to log");
	was_done();
	child_forget(&sup, 5, 0);
	is_str(was_done(), "metrics tables", "another process");

	start(-1, 0);
	c = newest();
	children_set_name(&sup.children, c, 2);
	c->visitor.fd = 55;
	was_done();
	child_forget(&sup, c->pid, SIGKILL);
	is_str(was_done(), "killed handshake-over pool end-channel takeover "
	    "agent-left spare visitor-back extra",
	    "an agent that was offered a visitor");
	is(said.line, 0, "what was killed tells nothing");
	sup.phase = ENDING;
	start(0, 0);
	was_done();
	child_forget(&sup, newest()->pid, SIGTERM);
	ok(strstr(was_done(), "killed") != NULL, "killed at the end: a line");
	sup.phase = KILLING;
	start(0, 0);
	was_done();
	child_forget(&sup, newest()->pid, SIGKILL);
	ok(strstr(was_done(), "killed") == NULL, "by the supervisor: none");

	begin();
	start(0, 0);
	said.is_ahead = newest()->pid;
	said.taken_back = 8;
	was_done();
	child_forget(&sup, said.is_ahead, SIGKILL);
	is_str(was_done(), "take-back ahead-ended handshake-over pool "
	    "end-channel none-back extra serve-again",
	    "one forked ahead: another serves");
	said.taken_back = -1;
	child_forget(&sup, said.is_ahead, 0);
	is_str(was_done(), "take-back ahead-ended metrics tables",
	    "it had none");
}

static void
ended(int i, pid_t pid, int status)
{
	said.end[i].pid = pid;
	said.end[i].status = status;
}

/* 700, 701 and 702, with the numbers 0, 1 and 2. */
static void
begin_three(void)
{
	begin();
	sup.fits.connections = 9;
	children_add(&sup.children, 700, 40, -1, 0)->failure_line = 9;
	children_add(&sup.children, 701, 41, -1, 0)->failure_line = 9;
	children_add(&sup.children, 702, 42, -1, 0)->failure_line = 9;
}

static void
test_reap(void)
{
	begin_three();
	said.signal = 701;
	ended(0, 701, 0);
	child_reap(&sup);
	is(sup.children.n, 2, "the one that the signal names");
	is(sup.reap_again, today + 100, "a second look is soon");
	is(sup.reap_all, today + 1000 + 2, "one at all later");
	is(child_reap_time(&sup), today + 100, "the first of the two");
	today += 50;
	child_reap(&sup);
	ok(sup.reap_again == today + 50 && sup.reap_all == today + 952,
	    "another signal does not put them off");
	said.signal = 702;
	ended(0, 702, SIGKILL);
	child_reap(&sup);
	is(sup.reap_all, today + 100, "others may have been killed, too");
	is(child_reap_time(&sup), today + 50, "the second look is sooner");
	ended(0, 700, 0);
	today += 49;
	child_reap_tend(&sup, today);
	is(said.asked_all, 0, "not before");
	ok(sup.reap_again != 0, "nor that");
	today++;
	child_reap_tend(&sup, today);
	ok(sup.reap_again == 0 && sup.children.n == 1, "none has said so");
	is(child_reap_time(&sup), today + 50, "then all");
	today += 50;
	child_reap_tend(&sup, today);
	ok(sup.children.n == 0 && said.asked_all == 2, "until there is none");
	is(child_reap_time(&sup), CLOCK_NEVER, "and no more");

	begin_three();
	sup.phase = DRAINING;
	children_grow(&sup.children, 20);
	for (said.forks = 10; said.forks > 0; )
		start(0, 0);
	child_reap(&sup);
	is(sup.reap_all, today + 100 + 13 / 5, "at the end: soon");
}

/* 0 is none, 1 to 3 are the children's numbers plus 1. */
static void
test_said(void)
{
	begin_three();
	ended(0, 700, 0);
	ended(1, 702, 0);
	ended(2, 701, 0);
	said.said_end = 2;
	child_reap(&sup);
	ok(sup.children.n == 2 && children_find(&sup.children, 700) == NULL,
	    "the one that said it ends");
	said.said_end = 4;
	child_reap(&sup);
	is(sup.children.n, 0, "the others later");
	begin_three();
	said.said_end = 4;
	child_reap(&sup);
	is(sup.children.n, 3, "they have not ended yet");
	ended(0, 701, 0);
	ended(1, 700, 0);
	today += 100;
	child_reap_tend(&sup, today);
	is(sup.children.n, 1, "they are looked at once more");
	ended(0, 702, 0);
	sup.reap_again = today;
	child_reap_tend(&sup, today);
	is(sup.children.n, 1, "but not twice more");
	is(said.asked_all, 0, "nor are all");

	begin_three();
	said.said_end = WAITING_RING;
	child_reap(&sup);
	ok(sup.reap_all != 1, "as many as are known");
	sup.reaped = 0;
	said.said_end++;
	child_reap(&sup);
	is(sup.reap_all, 1, "one more: all are looked at");
	begin();
	children_add(&sup.children, 700, 40, -1, 0)->failure_line = 9;
	ended(0, 0, 0);
	said.said_end = 4;
	child_reap(&sup);
	is(sup.children.n, 1, "numbers that no child has yet");
}

static void
test_stopped(void)
{
	begin_three();
	was_done();
	said.signal = 700;
	ended(0, 700, SIGSTOP << 8 | 0x7f);
	child_reap(&sup);
	is_str(was_done(), "stopped", "a stopped one is no end");
	is(sup.children.n, 3, "and keeps its place");
	said.signal = said.is_ahead = 701;
	ended(0, 701, SIGSTOP << 8 | 0x7f);
	child_reap(&sup);
	is_str(was_done(), "ahead-stopped", "one that was forked ahead");
	sup.metrics.nchildren = 1;
	sup.metrics.child[0].pid = 900;
	sup.tables.build[1].pid = 901;
	said.is_ahead = 0;
	ended(0, 900, 0);
	ended(1, 901, 0);
	today += 100;
	child_reap_tend(&sup, today);
	is_str(was_done(), "metrics tables metrics tables",
	    "those that say nothing are looked at");
	child_signal_all(&sup, SIGUSR1);
	is_str(was_done(), "signal signal signal", "a signal to each");
}

/* So many files are forgotten in the child's. */
static int
forgets(void)
{
	int status;
	pid_t pid;

	said.forks = -1;
	if ((pid = child_fork_aside(&sup, 3, 4)) == 0)
		_exit(said.forgot);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	    WEXITSTATUS(status) : -1;
}

static void
test_aside(void)
{
	struct line_file file = { .path = NULL };

	begin();
	mode.files[1] = &file;
	is(child_fork_aside(&sup, 3, 4), 799, "the parent's side");
	ok(said.keep == 3 && said.channel == 4, "with these two");
	said.forks = 0;
	said.ahead = 1;
	is(child_fork_aside(&sup, 3, -1), 700, "those forked ahead make room");
	is(forgets(), 1, "the child's side has no other file open");
	mode.files[0] = &file;
	is(forgets(), 2, "of two, too");
	is(said.forgot, 0, "the parent keeps them");
}

int
main(void)
{
	test_start();
	test_failure();
	test_limit();
	test_serves();
	test_ended();
	test_reap();
	test_said();
	test_stopped();
	test_aside();
	children_end(&sup.children);
	return done_testing();
}
