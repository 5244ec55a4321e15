#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The descriptors of a tunnel: redials that fail, hand-overs that fail, and
websockets that are lost change none of them.

If it fails: a tunnel that is resumed often runs out of descriptors, or closes
its own stream.
"""

import array
import hashlib
import os
import re
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import inetws_peer as p # noqa: E402
import reverse          # noqa: E402


OFFER = '%s; id=me; win=65536' % re.match(r'inetws; v=\d+', reverse.OFFER)[0]


def numbers(pid):
    return sorted(int(n) for n in os.listdir('/proc/%d/fd' % pid))


def tunnel(*words):
    """(server, client, cutter, our end, the target's, the two children)"""
    target = t.Held()
    s = t.server(target.port, '-v')
    cutter = cutting.Cutter(s.port)
    c = t.client('ws://127.0.0.1:%d/' % cutter.port, '-v', *words)
    a = t.ws.dial(c.port)
    a.sendall(b'x')
    b = target.next()
    t.is_(b.recv(1), b'x', 'a tunnel')
    child = t.child(c.pid)
    other = t.child(s.pid)
    return s, c, cutter, a, b, child, other


def passes(a, b, name):
    a.sendall(b'there')
    b.sendall(b'back')
    t.is_((t.ws.read_exactly(b, 5), t.ws.read_exactly(a, 4)),
          (b'there', b'back'), name)


def test_cuts():
    s, c, cutter, a, b, child, other = tunnel()
    passes(a, b, 'bytes')
    before = numbers(child), numbers(other)
    for i in range(1, 11):
        cutter.cut('rst' if i % 2 else 'fin')
        t.ok(c.has_line('event=resumed', count=i), 'cut and resumed')
        passes(a, b, 'bytes')
    t.ok(t.until(lambda: (len(numbers(child)), len(numbers(other))) ==
                 (len(before[0]), len(before[1]))),
         'ten websockets later both have as many descriptors')
    t.is_((numbers(child)[:3], numbers(other)[:3]), ([0, 1, 2], [0, 1, 2]),
          'and still the first three')


def test_failed_redials():
    s, c, cutter, a, b, child, other = tunnel()
    passes(a, b, 'bytes')
    before = numbers(child)
    cutter.refuse = True
    cutter.cut('rst')
    t.ok(c.has_line('event=redial-failed', count=4), 'four redials fail')
    t.is_(numbers(child)[:3], [0, 1, 2], 'none closes what is not its own')
    cutter.refuse = False
    t.ok(c.has_line('event=resumed'), 'the next one is resumed')
    passes(a, b, 'and bytes pass')
    t.ok(t.until(lambda: len(numbers(child)) == len(before)),
         'with as many descriptors as before')


class Session:
    """A server's session with a websocket led frame by frame."""

    def __init__(self):
        self.target = t.Held()
        self.program = t.server(self.target.port)
        self.raw = p.raw_dial('127.0.0.1', self.program.port, '/', OFFER +
                              '; resume', timeout=t.BOUND)
        self.far = self.target.next()
        self.sid = self.raw.params['resume']
        self.owner = t.child(self.program.pid)
        self.lives('a session')
        self.before = numbers(self.owner)

    def offer(self, n, at):
        return OFFER + '; resume="%s"; n=%d; at=%d' % (self.sid, n, at)

    def lives(self, name):
        self.raw.data(b'yes')
        t.is_(t.ws.read_exactly(self.far, 3), b'yes', name)

    def unchanged(self, name):
        t.ok(t.until(lambda: len(numbers(self.owner)) == len(self.before)),
             name + ': no descriptor more') or t.diag(
                 '%s, before %s' % (numbers(self.owner), self.before))


def test_refused_hand_overs():
    """A session is handed redials that it refuses."""
    x = Session()
    x.raw = p.raw_dial('127.0.0.1', x.program.port, '/', x.offer(5, 0),
                       timeout=t.BOUND)
    x.lives('resumed')
    for _ in range(10):
        try:
            p.raw_dial('127.0.0.1', x.program.port, '/', x.offer(5, 0),
                       timeout=t.BOUND)
            t.ok(False, 'an attempt that is repeated: 410')
        except p.Refused as e:
            t.is_(e.status, 410, 'an attempt that is repeated: 410')
    x.lives('and the session goes on')
    x.unchanged('ten refused redials')


def test_redials_that_vanish():
    """Each is gone before it can be answered, and is no harm to the next."""
    x = Session()
    for n in range(1, 11):
        sock = t.ws.dial(x.program.port)
        sock.sendall(t.ws.request(headers=[('Sec-WebSocket-Extensions',
                                            x.offer(n, 0))]))
        t.ws.reset(sock)
    # Those that are still on their way have lower numbers.
    x.raw = p.raw_dial('127.0.0.1', x.program.port, '/', x.offer(100, 0),
                       timeout=t.BOUND)
    x.lives('the next one is resumed')
    x.unchanged('ten redials that were reset')


def test_wrong_letters():
    """What comes to the hand-off socket in pieces, short or without a
    descriptor."""
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    x = Session()
    name = '\0inetws-' + hashlib.sha256(x.sid.encode()).hexdigest()
    for what, pieces, fds in (('nothing', [], 0), ('a byte', [b'\0'], 1),
                              ('zeros, no descriptor', [bytes(1000)], 0),
                              ('zeros', [bytes(1000)], 1),
                              ('zeros in pieces', [bytes(100)] * 10, 1),
                              ('ones', [b'\xff' * 1000], 1),
                              ('many descriptors', [bytes(1000)], 20)):
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(name)     # waits while many others do
                ends = [os.dup(s.fileno()) for _ in range(fds)]
                try:
                    for piece in pieces:
                        s.sendmsg([piece], [(
                            socket.SOL_SOCKET, socket.SCM_RIGHTS,
                            array.array('i', ends))] if ends else [])
                except OSError:
                    pass            # it may be dropped at once
                for fd in ends:
                    os.close(fd)
        x.lives('%s: the session goes on' % what)
        x.unchanged(what)


if __name__ == '__main__':
    t.main()
