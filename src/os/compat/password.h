/* SPDX-License-Identifier: ISC */
/*
 * crypt(3).
 */
#ifndef OS_COMPAT_PASSWORD_H
#define OS_COMPAT_PASSWORD_H

#include "base/error.h"

/* Once, before any fork and before the others.  0, or -1 and why (71). */
int password_prepare(struct error *);

/*
 * The hash of a password, made as this other hash was made; NULL if that is of
 * a kind that crypt(3) does not know.  Valid until the next call.
 */
const char *password_hash(const char *password, const char *like);

/* 1 or 0, whether crypt(3) knows this kind; -1: only hashing would tell. */
int password_is_known(const char *hash);

#endif
