/* SPDX-License-Identifier: ISC */
/*
 * Unpredictable bytes.
 *
 * If it fails: a key or a mask has bytes that can be guessed, or a secret
 * overwrites what is behind it.
 */
#include "os/random.h"
#include "tap.h"

/* Each byte changes at last, and none beyond them. */
static void
test_bytes(size_t len)
{
	static unsigned char all[1000], got[1000];
	size_t i, same = 0;
	int k;

	memset(all, 0, sizeof(all));
	for (k = 0; k < 20; k++) {
		memset(got, 0, sizeof(got));
		random_bytes(got, len);
		for (i = 0; i < sizeof(got); i++)
			all[i] |= got[i];
	}
	for (i = 0; i < len; i++)
		same += all[i] == 0;
	is(same, 0, "each byte is filled");
	for (; i < sizeof(all); i++)
		same += all[i] != 0;
	is(same, 0, "and no other");
}

int
main(void)
{
	static const size_t sizes[] = { 0, 1, 16, 255, 256, 257, 512, 700 };
	int seen[3] = { 0 }, i;
	size_t k;

	for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++)
		test_bytes(sizes[k]);
	for (i = 0; i < 300; i++)
		seen[random_below(3)]++;
	ok(seen[0] > 50 && seen[1] > 50 && seen[2] > 50, "a number below 3");
	is(random_below(1), 0, "below 1 there is one");
	return done_testing();
}
