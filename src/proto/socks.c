/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/socks.h"

#define VERSION		5
#define LOGIN_VERSION	1	/* RFC 1929 2 */
#define NO_LOGIN	0	/* methods, RFC 1928 3 */
#define BY_PASSWORD	2
#define NO_METHOD	0xff	/* the proxy accepts none that was offered */
#define COMMAND_CONNECT	1	/* RFC 1928 4 */
#define IS_IPV4		1	/* types of addresses, RFC 1928 4 */
#define IS_NAME		3
#define IS_IPV6		4
#define FIELD_MAX	255	/* bytes of a user, password or host */

/* SOCKS 4: an answer has eight bytes; the second one is the code. */
#define VERSION4	4
#define ANSWER4_LEN	8
#define GRANTED4	90	/* 91: the proxy cannot connect */
#define VERSION4_ANSWER	0

#define TLS_ALERT	21	/* RFC 8446 5.1 */

/* Writes a byte with the length, then the bytes; returns the end. */
static unsigned char *
put_text(unsigned char *p, const char *text, size_t len)
{
	*p++ = (unsigned char)len;
	memcpy(p, text, len);
	return p + len;
}

static int
write_methods(unsigned char *dst, const struct socks *s)
{
	unsigned char n = s->user[0] != '\0' ? 2 : 1;

	dst[0] = VERSION;
	dst[1] = n;
	dst[2] = NO_LOGIN;
	dst[3] = BY_PASSWORD;
	return 2 + n;
}

static int
write_login(unsigned char *dst, const struct socks *s, struct error *why)
{
	size_t len = strcspn(s->user, ":");
	const char *password = s->user + len + (s->user[len] == ':');
	unsigned char *p = dst;

	if (len > FIELD_MAX || strlen(password) > FIELD_MAX)
		return error_set(why, EXIT_BADUSAGE, "user or password are "
		    "longer than the 255 bytes of SOCKS");
	*p++ = LOGIN_VERSION;
	p = put_text(p, s->user, len);
	p = put_text(p, password, strlen(password));
	return (int)(p - dst);
}

static int
write_connect(unsigned char *dst, const struct socks *s, struct error *why)
{
	unsigned char *p = dst;
	int v4 = s->ip != NULL && ip_is_v4(s->ip);

	if (s->ip == NULL && strlen(s->host) > FIELD_MAX)
		return error_set(why, EXIT_BADUSAGE, "the host is longer than "
		    "the 255 bytes of SOCKS");
	*p++ = VERSION;
	*p++ = COMMAND_CONNECT;
	*p++ = 0;
	*p++ = s->ip == NULL ? IS_NAME : v4 ? IS_IPV4 : IS_IPV6;
	if (s->ip == NULL)
		p = put_text(p, s->host, strlen(s->host));
	else {
		memcpy(p, s->ip->b + (v4 ? 12 : 0), v4 ? 4 : 16);
		p += v4 ? 4 : 16;
	}
	*p++ = (unsigned char)(s->port >> 8);
	*p++ = (unsigned char)s->port;
	return (int)(p - dst);
}

/* SOCKS 4A: for a name the address is 0.0.0.1, and the name comes last. */
static int
write_connect4(unsigned char *dst, const struct socks *s, struct error *why)
{
	static const unsigned char by_name[4] = { 0, 0, 0, 1 };
	size_t user = strcspn(s->user, ":");
	unsigned char *p = dst;

	if (s->ip != NULL && !ip_is_v4(s->ip))
		return error_set(why, EXIT_BADUSAGE, "SOCKS 4 reaches no IPv6 "
		    "address: use socks5:// or --ipv4");
	if (user > FIELD_MAX || (s->ip == NULL &&
	    strlen(s->host) > FIELD_MAX))
		return error_set(why, EXIT_BADUSAGE, "user or host are longer "
		    "than 255 bytes");
	*p++ = VERSION4;
	*p++ = COMMAND_CONNECT;
	*p++ = (unsigned char)(s->port >> 8);
	*p++ = (unsigned char)s->port;
	memcpy(p, s->ip != NULL ? s->ip->b + 12 : by_name, 4);
	p += 4;
	memcpy(p, s->user, user);
	p += user;
	*p++ = '\0';
	if (s->ip == NULL) {
		memcpy(p, s->host, strlen(s->host) + 1);
		p += strlen(s->host) + 1;
	}
	return (int)(p - dst);
}

int
socks_write(unsigned char dst[SOCKS_ASK_MAX], const struct socks *s,
    struct error *why)
{
	switch (s->step) {
	case SOCKS_METHODS:
		return write_methods(dst, s);
	case SOCKS_LOGIN:
		return write_login(dst, s, why);
	case SOCKS_CONNECT:
		return write_connect(dst, s, why);
	case SOCKS4_CONNECT:
		return write_connect4(dst, s, why);
	case SOCKS_DONE:
		break;
	}
	return 0;
}

/* What an answer that begins so is, and what to do. */
static const char *
other_kind(unsigned char first)
{
	switch (first) {
	case 'H':
		return ": it speaks HTTP, use http://";
	case TLS_ALERT:
		return ": it speaks TLS, use https://";
	case VERSION:
		return ": it speaks SOCKS 5, use socks5h://";
	case VERSION4_ANSWER:
		return ": it speaks SOCKS 4, use socks4a://";
	}
	return "";
}

static int
check_version(const struct socks *s, unsigned char is, unsigned char want,
    struct error *why)
{
	int old = s->step == SOCKS4_CONNECT;

	if (is == want)
		return 0;
	return error_set(why, EXIT_PROTOCOL,
	    "the answer is not one of SOCKS %d%s", old ? 4 : 5,
	    old || s->step == SOCKS_METHODS ? other_kind(is) : "");
}

static ssize_t
read_methods(struct socks *s, const unsigned char *buf, size_t len,
    struct error *why)
{
	if (check_version(s, buf[0], VERSION, why) == -1)
		return -1;
	if (len < 2)
		return 0;
	if (buf[1] == NO_LOGIN)
		s->step = SOCKS_CONNECT;
	else if (buf[1] == BY_PASSWORD && s->user[0] != '\0')
		s->step = SOCKS_LOGIN;
	else if (buf[1] == NO_METHOD && s->user[0] == '\0')
		return error_set(why, EXIT_DENIED, "it wants credentials "
		    "(--proxy-user), or accepts no method that inetws knows");
	else if (buf[1] == NO_METHOD)
		return error_set(why, EXIT_DENIED, "it takes neither a user "
		    "and password nor none: it wants a login that inetws "
		    "does not know");
	else
		return error_set(why, EXIT_PROTOCOL, "it chose a way to log in "
		    "that was not offered");
	return 2;
}

static ssize_t
read_login(struct socks *s, const unsigned char *buf, size_t len,
    struct error *why)
{
	if (check_version(s, buf[0], LOGIN_VERSION, why) == -1)
		return -1;
	if (len < 2)
		return 0;
	if (buf[1] != 0)
		return error_set(why, EXIT_DENIED, "it does not take the "
		    "credentials given");
	s->step = SOCKS_CONNECT;
	return 2;
}

/* The error for a reply that is not 0 (RFC 1928 6). */
static int
refused(unsigned int code, struct error *why)
{
	static const struct { int status; const char *text; } t[] = {
		{ EXIT_PROTOCOL, NULL },
		{ EXIT_UNREACHABLE, "general failure" },
		{ EXIT_DENIED, "not allowed by its rules" },
		{ EXIT_UNREACHABLE, "network unreachable" },
		{ EXIT_UNREACHABLE, "host unreachable" },
		{ EXIT_UNREACHABLE, "connection refused" },
		{ EXIT_AGAIN, "TTL expired" },
		{ EXIT_PROTOCOL, "it knows no such command" },
		{ EXIT_PROTOCOL, "it knows no such kind of address" }
	};

	if (code >= sizeof(t) / sizeof(t[0]))
		return error_set(why, EXIT_PROTOCOL, "it refuses to connect: "
		    "code %u", code);
	return error_set(why, t[code].status, "it refuses to connect: %s",
	    t[code].text);
}

/* The address that the proxy is bound to is skipped, whose length varies. */
static ssize_t
read_connect(struct socks *s, const unsigned char *buf, size_t len,
    struct error *why)
{
	size_t need;

	if (check_version(s, buf[0], VERSION, why) == -1)
		return -1;
	if (len >= 2 && buf[1] != 0)
		return refused(buf[1], why);
	if (len < 5)
		return 0;
	switch (buf[3]) {
	case IS_IPV4:
		need = 4 + 4 + 2;
		break;
	case IS_IPV6:
		need = 4 + 16 + 2;
		break;
	case IS_NAME:
		need = 4 + 1 + buf[4] + 2;
		break;
	default:
		return error_set(why, EXIT_PROTOCOL, "malformed answer");
	}
	if (len < need)
		return 0;
	s->step = SOCKS_DONE;
	return (ssize_t)need;
}

static ssize_t
read_connect4(struct socks *s, const unsigned char *buf, size_t len,
    struct error *why)
{
	if (check_version(s, buf[0], VERSION4_ANSWER, why) == -1)
		return -1;
	if (len < ANSWER4_LEN)
		return 0;
	if (buf[1] != GRANTED4)
		return error_set(why, buf[1] == GRANTED4 + 1 ?
		    EXIT_UNREACHABLE : EXIT_DENIED, "it refuses to connect: "
		    "code %u", buf[1]);
	s->step = SOCKS_DONE;
	return ANSWER4_LEN;
}

ssize_t
socks_read(struct socks *s, const unsigned char *buf, size_t len,
    struct error *why)
{
	if (len == 0)
		return 0;
	switch (s->step) {
	case SOCKS_METHODS:
		return read_methods(s, buf, len, why);
	case SOCKS_LOGIN:
		return read_login(s, buf, len, why);
	case SOCKS_CONNECT:
		return read_connect(s, buf, len, why);
	case SOCKS4_CONNECT:
		return read_connect4(s, buf, len, why);
	case SOCKS_DONE:
		break;
	}
	return 0;
}
