/* SPDX-License-Identifier: ISC */
/*
 * Frame headers and masking (RFC 6455 section 5).
 */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_MAX		14
#define FRAME_CONTROL_MAX	125

enum {
	FRAME_CONT = 0x0,
	FRAME_TEXT = 0x1,
	FRAME_BINARY = 0x2,
	FRAME_CLOSE = 0x8,
	FRAME_PING = 0x9,
	FRAME_PONG = 0xa
};

/* Close codes (RFC 6455 7.4.1). */
enum {
	CLOSE_NORMAL = 1000,
	CLOSE_GOING_AWAY = 1001,
	CLOSE_PROTOCOL = 1002,
	CLOSE_NONE = 1005,	/* never sent: there was no code */
	CLOSE_BAD_TEXT = 1007,
	CLOSE_POLICY = 1008,
	CLOSE_INTERNAL = 1011,
	CLOSE_RESTART = 1012
};

struct frame {
	uint8_t fin;
	uint8_t opcode;
	uint8_t masked;
	uint8_t key[4];		/* when masked */
	uint64_t length;	/* of the payload, below 2^63 */
};

/*
 * Reads a header.  >0: its length.  0: needs more.  <0: breaks a rule of
 * section 5.2 or 5.5 (reserved bits or opcode, length not minimal or over
 * 63 bits, control frame fragmented or over 125); *why is then a constant
 * string that says which.
 */
ssize_t frame_decode(struct frame *, const uint8_t *, size_t len,
    const char **why);

/* Writes a header into FRAME_HEAD_MAX bytes; returns its length. */
size_t frame_encode(uint8_t *, const struct frame *);

/* Bytes a header for this payload takes. */
size_t frame_head_size(uint64_t length, int masked);

/*
 * XORs n bytes with the key, of which byte "phase" modulo 4 comes first
 * (section 5.3).  dst may be src, or not overlap it.
 */
void frame_mask(uint8_t *dst, const uint8_t *src, size_t n,
    const uint8_t key[4], size_t phase);

/* May this close code stand in a frame (section 7.4)? */
int frame_close_valid(unsigned int code);

#endif
