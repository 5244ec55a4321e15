/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/activate.h"
#include "os/log.h"
#include "os/title.h"
#include "run/modes.h"

extern char **environ;

static const struct {
	enum mode mode;
	int (*run)(const struct options *);
	enum log_level level;		/* what is worth saying by itself */
} modes[] = {
	{ MODE_SERVER, server_main, LOG_L_INFO },
	{ MODE_CLIENT, client_main, LOG_L_INFO },
	{ MODE_CONNECT, connect_main, LOG_L_WARN },
};

#define NMODES (sizeof(modes) / sizeof(modes[0]))

static void
open_log(const struct options *o, enum log_level level, int no_stderr)
{
	if (o->quiet)
		level = LOG_L_ERROR;
	else if (o->verbose > 0)
		level = LOG_L_DEBUG;
	log_open(o->syslog || no_stderr ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    level, "inetws");
}

int
main(int argc, char **argv)
{
	static struct options o;
	struct why why;
	size_t i;
	int no_stderr;

	if ((no_stderr = activate_stderr()) == -1)
		return EXIT_SYSTEM;
	signal(SIGPIPE, SIG_IGN);
	title_init(argc, argv, environ);
	switch (options_parse(&o, argc, argv, &why)) {
	case OPT_DONE:
		return EXIT_ENDED;
	case OPT_RUN:
		break;
	default:
		if (no_stderr) {
			log_open(LOG_TO_SYSLOG, LOG_L_ERROR, "inetws");
			log_event(LOG_L_ERROR, "start", "why", why.text, NULL);
		} else
			fprintf(stderr, "inetws: %s\n", why.text);
		return why.status;
	}
	for (i = 0; i < NMODES; i++)
		if (modes[i].mode == o.mode) {
			open_log(&o, modes[i].level, no_stderr);
			return modes[i].run(&o);
		}
	return EXIT_BADUSAGE;
}
