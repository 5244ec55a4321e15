/* SPDX-License-Identifier: ISC */
/*
 * TLS by OpenSSL, which only this folder knows.  Peers are verified by
 * default.
 */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <sys/types.h>
#include <sys/uio.h>

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tls/cert.h"

#define TLS_SUBJECT_MAX	256	/* bytes of a client's subject, with NUL */

struct tls;			/* one connection */
struct tls_ctx;			/* what all connections share */

/* Files are PEM and NULL where there is none. */
struct tls_options {
	int server;		/* the role, and which options errors name */

	/* trust */
	const char *ca_option;	/* the option for cafile; NULL is
				 * --cacert or --tls-client-ca */
	const char *cafile;	/* client: NULL is the system's; server: NULL
				 * asks for no certificate */
	const char *capath;	/* client: the same, a hashed directory */
	int trust_now;		/* read capath now: later it is out of reach */
	const char *crlfile;	/* revocation lists */
	const char *peer_certs;	/* these end-entity certificates only */
	const char *pins;	/* client: these public keys only */
	int insecure;		/* client: do not verify */
	int no_sni;		/* client: send no server name */

	/* our own certificates; a client has one at most */
	const char *const *certs, *const *keys;
	unsigned int ncerts, nkeys;
	const char *password_file;	/* of encrypted keys */

	/* versions and ciphers */
	int only_13;		/* TLS 1.3 at least, otherwise 1.2 */
	const char *ciphers;	/* of TLS 1.2, NULL: the intermediate profile */
	const char *ciphers13;	/* of TLS 1.3, NULL: OpenSSL's */
};

/*
 * Loads OpenSSL unless that was done: for a process that may make its first
 * context when files are out of reach.  0, or -1 and why (71).
 */
int tls_prepare(struct error *);

/*
 * Makes what the connections of one role share: trust, own certificates, ALPN
 * http/1.1 (RFC 7301), neither renegotiation nor compression, and TLS in the
 * kernel where there is any (see ktls_sends()).  The caller frees it.  Processes
 * that are forked should share one that was made before.  The system's hashed
 * directory is preferred to its bundle, which takes 25 ms to load; cafile and
 * capath replace both.
 *
 * The certificate file and the key file may each hold the key and any
 * certificates in any order: ours is the one that belongs to the key, and the
 * others that lead to its authority are sent with it.  Of several certificate
 * files each holds its own chain, and its key or none; keys in other files are
 * matched with them.  A server uses those for the name that the client asks
 * for, or those for the names of the first.  A certificate in
 * peer_certs is trusted by being there; its names and dates still count.
 * Leaf certificates need a revocation list of their issuer in crlfile, others
 * are checked where there is one.
 *
 * NULL and why: 64 if a file or word cannot be used, 71 if the system has no
 * trusted certificates, or no OpenSSL.
 */
struct tls_ctx *tls_context(const struct tls_options *, struct error *);

/*
 * The same in steps, in none of which more than one file is read (or one
 * directory): begins it, NULL and why; and does one, all with the same options:
 * 1: there is more to do; 0: the context is whole; -1 and why.
 */
struct tls_ctx *tls_context_begin(const struct tls_options *, struct error *);
int tls_context_load(struct tls_ctx *, const struct tls_options *,
    struct error *);
void tls_ctx_free(struct tls_ctx *);

/*
 * From now on each handshake that has ended fills in what it has learnt of the
 * peer's certificate, also if it refused it; NULL: no more.
 */
void tls_ctx_watch(struct tls_ctx *, struct cert *);

/*
 * Lets the processes forked from here on hand each other session tickets: a
 * client's handshake is shorter when an earlier one has left a ticket.
 * Tickets wait in the kernel, some dozens at most; those of TLS 1.3 are used
 * once, and an hour behind the last full handshake there is a full one again.
 * 0, or -1 with errno: it works without.  After tls_tickets_close() this
 * process has no part in it; it is harmless where there is none.
 */
int tls_tickets_open(struct tls_ctx *);
void tls_tickets_close(struct tls_ctx *);

/*
 * The connections of this context are made by processes that are forked from
 * here on: does here what each of them would do first.  It may fail, and they
 * do it then.
 */
void tls_before_fork(struct tls_ctx *);

/*
 * To be called before each fork of a server: it gets a new key for its tickets
 * once an hour: 1 then.  A ticket is good for an hour behind the full handshake,
 * and not longer than any certificate that the client was verified by.
 */
int tls_tickets_rotate(struct tls_ctx *);

/*
 * A client's handshake in steps, on non-blocking descriptors (the same one twice
 * for a socket), or inside the TLS connection outer if that is not NULL.  host
 * is verified against the certificate, and sent as server name (RFC 6066 3; but
 * for no_sni), unless it is an address, which is verified as one.
 *
 * tls_dial() begins: NULL and why.  tls_go_on() does what can be done now: 1:
 * done, and the connection owns outer; 0: it goes on when p is ready; -1 and
 * why, which is that of tls_dial() and must last: it is freed.  tls_cancel()
 * gives it up instead: it is freed, and why names error, ETIMEDOUT, EINTR or
 * another one.  If it does not succeed outer stays the caller's, as the
 * descriptors always do.
 *
 * why: 75 if it was given up, 77 if a certificate is refused, theirs or ours
 * (the text says which check failed and what was seen), 76 for everything else.
 */
struct tls *tls_dial(struct tls_ctx *, int rfd, int wfd, struct tls *outer,
    const char *host, struct error *);
int tls_go_on(struct tls_ctx *, struct tls *, struct pollfd *p);
void tls_cancel(struct tls *, int error, struct error *);

/*
 * A server's handshake until deadline, of clock_ms(), on a socket or a pair of
 * pipes.  The connection, or NULL and why, as above.
 */
struct tls *tls_accept(struct tls_ctx *, int rfd, int wfd, int64_t deadline,
    struct error *);

/*
 * This process will make no other connection of the context, or none at all if
 * it has none (NULL): our private key and the key of a server's tickets are
 * wiped from its memory.
 */
void tls_forget_keys(struct tls_ctx *, struct tls *);

/*
 * As io.h has them.  tls_writev puts small pieces together into one record by
 * way of a static buffer; at the beginning and after a second of silence a
 * record is no longer than a packet, since it cannot be read before all of it
 * is there, and they grow from one to the next.  more is only a hint: what
 * follows may go into the same record.  tls_finish is only for when all is
 * written.
 */
ssize_t tls_readv(struct tls *, const struct iovec *, int);
ssize_t tls_writev(struct tls *, const struct iovec *, int, int more);
int tls_finish(struct tls *);
int tls_pending(const struct tls *);
void tls_events(const struct tls *, int want_read, int want_write,
    short *events);
void tls_free(struct tls *);

/*
 * Does the kernel encrypt what is written to the descriptor, decrypt what is
 * read from it?  Then data can be moved there by splice(2), and from there
 * when tls_pending() is false; at an end of file or EINVAL tls_readv() tells
 * what it is.
 */
int ktls_sends(const struct tls *);
int ktls_receives(const struct tls *);

/*
 * Is there a better text for its failure than that of errno, such as our
 * certificate being refused by the peer?  -1 and why, or 0.
 */
int tls_failed(const struct tls *, struct error *);

/* Has the server asked for a certificate of ours, and was there one to send? */
enum tls_asked { TLS_NOT_ASKED, TLS_ASKED_IN_VAIN, TLS_ASKED_AND_SENT };
enum tls_asked tls_was_asked(const struct tls *);

/*
 * The subject of the peer's verified certificate as RFC 2253 has it, "" if it
 * has sent none.  0, or -1 if it does not fit.
 */
int tls_subject(const struct tls *, char *dst, size_t size);

/*
 * "TLSv1.3 TLS_AES_256_GCM_SHA384, resumed, ktls=send", for -v.  Returns dst.
 */
const char *tls_describe(const struct tls *, char *dst, size_t size);

/* OpenSSL's version, for --version; or NULL and why, as tls_prepare(). */
const char *tls_version(struct error *);

#endif
