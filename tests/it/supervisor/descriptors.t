#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Few descriptors.

If it fails: an instance whose limit is reached hangs: it serves no more, uses
all of a processor and does not end at TERM.
"""

import os
import re
import resource
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402
import inject           # noqa: E402

DUP, CLOSE = 32, 3


def stays_well(p, name):
    before = t.cpu_ticks(p.pid)
    time.sleep(0.5)
    used = t.cpu_ticks(p.pid) - before
    t.ok(used < 15, '%s: does not spin (%d ticks)' % (name, used))
    p.send(signal.SIGTERM)
    t.is_(p.wait(), 0, '%s: TERM ends it' % name)


def crowd(port, n, timeout=t.BOUND):
    """How many of n connections are served, be it later than in this time, and
    all of them."""
    served, socks, late = 0, [], []
    for _ in range(n):
        try:
            s = t.ws.dial(port, timeout)
            socks.append(s)
            s.sendall(b'x')
            late.append(s)
            served += s.recv(1) == b'x'
            late.pop()
        except OSError:
            pass
    for s in late:
        try:
            s.setblocking(False)
            served += s.recv(1) == b'x'
        except OSError:
            pass
    return served, socks


@t.limit(120)
def test_warm_client():
    s = t.server(t.echo().port, '--drain', '0')
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '4', '--drain', '0',
                 program=t.limited())
    served, socks = crowd(c.port, 90)
    t.is_(served, 90, 'more connections than descriptors are served')
    for x in socks[:45]:
        x.close()
    t.is_(crowd(c.port, 20)[0], 20, 'and new ones too')
    stays_well(c, 'client --warm')


@t.limit(120)
def test_server():
    s = t.server(t.echo().port, '--drain', '0', program=t.limited())
    ws = []
    for _ in range(80):
        w = t.ws.connect(s.port)
        w.send(b'x')
        ws.append((w, w.take_data(1)))
    t.is_({x for _, x in ws}, {b'x'}, 'a server holds nothing for a tunnel')
    t.is_(s.has_line('few-descriptors', 0.1), None,
          'so that the limit is enough')
    stays_well(s, 'server')


@t.limit(120)
def test_gate():
    g = r.gate('--queue', '1s', '--drain', '0', program=t.limited())
    a = r.agent(g.url(), t.echo().port, '--spare', '4', '--drain', '0',
                program=t.limited())
    t.ok(g.has_line('few-descriptors.* limit=64 needed=[0-9]+ '
                    'max-connections=[0-9]+ .*hint='),
         'the gate says in one line what fits')
    r.parked(g, 1)
    served, socks = crowd(g.visitors, 60, 0.3)
    t.ok(4 < served < 60, 'as many are served as fit (%d)' % served)
    for x in socks:
        x.close()
    # The agent, refused meanwhile, dials again after half a minute at most.
    t.ok(t.until(lambda: crowd(g.visitors, 1, 2)[0], 60),
         'who comes later is served when others have left')
    stays_well(a, 'agent')
    stays_well(g, 'gate')


def program_of(mode):
    url, echo = 'ws://127.0.0.1:9/', '127.0.0.1:%d' % t.echo().port
    return {
        'server': ('server', '-l', '127.0.0.1:0', echo),
        'client': ('client', '-l', '127.0.0.1:0', url),
        'client --warm': ('client', '-l', '127.0.0.1:0', '--warm', '4', url),
        'agent': ('agent', url, echo),
        'gate': ('gate', '-l', '127.0.0.1:0', '--visitors', '127.0.0.1:0',
                 '--allow-any-agent'),
        'gate with names': (
            'gate', '-l', '127.0.0.1:0', '--visitors-dir', t.folder(),
            '--agents-file', r.agents_file(a='secret'), '--metrics',
            '127.0.0.1:0')}[mode]


def least_of(mode, limit):
    """What it says that it needs, if it does not start."""
    p = t.inetws(*program_of(mode), program=t.limited('-n %d' % limit))
    status = p.wait()
    lines = [x for x in p.log.splitlines() if 'event=start' in x]
    t.ok(status == 71 and len(lines) == 1, '%s, ulimit -n %d: exits with '
         'status 71 and one line' % (mode, limit))
    why = re.search('why="the limit of open files is %d, and at least ([0-9]+) '
                    'are needed: raise it with ulimit -n or LimitNOFILE="' %
                    limit, ''.join(lines))
    t.ok(why, 'which says how many are needed')
    return int(why[1]) if why else limit + 1


@t.limit(120)
def test_least():
    """Too few to start are said, with the least number; that is enough."""
    for mode in ('server', 'client', 'client --warm', 'agent', 'gate',
                 'gate with names'):
        least = least_of(mode, 10)
        t.is_(least_of(mode, least - 1), least, 'the same number with one '
              'less than that (%d)' % least)
        p = t.inetws(*program_of(mode), '-v', program=t.limited('-n %d' % least))
        if mode == 'agent':
            p.wait_line('event=failed')
        else:
            p.wait_line('listening on')
        lowered = [x for x in p.log.splitlines() if 'few-desc' in x]
        want = {'server': [], 'client': [], 'client --warm': [' spares=1 '],
                'agent': [' spares=1 ']}.get(mode, [' max-connections=1 '])
        t.ok(len(lowered) == len(want) and
             all(a in b for a, b in zip(want, lowered)),
             '%s with %d: starts, and says what is lowered (%r)' %
             (mode, least, lowered))
        t.is_(p.has_line('Too many open files|Invalid argument', 0.1), None,
              'and nothing fails')
        if mode == 'server':
            port = t.port_of(t.listening(p)[0])
            held = [t.ws.connect(port) for _ in range(40)]
            for w in held:
                w.send(b'x')
            t.is_({w.take_data(1) for w in held}, {b'x'}, 'more connections '
                  'are served than there are descriptors')
            for w in held:
                w.bye()
        p.send(signal.SIGTERM)
        p.wait()


@t.limit(60)
def test_no_descriptors():
    """A visitor is reset, as if there were no agent; a request gets 503."""
    if inject.lacking():
        raise t.Skip(inject.lacking())
    g = r.gate('--queue', '60s')
    limit = len(os.listdir('/proc/%d/fd' % g.pid)) + 40
    resource.prlimit(g.pid, resource.RLIMIT_NOFILE, (limit, limit))
    held = []
    with inject.Inside(g.pid) as p:
        while not held or held[-1] >= 0:
            held.append(p.call(DUP, 0))
    v = r.visit(g.visitors)
    t.ok(r.was_reset(v), 'a visitor is reset')
    t.is_(t.ws.ask(g.port, t.ws.request()).status, 503, 'a request gets 503')
    t.ok(g.has_line('event=accept-paused call=accept'), 'which is logged')
    with inject.Inside(g.pid) as p:
        for fd in held[:-1]:
            p.call(CLOSE, fd)
    r.agent(g.url(), t.echo().port)
    t.is_(crowd(g.visitors, 1)[0], 1, 'later all are served')


def test_program():
    """The limit is raised for us, not for a program as target."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    s = t.inetws('server', '-l', '127.0.0.1:0', '--no-sandbox', '--', 'sh',
                 '-c', 'ulimit -Sn; exec cat', program=t.limited('-Sn 100'))
    port = int(s.wait_line('listening on .*:([0-9]+)')[1])
    w = t.ws.connect(port)
    t.is_(w.take_data(4), b'100\n', 'it gets the limit we were started with')
    t.is_(resource.prlimit(s.pid, resource.RLIMIT_NOFILE), (hard, hard),
          'ours is as high as it may be')


def kept(pid):
    """Descriptors that a program would get, but 0 to 2 (O_CLOEXEC)."""
    found = []
    for fd in os.listdir('/proc/%d/fdinfo' % pid):
        try:
            with open('/proc/%d/fdinfo/%s' % (pid, fd)) as f:
                flags = int(re.search(r'^flags:\s*(\d+)', f.read(), re.M)[1], 8)
            if int(fd) > 2 and not flags & os.O_CLOEXEC:
                found.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
        except FileNotFoundError:
            pass                # closed meanwhile
    return found


def test_close_on_exec():
    """No program that an instance starts gets what it has open."""
    if not os.path.isdir('/proc/self/fdinfo'):
        raise t.Skip('needs /proc/PID/fdinfo')
    t.rundir()
    echo = t.echo().port
    s = t.server(echo, '--metrics', '127.0.0.1:0')
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '1')
    g = r.gate()
    a = r.agent(g.url(), echo)
    r.parked(g, 1)
    socks = crowd(c.port, 1)[1] + crowd(g.visitors, 1)[1]
    for name, p in (('server', s), ('client', c), ('gate', g), ('agent', a)):
        t.until(lambda: t.children(p.pid) and not any(
            map(t.has_ended, t.children(p.pid))))
        pids = [p.pid, *t.children(p.pid)]
        t.ok(len(pids) > 1, '%s: %d processes' % (name, len(pids)))
        t.is_([kept(pid) for pid in pids], [[]] * len(pids),
              '%s: each of its descriptors is closed by exec(3)' % name)
    for x in socks:
        x.close()


t.main()
