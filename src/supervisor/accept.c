/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "net/socket.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/title.h"
#include "supervisor/internal.h"
#include "supervisor/metrics/http.h"
#include "supervisor/watch.h"

#define ROUND		64	/* connections until others have their turn */
#define COMPLAIN_EVERY	10000	/* ms between two lines about a limit */

/* Descriptors: */
#define ALWAYS		5	/* event sets, reserve, notify, one refused */
#define NETWORK		2	/* struct net_changes */
#define A_FILE		3	/* that is read: its memory, and a pipe */
#define EXTRA_A_LIMIT	16	/* for one extra child */

#define SHARE		4	/* one owner's that wait: a quarter */

void
accept_count_refused(struct supervisor *s)
{
	s->nrefused++;
	STATS_ADD(stats_mine->counts.refused, 1);
}

void
accept_reset(struct supervisor *s, int fd)
{
	accept_count_refused(s);
	net_linger_reset(fd);
	close(fd);
}

/* The answer goes out at once; see refusals.h. */
void
accept_refuse(struct supervisor *s, int fd)
{
	int kept;

	if (s->service->refuse == NULL || (kept = fd_keep(fd)) == -1) {
		accept_reset(s, fd);
		return;
	}
	accept_count_refused(s);
	s->service->refuse(kept);
	refusals_add(&s->refusals, kept, clock_ms());
}

void
accept_at_limit(struct supervisor *s, const char *name, unsigned int limit)
{
	struct log_line l;
	int64_t now = clock_ms();

	if (now < s->complain)
		return;
	s->complain = now + COMPLAIN_EVERY;
	log_begin(&l, LOG_L_WARN, "at-limit");
	log_num(&l, name, limit);
	log_num(&l, "refused", (int64_t)s->nrefused);
	log_end(&l);
}

void
accept_pause(struct supervisor *s, const char *call, int error)
{
	pause_begin(&s->pause, call, error, clock_ms());
	ahead_stop(&s->ahead, clock_ms() + AHEAD_REST);
	accept_watch(s);
}

/* Gives a connection to a new child.  0 if accepting has to pause. */
static int
start_child(struct supervisor *s, const struct incoming *a, int extra)
{
	if (child_start(s, a, extra) == -1) {
		accept_pause(s, "fork", errno);
		accept_refuse(s, a->fd);
		return 0;
	}
	close(a->fd);
	pause_succeeded(&s->pause);
	return 1;
}

/*
 * Beyond a limit some connections get a child nevertheless, as they may be
 * redials, which only a child can tell.
 */
int
accept_serve(struct supervisor *s, const struct incoming *a)
{
	unsigned int most = s->o->limits.handshakes;
	int slow = !handshake_limit_allows(&s->handshakes, s->o);

	if (!slow && !child_is_limit_reached(s))
		return start_child(s, a, 0);
	if (s->service->serve_extra != NULL &&
	    s->children.extras < s->fits.extras)
		return start_child(s, a, 1);
	accept_refuse(s, a->fd);
	if (slow)
		accept_at_limit(s, "max-handshakes", most);
	else
		accept_at_limit(s, "max-connections", s->fits.connections);
	return 1;
}

/*
 * Out of descriptors.  When waiting has not helped for a while, the reserve
 * is spent on refusing one of those that wait; a visitor is reset.
 */
static void
out_of_descriptors(struct supervisor *s, int listener, int is_visitor,
    int error)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	refusals_close_all(&s->refusals);
	if (pause_is_longest(&s->pause) && s->reserve != -1) {
		close(s->reserve);
		fd = net_accept(listener, &ss, &len);
		if (fd != -1 && is_visitor)
			accept_reset(s, fd);
		else if (fd != -1)
			accept_refuse(s, fd);
		refusals_close_all(&s->refusals);
		s->reserve = fd_reserve();
	}
	accept_pause(s, "accept", error);
}

/* The word of an abstract Unix socket, or NULL. */
static const struct addr *
word_of(const struct supervisor *s, int listener)
{
	const struct addr *visitors = s->o->reverse.visitors;
	char name[NET_NAME_MAX];
	unsigned int i;

	net_local_name(listener, name, sizeof(name));
	if (strncmp(name, "unix:@", 6) != 0)
		return NULL;
	for (i = 0; i < s->o->nlisten; i++)
		if (strcmp(name + 5, s->o->listen[i].path) == 0)
			return &s->o->listen[i];
	return visitors != NULL && strcmp(name + 5, visitors->path) == 0 ?
	    visitors : NULL;
}

static void
log_not_admitted(struct supervisor *s, const struct addr *listener)
{
	int64_t now = clock_ms();

	if (now < s->complain)
		return;
	s->complain = now + COMPLAIN_EVERY;
	log_event(LOG_L_WARN, "not-admitted", "listener", listener->path,
	    "why", "the peer's user is neither ours nor root", "hint",
	    ",mode=0666 admits every user", NULL);
}

static int
is_admitted(struct supervisor *s, int listener, int fd)
{
	const struct addr *word = word_of(s, listener);

	if (word == NULL || net_admits(word, fd))
		return 1;
	accept_reset(s, fd);
	log_not_admitted(s, word);
	return 0;
}

/*
 * Accepts one connection; name is that of a visitors' listener, or NAME_NONE.
 * 0 if there is none, or accepting has to pause.
 */
static int
accept_one(struct supervisor *s, int listener, int name)
{
	struct sockaddr_storage ss;
	struct incoming a = { .sa = (struct sockaddr *)&ss };

	if ((a.fd = net_accept(listener, &ss, &a.len)) == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (net_accept_is_transient(errno))
			return 1;
		if (errno == EMFILE || errno == ENFILE)
			out_of_descriptors(s, listener, name != NAME_NONE,
			    errno);
		else
			accept_pause(s, "accept", errno);
		return 0;
	}
	if (a.sa->sa_family == AF_UNIX && !is_admitted(s, listener, a.fd))
		return 1;
	if (child_count(s) >= s->fits.connections ||
	    !handshake_limit_allows(&s->handshakes, s->o))
		child_reap(s);
	if (name == NAME_NONE && tables_refuse(&s->tables)) {
		accept_refuse(s, a.fd);
		return 1;
	}
	if (name != NAME_NONE || s->service->spares_serve)
		return pool_accept(s, &a, name);
	return accept_serve(s, &a);
}

/*
 * Level-triggered: what is left over comes again.  Files are looked at before
 * each request: it may have been made after the last one was served.
 */
static void
accept_some(struct supervisor *s, uint32_t tag, unsigned int most)
{
	unsigned int i = watch_index(tag);
	int fd = -1, name = NAME_NONE;

	if (watch_kind(tag) == WATCH_NAME) {
		name = watch_name(tag);
		fd = names_listener(&s->names, name, watch_second(tag));
	} else if (i < s->nlisteners)
		fd = s->listener[i];
	for (; fd != -1 && most > 0; most--)
		if ((name == NAME_NONE && !reload_before_accept(s)) ||
		    !accept_one(s, fd, name))
			return;
	s->is_busy |= fd != -1;
}

static int64_t
paused(const struct supervisor *s)
{
	return pause_until(&s->pause, clock_ms());
}

/* Each of them has the same share, so that signals get their turn. */
void
accept_ready(struct supervisor *s)
{
	uint32_t tags[EVENT_BATCH];
	int i, n = event_take(&s->accepting, tags);

	if (n == -1)
		accept_pause(s, "epoll", errno);
	for (i = 0; i < n && !paused(s); i++)
		accept_some(s, tags[i], ROUND / (unsigned int)n);
	reload_accepted(s);
}

void
accept_watch(struct supervisor *s)
{
	int on = s->nlisteners + (s->names.name != NULL) > 0 && !paused(s);

	if (on == s->is_accepting)
		return;
	if (event_change(&s->events, s->accepting.fd,
	    watch_tag(WATCH_LISTENERS, 0, 0), on) == 0)
		s->is_accepting = on;
}

static _Noreturn void
be_metrics_child(const struct supervisor *s, int fd)
{
	title_set("inetws: answering about %s", s->shown.name);
	metrics_serve(fd, s->o, s->service, s->phase != SERVING);
	_exit(0);
}

void
accept_metrics(struct supervisor *s, unsigned int listener)
{
	int fd = metrics_listener_accept(&s->metrics, listener);
	pid_t pid;

	if (fd == -1) {
		if (errno == EACCES)
			log_not_admitted(s, s->o->observe.metrics);
		else if (errno != EAGAIN && errno != EWOULDBLOCK &&
		    !net_accept_is_transient(errno))
			accept_pause(s, "accept", errno);
		return;
	}
	if ((pid = child_fork_aside(s, fd, -1)) == 0)
		be_metrics_child(s, fd);
	if (pid != -1)
		metrics_listener_forked(&s->metrics, pid, clock_ms());
	else
		accept_pause(s, "fork", errno);
	close(fd);
}

/* --- limits, which have to fit into the descriptors that there may be --- */

static unsigned int
min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* How many of n: the first, and as many of the others as there is room for. */
static unsigned int
first_and(unsigned int n, unsigned int room)
{
	return n == 0 ? 0 : 1 + min(n - 1, room);
}

static unsigned int
is_any(unsigned int n)
{
	return n > 0;
}

/* All but the first. */
static unsigned int
others(unsigned int n)
{
	return n - is_any(n);
}

/* What there is apart from children, visitors and names. */
static unsigned int
fixed(const struct supervisor *s)
{
	const struct options *o = s->o;
	unsigned int i, n = FD_KEPT + ALWAYS + s->nlisteners;

	if (o->observe.metrics != NULL)
		n += INHERIT_EXTRA_FDS;
	if (o->service.pidfile != NULL)
		n++;
	if (o->mode == MODE_CLIENT || o->mode == MODE_AGENT)
		n += NETWORK;
	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (s->service->files[i] != NULL)
			n += A_FILE;
	return n;
}

/*
 * Lowers what is wanted to what fits into the limit of descriptors.  least has
 * what there always is, and the first one of each kind; the rest is divided.
 * Each kind may have an equal part, and what one does not want the next one has:
 * connections come first, then visitors, then names.  A gate with 900 left: a
 * connection, which takes 2, a visitor and a name take 4 together, so there may
 * be 225 more connections; of the 450 left, 225 more visitors; and 225 more
 * names.
 *
 * Returns least; *needed: what all that was wanted would have taken.
 */
static unsigned int
fit(struct limits *d, const struct supervisor *s, unsigned int *needed)
{
	struct limits want = *d;
	unsigned int a_connection = s->service->parks ? 2 : 0,
	    visitor_and_name = 1 + is_any(want.names),
	    all_three = a_connection + is_any(want.visitors) +
	    is_any(want.names), least, left;

	least = fixed(s) + is_any(want.extras) + a_connection +
	    2 * is_any(want.spares) + is_any(want.visitors) +
	    is_any(want.names);
	left = s->descriptor_limit > least ? s->descriptor_limit - least : 0;
	d->extras = first_and(want.extras, left / EXTRA_A_LIMIT);
	left -= others(d->extras);
	d->spares = first_and(want.spares, left / 2);
	left -= 2 * others(d->spares);
	if (a_connection > 0)
		d->connections = first_and(want.connections, left / all_three);
	left -= a_connection * others(d->connections);
	d->visitors = first_and(want.visitors, left / visitor_and_name);
	left -= others(d->visitors);
	d->names = first_and(want.names, left);
	left -= others(d->names);
	d->ahead = left < AHEAD_DESCRIPTORS ? 0 : want.ahead;
	*needed = least + others(d->extras) + 2 * others(want.spares) +
	    a_connection * others(want.connections) +
	    visitor_and_name * others(want.visitors);
	return least;
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
accept_limits(struct supervisor *s)
{
	const struct options *o = s->o;
	struct limits fits = { .connections = o->limits.connections };
	unsigned int least, needed;

	if (fits.connections == 0)
		fits.connections = 1;
	if (s->service->serve_extra != NULL)
		fits.extras = SUPERVISOR_EXTRA;
	if (s->service->spares != NULL)
		fits.spares = *s->service->spares;
	/* A program needs a process of its own: none is to be lacking then. */
	if (s->nlisteners > 0 && !s->service->parks &&
	    s->service->spares == NULL && o->program == NULL)
		fits.ahead = AHEAD_MAX;
	if (o->reverse.visitors != NULL || o->reverse.visitors_dir != NULL)
		fits.visitors = o->reverse.max_waiting > fits.connections ?
		    o->reverse.max_waiting : fits.connections;
	if (o->reverse.visitors_dir != NULL)
		fits.names = NAMES_MAX;
	least = fit(&fits, s, &needed);
	if (children_grow(&s->children, fits.connections +
	    SUPERVISOR_EXTRA) == -1 || handshake_limit_grow(&s->handshakes,
	    fits.connections + SUPERVISOR_EXTRA) == -1 ||
	    queue_grow(&s->queue, fits.visitors) == -1)
		return -1;
	s->fits = fits;
	waiting_share(fits.connections < 2 * SHARE ? 1 :
	    fits.connections / SHARE);
	names_set_max(&s->names, fits.names);
	if (needed > s->descriptor_limit && least <= s->descriptor_limit)
		log_few_descriptors(s, needed);
	return (int)least;
}
