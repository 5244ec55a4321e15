#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Cross-site websocket hijacking in Chromium: a page of another site uses the
cookie that a user has for a server.

If it fails: any web page can use a user's login.
"""

import os
import stat
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import browser          # noqa: E402

PAGE = '<!doctype html><meta charset=utf-8><title>%s</title>'

OPEN = '''return new Promise((done) => {
	const w = new WebSocket(args[0]);

	w.onmessage = (e) => e.data.text().then((s) => { done(s); w.close(); });
	w.onopen = () => w.send('echo');
	w.onclose = (e) => done(e.code);
});'''

# The same from within a frame that has no origin of its own.
FRAMED = '''return new Promise((done) => {
	const f = document.createElement('iframe');

	f.sandbox = 'allow-scripts';
	f.srcdoc = `<script>
		const w = new WebSocket('${args[0]}');
		w.onmessage = (e) => parent.postMessage('open', '*');
		w.onopen = () => w.send('echo');
		w.onclose = (e) => parent.postMessage(e.code, '*');
	</` + 'script>';
	addEventListener('message', (e) => done(e.data), { once: true });
	document.body.append(f);
});'''


def site(target, name, *options):
    """A server for requests with the cookie, and a page next to it."""
    d = t.folder()
    with open(d + '/page.html', 'w') as f:
        f.write(PAGE % name)
    with open(d + '/decide', 'w') as f:
        f.write('#!/bin/sh\ncase "$HTTP_COOKIE" in\n'
                '*session=good*) exit 0;;\nesac\nexit 1\n')
    os.chmod(d + '/decide', stat.S_IRWXU)
    os.chmod(d, 0o755)
    s = t.server(target, '--auth-command', d + '/decide', *options)
    cert = t.certificate()
    n = t.nginx(s.port, cert, path='/ws/',
                extra='location / { root %s; }' % d)
    return s, n, cert


def refused(b, c, s, target, script, url, name):
    before, mark = target.accepted, s.mark()
    t.is_(b.script(script, url), 1006, name + ': refused')
    t.is_(target.accepted, before, 'before the target is dialled')
    t.ok(s.has_line('event=failed .*403: Origin', since=mark), 'and logged')


@t.limit(120)
def test_hijacking():
    t.need('nginx', 'chromium', 'chromedriver')
    target = t.echo()
    s, n, cert = site(target.port, 'bank')
    _, evil, other = site(target.port, 'evil')
    b = browser.Browser(trust=[cert, other])
    own = 'https://localhost:%d' % n.port
    other = 'https://127.0.0.1:%d' % evil.port
    ws = 'wss://localhost:%d/ws/' % n.port

    b.get(own + '/page.html')
    t.is_(b.script(OPEN, ws), 1006, 'the own page, without the cookie')
    b.script('document.cookie = "session=good; SameSite=None; Secure";')
    t.is_(b.script(OPEN, ws), 'echo', 'with it the page is served')
    refused(b, n, s, target, FRAMED, ws, 'a frame without an origin')

    b.get(other + '/page.html')
    refused(b, n, s, target, OPEN, ws, "a page of another site")
    refused(b, n, s, target, FRAMED, ws, 'a frame in it')
    s2 = t.server(target.port, '--allow-origin', other)
    n2 = t.nginx(s2.port, cert, path='/ws/')
    t.is_(b.script(OPEN, 'wss://localhost:%d/ws/' % n2.port), 'echo',
          'the same page, allowed by its name')

    # Browsers take cookies along to every port of a host.
    b.get('https://localhost:%d/page.html' % evil.port)
    refused(b, n, s, target, OPEN, ws, 'a page at another port')
    s3 = t.server(target.port, '--allow-origin', '*', '--auth-command',
                  s.argv[s.argv.index('--auth-command') + 1])
    n3 = t.nginx(s3.port, cert, path='/ws/')
    t.is_(b.script(OPEN, 'wss://localhost:%d/ws/' % n3.port), 'echo',
          'which has the cookie, and gets in where all pages may')


t.main()
