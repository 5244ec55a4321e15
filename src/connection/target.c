/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "connection/target.h"
#include "os/clock.h"
#include "os/command.h"
#include "os/signals.h"
#include "os/stderr_log.h"
#include "proto/cgi.h"

#define ENV_MAX		1024	/* variables that are handed on */
#define HANGUP_MS	1000	/* to die of HUP */

extern char **environ;

void
target_name(struct connection *c)
{
	const struct options *o = c->o;

	if (o->program != NULL)
		strlcpy(c->target, o->program[0], sizeof(c->target));
	else
		addr_print(c->target, sizeof(c->target), &o->target);
}

/* Our environment, without what could be taken for part of a request. */
static unsigned int
inherited_environment(char **env, unsigned int max)
{
	unsigned int i, n = 0;

	for (i = 0; environ != NULL && environ[i] != NULL && n < max; i++)
		if (!cgi_is_reserved(environ[i]))
			env[n++] = environ[i];
	return n;
}

static char **
environment(const struct connection *c, const struct http_head *head)
{
	static char *env[ENV_MAX + CGI_VARS_MAX + 1];
	static struct cgi cgi;
	unsigned int n;

	cgi_begin(&cgi);
	cgi_peer(&cgi, c->peer);
	if (c->user[0] != '\0')
		cgi_set(&cgi, "REMOTE_USER", slice_of(c->user));
	if (options_want_certificate(c->o))
		cgi_client(&cgi, c->subject);
	if (head != NULL)
		cgi_request(&cgi, head);
	n = inherited_environment(env, ENV_MAX);
	memcpy(env + n, cgi.var, cgi.n * sizeof(cgi.var[0]));
	env[n + cgi.n] = NULL;
	return env;
}

static int
run_program(struct connection *c, const struct http_head *head,
    struct io *stream, int64_t deadline, struct error *why)
{
	char **argv = c->o->program;
	int fd[2], r, err, error;

	err = stderr_log_begin(LOG_L_INFO, c->peer, argv[0]);
	r = program_start(&c->program, argv, environment(c, head), err,
	    c->o->program_pipes, fd, deadline);
	error = errno;
	if (err != -1)
		close(err);
	errno = error;
	if (r == -1)
		return error_set(why, errno == ETIMEDOUT || errno == EINTR ?
		    EXIT_AGAIN : EXIT_SYSTEM, "cannot run %s: %s", argv[0],
		    errno == EINTR ? "interrupted" : strerror(errno));
	*stream = (struct io){ .rfd = fd[0], .wfd = fd[1] };
	return 0;
}

/* An agent dials the URL from there, and not the target, which is near. */
static const char *
source(const struct options *o)
{
	return o->mode == MODE_SERVER ? o->dial.interface : NULL;
}

int
target_check(const struct options *o, struct error *why)
{
	char text[ADDR_TEXT_MAX], what[sizeof(text) + 8];

	if (o->program == NULL) {
		snprintf(what, sizeof(what), "TARGET %s", addr_print(text,
		    sizeof(text), &o->target));
		return net_family_check(&o->target, NULL, what, source(o),
		    o->dial.family, why);
	}
	if (command_exists(o->program[0]) == 0)
		return 0;
	return error_set(why, EXIT_BADUSAGE, "PROGRAM %s: %s", o->program[0],
	    strerror(errno));
}

const char *
target_reason(const struct error *why)
{
	switch (why->status) {
	case EXIT_NAME:
		return "the name of the target is not found";
	case EXIT_AGAIN:
		return "the target did not answer in time";
	case EXIT_UNREACHABLE:
		return "the target refused the connection or is unreachable";
	}
	return "the target cannot be used";
}

int
target_connect(const struct options *o, int64_t deadline, struct error *why)
{
	struct net_found found;

	if (net_find_from(&found, &o->target, NULL, source(o), o->dial.family,
	    why) == -1)
		return -1;
	return net_dial_found(&o->target, &found, deadline, NULL, why);
}

int
target_dial(struct connection *c, const struct http_head *head,
    struct io *stream, struct error *why)
{
	const struct options *o = c->o;
	int64_t deadline = clock_after(o->timeouts.connect);
	int fd;

	if (o->program != NULL)
		return run_program(c, head, stream, deadline, why);
	fd = target_connect(o, deadline, why);
	if (fd == -1)
		return -1;
	net_tune(fd);
	*stream = io_of(fd);
	return 0;
}

void
target_drop(struct connection *c, struct io *stream)
{
	program_hangup(&c->program);
	io_reset(stream);
	target_end(c, 1);
}

void
target_end(struct connection *c, int cut_off)
{
	struct program *p = &c->program;
	int64_t linger = c->o->timeouts.linger;
	int64_t grace = signal_terminated() ? 0 :
	    linger > HANGUP_MS ? linger : HANGUP_MS;

	if (p->pid == 0 ||
	    (!cut_off && program_wait(p, clock_ms() + grace)))
		return;
	program_hangup(p);
	program_wait(p, clock_ms() + HANGUP_MS);
}
