# SPDX-License-Identifier: ISC
"""The tree that is tested: its make, on what is built already."""

import os

import proc
import tap

BUILD = os.path.dirname(proc.INETWS)


def make(*words):
    """The output of make, which builds nothing anew."""
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
