#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A tunnel between two network namespaces whose link goes down for longer than
its loss takes to be noticed (make check-long: 20 seconds), and one whose end gets
another address.

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
import signal           # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402

QUICK = ('--ping-interval', '500ms', '--ping-timeout', '2s')
TOTAL = 40 << 20


def tunnel(link, host=netns.FAR, pings=QUICK):
    """connect in one namespace, a server that runs cat in the other; (client,
    server, a socket whose bytes come back)"""
    s = t.Program(link.far([t.INETWS, 'server', '-v', '-l', ':0', *pings,
                            '--', 'cat']))
    where = '%s:%d' % (host, t.port_of(t.listening(s)[0]))
    a, b = socket.socketpair()
    t.on_close(a.close)
    c = t.Program(link.near([t.INETWS, 'connect', '-v', *pings,
                             '--connect-timeout', '3s', 'ws://%s/' % where]),
                  stdin=b, stdout=b)
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
def test_link_down():
    link = netns.Pair()

    def disturb(more):
        th = threading.Thread(target=link.down, args=(20 if t.LONG else 5,),
                              daemon=True)
        th.start()
        more()
        th.join()
    loop(link, 'link down', disturb)


def by_client(link):
    """The same with a client and its supervisor, and the options that nobody
    sets: (client, server, a socket whose bytes come back)"""
    s = t.Program(link.far([t.INETWS, 'server', '-v', '-l', ':0', '--',
                            'cat']))
    c = t.Program(link.near([
        t.INETWS, 'client', '-v', '-l', '127.0.0.1:0', 'ws://%s:%d/' % (
            netns.FAR, t.port_of(t.listening(s)[0]))]))
    with link.in_near():
        sock = socket.create_connection(('127.0.0.1', t.port_of(
            t.listening(c)[0])), t.BOUND)
    t.on_close(sock.close)
    return c, s, sock


def moves(link, c, s, sock, times):
    """Another address so many times in the middle of a transfer."""
    h = cutting.Half(sock, TOTAL, 1, TOTAL, 1)
    took = []
    h.allow(0)
    h.start()
    for i in range(times):
        h.allow((i + 1) * TOTAL // (times + 1))
        t.until(lambda: h.got > i * TOTAL // (times + 1))
        began, since = time.monotonic(), c.mark()
        link.renumber('10.91.0.%d' % (77 + i))
        c.has_line('event=resumed', since=since)
        took.append(time.monotonic() - began)
    h.allow(TOTAL)
    h.join(2 * t.BOUND)
    t.ok(h.whole(), '%d moves: no byte lost, none twice' % times)
    # Without it each is noticed by its silence, which takes 4.5 s.
    if t.COMPAT:
        t.skip('built without what tells of changes')
    elif not t.ok(sorted(took)[times // 2] < 3 * t.SCALE and
                  c.has_line('why="the network has changed"'),
                  'each noticed at once'):
        t.diag(' '.join('%.1f' % x for x in took))
    m = s.has_line('event=closed .*end=ended .*resumes=([0-9]+)')
    t.ok(m and int(m[1]) >= times, 'and in the log')


@t.limit(60)
def test_other_address():
    link = netns.Pair()
    moves(link, *by_client(link), 10)


@t.limit(60)
def test_other_address_alone():
    """connect watches the network itself."""
    link = netns.Pair()
    moves(link, *tunnel(link, pings=()), 3)


@t.limit(60)
def test_zone():
    """An address with the name of an interface, from inside the sandbox."""
    link = netns.Pair()
    if not t.until(link.link_local):
        raise t.Skip('no IPv6 here')

    def disturb(more):
        link.down(5)
        more()
    loop(link, 'link-local', disturb,
         host='[%s%%25link0]' % link.link_local())


def watches(pid):
    """Has it a socket that the kernel tells of changes of the network?"""
    with open('/proc/%d/net/netlink' % pid) as f:
        known = {'socket:[%s]' % line.split()[9] for line in list(f)[1:]}
    return bool(known & set(t.opened(pid) or ()))


def test_resume_by_hup():
    """HUP may give the tunnels that come a session."""
    if not watches(t.client('ws://127.0.0.1:1/').pid):
        raise t.Skip('changes of the network are not told here')
    conf = t.folder() + '/conf'
    with open(conf, 'w') as f:
        f.write('resume 0\n')
    c = t.client('ws://127.0.0.1:1/', '-K', conf)
    with open(conf, 'w') as f:
        f.write('resume 2m\n')
    c.send(signal.SIGHUP)
    c.wait_line('event=reloaded')
    t.ok(watches(c.pid), '--resume by HUP: changes of the network are received')


t.main()
