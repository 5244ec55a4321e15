/* SPDX-License-Identifier: ISC */
/*
 * check --proxy-idle: how long an idle websocket lives on the path.
 */
#ifndef MODES_CHECK_IDLE_H
#define MODES_CHECK_IDLE_H

#include "config/options.h"
#include "handshake/websocket.h"
#include "modes/check/check.h"

/*
 * Opens up to eight websockets at once, and pings each after another idle time;
 * the longest is o->check.proxy_idle, the next ones are a half, a quarter and
 * so on.  Fills in what happened to them.  Stops when one was ended, or did not
 * answer.
 */
void check_idle(struct check *, const struct options *, struct trust *);

#endif
