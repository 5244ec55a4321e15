#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, with nginx and certificates as it has them.

If it fails: the page rendezvous/README.md does not work as it is written.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402
from exchange import Exchange, noise            # noqa: E402


def test_rendezvous():
    t.need('openssl', 'nginx')
    d = t.folder()
    named = {p: t.free_port() for p in (443, 39000, 39001, 39036, 39037,
                                        39100, 39101, 8080)}
    web = t.source(b'the web')
    ssh = t.echo()
    s = Scenario(__file__, {'127.0.0.1:%d' % p: '127.0.0.1:%d' % to
                            for p, to in named.items()})
    s.replace.update({
        'listen 443': 'listen 127.0.0.1:%d' % named[443],
        '--visitors :39036': '--visitors 127.0.0.1:%d' % named[39036],
        '--visitors :39037': '--visitors 127.0.0.1:%d' % named[39037],
        'DNS:gate.example.org': 'DNS:localhost',
        'server_name gate.example.org': 'server_name localhost',
        'wss://gate.example.org': 'wss://localhost:%d' % named[443],
        '/etc/ssl': d, '127.0.0.1:22': '127.0.0.1:%d' % ssh.port,
        '127.0.0.1:80': '127.0.0.1:%d' % web.port})
    for argv in s.commands('openssl'):
        t.is_(t.run(argv, cwd=d, timeout=60).returncode, 0,
              'a certificate: ' + argv[argv.index('-subj') + 1])
    gates = [s.inetws('gate', i) for i in range(2)]
    s.site('nginx.conf')
    agents = [s.inetws('agent', i, cwd=d) for i in range(2)]
    t.ok(all(r.parked(g, 2) for g in gates), 'both agents wait')
    data = noise(1 << 20)
    exchange = Exchange(r.visit(named[39036]), data)
    t.ok(exchange.join() == 'eof' and exchange.got == data,
         'one port leads to one service')
    exchange = Exchange(r.visit(named[39037]))
    exchange.join()
    t.is_(bytes(exchange.got), b'the web', 'the other to the other')
    page = t.http(named[8080], '/ssh', fields=('Connection: close',))[2]
    t.like(page, r'6fc19a\.\.\.', 'the page names them')
    t.like(page, 'parked', 'and shows what waits')
    t.ok(not any('6fc19a0b7d2e51c8' in x for x in
                 (page, gates[0].log, agents[0].log)),
         'no id in page or logs')

    def refused(why, status, *words):
        out = t.run_inetws('agent', '--retry', '1', '--cacert',
                           d + '/gate.pem', *words, '127.0.0.1:1')
        t.is_(out.returncode, status, why)
    url = 'wss://localhost:%d/forward_to_me/' % named[443]
    other = t.certificate()
    refused('no certificate: refused', 77, url + '6fc19a0b7d2e51c8')
    refused('another certificate: refused', 77, '--cert', other.cert,
            '--key', other.key, url + '6fc19a0b7d2e51c8')
    refused('another id: 404', 76, '--cert', d + '/agent.pem', '--key',
            d + '/agent.key', url + '6fc19a0b7d2e51c9')


if __name__ == '__main__':
    t.main()
