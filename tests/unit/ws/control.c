/* SPDX-License-Identifier: ISC */
/*
 * The control lines of the extension.
 *
 * If it fails: two versions of inetws do not understand each other.
 */
#include <stdlib.h>
#include <string.h>

#include "ws/control.h"
#include "tap.h"

static const struct {
	const char *line;
	enum control_kind kind;
	uint64_t number;
	const char *text;
} good[] = {
	{ "open -", CONTROL_OPEN, 0, "-" },
	{ "open 192.0.2.1:4711", CONTROL_OPEN, 0, "192.0.2.1:4711" },
	{ "open [2001:db8::1]:22", CONTROL_OPEN, 0, "[2001:db8::1]:22" },
	{ "ok", CONTROL_OK, 0, NULL },
	{ "fail connection refused", CONTROL_FAIL, 0, "connection refused" },
	{ "eof 0", CONTROL_EOF, 0, NULL },
	{ "eof 10", CONTROL_EOF, 10, NULL },
	{ "eof 9223372036854775807", CONTROL_EOF, INT64_MAX, NULL },
	{ "rst", CONTROL_RST, 0, NULL },
	{ "ack 0", CONTROL_ACK, 0, NULL },
	{ "ack 65536", CONTROL_ACK, 65536, NULL },
};

static const char *const bad[] = {
	"", " ", "o", "k", "ac", "eo", "rs", "ope", "OK", "Ack 1", "quit",
	"ok ", "ok 1", "okay", " ok", "ok\n", "rst ", "rst 0", "rst\r\n",
	"ack", "ack ", "ack  1", "ack\t1", "ack -1", "ack +1", "ack 01",
	"ack 00", "ack 1 ", "ack 1\n", "ack 1x", "ack 0x1", "ack 1.0",
	"ack 9223372036854775808", "ack 9999999999999999999",
	"ack 18446744073709551616", "ack 00000000000000000001",
	"ack 1 eof 2", "ack 1  2", "ack 1 ", "ack 1 02", "ack 1 2 3",
	"ack 1 9223372036854775808", "ack  1", "eof 1 2", "eof", "eof ", "eof x", "eof 1,",
	"open nobody", "open 192.0.2.1", "open 192.0.2.1:65536",
	"open ::1:22", "open [192.0.2.1]:22", "open [fe80::1%lo]:22",
	"open -:1", "open 192.0.2.1:", "open 192.0.2.1:022",
	"open", "open ", "open a\x1f", "open \x7f", "open caf\xc3\xa9",
	"fail", "fail ", "fail a\nb", "fail \x1b[2J",
};

static int
parse(struct control *c, const char *line, size_t n, char **copy)
{
	*copy = malloc(n > 0 ? n : 1);
	memcpy(*copy, line, n);
	return control_parse(c, *copy, n);
}

static void
test_good(void)
{
	struct control c;
	char line[CONTROL_LINE_MAX], *copy;
	size_t i, n;
	int fine;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		n = strlen(good[i].line);
		fine = parse(&c, good[i].line, n, &copy) == 0 &&
		    c.kind == good[i].kind && c.number == good[i].number;
		if (fine && good[i].text != NULL)
			fine = c.text.len == strlen(good[i].text) &&
			    memcmp(c.text.p, good[i].text, c.text.len) == 0;
		ok(fine, "read '%s'", good[i].line);
		free(copy);
		if (good[i].text != NULL) {
			ok(control_write_text(line, good[i].kind,
			    good[i].text) == n &&
			    memcmp(line, good[i].line, n) == 0, "write '%s'",
			    good[i].line);
			continue;
		}
		memset(line, '#', sizeof(line));
		ok(control_write(line, good[i].kind, good[i].number) == n &&
		    memcmp(line, good[i].line, n) == 0, "write '%s'",
		    good[i].line);
		while (n < sizeof(line) && line[n] == '#')
			n++;
		is(n, sizeof(line), "and nothing behind it");
	}
}

static void
test_bad(void)
{
	struct control c;
	char *copy, line[2 * CONTROL_LINE_MAX],
	    out[CONTROL_LINE_MAX + 1] = { [CONTROL_LINE_MAX] = 'z' };
	size_t i, wrong = 0;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&c, bad[i], strlen(bad[i]), &copy) != -1) {
			printf("# accepted '%s'\n", bad[i]);
			wrong++;
		}
		free(copy);
	}
	is(wrong, 0, "what is no line is refused");
	memset(line, '0', sizeof(line));
	memcpy(line, "open [::", 8);
	memcpy(line + 8 + CONTROL_ADDR_MAX, "]:1", 4);
	is(parse(&c, line, strlen(line), &copy), -1, "no address is so long");
	free(copy);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	is(control_write_text(out, CONTROL_FAIL, line), CONTROL_LINE_MAX,
	    "a long reason is cut");
	ok(memcmp(out, "fail xxx", 8) == 0 && out[CONTROL_LINE_MAX] == 'z',
	    "where the line ends");
	is(parse(&c, "ok\0", 3, &copy), -1, "no NUL behind a line");
	free(copy);
	is(parse(&c, "ack 1\0", 6, &copy), -1, "no NUL behind a number");
	free(copy);
	is(parse(&c, "fail a\0b", 8, &copy), -1, "no NUL in a text");
	free(copy);
}

static void
test_ack(void)
{
	static const struct {
		const char *line;
		uint64_t number, credit;
	} acks[] = {
		{ "ack 0 0", 0, 0 },
		{ "ack 65536 262144", 65536, 262144 },
		{ "ack 9223372036854775807 9223372036854775807", INT64_MAX,
		    INT64_MAX },
	};
	struct control c;
	char line[CONTROL_LINE_MAX], *copy;
	size_t i, n;

	for (i = 0; i < sizeof(acks) / sizeof(acks[0]); i++) {
		n = strlen(acks[i].line);
		ok(parse(&c, acks[i].line, n, &copy) == 0 &&
		    c.kind == CONTROL_ACK && c.numbers == 2 &&
		    c.number == acks[i].number && c.credit == acks[i].credit,
		    "read '%s'", acks[i].line);
		free(copy);
		ok(control_write_ack(line, acks[i].number, acks[i].credit) ==
		    n && memcmp(line, acks[i].line, n) == 0, "write '%s'",
		    acks[i].line);
	}
	parse(&c, "ack 7", 5, &copy);
	is(c.numbers, 1, "one number");
	free(copy);
}

int
main(void)
{
	test_good();
	test_ack();
	test_bad();
	return done_testing();
}
