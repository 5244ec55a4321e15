#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""tests/rfc6455.md names every MUST and SHOULD of RFC 6455 and every demand of
inetws-protocol(7), and a test for each that exists and is run; so does the
source of inetws(1) for what it says of attackers.

If it fails: (developers) a rule of a standard, or a promise of the manual, can
be broken unnoticed.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

PAGE = 'tests/rfc6455.md'
PROTOCOL = 'man/inetws-protocol.7'

# How often each section of RFC 6455 that demands something does so, as
# (MUST, MUST NOT, SHOULD, SHOULD NOT).  Examples and definitions do not count.
SECTIONS = {
    '3': (1, 1, 0, 0), '4.1': (39, 0, 3, 0), '4.2.1': (1, 0, 0, 1),
    '4.2.2': (8, 2, 0, 0), '4.3': (1, 0, 0, 0), '4.4': (1, 0, 0, 0),
    '5.1': (3, 1, 0, 0), '5.2': (10, 0, 0, 0), '5.3': (3, 1, 0, 0),
    '5.4': (4, 6, 0, 0), '5.5': (1, 1, 0, 0), '5.5.1': (4, 2, 2, 0),
    '5.5.2': (1, 0, 1, 0), '5.5.3': (0, 0, 0, 0), '5.6': (1, 0, 0, 0),
    '5.8': (1, 0, 0, 0), '6.1': (8, 0, 0, 0), '6.2': (5, 0, 0, 0),
    '7.1.1': (0, 0, 4, 0), '7.1.2': (1, 0, 1, 0), '7.1.7': (2, 1, 2, 1),
    '7.2.1': (2, 0, 0, 1), '7.2.2': (1, 0, 0, 0), '7.2.3': (0, 0, 3, 0),
    '7.3': (0, 0, 0, 1), '7.4.1': (0, 3, 1, 0), '8.1': (1, 0, 0, 0),
    '9': (1, 1, 0, 0), '9.1': (4, 1, 0, 0), '10.1': (0, 0, 0, 0),
    '10.2': (0, 0, 2, 0), '10.3': (1, 0, 0, 0), '10.4': (1, 0, 1, 0),
    '10.6': (1, 0, 1, 0), '10.7': (1, 0, 2, 0), '11.1.1': (2, 0, 0, 0),
    '11.1.2': (2, 0, 0, 0), '11.3.1': (0, 1, 0, 0), '11.3.2': (0, 1, 0, 0),
    '11.3.3': (0, 1, 0, 0), '11.3.4': (0, 1, 0, 0), '11.3.5': (0, 1, 0, 0)}
WORDS = ('MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT')

# What makes a sentence of the protocol's page a demand.
DEMAND = re.compile(r'\b(must|should|never|ha(s|ve) to)\b|protocol errors?\b')

# A line of a proxy's configuration that logs the field with a session's ID.
LOGGED = re.compile(r'(?im)^.*\b(log|capture)\w*\b.*sec.websocket.ext')

MACRO = re.compile(r'\b(Ql|Em|Sx|Xr|Fl|Ar|Ns|Pq|Er|Sq|Dq|Li|Ta|No|Pa)\b ?')


def text_of(name):
    with open(os.path.join(t.ROOT, name), encoding='utf-8') as f:
        return f.read()


def tables():
    """{title: [cells of a row]} of the page."""
    found, title = {}, None
    for line in text_of(PAGE).split('\n'):
        if line.startswith('## '):
            title = line[3:]
            found[title] = []
        elif line.startswith('| ') and title is not None:
            found[title].append(line.strip('| ').split(' | '))
    return {title: rows[1:] for title, rows in found.items()}


def is_there(name):
    """Is FILE::FUNCTION a test that is run?"""
    path, _, function = name.partition('::')
    path = os.path.join(t.ROOT, 'tests', path)
    if not os.path.isfile(path):
        return False
    text = text_of(path)
    if path.endswith('.c'):
        return (re.search(r'(?m)^%s\(' % function, text) is not None and
                (function == 'main' or
                 len(re.findall(r'\b%s\(' % function, text)) > 1))
    return (function.startswith('test_') and
            re.search(r'(?m)^def %s\(' % function, text) is not None)


def counted(demand):
    """(MUST, MUST NOT, SHOULD, SHOULD NOT) of "2 MUST, SHOULD: this"."""
    n = [0, 0, 0, 0]
    for part in demand.partition(': ')[0].split(', '):
        m = re.fullmatch(r'(\d+ )?([A-Z ]+)', part)
        if m and m[2] in WORDS:
            n[WORDS.index(m[2])] += int(m[1] or 1)
    return n


def sentences():
    """[(section, sentence)] of the protocol's page, without tables."""
    found, section, words, skipped = [], '', [], None

    def flush():
        text = re.sub(r' ([.,;:)])', r'\1', ' '.join(words))
        found.extend((section, s) for s in re.split(
            r'(?<=\.) (?=[A-Z(])', text) if s)
        words.clear()
    for line in text_of(PROTOCOL).split('\n'):
        if skipped is not None:
            skipped = None if line.startswith(skipped) else skipped
        elif line.startswith('.\\"'):
            pass
        elif line.startswith(('.Sh', '.Ss')):
            flush()
            section = line[4:].strip('"')
        elif line.startswith(('.Bl -column', '.Bd')):
            flush()
            skipped = '.El' if line.startswith('.Bl') else '.Ed'
        elif re.match(r'\.(Pp|Bl|El|It|Dl)\b', line):
            flush()
            if line.startswith('.It '):
                words.append(MACRO.sub('', line[4:]))
        elif line.startswith('.'):
            words.append(MACRO.sub('', line[1:]))
        else:
            words.append(re.sub(r'\\\(mi', '-', line))
    flush()
    return found


def quoted(cell):
    """The words of the sentence, without the remark behind them."""
    return cell.split('"')[1]


def test_rows():
    for title, rows in tables().items():
        t.ok(rows, title)
        for row in rows:
            if len(row) != (3 if title.startswith('inetws') else 4):
                t.ok(False, 'a row of %d cells: %s' % (len(row), row))
            elif row[-1] == '–':
                t.ok(row[2].startswith('does not concern: '),
                     '%s: no test: the reason' % row[0])
            else:
                t.is_([n for n in row[-1].split(', ') if not is_there(n)], [],
                      '%s %s: its tests are run' % (title.split(',')[0],
                                                    row[0]))


def test_rfc6455():
    sums = {}
    for row in tables()['RFC 6455, The WebSocket Protocol']:
        n = sums.setdefault(row[0], [0, 0, 0, 0])
        sums[row[0]] = [a + b for a, b in zip(n, counted(row[1]))]
    t.is_(sorted(set(SECTIONS) ^ set(sums)), [], 'each section has rows')
    for section, want in SECTIONS.items():
        t.is_(tuple(sums.get(section, ())), want,
              'section %s: all its demands' % section)


def test_protocol():
    rows = tables()['inetws-protocol(7)']
    page = sentences()
    demands = [s for s in page if DEMAND.search(s[1])]
    t.ok(len(demands) > 30, '%d demands' % len(demands))
    for section, phrase, _ in rows:
        t.ok(any(section == where and quoted(phrase) in text
                 for where, text in page),
             '%s: %s' % (section, phrase))
    t.is_([d for d in demands if not any(
        r[0] == d[0] and quoted(r[1]) in d[1] for r in rows)], [],
        'each demand has a row')


def test_attackers():
    """Behind each sentence of the section a comment names its tests."""
    section = re.search(r'(?ms)^\.Ss Who can attack.*?^\.El$',
                        text_of('man/inetws.1'))[0]
    words, sentences, attackers = [], 0, 0
    for line in section.split('\n')[2:]:
        if line.startswith('.\\" '):
            sentences += 1
            t.is_([n for n in line[4:].split(', ') if not is_there(n)], [],
                  ' '.join(words)[:100])
            words.clear()
        elif line.startswith(('.It', '.El')):
            t.is_(words, [], 'all above has a test: %s' % line)
            attackers += line.startswith('.It')
        else:
            words.append(MACRO.sub('', line.lstrip('.')))
            t.ok(not re.search(r'[.] [A-Z]', line) and not (
                len(words) > 1 and words[-2].endswith('.') and
                re.match('[A-Z]', line)), 'one sentence a test: ' + line)
    t.ok(attackers >= 11 and sentences > 35, '%d attackers, %d sentences' %
         (attackers, sentences))


def test_promises():
    """Each promise above that section names its tests, too; and what is tested
    of attackers alone is a sentence of the page."""
    page = re.search(r'(?ms)^\.Sh SECURITY.*?^\.Sh ',
                     text_of('man/inetws.1'))[0]
    above = page.partition('.Ss Who can attack')[0]
    items = re.split(r'(?m)^\.It ', above)[1:]
    t.ok(len(items) >= 7, '%d promises' % len(items))
    for item in items:
        names = [n for line in item.split('\n') if line.startswith('.\\" ')
                 for n in line[4:].split(', ')]
        t.ok(names and all(map(is_there, names)),
             'its tests are run: ' + item.split('\n')[0])
    t.is_([n for n in re.findall(r'(?m)^def (test_\w+)',
                                 text_of('tests/it/attackers.t'))
           if 'it/attackers.t::%s' % n not in re.split(r'[\s,]+', page)], [],
          'each test of attackers shows a sentence')


def test_examples():
    """No configuration that we give logs the secret of a session."""
    found = []
    for d, _, names in os.walk(os.path.join(t.ROOT, 'contrib')):
        for name in names:
            with open(os.path.join(d, name), errors='replace') as f:
                if LOGGED.search(f.read()):
                    found.append(name)
    for page in ('man/inetws.1', 'man/inetws-examples.7', 'README.md'):
        if LOGGED.search(text_of(page)):
            found.append(page)
    t.is_(found, [], 'no example logs Sec-WebSocket-Extensions')


t.main()
