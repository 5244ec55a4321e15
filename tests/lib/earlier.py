#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The program of an earlier commit, built from this repository's history into
build/earlier, as a peer for tests.

    earlier.program()       its path, or a skip that says why there is none
    python3 earlier.py      builds it (`make earlier`)
"""

import fcntl
import os
import subprocess
import sys

import proc
import tap

COMMIT = '7f9cc2d'      # the last one before the rooms of src/
FOLDER = os.path.join(proc.ROOT, 'build', 'earlier')
BUILT = os.path.join(FOLDER, COMMIT, 'build', 'inetws')


def _must(argv, what, **kw):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                       stdout=subprocess.PIPE, timeout=600, **kw)
    if r.returncode:
        last = r.stdout.decode('utf-8', 'replace').strip().split('\n')[-1]
        raise tap.Skip('%s: %s' % (what, last))
    return r.stdout


def program():
    proc.need('git', 'make', 'tar')
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(BUILT, os.X_OK):
            _build()
    return BUILT


def _build():
    tree = os.path.join(FOLDER, COMMIT)
    archive = tree + '.tar'
    _must(['git', '-C', proc.ROOT, 'archive', '-o', archive, COMMIT],
          'the history has no commit ' + COMMIT)
    os.makedirs(tree, exist_ok=True)
    _must(['tar', '-x', '-C', tree, '-f', archive], 'cannot be unpacked')
    os.unlink(archive)
    # What make was told about this tree does not hold for that one.
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('MAKE', 'MFLAGS')) and
           k not in ('WERROR', 'SAN', 'VARIANT', 'STATIC', 'B')}
    _must(['make', '-s', '-j2', '-C', tree, 'all'],
          'commit %s does not build here' % COMMIT, env=env)


if __name__ == '__main__':
    try:
        print(program())
    except tap.Skip as e:
        sys.exit(str(e))
