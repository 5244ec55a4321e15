#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a message tells to do: the usual mistakes of a set-up, each with the
line to write or the option to use.

If it fails: the log names a symptom, and the operator has to guess the cause.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import peers            # noqa: E402
import signal           # noqa: E402

# For those that do not answer.
BRIEF = ('--connect-timeout', '1s', '--handshake-timeout', '1s')
PAGE = 'Content-Type: text/html\r\nContent-Length: 0\r\n\r\n'


def answered(answer, words, name, *options, scheme='ws'):
    """Fails with these words towards a server that answers so."""
    s = t.Scripted(answer)
    r = t.run_inetws('connect', *options, '%s://127.0.0.1:%d/x' % (
        scheme, s.port))
    t.ok(r.returncode != 0, name + ': an error')
    t.like(r.stderr, words, 'that tells what to do')


def status(line, words, *options, fields=''):
    answered(('HTTP/1.1 %s\r\n' % line + fields + PAGE).encode(), words,
             line, *options)


def test_statuses():
    status('401 Unauthorized', r'needs credentials \(-u USER:PASSWORD\)')
    status('401 Unauthorized', 'the credentials are wrong', '-u', 'a:b')
    status('401 Unauthorized', 'the credentials are wrong', '-H',
           'Authorization: Bearer x')
    bearer = 'WWW-Authenticate: Bearer realm="x"\r\n'
    basic = 'WWW-Authenticate: Basic realm="x, Bearer"\r\n'
    secret = r'needs a secret \(-H @FILE with a line Authorization: Bearer'
    status('401 Unauthorized', secret, fields=bearer)
    status('401 Unauthorized', r'offers only Negotiate, NTLM, and inetws '
           r'knows only Basic \(others by --header-command\)',
           fields='WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n')
    for fields in (basic, basic + bearer, bearer + basic):
        status('401 Unauthorized', r'needs credentials \(-u', fields=fields)
    status('404 Not Found', 'this path does not lead to inetws')
    status('200 OK', 'a web page: this path does not lead to inetws')
    status('400 Bad Request', 'if this port expects TLS, use wss://')
    status('502 Bad Gateway', 'the proxy there does not reach inetws')
    status('504 Gateway Timeout', 'the proxy there does not reach inetws')
    status('503 Service Unavailable', 'reach inetws, or is at a limit')
    status('415 Unsupported Media Type', 'is not inetws: compare host and path')
    status('418 Teapot', 'a filter there takes this for an attack')
    status('451 Unavailable For Legal Reasons', 'try another network')
    status('511 Network Authentication Required', 'this network wants a login')


def test_own_words():
    """What inetws itself answers needs no guess."""
    s = t.server(t.free_port(), '--path', '/here')
    for path, words, no in (('/here', 'the target refused', 'proxy there'),
                            ('/else', 'no such path', 'lead to')):
        r = t.run_inetws('connect', 'ws://127.0.0.1:%d%s' % (s.port, path))
        t.like(r.stderr, words, path + ': the words of the server')
        t.unlike(r.stderr, no, 'and no guess')


def test_target_is_not_told():
    """The peer gets no address, no path."""
    port = t.free_port()
    s = t.server(port)
    a = t.ws.ask(s.port, t.ws.request())
    t.is_(a.status, 502, 'a dead target: 502')
    t.unlike(a.body.decode(), str(port), 'which does not tell where it is')
    s.wait_line('event=failed.*:%d' % port)


def test_redirect():
    """A login page: where it redirected to."""
    page = t.Scripted(('HTTP/1.1 200 OK\r\n' + PAGE).encode())
    first = t.Scripted(('HTTP/1.1 302 Found\r\nLocation: '
                        'http://127.0.0.1:%d/login\r\n' % page.port +
                        PAGE).encode())
    r = t.run_inetws('connect', 'ws://127.0.0.1:%d/x' % first.port)
    t.like(r.stderr, r':%d/login answered 200 .*\(redirected from '
           r'ws://127\.0\.0\.1:%d/x\)' % (page.port, first.port),
           'both URLs')


def test_tls_mistaken():
    answered(b'\x15\x03\x03\0\x02\x02\x46', 'this is TLS: use wss://',
             'ws:// to a TLS port')
    s = t.server(t.echo().port)
    r = t.run_inetws('connect', '-k', 'wss://127.0.0.1:%d/' % s.port)
    t.is_(r.returncode, 76, 'wss:// to a plain port: 76')
    s.wait_line('the client speaks TLS, this port does not: use ws://')


def said_to(s, data):
    """What the log says of a connection that begins so."""
    mark = s.mark()
    with t.ws.dial(s.port) as sock:
        sock.sendall(data)
        body = t.ws.read_all(sock)[0].decode()
    return s.wait_line('event=failed.*', since=mark)[0], body


def test_proxies_mistaken():
    """In front of a server: what they do not pass on, and what they add."""
    s = t.server(t.echo().port)
    key = b'Host: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    for data, words in (
            (b'GET / HTTP/1.1\r\n' + key + b'Connection: close\r\n\r\n',
             'proxy_set_header Upgrade .http_upgrade'),
            (b'GET / HTTP/1.0\r\nHost: h\r\n\r\n', 'proxy_http_version 1.1'),
            (b'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\n',
             '--accept-proxy'),
            (b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + b'x' * 12,
             '--accept-proxy')):
        line, body = said_to(s, data)
        t.like(line, words, 'the log: ' + words)
        t.like(body, words, 'and the answer')


def test_forward_proxies_mistaken():
    """Of another kind than the option has it."""
    http = peers.Listener(lambda a: a.sendall(b'HTTP/1.1 400 Bad\r\n\r\n'))
    for scheme in ('socks5', 'socks5h'):
        r = t.run_inetws('connect', '-x', '%s://127.0.0.1:%d' % (
            scheme, http.port), 'ws://127.0.0.1:1/')
        t.like(r.stderr, 'it speaks HTTP, use http://', scheme)
    silent = t.Held()
    for scheme, words in (('http', 'is it an HTTP proxy'),
                          ('https', 'a proxy without TLS is http://'),
                          ('socks5h', 'is it a SOCKS proxy')):
        trust = ['--proxy-insecure'] if scheme == 'https' else []
        r = t.run_inetws('connect', *BRIEF, *trust, '-x',
                         '%s://127.0.0.1:%d' % (scheme, silent.port),
                         'ws://127.0.0.1:1/')
        t.like(r.stderr, words, scheme + ' to a proxy that does not answer')


def test_interrupted():
    """Ctrl-C on a client says what it waits for, and how not to."""
    held = t.Held()
    c = t.client('ws://127.0.0.1:%d/' % t.server(held.port).port,
                 '--drain', '2m')
    sock = t.ws.dial(c.port)
    held.next()
    c.send(signal.SIGINT)
    c.wait_line('event=stopping active=1 .*hint="they may finish for '
                '(2m|120).*; a second signal ends them"')
    t.ok(c.alive(), 'it waits, and says how long')
    c.send(signal.SIGINT)
    t.is_(c.wait(), 0, 'a second one ends it')
    sock.close()


def test_swapped():
    """A server that listens where its target should be."""
    port = t.free_port()
    here = '127.77.%d.%d' % (os.getpid() // 250 % 250, os.getpid() % 250 + 1)
    r = t.Program([t.INETWS, 'server', '-l', here + ':5900',
                   '127.0.0.1:%d' % port])
    t.ok(r.has_line('event=arguments .*hint="LISTEN is where websockets come'),
         'the log says which is which')


def test_words():
    """On the command line."""
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('ann:$9$abc$def\n')
    for words, why in (
            (('server', '-l', '80:8080', 'h:1'), 'number as its host'),
            (('server', '-l', '8080', 'ws://h:80'), 'is a URL: expected HOST:PORT'),
            (('server', '-l', '8080', 'http://h'), 'is a URL: expected HOST:PORT'),
            (('connect', '--cacert', t.folder(), 'wss://127.0.0.1:1/'),
             'is a directory: use --capath'),
            (('client', '-l', 'ws://h/', '2222'), 'is a URL: expected an'),
            (('client', '-l', '2222', 'h:22'), 'is an address: expected a URL'),
            (('agent', 'h:22', 'wss://h/'), 'usage: inetws agent'),
            (('server', '-l', '8080', 'B\u00fccher.example:22'),
             'in its xn-- form, xn--bcher-kva.example'),
            (('server', '-l', '8080', '--auth-file', users, 'h:1'),
             r'users:1: a hash of a kind that crypt\(3\) does not know'),
            (('connect', 'ws://B\u00dcCHER.example/'),
             'in its xn-- form, xn--bcher-kva.example')):
        r = t.run_inetws(*words)
        t.is_(r.returncode, 64, '%s: 64' % ' '.join(words))
        t.like(r.stderr, why, 'and why')


t.main()
