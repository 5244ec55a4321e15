/* SPDX-License-Identifier: ISC */
/*
 * Input: sizes of pieces, then text.  Asserted: the incremental check says
 * the same as the reference, at the same piece, however it is cut.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "utf8_reference.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct utf8_reference ref = { 0, 0, 0 };
	struct utf8 u;
	const uint8_t *sizes = in, *text;
	uint8_t *exact;
	size_t n, i, at = 0, k = 0, len;
	int want = 0, got;

	if (size < 4)
		return 0;
	text = in + 4;
	len = size - 4;
	utf8_begin(&u);
	while (at < len) {
		n = sizes[k++ % 4] % 64 + 1;
		n = n < len - at ? n : len - at;
		exact = malloc(n);
		memcpy(exact, text + at, n);
		got = utf8_feed(&u, exact, n);
		free(exact);
		for (i = 0; i < n && want == 0; i++)
			want = utf8_reference(&ref, text[at + i]);
		CHECK(got == want);
		if (want == -1)
			return 0;
		CHECK(utf8_complete(&u) == (ref.left == 0));
		at += n;
	}
	return 0;
}
