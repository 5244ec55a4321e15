/* SPDX-License-Identifier: ISC */
/*
 * A report as metrics: Prometheus' text format 0.0.4, or OpenMetrics 1.0.
 * Every series exists from the start.
 */
#ifndef STATS_METRICS_H
#define STATS_METRICS_H

#include "base/str.h"
#include "os/process.h"
#include "stats/report.h"

/* Bytes that hold all metrics, also with REPORT_NAMES_MAX names. */
#define METRICS_MAX	(65536 + REPORT_NAMES_MAX * 640)

#define METRICS_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPEN \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_form {
	int openmetrics;	/* 1: OpenMetrics, 0: Prometheus' text */
	int trazfr;		/* also series by the names that the program
				 * trazfr/tcp-over-websocket gives them */
};

/*
 * Writes all metrics.  Only names of --agents-file have series: other names are
 * chosen by agents, and there may be any number.  process: the supervisor,
 * NULL: without series about it.
 */
void metrics_write(struct out *, const struct metrics_form *,
    const struct report *, const struct report_names *,
    const struct process_usage *process);

/*
 * Does this Accept field (p NULL: absent) prefer OpenMetrics to plain text?
 * (RFC 9110 12.5.1)
 */
int metrics_wants_open(struct slice accept);

#endif
