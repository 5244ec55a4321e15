/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <unistd.h>

#include "modes/check/check.h"
#include "net/race.h"
#include "os/clock.h"
#include "os/signals.h"

#define WAIT_MS		2000	/* for addresses that do not answer */

/* A race with one address each, so that all addresses are tried at once. */
static struct net_race race[NET_FOUND_MAX];
static struct net_found one[NET_FOUND_MAX];

static void
begin(int i, const struct net_found *found)
{
	one[i].n = 1;
	one[i].from = found->from;
	one[i].at[0] = found->at[i];
	/* For a host that is an address, reasons do not name the address. */
	net_race_begin(&race[i], "127.0.0.1", &one[i]);
}

/* Looks at an attempt.  1: it has ended. */
static int
look(struct check_address *a, struct net_race *r, int64_t begun)
{
	int result = net_race_step(r);

	if (result == 0)
		return 0;
	if (result == 1) {
		a->us = clock_us() - begun;
		a->why[0] = '\0';
		close(r->winner);
		r->winner = -1;
	} else
		strlcpy(a->why, r->reasons, sizeof(a->why));
	return 1;
}

/* Waits for the attempts to n addresses.  0, or -1: a signal came. */
static int
try(struct check *c, int n)
{
	struct pollfd p[NET_FOUND_MAX];
	int64_t begun = clock_us(), deadline = clock_ms() + WAIT_MS;
	int over[NET_FOUND_MAX] = { 0 }, i, k, left = n;
	const char *rest = "no answer";

	while (left > 0) {
		for (i = k = left = 0; i < n; i++) {
			if (c->address[i].us >= 0 || over[i])
				continue;
			over[i] = look(&c->address[i], &race[i], begun);
			if (over[i])
				continue;
			left++;
			k += net_race_poll(&race[i], p + k);
		}
		if (left > 0 && signals_wait(p, k, deadline) == -1) {
			if (signal_terminated())
				rest = "";
			break;
		}
	}
	for (i = 0; i < n; i++) {
		if (c->address[i].us >= 0 || over[i])
			continue;
		net_race_end(&race[i], NULL);
		strlcpy(c->address[i].why, rest, sizeof(c->address[i].why));
	}
	return rest[0] == '\0' ? -1 : 0;
}

void
check_addresses(struct check *c, const struct net_found *found)
{
	struct check_address *a;
	int i;

	for (i = 0; i < found->n; i++) {
		a = &c->address[i];
		net_print((const struct sockaddr *)&found->at[i].ss,
		    found->at[i].len, a->name, sizeof(a->name));
		a->us = c->connect >= 0 && strcmp(a->name, c->peer) == 0 ?
		    c->connect : -1;
		a->why[0] = '\0';
	}
	c->addresses = found->n;
}

int
check_other_addresses(struct check *c, const struct net_found *found)
{
	int i, others = 0;

	for (i = 0; i < found->n; i++) {
		if (c->address[i].us >= 0)
			continue;
		begin(i, found);
		others++;
	}
	return others > 0 ? try(c, found->n) : 0;
}
