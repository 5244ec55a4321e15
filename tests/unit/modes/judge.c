/* SPDX-License-Identifier: ISC */
/*
 * What each step of check says, from what was found; how it is shown to a person
 * and to programs; and what sent an answer.
 *
 * If it fails: a person is told of another fault than there is, or a program
 * that watches a server misses one.
 */
#include <string.h>

#include "modes/check/judge.h"
#include "modes/check/show.h"
#include "modes/checking.h"
#include "tap.h"

/* What the step says of the facts. */
static void
says(enum check_step i, enum step_state state, int64_t us, const char *text)
{
	struct check_limits limits = c.limits;

	check_judge(&c, &limits, NOW);
	is(c.step[i].state, state, "its state");
	is(c.step[i].us, us, "its time");
	is_str(c.step[i].text, text, "its text");
}

static void
address(int i, const char *name, int64_t us, const char *why)
{
	strlcpy(c.address[i].name, name, sizeof(c.address[i].name));
	c.address[i].us = us;
	strlcpy(c.address[i].why, why, sizeof(c.address[i].why));
	c.addresses = i + 1;
}

static void
test_path(void)
{
	fresh();
	says(STEP_NAME, STEP_NOT_TRIED, -1, "");
	says(STEP_CONNECT, STEP_NOT_TRIED, -1, "");
	says(STEP_PROXY, STEP_NOT_TRIED, -1, "");
	says(STEP_TLS, STEP_NOT_TRIED, -1, "");
	says(STEP_ANSWER, STEP_NOT_TRIED, -1, "");
	says(STEP_UPGRADE, STEP_NOT_TRIED, -1, "");
	strlcpy(c.host, "h", sizeof(c.host));
	c.find = 0;
	says(STEP_NAME, STEP_OK, 0, "h");
	address(0, "192.0.2.1:443", 1000, "");
	says(STEP_NAME, STEP_OK, 0, "h is 192.0.2.1:443 (IPv4 only)");
	address(1, "[2001:db8::1]:443", -1, "timed out");
	says(STEP_NAME, STEP_OK, 0,
	    "h is 192.0.2.1:443, [2001:db8::1]:443 (IPv4 and IPv6)");
	address(0, "[2001:db8::1]:443", -1, "");
	says(STEP_NAME, STEP_OK, 0, "h is [2001:db8::1]:443 (IPv6 only)");
	strlcpy(c.host, "[2001:db8::1]:443", sizeof(c.host));
	says(STEP_NAME, STEP_OK, 0, "[2001:db8::1]:443 is an address");
	address(1, "x", -1, "");
	says(STEP_NAME, STEP_OK, 0, "[2001:db8::1]:443 is [2001:db8::1]:443, x "
	    "(IPv4 and IPv6)");
	fresh();
	c.connect = 0;
	strlcpy(c.peer, "192.0.2.1:443", sizeof(c.peer));
	address(0, "192.0.2.1:443", 0, "");
	says(STEP_CONNECT, STEP_OK, 0, "192.0.2.1:443");
	address(1, "192.0.2.2:443", 0, "");
	address(2, "192.0.2.3:443", -1, "refused");
	address(3, "192.0.2.4:443", -1, "");
	says(STEP_CONNECT, STEP_OK, 0, "192.0.2.1:443; 192.0.2.2:443: connects "
	    "too, in 0ms; 192.0.2.3:443: refused");
	c.address[1].us = 12999;
	check_show_others(&o, &c);
	is_str(buf, "        connect                  192.0.2.2:443: connects "
	    "too, in 12ms\n        connect                  192.0.2.3:443: "
	    "refused\n", "the others");
}

static void
test_proxy(void)
{
	fresh();
	c.find = 0;
	says(STEP_PROXY, STEP_OK, -1,
	    "none: no --proxy, and no variable for this URL");
	c.unused = "http_proxy";
	c.route = ROUTE_UNNAMED;
	says(STEP_PROXY, STEP_OK, -1, "none: no --proxy, and no variable for "
	    "this URL; http_proxy is set, but does not count for ws://");
	c.is_tls = 1;
	says(STEP_PROXY, STEP_OK, -1, "none: no --proxy, and no variable for "
	    "this URL; http_proxy is set, but does not count for wss://");
	c.route = ROUTE_EXCEPTED;
	says(STEP_PROXY, STEP_OK, -1, "none: --noproxy excepts this host");
	c.route_by = "no_proxy";
	says(STEP_PROXY, STEP_OK, -1, "none: no_proxy excepts this host");
	c.route = ROUTE_LOCAL;
	says(STEP_PROXY, STEP_OK, -1, "none: a Unix socket needs none");
	strlcpy(c.proxy, "http://p:1", sizeof(c.proxy));
	says(STEP_PROXY, STEP_NOT_TRIED, -1, "http://p:1");
	c.tunnel = 0;
	c.route = ROUTE_OPTION;
	says(STEP_PROXY, STEP_OK, 0, "http://p:1 (of --proxy)");
}

static void
test_tls(void)
{
	fresh();
	c.connect = 0;
	says(STEP_TLS, STEP_NOT_TRIED, -1, "none: ws:// is not encrypted");
	c.is_tls = 1;
	says(STEP_TLS, STEP_NOT_TRIED, -1, "");
	c.tls = 0;
	strlcpy(c.cert.version, "TLSv1.3", sizeof(c.cert.version));
	strlcpy(c.cert.cipher, "X", sizeof(c.cert.cipher));
	says(STEP_TLS, STEP_OK, 0, "TLSv1.3 X, certificate NOT VERIFIED");
	c.cert.verified = 1;
	c.limits.days = 10;
	says(STEP_TLS, STEP_OK, 0, "TLSv1.3 X, certificate verified");
	c.cert.known = 1;
	c.cert.n = 1;
	strlcpy(c.cert.chain[0].subject, "CN=h", 20);
	c.cert.chain[0].not_after = NOW + 10 * DAY;
	says(STEP_TLS, STEP_OK, 0, "TLSv1.3 X, certificate verified");
	c.cert.chain[0].not_after--;
	says(STEP_TLS, STEP_WARNING, 0,
	    "certificate CN=h expires in 9 days, limit 10");
	c.cert.chain[0].not_after = NOW + DAY;
	says(STEP_TLS, STEP_WARNING, 0,
	    "certificate CN=h expires in 1 day, limit 10");
	strlcpy(c.cert.names, "h", 20);
	strlcpy(c.cert.issuer, "CN=ca", 20);
	strlcpy(c.cert.from, "FROM", 20);
	strlcpy(c.cert.until, "UNTIL", 20);
	out_begin(&o, buf, sizeof(buf));
	check_show(&o, &c, STEP_TLS, STEP_TLS + 1, NOW, 0);
	is_str(buf, "warning tls              0.00 ms  certificate CN=h "
	    "expires in 1 day, limit 10\n"
	    "                                certificate h\n"
	    "                                issued by CN=ca\n"
	    "                                valid from FROM until UNTIL\n"
	    "                                expires in 1 day\n", "shown");
	c.cert.n = 2;
	strlcpy(c.cert.chain[1].subject, "CN=ca", 20);
	c.cert.chain[1].not_after = NOW + 2 * DAY;
	strlcpy(c.cert.pin, "sha256//x", 20);
	out_begin(&o, buf, sizeof(buf));
	check_show(&o, &c, STEP_TLS, STEP_TLS + 1, NOW, 0);
	ok(strstr(buf, "issued by CN=ca\n                                chain "
	    "CN=ca\n                                valid") != NULL &&
	    strstr(buf, "expires in 1 day, the first of the chain to do so\n"
	    "                                pin sha256//x\n") != NULL,
	    "with its chain");
}

static void
test_answer(void)
{
	fresh();
	c.http_status = 200;
	c.upgrade = 0;
	says(STEP_ANSWER, STEP_OK, 0,
	    "200 from a server that does not tell its name");
	says(STEP_UPGRADE, STEP_NOT_TRIED, -1, "");
	strlcpy(c.title, "T", sizeof(c.title));
	c.who = WHO_INETWS;
	says(STEP_ANSWER, STEP_OK, 0, "200 from inetws, \"T\"");
	c.title[0] = '\0';
	c.who = WHO_LOGIN;
	says(STEP_ANSWER, STEP_OK, 0, "200 from a login page");
	strlcpy(c.who_name, "nginx", sizeof(c.who_name));
	says(STEP_ANSWER, STEP_OK, 0, "200 from a login page of nginx");
	c.who = WHO_INETWS;
	says(STEP_ANSWER, STEP_OK, 0, "200 from inetws behind nginx");
	c.who = WHO_CDN;
	says(STEP_ANSWER, STEP_OK, 0, "200 from nginx, a CDN");
	c.who = WHO_SERVER;
	c.http_status = 101;
	says(STEP_ANSWER, STEP_OK, 0, "101 from nginx");
	says(STEP_UPGRADE, STEP_OK, -1, "passed");
	strlcpy(c.server, "S", sizeof(c.server));
	strlcpy(c.via, "V", sizeof(c.via));
	out_begin(&o, buf, sizeof(buf));
	check_show(&o, &c, STEP_ANSWER, STEP_UPGRADE, NOW, 1);
	is_str(buf, "\033[32mok\033[0m      answer           0.00 ms  101 from "
	    "nginx\n                                server S\n"
	    "                                via V\n", "in colours");
	strlcpy(c.at, "wss://i/", sizeof(c.at));
	out_begin(&o, buf, sizeof(buf));
	check_show_redirect(&o, &c);
	is_str(buf, "                                redirected to wss://i/\n",
	    "a redirect");
}

static void
test_websocket(void)
{
	fresh();
	says(STEP_EXTENSION, STEP_NOT_TRIED, -1, "");
	says(STEP_SUBPROTOCOL, STEP_NOT_TRIED, -1, "");
	c.extension = EXTENSION_AGREED;
	strlcpy(c.id, "1-2", sizeof(c.id));
	strlcpy(c.peer_id, "3-4", sizeof(c.peer_id));
	c.window = 65536;
	says(STEP_EXTENSION, STEP_OK, -1, "the peer is inetws; id 1-2, the "
	    "peer's 3-4, window 65536; no session was asked for");
	c.resume_asked = 1;
	says(STEP_EXTENSION, STEP_OK, -1, "the peer is inetws; id 1-2, the "
	    "peer's 3-4, window 65536; a lost websocket is the end: the peer "
	    "keeps no sessions (it has --resume 0)");
	c.resume = 1;
	says(STEP_EXTENSION, STEP_OK, -1, "the peer is inetws; id 1-2, the "
	    "peer's 3-4, window 65536; a lost websocket is resumed");
	c.extension = EXTENSION_PLAIN;
	says(STEP_EXTENSION, STEP_OK, -1,
	    "the peer is not inetws: a lost websocket is the end");
	c.extension = EXTENSION_STRIPPED;
	says(STEP_EXTENSION, STEP_WARNING, -1, "the peer is inetws, but "
	    "something between removes Sec-WebSocket-Extensions: a lost "
	    "websocket is the end");
	says(STEP_SUBPROTOCOL, STEP_NOT_TRIED, -1, "none was offered");
	c.subprotocol_offered = "a,b";
	says(STEP_SUBPROTOCOL, STEP_WARNING, -1,
	    "a,b was offered, but no subprotocol was answered");
	strlcpy(c.subprotocol, "b", sizeof(c.subprotocol));
	says(STEP_SUBPROTOCOL, STEP_OK, -1, "b");
}

static void
test_pings(void)
{
	fresh();
	says(STEP_PING, STEP_NOT_TRIED, -1, "");
	c.pings = 3;
	c.close = 1000;
	says(STEP_PING, STEP_NOT_TRIED, -1, "not answered");
	c.close = 0;
	says(STEP_PING, STEP_WARNING, -1, "3 of 3 pings had no answer");
	c.limits.rtt = 12;
	says(STEP_PING, STEP_WARNING, -1, "3 of 3 pings had no answer; so the "
	    "round trip time is not known");
	c.pongs = 3;
	c.least = 1009;
	c.mean = 12000;
	c.most = 123456;
	says(STEP_PING, STEP_OK, 12000, "on average; 3 of 3 answered, the "
	    "fastest in 1.00 ms, the slowest in 123.45 ms");
	c.mean = 12345;
	says(STEP_PING, STEP_WARNING, 12345,
	    "a ping takes 12.3ms, more than 12ms");
	c.limits.rtt = 0;
	c.pongs = 1;
	says(STEP_PING, STEP_WARNING, 12345, "2 of 3 pings had no answer");
}

static void
test_tunnel(void)
{
	fresh();
	says(STEP_MESSAGE, STEP_NOT_TRIED, -1, "");
	says(STEP_TARGET, STEP_NOT_TRIED, -1, "");
	says(STEP_RESUME, STEP_NOT_TRIED, -1, "");
	c.message = MESSAGE_AT_ONCE;
	c.message_us = 5;
	says(STEP_MESSAGE, STEP_OK, 5,
	    "a small message comes through at once (seen by pings)");
	c.message_is_line = 1;
	says(STEP_MESSAGE, STEP_OK, 5, "a small message comes through at once");
	c.message = MESSAGE_HELD;
	says(STEP_MESSAGE, STEP_WARNING, 5, "a small message comes through "
	    "only when more comes behind it: something between collects bytes");
	c.message = MESSAGE_LATE;
	says(STEP_MESSAGE, STEP_WARNING, 5, "a small message is late: the "
	    "handshake, or one with more behind it, comes through sooner; "
	    "something between collects bytes for a while");
	c.message = MESSAGE_LOST;
	c.message_us = -1;
	says(STEP_MESSAGE, STEP_WARNING, -1, "a small message has no answer");
	c.pings = 1;
	says(STEP_TARGET, STEP_NOT_TRIED, -1,
	    "not known: the peer tells nothing of its target");
	says(STEP_RESUME, STEP_NOT_TRIED, -1, "not asked for (--test-resume)");
	says(STEP_IDLE, STEP_NOT_TRIED, -1, "not asked for (--proxy-idle)");
	c.target = TARGET_REACHED;
	says(STEP_TARGET, STEP_OK, -1, "reached");
	strlcpy(c.banner, "SSH-2.0", sizeof(c.banner));
	c.close = 1001;
	says(STEP_TARGET, STEP_OK, -1, "reached, it says \"SSH-2.0\"; the far "
	    "side ended the websocket, code 1001");
	strlcpy(c.reason, "by\n", sizeof(c.reason));
	c.target = TARGET_ENDED;
	says(STEP_TARGET, STEP_WARNING, -1, "the connection ended without a "
	    "byte; the far side ended the websocket, code 1001: by\\n");
	c.extension = EXTENSION_AGREED;
	says(STEP_TARGET, STEP_WARNING, -1, "the server has connected to it, "
	    "but it ended the connection without a byte; the far side ended "
	    "the websocket, code 1001: by\\n");
	c.target = TARGET_DEAD;
	c.close = 0;
	says(STEP_TARGET, STEP_NOT_TRIED, -1, "");
	c.resumed = RESUME_WENT_ON;
	c.resumed_us = 0;
	says(STEP_RESUME, STEP_OK, 0, "the websocket was cut, and the session "
	    "went on over a new one");
	c.resumed = RESUME_LATE;
	c.requests = 3;
	says(STEP_RESUME, STEP_WARNING, 0, "the websocket was cut, and only "
	    "request 3 found the session: the others went to another instance");
	c.resumed = RESUME_NONE;
	says(STEP_RESUME, STEP_WARNING, -1,
	    "there is no session: a lost websocket is the end");
	c.resumed = RESUME_ENDED;
	says(STEP_RESUME, STEP_NOT_TRIED, -1, "");
	/* stopped before: nothing was asked */
	check_stop(&c, 15, -1);
	c.stopped_at = CHECK_STEPS;
	c.target = TARGET_NOT_KNOWN;
	c.resumed = RESUME_NOT_ASKED;
	says(STEP_TARGET, STEP_NOT_TRIED, -1, "");
	says(STEP_RESUME, STEP_NOT_TRIED, -1, "");
	says(STEP_IDLE, STEP_NOT_TRIED, -1, "");
}

static void
test_idle(void)
{
	fresh();
	c.idle = IDLE_LIVES;
	c.idle_lived = 300000;
	says(STEP_IDLE, STEP_OK, -1, "lives for 5m00s at least; the default "
	    "--ping-interval will do");
	c.idle_pings = 2;
	says(STEP_IDLE, STEP_OK, -1, "lives for 5m00s at least; the peer sent "
	    "2 pings: to measure the path, switch them off there; the default "
	    "--ping-interval will do");
	c.idle_pings = 0;
	c.idle = IDLE_CUT;
	c.idle_end = 12000;
	says(STEP_IDLE, STEP_WARNING, -1, "cut off by the path after 12.0s");
	c.idle_end = 60000;
	says(STEP_IDLE, STEP_OK, -1, "cut off by the path after 1m00s; the "
	    "default --ping-interval will do");
	c.idle = IDLE_SILENT;
	c.idle_lived = 12000;
	says(STEP_IDLE, STEP_WARNING, -1, "no answer after 1m00s; the longest "
	    "idle time with an answer: 12.0s");
	c.idle_lived = 0;
	c.idle_end = 24000;
	says(STEP_IDLE, STEP_WARNING, -1, "no answer after 24.0s; the longest "
	    "idle time with an answer: none");
	c.idle = IDLE_ENDED;
	says(STEP_IDLE, STEP_OK, -1, "the peer ended it after 24.0s; this does "
	    "not measure the path");
}

static void
interval(enum check_idle idle, int64_t end, int64_t want)
{
	fresh();
	c.idle = idle;
	c.idle_end = end;
	is(check_ping_interval(&c), want, "an interval");
}

static void
test_intervals(void)
{
	interval(IDLE_CUT, 59999, 24000);	/* 24,995 */
	interval(IDLE_CUT, 60000, 0);		/* 25,000, the default */
	interval(IDLE_CUT, 4800, 2000);
	interval(IDLE_CUT, 4848, 2000);		/* 2,020: whole seconds */
	interval(IDLE_CUT, 4790, 1995);		/* not below two */
	interval(IDLE_CUT, 2412, 1005);
	interval(IDLE_CUT, 2399, 1000);
	interval(IDLE_LIVES, 10000, 0);
}

/* The shown result for a person. */
static void
test_result(void)
{
	struct check_limits none = { 0, 0 };

	fresh();
	strlcpy(c.again, "wss://h/", sizeof(c.again));
	check_judge(&c, &none, NOW);
	check_result(&o, &c, 1);
	is_str(buf, "\033[32mall is well\033[0m\nnext:\n  use it: inetws "
	    "client -l 127.0.0.1:PORT wss://h/\n", "all is well");
	fresh();
	c.subprotocol_offered = "a";
	c.extension = EXTENSION_STRIPPED;
	check_judge(&c, &none, NOW);
	check_result(&o, &c, 0);
	ok(strncmp(buf, "warning: the peer is inetws, but something", 42) == 0 &&
	    strstr(buf, "\nwarning: a was offered, but") != NULL &&
	    strstr(buf, "all is well") == NULL, "warnings");
	fresh();
	error_set(&c.why, EXIT_DENIED, "no");
	c.failed_at = STEP_TLS;
	check_judge(&c, &none, NOW);
	check_result(&o, &c, 0);
	ok(strncmp(buf, "failed: no\nnext:\n  ", 19) == 0, "a failure");
	fresh();
	check_stop(&c, 1, -1);
	is_str(check_why(&c, buf, sizeof(buf)), "stopped by HUP: interrupted",
	    "HUP");
}

static void
test_use(void)
{
	char use[CHECK_USE_MAX];

	fresh();
	check_advise_use(&c, use, sizeof(use));
	is_str(use, "use it: inetws client -l 127.0.0.1:PORT, with the options "
	    "and the URL of this check", "no command");
	strlcpy(c.again, "-u 50%x 'wss://h/a%20b'", sizeof(c.again));
	check_advise_use(&c, use, sizeof(use));
	is_str(use, "use it: inetws client -l 127.0.0.1:PORT -u 50%x "
	    "'wss://h/a%20b'", "a command");
	strlcpy(c.banner, "SSH-2.0-x", sizeof(c.banner));
	strlcpy(c.left_out, "--user", sizeof(c.left_out));
	check_advise_use(&c, use, sizeof(use));
	is_str(use, "use it: ssh -o ProxyCommand='inetws connect -u 50%%x "
	    "'\\''wss://h/a%%20b'\\''' USER@HOST # and, not shown here: "
	    "--user", "for ssh");
	memset(c.again, '%', sizeof(c.again) - 1);
	check_advise_use(&c, use, sizeof(use));
	ok(strstr(use, "' USER@HOST") != NULL, "a long one");
}

static void
test_json(void)
{
	struct check_limits none = { 0, 0 };

	fresh();
	check_judge(&c, &none, NOW);
	check_json(&o, &c, NOW);
	ok(strstr(buf, "{\"url\":\"wss://h/\",\"result\":\"ok\",\"status\":0,"
	    "\"why\":null,\"warnings\":[],\"ms\":{\"resolve\":null,\"connect\":"
	    "null,\"proxy\":null,\"tls\":null,\"upgrade\":null},\"addresses\":"
	    "[],\"connects\":[],\"peer\":null,\"proxy\":null,\"tls\":null,"
	    "\"http_status\":0,\"inetws\":false,\"answered_by\":null,"
	    "\"answered_by_name\":null,\"title\":null,\"extension\":null,"
	    "\"redirected_to\":null,\"id\":null,\"peer_id\":null,"
	    "\"subprotocol\":null,\"server\":null,\"via\":null,\"ping\":{"
	    "\"sent\":0,\"answered\":0,\"least_ms\":null,\"mean_ms\":null,"
	    "\"most_ms\":null},\"close\":null,\"reason\":null,\"message\":null,"
	    "\"target\":null,\"target_says\":null,\"test_resume\":null,"
	    "\"idle\":null,\"steps\":[{\"step\":\"name\",\"state\":\"not "
	    "tried\",\"ms\":null,\"text\":null,\"advice\":null},") == buf,
	    "of nothing");
	fresh();
	c.find = 1001;
	c.connect = 2;
	c.tunnel = 3000;
	c.tls = 4000;
	c.upgrade = 0;
	address(0, "a", 5, "x");
	address(1, "b", -1, "y");
	strlcpy(c.cert.version, "V", sizeof(c.cert.version));
	c.cert.known = c.cert.verified = 1;
	c.cert.n = 2;
	c.cert.chain[0].not_after = c.cert.chain[1].not_after = NOW + 3 * DAY;
	c.http_status = 101;
	c.who = WHO_CDN;
	c.extension = EXTENSION_AGREED;
	c.window = 9;
	c.pings = 3;
	c.pongs = 2;
	c.least = 1;
	c.mean = 2000;
	c.most = 3000;
	c.close = 1001;
	c.message = MESSAGE_HELD;
	c.target = TARGET_ENDED;
	c.resumed = RESUME_LATE;
	c.idle = IDLE_SILENT;
	c.idle_limit = 30000;
	c.idle_end = 24000;
	check_judge(&c, &none, NOW);
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"ms\":{\"resolve\":1.001,\"connect\":0.002,\"proxy\":"
	    "3.000,\"tls\":4.000,\"upgrade\":0.000},\"addresses\":[\"a\","
	    "\"b\"],\"connects\":[{\"address\":\"a\",\"ms\":0.005,\"why\":null},"
	    "{\"address\":\"b\",\"ms\":null,\"why\":\"y\"}],") != NULL, "times");
	ok(strstr(buf, "\"tls\":{\"verified\":true,\"version\":\"V\",") != NULL &&
	    strstr(buf, ",\"days\":3,\"chain\":[\"\",\"\"]}") != NULL,
	    "a certificate");
	ok(strstr(buf, "\"inetws\":true,\"answered_by\":\"cdn\"") != NULL &&
	    strstr(buf, "\"extension\":\"agreed\"") != NULL &&
	    strstr(buf, "\"window\":9,\"resume\":false,") != NULL, "a peer");
	ok(strstr(buf, "\"ping\":{\"sent\":3,\"answered\":2,\"least_ms\":0.001,"
	    "\"mean_ms\":2.000,\"most_ms\":3.000},\"close\":1001,") != NULL,
	    "pings");
	ok(strstr(buf, "\"message\":\"held\",\"target\":\"ended\",") != NULL &&
	    strstr(buf, "\"test_resume\":\"late\",\"idle\":{\"end\":\"silent\","
	    "\"limit_ms\":30000,\"lived_ms\":0,\"end_ms\":24000,"
	    "\"peer_pings\":0,\"ping_interval_ms\":5000}") != NULL, "a tunnel");
	c.extension = EXTENSION_STRIPPED;
	c.resumed = RESUME_ENDED;
	c.idle_end = 600000;
	out_begin(&o, buf, sizeof(buf));
	check_json(&o, &c, NOW);
	ok(strstr(buf, "\"inetws\":true,") != NULL && strstr(buf,
	    "\"window\":9") == NULL && strstr(buf,
	    "\"ping_interval_ms\":null}") != NULL && strstr(buf,
	    "\"test_resume\":\"ended\"") != NULL, "what is not agreed");
}

static void
test_nagios(void)
{
	struct check_limits limits = { 0, 0 };

	fresh();
	check_judge(&c, &limits, NOW);
	check_nagios(&o, &c, &limits, NOW);
	is_str(buf, "INETWS OK - wss://h/ |\n", "nothing was measured");
	c.find = 1;
	c.connect = 20;
	c.upgrade = 300;
	c.pings = c.pongs = 1;
	c.mean = 7;
	c.cert.known = 1;
	c.cert.n = 1;
	c.cert.chain[0].not_after = NOW + 3 * DAY;
	out_begin(&o, buf, sizeof(buf));
	check_judge(&c, &limits, NOW);
	check_nagios(&o, &c, &limits, NOW);
	is_str(buf, "INETWS OK - wss://h/ | time=321us rtt=7us expiry=3\n",
	    "times");
	c.tunnel = 4000;
	c.tls = 50000;
	c.is_tls = 1;
	c.mean = 7001;
	limits = (struct check_limits){ 4, 7 };
	out_begin(&o, buf, sizeof(buf));
	check_judge(&c, &limits, NOW);
	check_nagios(&o, &c, &limits, NOW);
	is_str(buf, "INETWS WARNING - certificate  expires in 3 days, limit 4; "
	    "a ping takes 7.0ms, more than 7ms | time=54321us rtt=7001us;7000 "
	    "expiry=3;4:\n", "and limits");
}

/* What an answer with these fields and this body is from. */
static void
from(const char *fields, const char *body, enum check_who who,
    const char *name)
{
	struct http_parser_state p;
	struct http_head head;
	struct websocket w = { .head = &head };
	char text[1000], err[100];
	int status;

	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n", fields);
	http_begin(&p, 1);
	if (http_parse(&p, text, strlen(text), &head, &status, err,
	    sizeof(err)) <= 0)
		ok(0, "%s: %s", fields, err);
	w.early = body;
	w.early_len = strlen(body);
	check_who(&c, &w);
	is(c.who, who, "who it is from");
	is_str(c.who_name, name, "its name");
}

static void
test_who(void)
{
	static const char page[] = "Content-Type: text/html\r\n";
	struct websocket none = { .head = NULL };
	char text[200];

	fresh();
	check_who(&c, &none);
	is(c.who, WHO_UNKNOWN, "no answer");
	from("200 OK", "", WHO_UNKNOWN, "");
	from("200 OK\r\nserver: NGINX/1.2", "", WHO_SERVER, "nginx");
	fresh();
	from("403 No\r\nCF-RAY: 1\r\nServer: x", "", WHO_CDN, "Cloudflare");
	fresh();
	from("403 No\r\nVia: 1.1 Caddy", "", WHO_SERVER, "Caddy");
	fresh();
	strlcpy(c.server, "own/1", sizeof(c.server));
	from("403 No\r\nServer: own/1", "", WHO_SERVER, "own/1");
	fresh();
	from("503 No", "<html><body><h1>503 Service", WHO_SERVER, "HAProxy");
	fresh();
	from("503 No", "<html><body><h1>", WHO_SERVER, "HAProxy");
	fresh();
	from("503 No", "<html><body><h1", WHO_UNKNOWN, "");
	fresh();
	from("503 No\r\nServer: x", "<html><body><h1>", WHO_UNKNOWN, "");
	fresh();
	from("403 No\r\nContent-Type: text/plain", "not you\n", WHO_INETWS, "");
	fresh();
	from("403 No\r\nContent-Type: text/plain", "\n", WHO_UNKNOWN, "");
	fresh();
	from("403 No\r\nContent-Type: text/plain", "a\nb\n", WHO_UNKNOWN, "");
	fresh();
	from("403 No\r\nContent-Type: text/plain", "a", WHO_UNKNOWN, "");
	fresh();
	from("403 No\r\nContent-Type: text/plain\r\nServer: envoy", "a\n",
	    WHO_SERVER, "Envoy");
	fresh();
	from("101 Yes\r\nContent-Type: text/plain\r\nServer: nginx", "a\n",
	    WHO_SERVER, "nginx");
	fresh();
	snprintf(text, sizeof(text), "200 OK\r\n%sServer: nginx", page);
	from(text, "<title> Hi \"you\" </title> please LOG IN", WHO_LOGIN,
	    "nginx");
	is_str(c.title, "Hi \\x22you\\x22", "its title");
	fresh();
	strlcpy(c.at, "https://h/saml", sizeof(c.at));
	from(text, "hello", WHO_LOGIN, "nginx");
	fresh();
	from(text, "hello", WHO_SERVER, "nginx");
	fresh();
	from("200 OK\r\nContent-Type: text/css", "login", WHO_UNKNOWN, "");
	fresh();
	snprintf(text, sizeof(text), "500 No\r\n%sX: y", page);
	from(text, "login", WHO_UNKNOWN, "");
	fresh();
	snprintf(text, sizeof(text), "499 No\r\n%sX: y", page);
	from(text, "login", WHO_LOGIN, "");
}

int
main(void)
{
	test_path();
	test_proxy();
	test_tls();
	test_answer();
	test_websocket();
	test_pings();
	test_tunnel();
	test_idle();
	test_intervals();
	test_result();
	test_use();
	test_json();
	test_nagios();
	test_who();
	return done_testing();
}
