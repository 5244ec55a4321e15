/* SPDX-License-Identifier: ISC */
/*
 * Input: one byte (bit 0: answer or request), then a head.  Asserted: our own
 * client takes our answer to every request that is accepted, refusals have a
 * status and words, and what is shown of a line is printable.
 */
#include "ws/subprotocol.h"
#include "ws/upgrade.h"
#include "fuzz.h"

static struct extension mine = { .id = "mine", .win = 65536,
    .flags = EXT_RESUME };

static ssize_t
parse(struct http_head *head, int is_answer, const char *data, size_t len)
{
	struct http_parser_state st;
	char err[200];
	int status;

	http_begin(&st, is_answer);
	return http_parse(&st, data, len, head, &status, err, sizeof err);
}

static void
printable(const char *s)
{
	for (; *s != '\0'; s++)
		CHECK(*s >= ' ' && *s <= '~');
}

/* The answer to an offer: a session that is asked for has a name. */
static void
agree(struct extension *ours, const struct extension *offer)
{
	ours->flags = offer->flags & EXT_RESUME;
	if (!(ours->flags & EXT_RESUME))
		return;
	ours->has_at = offer->session[0] != '\0';
	memcpy(ours->session, ours->has_at ? offer->session :
	    "00112233445566778899aabbccddeeff", sizeof ours->session);
}

static void
request(const struct http_head *head)
{
	static struct http_head back;
	struct upgrade_request r;
	struct upgrade_answer a;
	struct upgrade_offer o = { .extra = "" };
	struct extension ours = mine;
	char err[200] = "", out[1024], chosen[SUBPROTOCOL_MAX + 1];
	int status, n;

	status = upgrade_check_request(&r, head, err, sizeof err);
	if (status != 0) {
		CHECK(status == 400 || status == 405 || status == 426);
		printable(err);
		n = upgrade_write_refusal(out, sizeof out, status, 1, "", err);
		CHECK(n > 0 && parse(&back, 1, out, n) > 0 &&
		    back.status == status);
		return;
	}
	CHECK(r.target.p[0] == '/' && http_path(r.target).len > 0);
	if (r.has_offer && strcmp(r.offer.id, mine.id) == 0)
		return;
	memcpy(o.key, r.key, sizeof o.key);
	r.subprotocol = subprotocol_choose(head, "*");
	if (r.subprotocol.p != NULL) {
		CHECK(slice_copy(chosen, sizeof chosen, r.subprotocol) == 0);
		o.subprotocol = chosen;
	}
	o.offer = r.has_offer ? &r.offer : NULL;
	if (r.has_offer)
		agree(&ours, &r.offer);
	n = upgrade_write_answer(out, sizeof out, &r,
	    r.has_offer ? &ours : NULL);
	CHECK(n > 0 && parse(&back, 1, out, n) == n);
	CHECK(upgrade_check_answer(&a, &back, &o, err, sizeof err) == 0);
	CHECK(a.has_extension == r.has_offer);
}

static void
answer(const struct http_head *head)
{
	struct upgrade_offer o = { .key = "dGhlIHNhbXBsZSBub25jZQ==",
	    .extra = "", .subprotocol = "binary", .offer = &mine };
	struct upgrade_answer a;
	char err[200] = "";

	if (upgrade_check_answer(&a, head, &o, err, sizeof err) == -1)
		CHECK(err[0] != '\0');
	else
		CHECK(head->status == 101 && head->minor == 1);
	printable(err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	static struct http_head head;
	const char *data = (const char *)in + 1;
	char text[64];

	if (size == 0)
		return 0;
	printable(upgrade_show_line(text, sizeof text,
	    (struct slice){ data, size - 1 }));
	if (parse(&head, in[0] & 1, data, size - 1) <= 0)
		return 0;
	if (in[0] & 1)
		answer(&head);
	else
		request(&head);
	return 0;
}
