/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/door.h"
#include "os/log.h"
#include "os/random.h"
#include "os/signals.h"
#include "os/stats.h"
#include "os/title.h"
#include "run/carry.h"
#include "run/note.h"
#include "run/stream.h"

#define GONE_MAX	5	/* answers 410 before a session is given up */
#define BACKOFF_FIRST	200	/* ms */
#define BACKOFF_MAX	5000

static void
hex(char *dst, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t raw[EXTENSION_SESSION_LEN / 2];
	size_t i;

	random_bytes(raw, bytes);
	for (i = 0; i < bytes; i++) {
		dst[2 * i] = digits[raw[i] >> 4];
		dst[2 * i + 1] = digits[raw[i] & 15];
	}
	dst[2 * bytes] = '\0';
}

void
carry_begin(struct carry *c, const struct options *o, const char *peer)
{
	memset(c, 0, sizeof(*c));
	c->o = o;
	c->started = clock_ms();
	strlcpy(c->peer, peer, sizeof(c->peer));
	c->relay.door = -1;
	note_who(c);
}

static const char *
or_null(const char *s)
{
	return s[0] == '\0' ? NULL : s;
}

/*
 * Strangers can cause as many of these lines as they like, and get some a
 * second, with the number of those that were left out.
 */
int
carry_failed(struct carry *c, const struct why *why)
{
	struct log_line l;
	uint64_t left_out;

	note_failed(why->status);
	if (!stats_may_log(&left_out))
		return why->status;
	log_begin(&l, why->status == EXIT_LOST ? LOG_L_INFO : LOG_L_WARN,
	    "failed");
	log_str(&l, "mode", mode_name(c->o->mode));
	log_str(&l, "peer", or_null(c->peer));
	if (strcmp(c->via, c->peer) != 0)
		log_str(&l, "via", or_null(c->via));
	log_str(&l, "user", or_null(c->user));
	log_str(&l, "subject", or_null(c->subject));
	log_str(&l, "target", or_null(c->target));
	log_why(&l, "why", why->text);
	if (left_out > 0)
		log_num(&l, "left_out", (int64_t)left_out);
	log_end(&l);
	return why->status;
}

static void
fresh(struct carry *c)
{
	memset(&c->ours, 0, sizeof(c->ours));
	hex(c->ours.id, EXTENSION_ID_MAX / 2);
	c->ours.win = c->o->window;
}

void
carry_offer(struct carry *c)
{
	c->client = 1;
	fresh(c);
	if (c->o->resume > 0)
		c->ours.flags |= EXT_RESUME;
}

/* TLS state cannot be handed over, so such a wire gets no session. */
void
carry_answer(struct carry *c, const struct extension *offer,
    const struct wire *w)
{
	fresh(c);
	if (!(offer->flags & EXT_RESUME) || c->o->resume == 0 ||
	    w->io.tls != NULL)
		return;
	hex(c->ours.session, EXTENSION_SESSION_LEN / 2);
	c->relay.door = door_open(c->ours.session);
	if (c->relay.door == -1) {
		log_event(LOG_L_WARN, "no-session", "peer", or_null(c->peer),
		    "why", strerror(errno), NULL);
		c->ours.session[0] = '\0';
		return;
	}
	c->ours.flags |= EXT_RESUME;
}

static void
configure(const struct carry *c, const struct io *stream,
    const struct wire *w, struct tunnel_config *cfg)
{
	const struct options *o = c->o;

	memset(cfg, 0, sizeof(*cfg));
	cfg->client = c->client;
	cfg->extension = w->has_extension;
	cfg->session = w->has_extension && c->ours.session[0] != '\0';
	cfg->win = o->window;
	cfg->peer_win = c->theirs.win;
	cfg->hold = o->eof == EOF_HOLD;
	cfg->discard = stream->rfd == stream->wfd;
	cfg->ping_interval = o->ping_interval;
	cfg->ping_timeout = o->ping_timeout;
	cfg->idle_timeout = o->idle_timeout;
	cfg->linger = o->linger;
	cfg->out_size = cfg->session ? o->window : EXTENSION_WIN_DEFAULT;
	cfg->in_size = cfg->session ? o->window + TUNNEL_SLACK :
	    EXTENSION_WIN_DEFAULT;
	relay_memory(cfg);
}

static void
show(const struct carry *c, const char *state)
{
	title_tunnel(mode_name(c->o->mode), c->peer[0] != '\0' ? c->peer : "-",
	    c->target, state);
}

/* Retried at growing intervals, which differ from one tunnel to another. */
static int64_t
backoff(unsigned int tries)
{
	int64_t ms = BACKOFF_FIRST << (tries > 6 ? 5 : tries - 1);

	if (ms > BACKOFF_MAX)
		ms = BACKOFF_MAX;
	return ms / 2 + arc4random_uniform(ms + 1);
}

static void
lost(struct carry *c)
{
	const struct tunnel *t = &c->relay.tunnel;
	int64_t now = clock_ms();
	int64_t patience = c->o->resume;

	/*
	 * Nothing but the peer's Close is missing: that is not worth much,
	 * unless it is the peer who does not know that all has ended well and
	 * who has to notice the loss first.
	 */
	if (tunnel_over(t) && (c->client || t->end != TUNNEL_GOING) &&
	    c->o->linger > 0 && c->o->linger < patience)
		patience = c->o->linger;
	if (t->heard)
		c->tries = 0;
	c->gone = 0;
	c->lost_at = now;
	c->give_up = now + patience;
	c->next_try = !c->client ? CLOCK_NEVER :
	    now + (c->tries == 0 ? 0 : backoff(c->tries));
	note_lost();
	log_event(LOG_L_DEBUG, c->client ? "wire lost, redialling" :
	    "wire lost", "peer", or_null(c->peer), "id", c->ours.id,
	    "why", t->why, NULL);
	show(c, "lost");
}

static void
resumed(struct carry *c)
{
	char event[64], after[32];

	c->resumes++;
	note_resumed(c);
	c->give_up = c->next_try = CLOCK_NEVER;
	snprintf(event, sizeof(event), "resumed after %s", str_ms(after,
	    sizeof(after), clock_ms() - c->lost_at));
	log_event(LOG_L_DEBUG, event, "peer", or_null(c->peer),
	    "id", c->ours.id, NULL);
	show(c, "open");
}

/*
 * Is a refused redial the last one?  A stranger's 101 counts as a 410: it
 * comes from a backend that does not keep the session.  A 101 that answers
 * for the session and fails it is final.
 */
static int
final(struct carry *c, int http_status)
{
	if (http_status == 410)
		return tunnel_over(&c->relay.tunnel) ||
		    ++c->gone >= GONE_MAX;
	c->gone = 0;
	return http_status == 101 || (http_status >= 400 &&
	    http_status < 500 && http_status != 408 && http_status != 429);
}

/* A timeout, 0 being none, that is over at a time, if that is sooner. */
static int64_t
at_most(int64_t timeout, int64_t until)
{
	int64_t left = until - clock_ms();

	if (left < 1)
		left = 1;
	return timeout == 0 || timeout > left ? left : timeout;
}

/* Dials with our position.  0, or -1 with the HTTP status that it came to. */
static int
dial_again(struct carry *c, int *status, struct why *why)
{
	struct extension offer = c->ours;
	struct options o = *c->o;
	struct wire w;

	o.connect_timeout = at_most(o.connect_timeout, c->give_up);
	o.handshake_timeout = at_most(o.handshake_timeout, c->give_up);
	*status = 0;
	offer.attempt = ++c->attempt;
	offer.at = tunnel_taken(&c->relay.tunnel);
	offer.has_at = 1;
	if (wire_dial(&w, &o, &c->trust, &offer, status, why) == -1)
		return -1;
	if (w.has_extension && relay_resume(&c->relay, w.io, w.theirs.at,
	    w.early, w.early_len) == 0)
		return 0;
	if (!w.has_extension)
		*status = 410;
	io_close(&w.io);
	return why_set(why, EXIT_LOST, w.has_extension ?
	    "resumed from a position that is not kept" :
	    "answered by somebody who knows no sessions");
}

/* The stream waits meanwhile: what it says stays in the kernel. */
static void
redial(struct carry *c)
{
	struct why why;
	int status;

	c->tries++;
	if (dial_again(c, &status, &why) == 0) {
		resumed(c);
		return;
	}
	log_event(LOG_L_DEBUG, "redial failed", "id", c->ours.id,
	    "why", why.text, NULL);
	if (final(c, status))
		c->give_up = clock_ms();
	else
		c->next_try = clock_ms() + backoff(c->tries);
}

/*
 * Somebody hands over a connection that wants this session.  The numbers it
 * brings tell whether it may have it: an attempt is good once only, and its
 * position must be one that is still kept.  All refusals are the same, and
 * none keeps the tunnel waiting.
 */
static void
visited(struct carry *c)
{
	struct tunnel *t = &c->relay.tunnel;
	struct upgrade_request request;
	struct extension answer = c->ours;
	struct door_visit v;
	struct wire w;
	struct why why;
	int in_time = (tunnel_wants(t) & TUNNEL_LOST) != 0;

	if (door_answer(c->relay.door, &v) == -1)
		return;
	door_receipt(&v);
	if (wire_adopt(&w, io_of(v.fd), v.bytes, v.len, &request, &why) == -1)
		return;
	if (strcmp(v.user, c->user) != 0 || w.theirs.attempt <= c->attempt) {
		wire_refuse_now(&w, 410, NO_SESSION);
		return;
	}
	c->attempt = w.theirs.attempt;
	if (!in_time)
		c->lost_at = clock_ms();
	answer.at = tunnel_taken(t);
	answer.has_at = 1;
	if (!tunnel_may_resume(t, w.theirs.at)) {
		wire_refuse_now(&w, 410, NO_SESSION);
		tunnel_stop(t, CLOSE_PROTOCOL, TUNNEL_PEER_FAULT,
		    "resumed from a position that is not kept");
		return;
	}
	if (wire_answer(&w, &request, &answer, clock_ms() +
	    c->o->handshake_timeout, &why) == -1)
		return;
	relay_resume(&c->relay, w.io, w.theirs.at, w.early, w.early_len);
	strlcpy(c->via, w.via, sizeof(c->via));
	resumed(c);
}

static void
farewell(const struct carry *c, int status)
{
	const struct tunnel *t = &c->relay.tunnel;
	uint64_t in = t->in_delivered, out = t->out_head;
	struct log_line l;
	char program[32];

	/* connect says what is wrong, the others say what was. */
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
	log_num(&l, "up", c->client ? out : in);
	log_num(&l, "down", c->client ? in : out);
	log_seconds(&l, "seconds", clock_ms() - c->started);
	log_str(&l, "end", tunnel_end_name(t->end));
	if (t->peer_code != 0)
		log_num(&l, "code", t->peer_code);
	if (t->peer_reason_len != 0)
		log_bytes(&l, "reason", t->peer_reason, t->peer_reason_len);
	if (t->why != NULL && status != 0)
		log_str(&l, "why", t->why);
	else if (t->end == TUNNEL_STREAM_RESET && c->relay.error != 0)
		log_str(&l, "why", strerror(c->relay.error));
	if (c->program.pid != 0)
		log_str(&l, "program", program_print(&c->program, program,
		    sizeof(program)));
	if (t->rtt >= 0)
		log_num(&l, "rtt_ms", t->rtt);
	if (c->resumes > 0)
		log_num(&l, "resumes", c->resumes);
	if (t->cfg.extension) {
		log_str(&l, "id", c->ours.id);
		log_str(&l, "peer_id", c->theirs.id);
	}
	log_end(&l);
}

static int
status_of(const struct tunnel *t)
{
	switch (t->end) {
	case TUNNEL_GOING:
	case TUNNEL_ENDED:
		return EXIT_ENDED;
	case TUNNEL_PEER_FAULT:
		return EXIT_PROTOCOL;
	default:
		return EXIT_LOST;
	}
}

int
carry_on(struct carry *c, struct io stream, const struct wire *w)
{
	struct tunnel_config cfg;
	int door = c->relay.door, status;

	c->theirs = w->theirs;
	if (c->client && w->has_extension)
		strlcpy(c->ours.session, w->theirs.session,
		    sizeof(c->ours.session));
	strlcpy(c->via, w->via, sizeof(c->via));
	configure(c, &stream, w, &cfg);
	relay_begin(&c->relay, &cfg, stream, w->io, w->early, w->early_len);
	c->relay.door = door;
	c->relay.program = &c->program;
	c->give_up = c->next_try = CLOCK_NEVER;
	show(c, "open");
	note_open(c);

	for (;;) {
		switch (relay(&c->relay, c->next_try < c->give_up ?
		    c->next_try : c->give_up)) {
		case RELAY_DONE:
			status = status_of(&c->relay.tunnel);
			stream_end(c, status != EXIT_ENDED);
			note_end(c);
			farewell(c, status);
			if (door != -1)
				door_close(door, c->ours.session);
			return status;
		case RELAY_LOST:
			lost(c);
			break;
		case RELAY_DOOR:
			visited(c);
			break;
		case RELAY_TIME:
			if (clock_ms() >= c->give_up) {
				tunnel_expire(&c->relay.tunnel);
				c->give_up = c->next_try = CLOCK_NEVER;
			} else
				redial(c);
			break;
		}
	}
}
