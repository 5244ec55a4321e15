#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every limit and every timeout that HUP may change is raised and lowered by
it.

If it fails: what an operator sets takes effect only with a restart, which ends
tunnels.
"""

import os
import re
import select
import signal
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

QUIET = 0.3             # seconds in which a long time shows
SHORT, LONG = '100ms', '1m'


class Live:
    """An instance whose option gets other values by HUP."""

    def __init__(self, option, value, start, *more):
        self.option, self.more = option, more
        self.conf = t.folder() + '/conf'
        self.write(value)
        self.p = start('-K', self.conf)
        self.port = self.p.port if hasattr(self.p, 'port') else None

    def write(self, value):
        with open(self.conf, 'w') as f:
            f.writelines(x + '\n' for x in self.more)
            f.write('%s %s\n' % (self.option, value))

    def set(self, value):
        self.write(value)
        mark = self.p.mark()
        self.p.send(signal.SIGHUP)
        self.p.wait_line('event=reloaded', since=mark)


def server(target=None):
    port = target if target is not None else t.discard().port
    return lambda *words: t.server(port, *words)


def is_quiet(sock, seconds=QUIET):
    """Does nothing come, nor come with the head of a websocket?"""
    if isinstance(sock, t.ws.WebSocket):
        return not sock.buffer and is_quiet(sock.sock, seconds)
    return not select.select([sock], [], [], seconds)[0]


def let_in(port, most):
    """How many of most + 1 are let in: sockets, in the end all closed."""
    socks, n = [], 0
    for _ in range(most + 1):
        sock = t.ws.dial(port)
        sock.sendall(t.ws.request())
        socks.append(sock)
        n += b' 101 ' in t.ws.read_head(sock)[0]
    return n, socks


def close(live, socks):
    for sock in socks:
        t.ws.reset(sock)
    t.until(lambda: not t.children(live.p.pid))


def count(option):
    """How many are let in: few, more, few again."""
    live = Live(option, 1, server())
    for n in (1, 60, 3):
        live.set(n)
        got, socks = let_in(live.port, n)
        t.is_(got, n, '%s %d' % (option, n))
        if n == 60:
            live.set(2)
            t.is_(let_in(live.port, 0)[0], 0, 'lowered below what there is: '
                  'no more')
            t.is_(len(t.children(live.p.pid)) >= 60, True, 'those stay')
        close(live, socks)


def max_handshakes(option):
    live = Live(option, 1, server(), 'handshake-timeout 1m')
    for n in (1, 4, 2):
        live.set(n)
        mute = [t.ws.dial(live.port) for _ in range(n)]
        t.until(lambda: len(t.children(live.p.pid)) == n)
        t.is_(t.ws.ask(live.port, t.ws.request()).status, 503,
              '%s %d: one more is refused' % (option, n))
        close(live, mute)


def times(option, start, *more):
    """Of a new connection each: what begin() returns begins to end soon, or
    not."""
    def run(begin):
        live = Live(option, LONG, start, *more)
        for value, soon in ((SHORT, 1), (LONG, 0), ('200ms', 1)):
            live.set(value)
            try:
                sock = begin(live)
            except ConnectionResetError:    # so soon that it cannot begin
                t.ok(soon, '%s %s' % (option, value))
                continue
            t.ok(not is_quiet(sock, t.BOUND) if soon else is_quiet(sock),
                 '%s %s' % (option, value))
            getattr(sock, 'sock', sock).close()
    return run


def mute(live):
    return t.ws.dial(live.port)


def connect_timeout(option):
    """A target whose queue is full does not answer."""
    full = socket.socket()
    full.bind(('127.0.0.1', 0))
    full.listen(0)
    waiting = []
    for _ in range(8):
        waiting.append(socket.socket())
        waiting[-1].setblocking(False)
        waiting[-1].connect_ex(full.getsockname())

    def begin(live):
        sock = t.ws.dial(live.port)
        sock.sendall(t.ws.request())
        return sock
    times(option, server(full.getsockname()[1]))(begin)


def websocket(live):
    return t.ws.connect(live.port)


def ping_interval(option):
    live = Live(option, LONG, server())
    for value, soon in ((SHORT, 1), (LONG, 0), ('50ms', 1)):
        live.set(value)
        w = t.ws.connect(live.port)
        t.ok(w.take().opcode == 9 if soon else is_quiet(w),
             '%s %s' % (option, value))
        w.drop()


def ping_timeout(option):
    live = Live(option, LONG, server(), 'ping-interval 50ms', 'resume 0')
    for value, soon in (('200ms', 1), (LONG, 0), ('150ms', 1)):
        live.set(value)
        w = t.ws.connect(live.port)
        end = t.ws.now() + 2 * QUIET
        over, first = False, True
        while not over and (soon or t.ws.now() < end):
            try:                # answers one ping, and no other
                f = w.take(answer_pings=first)
                over = f is None or f.opcode == 8
                first = False
            except OSError:
                over = True
        t.is_(over, bool(soon), '%s %s' % (option, value))
        w.drop()


def linger(option):
    """The stream has ended, a plain peer has not."""
    times(option, server(t.source(b'').port))(websocket)


def answer_of(live, offer):
    sock = t.ws.dial(live.port)
    sock.sendall(t.ws.request(headers=[('Sec-WebSocket-Extensions', offer)]))
    head = t.ws.read_head(sock)[0].decode()
    sock.close()
    return re.search('(?im)^sec-websocket-extensions: (.*)\r$', head)[1]


def resume(option):
    live = Live(option, 0, server())
    for value, kept in ((LONG, True), (0, False), (SHORT, True)):
        live.set(value)
        t.is_('resume=' in answer_of(live, 'inetws; v=2; id=a; resume'),
              kept, '%s %s' % (option, value))


def window(option):
    live = Live(option, '128k', server())
    for value in ('64k', '200k', '100k'):
        live.set(value)
        t.like(answer_of(live, 'inetws; v=2; id=a; resume'),
               'win=%d' % (int(value[:-1]) << 10), '%s %s' % (option, value))


def max_frame_size(option):
    live = Live(option, 1000, server(t.source(b'x' * 3000).port))
    for size in (125, 2000, 500):
        live.set(size)
        w = t.ws.connect(live.port)
        t.is_(len(w.take_data(3000)), 3000, 'all of it')
        t.ok(max(n for _, n in w.frames) <= size and
             max(n for _, n in w.frames) > size / 2 - 126,
             '%s %d' % (option, size))
        w.drop()


def drain(option):
    for first, then, stays in (('0', LONG, 1), (LONG, '0', 0)):
        live = Live(option, first, server())
        w = t.ws.connect(live.port)
        live.set(then)
        live.p.send(signal.SIGTERM)
        if stays:
            t.ok(is_quiet(w), '%s %s' % (option, then))
            live.p.send(signal.SIGQUIT)
        else:
            t.is_(w.take_close(), 1001, '%s %s' % (option, then))
        live.p.wait()


def gate(*words):
    return r.gate(*words)


def queue(option):
    times(option, gate)(lambda live: r.visit(live.p.visitors))


def max_waiting(option):
    live = Live(option, 1, gate)
    held = []
    for n in (3, 20):           # more wait each time
        live.set(n)
        held += [r.visit(live.p.visitors) for _ in range(n - len(held))]
        t.ok(r.visitor_is_reset(live.p.visitors), '%s %d: one more is reset' % (
            option, n))
    t.ok(all(is_quiet(v, 0) for v in held), 'the others wait')
    live.set(2)
    t.ok(r.visitor_is_reset(live.p.visitors), 'lowered: no more')
    t.ok(all(is_quiet(v, 0) for v in held), 'those that wait stay')


def max_parked(option):
    live = Live(option, 1, gate)
    held = []

    def one_more():
        return t.ws.ask(live.port, t.ws.request('/agents/a', headers=[
            ('Sec-WebSocket-Extensions', r.OFFER)])).status
    for n in (1, 3):
        live.set(n)
        held += [r.raw_agent(live.p) for _ in range(n - len(held))]
        t.is_(one_more(), 503, '%s %d: one more is refused' % (option, n))
    live.set(2)
    held.pop().drop()
    t.ok(t.until(lambda: len(t.children(live.p.pid)) == 2), 'one leaves')
    t.is_(one_more(), 503, 'lowered: none comes in its place')


def spare(option):
    g = r.gate()

    def parked(n):
        return t.until(lambda: len(t.children(g.pid)) == n)
    live = Live(option, 1, lambda *words: r.agent(
        g.url(), t.discard().port, *words))
    t.ok(parked(1), '%s 1' % option)
    live.set(4)
    t.ok(parked(4), '%s 4' % option)
    live.set(2)
    visits = [r.visit(g.visitors) for _ in range(3)]
    t.ok(t.until(lambda: sorted(
        'parked' in t.command_of(c) for c in t.children(g.pid)) ==
        [False] * 3 + [True] * 2), 'lowered to 2 when others are used')
    for v in visits:
        v.close()


def retry(option):
    """Of attempts that fail: all but the first wait until the option has been
    raised."""
    raised = threading.Event()

    def fail(sock):
        if nowhere.accepted > 1:
            raised.wait(t.BOUND)
        sock.close()
    nowhere = t.Listener(fail)
    live = Live(option, 3, lambda *words: r.agent(
        'ws://127.0.0.1:%d/a' % nowhere.port, 1, '--spare', '1', *words))
    live.p.wait_line('event=failed')
    live.set(1000)
    raised.set()
    live.p.wait_line('event=failed', count=3)
    t.ok(live.p.alive(), '%s 1000: not after three' % option)
    live.set(2)
    t.is_(live.p.wait(), 76, '%s 2: with the next one' % option)


CASES = {
    'max-connections': count, 'max-per-source': count,
    'max-handshakes': max_handshakes, 'max-frame-size': max_frame_size,
    'window': window, 'connect-timeout': connect_timeout,
    'handshake-timeout': lambda o: times(o, server())(mute),
    'ping-interval': ping_interval, 'ping-timeout': ping_timeout,
    'idle-timeout': lambda o: times(o, server())(websocket),
    'linger': linger, 'resume': resume, 'drain': drain, 'queue': queue,
    'max-waiting': max_waiting, 'max-parked': max_parked, 'spare': spare,
    'retry': retry,
}
# What only other modes have, or what is no limit.
OTHERS = {'warn-expiry', 'warn-rtt', 'proxy-idle', 'verbose'}


def test_all_are_here():
    """Every option with a number, a size or a time that HUP may change."""
    with open(os.path.join(t.ROOT, 'src/config/table.c')) as f:
        rows = re.findall(r'\{ (OPTION\("[^"]+", (?:number|size|duration|'
                          r'drain|limit|count),.*?) \}', f.read(), re.S)
    names = {re.match(r'OPTION\("([^"]+)"', row)[1] for row in rows
             if 'HUP_FIXED' not in row}
    for name in sorted(names - OTHERS - set(CASES)):
        t.diag('--%s: HUP may change it, so it needs a case here '
               '(.github/CONTRIBUTING.md: "How to add an option")' % name)
    t.is_(sorted(names - OTHERS), sorted(CASES), 'each has a case')


def add(name, case):
    def test():
        case(name)
    globals()['test_' + name.replace('-', '_')] = t.limit(60)(test)


for _name, _case in CASES.items():
    add(_name, _case)
t.main()
