/* SPDX-License-Identifier: ISC */
#ifndef PEER_H
#define PEER_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * The near end of one benchmarked connection: a socket that never blocks,
 * with plain bytes or, for contenders that are only a websocket server,
 * those bytes in masked binary frames of a size that every server takes.
 */
struct peer {
	int fd;			/* -1: none */
	int ws;			/* speaks websocket */
	enum { PEER_CONNECTING, PEER_UPGRADING, PEER_OPEN } state;

	/* what remains to be sent of the pattern, and of the frame begun */
	uint64_t out_place;
	uint64_t out_left;
	unsigned char out_head[14];
	size_t out_head_len;
	size_t out_head_off;
	size_t out_frame_left;
	const unsigned char *out_frame;

	/* the frame, or the head of the 101, that is being received */
	unsigned char in_head[16];
	size_t in_head_len;
	uint64_t in_left;
	int in_control;

	/* for the one who measures */
	uint32_t id;
	uint64_t in_place;	/* where in the pattern we are */
	uint64_t in_want;	/* bytes yet to come */
	uint64_t since;		/* ns */
};

/* Payload that came: return 0, or -1 to give the connection up. */
typedef int peer_taker(struct peer *, const unsigned char *, size_t);

/* Begin to connect to 127.0.0.1.  0, or -1 with errno. */
int		 peer_connect(struct peer *, int port, int ws);

/*
 * Readable or writable while not open: 1 when it is open now, 0 when there is
 * more to wait for (peer_wants_out says what), -1 with errno (EPROTO: no 101).
 */
int		 peer_step(struct peer *);

/* To be polled for writing rather than for reading, while not open. */
int		 peer_wants_out(const struct peer *);

/* Send these few bytes, all of them, as one frame.  0, or -1 with errno. */
int		 peer_say(struct peer *, const void *, size_t);

/* Send of out_left what the socket takes now.  0, or -1 with errno. */
int		 peer_push(struct peer *);

/*
 * Read once and hand over its payload.  1, 0 when nothing was there, -1
 * with errno (0 at the end of file), or when the taker returned -1.
 */
int		 peer_pull(struct peer *, peer_taker *);

/* Say goodbye, if that is the custom, and close. */
void		 peer_close(struct peer *);

#endif
