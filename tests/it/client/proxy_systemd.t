#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The manual's unit that takes a proxy's password from an encrypted credential
of systemd, run by a systemd of the test's own.

If it fails: the example in the manual does not start, and passwords end in
plain files.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import container        # noqa: E402
from daemons import _answers as answers     # noqa: E402

PASSWORD = 'pw-of-the-proxy-8842'
UNIT = '/etc/systemd/system/tunnel.service'


def documented():
    """The lines of the example, put together where they are continued."""
    with open(t.ROOT + '/man/inetws.1') as f:
        page = f.read()
    text = re.search(r'^(# systemd-ask-password.*?)^\.Ed', page,
                     re.M | re.S)[1]
    return text.replace('\\e\n', '\\\n')


@t.limit(90)
def test_credential():
    t.need('tinyproxy', 'systemd-creds')
    g = container.Container()
    g.copy(t.INETWS, '/usr/local/bin/inetws')
    with g.net():
        s = t.server(t.echo().port)
        p = t.tinyproxy(('ann', PASSWORD))
    g.must('mount', '--make-rshared', '/')     # as where it boots
    g.boot()
    text = documented()
    encrypt = re.search(r'systemd-creds(?:.*\\\n)*.*', text)[0]
    g.must('mkdir', '-p', '/etc/inetws')
    r = g.run('sh', '-c', encrypt, input=b'ann:' + PASSWORD.encode())
    if r.returncode:
        raise t.Skip('systemd-creds does not encrypt here: ' + r.stderr)
    unit = text[text.index('[Service]'):]
    for old, new in (('https://proxy.example.com:3129',
                      'http://127.0.0.1:%d' % p.port),
                     ('wss://example.org/ssh/', 'ws://127.0.0.1:%d/' %
                      s.port)):
        t.ok(old in unit, 'the example has ' + old)
        unit = unit.replace(old, new)
    g.put(UNIT, unit)
    r = g.run('systemd-analyze', 'verify', UNIT)
    t.unlike(r.stdout + r.stderr, 'tunnel.service', 'systemd likes it')
    g.must('systemctl', 'daemon-reload')
    g.must('systemctl', 'start', 'tunnel')
    with g.net():
        if not t.until(lambda: answers(2222), pause=0.1):
            t.diag(g.journal('tunnel'))
        v = t.ws.dial(2222)
        v.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', 'a tunnel by the proxy')
        v.close()
    t.ok(t.until(lambda: 'event=closed' in g.journal('tunnel'), pause=0.2),
         'which is logged')
    pid = g.must('systemctl', 'show', '-p', 'MainPID', '--value',
                 'tunnel').strip()
    for where, what in (('the journal', g.journal('tunnel')),
                        ('ps', g.must('ps', 'axww')),
                        ('the environment', g.must(
                            'cat', '/proc/%s/environ' % pid)),
                        ('the unit', unit),
                        ('the file', g.must('cat',
                                            '/etc/inetws/proxy.cred'))):
        t.ok(PASSWORD not in what, 'the password is not in ' + where)


t.main()
