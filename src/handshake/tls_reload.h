/* SPDX-License-Identifier: ISC */
/*
 * The TLS context of an instance, from its options and the files they name,
 * and a new one when the files have changed.
 */
#ifndef HANDSHAKE_TLS_RELOAD_H
#define HANDSHAKE_TLS_RELOAD_H

#include <stdint.h>

#include "base/error.h"
#include "config/options.h"
#include "os/readfile.h"
#include "tls/tls.h"

#define TLS_RELOAD_FILES	(7 + 2 * OPT_LIST_MAX)

struct tls_reload {
	const struct options *o;
	struct tls_options (*options)(const struct options *);
	struct tls_ctx *ctx;		/* NULL: no TLS */
	struct tls_ctx *next;		/* being loaded, or NULL */
	int is_due;			/* next is made as files have changed */
	unsigned int steps;		/* of loading it, until now */
	int64_t longest;		/* of these, in microseconds */
	unsigned int rotated;		/* keys of tickets: how often */
	int forks;			/* before connections are made */
	struct file_stamp seen[TLS_RELOAD_FILES];
};

/* What the options say about TLS; and about TLS with a proxy. */
struct tls_options tls_reload_options(const struct options *);
struct tls_options tls_reload_proxy_options(const struct options *);

/* The context by one of these two, or NULL and why. */
struct tls_ctx *tls_reload_make(struct tls_options (*)(const struct options *),
    const struct options *, struct error *);

/*
 * Makes the first context by one of these two, before the first fork.  forks:
 * connections are made by processes forked from here on, and those of a client
 * hand tickets from one to the next.  0, or -1 and why.
 */
int tls_reload_begin(struct tls_reload *, const struct options *,
    struct tls_options (*)(const struct options *), int forks,
    struct error *);

/*
 * In the supervisor: if a file has changed, or always, a new context is begun
 * for the next connections; with always also in the place of one that has been
 * begun, as its options may be gone.  1: one is being loaded because of a
 * change.
 */
int tls_reload_refresh(struct tls_reload *, int always);

/*
 * Loads the next file of it.  1: there is more; 0: there is not, and the new
 * context counts.  If that fails, the log says why, once for each change, and
 * the old context stays.
 */
int tls_reload_load(struct tls_reload *);

/* Frees it; the private key is wiped. */
void tls_reload_end(struct tls_reload *);

#endif
