/* SPDX-License-Identifier: ISC */
/*
 * If it fails: an option is taken for another one, or its error does not help.
 */
#include "proto/http.h"
#include "config/fixture.h"

#include <syslog.h>

#include "net/socket.h"

static void
test_defaults(void)
{
	runs("inetws server localhost:22");
	is(o.mode, MODE_SERVER, "mode");
	is_str(mode_name(o.mode), "server", "its name");
	is_str(o.target.host, "localhost", "target");
	is(o.target.port, 22, "its port");
	is(o.nlisten, 0, "no listener");
	ok(o.program == NULL && o.websocket.path == NULL && o.websocket.user_agent == NULL &&
	    o.tls.cacert == NULL && o.websocket.subprotocol == NULL, "no strings");
	is(o.dial.family, NET_ANY, "any family");
	is(o.websocket.window, 16 << 20, "window");
	is(o.websocket.eof, EOF_HOLD, "eof");
	is(o.timeouts.connect, 10000, "connect-timeout");
	is(o.timeouts.handshake, 10000, "handshake-timeout");
	is(o.timeouts.ping_interval, 25000, "ping-interval");
	is(o.timeouts.ping, 50000, "ping-timeout");
	is(o.timeouts.idle, 0, "idle-timeout");
	is(o.timeouts.linger, 10000, "linger");
	is(o.timeouts.resume, 120000, "resume");
	is(o.timeouts.drain, 30000, "drain");
	is(o.limits.connections, 1024, "max-connections");
	ok(o.log.verbose == 0 && o.log.quiet == 0 && o.log.syslog == 0 &&
	    o.tls.insecure == 0, "no flags");
}

static void
test_spellings(void)
{
	runs("inetws client -l 8080 --listen :81 --listen=unix:/x -lfd:3 "
	    "wss://h/x");
	is(o.nlisten, 4, "four listeners");
	is(o.listen[0].port, 8080, "-l X");
	is(o.listen[1].port, 81, "--listen X");
	is_str(o.listen[2].path, "/x", "--listen=X");
	is(o.listen[3].number, 3, "-lX");
	is_str(o.url.path, "/x", "URL");
	is(o.url.tls, 1, "TLS");

	runs("inetws -vk connect ws://h -4v --eof=close "
	    "--ping-interval 5 --ping-timeout=1m");
	is(o.log.verbose, 2, "bundled and repeated flags");
	is(o.tls.insecure, 1, "-k");
	is(o.dial.family, NET_IPV4, "-4");
	is(o.websocket.eof, EOF_CLOSE, "--eof=close");
	is(o.timeouts.ping_interval, 5000, "ping-interval");
	is(o.timeouts.ping, 60000, "ping-timeout stays as given");
	runs("inetws connect ws://h -vA~x -6");
	is_str(o.websocket.user_agent, " x", "a value behind bundled flags");
	is(o.dial.family, NET_IPV6, "-6");
	runs("inetws connect ws://h -vA x -k --insecure=no");
	is_str(o.websocket.user_agent, "x", "or in the next word");
	is(o.tls.insecure, 0, "a flag taken back");
	runs("inetws server h:1 -q");
	is(o.log.quiet, 1, "-q");
	runs("inetws server h:1 --ping-interval 0 --drain leave --syslog "
	    "--window 64k --max-connections 1 --path /a/b --verbose=3");
	is(o.timeouts.ping, 0, "ping-timeout follows the interval");
	is(o.timeouts.drain, -1, "--drain leave");
	is(o.log.syslog, LOG_DAEMON, "--syslog");
	is(o.websocket.window, 65536, "--window");
	is(o.limits.connections, 1, "--max-connections");
	is_str(o.websocket.path, "/a/b", "--path");
	is(o.log.verbose, 3, "--verbose=3");
	runs("inetws server h:1 -l - -l inetd -l systemd:web");
	is(o.listen[0].kind, ADDR_STDIO, "-l -");
	is(o.listen[2].kind, ADDR_SYSTEMD, "-l systemd:web");
	runs("inetws client ws://h --cacert /a --capath /b --subprotocol "
	    "binary");
	is_str(o.tls.cacert, "/a", "--cacert");
	is_str(o.tls.capath, "/b", "--capath");
	is_str(o.websocket.subprotocol, "binary", "--subprotocol");
	runs("inetws connect -- ws://h");
	is_str(o.url.at.host, "h", "a URL behind --");
	runs("inetws connect ws://h:81/ --linger 1 --linger 2");
	is(o.timeouts.linger, 2000, "the last one counts");
}

static void
test_program(void)
{
	runs("inetws server -l 80 -v -- /bin/cat -u -- --help");
	ok(o.program != NULL, "a program");
	is_str(o.program[0], "/bin/cat", "its name");
	is_str(o.program[1], "-u", "its arguments are its own");
	is_str(o.program[2], "--", "all of them");
	is_str(o.program[3], "--help", "to the end");
	ok(o.program[4] == NULL, "the end");
	refused("inetws server --", 64, "-- needs a PROGRAM");
	refused("inetws server h:1 -- cat", 64, "not both");
	refused("inetws server -remote_tcp h:1 -- cat", 64, "not both");
}

static void
test_trazfr(void)
{
	static const char *const servers[] = {
		"inetws server -listen_ws :81 -remote_tcp h:22",
		"inetws -listen_ws :81 -remote_tcp h:22",
		"inetws -listen_ws=:81 -remote_tcp=h:22",
		"inetws --listen_ws :81 --remote_tcp h:22",
		"inetws --listen_ws=:81 --connect_tcp=h:22",
		"inetws -connect_tcp h:22 -listen_ws :81"
	};
	static const char *const clients[] = {
		"inetws client -listen_tcp :81 -remote_ws ws://h/",
		"inetws -listen_tcp=:81 -connect_ws=ws://h/",
		"inetws --connect_ws ws://h/ --listen_tcp :81",
		"inetws -listen_tcp :81 ws://h/"
	};
	size_t i;

	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		runs(servers[i]);
		is(o.mode, MODE_SERVER, "is a server");
		ok(o.nlisten == 1 && o.listen[0].port == 81, "listens");
		is(o.target.port, 22, "has its target");
	}
	for (i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		runs(clients[i]);
		is(o.mode, MODE_CLIENT, "is a client");
		ok(o.nlisten == 1 && o.listen[0].port == 81, "listens");
		is_str(o.url.at.host, "h", "has its URL");
	}
	refused("inetws server -listen_tcp :81 h:1", 64,
	    "belongs to client, not to server");
	refused("inetws -remote_tcp h:1 h:2", 64, "unexpected word 'h:2'");
	refused("inetws -listen_ws", 64, "needs a value");
	refused("inetws --remote_wss ws://h", 64, "unknown option");
}

static void
test_headers(void)
{
	static const struct { const char *header, *says; } bad[] = {
		{ "Host:~x", "Host must not" },
		{ "host:x", "host must not" },
		{ "Connection:~x", "Connection must not" },
		{ "Upgrade:~x", "Upgrade must not" },
		{ "Transfer-Encoding:~x", "Transfer-Encoding must not" },
		{ "CONTENT-LENGTH:~1", "CONTENT-LENGTH must not" },
		{ "TE:~x", "TE must not" }, { "Trailer:~x", "Trailer must" },
		{ "Keep-Alive:~x", "Keep-Alive must not" },
		{ "Proxy-Connection:~x", "Proxy-Connection must not" },
		{ "User-Agent:~x", "--user-agent" },
		{ "Sec-WebSocket-Protocol:~x", "--subprotocol" },
		{ "Sec-WebSocket-Key:~x", "Sec-WebSocket-Key must not" },
		{ "sec-websocket-:~x", "sec-websocket- must not" },
		{ "NoColon", "no colon" }, { "A~b:~x", "without blanks" },
		{ ":~x", "without blanks" }, { "A~:~x", "without blanks" },
		{ "X:~a\r\nY:~b", "X holds a line break" },
		{ "X:~a\nY", "X holds a line break" },
		{ "X:~a\x01", "control character" },
		{ "Authorization:~secret\x7f", "Authorization holds" }
	};
	char text[1000];
	size_t i;

	runs("inetws connect ws://h -H X-A:~b -HX-Empty: --header=C:~d:e");
	is(o.websocket.header.n, 3, "three");
	is_str(o.websocket.header.v[0], "X-A: b", "first");
	is_str(o.websocket.header.v[1], "X-Empty:", "second");
	is_str(o.websocket.header.v[2], "C: d:e", "third");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "inetws connect ws://h -H %s",
		    bad[i].header);
		ok(parse(text) == -1, "refused header %zu", i);
		is(why.status, 64, "usage");
		if (!ok(strstr(why.text, bad[i].says) != NULL, "says why"))
			printf("# %s\n", why.text);
		ok(strstr(why.text, "secret") == NULL, "no value shown");
	}
	runs(line("inetws connect ws://h -H Z:1 -H @%s",
	    file("A: 1\r\n\nB: 2")));
	is(o.websocket.header.n, 3, "lines of a file");
	is_str(o.websocket.header.v[1], "A: 1", "without their ends");
	is_str(o.websocket.header.v[2], "B: 2", "the last without one");
	refused(line("inetws connect ws://h -H @%s", file("A: 1\nHost: x\n")),
	    64, ":2: Host must not");
	refused("inetws connect ws://h -H @/nonexistent/x", 64,
	    "/nonexistent/x: No such file");
	strlcpy(text, "inetws connect ws://h", sizeof(text));
	for (i = 0; i < OPT_LIST_MAX; i++)
		strlcat(text, " -H A:b", sizeof(text));
	runs(text);
	strlcat(text, " -H A:b", sizeof(text));
	refused(text, 64, "--header: more than 32 of them");
}

static void
test_bad_words(void)
{
	static const struct { const char *line, *says; } bad[] = {
		{ "inetws", "no mode given: expected server, client, "
		  "connect, agent, gate, check or status" },
		{ "inetws -v", "no mode given" },
		{ "inetws sever h:1", "did you mean server" },
		{ "inetws ws://me:secret@h/", "unknown mode 'ws://***@h/'" },
		{ "inetws me:secret@h/", "unknown mode '***@h/'" },
		{ "inetws check ws://h --linger 1", "belongs to server, "
		  "client, connect, agent and gate, not to check" },
		{ "inetws server", "the TARGET is missing" },
		{ "inetws client", "the URL is missing" },
		{ "inetws connect -k", "the URL is missing" },
		{ "inetws server h:1 h:2", "unexpected word 'h:2'" },
		{ "inetws connect ws://h ws://me:secret@i/",
		  "unexpected word 'ws://***@i/'" },
		{ "inetws connect ws://h -- x", "unexpected word 'x'" },
		{ "inetws connect ws://h -", "unexpected word '-'" },
		{ "inetws server 22", "TARGET: '22' has no host" },
		{ "inetws connect h:22", "URL: 'h:22' is an address: expected a "
		    "URL, as wss://HOST/PATH: usage: inetws connect [options] "
		    "URL" },
		{ "inetws check 127.0.0.1:80", "is an address: expected a URL" },
		{ "inetws agent h:22 wss://g/", "URL: 'h:22' is an address: "
		    "expected a URL, as wss://HOST/PATH: usage: inetws agent "
		    "[options] URL TARGET" },
		{ "inetws agent wss://g/ wss://h/",
		  "TARGET: 'wss://h/' is a URL: expected HOST:PORT or "
		  "unix:/PATH (agent takes one URL, as an operand)" },
		{ "inetws client -l 1 example.org/ssh/",
		  "is no websocket URL: did you mean wss://example.org/ssh/?" },
		{ "inetws connect ws:example.org", "mean ws://example.org?" },
		{ "inetws check wss:/h/x", "did you mean wss://h/x?" },
		{ "inetws check h.org/\x1b[31m", "\\x1b[31m' is no websocket URL: "
		  "expected ws://" },
		{ "inetws check foo", "is no websocket URL: expected ws://" },
		{ "inetws check me@example.org/", "expected ws://" },
		{ "inetws server wss://h/", "(client, connect, agent and check "
		  "take a URL)" },
		{ "inetws server 18080 127.0.0.1:22", "unexpected word '18080' "
		  "(where to listen is -l LISTEN): usage" },
		{ "inetws server ws://0.0.0.0:18080 127.0.0.1:22",
		  "(server takes no URL; where to listen is -l LISTEN)" },
		{ "inetws server --send-proxy v2 h:1", "unexpected word 'v2' "
		  "(a value of --send-proxy is joined to it with '=')" },
		{ "inetws check --proxy-idle 10s ws://h/", "word '10s' (a value "
		  "of --proxy-idle is joined to it with '=')" },
		{ "inetws client -l ws://h/ 2222",
		  "--listen: 'ws://h/' is a URL: expected an address" },
		{ "inetws client 2222 ws://h/", "unexpected word '2222' (where "
		    "to listen is -l LISTEN): usage: "
		    "inetws client [-l LISTEN]... [options] URL" },
		{ "inetws gate -l wss://h/ --visitors 80 --allow-any-agent",
		  "--listen: 'wss://h/' is a URL: expected an address" },
		{ "inetws gate -l 80 --visitors ws://h/ --allow-any-agent",
		  "--visitors: 'ws://h/' is a URL: expected an address" },
		{ "inetws server h:1 --metrics http://127.0.0.1:9/",
		  "--metrics: 'http://127.0.0.1:9/' is a URL: expected an" },
		{ "inetws connect \xef\xbb\xbfws://h/", "'\\xef\\xbb\\xbfws://h/' "
		    "begins with a byte order mark (U+FEFF), as pasted text "
		    "may: type it anew" },
		{ "inetws \xef\xbb\xbfserver h:1", "byte order mark" },
		{ "inetws server \xe2\x80\x93l 80 h:1", "begins with a blank, "
		    "dash or quote that is not of ASCII (U+2013)" },
		{ "inetws server -l\xc2\xa0" "80 h:1", "--listen: begins with a "
		    "blank, dash or quote that is not of ASCII (U+00A0)" },
		{ "inetws connect -u \xe2\x80\x9cme:secret ws://h/",
		  "--user: begins with a blank, dash or quote that is not of "
		    "ASCII (U+201C), as pasted text may" },
		{ "inetws connect -u @ ws://h/",
		  "--user: the name of a file is missing" },
		{ "inetws connect ws://h:0", "1..65535" },
		{ "inetws connect ws://h -l 80",
		  "--listen: belongs to server, client and gate, not to connect" },
		{ "inetws server h:1 -k", "--insecure: belongs to client, "
		  "connect, agent and check, not to server" },
		{ "inetws client ws://h --path /x", "belongs to server" },
		{ "inetws server h:1 --lisen 80", "did you mean --listen?" },
		{ "inetws server h:1 --ping-intreval 1",
		  "did you mean --ping-interval?" },
		{ "inetws server h:1 --ping-int 1",
		  "did you mean --ping-interval?" },
		{ "inetws server h:1 -path /x", "did you mean --path?" },
		{ "inetws server h:1 --frobnicate=3",
		  "unknown option '--frobnicate'" },
		{ "inetws server h:1 -Z", "unknown option '-Z'" },
		{ "inetws server h:1 -vZ", "unknown option '-Z'" },
		{ "inetws server h:1 ---v", "unknown option '---v'" },
		{ "inetws server h:1 --target h:2", "unknown option" },
		{ "inetws server h:1 --mode server", "unknown option" },
		{ "inetws server h:1 --=x", "unknown option '--'" },
		{ "inetws server h:1 -l", "-l needs a value: LISTEN" },
		{ "inetws server h:1 --listen", "--listen needs a value" },
		{ "inetws server h:1 -l -v", "--listen: '-v' is no address" },
		{ "inetws server h:1 --help=x", "--help takes no value" },
		{ "inetws server h:1 --quiet=maybe", "is not yes or no" },
		{ "inetws server h:1 --verbose=x", "a number 0..9" },
		{ "inetws server h:1 --window 63k",
		  "--window: '63k' is not a size 64k..16m" },
		{ "inetws server h:1 --window 17m", "is not a size" },
		{ "inetws server h:1 --window x", "is not a size" },
		{ "inetws server h:1 --eof=later", "not one of hold|close" },
		{ "inetws server h:1 --eof=hol", "not one of hold|close" },
		{ "inetws server h:1 --linger 1.5s", "'1.5s' is not a dur" },
		{ "inetws server h:1 --linger leave", "is not a duration" },
		{ "inetws server h:1 --drain stay", "nor 'leave'" },
		{ "inetws server h:1 --max-connections 0", "number 1.." },
		{ "inetws server h:1 --max-connections 1x", "number 1.." },
		{ "inetws server h:1 --path x", "is not a path" },
		{ "inetws server h:1 --path /a?b", "is not a path" },
		{ "inetws server h:1 --path /a~b", "is not a path" },
		{ "inetws server h:1 --path=", "must not be empty" },
		{ "inetws client ws://h --cacert=", "must not be empty" },
		{ "inetws server h:1 --cert x", "belongs to client, connect, "
		  "agent and check" },
		{ "inetws client ws://h --tls-cert x", "belongs to server" },
		{ "inetws client ws://h --tls-min 1.1", "one of 1.2|1.3" },
		{ "inetws client ws://h --servername a/b", "a token" },
		{ "inetws client ws://h -A a\nb", "control characters" },
		{ "inetws client ws://h --subprotocol a,,b", "list of tokens" },
		{ "inetws client ws://h --subprotocol a,b~c", "list of tokens" },
		{ "inetws client ws://h --subprotocol *", "needs names" },
		{ "inetws server h:1 --subprotocol *,a", "or * alone" },
		{ "inetws server h:1 --subprotocol a,~*", "or * alone" },
		{ "inetws server h:1 --max-frame-size 64k",
		  "'64k' is not a size 125..65535" },
		{ "inetws --completions tcsh", "expected bash, zsh or fish" },
		{ "inetws --completions", "needs a value" },
		{ "inetws server h:1 \x1b[31m", "unexpected word '\\x1b[31m'" }
	};
	char text[9000];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refused(bad[i].line, 64, bad[i].says);
		ok(strstr(why.text, "secret") == NULL, "no secret");
	}
	strlcpy(text, "inetws server h:1", sizeof(text));
	for (i = 0; i < OPT_LISTEN_MAX + 1; i++)
		strlcat(text, " -l 1", sizeof(text));
	refused(text, 64, "more than 16 addresses");
	strlcpy(text, "inetws server h:1 -", sizeof(text));
	for (i = 0; i < OPT_SETTINGS_MAX + 1; i++)
		strlcat(text, "v", sizeof(text));
	refused(text, 64, "more than 1024 options");
	strlcpy(text, "inetws", sizeof(text));
	for (i = 0; i < 1000; i++)
		strlcat(text, " x", sizeof(text));
	refused(text, 64, "unknown mode 'x'");
}

static void
test_screens(void)
{
	static const char *const modes[] = { "", "server ", "client ",
	    "connect " };
	const struct option *row;
	const char *text, *p;
	char command[100];
	size_t i, lines, longest;

	for (i = 0; i < 4; i++) {
		snprintf(command, sizeof(command), "inetws %s--help",
		    modes[i]);
		text = printed(command);
		lines = longest = 0;
		for (p = text; *p != '\0'; p += strcspn(p, "\n") + 1) {
			lines++;
			if (strcspn(p, "\n") > longest)
				longest = strcspn(p, "\n");
		}
		ok(longest <= 80, "%s: %zu columns", command, longest);
		ok(lines >= 10 && lines <= (i == 0 ? 24 : 120),
		    "%s: %zu lines", command, lines);
	}
	text = printed("inetws connect -h ws://x");
	ok(strstr(text, "--listen") == NULL, "connect's help has no --listen");
	ok(strstr(text, "--cacert") != NULL, "but --cacert");
	text = printed("inetws server -l x -h");
	ok(strstr(text, "--listen LISTEN") != NULL, "help before complaints");
	text = printed("inetws -V");
	ok(strstr(text, "inetws ") == text && strstr(text, "OpenSSL ") !=
	    NULL && strstr(text, http_library()) != NULL &&
	    strstr(text, "libbsd") != NULL, "--version names all");
	for (i = 0; i < 3; i++) {
		snprintf(command, sizeof(command), "inetws --completions %s",
		    i == 0 ? "bash" : i == 1 ? "zsh" : "fish");
		text = printed(command);
		for (row = option_table; row->name != NULL; row++) {
			snprintf(command, sizeof(command),
			    i == 2 ? "-l %s" : "--%s", row->name);
			if (row->place == P_ANY &&
			    strstr(text, command) == NULL)
				ok(0, "completions %zu: %s", i, command);
		}
		ok(strstr(text, "hold close") != NULL, "choices are offered");
		if (i == 1)
			ok(strstr(text, ":H1\\:P1\\:H2\\:P2:'") != NULL,
			    "colons of a value end no message");
	}
}

/* What the help, the completions and the dump take for granted. */
static void
check_row(const struct option *row)
{
	struct options x;
	char err[200];
	struct value v = { &x, row, row->def, err, sizeof(err) };

	if (option_find(row->name, strlen(row->name)) != row ||
	    (row->letter != 0 && option_letter(row->letter) != row))
		ok(0, "%s is there once", row->name);
	if (option_is_shown(row) && (row->help == NULL ||
	    strlen(row->help) > 48 || strpbrk(row->help, "[]\\\"`$") != NULL))
		ok(0, "%s has a fitting help", row->name);
	if (row->arg == NULL && row->place == P_ANY &&
	    row->type != &type_flag && row->type != &type_count)
		ok(0, "%s: flags take no value, others do", row->name);
	options_init(&x);
	if (row->def != NULL && value_set(&v) == -1)
		ok(0, "%s: default: %s", row->name, err);
	if (row->hup != HUP_RENEWS && row->type->dump == NULL)
		ok(0, "%s can be compared at HUP", row->name);
}

static void
test_table(void)
{
	const struct option *row;
	const struct mode_row *mode;
	int n;

	for (row = option_table; row->name != NULL; row++)
		check_row(row);
	for (mode = mode_table; mode->name != NULL; mode++) {
		for (n = 0, row = option_table; row->name != NULL; row++)
			n += row->common && option_in_mode(row, mode->mode);
		ok(n <= 10, "%s: %d options come first", mode->name, n);
	}
	ok(1, "the table is sound");
	ok(option_nearest("zzzzzz", 6, 0) == NULL, "nothing is near zzzzzz");
	ok(option_nearest("x", 1, 0) == NULL, "nor near x");
	is_str(option_nearest("usr-agent", 9, 0), "user-agent", "one dropped");
}

int
main(void)
{
	fixture_make();
	test_defaults();
	test_spellings();
	test_program();
	test_trazfr();
	test_headers();
	test_bad_words();
	test_screens();
	test_table();
	fixture_remove();
	return done_testing();
}
