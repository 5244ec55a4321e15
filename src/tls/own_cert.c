/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/lines.h"
#include "os/readfile.h"
#include "tls/cert_error.h"
#include "tls/openssl.h"
#include "tls/own_cert.h"
#include "tls/pem.h"

#define PASSWORD_MAX	1024
#define CHAIN_MAX	10

/* For the callback of a key's decoder. */
struct password {
	const char *path;	/* NULL: there is none */
	int asked, error;
};

/* Replaces OpenSSL's callback, which would ask on the terminal. */
static int
give_password(char *dst, int size, int writing, void *arg)
{
	static char text[PASSWORD_MAX];
	struct password *p = arg;
	const char *first;
	int len;

	p->asked = 1;
	if (p->path == NULL)
		return -1;
	if (readfile(p->path, text, sizeof(text)) == -1) {
		p->error = errno;
		return -1;
	}
	first = text + lines_skip_mark(slice_of(text));
	len = strcspn(first, "\r\n");
	if (len > size)
		len = -1;
	else
		memcpy(dst, first, len);
	explicit_bzero(text, sizeof(text));
	return len;
}

static int
no_key(const struct pem_file *pem, const struct password *p, struct error *why)
{
	if (p->error != 0)
		return error_set(why, EXIT_BADUSAGE,
		    "--key-password-file %s: %s", p->path,
		    strerror(p->error));
	if (p->asked && p->path == NULL) {
		ERR_clear_error();
		return pem_fail(pem, "the key is encrypted: "
		    "--key-password-file is needed", why);
	}
	return pem_fail(pem, p->asked ? "the key cannot be decrypted, is "
	    "the password right?" : "a broken private key", why);
}

/* The key in a file; none there is no error.  -1 and why. */
static int
take_key(struct own_cert *own, const struct pem_file *pem,
    const char *password_file, struct error *why)
{
	const char *at = pem_key(pem->text);
	struct password p = { password_file, 0, 0 };
	BIO *in;

	if (at == NULL)
		return 0;
	if (own->key != NULL || pem_key(at + 1) != NULL)
		return pem_fail(pem, "more than one private key", why);
	ERR_clear_error();
	in = BIO_new_mem_buf(at, -1);
	if (in != NULL)
		own->key = PEM_read_bio_PrivateKey(in, NULL, give_password,
		    &p);
	BIO_free(in);
	if (own->key == NULL)
		return no_key(pem, &p, why);
	ERR_clear_error();
	return 0;
}

static int
read_file(struct own_cert *own, STACK_OF(X509) *found, const char *option,
    const char *path, const char *password_file, struct error *why)
{
	struct pem_file pem;
	int r;

	if (pem_open(&pem, option, path, why) == -1)
		return -1;
	r = pem_certs(&pem, found, why);
	if (r == 0)
		r = take_key(own, &pem, password_file, why);
	pem_close(&pem);
	return r;
}

/* Takes the one that fits out of the stack, or NULL. */
static X509 *
take(STACK_OF(X509) *found, int (*fits)(const void *, X509 *),
    const void *arg)
{
	X509 *cert;
	int i;

	for (i = 0; i < sk_X509_num(found); i++) {
		cert = sk_X509_value(found, i);
		if (fits(arg, cert))
			return sk_X509_delete(found, i);
	}
	return NULL;
}

static int
has_key(const void *key, X509 *cert)
{
	const EVP_PKEY *public = X509_get0_pubkey(cert);

	return public != NULL && EVP_PKEY_eq(public, key) == 1;
}

static int
has_issued(const void *issued, X509 *cert)
{
	return X509_check_issued(cert, (X509 *)(uintptr_t)issued) ==
	    X509_V_OK;
}

static int
is_root(X509 *cert)
{
	return X509_check_issued(cert, cert) == X509_V_OK;
}

/*
 * From the key to its certificate, and on from issuer to issuer.  A root is
 * left out: a peer without it would not trust it (RFC 8446 4.4.2).
 */
static int
link_up(struct own_cert *own, STACK_OF(X509) *found, const char *option,
    const char *path, struct error *why)
{
	char names[160] = "";
	X509 *cert;

	own->leaf = take(found, has_key, own->key);
	ERR_clear_error();
	if (own->leaf == NULL) {
		if (sk_X509_num(found) > 0)
			cert_names(names, sizeof(names),
			    sk_X509_value(found, 0));
		return error_set(why, EXIT_BADUSAGE, "%s %s: %s%s", option,
		    path, names[0] == '\0' ? "no certificate in it" :
		    "no certificate in it belongs to the key, the first one "
		    "being ", names);
	}
	if ((own->chain = sk_X509_new_null()) == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	for (cert = own->leaf; sk_X509_num(own->chain) < CHAIN_MAX &&
	    !is_root(cert); sk_X509_push(own->chain, cert))
		if ((cert = take(found, has_issued, cert)) == NULL)
			return 0;
		else if (is_root(cert)) {
			X509_free(cert);
			return 0;
		}
	return 0;
}

int
own_cert_load(struct own_cert *own, const struct tls_options *o,
    struct error *why)
{
	const char *cert = o->server ? "--tls-cert" : "--cert";
	const char *key = o->server ? "--tls-key" : "--key";
	STACK_OF(X509) *found;
	int r;

	memset(own, 0, sizeof(*own));
	if (o->cert == NULL && o->key == NULL)
		return 0;
	if (o->cert == NULL)
		return error_set(why, EXIT_BADUSAGE, "%s without %s", key,
		    cert);
	if ((found = sk_X509_new_null()) == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	r = read_file(own, found, cert, o->cert, o->password_file, why);
	if (r == 0 && o->key != NULL && strcmp(o->key, o->cert) != 0)
		r = read_file(own, found, key, o->key, o->password_file, why);
	if (r == 0 && own->key == NULL)
		r = error_set(why, EXIT_BADUSAGE, "%s %s: no private key in "
		    "it%s%s", o->key != NULL ? key : cert,
		    o->key != NULL ? o->key : o->cert,
		    o->key != NULL ? "" : ": ", o->key != NULL ? "" : key);
	if (r == 0)
		r = link_up(own, found, cert, o->cert, why);
	sk_X509_pop_free(found, X509_free);
	if (r == -1)
		own_cert_forget(own);
	return r;
}

int
own_cert_use(const struct own_cert *own, SSL *ssl)
{
	if (own->leaf == NULL || own->key == NULL)
		return 0;
	return SSL_use_certificate(ssl, own->leaf) == 1 &&
	    SSL_use_PrivateKey(ssl, own->key) == 1 &&
	    SSL_set1_chain(ssl, own->chain) == 1 ? 0 : -1;
}

void
own_cert_forget(struct own_cert *own)
{
	X509_free(own->leaf);
	EVP_PKEY_free(own->key);
	sk_X509_pop_free(own->chain, X509_free);
	memset(own, 0, sizeof(*own));
}
