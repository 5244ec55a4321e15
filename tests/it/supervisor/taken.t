#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Whose a visitor is, when a message between processes is lost.

If it fails: bytes of one connection end up in another one.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

LOSES = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

static int *left;
static ssize_t (*real)(int, const struct msghdr *, int);

__attribute__((constructor)) static void begin(void)
{
	left = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*left = 1;
	real = dlsym(RTLD_NEXT, "sendmsg");
}

/* The first message of the letter T is lost. */
ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	if (m->msg_iovlen > 0 && m->msg_iov[0].iov_len == 1 + 320 &&
	    *(char *)m->msg_iov[0].iov_base == 'T' &&
	    __sync_fetch_and_sub(left, 1) > 0) {
		errno = ENOBUFS;
		return -1;
	}
	return real(fd, m, flags);
}
'''


def served_once(v, target):
    """By one tunnel; another one that could not take it gets nothing."""
    v.sendall(b'question')
    got = []
    while b'question' not in got:
        stream = target.next()
        try:
            got.append(stream.recv(8))
        except ConnectionResetError:
            got.append(b'')
    t.ok(got in ([b'question'], [b'', b'question']),
         'the bytes are in one tunnel, and there from the first one on')
    stream.sendall(b'answer')
    t.is_(t.ws.read_exactly(v, 6), b'answer', 'which answers')


def test_gate():
    g = r.gate(env=t.preloaded(LOSES))
    target = t.Held()
    r.agent(g.url(), target.port, '--spare', '2')
    r.parked(g, 2)
    served_once(r.visit(g.visitors), target)
    t.ok(g.has_line('event=closed.*cannot be reached'),
         'the first one has ended')


def test_warm_client():
    target = t.Held()
    s = t.server(target.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '2',
                 env=t.preloaded(LOSES))
    c.wait_line('event=parked')
    served_once(t.ws.dial(c.port), target)
    t.ok(c.has_line('event=closed.*cannot be reached'),
         'the first one has ended')


t.main()
