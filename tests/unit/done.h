/* SPDX-License-Identifier: ISC */
/* What a file under test asked the parts around it to do, in its order. */
#ifndef DONE_H
#define DONE_H

#include <string.h>

#define DONE_MAX	400

static char done_words[DONE_MAX];

/* One more thing that was done. */
static void
did(const char *what)
{
	if (done_words[0] != '\0')
		strlcat(done_words, " ", sizeof(done_words));
	strlcat(done_words, what, sizeof(done_words));
}

/* All that was, since it was asked last. */
static const char *
was_done(void)
{
	static char all[DONE_MAX];

	strlcpy(all, done_words, sizeof(all));
	done_words[0] = '\0';
	return all;
}

#endif
