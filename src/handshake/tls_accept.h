/* SPDX-License-Identifier: ISC */
/*
 * TLS of an accepted connection, from TCP to the point where HTTP begins.
 */
#ifndef HANDSHAKE_TLS_ACCEPT_H
#define HANDSHAKE_TLS_ACCEPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/io.h"
#include "tls/tls.h"

/*
 * A server's handshake on an accepted connection, until deadline; subject
 * (TLS_SUBJECT_MAX bytes) is that of the client's certificate, or "".  This
 * process forgets its private key.  0; or -1 and why, and the connection is
 * closed once the peer has had a moment to read what was wrong.
 */
int tls_accept_begin(struct io *, struct tls_ctx *, char *subject,
    int64_t deadline, struct error *);

#endif
