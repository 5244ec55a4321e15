#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A command of a manual is one line on an 80-column terminal, or has a
backslash at the end of each line but the last; also as groff 1.23 sets it, which
indents more than earlier ones.

If it fails: a user who pastes an example from man(1) runs half of a command.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import re               # noqa: E402
import manual           # noqa: E402

PAGES = sorted(glob.glob(os.path.join(t.ROOT, 'man', '*.[1-9]')))
MANDOC = ('mandoc', '-Tascii', '-Owidth=80')
GROFF = ('groff', '-mdoc', '-Tascii', '-P-c')


def rendered(renderer, path):
    """The lines, without the marks of bold and underlined letters."""
    r = t.run([*renderer, path])
    t.is_(r.returncode, 0, '%s reads %s' % (renderer[0],
                                            os.path.basename(path)))
    return {' '.join(line.split())
            for line in re.sub('.\b', '', r.stdout.decode()).splitlines()}


def shown(line):
    """A line of the source, as the page shows it."""
    for escape, char in (('\\(aq', "'"), ('\\&', ''), ('\\-', '-'),
                         ('\\e', '\\')):
        line = line.replace(escape, char)
    return ' '.join(line.split())


def broken(renderer, path):
    """The lines to be pasted that the page has not as one line."""
    there = rendered(renderer, path)
    return [line for item in manual.items(os.path.basename(path))
            for line in map(shown, item.text.splitlines())
            if line and line not in there]


def test_mandoc():
    t.need('mandoc')
    for path in PAGES:
        t.is_(broken(MANDOC, path), [], os.path.basename(path))


def test_groff():
    t.need('groff')
    m = re.search(r'version (\d+)\.(\d+)', t.run(['groff', '--version'])
                  .stdout.decode())
    new = (int(m[1]), int(m[2])) >= (1, 23)
    # What an earlier one indents less is taken off its lines.
    width = '-rLL=%dn' % (78 if new else 76)
    for path in PAGES:
        t.is_(broken((*GROFF, width), path), [], os.path.basename(path))


def test_broken():
    """A line that the renderer fills is found."""
    t.need('mandoc')
    path = os.path.join(t.folder(), 'x.1')
    with open(path, 'w') as f:
        f.write('.Dd May 1, 2026\n.Dt X 1\n.Os\n.Sh NAME\n.Nm x\n.Nd y\n'
                '.Sh EXAMPLES\n.Dl $ x' + ' word' * 20 + '\n')
    t.ok('$ x' + ' word' * 20 not in rendered(MANDOC, path),
         'a long line of .Dl is broken in two')


t.main()
