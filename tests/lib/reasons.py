# SPDX-License-Identifier: ISC
"""Lists of exceptions, each with its reason: what an analyzer finds and is no
fault, branches that cannot be taken, changes that no test can notice.

    FIELD | FIELD | reason

The last field may hold " | " itself.  Lines that begin with # are comments.
"""

import os
import sys


def read(path, n):
    """{(n fields): the line}; a line that has fewer, or no reason, or is there
    twice ends the program."""
    found = {}
    with open(path, encoding='utf-8') as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip('\n')
            if line == '' or line.startswith('#'):
                continue
            head, _, reason = line.rpartition(' | ')
            fields = tuple(head.split(' | ', n - 1))
            wrong = 'fields missing' if len(fields) < n or '' in fields else \
                'no reason' if reason.strip() == '' else \
                'twice' if fields in found else None
            if wrong:
                sys.exit('%s:%d: %s: %s' % (os.path.basename(path), number,
                                            wrong, line))
            found[fields] = line
    return found
