/* SPDX-License-Identifier: ISC */
/*
 * Why something failed: the exit status that this leads to, and a line for the
 * user, which names the cause.  The function that finds the error fills it in,
 * its callers pass it on unchanged, and the outermost one prints or logs it
 * once.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

/* Exit statuses; those of sysexits(3) have its numbers. */
enum {
	EXIT_ENDED = 0,		/* success */
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

/* What a step returns that did not fail; else it returns a status above. */
enum { GO_ON = 0 };

#define ERROR_LINE_MAX	200	/* bytes of what a parser says of an error */

struct error {
	int status;		/* one of the above */
	char text[400];		/* one line without a newline */
};

/*
 * Sets both members.  A text that is too long is cut, and control characters
 * become '?'.  Returns -1, so that a caller can write "return error_set(...)".
 */
int error_set(struct error *, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Is the cause on this host: an option, a file, a limit of the system? */
int error_is_local(const struct error *);

#endif
