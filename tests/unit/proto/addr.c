/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a tunnel leads to another host, port or path than was written.
 */
#include <stdio.h>
#include <string.h>

#include "tap.h"

#include "proto/addr.h"

static char err[400];

static void
listens(const char *word, enum addr_kind kind)
{
	struct addr a;
	char text[512];

	err[0] = '\0';
	if (!ok(addr_listen(&a, word, err, sizeof(err)) == 0, "LISTEN %s",
	    word)) {
		printf("# %s\n", err);
		return;
	}
	is(a.kind, kind, "its kind");
	is_str(addr_print(text, sizeof(text), &a), word, "printed as written");
}

static void
test_listen(void)
{
	struct addr a;

	listens("127.0.0.1:8080", ADDR_TCP);
	listens("[::1]:8080", ADDR_TCP);
	listens("[::]:0", ADDR_TCP);
	listens("[fe80::1%eth0]:22", ADDR_TCP);
	listens("[fe80::1%1]:22", ADDR_TCP);
	listens("[::ffff:10.0.0.1]:22", ADDR_TCP);
	listens(":8080", ADDR_TCP);
	listens("8080", ADDR_TCP);
	listens("0", ADDR_TCP);
	listens("host-1.example_x.org:65535", ADDR_TCP);
	listens("unix:/run/x.sock", ADDR_UNIX);
	listens("unix:/run/x.sock,mode=0660", ADDR_UNIX);
	listens("unix:/run/a b:c", ADDR_UNIX);
	listens("unix:@a-b.c/d", ADDR_UNIX);
	listens("unix:@x,mode=0666", ADDR_UNIX);
	listens("fd:3", ADDR_FD);
	listens("systemd", ADDR_SYSTEMD);
	listens("systemd:web", ADDR_SYSTEMD);
	listens("inetd", ADDR_INETD);
	listens("-", ADDR_STDIO);

	addr_listen(&a, "8080", err, sizeof(err));
	ok(a.loopback && !a.any, "PORT is both loopbacks");
	is_str(a.host, "localhost", "by the name localhost");
	is(a.port, 8080, "its port");
	addr_listen(&a, ":8081", err, sizeof(err));
	ok(a.any && !a.loopback, ":PORT is all addresses");
	is_str(a.host, "", "without a host");
	is(a.port, 8081, "its port");
	is(a.mode, -1, "no mode");
	addr_listen(&a, "unix:/x,mode=0660", err, sizeof(err));
	is(a.mode, 0660, "mode is octal");
	is_str(a.path, "/x", "and not in the path");
	addr_listen(&a, "systemd:web", err, sizeof(err));
	is_str(a.name, "web", "systemd's name");
	addr_listen(&a, "fd:7", err, sizeof(err));
	is(a.number, 7, "descriptor");
}

/* Is what err quotes a part of the word, as it is shown? */
static int
shows_only(const char *word)
{
	char quoted[sizeof(err)], shown[200];

	if (err[0] != '\'' || strncmp(err, "'...@...'", 9) == 0)
		return 1;
	strlcpy(quoted, err + 1, sizeof(quoted));
	quoted[strcspn(quoted, "'")] = '\0';
	str_escape(shown, sizeof(shown), word, strlen(word));
	return strstr(shown, quoted) != NULL;
}

static void
test_bad_listen(void)
{
	static const struct { const char *word, *says; } bad[] = {
		{ "", "no address" },
		{ "localhost", "no address" },
		{ "65536", "0..65535" },
		{ "99999999999999", "0..65535" },
		{ "h:", "1..65535" }, { "h:x", "1..65535" },
		{ "h:65536", "1..65535" }, { "h:-1", "1..65535" },
		{ "h: 1", "1..65535" },
		{ "::1:80", "too many colons" },
		{ "80:8080", "a number as its host" },
		{ "[::1]", "[IPV6]:PORT" }, { "[::1]80", "[IPV6]:PORT" },
		{ "[::1:80", "[IPV6]:PORT" },
		{ "[]:80", "no IPv6" }, { "[1.2.3.4]:80", "no IPv6" },
		{ "[:::]:80", "no IPv6" }, { "[fe80::1%]:80", "no IPv6" },
		{ "[fe80::1%/1]:80", "no IPv6" },
		{ "b\xff.org:80", "xn-- form" },
		{ "[1:2:3:4:5:6:7:8:9]:80", "no IPv6" },
		{ "[11111111111111111111111111111111111111111111111]:80",
		  "no IPv6" },
		{ "*:80", "no host name" }, { "a b:80", "no host name" },
		{ "a/b:80", "no host name" }, { "u@h:80", "no host name" },
		{ "unix:", "begins with '/'" }, { "unix:x", "begins with '/'" },
		{ "unix:/x,mod=0660", "octal" },
		{ "unix:/x,mode=", "octal" }, { "unix:/x,mode=888", "octal" },
		{ "unix:/x,mode=1777", "octal" },
		{ "unix:/x,mode=-1", "octal" },
		{ "unix:/x,mode=0660x", "octal" },
		{ "unix:@", "or @NAME" }, { "unix:@,mode=0666", "or @NAME" },
		{ "unix:@a b", "or @NAME" }, { "unix:@a\x7f", "or @NAME" },
		{ "unix:@a,mode=0660", "an abstract socket" },
		{ "unix:@a,mode=0660", "'0660'" },
		{ "a{b:80", "no host name" },
		{ "B\xc3\xbc" "cher.de:80", "xn--bcher-kva.de" },
		{ "\xc3:80", "in its xn-- form" },
		{ "\xc3\xa4!:80", "in its xn-- form" },
		{ "fd:", "fd:N" }, { "fd:-1", "fd:N" }, { "fd:x", "fd:N" },
		{ "fd:99999999999", "fd:N" },
		{ "systemd:", "systemd:NAME" },
		{ "systemd:a:b", "systemd:NAME" },
		{ "systemd:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		  "aaaaaaaaaaaaa", "too long" }
	};
	char word[400];
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ok(addr_listen(&a, bad[i].word, err, sizeof(err)) == -1,
		    "no LISTEN: '%s'", bad[i].word);
		/* a LISTEN port may be 0 */
		if (!ok(strstr(err, bad[i].says) != NULL ||
		    strstr(err, ":PORT, 0..65535") != NULL, "says why"))
			printf("# %s\n", err);
	}

	memset(word, 'a', sizeof(word));
	memcpy(word + 255, ":80", 4);
	is(addr_listen(&a, word, err, sizeof(err)), 0, "255 bytes of host");
	memcpy(word + 255, "a:80", 5);
	is(addr_listen(&a, word, err, sizeof(err)), -1, "256 are too many");
	memset(word, 'a', sizeof(word));
	memcpy(word, "unix:/", 6);
	word[5 + 107] = '\0';
	is(addr_listen(&a, word, err, sizeof(err)), 0, "107 bytes of path");
	word[5 + 107] = 'a';
	word[5 + 108] = '\0';
	is(addr_listen(&a, word, err, sizeof(err)), -1, "108 are too many");
	addr_listen(&a, "\x1b[31m", err, sizeof(err));
	ok(strchr(err, '\x1b') == NULL, "control bytes are escaped: %s", err);
}

static void
test_target(void)
{
	static const char *const good[] = { "localhost:22", "[::1]:22",
	    "10.0.0.1:65535", "unix:/run/x", "unix:80" };
	static const struct { const char *word, *says; } bad[] = {
		{ "", "no target" }, { "22", "localhost:22" },
		{ ":22", "no host" }, { "h:0", "1..65535" },
		{ "h", "no target" }, { "unix:/x,mode=0600", "comma" },
		{ "unix:x", "begins with '/'" }, { "-", "no target" },
		{ "::1:22", "too many colons" }, { "22:80", "a number as" }
	};
	char text[512];
	struct addr a;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		is(addr_target(&a, good[i], err, sizeof(err)), 0, good[i]);
		is_str(addr_print(text, sizeof(text), &a), good[i],
		    "printed as written");
	}
	is(a.kind, ADDR_TCP, "unix:80 is a host and a port");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ok(addr_target(&a, bad[i].word, err, sizeof(err)) == -1,
		    "no TARGET: '%s'", bad[i].word);
		if (!ok(strstr(err, bad[i].says) != NULL, "says why"))
			printf("# %s\n", err);
	}
}

static void
test_url(void)
{
	static const struct {
		const char *word;
		int tls;
		const char *host;
		int port;
		const char *path, *user, *field, *shown;
	} good[] = {
		{ "ws://h", 0, "h", 80, "/", "", "h", "ws://h/" },
		{ "wss://h/", 1, "h", 443, "/", "", "h", "wss://h/" },
		{ "http://h:8080/a/b", 0, "h", 8080, "/a/b", "", "h:8080",
		  "ws://h:8080/a/b" },
		{ "HTTPS://Ex.org:443/a?t=1", 1, "Ex.org", 443, "/a?t=1", "",
		  "Ex.org", "wss://Ex.org/a" },
		{ "ws://h:443/", 0, "h", 443, "/", "", "h:443",
		  "ws://h:443/" },
		{ "ws://h?x=1", 0, "h", 80, "/?x=1", "", "h", "ws://h/" },
		{ "ws://h:/x", 0, "h", 80, "/x", "", "h", "ws://h/x" },
		{ "ws://[::1]/x", 0, "::1", 80, "/x", "", "[::1]",
		  "ws://[::1]/x" },
		{ "wss://[::1]:8443", 1, "::1", 8443, "/", "", "[::1]:8443",
		  "wss://[::1]:8443/" },
		{ "ws://[::1]:", 0, "::1", 80, "/", "", "[::1]",
		  "ws://[::1]/" },
		{ "ws://[fe80::1%25eth0]:81/", 0, "fe80::1%eth0", 81, "/", "",
		  "[fe80::1]:81", "ws://[fe80::1%25eth0]:81/" },
		{ "ws://me:secret@h/", 0, "h", 80, "/", "me:secret", "h",
		  "ws://h/" },
		{ "ws://me@h/", 0, "h", 80, "/", "me", "h", "ws://h/" },
		{ "ws://@h/", 0, "h", 80, "/", "", "h", "ws://h/" },
		{ "ws://m%65:s%40:%3a%2F@h/", 0, "h", 80, "/", "me:s@::/",
		  "h", "ws://h/" },
		{ "ws://me:p@ss@h/a@b", 0, "h", 80, "/a@b", "me:p@ss", "h",
		  "ws://h/a@b" },
		{ "ws://unix:80/", 0, "unix", 80, "/", "", "unix",
		  "ws://unix/" }
	};
	char text[5000];
	struct url u;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		err[0] = '\0';
		is(url_parse(&u, good[i].word, err, sizeof(err)), 0,
		    good[i].word);
		is(u.tls, good[i].tls, "tls");
		is(u.at.kind, ADDR_TCP, "kind");
		is_str(u.at.host, good[i].host, "host");
		is(u.at.port, good[i].port, "port");
		is_str(u.path, good[i].path, "path");
		is_str(u.user, good[i].user, "user");
		is_str(url_host(text, sizeof(text), &u), good[i].field,
		    "Host field");
		is_str(url_print(text, sizeof(text), &u), good[i].shown,
		    "shown");
	}

	is(url_parse(&u, "ws+unix:/run/x.sock:/a?b", err, sizeof(err)), 0,
	    "ws+unix:");
	is(u.at.kind, ADDR_UNIX, "is a Unix socket");
	is_str(u.at.path, "/run/x.sock", "its path");
	is_str(u.path, "/a?b", "the request's path");
	is_str(url_host(text, sizeof(text), &u), "localhost", "Host field");
	is_str(url_print(text, sizeof(text), &u), "ws+unix:/run/x.sock:/a",
	    "shown");
	is(url_parse(&u, "ws+unix:/run/x.sock", err, sizeof(err)), 0,
	    "ws+unix: without a path");
	is_str(u.path, "/", "asks for /");
	is(url_parse(&u, "ws+unix:/s:ab?c", err, sizeof(err)), 0,
	    "one that begins without /");
	is_str(u.path, "/ab?c", "gets one");
}

static void
test_bad_url(void)
{
	static const struct { const char *word, *says; } bad[] = {
		{ "", "no websocket URL" }, { "h", "no websocket URL" },
		{ "h:80", "no websocket URL" },
		{ "example.org/x", "no websocket URL" },
		{ "ftp://h/", "no websocket URL" },
		{ "ws:/h", "no websocket URL" },
		{ "ws:", "no websocket URL" }, { "://h", "no websocket URL" },
		{ "me:secret@h", "no websocket URL" },
		{ "ws://", "'ws://' has no host: expected ws://HOST[:PORT]/PATH" },
		{ "wss://", "'wss://' has no host: expected wss://HOST" },
		{ "ws://:80/", "'ws://:80' has no host: expected ws://" },
		{ "ws://?token=x", "'ws://' has no host" },
		{ "ws://me:secret@:80/", "'...@...' has no host" },
		{ "ws://:pa/ss@h/", "in a password, / ? and #" },
		{ "ws:///x", "'ws://' has no host" },
		{ "ws://me:secret@/", "has no host" },
		{ "ws://h:0/", "1..65535" }, { "ws://h:99999/", "1..65535" },
		{ "ws://h:8x/", "1..65535" },
		{ "ws://a:b:c/", "too many colons" },
		{ "ws://::1/", "too many colons" },
		{ "ws://[::1/", "'[::1' should read [IPV6] or [IPV6]:PORT" },
		{ "wss://[::1:80/", "'[::1:80' should read [IPV6] or " },
		{ "ws://[fe80::1%25!]/", "'fe80::1%25!' is no IPv6" },
		{ "ws://[::1]x/", "[IPV6]:PORT" },
		{ "ws://a b/", "no host name" },
		{ "ws://a\\b/", "no host name" },
		{ "ws://h/a b", "the byte 0x20, which is written %20 there" },
		{ "ws://h?token=a b", "the URL holds the byte 0x20" },
		{ "ws://80/", "'80' has a number as its host: expected a name" },
		{ "ws://h/a\r\nX: y", "0x0d, which is written %0D" },
		{ "ws://h/\xc3\xa9", "0xc3, which is written %C3" },
		{ "ws://h/a\x7f", "0x7f, which is written %7F" },
		{ "ws://h/a#b", "fragment" }, { "ws://h#b", "fragment" },
		{ "ws://me:secret%@h/", "malformed" },
		{ "ws://me:secret%0a@h/", "malformed" },
		{ "ws://me:secret%zz@h/", "malformed" },
		{ "ws://m%3ae:secret@h/", "malformed" },
		{ "ws://me:secret%7f@h/", "malformed" },
		{ "ws://me:secret\x7f@h/", "malformed" },
		{ "ws://me:secret%4@h/", "malformed" },
		{ "ws://me:secret%4G@h/", "malformed" },
		{ "ws://me:secret%G4@h/", "malformed" },
		{ "ws://me:secret%/4@h/", "%2F" },
		{ "ws://me:secret%:4@h/", "malformed" },
		{ "ws://me:secret%4`@h/", "malformed" },
		{ "w[s://h/", "no websocket URL" },
		{ "w{s://h/", "no websocket URL" },
		{ "1ws://h/", "no websocket URL" },
		{ "w1s+-.://h/", "no websocket URL" },
		{ "w/s://h/", "no websocket URL" },
		{ "w*s://h/", "no websocket URL" },
		{ "ws+unix:/a,b:/x", "comma" },
		{ "ws://h/a#b?c", "fragment" },
		{ "ws://me:sec/ret@h/", "%2F" },
		{ "ws+unix:x", "ws+unix:/" }, { "ws+unix:", "ws+unix:/" },
		{ "ws+unix:/x:/a b", "which is written %20" }
	};
	char word[5000];
	struct url u;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		ok(url_parse(&u, bad[i].word, err, sizeof(err)) == -1,
		    "no URL: '%s'", bad[i].word[0] == '\0' ||
		    strpbrk(bad[i].word, "#\r\n") == NULL ? bad[i].word : "");
		if (!ok(strstr(err, bad[i].says) != NULL, "says why"))
			printf("# %s\n", err);
		ok(strstr(err, "sec") == NULL, "and no secret");
		ok(shows_only(bad[i].word), "nor what was not written");
	}

	memset(word, 'a', sizeof(word));
	memcpy(word, "ws://h/", 7);
	word[6 + URL_PATH_MAX] = '\0';
	is(url_parse(&u, word, err, sizeof(err)), 0, "longest path");
	word[6 + URL_PATH_MAX] = 'a';
	word[7 + URL_PATH_MAX] = '\0';
	is(url_parse(&u, word, err, sizeof(err)), -1, "too long a path");
	memset(word, 'a', sizeof(word));
	memcpy(word, "ws://", 5);
	memcpy(word + 5 + URL_USER_MAX, "@h/", 4);
	is(url_parse(&u, word, err, sizeof(err)), 0, "longest user");
	memcpy(word + 5 + URL_USER_MAX, "a@h/", 5);
	is(url_parse(&u, word, err, sizeof(err)), -1, "too long a user");
	memset(word, 'a', sizeof(word));
	memcpy(word, "ws://", 5);
	memcpy(word + 5 + ADDR_HOST_MAX, "/", 2);
	is(url_parse(&u, word, err, sizeof(err)), 0, "longest host");
	memcpy(word + 5 + ADDR_HOST_MAX, "a/", 3);
	is(url_parse(&u, word, err, sizeof(err)), -1, "one letter more");
	memcpy(word + 5 + ADDR_HOST_MAX, "aa", 2);
	memcpy(word + 5 + 300, "/", 2);
	is(url_parse(&u, word, err, sizeof(err)), -1, "too long a host");
	memcpy(word + 5 + 300, ":80/", 5);
	is(url_parse(&u, word, err, sizeof(err)), -1, "with a port, too");
	memset(word, 'a', sizeof(word));
	memcpy(word, "ws+unix:/", 9);
	memcpy(word + 8 + 108, ":/", 3);
	is(url_parse(&u, word, err, sizeof(err)), -1, "too long a socket");
}

/* RFC 3986 5.4, without the fragments, which are dropped. */
static void
test_join(void)
{
	static const struct { const char *ref, *path; } t[] = {
		{ "g", "/b/c/g" }, { "./g", "/b/c/g" }, { "g/", "/b/c/g/" },
		{ "/g", "/g" }, { "?y", "/b/c/d;p?y" }, { "g?y", "/b/c/g?y" },
		{ "#s", "/b/c/d;p?q" }, { "g#s", "/b/c/g" },
		{ "g?y#s", "/b/c/g?y" }, { ";x", "/b/c/;x" },
		{ "g;x", "/b/c/g;x" }, { "g;x?y#s", "/b/c/g;x?y" },
		{ "", "/b/c/d;p?q" }, { ".", "/b/c/" }, { "./", "/b/c/" },
		{ "..", "/b/" }, { "../", "/b/" }, { "../g", "/b/g" },
		{ "../..", "/" }, { "../../", "/" }, { "../../g", "/g" },
		{ "../../../g", "/g" }, { "../../../../g", "/g" },
		{ "/./g", "/g" }, { "/../g", "/g" }, { "g.", "/b/c/g." },
		{ ".g", "/b/c/.g" }, { "g..", "/b/c/g.." },
		{ "..g", "/b/c/..g" }, { "./../g", "/b/g" },
		{ "./g/.", "/b/c/g/" }, { "g/./h", "/b/c/g/h" },
		{ "g/../h", "/b/c/h" }, { "g;x=1/./y", "/b/c/g;x=1/y" },
		{ "g;x=1/../y", "/b/c/y" }, { "g?y/./x", "/b/c/g?y/./x" },
		{ "g?y/../x", "/b/c/g?y/../x" }, { "g#s/../x", "/b/c/g" }
	};
	static const char *const others[] = { "a:", "z:", "A:", "Z:", "a0:",
	    "a9:", "a+:", "a-:", "a.:" };
	struct url base, u;
	char text[512], longest[4200];
	size_t i;

	url_parse(&base, "http://me:secret@a/b/c/d;p?q", err, sizeof(err));
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		is(url_join(&u, &base, t[i].ref, err, sizeof(err)), 0,
		    "joined");
		is_str(u.path, t[i].path, t[i].ref[0] == '#' ? "(fragment)" :
		    t[i].ref);
		is_str(u.at.host, "a", "host stays");
		is_str(u.user, "", "no userinfo");
	}

	is(url_join(&u, &base, "//g:81", err, sizeof(err)), 0, "//g");
	is_str(url_print(text, sizeof(text), &u), "ws://g:81/", "new host");
	is(url_join(&u, &base, "wss://x/a/../b", err, sizeof(err)), 0,
	    "absolute");
	is_str(url_print(text, sizeof(text), &u), "wss://x/b", "new URL");
	is(url_join(&u, &base, "ws://you:pw@x/", err, sizeof(err)), 0,
	    "absolute with userinfo");
	is_str(u.user, "you:pw", "the reference's own");
	is(url_join(&u, &base, "g:h", err, sizeof(err)), -1, "other scheme");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		is(url_join(&u, &base, others[i], err, sizeof(err)), -1,
		    others[i]);
	is(url_join(&u, &base, "http:g", err, sizeof(err)), -1,
	    "no authority");
	is(url_join(&u, &base, "ws+unix:/run/x:/", err, sizeof(err)), -1,
	    "never a Unix socket");
	ok(strstr(err, "Unix socket") != NULL, "says so");
	is(url_join(&u, &base, "WS+UNIX:/run/x:/", err, sizeof(err)), -1,
	    "in no case");
	is(url_join(&u, &base, "/a b", err, sizeof(err)), -1, "blank");
	is(url_join(&u, &base, "a\x80", err, sizeof(err)), -1, "no ASCII");

	url_parse(&base, "wss://a:444", err, sizeof(err));
	is(url_join(&u, &base, "x", err, sizeof(err)), 0, "base without path");
	is_str(url_print(text, sizeof(text), &u), "wss://a:444/x", "joined");
	is(url_join(&u, &base, "//b/", err, sizeof(err)), 0, "//b");
	is_str(url_print(text, sizeof(text), &u), "wss://b/", "stays TLS");
	url_parse(&base, "ws+unix:/s:/a/b", err, sizeof(err));
	is(url_join(&u, &base, "../c", err, sizeof(err)), 0, "base unix");
	is_str(url_print(text, sizeof(text), &u), "ws+unix:/s:/c", "joined");

	url_parse(&base, "ws://a/b/c", err, sizeof(err));
	memset(longest, 'x', sizeof(longest));
	longest[URL_PATH_MAX - 3] = '\0';
	is(url_join(&u, &base, longest, err, sizeof(err)), 0, "just fits");
	longest[URL_PATH_MAX - 3] = 'x';
	longest[URL_PATH_MAX - 2] = '\0';
	is(url_join(&u, &base, longest, err, sizeof(err)), -1, "too long");
}

static int
same(const char *one, const char *other)
{
	struct url a, b;

	return url_parse(&a, one, err, sizeof(err)) == 0 &&
	    url_parse(&b, other, err, sizeof(err)) == 0 &&
	    url_same_origin(&a, &b);
}

static void
test_origin(void)
{
	is(same("ws://h/a", "HTTP://H:80/b?c"), 1, "one origin");
	is(same("ws://h/", "wss://h:80/"), 0, "with and without TLS");
	is(same("ws://h/", "ws://h:81/"), 0, "two ports");
	is(same("ws://h/", "ws://h2/"), 0, "two hosts");
	is(same("ws+unix:/a:/x", "ws+unix:/a:/y"), 1, "one Unix socket");
	is(same("ws+unix:/a:/", "ws+unix:/b:/"), 0, "two");
	is(same("ws+unix:/a:/", "ws://localhost/"), 0, "one and a host");
}

/* Whatever room there is, what is written ends within it. */
static void
test_room(void)
{
	struct url u;
	char text[64], whole[64];
	size_t size, wrong = 0;

	url_parse(&u, "ws://[fe80::1%25eth0]/", err, sizeof(err));
	is_str(url_print(whole, sizeof(whole), &u), "ws://[fe80::1%25eth0]/",
	    "a URL with a zone");
	for (size = 1; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		url_print(text, size, &u);
		wrong += strlen(text) >= size ||
		    strncmp(text, whole, strlen(text)) != 0;
	}
	is(wrong, 0, "is cut where the room ends");
	wrong = 0;
	for (size = 1; size <= 20; size++) {
		memset(text, 'x', sizeof(text));
		wrong += strlen(url_host(text, size, &u)) >= size;
	}
	is(wrong, 0, "and so is its host");
}

int
main(void)
{
	test_origin();
	test_room();
	test_listen();
	test_bad_listen();
	test_target();
	test_url();
	test_bad_url();
	test_join();
	return done_testing();
}
