/* SPDX-License-Identifier: ISC */
/*
 * base64: the vectors of RFC 4648 10, and what is refused.
 *
 * If it fails: a password is not accepted, or one is that was not sent.
 */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "tap.h"

static void
test_vectors(void)
{
	static const char *const v[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xbe", "/+++" }, { "\xfb\xf0", "+/A=" }
	};
	char text[16], bytes[16];
	size_t i, len;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		len = strlen(v[i][0]);
		is_str(base64_encode(text, v[i][0], len), v[i][1], "encoded");
		is(strlen(text), BASE64_LEN(len), "its length");
		is(base64_decode(bytes, len, slice_of(v[i][1])), len,
		    "decoded");
		ok(memcmp(bytes, v[i][0], len) == 0, "to the same");
		if (len > 0)
			is(base64_decode(bytes, len - 1, slice_of(v[i][1])),
			    -1, "without room for one byte: refused");
	}
}

/* Every value of a byte, in each place. */
static void
test_bytes(void)
{
	unsigned char in[259], out[259];
	char text[BASE64_LEN(sizeof(in)) + 1];
	size_t i, n;

	for (i = 0; i < sizeof(in); i++)
		in[i] = i & 255;
	for (n = sizeof(in) - 3; n <= sizeof(in); n++)
		for (i = 0; i < 3; i++) {
			base64_encode(text, in + i, n - i);
			ok(base64_decode(out, sizeof(out), slice_of(text)) ==
			    (ssize_t)(n - i) &&
			    memcmp(in + i, out, n - i) == 0,
			    "%zu bytes there and back", n - i);
		}
}

static void
test_refused(void)
{
	static const char *const bad[] = {
		"Z", "Zg", "Zg=", "Zm9vY", "Zg===", "Zg==Zg==", "Zm8=Zm8=",
		"=", "====", "Z===", "=g==", "Zg=v", "Zm=v", " Zg==", "Zg== ",
		"Zg\n=", "Zm9\n", "Zm 9", "Zm9-", "Zm9_", "Zm9@", "Zm9[",
		"Zm9`", "Zm9{", "Zm9.", "Zm9:", "Zm9\x80", "Zh==", "Zv==",
		"Zm9=", "Zm+="
	};
	char bytes[16], name[64];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ok(base64_decode(bytes, sizeof(bytes), slice_of(bad[i])) == -1,
		    "refused: %s", str_escape(name, sizeof(name), bad[i],
		    strlen(bad[i])));
	is(base64_decode(bytes, sizeof(bytes), (struct slice){ "Zm\0v", 4 }),
	    -1, "a NUL is refused");
}

int
main(void)
{
	test_vectors();
	test_bytes();
	test_refused();
	return done_testing();
}
