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
	len = (int)strcspn(first, "\r\n");
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
		    readfile_reason(p->error));
	if (p->asked && p->path == NULL) {
		ERR_clear_error();
		return pem_fail(pem, "the key is encrypted: "
		    "--key-password-file is needed", why);
	}
	return pem_fail(pem, p->asked ? "the key cannot be decrypted, is "
	    "the password right?" : "a broken private key", why);
}

/* A file that was named for us, and what is in it. */
struct source {
	const char *option, *path;
	STACK_OF(X509) *certs;
	EVP_PKEY *key;		/* NULL: none */
	int used;		/* a certificate belongs to the key */
};

/* Those of certificates first. */
struct own_sources {
	const char *cert_option, *key_option;
	struct source v[2 * OWN_CERTS_MAX];
	unsigned int ncerts, nkeys, n;	/* files of each; nkeys: looked at */
};

/* The key in a file; none there is no error.  -1 and why. */
static int
take_key(struct source *s, const struct pem_file *pem,
    const char *password_file, struct error *why)
{
	const char *at = pem_key(pem->text);
	struct password p = { password_file, 0, 0 };
	BIO *in;

	if (at == NULL)
		return 0;
	if (pem_key(at + 1) != NULL)
		return pem_fail(pem, "more than one private key", why);
	ERR_clear_error();
	in = BIO_new_mem_buf(at, -1);
	if (in != NULL)
		s->key = PEM_read_bio_PrivateKey(in, NULL, give_password, &p);
	BIO_free(in);
	if (s->key == NULL)
		return no_key(pem, &p, why);
	ERR_clear_error();
	return 0;
}

static int
read_file(struct own_sources *all, const char *option, const char *path,
    const char *password_file, struct error *why)
{
	struct source *s = &all->v[all->n++];
	struct pem_file pem;
	int r;

	*s = (struct source){ .option = option, .path = path };
	if ((s->certs = sk_X509_new_null()) == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (pem_open(&pem, option, path, why) == -1)
		return -1;
	r = pem_certs(&pem, s->certs, why);
	if (r == 0)
		r = take_key(s, &pem, password_file, why);
	pem_close(&pem);
	return r;
}

static int
has_been_read(const struct own_sources *all, const char *path)
{
	unsigned int i;

	for (i = 0; i < all->n; i++)
		if (strcmp(all->v[i].path, path) == 0)
			return 1;
	return 0;
}

/* Of one pair each file may hold all that belongs to it. */
static void
merge(struct own_sources *all)
{
	X509 *cert;

	if (all->ncerts != 1 || all->n != 2)
		return;
	while (sk_X509_num(all->v[1].certs) > 0) {
		cert = sk_X509_delete(all->v[1].certs, 0);
		if (sk_X509_push(all->v[0].certs, cert) == 0)
			X509_free(cert);
	}
}

/* The next of the files that are named.  1; 0: there is none; -1 and why. */
static int
read_next(struct own_sources *all, const struct tls_options *o,
    struct error *why)
{
	const char *path;

	if (all->ncerts < o->ncerts) {
		path = o->certs[all->ncerts++];
		return read_file(all, all->cert_option, path,
		    o->password_file, why) == -1 ? -1 : 1;
	}
	while (all->nkeys < o->nkeys) {
		path = o->keys[all->nkeys++];
		if (has_been_read(all, path))
			continue;
		if (read_file(all, all->key_option, path, o->password_file,
		    why) == -1)
			return -1;
		return all->v[all->n - 1].key != NULL ? 1 : error_set(why,
		    EXIT_BADUSAGE, "%s %s: no private key in it",
		    all->key_option, path);
	}
	return 0;
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

/* It has no key: the text says which names it is for. */
static int
no_pair(const struct own_sources *all, const struct source *s, struct error *why)
{
	char names[160];

	if (sk_X509_num(s->certs) == 0)
		return error_set(why, EXIT_BADUSAGE, "%s %s: no certificate "
		    "in it", s->option, s->path);
	cert_names(names, sizeof(names), sk_X509_value(s->certs, 0));
	if (s->key == NULL && all->n == all->ncerts)
		return error_set(why, EXIT_BADUSAGE, "%s %s: no private key "
		    "in it: %s", s->option, s->path, all->key_option);
	if (s->key == NULL && all->ncerts > 1)
		return error_set(why, EXIT_BADUSAGE, "%s %s: no %s belongs to "
		    "it; it is for %s", s->option, s->path, all->key_option,
		    names);
	return error_set(why, EXIT_BADUSAGE, "%s %s: no certificate in it "
	    "belongs to the key, the first one being %s", s->option, s->path,
	    names);
}

/* By the key in the file itself, or else by one of the others. */
static int
find_pair(struct own_cert *own, struct own_sources *all, struct source *s,
    struct error *why)
{
	struct source *k = s->key != NULL ? s : all->v + all->ncerts;
	struct source *end = s->key != NULL ? s + 1 : all->v + all->n;

	for (; k < end && own->leaf == NULL; k++)
		if ((own->leaf = take(s->certs, has_key, k->key)) != NULL) {
			EVP_PKEY_up_ref(k->key);
			own->key = k->key;
			k->used = 1;
		}
	ERR_clear_error();
	return own->leaf == NULL ? no_pair(all, s, why) : 0;
}

/*
 * On from issuer to issuer.  A root is left out: a peer without it would not
 * trust it (RFC 8446 4.4.2).
 */
static int
link_up(struct own_cert *own, STACK_OF(X509) *found, struct error *why)
{
	X509 *cert;

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

/* A certificate of each file, and a file for each key. */
static int
pair_all(struct own_certs *own, struct own_sources *all, struct error *why)
{
	struct source *s;
	struct own_cert *one;

	for (s = all->v; s < all->v + all->ncerts; s++) {
		one = &own->v[own->n++];
		one->path = s->path;
		if (find_pair(one, all, s, why) == -1 ||
		    link_up(one, s->certs, why) == -1)
			return -1;
	}
	for (; s < all->v + all->n; s++)
		if (!s->used)
			return error_set(why, EXIT_BADUSAGE, "%s %s: no "
			    "certificate of %s belongs to this key",
			    s->option, s->path, all->cert_option);
	return 0;
}

void
own_certs_end(struct own_sources **sources)
{
	struct own_sources *all = *sources;
	unsigned int i;

	*sources = NULL;
	if (all == NULL)
		return;
	for (i = 0; i < all->n; i++) {
		EVP_PKEY_free(all->v[i].key);
		sk_X509_pop_free(all->v[i].certs, X509_free);
	}
	OPENSSL_free(all);
}

const char *
own_cert_option(const struct tls_options *o)
{
	return o->server ? "--tls-cert" : "--cert";
}

int
own_certs_load(struct own_certs *own, struct own_sources **sources,
    const struct tls_options *o, struct error *why)
{
	const char *cert = own_cert_option(o);
	const char *key = o->server ? "--tls-key" : "--key";
	int r;

	if (o->ncerts == 0)
		return o->nkeys == 0 ? 0 : error_set(why, EXIT_BADUSAGE,
		    "%s without %s", key, cert);
	if (*sources == NULL) {
		if ((*sources = OPENSSL_zalloc(sizeof(**sources))) == NULL)
			return error_set(why, EXIT_SYSTEM, "out of memory");
		(*sources)->cert_option = cert;
		(*sources)->key_option = key;
	}
	if ((r = read_next(*sources, o, why)) != 0)
		return r;
	merge(*sources);
	return pair_all(own, *sources, why);
}

int
own_cert_use(const struct own_cert *own, SSL *ssl)
{
	return SSL_use_certificate(ssl, own->leaf) == 1 &&
	    SSL_use_PrivateKey(ssl, own->key) == 1 &&
	    SSL_set1_chain(ssl, own->chain) == 1 ? 0 : -1;
}

void
own_certs_forget(struct own_certs *own)
{
	struct own_cert *one;

	own->forgotten = 1;
	for (one = own->v; one < own->v + own->n; one++) {
		EVP_PKEY_free(one->key);
		one->key = NULL;
	}
}

void
own_certs_free(struct own_certs *own)
{
	struct own_cert *one;

	own_certs_forget(own);
	for (one = own->v; one < own->v + own->n; one++) {
		X509_free(one->leaf);
		sk_X509_pop_free(one->chain, X509_free);
	}
	memset(own, 0, sizeof(*own));
}
