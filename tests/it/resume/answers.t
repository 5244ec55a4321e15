#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a redial may be answered: only what is hopeless ends a session, and
Retry-After is heeded.

If it fails: a tunnel dies because a proxy was reloaded, or was asked for a
password, or a user signed in again.
"""

import base64
import email.utils
import functools
import hashlib
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import inetws_peer as p # noqa: E402

MB = 1 << 20
# The program counts whole milliseconds, and so may be early by almost one.
EARLY = 0.001
# How the last try ends where --resume is over before its answer is there.
CUT = 'no answer'
# Long enough for an answer before it is over.
SHORT = '%ds' % (4 * t.SCALE)
PAGE = b'<html><form action="/login"></form></html>'


def answer(status, *fields, body=b''):
    return b'HTTP/1.1 %d No\r\n%sContent-Length: %d\r\n\r\n%s' % (
        status, b''.join(b'%s\r\n' % f for f in fields), len(body), body)


def plain(head):
    """The 101 of a peer that knows no sessions."""
    key = re.search(rb'Sec-WebSocket-Key: (\S+)', head)[1]
    return (b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
            b'Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n' %
            base64.b64encode(hashlib.sha1(key + t.ws.GUID).digest()))


ANSWERS = {
    '404': answer(404), '403': answer(403), '502': answer(502),
    'a login page': answer(200, b'Content-Type: text/html', body=PAGE),
    'a 101 without its fields': b'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    'a 101 without the session': plain,
}


class Tunnel:
    """Bytes both ways through a Cutter."""

    def __init__(self, target, server, scheme='ws', *options):
        self.cutter = cutting.Cutter(server.port)
        self.client = t.client('%s://localhost:%d/' % (
            scheme, self.cutter.port), *options)
        a = t.ws.dial(self.client.port)
        self.flow = cutting.Flow(a, target.next(), 4 * MB, MB)

    def lines(self, event):
        return [x for x in self.client.lines if 'event=%s' % event in x]


class Terminals:
    """connect at a terminal, without a websocket; and with -q."""

    def __init__(self, server):
        self.masters, self.clients = [], []
        self.cutter = cutting.Cutter(server.port)
        for words in ((), ('-q',)):
            master, slave = os.openpty()
            tty.setraw(slave)           # as under ssh
            t.on_close(functools.partial(os.close, master))
            c = t.connect('ws://localhost:%d/' % self.cutter.port, *words,
                          stderr=slave)
            os.close(slave)
            self.masters.append(master)
            self.clients.append(c)
        self.pass_a_byte('a tunnel at a terminal')
        self.cutter.refuse = True

    def cut(self):
        self.lost_at = time.monotonic()
        self.cutter.cut('rst')

    def pass_a_byte(self, name):
        for c in self.clients:
            c.stdin.write(b'x')
            c.stdin.flush()
            t.is_(c.stdout.read(1), b'x', name)

    def shows(self, text, name):
        t.like(os.read(self.masters[0], 1000).decode(), r'\A\rinetws: '
               r'connection to localhost:%d %s\r\n\Z' %
               (self.cutter.port, text), name)

    def finish(self):
        self.shows(r'lost, resuming, 1 min 5[0-9] s left', 'it says so')
        t.ok(3 - EARLY <= time.monotonic() - self.lost_at, 'after three seconds')
        self.cutter.refuse = False
        self.pass_a_byte('resumed')
        self.shows('resumed after [0-9]+ s', 'it says that too')
        t.is_(select.select(self.masters[1:], [], [], 0)[0], [],
              'with -q it says nothing')


@t.limit(60)
def test_not_hopeless():
    """While redials get such answers the tunnels go on waiting; connect at a
    terminal tells its user."""
    target = t.Held()
    s = t.server(target.port)
    terminals = Terminals(t.server(t.echo().port))
    terminals.cut()
    tunnels = {name: Tunnel(target, s) for name in ANSWERS}
    t.ok(all(x.flow.reached(MB // 2) for x in tunnels.values()), 'bytes flow')
    for name, x in tunnels.items():
        x.cutter.answer = ANSWERS[name]
        x.cutter.cut('rst')
        x.flow.allow(4 * MB)
    t.until(lambda: all(len(x.cutter.answered) > (4 if t.LONG else 1)
                        for x in tunnels.values()), 2 * t.BOUND)
    for x in tunnels.values():
        x.cutter.answer = None
    for name, x in tunnels.items():
        t.ok(x.flow.whole(), '%s: alive, every byte arrives once (sha256)' %
             name) or t.diag(x.flow.tell())
        t.ok(len(x.cutter.answered) > 1, 'after %d such answers' %
             len(x.cutter.answered))
        t.is_(len(x.lines('redial-failed')), 1, 'one line says so')
        t.like(x.lines('redial-failed')[0],
               'level=info .*why="[^"]+" left=1[0-9]+', 'and for how long')
    terminals.finish()


def test_silence():
    """A path that swallows all, before that counts as a loss."""
    if not t.LONG:
        raise t.Skip('takes ten seconds')
    x = Terminals(t.server(t.echo().port))
    x.cutter.hole()
    for c in x.clients:
        c.stdin.write(b'y')
        c.stdin.flush()
    x.shows('lost, resuming, [12] min [0-9]+ s left', 'silence is noticed')
    x.cutter.refuse = False
    x.shows('resumed after [3-9] s', 'resumed')
    t.is_([c.stdout.read(1) for c in x.clients], [b'y', b'y'],
          'and the bytes are not lost')


def test_certificate():
    """A certificate that is refused, as from a captive portal."""
    ours, theirs = t.Authority(), t.Authority()
    one, two = ours.issue(), theirs.issue()
    target = t.Held()
    s, portal = (t.server(target.port, '--tls-cert', c.cert, '--tls-key',
                          c.key) for c in (one, two))
    x = Tunnel(target, s, 'wss', '--cacert', ours.cert)
    t.ok(x.flow.reached(MB // 2), 'bytes flow over TLS')
    x.cutter.to = ('127.0.0.1', portal.port)
    x.cutter.cut('rst')
    t.ok(x.client.has_line('level=info event=redial-failed .*certificate'),
         'a certificate is refused, one line says so')
    x.cutter.to = ('127.0.0.1', s.port)
    x.flow.allow(4 * MB)
    t.ok(x.flow.whole(), 'alive, every byte arrives once') or \
        t.diag(x.flow.tell())


def in_seconds(n):
    return [b'Retry-After: %d' % n]


def as_date(n):
    """By a clock that is wrong."""
    now = 1000000000
    return [b'%s: %s' % (name, email.utils.formatdate(
        when, usegmt=True).encode())
        for name, when in ((b'Date', now), (b'Retry-After', now + n))]


def test_retry_after():
    target = t.Held()
    s = t.server(target.port)
    cases = (('seconds', in_seconds(1), '2m', 1),
             ('a date', as_date(1), '2m', 1),
             ('a quarter of --resume', in_seconds(3000), '12s', 2))
    tunnels = [Tunnel(target, s, 'ws', '--resume', resume)
               for name, fields, resume, least in cases]
    for x, (name, fields, resume, least) in zip(tunnels, cases):
        x.flow.reached(MB // 2)
        x.cutter.answer = answer(503, *fields)
        x.cutter.cut('rst')
    for x, (name, fields, resume, least) in zip(tunnels, cases):
        t.ok(t.until(lambda: len(x.cutter.answered) > 1),
             'Retry-After, %s: two answers' % name)
        first, second = x.cutter.answered[:2]
        t.ok(least - EARLY <= second - first < 9 * t.SCALE,
             '%.1f s between them' % (second - first))
        x.cutter.answer = None
        x.flow.allow(4 * MB)
    t.ok(all(x.flow.whole() for x in tunnels), 'all alive')


def test_retry_after_ahead():
    """Agents, and clients that dial ahead; a server's, and a proxy's."""
    cutters = []
    for words in (('agent', '--spare', '1'), ('client', '-l', '127.0.0.1:0',
                                              '--warm', '1')):
        for proxy in False, True:
            cutter = cutting.Cutter(1)
            cutter.answer = answer(503, *in_seconds(1))
            here = '127.0.0.1:%d' % cutter.port
            t.inetws(*words, *(['-x', 'http://' + here, 'ws://127.0.0.1:1/']
                               if proxy else ['ws://%s/' % here]),
                     *(['127.0.0.1:1'] if words[0] == 'agent' else []))
            cutters.append((words[0] + ' by proxy' * proxy, cutter))
    for name, cutter in cutters:
        t.ok(t.until(lambda: len(cutter.answered) > 1), '%s: two tries' % name)
        first, second = cutter.answered[:2]
        t.ok(1 - EARLY <= second - first < 9 * t.SCALE, '%.1f s between them' %
             (second - first))


def test_given_up():
    """74 whatever came last; why= says for how long, and what that was."""
    s = t.server(t.echo().port)
    tries = []
    for status, known in ((404, 'no server knew the session'),
                          (410, 'no server knew the session'),
                          (401, 'no server knew the session'),
                          (503, 'no server knew the session'),
                          (None, 'no server answered')):
        cutter = cutting.Cutter(s.port)
        c = t.connect('ws://localhost:%d/' % cutter.port, '--resume', SHORT,
                      stderr=subprocess.PIPE)
        c.stdin.write(b'x')
        c.stdin.flush()
        t.is_(c.stdout.read(1), b'x', 'a tunnel')
        if status:
            cutter.answer = answer(status)
        else:
            cutter.refuse = True
        cutter.cut('rst')
        tries.append((status, known, c))
    for status, known, c in tries:
        t.is_(c.wait(), 74, '%s, given up: 74' % (status or 'no answer'))
        t.like(c.wait_log(), r'why="[^"]+, for [0-9.]+m?s no '
               'new websocket: %s; the last try: [^"]*%s' % (
                   known, '(%s|%s)' % (status or 'reset', CUT)), 'and why')


def through_proxy(server, *options):
    """A tunnel by CONNECT, and the Cutter that answers for the proxy."""
    cutter = cutting.Cutter(t.Scripted().port)
    c = t.connect('ws://localhost:%d/' % server.port, '-x',
                  'http://127.0.0.1:%d' % cutter.port, *options,
                  stderr=subprocess.PIPE)
    c.stdin.write(b'x')
    c.stdin.flush()
    t.is_(c.stdout.read(1), b'x', 'a tunnel through a proxy')
    return c, cutter


def test_proxy_answers():
    """CONNECT is refused at a redial: heeded, logged, and told at the end."""
    s = t.server(t.echo().port)
    late, cutter = through_proxy(s)
    cutter.answer = answer(503, *in_seconds(1))
    cutter.cut('rst')
    tries = [(status, *through_proxy(s, '--resume', SHORT,
                                      '--log-level', 'info'))
             for status in (502, 407)]
    for status, c, front in tries:
        front.answer = answer(status)
        front.cut('rst')
    for status, c, front in tries:
        t.is_(c.wait(), 74, "a proxy's %d, given up: 74" % status)
        log = c.wait_log()
        t.like(log, r'level=info event=redial-failed .*why="[^"]*answered %d'
               % status, 'a line says what it answered')
        t.is_(log.count('event=redial-failed'), 1, 'once')
        t.like(log, r'no new websocket: a proxy answered, but no server; '
               'the last try: [^"]*(proxy[^"]* answered %d|%s)' % (
                   status, CUT), 'and so does the last one')
    t.ok(t.until(lambda: len(cutter.answered) > 1), "a proxy's Retry-After")
    first, second = cutter.answered[:2]
    t.ok(1 - EARLY <= second - first < 9 * t.SCALE, '%.1f s between two answers' %
         (second - first))
    cutter.answer = None
    late.stdin.write(b'y')
    late.stdin.flush()
    t.is_(late.stdout.read(1), b'y', 'alive')


def test_name():
    """The server's name is looked up anew for a redial."""
    unshare, _ = t.need('unshare', 'mount')
    hosts = t.folder() + '/hosts'

    def moves_to(address):
        with open(hosts, 'w') as f:
            f.write(address + ' moves.example\n')
    moves_to('127.0.0.1')
    apart = [unshare, '-m', 'sh', '-c',
             'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    r = t.run(apart + ['true'])
    if r.returncode:
        raise t.Skip('no mounts of our own: %s' % r.stderr.decode())
    s = t.server(t.echo().port)
    one = cutting.Cutter(s.port)
    two = cutting.Cutter(s.port, ('127.0.0.2', one.port))
    c = t.Program(apart + [t.INETWS, 'connect', '-4',
                           'ws://moves.example:%d/' % one.port],
                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for data in b'x', b'y':
        c.stdin.write(data)
        c.stdin.flush()
        t.is_(c.stdout.read(1), data, 'a tunnel by name')
        moves_to('127.0.0.2')
        one.refuse = True
        one.cut('rst')
    t.is_(two.count, 1, 'a redial goes to the address that it has now')


def fill(fd):
    """Writes to a terminal until there is no room; the fd, to be closed."""
    fd = os.open(os.ttyname(fd), os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        while True:
            os.write(fd, b'x' * 80)
    except BlockingIOError:
        return fd


@t.limit(60)
def test_terminal_that_takes_nothing():
    """Its user is not told then, but connect goes on."""
    s = t.server(t.echo().port)
    clients = []
    for name, stop in (('Ctrl-S', lambda fd: termios.tcflow(
            fd, termios.TCOOFF)), ('a full terminal', fill)):
        cutter = cutting.Cutter(s.port)
        master, slave = os.openpty()
        for fd in (master, slave):
            t.on_close(functools.partial(os.close, fd))
        tty.setraw(slave)
        c = t.connect('ws://localhost:%d/' % cutter.port, stderr=slave)
        c.stdin.write(b'x')
        c.stdin.flush()
        t.is_(c.stdout.read(1), b'x', name + ': a tunnel')
        stop(slave)
        clients.append((name, c, cutter))
    for name, c, cutter in clients:
        cutter.answer = b'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n'
        cutter.cut('rst')
    for name, c, cutter in clients:
        # A line is due three seconds after the loss.
        t.ok(t.until(lambda: cutter.answered and
                     cutter.answered[-1] > cutter.answered[0] + 3.5),
             name + ': it still dials again after its user was to be told')
        c.send(signal.SIGTERM)
        t.is_(c.wait(), 74, 'and TERM ends it')


def test_dead_session():
    """The server has one line for each, however often it is asked for."""
    s = t.server(t.echo().port, '--resume', '300ms')
    raw = p.raw_dial('127.0.0.1', s.port, '/',
                     'inetws; v=2; id=me; resume', timeout=t.BOUND)
    raw.drop()
    t.ok(s.has_line('event=closed .*end=websocket-lost'), 'a session is over')
    for sid in (raw.params['resume'], 'ab' * 16):
        for n in range(5):
            try:
                p.raw_dial('127.0.0.1', s.port, '/', 'inetws; v=2; id=me; '
                           'resume="%s"; n=%d; at=0' % (sid, n + 1),
                           timeout=t.BOUND)
            except p.Refused as e:
                t.is_(e.status, 410, 'a redial: 410')
    s.wait_line('no such session')
    t.is_([len([x for x in s.lines if e in x])
           for e in ('event=closed', 'no such session')], [1, 1],
          'a line for its end, and one for a session that never was here')


t.main()
