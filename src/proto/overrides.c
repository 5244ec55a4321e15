/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "proto/ip.h"
#include "proto/overrides.h"

/*
 * Takes a host and the colon behind it off the word; the brackets of an IPv6
 * address are left out.  0, or -1 if there is no colon.
 */
static int
take_host(const char **word, struct slice *host)
{
	const char *p = *word, *end;

	if (*p == '[') {
		end = strchr(++p, ']');
		if (end == NULL || end[1] != ':')
			return -1;
		*host = slice_between(p, end);
		*word = end + 2;
		return 0;
	}
	if ((end = strchr(p, ':')) == NULL)
		return -1;
	*host = slice_between(p, end);
	*word = end + 1;
	return 0;
}

/*
 * Takes a port and the character stop off the word; without digits the port is
 * 0.  0, or -1 if it is malformed.
 */
static int
take_port(const char **word, char stop, uint16_t *port)
{
	uint64_t n = 0;
	const char *p = *word + slice_digits(slice_of(*word), 65535, &n);

	if (*p != stop || (n == 0 && p != *word))
		return -1;
	*port = (uint16_t)n;
	*word = p + (stop != '\0');
	return 0;
}

/* Is it empty, or a valid host of a URL? */
static int
is_host(struct slice s)
{
	struct addr at;
	char word[ADDR_HOST_MAX + 8], err[100];

	if (s.len == 0)
		return 1;
	if (s.len > ADDR_HOST_MAX)
		return 0;
	snprintf(word, sizeof(word), slice_find(s, ':') != NULL ?
	    "[%.*s]:1" : "%.*s:1", (int)s.len, s.p);
	return addr_target(&at, word, err, sizeof(err)) == 0;
}

static int
are_addresses(const char *list)
{
	struct ip ip;
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		if (ip_parse(&ip, (struct slice){ list, len }) == -1)
			return 0;
		if (list[len] == '\0')
			return 1;
	}
}

int
override_resolve(struct override *d, const char *word, char *err, size_t errlen)
{
	const char *p = word;

	memset(d, 0, sizeof(*d));
	if (take_host(&p, &d->host) == -1 || d->host.len == 0 ||
	    take_port(&p, ':', &d->port) == -1 || d->port == 0)
		return str_bad(err, errlen, "should read HOST:PORT:ADDRESS",
		    slice_of(word));
	if (slice_is(d->host, "*"))
		d->host.len = 0;
	else if (!is_host(d->host))
		return str_bad(err, errlen, "is no host name or address",
		    d->host);
	if (!are_addresses(p))
		return str_bad(err, errlen, "is not an address, or several "
		    "with commas", slice_of(p));
	d->addresses = p;
	return 0;
}

int
override_connect(struct override *d, const char *word, char *err, size_t errlen)
{
	const char *p = word;

	memset(d, 0, sizeof(*d));
	if (take_host(&p, &d->host) == -1 ||
	    take_port(&p, ':', &d->port) == -1 ||
	    take_host(&p, &d->to) == -1 ||
	    take_port(&p, '\0', &d->to_port) == -1)
		return str_bad(err, errlen, "should read "
		    "HOST1:PORT1:HOST2:PORT2", slice_of(word));
	if (!is_host(d->host) || !is_host(d->to))
		return str_bad(err, errlen, "is no host name or address",
		    is_host(d->host) ? d->to : d->host);
	return 0;
}

int
override_is_for(const struct override *d, const struct addr *at)
{
	if (d->port != 0 && d->port != at->port)
		return 0;
	return d->host.len == 0 || slice_is_nocase(d->host, at->host);
}

void
override_apply(const struct override *d, struct addr *at)
{
	if (d->to.len > 0)
		slice_copy(at->host, sizeof(at->host), d->to);
	if (d->to_port != 0)
		at->port = d->to_port;
}
