/* SPDX-License-Identifier: ISC */
/*
 * Why a connection failed, as text.
 */
#include <stdint.h>
#include <string.h>

#include "tls/internal.h"
#include "tls/openssl.h"

/* Alerts about a certificate of ours (RFC 8446 6.2). */
static const char *
refused_ours(int reason)
{
	switch (reason) {
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
		return "it is malformed, or not among those accepted";
	case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
		return "it is of an unsupported kind";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
		return "it is revoked";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return "it has expired";
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
		return "it is not acceptable";
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return "its authority is not known there";
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		return "access denied";
	case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
		return "its signature does not fit";
	}
	return NULL;
}

/* Where OpenSSL's own text does not help. */
static const char *
clearer_text(const SSL *ssl, int reason)
{
	switch (reason) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return "the connection was closed";
	case SSL_R_WRONG_VERSION_NUMBER:
		return "the other side does not speak TLS";
	case SSL_R_HTTP_REQUEST:
		return "the other side speaks HTTP without TLS";
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_VERSION_TOO_LOW:
		return SSL_get_min_proto_version((SSL *)(uintptr_t)ssl) ==
		    TLS1_3_VERSION ?
		    "no common version of TLS (1.3 or later is needed)" :
		    "no common version of TLS (1.2 or later is needed)";
	case SSL_R_NO_SHARED_CIPHER:
		return "no common cipher";
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		return "the other side finds nothing in common (version, "
		    "cipher, certificate)";
	case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return "no common protocol: http/1.1 is not spoken there";
	}
	return NULL;
}

int
tls_explain(const struct tls *t, unsigned long code, int e, struct error *why)
{
	int reason = ERR_GET_REASON(code);
	const char *text;

	if (code == 0)
		return error_set(why, EXIT_PROTOCOL, "TLS with %s: %s", t->name,
		    e != 0 ? strerror(e) : "the connection was closed");
	if (!ERR_SYSTEM_ERROR(code) && ERR_GET_LIB(code) == ERR_LIB_SSL) {
		if ((text = refused_ours(reason)) != NULL)
			return error_set(why, EXIT_DENIED, "our certificate "
			    "was refused by %s: %s", t->name, text);
		if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED ||
		    (reason == SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE &&
		    t->asked == TLS_ASKED_IN_VAIN))
			return error_set(why, EXIT_DENIED, "%s wants a "
			    "certificate of ours: use --cert", t->name);
		if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
			return error_set(why, EXIT_DENIED, "%s has sent no "
			    "certificate", t->name);
		if ((text = clearer_text(t->ssl, reason)) != NULL)
			return error_set(why, EXIT_PROTOCOL, "TLS with %s: %s",
			    t->name, text);
	}
	return error_set(why, EXIT_PROTOCOL, "TLS with %s: %s", t->name,
	    openssl_reason_of(code));
}

int
tls_failed(const struct tls *t, struct error *why)
{
	if (t->code == 0 && t->asked == TLS_ASKED_IN_VAIN)
		return error_set(why, EXIT_DENIED, "%s wants a certificate of "
		    "ours: use --cert (it has ended the connection)", t->name);
	return t->code == 0 ? 0 : tls_explain(t, t->code, 0, why);
}
