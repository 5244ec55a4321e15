#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The fuzzers: each corpus is replayed, and a short search follows.

If it fails: bytes from the network crash a process.

Needs the harnesses of `make fuzz-build` in $FUZZ, or in the folder of $INETWS.
Which inputs are tried does not depend on the machine: the search has a fixed
seed, a fixed number of runs and the corpus in a fixed order, so that a run says
something about the change it is for.  INETWS_FUZZ_TIMES makes it so many times
as long (`make check-long`: 10), 0 only replays; `make fuzz` searches anew.
"""

import ctypes
import glob
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

HERE = os.path.join(t.ROOT, 'tests', 'fuzz')
BUILT = os.environ.get('FUZZ') or os.path.join(
    os.path.dirname(os.path.abspath(t.INETWS)), 'fuzz')
TIMES = int(os.environ.get('INETWS_FUZZ_TIMES', '10' if t.LONG else '1'))
RUNS = 6000
SLOW = {'cert': 2000, 'channel': 1500, 'config': 2000, 'messages': 2000,
        'slots': 800, 'stats': 500, 'tunnel': 2500}
NAMES = sorted(os.path.basename(p)[:-2]
               for p in glob.glob(os.path.join(HERE, '*.c')))


ADDR_NO_RANDOMIZE = 0x0040000


def fixed_addresses():
    """What libFuzzer takes from comparisons has addresses in it."""
    ctypes.CDLL(None).personality(ADDR_NO_RANDOMIZE)


def fuzz(name, files, runs):
    """Runs a harness: exit status and the end of what it said."""
    with tempfile.TemporaryDirectory() as scratch:
        # A folder would be read in the order that its file system has.
        with open(os.path.join(scratch, 'inputs'), 'w') as f:
            f.write(','.join(files))
        found = os.path.join(scratch, 'found')
        os.mkdir(found)
        p = subprocess.run(
            [os.path.join(BUILT, name), '-timeout=20', '-max_len=1024',
             '-len_control=20', '-rss_limit_mb=1024', '-seed=1', '-reload=0',
             '-runs=%d' % runs, '-seed_inputs=@' + f.name,
             '-artifact_prefix=' + os.path.join(scratch, ''), found],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            preexec_fn=fixed_addresses,
            timeout=(60 + 10 * TIMES) * t.SCALE)
    said = p.stderr.decode('latin-1').splitlines()
    return p.returncode, said


def check(name):
    if not os.access(os.path.join(BUILT, name), os.X_OK):
        if 'FUZZ' in os.environ:
            t.ok(False, '%s is not built' % name)
        else:
            t.skip('%s is not built: make fuzz-build' % name)
        return
    files = sorted(glob.glob(os.path.join(HERE, 'corpus', name, '*')))
    t.ok(files, '%s: there is a corpus' % name)
    status, said = fuzz(name, files, 0)
    good = t.ok(status == 0, '%s: %d files replayed' % (name, len(files)))
    if good and TIMES > 0:
        runs = SLOW.get(name, RUNS) * TIMES
        status, said = fuzz(name, files, runs)
        good = t.ok(status == 0, '%s: %d runs' % (name, runs))
    if not good:
        t.diag('\n'.join(said[-40:]))


def test_harnesses():
    for name in NAMES:
        check(name)


test_harnesses.limit = 60 + (5 + 20 * TIMES) * len(NAMES)

if os.environ.get('INETWS_SANITIZED'):
    t.skip_all('the fuzzers are sanitized anyway: done by the plain run')
if not os.path.exists(os.path.join(BUILT, 'able')):
    t.skip_all('no fuzzers in %s: clang with libFuzzer is needed for '
               '`make fuzz-check`' % BUILT)
t.main()
