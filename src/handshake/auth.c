/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "handshake/auth.h"
#include "handshake/auth_command.h"
#include "os/command.h"
#include "os/compat/password.h"
#include "os/log.h"
#include "proto/credentials.h"

#define HASH_MAX	256
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
	got = password_hash(password, want);
	return got != NULL && strlen(got) == hash.len &&
	    same_hash(got, want, hash.len);
}

static int
token_is(const char *hex, struct slice hash)
{
	char lower[HASH_HEX];
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
	char hex[HASH_HEX];

	hash_sha256(hex, secret, strlen(secret));
	return token_is(hex, hash);
}

static int
check_token(struct auth *a, const struct line_table *t,
    const struct line_key *k)
{
	unsigned int from;

	return line_table_find(t, k, &from) > 0 &&
	    slice_copy(a->user, a->size, line_table_value(t, from)) == 0;
}

/*
 * An unknown user's password is hashed too, as the first one's is, so that the
 * time does not tell which users there are.
 */
static int
check_password(struct auth *a, const struct line_table *t,
    const struct line_key *k, const struct credentials *c)
{
	struct slice any = line_table_first(t);
	unsigned int from;

	if (line_table_find(t, k, &from) == 0) {
		if (any.p != NULL)
			password_is(c->secret, any);
		return 0;
	}
	return password_is(c->secret, line_table_value(t, from)) &&
	    strlcpy(a->user, c->user, a->size) < a->size;
}

/* 0 or 1; -1 if the file cannot be read. */
static int
check_credentials(struct auth *a, const struct line_file *users,
    const struct credentials *c)
{
	char hex[HASH_HEX];
	struct line_key k = { c->kind, slice_of(c->user) };
	struct line_lookup l;
	struct error why;
	int good;

	if (c->kind == CREDENTIALS_BEARER) {
		hash_sha256(hex, c->secret, strlen(c->secret));
		k.key = slice_of(hex);
	}
	if (line_file_open(users, &k, &l, &why) == -1) {
		log_event(LOG_L_ERROR, "auth-file", "file", *users->path,
		    "why", why.text, NULL);
		return -1;
	}
	good = c->kind == CREDENTIALS_BEARER ? check_token(a, l.table, &k) :
	    check_password(a, l.table, &k, c);
	line_file_close(&l);
	return good;
}

static int
check_file(struct auth *a, const struct line_file *users,
    const struct websocket *w, char *err, size_t errlen)
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
	good = check_credentials(a, users, &c);
	explicit_bzero(&c, sizeof(c));
	if (good == 1)
		return 0;
	a->user[0] = '\0';
	return good == -1 ? fail(err, errlen, 500, "cannot check who you are") :
	    fail(err, errlen, 401, "wrong credentials");
}

int
auth_request(struct auth *a, const struct options *o,
    const struct line_file *users, const struct websocket *w,
    const struct upgrade_request *r, int64_t deadline, const char **extra,
    char *err, size_t errlen)
{
	int status = 0;

	*extra = "";
	a->user[0] = '\0';
	if (o->access.auth_file != NULL)
		status = check_file(a, users, w, err, errlen);
	if (status == 0 && o->access.auth_command != NULL)
		status = auth_command(a, o, w, r, deadline, err, errlen);
	if (status == 401)
		*extra = CHALLENGE;
	return status;
}

/*
 * Is it as long as hashes of its kind are?  crypt_checksalt(3) looks at its
 * beginning only.
 */
static int
has_digest(struct slice hash)
{
	static const struct { const char *begin; size_t digits; } kinds[] = {
		{ "$1$", 22 }, { "$3$", 32 }, { "$md5", 22 }, { "$sha1$", 28 },
		{ "$2", 53 }, { "$5$", 43 }, { "$6$", 86 }, { "$7$", 43 },
		{ "$y$", 43 }, { "$gy$", 43 }, { "_", 19 }
	};
	size_t i, n = 13, last = hash.len;

	while (last > 0 && hash.p[last - 1] != '$')
		last--;
	if (hash.p[0] != '$' && hash.p[0] != '_')
		return hash.len == n;
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = strlen(kinds[i].begin);
		if (hash.len > n && memcmp(hash.p, kinds[i].begin, n) == 0)
			return hash.len - (hash.p[0] == '_' ? 1 : last) ==
			    kinds[i].digits;
	}
	return 1;
}

/*
 * Which kinds there are is known to crypt(3) alone.  They are made to take
 * long, and not hashed only to find out.
 */
static int
is_usable(struct slice hash)
{
	char want[HASH_MAX];
	const char *got;
	int known;

	if (slice_copy(want, sizeof(want), hash) == -1 || !has_digest(hash))
		return 0;
	if ((known = password_is_known(want)) != -1)
		return known;
	got = password_hash("", want);
	return got != NULL && strlen(got) == hash.len;
}

/* Users are known by their names, tokens by their hashes. */
static int
next_user(struct lines *lines, struct line *line, const char **why)
{
	struct credentials_line l;
	int r = credentials_next(lines, &l);

	*why = "expected user:HASH or token:NAME:SHA256";
	if (r != 1)
		return r;
	line->sort = l.kind;
	if (l.kind == CREDENTIALS_BEARER) {
		line->key = line->hex = l.hash;
		line->value = l.name;
		return 1;
	}
	*why = "a hash of a kind that crypt(3) does not know (try "
	    "htpasswd -B)";
	line->key = l.name;
	line->value = l.hash;
	return is_usable(l.hash) ? 1 : -1;
}

void
auth_file(struct line_file *f, const struct options *o)
{
	static const struct line_kind users = { next_user, "has no users" };

	memset(f, 0, sizeof(*f));
	f->path = &o->access.auth_file;
	f->option = "--auth-file";
	f->event = "auth-file";
	f->kind = &users;
}

static int
check_command(const struct options *o, struct error *why)
{
	char **command = o->access.auth_command;

	if (command == NULL || command_exists(command[0]) == 0)
		return 0;
	return error_set(why, EXIT_BADUSAGE, "--auth-command %s: %s",
	    command[0], strerror(errno));
}

int
auth_prepare(const struct options *o, struct error *why)
{
	return o->access.auth_file == NULL ? 0 : password_prepare(why);
}

static int
prepare(const struct options *o, struct error *why)
{
	return auth_prepare(o, why) == -1 ? -1 : check_command(o, why);
}

int
auth_check(const struct options *o, struct error *why)
{
	struct line_file users;

	auth_file(&users, o);
	return prepare(o, why) == -1 ? -1 : line_file_check(&users, why);
}

int
auth_check_again(const struct options *o, struct error *why)
{
	struct line_file users;

	auth_file(&users, o);
	return prepare(o, why) == -1 ? -1 :
	    line_file_check_open(&users, why);
}
