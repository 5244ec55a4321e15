/* SPDX-License-Identifier: ISC */
/* The configuration file: an option on each line. */
#include <string.h>

#include "config/settings.h"
#include "config/types.h"

static int
unknown(const char *file, int line, const char *name, struct error *why)
{
	const char *bare = name + strspn(name, "-"), *near;
	char shown[64];

	near = option_nearest(bare, strlen(bare), 1);
	return error_set(why, EXIT_BADCONFIG,
	    "%s:%d: '%s' is not an option of a file%s%s%s", file, line,
	    word_show(shown, sizeof(shown), name),
	    near == NULL ? "" : "; did you mean ",
	    near == NULL ? "" : near, near == NULL ? "" : "?");
}

/* Parses a logical line: "name", "name value" or "name = value". */
static int
parse_line(struct settings *set, const char *file, int line, char *p,
    struct error *why)
{
	struct setting s = { NULL, NULL, file, line };
	size_t len = strspn(p, NAME_CHARS);
	char *value = p + len + strspn(p + len, BLANKS), *end;

	s.row = option_find(p, len);
	if (s.row == NULL || (s.row->place != P_ANY &&
	    s.row->place != P_FILE) ||
	    (value == p + len && *value != '\0' && *value != '=')) {
		p[len + strcspn(p + len, BLANKS "=")] = '\0';
		return unknown(file, line, p, why);
	}
	if (*value == '=')
		value += 1 + strspn(value + 1, BLANKS);
	if (*value == '"') {
		end = syntax_unquote(++value);
		if (end == NULL || *end != '\0')
			return setting_fail(&s, why, end == NULL ?
			    "the double quote is not closed" :
			    "nothing may follow the closing double quote");
		s.value = value;
	} else if (*value != '\0')
		s.value = value;
	/* Of mode, target, url and page only the last one would be used. */
	if (s.row->place == P_FILE &&
	    settings_of_file(set, s.row, file) != NULL)
		return setting_fail(&s, why, "is given twice");
	return settings_add(set, s) == 0 ? 0 :
	    setting_fail(&s, why, "more lines than an instance can have");
}

/*
 * Joins the physical lines of a logical line in place, and moves *text behind
 * them.  A comment has no continuation lines.
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
file_parse(struct settings *set, const char *name, char *text,
    struct error *why)
{
	char *p;
	int next = 0, line;

	while (*text != '\0') {
		line = next + 1;
		p = next_line(&text, &next);
		if (*p != '\0' && *p != '#' &&
		    parse_line(set, name, line, p, why) == -1)
			return -1;
	}
	return 0;
}
