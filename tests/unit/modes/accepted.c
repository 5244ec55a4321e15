/* SPDX-License-Identifier: ISC */
/*
 * A request that was accepted: until when it may take, what it ends with, and
 * how the process of its session gets it.
 *
 * If it fails: a session cannot be resumed, a redial hangs without an answer,
 * or a dialler gives its session up because of a fault that passes.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/handoff.h"
#include "connection/record.h"
#include "connection/tls_end.h"
#include "handshake/auth.h"
#include "handshake/tls_accept.h"
#include "modes/accepted.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"
#include "sandbox/enter.h"
#include "supervisor/metrics/http.h"
#include "supervisor/startup.h"
#include "apart.h"
#include "descriptors.h"
#include "done.h"
#include "tap.h"
#include "today.h"

/* What the parts around it answer, and what they were asked. */
static struct script {
	int no_header, no_tls, request, probe, check, send_error, fork;
	int check_options, auth;

	int status;		/* of the last refusal, and its fields */
	char fields[200], came[NET_NAME_MAX];
	char why[200];
	int why_status;
	int64_t until, hand_over_until;
	struct handoff_request sent;
	int sent_is_socket;
} said;

static int
scripted_header(struct peer *p, int64_t deadline, struct error *why)
{
	said.until = deadline;
	strlcpy(said.came, p->address, sizeof(said.came));
	strlcpy(p->address, "192.0.2.9:70", sizeof(p->address));
	error_set(why, said.no_header, "no header");
	return said.no_header == 0 ? 0 : -1;
}

static int
scripted_tls(char *subject, struct error *why)
{
	did("tls");
	strlcpy(subject, "CN=a", TLS_SUBJECT_MAX);
	error_set(why, said.no_tls, "no TLS");
	return said.no_tls == 0 ? 0 : -1;
}

static int
scripted_request(struct websocket *w, struct io io, struct error *why)
{
	did("request");
	w->io = io;
	w->is_probe = said.probe;
	error_set(why, EXIT_PROTOCOL, "no request");
	return said.request;
}

static int
scripted_check(struct peer *p, struct error *why)
{
	did("check");
	strlcpy(p->address, "192.0.2.7:1", sizeof(p->address));
	strlcpy(p->user, "anna", sizeof(p->user));
	error_set(why, EXIT_DENIED, "not in the file");
	return said.check;
}

static int
scripted_failed(const struct error *why)
{
	did("failed");
	strlcpy(said.why, why->text, sizeof(said.why));
	return said.why_status = why->status;
}

static int
scripted_probed(const struct error *why)
{
	scripted_failed(why);
	did("probed");
	return 99;
}

static void
scripted_refuse(int status, const char *fields)
{
	did("refuse");
	said.status = status;
	strlcpy(said.fields, fields, sizeof(said.fields));
}

static int
scripted_send(const struct handoff_request *v, int64_t until)
{
	struct stat st;

	said.sent = *v;
	said.hand_over_until = until;
	said.sent_is_socket = fstat(v->fd, &st) == 0 && S_ISSOCK(st.st_mode);
	errno = said.send_error;
	return said.send_error == 0 ? 0 : -1;
}

static pid_t
scripted_fork(void)
{
	did("fork");
	return said.fork == 2 ? fork() : said.fork;
}

static void
scripted_forget(void)
{
	did("forget");
}

static int
scripted_refresh(const struct tls_reload *t, int all)
{
	did(all ? "all" : "some");
	return 5;
}

#define peer_proxy_header(p, o, fd, until, kept, why) \
	scripted_header(p, until, why)
#define tls_accept_begin(io, ctx, subject, until, why) \
	scripted_tls(subject, why)
#define websocket_request(w, o, io, r, until, why) \
	((void)(o), scripted_request(w, io, why))
#define peer_check(p, o, users, w, r, until, why)	scripted_check(p, why)
#define peer_owner(p, o)		8
#define line_file_forget(f)		scripted_forget()
#define metrics_answer(io, o, head)	did("page")
#define connection_failed(c, why)	scripted_failed(why)
#define connection_probed(c, why)	scripted_probed(why)
#define connection_no_session(c, s)	(did("no-session"), 98)
#define websocket_refuse(w, status, text)	scripted_refuse(status, "")
#define websocket_refuse_with(w, status, fields, text) \
	scripted_refuse(status, fields)
#define handoff_send(session, v, until)	scripted_send(v, until)
#define handoff_instance_field()	"instance"
#define handoff_prepare()		did("prepare")
#define record_handed_over()		did("handed-over")
#define process_fork			scripted_fork
#define signals_single()		did("single")
#define title_tunnel(m, p, t, how)	did(how)
#define enter_sandbox(o, pid)		GO_ON
#define enter_prepare(o, for_what) \
	((for_what) == SANDBOX_PROGRAM ? 61 : 60)
#define tls_end_run(io, fd) \
	(did("run"), close(fd), io_close(io))
#define startup_failed_inside(o, why)	71
#define startup_failed(o, why)		72
#define startup(given, o, l, n, level)	73
#define auth_prepare(o, why)		(did("auth"), said.auth)
#define tls_reload_refresh(t, all)	scripted_refresh(t, all)
#define tls_reload_load(t)		((void)(t), 6)
#define tls_reload_begin(t, o, f, forks, why)	(did("begin"), 7)
#include "modes/accepted.c"

static struct connection c;
static struct options o;
static struct acceptor by;
static struct accepted a;
static int other;

/* A connection: a socket pair, of which the test has the other end. */
static struct io
begin(void)
{
	int pair[2];

	memset(&c, 0, sizeof(c));
	memset(&a, 0, sizeof(a));
	memset(&by, 0, sizeof(by));
	memset(&o, 0, sizeof(o));
	memset(&said, 0, sizeof(said));
	was_done();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		abort();
	other = pair[1];
	o.timeouts.handshake = 60000;
	by.o = c.o = &o;
	c.channel = -1;
	return io_of(pair[0]);
}

static int
begins(struct io io, int *status)
{
	*status = -1;
	return accepted_begin(&a, &c, &by, io, "192.0.2.1:4000", status);
}

/* Closes what is still open. */
static void
end(struct io io)
{
	if (fcntl(io.rfd, F_GETFD) != -1)
		close(io.rfd);
	close(other);
}

static int64_t
time_for(int is_extra, int64_t handshake)
{
	struct io io = begin();
	int status;

	a.extra = is_extra;
	o.timeouts.handshake = handshake;
	begins(io, &status);
	end(io);
	return said.until == CLOCK_NEVER ? -1 : said.until - today;
}

static void
test_times(void)
{
	is(time_for(0, 60000), 60000, "--handshake-timeout");
	is(time_for(0, 0), -1, "without one, no end");
	is(time_for(1, 60000), ACCEPTED_EXTRA_MS, "an extra one has less");
	is(time_for(1, 0), ACCEPTED_EXTRA_MS, "and an end");
	is(time_for(1, ACCEPTED_EXTRA_MS), ACCEPTED_EXTRA_MS, "the same");
	is(time_for(1, ACCEPTED_EXTRA_MS - 1), ACCEPTED_EXTRA_MS - 1,
	    "or less than that");
}

static void
test_begin(void)
{
	struct io io = begin();
	int status;

	is(begins(io, &status), 1, "a request");
	is_str(was_done(), "request check forget", "is checked");
	ok(a.c == &c, "for its connection");
	is_str(said.came, "192.0.2.1:4000", "which has an address at once");
	is_str(c.via, "192.0.2.1:4000", "where it comes from");
	is_str(a.w.via, "192.0.2.1:4000", "is kept");
	is_str(c.peer, "192.0.2.7:1", "who it is, by the check's word");
	is_str(c.user, "anna", "and its user");
	is(c.owner, 8, "whose it is");
	is(status, -1, "it has not ended");
	end(io);

	io = begin();
	by.tls.ctx = (void *)&by;
	begins(io, &status);
	is_str(was_done(), "tls request check forget", "with TLS");
	is_str(c.subject, "CN=a", "and a certificate");
	end(io);

	io = begin();
	said.check = -1;
	is(begins(io, &status), 0, "not let in");
	is(status, EXIT_DENIED, "is a failure");
	is_str(c.user, "anna", "of this user, for the log");
	end(io);

	io = begin();
	said.request = 1;
	is(begins(io, &status), 0, "a request for a page");
	is_str(was_done(), "request forget page failed probed", "has it");
	ok(status == 99 && said.why_status == EXIT_ENDED, "and is no failure");
	is(fcntl(io.rfd, F_GETFD), -1, "closed");
	end(io);
}

static void
test_probes(void)
{
	struct io io = begin();
	int status;

	said.no_header = EXIT_LOST;
	a.w.is_probe = 1;
	begins(io, &status);
	is_str(was_done(), "forget failed probed", "a look: no header came");
	is(fcntl(io.rfd, F_GETFD), -1, "it is reset");
	end(io);
	io = begin();
	said.no_header = EXIT_PROTOCOL;
	a.w.is_probe = 1;
	begins(io, &status);
	is_str(was_done(), "forget failed", "a bad header is no look");
	is(status, EXIT_PROTOCOL, "but a failure");
	end(io);
	io = begin();
	by.tls.ctx = (void *)&by;
	said.no_tls = EXIT_LOST;
	begins(io, &status);
	is_str(was_done(), "tls forget failed probed", "a look: no TLS came");
	end(io);
	io = begin();
	by.tls.ctx = (void *)&by;
	said.no_tls = EXIT_PROTOCOL;
	begins(io, &status);
	is_str(was_done(), "tls forget failed", "TLS of another kind is none");
	is_str(c.subject, "", "it has no certificate");
	end(io);
	io = begin();
	said.request = -1;
	said.probe = 1;
	begins(io, &status);
	is(status, 99, "a look that sends a request");
	is_str(was_done(), "request forget failed probed", "is not checked");
	end(io);
}

static int
refused(int status)
{
	return accepted_refuse(&a, status, "words");
}

static void
test_refused(void)
{
	struct io io = begin();
	char text[600];
	ssize_t n;
	struct service service = { .arg = NULL };

	a.c = &c;
	is(refused(503), EXIT_AGAIN, "busy: later");
	is(refused(401), EXIT_DENIED, "who is it?");
	is(refused(403), EXIT_DENIED, "not this one");
	is(refused(402), EXIT_PROTOCOL, "what is in between");
	is(refused(404), EXIT_PROTOCOL, "what is not there");
	ok(said.status == 404 && strcmp(said.why, "refused with 404: words")
	    == 0, "answered and logged");
	is(accepted_refuse_for(&a, 30, "words"), EXIT_AGAIN, "for 30 seconds");
	is_str(said.fields, "Retry-After: 30\r\n", "which is answered, too");
	is(said.status, 503, "with 503");

	accepted_service(&service, &by);
	ok(service.arg == &by, "functions have what they need");
	service.refuse(io.rfd);
	n = recv(other, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	ok(strncmp(text, "HTTP/1.1 503 ", 13) == 0 &&
	    strstr(text, ACCEPTED_BUSY) != NULL, "no room: 503");
	service.refuse(io.rfd);
	is(recv(other, text, sizeof(text), MSG_DONTWAIT), n, "each time");
	close(other);
	service.refuse(io.rfd);
	ok(1 == fcntl(io.rfd, F_GETFD), "one that has left does not end it");
	end(io);
}

static void
redial(struct io io, int *status)
{
	a.c = &c;
	strlcpy(a.request.session, "0123", sizeof(a.request.session));
	a.w.io = io;
	a.w.raw = "GET";
	a.w.raw_len = 3;
	strlcpy(a.w.via, "via", sizeof(a.w.via));
	strlcpy(c.user, "anna", sizeof(c.user));
	strlcpy(c.subject, "CN=a", sizeof(c.subject));
	*status = -1;
	is(accepted_redial(&a, 0, status), 1, "a redial");
}

static void
test_handed_over(void)
{
	int open = count_open(), status = -1, e;
	static const int gone[] = { ENOENT, EACCES };
	struct io io = begin();
	char byte;
	size_t i;

	a.c = &c;
	is(accepted_redial(&a, 0, &status), 0, "no session: no redial");
	is(status, -1, "it goes on");
	redial(io, &status);
	is(status, EXIT_ENDED, "given to its session");
	is_str(was_done(), "handed-over", "and counted");
	ok(said.sent.fd == io.rfd && said.sent.len == 3 &&
	    strcmp(said.sent.user, "anna") == 0 &&
	    strcmp(said.sent.subject, "CN=a") == 0 &&
	    strcmp(said.sent.via, "via") == 0, "with all that it needs");
	is(said.hand_over_until, today + 2000, "within two seconds");
	close(other);
	is(count_open(), open, "nothing is left open");

	for (i = 0; i < 2; i++) {
		io = begin();
		said.send_error = gone[i];
		redial(io, &status);
		is(status, 98, "no such session");
		ok(said.status == 410 && strcmp(said.fields, "instance") == 0,
		    "410: it is over");
		is_str(was_done(), "refuse no-session", "as the log says");
		end(io);
	}

	io = begin();
	said.send_error = ETIMEDOUT;
	e = dup(io.rfd);
	redial(io, &status);
	is(status, EXIT_SYSTEM, "its process does not take it");
	is_str(was_done(), "failed", "no answer: the dialler tries again");
	ok(strstr(said.why, strerror(ETIMEDOUT)) != NULL, "%s", said.why);
	is(recv(other, &byte, 1, MSG_DONTWAIT), 0,
	    "over another connection, though that process may have this one");
	close(e);
	close(other);
	is(count_open(), open, "nothing is left open");
}

/* On two descriptors: another process gets an end of a socket pair. */
static struct io
two(void)
{
	struct io io = begin();

	io.wfd = dup(io.rfd);
	return io;
}

static int
ends_tls(void)
{
	struct io io = two();
	int status = -1;

	a.c = &c;
	said.fork = 2;
	a.request.session[0] = 'x';
	a.w.io = io;
	accepted_redial(&a, 1, &status);
	if (status != EXIT_ENDED)
		return 45;		/* it must not have come here */
	return wait(&status) != -1 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == (GO_ON & 255) ? 44 : 46;
}

static void
test_end_of_tls(void)
{
	int open = count_open(), status;
	struct io io = two();

	redial(io, &status);
	is(status, GO_ON, "it runs until the session ends");
	ok(said.sent.fd != io.rfd && said.sent_is_socket,
	    "its process has another socket");
	is_str(was_done(), "handed-over single pipes run",
	    "of which this is the other end");
	close(other);
	is(count_open(), open, "nothing is left open");

	io = two();
	said.send_error = ENOENT;
	redial(io, &status);
	is(said.status, 410, "no such session");
	close(io.rfd);
	close(io.wfd);
	close(other);
	is(count_open(), open, "no socket is left open");

	io = two();
	said.fork = -1;
	a.c = &c;
	a.request.session[0] = 'x';
	a.w.io = io;
	accepted_redial(&a, 1, &status);
	is(status, EXIT_SYSTEM, "one that is counted needs a process");
	ok(strncmp(said.why, "cannot make a process ", 22) == 0, "it is told");
	close(other);
	is(count_open(), open, "nothing is left open");
	io = two();
	said.fork = 500;
	a.c = &c;
	a.request.session[0] = 'x';
	a.w.io = io;
	accepted_redial(&a, 1, &status);
	is(status, EXIT_ENDED, "which does the work");
	is_str(was_done(), "handed-over fork", "not this one");
	close(other);
	is(count_open(), open, "nothing is left open");
	is(run(ends_tls), 44, "until it ends");
}

static int
refuse_options(const struct options *all, struct error *why)
{
	return said.check_options;
}

static void
test_prepared(void)
{
	struct service service = { .arg = NULL };
	struct io io = begin();
	struct error why;

	by.check = refuse_options;
	said.check_options = -1;
	is(accepted_prepare(&by), 60, "without --chroot it was checked before");
	o.service.run_as = "nobody";
	is(accepted_prepare(&by), 71, "with --run-as it is again");
	o.service.run_as = NULL;
	o.service.chroot = "/";
	is(accepted_prepare(&by), 71, "with --chroot, too");
	said.check_options = 0;
	is(accepted_prepare(&by), 60, "and is well");
	o.program = (void *)&o;
	is(accepted_prepare(&by), 61, "a program has another sandbox");

	is(accepted_startup(&by, NULL), 73, "--chroot: only passwords before");
	is_str(was_done(), "auth", "are read");
	said.auth = -1;
	is(accepted_startup(&by, NULL), 72, "which may fail");
	o.service.chroot = NULL;
	said.auth = 0;
	said.check_options = -1;
	is(accepted_startup(&by, NULL), 72, "else all is checked");
	said.check_options = 0;
	is(accepted_startup(&by, NULL), 73, "and is well");
	was_done();

	accepted_service(&service, &by);
	is(accepted_begin_tls(&by, &service, 0, &why), 0, "without TLS");
	is_str(was_done(), "prepare", "nothing is read");
	ok(service.refuse != NULL, "who is refused learns it");
	o.tls.own_cert.n = 1;
	is(accepted_begin_tls(&by, &service, 0, &why), 7, "with TLS");
	is_str(was_done(), "prepare begin", "certificates are");
	ok(service.refuse == NULL, "no answer without a handshake");
	service.reload(service.arg);
	is_str(was_done(), "all", "HUP: all");
	is(service.before(service.arg), 5, "a look");
	is_str(was_done(), "some", "at what has changed");
	is(service.load(service.arg), 6, "which is read");
	end(io);
}

int
main(void)
{
	test_times();
	test_begin();
	test_probes();
	test_refused();
	test_handed_over();
	test_end_of_tls();
	test_prepared();
	return done_testing();
}
