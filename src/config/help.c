/* SPDX-License-Identifier: ISC */
/* --help and --version: one screen each, from the tables. */
#include <stdio.h>
#include <string.h>

#include "config/table.h"
#include "proto/http.h"
#include "tls/tls.h"

#define COLUMN	31	/* where the explanations begin */

static void
print_option(const struct option *row, FILE *f)
{
	char left[64];
	int n;

	n = snprintf(left, sizeof(left), "  %c%c%c --%s%s%s",
	    row->letter != 0 ? '-' : ' ', row->letter != 0 ? row->letter : ' ',
	    row->letter != 0 ? ',' : ' ', row->name,
	    row->arg == NULL ? "" : " ", row->arg == NULL ? "" : row->arg);
	fprintf(f, "%s%*s%s", left, n < COLUMN ? COLUMN - n : 1, "",
	    row->help);
	if (row->def != NULL)
		fprintf(f, " (%s)", row->def);
	putc('\n', f);
}

static void
print_options(unsigned int modes, FILE *f)
{
	const struct option *row;

	for (row = option_table; row->name != NULL; row++)
		if ((row->place == P_ANY || row->place == P_CLI) &&
		    (row->modes & modes) != 0)
			print_option(row, f);
}

static void
print_mode(const struct mode_row *mode, FILE *f)
{
	const char *const *name;
	unsigned int bit = MODE_BIT(mode->mode);

	fprintf(f, "usage: inetws %s %s\n%s\n\n", mode->name, mode->usage,
	    mode->help);
	print_options(bit, f);
	putc('\n', f);
	if ((option_find("listen", strlen("listen"))->modes & bit) != 0)
		fputs("LISTEN: 127.0.0.1:80 [::1]:80 :80 (all addresses) "
		    "80 (loopback)\n"
		    "        unix:/PATH[,mode=0660] fd:3 systemd[:NAME] "
		    "inetd -\n", f);
	for (name = mode->operands; *name != NULL; name++)
		if (strcmp(*name, "target") == 0)
			fputs("TARGET: HOST:PORT [IPV6]:PORT unix:/PATH\n", f);
		else if (strcmp(*name, "url") == 0)
			fputs("URL:    ws:// wss:// http:// https:// "
			    "ws+unix:/SOCKET:/PATH\n", f);
	fputs("TIME:   seconds, or 500ms 25s 5m 1h; 0 switches off\n", f);
}

static void
print_overview(FILE *f)
{
	const struct mode_row *mode;

	fputs("inetws carries TCP connections over websockets.\n\n", f);
	for (mode = mode_table; mode->name != NULL; mode++)
		if (mode->help != NULL)
			fprintf(f, "%s inetws %-7s %s\n%14s%s\n",
			    mode == mode_table ? "usage:" : "      ",
			    mode->name, mode->usage, "", mode->help);
	fputs("\ninetws MODE --help lists the options of a mode.\n"
	    "inetws --version prints versions. The manual is inetws(1).\n\n"
	    "A shell behind a reverse proxy, and the way to it:\n"
	    "  inetws server -l 127.0.0.1:8080 127.0.0.1:22\n"
	    "  ssh -o ProxyCommand='inetws connect wss://example.org/ssh/' "
	    "host\n", f);
}

void
help_print(enum mode mode, FILE *f)
{
	const struct mode_row *row = mode_of(mode);

	if (row == NULL)
		print_overview(f);
	else
		print_mode(row, f);
}

/* libbsd does not tell at run time; the Makefile asks pkg-config. */
void
version_print(FILE *f)
{
	unsigned long v = http_library();
	struct error why;
	const char *tls = tls_version(&why);

	if (tls == NULL)
		tls = why.text;
	fprintf(f, "inetws %s\n%s%s\nhttp-parser %lu.%lu.%lu\n",
	    INETWS_VERSION, strstr(tls, "OpenSSL") != NULL ? "" : "OpenSSL ",
	    tls, v >> 16 & 255, v >> 8 & 255, v & 255);
#ifdef LIBBSD_VERSION
	fprintf(f, "libbsd %s\n", LIBBSD_VERSION);
#else
	fputs("libbsd\n", f);
#endif
}
