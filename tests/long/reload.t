#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Reloads with thousands of connections, users and names.

If it fails: a reload, or a file that changes, keeps new connections waiting
for longer than anyone notices.
"""

import hashlib
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

BCRYPT = '$2b$12$abcdefghijklmnopqrstuuKrqR7.WQmBrUYVBiPkbZ9GYdUYyqzkm'
CONNECTIONS = 2500
ROUNDS = 15


def digest(secret):
    return hashlib.sha256(secret.encode()).hexdigest()


def wait_stable(path):
    while time.time() < os.stat(path).st_ctime + 0.2:
        time.sleep(0.01)


class Prober:
    """Connects again and again, and keeps the longest time to an answer."""

    def __init__(self, port, request):
        self.port, self.request, self.took = port, request, []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop.is_set():
            begin = time.monotonic()
            t.ws.ask(self.port, self.request)
            self.took.append((time.monotonic() - begin) * 1000)

    def end(self):
        self.stop.set()
        self.thread.join()
        return max(self.took)


def longest(s, action, request):
    p = Prober(s.port, request)
    if action is not None:
        mark = s.mark()
        action()
        s.wait_line('event=(reloaded|statistics)', since=mark)
    time.sleep(0.3)             # what comes behind that line counts, too
    return p.end()


def judge(s, name, action, most, request=b'GET / HTTP/1.0\r\n\r\n'):
    """By turns with it and without it; of the rounds the shortest, as others
    run here, and so many that this is a small one."""
    usual, took = [], []
    for i in range(ROUNDS):
        usual.append(longest(s, None, request))
        took.append(longest(s, action, request))
        if i >= 2 and min(took) <= most:
            break
    t.ok(min(took) <= most * t.SCALE + min(usual),
         '%s: no request waits longer than %.1f ms, without it %.1f' % (
             name, min(took), min(usual)))
    t.diag('rounds: %s, without it %s' % (tuple(
        ' '.join('%.0f' % x for x in sorted(v)) for v in (took, usual))))


@t.limit(600)
def test_users():
    """2,500 connections and 10,000 users."""
    path = t.folder() + '/users'
    with open(path, 'w') as f:
        f.writelines('user%d:%s\n' % (i, BCRYPT) for i in range(10000))
        f.writelines('token:t%d:%s\n' % (i, digest('s%d' % i))
                     for i in range(100))
    s = t.server(t.discard().port, '--auth-file', path, '--max-connections',
                 '3000')
    wait_stable(path)
    held = [t.ws.connect(s.port, headers=[('Authorization', 'Bearer s%d' %
                                           (i % 100))])
            for i in range(CONNECTIONS)]
    t.is_(len(held), CONNECTIONS, 'all connections are there')
    request = t.ws.request(headers=[('Authorization', 'Bearer none')])

    def change():
        new = path + '.new'
        with open(path) as f, open(new, 'w') as out:
            out.write(f.read() + '# again\n')
        os.rename(new, path)
        s.send(signal.SIGHUP)

    judge(s, 'HUP, nothing changed', lambda: s.send(signal.SIGHUP), 20,
          request)
    judge(s, 'USR1', lambda: s.send(signal.SIGUSR1), 20, request)
    judge(s, 'HUP, the file changed', change, 50, request)
    for name, action in (('nothing', lambda: s.send(signal.SIGHUP)),
                         ('the file', change)):
        before = t.cpu_ticks(s.pid)
        for _ in range(50):
            mark = s.mark()
            action()
            s.wait_line('event=reloaded', since=mark)
            t.ws.ask(s.port, request)
        took = (t.cpu_ticks(s.pid) - before) / 5
        t.ok(took < 5, 'HUP, %s changed, and a request: %.1f ms of the '
             'supervisor' % (name, took))


@t.limit(600)
def test_names():
    """An agent among 50,000 costs what one among 50 does."""
    def cpu(n):
        d = t.folder()
        with open(d + '/agents', 'w') as f:
            f.writelines('name%d %s\n' % (i, digest('secret'))
                         for i in range(n))
        g = r.gate('--agents-file', d + '/agents', auth=())
        wait_stable(d + '/agents')
        refuse = t.ws.request(path='/name%d' % (n - 1), headers=[
            ('Authorization', 'Bearer wrong')])
        t.is_(t.ws.ask(g.port, refuse).status, 403, 'a wrong secret')
        a = r.raw_agent(g, '/name%d' % (n - 1), secret='secret')
        t.ok(r.parked(g), 'the last one of %d is in' % n)
        begin = t.cpu_ticks(g.pid)
        for _ in range(400):
            t.ws.ask(g.port, refuse)
        a.drop()
        return t.cpu_ticks(g.pid) - begin, g

    few, g = cpu(50)
    g.stop()
    many, g = cpu(50000)
    t.ok(many <= 1.5 * few + 10, '400 requests take %d ms of CPU with 50,000 '
         'names, %d with 50' % (many * 10, few * 10))
    judge(g, 'HUP, nothing changed, 50,000 names',
          lambda: g.send(signal.SIGHUP), 20)


@t.limit(600)
def test_listeners():
    """HUP with 3,000 names that have listeners."""
    d = t.folder()
    path = d + '/agents'

    lines = ['name%d %s\n' % (i, digest('x')) for i in range(15000)]

    def write(extra):
        with open(path + '.new', 'w') as f:
            f.write(''.join(lines[:3000 + extra]))
        os.rename(path + '.new', path)
    write(0)
    os.mkdir(d + '/sockets')
    g = r.gate('--visitors-dir', d + '/sockets', '--agents-file', path,
               auth=(), visitors=None)
    t.is_(len(os.listdir(d + '/sockets')), 3000, 'listeners')
    extra = [0]

    def change():
        extra[0] += 1
        write(extra[0])
        g.send(signal.SIGHUP)
    judge(g, 'HUP, nothing changed', lambda: g.send(signal.SIGHUP), 20)
    judge(g, 'HUP, one more name', change, 50)
    extra[0] += 3000
    p = Prober(g.port, b'GET / HTTP/1.0\r\n\r\n')
    change()
    t.ok(t.until(lambda: len(os.listdir(d + '/sockets')) == 3000 + extra[0]),
         'each has a listener, also 3,000 new ones')
    p.end()
    t.diag('of %d requests meanwhile the longest took %.0f ms, half of them '
           'less than %.0f' % (len(p.took), max(p.took),
                               sorted(p.took)[len(p.took) // 2]))


t.main()
