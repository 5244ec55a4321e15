/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "os/log.h"
#include "os/log_output.h"
#include "sandbox/enter.h"
#include "sandbox/limits.h"

#define DESCRIPTORS	64	/* a redial and its resolver need a dozen */

static int
failed(const char *what)
{
	log_event(LOG_L_ERROR, "sandbox", "why", what, "error",
	    strerror(errno), "hint", "--sandbox off does not use it", NULL);
	return EXIT_SYSTEM;
}

/*
 * A redial may read these files:
 * - Files and folders of authorities.  If a ticket resumed TLS at the first
 *   handshake, nothing was read from them yet (by_ticket).
 * - The own certificate and key, but only if the first URL is without TLS: then
 *   a redirect may lead to TLS for the first time (loads).  Otherwise they have
 *   been read before the sandbox is entered.
 */
int
enter_prepare(const struct options *o, enum sandbox_role role)
{
	int loads = !o->url.tls && o->timeouts.resume > 0;
	int by_ticket = o->mode != MODE_CONNECT && o->url.tls;
	const char *readable[] = {
		by_ticket ? "/etc/ssl/certs" : NULL,
		by_ticket ? "/etc/pki/tls/certs" : NULL,
		o->tls.cacert, o->tls.capath, o->tls.crlfile,
		o->tls.peer_certs, loads ? o->tls.cert : NULL,
		loads ? o->tls.key : NULL,
		loads ? o->tls.key_password_file : NULL, o->proxy.cacert,
		secure_getenv("SSL_CERT_DIR"), secure_getenv("SSL_CERT_FILE")
	};

	_Static_assert(sizeof(readable) / sizeof(readable[0]) <=
	    SANDBOX_READABLE_MAX, "each of them may be read");
	if (limits_no_core() == -1)
		return failed("cannot forbid core dumps");
	if (o->service.sandbox == SANDBOX_OFF)
		return GO_ON;
	if (sandbox_prepare(role, readable,
	    sizeof(readable) / sizeof(readable[0])) == -1)
		return failed("cannot prepare the sandbox");
	return GO_ON;
}

char *
enter_missing(const struct options *o, char *dst, size_t size)
{
	static const struct {
		unsigned int part;
		const char *name;
	} parts[] = {
		{ SANDBOX_NO_NEW_PRIVS, "no_new_privs" },
		{ SANDBOX_CAPABILITIES, "capabilities" },
		{ SANDBOX_FILES, "landlock" },
		{ SANDBOX_CALLS, "seccomp" }
	};
	unsigned int i;

	dst[0] = '\0';
	if (o->service.sandbox == SANDBOX_OFF) {
		strlcpy(dst, "off", size);
		return dst;
	}
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (sandbox_missing() & parts[i].part) {
			if (dst[0] != '\0')
				strlcat(dst, " ", size);
			strlcat(dst, parts[i].name, size);
		}
	return dst;
}

static int
is_incomplete(const struct options *o)
{
	return o->service.sandbox != SANDBOX_OFF && sandbox_missing() != 0;
}

static void
log_missing(const struct options *o, enum log_level level, const char *why)
{
	char text[ENTER_MISSING_MAX];

	log_event(level, "sandbox", "missing", enter_missing(o, text,
	    sizeof(text)), "why", why, NULL);
}

/* GO_ON if it may go on like that. */
static int
judge(const struct options *o)
{
	if (!is_incomplete(o) || o->service.sandbox != SANDBOX_REQUIRE)
		return GO_ON;
	log_missing(o, LOG_L_ERROR,
	    "--sandbox require: not available on this system");
	return EXIT_SYSTEM;
}

int
enter_try(const struct options *o)
{
	if (o->service.sandbox != SANDBOX_OFF && sandbox_try() == -1)
		log_event(LOG_L_WARN, "sandbox", "why", "cannot try it, so "
		    "each connection does", "error", strerror(errno), NULL);
	return judge(o);
}

void
enter_warn(const struct options *o)
{
	if (is_incomplete(o))
		log_missing(o, LOG_L_WARN, "not available on this system");
	if (geteuid() == 0)
		log_event(LOG_L_WARN, "privileges", "why",
		    "handshakes run as root", "hint", "use --run-as USER",
		    NULL);
}

int
enter_sandbox(const struct options *o, pid_t program)
{
	unsigned int known = sandbox_missing();

	if (limits_descriptors(DESCRIPTORS) == -1 ||
	    limits_not_dumpable() == -1)
		return failed("cannot limit this process");
	if (o->service.sandbox == SANDBOX_OFF)
		return GO_ON;
	log_output_restrict();
	if (sandbox_enter(program) == -1)
		return failed("cannot enter the sandbox");
	if (known != sandbox_missing())
		log_missing(o, LOG_L_INFO, "not available on this system");
	return judge(o);
}
