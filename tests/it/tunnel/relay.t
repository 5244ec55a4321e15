#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Many bytes both ways: equal at both ends, in bounded memory, whichever side
is slow.

If it fails: a slow reader makes a tunnel lose bytes or eat the memory.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import array            # noqa: E402
import contextlib       # noqa: E402
import fcntl            # noqa: E402
import hashlib          # noqa: E402
import random           # noqa: E402
import socket           # noqa: E402
import termios          # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402

MIB = 1 << 20
BOUND_KIB = 4096                        # private memory of each process
# ... while bytes flow: --window in each direction, 16 MiB unless set.
FLOW_KIB = 2 * 16384 + 2048


def pattern(seed, size):
    """(a function that yields the bytes in random pieces, their digest)"""
    block = random.Random(seed).randbytes(MIB)
    h = hashlib.sha256()
    for i in range(size // MIB):
        h.update(i.to_bytes(4, 'big') + block[4:])

    def pieces():
        rng = random.Random(seed + 1)
        for i in range(size // MIB):
            data = i.to_bytes(4, 'big') + block[4:]
            at = 0
            while at < MIB:
                n = rng.choice((1, 7, 125, 126, 1000, 4096, 65535, 65536,
                                rng.randrange(1, 200000)))
                yield data[at:at + n]
                at += n
    return pieces, h.hexdigest()


class Sum:
    def __init__(self):
        self.hash, self.n = hashlib.sha256(), 0

    def add(self, data):
        self.hash.update(data)
        self.n += len(data)

    def digest(self):
        return self.hash.hexdigest()


class Watch(threading.Thread):
    """The highest private memory of the children of some programs."""

    def __init__(self, *programs):
        super().__init__(daemon=True)
        self.programs, self.most, self.stop = programs, {}, False
        self.start()

    def run(self):
        while not self.stop:
            for p in self.programs:
                for pid in t.children(p.pid, zombies=False) + [p.pid]:
                    try:
                        kib = t.private_kib(pid)
                    except OSError:
                        continue
                    self.most[pid] = max(kib, self.most.get(pid, 0))
            time.sleep(0.05)

    def check(self, name, bound=BOUND_KIB):
        self.stop = True
        self.join()
        most = max(self.most.values(), default=0)
        if t.SANITIZED:
            t.skip('%s: memory is not measured with sanitizers' % name)
            return
        t.ok(0 < most < bound,
             '%s: private memory of each process at most %d KiB' %
             (name, most))


def feed(sock, pieces, errors):
    try:
        for p in pieces():
            sock.sendall(p)
        sock.shutdown(socket.SHUT_WR)
    except OSError as e:
        errors.append(e)


def slow_read(sock, total, pauses):
    """Reads it all, standing still now and then."""
    s = Sum()
    rng = random.Random(7)
    while s.n < total:
        data = sock.recv(rng.choice((1000, 65536, 400000)))
        if not data:
            break
        s.add(data)
        if pauses and rng.random() < 0.02:
            pauses -= 1
            time.sleep(0.05)
    return s.digest()


@t.limit(180)
def test_both_ways_at_once():
    size = 64 * MIB
    up, up_sum = pattern(1, size)
    down, down_sum = pattern(2, size)
    result, errors = {}, []

    def target(sock):
        w = threading.Thread(target=feed, args=(sock, down, errors),
                             daemon=True)
        w.start()
        result['up'] = slow_read(sock, size, 40)
        w.join()

    listener = t.Listener(target)
    s = t.server(listener.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    stream = t.ws.dial(c.port)
    stream.settimeout(60 * t.SCALE)
    watch = Watch(s, c)
    w = threading.Thread(target=feed, args=(stream, up, errors), daemon=True)
    w.start()
    t.is_(slow_read(stream, size, 40), down_sum,
          '64 MiB down, client and server')
    listener.take(60 * t.SCALE)
    t.is_(result.get('up'), up_sum, '64 MiB up at the same time')
    t.is_(errors, [], 'no other tunnel was disturbed')
    watch.check('client and server', FLOW_KIB)


@t.limit(180)
def test_random_frames_of_a_plain_peer():
    size = 64 * MIB
    up, up_sum = pattern(3, size)
    down, down_sum = pattern(4, size)
    result, errors = {}, []

    def target(sock):
        w = threading.Thread(target=feed, args=(sock, down, errors),
                             daemon=True)
        w.start()
        result['up'] = slow_read(sock, size, 20)
        w.join()

    listener = t.Listener(target)
    s = t.server(listener.port)
    w = t.ws.connect(s.port)
    w.sock.settimeout(60 * t.SCALE)
    watch = Watch(s)

    def send():
        rng = random.Random(5)
        try:
            first = True
            for p in up():
                fin = rng.random() < 0.5
                w.raw(t.ws.frame(2 if first else 0, p, fin=fin,
                                 key=rng.randbytes(4)))
                first = fin
                if rng.random() < 0.01:
                    w.raw(t.ws.frame(9, b'x', key=b'abcd'))
            w.raw(t.ws.frame(2 if first else 0, b'', key=b'abcd'))
        except OSError as e:
            errors.append(e)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    got = Sum()
    while got.n < size and w.take(answer_pings=False) is not None:
        got.add(w.data)
        w.data.clear()
    t.is_(got.digest(), down_sum, '64 MiB down to a plain peer')
    sender.join(60 * t.SCALE)
    t.ok(t.until(lambda: 'up' in result, 60 * t.SCALE), 'the target is done')
    t.is_(result.get('up'), up_sum, '64 MiB up in frames of all sizes')
    t.is_(errors, [], 'no other tunnel was disturbed')
    t.ok(max(n for _, n in w.frames) <= 65535, 'no frame above 65535 bytes')
    watch.check('server')


def stuck(send, most):
    """How many bytes go in before it blocks; None if more than most."""
    done = 0
    while done < most:
        try:
            done += send()
        except TimeoutError:
            return done
    return None


@t.limit(90)
def test_back_pressure():
    """A reader that does not read stops the writer, in bounded memory."""
    data = b'x' * 65536
    held = t.Held()
    s = t.server(held.port)
    w = t.ws.connect(s.port)
    stream = held.next()
    watch = Watch(s)
    frame = t.ws.frame(2, data, key=b'abcd')
    w.sock.settimeout(1)
    t.ok(stuck(lambda: w.sock.send(frame), 100 * MIB) is not None,
         'a target that does not read stops the peer')
    stream.settimeout(1)
    t.ok(stuck(lambda: stream.send(data), 100 * MIB) is not None,
         'a peer that does not read stops the target')
    watch.check('both stuck')

    held = t.Held()
    s = t.server(held.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    visitor = t.ws.dial(c.port)
    stream = held.next()
    watch = Watch(s, c)
    visitor.settimeout(1)
    t.ok(stuck(lambda: visitor.send(data), 100 * MIB) is not None,
         'two of ours: a target that does not read stops the visitor')
    stream.sendall(b'other way')
    visitor.settimeout(t.BOUND)
    t.is_(t.ws.read_exactly(visitor, 9), b'other way',
          'and the other direction goes on')
    watch.check('one direction stuck')


def test_abandoned_download():
    """A client that leaves during a download leaves bytes behind; the
    websocket is to be read on all the same, up to the Close."""
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port, '--linger', '1h')
    visitor = t.ws.dial(c.port)
    w = server.next()
    data, poured = bytes(MIB), [time.monotonic()]

    def pour():
        try:
            while w.close_frame is None:
                w.send(data)
                poured.append(time.monotonic())
        except OSError:
            pass

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    visitor.recv(1)
    # until all that is in between is full
    t.until(lambda: time.monotonic() - poured[-1] > 0.5)
    t.ws.reset(visitor)
    t.is_(w.take_close(), 1011, 'a visitor who leaves is a Close')
    thread.join(t.BOUND)
    w.sock.close()
    t.ok(t.until(lambda: not t.children(c.pid)), 'and the end of the process')


def test_idle_memory():
    held = t.Held()
    s = t.server(held.port)
    w = t.ws.connect(s.port)
    held.next()
    w.send(b'x')
    watch = Watch(s)
    t.until(lambda: len(watch.most) >= 2)
    watch.check('idle')


def test_released():
    """Buffers and pipes go back when nothing has moved for a second."""
    if t.SANITIZED:
        raise t.Skip('sanitizers take memory of their own')
    held = t.Held()
    s = t.server(held.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    visitor = t.ws.dial(c.port)
    stream = held.next()
    visitor.sendall(b'x')
    t.is_(t.ws.read_exactly(stream, 1), b'x', 'a tunnel')
    both = [t.child(p.pid) for p in (c, s)]

    def state():
        return [(t.descriptors(pid), t.private_kib(pid)) for pid in both]
    t.ok(t.until(lambda: state() == state()), 'at rest')
    first, most = state(), []
    for _ in range(16):
        sender = threading.Thread(target=visitor.sendall, args=(bytes(MIB),))
        sender.start()
        t.ws.read_exactly(stream, MIB)
        sender.join()
        most.append(state())

    def above(now):
        return max(kib - was for (_, kib), (_, was) in zip(now, first))
    t.ok(max(map(above, most)) > 256, 'at work: %s' % most[-1])
    t.ok(t.until(lambda: above(state()) < 128 and all(
        n <= was for (n, _), (was, _) in zip(state(), first))),
         'at rest again: %s, %s at first' % (state(), first))


def pipes(pid):
    """Those of a process, and the bytes in each."""
    found = {}
    for fd in os.listdir('/proc/%d/fd' % pid):
        path = '/proc/%d/fd/%s' % (pid, fd)
        with contextlib.suppress(OSError):
            name = os.readlink(path)
            if name.startswith('pipe:') and name not in found:
                f = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
                n = array.array('i', [0])
                fcntl.ioctl(f, termios.FIONREAD, n)
                os.close(f)
                found[name] = n[0]
    return found


def is_moving(pid, before):
    """Is there a pipe that was not there before, and are there bytes in it?"""
    return any(n > 0 for name, n in pipes(pid).items() if name not in before)


def test_inside_the_kernel():
    """What needs no masking is moved by splice(2), at both ends.

    The reader stands still now and then, so that the pipes can be looked at;
    short frames, as a busy machine makes some, are copied.
    """
    if t.COMPAT:
        raise t.Skip('only Linux has splice(2)')
    data, errors = random.Random(3).randbytes(MIB), []
    p = t.Held()
    s = t.server(p.port, '--resume', '0')
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--resume', '0')
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    far = p.next()
    ends = [t.child(q.pid) for q in (s, c)]
    before = [pipes(e) for e in ends]
    w = threading.Thread(target=feed, args=(far, lambda: [data] * 48, errors),
                         daemon=True)
    w.start()
    got, wanted = Sum(), Sum()
    for _ in range(48):
        wanted.add(data)
    seen = [False, False]
    while got.n < 48 * MIB:
        got.add(t.ws.read_exactly(v, MIB))
        if got.n >= 16 * MIB and not all(seen):
            seen = [was or bool(t.until(lambda e=e, b=b: is_moving(e, b), .2))
                    for was, e, b in zip(seen, ends, before)]
    t.is_(seen, [True, True],
          'both ends have bytes in a pipe while much comes down')
    t.is_(got.digest(), wanted.digest(), 'and all of it arrives')
    w.join(t.BOUND)
    t.is_(errors, [], 'and was taken')


def gaps_behind_bulk():
    """The seconds between messages that come behind much else."""
    bulk, messages, errors = 64 * MIB, 3000, []
    p = t.Held()
    s = t.server(p.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    far = p.next()
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def pieces():
        for _ in range(bulk // MIB):
            yield bytes(MIB)
        for _ in range(messages):
            yield b'y' * 64
            time.sleep(.0005)
    threading.Thread(target=feed, args=(far, pieces, errors),
                     daemon=True).start()
    t.ws.read_exactly(v, bulk)
    gaps, got, last = [], 0, time.monotonic()
    while got < 64 * messages:
        got += len(v.recv(65536)) or 64 * messages
        now = time.monotonic()
        gaps.append(now - last)
        last = now
    t.is_((got, errors), (64 * messages, []), 'messages behind bulk arrive')
    return gaps


def test_messages_behind_bulk():
    """They take a place each in the pipe that keeps what is not acknowledged,
    and do not wait for an acknowledgement when it is full."""
    for _ in range(4):          # until no other process makes them wait
        gaps = gaps_behind_bulk()
        late = len([g for g in gaps if g > .15])
        if late <= 5:
            break
    t.ok(late <= 5, 'and do not wait for acknowledgements (at most %.0f ms)' %
         (max(gaps) * 1000))


t.main()
