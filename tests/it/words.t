#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""One word for one thing: no retired word in sources, manuals, contrib and
tests, nor in file names, log keys, events, metrics and section titles.

If it fails: (developers) two words for one thing are back, and readers lose
time.
"""

import fnmatch
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

# The retired word, in all its forms, and what to write in its place.
RETIRED = {
    'carry|carries|carried|carrying|carrier': 'connection, relay',
    'doors?': 'listener, handoff socket, control descriptor',
    'seats?': 'worker channel',
    'guests?': 'queued visitor, queued connection, container',
    'arrivals?': 'incoming or accepted connection',
    'settles?|settled|settling': 'update, drop_privileges, ready',
    'keepers?': 'command helper',
    'confines?|confined|confining|confinement': 'enter the sandbox',
    'detours?': 'override',
    'paces?|paced|pacing': 'respawn',
    'strangers?|foreign': 'plain peer',
    'deaf': 'write side closed',
    'bounces?|bounced|bouncing': 'mask buffer',
    'beside': 'spliced, bypass, next to',
    'heard': 'received',
    'survivors?': 'inherited tunnels',
    'somebody|whom': 'name the process, user or peer',
}

# Standard senses: (files, what may stand there, why).
ALLOWED = (
    ('tests/it/words.t', r'.*', 'names the words'),
)

# What readers see of a wire is a websocket.  The word stays in src/tunnel and
# inetws-protocol(7), which define it.
NO_WIRE = ('man/inetws.1', 'contrib/*', 'README.md', 'src/config/help.c',
           'src/config/table.c', 'src/stats/metrics*.c')

EVENT = r'\blog_(?:begin|event)\(\s*(?:&\w+,\s*)?\w+,\s*"([^"]*)"'
KEY = (r'\blog_(?:str|bytes|why|num|seconds)\(\s*&?\w+(?:->\w+)?,\s*'
       r'"([^"]*)"')
TITLES = ('words', 'time', 'the way there')     # retired titles of sections

WORD = re.compile(r'[A-Z]?[a-z]+|[A-Z]+(?![a-z])')
WORDS = re.compile('(?:%s)' % '|'.join(RETIRED), re.I)
PLACES = ('src', 'man', 'contrib', 'tests', 'README.md', 'Makefile')
BINARY = ('tests/fuzz/corpus/', 'tests/bench/chart.svg')


def files():
    """Those that git knows; all, where there is no git."""
    r = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard',
                        *PLACES], cwd=t.ROOT, stdout=subprocess.PIPE,
                       stderr=subprocess.DEVNULL)
    names = r.stdout.decode().split('\n')[:-1]
    if r.returncode or not names:
        names = [os.path.relpath(os.path.join(d, n), t.ROOT)
                 for place in PLACES
                 for d, _, found in os.walk(os.path.join(t.ROOT, place))
                 for n in found] + ['README.md', 'Makefile']
    return sorted(n for n in names if not n.startswith(BINARY) and
                  os.path.isfile(os.path.join(t.ROOT, n)))


def text_of(name):
    with open(os.path.join(t.ROOT, name), encoding='utf-8',
              errors='replace') as f:
        return f.read()


def retired(line):
    """The retired words in it, whole or as parts of identifiers."""
    return [w for w in WORD.findall(line) if WORDS.fullmatch(w)]


def instead(word):
    for pattern, new in RETIRED.items():
        if re.fullmatch(pattern, word, re.I):
            return new


def allowed(name, line, word):
    return any(fnmatch.fnmatch(name, where) and
               any(word in m[0] for m in re.finditer(what, line))
               for where, what, _ in ALLOWED)


def faults(name):
    """[text] of the retired words in a file."""
    found = ['%s: its name has "%s": %s' % (name, w, instead(w))
             for w in retired(name)]
    for number, line in enumerate(text_of(name).split('\n'), 1):
        for w in retired(line):
            if not allowed(name, line, w):
                found.append('%s:%d: "%s": %s' % (name, number, w,
                                                  instead(w)))
    return found


def wires(name):
    if not any(fnmatch.fnmatch(name, where) for where in NO_WIRE):
        return []
    return ['%s:%d: "wire": websocket' % (name, number)
            for number, line in enumerate(text_of(name).split('\n'), 1)
            if any(w.lower() in ('wire', 'wires') for w in WORD.findall(line))]


def titles(name):
    if not name.startswith('man/'):
        return []
    return ['%s: section "%s"' % (name, m[1])
            for m in re.finditer(r'(?m)^\.S[hs] (.*)$', text_of(name))
            if m[1].strip('"').lower() in TITLES]


def log_names(name):
    """Events and keys that are not lower-case words joined by hyphens."""
    if not name.startswith('src/'):
        return []
    return ['%s: log name "%s"' % (name, m[1])
            for pattern in (EVENT, KEY)
            for m in re.finditer(pattern, text_of(name))
            if not re.fullmatch(r'[a-z]+(-[a-z]+)*', m[1])]


def check(names, find, what):
    bad = [fault for n in names for fault in find(n)]
    if not t.ok(not bad, what):
        t.diag('\n'.join(bad[:100]))


def test_itself():
    t.is_(retired('a carrier_of doorsOpen; indoors, SEATS'),
          ['carrier', 'doors', 'SEATS'], 'it sees retired words')


def test_words():
    names = files()
    t.ok(len(names) > 300, '%d files are read' % len(names))
    check(names, faults, 'no retired word')
    check(names, wires, 'readers see websockets, no wires')
    check(names, titles, 'no retired title of a section')
    check(names, log_names, 'log events and keys have one form')


LOST = re.compile(r'(?m)^(?:/[*] | [*] )?If it fails: \S')


def test_docstrings():
    """Each test file says what a user loses if it fails, in its heading."""
    names = [n for n in files() if n.endswith('.t') and
             n.startswith('tests/') or fnmatch.fnmatch(n, 'tests/unit/*/*.c')]
    t.ok(len(names) > 200, '%d tests' % len(names))
    t.is_([n for n in names
           if not LOST.search('\n'.join(text_of(n).split('\n')[:40]))], [],
          'each test says what is lost if it fails')


if __name__ == '__main__':
    t.main()
