/* SPDX-License-Identifier: ISC */
/*
 * server: wire given, stream dialled.  Websocket in, TCP out.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/door.h"
#include "os/log.h"
#include "os/signals.h"
#include "run/auth.h"
#include "run/carry.h"
#include "run/confine.h"
#include "run/modes.h"
#include "run/note.h"
#include "run/start.h"
#include "run/stream.h"
#include "run/supervise.h"
#include "run/tls_keep.h"
#include "run/visitor.h"
#include "run/wire_tls.h"

/* What all connections share; made before the first fork. */
struct server {
	const struct options *o;
	struct tls_keep tls;
};

/* Room in the answer to a redial for what its owner has to look up first. */
#define HAND_OVER_MS	2000

/* A child of the supervisor, one beyond its limit, or without one. */
enum how { ONE_OF_MANY, FULL, ALONE };

#define BUSY	"too many connections, try again"

/* Far beyond the connection limit, from the supervisor: one send. */
static void
busy(int fd)
{
	static char answer[512];
	static int len;

	if (len == 0)
		len = upgrade_write_refusal(answer, sizeof(answer), 503, "",
		    BUSY);
	send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int
refuse(struct carry *c, struct wire *w, int status, const char *text)
{
	struct why why;

	why_set(&why, status == 503 ? EXIT_AGAIN : EXIT_PROTOCOL,
	    "refused with %d: %s", status, text);
	wire_refuse(w, status, text);
	return carry_failed(c, &why);
}

/* A redial belongs to the process that keeps the session. */
static int
hand_over(struct carry *c, struct wire *w,
    const struct upgrade_request *request)
{
	struct why why;

	if (door_hand_over(request->offer.session, w->io.rfd, c->user, w->raw,
	    w->raw_len, clock_ms() + HAND_OVER_MS) == 0) {
		note_handed_over();
		log_event(LOG_L_DEBUG, "handed over", "peer", c->peer, NULL);
		io_close(&w->io);
		return EXIT_ENDED;
	}
	if (errno == ENOENT || errno == EACCES)
		return refuse(c, w, 410, NO_SESSION);
	/* A bare end: the dialler tries again. */
	why_set(&why, EXIT_SYSTEM, "handing over: %s", strerror(errno));
	io_close(&w->io);
	return carry_failed(c, &why);
}

/*
 * A process on its own can be ended by a signal in the usual way until there
 * is a tunnel to end.
 */
static int
serve_io(struct server *sv, struct io io, const char *peer, enum how how)
{
	const struct options *o = sv->o;
	static struct carry c;
	static struct visitor v;
	struct upgrade_request request;
	struct io stream;
	struct wire w;
	struct why why;
	char here[NET_NAME_MAX];
	int64_t deadline = o->handshake_timeout == 0 ? CLOCK_NEVER :
	    clock_ms() + o->handshake_timeout;
	int status;

	carry_begin(&c, o, peer);
	stream_name(&c);
	visitor_begin(&v, peer);
	if (visitor_line(&v, o, io.rfd, deadline, &why) == -1) {
		io_reset(&io);
		return carry_failed(&c, &why);
	}
	strlcpy(c.peer, v.peer, sizeof(c.peer));
	if (sv->tls.ctx != NULL && wire_accept_tls(&io, sv->tls.ctx,
	    v.subject, deadline, &why) == -1)
		return carry_failed(&c, &why);
	strlcpy(c.subject, v.subject, sizeof(c.subject));
	if (wire_request_io(&w, o, io, &request, deadline, &why) == -1)
		return carry_failed(&c, &why);
	status = visitor_check(&v, o, &w, &request, deadline, &why);
	strlcpy(c.peer, v.peer, sizeof(c.peer));
	strlcpy(c.user, v.user, sizeof(c.user));
	strlcpy(c.via, w.via, sizeof(c.via));
	if (status == -1)
		return carry_failed(&c, &why);
	if (request.has_offer && (request.offer.flags & EXT_SERVE))
		return refuse(&c, &w, 400,
		    "an agent belongs to a gate, this is a server");
	if (request.has_offer && request.offer.session[0] != '\0')
		return hand_over(&c, &w, &request);
	if (how == FULL) {
		note_refused();
		return refuse(&c, &w, 503, BUSY);
	}
	net_local_name(w.io.rfd, here, sizeof(here));
	if (stream_dial(&c, w.raw, w.raw_len, &stream, &why) == -1) {
		wire_refuse(&w, why.status == EXIT_AGAIN ? 504 : 502,
		    why.text);
		return carry_failed(&c, &why);
	}
	if (visitor_tell(o, stream.wfd, c.peer, here, &why) == -1) {
		stream_drop(&c, &stream);
		wire_refuse(&w, 502, why.text);
		return carry_failed(&c, &why);
	}
	if (request.has_offer)
		carry_answer(&c, &request.offer, &w);
	if (wire_answer(&w, &request, request.has_offer ? &c.ours : NULL,
	    deadline, &why) == -1) {
		stream_drop(&c, &stream);
		return carry_failed(&c, &why);
	}
	if (how == ALONE)
		signals_alone();
	if ((status = confine(o)) != EXIT_ENDED) {
		stream_drop(&c, &stream);
		return status;
	}
	return carry_on(&c, stream, &w);
}

static int
serve(void *arg, int fd, const char *peer)
{
	return serve_io(arg, io_of(fd), peer, ONE_OF_MANY);
}

static int
serve_full(void *arg, int fd, const char *peer)
{
	return serve_io(arg, io_of(fd), peer, FULL);
}

/* Does the target take connections?  A program is started when one comes. */
static int
ready(void *arg, struct why *why)
{
	const struct server *sv = arg;
	const struct options *o = sv->o;
	char peer[NET_NAME_MAX];
	int fd;

	if (o->program != NULL)
		return 0;
	fd = net_dial(&o->target, o->family, clock_ms() + SUPERVISE_READY_MS,
	    peer, why);
	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

static void
reload(void *arg)
{
	struct server *sv = arg;

	tls_keep_refresh(&sv->tls, 1);
}

static void
before(void *arg)
{
	struct server *sv = arg;

	tls_keep_refresh(&sv->tls, 0);
}

/* At the limit nobody can be told but by a TLS of his own. */
static int
begin_tls(struct server *sv, struct service *service, struct why *why)
{
	const struct options *o = sv->o;

	if (o->tls_cert == NULL && (o->tls_key != NULL ||
	    o->tls_client_ca != NULL || o->tls_peer_certs != NULL))
		return why_set(why, EXIT_BADUSAGE, "--tls-cert is missing: "
		    "the other options of TLS need it");
	if (o->tls_cert == NULL)
		return 0;
	service->refuse = NULL;
	return tls_keep_begin(&sv->tls, o, 0, why);
}

int
server_main(const struct options *o)
{
	struct server sv = { .o = o };
	struct service service = { .arg = &sv, .serve = serve,
	    .serve_full = serve_full, .refuse = busy, .ready = ready,
	    .reload = reload, .before = before };
	struct activation a;
	struct why why;
	int status;

	if (auth_check_file(o, &why) == -1)
		return start_failed(&why);
	status = start(&a, o, o->listen, o->nlisten, LOG_L_INFO);
	if (status != EXIT_ENDED)
		return status;
	if (begin_tls(&sv, &service, &why) == -1)
		return start_failed(&why);
	status = confine_prepare(o, o->program != NULL ? SANDBOX_PROGRAM :
	    SANDBOX_RELAY);
	if (status != EXIT_ENDED)
		return status;
	if (a.nlisteners > 0)
		return supervise(o, a.listener, a.nlisteners, &service);
	return serve_io(&sv, (struct io){ .rfd = a.rfd, .wfd = a.wfd }, a.peer,
	    ALONE);
}
