/* SPDX-License-Identifier: ISC */
/*
 * The rows as a page of HTML, which loads nothing from elsewhere: its style and
 * script are in it.  On a narrow screen each row becomes a block, in which the
 * style shows the names of the columns from the attributes data-n.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/str.h"
#include "stats/render.h"

static const char style[] =
#include "page_style.h"
    ;
static const char script[] =
#include "page_script.h"
    ;

enum column { PEER, TARGET, STATE, AGE, IDLE, UP, UP_RATE, DOWN, DOWN_RATE,
    PING, RESUMED, GAP, WINDOW, PROCESS, COLUMNS };

static const struct {
	const char *name;
	char kind;	/* class: a(ddress), n(umber), s(tate) */
} columns[COLUMNS] = {
	[PEER] = { "Peer", 'a' },
	[TARGET] = { "Target", 'a' },
	[STATE] = { "State", 's' },
	[AGE] = { "Age", 'n' },
	[IDLE] = { "Idle", 'n' },
	[UP] = { "Up", 'n' },
	[UP_RATE] = { "Up/s", 'n' },
	[DOWN] = { "Down", 'n' },
	[DOWN_RATE] = { "Down/s", 'n' },
	[PING] = { "Ping", 'n' },
	[RESUMED] = { "Resumed", 'n' },
	[GAP] = { "Gap", 'n' },
	[WINDOW] = { "Window", 'n' },
	[PROCESS] = { "Process", 'n' }
};

void
report_html_policy(struct out *o)
{
	char hash[HASH_BASE64];

	hash_sha256_base64(hash, script, sizeof(script) - 1);
	out_add(o, "default-src 'none'; style-src 'unsafe-inline'; "
	    "script-src 'sha256-%s'; connect-src 'self'; base-uri 'none'; "
	    "form-action 'none'; frame-ancestors 'none'", hash);
}

void
report_html_head(struct out *o, const struct report *r)
{
	char up[24], down[24], age[24];

	out_add(o, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
	    "content=\"width=device-width, initial-scale=1\">\n<noscript>"
	    "<meta http-equiv=\"refresh\" content=\"5\"></noscript>\n"
	    "<title>inetws</title>\n<style>\n%s</style>\n</head>\n<body>\n"
	    "<main>\n<h1>inetws ", style);
	out_html(o, render_dash(r->mode));
	out_add(o, " ");
	out_html(o, r->name);
	out_add(o, "</h1>\n<p id=\"summary\" data-up=\"%" PRIu64
	    "\" data-down=\"%" PRIu64 "\">", r->counts.up, r->counts.down);
	render_states(o, r);
	out_add(o, " of at most %u; %" PRIu64 " connections in all, %" PRIu64
	    " refused; %s up, %s down<span id=\"rates\"></span>", r->max,
	    report_total(r), r->counts.refused,
	    str_bytes(up, sizeof(up), r->counts.up),
	    str_bytes(down, sizeof(down), r->counts.down));
	render_resumes(o, r);
	out_add(o, "; running for %s.</p>\n",
	    str_ms(age, sizeof(age), r->uptime));
}

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

/* The element is there without names too: the script puts them into it. */
void
report_html_names(struct out *o, const struct report_names *names)
{
	const struct report_name *n;
	unsigned int i;

	out_add(o, "<div id=\"names\">");
	if (names->n > 0)
		out_add(o, "<table>\n<thead><tr><th>Name</th>"
		    "<th class=\"n\">Parked</th><th class=\"n\">Open</th>"
		    "<th class=\"n\">Waiting</th></tr></thead>\n<tbody>\n");
	for (i = 0; i < names->n; i++) {
		n = &names->of[i];
		out_add(o, "<tr>");
		cell(o, "Name", n->text, 'a');
		count(o, "Parked", n->parked);
		count(o, "Open", n->open);
		count(o, "Waiting", n->waiting);
		out_add(o, "</tr>\n");
	}
	out_add(o, "%s</div>\n", names->n > 0 ? "</tbody>\n</table>\n" : "");
}

void
report_html_columns(struct out *o)
{
	int i;

	out_add(o, "<div id=\"controls\"></div>\n<div class=\"wide\" "
	    "tabindex=\"0\" role=\"region\" aria-label=\"Tunnels\">\n"
	    "<table id=\"tunnels\">\n<thead><tr>");
	for (i = 0; i < COLUMNS; i++)
		out_add(o, "<th class=\"%c\" data-n=\"%s\">%s</th>",
		    columns[i].kind, columns[i].name, columns[i].name);
	out_add(o, "</tr></thead>\n<tbody>\n");
}

static void
text_cell(struct out *o, enum column c, const char *text)
{
	cell(o, columns[c].name, text, columns[c].kind);
}

/* text: what is shown; value: by what the script sorts. */
static void
number_cell(struct out *o, enum column c, const char *text, int64_t value)
{
	out_add(o, "<td data-n=\"%s\" class=\"n\" data-v=\"%" PRId64
	    "\">%s</td>", columns[c].name, value, text);
}

static void
bytes_cells(struct out *o, enum column c, enum column rate, uint64_t bytes)
{
	char text[24];

	number_cell(o, c, str_bytes(text, sizeof(text), bytes),
	    (int64_t)bytes);
	number_cell(o, rate, "-", -1);
}

void
report_html_row(struct out *o, const struct report_row *r)
{
	char text[130];

	out_add(o, "<tr>");
	text_cell(o, PEER, render_peer(text, sizeof(text), r));
	text_cell(o, TARGET, render_dash(r->target));
	text_cell(o, STATE, report_state_name(r->state));
	number_cell(o, AGE, str_ms(text, sizeof(text), r->age), r->age);
	number_cell(o, IDLE, str_ms(text, sizeof(text), r->idle), r->idle);
	bytes_cells(o, UP, UP_RATE, r->up);
	bytes_cells(o, DOWN, DOWN_RATE, r->down);
	number_cell(o, PING, render_rtt(text, sizeof(text), r->rtt), r->rtt);
	snprintf(text, sizeof(text), "%u", r->resumes);
	number_cell(o, RESUMED, text, r->resumes);
	number_cell(o, GAP, render_gap(text, sizeof(text), r->gap), r->gap);
	number_cell(o, WINDOW, render_window(text, sizeof(text), r),
	    (int64_t)r->window_up + r->window_down);
	snprintf(text, sizeof(text), "%d", r->pid);
	number_cell(o, PROCESS, text, r->pid);
	out_add(o, "</tr>\n");
}

void
report_html_end(struct out *o, unsigned int more)
{
	out_add(o, "</tbody>\n</table>\n</div>\n<p id=\"more\">");
	if (more > 0)
		out_add(o, "and %u more", more);
	out_add(o, "</p>\n</main>\n<script>%s</script>\n</body>\n</html>\n",
	    script);
}
