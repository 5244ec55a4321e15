#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every page is spelled as a British dictionary has it; other words are in
tests/lib/words.txt.

If it fails: a reader stumbles over a word, or takes it for a term.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402
import glob             # noqa: E402
import html.parser      # noqa: E402
import re               # noqa: E402

WORDS = os.path.join(t.ROOT, 'tests', 'lib', 'words.txt')
PAGES = ('*.md', 'CHANGES', '.github/*.md', '.github/*/*.md', 'man/*.[1-9]',
         'src/README.md', 'tests/README.md', 'tests/scenarios/README.md',
         'tests/scenarios/*/README.md', 'contrib/README.md',
         'contrib/*/README.md')


class Prose(html.parser.HTMLParser):
    """What is text in mandoc's HTML, without words that are to be typed."""

    NOT = ('code', 'var', 'pre', 'head', 'title')
    EMPTY = ('meta', 'link', 'br', 'hr', 'img')

    def __init__(self, page):
        super().__init__()
        self.text, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        of = dict(attrs).get('class') or ''
        if tag not in self.EMPTY:
            self.open.append(tag in self.NOT or of in (
                'Pa', 'Xr', 'head', 'foot', 'Ad', 'Lk'))

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            self.open.pop()
        self.text.append(' ' * (tag not in ('b', 'i', 'span', 'code', 'var',
                                            'a')))

    def handle_data(self, data):
        # A word that is joined to a typed one stays joined.
        self.text.append('`' if any(self.open) else data)


def prose(path):
    if path[-1].isdigit():
        mandoc, = t.need('mandoc')
        page = t.run([mandoc, '-Thtml', path]).stdout.decode()
        return ''.join(Prose(page).text)
    with open(path, encoding='utf-8') as f:
        text = f.read()
    if not path.endswith('CHANGES'):
        text = re.sub(r'(?m)^(?:    |\t).*$', '', text)
    text = re.sub(r'(?s)```.*?```|``.*?``|`.*?`', '`', text)
    text = re.sub(r'(?s)<!--.*?-->|<[^>]*>', ' ', text)
    return re.sub(r'\]\([^)]*\)|(?m:^---$)', ' ', text)


def misspelled(texts):
    """The words that the dictionary lacks, {word: files}."""
    aspell, = t.need('aspell')
    found = {}
    for path, text in texts.items():
        # Names of files and options, numbers with units, and joined words.
        text = re.sub(r'\S*[`_/=@~]\S*|\S*\w\.\w\S*|(?<!\w)--?\w\S*', ' ',
                      text)
        text = re.sub(r"'s?\b", ' ', text)
        r = t.run([aspell, 'list', '-l', 'en_GB-ize', '--encoding=utf-8',
                   '--ignore=2'], input=text.encode())
        if r.returncode:
            raise t.Skip('aspell has no British dictionary')
        for word in r.stdout.decode().split():
            found.setdefault(word, set()).add(os.path.relpath(path, t.ROOT))
    return found


def listed():
    with open(WORDS) as f:
        return [line.strip() for line in f if line[0] not in '#\n']


def test_pages():
    paths = sorted({p for pattern in PAGES
                    for p in glob.glob(os.path.join(t.ROOT, pattern))})
    t.ok(len(paths) > 15, '%d pages' % len(paths))
    found = misspelled({p: prose(p) for p in paths})
    known = set(listed())
    # At the beginning of a sentence and in a title too.
    used = {w if w in known else w.lower() for w in found
            if w in known or w.istitle() or w.isupper()}
    wrong = sorted(w for w in found if w not in known and
                   not ((w.istitle() or w.isupper()) and w.lower() in known))
    t.ok(not wrong, 'no misspelled word')
    for word in wrong:
        t.diag('%s: %s' % (word, ', '.join(sorted(found[word]))))
    t.is_(sorted(known - used), [], 'tests/lib/words.txt lists no other')
    t.is_(listed(), sorted(known, key=lambda w: (w.lower(), w)),
          'which is sorted, each once')


def test_itself():
    t.is_(sorted(misspelled({'x': 'A tunel is `not` --spelt recieved; '
                             'nor "wierd"'})), ['recieved', 'tunel', 'wierd'],
          'it sees misspelled words')


t.main()
