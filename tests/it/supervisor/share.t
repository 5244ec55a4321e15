#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Each peer has its share.

If it fails: a few peers that take their time, or never end, keep all others
out of an instance.
"""

import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402


def soon(name, action):
    """One of a few tries is quick: the machine may be busy with other tests."""
    for _ in range(5):
        begin = time.monotonic()
        action()
        took = time.monotonic() - begin
        if took < 0.5 * t.SCALE:
            break
    t.ok(took < 0.5 * t.SCALE, '%s, after %.2f s' % (name, took))


def endless(port, stop):
    """A client that sends a head without an end."""
    sock = t.ws.dial(port)
    try:
        sock.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n')
        while not stop.wait(0.01):
            sock.sendall(b'A: b\r\n')
    except OSError:
        pass


def good(s):
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'a websocket')
    w.bye()


@t.limit(60)
def test_metrics():
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0')
    port = int(s.wait_line('metrics on .*:([0-9]+)')[1])
    stop = threading.Event()
    threads = [threading.Thread(target=endless, args=(port, stop))
               for _ in range(8)]
    for x in threads:
        x.start()
    silent = [t.ws.dial(port) for _ in range(30)]
    t.until(lambda: len(t.children(s.pid)) >= 16)
    begin = time.monotonic()
    answers = [t.http(port, '/healthz')[0] for _ in range(3)]
    took = time.monotonic() - begin
    stop.set()
    t.is_(answers, [200] * 3, '/healthz, with 38 readers that take their time')
    t.ok(took < 15 * t.SCALE, 'is not held for long (%.1f s)' % took)
    soon('a good client is in', lambda: good(s))
    for x in threads:
        x.join(t.BOUND)
    for x in silent:
        x.close()


@t.limit(60)
def test_slow_handshakes():
    s = t.server(t.echo().port, '--handshake-timeout', '60s')
    mute = [t.ws.dial(s.port) for _ in range(300)]
    soon('a good client is in with 300 slow handshakes', lambda: good(s))
    stopped = t.ws.connect(s.port)
    port = stopped.sock.getsockname()[1]
    child, = t.until(lambda: [x for x in t.children(s.pid) if
                              ':%d ->' % port in t.command_of(x)])
    os.kill(child, signal.SIGSTOP)
    soon('and with a stopped process', lambda: good(s))
    os.kill(child, signal.SIGCONT)
    stopped.bye()
    t.ok(all(t.ws.quiet_for(x, 0) for x in mute), 'the others wait')


@t.limit(60)
def test_absent_agents():
    """Visitors of a name without agents leave descriptors for the others."""
    d = t.folder()
    with open(d + '/agents', 'w') as f:
        for name in ('here', 'gone'):
            f.write('%s %s\n' % (name, r.hashlib.sha256(
                b'secret').hexdigest()))
    g = r.gate('--visitors-dir', d, '--agents-file', d + '/agents',
               auth=(), visitors=None, program=t.limited('-n 100'))
    t.until(lambda: os.path.exists(d + '/gone.sock'))
    waiting = []
    for _ in range(200):
        try:
            waiting.append(r.visit(d + '/gone.sock', 1))
        except OSError:
            break
    with open(d + '/secret', 'w') as f:
        f.write('secret')
    r.agent(g.url('here'), t.echo().port, '-H',
            'Authorization: Bearer secret')

    def visit():
        v = r.visit(d + '/here.sock')
        v.sendall(b'x')
        t.is_(v.recv(1), b'x', 'a visitor of another name is served')
        v.close()
    t.ok(r.parked(g), 'an agent of another name is in')
    soon('at once', visit)
    t.ok(len(waiting) > 5, 'while others wait (%d)' % len(waiting))


@t.limit(60)
def test_names_that_left():
    """Listeners of names that came once are given back when others need
    them."""
    d = t.folder()
    g = r.gate('--visitors-dir', d, '--queue', '0', auth=(
        '--allow-any-agent',), visitors=None, program=t.limited('-n 100'))
    for i in range(120):
        r.raw_agent(g, '/a-secret-name-%d' % (1000 + i)).drop()
        if i % 5 == 4:          # there is room for 16 at once
            t.until(lambda: len(t.children(g.pid)) < 5)
    t.ok(r.raw_agent(g, '/an-honest-agents-name'),
         'an agent is in after 120 others that have left')
    t.ok(os.path.exists(d + '/an-honest-agents-name.sock'),
         'its listener is there')
    t.ok(len(os.listdir(d)) < 100, 'as others have been closed')


def slowest_at_hup(g):
    """The time that the slowest of fifty requests takes."""
    took, mark = [], g.mark()
    g.send(signal.SIGHUP)
    for _ in range(50):
        begin = time.monotonic()
        t.ws.ask(g.port, b'GET / HTTP/1.0\r\n\r\n')
        took.append(time.monotonic() - begin)
    g.wait_line('event=reloaded', since=mark)
    return max(took)


@t.limit(90)
def test_long_files():
    """50,000 names and 10,000 users are checked at HUP, and looked up."""
    d = t.folder()
    line = '%s ' + r.hashlib.sha256(b'secret').hexdigest() + '\n'
    with open(d + '/agents', 'w') as f:
        f.writelines(line % ('name%d' % i) for i in range(50000))
    g = r.gate('--agents-file', d + '/agents', auth=())
    held = [r.raw_agent(g, '/name%d' % (49999 - i), secret='secret')
            for i in range(20)]
    t.ok(r.parked(g, len(held)), 'the last ones of 50,000 are in')
    with open(d + '/agents', 'w') as f:
        f.writelines(line % ('name%d' % i) for i in range(49990))
    took = []
    while len(took) < 5 and min(took, default=9) > 0.5 * t.SCALE:
        took.append(slowest_at_hup(g))
        os.utime(d + '/agents')
    t.ok(min(took) < 0.5 * t.SCALE,
         'HUP holds nobody up (%.3f s at most)' % min(took))
    t.is_({a.frame(t.BOUND) for a in held[:10]}, {(8, 1000)},
          'those whose lines are gone are closed')
    for a in held[:10]:
        a.drop()
    t.ok(t.until(lambda: len(t.children(g.pid)) == 10), 'and have gone')
    held.append(r.raw_agent(g, '/name0', secret='secret'))
    t.ok(r.parked(g, 11), 'others come in')


def test_longer_queue():
    """HUP that raises --max-waiting lets more visitors wait."""
    conf = t.folder() + '/conf'

    def write(n):
        with open(conf, 'w') as f:
            f.write('max-connections 2\nmax-waiting %d\n' % n)
    write(3)
    g = r.gate('-K', conf)
    first = [r.visit(g.visitors) for _ in range(3)]
    try:
        how = t.ws.read_all(r.visit(g.visitors))[1]
    except ConnectionResetError:        # while it still connected
        how = 'reset'
    t.is_(how, 'reset', 'three may wait, a fourth not')
    write(40)
    g.send(signal.SIGHUP)
    g.wait_line('event=reloaded')
    more = [r.visit(g.visitors) for _ in range(7)]
    a = r.agent(g.url(), t.echo().port)
    served = []
    for v in first + more:
        v.sendall(b'x')
        served.append(v.recv(1))
        v.close()
    t.is_(served, [b'x'] * 10, 'then forty may: all are served')
    t.ok(a.alive(), 'by an agent')


def test_readyz_of_agent():
    g = r.gate()
    a = r.agent(g.url(), t.echo().port, '--metrics', '127.0.0.1:0')
    port = int(a.wait_line('metrics on .*:([0-9]+)')[1])
    a.wait_line('event=parked')     # its gate knows it before it does
    t.ok(t.until(lambda: t.http(port, '/readyz')[0] == 200),
         'an agent with a gate is ready')
    b = r.agent('ws://127.0.0.1:%d/agents/x' % t.free_port(), t.echo().port,
                '--metrics', '127.0.0.1:0')
    port = int(b.wait_line('metrics on .*:([0-9]+)')[1])
    t.is_(t.http(port, '/readyz')[0], 503, 'without one it is not')


t.main()
