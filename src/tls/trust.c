/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/readfile.h"
#include "tls/openssl.h"
#include "tls/trust.h"

/* Used where OpenSSL's own place is empty. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/cert.pem",
	NULL
};

/* "01234567.0", as openssl-rehash(1) makes them. */
static int
is_hashed_name(const char *name)
{
	int i;

	for (i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)name[i]))
			return 0;
	return name[8] == '.' && isdigit((unsigned char)name[9]);
}

/* Behind readdir(3), with its errno: 0, or -1 and why. */
static int
end_dir(DIR *dir, const char *path, struct error *why)
{
	int e = errno;

	closedir(dir);
	return e == 0 ? 0 : error_set(why, EXIT_SYSTEM, "%s: %s", path,
	    strerror(e));
}

/* Takes what is in a file: has it something?  If not, OpenSSL says why. */
static int
load_file(X509_STORE *store, const char *path)
{
	return readfile_may(path) == 0 && X509_STORE_load_file(store, path) == 1;
}

/*
 * OpenSSL looks into it when it needs an authority; or all is read now, if the
 * directory will be out of reach.  1, 0 if there is none, or -1 and why.
 */
static int
trust_dir(X509_STORE *store, const char *path, int now, struct error *why)
{
	char file[PATH_MAX];
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	if (!now)
		return X509_STORE_load_path(store, path) == 1;
	if ((dir = opendir(path)) == NULL)
		return 0;
	while (errno = 0, (entry = readdir(dir)) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (is_hashed_name(entry->d_name))
			found |= load_file(store, file);
	}
	return end_dir(dir, path, why) == -1 ? -1 : found;
}

/* Is OpenSSL's own directory one that the sandbox lets it look into? */
static int
is_usual(const char *dir)
{
	return strncmp(dir, "/etc/", 5) == 0 ||
	    strncmp(dir, "/usr/lib", 8) == 0;
}

static int
is_hashed_dir(const char *path, struct error *why)
{
	struct dirent *entry;
	int found = 0;
	DIR *dir;

	if ((dir = opendir(path)) == NULL)
		return 0;
	while (errno = 0, !found && (entry = readdir(dir)) != NULL)
		found = is_hashed_name(entry->d_name);
	return end_dir(dir, path, why) == -1 ? -1 : found;
}

/*
 * What there is of one or more directories, between colons.  The sandbox lets a
 * process look into one only.
 */
static int
trust_dirs(X509_STORE *store, const char *list, int now, struct error *why)
{
	char dir[PATH_MAX];
	int found = 0, r;
	size_t len;

	for (now |= strchr(list, ':') != NULL;; list += len + 1) {
		len = strcspn(list, ":");
		snprintf(dir, sizeof(dir), "%.*s", (int)len, list);
		if ((r = is_hashed_dir(dir, why)) == 1)
			r = trust_dir(store, dir, now, why);
		if (r == -1)
			return -1;
		found |= r;
		if (list[len] == '\0')
			return found;
	}
}

/*
 * SSL_CERT_FILE and SSL_CERT_DIR are honoured as every OpenSSL program does;
 * besides a usable directory, a bundle is loaded only if SSL_CERT_FILE names
 * it.
 */
static int
trust_system(X509_STORE *store, int now, struct error *why)
{
	const char *dir = secure_getenv(X509_get_default_cert_dir_env());
	const char *file = secure_getenv(X509_get_default_cert_file_env());
	int i, found;

	if (dir == NULL) {
		dir = X509_get_default_cert_dir();
		now |= !is_usual(dir);
	}
	if ((found = trust_dirs(store, dir, now, why)) == -1)
		return -1;
	if (file != NULL)
		found |= load_file(store, file);
	else if (!found)
		found = load_file(store, X509_get_default_cert_file());
	for (i = 0; !found && bundles[i] != NULL; i++)
		found = load_file(store, bundles[i]);
	if (!found)
		return error_set(why, EXIT_SYSTEM, "no trusted certificates in "
		    "%s: install ca-certificates or use --cacert", dir);
	return 0;
}

/* OpenSSL does not take this file: why, in the words of pem.c. */
static int
load_fail(const char *option, const char *path, struct error *why)
{
	unsigned long code = ERR_peek_error();
	int lib = ERR_GET_LIB(code);

	if (readfile_may(path) == -1)
		return error_set(why, EXIT_BADUSAGE, "%s %s: %s", option, path,
		    readfile_reason(errno));
	if (lib == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
		return error_set(why, EXIT_BADUSAGE, "%s %s: no certificate or "
		    "crl found", option, path);
	return error_set(why, EXIT_BADUSAGE, "%s %s: %s%s", option, path,
	    lib == ERR_LIB_PEM || lib == ERR_LIB_ASN1 ?
	    "a broken PEM block: " : "", openssl_reason());
}

/* Each certificate needs a list, but see the verify callback. */
int
trust_load_crls(X509_STORE *store, const struct tls_options *o,
    struct error *why)
{
	const char *path = o->crlfile;
	X509_LOOKUP *lookup;

	if (path == NULL)
		return 0;
	ERR_clear_error();
	lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (lookup == NULL || readfile_may(path) == -1 ||
	    X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) <= 0)
		return load_fail("--crlfile", path, why);
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
	    X509_V_FLAG_CRL_CHECK_ALL);
	return 0;
}

const char *
trust_option(const struct tls_options *o)
{
	return o->ca_option != NULL ? o->ca_option :
	    o->server ? "--tls-client-ca" : "--cacert";
}

/* A folder is told apart from a file without certificates. */
static int
no_file(const struct tls_options *o, struct error *why)
{
	const char *option = trust_option(o);
	DIR *dir = opendir(o->cafile);

	if (dir == NULL)
		return load_fail(option, o->cafile, why);
	closedir(dir);
	return error_set(why, EXIT_BADUSAGE, "%s %s: is a directory%s",
	    option, o->cafile, strcmp(option, "--cacert") == 0 ?
	    ": use --capath" : "");
}

/* The authorities of --cacert and --capath only. */
static int
trust_named(X509_STORE *store, const struct tls_options *o, struct error *why)
{
	int found;
	DIR *dir;

	if (o->cafile != NULL && !load_file(store, o->cafile))
		return no_file(o, why);
	if (o->capath == NULL)
		return 0;
	if ((dir = opendir(o->capath)) == NULL)
		return error_set(why, EXIT_BADUSAGE, "--capath %s: %s",
		    o->capath, strerror(errno));
	closedir(dir);
	found = trust_dir(store, o->capath, o->trust_now, why);
	if (found == 0)
		return error_set(why, EXIT_BADUSAGE, "--capath %s: %s",
		    o->capath, openssl_reason());
	return found == -1 ? -1 : 0;
}

int
trust_load(X509_STORE *store, const struct tls_options *o, struct error *why)
{
	ERR_clear_error();
	if (o->cafile != NULL || o->capath != NULL || o->server)
		return trust_named(store, o, why);
	/* With allowed certificates no authority is needed. */
	return trust_system(store, o->trust_now, why) == 0 ||
	    o->peer_certs != NULL ? 0 : -1;
}
