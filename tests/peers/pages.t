#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Each web page of the program in Chromium: that of --metrics with 0, 3 and 3,000
tunnels, and those of make html.  Light and dark, on a desktop and on a phone:
axe-core has nothing to complain of, no link is broken, nothing sticks out.

If it fails: people cannot read a page, or not without a mouse.

With INETWS_SCREENSHOTS=DIR the pictures are kept there.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import axe              # noqa: E402
import browser          # noqa: E402
import metrics_page     # noqa: E402
import glob             # noqa: E402

PHONE, WIDE = 360, 1400

def looks(b, name, less=''):
    """less: what takes a part of the page away that is like another, since
    axe-core would be at it for minutes."""
    each = [(s, w) for s in ('light', 'dark') for w in (WIDE, PHONE)]
    for scheme, width in each[:2] if less else each:
        b.look(scheme, width)
        as_ = '%s, %s, %d pixels' % (name, scheme, width)
        t.ok(b.scrolls_sideways() <= 0, as_ + ': no sideways scrolling')
        if os.environ.get('INETWS_SCREENSHOTS'):
            b.screenshot('%s-%s-%d' % (name, scheme, width))
    b.now(less)
    for scheme, width in each:
        b.look(scheme, width)
        axe.check(b, '%s, %s, %d pixels' % (name, scheme, width),
                  colours=scheme == 'dark')


def links(b):
    """Where links of this page lead to."""
    return b.now('return [...document.links].map(a => a.href)')


def metrics(b):
    s = metrics_page.watched(t.echo().port)
    b.get(s.url)
    looks(b, 'no tunnel')
    t.is_([x for x in links(b) if x.startswith(s.url) and t.http(
        t.port_of(s.url[7:-1]), '/' + x[len(s.url):].split('#')[0])[0] !=
           200], [], 'no link is broken')
    ws = [t.ws.connect(s.port)]
    _, fields, text = t.http(t.port_of(s.url[7:-1]), '/')
    ws += [t.ws.connect(s.port) for _ in range(2)]
    b.get(s.url)
    t.is_(len(metrics_page.column(b, 'Peer')), 3, 'three tunnels')
    looks(b, '3 tunnels')
    b.get(metrics_page.many(3000, fields, text))
    t.is_(len(metrics_page.column(b, 'Peer')), 3000, '3,000 tunnels')
    looks(b, '3,000 tunnels', '''
        document.querySelector('input[type=checkbox]').click();
        for (const e of document.querySelectorAll(
            '#tunnels tbody tr:nth-child(n+20)'))
            e.remove();''')
    b.get('about:blank')


def manuals(b):
    d = t.folder()
    os.chmod(d, 0o755)
    t.run([os.path.join(t.ROOT, 'contrib', 'html', 'build'), d])
    lost, ids = [], {}
    pages = sorted(glob.glob(d + '/*.html'))
    for path in pages:
        b.get('file://' + path)
        ids['file://' + path] = set(b.now(
            'return [...document.querySelectorAll("[id]")].map(e => e.id)'))
        lost += [(os.path.basename(path), x) for x in links(b)
                 if x.startswith('file:')]
        b.look('light', PHONE)
        t.is_(b.now('''return [...document.querySelectorAll(
            'table.head td, table.Nm td:first-child')].filter(e => {
                const r = document.createRange();
                r.selectNodeContents(e);
                return r.getBoundingClientRect().height > 30
            }).map(e => e.textContent)'''), [], 'no name is torn')
        looks(b, os.path.basename(path))
    t.is_([(p, x) for p, x in lost if x.partition('#')[0] not in ids or (
        '#' in x and x.partition('#')[2] not in ids[x.partition('#')[0]])],
        [], 'no link is broken (%d)' % len(lost))
    b.get('about:blank')


@t.limit(900)
def test_pages():
    t.need('mandoc')
    b = browser.Browser()
    metrics(b)
    manuals(b)


t.main()
