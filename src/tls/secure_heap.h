/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSL frees is wiped, so that no part of a private key remains: its
 * decoders leave copies in freed memory, which every process forked later
 * would inherit.
 */
#ifndef TLS_SECURE_HEAP_H
#define TLS_SECURE_HEAP_H

/*
 * By openssl_load(), before anything else of OpenSSL; later it has no effect.
 * Blocks that are larger than any key, such as buffers of records, are not
 * wiped.
 */
void secure_heap(void);

/* Returns the heap that a handshake freed to the system, where libc can. */
void secure_heap_trim(void);

#endif
