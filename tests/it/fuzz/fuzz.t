#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The fuzzers: each corpus is replayed, and a short search follows.

If it fails: bytes from the network crash a process.

Needs the harnesses of `make fuzz-build` in $FUZZ, or in the folder of $INETWS.
INETWS_FUZZ_SECONDS bounds each search, which begins with the same seed each
time, so that a run says something about the change it is for; `make fuzz`
searches anew.
"""

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
SECONDS = int(os.environ.get('INETWS_FUZZ_SECONDS', '2'))
NAMES = sorted(os.path.basename(p)[:-2]
               for p in glob.glob(os.path.join(HERE, '*.c')))


def fuzz(name, *args):
    """Runs a harness: exit status and the end of what it said."""
    with tempfile.TemporaryDirectory() as scratch:
        p = subprocess.run(
            [os.path.join(BUILT, name), '-timeout=20', '-max_len=1024',
             '-len_control=20', '-rss_limit_mb=1024',
             '-artifact_prefix=' + os.path.join(scratch, ''), *args,
             # The first folder is where finds go.
             scratch, os.path.join(HERE, 'corpus', name)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            timeout=(SECONDS + 40) * t.SCALE)
    said = p.stderr.decode('latin-1').splitlines()
    return p.returncode, said


def check(name):
    if not os.access(os.path.join(BUILT, name), os.X_OK):
        if 'FUZZ' in os.environ:
            t.ok(False, '%s is not built' % name)
        else:
            t.skip('%s is not built: make fuzz-build' % name)
        return
    corpus = os.path.join(HERE, 'corpus', name)
    files = sorted(glob.glob(os.path.join(corpus, '*')))
    t.ok(files, '%s: there is a corpus' % name)
    status, said = fuzz(name, '-runs=0')
    good = t.ok(status == 0, '%s: %d files replayed' % (name, len(files)))
    if good and SECONDS > 0:
        status, said = fuzz(name, '-max_total_time=%d' % SECONDS,
                            '-seed=1', '-runs=%d' % (10000 * SECONDS))
        good = t.ok(status == 0, '%s: %d seconds' % (name, SECONDS))
    if not good:
        t.diag('\n'.join(said[-40:]))


def test_harnesses():
    for name in NAMES:
        check(name)


test_harnesses.limit = 60 + (SECONDS + 4) * len(NAMES)

if os.environ.get('INETWS_SANITIZED'):
    t.skip_all('the fuzzers are sanitized anyway: done by the plain run')
if not os.path.exists(os.path.join(BUILT, 'able')):
    t.skip_all('no fuzzers in %s: clang with libFuzzer is needed for '
               '`make fuzz-check`' % BUILT)
t.main()
