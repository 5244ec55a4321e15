/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "handshake/auth.h"
#include "modes/gate_admit.h"
#include "os/log.h"
#include "os/memory.h"
#include "os/readfile.h"
#include "proto/credentials.h"

#define NEEDS_SECRET	"this gate needs the agent's secret in " \
			"Authorization: Bearer"

int
gate_check_file(const struct options *o, struct error *why)
{
	struct agents_file_line l;
	struct lines lines;
	struct slice text;
	int r;

	if (o->reverse.agents_file == NULL)
		return 0;
	if (readfile_take(o->reverse.agents_file, &text) == -1)
		return error_set(why, EXIT_BADUSAGE, "--agents-file %s: %s",
		    o->reverse.agents_file, strerror(errno));
	lines_begin(&lines, text);
	while ((r = agents_file_next(&lines, &l)) == 1)
		;
	memory_return();
	return r == 0 ? 0 : error_set(why, EXIT_BADUSAGE,
	    "--agents-file %s:%u: expected NAME SHA256-OF-SECRET",
	    o->reverse.agents_file, lines.number);
}

/* Does the file know this name with this secret?  -1: it cannot be read. */
static int
is_listed(const struct options *o, const char *name, const char *secret,
    char hash[AGENT_HASH_MAX])
{
	struct agents_file_line l;
	struct lines lines;
	struct slice text;
	int r, good = 0;

	if (readfile_take(o->reverse.agents_file, &text) == -1) {
		log_event(LOG_L_ERROR, "agents-file",
		    "file", o->reverse.agents_file, "why", strerror(errno),
		    NULL);
		return -1;
	}
	lines_begin(&lines, text);
	while ((r = agents_file_next(&lines, &l)) != 0)
		if (r == 1 && slice_is(l.name, name) &&
		    auth_is_secret(secret, l.hash) &&
		    slice_copy(hash, AGENT_HASH_MAX, l.hash) == 0)
			good = 1;
	memory_return();
	return good;
}

static int
no_secret(struct accepted *a)
{
	struct error why;

	error_set(&why, EXIT_DENIED, "refused with 401: " NEEDS_SECRET);
	websocket_refuse_with(&a->w, 401,
	    "WWW-Authenticate: Bearer realm=\"inetws\"\r\n", NEEDS_SECRET);
	return connection_failed(a->c, &why);
}

/* The secret is in Authorization, never in the path, which others know. */
static int
check_secret(struct accepted *a, const struct options *o, const char *name,
    char hash[AGENT_HASH_MAX], int *status)
{
	static struct credentials c;
	struct slice value;
	int good;

	if (http_field(a->w.head, "Authorization", &value) != 1 ||
	    credentials_parse(&c, value) == -1 ||
	    c.kind != CREDENTIALS_BEARER) {
		*status = no_secret(a);
		return 0;
	}
	good = is_listed(o, name, c.secret, hash);
	explicit_bzero(&c, sizeof(c));
	if (good == 1)
		return 1;
	*status = accepted_refuse(a, good == -1 ? 500 : 403, good == -1 ?
	    "cannot check the agent's secret" :
	    "unknown agent name or wrong secret");
	return 0;
}

int
gate_admit(struct accepted *a, const struct options *o,
    char name[AGENT_NAME_MAX], char shown[AGENT_NAME_MAX],
    char hash[AGENT_HASH_MAX], int *status)
{
	int named = o->reverse.visitors_dir != NULL;
	int secret = named && o->reverse.allow_any_agent;
	struct addr listener;

	hash[0] = '\0';
	strlcpy(shown, "-", AGENT_NAME_MAX);
	if (agent_name_of_path(name, upgrade_path(a->request.target)) == -1) {
		name[0] = '\0';
		if (!named && o->reverse.agents_file == NULL)
			return 1;
		*status = accepted_refuse(a, 400,
		    "the path does not end in the name of an agent");
		return 0;
	}
	if (secret || (o->websocket.path != NULL && !named))
		agent_name_mask(shown, name);
	else
		strlcpy(shown, name, AGENT_NAME_MAX);
	if (secret && strlen(name) < AGENT_NAME_SECRET) {
		*status = accepted_refuse(a, 403, "the name serves as a "
		    "secret here and needs at least 16 characters");
		return 0;
	}
	if (named && agent_name_path(listener.path, sizeof(listener.path),
	    o->reverse.visitors_dir, name) == -1) {
		*status = accepted_refuse(a, 400, "the name is too long");
		return 0;
	}
	if (o->reverse.agents_file == NULL)
		return 1;
	if (!check_secret(a, o, name, hash, status))
		return 0;
	strlcpy(a->c->user, name, sizeof(a->c->user));
	return 1;
}
