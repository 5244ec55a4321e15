# SPDX-License-Identifier: ISC
"""Long transfers, and ways to lose their websockets.

    Flow     bytes both ways between two sockets, let through in portions
    Cutter   a TCP proxy that cuts, black-holes and counts
    storm    a long transfer whose websocket is cut again and again
"""

import hashlib
import os
import random
import signal
import socket
import threading
import time

import daemons
import peers
import proc
import tap
import ws

BLOCK = 1 << 20


def blocks(total, seed):
    """total bytes in blocks that all differ."""
    body = random.Random(seed).randbytes(BLOCK - 8)
    for i in range(0, total, BLOCK):
        yield (i.to_bytes(8, 'big') + body)[:total - i]


class Half:
    """One end of a stream: sends what it is allowed to, hashes what it
    receives."""

    def __init__(self, sock, total, seed, wanted, wanted_seed):
        self.sock, self.total, self.seed = sock, total, seed
        self.want = (wanted, wanted_seed)
        self.allowed = total
        self.sent = self.got = 0
        self.how = self.failed = None
        self.digest = hashlib.sha256()
        self.change = threading.Condition()
        sock.settimeout(None)
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self._write, self._read)]

    def start(self):
        for th in self.threads:
            th.start()

    def _write(self):
        try:
            for block in blocks(self.total, self.seed):
                with self.change:
                    while self.sent >= self.allowed:
                        self.change.wait()
                self.sock.sendall(block)
                self.sent += len(block)
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as e:
            self.failed = e

    def _read(self):
        place = memoryview(bytearray(BLOCK))
        try:
            while True:
                n = self.sock.recv_into(place)
                if n == 0:
                    self.how = 'eof'
                    return
                self.digest.update(place[:n])
                self.got += n
        except ConnectionResetError:
            self.how = 'reset'
        except OSError as e:
            self.how = str(e)

    def allow(self, total):
        with self.change:
            self.allowed = total
            self.change.notify_all()

    def join(self, timeout):
        for th in self.threads:
            th.join(timeout)

    def whole(self):
        want = hashlib.sha256()
        for block in blocks(*self.want):
            want.update(block)
        return (self.got, self.how, self.digest.digest()) == (
            self.want[0], 'eof', want.digest())


class Flow:
    """total bytes in each direction; the two directions differ."""

    def __init__(self, a, b, total, allowed=None):
        self.total = total
        self.halves = (Half(a, total, 1, total, 2),
                       Half(b, total, 2, total, 1))
        self.allow(total if allowed is None else allowed)
        for h in self.halves:
            h.start()

    def allow(self, n):
        for h in self.halves:
            h.allow(n)

    def reached(self, n, timeout=None):
        """Waits until this many bytes have arrived in both directions; did
        they?"""
        return proc.until(lambda: min(h.got for h in self.halves) >= n,
                          timeout, .005)

    def whole(self, timeout=None):
        for h in self.halves:
            h.join(timeout or 2 * proc.BOUND)
        return all(h.whole() for h in self.halves)

    def tell(self):
        return ', '.join('%d of %d, %s, %s' % (h.got, h.want[0], h.how,
                                               h.failed)
                         for h in self.halves)


class Cutter:
    """In front of a port.  The connections that live are ended by cut(), or by
    hole() left open and silent, as on a path that swallows everything; new
    ones are not concerned.  refuse: new ones are reset at once.  answer: they
    get this head, or what it makes of theirs, instead of one of the port
    behind; answered: when.  plan: what the next one shall meet, (way, n, how):
    when n bytes behind the head have gone that way, 'up' or 'down', it is
    ended by how, 'fin', 'rst' or 'hole'.  passed: how many bytes behind its
    head the last one has let through.  planning: cleared, no plan has an
    effect any more.  heads: what went before, of all; tls: there are none that
    could be seen.  at: where to listen."""

    def __init__(self, port, at=('127.0.0.1', 0)):
        self.to = ('127.0.0.1', port)
        self.pairs = {}             # id: (socket, socket, [swallowed?])
        self.count = 0
        self.refuse = False
        self.answer = None
        self.answered = []
        self.plan = None
        self.planning = True
        self.tls = False
        self.passed = {}
        self.heads = []
        self.lock = threading.Lock()
        self.sock = socket.create_server(at, backlog=1024)
        self.port = self.sock.getsockname()[1]
        self.kept = []              # black-holed ones
        self.dead = socket.socket()
        proc.on_close(self.close, end=True)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                a, _ = self.sock.accept()
            except OSError:
                return
            if self.refuse:
                ws.reset(a)
                continue
            if self.answer:
                threading.Thread(target=self._answer, daemon=True,
                                 args=(a, self.answer)).start()
                continue
            try:
                b = socket.create_connection(self.to, proc.BOUND)
            except OSError:
                ws.reset(a)
                continue
            for s in (a, b):
                s.settimeout(None)
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            hole = []
            plan, self.plan = self.plan, None
            with self.lock:
                self.count += 1
                no = self.count
                self.pairs[no] = (a, b, hole)
            left = [a, b]
            for way, src, dst in (('up', a, b), ('down', b, a)):
                limit = plan[1:] if plan and plan[0] == way else None
                threading.Thread(target=self._copy, daemon=True, args=(
                    no, way, src, dst, hole, left, limit)).start()

    def _answer(self, a, head):
        self.answered.append(time.monotonic())
        with a:
            try:
                a.settimeout(proc.BOUND)
                got = b''
                while b'\r\n\r\n' not in got:
                    more = a.recv(65536)
                    if not more:
                        return
                    got += more
                a.sendall(head(got) if callable(head) else head)
            except OSError:
                pass

    def _copy(self, no, way, src, dst, hole, left, limit):
        place = memoryview(bytearray(1 << 18))
        head = None if self.tls else b''    # until it is complete
        passed = 0
        try:
            while True:
                n = src.recv_into(place)
                if hole:
                    return
                if n == 0:
                    break
                if head is not None:
                    head += place[:n]
                    end = head.find(b'\r\n\r\n') + 4
                    if end >= 4:
                        self.heads.append(head[:end])
                        passed, head = len(head) - end, None
                else:
                    passed += n
                if limit and self.planning and head is None and passed >= limit[0]:
                    dst.sendall(place[:n - (passed - limit[0])])
                    if limit[1] == 'hole':
                        self.hole(no)
                    else:
                        self._end(no, limit[1])
                    return
                self.passed[way] = passed   # before its reader goes on
                dst.sendall(place[:n])
            dst.shutdown(socket.SHUT_WR)
        except ConnectionResetError:
            if not hole:
                self._end(no, 'rst')
            return
        except OSError:
            if not hole:
                self._end(no, 'fin')
            return
        with self.lock:
            left.remove(src)
            last = not left
        if last:
            self._end(no, 'fin')

    def _end(self, no, how):
        with self.lock:
            a, b, hole = self.pairs.pop(no, (None, None, None))
        if a is None:
            return False
        for s in (a, b):
            try:
                if how == 'rst':
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 b'\1\0\0\0\0\0\0\0')
                s.shutdown(socket.SHUT_RDWR)    # wakes its thread
            except OSError:
                pass
            self._close(s)
        return True

    def _close(self, s):
        """Its threads may be about to use its number, which the next socket
        is not to have before they have ended: until then it is that of a
        socket that is not connected."""
        os.dup2(self.dead.fileno(), s.fileno(), inheritable=False)

    def cut(self, how='fin'):
        with self.lock:
            alive = list(self.pairs)
        return sum(self._end(no, how) for no in alive)

    def hole(self, only=None):
        """Makes it a black hole: both ends stay open, and nothing is read any
        more."""
        with self.lock:
            gone = [no for no in self.pairs if only is None or no == only]
            gone = [self.pairs.pop(no) for no in gone]
        for a, b, hole in gone:
            hole.append(True)
            self.kept += [a, b]
        return len(gone)

    def close(self):
        proc.end_reader(self.sock, self.thread)
        self.cut('rst')
        for s in self.kept:
            self._close(s)
        self.kept.clear()


def kill_workers(nginx):
    """Kills all workers of nginx; its master starts new ones."""
    for pid in proc.children(nginx.pid, zombies=False):
        if 'worker process' in proc.command_of(pid):
            os.kill(pid, signal.SIGKILL)


# (what it is called, what it does to a Cutter and the nginx behind it)
WAYS = (('nginx reload', lambda cutter, nginx: nginx.send(signal.SIGHUP)),
        ('kill -9 of the worker', lambda cutter, nginx: kill_workers(nginx)),
        ('end of file', lambda cutter, nginx: cutter.cut('fin')),
        ('reset', lambda cutter, nginx: cutter.cut('rst')),
        ('black hole', lambda cutter, nginx: cutter.hole()))


def storm(total, cuts, cert=None):
    """Sends total bytes in each direction at once through nginx, with TLS if
    there is a certificate.  The websocket is cut this many times, in the ways
    of WAYS, each time while bytes flow and after it was resumed from the cut
    before."""
    target = peers.Held()
    s = proc.server(target.port, '-v')
    nginx = daemons.nginx(s.port, cert)
    cutter = Cutter(nginx.port)
    # a black hole costs the time it takes to be noticed
    c = proc.client('%s://localhost:%d/ssh/' % ('wss' if cert else 'ws',
                                                cutter.port), '-v',
                    '--ping-interval', '100ms', '--ping-timeout',
                    '%dms' % (700 * tap.SCALE),
                    *(('--cacert', cert.ca) if cert else ()))
    share = total // len(cuts)
    flow = Flow(ws.dial(c.port), target.next(), total, 2 * share)
    done = 0
    for i, (name, cut) in enumerate(cuts):
        if not flow.reached(i * share + share // 3, 4 * proc.BOUND):
            tap.diag('stuck before cut %d, %s' % (i, name))
            break
        cut(cutter, nginx)
        # it must not be over before a reload has its effect
        flow.allow(min((i + 3) * share, total - share // 3))
        if not c.has_line('event=resumed', count=i + 1):
            tap.diag('not resumed after cut %d, %s' % (i, name))
            break
        done += 1
    flow.allow(total)
    tap.is_(done, len(cuts), 'cut and resumed %d times' % len(cuts))
    if not tap.ok(flow.whole(), '%d MB both ways at once, sha256 equal' %
                  (total >> 20)):
        tap.diag(flow.tell())
    for name, p in (('client', c), ('server', s)):
        m = p.has_line('event=closed .*end=ended .*resumes=([0-9]+)')
        tap.ok(m and int(m[1]) >= len(cuts), '%s: a clean end, resumes=%s' % (
            name, m and m[1]))
        tap.ok(p.has_line('event=websocket-lost'),
               'it says when a websocket is lost')
        tap.unlike(p.log, '[0-9a-f]{32}', 'and never the id of the session')
