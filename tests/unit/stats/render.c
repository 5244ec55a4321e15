/* SPDX-License-Identifier: ISC */
/*
 * What "status", the page and the metrics say of an instance, word for word:
 * scripts read the JSON and the metrics, people the rest.
 *
 * If it fails: a number stands where another one belongs, or a column is lost.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stats/metrics.h"
#include "stats/render.h"
#include "tap.h"
#include "tunnel/tunnel.h"

static char buf[METRICS_MAX];
static struct out o;

static void
begin(void)
{
	out_begin(&o, buf, sizeof(buf));
}

/* Each number another one. */
static struct report
example(void)
{
	struct report r = { .version = "1.2", .mode = "gate",
	    .name = "a -> b", .sandbox = "landlock", .pid = 77,
	    .started = 1700000000, .uptime = 3723000, .max = 500,
	    .unlisted = 3, .waiting = 4, .gap = 2600, .window = 65536 };
	unsigned int i;

	for (i = STATE_HANDSHAKE; i < STATES; i++)
		r.active[i] = 10 + i;
	r.active[STATE_FREE] = r.active[STATE_LISTENING] = 1000;
	r.counts = (struct report_counts){ .up = 1234567, .down = 7654321,
	    .begun = 900, .refused = 21, .losses = 22, .resumes = 23,
	    .gaps = 24025, .gave_way = 25 };
	for (i = 0; i < RESULTS; i++)
		r.counts.ended[i] = 100 + i;
	for (i = 0; i < CODES; i++)
		r.counts.code[i] = 200 + i;
	for (i = 0; i < REPORT_BUCKETS; i++) {
		r.counts.duration.bucket[i] = 1;
		r.counts.handshake.bucket[i] = 2;
		r.counts.rtt.bucket[i] = 3;
	}
	r.counts.duration.sum = 1001;
	r.counts.handshake.sum = 2002;
	r.counts.rtt.sum = 3003;
	return r;
}

static struct report_row
example_row(void)
{
	return (struct report_row){ .pid = 4321, .state = STATE_HALF_CLOSED,
	    .mode = "server", .peer = "192.0.2.1:50000", .via = "10.0.0.1",
	    .target = "127.0.0.1:5432", .user = "ann", .id = "1-2",
	    .peer_id = "3-4", .age = 61000, .idle = 1500, .rtt = 12,
	    .lost = -1, .gap = 250, .window_up = 262144,
	    .window_down = 16777216, .up = 1000, .down = 2500000,
	    .up_rate = 10, .down_rate = 20000, .resumes = 6 };
}

static void
test_table(void)
{
	struct report r = example();

	begin();
	report_table_head(&o, &r, 0);
	is_str(buf, "inetws gate a -> b, process 77, up 1h02m: 12 handshaking, "
	    "13 parked, 14 open, 15 half-closed, 16 lost, 17 refusing, 3 not listed, "
	    "4 visitors waiting; 929 in all, 21 refused, 1.2 MB up, 7.6 MB "
	    "down; 22 lost, 23 resumed, longest gap 2.6s\n"
	    "  sandbox without landlock\n", "an instance");
	begin();
	report_table_head(&o, &r, 80);
	is_str(buf, "inetws gate a -> b, process 77, up 1h02m\n"
	    "  12 handshaking, 13 parked, 14 open, 15 half-closed, 16 lost, 17 "
	    "refusing,\n  3 not listed, 4 visitors waiting; 929 in all, 21 "
	    "refused, 1.2 MB up,\n  7.6 MB down; 22 lost, 23 resumed, longest gap "
	    "2.6s\n"
	    "  sandbox without landlock\n", "... in 80 columns");
	begin();
	report_table_head(&o, &r, 40);
	ok(strstr(buf, "15 half-closed, 16 lost, 17 refusing,\n") != NULL,
	    "and not in fewer");
	begin();
	report_table_head(&o, &r, 167);
	ok(strstr(buf, "up 1h02m\n") != NULL, "167 are too few for all");
	begin();
	report_table_head(&o, &r, 168);
	ok(strstr(buf, "up 1h02m: ") != NULL, "168 are not");
	r = (struct report){ .sandbox = "off" };
	begin();
	report_table_head(&o, &r, 0);
	is_str(buf, "inetws - -, up 0ms: none active; 0 in all, 0 refused, 0 B "
	    "up, 0 B down\n  sandbox off\n", "one where nothing happened");
	r.unlisted = 1;
	r.sandbox[0] = '\0';
	begin();
	report_table_head(&o, &r, 0);
	is_str(buf, "inetws - -, up 0ms: 1 not listed; 0 in all, 0 refused, 0 "
	    "B up, 0 B down\n", "or only what is not listed");
}

/* A line is as wide as it may be and no wider, at the exact number. */
static void
test_wrapped(void)
{
	struct report r = { .waiting = 1 };
	unsigned int width;
	const char *line;
	int len, longest;

	r.active[STATE_OPEN] = 10000;
	r.active[STATE_LOST] = 123;
	r.counts.losses = 1;
	for (width = 80; width < 168; width++) {
		begin();
		report_table_head(&o, &r, width);
		longest = 0;
		for (line = buf; *line != '\0'; line += len + 1) {
			len = (int)strcspn(line, "\n");
			longest = len > longest ? len : longest;
		}
		if (longest > (int)width)
			ok(0, "%u columns", width);
	}
	begin();
	report_table_head(&o, &r, 81);
	ok(strstr(buf, "0 B up,\n") != NULL, "81 columns");
	begin();
	report_table_head(&o, &r, 82);
	ok(strstr(buf, "0 B up, 0 B down;\n") != NULL, "82: a part more");
}

static void
test_rows(void)
{
	struct report_row row = example_row(), none = { .rtt = -1 };
	unsigned int width;

	begin();
	report_table_columns(&o, 0);
	report_table_row(&o, &row, 0);
	report_table_row(&o, &none, 0);
	is_str(buf, "PID     STATE       PEER                  TARGET          "
	    "             AGE    IDLE        UP      DOWN        UP/s      "
	    "DOWN/s    RTT RES    GAP    WINDOW ID\n"
	    "4321    half-closed ann@192.0.2.1:50000   127.0.0.1:5432        "
	    "     1m01s    1.5s    1.0 kB    2.5 MB      10 B/s   20.0 kB/s   "
	    "12ms   6  250ms  256k/16m 1-2\n"
	    "0       free        -                     -                     "
	    "       0ms     0ms       0 B       0 B       0 B/s       0 B/s   "
	    "   -   0      -         - -\n", "a row");
	begin();
	report_table_columns(&o, 80);
	report_table_row(&o, &row, 80);
	is_str(buf, "PID    STATE  PEER                  TARGET          AGE    "
	    "   UP     DOWN    RTT\n4321   half-c ann@192.0.2.1:50000   "
	    "127.0.0.1:54  1m01s   1.0 kB   2.5 MB   12ms\n", "80 columns");
	for (width = 80; width < 168; width++) {
		begin();
		report_table_columns(&o, width);
		if (o.len != width + 1)
			ok(0, "%u columns: %zu", width, o.len);
	}
	begin();
	report_table_columns(&o, 40);
	is(o.len, 81, "not fewer");
	begin();
	report_table_columns(&o, 140);
	is(strstr(buf, "TARGET") - strstr(buf, "PEER"), 47,
	    "peer and target share the rest");
}

static void
test_names(void)
{
	struct report_name n = { .text = "ann", .listed = 1, .parked = 1,
	    .open = 2, .waiting = 3 };

	begin();
	report_table_name_columns(&o);
	report_table_name(&o, &n);
	is_str(buf, "NAME                      PARKED    OPEN WAITING\n"
	    "ann                            1       2       3\n", "a name");
	begin();
	report_json_name(&o, &n);
	is_str(buf, "{\"name\":\"ann\",\"listed\":true,\"parked\":1,\"open\":2,"
	    "\"waiting\":3}", "... as JSON");
}

static void
test_json(void)
{
	struct report r = example();
	struct report_row row = example_row();

	begin();
	report_json_head(&o, &r);
	ok(strstr(buf, "\"version\":\"1.2\",\"mode\":\"gate\",\"name\":\"a -> "
	    "b\",\"sandbox_missing\":\"landlock\",\"huge_text\":0,"
	    "\"huge_text_missing\":null,\"pid\":77,\"started\":"
	    "1700000000,\"uptime_ms\":3723000,\"max_connections\":500,"
	    "\"active\":90,\"states\":{\"handshaking\":12,\"parked\":13,"
	    "\"open\":14,\"half-closed\":15,\"lost\":16,\"refusing\":17},\"unlisted\":3,"
	    "\"waiting\":4,\"total\":929,\"refused\":21,\"up\":1234567,"
	    "\"down\":7654321,\"lost\":22,\"lost_now\":16,\"resumes\":23,"
	    "\"longest_gap_ms\":2600,\"window\":65536,\"gave_way\":25,"
	    "\"ended\":{\"") == buf, "an instance");
	row.lost = 1234;
	begin();
	report_json_row(&o, &row);
	is_str(buf, "{\"pid\":4321,\"state\":\"half-closed\",\"mode\":\"server\","
	    "\"peer\":\"192.0.2.1:50000\",\"via\":\"10.0.0.1\",\"user\":\"ann\","
	    "\"target\":\"127.0.0.1:5432\",\"id\":\"1-2\",\"peer_id\":\"3-4\","
	    "\"age_ms\":61000,\"idle_ms\":1500,\"up\":1000,\"down\":2500000,"
	    "\"up_per_second\":10,\"down_per_second\":20000,\"rtt_ms\":12,"
	    "\"resumes\":6,\"lost_ms\":1234,\"longest_gap_ms\":250,"
	    "\"window_up\":262144,\"window_down\":16777216}", "a row");
	row.lost = row.rtt = -1;
	begin();
	report_json_row(&o, &row);
	ok(strstr(buf, "\"rtt_ms\":null,") != NULL &&
	    strstr(buf, "\"lost_ms\":null,") != NULL, "what is not known");
	row.lost = row.rtt = 0;
	begin();
	report_json_row(&o, &row);
	ok(strstr(buf, "\"rtt_ms\":0,") != NULL &&
	    strstr(buf, "\"lost_ms\":0,") != NULL, "0 is known");
}

/* Each result and code by its own name. */
static void
test_kinds(void)
{
	static const struct { int status; unsigned int result; const char *name; }
	    t[] = { { EXIT_NAME, RESULT_NO_NAME, "name-not-found" },
	    { EXIT_UNREACHABLE, RESULT_UNREACHABLE, "unreachable" },
	    { EXIT_SYSTEM, RESULT_SYSTEM, "system" },
	    { EXIT_LOST, RESULT_LEFT, "left-early" },
	    { EXIT_AGAIN, RESULT_TIMEOUT, "timeout" },
	    { EXIT_PROTOCOL, RESULT_PROTOCOL, "protocol" },
	    { EXIT_DENIED, RESULT_DENIED, "denied" },
	    { EXIT_BADUSAGE, RESULT_OTHER, "other" } };
	static const struct { unsigned int code; const char *name; } c[] = {
	    { 0, "none" }, { 999, "other" }, { 1000, "1000" },
	    { 1001, "1001" }, { 1002, "1002" }, { 1003, "1003-1006" },
	    { 1004, "1003-1006" }, { 1005, "none" }, { 1006, "1003-1006" },
	    { 1007, "1007" }, { 1008, "1008" }, { 1009, "1009" },
	    { 1010, "other" }, { 1011, "1011" }, { 1012, "1012" },
	    { 1013, "other" }, { 3000, "other" }, { UINT32_MAX, "other" } };
	struct report r = example();
	char want[100];
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		is(report_failure(t[i].status), t[i].result, t[i].name);
		is_str(report_result_name(t[i].result), t[i].name, "its name");
	}
	for (i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		is_str(report_code_name(report_code(c[i].code)), c[i].name,
		    "a code");
	is_str(report_code_name(CODES), "other", "none of them");
	is_str(report_result_name(RESULT_ENDED),
	    tunnel_end_name(TUNNEL_ENDED), "ends of a tunnel");
	is_str(report_result_name(TUNNEL_STOPPED),
	    tunnel_end_name(TUNNEL_STOPPED), "... the last one");
	is_str(report_result_name(RESULT_HANDED_OVER), "handed-over", "then");
	is_str(report_result_name(RESULT_PROBE), "probe", "a probe");
	is_str(report_result_name(RESULT_KILLED), "killed", "killed");
	ok(report_result_name(0) == NULL, "0 is none");
	is_str(report_state_name(STATE_LOST), "lost", "the last state");
	is_str(report_state_name(STATES), "unknown", "no state");
	begin();
	report_json_head(&o, &r);
	for (i = RESULT_ENDED; i < RESULTS; i++) {
		snprintf(want, sizeof(want), "%s\"%s\":%zu%s", i == 1 ? "{" : ",",
		    report_result_name(i), 100 + i, i == RESULTS - 1 ? "}" : ",");
		ok(strstr(buf, want) != NULL, "JSON: %s", want);
	}
}

/* Is this line, and no other with its name, in the text? */
static void
has(const char *line)
{
	char want[300];
	size_t name = strcspn(line, " ") + 1;
	const char *at;
	int n = 0;

	snprintf(want, sizeof(want), "\n%.*s", (int)name, line);
	for (at = buf; (at = strstr(at, want)) != NULL; at++)
		n++;
	snprintf(want, sizeof(want), "\n%s\n", line);
	ok(n == 1 && strstr(buf, want) != NULL, "%s", line);
}

static void
test_metrics(void)
{
	static const struct metrics_form text = { 0, 1 }, open = { 1, 1 };
	static const char *const lines[] = {
	    "inetws_build_info{version=\"1.2\",mode=\"gate\"} 1",
	    "inetws_sandbox_info{missing=\"landlock\"} 1",
	    "inetws_start_time_seconds 1700000000",
	    "inetws_connections_active 90", "inetws_connections_limit 500",
	    "inetws_visitors_waiting 4",
	    "inetws_connections{state=\"handshaking\"} 12",
	    "inetws_connections{state=\"lost\"} 16",
	    "inetws_connections{state=\"refusing\"} 17",
	    "inetws_websocket_gap_longest_seconds 2.600",
	    "inetws_window_largest_bytes 65536",
	    "inetws_connections_begun_total 900",
	    "inetws_connections_refused_total 21",
	    "inetws_connections_ended_total{result=\"killed\"} 120",
	    "inetws_close_codes_total{code=\"none\"} 200",
	    "inetws_close_codes_total{code=\"other\"} 210",
	    "inetws_stream_bytes_total{direction=\"up\"} 1234567",
	    "inetws_stream_bytes_total{direction=\"down\"} 7654321",
	    "inetws_websockets_lost_total 22",
	    "inetws_websockets_resumed_total 23",
	    "inetws_sessions_gave_way_total 25",
	    "inetws_websocket_gap_seconds_total 24.025",
	    "inetws_tunnel_duration_seconds_bucket{le=\"0.100\"} 1",
	    "inetws_tunnel_duration_seconds_bucket{le=\"86400.000\"} 12",
	    "inetws_tunnel_duration_seconds_bucket{le=\"+Inf\"} 13",
	    "inetws_tunnel_duration_seconds_sum 1.001",
	    "inetws_tunnel_duration_seconds_count 13",
	    "inetws_handshake_duration_seconds_bucket{le=\"0.001\"} 2",
	    "inetws_handshake_duration_seconds_sum 2.002",
	    "inetws_handshake_duration_seconds_count 26",
	    "inetws_ping_rtt_seconds_bucket{le=\"0.020\"} 15",
	    "inetws_ping_rtt_seconds_sum 3.003",
	    "inetws_ping_rtt_seconds_count 39",
	    "process_cpu_seconds_total 1.25",
	    "process_start_time_seconds 1700000000.00",
	    "process_virtual_memory_bytes 31", "process_resident_memory_bytes 32",
	    "process_open_fds 33", "process_max_fds 34",
	    "http_to_tcp_active_connections 90",
	    "http_to_tcp_connections{type=\"http\"} 900" };
	static const struct process_usage process = { 1.25, 31, 32, 33, 34 };
	static const struct report_names none;
	struct report r = example();
	char line[100];
	size_t i;

	begin();
	metrics_write(&o, &text, &r, &none, &process);
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		has(lines[i]);
	/* tunnels that there are, and that have ended; not those in handshake */
	snprintf(line, sizeof(line), "http_to_tcp_connections{type=\"tcp\"} %d",
	    14 + 15 + 16 + 101 + 102 + 103 + 104 + 105 + 106 + 107 + 108 + 109);
	has(line);
	snprintf(line, sizeof(line), "http_to_tcp_error{type=\"upgrade\"} %d",
	    200 + RESULT_PROTOCOL + RESULT_DENIED);
	has(line);
	snprintf(line, sizeof(line), "http_to_tcp_error{type=\"dial_tcp\"} %d",
	    300 + RESULT_NO_NAME + RESULT_UNREACHABLE + RESULT_TIMEOUT);
	has(line);
	ok(strstr(buf, "# TYPE inetws_build_info gauge\n") != NULL &&
	    strstr(buf, "\n# TYPE http_to_tcp_error untyped\n") != NULL &&
	    strstr(buf, "\n# TYPE http_to_tcp_connections untyped\n") != NULL &&
	    strstr(buf, "# UNIT") == NULL, "the text format");
	begin();
	metrics_write(&o, &open, &r, &none, NULL);
	ok(strstr(buf, "\n# TYPE http_to_tcp_error unknown\n") != NULL &&
	    strstr(buf, "\n# TYPE http_to_tcp_connections unknown\n") != NULL,
	    "OpenMetrics has another word");
	ok(strstr(buf, "# TYPE inetws_build info\n") != NULL &&
	    strstr(buf, "# HELP inetws_build What") != NULL,
	    "and kinds of their own");
	ok(strstr(buf, "process_") == NULL, "no process, no series of it");
}

static void
test_page(void)
{
	struct report r = example();
	struct report_row row = example_row();

	begin();
	report_html_head(&o, &r);
	ok(strstr(buf, "<h1>inetws gate a -&gt; b</h1>\n<p id=\"summary\" "
	    "data-up=\"1234567\" data-down=\"7654321\">12 handshaking, 13 "
	    "parked, 14 open, 15 half-closed, 16 lost, 17 refusing, 3 not "
	    "listed, 4 visitors waiting of at most 500; 929 connections in all, 21 "
	    "refused; 1.2 MB up, 7.6 MB down<span id=\"rates\"></span>; 22 "
	    "lost, 23 resumed, longest gap 2.6s; running for 1h02m.</p>\n") !=
	    NULL, "the page's head");
	begin();
	report_html_row(&o, &row);
	is_str(buf, "<tr><td data-n=\"Peer\" class=\"a\">ann@192.0.2.1:50000"
	    "</td><td data-n=\"Target\" class=\"a\">127.0.0.1:5432</td>"
	    "<td data-n=\"State\" class=\"s\">half-closed</td>"
	    "<td data-n=\"Age\" class=\"n\" data-v=\"61000\">1m01s</td>"
	    "<td data-n=\"Idle\" class=\"n\" data-v=\"1500\">1.5s</td>"
	    "<td data-n=\"Up\" class=\"n\" data-v=\"1000\">1.0 kB</td>"
	    "<td data-n=\"Up/s\" class=\"n\" data-v=\"-1\">-</td>"
	    "<td data-n=\"Down\" class=\"n\" data-v=\"2500000\">2.5 MB</td>"
	    "<td data-n=\"Down/s\" class=\"n\" data-v=\"-1\">-</td>"
	    "<td data-n=\"Ping\" class=\"n\" data-v=\"12\">12ms</td>"
	    "<td data-n=\"Resumed\" class=\"n\" data-v=\"6\">6</td>"
	    "<td data-n=\"Gap\" class=\"n\" data-v=\"250\">250ms</td>"
	    "<td data-n=\"Window\" class=\"n\" data-v=\"17039360\">256k/16m</td>"
	    "<td data-n=\"Process\" class=\"n\" data-v=\"4321\">4321</td></tr>\n",
	    "a row of it");
	row.window_up = 0;
	begin();
	report_html_row(&o, &row);
	ok(strstr(buf, ">0/16m<") != NULL, "a session that only receives");
}

int
main(void)
{
	test_table();
	test_wrapped();
	test_rows();
	test_names();
	test_json();
	test_kinds();
	test_metrics();
	test_page();
	return done_testing();
}
