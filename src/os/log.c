/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "os/log.h"
#include "proto/str.h"

#define TAIL	" cut=1\n"	/* room for it is kept in every line */

/* What log_open() settled; the one global state of a process. */
static struct {
	enum log_where where;
	enum log_level min;
	int journal;		/* descriptor 2 is the journal's */
	char program[64];	/* openlog(3) keeps a pointer to it */
} settings = { LOG_TO_STDERR, LOG_L_INFO, 0, "" };

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
	return st.st_dev == dev && st.st_ino == ino;
}

void
log_open(enum log_where where, enum log_level min, const char *program)
{
	settings.where = where;
	settings.min = min;
	tzset();	/* or every child reads /etc/localtime for its line */
	settings.journal = where == LOG_TO_STDERR && is_journal(STDERR_FILENO);
	if (where != LOG_TO_SYSLOG)
		return;
	strlcpy(settings.program, program != NULL ? program : "",
	    sizeof(settings.program));
	openlog(program != NULL ? settings.program : NULL,
	    LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

int
log_wants(enum log_level level)
{
	return settings.where != LOG_TO_NOWHERE && level <= settings.min;
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

/* A whole piece or nothing of it, so that a cut line still parses. */
__attribute__((format(printf, 2, 3)))
static void
append(struct log_line *l, const char *fmt, ...)
{
	size_t room = sizeof(l->text) - sizeof(TAIL) - l->len;
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

/* RFC 3339 in UTC, to the millisecond. */
static void
append_time(struct log_line *l)
{
	struct timespec now;
	struct tm tm;
	char date[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	append(l, "ts=%s.%03ldZ ", date, now.tv_nsec / 1000000);
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
	l->level = level;
	l->len = 0;
	l->cut = 0;
	if (!log_wants(level))
		return;
	if (settings.journal)
		append(l, "<%d>", (int)level);
	else if (settings.where == LOG_TO_STDERR) {
		append_time(l);
		append(l, "level=%s ", level_name(level));
	}
	append(l, strchr(event, ' ') == NULL ? "event=%s" : "event=\"%s\"",
	    event);
}

void
log_str(struct log_line *l, const char *key, const char *value)
{
	if (value != NULL)
		log_bytes(l, key, value, strlen(value));
}

/*
 * str_escape() leaves no '"' and no control character, so what remains to be
 * quoted is seen from the escaped text.
 */
void
log_bytes(struct log_line *l, const char *key, const void *value, size_t len)
{
	char text[LOG_VALUE_MAX + 1];
	const char *quote;

	if (!log_wants(l->level))
		return;
	str_escape(text, sizeof(text), value, len);
	quote = text[0] == '\0' || strpbrk(text, " =\\") != NULL ? "\"" : "";
	append(l, " %s=%s%s%s", key, quote, text, quote);
}

void
log_num(struct log_line *l, const char *key, int64_t value)
{
	if (log_wants(l->level))
		append(l, " %s=%" PRId64, key, value);
}

void
log_seconds(struct log_line *l, const char *key, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (log_wants(l->level))
		append(l, " %s=%" PRId64 ".%03d", key, ms / 1000,
		    (int)(ms % 1000));
}

/* A line that a full pipe does not take at once is lost, not waited for. */
void
log_end(struct log_line *l)
{
	int saved = errno;
	ssize_t n;

	if (!log_wants(l->level))
		return;
	l->len += strlcpy(l->text + l->len, l->cut ? TAIL : "\n",
	    sizeof(l->text) - l->len);
	if (settings.where == LOG_TO_SYSLOG)
		syslog((int)l->level, "%.*s", (int)l->len - 1, l->text);
	else
		do {
			n = write(STDERR_FILENO, l->text, l->len);
		} while (n == -1 && errno == EINTR);
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
