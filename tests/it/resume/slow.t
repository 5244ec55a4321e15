#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Redials that get nowhere: redirects that lead to silence or in a circle,
programs for header fields that hang, refusals whose text never comes, answers
that come late, websockets that are lost right behind their 101.

If it fails: a tunnel that waits for its websocket does nothing else: its stream
is not read, TERM has no effect, and --resume does not end.
"""

import os
import re
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402

RESUME = 4
PIPE = 1 << 16


def head(status, *fields):
    return b'HTTP/1.1 %d No\r\n%s\r\n' % (
        status, b''.join(b'%s\r\n' % f for f in fields))


def silent():
    """A port whose connections are never answered."""
    s = socket.create_server(('127.0.0.1', 0), backlog=64)
    t.on_close(s.close, end=True)
    return s.getsockname()[1]


def program(text):
    """A program for header fields: its first run succeeds at once, later ones
    do what text says; `.runs' counts them."""
    path = os.path.join(t.folder(), 'fields')
    with open(path, 'w') as f:
        f.write('#!/bin/sh\necho $$ >>%s.runs\n'
                'test $(wc -l <%s.runs) = 1 || { %s; }\necho X-A: b\n' %
                (path, path, text))
    os.chmod(path, 0o755)
    return path


def runs(path):
    with open(path + '.runs') as f:
        return [int(pid) for pid in f.read().split()]


def connect_proxy():
    """A forward proxy that knows only CONNECT."""
    def serve(a):
        words = b''
        while b'\r\n\r\n' not in words:
            words += a.recv(4096)
        host, port = words.split()[1].rsplit(b':', 1)
        b = socket.create_connection((host, int(port)), t.BOUND)
        a.sendall(b'HTTP/1.1 200 OK\r\n\r\n')
        for src, dst in ((a, b), (b, a)):
            threading.Thread(target=copy, args=(src, dst),
                             daemon=True).start()

    def accept(sock):
        while True:
            try:
                a, _ = sock.accept()
            except OSError:
                return
            kept.append(a)
            threading.Thread(target=serve, args=(a,), daemon=True).start()
    kept = []
    s = socket.create_server(('127.0.0.1', 0))
    thread = threading.Thread(target=accept, args=(s,), daemon=True)
    thread.start()
    t.on_close(lambda: t.end_reader(s, thread), end=True)
    return s.getsockname()[1]


def full_socket(server):
    """A Unix socket in front of a port: one connection passes through it, then
    its backlog is full."""
    path = t.folder() + '/socket'
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(path)
    sock.listen(0)

    def serve():
        a, _ = sock.accept()
        b = socket.create_connection(('127.0.0.1', server.port), t.BOUND)
        b.settimeout(None)
        kept.extend((a, b))
        for src, dst in ((a, b), (b, a)):
            threading.Thread(target=copy, args=(src, dst),
                             daemon=True).start()

    def cut():
        full = False
        while not full:
            f = socket.socket(socket.AF_UNIX)
            f.setblocking(False)
            full = f.connect_ex(path) != 0
            kept.append(f)
        kept[0].shutdown(socket.SHUT_RDWR)
    kept = []
    threading.Thread(target=serve, daemon=True).start()
    t.on_close(sock.close, end=True)
    return path, cut


def copy(src, dst):
    try:
        while (data := src.recv(65536)):
            dst.sendall(data)
        dst.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Stuck:
    """A tunnel whose websocket is lost for good.  Redials get answer; if it
    is None, they reach the server."""

    def __init__(self, server, answer, options=(), resume=RESUME):
        self.cutter = cutting.Cutter(server.port)
        self.program = t.connect('ws://127.0.0.1:%d/' % self.cutter.port,
                                 '--resume', '%ds' % resume, '-v', *options)
        self.echo(b'x')
        answer = answer(self.cutter) if callable(answer) else answer
        self.cutter.answer = answer

    def echo(self, data):
        self.program.stdin.write(data)
        self.program.stdin.flush()
        t.is_(self.program.stdout.read(len(data)), data, 'an echo')

    def lose(self):
        self.cutter.cut('rst')

    def takes(self, n):
        """Does it read so much of its stream, more than a pipe holds?"""
        done = threading.Event()

        def write():
            self.program.stdin.write(bytes(n))
            self.program.stdin.flush()
            done.set()
        threading.Thread(target=write, daemon=True).start()
        return done.wait(t.BOUND)


def hang(option, *more):
    path = program('exec sleep 100')
    return path, (option, path, *more)


def cases():
    """(name, answer, options, the program whose second run hangs)"""
    to = lambda port: head(302, b'Location: ws://127.0.0.1:%d/' % port)
    again = lambda c: head(307, b'Location: ws://127.0.0.1:%d/x' % c.port)
    yield 'redirect to a silent server', to(silent()), (), None
    yield 'redirect to where TCP is silent', to(t.full()), (), None
    yield 'redirects in a circle', again, (), None
    yield 'a text that never comes', head(
        503, b'Content-Type: text/plain', b'Content-Length: 9'), (), None
    path, options = hang('--header-command')
    yield '--header-command hangs', None, options, path
    path, options = hang('--proxy-header-command', '-x', 'http://127.0.0.1:%d'
                         % connect_proxy(), '--noproxy', '')
    yield '--proxy-header-command hangs', None, options, path


def took(log):
    """How many seconds it looked for a websocket, as it says itself."""
    m = re.search(r'for ([0-9.]+)s no new websocket', log)
    return m and float(m[1])


def is_over(log, what):
    """--resume is over, and nothing held it up."""
    n = took(log)
    t.ok(n and RESUME <= n < RESUME + 4 * t.SCALE, what) or \
        t.diag('after %s s' % n)


def begun(stuck, path):
    """Is a redial under way that gets nowhere?"""
    return t.until(lambda: len(runs(path)) > 1 if path else
                   stuck.cutter.answered)


def test_stuck():
    """All cases at once: the stream is read on; then, one of each: TERM, and
    the end of --resume."""
    server = t.server(t.echo().port, '-q')
    all_cases = [(name, Stuck(server, *rest[:2]), rest[2])
                 for name, *rest in cases()]
    to_end = [(name, Stuck(server, *rest[:2], resume=60), rest[2])
              for name, *rest in cases()]
    for _, s, _ in all_cases + to_end:
        s.lose()
    for name, s, path in to_end:
        t.ok(begun(s, path), '%s: a redial is under way' % name)
        t.ok(s.takes(2 * PIPE), 'and the stream is read')
    for name, s, path in to_end:
        began = time.monotonic()
        s.program.send(signal.SIGTERM)
        t.is_(s.program.wait(), 74, '%s: TERM is the end' % name)
        t.ok(time.monotonic() - began < 5 * t.SCALE, 'at once')
        ended(path)
    for name, s, path in all_cases:
        t.is_(s.program.wait(), 74, '%s: lost' % name)
        is_over(s.program.log, 'when --resume is over, and it says for how '
                'long')
        ended(path)


def ended(path):
    """What ran is gone, too."""
    if path:
        t.ok(t.until(lambda: not any(os.path.exists('/proc/%d' % pid)
                                     for pid in runs(path))),
             'and its program')


@t.limit(60)
def test_full_backlog():
    """Of a Unix socket: no redial gets in, and that holds up nothing else."""
    server = t.server(t.echo().port, '-q')
    for resume in RESUME, 60:
        path, cut = full_socket(server)
        s = Stuck(server, None, ('--unix-socket', path), resume)
        cut()
        t.ok(s.program.has_line('event=websocket-lost'), 'lost')
        t.ok(t.until(lambda: s.program.log.count('dialling unix:') > 1),
             'a redial is under way')
        t.ok(s.takes(2 * PIPE), 'the stream is read')
        if resume == 60:
            began = time.monotonic()
            s.program.send(signal.SIGTERM)
            t.is_(s.program.wait(), 74, 'TERM is the end')
            t.ok(time.monotonic() - began < 5 * t.SCALE, 'at once')
            break
        t.is_(s.program.wait(), 74, 'given up')
        is_over(s.program.log, 'when --resume is over')
        t.like(s.program.log, 'no server answered; the last try: [^"]*unix:',
               'and why')


def test_slow_but_good():
    """A program that takes longer than one waits for the network, at a redial
    and at one that is redirected."""
    server = t.server(t.echo().port, '-q')
    path = program('sleep 4')
    slow = Stuck(server, None, ('--header-command', path), 60)
    other = Stuck(server, None)
    there = head(302, b'Location: /elsewhere')
    other.cutter.answer = there
    for s in (slow, other):
        s.lose()
    t.ok(t.until(lambda: other.cutter.answered), 'redirected')
    other.cutter.answer = None
    other.echo(b'back')
    slow.echo(b'back')
    t.is_(len(runs(path)), 2, 'it was run once for the redial')


def test_late_answer():
    """An answer that takes longer than a path has to take the request."""
    again = os.path.join(t.folder(), 'again')
    path = again + '.sh'
    with open(path, 'w') as f:
        f.write('#!/bin/sh\ntest ! -e %s || sleep 4\n' % again)
    os.chmod(path, 0o755)
    server = t.server(t.echo().port, '-q', '--auth-command', path)
    s = Stuck(server, None, ('--user', 'a:b'), 60)
    with open(again, 'w'):
        pass
    s.lose()
    s.echo(b'back')
    t.is_(s.cutter.count, 2, 'by the first redial')


class Passes101(cutting.Cutter):
    """What comes after the first tunnel's loss is ended behind its 101."""
    every = None
    plan = property(lambda self: self.every, lambda self, plan: None)

    def lose(self):
        self.every = 'down', 0, 'rst'
        self.cut('rst')


def test_of_no_use():
    """Websockets that are lost right after their 101: the pauses grow, and
    --resume counts on."""
    cutter = Passes101(t.server(t.echo().port, '-q').port)
    both = []
    for resume in RESUME, 60:
        p = t.connect('ws://127.0.0.1:%d/' % cutter.port, '--resume',
                      '%ds' % resume, '-v')
        p.stdin.write(b'x')
        p.stdin.flush()
        t.is_(p.stdout.read(1), b'x', 'an echo')
        both.append(p)
    cutter.lose()
    t.is_(both[0].wait(), 74, 'given up')
    is_over(both[0].log, 'when --resume is over')
    t.like(both[0].log, 'for [0-9.]+s? no new websocket of use: a server knew '
           'the session', 'it says what came')
    n = cutter.count
    t.ok(6 <= n <= 26, 'with pauses') or t.diag('%d connections' % n)
    cutter.every = None
    both[1].stdin.write(b'back')
    both[1].stdin.flush()
    t.is_(both[1].stdout.read(4), b'back', 'what is left has not lost a byte')


def test_open_for_a_second():
    """The same where each is lost after a second, in which nothing moved."""
    cutter = cutting.Cutter(t.server(t.echo().port, '-q').port)
    p = t.connect('ws://127.0.0.1:%d/' % cutter.port, '--resume',
                  '%ds' % RESUME)
    p.stdin.write(b'x')
    p.stdin.flush()
    t.is_(p.stdout.read(1), b'x', 'an echo')
    seen, end = 0, time.monotonic() + 6 * RESUME * t.SCALE
    while p.alive() and time.monotonic() < end:
        if cutter.count > seen:
            seen = cutter.count
            time.sleep(1)           # the age of a websocket
            cutter.cut('rst')
        time.sleep(.02)
    t.is_(p.alive() or p.wait(), 74, 'given up')
    t.ok(seen >= 3, '%d websockets' % seen)


t.main()
