/* SPDX-License-Identifier: ISC */
/* What a process writes to standard error, and keeps in its variables. */
#ifndef SEEN_H
#define SEEN_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int seen_reader = -1;

/* From here on standard error is a pipe of ours. */
__attribute__((unused))
static void
seen_begin(void)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1 ||
	    dup2(p[1], STDERR_FILENO) == -1)
		abort();
	close(p[1]);
	seen_reader = p[0];
}

/* What was written since. */
__attribute__((unused))
static const char *
seen(void)
{
	static char text[16384];
	ssize_t n = read(seen_reader, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

__attribute__((unused))
static int
was_seen(const char *text)
{
	return strstr(seen(), text) != NULL;
}

extern char __bss_start[], _end[];

/*
 * Is the word in a static variable that began as zero?  Only its first letters
 * are compared at first, so that this function's own copy is not found.
 */
__attribute__((unused, no_sanitize("address", "undefined")))
static int
is_kept(const char *word)
{
	const volatile char *p, *end = _end - strlen(word);
	size_t i;

	for (p = __bss_start; p < end; p++) {
		for (i = 0; word[i] != '\0' && p[i] == word[i]; i++)
			;
		if (word[i] == '\0')
			return 1;
	}
	return 0;
}

#endif
