/* SPDX-License-Identifier: ISC */
/*
 * Options without an effect, and those that exclude each other: each row of
 * the table in each of its modes.
 *
 * If it fails: an option is dropped in silence, or one that works is refused.
 */
#include "config/fixture.h"

/* The row's options alone, and with what it needs. */
static void
test_needs(const struct mode_row *mode, const struct option *row)
{
	const char *names = row->needs;
	const struct option *other = next_of(&names, mode);
	char command[400];

	command_for(command, sizeof(command), mode, row);
	add_option(command, sizeof(command), row);
	if (parse(command) != OPT_RUN)
		ok(0, "%s: %s", command, why.text);
	if (other == NULL || other->def != NULL)
		return;
	command_for(command, sizeof(command), mode, &(struct option){
	    .name = row->name, .excludes = row->needs });
	add_option(command, sizeof(command), row);
	refused(command, 64, line("without --%s", other->name));
}

static void
test_excludes(const struct mode_row *mode, const struct option *row)
{
	const char *names = row->excludes;
	const struct option *other;
	char command[400], says[100];

	while ((other = next_of(&names, mode)) != NULL) {
		if (other->def != NULL)
			ok(0, "%s: a default would exclude it", row->name);
		command_for(command, sizeof(command), mode, other);
		add_option(command, sizeof(command), other);
		add_option(command, sizeof(command), row);
		snprintf(says, sizeof(says), "--%s: not together with --%s",
		    row->name, other->name);
		refused(command, 64, says);
	}
}

/* Twice in one place; the command line may replace what a file has. */
static void
test_once(const struct mode_row *mode, const struct option *row)
{
	char command[400];

	command_for(command, sizeof(command), mode, row);
	add_option(command, sizeof(command), row);
	strlcat(command, line(" -K %s", file(line("%s x\n", row->name))),
	    sizeof(command));
	runs(command);
	add_option(command, sizeof(command), row);
	refused(command, 64, "is given twice");
}

static void
test_rules(void)
{
	refused("inetws server --send-proxy -- cat", 64,
	    "--send-proxy: needs a TARGET, not a PROGRAM");
	refused("inetws connect ws://h --proxy= --proxy-user a:b", 64,
	    "--proxy-user: needs a proxy, but --proxy is empty");
	refused("inetws connect ws://h -x socks5://h --proxy-header A:b", 64,
	    "--proxy-header: needs an HTTP proxy");
	refused("inetws connect ws://h -x http://h --proxy-insecure", 64,
	    "--proxy-insecure: needs an https:// proxy");
	runs("inetws connect ws://h --proxy-user a:b --proxy-insecure");
	refused("inetws connect ws://h --tls-min 1.3 --ciphers x", 64,
	    "--ciphers: needs TLS 1.2");
	refused("inetws connect ws://h --ping-timeout 25s", 64,
	    "--ping-timeout: needs a --ping-interval that is shorter");
	refused("inetws connect ws://h --ping-timeout 40s --ping-interval 1m",
	    64, "needs a --ping-interval that is shorter");
	refused("inetws connect ws://h --ping-timeout 40s --ping-interval 0",
	    64, "needs a --ping-interval that is shorter");
	runs("inetws connect ws://h --ping-timeout 0 --ping-interval 1m");
	refused("inetws gate --visitors 1 --path / --connect-timeout 1", 64,
	    "--connect-timeout: needs a TARGET to dial, or --accept-proxy");
	refused("inetws server --connect-timeout 1 -- cat", 64,
	    "--connect-timeout: needs a TARGET to dial, or --accept-proxy");
	runs("inetws server --connect-timeout 1 --accept-proxy -- cat");
	runs("inetws agent wss://h --connect-timeout 1 -4 -- cat");
	refused("inetws server -4 -- cat", 64,
	    "--ipv4: needs a TARGET that is HOST:PORT");
	refused("inetws server unix:/x --ipv6", 64,
	    "--ipv6: needs a TARGET that is HOST:PORT");
	refused("inetws connect ws://h -4 -6", 64,
	    "--ipv4: not together with --ipv6");
	runs(line("inetws -K %s -6", file("mode connect\nurl ws://h\n"
	    "ipv4\n")));
	runs("inetws connect ws://h --ipv4=no -6");
	runs(line("inetws -K %s", file("mode connect\nurl ws://h\nipv4\n"
	    "ipv6 no\n")));
	refused("inetws server h:1 --resume 0 --window 1m", 64,
	    "--window: has no effect without --resume");
	refused("inetws client ws://h -l 1 --warm 3 --max-connections 2", 64,
	    "--warm: needs a --max-connections that allows so many");
	refused("inetws agent ws://h h:1 --spare 3 --max-connections 2", 64,
	    "--spare: needs a --max-connections that allows so many");
	runs("inetws agent ws://h h:1 --max-connections 1");
	refused("inetws server h:1 --path /a --health-path /a", 64,
	    "--health-path: needs a path of its own: --path, --metrics-path "
	    "and --health-path must differ");
	refused("inetws server h:1 --path /a --metrics-path /a", 64,
	    "--metrics-path: needs a path of its own");
	refused("inetws gate --visitors 1 --path /a --health-path /b "
	    "--metrics-path /b", 64, "--health-path must differ");
	runs("inetws server h:1 --path /a --health-path / --metrics-path /b");
	runs("inetws gate --visitors-dir /d --path / --health-path /");
	refused("inetws server h:1 -q -v", 64,
	    "--quiet: not together with --verbose");
	if (geteuid() == 0)
		refused("inetws server h:1 --chroot /", 64,
		    "--chroot: needs --run-as");
}

/* What is about peers' addresses, and listeners whose peers have none. */
static void
test_listeners(void)
{
	static const char *const options[] = { "trusted-proxy 10.0.0.0/8",
	    "max-per-source 2" };
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		refused(line("inetws server h:1 -l unix:/x --%s", options[i]),
		    64, "needs a LISTEN ");
		runs(line("inetws server h:1 -l unix:/x -l 1 --%s",
		    options[i]));
		runs(line("inetws server h:1 -l systemd --%s", options[i]));
		runs(line("inetws server h:1 --%s", options[i]));
		runs(line("inetws server h:1 -l unix:/x --accept-proxy --%s",
		    options[i]));
	}
	refused("inetws server h:1 -l 1 --trusted-proxy unix", 64,
	    "--trusted-proxy: needs a LISTEN where such proxies may come");
	runs("inetws server h:1 -l 1 -l unix:/x --trusted-proxy unix");
	runs("inetws server h:1 -l fd:3 --trusted-proxy unix");
	runs("inetws server h:1 -l unix:/x --trusted-proxy unix "
	    "--real-ip-header X-Real-IP --max-per-source 2");
	refused("inetws client ws://h -l unix:/x --forward-peer", 64,
	    "--forward-peer: needs a LISTEN that is no Unix socket");
	runs("inetws client ws://h -l 1 --forward-peer");
}

/* In a file, the file is wrong; and what is switched off needs nothing. */
static void
test_places(void)
{
	refused(line("inetws -K %s", file("mode server\ntarget h:1\n\n"
	    "tls-min 1.3\n")), 78, ":4: tls-min: has no effect without "
	    "tls-cert");
	runs("inetws connect ws://h --insecure=no --cacert x");
	runs(line("inetws -K %s --insecure=no", file("mode connect\nurl ws://h\n"
	    "insecure\ncacert x\n")));
	refused("inetws gate --path /", 64, "where do visitors come? expected "
	    "--visitors or --visitors-dir");
	refused("inetws gate --visitors 1", 64, "who may be an agent? "
	    "expected --agents-file, --path, ");
}

int
main(void)
{
	const struct mode_row *mode;
	const struct option *row;

	fixture_make();
	for (mode = mode_table; mode->name != NULL; mode++)
		for (row = option_table; row->name != NULL; row++) {
			if (row->place != P_ANY ||
			    !option_in_mode(row, mode->mode))
				continue;
			test_needs(mode, row);
			test_excludes(mode, row);
			if (row->once)
				test_once(mode, row);
		}
	test_rules();
	test_listeners();
	test_places();
	fixture_remove();
	return done_testing();
}
