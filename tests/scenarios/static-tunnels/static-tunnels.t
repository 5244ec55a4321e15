#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, what systemd would start, started here as its unit
says; and all of it under a systemd of the test's own where there can be one.

If it fails: the page static-tunnels/README.md does not work as it is written.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import container                        # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402
from exchange import Exchange, noise            # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT = os.path.join(t.ROOT, 'contrib', 'systemd', 'inetws@.service')
FILES = ('db-client.conf', 'backup-agent.conf', 'db-server.conf',
         'backup-gate.conf', 'may-tunnel')
PORTS = (39001, 39002, 5432, 8730)


def shell(s, host):
    """The commands of the page that are typed on this host."""
    return re.findall(r'(?m)^    %s# (.*)$' % host, s.text('README.md'))


def instances(s, host):
    line, = [c for c in shell(s, host) if c.startswith('systemctl enable')]
    return [w.partition('@')[2] for w in line.split() if '@' in w]


class World:
    """a and b, with a network between them: .net."""

    def __init__(self, **pings):
        t.need('nginx')
        self.d = t.folder()
        self.cert = t.certificate()
        self.port = {p: t.free_port() for p in PORTS}
        https = t.free_port()
        self.net = t.Proxy(https)
        self.db, self.rsync = t.echo(), t.source(b'rsync of b')
        self.s = Scenario(__file__, {
            '127.0.0.1:%d' % p: '127.0.0.1:%d' % to
            for p, to in self.port.items()})
        self.s.replace.update({
            '127.0.0.1:5433': '127.0.0.1:%d' % self.db.port,
            '127.0.0.1:873': '127.0.0.1:%d' % self.rsync.port,
            'listen 443': 'listen 127.0.0.1:%d' % https,
            'server_name a.example.org': 'server_name localhost',
            'wss://a.example.org': 'wss://localhost:%d' % self.net.port,
            '/etc/ssl/a.pem': self.cert.cert,
            '/etc/ssl/a.key': self.cert.key,
            '/etc/inetws': self.d})
        if pings:
            self.s.replace.update({
                'ping-interval 10s': 'ping-interval %(interval)s' % pings,
                'ping-timeout  25s': 'ping-timeout %(timeout)s' % pings})
        for name in FILES:
            with open(os.path.join(self.d, name), 'w') as f:
                f.write(self.s.text(name))
        os.chmod(self.d + '/may-tunnel', 0o755)
        self.secret()
        self.s.site('nginx.conf')
        self.server, self.gate = [self.start(n, 'listening on ')
                                  for n in instances(self.s, 'a')]
        self.client, self.agent = [
            self.start(n, 'listening on |event=parked', '--cacert',
                       self.cert.ca) for n in instances(self.s, 'b')]

    def secret(self):
        """As the page makes it, with its line on the other side."""
        made = t.run(['sh', '-euc', '\n'.join(
            c for c in shell(self.s, 'b')
            if not c.startswith(('install', 'systemctl')))])
        t.like(made.stdout.decode(), r'^b [0-9a-f]{64} /tunnel/db /tunnel/'
               r'backup\n$', 'the line for the other side')
        with open(self.d + '/tunnels', 'w') as f:
            f.write('# NAME SHA256 PATH ...\n'
                    'c %064d /tunnel/db\n' % 0 + made.stdout.decode())

    def start(self, name, ready, *more):
        """An instance, as the unit starts it."""
        argv = self.s.exec_start('inetws@.service', i=name)
        t.is_(argv.pop(0), '/usr/bin/inetws', name + ' is an instance')
        p = t.inetws(*argv, *more)
        p.wait_line(ready)
        return p

    def normal(self, data=b'hello'):
        exchange = Exchange(r.visit(self.port[5432]), data)
        return exchange.join() == 'eof' and exchange.got == data

    def reverse(self):
        exchange = Exchange(r.visit(self.port[8730]))
        return exchange.join() == 'eof' and exchange.got == b'rsync of b'


def test_tunnels():
    w = World()
    t.ok(w.normal(noise(1 << 20)), 'the normal tunnel')
    t.ok(w.reverse(), 'the reverse one')
    for p in (w.server, w.gate):
        t.like(p.wait_line('event=closed .*')[0], 'user=b( |$)',
               'the program has told who it is')
    with open(w.d + '/secret') as f:
        good = f.read().strip()

    def status(path, *words):
        return t.run_inetws('check', '--cacert', w.cert.ca, *words,
                            'wss://localhost:%d%s' % (w.net.port, path)
                            ).returncode
    t.is_(status('/tunnel/db', '-H', good), 0, 'with the secret')
    for why, words in (('no secret', ()),
                       ('a wrong one', ('-H', good + 'x')),
                       ('an empty one', ('-H', 'Authorization: Bearer ')),
                       ('a password', ('-u', 'b:b'))):
        t.is_(status('/tunnel/db', *words), 77, why + ': refused')
    with open(w.d + '/tunnels') as f:
        line = f.read()
    with open(w.d + '/tunnels', 'w') as f:
        f.write(line.replace(' /tunnel/db ', ' '))
    t.is_(status('/tunnel/db', '-H', good), 77, 'not for this tunnel: refused')
    t.ok(w.reverse(), 'but for the other')
    os.unlink(w.d + '/tunnels')
    t.is_(status('/tunnel/db', '-H', good), 69,
          'a program that cannot tell: a failure')
    t.ok(good.split()[-1] not in w.server.log + w.gate.log + w.agent.log,
         'no secret in a log')


def test_dead_peer():
    """The network is gone without a word, and comes back."""
    w = World(interval='200ms', timeout='2s')
    r.parked(w.gate, 2)
    old = set(t.children(w.gate.pid) + t.children(w.agent.pid))
    user = r.visit(w.port[5432])
    user.sendall(b'before')
    t.is_(t.ws.read_exactly(user, 6), b'before', 'a tunnel in use')
    w.net.blackhole()
    t.ok(t.until(lambda: not old & set(t.children(w.gate.pid) +
                                       t.children(w.agent.pid))),
         'both sides notice that the waiting websockets are dead')
    visitor = Exchange(r.visit(w.port[8730]))
    user.sendall(b'during')
    w.net.blackhole(False)
    w.net.cut()
    t.is_((visitor.join(), bytes(visitor.got)), ('eof', b'rsync of b'),
          'who comes meanwhile is served when it is back')
    t.is_(t.ws.read_exactly(user, 6), b'during', 'the tunnel has gone on')
    t.ok(w.normal() and w.reverse(), 'and new ones are made')


def test_verify():
    """systemd finds nothing to complain about."""
    analyze, = t.need('systemd-analyze')
    s, d = Scenario(__file__), t.folder()
    with open(UNIT) as f:
        text = f.read().replace('/usr/bin/inetws', t.INETWS)
    with open(d + '/inetws@.service', 'w') as f:
        f.write(text)
    for name in instances(s, 'a') + instances(s, 'b'):
        out = t.run([analyze, 'verify', '--man=no',
                     '%s/inetws@%s.service' % (d, name)])
        t.is_((out.returncode, out.stdout, out.stderr), (0, b'', b''),
              'inetws@%s' % name)


def test_kept_up():
    """Both servers in one machine, by the page's own commands."""
    t.need('nginx', 'openssl')
    s = Scenario(__file__)
    g = container.Container()
    g.copy(t.INETWS, '/usr/bin/inetws')
    g.copy(UNIT, '/etc/systemd/system/inetws@.service')
    g.copy(os.path.join(os.path.dirname(UNIT), 'sysusers.conf'),
           '/etc/sysusers.d/inetws.conf')
    for name in FILES:
        g.copy(os.path.join(HERE, name), '/etc/inetws/' + name)
    g.site(re.search(r'(?s)proxy_http_version.*(?=\n})',
                     s.text('nginx.conf'))[0], 'a.example.org')
    with g.net():
        t.echo(port=5433)
        t.source(b'rsync of b', port=873)
    g.boot()
    b, a = shell(s, 'b'), shell(s, 'a')
    line = g.must('sh', '-euc', '\n'.join(b[:-1]))
    g.must('sh', '-euc', '\n'.join(a[:-1]), input=line.encode())
    g.must('sh', '-euc', a[-1])
    g.must('sh', '-euc', b[-1])

    def served():
        try:
            with g.net():
                one = Exchange(r.visit(5432), b'hello')
                two = Exchange(r.visit(8730))
            one.join()
            two.join()
        except OSError:
            return False
        return (one.got, two.got) == (b'hello', b'rsync of b')
    good = t.until(served, pause=0.2)
    t.ok(good, 'both tunnels, by the page\'s commands')
    if not good:
        t.diag(g.journal())
    for name in instances(s, 'a') + instances(s, 'b'):
        unit = 'inetws@%s.service' % name
        pid = g.must('systemctl', 'show', '-P', 'MainPID', unit)
        g.must('systemctl', 'kill', '--kill-who=main', '-s', 'KILL', unit)
        t.ok(t.until(lambda: g.run('systemctl', 'show', '-P', 'MainPID',
                                   unit).stdout not in (pid, '0\n', ''),
                     pause=0.2),
             unit + ' is killed: it is started again')
    t.ok(t.until(served, pause=0.2), 'and both tunnels are back')


if __name__ == '__main__':
    t.main()
