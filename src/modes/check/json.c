/* SPDX-License-Identifier: ISC */
/*
 * The result of check for programs: JSON, and a line for Nagios.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"

static void
text(struct out *o, const char *name, const char *value)
{
	out_add(o, ",");
	out_member(o, name, value);
}

/* Milliseconds, or null where something was not done. */
static void
time_of(struct out *o, const char *name, int64_t us, const char *comma)
{
	if (us < 0)
		out_add(o, "\"%s\":null%s", name, comma);
	else
		out_add(o, "\"%s\":%" PRId64 ".%03" PRId64 "%s", name,
		    us / 1000, us % 1000, comma);
}

static void
json_addresses(struct out *o, const struct check *c)
{
	const struct check_address *a;
	int i;

	out_add(o, ",\"addresses\":[");
	for (i = 0; i < c->addresses; i++) {
		out_add(o, "%s", i > 0 ? "," : "");
		out_json(o, c->address[i].name);
	}
	out_add(o, "],\"connects\":[");
	for (i = 0; i < c->addresses; i++) {
		a = &c->address[i];
		out_add(o, "%s{\"address\":", i > 0 ? "," : "");
		out_json(o, a->name);
		out_add(o, ",");
		time_of(o, "ms", a->us, "");
		text(o, "why", a->us < 0 ? a->why : "");
		out_add(o, "}");
	}
	out_add(o, "]");
}

static void
json_cert(struct out *o, const struct check *c, int64_t now)
{
	const struct cert *cert = &c->cert;
	unsigned int i;

	if (cert->version[0] == '\0') {
		out_add(o, ",\"tls\":null");
		return;
	}
	out_add(o, ",\"tls\":{\"verified\":%s", cert->verified ? "true" :
	    "false");
	text(o, "version", cert->version);
	text(o, "cipher", cert->cipher);
	text(o, "names", cert->names);
	text(o, "issuer", cert->issuer);
	text(o, "from", cert->from);
	text(o, "until", cert->until);
	text(o, "pin", cert->pin);
	if (cert->known)
		out_add(o, ",\"days\":%" PRId64, check_days(c, now));
	out_add(o, ",\"chain\":[");
	for (i = 0; i < cert->n; i++) {
		out_add(o, "%s", i > 0 ? "," : "");
		out_json(o, cert->chain[i].subject);
	}
	out_add(o, "]}");
}

static void
json_pings(struct out *o, const struct check *c)
{
	out_add(o, ",\"ping\":{\"sent\":%u,\"answered\":%u,", c->pings,
	    c->pongs);
	time_of(o, "least_ms", c->pongs > 0 ? c->least : -1, ",");
	time_of(o, "mean_ms", c->pongs > 0 ? c->mean : -1, ",");
	time_of(o, "most_ms", c->pongs > 0 ? c->most : -1, "}");
	if (c->close == 0)
		out_add(o, ",\"close\":null");
	else
		out_add(o, ",\"close\":%u", c->close);
	text(o, "reason", c->reason);
}

static void
json_idle(struct out *o, const struct check *c)
{
	static const char *const names[] = {
		[IDLE_LIVES] = "lives", [IDLE_CUT] = "cut",
		[IDLE_SILENT] = "silent", [IDLE_ENDED] = "ended"
	};
	int64_t interval = check_ping_interval(c);

	if (c->idle == IDLE_NOT_ASKED || c->idle == IDLE_NOT_TRIED) {
		out_add(o, ",\"idle\":null");
		return;
	}
	out_add(o, ",\"idle\":{\"end\":\"%s\",\"limit_ms\":%" PRId64
	    ",\"lived_ms\":%" PRId64 ",\"end_ms\":%" PRId64
	    ",\"peer_pings\":%u,\"ping_interval_ms\":", names[c->idle],
	    c->idle_limit, c->idle_lived, c->idle_end, c->idle_pings);
	if (interval > 0)
		out_add(o, "%" PRId64 "}", interval);
	else
		out_add(o, "null}");
}

static void
json_warnings(struct out *o, const struct check *c)
{
	int i, n = 0;

	out_add(o, ",\"warnings\":[");
	for (i = 0; check_warnings(c) > 0 && i < CHECK_STEPS; i++)
		if (c->step[i].state == STEP_WARNING) {
			out_add(o, "%s", n++ > 0 ? "," : "");
			out_json(o, c->step[i].text);
		}
	out_add(o, "]");
}

static void
json_line(struct out *o, int n, const char *line)
{
	out_add(o, "%s", n > 0 ? "," : "");
	out_json(o, line);
}

static void
json_steps(struct out *o, const struct check *c)
{
	static const char *const states[] = { "not tried", "ok", "warning",
	    "failed", "stopped" };
	const struct step *s;
	int i;

	out_add(o, ",\"steps\":[");
	for (i = 0; i < CHECK_STEPS; i++) {
		s = &c->step[i];
		out_add(o, "%s{\"step\":\"%s\",\"state\":\"%s\",", i > 0 ?
		    "," : "", check_step_name(i), states[s->state]);
		time_of(o, "ms", s->us, "");
		text(o, "text", s->text);
		text(o, "advice", s->advice);
		out_add(o, "}");
	}
	out_add(o, "],\"next\":[");
	check_next(o, c, json_line);
	out_add(o, "]");
}

static void
json_who(struct out *o, const struct check *c)
{
	static const char *const kinds[] = { "unknown", "inetws", "server",
	    "cdn", "login" };
	static const char *const extensions[] = { "", "agreed", "plain",
	    "stripped" };

	out_add(o, ",\"http_status\":%d,\"inetws\":%s", c->http_status,
	    c->extension == EXTENSION_AGREED ||
	    c->extension == EXTENSION_STRIPPED ? "true" : "false");
	text(o, "answered_by", c->http_status == 0 ? "" : kinds[c->who]);
	text(o, "answered_by_name", c->who_name);
	text(o, "title", c->title);
	text(o, "extension", extensions[c->extension]);
	text(o, "redirected_to", c->at);
	text(o, "id", c->id);
	text(o, "peer_id", c->peer_id);
	if (c->extension == EXTENSION_AGREED)
		out_add(o, ",\"window\":%" PRIu32 ",\"resume\":%s",
		    c->window, c->resume ? "true" : "false");
	text(o, "subprotocol", c->subprotocol);
	text(o, "server", c->server);
	text(o, "via", c->via);
}

static void
json_tunnel(struct out *o, const struct check *c)
{
	static const char *const messages[] = { "", "at once", "held", "late",
	    "lost" };
	static const char *const targets[] = { "", "reached", "ended",
	    "dead" };
	static const char *const resumes[] = { "", "", "went on", "late",
	    "no session", "ended" };

	json_pings(o, c);
	text(o, "message", messages[c->message]);
	text(o, "target", targets[c->target]);
	text(o, "target_says", c->banner);
	text(o, "test_resume", resumes[c->resumed]);
	json_idle(o, c);
}

void
check_json(struct out *o, const struct check *c, int64_t now)
{
	static const char *const levels[] = { "ok", "warning", "critical",
	    "unknown" };
	char why[sizeof(c->why.text) + 64];

	out_add(o, "{\"url\":");
	out_json(o, c->url);
	out_add(o, ",\"result\":\"%s\",\"status\":%d", levels[check_level(c)],
	    check_status(c));
	text(o, "why", check_why(c, why, sizeof(why)));
	json_warnings(o, c);
	out_add(o, ",\"ms\":{");
	time_of(o, "resolve", c->find, ",");
	time_of(o, "connect", c->connect, ",");
	time_of(o, "proxy", c->tunnel, ",");
	time_of(o, "tls", c->tls, ",");
	time_of(o, "upgrade", c->upgrade, "}");
	json_addresses(o, c);
	text(o, "peer", c->peer);
	text(o, "proxy", c->proxy);
	json_cert(o, c, now);
	json_who(o, c);
	json_tunnel(o, c);
	json_steps(o, c);
	out_add(o, "}\n");
}

char
check_nagios_char(char c)
{
	if (c == '|' || c == '\n')
		return '/';
	return c;
}

static void
plain(struct out *o, const char *s)
{
	for (; *s != '\0'; s++)
		out_add(o, "%c", check_nagios_char(*s));
}

void
check_nagios(struct out *o, const struct check *c,
    const struct check_limits *limits, int64_t now)
{
	static const char *const levels[] = { "OK", "WARNING", "CRITICAL",
	    "UNKNOWN" };
	char why[sizeof(c->why.text) + 64];
	int i, n = 0;

	out_add(o, "INETWS %s - ", levels[check_level(c)]);
	plain(o, check_why(c, why, sizeof(why)));
	for (i = 0; check_warnings(c) > 0 && i < CHECK_STEPS; i++)
		if (c->step[i].state == STEP_WARNING) {
			out_add(o, "%s", n++ > 0 ? "; " : "");
			plain(o, c->step[i].text);
		}
	if (c->why.status == EXIT_ENDED && n == 0)
		plain(o, c->url);
	out_add(o, " |");
	if (c->upgrade >= 0)
		out_add(o, " time=%" PRId64 "us", c->find + c->connect +
		    (c->tunnel > 0 ? c->tunnel : 0) +
		    (c->tls > 0 ? c->tls : 0) + c->upgrade);
	if (c->pongs > 0) {
		out_add(o, " rtt=%" PRId64 "us", c->mean);
		if (limits->rtt > 0)
			out_add(o, ";%" PRId64, limits->rtt * 1000);
	}
	if (c->cert.known) {
		out_add(o, " expiry=%" PRId64, check_days(c, now));
		if (limits->days > 0)
			out_add(o, ";%u:", limits->days);
	}
	out_add(o, "\n");
}
