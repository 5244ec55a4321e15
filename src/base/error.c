/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/str.h"

int
error_set(struct error *w, int status, const char *fmt, ...)
{
	va_list ap;
	char *p;

	w->status = status;
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
	for (p = w->text; *p != '\0'; p++)
		if (str_is_control(*p))
			*p = '?';
	return -1;
}

int
error_is_local(const struct error *w)
{
	return w->status == EXIT_BADUSAGE || w->status == EXIT_SYSTEM ||
	    w->status == EXIT_BADCONFIG;
}
