/* SPDX-License-Identifier: ISC */
/*
 * UTF-8, incrementally (RFC 3629).
 *
 * If it fails: text of a peer is refused, or what is no text is passed on.
 */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tap.h"

enum { BAD = -1, PART, WHOLE };

static int
outcome(struct utf8 *u, int fed)
{
	return fed == -1 ? BAD : utf8_complete(u) ? WHOLE : PART;
}

static int
at_once(const void *p, size_t n)
{
	struct utf8 u;

	utf8_begin(&u);
	return outcome(&u, utf8_feed(&u, p, n));
}

static int
in_two(const uint8_t *p, size_t n, size_t split)
{
	struct utf8 u;

	utf8_begin(&u);
	if (utf8_feed(&u, p, split) == -1)
		return BAD;
	return outcome(&u, utf8_feed(&u, p + split, n - split));
}

static int
by_byte(const uint8_t *p, size_t n)
{
	struct utf8 u;
	size_t i;

	utf8_begin(&u);
	for (i = 0; i < n; i++)
		if (utf8_feed(&u, p + i, 1) == -1)
			return BAD;
	return outcome(&u, 0);
}

static const struct {
	const char *name, *text;
	int want;
} texts[] = {
	{ "nothing", "", WHOLE },
	{ "ASCII", "the quick brown fox jumps over", WHOLE },
	{ "ASCII that ends in a character of two bytes",
	    "0123456789abcdef0123456789abcde\xc3\xa9", WHOLE },
	{ "a bad byte behind long ASCII",
	    "0123456789abcdef0123456789abcde\xff", BAD },
	{ "mixed lengths", "\xce\xba\xe1\xbd\xb9x\xf0\x9f\x98\x80", WHOLE },
	{ "U+0080", "\xc2\x80", WHOLE },
	{ "U+07FF", "\xdf\xbf", WHOLE },
	{ "U+0800", "\xe0\xa0\x80", WHOLE },
	{ "U+D7FF", "\xed\x9f\xbf", WHOLE },
	{ "U+E000", "\xee\x80\x80", WHOLE },
	{ "U+FFFF", "\xef\xbf\xbf", WHOLE },
	{ "U+10000", "\xf0\x90\x80\x80", WHOLE },
	{ "U+10FFFF", "\xf4\x8f\xbf\xbf", WHOLE },
	{ "U+110000", "\xf4\x90\x80\x80", BAD },
	{ "U+D800, a surrogate", "\xed\xa0\x80", BAD },
	{ "U+DFFF, a surrogate", "\xed\xbf\xbf", BAD },
	{ "a surrogate pair", "\xed\xa0\xbd\xed\xb8\x80", BAD },
	{ "overlong '/' in two bytes", "\xc0\xaf", BAD },
	{ "overlong U+007F", "\xc1\xbf", BAD },
	{ "overlong in three bytes", "\xe0\x80\xaf", BAD },
	{ "overlong U+07FF", "\xe0\x9f\xbf", BAD },
	{ "overlong in four bytes", "\xf0\x80\x80\xaf", BAD },
	{ "overlong U+FFFF", "\xf0\x8f\xbf\xbf", BAD },
	{ "five bytes", "\xf8\x88\x80\x80\x80", BAD },
	{ "a lone continuation", "a\x80", BAD },
	{ "FE", "\xfe", BAD },
	{ "FF", "\xff", BAD },
	{ "one of two bytes", "abc\xc3", PART },
	{ "two of three bytes", "abc\xe2\x82", PART },
	{ "three of four bytes", "\xf0\x9f\x98", PART },
	{ "a character cut by ASCII", "\xe2\x82" "A", BAD },
	{ "a character cut by another", "\xe2\x82\xc3\xa9", BAD },
};

static void
test_texts(void)
{
	size_t i, n, split;
	uint8_t *exact;
	int good;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		n = strlen(texts[i].text);
		exact = malloc(n > 0 ? n : 1);
		memcpy(exact, texts[i].text, n);
		good = at_once(exact, n) == texts[i].want &&
		    by_byte(exact, n) == texts[i].want;
		for (split = 0; split <= n; split++)
			good &= in_two(exact, n, split) == texts[i].want;
		ok(good, "%s", texts[i].name);
		free(exact);
	}
}

/* Written from the other end: code points to bytes. */
static size_t
encode(uint8_t *p, unsigned long c)
{
	static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = n; i-- > 1; c >>= 6)
		p[i] = 0x80 | (c & 0x3f);
	p[0] = first[n] | c;
	return n;
}

/*
 * All sequences of up to four bytes that are one character each: exactly as
 * many as there are scalar values, and each of these is among them.
 */
static void
test_all(void)
{
	unsigned long c, lost = 0, found = 0, early = 0;
	uint8_t p[4];
	unsigned int a, b, d, e;
	size_t n;

	for (c = 0; c <= 0x10ffff; c++) {
		n = encode(p, c);
		if (c < 0xd800 || c > 0xdfff)
			lost += at_once(p, n) != WHOLE;
		else
			lost += at_once(p, n) != BAD;
	}
	is(lost, 0, "every code point");

	for (a = 0; a < 256; a++) {
		p[0] = a;
		if (at_once(p, 1) != PART) {
			found += at_once(p, 1) == WHOLE;
			continue;
		}
		for (b = 0; b < 256; b++) {
			p[1] = b;
			if (at_once(p, 2) != PART) {
				found += at_once(p, 2) == WHOLE;
				continue;
			}
			for (d = 0; d < 256; d++) {
				unsigned long here = found;

				p[2] = d;
				if (at_once(p, 3) != PART) {
					found += at_once(p, 3) == WHOLE;
					continue;
				}
				for (e = 0; e < 256; e++) {
					p[3] = e;
					found += at_once(p, 4) == WHOLE;
				}
				early += found == here;
			}
		}
	}
	is(found, 0x110000 - 0x800, "nothing but code points");
	is(early, 0, "refused as soon as nothing could make it valid");
}

static void
test_first(void)
{
	uint32_t c = 7;

	is(utf8_first("", &c), 0, "no character at the end");
	is(utf8_first("\xff", &c), 0, "nor in what is none");
	is(utf8_first("\xc3" "A", &c), 0, "nor in half of one");
	is(c & ~0x7u, 0, "no value beyond that of the half");
	is(utf8_first("AB", &c), 1, "ASCII");
	is(c, 'A', "its value");
	is(utf8_first("\xf4\x8f\xbf\xbf" "x", &c), 4, "the last one");
	is(c, 0x10ffff, "its value");
}

int
main(void)
{
	test_first();
	test_texts();
	test_all();
	return done_testing();
}
