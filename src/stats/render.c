/* SPDX-License-Identifier: ISC */
/* The same rows as a table for a terminal, as JSON, and as a page. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "stats/report.h"

static const char *
or_dash(const char *s)
{
	return s[0] == '\0' ? "-" : s;
}

static char *
rate(char *dst, size_t size, uint64_t bytes)
{
	char text[24];

	snprintf(dst, size, "%s/s", str_bytes(text, sizeof(text), bytes));
	return dst;
}

static char *
rtt(char *dst, size_t size, int64_t ms)
{
	if (ms < 0)
		snprintf(dst, size, "-");
	else
		snprintf(dst, size, "%" PRId64 "ms", ms);
	return dst;
}

/* "user@address" */
static const char *
peer_of(char *dst, size_t size, const struct report_row *r)
{
	snprintf(dst, size, "%s%s%s", r->user, r->user[0] != '\0' ? "@" : "",
	    or_dash(r->peer));
	return dst;
}

/* "12 open, 1 lost": the states that occur. */
static void
add_states(struct out *o, const struct report *r)
{
	const char *comma = "";
	unsigned int i;

	for (i = STATE_HANDSHAKE; i < STATES; i++) {
		if (r->active[i] == 0)
			continue;
		out_add(o, "%s%u %s", comma, r->active[i],
		    report_state_name(i));
		comma = ", ";
	}
	if (r->unlisted > 0)
		out_add(o, "%s%u not listed", comma, r->unlisted);
	else if (comma[0] == '\0')
		out_add(o, "none active");
	if (r->waiting > 0)
		out_add(o, ", %u visitors waiting", r->waiting);
}

/* "12s", "-" if there was none. */
static char *
gap_of(char *dst, size_t size, int64_t ms)
{
	if (ms == 0)
		return memcpy(dst, "-", 2);
	return str_ms(dst, size, ms);
}

/* "256k/16m", up and down, "-" without a session. */
static char *
window_of(char *dst, size_t size, const struct report_row *r)
{
	char up[24], down[24];

	if (r->window_up == 0 && r->window_down == 0)
		return memcpy(dst, "-", 2);
	str_size_short(up, sizeof(up), r->window_up);
	str_size_short(down, sizeof(down), r->window_down);
	snprintf(dst, size, "%s/%s", up, down);
	return dst;
}

/* "; 2 resumed, longest gap 12s": nothing if no websocket was lost. */
static void
add_resumes(struct out *o, const struct report *r)
{
	char gap[24];

	if (r->counts.losses == 0)
		return;
	out_add(o, "; %" PRIu64 " lost, %" PRIu64 " resumed, longest gap %s",
	    r->counts.losses, r->counts.resumes,
	    gap_of(gap, sizeof(gap), r->gap));
}

#define WIDE	168	/* has room for all columns */

static int
is_wide(unsigned int width)
{
	return width == 0 || width >= WIDE;
}

void
report_table_head(struct out *o, const struct report *r, unsigned int width)
{
	char up[24], down[24], age[24];

	out_add(o, "inetws %s %s", or_dash(r->mode), or_dash(r->name));
	if (r->pid != 0)
		out_add(o, ", process %d", r->pid);
	out_add(o, ", up %s%s", str_ms(age, sizeof(age), r->uptime),
	    is_wide(width) ? ": " : "\n  ");
	add_states(o, r);
	out_add(o, "; %" PRIu64 " in all, %" PRIu64 " refused, %s up, "
	    "%s down", report_total(r), r->counts.refused,
	    str_bytes(up, sizeof(up), r->counts.up),
	    str_bytes(down, sizeof(down), r->counts.down));
	add_resumes(o, r);
	out_add(o, "\n");
	if (r->sandbox[0] != '\0')
		out_add(o, "  sandbox %s%s\n", strcmp(r->sandbox, "off") == 0 ?
		    "" : "without ", r->sandbox);
}

#define COLUMNS	"%-7s %-11s %-21s %-24s %7s %7s %9s %9s %11s %11s %6s %3s %6s " \
	"%9s"
#define NARROW	"%-6.6s %-6.6s %-*.*s %-*.*s %6s %8s %8s %6s\n"
#define FIXED	47	/* of these, without peer and target */

/* What peer and target share: an IPv4 address and port fit at 80. */
static int
peer_width(unsigned int width)
{
	int both = (int)(width > 80 ? width : 80) - FIXED;

	return both > 42 ? both / 2 : 21;
}

static int
target_width(unsigned int width)
{
	return (int)(width > 80 ? width : 80) - FIXED - peer_width(width);
}

void
report_table_columns(struct out *o, unsigned int width)
{
	int peer = peer_width(width), target = target_width(width);

	if (is_wide(width))
		out_add(o, COLUMNS " %s\n", "PID", "STATE", "PEER", "TARGET",
		    "AGE", "IDLE", "UP", "DOWN", "UP/s", "DOWN/s", "RTT",
		    "RES", "GAP", "WINDOW", "ID");
	else
		out_add(o, NARROW, "PID", "STATE", peer, peer, "PEER", target,
		    target, "TARGET", "AGE", "UP", "DOWN", "RTT");
}

void
report_table_row(struct out *o, const struct report_row *r,
    unsigned int width)
{
	char pid[16], age[24], idle[24], up[24], down[24], upr[32], downr[32],
	    trip[24], resumes[16], peer[130], gap[24], window[50];
	int pw = peer_width(width), tw = target_width(width);

	snprintf(pid, sizeof(pid), "%d", r->pid);
	snprintf(resumes, sizeof(resumes), "%u", r->resumes);
	peer_of(peer, sizeof(peer), r);
	str_ms(age, sizeof(age), r->age);
	str_bytes(up, sizeof(up), r->up);
	str_bytes(down, sizeof(down), r->down);
	rtt(trip, sizeof(trip), r->rtt);
	if (is_wide(width))
		out_add(o, COLUMNS " %s\n", pid, report_state_name(r->state),
		    peer, or_dash(r->target), age,
		    str_ms(idle, sizeof(idle), r->idle), up, down,
		    rate(upr, sizeof(upr), r->up_rate),
		    rate(downr, sizeof(downr), r->down_rate), trip, resumes,
		    gap_of(gap, sizeof(gap), r->gap),
		    window_of(window, sizeof(window), r), or_dash(r->id));
	else
		out_add(o, NARROW, pid, report_state_name(r->state), pw, pw,
		    peer, tw, tw, or_dash(r->target), age, up, down, trip);
}

#define NAMES	"%-24s %7s %7s %7s\n"

void
report_table_name_columns(struct out *o)
{
	out_add(o, NAMES, "NAME", "PARKED", "OPEN", "WAITING");
}

void
report_table_name(struct out *o, const struct report_name *n)
{
	char parked[16], open[16], waiting[16];

	snprintf(parked, sizeof(parked), "%u", n->parked);
	snprintf(open, sizeof(open), "%u", n->open);
	snprintf(waiting, sizeof(waiting), "%u", n->waiting);
	out_add(o, NAMES, n->text, parked, open, waiting);
}

static void
member(struct out *o, const char *name, const char *value)
{
	out_member(o, name, value);
	out_add(o, ",");
}

void
report_json_head(struct out *o, const struct report *r)
{
	unsigned int i, n = 0;

	member(o, "version", r->version);
	member(o, "mode", r->mode);
	member(o, "name", r->name);
	member(o, "sandbox_missing", r->sandbox);
	if (r->pid != 0)
		out_add(o, "\"pid\":%d,", r->pid);
	else
		out_add(o, "\"pid\":null,");
	out_add(o, "\"started\":%" PRId64 ",\"uptime_ms\":%" PRId64 ","
	    "\"max_connections\":%u,\"active\":%u,\"states\":{", r->started,
	    r->uptime, r->max, report_active(r));
	for (i = STATE_HANDSHAKE; i < STATES; i++)
		out_add(o, "%s\"%s\":%u", n++ > 0 ? "," : "",
		    report_state_name(i), r->active[i]);
	out_add(o, "},\"unlisted\":%u,\"waiting\":%u,\"total\":%" PRIu64
	    ",\"refused\":%" PRIu64 ",\"up\":%" PRIu64 ",\"down\":%" PRIu64
	    ",\"lost\":%" PRIu64 ",\"lost_now\":%u,\"resumes\":%" PRIu64
	    ",\"longest_gap_ms\":%" PRId64 ",\"window\":%u,\"gave_way\":%" PRIu64
	    ",\"ended\":{",
	    r->unlisted, r->waiting, report_total(r), r->counts.refused,
	    r->counts.up, r->counts.down, r->counts.losses,
	    r->active[STATE_LOST], r->counts.resumes, r->gap, r->window,
	    r->counts.gave_way);
	for (i = RESULT_ENDED, n = 0; i < RESULTS; i++)
		out_add(o, "%s\"%s\":%" PRIu64, n++ > 0 ? "," : "",
		    report_result_name(i), r->counts.ended[i]);
	out_add(o, "}");
}

static void
json_ms(struct out *o, int64_t ms)
{
	if (ms < 0)
		out_add(o, "null");
	else
		out_add(o, "%" PRId64, ms);
}

void
report_json_row(struct out *o, const struct report_row *r)
{
	out_add(o, "{\"pid\":%d,\"state\":\"%s\",", r->pid,
	    report_state_name(r->state));
	member(o, "mode", r->mode);
	member(o, "peer", r->peer);
	member(o, "via", r->via);
	member(o, "user", r->user);
	member(o, "target", r->target);
	member(o, "id", r->id);
	member(o, "peer_id", r->peer_id);
	out_add(o, "\"age_ms\":%" PRId64 ",\"idle_ms\":%" PRId64 ",\"up\":%"
	    PRIu64 ",\"down\":%" PRIu64 ",\"up_per_second\":%" PRIu64
	    ",\"down_per_second\":%" PRIu64 ",\"rtt_ms\":", r->age, r->idle,
	    r->up, r->down, r->up_rate, r->down_rate);
	json_ms(o, r->rtt);
	out_add(o, ",\"resumes\":%u,\"lost_ms\":", r->resumes);
	json_ms(o, r->lost);
	out_add(o, ",\"longest_gap_ms\":%" PRId64 ",\"window_up\":%u,"
	    "\"window_down\":%u}", r->gap, r->window_up, r->window_down);
}

void
report_json_name(struct out *o, const struct report_name *n)
{
	out_add(o, "{");
	member(o, "name", n->text);
	out_add(o, "\"listed\":%s,\"parked\":%u,\"open\":%u,"
	    "\"waiting\":%u}", n->listed ? "true" : "false", n->parked,
	    n->open, n->waiting);
}

/*
 * No script and nothing from elsewhere.  On a narrow screen each row becomes
 * a block of its own, with the columns' names from the attributes.
 */
static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n<meta http-equiv=\"refresh\" content=\"5\">\n"
    "<title>inetws</title>\n<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 15px/1.4 system-ui, sans-serif; margin: 1em }\n"
    "h1 { font-size: 1.2em; overflow-wrap: anywhere }\n"
    "table { border-collapse: collapse; width: 100% }\n"
    "table.names { width: auto; margin-bottom: 1.5em }\n"
    "th, td { text-align: left; padding: .3em .6em; white-space: nowrap }\n"
    "td.a { overflow-wrap: anywhere; white-space: normal; "
    "min-width: 10em }\n"
    "td.n, th.n { text-align: right; "
    "font-variant-numeric: tabular-nums }\n"
    "tr { border-bottom: 1px solid #8884 }\n"
    "@media (max-width: 50em) {\n"
    "thead { display: none }\n"
    "tr { display: block; padding: .5em 0 }\n"
    "td, td.n { display: grid; grid-template-columns: 6em 1fr; "
    "text-align: left; padding: .1em 0 }\n"
    "td::before { content: attr(data-n); opacity: .6 }\n"
    "}\n</style>\n</head>\n<body>\n";

void
report_html_head(struct out *o, const struct report *r)
{
	char up[24], down[24], age[24];

	out_add(o, "%s<h1>inetws %s ", page_head, or_dash(r->mode));
	out_html(o, r->name);
	out_add(o, "</h1>\n<p>");
	add_states(o, r);
	out_add(o, " of at most %u; %" PRIu64 " connections in all, %" PRIu64
	    " refused; %s up, %s down", r->max,
	    report_total(r), r->counts.refused,
	    str_bytes(up, sizeof(up), r->counts.up),
	    str_bytes(down, sizeof(down), r->counts.down));
	add_resumes(o, r);
	out_add(o, "; running for %s.</p>\n",
	    str_ms(age, sizeof(age), r->uptime));
}

void
report_html_columns(struct out *o)
{
	out_add(o, "<table>\n<thead><tr><th>Peer</th><th>Target</th>"
	    "<th>State</th><th class=\"n\">Age</th><th class=\"n\">Idle</th>"
	    "<th class=\"n\">Up</th><th class=\"n\">Down</th>"
	    "<th class=\"n\">Ping</th><th class=\"n\">Resumed</th>"
	    "<th class=\"n\">Gap</th><th class=\"n\">Window</th>"
	    "<th class=\"n\">Process</th></tr></thead>\n<tbody>\n");
}

/* kind: 'a' is an address, which may be long, 'n' a number, 's' a word. */
static void
cell(struct out *o, const char *name, const char *text, char kind)
{
	out_add(o, "<td data-n=\"%s\" class=\"%c\">", name, kind);
	out_html(o, text);
	out_add(o, "</td>");
}

static void
count(struct out *o, const char *name, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	cell(o, name, text, 'n');
}

void
report_html_names(struct out *o, const struct report_names *names)
{
	const struct report_name *n;

	if (names->n == 0)
		return;
	out_add(o, "<table class=\"names\">\n<thead><tr><th>Name</th>"
	    "<th class=\"n\">Parked</th><th class=\"n\">Open</th>"
	    "<th class=\"n\">Waiting</th></tr></thead>\n<tbody>\n");
	for (n = names->of; n < names->of + names->n; n++) {
		out_add(o, "<tr>");
		cell(o, "Name", n->text, 'a');
		count(o, "Parked", n->parked);
		count(o, "Open", n->open);
		count(o, "Waiting", n->waiting);
		out_add(o, "</tr>\n");
	}
	out_add(o, "</tbody>\n</table>\n");
}

void
report_html_row(struct out *o, const struct report_row *r)
{
	char text[130];

	out_add(o, "<tr>");
	cell(o, "Peer", peer_of(text, sizeof(text), r), 'a');
	cell(o, "Target", or_dash(r->target), 'a');
	cell(o, "State", report_state_name(r->state), 's');
	cell(o, "Age", str_ms(text, sizeof(text), r->age), 'n');
	cell(o, "Idle", str_ms(text, sizeof(text), r->idle), 'n');
	cell(o, "Up", str_bytes(text, sizeof(text), r->up), 'n');
	cell(o, "Down", str_bytes(text, sizeof(text), r->down), 'n');
	cell(o, "Ping", rtt(text, sizeof(text), r->rtt), 'n');
	count(o, "Resumed", r->resumes);
	cell(o, "Gap", gap_of(text, sizeof(text), r->gap), 'n');
	cell(o, "Window", window_of(text, sizeof(text), r), 'n');
	snprintf(text, sizeof(text), "%d", r->pid);
	cell(o, "Process", text, 'n');
	out_add(o, "</tr>\n");
}

void
report_html_end(struct out *o, unsigned int more)
{
	out_add(o, "</tbody>\n</table>\n");
	if (more > 0)
		out_add(o, "<p>and %u more</p>\n", more);
	out_add(o, "</body>\n</html>\n");
}
