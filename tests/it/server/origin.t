#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Which web pages may use a server: the Origin policy, also behind nginx.

If it fails: any web page can reach the target through a visitor's browser.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402


def status(s, origin, host='localhost', **more):
    headers = [(k.replace('_', '-'), v) for k, v in more.items()]
    if origin is not None:
        headers.append(('Origin', origin))
    a = t.ws.ask(s.port, t.ws.request(host=host, headers=headers))
    return a.status


def table(s, rows):
    for origin, host, want in rows:
        t.is_(status(s, origin, host), want, 'Origin %s, Host %s: %d' % (
            origin, host, want))


def test_same_host():
    s = t.server(t.echo().port)
    table(s, (
        (None, 'h', 101),
        ('https://example.org', 'example.org', 101),
        ('https://Example.ORG', 'example.org', 101),
        ('http://127.0.0.1:8080', '127.0.0.1:8080', 101),
        ('http://localhost:8080', 'localhost:8080', 101),
        ('https://example.org', 'example.org:443', 101),
        ('https://example.org:443', 'example.org', 101),
        ('http://[::1]:80', '[::1]', 101),
        ('https://evil.example', 'example.org', 403),
        ('https://example.org.evil.example', 'example.org', 403),
        ('https://example.org@evil.example', 'example.org', 403),
        ('https://example.org:8443', 'example.org', 403),
        ('http://example.org', 'example.org:8080', 403),
        ('null', 'null', 403),
        ('example.org', 'example.org', 403)))
    s.stop()
    t.like(s.log, r'refused with 403: Origin https://evil.example is not of '
           r'Host example.org: .*\$http_host.*--allow-origin',
           'the log says what to set')


def test_rebinding():
    """A name that a page made an address of ours (DNS rebinding): http proves
    nothing, and the answer names the way out."""
    s = t.server(t.echo().port)
    table(s, (('http://evil.example:8080', 'evil.example:8080', 403),
              ('http://evil.example', 'evil.example', 403)))
    a = t.ws.ask(s.port, t.ws.request(host='evil.example', headers=[
        ('Origin', 'http://evil.example')]))
    t.like(a.body.decode(), '--allow-origin', 'the 403 names --allow-origin')
    s.stop()
    t.like(s.log, 'Origin http://evil.example:8080 equals Host .*https, or '
           '--allow-origin', 'the log says why')
    s = t.server(t.echo().port, '--trusted-proxy', '127.0.0.1')
    t.is_(status(s, 'http://evil.example', 'up:1',
                 X_Forwarded_Host='evil.example'), 403, 'nor by a proxy')
    s = t.server(t.echo().port, '--allow-origin', 'app.example:8080')
    table(s, (('http://app.example:8080', 'app.example:8080', 101),))


def test_before_the_target():
    """A page that may not is refused before anything is dialled."""
    target = t.echo()
    s = t.server(target.port)
    t.is_(status(s, 'https://evil.example'), 403, '403')
    t.is_(target.accepted, 0, 'the target is not dialled')


def test_null():
    """Pages without an origin: only with --allow-origin null."""
    s = t.server(t.echo().port, '--allow-origin', 'null')
    table(s, (('null', 'h', 101), ('NULL', 'h', 403),
              ('https://null', 'h', 101), ('https://x', 'h', 403)))
    table(t.server(t.echo().port, '--allow-origin', 'nul'),
          (('null', 'h', 403),))


def test_allowed():
    s = t.server(t.echo().port, '--allow-origin', 'a.example',
                 '--allow-origin', 'b.example:8443',
                 '--allow-origin=https://c.example')
    table(s, (
        ('https://a.example', 'h', 101), ('http://a.example:81', 'h', 101),
        ('https://A.example', 'h', 101),
        ('https://b.example:8443', 'h', 101), ('https://b.example', 'h', 403),
        ('https://c.example', 'h', 101), ('http://c.example', 'h', 403),
        ('https://x.a.example', 'h', 403), ('null', 'h', 403)))
    s = t.server(t.echo().port, '--allow-origin', '*')
    table(s, (('https://evil.example', 'h', 101), ('null', 'h', 101)))
    for word in ('a b', 'https://', '*.example.org', 'a/b'):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '--allow-origin',
                         word, '127.0.0.1:1')
        t.is_(r.returncode, 64, '--allow-origin %s: 64' % word)


def test_forwarded_host():
    """X-Forwarded-Host counts from a trusted proxy only."""
    plain = t.server(t.echo().port)
    trusting = t.server(t.echo().port, '--trusted-proxy', '127.0.0.0/8')
    far = t.server(t.echo().port, '--trusted-proxy', '10.0.0.0/8')
    for s, want in ((plain, 403), (trusting, 101), (far, 403)):
        t.is_(status(s, 'https://example.org', 'up:1',
                     X_Forwarded_Host='example.org'), want, 'from %s: %d' % (
                     'a trusted proxy' if want == 101 else 'an untrusted peer',
                     want))
    t.is_(status(trusting, 'https://evil.example', 'up:1',
                 X_Forwarded_Host='evil.example, example.org'), 403,
          'the last word is the nearest proxy\'s')


def test_nginx():
    s = t.server(t.echo().port)
    n = t.nginx(s.port)
    for origin, want in (('http://localhost:%d' % n.port, 101),
                         ('http://evil.example', 403)):
        sock = t.ws.dial(n.port)
        sock.sendall(t.ws.request(
            path='/ssh/', host='localhost:%d' % n.port,
            headers=[('Origin', origin)]))
        t.like(t.ws.read_head(sock)[0], 'HTTP/1.1 %d ' % want,
               'behind nginx as documented, %s: %d' % (origin, want))


t.main()
