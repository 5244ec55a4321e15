/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>		/* inet_pton(3): text to bytes, no socket */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/punycode.h"
#include "base/str.h"
#include "proto/addr.h"

static int
fail(char *err, size_t errlen, const char *what, const char *word)
{
	return str_bad(err, errlen, what, slice_of(word));
}

/* Is it a host name or an IPv4 address, by its characters? */
static int
is_host(const char *s)
{
	if (*s == '\0')
		return 0;
	for (; *s != '\0'; s++)
		if (!str_is_alpha(*s) && !str_is_digit(*s) &&
		    strchr("-._", *s) == NULL)
			return 0;
	return 1;
}

/* Is it an IPv6 address, with or without a scope (RFC 4007 11: "%eth0")? */
static int
is_ipv6(const char *s)
{
	unsigned char raw[16];
	char text[INET6_ADDRSTRLEN];
	size_t len = strcspn(s, "%");
	const char *scope = s + len;

	if (len >= sizeof(text) || (*scope == '%' && !is_host(scope + 1)))
		return 0;
	memcpy(text, s, len);
	text[len] = '\0';
	return inet_pton(AF_INET6, text, raw) == 1;
}

static int
is_digits(const char *s)
{
	return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

/* A whole number 0..max, or -1. */
static int
number(const char *s, unsigned int max)
{
	uint64_t n;

	if (!is_digits(s) || slice_digits(slice_of(s), max, &n) == 0)
		return -1;
	return (int)n;
}

static int
is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return 0;
	return 1;
}

/* Refuses a host with letters beyond ASCII; the message has its xn-- form. */
static int
not_ascii(const char *host, char *err, size_t errlen)
{
	static const char what[] = "has letters beyond ASCII: write the name "
	    "in its xn-- form";
	char name[ADDR_HOST_MAX + 1], text[sizeof(what) + sizeof(name) + 2];

	if (punycode_host(name, sizeof(name), host) == -1 || !is_host(name))
		return fail(err, errlen, what, host);
	snprintf(text, sizeof(text), "%s, %s", what, name);
	return fail(err, errlen, text, host);
}

/* The parts of HOST:PORT. */
struct parts {
	struct slice host, port;	/* without the colon between them */
	int bracket;			/* the host was in brackets */
};

/* Splits a word.  NULL, or what is wrong with it. */
static const char *
split(struct parts *parts, struct slice word, int needs_port)
{
	const char *end = word.p + word.len, *colon;

	parts->bracket = word.len > 0 && word.p[0] == '[';
	colon = memchr(word.p, parts->bracket ? ']' : ':', word.len);
	if (parts->bracket) {
		parts->host = slice_between(word.p + 1,
		    colon == NULL ? end : colon);
		if (colon == NULL || (++colon < end && *colon != ':') ||
		    (colon == end && needs_port))
			return needs_port ? "should read [IPV6]:PORT" :
			    "should read [IPV6] or [IPV6]:PORT";
	} else {
		if (colon == NULL)
			colon = end;
		parts->host = slice_between(word.p, colon);
		if (colon < end && memchr(colon + 1, ':',
		    (size_t)(end - colon - 1)) != NULL)
			return "has too many colons: an IPv6 address is "
			    "written [IPV6]:PORT";
	}
	parts->port = colon < end ? slice_between(colon + 1, end) :
	    (struct slice){ end, 0 };
	return NULL;
}

/* Is the host a valid one?  parts: as it was written, for the message. */
static int
check_host(const char *host, const struct parts *parts, char *err,
    size_t errlen)
{
	if (parts->bracket)
		return is_ipv6(host) ? 0 : str_bad(err, errlen,
		    "is no IPv6 address", parts->host);
	if (host[0] == '\0' || is_host(host))
		return 0;
	return is_ascii(host) ? str_bad(err, errlen,
	    "is no host name or address", parts->host) :
	    not_ascii(host, err, errlen);
}

/*
 * Parses HOST:PORT or [V6]:PORT; of ":PORT" host is "".  min: the smallest
 * port. usual: the default port, if the word is of a URL, else 0.  In a URL the
 * port may be left out, and the '%' before a scope is written "%25" (RFC 6874
 * 2).
 */
static int
host_port(struct addr *a, struct slice word, unsigned int min,
    unsigned int usual, char *err, size_t errlen)
{
	struct parts parts;
	const char *wrong = split(&parts, word, usual == 0);
	char *scope;
	uint64_t n = usual;

	if (wrong != NULL)
		return str_bad(err, errlen, wrong, word);
	if (slice_copy(a->host, sizeof(a->host), parts.host) == -1)
		return str_bad(err, errlen, "is too long a host name", word);
	if (usual != 0 && (scope = strstr(a->host, "%25")) != NULL)
		memmove(scope + 1, scope + 3, strlen(scope + 3) + 1);
	if (check_host(a->host, &parts, err, errlen) == -1)
		return -1;
	/* "80:8080": inet_aton(3) would read the host as 0.0.0.80. */
	if (is_digits(a->host))
		return str_bad(err, errlen, min == 0 ? "has a number as its "
		    "host: write HOST:PORT, or :PORT for all addresses" :
		    "has a number as its host: expected a name or an address",
		    word);
	if ((parts.port.len > 0 || usual == 0) && (parts.port.len == 0 ||
	    slice_digits(parts.port, 65535, &n) != parts.port.len || n < min))
		return str_bad(err, errlen, min == 0 ?
		    "should end in :PORT, 0..65535" :
		    "should end in :PORT, 1..65535", word);
	a->kind = ADDR_TCP;
	a->port = (uint16_t)n;
	return 0;
}

/* The name of an abstract socket may have visible ASCII only. */
static int
is_abstract_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return 0;
	return len > 0;
}

/*
 * Parses unix:/path[,mode=0660] or unix:@name[,mode=0666].  A path must not
 * have a comma, so that a misspelled mode does not become a part of the path.
 */
static int
unix_path(struct addr *a, const char *word, int with_mode, char *err,
    size_t errlen)
{
	const char *path = word + strlen("unix:");
	size_t len = strcspn(path, ",");
	const char *rest = path + len;
	char *end;
	long mode;

	if (*path != '/' && (*path != '@' ||
	    !is_abstract_name(path + 1, len - 1)))
		return fail(err, errlen, "needs a path that begins with '/', "
		    "or @NAME", word);
	if (len > ADDR_PATH_MAX)
		return fail(err, errlen,
		    "is longer than a Unix socket's name may be (107)", word);
	if (*rest != '\0') {
		if (!with_mode)
			return fail(err, errlen, "may hold no comma", word);
		if (strncmp(rest, ",mode=", 6) != 0)
			return fail(err, errlen,
			    "is not ,mode= followed by octal digits", rest);
		mode = strtol(rest + 6, &end, 8);
		if (rest[6] < '0' || rest[6] > '7' || *end != '\0' ||
		    mode > 0777)
			return fail(err, errlen,
			    "is no mode: expected octal 0..0777", rest + 6);
		if (*path == '@' && mode != 0666)
			return fail(err, errlen, "is no mode of an abstract "
			    "socket, which has 0666 (every user) or none (this "
			    "user and root)", rest + 6);
		a->mode = (int)mode;
	}
	memcpy(a->path, path, len);
	a->path[len] = '\0';
	a->kind = ADDR_UNIX;
	return 0;
}

static void
clear(struct addr *a)
{
	memset(a, 0, sizeof(*a));
	a->mode = -1;
	a->number = -1;
}

/* Parses systemd[:name]; systemd checks what FileDescriptorName= may be. */
static int
systemd_name(struct addr *a, const char *word, char *err, size_t errlen)
{
	const char *name = word + strlen("systemd");

	a->kind = ADDR_SYSTEMD;
	if (*name == '\0')
		return 0;
	name++;			/* the colon */
	if (*name == '\0' || strchr(name, ':') != NULL)
		return fail(err, errlen, "should read systemd or "
		    "systemd:NAME", word);
	if (slice_copy(a->name, sizeof(a->name), slice_of(name)) == -1)
		return fail(err, errlen, "is too long a name (63)", name);
	return 0;
}

int
addr_listen(struct addr *a, const char *word, char *err, size_t errlen)
{
	int n;

	clear(a);
	if (strcmp(word, "-") == 0) {
		a->kind = ADDR_STDIO;
		return 0;
	}
	if (strcmp(word, "inetd") == 0) {
		a->kind = ADDR_INETD;
		return 0;
	}
	if (strcmp(word, "systemd") == 0 || strncmp(word, "systemd:", 8) == 0)
		return systemd_name(a, word, err, errlen);
	if (strncmp(word, "unix:", 5) == 0)
		return unix_path(a, word, 1, err, errlen);
	if (strncmp(word, "fd:", 3) == 0) {
		a->number = number(word + 3, 1048576);
		a->kind = ADDR_FD;
		return a->number >= 0 ? 0 : fail(err, errlen,
		    "is no descriptor: expected fd:N", word);
	}
	if (is_digits(word)) {
		n = number(word, 65535);
		if (n == -1)
			return fail(err, errlen,
			    "is no port: expected 0..65535", word);
		a->kind = ADDR_TCP;
		a->port = (uint16_t)n;
		a->loopback = 1;
		memcpy(a->host, "localhost", sizeof("localhost"));
		return 0;
	}
	if (strchr(word, ':') == NULL)
		return fail(err, errlen, "is no address to listen on: expected "
		    "[HOST]:PORT, PORT, unix:/PATH, fd:N, systemd[:NAME], "
		    "inetd or -", word);
	if (host_port(a, slice_of(word), 0, 0, err, errlen) == -1)
		return -1;
	a->any = a->host[0] == '\0';
	return 0;
}

int
addr_target(struct addr *a, const char *word, char *err, size_t errlen)
{
	clear(a);
	/* "unix:80" is a host with the name "unix" and a port. */
	if (strncmp(word, "unix:", 5) == 0 && !is_digits(word + 5))
		return unix_path(a, word, 0, err, errlen);
	if (strchr(word, ':') == NULL)
		return fail(err, errlen, is_digits(word) ?
		    "has no host: a target is HOST:PORT, as in localhost:22" :
		    "is no target: expected HOST:PORT or unix:/PATH", word);
	if (host_port(a, slice_of(word), 1, 0, err, errlen) == -1)
		return -1;
	if (a->host[0] == '\0')
		return fail(err, errlen,
		    "has no host: a target is HOST:PORT, as in localhost:22",
		    word);
	return 0;
}

int
addr_of_url(struct addr *a, struct slice word, unsigned int port, char *err,
    size_t errlen)
{
	clear(a);
	return host_port(a, word, 1, port, err, errlen);
}

static void
print_tcp(char *dst, size_t size, const struct addr *a)
{
	if (a->loopback)
		snprintf(dst, size, "%u", a->port);
	else if (strchr(a->host, ':') != NULL)
		snprintf(dst, size, "[%s]:%u", a->host, a->port);
	else
		snprintf(dst, size, "%s:%u", a->host, a->port);
}

char *
addr_print(char *dst, size_t size, const struct addr *a)
{
	char mode[16] = "";

	switch (a->kind) {
	case ADDR_TCP:
		print_tcp(dst, size, a);
		break;
	case ADDR_UNIX:
		if (a->mode != -1)
			snprintf(mode, sizeof(mode), ",mode=%04o", a->mode);
		snprintf(dst, size, "unix:%s%s", a->path, mode);
		break;
	case ADDR_FD:
		snprintf(dst, size, "fd:%d", a->number);
		break;
	case ADDR_SYSTEMD:
		snprintf(dst, size, "systemd%s%s",
		    a->name[0] == '\0' ? "" : ":", a->name);
		break;
	case ADDR_INETD:
		snprintf(dst, size, "inetd");
		break;
	case ADDR_STDIO:
		snprintf(dst, size, "-");
		break;
	}
	return dst;
}
