/* SPDX-License-Identifier: ISC */
/*
 * The requesting side of HTTP, as far as a handshake needs it: one request,
 * the head of its answer, a refusal as text.  The same for servers and proxies.
 */
#ifndef HANDSHAKE_EXCHANGE_H
#define HANDSHAKE_EXCHANGE_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "handshake/trace.h"
#include "net/io.h"
#include "proto/http.h"

#define EXCHANGE_ANSWER_MAX	(HTTP_HEAD_MAX + 4096)

/*
 * Room for a request and its answer, which is put right behind it, so that most
 * exchanges need one page.
 */
struct exchange_room {
	char out[HTTP_HEAD_MAX];
	char rest[EXCHANGE_ANSWER_MAX];
};

struct exchange {
	struct io *io;
	const char *name;		/* of the peer, for messages */
	int is_proxy;			/* it is asked to CONNECT, and gets no
					 * certificate of ours */
	int authorized;			/* the request has credentials */
	const struct trace *trace;
	struct error *why;
	struct exchange_room *room;

	char *early;			/* what came behind the answer's head,
					 * in the room */
	size_t early_len;

	/* private */
	struct http_parser_state parser;
	size_t length, sent;		/* of the request */
	char *in;			/* the answer */
	size_t received;
	int interims;			/* answers before the final one */
	int answered;			/* the final one is there */
	int64_t text_until;		/* a refusal's text is waited for */

	struct http_head head;		/* of the answer, in the room; rarely
					 * all of it is used */
};

/*
 * Sends room->out[0..len) and reads the head of the final answer, in steps,
 * which do what can be done now.  With -v both are shown; of the last `fields'
 * bytes of the request, the lines that a user gave and the empty line, only the
 * names.  exchange_begin(): 0, or -1 and why.  exchange_step(): 1: the head is
 * there; 0: it goes on when what exchange_poll() sets is ready; -1 and why, as
 * exchange_broken().  Only for sockets.
 */
int exchange_begin(struct exchange *, size_t len, size_t fields);
int exchange_step(struct exchange *);
void exchange_poll(const struct exchange *, struct pollfd *);

/*
 * -1 and why: the answer as a refusal, with the first line of its body if
 * that is plain text, or the title of a page.  0: that may still come, for a
 * second at most; it goes on as exchange_step(), or at ->text_until.
 */
int exchange_refused(struct exchange *);

/*
 * -1 and why: the exchange was cut short, errno tells how: 75 for ETIMEDOUT and
 * EINTR, 77 if our certificate was refused, else 76.
 */
int exchange_broken(struct exchange *, const char *doing);

/*
 * -1 and why: it is not waited for any longer, error tells why; what has come of
 * a refusal is its text.
 */
int exchange_cancel(struct exchange *, int error);

#endif
