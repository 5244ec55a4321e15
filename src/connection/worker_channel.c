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

/* A question, and its answer: 1 for the letter yes, 0 or -1 and why not. */
static int
ask(int channel, enum worker_letter question, const char *about,
    enum worker_letter yes, int64_t deadline, char *why, size_t size, unsigned int *again)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };
	char text[FDPASS_TEXT_MAX], *reason;
	int fd, letter = -1;

	if (fdpass_send(channel, question, about, -1) == 0)
		while ((letter = fdpass_take(channel, text, &fd)) == -1 &&
		    errno == EAGAIN && signals_wait(&p, 1, deadline) != -1)
			;
	/* None comes with an answer. */
	if (letter > 0 && fd != -1)
		close(fd);
	if (letter == (int)yes)
		return 1;
	if (letter <= 0)
		strlcpy(text, "5 no answer, the instance may be ending",
		    sizeof(text));
	*again = strtoul(text, &reason, 10);
	strlcpy(why, reason + (*reason == ' '), size);
	return letter > 0 ? 0 : -1;
}

int
worker_ask_park(int channel, const char *name, const char *agent_id,
    const char *hash, int64_t deadline, char *why, size_t size,
    unsigned int *again)
{
	char text[FDPASS_TEXT_MAX];

	snprintf(text, sizeof(text), "%s %s %s", name, agent_id, hash);
	return ask(channel, WORKER_ASK_PARK, text, WORKER_MAY_PARK, deadline,
	    why, size, again);
}

int
worker_ask_place(int channel, int64_t deadline, char *why, size_t size,
    unsigned int *again)
{
	return ask(channel, WORKER_ASK_PLACE, "", WORKER_PLACE, deadline, why,
	    size, again);
}

int
worker_send(int channel, enum worker_letter letter)
{
	return channel == -1 ? 0 : fdpass_send(channel, letter, "", -1);
}

int
worker_is_left(int channel)
{
	struct pollfd p = { .fd = channel };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
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
	if (letter == WORKER_STREAM && *fd == -1)
		worker_send(channel, WORKER_RETURNED);	/* no room for it */
	if (letter != WORKER_STREAM || *fd == -1) {
		if (letter > 0 && *fd != -1)
			close(*fd);
		return 0;
	}
	strlcpy(peer, text, NET_NAME_MAX);
	return 1;
}
