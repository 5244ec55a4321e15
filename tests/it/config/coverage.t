#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Each option has a test, and tests/README.md names it.

If it fails: an option can stop working unnoticed.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t              # noqa: E402
import options_table as table   # noqa: E402

HOW = 'tests/lib/options_table.py --write brings tests/README.md up to date'


def test_options():
    found, written = table.covering(), table.written()
    t.ok(len(found) > 60, '%d options' % len(found))
    t.is_([name for name, tests in found.items() if not tests], [],
          'each option has a test')
    good = t.is_(sorted(set(found) - set(written)), [],
                 'tests/README.md has each option')
    good &= t.is_(sorted(set(written) - set(found)), [], 'and no others')
    good &= t.is_([(name, test) for name, tests in written.items()
                   for test in tests if test not in found.get(name, ())], [],
                  'the tests that it names look at the option')
    if not good:
        t.diag(HOW)


if __name__ == '__main__':
    t.main()
