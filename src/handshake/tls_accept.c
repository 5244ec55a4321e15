/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "handshake/tls_accept.h"
#include "handshake/websocket.h"
#include "net/deadline_io.h"
#include "os/clock.h"
#include "os/signals.h"

#define ALERT_MS	1000	/* for the peer to read an alert */
#define WASTE_MAX	65536	/* bytes that are read meanwhile */

/*
 * Closing with bytes unread would reset the connection and lose the alert.  An
 * error is told once, and is followed by an end.
 */
static void
let_read(const struct io *io)
{
	int64_t deadline = clock_ms() + ALERT_MS;
	struct pollfd p = { .fd = io->rfd, .events = POLLIN };
	char waste[4096];
	size_t total = 0;
	ssize_t n = 1;

	shutdown(io->wfd, SHUT_WR);
	while (n != 0 && total < WASTE_MAX &&
	    signals_wait(&p, 1, deadline) != -1) {
		n = read(io->rfd, waste, sizeof(waste));
		total += n > 0 ? n : 0;
	}
}

/*
 * The first byte, -1 if the peer has left without one, or 0 if there is none.
 * No record of TLS begins with a letter (RFC 8446 5.1), each method does.
 */
static int
first_byte(const struct io *io, int64_t deadline)
{
	unsigned char c;
	ssize_t n;

	if (deadline_wait(io, 0, deadline) == -1)
		return 0;
	n = recv(io->rfd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n == 1 ? c : n == 0 || errno == ECONNRESET ? -1 : 0;
}

static int
refuse_http(struct io *io, struct error *why)
{
	struct websocket w = { .io = *io };

	websocket_refuse_unread(&w, 400, "this port speaks TLS: use wss://");
	*io = IO_CLOSED;
	return error_set(why, EXIT_PROTOCOL, "TLS with the client: it speaks "
	    "HTTP without TLS");
}

static int
refuse_subject(struct io *io, struct error *why)
{
	struct websocket w = { .io = *io };

	error_set(why, EXIT_DENIED, "certificate of the client: its subject "
	    "is longer than %d bytes", TLS_SUBJECT_MAX - 1);
	websocket_refuse(&w, 403, why->text);
	*io = IO_CLOSED;
	return -1;
}

int
tls_accept_begin(struct io *io, struct tls_ctx *ctx, char *subject,
    int64_t deadline, struct error *why)
{
	int first = first_byte(io, deadline);

	if (first == -1) {
		io_close(io);
		error_set(why, EXIT_LOST, "the peer left without a request");
		return -1;
	}
	if (first >= 'A' && first <= 'Z')
		return refuse_http(io, why);
	io->tls = tls_accept(ctx, io->rfd, io->wfd, deadline, why);
	if (io->tls == NULL) {
		if (why->status != EXIT_AGAIN)
			let_read(io);
		io_close(io);
		return -1;
	}
	tls_forget_keys(ctx, io->tls);
	if (tls_subject(io->tls, subject, TLS_SUBJECT_MAX) == 0)
		return 0;
	return refuse_subject(io, why);
}
