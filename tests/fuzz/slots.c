/* SPDX-License-Identifier: ISC */
/*
 * Input: what a supervisor does with its statistics page and what its children
 * write there: their slots, and then anything anywhere.  Asserted: a slot is
 * given out once and is one of the page, all calls end, what is counted stays
 * within its bounds, and each line of the log is one line of JSON.
 */
#include <unistd.h>

#include "connection/failure_lines.h"
#include "os/clock.h"
#include "os/log.h"
#include "os/log_output.h"
#include "stats/internal.h"
#include "stats/metrics.h"
#include "supervisor/slots.h"
#include "shown.h"

#define CHILDREN	8
#define STEPS		100
#define SOME		12	/* slots and names that are written */

int64_t __wrap_clock_ms(void);		/* in place of clock_ms() */
int __wrap_log_output_write(int, const char *, size_t);

static int64_t now;
static struct slots slots;
static struct stats_about about = { "gate", "a -> b", 100 };
static struct stats_header first;	/* as it was made */
static int given[CHILDREN];

int64_t
__wrap_clock_ms(void)
{
	return now;
}

int
__wrap_log_output_write(int level, const char *line, size_t len)
{
	CHECK(len > 0 && line[len] == '\0' && line[len - 1] == '\n');
	CHECK(shown_json(line, 0) == line + len - 1);
	return 0;
}

static void
once(void)
{
	if (slots.tables != NULL)
		return;
	setenv("RUNTIME_DIRECTORY", "/nonexistent/inetws", 1);
	log_style(LOG_JSON, 0);
	log_open(LOG_TO_STDERR, LOG_L_INFO, "inetws");
	now = 1000000;
	CHECK(slots_begin(&slots, SOME, &about) == 0 && stats_is_open());
	first = *stats_own.page;
}

/* The page as it was made: what may have been written is put back. */
static void
begin(void)
{
	struct stats_header *h = stats_own.page;
	unsigned int i;

	now = 1000000;
	*h = first;
	memset(&stats_at(h, 0)->counts, 0, sizeof(stats_mine->counts));
	for (i = 1; i < SOME + CHILDREN; i++)
		memset(stats_at(h, i), 0, sizeof(struct stats_slot));
	memset(stats_at(h, stats_capacity() + 1), 0, sizeof(struct stats_slot));
	for (i = 0; i < SOME; i++)
		memset(stats_name_at(h, stats_own.size, i), 0,
		    sizeof(struct stats_name));
	for (i = 0; i < CHILDREN; i++)
		given[i] = STATS_SLOT_NONE;
}

static void
scribble(struct input *in)
{
	unsigned int where = input_byte(in), n = where / 4 % SOME;
	size_t at = input_byte(in) << 8, len, room;
	const uint8_t *bytes;
	uint64_t number;
	char *p;

	at |= input_byte(in);
	p = (char *)stats_own.page;
	room = sizeof(struct stats_header);
	if (where % 4 == 1 || where % 4 == 2) {
		p = (char *)stats_at(stats_own.page, n == SOME - 1 ?
		    stats_capacity() + 1 : n);
		room = sizeof(struct stats_slot);
	} else if (where % 4 == 3) {
		p = (char *)stats_name_at(stats_own.page, stats_own.size, n);
		room = sizeof(struct stats_name);
	}
	at %= room;
	if (input_byte(in) % 2 == 0) {
		at &= ~(size_t)7;
		number = input_number(in);
		memcpy(p + at, &number, sizeof(number));
		return;
	}
	bytes = input_bytes(in, room - at, &len);
	memcpy(p + at, bytes, len);
}

/* What a child does that has this slot, and then it is the supervisor again. */
static void
be_child(struct input *in, int slot)
{
	struct stats_slot *mine = stats_mine;
	unsigned int what = input_byte(in), n;
	char text[64];

	if (slot == STATS_SLOT_NONE)
		return;
	if (what % 2 == 0)
		stats_take(slot, STATE_HANDSHAKE);
	else
		stats_mine = stats_at(stats_own.page, (unsigned int)slot);
	n = stats_count_source(input_byte(in) % 4, 5);
	CHECK(n <= 5);
	stats_begin_change();
	input_text(in, text, sizeof(text));
	strlcpy(stats_mine->peer, text, sizeof(stats_mine->peer));
	stats_end_change();
	stats_set_state(STATE_HANDSHAKE + what / 2 % 5);
	if (what >= 128)
		stats_lost(now);
	if (what >= 192)
		stats_resumed((int64_t)input_number(in));
	if (what % 16 == 15)
		stats_release(what / 16 % RESULTS);
	stats_mine = mine;
}

static void
take(int k)
{
	int i;

	if (given[k] != STATS_SLOT_NONE) {
		slots_give_back(&slots, given[k]);
		given[k] = STATS_SLOT_NONE;
		return;
	}
	given[k] = slots_take(&slots);
	CHECK(given[k] > 0 && given[k] <= (int)stats_capacity());
	for (i = 0; i < CHILDREN; i++)
		CHECK(i == k || given[i] != given[k]);
}

static void
repeat(struct input *in)
{
	struct stats_repeat text = { "a host", "a reason" };

	stats_repeats_add(input_byte(in) % 5, &text, now);
	stats_repeats_time();
	failure_lines_tell_repeated(now);
	stats_log_once(input_number(in));
}

static void
look(void)
{
	static char page[METRICS_MAX];
	static struct report_name of[REPORT_NAMES_MAX];
	static struct report_names names;
	struct metrics_form form = { 1, 1 };
	struct report_counts counts;
	struct report_row row;
	struct stats_view v;
	struct report r;
	struct out out;
	unsigned int i;

	memset(&names, 0, sizeof(names));
	names.of = of;
	names.max = REPORT_NAMES_MAX;
	stats_view_own(&v);
	stats_sum(&counts);
	stats_read(&v, &r);
	CHECK(stats_slots(&v) <= stats_capacity() + 1);
	stats_names(&v, &names);
	CHECK(names.n <= REPORT_NAMES_MAX);
	out_begin(&out, page, sizeof(page));
	metrics_write(&out, &form, &r, &names, NULL);
	shown_metrics(page);
	for (i = 0; i < SOME; i++)
		if (stats_row(&v, i, &row)) {
			out_begin(&out, page, sizeof(page));
			report_json_row(&out, &row);
			CHECK(*shown_json(page, 0) == '\0');
		}
}

static void
step(struct input *in)
{
	unsigned int what = input_byte(in), k = what / 16 % CHILDREN;
	char name[140];

	switch (what % 10) {
	case 0:
	case 1:
	case 2:
		scribble(in);
		break;
	case 3:
		take((int)k);
		break;
	case 4:
		be_child(in, given[k]);
		break;
	case 5:
		slots_log_killed(1234, 9, given[k]);
		CHECK(stats_is_established(given[k], getpid()) <= 1);
		break;
	case 6:
		repeat(in);
		now += 20000 * (what / 16);
		break;
	case 7:
		stats_set_name(k, input_text(in, name, sizeof(name)),
		    (int)what / 128, what);
		stats_set_waiting(what);
		stats_retitle(&about);
		break;
	case 8:
		CHECK(stats_has_websocket() <= 1);
		slots_look(&slots, now);
		stats_set_ready_cache(stats_ready_cache() + 1);
		break;
	default:
		look();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	int i;

	once();
	begin();
	for (i = 0; i < STEPS && in.left > 0; i++)
		step(&in);
	look();
	if (size > 0 && data[0] % 8 == 0)
		slots_log(3);
	for (i = 0; i < CHILDREN; i++)
		if (given[i] != STATS_SLOT_NONE)
			slots_give_back(&slots, given[i]);
	return 0;
}
