#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ssh through server and client under every launcher: a whole session, with an
end in each direction and an exit status.

If it fails: ssh through an inetd service hangs at its end.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import launcher_table   # noqa: E402
import shlex            # noqa: E402
import exchange         # noqa: E402

DATA = exchange.noise(1 << 20)
COMMAND = 'cat; echo aside >&2; exit 3'


def session(d, name, *words):
    """ncat ends everything at the first end of file, so that has none."""
    known = name not in launcher_table.NO_HALF_CLOSE
    r = t.run([t.need('ssh')[0], '-F', d.config, *words, 'there',
               COMMAND if known else COMMAND.replace(
                   'cat', 'head -c %d' % len(DATA))], input=DATA,
              timeout=30 * t.SCALE)
    t.is_((r.returncode, r.stdout == DATA, r.stderr), (3, True, b'aside\n'),
          'ssh through it: ' + name)


def proxy(*words):
    return '-oProxyCommand=' + ' '.join(shlex.quote(w) for w in words)


def case(name):
    def run():
        t.need('ssh', 'sshd')
        d = t.sshd()
        s = launcher_table.Launched(name, 'server', '127.0.0.1:%d' % d.port)
        session(d, name, proxy(t.INETWS, 'connect', s.url()))
        there = t.server(d.port)
        c = launcher_table.Launched(name, 'client', 'ws://127.0.0.1:%d/' %
                                    there.port)
        if isinstance(c.where, int):
            session(d, name, '-p', str(c.where))
        else:
            session(d, name, proxy(t.need('socat')[0], '-', 'UNIX:' +
                                   c.where))
    return run


for _name in launcher_table.TABLE:
    globals()['test_' + _name] = case(_name)

t.main()
