/* SPDX-License-Identifier: ISC */
/* The same rows as a table for a terminal, and as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "stats/render.h"

const char *
render_dash(const char *s)
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

char *
render_rtt(char *dst, size_t size, int64_t ms)
{
	if (ms < 0)
		snprintf(dst, size, "-");
	else
		snprintf(dst, size, "%" PRId64 "ms", ms);
	return dst;
}

const char *
render_peer(char *dst, size_t size, const struct report_row *r)
{
	snprintf(dst, size, "%s%s%s", r->user, r->user[0] != '\0' ? "@" : "",
	    render_dash(r->peer));
	return dst;
}

void
render_states(struct out *o, const struct report *r)
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

char *
render_gap(char *dst, size_t size, int64_t ms)
{
	if (ms == 0)
		return memcpy(dst, "-", 2);
	return str_ms(dst, size, ms);
}

char *
render_window(char *dst, size_t size, const struct report_row *r)
{
	char up[24], down[24];

	if (r->window_up == 0 && r->window_down == 0)
		return memcpy(dst, "-", 2);
	str_size_short(up, sizeof(up), r->window_up);
	str_size_short(down, sizeof(down), r->window_down);
	snprintf(dst, size, "%s/%s", up, down);
	return dst;
}

void
render_resumes(struct out *o, const struct report *r)
{
	char gap[24];

	if (r->counts.losses == 0)
		return;
	out_add(o, "; %" PRIu64 " lost, %" PRIu64 " resumed, longest gap %s",
	    r->counts.losses, r->counts.resumes,
	    render_gap(gap, sizeof(gap), r->gap));
}

#define WIDE	168	/* has room for all columns */

static int
is_wide(unsigned int width)
{
	return width == 0 || width >= WIDE;
}

#define INDENT	2	/* of a line that goes on from the one before */

/*
 * Text behind an indentation, continued behind a "," or ";" where it must be.
 */
static void
add_wrapped(struct out *o, const char *text, unsigned int width)
{
	size_t at = INDENT, len;

	for (; *text != '\0'; text += len) {
		len = strcspn(text, ",;");
		len += text[len] != '\0';
		if (at + len > width && *text == ' ') {
			text++;
			len--;
			out_add(o, "\n%*s", INDENT, "");
			at = INDENT;
		}
		out_add(o, "%.*s", (int)len, text);
		at += len;
	}
}

/* How many tunnels there are and were, and what they did. */
static void
add_totals(struct out *o, const struct report *r)
{
	char up[24], down[24];

	render_states(o, r);
	out_add(o, "; %" PRIu64 " in all, %" PRIu64 " refused, %s up, "
	    "%s down", report_total(r), r->counts.refused,
	    str_bytes(up, sizeof(up), r->counts.up),
	    str_bytes(down, sizeof(down), r->counts.down));
	render_resumes(o, r);
}

static void
add_huge_text(struct out *o, const struct report *r)
{
	if (r->huge_text > 0)
		out_add(o, "  huge text: %" PRIu64 " MiB\n", r->huge_text >> 20);
	else if (strcmp(r->huge_text_missing, "off") == 0)
		out_add(o, "  huge text: off\n");
	else if (r->huge_text_missing[0] != '\0')
		out_add(o, "  huge text: no (%s)\n", r->huge_text_missing);
}

void
report_table_head(struct out *o, const struct report *r, unsigned int width)
{
	char age[24], text[400];
	struct out totals;

	out_add(o, "inetws %s %s", render_dash(r->mode), render_dash(r->name));
	if (r->pid != 0)
		out_add(o, ", process %d", r->pid);
	out_begin(&totals, text, sizeof(text));
	add_totals(&totals, r);
	out_add(o, ", up %s%s", str_ms(age, sizeof(age), r->uptime),
	    is_wide(width) ? ": " : "\n  ");
	if (is_wide(width))
		out_add(o, "%s", text);
	else
		add_wrapped(o, text, width > 80 ? width : 80);
	out_add(o, "\n");
	if (r->sandbox[0] != '\0')
		out_add(o, "  sandbox %s%s\n", strcmp(r->sandbox, "off") == 0 ?
		    "" : "without ", r->sandbox);
	add_huge_text(o, r);
}

#define COLUMNS	"%-7s %-11s %-21s %-24s %7s %7s %9s %9s %11s %11s %6s %3s %6s " \
	"%9s"
#define NARROW	"%-6.6s %-6.6s %-*.*s %-*.*s %6s %8s %8s %6s\n"
#define FIXED	47	/* characters of NARROW without peer and target */

/* Peer and target share the rest; at 80 an IPv4 address and port fit. */
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
	render_peer(peer, sizeof(peer), r);
	str_ms(age, sizeof(age), r->age);
	str_bytes(up, sizeof(up), r->up);
	str_bytes(down, sizeof(down), r->down);
	render_rtt(trip, sizeof(trip), r->rtt);
	if (is_wide(width))
		out_add(o, COLUMNS " %s\n", pid, report_state_name(r->state),
		    peer, render_dash(r->target), age,
		    str_ms(idle, sizeof(idle), r->idle), up, down,
		    rate(upr, sizeof(upr), r->up_rate),
		    rate(downr, sizeof(downr), r->down_rate), trip, resumes,
		    render_gap(gap, sizeof(gap), r->gap),
		    render_window(window, sizeof(window), r),
		    render_dash(r->id));
	else
		out_add(o, NARROW, pid, report_state_name(r->state), pw, pw,
		    peer, tw, tw, render_dash(r->target), age, up, down, trip);
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
	out_add(o, "\"huge_text\":%" PRIu64 ",", r->huge_text);
	member(o, "huge_text_missing", r->huge_text_missing);
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
