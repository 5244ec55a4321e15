/* SPDX-License-Identifier: ISC */
/*
 * Input: the form of the log, then events with keys and values of any bytes.
 * Asserted: each is one line of printable ASCII that its reader takes apart
 * into the same keys, however long the values are; the same bytes shown in
 * JSON, HTML and a label of metrics are well-formed.
 */
#include "base/out.h"
#include "base/str.h"
#include "os/log.h"
#include "os/log_output.h"
#include "shown.h"

#define PAIRS_MAX	20

int __wrap_log_output_write(int, const char *, size_t);

static enum log_format format;
static unsigned int lines, pairs;

/* Only \xNN, \n, \r and \t are escapes. */
static const char *
behind_quote(const char *p)
{
	for (; *p != '"'; p++) {
		CHECK(*p != '\0');
		if (*p != '\\')
			continue;
		p++;
		CHECK(*p != '\0' && strchr("xnrt", *p) != NULL);
		if (*p == 'x')
			CHECK(strspn(p + 1, "0123456789abcdefABCDEF") >= 2);
	}
	return p + 1;
}

/* logfmt: KEY=WORD or KEY="ESCAPED", separated by blanks. */
static unsigned int
count_logfmt(const char *p)
{
	unsigned int n = 0;

	for (; *p != '\0'; n++) {
		CHECK(*p >= 'a' && *p <= 'z');
		p += strspn(p, "abcdefghijklmnopqrstuvwxyz-");
		CHECK(*p++ == '=');
		if (*p == '"')
			p = behind_quote(p + 1);
		else
			p += strcspn(p, " =\"\\");
		CHECK(*p == ' ' || *p == '\0');
		p += *p == ' ';
	}
	return n;
}

int
__wrap_log_output_write(int level, const char *line, size_t len)
{
	char copy[LOG_LINE_MAX + 1];
	int cut;

	lines++;
	CHECK(len > 0 && len < LOG_LINE_MAX && line[len - 1] == '\n' &&
	    strlen(line) == len);
	memcpy(copy, line, len);
	copy[len - 1] = '\0';
	check_plain(copy);
	cut = strstr(copy, " cut=1") != NULL;
	if (format == LOG_JSON)
		CHECK(*shown_json(copy, 0) == '\0');
	else if (format == LOG_LOGFMT)
		/* time, level and event go before */
		CHECK(cut || count_logfmt(copy) == pairs + 3);
	return 0;
}

static void
line(struct input *in)
{
	char value[256];
	const uint8_t *p;
	struct log_line l;
	size_t len;
	unsigned int how;

	pairs = 0;
	log_begin(&l, LOG_L_WARN, "event");
	while (in->left > 0 && pairs < PAIRS_MAX &&
	    (how = input_byte(in) % 8) != 7) {
		pairs++;
		if (how < 2)
			log_str(&l, "text", input_text(in, value,
			    sizeof(value)));
		else if (how < 4)
			log_why(&l, "why", input_text(in, value,
			    sizeof(value)));
		else if (how == 4)
			log_num(&l, "number", (int64_t)input_number(in));
		else if (how == 5)
			log_seconds(&l, "seconds", (int64_t)input_number(in));
		else {
			p = input_bytes(in, 255, &len);
			log_bytes(&l, "bytes", p, len);
		}
	}
	log_end(&l);
}

static void
escapes(const uint8_t *p, size_t len)
{
	static char dst[65536];
	char text[1024], shown[64];
	struct out out;

	len = len < sizeof(text) ? len : sizeof(text) - 1;
	memcpy(text, p, len);
	text[len] = '\0';
	out_begin(&out, dst, sizeof(dst));
	out_member(&out, "text", text);
	CHECK(!out.cut && strncmp(dst, "\"text\":", 7) == 0 &&
	    *shown_json(dst + 7, 0) == '\0');
	out_begin(&out, dst, sizeof(dst));
	out_add(&out, "<p title=\"");
	out_html(&out, text);
	out_add(&out, "\">x</p>\n");
	shown_html(dst);
	out_begin(&out, dst, sizeof(dst));
	out_add(&out, "a{b=\"");
	out_label(&out, text);
	out_add(&out, "\"} 1\n");
	shown_metrics(dst);
	check_plain(str_escape(shown, sizeof(shown), p, len));
	CHECK(strchr(shown, '"') == NULL);
	text[63] = 'x';
	str_copy_shown(shown, text, sizeof(shown));
	CHECK(memchr(shown, '\0', sizeof(shown)) != NULL);
	check_plain(shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	format = input_byte(&in) % 3;
	log_style(format, 0);
	log_open(LOG_TO_STDERR, LOG_L_WARN, "inetws");
	lines = 0;
	escapes(in.p, in.left);
	line(&in);
	CHECK(lines == 1);
	return 0;
}
