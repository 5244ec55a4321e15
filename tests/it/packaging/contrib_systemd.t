#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The units of contrib/systemd: read by systemd-analyze, and run by a systemd
of the test's own in a copy of this machine.

If it fails: the shipped units do not start, or a restart drops tunnels.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import container        # noqa: E402
import manual           # noqa: E402
import re               # noqa: E402
import exchange         # noqa: E402
import tree             # noqa: E402

UNITS = os.path.join(t.ROOT, 'contrib', 'systemd')
EXPOSURE = 1.5
TUNNELS = 50


def units():
    found = sorted(glob.glob(UNITS + '/inetws*'))
    if len(found) != 4:
        raise AssertionError('units: %s' % found)
    return found


def test_verify():
    """systemd finds nothing to complain about."""
    analyze, = t.need('systemd-analyze')
    d = t.folder()
    for path in units():
        with open(path) as f:
            text = f.read()
        with open(os.path.join(d, os.path.basename(path)), 'w') as f:
            f.write(text.replace('/usr/bin/inetws', t.INETWS))
    for path in sorted(os.listdir(d)):
        name = path.replace('@.', '@ssh.')
        r = t.run([analyze, 'verify', '--man=no', '%s/%s' % (d, name)])
        t.is_((r.returncode, r.stdout, r.stderr), (0, b'', b''),
              '%s: verified' % name)


def test_security():
    """They are locked in, both in the same way."""
    analyze, = t.need('systemd-analyze')
    blocks = []
    for path in units():
        if not path.endswith('.service'):
            continue
        r = t.run([analyze, 'security', '--offline=true', '--no-pager', path])
        m = re.search(rb'exposure level for \S+: ([0-9.]+)', r.stdout)
        name = os.path.basename(path)
        t.ok(m and float(m[1]) <= EXPOSURE, '%s: exposure %s' % (
            name, m and m[1].decode()))
        with open(path) as f:
            m = re.search(r'\n(CapabilityBoundingSet.*?)\n(\n|\Z)', f.read(),
                          re.S)
        blocks.append(m[1])
    t.is_(blocks[0], blocks[1], 'the same restrictions in both')


def machine():
    """A container with our units, booted."""
    g = container.Container()
    g.copy(t.INETWS, '/usr/bin/inetws')
    for path in units():
        g.copy(path, '/etc/systemd/system/' + os.path.basename(path))
    g.copy(UNITS + '/sysusers.conf', '/etc/sysusers.d/inetws.conf')
    g.boot()
    t.like(g.must('getent', 'passwd', 'inetws'), 'nologin',
           'sysusers made a user')
    return g


def start(g, name, target, *lines):
    """inetws@NAME, on a port of its own."""
    g.put('/etc/inetws/%s.conf' % name, '\n'.join(
        ('mode server', 'target %s' % target) + lines) + '\n')
    g.must('systemctl', 'start', 'inetws@' + name)


def main_pid(g, unit):
    """As we see it: a process of the container has its own number in there."""
    pid = int(g.must('systemctl', 'show', '-P', 'MainPID', unit))
    for p in t.family():
        try:
            with open('/proc/%d/status' % p) as f:
                m = re.search(r'^NSpid:\s+\d+\s+(\d+)$', f.read(), re.M)
        except OSError:
            continue
        if m and int(m[1]) == pid:
            return p
    raise AssertionError('no process %d in the container' % pid)


def status_of(pid):
    with open('/proc/%d/status' % pid) as f:
        return dict(line.rstrip('\n').split(':\t', 1) for line in f
                    if ':\t' in line)


def says(w, word):
    w.send(word)
    return w.take_data(len(word)) == word


def test_instance():
    """Start, exchange bytes, look, reload, stop, kill."""
    g = machine()
    with g.net():
        echo = t.echo()
        start(g, 'a', '127.0.0.1:%d' % echo.port, 'listen 127.0.0.1:8080')
        w = t.ws.connect(8080)
        t.ok(says(w, b'hello'), 'a tunnel through inetws@a')
        other = t.ws.connect(8080)
        lost = t.ws.ask(8080, t.ws.request(headers=[(
            'Sec-WebSocket-Extensions', 'inetws; v=2; id=a1; '
            'resume="0123456789abcdef0123456789abcdef"; n=1; at=0')]))
    t.is_((lost.status, len(lost.headers.get('inetws-instance', ''))),
          (410, 16), 'a session that it does not know is lost for good')
    unit = 'inetws@a'
    pid = main_pid(g, unit)
    t.ok(t.until(lambda: status_text(g).startswith('2 active')),
         'it has a status: ' + status_text(g))
    status = status_of(pid)
    t.is_((status['CapBnd'], status['NoNewPrivs'], status['Uid'].split()[0]
           != '0'), ('0' * 16, '1', True), 'no rights are left')
    kids = t.until(lambda: len(c := t.children(pid, False)) == 2 and c) or \
        t.children(pid, False)
    t.is_(len(kids), 2, 'a process for each tunnel')
    if not t.SANITIZED:
        t.ok(t.until(lambda: int(status_of(kids[0]).get(
            'Seccomp_filters', 1)) > int(status.get('Seccomp_filters', 0))),
             'a tunnel has given up more than the unit did')
    t.like(g.must('inetws', 'status'), r'127\.0\.0\.1:%d' % echo.port,
           'inetws status sees them')
    t.like(g.must('inetws', 'status'), r'huge text: (\d+ MiB|no \(the kernel)'
           if t.is_static() else r'huge text: no \((the build is not static|the system)',
           'and what a static program has in huge pages')
    g.must('systemctl', 'reload', unit)
    t.is_(main_pid(g, unit), pid, 'a reload keeps the process')
    t.ok(says(w, b'still'), 'and the tunnel')
    g.must('systemctl', 'stop', unit)
    t.ok(says(w, b'more'), 'stopped: the tunnel lives on')
    with g.net():
        try:
            t.ws.dial(8080)
            t.ok(False, 'no listener any more')
        except ConnectionRefusedError:
            t.ok(True, 'no listener any more')
    other.close(1000)
    t.is_(other.take_close(answer=False), 1000, 'one that ends does so well')
    t.ok(t.until(lambda: 'event=closed' in g.journal(unit)),
         'and the journal has it')
    g.must('systemctl', 'kill', unit)
    t.is_(w.take_close(), 1001, 'kill ends the rest')
    t.ok(t.until(lambda: not [p for p in kids if os.path.exists(
        '/proc/%d' % p)]), 'nothing is left')
    t.unlike(g.journal(unit), 'sandbox|child-killed|level=error',
             'nothing was refused')


def two_sites(g):
    """The services of headquarters, from the command lines of the manual."""
    names = []
    for line in manual.lines('# systemctl enable --now inetws@git')[0].split():
        if line.startswith('inetws@'):
            names.append(line[7:])
    for i, name in enumerate(names):
        g.put('/etc/inetws/%s.conf' % name, t.run_inetws(*manual.words(
            'hq# inetws server', number=i), '--dump-config').stdout)
    g.must(*manual.lines('# systemctl enable --now inetws@git')[0].split())
    t.is_([g.run('systemctl', 'is-active', 'inetws@' + n).stdout for n in
           names], ['active\n'] * 4, 'the services of two sites')
    g.must(*manual.lines('# systemctl disable --now inetws@git')[0].split())
    t.is_([g.run('systemctl', 'is-active', 'inetws@' + n).stdout for n in
           names], ['inactive\n'] * 4, 'and their end')


def test_made_install():
    """As README.md there says, behind "make install"."""
    g = container.Container()
    g.boot()
    os.umask(0o022)
    tree.make('install', 'DESTDIR=' + g.at(''))
    g.must('systemd-sysusers')
    g.must('systemctl', 'daemon-reload')
    with g.net():
        echo = t.echo()
        g.put('/etc/inetws/ssh.conf', 'mode server\nlisten 127.0.0.1:8080\n'
              'target 127.0.0.1:%d\n' % echo.port)
        for line in manual.lines('# systemctl enable --now inetws@ssh\n'
                                 '# systemctl reload')[:-1]:
            g.must(*line.split())
            w = t.ws.connect(8080)
            t.ok(says(w, b'hello'), 'make install, and it runs: ' + line)
            w.bye()
    for line in manual.lines('# systemctl disable --now inetws@ssh'):
        g.must(*line.split())
    two_sites(g)
    for line in manual.lines('# install -d -o inetws'):
        g.must(*line.split())
    t.is_(g.must('stat', '-c', '%U %G %a', '/run/inetws/tokens'),
          'inetws www-data 2750\n', 'the folder for tokens')
    tree.make('uninstall', 'DESTDIR=' + g.at(''))
    t.is_(g.run('find', '/usr/local', '-name', '*inetws*').stdout, '',
          'make uninstall')


def test_wrong_file():
    """Told once, and not tried again and again."""
    g = machine()
    g.put('/etc/inetws/a.conf', 'mode server\nnonsense 1\n')
    r = g.run('systemctl', 'start', 'inetws@a')
    t.ok(r.returncode != 0, 'does not start')
    t.ok(t.until(lambda: re.search(r'a\.conf:2.*nonsense',
                                   g.journal('inetws@a'))), 'and says why')
    if t.SANITIZED:
        t.skip('a sanitizer that cannot trace ends with a status of its own')
        return
    t.is_(g.must('systemctl', 'show', '-P', 'ActiveState', 'inetws@a'),
          'failed\n', 'it is not tried again')


def status_text(g, unit='inetws@a'):
    return g.must('systemctl', 'show', '-P', 'StatusText', unit).strip()


def test_upgrade():
    """Restarted as a new program: no tunnel is dropped, lost websockets come
    back to the tunnels of the old one, new ones are the new program's."""
    g = machine()
    with g.net():
        echo = t.echo()
        start(g, 'a', '127.0.0.1:%d' % echo.port, 'listen 127.0.0.1:8080')
        tunnels = [t.ws.connect(8080) for _ in range(TUNNELS)]
        proxy = t.Proxy(8080)
        c = t.connect('ws://127.0.0.1:%d/' % proxy.port)
    c.stdin.write(b'before\n')
    c.stdin.flush()
    t.is_(c.stdout.readline(), b'before\n', 'inetws connect, too')
    old = main_pid(g, 'inetws@a')
    for w in tunnels:
        w.send(b'a' * 1000)
    g.copy(t.INETWS, '/usr/bin/inetws.new')
    g.must('mv', '/usr/bin/inetws.new', '/usr/bin/inetws')
    g.must('systemctl', 'restart', 'inetws@a')
    new = main_pid(g, 'inetws@a')
    for w in tunnels:
        w.send(b'b' * 1000)
    t.is_(sum(w.take_data(2000) == b'a' * 1000 + b'b' * 1000
              for w in tunnels), TUNNELS, 'all %d tunnels live on' % TUNNELS)
    t.ok(new != old and not os.path.exists('/proc/%d' % old),
         'the old process is gone')
    t.ok(t.until(lambda: status_text(g).startswith('%d active' %
                                                   (TUNNELS + 1))),
         'the new one knows of them: %s' % status_text(g))
    with g.net():
        w = t.ws.connect(8080)
    t.ok(says(w, b'new'), 'a new tunnel')
    t.is_(os.stat('/proc/%d/exe' % t.child(new)).st_ino,
          os.stat(g.at('/usr/bin/inetws')).st_ino,
          'is one of the new program')
    proxy.cut('rst')
    c.stdin.write(b'behind\n')
    c.stdin.flush()
    t.is_(c.stdout.readline(), b'behind\n',
          'a lost websocket is handed to the old tunnel by the new program')
    t.ok(proxy.accepted > 1, 'by a second connection')


def test_socket_unit():
    """systemd holds the listener: for the group, and through restarts."""
    g = machine()
    with g.net():
        echo = t.echo()
        g.put('/etc/inetws/a.conf', 'mode server\ntarget 127.0.0.1:%d\n' %
              echo.port)
        g.must('systemctl', 'start', 'inetws@a.socket')
        path = g.at('/run/inetws/a.sock')
        w = t.ws.connect(path)
        t.ok(says(w, b'hello'), 'the first connection starts it')
        st = os.stat(path)
        gid = int(g.must('getent', 'group', 'inetws').split(':')[2])
        t.is_((st.st_mode & 0o777, st.st_gid), (0o660, gid),
              'its socket is for the group')
        g.must('systemctl', 'restart', 'inetws@a')
        t.ok(says(w, b'again'), 'restarted: the tunnel lives on')
        t.ok(says(t.ws.connect(path), b'x'), 'and the socket is the same')
        g.must('mkdir', '-p', '/etc/systemd/system/inetws@b.socket.d')
        g.put('/etc/systemd/system/inetws@b.socket.d/override.conf',
              '[Socket]\nListenStream=\nListenStream=127.0.0.1:8081\n')
        g.put('/etc/inetws/b.conf', 'mode server\ntarget 127.0.0.1:%d\n' %
              echo.port)
        g.must('systemctl', 'daemon-reload')
        line, = manual.lines('# systemctl start inetws@NAME',
                             page='inetws-troubleshooting.7')
        g.must(*line.replace('NAME', 'b').split())
        t.ok(says(t.ws.connect(8081), b'x'), 'an address by a drop-in')
        t.is_(len(g.must('sh', '-c', 'ls /run/inetws/*.stats').split()), 2,
              'pages of statistics: a, taken over when restarted, and b')


def test_client():
    """The other side, which looks names and certificates up."""
    g = machine()
    with g.net():
        s = t.server(t.echo().port)
        g.site(t.location(s.port), 'example.org')
        g.put('/etc/inetws/c.conf', 'mode client\nlisten 127.0.0.1:2222\n'
              'url wss://example.org/ssh/\n')
        g.must('systemctl', 'start', 'inetws@c')
        k = exchange.Exchange(t.ws.dial(2222), b'hello', keep=True)
        if not t.ok(t.until(lambda: k.got == b'hello'), 'a client'):
            t.diag(g.journal('inetws@c'))
        g.must('systemctl', 'restart', 'inetws@c')
        k.sock.sendall(b' again')
        t.ok(t.until(lambda: k.got == b'hello again'),
             'restarted: its tunnel lives on')
        g.must('systemctl', 'kill', 'inetws@c')
        t.ok(k.join() in ('eof', 'reset'), 'and ends when it is told to')


def test_each():
    """Accept=yes."""
    g = machine()
    with g.net():
        echo = t.echo()
        g.put('/etc/inetws/each.conf', 'mode server\ntarget 127.0.0.1:%d\n' %
              echo.port)
        g.must('systemctl', 'start', 'inetws-each.socket')
        path = g.at('/run/inetws/each.sock')
        a, b = t.ws.connect(path), t.ws.connect(path)
        t.ok(says(a, b'hello') and says(b, b'hello'), 'two tunnels')
        t.like(g.must('systemctl', 'list-units', '--no-pager', '--plain'),
               r'(?s)inetws-each@\S+ .*inetws-each@\S+ ',
               'are two services')
        t.is_(g.must('inetws', 'status').count(str(echo.port)) >= 2, True,
              'inetws status sees both')
        a.close(1000)
        t.is_(a.take_close(answer=False), 1000, 'a clean end')
        bad = t.ws.dial(path)
        bad.sendall(b'nonsense\r\n\r\n')
        t.like(t.ws.read_all(bad)[0], 'HTTP/1.1 400', 'and a bad one')
    t.ok(t.until(lambda: g.must(
        'systemctl', 'list-units', '--no-pager', '--plain', '--all').count(
            'inetws-each@') == 1), 'ended ones leave no unit behind')
    t.is_(g.must('systemctl', '--failed', '--no-legend', '--plain'), '',
          'nothing has failed')


t.main()
