/* SPDX-License-Identifier: ISC */
/*
 * The tables of files (config/line_file.h) that are being made, each in a
 * process of its own, files that the mode reads, one a turn, and the requests
 * that wait for them.  reload.c owns what
 * is in here; others may ask tables_refuse().
 */
#ifndef SUPERVISOR_TABLES_H
#define SUPERVISOR_TABLES_H

#include <sys/types.h>

#include <stdint.h>

#include "supervisor/supervisor.h"

/* Requests: are accepted; stay with the system; are refused with 503. */
enum hold { HOLD_NONE, HOLD_WAITS, HOLD_REFUSES };

enum hup {
	HUP_THROUGH,
	HUP_WAITS,	/* for the tables that are being made */
	HUP_LOOKS	/* it came while one was made, perhaps of an older
			 * file: they are looked at again afterwards */
};

/*
 * Files that the mode reads by itself.  While it reads what new options name,
 * nothing that would use the former is forked.
 */
enum loading { LOADS_NONE, LOADS_FILES, LOADS_OPTIONS };

struct table_build {
	int fd;			/* of its memory; pipe: until it has ended */
	int pipe;
	pid_t pid;		/* 0: none */
};

struct tables {
	struct table_build build[SUPERVISOR_FILES_MAX];
	unsigned int building;		/* so many at a time */
	enum loading loading;
	unsigned int loaded;		/* it has, and HUP: how often */
	unsigned int renewed;		/* HUP has changed options: how often */
	int64_t retry;			/* after a failure, not before */
	enum hold hold;
	int64_t until;			/* requests wait until then */
	int waited;			/* a request did, when a file began to be
					 * read */
	int64_t fresh_until;		/* it was: those are accepted without a
					 * look */
	enum hup hup;
	int tells;			/* new options: the log, when HUP is
					 * through */
};

static inline int
tables_refuse(const struct tables *t)
{
	return t->hold == HOLD_REFUSES;
}

/* A process has ended: its number may be another one's from now on. */
static inline void
tables_ended(struct tables *t, pid_t pid)
{
	unsigned int i;

	for (i = 0; i < SUPERVISOR_FILES_MAX; i++)
		if (t->build[i].pid == pid)
			t->build[i].pid = 0;
}

#endif
