/* SPDX-License-Identifier: ISC */
/* --help and --version, from the tables. */
#include <stdio.h>
#include <string.h>

#include "config/table.h"
#include "config/topics.h"
#include "proto/http.h"
#include "tls/tls.h"

#define COLUMN	31	/* where the explanations begin */

static const char *const headings[GROUP_COUNT] = {
	[GROUP_ENDPOINTS] = "Endpoints",
	[GROUP_REQUEST] = "Request",
	[GROUP_TLS] = "TLS",
	[GROUP_PROXIES] = "Proxies",
	[GROUP_ACCESS] = "Authentication",
	[GROUP_TIMEOUTS] = "Timeouts",
	[GROUP_LIMITS] = "Limits",
	[GROUP_REVERSE] = "Reverse tunnels",
	[GROUP_SERVICE] = "Service",
	[GROUP_LOGGING] = "Logging",
	[GROUP_OUTPUT] = "Output",
	[GROUP_GENERAL] = "General"
};

static void
print_option(const struct option *row, FILE *f)
{
	const char *arg = row->arg == NULL ? "" : row->arg;
	char name[64];
	int n;

	snprintf(name, sizeof(name), row->type->optional ? "%s[=%s]" :
	    row->arg != NULL ? "%s %s" : "%s%s", row->name, arg);
	n = row->letter != 0 ? fprintf(f, "  -%c, --%s", row->letter, name) :
	    fprintf(f, "      --%s", name);
	if (n >= COLUMN) {
		putc('\n', f);
		n = 0;
	}
	fprintf(f, "%*s%s", COLUMN - n, "", row->help);
	if (row->def != NULL)
		fprintf(f, " (%s)", row->def);
	putc('\n', f);
}

/* The options of a mode below a heading, if it has any. */
static void
print_group(const char *heading, enum mode mode, int common,
    enum option_group group, FILE *f)
{
	const struct option *row;
	int begun = 0;

	for (row = option_table; row->name != NULL; row++) {
		if (!option_is_shown(row) || !option_in_mode(row, mode) ||
		    row->common != common || (!common && row->group != group))
			continue;
		if (!begun)
			fprintf(f, "\n%s\n", heading);
		begun = 1;
		print_option(row, f);
	}
}

static int
has_operand(const struct mode_row *mode, const char *name)
{
	return option_in_mode(option_find(name, strlen(name)), mode->mode);
}

static void
print_mode(const struct mode_row *mode, FILE *f)
{
	int i;

	fprintf(f, "usage: inetws %s %s\n%s %s.\n", mode->name, mode->usage,
	    mode->name, mode->help);
	print_group("Most used", mode->mode, 1, 0, f);
	for (i = 0; i < GROUP_COUNT; i++)
		print_group(headings[i], mode->mode, 0, i, f);
	putc('\n', f);
	if (has_operand(mode, "listen"))
		fputs("LISTEN: 127.0.0.1:80 [::1]:80 :80 (all addresses) "
		    "80 (loopback)\n"
		    "        unix:/PATH[,mode=0660] fd:3 systemd[:NAME] "
		    "inetd -\n", f);
	if (has_operand(mode, "target"))
		fputs("TARGET: HOST:PORT [IPV6]:PORT unix:/PATH\n", f);
	if (has_operand(mode, "url"))
		fputs("URL:    ws:// wss:// http:// https:// "
		    "ws+unix:/SOCKET:/PATH\n", f);
	fputs("TIME:   seconds, or 500ms 25s 5m 1h; 0 switches off\n", f);
}

static void
print_overview(FILE *f)
{
	const struct mode_row *mode;
	char topics[200];

	topics_list(topics, sizeof(topics));
	fputs("inetws forwards TCP connections over websockets.\n\n", f);
	for (mode = mode_table; mode->name != NULL; mode++)
		fprintf(f, "%s inetws %-7s %s\n%14s%s\n",
		    mode == mode_table ? "usage:" : "      ",
		    mode->name, mode->usage, "", mode->help);
	fprintf(f, "\ninetws MODE --help lists the options of a mode; the "
	    "manual is inetws(1).\n"
	    "inetws help TOPIC [URL] prints lines to paste, inetws --version "
	    "versions.\nTOPIC:  %s\n\n", topics);
	fputs("A shell behind a reverse proxy, and the way to it:\n"
	    "  inetws server -l 127.0.0.1:8080 127.0.0.1:22\n"
	    "  ssh -o ProxyCommand='inetws connect wss://example.org/ssh/' "
	    "host\n", f);
}

void
options_usage(FILE *f)
{
	char topics[200];

	topics_list(topics, sizeof(topics));
	fputs("usage: inetws MODE [options] ...\n\n"
	    "Make a TCP service reachable as a websocket:\n"
	    "  inetws server -l 127.0.0.1:8080 127.0.0.1:22\n"
	    "Reach it from a local port:\n"
	    "  inetws client -l 2222 wss://example.org/ssh/\n"
	    "Reach it on standard input and output, as with ssh:\n"
	    "  ssh -o ProxyCommand='inetws connect wss://example.org/ssh/' "
	    "host\n\n"
	    "inetws --help lists all modes, inetws MODE --help the options "
	    "of one.\n", f);
	fprintf(f, "inetws help TOPIC prints lines to paste:\n  %s\n", topics);
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

/* The version of libbsd is that of pkg-config when the program was built. */
void
version_print(FILE *f)
{
	struct error why;
	const char *tls = tls_version(&why);

	if (tls == NULL)
		tls = why.text;
	fprintf(f, "inetws %s\n%s%s\n%s\n", INETWS_VERSION,
	    strstr(tls, "OpenSSL") != NULL ? "" : "OpenSSL ", tls,
	    http_library());
	if (LIBBSD_VERSION[0] != '\0')
		fprintf(f, "libbsd %s\n", LIBBSD_VERSION);
}
