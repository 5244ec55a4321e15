#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws check blames what the failure itself names: this host, the proxy, the
certificate, or the server.

If it fails: a user looks for the fault at the wrong end.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import json             # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import struct           # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402

NAMES = 'correct what the message names'


def look(*words, env=None):
    """(exit status, object, {step: its object}) of check --json."""
    r = t.run_inetws('check', '--json', *words, timeout=3 * t.BOUND,
                     env=dict(os.environ, **(env or {})))
    c = json.loads(r.stdout)
    return r.returncode, c, {s['step']: s for s in c['steps']}


def advised(words, step, advice, env=None):
    """The only advice is that of this step."""
    code, c, steps = look(*words, env=env)
    t.like(steps[step]['advice'] or '', advice, ' '.join(words)[:60])
    t.is_(len(c['next']), 1, 'and nothing else')
    return c


def url(port, scheme='ws', host='127.0.0.1'):
    return '%s://%s:%d/' % (scheme, host, port)


def test_local():
    """Options with which no mode would start: nothing is tried."""
    cert = t.certificate()
    for scheme in ('ws', 'wss'):
        for words in (('--cacert', '/nonexistent'), ('--cacert', '/'),
                      ('--cert', '/nonexistent'), ('--crlfile', cert.ca),
                      ('--ciphers', 'FOO'), ('--pinnedpubkey', 'foo'),
                      ('--header-command', '/nonexistent'),
                      ('--proxy-header-command', '/nonexistent')):
            name = ' '.join(words + (scheme,))
            words += (url(1, scheme),)
            code, c, steps = look(*words)
            t.is_(code, 64, name)
            t.is_(t.run_inetws('connect', *words).returncode, code,
                  'as connect ends')
            t.like(c['why'], words[0], 'the option is named')
            t.is_({s['state'] for s in c['steps']}, {'not tried'},
                  'no step is blamed')
            t.like(' '.join(c['next']), NAMES, 'and what to do')
    code, c, steps = look('--header-command', 'false', url(1))
    t.like(' '.join(c['next']), NAMES, 'a command, before the first step')


def test_dialled():
    port = t.free_port()
    advised(('--unix-socket', '/nonexistent/s', url(port)), 'connect',
            'this socket')
    advised(('ws+unix:/nonexistent/s:/',), 'connect', 'this socket')
    advised(('--interface', '::1', url(port)), 'name', NAMES)
    advised(('-6', '--resolve', 'h.example:1:127.0.0.1',
             'ws://h.example:1/'), 'name', NAMES)
    there = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 302 Found\r\nLocation: http://[::1]:9/\r\n'
        b'Content-Length: 0\r\n\r\n'))
    advised(('--interface', '127.0.0.1', url(there.port)), 'name',
            'interface by name')
    advised(('-4', url(there.port)), 'name', 'leave out -4 and -6')


def test_proxy():
    port = t.free_port()
    advised(('-x', 'http://127.0.0.1:%d' % port, url(1)), 'connect',
            'no proxy listens there: .* in --proxy,')
    advised((url(1),), 'connect', 'in http_proxy,',
            env={'http_proxy': 'http://127.0.0.1:%d' % port, 'no_proxy': ''})
    advised(('-x', 'http://p.invalid.:3128', url(1)), 'name',
            'proxy in --proxy')


def test_certificates():
    s = t.server(t.echo().port)
    cert = t.certificate()
    n = t.nginx(s.port, cert)
    advised(('--cacert', cert.ca, '--warn-expiry', '5000', n.url), 'tls',
            'renew this certificate')
    ca = t.Authority()
    site = ca.issue()
    s = t.server(t.echo().port, '--tls-cert', site.cert, '--tls-key',
                 site.key, '--tls-client-ca', ca.cert)
    for words in (('--cacert', ca.cert), ('-k',)):
        advised(words + (url(s.port, 'wss', 'localhost'),), 'answer',
                'client certificate: --cert, --key')


def test_answers():
    def reset(s):
        s.recv(1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
        s.close()
    advised((url(t.Listener(reset).port),), 'answer', 'try wss://')
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 200 OK\r\n' + b'A: b\r\n' * 101 + b'\r\n'))
    advised((url(up.port),), 'answer', 'too many fields')
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n'))
    advised(('-H', 'Authorization: Bearer wrong', url(up.port)), 'answer',
            'correct the field Authorization of --header')
    advised(('-u', 'ann:wrong', url(up.port)), 'answer', 'USER:PASSWORD')
    for status, advice in ((413, 'fewer or shorter --header'),
                           (414, 'fewer or shorter --header'),
                           (431, 'fewer or shorter --header'),
                           (415, 'compare the path of the URL'),
                           (418, 'application firewall'),
                           (421, 'does not serve this host'),
                           (451, 'another network'), (521, 'error log')):
        up = t.WSServer(answer=lambda first, fields: (
            b'HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n' % status))
        advised((url(up.port),), 'upgrade', advice)


def test_pings():
    """Those without an answer are a fault only if nothing else comes."""
    mute = t.WSServer()
    r = t.run_inetws('check', '--handshake-timeout', '3s', url(mute.port))
    shown = r.stdout.decode()
    t.is_(r.returncode, 75, 'nothing comes back')
    t.like(shown, r'(?m)^failed +ping +nothing comes back', 'has failed')
    t.unlike(shown, '(?m)^warning +ping', 'and was no warning before')
    says = t.WSServer()
    threading.Thread(target=lambda: says.next().send(b'AAAA'),
                     daemon=True).start()
    code, c, steps = look('--handshake-timeout', '3s', url(says.port))
    t.is_((code, steps['ping']['state'], steps['target']['state']),
          (1, 'warning', 'ok'), 'data, and no answer')
    ends = t.WSServer()
    threading.Thread(target=lambda: ends.next().close(1011, b'x'),
                     daemon=True).start()
    code, c, steps = look(url(ends.port))
    t.is_((steps['ping']['state'], steps['target']['state']),
          ('not tried', 'failed'), 'ended at once')


def test_other_addresses():
    """A step that has failed is told before the others are tried, and a signal
    then stops that only."""
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 502 Bad\r\nServer: x\r\nContent-Length: 0\r\n\r\n'))
    silent = socket.create_server(('127.0.0.2', up.port), backlog=0)
    t.on_close(silent.close)
    for _ in range(2):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(silent.getsockname())
        t.on_close(s.close)
    for _ in range(5):
        p = t.Program([t.INETWS, 'check', '--resolve',
                       'h.example:%d:127.0.0.1,127.0.0.2' % up.port,
                       url(up.port, host='h.example')],
                      stdout=subprocess.PIPE)
        text = ''
        while 'failed  upgrade' not in text:
            more = os.read(p.stdout.fileno(), 4096).decode()
            if not more:
                raise AssertionError(text)
            text += more
        p.send(signal.SIGINT)
        rest = p.stdout.read().decode()
        if p.wait() != 69:
            break               # else the signal came behind their two seconds
    t.is_(p.wait(), 130, 'the exit status')
    t.like(rest, r'(?m)^stopped by INT: .* answered 502.*\nnext:\n'
           '  the web server does not reach', 'the verdict, and what to do')


t.main()
