/* SPDX-License-Identifier: ISC */
/*
 * Subprotocols that are offered: the one to answer, and a token among them.
 *
 * If it fails: a page's websocket is refused by its browser, or a token is
 * sent back to it.
 */
#include <string.h>

#include "tap.h"
#include "ws/subprotocol.h"

#define PROTO	"Sec-WebSocket-Protocol: "

static struct http_head head;
static char copy[HTTP_HEAD_MAX], buf[256];

static void
parse(const char *fields)
{
	struct http_parser_state st;
	char err[200];
	int status;

	snprintf(copy, sizeof copy, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n",
	    fields);
	http_begin(&st, 0);
	if (http_parse(&st, copy, strlen(copy), &head, &status, err,
	    sizeof err) <= 0)
		ok(0, "%s: %s", fields, err);
}

static void
chooses(const char *fields, const char *accepted, const char *want)
{
	struct slice got;

	parse(fields);
	got = subprotocol_choose(&head, accepted);
	ok(want == NULL ? got.p == NULL : slice_is(got, want),
	    "%s of \"%s\"", want == NULL ? "none" : want, accepted);
}

static void
test_choose(void)
{
	char text[400];

	chooses("", "binary", NULL);
	chooses("", "*", NULL);
	chooses(PROTO "a, binary\r\n", "binary", "binary");
	chooses(PROTO "base64\r\n" PROTO "binary\r\n", "binary", "binary");
	chooses(PROTO "Binary, binary2\r\n", "binary", NULL);
	chooses(PROTO "v12.stomp, mqtt\r\n", "mqtt,v12.stomp", "v12.stomp");
	chooses(PROTO "x, y\r\n", "*", "x");
	chooses(PROTO "a b, c\r\n", "*", "c");
	snprintf(text, sizeof text, PROTO "%0300d, c\r\n", 0);
	chooses(text, "*", "c");
}

/* What the offer is, and what is in Authorization, "" for nothing. */
static void
takes(const char *fields, int result, const char *offer, const char *auth)
{
	struct slice value;

	parse(fields);
	is(subprotocol_take_bearer(&head, "bearer.", buf, sizeof buf), result,
	    fields);
	if (result == -1)
		return;
	if (http_field(&head, "Sec-WebSocket-Protocol", &value) != 1)
		value = slice_of("");
	ok(slice_is(value, offer), "the offer is '%s'", offer);
	if (http_field(&head, "Authorization", &value) != 1)
		value = slice_of("");
	ok(slice_is(value, auth), "Authorization is '%s'", auth);
	ok(http_field(&head, "Host", &value) == 1, "other fields stay");
}

static void
test_bearer(void)
{
	char text[800];
	size_t n;
	unsigned int i;

	takes("", 0, "", "");
	takes(PROTO "mqtt, bearer.s3cret\r\n", 0, "mqtt", "Bearer s3cret");
	takes(PROTO "bearer.a.b, mqtt, x\r\n", 0, "mqtt, x", "Bearer a.b");
	takes(PROTO "bearer.s\r\n", 0, "", "Bearer s");
	takes(PROTO "mqtt\r\n" PROTO "bearer.s\r\n", 0, "mqtt", "Bearer s");
	takes(PROTO "bearer., Bearer.x, bear\r\n", 0,
	    "bearer., Bearer.x, bear", "");
	takes(PROTO "bearer.s\r\nAuthorization: Basic eA==\r\n", 0, "",
	    "Basic eA==");
	takes(PROTO "bearer.s, bearer.t\r\n", -1, "", "");
	takes(PROTO "bearer.s\r\n" PROTO "bearer.t\r\n", -1, "", "");
	snprintf(text, sizeof text, PROTO "bearer.%0250d\r\n", 0);
	takes(text, -1, "", "");

	for (n = 0, i = 0; i < HTTP_FIELDS_MAX - 2; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "A:\r\n");
	snprintf(text + n, sizeof text - n, PROTO "x, bearer.s\r\n");
	takes(text, -1, "", "");
	snprintf(text + n, sizeof text - n, PROTO "bearer.s\r\n");
	takes(text, 0, "", "Bearer s");
}

int
main(void)
{
	test_choose();
	test_bearer();
	return done_testing();
}
