/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/auth_command.h"
#include "os/clock.h"
#include "os/command.h"
#include "os/log.h"
#include "proto/cgi.h"

/*
 * A program must not decide on a part of a request, so the buffers hold any
 * head.
 */
static char **
environment(struct cgi *cgi, const struct auth *a, const struct options *o,
    const struct websocket *w, const struct upgrade_request *r)
{
	static char *env[CGI_VARS_MAX + 2];
	static char path[4096];
	const char *search = getenv("PATH");
	struct slice value;

	cgi_begin(cgi);
	cgi_peer(cgi, a->peer);
	cgi_set(cgi, "PATH_INFO", http_path(r->target));
	if (a->user[0] != '\0')
		cgi_set(cgi, "REMOTE_USER", slice_of(a->user));
	if (options_want_certificate(o))
		cgi_client(cgi, a->subject);
	if (http_field(w->head, "Authorization", &value) == 1)
		cgi_set(cgi, "HTTP_AUTHORIZATION", value);
	cgi_request(cgi, w->head);
	memcpy(env, cgi->var, cgi->n * sizeof(env[0]));
	snprintf(path, sizeof(path), "PATH=%s", search != NULL ? search :
	    "/usr/local/bin:/usr/bin:/bin");
	env[cgi->n] = path;
	env[cgi->n + 1] = NULL;
	return env;
}

/*
 * The user name that the program wrote replaces a->user, the one of
 * --auth-file.  If it wrote none, that one stays.  0, or -1 and why (71): it is
 * too long.
 */
static int
take_user(struct auth *a, const struct options *o, char *out,
    struct error *why)
{
	out[strcspn(out, "\r\n")] = '\0';
	if (out[0] == '\0' || strlcpy(a->user, out, a->size) < a->size)
		return 0;
	return error_set(why, EXIT_SYSTEM, "%s: the user name in its output is "
	    "longer than %zu bytes", o->access.auth_command[0], a->size - 1);
}

int
auth_command(struct auth *a, const struct options *o, const struct websocket *w,
    const struct upgrade_request *r, int64_t deadline, char *err,
    size_t errlen)
{
	static struct cgi cgi;
	int64_t limit = clock_ms() + COMMAND_LIMIT_MS;
	char out[512];
	struct error why;
	int status;

	status = command_run(o->access.auth_command,
	    environment(&cgi, a, o, w, r), a->peer, out, sizeof(out),
	    deadline == CLOCK_NEVER ? limit : deadline, -1, &why);
	explicit_bzero(cgi.bytes, cgi.len);
	if (status == 0 && take_user(a, o, out, &why) == 0)
		return 0;
	a->user[0] = '\0';
	if (status == 1) {
		snprintf(err, errlen, "rejected by --auth-command");
		return 403;
	}
	if (status > 1)
		error_set(&why, EXIT_SYSTEM, "%s: exit status %d, expected "
		    "0 (accept) or 1 (reject)", o->access.auth_command[0],
		    status);
	log_event(LOG_L_ERROR, "auth-command", "why", why.text, NULL);
	snprintf(err, errlen, "cannot check who you are");
	return why.status == EXIT_AGAIN ? 504 : 500;
}
