/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/out.h"
#include "ws/subprotocol.h"

#define FIELD	"Sec-WebSocket-Protocol"

static int
is_accepted(const char *accepted, struct slice name)
{
	struct slice list = slice_of(accepted), element;

	if (name.len > SUBPROTOCOL_MAX || !http_is_token(name))
		return 0;
	if (strcmp(accepted, "*") == 0)
		return 1;
	while (slice_next(&list, &element))
		if (element.len == name.len &&
		    memcmp(element.p, name.p, name.len) == 0)
			return 1;
	return 0;
}

struct slice
subprotocol_choose(const struct http_head *head, const char *accepted)
{
	struct http_list all = HTTP_LIST(FIELD);
	struct slice element;

	while (http_next_element(head, &all, &element))
		if (is_accepted(accepted, element))
			return element;
	return slice_of(NULL);
}

/*
 * Writes the elements of a field anew, but for a token.  -1: there is more
 * than one.
 */
static int
take_token(struct http_field *f, const char *prefix, struct slice *token,
    struct out *out)
{
	size_t start = out->len, len = strlen(prefix);
	struct slice list = f->value, element;

	while (slice_next(&list, &element)) {
		if (element.len <= len ||
		    memcmp(element.p, prefix, len) != 0) {
			out_add(out, "%s%.*s", out->len > start ? ", " : "",
			    (int)element.len, element.p);
			continue;
		}
		if (token->p != NULL)
			return -1;
		*token = slice_skip(element, len);
	}
	f->value = (struct slice){ out->p + start, out->len - start };
	return 0;
}

static void
remove_field(struct http_head *head, unsigned int i)
{
	head->nfields--;
	memmove(&head->field[i], &head->field[i + 1],
	    (head->nfields - i) * sizeof(head->field[0]));
}

static int
add_authorization(struct http_head *head, struct slice token,
    struct out *out)
{
	size_t start = out->len;

	if (head->nfields == HTTP_FIELDS_MAX)
		return -1;
	out_add(out, "Bearer %.*s", (int)token.len, token.p);
	head->field[head->nfields++] = (struct http_field){
	    slice_of("Authorization"), { out->p + start, out->len - start } };
	return 0;
}

int
subprotocol_take_bearer(struct http_head *head, const char *prefix, char *buf,
    size_t size)
{
	struct slice token = slice_of(NULL), value;
	struct out out;
	unsigned int i = 0;

	out_begin(&out, buf, size);
	while (i < head->nfields) {
		if (!slice_is_nocase(head->field[i].name, FIELD)) {
			i++;
			continue;
		}
		if (take_token(&head->field[i], prefix, &token, &out) == -1)
			return -1;
		if (head->field[i].value.len == 0)
			remove_field(head, i);
		else
			i++;
	}
	if (token.p != NULL &&
	    http_field(head, "Authorization", &value) == 0 &&
	    add_authorization(head, token, &out) == -1)
		return -1;
	return out.cut ? -1 : 0;
}
