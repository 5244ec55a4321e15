#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Paths that go silent, with the options that nobody sets: when the dialling
side looks for another one, and what it does meanwhile.

If it fails: a user waits for a minute where seconds were promised.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import re               # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402


class Valve:
    """In front of a port: while is_open is not set it keeps all that comes,
    and new connections too; stop() takes no connections at all, begin() does.
    Nobody else gets its port meanwhile."""

    def __init__(self, port):
        self.to = ('127.0.0.1', port)
        self.is_open = threading.Event()
        self.is_open.set()
        self.kept, self.port = [], t.free_port()
        self.begin()
        t.on_close(self.stop, end=True)

    def begin(self):
        self.sock = socket.create_server(('127.0.0.1', self.port), backlog=64)
        self.thread = threading.Thread(target=self._accept, args=(self.sock,),
                                       daemon=True)
        self.thread.start()

    def stop(self, all=True):
        t.end_reader(self.sock, self.thread)
        for s in self.kept if all else []:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def _accept(self, listener):
        while True:
            try:
                a, _ = listener.accept()
            except OSError:
                return
            self.kept.append(a)
            threading.Thread(target=self._serve, args=(a,),
                             daemon=True).start()

    def _serve(self, a):
        self.is_open.wait()
        try:
            b = socket.create_connection(self.to, t.BOUND)
        except OSError:
            return
        b.settimeout(None)
        self.kept.append(b)
        threading.Thread(target=self._copy, args=(a, b), daemon=True).start()
        self._copy(b, a)

    def _copy(self, src, dst):
        try:
            while (data := src.recv(65536)):
                self.is_open.wait()
                dst.sendall(data)
            dst.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def chain(server, between, *options):
    """A tunnel through it: (its client program, a socket that echoes)."""
    b = between(server.port)
    c = t.client('ws://127.0.0.1:%d/' % b.port, '-v', *options)
    s = socket.create_connection(('127.0.0.1', c.port), t.BOUND)
    t.on_close(s.close)
    talk(s, b'first')
    return c, b, s


def talk(sock, data, timeout=None):
    sock.settimeout(timeout or t.BOUND)
    sock.sendall(data)
    got = b''
    while len(got) < len(data):
        got += sock.recv(65536)
    t.is_(got, data, 'an echo')


def connecting(port):
    """Connections to it that have no answer."""
    with open('/proc/net/tcp') as f:
        lines = [x.split() for x in f.read().splitlines()[1:]]
    return [x[1] for x in lines
            if x[2].endswith(':%04X' % port) and x[3] == '02']


@t.limit(60)
def test_silence():
    """Three at a time, as each takes some seconds."""
    server = t.server(t.echo().port, '-v')
    forgotten, cutter, s1 = chain(server, cutting.Cutter)
    slow, valve, s2 = chain(server, Valve)
    runs = os.path.join(t.folder(), 'runs')
    command = runs + '.sh'
    with open(command, 'w') as f:
        f.write('#!/bin/sh\necho >>%s\necho X-A: b\n' % runs)
    os.chmod(command, 0o755)
    gone, closed, s3 = chain(server, Valve, '--header-command', command)

    # A flow that is forgotten; one that is only slow; no answer at all.
    cutter.hole()
    valve.is_open.clear()
    valve.stop(False)
    closed.stop()
    full = socket.create_server(('127.0.0.1', closed.port), backlog=0)
    fillers = []
    for _ in range(3):
        f = socket.socket()
        f.setblocking(False)
        f.connect_ex(('127.0.0.1', closed.port))
        fillers.append(f)
    own = {'%08X:%04X' % (0x0100007F, f.getsockname()[1]) for f in fillers}
    began = time.monotonic()
    s2.sendall(b'second')

    took = []

    def talk_again():
        talk(s1, b'second')
        took.append(time.monotonic() - began)
    th = threading.Thread(target=talk_again)
    th.start()
    most, seen, before = 0, [], []      # seen: what was new in each look
    while time.monotonic() < began + 5.2 or (
            sum(map(len, seen)) < 4 and time.monotonic() < began + 6.5):
        now = [x for x in connecting(closed.port) if x not in own]
        # one look takes a while, so it may show two in one place
        most = max(most, len(set(now) & set(before)))
        before = now
        fresh = [x for x in now if not any(x in one for one in seen)]
        seen += [fresh] if fresh else []
        time.sleep(.02)
    now = [x for x in connecting(closed.port) if x not in own]
    t.ok(slow.has_line('websocket-doubted .*no answer to a Ping'),
         'a slow path is doubted')
    valve.is_open.set()
    th.join()
    t.ok(forgotten.has_line('websocket-lost .*no answer to a Ping'),
         'a forgotten flow is noticed')
    m = forgotten.has_line('event=resumed .*after=([0-9.]+)')
    t.ok(m and float(m[1]) < 3 * t.SCALE, 'and resumed at once')
    t.ok(took and took[0] < 10 * t.SCALE, 'back within some seconds') or \
        t.diag('after %s s' % took)
    got = b''
    while len(got) < 6:
        got += s2.recv(100)
    t.ok(slow.has_line('websocket-trusted'), 'one that speaks again is kept')
    t.ok(not slow.has_line('websocket-lost', .01), 'and no redial was sent')
    t.is_(most, 3, 'three connections at a time')
    t.ok(sum(map(len, seen)) >= 4, 'a new one each second')
    # a late look may show several that are new, in any order
    first, more = seen[0], seen[1] if len(seen[0]) == 1 else []
    t.ok(len(set(first + more) & set(now)) >= 2 and
         set(first) & set(now), 'the two oldest have their time')

    t.is_(os.path.getsize(runs), 1, '--header-command is not run meanwhile')
    for f in fillers:
        f.close()
    full.close()
    closed.begin()
    began = time.monotonic()
    talk(s3, b'third')
    t.ok(time.monotonic() - began < 5 * t.SCALE,
         'and back when there is an answer')
    t.is_(os.path.getsize(runs), 2, '--header-command is run for its request')


t.main()
