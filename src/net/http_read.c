/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "net/deadline_io.h"
#include "net/http_read.h"

ssize_t
http_read(struct http_read *r, struct http_head *head, int64_t deadline)
{
	struct http_parser_state st;
	ssize_t n;

	http_begin(&st, 0);
	st.plain = r->plain;
	while ((n = http_parse(&st, r->buf, r->len, head, &r->status, r->err,
	    sizeof(r->err))) == 0) {
		n = deadline_read(r->io, r->buf + r->len, r->size - r->len,
		    deadline);
		if (n <= 0)
			return n;
		r->len += n;
	}
	if (n < 0)
		errno = EBADMSG;
	return n;
}
