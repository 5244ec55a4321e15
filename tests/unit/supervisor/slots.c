/* SPDX-License-Identifier: ISC */
/*
 * Places on the statistics page, and what the log says of tunnels.
 *
 * If it fails: two connections share a place, a place is lost for ever, or the
 * tunnels of an earlier supervisor are not counted.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apart.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/process.h"
#include "supervisor/slots.h"
#include "seen.h"
#include "tap.h"

static const struct stats_about about = { "server", "a -> b", 2 };
static char dir[] = "/tmp/inetws-slots.XXXXXX";

static int
count_pages(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".stats") != NULL ||
		    strstr(e->d_name, ".new") != NULL;
	closedir(d);
	return n;
}

/* Lowest first, each once, and again when it has come back. */
static int
order(void)
{
	struct slots s;
	unsigned int i, room;
	struct stat st;
	char path[100];

	if (slots_begin(&s, 5, &about) != 0)
		return 1;
	snprintf(path, sizeof(path), "%s/%d.stats", dir, (int)getpid());
	if (stat(path, &st) == -1 || count_pages() != 1)
		return 2;
	room = stats_capacity();
	if (room < 1024 || room > 1030)
		return 3;
	for (i = 1; i <= room; i++)
		if (slots_take(&s) != (int)i)
			return 4;
	if (slots_take(&s) != STATS_SLOT_NONE)
		return 5;
	slots_give_back(&s, STATS_SLOT_NONE);
	if (slots_take(&s) != STATS_SLOT_NONE)
		return 6;
	slots_give_back(&s, 7);
	slots_give_back(&s, 3);
	if (slots_take(&s) != 3 || slots_take(&s) != 7 ||
	    slots_take(&s) != STATS_SLOT_NONE)
		return 7;
	if (slots_inherited(&s) != 0 || slots_look(&s, 0) != 0 ||
	    slots_look_time(&s) != CLOCK_NEVER)
		return 8;
	slots_end(&s, 0);
	slots_end(&s, 0);
	return count_pages() == 0 && !stats_is_open() ? 0 : 9;
}

/* For a limit that a reload raises. */
static int
room(void)
{
	struct slots s;

	slots_begin(&s, 1000, &about);
	if (stats_capacity() < 4000 || stats_capacity() > 4010)
		return 1;
	slots_end(&s, 0);
	slots_begin(&s, 1 << 30, &about);
	if (stats_capacity() < STATS_SLOTS_MAX ||
	    stats_capacity() > STATS_SLOTS_MAX + 3)
		return 2;
	slots_end(&s, 0);
	return 0;
}

/* Another container's process with our number has the name. */
static int
names(void)
{
	struct slots s;
	char path[100], second[100];
	int held;

	snprintf(path, sizeof(path), "%s/%d.stats", dir, (int)getpid());
	snprintf(second, sizeof(second), "%s/%d-2.stats", dir, (int)getpid());
	held = open(path, O_WRONLY | O_CREAT, 0600);
	slots_begin(&s, 5, &about);
	if (stats_path() == NULL || strcmp(stats_path(), second) != 0)
		return 1;
	slots_end(&s, 1);
	if (access(second, F_OK) == -1 || stats_is_open())
		return 2;		/* tunnels are left */
	unlink(second);
	close(held);
	return unlink(path);
}

static int
no_folder(void)
{
	struct slots s;

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	setenv("RUNTIME_DIRECTORY", "/proc/none", 1);
	if (slots_begin(&s, 5, &about) != 0 || !stats_is_open() ||
	    stats_path() != NULL || slots_take(&s) != 1)
		return 1;
	return was_seen("level=info event=not-listed why=\"No such file or "
	    "directory\" hint=\"status finds it if RUNTIME_DIRECTORY names a "
	    "folder to write to\"\n") ? 0 : 2;
}

/* A supervisor that has ended and left two tunnels, in slots 1 and 2. */
static void
leave_tunnels(pid_t pids[2])
{
	int ready[2], i, slot;
	struct slots s;
	pid_t pid;

	if (pipe(ready) == -1)
		abort();
	if ((pid = fork()) == 0) {
		slots_begin(&s, 5, &about);
		for (i = 0; i < 2; i++) {
			slot = slots_take(&s);
			if ((pid = fork()) == 0) {
				stats_take(slot, STATE_OPEN);
				pid = getpid();
				if (write(ready[1], &pid, sizeof(pid)) == -1)
					_exit(1);
				for (;;)
					pause();
			}
			if (read(ready[0], &pids[i], sizeof(pid)) !=
			    sizeof(pid))
				_exit(1);
		}
		_exit(write(ready[1], pids, 2 * sizeof(pid)) == -1);
	}
	waitpid(pid, NULL, 0);
	if (read(ready[0], pids, 2 * sizeof(pid)) != 2 * sizeof(pid))
		abort();
	close(ready[0]);
	close(ready[1]);
}

static void
kill_now(pid_t pid)
{
	kill(pid, SIGKILL);
	while (process_lives(pid, clock_ms()))
		usleep(5000);
}

static int
inherited(void)
{
	struct slots s;
	pid_t pids[2];

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	leave_tunnels(pids);
	if (slots_begin(&s, 5, &about) != 0 || slots_inherited(&s) != 2 ||
	    !was_seen("level=info event=inherited-tunnels active=2\n"))
		return 2;
	if (slots_take(&s) != 3)
		return 3;
	if (slots_look(&s, 5000) != 0 || slots_look_time(&s) != 6000)
		return 4;
	kill_now(pids[0]);
	if (slots_look(&s, 5999) != 0 || slots_inherited(&s) != 2)
		return 5;
	if (slots_look(&s, 6000) != 1 || slots_inherited(&s) != 1 ||
	    slots_look_time(&s) != 7000)
		return 6;
	if (slots_take(&s) != 1 || slots_take(&s) != 4)
		return 7;
	slots_end(&s, 0);
	if (count_pages() != 1)		/* the other one is still to be seen */
		return 8;
	kill_now(pids[1]);
	return 0;
}

/* A tunnel in slot 1, whose process has been killed. */
static void
begin_tunnel(struct slots *s, int with_peer_id)
{
	slots_begin(s, 5, &about);
	stats_take(slots_take(s), STATE_OPEN);
	strlcpy(stats_mine->peer, "192.0.2.1:5", sizeof(stats_mine->peer));
	strlcpy(stats_mine->target, "h:22", sizeof(stats_mine->target));
	strlcpy(stats_mine->id, "1-2", sizeof(stats_mine->id));
	if (with_peer_id) {
		strlcpy(stats_mine->user, "ann", sizeof(stats_mine->user));
		strlcpy(stats_mine->peer_id, "3-4",
		    sizeof(stats_mine->peer_id));
		stats_mine->resumes = 2;
		stats_mine->rtt = 7;
	}
	stats_mine->counts.up = 10;
	stats_mine->counts.down = 20;
}

static int
lines(void)
{
	struct slots s;

	seen_begin();
	log_open(LOG_TO_STDERR, LOG_L_INFO, NULL);
	begin_tunnel(&s, 1);
	stats_mine->begun_at = clock_ms() + 1000;	/* in the future: 0 */
	stats_mine->data_at = clock_ms() + 1000;
	slots_log(3);
	if (!was_seen(" state=open peer=192.0.2.1:5 user=ann target=h:22 "
	    "age=0.000 idle=0.000 up=10 down=20 rtt-ms=7 resumes=2 id=1-2 "
	    "peer-id=3-4\n"))
		return 1;
	slots_log(3);
	if (!was_seen("level=info event=statistics active=3 total=1 refused=0 "
	    "up=10 down=20\n"))
		return 2;
	slots_log_killed(77, SIGSEGV, 1);
	if (!was_seen("level=error event=child-killed pid=77 signal=11 "
	    "name=\"Segmentation fault\" peer=192.0.2.1:5 user=ann target=h:22 "
	    "up=10 down=20 seconds=0.000 id=1-2 peer-id=3-4\n"))
		return 3;
	slots_log_killed(77, SIGKILL, 2);
	if (!was_seen("level=error event=child-killed pid=77 signal=9 "
	    "name=Killed\n"))
		return 4;
	slots_end(&s, 0);
	begin_tunnel(&s, 0);
	stats_mine->begun_at = stats_mine->data_at = clock_ms() + 1000;
	slots_log(3);
	if (!was_seen(" state=open peer=192.0.2.1:5 target=h:22 age=0.000 "
	    "idle=0.000 up=10 down=20\n"))
		return 5;
	slots_end(&s, 0);
	return 0;
}

int
main(void)
{
	char command[60];

	if (mkdtemp(dir) == NULL)
		return 1;
	alarm(scaled(60));
	setenv("RUNTIME_DIRECTORY", dir, 1);
	is(run(order), 0, "each place once, and again");
	is(run(room), 0, "room for limits that are raised");
	is(run(names), 0, "a name that another process has");
	is(run(no_folder), 0, "no folder for the page");
#ifdef HAVE_LINUX
	is(run(inherited), 0, "tunnels of an earlier supervisor");
#endif
	is(run(lines), 0, "what is logged of tunnels");
	snprintf(command, sizeof(command), "rm -r %s", dir);
	is(system(command), 0, "(removed)");
	return done_testing();
}
