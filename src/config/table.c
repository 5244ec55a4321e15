/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/table.h"
#include "net/socket.h"

/* Modes that accept or dial websockets have the same words for it. */
#define SERVER	MODE_BIT(MODE_SERVER)
#define A	MODE_BIT(MODE_AGENT)
#define G	MODE_BIT(MODE_GATE)
#define S	(SERVER | G)
#define C	MODE_BIT(MODE_CLIENT)
#define N	(MODE_BIT(MODE_CONNECT) | A)
#define K	MODE_BIT(MODE_CHECK)
#define O	(N | K)			/* dial one websocket */
#define T	MODE_BIT(MODE_STATUS)
#define ALL	(S | C | N)
#define DIAL	(ALL | K)
#define EVERY	(ALL | K | T)
#define AT(f)	offsetof(struct options, f)
#define NAME_MAX_LEN	32	/* longer words are nobody's misspelling */

const struct mode_row mode_table[] = {
	{ MODE_SERVER, "server", { "target" }, 1,
	  "[-l LISTEN]... [options] TARGET | -- PROGRAM [ARG...]",
	  "websockets in, TCP (or a program) out" },
	{ MODE_CLIENT, "client", { "url" }, 1,
	  "[-l LISTEN]... [options] URL",
	  "TCP in, a websocket out for each connection" },
	{ MODE_CONNECT, "connect", { "url" }, 1,
	  "[options] URL",
	  "one websocket on stdin and stdout, as for ssh's ProxyCommand" },
	{ MODE_AGENT, "agent", { "url", "target" }, 2,
	  "[options] URL TARGET | URL -- PROGRAM [ARG...]",
	  "a target behind NAT, offered to a gate" },
	{ MODE_GATE, "gate", { NULL }, 0,
	  "-l AGENTS --visitors LISTEN | --visitors-dir DIR [options]",
	  "where agents wait, and visitors meet them" },
	{ MODE_CHECK, "check", { "url" }, 1,
	  "[options] URL",
	  "dial a websocket, ping it, tell all about it" },
	{ MODE_STATUS, "status", { "page" }, 0, "[options] [FILE]",
	  "what the instances on this machine do" },
	{ .name = NULL }
};

/* In the order of the help. */
const struct option option_table[] = {
	{ "listen", 'l', P_ANY, T_LISTEN, "LISTEN", 0, S | C, 0, 0, NULL,
	  "accept connections here (repeatable)" },
	{ "visitors", 0, P_ANY, T_ADDRESS, "LISTEN", AT(reverse.visitors), G, 0, 0,
	  NULL, "visitors come here" },
	{ "visitors-dir", 0, P_ANY, T_FILE, "DIR", AT(reverse.visitors_dir), G, 0, 0,
	  NULL, "visitors come to DIR/NAME.sock" },
	{ "agents-file", 0, P_ANY, T_FILE, "FILE", AT(reverse.agents_file), G, 0, 0,
	  NULL, "names of agents and hashes of their secrets" },
	{ "allow-any-agent", 0, P_ANY, T_FLAG, NULL, AT(reverse.allow_any_agent), G,
	  1, 0, NULL, "let everybody be an agent" },
	{ "replace", 0, P_ANY, T_FLAG, NULL, AT(reverse.replace), G, 1, 0, NULL,
	  "one agent of a name: the last who came" },
	{ "queue", 0, P_ANY, T_DURATION, "TIME", AT(reverse.queue), G, 0, 0, "30s",
	  "visitors wait for an agent" },
	{ "max-waiting", 0, P_ANY, T_NUMBER, "N", AT(reverse.max_waiting), G, 1,
	  100000, "512", "visitors of a name that wait" },
	{ "max-parked", 0, P_ANY, T_NUMBER, "N", AT(reverse.max_parked), G, 1, 100000,
	  "64", "agents' wires of a name that wait" },
	{ "path", 0, P_ANY, T_PATH, "PATH", AT(websocket.path), S, 0, 0, NULL,
	  "accept requests for this path only" },
	{ "auth-file", 0, P_ANY, T_FILE, "FILE", AT(access.auth_file), S, 0, 0, NULL,
	  "let in the users and tokens of this file" },
	{ "auth-command", 0, P_ANY, T_PROGRAM, "PROGRAM", AT(access.auth_command), S,
	  0, 0, NULL, "let in whom this program lets in" },
	{ "allow-origin", 0, P_ANY, T_ORIGIN, "HOST", AT(access.allow_origin), S,
	  0, 0, NULL, "let pages of this host in, * for any" },
	{ "trusted-proxy", 0, P_ANY, T_NETWORK, "NETWORK", AT(access.trusted_proxy),
	  S, 0, 0, NULL, "believe what proxies there say (repeatable)" },
	{ "real-ip-header", 0, P_ANY, T_REAL_IP, "NAME", AT(access.real_ip_header),
	  S, 0, 0, NULL, "X-Forwarded-For, X-Real-IP or Forwarded" },
	{ "accept-proxy", 0, P_ANY, T_FLAG, NULL, AT(access.accept_proxy), S | C,
	  1, 0, NULL, "a PROXY header begins each connection" },
	{ "send-proxy", 0, P_ANY, T_VERSION_12, NULL, AT(access.send_proxy),
	  SERVER | A,
	  0, 0, NULL, "send one to the target, v1 or with =v2" },
	{ "forward-peer", 0, P_ANY, T_FLAG, NULL, AT(access.forward_peer), C, 1, 0,
	  NULL, "tell the server for whom a tunnel is" },
	{ "subprotocol", 0, P_ANY, T_TOKEN, "NAME", AT(websocket.subprotocol), C | O,
	  0, 0, NULL, "offer this subprotocol" },
	{ "user-agent", 'A', P_ANY, T_TEXT, "TEXT", AT(websocket.user_agent), C | O,
	  0, 0, NULL, "send this User-Agent" },
	{ "header", 'H', P_ANY, T_HEADER, "HEADER", AT(websocket.header), C | O, 0, 0,
	  NULL, "send 'Name: value' or the lines of @FILE" },
	{ "header-command", 0, P_ANY, T_PROGRAM, "PROGRAM",
	  AT(websocket.header_command), C | O, 0, 0, NULL,
	  "send what this program says, each time" },
	{ "user", 'u', P_ANY, T_SECRET, "USER:PASS", AT(websocket.user), C | O, 0,
	  0, NULL, "log in to the server, or by @FILE" },
	{ "origin", 0, P_ANY, T_TEXT, "ORIGIN", AT(websocket.origin), C | O, 0, 0,
	  NULL, "send this Origin" },
	{ "proxy", 'x', P_ANY, T_PROXY, "PROXY", AT(proxy.server), C | O, 0, 0,
	  NULL, "go by http(s):// or socks5(h)://PROXY" },
	{ "proxy-user", 0, P_ANY, T_SECRET, "USER:PASS", AT(proxy.user),
	  C | O, 0, 0, NULL, "log in to the proxy, or by @FILE" },
	{ "proxy-header", 0, P_ANY, T_PROXY_HEADER, "HEADER",
	  AT(proxy.header), C | O, 0, 0, NULL, "send this to the proxy" },
	{ "proxy-cacert", 0, P_ANY, T_FILE, "FILE", AT(proxy.cacert), C | O,
	  0, 0, NULL, "trust these about the proxy" },
	{ "proxy-insecure", 0, P_ANY, T_FLAG, NULL, AT(proxy.insecure),
	  C | O, 1, 0, NULL, "do not verify its certificate" },
	{ "noproxy", 0, P_ANY, T_NOPROXY, "HOSTS", AT(proxy.noproxy), C | O, 0, 0,
	  NULL, "go to these without a proxy, * for all" },
	{ "resolve", 0, P_ANY, T_RESOLVE, "HOST:PORT:ADDR", AT(dial.resolve),
	  C | O, 0, 0, NULL, "the address of a host (repeatable)" },
	{ "connect-to", 0, P_ANY, T_CONNECT_TO, "H1:P1:H2:P2",
	  AT(dial.connect_to), C | O, 0, 0, NULL, "go to H2:P2 for H1:P1" },
	{ "unix-socket", 0, P_ANY, T_SOCKET, "PATH", AT(dial.unix_socket), C | O,
	  0, 0, NULL, "go by this socket, not the network" },
	{ "ipv4", '4', P_ANY, T_FLAG, NULL, AT(dial.family), DIAL, NET_IPV4, 0, NULL,
	  "dial IPv4 addresses only" },
	{ "ipv6", '6', P_ANY, T_FLAG, NULL, AT(dial.family), DIAL, NET_IPV6, 0, NULL,
	  "dial IPv6 addresses only" },
	{ "cacert", 0, P_ANY, T_FILE, "FILE", AT(tls.cacert), C | O, 0, 0, NULL,
	  "trust the certificates in this file" },
	{ "capath", 0, P_ANY, T_FILE, "DIR", AT(tls.capath), C | O, 0, 0, NULL,
	  "trust those in this hashed folder" },
	{ "insecure", 'k', P_ANY, T_FLAG, NULL, AT(tls.insecure), C | O, 1, 0, NULL,
	  "do not verify the server's certificate" },
	{ "cert", 'E', P_ANY, T_FILE, "FILE", AT(tls.cert), C | O, 0, 0, NULL,
	  "show this certificate to the server" },
	{ "key", 0, P_ANY, T_FILE, "FILE", AT(tls.key), C | O, 0, 0, NULL,
	  "its private key, if it is not in there" },
	{ "pinnedpubkey", 0, P_ANY, T_TEXT, "HASHES", AT(tls.pinnedpubkey), C | O,
	  0, 0, NULL, "accept this key only: sha256//BASE64;..." },
	{ "peer-certs", 0, P_ANY, T_FILE, "FILE", AT(tls.peer_certs), C | O, 0, 0,
	  NULL, "accept these certificates only" },
	{ "servername", 0, P_ANY, T_TOKEN, "NAME", AT(tls.servername), C | O, 0,
	  0, NULL, "ask for and verify this name" },
	{ "tls-cert", 0, P_ANY, T_FILE, "FILE", AT(tls.own_cert), S, 0, 0, NULL,
	  "speak TLS, with this certificate" },
	{ "tls-key", 0, P_ANY, T_FILE, "FILE", AT(tls.own_key), S, 0, 0, NULL,
	  "its private key, if it is not in there" },
	{ "tls-client-ca", 0, P_ANY, T_FILE, "FILE", AT(tls.client_ca), S, 0,
	  0, NULL, "clients must have a certificate of these" },
	{ "tls-peer-certs", 0, P_ANY, T_FILE, "FILE", AT(tls.client_certs), S,
	  0, 0, NULL, "clients must have one of these" },
	{ "key-password-file", 0, P_ANY, T_FILE, "FILE",
	  AT(tls.key_password_file), DIAL, 0, 0, NULL,
	  "the first line decrypts the key" },
	{ "crlfile", 0, P_ANY, T_FILE, "FILE", AT(tls.crlfile), DIAL, 0, 0, NULL,
	  "refuse what these lists revoke" },
	{ "tls-min", 0, P_ANY, T_CHOICE, "1.2|1.3", AT(tls.min), DIAL, 0, 0,
	  "1.2", "lowest version of TLS" },
	{ "ciphers", 0, P_ANY, T_TEXT, "LIST", AT(tls.ciphers), DIAL, 0, 0, NULL,
	  "of TLS 1.2, as openssl-ciphers(1)" },
	{ "tls13-ciphers", 0, P_ANY, T_TEXT, "LIST", AT(tls.tls13_ciphers), DIAL,
	  0, 0, NULL, "of TLS 1.3" },
	{ "window", 0, P_ANY, T_SIZE, "SIZE", AT(websocket.window), ALL,
	  64 << 10, 16 << 20, "1m", "bytes a peer may send ahead" },
	{ "eof", 0, P_ANY, T_CHOICE, "hold|close", AT(websocket.eof), ALL, 0, 0, "hold",
	  "at end of file, to a foreign peer" },
	{ "connect-timeout", 0, P_ANY, T_DURATION, "TIME",
	  AT(timeouts.connect), DIAL, 0, 0, "10s", "limit for dialling" },
	{ "handshake-timeout", 0, P_ANY, T_DURATION, "TIME",
	  AT(timeouts.handshake), DIAL, 0, 0, "10s",
	  "limit for TLS and the upgrade" },
	{ "ping-interval", 0, P_ANY, T_DURATION, "TIME", AT(timeouts.ping_interval),
	  ALL, 0, 0, "25s", "ping after so much silence" },
	{ "ping-timeout", 0, P_ANY, T_DURATION, "TIME", AT(timeouts.ping),
	  ALL, 0, 0, NULL, "give a silent peer up (twice that)" },
	{ "idle-timeout", 0, P_ANY, T_DURATION, "TIME", AT(timeouts.idle),
	  ALL, 0, 0, "0", "end a tunnel without data" },
	{ "linger", 0, P_ANY, T_DURATION, "TIME", AT(timeouts.linger), ALL, 0, 0, "10s",
	  "wait for late replies and Close" },
	{ "resume", 0, P_ANY, T_DURATION, "TIME", AT(timeouts.resume), ALL, 0, 0, "2m",
	  "keep a tunnel whose websocket is lost" },
	{ "drain", 0, P_ANY, T_DRAIN, "TIME|leave", AT(timeouts.drain), S | C | A, 0, 0,
	  "30s", "let tunnels finish at TERM" },
	{ "max-connections", 0, P_ANY, T_NUMBER, "N", AT(limits.connections),
	  S | C | A, 1, OPT_CONNECTIONS_MAX, "1024", "connections at a time" },
	{ "max-per-source", 0, P_ANY, T_NUMBER, "N", AT(limits.per_source),
	  SERVER | C, 0, 1000000, "0", "of them from one address" },
	{ "max-handshakes", 0, P_ANY, T_NUMBER, "N", AT(limits.handshakes),
	  S | C, 0, 1000000, "0", "of them not established yet" },
	{ "run-as", 0, P_ANY, T_TEXT, "USER[:GROUP]", AT(service.run_as), S | C | A,
	  0, 0, NULL, "become this user" },
	{ "chroot", 0, P_ANY, T_FILE, "DIR", AT(service.chroot), S | C | A, 0, 0, NULL,
	  "make this the root directory" },
	{ "pidfile", 0, P_ANY, T_FILE, "FILE", AT(service.pidfile), S | C | A, 0, 0, NULL,
	  "write the process number there" },
	{ "warm", 0, P_ANY, T_NUMBER, "N", AT(reverse.warm), C, 0, 1000, "0",
	  "dial so many wires ahead" },
	{ "spare", 0, P_ANY, T_NUMBER, "N", AT(reverse.spare), A, 1, 1000, "2",
	  "wires that wait for visitors" },
	{ "retry", 0, P_ANY, T_NUMBER, "N", AT(reverse.retry), A, 0, 1000000, "0",
	  "give up after N failures in a row" },
	{ "no-sandbox", 0, P_ANY, T_FLAG, NULL, AT(service.no_sandbox), ALL, 1, 0,
	  NULL, "do not give rights up" },
	{ "stats-file", 0, P_ANY, T_FILE, "FILE", AT(observe.stats_file), ALL, 0, 0,
	  NULL, "share a statistics page with others" },
	{ "metrics", 0, P_ANY, T_ADDRESS, "LISTEN", AT(observe.metrics), S | C | A, 0, 0,
	  NULL, "serve metrics, health and a page here" },
	{ "metrics-names", 0, P_ANY, T_CHOICE, "inetws|trazfr",
	  AT(observe.metrics_names), S | C | A | T, 0, 0, "inetws",
	  "trazfr: that tool's names too" },
	{ "warn-expiry", 0, P_ANY, T_NUMBER, "DAYS", AT(check.warn_expiry), K,
	  0, 36500, NULL, "warn of certificates that end so soon" },
	{ "warn-rtt", 0, P_ANY, T_DURATION, "TIME", AT(check.warn_rtt), K, 0, 0,
	  NULL, "warn if pings take longer" },
	{ "proxy-idle", 0, P_ANY, T_LIMIT, NULL, AT(check.proxy_idle), K,
	  0, 600000, NULL, "how long may it be idle? (up to =10m)" },
	{ "nagios", 0, P_ANY, T_FLAG, NULL, AT(check.nagios), K, 1, 0, NULL,
	  "one line, and status 0, 1, 2 or 3" },
	{ "json", 0, P_ANY, T_FLAG, NULL, AT(json), T | K, 1, 0, NULL,
	  "one JSON object" },
	{ "watch", 'w', P_ANY, T_FLAG, NULL, AT(status.watch), T, 1, 0, NULL,
	  "go on showing, until q" },
	{ "openmetrics", 0, P_ANY, T_FLAG, NULL, AT(status.openmetrics), T, 1, 0,
	  NULL, "OpenMetrics text" },
	{ "textfile", 0, P_ANY, T_FILE, "FILE", AT(status.textfile), T, 0, 0, NULL,
	  "write metrics for node-exporter there" },
	{ "verbose", 'v', P_ANY, T_COUNT, NULL, AT(log.verbose), DIAL, 0, 9, NULL,
	  "say more (repeatable)" },
	{ "quiet", 'q', P_ANY, T_FLAG, NULL, AT(log.quiet), ALL, 1, 0, NULL,
	  "say errors only" },
	{ "log-format", 0, P_ANY, T_CHOICE, "logfmt|text|json",
	  AT(log.format), ALL, 0, 0, "logfmt", "how a line is written" },
	{ "log-level", 0, P_ANY, T_CHOICE, "auto|error|warn|info|debug",
	  AT(log.level), ALL, 0, 0, "auto", "what is logged" },
	{ "syslog", 0, P_ANY, T_FACILITY, NULL, AT(log.syslog), ALL, 0, 0, NULL,
	  "log to syslog, =local0 and the like" },
	{ "config", 'K', P_CLI, T_CONFIG, "FILE", 0, EVERY, 0, 0, NULL,
	  "read options from this file" },
	{ "dump-config", 0, P_CLI, T_DUMP, NULL, 0, EVERY, 0, 0, NULL,
	  "print the options in force as such a file" },
	{ "help", 'h', P_CLI, T_HELP, NULL, 0, EVERY, 0, 0, NULL,
	  "print this" },
	{ "version", 'V', P_CLI, T_VERSION, NULL, 0, EVERY, 0, 0, NULL,
	  "print the versions of inetws and its libraries" },
	{ "completions", 0, P_HIDDEN, T_COMPLETIONS, "bash|zsh|fish", 0, EVERY,
	  0, 0, NULL, "print a shell's completions" },

	{ "mode", 0, P_FILE, T_MODE, "MODE", 0, EVERY, 0, 0, NULL, NULL },
	{ "target", 0, P_FILE, T_TARGET, "TARGET", 0, SERVER | A, 0, 0, NULL,
	  NULL },
	{ "url", 0, P_FILE, T_URL, "URL", 0, C | O, 0, 0, NULL, NULL },

	{ "page", 0, P_FILE, T_PAGE, "FILE", AT(status.page), T, 0, 0, NULL, NULL },

	/* the spellings of trazfr/tcp-over-websocket */
	{ "listen_ws", 0, P_WORD, T_LISTEN, "LISTEN", 0, SERVER, 0, 0, NULL, NULL },
	{ "remote_tcp", 0, P_WORD, T_TARGET, "TARGET", 0, SERVER, 0, 0, NULL,
	  NULL },
	{ "connect_tcp", 0, P_WORD, T_TARGET, "TARGET", 0, SERVER, 0, 0, NULL,
	  NULL },
	{ "listen_tcp", 0, P_WORD, T_LISTEN, "LISTEN", 0, C, 0, 0, NULL, NULL },
	{ "remote_ws", 0, P_WORD, T_URL, "URL", 0, C, 0, 0, NULL, NULL },
	{ "connect_ws", 0, P_WORD, T_URL, "URL", 0, C, 0, 0, NULL, NULL },
	{ .name = NULL }
};

const struct option *
option_find(const char *name, size_t len)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (strlen(row->name) == len &&
		    memcmp(row->name, name, len) == 0)
			return row;
	return NULL;
}

const struct option *
option_letter(char letter)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if (letter != 0 && row->letter == letter)
			return row;
	return NULL;
}

const struct mode_row *
mode_find(const char *name)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct mode_row *
mode_of(enum mode mode)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (row->mode == mode)
			return row;
	return NULL;
}

const char *
mode_name(enum mode mode)
{
	const struct mode_row *row = mode_of(mode);

	return row == NULL ? "none" : row->name;
}

static unsigned int
least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/*
 * How many letters must be added, dropped, changed or swapped with their
 * neighbour to make one word of the other.
 */
static unsigned int
distance(const char *a, size_t alen, const char *b)
{
	unsigned int d[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];
	size_t blen = strlen(b), i, j;

	if (alen > NAME_MAX_LEN || blen > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (i = 0; i <= alen; i++)
		d[i][0] = i;
	for (j = 0; j <= blen; j++)
		d[0][j] = j;
	for (i = 1; i <= alen; i++)
		for (j = 1; j <= blen; j++) {
			d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
			d[i][j] = least(d[i][j], d[i - 1][j - 1] +
			    (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[alen][blen];
}

/*
 * Two slips are forgiven, one in a short word.  A beginning of at least three
 * letters counts as one slip: options are not abbreviated, but people try.
 */
static unsigned int
slips(const char *word, size_t len, const char *name)
{
	unsigned int n = distance(word, len, name);

	if (len >= 3 && strncmp(word, name, len) == 0)
		n = least(n, 1);
	return n <= (len < 5 ? 1u : 2u) ? n : NAME_MAX_LEN;
}

const char *
option_nearest(const char *name, size_t len, int in_file)
{
	const struct option *row;
	const char *best = NULL;
	unsigned int n, least_slips = NAME_MAX_LEN;

	for (row = option_table; row->name != NULL; row++) {
		if (row->place != P_ANY &&
		    row->place != (in_file ? P_FILE : P_CLI))
			continue;
		n = slips(name, len, row->name);
		if (n < least_slips) {
			least_slips = n;
			best = row->name;
		}
	}
	return best;
}

const char *
mode_nearest(const char *name)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (row->help != NULL &&
		    slips(name, strlen(name), row->name) < NAME_MAX_LEN)
			return row->name;
	return NULL;
}

unsigned int
modes_there(void)
{
	const struct mode_row *row;
	unsigned int modes = 0;

	for (row = mode_table; row->name != NULL; row++)
		if (row->help != NULL)
			modes |= MODE_BIT(row->mode);
	return modes;
}

char *
modes_print(char *dst, size_t size, unsigned int modes, const char *last)
{
	const struct mode_row *row;
	unsigned int left = modes;

	dst[0] = '\0';
	for (row = mode_table; row->name != NULL; row++) {
		if ((modes & MODE_BIT(row->mode)) == 0)
			continue;
		left &= ~MODE_BIT(row->mode);
		if (dst[0] != '\0')
			strlcat(dst, left == 0 ? last : ", ", size);
		strlcat(dst, row->name, size);
	}
	return dst;
}

char *
option_show(char *dst, size_t size, const char *word)
{
	const char *at = strrchr(word, '@'), *slashes = strstr(word, "://");
	const char *user = slashes == NULL ? word : slashes + 3;
	size_t n;

	if (at == NULL || at < user ||
	    (slashes == NULL && strcspn(word, ":@") == strcspn(word, "@")))
		return str_escape(dst, size, word, strlen(word));
	str_escape(dst, size, word, user - word);
	n = strlen(dst);
	if (n + 12 < size) {
		strlcat(dst, "***", size);
		str_escape(dst + n + 3, size - n - 3, at, strlen(at));
	}
	return dst;
}
