/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "handshake/headers.h"
#include "handshake/websocket.h"
#include "os/clock.h"
#include "os/command.h"
#include "os/command_helper.h"
#include "os/memory.h"
#include "proto/forwarded.h"
#include "proto/header.h"

#define REST_MAX	3072	/* of a request's head: all but given fields,
				 * cookies and the path */

extern char **environ;

static char forward[FORWARDED_FIELD_MAX] MEMORY_HOT;	/* "" no field */
static char agent[64] MEMORY_HOT;			/* likewise */
static struct cookies jar;			/* of this process's tunnel */

/*
 * What runs --header-command, and --proxy-header-command for each of the proxies:
 * a redirect may lead to TLS, for which the environment may name another one.
 */
#define PROXIES	2
#define HELPERS	(HEADER_PROXY + PROXIES)

static struct command_helper helpers[HELPERS];
static char proxy_words[PROXIES][13 + ADDR_HOST_MAX + 64];

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
	unsigned int i;

	if (jar.order > 0)
		explicit_bzero(&jar, sizeof(jar));
	for (i = 0; i < HELPERS; i++)
		command_helper_end(&helpers[i]);
}

/* A question to a helper, as a number, and back. */
static uint64_t
question_to(const struct command_helper *k)
{
	return k->asked * HELPERS + (k - helpers);
}

static struct command_helper *
helper_of(uint64_t question)
{
	return &helpers[question % HELPERS];
}

static int
add(char *lines, const char *field, enum header_for receiver,
    struct error *why)
{
	char err[ERROR_LINE_MAX];

	if (header_add(lines, HEADERS_GIVEN_MAX, field, receiver, err,
	    sizeof(err)) == -1)
		return error_set(why, EXIT_BADUSAGE, "%s", err);
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

static char **
command_for(const struct options *o, enum header_for receiver)
{
	return receiver == HEADER_PROXY ? o->proxy.header_command :
	    o->websocket.header_command;
}

/* Puts the command's name before the error. */
static int
blame(const struct options *o, enum header_for receiver, struct error *why)
{
	struct error what = *why;

	return error_set(why, what.status == EXIT_BADUSAGE ? EXIT_SYSTEM :
	    what.status, "%s %s: %s", receiver == HEADER_PROXY ?
	    "--proxy-header-command" : "--header-command",
	    command_for(o, receiver)[0], what.text);
}

/*
 * The command lives in a process of its own, made before this one gives up
 * the right to start any.  variable, "NAME=VALUE", becomes a part of the
 * environment and must stay.
 */
static int
ask(uint64_t *question, struct command_helper *k, char *variable,
    const struct options *o, struct trust *trust, struct error *why)
{
	enum header_for receiver = k == helpers ? HEADER_SERVER : HEADER_PROXY;
	int64_t ms = o->timeouts.handshake;

	if (putenv(variable) != 0)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (k->pid == 0 && command_helper_start(k, command_for(o, receiver),
	    environ, forget, trust) == -1) {
		error_set(why, EXIT_SYSTEM, "%s", strerror(errno));
		return blame(o, receiver, why);
	}
	if (command_helper_ask(k, ms > 0 ? ms : COMMAND_LIMIT_MS, why) == -1)
		return blame(o, receiver, why);
	*question = question_to(k);
	return 0;
}

static int
add_output(char *lines, char *out, enum header_for receiver,
    struct error *why)
{
	char *rest = out, *line;
	size_t len;

	while ((line = strsep(&rest, "\n")) != NULL) {
		len = strlen(line);
		if (len > 0 && line[len - 1] == '\r')
			line[len - 1] = '\0';
		if (line[0] != '\0' && add(lines, line, receiver, why) == -1)
			return -1;
	}
	return 0;
}

/* What the command has answered, to the lines: 1, 0: not yet, -1 and why. */
static int
add_answer(char *lines, const struct options *o, enum header_for receiver,
    uint64_t question, struct error *why)
{
	static char out[COMMAND_HELPER_OUT_MAX];
	int status;

	if (command_helper_answer(helper_of(question), question / HELPERS,
	    &status, out, why) == 0)
		return 0;
	if (status > 0)
		status = error_set(why, EXIT_SYSTEM, "exit status %d", status);
	if (status == 0)
		status = add_output(lines, out, receiver, why);
	explicit_bzero(out, sizeof(out));
	return status == 0 ? 1 : blame(o, receiver, why);
}

int
headers_ask(uint64_t *question, const struct options *o, const struct url *url,
    struct trust *trust, struct error *why)
{
	static char word[11 + ADDR_HOST_MAX + URL_PATH_MAX + 64];
	size_t n;

	*question = 0;
	if (o->websocket.header_command == NULL ||
	    !url_same_origin(&o->url, url))
		return 0;
	n = strlcpy(word, "INETWS_URL=", sizeof(word));
	url_print(word + n, sizeof(word) - n, &o->url);
	return ask(question, &helpers[HEADER_SERVER], word, o, trust, why);
}

/* Which of the proxies it is; a new one takes the place of the last one. */
static unsigned int
number_of(const struct proxy *proxy)
{
	char word[sizeof(proxy_words[0])];
	size_t n = strlcpy(word, "INETWS_PROXY=", sizeof(word));
	unsigned int i;

	proxy_print(word + n, sizeof(word) - n, proxy);
	for (i = 0; i < PROXIES - 1 && proxy_words[i][0] != '\0'; i++)
		if (strcmp(proxy_words[i], word) == 0)
			return i;
	if (strcmp(proxy_words[i], word) != 0)
		command_helper_end(&helpers[HEADER_PROXY + i]);
	strlcpy(proxy_words[i], word, sizeof(word));
	return i;
}

int
headers_ask_proxy(uint64_t *question, const struct options *o,
    const struct proxy *proxy, struct trust *trust, struct error *why)
{
	unsigned int i;

	*question = 0;
	if (o->proxy.header_command == NULL)
		return 0;
	i = number_of(proxy);
	return ask(question, &helpers[HEADER_PROXY + i], proxy_words[i], o,
	    trust, why);
}

int
headers_late(const struct options *o, enum header_for receiver, int error,
    struct error *why)
{
	error_set(why, EXIT_AGAIN, error == EINTR ? "interrupted" :
	    "took too long");
	return blame(o, receiver, why);
}

int
headers_poll(uint64_t question, struct pollfd *p)
{
	if (question == 0)
		return 0;
	*p = (struct pollfd){ .fd = helper_of(question)->fd,
	    .events = POLLIN };
	return 1;
}

int64_t
headers_time(uint64_t question)
{
	return question == 0 ? 0 : helper_of(question)->until;
}

int
headers_write_proxy(char lines[HEADERS_GIVEN_MAX], const struct options *o,
    uint64_t question, struct error *why)
{
	unsigned int i;

	lines[0] = '\0';
	for (i = 0; i < o->proxy.header.n; i++)
		if (add(lines, o->proxy.header.v[i], HEADER_PROXY, why) == -1)
			return -1;
	return question == 0 ? 1 : add_answer(lines, o, HEADER_PROXY,
	    question, why);
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
__attribute__((noinline))	/* or its stack is every request's */
static void
add_cookies(char lines[HEADERS_SIZE], const struct url *url)
{
	size_t used = strlen(lines) + strlen(url->path) + REST_MAX, room, len;
	char text[COOKIES_SENT_MAX + 1], *end;

	if (used >= HTTP_HEAD_MAX)
		return;
	room = HTTP_HEAD_MAX - used;
	if (cookies_write(text, room < sizeof(text) ? room : sizeof(text),
	    &jar, url, clock_date()) == 0)
		return;
	len = strlen(text);
	if (strlen(lines) + sizeof("Cookie: \r\n") + len > HEADERS_SIZE)
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

/* Those that a user gives: 1, 0: a command still runs, or -1 and why. */
static int
write_given(char *lines, const struct options *o, const struct url *url,
    uint64_t question, struct error *why)
{
	int own = url_same_origin(&o->url, url), r;
	unsigned int i;

	lines[0] = '\0';
	for (i = 0; i < o->websocket.header.n; i++)
		if ((own || !header_is_private(o->websocket.header.v[i])) &&
		    add(lines, o->websocket.header.v[i], HEADER_SERVER,
		    why) == -1)
			return -1;
	if (question != 0 && (r = add_answer(lines, o, HEADER_SERVER,
	    question, why)) != 1)
		return r;
	if (own && agent[0] != '\0' &&
	    add(lines, agent, HEADER_SERVER, why) == -1)
		return -1;
	return own && forward[0] != '\0' &&
	    add(lines, forward, HEADER_SERVER, why) == -1 ? -1 : 1;
}

int
headers_write(char lines[HEADERS_SIZE], const struct options *o,
    const struct url *url, uint64_t question, struct error *why)
{
	int r = write_given(lines, o, url, question, why);

	if (r == 1 && jar.order > 0)
		add_cookies(lines, url);
	return r;
}
