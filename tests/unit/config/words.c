/* SPDX-License-Identifier: ISC */
/*
 * Words that were meant, words with quotes, and command lines to paste.
 *
 * If it fails: a typing error gets no hint or a wrong one, a line of a
 * configuration file means something else, or a pasted line shows a secret.
 */
#include "config/fixture.h"

#include "base/out.h"
#include "config/types.h"

/* word, name, and how far they are apart: 9 is too far. */
static void
test_distance(void)
{
	static const struct { const char *word, *name; unsigned int n; } t[] = {
		{ "listen", "listen", 0 }, { "listne", "listen", 1 },
		{ "lisen", "listen", 1 }, { "lissten", "listen", 1 },
		{ "lixten", "listen", 1 }, { "lxsxen", "listen", 2 },
		{ "lxsxex", "listen", 9 }, { "ilsten", "listen", 1 },
		{ "ilstne", "listen", 2 }, { "path", "path", 0 },
		{ "ptah", "path", 1 }, { "psth", "path", 1 },
		{ "pxtx", "path", 9 }, { "pathx", "path", 1 },
		{ "paxxh", "path", 2 }, { "paxx", "path", 9 },
		{ "lis", "listen", 1 }, { "li", "listen", 9 },
		{ "ping", "ping-interval", 1 }, { "pin", "ping", 1 },
		{ "", "a", 1 }, { "", "ab", 9 }, { "abc", "cba", 9 },
		{ "abcd", "badc", 9 }, { "abcde", "badce", 2 }
	};
	unsigned int got;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		got = word_distance(t[i].word, strlen(t[i].word), t[i].name);
		is(got == WORD_TOO_FAR ? 9 : got, t[i].n, t[i].word);
	}
	is(word_distance("listen=x", 6, "listen"), 0, "so much of a word");
	is_str(option_nearest("verbos", 6, 0), "verbose", "an option");
	is_str(option_nearest("confg", 5, 0), "config", "of the command line");
	ok(option_nearest("confg", 5, 1) == NULL, "which no file has");
	is_str(option_nearest("taget", 5, 1), "target", "one of a file");
	ok(option_nearest("taget", 5, 0) == NULL, "which no command line has");
	is_str(option_nearest("ping", 4, 0), "ping-interval", "the first one");
}

/* The longest word that is compared, and one letter more. */
static void
test_longest(void)
{
	char a[WORD_TOO_FAR + 3], b[WORD_TOO_FAR + 3];

	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[WORD_TOO_FAR] = b[WORD_TOO_FAR] = '\0';
	a[0] = 'x';
	is(word_distance(a, strlen(a), b), 1, "as long as it may be");
	a[WORD_TOO_FAR] = b[WORD_TOO_FAR] = 'a';
	a[WORD_TOO_FAR + 1] = b[WORD_TOO_FAR + 1] = '\0';
	is(word_distance(a, strlen(a), b), WORD_TOO_FAR, "a longer one");
}

static const char *
split(const char *text)
{
	static char shown[500];
	char **words = syntax_split(&o, text);
	int i;

	if (words == NULL)
		return "-";
	shown[0] = '\0';
	for (i = 0; words[i] != NULL; i++) {
		strlcat(shown, "[", sizeof(shown));
		strlcat(shown, words[i], sizeof(shown));
		strlcat(shown, "]", sizeof(shown));
	}
	return shown;
}

static void
test_split(void)
{
	static const struct { const char *line, *words; } t[] = {
		{ "a", "[a]" }, { "a b", "[a][b]" }, { " a\t b ", "[a][b]" },
		{ "", "-" }, { "  ", "-" }, { "\"\"", "[]" },
		{ "\"a b\" c", "[a b][c]" }, { "\"a\\\"b\\\\c\"", "[a\"b\\c]" },
		{ "\"a\\nb\"", "[a\nb]" }, { "\"a\\tb\"", "[a\\tb]" },
		{ "a\\nb", "[a\\nb]" }, { "\"a", "-" }, { "a \"", "-" },
		{ "\"a\"b", "-" }, { "a\"b\"", "[a\"b\"]" },
		{ "\"a\"\t\"b\"", "[a][b]" }, { "\"a\\\"", "-" },
		{ "a b c d", "[a][b][c][d]" }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is_str(split(t[i].line), t[i].words, t[i].line);
}

/* What is written is read back; quotes only where they are needed. */
static void
test_put(void)
{
	static const struct { const char *value, *line; } t[] = {
		{ "a", "n a\n" }, { "a b", "n a b\n" }, { "", "n \"\"\n" },
		{ " a", "n \" a\"\n" }, { "a ", "n \"a \"\n" },
		{ "\ta", "n \"\ta\"\n" }, { "=a", "n \"=a\"\n" },
		{ "a=", "n a=\n" }, { "\"a", "n \"\\\"a\"\n" },
		{ "a\"", "n a\"\n" }, { "a\\", "n \"a\\\\\"\n" },
		{ "\\a", "n \\a\n" }, { "a\nb", "n \"a\\nb\"\n" }
	};
	char name[] = "a b", second[] = "c", third[] = "", *words[] = { name,
	    second, third, NULL }, *text;
	size_t i, len;
	FILE *f;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		f = open_memstream(&text, &len);
		syntax_put("n", t[i].value, f);
		fclose(f);
		is_str(text, t[i].line, "a value");
		free(text);
	}
	f = open_memstream(&text, &len);
	syntax_put_words("n", words, f);
	fclose(f);
	is_str(text, "n \"a b\" c \"\"\n", "words");
	free(text);
	f = open_memstream(&text, &len);
	syntax_put_program("n", words, f);
	fclose(f);
	is_str(text, "n \"\\\"a b\\\" c \\\"\\\"\"\n", "a program");
	free(text);
}

static void
test_quote(void)
{
	static const struct { const char *word, *quoted; } t[] = {
		{ "a", "a" }, { "", "''" }, { "a b", "'a b'" },
		{ "wss://h/a-_.,@+=%:", "wss://h/a-_.,@+=%:" },
		{ "[::1]", "'[::1]'" }, { "a]", "'a]'" }, { "[a", "'[a'" },
		{ "it's", "'it'\\''s'" }, { "a;b", "'a;b'" },
		{ "$a", "'$a'" }, { "~", "'~'" }
	};
	char buf[100];
	struct out out;
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		out_begin(&out, buf, sizeof(buf));
		options_quote(&out, t[i].word);
		is_str(buf, t[i].quoted, t[i].word);
	}
}

/* A line for another mode: its options, without secrets. */
static void
repeats(const char *from, const char *command, const char *left_out)
{
	char a[2000], b[500];
	struct out to, rest;

	if (!runs(from))
		return;
	out_begin(&to, a, sizeof(a));
	out_begin(&rest, b, sizeof(b));
	options_repeat(&o, MODE_CONNECT, &to, &rest);
	is_str(a, command, "a line to paste");
	is_str(b, left_out, "and what it lacks");
}

static void
test_repeat(void)
{
	repeats("inetws check wss://h/", "wss://h/", "");
	repeats("inetws check -k -v --json wss://h/", "-k wss://h/", "");
	repeats("inetws check --connect-timeout 5 -A a~b wss://h/",
	    "--connect-timeout 5 -A 'a b' wss://h/", "");
	repeats("inetws check wss://h/ --proxy-idle=5s -k", "-k wss://h/", "");
	repeats("inetws check -u a:b wss://h/", "wss://h/", "--user");
	repeats("inetws check wss://a:b@h/", "wss://h/",
	    "the user and password of the URL");
	repeats("inetws check -u a:b wss://h/?q", "wss://h/",
	    "--user, the query of the URL");
	repeats("inetws check -H Cookie:x -H X:y wss://h/", "-H X:y wss://h/",
	    "--header");
	repeats("inetws check --proxy-header X:y wss://h/", "wss://h/",
	    "--proxy-header");
	repeats("inetws check -x http://a:b@p:1 wss://h/",
	    "-x http://p:1 wss://h/", "the user and password of --proxy");
	repeats("inetws check -x http://p:1 wss://h/", "-x http://p:1 wss://h/",
	    "");
}

static void
test_pasted(void)
{
	static const struct { const char *word; int is; } t[] = {
		{ "a", 0 }, { "", 0 }, { "\xc2\xa0" "a", 1 },
		{ "\xc2\xa1" "a", 0 }, { "\xe2\x80\x80", 1 },
		{ "\xe1\xbf\xbf", 0 }, { "\xe2\x81\xaf", 1 },
		{ "\xe2\x81\xb0", 0 }, { "\xe2\x88\x92", 1 },
		{ "\xe2\x88\x93", 0 }, { "\xef\xbb\xbf", 1 },
		{ "\xef\xbb\xbe", 0 }, { "a\xc2\xa0", 0 }, { "\xe2\x80", 0 }
	};
	char err[200];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is(word_is_pasted(t[i].word, err, sizeof(err)), t[i].is,
		    "pasted text");
}

static void
test_show(void)
{
	static const struct { const char *word, *shown; } t[] = {
		{ "a", "a" }, { "me:secret@h", "***@h" }, { "me@h", "me@h" },
		{ "ws://me@h", "ws://***@h" }, { "ws://me:a@b@h", "ws://***@h" }, { "a@b:c", "a@b:c" },
		{ "@://x", "@://x" }, { "a\nb", "a\\nb" }
	};
	char shown[80];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is_str(word_show(shown, sizeof(shown), t[i].word), t[i].shown,
		    "no secret");
	is_str(word_show(shown, 20, "ws://me:secret@example.org/"),
	    "ws://***@example...", "in little room");
	ok(strstr(word_show(shown, 16, "ws://me:secret@h/"), "secret") == NULL,
	    "in less");
}

int
main(void)
{
	fixture_make();
	test_distance();
	test_longest();
	test_split();
	test_put();
	test_quote();
	test_repeat();
	test_pasted();
	test_show();
	fixture_remove();
	return done_testing();
}
