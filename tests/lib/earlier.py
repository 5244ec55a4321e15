#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Programs of earlier commits, built from this repository's history into
build/earlier, as peers for tests.

    earlier.program()       the path of the first of COMMITS
    earlier.program(COMMIT) of another one; or a skip that says why there is none
    earlier.package(COMMIT) the path of its Debian package, likewise
    python3 earlier.py      builds the first one (`make earlier`)
    python3 earlier.py all  all of them
"""

import fcntl
import glob
import os
import subprocess
import sys

import proc
import tap

# The last ones before something changed that an upgrade meets: the version of
# the extension, of the statistics page, or what a redial is handed over with.
COMMITS = (
    '7f9cc2d',      # the last one before the rooms of src/: extension 1, page 6
    '3adb51c',      # extension 2
    '33468b8',      # hand-overs with a subject
    'e16f7e0',      # page 7, hand-overs with an address, too
    '034c1d7',      # page 8
    '19df034',      # page 9
    '9cd4904',      # page 10
    '4e0f278',      # page 11
    'b6e52da',      # page 12
    '377f8a8',      # page 13
)
FOLDER = os.path.join(proc.ROOT, 'build', 'earlier')


def _must(argv, what, **kw):
    """Runs a command that must succeed.  Only the time limit of the case
    applies: a build of 20 s takes ten minutes on a very busy machine."""
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                       stdout=subprocess.PIPE, **kw)
    if r.returncode:
        last = r.stdout.decode('utf-8', 'replace').strip().split('\n')[-1]
        raise tap.Skip('%s: %s' % (what, last))
    return r.stdout


def program(commit=COMMITS[0]):
    proc.need('git', 'make', 'tar')
    os.makedirs(FOLDER, exist_ok=True)
    built = os.path.join(FOLDER, commit, 'build', 'inetws')
    with open(os.path.join(FOLDER, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.access(built, os.X_OK):
            unpack(commit)
            make(commit, 'all', 'CFLAGS=-O0')      # half of the time
    return built


def page_version(commit):
    """That of its statistics page."""
    text = _must(['git', '-C', proc.ROOT, 'grep', '-h', '#define STATS_VERSION',
                  commit, '--', 'src'], 'the history has no commit ' + commit)
    return int(text.split()[2])


def unpack(commit):
    """Unpacks the tree of a commit into a folder with its name."""
    tree = os.path.join(FOLDER, commit)
    archive = tree + '.tar'
    _must(['git', '-C', proc.ROOT, 'archive', '-o', archive, commit],
          'the history has no commit ' + commit)
    os.makedirs(tree, exist_ok=True)
    _must(['tar', '-x', '-C', tree, '-f', archive], 'cannot be unpacked')
    os.unlink(archive)
    return tree


def make(commit, *words, **more):
    """Runs make in another tree, without the variables that make got for this
    one."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('MAKE', 'MFLAGS')) and
           k not in ('WERROR', 'SAN', 'VARIANT', 'STATIC', 'B')}
    _must(['make', '-s', '-j2', '-C', os.path.join(FOLDER, commit), *words],
          'commit %s does not build here' % commit, env=dict(env, **more))


def package(commit):
    """The path of the Debian package of a commit."""
    proc.need('git', 'make', 'tar', 'dpkg-buildpackage', 'dh', 'perl')
    os.makedirs(FOLDER, exist_ok=True)
    found = os.path.join(FOLDER, commit, 'build', 'deb', '*.deb')
    with open(os.path.join(FOLDER, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not glob.glob(found):
            unpack(commit)
            make(commit, 'deb', DEB_BUILD_OPTIONS='nocheck parallel=2',
                 LC_ALL='C.UTF-8')
    return glob.glob(found)[0]


if __name__ == '__main__':
    try:
        for one in COMMITS if 'all' in sys.argv else COMMITS[:1]:
            print(program(one))
    except tap.Skip as e:
        sys.exit(str(e))
