/* SPDX-License-Identifier: ISC */
/*
 * TLS in the kernel (Linux, module tls).  Where it is available, OpenSSL hands
 * a connection's keys to its socket when the handshake is over, for each
 * direction separately, and data can then be written, read and moved by
 * splice(2) as on a plain socket.  Tickets, alerts and close_notify are still
 * handled by OpenSSL.
 *
 * OpenSSL 3.0 does so for the sending of TLS 1.2 and 1.3, and for the
 * receiving of TLS 1.2.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <unistd.h>

#include "os/log.h"
#include "tls/internal.h"

#ifndef SSL_OP_ENABLE_KTLS		/* a library without it */
#define SSL_OP_ENABLE_KTLS	0
#undef BIO_get_ktls_send
#undef BIO_get_ktls_recv
#define BIO_get_ktls_send(bio)	0
#define BIO_get_ktls_recv(bio)	0
#endif
#ifndef MSG_MORE
#define MSG_MORE		0
#endif

#ifdef HAVE_LINUX

/*
 * Where the kernel has it, a socket that is not connected is refused with
 * ENOTCONN, otherwise with ENOENT.  For root this loads the module.
 */
static int
is_there(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r, e;

	if (fd == -1 && errno == EAFNOSUPPORT)
		fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return 0;
	r = setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls"));
	e = errno;
	close(fd);
	return r == 0 || e == ENOTCONN;
}

#else

static int
is_there(void)
{
	return 0;
}

#endif

/*
 * Only if it is there: OpenSSL would try for each connection, and for root each
 * try would search for the module.
 */
void
ktls_allow(SSL_CTX *ssl)
{
	if (is_there())
		SSL_CTX_set_options(ssl, SSL_OP_ENABLE_KTLS);
}

void
ktls_begin(struct tls *t)
{
	t->kernel_sends = BIO_get_ktls_send(SSL_get_wbio(t->ssl));
	t->kernel_receives = BIO_get_ktls_recv(SSL_get_rbio(t->ssl));
}

int
ktls_sends(const struct tls *t)
{
	return t->kernel_sends;
}

int
ktls_receives(const struct tls *t)
{
	return t->kernel_receives;
}

ssize_t
ktls_write(struct tls *t, const void *buf, size_t len, int more)
{
	return send(SSL_get_wfd(t->ssl), buf, len,
	    MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

/*
 * A record that is no data is EIO, and remains to be read.  At an end of file
 * only OpenSSL knows whether close_notify came before it.
 */
ssize_t
ktls_read(struct tls *t, void *buf, size_t len)
{
	ssize_t n;

	if (!t->kernel_receives || SSL_has_pending(t->ssl))
		return KTLS_NOT;
	n = read(SSL_get_rfd(t->ssl), buf, len);
	if (n == 0 || (n == -1 && errno == EIO))
		return KTLS_NOT;
	if (n == -1 && errno == EBADMSG)
		errno = EPROTO;		/* forged, or broken on its way */
	return n;
}

/*
 * The answer to a peer that asks for new keys has to come before any further
 * data (RFC 8446 4.6.3).  Neither OpenSSL 3.0 nor a kernel before 6.14 can
 * change those of a socket that has them: the answer would be followed by what
 * the peer cannot read.  So it is the end, as of a connection that is cut;
 * peers ask for it after some hundred gigabytes, if ever.
 */
int
ktls_stuck(const struct tls *t)
{
	if (!t->kernel_sends ||
	    SSL_get_key_update_type(t->ssl) == SSL_KEY_UPDATE_NONE)
		return 0;
	log_event(LOG_L_WARN, "key-update", "peer", t->name, "why",
	    "the peer asks for new keys, and the kernel, which sends, cannot "
	    "change them", NULL);
	return 1;
}

const char *
ktls_word(const struct tls *t)
{
	if (t->kernel_sends)
		return t->kernel_receives ? "send+recv" : "send";
	return t->kernel_receives ? "recv" : "none";
}
