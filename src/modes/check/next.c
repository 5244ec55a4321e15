/* SPDX-License-Identifier: ISC */
/*
 * The last lines of the result: what to do about failures, or how to use what
 * works.
 */
#include <stdio.h>
#include <string.h>

#include "config/options.h"
#include "modes/check/judge.h"

/* In a ProxyCommand of ssh "%" begins a placeholder, and "%%" is one "%". */
static void
double_percents(char *dst, size_t size, const char *src)
{
	size_t n = 0;

	for (; *src != '\0' && n + 2 < size; src++) {
		dst[n++] = *src;
		if (*src == '%')
			dst[n++] = '%';
	}
	dst[n] = '\0';
}

void
check_advise_use(const struct check *c, char *dst, size_t size)
{
	char command[sizeof(c->again) + 32];
	char doubled[2 * sizeof(command)];
	struct out o;

	out_begin(&o, dst, size);
	if (c->again[0] == '\0')
		out_add(&o, "use it: inetws client -l 127.0.0.1:PORT, with the "
		    "options and the URL of this check");
	else if (strncmp(c->banner, "SSH-", 4) == 0) {
		snprintf(command, sizeof(command), "inetws connect %s",
		    c->again);
		double_percents(doubled, sizeof(doubled), command);
		out_add(&o, "use it: ssh -o ProxyCommand=");
		options_quote(&o, doubled);
		out_add(&o, " USER@HOST");
	} else
		out_add(&o, "use it: inetws client -l 127.0.0.1:PORT %s",
		    c->again);
	if (c->left_out[0] != '\0')
		out_add(&o, " # and, not shown here: %s",
		    c->left_out);
}

void
check_next(struct out *o, const struct check *c,
    void (*add)(struct out *, int n, const char *line))
{
	char use[CHECK_USE_MAX];
	int i, n = 0;

	for (i = 0; i < CHECK_STEPS; i++)
		if (c->step[i].advice[0] != '\0')
			add(o, n++, c->step[i].advice);
	if (n > 0)
		return;
	if (check_level(c) == CHECK_OK) {
		check_advise_use(c, use, sizeof(use));
		add(o, 0, use);
	} else
		add(o, 0, c->stopped != 0 ? ADVICE_REST :
		    ADVICE_CORRECT);
}
