/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/route.h"
#include "net/socket.h"
#include "proto/overrides.h"

/* The first of these environment variables that is set, and its name. */
static const char *
word_of(const char *const *names, const char **name)
{
	const char *value;

	for (; *names != NULL; names++)
		if ((value = secure_getenv(*names)) != NULL &&
		    value[0] != '\0') {
			*name = *names;
			return value;
		}
	return NULL;
}

/*
 * As curl does it: upper case counts too, but for HTTP_PROXY, which is what a
 * request's field Proxy becomes in a CGI program's environment.
 */
static int
from_environment(struct proxy *p, const struct url *url, const char **name,
    struct error *why)
{
	static const char *const plain[] = { "http_proxy", "all_proxy",
	    "ALL_PROXY", NULL };
	static const char *const tls[] = { "https_proxy", "HTTPS_PROXY",
	    "all_proxy", "ALL_PROXY", NULL };
	const char *word = word_of(url->tls ? tls : plain, name);
	char err[ERROR_LINE_MAX];

	if (word != NULL && proxy_parse(p, word, err, sizeof(err)) == -1)
		return error_set(why, EXIT_BADUSAGE, "environment variable "
		    "%s: %s", *name, err);
	return 0;
}

const char *
route_unused_variable(const struct url *url)
{
	static const char *const plain[] = { "HTTP_PROXY", "https_proxy",
	    "HTTPS_PROXY", NULL };
	static const char *const tls[] = { "http_proxy", "HTTP_PROXY", NULL };
	const char *name = NULL;

	word_of(url->tls ? tls : plain, &name);
	return name;
}

/* Is the URL's host one that no proxy is used for? */
static int
is_excepted(const struct options *o, const struct url *url,
    const char **name)
{
	static const char *const names[] = { "no_proxy", "NO_PROXY", NULL };
	const char *list = o->proxy.noproxy;

	if (list == NULL)
		list = word_of(names, name);
	return list != NULL && proxy_is_excepted(list, &url->at);
}

static enum route_reason
reason_of(const struct options *o, const struct url *url, const char **name)
{
	if (url->at.kind != ADDR_TCP || o->dial.unix_socket != NULL)
		return ROUTE_LOCAL;
	if (is_excepted(o, url, name))
		return ROUTE_EXCEPTED;
	*name = NULL;
	return o->proxy.server != NULL ? ROUTE_OPTION : ROUTE_UNNAMED;
}

static int
find_proxy(struct route *r, const struct options *o, const struct url *url,
    struct error *why)
{
	const char *name = NULL;
	char shown[ADDR_HOST_MAX + 32];

	r->proxy.kind = PROXY_NONE;
	r->reason = reason_of(o, url, &r->by_name);
	if (r->reason == ROUTE_OPTION)
		r->proxy = *o->proxy.server;
	else if (r->reason == ROUTE_UNNAMED &&
	    from_environment(&r->proxy, url, &name, why) == -1)
		return -1;
	if (r->proxy.kind == PROXY_NONE)
		return 0;
	if (r->reason == ROUTE_UNNAMED)
		r->reason = ROUTE_VARIABLE;
	r->by_name = name;
	if (o->proxy.user.value != NULL && (name == NULL ||
	    r->proxy.user[0] == '\0' || !o->proxy.user_yields))
		strlcpy(r->proxy.user, o->proxy.user.value,
		    sizeof(r->proxy.user));
	proxy_print(shown, sizeof(shown), &r->proxy);
	snprintf(r->name, sizeof(r->name), "proxy %s%s%s%s", shown,
	    name == NULL ? "" : " (of ", name == NULL ? "" : name,
	    name == NULL ? "" : ")");
	return 0;
}

/* The first entry for this host and port counts. */
static const char *
addresses_of(const struct options *o, const struct addr *at)
{
	struct override d;
	char err[ERROR_LINE_MAX];
	unsigned int i;

	for (i = 0; at->kind == ADDR_TCP && i < o->dial.resolve.n; i++)
		if (override_resolve(&d, o->dial.resolve.v[i], err,
		    sizeof(err)) == 0 && override_is_for(&d, at))
			return d.addresses;
	return NULL;
}

static void
connect_to(const struct options *o, struct addr *at)
{
	struct override d;
	char err[ERROR_LINE_MAX];
	unsigned int i;

	for (i = 0; at->kind == ADDR_TCP && i < o->dial.connect_to.n; i++)
		if (override_connect(&d, o->dial.connect_to.v[i], err,
		    sizeof(err)) == 0 && override_is_for(&d, at)) {
			override_apply(&d, at);
			return;
		}
}

int
route_find(struct route *r, const struct options *o, const struct url *url,
    struct error *why)
{
	memset(r, 0, sizeof(*r));
	if (find_proxy(r, o, url, why) == -1)
		return -1;
	r->server = url->at;
	if (o->dial.unix_socket != NULL && url->at.kind == ADDR_TCP)
		r->server = *o->dial.unix_socket;
	connect_to(o, &r->server);
	r->server_addresses = addresses_of(o, &r->server);
	if (r->proxy.kind == PROXY_NONE) {
		r->dial = r->server;
		r->addresses = r->server_addresses;
	} else {
		r->dial = r->proxy.at;
		r->addresses = addresses_of(o, &r->dial);
	}
	return 0;
}

static void
name_host(char *dst, size_t size, const struct route *r, const struct url *url)
{
	char text[ADDR_TEXT_MAX];

	addr_print(text, sizeof(text), &r->server);
	if (addr_same(&r->server, &url->at))
		snprintf(dst, size, "the URL's host %s", text);
	else
		snprintf(dst, size, "%s of --connect-to", text);
}

/* A proxy looks up what it is asked for, unless --resolve has it. */
int
route_check(struct route *r, const struct options *o, const struct url *url,
    struct error *why)
{
	char host[ADDR_HOST_MAX + 64];
	int by_proxy;

	if (route_find(r, o, url, why) == -1)
		return -1;
	by_proxy = r->proxy.kind != PROXY_NONE;
	name_host(host, sizeof(host), r, url);
	if (net_family_check(&r->dial, r->addresses, by_proxy ? r->name : host,
	    o->dial.interface, o->dial.family, why) == -1)
		return -1;
	return !by_proxy || r->proxy.kind == PROXY_HTTP ||
	    r->server_addresses == NULL ? 0 : net_family_check(&r->server,
	    r->server_addresses, host, NULL, o->dial.family, why);
}
