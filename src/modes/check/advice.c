/* SPDX-License-Identifier: ISC */
/*
 * What to do about a step: the first row of a table that fits.  words of a row
 * are searched in what was found; they are phrases of messages and not short
 * words, which could also be a part of a host name or a port.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "modes/check/judge.h"

#define ANY	(-1)
#define ANY_5XX	(-2)	/* any of 500 to 599 */

/* A placeholder in an advice, at most one; put() has its value. */
#define PUT_PIN		'\1'	/* the hash of the server's key */
#define PUT_PROXY	'\2'	/* the option or variable with the proxy */
#define PUT_INTERVAL	'\3'	/* a --ping-interval */
#define PUT_FIELD	'\4'	/* where the credentials come from */
#define PUTS		"\1\2\3\4"

#define NGINX_LINES \
	"nginx needs in its location: proxy_http_version 1.1; " \
	"proxy_set_header Upgrade $http_upgrade; " \
	"proxy_set_header Connection \"upgrade\";"

#define NO_HTTP \
	"what listens there speaks no HTTP, or TLS: try wss://, and compare " \
	"the port with the line \"listening on\" of the server"

#define HANGS	"look whether the server hangs, and into its log; " \
	"--handshake-timeout waits longer"
#define TOO_LONG \
	"the request is longer than the web server takes: give fewer or " \
	"shorter --header, or raise its limit (nginx: " \
	"large_client_header_buffers)"
#define LOG_IN	"open a page in a browser, log in to this network, and try again"

struct advice {
	int step;		/* or ANY */
	int status;		/* of the HTTP answer, or ANY */
	int who;		/* who sent it, or ANY */
	const char *words;	/* "a|b": one of them was found; NULL: any */
	const char *text;	/* NULL: look in the other table */
};

/* With a proxy: what to do if the proxy itself cannot be reached. */
static const struct advice of_proxy[] = {
	{ STEP_NAME, ANY, ANY, "emporary failure",
	  "no name server answers: look at the network of this machine, or "
	  "give the address of the proxy in \2" },
	{ STEP_NAME, ANY, ANY, " leaves only", NULL },
	{ STEP_NAME, ANY, ANY, NULL,
	  "correct the host name of the proxy in \2; to go without a proxy: "
	  "--noproxy '*'" },
	{ STEP_CONNECT, ANY, ANY, ": Connection refused",
	  "no proxy listens there: correct the host and port in \2, or start "
	  "the proxy; to go without one: --noproxy '*'" },
	{ STEP_CONNECT, ANY, ANY, NULL,
	  "the proxy cannot be reached: correct the host and port in \2; to go "
	  "without a proxy: --noproxy '*'" },
	{ ANY, ANY, ANY, NULL, NULL }
};

/* What to do about everything else. */
static const struct advice table[] = {
	{ STEP_PROXY, ANY, ANY, "wants a certificate of ours",
	  "inetws has no client certificate for a proxy: ask who runs the "
	  "proxy for another way" },
	{ ANY, ANY, ANY, "wants a certificate of ours",
	  "give a client certificate: --cert, --key" },
	{ ANY, ANY, ANY, "our certificate was refused|refused our certificate",
	  "give a client certificate that the server accepts: --cert, "
	  "--key" },
	{ STEP_NAME, ANY, ANY, "(--interface ",
	  "give --interface an address of the other family, or the interface "
	  "by name" },
	{ STEP_NAME, ANY, ANY, " leaves only",
	  "leave out -4 and -6 if the name is right: it may have an address "
	  "of the other family only" },
	{ STEP_NAME, ANY, ANY, "emporary failure",
	  "no name server answers: look at the network of this machine; "
	  "behind a proxy that resolves names use --proxy" },
	{ STEP_NAME, ANY, ANY, NULL,
	  "correct the host name in the URL; behind a proxy that resolves "
	  "names use --proxy; to try an address: "
	  "--resolve NAME:PORT:ADDRESS" },
	{ STEP_CONNECT, ANY, ANY, "connect to unix:",
	  "start the server that listens on this socket, compare the path with "
	  "its line \"listening on\", and allow this user to write to it" },
	{ STEP_CONNECT, ANY, ANY, ": Invalid argument",
	  "an address that begins with fe80: needs its interface: write "
	  "[fe80::1%IFACE]; ip -6 address shows those of this machine" },
	{ STEP_CONNECT, ANY, ANY, ": Connection refused",
	  "nothing listens there: start the web server or inetws server, "
	  "compare the port with its line \"listening on\", and the address "
	  "with the server's own (the name may have an old one; "
	  "--resolve NAME:PORT:ADDRESS tries another)" },
	{ STEP_CONNECT, ANY, ANY, "%",
	  "the interface behind % in the address is not the one that leads "
	  "there: ip -6 address shows those of this machine" },
	{ STEP_CONNECT, ANY, ANY, ": Network is unreachable|: Network unreachable",
	  "this machine has no way to an address of that kind (IPv6 or "
	  "IPv4): give the name an address of the other kind too, or use a "
	  "forward proxy: --proxy" },
	{ STEP_CONNECT, ANY, ANY, ": Cannot assign|: Address not available",
	  "this machine has no address of that kind (IPv6 or IPv4): give the "
	  "name an address of the other kind too, or use a forward proxy: "
	  "--proxy" },
	{ STEP_CONNECT, ANY, ANY, NULL,
	  "a firewall drops the packets, the host is down, or the name has an "
	  "old address; if browsers here need a proxy, set https_proxy "
	  "(http_proxy for ws://) or use --proxy" },
	{ STEP_PROXY, ANY, ANY, "does not take",
	  "the proxy's password is wrong: correct --proxy-user, or the "
	  "user:password in the variable" },
	{ STEP_PROXY, ANY, ANY, "answered 407",
	  "give the proxy a user and password: --proxy-user @FILE with a line "
	  "USER:PASSWORD; Kerberos and others by --proxy-header-command" },
	{ STEP_PROXY, ANY, ANY, "answered 511", LOG_IN },
	{ STEP_PROXY, ANY, ANY, "not reach the server|host unreachable|connection refused",
	  "the proxy takes the request, but not the server: compare host and "
	  "port of the URL; if they are right, ask who runs the proxy" },
	{ STEP_PROXY, ANY, ANY, "a forward proxy?",
	  "it is perhaps a web server: correct the address in --proxy or the "
	  "variable, or leave it out: --noproxy '*'" },
	{ STEP_PROXY, ANY, ANY, "answered 40|its rules",
	  "the proxy does not allow this host or port: most allow port 443 "
	  "only, so serve the websocket there; or ask who runs the proxy" },
	{ STEP_PROXY, ANY, ANY, NULL,
	  "correct the proxy's address in --proxy or the variable, or leave "
	  "it out: --noproxy '*'" },
	{ STEP_TLS, ANY, ANY, ", limit ",
	  "renew this certificate, and reload the server" },
	{ STEP_TLS, ANY, ANY, "expired on",
	  "renew the server's certificate and reload the server; if the date "
	  "in the message is not today's, set the clock of this machine" },
	{ STEP_TLS, ANY, ANY, "not valid before",
	  "set the clock of this machine: the message shows the time that it "
	  "believes; else wait, or issue the certificate again" },
	{ STEP_TLS, ANY, ANY, " mismatch",
	  "use a name of the certificate in the URL; where that name leads "
	  "elsewhere: --connect-to, or --servername NAME" },
	{ STEP_TLS, ANY, ANY, "self-signed certificate",
	  "compare the pin with that of the server's key, then use "
	  "-k --pinnedpubkey \1; or give the certificate itself: "
	  "--cacert FILE" },
	{ STEP_TLS, ANY, ANY, "unknown authority",
	  "give the authority's certificate: --cacert FILE; if it is a public "
	  "one, let the server send its whole chain (fullchain.pem)" },
	{ STEP_TLS, ANY, ANY, "--pinnedpubkey",
	  "if the server's key was changed on purpose, use --pinnedpubkey "
	  "\1" },
	{ STEP_TLS, ANY, ANY, "does not speak TLS",
	  "use ws:// for this port, or wss:// with the port of the web server "
	  "that does TLS, usually 443" },
	{ STEP_TLS, ANY, ANY, ": timed out",
	  "what listens there takes connections, but does not answer TLS: look "
	  "whether the server hangs, and compare the port" },
	{ STEP_TLS, ANY, ANY, NULL,
	  "look into the error log of the server, and compare --tls-min and "
	  "--ciphers of both sides" },
	{ STEP_ANSWER, ANY, WHO_LOGIN, NULL,
	  "a login page stands before the server: exclude the path of the "
	  "websocket from it, or send what it wants by --header (a cookie, a "
	  "token) or --user" },
	{ STEP_ANSWER, 401, ANY, "are wrong",
	  "correct \4" },
	{ STEP_ANSWER, 401, ANY, "needs a secret",
	  "give the secret: -H @FILE with a line Authorization: Bearer SECRET" },
	{ STEP_ANSWER, 401, ANY, NULL,
	  "give a user and password: -u @FILE with a line USER:PASSWORD" },
	{ STEP_ANSWER, 403, WHO_INETWS, "wrong secret",
	  "compare the name and the secret with the gate's --agents-file" },
	{ STEP_ANSWER, 403, WHO_INETWS, NULL,
	  "the server does not allow this request: see why in its log "
	  "(--auth-command, --allow-origin)" },
	{ STEP_ANSWER, 403, ANY, NULL,
	  "a rule of the web server or CDN forbids the request: allow this "
	  "path there, or give a client certificate: --cert, --key" },
	{ STEP_ANSWER, 503, WHO_INETWS, NULL,
	  "the server is full: end tunnels, or raise --max-connections" },
	{ STEP_ANSWER, 0, ANY, "more than",
	  "the web server or an application behind it sends too many fields, "
	  "or too long ones: look at its answer, and remove some there" },
	{ STEP_ANSWER, ANY, ANY, "malformed",
	  "what listens there speaks no HTTP: compare the port with the line "
	  "\"listening on\" of the server" },
	{ STEP_ANSWER, 0, ANY, "timed out", HANGS },
	{ STEP_ANSWER, 0, ANY, NULL, NO_HTTP },
	{ STEP_ANSWER, ANY, ANY, NULL, HANGS },
	{ STEP_UPGRADE, 426, ANY, NULL,
	  "a proxy removes the upgrade.  " NGINX_LINES },
	{ STEP_UPGRADE, 505, ANY, NULL,
	  "a proxy speaks HTTP/1.0 to inetws.  " NGINX_LINES },
	{ STEP_UPGRADE, 404, WHO_INETWS, NULL,
	  "use the path of the server's --path in the URL; a proxy may have "
	  "changed it (nginx does if proxy_pass ends in a slash)" },
	{ STEP_UPGRADE, 400, ANY, "HTTPS port|this port speaks TLS",
	  "the port speaks TLS: use wss:// instead of ws://" },
	{ STEP_UPGRADE, 400, WHO_INETWS, "another subprotocol",
	  "give client and server the same --subprotocol" },
	{ STEP_UPGRADE, 400, WHO_INETWS, "agents",
	  "a gate answers: use this URL with inetws agent, and for a client "
	  "the address of the gate's --visitors" },
	{ STEP_UPGRADE, ANY, WHO_INETWS, NULL,
	  "the server refuses the request: its log has a line event=failed "
	  "with the reason" },
	{ STEP_UPGRADE, 400, ANY, "if this port expects TLS",
	  "the server takes no such request: its error log says why; if the "
	  "port expects TLS, use wss://" },
	{ STEP_UPGRADE, 400, ANY, NULL,
	  "the server takes no such request: its error log says why" },
	{ STEP_UPGRADE, 429, ANY, NULL,
	  "there were too many requests: wait, or raise the limit of the web "
	  "server or CDN" },
	{ STEP_UPGRADE, 502, ANY, NULL,
	  "the web server does not reach inetws: start it, and compare "
	  "proxy_pass with its line \"listening on\"" },
	{ STEP_UPGRADE, 503, ANY, NULL,
	  "the web server knows no server that is alive: start inetws, and "
	  "compare the address with its line \"listening on\"" },
	{ STEP_UPGRADE, 504, ANY, NULL,
	  "the web server has no answer from inetws: see whether it hangs, "
	  "and compare proxy_pass with its line \"listening on\"" },
	{ STEP_UPGRADE, ANY, ANY, "redirects to what is no",
	  "correct the redirect of the web server: its Location is no URL of "
	  "a websocket" },
	{ STEP_UPGRADE, ANY, ANY, "redirects out of TLS",
	  "let the web server redirect to wss:// or https://" },
	{ STEP_UPGRADE, ANY, ANY, " redirects",
	  "correct the redirects of the web server: they lead in a circle, or "
	  "elsewhere; a path with a login needs --header or --user" },
	{ STEP_UPGRADE, 101, ANY, NULL,
	  "something between changes the answer: look at its fields with "
	  "inetws connect -v URL" },
	{ STEP_UPGRADE, 413, ANY, NULL, TOO_LONG },
	{ STEP_UPGRADE, 414, ANY, NULL, TOO_LONG },
	{ STEP_UPGRADE, 431, ANY, NULL, TOO_LONG },
	{ STEP_UPGRADE, 418, ANY, NULL,
	  "an application firewall before the web server takes this for an "
	  "attack: exempt this path there" },
	{ STEP_UPGRADE, 421, ANY, NULL,
	  "the web server does not serve this host: compare the host of the "
	  "URL, and --servername and --connect-to, with its server names" },
	{ STEP_UPGRADE, 451, ANY, NULL,
	  "the host is blocked where this machine is: try another network, or "
	  "a forward proxy elsewhere (--proxy)" },
	{ STEP_UPGRADE, 511, ANY, NULL, LOG_IN },
	{ STEP_UPGRADE, ANY_5XX, ANY, NULL,
	  "the web server itself fails: see its error log" },
	{ STEP_UPGRADE, ANY, ANY, NULL,
	  "compare the path of the URL with the location of the web server "
	  "(mind the slash at its end); that location has to lead to inetws" },
	{ STEP_EXTENSION, ANY, ANY, "between removes",
	  "let the proxy pass Sec-WebSocket-Extensions on, both ways" },
	{ STEP_EXTENSION, ANY, ANY, NULL,
	  "the peer or a proxy agrees to what was not offered, which it must "
	  "not: switch such extensions (permessage-deflate) off there" },
	{ STEP_SUBPROTOCOL, ANY, ANY, NULL,
	  "give client and server the same --subprotocol, or none" },
	{ STEP_PING, ANY, ANY, "more than",
	  "find the slow hop: compare with the times of connect and tls" },
	{ STEP_PING, ANY, ANY, "nothing comes back",
	  "the server hangs, or something between passes the handshake only: "
	  "see the log of both" },
	{ STEP_PING, ANY, ANY, "broke a rule",
	  "the peer is no websocket server, or is broken: compare the path of "
	  "the URL, and see the log of the server" },
	{ STEP_PING, ANY, ANY, "was cut off|cannot send",
	  "the server or a proxy ends the websocket at once: see the log of "
	  "both" },
	{ STEP_PING, ANY, ANY, NULL,
	  "something between swallows pings, or the peer hangs: set "
	  "--ping-interval 0 at both sides if data passes nevertheless" },
	{ STEP_MESSAGE, ANY, ANY, "collects",
	  "switch buffering off in the proxy (nginx: proxy_buffering off and "
	  "a location with the Upgrade lines; others: websocket support, no "
	  "inspection)" },
	{ STEP_MESSAGE, ANY, ANY, NULL,
	  "something between filters text messages, or the server hangs; see "
	  "its log" },
	{ STEP_TARGET, 504, ANY, NULL,
	  "the server's target does not answer: see whether it hangs, or a "
	  "firewall drops the packets; the server's log names it" },
	{ STEP_TARGET, ANY, ANY, "without a byte",
	  "see whether the target refuses this machine or is not ready: its "
	  "log tells, and that of the server names its address" },
	{ STEP_TARGET, ANY, ANY, NULL,
	  "start the target, or correct its address in the server's command "
	  "line; the server's log names it" },
	{ STEP_RESUME, ANY, ANY, "another instance",
	  "a balancer leads to several instances: make it sticky (by cookie, "
	  "or by address: nginx hash $remote_addr), or use one" },
	{ STEP_RESUME, ANY, ANY, "there is no session",
	  "leave out --resume 0 at the server, and use inetws at both sides" },
	{ STEP_RESUME, ANY, ANY, NULL,
	  "requests reach another instance than the one that has the session: "
	  "make the balancer sticky (by cookie, or by address: nginx hash "
	  "$remote_addr), or use one instance" },
	{ STEP_IDLE, ANY, ANY, " after ",
	  "use --ping-interval \3 at the client or the server; or let the "
	  "proxy wait longer (nginx: proxy_read_timeout)" },
	{ STEP_IDLE, ANY, ANY, NULL,
	  "up to eight websockets are opened for this: raise a limit of the "
	  "server or web server, as --max-connections, or see its log" },
	{ ANY, ANY, ANY, NULL, NULL }
};

/* Writes a time as an option takes it. */
static void
write_interval(char *dst, size_t size, int64_t ms)
{
	if (ms % 1000 == 0)
		snprintf(dst, size, "%" PRId64 "s", ms / 1000);
	else
		snprintf(dst, size, "%" PRId64 "ms", ms);
}

/* The value of a placeholder. */
static const char *
put(const struct check *c, char what, char *room, size_t size)
{
	switch (what) {
	case PUT_PIN:
		return c->cert.pin;
	case PUT_PROXY:
		return c->route_by != NULL ? c->route_by : "--proxy";
	case PUT_FIELD:
		return c->login;
	case PUT_INTERVAL:
		write_interval(room, size, check_ping_interval(c));
		return room;
	}
	return "";
}

/* Writes the text of a row with the value of its placeholder. */
static void
fill(const struct check *c, const char *text, char *dst, size_t size)
{
	size_t n = strcspn(text, PUTS);
	char room[24];

	snprintf(dst, size, "%.*s%s%s", (int)n, text,
	    put(c, text[n], room, sizeof(room)),
	    text[n] == '\0' ? "" : text + n + 1);
}

static int
is_status(int wanted, int status)
{
	return wanted == ANY || wanted == status ||
	    (wanted == ANY_5XX && status >= 500 && status <= 599);
}

/* Did resolving the server's name fail here, for a SOCKS proxy? */
static int
is_name_ours(const struct check *c)
{
	return (strstr(c->proxy, "socks5://") != NULL ||
	    strstr(c->proxy, "socks4://") != NULL) &&
	    (c->why.status == EXIT_NAME ||
	    strstr(c->why.text, "emporary failure") != NULL);
}

/* Is one of "a|b" in it? */
static int
holds(const char *text, const char *words)
{
	char word[64];
	size_t len;

	for (;; words += len + 1) {
		len = strcspn(words, "|");
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		if (strstr(text, word) != NULL)
			return 1;
		if (words[len] == '\0')
			return 0;
	}
}

/* The first row that fits, or NULL. */
static const char *
row(const struct advice *a, const struct check *c, enum check_step step)
{
	for (; a->step != ANY || a->words != NULL; a++)
		if ((a->step == ANY || a->step == (int)step) &&
		    is_status(a->status, c->http_status) &&
		    (a->who == ANY || a->who == (int)c->who) &&
		    (a->words == NULL ||
		    holds(c->step[step].text, a->words)))
			return a->text;
	return NULL;
}

/* Is the cause on this host?  Then the message names it. */
static int
is_local(const struct check *c, enum check_step step)
{
	return c->step[step].state == STEP_FAILED && error_is_local(&c->why);
}

void
check_advise(const struct check *c, enum check_step step, char *dst,
    size_t size)
{
	const char *text = NULL;

	if (c->step[step].state == STEP_STOPPED) {
		strlcpy(dst, ADVICE_REST, size);
		return;
	}
	if (is_local(c, step))
		text = ADVICE_CORRECT;
	else if (c->proxy[0] != '\0')
		text = row(of_proxy, c, step);
	if (text == NULL)
		text = row(table, c, step);
	fill(c, text != NULL ? text : ADVICE_CORRECT, dst, size);
	if (step == STEP_PROXY && is_name_ours(c))
		snprintf(dst, size, "the name does not resolve here: let the "
		    "proxy look it up, with %s",
		    strstr(c->proxy, "socks5://") != NULL ?
		    "socks5h:// instead of socks5://" :
		    "socks4a:// instead of socks4://");
	if (step == STEP_CONNECT && c->unused != NULL && !is_local(c, step))
		snprintf(dst, size, "%s is set, but does not count for %s: "
		    "set %s", c->unused, c->is_tls ? "wss://" : "ws://",
		    c->is_tls ? "https_proxy" : "http_proxy");
}
