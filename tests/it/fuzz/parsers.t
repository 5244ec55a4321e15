#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Each file that takes apart what others wrote has a harness in tests/fuzz, and
tests/README.md says of each harness how long it ran and what it reached.

If it fails: a parser of bytes from the network is not fuzzed.
"""

import glob
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

FUZZ = os.path.join(t.ROOT, 'tests', 'fuzz')

# Folders in which each header has to be included by a harness, and the others
# that read what a peer, a child, a file or the kernel says.
ALL = ('base', 'proto', 'ws')
OTHERS = (
    'config/settings.h',            # files and command lines
    'connection/handoff.h',         # another process of the same user
    'connection/path_table.h',      # memory that children share
    'connection/waiting.h',
    'connection/worker_channel.h',
    'modes/status/status.h',        # the statistics page of an instance
    'net/changes.h',                # netlink
    'net/fdpass.h',
    'os/log.h',                     # texts of peers
    'stats/internal.h',             # memory that children share
    'supervisor/slots.h',
    'supervisor/internal.h',        # the channel of a child
    'tls/cert_error.h',             # certificates
    'tls/internal.h',               # tickets
    'tunnel/tunnel.h',              # frames
)
# Those that no harness names, and why.
NONE = {
    'base/error.h': 'puts words together',
    'base/hash.h': 'any bytes are right',
    'base/lines.h': 'in table, by files of users and agents',
    'proto/http_split.h': 'in http, behind proto/http.h',
}


def harnesses():
    return sorted(os.path.basename(p)[:-2]
                  for p in glob.glob(os.path.join(FUZZ, '*.c')))


def included(path, seen):
    """The headers of src/ that a file includes, by others too."""
    with open(path, encoding='utf-8') as f:
        for name in re.findall(r'(?m)^#include "([^"]+)"', f.read()):
            for place in (os.path.join(t.ROOT, 'src', name),
                          os.path.join(FUZZ, name)):
                if name not in seen and os.path.isfile(place):
                    seen.add(name)
                    if place.startswith(FUZZ):
                        included(place, seen)
    return seen


def test_parsers():
    seen = set()
    for name in harnesses():
        included(os.path.join(FUZZ, name + '.c'), seen)
    wanted = set(OTHERS)
    for folder in ALL:
        wanted |= {'%s/%s' % (folder, os.path.basename(p)) for p in
                   glob.glob(os.path.join(t.ROOT, 'src', folder, '*.h'))}
    t.ok(len(wanted) > 40, '%d headers' % len(wanted))
    t.is_(sorted(n for n in OTHERS if not os.path.isfile(
        os.path.join(t.ROOT, 'src', n))), [], 'all of them are there')
    t.is_(sorted(wanted - seen - set(NONE)), [], 'each has a harness')
    t.is_(sorted(set(NONE) & seen), [], 'those that have none have none')


def test_records():
    """The table of tests/README.md."""
    with open(os.path.join(t.ROOT, 'tests', 'README.md')) as f:
        section = re.search(r'(?ms)^## Fuzzers\n(.*?)^## ', f.read())
    rows = re.findall(r'(?m)^\| `(\w+)` \|.*\d', section[1] if section else '')
    t.is_(sorted(rows), harnesses(), 'has a row for each harness')
    t.is_([n for n in harnesses()
           if not glob.glob(os.path.join(FUZZ, 'corpus', n, '*'))], [],
          'and each has a corpus')


t.main()
