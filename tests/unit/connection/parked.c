/* SPDX-License-Identifier: ISC */
/*
 * A stream that comes later: a visitor that the supervisor brings, or a target
 * that is dialled when the peer sends "open".
 *
 * If it fails: a visitor is served twice, lost, or taken for another one; one
 * without a target waits until its browser gives up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/failure_lines.h"
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
#include "descriptors.h"
#include "done.h"
#include "seen.h"
#include "tap.h"
#include "today.h"

/* What the parts around it answer, and what they were asked. */
static struct script {
	int takes, stream, waits, flows, send_error, header, bad_header;
	int counted, opened, dial, told_target, sandbox, left, outdated;
	const char *peer;

	char addr[NET_NAME_MAX];
	char why[sizeof(((struct error *)0)->text)];
	int64_t connect;
	unsigned int code;
	size_t dropped;
} said;

static int
scripted_take(int *fd, char *peer)
{
	*fd = said.stream;
	strlcpy(peer, said.peer, NET_NAME_MAX);
	return said.takes;
}

static int
scripted_send(enum worker_letter letter)
{
	did(letter == WORKER_TAKEN ? "taken" :
	    letter == WORKER_RETURNED ? "returned" : "other");
	errno = said.send_error;
	return said.send_error == 0 ? 0 : -1;
}

static int
scripted_header(struct peer *p, size_t *kept, struct error *why)
{
	*kept = (size_t)said.header;
	if (said.header > 0)
		strlcpy(p->address, "192.0.2.9:70", sizeof(p->address));
	if (said.bad_header)
		error_set(why, 1, "no PROXY header");
	return said.bad_header ? -1 : 0;
}

static int
scripted_count(const char *address, struct error *why)
{
	if (said.counted == -1)
		error_set(why, 1, "too many of %s", address);
	return said.counted;
}

static int
scripted_open(char *address, struct error *why)
{
	if (said.opened == -1)
		error_set(why, 1, "too many of it");
	else
		strlcpy(address, "192.0.2.3:9", NET_NAME_MAX);
	return said.opened;
}

static int
scripted_dial(struct connection *c, struct io *stream, struct error *why)
{
	said.connect = c->o->timeouts.connect;
	did("dial");
	if (said.dial == -1) {
		error_set(why, 1, "nobody listens");
		return -1;
	}
	*stream = io_of(said.stream);
	return 0;
}

static int
scripted_tell(int fd, struct error *why)
{
	if (fd != said.stream)
		abort();
	if (said.told_target == -1)
		error_set(why, 1, "the target has left");
	return said.told_target;
}

static void
scripted_stop(unsigned int code, const char *why)
{
	did("stop");
	said.code = code;
	strlcpy(said.why, why, sizeof(said.why));
}

static struct io
scripted_return(void)
{
	did("back");
	return io_of(said.stream);
}

#define worker_is_left(ch)		said.left
#define waiting_park()			did("park")
#define waiting_stop()			(void)0
#define waiting_is_outdated()		said.outdated
#define tunnel_decline(t, w)		((void)(t), did("decline"))
#define worker_take_stream(ch, fd, peer)	scripted_take(fd, peer)
#define worker_send(ch, letter)		scripted_send(letter)
#define peer_proxy_header(p, o, fd, end, kept, w) \
	scripted_header(p, kept, w)
#define peer_count(o, address, w)	scripted_count(address, w)
#define peer_opened(o, a, trusts, from, w)	scripted_open(a, w)
#define target_dial(c, head, stream, w)	scripted_dial(c, stream, w)
#define target_drop(c, stream)		(io_close(stream), did("drop"))
#define target_reason(w)		"unreachable"
#define peer_tell_target(o, fd, p, l, w)	scripted_tell(fd, w)
#define peer_drop(fd, n)		said.dropped = (n)
#define enter_sandbox(o, pid)		(did("sandbox"), said.sandbox)
#define tunnel_waits(t)			said.waits
#define tunnel_flows(t)			said.flows
#define tunnel_stop(t, code, end, w)	scripted_stop(code, w)
#define tunnel_open(t, a) \
	(did("open"), strlcpy(said.addr, a, sizeof(said.addr)))
#define tunnel_ok(t)			((void)(t), did("ok"))
#define tunnel_fail(t, w)		(did("fail"), \
	strlcpy(said.why, (w), sizeof(said.why)))
#define relay_catch_up(r)		((void)(r), did("look"))
#define relay_stream(r, stream)		((void)(stream), did("stream"))
#define relay_return(r)			scripted_return()
#define connection_show(c, state)	did(state)
#define record_open(c)			did("record")
#include "connection/parked.c"

static struct connection c;
static struct options o;
static int channel;

/* A visitor comes, or a target is dialled: both are /dev/null. */
static void
begin(enum tunnel_role role)
{
	memset(&c, 0, sizeof(c));
	memset(&said, 0, sizeof(said));
	was_done();
	memset(&o, 0, sizeof(o));
	said.stream = open("/dev/null", O_RDWR | O_CLOEXEC);
	channel = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (said.stream == -1 || channel == -1)
		abort();
	o.timeouts.connect = 10000;
	c.o = &o;
	c.role = role;
	c.channel = channel;
	c.handoff = 77;
	c.relay.control = channel;
	said.waits = said.flows = 1;
	said.takes = 1;
	said.peer = "192.0.2.1:4000";
	said.sandbox = GO_ON;
	failure_lines_allow(1);
	seen();
}

static int
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Closes what is still open. */
static void
end(void)
{
	close(said.stream);
	close(channel);
}

static void
test_visitor(void)
{
	begin(TUNNEL_ASKS);
	said.takes = 0;
	connection_channel(&c);
	is_str(was_done(), "", "nothing has come");
	said.takes = 1;
	connection_channel(&c);
	is_str(was_done(), "look stream open", "a visitor");
	is_str(c.peer, "192.0.2.1:4000", "who it is");
	is_str(said.addr, "192.0.2.1:4000", "is told the other side");
	is(c.started, today, "it comes now");
	ok(is_open(said.stream), "it is kept");
	end();

	begin(TUNNEL_ASKS);
	said.header = 28;
	connection_channel(&c);
	is_str(c.peer, "192.0.2.9:70", "as its PROXY header says");
	is(c.proxy_header, 28, "which stays where it is for now");
	is(said.dropped, 0, "as another process may need it");
	connection_opened(&c);
	is(said.dropped, 28, "until it is this one's");
	is(c.proxy_header, 0, "once");
	end();

	begin(TUNNEL_ASKS);
	c.client = 1;
	connection_channel(&c);
	is_str(said.addr, "-", "a client tells nobody who came");
	end();
	begin(TUNNEL_ASKS);
	c.client = 1;
	o.access.forward_peer = 1;
	connection_channel(&c);
	is_str(said.addr, "192.0.2.1:4000", "unless it shall");
	end();
	begin(TUNNEL_ASKS);
	said.peer = "/run/a.sock";
	connection_channel(&c);
	is_str(said.addr, "-", "a Unix socket has no address");
	end();
	begin(TUNNEL_ASKS);
	said.peer = "[fe80::1%lo]:5";
	connection_channel(&c);
	is_str(said.addr, "[fe80::1]:5", "a zone is this host's own");
	end();
	begin(TUNNEL_ASKS);
	said.peer = "192.0.2.1:0";
	connection_channel(&c);
	is_str(said.addr, "-", "no port: none");
	end();
}

static void
test_too_late(void)
{
	begin(TUNNEL_ASKS);
	said.waits = 0;
	connection_channel(&c);
	is_str(was_done(), "returned", "too late: another serves it");
	ok(!is_open(said.stream), "not this process");
	ok(c.peer[0] == '\0' && c.started == 0, "nothing is known of it");
	end();

	begin(TUNNEL_ASKS);
	said.takes = -1;
	connection_channel(&c);
	is(c.relay.control, -1, "no supervisor: it is not watched");
	ok(strcmp(was_done(), "stop") == 0 && said.code == CLOSE_NORMAL,
	    "one that waits ends");
	said.waits = 0;
	connection_channel(&c);
	is_str(was_done(), "", "a tunnel goes on");
	end();
}

static void
test_visitor_refused(void)
{
	begin(TUNNEL_ASKS);
	said.bad_header = 1;
	o.mode = MODE_GATE;
	connection_channel(&c);
	is_str(was_done(), "look taken stop", "refused: no other is asked");
	ok(!is_open(said.stream), "and closed");
	ok(was_seen("event=failed mode=gate peer=192.0.2.1:4000 "
	    "why=\"no PROXY header\""), "it is logged");
	end();
	begin(TUNNEL_ASKS);
	said.header = 28;
	said.counted = -1;
	connection_channel(&c);
	is_str(was_done(), "look taken stop", "so is one of too many");
	ok(was_seen("peer=192.0.2.1:4000 why=\"too many of 192.0.2.9:70\""),
	    "counted by what its header says");
	end();
}

/* Whose it is when "ok" has come, and the supervisor answers so. */
static void
opens(int error, enum tunnel_role role)
{
	begin(role);
	said.send_error = error;
	said.header = 28;
	c.proxy_header = 28;
	connection_opened(&c);
}

static void
test_opened(void)
{
	int count = count_open();

	opens(0, TUNNEL_ASKS);
	is_str(was_done(), "taken open record", "it is this process's");
	ok(c.channel == -1 && !is_open(channel), "no supervisor is needed");
	is(c.relay.control, 77, "redials are waited for instead");
	ok(is_open(said.stream), "the visitor stays");
	end();
	opens(EPIPE, TUNNEL_ASKS);
	is_str(was_done(), "taken open record", "the supervisor has ended");
	end();
	opens(ECONNRESET, TUNNEL_ASKS);
	is_str(was_done(), "taken open record", "or was killed");
	end();
	opens(EAGAIN, TUNNEL_ASKS);
	is_str(was_done(), "taken stop back", "it knows nothing: not taken");
	ok(said.code == CLOSE_GOING_AWAY && !is_open(said.stream) &&
	    said.dropped == 0, "and nothing is read of it");
	ok(c.channel == -1 && !is_open(channel), "the channel tells it");
	end();
	opens(EAGAIN, TUNNEL_SERVES);
	is_str(was_done(), "taken open record",
	    "a target that it dialled itself is served all the same");
	end();
	begin(TUNNEL_ASKS);
	said.flows = 0;
	connection_opened(&c);
	is_str(was_done(), "taken", "it has failed: not shown as open");
	is(said.dropped, 0, "no header");
	end();
	begin(TUNNEL_ASKS);
	close(channel);
	c.channel = -1;
	connection_opened(&c);
	is_str(was_done(), "taken open record", "without a supervisor");
	close(said.stream);
	is(count_open(), count, "nothing is left open");
}

static void
test_returned(void)
{
	int count = count_open();

	begin(TUNNEL_ASKS);
	c.relay.tunnel.why = "lost";
	connection_return_stream(&c);
	is_str(was_done(), "back returned", "to another websocket");
	ok(c.channel == -1 && count_open() == count, "all is closed");
	ok(was_seen("visitor-returned"), "and logged");
}

static int64_t
patience(int client, int64_t connect)
{
	begin(TUNNEL_SERVES);
	c.client = client;
	o.timeouts.connect = connect;
	connection_get_stream(&c);
	end();
	return c.o == &o && o.timeouts.connect == connect ? said.connect : -1;
}

static void
test_dial(void)
{
	int count = count_open();

	begin(TUNNEL_SERVES);
	connection_get_stream(&c);
	is_str(was_done(), "taken dial look stream ok", "a target");
	is_str(c.peer, "192.0.2.3:9", "who comes, as \"open\" says");
	is(c.started, today, "now");
	is(said.connect, 10000, "within --connect-timeout");
	end();
	is(patience(1, 3999), 3999, "an agent: likewise");
	is(patience(1, 4000), 4000, "within four seconds");
	is(patience(1, 4001), 4000, "but no more");
	is(patience(1, 0), 4000, "nor without an end");
	is(patience(0, 0), 0, "who is dialled has time");

	begin(TUNNEL_SERVES);
	said.opened = -1;
	connection_get_stream(&c);
	is_str(was_done(), "taken look fail", "refused: it is not dialled");
	is_str(said.why, "too many of it", "the other side is told why");
	ok(was_seen("event=no-target"), "it is logged");
	end();
	begin(TUNNEL_SERVES);
	said.dial = -1;
	connection_get_stream(&c);
	is_str(was_done(), "taken dial look fail", "nobody listens");
	is_str(said.why, "unreachable", "in words that tell no address");
	ok(was_seen("why=\"nobody listens\""), "which the log does");
	end();
	begin(TUNNEL_SERVES);
	said.told_target = -1;
	c.enter_late = 1;
	connection_get_stream(&c);
	is_str(was_done(), "taken dial drop look fail", "it took no PROXY header");
	ok(!is_open(said.stream), "it is closed");
	end();
	begin(TUNNEL_SERVES);
	c.enter_late = 1;
	connection_get_stream(&c);
	is_str(was_done(), "taken dial sandbox look stream ok", "the sandbox, late");
	end();
	begin(TUNNEL_SERVES);
	c.enter_late = 1;
	said.sandbox = EXIT_SYSTEM;
	connection_get_stream(&c);
	is_str(was_done(), "taken dial sandbox drop look fail", "there is none");
	ok(was_seen("why=\"cannot enter the sandbox\""), "it is logged");
	ok(!is_open(said.stream), "it is closed");
	end();
	is(count_open(), count, "nothing is left open");
}

/* "open" comes when the supervisor has new options. */
static void
test_too_late_to_dial(void)
{
	begin(TUNNEL_SERVES);
	c.client = said.left = 1;
	connection_get_stream(&c);
	is_str(was_done(), "decline", "an agent: another websocket serves it");
	ok(c.started == 0, "nothing is begun");
	end();
	begin(TUNNEL_SERVES);
	said.left = said.outdated = 1;
	connection_get_stream(&c);
	is_str(was_done(), "taken dial look stream ok",
	    "a server: it would be lost, and is served");
	end();
}

static void
test_renewed(void)
{
	begin(TUNNEL_SERVES);
	connection_parked(&c);
	is_str(was_done(), "park", "a server's: the table knows it");
	connection_renewed(&c);
	is_str(was_done(), "", "the options are the same");
	said.outdated = 1;
	connection_renewed(&c);
	ok(strcmp(was_done(), "stop") == 0 && said.code == CLOSE_NORMAL,
	    "they have changed: it ends");
	connection_parked(&c);
	is_str(was_done(), "park stop", "also if it just begins to wait");
	said.waits = 0;
	connection_renewed(&c);
	is_str(was_done(), "", "a tunnel goes on");
	end();
	begin(TUNNEL_ASKS);
	said.outdated = 1;
	connection_parked(&c);
	c.role = TUNNEL_SERVES;
	c.client = 1;
	connection_parked(&c);
	is_str(was_done(), "", "others are told by their channel");
	end();
}

int
main(void)
{
	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	test_visitor();
	test_too_late();
	test_visitor_refused();
	test_opened();
	test_returned();
	test_dial();
	test_too_late_to_dial();
	test_renewed();
	return done_testing();
}
