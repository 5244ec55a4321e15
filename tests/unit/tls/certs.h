/* SPDX-License-Identifier: ISC */
/*
 * Certificates for the tests of TLS, made here.
 */
#ifndef TLS_CERTS_H
#define TLS_CERTS_H

#include <stdio.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY	(24 * 3600L)

struct pair {
	X509 *cert;
	EVP_PKEY *key;
};

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
}

/* From and to are seconds from now; by NULL signs itself. */
static struct pair
make_cert(const char *cn, const char *san, const struct pair *by, long from,
    long to)
{
	static long serial = 1;
	struct pair p;
	X509_NAME *name;

	p.key = EVP_EC_gen("P-256");
	p.cert = X509_new();
	X509_set_version(p.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(p.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(p.cert), from);
	X509_gmtime_adj(X509_getm_notAfter(p.cert), to);
	X509_set_pubkey(p.cert, p.key);
	name = X509_get_subject_name(p.cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(p.cert, by == NULL ? name :
	    X509_get_subject_name(by->cert));
	if (san != NULL)
		extend(p.cert, NID_subject_alt_name, san);
	else
		extend(p.cert, NID_basic_constraints, "critical,CA:TRUE");
	X509_sign(p.cert, by == NULL ? p.key : by->key, EVP_sha256());
	return p;
}

__attribute__((unused))
static void
free_pair(struct pair *p)
{
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
}

__attribute__((unused))
static void
save(const char *path, X509 *cert)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		exit(1);
	if (cert != NULL)
		PEM_write_X509(f, cert);
	else
		fputs("nothing of use\n", f);
	fclose(f);
}

__attribute__((unused))
static void
save_key(const char *path, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		exit(1);
	PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

#endif
