/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/readfile.h"
#include "tls/openssl.h"
#include "tls/pem.h"

#define FILE_MAX	(1024 * 1024)	/* bytes */

int
pem_open(struct pem_file *pem, const char *option, const char *path,
    struct error *why)
{
	char *text = calloc(1, FILE_MAX);
	ssize_t n;

	*pem = (struct pem_file){ option, path, text, FILE_MAX };
	if (text == NULL || (n = readfile(path, text, FILE_MAX)) == -1) {
		error_set(why, EXIT_BADUSAGE, "%s %s: %s", option, path,
		    readfile_reason(errno));
		pem_close(pem);	/* some of it may have been read */
		return -1;
	}
	pem->len = n;
	if (strstr(text, "-----BEGIN ") == NULL) {
		pem_close(pem);
		return error_set(why, EXIT_BADUSAGE, "%s %s: no PEM file: it "
		    "has no line -----BEGIN ...", option, path);
	}
	return 0;
}

void
pem_close(struct pem_file *pem)
{
	if (pem->text != NULL)
		explicit_bzero(pem->text, pem->len);
	free(pem->text);
	pem->text = NULL;
}

int
pem_fail(const struct pem_file *pem, const char *what, struct error *why)
{
	return error_set(why, EXIT_BADUSAGE, "%s %s: %s%s%s", pem->option,
	    pem->path, what, ERR_peek_error() != 0 ? ": " : "",
	    ERR_peek_error() != 0 ? openssl_reason() : "");
}

/* Blocks of other kinds are passed over. */
int
pem_certs(const struct pem_file *pem, STACK_OF(X509) *stack,
    struct error *why)
{
	BIO *in = BIO_new_mem_buf(pem->text, -1);
	X509 *cert;

	ERR_clear_error();
	while (in != NULL && (cert = PEM_read_bio_X509(in, NULL, NULL,
	    (void *)"")) != NULL)
		if (sk_X509_push(stack, cert) == 0)
			X509_free(cert);
	BIO_free(in);
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return pem_fail(pem, "a broken PEM block", why);
	ERR_clear_error();
	return 0;
}

const char *
pem_key(const char *p)
{
	static const char end[] = "PRIVATE KEY-----";
	size_t len;

	while ((p = strstr(p, "-----BEGIN ")) != NULL) {
		len = strcspn(p, "\r\n");
		if (len >= strlen(end) && memcmp(p + len - strlen(end), end,
		    strlen(end)) == 0)
			return p;
		p += len;
	}
	return NULL;
}
