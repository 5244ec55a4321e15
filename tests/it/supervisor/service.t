#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The duties of a service: notifications to its manager, pid file, user,
chroot; restarts that keep the tunnels and the limits.

If it fails: a restart drops tunnels, or the service runs with privileges it
gave up.
"""

import fcntl
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import pwd              # noqa: E402
import re               # noqa: E402
import shutil           # noqa: E402
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


def lives(w):
    try:
        return says(w)
    except OSError:
        return False


def status_of(port):
    a = t.ws.ask(port, t.ws.request())
    return a.status


def test_notify():
    for name in (None, '@inetws-test-' + os.urandom(8).hex()):
        m = Manager(name)
        s = t.server(t.echo().port, '--drain', '20s', env=m.env)
        t.is_(m.next(), 'READY=1', 'READY=1 at start')
        t.is_(m.next(), 'STATUS=0 active, 0 total, 0 B', 'and a status')
        w = t.ws.connect(s.port)
        # What is told just then has less in it.
        word, before = m.until('STATUS=1 active, 1 total')
        t.is_((word, before in ([], ['STATUS=1 active, 0 total, 0 B'])),
              ('STATUS=1 active, 1 total, 0 B', True), 'of each change')
        w.send(b'x' * 600000)
        w.take_data(600000)
        word, before = m.until(r'1\.2 MB')
        t.is_((word, len(before) <= 1),
              ('STATUS=1 active, 1 total, 1.2 MB', True),
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


def test_no_needless_waking():
    """Without a manager a supervisor sleeps, whatever its tunnels do."""
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    t.until(lambda: ' 1 active' in t.command_of(s.pid))
    before = t.at_rest(s.pid)
    end = t.ws.now() + 3
    while t.ws.now() < end:
        says(w, b'x' * 10000)
    t.is_(t.switches(s.pid) - before, 0, 'it never woke up')


def test_inherited():
    """Tunnels of an earlier supervisor are counted."""
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port, '--max-connections', '3', '--drain', 'leave')
    old = [t.ws.connect(s.port) for _ in range(2)]
    t.ok(all(says(w, b'12345') for w in old), 'two tunnels')
    t.until(lambda: len(t.children(s.pid)) == 2)
    killed = t.children(s.pid)[0]
    t.is_(s.stop(), 0, 'left alive')
    m = Manager()
    s = t.server(echo.port, '--max-connections', '3', '--drain', 'leave',
                 listen='127.0.0.1:%d' % s.port, env=m.env)
    t.like(m.until('STATUS')[0], '2 active, 2 total, 20 B',
           'their status is known')
    t.ok(s.has_line('event=inherited-tunnels active=2'), 'and logged')
    w = t.ws.connect(s.port)
    t.is_(status_of(s.port), 503, 'they count towards --max-connections')

    def shown():
        i = t.one()
        return i['active'], i['max_connections'], len(i['tunnels'])
    # The process of who was refused may not have left yet.
    t.until(lambda: shown() == (3, 3, 3))
    t.is_(shown(), (3, 3, 3), 'inetws status shows all of them')
    os.kill(killed, signal.SIGKILL)
    t.ok(t.until(lambda: status_of(s.port) == 101), 'one dies, one comes in')
    t.ok(s.has_line('event=child-killed pid=%d peer=.* up=5 down=5 ' % killed),
         'its last state is logged')
    t.is_((sum(lives(x) for x in old), lives(w)), (1, True),
          'the others live')
    s.send(signal.SIGUSR1)
    t.like(s.wait_line('event=statistics').string, r'active=\d total=\d',
           'and are in the statistics')
    s.stop()
    s = t.server(echo.port, '--max-connections', '9',
                 listen='127.0.0.1:%d' % s.port)
    t.ok(s.has_line(r'event=inherited-tunnels active=[23]'), 'once more')
    t.ok(all(says(x) for x in (w, t.ws.connect(s.port))),
         'with a higher limit there is room')
    other = t.server(echo.port)
    t.is_(other.has_line('inherited-tunnels', 0.2), None,
          'an instance at another address inherits nothing')


def test_inherited_by_source():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port, '--max-per-source', '2', '--drain', 'leave')
    old = [t.ws.connect(s.port) for _ in range(2)]
    s.stop()
    s = t.server(echo.port, '--max-per-source', '2',
                 listen='127.0.0.1:%d' % s.port)
    t.is_(status_of(s.port), 503, 'inherited tunnels count for their source')
    old[0].bye()
    t.ok(t.until(lambda: status_of(s.port) == 101), 'as long as they live')


def test_killed_supervisor():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    w = t.ws.connect(s.port)
    # One that is just being forked has what its supervisor has.
    t.until(lambda: len(t.ahead(s.pid)) == 2)
    s.send(signal.SIGKILL)
    s.wait()
    s = t.server(echo.port, listen='127.0.0.1:%d' % s.port)
    t.ok(s.has_line('event=inherited-tunnels active=1'), 'also of one that crashed')
    t.ok(says(w), 'lives on')
    w.bye()
    t.ok(t.until(lambda: t.one()['active'] == 0), 'and ends')
    s.stop()
    t.is_(os.listdir(os.environ['RUNTIME_DIRECTORY']), [], 'nothing is left')


def test_same_pid():
    """A process of the same number in another container has its own page."""
    t.rundir()
    d = os.environ['RUNTIME_DIRECTORY']
    echo = t.echo()
    first = t.server(echo.port)
    s = t.Program(['sh', '-c', 'echo pid $$ >&2; read x; exec %s server '
                   '-l 127.0.0.1:0 127.0.0.1:%d' % (t.INETWS, echo.port)],
                  stdin=subprocess.PIPE)
    pid = s.wait_line('pid ([0-9]+)')[1]
    page = '%s/%s.stats' % (d, pid)
    with open('%s/%d.stats' % (d, first.pid), 'rb') as f:
        copy = f.read()
    with open(page, 'w+b') as f:
        f.write(copy)
        f.flush()
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 0)
        s.popen.stdin.write(b'\n')
        s.popen.stdin.flush()
        s.wait_line('listening on')
        with open(page, 'rb') as again:
            t.ok(again.read() == copy, 'a page that is in use stays')
        t.ok(os.path.exists('%s/%s-2.stats' % (d, pid)),
             'and a new one has another name')
    s.stop()


def test_forged_page():
    """What a child may write there makes no process read beyond it."""
    t.rundir()
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    path = '%s/%d.stats' % (os.environ['RUNTIME_DIRECTORY'], s.pid)
    with open(path, 'r+b') as f:
        f.seek(8)       # header_size, slot_size, slots
        f.write(b'\xff\xff\xff\x7f' * 3)
    mark = s.mark()
    s.send(signal.SIGUSR1)
    t.ok(s.has_line('event=statistics active=1 ', since=mark),
         'counted as before')
    t.ok(says(t.ws.connect(s.port)) and says(w), 'served as before')
    t.ok(s.alive(), 'and the supervisor lives')


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
    t.is_(status_of(c.port), 503, 'a lower one keeps the tunnels there are')
    t.is_(sum(says(m) for m in more), 20, 'all of them')
    c.reload(target % one.port + 'log-format text\n')
    t.ws.connect(c.port).bye()
    t.ok(c.s.has_line(' info closed: '), 'the log too')


def test_reload_down_and_up():
    """More tunnels than a limit that was lowered, and raised a little."""
    c = Configured('target 127.0.0.1:%d\ndrain 0\nmax-connections 80\n'
                   % t.echo().port)
    text = c.text
    many = [t.ws.connect(c.port) for _ in range(60)]
    c.reload(text.replace('connections 80', 'connections 2'))
    c.reload(text.replace('connections 80', 'connections 3'))
    t.is_(sum(says(w) for w in many), 60, 'all stay')
    for w in many:
        w.bye()
    t.ok(t.until(lambda: t.children(c.s.pid) == []), 'and are taken back')
    mark = c.s.mark()
    c.s.send(signal.SIGUSR1)
    t.like(c.s.wait_line('event=statistics .*', since=mark)[0], 'active=0 ',
           'every one')
    three = [t.ws.connect(c.port) for _ in range(3)]
    t.is_(sum(says(w) for w in three), 3, 'as many as the limit come in')
    t.is_(status_of(c.port), 503, 'and no more')
    c.reload(text)
    t.ok(says(t.ws.connect(c.port)), 'until it is as it was')
    t.is_(c.s.stop(), 0, 'ends well')


def test_reload_of_client():
    """Also what stood on the command line is there again."""
    one, two = t.WSServer(), t.WSServer()
    path = t.folder() + '/conf'

    def write(port):
        with open(path, 'w') as f:
            f.write('url ws://127.0.0.1:%d/\n' % port)

    write(one.port)
    c = t.inetws('client', '-l', '127.0.0.1:0', '-K', path, '-u', 'me:secret',
                 '-H', 'X-Mine: 1')
    port = t.port_of(t.listening(c)[0])
    v = t.ws.dial(port)
    w = one.next()
    write(two.port)
    c.send(signal.SIGHUP)
    t.ok(c.has_line('event=reloaded'), 'a client takes its file up')
    x = t.ws.dial(port)
    new = two.next()
    t.is_((new.request.get('authorization'), new.request.get('x-mine')),
          ('Basic bWU6c2VjcmV0', '1'), 'and keeps its other words')
    new.send(b'new')
    t.is_(t.ws.read_exactly(x, 3), b'new', 'new visitors go there')
    w.send(b'old')
    t.is_(t.ws.read_exactly(v, 3), b'old', 'old ones stay')


def test_reload_badly():
    echo = t.echo()
    good = 'target 127.0.0.1:%d\n' % echo.port
    m = Manager()
    c = Configured(good, env=m.env)
    m.until('STATUS')
    for bad, why in (
            (good + 'nonsense 1\n', r'conf:4: .*nonsense'),
            (good + 'linger soon\n', r'conf:4: linger: .*soon'),
            ('', r'conf: no line target'),
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
        t.until(lambda: len(t.ahead(c.s.pid)) == 2)     # with open channels
        t.at_rest(c.s.pid)
        with open('/proc/%d/statm' % c.s.pid) as f:
            return int(f.read().split()[1]), t.descriptors(c.s.pid)
    pages, fds = some(20)
    more, fds2 = some(100)
    t.is_(fds2, fds, 'no descriptor')
    if not t.SANITIZED:
        t.ok(more - pages < 100, 'no memory (%d pages)' % (more - pages))
    t.ok(says(t.ws.connect(c.port)), 'and it serves')


def test_pidfile():
    path = t.folder() + '/pid'
    echo = t.echo()
    s = t.server(echo.port, '--pidfile', path, '--drain', '20s')
    with open(path) as f:
        t.is_(f.read(), '%d\n' % s.pid, 'the process number')
    w = t.ws.connect(s.port)
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--pidfile', path,
                     '127.0.0.1:1')
    t.is_(r.returncode, 71, 'locked: 71')
    t.like(r.stderr, 'pidfile %s is locked: process %d is running' % (
        path, s.pid), 'and names its pid')
    s.send(signal.SIGTERM)
    t.ok(t.until(lambda: not os.path.exists(path)),
         'removed when it stops listening')
    new = t.server(echo.port, '--pidfile', path, listen='127.0.0.1:%d' %
                   s.port)
    t.ok(says(w), 'a successor while the old one drains')
    w.bye()
    s.wait()
    with open(path) as f:
        t.is_(f.read(), '%d\n' % new.pid, 'which lets its file alone')
    w = t.ws.connect(new.port)
    t.until(lambda: len(t.ahead(new.pid)) == 2)
    new.send(signal.SIGKILL)
    new.wait()
    s = t.server(echo.port, '--pidfile', path)
    with open(path) as f:
        t.is_(f.read(), '%d\n' % s.pid,
              'a stale one is written anew, whatever tunnels live on')
    t.ok(says(w), 'as one does')
    s.stop()
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--pidfile',
                     '/nonexistent/x', '127.0.0.1:1')
    t.is_(r.returncode, 71, 'cannot be written: 71')
    t.like(r.stderr, '/nonexistent/x', 'and which')
    d = t.folder()
    with open(d + '/precious', 'w') as f:
        f.write('words')
    os.symlink(d + '/precious', d + '/pid')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--pidfile', d + '/pid',
                     '127.0.0.1:1')
    t.is_(r.returncode, 71, 'a symbolic link: 71')
    t.is_(open(d + '/precious').read(), 'words', 'which is not followed')


def ids(pid):
    with open('/proc/%d/status' % pid) as f:
        table = dict(line.rstrip('\n').split(':\t', 1) for line in f
                     if ':\t' in line)
    return (table['Uid'].split(), table['Gid'].split(),
            table['Groups'].split(), int(table['CapEff'], 16))


def need_root():
    if os.getuid() != 0:
        raise t.Skip('needs root')
    who = pwd.getpwnam('nobody')
    return who, str(who.pw_uid), str(who.pw_gid)


def test_run_as():
    who, uid, gid = need_root()
    d = t.folder()
    os.chmod(d, 0o755)
    port, metrics = [t.free_port(range(600, 1024)) for _ in range(2)]
    s = t.server(t.echo().port, '--run-as', 'nobody', '--pidfile',
                 d + '/pid', '--stats-file', d + '/page',
                 '--metrics', '127.0.0.1:%d' % metrics, '--drain', '0',
                 listen='127.0.0.1:%d' % port)
    w = t.ws.connect(port)
    t.ok(says(w), 'a port below 1024')
    for pid in (s.pid, t.child(s.pid)):
        t.is_(ids(pid), ([uid] * 4, [gid] * 4, [gid], 0),
              'nobody, and no privileges')
    t.is_(t.http(metrics, '/healthz')[0], 200, 'metrics too')
    t.is_(os.stat(d + '/page').st_uid, who.pw_uid, 'the page belongs to it')
    t.is_(os.stat(d + '/pid').st_uid, 0, "the pid file is root's")
    s.send(signal.SIGHUP)
    t.ok(s.has_line('event=reloaded') and says(w), 'HUP')
    t.is_(s.stop(), 0, 'ends well')
    t.is_(open(d + '/pid').read(), '', 'the pid file is left empty')
    s = t.server(t.echo().port, '--run-as', '%s:root' % uid)
    t.is_(ids(s.pid)[:3], ([uid] * 4, ['0'] * 4, ['0']), 'USER:GROUP')
    for words, status, named in (
            (['nosuchuser'], 64, 'no user nosuchuser'),
            (['nobody:nosuchgroup'], 64, 'no group nosuchgroup'),
            ([':x'], 64, 'no user :x')):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                         '--run-as', *words)
        t.is_(r.returncode, status, '%s: %d' % (words[0], status))
        t.like(r.stderr, named, 'named')
    try:
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                         '--run-as', 'root', user=who.pw_uid)
    except PermissionError:
        raise t.Skip('%s cannot be run by other users' % t.INETWS)
    t.is_(r.returncode, 71, 'not from nobody to root: 71')
    t.like(r.stderr, 'only root may', 'and why')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                     '--run-as', 'nobody:1', user=who.pw_uid)
    t.is_(r.returncode, 71, 'nor to a group of which nobody is no member: 71')
    t.like(r.stderr, 'groups: .*only root may', 'and what')


def test_run_as_in_inetd():
    who, uid, gid = need_root()
    a, b = socket.socketpair()
    p = t.inetws('server', '-l', 'fd:%d' % b.fileno(), '--run-as', 'nobody',
                 '127.0.0.1:%d' % t.echo().port, pass_fds=(b.fileno(),))
    b.close()
    a.settimeout(t.BOUND)
    a.sendall(t.ws.request())
    head, rest = t.ws.read_head(a)
    t.ok(says(t.ws.WebSocket(a, True, rest)), 'a single connection')
    t.is_(ids(p.pid)[0], [uid] * 4, 'as nobody')


def test_listeners_options_on_one_connection():
    """inetd's line may have the options of a service that listens."""
    a, b = socket.socketpair()
    pidfile = t.folder() + '/pid'
    port = t.free_port()
    t.inetws('server', '-l', 'fd:%d' % b.fileno(), '--pidfile', pidfile,
             '--metrics', '127.0.0.1:%d' % port,
             '127.0.0.1:%d' % t.echo().port, pass_fds=(b.fileno(),))
    b.close()
    a.settimeout(t.BOUND)
    a.sendall(t.ws.request())
    head, rest = t.ws.read_head(a)
    t.ok(says(t.ws.WebSocket(a, True, rest)), 'a single connection')
    t.ok(not os.path.exists(pidfile), 'it has no --pidfile')
    with socket.socket() as sock:
        t.ok(sock.connect_ex(('127.0.0.1', port)) != 0, 'and no --metrics')


def root_of(pid):
    return os.readlink('/proc/%d/root' % pid)


def test_chroot():
    need_root()
    d = t.folder()
    os.chmod(d, 0o755)
    m = Manager()
    s = t.server(t.echo().port, '--chroot', d, '--run-as', 'nobody',
                 env=m.env)
    w = t.ws.connect(s.port)
    t.ok(says(w), 'a tunnel')
    t.is_([root_of(p) for p in (s.pid, t.child(s.pid))], [d, d], 'in there')
    t.is_(os.readlink('/proc/%d/cwd' % s.pid), d, 'with its working folder')
    t.like(m.until('STATUS=1')[0], '1 active',
           'the manager, who is outside, is told')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                     '--chroot', '/nonexistent', '--run-as', 'nobody')
    t.is_(r.returncode, 71, 'no such folder: 71')
    t.like(r.stderr, '/nonexistent: No such file', 'named')
    for user in 'root', '0:65534':
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                         '--chroot', d, '--run-as', user)
        t.is_(r.returncode, 64, 'root could leave: 64')
        t.like(r.stderr, '^inetws: --chroot: needs another --run-as than root',
               'in words')


def test_chroot_of_client():
    """Authorities are looked up outside and used inside, also by a redial."""
    need_root()
    openssl, = t.need('openssl')
    cert = t.certificate()
    folder, d = t.folder(), t.folder()
    for x in (folder, d):
        os.chmod(x, 0o755)
    shutil.copy(cert.ca, folder + '/ca.pem')
    t.run([openssl, 'rehash', folder])
    n = t.nginx(t.server(t.echo().port).port, cert)
    for words in (['--cacert', cert.ca], ['--capath', folder]):
        p = t.Proxy(n.port)
        c = t.client('wss://127.0.0.1:%d/ssh/' % p.port, '--chroot', d,
                     '--run-as', 'nobody', *words)
        v = t.ws.dial(c.port)
        v.sendall(b'abc')
        t.is_(t.ws.read_exactly(v, 3), b'abc', words[0])
        p.cut('rst')
        v.sendall(b'def')
        t.is_(t.ws.read_exactly(v, 3), b'def', 'and a redial')
        t.is_(c.log.count('certificates'), 0, 'nothing seems changed')


def test_chroot_names():
    """Names are resolved in there, by files that are there."""
    need_root()
    d = t.folder()
    os.chmod(d, 0o755)
    os.mkdir(d + '/etc')
    with open(d + '/etc/hosts', 'w') as f:
        f.write('127.0.0.1 in-there\n')
    echo = t.echo()
    s = t.server('in-there:%d' % echo.port, '--chroot', d, '--run-as',
                 'nobody')
    t.ok(says(t.ws.connect(s.port)), 'a name of its etc/hosts')


t.main()
