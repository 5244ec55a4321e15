/* SPDX-License-Identifier: ISC */
/*
 * The result of check for a person.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"

/* The indentation of more lines of a step. */
#define MORE	"                                "

static const char *const names[CHECK_STEPS] = {
	[STEP_NAME] = "name",
	[STEP_CONNECT] = "connect",
	[STEP_PROXY] = "proxy",
	[STEP_TLS] = "tls",
	[STEP_ANSWER] = "answer",
	[STEP_UPGRADE] = "upgrade",
	[STEP_EXTENSION] = "extension",
	[STEP_SUBPROTOCOL] = "subprotocol",
	[STEP_PING] = "ping",
	[STEP_MESSAGE] = "message",
	[STEP_TARGET] = "target",
	[STEP_RESUME] = "resume",
	[STEP_IDLE] = "idle",
};

/* ISO 6429: green, yellow, red. */
static const struct {
	const char *word, *colour;
} states[] = {
	[STEP_NOT_TRIED] = { "-", "" },
	[STEP_OK] = { "ok", "\033[32m" },
	[STEP_WARNING] = { "warning", "\033[33m" },
	[STEP_FAILED] = { "failed", "\033[31m" },
	[STEP_STOPPED] = { "stopped", "\033[33m" },
};

const char *
check_step_name(enum check_step i)
{
	return names[i];
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
	char text[48];
	unsigned int i;

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

/* A word in the colour of a state, padded to width. */
static void
coloured(struct out *o, const char *word, enum step_state state, int width,
    int colours)
{
	const char *colour = colours ? states[state].colour : "";
	int blanks = width - (int)strlen(word);

	out_add(o, "%s%s%s%*s", colour, word, colour[0] != '\0' ?
	    "\033[0m" : "", blanks > 0 ? blanks : 0, "");
}

static void
show_step(struct out *o, const struct check *c, enum check_step i,
    int64_t now, int colours)
{
	const struct step *s = &c->step[i];

	if (s->state == STEP_NOT_TRIED && s->text[0] == '\0')
		return;
	coloured(o, states[s->state].word, s->state, 8, colours);
	out_add(o, "%-11s ", names[i]);
	if (s->us >= 0)
		out_add(o, "%6" PRId64 ".%02" PRId64 " ms", s->us / 1000,
		    s->us / 10 % 100);
	out_add(o, "%*s%s\n", s->us >= 0 ? 2 : 14, "", s->text);
	if (i == STEP_TLS)
		show_cert(o, c, now);
	if (i != STEP_ANSWER)
		return;
	more(o, "server", c->server);
	more(o, "via", c->via);
}

void
check_show(struct out *o, const struct check *c, enum check_step from,
    enum check_step to, int64_t now, int colours)
{
	enum check_step i;

	for (i = from; i < to; i++)
		show_step(o, c, i, now, colours);
}

void
check_show_redirect(struct out *o, const struct check *c)
{
	more(o, "redirected to", c->at);
}

void
check_show_others(struct out *o, const struct check *c)
{
	const struct check_address *a;
	char ms[24];
	int i;

	for (i = 0; i < c->addresses; i++) {
		a = &c->address[i];
		if (strcmp(a->name, c->peer) != 0 &&
		    (a->us >= 0 || a->why[0] != '\0'))
			out_add(o, "%8s%-25s%s: %s%s\n", "",
			    names[STEP_CONNECT], a->name, a->us < 0 ? a->why :
			    "connects too, in ", a->us < 0 ? "" :
			    str_ms(ms, sizeof(ms), a->us / 1000));
	}
}

static void
show_line(struct out *o, int n, const char *line)
{
	out_add(o, "%s  %s\n", n == 0 ? "next:\n" : "", line);
}

void
check_result(struct out *o, const struct check *c, int colours)
{
	char why[sizeof(c->why.text) + 64];
	int i;

	for (i = 0; check_warnings(c) > 0 && i < CHECK_STEPS; i++)
		if (c->step[i].state == STEP_WARNING) {
			coloured(o, "warning:", STEP_WARNING, 9, colours);
			out_add(o, "%s\n", c->step[i].text);
		}
	if (c->stopped != 0) {
		check_why(c, why, sizeof(why));
		coloured(o, "stopped", STEP_STOPPED, 0, colours);
		out_add(o, "%s\n", why + strlen("stopped"));
	} else if (c->why.status != EXIT_ENDED) {
		coloured(o, "failed:", STEP_FAILED, 8, colours);
		out_add(o, "%s\n", c->why.text);
	} else if (check_warnings(c) == 0) {
		coloured(o, "all is well", STEP_OK, 0, colours);
		out_add(o, "\n");
	}
	check_next(o, c, show_line);
}
