/* SPDX-License-Identifier: ISC */
/*
 * What TLS is told and tells: files of certificates and keys, pins, names of
 * certificates as text, and each reason for a refusal in its words.
 *
 * If it fails: a certificate is used with another one's key, or a user is told
 * the wrong reason, or a part of it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tls/certs.h"
#include "tap.h"
#include "tls/bio.h"
#include "tls/cert_error.h"
#include "tls/internal.h"
#include "tls/pem.h"
#include "tls/trust.h"

static struct error why;
static struct pair ca, middle, leaf, other;
static char folder[] = "/tmp/inetws-parts-XXXXXX";
static char path[8][64];

/* --- what broke a connection --- */

static void
explain(int reason, enum tls_asked asked, int status, const char *text)
{
	struct tls t = { .name = "h.example", .asked = asked };
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	t.ssl = SSL_new(ctx);
	SSL_set_min_proto_version(t.ssl, TLS1_3_VERSION);
	is(tls_explain(&t, ERR_PACK(ERR_LIB_SSL, 0, reason), 0, &why), -1,
	    "(told)");
	is_str(why.text, text, text);
	is(why.status, status, "its exit status");
	SSL_free(t.ssl);
	SSL_CTX_free(ctx);
}

static void
test_errors(void)
{
	struct tls t = { .name = "h.example" };

	explain(SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, TLS_NOT_ASKED, EXIT_DENIED,
	    "our certificate was refused by h.example: it is malformed, or not "
	    "among those accepted");
	explain(SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, TLS_NOT_ASKED,
	    EXIT_DENIED, "our certificate was refused by h.example: it is of an "
	    "unsupported kind");
	explain(SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, TLS_NOT_ASKED,
	    EXIT_DENIED, "our certificate was refused by h.example: it is "
	    "revoked");
	explain(SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, TLS_NOT_ASKED,
	    EXIT_DENIED, "our certificate was refused by h.example: it has "
	    "expired");
	explain(SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, TLS_NOT_ASKED,
	    EXIT_DENIED, "our certificate was refused by h.example: it is not "
	    "acceptable");
	explain(SSL_R_TLSV1_ALERT_UNKNOWN_CA, TLS_NOT_ASKED, EXIT_DENIED,
	    "our certificate was refused by h.example: its authority is not "
	    "known there");
	explain(SSL_R_TLSV1_ALERT_ACCESS_DENIED, TLS_NOT_ASKED, EXIT_DENIED,
	    "our certificate was refused by h.example: access denied");
	explain(SSL_R_TLSV1_ALERT_DECRYPT_ERROR, TLS_NOT_ASKED, EXIT_DENIED,
	    "our certificate was refused by h.example: its signature does not "
	    "fit");
	explain(SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, TLS_NOT_ASKED,
	    EXIT_DENIED, "h.example wants a certificate of ours: use --cert");
	explain(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, TLS_ASKED_IN_VAIN,
	    EXIT_DENIED, "h.example wants a certificate of ours: use --cert");
	explain(SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, TLS_ASKED_AND_SENT,
	    EXIT_PROTOCOL, "TLS with h.example: the other side finds nothing in "
	    "common (version, cipher, certificate)");
	explain(SSL_R_NO_SHARED_CIPHER, TLS_ASKED_IN_VAIN, EXIT_PROTOCOL,
	    "TLS with h.example: no common cipher");
	explain(SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, TLS_NOT_ASKED,
	    EXIT_DENIED, "h.example has sent no certificate");
	explain(SSL_R_UNEXPECTED_EOF_WHILE_READING, TLS_NOT_ASKED,
	    EXIT_PROTOCOL, "TLS with h.example: the connection was closed");
	explain(SSL_R_WRONG_VERSION_NUMBER, TLS_NOT_ASKED, EXIT_PROTOCOL,
	    "TLS with h.example: the other side does not speak TLS");
	explain(SSL_R_HTTP_REQUEST, TLS_NOT_ASKED, EXIT_PROTOCOL,
	    "TLS with h.example: the other side speaks HTTP without TLS");
	explain(SSL_R_UNSUPPORTED_PROTOCOL, TLS_NOT_ASKED, EXIT_PROTOCOL,
	    "TLS with h.example: no common version of TLS (1.3 or later is "
	    "needed)");
	explain(SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, TLS_NOT_ASKED,
	    EXIT_PROTOCOL, "TLS with h.example: no common version of TLS (1.3 "
	    "or later is needed)");
	explain(SSL_R_VERSION_TOO_LOW, TLS_NOT_ASKED, EXIT_PROTOCOL,
	    "TLS with h.example: no common version of TLS (1.3 or later is "
	    "needed)");
	explain(SSL_R_NO_APPLICATION_PROTOCOL, TLS_NOT_ASKED, EXIT_PROTOCOL,
	    "TLS with h.example: no common protocol: http/1.1 is not spoken "
	    "there");
	explain(SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, TLS_NOT_ASKED,
	    EXIT_PROTOCOL, "TLS with h.example: no common protocol: http/1.1 "
	    "is not spoken there");
	is(tls_explain(&t, 0, 0, &why), -1, "no error at all");
	is_str(why.text, "TLS with h.example: the connection was closed",
	    "is an end");
	is(tls_explain(&t, 0, ECONNRESET, &why), -1, "errno");
	is_str(why.text, "TLS with h.example: Connection reset by peer",
	    "is told");
	is(why.status, EXIT_PROTOCOL, "76");
	tls_explain(&t, ERR_PACK(ERR_LIB_X509, 0, X509_R_KEY_VALUES_MISMATCH),
	    0, &why);
	ok(strncmp(why.text, "TLS with h.example: ", 20) == 0 &&
	    strstr(why.text, "mismatch") != NULL, "another library's: %s",
	    why.text);
	/* the number of one may be that of another in another library */
	tls_explain(&t, ERR_PACK(ERR_LIB_X509, 0,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED), 0, &why);
	is(why.status, EXIT_PROTOCOL, "a number means that in TLS only");
	is(tls_failed(&t, &why), 0, "nothing failed");
	t.asked = TLS_ASKED_IN_VAIN;
	is(tls_failed(&t, &why), -1, "an end behind a question");
	is_str(why.text, "h.example wants a certificate of ours: use --cert (it "
	    "has ended the connection)", "is an answer");
	is(why.status, EXIT_DENIED, "77");
	t.code = ERR_PACK(ERR_LIB_SSL, 0,
	    SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED);
	is(tls_failed(&t, &why), -1, "an alert");
	ok(strstr(why.text, "it has expired") != NULL, "says more");
}

/* --- names --- */

static void
test_names(void)
{
	struct pair p;
	char dst[200], want[200], cn[65];
	X509 *bare;
	size_t i;

	p = make_cert("foo", "DNS:bar,IP:192.0.2.1,IP:2001:db8::1,"
	    "email:a@b.example", &ca, -DAY, DAY);
	is_str(cert_names(dst, sizeof(dst), p.cert),
	    "CN=foo / DNS:bar, IP:192.0.2.1, IP:2001:db8::1", "all kinds");
	is_str(cert_name(dst, sizeof(dst), X509_get_subject_name(p.cert)),
	    "CN=foo", "the subject");
	is_str(cert_name(dst, 7, X509_get_subject_name(p.cert)), "CN=foo",
	    "where it just fits");
	is_str(cert_name(dst, 6, X509_get_subject_name(p.cert)), "CN...",
	    "or is cut");
	is(cert_subject(dst, 7, p.cert), 0, "a subject that fits");
	is_str(dst, "CN=foo", "is whole");
	is(cert_subject(dst, 6, p.cert), -1, "one that does not");
	is_str(dst, "", "is none: it would be another one");
	/* where names end: the last one fits, or there are more */
	is_str(cert_names(dst, 26, p.cert), "CN=foo / DNS:bar, ...",
	    "as many as there is room for");
	for (i = 30; i < 80; i++) {
		memset(dst, 'x', sizeof(dst));
		cert_names(dst, i, p.cert);
		if (strlen(dst) >= i || strncmp(dst, "CN=foo / DNS:bar, ", 18)
		    != 0)
			break;
	}
	is(i, 80, "whatever the room, it is not left");
	free_pair(&p);
	memset(cn, 'c', 64);
	cn[64] = '\0';
	snprintf(want, sizeof(want), "DNS:%s", cn);
	p = make_cert(cn, want, &ca, -DAY, DAY);
	snprintf(want, sizeof(want), "CN=%s / DNS:%.60s...", cn, cn);
	is_str(cert_names(dst, sizeof(dst), p.cert), want, "long names");
	free_pair(&p);
	p = make_cert("x", "email:a@b.example", &ca, -DAY, DAY);
	is_str(cert_names(dst, sizeof(dst), p.cert), "CN=x",
	    "kinds that are not for hosts are left out");
	free_pair(&p);
	bare = X509_new();
	is_str(cert_names(dst, sizeof(dst), bare), "no name", "none");
	X509_free(bare);
}

static int64_t
after(const char *time)
{
	X509 *cert = X509_new();
	int64_t t;

	ASN1_TIME_set_string(X509_getm_notAfter(cert), time);
	t = cert_not_after(cert);
	X509_free(cert);
	return t;
}

static void
test_info(void)
{
	struct cert c = { .known = 0 };
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *copy;
	int i;

	is(after("19700102000001Z"), 86401, "a day and a second");
	is(after("20380119031408Z"), 2147483648LL, "beyond 31 bits");
	is(after("25000101000000Z"), 16725225600LL, "far away");
	cert_info(&c, chain);
	is(c.known, 0, "no chain, nothing known");
	copy = X509_dup(leaf.cert);
	ASN1_TIME_set_string(X509_getm_notBefore(copy), "20260102030405Z");
	ASN1_TIME_set_string(X509_getm_notAfter(copy), "20270203040506Z");
	sk_X509_push(chain, copy);
	sk_X509_push(chain, middle.cert);
	cert_info(&c, chain);
	is(c.known, 1, "a chain");
	is(c.n, 2, "of two");
	is_str(c.names, "CN=leaf / DNS:localhost", "the leaf's names");
	is_str(c.issuer, "CN=middle", "its issuer");
	is_str(c.from, "2026-01-02T03:04:05Z", "from");
	is_str(c.until, "2027-02-03T04:05:06Z", "until");
	is_str(c.chain[0].subject, "CN=leaf", "each of them");
	is_str(c.chain[1].subject, "CN=middle", "has a subject");
	is(c.chain[0].not_after, after("20270203040506Z"), "and an end");
	ok(strncmp(c.pin, "sha256//", 8) == 0 && strlen(c.pin) == 52,
	    "its key: %s", c.pin);
	for (i = 0; i < CERT_CHAIN_MAX; i++)
		sk_X509_push(chain, middle.cert);
	cert_info(&c, chain);
	is(c.n, CERT_CHAIN_MAX, "a long chain as far as there is room");
	sk_X509_free(chain);
	X509_free(copy);
}

/* --- pins --- */

static void
test_pins(void)
{
	char words[2000] = "", one[100], want[300];
	struct pins p;
	int i;

	is(pins_parse(&p, NULL, &why), 0, "no pin");
	is(p.n, 0, "(none)");
	is(pins_check(&p, NULL, "h", &why), 0, "is no demand");
	pins_print(one, sizeof(one), leaf.cert);
	is(pins_parse(&p, one, &why), 0, "one");
	is(pins_check(&p, leaf.cert, "h", &why), 0, "fits its key");
	is(pins_check(&p, other.cert, "h", &why), -1, "and no other");
	pins_print(one, sizeof(one), other.cert);
	snprintf(want, sizeof(want), "public key of h: it is not pinned; if it "
	    "is the right one: --pinnedpubkey %s", one);
	is_str(why.text, want, "says what would be right");
	is(why.status, EXIT_DENIED, "77");
	is(pins_check(&p, NULL, "h", &why), -1, "no certificate");
	is_str(why.text, "public key of h: it cannot be read", "has no key");
	for (i = 0; i < PINS_MAX; i++) {
		strlcat(words, one, sizeof(words));
		strlcat(words, ";", sizeof(words));
	}
	is(pins_parse(&p, words, &why), 0, "as many as there may be");
	is(p.n, PINS_MAX, "all");
	is(pins_check(&p, other.cert, "h", &why), 0, "one of them fits");
	strlcat(words, one, sizeof(words));
	is(pins_parse(&p, words, &why), -1, "one too many");
	is_str(why.text, "--pinnedpubkey: more than 16 keys", "says so");
	is(why.status, EXIT_BADUSAGE, "64");
	is(pins_parse(&p, "sha256//AAAA", &why), -1, "too short");
	is_str(why.text, "--pinnedpubkey: 'sha256//AAAA' is not sha256// and 44 "
	    "letters of base64", "says which");
	is(pins_parse(&p, "sha256", &why), -1, "a part of the word");
	one[3] = '1';
	is(pins_parse(&p, one, &why), -1, "another hash");
}

/* --- why a certificate is refused --- */

static void
refuse(int error, const char *name, const char *want)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *sent = sk_X509_new_null();

	sk_X509_push(sent, leaf.cert);
	X509_STORE_CTX_init(ctx, store, leaf.cert, sent);
	X509_STORE_CTX_set_error(ctx, error);
	X509_STORE_CTX_set_current_cert(ctx, leaf.cert);
	cert_refused(ctx, name, "--cacert", &why);
	ok(strncmp(why.text, want, strlen(want)) == 0, "%s", why.text);
	is(why.status, EXIT_DENIED, "77");
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_free(sent);
}

static void
test_refused(void)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	refuse(X509_V_ERR_HOSTNAME_MISMATCH, "h", "certificate of h: hostname "
	    "mismatch: it is for CN=leaf / DNS:localhost");
	refuse(X509_V_ERR_IP_ADDRESS_MISMATCH, "192.0.2.1", "certificate of "
	    "192.0.2.1: IP address mismatch: it is for CN=leaf / "
	    "DNS:localhost; use a name of it, or a certificate with "
	    "subjectAltName=IP:192.0.2.1");
	refuse(X509_V_ERR_CERT_HAS_EXPIRED, "h", "certificate of h: expired on "
	    "2");
	ok(strstr(why.text, " UTC (CN=leaf); it is now 2") != NULL &&
	    strcmp(why.text + strlen(why.text) - 4, " UTC") == 0, "(when)");
	refuse(X509_V_ERR_CERT_NOT_YET_VALID, "h", "certificate of h: not valid "
	    "before 2");
	refuse(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "h", "certificate of h: "
	    "self-signed certificate: CN=leaf / DNS:localhost; if it is the "
	    "right one, trust it with --cacert");
	refuse(X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, "h", "certificate of h: "
	    "issued by an unknown authority: CN=middle; if it is the right "
	    "one, trust it with --cacert");
	refuse(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "h", "certificate "
	    "of h: issued by an unknown authority: CN=middle");
	refuse(X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, "h", "certificate of "
	    "h: issued by an unknown authority: CN=middle, whose certificate "
	    "was not sent: the chain may be incomplete there; if it is the "
	    "right one, trust it with --cacert");
	refuse(X509_V_ERR_CERT_REVOKED, "h", "certificate of h: revoked by its "
	    "issuer: CN=leaf / DNS:localhost");
	refuse(X509_V_ERR_UNABLE_TO_GET_CRL, "h", "certificate of h: the "
	    "revocation list of its issuer (CN=middle) is not in --crlfile");
	refuse(X509_V_ERR_CRL_HAS_EXPIRED, "h", "certificate of h: the "
	    "revocation list of its issuer (CN=middle) has expired: --crlfile "
	    "needs a newer one");
	refuse(X509_V_ERR_INVALID_PURPOSE, "h", "certificate of h: ");
	ok(strstr(why.text, " (CN=leaf / DNS:localhost)") != NULL,
	    "any other has the names, too");
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_OUT_OF_MEM);
	cert_refused(ctx, "h", "--cacert", &why);
	is_str(why.text, "certificate of h: out of memory", "no certificate");
	X509_STORE_CTX_free(ctx);
}

/* --- files --- */

static void
put(int i, X509 *const *certs, int n, EVP_PKEY *key)
{
	FILE *f = fopen(path[i], "w");
	int k;

	if (f == NULL)
		abort();
	for (k = 0; k < n; k++)
		PEM_write_X509(f, certs[k]);
	if (key != NULL)
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static void
write_text(int i, const char *text)
{
	FILE *f = fopen(path[i], "w");

	if (f == NULL)
		abort();
	fputs(text, f);
	fclose(f);
}

static struct own_certs own;

/* Reads all that is named: 0 or -1, in so many steps. */
static int
load(int server, int ncerts, int nkeys, const char *password)
{
	const char *certs[2] = { path[0], path[1] };
	const char *keys[2] = { path[2], path[3] };
	struct tls_options o = { .server = server, .certs = certs,
	    .ncerts = ncerts, .keys = keys, .nkeys = nkeys,
	    .password_file = password };
	struct own_sources *sources = NULL;
	int r;

	own_certs_free(&own);
	while ((r = own_certs_load(&own, &sources, &o, &why)) == 1)
		;
	own_certs_end(&sources);
	return r;
}

static void
refused(int server, int ncerts, int nkeys, const char *password,
    const char *form, int file)
{
	char want[300];

	is(load(server, ncerts, nkeys, password), -1, "refused");
	snprintf(want, sizeof(want), form, path[file]);
	ok(strncmp(why.text, want, strlen(want)) == 0, "%s", why.text);
	is(why.status, EXIT_BADUSAGE, "64");
}

static void
test_own(void)
{
	X509 *all[] = { ca.cert, leaf.cert, middle.cert };
	FILE *f;

	is(load(0, 0, 0, NULL), 0, "none is needed");
	is(own.n, 0, "(none)");
	refused(0, 0, 1, NULL, "--key without --cert", 0);
	refused(1, 0, 1, NULL, "--tls-key without --tls-cert", 0);

	/* all in one file, in any order */
	put(0, all, 3, leaf.key);
	is(load(0, 1, 0, NULL), 0, "one file");
	ok(own.n == 1 && X509_cmp(own.v[0].leaf, leaf.cert) == 0,
	    "ours is what belongs to the key");
	ok(sk_X509_num(own.v[0].chain) == 1 && X509_cmp(sk_X509_value(
	    own.v[0].chain, 0), middle.cert) == 0,
	    "the others lead to its authority, which is left out");
	is_str(own.v[0].path, path[0], "(of this file)");
	/* or in two, which may hold anything */
	put(0, all, 2, NULL);
	put(2, all + 2, 1, leaf.key);
	is(load(0, 1, 1, NULL), 0, "two files");
	is(sk_X509_num(own.v[0].chain), 1, "are one pair");
	/* two of each */
	put(0, &leaf.cert, 1, NULL);
	put(1, &other.cert, 1, NULL);
	put(2, NULL, 0, other.key);
	put(3, NULL, 0, leaf.key);
	is(load(1, 2, 2, NULL), 0, "two pairs, crosswise");
	ok(own.n == 2 && X509_cmp(own.v[0].leaf, leaf.cert) == 0 &&
	    X509_cmp(own.v[1].leaf, other.cert) == 0 &&
	    EVP_PKEY_eq(own.v[1].key, other.key) == 1, "each has its key");
	own_certs_forget(&own);
	ok(own.forgotten && own.v[0].key == NULL && own.v[1].key == NULL,
	    "keys can be forgotten");
	refused(1, 2, 1, NULL, "--tls-cert %s: no --tls-key belongs to it; it "
	    "is for CN=leaf / DNS:localhost", 0);
	refused(1, 1, 2, NULL, "--tls-key %s: no certificate of --tls-cert "
	    "belongs to this key", 2);
	put(0, &leaf.cert, 1, leaf.key);
	refused(1, 1, 1, NULL, "--tls-key %s: no certificate of --tls-cert "
	    "belongs to this key", 2);
	put(0, &leaf.cert, 1, NULL);
	refused(0, 1, 0, NULL, "--cert %s: no private key in it: --key", 0);
	refused(0, 1, 1, NULL, "--cert %s: no certificate in it belongs to the "
	    "key, the first one being CN=leaf / DNS:localhost", 0);
	put(2, &leaf.cert, 1, NULL);
	refused(0, 1, 1, NULL, "--key %s: no private key in it", 2);
	put(0, NULL, 0, leaf.key);
	refused(0, 1, 0, NULL, "--cert %s: no certificate in it", 0);
	unlink(path[0]);
	refused(0, 1, 0, NULL, "--cert %s: No such file or directory", 0);
	write_text(0, "nothing\n");
	refused(0, 1, 0, NULL, "--cert %s: no PEM file: it has no line "
	    "-----BEGIN ...", 0);
	write_text(0, "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n");
	refused(0, 1, 0, NULL, "--cert %s: a broken PEM block: ", 0);
	write_text(0, "-----BEGIN PRIVATE KEY-----\nAAAA\n"
	    "-----END PRIVATE KEY-----\n");
	refused(0, 1, 0, NULL, "--cert %s: a broken private key: ", 0);
	put(0, &leaf.cert, 1, leaf.key);
	if ((f = fopen(path[0], "a")) == NULL)
		abort();
	PEM_write_PrivateKey(f, other.key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
	refused(0, 1, 0, NULL, "--cert %s: more than one private key", 0);

	/* keys that are encrypted */
	put(0, &leaf.cert, 1, NULL);
	if ((f = fopen(path[2], "w")) == NULL)
		abort();
	PEM_write_PrivateKey(f, leaf.key, EVP_aes_128_cbc(),
	    (const unsigned char *)"secret", 6, NULL, NULL);
	fclose(f);
	refused(0, 1, 1, NULL, "--key %s: the key is encrypted: "
	    "--key-password-file is needed", 2);
	write_text(4, "secret\r\nmore\n");
	is(load(0, 1, 1, path[4]), 0, "the first line is the password");
	write_text(4, "\xef\xbb\xbfsecret");
	is(load(0, 1, 1, path[4]), 0, "a mark before it does not count");
	write_text(4, "Secret\n");
	refused(0, 1, 1, path[4], "--key %s: the key cannot be decrypted, is "
	    "the password right?", 2);
	unlink(path[4]);
	refused(0, 1, 1, path[4], "--key-password-file %s: No such file", 4);
	own_certs_free(&own);
	is(own.n, 0, "all is freed");
}

/* A key that OpenSSL does not take is told at the start. */
static void
test_weak(void)
{
	struct pair weak = { X509_new(), NULL };
	EVP_PKEY_CTX *make = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
	const char *certs[1] = { path[0] };
	struct tls_options o = { .server = 1, .certs = certs, .ncerts = 1 };

	if (EVP_PKEY_keygen_init(make) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(make, 512) != 1 ||
	    EVP_PKEY_keygen(make, &weak.key) != 1) {
		ok(1, "a weak key: # SKIP OpenSSL makes none");
	} else {
		X509_set_pubkey(weak.cert, weak.key);
		X509_gmtime_adj(X509_getm_notBefore(weak.cert), 0);
		X509_gmtime_adj(X509_getm_notAfter(weak.cert), DAY);
		X509_sign(weak.cert, weak.key, EVP_sha256());
		put(0, &weak.cert, 1, weak.key);
		ok(tls_context(&o, &why) == NULL, "a weak key");
		ok(strncmp(why.text, "--tls-cert /tmp/", 16) == 0 &&
		    strstr(why.text, "too small") != NULL, "%s", why.text);
		is(why.status, EXIT_BADUSAGE, "64");
	}
	EVP_PKEY_CTX_free(make);
	free_pair(&weak);
}

static void
test_pem(void)
{
	static const char rsa[] = "x\n-----BEGIN RSA PRIVATE KEY-----\nA\n";

	ok(pem_key("") == NULL, "no key");
	ok(pem_key("-----BEGIN CERTIFICATE-----\n") == NULL, "another block");
	is(pem_key(rsa) - rsa, 2, "any kind of key");
	ok(pem_key("-----BEGIN PRIVATE KEY-----x\n") == NULL,
	    "the line must end there");
	ok(pem_key("-----BEGIN \nPRIVATE KEY-----\n") == NULL,
	    "and be one line");
	ok(pem_key("-----BEGIN PRIVATE KEY-----") != NULL,
	    "an end of the file may be its end");
}

/* --- authorities --- */

static const char *
trust(const char *cafile, const char *capath, int server, const char *option)
{
	struct tls_options o = { .server = server, .cafile = cafile,
	    .capath = capath, .ca_option = option };
	X509_STORE *store = X509_STORE_new();
	int r = trust_load(store, &o, &why);

	X509_STORE_free(store);
	return r == 0 ? "" : why.text;
}

static void
says(const char *got, const char *form, const char *name)
{
	char want[300];

	snprintf(want, sizeof(want), form, name);
	is_str(got, want, want);
	is(why.status, EXIT_BADUSAGE, "64");
}

static void
test_trust(void)
{
	struct tls_options o = { .crlfile = path[0] };
	X509_STORE *store = X509_STORE_new();

	put(0, &ca.cert, 1, NULL);
	is_str(trust(path[0], NULL, 0, NULL), "", "a file");
	is_str(trust(NULL, folder, 0, NULL), "", "a folder");
	is_str(trust(NULL, NULL, 1, NULL), "", "a server needs none");
	says(trust(folder, NULL, 0, NULL), "--cacert %s: is a directory: use "
	    "--capath", folder);
	says(trust(folder, NULL, 1, NULL), "--tls-client-ca %s: is a "
	    "directory", folder);
	says(trust(folder, NULL, 0, "--proxy-cacert"), "--proxy-cacert %s: is a "
	    "directory", folder);
	says(trust(NULL, "/nonexistent", 0, NULL), "--capath %s: No such file "
	    "or directory", "/nonexistent");
	write_text(1, "nothing\n");
	says(trust(path[1], NULL, 0, NULL), "--cacert %s: no certificate or "
	    "crl found", path[1]);
	write_text(1, "-----BEGIN CERTIFICATE-----\nAAAA\n"
	    "-----END CERTIFICATE-----\n");
	ok(strstr(trust(path[1], NULL, 0, NULL), ": a broken PEM block: ") !=
	    NULL, "%s", why.text);
	/* the system's: a folder, a file, or one of the usual bundles */
	setenv("SSL_CERT_DIR", folder, 1);
	setenv("SSL_CERT_FILE", path[0], 1);
	is_str(trust(NULL, NULL, 0, NULL), "", "a file of the environment");
	unsetenv("SSL_CERT_FILE");
	if (access("/etc/ssl/certs/ca-certificates.crt", R_OK) == 0)
		is_str(trust(NULL, NULL, 0, NULL), "", "a usual bundle");
	unsetenv("SSL_CERT_DIR");
	is(trust_load_crls(store, &o, &why), -1, "no list of revocations");
	says(why.text, "--crlfile %s: no certificate or crl found", path[0]);
	o.crlfile = NULL;
	is(trust_load_crls(store, &o, &why), 0, "none is wanted");
	X509_STORE_free(store);
}

/* What protects a connection whatever its peer wants. */
static void
test_context(void)
{
	static const struct {
		struct tls_options o;
		const char *said;
	} v[] = {
		{ { .ciphers = "none" }, "--ciphers 'none': " },
		{ { .ciphers13 = "none" }, "--tls13-ciphers 'none': " },
		{ { .pins = "x" }, "--pinnedpubkey: 'x' is not " }
	};
	struct tls_options o = { .insecure = 1 };
	struct tls_ctx *ctx;
	size_t i;
	uint64_t set;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ok(tls_context_begin(&v[i].o, &why) == NULL, "%s", v[i].said);
		ok(strncmp(why.text, v[i].said, strlen(v[i].said)) == 0 &&
		    why.status == EXIT_BADUSAGE, "%s", why.text);
	}
	for (i = 0; i < 2; i++) {
		o.server = i;
		o.only_13 = i;
		if ((ctx = tls_context(&o, &why)) == NULL)
			abort();
		set = SSL_CTX_get_options(ctx->ssl);
		ok((set & SSL_OP_NO_RENEGOTIATION) &&
		    (set & SSL_OP_NO_COMPRESSION), "no renegotiation, which "
		    "would stop a stream, and no compression, which tells "
		    "secrets");
		ok(!(set & SSL_OP_IGNORE_UNEXPECTED_EOF),
		    "a cut stream is no whole one");
		is(SSL_CTX_get_min_proto_version(ctx->ssl), i == 0 ?
		    TLS1_2_VERSION : TLS1_3_VERSION, "no older version");
		is(SSL_CTX_get_timeout(ctx->ssl), 3600,
		    "a session is good for an hour");
		is(SSL_CTX_get_session_cache_mode(ctx->ssl), SSL_SESS_CACHE_OFF,
		    "none is kept in memory");
		ok(X509_VERIFY_PARAM_get_flags(SSL_CTX_get0_param(ctx->ssl)) &
		    X509_V_FLAG_PARTIAL_CHAIN,
		    "an authority that is given need not be a root");
		ok((SSL_CTX_get_mode(ctx->ssl) & SSL_MODE_RELEASE_BUFFERS) &&
		    (SSL_CTX_get_mode(ctx->ssl) &
		    SSL_MODE_ENABLE_PARTIAL_WRITE), "idle ones need no "
		    "buffers, and a write may be short");
		is(SSL_CTX_get_read_ahead(ctx->ssl), 1,
		    "one read for all that is there");
		is(ctx->asks, 0, "nobody is asked for a certificate");
		ok(ctx->tickets[0] == -1 && ctx->tickets[1] == -1,
		    "nor is a ticket shared");
		tls_ctx_free(ctx);
	}
	put(0, &ca.cert, 1, NULL);
	o.cafile = path[0];
	o.insecure = 0;
	if ((ctx = tls_context(&o, &why)) == NULL)
		abort();
	is(ctx->asks, 1, "with authorities clients are asked for one");
	is(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx->ssl)), 1,
	    "of these");
	tls_ctx_free(ctx);
	o.cafile = NULL;
	o.peer_certs = path[0];
	if ((ctx = tls_context(&o, &why)) == NULL)
		abort();
	is(ctx->asks, 1, "and with certificates that alone are accepted");
	is(allowed_certs_check(&ctx->allowed, ca.cert, "h", &why), 0, "these");
	is(allowed_certs_check(&ctx->allowed, leaf.cert, "h", &why), -1,
	    "no other");
	is_str(why.text, "certificate of h: it is not among those of "
	    "--tls-peer-certs (CN=leaf / DNS:localhost)", "says so");
	is(allowed_certs_check(&ctx->allowed, NULL, "h", &why), -1, "nor none");
	is_str(why.text, "h has sent no certificate", "says so");
	is(why.status, EXIT_DENIED, "77");
	tls_ctx_free(ctx);
	put(0, NULL, 0, leaf.key);
	ok(tls_context(&o, &why) == NULL && strstr(why.text,
	    ": no certificate in it") != NULL, "%s", why.text);
}

/* TLS within TLS has a BIO of its own, which has to be freed with it. */
static void
test_bio(void)
{
	BIO_METHOD *method = NULL;
	BIO *bio = bio_over_tls(&method, NULL);

	ok(bio != NULL && method != NULL, "both are the caller's");
	is(BIO_flush(bio), 1, "it has nothing to flush");
	is(BIO_eof(bio), 0, "nor an end yet");
	BIO_free(bio);
	BIO_meth_free(method);
}

int
main(void)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	if (tls_prepare(&why) == -1 || mkdtemp(folder) == NULL)
		abort();
	for (i = 0; i < 8; i++)
		snprintf(path[i], sizeof(path[i]), "%s/%d", folder, i);
	ca = make_cert("ca", NULL, NULL, -DAY, DAY);
	middle = make_cert("middle", NULL, &ca, -DAY, DAY);
	leaf = make_cert("leaf", "DNS:localhost", &middle, -DAY, DAY);
	other = make_cert("other", "DNS:other.example", &ca, -DAY, DAY);
	test_errors();
	test_names();
	test_info();
	test_pins();
	test_refused();
	test_own();
	test_weak();
	test_pem();
	test_trust();
	test_context();
	test_bio();
	for (i = 0; i < 8; i++)
		unlink(path[i]);
	rmdir(folder);
	free_pair(&other);
	free_pair(&leaf);
	free_pair(&middle);
	free_pair(&ca);
	return done_testing();
}
