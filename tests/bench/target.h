/* SPDX-License-Identifier: ISC */
#ifndef TARGET_H
#define TARGET_H

/*
 * The far end of every benchmark: one process serving many connections on
 * 127.0.0.1.  A connection is a sequence of requests:
 *
 *	h			answered by h
 *	u ID[4] SIZE[8]		SIZE bytes of stream ID follow; answered by k
 *				when all came and compared equal, else by x
 *	d ID[4] SIZE[8]		answered by SIZE bytes of stream ID
 *	e			from here on everything is echoed
 *
 * Numbers are in host order: both ends are one program on one machine.
 */
#define REQUEST_LEN	13

/*
 * Serve on this port (0: any) until descriptor 0 ends.  Prints "port N" once
 * it listens.  Returns an exit status.
 */
int		 target(int port);

#endif
