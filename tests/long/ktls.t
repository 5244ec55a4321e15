#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS in the kernel, in an emulated machine whose kernel has it: its tests,
and those of TLS and of the sandbox that must not notice it.

If it fails: TLS in the kernel breaks where no developer's machine shows it.

tests/lib/emulated.py names what it needs; INETWS_KERNEL=DIR tries another
kernel, unpacked there.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import emulated         # noqa: E402
import re               # noqa: E402
import shlex            # noqa: E402

# AES as processors have it too, which may do its work later.
MODULES = ('tls', 'ctr', 'gcm', 'ghash-generic', 'chacha20poly1305',
           'chacha_generic', 'poly1305_generic', 'aesni-intel')
TESTS = ('tests/it/tls/ktls.t', 'build/tests/unit/tls/tls.t',
         'build/tests/unit/tls/ticket.t', 'build/tests/unit/sandbox/sandbox.t',
         'tests/it/tls/tls.t', 'tests/it/tls/server.t', 'tests/it/tls/client.t',
         'tests/it/tls/tickets.t', 'tests/it/tls/keys.t',
         'tests/it/tls/hostile.t', 'tests/it/tunnel/relay.t')


@t.limit(1800)
def test_emulated():
    script = ['cd %s; uname -r' % shlex.quote(t.ROOT),
              'export INETWS=%s INETWS_TEST_SCALE=5' % shlex.quote(t.INETWS)]
    for name in TESTS:
        script.append('if [ -x %s ]; then %s; echo "status: $?"; '
                      'else echo 1..0; echo "status: not built"; fi' %
                      (name, name))
    out = emulated.run('\n'.join(script), MODULES, 1700)
    t.diag('Linux ' + out.split('\n')[0])
    parts = re.split(r'^status: (.*)$', out, flags=re.M)
    for name, output, status in zip(TESTS, parts[::2], parts[1::2]):
        plan = re.search(r'^1\.\.(\d+)(.*)', output, re.M)
        if status == 'not built':
            t.skip(name + ' is not built (make unit)')
            continue
        if not t.ok(status == '0' and plan and (name != TESTS[0] or
                                                plan[1] != '0'),
                    '%s: %s cases' % (name, plan[1] if plan else 'no')):
            for line in output.split('\n'):
                if not line.startswith('ok '):
                    t.diag(line)
    t.is_(len(parts), 2 * len(TESTS) + 1, 'it came to its end')


t.main()
