/* SPDX-License-Identifier: ISC */
/*
 * What the files of this folder share: context.c makes a context, handshake.c
 * begins connections, tls.c moves bytes, and the others are parts of these.
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
	SSL *ready;			/* of tls_before_fork(), or NULL */
	int server, insecure;
	int asks;			/* a server that wants certificates */
	int no_sni;			/* a client that names no server */
	const char *ca_option;		/* see struct tls_options */
	struct own_certs own;		/* kept out of ssl, to be forgotten */
	unsigned int loaded;		/* steps that are done, see context.c */
	struct own_sources *sources;	/* of own, while it is loaded */
	struct allowed_certs allowed;
	struct pins pins;
	struct cert *watch;		/* filled in by handshakes, or NULL */
	int tickets[2];			/* a client's: in, out; -1: none */
	int64_t new_key_at;		/* of clock_ms(): a server's tickets */
};

struct tls {
	SSL *ssl;
	struct tls *outer;	/* the connection ours travels in, or NULL */
	BIO_METHOD *method;	/* of the BIO over it */
	const char *ca_option;	/* what would let a certificate be trusted */
	char name[ADDR_HOST_MAX + 1];	/* who it is with, for people too */
	/* for callbacks, while the handshake lasts */
	struct error *why;
	const struct allowed_certs *allowed;

	int64_t verified_at;	/* of ticket_clock(): the full handshake */
	int64_t ends_at;	/* of a ticket used: its certificate's end */
	enum tls_asked asked;
	unsigned long code;	/* OpenSSL's, of what broke it; 0 unknown */

	unsigned int reads;	/* of this step, see step.c */
	short read_needs;	/* poll(2) events the last read waits for */
	short write_needs;	/* the same for the last write or finish */
	size_t repeat;		/* size of the write that must be repeated */
	size_t record;		/* bytes of the next record, at most */
	int64_t wrote_at;	/* of clock_ms(): the last one */
	int read_error;		/* errno of every further read, 0: none */
	int write_error;	/* the same for writes */
	unsigned int drained : 1;	/* the last read wanted more */
	unsigned int due : 1;	/* end or error found behind bytes returned */
	unsigned int finished : 1;	/* close_notify is out */
	unsigned int is_outer : 1;	/* its data is TLS: full records */
	unsigned int kernel_sends : 1;	/* the socket takes plain data */
	unsigned int kernel_receives : 1;	/* and gives it */
};

/* The connection that a callback is about. */
struct tls *tls_of(const SSL *);

/*
 * step.c.  step_limit() makes OpenSSL read some times only in a call, and then
 * want to read; step_begin() is for before each; step_was_cut() tells whether
 * the last one would have read on.
 */
void step_limit(struct tls *);
void step_begin(struct tls *);
int step_was_cut(const struct tls *);

#define TICKET_SECONDS	3600	/* lifetime of a server's tickets */

/* server_ticket.c: how a server gives and takes them. */
void server_tickets(struct tls_ctx *);

/*
 * ticket.c: uses a ticket for this connection, if there is one.  The time by
 * which a ticket is too old: in ms, those in which this host was suspended too.
 */
void ticket_use(const struct tls_ctx *, struct tls *);
int64_t ticket_clock(void);

/*
 * ktls.c.  ktls_allow() lets the connections of a context use TLS in the
 * kernel if there is any; ktls_begin() finds out after a handshake whether this
 * one does.
 */
void ktls_allow(SSL_CTX *);
void ktls_begin(struct tls *);

/* As send(2), when kernel_sends; more: do not end the record yet. */
ssize_t ktls_write(struct tls *, const void *, size_t, int more);

/* As read(2); KTLS_NOT: OpenSSL must read, also at an end of file. */
#define KTLS_NOT	(-2)
ssize_t ktls_read(struct tls *, void *, size_t);

/* Has the peer asked for new keys, which the kernel cannot set?  Logs it. */
int ktls_stuck(const struct tls *);

/* "send+recv", "send", "recv" or "none". */
const char *ktls_word(const struct tls *);

/*
 * errors.c: fills in why from OpenSSL's error code, or from errno e if that is
 * 0.  Returns -1.
 */
int tls_explain(const struct tls *, unsigned long code, int e, struct error *);

#endif
