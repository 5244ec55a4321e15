/* SPDX-License-Identifier: ISC */
/*
 * --stats-file: a page in a file that processes share which know nothing of
 * each other, and which any of them, or its owner, may damage.
 *
 * If it fails: connections are counted twice or not at all, two versions
 * destroy each other's statistics, or a damaged file ends a tunnel.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "os/clock.h"
#include "os/log.h"
#include "stats/internal.h"
#include "stats/rundir.h"
#include "descriptors.h"
#include "tap.h"

static char dir[] = "/tmp/inetws-share.XXXXXX", path[64];
static struct error why;
static const struct stats_about about = { "server", "a -> b", 2 };

static struct report
look(void)
{
	struct stats_view v;
	struct report r;

	stats_view_own(&v);
	stats_read(&v, &r);
	return r;
}

/* A process of the page, which ends when it is told to. */
struct other {
	pid_t pid;
	int end;
};

static struct other
begin_other(enum report_state state, uint64_t up)
{
	struct other other;
	int go[2], ready[2];
	char c;

	if (pipe2(go, O_CLOEXEC) == -1 || pipe2(ready, O_CLOEXEC) == -1)
		abort();
	if ((other.pid = fork()) == 0) {
		close(go[1]);
		close(ready[0]);
		stats_close(0);
		if (stats_share(path, 2, getuid(), &why) == -1)
			_exit(1);
		stats_take(STATS_SLOT_NONE, state);
		STATS_ADD(stats_mine->counts.up, up);
		stats_flush();
		if (write(ready[1], "x", 1) != 1 || read(go[0], &c, 1) == -1)
			_exit(2);
		stats_release(RESULT_ENDED);
		_exit(0);
	}
	close(go[0]);
	close(ready[1]);
	if (read(ready[0], &c, 1) != 1)
		abort();
	close(ready[0]);
	other.end = go[1];
	return other;
}

static void
end_other(struct other *other, int signo)
{
	if (signo != 0)
		kill(other->pid, signo);
	else if (write(other->end, "x", 1) != 1)
		abort();
	close(other->end);
	waitpid(other->pid, NULL, 0);
}

static int
makes(void)
{
	struct stat st;
	int before = count_open();

	umask(0);
	if (stats_is_open() || stats_capacity() != 0 || stats_is_shared())
		return 1;
	if (stats_share(path, 2, getuid(), &why) != 0 || !stats_is_open() ||
	    !stats_is_shared() || stats_path() != NULL)
		return 2;
	if (stat(path, &st) == -1 || (st.st_mode & 07777) != 0600)
		return 3;
	if ((fcntl(stats_own.fd, F_GETFD) & FD_CLOEXEC) == 0)
		return 4;
	if (stats_capacity() != 4 || stats_own.page->has_supervisor ||
	    look().max != 0 || look().pid != 0)
		return 5;
	stats_retitle(&about);
	stats_set_sandbox("off");
	if (look().name[0] != '\0' || look().sandbox[0] != '\0')
		return 6;
	stats_close(1);
	return access(path, F_OK) == 0 && count_open() == before &&
	    !stats_is_open() && !stats_is_shared() ? 0 : 7;
}

/* More processes than slots. */
static int
unlisted(void)
{
	struct other more[6];
	struct report r;
	int i;

	stats_share(path, 2, getuid(), &why);
	for (i = 0; i < 4; i++)
		more[i] = begin_other(STATE_OPEN, 10);
	r = look();
	if (r.active[STATE_OPEN] != 4 || r.unlisted != 0 ||
	    r.counts.up != 40 || r.counts.begun != 4)
		return 1;
	more[4] = begin_other(STATE_OPEN, 100);
	more[5] = begin_other(STATE_OPEN, 100);
	r = look();
	if (r.active[STATE_OPEN] != 4 || r.unlisted != 2 ||
	    report_active(&r) != 6 || r.counts.up != 240 ||
	    r.counts.begun != 6)
		return 2;
	end_other(&more[4], SIGKILL);
	end_other(&more[5], 0);
	r = look();
	if (r.unlisted != 0 || r.counts.ended[RESULT_ENDED] != 1)
		return 3;
	end_other(&more[0], 0);
	more[0] = begin_other(STATE_OPEN, 1000);
	r = look();
	if (r.active[STATE_OPEN] != 4 || r.unlisted != 0 ||
	    r.counts.up != 1240 || r.counts.ended[RESULT_ENDED] != 2)
		return 4;
	for (i = 0; i < 4; i++)
		end_other(&more[i], 0);
	return report_active(&(struct report){ 0 }) == 0 &&
	    look().counts.ended[RESULT_ENDED] == 6 &&
	    look().counts.ended[RESULT_KILLED] == 0 ? 0 : 5;
}

/*
 * Who wants more room makes the page anew, unless another process uses it: one
 * with a slot, without one, or one that is about to take one.
 */
static int
small(void)
{
	struct other more[5];
	int i;

	unlink(path);
	for (i = 0; i < 5; i++)
		more[i] = begin_other(STATE_OPEN, 1);
	for (i = 0; i < 5; i++) {
		if (stats_share(path, 50, getuid(), &why) != 0 ||
		    stats_capacity() != 4)
			return 1;
		stats_close(0);
		end_other(&more[i], i % 2 == 0 ? 0 : SIGKILL);
	}
	if ((more[0].pid = fork()) == 0) {
		stats_share(path, 2, getuid(), &why);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(more[0].pid, NULL, WUNTRACED);
	if (stats_share(path, 50, getuid(), &why) != 0 ||
	    stats_capacity() != 4)
		return 2;
	stats_close(0);
	kill(more[0].pid, SIGKILL);
	waitpid(more[0].pid, NULL, 0);
	if (stats_share(path, 50, getuid(), &why) != 0 ||
	    stats_capacity() < 50)
		return 3;
	stats_take(STATS_SLOT_NONE, STATE_OPEN);
	more[0] = begin_other(STATE_OPEN, 1);
	if (look().active[STATE_OPEN] != 2)
		return 4;			/* it shrinks for nobody */
	end_other(&more[0], 0);
	stats_release(RESULT_ENDED);
	stats_close(0);
	return 0;
}

/* Who has no slot cannot be counted, which is not to be one of none. */
static int
uncounted(void)
{
	struct other more[4];
	int i;

	if (stats_count_source(7, 1) != -1 || stats_is_full())
		return 1;			/* without a page */
	unlink(path);
	for (i = 0; i < 4; i++)
		more[i] = begin_other(STATE_OPEN, 1);
	stats_share(path, 2, getuid(), &why);
	stats_take(STATS_SLOT_NONE, STATE_OPEN);
	if (stats_count_source(7, 1) != -1 || !stats_is_full())
		return 2;
	stats_release(RESULT_ENDED);
	stats_close(0);
	for (i = 0; i < 4; i++)
		end_other(&more[i], 0);
	unlink(path);
	stats_share(path, 2, getuid(), &why);
	stats_take(STATS_SLOT_NONE, STATE_OPEN);
	if (stats_count_source(7, 1) != 0 || stats_is_full() ||
	    ftruncate(stats_own.fd, 0) == -1)
		return 3;
	return stats_count_source(7, 1) == -1 && !stats_is_full() ? 0 : 4;
}

/* A supervisor's page is full: no child takes the slot of another. */
static int
full(void)
{
	int status;
	pid_t pid;

	unlink(path);
	if (stats_create(path, 2, &about) == -1)
		return 1;
	stats_take(0, STATE_LISTENING);
	stats_prepare(1);
	if ((pid = fork()) == 0) {
		stats_take(1, STATE_OPEN);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	if (fork() == 0) {
		stats_take(STATS_SLOT_NONE, STATE_OPEN);
		_exit(stats_count_source(7, 1) != -1 || !stats_is_full());
	}
	if (wait(&status) == -1 || status != 0 ||
	    stats_at(stats_own.page, 1)->pid != pid)
		return 2;
	if (stats_is_established(STATS_SLOT_NONE, 1 << 29) != -1)
		return 3;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	stats_close(1);
	return 0;
}

/* Its slot says that it runs. */
static int
killed(void)
{
	struct other one, handshake, again[4];
	struct stats_view v;
	struct report_row row;
	struct report r;
	unsigned int i, rows = 0;

	stats_share(path, 2, getuid(), &why);
	r = look();
	one = begin_other(STATE_OPEN, 10);
	handshake = begin_other(STATE_HANDSHAKE, 10);
	end_other(&one, SIGKILL);
	end_other(&handshake, SIGKILL);
	if (report_active(&r) != 0 || report_active(&(struct report){ 0 }) != 0)
		return 1;
	i = (unsigned int)r.counts.begun;
	r = look();
	if (report_active(&r) != 0 || r.counts.ended[RESULT_KILLED] != 2 ||
	    r.counts.begun != i + 2)
		return 2;
	stats_view_own(&v);
	for (i = 0; i < stats_slots(&v); i++)
		rows += stats_row(&v, i, &row);
	if (rows != 0)
		return 3;
	for (i = 0; i < 4; i++)		/* all slots are taken again */
		again[i] = begin_other(STATE_OPEN, 0);
	r = look();
	for (i = 0; i < 4; i++)
		end_other(&again[i], 0);
	return r.active[STATE_OPEN] == 4 && r.unlisted == 0 &&
	    r.counts.ended[RESULT_KILLED] == 2 ? 0 : 4;
}

/* The page was made by another version of inetws. */
static int
version(int difference)
{
	struct stats_header *h;
	struct stats_view v;
	int before, held;
	ino_t was;
	struct stat st;
	char want[200];

	unlink(path);
	if (stats_share(path, 2, getuid(), &why) != 0)
		return 1;
	h = stats_own.page;
	h->version = (uint32_t)(STATS_VERSION + difference);
	fstat(stats_own.fd, &st);
	was = st.st_ino;
	held = dup(stats_own.fd); /* so that its number is not used again */
	snprintf(want, sizeof(want), "%s: of another version of inetws (its "
	    "format is %d, this one reads %d); its tunnels go on, but are not "
	    "shown", path, STATS_VERSION + difference, STATS_VERSION);
	stats_close(0);
	before = count_open();
	if (stats_view_open(&v, path, &why) != -1 || v.fd != -1 ||
	    strcmp(why.text, want) != 0 || why.status != EXIT_BADCONFIG)
		return 2;
	if (stats_share(path, 2, getuid(), &why) != 0 || stats_is_open() !=
	    (difference < 0))
		return 3;
	stat(path, &st);
	if ((st.st_ino == was) != (difference > 0) ||
	    count_open() != before + (difference < 0))
		return 4;
	unlink(path);
	return close(held);
}

static int
earlier(void)
{
	return version(-1);
}

static int
later(void)
{
	return version(1);
}

/* What another process may do to the file for as long as it likes. */
static int
locked(void)
{
	int64_t begin;
	int fd, before, go[2], status;
	char c;
	pid_t pid;

	unlink(path);
	if (pipe(go) == -1)
		return 1;
	if ((pid = fork()) == 0) {
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (stats_lock(fd, F_WRLCK, STATS_MAKE_LOCK, 1) == -1)
			_exit(1);
		if (write(go[1], "x", 1) != 1)
			_exit(2);
		pause();
	}
	if (read(go[0], &c, 1) != 1)
		return 2;
	before = count_open();
	begin = clock_ms();
	if (stats_share(path, 2, getuid(), &why) != 0 || stats_is_open() ||
	    count_open() != before)
		return 3;
	if (clock_ms() - begin < 190 || clock_ms() - begin > scaled(10000))
		return 4;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return stats_share(path, 2, getuid(), &why) == 0 && stats_is_open() ? 0 : 5;
}

/* A reader may lock what it likes, too: unlisted processes are not endless. */
static int
many_locks(void)
{
	int go[2], fd, i, n;
	char c;
	pid_t pid;

	unlink(path);
	if (pipe(go) == -1 || stats_share(path, 2, getuid(), &why) == -1)
		return 1;
	if ((pid = fork()) == 0) {
		fd = open(path, O_RDWR);
		for (i = 0; i < 3000; i++)
			stats_lock(fd, F_WRLCK, STATS_UNLISTED + 2 * i, 1);
		if (write(go[1], "x", 1) != 1)
			_exit(2);
		pause();
	}
	if (read(go[0], &c, 1) != 1)
		return 2;
	n = (int)look().unlisted;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return n == 1000 ? 0 : 3;
}

static int
other_file(void)
{
	struct stats_view v;
	int before = count_open(), fd;
	char want[100];

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (write(fd, "text", 4) != 4 || close(fd) == -1)
		return 1;
	snprintf(want, sizeof(want), "--stats-file %s: not a statistics file",
	    path);
	if (stats_share(path, 2, getuid(), &why) != -1 || why.status != EXIT_BADUSAGE ||
	    strcmp(why.text, want) != 0 || stats_is_open())
		return 2;
	snprintf(want, sizeof(want), "%s: not a statistics page", path);
	if (stats_view_open(&v, path, &why) != -1 ||
	    why.status != EXIT_BADCONFIG || strcmp(why.text, want) != 0)
		return 3;
	if (stats_is_abandoned(path) || stats_share(dir, 2, getuid(), &why) != -1 ||
	    strstr(why.text, strerror(EISDIR)) == NULL)
		return 4;
	if (stats_view_open(&v, dir, &why) != -1)
		return 5;
	snprintf(want, sizeof(want), "%s/x", path);
	if (stats_view_open(&v, want, &why) != -1 ||
	    why.status != EXIT_BADUSAGE)
		return 6;
	return count_open() == before ? 0 : 7;
}

static int
denied(void)
{
	struct stats_view v;
	char want[200];

	unlink(path);
	if (stats_share(path, 2, getuid(), &why) == -1)
		return 1;
	stats_close(0);
	if (geteuid() != 0)
		return 0;
	chmod(dir, 0755);
	if (setuid(65534) == -1)
		return 2;
	snprintf(want, sizeof(want), "%s: Permission denied, it belongs to "
	    "another user", path);
	return stats_view_open(&v, path, &why) == -1 && why.status ==
	    EXIT_DENIED && strcmp(why.text, want) == 0 ? 0 : 3;
}

/* Each field of the header that says how it is to be read. */
static int
damaged(void)
{
	struct stats_header *h;
	uint32_t *field[6], was;
	struct stats_view v;
	struct stat st;
	off_t size;
	int i;

	unlink(path);
	if (stats_share(path, 2, getuid(), &why) == -1)
		return 1;
	h = stats_own.page;
	field[0] = &h->magic;
	field[1] = &h->version;
	field[2] = &h->header_size;
	field[3] = &h->slot_size;
	field[4] = &h->slots;
	field[5] = &h->slots;
	for (i = 0; i < 6; i++) {
		was = *field[i];
		*field[i] = i == 5 ? 2 : was + 1;
		if (stats_view_open(&v, path, &why) != -1)
			return 10 + i;
		*field[i] = was;
		if (stats_view_open(&v, path, &why) == -1)
			return 20 + i;
		stats_view_close(&v);
	}
	fstat(stats_own.fd, &st);
	size = st.st_size;
	for (i = -1; i < 2; i += 2) {
		if (ftruncate(stats_own.fd, size + i) == -1 ||
		    stats_view_open(&v, path, &why) != -1)
			return 30 + i;
		if (ftruncate(stats_own.fd, size + i * STATS_BLOCK) == -1 ||
		    stats_view_open(&v, path, &why) != -1)
			return 40 + i;
		ftruncate(stats_own.fd, size);
	}
	return 0;
}

/* Its owner makes it shorter, while it is used and read. */
static int
truncated(void)
{
	struct stats_view v;

	unlink(path);
	if (stats_share(path, 100, getuid(), &why) == -1 ||
	    stats_view_open(&v, path, &why) == -1)
		return 1;
	stats_take(STATS_SLOT_NONE, STATE_OPEN);
	if (stats_was_truncated() || ftruncate(stats_own.fd, 0) == -1)
		return 2;
	STATS_ADD(stats_mine->counts.up, 5);
	errno = ENOENT;
	if (stats_mine->counts.up != 5 || errno != ENOENT ||
	    !stats_was_truncated())
		return 3;
	look();
	if (stats_slots(&v) != 0 || stats_is_established(1, getpid()) != 1)
		return 4;
	stats_release(RESULT_ENDED);
	stats_view_close(&v);
	stats_close(0);
	return 0;
}

/* Any other fault of this kind ends the process, as it should. */
static int
other_fault(void)
{
	unlink(path);
	if (stats_share(path, 2, getuid(), &why) == -1)
		return 1;
	raise(SIGBUS);
	raise(SIGBUS);
	return 0;
}

static int
unguarded(void)
{
	struct stats_header *h;
	size_t size;
	int fd;

	unlink(path);
	if (stats_share(path, 2, getuid(), &why) == -1)
		return 1;
	fd = dup(stats_own.fd);
	h = stats_map(fd, PROT_READ, &size);
	stats_unguard(h);
	ftruncate(fd, 0);
	return *(volatile uint32_t *)&h->magic != 0;
}

/* A supervisor's page. */
static int
renamed(void)
{
	char other[100], third[100];
	int before = count_open();
	struct stat st;

	unlink(path);
	snprintf(other, sizeof(other), "%s/1-0a.stats", dir);
	snprintf(third, sizeof(third), "%s/2-0b.stats", dir);
	if (stats_create(path, 2, &about) != 0 ||
	    strcmp(stats_path(), path) != 0 || stats_is_shared())
		return 1;
	if (stats_create(path, 2, &about) != -1 || errno != EEXIST)
		return 2;
	close(open(third, O_WRONLY | O_CREAT, 0600));
	if (stats_rename(path) != 0 || stats_rename(other) != 0 ||
	    access(path, F_OK) != -1 || strcmp(stats_path(), other) != 0)
		return 3;
	if (stats_rename(third) != -1 || errno != EEXIST ||
	    strcmp(stats_path(), other) != 0 || access(other, F_OK) == -1)
		return 4;
	stats_chown(getuid() == 0 ? 12 : getuid(), getgid());
	if (stat(other, &st) == -1 || (getuid() == 0 && st.st_uid != 12))
		return 5;
	unlink(third);
	stats_close(0);
	if (access(other, F_OK) == -1 || count_open() != before)
		return 6;
	/* nobody uses it any more */
	if (!stats_is_abandoned(other) || count_open() != before ||
	    rundir_each(dir, NULL, NULL) != 0 || access(other, F_OK) != -1)
		return 7;
	stats_create(path, 2, &about);
	unlink(path);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	stats_close(1);		/* that of another one stays */
	if (access(path, F_OK) == -1)
		return 8;
	unlink(path);
	stats_create(path, 2, &about);
	stats_close(1);
	return access(path, F_OK) == -1 && count_open() == before ? 0 : 9;
}

/* A reader that finds an odd number, or another one, reads again. */
static int
sequence(void)
{
	uint32_t seq = 4;

	stats_seq_begin(&seq);
	if (seq != 5)
		return 1;
	stats_seq_begin(&seq);		/* a writer was killed in between */
	if (seq != 5)
		return 2;
	stats_seq_end(&seq);
	if (seq != 6)
		return 3;
	stats_seq_end(&seq);
	return seq == 8 ? 0 : 4;
}

/* What is written once there is a page, and what is not without one. */
static int
header(void)
{
	struct stats_about more = { "server", "c -> d", 9 };
	int64_t now = time(NULL);
	struct report r;
	int i;

	for (i = 0; i < 2; i++) {
		stats_set_ready_cache(5);
		stats_set_waiting(6);
		stats_set_sandbox("landlock");
		stats_retitle(&more);
		if (stats_ready_cache() != (i == 0 ? 0 : 5))
			return 1 + i;
		if (i == 0 && stats_create(NULL, 2, &about) == -1)
			return 3;
		r = look();
		if (i == 0 && (r.waiting != 0 || r.sandbox[0] != '\0' ||
		    strcmp(r.name, "a -> b") != 0 || r.max != 2))
			return 4;
	}
	return r.waiting == 6 && strcmp(r.sandbox, "landlock") == 0 &&
	    strcmp(r.name, "c -> d") == 0 && r.max == 9 &&
	    strcmp(r.mode, "server") == 0 && strcmp(r.version,
	    INETWS_VERSION) == 0 && r.started >= now &&
	    r.started <= now + 100 && r.uptime >= 0 && r.uptime < 100000 &&
	    stats_capacity() == 4 ? 0 : 5;
}

/* Texts that only a compromised child writes; times of another boot. */
static int
hostile(void)
{
	struct stats_view v;
	struct report_row row;
	struct report r;

	stats_create(NULL, 2, &about);
	stats_prepare(1);
	stats_take(1, STATE_LOST);
	memset(stats_mine->peer, '\033', sizeof(stats_mine->peer));
	memset(stats_mine->target, 'a', sizeof(stats_mine->target));
	stats_mine->begun_at = clock_ms() + 100000;
	stats_mine->data_at = -5;
	stats_mine->lost_at = clock_ms() + 100000;
	stats_mine->gap = 7;
	stats_mine->window_up = 5;
	stats_mine->window_down = 6;
	memset(stats_own.page->name, '\n', sizeof(stats_own.page->name));
	stats_own.page->started_at = INT64_MAX;
	stats_own.page->used = UINT32_MAX;
	r = look();
	if (strlen(r.name) >= sizeof(r.name) || strchr(r.name, '\n') != NULL ||
	    r.uptime != 0 || r.window != 6)
		return 1;
	stats_view_own(&v);
	if (stats_slots(&v) != stats_capacity() + 1)
		return 2;
	if (stats_row(&v, 1, &row) != 1 || strchr(row.peer, '\033') != NULL ||
	    strlen(row.peer) >= sizeof(row.peer) ||
	    strlen(row.target) != sizeof(row.target) - 1 || row.age != 0 ||
	    row.idle != 0 || row.lost != 0 || row.gap != 7)
		return 3;
	stats_mine->lost_at = 0;
	if (stats_row(&v, 1, &row) != 1 || row.lost != -1)
		return 4;
	if (stats_row(&v, 2, &row) || stats_row(&v, UINT32_MAX, &row) ||
	    stats_last_row(-1, &row) || stats_last_row(99, &row) ||
	    stats_last_row(1, &row) != 1)
		return 5;
	STATS_SET(stats_mine->state, STATES);
	r = look();
	return stats_row(&v, 1, &row) == 0 && report_active(&r) == 0 ? 0 : 6;
}

static int
resumed(void)
{
	stats_create(NULL, 2, &about);
	stats_prepare(1);
	stats_take(1, STATE_OPEN);
	stats_resumed(-5);
	if (stats_mine->gap != 0 || stats_mine->counts.gaps != 0)
		return 1;
	stats_resumed(INT64_C(1) << 40);
	if (stats_mine->gap != UINT32_MAX)
		return 2;
	stats_take(99, STATE_OPEN);		/* unlisted */
	stats_own.page->used = 1;
	if (look().gap != 0)
		return 3;
	stats_resumed(77);
	return look().gap == 77 ? 0 : 4;
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/page", dir);
	log_open(LOG_TO_NOWHERE, LOG_L_ERROR, NULL);
	is(run(makes), 0, "the first process makes the page");
	is(run(unlisted), 0, "more processes than slots");
	is(run(small), 0, "a page that is too small");
	is(run(uncounted), 0, "who cannot be counted");
	is(run(full), 0, "a supervisor's page that is full");
	unlink(path);
	is(run(killed), 0, "killed processes");
	is(run(earlier), 0, "a page of an earlier version is replaced");
	is(run(later), 0, "one of a later version is left alone");
	is(run(locked), 0, "a lock is waited for, but not for long");
	is(run(many_locks), 0, "any number of locks");
	is(run(other_file), 0, "another file");
	is(run(denied), 0, "another user's page");
	is(run(damaged), 0, "a damaged header");
	is(run(truncated), 0, "a file that was made shorter");
	is(run(other_fault), 1000 + SIGBUS, "a fault elsewhere ends it");
	is(run(unguarded), 1000 + SIGBUS, "so does one in what is not guarded");
	is(run(renamed), 0, "the page of a supervisor has one name");
	is(run(sequence), 0, "what is being changed is marked");
	is(run(header), 0, "what an instance says of itself");
	is(run(hostile), 0, "what a compromised child writes");
	is(run(resumed), 0, "gaps of any length");
	unlink(path);
	rmdir(dir);
	return done_testing();
}
