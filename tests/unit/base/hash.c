/* SPDX-License-Identifier: ISC */
/*
 * If it fails: a token is refused, or the server answers a handshake with a
 * wrong key.
 */
#include "base/hash.h"
#include "tap.h"

int
main(void)
{
	char hex[HASH_HEX], text[HASH_BASE64];

	/* The published values. */
	ok(hash_add(HASH_BEGIN, "", 0) == 0xcbf29ce484222325u, "of nothing");
	ok(hash_add(HASH_BEGIN, "a", 1) == 0xaf63dc4c8601ec8cu, "of a");
	ok(hash_add(HASH_BEGIN, "foobar", 6) == 0x85944171f73967e8u,
	    "of foobar");
	ok(hash_add(hash_add(HASH_BEGIN, "foo", 3), "bar", 3) ==
	    hash_add(HASH_BEGIN, "foobar", 6), "in two pieces");
	hash_sha256(hex, "abc", 3);
	is_str(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f"
	    "20015ad", "SHA-256 of abc");
	hash_sha256_base64(text, "abc", 3);
	is_str(text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
	    "in base64");
	return done_testing();
}
