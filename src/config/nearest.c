/* SPDX-License-Identifier: ISC */
/*
 * Hints for wrong words of the command line: which option was meant, what kind
 * of value the word is, and how it is shown in a message.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "config/settings.h"
#include "config/types.h"

/* Characters of a host and a path that need no escape. */
#define PLAIN	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-._/"

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * The Damerau-Levenshtein distance of two words: how many letters must be
 * added, removed, changed, or exchanged with their neighbour, to make one word
 * of the other.
 */
static unsigned int
distance(const char *a, size_t alen, const char *b)
{
	unsigned int d[WORD_TOO_FAR + 1][WORD_TOO_FAR + 1];
	size_t blen = strlen(b), i, j;

	if (alen > WORD_TOO_FAR || blen > WORD_TOO_FAR)
		return WORD_TOO_FAR;
	for (i = 0; i <= alen; i++)
		d[i][0] = i;
	for (j = 0; j <= blen; j++)
		d[0][j] = j;
	for (i = 1; i <= alen; i++)
		for (j = 1; j <= blen; j++) {
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] +
			    (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[alen][blen];
}

/*
 * Up to two errors are typing errors, in a word of less than five letters only
 * one.  The beginning of a name, of three letters or more, counts as one error:
 * options cannot be abbreviated, but users try.
 */
unsigned int
word_distance(const char *word, size_t len, const char *name)
{
	unsigned int n = distance(word, len, name);

	if (len >= 3 && strncmp(word, name, len) == 0)
		n = least(n, 1);
	return n <= (len < 5 ? 1u : 2u) ? n : WORD_TOO_FAR;
}

int
word_is_pasted(const char *word, char *err, size_t errlen)
{
	uint32_t c;

	/* U+2000 to U+206F is the block General Punctuation. */
	if (utf8_first(word, &c) < 2 || (c != 0xfeff && c != 0xa0 &&
	    c != 0x2212 && (c < 0x2000 || c > 0x206f)))
		return 0;
	snprintf(err, errlen, "begins with %s (U+%04X), as pasted text may: "
	    "type it anew", c == 0xfeff ? "a byte order mark" :
	    "a blank, dash or quote that is not of ASCII", (unsigned int)c);
	return 1;
}

char *
word_show(char *dst, size_t size, const char *word)
{
	const char *at = strrchr(word, '@'), *slashes = strstr(word, "://");
	const char *user = slashes == NULL ? word : slashes + 3;
	size_t n;

	if (at == NULL || at < user ||
	    (slashes == NULL && strcspn(word, ":@") == strcspn(word, "@")))
		return str_escape(dst, size, word, strlen(word));
	str_escape(dst, size, word, user - word);
	n = strlen(dst);
	if (n + 12 < size) {
		strlcat(dst, "***", size);
		str_escape(dst + n + 3, size - n - 3, at, strlen(at));
	}
	return dst;
}

int
value_refuse_url(const struct value *v, const char *expected)
{
	const struct option *url = option_find("url", 3);
	char shown[80], modes[100];

	if (strstr(v->text, "://") == NULL)
		return 0;
	word_show(shown, sizeof(shown), v->text);
	if (option_in_mode(url, v->o->mode))
		return value_fail(v, "'%s' is a URL: expected %s (%s takes one "
		    "URL, as an operand)", shown, expected, mode_name(v->o->mode));
	return value_fail(v, "'%s' is a URL: expected %s (%s take a URL)",
	    shown, expected,
	    modes_print(modes, sizeof(modes), url->modes, " and "));
}

/*
 * An option with an optional value that was given without one, and to which the
 * word would fit; or NULL.
 */
static const struct option *
option_before(const char *word, const struct settings *cli)
{
	const struct setting *s;
	struct options o;
	char err[300];
	struct value v = { &o, NULL, word, err, sizeof(err) };
	int fits = 0;

	memset(&o, 0, sizeof(o));
	for (s = cli->v; s < cli->v + cli->n && !fits; s++)
		if (s->value == NULL && s->row->type->optional) {
			v.row = s->row;
			fits = value_set(&v) == 0;
		}
	options_free(&o);
	return fits ? s[-1].row : NULL;
}

void
operand_hint(char *dst, size_t size, const char *word,
    const struct settings *cli, enum mode mode)
{
	const struct option *row = option_before(word, cli);
	char ignored[200];
	struct addr a;

	dst[0] = '\0';
	if (strspn(word, "acdehimnorstu") == strlen(word))
		snprintf(dst, size, " (a TIME is one word: 500ms, 25s, 5m, "
		    "1h)");
	else if (row != NULL)
		snprintf(dst, size, " (a value of --%s is joined to it with "
		    "'=')", row->name);
	else if (option_in_mode(option_find("listen", 6), mode) &&
	    addr_listen(&a, word, ignored, sizeof(ignored)) == 0)
		snprintf(dst, size, " (where to listen is -l LISTEN)");
	else if (strstr(word, "://") != NULL &&
	    !option_in_mode(option_find("url", 3), mode))
		snprintf(dst, size, " (%s takes no URL; where to listen is -l "
		    "LISTEN)", mode_name(mode));
}

int
value_refuse_address(const struct value *v)
{
	const struct mode_row *mode = mode_of(v->o->mode);
	char ignored[200], shown[80];
	struct addr a;

	if (mode == NULL ||
	    addr_listen(&a, v->text, ignored, sizeof(ignored)) == -1)
		return 0;
	return value_fail(v, "'%s' is an address: expected a URL, as "
	    "wss://HOST/PATH: usage: inetws %s %s",
	    word_show(shown, sizeof(shown), v->text), mode->name, mode->usage);
}

int
value_refuse_bare(const struct value *v)
{
	const char *scheme = v->text, *bare = v->text;
	char shown[80];

	if (strncmp(bare, "ws:", 3) == 0 || strncmp(bare, "wss:", 4) == 0)
		bare += strcspn(bare, ":") + 1;
	if (strncmp(bare, "//", 2) == 0)
		return 0;
	if (bare != scheme)
		bare += strspn(bare, "/");
	/* Without a scheme the host must have a dot; the rest must be plain. */
	if (bare[0] == '\0' || strchr("./", bare[0]) != NULL ||
	    bare[strspn(bare, PLAIN)] != '\0' ||
	    (bare == scheme && memchr(bare, '.', strcspn(bare, "/")) == NULL))
		return 0;
	return value_fail(v, "'%s' is no websocket URL: did you mean %s%s?",
	    word_show(shown, sizeof(shown), v->text),
	    strncmp(scheme, "ws:", 3) == 0 ? "ws://" : "wss://", bare);
}
