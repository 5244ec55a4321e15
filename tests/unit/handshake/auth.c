/* SPDX-License-Identifier: ISC */
/*
 * --auth-file and --auth-command, request by request: who is let in, with which
 * status the others are refused, what a program is told, and which hashes are
 * no hashes.
 *
 * If it fails: a wrong password is taken for a right one, or a user is refused
 * with a reason that misleads.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "handshake/auth.h"
#include "os/clock.h"
#include "os/compat/password.h"
#include "os/log.h"
#include "seen.h"
#include "tap.h"

#define TOKEN	"tok-1"

static struct options o;
static struct error why;
static char folder[] = "/tmp/inetws-auth-XXXXXX", path[64], program[64],
    user[8], err[400];
static const char *extra;

static void
put(const char *name, mode_t mode, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);

	if (fd == -1 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    close(fd) == -1)
		abort();
}

/* A request with these fields: the status that it is refused with, or 0. */
static int
ask_by(const char *fields, const char *subject, size_t size, int64_t deadline)
{
	static char text[2000];
	static struct http_head head;
	struct auth a = { "192.0.2.1:7", subject, user, size };
	struct upgrade_request r;
	struct http_parser_state st;
	struct line_file users;
	struct websocket w;
	int status;

	snprintf(text, sizeof(text), "GET /p%%20q?a=1 HTTP/1.1\r\nHost: h\r\n"
	    "%s\r\n", fields);
	http_begin(&st, 0);
	if (http_parse(&st, text, strlen(text), &head, &status, err,
	    sizeof(err)) <= 0)
		abort();
	memset(&w, 0, sizeof(w));
	memset(&r, 0, sizeof(r));
	w.head = &head;
	r.target = head.target;
	auth_file(&users, &o);
	strlcpy(user, "before", sizeof(user));
	strlcpy(err, "none", sizeof(err));
	status = auth_request(&a, &o, &users, &w, &r, deadline, &extra, err,
	    sizeof(err));
	explicit_bzero(text, sizeof(text));
	return status;
}

static int
ask(const char *fields)
{
	return ask_by(fields, "", sizeof(user), clock_ms() + 20000);
}

static void
refused(const char *fields, int status, const char *text)
{
	is(ask(fields), status, "refused");
	is_str(err, text, text);
	is_str(user, "", "and is no user");
	is(strstr(extra, "WWW-Authenticate: Basic realm=\"inetws\"") != NULL,
	    status == 401, "a browser is to ask for a password after 401 only");
}

/* --- --auth-file --- */

static const char *
hash_of(const char *password)
{
	const char *hash = password_hash(password, "$5$rounds=1000$salt$");

	return hash != NULL && hash[0] == '$' ? hash : NULL;
}

static void
test_secret(void)
{
	char hex[HASH_HEX + 1], other[HASH_HEX + 1];
	size_t i;

	hash_sha256(hex, TOKEN, strlen(TOKEN));
	ok(auth_is_secret(TOKEN, slice_of(hex)), "a secret has its hash");
	ok(!auth_is_secret("tok-2", slice_of(hex)), "another one has not");
	for (i = 0; hex[i] != '\0'; i++) {
		strlcpy(other, hex, sizeof(other));
		other[i] = hex[i] == '7' ? '8' : '7';
		if (auth_is_secret(TOKEN, slice_of(other)))
			break;
	}
	is(i, HASH_HEX - 1, "not one digit may differ");
	for (i = 0; hex[i] != '\0'; i++)
		if (hex[i] >= 'a')
			other[i] = hex[i] - 'a' + 'A';
		else
			other[i] = hex[i];
	ok(strpbrk(other, "ABCDEF") != NULL &&
	    auth_is_secret(TOKEN, slice_of(other)), "digits in upper case");
	ok(!auth_is_secret(TOKEN, (struct slice){ hex, HASH_HEX - 2 }),
	    "not a part of it");
	strlcat(hex, "a", sizeof(hex));
	ok(!auth_is_secret(TOKEN, slice_of(hex)), "nor more");
}

static void
test_file(void)
{
	char text[600], hex[HASH_HEX];
	clock_t begun, known;
	const char *hash = hash_of("secret");

	memset(&o, 0, sizeof(o));
	is(ask(""), 0, "without options everyone is let in");
	is_str(user, "", "as no user");
	is_str(extra, "", "(nothing is said)");
	if (hash == NULL) {
		ok(1, "no file: # SKIP crypt(3) has no SHA-256 here");
		return;
	}
	hash_sha256(hex, TOKEN, strlen(TOKEN));
	snprintf(text, sizeof(text), "ann:%s\nhannah78:%s\ntoken:rob:%s\n"
	    "token:marvin78:%s\n", hash, hash, hex,
	    "0b3b3f2c1e0f0e5f6a8a1a7e2f8dc8f6f5c1a7d7d0b3c5d1e4f2a6b8c9d0e1f2");
	put(path, 0600, text);
	o.access.auth_file = path;
	is(ask("Authorization: Basic YW5uOnNlY3JldA==\r\n"), 0,
	    "ann:secret is right");
	is_str(user, "ann", "who is ann");
	is(ask("Authorization: Bearer " TOKEN "\r\n"), 0, "a token");
	is_str(user, "rob", "has a name, too");
	is(ask_by("Authorization: Basic YW5uOnNlY3JldA==\r\n", "", 4,
	    CLOCK_NEVER), 0, "a name that just fits");
	is_str(user, "ann", "is whole");
	is(ask_by("Authorization: Basic YW5uOnNlY3JldA==\r\n", "", 3,
	    CLOCK_NEVER), 401, "one that is cut would be another user");
	is(ask_by("Authorization: Bearer " TOKEN "\r\n", "", 3, CLOCK_NEVER),
	    401, "of a token likewise");
	refused("", 401, "credentials are needed");
	refused("Authorization: Basic YW5uOnNlY3JldA==\r\n"
	    "Authorization: Basic YW5uOnNlY3JldA==\r\n", 400,
	    "more than one Authorization");
	refused("Authorization: Digest x\r\n", 401,
	    "neither Basic nor Bearer credentials");
	refused("Authorization: Basic YW5uOnNlY3JlZA==\r\n", 401,
	    "wrong credentials");
	refused("Authorization: Basic Ym9iOnNlY3JldA==\r\n", 401,
	    "wrong credentials");
	refused("Authorization: Bearer tok-2\r\n", 401, "wrong credentials");
	/* the longer name is that of a user whose password is right */
	refused("Authorization: Basic aGFubmFoNzg6c2VjcmV0\r\n", 401,
	    "wrong credentials");
	ok(!is_kept("secret"), "no password stays in memory");
	refused("Authorization: Bearer ann\r\n", 401, "wrong credentials");

	/* an unknown user's password takes as long as a known one's */
	hash = password_hash("x", "$5$rounds=60000$salt$");
	snprintf(text, sizeof(text), "ann:%s\n", hash);
	put(path, 0600, text);
	begun = clock();
	is(ask("Authorization: Basic YW5uOnNlY3JlZA==\r\n"), 401, "(known)");
	known = clock() - begun;
	begun = clock();
	is(ask("Authorization: Basic Ym9iOnNlY3JldA==\r\n"), 401, "(unknown)");
	ok(clock() - begun > known / 4, "the time does not tell who is known");

	seen_begin();
	unlink(path);
	refused("Authorization: Basic YW5uOnNlY3JldA==\r\n", 500,
	    "cannot check who you are");
	ok(strstr(seen(), "event=auth-file file=") != NULL,
	    "the log says why");
}

/* --- lines that are no hashes --- */

static int
line_is_good(const char *begin, size_t digits)
{
	char text[300] = "";
	size_t n;

	snprintf(text, sizeof(text), "ann:%s", begin);
	for (n = strlen(text); digits > 0; digits--)
		text[n++] = 'a';
	strlcat(text, "\n", sizeof(text));
	put(path, 0600, text);
	return auth_check(&o, &why) == 0;
}

static void
test_hashes(void)
{
	static const struct { const char *begin; size_t digits; } v[] = {
		{ "ab", 11 }, { "_J9..salt", 11 }, { "$1$salt$", 22 },
		{ "$md5$salt$", 22 }, { "$sha1$40000$salt$", 28 },
		{ "$2b$05$", 53 }, { "$2y$10$", 53 }, { "$5$salt$", 43 },
		{ "$5$rounds=1000$salt$", 43 }, { "$6$salt$", 86 },
		{ "$7$CU..../....salt$", 43 }, { "$y$j9T$salt$", 43 },
		{ "$gy$j9T$salt$", 43 }, { "$3$$", 32 }
	};
	char like[200];
	size_t i, n;

	memset(&o, 0, sizeof(o));
	o.access.auth_file = path;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		strlcpy(like, v[i].begin, sizeof(like));
		for (n = 0; n < v[i].digits; n++)
			strlcat(like, "a", sizeof(like));
		if (password_is_known(like) != 1)
			continue;
		ok(line_is_good(v[i].begin, v[i].digits), "%s and %zu digits",
		    v[i].begin, v[i].digits);
		ok(!line_is_good(v[i].begin, v[i].digits - 1), "not one less");
		ok(!line_is_good(v[i].begin, v[i].digits + 1), "nor one more");
		ok(!line_is_good(v[i].begin, 0), "nor none");
	}
	ok(!line_is_good("plain", 0), "a password is no hash");
	ok(!line_is_good("$x$salt$", 43), "nor is what crypt(3) does not know");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strstr(why.text, "htpasswd -B") != NULL, "%s", why.text);
	put(path, 0600, "ann\n");
	is(auth_check(&o, &why), -1, "nor is nothing");
	ok(strstr(why.text, "expected user:HASH or token:NAME:SHA256") != NULL,
	    "%s", why.text);
	is(auth_check_again(&o, &why), 0, "a reload looks at no line");
	put(path, 0600, "# none\n");
	is(auth_check(&o, &why), -1, "a file without users");
	ok(strstr(why.text, "has no users") != NULL, "%s", why.text);
	unlink(path);
	is(auth_check(&o, &why), -1, "no file");
	is(why.status, EXIT_BADUSAGE, "64");
	is(auth_check_again(&o, &why), -1, "nor at a reload");
}

static void
test_check_command(void)
{
	char *argv[] = { program, NULL };

	memset(&o, 0, sizeof(o));
	is(auth_check(&o, &why), 0, "nothing to check");
	is(auth_check_again(&o, &why), 0, "nor again");
	o.access.auth_command = argv;
	put(program, 0700, "#!/bin/sh\n");
	is(auth_check(&o, &why), 0, "a program that can be run");
	unlink(program);
	is(auth_check(&o, &why), -1, "one that is gone");
	is(auth_check_again(&o, &why), -1, "also at a reload");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strncmp(why.text, "--auth-command /tmp/", 20) == 0 &&
	    strstr(why.text, ": No such file") != NULL, "%s", why.text);
}

/* --- --auth-command --- */

static void
decide(const char *text)
{
	char script[1000];

	snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", text);
	put(program, 0700, script);
}

static void
test_command(void)
{
	char *argv[] = { program, NULL };

	memset(&o, 0, sizeof(o));
	o.access.auth_command = argv;
	decide("exit 0");
	is(ask(""), 0, "it accepts");
	is_str(user, "", "and tells no user");
	decide("printf 'bob\\r\\nmore\\n'");
	is(ask(""), 0, "its first line");
	is_str(user, "bob", "is the user");
	decide("printf 1234567");
	is(ask(""), 0, "the longest name that fits");
	is_str(user, "1234567", "is whole");
	decide("printf 12345678");
	refused("", 500, "cannot check who you are");
	ok(strstr(seen(), "the user name in its output is longer than 7 bytes")
	    != NULL, "the log says how long it may be");
	decide("echo bob; exit 1");
	refused("", 403, "rejected by --auth-command");
	is_str(seen(), "", "a rejection is no event");
	decide("exit 2");
	refused("", 500, "cannot check who you are");
	ok(strstr(seen(), ": exit status 2, expected 0 (accept) or 1 (reject)")
	    != NULL, "another status is the program's fault");
	decide("kill -9 $$");
	refused("", 500, "cannot check who you are");
	ok(strstr(seen(), "event=auth-command") != NULL, "the log says so");
	decide("exec sleep 60");
	is(ask_by("", "", sizeof(user), clock_ms() + 50), 504, "too slow");
	is_str(err, "cannot check who you are", "(no details)");
	decide("exit 0");
	is(ask_by("", "", sizeof(user), CLOCK_NEVER), 0,
	    "without --handshake-timeout there is time");
}

/* One variable that the program gets, as its answer. */
static const char *
variable(const char *name, const char *fields, const char *subject)
{
	char text[100];

	snprintf(text, sizeof(text), "echo \"${%s-none}\" | cut -c 1-7", name);
	decide(text);
	is(ask_by(fields, subject, sizeof(user), CLOCK_NEVER), 0, name);
	return user;
}

static void
test_environment(void)
{
	char *argv[] = { program, NULL }, *search = getenv("PATH");
	const char *hash = hash_of("secret");
	char text[200], whole[1000], before[8];

	memset(&o, 0, sizeof(o));
	o.access.auth_command = argv;
	is_str(variable("PATH_INFO", "", ""), "/p%20q", "without the query");
	is_str(variable("QUERY_STRING", "", ""), "a=1", "which is apart");
	is_str(variable("REMOTE_PORT", "", ""), "7", "of the true peer");
	is_str(variable("HTTP_AUTHORIZATION", "Authorization: Z s3\r\n", ""),
	    "Z s3", "credentials");
	explicit_bzero(user, sizeof(user));
	ok(!is_kept("Z s3"), "are wiped here");
	is_str(variable("HTTP_AUTHORIZATION", "", ""), "none", "if there are");
	is_str(variable("REMOTE_USER", "", ""), "none", "no user before");
	is_str(variable("SSL_CLIENT_S_DN", "", "CN=x"), "none",
	    "no certificate is asked for");
	o.tls.client_ca = "x";
	is_str(variable("SSL_CLIENT_S_DN", "", "CN=x"), "CN=x", "one is");
	if (hash != NULL) {
		snprintf(text, sizeof(text), "ann:%s\n", hash);
		put(path, 0600, text);
		o.access.auth_file = path;
		is_str(variable("REMOTE_USER", "Authorization: Basic "
		    "YW5uOnNlY3JldA==\r\n", ""), "ann", "the file's user");
		decide("exit 0");
		is(ask("Authorization: Basic YW5uOnNlY3JldA==\r\n"), 0,
		    "a program that tells no user");
		is_str(user, "ann", "leaves the file's");
		decide("echo called >&2");
		seen();
		refused("Authorization: Basic YW5uOnNlY3JlZA==\r\n", 401,
		    "wrong credentials");
		is_str(seen(), "", "a user that the file refuses is not asked about");
	}
	/* fields of an earlier request are not those of the next one */
	decide("tr '\\0' '\\n' </proc/$$/environ | wc -l | tr -d ' '");
	o.access.auth_file = NULL;
	is(ask(""), 0, "(how many)");
	strlcpy(before, user, sizeof(before));
	is(ask("X-A: b\r\nX-B: c\r\nX-C: d\r\nX-D: e\r\n"), 0, "(more)");
	is(atoi(user), atoi(before) + 4, "four fields more");
	is(ask(""), 0, "(as before)");
	is_str(user, before, "and then none of them");
	strlcpy(whole, search != NULL ? search : "", sizeof(whole));
	setenv("PATH", "/a:/bin:/usr/bin", 1);
	is_str(variable("PATH", "", ""), "/a:/bin", "PATH is ours");
	unsetenv("PATH");
	is_str(variable("PATH", "", ""), "/usr/lo", "or the usual one");
	setenv("PATH", whole, 1);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	alarm(120);
	if (mkdtemp(folder) == NULL || password_prepare(&why) == -1)
		abort();
	snprintf(path, sizeof(path), "%s/users", folder);
	snprintf(program, sizeof(program), "%s/decide", folder);
	test_secret();
	test_file();
	test_hashes();
	test_check_command();
	test_command();
	test_environment();
	unlink(path);
	unlink(program);
	rmdir(folder);
	return done_testing();
}
