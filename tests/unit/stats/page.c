/* SPDX-License-Identifier: ISC */
/* If it fails: the statistics are wrong, or end a tunnel. */
#include <sys/wait.h>

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/clock.h"
#include "stats/page.h"
#include "tap.h"

static const struct stats_about about = { "server", "a -> b", 2 };

static void
look(struct report *r)
{
	struct stats_view v;

	stats_view_own(&v);
	stats_read(&v, r);
}

/* A child that counts so many bytes in a slot; killed or at its end. */
static void
child(int slot, uint64_t bytes, int killed)
{
	pid_t pid;

	stats_prepare(slot);
	if ((pid = fork()) == 0) {
		stats_take(slot, STATE_OPEN);
		STATS_SET(stats_mine->counts.up, stats_mine->up_before + bytes);
		if (killed)
			kill(getpid(), SIGKILL);
		stats_release(RESULT_ENDED);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
without_page(void)
{
	stats_take(STATS_SLOT_NONE, STATE_OPEN);
	STATS_ADD(stats_mine->counts.up, 5);
	stats_release(RESULT_ENDED);
	ok(stats_mine != NULL, "without a page there is a slot to write to");
}

/* A child whose websocket is lost, and replaced after so many ms. */
static void
gap(int64_t ms, unsigned int window)
{
	pid_t pid;

	stats_prepare(1);
	if ((pid = fork()) == 0) {
		stats_take(1, STATE_OPEN);
		STATS_SET(stats_mine->window_up, window);
		stats_lost(clock_ms() - 100);
		if (ms >= 0)
			stats_resumed(ms);
		stats_set_state(ms >= 0 ? STATE_OPEN : STATE_LOST);
		if (ms >= 0)
			stats_release(RESULT_ENDED);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

static void
gaps(void)
{
	struct stats_view v;
	struct report_row row;
	struct report r;
	unsigned int i;
	int good = 1;

	ok(stats_log_once(1) && stats_log_once(1), "without a page all is new");
	is(stats_create(NULL, 2, &about), 0, "a page");
	stats_take(0, STATE_LISTENING);
	gap(500, 70000);
	gap(1500, 80000);
	gap(1000, 90000);
	look(&r);
	is((long long)r.counts.losses, 3, "three lost");
	is((long long)r.counts.resumes, 3, "three resumed");
	is((long long)r.counts.gaps, 3000, "three seconds without");
	is(r.gap, 1500, "the longest stays");
	is(r.window, 0, "windows are of those that live");
	gap(-1, 100000);
	look(&r);
	is(r.active[STATE_LOST], 1, "one is lost now");
	is(r.window, 100000, "its window");
	stats_view_own(&v);
	is(stats_row(&v, 1, &row), 1, "its row");
	ok(row.lost >= 100 && row.gap == row.lost && row.window_up == 100000,
	    "lost for %lld ms", (long long)row.lost);
	ok(stats_log_once(1), "new");
	ok(!stats_log_once(1), "known now");
	for (i = 2; i < 17; i++)
		good &= stats_log_once(i);
	ok(good && !stats_log_once(1), "so are the last 16");
	ok(stats_log_once(17) && stats_log_once(1), "and no more");
	stats_close(1);
}

static void
anonymous(void)
{
	struct report r;

	is(stats_create(NULL, 2, &about), 0, "a page without a file");
	stats_take(0, STATE_LISTENING);
	child(1, 100, 0);
	look(&r);
	is((long long)r.counts.up, 100, "what a child wrote is seen");
	is((long long)r.counts.ended[RESULT_ENDED], 1, "and how it ended");
	is(r.pid, getpid(), "the supervisor is known");
	child(1, 10, 1);
	look(&r);
	is(report_active(&r), 1, "a killed child is active until reaped");
	stats_close_slot(1);
	look(&r);
	is(report_active(&r), 0, "then not");
	is((long long)r.counts.ended[RESULT_KILLED], 1, "counted as killed");
	is((long long)r.counts.up, 110, "and with its bytes");
	stats_close_slot(1);
	look(&r);
	is((long long)r.counts.ended[RESULT_KILLED], 1, "only once");
	child(7, 1000, 0);
	look(&r);
	is((long long)r.counts.up, 1110, "one without a slot counts too");
	is((long long)r.counts.begun, 3, "as a connection");
	stats_close(1);
}

static uint64_t
begun(void)
{
	struct report r;

	look(&r);
	return r.counts.begun;
}

/* When a connection is counted: not a redial that is handed over. */
static void
redials(void)
{
	struct report r;

	is(stats_create(NULL, 2, &about), 0, "a page");
	stats_prepare(1);
	stats_take(1, STATE_HANDSHAKE);
	look(&r);
	is((long long)report_total(&r), 1, "in handshake: one in all");
	is((long long)r.counts.begun, 0, "that does not count yet");
	stats_release(RESULT_HANDED_OVER);
	look(&r);
	is((long long)report_total(&r), 0, "handed over: none");
	stats_take(1, STATE_HANDSHAKE);
	stats_release(RESULT_DENIED);
	is((long long)begun(), 1, "a failed handshake counts");
	stats_take(1, STATE_HANDSHAKE);
	stats_set_state(STATE_OPEN);
	is((long long)begun(), 2, "a finished one too");
	stats_set_state(STATE_LOST);
	stats_release(RESULT_ENDED);
	is((long long)begun(), 2, "once");
	stats_take(1, STATE_HANDSHAKE);
	stats_close_slot(1);
	is((long long)begun(), 3, "and one that was killed in it");
	stats_close(1);
}

/* Many at once: each is told of another number of those before it. */
static void
sources(const char *path)
{
	enum { N = 40 };
	int pair[2], gate[2], seen[N] = { 0 }, i;
	unsigned char n;
	pid_t pid;

	is(stats_create(path, N + 1, &about), 0, "a page");
	stats_take(0, STATE_LISTENING);
	if (pipe(pair) == -1 || pipe(gate) == -1)
		exit(1);
	for (i = 0; i <= N; i++)
		stats_prepare(i + 1);
	for (i = 0; i < N; i++)
		if ((pid = fork()) == 0) {
			close(gate[1]);
			stats_take(i + 1, STATE_HANDSHAKE);
			n = stats_count_source(i % 2 == 0 ? 7 : 8, 1000);
			if (write(pair[1], &n, 1) != 1)
				_exit(1);
			_exit(read(gate[0], &n, 1) != 0);
		}
	for (i = 0; i < N; i++)
		if (read(pair[0], &n, 1) == 1 && n < N)
			seen[n]++;
	for (i = 0; i < N / 2 && seen[i] == 2; i++)
		;
	is(i, N / 2, "each of two sources counts up by one");
	stats_take(N + 1, STATE_HANDSHAKE);
	is(stats_count_source(9, 1000), 0, "another source has no connection");
	is(stats_count_source(7, 1000), N / 2, "or all of them");
	ok(!stats_is_established(N + 1, getpid()), "a handshake is one");
	STATS_SET(stats_mine->state, STATE_OPEN);
	ok(stats_is_established(N + 1, getpid()), "a tunnel is none");
	ok(!stats_is_established(1, getpid()), "nor is a process that has not begun");
	is(stats_is_established(STATS_SLOT_NONE, 1 << 29), -1,
	    "one that has taken no slot");
	close(gate[1]);
	while (waitpid(-1, NULL, 0) > 0)
		;
	for (i = 0; i < N; i++)
		stats_close_slot(i + 1);
	is(stats_count_source(7, 1000), 0, "a connection that has ended does not count");
	stats_release(RESULT_ENDED);
	close(pair[0]);
	close(pair[1]);
	close(gate[0]);
	stats_close(1);
}

static void
bad_files(void)
{
	char path[] = "/tmp/stats.XXXXXX";
	struct error why;
	struct stats_view v;
	int fd = mkstemp(path);

	is(stats_view_open(&v, path, &why), -1, "an empty file is no page");
	is(why.status, EXIT_BADCONFIG, "bad configuration");
	is(ftruncate(fd, 100000), 0, "zeros");
	is(stats_view_open(&v, path, &why), -1, "nor are zeros");
	unlink(path);
	close(fd);
	is(stats_view_open(&v, path, &why), -1, "nor is none");
	is(why.status, EXIT_BADUSAGE, "not found");
}

/* The names of a gate. */
static void
names(void)
{
	static const struct stats_about gate = { "gate", "a -> b", 2 };
	struct report_name of[4];
	struct report_names found = { .of = of, .max = 4 };
	struct stats_view v;

	is(stats_create(NULL, 2, &gate), 0, "a gate's page");
	stats_set_name(0, "ann", 1, 0);
	stats_set_name(1, "bob", 0, 7);
	stats_set_name(2, "eve", 0, 0);
	stats_set_name(0, "ann", 1, 2);
	stats_set_name(2, "", 0, 0);
	stats_set_name(STATS_NAMES, "x", 0, 0);
	stats_view_own(&v);
	stats_names(&v, &found);
	is(found.n, 2, "its names, without those that are gone");
	is_str(of[0].text, "ann", "one");
	is(of[0].listed * 10 + of[0].waiting, 12, "and its numbers");
	is(of[1].listed * 10 + of[1].waiting, 7, "the other one");
	stats_close(1);
	is(stats_create(NULL, 2, &about), 0, "one that is no gate's");
	found.n = 0;
	stats_view_own(&v);
	stats_names(&v, &found);
	is(found.n, 0, "has none");
	stats_close(1);
}

/* A child that was compromised leaves all slots in the middle of a change. */
static void
held_up(const char *path)
{
	enum { SLOTS = 2000 };
	struct report_counts counts;
	struct report_row row;
	struct stats_view v;
	struct error why;
	struct report r;
	int64_t begun;
	unsigned int rows, i;
	int tries = 0;

	is(stats_create(path, SLOTS, &about), 0, "a page");
	stats_take(0, STATE_LISTENING);
	for (i = 1; i <= SLOTS; i++) {
		stats_prepare((int)i);
		stats_take((int)i, STATE_OPEN);
		stats_begin_change();
	}
	do {			/* a busy machine holds it up, too */
		begun = clock_ms();
		rows = 0;
		stats_sum(&counts);
		look(&r);
		stats_view_own(&v);
		for (i = 0; i < stats_slots(&v); i++)
			rows += stats_row(&v, i, &row);
	} while (clock_ms() - begun >= scaled(1000) && ++tries < 3);
	ok(tries < 3, "the supervisor is not held up");
	is(r.active[STATE_OPEN], SLOTS, "all are counted");
	is(rows, SLOTS, "and have rows");
	begun = clock_ms();
	is(stats_view_open(&v, path, &why), 0, "another process reads it");
	stats_read(&v, &r);
	for (i = 0; i < stats_slots(&v); i++)
		stats_row(&v, i, &row);
	ok(clock_ms() - begun < scaled(2000), "and is not held up for long");
	stats_view_close(&v);
	stats_close(1);
}

/* A slot of which every byte was another connection's: 0 if none is left. */
static int
leftovers(void)
{
	size_t from = offsetof(struct stats_slot, resumes), i;
	const char *bytes;
	int n = 0;

	stats_take(1, STATE_OPEN);
	memset((char *)stats_mine + from, 'A',
	    offsetof(struct stats_slot, counts) - from);
	stats_release(RESULT_ENDED);
	stats_take(1, STATE_OPEN);
	n += stats_mine->rtt != -1;
	stats_mine->begun_at = stats_mine->data_at = stats_mine->rtt = 0;
	stats_mine->up_before = stats_mine->down_before = 0;
	bytes = (const char *)stats_mine;
	for (i = from; i < offsetof(struct stats_slot, counts); i++)
		n += bytes[i] != 0;
	return n;
}

static void
next_connection(void)
{
	pid_t pid;
	int status;

	is(stats_create(NULL, 2, &about), 0, "a page");
	stats_prepare(1);
	if ((pid = fork()) == 0)
		_exit(leftovers() != 0);
	waitpid(pid, &status, 0);
	is(status, 0, "the next connection of a slot begins without traces");
	stats_close(1);
}

/* One slot in each of two states: is there a websocket? */
static int
has_websocket(enum report_state a, enum report_state b)
{
	pid_t pid;
	int status;

	stats_prepare(0);
	stats_prepare(1);
	if ((pid = fork()) == 0) {
		stats_take(0, a);
		if ((pid = fork()) == 0) {
			stats_take(1, b);
			_exit(stats_has_websocket());
		}
		waitpid(pid, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void
websockets(void)
{
	static const enum report_state with[] = { STATE_PARKED, STATE_OPEN,
	    STATE_HALF_CLOSED, STATE_LOST };
	unsigned int i, k;
	int n = 0;

	is(stats_create(NULL, 2, &about), 0, "a page");
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++)
			n += has_websocket(with[i], with[k]);
	is(n, 16, "two websockets in any states are websockets");
	is(has_websocket(STATE_HANDSHAKE, STATE_HANDSHAKE), 0,
	    "a handshake is none");
	for (i = n = 0; i < 4; i++)
		n += has_websocket(STATE_HANDSHAKE, with[i]);
	is(n, 4, "next to one");
	stats_close(1);
}

/* More names than there is room for, each found again. */
static void
many_names(void)
{
	static struct report_name of[REPORT_NAMES_MAX];
	static struct report_names n = { .of = of, .max = REPORT_NAMES_MAX };
	char text[20];
	unsigned int i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < REPORT_NAMES_MAX + 10; i++) {
			snprintf(text, sizeof(text), "agent%u", i);
			report_add_name(&n, text, 0, 1);
		}
	is(n.n, REPORT_NAMES_MAX, "as many names as there is room for");
	is_str(of[4000].text, "agent4000", "in the order they came");
	is(of[4000].waiting, 2, "each once");
}

int
main(void)
{
	char dir[] = "/tmp/iws.XXXXXX", path[64];

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/page", dir);
	without_page();
	gaps();
	next_connection();
	websockets();
	anonymous();
	redials();
	bad_files();
	names();
	many_names();
	held_up(path);
	sources(NULL);
	sources(path);
	rmdir(dir);
	return done_testing();
}
