/* SPDX-License-Identifier: ISC */
/* SHA-256 by the names of libmd, from the system's library. */
#ifndef OS_COMPAT_DARWIN_SHA2_H
#define OS_COMPAT_DARWIN_SHA2_H

#include <CommonCrypto/CommonDigest.h>

#define SHA256_DIGEST_LENGTH		CC_SHA256_DIGEST_LENGTH
#define SHA256_DIGEST_STRING_LENGTH	(2 * CC_SHA256_DIGEST_LENGTH + 1)
#define SHA2_CTX			CC_SHA256_CTX
#define SHA256Init(c)			CC_SHA256_Init(c)
#define SHA256Update(c, p, n)		CC_SHA256_Update(c, p, (CC_LONG)(n))
#define SHA256Final(d, c)		CC_SHA256_Final(d, c)

#endif
