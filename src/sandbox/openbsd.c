/* SPDX-License-Identifier: ISC */

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

/* The arguments of sandbox_prepare(). */
static enum sandbox_role prepared;
static const char *unveiled[SANDBOX_READABLE_MAX];
static unsigned int nunveiled;

int
sandbox_prepare(enum sandbox_role role, const char *const *readable,
    unsigned int n)
{
	unsigned int i;

	nunveiled = 0;
	prepared = role;
	for (i = 0; i < n; i++)
		if (readable[i] != NULL)
			unveiled[nunveiled++] = readable[i];
	return 0;
}

/* Each OpenBSD has pledge(2) and unveil(2). */
int
sandbox_try(void)
{
	return 0;
}

unsigned int
sandbox_missing(void)
{
	return 0;
}

/*
 * Without "rpath" pledge(2) permits no file, but "dns" permits the resolver's;
 * unveil(2) restricts "rpath".
 */
int
sandbox_enter(pid_t program)
{
	unsigned int i;

	if (prepared == SANDBOX_RELAY)
		return pledge("stdio recvfd unix", NULL);
	if (prepared == SANDBOX_PROGRAM)
		return pledge("stdio recvfd unix proc", NULL);
	if (unveil("/etc/ssl", "r") == -1)
		return -1;
	for (i = 0; i < nunveiled; i++)
		if (unveil(unveiled[i], "r") == -1 && errno != ENOENT)
			return -1;
	if (prepared == SANDBOX_REDIAL_PROGRAM)
		return pledge("stdio rpath inet unix dns recvfd proc", NULL);
	return pledge("stdio rpath inet unix dns recvfd", NULL);
}
