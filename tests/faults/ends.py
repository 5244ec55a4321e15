# SPDX-License-Identifier: ISC
"""The two ends of many tunnels at once, in one loop.

An end sends its bytes, ends its direction, and reads to an end.  What it reads
must be the first bytes of what the other end sends; an end of file means that
it was all.
"""

import array
import heapq
import os
import random
import selectors
import socket
import struct
import time

HEAD = 8                    # every client's first bytes: which tunnel it is


class Loop:
    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.timers, self.count = [], 0

    def watch(self, fd, events, call):
        try:
            known = self.selector.get_key(fd)
        except KeyError:
            known = None
        if not events:
            if known:
                self.selector.unregister(fd)
        elif not known:
            self.selector.register(fd, events, call)
        elif known.events != events:
            self.selector.modify(fd, events, call)

    def after(self, seconds, call):
        self.count += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.count,
                                     call))

    def turn(self, most=.05):
        if self.timers:
            most = min(most, max(0, self.timers[0][0] - time.monotonic()))
        for key, events in self.selector.select(most):
            try:
                if self.selector.get_key(key.fd).data is key.data:
                    key.data(events)
            except KeyError:
                pass
        while self.timers and self.timers[0][0] <= time.monotonic():
            heapq.heappop(self.timers)[2]()


def size(r, most):
    """Small ones are likely; 0 is too."""
    return 0 if r.random() < .05 else int(most ** r.random())


class Manner:
    """How an end behaves."""

    def __init__(self, r, gentle, size):
        self.piece = max(r.choice((1, 100, 5000, 65536, 1 << 20)), size // 100)
        self.pause = r.choice((0, 0, .002, .01))
        self.first = r.random() < .3    # waits for the peer's end first
        # leaves when so much of its bytes is sent, with a reset or without
        self.leaves = None if gentle or r.random() > .15 else (
            r.random(), r.choice(('close', 'reset')))
        if self.first:
            self.leaves = None


class End:
    """rfd, wfd: descriptors, non-blocking; the same one if a socket."""

    def __init__(self, loop, rfd, wfd, name):
        self.loop, self.rfd, self.wfd, self.name = loop, rfd, wfd, name
        self.data = self.want = None
        self.sent = self.got = 0
        self.early = b''            # before it is known which tunnel it is
        self.finished = False       # has sent all, and said so
        self.left = False           # of its own will, before the end
        self.how = None             # 'eof', 'reset', or what was wrong
        self.broken = None
        self.paused = False
        self.asked = None           # program: what tells of HUP
        self.on_change = lambda: None
        for fd in {rfd, wfd}:
            os.set_blocking(fd, False)

    def begin(self, data, want, manner):
        self.data, self.want, self.manner = data, want, manner
        early, self.early = self.early, b''
        self.take(early)
        self.update()

    @property
    def total(self):
        return self.sent if self.left else len(self.data)

    @property
    def over(self):
        """Nothing more will happen here."""
        return self.rfd == -1 and self.wfd == -1

    def update(self):
        if self.rfd == -1 and self.wfd == -1:
            return
        sends = self.data is not None and self.wfd != -1 and \
            not self.finished and not self.paused and (
                not self.manner.first or self.how is not None or
                self.sent < HEAD)
        reads = self.rfd != -1 and self.how is None
        if self.rfd == self.wfd:
            self.loop.watch(self.rfd, (selectors.EVENT_READ if reads else 0) |
                            (selectors.EVENT_WRITE if sends else 0),
                            self.ready)
            return
        if self.rfd != -1:
            self.loop.watch(self.rfd, selectors.EVENT_READ if reads else 0,
                            self.ready)
        if self.wfd != -1:
            self.loop.watch(self.wfd, selectors.EVENT_WRITE if sends else 0,
                            self.ready)

    def ready(self, events):
        if events & selectors.EVENT_READ and self.how is None:
            self.read()
        if events & selectors.EVENT_WRITE and self.wfd != -1:
            self.write()
        if self.how is not None and (self.finished or self.broken):
            self.close()
        self.update()
        self.on_change()

    def read(self):
        try:
            data = os.read(self.rfd, 1 << 18)
        except BlockingIOError:
            return
        except OSError as e:
            self.ended('reset')
            self.broken = e
            return
        if not data:
            self.ended('reset' if self.broken and self.rfd == self.wfd
                       else 'eof')
        elif self.want is None:
            self.early += data
        else:
            self.take(data)

    def take(self, data):
        if bytes(self.want[self.got:self.got + len(data)]) != data:
            self.ended('wrong bytes behind %d' % self.got)
            self.broken = True
        self.got += len(data)

    def ended(self, how):
        self.how = how
        if how == 'eof' and self.asked is not None:
            self.ask()

    def ask(self):
        """HUP comes before the end."""
        try:
            self.asked.settimeout(10)
            self.asked.send(b'?')
            if self.asked.recv(1) == b'H':
                self.how = 'reset'
        except OSError:
            pass
        self.asked.close()
        self.asked = None

    def write(self):
        piece = self.data[self.sent:self.sent + self.manner.piece]
        if self.manner.first and self.how is None:
            piece = piece[:HEAD - self.sent] if self.sent < HEAD else b''
        if len(piece) > 0:
            try:
                self.sent += os.write(self.wfd, piece)
            except BlockingIOError:
                return
            except OSError as e:
                self.broken = e
                self.shut(False)
                return
        if self.sent == len(self.data) and not (
                self.manner.first and self.how is None):
            self.shut(True)
        elif self.manner.leaves and self.sent >= HEAD and \
                self.sent >= self.manner.leaves[0] * len(self.data):
            self.leave(self.manner.leaves[1])
        elif self.manner.pause:
            self.paused = True
            self.loop.after(self.manner.pause, self.go_on)

    def go_on(self):
        self.paused = False
        self.update()

    def shut(self, well):
        """No more bytes; well: these were all."""
        self.finished = well
        if self.wfd == self.rfd:
            if well:
                self.sock(lambda s: s.shutdown(socket.SHUT_WR))
            return
        self.loop.watch(self.wfd, 0, None)
        os.close(self.wfd)
        self.wfd = -1

    def sock(self, call):
        with socket.socket(fileno=os.dup(self.wfd)) as s:
            try:
                call(s)
            except OSError:
                pass

    def leave(self, how):
        self.left = True
        if how == 'close' or self.name in ('connect', 'program'):
            self.finished = True        # an end behind what was sent
        else:
            self.sock(lambda s: s.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER,
                struct.pack('ii', 1, 0)))
        if self.how is None:
            self.how = 'left'
        self.close()

    def close(self):
        for fd in {self.rfd, self.wfd} - {-1}:
            self.loop.watch(fd, 0, None)
            os.close(fd)
        self.rfd = self.wfd = -1
        if self.asked is not None:
            self.asked.close()
            self.asked = None


class Tunnel:
    """Number no of a round; its client's end is given, the target's found."""

    def __init__(self, loop, seed, no, most, gentle):
        r = self.random = random.Random('%d/%d' % (seed, no))
        self.no, self.loop = no, loop
        self.up = struct.pack('!Q', no) + r.randbytes(size(r, most))
        self.down = r.randbytes(size(r, most))
        self.manners = [Manner(r, gentle, len(x))
                        for x in (self.up, self.down)]
        if self.manners[0].first:
            self.manners[1].first = False
        self.a = self.b = None
        self.process = None             # connect: its exit status counts
        self.status = None

    def client(self, end):
        self.a = end
        end.begin(self.up, self.down, self.manners[0])

    def target(self, end):
        self.b = end
        end.begin(self.down, self.up, self.manners[1])

    def over(self):
        if self.process is not None and self.status is None:
            self.status = self.process.popen.poll()
            if self.status is None:
                return False
        return self.a.over and (self.b is None or self.b.over)

    def whole(self):
        return self.b is not None and all(
            e.how == 'eof' and e.finished and e.got == len(e.want)
            for e in (self.a, self.b)) and not self.status

    def wrongs(self, may_fail, killed):
        """What is wrong with it; killed: a process without a word."""
        found = []
        for e, peer in ((self.a, self.b), (self.b, self.a)):
            if e is None:
                continue
            if e.how is None:
                found.append('%s: does not end' % e.name)
            elif e.how.startswith('wrong'):
                found.append('%s: %s' % (e.name, e.how))
            elif e.how == 'eof' and (
                    peer is None or not peer.finished or
                    e.got != peer.total) and not (
                        e is self.a and self.status) and not (
                        e is self.b and killed and e.name == 'program'):
                found.append('%s: an end behind %d bytes of %d%s' % (
                    e.name, e.got, len(e.want), '' if peer and peer.finished
                    else '; the other end has not ended'))
        if self.status == 0 and not any(
                e and e.left for e in (self.a, self.b)) and not (
                self.a.how == 'eof' and self.b and
                self.b.got == self.a.total and self.a.got == self.b.total):
            found.append('exit status 0')
        if not may_fail and not self.whole() and not any(
                e and e.left for e in (self.a, self.b)):
            found.append('not whole')
        return found

    def tell(self):
        return 'tunnel %d: %s; exit status %s' % (self.no, ', '.join(
            '%s sent %d of %d%s, got %d of %d, %s%s' % (
                e.name, e.sent, len(e.data), ' and ended' if e.finished
                else ' and left' if e.left else '', e.got, len(e.want), e.how,
                ' (%s)' % e.broken if e.broken else '')
            for e in (self.a, self.b) if e is not None), self.status)


def passed(sock):
    """The two descriptors that plug hands over."""
    _, control, _, _ = sock.recvmsg(1, socket.CMSG_LEN(2 * 4))
    fds = array.array('i')
    for _, _, data in control:
        fds.frombytes(data)
    return list(fds)
