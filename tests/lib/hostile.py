# SPDX-License-Identifier: ISC
"""Peers that are slow, flood, or never read, at either end of a websocket.

    worker(Attackers)   a process with all of them; its commands:
      attack port count     they dial this server, count of each kind
      lure                  the port of a server that treats its clients so
      visit port count      visitors of a client that dials that server
      stop                  ends all; what there was, by name

Each one begins again when it is ended; counts has, for each kind, how many
came, how many were ended, how many bytes they got, and, when all are stopped,
how many could send no more.
"""

import errno
import os
import socket
import time

import crowds
import ws

TICK = 0.1
FULL = 1 << 17              # more is not kept for a peer that does not take it
OFFER = 'inetws; v=2; id=me; resume'


def times(n, *frame, **kw):
    """A kind of attack that sends the same frames in each tick."""
    def bytes_of(tick, key):
        return ws.frame(*frame, key=key, **kw) * n
    return bytes_of


def slow_frame(tick, key):
    """Announces 60,000 bytes and sends them slowly."""
    if tick == 0:
        return ws.frame(ws.BINARY, b'', length=60000, form=16, key=key)
    return b'x'


def slow_close(tick, key):
    """Sends a Close byte by byte, and bytes behind it."""
    whole = ws.frame(ws.CLOSE, b'\x03\xe8', key=key)
    return whole[tick:tick + 1] or b'x'


# name: (does it read?, its offer, what it sends in a tick)
KINDS = {
    'slow head': (True, None, None),
    'slow frame': (True, None, slow_frame),
    'slow close': (False, None, slow_close),
    'pings': (True, None, times(40, ws.PING, b'p' * 125)),
    'pings, not reading': (False, None, times(40, ws.PING, b'p' * 125)),
    'empty fragments': (True, None, times(500, ws.CONT, b'', fin=False)),
    'one-byte frames': (True, None, times(200, ws.BINARY, b'1')),
    'control lines': (True, OFFER, times(100, ws.TEXT, b'ack 0 262144')),
    'wrong lines': (True, OFFER, times(10, ws.TEXT, b'ack ' + b'9' * 100)),
    'never reads': (False, None, times(8, ws.BINARY, b'r' * 16384)),
}


class Hostile:
    """An attacker of one kind; sock is connected, or is about to be."""

    def __init__(self, crowd, name, sock, again=None):
        self.crowd, self.name, self.sock, self.again = crowd, name, sock, again
        self.reads, self.offer, self.bytes_of = KINDS[name]
        self.dials = again is not None
        self.key = b'\0\0\0\0' if self.dials else None
        self.head, self.out, self.tick, self.open = b'', b'', 0, False
        self.echoed = 0
        self.gone = False
        sock.setblocking(False)
        crowd.counts[name] += 1
        crowd.all.add(self)
        if self.dials and self.bytes_of:
            fields = [('Sec-WebSocket-Extensions', self.offer)]
            self.out = ws.request(headers=fields if self.offer else ())
        crowd.watch(self, crowds.IN)
        crowd.after(0, self.step)

    def step(self):
        if self.gone:
            return
        if self.bytes_of is None:
            line = b'GET / HTTP/1.1\r\n' if self.dials else \
                b'HTTP/1.1 101 Switching Protocols\r\n'
            self.out += (line + b'A: b\r\n' * 500)[self.tick:self.tick + 1]
            self.tick += 1
        elif self.open and len(self.out) < FULL:
            key = self.key
            if self.tick == 0 and 'fragments' in self.name:
                self.out += ws.frame(ws.BINARY, b'', fin=False, key=key)
            self.out += self.bytes_of(self.tick, key)
            self.tick += 1
        try:
            self.out = self.out[self.sock.send(self.out):]
        except BlockingIOError:
            pass
        except OSError as e:
            if e.errno != errno.ENOTCONN:
                return self.end()
        self.crowd.after(TICK, self.step)

    def event(self, events):
        try:
            data = self.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            return self.end()
        if not data:
            return self.end()
        if self.open or self.bytes_of is None:
            self.crowd.counts[self.name + ': bytes back'] += len(data)
            return
        self.head += data
        if b'\r\n\r\n' not in self.head:
            return
        first, fields = ws.parse_head(self.head.partition(b'\r\n\r\n')[0])
        if self.dials and ' 101 ' not in first:
            return self.end()
        if not self.dials:
            self.out += (
                'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
                'Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n' %
                (ws.accept_of(fields.get('sec-websocket-key', '')),
                 'Sec-WebSocket-Extensions: inetws; v=2; id=me; resume=%s\r\n'
                 % os.urandom(16).hex() if self.offer else '')).encode()
        self.open = True
        if not self.reads:
            self.crowd.watch(self, 0)

    def end(self):
        if self.gone:
            return
        self.gone = True
        self.crowd.all.discard(self)
        self.crowd.counts[self.name + ': ended'] += 1
        self.crowd.forget(self)
        if self.again:
            self.crowd.after(2 * TICK, self.again)


class Visitor:
    """An application that sends as fast as it can; reads: it reads too, or
    never."""

    def __init__(self, crowd, port, reads, again):
        self.crowd, self.reads, self.again = crowd, reads, again
        self.sock, self.gone = dialled(port), False
        crowd.all.add(self)
        crowd.counts['visitors'] += 1
        crowd.watch(self, crowds.IN if reads else 0)
        crowd.after(TICK, self.step)

    def step(self):
        if self.gone:
            return
        try:
            self.sock.send(b'v' * 4096)
        except BlockingIOError:
            pass
        except OSError:
            return self.end()
        self.crowd.after(TICK, self.step)

    def event(self, events):
        try:
            if not self.reads or not self.sock.recv(1 << 16):
                self.end()
        except BlockingIOError:
            pass
        except OSError:
            self.end()

    def end(self):
        self.gone = True
        self.crowd.all.discard(self)
        self.crowd.counts['visitors: ended'] += 1
        self.crowd.forget(self)
        self.crowd.after(5 * TICK, self.again)


def dialled(port):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(('127.0.0.1', port))
    return s


class Attackers(crowds.Crowd):
    def __init__(self, channel):
        super().__init__(channel)
        self.all, self.stopped, self.names = set(), False, []
        self.listening = crowds.Listening(self, self.answer)

    def answer(self, sock):
        name = self.names.pop(0)
        self.names.append(name)
        if not self.stopped:
            Hostile(self, name, sock)

    def attack(self, name, port):
        if not self.stopped:
            Hostile(self, name, dialled(port), lambda: self.attack(name, port))

    def visit(self, port, reads):
        if not self.stopped:
            Visitor(self, port, reads, lambda: self.visit(port, reads))

    def do_attack(self, port, count):
        for name in KINDS:
            for _ in range(count):
                self.attack(name, port)
        return count * len(KINDS)

    def do_lure(self):
        self.names = list(KINDS)
        return self.listening.port

    def do_visit(self, port, count, reads=True):
        for _ in range(count):
            self.visit(port, reads)
        return count

    def do_stop(self):
        self.stopped = True
        for one in list(self.all):
            if len(getattr(one, 'out', b'')) >= FULL:
                self.counts[one.name + ': held up'] += 1
            one.gone = True
            self.forget(one)
        self.all.clear()
        return dict(self.counts, at=time.monotonic())
