/* SPDX-License-Identifier: ISC */
#include <crypt.h>
#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>

#include "handshake/auth.h"
#include "handshake/auth_command.h"
#include "os/command.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/readfile.h"
#include "proto/credentials.h"

#define HASH_MAX	256
#define OLD_HASH_MAX	40	/* characters of DES, MD5 */
#define CHALLENGE	"WWW-Authenticate: Basic realm=\"inetws\", " \
			"charset=\"UTF-8\"\r\n" \
			"WWW-Authenticate: Bearer realm=\"inetws\"\r\n"

static int
fail(char *err, size_t errlen, int status, const char *what)
{
	snprintf(err, errlen, "%s", what);
	return status;
}

/* Where they differ, the time does not tell. */
static int
same_hash(const volatile char *a, const volatile char *b, size_t len)
{
	int differ = 0;
	size_t i;

	for (i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

/*
 * Does the password have this hash?  The time depends on the hash's kind and
 * cost only.
 */
static int
password_is(const char *password, struct slice hash)
{
	char want[HASH_MAX];
	const char *got;

	if (slice_copy(want, sizeof(want), hash) == -1)
		return 0;
	got = crypt(password, want);
	return got != NULL && got[0] != '*' && strlen(got) == hash.len &&
	    same_hash(got, want, hash.len);
}

static void
sha256_hex(char hex[SHA256_DIGEST_STRING_LENGTH], const char *secret)
{
	SHA2_CTX ctx;
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)secret, strlen(secret));
	SHA256Final(digest, &ctx);
	str_hex(hex, digest, sizeof(digest));
}

static int
token_is(const char *hex, struct slice hash)
{
	char lower[SHA256_DIGEST_STRING_LENGTH];
	size_t i;

	if (slice_copy(lower, sizeof(lower), hash) == -1)
		return 0;
	for (i = 0; lower[i] != '\0'; i++)
		if (lower[i] >= 'A' && lower[i] <= 'F')
			lower[i] += 'a' - 'A';
	return strlen(lower) == strlen(hex) &&
	    same_hash(hex, lower, strlen(hex));
}

int
auth_is_secret(const char *secret, struct slice hash)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	sha256_hex(hex, secret);
	return token_is(hex, hash);
}

/* No token is compared in less time than another. */
static int
check_token(struct auth *a, const struct credentials *c, struct slice text)
{
	struct lines lines;
	char hex[SHA256_DIGEST_STRING_LENGTH];
	struct credentials_line l;
	int r, found = 0;

	sha256_hex(hex, c->secret);
	lines_begin(&lines, text);
	while ((r = credentials_next(&lines, &l)) != 0)
		if (r == 1 && l.kind == CREDENTIALS_BEARER &&
		    token_is(hex, l.hash) && !found) {
			slice_copy(a->user, a->size, l.name);
			found = 1;
		}
	return found;
}

/*
 * An unknown user's password is hashed too, as the first one's is, so that the
 * time does not tell which users there are.
 */
static int
check_password(struct auth *a, const struct credentials *c,
    struct slice text)
{
	struct lines lines;
	struct slice hash = { NULL, 0 }, any = { NULL, 0 };
	struct credentials_line l;
	int r;

	lines_begin(&lines, text);
	while ((r = credentials_next(&lines, &l)) != 0) {
		if (r == -1 || l.kind != CREDENTIALS_BASIC)
			continue;
		if (any.p == NULL)
			any = l.hash;
		if (hash.p == NULL && slice_is(l.name, c->user))
			hash = l.hash;
	}
	if (hash.p == NULL) {
		if (any.p != NULL)
			password_is(c->secret, any);
		return 0;
	}
	return password_is(c->secret, hash) &&
	    strlcpy(a->user, c->user, a->size) < a->size;
}

/* With the lines of the file. */
static int
check_lines(struct auth *a, struct slice lines, const struct websocket *w,
    char *err, size_t errlen)
{
	static struct credentials c;
	struct slice value;
	int good;

	switch (http_field(w->head, "Authorization", &value)) {
	case 0:
		return fail(err, errlen, 401, "credentials are needed");
	case -1:
		return fail(err, errlen, 400, "more than one Authorization");
	}
	if (credentials_parse(&c, value) == -1)
		return fail(err, errlen, 401, "neither Basic nor Bearer "
		    "credentials");
	good = c.kind == CREDENTIALS_BEARER ? check_token(a, &c, lines) :
	    check_password(a, &c, lines);
	explicit_bzero(&c, sizeof(c));
	if (good)
		return 0;
	a->user[0] = '\0';
	return fail(err, errlen, 401, "wrong credentials");
}

static int
check_file(struct auth *a, const struct options *o, const struct websocket *w,
    char *err, size_t errlen)
{
	struct slice lines;
	int status;

	if (readfile_take(o->access.auth_file, &lines) == -1) {
		log_event(LOG_L_ERROR, "auth-file", "file", o->access.auth_file,
		    "why", strerror(errno), NULL);
		return fail(err, errlen, 500, "cannot check who you are");
	}
	status = check_lines(a, lines, w, err, errlen);
	memory_return();
	return status;
}

int
auth_request(struct auth *a, const struct options *o, const struct websocket *w,
    const struct upgrade_request *r, int64_t deadline, const char **extra,
    char *err, size_t errlen)
{
	int status = 0;

	*extra = "";
	a->user[0] = '\0';
	if (o->access.auth_file != NULL)
		status = check_file(a, o, w, err, errlen);
	if (status == 0 && o->access.auth_command != NULL)
		status = auth_command(a, o, w, r, deadline, err, errlen);
	if (status == 401)
		*extra = CHALLENGE;
	return status;
}

/*
 * Which kinds there are is known to crypt(3) alone.  Those of today are made
 * to take long, and are not hashed only to find out; the old ones take no time.
 */
static int
is_usable(struct slice hash)
{
	char want[HASH_MAX];
	const char *got;
#ifdef CRYPT_CHECKSALT_AVAILABLE
	int kind;
#endif

	if (slice_copy(want, sizeof(want), hash) == -1)
		return 0;
#ifdef CRYPT_CHECKSALT_AVAILABLE
	kind = crypt_checksalt(want);
	if (hash.len > OLD_HASH_MAX)
		return kind != CRYPT_SALT_INVALID &&
		    kind != CRYPT_SALT_METHOD_DISABLED;
#endif
	got = crypt("", want);
	return got != NULL && got[0] != '*' && strlen(got) == hash.len;
}

/* -1 and why, which begins with the number of the line at fault. */
static int
check_text(struct slice text, struct error *why)
{
	struct credentials_line l;
	struct lines lines;
	unsigned int n = 0;
	int r;

	lines_begin(&lines, text);
	for (; (r = credentials_next(&lines, &l)) != 0; n++) {
		if (r == 1 && (l.kind == CREDENTIALS_BEARER ||
		    is_usable(l.hash)))
			continue;
		return error_set(why, EXIT_BADUSAGE, ":%u: %s", lines.number,
		    r == 1 ?
		    "a hash of a kind that crypt(3) does not know (try "
		    "htpasswd -B)" :
		    "expected user:HASH or token:NAME:SHA256");
	}
	return n > 0 ? 0 : error_set(why, EXIT_BADUSAGE, ": has no users");
}

static int
read_and_check(const struct options *o, struct error *why)
{
	struct slice text;
	struct error what;
	int r;

	if (o->access.auth_file == NULL)
		return 0;
	if (readfile_take(o->access.auth_file, &text) == -1)
		return error_set(why, EXIT_BADUSAGE, "--auth-file %s: %s",
		    o->access.auth_file, strerror(errno));
	r = check_text(text, &what);
	memory_return();
	return r == 0 ? 0 : error_set(why, what.status, "--auth-file %s%s",
	    o->access.auth_file, what.text);
}

int
auth_check(const struct options *o, struct error *why)
{
	char **command = o->access.auth_command;

	if (command != NULL && command_exists(command[0]) == -1)
		return error_set(why, EXIT_BADUSAGE, "--auth-command %s: %s",
		    command[0], strerror(errno));
	return read_and_check(o, why);
}
