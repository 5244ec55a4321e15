/* SPDX-License-Identifier: ISC */
/*
 * What a person at a terminal is told of a lost connection.
 *
 * If it fails: a terminal hangs and nobody says why, or each short loss
 * scribbles over the screen.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "connection/notice.h"
#include "os/clock.h"
#include "os/log.h"
#include "tap.h"
#include "today.h"

static int master;
static struct connection c;
static struct options o;

static const char *
shown(void)
{
	static char text[500];
	ssize_t n = read(master, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
open_terminal(void)
{
	int slave;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) == -1)
		abort();
	dup2(slave, STDERR_FILENO);
	log_open(LOG_TO_STDERR, LOG_L_WARN, NULL);
}

static void
test_read(void)
{
	o.mode = MODE_CONNECT;
	ok(!notice_is_read(&c), "a pipe has no reader");
	notice_plan(&c, today);
	is(c.notice_at, CLOCK_NEVER, "nothing is planned");
	open_terminal();
	ok(notice_is_read(&c), "a terminal has");
	o.mode = MODE_CLIENT;
	ok(!notice_is_read(&c), "that of a service is its log");
	o.mode = MODE_CONNECT;
	log_open(LOG_TO_STDERR, LOG_L_ERROR, NULL);
	ok(!notice_is_read(&c), "nor where only errors are wanted");
	log_open(LOG_TO_STDERR, LOG_L_WARN, NULL);
}

static void
test_loss(void)
{
	char err[100];

	url_parse(&o.url, "wss://example.org/a", err, sizeof(err));
	o.timeouts.ping = 50000;
	o.timeouts.resume = 120000;
	c.lost_at = today;
	c.give_up = today + 120000;
	notice_plan(&c, today);
	is(c.notice_at, today + 3000, "a short loss is no news");
	notice_resumed(&c);
	is_str(shown(), "", "and nothing is said of it");
	is(c.notice_at, CLOCK_NEVER, "or planned");
	notice_plan(&c, today);
	today += 3000;
	notice_lost(&c);
	is_str(shown(), "\rinetws: connection to example.org lost, resuming, "
	    "1 min 57 s left\r\r\n", "a longer one is");
	is(c.notice_at, CLOCK_NEVER, "once");
	notice_plan(&c, today);
	is(c.notice_at, CLOCK_NEVER, "another loss is part of it");
	today += 2000;
	notice_resumed(&c);
	is_str(shown(), "\rinetws: connection to example.org resumed after 5 s"
	    "\r\r\n", "and its end");
	notice_resumed(&c);
	is_str(shown(), "", "once, too");
}

static void
test_doubt(void)
{
	c.give_up = CLOCK_NEVER;
	c.relay.tunnel.received_at = today - 10000;
	c.doubted_at = today - 4000;
	notice_lost(&c);
	is_str(shown(), "\rinetws: connection to example.org lost, resuming, "
	    "2 min 40 s left\r\r\n", "in doubt: as long as it can take");
	notice_trusted(&c);
	is_str(shown(), "\rinetws: connection to example.org is back after 4 s"
	    "\r\r\n", "it is back");
	c.give_up = today - 5000;
	notice_lost(&c);
	ok(strstr(shown(), ", 0 s left") != NULL, "no time is negative");
}

int
main(void)
{
	c.o = &o;
	test_read();
	test_loss();
	test_doubt();
	return done_testing();
}
