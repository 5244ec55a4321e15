/* SPDX-License-Identifier: ISC */
/*
 * Which way a connection goes: which of options and variables names a proxy,
 * who is excepted, and what --resolve, --connect-to and --unix-socket change.
 *
 * If it fails: a connection goes past the proxy that it has to use, or
 * credentials go to another one.
 */
#include <stdlib.h>
#include <string.h>

#include "handshake/route.h"
#include "net/socket.h"
#include "tap.h"

static struct options o;
static struct route r;
static struct error why;
static struct url plain, tls, local, six;

static void
clear_environment(void)
{
	static const char *const names[] = { "http_proxy", "HTTP_PROXY",
	    "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
	    "NO_PROXY" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

static void
begin(void)
{
	clear_environment();
	memset(&o, 0, sizeof(o));
}

static void
parse(struct url *u, const char *text)
{
	char err[200];

	if (url_parse(u, text, err, sizeof(err)) == -1)
		abort();
}

static const struct proxy *
proxy(const char *text)
{
	static struct proxy p;
	char err[200];

	if (proxy_parse(&p, text, err, sizeof(err)) == -1)
		abort();
	return &p;
}

/* The host that is dialled, and why. */
static const char *
find(const struct url *u, enum route_reason reason)
{
	memset(&r, 0xff, sizeof(r));
	if (route_find(&r, &o, u, &why) == -1)
		return why.text;
	is(r.reason, reason, "the reason");
	return r.dial.host;
}

static void
test_variables(void)
{
	/* in this order each goes before those behind it */
	static const char *const for_plain[] = { "http_proxy", "all_proxy",
	    "ALL_PROXY" };
	static const char *const for_tls[] = { "https_proxy", "HTTPS_PROXY",
	    "all_proxy", "ALL_PROXY" };
	size_t i;

	begin();
	is_str(find(&plain, ROUTE_UNNAMED), "h.example", "nothing is set");
	ok(r.proxy.kind == PROXY_NONE && r.by_name == NULL &&
	    r.name[0] == '\0', "there is no proxy");
	for (i = 3; i-- > 0;) {
		setenv(for_plain[i], "p.example:7", 1);
		is_str(find(&plain, ROUTE_VARIABLE), "p.example",
		    for_plain[i]);
		is_str(r.by_name, for_plain[i], "by this name");
	}
	is_str(r.name, "proxy http://p.example:7 (of http_proxy)",
	    "a message has both");
	ok(r.dial.port == 7 && strcmp(r.server.host, "h.example") == 0,
	    "it is asked for the host");
	setenv("http_proxy", "", 1);
	is_str(find(&plain, ROUTE_VARIABLE), "p.example",
	    "an empty one is none");
	is_str(r.by_name, "all_proxy", "the next one counts");
	clear_environment();
	for (i = 4; i-- > 0;) {
		setenv(for_tls[i], "p.example:7", 1);
		is_str(find(&tls, ROUTE_VARIABLE), "p.example", for_tls[i]);
		is_str(r.by_name, for_tls[i], "by this name");
	}
	setenv("https_proxy", "ftp://x", 1);
	is(route_find(&r, &o, &tls, &why), -1, "what is no proxy");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strncmp(why.text, "environment variable https_proxy: ", 34) == 0,
	    "%s", why.text);
	clear_environment();
	setenv("HTTP_PROXY", "p.example", 1);
	is_str(find(&plain, ROUTE_UNNAMED), "h.example",
	    "HTTP_PROXY may be a field of a request");
}

static void
test_unused(void)
{
	static const char *const for_plain[] = { "HTTP_PROXY", "https_proxy",
	    "HTTPS_PROXY" };
	static const char *const for_tls[] = { "http_proxy", "HTTP_PROXY" };
	size_t i;

	begin();
	ok(route_unused_variable(&plain) == NULL, "nothing is set");
	for (i = 3; i-- > 0;) {
		setenv(for_plain[i], "p", 1);
		is_str(route_unused_variable(&plain), for_plain[i],
		    "set in vain");
	}
	clear_environment();
	for (i = 2; i-- > 0;) {
		setenv(for_tls[i], "p", 1);
		is_str(route_unused_variable(&tls), for_tls[i], "with TLS");
	}
}

static void
test_exceptions(void)
{
	begin();
	o.proxy.server = proxy("http://p.example:7");
	is_str(find(&plain, ROUTE_OPTION), "p.example", "--proxy");
	ok(r.by_name == NULL, "no variable named it");
	is_str(r.name, "proxy http://p.example:7", "nor is one told");
	setenv("http_proxy", "q.example", 1);
	is_str(find(&plain, ROUTE_OPTION), "p.example", "goes before one");
	setenv("NO_PROXY", "h.example", 1);
	is_str(find(&plain, ROUTE_EXCEPTED), "h.example", "NO_PROXY");
	is_str(r.by_name, "NO_PROXY", "excepts it");
	setenv("no_proxy", "i.example", 1);
	is_str(find(&plain, ROUTE_OPTION), "p.example",
	    "no_proxy goes before that");
	o.proxy.noproxy = "h.example";
	is_str(find(&plain, ROUTE_EXCEPTED), "h.example", "--noproxy");
	ok(r.by_name == NULL, "is an option");
	o.proxy.noproxy = "";
	setenv("no_proxy", "h.example", 1);
	is_str(find(&plain, ROUTE_OPTION), "p.example",
	    "that except nobody goes before all variables");
	is_str(find(&local, ROUTE_LOCAL), "", "a Unix socket");
	is(r.proxy.kind, PROXY_NONE, "has no proxy");
	is_str(r.dial.path, "/run/x", "it is dialled");
}

static const char *
user(const char *option, int yields)
{
	o.proxy.user.value = option;
	o.proxy.user_yields = yields;
	find(&plain, r.reason);
	return r.proxy.user;
}

static void
test_user(void)
{
	begin();
	o.proxy.server = proxy("http://a:b@p.example:7");
	find(&plain, ROUTE_OPTION);
	is_str(user(NULL, 0), "a:b", "that of the URL of a proxy");
	is_str(user("c:d", 0), "c:d", "--proxy-user goes before it");
	is_str(user("c:d", 1), "c:d", "wherever it is from");
	o.proxy.server = NULL;
	setenv("http_proxy", "http://a:b@p.example:7", 1);
	find(&plain, ROUTE_VARIABLE);
	is_str(user("c:d", 0), "c:d", "it goes before a variable's");
	is_str(user("c:d", 1), "a:b",
	    "but not if it is of a configuration file");
	setenv("http_proxy", "http://p.example:7", 1);
	is_str(user("c:d", 1), "c:d", "which counts where there is none");
	is_str(user(NULL, 1), "", "or there is none at all");
}

static void
test_overrides(void)
{
	struct addr at = { .kind = ADDR_UNIX, .path = "/run/y" };

	begin();
	o.dial.resolve.v[0] = "i.example:80:192.0.2.1";
	o.dial.resolve.v[1] = "h.example:80:192.0.2.2,192.0.2.3";
	o.dial.resolve.v[2] = "h.example:80:192.0.2.4";
	o.dial.resolve.n = 3;
	is_str(find(&plain, ROUTE_UNNAMED), "h.example", "--resolve");
	is_str(r.addresses, "192.0.2.2,192.0.2.3", "the first entry counts");
	find(&tls, ROUTE_UNNAMED);
	ok(r.addresses == NULL, "for its port only");
	o.dial.resolve.n = 1;
	find(&plain, ROUTE_UNNAMED);
	ok(r.addresses == NULL, "as many as there are");
	o.dial.connect_to.v[0] = "j.example:80:z.example:9";
	o.dial.connect_to.v[1] = "h.example:80:i.example:80";
	o.dial.connect_to.v[2] = "i.example:80:k.example:80";
	o.dial.connect_to.n = 3;
	is_str(find(&plain, ROUTE_UNNAMED), "i.example", "--connect-to");
	is_str(r.addresses, "192.0.2.1", "and then --resolve");
	o.dial.connect_to.n = 1;
	is_str(find(&plain, ROUTE_UNNAMED), "h.example", "as many as there are");
	o.dial.connect_to.n = 2;
	/* a proxy is asked for another host; it has addresses of its own */
	o.proxy.server = proxy("http://p.example:80");
	o.dial.resolve.v[1] = "p.example:80:192.0.2.9";
	o.dial.resolve.n = 2;
	is_str(find(&plain, ROUTE_OPTION), "p.example", "by a proxy");
	is_str(r.addresses, "192.0.2.9", "its addresses");
	is_str(r.server.host, "i.example", "what it is asked for");
	is_str(r.server_addresses, "192.0.2.1", "and where that is");
	o.dial.unix_socket = &at;
	is_str(find(&plain, ROUTE_LOCAL), "", "--unix-socket");
	is_str(r.dial.path, "/run/y", "goes before all of that");
	ok(r.addresses == NULL && r.proxy.kind == PROXY_NONE, "(nothing else)");
	is_str(find(&local, ROUTE_LOCAL), "", "but not before a URL's");
	is_str(r.dial.path, "/run/x", "own socket");
}

static void
test_check(void)
{
	begin();
	is(route_check(&r, &o, &six, &why), 0, "an IPv6 address");
	o.dial.family = NET_IPV4;
	is(route_check(&r, &o, &six, &why), -1, "not with --ipv4");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strstr(why.text, "the URL's host [2001:db8::1]:80") != NULL, "%s",
	    why.text);
	is(route_check(&r, &o, &plain, &why), 0, "a name may have both");
	o.dial.connect_to.v[0] = "h.example:80:[2001:db8::2]:80";
	o.dial.connect_to.n = 1;
	is(route_check(&r, &o, &plain, &why), -1, "what it leads to");
	ok(strstr(why.text, "[2001:db8::2]:80 of --connect-to") != NULL, "%s",
	    why.text);
	o.dial.connect_to.n = 0;
	o.dial.resolve.v[0] = "h.example:80:[2001:db8::3]";
	o.dial.resolve.n = 1;
	is(route_check(&r, &o, &plain, &why), -1, "what --resolve says");
	/* a proxy looks names up by itself, unless we do it for it */
	o.proxy.server = proxy("http://p.example:7");
	is(route_check(&r, &o, &six, &why), 0, "an HTTP proxy may reach it");
	is(route_check(&r, &o, &plain, &why), 0, "and its name");
	o.proxy.server = proxy("socks5h://p.example:7");
	is(route_check(&r, &o, &six, &why), 0, "a SOCKS proxy too");
	is(route_check(&r, &o, &plain, &why), -1,
	    "but not what --resolve has for it");
	o.proxy.server = proxy("http://[2001:db8::4]:7");
	is(route_check(&r, &o, &plain, &why), -1, "the proxy itself");
	ok(strstr(why.text, "proxy http://[2001:db8::4]:7") != NULL, "%s",
	    why.text);
	setenv("http_proxy", "ftp://x", 1);
	o.proxy.server = NULL;
	is(route_check(&r, &o, &plain, &why), -1, "nor what is no proxy");
}

int
main(void)
{
	parse(&plain, "ws://h.example/");
	parse(&tls, "wss://h.example/");
	parse(&local, "ws+unix:/run/x:/");
	parse(&six, "ws://[2001:db8::1]/");
	test_variables();
	test_unused();
	test_exceptions();
	test_user();
	test_overrides();
	test_check();
	return done_testing();
}
