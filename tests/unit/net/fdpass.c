/* SPDX-License-Identifier: ISC */
/* If it fails: a visitor or a redial is lost between two processes. */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "net/fdpass.h"
#include "tap.h"

/* What a peer may send that is not fdpass_send(). */
static void
send_two(int to, const int two[2], size_t len)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} c;
	char message[1 + FDPASS_TEXT_MAX] = "V";
	struct iovec iov = { message, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c.room) };

	memset(&c, 0, sizeof(c));
	c.align.cmsg_level = SOL_SOCKET;
	c.align.cmsg_type = SCM_RIGHTS;
	c.align.cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(&c.align), two, 2 * sizeof(int));
	sendmsg(to, &m, 0);
}

/* The next descriptor that would be opened. */
static int
next_free(void)
{
	int fd = open("/dev/null", O_RDONLY);

	close(fd);
	return fd;
}

static void
test_messages(void)
{
	char text[FDPASS_TEXT_MAX], longest[FDPASS_TEXT_MAX + 1];
	int pair[2], fd;

	is(fdpass_pair(pair), 0, "a pair");
	is(fdpass_take(pair[1], text, &fd), -1, "nothing there");
	is(errno, EAGAIN, "so far");
	is(fdpass_send(pair[0], 'A', "hello", -1), 0, "a message");
	is(fdpass_take(pair[1], text, &fd), 'A', "arrives");
	is_str(text, "hello", "with its text");
	is(fd, -1, "and no descriptor");
	is(fdpass_send(pair[0], 'B', "", STDIN_FILENO), 0, "one with");
	is(fdpass_take(pair[1], text, &fd), 'B', "arrives");
	ok(fd > STDERR_FILENO, "with it");
	is(fcntl(fd, F_GETFD), FD_CLOEXEC, "close-on-exec");
	close(fd);
	memset(longest, 'x', sizeof(longest));
	longest[FDPASS_TEXT_MAX] = '\0';
	is(fdpass_send(pair[0], 'C', longest, -1), -1, "a text too long");
	is(errno, EMSGSIZE, "is refused");
	close(pair[0]);
	is(fdpass_take(pair[1], text, &fd), 0, "the end");
	close(pair[1]);
}

static void
test_too_many(void)
{
	const int two[2] = { STDIN_FILENO, STDERR_FILENO };
	char text[FDPASS_TEXT_MAX];
	int pair[2], fd, before;

	fdpass_pair(pair);
	before = next_free();
	send_two(pair[0], two, 1 + FDPASS_TEXT_MAX);
	is(fdpass_take(pair[1], text, &fd), 'V', "two descriptors at once");
	if (fd != -1)
		close(fd);
	is(next_free(), before, "leave nothing behind");
	send_two(pair[0], two, 1);
	is(fdpass_take(pair[1], text, &fd), 0, "a part of a message");
	is(fd, -1, "gives no descriptor");
	is(next_free(), before, "and leaves none behind");
	close(pair[0]);
	close(pair[1]);
}

/* Neither a descriptor is left, nor is it taken for what errno says. */
static void
test_no_letter(void)
{
	char text[FDPASS_TEXT_MAX];
	int pair[2], fd, before;

	fdpass_pair(pair);
	before = next_free();
	is(fdpass_send(pair[0], '\0', "", STDIN_FILENO), 0, "a NUL");
	is(fdpass_send(pair[0], (char)0xff, "", STDIN_FILENO), 0, "and -1");
	is(fdpass_take(pair[1], text, &fd), 0, "are no letters");
	is(fd, -1, "and bring no descriptor");
	is(fdpass_take(pair[1], text, &fd), 0, "neither of them");
	is(next_free(), before, "nothing is left behind");
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	test_messages();
	test_no_letter();
	test_too_many();
	return done_testing();
}
