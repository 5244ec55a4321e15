/* SPDX-License-Identifier: ISC */
/*
 * What ps(1), the service manager and whoever started it are shown of the
 * supervisor.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/log_output.h"
#include "os/title.h"
#include "proto/agent_name.h"
#include "sandbox/enter.h"
#include "supervisor/internal.h"

#define SHOW_EVERY	1000	/* ms between two times */
#define REFRESH_MIN	5000	/* ms until bytes are counted again ... */
#define REFRESH_MAX	320000	/* ... doubled while nothing moves */

static void
print_target(const struct options *o, char *dst, size_t size)
{
	if (o->mode == MODE_GATE)
		strlcpy(dst, "visitors", size);
	else if (o->mode == MODE_CLIENT)
		url_print(dst, size, &o->url);
	else if (o->program != NULL)
		strlcpy(dst, o->program[0], size);
	else
		addr_print(dst, size, &o->target);
}

void
show_name(struct supervisor *s)
{
	char *name = s->shown.name, target[256], gate[256],
	    addr[NET_NAME_MAX];
	size_t size = sizeof(s->shown.name);
	unsigned int i;

	snprintf(name, size, "inetws %s: ", mode_name(s->o->mode));
	for (i = 0; i < s->nlisteners; i++) {
		net_local_name(s->listener[i], addr, sizeof(addr));
		if (i > 0)
			strlcat(name, ",", size);
		strlcat(name, addr, size);
	}
	if (s->nlisteners == 0) {	/* an agent: its gate */
		url_print(gate, sizeof(gate), &s->o->url);
		agent_name_mask_url(gate);
		strlcat(name, gate, size);
	}
	print_target(s->o, target, sizeof(target));
	strlcat(name, " -> ", size);
	strlcat(name, target, size);
}

struct stats_about
show_about(const struct supervisor *s)
{
	const char *name = strstr(s->shown.name, ": ");

	return (struct stats_about){ .mode = mode_name(s->o->mode),
	    .name = name != NULL ? name + 2 : s->shown.name,
	    .max = s->fits.connections };
}

static unsigned int
count(const struct supervisor *s)
{
	return s->children.n + slots_inherited(&s->slots);
}

/* Sent only if it is something new. */
static void
notify_status(struct supervisor *s, int64_t now)
{
	struct shown *w = &s->shown;
	struct report_counts counts;
	char status[sizeof(w->status)], bytes[32];

	stats_sum(&counts);
	snprintf(status, sizeof(status), "STATUS=%u active, %llu total, %s%s",
	    count(s), (unsigned long long)counts.begun,
	    str_bytes(bytes, sizeof(bytes), counts.up + counts.down),
	    s->phase == SERVING ? "" : ", draining");
	if (strcmp(status, w->status) == 0)
		w->refresh_every *= 2;
	else {
		notify_send(&s->notify, status);
		strlcpy(w->status, status, sizeof(w->status));
		w->refresh_every = REFRESH_MIN;
	}
	if (w->refresh_every > REFRESH_MAX)
		w->refresh_every = REFRESH_MAX;
	w->refresh = now + w->refresh_every;
}

static void
log_left_out(struct supervisor *s, int64_t now)
{
	uint64_t n = failure_lines_left_out(&s->failures, now);
	struct log_line l;

	if (n == 0)
		return;
	log_begin(&l, LOG_L_WARN, "failures-left-out");
	log_num(&l, "count", (int64_t)n);
	log_end(&l);
}

void
show_end(struct supervisor *s)
{
	log_left_out(s, CLOCK_NEVER);
	failure_lines_tell_repeated(CLOCK_NEVER);
}

/*
 * Beginnings and ends of tunnels are known here; how many bytes they forward is
 * on the statistics page, and worth waking up for only where it is shown, and
 * more seldom as long as nothing moves.
 */
static int64_t
title_time(const struct supervisor *s)
{
	if (s->shown.changed)
		return s->shown.next;
	return s->notify.fd != -1 && count(s) > 0 ? s->shown.refresh :
	    CLOCK_NEVER;
}

/* Children write there: not more often than that, whatever it says. */
static int64_t
repeated_time(const struct supervisor *s)
{
	int64_t due = stats_repeats_time();

	return due < s->shown.repeated ? s->shown.repeated : due;
}

int64_t
show_time(const struct supervisor *s)
{
	int64_t title = title_time(s), lines = failure_lines_time(&s->failures),
	    repeated = repeated_time(s);

	if (repeated < lines)
		lines = repeated;
	return title < lines ? title : lines;
}

void
show_tend(struct supervisor *s, int64_t now)
{
	log_left_out(s, now);
	if (now >= repeated_time(s)) {
		failure_lines_tell_repeated(now);
		s->shown.repeated = now + SHOW_EVERY;
	}
	if (now < title_time(s))
		return;
	slots_look(&s->slots, now);
	s->shown.changed = 0;
	s->shown.next = now + SHOW_EVERY;
	title_set("%s, %u active%s", s->shown.name, count(s),
	    s->phase == SERVING ? "" : ", draining");
	if (s->notify.fd != -1)
		notify_status(s, now);
}

/*
 * "listening on ADDR" on standard error, which those who start us wait for.
 * Where all lines there are the log's the words are in one of them, and where
 * the log is elsewhere it tells too.
 */
static void
announce_one(const struct supervisor *s, const char *event,
    const char *words, const char *addr)
{
	char msg[NET_NAME_MAX + 64], line[NET_NAME_MAX + 64];
	int n;

	snprintf(msg, sizeof(msg), "%s %s as %s", words, addr,
	    mode_name(s->o->mode));
	if (!log_owns_stderr() || !log_wants(LOG_L_INFO)) {
		n = snprintf(line, sizeof(line), "%s %s\n", words, addr);
		log_output_print(line, n);
	}
	if (log_owns_stderr() || log_is_elsewhere())
		log_event(LOG_L_INFO, event, "address", addr, "name",
		    strstr(s->shown.name, "inetws ") != NULL ? s->shown.name + 7 :
		    s->shown.name, "version", INETWS_VERSION, "msg", msg, NULL);
}

/* When all else is there: who waits for these lines may rely on it. */
void
show_addresses(const struct supervisor *s)
{
	char addr[NET_NAME_MAX];
	unsigned int i;
	int fd;

	for (i = 0; i < s->nlisteners; i++)
		announce_one(s, "listening", "listening on",
		    net_local_name(s->listener[i], addr, sizeof(addr)));
	for (i = 0; s->o->reverse.visitors != NULL && i < 2; i++)
		if ((fd = names_listener(&s->names, 0, i)) != -1)
			announce_one(s, "visitors", "visitors on",
			    net_local_name(fd, addr, sizeof(addr)));
	for (i = 0; i < s->metrics.n; i++)
		announce_one(s, "metrics", "metrics on",
		    net_local_name(s->metrics.fd[i], addr, sizeof(addr)));
	enter_warn(s->o);
}
