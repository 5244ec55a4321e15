/* SPDX-License-Identifier: ISC */
/* The configuration file: the option table's names, one a line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/table.h"

#define NAME_CHARS	"abcdefghijklmnopqrstuvwxyz0123456789-_"
#define BLANKS		" \t\r"

/* A directory opens but does not read, hence the look at ferror(3). */
char *
file_read(struct options *o, const char *path, char *err, size_t errlen)
{
	FILE *f = fopen(path, "re");
	char *text = options_alloc(o, OPT_FILE_MAX + 2);
	size_t n = 0;

	if (f != NULL && text != NULL)
		n = fread(text, 1, OPT_FILE_MAX + 1, f);
	if (f == NULL || text == NULL || ferror(f))
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	else if (n > OPT_FILE_MAX)
		snprintf(err, errlen, "%s: larger than %d bytes", path,
		    OPT_FILE_MAX);
	else if (memchr(text, '\0', n) != NULL)
		snprintf(err, errlen, "%s: holds a NUL byte", path);
	else {
		fclose(f);
		text[n] = '\0';
		return text;
	}
	if (f != NULL)
		fclose(f);
	return NULL;
}

/*
 * Undoes quotes in place: p is behind the opening one.  Returns what follows
 * the closing one, NULL if there is none.  \" \\ and \n are escapes.
 */
static char *
unquote(char *p)
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

/* The vector and its words share one allocation; half of them are blanks. */
char **
words_split(struct options *o, const char *line)
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
			p = unquote(p);
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

/* A logical line: "name", "name value" or "name = value". */
static int
parse_line(struct settings *s, const char *file, int line, char *p,
    struct error *why)
{
	struct setting set = { NULL, NULL, file, line };
	size_t len = strspn(p, NAME_CHARS);
	char *value, *end, shown[64];
	const char *near;

	value = p + len + strspn(p + len, BLANKS);
	set.row = option_find(p, len);
	if (set.row == NULL || (set.row->place != P_ANY &&
	    set.row->place != P_FILE) ||
	    (value == p + len && *value != '\0' && *value != '=')) {
		p[len + strcspn(p + len, BLANKS "=")] = '\0';
		near = option_nearest(p + strspn(p, "-"),
		    strlen(p + strspn(p, "-")), 1);
		return error_set(why, EXIT_BADCONFIG,
		    "%s:%d: '%s' is not an option of a file%s%s%s", file, line,
		    option_show(shown, sizeof(shown), p),
		    near == NULL ? "" : "; did you mean ",
		    near == NULL ? "" : near, near == NULL ? "" : "?");
	}
	if (*value == '=')
		value += 1 + strspn(value + 1, BLANKS);
	if (*value == '"') {
		end = unquote(++value);
		if (end == NULL || *end != '\0')
			return setting_fail(&set, why, end == NULL ?
			    "the double quote is not closed" :
			    "nothing may follow the closing double quote");
		set.value = value;
	} else if (*value != '\0')
		set.value = value;
	if (settings_add(s, set) == -1)
		return setting_fail(&set, why, "too many lines");
	return 0;
}

/*
 * Joins the physical lines of a logical one in place, and moves *text past
 * them.  A comment does not continue.
 */
static char *
next_line(char **text, int *line)
{
	char *start = *text, *to = start, *p = start;
	int comment = start[strspn(start, BLANKS)] == '#';
	size_t len;

	for (;;) {
		len = strcspn(p, "\n");
		++*line;
		memmove(to, p, len);
		to += len;
		p += len;
		if (to > start && to[-1] == '\r')
			to--;
		if (*p == '\0')
			break;
		p++;
		if (comment || to == start || to[-1] != '\\')
			break;
		to--;
	}
	while (to > start && strchr(BLANKS, to[-1]) != NULL)
		to--;
	*to = '\0';
	*text = p;
	return start + strspn(start, BLANKS);
}

int
file_parse(struct settings *s, const char *name, char *text, struct error *why)
{
	char *p;
	int next = 0, line;

	while (*text != '\0') {
		line = next + 1;
		p = next_line(&text, &next);
		if (*p != '\0' && *p != '#' &&
		    parse_line(s, name, line, p, why) == -1)
			return -1;
	}
	return 0;
}
