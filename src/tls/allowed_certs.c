/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "os/log.h"
#include "tls/allowed_certs.h"
#include "tls/cert_error.h"
#include "tls/pem.h"

int
allowed_certs_load(struct allowed_certs *p, const struct tls_options *o,
    X509_STORE *store, struct error *why)
{
	int has_authorities = o->cafile != NULL || o->capath != NULL;
	struct pem_file pem;
	int i, r;

	p->list = NULL;
	p->option = o->server ? "--tls-peer-certs" : "--peer-certs";
	if (o->peer_certs == NULL)
		return 0;
	if ((p->list = sk_X509_new_null()) == NULL)
		return error_set(why, EXIT_SYSTEM, "out of memory");
	if (pem_open(&pem, p->option, o->peer_certs, why) == -1)
		return -1;
	r = pem_certs(&pem, p->list, why);
	if (r == 0 && sk_X509_num(p->list) == 0)
		r = pem_fail(&pem, "no certificate in it", why);
	if (r == 0 && pem_key(pem.text) != NULL)
		log_event(LOG_L_WARN, "peer-certs", "file", o->peer_certs,
		    "why", "holds a private key, which does not belong there "
		    "and is ignored", NULL);
	pem_close(&pem);
	for (i = 0; r == 0 && !has_authorities && i < sk_X509_num(p->list);
	    i++)
		X509_STORE_add_cert(store, sk_X509_value(p->list, i));
	return r;
}

void
allowed_certs_free(struct allowed_certs *p)
{
	sk_X509_pop_free(p->list, X509_free);
	p->list = NULL;
}

int
allowed_certs_check(const struct allowed_certs *p, X509 *cert, const char *name,
    struct error *why)
{
	char names[160];
	int i;

	if (p->list == NULL)
		return 0;
	for (i = 0; cert != NULL && i < sk_X509_num(p->list); i++)
		if (X509_cmp(sk_X509_value(p->list, i), cert) == 0)
			return 0;
	if (cert == NULL)
		return error_set(why, EXIT_DENIED, "%s has sent no certificate",
		    name);
	return error_set(why, EXIT_DENIED, "certificate of %s: it is not among "
	    "those of %s (%s)", name, p->option,
	    cert_names(names, sizeof(names), cert));
}
