/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "modes/check/check.h"

/* Servers by a field of their answers, which has this text in any case. */
static const struct {
	const char *field, *holds, *name;
	enum check_who who;
} known[] = {
	{ "CF-RAY", "", "Cloudflare", WHO_CDN },
	{ "Server", "cloudflare", "Cloudflare", WHO_CDN },
	{ "X-Amz-Cf-Id", "", "Amazon CloudFront", WHO_CDN },
	{ "X-Azure-Ref", "", "Azure", WHO_CDN },
	{ "X-Served-By", "cache-", "Fastly", WHO_CDN },
	{ "Server", "AkamaiGHost", "Akamai", WHO_CDN },
	{ "Server", "BunnyCDN", "Bunny", WHO_CDN },
	{ "Via", "google", "Google's load balancer", WHO_SERVER },
	{ "Server", "awselb", "AWS load balancer", WHO_SERVER },
	{ "Server", "nginx", "nginx", WHO_SERVER },
	{ "Server", "openresty", "OpenResty (nginx)", WHO_SERVER },
	{ "Server", "Apache", "Apache", WHO_SERVER },
	{ "Server", "Caddy", "Caddy", WHO_SERVER },
	{ "Via", "Caddy", "Caddy", WHO_SERVER },
	{ "Server", "envoy", "Envoy", WHO_SERVER },
	{ "Server", "Microsoft-IIS", "IIS", WHO_SERVER },
	{ "Server", "squid", "squid", WHO_SERVER },
	{ "Via", "squid", "squid", WHO_SERVER },
	{ "Via", "varnish", "Varnish", WHO_SERVER },
	{ "Server", "WebSockify", "websockify", WHO_SERVER },
	{ "Server", "Python", "Python", WHO_SERVER },
};

/* Words of pages that ask for a login. */
static const char *const login[] = { "type=\"password\"", "type='password'",
    "type=password", "login", "log in", "signin", "sign in", "sign-in",
    "single sign-on", "saml", "oauth", "openid", "captive", NULL };

static int
holds(struct slice in, const char *word)
{
	return slice_find_nocase(in, word) != NULL;
}

static void
set_who(struct check *c, enum check_who who, const char *name)
{
	c->who = who;
	strlcpy(c->who_name, name, sizeof(c->who_name));
}

static int
by_field(struct check *c, const struct http_head *head)
{
	struct slice value;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (http_field(head, known[i].field, &value) == 1 &&
		    holds(value, known[i].holds)) {
			set_who(c, known[i].who, known[i].name);
			return 1;
		}
	return 0;
}

/* Is it an error of inetws: one line of plain text, without a charset? */
static int
is_refusal_of_ours(const struct http_head *head, struct slice body)
{
	struct slice type, server;

	return http_field(head, "Content-Type", &type) == 1 &&
	    slice_is_nocase(type, "text/plain") && body.len > 1 &&
	    slice_find(body, '\n') == body.p + body.len - 1 &&
	    !(http_field(head, "Server", &server) == 1 &&
	    holds(server, "envoy"));
}

static int
is_login(const struct http_head *head, struct slice body, const char *at)
{
	struct slice type;
	size_t i;

	if (http_field(head, "Content-Type", &type) != 1 ||
	    !holds(type, "text/html"))
		return 0;
	for (i = 0; login[i] != NULL; i++)
		if (holds(body, login[i]) || holds(slice_of(at), login[i]))
			return 1;
	return 0;
}

static void
find_title(struct check *c, struct slice body)
{
	struct slice title;

	if (http_page_title(body, &title))
		str_escape(c->title, sizeof(c->title), title.p, title.len);
}

/* Is it an error page of HAProxy, which sends no field Server? */
static int
is_haproxy(struct slice body)
{
	static const char begin[] = "<html><body><h1>";

	return body.len >= sizeof(begin) - 1 &&
	    memcmp(body.p, begin, sizeof(begin) - 1) == 0;
}

void
check_who(struct check *c, const struct websocket *w)
{
	struct slice body = { w->early, w->early_len }, server;
	int named;

	if (w->head == NULL)
		return;
	if (w->head->status == 101)
		body.len = 0;
	else
		find_title(c, body);
	named = by_field(c, w->head);
	if (!named && c->server[0] != '\0')
		set_who(c, WHO_SERVER, c->server);
	else if (!named && http_field(w->head, "Server", &server) == 0 &&
	    is_haproxy(body))
		set_who(c, WHO_SERVER, "HAProxy");
	if (w->has_extension || (w->head->status != 101 &&
	    is_refusal_of_ours(w->head, body)))
		c->who = WHO_INETWS;
	else if (w->head->status != 101 && w->head->status < 500 &&
	    is_login(w->head, body, c->at))
		c->who = WHO_LOGIN;
}
