/* SPDX-License-Identifier: ISC */
/*
 * The steps on the path to the server.
 */
#include <stdio.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/steps.h"

void
judge_name(const struct check *c, struct step *s)
{
	int i, v6 = 0;

	if (c->find < 0)
		return;
	step_find(s, STEP_OK, c->find);
	if (c->addresses == 1 && strcmp(c->address[0].name, c->host) == 0) {
		step_say(s, "%s is an address", c->host);
		return;
	}
	step_say(s, "%s", c->host);
	for (i = 0; i < c->addresses; i++) {
		step_say(s, "%s%s", i == 0 ? " is " : ", ", c->address[i].name);
		v6 += c->address[i].name[0] == '[';
	}
	if (c->addresses > 0)
		step_say(s, " (%s)", v6 == 0 ? "IPv4 only" :
		    v6 == c->addresses ? "IPv6 only" : "IPv4 and IPv6");
}

void
judge_connect(const struct check *c, struct step *s)
{
	const struct check_address *a;
	char ms[24];
	int i;

	if (c->connect < 0)
		return;
	step_find(s, STEP_OK, c->connect);
	step_say(s, "%s", c->peer);
	for (i = 0; i < c->addresses; i++) {
		a = &c->address[i];
		if (strcmp(a->name, c->peer) != 0 &&
		    (a->us >= 0 || a->why[0] != '\0'))
			step_say(s, "; %s: %s%s", a->name, a->us < 0 ? a->why :
			    "connects too, in ", a->us < 0 ? "" :
			    str_ms(ms, sizeof(ms), a->us / 1000));
	}
}

void
judge_proxy(const struct check *c, struct step *s)
{
	if (c->proxy[0] != '\0') {
		if (c->tunnel >= 0)
			step_find(s, STEP_OK, c->tunnel);
		step_say(s, "%s%s", c->proxy, c->route == ROUTE_OPTION ?
		    " (of --proxy)" : "");
		return;
	}
	if (c->find < 0)
		return;
	step_find(s, STEP_OK, -1);
	switch (c->route) {
	case ROUTE_EXCEPTED:
		step_say(s, "none: %s excepts this host", c->route_by != NULL ?
		    c->route_by : "--noproxy");
		break;
	case ROUTE_LOCAL:
		step_say(s, "none: a Unix socket needs none");
		break;
	default:
		step_say(s, "none: no --proxy, and no variable for this URL");
	}
	if (c->unused != NULL && c->route == ROUTE_UNNAMED)
		step_say(s, "; %s is set, but does not count for %s",
		    c->unused, c->is_tls ? "wss://" : "ws://");
}

void
judge_tls(const struct check *c, struct step *s)
{
	int64_t days = check_days(c, c->now);
	char text[48];

	if (!c->is_tls) {
		if (c->connect >= 0)
			step_say(s, "none: ws:// is not encrypted");
		return;
	}
	if (c->tls < 0)
		return;
	step_find(s, STEP_OK, c->tls);
	step_say(s, "%s %s, certificate %s", c->cert.version, c->cert.cipher,
	    c->cert.verified ? "verified" : "NOT VERIFIED");
	if (!c->cert.known || c->limits.days == 0 ||
	    days >= (int64_t)c->limits.days)
		return;
	s->state = STEP_WARNING;
	s->text[0] = '\0';
	step_say(s, "certificate %s %s, limit %u",
	    c->cert.chain[check_expires(&c->cert)].subject,
	    check_expiry(text, sizeof(text), days), c->limits.days);
}

void
judge_answer(const struct check *c, struct step *s)
{
	if (c->http_status == 0)
		return;
	step_find(s, STEP_OK, c->upgrade);
	step_say(s, "%d from ", c->http_status);
	switch (c->who) {
	case WHO_UNKNOWN:
		step_say(s, "a server that does not tell its name");
		break;
	case WHO_INETWS:
		step_say(s, "inetws%s%s", c->who_name[0] != '\0' ?
		    " behind " : "", c->who_name);
		break;
	case WHO_SERVER:
		step_say(s, "%s", c->who_name);
		break;
	case WHO_CDN:
		step_say(s, "%s, a CDN", c->who_name);
		break;
	case WHO_LOGIN:
		step_say(s, "a login page%s%s", c->who_name[0] != '\0' ?
		    " of " : "", c->who_name);
		break;
	}
	if (c->title[0] != '\0')
		step_say(s, ", \"%s\"", c->title);
}

void
judge_upgrade(const struct check *c, struct step *s)
{
	if (c->http_status != 101)
		return;
	step_find(s, STEP_OK, -1);
	step_say(s, "passed");
}
