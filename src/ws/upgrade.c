/* SPDX-License-Identifier: ISC */
/*
 * Checking the opening handshake (RFC 6455 section 4).  The heads have been
 * through http_parse() already.
 */
#include <sha1.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "ws/upgrade.h"

__attribute__((format(printf, 4, 5)))
static int
refuse(char *err, size_t errlen, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, errlen, fmt, ap);
	va_end(ap);
	return status;
}

/*
 * A field that must stand there exactly once.  0, or 400.
 */
static int
single(const struct http_head *head, const char *name, struct slice *value,
    char *err, size_t errlen)
{
	switch (http_field(head, name, value)) {
	case 1:
		return 0;
	case 0:
		return refuse(err, errlen, 400, "no %s", name);
	default:
		return refuse(err, errlen, 400, "more than one %s", name);
	}
}

/* A handshake has no body (RFC 6455 4.1); "Content-Length: 0" is none. */
static int
check_no_body(const struct http_head *head, char *err, size_t errlen)
{
	struct slice value;

	if (http_field(head, "Transfer-Encoding", &value) != 0)
		return refuse(err, errlen, 400, "a Transfer-Encoding");
	switch (http_field(head, "Content-Length", &value)) {
	case 0:
		return 0;
	case 1:
		if (slice_is(value, "0"))
			return 0;
		return refuse(err, errlen, 400, "a request with a body");
	default:
		return refuse(err, errlen, 400, "more than one "
		    "Content-Length");
	}
}

/*
 * A list of RFC 6455 4.3, in one field or several: if it is there it has at
 * least one element, and all of them are well formed.  0, or 400.
 */
static int
check_list(const struct http_head *head, const char *name,
    int (*is_element)(struct slice), char *err, size_t errlen)
{
	struct http_list all = HTTP_LIST(name);
	struct slice list, element;
	unsigned int fields = 0, elements = 0;

	for (; http_next_field(head, &all, &list); fields++)
		for (; slice_next(&list, &element); elements++)
			if (!is_element(element))
				return refuse(err, errlen, 400,
				    "malformed %s", name);
	if (fields > 0 && elements == 0)
		return refuse(err, errlen, 400, "an empty %s", name);
	return 0;
}

/* base64 of 16 bytes (RFC 6455 4.1). */
static int
check_key(struct upgrade_request *r, struct slice value)
{
	unsigned char raw[16];

	if (base64_decode(raw, sizeof raw, value) != sizeof raw)
		return -1;
	return slice_copy(r->key, sizeof r->key, value);
}

/* The session that an offer names, if it is valid or of another version. */
static void
take_session(struct upgrade_request *r)
{
	if (r->has_offer || (r->offer.version != 0 &&
	    r->offer.version != EXTENSION_VERSION))
		memcpy(r->session, r->offer.session, sizeof r->session);
}

/* The first offer of ours that is valid; all others are declined. */
static void
find_offer(struct upgrade_request *r, const struct http_head *head)
{
	struct http_list all = HTTP_LIST("Sec-WebSocket-Extensions");
	struct slice element;

	while (!r->has_offer && http_next_element(head, &all, &element)) {
		r->has_offer = extension_parse(&r->offer, element) &&
		    extension_is_offer(&r->offer);
		if (r->offer.version > r->offered_version)
			r->offered_version = r->offer.version;
		take_session(r);
	}
}

/* What makes a request one for a websocket (RFC 6455 4.2.1). */
static int
check_upgrade(struct upgrade_request *r, const struct http_head *head,
    char *err, size_t errlen)
{
	struct slice value;
	int status;

	if (!http_has_token(head, "Upgrade", "websocket"))
		return http_field(head, "Sec-WebSocket-Key", &value) == 0 ?
		    refuse(err, errlen, 426, "this is a websocket endpoint "
		    "(inetws) and serves nothing else") :
		    refuse(err, errlen, 426, "no \"Upgrade: websocket\": a "
		    "proxy must pass it on, nginx by "
		    "\"proxy_set_header Upgrade $http_upgrade; "
		    "proxy_set_header Connection upgrade;\"");
	if (!http_has_token(head, "Connection", "Upgrade"))
		return refuse(err, errlen, 400, "no \"Connection: Upgrade\": "
		    "a proxy must pass it on, nginx by "
		    "\"proxy_set_header Connection upgrade;\"");
	if (http_field(head, "Sec-WebSocket-Version", &value) == 0)
		return refuse(err, errlen, 426, "no Sec-WebSocket-Version");
	status = single(head, "Sec-WebSocket-Version", &value, err, errlen);
	if (status != 0)
		return status;
	if (!slice_is(value, "13"))
		return refuse(err, errlen, 426,
		    "Sec-WebSocket-Version is not 13");
	status = single(head, "Sec-WebSocket-Key", &value, err, errlen);
	if (status != 0)
		return status;
	if (check_key(r, value) == -1)
		return refuse(err, errlen, 400,
		    "Sec-WebSocket-Key is not base64 of 16 bytes");
	return 0;
}

int
upgrade_check_request(struct upgrade_request *r, const struct http_head *head,
    char *err, size_t errlen)
{
	int status;

	memset(r, 0, sizeof *r);
	if (!slice_is(head->method, "GET"))
		return refuse(err, errlen, 405, "a method other than GET");
	status = single(head, "Host", &r->host, err, errlen);
	if (status != 0)
		return status;
	if (!http_is_host(r->host))
		return refuse(err, errlen, 400, "malformed Host");
	if (http_target(head->target, &r->host, &r->target) == -1)
		return refuse(err, errlen, 400, "malformed request target");
	status = check_no_body(head, err, errlen);
	if (status != 0)
		return status;
	status = check_upgrade(r, head, err, errlen);
	if (status != 0)
		return status;
	if (http_field(head, "Origin", &r->origin) == -1)
		return refuse(err, errlen, 400, "more than one Origin");
	status = check_list(head, "Sec-WebSocket-Protocol", http_is_token,
	    err, errlen);
	if (status == 0)
		status = check_list(head, "Sec-WebSocket-Extensions",
		    extension_is_well_formed, err, errlen);
	if (status != 0)
		return status;
	find_offer(r, head);
	return 0;
}

void
upgrade_accept(char accept[UPGRADE_ACCEPT_LEN + 1], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t digest[SHA1_DIGEST_LENGTH];
	SHA1_CTX ctx;

	SHA1Init(&ctx);
	SHA1Update(&ctx, (const uint8_t *)key, strlen(key));
	SHA1Update(&ctx, (const uint8_t *)guid, sizeof guid - 1);
	SHA1Final(digest, &ctx);
	base64_encode(accept, digest, sizeof digest);
}

void
upgrade_key(char key[UPGRADE_KEY_LEN + 1], const unsigned char raw[16])
{
	base64_encode(key, raw, 16);
}

/* At most one, and one of those offered (RFC 6455 4.1, last item but one). */
static int
check_subprotocol(struct upgrade_answer *a, const struct http_head *head,
    const struct upgrade_offer *o, char *err, size_t errlen)
{
	struct slice list, element;

	switch (http_field(head, "Sec-WebSocket-Protocol", &a->subprotocol)) {
	case 0:
		return 0;
	case -1:
		return refuse(err, errlen, -1,
		    "more than one Sec-WebSocket-Protocol");
	}
	list = slice_of(o->subprotocol == NULL ? "" : o->subprotocol);
	while (slice_next(&list, &element))
		if (element.len == a->subprotocol.len &&
		    memcmp(element.p, a->subprotocol.p, element.len) == 0)
			return 0;
	return refuse(err, errlen, -1, "a subprotocol that was not offered");
}

/* One extension that was answered. */
static int
check_extension(struct upgrade_answer *a, struct slice element,
    const struct upgrade_offer *o, char *err, size_t errlen)
{
	struct extension *ext = &a->extension;
	int valid;

	if (o->offer == NULL || !extension_is_ours(element))
		return refuse(err, errlen, -1,
		    "an extension that was not offered");
	if (a->elements++ > 0)
		return refuse(err, errlen, -1,
		    "the extension inetws more than once");
	valid = extension_parse(ext, element);
	if (!ext->has_id || strcmp(ext->id, o->offer->id) == 0)
		return 0;
	if (ext->version != 0 && ext->version != EXTENSION_VERSION) {
		snprintf(err, errlen, "the peer speaks version %u of the "
		    "extension inetws, this side version %d: upgrade the older "
		    "one", ext->version, EXTENSION_VERSION);
		return -1;
	}
	if (!valid || !extension_is_answer(ext, o->offer))
		return refuse(err, errlen, -1,
		    "a malformed answer of the extension inetws");
	a->has_extension = 1;
	return 0;
}

static int
check_extensions(struct upgrade_answer *a, const struct http_head *head,
    const struct upgrade_offer *o, char *err, size_t errlen)
{
	struct http_list all = HTTP_LIST("Sec-WebSocket-Extensions");
	struct slice element, instance;

	if (check_list(head, "Sec-WebSocket-Extensions",
	    extension_is_well_formed, err, errlen) != 0)
		return -1;
	while (http_next_element(head, &all, &element))
		if (check_extension(a, element, o, err, errlen) == -1)
			return -1;
	if (!a->has_extension)
		memset(&a->extension, 0, sizeof a->extension);
	else if (http_field(head, "Inetws-Instance", &instance) == 1)
		slice_copy(a->extension.instance,
		    sizeof a->extension.instance, instance);
	return 0;
}

int
upgrade_check_answer(struct upgrade_answer *a, const struct http_head *head,
    const struct upgrade_offer *o, char *err, size_t errlen)
{
	char accept[UPGRADE_ACCEPT_LEN + 1];
	struct slice value;

	memset(a, 0, sizeof *a);
	if (head->status != 101)
		return refuse(err, errlen, -1, "status %d instead of 101",
		    head->status);
	if (head->minor != 1)
		return refuse(err, errlen, -1, "HTTP/1.0 instead of HTTP/1.1");
	if (single(head, "Upgrade", &value, err, errlen) != 0)
		return -1;
	if (!slice_is_nocase(value, "websocket"))
		return refuse(err, errlen, -1, "Upgrade is not websocket");
	if (!http_has_token(head, "Connection", "Upgrade"))
		return refuse(err, errlen, -1, "no \"Connection: Upgrade\"");
	if (single(head, "Sec-WebSocket-Accept", &value, err, errlen) != 0)
		return -1;
	upgrade_accept(accept, o->key);
	if (!slice_is(value, accept))
		return refuse(err, errlen, -1, "Sec-WebSocket-Accept is not "
		    "that of our key");
	if (check_subprotocol(a, head, o, err, errlen) == -1)
		return -1;
	return check_extensions(a, head, o, err, errlen);
}

int
upgrade_exit_status(int http_status)
{
	switch (http_status) {
	case 401:
	case 403:
	case 407:
		return EXIT_DENIED;
	case 408:
	case 429:
	case 503:
	case 504:
		return EXIT_AGAIN;
	default:
		return http_status >= 500 && http_status <= 599 ?
		    EXIT_UNREACHABLE : EXIT_PROTOCOL;
	}
}

int
upgrade_is_redirect(int http_status)
{
	return http_status == 301 || http_status == 302 ||
	    http_status == 303 || http_status == 307 || http_status == 308;
}
