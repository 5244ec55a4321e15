/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "os/clock.h"
#include "os/log.h"
#include "stats/page.h"
#include "supervisor/internal.h"

#define ACCEPT_BATCH	32	/* connections of a listener in one round */
#define PAUSE_MIN	100	/* ms without accepting, doubled each time */
#define PAUSE_MAX	1000
#define COMPLAIN_EVERY	10000	/* ms between two lines on one trouble */
#define REFUSED_KEPT	500	/* ms until a refused connection is closed */

/* May this trouble be told?  If so, not again for a while. */
static int
may_complain(int64_t *not_before)
{
	int64_t now = clock_ms();

	if (now < *not_before)
		return 0;
	*not_before = now + COMPLAIN_EVERY;
	return 1;
}

int
supervisor_open_reserve(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Closes the n oldest. */
static void
drop_refused(struct refused *r, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		close(r->fd[i]);
	r->n -= n;
	memmove(r->fd, r->fd + n, r->n * sizeof(r->fd[0]));
	memmove(r->until, r->until + n, r->n * sizeof(r->until[0]));
}

void
supervisor_close_refused(struct supervisor *s, int all)
{
	struct refused *r = &s->refused;
	unsigned int n = 0;
	int64_t now;

	if (r->n == 0)
		return;
	now = clock_ms();
	while (n < r->n && (all || r->until[n] <= now))
		n++;
	drop_refused(r, n);
}

/*
 * The answer is sent and our direction ended at once; the descriptor is kept
 * for a moment, because closing with unread bytes resets the connection (RFC
 * 1122 4.2.2.13), and the reset may overtake the answer.
 */
void
supervisor_refuse(struct supervisor *s, int fd)
{
	struct refused *r = &s->refused;

	s->nrefused++;
	STATS_ADD(stats_mine->counts.refused, 1);
	if (s->service->refuse == NULL) {
		net_linger_reset(fd);
		close(fd);
		return;
	}
	s->service->refuse(fd);
	shutdown(fd, SHUT_WR);
	if (r->n == REFUSED_MAX)
		drop_refused(r, 1);
	r->fd[r->n] = fd;
	r->until[r->n++] = clock_ms() + REFUSED_KEPT;
}

static void
refuse_at_limit(struct supervisor *s, int fd, const char *name,
    unsigned int limit)
{
	struct log_line l;

	supervisor_refuse(s, fd);
	if (!may_complain(&s->complain_limit))
		return;
	log_begin(&l, LOG_L_WARN, "at-limit");
	log_num(&l, name, limit);
	log_num(&l, "refused", (int64_t)s->nrefused);
	log_end(&l);
}

/* The system lacks something: those who knock wait in the backlog. */
void
supervisor_pause(struct supervisor *s, const char *call, int error)
{
	struct log_line l;

	s->pause = s->pause == 0 ? PAUSE_MIN : s->pause * 2;
	if (s->pause > PAUSE_MAX)
		s->pause = PAUSE_MAX;
	s->pause_end = clock_ms() + s->pause;
	if (!may_complain(&s->complain_pause))
		return;
	log_begin(&l, LOG_L_WARN, "accept-paused");
	log_str(&l, "call", call);
	log_str(&l, "error", strerror(error));
	log_end(&l);
}

/*
 * What accept(2) reports of the connection or its network rather than of us;
 * the connection is gone and the next one may be good.
 */
int
accept_error_is_transient(int error)
{
	switch (error) {
	case ECONNABORTED: case EINTR: case EPROTO: case EPERM:
	case ENETDOWN: case ENETUNREACH: case EHOSTDOWN: case EHOSTUNREACH:
	case ENOPROTOOPT: case EOPNOTSUPP: case ETIMEDOUT:
#ifdef ENONET
	case ENONET:
#endif
		return 1;
	}
	return 0;
}

/*
 * Out of descriptors.  When waiting has not helped for a while, the reserve
 * is spent on telling one of those who wait.
 */
static void
out_of_descriptors(struct supervisor *s, int listener, int error)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd;

	supervisor_close_refused(s, 1);
	if (s->pause == PAUSE_MAX && s->reserve != -1) {
		close(s->reserve);
		if ((fd = net_accept(listener, &ss, &len)) != -1)
			supervisor_refuse(s, fd);
		supervisor_close_refused(s, 1);
		s->reserve = supervisor_open_reserve();
	}
	supervisor_pause(s, "accept", error);
}

/* Gives a connection to a new child.  0 if accepting has to pause. */
static int
start_child(struct supervisor *s, const struct incoming *a)
{
	if (child_start(s, a) == -1) {
		supervisor_pause(s, "fork", errno);
		supervisor_refuse(s, a->fd);
		return 0;
	}
	close(a->fd);
	s->pause = 0;
	return 1;
}

/* A connection that nobody else has taken. */
int
supervisor_serve(struct supervisor *s, const struct incoming *a)
{
	if (!handshake_limit_allows(s)) {
		refuse_at_limit(s, a->fd, "max-handshakes",
		    s->o->limits.handshakes);
		return 1;
	}
	if (!supervisor_is_full(s) || (s->service->serve_full != NULL &&
	    s->active + s->nsurvivors < s->max + SUPERVISOR_EXTRA))
		return start_child(s, a);
	refuse_at_limit(s, a->fd, "max-connections", s->max);
	return 1;
}

/*
 * Accepts one connection; name is that of a visitors' door, or NAME_NONE.  0 if
 * there is none, or accepting has to pause.
 */
static int
accept_one(struct supervisor *s, int listener, int name)
{
	struct sockaddr_storage ss;
	struct incoming a = { .sa = (struct sockaddr *)&ss };

	if ((a.fd = net_accept(listener, &ss, &a.len)) == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return 0;
		if (accept_error_is_transient(errno))
			return 1;
		if (errno == EMFILE || errno == ENFILE)
			out_of_descriptors(s, listener, errno);
		else
			supervisor_pause(s, "accept", errno);
		return 0;
	}
	if (s->active + s->nsurvivors >= s->max || !handshake_limit_allows(s))
		supervisor_reap(s);
	if (name != NAME_NONE || s->service->hands_on)
		return pool_accept(s, &a, name);
	return supervisor_serve(s, &a);
}

void
supervisor_accept_some(struct supervisor *s, int listener, int name)
{
	unsigned int left;

	for (left = ACCEPT_BATCH; left > 0; left--)
		if (!accept_one(s, listener, name))
			break;
}

int64_t
supervisor_paused(const struct supervisor *s)
{
	return s->pause_end != 0 && clock_ms() < s->pause_end ?
	    s->pause_end : 0;
}

/* A bounded number from each listener, so that signals get their turn. */
void
supervisor_accept(struct supervisor *s)
{
	unsigned int i;

	for (i = 0; i < s->nlisteners; i++) {
		if (s->listener[i].revents != 0)
			supervisor_accept_some(s, s->listener[i].fd, NAME_NONE);
		if (supervisor_paused(s) != 0)
			return;
	}
}
