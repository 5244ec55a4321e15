/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "tls/cert_error.h"
#include "tls/openssl.h"

#define TEXT_MAX	160	/* of one certificate's names */

/*
 * RFC 2253 escapes everything but printable ASCII: nothing remains to be
 * escaped.  How long the text is, or -1.
 */
static long
print_name(char *dst, size_t size, const X509_NAME *name)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text;
	long len = -1;

	dst[0] = '\0';
	if (out != NULL && name != NULL && X509_NAME_print_ex(out, name, 0,
	    XN_FLAG_RFC2253) >= 0)
		len = BIO_get_mem_data(out, &text);
	if (len > 0)
		slice_copy(dst, size, (struct slice){ text, len });
	BIO_free(out);
	return len;
}

char *
cert_name(char *dst, size_t size, const X509_NAME *name)
{
	if (print_name(dst, size, name) >= (long)size)
		strlcpy(dst + size - 4, "...", 4);
	return dst;
}

int
cert_subject(char *dst, size_t size, X509 *cert)
{
	long len = print_name(dst, size, X509_get_subject_name(cert));

	if (len >= 0 && len < (long)size)
		return 0;
	dst[0] = '\0';
	return -1;
}

/* "DNS:foo" or "IP:::1"; 0 for other kinds of names. */
static int
print_alt_name(char *dst, size_t size, const GENERAL_NAME *name)
{
	char text[64];
	const ASN1_STRING *s;
	int len, family;

	switch (name->type) {
	case GEN_DNS:
		s = name->d.dNSName;
		str_escape(text, sizeof(text), ASN1_STRING_get0_data(s),
		    ASN1_STRING_length(s));
		snprintf(dst, size, "DNS:%s", text);
		return 1;
	case GEN_IPADD:
		s = name->d.iPAddress;
		len = ASN1_STRING_length(s);
		if (len != 4 && len != 16)
			return 0;
		family = len == 4 ? AF_INET : AF_INET6;
		inet_ntop(family, ASN1_STRING_get0_data(s), text, sizeof(text));
		snprintf(dst, size, "IP:%s", text);
		return 1;
	default:
		return 0;
	}
}

char *
cert_names(char *dst, size_t size, X509 *cert)
{
	GENERAL_NAMES *alt;
	char one[80];
	int i, shown = 0;
	size_t len;

	cert_name(dst, size / 2, X509_get_subject_name(cert));
	alt = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	for (i = 0; i < sk_GENERAL_NAME_num(alt); i++) {
		if (!print_alt_name(one, sizeof(one),
		    sk_GENERAL_NAME_value(alt, i)))
			continue;
		len = strlen(dst);
		if (len + strlen(one) + sizeof(" / , ...") > size) {
			strlcat(dst, ", ...", size);
			break;
		}
		snprintf(dst + len, size - len, "%s%s",
		    shown++ > 0 ? ", " : len > 0 ? " / " : "", one);
	}
	GENERAL_NAMES_free(alt);
	if (dst[0] == '\0')
		strlcpy(dst, "no name", size);
	return dst;
}

static char *
print_tm(char *dst, size_t size, const struct tm *tm)
{
	strftime(dst, size, "%Y-%m-%d %H:%M:%S UTC", tm);
	return dst;
}

static char *
print_time(char *dst, size_t size, const ASN1_TIME *time)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		strlcpy(dst, "(unreadable)", size);
	else
		print_tm(dst, size, &tm);
	return dst;
}

/* A refusal, as far as it has been found out. */
struct refusal {
	X509 *cert;
	const char *name;	/* of the peer */
	const char *trust;	/* the option that would change it */
	struct error *why;
};

/* A wrong clock is as likely a cause as a wrong certificate: show both. */
static void
for_time(const struct refusal *r, const char *what, const ASN1_TIME *limit)
{
	char names[TEXT_MAX], then[40], today[40];
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	print_tm(today, sizeof(today), &tm);
	print_time(then, sizeof(then), limit);
	cert_name(names, sizeof(names), X509_get_subject_name(r->cert));
	error_set(r->why, EXIT_DENIED,
	    "certificate of %s: %s %s (%s); it is now %s", r->name, what,
	    then, names, today);
}

/* An address must be a subjectAltName of type IP (RFC 2818 3.1). */
static void
for_name(const struct refusal *r, int error)
{
	const char *reason = X509_verify_cert_error_string(error);
	char names[TEXT_MAX];

	cert_names(names, sizeof(names), r->cert);
	if (error == X509_V_ERR_IP_ADDRESS_MISMATCH &&
	    strstr(names, "IP:") == NULL)
		error_set(r->why, EXIT_DENIED, "certificate of %s: %s: it is "
		    "for %s; use a name of it, or a certificate with "
		    "subjectAltName=IP:%s", r->name, reason, names, r->name);
	else
		error_set(r->why, EXIT_DENIED, "certificate of %s: %s: it is "
		    "for %s", r->name, reason, names);
}

/*
 * The issuer is not known: a server that leaves out intermediate authorities
 * is as likely as one that has an authority of its own.
 */
static void
for_issuer(const struct refusal *r, int no_chain)
{
	char names[TEXT_MAX];

	cert_name(names, sizeof(names), X509_get_issuer_name(r->cert));
	error_set(r->why, EXIT_DENIED, "certificate of %s: issued by an "
	    "unknown authority: %s%s; if it is the right one, trust it with %s",
	    r->name, names, no_chain ? ", whose certificate was not sent: "
	    "the chain may be incomplete there" : "", r->trust);
}

static void
for_list(const struct refusal *r, const char *what)
{
	char names[TEXT_MAX];

	cert_name(names, sizeof(names), X509_get_issuer_name(r->cert));
	error_set(r->why, EXIT_DENIED, "certificate of %s: the revocation list "
	    "of its issuer (%s) %s", r->name, names, what);
}

void
cert_refused(X509_STORE_CTX *ctx, const char *name,
    const char *ca_option, struct error *why)
{
	struct refusal r = { X509_STORE_CTX_get_current_cert(ctx), name,
	    ca_option, why };
	int error = X509_STORE_CTX_get_error(ctx);
	const char *reason = X509_verify_cert_error_string(error);
	char names[TEXT_MAX];

	if (r.cert == NULL) {
		error_set(why, EXIT_DENIED, "certificate of %s: %s", name,
		    reason);
		return;
	}
	cert_names(names, sizeof(names), r.cert);
	switch (error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		for_name(&r, error);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		for_time(&r, "expired on", X509_get0_notAfter(r.cert));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		for_time(&r, "not valid before",
		    X509_get0_notBefore(r.cert));
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		error_set(why, EXIT_DENIED, "certificate of %s: self-signed "
		    "certificate: %s; if it is the right one, trust it with %s",
		    name, names, r.trust);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		for_issuer(&r, 0);
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		for_issuer(&r, X509_STORE_CTX_get_num_untrusted(ctx) <= 1);
		break;
	case X509_V_ERR_CERT_REVOKED:
		error_set(why, EXIT_DENIED, "certificate of %s: revoked by its "
		    "issuer: %s", name, names);
		break;
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		for_list(&r, "is not in --crlfile");
		break;
	case X509_V_ERR_CRL_HAS_EXPIRED:
		for_list(&r, "has expired: --crlfile needs a newer one");
		break;
	default:
		error_set(why, EXIT_DENIED, "certificate of %s: %s (%s)", name,
		    reason, names);
		break;
	}
}
