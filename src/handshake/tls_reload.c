/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "handshake/tls_reload.h"
#include "os/log.h"

/* Does it accept websockets, or dial them? */
static int
is_server(const struct options *o)
{
	return o->mode == MODE_SERVER || o->mode == MODE_GATE;
}

struct tls_ctx *
tls_reload_make(const struct options *o, struct error *why)
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

	return tls_context(&t, why);
}

/* The system's authorities are for proxies too, --cacert is not. */
struct tls_ctx *
tls_reload_make_proxy(const struct options *o, struct error *why)
{
	struct tls_options t = { .cafile = o->proxy.cacert,
	    .trust_now = o->service.chroot != NULL,
	    .ca_option = "--proxy-cacert", .insecure = o->proxy.insecure };

	return tls_context(&t, why);
}

/* One that cannot be seen has not changed: it may be behind a chroot(2). */
static void
look(const struct options *o, struct tls_stamp seen[TLS_RELOAD_FILES])
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
	for (i = 0; i < TLS_RELOAD_FILES; i++) {
		if (path[i] == NULL || stat(path[i], &st) == -1)
			continue;
		seen[i].dev = st.st_dev;
		seen[i].ino = st.st_ino;
		seen[i].size = st.st_size;
		seen[i].changed = st.st_mtim.tv_sec * INT64_C(1000000000) +
		    st.st_mtim.tv_nsec;
	}
}

/* Without them each handshake is a full one: no reason not to run. */
static void
share_tickets(const struct tls_reload *k)
{
	if (k->tickets && tls_tickets_open(k->ctx) == -1)
		log_event(LOG_L_WARN, "no-tickets", "error", strerror(errno),
		    NULL);
}

int
tls_reload_begin(struct tls_reload *k, const struct options *o,
    struct tls_ctx *(*make)(const struct options *, struct error *),
    int tickets, struct error *why)
{
	k->o = o;
	k->make = make;
	k->tickets = tickets;
	memset(k->seen, 0, sizeof(k->seen));
	look(o, k->seen);
	if ((k->ctx = make(o, why)) == NULL)
		return -1;
	share_tickets(k);
	return 0;
}

/* The files are looked at first: what changes while they are read counts. */
void
tls_reload_refresh(struct tls_reload *k, int always)
{
	struct tls_stamp now[TLS_RELOAD_FILES];
	struct tls_ctx *ctx;
	struct error why;

	if (k->ctx == NULL)
		return;
	memcpy(now, k->seen, sizeof(now));
	look(k->o, now);
	if (!always && memcmp(now, k->seen, sizeof(now)) == 0) {
		tls_tickets_rotate(k->ctx);
		return;
	}
	memcpy(k->seen, now, sizeof(now));
	if ((ctx = k->make(k->o, &why)) == NULL) {
		log_event(LOG_L_ERROR, "certificates", "why", why.text,
		    "hint", "the old ones stay in use", NULL);
		return;
	}
	tls_ctx_free(k->ctx);
	k->ctx = ctx;
	share_tickets(k);
	log_event(LOG_L_INFO, "reloaded-file", "what", "certificates", NULL);
}

void
tls_reload_end(struct tls_reload *k)
{
	tls_ctx_free(k->ctx);
	k->ctx = NULL;
}
