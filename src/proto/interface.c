/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "proto/interface.h"

/* Is it an address, with or without a zone? */
static int
is_address(const char *s)
{
	struct ip ip;

	return ip_parse(&ip, (struct slice){ s, strcspn(s, "%") }) == 0;
}

/* Is it a name that Linux allows: without '/', ':' and blanks? */
static int
is_name(const char *s)
{
	const char *p;

	if (is_address(s))
		return 0;
	for (p = s; *p != '\0'; p++)
		if (*p == '/' || *p == ':' || *p == ' ' || str_is_control(*p))
			return 0;
	return p > s && p - s <= INTERFACE_NAME_MAX && strcmp(s, ".") != 0 &&
	    strcmp(s, "..") != 0;
}

int
interface_parse(struct interface *i, const char *word)
{
	int named = strncmp(word, "if!", 3) == 0;
	int addressed = strncmp(word, "host!", 5) == 0;
	const char *zone;

	memset(i, 0, sizeof(*i));
	word += named ? 3 : addressed ? 5 : 0;
	if (!named && ip_parse(&i->ip, slice_of(word)) == 0) {
		if ((zone = strchr(word, '%')) != NULL)
			i->zone = zone + 1;
		return 0;
	}
	if (addressed || !is_name(word))
		return -1;
	strlcpy(i->name, word, sizeof(i->name));
	return 0;
}
