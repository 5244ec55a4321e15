#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What an idle tunnel over TLS of our own takes of memory, besides what one
without TLS does.

If it fails: a server with thousands of tunnels runs out of memory early.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402

MORE = {'server': 190, 'client': 220}   # KiB, on either side
LATER = 40      # with OpenSSL 3.5: half of it for ML-KEM, the rest its own


def idle(supervisor, limit):
    """The private memory of its last child, once that has given some back."""
    child = min(t.children(supervisor.pid), key=t.age)
    t.until(lambda: t.private_kib(child) < limit)
    return t.private_kib(child)


def pair(cert):
    s = t.server(t.echo().port, *(() if cert is None else (
        '--tls-cert', cert.cert, '--tls-key', cert.key)))
    c = t.client('ws%s://localhost:%d/' % ('' if cert is None else 's',
                                           s.port),
                 *(() if cert is None else ('--cacert', cert.ca)))
    for _ in range(3):      # the last one is resumed
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        if t.ws.read_exactly(v, 1) != b'x':
            raise AssertionError('no byte came back')
    return s, c


def test_idle():
    if t.SANITIZED:
        t.skip_all('sanitizers take memory of their own')
    m = re.search(r'OpenSSL (\d+)\.(\d+)', t.run_inetws('--version')
                  .stdout.decode())
    later = LATER if m and (int(m[1]), int(m[2])) >= (3, 5) else 0
    plain = [idle(p, 80) for p in pair(None)]
    for p, name, base in zip(pair(t.certificate()), MORE, plain):
        limit = base + MORE[name] + later
        kib = idle(p, limit)
        t.ok(kib < limit, '%s: %d KiB with TLS, %d without' % (
            name, kib, base))


t.main()
