/* SPDX-License-Identifier: ISC */
/*
 * The relay asleep: what it waits for, and what woke it.
 */
#include <poll.h>
#include <string.h>

#include "connection/record.h"
#include "connection/relay_internal.h"
#include "os/clock.h"
#include "os/signals.h"

/* Slots of the poll set; a descriptor of -1 is passed over. */
enum {
	AT_STREAM_R, AT_STREAM_W, AT_WEBSOCKET_R, AT_WEBSOCKET_W, AT_CONTROL, AT_END
};

/*
 * The stream is watched even when nothing is wanted of it, so that its reset is
 * noticed; a websocket that is not to be read is not, for what it brought is
 * still to be read.
 */
static void
watch(const struct relay *r, struct pollfd *p)
{
	unsigned int w = tunnel_wants(&r->tunnel);
	int i;

	memset(p, 0, AT_END * sizeof(*p));
	p[AT_STREAM_R].fd = r->stream.rfd;
	p[AT_STREAM_W].fd = r->tunnel.sink != SINK_OPEN ? -1 : r->stream.wfd;
	io_events(&r->stream, (w & TUNNEL_READ_STREAM) != 0,
	    (w & TUNNEL_WRITE_STREAM) != 0, &p[AT_STREAM_R].events,
	    &p[AT_STREAM_W].events);
	p[AT_WEBSOCKET_R].fd = r->websocket.rfd;
	p[AT_WEBSOCKET_W].fd = r->websocket.wfd;
	io_events(&r->websocket, (w & TUNNEL_READ_WIRE) != 0,
	    (w & (TUNNEL_WRITE_WIRE | TUNNEL_FINISH_WIRE)) != 0 &&
	    r->refused_at == 0,
	    &p[AT_WEBSOCKET_R].events, &p[AT_WEBSOCKET_W].events);
	for (i = AT_STREAM_R; i < AT_CONTROL; i += 2)
		if (p[i].fd == p[i + 1].fd) {
			p[i].events = (short)(p[i].events |
			    p[i + 1].events);
			p[i + 1].fd = -1;
		}
	for (i = AT_WEBSOCKET_R; i <= AT_WEBSOCKET_W; i++)
		if (p[i].events == 0)
			p[i].fd = -1;
	p[AT_CONTROL].fd = r->control;
	p[AT_CONTROL].events = POLLIN;
}

/*
 * The stream reports what was not waited for: has it broken?  A socket
 * has; of two pipes the one to write to may have lost its reader.
 */
static void
unexpected(struct relay *r, const struct pollfd *p)
{
	unsigned int w = tunnel_wants(&r->tunnel);

	if (p[AT_STREAM_W].revents & (POLLERR | POLLHUP | POLLNVAL))
		tunnel_stream_write_closed(&r->tunnel);
	if ((p[AT_STREAM_R].revents & (POLLERR | POLLNVAL)) &&
	    !(w & TUNNEL_READ_STREAM))
		relay_stream_error(r);
}

static unsigned int
readiness(const struct io *io, const struct pollfd *p, unsigned int rbit,
    unsigned int wbit)
{
	unsigned int ready = 0;
	int ev = p[0].revents | p[1].revents;

	if (io->tls != NULL && ev != 0)
		return rbit | wbit;
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		ready |= rbit;
	if (ev & (POLLOUT | POLLERR))
		ready |= wbit;
	return ready;
}

static int
is_watched_ready(const struct pollfd *p, unsigned int n)
{
	while (n-- > 0)
		if (p[n].revents != 0)
			return 1;
	return 0;
}

/* Where both directions have ended it comes, and tells nothing new. */
static int
is_hung_up(const struct relay *r)
{
	const struct tunnel *t = &r->tunnel;

	return r->hung_up || (t->in == FLOW_ENDED &&
	    (t->out == FLOW_DRAINING || t->out == FLOW_ENDED));
}

enum relay_event
relay_wait(struct relay *r, int64_t until, int busy)
{
	struct pollfd p[AT_END + RELAY_WATCH_MAX];
	int n;

	record_progress(&r->tunnel);
	if (clock_ms() >= relay_memory_idle(r))
		relay_memory_free(r);
	if (relay_memory_idle(r) < until)
		until = relay_memory_idle(r);
	watch(r, p);
	if (is_hung_up(r) && p[AT_STREAM_R].events == 0)
		p[AT_STREAM_R].fd = -1;
	memcpy(p + AT_END, r->watched, r->nwatched * sizeof(*p));
	n = signals_poll(p, AT_END + r->nwatched, busy ? 0 : clock_poll(until));
	tunnel_now(&r->tunnel, clock_ms());
	if (n <= 0)
		return RELAY_TIME;
	if ((p[AT_STREAM_R].revents & POLLHUP) && p[AT_STREAM_R].events == 0)
		r->hung_up = 1;
	r->ready |= readiness(&r->stream, p + AT_STREAM_R, STREAM_R, STREAM_W);
	r->ready |= readiness(&r->websocket, p + AT_WEBSOCKET_R, WEBSOCKET_R,
	    WEBSOCKET_W);
	unexpected(r, p);
	if (p[AT_CONTROL].revents != 0)
		return RELAY_CONTROL;
	return is_watched_ready(p + AT_END, r->nwatched) ? RELAY_WATCHED :
	    RELAY_TIME;
}
