/* SPDX-License-Identifier: ISC */
/*
 * Why something failed: one line, whatever a peer had in it.
 *
 * If it fails: a peer writes to the terminal, or a reason is cut off.
 */
#include "base/error.h"
#include "tap.h"

int
main(void)
{
	struct error why = { 0, "" };
	char big[2 * sizeof(why.text)];

	is(error_set(&why, EXIT_DENIED, "%s: %d", "a\r\nb\x1b[2J\x7f~\xc3", 7),
	    -1, "-1, so that it can be returned");
	is(why.status, EXIT_DENIED, "the status");
	is_str(why.text, "a??b?[2J?~\xc3: 7", "no control characters");
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	error_set(&why, EXIT_LOST, "%s", big);
	is(strlen(why.text), sizeof(why.text) - 1, "a long one is cut");
	for (why.status = 0; why.status < 128; why.status++)
		if (error_is_local(&why) != (why.status == 64 ||
		    why.status == 71 || why.status == 78))
			ok(0, "status %d", why.status);
	ok(1, "64, 71 and 78 are our own side's");
	return done_testing();
}
