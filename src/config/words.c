/* SPDX-License-Identifier: ISC */
/* Options that may stand alone or have a value of their own kind. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/str.h"
#include "config/table.h"

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "daemon", LOG_DAEMON },	/* the default */
	{ "auth", LOG_AUTH }, { "authpriv", LOG_AUTHPRIV },
	{ "cron", LOG_CRON }, { "ftp", LOG_FTP }, { "lpr", LOG_LPR },
	{ "mail", LOG_MAIL }, { "news", LOG_NEWS }, { "user", LOG_USER },
	{ "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 }
};

#define NFACILITIES	(sizeof(facilities) / sizeof(facilities[0]))

static int
fail(char *err, size_t errlen, const char *value, const char *expected)
{
	char shown[80];

	snprintf(err, errlen, "'%s' is not %s",
	    option_show(shown, sizeof(shown), value), expected);
	return -1;
}

int
option_limit(int64_t *to, const struct option *row, const char *value,
    char *err, size_t errlen)
{
	if (value == NULL)
		*to = row->max;
	else if (str_duration(value, to) == -1)
		return fail(err, errlen, value,
		    "a duration like 500ms, 25s, 5m, 1h or 0 for off");
	return 0;
}

int
option_facility(int *to, const char *value, char *err, size_t errlen)
{
	size_t i;

	if (value == NULL || strcmp(value, "yes") == 0)
		value = facilities[0].name;
	if (strcmp(value, "no") == 0) {
		*to = 0;
		return 0;
	}
	for (i = 0; i < NFACILITIES; i++)
		if (strcmp(value, facilities[i].name) == 0) {
			*to = facilities[i].facility;
			return 0;
		}
	return fail(err, errlen, value, "a facility of syslog: auth, "
	    "authpriv, cron, daemon, ftp, lpr, mail, news, user, uucp or "
	    "local0 to local7");
}

const char *
option_facility_name(int facility)
{
	size_t i;

	for (i = 0; i < NFACILITIES; i++)
		if (facilities[i].facility == facility)
			return facilities[i].name;
	return facilities[0].name;
}
