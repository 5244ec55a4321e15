/* SPDX-License-Identifier: ISC */
/*
 * A tunnel from its open websocket to its log line: waits for a stream that
 * comes later, relays, keeps its session over the loss of a websocket, reports
 * how it ended.
 */
#ifndef CONNECTION_CONNECTION_H
#define CONNECTION_CONNECTION_H

#include <stdint.h>

#include "config/options.h"
#include "connection/answers.h"
#include "connection/relay.h"
#include "handshake/dialer.h"
#include "handshake/peer.h"
#include "handshake/websocket.h"
#include "net/changes.h"
#include "net/socket.h"
#include "os/program.h"
#include "ws/extension.h"

#define NO_SESSION	"no such session"

/* The dialling side's search for another websocket. */
enum redial_state {
	REDIAL_NONE,
	REDIAL_TRYING,		/* paths are on their way */
	REDIAL_ASKED		/* the request is out, over one of them */
};

struct attempt;

struct connection {
	const struct options *o;
	struct trust *trust;		/* of who dials, for redialling */
	int client;			/* we dialled the websocket */
	char peer[NET_NAME_MAX];	/* who came, "" unknown */
	char user[PEER_USER_MAX];	/* "" not authenticated */
	char subject[TLS_SUBJECT_MAX];	/* of the client's certificate, or "" */
	uint64_t owner;			/* peer_owner() */
	char via[NET_NAME_MAX];		/* the websocket's other end */
	char target[ADDR_TEXT_MAX];/* where it goes, for people */
	int64_t started;		/* of clock_ms() */

	/*
	 * A stream that comes later: it is brought by the supervisor, or to
	 * be dialled when the peer sends "open".
	 */
	enum tunnel_role role;
	int channel;		/* to the supervisor, or -1 */
	size_t proxy_header;	/* bytes before the stream's first */
	int refused;		/* its exit status if it was refused; else 0 */
	char local[NET_NAME_MAX];	/* the address that was connected to */
	int trusts_open;		/* the address in "open" is believed */
	const struct http_head *request;	/* that led here, for a
					 * program's environment; NULL: none */
	int enter_late;		/* only when the stream is there */
	int handoff;		/* of the session, or -1 */
	int null;		/* /dev/null, if what is sent may be kept in
				 * a pipe, or -1 */

	struct extension ours, theirs;	/* ids, windows, session */
	unsigned int resumes;
	uint64_t attempt;		/* of the last redial */

	/* while lost */
	int64_t lost_at, give_up;
	int64_t end_by;		/* it has given its place away */
	enum redial_state redial;
	struct attempt *path;		/* that is up, while the old websocket
					 * is given up; or NULL */
	unsigned int tries;		/* answers since a websocket was of use */
	int64_t stuck_at;		/* the first loss since then */
	int64_t resumed_at;
	uint64_t progress;		/* tunnel_progress(), at the last loss */
	struct net_path way;		/* of the last websocket */
	int elsewhere;			/* see struct websocket */
	struct net_changes changes;	/* a process without a supervisor
					 * watches them itself */
	struct {
		int64_t last, pause;
		int64_t next;		/* not before; 0: at once */
	} look;				/* at them; of clock_ms() */
	int64_t doubted_at;		/* it gave no sign of life, 0: it does */
	int64_t notice_at;		/* to tell a person, or CLOCK_NEVER */
	int noticed;			/* a person was told */
	struct answers answers;
	int answers_logged;		/* that a redial was refused is */
	char last_try[256];		/* why the last redial failed, or "" */
	char why[512];			/* why it is given up */

	struct program program;		/* at the other end of the stream */
	struct relay relay;
};

/* Sets what each log line from here on tells.  peer may be "". */
void connection_begin(struct connection *, const struct options *,
    const char *peer);

/*
 * Dials the websocket for what connection_begin() has begun, in this role and
 * with these flags in the offer, and forgets what secrets it can.  0, or -1
 * and why.
 */
int connection_dial(struct connection *, struct dialer *, enum tunnel_role,
    unsigned int flags, struct websocket *, struct error *);

/*
 * The answer to an offer: a fresh id, the window, and, if the offer asks for
 * it, a session with a fresh id and its hand-off socket, if possible.
 */
void connection_answer(struct connection *, const struct extension *offer);

/*
 * Both halves are there, or the websocket alone if c->role says so (stream is
 * IO_CLOSED then): relays until all is over, logs, and returns the exit
 * status.  Owns both.
 */
int connection_run(struct connection *, struct io stream,
    const struct websocket *);

/* Could not begin: logs and returns the exit status. */
int connection_failed(struct connection *, const struct error *);

/* The same of what only looked whether something answers: a line for -v. */
int connection_probed(struct connection *, const struct error *);

/*
 * Was a redial, refused with 410, for a session that is not known: the same,
 * but one line for each session, that of its end counting.
 */
int connection_no_session(struct connection *, const char *session);

#endif
