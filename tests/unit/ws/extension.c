/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a session is not agreed on, or with another program than
 * inetws.
 */
#include "ws/extension.h"
#include "tap.h"

#define ID	"0123456789abcdef0123456789abcdef"

static struct extension ext;

static int
parse(const char *s)
{
	return extension_parse(&ext, slice_of(s));
}

static void
good(const char *s, const char *again)
{
	char out[256];

	if (!ok(parse(s) == 1, "'%s' is valid", s))
		return;
	extension_write(out, sizeof out, &ext);
	is_str(out, again, "written");
	ok(parse(out) == 1, "and read again");
}

static void
bad(const char *s)
{
	ok(parse(s) == 0, "'%s' is declined", s);
}

static void
test_good(void)
{
	good("inetws; v=2; id=abc", "inetws; v=2; id=abc; win=262144");
	good("INETWS;v=2;ID=\"a.b\";Win=65536 ;\tserve",
	    "inetws; v=2; id=a.b; win=65536; serve");
	good("inetws; park; win=16777216; id=0123456789abcdef; v=2",
	    "inetws; v=2; id=0123456789abcdef; win=16777216; park");
	good("inetws; v=2; id=a; new; colour=blue; new; c=\"d\"",
	    "inetws; v=2; id=a; win=262144");
	good("inetws; v=2; id=a; resume",
	    "inetws; v=2; id=a; win=262144; resume");
	good("inetws; v=2; id=a; resume=" ID "; n=3; at=0",
	    "inetws; v=2; id=a; win=262144; resume=\"" ID "\"; n=3; at=0");
	good("inetws; at=9223372036854775807; v=2; id=a; resume=\"" ID "\"",
	    "inetws; v=2; id=a; win=262144; resume=\"" ID "\"; "
	    "at=9223372036854775807");

	parse("inetws; v=2; id=x; resume=" ID "; n=7; at=99");
	is(ext.flags, EXT_RESUME, "flags");
	is_str(ext.session, ID, "session");
	is(ext.attempt, 7, "n");
	ok(ext.has_at && ext.at == 99, "at");
	is(ext.win, EXTENSION_WIN_FIRST, "default window");
}

static void
test_bad(void)
{
	static const char *const list[] = {
		"", "inetws", "inetws;", "inetwsx; v=2; id=a",
		"permessage-deflate; v=2; id=a", "inet ws; v=2; id=a",
		"inetws; v=2", "inetws; id=a", "inetws; v=1; id=a",
		"inetws; v=3; id=a", "inetws; v=02; id=a", "inetws; v; id=a", "inetws; v=2; id",
		"inetws; v=2; id=", "inetws; v=2; id=\"\"",
		"inetws; v=2; id=0123456789abcdefg", "inetws; v=2; id=a b",
		"inetws; v=2; id=\"a", "inetws; v=2; id=a\"",
		"inetws; v=2; id=\"a\\b\"", "inetws; v=2; id=a;",
		"inetws; v=2; id=a;; win=65536", "inetws; v=2; id=a; id=a",
		"inetws; v=2; v=2; id=a", "inetws; v=2; id=a; new=",
		"inetws; v=2; id=a; new=\"a b\"", "inetws; v=2; id=a; win",
		"inetws; v=2; id=a; win=65535",
		"inetws; v=2; id=a; win=16777217",
		"inetws; v=2; id=a; win=-1", "inetws; v=2; id=a; win=0x10000",
		"inetws; v=2; id=a; win=99999999999999999999",
		"inetws; v=2; id=a; serve=1", "inetws; v=2; id=a; park=1",
		"inetws; v=2; id=a; serve; park",
		"inetws; v=2; id=a; serve; serve",
		"inetws; v=2; id=a; n=1", "inetws; v=2; id=a; at=1",
		"inetws; v=2; id=a; resume; n=1",
		"inetws; v=2; id=a; resume=",
		"inetws; v=2; id=a; resume=abc",
		"inetws; v=2; id=a; resume=0123456789ABCDEF0123456789abcdef",
		"inetws; v=2; id=a; resume=" ID "0",
		"inetws; v=2; id=a; resume=" ID "; n=0",
		"inetws; v=2; id=a; resume=" ID "; n=18446744073709551616",
		"inetws; v=2; id=a; resume=" ID "; at=",
		"inetws; v=2; id=a; =b", "inetws; v = 1; id=a",
	};
	size_t i;

	for (i = 0; i < sizeof list / sizeof list[0]; i++)
		bad(list[i]);

	parse("inetws; v=1; id=abc; new");
	is_str(ext.id, "abc", "a declined one still tells its id");
	is(ext.version, 1, "and its version");
	parse("inetws; v=2");
	ok(!ext.has_id, "or that there was none");
	parse("inetws; v=2; id=\"a b\"");
	ok(ext.has_id && ext.id[0] == '\0', "or a malformed one");
	ok(extension_is_ours(slice_of("InetWS ; x")), "ours by name");
	ok(!extension_is_ours(slice_of("inetws2; x")), "not ours");
	ok(!extension_is_ours(slice_of("")), "nothing is not ours");
}

/* May these stand in an offer, and this answer it? */
static void
test_dialogue(void)
{
	static const struct { const char *offer; int may; } offers[] = {
		{ "resume", 1 }, { "serve", 1 }, { "park; resume", 1 },
		{ "resume=" ID "; n=1; at=0", 1 },
		{ "resume=" ID "; at=0", 0 }, { "resume=" ID "; n=1", 0 },
		{ "resume=" ID, 0 },
		{ "serve; resume=" ID "; n=1; at=0", 0 },
		{ "park; resume=" ID "; n=1; at=0", 0 }
	};
	static const struct { const char *offer, *answer; int may; } t[] = {
		{ "resume", "resume=" ID, 1 }, { "resume", "", 1 },
		{ "resume", "resume", 0 }, { "", "resume=" ID, 0 },
		{ "resume", "resume=" ID "; at=0", 0 },
		{ "resume", "resume=" ID "; n=1", 0 },
		{ "serve", "serve", 0 }, { "park", "park", 1 },
		{ "", "park", 0 },
		{ "resume=" ID "; n=1; at=0", "resume=" ID "; at=7", 1 },
		{ "resume=" ID "; n=1; at=0", "resume=" ID, 0 },
		{ "resume=" ID "; n=1; at=0", "resume=f" ID, 0 },
		{ "resume=" ID "; n=1; at=0", "", 0 },
		{ "resume=" ID "; n=1; at=0",
		    "resume=00000000000000000000000000000000; at=7", 0 }
	};
	struct extension offer;
	char text[200];
	size_t i;

	for (i = 0; i < sizeof offers / sizeof offers[0]; i++) {
		snprintf(text, sizeof text, "inetws; v=2; id=a; %s",
		    offers[i].offer);
		is(parse(text) && extension_is_offer(&ext), offers[i].may,
		    text);
	}
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		snprintf(text, sizeof text, "inetws; v=2; id=a%s%s",
		    t[i].offer[0] != '\0' ? "; " : "", t[i].offer);
		parse(text);
		offer = ext;
		snprintf(text, sizeof text, "inetws; v=2; id=b%s%s",
		    t[i].answer[0] != '\0' ? "; " : "", t[i].answer);
		is(parse(text) && extension_is_answer(&ext, &offer), t[i].may,
		    text);
	}
	ok(!extension_is_ours(slice_of(NULL)) &&
	    !extension_is_well_formed(slice_of(NULL)), "nothing is no element");
}

/* Every prefix of a long element is either valid or declined, never worse. */
static void
test_prefixes(void)
{
	static const char s[] = "inetws; v=2; id=abc; win=70000; serve; "
	    "resume=\"" ID "\"; n=12; at=345";
	struct slice part = { s, 0 };
	int valid = 0;

	for (; part.len < sizeof s; part.len++)
		valid += extension_parse(&ext, part);
	/* ends of: i(d) 3, win 0 of "7" to "70000" 1, serve, resume (bare
	 * and whole), n 2, at 3; a blank after ';' is none */
	/* "w", "wi", "s" ... "serv", "r" ... "resum", "a": not known */
	is(valid, 3 + 1 + 1 + 1 + 1 + 2 + 3 + 2 + 4 + 5 + 1,
	    "prefixes that are whole");
}

static void
test_room(void)
{
	char out[128];
	size_t size;
	int n, want;

	parse("inetws; v=2; id=a; resume=" ID "; n=1; at=2");
	want = extension_write(out, sizeof out, &ext);
	is(want, strlen(out), "the length written");
	for (size = 1; size <= sizeof out; size++) {
		n = extension_write(out, size, &ext);
		if (n != (size > (size_t)want ? want : -1))
			break;
	}
	is(size, sizeof out + 1, "-1 exactly when it does not fit");
}

int
main(void)
{
	test_good();
	test_bad();
	test_dialogue();
	test_prefixes();
	test_room();
	return done_testing();
}
