/* SPDX-License-Identifier: ISC */
/*
 * Changes of this host's network, and its wake from suspension: a netlink
 * socket and a timer on Linux, a routing socket elsewhere.  Both are opened
 * before the sandbox; from inside it they are only read.
 */
#ifndef NET_CHANGES_H
#define NET_CHANGES_H

#include <netinet/in.h>

#include <stdint.h>

/* What has happened: bits. */
enum {
	NET_CHANGED = 1,	/* addresses or routes */
	NET_APPEARED = 2,	/* there is a new one among them */
	NET_WOKEN = 4		/* this host was suspended */
};

struct net_changes {
	int route, clock;	/* to be watched for input; -1: none */
	int64_t asleep;		/* of clock_asleep() */
};

#define NET_CHANGES_NONE	((struct net_changes){ .route = -1, .clock = -1 })

/* What the system does not have, or does not permit, is not watched. */
void net_changes_open(struct net_changes *);
void net_changes_close(struct net_changes *);

/* Takes what there is to read, and says what it was; 0: nothing. */
unsigned int net_changes_take(struct net_changes *);

/* The two ends of a TCP connection. */
union net_end {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct net_path {
	union net_end local, remote;
};

/* 0, or -1: it is none. */
int net_path_of(struct net_path *, int fd);

/*
 * Is the local address still this host's, and does a route lead from it to the
 * remote one?  Sends nothing.  For any bytes, since processes share paths
 * (connection/path_table.h): one that is not of IP holds nothing.
 */
int net_path_holds(const struct net_path *);

/*
 * Has this host still the local address of a socket?  One that is not of IP
 * has none to lose.
 */
int net_local_holds(int fd);

#endif
