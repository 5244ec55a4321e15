#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The page of --metrics in Chromium: light and dark, on a phone, with 0, 3 and
3,000 tunnels; rates, sorting, filter, by keyboard.

If it fails: a user who looks at the page does not see what the tunnels do, or
cannot use it without a mouse.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402
from metrics_page import column, many, watched  # noqa: E402
import signal           # noqa: E402

PHONE, WIDE = 360, 1400
ENTER, TAB = '\ue007', '\ue004'


LOOKS = [(s, w) for s in ('light', 'dark') for w in (WIDE, PHONE)]


def looks(b, name, of=LOOKS):
    for scheme, width in of:
        b.look(scheme, width)
        as_ = '%s, %s, %d pixels' % (name, scheme, width)
        t.ok(b.scrolls_sideways() <= 0, as_ + ': no sideways scrolling')
        t.ok(abs(b.screenshot().at(1, 1)[0] -
                 {'light': 255, 'dark': 18}[scheme]) < 20,
             as_ + ': its background')


def get(b, url):
    """Opens it; behind its first refresh, which comes in a second, it refreshes
    itself twenty times as often as it would."""
    b.get(url)
    b.now('const slow = setTimeout; setTimeout = (f, ms) => slow(f, ms / 20)')


@t.limit(120)
def test_none():
    s = watched(t.echo().port)
    b = browser.Browser()
    b.get(s.url)
    t.is_(column(b, 'Peer'), [], 'no tunnel')
    looks(b, 'without tunnels', (LOOKS[0], LOOKS[3]))


@t.limit(120)
def test_three():
    s = watched(t.echo().port)
    tunnels = [t.ws.connect(s.port) for _ in range(3)]
    sizes = (4000, 900000, 50)
    for w, size in zip(tunnels, sizes):
        w.send(b'x' * size)
        t.is_(len(w.take_data(size)), size, 'echoed')
    b = browser.Browser()
    get(b, s.url)
    t.is_(sorted(column(b, 'Up')), sorted(['4.0 kB', '900.0 kB', '50 B']),
          'totals')
    b.now('window.still = 1')
    rates = t.until(lambda: '-' not in column(b, 'Up/s') and
                    column(b, 'Up/s'), 4 * t.BOUND)
    t.is_(rates, ['0 B/s'] * 3, 'rates, of what moves now')

    def moving():
        tunnels[0].send(b'y' * 3000)
        tunnels[0].take_data(3000)
        return [r for r in column(b, 'Down/s') if r not in ('-', '0 B/s')]
    moving()
    t.ok(t.until(moving, 4 * t.BOUND, pause=0.2), 'and then some move')
    t.like(b.now('return document.getElementById("rates").textContent'),
           r'now .*B/s up, .*B/s down', 'the sum of the rates')
    looks(b, 'three tunnels')

    b.look('light', WIDE)
    b.now('document.querySelector(\'th[data-n="Up"] button\').focus()')
    b.key(ENTER)
    up = column(b, 'Up')
    t.is_(up[0], '900.0 kB', 'Return on a column sorts, the largest first')
    t.is_(up[2], '50 B', 'by number, not by text')
    b.key(ENTER)
    t.is_(column(b, 'Up')[0], '50 B', 'and once more, the smallest')
    t.is_(b.now('return document.activeElement.parentNode'
                '.getAttribute("aria-sort")'), 'ascending', 'which is told')
    b.key(TAB)
    t.is_(b.now('return document.activeElement.textContent'), 'Up/s',
          'Tab goes to the next column')

    peer = column(b, 'Peer')[0]
    b.now('document.querySelector("input[type=search]").focus()')
    b.type(peer)
    t.is_(column(b, 'Peer'), [peer], 'what is typed filters')
    t.is_(b.now('return document.querySelector("output").textContent'),
          '1 of 3 shown', 'and says how many are left')
    tunnels.append(t.ws.connect(s.port))
    t.ok(t.until(lambda: b.now(
        'return document.querySelector("output").textContent') ==
        '1 of 4 shown', 4 * t.BOUND), 'it goes on refreshing, and filtering')
    t.is_(b.now('return [window.still, document.activeElement.type]'),
          [1, 'search'], 'without leaving the page, or the filter')
    b.get('about:blank')
    get(b, s.url + '#sort=Up&filter=' + peer)
    t.is_(column(b, 'Peer'), [peer], 'the address keeps what was chosen')

    b.now('''document.querySelector("input[type=search]").value = "";
          document.querySelector("input[type=checkbox]").click()''')
    s.stop(signal.SIGKILL)
    b.now('document.querySelector("input[type=checkbox]").click()')
    t.ok(t.until(lambda: 'No answer since' in b.now(
        'return document.querySelector("[role=alert]").textContent'),
        4 * t.BOUND), 'a server that is gone is told')


@t.limit(120)
def test_3000():
    s = watched(t.echo().port)
    w = t.ws.connect(s.port)
    page = s.url.split(':')[2].strip('/')
    _, fields, text = t.http(int(page), '/')
    b = browser.Browser()
    b.get(many(3000, fields, text))
    t.is_(len(column(b, 'Peer')), 3000, '3,000 rows')
    for scheme, width in (('light', WIDE), ('dark', PHONE)):
        b.look(scheme, width)
        t.ok(b.scrolls_sideways() <= 0, '%d pixels: no sideways scrolling' %
             width)
    ms = b.now('''const begin = performance.now();
        document.querySelector('th[data-n="Process"] button').click();
        document.body.offsetHeight; return performance.now() - begin''')
    t.is_(column(b, 'Process')[:2], ['2999', '2998'], 'sorted')
    t.ok(ms < 5000 * t.SCALE, 'in a moment (%d ms)' % ms)
    b.now('document.querySelector("input[type=search]").focus()')
    b.type('10.1.7.17:')
    t.is_(column(b, 'Process'), ['1767'], 'and one of them found')
    w.bye()


t.main()
