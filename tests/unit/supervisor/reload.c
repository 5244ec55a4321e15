/* SPDX-License-Identifier: ISC */
/*
 * Files that have changed, and HUP: which requests wait for a table, and for
 * how long; when systemd is told that all is read.
 *
 * If it fails: a request is judged by an old file, waits for ever, or is
 * refused although nothing is wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/title.h"
#include "sandbox/enter.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"
#include "supervisor/watch.h"
#include "descriptors.h"
#include "seen.h"
#include "tap.h"
#include "today.h"

/* What the parts around it answer, and what they were asked. */
static struct script {
	int changed[SUPERVISOR_FILES_MAX], due[SUPERVISOR_FILES_MAX];
	int take, forks, memory, watched, before, load, options, admit;

	int given_up, on, changes, killed, signal, ended, patience, polled;
	int requests;		/* the listener that has some, or 0 */
	int comes;		/* the same, from a fork on */
	int ready, reloading, renewed, applied, loads, reloads, replaced;
} said;

#define FIRST	70		/* listeners */
#define SECOND	71

static struct supervisor sup;
static struct options options;
static struct service mode;
static const char *const path = "/file";
static struct line_file file[SUPERVISOR_FILES_MAX];

static int
scripted_fork(int other)
{
	if (other < 3)
		abort();
	if (said.comes != 0)
		said.requests = said.comes;
	if (said.forks == -1)
		errno = EAGAIN;
	return said.forks == -1 ? -1 : said.forks++;
}

static int
scripted_memory(const char *name)
{
	if (said.memory == 0)
		return memory_file(name);
	errno = said.memory;
	return -1;
}

static int
scripted_change(int on)
{
	said.changes++;
	said.on = on;
	return 0;
}

static int
scripted_kill(pid_t pid, int signo)
{
	said.killed += pid;
	said.signal = signo;
	return 0;
}

static int
scripted_poll(struct pollfd *p, nfds_t n, int ms)
{
	if (ms == 0)
		return n == 1 && p->events == POLLIN && p->fd == said.requests;
	said.polled++;
	said.patience = ms;
	return n == 1 && p->fd == sup.tables.build[0].pipe;
}

static int
begin_to_read(void *arg)
{
	return said.before;
}

static int
load(void *arg)
{
	said.loads++;
	return said.load > 0 && said.load-- > 0;
}

static void
reload(void *arg)
{
	said.reloads++;
}

static int
scripted_admit(void)
{
	return said.admit > 0 && said.admit-- > 0;
}

static int
scripted_process_kill(pid_t pid)
{
	said.ended += pid;
	return 0;
}

#define line_file_refresh(f)		said.changed[(f) - file]
#define line_file_due(f)		said.due[(f) - file]
#define line_file_take(f, fd)		said.take
#define line_file_give_up(f)		said.given_up++
#define child_fork_aside(s, fd, other)	scripted_fork(other)
#define memory_file(name)		scripted_memory(name)
#define event_add(e, fd, tag)		said.watched
#define event_delete(e, fd)		(void)0
#define event_change(e, fd, tag, on)	scripted_change(on)
#define kill				scripted_kill
#define process_kill(pid)		scripted_process_kill(pid)
#define poll				scripted_poll
#define options_reload(o, check, w) \
	((void)(o), strlcpy((w)->text, "no such option", \
	    sizeof((w)->text)), said.options)
#define admit_reload(s)			scripted_admit()
#define admit_renew(s)			said.renewed++
#define pool_renew(s)			said.replaced++
#define notify_send(n, text)		said.ready++
#define notify_reloading(n)		said.reloading++
#define startup_log(o)			said.applied++
#define startup_interface(o)		(void)0
#define accept_limits(s)		(void)0
#define show_name(s)			(void)0
#define show_about(s)			(struct stats_about){ .name = "" }
#define stats_retitle(a)		(void)(a)
#include "supervisor/reload.c"

static void
begin(void)
{
	int i;

	memset(&sup, 0, sizeof(sup));
	memset(&said, 0, sizeof(said));
	memset(&mode, 0, sizeof(mode));
	memset(file, 0, sizeof(file));
	sup.o = &options;
	sup.service = &mode;
	sup.phase = SERVING;
	sup.nlisteners = 2;
	sup.listener[0] = FIRST;
	sup.listener[1] = SECOND;
	options.timeouts.handshake = 10000;
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++) {
		file[i].path = &path;
		file[i].option = "--file";
		file[i].event = "file";
		said.due[i] = -1;
		mode.files[i] = &file[i];
		sup.tables.build[i].fd = -1;
	}
	said.forks = 500;
	seen();
}

static void
test_wait(void)
{
	int open;

	begin();
	open = count_open();
	is(reload_before_accept(&sup), 1, "nothing has changed: accepted");
	ok(said.changes == 0 && said.forks == 500, "and nothing is read");
	said.changed[1] = 1;
	said.requests = FIRST;
	is(reload_before_accept(&sup), 0, "one that has changed is waited for");
	ok(said.changes == 2 && said.on == 0, "no listener is watched");
	is(said.forks, 501, "one process reads it");
	is(sup.tables.build[1].pid, 500, "of the second file");
	ok(fcntl(sup.tables.build[1].fd, F_GETFD) == FD_CLOEXEC &&
	    fcntl(sup.tables.build[1].pipe, F_GETFD) == FD_CLOEXEC,
	    "its descriptors are no program's");
	is(count_open(), open + 2, "memory, and the pipe's reading end");
	is(reload_before_accept(&sup), 0, "asked again: it waits");
	ok(said.forks == 501 && said.changes == 2, "and begins nothing more");
	is(reload_time(&sup), today + 10000, "for --handshake-timeout");
	today += 700;
	reload_table_ended(&sup, 1);
	ok(said.changes == 4 && said.on == 1, "it is there: all are watched");
	is(said.ended, 500,
	    "its process has left its place for a connection's");
	is(count_open(), open, "no descriptor is left");
	is(sup.tables.building, 0, "and no process");
	is(reload_before_accept(&sup), 1,
	    "those that waited are served, though it may have changed again");
	today += FRESH - 1;
	is(reload_before_accept(&sup), 1, "for 50 milliseconds");
	today++;
	said.requests = 0;
	is(reload_before_accept(&sup), 0, "then not");
	said.requests = SECOND;
	reload_table_ended(&sup, 1);
	is(reload_before_accept(&sup), 0, "nor one that came while it was read");
	reload_table_ended(&sup, 1);
	is(reload_before_accept(&sup), 1, "but one of any listener that waited");
	reload_accepted(&sup);
	said.requests = 0;
	is(reload_before_accept(&sup), 0, "nor when all of them are served");
	reload_table_ended(&sup, 1);
	said.comes = FIRST;
	is(reload_before_accept(&sup), 0, "one comes while its reading begins");
	reload_table_ended(&sup, 1);
	is(reload_before_accept(&sup), 0, "nor has that one waited");
	said.ended = 0;
	tables_ended(&sup.tables, sup.tables.build[1].pid);
	reload_table_ended(&sup, 1);
	is(said.ended, 0,
	    "a number that may be another's now is left alone");
	reload_table_ended(&sup, 1);
	is(count_open(), open, "an end that is told twice is one");
	mode.files[0] = NULL;
	reload_accepted(&sup);
	is(reload_before_accept(&sup), 1, "without a file there is no look");
}

static void
test_refused(void)
{
	begin();
	said.changed[0] = said.changed[1] = 1;
	reload_before_accept(&sup);
	is(sup.tables.building, 2, "each is read by a process");
	sup.tables.build[1].pid = 0;
	today += 9999;
	reload_tend(&sup, today);
	is(sup.tables.hold, HOLD_WAITS, "nearly too long");
	today++;
	reload_tend(&sup, today);
	is(sup.tables.hold, HOLD_REFUSES, "too long: refused");
	ok(was_seen("event=tables"), "which is said");
	ok(said.killed == 500 && said.signal == SIGKILL,
	    "who reads is killed, and nobody else");
	is(said.on, 1, "the listeners are watched again");
	is(reload_before_accept(&sup), 1, "to refuse");
	is(reload_time(&sup), CLOCK_NEVER, "until it is read");
	reload_table_ended(&sup, 0);
	is(sup.tables.hold, HOLD_REFUSES, "one of two is");
	reload_table_ended(&sup, 1);
	is(sup.tables.hold, HOLD_NONE, "both are");
	ok(!was_seen("event="), "without a word");

	begin();
	options.timeouts.handshake = 0;
	said.changed[0] = 1;
	reload_before_accept(&sup);
	is(reload_time(&sup), CLOCK_NEVER, "no --handshake-timeout: no end");
	reload_table_ended(&sup, 0);
}

static void
test_cannot(void)
{
	int open;

	begin();
	open = count_open();
	said.changed[0] = 1;
	said.forks = -1;
	reload_before_accept(&sup);
	is(count_open(), open, "no process: no descriptor is left");
	is(sup.tables.building, 0, "nothing is under way");
	ok(was_seen("file=/file"), "a line says which file");
	is(reload_time(&sup), today + 1000, "again in a second");
	said.forks = 500;
	today += 999;
	reload_tend(&sup, today);
	is(said.forks, 500, "not before");
	today++;
	reload_tend(&sup, today);
	is(said.forks, 501, "then");
	said.take = -1;
	reload_table_ended(&sup, 0);
	is(sup.tables.hold, HOLD_WAITS, "killed while it read: no table");
	is(reload_time(&sup), today + 1000, "again in a second");
	said.changed[0] = 0;
	today += 1000;
	reload_tend(&sup, today);
	is(sup.tables.hold, HOLD_NONE, "it is as before: no wait");
	is(reload_time(&sup), CLOCK_NEVER, "and nothing to do");

	begin();
	said.changed[0] = 1;
	said.watched = -1;
	errno = ENOSPC;
	reload_before_accept(&sup);
	ok(count_open() == open && sup.tables.building == 0,
	    "its end cannot be seen: not read");
	is(sup.tables.retry, today + 1000, "again in a second");

	begin();
	said.changed[0] = 1;
	said.memory = ENOMEM;
	reload_before_accept(&sup);
	ok(said.given_up == 0 && sup.tables.retry == today + 1000,
	    "no memory: again in a second");
	ok(sup.tables.build[0].fd == -1 && sup.tables.building == 0,
	    "nothing is under way");
	begin();
	said.changed[0] = 1;
	said.memory = ENOSYS;
	reload_before_accept(&sup);
	ok(said.given_up == 1 && sup.tables.retry == 0,
	    "a system without such memory: never");
}

/* Of a file that was read too soon after it was written. */
static void
test_due(void)
{
	begin();
	said.due[0] = 30;
	said.due[1] = 20;
	is(reload_time(&sup), today + 20, "the next one of two");
	sup.tables.retry = today + 25;
	is(reload_time(&sup), today + 25, "not before a second is over");
	reload_tend(&sup, today);
	is(said.forks, 500, "none is due");
	today += 20;
	said.due[1] = 0;
	reload_tend(&sup, today);
	is(said.forks, 500, "one is, in the second after a failure");
	today += 5;
	reload_tend(&sup, today);
	is(sup.tables.build[1].pid, 500, "it is read again");
	is(reload_before_accept(&sup), 1, "and no request waits for it");
	is(reload_time(&sup), today + 30, "the other one is due");
	sup.phase = DRAINING;
	is(reload_time(&sup), CLOCK_NEVER, "not at the end");
	said.due[0] = 0;
	reload_tend(&sup, today);
	is(said.forks, 501, "when nothing is read any more");
	reload_table_ended(&sup, 1);
}

static void
test_hup(void)
{
	begin();
	is(reload_generation(&sup), 0, "nothing was read");
	supervisor_reload(&sup);
	ok(said.reloading == 1 && said.ready == 1, "no file: at once");
	is(said.renewed, 1, "all are admitted anew");
	is(reload_generation(&sup), 1, "what was forked before is of before");
	is(said.applied, 0, "options that came from no command line");
	ok(!was_seen("reload"), "are not read");

	said.changed[0] = 1;
	supervisor_reload(&sup);
	is(said.ready, 1, "a file is read first");
	said.changed[0] = 0;
	reload_table_ended(&sup, 0);
	is(said.ready, 2, "then it is through");
	reload_table_ended(&sup, 0);
	reload_tend(&sup, today);
	is(said.ready, 2, "once");

	said.changed[0] = 1;
	reload_before_accept(&sup);
	supervisor_reload(&sup);
	is(said.forks, 502, "HUP while it is read");
	reload_table_ended(&sup, 0);
	is(said.forks, 503, "it is read again, as that was perhaps older");
	is(said.ready, 2, "and waited for");
	reload_table_ended(&sup, 0);
	is(said.forks, 503, "but not a third time");
	is(said.ready, 3, "then it is through");

	said.admit = 1;
	said.changed[0] = 0;
	supervisor_reload(&sup);
	is(said.ready, 3, "an answer about who is admitted is due");
	reload_tend(&sup, today);
	is(said.ready, 4, "then it is through");
	sup.phase = DRAINING;
	supervisor_reload(&sup);
	is(said.reloading, 4, "not at the end");
}

static void
test_options(void)
{
	static const char *const argv[] = { "inetws", NULL };

	begin();
	options.argv = (void *)(uintptr_t)argv;
	supervisor_reload(&sup);
	ok(said.applied == 1 && was_seen("event=reloaded"), "new options");
	is(sup.shown.changed, 1, "are shown");
	ok(said.replaced == 0 && sup.tables.renewed == 0,
	    "if they are the same for parked websockets, these stay");
	said.options = 1;
	supervisor_reload(&sup);
	ok(said.replaced == 1 && sup.tables.renewed == 1 &&
	    said.applied == 2, "and if not, they are replaced");
	said.options = -1;
	supervisor_reload(&sup);
	ok(said.applied == 2 && said.replaced == 1, "wrong ones change nothing");
	ok(strstr(seen(), "why=\"no such option\" hint=\"the old") != NULL,
	    "and are told");
	is(said.ready, 3, "systemd learns that it is over");
	options.argv = NULL;
}

static void
test_mode(void)
{
	unsigned int rotated = 7;

	begin();
	mode.files[0] = mode.files[1] = NULL;
	mode.rotated = &rotated;
	is(reload_generation(&sup), 7, "what the mode counts");
	is(reload_before_fork(&sup), 1, "a mode without files of its own");
	is(reload_before_accept(&sup), 1, "nor others");
	mode.before = begin_to_read;
	mode.load = load;
	mode.reload = reload;
	is(reload_before_accept(&sup), 1, "they have not changed");
	is(reload_time(&sup), CLOCK_NEVER, "nothing to do");
	said.before = 1;
	is(reload_before_fork(&sup), 0, "they have: no process is forked");
	sup.tables.loading = LOADS_NONE;
	is(reload_before_accept(&sup), 0, "and none is accepted");
	is(reload_time(&sup), today, "they are read at once");
	said.load = 1;
	said.before = 0;
	reload_tend(&sup, today);
	ok(said.loads == 1 && sup.tables.hold == HOLD_WAITS, "one of two");
	reload_tend(&sup, today);
	ok(said.loads == 2 && sup.tables.hold == HOLD_NONE, "and the other");
	is(reload_generation(&sup), 8, "which is something new");
	reload_tend(&sup, today);
	is(said.loads, 2, "that is all");
	supervisor_reload(&sup);
	ok(said.reloads == 1 && said.ready == 0, "HUP: all of them");
	reload_tend(&sup, today);
	ok(said.loads == 3 && said.ready == 1, "then it is through");
	file[0].generation = 3;
	file[1].generation = 4;
	mode.files[0] = &file[0];
	is(reload_generation(&sup), 7 + 3 + 3, "with those of a file");
	mode.files[1] = &file[1];
	is(reload_generation(&sup), 7 + 3 + 7, "of both");
}

static void
test_start(void)
{
	int open = count_open();

	begin();
	sup.tables.build[0].fd = sup.tables.build[1].fd = 0;
	said.changed[0] = 1;
	said.admit = 2;
	reload_begin(&sup);
	is(said.polled, 1, "at the start the one that is there is waited for");
	is(said.patience, 10000, "for ten seconds");
	is(said.forks, 501, "after one process");
	is(sup.tables.building, 0, "which has ended");
	is(said.admit, 0, "all are asked who is admitted");
	is(count_open(), open, "nothing is left open");
}

/* While what new options name is read, nothing begins with what was before. */
static void
test_new_files(void)
{
	static const char *const argv[] = { "inetws", NULL };

	begin();
	mode.files[0] = mode.files[1] = NULL;
	mode.before = begin_to_read;
	mode.load = load;
	options.argv = (void *)(uintptr_t)argv;
	said.options = said.load = 1;
	supervisor_reload(&sup);
	is(reload_before_fork(&sup), 0, "new options: no fork meanwhile");
	is(reload_before_accept(&sup), 0, "and no request is accepted");
	reload_tend(&sup, today);
	is(sup.tables.hold, HOLD_WAITS, "one file of two");
	reload_tend(&sup, today);
	is(sup.tables.hold, HOLD_NONE, "and the other");
	is(reload_before_fork(&sup), 1, "then there are forks again");
	said.options = 0;
	said.load = 1;
	supervisor_reload(&sup);
	is(reload_before_fork(&sup), 1, "the same options: also meanwhile");
	is(reload_before_accept(&sup), 1, "as there are requests");
	options.argv = NULL;
}

int
main(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	test_wait();
	test_refused();
	test_cannot();
	test_due();
	test_hup();
	test_options();
	test_mode();
	test_new_files();
	test_start();
	return done_testing();
}
