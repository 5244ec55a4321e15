/* SPDX-License-Identifier: ISC */
/*
 * The command line.  One table holds every option: parser, configuration
 * file, --help, --dump-config and the completions are made from it.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/out.h"
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

/* Which field of a trusted proxy has the address of the peer. */
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

/* --sandbox, in the order of its words. */
enum sandbox_wish { SANDBOX_AUTO, SANDBOX_REQUIRE, SANDBOX_OFF };

/*
 * What is in force.  Strings are as they were written; times are milliseconds
 * and 0 is off; NULL is "not given" unless it says otherwise.
 */
struct options {
	enum mode mode;

	/* the two ends */
	struct addr listen[OPT_LISTEN_MAX];
	unsigned int nlisten;
	struct addr target;		/* server, agent */
	char **program;			/* the same: argv after "--" */
	int program_pipes;		/* are its 0 and 1, no socket */
	struct url url;			/* client, connect, agent, check */

	struct options_websocket {
		const char *path;		/* NULL: any */
		const char *subprotocol;	/* "a,b": to offer or accept,
						 * NULL: none; "binary" */
		int require_subprotocol;
		int text;			/* messages to plain peers */
		uint32_t max_frame;		/* bytes, to plain peers */
		const char *user_agent;		/* NULL: inetws/VERSION */
		const char *origin;
		struct opt_list header;
		char **header_command;		/* argv */
		struct opt_secret user;
		uint32_t window;		/* bytes */
		enum eof_policy eof;
	} websocket;

	struct options_tls {
		const char *cacert, *capath;
		int insecure;
		const char *cert, *key;		/* of the dialling side */
		const char *key_password_file;
		const char *pinnedpubkey, *peer_certs, *crlfile;
		const char *servername;		/* NULL: the URL's host,
						 * "": sent to no server */
		struct opt_list own_cert, own_key;	/* of the accepting
							 * side */
		const char *client_ca, *client_certs;
		int min;			/* 0: 1.2, 1: 1.3 */
		const char *ciphers, *tls13_ciphers;
	} tls;

	/* a forward proxy */
	struct options_proxy {
		const struct proxy *server;	/* NULL: of the environment */
		struct opt_secret user;
		int user_yields;		/* to one of the environment,
						 * as a file has it */
		struct opt_list header;
		char **header_command;		/* argv */
		const char *noproxy;		/* NULL: of the environment */
		const char *cacert;
		int insecure;
	} proxy;

	struct options_dial {
		int family;		/* NET_ANY, NET_IPV4, NET_IPV6 */
		struct opt_list resolve, connect_to;
		const struct addr *unix_socket;	/* NULL: the network */
		const char *interface;	/* dial from here, NULL: anywhere */
	} dial;

	/* who a peer is, and whether it is allowed */
	struct options_access {
		struct opt_list trusted_proxy;	/* networks, or "unix" */
		struct opt_list allow_origin;
		int real_ip_header;		/* enum real_ip */
		int accept_proxy;		/* a PROXY header comes first */
		int send_proxy;			/* version of ours, 0: none */
		int forward_peer;
		const char *auth_file;
		const char *bearer_subprotocol;	/* what precedes a token */
		char **auth_command;		/* argv */
	} access;

	struct options_timeouts {
		int64_t connect, handshake;
		int64_t ping_interval, ping;
		int ping_adapts;		/* the interval was not given */
		int64_t idle, linger, resume;
		int64_t drain;			/* -1: --drain leave */
	} timeouts;

	struct options_limits {
		unsigned int connections;
		unsigned int per_source, handshakes;	/* 0: no limit */
	} limits;

	struct options_reverse {
		const struct addr *visitors;	/* gate: where they come, or */
		const char *visitors_dir;	/* ... for each name */
		const char *agents_file;
		int allow_any_agent, replace;
		int64_t queue;			/* 0: visitors wait for ever */
		unsigned int max_waiting;	/* visitors of a name */
		unsigned int max_parked;	/* idle websockets of a name */
		unsigned int spare;		/* agent: idle websockets */
		unsigned int retry;		/* agent: failures in a row,
						 * 0: any number */
		unsigned int warm;		/* client: dialled ahead */
	} reverse;

	struct options_service {
		const char *pidfile, *run_as, *chroot;
		int sandbox;		/* enum sandbox_wish */
	} service;

	struct options_observe {
		const char *stats_file;		/* NULL: our own */
		const struct addr *metrics;
		const char *metrics_path, *health_path;	/* on websocket
							 * listeners */
		int metrics_names;		/* 1: tcp-over-websocket's too */
	} observe;

	struct options_check {
		unsigned int warn_expiry;	/* days, 0: not */
		int64_t warn_rtt, proxy_idle;
		int nagios, test_resume;
	} check;

	struct options_status {
		const char *page;		/* FILE, NULL: all there are */
		int watch, openmetrics;
		const char *textfile;		/* NULL: stdout */
	} status;
	int json;				/* status and check */

	struct options_log {
		int verbose;			/* how many -v */
		int quiet;			/* errors only */
		int syslog;			/* facility of syslog(3), 0:
						 * standard error */
		int format;			/* enum log_format */
		int level;			/* enum log_choice */
		int no_stderr;			/* 2 was the client's socket:
						 * set by main, not by an
						 * option */
	} log;

	char **argv;			/* the command line, for a reload */
	struct options_lines *lines;	/* private: for options_blame() */
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

/* For whoever gave no words at all: how to begin, in ten lines. */
void options_usage(FILE *);

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

/*
 * An error that was found after options_parse() and begins with the name of an
 * option, "--NAME VALUE: ...", or with a file that is an operand: if a
 * configuration file has that, it gets the form of other errors there,
 * "FILE:LINE: NAME VALUE: ...", and 64 becomes 78.
 */
void options_blame(const struct options *, struct error *);

/* Must those who come to our TLS have a certificate? */
static inline int
options_want_certificate(const struct options *o)
{
	return o->tls.client_ca != NULL || o->tls.client_certs != NULL;
}

/*
 * The options of *o's command line that a mode has too, and the URL, as they are
 * pasted into a shell; those about the log are not needed.  What is secret is
 * not there: left_out names it.
 */
void options_repeat(const struct options *, enum mode, struct out *command,
    struct out *left_out);

/* A word for a shell. */
void options_quote(struct out *, const char *);

/* "server", "client" ... */
const char *mode_name(enum mode);

#endif
