/* SPDX-License-Identifier: ISC */
/*
 * The options in use, from the command line and its configuration files.  One
 * table (table.h) has every option: the parser, --help, --dump-config and the
 * completions are made from it.
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
#define OPT_CONNECTIONS_MAX	1000000	/* of --max-connections */

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

/* --eof, in the order of its words. */
enum eof_policy { EOF_HOLD, EOF_CLOSE };

/* --log-level, in the order of its words; AUTO is the default of the mode. */
enum log_choice { LOG_CHOICE_AUTO, LOG_CHOICE_ERROR, LOG_CHOICE_WARN,
    LOG_CHOICE_INFO, LOG_CHOICE_DEBUG };

/* --real-ip-header: which field of a trusted proxy has the peer's address. */
enum real_ip { REAL_IP_NONE, REAL_IP_X_FORWARDED_FOR, REAL_IP_X_REAL_IP,
    REAL_IP_FORWARDED };

/* The fields, in the order of enum real_ip. */
#define REAL_IP_NAMES	{ "", "X-Forwarded-For", "X-Real-IP", "Forwarded" }

/* The values of an option that may be given several times. */
#define OPT_LIST_MAX	32
struct opt_list {
	const char *v[OPT_LIST_MAX];
	const char *from[OPT_LIST_MAX];	/* "@FILE" that it is from, or NULL */
	unsigned int n;
};

/* A value that must not be shown. */
struct opt_secret {
	const char *value;		/* NULL: none */
	const char *file;		/* "@FILE" that it is from, or NULL */
};

/* --sandbox, in the order of its words. */
enum sandbox_wish { SANDBOX_AUTO, SANDBOX_REQUIRE, SANDBOX_OFF };
enum huge_text_wish { HUGE_TEXT_AUTO, HUGE_TEXT_OFF };

/*
 * The options in use.  Strings are as the user wrote them.  Times are in
 * milliseconds, and 0 means off.  NULL means that the option was not given,
 * unless the member says otherwise.  Options of other modes have their zero
 * value.
 */
struct options {
	enum mode mode;

	/* the two halves of the tunnel */
	struct addr listen[OPT_LISTEN_MAX];
	unsigned int nlisten;
	struct addr target;		/* server, agent */
	char **program;			/* instead of target: its argv */
	int program_pipes;		/* its input and output are pipes */
	struct url url;			/* client, connect, agent, check */

	struct options_websocket {
		const char *path;		/* to accept, NULL: any */
		const char *subprotocol;	/* "a,b", to offer or to accept;
						 * "*" (to accept): any */
		int require_subprotocol;
		int text;			/* 1: plain peers get text
						 * messages, 0: binary ones */
		uint32_t max_frame;		/* bytes of a frame to a plain
						 * peer */
		const char *user_agent;		/* NULL: inetws/VERSION */
		const char *origin;
		struct opt_list header;
		char **header_command;		/* argv */
		struct opt_secret user;		/* "user:password" */
		uint32_t window;		/* bytes that a peer may send
						 * ahead */
		enum eof_policy eof;
	} websocket;

	struct options_tls {
		const char *cacert, *capath;
		int insecure;
		const char *cert, *key;		/* of the dialling side */
		const char *key_password_file;
		const char *pinnedpubkey, *peer_certs, *crlfile;
		const char *servername;		/* for SNI; NULL: the URL's
						 * host, "": send none */
		struct opt_list own_cert, own_key;	/* of the accepting
							 * side */
		const char *client_ca, *client_certs;
		int min;			/* 0: TLS 1.2, 1: TLS 1.3 */
		const char *ciphers, *tls13_ciphers;
	} tls;

	/* a forward proxy */
	struct options_proxy {
		const struct proxy *server;	/* NULL: of the environment */
		struct opt_secret user;		/* "user:password" */
		int user_yields;		/* user is of a configuration
						 * file: that of a proxy of the
						 * environment goes first */
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
		const char *interface;	/* to dial from, NULL: any */
	} dial;

	/* who a peer is, and whether it is allowed */
	struct options_access {
		struct opt_list trusted_proxy;	/* networks, or "unix" */
		struct opt_list allow_origin;
		int real_ip_header;		/* enum real_ip */
		int accept_proxy;		/* expect a PROXY header */
		int send_proxy;			/* version 1 or 2, 0: none */
		int forward_peer;
		const char *auth_file;
		const char *bearer_subprotocol;	/* prefix of a token that is
						 * sent as a subprotocol */
		char **auth_command;		/* argv */
	} access;

	struct options_timeouts {
		int64_t connect, handshake;
		int64_t ping_interval;
		int64_t ping;			/* --ping-timeout */
		int ping_adapts;		/* ping_interval was not given:
						 * it adapts to the path */
		int64_t idle, linger, resume;
		int64_t drain;			/* -1: "leave" */
	} timeouts;

	struct options_limits {
		unsigned int connections;
		unsigned int per_source, handshakes;	/* 0: no limit */
	} limits;

	struct options_reverse {
		const struct addr *visitors;	/* gate: listener of visitors */
		const char *visitors_dir;	/* gate: directory with one of
						 * each name */
		const char *agents_file;
		int allow_any_agent, replace;
		int64_t queue;			/* 0: visitors wait for ever */
		unsigned int max_waiting;	/* visitors of a name */
		unsigned int max_parked;	/* websockets of a name */
		unsigned int spare;		/* agent: websockets that wait */
		unsigned int retry;		/* agent: failures in a row
						 * after which it ends, 0: it
						 * never does */
		unsigned int warm;		/* client: websockets that are
						 * dialled ahead */
	} reverse;

	struct options_service {
		const char *pidfile, *run_as, *chroot;
		int sandbox;		/* enum sandbox_wish */
		int huge_text;		/* enum huge_text_wish */
	} service;

	struct options_observe {
		const char *stats_file;		/* NULL: a page of our own */
		const struct addr *metrics;	/* listener */
		const char *metrics_path, *health_path;	/* at the listeners of
							 * websockets */
		int metrics_names;		/* 1: "trazfr" */
	} observe;

	struct options_check {
		unsigned int warn_expiry;	/* days, 0: off */
		int64_t warn_rtt, proxy_idle;
		int nagios, test_resume;
	} check;

	struct options_status {
		const char *page;		/* FILE, NULL: all instances */
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
		int no_stderr;			/* descriptor 2 was the peer's
						 * socket: main() sets this, not
						 * an option */
	} log;

	char **argv;			/* for options_reload() */
	struct options_lines *lines;	/* private: for options_blame() */
	struct options_block *owned;	/* private: for options_free() */
};

enum { OPT_RUN = 0, OPT_DONE = 1 };

/*
 * Fills in *o from the command line and the configuration files that it names.
 * OPT_RUN: the mode is to be run.  OPT_DONE: --help, --version and the like
 * have printed their answer on standard output.  -1 and why: 64, or 78 if it is
 * in a configuration file.  Strings point into argv, which must stay, or into
 * memory that *o owns until options_free(); after OPT_DONE and -1 there is
 * nothing to free.
 */
int options_parse(struct options *, int argc, char **argv, struct error *);

/* Prints how to begin, in ten lines: the answer to an empty command line. */
void options_usage(FILE *);

/* Frees what *o owns. */
void options_free(struct options *);

/*
 * Parses the command line of *o again, with its files as they are now, and
 * replaces *o.  Pointers to *o stay valid, pointers to what it owns do not.
 * check, unless it is NULL, may refuse the new options.  Options that did not
 * come from a command line stay as they are.  1: parked websockets have old
 * values of options; 0: they have not; or -1 and why (78 or 64), and
 * *o is unchanged: something is wrong, check refused, or an option has changed
 * that needs a restart.
 */
int options_reload(struct options *,
    int (*check)(const struct options *, struct error *), struct error *);

/*
 * Makes an error that was found after options_parse() name the place of the
 * option.  If the error begins with "--NAME VALUE: " (or "FILE: " of an
 * operand), and a configuration file has that line, it becomes "FILE:LINE: NAME
 * VALUE: ...", and status 64 becomes 78.
 */
void options_blame(const struct options *, struct error *);

/* Must TLS clients have a certificate? */
static inline int
options_want_certificate(const struct options *o)
{
	return o->tls.client_ca != NULL || o->tls.client_certs != NULL;
}

/*
 * Writes the command line for another mode to command, as it can be pasted into
 * a shell: those options of *o's command line that this mode has too, but for
 * logging, and the URL. Secrets are left out; left_out names them.
 */
void options_repeat(const struct options *, enum mode, struct out *command,
    struct out *left_out);

/* Adds a word, with quotes where a shell needs them. */
void options_quote(struct out *, const char *);

/* "server", "client" ... */
const char *mode_name(enum mode);

#endif
