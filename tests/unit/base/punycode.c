/* SPDX-License-Identifier: ISC */
/*
 * Names with letters beyond ASCII, by examples of RFC 3492 7.1 and others.
 *
 * If it fails: the advice for a host name with other letters names a wrong
 * host.
 */
#include <stdio.h>
#include <string.h>

#include "base/punycode.h"
#include "tap.h"

/* The first and the last of each row of capital letters. */
static void
test_capitals(void)
{
	static const char *const pairs[][2] = {
		{ "\xc3\x80", "\xc3\xa0" }, { "\xc3\x96", "\xc3\xb6" },
		{ "\xc3\x98", "\xc3\xb8" }, { "\xc3\x9e", "\xc3\xbe" },
		{ "\xc4\x80", "\xc4\x81" }, { "\xc4\xb6", "\xc4\xb7" },
		{ "\xc4\xb9", "\xc4\xba" }, { "\xc5\x87", "\xc5\x88" },
		{ "\xc5\x8a", "\xc5\x8b" }, { "\xc5\xb6", "\xc5\xb7" },
		{ "\xc5\xb9", "\xc5\xba" }, { "\xc5\xbd", "\xc5\xbe" },
		{ "\xce\x91", "\xce\xb1" }, { "\xce\xa9", "\xcf\x89" },
		{ "\xd0\x80", "\xd1\x90" }, { "\xd0\x8f", "\xd1\x9f" },
		{ "\xd0\x90", "\xd0\xb0" }, { "\xd0\xaf", "\xd1\x8f" }
	};
	char one[32], other[32];
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		punycode_host(one, sizeof(one), pairs[i][0]);
		punycode_host(other, sizeof(other), pairs[i][1]);
		is_str(one, other, pairs[i][1]);
	}
}

int
main(void)
{
	static const char *const names[][2] = {
		{ "B\xc3\xbc" "cher.Example", "xn--bcher-kva.example" },
		{ "B\xc3\x9c" "CHER.de", "xn--bcher-kva.de" },
		{ "\xe4\xb8\x80\xe4\xbc\xb0\xe5\x83\x80", "xn--4gqu2ak8a" },
		{ "\xe4\xbb\x96\xe4\xbb\xac\xe4\xb8\xba\xe4\xbb\x80\xe4\xb9\x88"
		  "\xe4\xb8\x8d\xe8\xaf\xb4\xe4\xb8\xad\xe6\x96\x87",
		  "xn--ihqwcrb4cv8a8dqg056pqjye" },
		{ "Pro\xc4\x8dprost\xc4\x9bnemluv\xc3\xad\xc4\x8d" "esky",
		  "xn--proprostnemluvesky-uyb24dma41a" },
		{ "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xbc\xd0\xb5\xd1\x80.\xd1\x80"
		  "\xd1\x84", "xn--e1afmkfd.xn--p1ai" },
		{ "plain.example", "plain.example" },
		{ "a\x7f", "a\x7f" }, { "a\xc2\x80", "xn--a-ba" },
		{ "A\xc3\x97" "b", "xn--ab-rha" },
		{ "\xce\x91\xce\xb8\xce\xae\xce\xbd\xce\xb1",
		  "xn--jxafb0a0a" },
		{ "\xd0\x81\xd0\xbb\xd0\xba\xd0\xb0", "xn--80atc1g" },
		{ "\xc5\x8a" "a", "xn--a-vla" },
		{ "\xc4\xbd" "a", "xn--a-4ka" },
		{ "\xc5\xbd" "a", "xn--a-soa" },
		{ "a\xc5\x89", "xn--a-sla" },
		{ "a\xc5\x88\xc5\x93", "xn--a-qla7a" },
		{ "\xce\xa9\xc4\xb6", "xn--ifa92k" },
		{ "\xff", NULL }, { "\xc3", NULL }, { "a..\xc3\xa4", NULL }, { "", NULL }
	};
	char dst[100], small[10], label[300] = "";
	unsigned int c;
	size_t i;
	int r;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		r = punycode_host(dst, sizeof(dst), names[i][0]);
		if (names[i][1] == NULL)
			ok(r == -1, "%s: no name", names[i][0]);
		else
			is_str(dst, names[i][1], names[i][1]);
	}
	test_capitals();
	is(punycode_host(small, sizeof(small), "b\xc3\xbc" "cher.example"),
	    -1, "no room");
	is(punycode_host(small, 5, "\xc3\xa4"), -1, "none for its mark");
	is(punycode_host(small, 3, "ab.c"), -1, "nor for a dot");
	for (i = 0; i < 25; i++) {
		c = 0x4e00 + 787 * (unsigned int)i;
		sprintf(label + 3 * i, "%c%c%c", 0xe0 | c >> 12,
		    0x80 | (c >> 6 & 63), 0x80 | (c & 63));
	}
	is(punycode_host(dst, sizeof(dst), label), -1,
	    "25 letters of many, which are more than 63 in ASCII");
	label[0] = '\0';
	for (i = 0; i < 70; i++)
		strcat(label, "\xc3\xa4");
	is(punycode_host(dst, sizeof(dst), label), -1, "a label too long");
	label[60] = '\0';
	is(punycode_host(dst, sizeof(dst), label), 0, "one that is not");
	return done_testing();
}
