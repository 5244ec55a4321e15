/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "net/socket.h"
#include "os/notify.h"
#include "stats/page.h"
#include "supervisor/startup.h"

static void
open_log(const struct options *o, enum log_level level, int no_stderr)
{
	static const enum log_level levels[] = { LOG_L_INFO, LOG_L_ERROR,
	    LOG_L_WARN, LOG_L_INFO, LOG_L_DEBUG };

	if (o->log_level != LOG_CHOICE_AUTO)
		level = levels[o->log_level];
	else if (o->quiet)
		level = LOG_L_ERROR;
	else if (o->verbose > 0)
		level = LOG_L_DEBUG;
	log_style((enum log_format)o->log_format, o->syslog);
	log_open(o->syslog != 0 || no_stderr ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    level, "inetws");
}

void
start_log(const struct options *o)
{
	open_log(o, LOG_L_INFO, log_is_elsewhere());
}

/* A process on its own is one connection. */
static int
share_stats(const struct activation *a, const struct options *o,
    struct why *why)
{
	if (stats_share(o->stats_file, o->max_connections, why) == -1)
		return -1;
	if (a->nlisteners == 0)
		stats_take(STATS_SLOT_NONE, STATE_HANDSHAKE);
	return 0;
}

int
start_failed(const struct why *why)
{
	log_event(LOG_L_ERROR, "start", "why", why->text, NULL);
	return why->status;
}

/* What a listener is set to, its connections are born with. */
static void
tune(const struct activation *a)
{
	unsigned int i;

	for (i = 0; i < a->nlisteners; i++)
		net_tune(a->listener[i]);
	if (a->rfd != -1)
		net_tune(a->rfd);
}

static const struct addr *const *
doors_of(const struct options *o, const struct addr *doors[ACTIVATE_DOORS])
{
	doors[DOOR_VISITORS] = o->visitors;
	doors[DOOR_METRICS] = o->metrics;
	return doors;
}

int
start_door(const struct activation *a, enum start_door which,
    const struct addr *word, int backlog, int fds[2], struct why *why)
{
	if (word->kind == ADDR_TCP || word->kind == ADDR_UNIX)
		return net_listen(word, backlog, fds, why);
	memcpy(fds, a->door[which].fd, sizeof(a->door[which].fd));
	return a->door[which].n;
}

int
start(struct activation *a, const struct options *o, const struct addr *words,
    unsigned int n, enum log_level level)
{
	const struct addr *doors[ACTIVATE_DOORS];
	struct why why;
	int failed;

	failed = activate(a, words, n, doors_of(o, doors), &why) == -1;
	if (!failed) {
		activate_close_others(a);
		tune(a);
		if (a->nlisteners == 0)
			notify_forget();
	}
	open_log(o, level, o->no_stderr || a->no_stderr);
	if (!failed && o->stats_file != NULL)
		failed = share_stats(a, o, &why) == -1;
	return failed ? start_failed(&why) : EXIT_ENDED;
}

int
start_alone(struct activation *a, const struct options *o,
    enum log_level level)
{
	const struct addr *doors[ACTIVATE_DOORS];
	struct why why;
	int failed;

	if (o->no_stderr) {
		open_log(o, level, 1);
		why_set(&why, EXIT_BADUSAGE, "%s does not work under inetd: "
		    "it runs by itself", mode_name(o->mode));
		return start_failed(&why);
	}
	failed = activate_doors(a, doors_of(o, doors), &why) == -1;
	if (!failed)
		activate_close_others(a);
	open_log(o, level, 0);
	if (failed)
		return start_failed(&why);
	if (o->stats_file != NULL && stats_share(o->stats_file,
	    o->max_connections, &why) == -1)
		return start_failed(&why);
	return EXIT_ENDED;
}
