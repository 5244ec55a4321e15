/* SPDX-License-Identifier: ISC */
/* A check that has tried nothing yet, and a place for what is printed of it. */
#ifndef CHECKING_H
#define CHECKING_H

#include <string.h>

#include "modes/check/check.h"

#define NOW	1000000000
#define DAY	86400

static struct check c;
static char buf[32768];
static struct out o;

static void
fresh(void)
{
	memset(&c, 0, sizeof(c));
	strlcpy(c.url, "wss://h/", sizeof(c.url));
	c.failed_at = c.under_way = CHECK_STEPS;
	c.find = c.connect = c.tunnel = c.tls = c.upgrade = -1;
	c.message_us = c.resumed_us = -1;
	out_begin(&o, buf, sizeof(buf));
}

#endif
