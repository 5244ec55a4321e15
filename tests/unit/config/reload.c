/* SPDX-License-Identifier: ISC */
/*
 * HUP: the command line is parsed again, with its files as they are now.
 *
 * If it fails: an instance goes on with options that nobody wrote, or takes one
 * that it cannot change.
 */
#include "config/fixture.h"

static int nchecked, refuses;

static int
check(const struct options *new, struct error *reason)
{
	nchecked++;
	return refuses ? error_set(reason, EXIT_BADUSAGE, "--linger %s: no",
	    "2") : 0;
}

/* Begins with this file, and reads another one. */
static int
reload(const char *before, const char *after)
{
	char name[100], text[200];
	FILE *f;

	strlcpy(name, file(before), sizeof(name));
	snprintf(text, sizeof(text), "inetws -K %s", name);
	if (!runs(text))
		return -2;
	f = fopen(name, "w");
	fputs(after, f);
	fclose(f);
	nchecked = 0;
	return options_reload(&o, check, &why);
}

static void
refused_as(const char *before, const char *after, const char *says)
{
	is(reload(before, after), -1, "refused");
	is_str(why.text, says, "with this");
	is(why.status, EXIT_BADCONFIG, "as a fault of the file");
}

static void
test_reload(void)
{
	is(reload("mode server\ntarget h:1\nlinger 1\n",
	    "mode server\ntarget h:2\nlinger 2\nlog-level warn\n"), 1, "renewed");
	ok(o.target.port == 2 && o.timeouts.linger == 2000 &&
	    o.log.level == LOG_CHOICE_WARN, "all that can be");
	is(nchecked, 1, "and checked");
	is(reload("mode server\ntarget h:1\n",
	    "mode server\ntarget h:1\n"), 0, "nothing has changed");
	is(reload("mode server\ntarget h:1\nlisten 80\ntls-cert x\n",
	    "mode server\ntarget h:1\ntls-cert x\nlisten = 80\n"), 0,
	    "or only its spelling");
}

/* What --dump-config does not show. */
static void
test_secrets(void)
{
	static const char *const row[][2] = {
		{ "url ws://h/x?a", "url ws://h/x?b" },
		{ "url ws://a:b@h/", "url ws://a:c@h/" },
		{ "user a:b", "user a:c" },
		{ "header Authorization: b", "header Authorization: c" },
		{ "proxy http://a:b@p:1", "proxy http://a:c@p:1" },
		{ "proxy-user a:b", "proxy-user a:c" },
		{ "proxy-header A: b", "proxy-header A: c" },
	};
	char before[200], after[200];
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		snprintf(before, sizeof(before), "mode client\n%s%s\n%s\n",
		    i < 2 ? "" : "url ws://h/\n", i > 4 ? "proxy http://p:1" :
		    "", row[i][0]);
		snprintf(after, sizeof(after), "mode client\n%s%s\n%s\n",
		    i < 2 ? "" : "url ws://h/\n", i > 4 ? "proxy http://p:1" :
		    "", row[i][1]);
		is(reload(before, before), 0, row[i][0]);
		is(reload(before, after), 1, "another secret");
	}
}

static void
test_fixed(void)
{
	char text[300], name[100];

	refused_as("mode server\ntarget h:1\nlisten 80\n",
	    "mode server\ntarget h:1\nlisten 81\n",
	    "listen has changed, which needs a restart");
	is(o.listen[0].port, 80, "the old options stay");
	is(nchecked, 0, "nothing else is asked");
	is(reload("mode server\ntarget h:1\nlinger 1\n",
	    "mode server\ntarget h:1\nlinger x\n"), -1, "a fault");
	ok(strstr(why.text, ":3: linger: 'x' is not a duration") != NULL,
	    "%s", why.text);
	is(o.timeouts.linger, 1000, "the old options stay");
	refuses = 1;
	is(reload("mode server\ntarget h:1\nlinger 1\n",
	    "mode server\ntarget h:1\nlinger 2\n"), -1, "what the mode refuses");
	refuses = 0;
	strlcpy(name, o.argv[2], sizeof(name));
	snprintf(text, sizeof(text), "%s:3: linger 2: no", name);
	is_str(why.text, text, "names its line");
	is(why.status, EXIT_BADCONFIG, "as a fault of the file");
	is(o.timeouts.linger, 1000, "the old options stay");
	is(reload("mode server\ntarget h:1\n", "mode status\n"), -1,
	    "another mode");
	is(options_reload(&o, NULL, &why), -1, "... needs a restart");
}

/* What needs no file or is not said by the command line. */
static void
test_kept(void)
{
	runs("inetws server h:1");
	o.log.no_stderr = 1;
	is(options_reload(&o, NULL, &why), 0, "no file, no check");
	is(o.log.no_stderr, 1, "what main() has found out stays");
	o.argv = NULL;
	o.target.port = 7;
	is(options_reload(&o, NULL, &why), 0, "no command line");
	is(o.target.port, 7, "they stay as they are");
}

/* What a parked websocket does not have: only the supervisor and the log do. */
static void
test_parked(void)
{
	static const char *const same[] = { "queue 7", "max-waiting 7",
	    "max-parked 7", "replace", "drain 7", "max-connections 7",
	    "max-handshakes 7", "handshake-timeout 7", "metrics-path /m",
	    "health-path /h", "verbose", "quiet", "log-level warn",
	    "log-format text" };
	static const char *const new[] = { "accept-proxy", "linger 7",
	    "resume 7", "window 70k", "ping-interval 7", "auth-file /f",
	    "path /p" };
	const char *first = "mode gate\nlisten 80\nvisitors 81\n"
	    "allow-any-agent\n";
	char text[200];
	unsigned int i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\n", first, same[i]);
		ok(reload(first, text) == 0, "%s: nothing new", same[i]);
	}
	for (i = 0; i < sizeof(new) / sizeof(new[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\n", first, new[i]);
		ok(reload(first, text) == 1, "%s: is new", new[i]);
	}
	is(reload("mode agent\nurl ws://h\ntarget h:1\n",
	    "mode agent\nurl ws://h\ntarget h:1\nspare 7\nretry 7\n"), 0,
	    "an agent's number of them");
	is(reload("mode agent\nurl ws://h\ntarget h:1\n",
	    "mode agent\nurl ws://h\ntarget h:1\nsend-proxy\n"), 1,
	    "what its target is told");
}

/* Whether there is an option at all needs a restart; its value does not. */
static void
test_use(void)
{
	const struct option *row;
	int n = 0;

	for (row = option_table; row->name != NULL; row++)
		n += row->hup == HUP_FIXED_USE;
	ok(n > 0, "there are such options");
	is(reload("mode gate\nlisten 80\nvisitors 81\nagents-file /a\n",
	    "mode gate\nlisten 80\nvisitors 81\nagents-file /b\n"), 1,
	    "another file of agents");
	is(reload("mode server\ntarget h:1\nmetrics 9\n",
	    "mode server\ntarget h:1\n"), -1, "metrics that are no more");
}

int
main(void)
{
	fixture_make();
	test_reload();
	test_secrets();
	test_fixed();
	test_kept();
	test_use();
	test_parked();
	fixture_remove();
	return done_testing();
}
