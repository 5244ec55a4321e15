/* SPDX-License-Identifier: ISC */
/*
 * LISTEN, TARGET, URL and Location.  The first byte picks the parser; what is
 * accepted must print as something that is accepted and prints the same.
 */
#include "proto/addr.h"
#include "fuzz.h"

static void
try_addr(const char *word, int (*parse)(struct addr *, const char *, char *,
    size_t))
{
	struct addr a, b;
	char err[200], one[512], two[512];

	if (parse(&a, word, err, sizeof(err)) == -1) {
		CHECK(err[0] != '\0' && strlen(err) < sizeof(err));
		return;
	}
	addr_print(one, sizeof(one), &a);
	CHECK(parse(&b, one, err, sizeof(err)) == 0);
	CHECK(strcmp(addr_print(two, sizeof(two), &b), one) == 0);
}

static void
check_url(const struct url *u)
{
	struct url again;
	char err[200], one[8192], two[8192];
	const char *p;

	CHECK(u->path[0] == '/' && strlen(u->path) <= URL_PATH_MAX);
	for (p = u->path; *p != '\0'; p++)
		CHECK(*p > ' ' && *p < 0x7f && *p != '#');
	CHECK(u->at.kind == ADDR_UNIX ||
	    (u->at.kind == ADDR_TCP && u->at.port != 0));
	url_host(one, sizeof(one), u);
	CHECK(strpbrk(one, " \r\n/@") == NULL);
	url_print(one, sizeof(one), u);
	CHECK(url_parse(&again, one, err, sizeof(err)) == 0);
	CHECK(again.tls == u->tls && again.user[0] == '\0');
	CHECK(strcmp(url_print(two, sizeof(two), &again), one) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const base[] = { "wss://u:p@h.example/a/b/c?q",
	    "ws+unix:/run/x:/a", "ws://[::1]:8080" };
	char err[200], *word;
	struct url u, from;

	if (size == 0 || size > 8192)
		return 0;
	word = malloc(size);
	memcpy(word, data + 1, size - 1);
	word[size - 1] = '\0';
	switch (data[0] % 6) {
	case 0:
		try_addr(word, addr_listen);
		break;
	case 1:
		try_addr(word, addr_target);
		break;
	case 2:
		if (url_parse(&u, word, err, sizeof(err)) == 0)
			check_url(&u);
		break;
	default:
		CHECK(url_parse(&from, base[data[0] % 3], err,
		    sizeof(err)) == 0);
		if (url_join(&u, &from, word, err, sizeof(err)) == 0)
			check_url(&u);
		break;
	}
	free(word);
	return 0;
}
