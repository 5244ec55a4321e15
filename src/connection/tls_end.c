/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "connection/tls_end.h"
#include "os/clock.h"
#include "os/signals.h"

#define BUFFER		65536	/* each way */
#define LEAVE_MS	500	/* for the last bytes of an owner that is gone:
				 * all of its stream has been confirmed */
#define TERM_MS		1000	/* for what the owner says at its own TERM */

enum way_state {
	WAY_OPEN,
	WAY_DRAINING,		/* nothing more is read */
	WAY_ENDED		/* the end has been passed on, or cannot be */
};

/* One direction.  It is read into when it is empty. */
struct way {
	struct io *from, *to;
	enum way_state state;
	size_t at, len;		/* of bytes: what is still to be written */
	char bytes[BUFFER];
};

struct tls_end {
	struct io *connection, pair;
	struct way up, down;	/* to the owner, from the owner */
	int was_reset;		/* the owner's end */
	int64_t until;		/* of clock_ms(), or CLOCK_NEVER */
};

static void
set_state(struct way *w, enum way_state state)
{
	if (state > w->state)
		w->state = state;
}

static int
wants_read(const struct way *w)
{
	return w->state == WAY_OPEN && w->len == 0;
}

static int
wants_write(const struct way *w)
{
	return w->state != WAY_ENDED &&
	    (w->len > 0 || w->state == WAY_DRAINING);
}

/* 0; or -1 with errno: that end can be read no more. */
static int
pull(struct way *w)
{
	struct iovec iov = { w->bytes, sizeof(w->bytes) };
	ssize_t n;

	if (!wants_read(w))
		return 0;
	n = io_readv(w->from, &iov, 1);
	if (n > 0) {
		w->at = 0;
		w->len = n;
		return 0;
	}
	if (n == -1 && errno == EAGAIN)
		return 0;
	set_state(w, WAY_DRAINING);
	return n == -1 ? -1 : 0;
}

/* An end that takes no more ends the direction. */
static void
push(struct way *w)
{
	struct iovec iov = { w->bytes + w->at, w->len };
	ssize_t n = 0;

	if (!wants_write(w))
		return;
	if (w->len > 0)
		n = io_writev(w->to, &iov, 1);
	if (n > 0) {
		w->at += n;
		w->len -= n;
	}
	if (n != -1 && w->len == 0 && w->state == WAY_DRAINING &&
	    (n = io_finish(w->to)) == 0)
		set_state(w, WAY_ENDED);
	if (n == -1 && errno != EAGAIN)
		set_state(w, WAY_ENDED);
}

static void
end_by(struct tls_end *e, int64_t ms)
{
	int64_t until = clock_ms() + ms;

	if (until < e->until)
		e->until = until;
}

/*
 * The owner has closed its end, or both have been shut.  It has ended well, or
 * has got a new websocket, while this one may be dead.
 */
static void
owner_left(struct tls_end *e, int is_error)
{
	e->was_reset |= is_error;
	set_state(&e->up, WAY_ENDED);
	end_by(e, LEAVE_MS);
}

/*
 * The end of the pair is watched as long as the owner is there.  Nothing else
 * is, unless there is something to do: a socket that is dead is always ready.
 */
static void
wait_for_any(struct tls_end *e)
{
	struct pollfd p[3] = {
		{ .fd = e->connection->rfd }, { .fd = e->connection->wfd },
		{ .fd = e->pair.rfd }
	};
	int64_t until = e->until;
	int i;

	io_events(e->connection, wants_read(&e->up), wants_write(&e->down),
	    &p[0].events, &p[1].events);
	p[2].events = (short)((wants_read(&e->down) ? POLLIN : 0) |
	    (wants_write(&e->up) ? POLLOUT : 0));
	for (i = 0; i < 3; i++)
		if ((i < 2 || e->up.state == WAY_ENDED) && p[i].events == 0)
			p[i].fd = -1;
	if (wants_read(&e->up) && io_pending(e->connection))
		until = 0;
	if (signals_poll(p, 3, clock_poll(until)) > 0 &&
	    (p[2].revents & (POLLHUP | POLLERR)))
		owner_left(e, p[2].revents & POLLERR);
	if (signal_terminated())
		end_by(e, TERM_MS);
}

/* TLS that is broken is so both ways. */
static void
move(struct tls_end *e)
{
	if (pull(&e->up) == -1)
		set_state(&e->down, WAY_ENDED);
	push(&e->up);
	if (pull(&e->down) == -1)
		owner_left(e, 1);
	push(&e->down);
}

void
tls_end_run(struct io *connection, int fd)
{
	static struct tls_end e;
	int is_over, is_late;

	e.connection = connection;
	e.pair = io_of(fd);
	e.until = CLOCK_NEVER;
	e.up.from = e.down.to = connection;
	e.up.to = e.down.from = &e.pair;
	do {
		move(&e);
		is_over = e.up.state == WAY_ENDED &&
		    e.down.state == WAY_ENDED;
		is_late = clock_ms() >= e.until;
		if (!is_over && !is_late)
			wait_for_any(&e);
	} while (!is_over && !is_late);
	io_close(&e.pair);
	if (is_over && !e.was_reset)
		io_close(connection);
	else
		io_reset(connection);
}
