/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "os/log.h"
#include "run/tls_keep.h"

struct tls_ctx *
tls_keep_make(const struct options *o, struct why *why)
{
	int server = o->mode == MODE_SERVER;
	struct tls_options t = { .server = server,
	    .cafile = server ? o->tls_client_ca : o->cacert,
	    .capath = o->capath, .crlfile = o->crlfile,
	    .peer_certs = server ? o->tls_peer_certs : o->peer_certs,
	    .pins = o->pinnedpubkey, .insecure = o->insecure,
	    .cert = server ? o->tls_cert : o->cert,
	    .key = server ? o->tls_key : o->key,
	    .password_file = o->key_password_file, .only_13 = o->tls_min,
	    .ciphers = o->ciphers, .ciphers13 = o->tls13_ciphers };

	return tls_context(&t, why);
}

static void
look(const struct options *o, struct tls_stamp seen[TLS_KEEP_FILES])
{
	const char *path[TLS_KEEP_FILES] = { o->cert, o->key, o->tls_cert,
	    o->tls_key, o->key_password_file, o->crlfile,
	    o->mode == MODE_SERVER ? o->tls_client_ca : o->cacert,
	    o->mode == MODE_SERVER ? o->tls_peer_certs : o->peer_certs };
	struct stat st;
	int i;

	memset(seen, 0, TLS_KEEP_FILES * sizeof(seen[0]));
	for (i = 0; i < TLS_KEEP_FILES; i++) {
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
share_tickets(const struct tls_keep *k)
{
	if (k->tickets && tls_tickets_open(k->ctx) == -1)
		log_event(LOG_L_WARN, "no-tickets", "error", strerror(errno),
		    NULL);
}

int
tls_keep_begin(struct tls_keep *k, const struct options *o, int tickets,
    struct why *why)
{
	k->o = o;
	k->tickets = tickets;
	look(o, k->seen);
	if ((k->ctx = tls_keep_make(o, why)) == NULL)
		return -1;
	share_tickets(k);
	return 0;
}

/* The files are looked at first: what changes while they are read counts. */
void
tls_keep_refresh(struct tls_keep *k, int always)
{
	struct tls_stamp now[TLS_KEEP_FILES];
	struct tls_ctx *ctx;
	struct why why;

	if (k->ctx == NULL)
		return;
	look(k->o, now);
	if (!always && memcmp(now, k->seen, sizeof(now)) == 0)
		return;
	memcpy(k->seen, now, sizeof(now));
	if ((ctx = tls_keep_make(k->o, &why)) == NULL) {
		log_event(LOG_L_ERROR, "certificates", "why", why.text,
		    "hint", "the old ones stay in use", NULL);
		return;
	}
	tls_ctx_free(k->ctx);
	k->ctx = ctx;
	share_tickets(k);
	log_event(LOG_L_INFO, "certificates", "why", "taken up anew", NULL);
}

void
tls_keep_end(struct tls_keep *k)
{
	tls_ctx_free(k->ctx);
	k->ctx = NULL;
}
