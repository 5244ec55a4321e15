/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "modes/check/judge.h"

#define MORE	"                       "	/* under a step's text */

static void
step(struct out *o, const char *name, int64_t us, const char *what)
{
	out_add(o, "%-9s %7" PRId64 ".%02" PRId64 " ms  %s\n", name,
	    us / 1000, us / 10 % 100, what);
}

static void
more(struct out *o, const char *what, const char *text)
{
	if (text[0] != '\0')
		out_add(o, MORE "%s %s\n", what, text);
}

static void
show_cert(struct out *o, const struct check *c, int64_t now)
{
	const struct cert *cert = &c->cert;
	char text[120];
	unsigned int i;

	snprintf(text, sizeof(text), "%s %s, certificate %s", cert->version,
	    cert->cipher, cert->verified ? "verified" : "NOT VERIFIED");
	if (c->tls >= 0)
		step(o, "TLS", c->tls, text);
	else if (cert->known)
		out_add(o, "TLS                    certificate refused\n");
	if (!cert->known)
		return;
	more(o, "certificate", cert->names);
	more(o, "issued by", cert->issuer);
	for (i = 1; i < cert->n; i++)
		more(o, "chain", cert->chain[i].subject);
	out_add(o, MORE "valid from %s until %s\n" MORE "%s%s\n",
	    cert->from, cert->until,
	    check_expiry(text, sizeof(text), check_days(c, now)),
	    cert->n > 1 ? ", the first of the chain to do so" : "");
	more(o, "pin", cert->pin);
}

static void
show_peer(struct out *o, const struct check *c)
{
	char text[80];

	snprintf(text, sizeof(text), "%d, %s", c->http_status,
	    c->http_status != 101 ? "no websocket" : c->has_extension ?
	    "the peer is inetws" : "the peer is not inetws");
	if (c->upgrade >= 0)
		step(o, "upgrade", c->upgrade, text);
	if (c->has_extension)
		out_add(o, MORE "id %s, the peer's %s, window %" PRIu32 "\n",
		    c->id, c->peer_id, c->window);
	if (c->has_extension && c->resume_asked)
		more(o, "a lost websocket", c->resume ? "is resumed" :
		    "is the end: the peer keeps no sessions (it has "
		    "--resume 0)");
	more(o, "redirected to", c->at);
	more(o, "subprotocol", c->subprotocol);
	more(o, "server", c->server);
	more(o, "via", c->via);
}

static void
show_pings(struct out *o, const struct check *c)
{
	char text[160], reason[4 * sizeof(c->reason)];

	if (c->pings == 0)
		return;
	if (c->pongs > 0) {
		snprintf(text, sizeof(text), "on average; %u of %u answered, "
		    "the fastest in %" PRId64 ".%02" PRId64 " ms, the slowest "
		    "in %" PRId64 ".%02" PRId64 " ms", c->pongs, c->pings,
		    c->least / 1000, c->least / 10 % 100, c->most / 1000,
		    c->most / 10 % 100);
		step(o, "ping", c->mean, text);
	} else
		out_add(o, "ping                   not answered\n");
	if (c->close != 0)
		out_add(o, MORE "the far side ended it, code %u%s%s\n",
		    c->close, c->reason[0] != '\0' ? ": " : "",
		    str_escape(reason, sizeof(reason), c->reason,
		    strlen(c->reason)));
}

static void
show_idle(struct out *o, const struct check *c)
{
	char end[24], lived[24];
	int64_t interval = check_ping_interval(c);

	str_ms(end, sizeof(end), c->idle_end);
	str_ms(lived, sizeof(lived), c->idle_lived);
	switch (c->idle) {
	case IDLE_NOT_ASKED:
		return;
	case IDLE_LIVES:
		out_add(o, "idle                   lives for %s at least\n",
		    lived);
		break;
	case IDLE_CUT:
		out_add(o, "idle                   cut off by the path after "
		    "%s\n", end);
		break;
	case IDLE_SILENT:
		out_add(o, "idle                   no answer after %s; "
		    "the longest idle time with an answer: %s\n", end,
		    c->idle_lived > 0 ? lived : "none");
		break;
	case IDLE_ENDED:
		out_add(o, "idle                   the peer ended it after "
		    "%s; this does not measure the path\n", end);
		break;
	}
	if (c->idle_pings > 0)
		out_add(o, MORE "the peer sent %u pings: to measure the path, "
		    "switch them off there\n", c->idle_pings);
	if (interval > 0)
		out_add(o, MORE "use --ping-interval %s\n",
		    str_ms(lived, sizeof(lived), interval));
	else if (c->idle != IDLE_ENDED)
		out_add(o, MORE "the default --ping-interval will do\n");
}

void
check_steps(struct out *o, const struct check *c, int64_t now)
{
	out_add(o, "%s\n", c->url);
	if (c->find >= 0)
		step(o, "resolve", c->find, c->addresses);
	if (c->connect >= 0)
		step(o, "connect", c->connect, c->peer);
	if (c->tunnel >= 0)
		step(o, "proxy", c->tunnel, c->proxy);
	show_cert(o, c, now);
	show_peer(o, c);
	show_pings(o, c);
}

void
check_result(struct out *o, const struct check *c)
{
	unsigned int i;

	show_idle(o, c);
	if (c->idle_stopped)
		out_add(o, MORE "stopped by a signal\n");
	for (i = 0; i < c->nwarnings; i++)
		out_add(o, "warning: %s\n", c->warning[i]);
	if (c->why.status != EXIT_ENDED)
		out_add(o, "failed: %s\n", c->why.text);
	else if (c->nwarnings == 0)
		out_add(o, "all is well\n");
}

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

/* "a, b" as a list. */
static void
list(struct out *o, const char *name, const char *value)
{
	char one[160];
	size_t n;

	out_add(o, ",\"%s\":[", name);
	while (*value != '\0') {
		n = strcspn(value, ",");
		snprintf(one, sizeof(one), "%.*s", (int)n, value);
		out_json(o, one);
		value += n + strspn(value + n, ", ");
		out_add(o, "%s", *value != '\0' ? "," : "");
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

	if (c->idle == IDLE_NOT_ASKED) {
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

void
check_json(struct out *o, const struct check *c, int64_t now)
{
	static const char *const levels[] = { "ok", "warning", "critical",
	    "unknown" };
	unsigned int i;

	out_add(o, "{\"url\":");
	out_json(o, c->url);
	out_add(o, ",\"result\":\"%s\",\"status\":%d", levels[check_level(c)],
	    c->why.status);
	text(o, "why", c->why.status == EXIT_ENDED ? "" : c->why.text);
	out_add(o, ",\"warnings\":[");
	for (i = 0; i < c->nwarnings; i++) {
		out_add(o, "%s", i > 0 ? "," : "");
		out_json(o, c->warning[i]);
	}
	out_add(o, "],\"ms\":{");
	time_of(o, "resolve", c->find, ",");
	time_of(o, "connect", c->connect, ",");
	time_of(o, "proxy", c->tunnel, ",");
	time_of(o, "tls", c->tls, ",");
	time_of(o, "upgrade", c->upgrade, "}");
	list(o, "addresses", c->addresses);
	text(o, "peer", c->peer);
	text(o, "proxy", c->proxy);
	json_cert(o, c, now);
	out_add(o, ",\"http_status\":%d,\"inetws\":%s", c->http_status,
	    c->has_extension ? "true" : "false");
	text(o, "redirected_to", c->at);
	text(o, "id", c->id);
	text(o, "peer_id", c->peer_id);
	if (c->has_extension)
		out_add(o, ",\"window\":%" PRIu32 ",\"resume\":%s",
		    c->window, c->resume ? "true" : "false");
	text(o, "subprotocol", c->subprotocol);
	text(o, "server", c->server);
	text(o, "via", c->via);
	json_pings(o, c);
	json_idle(o, c);
	out_add(o, "}\n");
}

/* A bar and a line's end mean something to those who read this. */
static void
plain(struct out *o, const char *s)
{
	for (; *s != '\0'; s++)
		out_add(o, "%c", *s == '|' || *s == '\n' ? '/' : *s);
}

void
check_nagios(struct out *o, const struct check *c,
    const struct check_limits *limits, int64_t now)
{
	static const char *const levels[] = { "OK", "WARNING", "CRITICAL",
	    "UNKNOWN" };
	unsigned int i;

	out_add(o, "INETWS %s - ", levels[check_level(c)]);
	if (c->why.status != EXIT_ENDED)
		plain(o, c->why.text);
	for (i = 0; i < c->nwarnings; i++) {
		out_add(o, "%s", i > 0 ? "; " : "");
		plain(o, c->warning[i]);
	}
	if (c->why.status == EXIT_ENDED && c->nwarnings == 0)
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
