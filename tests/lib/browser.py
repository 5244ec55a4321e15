# SPDX-License-Identifier: ISC
"""Chromium without a window, driven by chromedriver (W3C WebDriver), and its
screenshots.

It has a profile of its own, resolves only localhost, and trusts the
certificates of a case by their keys.
"""

import base64
import collections
import hashlib
import http.client
import json
import os
import struct
import zlib

import proc
import tap

LIMIT = 8 * proc.BOUND    # s: a script such as axe-core on a busy machine

FLAGS = ('--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
         '--no-first-run', '--disable-background-networking',
         '--disable-component-update', '--disable-sync',
         '--disable-default-apps', '--disable-dev-shm-usage',
         '--no-default-browser-check', '--window-size=900,700',
         # a page that is left is to be gone, its websocket too
         '--disable-features=BackForwardCache',
         '--host-resolver-rules=MAP * ~NOTFOUND, '
         'EXCLUDE localhost, EXCLUDE 127.0.0.1')


def key_of(cert):
    """The hash of a certificate's key, as Chromium's options take it."""
    openssl, = proc.need('openssl')
    pem = proc.run([openssl, 'x509', '-in', cert.cert, '-pubkey', '-noout'])
    der = proc.run([openssl, 'pkey', '-pubin', '-outform', 'der'],
                   input=pem.stdout)
    return base64.b64encode(hashlib.sha256(der.stdout).digest()).decode()


class Browser:
    """A browser.  trust: certificates that it accepts."""

    def __init__(self, trust=()):
        chromium, driver = proc.need('chromium', 'chromedriver')
        home = proc.folder()
        flags = list(FLAGS) + ['--user-data-dir=' + home + '/profile']
        if trust:
            flags.append('--ignore-certificate-errors-spki-list=' +
                         ','.join(key_of(c) for c in trust))
        # It may find a port that is free for IPv6 only.
        for _ in range(3):
            started = self._start(driver, home)
            if started:
                break
        self.port = int(started[1])
        self.session = ''
        made = self._ask('POST', '', {'capabilities': {'alwaysMatch': {
            'goog:chromeOptions': {'binary': chromium, 'args': flags},
            'timeouts': {'script': 1000 * LIMIT,
                         'pageLoad': 1000 * LIMIT}}}})
        self.session = '/' + made['sessionId']
        # It ends on its own accord, rather than being torn to pieces.
        proc.on_close(self.quit)

    def _start(self, driver, home):
        """Starts chromedriver; the match with its port, or None."""
        self.driver = proc.Program(
            [driver, '--port=0'], preexec_fn=lambda: os.dup2(2, 1), cwd='/',
            env={'HOME': home, 'TMPDIR': home, 'XDG_CONFIG_HOME': home,
                 'XDG_CACHE_HOME': home, 'XDG_RUNTIME_DIR': home,
                 'DBUS_SESSION_BUS_ADDRESS': 'disabled:'})
        return self.driver.has_line(r'started successfully on port (\d+)',
                                    LIMIT + proc.BOUND)

    def _ask(self, method, path, body=None):
        c = http.client.HTTPConnection('127.0.0.1', self.port,
                                       timeout=LIMIT + proc.BOUND)
        try:
            c.request(method, '/session' + self.session + path,
                      None if body is None else json.dumps(body),
                      {'Content-Type': 'application/json'})
            r = c.getresponse()
            value = json.loads(r.read())['value']
        finally:
            c.close()
        if r.status != 200:
            raise AssertionError('the browser: %s: %s' % (
                value.get('error'), value.get('message', '')[:1000]))
        return value

    def get(self, url):
        self._ask('POST', '/url', {'url': url})

    def script(self, text, *args):
        """Runs the body of an asynchronous function in the page; what it
        returns."""
        done = self._ask('POST', '/execute/async', {
            'script': '''const args = [...arguments], done = args.pop();
                (async () => { %s })().then((v) => done([v]),
                (e) => done({ error: String(e) }));''' % text,
            'args': list(args)})
        if isinstance(done, dict):
            raise AssertionError('in the page: ' + done['error'])
        return done[0]

    def now(self, text, *args):
        """Runs the body of a function in the page; what it returns.  Does not
        wait for anything, since an answer would be lost if the page is left or
        refreshes itself."""
        return self._ask('POST', '/execute/sync',
                         {'script': text, 'args': list(args)})

    def _devtools(self, command, **params):
        return self._ask('POST', '/goog/cdp/execute',
                         {'cmd': command, 'params': params})

    def look(self, scheme, width=900):
        """Sets the colour scheme that the user prefers ('light' or 'dark') and
        the width of the screen."""
        self._devtools('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': scheme}])
        self._devtools('Emulation.setDeviceMetricsOverride', width=width,
                       height=700, deviceScaleFactor=1, mobile=width < 500)

    def scrolls_sideways(self):
        """By how many pixels the page is wider than the window."""
        return self.now('return document.documentElement.scrollWidth - '
                        'innerWidth')

    def type(self, text):
        for letter in text:
            self.key(letter)

    def pointer(self, x, y, click=False):
        """Moves the mouse to a place in the page."""
        moves = [{'type': 'pointerMove', 'duration': 0, 'x': x, 'y': y}]
        if click:
            moves += [{'type': 'pointerDown', 'button': 0},
                      {'type': 'pointerUp', 'button': 0}]
        self._ask('POST', '/actions', {'actions': [
            {'type': 'pointer', 'id': 'mouse', 'actions': moves}]})

    def key(self, letter):
        """Presses and releases a key."""
        self._ask('POST', '/actions', {'actions': [
            {'type': 'key', 'id': 'keys', 'actions': [
                {'type': how, 'value': letter}
                for how in ('keyDown', 'keyUp')]}]})

    def shows(self, colour, share=0.3, near=8):
        """Waits until this share of the window has this colour, or almost."""
        def look():
            seen = self.screenshot().colours(step=8)
            good = sum(n for c, n in seen.items()
                       if max(abs(p - q) for p, q in zip(c, colour)) <= near)
            return good >= share * sum(seen.values())
        return proc.until(look, 2 * proc.BOUND, pause=0.2)

    def screenshot(self, name=None):
        """Takes a screenshot.  With a name it is also stored in the folder
        $INETWS_SCREENSHOTS, if that is set."""
        data = base64.b64decode(self._ask('GET', '/screenshot'))
        folder = os.environ.get('INETWS_SCREENSHOTS')
        if name and folder:
            with open('%s/%s.png' % (folder, name), 'wb') as f:
                f.write(data)
        return Picture(data)

    def quit(self):
        try:
            if self.driver.alive():
                self._ask('DELETE', '')
        except (OSError, AssertionError, http.client.HTTPException):
            tap.diag('the browser did not end on its own')


class Picture:
    """A PNG of 8 bits a sample, RGB or RGBA: width, height, at(x, y)."""

    def __init__(self, data):
        if data[:8] != b'\x89PNG\r\n\x1a\n':
            raise AssertionError('no PNG: %r' % data[:20])
        at, packed = 8, b''
        while at < len(data):
            n, kind = struct.unpack('>I4s', data[at:at + 8])
            body = data[at + 8:at + 8 + n]
            at += 12 + n
            if kind == b'IHDR':
                self.width, self.height, depth, colour, _, _, lace = \
                    struct.unpack('>IIBBBBB', body)
                if depth != 8 or colour not in (2, 6) or lace:
                    raise AssertionError('a PNG of another kind')
                self.samples = 3 if colour == 2 else 4
            elif kind == b'IDAT':
                packed += body
        self.rows = self._rows(zlib.decompress(packed))

    def _rows(self, raw):
        """Undoes the filters (PNG specification, section 9)."""
        n, s = self.width * self.samples, self.samples
        before, rows = bytearray(n), []
        for y in range(self.height):
            at = y * (n + 1)
            kind, row = raw[at], bytearray(raw[at + 1:at + 1 + n])
            if kind == 1:
                for i in range(s, n):
                    row[i] = (row[i] + row[i - s]) & 255
            elif kind == 2:
                row = bytearray((a + b) & 255 for a, b in zip(row, before))
            elif kind == 3:
                for i in range(n):
                    left = row[i - s] if i >= s else 0
                    row[i] = (row[i] + (left + before[i]) // 2) & 255
            elif kind == 4:
                for i in range(n):
                    a, c = (row[i - s], before[i - s]) if i >= s else (0, 0)
                    b = before[i]
                    pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                    row[i] = (row[i] + (a if pa <= pb and pa <= pc else
                                        b if pb <= pc else c)) & 255
            rows.append(row)
            before = row
        return rows

    def at(self, x, y):
        return tuple(self.rows[y][x * self.samples:x * self.samples + 3])

    def colours(self, step=4):
        """Counts the colours of every step-th pixel."""
        return collections.Counter(
            self.at(x, y) for y in range(0, self.height, step)
            for x in range(0, self.width, step))
