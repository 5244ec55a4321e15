#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A full instance: the session that has waited longest for its websocket gives
its place to a new connection, once it has waited for 15 seconds.

If it fails: sessions whose websockets were dropped keep everybody out for the
time of --resume, or one that still may come back has to go.
"""

import os
import signal
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import reverse as r     # noqa: E402
import waiting as w     # noqa: E402

PATIENCE = 15
NEEDED = 'its place was needed for another connection'


def until_old(begin):
    time.sleep(max(0, begin + PATIENCE + 0.1 - time.monotonic()))


def quick(name, port, **kw):
    begin = time.monotonic()
    raw = w.session(port, **kw)
    took = time.monotonic() - begin
    t.ok(took < 0.5 * t.SCALE, '%s, after %.2f s' % (name, took))
    return raw


@t.limit(90)
def test_server():
    """Its peer hears the truth: 410, exit status 74."""
    s = t.server(t.echo().port, '--max-connections', '3')
    cutter = cutting.Cutter(s.port)
    c = t.connect('ws://127.0.0.1:%d/' % cutter.port)
    c.stdin.write(b'x')
    c.stdin.flush()
    t.is_(c.stdout.read(1), b'x', 'a tunnel')
    young = [w.session(s.port) for _ in range(2)]
    cutter.refuse = True
    cutter.cut('rst')
    t.until(lambda: len(w.lost(s)) == 1)
    begin = time.monotonic()
    t.is_(w.status_of(s.port), 503, 'full, and none has waited long')
    time.sleep(2)
    w.lose(s, young, 3)
    until_old(begin)
    new = quick('one more is served', s.port)
    t.ok(s.has_line('event=closed .*end=websocket-lost .*after 1[5-9].* '
                    'without a redial: ' + NEEDED),
         'a session ends, which is logged')
    t.is_(w.status_of(s.port), 503, 'those that wait for less stay')
    t.is_([w.redial(s.port, x) for x in young], [101, 101],
          'and they come back')
    cutter.refuse = False
    t.is_(c.wait(2 * t.BOUND), 74, 'whose session ended exits with 74')
    t.like(c.log, '410', 'and says that it is gone')
    new.drop()


@t.limit(90)
def test_odd_sessions():
    """One that does not answer, and requests that may not come in."""
    openssl, = t.need('openssl')
    path = t.folder() + '/users'
    with open(path, 'w') as f:
        f.write('u:' + t.run([openssl, 'passwd', '-6', 'pw']).stdout.decode())
    s = t.server(t.echo().port, '--max-connections', '4', '--auth-file', path,
                 '--path', '/in')
    kw = {'path': '/in', 'extra': 'Authorization: Basic dTpwdw==\r\n'}
    raws = [w.session(s.port, **kw)]
    w.lose(s, raws)
    stopped = w.lost(s)[0]['pid']
    os.kill(stopped, signal.SIGSTOP)
    others = [w.session(s.port, **kw) for _ in range(3)]
    others[0].drop()
    t.ok(s.has_line('too many sessions of this user'), 'the share of a user')
    t.until(lambda: len(t.children(s.pid)) == 3)
    others[0] = w.session(s.port, **kw)
    begin = time.monotonic()
    until_old(begin)
    t.is_([w.status_of(s.port, path='/'),
           w.status_of(s.port, path='/in'),
           w.status_of(s.port, **dict(kw, extra=kw['extra'] +
                                      'Origin: http://evil.example\r\n'))],
          [404, 401, 403], 'wrong path, no password, another origin')
    t.is_(len(w.lost(s)), 1, 'nobody gave way to those')
    t.is_(w.status_of(s.port, **kw), 503, 'a session that is stopped cannot')
    os.kill(stopped, signal.SIGCONT)
    t.ok(s.has_line('event=closed .*' + NEEDED), 'but when it goes on')


@t.limit(90)
def test_stopped():
    """One does not answer: the next one gives way."""
    s = t.server(t.echo().port, '--max-connections', '2')
    first = w.session(s.port)
    stopped = t.child(s.pid)
    w.lose(s, [first])
    os.kill(stopped, signal.SIGSTOP)
    w.lose(s, [w.session(s.port)], 2)
    until_old(time.monotonic())
    quick('one is stopped: the next one gives way', s.port)
    t.ok(s.has_line('event=closed .*' + NEEDED), 'which is logged')
    os.kill(stopped, signal.SIGCONT)
    t.ok(s.has_line('event=closed .*' + NEEDED, count=2), 'that one later')


@t.limit(90)
def test_one_each():
    """Sessions that take their time to end: a request ends one of them."""
    s = t.server('trap "" HUP; exec sleep 80', '--max-connections', '4', '--',
                 'sh', '-c')
    raws = [w.session(s.port) for _ in range(4)]
    w.lose(s, raws)
    until_old(time.monotonic())
    new = w.session(s.port)
    t.ok(new, 'a program ignores HUP: the request is served')
    new.drop()
    t.is_(sum(w.redial(s.port, x) == 101 for x in raws), 3,
          'and the other sessions come back')


def filled(s):
    """No tunnel takes more data."""
    before = [i['up'] for i in w.instance(s)['tunnels']]
    time.sleep(0.5)
    return all(before) and before == [i['up']
                                      for i in w.instance(s)['tunnels']]


@t.limit(90)
def test_slow_end():
    """The target does not read: a session that does not end is cut off."""
    with socket.create_server(('127.0.0.1', 0)) as mute:
        s = t.server(mute.getsockname()[1], '--max-connections', '2',
                     '--linger', '60s')
        cutter = cutting.Cutter(s.port)
        for _ in range(2):
            c = t.connect('ws://127.0.0.1:%d/' % cutter.port)
            threading.Thread(target=fill, args=(c,), daemon=True).start()
        t.until(lambda: len(w.instance(s)['tunnels']) == 2)
        t.until(lambda: filled(s))
        cutter.refuse = True
        cutter.cut('rst')
        t.until(lambda: len(w.lost(s)) == 2)
        until_old(time.monotonic())
        new = w.session(s.port)
        t.is_(len(w.lost(s)), 1, 'one goes, and the request is served')
        t.ok(s.has_line('event=closed .*' + NEEDED), 'which is logged')
        new.drop()


def fill(c):
    try:
        c.stdin.write(bytes(20000000))
    except OSError:
        pass


@t.limit(90)
def test_gate():
    """For an agent's websocket, if there is room for it."""
    g = r.gate('--max-connections', '2', '--max-parked', '1', '--queue', '60s')
    a = r.raw_agent(g, '/agents/a', offer=r.OFFER + '; resume')
    v = r.visit(g.visitors)
    r.line(a)
    a.text('ok')
    v.sendall(b'x')
    a.frame(t.BOUND)
    a.drop()
    t.until(lambda: len(w.lost(g)) == 1)
    begin = time.monotonic()
    b = r.raw_agent(g, '/agents/b')
    r.parked(g)
    until_old(begin)
    t.is_(w.status_of(g.port, path='/agents/c', offer=r.OFFER), 503,
          'a websocket that may not be parked')
    t.is_(len(w.lost(g)), 1, 'gets no place')
    visit = r.visit(g.visitors)
    r.line(b)
    b.text('ok')
    t.until(lambda: not any('parked' in t.command_of(c)
                            for c in t.children(g.pid)))
    begin = time.monotonic()
    c = r.raw_agent(g, '/agents/c')
    took = time.monotonic() - begin
    t.ok(took < 0.5 * t.SCALE, 'one that may does, after %.2f s' % took)
    t.ok(g.has_line('event=closed .*' + NEEDED), 'a session ends')
    t.ok(r.was_reset(v), 'its visitor is reset')
    visitor = r.visit(g.visitors)
    t.is_(r.line(c)[:5], 'open ', 'and the new one is of use')
    visit.close()
    visitor.close()


t.main()
