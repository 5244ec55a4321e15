#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Each message of src/ is explained in inetws-troubleshooting(7), or is marked
in lib/messages.txt as one that needs no look-up; and the page quotes nothing
that is not printed.

If it fails: a user finds no answer to a message, or looks for one that does
not exist any more.
"""

import collections
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402
import messages as m    # noqa: E402

# Words of the C library (glibc's and musl's) and of OpenSSL that are quoted,
# and looked for by check.
SYSTEM = {
    'Name or service not known', 'Name does not resolve',
    'Temporary failure in name resolution', 'Connection refused',
    'Network is unreachable', 'Network unreachable', 'Invalid argument',
    'Address not available',
    'Connection reset by peer', 'Cannot assign requested address',
    'No such device',
    'Address family for hostname not supported', 'Address already in use',
    'Address in use', 'Permission denied', 'Operation timed out',
    'no certificate or crl found', 'hostname mismatch', 'IP address mismatch', 'self-signed certificate',
    # in the pages of web servers
    'The plain HTTP request was sent to HTTPS port',
}
FOUND, EVENTS = m.collect(m.sources())
PAGE = m.page()
QUOTES = [q for e in PAGE for q in e.quotes]


def manual(name):
    with open(os.path.join(t.ROOT, 'man', name)) as f:
        return f.read()


def is_printed(quote):
    return any(quote in s for s in SYSTEM) or \
        any(m.is_in(quote, text) for text in FOUND)


def test_strings():
    """What is read from the sources is what is there."""
    some = t.folder() + '/some.c'
    with open(some, 'w') as f:
        f.write('/* error_set(why, 1, "in a comment"); */\n'
                'int f(void) {\n'
                '\terror_set(why, 1, "%s: too \\"long\\" by %" PRIu64\n'
                '\t    " bytes", a ? "one" : "the other");\n'
                '\tlog_event(L, "an-event", "why", "it is\\n", NULL);\n'
                '\treturn strcmp(s, "not a message") ? 0 : "a reason";\n}\n')
    found, events = m.collect(m.literals(some))
    t.is_(sorted(found), sorted([
        '%s: too "long" by %{PRIu64} bytes', 'one', 'the other', 'it is',
        'a reason']), 'strings of a file')
    t.is_(events, {'an-event'}, 'and its events')
    t.ok(m.is_in('answered 404', '%s answered %d%s'), 'a number of a quote')
    t.ok(not m.is_in('answered it', '%s answered %d%s'), 'but no word')
    t.ok(len(FOUND) > 700 and len(EVENTS) > 40, 'the sources have many')


def test_functions():
    t.is_(sorted(m.formats()), sorted(m.FORMATS),
          'functions that take a format: lib/messages.py says what they print')


def test_messages():
    missing = m.unaccounted()
    for text, places in missing.items():
        t.diag('%s: %s' % (' '.join(places), text))
    t.is_(len(missing), 0, 'each is on the page or in lib/messages.txt '
          '(.github/CONTRIBUTING.md: "How to add a message")')


def test_plain():
    """Those that need no look-up."""
    listed, where = {}, [None]
    with open(m.PLAIN) as f:
        lines = f.read().splitlines()
    for reason, text in m.plain():
        if text not in FOUND:
            t.ok(False, 'printed by src/: ' + text)
        if text in listed:
            t.ok(False, 'twice: ' + text)
        if any(m.is_in(q, text) for q in QUOTES):
            t.ok(False, 'on the page as well: ' + text)
        listed.setdefault(text, reason)
    t.ok(len(listed) > 300, 'the list')
    for line in lines:
        if not line.startswith('\t'):
            where = [line]
            m_ = re.match('under (.*?): ', line)
            if m_ and m_[1] not in QUOTES:
                t.ok(False, 'on the page: ' + m_[1])
        elif len(where) > 1 and line <= where[-1]:
            t.ok(False, 'sorted: ' + line)
            where.append(line)
        else:
            where.append(line)
    used = {reason for reason, _ in m.plain()}
    t.is_([x for x in lines if x and x[0] not in '#\t' and x not in used], [],
          'no reason without messages')


def test_quotes():
    """What the page quotes is printed."""
    first = manual('inetws.1')
    for entry in PAGE:
        for quote in entry.quotes:
            key, _, value = quote.partition('=')
            if key == 'event':
                t.ok(value in events_of(first), quote)
            elif key == 'end':
                t.ok(value in ends_of(first), quote)
            else:
                t.ok(is_printed(quote), 'printed: ' + quote)
    within = re.findall(r'(?m)^\.(?:Pq )?Ql (.*?)(?: [.,:;()])*$',
                        manual('inetws-troubleshooting.7'))
    t.ok(within, 'quotes in its texts')
    for quote in within:
        t.ok(is_printed(quote), 'printed: ' + quote)


def ends_of(text):
    """What the key "end" may be, as inetws(1) has it."""
    part = text.partition('\n.It Li end\n')[2].partition('\n.El')[0]
    return set(re.findall(r'(?m)^\.It ([a-z-]+)$', part))


def events_of(text):
    """What the section Events of inetws(1) explains."""
    part = text.partition('\n.Ss Events\n')[2].partition('\n.Sh ')[0]
    return {word for line in re.findall(r'(?m)^\.It Li (.*)$', part)
            for word in line.split(' , ')}


def test_ends():
    """How a tunnel ended is a symptom too."""
    with open(os.path.join(m.SRC, 'tunnel', 'states.c')) as f:
        names = f.read().partition('end_names[] = {')[2].partition('}')[0]
    ends = set(re.findall('"(.*?)"', names)) - {'going'}
    t.ok(len(ends) > 5, 'ends of tunnels')
    t.is_(ends, ends_of(manual('inetws.1')), 'are those of inetws(1)')
    t.is_(ends - {q[4:] for q in QUOTES if q.startswith('end=')},
          {'ended', 'stopped'}, 'and on the page, but those that are wanted')


def test_events():
    listed = events_of(manual('inetws.1'))
    t.is_(sorted(EVENTS - listed), [], 'each event is in inetws(1)')
    strings = {s.text for s in m.sources()}
    t.is_(sorted(listed - strings), [], 'and no other')


def test_keys():
    """So is each key of a line, or the event that has it tells of it."""
    page = manual('inetws.1')
    part = page.partition('\n.Ss Keys of a line\n')[2].partition('\n.Ss ')[0]
    told = {word for line in re.findall(r'(?m)^\.It Li (.*)$', part)
            for word in line.split(' , ')}
    events = page.partition('\n.Ss Events\n')[2].partition('\n.Sh ')[0]
    also = {word for line in re.findall(r'(?m)^\.(?:Pq )?Li (.*)$', events)
            for word in re.findall(r'[\w-]+', line)}
    keys = m.keys(m.sources())
    t.ok(len(keys) > 50, 'there are keys (%d)' % len(keys))
    t.is_(sorted(keys - told - also), [], 'each key is in inetws(1), '
          '"Keys of a line" (.github/CONTRIBUTING.md: "How to add an event")')
    t.is_(sorted(told - keys - {'ts', 'level', 'event'}), [], 'and no other')


def test_advice():
    """Each row of check's advice fits a message, and no two say the same."""
    sources = list(m.sources())
    rows = [s.text for s in sources if m.is_pattern(s)]
    t.ok(len(rows) > 20, 'rows with words')
    for words in (w for row in rows for w in row.split('|')):
        words = words.strip(': ')
        t.ok(words == '%' or is_printed(words), 'printed: ' + words)
    texts = collections.Counter(
        s.text for s in sources if m.is_pattern(s, 4))
    t.ok(len(texts) > 50, 'their texts')
    t.is_([text for text, n in texts.items() if n > 1], [], 'each once')


t.main()
