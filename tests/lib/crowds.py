# SPDX-License-Identifier: ISC
"""Thousands of sockets, each crowd in a process of its own.

    worker(Class, ...)  starts one; .ask(command, ...) calls its do_command()
    Crowd       its loop: sockets, timers, commands
    Streams     applications that compare what an echo sends back, byte by byte
    Echo        a target that sends back what comes
    Forwarder   a TCP proxy, to be killed and started again
"""

import collections
import ctypes
import heapq
import json
import os
import random
import select
import signal
import socket
import struct
import time

import proc

IN, OUT = select.EPOLLIN, select.EPOLLOUT
ENDED = select.EPOLLHUP | select.EPOLLERR
# A prime period, so that a byte lost, added or moved anywhere shows.
PERIOD = 65521
PATTERN = random.Random(1).randbytes(PERIOD) * 3
OPENING = 16                # connections that are set up at once


def pattern(place, n):
    at = place % PERIOD
    return PATTERN[at:at + min(n, PERIOD)]


class Crowd:
    """The loop of one process: sockets, timers and commands.  faults: texts;
    counts: numbers by name."""

    def __init__(self, channel):
        self.ep = select.epoll()
        self.by_fd, self.timers, self.number = {}, [], 0
        self.counts, self.faults = collections.Counter(), []
        self.channel = channel
        self.ep.register(channel, IN)

    def watch(self, one, mask):
        """Calls one.event() for events of one.sock."""
        fd = one.sock.fileno()
        if fd in self.by_fd:
            self.ep.modify(fd, mask)
        else:
            self.by_fd[fd] = one
            self.ep.register(fd, mask)

    def forget(self, one, reset=False):
        self.by_fd.pop(one.sock.fileno(), None)
        if reset:
            one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                struct.pack('ii', 1, 0))
        one.sock.close()        # ends its registration

    def after(self, seconds, function):
        self.number += 1
        heapq.heappush(self.timers, (time.monotonic() + seconds, self.number,
                                     function))

    def fault(self, text):
        self.counts['faults'] += 1
        if len(self.faults) < 10:
            self.faults.append(text)

    def command(self):
        line = self.channel.makefile().readline()
        if not line:
            os._exit(0)
        name, words = json.loads(line)
        answer = getattr(self, 'do_' + name)(**words)
        self.channel.sendall(json.dumps(answer).encode() + b'\n')

    def loop(self):
        while True:
            wait = self.timers[0][0] - time.monotonic() if self.timers else 1
            for fd, events in self.ep.poll(max(0, wait)):
                one = self.by_fd.get(fd)
                if fd == self.channel.fileno():
                    self.command()
                elif one is not None:
                    one.event(events)
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                heapq.heappop(self.timers)[2]()

    def do_counts(self):
        return dict(self.counts, faults=self.faults)


class Worker:
    """The process of a crowd, seen from the test."""

    def __init__(self, make):
        self.sock, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                # PR_SET_PDEATHSIG: a test that is killed leaves nothing
                ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
                for s in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                    signal.signal(s, signal.SIG_DFL)
                signal.alarm(0)
                self.sock.close()
                make(theirs).loop()
            except BaseException as e:
                theirs.sendall(json.dumps('failed: %r' % e).encode() + b'\n')
            os._exit(1)
        theirs.close()
        self.file = self.sock.makefile()
        self.sock.settimeout(8 * proc.BOUND)
        proc.on_close(self.kill, end=True)

    def ask(self, name, **words):
        self.sock.sendall(json.dumps([name, words]).encode() + b'\n')
        answer = json.loads(self.file.readline() or '"failed: it is gone"')
        if isinstance(answer, str):
            raise AssertionError('%s: %s' % (name, answer))
        return answer

    def kill(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = None


def worker(kind, *args):
    return Worker(lambda channel: kind(channel, *args))


class Listening:
    """A listener that passes each connection to a function."""

    def __init__(self, crowd, taker, port=0):
        self.sock = socket.create_server(('127.0.0.1', port), backlog=4096)
        self.sock.setblocking(False)
        self.port = self.sock.getsockname()[1]
        self.taker = taker
        crowd.watch(self, IN)

    def event(self, _):
        try:
            self.taker(self.sock.accept()[0])
        except OSError:
            pass


# --- bytes that are compared ---

class Stream:
    """A connection that sends its part of the pattern to an echo: chunk bytes
    in each pause (None: when it is told to), and at most ahead bytes more than
    have come back.  most: it ends when so many bytes are back, in good order,
    or with resets by a reset after half of them."""

    def __init__(self, crowd, no, port, chunk, pause=None, ahead=1 << 16,
                 most=None, resets=False):
        self.crowd, self.no = crowd, no
        self.chunk, self.pause, self.ahead = chunk, pause, ahead
        self.most, self.resets = most, resets
        self.sent = self.got = 0
        self.due = chunk
        self.mark = None
        self.state = 'connecting'
        self.begun = time.monotonic()
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.connect_ex(('127.0.0.1', port))
        crowd.watch(self, OUT)

    def event(self, events):
        try:
            if self.state == 'connecting':
                self.state = 'open'
            if events & (IN | ENDED):
                self.read()
            if self.state == 'open':
                self.push()
        except BlockingIOError:
            pass
        except OSError as e:
            self.over(str(e))

    def read(self):
        data = self.sock.recv(1 << 16)
        if not data:
            return self.over('eof')
        if not self.got:
            self.crowd.first(self)
        at = self.no * 7919 + self.got
        if data != pattern(at, len(data)) and any(
                data[i:i + PERIOD] != pattern(at + i, len(data) - i)
                for i in range(0, len(data), PERIOD)):
            self.crowd.fault('stream %d: wrong bytes behind byte %d' %
                             (self.no, self.got))
        self.got += len(data)
        self.crowd.counts['bytes'] += len(data)
        if self.resets and self.got * 2 >= self.most:
            self.over(None)
        elif self.got == self.most:
            self.finish()

    def push(self):
        mask = IN
        while self.sent < self.due:
            try:
                self.sent += self.sock.send(pattern(
                    self.no * 7919 + self.sent, self.due - self.sent))
            except BlockingIOError:
                mask |= OUT
                break
        self.crowd.watch(self, mask)

    def more(self):
        """Allows to send one more chunk; 0 if the stream is not open."""
        if self.state != 'open':
            return 0
        if self.due - self.got < self.ahead:
            self.due += self.chunk
            self.event(0)
        return 1

    def again(self):
        if self.more():
            self.crowd.after(self.pause, self.again)

    def finish(self):
        """Ends its direction; the stream is over when all bytes are back."""
        if self.state == 'open':
            self.push()
            self.state = 'ending'
            if self.sent < self.due:
                self.due = self.sent
            self.sock.shutdown(socket.SHUT_WR)

    def over(self, how):
        if how is not None and (how != 'eof' or self.state != 'ending' or
                                self.got != self.sent):
            self.crowd.fault('stream %d: %s after %d of %d bytes, %s' % (
                self.no, how, self.got, self.sent, self.state))
        if self.state != 'over':
            self.state = 'over'
            self.crowd.forget(self, reset=how is None)
            self.crowd.gone(self)


class Streams(Crowd):
    """Many streams to a port; measures how long the first byte of each took.
    """

    def __init__(self, channel, port):
        super().__init__(channel)
        self.port, self.live, self.wanted = port, {}, []
        self.opening, self.next, self.took = 0, 0, []
        self.visiting = False

    def begin(self, **how):
        self.live[self.next] = Stream(self, self.next, self.port, **how)
        self.next += 1

    def first(self, s):
        self.took.append((s.begun, time.monotonic() - s.begun))
        if s.most is None:
            self.opening -= 1
            if s.pause:
                self.after(random.random() * s.pause, s.again)
            self.open_more()

    def gone(self, s):
        self.live.pop(s.no, None)
        self.counts['over'] += 1

    def open_more(self):
        while self.wanted and self.opening < OPENING:
            self.opening += 1
            self.begin(**self.wanted.pop())

    def visit(self, rate, most, due):
        """Opens a short connection.  One that is due is opened even if it is
        late."""
        if not self.visiting:
            return
        due += 1 / rate
        self.after(due - time.monotonic(),
                   lambda: self.visit(rate, most, due))
        if len(self.live) < 512:
            self.begin(chunk=most, most=most, resets=self.next % 4 == 3)
        else:
            self.counts['too many'] += 1

    def do_open(self, count, **how):
        self.wanted += [how] * count
        self.open_more()
        return count

    def do_visits(self, rate, most):
        """Opens rate short connections in a second; every fourth is reset."""
        self.visiting = rate > 0
        if self.visiting:
            self.visit(rate, most, time.monotonic())
        return rate

    def do_ask(self):
        return sum(s.more() for s in list(self.live.values()))

    def do_mark(self):
        """Remembers how much each stream has got: marked in the report counts
        those that have got nothing since."""
        for s in list(self.live.values()):
            s.mark = s.due
            s.more()
        return len(self.live)

    def do_finish(self):
        for s in list(self.live.values()):
            s.finish()
        return len(self.live)

    def do_report(self):
        """behind: streams that have not got all that they may send; marked:
        see do_mark()."""
        return dict(
            self.do_counts(), live=len(self.live), opened=self.next,
            opening=self.opening + len(self.wanted),
            behind=sum(s.got < s.due for s in self.live.values()),
            marked=sum(s.mark is not None and s.got <= s.mark
                       for s in self.live.values()))

    def do_took(self, apart):
        """The number of streams, and the seconds to their first byte (median,
        99 %, longest), for those that began in the given times and for the
        others."""
        within, others = [], []
        for begun, took in self.took:
            (within if any(a <= begun <= b for a, b in apart)
             else others).append(took)
        return [[len(x)] + [sorted(x)[int(len(x) * q) - (q == 1)]
                            for q in (.5, .99, 1) if x]
                for x in (within, others)]


# --- bytes that are passed on ---

class End:
    """A socket whose bytes are passed on to another socket, or back to itself.
    """

    def __init__(self, crowd, sock):
        self.crowd, self.sock = crowd, sock
        self.to = self.source = self
        self.kept, self.eof, self.mask = b'', False, None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wait(self):
        mask = ((0 if self.kept or self.eof else IN) |
                (OUT if self.source.kept else 0))
        if mask != self.mask:
            self.mask = mask
            self.crowd.watch(self, mask)

    def flush(self):
        self.kept = self.kept[self.to.sock.send(self.kept):]

    def event(self, events):
        try:
            if events & OUT:
                self.source.flush()
            if not self.kept and not self.eof and events & (IN | ENDED):
                self.kept = self.sock.recv(1 << 16)
                self.eof = not self.kept
                if self.eof:
                    self.to.sock.shutdown(socket.SHUT_WR)
                else:
                    self.flush()
            elif events & ENDED:
                raise OSError('gone')
            if self.eof and self.to.eof and not self.to.kept:
                return self.drop(False)
        except BlockingIOError:
            pass
        except OSError:
            return self.drop(True)
        self.wait()
        if self.to is not self:
            self.to.wait()

    def drop(self, reset):
        for one in {self, self.to}:
            self.crowd.forget(one, reset)


class Echo(Crowd):
    def __init__(self, channel):
        super().__init__(channel)
        self.listening = Listening(self, lambda s: End(self, s).wait())

    def do_port(self):
        return self.listening.port


class Forwarder(Crowd):
    """Forwards connections from a port (0: any free one) to another port."""

    def __init__(self, channel, to, port=0):
        super().__init__(channel)
        self.to = to
        self.listening = Listening(self, self.take, port)

    def take(self, sock):
        a = End(self, sock)
        try:
            b = End(self, socket.create_connection(('127.0.0.1', self.to)))
        except OSError:
            sock.close()
            return
        a.to, a.source, b.to, b.source = b, b, a, a
        a.wait()
        b.wait()

    def do_port(self):
        return self.listening.port
