#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The table of tests/README.md: which tests look at which option.

    options_table.py            prints it
    options_table.py --write    puts it into tests/README.md

Options come from the --help of all modes, tests from the files that name them.
"""

import collections
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
INETWS = os.environ.get('INETWS') or os.path.join(ROOT, 'build', 'inetws')
README = os.path.join(ROOT, 'tests', 'README.md')
MODES = ('server', 'client', 'connect', 'agent', 'gate', 'check', 'status')
BEGIN, END = '<!-- options -->\n', '<!-- end of options -->\n'
MOST = 4            # tests in a row
NOT_OURS = 'hq'    # short options that the tests give to other programs
# They name all options to try bad values, which is not a test of each.
WORDS_ONLY = ('it/config/', 'unit/config/', 'it/words', 'it/packaging/')


def options():
    """{long name: short letter or None}, in the order of the help."""
    found = {}
    for mode in MODES:
        text = subprocess.run([INETWS, mode, '--help'], check=True,
                              stdout=subprocess.PIPE).stdout.decode()
        for m in re.finditer(r'(?m)^\s+(?:-(\w), )?--([a-z0-9-]+)', text):
            found.setdefault(m[2], m[1])
    return found


def tests():
    """{name in the table: text} of all tests, with the files that scenarios
    read."""
    found = {}
    for pattern in ('it/*.t', 'it/*/*.t', 'peers/*.t', 'long/*.t',
                    'scenarios/*/*', 'unit/*/*.c'):
        for path in sorted(glob.glob(os.path.join(ROOT, 'tests', pattern))):
            name = os.path.relpath(path, os.path.join(ROOT, 'tests'))
            if name.startswith('scenarios/'):
                name = os.path.dirname(name)
            with open(path, encoding='utf-8') as f:
                found[name] = found.get(name, '') + f.read()
    return found


def mentions(text):
    """How often a test names each option: by its name, as the first word of a
    line of a configuration file, or by its letter."""
    found = collections.Counter(re.findall(r'--([\w-]+)', text))
    found.update(re.findall(r'(?m)^([a-z][\w-]*) (?=\S)', text))
    found.update('-' + c for c in re.findall(r'''(?<=['" ])-(\w)(?=['" ])''',
                                             text))
    return found


def covering():
    """{option: [tests]}, those that name it most often first."""
    counts = {test: mentions(text) for test, text in tests().items()}
    table = {}
    for name, letter in options().items():
        words = [name] if not letter or letter in NOT_OURS else [
            name, '-' + letter]
        rank = sorted((test.startswith(WORDS_ONLY), -n, test)
                      for test, n in ((test, sum(c[w] for w in words))
                                      for test, c in counts.items()) if n)
        table[name] = [test for _, _, test in rank]
    return table


def rendered():
    lines = ['| option | tests |', '|---|---|']
    for name, found in sorted(covering().items()):
        if found and not found[0].startswith(WORDS_ONLY):
            found = [f for f in found if not f.startswith(WORDS_ONLY)]
        more = len(found) - MOST
        lines.append('| `--%s` | %s |' % (
            name, ', '.join(found[:MOST]) +
            (', and %d more' % more if more > 0 else '')))
    return ''.join(line + '\n' for line in lines)


def written():
    """{option: [tests]} as tests/README.md has it."""
    with open(README, encoding='utf-8') as f:
        text = f.read().partition(BEGIN)[2].partition(END)[0]
    return {m[1]: [w for w in re.split(', ', m[2]) if '/' in w]
            for m in re.finditer(r'(?m)^\| `--([^`]+)` \| (.*) \|$', text)}


def main():
    if sys.argv[1:] != ['--write']:
        print(rendered(), end='')
        return
    with open(README, encoding='utf-8') as f:
        before, begin, rest = f.read().partition(BEGIN)
    after = rest.partition(END)[2]
    with open(README, 'w', encoding='utf-8') as f:
        f.write(before + begin + rendered() + END + after)


if __name__ == '__main__':
    main()
