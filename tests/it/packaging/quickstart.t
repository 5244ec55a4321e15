#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What contrib/quickstart check says at its end, of a tree whose tests fail in
all ways.

If it fails: a user who reads the last lines of continuous integration is not
told what failed, or is told that nothing did.
"""

import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

TOOLS = ('sh', 'make', 'prove', 'perl', 'env', 'mktemp', 'dirname',
         'cat', 'tee', 'sed', 'grep', 'awk', 'paste', 'tail', 'rm',
         'mkdir', 'xargs', 'touch', 'gcc', 'cc')

TAP = '''import sys
sys.path.insert(0, %r)
import tap
''' % os.path.join(t.ROOT, 'tests', 'lib')

TESTS = {
    'good.t': TAP + 'tap.ok(True, "good")\ntap.done()\n',
    'once.t': TAP + '''import os
seen = os.path.exists("seen")
open("seen", "w").close()
tap.ok(True, "one")
tap.is_(seen, True, "the second time")
tap.done()
''',
    'never.t': TAP + '''
def test_raises():
    raise ValueError("no such luck\\nand more")
tap.ok(False, "one")
tap.ok(False, "two of #2")
tap.main()
''',
    'dies.t': 'import os\nprint("ok 1", flush=True)\nos.kill(os.getpid(), 9)\n',
}

UNIT = '''#include "tap.h"
int
main(void)
{
	ok(1, "one");
	is(1, 2, "a number");
	return done_testing();
}
'''

MAKEFILE = '''B = build
PROVE = prove
PROVEFLAGS = -j2
reports = $(abspath $B)/reports
state = $(reports)/state
%s
lint:
	@test $(STYLE) || { echo 'a line of lint: wrong'; exit 1; }
all unit distcheck:
	@:
check:
	$(call run_tests,$(if $(SAN),tests/it/good.t,$(TESTS)))
.PHONY: lint all unit distcheck check
'''


def tree(tests):
    """A clone with these tests instead, and what runs and counts them."""
    d = t.folder()
    for name in 'contrib', 'bin', 'tests/it', 'tests/unit/ws', 'tests/lib':
        os.makedirs(os.path.join(d, name))
    shutil.copy(os.path.join(t.ROOT, 'contrib', 'quickstart'), d + '/contrib')
    with open(os.path.join(t.ROOT, 'Makefile')) as f:
        rule = re.search(r'(?ms)^define run_tests\n.*?^endef\n', f.read())[0]
    with open(d + '/Makefile', 'w') as f:
        f.write(MAKEFILE % rule)
    open(d + '/tests/lib/axe.py', 'w').close()
    for name in tests:
        path = d + '/tests/it/' + name
        with open(path, 'w') as f:
            f.write('#!%s\n' % sys.executable + TESTS[name])
        os.chmod(path, 0o755)
    # Without dpkg-query it installs nothing.
    for name, path in zip(TOOLS, t.need(*TOOLS)):
        os.symlink(path, d + '/bin/' + name)
    os.symlink(sys.executable, d + '/bin/python3')
    return d


def check(d, files, *more):
    return t.run(['env', '-i', 'PATH=%s/bin' % d, 'HOME=' + d, *more,
                  'TESTS=' + ' '.join(files), d + '/bin/sh',
                  d + '/contrib/quickstart', 'check'], cwd='/',
                 timeout=60 * t.SCALE)


def sections(text):
    """prove runs files in any order."""
    return [sorted(x.split('\n')) for x in text.strip().split('\n\n')]


def end_of(ran):
    """What stands behind the last part."""
    return sections(ran.stdout.decode().rpartition('CHECK=unit\n')[2])


@t.limit(90)
def test_causes():
    d = tree(TESTS)
    source, unit = 'tests/unit/ws/bad.c', 'build/tests/unit/ws/bad.t'
    os.makedirs(os.path.dirname(os.path.join(d, unit)))
    with open(os.path.join(d, source), 'w') as f:
        f.write(UNIT)
    r = t.run(['cc', '-I', os.path.join(t.ROOT, 'tests', 'unit'), '-o', unit,
               source], cwd=d)
    t.is_(r.returncode, 0, 'a unit test is built') or t.diag(r.stderr)
    ran = check(d, ['tests/it/' + n for n in TESTS] + [unit])
    t.is_(ran.returncode, 1, 'it fails')
    t.is_(end_of(ran), sections('''
passed only when run once more: tests/it/once.t
tests: tests/it/once.t: failed 2: the second time

failed:
lint: a line of lint: wrong
lint: make: *** [Makefile:21: lint] Error 1
tests: tests/it/dies.t          (Wstat: 9 (Signal: KILL) Tests: 1 Failed: 0)
tests: Non-zero wait status: 9
tests: Parse errors: No plan found in TAP output
tests: tests/it/never.t: failed 1: one
tests: tests/it/never.t: failed 2: two of #2
tests: tests/it/never.t: failed 3: test_raises ran to its end: ValueError: \
no such luck
tests: tests/unit/ws/bad.c: failed 2: a number

8 passed, 6 failed
'''), 'and says what failed') or t.diag(ran.stdout.decode())


@t.limit(90)
def test_steady():
    d = tree(['good.t'])
    ran = check(d, ['tests/it/good.t'], 'STYLE=good')
    t.is_((ran.returncode, end_of(ran)), (0, [['6 passed, 0 failed']]),
          'nothing more where nothing failed') or t.diag(ran.stdout.decode())


@t.limit(90)
def test_renamed_packages():
    """Libraries that Debian 13 has under another name are there, others are
    not."""
    d = tree(['good.t'])
    for name, script in (
            ('id', 'echo 0'), ('apt-get', 'exit 1'),
            ('dpkg-query', 'for p; do :; done\ncase $p in $LACKS) exit 1 ;; '
             'esac\necho install ok installed')):
        with open(d + '/bin/' + name, 'w') as f:
            f.write('#!/bin/sh\n%s\n' % script)
        os.chmod(d + '/bin/' + name, 0o755)
    for lacks, missing in (('libevent-2.1-7', []), ('libtirpc3', []),
                           ('squid*', ['squid'])):
        ran = check(d, ['tests/it/good.t'], 'STYLE=good', 'LACKS=' + lacks)
        t.is_(re.findall(r'# cannot install (\S+):', ran.stdout.decode()),
              missing, 'without %s: %s is missing' % (lacks, missing))


t.main()
