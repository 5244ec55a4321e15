/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handshake/headers.h"
#include "handshake/websocket.h"
#include "os/clock.h"
#include "os/command_helper.h"
#include "proto/forwarded.h"
#include "proto/header.h"

#define LIMIT_MS	10000	/* where --handshake-timeout is off */
#define REST_MAX	3072	/* of a request's head: all but given fields,
				 * cookies and the path */

extern char **environ;

static char forward[FORWARDED_FIELD_MAX];	/* "" no field */
static char agent[64];				/* likewise */
static struct cookies jar;			/* of this process's tunnel */

/* What runs --header-command, and --proxy-header-command. */
static struct command_helper helpers[2];

/* One of them is to be asked. */
struct question {
	const char *option;
	char **argv;
	enum header_for receiver;
	struct command_helper *helper;
};

void
websocket_set_forwarded(const char *peer)
{
	struct ip ip;
	uint16_t port;

	forward[0] = '\0';
	if (ip_parse_port(&ip, &port, slice_of(peer)) == 0)
		forwarded_write(forward, &ip, port);
}

void
websocket_set_agent(const char *token)
{
	snprintf(agent, sizeof(agent), "Inetws-Agent: %s", token);
}

void
websocket_dials_done(void)
{
	if (jar.order > 0)
		explicit_bzero(&jar, sizeof(jar));
	command_helper_end(&helpers[0]);
	command_helper_end(&helpers[1]);
}

static int
add(char *lines, size_t size, const char *field, enum header_for receiver,
    struct error *why)
{
	char err[200];

	if (header_add(lines, size, field, receiver, err, sizeof(err)) == -1)
		return error_set(why, EXIT_BADUSAGE, "%s", err);
	return 0;
}

static int
write_list(char *lines, size_t size, const struct opt_list *list,
    enum header_for receiver, struct error *why)
{
	unsigned int i;

	lines[0] = '\0';
	for (i = 0; i < list->n; i++)
		if (add(lines, size, list->v[i], receiver, why) == -1)
			return -1;
	return 0;
}

/* In the new process, which makes no connections. */
static void
forget(void *arg)
{
	struct trust *t = arg;

	if (t->server == NULL)
		return;
	tls_tickets_close(t->server);
	tls_forget_keys(t->server, NULL);
}

/*
 * The command lives in a process of its own, made before this one gives up
 * the right to start any.
 */
static int
begin(const struct question *q, const struct options *o, struct trust *trust,
    struct error *why)
{
	if (q->helper->pid == 0 && command_helper_start(q->helper, q->argv,
	    environ, o->log.no_stderr, forget, trust) == -1)
		return error_set(why, EXIT_SYSTEM, "%s", strerror(errno));
	return 0;
}

static int
add_output(char *lines, size_t size, char *out, enum header_for receiver,
    struct error *why)
{
	char *rest = out, *line;
	size_t len;

	while ((line = strsep(&rest, "\n")) != NULL) {
		len = strlen(line);
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (line[0] != '\0' &&
		    add(lines, size, line, receiver, why) == -1)
			return -1;
	}
	return 0;
}

/* Puts the command's name before the error. */
static int
blame(const struct question *q, struct error *why)
{
	struct error what = *why;

	return error_set(why, what.status == EXIT_BADUSAGE ? EXIT_SYSTEM :
	    what.status, "%s %s: %s", q->option, q->argv[0], what.text);
}

static int
ask(char *lines, size_t size, const struct question *q,
    const struct options *o, struct trust *trust, struct error *why)
{
	static char out[COMMAND_HELPER_OUT_MAX];
	int64_t ms = o->timeouts.handshake > 0 ? o->timeouts.handshake :
	    LIMIT_MS;
	int status;

	if (begin(q, o, trust, why) == -1)
		return blame(q, why);
	status = command_helper_ask(q->helper, out, clock_ms() + ms, why);
	if (status > 0)
		status = error_set(why, EXIT_SYSTEM, "exit status %d", status);
	if (status == 0)
		status = add_output(lines, size, out, q->receiver, why);
	explicit_bzero(out, sizeof(out));
	return status == 0 ? 0 : blame(q, why);
}

/* Each is told its own. */
static int
ask_for_server(char *lines, size_t size, const struct options *o,
    struct trust *trust, struct error *why)
{
	static char url[11 + ADDR_HOST_MAX + URL_PATH_MAX + 64];
	struct question q = { "--header-command",
	    o->websocket.header_command, HEADER_SERVER, &helpers[0] };

	memcpy(url, "INETWS_URL=", 11);
	url_print(url + 11, sizeof(url) - 11, &o->url);
	if (putenv(url) != 0)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	return ask(lines, size, &q, o, trust, why);
}

int
headers_write_proxy(char *lines, size_t size, const struct options *o,
    const struct proxy *proxy, struct trust *trust, struct error *why)
{
	static char word[13 + ADDR_HOST_MAX + 64];
	struct question q = { "--proxy-header-command",
	    o->proxy.header_command, HEADER_PROXY, &helpers[1] };

	if (write_list(lines, size, &o->proxy.header, HEADER_PROXY, why) == -1)
		return -1;
	if (q.argv == NULL)
		return 0;
	memcpy(word, "INETWS_PROXY=", 13);
	proxy_print(word + 13, sizeof(word) - 13, proxy);
	if (putenv(word) != 0)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	return ask(lines, size, &q, o, trust, why);
}

void
headers_take_cookies(const struct http_head *head, const struct url *url)
{
	cookies_take(&jar, head, url, clock_date());
}

/* The end of the last line of this name, before its CRLF; NULL: none. */
static char *
end_of_field(char *lines, const char *name)
{
	char *end, *found = NULL;

	for (; (end = strstr(lines, "\r\n")) != NULL; lines = end + 2)
		if (strncasecmp(lines, name, strlen(name)) == 0 &&
		    lines[strlen(name)] == ':')
			found = end;
	return found;
}

/*
 * Behind the given ones, in the same field, as there may be only one (RFC 6265
 * 5.4).  What would make the head too long stays away.
 */
static void
add_cookies(char *lines, size_t size, const struct url *url)
{
	size_t used = strlen(lines) + strlen(url->path) + REST_MAX, room, len;
	char text[COOKIES_SENT_MAX + 1], *end;

	if (used >= HTTP_HEAD_MAX || jar.order == 0)
		return;
	room = HTTP_HEAD_MAX - used;
	if (cookies_write(text, room < sizeof(text) ? room : sizeof(text),
	    &jar, url, clock_date()) == 0)
		return;
	len = strlen(text);
	if (strlen(lines) + sizeof("Cookie: \r\n") + len > size)
		return;
	if ((end = end_of_field(lines, "Cookie")) == NULL) {
		end = lines + strlen(lines);
		memcpy(end, "Cookie: \r\n", sizeof("Cookie: \r\n"));
		end += strlen("Cookie: ");
	} else {
		memmove(end + 2, end, strlen(end) + 1);
		memcpy(end, "; ", 2);
		end += 2;
	}
	memmove(end + len, end, strlen(end) + 1);
	memcpy(end, text, len);
	explicit_bzero(text, len);
}

/* Those that a user gives. */
static int
write_given(char *lines, size_t size, const struct options *o,
    const struct url *url, struct trust *trust, struct error *why)
{
	int own = url_same_origin(&o->url, url);
	unsigned int i;

	lines[0] = '\0';
	for (i = 0; i < o->websocket.header.n; i++)
		if ((own || !header_is_private(o->websocket.header.v[i])) &&
		    add(lines, size, o->websocket.header.v[i], HEADER_SERVER,
		    why) == -1)
			return -1;
	if (own && o->websocket.header_command != NULL &&
	    ask_for_server(lines, size, o, trust, why) == -1)
		return -1;
	if (own && agent[0] != '\0' &&
	    add(lines, size, agent, HEADER_SERVER, why) == -1)
		return -1;
	if (own && forward[0] != '\0')
		return add(lines, size, forward, HEADER_SERVER, why);
	return 0;
}

int
headers_write(char *lines, size_t size, const struct options *o,
    const struct url *url, struct trust *trust, struct error *why)
{
	if (write_given(lines, HEADERS_GIVEN_MAX, o, url, trust, why) == -1)
		return -1;
	add_cookies(lines, size, url);
	return 0;
}
