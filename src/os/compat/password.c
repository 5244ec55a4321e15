/* SPDX-License-Identifier: ISC */
#ifdef __linux__
#include <crypt.h>
#endif
#include <stddef.h>
#include <unistd.h>

#include "os/compat/password.h"

const char *
password_hash(const char *password, const char *like)
{
	const char *hash = crypt(password, like);

	return hash != NULL && hash[0] != '*' ? hash : NULL;
}

int
password_is_known(const char *hash)
{
#ifdef CRYPT_CHECKSALT_AVAILABLE
	int kind = crypt_checksalt(hash);

	return kind != CRYPT_SALT_INVALID && kind != CRYPT_SALT_METHOD_DISABLED;
#else
	return -1;
#endif
}
