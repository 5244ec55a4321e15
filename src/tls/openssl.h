/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL's headers, and its library, which is loaded when TLS is needed.  A
 * process without TLS, such as a server behind a proxy, saves its mappings and
 * the time to bind its symbols.
 *
 * Its functions are called by their names, which are macros for members of
 * struct openssl; the Makefile makes openssl_names.h of the list below.  What
 * is not in it cannot be called: the program does not link then.  With make
 * OPENSSL=linked, in a static program, and where OpenSSL is older than 3 or
 * something else, it is linked as any other library is.
 */
#ifndef TLS_OPENSSL_H
#define TLS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/error.h"

/*
 * To be called before any other function of OpenSSL, and before chroot(2).
 * Further calls do nothing.  0, or -1 and why (71).
 */
int openssl_load(struct error *);

/* The reason of the oldest error in OpenSSL's queue, or of this one. */
const char *openssl_reason(void);
const char *openssl_reason_of(unsigned long code);

#ifndef OPENSSL_LINKED

#define OPENSSL_FUNCTIONS(X)						\
	X(SSL_CTX_clear_options) X(SSL_CTX_ctrl) X(SSL_CTX_free)	\
	X(SSL_CTX_get0_param) X(SSL_CTX_get_cert_store)			\
	X(SSL_CTX_get_ex_data) X(SSL_CTX_new) X(SSL_CTX_sess_set_new_cb) \
	X(SSL_CTX_set_alpn_protos) X(SSL_CTX_set_alpn_select_cb)	\
	X(SSL_CTX_set_cipher_list) X(SSL_CTX_set_ciphersuites)		\
	X(SSL_CTX_set_client_hello_cb) X(SSL_client_hello_get0_ext)	\
	X(SSL_set_session_id_context)					\
	X(SSL_CTX_set_client_CA_list) X(SSL_CTX_set_ex_data)		\
	X(SSL_CTX_set_options) X(SSL_CTX_set_session_id_context)	\
	X(SSL_CTX_set_timeout) X(TLS_client_method) X(TLS_server_method) \
	X(SSL_SESSION_free) X(SSL_SESSION_get_protocol_version)		\
	X(SSL_SESSION_get_timeout) X(SSL_SESSION_is_resumable)		\
	X(SSL_SESSION_get0_ticket_appdata)				\
	X(SSL_SESSION_set1_ticket_appdata)				\
	X(SSL_CTX_set_session_ticket_cb) X(SSL_get_session)		\
	X(d2i_SSL_SESSION) X(i2d_SSL_SESSION)				\
	X(SSL_CIPHER_get_name) X(SSL_certs_clear) X(SSL_ctrl)		\
	X(SSL_do_handshake) X(SSL_free) X(SSL_get0_param)		\
	X(SSL_get0_peer_certificate) X(SSL_get0_verified_chain)		\
	X(SSL_get_SSL_CTX) X(SSL_get_certificate)			\
	X(SSL_get_current_cipher) X(SSL_get_error) X(SSL_get_ex_data)	\
	X(SSL_get_ex_data_X509_STORE_CTX_idx) X(SSL_get_key_update_type) \
	X(SSL_get_peer_cert_chain) X(SSL_get_rbio) X(SSL_get_rfd)	\
	X(SSL_get_verify_result) X(SSL_get_version) X(SSL_get_wbio)	\
	X(SSL_get_wfd) X(SSL_has_pending) X(SSL_load_client_CA_file)	\
	X(SSL_new) X(SSL_read_ex) X(SSL_select_next_proto)		\
	X(SSL_session_reused) X(SSL_set1_host) X(SSL_set_accept_state)	\
	X(SSL_set_bio) X(SSL_set_cert_cb) X(SSL_set_connect_state)	\
	X(SSL_set_ex_data) X(SSL_set_hostflags) X(SSL_set_rfd)		\
	X(SSL_set_session) X(SSL_set_verify) X(SSL_set_wfd)		\
	X(SSL_shutdown) X(SSL_use_PrivateKey) X(SSL_use_certificate)	\
	X(SSL_write_ex)							\
	X(BIO_new_bio_pair) X(EVP_PKEY_Q_keygen)			\
	X(SSL_CTX_use_PrivateKey) X(SSL_CTX_use_certificate)		\
	X(X509_getm_notAfter) X(X509_getm_notBefore)			\
	X(X509_gmtime_adj) X(X509_new) X(X509_set_pubkey) X(X509_sign)	\
	X(GENERAL_NAMES_free) X(PEM_read_bio_X509) X(X509_LOOKUP_file)	\
	X(SSL_get_servername) X(X509_check_host)			\
	X(X509_NAME_print_ex) X(X509_STORE_CTX_get_current_cert)	\
	X(X509_STORE_CTX_get_error) X(X509_STORE_CTX_get_error_depth)	\
	X(X509_STORE_CTX_get_ex_data)					\
	X(X509_STORE_CTX_get_num_untrusted) X(X509_STORE_CTX_set_error)	\
	X(X509_STORE_add_cert) X(X509_STORE_add_lookup)			\
	X(X509_STORE_load_file) X(X509_STORE_load_path)			\
	X(X509_STORE_set_flags) X(X509_VERIFY_PARAM_set1_ip_asc)	\
	X(X509_VERIFY_PARAM_set_flags) X(X509_check_issued) X(X509_cmp)	\
	X(X509_free) X(X509_get0_notAfter) X(X509_get0_notBefore)	\
	X(X509_get0_pubkey) X(X509_get_X509_PUBKEY)			\
	X(X509_get_default_cert_dir) X(X509_get_default_cert_dir_env)	\
	X(X509_get_default_cert_file) X(X509_get_default_cert_file_env)	\
	X(X509_get_ext_d2i) X(X509_get_issuer_name)			\
	X(X509_get_subject_name) X(X509_load_crl_file)			\
	X(X509_verify_cert_error_string) X(i2d_X509_PUBKEY)		\
	X(EVP_Digest) X(EVP_PKEY_eq) X(EVP_PKEY_free)			\
	X(EVP_PKEY_up_ref) X(EVP_sha256)				\
	X(PEM_read_bio_PrivateKey)					\
	X(ASN1_STRING_get0_data) X(ASN1_STRING_length) X(ASN1_TIME_diff) \
	X(ASN1_TIME_free) X(ASN1_TIME_new) X(ASN1_TIME_set_string)	\
	X(ASN1_TIME_to_tm)						\
	X(BIO_clear_flags) X(BIO_ctrl) X(BIO_free) X(BIO_get_data)	\
	X(BIO_meth_free) X(BIO_meth_new) X(BIO_meth_set_ctrl)		\
	X(BIO_meth_set_read) X(BIO_meth_set_write) X(BIO_new)		\
	X(BIO_get_callback_arg) X(BIO_new_mem_buf) X(BIO_s_mem)		\
	X(BIO_set_callback_arg) X(BIO_set_callback_ex)			\
	X(BIO_set_data) X(BIO_set_flags)				\
	X(BIO_set_init) X(BIO_test_flags)				\
	X(CRYPTO_free) X(CRYPTO_set_mem_functions) X(CRYPTO_zalloc)	\
	X(ERR_clear_error) X(ERR_peek_error) X(ERR_peek_last_error)	\
	X(ERR_reason_error_string) X(OPENSSL_sk_delete)			\
	X(OPENSSL_sk_new_null) X(OPENSSL_sk_num) X(OPENSSL_sk_pop_free)	\
	X(OPENSSL_sk_push) X(OPENSSL_sk_value) X(OpenSSL_version)

struct openssl {
#define X(name)	__typeof__(name) *name;
	OPENSSL_FUNCTIONS(X)
#undef X
};

extern struct openssl openssl;	/* set by openssl_load() */

#include <openssl_names.h>

#endif
#endif
