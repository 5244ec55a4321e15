/* SPDX-License-Identifier: ISC */
/*
 * The command line.  One table holds every option: parser, configuration
 * file, --help, --dump-config and the completions are made from it.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "proto/addr.h"
#include "proto/forward_proxy.h"

#define OPT_LISTEN_MAX	16
#define OPT_CONNECTIONS_MAX	1000000	/* at a time */

enum mode {
	MODE_NONE,
	MODE_SERVER,
	MODE_CLIENT,
	MODE_CONNECT,
	MODE_AGENT,
	MODE_GATE,
	MODE_CHECK,
	MODE_STATUS
};

enum eof_policy { EOF_HOLD, EOF_CLOSE };

/* --log-level; the mode knows what is usual. */
enum log_choice { LOG_CHOICE_AUTO, LOG_CHOICE_ERROR, LOG_CHOICE_WARN,
    LOG_CHOICE_INFO, LOG_CHOICE_DEBUG };

/* Which field of a trusted proxy tells whom a request is from. */
enum real_ip { REAL_IP_NONE, REAL_IP_X_FORWARDED_FOR, REAL_IP_X_REAL_IP,
    REAL_IP_FORWARDED };

#define REAL_IP_NAMES	{ "", "X-Forwarded-For", "X-Real-IP", "Forwarded" }

/* What may be given several times, as it was written. */
#define OPT_LIST_MAX	32
struct opt_list {
	const char *v[OPT_LIST_MAX];
	const char *from[OPT_LIST_MAX];	/* "@FILE" it was read from, or NULL */
	unsigned int n;
};

/* What is not to be shown. */
struct opt_secret {
	const char *value;		/* NULL: none */
	const char *file;		/* "@FILE" it was read from, or NULL */
};

struct options {
	enum mode mode;

	/* the two ends */
	struct addr listen[OPT_LISTEN_MAX];
	unsigned int nlisten;
	struct addr target;		/* server, agent */
	char **program;			/* the same: argv after "--", or NULL */
	struct url url;			/* client, connect, agent */

	/* the wire */
	const char *path;		/* --path, NULL: any */
	const char *subprotocol;	/* --subprotocol, NULL: none */
	const char *user_agent;		/* NULL: inetws/VERSION */
	const char *origin;		/* NULL: none */
	struct opt_list header;
	char **header_command;		/* argv, NULL: none */
	struct opt_secret user;
	int family;			/* NET_ANY, NET_IPV4, NET_IPV6 */
	const char *cacert, *capath;
	int insecure;
	const char *cert, *key;		/* client's own */
	const char *key_password_file;
	const char *pinnedpubkey, *peer_certs, *crlfile;
	const char *servername;		/* NULL: the URL's host */
	const char *tls_cert, *tls_key;	/* server's own */
	const char *tls_client_ca, *tls_peer_certs;
	int tls_min;			/* 0: 1.2, 1: 1.3 */
	const char *ciphers, *tls13_ciphers;
	uint32_t window;		/* --window, bytes */
	enum eof_policy eof;		/* --eof=hold|close */

	/* the way there */
	const struct proxy *proxy;	/* NULL: as the environment says */
	struct opt_secret proxy_user;
	struct opt_list proxy_header;
	const char *noproxy;		/* NULL: as the environment says */
	const char *proxy_cacert;
	int proxy_insecure;
	struct opt_list resolve, connect_to;
	const struct addr *unix_socket;	/* NULL: the network */

	/* who may use a server, and whose address is true */
	struct opt_list trusted_proxy;	/* networks, or "unix" */
	struct opt_list allow_origin;
	int real_ip_header;		/* enum real_ip */
	int accept_proxy;		/* a PROXY header comes first */
	int send_proxy;			/* version of ours, 0: none */
	int forward_peer;
	const char *auth_file;
	char **auth_command;		/* argv, NULL: none */

	/* timers, milliseconds, 0 is off */
	int64_t connect_timeout, handshake_timeout;
	int64_t ping_interval, ping_timeout;
	int64_t idle_timeout, linger, resume;
	int64_t drain;			/* -1: --drain leave */

	/* the service */
	const char *pidfile, *run_as, *chroot;	/* NULL: none */

	/* limits */
	unsigned int max_connections;
	unsigned int max_per_source, max_handshakes;	/* 0: no limit */

	/* reverse tunnels */
	const struct addr *visitors;	/* gate: where they come, or ... */
	const char *visitors_dir;	/* ... for each name */
	const char *agents_file;
	int allow_any_agent, replace;
	int64_t queue;			/* ms that visitors wait, 0: for ever */
	unsigned int max_waiting;	/* of a name */
	unsigned int max_parked;	/* of a name */
	unsigned int spare;		/* agent: wires that wait */
	unsigned int retry;		/* agent: failures in a row, 0: any */
	unsigned int warm;		/* client: wires dialled ahead */

	/* what others may see */
	const char *stats_file;		/* --stats-file, NULL: our own */
	const struct addr *metrics;	/* --metrics, NULL: nowhere */
	int metrics_names;		/* 1: trazfr's too */

	/* check */
	unsigned int warn_expiry;	/* days, 0: not */
	int64_t warn_rtt, proxy_idle;	/* ms, 0: not */
	int nagios;

	/* status and check */
	int json;

	/* status */
	const char *page;		/* FILE, NULL: all there are */
	int watch, openmetrics;
	const char *textfile;		/* --textfile, NULL: stdout */

	/* words */
	int verbose;			/* how many -v */
	int quiet;			/* -q: errors only */
	int syslog;			/* facility of syslog(3), 0: stderr */
	int log_format;			/* enum log_format */
	int log_level;			/* enum log_choice */
	int no_sandbox;
	int no_stderr;			/* 2 was the client's socket; set by
					 * main, not by an option */

	char **argv;			/* the command line, for a reload */
	struct options_block *owned;	/* private: what options_free() frees */
};

enum { OPT_RUN = 0, OPT_DONE = 1 };

/*
 * Fills *o from the command line and the configuration file it names.
 * OPT_RUN: go on.  OPT_DONE: --help, --version and the like have been
 * answered on stdout.  -1 and why: 64, or 78 for a configuration file.
 * Strings point into argv or into memory that *o owns until options_free();
 * after OPT_DONE and -1 there is nothing left to free.
 */
int options_parse(struct options *, int argc, char **argv, struct error *);

/* Gives back what *o owns, as when a reload has made new options. */
void options_free(struct options *);

/*
 * Reads the files again that the command line of *o names, and puts what comes
 * of it in the place of *o: for whoever holds a pointer to it and none into
 * it.  -1 and why: 78 or 64, *o being as it was, if something is wrong, or so
 * says check (which may be NULL), or if something has changed that only a new
 * start can take up.  Of options that
 * were not made from a command line nothing changes.
 */
int options_again(struct options *,
    int (*check)(const struct options *, struct error *), struct error *);

/* Must those who come to our TLS have a certificate? */
static inline int
options_want_certificate(const struct options *o)
{
	return o->tls_client_ca != NULL || o->tls_peer_certs != NULL;
}

/* "server", "client" ... */
const char *mode_name(enum mode);

#endif
