#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The Debian package: lintian finds nothing, and in a copy of this machine it
is installed, runs, is upgraded without a dropped tunnel, removed and purged.
INETWS_LONG: upgraded from earlier ones, too.

If it fails: an upgrade breaks the service or drops its tunnels.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import container        # noqa: E402
import earlier          # noqa: E402
import exchange         # noqa: E402
import re               # noqa: E402

if t.SANITIZED:
    t.skip_all('the package is built without sanitizers')


def build():
    make = t.need('make', 'dpkg-buildpackage', 'dh', 'perl')[0]
    d = t.folder()
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('MAKE', 'INETWS', 'PERL'))}
    # The unit tests have their own place.
    env.update(DEB_BUILD_OPTIONS='nocheck parallel=2', LC_ALL='C.UTF-8')
    r = t.run([make, '-C', t.ROOT, 'deb', 'B=' + d], env=env,
              timeout=580 * t.SCALE)
    found = glob.glob(d + '/deb/*.deb')
    if r.returncode or len(found) != 1:
        raise AssertionError('make deb: %d\n%s' % (
            r.returncode, (r.stdout + r.stderr).decode()[-3000:]))
    return found[0]


@t.limit(600)
def test_package():
    path = build()
    for case in (clean, life):
        try:
            case(path)
        except t.Skip as e:
            t.skip(str(e))


def clean(path):
    lintian, = t.need('lintian')
    root = ['--allow-root'] if os.getuid() == 0 else []
    r = t.run([lintian] + root + ['-EI', '--pedantic', '--suppress-tags',
                                  'newer-standards-version', '--fail-on',
                                  'error,warning,info,pedantic', path] +
              glob.glob(os.path.dirname(path) + '/*.dsc'),
              timeout=120 * t.SCALE)
    t.is_((r.returncode, r.stdout.decode()), (0, ''), 'lintian is content')
    r = t.run(['dpkg-deb', '-f', path, 'Depends'])
    t.like(r.stdout, r'\blibssl3(t64)?\b', 'what is loaded later comes along')


def newer(path):
    """The same package with a higher version and another unit."""
    d = t.folder()
    t.run(['dpkg-deb', '-R', path, d + '/x'])
    with open(d + '/x/DEBIAN/control') as f:
        text = f.read()
    with open(d + '/x/DEBIAN/control', 'w') as f:
        f.write(re.sub(r'(?m)^(Version: .*)$', r'\1+new', text))
    unit = glob.glob(d + '/x/**/inetws@.service', recursive=True)[0]
    with open(unit) as f:
        text = f.read()
    with open(unit, 'w') as f:
        f.write(text.replace('RestartSec=1\n', 'RestartSec=7\n'))
    r = t.run(['dpkg-deb', '--root-owner-group', '-b', d + '/x',
               d + '/new.deb'])
    if r.returncode:
        raise AssertionError(r.stderr.decode())
    return d + '/new.deb'


def of_ours(g):
    """What there is with our name in it; not what dpkg remembers us by."""
    found = g.must('find', '/etc', '/usr', '/lib', '/opt', '/var', '/run',
                   '-xdev', '-path', '/var/lib/dpkg', '-prune', '-o',
                   '-path', '/usr/src', '-prune', '-o',
                   '-name', '*inetws*', '-print')
    return sorted(found.split())


def life(path):
    g = container.Container()
    g.boot()
    # Or man-db would read all manuals each time.
    g.must('rm', '-f', '/var/lib/man-db/auto-update')
    before = of_ours(g)
    g.copy(path, '/root/a.deb')
    g.copy(newer(path), '/root/b.deb')
    r = g.run('dpkg', '-i', '/root/a.deb')
    if r.returncode and 'depend' in r.stderr:
        raise t.Skip('what it depends on is not installed: ' + r.stderr)
    t.is_(r.returncode, 0, 'it installs')
    t.like(g.must('getent', 'passwd', 'inetws'), 'nologin', 'with a user')
    t.like(g.must('/usr/bin/inetws', '--version'), r'\Ainetws \d', 'runs')
    t.is_(g.must('dpkg', '-V', 'inetws'), '', 'is whole')
    t.is_(g.must('systemctl', 'list-units', '--plain', '--no-legend',
                 'inetws*'), '', 'and starts nothing unasked')
    # What autopkgtest runs, which does not give the test a systemd here.
    g.copy(os.path.join(t.ROOT, 'contrib/debian/tests/instance'),
           '/root/instance')
    r = g.run('sh', '/root/instance')
    t.is_(r.returncode, 0, 'an instance starts, reloads and stops')
    if r.returncode:
        t.diag(r.stdout + r.stderr + g.journal('inetws@autopkgtest'))
    with g.net():
        echo = t.echo()
        g.put('/etc/inetws/a.conf', 'mode server\nlisten 127.0.0.1:8080\n'
              'target 127.0.0.1:%d\n' % echo.port)
        g.must('systemctl', 'enable', '--now', 'inetws@a')
        w = t.ws.connect(8080)
        w.send(b'one')
        t.is_(w.take_data(3), b'one', 'an instance')
        pid = g.must('systemctl', 'show', '-P', 'MainPID', 'inetws@a')
        g.must('dpkg', '-i', '/root/b.deb')
        t.ok(g.must('systemctl', 'show', '-P', 'MainPID', 'inetws@a') != pid,
             'upgraded: a new process')
        t.is_(g.must('systemctl', 'show', '-P', 'RestartUSec', 'inetws@a'),
              '7s\n', 'by the new unit')
        w.send(b'two')
        t.is_(w.take_data(3), b'two', 'no tunnel was dropped')
        v = t.ws.connect(8080)
        v.send(b'three')
        t.is_(v.take_data(5), b'three', 'and a new one begins')
        g.must('dpkg', '-r', 'inetws')
        try:
            t.ws.dial(8080)
            t.ok(False, 'removed: no listener')
        except ConnectionRefusedError:
            t.ok(True, 'removed: no listener')
    w.send(b'four')
    t.is_(w.take_data(4), b'four', 'whoever removed it may say goodbye')
    t.ok(os.path.exists(g.at('/etc/inetws/a.conf')), 'configuration stays')
    for sock in (v, w):
        sock.close(1000)
        sock.take_close(answer=False)
    g.must('systemctl', 'disable', 'inetws@a.service')
    g.must('rm', '/etc/inetws/a.conf')
    g.must('dpkg', '-P', 'inetws')
    t.is_([p for p in of_ours(g) if p not in before], [],
          'purged: nothing is left')
    t.is_(g.run('dpkg', '-s', 'inetws').returncode, 1, 'dpkg knows it no more')


DATA = exchange.noise(2 << 20)
CONF = {'a': 'mode server\nlisten 127.0.0.1:8080\ntarget 127.0.0.1:%d\n',
        'b': 'mode client\nlisten 127.0.0.1:8081\n'
             'url ws://127.0.0.1:%d/\n',
        'each': 'mode server\ntarget 127.0.0.1:%d\n'}


def echoes(sock, data):
    sock.sendall(data)
    return t.ws.read_exactly(sock, len(data)) == data


def by_each(g):
    """A connection of inetws-each.socket, by its service, which ends."""
    w = t.ws.connect(g.at('/run/inetws/each.sock'))
    w.send(b'hello')
    is_good = w.take_data(5) == b'hello'
    w.close(1000)
    return w.take_close(answer=False) == 1000 and is_good and t.until(
        lambda: 'inetws-each@' not in g.must('systemctl', 'list-units'))


def from_earlier(commit, path):
    """Its tunnels go on, also with another websocket; its unit, statistics and
    files are those of the new package."""
    g = container.Container()
    g.boot()
    g.must('rm', '-f', '/var/lib/man-db/auto-update')
    before = of_ours(g)
    g.copy(earlier.package(commit), '/root/a.deb')
    g.copy(path, '/root/b.deb')
    g.must('dpkg', '-i', '/root/a.deb')
    with g.net():
        echo = t.echo()
        cut = t.Proxy(8080)
        for name, port in (('a', echo.port), ('b', cut.port),
                           ('each', echo.port)):
            g.put('/etc/inetws/%s.conf' % name, CONF[name] % port)
        g.must('systemctl', 'enable', '--now', 'inetws@a', 'inetws@b',
               'inetws-each.socket')
        kept, w = t.ws.dial(8081), t.ws.connect(8080)
        t.ok(echoes(kept, b'one'), commit + ': a session')
        w.send(b'one')
        t.is_(w.take_data(3), b'one', 'a plain peer')
        t.ok(by_each(g), 'and one of inetws-each')
        g.must('dpkg', '-i', '/root/b.deb')
        t.is_(g.must('systemctl', 'is-active', 'inetws@a', 'inetws@b',
                     'inetws-each.socket'), 'active\n' * 3,
              'upgraded: all are there')
        t.like(g.must('systemctl', 'cat', 'inetws@a'), 'AF_NETLINK',
               'by the new unit')
        t.like(g.must('inetws', 'status'),
               r'(?s)(?=.*inetws server ).*inetws client ', 'status has both')
        e = exchange.Exchange(kept, DATA)
        for part in (1, 2):
            t.until(lambda: len(e.got) >= part << 19 or e.how)
            cut.cut()
        t.is_((e.join(), e.got == DATA), ('eof', True),
              'the session goes on, twice, and all comes back')
        w.send(b'two')
        t.is_(w.take_data(3), b'two', 'so does the other one')
        t.ok(echoes(t.ws.dial(8081), b'new'), 'and new ones begin')
        t.ok(by_each(g), 'at inetws-each, too')
        w.close(1000)
        w.take_close(answer=False)
    g.must('dpkg', '-r', 'inetws')
    for name in CONF:
        g.must('rm', '/etc/inetws/%s.conf' % name)
    g.must('systemctl', 'disable', 'inetws@a.service', 'inetws@b.service')
    g.must('systemctl', 'kill', '--kill-who=all', 'inetws@b.service')
    g.must('dpkg', '-P', 'inetws')
    t.is_([p for p in of_ours(g) if p not in before], [],
          'purged: nothing is left')


@t.limit(900)
def test_earlier_packages():
    if not t.LONG:
        raise t.Skip('takes minutes (make check-long)')
    path = build()
    for commit in earlier.COMMITS[0], earlier.COMMITS[-1]:
        from_earlier(commit, path)


t.main()
