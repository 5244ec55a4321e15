/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "connection/handoff.h"
#include "connection/record.h"
#include "handshake/tls_accept.h"
#include "modes/accepted.h"
#include "os/clock.h"
#include "os/log.h"

/* For the process that keeps the session to take the connection. */
#define HAND_OVER_MS	2000

void
accepted_busy(int fd)
{
	static char answer[512];
	static int len;

	if (len == 0)
		len = upgrade_write_refusal(answer, sizeof(answer), 503, "",
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
request(struct accepted *a, const struct options *o, struct tls_ctx *ctx,
    struct io io, struct error *why)
{
	struct connection *c = a->c;
	struct peer *p = &a->peer;
	char text[128];
	int status;

	if (peer_proxy_header(p, o, io.rfd, a->deadline, NULL, why) == -1) {
		io_reset(&io);
		return -1;
	}
	strlcpy(c->peer, p->address, sizeof(c->peer));
	if (ctx != NULL && tls_accept_begin(&io, ctx, p->subject, a->deadline,
	    why) == -1)
		return -1;
	strlcpy(c->subject, p->subject, sizeof(c->subject));
	if (io.tls != NULL)
		log_event(LOG_L_DEBUG, "tls", "peer", c->peer,
		    "with", tls_describe(io.tls, text, sizeof(text)), NULL);
	if (websocket_request(&a->w, o, io, &a->request, a->deadline,
	    why) == -1)
		return -1;
	strlcpy(a->w.via, c->via, sizeof(a->w.via));
	status = peer_check(p, o, &a->w, &a->request, a->deadline, why);
	strlcpy(c->peer, p->address, sizeof(c->peer));
	strlcpy(c->user, p->user, sizeof(c->user));
	return status;
}

int
accepted_begin(struct accepted *a, struct connection *c,
    const struct options *o, struct tls_ctx *ctx, struct io io,
    const char *peer, int *status)
{
	struct error why;

	a->c = c;
	a->deadline = clock_after(o->timeouts.handshake);
	strlcpy(c->via, peer, sizeof(c->via));
	peer_begin(&a->peer, peer);
	if (request(a, o, ctx, io, &why) == 0)
		return 1;
	*status = connection_failed(c, &why);
	return 0;
}

int
accepted_redial(struct accepted *a, int *status)
{
	struct websocket *w = &a->w;
	const char *session = a->request.offer.session;
	struct error why;

	if (!a->request.has_offer || session[0] == '\0')
		return 0;
	if (handoff_send(session, w->io.rfd, a->c->user, a->c->subject,
	    w->raw, w->raw_len, clock_ms() + HAND_OVER_MS) == 0) {
		record_handed_over();
		log_event(LOG_L_DEBUG, "handed-over", "peer", a->c->peer,
		    NULL);
		io_close(&w->io);
		*status = EXIT_ENDED;
	} else if (errno == ENOENT || errno == EACCES) {
		error_set(&why, EXIT_PROTOCOL, "refused with 410: %s",
		    NO_SESSION);
		websocket_refuse_with(w, 410, handoff_instance_field(),
		    NO_SESSION);
		*status = connection_failed(a->c, &why);
	} else {
		/* A bare end: the dialler tries again. */
		error_set(&why, EXIT_SYSTEM, "handing over: %s",
		    strerror(errno));
		io_close(&w->io);
		*status = connection_failed(a->c, &why);
	}
	return 1;
}

int
accepted_begin_tls(struct tls_reload *k, const struct options *o,
    struct service *service, struct error *why)
{
	memset(k, 0, sizeof(*k));
	handoff_prepare();
	if (o->tls.own_cert == NULL)
		return 0;
	service->refuse = NULL;
	service->serve_full = NULL;	/* it has no sessions */
	return tls_reload_begin(k, o, tls_reload_make, 0, why);
}
