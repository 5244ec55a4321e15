/* SPDX-License-Identifier: ISC */
/*
 * What the TLS files share: tls.c moves bytes, tls_context.c puts a context
 * together, tls_handshake.c begins connections, and the others are parts of
 * these.
 */
#ifndef TLS_INTERNAL_H
#define TLS_INTERNAL_H

#include "proto/addr.h"
#include "tls/allowed_certs.h"
#include "tls/openssl.h"
#include "tls/own_cert.h"
#include "tls/pins.h"
#include "tls/tls.h"

struct tls_ctx {
	SSL_CTX *ssl;
	int server, insecure;
	int asks;			/* a server that wants certificates */
	const char *ca_option;		/* see struct tls_options */
	struct tls_own own;		/* kept out of ssl, to be forgotten */
	struct tls_peers peers;
	struct tls_pins pins;
	struct cert *watch;		/* NULL: nobody wants to know */
	int tickets[2];			/* in, out; -1: none */
};

struct tls {
	SSL *ssl;
	struct tls *below;	/* whose stream ours travels in, or NULL */
	BIO_METHOD *method;	/* how it does */
	const char *ca_option;	/* what would let a certificate be trusted */
	char name[ADDR_HOST_MAX + 1];	/* who it is with, for people too */
	/* for callbacks, while the handshake lasts */
	struct error *why;
	const struct tls_peers *peers;

	int64_t verified_at;	/* of clock_ms(): the full handshake */
	int asked;		/* see tls_was_asked() */
	unsigned long code;	/* OpenSSL's, of what broke it; 0 unknown */

	short read_needs;	/* poll(2) event the last read waits for */
	short write_needs;	/* the same for the last write or finish */
	size_t repeat;		/* size of the write that must be repeated */
	size_t record;		/* bytes of the next record, at most */
	int64_t wrote_at;	/* of clock_ms(): the last one */
	int read_error;		/* errno of every further read, 0: none */
	int write_error;	/* the same for writes */
	unsigned int drained : 1;	/* the last read wanted more */
	unsigned int due : 1;	/* end or error found behind bytes returned */
	unsigned int finished : 1;	/* close_notify is out */
	unsigned int carries : 1;	/* TLS, whose records stay whole */
	unsigned int kernel_sends : 1;	/* the socket takes plain data */
	unsigned int kernel_receives : 1;	/* and gives it */
};

/* The connection that a callback is about. */
struct tls *tls_of(const SSL *);

/* tls_ticket.c: one for this connection, if there is one. */
void tls_ticket_use(const struct tls_ctx *, struct tls *);

/*
 * tls_kernel.c.  Lets connections of a context use it, if there is such a
 * kernel; sees, after a handshake, what has come of that.
 */
void ktls_allow(SSL_CTX *);
void ktls_begin(struct tls *);

/* As send(2), when kernel_sends; more: do not end the record yet. */
ssize_t ktls_write(struct tls *, const void *, size_t, int more);

/* As read(2), but no end of file; TLS_KERNEL_NOT: OpenSSL is to read. */
#define TLS_KERNEL_NOT	(-2)
ssize_t ktls_read(struct tls *, void *, size_t);

/* Has the peer asked for what the kernel cannot do?  The log says so, too. */
int ktls_stuck(const struct tls *);

/* "send+recv", "send", "recv" or "none". */
const char *ktls_word(const struct tls *);

/*
 * tls_words.c: what OpenSSL's error code (0: none) or else errno e means, as
 * why.  Returns -1.
 */
int tls_broke(const struct tls *, unsigned long code, int e, struct error *);

#endif
