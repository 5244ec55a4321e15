/* SPDX-License-Identifier: ISC */
/* What struct options owns: blocks of memory, some with the text of a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "config/types.h"
#include "os/readfile.h"

/* A block of memory, in a list. */
struct options_block {
	struct options_block *next;
	char *memory[];		/* aligned for pointers */
};

void *
options_alloc(struct options *o, size_t size)
{
	struct options_block *b = malloc(sizeof(*b) + size);

	if (b == NULL)
		return NULL;
	b->next = o->owned;
	o->owned = b;
	return b->memory;
}

void
options_free(struct options *o)
{
	struct options_block *b;

	while ((b = o->owned) != NULL) {
		o->owned = b->next;
		free(b);
	}
}

char *
options_file(struct options *o, const char *path, char *err, size_t errlen)
{
	char *text = options_alloc(o, OPT_FILE_MAX + 1);
	ssize_t n = text == NULL ? -1 : readfile(path, text, OPT_FILE_MAX + 1);

	if (path[0] == '\0')
		snprintf(err, errlen, "the name of a file is missing");
	else if (n == -1 && errno == EFBIG)
		snprintf(err, errlen, "%s: larger than %d bytes", path,
		    OPT_FILE_MAX);
	else if (n == -1)
		snprintf(err, errlen, "%s: %s", path, readfile_reason(errno));
	else if (memchr(text, '\0', n) != NULL)
		snprintf(err, errlen, "%s: holds a NUL byte", path);
	else
		return text + lines_skip_mark(slice_of(text));
	return NULL;
}

void *
value_alloc(const struct value *v, size_t size)
{
	void *p = options_alloc(v->o, size);

	if (p == NULL)
		value_fail(v, "out of memory");
	return p;
}

char *
value_file(const struct value *v, const char *path)
{
	return options_file(v->o, path, v->err, v->errlen);
}
