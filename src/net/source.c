/* SPDX-License-Identifier: ISC */
/*
 * Where a connection is dialled from: --interface.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <net/if.h>

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"
#include "proto/interface.h"

static socklen_t
size_of(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6);
}

/*
 * The kernel chooses the port at connect(2), when it knows the other end, so
 * that connections to different ends can have the same port.
 */
static int
bind_to(int fd, const struct sockaddr *from)
{
#ifdef HAVE_LINUX
	int on = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
#endif
	return bind(fd, from, size_of(from->sa_family));
}

static int
bind_address(int fd, const struct interface *from, int family)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if ((family == AF_INET) != ip_is_v4(&from->ip)) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	if (family == AF_INET) {
		memcpy(&in.sin_addr, from->ip.b + 12, sizeof(in.sin_addr));
		return bind_to(fd, (struct sockaddr *)&in);
	}
	memcpy(&in6.sin6_addr, from->ip.b, sizeof(in6.sin6_addr));
	if (from->zone != NULL &&
	    (in6.sin6_scope_id = net_zone(from->zone)) == 0) {
		errno = ENODEV;
		return -1;
	}
	return bind_to(fd, (struct sockaddr *)&in6);
}

/* To the first address of the interface. */
static int
bind_address_of(int fd, const char *name, int family)
{
	struct ifaddrs *list, *i;
	int r = -1;

	if (if_nametoindex(name) == 0) {
		errno = ENODEV;
		return -1;
	}
	if (getifaddrs(&list) == -1)
		return -1;
	errno = EADDRNOTAVAIL;
	for (i = list; i != NULL && r == -1; i = i->ifa_next)
		if (i->ifa_addr != NULL && i->ifa_addr->sa_family == family &&
		    strcmp(i->ifa_name, name) == 0)
			r = bind_to(fd, i->ifa_addr);
	freeifaddrs(list);
	return r;
}

/* Linux before 5.7 lets only CAP_NET_RAW choose a device. */
static int
bind_device(int fd, const char *name, int family)
{
#ifdef HAVE_LINUX
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
	    strlen(name) + 1) == 0)
		return 0;
	if (errno != EPERM)
		return -1;
#endif
	return bind_address_of(fd, name, family);
}

int
net_bind_source(int fd, const char *word, int family)
{
	struct interface from;

	if (word == NULL || family == AF_UNIX)
		return 0;
	if (interface_parse(&from, word) == -1) {
		errno = EINVAL;
		return -1;
	}
	return from.name[0] != '\0' ? bind_device(fd, from.name, family) :
	    bind_address(fd, &from, family);
}

/* The family that the word leaves: NET_ANY if it is no address. */
static int
family_of(const char *word)
{
	struct interface from;

	if (word == NULL || interface_parse(&from, word) == -1 ||
	    from.name[0] != '\0')
		return NET_ANY;
	return ip_is_v4(&from.ip) ? NET_IPV4 : NET_IPV6;
}

static int
other(int family)
{
	return family == NET_IPV4 ? NET_IPV6 : NET_IPV4;
}

/* No address is there, or none of the only family that was looked for. */
static int
blame_family(struct error *why, const char *word, int family)
{
	struct error what = *why;

	if (what.status != EXIT_NAME)
		return -1;
	if (word == NULL)
		return error_set(why, what.status, "%s (-%d leaves only IPv%d "
		    "addresses)", what.text, family, family);
	return error_set(why, what.status, "%s (--interface %s leaves only "
	    "IPv%d addresses: give an IPv%d address of this host, or the "
	    "interface by name)", what.text, word, family, other(family));
}

int
net_find_from(struct net_found *found, const struct addr *a, const char *named,
    const char *word, int family, struct error *why)
{
	int only = family == NET_ANY ? family_of(word) : family;
	int r = net_find(found, a, named, only, why);

	found->from = word;
	if (r == -1 && only != NET_ANY)
		blame_family(why, family == NET_ANY ? word : NULL, only);
	return r;
}

/* An IPv4 address that is written as an IPv6 one is of both families. */
static int
is_of_other(struct slice number, int only)
{
	struct ip ip;

	if (ip_parse(&ip, number) == -1)
		return 0;
	return only == NET_IPV4 ? !ip_is_v4(&ip) :
	    slice_find(number, ':') == NULL;
}

static int
are_of_other(const char *named, int only)
{
	size_t len;

	for (;; named += len + 1) {
		len = strcspn(named, ",");
		if (!is_of_other((struct slice){ named, len }, only))
			return 0;
		if (named[len] == '\0')
			return 1;
	}
}

int
net_family_check(const struct addr *a, const char *named, const char *what,
    const char *word, int family, struct error *why)
{
	int source = family_of(word), only = family != NET_ANY ? family : source;
	char text[ADDR_HOST_MAX + 128];

	if (a->kind != ADDR_TCP || only == NET_ANY)
		return 0;
	if (source == other(only))
		return error_set(why, EXIT_BADUSAGE, "--interface %s: is an "
		    "IPv%d address: give an IPv%d address of this host, or "
		    "leave --ipv%d out", word, source, family, family);
	if (!(named != NULL ? are_of_other(named, only) :
	    is_of_other(slice_of(a->host), only)))
		return 0;
	if (named != NULL)
		snprintf(text, sizeof(text), "--resolve has no IPv%d address "
		    "for %s", only, a->host);
	else
		snprintf(text, sizeof(text), "%s is an IPv%d address", what,
		    other(only));
	if (family != NET_ANY)
		return error_set(why, EXIT_BADUSAGE, "--ipv%d: %s: give an "
		    "IPv%d address, or leave --ipv%d out", only, text, only,
		    only);
	return error_set(why, EXIT_BADUSAGE, "--interface %s: %s: give an "
	    "IPv%d address of this host, or the interface by name", word,
	    text, other(only));
}

int
net_source_check(const char *word)
{
	int family = family_of(word) == NET_IPV6 ? AF_INET6 : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), r, e;

	if (fd == -1)
		return -1;
	r = net_bind_source(fd, word, family);
	e = errno;
	close(fd);
	errno = e;
	return r;
}
