/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "connection/notice.h"
#include "os/clock.h"
#include "os/log.h"

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
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "\rinetws: %s\r\n", text);
}

void
notice_plan(struct connection *c)
{
	c->noticed = 0;
	c->notice_at = notice_is_read(c) ? c->lost_at + PATIENCE : CLOCK_NEVER;
}

void
notice_lost(struct connection *c)
{
	char host[ADDR_HOST_MAX + 16], left[32];
	int64_t ms = c->give_up - clock_ms();

	c->notice_at = CLOCK_NEVER;
	c->noticed = 1;
	notice("connection to %s lost, resuming, %s left",
	    url_host(host, sizeof(host), &c->o->url),
	    str_min_s(left, sizeof(left), ms > 0 ? ms : 0));
}

void
notice_resumed(struct connection *c)
{
	char host[ADDR_HOST_MAX + 16], after[32];

	c->notice_at = CLOCK_NEVER;
	if (!c->noticed)
		return;
	c->noticed = 0;
	notice("connection to %s resumed after %s",
	    url_host(host, sizeof(host), &c->o->url),
	    str_min_s(after, sizeof(after), clock_ms() - c->lost_at));
}
