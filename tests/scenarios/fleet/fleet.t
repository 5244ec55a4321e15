#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, with fifty agents and a real sshd.

If it fails: the page fleet/README.md does not work as it is written.
"""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import container                        # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402
from exchange import Exchange           # noqa: E402

MACHINES = 50


@t.limit(120)
def test_fleet():
    ssh, = t.need('ssh')
    sshd = t.sshd()
    cert, d = t.certificate(), t.folder()
    names = ['host%d' % i for i in range(MACHINES)]
    listed = r.agents_file(**{n: 'secret-of-' + n.upper() for n in names})
    https, port = t.free_port(), t.free_port()
    s = Scenario(__file__, {
        'listen 443': 'listen 127.0.0.1:%d' % https,
        '127.0.0.1:39000': '127.0.0.1:%d' % port,
        '/run/inetws': d, '/etc/inetws/fleet': listed,
        'server_name gate.example.org': 'server_name localhost',
        'gate.example.org': 'localhost:%d' % https,
        '/etc/ssl/gate.pem': cert.cert, '/etc/ssl/gate.key': cert.key})
    s.folders('install -d')
    gate = s.inetws('gate')
    t.is_(len(os.listdir(d + '/fleet')), MACHINES,
          'listed machines have their sockets')
    s.site('nginx.conf')
    agents = {}
    for n in names:
        secret = os.path.join(d, n + '.secret')
        with open(secret, 'w') as f:
            f.write('Authorization: Bearer secret-of-%s\n' % n.upper())
        target = sshd if n == 'host42' else t.source(n.encode())
        s.replace.update({'host42': n, '/etc/inetws/secret': secret,
                          '127.0.0.1:22': '127.0.0.1:%d' % target.port})
        agents[n] = s.inetws('agent', more=('--cacert', cert.ca))
    t.ok(r.parked(gate, MACHINES), 'fifty machines wait at the gate')
    s.replace['host42'] = 'host42'
    others = [n for n in names if n != 'host42']
    seen = [Exchange(r.visit('%s/fleet/%s.sock' % (d, n))) for n in others]
    t.is_([(x.join(), bytes(x.got).decode()) for x in seen],
          [('eof', n) for n in others], 'each is reached by its socket')
    s.inetws('server')
    proxy = s.commands('ssh')[1][2].replace(
        'inetws connect', '%s connect --cacert %s' % (t.INETWS, cert.ca))
    out = t.run([ssh, '-F', sshd.config, '-o', proxy, 'there', 'echo',
                 'hello'], timeout=2 * t.BOUND)
    t.is_(out.stdout, b'hello\n', 'ssh through nginx to one of them')
    if t.run(['sh', '-c', 'command -v socat']).returncode == 0:
        out = t.run([ssh, '-F', sshd.config, '-o', s.commands('ssh')[0][2],
                     'there', 'echo', 'hello'], timeout=2 * t.BOUND)
        t.is_(out.stdout, b'hello\n', 'and on the gate itself')
    gate.stop(signal.SIGQUIT)
    gate = s.inetws('gate')
    t.ok(r.parked(gate, MACHINES) or
         t.until(lambda: r.parked(gate, MACHINES), 3 * t.BOUND),
         'the gate starts again: all fifty are back')
    out = t.run([ssh, '-F', sshd.config, '-o', proxy, 'there', 'echo',
                 'again'], timeout=2 * t.BOUND)
    t.is_(out.stdout, b'again\n', 'and reached')


def test_service():
    """The gate as the packaged unit has it: who owns the sockets?"""
    g = container.Container()
    units = os.path.join(t.ROOT, 'contrib', 'systemd')
    g.copy(t.INETWS, '/usr/bin/inetws')
    g.copy(units + '/inetws@.service', '/etc/systemd/system/inetws@.service')
    g.copy(units + '/sysusers.conf', '/etc/sysusers.d/inetws.conf')
    g.boot()
    s = Scenario(__file__)
    g.copy(r.agents_file(host42='x'), '/etc/inetws/fleet')
    g.put('/etc/inetws/fleet.conf', t.run(
        [t.INETWS] + s.commands('inetws gate')[0][1:] +
        ['--dump-config']).stdout)
    lines = re.findall(r'(?m)^    gate# (echo \'d .*|systemd.*|systemctl.*)$',
                       s.text('README.md'))
    g.must('sh', '-euc', '\n'.join(lines))
    path = '/run/inetws/fleet/host42.sock'
    for when in ('started', 'restarted'):
        t.is_((g.must('stat', '-c', '%U %G %a', path),
               g.must('stat', '-c', '%U %G %a', os.path.dirname(path))),
              ('inetws www-data 660\n', 'inetws www-data 2750\n'),
              when + ': the socket is for nginx')
        g.must('systemctl', 'restart', 'inetws@fleet')


if __name__ == '__main__':
    t.main()
