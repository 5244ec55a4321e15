/* SPDX-License-Identifier: ISC */
/*
 * The addresses of a name.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <net/if.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#ifdef __GLIBC__
#include <resolv.h>
#endif
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "net/socket.h"

static int
is_localhost(const char *host)
{
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '.')
		len--;
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	    (len > 10 && strncasecmp(host + len - 10, ".localhost", 10) == 0);
}

/*
 * AI_ADDRCONFIG keeps useless IPv6 addresses away from a host without it, but
 * takes no notice of loopback addresses: so it is for real names only, and
 * only where no family is asked for.
 */
static int
resolve(const char *host, uint16_t port, int family, int literal,
    struct addrinfo **list)
{
	struct addrinfo hints;
	char service[8];
	int e;

	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family == NET_IPV4 ? AF_INET :
	    family == NET_IPV6 ? AF_INET6 : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	snprintf(service, sizeof(service), "%u", port);
	e = getaddrinfo(host, service, &hints, list);
	if (e != EAI_NONAME || literal)
		return e;
	hints.ai_flags = AI_NUMERICSERV;
	if (family == NET_ANY && !is_localhost(host))
		hints.ai_flags |= AI_ADDRCONFIG;
	return getaddrinfo(host, service, &hints, list);
}

static const struct addrinfo *
next_of(const struct addrinfo *ai, int v6)
{
	while (ai != NULL && (ai->ai_family == AF_INET6) != v6)
		ai = ai->ai_next;
	return ai;
}

/* glibc takes ::1 in /etc/hosts for 127.0.0.1 too, which is there as well. */
static int
is_known(const struct net_found *found, const struct addrinfo *ai)
{
	int i;

	for (i = 0; i < found->n; i++)
		if (found->at[i].len == ai->ai_addrlen &&
		    memcmp(&found->at[i].ss, ai->ai_addr, ai->ai_addrlen) == 0)
			return 1;
	return 0;
}

/* RFC 8305 4: families take turns, IPv6 begins; within one, as resolved. */
static void
interleave(struct net_found *found, const struct addrinfo *list)
{
	const struct addrinfo *next[2];
	int turn;

	next[0] = next_of(list, 1);
	next[1] = next_of(list, 0);
	for (turn = 0; (next[0] != NULL || next[1] != NULL) &&
	    found->n < NET_FOUND_MAX; turn = !turn) {
		const struct addrinfo *ai = next[turn];

		if (ai == NULL)
			continue;
		next[turn] = next_of(ai->ai_next, turn == 0);
		if (is_known(found, ai))
			continue;
		memcpy(&found->at[found->n].ss, ai->ai_addr, ai->ai_addrlen);
		found->at[found->n++].len = ai->ai_addrlen;
	}
}

/* In the order in which they are named. */
static int
take_named(struct net_found *found, const struct addr *a, const char *named,
    int family, struct error *why)
{
	char word[ADDR_HOST_MAX + 1];
	struct addrinfo *list;
	const char *p = named;
	size_t len, skip;

	for (;; p += len + 1) {
		len = strcspn(p, ",");
		skip = p[0] == '[';
		snprintf(word, sizeof(word), "%.*s", (int)(len - 2 * skip),
		    p + skip);
		if (found->n < NET_FOUND_MAX &&
		    resolve(word, a->port, family, 1, &list) == 0) {
			memcpy(&found->at[found->n].ss, list->ai_addr,
			    list->ai_addrlen);
			found->at[found->n++].len = list->ai_addrlen;
			freeaddrinfo(list);
		}
		if (p[len] == '\0')
			break;
	}
	if (found->n > 0)
		return 0;
	return error_set(why, EXIT_NAME, "%s has no address of that family: %s",
	    a->host, named);
}

/*
 * An interface's number.  The sandbox refuses what looks it up, so the last one
 * is kept for when a connection is dialled again.
 */
static uint32_t
zone_number(struct slice name)
{
	static struct {
		char name[IF_NAMESIZE];
		uint32_t number;
	} last;
	char word[IF_NAMESIZE];
	uint64_t number;

	if (slice_number(name, 1, UINT32_MAX, &number) == 0)
		return number;
	if (slice_copy(word, sizeof(word), name) == -1)
		return 0;
	if ((number = if_nametoindex(word)) == 0)
		return strcmp(word, last.name) == 0 ? last.number : 0;
	strlcpy(last.name, word, sizeof(last.name));
	last.number = number;
	return number;
}

uint32_t
net_zone(const char *zone)
{
	return zone_number(slice_of(zone));
}

/* An IPv6 address, and its zone, "%eth0" or "%2" (RFC 4007 11). */
static int
parse_v6(struct sockaddr_in6 *in6, const char *host)
{
	char word[INET6_ADDRSTRLEN];
	struct slice address = { host, strcspn(host, "%") };
	const char *zone = host + address.len;

	if (slice_copy(word, sizeof(word), address) == -1 ||
	    inet_pton(AF_INET6, word, &in6->sin6_addr) != 1)
		return 0;
	if (*zone == '%')
		in6->sin6_scope_id = zone_number(slice_of(zone + 1));
	return *zone == '\0' || in6->sin6_scope_id != 0;
}

/*
 * A numeric address needs no resolver, nor its memory.  One of another family
 * is left to the resolver, which reports that.
 */
static int
find_number(struct net_found *found, const struct addr *a, int family)
{
	struct sockaddr_in *in = (void *)&found->at[0].ss;
	struct sockaddr_in6 *in6 = (void *)&found->at[0].ss;

	memset(&found->at[0].ss, 0, sizeof(found->at[0].ss));
	if (family != NET_IPV6 &&
	    inet_pton(AF_INET, a->host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		found->at[0].len = sizeof(*in);
	} else if (family != NET_IPV4 && parse_v6(in6, a->host)) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(a->port);
		found->at[0].len = sizeof(*in6);
	} else
		return 0;
	found->n = 1;
	return 1;
}

/*
 * res_init(3) takes what was set before as the configuration's, which the
 * library would then see changed, and read again with its own times.
 */
void
net_find_soon(void)
{
#ifdef __GLIBC__
	if (res_init() == 0) {
		_res.retrans = 1;
		_res.retry = 1;
#ifdef RES_NORELOAD
		_res.options |= RES_NORELOAD;
#endif
	}
#endif
}

/* What is wrong; musl says "Try again" where no name server answers. */
static const char *
why_not(int e)
{
	return e == EAI_SYSTEM ? strerror(errno) : e == EAI_AGAIN ?
	    "Temporary failure in name resolution" : gai_strerror(e);
}

/* That this system lacks something says nothing of the name. */
static int
status_of(int e)
{
	return e == EAI_AGAIN ? EXIT_AGAIN : e == EAI_SYSTEM ||
	    e == EAI_MEMORY ? EXIT_SYSTEM : EXIT_NAME;
}

int
net_find(struct net_found *found, const struct addr *a, const char *named,
    int family, struct error *why)
{
	struct addrinfo *list;
	int e;

	found->n = 0;
	found->from = NULL;
	if (a->kind != ADDR_TCP)
		return 0;
	if (named != NULL)
		return take_named(found, a, named, family, why);
	if (find_number(found, a, family))
		return 0;
	if ((e = resolve(a->host, a->port, family, 0, &list)) != 0)
		return error_set(why, status_of(e), "cannot resolve %s: %s",
		    a->host, why_not(e));
	interleave(found, list);
	freeaddrinfo(list);
	return 0;
}
