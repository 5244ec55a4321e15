/* SPDX-License-Identifier: ISC */
/*
 * Which of several certificates a client gets: by the name that it asks for
 * (RFC 6066 3).  There may be one of each kind of key for a name.
 */
#include <string.h>

#include "tls/cert_error.h"
#include "tls/openssl.h"
#include "tls/own_cert.h"

static int
is_for(X509 *cert, const char *name)
{
	return X509_check_host(cert, name, 0,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static int
is_any_for(const struct own_certs *own, const char *name)
{
	unsigned int i;

	for (i = 0; name != NULL && i < own->n; i++)
		if (is_for(own->v[i].leaf, name))
			return 1;
	return 0;
}

static int
has_same_names(X509 *a, X509 *b)
{
	char names_a[1024], names_b[1024];

	return strcmp(cert_names(names_a, sizeof(names_a), a),
	    cert_names(names_b, sizeof(names_b), b)) == 0;
}

/* Of two with the same kind of key the first wins: it is set last. */
static int
choose(SSL *ssl, void *arg)
{
	const struct own_certs *own = arg;
	const char *name = SSL_get_servername(ssl,
	    TLSEXT_NAMETYPE_host_name);
	int by_name = is_any_for(own, name);
	X509 *leaf;
	unsigned int i;

	SSL_certs_clear(ssl);
	for (i = own->n; i-- > 0; ) {
		leaf = own->v[i].leaf;
		if (by_name ? !is_for(leaf, name) :
		    i > 0 && !has_same_names(own->v[0].leaf, leaf))
			continue;
		if (own_cert_use(&own->v[i], ssl) == -1)
			return 0;
	}
	return 1;
}

int
own_certs_use(const struct own_certs *own, SSL *ssl)
{
	if (own->n == 0 || own->forgotten)
		return 0;
	if (own->n == 1)
		return own_cert_use(&own->v[0], ssl);
	SSL_set_cert_cb(ssl, choose, (void *)(uintptr_t)own);
	return 0;
}
