/* SPDX-License-Identifier: ISC */
#include <sys/types.h>

#include <sha2.h>
#include <stdint.h>

#include "base/base64.h"
#include "base/hash.h"
#include "base/str.h"

static void
digest_of(uint8_t digest[SHA256_DIGEST_LENGTH], const void *src, size_t len)
{
	SHA2_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, src, len);
	SHA256Final(digest, &ctx);
}

void
hash_sha256(char hex[HASH_HEX], const void *src, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	digest_of(digest, src, len);
	str_hex(hex, digest, sizeof(digest));
}

void
hash_sha256_base64(char dst[HASH_BASE64], const void *src, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	digest_of(digest, src, len);
	base64_encode(dst, digest, sizeof(digest));
}

uint64_t
hash_add(uint64_t h, const void *src, size_t len)
{
	const uint8_t *p = src;

	for (; len > 0; len--, p++)
		h = (h ^ *p) * 1099511628211u;
	return h;
}
