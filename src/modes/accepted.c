/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "connection/record.h"
#include "connection/tls_end.h"
#include "handshake/auth.h"
#include "handshake/tls_accept.h"
#include "modes/accepted.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"
#include "sandbox/enter.h"
#include "supervisor/metrics/http.h"
#include "supervisor/startup.h"

/*
 * How long the process that keeps the session may take to take over a redial.
 */
#define HAND_OVER_MS	2000

/* service.refuse: the answer 503, by one send(2). */
static void
refuse_busy(int fd)
{
	static char answer[512];
	static int len;

	if (len == 0)
		len = upgrade_write_refusal(answer, sizeof(answer), 503, 0, "",
		    ACCEPTED_BUSY);
	send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int
accepted_refuse(struct accepted *a, int status, const char *text)
{
	struct error why;

	error_set(&why, status == 503 ? EXIT_AGAIN : status == 401 ||
	    status == 403 ? EXIT_DENIED : EXIT_PROTOCOL,
	    "refused with %d: %s", status, text);
	websocket_refuse(&a->w, status, text);
	return connection_failed(a->c, &why);
}

int
accepted_refuse_for(struct accepted *a, unsigned int seconds, const char *text)
{
	struct error why;
	char extra[64];

	error_set(&why, EXIT_AGAIN, "refused with 503: %s", text);
	snprintf(extra, sizeof(extra), "Retry-After: %u\r\n", seconds);
	websocket_refuse_with(&a->w, 503, extra, text);
	return connection_failed(a->c, &why);
}

static int
request(struct accepted *a, const struct acceptor *by, struct io io,
    struct error *why)
{
	const struct options *o = by->o;
	struct connection *c = a->c;
	struct peer *p = &a->peer;
	char text[128];
	int status;

	if (peer_proxy_header(p, o, io.rfd, a->deadline, NULL, why) == -1) {
		io_reset(&io);
		a->w.is_probe = why->status == EXIT_LOST;
		return -1;
	}
	strlcpy(c->peer, p->address, sizeof(c->peer));
	if (by->tls.ctx != NULL && tls_accept_begin(&io, by->tls.ctx,
	    p->subject, a->deadline, why) == -1) {
		a->w.is_probe = why->status == EXIT_LOST;
		return -1;
	}
	strlcpy(c->subject, p->subject, sizeof(c->subject));
	if (io.tls != NULL)
		log_event(LOG_L_DEBUG, "tls", "peer", c->peer,
		    "with", tls_describe(io.tls, text, sizeof(text)), NULL);
	status = websocket_request(&a->w, o, io, &a->request, a->deadline, why);
	if (status != 0)
		return status;
	strlcpy(a->w.via, c->via, sizeof(a->w.via));
	status = peer_check(p, o, &by->users, &a->w, &a->request, a->deadline,
	    why);
	strlcpy(c->peer, p->address, sizeof(c->peer));
	strlcpy(c->user, p->user, sizeof(c->user));
	c->owner = peer_owner(p, o);
	return status;
}

int
accepted_begin(struct accepted *a, struct connection *c,
    struct acceptor *by, struct io io, const char *peer, int *status)
{
	struct error why;
	int r;

	a->c = c;
	a->w.is_probe = 0;
	a->deadline = clock_after(by->o->timeouts.handshake);
	if (a->extra && a->deadline > clock_ms() + ACCEPTED_EXTRA_MS)
		a->deadline = clock_ms() + ACCEPTED_EXTRA_MS;
	strlcpy(c->via, peer, sizeof(c->via));
	peer_begin(&a->peer, peer);
	r = request(a, by, io, &why);
	line_file_forget(&by->users);
	if (r == 0)
		return 1;
	if (r == 1) {
		metrics_answer(&a->w.io, by->o, a->w.head);
		io_close(&a->w.io);
		error_set(&why, EXIT_ENDED, "a page");
	}
	*status = r == 1 || a->w.is_probe ? connection_probed(c, &why) :
	    connection_failed(c, &why);
	return 0;
}

/*
 * Hands the connection over to the process of its session.  A connection that
 * cannot be passed to another process, with TLS or on two descriptors, stays:
 * that process gets one end of a socket pair instead, and *end is the other one
 * (-1 else).  0, or -1 with errno.
 */
static int
hand_over(struct accepted *a, int *end)
{
	struct websocket *w = &a->w;
	struct handoff_request v = { .fd = w->io.rfd, .bytes = w->raw,
	    .len = w->raw_len };
	int r, saved, pair[2] = { -1, -1 };

	if (w->io.tls != NULL || w->io.rfd != w->io.wfd) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0, pair) == -1)
			return -1;
		v.fd = pair[1];
	}
	strlcpy(v.user, a->c->user, sizeof(v.user));
	strlcpy(v.subject, a->c->subject, sizeof(v.subject));
	strlcpy(v.via, w->via, sizeof(v.via));
	r = handoff_send(a->request.session, &v,
	    clock_ms() + HAND_OVER_MS);
	saved = errno;
	if (pair[1] != -1)
		close(pair[1]);
	if (pair[0] != -1 && r == -1)
		close(pair[0]);
	*end = pair[0];
	errno = saved;
	return r;
}

/*
 * Becomes the end of TLS of a session's websocket, until the session ends.  The
 * supervisor counts tunnels by its children, and the session has a child
 * already: so if it counts this process, a child of this one does it instead.
 */
static int
be_tls_end(struct accepted *a, int is_counted, int end)
{
	struct connection *c = a->c;
	struct error why;
	int status;

	switch (is_counted ? process_fork() : 0) {
	case -1:
		error_set(&why, EXIT_SYSTEM, "cannot make a process for the "
		    "end of a session's websocket: %s", strerror(errno));
		io_close(&a->w.io);
		close(end);
		return connection_failed(c, &why);
	case 0:
		break;
	default:
		io_close(&a->w.io);
		close(end);
		return EXIT_ENDED;
	}
	if (c->channel != -1)
		close(c->channel);
	if (!is_counted)
		signals_single();
	title_tunnel(mode_name(c->o->mode), c->peer, c->target,
	    a->w.io.tls != NULL ? "TLS" : "pipes");
	if ((status = enter_sandbox(c->o, 0)) == GO_ON)
		tls_end_run(&a->w.io, end);
	if (is_counted)
		_exit(status);
	return status;
}

int
accepted_redial(struct accepted *a, int is_counted, int *status)
{
	struct websocket *w = &a->w;
	struct error why;
	int end;

	if (a->request.session[0] == '\0')
		return 0;
	if (hand_over(a, &end) == 0) {
		record_handed_over();
		log_event(LOG_L_DEBUG, "handed-over", "peer", a->c->peer,
		    NULL);
		*status = EXIT_ENDED;
		if (end != -1)
			*status = be_tls_end(a, is_counted, end);
		else
			io_close(&w->io);
	} else if (errno == ENOENT || errno == EACCES) {
		websocket_refuse_with(w, 410, handoff_instance_field(),
		    NO_SESSION);
		*status = connection_no_session(a->c,
		    a->request.session);
	} else {
		/*
		 * No answer: the dialler tries again.  The other process may
		 * have the socket too, so it is shut down, not only closed.
		 */
		shutdown(w->io.rfd, SHUT_RDWR);
		error_set(&why, EXIT_SYSTEM, "cannot hand the connection to "
		    "the process of its session: %s", strerror(errno));
		io_close(&w->io);
		*status = connection_failed(a->c, &why);
	}
	return 1;
}

static int
prepare_sandbox(const struct acceptor *by)
{
	return enter_prepare(by->o, by->o->program != NULL ?
	    SANDBOX_PROGRAM : SANDBOX_RELAY);
}

int
accepted_prepare(void *arg)
{
	const struct acceptor *by = arg;
	const struct options *o = by->o;
	struct error why;

	if ((o->service.chroot != NULL || o->service.run_as != NULL) &&
	    by->check(o, &why) == -1)
		return startup_failed_inside(o, &why);
	return prepare_sandbox(by);
}

static void
reload(void *arg)
{
	struct acceptor *by = arg;

	tls_reload_refresh(&by->tls, 1);
	prepare_sandbox(by);
}

static int
before(void *arg)
{
	struct acceptor *by = arg;

	return tls_reload_refresh(&by->tls, 0);
}

static int
load(void *arg)
{
	struct acceptor *by = arg;

	return tls_reload_load(&by->tls);
}

void
accepted_service(struct service *service, struct acceptor *by)
{
	service->arg = by;
	service->refuse = refuse_busy;
	service->unprivileged = accepted_prepare;
	service->reload = reload;
	service->before = before;
	service->load = load;
}

int
accepted_startup(const struct acceptor *by, struct inherited *given)
{
	const struct options *o = by->o;
	struct error why;

	if ((o->service.chroot != NULL ? auth_prepare(o, &why) :
	    by->check(o, &why)) == -1)
		return startup_failed(o, &why);
	return startup(given, o, o->listen, o->nlisten, LOG_L_INFO);
}

int
accepted_begin_tls(struct acceptor *by, struct service *service, int forks,
    struct error *why)
{
	memset(&by->tls, 0, sizeof(by->tls));
	handoff_prepare();
	if (by->o->tls.own_cert.n == 0)
		return 0;
	service->refuse = NULL;
	return tls_reload_begin(&by->tls, by->o, tls_reload_options, forks,
	    why);
}
