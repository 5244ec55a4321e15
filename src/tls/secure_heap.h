/* SPDX-License-Identifier: ISC */
/*
 * What OpenSSL gives back to the heap is wiped, so that no part of a private
 * key stays behind: its decoders leave copies of all of it in freed memory,
 * which every process forked later would inherit.
 */
#ifndef TLS_SECURE_HEAP_H
#define TLS_SECURE_HEAP_H

/*
 * By openssl_load(), before anything else of OpenSSL; later it has no effect.
 * Blocks that are larger than any key, such as buffers of records, are not
 * wiped.
 */
void secure_heap(void);

/* What a handshake has left free goes back to the system, where libc can. */
void secure_heap_trim(void);

#endif
