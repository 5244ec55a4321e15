#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A tunnel between two network namespaces whose link goes down for 20 seconds,
and one whose end gets another address.

If it fails: tunnels do not survive a laptop that changes networks.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import netns            # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402

QUICK = ('--ping-interval', '500ms', '--ping-timeout', '2s',
         '--connect-timeout', '3s')
TOTAL = 40 << 20


def tunnel(link, host=netns.FAR):
    """connect in one namespace, a server that runs cat in the other; (client,
    server, a socket whose bytes come back)"""
    s = t.Program(link.far([t.INETWS, 'server', '-v', '-l', ':0', *QUICK,
                            '--', 'cat']))
    where = '%s:%d' % (host, t.port_of(t.listening(s)[0]))
    a, b = socket.socketpair()
    t.on_close(a.close)
    c = t.Program(link.near([t.INETWS, 'connect', '-v', *QUICK,
                             'ws://%s/' % where]), stdin=b, stdout=b)
    b.close()
    return c, s, a


def loop(link, name, disturb, **kw):
    c, s, sock = tunnel(link, **kw)
    h = cutting.Half(sock, TOTAL, 1, TOTAL, 1)
    h.allow(TOTAL // 2)
    h.start()
    t.ok(t.until(lambda: h.got > TOTAL // 4), '%s: bytes flow' % name)
    disturb(lambda: h.allow(3 * TOTAL // 4))
    t.ok(c.has_line('event=websocket-lost'), 'the loss is noticed')
    m = c.has_line('event=resumed .*after=([0-9]+)', 60)
    t.ok(m, 'resumed after %s s' % (m and m[1]))
    h.allow(TOTAL)
    h.join(2 * t.BOUND)
    if not t.ok(h.whole(), 'no byte lost, none twice'):
        t.diag('%d, %s, %s' % (h.got, h.how, h.failed))
    t.is_(c.wait(), 0, 'a clean end at one side')
    for p in (c, s):
        t.ok(p.has_line('event=closed .*end=ended .*resumes=[1-9]'),
             'and in the log')


@t.limit(100)
def test_link_down_for_20_seconds():
    link = netns.Pair()

    def disturb(more):
        th = threading.Thread(target=link.down, args=(20,), daemon=True)
        th.start()
        more()
        th.join()
    loop(link, 'link down', disturb)


@t.limit(60)
def test_other_address():
    link = netns.Pair()

    def disturb(more):
        link.renumber('10.91.0.77')
        more()
    loop(link, 'another address', disturb)


@t.limit(60)
def test_zone():
    """An address with the name of an interface, from inside the sandbox."""
    link = netns.Pair()
    if not t.until(link.link_local):
        raise t.Skip('no IPv6 here')

    def disturb(more):
        link.down(3)
        more()
    loop(link, 'link-local', disturb,
         host='[%s%%25link0]' % link.link_local())


t.main()
