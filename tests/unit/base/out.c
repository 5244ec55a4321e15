/* SPDX-License-Identifier: ISC */
/*
 * Text put together, escaped; what does not fit is left out in whole pieces.
 *
 * If it fails: JSON, pages and metrics cannot be read.
 */
#include "base/out.h"
#include "base/str.h"
#include "tap.h"

static char buf[64];
static struct out o;

static void
begin(size_t size)
{
	memset(buf, 'x', sizeof(buf));
	out_begin(&o, buf, size);
}

static void
test_json(void)
{
	begin(sizeof(buf));
	out_json(&o, "a\"\\\n\x7f ~\x1f");
	is_str(buf, "\"a\\\"\\\\\\u000a\\u007f ~\\u001f\"", "JSON");
	is(out_length(&o), strlen(buf), "its length");
	begin(sizeof(buf));
	out_json(&o, "\303\274\342\202\254\360\237\230\200\302\233");
	is_str(buf, "\"\\u00fc\\u20ac\\ud83d\\ude00\\u009b\"",
	    "characters beyond ASCII, also of more than 16 bits");
	begin(sizeof(buf));
	out_json(&o, "\357\277\277\360\220\200\200\364\217\277\277");
	is_str(buf, "\"\\uffff\\ud800\\udc00\\udbff\\udfff\"",
	    "the last of 16 bits, the first of more, the last of all");
	begin(sizeof(buf));
	out_json(&o, "\377a\303(\355\240\200\360\237");
	is_str(buf, "\"\\ufffda\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"",
	    "and bytes that are none");
	begin(sizeof(buf));
	out_member(&o, "a", "");
	out_member(&o, "b", "c\"");
	is_str(buf, "\"a\":null\"b\":\"c\\\"\"", "members, one without a value");
}

static void
test_others(void)
{
	begin(sizeof(buf));
	out_html(&o, "<a b=\"&\">\n\x80~");
	is_str(buf, "&lt;a b=&quot;&amp;&quot;&gt;??~", "HTML");
	begin(sizeof(buf));
	out_label(&o, "a\"\\\n ");
	is_str(buf, "a\\\"\\\\? ", "labels");
}

static void
test_room(void)
{
	begin(4);
	out_add(&o, "%s", "abc");
	is(out_length(&o), 3, "one byte is for the end");
	begin(4);
	out_add(&o, "a");
	out_add(&o, "%s", "bcd");
	is(out_length(&o), -1, "what does not fit");
	is_str(buf, "a", "is left out");
	out_add(&o, "bc");
	is_str(buf, "abc", "what comes behind it is not");
	is(out_length(&o), -1, "but it stays known");
	begin(4);
	out_label(&o, "abcd");
	ok(o.cut && strcmp(buf, "abc") == 0, "a label is cut");
	begin(4);
	out_html(&o, "abc");
	ok(!o.cut && strcmp(buf, "abc") == 0, "HTML that fits");
	out_html(&o, "d");
	ok(o.cut && o.len == 3, "and that does not");
	ok(buf[4] == 'x', "nothing is written beyond the end");
	begin(1);
	is(out_length(&o), 0, "room for nothing");
	is_str(buf, "", "holds nothing");
}

static void
test_shown(void)
{
	char small[6] = "zzzzz", err[64], word[] = "a\tb\x80";

	is_str((str_copy_shown(small, word, sizeof(small)), small), "a?b?",
	    "what comes from elsewhere");
	is(small[5], '\0', "the rest is zero");
	str_copy_shown(small, "abcdefgh", sizeof(small));
	is_str(small, "abcde", "cut");
	str_copy_shown(word, word, sizeof(word));
	is_str(word, "a?b?", "in its place");
	is(str_bad(err, sizeof(err), "is no port", slice_of("x\n")), -1,
	    "a bad word");
	is_str(err, "'x\\n' is no port", "is shown");
	ok(str_shown(' ') == ' ' && str_shown('~') == '~' &&
	    str_shown('\x1f') == '?' && str_shown('\x7f') == '?', "its bounds");
}

int
main(void)
{
	test_json();
	test_others();
	test_room();
	test_shown();
	return done_testing();
}
