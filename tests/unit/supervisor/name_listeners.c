/* SPDX-License-Identifier: ISC */
/*
 * Listeners of names: how many there may be, and what is left of them.
 *
 * If it fails: visitors of an agent find no socket, descriptors leak, or names
 * fill up a gate.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "net/inherit.h"
#include "os/clock.h"
#include "os/fd.h"
#include "supervisor/names.h"
#include "supervisor/visitor.h"
#include "descriptors.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-names.XXXXXX";
static struct options o;
static struct event_set events;
static struct names names;
static struct error why;

/* Does a visitor reach this name? */
static int
reaches(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/%s.sock", dir, name);
	r = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0;
	close(fd);
	return r;
}

static int
begin(unsigned int max)
{
	static const struct inherited none;

	memset(&o, 0, sizeof(o));
	o.mode = MODE_GATE;
	o.reverse.visitors_dir = dir;
	o.reverse.queue = 5000;
	if (event_open(&events) == -1)
		abort();
	return names_begin(&names, &o, &none, &events, max, &why);
}

static void
end(void)
{
	names_stop(&names, 0);
	names_end(&names);
	event_close(&events);
}

static int
listeners(void)
{
	int before = count_open(), a, b;
	uint32_t tags[EVENT_BATCH];
	char text[AGENT_NAME_MAX];
	struct stat st;
	char path[100];

	if (begin(10) != 0 || names_top(&names) != 0)
		return 1;
	a = names_listen(&names, "ann", 1000, &why);
	b = names_listen(&names, "bob", 1000, &why);
	if (a == b || a == NAME_NONE || b == NAME_NONE || !reaches("ann") ||
	    !reaches("bob") || reaches("eve"))
		return 2;
	if (names_listen(&names, "ann", 2000, &why) != a ||
	    names_top(&names) != 2)
		return 3;
	if (names_listener(&names, a, 0) < FD_KEPT ||
	    names_listener(&names, a, 1) != -1 ||
	    names_listener(&names, 2, 0) != -1)
		return 4;
	if (event_take(&events, tags) != 2)
		return 5;		/* both were reached */
	if (strcmp(names_text(&names, a, text), "ann") != 0)
		return 6;
	o.reverse.allow_any_agent = 1;
	if (strcmp(names_text(&names, a, text), "ann") == 0)
		return 7;		/* it may be a secret then */
	snprintf(path, sizeof(path), "%s/ann.sock", dir);
	umask(0);
	if (stat(path, &st) == -1 || (st.st_mode & 0777) != 0660)
		return 8;
	if (names_listen(&names, "../x", 1000, &why) != NAME_NONE ||
	    why.status != EXIT_PROTOCOL)
		return 9;
	if (names_listen(&names, "", 1000, &why) != NAME_NONE)
		return 10;
	end();
	return access(path, F_OK) == -1 && count_open() == before ? 0 : 11;
}

/* Without agents a listener stays for as long as visitors wait. */
static int
leaves(void)
{
	int before, a, b;
	char text[AGENT_NAME_MAX];

	begin(10);
	before = count_open();
	a = names_listen(&names, "ann", 1000, &why);
	if (names_time(&names) != 6000)
		return 1;		/* nobody came */
	names_add_agent(&names, a);
	if (names_time(&names) != CLOCK_NEVER)
		return 2;
	names_add_agent(&names, a);
	names_remove_agent(&names, a, 2000);
	if (names_time(&names) != CLOCK_NEVER)
		return 3;
	names_remove_agent(&names, a, 3000);
	if (names_time(&names) != 8000 || names_expire(&names, 7999) !=
	    NAME_NONE || !reaches("ann"))
		return 4;
	b = names_listen(&names, "bob", 4000, &why);
	if (names_expire(&names, 8000) != a || reaches("ann") ||
	    names_time(&names) != 9000 || names_listener(&names, a, 0) != -1)
		return 5;
	if (strcmp(names_text(&names, a, text), "") != 0)
		return 6;
	if (names_listen(&names, "eve", 8500, &why) != a)
		return 7;		/* its number is used again */
	if (names_expire(&names, 9000) != b || names_expire(&names, 9000) !=
	    NAME_NONE)
		return 8;
	names_add_agent(&names, a);
	if (count_open() != before + 1)
		return 9;
	o.reverse.queue = 0;
	names_remove_agent(&names, a, 10000);
	if (names_time(&names) != 70000)
		return 10;		/* visitors that wait without end */
	end();
	return 0;
}

/* Several leave; one of those in the middle comes back. */
static int
order(void)
{
	int n[4], i;

	begin(10);
	for (i = 0; i < 4; i++) {
		n[i] = names_listen(&names, (const char *[]){ "a", "b", "c",
		    "d" }[i], 100, &why);
		names_add_agent(&names, n[i]);
	}
	for (i = 0; i < 4; i++)
		names_remove_agent(&names, n[i], 1000 + i);
	names_add_agent(&names, n[1]);
	if (names_expire(&names, 99999) != n[0])
		return 1;
	names_add_agent(&names, n[3]);
	if (names_expire(&names, 99999) != n[2] ||
	    names_expire(&names, 99999) != NAME_NONE)
		return 2;
	names_remove_agent(&names, n[3], 5000);
	names_remove_agent(&names, n[1], 5001);
	if (names_time(&names) != 10000 || names_expire(&names, 99999) != n[3] ||
	    names_expire(&names, 99999) != n[1])
		return 3;
	end();
	return 0;
}

/* The least important listener gives way to a new one. */
static int
room(void)
{
	int a, b;

	begin(2);
	a = names_listen(&names, "ann", 1000, &why);
	names_add_agent(&names, a);
	b = names_listen(&names, "bob", 1000, &why);
	if (names_listen(&names, "eve", 1000, &why) != b || reaches("bob") ||
	    !reaches("eve") || !reaches("ann"))
		return 1;
	names_add_agent(&names, b);
	if (names_listen(&names, "bob", 1000, &why) != NAME_NONE ||
	    why.status != EXIT_AGAIN || strcmp(why.text,
	    "the gate has no room for more names") != 0)
		return 2;
	names_set_max(&names, 3);
	if (names_listen(&names, "bob", 1000, &why) == NAME_NONE)
		return 3;
	end();
	return 0;
}

/* No number is free: a name that has one still gets its listener back. */
static int
numbers(void)
{
	int a, b;

	begin(10);
	names.max = 2;
	a = names_listen(&names, "ann", 1000, &why);
	names_set_waiting(&names, a, 1);
	names_expire(&names, 9999);
	b = names_listen(&names, "bob", 1000, &why);
	names_add_agent(&names, b);
	if (names_listen(&names, "eve", 1000, &why) != NAME_NONE ||
	    why.status != EXIT_AGAIN)
		return 1;
	if (names_listen(&names, "ann", 1000, &why) != a || !reaches("ann"))
		return 2;
	end();
	return 0;
}

/* A name with visitors keeps its number until the last of them has gone. */
static int
waiting(void)
{
	int a, b;

	begin(10);
	a = names_listen(&names, "ann", 1000, &why);
	names_set_waiting(&names, a, 2);
	if (names_expire(&names, 6000) != a)
		return 1;
	b = names_listen(&names, "bob", 1000, &why);
	if (b == a || names_listen(&names, "ann", 7000, &why) != a ||
	    !reaches("ann"))
		return 2;
	if (names_expire(&names, 99999) == NAME_NONE ||
	    names_expire(&names, 99999) == NAME_NONE)
		return 3;
	names_set_waiting(&names, a, 0);
	if (names_listen(&names, "eve", 1000, &why) != a)
		return 4;
	names_set_waiting(&names, a, 0);	/* it has a listener */
	if (!reaches("eve") || names_listen(&names, "eve", 1000, &why) != a)
		return 5;
	end();
	return 0;
}

/* --agents-file: its names have listeners without agents. */
static int
lists(void)
{
	int a, b, before;

	begin(10);
	before = count_open();
	names_begin_listing(&names);
	if (names_list(&names, "ann", &why) != 0 ||
	    names_list(&names, "bob", &why) != 0)
		return 1;
	names_end_listing(&names);
	a = names_listen(&names, "ann", 1000, &why);
	b = names_listen(&names, "bob", 1000, &why);
	if (names_time(&names) != CLOCK_NEVER || !names_is_listed(&names, a) ||
	    !reaches("ann"))
		return 2;
	names_add_agent(&names, a);
	names_remove_agent(&names, a, 1000);
	if (names_time(&names) != CLOCK_NEVER)
		return 3;
	names_add_agent(&names, b);
	names_begin_listing(&names);	/* an empty file */
	names_end_listing(&names);
	if (reaches("ann") || !reaches("bob") || names_is_listed(&names, b))
		return 4;		/* bob's agent is still there */
	names_remove_agent(&names, b, 1000);
	if (names_time(&names) != 6000)
		return 5;
	names_begin_listing(&names);
	names_list(&names, "bob", &why);
	names_end_listing(&names);
	if (names_time(&names) != CLOCK_NEVER || names_expire(&names, 9999) !=
	    NAME_NONE || count_open() != before + 1)
		return 6;
	end();
	return count_open() == before - 1 ? 0 : 7;
}

/* Its socket was removed, by a script that cleans up. */
static int
renewed(void)
{
	char path[100];
	int a, before;

	begin(10);
	a = names_listen(&names, "ann", 1000, &why);
	before = count_open();
	snprintf(path, sizeof(path), "%s/ann.sock", dir);
	unlink(path);
	if (reaches("ann") || names_renew(&names, a, &why) != 0 ||
	    !reaches("ann") || count_open() != before)
		return 1;
	if (names_renew(&names, a, &why) != 0 || count_open() != before)
		return 2;
	unlink(path);
	if (names_listen(&names, "ann", 1000, &why) != a || !reaches("ann"))
		return 3;
	/* handed to the next instance, which makes its own */
	names_stop(&names, 1);
	if (access(path, F_OK) == -1 || names_time(&names) != CLOCK_NEVER)
		return 4;
	unlink(path);
	end();
	return 0;
}

static int
failures(void)
{
	char longest[AGENT_NAME_MAX];
	int before;

	begin(10);
	before = count_open();
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	if (names_listen(&names, longest, 1000, &why) != NAME_NONE ||
	    strcmp(why.text, "the name is too long") != 0 ||
	    why.status != EXIT_BADUSAGE)
		return 1;
	o.reverse.visitors_dir = "/none/such";
	if (names_listen(&names, "ann", 1000, &why) != NAME_NONE ||
	    why.status != EXIT_SYSTEM || strstr(why.text,
	    "its socket cannot be made: ") != why.text)
		return 2;
	o.reverse.visitors_dir = dir;
	/* nothing of them is left: the first number is free */
	if (names_listen(&names, "ann", 1000, &why) != 0 ||
	    names_top(&names) != 1 || count_open() != before + 1)
		return 3;
	end();
	return 0;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	is(run(listeners), 0, "each name has its listener");
	is(run(leaves), 0, "which leaves in its time");
	is(run(order), 0, "those that left first are the first");
	is(run(room), 0, "where there is room for few");
	is(run(numbers), 0, "where there are few numbers");
	is(run(waiting), 0, "names with visitors");
	is(run(lists), 0, "names of a file");
	is(run(renewed), 0, "a socket that was removed");
	is(run(failures), 0, "names that cannot be had");
	rmdir(dir);
	return done_testing();
}
