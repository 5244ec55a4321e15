#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The pages about the project: CHANGES, SECURITY.md, issue templates, and the
comparison in README.md.

If it fails: a user who reports a fault is asked nothing, or nothing that
helps, or who upgrades does not learn what is new.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import glob             # noqa: E402
import re               # noqa: E402


def read(*path):
    with open(os.path.join(t.ROOT, *path), encoding='utf-8') as f:
        return f.read()


def number(version):
    return [int(n) for n in version.split('.')]


def test_changes():
    parts = re.split(r'(?m)^## (.*)\n', read('CHANGES'))
    heads, texts = parts[1::2], parts[2::2]
    versions = [h.split()[0] for h in heads]
    t.is_(versions, sorted(versions, key=number, reverse=True),
          'the newest first')
    t.is_(versions[-1], '0.1.0', 'from the first one on')
    t.ok(all(re.search('(?m)^- ', text) for text in texts), 'each says what')
    made = re.search(r'(?m)^VERSION = (\S+)', read('Makefile'))[1]
    t.ok(made in versions, 'the version of the Makefile is one')
    t.ok('(unreleased)' not in ' '.join(heads[1:]), 'only the first is to come')
    long_ = [line for text in texts for line in text.split('\n')
             if len(line) > 85 and ' ' in line[2:]]
    t.is_(long_, [], 'lines fit a terminal')
    wrong = [line for text in texts for line in text.split('\n')
             if line and not line.startswith(('- ', '  ')) and line[0] != 'T']
    t.is_(wrong, [], 'each item is a list\'s')


def test_security():
    page = read('.github', 'SECURITY.md')
    for part in ('## Reporting', '## What inetws promises',
                 '## What it does not promise', 'answer within', 'CHANGES',
                 'privately'):
        t.ok(part in page, 'SECURITY.md has: ' + part)


def texts():
    """The files of the project whose comments may name other files."""
    for top, folders, files in os.walk(t.ROOT):
        folders[:] = [d for d in folders if not d.startswith((
            'build', '.git', '__pycache__', 'corpus')) or d == '.github']
        for name in files:
            if not name.endswith(('.t', '.tar.gz', '.o', '.svg')):
                yield os.path.relpath(os.path.join(top, name), t.ROOT)


def test_named_files():
    """A file that a comment or a page names is there."""
    named = re.compile(r'\b(?:tests|src|contrib|man)/[a-z0-9_./-]+\.'
                       r'(?:c|h|t|py|md|mk|awk|1|7)\b')
    found = {(path, name) for path in texts()
             for name in named.findall(read(path))}
    t.ok(len(found) > 50, 'files are named')
    t.is_([f for f in sorted(found) if not os.path.exists(
        os.path.join(t.ROOT, f[1])) and not re.match(
            r'tests/unit/.*\.t$', f[1])], [], '%d mentions' % len(found))


def test_templates():
    try:
        import yaml
    except ImportError:
        raise t.Skip('no python3-yaml')
    names = glob.glob(t.ROOT + '/.github/ISSUE_TEMPLATE/*')
    templates = [p for p in names if p.endswith('.md')]
    t.ok(len(templates) >= 2, '%d templates' % len(templates))
    for path in templates:
        _, head, body = read(path).split('---\n', 2)
        fields = yaml.safe_load(head)
        t.ok(fields['name'] and fields['about'], os.path.basename(path))
        t.like(body, r'\*\*\w.*\*\*', 'asks something')
    asked = read('.github', 'ISSUE_TEMPLATE', 'problem.md')
    for what in ('inetws --version', 'inetws check', '--log-level debug',
                 'Replace passwords', 'inetws-troubleshooting(7)'):
        t.ok(what in asked, 'a problem is reported with: ' + what)
    config = yaml.safe_load(read('.github', 'ISSUE_TEMPLATE', 'config.yml'))
    t.is_(config, {'blank_issues_enabled': False}, 'nothing but templates')
    for path in templates:
        t.ok('SECURITY.md' in read(path), 'vulnerabilities are led elsewhere')


def test_comparison():
    part = read('README.md').split('## When to use it, and when not')[1]
    t.like(part, r'on \d+ \w+ 20\d\d:', 'it has a date')
    rows = re.findall(r'(?m)^\| ([^|]*) \| ([^|]+) \| ([^|]+) \|$', part)
    named = ' '.join(r[0] for r in rows)
    for program in ('ssh -J', 'autossh', 'websocat', 'wstunnel', 'chisel',
                    'frp', 'stunnel', 'cloudflared'):
        t.ok(program in named, program)


t.main()
