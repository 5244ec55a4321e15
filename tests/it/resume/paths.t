#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Paths that are slow, or end what is idle: the first are kept, and for the
second Pings come sooner.

If it fails: tunnels are lost and resumed for ever on a path that works.
"""

import os
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

IDLE = 3.2              # seconds that the first path leaves a websocket idle
SLOW = 6                # seconds, at RATE, that the second one is looked at
RATE = 8 << 10          # bytes a second there: no ack is due meanwhile


class Relay:
    """In front of a port, a thread for each direction.  idle: ends a connection
    on which nothing has come for so long, as proxies do, with FIN; rate: takes
    only so many bytes a second of what goes up, and has small buffers."""

    def __init__(self, port, idle=None, rate=None):
        self.to, self.idle, self.rate = ('127.0.0.1', port), idle, rate
        self.deaths = []                # when one was ended
        self.passes = threading.Event()
        self.passes.set()
        self.moved = 0                  # bytes that went up
        self.kept = []
        self.sock = socket.socket()
        if rate:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.bind(('127.0.0.1', 0))
        self.sock.listen(16)
        self.port = self.sock.getsockname()[1]
        t.on_close(self.close, end=True)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        self.passes.set()
        t.end_reader(self.sock, self.thread)
        for s in self.kept:
            s.close()

    def _accept(self):
        while True:
            try:
                a, _ = self.sock.accept()
                b = socket.create_connection(self.to, t.BOUND)
            except OSError:
                return
            b.settimeout(None)
            self.kept += [a, b]
            last = [time.monotonic()]
            for src, dst, up in ((a, b, True), (b, a, False)):
                threading.Thread(target=self._copy, daemon=True,
                                 args=(src, dst, up, last)).start()
            if self.idle:
                threading.Thread(target=self._watch, daemon=True,
                                 args=(a, b, last)).start()

    def _copy(self, src, dst, up, last):
        try:
            while True:
                if up and self.rate:
                    self.passes.wait()
                    data = src.recv(self.rate // 10)
                    time.sleep(len(data) / self.rate)
                else:
                    data = src.recv(65536)
                if not data:
                    break
                last[0] = time.monotonic()
                self.moved += len(data) if up else 0
                dst.sendall(data)
            dst.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _watch(self, a, b, last):
        while time.monotonic() < last[0] + self.idle:
            time.sleep(.02)
        self.deaths.append(time.monotonic())
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Tunnel:
    def __init__(self, server, *options, **path):
        self.relay = Relay(server.port, **path)
        self.client = t.client('ws://127.0.0.1:%d/' % self.relay.port, '-v',
                               *options)
        self.sock = socket.create_connection(('127.0.0.1', self.client.port),
                                             t.BOUND)
        t.on_close(self.sock.close)
        self.echo(b'first')

    def echo(self, data):
        self.sock.sendall(data)
        got = b''
        while len(got) < len(data):
            got += self.sock.recv(65536)
        t.is_(got, data, 'an echo')

    def count(self, event):
        return len([x for x in self.client.lines if 'event=' + event in x])


@t.limit(60)
def test_slow_and_idle():
    """All at once, as each takes some seconds."""
    if t.COMPAT:
        raise t.Skip('what is unacknowledged is known on Linux only')
    given = '--ping-interval', '30s', '--ping-timeout', '60s'
    echo = t.echo().port
    server, teachable = t.server(echo, '-q', *given), t.server(echo)
    sink = t.server(t.discard().port, '-q')
    learns = Tunnel(server, idle=IDLE)
    told = Tunnel(server, *given, idle=IDLE)
    other = Tunnel(teachable, *given, idle=IDLE)
    slow = socket_tunnel(sink)

    slow.sock.settimeout(None)
    threading.Thread(target=fill, args=(slow.sock,), daemon=True).start()
    t.until(lambda: slow.relay.moved >= SLOW * RATE)
    t.is_((slow.count('websocket-doubted'), slow.count('websocket-lost')),
          (0, 0), 'a network that takes bytes, if slowly: no doubt') or \
        t.diag('%d bytes' % slow.relay.moved)
    t.ok(slow.relay.moved < 1 << 16, '(nothing has come that could end one)')
    slow.relay.passes.clear()
    began = time.monotonic()
    t.ok(slow.client.has_line('event=websocket-doubted'),
         'one that takes none: it is doubted')
    t.ok(time.monotonic() - began < 8 * t.SCALE, 'after some three seconds')

    t.ok(t.until(lambda: len(learns.relay.deaths) >= 2),
         'a path that ends what is idle: two websockets')
    m = learns.client.has_line('event=ping-interval .*interval=([0-9.]+) '
                               'idle=([0-9.]+) .*path ends idle websockets')
    t.ok(m and 2 <= float(m[1]) < float(m[2]) < IDLE + 2 * t.SCALE,
         'Pings come sooner from then on, and that is told')
    # A Ping may be late on a busy machine, but not as late as without it.
    learns.relay.idle = IDLE + 2
    ended, before = len(learns.relay.deaths), len(told.relay.deaths)
    t.ok(t.until(lambda: len(told.relay.deaths) >= before + 3),
         'an interval that was given stays')
    t.is_((len(learns.relay.deaths), learns.count('ping-interval'),
           told.count('ping-interval')), (ended, 1, 0),
          'one that was learned keeps the websocket, and is told once')
    t.ok(t.until(lambda: 'event=ping-interval' in teachable.log),
         'a server learns, too')
    for x in learns, told, other:
        x.echo(b'last')


def socket_tunnel(sink):
    """To a sink, so that nothing comes but what the peer says itself."""
    x = Tunnel.__new__(Tunnel)
    x.relay = Relay(sink.port, rate=RATE)
    x.client = t.client('ws://127.0.0.1:%d/' % x.relay.port, '-v')
    x.sock = socket.create_connection(('127.0.0.1', x.client.port), t.BOUND)
    t.on_close(x.sock.close)
    x.sock.sendall(b'first')
    t.ok(t.until(lambda: x.relay.moved), 'a tunnel')
    return x


def fill(sock):
    try:
        while True:
            sock.sendall(bytes(65536))
    except OSError:
        pass


t.main()
