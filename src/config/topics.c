/* SPDX-License-Identifier: ISC */
/* inetws help TOPIC: shows blocks of inetws-examples(7). */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "config/topics.h"
#include "proto/addr.h"

/*
 * The examples in the blocks, in place of which parts of the user's URL are
 * shown.
 */
#define PAGE_URL	"wss://example.org/ssh/"
#define PAGE_HOST	"example.org"
#define PAGE_PATH	"/ssh/"
#define PAGE_SITE	"example.org {"		/* of Caddy */
#define PAGE_BIND	":443 ssl"		/* of HAProxy */
#define PAGE_NAME	"host: example.org"	/* of an Ingress: no address */

/* Characters of a URL that a shell, ssh_config and nginx.conf do not change. */
#define PASTED	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._/:[]"

static const struct topic {
	const char *name, *sentence, *block;
} topic_table[] = {
#include "help_topics.h"		/* those of a topic, one after the other */
};

#define NTOPICS	(sizeof(topic_table) / sizeof(topic_table[0]))

/* Writes a block with the parts of the URL in place of the examples. */
static void
put_filled(const char *text, const char *url, const struct url *u, FILE *f)
{
	char host[ADDR_TEXT_MAX], site[ADDR_HOST_MAX + 20], bind[20];
	const struct {
		const char *name, *value;
	} pairs[] = {		/* longer ones before those they begin with */
		{ PAGE_URL, url },
		{ PAGE_SITE, site },
		{ PAGE_BIND, bind },
		{ PAGE_HOST, u->at.host },
		{ PAGE_PATH, u->path },
	};
	const size_t npairs = sizeof(pairs) / sizeof(pairs[0]);
	size_t i, n;

	snprintf(site, sizeof(site), "%s {",
	    url_host(host, sizeof(host), u));
	snprintf(bind, sizeof(bind), ":%u ssl", (unsigned int)u->at.port);

	while (*text != '\0') {
		for (i = 0; i < npairs; i++) {
			n = strlen(pairs[i].name);
			if (strncmp(text, pairs[i].name, n) == 0)
				break;
		}
		if (i == npairs) {
			putc(*text++, f);
			continue;
		}
		fputs(pairs[i].value, f);
		text += n;
	}
}

static int
is_address(const struct url *u)
{
	return strchr(u->at.host, ':') != NULL ||
	    u->at.host[strspn(u->at.host, "0123456789.")] == '\0';
}

int
topic_print(const char *name, const char *url, FILE *f, struct error *why)
{
	const struct topic *t;
	struct url u;
	char err[300];
	int found = 0;

	if (url == NULL)
		url = PAGE_URL;
	for (t = topic_table; t < topic_table + NTOPICS; t++) {
		if (strcmp(t->name, name) != 0)
			continue;
		if (!found && url_parse(&u, url, err, sizeof(err)) == -1)
			return error_set(why, EXIT_BADUSAGE, "%s", err);
		if (u.at.kind != ADDR_TCP || url[strspn(url, PASTED)] != '\0')
			return error_set(why, EXIT_BADUSAGE, "the lines of "
			    "help take a URL of a host and a path, without "
			    "characters that a shell or ssh would change");
		if (strstr(t->block, PAGE_NAME) != NULL && is_address(&u))
			return error_set(why, EXIT_BADUSAGE, "%s: an Ingress "
			    "takes a name, not an address", u.at.host);
		fprintf(f, "%s%s:\n\n", found ? "\n" : "", t->sentence);
		put_filled(t->block, url, &u, f);
		found = 1;
	}
	if (found)
		fputs("\nThe whole task, and more of them: "
		    "man inetws-examples\n", f);
	return found;
}

const char *
topic_name(size_t n)
{
	size_t i;

	for (i = 0; i < NTOPICS; i++)
		if ((i == 0 || strcmp(topic_table[i].name,
		    topic_table[i - 1].name) != 0) && n-- == 0)
			return topic_table[i].name;
	return NULL;
}

void
topics_list(char *dst, size_t size)
{
	const char *name;
	size_t i;

	dst[0] = '\0';
	for (i = 0; (name = topic_name(i)) != NULL; i++) {
		if (i > 0)
			strlcat(dst, ", ", size);
		strlcat(dst, name, size);
	}
}
