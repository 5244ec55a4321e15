/* SPDX-License-Identifier: ISC */
/*
 * Session tickets for the next process.  They wait as datagrams in a pair of
 * sockets that the processes inherit: the kernel keeps the order, the bound
 * and the lock, and a process that dies leaves nothing half done.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/fd.h"
#include "tls/cert_error.h"
#include "tls/internal.h"
#include "tls/openssl.h"

#define DER_MAX		16384
#define QUEUE		32768	/* bytes, as SO_SNDBUF counts them */
#define MOST		64	/* that are looked at to find a good one */
#define VERIFIED_MS	3600000	/* that a verification is good for */

/* A datagram: the name of the peer, and the session. */
struct ticket {
	char name[ADDR_HOST_MAX + 1];
	int64_t verified_at, came_at;		/* of ticket_clock() */
	int64_t ends_at;	/* of the peer's certificate, s since 1970 */
	unsigned char der[DER_MAX];
};

#define HEAD	offsetof(struct ticket, der)

static struct ticket ticket;	/* wiped after each use */

int64_t
ticket_clock(void)
{
	return clock_ms() + clock_asleep();
}

/* Drops the oldest if there is no room. */
static void
put_ticket(const int fd[2], size_t len)
{
	char c;

	if (send(fd[0], &ticket, len, MSG_DONTWAIT) == -1 &&
	    (errno == EAGAIN || errno == ENOBUFS)) {
		(void)!recv(fd[1], &c, 1, MSG_DONTWAIT);
		(void)!send(fd[0], &ticket, len, MSG_DONTWAIT);
	}
}

/*
 * The length of a value of DER with its header, and that of the header; 0 if
 * it is longer than there is room, or than a session ever is.
 */
static size_t
der_length(const unsigned char *p, size_t room, size_t *head)
{
	size_t n;

	if (room < 4)
		return 0;
	*head = p[1] < 0x80 ? 2 : p[1] == 0x81 ? 3 : 4;
	n = p[1] < 0x80 ? p[1] : p[1] == 0x81 ? p[2] : p[2] << 8 | p[3];
	return p[1] > 0x82 || *head + n > room ? 0 : *head + n;
}

/* The header of a sequence of so many bytes.  Its own length. */
static size_t
put_sequence(unsigned char *p, size_t n)
{
	p[0] = 0x30;
	if (n >= 0x100) {
		p[1] = 0x82;
		p[2] = n >> 8;
		p[3] = n;
		return 4;
	}
	p[1] = n < 0x80 ? n : 0x81;
	p[2] = n;
	return n < 0x80 ? 2 : 3;
}

/*
 * Takes the peer's certificate out of a session: to decode it takes as long as
 * half a handshake.  It is the value with tag 3; without one all stays as it
 * is.  The length then.
 */
static size_t
drop_certificate(unsigned char *der, size_t len)
{
	unsigned char *p, *end = der + len;
	size_t n, head, outer;

	if (der_length(der, len, &outer) != len)
		return len;
	for (p = der + outer; p < end && *p != 0xa3; p += n)
		if ((n = der_length(p, end - p, &head)) == 0)
			return len;
	if (p == end || (n = der_length(p, end - p, &head)) == 0)
		return len;
	memmove(p, p + n, end - (p + n));
	n = len - outer - n;
	head = put_sequence(der, n);
	memmove(der + head, der + outer, n);
	return head + n;
}

/* Is it looked at in a resumed session too? */
static int
needs_certificate(const struct tls_ctx *ctx)
{
	return ctx->pins.n > 0 || ctx->allowed.list != NULL;
}

/* A resumed session may have no certificate any more. */
static int64_t
ends_at(const struct tls *t)
{
	const X509 *cert = SSL_get0_peer_certificate(t->ssl);

	if (SSL_session_reused(t->ssl))
		return t->ends_at;
	return cert == NULL ? 0 : cert_not_after(cert);
}

/* Callback for a new session, of which we keep a copy. */
static int
store_ticket(SSL *ssl, SSL_SESSION *session)
{
	const struct tls_ctx *ctx = SSL_CTX_get_app_data(
	    SSL_get_SSL_CTX(ssl));
	const struct tls *t = tls_of(ssl);
	unsigned char *to = ticket.der;
	int len;

	if (ctx == NULL || t == NULL || !SSL_SESSION_is_resumable(session) ||
	    (len = i2d_SSL_SESSION(session, NULL)) <= 0 || len > DER_MAX)
		return 0;
	i2d_SSL_SESSION(session, &to);
	if (!needs_certificate(ctx))
		len = (int)drop_certificate(ticket.der, (size_t)len);
	memset(ticket.name, 0, sizeof(ticket.name));
	strlcpy(ticket.name, t->name, sizeof(ticket.name));
	/* of TLS 1.2 it comes before the handshake is over */
	ticket.verified_at = t->verified_at != 0 ? t->verified_at :
	    ticket_clock();
	ticket.came_at = ticket_clock();
	ticket.ends_at = ends_at(t);
	put_ticket(ctx->tickets, HEAD + len);
	explicit_bzero(&ticket, HEAD + len);
	return 0;
}

/* The session in a datagram, if it is good for this connection; or NULL. */
static SSL_SESSION *
take(const struct tls_ctx *ctx, const struct tls *t, size_t len)
{
	const unsigned char *from = ticket.der;
	int64_t now = ticket_clock();
	SSL_SESSION *s;

	if (len <= HEAD || ticket.name[sizeof(ticket.name) - 1] != '\0' ||
	    strcmp(ticket.name, t->name) != 0)
		return NULL;
	/* Other processes have put it there: the times may be any. */
	if (ticket.verified_at > now ||
	    ticket.verified_at <= now - VERIFIED_MS ||
	    ticket.came_at > now || ticket.came_at < ticket.verified_at ||
	    (!ctx->insecure && (int64_t)time(NULL) >= ticket.ends_at))
		return NULL;
	s = d2i_SSL_SESSION(NULL, &from, (long)(len - HEAD));
	if (s == NULL)
		return NULL;
	if (SSL_SESSION_is_resumable(s) && (now - ticket.came_at) / 1000 <
	    SSL_SESSION_get_timeout(s))
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

/*
 * A ticket of TLS 1.3 is good once, and another one comes by it (RFC 8446
 * C.4).  One of TLS 1.2 is good until it expires, and often there will be no
 * other, so it goes back.
 */
void
ticket_use(const struct tls_ctx *ctx, struct tls *t)
{
	SSL_SESSION *s = NULL;
	ssize_t n;
	int i;

	if (ctx->tickets[1] == -1)
		return;
	for (i = 0; s == NULL && i < MOST; i++) {
		n = recv(ctx->tickets[1], &ticket, sizeof(ticket),
		    MSG_DONTWAIT);
		if (n <= 0)
			break;
		s = take(ctx, t, n);
		if (s != NULL) {
			t->verified_at = ticket.verified_at;
			t->ends_at = ticket.ends_at;
			if (SSL_SESSION_get_protocol_version(s) <
			    TLS1_3_VERSION)
				put_ticket(ctx->tickets, n);
		}
		explicit_bzero(&ticket, n);
	}
	if (s != NULL)
		SSL_set_session(t->ssl, s);
	SSL_SESSION_free(s);
}

int
tls_tickets_open(struct tls_ctx *ctx)
{
	int fd[2], size = QUEUE;

	if (ctx->tickets[0] != -1)
		return 0;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == -1)
		return -1;
	if (fd_nonblock(fd[0]) == -1 || fd_nonblock(fd[1]) == -1 ||
	    setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ==
	    -1) {
		close(fd[0]);
		close(fd[1]);
		return -1;
	}
	ctx->tickets[0] = fd[0];
	ctx->tickets[1] = fd[1];
	SSL_CTX_set_app_data(ctx->ssl, ctx);
	SSL_CTX_set_session_cache_mode(ctx->ssl, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx->ssl, store_ticket);
	return 0;
}

void
tls_tickets_close(struct tls_ctx *ctx)
{
	if (ctx == NULL || ctx->tickets[0] == -1)
		return;
	SSL_CTX_sess_set_new_cb(ctx->ssl, NULL);
	SSL_CTX_set_session_cache_mode(ctx->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_app_data(ctx->ssl, NULL);
	close(ctx->tickets[0]);
	close(ctx->tickets[1]);
	ctx->tickets[0] = ctx->tickets[1] = -1;
}
