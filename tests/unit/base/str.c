/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a time, size or address is read as another one, or a peer
 * writes to the log.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

#include "base/lines.h"
#include "base/str.h"

static void
test_slices(void)
{
	struct slice none = { NULL, 0 };
	char buf[6];

	ok(slice_is(slice_of("abc"), "abc"), "same bytes");
	ok(!slice_is(slice_of("abc"), "ab"), "longer");
	ok(!slice_is(slice_of("ab"), "abc"), "shorter");
	ok(!slice_is(slice_of("Abc"), "abc"), "case counts");
	ok(slice_is_nocase(slice_of("WebSocket"), "websocket"), "any case");
	ok(!slice_is_nocase(slice_of("websocket!"), "websocket"), "more");
	ok(!slice_is(none, ""), "absent is not empty");
	ok(slice_is(slice_of(""), ""), "empty is empty");
	ok(slice_of(NULL).p == NULL, "NULL is absent");

	is(slice_copy(buf, sizeof(buf), slice_of("hello")), 0, "copy fits");
	is_str(buf, "hello", "copied");
	is(slice_copy(buf, sizeof(buf), slice_of("hello!")), -1, "copy cut");
	is_str(buf, "hello", "what fits is there");
	is(slice_copy(buf, sizeof(buf), (struct slice){ "a\0b", 3 }), -1,
	    "NUL inside");
	is(slice_copy(buf, sizeof(buf), none), 0, "absent copies as empty");
	is_str(buf, "", "empty");
	is(slice_copy(buf, 0, none), -1, "no room at all");
}

static void
test_lists(void)
{
	struct slice list = slice_of(" a , ,b;x=\"1,2\\\",3\" ,, c\t"), e;

	ok(slice_next(&list, &e) && slice_is(e, "a"), "first element");
	ok(slice_next(&list, &e) && slice_is(e, "b;x=\"1,2\\\",3\""),
	    "commas and escaped quotes inside quotes");
	ok(slice_next(&list, &e) && slice_is(e, "c"), "last element");
	ok(!slice_next(&list, &e), "end");
	ok(!slice_next(&list, &e), "still the end");
	list = slice_of(" ,\t, ");
	ok(!slice_next(&list, &e), "only empty elements");
	list = slice_of(NULL);
	ok(!slice_next(&list, &e), "absent list");
	list = slice_of("a\"b, c");
	ok(slice_next(&list, &e) && slice_is(e, "a\"b, c"),
	    "an open quote goes to the end");
	list = slice_of("\"a\\");
	ok(slice_next(&list, &e) && slice_is(e, "\"a\\"),
	    "also behind a backslash");

	ok(slice_has_token(slice_of("keep-alive, Upgrade"), "upgrade"),
	    "token in any case");
	ok(slice_has_token(slice_of(",,upgrade"), "upgrade"), "behind empties");
	ok(!slice_has_token(slice_of("upgrades, up"), "upgrade"), "no prefix");
	ok(!slice_has_token(slice_of("\"x, upgrade\""), "upgrade"),
	    "not inside quotes");
	ok(!slice_has_token(slice_of(NULL), "upgrade"), "absent has none");
}

static void
test_escape(void)
{
	char buf[16], small[8];
	char *exact;
	size_t n, size;

	is_str(str_escape(buf, sizeof(buf), "plain", 5), "plain", "plain");
	is_str(str_escape(buf, sizeof(buf), "\n\t\r", 3), "\\n\\t\\r", "named");
	is_str(str_escape(buf, sizeof(buf), "\"\\\0", 3), "\\x22\\x5c\\x00",
	    "quote, backslash, NUL");
	is_str(str_escape(buf, sizeof(buf), "\x7f\xff", 2), "\\x7f\\xff",
	    "DEL and beyond");
	is_str(str_escape(buf, sizeof(buf), "", 0), "", "empty");
	is_str(str_escape(small, sizeof(small), "1234567", 7), "1234567",
	    "fits exactly");
	is_str(str_escape(small, sizeof(small), "12345678", 8), "1234...",
	    "cut");
	is_str(str_escape(small, sizeof(small), "123\x01z", 5), "123...",
	    "an escape is not cut in two");
	is_str(str_escape(small, sizeof(small), "\x01\x01", 2), "\\x01...",
	    "cut behind an escape");

	/* every size and length, watched by the sanitizer */
	for (size = 8; size < 24; size++) {
		exact = malloc(size);
		for (n = 0; n < 30; n++) {
			str_escape(exact, size,
			    "ab\x01\"cd\n\x80zzzzzzzzzzzzzzzzzzzzzzzz", n);
			if (strlen(exact) >= size)
				ok(0, "size %zu length %zu", size, n);
		}
		free(exact);
	}
}

static void
test_durations(void)
{
	static const struct { const char *s; int64_t ms; } good[] = {
		{ "0", 0 }, { "0s", 0 }, { "10", 10000 }, { "500ms", 500 },
		{ "25s", 25000 }, { "5m", 300000 }, { "1h", 3600000 },
		{ "007", 7000 }, { "2147483647ms", 2147483647 },
		{ "2147483", 2147483000 }
	};
	static const char *const bad[] = { "", "s", "-1", "+1", " 1", "1 ",
	    "1.5h", "1d", "1hs", "1 s", "2147483648ms", "2147484", "597h",
	    "99999999999999999999", "0x10", "1H", "leave" };
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ms = -1;
		is(str_duration(good[i].s, &ms), 0, good[i].s);
		is(ms, good[i].ms, "its value");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(str_duration(bad[i], &ms) == -1, "no duration: '%s'",
		    bad[i]);
}

static void
test_sizes(void)
{
	static const struct { const char *s; uint64_t n; } good[] = {
		{ "0", 0 }, { "65536", 65536 }, { "64k", 65536 },
		{ "64K", 65536 }, { "16m", 16777216 }, { "1g", 1073741824 },
		{ "18446744073709551615", UINT64_MAX }
	};
	static const char *const bad[] = { "", "k", "-1", "1t", "1kb", "1 k",
	    "18446744073709551616", "18446744073709551615k", "1.5m" };
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = 1;
		is(str_size(good[i].s, &n), 0, good[i].s);
		ok(n == good[i].n, "its value");
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(str_size(bad[i], &n) == -1, "no size: '%s'", bad[i]);
}

static void
test_people(void)
{
	char b[32];

	is_str(str_ms(b, sizeof(b), 0), "0ms", "0");
	is_str(str_ms(b, sizeof(b), -5), "0ms", "never negative");
	is_str(str_ms(b, sizeof(b), 340), "340ms", "340");
	is_str(str_ms(b, sizeof(b), 999), "999ms", "999");
	is_str(str_ms(b, sizeof(b), 1290), "1.2s", "1290");
	is_str(str_ms(b, sizeof(b), 59999), "59.9s", "59999");
	is_str(str_ms(b, sizeof(b), 125000), "2m05s", "125000");
	is_str(str_ms(b, sizeof(b), 3599999), "59m59s", "3599999");
	is_str(str_ms(b, sizeof(b), 11040000), "3h04m", "11040000");

	is_str(str_min_s(b, sizeof(b), 0), "0 s", "0");
	is_str(str_min_s(b, sizeof(b), 59499), "59 s", "59.5 s");
	is_str(str_min_s(b, sizeof(b), 59500), "1 min 0 s", "to the nearest");
	is_str(str_min_s(b, sizeof(b), 116990), "1 min 57 s", "1 min 57 s");
	is_str(str_min_s(b, sizeof(b), 7200000), "120 min 0 s", "2 hours");
	is_str(str_size_short(b, sizeof(b), 1023), "1023", "1023");
	is_str(str_size_short(b, sizeof(b), 65536), "64k", "64k");
	is_str(str_size_short(b, sizeof(b), 262144 + 1), "256k", "rounded down");
	is_str(str_size_short(b, sizeof(b), 16777216), "16m", "16m");
	is_str(str_size_short(b, sizeof(b), UINT64_MAX), "17179869183g",
	    "the largest");

	is_str(str_bytes(b, sizeof(b), 0), "0 B", "0");
	is_str(str_bytes(b, sizeof(b), 512), "512 B", "512");
	is_str(str_bytes(b, sizeof(b), 1234), "1.2 kB", "1234");
	is_str(str_bytes(b, sizeof(b), 999999), "999.9 kB", "999999");
	is_str(str_bytes(b, sizeof(b), 3400000000), "3.4 GB", "3.4e9");
	is_str(str_bytes(b, sizeof(b), UINT64_MAX), "18.4 EB", "all ones");
}

/* Against the C library, each day of 8000 years and odd times of it. */
static void
test_time(void)
{
	char b[STR_TIME_MAX], want[40];
	int64_t ms, wrong = 0, n = 0;
	time_t t;
	struct tm tm;

	is_str(str_time(b, 0), "1970-01-01T00:00:00.000Z", "the beginning");
	is_str(str_time(b, 1795305599999), "2026-11-21T23:59:59.999Z",
	    "the last of a day");
	for (ms = 7; ms < 253402300800000; ms += 86400000 - 3599 * 7) {
		t = ms / 1000;
		gmtime_r(&t, &tm);
		snprintf(want + strftime(want, sizeof(want),
		    "%Y-%m-%dT%H:%M:%S", &tm), 6, ".%03dZ", (int)(ms % 1000));
		wrong += strcmp(str_time(b, ms), want) != 0;
		n++;
	}
	ok(wrong == 0 && n > 2900000, "as gmtime_r(3) has it");
}

static void
test_hex(void)
{
	char text[9];

	is_str(str_hex(text, "\x00\x9f\xa0\xff", 4), "009fa0ff", "hex");
	is_str(str_hex(text, "", 0), "", "hex of nothing");
	ok(slice_is_hex(slice_of("09afAF"), 6), "hexadecimal digits");
	ok(!slice_is_hex(slice_of("09afAF"), 5), "one too many");
	ok(!slice_is_hex(slice_of("09afAg"), 6) &&
	    !slice_is_hex((struct slice){ "0\0", 2 }, 2), "other bytes");
}

static void
test_numbers(void)
{
	uint64_t n = 7;

	is(slice_digits(slice_of("12x"), 99, &n), 2, "digits");
	is(n, 12, "their value");
	is(slice_digits(slice_of("007"), 7, &n), 3, "zeros before it");
	is(n, 7, "count as nothing");
	is(slice_digits(slice_of("100"), 99, &n), 0, "too large");
	is(slice_digits(slice_of("9"), 5, &n), 0, "one digit too large");
	is(slice_digits(slice_of("x"), 99, &n), 0, "no digit");
	is(slice_digits(slice_of(NULL), 99, &n), 0, "nothing");
	is(slice_digits(slice_of("18446744073709551615"), UINT64_MAX, &n), 20,
	    "the largest");
	ok(n == UINT64_MAX, "its value");
	is(slice_digits(slice_of("18446744073709551616"), UINT64_MAX, &n), 0,
	    "one more");
	is(slice_number(slice_of("0"), 0, 9, &n), 0, "zero");
	is(n, 0, "is zero");
	is(slice_number(slice_of("00"), 0, 9, &n), -1, "two zeros");
	is(slice_number(slice_of("+1"), 0, 9, &n), -1, "a sign");
	is(slice_number(slice_of("1 "), 0, 9, &n), -1, "a blank");
	is(slice_number(slice_of(""), 0, 9, &n), -1, "empty");
	is(slice_number(slice_of("2"), 3, 9, &n), -1, "too small");
	is(slice_number(slice_of("10"), 3, 9, &n), -1, "too large");
	is(n, 0, "and nothing is changed");
}

static void
test_lines(void)
{
	static const char text[] = "\xef\xbb\xbf# one\r\n\n \t\n a b\t\r\n"
	    "#\nlast";
	struct lines l;
	struct slice line;

	lines_begin(&l, slice_of(text));
	is(lines_next(&l, &line), 1, "the first line that counts");
	ok(slice_is(line, "a b"), "without blanks, mark and end of line");
	is(l.number, 4, "its number");
	is(lines_next(&l, &line), 1, "the last");
	ok(slice_is(line, "last"), "needs no end of line");
	is(l.number, 6, "its number");
	is(lines_next(&l, &line), 0, "the end");
	lines_begin(&l, slice_of(NULL));
	is(lines_next(&l, &line), 0, "no text at all");
}

static void
test_find(void)
{
	const char *text = "a:b:";

	ok(slice_find(slice_of(text), ':') == text + 1, "the first of two");
	ok(slice_find(slice_of(text), 'x') == NULL, "none");
	ok(slice_find((struct slice){ text, 1 }, 'a') == text, "it is all");
	ok(slice_find((struct slice){ text, 1 }, ':') == NULL, "behind it");
	ok(slice_find(slice_of(NULL), '\0') == NULL, "in nothing");
}

/* Which characters a value may hold that becomes a line of its own. */
static void
test_controls(void)
{
	char text[] = "a?b";
	int c, good = 1, field = 1;

	for (c = 0; c < 256; c++) {
		text[1] = (char)c;
		good &= str_is_control((char)c) == (c < 32 || c == 127);
		field &= slice_is_field_value((struct slice){ text, 3 }) ==
		    ((c >= 32 && c != 127) || c == 9);
	}
	ok(good, "control characters are those below 32, and 127");
	ok(field, "and the value of a field has none but tabs");
	ok(slice_is_field_value(slice_of("")), "or is empty");
	ok(!slice_is_field_value(slice_of("\n")), "not if that is all");
}

int
main(void)
{
	test_find();
	test_controls();
	test_numbers();
	test_lines();
	test_slices();
	test_lists();
	test_escape();
	test_durations();
	test_sizes();
	test_people();
	test_time();
	test_hex();
	return done_testing();
}
