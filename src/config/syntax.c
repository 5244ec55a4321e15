/* SPDX-License-Identifier: ISC */
/* Blanks and quotes on a line of the configuration file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/types.h"

/* \" \\ and \n are escapes. */
char *
syntax_unquote(char *p)
{
	char *to = p;

	for (; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			*to++ = *++p;
		else if (*p == '\\' && p[1] == 'n') {
			*to++ = '\n';
			p++;
		} else
			*to++ = *p;
	}
	if (*p == '\0')
		return NULL;
	*to = '\0';
	return p + 1;
}

/* argv and its words are in one block; a line has at most len / 2 + 1 words. */
char **
syntax_split(struct options *o, const char *line)
{
	size_t len = strlen(line), most = len / 2 + 2, n = 0;
	char **words = options_alloc(o, most * sizeof(*words) + len + 1), *p;

	if (words == NULL)
		return NULL;
	p = memcpy(words + most, line, len + 1);
	while (*(p += strspn(p, BLANKS)) != '\0') {
		words[n++] = p;
		if (*p == '"') {
			words[n - 1] = ++p;
			p = syntax_unquote(p);
			if (p == NULL || (*p != '\0' &&
			    strchr(BLANKS, *p) == NULL))
				break;
		} else {
			p += strcspn(p, BLANKS);
			if (*p != '\0')
				*p++ = '\0';
		}
	}
	if (n == 0 || p == NULL || *p != '\0')
		return NULL;
	words[n] = NULL;
	return words;
}

static void
put_quoted(const char *s, FILE *f)
{
	putc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			fputs("\\n", f);
			continue;
		}
		if (*s == '"' || *s == '\\')
			putc('\\', f);
		putc(*s, f);
	}
	putc('"', f);
}

/* With quotes if file_parse() would read another value without them. */
void
syntax_put(const char *name, const char *value, FILE *f)
{
	size_t len = strlen(value);

	fprintf(f, "%s ", name);
	if (len == 0 || strchr("=\"" BLANKS, value[0]) != NULL ||
	    strchr("\\" BLANKS, value[len - 1]) != NULL ||
	    strchr(value, '\n') != NULL)
		put_quoted(value, f);
	else
		fputs(value, f);
	putc('\n', f);
}

static void
put_words(char *const *words, FILE *f)
{
	const char *before = "";

	for (; *words != NULL; words++, before = " ") {
		fputs(before, f);
		if (**words == '\0' || strpbrk(*words, "\"\\\n" BLANKS) != NULL)
			put_quoted(*words, f);
		else
			fputs(*words, f);
	}
}

void
syntax_put_words(const char *name, char *const *words, FILE *f)
{
	fprintf(f, "%s ", name);
	put_words(words, f);
	putc('\n', f);
}

void
syntax_put_program(const char *name, char *const *words, FILE *f)
{
	char *line = NULL;
	size_t len;
	FILE *m = open_memstream(&line, &len);

	if (m == NULL)
		return;
	put_words(words, m);
	if (fclose(m) == 0)
		syntax_put(name, line, f);
	free(line);
}
