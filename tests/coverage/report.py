#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the tests executed of src/, from the counts below a folder.

    report.py [--pure] [--show] BUILD       figures, and whether they suffice
    report.py --missing src/ws BUILD        each branch that was not taken

A branch that cannot be taken and a function that no test can execute are lines
of the file accepted, with the reason; such branches are not counted.  It fails
if a figure is below its floor, if a function that is not listed was never
executed, and if a line of accepted is not needed any more, except those of
functions that only some machines execute.  --pure looks only at the pure
folders, --show does not fail.  BUILD/coverage/index.html has the
lines, if gcovr is there.
"""
import argparse
import collections
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import reasons          # noqa: E402

PURE = ('base', 'proto', 'ws', 'tunnel')
FLOORS = {'pure': 95, 'whole': 88}      # per cent of the branches

# branches: for each line of the source, the number and how many were taken.
File = collections.namedtuple('File', 'name lines branches never')


def is_pure(name):
    return name.split('/')[1] in PURE


def notes(build, pure):
    for folder, _, files in os.walk(os.path.join(build, 'src')):
        for name in files:
            path = os.path.join(folder, name)
            if name.endswith('.gcno') and (
                    not pure or is_pure(os.path.relpath(path, build))):
                yield os.path.abspath(path)


def counted(build, pure):
    """The files of src/."""
    with tempfile.TemporaryDirectory() as d:
        for note in sorted(notes(build, pure)):
            out = subprocess.run(
                ['gcov', '--json-format', '--branch-probabilities', '--stdout',
                 note], capture_output=True, cwd=d, check=True).stdout
            if out[:2] == b'\x1f\x8b':
                out = gzip.decompress(out)
            for f in json.loads(out)['files']:
                # Inline functions of headers are counted once for each user.
                if f['file'].startswith('src/') and f['file'].endswith('.c'):
                    yield file_of(f)


def file_of(f):
    with open(f['file'], encoding='utf-8') as source:
        lines = [''] + [line.strip() for line in source]
    branches = collections.defaultdict(lambda: [0, 0])
    for line in f['lines']:
        for b in line['branches']:
            if not b['throw']:
                branches[line['line_number']][0] += 1
                branches[line['line_number']][1] += b['count'] > 0
    return File(f['file'], lines, branches,
                [x['name'] for x in f['functions'] if x['execution_count'] == 0])


def read_accepted(pure):
    """Branches for each file and line, functions of files; and the lines."""
    branches, functions, said = {}, {}, {}
    for (head, text), line in reasons.read(os.path.join(HERE, 'accepted'),
                                           2).items():
        what, name = head.split()
        if pure and not is_pure(name):
            continue
        if what in ('function', 'sometimes'):
            functions[name, text] = what
        else:
            branches[name, text] = int(what)
        said[name, text] = line
    return branches, functions, said


def missing(files, prefix):
    for f in files:
        if not f.name.startswith(prefix):
            continue
        for number, (n, taken) in sorted(f.branches.items()):
            if taken < n:
                print('%s:%d: %d of %d: %s' % (f.name, number, n - taken, n,
                                               f.lines[number]))
        for name in f.never:
            print('%s: never executed: %s' % (f.name, name))


def add_up(files, accepted, functions):
    """Figures by folder, functions never executed, accepted ones not found."""
    total = collections.defaultdict(lambda: [0, 0, 0])
    never, found, left = [], set(), dict(accepted)
    for f in files:
        folder = f.name.split('/')[1]
        sums = [total[k] for k in (folder, 'whole') + (
            ('pure',) if folder in PURE else ())]
        for number, (n, taken) in sorted(f.branches.items()):
            key = (f.name, f.lines[number])
            out = min(left.get(key, 0), n - taken)
            if key in left:
                left[key] -= out
            for s in sums:
                s[0] += n - out
                s[1] += taken
                s[2] += out
        for name in f.never:
            found.add((f.name, name))
            if (f.name, name) not in functions:
                never.append('%s: %s' % (f.name, name))
    stale = [k for k in left if left[k] > 0] + [
        k for k in functions if k not in found and functions[k] == 'function']
    return total, never, stale


def pages(build):
    if shutil.which('gcovr') is None:
        print('# skip HTML: the package gcovr is missing')
        return
    to = os.path.join(build, 'coverage')
    os.makedirs(to, exist_ok=True)
    # A process that ends between two counts leaves a difference below 0, and
    # gcovr takes no such line.
    subprocess.run(['gcovr', '--root', '.', '--filter', 'src/', '--branches',
                    '--gcov-ignore-parse-errors',
                    '--html-details', os.path.join(to, 'index.html'),
                    os.path.join(build, 'src')], check=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--pure', action='store_true')
    p.add_argument('--show', action='store_true')
    p.add_argument('--missing', metavar='PREFIX')
    p.add_argument('build')
    args = p.parse_args()

    files = list(counted(args.build, args.pure))
    if args.missing is not None:
        missing(files, args.missing)
        return 0
    branches, functions, said = read_accepted(args.pure)
    total, never, stale = add_up(files, branches, functions)
    failed = bool(never or stale)
    for key in sorted(total, key=lambda k: (k in FLOORS, k)):
        n, taken, out = total[key]
        low = 100 * taken < FLOORS.get(key, 0) * n and not (
            args.pure and key == 'whole')
        failed |= low
        if not (args.pure and key == 'whole'):
            print('%-12s %6d of %6d branches, %.1f %%%s%s' % (
                key, taken, n, 100 * taken / max(n, 1),
                ', %d accepted' % out if out else '',
                ': at least %d %%' % FLOORS[key] if low else ''))
    for line in never:
        print('never executed: ' + line)
    for key in stale:
        print('accepted, but not found: ' + said[key])
    pages(args.build)
    return failed and not args.show


if __name__ == '__main__':
    sys.exit(main())
