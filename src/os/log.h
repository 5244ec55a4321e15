/* SPDX-License-Identifier: ISC */
/*
 * The log: one event a line, to standard error or syslog.  Every value is
 * escaped here, so callers hand over bytes as they came.  One line is one
 * write(2), so lines of many processes do not mix.  A line never holds its
 * process up for more than a quarter of a second, and a supervisor not at all:
 * if it finds no room in a pipe or in syslogd's queue it is lost, and "log-lost"
 * says later how many were.
 */
#ifndef OS_LOG_H
#define OS_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_L_ERROR = 3, LOG_L_WARN = 4, LOG_L_INFO = 6,
    LOG_L_DEBUG = 7 };			/* syslog(3)'s numbers */

enum log_where {
	LOG_TO_STDERR,	/* with a timestamp; "<N>" and none in the journal */
	LOG_TO_SYSLOG,
	LOG_TO_NOWHERE
};

enum log_format {
	LOG_LOGFMT,	/* ts=... level=info event=closed peer=... */
	LOG_TEXT,	/* 2026-... info closed: peer ..., up ... */
	LOG_JSON	/* {"ts":"...","level":"info","event":"closed",...} */
};

/* Before log_open().  facility: syslog(3)'s, 0 is daemon. */
void log_style(enum log_format, int facility);

/*
 * To be called once, before the first line.  min: lines of a higher number
 * are dropped.  Where descriptor 2 is the journal's (JOURNAL_STREAM) is found
 * out here.  program is syslog's ident, copied; NULL is "inetws".  After
 * closefrom(3), because a descriptor is held open.
 */
void log_open(enum log_where, enum log_level min, const char *program);

/*
 * Before children are forked that log: they count lost lines together.  From
 * then on this process waits for no log; a child does after log_wait().
 */
void log_share(void);
void log_wait(void);

int log_wants(enum log_level);

/* True if every line on standard error must be a line of the log (JSON). */
int log_owns_stderr(void);

/* True if a person reads the log: logfmt on a terminal. */
int log_is_for_person(void);

/* True if the log does not go to standard error. */
int log_is_elsewhere(void);

/*
 * A line under construction.  A value longer than LOG_VALUE_MAX is cut with
 * "..."; a pair that does not fit into the line any more is left out, and
 * the line then says "cut" at its end.
 */
#define LOG_LINE_MAX	2048
#define LOG_VALUE_MAX	400

struct log_line {
	enum log_level level;
	size_t len;
	int cut;
	unsigned int pairs;
	char text[LOG_LINE_MAX];
};

void log_begin(struct log_line *, enum log_level, const char *event);
void log_str(struct log_line *, const char *key, const char *value);
void log_bytes(struct log_line *, const char *key, const void *, size_t);

/*
 * A sentence of ours in which text from peers has been escaped already: escapes
 * stay as they are, and a double quote is written as a single one.
 */
void log_why(struct log_line *, const char *key, const char *);

void log_num(struct log_line *, const char *key, int64_t value);
void log_seconds(struct log_line *, const char *key, int64_t ms);
void log_end(struct log_line *);

/*
 * The short form: key and value strings in turn, ended by NULL; a pair whose
 * value is NULL is left out.
 */
void log_event(enum log_level, const char *event, ...)
    __attribute__((sentinel));

#endif
