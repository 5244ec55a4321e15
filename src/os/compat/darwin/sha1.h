/* SPDX-License-Identifier: ISC */
/* SHA-1 by the names of libmd, from the system's library. */
#ifndef OS_COMPAT_DARWIN_SHA1_H
#define OS_COMPAT_DARWIN_SHA1_H

#include <CommonCrypto/CommonDigest.h>

#define SHA1_DIGEST_LENGTH	CC_SHA1_DIGEST_LENGTH
#define SHA1_CTX		CC_SHA1_CTX
#define SHA1Init(c)		CC_SHA1_Init(c)
#define SHA1Update(c, p, n)	CC_SHA1_Update(c, p, (CC_LONG)(n))
#define SHA1Final(d, c)		CC_SHA1_Final(d, c)

#endif
