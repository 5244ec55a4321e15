/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "connection/notice.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/log_output.h"

#define PATIENCE	3000	/* ms: a shorter loss is no news */

int
notice_is_read(const struct connection *c)
{
	return c->o->mode == MODE_CONNECT && log_wants(LOG_L_WARN) &&
	    log_is_for_person();
}

void
notice(const char *fmt, ...)
{
	char text[1024], line[sizeof(text) + 16];
	va_list ap;
	int n;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = snprintf(line, sizeof(line), "\rinetws: %s\r\n", text);
	log_output_print(line, (size_t)n);
}

void
notice_plan(struct connection *c, int64_t since)
{
	if (!c->noticed)
		c->notice_at = notice_is_read(c) ? since + PATIENCE :
		    CLOCK_NEVER;
}

/* A websocket in doubt is lost by --ping-timeout at the latest. */
static int64_t
left(const struct connection *c)
{
	int64_t now = clock_ms(), end = c->give_up;

	if (end == CLOCK_NEVER)
		end = c->relay.tunnel.received_at + c->o->timeouts.ping +
		    c->o->timeouts.resume;
	return end > now ? end - now : 0;
}

void
notice_lost(struct connection *c)
{
	char host[ADDR_TEXT_MAX], text[32];

	c->notice_at = CLOCK_NEVER;
	c->noticed = 1;
	notice("connection to %s lost, resuming, %s left",
	    url_host(host, sizeof(host), &c->o->url),
	    str_min_s(text, sizeof(text), left(c)));
}

static void
back(struct connection *c, const char *how, int64_t since)
{
	char host[ADDR_TEXT_MAX], after[32];

	c->notice_at = CLOCK_NEVER;
	if (!c->noticed)
		return;
	c->noticed = 0;
	notice("connection to %s %s after %s",
	    url_host(host, sizeof(host), &c->o->url), how,
	    str_min_s(after, sizeof(after), clock_ms() - since));
}

void
notice_resumed(struct connection *c)
{
	back(c, "resumed", c->lost_at);
}

void
notice_trusted(struct connection *c)
{
	back(c, "is back", c->doubted_at);
}
