/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <string.h>

#include "stats/metrics.h"

struct writer {
	struct out *o;
	int openmetrics;
};

/*
 * Writes the head of a metric family: HELP, TYPE and UNIT.  In OpenMetrics the
 * name of a family has no suffix (_total, _info), and there are units.
 */
static void
family(const struct writer *w, const char *name, const char *type,
    const char *unit, const char *help)
{
	const char *total = strcmp(type, "counter") == 0 && !w->openmetrics ?
	    "_total" : "";
	const char *info = strcmp(type, "info") == 0 && !w->openmetrics ?
	    "_info" : "";

	if (info[0] != '\0')
		type = "gauge";
	out_add(w->o, "# HELP %s%s%s %s\n# TYPE %s%s%s %s\n", name, total,
	    info, help, name, total, info, type);
	if (unit != NULL && w->openmetrics)
		out_add(w->o, "# UNIT %s %s\n", name, unit);
}

static void
counter(const struct writer *w, const char *name, const char *unit,
    uint64_t value, const char *help)
{
	family(w, name, "counter", unit, help);
	out_add(w->o, "%s_total %" PRIu64 "\n", name, value);
}

static void
gauge(const struct writer *w, const char *name, const char *unit,
    uint64_t value, const char *help)
{
	family(w, name, "gauge", unit, help);
	out_add(w->o, "%s %" PRIu64 "\n", name, value);
}

/* Buckets are cumulative, and in seconds. */
static void
histogram(const struct writer *w, const char *name,
    const struct report_histogram *h, const int64_t *bounds, const char *help)
{
	uint64_t n = 0;
	unsigned int i;

	family(w, name, "histogram", "seconds", help);
	for (i = 0; i < REPORT_BUCKETS - 1; i++) {
		n += h->bucket[i];
		out_add(w->o, "%s_bucket{le=\"%.3f\"} %" PRIu64 "\n", name,
		    (double)bounds[i] / 1000, n);
	}
	n += h->bucket[i];
	out_add(w->o, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, n);
	out_add(w->o, "%s_sum %" PRIu64 ".%03u\n%s_count %" PRIu64 "\n", name,
	    h->sum / 1000, (unsigned int)(h->sum % 1000), name, n);
}

static void
write_state(const struct writer *w, const struct report *r)
{
	unsigned int i;

	family(w, "inetws_build", "info", NULL, "What is running.");
	out_add(w->o, "inetws_build_info{version=\"");
	out_label(w->o, r->version);
	out_add(w->o, "\",mode=\"");
	out_label(w->o, r->mode);
	out_add(w->o, "\"} 1\n");
	family(w, "inetws_sandbox", "info", NULL,
	    "Parts of the sandbox that are missing, \"off\" if it is off.");
	out_add(w->o, "inetws_sandbox_info{missing=\"");
	out_label(w->o, r->sandbox);
	out_add(w->o, "\"} 1\n");
	gauge(w, "inetws_start_time_seconds", "seconds", r->started,
	    "When the statistics began, in seconds since 1970.");
	gauge(w, "inetws_connections_active", NULL, report_active(r),
	    "Connections that have a process now.");
	gauge(w, "inetws_connections_limit", NULL, r->max,
	    "The option --max-connections, 0 if there is no supervisor.");
	gauge(w, "inetws_visitors_waiting", NULL, r->waiting,
	    "Queued visitors of a gate.");
	family(w, "inetws_connections", "gauge", NULL,
	    "Connections by what they do now.");
	for (i = STATE_HANDSHAKE; i < STATES; i++)
		out_add(w->o, "inetws_connections{state=\"%s\"} %u\n",
		    report_state_name(i), r->active[i]);
}

/* Largest values. */
static void
write_largest(const struct writer *w, const struct report *r)
{
	family(w, "inetws_websocket_gap_longest_seconds", "gauge", "seconds",
	    "The longest time without a websocket that a tunnel has "
	    "survived.");
	out_add(w->o, "inetws_websocket_gap_longest_seconds %" PRId64
	    ".%03u\n", r->gap / 1000, (unsigned int)(r->gap % 1000));
	gauge(w, "inetws_window_largest_bytes", "bytes", r->window,
	    "The largest window of a tunnel that can be resumed.");
}

static void
write_name(const struct writer *w, const char *family, const char *text,
    const char *state, unsigned int value)
{
	out_add(w->o, "%s{name=\"", family);
	out_label(w->o, text);
	out_add(w->o, "\"%s} %u\n", state, value);
}

static void
write_names(const struct writer *w, const struct report_names *names)
{
	const struct report_name *n;
	unsigned int i;

	family(w, "inetws_agent_websockets", "gauge", NULL,
	    "Websockets of the agents of --agents-file.");
	for (i = 0; i < names->n; i++) {
		n = &names->of[i];
		if (!n->listed)
			continue;
		write_name(w, "inetws_agent_websockets", n->text,
		    ",state=\"parked\"", n->parked);
		write_name(w, "inetws_agent_websockets", n->text,
		    ",state=\"open\"", n->open);
	}
	family(w, "inetws_agent_visitors_waiting", "gauge", NULL,
	    "Visitors queued for one of these agents.");
	for (i = 0; i < names->n; i++) {
		n = &names->of[i];
		if (n->listed)
			write_name(w, "inetws_agent_visitors_waiting",
			    n->text, "", n->waiting);
	}
}

static void
write_counts(const struct writer *w, const struct report_counts *c)
{
	unsigned int i;

	counter(w, "inetws_connections_begun", NULL, c->begun,
	    "Connections whose handshake is over.");
	counter(w, "inetws_connections_refused", NULL, c->refused,
	    "Connections beyond the limit or the system's means.");
	family(w, "inetws_connections_ended", "counter", NULL,
	    "Ended connections, by result.");
	for (i = RESULT_ENDED; i < RESULTS; i++)
		out_add(w->o, "inetws_connections_ended_total{result=\"%s\"} "
		    "%" PRIu64 "\n", report_result_name(i), c->ended[i]);
	family(w, "inetws_close_codes", "counter", NULL,
	    "Ended tunnels, by the peer's close code.");
	for (i = 0; i < CODES; i++)
		out_add(w->o, "inetws_close_codes_total{code=\"%s\"} %" PRIu64
		    "\n", report_code_name(i), c->code[i]);
	family(w, "inetws_stream_bytes", "counter", "bytes",
	    "Payload, from the websocket's client (up) and to it (down).");
	out_add(w->o, "inetws_stream_bytes_total{direction=\"up\"} %" PRIu64
	    "\ninetws_stream_bytes_total{direction=\"down\"} %" PRIu64 "\n",
	    c->up, c->down);
	counter(w, "inetws_websockets_lost", NULL, c->losses,
	    "Websockets that were lost while their session was kept.");
	counter(w, "inetws_websockets_resumed", NULL, c->resumes,
	    "Lost websockets that were replaced by a new one.");
	counter(w, "inetws_sessions_gave_way", NULL, c->gave_way,
	    "Waiting sessions that ended early, to make room for others.");
	family(w, "inetws_websocket_gap_seconds", "counter", "seconds",
	    "Time without a websocket, of tunnels that were resumed.");
	out_add(w->o, "inetws_websocket_gap_seconds_total %" PRIu64 ".%03u\n",
	    c->gaps / 1000, (unsigned int)(c->gaps % 1000));
	histogram(w, "inetws_tunnel_duration_seconds", &c->duration,
	    report_duration_ms, "How long tunnels lasted.");
	histogram(w, "inetws_handshake_duration_seconds", &c->handshake,
	    report_handshake_ms,
	    "From accepting the connection to an open tunnel.");
	histogram(w, "inetws_ping_rtt_seconds", &c->rtt, report_rtt_ms,
	    "Round trips of pings.");
}

static void
write_process(const struct writer *w, const struct report *r,
    const struct process_usage *p)
{
	family(w, "process_cpu_seconds", "counter", "seconds",
	    "CPU time of the supervisor and its ended children.");
	out_add(w->o, "process_cpu_seconds_total %.2f\n", p->cpu);
	family(w, "process_start_time_seconds", "gauge", "seconds",
	    "When the supervisor began, in seconds since 1970.");
	out_add(w->o, "process_start_time_seconds %.2f\n", (double)r->started);
	gauge(w, "process_virtual_memory_bytes", "bytes", p->virtual_bytes,
	    "Virtual memory of the supervisor.");
	gauge(w, "process_resident_memory_bytes", "bytes", p->resident_bytes,
	    "Resident memory of the supervisor.");
	gauge(w, "process_open_fds", NULL, p->fds,
	    "Descriptors that the supervisor has open.");
	gauge(w, "process_max_fds", NULL, p->max_fds,
	    "Descriptors that it may have open.");
}

/* The sum of some results. */
static uint64_t
sum_ended(const struct report_counts *c, unsigned int from, unsigned int to)
{
	uint64_t n = 0;

	for (; from <= to; from++)
		n += c->ended[from];
	return n;
}

/* The series that dashboards for trazfr/tcp-over-websocket use. */
static void
write_trazfr(const struct writer *w, const struct report *r)
{
	const struct report_counts *c = &r->counts;
	uint64_t dialled = c->ended[RESULT_NO_NAME] +
	    c->ended[RESULT_UNREACHABLE] + c->ended[RESULT_TIMEOUT];
	uint64_t upgraded = r->active[STATE_OPEN] +
	    r->active[STATE_HALF_CLOSED] + r->active[STATE_LOST] +
	    sum_ended(c, RESULT_ENDED, RESULT_HANDED_OVER - 1);

	gauge(w, "http_to_tcp_active_connections", NULL, report_active(r),
	    "As of tcp-over-websocket.");
	out_add(w->o, "# HELP http_to_tcp_connections As of "
	    "tcp-over-websocket.\n# TYPE http_to_tcp_connections %s\n"
	    "http_to_tcp_connections{type=\"http\"} %" PRIu64 "\n"
	    "http_to_tcp_connections{type=\"tcp\"} %" PRIu64 "\n",
	    w->openmetrics ? "unknown" : "untyped", c->begun, upgraded);
	out_add(w->o, "# HELP http_to_tcp_error As of tcp-over-websocket.\n"
	    "# TYPE http_to_tcp_error %s\n"
	    "http_to_tcp_error{type=\"upgrade\"} %" PRIu64 "\n"
	    "http_to_tcp_error{type=\"dial_tcp\"} %" PRIu64 "\n",
	    w->openmetrics ? "unknown" : "untyped",
	    c->ended[RESULT_PROTOCOL] + c->ended[RESULT_DENIED], dialled);
}

void
metrics_write(struct out *o, const struct metrics_form *form,
    const struct report *r, const struct report_names *names,
    const struct process_usage *process)
{
	struct writer w = { o, form->openmetrics };

	write_state(&w, r);
	write_largest(&w, r);
	write_names(&w, names);
	write_counts(&w, &r->counts);
	if (process != NULL)
		write_process(&w, r, process);
	if (form->trazfr)
		write_trazfr(&w, r);
	if (form->openmetrics)
		out_add(o, "# EOF\n");
}

/* Reads "0.5" as thousandths (RFC 9110 12.4.2); 0 if it is malformed. */
static int
qvalue(struct slice s)
{
	int q = 0, unit = 1000;
	size_t i;

	for (i = 0; i < s.len && i < 5; i++) {
		if (i == 1 ? s.p[i] != '.' : s.p[i] < '0' || s.p[i] > '9')
			return 0;
		if (i != 1) {
			q += (s.p[i] - '0') * unit;
			unit /= 10;
		}
	}
	return i == s.len && q <= 1000 ? q : 0;
}

/*
 * The weight (;q=) of a media range with its parameters, in thousandths; 1000
 * if it has none.
 */
static int
weight(struct slice s)
{
	struct slice p;
	const char *end;

	while ((end = slice_find(s, ';')) != NULL) {
		s.len -= end + 1 - s.p;
		s.p = end + 1;
		end = slice_find(s, ';');
		p = slice_trim((struct slice){ s.p,
		    end != NULL ? (size_t)(end - s.p) : s.len });
		if (p.len >= 2 && (*p.p | 32) == 'q' && p.p[1] == '=')
			return qvalue(slice_skip(p, 2));
	}
	return 1000;
}

int
metrics_wants_open(struct slice accept)
{
	static const char open_type[] = "application/openmetrics-text";
	static const char text_type[] = "text/plain";
	int best_open = 0, best_text = 0, q;
	struct slice e, type;
	const char *end;

	if (accept.p == NULL)
		return 0;
	while (slice_next(&accept, &e)) {
		end = slice_find(e, ';');
		type = e;
		if (end != NULL)
			type.len = end - e.p;
		while (type.len > 0 && type.p[type.len - 1] == ' ')
			type.len--;
		q = weight(e);
		if (slice_is_nocase(type, open_type) && q > best_open)
			best_open = q;
		if (slice_is_nocase(type, text_type) && q > best_text)
			best_text = q;
	}
	return best_open > 0 && best_open >= best_text;
}
