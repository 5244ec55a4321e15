/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "tls/openssl.h"
#include "tls/pins.h"

#define KIND		"sha256//"
#define TEXT_LEN	BASE64_LEN(PIN_BYTES)

static int
parse_one(unsigned char hash[PIN_BYTES], const char *word, size_t len)
{
	size_t kind = strlen(KIND);

	if (len < kind || strncmp(word, KIND, kind) != 0)
		return -1;
	return base64_decode(hash, PIN_BYTES, (struct slice){ word + kind,
	    len - kind }) == PIN_BYTES ? 0 : -1;
}

int
pins_parse(struct pins *p, const char *words, struct error *why)
{
	size_t len;

	p->n = 0;
	while (words != NULL && *words != '\0') {
		len = strcspn(words, ";");
		if (p->n == PINS_MAX)
			return error_set(why, EXIT_BADUSAGE,
			    "--pinnedpubkey: more than %d keys", PINS_MAX);
		if (parse_one(p->hash[p->n], words, len) == -1)
			return error_set(why, EXIT_BADUSAGE, "--pinnedpubkey: "
			    "'%.*s' is not sha256// and 44 letters of base64",
			    (int)len, words);
		p->n++;
		words += len + (words[len] == ';');
	}
	return 0;
}

/* SHA-256 of the key with its algorithm, as DER. */
static int
hash_key(unsigned char hash[PIN_BYTES], X509 *cert)
{
	unsigned char *der = NULL;
	unsigned int n = 0;
	int len, good;

	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	good = len > 0 && EVP_Digest(der, len, hash, &n, EVP_sha256(), NULL)
	    == 1 && n == PIN_BYTES;
	OPENSSL_free(der);
	return good ? 0 : -1;
}

char *
pins_print(char *dst, size_t size, X509 *cert)
{
	unsigned char hash[PIN_BYTES];
	char text[TEXT_LEN + 1];

	dst[0] = '\0';
	if (hash_key(hash, cert) == -1)
		return dst;
	snprintf(dst, size, KIND "%s", base64_encode(text, hash,
	    sizeof(hash)));
	return dst;
}

int
pins_check(const struct pins *p, X509 *cert, const char *name,
    struct error *why)
{
	unsigned char hash[PIN_BYTES];
	char text[TEXT_LEN + 1];
	unsigned int i;

	if (p->n == 0)
		return 0;
	if (cert == NULL || hash_key(hash, cert) == -1)
		return error_set(why, EXIT_DENIED, "public key of %s: it "
		    "cannot be read", name);
	for (i = 0; i < p->n; i++)
		if (memcmp(hash, p->hash[i], sizeof(hash)) == 0)
			return 0;
	return error_set(why, EXIT_DENIED, "public key of %s: it is not "
	    "pinned; if it is the right one: --pinnedpubkey " KIND "%s", name,
	    base64_encode(text, hash, sizeof(hash)));
}
