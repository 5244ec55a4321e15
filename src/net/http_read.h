/* SPDX-License-Identifier: ISC */
/*
 * Reading the head of an HTTP message (RFC 9112) until a deadline: requests
 * of handshakes and for metrics.
 */
#ifndef NET_HTTP_READ_H
#define NET_HTTP_READ_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/io.h"
#include "proto/http.h"

struct http_read {
	struct io *io;
	char *buf;			/* HTTP_HEAD_MAX bytes or more */
	size_t size;
	size_t len;			/* bytes in buf, also beyond the head;
					 * those of an earlier read count */
	int plain;			/* see http_parser_state */
	int status;			/* if malformed: to answer with */
	char err[ERROR_LINE_MAX];	/* if malformed: why */
};

/*
 * >0: the length of the head, which is filled in and points into buf.  0: the
 * peer ended its direction before the head was complete.  -1 with errno:
 * EBADMSG if it is malformed (status and err are set), ETIMEDOUT at the
 * deadline, which no amount of bytes moves, or what the io reports.
 */
ssize_t http_read(struct http_read *, struct http_head *, int64_t deadline);

#endif
