/* SPDX-License-Identifier: ISC */
/* The table of modes: their operands, and the options that they need. */
#include <string.h>

#include "config/table.h"

const struct mode_row mode_table[] = {
	{ MODE_SERVER, "server", { "target" }, 1,
	  "[-l LISTEN]... [options] TARGET | -- PROGRAM [ARG...]",
	  "accepts websockets, connects to TCP (or runs a program)", {} },
	{ MODE_CLIENT, "client", { "url" }, 1,
	  "[-l LISTEN]... [options] URL",
	  "accepts TCP, opens a websocket for each connection", {} },
	{ MODE_CONNECT, "connect", { "url" }, 1,
	  "[options] URL",
	  "one websocket on stdin and stdout, as for ssh's ProxyCommand", {} },
	{ MODE_AGENT, "agent", { "url", "target" }, 2,
	  "[options] URL TARGET | URL -- PROGRAM [ARG...]",
	  "offers a target behind NAT to a gate", {} },
	{ MODE_GATE, "gate", { NULL }, 0,
	  "-l AGENTS --visitors LISTEN | --visitors-dir DIR [options]",
	  "brings visitors to agents that wait", {
		{ "visitors|visitors-dir", "where do visitors come?" },
		{ "agents-file|path|auth-file|auth-command|tls-client-ca|"
		  "tls-peer-certs|allow-any-agent", "who may be an agent?" } } },
	{ MODE_CHECK, "check", { "url" }, 1,
	  "[options] URL",
	  "opens a websocket, measures it, tells what it found", {} },
	{ MODE_STATUS, "status", { "page" }, 0, "[options] [FILE]",
	  "shows the instances on this machine", {} },
	{ .name = NULL }
};

const struct mode_row *
mode_find(const char *name)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct mode_row *
mode_of(enum mode mode)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (row->mode == mode)
			return row;
	return NULL;
}

const char *
mode_name(enum mode mode)
{
	const struct mode_row *row = mode_of(mode);

	return row == NULL ? "none" : row->name;
}

const char *
mode_nearest(const char *name)
{
	const struct mode_row *row;

	for (row = mode_table; row->name != NULL; row++)
		if (word_distance(name, strlen(name), row->name) < WORD_TOO_FAR)
			return row->name;
	return NULL;
}

char *
modes_print(char *dst, size_t size, unsigned int modes, const char *last)
{
	const struct mode_row *row;
	unsigned int left = 0;

	for (row = mode_table; row->name != NULL; row++)
		left |= modes & MODE_BIT(row->mode);
	dst[0] = '\0';
	for (row = mode_table; row->name != NULL; row++) {
		if ((left & MODE_BIT(row->mode)) == 0)
			continue;
		left &= ~MODE_BIT(row->mode);
		if (dst[0] != '\0')
			strlcat(dst, left == 0 ? last : ", ", size);
		strlcat(dst, row->name, size);
	}
	return dst;
}
