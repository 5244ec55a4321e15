/* SPDX-License-Identifier: ISC */
/*
 * A program as the target whose end of the tunnel the test holds: it hands its
 * descriptors 0 and 1 over a Unix socket (argv[1]), and answers one byte there
 * with 'H' if HUP has come by then, or '.', and is done.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t hung_up;

static void
hang_up(int signo)
{
	(void)signo;
	hung_up = 1;
}

static int
hand_over(int to)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} c = { .room = { 0 } };
	char byte = 'p';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = &c, .msg_controllen = sizeof(c.room) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	int fd[2] = { 0, 1 };

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(h), fd, sizeof(fd));
	return sendmsg(to, &m, MSG_NOSIGNAL) == 1 ? 0 : -1;
}

int
main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char byte;
	int s;

	signal(SIGHUP, hang_up);
	if (argc != 2 || strlen(argv[1]) >= sizeof(sun.sun_path))
		return 2;
	strcpy(sun.sun_path, argv[1]);
	if ((s = socket(AF_UNIX, SOCK_STREAM, 0)) == -1 ||
	    connect(s, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    hand_over(s) == -1)
		return 1;
	close(0);
	close(1);
	while (read(s, &byte, 1) == -1 && errno == EINTR)
		;
	return send(s, hung_up ? "H" : ".", 1, MSG_NOSIGNAL) != 1;
}
