#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The files of contrib for inetd, xinetd, tcpserver, runit, OpenRC and ssh,
unchanged, in a copy of this machine where their ports, users and names are
free.

If it fails: the shipped examples for these launchers do not work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import container        # noqa: E402
import launchers        # noqa: E402
import exchange         # noqa: E402

DATA = exchange.noise(1 << 20)
CONF = 'mode server\nlisten 127.0.0.1:8080\ntarget 127.0.0.1:22\n'


def machine(*packages):
    """A container with these packages; an echo at port 22 of it."""
    g = container.Container()
    for p in packages:
        g.install(p)
    g.copy(t.INETWS, '/usr/bin/inetws')
    with g.net():
        t.echo(port=22)
    g.syslog = launchers.Syslog(g.at('/dev'))
    return g


def place(g, name, path):
    g.put(path, t.contrib(name), os.stat(os.path.join(
        t.ROOT, 'contrib', name)).st_mode & 0o777)


def service(g, name, conf=CONF):
    """A user, a file and a folder for an instance."""
    g.must('useradd', '--system', 'inetws')
    g.put('/etc/inetws/%s.conf' % name, conf)
    g.must('install', '-d', '-o', 'inetws', '/var/log/inetws', '/run/inetws')


def reached(g, port):
    """Is there a listener at this port in there?"""
    try:
        with g.net():
            t.ws.dial(port).close()
        return True
    except ConnectionRefusedError:
        return False


def listens(g, port):
    return t.until(lambda: reached(g, port))


def check_server(g, what, port, logged=None):
    """Megabytes and a plain peer through the server at a port."""
    if not t.ok(listens(g, port), '%s listens' % what):
        return None
    with g.net():
        r = t.run([t.INETWS, 'connect', 'ws://127.0.0.1:%d/' % port],
                  input=DATA, timeout=60 * t.SCALE)
        t.is_((r.returncode, r.stdout == DATA), (0, True),
              '%s: a megabyte both ways' % what)
        w = t.ws.connect(port)
    w.send(b'hello')
    t.is_(w.take_data(5), b'hello', '%s: a plain peer' % what)
    peer = 'peer=127.0.0.1:%d ' % w.sock.getsockname()[1]
    w.close(1000)
    t.is_((w.take_close(answer=False), w.take_end()), (1000, 'eof'),
          'and no stray byte')
    t.ok((logged or g.syslog.has)(peer), '%s: logged' % what)


def users(program):
    """Whose the processes of inetws below a program are."""
    found = set()
    for pid in t.family(program.pid):
        try:
            if os.readlink('/proc/%d/exe' % pid).endswith('/bin/inetws'):
                found.add(os.stat('/proc/%d' % pid).st_uid)
        except OSError:
            pass                # it has just ended
    return found


def inetd(package, *command):
    g = machine(package, 'libevent-2.1-7', 'libwrap0')
    place(g, 'inetd/inetd.conf', '/etc/inetd.conf')
    p = g.program_in(*command, '/etc/inetd.conf')
    check_server(g, package + ' nowait', 8080)
    check_server(g, package + ' wait', 8081)
    t.is_(users(p), {65534}, 'as nobody')
    as_client(g, 2222)


def test_openbsd_inetd():
    inetd('openbsd-inetd', 'inetd', '-i')


def test_inetutils_inetd():
    inetd('inetutils-inetd', 'inetutils-inetd', '-d', '-p/run/pid')


def as_client(g, port):
    """The line of a client, to a site of nginx with the name in it."""
    with g.net():
        s = t.server(22)
        g.site(t.location(s.port), 'example.org')
        k = exchange.Exchange(t.ws.dial(port), DATA)
    t.is_((k.join(), bytes(k.got) == DATA), ('eof', True),
          'a client, to wss://example.org/ssh/')


def test_xinetd():
    g = machine('xinetd', 'libtirpc3', 'libwrap0')
    place(g, 'xinetd/inetws', '/etc/xinetd.d/inetws')
    g.put('/etc/xinetd.conf', 'includedir /etc/xinetd.d\n')
    g.must('sh', '-c', 'cd /etc/xinetd.d && ls | grep -vx inetws | '
           'xargs -r rm')
    g.program_in('xinetd', '-dontfork', '-f', '/etc/xinetd.conf')
    check_server(g, 'xinetd', 8080)


def test_tcpserver():
    g = machine('ucspi-tcp')
    place(g, 'tcpserver/run', '/etc/run')
    out = g.at('/out')
    with open(out, 'wb') as f:
        g.program_in('/etc/run', stdout=f)

    def logged(word):
        def there():
            with open(out) as f:
                return word in f.read()
        return t.until(there)
    check_server(g, 'tcpserver', 8080, logged)


def test_runit():
    g = machine('runit')
    service(g, 'ssh')
    place(g, 'runit/run', '/etc/sv/inetws/run')
    place(g, 'runit/log/run', '/etc/sv/inetws/log/run')
    g.program_in('runsv', '/etc/sv/inetws')

    def logged(word):
        def there():
            try:
                with open(g.at('/var/log/inetws/current')) as f:
                    return word in f.read()
            except OSError:
                return False
        return t.until(there)
    check_server(g, 'runit', 8080, logged)
    survives(g, lambda how: g.must('sv', '-w', '60', how, '/etc/sv/inetws'))


def survives(g, control):
    """A tunnel does, whatever happens to the service."""
    with g.net():
        w = t.ws.connect(8080)
    for how in ('reload', 'restart', 'stop'):
        control(how)
        w.send(how.encode())
        t.is_(w.take_data(len(how)).decode(), how,
              '%s: the tunnel lives on' % how)
        if how != 'stop':
            t.ok(listens(g, 8080), 'and a new one could begin')
    t.ok(t.until(lambda: not reached(g, 8080)), 'stopped: no listener')


def test_openrc():
    g = machine('openrc', 'librc1', 'libeinfo1')
    service(g, 'ssh')
    place(g, 'openrc/inetws', '/etc/init.d/inetws')
    g.must('ln', '-s', 'inetws', '/etc/init.d/inetws.ssh')
    g.put('/run/openrc/softlevel', 'default')   # as if it had booted
    for state in ('daemons', 'exclusive', 'failed', 'inactive', 'options',
                  'started', 'starting', 'stopping', 'tmp'):
        g.must('mkdir', '/run/openrc/' + state)

    def control(how):
        # Its "restart" without having booted forgets that it has started.
        for word in ['stop', 'start'] if how == 'restart' else [how]:
            g.must('/etc/init.d/inetws.ssh', '--nodeps', word)
    r = g.run('/etc/init.d/inetws', '--nodeps', 'start')
    t.ok(r.returncode != 0, 'not without a name')
    t.like(r.stdout + r.stderr, 'inetws.NAME', 'which is told')
    control('start')
    check_server(g, 'openrc', 8080)
    survives(g, control)


def test_ssh():
    t.need('ssh', 'sshd')
    g = machine()
    with g.net():
        d = t.sshd()
        s = t.server(d.port)
    g.site(t.location(s.port) + t.location(s.port, '/laptop/') +
           t.location(s.port, '= /'), 'example.org', 'git.ws.example.org')
    place(g, 'ssh/config', '/root/.ssh/config')
    g.put('/usr/local/bin/nc', '#!/bin/sh\nexit 1\n', 0o755)
    for name in ('id', 'known'):
        with open(os.path.join(d.folder, name)) as f:
            g.put('/root/.ssh/' + name, f.read(), 0o600)
    for host in ('host', 'git.ws', 'laptop'):
        r = g.run('ssh', '-i', '/root/.ssh/id', '-o', 'HostKeyAlias=there',
                  '-o', 'UserKnownHostsFile=/root/.ssh/known', '-l', d.user,
                  '-o', 'BatchMode=yes', host, 'echo hello')
        t.is_((r.returncode, r.stdout), (0, 'hello\n'), 'ssh ' + host)
        if r.returncode:
            t.diag(r.stderr)
    t.like(g.must('ssh', '-G', 'inside'), '(?m)^proxyjump host$',
           'ssh inside: by way of it')


t.main()
