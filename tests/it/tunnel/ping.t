#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Pings on both sides, --ping-timeout, --idle-timeout.

If it fails: proxies cut idle tunnels, and dead ones stay for ever.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import time             # noqa: E402


def pair(*options):
    target = t.Held()
    s = t.server(target.port, *options)
    begin = t.ws.now()
    w = t.ws.connect(s.port)
    w.begin = begin
    return s, w, target.next()


def client_pair(*options):
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port, *options)
    begin = t.ws.now()
    stream = t.ws.dial(c.port)
    w = server.next()
    w.begin = begin             # it is not older
    return c, w, stream


SIDES = (('server', pair), ('client', client_pair))


def test_pings_come():
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '200ms')
        while len(w.pings) < 4:
            w.take()
        took = t.ws.now() - w.begin
        t.ok(0.5 < took < t.BOUND,
             '%s: four pings in %.1f s' % (side, took))
        stream.sendall(b'x')
        t.is_(w.take_data(1), b'x', 'and the tunnel works')


def test_answered_once_then_silent():
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '200ms', '--ping-timeout',
                            '1s', '--resume', '0')
        while not w.pings:
            w.take(answer_pings=False)
        begin = t.ws.now()
        w.pong(w.pings[-1])
        data, how = t.ws.read_all(stream)
        took = t.ws.now() - begin
        t.is_(how, 'reset', '%s: a peer that falls silent: reset' % side)
        t.ok(0.6 < took < t.BOUND, 'after --ping-timeout (%.1f s)' % took)
        t.ok(p.has_line('event=closed .*end=ping-timeout', 5),
             'the log says why')
        t.ok(t.until(lambda: not t.children(p.pid)), 'no child is left')


def test_never_answered():
    """A plain peer that answers no ping is not taken for dead."""
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '200ms', '--ping-timeout',
                            '500ms')
        end = t.ws.now() + 2
        while t.ws.now() < end:
            w.take(answer_pings=False)
        stream.sendall(b'x')
        while not w.data:
            w.take(answer_pings=False)
        t.is_(bytes(w.data), b'x', '%s: it lives on' % side)


def test_any_byte_is_life():
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '200ms', '--ping-timeout',
                            '3s')
        while not w.pings:
            w.take()
        sent = 0
        end = t.ws.now() + 5
        while t.ws.now() < end:
            w.send(b'.')
            sent += 1
            time.sleep(0.1)     # the rate is what is tested
        t.is_(t.ws.read_exactly(stream, sent), b'.' * sent,
              '%s: data without pongs keeps it alive' % side)


def test_stuck_stream_is_no_dead_peer():
    """While we do not read because our own stream is stuck, the peer's
    silence means nothing."""
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '200ms', '--ping-timeout',
                            '3s')
        while not w.pings:
            w.take()
        data = t.ws.frame(2, b'x' * 65536, key=w.key())
        w.sock.settimeout(2)
        sent = 0
        try:
            while sent < 200 << 20:
                w.sock.sendall(data)
                sent += len(data)
            t.ok(False, '%s: the peer was stopped' % side)
        except TimeoutError:
            pass
        time.sleep(4)           # longer than --ping-timeout, reading nothing
        got = len(t.ws.read_exactly(stream, 1 << 20))
        t.is_(got, 1 << 20, '%s: alive when the reader wakes up' % side)


def test_off():
    for side, make in SIDES:
        p, w, stream = make('--ping-interval', '0')
        t.ok(t.ws.quiet_for(w.sock, 1.0), '%s: 0 switches pings off' % side)


def test_idle_timeout():
    for side, make in SIDES:
        p, w, stream = make('--idle-timeout', '3s', '--ping-interval',
                            '200ms', '--ping-timeout', '30s')
        for _ in range(4):
            stream.sendall(b'x')
            w.take_data(1)
            time.sleep(1)
        t.ok(not w.close_frame, '%s: data holds --idle-timeout off' % side)
        begin = t.ws.now()
        code = w.take_close()
        took = t.ws.now() - begin
        t.is_(code, 1008, 'then Close')
        t.ok(took < t.BOUND, 'pings do not count (%.1f s)' % took)
        t.ok(p.has_line('event=closed .*end=idle-timeout', 5),
             'the log says idle')


def test_idle_after_close():
    """The peer has closed, and the target takes nothing of what it said."""
    t.rundir()
    path = t.folder() + '/target'
    target = t.Held(path=path)
    s = t.server('unix:' + path, '--idle-timeout', '8s', '--linger', '200ms')
    w = t.ws.connect(s.port)
    stream = target.next()
    sent = 0

    def is_taken():
        return t.one()['up'] == sent or time.sleep(.1)
    for _ in range(1000):       # until some of it stays with the tunnel
        w.send(b'x' * 16384)
        sent += 16384
        if not any(is_taken() for _ in range(4)):
            break
    t.ok(t.one()['up'] < sent, 'the target takes nothing more')
    begin = t.ws.now()
    w.close(1000)
    t.is_(w.take_close(answer=False), 1000, 'Close is answered')
    s.wait_line('event=closed .*end=idle-timeout')
    t.ok(t.ws.now() - begin < t.BOUND, 'and the process ends all the same')
    t.ok(t.until(lambda: not t.children(s.pid)), 'it is gone')
    stream.close()


def test_between_two_of_ours():
    target = t.Held()
    s = t.server(target.port, '--ping-interval', '200ms',
                 '--ping-timeout', '3s')
    px = t.Proxy(s.port)
    c = t.client('ws://127.0.0.1:%d/' % px.port, '--ping-interval', '200ms',
                 '--ping-timeout', '3s', '--resume', '0')
    visitor = t.ws.dial(c.port)
    stream = target.next()
    visitor.sendall(b'x')
    t.is_(t.ws.read_exactly(stream, 1), b'x', 'a tunnel of two of ours')
    time.sleep(5)
    visitor.sendall(b'y')
    t.is_(t.ws.read_exactly(stream, 1), b'y', 'lives by its pings alone')
    px.blackhole()
    begin = t.ws.now()
    t.is_(t.ws.read_all(visitor)[1], 'reset', 'a black hole: the visitor')
    t.is_(t.ws.read_all(stream)[1], 'reset', 'and the target are reset')
    took = t.ws.now() - begin
    t.ok(took < t.BOUND, 'within --ping-timeout (%.1f s)' % took)


t.main()
