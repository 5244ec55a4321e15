/* SPDX-License-Identifier: ISC */
/* A client's handshake on a socket, in one call; in outer, if not NULL. */
#ifndef TEST_TLS_DIAL_H
#define TEST_TLS_DIAL_H

#include <errno.h>

#include "os/signals.h"
#include "tls/tls.h"

/* The connection; NULL and why. */
static inline struct tls *
dial_tls(struct tls_ctx *ctx, int fd, struct tls *outer, const char *host,
    int64_t deadline, struct error *why)
{
	struct tls *t = tls_dial(ctx, fd, fd, outer, host, why);
	struct pollfd p;
	int r;

	if (t == NULL)
		return NULL;
	while ((r = tls_go_on(ctx, t, &p)) == 0)
		if (signals_wait(&p, 1, deadline) == -1) {
			tls_cancel(t, errno, why);
			return NULL;
		}
	return r == 1 ? t : NULL;
}

#endif
