/* SPDX-License-Identifier: ISC */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>

/*
 * The bytes that every benchmark sends and compares: a pseudo-random block
 * repeated with a prime period, so that a byte lost, added or moved anywhere
 * shows, and small enough to stay in a core's cache, so that comparing costs
 * little and the same for every contender.
 */

/* So many bytes may be read behind any pointer that is returned here. */
#define PATTERN_MOST	(256 * 1024)

/* To be called once, before the others. */
void		 pattern_make(void);

/* The pattern from this place on. */
const unsigned char *pattern_at(uint64_t place);

/*
 * The same, already masked as a websocket client must (RFC 6455 section 5.3),
 * and in key what to unmask it with: the generator pays nothing for masking,
 * the receiver pays in full.
 */
const unsigned char *pattern_masked_at(uint64_t place, unsigned char key[4]);

/* Where stream number id begins: not two alike, so mixed up streams show. */
uint64_t	 pattern_start(uint32_t id);

#endif
