/* SPDX-License-Identifier: ISC */
/*
 * Finding instances and what they do.
 *
 * If it fails: "status" shows no instance, or rates that are not those of the
 * tunnel next to them.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "modes/status/status.h"
#include "os/clock.h"
#include "stats/page.h"
#include "descriptors.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-look.XXXXXX";
static struct options o;
static struct error why;

static const char *
at(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* An instance with so many tunnels; it ends by a signal. */
static pid_t
begin(const char *name, const char *mode, int tunnels)
{
	struct stats_about about = { mode, "a -> b", 9 };
	int ready[2], i;
	pid_t pid;
	char c;

	if (pipe(ready) == -1)
		abort();
	if ((pid = fork()) == 0) {
		if (stats_create(at(name), 9, &about) == -1)
			_exit(1);
		stats_take(0, STATE_LISTENING);
		stats_set_name(0, "ann", 1, 7);
		for (i = 1; i <= tunnels; i++) {
			stats_prepare(i);
			stats_take(i, STATE_OPEN);
			stats_mine->pid = 1000 + i;
			stats_mine->counts.up = 100 * i;
		}
		if (write(ready[1], "x", 1) == -1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		abort();
	close(ready[0]);
	return pid;
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_found(void)
{
	struct status st;
	int before = count_open();
	pid_t a, b;

	is(status_look(&st, &o, &why), 0, "an empty folder");
	is(st.n + st.denied, 0, "has none");
	status_free(&st);
	a = begin("1.stats", "server", 2);
	b = begin("2.stats", "gate", 0);
	is(status_look(&st, &o, &why), 0, "two instances");
	is(st.n, 2, "are found");
	status_sort(&st, 'a', 0);
	is_str(st.instance[0].report.mode, "gate", "a gate");
	is(st.instance[0].names.n, 1, "and its names");
	is(st.instance[0].names.of[0].waiting, 7, "with their visitors");
	is(st.instance[0].nrows, 0, "without rows");
	is(st.instance[1].nrows, 2, "a server with rows");
	is(st.instance[1].names.n, 0, "without names");
	is_str(st.instance[1].file, at("1.stats"), "and its page");
	is(st.instance[1].row[1].up, 200, "what a tunnel did");
	status_free(&st);
	ok(st.instance == NULL && st.n == 0, "freed");
	o.status.page = strdup(at("2.stats"));
	is(status_look(&st, &o, &why), 0, "one that is named");
	is(st.n, 1, "alone");
	status_free(&st);
	end(a);
	end(b);
	is(count_open(), before, "no descriptor is left");
	free((void *)(uintptr_t)o.status.page);
	o.status.page = "/none/page";
	is(status_look(&st, &o, &why), -1, "one that is not there");
	is(why.status, EXIT_BADUSAGE, "is an error");
	is_str(why.text, "/none/page: No such file or directory", "that says so");
	o.status.page = NULL;
	unlink(at("1.stats"));
	unlink(at("2.stats"));
}

static void
test_denied(void)
{
	struct status st;
	int fd = open(at("x\033.stats"), O_WRONLY | O_CREAT, 0600);
	pid_t a;

	is(write(fd, "rubbish", 7), 7, "(a file that is no page)");
	is(status_look(&st, &o, &why), -1, "nothing but rubbish");
	ok(strstr(why.text, ": not a statistics page") != NULL &&
	    strchr(why.text, '\033') == NULL, "%s", why.text);
	a = begin("1.stats", "server", 0);
	is(status_look(&st, &o, &why), 0, "next to an instance");
	is(st.n * 10 + st.denied, 11, "it is counted");
	status_free(&st);
	end(a);
	close(fd);
	unlink(at("x\033.stats"));
	unlink(at("1.stats"));
	setenv("RUNTIME_DIRECTORY", at("none"), 1);
	is(status_look(&st, &o, &why), 0, "no folder is an empty one");
	fd = open(at("file"), O_WRONLY | O_CREAT, 0600);
	setenv("RUNTIME_DIRECTORY", at("file"), 1);
	is(status_look(&st, &o, &why), -1, "what is no folder");
	ok(why.status == EXIT_SYSTEM && strstr(why.text,
	    "/file: Not a directory") != NULL, "is told");
	close(fd);
	unlink(at("file"));
	setenv("RUNTIME_DIRECTORY", dir, 1);
}

/* Rows of two looks, a second apart; found by their process. */
static void
test_rates(void)
{
	struct report_row old[2][2] = {
	    { { .pid = 5, .up = 1000, .down = 50 },
	      { .pid = 3, .up = 7, .down = 9 } },
	    { { .pid = 9, .up = 100, .down = 100 } } };
	struct report_row new[4] = {
	    { .pid = 3, .up = 9, .down = 9 },
	    { .pid = 9, .up = 100, .down = 1100 },
	    { .pid = 5, .up = 999, .down = 60 },	/* its number again */
	    { .pid = 4, .up = 5, .down = 5 } };
	struct status_instance before[2] = { { .row = old[0], .nrows = 2 },
	    { .row = old[1], .nrows = 1 } }, now = { .row = new, .nrows = 4 };
	struct status a = { .at = 1000, .instance = before, .n = 2 };
	struct status b = { .at = 1500, .instance = &now, .n = 1 };

	status_rates(&b, &a);
	is(new[0].up_rate, 4, "bytes a second");
	is(new[0].down_rate, 0, "none");
	is(new[1].up_rate, 0, "another instance's tunnel");
	is(new[1].down_rate, 2000, "is found as well");
	is(new[2].up_rate + new[2].down_rate, 0, "another process: not known");
	is(new[3].up_rate + new[3].down_rate, 0, "a new one: not known");
	new[2].up = 1001;
	new[2].down = 49;
	status_rates(&b, &a);
	is(new[2].up_rate + new[2].down_rate, 0, "nor if the other is less");
	new[0].up_rate = 77;
	b.at = 1000;
	status_rates(&b, &a);
	is(new[0].up_rate, 77, "no time has passed: nothing is known");
	b.at = 1001;
	status_rates(&b, &a);
	is(new[0].up_rate, 2000, "a millisecond is enough");
}

static int lines, most;

static int
put(void *arg)
{
	struct out *out = arg;

	lines++;
	out_begin(out, out->p, out->size);
	return lines == most ? 5 : 0;
}

static void
test_table(void)
{
	struct report_row rows[3] = { { .pid = 1 }, { .pid = 2 }, { .pid = 3 } };
	struct report_name names[2] = { { .text = "a" }, { .text = "b" } };
	struct status_instance in = { .row = rows, .nrows = 3,
	    .names = { .of = names, .n = 2 } };
	char buf[4096];
	struct out out;

	out_begin(&out, buf, sizeof(buf));
	is(status_table(&in, &out, 0, 0, put, &out), 0, "all of it");
	is(lines, 1 + 2 + 3 + 1, "a head, names, rows, and what is left");
	for (most = 1; most < 7; most++) {
		lines = 0;
		is(status_table(&in, &out, 0, 0, put, &out), 5,
		    "where nothing is wanted any more");
		is(lines, most, "nothing is put");
	}
	most = 0;
	in.nrows = in.names.n = 0;
	out_begin(&out, buf, sizeof(buf));
	status_table(&in, &out, 80, 0, put, &out);
	ok(strstr(buf, "PID") == NULL, "no rows, no titles");
	lines = 0;
	most = 2;
	status_table(&in, &out, 80, 1, put, &out);
	ok(strstr(buf, "PID") != NULL || lines == 2, "unless they are wanted");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	setenv("RUNTIME_DIRECTORY", dir, 1);
	test_found();
	test_denied();
	test_rates();
	test_table();
	rmdir(dir);
	return done_testing();
}
