/* SPDX-License-Identifier: ISC */
/*
 * check --proxy-idle: how long the path lets an idle websocket live.
 */
#ifndef MODES_CHECK_IDLE_H
#define MODES_CHECK_IDLE_H

#include "config/options.h"
#include "handshake/websocket.h"
#include "modes/check/check.h"

/*
 * Opens some websockets at once, pings each after another idle time, the last
 * one after o->check.proxy_idle, and fills in what became of them.  It is over
 * when one was ended, or did not answer.
 */
void check_idle(struct check *, const struct options *, struct trust *);

#endif
