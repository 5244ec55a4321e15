/* SPDX-License-Identifier: ISC */
/* If it fails: lines of the log are wrong, forged or missing. */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/log.h"
#include "os/log_output.h"
#include "seen.h"
#include "tap.h"

/* The same without the timestamp, whose form is checked. */
static const char *
stamped(void)
{
	const char *line = seen(), *form = "ts=dddd-dd-ddTdd:dd:dd.dddZ ";
	size_t i;

	for (i = 0; form[i] != '\0'; i++)
		if (form[i] == 'd' ? line[i] < '0' || line[i] > '9' :
		    line[i] != form[i])
			return "no timestamp";
	return line + i;
}

static void
test_values(void)
{
	struct log_line l;

	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_event(LOG_L_INFO, "closed", "peer", "127.0.0.1:5000", NULL);
	is_str(stamped(), "level=info event=closed peer=127.0.0.1:5000\n",
	    "a plain line");
	log_event(LOG_L_INFO, "websocket-lost", "id", "x", NULL);
	is_str(stamped(), "level=info event=websocket-lost id=x\n",
	    "an event of several words is quoted");
	log_event(LOG_L_ERROR, "x", "a", "", "none", NULL, "b", "two words",
	    "c", "k=v", NULL);
	is_str(stamped(), "level=error event=x a=\"\" b=\"two words\" "
	    "c=\"k=v\"\n", "quotes where needed, NULL left out");
	log_event(LOG_L_WARN, "x", "a", "l1\nlevel=info", NULL);
	is_str(stamped(), "level=warn event=x a=\"l1\\nlevel=info\"\n",
	    "a newline cannot make a line");
	log_begin(&l, LOG_L_INFO, "x");
	log_bytes(&l, "b", "\"\0\xff", 3);
	log_num(&l, "n", -5);
	log_seconds(&l, "t", 61007);
	log_str(&l, "s", NULL);
	log_end(&l);
	is_str(stamped(), "level=info event=x b=\"\\x22\\x00\\xff\" n=-5 "
	    "t=61.007\n", "bytes and numbers");
}

/* A sentence of ours, in which text from peers is escaped already. */
static void
test_why(void)
{
	char big[1000];
	struct log_line l;

	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_begin(&l, LOG_L_INFO, "x");
	log_why(&l, "why", "no such path: \\x01\"\n\xff");
	log_end(&l);
	is_str(stamped(), "level=info event=x why=\"no such path: "
	    "\\x01'\\n\\xff\"\n", "it is not escaped twice");
	log_begin(&l, LOG_L_INFO, "x");
	log_why(&l, "why", "cut \\x5");
	log_why(&l, "why", "cut \\");
	log_str(&l, "key", "value");
	log_end(&l);
	is_str(stamped(), "level=info event=x why=\"cut \\x5cx5\" "
	    "why=\"cut \\x5c\" key=value\n",
	    "half an escape does not take the quote along");
	memset(big, '\xff', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_begin(&l, LOG_L_INFO, "x");
	log_why(&l, "why", big);
	log_end(&l);
	ok(strstr(seen(), "\\xff...\"\n") != NULL, "and cut if it is long");
}

/* Escapes of a peer's text stay as they are, and only those. */
static void
test_escapes(void)
{
	struct log_line l;
	char text[LOG_VALUE_MAX + 20], want[LOG_VALUE_MAX + 60];
	int i;

	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_begin(&l, LOG_L_INFO, "x");
	log_why(&l, "why", "\\n\\r\\t\\x41\\a\\xg1\\x1g");
	log_end(&l);
	is_str(stamped(), "level=info event=x why=\"\\n\\r\\t\\x41\\x5ca"
	    "\\x5cxg1\\x5cx1g\"\n", "an escape is not escaped again");
	for (i = LOG_VALUE_MAX - 12; i <= LOG_VALUE_MAX; i++) {
		memset(text, 'a', sizeof(text));
		text[i] = '\0';
		log_begin(&l, LOG_L_INFO, "x");
		log_why(&l, "why", text);
		log_end(&l);
		if (i <= LOG_VALUE_MAX - 7)
			snprintf(want, sizeof(want),
			    "level=info event=x why=%s\n", text);
		else
			snprintf(want, sizeof(want), "level=info event=x "
			    "why=%.*s...\n", LOG_VALUE_MAX - 7, text);
		is_str(stamped(), want, "a text that is nearly too long");
	}
	log_begin(&l, LOG_L_INFO, "x");
	log_seconds(&l, "t", -5);
	log_seconds(&l, "u", 0);
	log_seconds(&l, "v", 1);
	log_seconds(&l, "w", 1000);
	log_end(&l);
	is_str(stamped(), "level=info event=x t=0.000 u=0.000 v=0.001 "
	    "w=1.000\n", "no time is negative");
}

static void
test_levels(void)
{
	struct log_line l;

	log_open(LOG_TO_STDERR, LOG_L_WARN, NULL);
	ok(!log_wants(LOG_L_INFO) && log_wants(LOG_L_WARN), "levels");
	log_event(LOG_L_INFO, "x", "a", "b", NULL);
	log_begin(&l, LOG_L_DEBUG, "x");
	log_num(&l, "n", 1);
	log_end(&l);
	is_str(seen(), "", "what is not wanted is not written");
	log_open(LOG_TO_STDERR, LOG_L_DEBUG, NULL);
	log_event(LOG_L_DEBUG, "two words", NULL);
	is_str(stamped(), "level=debug event=\"two words\"\n",
	    "an event of two words");
	log_open(LOG_TO_NOWHERE, LOG_L_DEBUG, NULL);
	ok(!log_wants(LOG_L_ERROR) && !log_is_elsewhere(), "nor elsewhere");
	log_event(LOG_L_ERROR, "x", NULL);
	is_str(seen(), "", "nowhere is nowhere");
}

static void
test_cut(void)
{
	char big[3000], key[16];
	struct log_line l;
	const char *line;
	int i;

	memset(big, 'a', sizeof(big));
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_begin(&l, LOG_L_INFO, "x");
	log_bytes(&l, "big", big, sizeof(big));
	log_str(&l, "after", "it");
	log_end(&l);
	line = seen();
	ok(strstr(line, "aaa... after=it\n") != NULL,
	    "a long value is cut, what follows is not");

	log_begin(&l, LOG_L_INFO, "x");
	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		log_bytes(&l, key, big, 350);
	}
	log_end(&l);
	line = seen();
	ok(strlen(line) < LOG_LINE_MAX && strstr(line, "k4=") != NULL &&
	    strstr(line, "k19=") == NULL, "a long line ends in time");
	ok(strlen(line) > 7 && strcmp(line + strlen(line) - 7, " cut=1\n") == 0,
	    "and says that it was cut");
}

static void
test_journal(void)
{
	char id[64];
	struct stat st;

	fstat(STDERR_FILENO, &st);
	snprintf(id, sizeof(id), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", id, 1);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_event(LOG_L_ERROR, "x", "a", "b", NULL);
	is_str(seen(), "<3>event=x a=b\n", "under the journal");
	log_style(LOG_JSON, 0);
	log_event(LOG_L_INFO, "x", "a", "b", NULL);
	is_str(seen(), "<6>{\"event\":\"x\",\"a\":\"b\"}\n", "... JSON");
	log_style(LOG_TEXT, 0);
	log_event(LOG_L_INFO, "x", "a", "b", NULL);
	is_str(seen(), "<6>x: a b\n", "... text");
	log_style(LOG_LOGFMT, 0);
	strlcat(id, "x", sizeof(id));
	setenv("JOURNAL_STREAM", id, 1);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_event(LOG_L_INFO, "x", NULL);
	is_str(stamped(), "level=info event=x\n", "what is no number of one");
	snprintf(id, sizeof(id), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino + 1);
	setenv("JOURNAL_STREAM", id, 1);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_event(LOG_L_INFO, "x", NULL);
	is_str(stamped(), "level=info event=x\n", "another socket of it");
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_event(LOG_L_INFO, "x", NULL);
	is_str(stamped(), "level=info event=x\n", "another's journal");
	unsetenv("JOURNAL_STREAM");
}

static void
test_text(void)
{
	struct log_line l;

	log_style(LOG_TEXT, 0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_begin(&l, LOG_L_INFO, "closed");
	log_str(&l, "peer", "1.2.3.4:5");
	log_num(&l, "up", 7);
	log_str(&l, "why", "a, b");
	log_str(&l, "empty", "");
	log_seconds(&l, "seconds", 1500);
	log_end(&l);
	is_str(strchr(seen(), ' '), " info closed: peer 1.2.3.4:5, up 7, "
	    "why \"a, b\", empty \"\", seconds 1.500\n", "text");
	log_event(LOG_L_ERROR, "x", NULL);
	is_str(strchr(seen(), ' '), " error x\n", "without values");
	log_style(LOG_LOGFMT, 0);
}

static void
test_json(void)
{
	char big[3000], key[16];
	const char *line;
	struct log_line l;
	int i;

	log_style(LOG_JSON, 0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	ok(log_owns_stderr(), "every line is an object");
	log_begin(&l, LOG_L_WARN, "x");
	log_bytes(&l, "b", "\"\0\\\n", 4);
	log_num(&l, "n", -5);
	log_seconds(&l, "t", 61007);
	log_end(&l);
	line = seen();
	ok(strncmp(line, "{\"ts\":\"", 7) == 0 && strstr(line, "Z\",\"level\":"
	    "\"warn\",\"event\":\"x\",\"b\":\"\\\\x22\\\\x00\\\\x5c"
	    "\\\\n\",\"n\":-5,\"t\":61.007}\n") != NULL, "JSON");
	memset(big, '\\', sizeof(big));
	log_begin(&l, LOG_L_INFO, "x");
	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		log_bytes(&l, key, big, sizeof(big));
	}
	log_end(&l);
	line = seen();
	ok(strlen(line) > 10 && strcmp(line + strlen(line) - 10,
	    ",\"cut\":1}\n") == 0, "cut, it still is an object");
	log_style(LOG_LOGFMT, 0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	ok(!log_owns_stderr(), "logfmt may be mixed with other lines");
}

/* Standard error must not learn what goes to syslog. */
static void
test_syslog(void)
{
	log_open(LOG_TO_SYSLOG, LOG_L_INFO, "inetws");
	log_event(LOG_L_INFO, "x", "a", "b", NULL);
	is_str(seen(), "", "syslog is not standard error");
	ok(log_is_elsewhere() && !log_owns_stderr() && !log_is_for_person(),
	    "it is elsewhere");
}

static void
test_full(void)
{
	char buf[4096], want[64];
	const char *line;
	int i, lines = 0;
	ssize_t n;

	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	log_output_lost();	/* to syslog, before */
	errno = ENOENT;
	for (i = 0; i < 5000; i++)
		log_event(LOG_L_INFO, "x", "a", "b", NULL);
	is(errno, ENOENT, "a full pipe does not block, and errno is kept");
	while ((n = read(seen_reader, buf, sizeof(buf))) > 0)
		for (; n > 0; n--)
			lines += buf[n - 1] == '\n';
	log_event(LOG_L_INFO, "y", "a", "b", NULL);
	snprintf(want, sizeof(want), "event=log-lost lines=%d\n",
	    5000 - lines);
	line = seen();
	ok(lines < 5000 && strstr(line, "event=y a=b\n") != NULL &&
	    strstr(line, want) != NULL, "what was lost is reported: %s", line);
	log_event(LOG_L_INFO, "z", "a", "b", NULL);
	ok(strstr(seen(), "log-lost") == NULL, "once");
}

static int64_t
full_for(void)
{
	char buf[4096];
	int64_t begin;

	while (read(seen_reader, buf, sizeof(buf)) > 0)
		;
	log_event(LOG_L_INFO, "room", NULL);
	begin = clock_ms();
	while (log_output_lost() == 0)
		log_event(LOG_L_INFO, "x", "a", "b", NULL);
	return clock_ms() - begin;
}

/* With a scripted clock it would not show: poll(2) is the wait. */
static void
test_supervisor(void)
{
	int64_t best = INT64_MAX, took;
	pid_t pid;
	int i, status = -1;

	log_share();
	for (i = 0; i < 5; i++)
		best = (took = full_for()) < best ? took : best;
	ok(best < 200, "a supervisor never waits for room (%d ms)", (int)best);
	if ((pid = fork()) == 0) {
		log_wait();
		_exit(full_for() >= 250 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "a child of it waits for a moment");
}

/* A person at a terminal gets hints, a program that reads them does not. */
static void
test_person(void)
{
	int kept = dup(STDERR_FILENO), master, slave = -1;

	ok(!log_is_for_person(), "a pipe is no person");
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master == -1 || grantpt(master) == -1 || unlockpt(master) == -1 ||
	    (slave = open(ptsname(master), O_RDWR | O_NOCTTY)) == -1)
		abort();
	dup2(slave, STDERR_FILENO);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	ok(log_is_for_person() && !log_is_elsewhere(), "a terminal is one");
	log_style(LOG_JSON, 0);
	ok(!log_is_for_person(), "JSON is for none");
	log_style(LOG_LOGFMT, 0);
	log_open(LOG_TO_SYSLOG, LOG_L_INFO, NULL);
	ok(!log_is_for_person(), "nor is syslog");
	dup2(kept, STDERR_FILENO);
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	close(kept);
	close(master);
	close(slave);
}

int
main(void)
{
	seen_begin();
	test_values();
	test_why();
	test_escapes();
	test_person();
	test_levels();
	test_cut();
	test_text();
	test_json();
	test_journal();
	test_syslog();
	test_full();
	test_supervisor();
	return done_testing();
}
