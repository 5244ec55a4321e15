/* SPDX-License-Identifier: ISC */
/*
 * Names of agents, and the file that lists them.
 *
 * If it fails: an agent gets the visitors of another one, or a secret name is
 * shown.
 */
#include <string.h>

#include "proto/agent_name.h"
#include "tap.h"

#define HASH	"0123456789abcdef0123456789ABCDEF" \
		"0123456789abcdef0123456789abcdef"

static void
test_names(void)
{
	static const struct { const char *path, *name; } t[] = {
		{ "/a", "a" }, { "/agents/office-ssh", "office-ssh" },
		{ "/x/my_b!g_$secret!!", "my_b!g_$secret!!" },
		{ "//~a.b&'()*+,;=@-_", "~a.b&'()*+,;=@-_" },
		{ "/AZaz09", "AZaz09" }, { "/\"b", NULL }, { "/:b", NULL },
		{ "/a[", NULL }, { "/a`", NULL },
		{ "/a{", NULL },
		{ "/", NULL }, { "/a/", NULL }, { "/.a", NULL },
		{ "/..", NULL }, { "/a/..", NULL }, { "/a%2fb", NULL },
		{ "/a%00", NULL }, { "/a b", NULL }, { "/a\"b", NULL },
		{ "/caf\xc3\xa9", NULL }, { "/a#b", NULL }, { "/a:b", NULL },
		{ "/a{b", NULL }, { "/a|b", NULL }, { "/a[b", NULL },
		{ "", NULL },
	};
	char name[AGENT_NAME_MAX], path[200];
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		r = agent_name_of_path(name, slice_of(t[i].path));
		ok(t[i].name == NULL ? r == -1 : r == 0 &&
		    strcmp(name, t[i].name) == 0, "%s", t[i].path);
	}
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	is(agent_name_of_path(name, (struct slice){ path, 129 }), 0,
	    "128 letters");
	is(agent_name_of_path(name, (struct slice){ path, 130 }), -1, "129");
	ok(agent_name_of_path(name, (struct slice){ "/a\0b", 4 }) == -1,
	    "a NUL");
	ok(strcmp(agent_name_mask(name, "my_b!g_$secret!!"), "my_b!g...") == 0,
	    "masked");
	strcpy(path, "wss://h/a/my_b!g_$secret!!");
	agent_name_mask_url(path);
	ok(strcmp(path, "wss://h/a/my_b!g...") == 0, "in a URL");
	strcpy(path, "wss://h/agents/office-ssh");
	agent_name_mask_url(path);
	ok(strcmp(path, "wss://h/agents/office-ssh") == 0, "a short name");
	ok(strcmp(agent_name_mask(name, "ab"), "ab...") == 0, "a short one");
	strcpy(path, "no-path-of-more-than-16-letters");
	agent_name_mask_url(path);
	ok(strcmp(path, "no-path-of-more-than-16-letters") == 0, "no URL");
}

static void
test_path(void)
{
	char path[16];

	is(agent_name_path(path, sizeof(path), "/run/x", "n"), 0, "a path");
	ok(strcmp(path, "/run/x/n" AGENT_NAME_SUFFIX) == 0, "of a socket");
	is(agent_name_path(path, strlen(path) + 1, "/run/x", "n"), 0,
	    "fits exactly");
	is(agent_name_path(path, strlen(path), "/run/x", "n"), -1,
	    "or does not");
}

static int
lines(const char *text, unsigned int *good)
{
	struct agents_file_line l;
	struct lines all;
	int r;

	*good = 0;
	lines_begin(&all, slice_of(text));
	while ((r = agents_file_next(&all, &l)) == 1)
		*good += slice_is(l.hash, HASH);
	return r;
}

static void
test_lines(void)
{
	static const char *const bad[] = {
		"a", "a b", "a " HASH "0", "a " HASH " c", ".a " HASH,
		"a/b " HASH, "a g123456789abcdef0123456789ABCDEF0123456789"
		"abcdef0123456789abcdef"
	};
	const char *why = NULL;
	struct lines all;
	struct line line;
	unsigned int good;
	size_t i;

	lines_begin(&all, slice_of("a b"));
	is(agents_file_lines.next(&all, &line, &why), -1, "a line that is bad");
	ok(why != NULL && strstr(why, "NAME") != NULL, "says what is wanted");
	is(lines("", &good), 0, "an empty file");
	is(lines("# c\n\n a " HASH "\r\n\tb\t" HASH "\n# d\nc " HASH, &good),
	    0, "lines, comments, blanks");
	is(good, 3, "three names");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(lines(bad[i], &good) == -1, "'%s'", bad[i]);
}

int
main(void)
{
	test_names();
	test_path();
	test_lines();
	return done_testing();
}
