/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "supervisor/takeover.h"

/* Where it stands among those that were replaced, or -1. */
static int
find_replaced(const struct takeover *t, const char *agent_id)
{
	int i;

	for (i = 0; agent_id[0] != '\0' && i < TAKEOVER_REPLACED; i++)
		if (strcmp(t->replaced[i], agent_id) == 0)
			return i;
	return -1;
}

int
takeover_claim(struct takeover *t, const char *agent_id, int64_t now)
{
	int at = find_replaced(t, agent_id);

	if (agent_id[0] != '\0' && strcmp(t->agent_id, agent_id) == 0)
		return 1;
	if (at != -1 && (t->websockets > 0 || now < t->last + TAKEOVER_MS))
		return 0;
	/* The oldest one is forgotten, or the one that is back. */
	if (at == -1)
		at = TAKEOVER_REPLACED - 1;
	memmove(t->replaced[1], t->replaced[0],
	    (size_t)at * sizeof(t->replaced[0]));
	memcpy(t->replaced[0], t->agent_id, sizeof(t->replaced[0]));
	strlcpy(t->agent_id, agent_id, sizeof(t->agent_id));
	t->n++;
	t->websockets = 0;
	t->last = now;
	return 1;
}

unsigned int
takeover_add(struct takeover *t)
{
	t->websockets++;
	return t->n;
}

void
takeover_remove(struct takeover *t, unsigned int n, int64_t now)
{
	if (t->n != n || t->websockets == 0)
		return;
	t->websockets--;
	t->last = now;
}
