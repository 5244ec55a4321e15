#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make html: the manuals as pages, whose links lead somewhere.

If it fails: a user who reads the manual in a browser ends nowhere.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402
import glob             # noqa: E402
import html.parser      # noqa: E402


class Page(html.parser.HTMLParser):
    """The links and the ids of a page, and whether its elements are closed."""

    EMPTY = ('meta', 'link', 'br', 'hr', 'img')

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.open, self.wrong = [], [], [], []
        with open(path) as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if 'href' in attrs:
            self.links.append(attrs['href'])
        if 'id' in attrs:
            self.ids.append(attrs['id'])

    def handle_endtag(self, tag):
        if tag not in self.EMPTY and (not self.open or
                                      self.open.pop() != tag):
            self.wrong.append(tag)


def test_pages():
    t.need('mandoc')
    d = t.folder()
    r = t.run([os.path.join(t.ROOT, 'contrib', 'html', 'build'), d])
    t.is_(r.returncode, 0, 'it makes them')
    pages = {os.path.basename(p): Page(p) for p in glob.glob(d + '/*.html')}
    t.is_(len(pages), 1 + len(glob.glob(t.ROOT + '/man/*.[1-9]')),
          'a page for each manual, and one that lists them')
    for name, page in sorted(pages.items()):
        t.is_(page.open + page.wrong, [], name + ': elements are closed')
        t.is_(len(page.ids), len(set(page.ids)), 'an id is one place')
        lost = []
        for link in page.links:
            to, _, part = link.partition('#')
            if '://' in to or to.endswith('.css'):
                continue
            other = pages.get(to) if to else page
            if other is None or part and part not in other.ids:
                lost.append(link)
        t.is_(lost, [], 'no link is broken')


@t.limit(120)
def test_browser():
    """As on a screen and on a phone, light and dark."""
    t.need('mandoc')
    d = t.folder()
    os.chmod(d, 0o755)
    t.run([os.path.join(t.ROOT, 'contrib', 'html', 'build'), d])
    b = browser.Browser()
    for i, path in enumerate(sorted(glob.glob(d + '/*.html'))):
        name = os.path.basename(path)
        b.get('file://' + path)
        for scheme in ('light', 'dark'):
            for width in (1000, 360):
                b.look(scheme, width)
                t.ok(b.scrolls_sideways() <= 0, '%s, %d pixels: no sideways '
                     'scrolling' % (name, width))
            if i == 0:      # they have one style
                t.ok(abs(b.screenshot().at(1, 1)[0] - (
                    250 if scheme == 'light' else 24)) < 20, scheme)


t.main()
