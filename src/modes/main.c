/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"
#include "modes/modes.h"
#include "net/inherit.h"
#include "os/memory.h"
#include "os/process.h"
#include "os/signals.h"
#include "os/title.h"
#include "supervisor/startup.h"

extern char **environ;

static const struct {
	enum mode mode;
	int (*run)(const struct options *);
} modes[] = {
	{ MODE_SERVER, server_main },
	{ MODE_CLIENT, client_main },
	{ MODE_CONNECT, connect_main },
	{ MODE_AGENT, agent_main },
	{ MODE_GATE, gate_main },
	{ MODE_STATUS, status_main },
	{ MODE_CHECK, check_main },
};

#define NMODES (sizeof(modes) / sizeof(modes[0]))

/* Is --nagios on a command line that could not be parsed? */
static int
is_for_nagios(char **argv)
{
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
		if (strcmp(*argv, "--nagios") == 0)
			return 1;
	return 0;
}

/*
 * The command line is wrong, or there is no memory.  No log is open yet.
 * Nagios reads standard output, and knows four exit statuses.
 */
static int
refuse(const struct options *o, const struct error *why, char **argv)
{
	struct error plain = *why;
	char *p;

	if (is_for_nagios(argv)) {
		for (p = plain.text; *p != '\0'; p++)
			*p = check_nagios_char(*p);
		printf("INETWS UNKNOWN - %s |\n", plain.text);
		return CHECK_UNKNOWN;
	}
	startup_reset(o);
	if (o->log.no_stderr)
		return startup_failed(o, why);
	if (argv[0] == NULL || argv[1] == NULL) {
		options_usage(stderr);
		return why->status;
	}
	fprintf(stderr, "inetws: %s\n", why->text);
	if (why->status == EXIT_BADUSAGE)
		fprintf(stderr, "see: inetws%s%s --help\n",
		    o->mode == MODE_NONE ? "" : " ",
		    o->mode == MODE_NONE ? "" : mode_name(o->mode));
	return why->status;
}

/* The command line may have secrets, which ps(1) would show all the time. */
static void
hide_words(const struct options *o)
{
	char url[ADDR_HOST_MAX + 64];

	if (o->url.path[0] != '\0')
		title_set("inetws %s: %s", mode_name(o->mode),
		    url_print(url, sizeof(url), &o->url));
}

int
main(int argc, char **argv)
{
	static struct options o;
	struct error why;
	size_t i;
	int no_stderr, parsed;

	if ((no_stderr = inherit_stderr()) == -1)
		return EXIT_SYSTEM;
	process_static();
	signals_begin();
	title_init(argc, argv, environ);
	parsed = options_parse(&o, argc, argv, &why);
	o.log.no_stderr = no_stderr;
	if (parsed == OPT_DONE)
		return EXIT_ENDED;
	if (parsed == -1)
		return refuse(&o, &why, argv);
	if (memory_prepare() == -1) {
		error_set(&why, EXIT_SYSTEM, "memory: %s", strerror(errno));
		return refuse(&o, &why, argv);
	}
	hide_words(&o);
	for (i = 0; i < NMODES; i++)
		if (modes[i].mode == o.mode)
			return modes[i].run(&o);
	return EXIT_BADUSAGE;
}
