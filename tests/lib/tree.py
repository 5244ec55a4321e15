# SPDX-License-Identifier: ISC
"""Running make in the tree that is tested."""

import os

import proc
import tap

BUILD = os.path.dirname(proc.INETWS)


def make(*words):
    """The output of make, which does not build again what is built."""
    program, = proc.need('make')
    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    if not os.path.exists(os.path.join(BUILD, 'src')):
        raise tap.Skip('%s was not built here' % proc.INETWS)
    r = proc.run([program, '-s', '-C', proc.ROOT, 'B=' + BUILD, '-o',
                  proc.INETWS] + list(words), env=env, timeout=60 * tap.SCALE)
    if r.returncode:
        raise AssertionError('make %s: %s' % (' '.join(words),
                                              r.stderr.decode()))
    return r.stdout.decode()
