/* SPDX-License-Identifier: ISC */
/*
 * Cookies, dates and Retry-After.
 *
 * If it fails: a session comes back to another server of a balancer, or a
 * cookie to another host.
 */
#include "proto/cookie.h"
#include "proto/date.h"
#include "tap.h"

#define NOW	1000000000	/* Sun, 09 Sep 2001 01:46:40 GMT */

static struct cookies jar;
static struct http_head head;

static void
field(const char *name, const char *value)
{
	head.field[head.nfields++] = (struct http_field){ slice_of(name),
	    slice_of(value) };
}

static void
answer(const char *url, const char *cookie, const char *date, int64_t now)
{
	struct url u;
	char err[200];

	memset(&head, 0, sizeof(head));
	if (url_parse(&u, url, err, sizeof(err)) == -1)
		ok(0, "%s", err);
	field("Server", "x");
	field("set-COOKIE", cookie);
	if (date != NULL)
		field("Date", date);
	cookies_take(&jar, &head, &u, now);
}

static const char *
request(const char *url, int64_t now)
{
	static char text[COOKIES_SENT_MAX + 1];
	struct url u;
	char err[200];
	size_t n;

	if (url_parse(&u, url, err, sizeof(err)) == -1)
		ok(0, "%s", err);
	n = cookies_write(text, sizeof(text), &jar, &u, now);
	is((long long)n, (long long)strlen(text), "the length");
	return text;
}

/* An answer to the first URL, and what a request to the second one has. */
static void
test_one(void)
{
	static const struct { const char *from, *set, *to, *sent; } t[] = {
		{ "ws://a.example/", "s=1", "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1", "ws://A.Example:81/x", "s=1" },
		{ "ws://A.example/", "s=1", "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1", "ws://b.a.example/", "" },
		{ "ws://a.example/", "s=1", "ws://example/", "" },
		{ "ws://a.example/", " s = 1 2 ;x", "ws://a.example/",
		    "s=1 2" },
		{ "ws://a.example/", "s=", "ws://a.example/", "s=" },
		{ "ws://a.example/", "s=a=b\"c\"", "ws://a.example/",
		    "s=a=b\"c\"" },
		{ "ws://a.example/", "=1", "ws://a.example/", "" },
		{ "ws://a.example/", "s", "ws://a.example/", "" },
		{ "ws://a.example/", "", "ws://a.example/", "" },
		{ "ws://a.example/", ";s=1", "ws://a.example/", "" },
		{ "ws://a.example/", "s=1\t2", "ws://a.example/", "s=1\t2" },
		{ "ws://a.example/x", "s=1; Path=/ssh",
		    "ws://a.example/sst/y", "" },
		{ "ws://a.example/", "s=1; Max-Age=+1", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=\x01", "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Path=/\x7f", "ws://a.example/", "" },
		/* Domain */
		{ "ws://a.example/", "s=1; Domain=a.example",
		    "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1; domain=.A.EXAMPLE",
		    "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1; Domain=a.example",
		    "ws://b.a.example/", "" },
		{ "ws://a.example/", "s=1; Domain=example",
		    "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Domain=b.a.example",
		    "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Domain=", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=1; Domain=x; Domain=a.example",
		    "ws://a.example/", "s=1" },
		{ "ws://127.0.0.1/", "s=1; Domain=127.0.0.1",
		    "ws://127.0.0.1/", "s=1" },
		{ "ws+unix:/run/a:/", "s=1", "ws+unix:/run/a:/", "s=1" },
		{ "ws+unix:/run/a:/", "s=1", "ws+unix:/run/b:/", "" },
		{ "ws+unix:/run/a:/", "s=1", "ws://localhost/", "" },
		{ "ws://a.example/", "=", "ws://a.example/", "" },
		{ "ws://a.example/", "=1", "ws://a.example/", "" },
		{ "ws://a.example/", "s=1;", "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1;;", "ws://a.example/", "s=1" },
		/* Path */
		{ "ws://a.example/ssh/x?y", "s=1", "ws://a.example/ssh",
		    "s=1" },
		{ "ws://a.example/ssh/x", "s=1", "ws://a.example/ssh/?z",
		    "s=1" },
		{ "ws://a.example/ssh/x", "s=1", "ws://a.example/sshd", "" },
		{ "ws://a.example/ssh/x", "s=1", "ws://a.example/", "" },
		{ "ws://a.example/ssh", "s=1", "ws://a.example/x", "s=1" },
		{ "ws://a.example/?/a/b", "s=1", "ws://a.example/x", "s=1" },
		{ "ws://a.example/x", "s=1; Path=/ssh/",
		    "ws://a.example/ssh/y", "s=1" },
		{ "ws://a.example/x", "s=1; Path=/ssh/",
		    "ws://a.example/ssh", "" },
		{ "ws://a.example/x/y", "s=1; Path=rel",
		    "ws://a.example/x/z", "s=1" },
		{ "ws://a.example/x/y", "s=1; Path", "ws://a.example/", "" },
		/* Secure */
		{ "wss://a.example/", "s=1; Secure", "wss://a.example/",
		    "s=1" },
		{ "wss://a.example/", "s=1; SECURE=no", "ws://a.example/",
		    "" },
		{ "ws://a.example/", "s=1; Secure", "wss://a.example/", "" },
		{ "wss://a.example/", "s=1", "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1; HttpOnly; SameSite=Strict; x",
		    "ws://a.example/", "s=1" },
		/* Max-Age and Expires */
		{ "ws://a.example/", "s=1; Max-Age=2", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=1; Max-Age=1", "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Max-Age=0", "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Max-Age=-9", "ws://a.example/",
		    "" },
		{ "ws://a.example/", "s=1; Max-Age=x", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=1; Max-Age=", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=1; Max-Age=-", "ws://a.example/",
		    "s=1" },
		{ "ws://a.example/", "s=1; Max-Age=99999999999999999999",
		    "ws://a.example/", "s=1" },
		{ "ws://a.example/",
		    "s=1; Expires=Sun, 09 Sep 2001 01:46:42 GMT",
		    "ws://a.example/", "s=1" },
		{ "ws://a.example/",
		    "s=1; Expires=Sun, 09 Sep 2001 01:46:41 GMT",
		    "ws://a.example/", "" },
		{ "ws://a.example/", "s=1; Expires=Sun, 09 Sep 2001 01:46:41 "
		    "GMT; Max-Age=9", "ws://a.example/", "s=1" },
		{ "ws://a.example/", "s=1; Expires=never", "ws://a.example/",
		    "s=1" }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&jar, 0, sizeof(jar));
		answer(t[i].from, t[i].set, NULL, NOW);
		is_str(request(t[i].to, NOW + 1), t[i].sent, t[i].set);
	}
}

static void
test_several(void)
{
	memset(&jar, 0, sizeof(jar));
	answer("ws://a/", "a=1", NULL, NOW);
	answer("ws://a/", "b=2", NULL, NOW);
	answer("ws://a/x/y", "c=3", NULL, NOW);
	answer("ws://b/", "a=4", NULL, NOW);
	is_str(request("ws://a/x/", NOW), "c=3; a=1; b=2",
	    "the longest path first, then the earlier");
	answer("ws://a/", "a=9; Path=/", NULL, NOW);
	is_str(request("ws://a/", NOW), "a=9; b=2",
	    "one that is replaced keeps its place");
	answer("ws://a/", "a=9; Max-Age=0", NULL, NOW);
	is_str(request("ws://a/", NOW), "b=2", "and is taken back");
	is_str(request("ws://b/", NOW), "a=4", "by its host only");
	answer("ws://a/", "d=1; Expires=Thu, 01 Jan 1970 01:00:00 GMT",
	    "Thu, 01 Jan 1970 00:00:00 GMT", NOW);
	is_str(request("ws://a/", NOW + 3599), "b=2; d=1",
	    "Expires is by the server's clock");
	is_str(request("ws://a/", NOW + 3600), "b=2", "in an hour");
	answer("ws://a/", "d=1; Expires=Thu, 01 Jan 1970 01:00:00 GMT",
	    "today", NOW);
	is_str(request("ws://a/", NOW), "b=2",
	    "or ours, if it tells no time; that is long ago");
	answer("ws://a/", "b=3; Path=/x", NULL, NOW);
	is_str(request("ws://a/x", NOW), "c=3; b=3; b=2",
	    "one of another path is another one");
	answer("ws://a/", "b=3; Path=/y; Max-Age=0", NULL, NOW);
	is_str(request("ws://a/x", NOW), "c=3; b=3; b=2",
	    "as is its end");
	answer("ws://a/", "b=3; Path=/x; Max-Age=0", NULL, NOW);
	answer("ws://a/", "d=1; Max-Age=9", NULL, NOW);
	answer("wss://a/", "e=1; Secure", NULL, NOW);
	answer("ws://a/", "e=2", NULL, NOW);
	is_str(request("wss://a/", NOW), "b=2; d=1; e=1",
	    "an answer without TLS changes no secure one");
}

static void
test_limits(void)
{
	static char long_one[5000];
	struct url u;
	char text[32];
	int i;

	memset(&jar, 0, sizeof(jar));
	memset(long_one, 'x', COOKIE_MAX);
	memcpy(long_one, "a=", 2);
	answer("ws://a/", long_one, NULL, NOW);
	is_str(request("ws://a/", NOW), "", "one of more than 4 KiB: none");
	long_one[COOKIE_MAX - 1] = '\0';
	answer("ws://a/", long_one, NULL, NOW);
	is_str(request("ws://a/", NOW), long_one, "one of 4 KiB with its path");
	long_one[0] = 'b';
	answer("ws://a/", long_one, NULL, NOW);
	is((long long)strlen(request("ws://a/", NOW)), 2 * (COOKIE_MAX - 1) +
	    2, "two of them");
	answer("ws://a/", "c=1", NULL, NOW);
	is((long long)strlen(request("ws://a/", NOW)), 2 * (COOKIE_MAX - 1) +
	    2, "what does not fit is left out");
	memset(&jar, 0, sizeof(jar));
	answer("ws://a/", "a=1", NULL, NOW);
	answer("ws://a/", "b=2", NULL, NOW);
	url_parse(&u, "ws://a/", text, sizeof(text));
	memset(text, '#', sizeof(text));
	is((long long)cookies_write(text, 8, &jar, &u, NOW), 3,
	    "one byte too few for both");
	ok(memcmp(text, "a=1", 4) == 0 && text[8] == '#', "is one of them");
	is((long long)cookies_write(text, 9, &jar, &u, NOW), 8,
	    "both just fit");
	ok(memcmp(text, "a=1; b=2", 9) == 0 && text[9] == '#',
	    "and nothing is written behind them");
	memset(&jar, 0, sizeof(jar));
	for (i = 0; i < COOKIES_MAX; i++) {
		snprintf(text, sizeof(text), "%c=1; Max-Age=%d", 'a' + i,
		    i == 7 ? 5 : 50);
		answer("ws://a/", text, NULL, NOW);
	}
	answer("ws://a/", "z=1", NULL, NOW + 5);
	ok(strncmp(request("ws://a/", NOW + 5), "a=1", 3) == 0,
	    "the place of one that has expired is taken, not the oldest's");
	memset(&jar, 0, sizeof(jar));
	for (i = 0; i < COOKIES_MAX + 1; i++) {
		snprintf(text, sizeof(text), "%c=1", 'a' + i);
		answer("ws://a/", text, NULL, NOW);
	}
	is_str(request("ws://a/", NOW), "b=1; c=1; d=1; e=1; f=1; g=1; h=1; "
	    "i=1; j=1; k=1; l=1; m=1; n=1; o=1; p=1; q=1; r=1; s=1; t=1; u=1",
	    "of 21 the first one is gone");
}

/* Each month has as many days as in a calendar that counts from its first. */
static void
test_months(void)
{
	static const char *const month[] = { "Jan", "Feb", "Mar", "Apr", "May",
	    "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	static const int year[] = { 1999, 2000, 2023, 2024, 2100 };
	char text[DATE_MAX], try[32];
	int64_t first, got;
	size_t y, m;
	int d, there, good = 1;

	for (y = 0; y < sizeof(year) / sizeof(year[0]); y++)
		for (m = 0; m < 12; m++) {
			snprintf(try, sizeof(try), "1 %s %d 0:0:0", month[m],
			    year[y]);
			good &= date_parse(slice_of(try), &first) == 0;
			for (d = 1; d <= 32; d++) {
				date_write(text, first + (d - 1) * 86400);
				there = memcmp(text + 8, month[m], 3) == 0;
				snprintf(try, sizeof(try), "%d %s %d 0:0:0", d,
				    month[m], year[y]);
				good &= (date_parse(slice_of(try), &got) ==
				    0) == there;
			}
		}
	ok(good, "the last day of each month");
}

static void
test_dates(void)
{
	static const struct { const char *text; long long seconds; } t[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
		{ "Sun Nov  6 08:49:37 1994", 784111777 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "1 jan 1601 0:0:0", -11644473600 },
		{ "31 Dec 9999 23:59:59", 253402300799 },
		{ "Tue, 29 Feb 2000 12:00:00 GMT", 951825600 },
		{ "1-Mar-69 12:00:00x", 3129364800 },
		{ "23:59:59 31 dEcember 2099 UTC+1", 4102444799 },
		{ "Sun, 29 Feb 1900 12:00:00 GMT", -2 },
		{ "Sun, 31 Jun 2001 12:00:00 GMT", -2 },
		{ "Sun, 0 Jun 2001 12:00:00 GMT", -2 },
		{ "Sun, 06 Nov 1600 08:49:37 GMT", -2 },
		{ "Sun, 06 Nov 19940 08:49:37 GMT", -2 },
		{ "Sun, 06 Nov 1994 24:49:37 GMT", -2 },
		{ "Sun, 06 Nov 1994 08:60:37 GMT", -2 },
		{ "Sun, 06 Nov 1994 08:49:60 GMT", -2 },
		{ "Sun, 06 Nov 1994 08:49 GMT", -2 },
		{ "Sun, 06 Foo 1994 08:49:37 GMT", -2 },
		{ "Nov 1994 08:49:37", -2 }, { "06 Nov 08:49:37", -2 },
		{ "6[Nov`1994{8:49:37~", 784111777 },
		{ "06@Nov\t1994;08:49:37", 784111777 },
		{ "06\x7fNov 1994 08:49:37", -2 }, { "06 Nov 1994 8", -2 },
		{ "06 Nov 1994 8:", -2 }, { "06 Nov 1994 8:49", -2 },
		{ "06 Nov 1994 8::37", -2 }, { "06 Nov 1994 :49:37", -2 },
		{ "06 Nov 1994 8:49:", -2 }, { "06 Nov 1994 8x49:37", -2 },
		{ "06 Nov 1994 8:49x37", -2 }, { "06 Nov 1994 123:49:37", -2 },
		{ "06 No 1994 08:49:37", -2 }, { "06 Nov 1994 x:49:37", -2 },
		{ "", -2 }, { "tomorrow", -2 }, { "1234567890", -2 }
	};
	static const char nul[] = "06 \0ab Nov 1994 08:49:37";
	static const char *const weekday[] = { "Thu", "Fri", "Sat", "Sun",
	    "Mon", "Tue", "Wed" };
	char text[DATE_MAX];
	int64_t got, day;
	size_t i;
	int good = 1;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (date_parse(slice_of(t[i].text), &got) == -1)
			got = -2;
		is(got, t[i].seconds, t[i].text);
	}
	if (date_parse((struct slice){ nul, sizeof(nul) - 1 }, &got) == -1)
		got = -2;
	is(got, 784111777, "a name that begins with NUL is no month");
	is_str(date_write(text, 784111777), "Sun, 06 Nov 1994 08:49:37 GMT",
	    "written");
	for (day = 0; day < 150000; day += 13) {
		date_write(text, day * 86400 + day % 86400);
		good &= date_parse(slice_of(text), &got) == 0 &&
		    got == day * 86400 + day % 86400 &&
		    memcmp(text, weekday[day % 7], 3) == 0;
	}
	ok(good, "what is written reads as it was");
}

static void
test_retry_after(void)
{
	static const struct { const char *value, *date; long long s; } t[] = {
		{ "0", NULL, 0 }, { "1", NULL, 1 }, { "120", NULL, 120 },
		{ "007", NULL, 7 }, { "4294967295", NULL, UINT32_MAX },
		{ "4294967296", NULL, UINT32_MAX },
		{ "99999999999999999999999", NULL, UINT32_MAX },
		{ "", NULL, 0 }, { "-1", NULL, 0 }, { "+1", NULL, 0 },
		{ "1.5", NULL, 0 }, { "5s", NULL, 0 }, { "1 2", NULL, 0 },
		{ "5, 6", NULL, 0 }, { "soon", NULL, 0 },
		{ "Sun, 09 Sep 2001 01:46:50 GMT", NULL, 10 },
		{ "Sunday, 09-Sep-01 01:46:50 GMT", NULL, 10 },
		{ "Sun Sep  9 01:46:50 2001", NULL, 10 },
		{ "Sun, 09 Sep 2001 01:46:40 GMT", NULL, 0 },
		{ "Sun, 09 Sep 2001 01:46:30 GMT", NULL, 0 },
		{ "Sun, 09 Sep 2001 01:46:50 GMT",
		    "Sun, 09 Sep 2001 01:46:10 GMT", 40 },
		{ "Sun, 09 Sep 2001 01:46:50 GMT", "today", 10 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", NULL, UINT32_MAX },
		{ "31 Dec 9999 23:59:59", NULL, 0 }
	};
	size_t i;

	memset(&head, 0, sizeof(head));
	is(http_retry_after(&head, NOW), 0, "none");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		memset(&head, 0, sizeof(head));
		field("retry-after", t[i].value);
		if (t[i].date != NULL)
			field("date", t[i].date);
		is(http_retry_after(&head, NOW), t[i].s, t[i].value);
	}
	field("Retry-After", "1");
	is(http_retry_after(&head, NOW), 0, "two of them");
}

int
main(void)
{
	test_one();
	test_several();
	test_limits();
	test_dates();
	test_months();
	test_retry_after();
	return done_testing();
}
