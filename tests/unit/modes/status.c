/* SPDX-License-Identifier: ISC */
/*
 * The order of instances and of their rows.
 *
 * If it fails: status shows first what nobody asked for.
 */
#include <stdlib.h>
#include <string.h>

#include "modes/status/status.h"
#include "tap.h"

#define N	3

static struct report_row row[N];
static struct status_instance instance[N];
static struct status st = { .instance = instance };
static char got[N + 1];

/* The rows, as letters of their first places. */
static const char *
sorted(int key, int backwards, const struct report_row from[N])
{
	int i;

	memcpy(row, from, sizeof(row));
	instance[0].row = row;
	instance[0].nrows = N;
	st.n = 1;
	status_sort(&st, key, backwards);
	for (i = 0; i < N; i++)
		got[i] = row[i].id[0];
	return got;
}

/* Each of them differs from the others in one thing alone. */
static void
test_keys(void)
{
	static const struct report_row rows[N] = {
		{ .id = "a", .pid = 3, .peer = "10.0.0.2", .target = "b:1",
		    .state = 2, .idle = 7, .age = 20, .up_rate = 1, .up = 5,
		    .down_rate = 9, .down = 1 },
		{ .id = "b", .pid = 2, .peer = "10.0.0.1", .target = "c:1",
		    .state = 3, .idle = 5, .age = 10, .up_rate = 1, .up = 9,
		    .down_rate = 9, .down = 1 },
		{ .id = "c", .pid = 1, .peer = "10.0.0.3", .target = "a:1",
		    .state = 1, .idle = 6, .age = 30, .up_rate = 8, .up = 1,
		    .down_rate = 9, .down = 2 },
	};
	static const struct { int key; const char *want, *back; } v[] = {
		{ 'p', "bac", "cab" }, { 't', "cab", "bac" },
		{ 's', "cab", "bac" }, { 'i', "bca", "acb" },
		{ 'a', "bac", "cab" }, { 'u', "cba", "abc" },
		{ 'd', "cba", "abc" },
	};
	struct report_row same[N];
	size_t i, j;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		is_str(sorted(v[i].key, 0, rows), v[i].want, "by a key");
		is_str(sorted(v[i].key, 1, rows), v[i].back, "backwards");
		for (j = 0; j < N; j++) {
			same[j] = rows[0];
			same[j].pid = rows[j].pid;
			memcpy(same[j].id, rows[j].id, sizeof(same[j].id));
		}
		is_str(sorted(v[i].key, 0, same), "cba", "the same: by pid");
	}
	memcpy(same, rows, sizeof(same));
	same[0].down_rate = 10;
	is_str(sorted('d', 0, same), "acb", "how fast counts more than how much");
}

static void
test_instances(void)
{
	static const char *const mode[N] = { "server", "client", "server" };
	static const char *const name[N] = { "b", "z", "a" };
	int i;

	memset(instance, 0, sizeof(instance));
	for (i = 0; i < N; i++) {
		strlcpy(instance[i].report.mode, mode[i],
		    sizeof(instance[i].report.mode));
		strlcpy(instance[i].report.name, name[i],
		    sizeof(instance[i].report.name));
	}
	st.n = N;
	status_sort(&st, 'a', 0);
	for (i = 0; i < N; i++)
		got[i] = instance[i].report.name[0];
	is_str(got, "zab", "by mode, then by name");
	status_sort(&st, 'a', 1);
	for (i = 0; i < N; i++)
		got[i] = instance[i].report.name[0];
	is_str(got, "zab", "also where rows are backwards");
	st.n = 0;
	status_sort(&st, 'a', 0);
	is_str(instance[0].report.name, "z", "nothing to sort");
}

int
main(void)
{
	test_keys();
	test_instances();
	return done_testing();
}
