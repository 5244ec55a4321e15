/* SPDX-License-Identifier: ISC */
/*
 * Certificates that change while a supervisor runs, file by file, and what the
 * options say about TLS; a client's contexts; and both ends of a handshake.
 *
 * If it fails: a renewed certificate, or a revocation, does not count until the
 * next start, or a broken file ends a service.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "handshake/attempt.h"
#include "handshake/dialer.h"
#include "listening.h"
#include "seen.h"
#include "handshake/tls_accept.h"
#include "handshake/tls_reload.h"
#include "os/clock.h"
#include "tls/certs.h"
#include "tls/bio.h"
#include "tap.h"

#define YEAR	(365 * DAY)

static struct options o;
static struct error why;
static struct pair ca, leaf, second;
static char folder[] = "/tmp/inetws-reload-XXXXXX";

enum { CA, PROXY_CA, CERT, KEY, CRL, PEERS, PASSWORD, CERT2, KEY2, FILES };
static char path[FILES][64];

static void
write_crl(const char *name)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	FILE *f = fopen(name, "w");

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert));
	X509_gmtime_adj(t, -DAY);
	X509_CRL_set1_lastUpdate(crl, t);
	X509_gmtime_adj(t, YEAR);
	X509_CRL_set1_nextUpdate(crl, t);
	X509_CRL_sign(crl, ca.key, EVP_sha256());
	if (f == NULL || PEM_write_X509_CRL(f, crl) != 1)
		abort();
	fclose(f);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
}

/* A new file in the place of the old one, as tools replace them. */
static void
renew(int i)
{
	char name[80];
	FILE *f;

	snprintf(name, sizeof(name), "%s.new", path[i]);
	if (i == KEY || i == KEY2)
		save_key(name, i == KEY ? leaf.key : second.key);
	else if (i == CRL)
		write_crl(name);
	else if (i == PASSWORD) {
		if ((f = fopen(name, "w")) == NULL)
			abort();
		fputs("secret\n", f);
		fclose(f);
	} else
		save(name, i == CA || i == PROXY_CA ? ca.cert : i == CERT2 ?
		    second.cert : leaf.cert);
	if (rename(name, path[i]) == -1)
		abort();
}

static void
client_options(void)
{
	char err[100];

	memset(&o, 0, sizeof(o));
	o.mode = MODE_CLIENT;
	if (url_parse(&o.url, "wss://localhost:1/", err, sizeof(err)) == -1)
		abort();
	o.tls.cacert = path[CA];
	o.tls.cert = path[CERT];
	o.tls.key = path[KEY];
	o.tls.crlfile = path[CRL];
	o.tls.peer_certs = path[PEERS];
	o.tls.key_password_file = path[PASSWORD];
	o.proxy.cacert = path[PROXY_CA];
}

static void
server_options(void)
{
	memset(&o, 0, sizeof(o));
	o.mode = MODE_SERVER;
	o.tls.own_cert.v[0] = path[CERT];
	o.tls.own_cert.v[1] = path[CERT2];
	o.tls.own_cert.n = 2;
	o.tls.own_key.v[0] = path[KEY];
	o.tls.own_key.v[1] = path[KEY2];
	o.tls.own_key.n = 2;
	o.tls.client_ca = path[CA];
	o.tls.client_certs = path[PEERS];
	o.tls.crlfile = path[CRL];
	o.tls.key_password_file = path[PASSWORD];
}

static void
test_options(void)
{
	struct tls_options t;

	client_options();
	t = tls_reload_options(&o);
	ok(!t.server && t.cafile == path[CA] && t.peer_certs == path[PEERS] &&
	    t.crlfile == path[CRL] && t.password_file == path[PASSWORD],
	    "a client's files");
	ok(t.ncerts == 1 && t.certs[0] == path[CERT] && t.nkeys == 1 &&
	    t.keys[0] == path[KEY], "and its own certificate");
	ok(!t.insecure && !t.no_sni && !t.only_13 && !t.trust_now,
	    "it does as is usual");
	o.tls.insecure = o.tls.min = 1;
	o.tls.servername = "x";
	o.tls.ciphers = "c";
	o.tls.tls13_ciphers = "d";
	o.tls.pinnedpubkey = "p";
	o.tls.capath = "q";
	o.service.chroot = "/";
	o.tls.cert = o.tls.key = NULL;
	t = tls_reload_options(&o);
	ok(t.insecure && t.only_13 && t.trust_now && !t.no_sni, "or as it is "
	    "told");
	ok(t.ncerts == 0 && t.nkeys == 0, "it may have no certificate");
	ok(strcmp(t.ciphers, "c") == 0 && strcmp(t.ciphers13, "d") == 0 &&
	    strcmp(t.pins, "p") == 0 && strcmp(t.capath, "q") == 0, "(words)");
	o.tls.servername = "";
	t = tls_reload_options(&o);
	is(t.no_sni, 1, "an empty name is none");
	t = tls_reload_proxy_options(&o);
	ok(t.cafile == path[PROXY_CA] && !t.insecure && t.trust_now &&
	    strcmp(t.ca_option, "--proxy-cacert") == 0 && t.ncerts == 0,
	    "a proxy has authorities of its own, and gets no certificate");
	o.proxy.insecure = 1;
	t = tls_reload_proxy_options(&o);
	is(t.insecure, 1, "unless it is not verified");
	server_options();
	o.tls.cacert = "x";
	o.tls.peer_certs = "y";
	t = tls_reload_options(&o);
	ok(t.server && t.cafile == path[CA] && t.peer_certs == path[PEERS],
	    "a server's");
	ok(t.ncerts == 2 && t.certs[1] == path[CERT2] && t.nkeys == 2 &&
	    t.keys[1] == path[KEY2], "all its certificates");
	o.mode = MODE_GATE;
	is(tls_reload_options(&o).server, 1, "a gate is a server");
	o.mode = MODE_AGENT;
	is(tls_reload_options(&o).server, 0, "an agent is a client");
}

/* Loads what has been begun; how many steps, or -1: they do not end. */
static int
load(struct tls_reload *k)
{
	int n = 1;

	while (tls_reload_load(k) == 1)
		if (++n > 100)
			return -1;
	return n;
}

static void
changes(const int *files, int n)
{
	struct tls_reload k = { .ctx = NULL };
	struct tls_ctx *before;
	char want[60];
	int i, steps;

	ok(tls_reload_begin(&k, &o, tls_reload_options, 0, &why) == 0,
	    "(a context: %s)", why.text);
	is(tls_reload_refresh(&k, 0), 0, "nothing has changed");
	is(tls_reload_load(&k), 0, "nothing is to be loaded");
	for (i = 0; i < n; i++) {
		before = k.ctx;
		renew(files[i]);
		is(tls_reload_refresh(&k, 0), 1, path[files[i]] +
		    strlen(folder));
		is(tls_reload_refresh(&k, 0), 1, "is loaded until it is whole");
		ok(k.ctx == before, "the old one is used meanwhile");
		seen();
		steps = load(&k);
		ok(steps > 1, "in steps");
		ok(k.ctx != before && k.next == NULL, "then the new one is");
		snprintf(want, sizeof(want), " what=certificates steps=%d "
		    "longest-us=", steps);
		ok(strstr(seen(), want) != NULL, "the log says so");
		is(tls_reload_refresh(&k, 0), 0, "once");
	}
	tls_reload_end(&k);
	ok(k.ctx == NULL && k.next == NULL, "(freed)");
}

static void
test_changes(void)
{
	static const int client[] = { CA, CERT, KEY, CRL, PEERS, PASSWORD,
	    PROXY_CA };
	static const int server[] = { CERT, CERT2, KEY, KEY2, CA, PEERS, CRL,
	    PASSWORD };

	client_options();
	changes(client, 7);
	server_options();
	changes(server, 8);
}

static void
test_always(void)
{
	struct tls_reload k = { .ctx = NULL };
	struct tls_ctx *before;
	int64_t began = clock_us();

	client_options();
	is(tls_reload_refresh(&k, 1), 0, "without TLS nothing is made");
	is(tls_reload_load(&k), 0, "nor loaded");
	is(tls_reload_begin(&k, &o, tls_reload_options, 0, &why), 0, "(begun)");
	before = k.ctx;
	is(tls_reload_refresh(&k, 1), 0, "HUP: no file has changed");
	is(tls_reload_refresh(&k, 0), 0, "and none is waited for");
	ok(k.next != NULL, "but options may have");
	load(&k);
	ok(k.ctx != before, "so there is a new one");
	ok(k.longest > 0 && k.longest < clock_us() - began, "the longest step");
	renew(CERT);
	is(tls_reload_refresh(&k, 0), 1, "a file");
	is(tls_reload_refresh(&k, 1), 1, "and HUP meanwhile");
	load(&k);
	is(tls_reload_refresh(&k, 1), 0, "HUP alone");
	load(&k);
	/* a file that is out of reach has not changed */
	unlink(path[PASSWORD]);
	is(tls_reload_refresh(&k, 0), 0, "one that cannot be seen");
	renew(PASSWORD);
	is(tls_reload_refresh(&k, 0), 1, "until it is seen again");
	load(&k);
	tls_reload_end(&k);
}

static void
test_broken(void)
{
	struct tls_reload k = { .ctx = NULL };
	struct tls_ctx *before;
	const char *said;

	client_options();
	is(tls_reload_begin(&k, &o, tls_reload_options, 0, &why), 0, "(begun)");
	before = k.ctx;
	save(path[CERT], NULL);
	is(tls_reload_refresh(&k, 0), 1, "a broken file");
	seen();
	load(&k);
	said = seen();
	ok(strstr(said, "level=error event=certificates why=") != NULL &&
	    strstr(said, "hint=\"the old ones stay in use\"") != NULL, "is an "
	    "error");
	ok(k.ctx == before && k.next == NULL, "the old context stays");
	is(tls_reload_refresh(&k, 0), 0, "it is told once");
	is(tls_reload_load(&k), 0, "and not read again");
	renew(CERT);
	is(tls_reload_refresh(&k, 0), 1, "until it changes");
	load(&k);
	ok(k.ctx != before, "a good one counts again");
	before = k.ctx;
	o.tls.ciphers = "nonsense";
	seen();
	is(tls_reload_refresh(&k, 1), 0, "options that cannot be used");
	ok(k.ctx == before && k.next == NULL &&
	    strstr(seen(), "event=certificates") != NULL, "likewise");
	tls_reload_end(&k);
	is(tls_reload_begin(&k, &o, tls_reload_options, 0, &why), -1,
	    "at the start");
	is(why.status, EXIT_BADUSAGE, "they end it: 64");
	ok(k.ctx == NULL, "without a context");
}

/* --- what a client has made of it --- */

static void
test_dialer(void)
{
	/* What a redirect may need. */
	const struct {
		const char **member, *value;
		int is_wrong;
	} v[] = {
		{ &o.tls.cacert, path[CA], 0 },
		{ &o.tls.crlfile, path[CRL], 0 },
		{ &o.tls.peer_certs, path[PEERS], 0 },
		{ &o.tls.capath, "wrong", 1 }, { &o.tls.ciphers, "wrong", 1 },
		{ &o.tls.tls13_ciphers, "wrong", 1 },
		{ &o.tls.pinnedpubkey, "wrong", 1 },
		{ &o.service.chroot, "/", 0 }
	};
	struct dialer d;
	struct tls_ctx *before;
	char err[100];
	size_t i;

	client_options();
	is(dialer_begin(&d, &o, 0, &why), 0, "a client of wss://");
	ok(d.tls.ctx != NULL && d.proxy.ctx != NULL,
	    "has a context, and one for a proxy that a redirect may need");
	ok(dialer_trust(&d)->server == d.tls.ctx &&
	    dialer_trust(&d)->proxy == d.proxy.ctx, "by which it dials");
	is(dialer_refresh(&d, 0), 0, "nothing has changed");
	is(dialer_load(&d), 0, "nothing to load");
	before = d.tls.ctx;
	renew(CA);
	is(dialer_refresh(&d, 0), 1, "a file has");
	while (dialer_load(&d) == 1)
		;
	ok(d.tls.ctx != before && dialer_trust(&d)->server == d.tls.ctx,
	    "it dials by the new one");
	dialer_end(&d);

	memset(&o, 0, sizeof(o));
	o.mode = MODE_CLIENT;
	if (url_parse(&o.url, "ws://localhost:1/", err, sizeof(err)) == -1)
		abort();
	is(dialer_begin(&d, &o, 0, &why), 0, "a client of ws://");
	ok(d.tls.ctx == NULL, "needs none");
	o.url.tls = 1;
	o.tls.cacert = path[CA];
	is(dialer_refresh(&d, 0), 0, "its URL becomes wss://");
	ok(d.tls.ctx == NULL, "(not without HUP)");
	dialer_refresh(&d, 1);
	ok(d.tls.ctx != NULL, "it has one then");
	dialer_end(&d);
	o.url.tls = 0;
	o.tls.cacert = NULL;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		*v[i].member = v[i].value;
		is(dialer_begin(&d, &o, 0, &why), v[i].is_wrong ? -1 : 0,
		    "looked at, though the URL is of ws://");
		is(d.tls.ctx != NULL, !v[i].is_wrong, "by a context");
		dialer_end(&d);
		*v[i].member = NULL;
	}
}

static void
cannot(const char *said)
{
	struct dialer d;

	is(dialer_begin(&d, &o, 0, &why), -1, "refused");
	is(why.status, EXIT_BADUSAGE, "64");
	ok(strncmp(why.text, said, strlen(said)) == 0, "%s", why.text);
	ok(d.tls.ctx == NULL && d.proxy.ctx == NULL, "nothing is left");
}

static void
test_dialer_refuses(void)
{
	char gone[] = "/nonexistent/x", *argv[] = { gone, NULL }, err[100];
	struct dialer d;
	struct proxy proxy;

	client_options();
	o.tls.cacert = "/nonexistent/ca";
	cannot("--cacert /nonexistent/ca: No such file or directory");
	o.tls.cacert = NULL;
	o.tls.capath = "/nonexistent/d";
	cannot("--capath /nonexistent/d: No such file or directory");
	client_options();
	o.proxy.cacert = "/nonexistent/p";
	cannot("--proxy-cacert /nonexistent/p: No such file or directory");
	client_options();
	o.websocket.header_command = argv;
	cannot("--header-command /nonexistent/x: No such file or directory");
	o.service.chroot = "/";
	is(dialer_begin(&d, &o, 0, &why), 0, "behind a chroot it may be there");
	dialer_end(&d);
	client_options();
	o.proxy.header_command = argv;
	cannot("--proxy-header-command /nonexistent/x: No such file");
	client_options();
	o.tls.cert = "/nonexistent/c";
	cannot("--cert /nonexistent/c: ");
	client_options();
	o.dial.family = 6;
	o.url.at = (struct addr){ .kind = ADDR_TCP, .host = "127.0.0.1" };
	cannot("--ipv6: ");
	is(dialer_check(&o, &why), -1, "(the same)");
	/* TLS with a proxy has a context of its own */
	client_options();
	if (proxy_parse(&proxy, "https://p.example", err, sizeof(err)) == -1)
		abort();
	o.proxy.server = &proxy;
	is(dialer_begin(&d, &o, 0, &why), 0, "a proxy with TLS");
	ok(d.proxy.ctx != NULL && dialer_trust(&d)->proxy == d.proxy.ctx,
	    "has a context");
	renew(PROXY_CA);
	is(dialer_refresh(&d, 0), 1, "which is renewed as well");
	while (dialer_load(&d) == 1)
		;
	ok(dialer_trust(&d)->proxy == d.proxy.ctx, "(dialled by)");
	dialer_end(&d);
	ok(d.tls.ctx == NULL && d.proxy.ctx == NULL, "all is freed");
	save(path[PROXY_CA], NULL);
	cannot("--proxy-cacert /tmp/");
	renew(PROXY_CA);
}

/* --- both ends --- */

static struct tls_ctx *
context(void)
{
	struct tls_ctx *ctx = tls_reload_make(tls_reload_options, &o, &why);

	if (ctx == NULL)
		abort();
	return ctx;
}

/* In a child: one connection; exits 0 if its subject is what is wanted. */
static pid_t
serve(int l, const char *subject)
{
	char got[TLS_SUBJECT_MAX] = "unset";
	struct tls_ctx *ctx;
	struct io io;
	pid_t pid = fork();
	int r, fd;

	if (pid != 0)
		return pid;
	alarm(60);
	ctx = context();
	fd = accept(l, NULL, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	io = io_of(fd);
	r = tls_accept_begin(&io, ctx, got, clock_ms() + 20000, &why);
	if (r == -1)
		_exit(io.rfd == -1 ? why.status : 1);
	if (strcmp(got, subject) != 0)
		_exit(2);
	while (poll(NULL, 0, 10) == 0 && read(fd, got, 1) == -1 &&
	    errno == EAGAIN)
		;
	_exit(0);
}

static struct attempt a;

/* Dials that server: 1 or -1, and what the server's process says. */
static int
dial(const char *subject, int *status)
{
	static const struct trace loud = { .verbose = 1 };
	struct pollfd p[ATTEMPT_POLL_MAX];
	struct trust trust = { NULL, NULL };
	struct options server = o;
	uint16_t port;
	pid_t pid;
	int l = listen_any(&port), r;

	pid = serve(l, subject);
	close(l);
	client_options();
	o.tls.insecure = server.tls.insecure;
	if (server.tls.cert == NULL)
		o.tls.cert = o.tls.key = NULL;
	o.tls.servername = server.tls.servername;
	o.url.at.port = port;
	trust.server = context();
	attempt_begin(&a, &o, &o.url, &trust, &loud, clock_ms() + 20000);
	while ((r = attempt_step(&a)) == 0)
		poll(p, attempt_poll(&a, p), clock_poll(attempt_time(&a)));
	if (r == 1)
		attempt_end(&a);
	tls_ctx_free(trust.server);
	waitpid(pid, status, 0);
	*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	return r;
}

static void
test_both(void)
{
	int status;
	const char *said;

	server_options();
	o.tls.cert = path[CERT];
	seen();
	is(dial("CN=leaf", &status), 1, "a client with a certificate");
	is(status, 0, "is known by its subject");
	said = seen();
	ok(strstr(said, ", certificate of localhost verified\n") != NULL,
	    "-v says whose certificate was verified");
	ok(a.at[DIAL_SECURED] >= a.at[DIAL_CONNECTED], "(when)");
	server_options();
	o.tls.client_ca = o.tls.client_certs = o.tls.crlfile = NULL;
	o.tls.insecure = 1;
	seen();
	is(dial("", &status), 1, "one without, where none is wanted");
	is(status, 0, "has no subject");
	ok(strstr(seen(), ", certificate of localhost not verified\n") != NULL,
	    "-v says what --insecure means");
	server_options();
	o.tls.client_ca = o.tls.client_certs = o.tls.crlfile = NULL;
	o.tls.servername = "other.example";
	is(dial("", &status), -1, "--servername is what is verified");
	is(a.why.status, EXIT_DENIED, "77");
	is(a.refused, REFUSED_CERTIFICATE, "a certificate is refused");
	is(status, EXIT_DENIED, "the server is told");
	ok(strstr(a.why.text, "other.example") != NULL, "%s", a.why.text);
}

/* Which names are those of the certificate? */
static void
test_names(void)
{
	static const struct {
		const char *name;
		int fits;
	} v[] = {
		{ "localhost", 1 }, { "localhost.", 1 }, { "LocalHost", 1 },
		{ "localhos", 0 }, { "localhost2", 0 }, { "a.w.example", 1 },
		{ "w.example", 0 }, { "a.b.w.example", 0 },
		{ "127.0.0.1", 1 }, { "127.0.0.2", 0 }, { "::1", 1 },
		{ "[::1]", 1 }, { "::1%lo", 1 }, { "::2", 0 }
	};
	size_t i;
	int status;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		server_options();
		o.tls.client_ca = o.tls.client_certs = o.tls.crlfile = NULL;
		o.tls.servername = v[i].name;
		is(dial("", &status), v[i].fits ? 1 : -1, v[i].name);
		is(status, v[i].fits ? 0 : EXIT_DENIED, "(so does the server)");
	}
}

/* In a child: asks for a certificate, takes none too, and answers so. */
static pid_t
serve_refusal(int l, int status)
{
	char text[1000];
	SSL_CTX *ctx;
	SSL *ssl;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	alarm(60);
	ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(ctx, leaf.cert);
	SSL_CTX_use_PrivateKey(ctx, leaf.key);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca.cert);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, accept(l, NULL, NULL));
	if (SSL_accept(ssl) != 1 || SSL_read(ssl, text, sizeof(text)) <= 0)
		_exit(1);
	snprintf(text, sizeof(text), "HTTP/1.1 %d No\r\n\r\n", status);
	SSL_write(ssl, text, (int)strlen(text));
	SSL_shutdown(ssl);
	_exit(0);
}

/* A refusal may mean the certificate that was asked for. */
static void
test_hints(void)
{
	static const struct {
		int status, has_cert;
		const char *hint;
	} v[] = {
		{ 403, 0, " 403 No: it wants a certificate of ours, use "
		    "--cert" },
		{ 400, 0, " 400 No: it wants a certificate of ours, use "
		    "--cert" },
		{ 403, 1, " 403 No: it may have refused our certificate" },
		{ 404, 0, " 404 No: " }
	};
	struct trust trust = { NULL, NULL };
	struct websocket w;
	uint16_t port;
	int l = listen_any(&port), http;
	size_t i;
	pid_t pid;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		pid = serve_refusal(l, v[i].status);
		client_options();
		o.url.at.port = port;
		o.timeouts.handshake = o.timeouts.connect = 20000;
		if (!v[i].has_cert)
			o.tls.cert = o.tls.key = NULL;
		trust.server = context();
		is(websocket_dial(&w, &o, &trust, NULL, &http, &why), -1,
		    "refused");
		ok(strstr(why.text, v[i].hint) != NULL, "%s", why.text);
		is(why.status, v[i].status == 404 ? EXIT_PROTOCOL :
		    EXIT_DENIED, "its exit status");
		is(strstr(why.text, "certificate") != NULL,
		    v[i].status != 404, "other statuses mean other things");
		tls_ctx_free(trust.server);
		waitpid(pid, NULL, 0);
	}
	close(l);
}

/* A client whose certificate has a subject of very many bytes. */
static void
test_long_subject(void)
{
	char text[65];
	X509_NAME *name = X509_get_subject_name(leaf.cert);
	int i, status;

	memset(text, 'o', 64);
	text[64] = '\0';
	for (i = 0; i < 4; i++)
		X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC,
		    (const unsigned char *)text, -1, -1, 0);
	X509_sign(leaf.cert, ca.key, EVP_sha256());
	renew(CERT);
	renew(PEERS);
	server_options();
	o.tls.cert = path[CERT];
	dial("", &status);
	is(status, EXIT_DENIED, "a subject that would be cut is refused: 77");
}

/* What is no TLS gets an alert, which it can read although more was sent. */
static void
test_alert(void)
{
	static const char hello[] = "\x16\x03\x01\x00\x05hello";
	static char junk[3000];
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int64_t begun = clock_ms();
	uint16_t port;
	char got[100];
	int l = listen_any(&port), fd, status;
	ssize_t n;
	pid_t pid;

	server_options();
	pid = serve(l, "");
	close(l);
	in.sin_port = htons(port);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    write(fd, hello, sizeof(hello) - 1) == -1 ||
	    write(fd, junk, sizeof(junk)) == -1)
		abort();
	n = read(fd, got, sizeof(got));
	ok(n == 7 && got[0] == 21, "an alert");
	is(read(fd, got, sizeof(got)), 0, "and an end, not a reset");
	waitpid(pid, &status, 0);
	is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, EXIT_PROTOCOL, "76");
	ok(clock_ms() >= begun + 1000,
	    "a client that stays has a second to read it");
	close(fd);
}

/* Bytes from one end to the other, as far as there are some. */
static int
pass(struct io *from, struct io *to)
{
	char buf[4096];
	struct iovec iov = { buf, sizeof(buf) };
	ssize_t n = io_readv(from, &iov, 1);

	if (n == -1 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	iov.iov_len = n;
	return io_writev(to, &iov, 1) == n ? 1 : -1;
}

/* In a child: what a proxy connects to, in both directions until an end. */
static void
relay(struct io *outer)
{
	struct io inner;
	int pair[2], r[2] = { 0, 0 };

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		_exit(3);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	errno = 0;
	if (fork() == 0) {
		char subject[TLS_SUBJECT_MAX], c;
		struct iovec iov = { &c, 1 };
		struct tls_ctx *ctx = context();
		struct io io = io_of(pair[1]);

		alarm(60);
		close(pair[0]);
		if (tls_accept_begin(&io, ctx, subject, clock_ms() + 20000,
		    &why) == -1)
			_exit(1);
		/* an echo */
		for (;;)
			if (io_readv(&io, &iov, 1) == 1)
				io_writev(&io, &iov, 1);
			else if (errno != EAGAIN || poll(NULL, 0, 5) != 0)
				_exit(0);
	}
	close(pair[1]);
	inner = io_of(pair[0]);
	close(STDOUT_FILENO);
	while (r[0] != -1 && r[1] != -1) {
		r[0] = pass(outer, &inner);
		r[1] = pass(&inner, outer);
		if (r[0] == 0 && r[1] == 0)
			poll(NULL, 0, 2);
	}
}

/* In a child: a forward proxy with TLS. */
static pid_t
serve_proxy(int l, int relays)
{
	static const char yes[] = "HTTP/1.1 200 Go\r\n\r\n";
	struct iovec iov;
	char got[2000], subject[TLS_SUBJECT_MAX];
	struct tls_ctx *ctx;
	struct io io;
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	alarm(60);
	ctx = context();
	fd = accept(l, NULL, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	io = io_of(fd);
	if (tls_accept_begin(&io, ctx, subject, clock_ms() + 20000, &why) == -1)
		_exit(1);
	iov = (struct iovec){ got, sizeof(got) };
	while (io_readv(&io, &iov, 1) == -1 && errno == EAGAIN)
		poll(NULL, 0, 5);
	if (strncmp(got, "CONNECT localhost:1 ", 20) != 0)
		_exit(2);
	iov = (struct iovec){ (char *)(uintptr_t)yes, strlen(yes) };
	io_writev(&io, &iov, 1);
	if (relays)
		relay(&io);
	else
		io_finish(&io);
	_exit(0);
}

static struct proxy proxy;

/* By that proxy to this URL: 1 or -1. */
static int
dial_by_proxy(int l, uint16_t port, const char *url, struct trust *trust)
{
	static const struct trace loud = { .verbose = 1 };
	struct pollfd p[ATTEMPT_POLL_MAX];
	char text[100], err[100];
	int r;

	snprintf(text, sizeof(text), "https://localhost:%u", port);
	if (proxy_parse(&proxy, text, err, sizeof(err)) == -1 ||
	    url_parse(&o.url, url, err, sizeof(err)) == -1)
		abort();
	o.proxy.server = &proxy;
	seen();
	attempt_begin(&a, &o, &o.url, trust, &loud, clock_ms() + 20000);
	while ((r = attempt_step(&a)) == 0)
		poll(p, attempt_poll(&a, p), clock_poll(attempt_time(&a)));
	return r;
}

static void
test_proxy(void)
{
	struct trust trust = { NULL, NULL };
	BIO_METHOD *method;
	BIO *bio;
	const char *said;
	uint16_t port;
	char c;
	int l = listen_any(&port), i, status, n;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		server_options();
		o.tls.client_ca = o.tls.client_certs = o.tls.crlfile = NULL;
		pid = serve_proxy(l, 0);
		client_options();
		o.proxy.insecure = i;
		ok(dial_by_proxy(l, port, "ws://localhost:1/", &trust) == 1,
		    "a tunnel by a proxy with TLS: %s", a.why.text);
		ok(a.io.tls != NULL, "is in it");
		is(a.at[DIAL_SECURED], 0, "the server has no TLS");
		said = seen();
		ok(strstr(said, i == 0 ? ", certificate of localhost verified" :
		    ", certificate of localhost not verified") != NULL,
		    "-v tells of the proxy's certificate");
		/* TLS within it would see the end as such */
		waitpid(pid, &status, 0);
		is(status, 0, "which was asked for the server");
		bio = bio_over_tls(&method, a.io.tls);
		errno = EAGAIN;
		while ((n = BIO_read(bio, &c, 1)) == -1 && BIO_should_retry(bio))
			poll(NULL, 0, 5);
		ok(n == 0 && !BIO_should_retry(bio) && BIO_eof(bio),
		    "its end is one for what is within");
		BIO_free(bio);
		BIO_meth_free(method);
		attempt_end(&a);
		tls_ctx_free(trust.proxy);
		ok(trust.server == NULL, "(no context for the server)");
		trust.proxy = NULL;
	}
	close(l);
}

/* TLS with a server within TLS with a proxy, and what is learnt of both. */
static void
test_both_within(void)
{
	struct trust trust = { NULL, NULL };
	struct cert cert;
	struct iovec iov;
	char c = 'x';
	uint16_t port;
	int l = listen_any(&port), i, r;
	pid_t pid;

	for (i = 0; i < 2; i++) {
		server_options();
		o.tls.client_ca = o.tls.client_certs = o.tls.crlfile = NULL;
		pid = serve_proxy(l, 1);
		client_options();
		o.tls.cert = o.tls.key = NULL;
		trust.server = context();
		trust.proxy = tls_reload_make(tls_reload_proxy_options, &o,
		    &why);
		o.tls.servername = i == 0 ? NULL : "other.example";
		memset(&cert, 0xff, sizeof(cert));
		tls_ctx_watch(trust.server, &cert);
		r = dial_by_proxy(l, port, "wss://localhost:1/", &trust);
		is(r, i == 0 ? 1 : -1, i == 0 ? "a server within a proxy" :
		    "one with another name");
		is(cert.known, 1, "its certificate is known");
		is(cert.verified, i == 0, "was it verified?");
		ok(strncmp(cert.names, "CN=leaf / DNS:localhost, ", 25) == 0 &&
		    strcmp(cert.issuer, "CN=ca") == 0, "whose: %s",
		    cert.names);
		ok(strncmp(cert.version, "TLSv1.", 6) == 0 &&
		    cert.cipher[0] != '\0', "how: %s", cert.cipher);
		if (i == 0) {
			ok(a.at[DIAL_SECURED] >= a.at[DIAL_TUNNELLED],
			    "one behind the other");
			iov = (struct iovec){ &c, 1 };
			is(io_writev(&a.io, &iov, 1), 1, "a byte there");
			c = '\0';
			while ((r = io_readv(&a.io, &iov, 1)) == -1 &&
			    errno == EAGAIN)
				poll(NULL, 0, 5);
			ok(r == 1 && c == 'x', "and back");
			attempt_end(&a);
		}
		waitpid(pid, NULL, 0);
		tls_ctx_watch(trust.server, NULL);
		tls_ctx_free(trust.server);
		tls_ctx_free(trust.proxy);
	}
	close(l);
}

int
main(void)
{
	static const char *const names[] = { "cacert", "proxy-cacert", "cert",
	    "key", "crl", "peers", "password", "cert2", "key2" };
	static const char *const unset[] = { "http_proxy", "all_proxy",
	    "ALL_PROXY", "https_proxy", "HTTPS_PROXY" };
	int i;

	for (i = 0; i < 5; i++)
		unsetenv(unset[i]);
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(120);
	if (tls_prepare(&why) == -1 || mkdtemp(folder) == NULL)
		abort();
	ca = make_cert("ca", NULL, NULL, -DAY, YEAR);
	leaf = make_cert("leaf", "DNS:localhost,DNS:*.w.example,IP:127.0.0.1,"
	    "IP:::1", &ca, -DAY, YEAR);
	second = make_cert("second", "DNS:second.example", &ca, -DAY, YEAR);
	for (i = 0; i < FILES; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%s", folder, names[i]);
		renew(i);
	}
	seen_begin();
	test_options();
	test_changes();
	test_always();
	test_broken();
	test_dialer();
	test_dialer_refuses();
	test_both();
	test_names();
	test_hints();
	test_proxy();
	test_both_within();
	test_alert();
	test_long_subject();
	for (i = 0; i < FILES; i++)
		unlink(path[i]);
	rmdir(folder);
	free_pair(&second);
	free_pair(&leaf);
	free_pair(&ca);
	return done_testing();
}
