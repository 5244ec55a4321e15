/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "os/log.h"
#include "os/log_output.h"

#define TAIL_MAX	16	/* bytes of a line that are kept for its end */

/* The end of a line; the end if a pair did not fit. */
static const char *const tails[][2] = {
	[LOG_LOGFMT] = { "\n", " cut=1\n" },
	[LOG_TEXT] = { "\n", ", cut\n" },
	[LOG_JSON] = { "}\n", ",\"cut\":1}\n" }
};

/* Set by log_style() and log_open(); the settings of this process. */
static struct {
	enum log_where where;
	enum log_level min;
	enum log_format format;
	int facility;
	int journal;		/* descriptor 2 is the journal's */
	int terminal;		/* descriptor 2 is one; asked only at the start,
				 * as the sandbox forbids it */
} settings = { .where = LOG_TO_STDERR, .min = LOG_L_INFO };

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the journal's socket. */
static int
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;
	char end;

	if (stream == NULL || fstat(fd, &st) == -1)
		return 0;
	if (sscanf(stream, "%ju:%ju%c", &dev, &ino, &end) != 2)
		return 0;
	return (uintmax_t)st.st_dev == dev && st.st_ino == ino;
}

void
log_style(enum log_format format, int facility)
{
	settings.format = format;
	settings.facility = facility;
}

void
log_open(enum log_where where, enum log_level min, const char *program)
{
	settings.where = where;
	settings.min = min;
	settings.journal = where == LOG_TO_STDERR && is_journal(STDERR_FILENO);
	settings.terminal = isatty(STDERR_FILENO);
	log_output_open(where != LOG_TO_SYSLOG ? NULL : program != NULL ?
	    program : "inetws", settings.facility != 0 ? settings.facility :
	    LOG_DAEMON);
}

void
log_share(void)
{
	log_output_share();
}

void
log_wait(void)
{
	log_output_wait();
}

int
log_wants(enum log_level level)
{
	return settings.where != LOG_TO_NOWHERE && level <= settings.min;
}

int
log_owns_stderr(void)
{
	return settings.where == LOG_TO_STDERR && settings.format == LOG_JSON;
}

int
log_is_for_person(void)
{
	return settings.where == LOG_TO_STDERR && !settings.journal &&
	    settings.format == LOG_LOGFMT && settings.terminal;
}

int
log_is_elsewhere(void)
{
	return settings.where == LOG_TO_SYSLOG;
}

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_L_ERROR:
		return "error";
	case LOG_L_WARN:
		return "warn";
	case LOG_L_INFO:
		return "info";
	case LOG_L_DEBUG:
		return "debug";
	}
	return "unknown";
}

/* Adds a whole piece or nothing of it, so that a cut line still parses. */
__attribute__((format(printf, 2, 3)))
static void
append(struct log_line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - TAIL_MAX - l->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room)
		l->cut = 1;
	else
		l->len += n;
}

static char *
print_now(char dst[STR_TIME_MAX])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return str_time(dst, (int64_t)now.tv_sec * 1000 +
	    now.tv_nsec / 1000000);
}

/* now NULL: the journal and syslog have their own time and level. */
static void
begin_json(struct log_line *l, const char *event, const char *now)
{
	append(l, "{");
	if (now != NULL)
		append(l, "\"ts\":\"%s\",\"level\":\"%s\",", now,
		    level_name(l->level));
	append(l, "\"event\":\"%s\"", event);
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
	char text[STR_TIME_MAX], *now = NULL;

	l->level = level;
	l->len = 0;
	l->cut = 0;
	l->pairs = 0;
	if (!log_wants(level))
		return;
	if (settings.journal)
		append(l, "<%d>", (int)level);
	else if (settings.where == LOG_TO_STDERR)
		now = print_now(text);
	if (settings.format == LOG_JSON)
		begin_json(l, event, now);
	else if (settings.format == LOG_TEXT)
		append(l, "%s%s%s%s%s", now != NULL ? now : "",
		    now != NULL ? " " : "", now != NULL ?
		    level_name(level) : "", now != NULL ? " " : "", event);
	else {
		if (now != NULL)
			append(l, "ts=%s level=%s ", now, level_name(level));
		append(l, strchr(event, ' ') == NULL ? "event=%s" :
		    "event=\"%s\"", event);
	}
}

void
log_str(struct log_line *l, const char *key, const char *value)
{
	if (value != NULL)
		log_bytes(l, key, value, strlen(value));
}

/* Adds a pair; the value is written as it is. */
static void
pair(struct log_line *l, const char *key, const char *value)
{
	if (settings.format == LOG_JSON)
		append(l, ",\"%s\":%s", key, value);
	else if (settings.format == LOG_TEXT)
		append(l, "%s%s %s", l->pairs == 0 ? ": " : ", ", key, value);
	else
		append(l, " %s=%s", key, value);
	l->pairs++;
}

/*
 * Adds a pair with an escaped text, which has no double quote and no control
 * character; so only blanks, "=" and the like decide whether it is quoted.
 * JSON always needs quotes, and a second backslash for each (RFC 8259 7).
 */
static void
escaped(struct log_line *l, const char *key, const char *text)
{
	char out[2 * LOG_VALUE_MAX + 3];
	const char *special = settings.format == LOG_TEXT ? " ,\\" : " =\\";
	int quoted = settings.format == LOG_JSON || text[0] == '\0' ||
	    strpbrk(text, special) != NULL;
	size_t n = 0;

	if (quoted)
		out[n++] = '"';
	for (; *text != '\0'; text++) {
		if (*text == '\\' && settings.format == LOG_JSON)
			out[n++] = '\\';
		out[n++] = *text;
	}
	if (quoted)
		out[n++] = '"';
	out[n] = '\0';
	pair(l, key, out);
}

void
log_bytes(struct log_line *l, const char *key, const void *value, size_t len)
{
	char text[LOG_VALUE_MAX + 1];

	if (!log_wants(l->level))
		return;
	str_escape(text, sizeof(text), value, len);
	escaped(l, key, text);
}

/* The length of an escape of str_escape(); 0: there is none here. */
static size_t
escape_length(const char *s)
{
	if (s[0] != '\\')
		return 0;
	if (s[1] == 'x')
		return isxdigit((unsigned char)s[2]) &&
		    isxdigit((unsigned char)s[3]) ? 4 : 0;
	return s[1] != '\0' && strchr("nrt", s[1]) != NULL ? 2 : 0;
}

/* An escape is never cut: a backslash at the end would escape the quote. */
void
log_why(struct log_line *l, const char *key, const char *value)
{
	char text[LOG_VALUE_MAX + 1];
	size_t n = 0, len;

	if (!log_wants(l->level))
		return;
	text[0] = '\0';
	for (; *value != '\0' && n + 8 < sizeof(text); value += len) {
		len = escape_length(value);
		if (len > 0)
			strlcpy(text + n, value, len + 1);
		else
			str_escape(text + n, sizeof(text) - n,
			    *value == '"' ? "'" : value, 1);
		n += strlen(text + n);
		len += len == 0;
	}
	if (*value != '\0')
		strlcpy(text + n, "...", sizeof(text) - n);
	escaped(l, key, text);
}

void
log_num(struct log_line *l, const char *key, int64_t value)
{
	char text[24];

	if (!log_wants(l->level))
		return;
	snprintf(text, sizeof(text), "%" PRId64, value);
	pair(l, key, text);
}

void
log_seconds(struct log_line *l, const char *key, int64_t ms)
{
	char text[32];

	if (ms < 0)
		ms = 0;
	if (!log_wants(l->level))
		return;
	snprintf(text, sizeof(text), "%" PRId64 ".%03d", ms / 1000,
	    (int)(ms % 1000));
	pair(l, key, text);
}

static void
close_line(struct log_line *l)
{
	l->len += strlcpy(l->text + l->len, tails[settings.format][l->cut],
	    sizeof(l->text) - l->len);
}

/* Writes a line; if there was room, reports how many were lost before. */
static void
put(const struct log_line *l)
{
	struct log_line report;
	unsigned int lost;

	if (log_output_write(l->level, l->text, l->len) == -1 ||
	    (lost = log_output_lost()) == 0)
		return;
	log_begin(&report, LOG_L_ERROR, "log-lost");
	log_num(&report, "lines", lost);
	close_line(&report);
	if (log_output_write(report.level, report.text, report.len) == -1)
		log_output_lose(lost - 1);	/* the report counted itself */
}

void
log_end(struct log_line *l)
{
	int saved = errno;

	if (!log_wants(l->level))
		return;
	close_line(l);
	put(l);
	errno = saved;
}

void
log_event(enum log_level level, const char *event, ...)
{
	const char *key, *value;
	struct log_line l;
	va_list ap;

	if (!log_wants(level))
		return;
	log_begin(&l, level, event);
	va_start(ap, event);
	while ((key = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		log_str(&l, key, value);
	}
	va_end(ap);
	log_end(&l);
}
