/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a line of the configuration file means something else, without
 * a word.
 */
#include "config/fixture.h"

#include "net/socket.h"

static void
test_file(void)
{
	const char *a, *b;
	char text[400];

	runs(line("inetws -K %s", file("# an instance\n"
	    "mode client\n"
	    "\n"
	    "  # indented \\\n"
	    "url = wss://me:secret@h/x\n"
	    "listen 8080\r\n"
	    "listen=:8081\n"
	    "forward-peer\n"
	    "ipv4 yes\n"
	    "syslog no\n"
	    "verbose 2\n"
	    "user-agent \"  two  \\\"blanks\\\" \\\\ \"\n"
	    "header X-Long: one,\\\n"
	    "two\n"
	    "\theader\t=\tX-Quoted: \"a\"\n"
	    "cacert /a b#c\n"
	    "window 2m")));
	is(o.mode, MODE_CLIENT, "mode");
	is_str(o.url.user, "me:secret", "userinfo");
	is(o.nlisten, 2, "two listeners");
	is(o.listen[1].port, 8081, "the second");
	is(o.access.forward_peer, 1, "a bare flag");
	is(o.dial.family, NET_IPV4, "a flag that says yes");
	is(o.log.syslog, 0, "a flag that says no");
	is(o.log.verbose, 2, "a count");
	is_str(o.websocket.user_agent, "  two  \"blanks\" \\ ", "quoted");
	is_str(o.websocket.header.v[0], "X-Long: one,two", "continued");
	is_str(o.websocket.header.v[1], "X-Quoted: \"a\"", "quotes inside stay");
	is_str(o.tls.cacert, "/a b#c", "no comment in a line");
	is(o.websocket.window, 2 << 20, "last line without its end");

	runs(line("inetws -K %s --listen 9 --linger 3 ws://i -v --insecure=no",
	    file("mode client\nurl ws://h\nlisten 8\nlinger 9\nverbose\n"
	    "insecure\n")));
	is_str(o.url.at.host, "i", "the command line's URL wins");
	is(o.nlisten, 2, "lists append");
	is(o.listen[0].port, 8, "the file's first");
	is(o.timeouts.linger, 3000, "the command line's value wins");
	is(o.log.verbose, 2, "counts add up");
	is(o.tls.insecure, 0, "a flag can be undone");
	runs(line("inetws -K %s --tls-cert c", file("mode server\n"
	    "target h:1\ntls-cert a\ntls-key a.key\n")));
	is(o.tls.own_cert.n, 1, "the command line's certificate alone");
	is(o.tls.own_key.n, 0, "without the key of the file's");
	runs(line("inetws -K %s --tls-key c", file("mode server\n"
	    "target h:1\ntls-cert a\ntls-key a.key\n")));
	ok(o.tls.own_cert.n == 1 && o.tls.own_key.n == 1 &&
	    strcmp(o.tls.own_key.v[0], "c") == 0, "another key for it");
	runs(line("inetws -K %s --tls-cert c", file("mode server\n"
	    "target h:1\ntls-key a.key\n")));
	is(o.tls.own_key.n, 1, "a key that had no certificate stays");
	runs(line("inetws -K %s -E c", file("mode connect\nurl ws://h\n"
	    "cert a\nkey a.key\n")));
	ok(strcmp(o.tls.cert, "c") == 0 && o.tls.key == NULL,
	    "so does a dialler's certificate");
	runs(line("inetws connect -K %s", file("mode client\nurl ws://h\n")));
	is(o.mode, MODE_CONNECT, "the command line's mode wins");
	runs(line("inetws -remote_tcp h:1 -K %s", file("mode client\n")));
	is(o.mode, MODE_SERVER, "an implied one too");
	runs(line("inetws -K %s", file("\xef\xbb\xbfmode client\nurl ws://h")));
	is(o.mode, MODE_CLIENT, "a byte order mark is skipped");
	a = file("mode server\ntarget h:1\nlinger 1\n");
	b = file("linger 2\nlisten 1\n");
	snprintf(text, sizeof(text), "inetws -K %s --config=%s", a, b);
	runs(text);
	is(o.timeouts.linger, 2000, "two files in their order");

	runs(line("inetws -K %s", file("mode server\n"
	    "target -- /bin/sh -c \"echo \\\"a b\\\"\\n\" x\n")));
	ok(o.program != NULL, "a program in a file");
	is_str(o.program[0], "/bin/sh", "its name");
	is_str(o.program[2], "echo \"a b\"\n", "its quoted argument");
	is_str(o.program[3], "x", "the last one");
	ok(o.program[4] == NULL, "the end");
	runs(line("inetws -K %s h:2", file("mode server\n"
	    "target -- /bin/sh\n")));
	ok(o.program == NULL && o.target.port == 2, "a TARGET wins over it");
	runs(line("inetws -K %s -- cat", file("mode server\n"
	    "target -- /bin/sh\n")));
	is_str(o.program[0], "cat", "and so does a PROGRAM");
}

static void
test_bad_files(void)
{
	static const struct { const char *text, *says; } bad[] = {
		{ "mode server\n\ntarget x\n", ":3: target: 'x' is no target" },
		{ "mode server\n# c\nlinger \\\n\\\n1x\n", ":3: linger: " },
		{ "mode sever\n", ":1: mode: unknown mode 'sever'" },
		{ "mode\n", ":1: mode: needs a value" },
		{ "mode chekc\n", "did you mean check" },
		{ "mode server\nlistn 80\n", ":2: 'listn' is not an option of "
		  "a file; did you mean listen?" },
		{ "mode server\n--listen 80\n", "did you mean listen?" },
		{ "-l 80\n", ":1: '-l' is not an option" },
		{ "listen\n", ": no line mode: expected server, client" },
		{ "", ": no line mode: expected server, client" },
		{ "mode server\n", ": no line target: expected target TARGET" },
		{ "mode agent\nurl wss://h/\n", ": no line target" },
		{ "mode check\n", ": no line url: expected url URL" },
		{ "mode gate\nlisten 80\n",
		  ": where do visitors come? expected visitors or " },
		{ "mode server\ntarget a:1\ntarget a:1\n",
		  ":3: target: is given twice" },
		{ "mode server\nmode client\n", ":2: mode: is given twice" },
		{ "mode client\nurl ws://a/\n#\nurl ws://b/\n",
		  ":4: url: is given twice" },
		{ "mode status\npage a\npage b\n",
		  ":3: page: is given twice" },
		{ "mode server\nlisten\n", ":2: listen: needs a value" },
		{ "mode server\nlisten =\n", ":2: listen: needs a value" },
		{ "mode server\npath \"\"\n", ":2: path: must not be empty" },
		{ "mode server\npath \"/x\n", "quote is not closed" },
		{ "mode server\npath \"/x\" y\n", "nothing may follow" },
		{ "mode server\ninsecure\n", ":2: insecure: belongs to" },
		{ "mode client\ntarget h:1\n",
		  ":2: target: belongs to server" },
		{ "config /x\n", "'config' is not an option of a file" },
		{ "help\n", "'help' is not an option of a file" },
		{ "listen_ws :1\n", "is not an option of a file" },
		{ "mode server\ntarget -- \"x\n", "quotes closed" },
		{ "mode server\ntarget -- \"x\"y\n", "quotes closed" },
		{ "mode client\nurl ws://me:secret@\n", ":2: url: " },
		{ "mode server\nlinger 1 2\n", "'1 2' is not a duration" },
		{ "=\n", ":1: '' is not an option" },
		{ "path/x\n", ":1: 'path/x' is not an option" }
	};
	char *large;
	FILE *f;
	size_t i;
	int status;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		status = strstr(bad[i].says, "no mode") == NULL ? 78 : 64;
		ok(parse(line("inetws -K %s", file(bad[i].text))) == -1,
		    "refused file %zu", i);
		is(why.status, status, "its status");
		if (!ok(strstr(why.text, bad[i].says) != NULL, "says why"))
			printf("# %s\n", why.text);
		ok(strstr(why.text, "secret") == NULL, "no secret");
	}
	refused("inetws -K /nonexistent/x", 78,
	    "/nonexistent/x: No such file or directory");
	refused("inetws -K /", 78, "Is a directory");
	large = malloc(OPT_FILE_MAX + 2);
	memset(large, '\n', OPT_FILE_MAX + 1);
	large[OPT_FILE_MAX + 1] = '\0';
	refused(line("inetws -K %s", file(large)), 78, "larger than 65536");
	large[OPT_FILE_MAX] = '\0';
	refused(line("inetws -K %s", file(large)), 78, "no line mode");
	for (i = 0; i + 8 < OPT_FILE_MAX; i += 8)
		memcpy(large + i, "verbose\n", 8);
	refused(line("inetws -K %s", file(large)), 78,
	    ":1025: verbose: more lines than an instance can have");
	free(large);
	f = fopen(line("%s/nul", dir), "w");
	fwrite("a\0b", 1, 3, f);
	fclose(f);
	refused(line("inetws -K %s/nul", dir), 78, "holds a NUL byte");
	unlink(line("%s/nul", dir));
}

/* What is printed says the same when it is read back. */
static void
test_dump(void)
{
	static const char *const lines[] = {
		"server h:22 -l 8080 -l unix:/a~b,mode=0600 --drain leave "
		    "--linger 1500ms --idle-timeout 2h --path /x -vv -4",
		"server -- prog \"q\" ~ a\\ x~y\nz",
		"client wss://h:444/a -H A:~\"x\" -H B:~c\\ -A =a "
		    "--cacert \"x --capath ~y~ --window 65537",
		"connect ws+unix:/a~b:/c -6 --eof=close",
		"server h:22 --auth-command \"/a~b/check\"~--log",
		"client ws://h/ --header-command =x~-v",
		"client wss://h/ -x http://p:1 --proxy-header-command \"/a~b\"~c",
		"-remote_ws ws://[fe80::1%25eth0]/"
	};
	char first[40000], text[1000];
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "inetws --dump-config %s",
		    lines[i]);
		strlcpy(first, printed(text), sizeof(first));
		ok(strncmp(first, "mode ", 5) == 0, "%zu begins with its mode",
		    i);
		name = file(first);
		snprintf(text, sizeof(text), "inetws -K %s --dump-config",
		    name);
		is_str(printed(text), first, "reads back as it was");
	}
	ok(strstr(first, "%25eth0") != NULL, "the scope is kept");
	runs(line("inetws -K %s", file(printed("inetws --dump-config connect "
	    "ws://h -A ~a"))));
	is_str(o.websocket.user_agent, " a", "blanks survive");
	name = printed("inetws connect --dump-config ws://me:secret@h/x?y=z");
	ok(strstr(name, "\nurl ws://h/x\n") != NULL &&
	    strstr(name, "secret") == NULL, "a URL without secrets");
	ok(strstr(name, "# the URL's user") != NULL, "a password");
	ok(strstr(name, "# the URL's query") != NULL, "or a query, and says so");
	name = printed("inetws connect --dump-config ws://h/ --proxy-header "
	    "X-Pass:secret --proxy-header Proxy-Authorization:secret "
	    "-H Cookie:secret -H X-Seen:seen");
	ok(strstr(name, "secret") == NULL, "nor fields that are secrets");
	ok(strstr(name, "# the proxy-header X-Pass is not") != NULL,
	    "or for a proxy, which are named");
	ok(strstr(name, "\nheader X-Seen:seen\n") != NULL, "others are shown");
}

int
main(void)
{
	fixture_make();
	test_file();
	test_bad_files();
	test_dump();
	fixture_remove();
	return done_testing();
}
