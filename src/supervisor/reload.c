/* SPDX-License-Identifier: ISC */
/*
 * HUP: options are read again; files, read when they have changed, and at HUP.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
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

#define RETRY	1000	/* ms after a table could not be made */
#define FRESH	50	/* ms for requests that have waited for a file */
#define AT_START	10000	/* ms for each of them */

static void
apply(struct supervisor *s)
{
	struct stats_about about;

	startup_log(s->o);
	startup_interface(s->o);
	accept_limits(s);
	show_name(s);
	about = show_about(s);
	stats_retitle(&about);
	s->shown.changed = 1;
}

/* Options are constant to all others, which do not run meanwhile. */
static void
read_options(struct supervisor *s)
{
	struct options *o = (struct options *)(uintptr_t)s->o;
	struct error why;
	int r = options_reload(o, s->service->check, &why);

	s->tables.tells = r != -1;
	s->tables.renewed += r == 1;
	if (s->tables.tells)
		apply(s);
	else
		log_event(LOG_L_ERROR, "reload", "why", why.text, "hint",
		    "the old options stay in force", NULL);
}

unsigned int
reload_generation(const struct supervisor *s)
{
	const struct service *service = s->service;
	unsigned int i, n = s->tables.loaded;

	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (service->files[i] != NULL)
			n += service->files[i]->generation;
	return service->rotated == NULL ? n : n + *service->rotated;
}

static struct line_file *
file_of(const struct supervisor *s, unsigned int i)
{
	return s->service->files[i];
}

static _Noreturn void
be_table_helper(const struct supervisor *s, unsigned int i, int fd)
{
	const struct line_file *f = file_of(s, i);
	struct line_build b;

	title_set("inetws: reading the file of %s", f->option);
	if (line_build_read(&b, f, fd) == -1 ||
	    enter_sandbox(s->o, 0) != GO_ON)
		_exit(EXIT_SYSTEM);
	_exit(line_build_finish(&b, f) == 0 ? EXIT_ENDED : EXIT_SYSTEM);
}

/* Its memory, and a pipe that ends with its process.  -1 with errno. */
static int
open_build(struct table_build *b, int *end)
{
	int p[2], fd;

	if ((b->fd = memory_file("inetws table")) == -1)
		return -1;
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1) {
		close(b->fd);
		return -1;
	}
	b->pipe = p[0];
	*end = p[1];
	if ((fd = fd_keep(b->fd)) != -1)
		b->fd = fd;
	if ((fd = fd_keep(b->pipe)) != -1)
		b->pipe = fd;
	return 0;
}

static void
close_build(struct supervisor *s, struct table_build *b)
{
	event_delete(&s->events, b->pipe);
	close(b->pipe);
	close(b->fd);
	b->fd = b->pipe = -1;
	b->pid = 0;
	s->tables.building--;
}

static void
cannot_make(struct supervisor *s, unsigned int i, const char *why)
{
	log_event(LOG_L_ERROR, file_of(s, i)->event, "file",
	    *file_of(s, i)->path, "why", why, "hint",
	    "its table is made again in a second", NULL);
	s->tables.retry = clock_ms() + RETRY;
}

static void
start_build(struct supervisor *s, unsigned int i)
{
	struct table_build *b = &s->tables.build[i];
	int end;

	if (open_build(b, &end) == -1) {
		b->fd = -1;
		if (errno == ENOSYS)
			line_file_give_up(file_of(s, i));
		else
			cannot_make(s, i, strerror(errno));
		return;
	}
	s->tables.building++;
	if ((b->pid = child_fork_aside(s, b->fd, end)) == 0)
		be_table_helper(s, i, b->fd);
	close(end);
	if (b->pid != -1 && event_add(&s->events, b->pipe,
	    watch_tag(WATCH_TABLE, i, 0)) == 0)
		return;
	cannot_make(s, i, strerror(errno));
	close_build(s, b);
}

int
reload_before_fork(struct supervisor *s)
{
	if (s->tables.loading == LOADS_OPTIONS)
		return 0;
	if (s->service->before == NULL ||
	    !s->service->before(s->service->arg))
		return 1;
	s->tables.loading = LOADS_FILES;
	return 0;
}

/* Begins to read the files that have changed.  Is there one? */
static int
read_changed(struct supervisor *s, int64_t now)
{
	int changed = !reload_before_fork(s);
	unsigned int i;

	for (i = 0; i < SUPERVISOR_FILES_MAX; i++) {
		if (file_of(s, i) == NULL || !line_file_refresh(file_of(s, i)))
			continue;
		changed = 1;
		if (s->tables.build[i].fd == -1 && now >= s->tables.retry)
			start_build(s, i);
	}
	return changed;
}

static void
set_hold(struct supervisor *s, enum hold hold)
{
	unsigned int i;
	int on = hold != HOLD_WAITS;

	if ((s->tables.hold != HOLD_WAITS) != on)
		for (i = 0; i < s->nlisteners; i++)
			event_change(&s->accepting, s->listener[i],
			    watch_tag(WATCH_LISTENER, i, 0), on);
	s->tables.hold = hold;
}

/* Does a request wait?  The files may be looked at without one. */
static int
has_request(const struct supervisor *s)
{
	struct pollfd p = { .events = POLLIN };
	unsigned int i;

	for (i = 0; i < s->nlisteners; i++) {
		p.fd = s->listener[i];
		if (poll(&p, 1, 0) == 1)
			return 1;
	}
	return 0;
}

static int
is_busy(const struct supervisor *s)
{
	return s->tables.building > 0 || s->tables.loading;
}

int
reload_before_accept(struct supervisor *s)
{
	int64_t now = clock_ms();
	int waited;

	if (s->service->files[0] == NULL && s->service->before == NULL)
		return 1;
	if (s->tables.hold != HOLD_NONE || now < s->tables.fresh_until)
		return s->tables.hold != HOLD_WAITS;
	waited = !is_busy(s) && has_request(s);
	if (read_changed(s, now)) {
		s->tables.waited = waited;
		s->tables.until = s->o->timeouts.handshake > 0 ?
		    now + s->o->timeouts.handshake : CLOCK_NEVER;
		set_hold(s, HOLD_WAITS);
	}
	return s->tables.hold != HOLD_WAITS;
}

void
reload_accepted(struct supervisor *s)
{
	s->tables.fresh_until = 0;
}

/* HUP is through when all tables are there, or cannot be: systemd is told so. */
static void
finish(struct supervisor *s, int64_t now)
{
	if (s->tables.hup == HUP_THROUGH || is_busy(s) ||
	    now < s->tables.retry || admit_reload(s))
		return;
	s->tables.hup = HUP_THROUGH;
	if (s->tables.tells)
		log_event(LOG_L_INFO, "reloaded", NULL);
	notify_send(&s->notify, "READY=1");
}

/*
 * Requests that waited when a file began to be read go on with it, though it may
 * have changed again: else one that always changes would hold them for ever.
 */
static void
after_reading(struct supervisor *s)
{
	if (!is_busy(s) && s->tables.hold != HOLD_NONE) {
		s->tables.fresh_until = s->tables.waited ?
		    clock_ms() + FRESH : 0;
		set_hold(s, HOLD_NONE);
	}
	if (!is_busy(s) && s->tables.hup == HUP_LOOKS) {
		s->tables.hup = HUP_WAITS;
		read_changed(s, clock_ms());
	}
	finish(s, clock_ms());
}

void
reload_table_ended(struct supervisor *s, unsigned int i)
{
	struct table_build *b = &s->tables.build[i];
	int r;

	if (b->fd == -1)
		return;
	/* What is forked next needs its place among the processes. */
	if (b->pid > 0)
		(void)process_kill(b->pid);
	r = line_file_take(file_of(s, i), b->fd);
	close_build(s, b);
	if (r == 0)
		after_reading(s);
	else
		cannot_make(s, i, "the process that reads it has failed");
}

static void
refuse_from_now_on(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (s->tables.build[i].pid > 0)
			kill(s->tables.build[i].pid, SIGKILL);
	log_event(LOG_L_ERROR, "tables", "why", "a changed file is not read "
	    "within --handshake-timeout", "hint", "requests are refused", NULL);
	set_hold(s, HOLD_REFUSES);
}

static int
is_waited_for(const struct supervisor *s)
{
	return s->tables.hold != HOLD_NONE || s->tables.hup != HUP_THROUGH;
}

void
reload_tend(struct supervisor *s, int64_t now)
{
	unsigned int i;

	if (s->phase != SERVING)
		return;
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (file_of(s, i) != NULL && s->tables.build[i].fd == -1 &&
		    line_file_due(file_of(s, i)) == 0 &&
		    now >= s->tables.retry)
			start_build(s, i);
	if (s->tables.loading && !s->service->load(s->service->arg)) {
		s->tables.loading = LOADS_NONE;
		s->tables.loaded++;
		after_reading(s);
	}
	if (is_waited_for(s) && !is_busy(s) && now >= s->tables.retry &&
	    !read_changed(s, now)) {
		set_hold(s, HOLD_NONE);
		finish(s, now);
	}
	if (s->tables.hold == HOLD_WAITS && now >= s->tables.until)
		refuse_from_now_on(s);
}

int64_t
reload_time(const struct supervisor *s)
{
	int64_t now = clock_ms(), until = CLOCK_NEVER, t;
	unsigned int i;
	int due;

	if (s->phase != SERVING)
		return CLOCK_NEVER;
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++) {
		if (file_of(s, i) == NULL || s->tables.build[i].fd != -1 ||
		    (due = line_file_due(file_of(s, i))) == -1)
			continue;
		t = now + due > s->tables.retry ? now + due : s->tables.retry;
		until = t < until ? t : until;
	}
	if (s->tables.hold == HOLD_WAITS && s->tables.until < until)
		until = s->tables.until;
	if (s->tables.loading)
		return now;
	if (is_waited_for(s) && !is_busy(s) && s->tables.retry < until)
		until = s->tables.retry;
	return until;
}

void
reload_begin(struct supervisor *s)
{
	struct pollfd p = { .events = POLLIN };
	unsigned int i;

	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		s->tables.build[i].fd = -1;
	read_changed(s, clock_ms());
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++) {
		if (s->tables.build[i].fd == -1)
			continue;
		p.fd = s->tables.build[i].pipe;
		poll(&p, 1, AT_START);
		reload_table_ended(s, i);
	}
	while (admit_reload(s))
		;
}

void
supervisor_reload(struct supervisor *s)
{
	unsigned int renewed = s->tables.renewed;

	if (s->phase != SERVING)
		return;
	notify_reloading(&s->notify);
	s->tables.loaded++;
	if (s->o->argv != NULL)
		read_options(s);
	if (s->service->reload != NULL)
		s->service->reload(s->service->arg);
	admit_renew(s);
	if (s->tables.renewed != renewed)
		pool_renew(s);
	s->tables.loading = s->service->load == NULL ? LOADS_NONE :
	    s->tables.renewed != renewed ? LOADS_OPTIONS : LOADS_FILES;
	s->tables.hup = s->tables.building > 0 ? HUP_LOOKS : HUP_WAITS;
	if (!read_changed(s, clock_ms()))
		finish(s, clock_ms());
}
