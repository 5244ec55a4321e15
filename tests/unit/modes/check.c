/* SPDX-License-Identifier: ISC */
/* If it fails: check gives a wrong verdict, or advice that does not help. */
#include <signal.h>
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"
#include "modes/checking.h"
#include "tap.h"

static void
test_days(void)
{
	char text[64];

	fresh();
	is(check_days(&c, NOW), 0, "no certificate");
	c.cert.known = 1;
	c.cert.n = 3;
	c.cert.chain[0].not_after = NOW + 90 * DAY;
	c.cert.chain[1].not_after = NOW + 30 * DAY - 1;
	c.cert.chain[2].not_after = NOW + 900 * DAY;
	is(check_days(&c, NOW), 29, "the first of the chain counts");
	is(check_days(&c, NOW + 30 * DAY - 1), 0, "the last second");
	is(check_days(&c, NOW + 30 * DAY), -1, "just expired");
	is_str(check_expiry(text, sizeof(text), -1), "has expired", "said so");
	is_str(check_expiry(text, sizeof(text), -2), "expired 2 days ago",
	    "or since when");
	is(check_days(&c, NOW + 32 * DAY), -2, "two days and a second ago");
}

static void
judge(unsigned int days, int64_t rtt, enum check_level want, const char *name)
{
	struct check_limits limits = { days, rtt };

	check_judge(&c, &limits, NOW);
	is(check_level(&c), want, name);
}

static void
test_levels(void)
{
	fresh();
	c.pings = c.pongs = 5;
	c.mean = 20000;
	judge(0, 0, CHECK_OK, "all is well");
	judge(30, 20, CHECK_OK, "no certificate, a ping that is just so");
	judge(0, 19, CHECK_WARNING, "a slow ping");
	c.is_tls = c.cert.known = 1;
	c.tls = 1000;
	c.cert.n = 1;
	c.cert.chain[0].not_after = NOW + 30 * DAY;
	judge(30, 0, CHECK_OK, "30 days are enough");
	judge(31, 0, CHECK_WARNING, "30 days are too few");
	judge(31, 1, CHECK_WARNING, "two warnings");
	is(check_warnings(&c), 2, "both are told");
	c.pongs = 4;
	judge(0, 0, CHECK_WARNING, "a ping without answer");
	c.close = 1000;
	judge(0, 0, CHECK_OK, "unless the far side had ended it");
	error_set(&c.why, EXIT_DENIED, "x");
	judge(99, 1, CHECK_CRITICAL, "a failure");
	is(check_warnings(&c), 0, "is not warned of");
	error_set(&c.why, EXIT_SYSTEM, "x");
	judge(0, 0, CHECK_UNKNOWN, "our own failure tells nothing of them");
}

/* A step that is past a threshold is one, whichever it is. */
static void
test_warnings(void)
{
	unsigned int i;

	fresh();
	is(check_warnings(&c), 0, "none");
	is(check_status(&c), EXIT_ENDED, "0");
	for (i = 0; i < CHECK_STEPS; i++) {
		fresh();
		c.step[i].state = STEP_WARNING;
		is(check_warnings(&c), 1, "one");
		is(check_level(&c), CHECK_WARNING, "a warning");
		is(check_status(&c), CHECK_PAST_THRESHOLD, "its exit status");
	}
	for (i = 0; i < CHECK_STEPS; i++)
		c.step[i].state = STEP_WARNING;
	is(check_warnings(&c), CHECK_STEPS, "all of them");
	c.why.status = EXIT_LOST;
	is(check_warnings(&c), 0, "which count for nothing once it failed");
	is(check_status(&c), EXIT_LOST, "with that status");
}

static void
test_interval(void)
{
	static const struct { enum check_idle idle; int64_t lived, end, want; }
	t[] = {
		{ IDLE_LIVES, 600000, 0, 0 },
		{ IDLE_ENDED, 0, 5000, 0 },
		{ IDLE_CUT, 37500, 60000, 0 },
		{ IDLE_CUT, 0, 50000, 20000 },
		{ IDLE_CUT, 0, 100, 1000 },
		{ IDLE_SILENT, 12000, 24000, 5000 },
		{ IDLE_SILENT, 0, 24000, 5000 },
		{ IDLE_SILENT, 300000, 600000, 0 },
	};
	size_t i;

	ok(1, "ping intervals:");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fresh();
		c.idle = t[i].idle;
		c.idle_lived = t[i].lived;
		c.idle_end = t[i].end;
		if (check_ping_interval(&c) != t[i].want)
			ok(0, "ping interval of row %zu", i);
	}
}

/* What a peer has sent cannot break a line or a string. */
static void
test_shown(void)
{
	struct check_limits none = { 0, 0 };
	int i;

	fresh();
	error_set(&c.why, EXIT_PROTOCOL, "a|b \"c\" \\");
	check_nagios(&o, &c, &none, NOW);
	is_str(buf, "INETWS CRITICAL - a/b \"c\" \\ |\n", "Nagios");
	fresh();
	error_set(&c.why, EXIT_PROTOCOL, "a|b \"c\" \\");
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"why\":\"a|b \\\"c\\\" \\\\\"") != NULL, "JSON");
	fresh();
	for (c.addresses = 0; c.addresses < NET_FOUND_MAX; c.addresses++)
		memset(c.address[c.addresses].name, 'a', NET_NAME_MAX - 1);
	memset(c.why.text, 'b', sizeof(c.why.text) - 1);
	memset(c.reason, '\\', sizeof(c.reason) - 1);
	memset(c.server, '"', sizeof(c.server) - 1);
	memset(c.banner, '"', sizeof(c.banner) - 1);
	memset(c.title, '"', sizeof(c.title) - 1);
	for (i = 0; i < CHECK_STEPS; i++) {
		memset(c.step[i].text, '"', sizeof(c.step[i].text) - 1);
		memset(c.step[i].advice, 'c', sizeof(c.step[i].advice) - 1);
	}
	check_json(&o, &c, NOW);
	ok(!o.cut, "long words fit");
	out_begin(&o, buf, sizeof(buf));
	check_result(&o, &c, 1);
	check_show(&o, &c, 0, CHECK_STEPS, NOW, 1);
	ok(!o.cut, "for a person too");
	fresh();
	memset(&c.step, 0, sizeof(c.step));
	for (i = 0; i < CHECK_STEPS; i++)
		c.step[i].us = -1;
	c.step[STEP_CONNECT].state = STEP_OK;
	c.step[STEP_CONNECT].us = 1234567;
	strlcpy(c.step[STEP_CONNECT].text, "text", sizeof(c.step[0].text));
	check_show(&o, &c, 0, CHECK_STEPS, NOW, 0);
	ok(strstr(buf, "   1234.56 ms  text\n") != NULL, "a time");
}

/* Whatever step fails, there is something to do; and when nothing does. */
static void
test_advice(void)
{
	struct check_limits none = { 0, 0 };
	char use[CHECK_USE_MAX];
	int i, status, missing = 0;

	for (status = 0; status < 600; status++)
		for (i = 0; i < CHECK_STEPS; i++) {
			fresh();
			c.failed_at = i;
			c.http_status = status;
			c.who = status % (WHO_LOGIN + 1);
			error_set(&c.why, EXIT_PROTOCOL, "x");
			check_judge(&c, &none, NOW);
			missing += c.step[i].state != STEP_FAILED ||
			    c.step[i].advice[0] == '\0';
		}
	is(missing, 0, "each failed step has its advice");
	fresh();
	c.failed_at = STEP_PROXY;
	error_set(&c.why, EXIT_DENIED, "proxy http://127.0.0.1:40781 answered "
	    "403 Forbidden");
	check_judge(&c, &none, NOW);
	ok(strstr(c.step[STEP_PROXY].advice, "port 443") != NULL,
	    "a port is no status");
	fresh();
	strlcpy(c.cert.pin, "sha256//abc=", sizeof(c.cert.pin));
	c.failed_at = STEP_TLS;
	error_set(&c.why, EXIT_DENIED, "self-signed certificate");
	check_judge(&c, &none, NOW);
	ok(strstr(c.step[STEP_TLS].advice, "-k --pinnedpubkey sha256//abc=") !=
	    NULL, "with the pin");
	fresh();
	c.idle = IDLE_CUT;
	c.idle_end = 12000;
	check_judge(&c, &none, NOW);
	ok(strstr(c.step[STEP_IDLE].advice, "--ping-interval 5s at") != NULL,
	    "with the interval");
	check_advise_use(&c, use, sizeof(use));
	ok(strstr(use, "inetws client") != NULL, "how to use it");
}

/* The advice of a step that has failed with this. */
static const char *
advice(enum check_step step, int status, enum check_who who, const char *why)
{
	struct check_limits none = { 0, 0 };

	c.failed_at = step;
	c.http_status = status;
	c.who = who;
	error_set(&c.why, EXIT_PROTOCOL, "%s", why);
	check_judge(&c, &none, NOW);
	return c.step[step].advice;
}

/* The row that fits, not one whose word stands in a URL or a guess of ours. */
static void
test_rows(void)
{
	static const struct {
		enum check_step step;
		int status;
		enum check_who who;
		const char *why, *advice;
	} t[] = {
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy http://h:80 answered 503 "
		    "No: the proxy does not reach the server (asked for h:443)",
		    "host and port of the URL" },
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy socks5h://h:80: it refuses "
		    "to connect: connection refused (asked for h:443)",
		    "host and port of the URL" },
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy socks5h://h:80: it refuses "
		    "to connect: host unreachable (asked for h:443)",
		    "host and port of the URL" },
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy socks5h://h:80: it refuses "
		    "to connect: not allowed by its rules", "port 443" },
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy http://h:80 answered 405: "
		    "is it a forward proxy?", "a web server" },
		{ STEP_PROXY, 0, WHO_UNKNOWN, "proxy http://h:80 answered 511: "
		    "this network wants a login", "in a browser" },
		{ STEP_UPGRADE, 511, WHO_SERVER, "511", "in a browser" },
		{ STEP_UPGRADE, 400, WHO_SERVER, "wss://h/ answered 400: it "
		    "wants a certificate of ours, use --cert", "--cert" },
		{ STEP_UPGRADE, 400, WHO_INETWS, "wss://h/ answered 400 Bad "
		    "Request: this endpoint accepts only inetws agents",
		    "a gate answers" },
		{ STEP_UPGRADE, 400, WHO_INETWS, "wss://h/ answered 400: this "
		    "endpoint requires another subprotocol", "--subprotocol" },
		{ STEP_UPGRADE, 400, WHO_SERVER, "wss://h/HTTPS answered 400",
		    "error log" },
		{ STEP_UPGRADE, 400, WHO_SERVER, "ws://h/ answered 400: if "
		    "this port expects TLS, use wss://", "error log" },
		{ STEP_UPGRADE, 400, WHO_INETWS, "ws://h/ answered 400: this "
		    "port speaks TLS: use wss://", "instead of ws://" },
		{ STEP_UPGRADE, 429, WHO_CDN, "429", "too many" },
		{ STEP_UPGRADE, 500, WHO_SERVER, "500", "itself fails" },
		{ STEP_UPGRADE, 599, WHO_SERVER, "599", "itself fails" },
		{ STEP_UPGRADE, 302, WHO_SERVER, "ws://h/ redirects to what "
		    "is no websocket URL: x", "Location" },
		{ STEP_UPGRADE, 302, WHO_SERVER, "ws://h/: more than 5 "
		    "redirects", "in a circle" },
		{ STEP_EXTENSION, 101, WHO_SERVER, "wrong answer: an "
		    "extension that was not offered", "permessage-deflate" },
		{ STEP_PING, 101, WHO_SERVER, "the peer broke a rule: a "
		    "masked frame from a server", "is broken" },
		{ STEP_PING, 101, WHO_SERVER, "the websocket was cut off: it "
		    "ended without a Close", "at once" },
		{ STEP_PING, 101, WHO_SERVER, "nothing comes back behind the "
		    "101: no ping has an answer", "hangs" },
		{ STEP_CONNECT, 0, WHO_UNKNOWN, "[2001:db8::1]:1: Address not "
		    "available", "address of the other kind" },
		{ STEP_CONNECT, 0, WHO_UNKNOWN, "[2001:db8::1]:1: Network "
		    "unreachable", "address of the other kind" },
		{ STEP_CONNECT, 0, WHO_UNKNOWN, "[fe80::1%lo]:1: Cannot assign "
		    "requested address", "interface behind %" },
		{ STEP_CONNECT, 0, WHO_UNKNOWN, "cannot connect to "
		    "unix:/tmp/x: Connection refused", "this socket" },
		{ STEP_CONNECT, 0, WHO_UNKNOWN, "cannot connect to "
		    "[fe80::1]:1: Invalid argument", "%IFACE" },
		{ STEP_NAME, 0, WHO_UNKNOWN, "cannot resolve h: x (-6 leaves "
		    "only IPv6 addresses)", "leave out -4 and -6" },
		{ STEP_NAME, 0, WHO_UNKNOWN, "x (--interface ::1 leaves only "
		    "IPv6 addresses: y)", "interface by name" },
		{ STEP_TLS, 0, WHO_UNKNOWN, "self-signed certificate",
		    "--cacert FILE" },
		{ STEP_TLS, 0, WHO_UNKNOWN, "our certificate was refused by h: "
		    "it is revoked", "that the server accepts" },
		{ STEP_UPGRADE, 400, WHO_SERVER, "wss://h/ answered 400: it "
		    "may have refused our certificate", "that the server "
		    "accepts" },
		{ STEP_ANSWER, 403, WHO_SERVER, "wss://h/ answered 403: it may "
		    "have refused our certificate", "that the server accepts" },
		{ STEP_PING, 101, WHO_SERVER, "cannot send a ping: Broken pipe",
		    "at once" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "h wants a certificate of ours: "
		    "use --cert", "--cert, --key" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: no answer: Connection "
		    "reset by peer", "try wss://" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: the connection was "
		    "closed without an answer", "try wss://" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: no answer: Connection "
		    "timed out", "whether the server hangs" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: malformed answer: "
		    "more than 100 fields", "too long ones" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: malformed answer: "
		    "a head of more than 8 bytes", "too many" },
		{ STEP_ANSWER, 0, WHO_UNKNOWN, "ws://h/: malformed answer: "
		    "x", "speaks no HTTP" },
		{ STEP_IDLE, 101, WHO_UNKNOWN, "ws://h/ answered 503",
		    "eight websockets" },
	};
	size_t i;

	ok(1, "advice:");
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fresh();
		if (strstr(advice(t[i].step, t[i].status, t[i].who, t[i].why),
		    t[i].advice) == NULL)
			ok(0, "row %zu: %s", i, c.step[t[i].step].advice);
	}
	fresh();
	strlcpy(c.proxy, "proxy socks5://127.0.0.1:1", sizeof(c.proxy));
	advice(STEP_PROXY, 0, WHO_UNKNOWN, "h: Name does not resolve");
	error_set(&c.why, EXIT_NAME, "h: Name does not resolve");
	check_advise(&c, STEP_PROXY, buf, sizeof(buf));
	ok(strstr(buf, "socks5h:// instead") != NULL, "a name for SOCKS");
}

/* A 101 alone says nothing of the peer. */
static void
test_broken_handshake(void)
{
	fresh();
	advice(STEP_UPGRADE, 101, WHO_UNKNOWN, "wrong answer");
	is(c.step[STEP_EXTENSION].state, STEP_NOT_TRIED, "no extension");
	is_str(c.step[STEP_EXTENSION].text, "", "nor a word of one");
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"inetws\":false") != NULL, "not inetws");
}

/* By a signal, in a step. */
static void
test_interrupted(void)
{
	struct check_limits none = { 0, 0 };

	fresh();
	c.is_tls = 1;
	c.find = c.connect = 1000;
	c.pings = 0;
	c.under_way = STEP_TLS;
	error_set(&c.why, EXIT_AGAIN, "TLS with h: interrupted");
	check_stop(&c, SIGTERM, 2500000);
	check_judge(&c, &none, NOW);
	is(c.step[STEP_CONNECT].state, STEP_OK, "a step before");
	is(c.step[STEP_TLS].state, STEP_STOPPED, "the step");
	is(c.step[STEP_TLS].us, 2500000, "after so long");
	is(check_status(&c), 143, "its exit status");
	is(check_level(&c), CHECK_UNKNOWN, "not known");
	is_str(check_why(&c, buf, sizeof(buf)),
	    "stopped by TERM in the step tls: TLS with h: interrupted", "why");
	out_begin(&o, buf, sizeof(buf));
	check_result(&o, &c, 0);
	ok(strstr(buf, "stopped by TERM in the step tls: TLS") == buf,
	    "for a person");
	ok(strstr(buf, "\nnext:\n  let the check run to its end") != NULL,
	    "and what to do");
	fresh();
	c.under_way = CHECK_STEPS;
	check_stop(&c, SIGINT, -1);
	check_judge(&c, &none, NOW);
	is_str(check_why(&c, buf, sizeof(buf)), "stopped by INT: interrupted",
	    "before the first step");
	is(check_status(&c), 130, "130");
}

/* What was stopped is not known to be well, nor is anything to blame. */
static void
test_stopped(void)
{
	struct check_limits none = { 0, 0 };
	int i, wrong = 0;

	for (i = 0; i < CHECK_STEPS; i++) {
		fresh();
		c.pings = c.pongs = i > STEP_PING ? 5 : 0;
		c.under_way = i;
		check_stop(&c, SIGINT, 1000);
		check_judge(&c, &none, NOW);
		wrong += c.step[i].state != STEP_STOPPED ||
		    strstr(c.step[i].advice, "run to its end") == NULL ||
		    check_level(&c) != CHECK_UNKNOWN || check_status(&c) != 130;
	}
	is(wrong, 0, "each step can be stopped");
	fresh();
	c.failed_at = STEP_UPGRADE;
	c.http_status = 502;
	error_set(&c.why, EXIT_UNREACHABLE, "ws://h/ answered 502");
	check_stop(&c, SIGINT, -1);
	check_judge(&c, &none, NOW);
	is(c.step[STEP_UPGRADE].state, STEP_FAILED, "what has failed stays so");
	is(check_status(&c), 130, "but it was stopped");
	is_str(check_why(&c, buf, sizeof(buf)),
	    "stopped by INT: ws://h/ answered 502", "and says both");
}

/* The last lines, also where no step has advice. */
static void
test_next(void)
{
	struct check_limits none = { 0, 0 };

	fresh();
	error_set(&c.why, EXIT_SYSTEM, "--header-command false: x");
	check_judge(&c, &none, NOW);
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"next\":[\"correct what the message names") != NULL,
	    "before the first step");
	fresh();
	check_stop(&c, SIGINT, -1);
	check_judge(&c, &none, NOW);
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"next\":[\"let the check run") != NULL,
	    "stopped there");
}

/* Neither the server nor the path is to blame for what is wrong here. */
static void
test_local(void)
{
	static const int statuses[] = { EXIT_BADUSAGE, EXIT_SYSTEM,
	    EXIT_BADCONFIG };
	struct check_limits none = { 0, 0 };
	int i, wrong = 0;

	for (i = 0; i < 3 * CHECK_STEPS; i++) {
		fresh();
		c.failed_at = i / 3;
		error_set(&c.why, statuses[i % 3], "--cert x: wrong");
		check_judge(&c, &none, NOW);
		wrong += strstr(c.step[i / 3].advice, "what the message "
		    "names") == NULL;
	}
	is(wrong, 0, "the message names what is wrong");
}

/* What is dialled is the proxy, if there is one. */
static void
test_proxy(void)
{
	fresh();
	strlcpy(c.proxy, "proxy http://p:1", sizeof(c.proxy));
	ok(strstr(advice(STEP_NAME, 0, WHO_UNKNOWN, "cannot resolve p: x"),
	    "the proxy in --proxy;") != NULL, "its name");
	c.route_by = "http_proxy";
	ok(strstr(advice(STEP_CONNECT, 0, WHO_UNKNOWN, "p:1: Connection "
	    "refused"), "port in http_proxy,") != NULL, "its port");
	ok(strstr(advice(STEP_CONNECT, 0, WHO_UNKNOWN, "p:1: timed out"),
	    "port in http_proxy;") != NULL, "or another reason");
}

/* No answer to a ping is a fault only while it is known to be one. */
static void
test_ping(void)
{
	struct check_limits none = { 0, 0 };

	fresh();
	c.pings = 1;
	c.close = 1011;
	check_judge(&c, &none, NOW);
	is(c.step[STEP_PING].state, STEP_NOT_TRIED, "the peer had ended it");
}

int
main(void)
{
	test_days();
	test_levels();
	test_warnings();
	test_interval();
	test_shown();
	test_advice();
	test_rows();
	test_broken_handshake();
	test_interrupted();
	test_stopped();
	test_next();
	test_local();
	test_proxy();
	test_ping();
	return done_testing();
}
