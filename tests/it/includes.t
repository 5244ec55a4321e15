#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The tree: includes point down, every file says its licence."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

SRC = os.path.join(t.ROOT, 'src')
# A folder may include from itself and from these.
BELOW = {'proto': {'proto'}, 'os': {'os', 'proto'},
         'run': {'run', 'os', 'proto'}}
# Headers that one file, or a few of one purpose, alone may include.
ALONE = {r'http_parser\.h': r'proto/http\.c',
         r'openssl/.*': r'os/openssl\.h',
         r'os/openssl\.h': r'os/(tls\w*\.[ch]|openssl\.c)'}
# What proto/ must not know: sockets, files, clock, processes, logging.
NOT_IN_PROTO = (r'sys/socket\.h|sys/un\.h|netinet/|netdb\.h|poll\.h|'
                r'sys/epoll\.h|unistd\.h|fcntl\.h|time\.h|sys/time\.h|'
                r'signal\.h|pthread\.h|syslog\.h|sys/stat\.h|sys/wait\.h|'
                r'openssl/|err\.h')


def sources(root, *ends):
    for folder, dirs, files in os.walk(root):
        dirs[:] = [d for d in dirs if not d.startswith('build')
                   and d not in ('.git', '__pycache__', 'corpus')]
        for name in sorted(files):
            if name.endswith(ends):
                yield os.path.join(folder, name)


def includes(path):
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            m = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if m:
                yield number, m[1], m[2]


def test_directions():
    wrong, odd, alone, n = [], [], {k: set() for k in ALONE}, 0
    for path in sources(SRC, '.c', '.h'):
        name = os.path.relpath(path, SRC)
        folder = name.split(os.sep)[0]
        if folder not in BELOW:
            wrong.append('%s: an unknown folder' % name)
            continue
        for number, mark, what in includes(path):
            n += 1
            where = '%s:%d includes %s' % (name, number, what)
            if mark == '"':
                top = what.split('/')[0]
                if top not in BELOW[folder] or '..' in what:
                    wrong.append(where)
            elif folder == 'proto' and re.fullmatch(
                    '(?:%s).*' % NOT_IN_PROTO, what):
                odd.append(where)
            for pattern in ALONE:
                if re.fullmatch(pattern, what):
                    alone[pattern].add(name)
    t.ok(n > 50, 'there are includes to read (%d)' % n)
    t.is_(wrong, [], 'every include points down')
    t.is_(odd, [], 'proto/ knows bytes only')
    for pattern, files in alone.items():
        t.ok(all(re.fullmatch(ALONE[pattern], f) for f in files),
             '%s is included by %s alone: %s' % (pattern, ALONE[pattern],
                                                 sorted(files)))


def test_map():
    """src/README.md has a word for each file, and for none that is gone."""
    with open(os.path.join(SRC, 'README.md'), encoding='utf-8') as f:
        text = f.read()
    for folder in sorted(BELOW):
        section = text.split('\n## %s\n' % folder)[1].split('\n## ')[0]
        told = set()
        for row in re.findall(r'^\| (`.*?) \|', section, re.M):
            told |= set(re.findall(r'`(\w+)`', row))
        there = {os.path.splitext(os.path.basename(p))[0] for p in
                 sources(os.path.join(SRC, folder), '.c', '.h')}
        t.is_(sorted(there - told), [], '%s/: all files are told of' % folder)
        t.is_(sorted(told - there), [], '%s/: and no others' % folder)


def test_proto_is_pure():
    """No allocation, no mutable globals, no output in proto/."""
    calls = re.compile(r'\b(malloc|calloc|realloc|strdup|free|printf|'
                       r'fprintf|perror|warnx?|errx?|exit|_exit|getenv|'
                       r'time|clock_gettime|read|write|socket)\s*\(')
    bad = []
    for path in sources(os.path.join(SRC, 'proto'), '.c'):
        with open(path, encoding='utf-8') as f:
            text = f.read()
        text = re.sub(r'/\*.*?\*/', lambda m: '\n' * m[0].count('\n'), text,
                      flags=re.S)
        text = re.sub(r'"(\\.|[^"\\])*"', '""', text)
        for number, line in enumerate(text.split('\n'), 1):
            m = calls.search(line)
            if m:
                bad.append('%s:%d calls %s' % (os.path.basename(path),
                                               number, m[1]))
            if re.match(r'static (?!const\b)[^()]*[=;]\s*$', line) and \
                    '(' not in line and ' const ' not in line:
                bad.append('%s:%d is a mutable global: %s' % (
                    os.path.basename(path), number, line))
    t.is_(bad, [], 'proto/ calls nothing that it must not')


def contrib():
    """Files there, but for what has a form that knows no comments."""
    return sorted(os.path.relpath(os.path.join(folder, name), t.ROOT)
                  for folder, _, names in os.walk(os.path.join(t.ROOT,
                                                               'contrib'))
                  for name in names
                  if name not in ('changelog', 'format') and
                  not name.endswith('.json'))


def test_licences():
    missing = []
    for path in sources(t.ROOT, '.c', '.h', '.py', '.t', '.sh', '.1', '.7',
                        '.conf'):
        with open(path, encoding='utf-8', errors='replace') as f:
            head = f.read(300)
        if 'SPDX-License-Identifier: ISC' not in head:
            missing.append(os.path.relpath(path, t.ROOT))
    for name in ['Makefile', '.ci/run'] + contrib():
        with open(os.path.join(t.ROOT, name)) as f:
            if 'SPDX-License-Identifier: ISC' not in f.read(300):
                missing.append(name)
    t.is_(missing, [], 'every source file says its licence')


def test_sizes():
    """Files with one purpose are not long."""
    long = []
    for path in sources(SRC, '.c', '.h'):
        with open(path, encoding='utf-8') as f:
            n = sum(1 for _ in f)
        if n > 500:
            long.append('%s: %d lines' % (os.path.relpath(path, SRC), n))
    t.is_(long, [], 'no file is too long')


def test_manuals():
    mandoc, = t.need('mandoc')
    for path in sources(os.path.join(t.ROOT, 'man'), '.1', '.7'):
        r = t.run([mandoc, '-Tlint', '-Wwarning', path])
        t.is_(r.stdout, b'', os.path.basename(path) +
              ' is clean')


def test_shell():
    """Scripts are POSIX sh."""
    scripts = []
    for name in contrib():
        with open(os.path.join(t.ROOT, name)) as f:
            if re.match(r'#!(/bin/sh|/sbin/openrc-run)\n', f.readline()):
                scripts.append(os.path.join(t.ROOT, name))
    t.ok(len(scripts) > 4, 'there are scripts in contrib (%d)' % len(scripts))
    for name in scripts:
        r = t.run(['sh', '-n', name])
        t.is_(r.returncode, 0, os.path.relpath(name, t.ROOT) + ' parses')
    shellcheck, = t.need('shellcheck')
    r = t.run([shellcheck, '-s', 'sh'] + scripts)
    t.is_(r.stdout.decode(), '', 'and shellcheck has nothing to say')


t.main()
