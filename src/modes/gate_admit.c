/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "handshake/auth.h"
#include "modes/gate_admit.h"
#include "os/log.h"
#include "proto/credentials.h"

#define NO_SECRET	"the request has no secret of an agent"

void
gate_agents_file(struct line_file *f, const struct options *o)
{
	memset(f, 0, sizeof(*f));
	f->path = &o->reverse.agents_file;
	f->option = "--agents-file";
	f->event = "agents-file";
	f->kind = &agents_file_lines;
}

/*
 * Is this name with this secret in the file?  A name may have several lines.  1
 * and the hash of the line, 0, or -1: the file cannot be read.
 */
static int
is_listed(const struct line_file *agents, const char *name,
    const char *secret, char hash[AGENT_HASH_MAX])
{
	struct line_key k = { 0, slice_of(name) };
	struct line_lookup l;
	struct slice line;
	struct error why;
	unsigned int i, n;
	int good = 0;

	if (line_file_open(agents, &k, &l, &why) == -1) {
		log_event(LOG_L_ERROR, "agents-file", "file", *agents->path,
		    "why", why.text, NULL);
		return -1;
	}
	for (n = line_table_find(l.table, &k, &i); n > 0; n--, i++) {
		line = line_table_value(l.table, i);
		if (auth_is_secret(secret, line) &&
		    slice_copy(hash, AGENT_HASH_MAX, line) == 0)
			good = 1;
	}
	line_file_close(&l);
	return good;
}

static int
no_secret(struct accepted *a)
{
	struct error why;

	error_set(&why, EXIT_DENIED, "refused with 401: " NO_SECRET);
	websocket_refuse_with(&a->w, 401,
	    "WWW-Authenticate: Bearer realm=\"inetws\"\r\n", NO_SECRET);
	return connection_failed(a->c, &why);
}

/*
 * The secret is in Authorization, not in the path, which logs of proxies show.
 */
static int
check_secret(struct accepted *a, const struct line_file *agents,
    const char *name, char hash[AGENT_HASH_MAX], int *status)
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
	good = is_listed(agents, name, c.secret, hash);
	explicit_bzero(&c, sizeof(c));
	if (good == 1)
		return 1;
	*status = accepted_refuse(a, good == -1 ? 500 : 403, good == -1 ?
	    "cannot check the agent's secret" :
	    "unknown agent name or wrong secret");
	return 0;
}

int
gate_admit(struct accepted *a, const struct acceptor *by,
    char name[AGENT_NAME_MAX], char shown[AGENT_NAME_MAX],
    char hash[AGENT_HASH_MAX], int *status)
{
	const struct options *o = by->o;
	int named = o->reverse.visitors_dir != NULL;
	int secret = named && o->reverse.allow_any_agent;
	struct addr listener;

	hash[0] = '\0';
	strlcpy(shown, "-", AGENT_NAME_MAX);
	if (agent_name_of_path(name, http_path(a->request.target)) == -1) {
		name[0] = '\0';
		if (!named && o->reverse.agents_file == NULL)
			return 1;
		*status = accepted_refuse(a, 400,
		    "the path does not end in the name of an agent: "
		    "expected .../NAME");
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
	if (!check_secret(a, &by->agents, name, hash, status))
		return 0;
	strlcpy(a->peer.user, name, sizeof(a->peer.user));
	strlcpy(a->c->user, name, sizeof(a->c->user));
	a->c->owner = peer_owner(&a->peer, o);
	return 1;
}
