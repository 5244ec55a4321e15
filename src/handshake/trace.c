/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "handshake/trace.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/log_output.h"
#include "os/signals.h"
#include "proto/agent_name.h"
#include "ws/upgrade.h"

#define TRACE_MAX	1024	/* bytes of a line */

/* One line is one write, so that lines of several processes do not mix. */
static void
line(const struct trace *trace, const char *mark, const char *text)
{
	char out[TRACE_MAX + 64];
	int n;

	n = snprintf(out, sizeof out, "%s%s\n", mark, text);
	if (log_owns_stderr()) {
		out[n - 1] = '\0';
		log_event(LOG_L_DEBUG, "step", "msg", out, NULL);
		return;
	}
	if (trace->waits)
		signals_write(STDERR_FILENO, out, (size_t)n);
	else
		log_output_print(out, (size_t)n);
}

void
trace_step(const struct trace *trace, const char *fmt, ...)
{
	char mark[32], text[TRACE_MAX];
	va_list ap;

	if (!trace->verbose)
		return;
	snprintf(mark, sizeof mark, "* %5lld ms  ",
	    (long long)(clock_ms() - trace->start));
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	line(trace, mark, text);
}

/* The path in a request's first line, and where an answer redirects it to. */
static void
mask_path(char text[TRACE_MAX])
{
	static const char version[] = " HTTP/1.1";
	char *end = strrchr(text, ' ');
	int cut = end != NULL && strcmp(end, version) == 0;

	if (strncmp(text, "GET ", 4) != 0 &&
	    strncasecmp(text, "Location:", 9) != 0)
		return;
	if (cut)
		*end = '\0';
	agent_name_mask_url(text);
	if (cut)
		strlcat(text, version, TRACE_MAX);
}

void
trace_head(const struct trace *trace, char mark, const char *head, size_t len,
    size_t fields)
{
	const char prefix[] = { mark, ' ', '\0' };
	const char *end = head + len, *given = end - fields, *eol, *colon;
	char text[TRACE_MAX];
	struct slice l;

	if (!trace->verbose)
		return;
	for (; head < end; head = eol + 2) {
		eol = memchr(head, '\r', end - head);
		if (eol == NULL || eol == head)
			return;
		l = (struct slice){ head, eol - head };
		colon = slice_find(l, ':');
		if (head < given || colon == NULL) {
			upgrade_show_line(text, sizeof text, l);
			if (trace->masked)
				mask_path(text);
			line(trace, prefix, text);
			continue;
		}
		l.len = colon + 1 - l.p;
		str_escape(text, sizeof text - 3, l.p, l.len);
		strlcat(text, "...", sizeof text);
		line(trace, prefix, text);
	}
}
