/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tls/openssl.h"
#include "tls/secure_heap.h"

const char *
openssl_reason(void)
{
	return openssl_reason_of(ERR_peek_error());
}

const char *
openssl_reason_of(unsigned long code)
{
	const char *text = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		text = strerror(ERR_GET_REASON(code));
	return text != NULL ? text : "no reason given";
}

#ifdef OPENSSL_LINKED

#ifdef OPENSSL_ASKS_LATE

/*
 * Linked statically, OpenSSL asks the processor what it is before main(), some
 * ten times, and each question is expensive in a virtual machine.  The linker
 * (--wrap) leads its call here: processes without TLS do without.
 */
void __real_OPENSSL_cpuid_setup(void);
void __wrap_OPENSSL_cpuid_setup(void);

static int is_wanted;

void
__wrap_OPENSSL_cpuid_setup(void)
{
	if (is_wanted)
		__real_OPENSSL_cpuid_setup();
}

static void
ask_processor(void)
{
	is_wanted = 1;
	__wrap_OPENSSL_cpuid_setup();
}

#else

static void
ask_processor(void)
{
}

#endif

int
openssl_load(struct error *why)
{
	ask_processor();
	secure_heap();
	return 0;
}

#else

#include <dlfcn.h>
#include <stdint.h>

#ifndef OPENSSL_SHLIB_VERSION
#error "this is not OpenSSL 3 or later: make OPENSSL=linked"
#endif

#define TEXT(number)	#number
#define SONAME(number)	"libssl.so." TEXT(number)
#define LIBSSL		SONAME(OPENSSL_SHLIB_VERSION)

/* The dependency, for package builders (uapi-group.org). */
#define NOTE	"[{\"soname\":[\"" LIBSSL "\"],\"feature\":\"tls\","	\
	"\"description\":\"TLS\",\"priority\":\"recommended\"}]"

static const struct {
	uint32_t owner_size, text_size, type;
	char owner[4], text[sizeof(NOTE)];
} note __attribute__((used, aligned(4), section(".note.dlopen"))) = {
	4, sizeof(NOTE), 0x407c0c0a, "FDO", NOTE
};

struct openssl openssl;

/* In the order of its members; one text, which needs no relocation. */
static const char names[] =
#define X(name)	#name "\0"
	OPENSSL_FUNCTIONS(X);
#undef X

/* Of libcrypto too, which libssl needs. */
static int
find_all(void *library)
{
	char *member = (char *)&openssl;
	const char *name;
	void *found;

	for (name = names; *name != '\0'; name += strlen(name) + 1) {
		if ((found = dlsym(library, name)) == NULL)
			return -1;
		memcpy(member, &found, sizeof(found));
		member += sizeof(found);
	}
	return 0;
}

int
openssl_load(struct error *why)
{
	static int loaded;
	void *library;

	if (loaded)
		return 0;
	library = dlopen(LIBSSL, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL || find_all(library) == -1)
		return error_set(why, EXIT_SYSTEM, "TLS needs OpenSSL: %s",
		    dlerror());
	secure_heap();
	loaded = 1;
	return 0;
}

#endif
