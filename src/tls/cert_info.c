/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <time.h>

#include "tls/cert_error.h"
#include "tls/openssl.h"
#include "tls/pins.h"

#define DAY	86400

/*
 * No time_t is given to OpenSSL or taken from it: where it has 32 bits, ours may
 * have 64.
 */
int64_t
cert_not_after(const X509 *cert)
{
	const ASN1_TIME *t = X509_get0_notAfter(cert);
	ASN1_TIME *epoch = ASN1_TIME_new();
	int days = 0, rest = 0;

	if (epoch != NULL &&
	    ASN1_TIME_set_string(epoch, "19700101000000Z") == 1 &&
	    ASN1_TIME_diff(&days, &rest, epoch, t) != 1)
		days = rest = 0;
	ASN1_TIME_free(epoch);
	return (int64_t)days * DAY + rest;
}

/* As RFC 3339 has it, in UTC. */
static void
print_time(char *dst, size_t size, const ASN1_TIME *t)
{
	struct tm tm;

	dst[0] = '\0';
	if (ASN1_TIME_to_tm(t, &tm) == 1)
		strftime(dst, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void
cert_info(struct cert *c, const STACK_OF(X509) *chain)
{
	X509 *cert;
	int i, n = sk_X509_num(chain);

	if (n <= 0)
		return;
	cert = sk_X509_value(chain, 0);
	cert_names(c->names, sizeof(c->names), cert);
	cert_name(c->issuer, sizeof(c->issuer),
	    X509_get_issuer_name(cert));
	pins_print(c->pin, sizeof(c->pin), cert);
	print_time(c->from, sizeof(c->from), X509_get0_notBefore(cert));
	print_time(c->until, sizeof(c->until), X509_get0_notAfter(cert));
	for (i = 0; i < n && i < CERT_CHAIN_MAX; i++) {
		cert = sk_X509_value(chain, i);
		cert_name(c->chain[i].subject,
		    sizeof(c->chain[i].subject), X509_get_subject_name(cert));
		c->chain[i].not_after = cert_not_after(cert);
	}
	c->n = i;
	c->known = 1;
}
