/* SPDX-License-Identifier: ISC */
/*
 * The TLS context of an instance, from its options and the files they name,
 * and a new one when the files have changed.
 */
#ifndef HANDSHAKE_TLS_RELOAD_H
#define HANDSHAKE_TLS_RELOAD_H

#include <sys/types.h>

#include <stdint.h>

#include "base/error.h"
#include "config/options.h"
#include "tls/tls.h"

#define TLS_RELOAD_FILES	(7 + 2 * OPT_LIST_MAX)

/* What tells one state of a file from another. */
struct tls_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	int64_t changed;		/* ns */
};

struct tls_reload {
	const struct options *o;
	struct tls_ctx *(*make)(const struct options *, struct error *);
	struct tls_ctx *ctx;		/* NULL: no TLS */
	int tickets;			/* are handed on */
	struct tls_stamp seen[TLS_RELOAD_FILES];
};

/* The context that the options ask for, or NULL and why. */
struct tls_ctx *tls_reload_make(const struct options *, struct error *);

/* The same for a proxy that we go by. */
struct tls_ctx *tls_reload_make_proxy(const struct options *, struct error *);

/*
 * Makes the first one by one of these, before the first fork.  tickets: those
 * of a client are handed from process to process.  0, or -1 and why.
 */
int tls_reload_begin(struct tls_reload *, const struct options *,
    struct tls_ctx *(*make)(const struct options *, struct error *),
    int tickets, struct error *);

/*
 * In the supervisor: if a file has changed, or always, makes a new context
 * for the next connections.  If that fails, the log says why, once for each
 * change, and the old context stays.
 */
void tls_reload_refresh(struct tls_reload *, int always);

/* Frees it; the private key is wiped. */
void tls_reload_end(struct tls_reload *);

#endif
