/* SPDX-License-Identifier: ISC */
#ifdef __linux__
#include <crypt.h>
#endif
#ifdef COMPAT_ALL
#undef CRYPT_CHECKSALT_AVAILABLE
#endif
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "os/compat/password.h"

/*
 * A dynamic program loads the library when it is needed, which few processes
 * do (CRYPT_LOADED, in the Makefile).
 */
#ifdef CRYPT_LOADED

#include <dlfcn.h>
#include <stdint.h>

#define LIBCRYPT	"libcrypt.so." CRYPT_LOADED

/* The dependency, for package builders (uapi-group.org). */
#define NOTE	"[{\"soname\":[\"" LIBCRYPT "\"],\"feature\":\"auth-file\","	\
	"\"description\":\"hashes of passwords\","			\
	"\"priority\":\"recommended\"}]"

static const struct {
	uint32_t owner_size, text_size, type;
	char owner[4], text[(sizeof(NOTE) + 3) / 4 * 4];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
	4, sizeof(NOTE), 0x407c0c0a, "FDO", NOTE
};

static char *(*hash_it)(const char *, const char *);
static int (*check_salt)(const char *);

/* dlsym(3) has no type for functions. */
static int
find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found == NULL ? -1 : 0;
}

int
password_prepare(struct error *why)
{
	void *library;

	if (hash_it != NULL)
		return 0;
	library = dlopen(LIBCRYPT, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL || find(library, "crypt", &hash_it) == -1)
		return error_set(why, EXIT_SYSTEM, "--auth-file needs "
		    "crypt(3): %s", dlerror());
	find(library, "crypt_checksalt", &check_salt);
	return 0;
}

#else

#define hash_it		crypt
#ifdef CRYPT_CHECKSALT_AVAILABLE
#define check_salt	crypt_checksalt
#endif

int
password_prepare(struct error *why)
{
	return 0;
}

#endif

const char *
password_hash(const char *password, const char *like)
{
	const char *hash = hash_it(password, like);

	return hash != NULL && hash[0] != '*' ? hash : NULL;
}

#ifdef CRYPT_CHECKSALT_AVAILABLE

int
password_is_known(const char *hash)
{
	int kind;

#ifdef CRYPT_LOADED
	if (check_salt == NULL)
		return -1;
#endif
	kind = check_salt(hash);
	return kind != CRYPT_SALT_INVALID && kind != CRYPT_SALT_METHOD_DISABLED;
}

#else

/*
 * Hashes of these kinds take long, and a file may have many: each kind is tried
 * once, at its lowest cost.
 */
static struct kind {
	const char *prefix, *cheap;
	int known;		/* 1 or 0; -1 not tried yet */
} kinds[] = {
	{ "$2a$", "$2a$04$abcdefghijklmnopqrstuu", -1 },
	{ "$2b$", "$2b$04$abcdefghijklmnopqrstuu", -1 },
	{ "$2x$", "$2x$04$abcdefghijklmnopqrstuu", -1 },
	{ "$2y$", "$2y$04$abcdefghijklmnopqrstuu", -1 },
	{ "$5$", "$5$rounds=1000$abcdefgh$", -1 },
	{ "$6$", "$6$rounds=1000$abcdefgh$", -1 }
};

int
password_is_known(const char *hash)
{
	struct kind *k;
	const char *made;

	for (k = kinds; k < kinds + sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (strncmp(hash, k->prefix, strlen(k->prefix)) != 0)
			continue;
		if (k->known == -1) {
			made = password_hash("", k->cheap);
			k->known = made != NULL && strncmp(made, k->prefix,
			    strlen(k->prefix)) == 0;
		}
		return k->known;
	}
	return -1;
}

#endif
