/* SPDX-License-Identifier: ISC */
/*
 * A page whose supervisor has ended, while a child of it goes on.
 *
 * If it fails: after an upgrade tunnels are not counted, or those of another
 * instance are.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stats/page.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-takeover-XXXXXX", path[64];

/* A supervisor and its child, each of which ends when its pipe does. */
struct earlier {
	pid_t pid;
	int supervisor, child;		/* our ends of the pipes */
};

static void
wait_for(int fd)
{
	char c;

	(void)!read(fd, &c, 1);
}

static struct earlier
begin(const char *mode, const char *name)
{
	struct stats_about about = { mode, name, 3 };
	struct earlier e;
	int s[2], c[2], ready[2];

	if (pipe(s) == -1 || pipe(c) == -1 || pipe(ready) == -1)
		abort();
	if ((e.pid = fork()) == 0) {
		close(s[1]);
		close(c[1]);
		if (stats_create(path, 3, &about) == -1)
			_exit(1);
		stats_take(0, STATE_LISTENING);
		stats_prepare(2);
		if (fork() == 0) {
			stats_take(2, STATE_OPEN);
			(void)!write(ready[1], "x", 1);
			close(ready[1]);
			wait_for(c[0]);
			_exit(0);
		}
		close(ready[1]);
		wait_for(s[0]);
		_exit(0);
	}
	close(s[0]);
	close(c[0]);
	close(ready[1]);
	wait_for(ready[0]);
	close(ready[0]);
	e.supervisor = s[1];
	e.child = c[1];
	return e;
}

static void
end_supervisor(struct earlier *e)
{
	if (e->supervisor == -1)
		return;
	close(e->supervisor);
	e->supervisor = -1;
	waitpid(e->pid, NULL, 0);
}

static void
end(struct earlier *e)
{
	end_supervisor(e);
	close(e->child);
	unlink(path);
}

/* In a process of its own: which slots are inherited, 9: no such page. */
static int
inherits(const char *mode, const char *name)
{
	struct stats_about about = { mode, name, 3 };
	int status, slot, found = 0;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (stats_take_over(path, &about) == -1)
			_exit(9);
		for (slot = 1; slot < 9; slot++)
			if (stats_inherited(slot) == 1)
				found = 10 * found + slot;
		_exit(found);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void
test_names(void)
{
	static const struct { const char *old, *new; int is_same; } v[] = {
		{ "a,b -> c", "a,b -> c", 1 }, { "a,b -> c", "a,b -> d", 1 },
		{ "a,b -> c", "a,b", 1 }, { "a,b", "a,b -> c", 1 },
		{ "a,b", "a,b", 1 }, { "a,b -> c", "a -> c", 0 },
		{ "a -> c", "a,b -> c", 0 }, { "a", "ab", 0 },
		{ "ab", "a", 0 }, { "a -> c", "b -> c", 0 },
		{ "a", "a - c", 0 }, { "", "a", 0 }, { "", "", 1 },
	};
	struct earlier e;
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		e = begin("server", v[i].old);
		end_supervisor(&e);
		is(inherits("server", v[i].new), v[i].is_same ? 2 : 9,
		    v[i].new);
		end(&e);
	}
}

static void
test_who(void)
{
	struct earlier e = begin("server", "a");
	int i;

	is(inherits("server", "a"), 9, "the supervisor still runs");
	end_supervisor(&e);
	is(inherits("client", "a"), 9, "another mode");
	is(inherits("server", "a"), 2, "the child is inherited");
	is(inherits("server", "a"), 2, "also by the one after that");
	close(e.child);
	e.child = -1;
	for (i = 0; i < 1000 && inherits("server", "a") == 2; i++)
		usleep(10000);
	is(inherits("server", "a"), 9, "it has ended: nothing is left");
	end(&e);
	is(inherits("server", "a"), 9, "nor a file");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/page", dir);
	test_names();
	test_who();
	rmdir(dir);
	return done_testing();
}
