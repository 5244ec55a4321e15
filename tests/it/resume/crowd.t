#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Many sessions at once: all come back, also at the connection limit; those
that expire leave nothing behind; the memory of each is bounded.

If it fails: after an outage some tunnels do not come back.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import inetws_peer as p     # noqa: E402
import hashlib          # noqa: E402
import signal           # noqa: E402

OFFER = 'inetws; v=2; id=me; resume'


def chain(*options, through=lambda port: port, **kw):
    """(client, server, cutter)"""
    s = t.server(t.echo().port, *kw.get('server', ()), *options)
    cutter = cutting.Cutter(through(s.port))
    c = t.client('ws://localhost:%d/%s' % (cutter.port, kw.get('path', '')),
                 *kw.get('client', ()), *options)
    return c, s, cutter


def visitors(port, n):
    found = [t.ws.dial(port) for _ in range(n)]
    for v in found:
        v.settimeout(4 * t.BOUND)
    return found


def speak(socks, text):
    """How many of them get an answer."""
    for v in socks:
        v.sendall(text)
    return sum(t.ws.read_exactly(v, len(text)) == text for v in socks)


def test_100_cut_at_once():
    """As many as --max-connections allows, so that redials find no room."""
    c, s, cutter = chain(server=('--max-connections', '100'))
    socks = visitors(c.port, 100)
    t.is_(speak(socks, b'hello'), 100, '100 tunnels')
    for how in ('fin', 'rst'):
        # Redials that found no room may not have left yet.
        t.until(lambda: len(cutter.pairs) == 100)
        t.is_(cutter.cut(how), 100,
              'all websockets are cut at once (%s)' % how)
        t.is_(speak(socks, b'again'), 100, 'all come back')
    beyond = t.ws.ask(s.port, t.ws.request())
    t.is_(beyond.status, 503, 'one more tunnel is still too many')
    t.is_(speak(socks, b'end'), 100, 'and disturbs no tunnel')
    for v in socks:
        v.shutdown(1)
    t.is_(sum(t.ws.read_all(v) == (b'', 'eof') for v in socks), 100,
          'all end well')
    t.ok(t.until(lambda: not t.family(s.pid) and not t.family(c.pid)),
         'nothing is left')


def test_100_behind_nginx():
    """kill -9 of the worker that serves them all."""
    found = []

    def through(port):
        found.append(t.nginx(port))
        return found[0].port
    c, s, cutter = chain(through=through, path='ssh/')
    socks = visitors(c.port, 100)
    t.is_(speak(socks, b'hello'), 100, '100 tunnels through nginx')
    for pid in t.children(found[0].pid, zombies=False):
        os.kill(pid, signal.SIGKILL)
    t.is_(speak(socks, b'again'), 100, 'kill -9 of its worker: all come back')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 100),
         'one process for each')


def uses(pid):
    """Its descriptors and its memory, when it has nothing to do."""
    t.at_rest(pid)
    return t.descriptors(pid), t.private_kib(pid)


def active(program):
    i, = [i for i in t.status()['instances'] if i['pid'] == program.pid]
    return i['active']


@t.limit(120)
def test_1000_expire():
    """No redial gets through: both sides give up."""
    t.rundir()
    c, s, cutter = chain('--resume', '300ms', '-q')

    def nothing():
        return not t.family(c.pid) and not t.family(s.pid)
    for i in range(51 if t.LONG else 6):
        cutter.refuse = False
        socks = visitors(c.port, 200)
        t.is_(speak(socks, b'hello'), 200, '200 sessions')
        cutter.refuse = True
        cutter.cut('rst')
        t.is_(sum(t.ws.read_all(v)[1] == 'reset' for v in socks), 200,
              'expire: their streams are reset')
        t.until(nothing, 4 * t.BOUND)
        if i == 0:                      # as many as there will ever be
            before = [uses(x.pid) for x in (c, s)]
    t.ok(t.until(nothing), 'no process is left of %d' % (200 * i))
    for name, x, (fds, kib) in zip(('client', 'server'), (c, s), before):
        t.at_rest(x.pid)
        t.is_(t.descriptors(x.pid), fds, '%s: no descriptor' % name)
        now = t.private_kib(x.pid)
        t.ok(t.SANITIZED or now < kib + 64, '%s: no memory: %d, now %d kB' %
             (name, kib, now))
        t.is_(t.until(lambda: active(x) == 0), True,
              '%s: nothing on its page' % name)


def handoff_sockets():
    with open('/proc/net/unix') as f:
        return f.read()


def test_handoff_sockets():
    """The socket where a session waits for its websocket goes with it."""
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    s = t.server(t.echo().port, '--resume', '%dms' % (1000 * t.SCALE))
    raws = [p.raw_dial('127.0.0.1', s.port, '/', OFFER, timeout=t.BOUND)
            for _ in range(50)]
    sids = [raw.params['resume'] for raw in raws]
    names = ['@inetws-' + hashlib.sha256(sid.encode()).hexdigest()
             for sid in sids]
    t.is_(sum(n in handoff_sockets() for n in names), 50,
          '50 sessions, 50 handoff sockets')
    for raw in raws:
        raw.drop()
    t.ok(t.until(lambda: not t.family(s.pid)), 'they expire')
    t.is_(sum(n in handoff_sockets() for n in names), 0,
          'no handoff socket is left')
    status = []
    for sid in sids[:5]:
        try:
            p.raw_dial('127.0.0.1', s.port, '/', 'inetws; v=2; id=me; resume='
                       '"%s"; n=1; at=0' % sid, timeout=t.BOUND)
        except p.Refused as e:
            status.append(e.status)
    t.is_(status, [410] * 5, 'a redial that comes too late: 410')
    t.unlike(s.log, '|'.join(sids), 'the ids are not in the log')


def fill(sock):
    """Sends until no more is taken; how much that was."""
    sock.settimeout(.5 * t.SCALE)
    sent = 0
    try:
        while True:
            sent += sock.send(b'x' * 65536)
    except TimeoutError:
        return sent


def drain(sock, n):
    sock.settimeout(4 * t.BOUND)
    while n > 0:
        n -= len(sock.recv(min(n, 1 << 20)))


def tunnel_of(program):
    """The process of its only tunnel; one that brings a websocket comes and
    goes."""
    return t.child(program.pid)


def memory_of(pids):
    return [t.private_kib(pid) for pid in pids]


@t.limit(90)
def test_memory():
    """A tunnel full of bytes that are not read, its websocket a black hole."""
    if t.SANITIZED:
        raise t.Skip('sanitizers need memory of their own')
    for window, size in (('64k', 64), ('1m', 1024), ('4m', 4096)):
        target = t.Held()
        options = ('--window', window, '-v')
        s = t.server(target.port, *options)
        cutter = cutting.Cutter(s.port)
        c = t.client('ws://localhost:%d/' % cutter.port, '--ping-interval',
                     '500ms', '--ping-timeout', '1500ms', *options)
        a, b = t.ws.dial(c.port), target.next()
        for one, other in (a, b), (b, a):
            one.sendall(b'x')           # both are up
            t.ws.read_exactly(other, 1)
        both = [tunnel_of(c), tunnel_of(s)]
        before = memory_of(both)
        up, down = fill(a), fill(b)
        cutter.hole()
        worst = memory_of(both)
        while not c.has_line('event=resumed', .05):
            worst = [max(w) for w in zip(worst, memory_of(both))]
        for name, w, idle in zip(('client', 'server'), worst, before):
            t.ok(w <= 2 * size + 1024, '--window %s, all full, a black hole: '
                 'the %s has %d kB, %d before' % (window, name, w, idle))
        drain(a, down), drain(b, up)
        t.ok(t.until(lambda: all(now <= idle + 128 for now, idle in zip(
            memory_of(both), before))), 'given back when all is delivered')
        t.cleanup()


t.main()
