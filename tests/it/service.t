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


class Configured:
    """A server whose configuration file can be changed."""

    def __init__(self, text, **kw):
        self.path = t.folder() + '/conf'
        self.text = text
        self.write()
        self.s = t.inetws('-K', self.path, **kw)
        self.port = t.port_of(t.listening(self.s)[0])

    def write(self, text=None, *more):
        with open(self.path, 'w') as f:
            f.write('mode server\nlisten 127.0.0.1:0\n' +
                    (self.text if text is None else text))

    def reload(self, text, event='reloaded|reload'):
        """The line that tells what came of it."""
        mark = self.s.mark()
        self.write(text)
        self.s.send(signal.SIGHUP)
        return self.s.wait_line('(event=| )(%s)( .*|$)' % event,
                                since=mark)[0]


def test_reload():
    one, two = t.echo(), t.Held()
    target = 'target 127.0.0.1:%d\n'
    c = Configured(target % one.port)
    w = t.ws.connect(c.port)
    t.ok(says(w), 'a tunnel')
    t.is_(c.reload(target % two.port + 'max-connections 2\npath /new\n'),
          'event=reloaded', 'HUP takes the file up')
    a = t.ws.ask(c.port, t.ws.request())
    t.is_(a.status, 404, '--path is another')
    t.until(lambda: len(t.children(c.s.pid)) == 1)
    x = t.ws.connect(c.port, '/new')
    s = two.next()
    x.send(b'abc')
    t.is_(t.ws.read_exactly(s, 3), b'abc', 'and the target')
    t.is_(t.ws.ask(c.port, t.ws.request('/new')).status, 503,
          'and the limit')
    t.ok(says(w), 'the old tunnel is as it was')
    t.ok(t.until(lambda: str(two.port) in t.command_of(c.s.pid)),
         'ps shows the new target: ' + t.command_of(c.s.pid))
    c.reload(target % one.port + 'max-connections 1500\n')
    more = [t.ws.connect(c.port) for _ in range(20)]
    t.is_(sum(says(m) for m in more), 20, 'a higher limit leaves room')
    c.reload(target % one.port + 'max-per-source 5\nmax-handshakes 3\n')
    t.is_(status_of(c.port), 503, 'a lower one keeps who is in')
    t.is_(sum(says(m) for m in more), 20, 'all of them')
    c.reload(target % one.port + 'log-format text\n')
    t.ws.connect(c.port).bye()
    t.ok(c.s.has_line(' info closed: '), 'the log too')


def test_reload_badly():
    echo = t.echo()
    good = 'target 127.0.0.1:%d\n' % echo.port
    m = Manager()
    c = Configured(good, env=m.env)
    m.until('STATUS')
    for bad, why in (
            (good + 'nonsense 1\n', r'conf:4: .*nonsense'),
            (good + 'linger soon\n', r'conf:4: linger: .*soon'),
            ('', r'TARGET is missing'),
            (good + 'listen 127.0.0.1:1\n', 'listen has changed'),
            (good + 'stats-file /x\n', 'stats-file has changed'),
            (good + 'syslog\n', 'syslog has changed'),
            (good + 'tls-cert /x\ntls-key /x\n', 'tls-cert has changed')):
        line = c.reload(bad, 'reload')
        t.like(line, why, 'bad: ' + line)
        t.like(line, 'level=error|the old options stay', 'the old ones stay')
        m.until('RELOADING')
        t.is_(m.until('READY')[0], 'READY=1', 'and it is ready again')
        t.ok(says(t.ws.connect(c.port)), 'it serves as before')
    os.unlink(c.path)
    mark = c.s.mark()
    c.s.send(signal.SIGHUP)
    t.ok(c.s.has_line('event=reload .*No such file', since=mark),
         'a file that is gone, too')
    t.like(c.reload(good), 'reloaded', 'until it is good again')


def test_reload_often():
    """Nothing is left of a reload."""
    c = Configured('target 127.0.0.1:%d\n' % t.echo().port)

    def some(n):
        for i in range(n):
            c.reload(c.text + '# %s\n' % ('x' * 60000))
        with open('/proc/%d/statm' % c.s.pid) as f:
            return int(f.read().split()[1]), t.descriptors(c.s.pid)
    pages, fds = some(20)
    more, fds2 = some(100)
    t.is_(fds2, fds, 'no descriptor')
    if not t.SANITIZED:
        t.ok(more - pages < 100, 'no memory (%d pages)' % (more - pages))
    t.ok(says(t.ws.connect(c.port)), 'and it serves')


t.main()
