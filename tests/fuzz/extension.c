/* SPDX-License-Identifier: ISC */
/*
 * Input: an element of Sec-WebSocket-Extensions.  Asserted: what is valid is
 * within its limits, and written and read again is the same.
 */
#include "ws/extension.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t size)
{
	struct slice element = { (const char *)in, size };
	struct extension ext, again;
	char out[256];
	int n;

	if (!extension_parse(&ext, element)) {
		CHECK(extension_is_ours(element) || ext.id[0] == '\0');
		return 0;
	}
	CHECK(extension_is_ours(element));
	CHECK(ext.id[0] != '\0' && strlen(ext.id) <= EXTENSION_ID_MAX);
	CHECK(ext.win >= EXTENSION_WIN_MIN && ext.win <= EXTENSION_WIN_MAX);
	CHECK(ext.session[0] == '\0' ||
	    strlen(ext.session) == EXTENSION_SESSION_LEN);
	n = extension_write(out, sizeof out, &ext);
	CHECK(n > 0 && (size_t)n == strlen(out));
	CHECK(extension_parse(&again, slice_of(out)) == 1);
	CHECK(memcmp(&ext, &again, sizeof ext) == 0);
	return 0;
}
