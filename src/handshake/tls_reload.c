/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "handshake/tls_reload.h"
#include "os/clock.h"
#include "os/log.h"

/* Does it accept websockets, or dial them? */
static int
is_server(const struct options *o)
{
	return o->mode == MODE_SERVER || o->mode == MODE_GATE;
}

struct tls_options
tls_reload_options(const struct options *o)
{
	int server = is_server(o);
	const struct opt_list *certs = &o->tls.own_cert, *keys = &o->tls.own_key;
	struct tls_options t = { .server = server,
	    .cafile = server ? o->tls.client_ca : o->tls.cacert,
	    .capath = o->tls.capath, .trust_now = o->service.chroot != NULL,
	    .crlfile = o->tls.crlfile,
	    .peer_certs = server ? o->tls.client_certs : o->tls.peer_certs,
	    .pins = o->tls.pinnedpubkey, .insecure = o->tls.insecure,
	    .no_sni = o->tls.servername != NULL && o->tls.servername[0] == '\0',
	    .certs = server ? certs->v : &o->tls.cert,
	    .ncerts = server ? certs->n : o->tls.cert != NULL,
	    .keys = server ? keys->v : &o->tls.key,
	    .nkeys = server ? keys->n : o->tls.key != NULL,
	    .password_file = o->tls.key_password_file, .only_13 = o->tls.min,
	    .ciphers = o->tls.ciphers, .ciphers13 = o->tls.tls13_ciphers };

	return t;
}

/* The system's authorities are for proxies too, --cacert is not. */
struct tls_options
tls_reload_proxy_options(const struct options *o)
{
	struct tls_options t = { .cafile = o->proxy.cacert,
	    .trust_now = o->service.chroot != NULL,
	    .ca_option = "--proxy-cacert", .insecure = o->proxy.insecure };

	return t;
}

struct tls_ctx *
tls_reload_make(struct tls_options (*options)(const struct options *),
    const struct options *o, struct error *why)
{
	struct tls_options t = options(o);

	return tls_context(&t, why);
}

/*
 * One that cannot be seen has not changed: it may be behind a chroot(2).  Nor has
 * what is no regular file: reading it once more could wait for ever.
 */
static void
look(const struct options *o, struct file_stamp seen[TLS_RELOAD_FILES])
{
	const char *path[TLS_RELOAD_FILES] = { o->tls.cert, o->tls.key,
	    o->tls.key_password_file, o->tls.crlfile,
	    is_server(o) ? o->tls.client_ca : o->tls.cacert,
	    is_server(o) ? o->tls.client_certs : o->tls.peer_certs,
	    o->proxy.cacert };
	struct stat st;
	unsigned int i;

	for (i = 0; i < OPT_LIST_MAX; i++) {
		path[7 + i] = i < o->tls.own_cert.n ? o->tls.own_cert.v[i] :
		    NULL;
		path[7 + OPT_LIST_MAX + i] = i < o->tls.own_key.n ?
		    o->tls.own_key.v[i] : NULL;
	}
	for (i = 0; i < TLS_RELOAD_FILES; i++)
		if (path[i] != NULL && stat(path[i], &st) == 0 &&
		    S_ISREG(st.st_mode))
			file_stamp_of(&seen[i], &st);
}

/* Without tickets each handshake is a full one: no reason not to run. */
static void
before_fork(const struct tls_reload *k)
{
	if (!k->forks)
		return;
	tls_before_fork(k->ctx);
	if (!is_server(k->o) && tls_tickets_open(k->ctx) == -1)
		log_event(LOG_L_WARN, "no-tickets", "error", strerror(errno),
		    NULL);
}

int
tls_reload_begin(struct tls_reload *k, const struct options *o,
    struct tls_options (*options)(const struct options *), int forks,
    struct error *why)
{
	k->o = o;
	k->options = options;
	k->forks = forks;
	memset(k->seen, 0, sizeof(k->seen));
	look(o, k->seen);
	if ((k->ctx = tls_reload_make(options, o, why)) == NULL)
		return -1;
	before_fork(k);
	return 0;
}

static int
failed(struct tls_reload *k, struct error *why)
{
	options_blame(k->o, why);
	tls_ctx_free(k->next);
	k->next = NULL;
	log_event(LOG_L_ERROR, "certificates", "why", why->text, "hint",
	    "the old ones stay in use", NULL);
	return 0;
}

static void
log_reloaded(const struct tls_reload *k)
{
	struct log_line l;

	log_begin(&l, LOG_L_INFO, "reloaded-file");
	log_str(&l, "what", "certificates");
	log_num(&l, "steps", k->steps);
	log_num(&l, "longest-us", k->longest);
	log_end(&l);
}

/* The files are looked at first: what changes while they are read counts. */
int
tls_reload_refresh(struct tls_reload *k, int always)
{
	struct file_stamp now[TLS_RELOAD_FILES];
	struct tls_options t;
	struct error why;
	int changed;

	if (k->ctx == NULL)
		return 0;
	memcpy(now, k->seen, sizeof(now));
	look(k->o, now);
	changed = memcmp(now, k->seen, sizeof(now)) != 0;
	if (!always && !changed) {
		k->rotated += tls_tickets_rotate(k->ctx);
		return k->next != NULL && k->is_due;
	}
	k->is_due = changed || (k->next != NULL && k->is_due);
	memcpy(k->seen, now, sizeof(now));
	tls_ctx_free(k->next);
	t = k->options(k->o);
	k->steps = 0;
	k->longest = 0;
	k->next = tls_context_begin(&t, &why);
	return k->next != NULL ? k->is_due : failed(k, &why);
}

int
tls_reload_load(struct tls_reload *k)
{
	int64_t took, begun = clock_us();
	struct tls_options t;
	struct error why;
	int r;

	if (k->next == NULL)
		return 0;
	t = k->options(k->o);
	r = tls_context_load(k->next, &t, &why);
	took = clock_us() - begun;
	k->steps++;
	if (took > k->longest)
		k->longest = took;
	if (r != 0)
		return r == 1 ? 1 : failed(k, &why);
	tls_ctx_free(k->ctx);
	k->ctx = k->next;
	k->next = NULL;
	before_fork(k);
	log_reloaded(k);
	return 0;
}

void
tls_reload_end(struct tls_reload *k)
{
	tls_ctx_free(k->next);
	tls_ctx_free(k->ctx);
	k->next = k->ctx = NULL;
}
