#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""`make mutants` changes what it says, and what it leaves out is still there.

If it fails: (developers) nobody learns that a test no longer notices faults.

tests/long/mutants.t runs it.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'mutants'))
sys.dont_write_bytecode = True
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402
import changes          # noqa: E402
import mentions         # noqa: E402
import reasons          # noqa: E402
import related          # noqa: E402
import run              # noqa: E402

SOURCE = r'''
#define ONE	1	/* 1 == 1 */
static const int table[] = { 1, 2 };

static int
first(int a, const char *s)
{
	const int *p = &table[0];	// a < 0
	long n;

	if (a < 0 && *s != '\'')
		return -1;
	n = 1;
	log_it("a < b; c == 1");
	n = 1;
	n = a - 0x10u;
	for (a = 8; (p[0] & 6) == 4;
	    a++)
		step(a,
		    7);
	switch (a) {
	case ONE:
		s->count += n;
		break;
	}
	return !a;
}

int second(void);

void
second(void)
{
	struct s x = { .y = -1 };

	free(x);
}
'''

# (function, old line, new line) of all that is to be found there.
WANTED = '''
first | const int *p = &table[0]; // a < 0 | const int *p = &table[1]; // a < 0
first | if (a < 0 && *s != '\\'') | if (!(a < 0 && *s != '\\''))
first | if (a < 0 && *s != '\\'') | if (a <= 0 && *s != '\\'')
first | if (a < 0 && *s != '\\'') | if (a < 1 && *s != '\\'')
first | if (a < 0 && *s != '\\'') | if (a < 0 || *s != '\\'')
first | if (a < 0 && *s != '\\'') | if (a < 0 && *s == '\\'')
first | if (a < 0 && *s != '\\'') | if (a < 0 && *s != ('\\'' + 1))
first | return -1; | return 0;
first | return -1; | return -2;
first | return -1; | return -0;
first | log_it("a < b; c == 1"); | ;
first | n = 1; | ;
first | n = 1; | n = 2;
first | n = 1; | n = 0;
first | n = a - 0x10u; | ;
first | n = a - 0x10u; | n = a + 0x10u;
first | n = a - 0x10u; | n = a - 0x11u;
first | n = a - 0x10u; | n = a - 0xfu;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 9; (p[0] & 6) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 7; (p[0] & 6) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[1] & 6) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] | 6) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] & 7) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] & 5) == 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] & 6) != 4;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] & 6) == 5;
first | for (a = 8; (p[0] & 6) == 4; | for (a = 8; (p[0] & 6) == 3;
first | a++) | a--)
first | step(a, 7); | ;
first | 7); | 8);
first | 7); | 6);
first | s->count += n; | ;
first | s->count += n; | s->count -= n;
first | return !a; | return 0;
first | return !a; | return a;
second | struct s x = { .y = -1 }; | struct s x = { .y = -2 };
second | struct s x = { .y = -1 }; | struct s x = { .y = -0 };
second | free(x); | ;
'''


def source():
    path = os.path.join(t.folder(), 'x.c')
    with open(path, 'w') as f:
        f.write(SOURCE)
    return changes.Source(path)


def test_changes():
    s = source()
    found = s.changes()
    got = {'%s | %s | %s' % (c.function, c.old, c.new) for c in found}
    want = {line for line in WANTED.splitlines() if line}
    t.is_(sorted(got - want), [], 'no change but those that are wanted')
    t.is_(sorted(want - got), [], 'and all of these')
    t.is_(len({c.name for c in found}), len(found), 'each has its own name')
    t.is_({c.apply().count('\n') for c in found}, {s.text.count('\n')},
          'none moves a line')
    t.ok(all(c.apply() != s.text for c in found), 'each changes something')
    t.is_({c.key[2] for c in found if c.is_repeated},
          {'return -1; / n = 1;', 'log_it("a < b; c == 1"); / n = 1;'},
          'lines that read the same are told apart')


def test_related():
    """Each file of src/ has a test, and each test that is named is there."""
    os.chdir(t.ROOT)
    units = [os.path.join(d, n) for d, _, names in os.walk('tests/unit')
             for n in names if n.endswith('.c')]
    bad = []
    for d, _, names in sorted(os.walk('src')):
        for path in [d + '/' + n for n in names if n.endswith('.c')]:
            tests = related.integration(path)
            lost = [x for x in tests if not os.path.exists(x)]
            if lost or not (tests or related.unit(path, units)):
                bad.append('%s: %s' % (path, lost or 'no test'))
    t.is_(bad, [], 'every file of src/')


def test_mentions():
    """Tests are found by an option, a message, a name; not by common words."""
    root = t.folder()
    for path, text in (
            ('src/config/table.c', '{ OPTION("drain", time, limits.drain) }'),
            ('src/net/way.c', """#include "os/clock.h"
             /* "seldom said" */ if (o->limits.drain) log("no way to %s\\n",
             "often said");"""),
            ('tests/it/a/option.t', "x('--drain', '5s')"),
            ('tests/it/a/other.t', "x('--drainage', 'seldom said')"),
            ('tests/it/a/message.t', "like('no way to ')"),
            ('tests/it/a/way.t', ''), ('tests/it/a/clock.t', ''),
            *(('tests/it/b/%d.t' % i, 'often said') for i in range(20))):
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), 'w') as f:
            f.write(text)
    found = mentions.Mentions(root)
    t.is_(found.of('src/net/way.c'), [
        'tests/it/a/' + n for n in ('way.t', 'message.t', 'option.t',
                                    'clock.t')], 'the most telling is first')
    t.is_(found.of('src/net/way.c', ['tests/it/a/way.t'])[0],
          'tests/it/a/message.t', 'and what is known is left out')
    os.chdir(t.ROOT)
    t.ok('tests/it/supervisor/huge_text.t' in mentions.Mentions().of(
        'src/supervisor/startup.c'), 'who reads an option has its test')


def test_reasons():
    """A list of exceptions: each line has its fields and a reason, once."""
    path = t.folder() + '/list'

    def read(*lines):
        with open(path, 'w') as f:
            f.write('\n'.join(lines) + '\n')
        try:
            return reasons.read(path, 2)
        except SystemExit as e:
            return str(e)

    t.is_(read('# a comment', '', 'a b | c | why', 'a | c | d | why'),
          {('a b', 'c'): 'a b | c | why', ('a', 'c | d'): 'a | c | d | why'},
          'fields, the last with what separates them')
    for line, wrong in (('a | b', 'fields missing'), ('a', 'fields missing'),
                        (' | b | why', 'fields missing'),
                        ('a | b | ', 'no reason'), ('a | c | x', 'twice')):
        t.is_(read('a | c | why', line), 'list:2: %s: %s' % (wrong, line),
              '%r: %s' % (line, wrong))


def test_equivalent():
    os.chdir(t.ROOT)
    t.is_(run.stale(run.read_equivalent()), [],
          'each line of tests/mutants/equivalent is in the source')
    t.is_(len(run.stale({('src/base/str.c', 'none', 'a', 'b'): 'reason'})), 1,
          'and one that is not would be told')


t.main()
