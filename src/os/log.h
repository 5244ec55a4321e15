/* SPDX-License-Identifier: ISC */
/*
 * The log: each line is an event, on standard error or in syslog.  Values are
 * escaped here, so callers pass bytes as they came.  Each line is one write(2),
 * so that lines of several processes do not mix.
 *
 * A log that is not read must not stop the program: a child waits for room for
 * at most a quarter of a second, a supervisor not at all.  Then the line is
 * lost; the event "log-lost" later says how many were.
 */
#ifndef OS_LOG_H
#define OS_LOG_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of syslog(3). */
enum log_level { LOG_L_ERROR = 3, LOG_L_WARN = 4, LOG_L_INFO = 6,
    LOG_L_DEBUG = 7 };

enum log_where {
	LOG_TO_STDERR,	/* with a timestamp; in the journal "<LEVEL>" instead */
	LOG_TO_SYSLOG,
	LOG_TO_NOWHERE
};

enum log_format {
	LOG_LOGFMT,	/* ts=... level=info event=closed peer=... */
	LOG_TEXT,	/* 2026-... info closed: peer ..., up ... */
	LOG_JSON	/* {"ts":"...","level":"info","event":"closed",...} */
};

/* To be called before log_open().  facility: of syslog(3), 0: LOG_DAEMON. */
void log_style(enum log_format, int facility);

/*
 * To be called before the first line, and after closefrom(3), because it holds
 * a descriptor open.  min: the least important level that is logged.  program:
 * the ident of syslog(3), NULL: "inetws".  Finds out by JOURNAL_STREAM whether
 * descriptor 2 is the journal's.
 */
void log_open(enum log_where, enum log_level min, const char *program);

/*
 * log_share() is called before the first fork: from then on processes count
 * lost lines together, and this process never waits for room.  A child that may
 * wait calls log_wait().
 */
void log_share(void);
void log_wait(void);

/* Is this level logged? */
int log_wants(enum log_level);

/* Must every line on standard error be a line of the log, as it is JSON? */
int log_owns_stderr(void);

/* Does a person read the log: is it logfmt on a terminal? */
int log_is_for_person(void);

/* Does the log go elsewhere than to standard error? */
int log_is_elsewhere(void);

/*
 * A line that is being made: log_begin(), then the pairs of key and value, then
 * log_end().  A value longer than LOG_VALUE_MAX ends in "...".  A pair that
 * does not fit is left out, and "cut=1" at the end of the line says so.
 */
#define LOG_LINE_MAX	2048	/* bytes */
#define LOG_VALUE_MAX	400	/* characters, with escapes */

struct log_line {
	enum log_level level;
	size_t len;		/* of text */
	int cut;		/* a pair did not fit */
	unsigned int pairs;	/* so far */
	char text[LOG_LINE_MAX];
};

void log_begin(struct log_line *, enum log_level, const char *event);
void log_str(struct log_line *, const char *key, const char *value);
void log_bytes(struct log_line *, const char *key, const void *, size_t);

/*
 * A text of ours that may have parts of a peer's, which were escaped by
 * str_escape(): their escapes stay as they are, and double quotes become single
 * ones.
 */
void log_why(struct log_line *, const char *key, const char *);

/* A number; milliseconds, as seconds with three decimals. */
void log_num(struct log_line *, const char *key, int64_t value);
void log_seconds(struct log_line *, const char *key, int64_t ms);

void log_end(struct log_line *);

/*
 * A whole line: keys and values, which are strings, in turn, then NULL.  A pair
 * whose value is NULL is left out.
 */
void log_event(enum log_level, const char *event, ...)
    __attribute__((sentinel));

#endif
