#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS uses the processor's instructions for AES, however OpenSSL is linked.

If it fails: TLS costs twenty times the CPU.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

SIZE = 32 << 20
TICKS = 20              # hundredths of a second; 2 to 4, or 50 and more


def has_aes():
    with open('/proc/cpuinfo') as f:
        return re.search(r'^(flags|Features)\s*:.*\baes\b', f.read(), re.M)


def test_bulk():
    if t.SANITIZED:
        raise t.Skip('sanitizers take time of their own')
    if not has_aes():
        raise t.Skip('this processor has no instructions for AES')
    cert = t.certificate()
    target = t.echo()
    s = t.server(target.port, '--tls-cert', cert.cert, '--tls-key', cert.key)
    c = t.client('wss://localhost:%d/' % s.port, '--cacert', cert.ca,
                 '--tls13-ciphers', 'TLS_AES_256_GCM_SHA384')
    v = t.ws.dial(c.port)
    block = bytes(1 << 20)
    for _ in range(SIZE // len(block) // 2):    # both ways
        v.sendall(block)
        if t.ws.read_exactly(v, len(block)) != block:
            raise AssertionError('other bytes came back')
    for name, p in (('server', s), ('client', c)):
        ticks = sum(map(t.cpu_ticks, t.children(p.pid)))
        t.ok(ticks < TICKS, '%s: %.2f s of CPU for %d MiB' % (
            name, ticks / 100, SIZE >> 20))


t.main()
