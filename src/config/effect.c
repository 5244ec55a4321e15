/* SPDX-License-Identifier: ISC */
/*
 * Errors for options that have no effect, and for those that exclude each
 * other, by needs, rule and excludes of the table.  An option is allowed if a
 * redirect, the environment or a reload could give it an effect.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/settings.h"

static int
has_target(const struct options *o)
{
	return o->program == NULL;
}

static int
has_program(const struct options *o)
{
	return o->program != NULL;
}

/*
 * A server dials its target, which may be a program or a socket; others a URL.
 */
static int
uses_network(const struct options *o)
{
	return o->mode != MODE_SERVER ||
	    (o->program == NULL && o->target.kind == ADDR_TCP);
}

/* Only a side that accepts websockets may have --subprotocol *. */
static int
is_named(const struct options *o)
{
	return o->mode == MODE_SERVER || o->mode == MODE_GATE ||
	    o->websocket.subprotocol == NULL ||
	    strcmp(o->websocket.subprotocol, "*") != 0;
}

/* Without --proxy the environment may name one. */
static int
may_use_proxy(const struct options *o)
{
	return o->proxy.server == NULL || o->proxy.server->kind != PROXY_NONE;
}

static int
may_use_http_proxy(const struct options *o)
{
	return o->proxy.server == NULL || o->proxy.server->kind == PROXY_HTTP;
}

static int
may_use_https_proxy(const struct options *o)
{
	return o->proxy.server == NULL || o->proxy.server->tls;
}

static int
may_use_tls12(const struct options *o)
{
	return o->tls.min == 0;
}

/*
 * --ping-timeout must be longer than --ping-interval: a ping comes before it.
 */
static int
pings_before(const struct options *o)
{
	return o->timeouts.ping == 0 || (o->timeouts.ping_interval != 0 &&
	    o->timeouts.ping > o->timeouts.ping_interval);
}

/* Is something dialled, or a PROXY header read? */
static int
dials_or_reads(const struct options *o)
{
	return o->access.accept_proxy || (o->mode != MODE_GATE &&
	    (o->mode != MODE_SERVER || has_target(o)));
}

/*
 * May a listener be of this kind?  A descriptor that another program passes to
 * us may be of any kind.
 */
static int
may_come_by(const struct options *o, enum addr_kind kind)
{
	unsigned int i;

	for (i = 0; i < o->nlisten; i++)
		if (o->listen[i].kind == kind ||
		    (o->listen[i].kind != ADDR_TCP &&
		    o->listen[i].kind != ADDR_UNIX))
			return 1;
	return o->nlisten == 0;
}

/* Peers at a Unix socket have no address, unless a PROXY header has it. */
static int
have_addresses(const struct options *o)
{
	return o->access.accept_proxy || may_come_by(o, ADDR_TCP);
}

static int
trusts_unix(const struct options *o)
{
	unsigned int i;

	for (i = 0; i < o->access.trusted_proxy.n; i++)
		if (strcmp(o->access.trusted_proxy.v[i], "unix") == 0)
			return 1;
	return 0;
}

/* The same, or a field of a trusted proxy has it. */
static int
addresses_are_told(const struct options *o)
{
	return have_addresses(o) || (trusts_unix(o) &&
	    o->access.real_ip_header != REAL_IP_NONE);
}

/* Is there a listener where a --trusted-proxy may connect? */
static int
proxies_may_come(const struct options *o)
{
	return trusts_unix(o) ? may_come_by(o, ADDR_UNIX) : have_addresses(o);
}

/* --spare and --warm must not be more than --max-connections. */
static int
may_be_ready(const struct options *o)
{
	return (o->mode == MODE_AGENT ? o->reverse.spare : o->reverse.warm) <=
	    o->limits.connections;
}

static int
is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/*
 * --metrics-path, --health-path and --path must differ.  With --visitors-dir
 * websockets have longer paths than --path.
 */
static int
pages_differ(const struct options *o)
{
	const char *path = o->reverse.visitors_dir == NULL ?
	    o->websocket.path : NULL;

	return !is_same(o->observe.metrics_path, o->observe.health_path) &&
	    !is_same(o->observe.metrics_path, path) &&
	    !is_same(o->observe.health_path, path);
}

/* --chroot: a process of root could leave the directory. */
static int
is_kept_in(const struct options *o)
{
	return o->service.run_as != NULL || geteuid() != 0;
}

const struct option_rule
    rule_target = { has_target, "a TARGET, not a PROGRAM" },
    rule_program = { has_program, "a PROGRAM, not a TARGET" },
    rule_network = { uses_network, "a TARGET that is HOST:PORT" },
    rule_subprotocol = { is_named, "names: only server and gate take '*'" },
    rule_proxy = { may_use_proxy, "a proxy, but --proxy is empty" },
    rule_http_proxy = { may_use_http_proxy, "an HTTP proxy" },
    rule_https_proxy = { may_use_https_proxy, "an https:// proxy" },
    rule_tls12 = { may_use_tls12, "TLS 1.2, but there is --tls-min 1.3" },
    rule_ping = { pings_before, "a --ping-interval that is shorter" },
    rule_dials = { dials_or_reads, "a TARGET to dial, or --accept-proxy" },
    rule_addresses = { have_addresses,
	"a LISTEN that is no Unix socket, or --accept-proxy" },
    rule_told = { addresses_are_told, "a LISTEN that is no Unix socket, "
	"--accept-proxy, or --real-ip-header with --trusted-proxy unix" },
    rule_trusted = { proxies_may_come,
	"a LISTEN where such proxies may come" },
    rule_ready = { may_be_ready, "a --max-connections that allows so many" },
    rule_pages = { pages_differ, "a path of its own: --path, "
	"--metrics-path and --health-path must differ" },
    rule_chroot = { is_kept_in, "--run-as: root can leave the directory" };

static int
is_on(const struct options *o, const struct option *row)
{
	return row->type->is_on == NULL ||
	    row->type->is_on((const char *)o + row->offset, row);
}

/*
 * How many options of "a|b" the mode has; *in_use is the first one that is in
 * use, or NULL.
 */
static unsigned int
look_up(const struct options *o, const char *names,
    const struct option **in_use)
{
	const struct option *row;
	unsigned int n = 0;

	*in_use = NULL;
	while ((row = option_next(&names)) != NULL) {
		if (!option_in_mode(row, o->mode))
			continue;
		n++;
		if (*in_use == NULL && is_on(o, row))
			*in_use = row;
	}
	return n;
}

int
option_has_effect(const struct options *o, const struct option *row)
{
	const struct option *in_use;

	return (look_up(o, row->needs, &in_use) == 0 || in_use != NULL) &&
	    (row->rule == NULL || row->rule->holds(o));
}

/* Writes "--a, --b or --c" for "a|b|c": those options that the mode has. */
static char *
print_names(char *dst, size_t size, const struct options *o,
    const char *names, const char *dashes)
{
	const struct option *row, *in_use;
	unsigned int left = look_up(o, names, &in_use);
	size_t n = 0;

	dst[0] = '\0';
	while ((row = option_next(&names)) != NULL) {
		if (!option_in_mode(row, o->mode) || n >= size)
			continue;
		left--;
		n += snprintf(dst + n, size - n, "%s%s%s", dashes, row->name,
		    left > 1 ? ", " : left == 1 ? " or " : "");
	}
	return dst;
}

static int
check_one(const struct options *o, const struct setting *s, struct error *why)
{
	const struct option *row = s->row, *other;
	const char *dashes = s->file == NULL ? "--" : "";
	char names[200], err[300];

	if (!is_on(o, row))
		return 0;
	look_up(o, row->excludes, &other);
	if (other != NULL)
		snprintf(err, sizeof(err), "not together with %s%s", dashes,
		    other->name);
	else if (option_has_effect(o, row))
		return 0;
	else if (look_up(o, row->needs, &other) > 0 && other == NULL)
		snprintf(err, sizeof(err), "has no effect without %s",
		    print_names(names, sizeof(names), o, row->needs, dashes));
	else
		snprintf(err, sizeof(err), "needs %s", row->rule->needs);
	return setting_fail(s, why, err);
}

/*
 * Is an option with once given again on the command line, or in the same file?
 */
static int
is_dropped(const struct settings *set, const struct setting *s)
{
	const struct setting *other;

	for (other = s + 1; other < set->v + set->n; other++)
		if (s->row->once && other->row == s->row &&
		    other->file == s->file)
			return 1;
	return 0;
}

/* Is it a flag, and not one that says "no"? */
static int
is_flag_set(const struct setting *s)
{
	return s->row->arg == NULL &&
	    (s->value == NULL || strcmp(s->value, "no") != 0);
}

/*
 * A later flag that contradicts this one, as -4 and -6: another option with the
 * same member, on the command line or in the same file; or NULL.
 */
static const struct setting *
contradiction(const struct settings *set, const struct setting *s)
{
	const struct setting *other;

	for (other = s + 1; other < set->v + set->n; other++)
		if (other->row != s->row && other->file == s->file &&
		    is_flag_set(other) && is_flag_set(s) &&
		    s->row->offset != 0 &&
		    other->row->offset == s->row->offset)
			return other;
	return NULL;
}

static int
check_all(const struct options *o, const struct settings *set,
    struct error *why)
{
	const struct setting *s, *other;
	char err[ERROR_LINE_MAX];

	for (s = set->v; s < set->v + set->n; s++) {
		if (is_dropped(set, s))
			return setting_fail(s, why, "is given twice");
		if ((other = contradiction(set, s)) != NULL) {
			snprintf(err, sizeof(err), "not together with %s%s",
			    s->file == NULL ? "--" : "", other->row->name);
			return setting_fail(s, why, err);
		}
		if (check_one(o, s, why) == -1)
			return -1;
	}
	return 0;
}

/* file: the one that lacks the option, NULL: the command line does. */
static int
missing_option(const char *what, const char *names, const char *file,
    struct error *why)
{
	if (file == NULL)
		return error_set(why, EXIT_BADUSAGE, "%s expected %s", what,
		    names);
	return error_set(why, EXIT_BADCONFIG, "%s: %s expected %s", file,
	    what, names);
}

int
effect_check(const struct options *o, const struct settings *files,
    const struct settings *cli, struct error *why)
{
	const struct mode_row *mode = mode_of(o->mode);
	const struct option *in_use;
	const struct mode_need *need;
	char names[200];

	if (check_all(o, files, why) == -1 || check_all(o, cli, why) == -1)
		return -1;
	for (need = mode->needs; need < mode->needs + 2; need++)
		if (look_up(o, need->names, &in_use) > 0 && in_use == NULL)
			return missing_option(need->what, print_names(names,
			    sizeof(names), o, need->names, files->mode_file == NULL
			    ? "--" : ""), files->mode_file, why);
	return 0;
}
