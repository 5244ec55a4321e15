#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`make mutants` finds out which changes of a file the tests notice.

If it fails: (developers) nobody learns that a test no longer notices faults.
"""

import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402


def mutants(words):
    p = t.run(['make', '-C', t.ROOT, '--no-print-directory', 'mutants',
               'MUTANTS=' + words], timeout=1800,
              env={k: v for k, v in os.environ.items()
                   if k not in ('MAKEFLAGS', 'MAKELEVEL', 'INETWS')})
    return p.returncode, p.stdout.decode(), p.stderr.decode()


@t.limit(1800)
def test_noticed():
    """A file whose tests notice everything."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    t.need('gcc', 'make', 'unshare', 'nm')
    status, out, err = mutants('--file src/base/base64.c --count 6 --unit')
    t.is_(status, 0, 'make mutants') or t.diag(out[-2000:] + err[-2000:])
    t.like(out, r'^src/base/base64\.c +6 changes: +6 noticed, 0 not;',
           'six changes, all noticed')


@t.limit(600)
def test_not_noticed():
    """One that no test looks at: what is printed tries it again."""
    if os.geteuid() != 0:
        raise t.Skip('needs root')
    t.need('gcc', 'make', 'unshare', 'nm')
    status, out, _ = mutants('--file src/modes/main.c --count 1 --unit')
    found = re.search(r"again: make mutants MUTANTS='(--one [^']+)'", out)
    t.ok(status != 0 and found, 'a change that is not noticed fails')
    status, out, _ = mutants(found[1] + ' --unit')
    t.ok(status != 0 and 'NOT NOTICED' in out and found[0] in out,
         'and is tried again by its name')


t.main()
