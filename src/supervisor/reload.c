/* SPDX-License-Identifier: ISC */
/*
 * HUP: the options, and the files that they name, are read again; and limits,
 * which have to fit into the descriptors that there may be.
 */
#include "connection/waiting.h"
#include "os/fd.h"
#include "os/log.h"
#include "supervisor/internal.h"
#include "supervisor/startup.h"

#define OTHERS	16	/* event sets, metrics, refused ones, reserve ... */

#define SHARE	4	/* of the sessions one owner's may wait: a quarter */
#define EXTRA_A_LIMIT 16 /* descriptors for one child beyond the limit */

static unsigned int
min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int
at_least_one(unsigned int n, unsigned int wanted)
{
	return n == 0 && wanted > 0 ? 1 : n;
}

/*
 * Lowers what is wanted to what fits; at least one of each that was wanted
 * stays.  Each kind may have an equal part, and what one does not want the next
 * one has: connections come first, then visitors.  How many descriptors all
 * that was wanted would have needed.
 */
static unsigned int
fit(struct limits *d, unsigned int limit, unsigned int listeners,
    unsigned int per_connection)
{
	struct limits want = *d;
	unsigned int fixed = FD_KEPT + OTHERS + listeners + d->extras, kinds,
	    left = limit > fixed ? limit - fixed : 0;

	d->spares = at_least_one(min(want.spares, left / 2), want.spares);
	left -= min(left, 2 * d->spares);
	kinds = per_connection + (want.visitors > 0) + (want.names > 0);
	if (per_connection > 0)
		d->connections = at_least_one(min(want.connections,
		    left / kinds), want.connections);
	left -= min(left, d->connections * per_connection);
	d->visitors = at_least_one(min(want.visitors,
	    want.names > 0 ? left / 2 : left), want.visitors);
	left -= min(left, d->visitors);
	d->names = at_least_one(min(want.names, left), want.names);
	return fixed + 2 * want.spares +
	    want.connections * per_connection + want.visitors;
}

static void
log_few_descriptors(const struct supervisor *s, unsigned int needed)
{
	struct log_line l;

	log_begin(&l, LOG_L_WARN, "few-descriptors");
	log_num(&l, "limit", s->descriptor_limit);
	log_num(&l, "needed", needed);
	log_num(&l, "max-connections", s->fits.connections);
	if (s->fits.spares > 0)
		log_num(&l, "spares", s->fits.spares);
	if (s->fits.visitors > 0)
		log_num(&l, "waiting-visitors", s->fits.visitors);
	log_str(&l, "hint", "raise ulimit -n or LimitNOFILE=");
	log_end(&l);
}

int
reload_limits(struct supervisor *s)
{
	const struct options *o = s->o;
	struct limits fits = { .connections = o->limits.connections };
	unsigned int per_connection = s->service->parks ? 2 : 0, needed;

	if (fits.connections == 0)
		fits.connections = 1;
	if (s->service->serve_full != NULL)
		fits.extras = at_least_one(min(SUPERVISOR_EXTRA,
		    s->descriptor_limit / EXTRA_A_LIMIT), 1);
	if (s->service->spares != NULL)
		fits.spares = *s->service->spares;
	if (o->reverse.visitors != NULL || o->reverse.visitors_dir != NULL)
		fits.visitors = o->reverse.max_waiting > fits.connections ?
		    o->reverse.max_waiting : fits.connections;
	if (o->reverse.visitors_dir != NULL)
		fits.names = NAMES_MAX;
	needed = fit(&fits, s->descriptor_limit, s->nlisteners,
	    per_connection);
	if (children_grow(&s->children, fits.connections +
	    SUPERVISOR_EXTRA) == -1 || handshake_limit_grow(&s->handshakes,
	    fits.connections + SUPERVISOR_EXTRA) == -1 ||
	    queue_grow(&s->queue, fits.visitors) == -1)
		return -1;
	s->fits = fits;
	waiting_share(fits.connections < 2 * SHARE ? 1 :
	    fits.connections / SHARE);
	names_set_max(&s->names, fits.names);
	if (needed > s->descriptor_limit)
		log_few_descriptors(s, needed);
	return 0;
}

static void
apply(struct supervisor *s)
{
	struct stats_about about;

	startup_log(s->o);
	reload_limits(s);
	show_name(s);
	about = show_about(s);
	stats_retitle(&about);
	s->shown.changed = 1;
	log_event(LOG_L_INFO, "reloaded", NULL);
}

/*
 * Options are constant to all but this, which runs between any two things
 * that look at them.
 */
static void
read_options(struct supervisor *s)
{
	struct options *o = (struct options *)(uintptr_t)s->o;
	struct error why;

	if (options_again(o, s->service->check, &why) == 0)
		apply(s);
	else
		log_event(LOG_L_ERROR, "reload", "why", why.text, "hint",
		    "the old options stay in force", NULL);
}

void
reload(struct supervisor *s)
{
	if (s->phase != SERVING)
		return;
	notify_reloading(&s->notify);
	if (s->o->argv != NULL)
		read_options(s);
	if (s->service->reload != NULL)
		s->service->reload(s->service->arg);
	admit_reload(s);
	notify_send(&s->notify, "READY=1");
}
