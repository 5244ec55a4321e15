/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "os/title.h"

static int usable;	/* if not, setproctitle(3) writes to descriptor 2 */

void
title_init(int argc, char **argv, char **envp)
{
	setproctitle_init(argc, argv, envp);
	usable = 1;
}

void
title_set(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!usable)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	setproctitle("-%s", text);
}

void
title_tunnel(const char *mode, const char *peer, const char *target,
    const char *state)
{
	title_set("inetws %s: %s -> %s, %s", mode, peer, target, state);
}
