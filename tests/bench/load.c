/* SPDX-License-Identifier: ISC */
#include <sys/epoll.h>

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "pattern.h"
#include "target.h"

#define COUNT_MOST	16384
#define EVENTS		256

/* Connecting at once: enough to hide latency, below every backlog. */
#define OPENING_MOST	4

static void
usage(void)
{
	fprintf(stderr,
	    "usage: load target [--port N]\n"
	    "       load bulk  --port N [--down] [--streams N]"
	    " [--seconds S | --size BYTES]\n"
	    "       load rtt   --port N [--connections N] [--seconds S]\n"
	    "       load rate  --port N [--at-once N] [--seconds S]\n"
	    "       load idle  --port N [--connections N]\n"
	    "options of all but the first:\n"
	    "       --ws       speak websocket as a client\n"
	    "       --sync     print ready, go on at a line on stdin,"
	    " end at its end\n"
	    "       --limit S  give up after so long (60)\n");
	exit(64);
}

uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
await_line(void)
{
	char byte;

	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		continue;
}

void
ready(const struct load *l)
{
	if (!l->sync)
		return;
	printf("ready\n");
	fflush(stdout);
	await_line();
}

void
bytes_differ(const struct peer *p)
{
	warnx("bytes differ on connection %u", p->id);
	_exit(EXIT_BYTES);
}

static void
too_long(int sig)
{
	static const char words[] = "load: took longer than --limit\n";

	if (write(STDERR_FILENO, words, sizeof(words) - 1) == -1)
		_exit(1);
	_exit(1);
}

void
crowd_want(const struct crowd *c, struct peer *p, int out)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };

	if (out)
		ev.events |= EPOLLOUT;
	if (epoll_ctl(c->ep, EPOLL_CTL_MOD, p->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

int
take_hello(struct peer *p, const unsigned char *from, size_t len)
{
	if (len != p->in_want || *from != 'h')
		bytes_differ(p);
	p->in_want = 0;
	return 0;
}

static void
open_one(struct crowd *c, struct peer *p, const struct load *l)
{
	struct epoll_event ev = { .data.ptr = p };

	if (peer_connect(p, l->port, l->ws) == -1)
		err(1, "connect");
	p->id = p - c->peers;
	p->in_want = 1;
	ev.events = EPOLLOUT;
	if (epoll_ctl(c->ep, EPOLL_CTL_ADD, p->fd, &ev) == -1)
		err(1, "epoll_ctl");
}

/* 1 once the greeting came back. */
static int
open_step(struct crowd *c, struct peer *p)
{
	if (p->state == PEER_OPEN) {
		if (p->in_want == 0)
			return 0;
		if (peer_pull(p, take_hello) == -1)
			err(1, "connection %u ended while opening", p->id);
		return p->in_want == 0;
	}
	switch (peer_step(p)) {
	case -1:
		err(1, "connection %u", p->id);
	case 1:
		if (peer_say(p, "h", 1) == -1)
			err(1, "connection %u", p->id);
	}
	crowd_want(c, p, 0);
	return 0;
}

void
crowd_open(struct crowd *c, const struct load *l)
{
	struct epoll_event evs[EVENTS];
	size_t begun = 0, opened = 0;
	int i, n;

	while (opened < c->count) {
		while (begun < c->count && begun - opened < OPENING_MOST)
			open_one(c, &c->peers[begun++], l);
		n = epoll_wait(c->ep, evs, EVENTS, -1);
		for (i = 0; i < n; i++)
			opened += open_step(c, evs[i].data.ptr);
	}
}

static long long
number(const char *text, long long most)
{
	const char *why;
	long long n;

	n = strtonum(text, 1, most, &why);
	if (why != NULL)
		errx(64, "%s: %s", text, why);
	return n;
}

static double
duration(const char *text)
{
	char *end;
	double d = strtod(text, &end);

	if (*end != '\0' || !(d > 0 && d <= 3600))
		errx(64, "%s: not a number of seconds", text);
	return d;
}

static const struct option options[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "down", no_argument, NULL, 'd' },
	{ "streams", required_argument, NULL, 'n' },
	{ "connections", required_argument, NULL, 'n' },
	{ "at-once", required_argument, NULL, 'n' },
	{ "seconds", required_argument, NULL, 's' },
	{ "size", required_argument, NULL, 'b' },
	{ "ws", no_argument, NULL, 'w' },
	{ "sync", no_argument, NULL, 'y' },
	{ "limit", required_argument, NULL, 'l' },
	{ NULL, 0, NULL, 0 }
};

static void
parse(int argc, char **argv, struct load *l)
{
	unsigned int limit = 60;
	int ch;

	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'p':
			l->port = number(optarg, 65535);
			break;
		case 'd':
			l->down = 1;
			break;
		case 'n':
			l->count = number(optarg, COUNT_MOST);
			break;
		case 's':
			l->seconds = duration(optarg);
			break;
		case 'b':
			l->size = number(optarg, LLONG_MAX);
			break;
		case 'w':
			l->ws = 1;
			break;
		case 'y':
			l->sync = 1;
			break;
		case 'l':
			limit = number(optarg, 3600);
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	alarm(limit);
}

static const struct {
	const char *name;
	int opened;	/* wants its connections open */
	void (*measure)(struct crowd *, const struct load *);
} measures[] = {
	{ "bulk", 1, measure_bulk },
	{ "rtt", 1, measure_rtt },
	{ "idle", 1, measure_idle },
	{ "rate", 0, measure_rate },
};

static void
run(size_t which, const struct load *l)
{
	struct crowd c = { .count = l->count };
	size_t i;

	if ((c.peers = calloc(c.count, sizeof(*c.peers))) == NULL)
		err(1, NULL);
	if ((c.ep = epoll_create1(EPOLL_CLOEXEC)) == -1)
		err(1, "epoll_create1");
	if (measures[which].opened)
		crowd_open(&c, l);
	measures[which].measure(&c, l);
	fflush(stdout);
	if (l->sync)
		await_line();
	for (i = 0; i < c.count; i++) {
		if (measures[which].opened)
			peer_close(&c.peers[i]);
	}
	free(c.peers);
}

int
main(int argc, char **argv)
{
	struct load l = { .count = 1, .seconds = 1 };
	size_t i;

	if (argc < 2)
		usage();
	signal(SIGALRM, too_long);
	signal(SIGPIPE, SIG_IGN);
	parse(argc - 1, argv + 1, &l);
	pattern_make();
	if (strcmp(argv[1], "target") == 0) {
		alarm(0);
		return target(l.port);
	}
	if (l.port == 0)
		usage();
	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++) {
		if (strcmp(argv[1], measures[i].name) == 0) {
			run(i, &l);
			return 0;
		}
	}
	usage();
}
