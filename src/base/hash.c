/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <sha2.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"

void
hash_sha256(char hex[HASH_HEX], const void *src, size_t len)
{
	SHA2_CTX ctx;
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256Init(&ctx);
	SHA256Update(&ctx, src, len);
	SHA256Final(digest, &ctx);
	str_hex(hex, digest, sizeof(digest));
}
