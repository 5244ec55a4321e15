/* SPDX-License-Identifier: ISC */
/* If it fails: a table, page or metric shows something else than what is. */
#include <string.h>

#include "base/error.h"
#include "stats/metrics.h"
#include "tap.h"

static char buf[METRICS_MAX];

static void
names(void)
{
	unsigned int i, good = 1;

	for (i = RESULT_ENDED; i < RESULTS; i++)
		good &= report_result_name(i) != NULL;
	ok(good, "every result has a name");
	ok(report_result_name(RESULTS) == NULL, "and there are no others");
	is(report_code(0), CODE_NONE, "no code");
	is(report_code(1000), CODE_1000, "1000");
	is(report_code(1005), CODE_NONE, "1005 is none");
	is(report_code(4000), CODE_OTHER, "a private one");
	is(report_failure(EXIT_DENIED), RESULT_DENIED, "77");
	is(report_bucket(report_rtt_ms, 0), 0, "the first bucket");
	is(report_bucket(report_rtt_ms, 1), 0, "its bound belongs to it");
	is(report_bucket(report_rtt_ms, 2), 1, "the second");
	is(report_bucket(report_rtt_ms, 999999), REPORT_BUCKETS - 1,
	    "the last one");
}

/* The names of a gate, and their numbers. */
static void
gate(void)
{
	static const struct metrics_form text;
	static struct report_name of[3];
	struct report_names names = { .of = of, .max = 3 };
	struct report_row row = { .state = STATE_PARKED };
	struct report r = { .mode = "gate" };
	struct out o;

	report_add_name(&names, "ann", 1, 2);
	report_add_name(&names, "bob", 0, 3);
	strlcpy(row.target, "ann", sizeof(row.target));
	report_add_row(&names, &row);
	row.state = STATE_LOST;
	report_add_row(&names, &row);
	row.state = STATE_HANDSHAKE;
	report_add_row(&names, &row);
	strlcpy(row.target, "eve", sizeof(row.target));
	row.state = STATE_OPEN;
	report_add_row(&names, &row);
	report_add_name(&names, "one too many", 1, 1);
	is(names.n, 3, "names, as many as there is room for");
	is(of[0].parked * 100 + of[0].open * 10 + of[0].waiting, 112,
	    "parked and open websockets, queued visitors");
	is(of[2].open, 1, "a name that only a websocket has");
	out_begin(&o, buf, sizeof(buf));
	metrics_write(&o, &text, &r, &names, NULL);
	ok(strstr(buf, "\ninetws_agent_websockets{name=\"ann\","
	    "state=\"parked\"} "
	    "1\n") != NULL && strstr(buf, "\ninetws_agent_visitors_waiting"
	    "{name=\"ann\"} 2\n") != NULL, "a listed name is a label");
	ok(strstr(buf, "bob") == NULL && strstr(buf, "eve") == NULL,
	    "others are not");
	out_begin(&o, buf, sizeof(buf));
	report_json_name(&o, &of[1]);
	is_str(buf, "{\"name\":\"bob\",\"listed\":false,\"parked\":0,"
	    "\"open\":0,\"waiting\":3}", "JSON");
}

/* As many of them, as long as there can be. */
static void
many(void)
{
	static const struct metrics_form open = { 1, 1 };
	static struct report_name of[REPORT_NAMES_MAX];
	struct report_names names = { .of = of, .n = REPORT_NAMES_MAX,
	    .max = REPORT_NAMES_MAX };
	static struct report r;
	struct out o;
	unsigned int i;

	for (i = 0; i < REPORT_NAMES_MAX; i++) {
		of[i] = (struct report_name){ .listed = 1, .parked = -1u,
		    .open = -1u, .waiting = -1u };
		memset(of[i].text, 'x', sizeof(of[i].text) - 1);
	}
	out_begin(&o, buf, sizeof(buf));
	metrics_write(&o, &open, &r, &names, NULL);
	ok(!o.cut, "there is room for all names");
}

static void
metrics(void)
{
	static const struct metrics_form text, open = { 1, 1 };
	static const struct report_names none;
	static struct report r;
	struct out o;

	strlcpy(r.version, "1\"2", sizeof(r.version));
	r.active[STATE_OPEN] = 3;
	r.unlisted = 2;
	r.counts.up = 1234567890123456789u;
	r.counts.gaps = 65001;
	r.gap = 12345;
	r.window = 262144;
	r.counts.rtt.bucket[1] = 2;
	r.counts.rtt.bucket[REPORT_BUCKETS - 1] = 1;
	r.counts.rtt.sum = 10003;
	out_begin(&o, buf, sizeof(buf));
	metrics_write(&o, &text, &r, &none, NULL);
	ok(!o.cut, "there is room for all");
	ok(strstr(buf, "\ninetws_connections_active 5\n") != NULL, "active");
	ok(strstr(buf, "direction=\"up\"} 1234567890123456789\n") != NULL,
	    "large numbers stay exact");
	ok(strstr(buf, "rtt_seconds_bucket{le=\"0.001\"} 0\n") != NULL &&
	    strstr(buf, "rtt_seconds_bucket{le=\"0.002\"} 2\n") != NULL &&
	    strstr(buf, "rtt_seconds_bucket{le=\"5.000\"} 2\n") != NULL &&
	    strstr(buf, "rtt_seconds_bucket{le=\"+Inf\"} 3\n") != NULL,
	    "buckets add up");
	ok(strstr(buf, "rtt_seconds_sum 10.003\n") != NULL, "in seconds");
	ok(strstr(buf, "\ninetws_websocket_gap_seconds_total 65.001\n") != NULL &&
	    strstr(buf, "\ninetws_websocket_gap_longest_seconds 12.345\n") !=
	    NULL && strstr(buf, "\ninetws_window_largest_bytes 262144\n") !=
	    NULL, "gaps and windows");
	ok(strstr(buf, "version=\"1\\\"2\"") != NULL, "labels are escaped");
	ok(strstr(buf, "# TYPE inetws_stream_bytes_total counter") != NULL,
	    "a family has its suffix in the text format");
	ok(strstr(buf, "# EOF") == NULL, "which has no end");
	out_begin(&o, buf, sizeof(buf));
	metrics_write(&o, &open, &r, &none, NULL);
	ok(strstr(buf, "# TYPE inetws_stream_bytes counter\n# UNIT "
	    "inetws_stream_bytes bytes\n") != NULL,
	    "and not in OpenMetrics, which has units");
	is_str(buf + strlen(buf) - 6, "# EOF\n", "and an end");
	ok(strstr(buf, "http_to_tcp_active_connections 5\n") != NULL,
	    "another tool's names");
}

static void
accepts(void)
{
	static const struct { const char *accept; int open; } t[] = {
		{ "", 0 }, { "*/*", 0 }, { "text/plain", 0 },
		{ "application/openmetrics-text", 1 },
		{ "application/openmetrics-text;q=0", 0 },
		{ "application/openmetrics-text; version=1.0.0; q=0.5, "
		    "text/plain;q=0.3", 1 },
		{ "application/openmetrics-text;q=0.2,text/plain", 0 },
		{ "Application/OpenMetrics-Text ; q=1", 1 },
		{ "application/openmetrics-text;q=nan", 0 },
		{ "application/openmetrics-text;q=0x1", 0 },
		{ "application/openmetrics-text;q=1.001", 0 },
		{ "application/openmetrics-text;q=0.0001", 0 },
		{ "application/openmetrics-text;q=+1", 0 },
		{ "application/openmetrics-text;q=0.", 0 },
		{ "application/openmetrics-text;q=0.001", 1 },
		{ "application/openmetrics-text;q=1.000, text/plain", 1 },
		{ ",;,q=,;q=", 0 }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		is(metrics_wants_open(slice_of(t[i].accept)), t[i].open,
		    t[i].accept);
	is(metrics_wants_open((struct slice){ NULL, 0 }), 0, "no Accept");
}

/* The page of --metrics has 4 MB; with that, 3,000 tunnels are all on it. */
static void
page(void)
{
	static char text[4096];
	struct report_row row = { .state = STATE_OPEN, .pid = 4194303,
	    .age = 1000000000, .up = UINT32_MAX, .down = UINT32_MAX,
	    .window_up = 1 << 20, .window_down = 1 << 20 };
	struct out o;

	strlcpy(row.peer, "2001:db8:1111:2222:3333:4444:5555:6666", 64);
	strlcpy(row.user, "ann@example.org", sizeof(row.user));
	strlcpy(row.target, "database.internal.example.org:5432", 64);
	out_begin(&o, text, sizeof(text));
	report_html_row(&o, &row);
	ok(!o.cut && 3000 * o.len < 4000000, "a row has %zu bytes", o.len);
	ok(strstr(text, "data-n=\"Up\" class=\"n\" data-v=\"4294967295\">4.2 GB<")
	    != NULL, "a number as it is shown and as it is sorted");
	out_begin(&o, text, sizeof(text));
	report_html_policy(&o);
	ok(strstr(text, "script-src 'sha256-") != NULL && !o.cut, "its policy");
}

static int
times(const char *text, const char *word)
{
	int n = 0;

	for (; (text = strstr(text, word)) != NULL; text++)
		n++;
	return n;
}

/* Its parts: as many titles as cells, and what is not shown. */
static void
page_parts(void)
{
	static char text[65536];
	static const char *const more[] = { "<p id=\"more\"></p>",
	    "<p id=\"more\">and 1 more</p>", "<p id=\"more\">and 2 more</p>" };
	static struct report_name name[2] = {
	    { .text = "a<b", .parked = 3, .open = 4, .waiting = 5 },
	    { .text = "b" } };
	static struct report_names all = { .of = name };
	struct report r = { .max = 7 };
	struct report_row row = { .state = STATE_OPEN };
	struct out o;
	int titles;
	unsigned int i;

	out_begin(&o, text, sizeof(text));
	report_html_columns(&o);
	titles = times(text, "<th ");
	ok(titles > 10 && times(text, "</th>") == titles, "%d titles", titles);
	ok(strstr(text, "</th></tr></thead>\n<tbody>\n") != NULL &&
	    strstr(text, "\"\">") == NULL && strstr(text, "(null)") == NULL,
	    "each with a name");
	out_begin(&o, text, sizeof(text));
	report_html_row(&o, &row);
	is(times(text, "<td "), titles, "as many cells");
	is(times(text, "</td>"), titles, "each closed");
	for (i = 0; i < 3; i++) {
		out_begin(&o, text, sizeof(text));
		report_html_end(&o, i);
		ok(strstr(text, more[i]) != NULL, "%s", more[i]);
		is(times(text, "</html>"), 1, "the end");
	}
	for (all.n = 0; all.n < 3; all.n++) {
		out_begin(&o, text, sizeof(text));
		report_html_names(&o, &all);
		is(times(text, "<tr><td"), all.n, "a row for each name");
		is(times(text, "<thead>"), all.n > 0, "a head if there is one");
		is(times(text, "</table>"), all.n > 0, "which ends");
		is(times(text, "</div>"), 1, "in any case");
	}
	ok(strstr(text, ">a&lt;b</td><td data-n=\"Parked\" class=\"n\">3</td>"
	    "<td data-n=\"Open\" class=\"n\">4</td>"
	    "<td data-n=\"Waiting\" class=\"n\">5</td></tr>") != NULL,
	    "a name and its numbers");
	out_begin(&o, text, sizeof(text));
	report_html_head(&o, &r);
	ok(!o.cut && strstr(text, " of at most 7; ") != NULL, "its head");
}

int
main(void)
{
	page_parts();
	names();
	metrics();
	gate();
	many();
	accepts();
	page();
	return done_testing();
}
