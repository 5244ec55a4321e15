/* SPDX-License-Identifier: ISC */
/*
 * A stream that comes later: brought by the supervisor, or dialled when the
 * peer sends "open".
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "connection/internal.h"
#include "connection/record.h"
#include "connection/target.h"
#include "connection/waiting.h"
#include "connection/worker_channel.h"
#include "handshake/peer.h"
#include "os/clock.h"
#include "os/log.h"
#include "proto/ip.h"
#include "sandbox/enter.h"

#define NOT_NEEDED	"not needed any more"

#define GET_MAX		4000	/* ms for a target that a gate waits for, so
				 * that it is told in time if there is none */

_Static_assert(WORKER_TAKE_MS > TUNNEL_ANSWER_WAIT + 2000,
    "the peer's answer is waited for");

/*
 * Who it is: it may begin with a PROXY header, which stays where it is until
 * no other process can get this connection.  0: it has been refused.
 */
static int
check_peer(struct connection *c, int fd, char peer[NET_NAME_MAX])
{
	struct peer p;
	struct io io = io_of(fd);
	struct error why;
	int welcome;

	peer_begin(&p, peer);
	welcome = peer_proxy_header(&p, c->o, fd,
	    clock_after(c->o->timeouts.connect), &c->proxy_header,
	    &why) == 0 && peer_count(c->o, p.address, &why) == 0;
	relay_catch_up(&c->relay);
	if (welcome) {
		strlcpy(peer, p.address, NET_NAME_MAX);
		return 1;
	}
	strlcpy(c->peer, peer, sizeof(c->peer));
	c->refused = why.status;
	connection_log_failed(c, "failed", &why);
	io_reset(&io);
	worker_send(c->channel, WORKER_TAKEN);
	tunnel_stop(&c->relay.tunnel, CLOSE_NORMAL, TUNNEL_STOPPED,
	    "the visitor was refused");
	return 0;
}

/*
 * The supervisor has sent a visitor, or closed the channel: then it has no use
 * for a websocket that waits, and a visitor is this process's alone.
 */
void
connection_channel(struct connection *c)
{
	char peer[NET_NAME_MAX];
	struct ip ip;
	uint16_t port;
	int fd;

	switch (worker_take_stream(c->channel, &fd, peer)) {
	case -1:
		c->relay.control = -1;
		if (tunnel_waits(&c->relay.tunnel))
			tunnel_stop(&c->relay.tunnel, CLOSE_NORMAL,
			    TUNNEL_STOPPED, NOT_NEEDED);
		return;
	case 0:
		return;
	}
	/* What is done now may have come too late. */
	if (!tunnel_waits(&c->relay.tunnel)) {
		worker_send(c->channel, WORKER_RETURNED);
		close(fd);
		return;
	}
	c->started = clock_ms();
	if (!check_peer(c, fd, peer))
		return;
	strlcpy(c->peer, peer, sizeof(c->peer));
	relay_stream(&c->relay, io_of(fd));
	if ((c->client && !c->o->access.forward_peer) ||
	    ip_parse_port(&ip, &port, slice_of(peer)) == -1 || port == 0)
		strlcpy(peer, "-", sizeof(peer));
	else
		ip_print(peer, &ip, port);	/* without a zone */
	tunnel_open(&c->relay.tunnel, peer);
}

/*
 * A server's websocket, of which its supervisor does not know that it is parked:
 * that is in the table, before a look at whether the options are new already.
 */
void
connection_parked(struct connection *c)
{
	if (c->client || c->role != TUNNEL_SERVES)
		return;
	waiting_park();
	connection_renewed(c);
}

void
connection_renewed(struct connection *c)
{
	if (tunnel_waits(&c->relay.tunnel) && waiting_is_outdated())
		tunnel_stop(&c->relay.tunnel, CLOSE_NORMAL, TUNNEL_STOPPED,
		    "the options have changed");
}

/*
 * The peer has a stream: ours is dialled now.  An agent's supervisor that has
 * closed the channel has new options, or ends: another websocket serves it.
 */
void
connection_get_stream(struct connection *c)
{
	struct tunnel *t = &c->relay.tunnel;
	struct options o = *c->o;
	const struct options *all = c->o;
	struct io stream = IO_CLOSED;
	struct error why;
	int r, limited;

	if (c->client && worker_is_left(c->channel)) {
		tunnel_decline(t, NOT_NEEDED);
		return;
	}
	c->started = clock_ms();
	waiting_stop();
	worker_send(c->channel, WORKER_TAKEN);
	if (c->client && (o.timeouts.connect == 0 ||
	    o.timeouts.connect > GET_MAX))
		o.timeouts.connect = GET_MAX;
	c->o = &o;
	r = peer_opened(all, c->peer, c->trusts_open, t->addr, &why);
	limited = r == -1;
	if (r == 0)
		r = target_dial(c, c->request, &stream, &why);
	c->o = all;
	if (r == 0 && peer_tell_target(all, stream.wfd, c->peer, c->local,
	    &why) == -1) {
		target_drop(c, &stream);
		r = -1;
	}
	if (r == 0 && c->enter_late && enter_sandbox(all,
	    c->program.pid) != GO_ON) {
		target_drop(c, &stream);
		r = error_set(&why, EXIT_SYSTEM, "cannot enter the sandbox");
	}
	relay_catch_up(&c->relay);
	if (r == -1) {
		connection_log_failed(c, "no-target", &why);
		tunnel_fail(t, limited ? why.text : target_reason(&why));
		return;
	}
	relay_stream(&c->relay, stream);
	tunnel_ok(t);
}

/*
 * Is a visitor this process's?  The supervisor knows that it is taken, or has
 * closed its end of the channel, and offers it to no other child.
 */
static int
take(struct connection *c)
{
	return worker_send(c->channel, WORKER_TAKEN) == 0 ||
	    c->role != TUNNEL_ASKS || errno == EPIPE || errno == ECONNRESET;
}

/*
 * The supervisor does not know that the connection is taken, and offers it to
 * another child when our channel ends: here it must not be touched.
 */
static void
not_taken(struct connection *c)
{
	struct io stream;

	tunnel_stop(&c->relay.tunnel, CLOSE_GOING_AWAY, TUNNEL_STOPPED,
	    "the supervisor cannot be reached");
	stream = relay_return(&c->relay);
	io_close(&stream);
}

/* From here on it is a tunnel like any other, or it has failed. */
void
connection_opened(struct connection *c)
{
	int taken = take(c);

	if (!taken)
		not_taken(c);
	if (c->channel != -1)
		close(c->channel);
	c->channel = -1;
	c->relay.control = c->handoff;
	if (c->proxy_header > 0 && taken)
		peer_drop(c->relay.stream.rfd, c->proxy_header);
	c->proxy_header = 0;
	if (!taken || !tunnel_flows(&c->relay.tunnel))
		return;
	connection_show(c, "open");
	record_open(c);
}

/* The connection has not been touched: another websocket may serve it. */
void
connection_return_stream(struct connection *c)
{
	struct io stream = relay_return(&c->relay);

	worker_send(c->channel, WORKER_RETURNED);
	if (c->channel != -1)
		close(c->channel);
	c->channel = -1;
	io_close(&stream);
	log_event(LOG_L_DEBUG, "visitor-returned", "peer", connection_field(c->peer),
	    "why", c->relay.tunnel.why, NULL);
}
