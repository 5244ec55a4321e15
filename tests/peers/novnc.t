#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""noVNC in Chromium, its page and its websocket by one nginx with TLS, as the
examples of inetws(1) have it; behind that inetws server and Xvnc.  The test
draws at one end and looks at the other.

If it fails: desktops in the browser do not work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402
import ctypes           # noqa: E402
import time             # noqa: E402

NOVNC = '/usr/share/novnc'
WIDTH, HEIGHT = 640, 480
X11 = 'libX11.so.6'


class Screen:
    """Xvnc without a password on loopback; .port."""

    def __init__(self, *options):
        xvnc, self.xsetroot = t.need('Xvnc', 'xsetroot')
        r, w = os.pipe()
        self.port = t.free_port()
        self.program = t.Program(
            [xvnc, '-displayfd', w, '-rfbport', self.port, '-localhost=1',
             '-SecurityTypes', 'None', '-geometry',
             '%dx%d' % (WIDTH, HEIGHT), '-depth', '24', '-nolisten', 'tcp',
             '-AlwaysShared', *options], pass_fds=(w,),
            env={'HOME': t.folder()})
        os.close(w)
        with os.fdopen(r, 'rb') as f:
            number = f.readline().strip().decode()
        if not number:
            raise AssertionError('Xvnc: ' + self.program.wait_log())
        self.display = ':' + number
        t.on_close(self.program.stop)   # it has a lock file to remove

    def paint(self, colour):
        """Fills it with (red, green, blue)."""
        r = t.run([self.xsetroot, '-display', self.display, '-solid',
                   '#%02x%02x%02x' % colour])
        if r.returncode:
            raise AssertionError('xsetroot: %s' % r.stderr)

    def pointer(self):
        """Where its mouse is."""
        x = ctypes.CDLL(X11)
        x.XOpenDisplay.restype = ctypes.c_void_p
        x.XDefaultRootWindow.restype = ctypes.c_ulong
        d = ctypes.c_void_p(x.XOpenDisplay(self.display.encode()))
        if not d.value:
            raise AssertionError('no display')
        ids = [ctypes.c_ulong() for _ in range(2)]
        at = [ctypes.c_int() for _ in range(4)]
        x.XQueryPointer(d, ctypes.c_ulong(x.XDefaultRootWindow(d)),
                        *map(ctypes.byref, ids), *map(ctypes.byref, at),
                        ctypes.byref(ctypes.c_uint()))
        x.XCloseDisplay(d)
        return at[0].value, at[1].value


def chain(screen, *options, root=NOVNC):
    t.need('chromium', 'chromedriver')
    if not os.path.isdir(NOVNC):
        raise t.Skip('novnc is not installed')
    return t.chain(screen.port, *options, path='/websockify',
                   http='include /etc/nginx/mime.types;',
                   extra='location / { root %s; }' % root)


def watch(b, c, screen, page):
    screen.paint((0x10, 0xa0, 0x60))
    b.get('https://localhost:%d/%s' % (c.nginx.port, page))
    t.ok(b.shows((0x10, 0xa0, 0x60)), page.split('?')[0] +
         ': the screen is seen')
    for colour in ((0xd0, 0x30, 0x90), (0xf0, 0xe0, 0x20)):
        screen.paint(colour)
        t.ok(b.shows(colour), 'and painted anew: #%02x%02x%02x' % colour)


def status(b):
    """What the lite page says of itself."""
    return b.now("return document.getElementById('status').textContent;")


@t.limit(90)
def test_whole_page():
    """Seen, used, and idle for longer than the ping timeout."""
    t.need('nginx')
    screen = Screen()
    c = chain(screen, '--ping-interval=200ms', '--ping-timeout=4s')
    b = browser.Browser(trust=[c.cert])
    watch(b, c, screen, 'vnc.html?autoconnect=true&show_dot=true')
    x, y, w = b.script('''
        const r = document.querySelector('canvas').getBoundingClientRect();
        return [Math.round(r.x), Math.round(r.y), r.width];''')
    t.is_(w, WIDTH, 'it is shown in its own size')
    for to in ((200, 150), (301, 77)):
        b.pointer(x + to[0], y + to[1])
        t.ok(t.until(lambda: screen.pointer() == to),
             'the mouse goes to %d, %d there too' % to)
    time.sleep(6)
    screen.paint((0x20, 0x40, 0xe0))
    t.ok(b.shows((0x20, 0x40, 0xe0)), 'it lives behind a pause')
    b.get('about:blank')
    t.ok(c.server.has_line('event=closed .*end=ended code=(1000|1001|1005)'),
         'a page that is left is a good end')


@t.limit(90)
def test_lite_page():
    t.need('nginx')
    screen = Screen()
    c = chain(screen, '--eof=close')
    b = browser.Browser(trust=[c.cert])
    watch(b, c, screen, 'vnc_lite.html')
    screen.program.stop()
    t.ok(t.until(lambda: 'Disconnected' in status(b)),
         'the page sees that the screen has gone')
    t.ok(t.until(lambda: not t.children(c.server.pid)), 'no tunnel is left')


# A page of its own; "?" and the subprotocols that noVNC offers.
PAGE = '''<!doctype html><meta charset=utf-8>
<style>html, body, #screen { margin: 0; height: 100%; }</style>
<div id=screen></div><script type=module>
import RFB from './core/rfb.js';
const offer = location.search.slice(1);

const Real = WebSocket;
window.WebSocket = function (url, protocols) {
	return window.ws = new Real(url, protocols);
};
Object.setPrototypeOf(window.WebSocket, Real);
new RFB(document.getElementById('screen'), `wss://${location.host}/websockify`,
    { wsProtocols: offer ? offer.split(',') : [] });
</script>
'''


@t.limit(90)
def test_offers():
    """Old versions of noVNC offer binary and base64 and insist on an answer,
    those from 1.0 binary, later ones nothing."""
    t.need('nginx')
    screen = Screen()
    d = t.folder()
    os.chmod(d, 0o755)
    for name in ('core', 'vendor'):
        os.symlink('%s/%s' % (NOVNC, name), '%s/%s' % (d, name))
    with open(d + '/page.html', 'w') as f:
        f.write(PAGE)
    c = chain(screen, root=d)
    b = browser.Browser(trust=[c.cert])
    for offer, answer in (('binary,base64', 'binary'), ('binary', 'binary'),
                          ('', '')):
        watch(b, c, screen, 'page.html?' + offer)
        t.is_(b.now('return window.ws.protocol;'), answer,
              'offered "%s", answered "%s"' % (offer, answer))


@t.limit(90)
def test_page_from_elsewhere():
    """A page of another host may not look at the screen."""
    t.need('nginx')
    screen = Screen()
    c = chain(screen)
    screen.paint((0x10, 0xa0, 0x60))
    b = browser.Browser(trust=[c.cert])
    b.get('https://127.0.0.1:%d/vnc_lite.html?host=localhost' % c.nginx.port)
    t.ok(c.server.has_line('event=failed .*https://127.0.0.1'), 'is refused')
    t.ok(t.until(lambda: 'went wrong' in status(b)), 'which it says')


t.main()
