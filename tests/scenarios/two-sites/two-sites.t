#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, four services, both sides restarted.

If it fails: the page two-sites/README.md does not work as it is written.
"""

import os
import signal
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402
from exchange import Exchange           # noqa: E402

LISTENERS = {2201: 'git', 2202: 'db', 2301: 'mail', 2302: 'print'}


class Sites:
    def __init__(self):
        t.need('openssl', 'nginx')
        self.d = t.folder()
        self.port = {p: t.free_port() for p in (443, 39001, 39002, 39003,
                                                39004, *LISTENERS)}
        services = {9418: 'git', 5432: 'db', 25: 'mail', 631: 'print'}
        self.s = Scenario(__file__, {'127.0.0.1:%d' % p: '127.0.0.1:%d' % to
                                     for p, to in self.port.items()})
        self.s.replace.update({
            '127.0.0.1:%d' % p: '127.0.0.1:%d' % t.source(
                name.encode()).port for p, name in services.items()})
        self.s.replace.update({
            'listen 443': 'listen 127.0.0.1:%d' % self.port[443],
            'DNS:hq.example.org': 'DNS:localhost',
            'server_name hq.example.org': 'server_name localhost',
            'wss://hq.example.org': 'wss://localhost:%d' % self.port[443],
            '/etc/inetws': self.d})
        for argv in self.s.commands('openssl'):
            t.is_(t.run(argv, cwd=self.d, timeout=60).returncode, 0,
                  'a certificate: ' + argv[argv.index('-subj') + 1])
        shutil.copy(self.d + '/branch.pem', self.d + '/peers.pem')

    def headquarters(self):
        self.gates = [self.s.inetws('gate', i) for i in range(2)]
        return [self.s.inetws('server', i) for i in range(2)] + \
            self.gates + [self.s.site('nginx.conf')]

    def branch(self):
        return [self.s.inetws('client', i, cwd=self.d) for i in range(2)] + \
            [self.s.inetws('agent', i, cwd=self.d) for i in range(2)]

    def reached(self):
        """The services that answer at their ports."""
        names = []
        for p in LISTENERS:
            try:
                exchange = Exchange(r.visit(self.port[p]))
            except OSError:
                continue
            exchange.join()
            names.append(bytes(exchange.got).decode())
        return names


def test_two_sites():
    w = Sites()
    hq, branch = w.headquarters(), w.branch()
    t.ok(all(r.parked(g, 2) for g in w.gates), 'the branch waits')
    t.is_(w.reached(), list(LISTENERS.values()), 'two services each way')
    for who, start in (('headquarters', w.headquarters),
                       ('the branch', w.branch)):
        old = hq if who == 'headquarters' else branch
        for p in old:
            p.stop(signal.SIGQUIT)
        if old is hq:
            t.ok(not any(w.reached()), who + ' goes away')
        else:
            t.ok(t.until(lambda: not any(t.children(g.pid)
                                         for g in w.gates)),
                 who + ' goes away')
        new = start()
        t.ok(t.until(lambda: w.reached() == list(LISTENERS.values()),
                     3 * t.BOUND), 'and comes back: so do all tunnels')
        hq, branch = (new, branch) if old is hq else (hq, new)

    def refused(why, *words):
        out = t.run_inetws('connect', *words, 'wss://localhost:%d/hq/git' %
                           w.port[443], cwd=w.d)
        t.is_(out.returncode, 77, why)
    other = t.certificate()
    ours = ('--cert', 'branch.pem', '--key', 'branch.key')
    refused('no certificate', '--peer-certs', 'hq.pem')
    refused('a certificate that is not listed', '--peer-certs', 'hq.pem',
            '--cert', other.cert, '--key', other.key)
    refused('headquarters with another one', '--peer-certs', other.cert,
            *ours)
    out = t.run_inetws('connect', '--peer-certs', 'hq.pem', *ours,
                       'wss://localhost:%d/hq/git' % w.port[443], cwd=w.d)
    t.is_((out.returncode, out.stdout), (0, b'git'), 'the right ones')


if __name__ == '__main__':
    t.main()
