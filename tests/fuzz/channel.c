/* SPDX-License-Identifier: ISC */
/*
 * Input: what some children of a gate and of a warm client send over their
 * worker channels and write to the table of sessions that wait, when they end,
 * and when visitors come.  Asserted: each
 * visitor is in one place at a time, is offered to no child after another one
 * has taken it, and no descriptor is left.  A child that has said that it
 * returns a visitor, even before it had one, has no claim to any.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

#include "connection/waiting.h"
#include "net/fdpass.h"
#include "os/clock.h"
#include "os/fd.h"
#include "os/log.h"
#include "supervisor/internal.h"
#include "fuzz.h"

#define CHILDREN	6
#define VISITORS	200
#define NO_PID		0x40000000	/* no process has such a number */

int64_t __wrap_clock_ms(void);		/* in place of clock_ms() */
void *__wrap_memory_shared(size_t);
void *__real_memory_shared(size_t);

static int64_t now;
static void *table;			/* of waiting_begin() */
static size_t table_size;
static struct options o;
static struct service service;
static struct supervisor s;
static struct inherited given;

/* The children's side. */
static int end[CHILDREN];		/* of a channel, or -1 */
static int offered[CHILDREN];		/* the last visitor, or -1 */
static char returned[CHILDREN];		/* it has said so */
static char taken[VISITORS];		/* by a child that has said so */
static int nvisitors;

int64_t
__wrap_clock_ms(void)
{
	return now;
}

/* The table that all children can write. */
void *
__wrap_memory_shared(size_t size)
{
	table_size = size;
	return table = __real_memory_shared(size);
}

static void
once(void)
{
	char why[200];
	struct error error;

	if (s.o != NULL)
		return;
	CHECK(addr_listen(&o.listen[0], "127.0.0.1:0", why,
	    sizeof(why)) == 0);
	log_open(LOG_TO_STDERR, LOG_L_ERROR, "inetws");
	o.mode = MODE_GATE;
	o.reverse.visitors = &o.listen[0];
	o.reverse.max_waiting = 5;
	o.reverse.max_parked = 3;
	o.reverse.queue = 1000000;
	s.o = &o;
	s.service = &service;
	service.parks = service.spares_serve = 1;
	s.reserve = s.notify.fd = s.pidfile = -1;
	CHECK(event_open(&s.events) == 0 && event_open(&s.accepting) == 0);
	s.fits.connections = CHILDREN / 2;
	CHECK(waiting_begin() == 0 && table != NULL);
	CHECK(children_begin(&s.children) == 0);
	CHECK(children_grow(&s.children, CHILDREN) == 0);
	CHECK(handshake_limit_grow(&s.handshakes, CHILDREN) == 0);
	CHECK(queue_grow(&s.queue, 8) == 0);
	CHECK(names_begin(&s.names, &o, &given, &s.accepting, 2,
	    &error) == 0);
}

static struct child *
child_of(int k)
{
	return children_find(&s.children, NO_PID + k);
}

static void
begin_child(int k)
{
	int pair[2], kept;
	struct child *c;

	CHECK(fdpass_pair(pair) == 0);
	CHECK((kept = fd_keep(pair[0])) != -1);
	end[k] = pair[1];
	offered[k] = -1;
	returned[k] = 0;
	c = children_add(&s.children, NO_PID + k, STATS_SLOT_NONE, kept,
	    k % 2);
	CHECK(c != NULL && event_add(&s.events, kept, 0) == 0);
	children_set_extra(&s.children, c, k % 4 == 2);
	/* As it says of itself: a session that waits. */
	waiting_be(children_index(&s.children, c));
	CHECK(waiting_start(0, 1) == 0);
}

/* What a child gets: a visitor that nobody has taken. */
static void
receive(int k)
{
	char text[FDPASS_TEXT_MAX];
	int fd, letter, v;

	while (end[k] != -1 && (letter = fdpass_take(end[k], text, &fd)) > 0) {
		if (fd != -1)
			close(fd);
		if (letter != WORKER_STREAM || returned[k])
			continue;
		CHECK(fd != -1 && sscanf(text, "unix:@%d", &v) == 1);
		CHECK(v >= 0 && v < nvisitors && !taken[v]);
		offered[k] = v;
	}
}

/* The address of a visitor is its number. */
static void
visit(int name)
{
	struct visitor v = { .name = name, .until = clock_ms() + 1000 };
	int pair[2], fd;

	if (nvisitors == VISITORS)
		return;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, pair) == 0);
	CHECK((fd = fd_keep(pair[0])) != -1);
	close(pair[1]);
	v.fd = fd;
	snprintf(v.peer, sizeof(v.peer), "unix:@%d", nvisitors++);
	pool_bring_back(&s, &v);
}

static unsigned int
held(void)
{
	const struct child *c = NULL;
	unsigned int n = s.queue.n, extras = 0, asking = 0;

	while ((c = children_next(&s.children, c)) != NULL) {
		CHECK((c->visitor.fd != -1) == (c->state == CHILD_OFFERED));
		CHECK(c->state == CHILD_PLAIN || c->channel != -1);
		CHECK(c->extra || c->state != CHILD_ASKING);
		n += c->visitor.fd != -1;
		extras += (unsigned int)c->extra;
		asking += c->state == CHILD_ASKING;
	}
	CHECK(extras == s.children.extras && asking == s.places.n);
	return n;
}

static int
descriptors(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
end_child(int k)
{
	receive(k);
	if (end[k] != -1)
		close(end[k]);
	end[k] = -1;
	child_forget(&s, NO_PID + k, 0);
}

static void
send_message(int k, const uint8_t **p, size_t *left)
{
	static const char letters[] = "PpNTBWFVE";
	char text[64], letter = letters[(*p)[0] % 9];
	size_t len = (*p)[1] % 32;

	*p += 2;
	*left -= 2;
	if (len > *left)
		len = *left;
	memcpy(text, *p, len);
	text[len] = '\0';
	*p += len;
	*left -= len;
	receive(k);
	if (end[k] == -1 || fdpass_send(end[k], letter, text, -1) == -1)
		return;
	if (letter == WORKER_RETURNED)
		returned[k] = 1;
	if (letter == WORKER_TAKEN && offered[k] != -1 && !returned[k] &&
	    child_of(k)->state == CHILD_OFFERED)
		taken[offered[k]] = 1;
}

/* The first words of the table, and of the places of some children. */
static void
scribble(const uint8_t **p, size_t *left)
{
	struct input in = { *p, *left };
	size_t at = input_byte(&in) * sizeof(uint64_t);
	uint64_t number = input_number(&in);

	if (at <= table_size - sizeof(number))
		memcpy((char *)table + at, &number, sizeof(number));
	*p = in.p;
	*left = in.left;
}

static void
step(int what, int k, const uint8_t **p, size_t *left)
{
	switch (what) {
	case 0:
	case 1:
		if (*left >= 2)
			send_message(k, p, left);
		break;
	case 2:
		visit(0);
		break;
	case 3:
		visit(NAME_NONE);
		break;
	case 4:
		if (child_of(k)->channel != -1)
			pool_read_channel(&s, child_of(k));
		break;
	case 5:
		end_child(k);
		begin_child(k);
		break;
	case 6:
		if (end[k] != -1)
			close(end[k]);
		end[k] = -1;
		break;
	case 8:
		scribble(p, left);
		break;
	default:
		now += 300;
		pool_tend(&s, now);
		extra_tend(&s, now);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int k, before, what;

	once();
	memset(table, 0, table_size < 2048 ? table_size : 2048);
	before = descriptors();
	nvisitors = 0;
	memset(taken, 0, sizeof(taken));
	for (k = 0; k < CHILDREN; k++)
		begin_child(k);
	while (size > 0) {
		what = data[0] >= 248 ? 8 : data[0] % 8;
		k = data[0] / 8 % CHILDREN;
		data++;
		size--;
		step(what, k, &data, &size);
		CHECK(held() <= (unsigned int)nvisitors);
		CHECK(s.queue.n <= 5);
	}
	/* What comes back now would get a process of its own. */
	s.fits.connections = 0;
	for (k = 0; k < CHILDREN; k++)
		end_child(k);
	s.fits.connections = CHILDREN / 2;
	now += 3600000;
	pool_tend(&s, now);
	refusals_close_all(&s.refusals);
	CHECK(held() == 0 && s.children.n == 0);
	CHECK(s.children.spares_parked + s.children.spares_starting == 0);
	CHECK(descriptors() == before);
	return 0;
}
