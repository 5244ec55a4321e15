#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The page of --metrics in Chromium, on a desktop and on a phone.

If it fails: people cannot read the status page.

With INETWS_SCREENSHOTS=DIR the pictures are kept there.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402
import reverse          # noqa: E402

WIDE, NARROW = 1400, 360
# A browser may take longer than tunnels last in these states by default.
LASTING = ('--handshake-timeout', '10m', '--linger', '10m', '--ping-timeout',
           '10m')
LONG = 'x' * 90 + '.example.org'

# What a reader sees of the page.
LOOK = '''
const r = document.documentElement, rows = document.querySelectorAll('tbody tr');
const seen = (e) => getComputedStyle(e).display;
const box = rows.length ? rows[0].getBoundingClientRect() : null;
return { inner: innerWidth, scroll: r.scrollWidth, rows: rows.length,
	head: seen(document.querySelector('thead')),
	row: rows.length ? seen(rows[0]) : '',
	label: rows.length ? getComputedStyle(rows[0].children[2], '::before')
	    .content : '',
	text: document.body.innerText, right: box ? box.right : 0,
	word: rows.length ? (() => { const x = document.createRange();
	    x.selectNodeContents(rows[0].children[2]);
	    return x.getBoundingClientRect().height; })() : 0,
	font: parseFloat(getComputedStyle(document.body).fontSize) };
'''


class Page(browser.Browser):
    def size(self, width, height=900):
        """A window is never narrow enough for a phone: it is emulated."""
        self.cdp('Emulation.setDeviceMetricsOverride', width=width,
                 height=height, deviceScaleFactor=1, mobile=width < 500)

    def cdp(self, command, **params):
        return self._ask('POST', '/goog/cdp/execute',
                         {'cmd': command, 'params': params})


def busy():
    """A server with tunnels in several states."""
    t.rundir()
    target = t.Held()
    s = t.server(target.port, '--metrics', '127.0.0.1:0', '--ping-interval',
                 '200ms', *LASTING)
    s.metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    ws, streams = zip(*[(t.ws.connect(s.port), target.next())
                        for _ in range(4)])
    ws[0].send(b'x' * 123456)
    t.ws.read_exactly(streams[0], 123456)
    streams[1].shutdown(1)
    t.ws.dial(s.port)
    t.ok(t.until(lambda: t.one()['states']['half-closed'] == 1 and
                 t.one()['states']['handshaking'] == 1), 'tunnels to show')
    return s, ws, streams


@t.limit(180)
def test_page():
    s, ws, streams = busy()
    b = Page()
    url = 'http://127.0.0.1:%d/' % s.metrics
    for name, width in (('desktop', WIDE), ('phone', NARROW)):
        b.size(width)
        b.get(url)
        p = b.now(LOOK)
        t.is_(p['inner'], width, '%s: %d wide' % (name, width))
        t.ok(p['scroll'] <= width, 'nothing sticks out (%d)' % p['scroll'])
        t.is_(p['rows'], 5, 'a row for each tunnel')
        t.ok(p['font'] >= 14, 'that can be read')
        for word in ('half-closed', 'handshaking', '123.4 kB', 'inetws server',
                     '127.0.0.1:%d' % ws[0].sock.getsockname()[1]):
            t.ok(word in p['text'], word)
        picture = b.screenshot(name)
        t.is_(picture.width, width, 'the picture')
        colours = picture.colours()
        common = colours.most_common(1)[0][1]
        total = sum(colours.values())
        t.ok(len(colours) > 5 and 0.5 < common / total < 0.995,
             'is not blank (%d colours, %d %% are background)' %
             (len(colours), 100 * common / total))
        if name == 'phone':
            t.is_((p['head'], p['row']), ('block', 'block'),
                  'each tunnel is a block')
            t.is_(p['label'], '"State"', 'with names before the values')
        else:
            t.is_((p['head'], p['row']), ('table-header-group', 'table-row'),
                  'a table')
    b.size(WIDE)
    b.cdp('Emulation.setEmulatedMedia', features=[
        {'name': 'prefers-color-scheme', 'value': 'dark'}])
    b.get(url)
    dark = b.screenshot('dark').colours().most_common(1)[0][0]
    t.ok(sum(dark) < 200, 'dark where that is wanted: %s' % (dark,))
    more = t.ws.connect(s.port)
    t.ok(t.until(lambda: '127.0.0.1:%d' % more.sock.getsockname()[1] in
                 b.now('return document.body.innerText;')),
         'it refreshes itself')
    b.cdp('Emulation.setScriptExecutionDisabled', value=True)
    b.get(url)
    t.ok(len(b.screenshot('no-script').colours()) > 5, 'and needs no script')


@t.limit(180)
def test_many_and_long():
    """Hundreds of rows, and names as long as they may be."""
    t.rundir()
    target = t.Held()
    s = t.server(target.port, '--metrics', '127.0.0.1:0', *LASTING)
    s.metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    c = t.client('ws://localhost:%d/%s' % (s.port, LONG), '--metrics',
                 '127.0.0.1:0')
    c.metrics = t.port_of(c.wait_line(r'metrics on (\S+)')[1])
    vs = [t.ws.dial(c.port) for _ in range(60)]
    t.ok(t.until(lambda: target.accepted == 60), '60 tunnels')
    b = Page()
    for width in (WIDE, NARROW):
        b.size(width)
        b.get('http://127.0.0.1:%d/' % c.metrics)
        p = b.now(LOOK)
        t.is_(p['rows'], 60, 'all of them are there')
        t.ok(LONG in p['text'].replace('\n', ''), 'with the long name')
        t.ok(p['scroll'] <= width, 'nothing sticks out of %d (%d)' %
             (width, p['scroll']))
        t.ok(p['word'] < 30, 'no word is torn')
        b.screenshot('many-%d' % width)
    for v in vs:
        v.close()


@t.limit(180)
def test_gate():
    """Names, as long as a socket's name may be, and their visitors."""
    t.rundir()
    d = t.folder()
    name = 'n' * 60
    g = reverse.gate('--visitors-dir', d, '--metrics', '127.0.0.1:0',
                     '--queue', '10m', '--ping-timeout', '10m', visitors=None,
                     auth=('--agents-file', reverse.agents_file(
                         **{name: 'a', 'bob': 'b'})))
    port = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    websocket = reverse.raw_agent(g, '/' + name, secret='a')
    waiting = [reverse.visit(d + '/bob.sock') for _ in range(2)]
    t.ok(t.until(lambda: t.one()['waiting'] == 2), 'visitors wait')
    b = Page()
    for width in (WIDE, NARROW):
        b.size(width)
        b.get('http://127.0.0.1:%d/' % port)
        p = b.now(LOOK)
        t.ok(p['scroll'] <= width, 'nothing sticks out of %d (%d)' %
             (width, p['scroll']))
        t.is_(p['rows'], 3, 'two names and a websocket')
        t.ok(name in p['text'].replace('\n', ''), 'with the long name')
        seen = b.now("return [...document.querySelectorAll("
                        "'#names tbody tr')].map((x) => x.innerText);")
        t.ok(any(x.split() == ['bob', '0', '0', '2'] for x in seen),
             'for which visitors wait: %s' % seen)
        b.screenshot('gate-%d' % width)
    for v in waiting:
        v.close()
    websocket.drop()


t.main()
