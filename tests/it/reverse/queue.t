#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Visitors that wait: of several names at once, in their order, also where
some of them leave or run out of time.

If it fails: a visitor that waits is served out of turn, by the wrong machine,
or never.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
import reverse as r                     # noqa: E402

NAMES = ('left', 'right', 'middle')


def gate(*options):
    g = r.gate('--visitors-dir', t.folder(), *options, visitors=None,
               auth=('--agents-file', r.agents_file(**{n: n for n in NAMES})))
    folder = g.argv[g.argv.index('--visitors-dir') + 1]
    g.at = lambda name: os.path.join(folder, name + '.sock')
    return g


def come(where, label):
    """A visitor whose first bytes are its label."""
    v = r.visit(where)
    v.sendall(label)
    return v


def serve(g, path, secret=None):
    """An agent meets the next visitor; its label."""
    a = r.raw_agent(g, path, secret=secret)
    if not r.line(a).startswith('open '):
        return None
    a.text('ok')
    op, label = a.frame(t.BOUND)
    a.data(b'for ' + label)
    return label if op == p.BINARY else None


def waiting(n):
    t.ok(t.until(lambda: sum(x['waiting'] for x in t.one()['names']) == n),
         '%d wait' % n)


def test_names():
    """Visitors of three names come by turns, agents in another order."""
    t.rundir()
    g = gate('--queue', '5m')
    visitors = {}
    for i in range(3):
        for name in NAMES:
            label = b'%s %d' % (name.encode(), i)
            visitors[label] = come(g.at(name), label)
            waiting(len(visitors))
    for i in range(3):
        for name in reversed(NAMES):
            label = b'%s %d' % (name.encode(), i)
            t.is_(serve(g, '/' + name, name), label, 'in its turn')
            t.is_(visitors.pop(label).recv(100), b'for ' + label, 'and served')
    waiting(0)


def test_leaves():
    """Some that wait are reset: the others move up in their order."""
    for gone in ((0,), (1,), (4,), (0, 1), (1, 3), (3, 4), (0, 2, 4)):
        t.rundir()
        g = r.gate('--queue', '5m')
        visitors = []
        for i in range(5):
            visitors.append(come(g.visitors, b'%d' % i))
            t.until(lambda: t.one()['waiting'] == i + 1)
        for i in gone:
            r.reset(visitors[i])
        left = [i for i in range(5) if i not in gone]
        t.is_([serve(g, '/agents/a') for _ in left],
              [b'%d' % i for i in left],
              'without %s: the others in their order' % (gone,))
        t.cleanup()


def test_time():
    """Each has its own time, whatever the others do."""
    t.rundir()
    g = gate('--queue', '4s')
    first = [come(g.at(name), b'early') for name in NAMES]
    t.is_([r.was_reset(v) for v in first], [True] * 3, 'the time is up')
    waiting(0)
    late = come(g.at('right'), b'late')
    t.is_(serve(g, '/right', 'right'), b'late', 'one that came later is served')
    t.is_(late.recv(100), b'for late', 'and by its agent')


if __name__ == '__main__':
    t.main()
