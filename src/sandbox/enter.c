/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	    strerror(errno), "hint", "--no-sandbox goes without", NULL);
	return EXIT_SYSTEM;
}

/*
 * A redial reads a folder of authorities again, and everything else when it is
 * redirected to TLS for the first time.
 */
int
enter_prepare(const struct options *o, enum sandbox_role role)
{
	const char *readable[] = {
		o->tls.cacert, o->tls.capath, o->proxy.cacert,
		secure_getenv("SSL_CERT_DIR"), secure_getenv("SSL_CERT_FILE")
	};

	if (limits_no_core() == -1)
		return failed("cannot forbid core dumps");
	if (o->service.no_sandbox)
		return EXIT_ENDED;
	if (sandbox_prepare(role, readable,
	    sizeof(readable) / sizeof(readable[0])) == -1)
		return failed("cannot prepare the sandbox");
	return EXIT_ENDED;
}

int
enter_sandbox(const struct options *o)
{
	if (limits_descriptors(DESCRIPTORS) == -1)
		return failed("cannot limit descriptors");
	if (o->service.no_sandbox)
		return EXIT_ENDED;
	log_output_restrict();
	if (sandbox_enter() == 0)
		return EXIT_ENDED;
	return failed("cannot enter the sandbox");
}
