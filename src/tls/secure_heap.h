/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL's memory.
 *
 * What it frees is wiped, so that no part of a private key remains: its
 * decoders leave copies in freed memory, which every process forked later
 * would inherit.
 *
 * What it takes lies so that a child writes to few of its parent's pages:
 * small blocks of one size share pages, as counters and locks, which every
 * handshake changes, are in structures of few sizes; and a child takes no
 * block between those of its parent, but from a region of its own.
 */
#ifndef TLS_SECURE_HEAP_H
#define TLS_SECURE_HEAP_H

/*
 * By openssl_load(), before anything else of OpenSSL; later it has no effect.
 * Blocks that are larger than any key, such as buffers of records, are not
 * wiped.
 */
void secure_heap(void);

/*
 * This process is a child, and makes a connection: blocks come from the region
 * from now on.  What is its parent's is wiped when freed, and not used again.
 */
void secure_heap_leave(void);

/* Returns what a handshake freed to the system, where that can be done. */
void secure_heap_trim(void);

#endif
