/* SPDX-License-Identifier: ISC */
/*
 * What a process does before anything else, and how it says that it cannot.
 *
 * If it fails: an error is written into a peer's connection, or a peer takes a
 * failed start for a clean end.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "os/log.h"
#include "supervisor/startup.h"
#include "seen.h"
#include "tap.h"

static struct options o;
static struct error why;

/* Under inetd descriptor 2 was the peer's, and is not ours to write to. */
static int
under_inetd(void)
{
	seen_begin();
	o.mode = MODE_CLIENT;
	o.log.no_stderr = 1;
	error_set(&why, EXIT_SYSTEM, "no");
	if (startup_failed(&o, &why) != EXIT_SYSTEM || !log_is_elsewhere())
		return 1;
	return *seen() == '\0' ? 0 : 2;
}

/* A person reads a usage error; a log another one. */
static int
said(void)
{
	seen_begin();
	o.mode = MODE_SERVER;
	startup_log(&o);
	error_set(&why, EXIT_BADUSAGE, "--x: wrong");
	if (startup_failed(&o, &why) != EXIT_BADUSAGE ||
	    !was_seen("inetws: --x: wrong\n"))
		return 1;
	error_set(&why, EXIT_SYSTEM, "no port");
	if (startup_failed(&o, &why) != EXIT_SYSTEM ||
	    !was_seen("level=error event=start why=\"no port\"\n"))
		return 2;
	o.service.chroot = "/jail";
	startup_failed_inside(&o, &why);
	if (!was_seen("why=\"no port (in --chroot /jail)\"\n"))
		return 3;
	return strcmp(why.text, "no port") == 0 ? 0 : 4;
}

static int
levels(void)
{
	static const struct { int level, quiet, verbose; enum log_level is; }
	    t[] = { { LOG_CHOICE_AUTO, 0, 0, LOG_L_INFO },
	    { LOG_CHOICE_AUTO, 1, 0, LOG_L_ERROR },
	    { LOG_CHOICE_AUTO, 0, 1, LOG_L_DEBUG },
	    { LOG_CHOICE_ERROR, 0, 1, LOG_L_ERROR },
	    { LOG_CHOICE_WARN, 0, 0, LOG_L_WARN },
	    { LOG_CHOICE_INFO, 1, 0, LOG_L_INFO },
	    { LOG_CHOICE_DEBUG, 1, 0, LOG_L_DEBUG } };
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		o.log.level = t[i].level;
		o.log.quiet = t[i].quiet;
		o.log.verbose = t[i].verbose;
		startup_log(&o);
		if (!log_wants(t[i].is) || (t[i].is < LOG_L_DEBUG &&
		    log_wants(t[i].is + 1 + (t[i].is == LOG_L_WARN))))
			return (int)i + 1;
	}
	return 0;
}

/* A connection as descriptor 0: is it reset when we end? */
static int
is_reset(int mode)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct inherited a;
	struct addr word;
	struct linger l = { 0, 0 };
	socklen_t len = sizeof(in);
	int s = socket(AF_INET, SOCK_STREAM, 0), c, fd;
	char err[200];

	c = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(s, 1) == -1 ||
	    getsockname(s, (struct sockaddr *)&in, &len) == -1 ||
	    connect(c, (struct sockaddr *)&in, len) == -1 ||
	    (fd = accept(s, NULL, NULL)) == -1)
		return -1;
	dup2(fd, STDIN_FILENO);
	seen_begin();
	unsetenv("LISTEN_FDS");
	o.mode = mode;
	if (addr_listen(&word, "systemd:none", err, sizeof(err)) == -1 ||
	    startup(&a, &o, &word, 1, LOG_L_INFO) == GO_ON)
		return -2;
	len = sizeof(l);
	getsockopt(STDIN_FILENO, SOL_SOCKET, SO_LINGER, &l, &len);
	return l.l_onoff && l.l_linger == 0;
}

static int
resets(void)
{
	return is_reset(MODE_CLIENT) == 1 ? 0 : 1;
}

/* A websocket's client sees an end without a Close. */
static int
no_reset(void)
{
	return is_reset(MODE_SERVER) == 0 ? 0 : 1;
}

int
main(void)
{
	is(run(under_inetd), 0, "what must not go to a peer");
	is(run(said), 0, "an error is said where it is read");
	is(run(levels), 0, "what is logged");
	is(run(resets), 0, "a stream is reset when the start fails");
	is(run(no_reset), 0, "a websocket is not");
	return done_testing();
}
