#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The manners of a service: what its manager is told, and restarts that drop
and forget nobody."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402


class Manager:
    """A service manager's end of sd_notify(3)."""

    def __init__(self, name=None):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = name or t.folder() + '/notify'
        self.sock.bind(self.name.replace('@', '\0', 1))
        self.sock.settimeout(t.BOUND)
        t.on_close(self.sock.close)
        self.env = {'NOTIFY_SOCKET': self.name}

    def next(self):
        return self.sock.recv(4096).decode()

    def until(self, pattern):
        """The first one like it, and what came before."""
        before = []
        while True:
            word = self.next()
            if re.search(pattern, word):
                return word, before
            before.append(word)

    def quiet(self, seconds):
        self.sock.settimeout(seconds)
        try:
            return self.next()
        except socket.timeout:
            return None
        finally:
            self.sock.settimeout(t.BOUND)


def says(w, word=b'x'):
    w.send(word)
    return w.take_data(len(word)) == word


def status_of(port):
    a = t.ws.ask(port, t.ws.request())
    return a.status


def test_notify():
    for name in (None, '@inetws-test-%d' % os.getpid()):
        m = Manager(name)
        s = t.server(t.echo().port, '--drain', '20s', env=m.env)
        t.is_(m.next(), 'READY=1', 'READY=1 at start')
        t.is_(m.next(), 'STATUS=0 active, 0 total, 0 B', 'and a status')
        w = t.ws.connect(s.port)
        t.is_(m.next(), 'STATUS=1 active, 1 total, 0 B', 'of each change')
        w.send(b'x' * 600000)
        w.take_data(600000)
        t.is_(m.next(), 'STATUS=1 active, 1 total, 1.2 MB',
              'and of bytes, a little later')
        s.send(signal.SIGHUP)
        t.like(m.next(), r'\ARELOADING=1\nMONOTONIC_USEC=\d{6,}\Z',
               'HUP: RELOADING=1')
        t.is_(m.next(), 'READY=1', 'and ready again')
        s.send(signal.SIGTERM)
        t.is_(m.until('STOPPING=1')[0], 'STOPPING=1', 'TERM: STOPPING=1')
        t.like(m.until('STATUS')[0], '1 active, .*draining', 'it drains')
        w.bye()
        t.is_(s.wait(), 0, 'and ends')


def switches(pid):
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'^voluntary_ctxt_switches:\s+(\d+)', f.read(),
                             re.M)[1])


def test_no_needless_waking():
    """Without a manager a supervisor sleeps, whatever its tunnels do."""
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    t.until(lambda: ' 1 active' in t.command_of(s.pid))
    before = switches(s.pid)
    end = t.ws.now() + 3
    while t.ws.now() < end:
        says(w, b'x' * 10000)
    t.is_(switches(s.pid) - before, 0, 'it never woke up')


def test_survivors():
    """Tunnels of an earlier supervisor are counted."""
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port, '--max-connections', '3', '--drain', 'leave')
    old = [t.ws.connect(s.port) for _ in range(2)]
    t.ok(all(says(w, b'12345') for w in old), 'two tunnels')
    killed = t.children(s.pid)[0]
    t.is_(s.stop(), 0, 'left alive')
    m = Manager()
    s = t.server(echo.port, '--max-connections', '3', '--drain', 'leave',
                 listen='127.0.0.1:%d' % s.port, env=m.env)
    t.like(m.until('STATUS')[0], '2 active, 2 total, 20 B',
           'their status is known')
    t.ok(s.has_line('event=survivors active=2'), 'and logged')
    w = t.ws.connect(s.port)
    t.is_(status_of(s.port), 503, 'they count towards --max-connections')
    i = t.one()
    t.is_((i['active'], i['max_connections'], len(i['tunnels'])), (3, 3, 3),
          'inetws status shows all of them')
    os.kill(killed, signal.SIGKILL)
    t.ok(t.until(lambda: status_of(s.port) == 101), 'one dies, one comes in')
    t.is_(sum(says(x) for x in (w,)), 1, 'the others live')
    s.send(signal.SIGUSR1)
    t.like(s.wait_line('event=statistics').string, r'active=\d total=\d',
           'and are in the statistics')
    s.stop()
    s = t.server(echo.port, '--max-connections', '9',
                 listen='127.0.0.1:%d' % s.port)
    t.ok(s.has_line(r'event=survivors active=[23]'), 'once more')
    t.ok(all(says(x) for x in (w, t.ws.connect(s.port))),
         'with a higher limit there is room')
    other = t.server(echo.port)
    t.is_(other.has_line('survivors', 0.2), None,
          'who listens elsewhere inherits nothing')


def test_survivors_by_source():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port, '--max-per-source', '2', '--drain', 'leave')
    old = [t.ws.connect(s.port) for _ in range(2)]
    s.stop()
    s = t.server(echo.port, '--max-per-source', '2',
                 listen='127.0.0.1:%d' % s.port)
    t.is_(status_of(s.port), 503, 'survivors count for their source')
    old[0].bye()
    t.ok(t.until(lambda: status_of(s.port) == 101), 'as long as they live')


def test_killed_supervisor():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    w = t.ws.connect(s.port)
    s.send(signal.SIGKILL)
    s.wait()
    s = t.server(echo.port, listen='127.0.0.1:%d' % s.port)
    t.ok(s.has_line('event=survivors active=1'), 'also of one that crashed')
    t.ok(says(w), 'lives on')
    w.bye()
    t.ok(t.until(lambda: t.one()['active'] == 0), 'and ends')
    s.stop()
    t.is_(os.listdir(os.environ['RUNTIME_DIRECTORY']), [], 'nothing is left')


t.main()
