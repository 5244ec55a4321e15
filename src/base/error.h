/* SPDX-License-Identifier: ISC */
/*
 * Why something could not be done: the exit status it leads to and one line
 * for a person, naming the offending thing.  Filled in where the fault
 * is found, passed up unchanged, printed once at the top.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Exit statuses, sysexits(3) where it has a name for them. */
enum {
	EXIT_ENDED = 0,		/* ended well */
	EXIT_BADUSAGE = 64,	/* EX_USAGE: wrong command line */
	EXIT_NAME = 68,		/* EX_NOHOST: name not found */
	EXIT_UNREACHABLE = 69,	/* EX_UNAVAILABLE: refused, unreachable, 5xx */
	EXIT_SYSTEM = 71,	/* EX_OSERR: a local system call failed */
	EXIT_LOST = 74,		/* EX_IOERR: tunnel reset or lost */
	EXIT_AGAIN = 75,	/* EX_TEMPFAIL: timeouts, 408 429 503 504 */
	EXIT_PROTOCOL = 76,	/* EX_PROTOCOL: HTTP, TLS, websocket */
	EXIT_DENIED = 77,	/* EX_NOPERM: 401 403 407, certificate */
	EXIT_BADCONFIG = 78	/* EX_CONFIG: bad configuration file */
};

/* From a step that may fail: no reason to exit.  All else is a status above. */
enum { GO_ON = 0 };

struct error {
	int status;		/* one of the above */
	char text[400];		/* one line, no newline, NUL-terminated */
};

/*
 * Sets both fields, cutting the text if it is too long.  Control characters
 * in the result are replaced by '?'.  Returns -1, so that a caller can write
 * "return error_set(...)".
 */
int error_set(struct error *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Is the fault on this host: an option, a file, a limit of the system? */
int error_is_local(const struct error *);

#endif
