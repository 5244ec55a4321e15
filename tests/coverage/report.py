#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What the tests executed of src/, from the counts below a folder.

    report.py build-coverage

Prints the branches of the pure folders, of each folder and of the whole, and
the functions that were never executed; build-coverage/coverage/index.html has
the lines, if gcovr is there.
"""
import collections
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

PURE = ('base', 'proto', 'ws', 'tunnel')


def notes(build):
    for folder, _, files in os.walk(os.path.join(build, 'src')):
        for name in files:
            if name.endswith('.gcno'):
                yield os.path.abspath(os.path.join(folder, name))


def counted(build):
    """For each file of src/: branches, those taken, functions never executed."""
    with tempfile.TemporaryDirectory() as d:
        for note in sorted(notes(build)):
            out = subprocess.run(
                ['gcov', '--json-format', '--branch-probabilities', '--stdout',
                 note], capture_output=True, cwd=d, check=True).stdout
            if out[:2] == b'\x1f\x8b':
                out = gzip.decompress(out)
            for f in json.loads(out)['files']:
                # Inline functions of headers are counted once for each user.
                if f['file'].startswith('src/') and f['file'].endswith('.c'):
                    branches = [b['count'] > 0 for line in f['lines']
                                for b in line['branches'] if not b['throw']]
                    yield f['file'], len(branches), sum(branches), [
                        x['name'] for x in f['functions']
                        if x['execution_count'] == 0]


def main():
    build = sys.argv[1]
    total, never = collections.defaultdict(lambda: [0, 0]), []
    for name, n, taken, functions in counted(build):
        folder = name.split('/')[1]
        for key in (folder, 'whole') + (('pure',) if folder in PURE else ()):
            total[key][0] += n
            total[key][1] += taken
        never += ['%s: %s' % (name, f) for f in functions]
    for key in sorted(total, key=lambda k: (k in ('pure', 'whole'), k)):
        n, taken = total[key]
        print('%-12s %6d of %6d branches, %.1f %%' % (
            key, taken, n, 100 * taken / max(n, 1)))
    print('never executed: %d' % len(never))
    for line in never:
        print('  ' + line)
    if shutil.which('gcovr') is None:
        print('# skip HTML: the package gcovr is missing')
        return
    pages = os.path.join(build, 'coverage')
    os.makedirs(pages, exist_ok=True)
    subprocess.run(['gcovr', '--root', '.', '--filter', 'src/', '--branches',
                    '--html-details', os.path.join(pages, 'index.html'),
                    os.path.join(build, 'src')], check=True)


if __name__ == '__main__':
    main()
