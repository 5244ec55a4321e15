/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte (which parser), then a short text: base64, a host name beyond
 * ASCII, a duration, a size, a date, an interface, a path that ends with an
 * agent's name, a page with a title.  Asserted: what is read is within its
 * bounds, and what can be written again reads as the same.
 */
#include "base/base64.h"
#include "base/punycode.h"
#include "proto/agent_name.h"
#include "proto/date.h"
#include "proto/http.h"
#include "proto/interface.h"
#include "stats/metrics.h"
#include "fuzz.h"

#define TEXT_MAX	1024
#define YEAR_10000	253402300800	/* seconds since 1970 */

static void
base64(struct slice s)
{
	char bytes[TEXT_MAX], back[BASE64_LEN(TEXT_MAX) + 1];
	ssize_t n = base64_decode(bytes, sizeof(bytes), s);

	if (n >= 0) {
		base64_encode(back, bytes, (size_t)n);
		CHECK(slice_is(s, back));
		CHECK(n == 0 || base64_decode(bytes, (size_t)n - 1, s) == -1);
	}
	base64_encode(back, s.p, s.len);
	CHECK(strlen(back) == BASE64_LEN(s.len));
	CHECK(base64_decode(bytes, sizeof(bytes), slice_of(back)) ==
	    (ssize_t)s.len && memcmp(bytes, s.p, s.len) == 0);
}

/* Labels of ASCII, and again the same: it is in that form already. */
static void
host(const char *text)
{
	char name[256], again[256], *p, *end;
	int r = punycode_host(name, sizeof(name), text);

	if (r == -1)
		return;
	CHECK(punycode_host(again, sizeof(again), name) == 0 &&
	    strcmp(name, again) == 0);
	for (p = name; *p != '\0'; p = *end == '.' ? end + 1 : end) {
		end = p + strcspn(p, ".");
		CHECK(end > p && end - p <= 63);
	}
	for (p = name; *p != '\0'; p++)
		CHECK((unsigned char)*p < 0x80 && !(*p >= 'A' && *p <= 'Z'));
}

static void
amount(const char *text)
{
	char shown[32];
	uint64_t bytes, same;
	int64_t ms = -1;

	if (str_duration(text, &ms) == 0)
		CHECK(ms >= 0 && ms <= INT32_MAX);
	else
		CHECK(ms == -1);
	if (str_size(text, &bytes) == -1)
		return;
	str_size_short(shown, sizeof(shown), bytes);
	CHECK(str_size(shown, &same) == 0 && same <= bytes);
	check_plain(str_bytes(shown, sizeof(shown), bytes));
}

static void
date(struct slice s)
{
	char text[DATE_MAX];
	int64_t seconds, same;

	if (date_parse(s, &seconds) == -1)
		return;
	CHECK(seconds < YEAR_10000);
	if (seconds < 0)
		return;
	check_plain(date_write(text, seconds));
	CHECK(strlen(text) == DATE_MAX - 1);
	CHECK(date_parse(slice_of(text), &same) == 0 && same == seconds);
}

static void
interface(const char *text)
{
	struct interface i;

	if (interface_parse(&i, text) == -1)
		return;
	CHECK(strlen(i.name) <= INTERFACE_NAME_MAX);
	CHECK(strpbrk(i.name, "/: \n") == NULL);
	CHECK(i.zone == NULL || (i.name[0] == '\0' && i.zone[-1] == '%'));
}

/* A name is a file of its folder, and not all of a secret is shown. */
static void
agent(char *text)
{
	char name[AGENT_NAME_MAX], shown[AGENT_NAME_MAX], path[200];
	struct slice p = slice_of(text);

	if (agent_name_of_path(name, p) == 0) {
		CHECK(agent_name_is_valid(slice_of(name)) && name[0] != '.');
		check_plain(name);
		CHECK(strchr(name, '/') == NULL && p.len >= strlen(name) &&
		    strcmp(text + p.len - strlen(name), name) == 0);
		CHECK(strlen(agent_name_mask(shown, name)) <= 9);
		CHECK(agent_name_path(path, sizeof(path), "/run", name) == 0 &&
		    strrchr(path, '/') == path + 4);
	}
	agent_name_mask_url(text);
	CHECK(strlen(text) <= p.len);
}

static void
page(struct slice s)
{
	struct slice title;

	if (http_page_title(s, &title))
		CHECK(title.p >= s.p && title.p + title.len <= s.p + s.len);
	if (http_is_host(s))
		CHECK(s.len == 0 || (memchr(s.p, '/', s.len) == NULL &&
		    memchr(s.p, '@', s.len) == NULL));
	CHECK(metrics_wants_open(s) <= 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = { (const char *)data + 1, size - 1 };
	char text[TEXT_MAX];

	if (size == 0 || size > TEXT_MAX)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 7) {
	case 0:
		base64(s);
		break;
	case 1:
		host(text);
		break;
	case 2:
		amount(text);
		break;
	case 3:
		date(s);
		break;
	case 4:
		interface(text);
		break;
	case 5:
		agent(text);
		break;
	default:
		page(s);
	}
	return 0;
}
