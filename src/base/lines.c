/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "base/lines.h"

#define BYTE_ORDER_MARK	"\xef\xbb\xbf"	/* U+FEFF in UTF-8 */

size_t
lines_skip_mark(struct slice text)
{
	size_t n = strlen(BYTE_ORDER_MARK);

	return text.len >= n && memcmp(text.p, BYTE_ORDER_MARK, n) == 0 ? n : 0;
}

void
lines_begin(struct lines *l, struct slice text)
{
	size_t skip = lines_skip_mark(text);

	l->rest = slice_skip(text, skip);
	l->number = 0;
}

int
lines_next(struct lines *l, struct slice *line)
{
	const char *end;
	size_t len;

	while (l->rest.len > 0) {
		end = slice_find(l->rest, '\n');
		len = end == NULL ? l->rest.len : (size_t)(end - l->rest.p);
		*line = (struct slice){ l->rest.p, len };
		if (len > 0 && line->p[len - 1] == '\r')
			line->len--;
		*line = slice_trim(*line);
		len += end != NULL;
		l->rest = slice_skip(l->rest, len);
		l->number++;
		if (line->len > 0 && line->p[0] != '#')
			return 1;
	}
	return 0;
}
