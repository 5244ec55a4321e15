/* SPDX-License-Identifier: ISC */
/*
 * The text that is made of a peer's certificate, whatever is in it:
 * printable, of one line, within their bounds.
 */
#include "tls/allowed_certs.h"
#include "tls/cert_error.h"
#include "tls/openssl.h"
#include "tls/pins.h"
#include "fuzz.h"

int LLVMFuzzerInitialize(int *, char ***);

static void
plain(const char *text, size_t size)
{
	size_t len = strnlen(text, size), i;

	CHECK(len < size);
	for (i = 0; i < len; i++)
		CHECK(text[i] >= ' ' && text[i] < 0x7f);
}

/* Every objection that there is. */
static int
object(int good, X509_STORE_CTX *store)
{
	struct error why;
	int error;

	for (error = 1; error < 100; error++) {
		X509_STORE_CTX_set_error(store, error);
		memset(&why, 0, sizeof(why));
		cert_refused(store, "host.example", error % 2 ?
		    "--cacert" : "--tls-client-ca", &why);
		CHECK(why.status == EXIT_DENIED && why.text[0] != '\0');
		plain(why.text, sizeof(why.text));
	}
	return 0;
}

static void
refuse(X509 *cert)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();

	CHECK(ctx != NULL && store != NULL);
	if (X509_STORE_CTX_init(ctx, store, cert, NULL) == 1) {
		X509_STORE_CTX_set_verify_cb(ctx, object);
		X509_verify_cert(ctx);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

static void
describe(X509 *cert, size_t size)
{
	static const unsigned char none[PIN_BYTES];
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct pins pins = { .n = 1 };
	struct error why;
	struct cert c;
	char text[400];
	unsigned int i;

	cert_names(text, size, cert);
	plain(text, size);
	if (cert_subject(text, size, cert) == -1)
		CHECK(text[0] == '\0');
	plain(text, size);
	memcpy(pins.hash[0], none, sizeof(none));
	CHECK(pins_check(&pins, cert, "host", &why) == -1);
	plain(why.text, sizeof(why.text));
	memset(&c, 0, sizeof(c));
	for (i = 0; i < CERT_CHAIN_MAX + 2; i++)
		sk_X509_push(chain, cert);
	cert_info(&c, chain);
	CHECK(c.known && c.n == CERT_CHAIN_MAX);
	plain(c.names, sizeof(c.names));
	plain(c.issuer, sizeof(c.issuer));
	plain(c.pin, sizeof(c.pin));
	plain(c.until, sizeof(c.until));
	for (i = 0; i < c.n; i++)
		plain(c.chain[i].subject, sizeof(c.chain[i].subject));
	sk_X509_free(chain);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct error why;

	CHECK(openssl_load(&why) == 0);
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	X509 *cert;

	if (size == 0)
		return 0;
	if ((cert = d2i_X509(NULL, &p, size)) != NULL) {
		describe(cert, 64 + data[size - 1]);
		refuse(cert);
		X509_free(cert);
	}
	ERR_clear_error();
	return 0;
}
