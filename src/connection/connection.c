/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "connection/failure_lines.h"
#include "connection/handoff.h"
#include "connection/internal.h"
#include "connection/notice.h"
#include "connection/record.h"
#include "connection/target.h"
#include "connection/worker_channel.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "os/random.h"
#include "os/title.h"
#include "stats/page.h"

#define BUFFER	1048576		/* each way, without a session */

static void
random_hex(char *dst, size_t bytes)
{
	uint8_t raw[EXTENSION_SESSION_LEN / 2];

	random_bytes(raw, bytes);
	str_hex(dst, raw, bytes);
}

void
connection_begin(struct connection *c, const struct options *o,
    const char *peer)
{
	memset(c, 0, sizeof(*c));
	c->o = o;
	c->started = clock_ms();
	strlcpy(c->peer, peer, sizeof(c->peer));
	c->handoff = c->channel = c->null = -1;
	c->changes = NET_CHANGES_NONE;
	record_peers(c);
}

const char *
connection_field(const char *s)
{
	return s[0] == '\0' ? NULL : s;
}

static void
log_failed(const struct connection *c, enum log_level level,
    const char *event, const struct error *why)
{
	struct log_line l;

	log_begin(&l, level, event);
	log_str(&l, "mode", mode_name(c->o->mode));
	log_str(&l, "peer", connection_field(c->peer));
	if (strcmp(c->via, c->peer) != 0)
		log_str(&l, "via", connection_field(c->via));
	log_str(&l, "user", connection_field(c->user));
	log_str(&l, "subject", connection_field(c->subject));
	log_str(&l, "target", connection_field(c->target));
	log_why(&l, "why", why->text);
	log_end(&l);
}

static uint64_t
hash_text(const char *text)
{
	return hash_add(HASH_BEGIN, text, strlen(text));
}

void
connection_log_failed(const struct connection *c, const char *event,
    const struct error *why)
{
	if (failure_lines_ask_for(c->peer, why))
		log_failed(c, why->status == EXIT_LOST ? LOG_L_INFO :
		    LOG_L_WARN, event, why);
}

int
connection_failed(struct connection *c, const struct error *why)
{
	record_failed(why->status);
	if (notice_is_read(c))
		fprintf(stderr, "inetws: %s\n", why->text);
	else
		connection_log_failed(c, "failed", why);
	return why->status;
}

int
connection_probed(struct connection *c, const struct error *why)
{
	record_probe();
	log_failed(c, LOG_L_DEBUG, "probe", why);
	return why->status;
}

int
connection_no_session(struct connection *c, const char *session)
{
	struct error why;

	error_set(&why, EXIT_PROTOCOL, "refused with 410: %s", NO_SESSION);
	if (stats_log_once(hash_text(session)))
		return connection_failed(c, &why);
	record_failed(why.status);
	log_failed(c, LOG_L_DEBUG, "failed", &why);
	return why.status;
}

static void
fresh(struct connection *c)
{
	memset(&c->ours, 0, sizeof(c->ours));
	random_hex(c->ours.id, EXTENSION_ID_MAX / 2);
	c->ours.win = c->o->websocket.window < EXTENSION_WIN_FIRST ?
	    c->o->websocket.window : EXTENSION_WIN_FIRST;
}

static void
offer(struct connection *c, unsigned int flags)
{
	c->client = 1;
	fresh(c);
	c->ours.flags = flags;
	if (c->o->timeouts.resume > 0)
		c->ours.flags |= EXT_RESUME;
}

/*
 * Tickets of others are not this process's any more, and without a session it
 * will not have to show its own certificate again, nor ask for headers.
 */
static void
forget_secrets(struct connection *c, const struct websocket *w)
{
	tls_tickets_close(c->trust->server);
	tls_tickets_close(c->trust->proxy);
	if (w->has_extension && w->theirs.session[0] != '\0')
		return;
	websocket_dials_done();
	if (c->trust->server != NULL)
		tls_forget_keys(c->trust->server, w->io.tls);
}

int
connection_dial(struct connection *c, struct dialer *d, enum tunnel_role role,
    unsigned int flags, struct websocket *w, struct error *why)
{
	int status;

	c->trust = dialer_trust(d);
	c->role = role;
	offer(c, flags);
	if (websocket_dial(w, d->o, c->trust, &c->ours, &status, why) == -1) {
		if (w->retry_after > 0)
			worker_retry_after(c->channel, w->retry_after);
		return -1;
	}
	forget_secrets(c, w);
	return 0;
}

void
connection_answer(struct connection *c, const struct extension *offer)
{
	fresh(c);
	if (c->role == TUNNEL_SERVES)
		c->ours.flags |= EXT_PARK;
	if (!(offer->flags & EXT_RESUME) || c->o->timeouts.resume == 0)
		return;
	random_hex(c->ours.session, EXTENSION_SESSION_LEN / 2);
	c->handoff = handoff_listen(c->ours.session);
	if (c->handoff == -1) {
		log_event(LOG_L_WARN, "no-session", "peer",
		    connection_field(c->peer), "why", strerror(errno), NULL);
		c->ours.session[0] = '\0';
		return;
	}
	c->null = fd_null(O_WRONLY);
	strlcpy(c->ours.instance, handoff_instance(),
	    sizeof(c->ours.instance));
	c->ours.flags |= EXT_RESUME;
}

static void
trace(const struct tunnel *t, const char *what, const char *from,
    const char *to)
{
	const struct connection *c = (const void *)((const char *)t -
	    offsetof(struct connection, relay.tunnel));

	log_event(LOG_L_DEBUG, "state", "peer", connection_field(c->peer),
	    "id", connection_field(c->ours.id), "what", what, "from", from,
	    "to", to, NULL);
}

static void
configure(const struct connection *c, const struct io *stream,
    const struct websocket *w, struct tunnel_config *cfg)
{
	const struct options *o = c->o;

	memset(cfg, 0, sizeof(*cfg));
	cfg->client = c->client;
	cfg->extension = w->has_extension;
	cfg->session = w->has_extension && c->ours.session[0] != '\0';
	cfg->role = c->role;
	cfg->win = c->ours.win;
	cfg->win_max = o->websocket.window;
	cfg->peer_win = c->theirs.win;
	cfg->hold = o->websocket.eof == EOF_HOLD;
	cfg->frame_max = o->websocket.max_frame;
	cfg->text = o->websocket.text && !w->has_extension;
	cfg->tls = w->io.tls != NULL;
	cfg->discard = stream->rfd == stream->wfd;
	cfg->one_way = c->client && stream->rfd != stream->wfd;
	cfg->ping_interval = o->timeouts.ping_interval;
	cfg->ping_adapts = o->timeouts.ping_adapts;
	cfg->ping_timeout = o->timeouts.ping;
	cfg->idle_timeout = o->timeouts.idle;
	cfg->linger = o->timeouts.linger;
	cfg->out_size = cfg->in_size = BUFFER;
	if (cfg->session) {
		cfg->in_size = o->websocket.window + TUNNEL_SLACK;
		cfg->out_size = o->websocket.window < TUNNEL_KEEP_MIN ?
		    TUNNEL_KEEP_MIN : o->websocket.window;
	}
	if (o->log.verbose >= 2)
		cfg->trace = trace;
	relay_memory(cfg);
}

void
connection_show(const struct connection *c, const char *state)
{
	title_tunnel(mode_name(c->o->mode), c->peer[0] != '\0' ? c->peer : "-",
	    c->target, state);
}

static void
log_closed(const struct connection *c, int status)
{
	const struct tunnel *t = &c->relay.tunnel;
	uint64_t in = t->in_delivered, out = t->out_head;
	struct log_line l;
	char program[32], reason[256];

	/* A websocket that was never used is not worth a line. */
	if (c->role != TUNNEL_JOINED && !tunnel_opened(t)) {
		log_event(LOG_L_DEBUG, "unused", "mode",
		    mode_name(c->o->mode), "via", connection_field(c->via),
		    "end", tunnel_end_name(t->end), "why", t->why, NULL);
		return;
	}
	if (status != 0 && t->end != TUNNEL_STOPPED && notice_is_read(c)) {
		str_escape(reason, sizeof(reason), t->peer_reason,
		    t->peer_reason_len);
		notice("the tunnel to %s ended: %s%s%s%s%s", c->target,
		    tunnel_end_name(t->end),
		    t->why != NULL ? ", " : "", t->why != NULL ? t->why : "",
		    reason[0] != '\0' ? ": " : "", reason);
		return;
	}
	/* connect reports what is wrong, the others what happened. */
	log_begin(&l, c->o->mode == MODE_CONNECT && status != 0 &&
	    t->end != TUNNEL_STOPPED ? LOG_L_WARN : LOG_L_INFO, "closed");
	log_str(&l, "mode", mode_name(c->o->mode));
	if (c->peer[0] != '\0')
		log_str(&l, "peer", c->peer);
	if (c->via[0] != '\0' && strcmp(c->via, c->peer) != 0)
		log_str(&l, "via", c->via);
	if (c->user[0] != '\0')
		log_str(&l, "user", c->user);
	if (c->subject[0] != '\0')
		log_str(&l, "subject", c->subject);
	log_str(&l, "target", c->target);
	log_num(&l, "up", (int64_t)(c->client ? out : in));
	log_num(&l, "down", (int64_t)(c->client ? in : out));
	log_seconds(&l, "seconds", clock_ms() - c->started);
	log_str(&l, "end", tunnel_end_name(t->end));
	if (t->peer_code != 0)
		log_num(&l, "code", t->peer_code);
	if (t->peer_reason_len != 0)
		log_bytes(&l, "reason", t->peer_reason, t->peer_reason_len);
	if (t->why != NULL && status != 0)
		log_why(&l, "why", t->why);
	else if (t->end == TUNNEL_STREAM_RESET && c->relay.error != 0)
		log_str(&l, "why", strerror(c->relay.error));
	if (c->program.pid != 0)
		log_str(&l, "program", program_print(&c->program, program,
		    sizeof(program)));
	if (t->rtt >= 0)
		log_num(&l, "rtt-ms", t->rtt);
	if (c->resumes > 0)
		log_num(&l, "resumes", c->resumes);
	if (t->cfg.extension) {
		log_str(&l, "id", c->ours.id);
		log_str(&l, "peer-id", c->theirs.id);
	}
	log_end(&l);
}

static void
begin_relay(struct connection *c, struct io stream, const struct websocket *w)
{
	struct tunnel_config cfg;

	c->theirs = w->theirs;
	if (c->client && w->has_extension)
		strlcpy(c->ours.session, w->theirs.session,
		    sizeof(c->ours.session));
	strlcpy(c->via, w->via, sizeof(c->via));
	c->elsewhere = w->elsewhere;
	configure(c, &stream, w, &cfg);
	relay_begin(&c->relay, &cfg, stream, w->io, w->early, w->early_len);
	c->relay.program = &c->program;
	c->relay.null = c->null;
	connection_path_up(c);
	c->give_up = c->notice_at = c->end_by = CLOCK_NEVER;
	if (c->role == TUNNEL_JOINED) {
		c->relay.control = c->handoff;
		connection_show(c, "open");
		record_open(c);
	} else {
		/* A server's process has no channel. */
		c->relay.control = c->channel != -1 ? c->channel : c->handoff;
		connection_show(c, "parked");
		record_peers(c);
		connection_parked(c);
	}
}

static int
over(struct connection *c)
{
	int status = tunnel_status(c->relay.tunnel.end);

	/* Told of a stream, it ended before that was dialled. */
	if (tunnel_opened(&c->relay.tunnel))
		worker_send(c->channel, WORKER_TAKEN);
	connection_search_end(c);
	target_end(c, status != EXIT_ENDED);
	if (c->refused != 0)
		record_failed(c->refused);
	else
		record_end(c);
	log_closed(c, status);
	/* That line tells of it: redials that come later need none. */
	if (status != 0 && !c->client && c->ours.session[0] != '\0')
		stats_log_once(hash_text(c->ours.session));
	if (c->handoff != -1)
		handoff_close(c->handoff, c->ours.session);
	return status;
}

/*
 * When there is something to do while the websocket is lost or in doubt, or a
 * place is needed that has been given away.
 */
static int64_t
deadline(const struct connection *c)
{
	int64_t next = connection_redial_time(c);
	int64_t when = next < c->give_up ? next : c->give_up;

	if (c->end_by < when)
		when = c->end_by;
	return c->notice_at < when ? c->notice_at : when;
}

int
connection_run(struct connection *c, struct io stream,
    const struct websocket *w)
{
	begin_relay(c, stream, w);
	for (;;) {
		c->relay.nwatched = connection_redial_poll(c,
		    c->relay.watched);
		switch (relay(&c->relay, deadline(c))) {
		case RELAY_DONE:
			return over(c);
		case RELAY_LOST:
			connection_lost(c);
			break;
		case RELAY_DOUBTED:
			connection_doubted(c);
			break;
		case RELAY_TRUSTED:
			connection_trusted(c);
			break;
		case RELAY_CONTROL:
			if (c->channel != -1)
				connection_channel(c);
			else
				connection_handoff(c);
			break;
		case RELAY_GET_STREAM:
			connection_get_stream(c);
			break;
		case RELAY_OPENED:
			connection_opened(c);
			break;
		case RELAY_RETURN_STREAM:
			connection_return_stream(c);
			break;
		case RELAY_HINT:
			connection_hint(c);
			break;
		case RELAY_WATCHED:
			/* A change of the network, or a socket of a redial. */
			connection_look_at_network(c);
			/* FALLTHROUGH */
		case RELAY_TIME:
			if (clock_ms() >= c->end_by) {
				io_reset(&c->relay.stream);
				return over(c);
			}
			connection_time(c);
			break;
		}
	}
}
