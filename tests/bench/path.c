/* SPDX-License-Identifier: ISC */
/*
 * A network path between two namespaces, packet by packet: one TUN device in
 * each, and delay, rate, queue and loss between them, as netem would do where
 * the kernel has it.
 *
 *	path -a NAMESPACE -A ADDR/LEN -b NAMESPACE -B ADDR/LEN
 *	    [-d ONE-WAY-MS] [-r MBIT/S] [-q QUEUE-MS] [-l LOSS-PERCENT] [-g]
 *
 * NAMESPACE is a file such as /proc/PID/ns/net.  With -g the kernel hands over
 * segments of up to 64 KiB, so that a gigabit costs little; what is lost is
 * lost in such pieces then, so losses are measured without it.  "ready" on
 * standard output, then it obeys lines on standard input until that ends:
 *
 *	down | up | delay MS | rate MBIT | queue MS | loss PERCENT
 *	forget		drop flows whose SYN is not seen from now on, as a
 *			middlebox that has lost its table
 *	remember	no longer
 */
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HEADER	((int)sizeof(struct virtio_net_hdr))	/* before each packet */
#define PACKET	(65536 + HEADER)
#define AT_ONCE	64		/* packets of one side, then the other's turn */

struct packet {
	struct packet *next;
	int64_t due;		/* ns, when it arrives */
	int len;
	uint8_t bytes[];
};

/* One direction: what is on its way to this side. */
struct lane {
	int fd;
	struct packet *first, **last;
	int64_t free;		/* ns, when the link has sent what it took */
};

static struct lane lane[2];
static double delay_ms, rate_mbit, queue_ms = 100, loss_percent;
static int is_down, forgets, segments;
static uint8_t known[65536];	/* ports of side a whose SYN was seen */

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* A TUN device in a namespace, with an address, up. */
static int
open_tun(const char *namespace, const char *address)
{
	struct ifreq r;
	char command[256];
	int home, there, fd, header = HEADER;

	if ((home = open("/proc/self/ns/net", O_RDONLY)) == -1 ||
	    (there = open(namespace, O_RDONLY)) == -1 ||
	    setns(there, CLONE_NEWNET) == -1)
		err(1, "%s", namespace);
	if ((fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK)) == -1)
		err(1, "/dev/net/tun");
	memset(&r, 0, sizeof(r));
	strcpy(r.ifr_name, "path");
	r.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &r) == -1 ||
	    ioctl(fd, TUNSETVNETHDRSZ, &header) == -1 ||
	    ioctl(fd, TUNSETOFFLOAD, segments ? TUN_F_CSUM | TUN_F_TSO4 :
	    0) == -1)
		err(1, "TUN device");
	snprintf(command, sizeof(command), "ip address add %s dev path && "
	    "ip link set path up txqueuelen 10000 && ip link set lo up",
	    address);
	if (system(command) != 0)
		errx(1, "%s: ip fails", address);
	if (setns(home, CLONE_NEWNET) == -1)
		err(1, "setns");
	close(home);
	close(there);
	return fd;
}

/* Is this the packet of a flow that the middlebox has forgotten? */
static int
is_forgotten(int from, const uint8_t *ip, int len)
{
	const uint8_t *tcp = ip + (ip[0] & 15) * 4;
	int port;

	if (ip[0] >> 4 != 4 || ip[9] != 6 || tcp + 20 > ip + len)
		return 0;
	port = from == 0 ? tcp[0] << 8 | tcp[1] : tcp[2] << 8 | tcp[3];
	if (tcp[13] & 2)
		known[port] = 1;
	return forgets && !known[port];
}

/* A packet from one side sets out for the other, or is lost. */
static void
forward_packet(int from, const uint8_t *bytes, int len)
{
	struct lane *to = &lane[!from];
	struct packet *p;
	int64_t t = now();

	if (is_forgotten(from, bytes + HEADER, len - HEADER) || is_down ||
	    drand48() * 100 < loss_percent)
		return;
	if (to->free < t)
		to->free = t;
	if (rate_mbit > 0) {
		if (to->free - t > (int64_t)(queue_ms * 1e6))
			return;
		to->free += (int64_t)((len - HEADER) * 8e3 / rate_mbit);
	}
	if ((p = malloc(sizeof(*p) + len)) == NULL)
		return;
	p->next = NULL;
	p->due = to->free + (int64_t)(delay_ms * 1e6);
	p->len = len;
	memcpy(p->bytes, bytes, len);
	*to->last = p;
	to->last = &p->next;
}

/* Hands over what is due; returns when the next packet is. */
static int64_t
deliver(struct lane *l)
{
	struct packet *p;
	int64_t t = now();

	while ((p = l->first) != NULL && p->due <= t) {
		if (write(l->fd, p->bytes, p->len) == -1 && errno == EAGAIN)
			return t + 1000000;
		if ((l->first = p->next) == NULL)
			l->last = &l->first;
		free(p);
	}
	return p == NULL ? INT64_MAX : p->due;
}

static void
obey(const char *line)
{
	double n;

	if (strcmp(line, "down") == 0 || strcmp(line, "up") == 0)
		is_down = line[0] == 'd';
	else if (strcmp(line, "forget") == 0) {
		memset(known, 0, sizeof(known));
		forgets = 1;
	} else if (strcmp(line, "remember") == 0)
		forgets = 0;
	else if (sscanf(line, "delay %lf", &n) == 1)
		delay_ms = n;
	else if (sscanf(line, "rate %lf", &n) == 1)
		rate_mbit = n;
	else if (sscanf(line, "queue %lf", &n) == 1)
		queue_ms = n;
	else if (sscanf(line, "loss %lf", &n) == 1)
		loss_percent = n;
	else
		warnx("unknown order: %s", line);
}

/* 0 at the end of standard input. */
static int
read_orders(void)
{
	char buf[1024], *line, *rest = buf;
	ssize_t n = read(STDIN_FILENO, buf, sizeof(buf) - 1);

	if (n <= 0)
		return 0;
	buf[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			obey(line);
	return 1;
}

static void
run(void)
{
	static uint8_t bytes[PACKET];
	struct pollfd p[3] = { { .fd = lane[0].fd, .events = POLLIN },
	    { .fd = lane[1].fd, .events = POLLIN },
	    { .fd = STDIN_FILENO, .events = POLLIN } };
	struct timespec wait;
	int64_t next, other, t;
	int side, i, n;

	for (;;) {
		next = deliver(&lane[0]);
		other = deliver(&lane[1]);
		next = other < next ? other : next;
		t = now();
		wait.tv_sec = next > t ? (next - t) / 1000000000 : 0;
		wait.tv_nsec = next > t ? (next - t) % 1000000000 : 0;
		if (ppoll(p, 3, next == INT64_MAX ? NULL : &wait, NULL) == -1)
			err(1, "ppoll");
		if (p[2].revents != 0 && !read_orders())
			return;
		for (side = 0; side < 2; side++)
			for (i = 0; i < AT_ONCE; i++) {
				n = read(lane[side].fd, bytes, sizeof(bytes));
				if (n < HEADER + 20)
					break;
				forward_packet(side, bytes, n);
			}
	}
}

int
main(int argc, char **argv)
{
	const char *namespace[2] = { NULL, NULL }, *address[2] = { NULL, NULL };
	int c, i;

	while ((c = getopt(argc, argv, "a:A:b:B:d:r:q:l:g")) != -1)
		switch (c) {
		case 'a':
		case 'b':
			namespace[c - 'a'] = optarg;
			break;
		case 'A':
		case 'B':
			address[c - 'A'] = optarg;
			break;
		case 'd':
			delay_ms = atof(optarg);
			break;
		case 'r':
			rate_mbit = atof(optarg);
			break;
		case 'q':
			queue_ms = atof(optarg);
			break;
		case 'l':
			loss_percent = atof(optarg);
			break;
		case 'g':
			segments = 1;
			break;
		default:
			return 64;
		}
	for (i = 0; i < 2; i++) {
		if (namespace[i] == NULL || address[i] == NULL)
			errx(64, "two namespaces and two addresses needed");
		lane[i].fd = open_tun(namespace[i], address[i]);
		lane[i].last = &lane[i].first;
	}
	puts("ready");
	fflush(stdout);
	run();
	return 0;
}
