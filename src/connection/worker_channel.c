/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection/worker_channel.h"
#include "net/fdpass.h"
#include "os/signals.h"

int
worker_ask_park(int channel, const char *name, const char *agent_id,
    const char *hash, int64_t deadline, char *why, size_t size,
    unsigned int *again)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	char text[FDPASS_TEXT_MAX], *reason;
	int fd, letter;

	snprintf(text, sizeof(text), "%s %s %s", name, agent_id, hash);
	if (fdpass_send(channel, WORKER_ASK_PARK, text, -1) == -1)
		return -1;
	while ((letter = fdpass_take(channel, text, &fd)) == -1 &&
	    errno == EAGAIN && signals_wait(&p, 1, deadline) != -1)
		;
	if (letter == WORKER_MAY_PARK)
		return 1;
	if (letter <= 0)
		strlcpy(text, "5 the gate is closing", sizeof(text));
	*again = strtoul(text, &reason, 10);
	strlcpy(why, reason + (*reason == ' '), size);
	return letter > 0 ? 0 : -1;
}

int
worker_send(int channel, char letter)
{
	return channel == -1 ? 0 : fdpass_send(channel, letter, "", -1);
}

void
worker_retry_after(int channel, uint32_t seconds)
{
	char text[16];

	if (channel == -1)
		return;
	snprintf(text, sizeof(text), "%" PRIu32, seconds);
	fdpass_send(channel, WORKER_RETRY_AFTER, text, -1);
}

int
worker_take_stream(int channel, int *fd, char peer[NET_NAME_MAX])
{
	char text[FDPASS_TEXT_MAX];
	int letter;

	letter = fdpass_take(channel, text, fd);
	if (letter == 0 || (letter == -1 && errno != EAGAIN))
		return -1;
	if (letter != WORKER_STREAM || *fd == -1) {
		if (letter > 0 && *fd != -1)
			close(*fd);
		return 0;
	}
	strlcpy(peer, text, NET_NAME_MAX);
	return 1;
}
