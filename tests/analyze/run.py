#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Analyzers over src/: no finding but those of the file accepted.

    run.py [--all] [--jobs N] --made FOLDER FILE.c... -- FLAG...

gcc -fanalyzer and cppcheck look at all files, -Wconversion and
-Wsign-conversion at the pure folders; clang-tidy, which is slow, at the pure
folders, or with --all at all files.  A tool that is missing is named, with its
package.

A line of accepted is "tool id file | line of the source | reason".  One that
matches nothing is a finding too.  It was made with the versions of VERSIONS:
what others find is shown, and does not fail.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import reasons          # noqa: E402

PURE = ('base', 'proto', 'ws', 'tunnel')
VERSIONS = {'gcc': '12', 'conversion': '12', 'cppcheck': '2.10',
            'clang-tidy': '14'}
PROGRAM = {'gcc': 'gcc', 'conversion': 'gcc', 'cppcheck': 'cppcheck',
           'clang-tidy': 'clang-tidy'}
FINDING = re.compile(r'(src/[^:\s]+):(\d+):(?:\d+:)? (?:warning|error|'
                     r'performance|portability): (.*)')
ID = re.compile(r' \[(-?[\w.,-]+)\]$')

# What cppcheck is not asked, in all files.
CPPCHECK_NOT = {
    # NULL is ((void *)0) wherever this builds, not a plain 0.
    'varFuncNullUB',
    # A process has one thread: nothing else calls these meanwhile.
    'cryptCalled', 'getgrnamCalled', 'getpwnamCalled', 'getpwuidCalled',
    'readdirCalled',
}


def command(tool, path, args):
    flags = args.flags
    if tool == 'gcc':
        return ['gcc', *flags, '-O1', '-S', '-o', os.devnull, '-fanalyzer',
                '-fdiagnostics-plain-output', path]
    if tool == 'conversion':
        return ['gcc', *flags, '-fsyntax-only', '-Wconversion',
                '-Wsign-conversion', '-fdiagnostics-plain-output', path]
    if tool == 'clang-tidy':
        return ['clang-tidy', '--quiet', path, '--', *flags]
    # System headers are not read: what is wanted of them is said here.
    own = [f for f in flags if f.startswith(('-D', '-Isrc', '-I' + args.made))]
    return ['cppcheck', '--quiet', '--std=c11', '--library=posix,gnu',
            '--enable=warning,performance,portability', *own, '-D__linux__',
            '-DOPENSSL_SHLIB_VERSION=3',
            *['--suppress=' + s for s in sorted(CPPCHECK_NOT)],
            '--template={file}:{line}: {severity}: {message} [{id}]', path]


def findings(tool, path, args):
    """(tool, id, file, text of the line), and the message."""
    done = subprocess.run(command(tool, path, args), capture_output=True,
                          text=True, errors='replace')
    # clang-tidy prints them, the others complain.
    text = done.stdout if tool == 'clang-tidy' else done.stderr
    found = {}
    for line in text.splitlines():
        m = FINDING.match(line.replace(os.getcwd() + '/', ''))
        if m is None:
            continue
        name, number, message = m.groups()
        which = ID.search(message)
        with open(name, encoding='utf-8') as f:
            source = f.read().splitlines()[int(number) - 1].strip()
        key = (tool, which.group(1).lstrip('-') if which else 'error', name,
               source)
        found[key] = '%s:%s: %s' % (name, number, message)
    if done.returncode != 0 and not found:
        found[(tool, 'failed', path, '')] = '%s: %s failed: %s' % (
            path, tool, (done.stderr or done.stdout).strip())
    return found


def version(program):
    """The first number that it says, or None if it is missing."""
    if shutil.which(program) is None:
        return None
    said = subprocess.run([program, '--version'], capture_output=True,
                          text=True).stdout
    # "gcc (Debian 12.2.0-14) 12.2.0": what is behind the parentheses.
    m = re.search(r'(\d+(?:\.\d+)+)', re.sub(r'\([^)]*\)', '', said))
    return m.group(1) if m else '?'


def read_accepted():
    """{(tool, id, file, line of the source): line}"""
    return {(*head.split(), source): line for (head, source), line in
            reasons.read(os.path.join(HERE, 'accepted'), 2).items()}


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--all', action='store_true')
    p.add_argument('--jobs', type=int, default=2)
    p.add_argument('--made', required=True)
    p.add_argument('files', nargs='+')
    at = sys.argv.index('--')
    args = p.parse_args(sys.argv[1:at])
    args.flags = sys.argv[at + 1:]

    pure = [f for f in args.files if f.split('/')[1] in PURE]
    accepted, failed = read_accepted(), False
    for tool, program in PROGRAM.items():
        files = args.files if tool in ('gcc', 'cppcheck') or (
            args.all and tool == 'clang-tidy') else pure
        has = version(program)
        if has is None:
            print('# skip %s: the package %s is missing' % (tool, program))
            continue
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            found = {}
            for some in pool.map(lambda f: findings(tool, f, args), files):
                found.update(some)
        counts = (has + '.').startswith(VERSIONS[tool] + '.')
        new = [found[k] for k in sorted(found) if k not in accepted]
        stale = [accepted[k] for k in accepted if k not in found and
                 k[0] == tool and k[2] in files] if counts else []
        for line in new:
            print(line)
        for line in stale:
            print('accepted, but not found: ' + line)
        failed |= counts and bool(new or stale)
        print('# %s %s: %d files, %d new, %d accepted%s' % (
            tool, has, len(files), len(new), len(found) - len(new),
            '' if counts else '; the list is of %s: new ones do not fail' %
            VERSIONS[tool]), flush=True)
    return failed


if __name__ == '__main__':
    sys.exit(main())
