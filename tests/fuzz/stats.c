/* SPDX-License-Identifier: ISC */
/*
 * Input: the file of a statistics page.  Either what is in it, from the
 * beginning; or one that an instance made, and what a process of it wrote there
 * later.  Asserted: a file that is no page is refused with words; whatever is in
 * a page, each way of showing it ends, and is well-formed and printable.
 */
#include <sys/mman.h>

#include <errno.h>
#include <unistd.h>

#include "modes/status/status.h"
#include "os/clock.h"
#include "stats/internal.h"
#include "stats/metrics.h"
#include "shown.h"

#define SLOTS		6
#define WRITES_MAX	64
#define TEXT_MAX	(METRICS_MAX + (1 << 20))

int __wrap_usleep(useconds_t);		/* in place of usleep(3) */

static struct options o;
static char path[64], text[TEXT_MAX];
static size_t page_size;
static int fd = -1;

int
__wrap_usleep(useconds_t us)
{
	return 0;
}

static void
once(void)
{
	if (fd != -1)
		return;
	CHECK((fd = memfd_create("page", MFD_CLOEXEC)) != -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	page_size = stats_page_size(stats_slots_for(SLOTS));
	o.status.page = path;
}

/* The file as it was made, with some slots in use. */
static void
make(int gate, unsigned int used)
{
	struct stats_about about = { gate ? "gate" : "server",
	    "127.0.0.1:1 -> 127.0.0.1:2", 100 };
	struct stats_header *h;
	unsigned int i;

	CHECK(ftruncate(fd, (off_t)page_size) == 0);
	h = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(h != MAP_FAILED);
	stats_describe(h, stats_slots_for(SLOTS), &about);
	h->used = 1 + used % SLOTS;
	h->names = gate ? 2 : 0;
	for (i = 0; i < h->used; i++) {
		stats_at(h, i)->state = i == 0 ? STATE_LISTENING : STATE_OPEN;
		stats_at(h, i)->pid = getpid();
	}
	munmap(h, page_size);
}

/* Where a process may write: all of it, but mostly what is looked at. */
static size_t
place(struct input *in)
{
	unsigned int where = input_byte(in);
	size_t at = input_byte(in) << 8, slot = where / 4 % (SLOTS + 3);

	at |= input_byte(in);
	switch (where % 4) {
	case 0:
		return at % sizeof(struct stats_header);
	case 1:
		return (STATS_HEADER_BLOCKS + slot / STATS_BLOCK_SLOTS) * STATS_BLOCK +
		    slot % STATS_BLOCK_SLOTS * sizeof(struct stats_slot) +
		    at % sizeof(struct stats_slot);
	case 2:
		return page_size - STATS_NAMES * sizeof(struct stats_name) +
		    slot * sizeof(struct stats_name) +
		    at % sizeof(struct stats_name);
	default:
		return (at * 16 + slot) % page_size;
	}
}

static void
scribble(struct input *in)
{
	const uint8_t *p;
	uint64_t number;
	size_t at, len;
	int i;

	for (i = 0; i < WRITES_MAX && in->left > 0; i++) {
		at = place(in);
		if (input_byte(in) % 2 == 0) {
			at &= ~(size_t)7;
			number = input_number(in);
			p = (const uint8_t *)&number;
			len = sizeof(number);
		} else
			p = input_bytes(in, 255, &len);
		if (len > page_size - at)
			len = page_size - at;
		CHECK(pwrite(fd, p, len, (off_t)at) == (ssize_t)len);
	}
}

static struct out
begin(void)
{
	struct out out;

	out_begin(&out, text, sizeof(text));
	return out;
}

static void
show_json(const struct status_instance *in)
{
	struct out out = begin();
	unsigned int i;

	out_add(&out, "{");
	report_json_head(&out, &in->report);
	out_add(&out, ",\"names\":[");
	for (i = 0; i < in->names.n; i++) {
		out_add(&out, "%s", i > 0 ? "," : "");
		report_json_name(&out, &in->names.of[i]);
	}
	out_add(&out, "],\"tunnels\":[");
	for (i = 0; i < in->nrows; i++) {
		out_add(&out, "%s", i > 0 ? "," : "");
		report_json_row(&out, &in->row[i]);
	}
	out_add(&out, "]}");
	CHECK(!out.cut && *shown_json(text, 0) == '\0');
}

static void
show_table(const struct status_instance *in, unsigned int width)
{
	struct out out = begin();
	unsigned int i;
	char *p;

	report_table_head(&out, &in->report, width);
	report_table_name_columns(&out);
	for (i = 0; i < in->names.n; i++)
		report_table_name(&out, &in->names.of[i]);
	report_table_columns(&out, width);
	for (i = 0; i < in->nrows; i++)
		report_table_row(&out, &in->row[i], width);
	CHECK(!out.cut);
	while ((p = strchr(text, '\n')) != NULL)
		*p = ' ';
	check_plain(text);
}

/* Its own style and script are no part of what others choose. */
static void
show_html(struct status_instance *in)
{
	struct out out = begin();
	unsigned int i;
	char *body;

	report_html_head(&out, &in->report);
	CHECK(!out.cut && (body = strstr(text, "</style>")) != NULL);
	shown_html(body);
	out = begin();
	report_html_names(&out, &in->names);
	report_html_columns(&out);
	for (i = 0; i < in->nrows; i++)
		report_html_row(&out, &in->row[i]);
	CHECK(!out.cut);
	shown_html(text);
}

static void
show_metrics(const struct status_instance *in)
{
	struct metrics_form form = { in->nrows % 2, 1 };
	struct out out = begin();

	metrics_write(&out, &form, &in->report, &in->names, NULL);
	CHECK(!out.cut && out.len < METRICS_MAX);
	shown_metrics(text);
}

static void
look(void)
{
	struct status first, st;
	struct error why;
	unsigned int i;

	if (status_look(&first, &o, &why) == -1) {
		CHECK(why.status == EXIT_BADCONFIG && why.text[0] != '\0');
		check_plain(why.text);
		return;
	}
	CHECK(status_look(&st, &o, &why) == 0 && st.n == 1);
	st.at = first.at + 50;
	status_rates(&st, &first);
	for (i = 0; i < strlen(STATUS_KEYS); i++)
		status_sort(&st, STATUS_KEYS[i], (int)i % 2);
	CHECK(st.instance[0].nrows <= stats_slots_for(SLOTS) + STATS_BLOCK_SLOTS);
	show_json(&st.instance[0]);
	show_table(&st.instance[0], 0);
	show_table(&st.instance[0], 80);
	show_html(&st.instance[0]);
	show_metrics(&st.instance[0]);
	status_free(&first);
	status_free(&st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int how;

	once();
	how = input_byte(&in);
	CHECK(ftruncate(fd, 0) == 0);
	if (how >= 16) {
		make(how % 2, how / 2);
		scribble(&in);
		if (how >= 240)
			CHECK(ftruncate(fd, (off_t)(page_size -
			    1 - how % 16 * 100)) == 0);
	} else
		CHECK(pwrite(fd, in.p, in.left, 0) == (ssize_t)in.left &&
		    ftruncate(fd, how % 2 == 0 ? (off_t)in.left :
		    (off_t)page_size) == 0);
	look();
	return 0;
}
