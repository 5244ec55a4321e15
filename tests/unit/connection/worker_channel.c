/* SPDX-License-Identifier: ISC */
/*
 * What a parked child and its supervisor tell each other.
 *
 * If it fails: a visitor is lost between them, a refusal does not say why, or
 * descriptors leak into a child.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "connection/worker_channel.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/signals.h"
#include "descriptors.h"
#include "tap.h"

static int up[2];		/* the supervisor's end, the child's */

static void
open_channel(void)
{
	if (fdpass_pair(up) == -1)
		abort();
}

/* The next letter that the supervisor gets, with its text. */
static const char *
got(void)
{
	static char line[FDPASS_TEXT_MAX + 4];
	char text[FDPASS_TEXT_MAX];
	int fd, letter = fdpass_take(up[0], text, &fd);

	if (letter <= 0)
		return "nothing";
	snprintf(line, sizeof(line), "%c %s", letter, text);
	return line;
}

static int
park(const char *answer, int with_fd, char *why, size_t size,
    unsigned int *again)
{
	if (answer != NULL)
		fdpass_send(up[0], answer[0], answer + 1, with_fd ? 0 : -1);
	return worker_ask_park(up[1], "name", "agent", "hash",
	    clock_ms() + (answer != NULL ? 10000 : 300), why, size, again);
}

static void
test_park(void)
{
	char why[40];
	unsigned int again = 99;
	int before;

	open_channel();
	before = count_open();
	is(park("W", 0, why, sizeof(why), &again), 1, "it may be parked");
	is_str(got(), "P name agent hash", "what was asked");
	is(park("W", 1, why, sizeof(why), &again), 1, "... with a descriptor");
	is(count_open(), before, "that nobody wants");
	got();
	is(park("F30 too many", 0, why, sizeof(why), &again), 0, "refused");
	is_str(why, "too many", "why");
	is(again, 30, "and for how long");
	got();
	is(park("F7", 0, why, sizeof(why), &again), 0, "without a reason");
	is_str(why, "", "there is none");
	is(again, 7, "but a time");
	got();
	is(park("O", 0, why, sizeof(why), &again), 0, "another one's answer");
	got();
	is(park("F5 a text that is far too long for its reader, isn't it",
	    0, why, sizeof(why), &again), 0, "a long reason");
	is(strlen(why), sizeof(why) - 1, "is cut");
	got();
	is(park(NULL, 0, why, sizeof(why), &again), -1, "no answer in time");
	is_str(why, "no answer, the instance may be ending", "is told");
	is(again, 5, "it may be better soon");
	close(up[0]);
	again = 0;
	is(park(NULL, 0, why, sizeof(why), &again), -1, "no supervisor");
	is(again, 5, "is the same");
	close(up[1]);
}

static void
test_place(void)
{
	char why[40];
	unsigned int again;

	open_channel();
	fdpass_send(up[0], WORKER_PLACE, "", -1);
	is(worker_ask_place(up[1], clock_ms() + 10000, why, sizeof(why), &again),
	    1, "there is a place");
	is_str(got(), "E ", "what was asked");
	fdpass_send(up[0], WORKER_MAY_PARK, "", -1);
	is(worker_ask_place(up[1], clock_ms() + 10000, why, sizeof(why), &again),
	    0, "another answer is none");
	got();
	is(worker_send(up[1], WORKER_TAKEN), 0, "a letter");
	is_str(got(), "T ", "arrives");
	worker_retry_after(up[1], 4000000000U);
	is_str(got(), "R 4000000000", "a Retry-After");
	is(worker_send(-1, WORKER_TAKEN), 0, "without a channel nothing is said");
	worker_retry_after(-1, 5);
	is_str(got(), "nothing", "to anyone");
	close(up[0]);
	signal(SIGPIPE, SIG_IGN);
	is(worker_send(up[1], WORKER_TAKEN), -1, "it has not been sent");
	close(up[1]);
}

static void
test_stream(void)
{
	char peer[NET_NAME_MAX] = "?";
	int fd = -7, before;

	open_channel();
	before = count_open();
	is(worker_take_stream(up[1], &fd, peer), 0, "no visitor");
	fdpass_send(up[0], WORKER_STREAM, "192.0.2.1:5", 0);
	is(worker_take_stream(up[1], &fd, peer), 1, "a visitor");
	is_str(peer, "192.0.2.1:5", "its address");
	ok(fd > 2 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "its descriptor");
	close(fd);
	is_str(got(), "nothing", "which is not yet taken");
	fdpass_send(up[0], WORKER_STREAM, "192.0.2.1:6", -1);
	is(worker_take_stream(up[1], &fd, peer), 0, "one that was cut off");
	is_str(got(), "B ", "is given back");
	fdpass_send(up[0], WORKER_MAY_PARK, "", 0);
	is(worker_take_stream(up[1], &fd, peer), 0, "no visitor comes so");
	is(count_open(), before, "nor stays its descriptor");
	is_str(got(), "nothing", "and nothing is said");
	is(worker_is_left(up[1]), 0, "the supervisor is there");
	close(up[0]);
	is(worker_is_left(up[1]), 1, "it is not");
	is(worker_is_left(-1), 0, "without a channel it is not missed");
	is(worker_take_stream(up[1], &fd, peer), -1, "no supervisor");
	close(up[1]);
	is(worker_take_stream(up[1], &fd, peer), -1, "no channel");
}

int
main(void)
{
	signals_single();
	test_park();
	test_place();
	test_stream();
	return done_testing();
}
