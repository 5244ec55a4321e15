/* SPDX-License-Identifier: ISC */
/*
 * extension = "inetws" *( ";" param ), param = token [ "=" ( token |
 * quoted-string ) ] (RFC 6455 9.1).  What is quoted has to be a token, which
 * needs no escapes, so values with one are malformed.
 */
#include <inttypes.h>
#include <string.h>

#include "base/out.h"
#include "proto/http.h"
#include "ws/extension.h"

/* What has been given so far; each parameter may stand there once. */
enum {
	HAS_V = 1, HAS_ID = 2, HAS_WIN = 4, HAS_SERVE = 8, HAS_PARK = 16,
	HAS_RESUME = 32, HAS_N = 64, HAS_AT = 128, BAD = 256
};

/* Takes what stands before the next ';' off *s.  0 at the end. */
static int
next_part(struct slice *s, struct slice *part)
{
	const char *semi;

	if (s->p == NULL)
		return 0;
	semi = slice_find(*s, ';');
	if (semi == NULL) {
		*part = slice_trim(*s);
		*s = (struct slice){ NULL, 0 };
		return 1;
	}
	*part = slice_trim(slice_between(s->p, semi));
	*s = slice_between(semi + 1, s->p + s->len);
	return 1;
}

/*
 * Splits NAME[=VALUE]; an absent value is NULL.  0, or -1 if what should be
 * a token is none.
 */
static int
split_param(struct slice part, struct slice *name, struct slice *value)
{
	const char *eq = slice_find(part, '=');

	*name = part;
	*value = (struct slice){ NULL, 0 };
	if (eq == NULL)
		return http_is_token(part) ? 0 : -1;
	name->len = (size_t)(eq - part.p);
	*value = (struct slice){ eq + 1, part.len - name->len - 1 };
	if (value->len >= 2 && value->p[0] == '"' &&
	    value->p[value->len - 1] == '"') {
		value->p++;
		value->len -= 2;
	}
	return http_is_token(*name) && http_is_token(*value) ? 0 : -1;
}

/* Quoted, and a token once its escapes are undone. */
static int
is_quoted_token(struct slice s)
{
	const char *p = s.p + 1, *end = s.p + s.len - 1;

	if (s.len < 3 || *s.p != '"' || *end != '"')
		return 0;
	for (; p < end; p++) {
		if (*p == '\\')
			p++;
		if (p == end || !http_is_token((struct slice){ p, 1 }))
			return 0;
	}
	return 1;
}

int
extension_is_well_formed(struct slice element)
{
	struct slice part, value;
	const char *eq;

	if (!next_part(&element, &part) || !http_is_token(part))
		return 0;
	while (next_part(&element, &part)) {
		eq = slice_find(part, '=');
		if (eq != NULL) {
			value = slice_trim(slice_between(eq + 1,
			    part.p + part.len));
			if (!http_is_token(value) && !is_quoted_token(value))
				return 0;
			part = slice_trim(slice_between(part.p, eq));
		}
		if (!http_is_token(part))
			return 0;
	}
	return 1;
}

/* A session's name, or nothing: asking for a new one. */
static int
session(struct extension *ext, struct slice value)
{
	size_t i;

	ext->flags |= EXT_RESUME;
	if (value.p == NULL)
		return 0;
	if (value.len != EXTENSION_SESSION_LEN)
		return -1;
	for (i = 0; i < value.len; i++)
		if (memchr("0123456789abcdef", value.p[i], 16) == NULL)
			return -1;
	return slice_copy(ext->session, sizeof ext->session, value);
}

static int
flag(struct extension *ext, unsigned int bit, struct slice value)
{
	ext->flags |= bit;
	return value.p == NULL ? 0 : -1;
}

/* The HAS_ bit of this parameter, 0 for an unknown one; names[] has their order. */
static unsigned int
which(struct slice name)
{
	static const char *const names[] = {
		"v", "id", "win", "serve", "park", "resume", "n", "at"
	};
	unsigned int i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_is_nocase(name, names[i]))
			return 1U << i;
	return 0;
}

/* One parameter.  0, or -1 if it is malformed. */
static int
parameter(struct extension *ext, unsigned int bit, struct slice value)
{
	uint64_t n;

	switch (bit) {
	case HAS_V:
		if (slice_number(value, 1, UINT32_MAX, &n) == -1)
			return -1;
		ext->version = (unsigned int)n;
		return 0;
	case HAS_ID:
		return slice_copy(ext->id, sizeof ext->id,
		    value.p == NULL ? slice_of("") : value);
	case HAS_WIN:
		if (slice_number(value, EXTENSION_WIN_MIN, EXTENSION_WIN_MAX, &n)
		    == -1)
			return -1;
		ext->win = (uint32_t)n;
		return 0;
	case HAS_SERVE:
		return flag(ext, EXT_SERVE, value);
	case HAS_PARK:
		return flag(ext, EXT_PARK, value);
	case HAS_RESUME:
		return session(ext, value);
	case HAS_N:
		return slice_number(value, 1, INT64_MAX, &ext->attempt);
	case HAS_AT:
		ext->has_at = 1;
		return slice_number(value, 0, INT64_MAX, &ext->at);
	default:
		return 0;		/* of a later program */
	}
}

int
extension_is_ours(struct slice element)
{
	struct slice name;

	return next_part(&element, &name) && slice_is_nocase(name, "inetws");
}

int
extension_parse(struct extension *ext, struct slice element)
{
	struct slice part, name, value;
	unsigned int bit, has = 0;
	int bad = 0;

	memset(ext, 0, sizeof *ext);
	ext->win = EXTENSION_WIN_FIRST;
	if (!extension_is_ours(element))
		return 0;
	next_part(&element, &part);
	while (next_part(&element, &part)) {
		bit = split_param(part, &name, &value) == -1 ? BAD :
		    which(name);
		if (bit == BAD || (has & bit) ||
		    parameter(ext, bit, value) == -1)
			bad = 1;
		if (slice_is_nocase(name, "id"))
			ext->has_id = 1;
		has |= bit;
	}
	if (bad || ext->version != EXTENSION_VERSION || ext->id[0] == '\0')
		return 0;
	if ((has & HAS_SERVE) && (has & HAS_PARK))
		return 0;
	if ((has & (HAS_N | HAS_AT)) && ext->session[0] == '\0')
		return 0;
	return 1;
}

int
extension_is_offer(const struct extension *e)
{
	int redial = e->session[0] != '\0';

	if (redial && (e->flags & (EXT_SERVE | EXT_PARK)))
		return 0;
	return (e->attempt != 0) == redial && e->has_at == redial;
}

int
extension_is_answer(const struct extension *a, const struct extension *offer)
{
	int named = a->session[0] != '\0';

	if ((a->flags & EXT_SERVE) || (a->flags & ~offer->flags) ||
	    a->attempt != 0)
		return 0;
	if (offer->session[0] != '\0')
		return a->has_at && strcmp(a->session, offer->session) == 0;
	return !a->has_at && ((a->flags & EXT_RESUME) != 0) == named;
}

int
extension_write(char *dst, size_t size, const struct extension *ext)
{
	struct out out;

	out_begin(&out, dst, size);
	out_add(&out, "inetws; v=%d; id=%s; win=%u",
	    EXTENSION_VERSION, ext->id, ext->win);
	if (ext->flags & EXT_SERVE)
		out_add(&out, "; serve");
	if (ext->flags & EXT_PARK)
		out_add(&out, "; park");
	if (ext->session[0] != '\0')
		out_add(&out, "; resume=\"%s\"", ext->session);
	else if (ext->flags & EXT_RESUME)
		out_add(&out, "; resume");
	if (ext->attempt > 0)
		out_add(&out, "; n=%" PRIu64, ext->attempt);
	if (ext->has_at)
		out_add(&out, "; at=%" PRIu64, ext->at);
	return out_length(&out);
}
