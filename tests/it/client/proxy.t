#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Forward proxies: real ones, hostile ones, those of the environment, and
connections that are sent elsewhere than the URL names.

If it fails: clients behind a company's proxy cannot get out, or leak its
password.
"""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import manual           # noqa: E402

ANN = ('ann', 's3cret-of-ann')
GOOD = '%s:%s' % ANN


def url(port, host='127.0.0.1', path='/'):
    return 'ws://%s:%d%s' % (host, port, path)


def hello(where, *options, **env):
    return t.run_inetws('connect', *options, where, input=b'hello',
                        env=dict(os.environ, **env))


def works(r, name):
    t.is_((r.returncode, r.stdout), (0, b'hello'), name)
    if r.returncode:
        t.diag(r.stderr)


def fails(r, status, word, name):
    t.is_(r.returncode, status, '%s: %d' % (name, status))
    t.like(r.stderr, word, 'and the error says so')
    t.ok(ANN[1].encode() not in r.stderr, 'without the password')


def http_proxy(start, wrong):
    """wrong: what a bad password leads to in words."""
    s = t.server(t.echo().port)
    p = start()
    works(hello(url(s.port), '-x', 'http://127.0.0.1:%d' % p.port),
          'without authentication')
    works(hello(url(s.port), '--proxy=127.0.0.1:%d' % p.port),
          'http:// is the default')
    data = os.urandom(1 << 20)
    r = t.run_inetws('connect', '-x', '127.0.0.1:%d' % p.port, url(s.port),
                     input=data)
    t.ok(r.stdout == data, '1 MiB each way')
    p = start(ANN)
    where = '127.0.0.1:%d' % p.port
    fails(hello(url(s.port), '-x', where), 77,
          r'proxy http://%s answered 407: it wants credentials '
          r'\(--proxy-user\)' % where, 'no credentials')
    fails(hello(url(s.port), '-x', where, '--proxy-user', 'ann:guess'), 77,
          wrong, 'wrong ones')
    works(hello(url(s.port), '-x', 'http://%s@%s' % (GOOD, where)),
          'those of the word')
    works(hello(url(s.port), '-x', where, '--proxy-user', GOOD),
          '--proxy-user')
    secret = os.path.join(t.folder(), 'secret')
    with open(secret, 'w') as f:
        f.write(GOOD + '\nanother line\n')
    works(hello(url(s.port), '-x', 'eve:x@' + where, '--proxy-user',
                '@' + secret), 'a file, which precedes the word')


def test_tinyproxy():
    http_proxy(t.tinyproxy, 'answered 401 Unauthorized')


def test_squid():
    http_proxy(t.squid, 'it does not take the credentials given')


def test_kerberos():
    """contrib/proxy/negotiate, with a KDC and squid."""
    realm = t.Kerberos()
    p = t.squid(realm=realm)
    s = t.server(t.echo().port)
    ours = os.path.join(t.ROOT, 'contrib', 'proxy', 'negotiate')
    words = ('-x', 'localhost:%d' % p.port)
    fails(hello(url(s.port), *words), 77, 'answered 407: it offers only '
          'Negotiate, .*--proxy-header-command.*asked for 127.0.0.1:%d' %
          s.port, 'no ticket')
    works(hello(url(s.port), *words, '--proxy-header-command', ours,
                **realm.env), 'a ticket')
    t.is_(manual.lines('$ kinit')[0], 'kinit', 'as its user has got it')
    r = t.run_inetws(*manual.words(
        '$ kinit', ('http://proxy.example.com:3128', words[1]),
        ('/usr/local/share/doc/inetws/examples/proxy/negotiate', ours),
        ('wss://example.org/ssh/', url(s.port)), number=1),
        env=dict(os.environ, **realm.env))
    t.is_(r.returncode, 0, 'check, as in the manual')
    fails(hello(url(s.port), *words, '--proxy-header-command', ours,
                **dict(realm.env, KRB5CCNAME='FILE:/nonexistent')), 71,
          '--proxy-header-command %s: exit status 1' % ours, 'none')


def test_header_command():
    """Run for each connection, also inside the sandbox."""
    d = t.folder()
    with open(d + '/command', 'w') as f:
        f.write('#!/bin/sh\necho run >>%s/runs\n'
                'echo "X-Proxy: $INETWS_PROXY"\n'
                'echo "Proxy-Authorization: Bearer s3cret-of-ann"\n' % d)
    os.chmod(d + '/command', 0o755)
    echo = t.echo()
    s = t.server(echo.port)
    p = t.Scripted()
    c = t.client(url(s.port), '-v', '-x', 'eve:x@127.0.0.1:%d' % p.port,
                 '--proxy-header-command', d + '/command')
    sock = t.ws.dial(c.port)
    sock.sendall(b'one')
    t.is_(t.ws.read_exactly(sock, 3), b'one', 'a tunnel')
    t.like(p.seen[0], 'X-Proxy: http://127.0.0.1:%d\r\n' % p.port,
           'the command knows the proxy')
    t.like(p.seen[0], 'Proxy-Authorization: Bearer s3cret',
           'and its line goes there')
    t.unlike(p.seen[0], 'Basic', 'instead of a password')
    for one in list(p.socks):
        one.shutdown(2)
    sock.sendall(b'two')
    t.is_(t.ws.read_exactly(sock, 3), b'two', 'and again at a redial')
    t.ok(open(d + '/runs').read().count('run') >= 2,
         'for which it is run, for each attempt')
    t.unlike(c.log, 's3cret', 'what it prints is not logged')


def test_header_command_of_another_proxy():
    """A redirect from ws:// to wss:// may lead through another one."""
    no = b'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'
    second = t.Scripted(no)
    first = t.Scripted([b'HTTP/1.1 200 OK\r\n\r\n', t.ws.read_head,
                        b'HTTP/1.1 302 To\r\nLocation: wss://there.example/'
                        b'\r\nContent-Length: 0\r\n\r\n'],
                       port=t.echo().port)
    where = ['http://127.0.0.1:%d' % p.port for p in (first, second)]
    r = hello('ws://here.example/', '--proxy-header-command',
              'sh -c "echo X-Proxy: $INETWS_PROXY"', http_proxy=where[0],
              https_proxy=where[1])
    t.is_(r.returncode, 77, '(the second one refuses)')
    for p, name in zip((first, second), where):
        t.like(p.seen[0], 'X-Proxy: %s\r\n' % name,
               'each proxy gets what is for it')


def test_interface():
    """Where connections come from."""
    s = t.server(t.echo().port)
    works(hello(url(s.port), '--interface', 'lo'), 'an interface')
    works(hello(url(s.port), '--interface', 'if!lo'), 'if!NAME')
    for word in ('127.0.0.2', 'host!127.0.0.2'):
        before = s.mark()
        works(hello('ws://localhost:%d/' % s.port, '--interface', word),
              'an address: ' + word)
        s.wait_line('event=closed .*peer=127.0.0.2:', since=before)
    relay = t.Proxy(s.port)
    c = t.client(url(relay.port), '--interface', '127.0.0.3',
                 '--log-level', 'debug')
    sock = t.ws.dial(c.port)
    sock.sendall(b'one')
    t.is_(t.ws.read_exactly(sock, 3), b'one', 'a tunnel')
    t.is_(relay.pairs[0][0].getpeername()[0], '127.0.0.3', 'from there')
    relay.cut()
    sock.sendall(b'two')
    t.is_(t.ws.read_exactly(sock, 3), b'two', 'that is dialled again')
    t.is_(relay.pairs[0][0].getpeername()[0], '127.0.0.3',
          'from there, inside the sandbox')
    fails(hello(url(s.port), '--interface', 'nope0'), 71,
          '--interface nope0: No such device', 'no such interface')
    fails(hello(url(s.port), '--interface', '192.0.2.1'), 71,
          '--interface 192.0.2.1: (Cannot assign requested address|'
          'Address not available)', 'no such address')
    fails(hello(url(s.port), '--interface', 'host!lo'), 64,
          "'host!lo' is not an interface or an address", 'no address')
    for word in ('if!127.0.0.1', '127.0.0.1%lo', 'if!127.0.0.1%lo',
                 'host!127.0.0.1%lo', 'if!::1'):
        fails(hello(url(s.port), '--interface', word), 64,
              "'%s' is not an interface or an address" % word,
              'an address where a name belongs')
    for word, to, family in (('::1', '127.0.0.1', 4),
                             ('host![::1]', '127.0.0.1', 4),
                             ('127.0.0.2', '[::1]', 6)):
        fails(hello('ws://%s:%d/' % (to, s.port), '--interface', word), 64,
              re.escape("--interface %s: the URL's host %s:%d is an IPv%d "
                        'address: give an IPv%d' % (word, to, s.port, family,
                                                    family)),
              'an address of the other family')
    fails(hello('ws://[::1]:%d/' % s.port, '-4'), 64,
          r"--ipv4: the URL's host \S+ is an IPv6 address", 'nor with -4')
    redirect = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 302 Found\r\nLocation: http://[::1]:9/\r\n'
        b'Content-Length: 0\r\n\r\n'))
    fails(hello(url(redirect.port), '--interface', '127.0.0.2'), 68,
          re.escape('--interface 127.0.0.2 leaves only IPv4 addresses: give '
                    'an IPv6'), 'by a redirect: 68')
    fails(hello(url(redirect.port), '-4'), 68,
          '-4 leaves only IPv4 addresses', 'nor by one with -4')
    fails(hello('ws://[::1]:%d/' % s.port, '--interface', 'fe80::1%nope'), 71,
          '--interface fe80::1%nope: No such device',
          'a zone that is not there')
    held = t.Held()
    s = t.server(held.port, '--interface', '127.0.0.4')
    t.ws.connect(s.port)
    t.is_(held.next().getpeername()[0], '127.0.0.4', "a server's target")
    conf = t.folder() + '/conf'
    for mode, name, words in (
            ('server', '192.0.2.1', ['-l', '127.0.0.1:0', 'localhost:1']),
            ('client', 'nope0', ['-l', '127.0.0.1:0', url(s.port)]),
            ('agent', 'nope0', [url(s.port), 'localhost:1'])):
        with open(conf, 'w') as f:
            f.write('mode %s\ninterface %s\n' % (mode, name))
        p = t.Program([t.INETWS, '-K', conf, *words])
        t.ok(p.has_line('event=no-interface interface=%s error="' % name) and
             p.has_line('listening on|event=failed'),
             'what cannot be bound is logged at the start: ' + mode)
        before = p.mark()
        p.send(signal.SIGHUP)
        t.ok(p.has_line('event=no-interface', since=before),
             'and at a reload')


def test_ncat():
    http_proxy(t.ncat, 'it does not take the credentials given')


def both_families(port):
    """A server at ::1 too, which comes first of the addresses of localhost on
    many machines: some proxies try no other one."""
    s = t.server(port)
    try:
        socket.create_server(('::1', s.port), family=socket.AF_INET6).close()
    except OSError:
        return s
    t.server(port, listen='[::1]:%d' % s.port)
    return s


def test_socks():
    s = both_families(t.echo().port)
    for start in (t.microsocks, t.ssh_dynamic):
        p = start()
        for scheme in ('socks5', 'socks5h', 'socks') + (
                ('socks4', 'socks4a') if start is t.ssh_dynamic else ()):
            for host in ('127.0.0.1', 'localhost'):
                works(hello(url(s.port, host), '-x', '%s://127.0.0.1:%d' % (
                    scheme, p.port)), '%s by %s to %s' % (
                    scheme, start.__name__, host))
    p = t.microsocks(ANN)
    where = '127.0.0.1:%d' % p.port
    works(hello(url(s.port), '-x', 'socks5h://%s@%s' % (GOOD, where)),
          'with a password')
    works(hello(url(s.port), '-x', 'socks5h://' + where, '--proxy-user',
                GOOD), '--proxy-user')
    fails(hello(url(s.port), '-x', 'socks5h://' + where), 77,
          'wants credentials', 'without one')
    fails(hello(url(s.port), '-x', 'socks5h://ann:guess@' + where), 77,
          'does not take the credentials', 'with a wrong one')
    fails(hello(url(t.free_port()), '-x', 'socks5h://%s@%s' % (GOOD, where)),
          69, 'connection refused', 'no listener')
    fails(hello(url(1, 'no-such-host.invalid'), '-x', 'socks5h://%s@%s' % (
        GOOD, where)), 69, 'proxy socks5h://', 'it finds no such name')
    fails(hello(url(1, 'no-such-host.invalid'), '-x', 'socks5://%s@%s' % (
        GOOD, where)), t.unknown_name()[0], 'cannot resolve',
          'we find no such name')


def test_tls():
    """TLS to the proxy, and within it TLS to the server."""
    cert, own = t.certificate(), t.certificate()
    s = t.server(t.echo().port)
    n = t.nginx(s.port, own)
    port = t.stunnel('accept', t.tinyproxy(ANN).port, cert)
    x = ('-x', 'https://%s@localhost:%d' % (GOOD, port))
    works(hello(url(s.port), *x, '--proxy-cacert', cert.ca), 'https://')
    works(hello(n.url, *x, '--proxy-cacert', cert.ca, '--cacert', own.ca),
          'TLS within TLS')
    works(hello(n.url, *x, '--proxy-insecure', '-k'), '--proxy-insecure')
    fails(hello(n.url, *x, '--proxy-cacert', cert.ca), 77,
          r'failed .*why="certificate of localhost',
          'the server is not trusted by --proxy-cacert')
    for more in ([], ['--cacert', cert.ca], ['-k']):
        fails(hello(n.url, *x, *more), 77,
              'proxy https://localhost:%d: certificate of localhost:? .*'
              '--proxy-cacert' % port,
              'the proxy is not by %s' % (more[:1] or 'nothing'))
    data = os.urandom(4 << 20)
    r = t.run_inetws('connect', *x, '--proxy-cacert', cert.ca, '--cacert',
                     own.ca, n.url, input=data, timeout=60)
    t.is_(hashlib.sha256(r.stdout).hexdigest(),
          hashlib.sha256(data).hexdigest(), '4 MiB both ways at once')
    fails(hello(url(s.port), '-x', 'https://127.0.0.1:%d' % s.port), 76,
          'does not speak TLS', 'a proxy without TLS')
    c = t.client(n.url, *x, '--proxy-cacert', cert.ca, '--cacert', own.ca)
    v = t.ws.dial(c.port)
    v.sendall(b'x' * 100000)
    t.is_(len(t.ws.read_exactly(v, 100000)), 100000, 'client')
    v.shutdown(1)
    t.is_(t.ws.read_all(v)[1], 'eof', 'and a clean end')


def test_redial():
    """What goes by a proxy once goes by it again, credentials and all."""
    s = t.server(t.echo().port, '--resume', '30s')
    p = t.Scripted()
    c = t.client(url(s.port), '-x', 'http://%s@127.0.0.1:%d' % (
        GOOD, p.port), '--proxy-header', 'X-To-Proxy: 1', '-H',
        'X-To-Server: 2', '--resume', '30s')
    v = t.ws.dial(c.port)
    v.sendall(b'one')
    t.is_(t.ws.read_exactly(v, 3), b'one', 'a tunnel')
    for n in (2, 3):
        for sock in p.socks:
            try:
                sock.shutdown(2)
            except OSError:
                pass
        v.sendall(b'again')
        t.is_(t.ws.read_exactly(v, 5), b'again', 'goes on by the proxy')
        t.ok(len(p.seen) >= n, 'which is asked again')
    basic = base64.b64encode(GOOD.encode()).decode()
    t.ok(all('Proxy-Authorization: Basic %s\r\n' % basic in head and
             'X-To-Proxy: 1\r\n' in head and 'X-To-Server' not in head and
             head.startswith('CONNECT 127.0.0.1:%d HTTP/1.1\r\n' % s.port)
             for head in p.seen), 'in the same words')
    v.close()
    c.wait_line('event=closed .*resumes=')
    t.ok(ANN[1] not in c.log and basic not in c.log, 'nothing in the log')


def test_redial_tls():
    """The same with TLS to both, from within the sandbox."""
    cert, own = t.certificate(), t.certificate()
    n = t.nginx(t.server(t.echo().port).port, own)
    cable = t.Proxy(t.stunnel('accept', t.tinyproxy(ANN).port, cert))
    c = t.client(n.url, '-x', 'https://%s@localhost:%d' % (GOOD, cable.port),
                 '--proxy-cacert', cert.ca, '--cacert', own.ca)
    v = t.ws.dial(c.port)
    for word in (b'one', b'two', b'three'):
        v.sendall(word)
        t.is_(t.ws.read_exactly(v, len(word)), word, 'TLS within TLS')
        cable.cut('rst')
    v.close()
    c.wait_line('event=closed .*resumes=')


def test_requests():
    """What the proxy sees, and what only the server does."""
    s = t.server(t.echo().port)
    p = t.Scripted()
    r = hello(url(s.port, 'localhost', '/secret?token'), '-x',
              '127.0.0.1:%d' % p.port, '-H', 'Authorization: Bearer x',
              '-u', 'bob:x', '-A', 'agent/1')
    works(r, 'plain ws:// goes by CONNECT too')
    t.is_(p.seen, ['CONNECT localhost:%d HTTP/1.1\r\nHost: localhost:%d\r\n'
                   'User-Agent: agent/1\r\n\r\n' % (s.port, s.port)],
          'the proxy sees host and port')
    p.seen.clear()
    six = t.Scripted(port=s.port)
    works(hello('ws://[2001:db8::7]/', '-x', '127.0.0.1:%d' % six.port),
          'an IPv6 address')
    t.like(six.seen[0], r'\ACONNECT \[2001:db8::7\]:80 HTTP/1.1\r\n'
           r'Host: \[2001:db8::7\]:80\r\n', 'in brackets, with its port')
    works(hello(url(s.port), '-x', 'a:b@127.0.0.1:%d' % p.port,
                '--proxy-header', 'Proxy-Authorization: Bearer tok'),
          'a header for the proxy')
    t.like(p.seen[0], '\r\nProxy-Authorization: Bearer tok\r\n\r\n$',
           'takes the place of ours')
    server = t.WSServer()
    for words in (('--proxy-user', GOOD),
                  ('--proxy-header', 'Proxy-Authorization: Bearer tok',
                   '--proxy-header', 'X-To-Proxy: 1')):
        c = t.connect(url(server.port), '-x', '127.0.0.1:%d' % p.port, *words)
        w = server.next()
        t.is_([f for f in w.request if 'proxy' in f], [],
              'the server gets nothing of %s' % words[0])
        w.bye()
        c.stdin.close()
        t.is_(c.wait(), 0, 'and serves')


def scripted(answer, status, word, name, *options, **kw):
    p = t.Scripted(answer, **kw)
    begin = t.ws.now()
    r = hello(url(t.free_port()), '-x', '127.0.0.1:%d' % p.port,
              '--connect-timeout', '3s', '--handshake-timeout', '3s',
              *options)
    fails(r, status, word, name)
    t.ok(t.ws.now() - begin < 10 * t.SCALE, 'in time')


def test_answers():
    for line, status, word in (
            ('403 Forbidden', 77, '403 Forbidden'),
            ('502 Bad Gateway', 69, '502 Bad Gateway'),
            ('503 Busy', 75, '503 Busy'), ('504 Slow', 75, '504 Slow'),
            ('404 Not Found', 76, '404'), ('302 Found\r\nLocation: '
             'ws://127.0.0.1:1/', 76, '302 Found'), ('400 No', 76, '400')):
        scripted(('HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n' % line
                  ).encode(), status, 'proxy http://127.0.0.1:.* answered ' +
                 word, line.split('\r')[0])
    scripted(b'HTTP/1.1 502 No\r\nContent-Type: text/plain\r\n'
             b'Content-Length: 20\r\n\r\nthe far side is down', 69,
             '502 No: the far side is down', 'its words')
    scripted(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\n'
             b'Proxy-Authenticate: Digest realm="x", nonce="y"\r\n'
             b'Content-Length: 0\r\n\r\n', 77,
             'offers only Negotiate, Digest, and inetws knows only Basic',
             'authentication that we do not know')


def endless(sock):
    """Fields without end; ours ends the connection."""
    try:
        while True:
            sock.sendall(b'X-Field: y\r\n' * 100)
    except OSError:
        pass


def late(sock):
    """A body in a segment of its own, behind the first bytes of ours."""
    sock.recv(1000)
    sock.sendall(b'hello\r\n')
    sock.shutdown(2)


def test_hostile():
    """None of these is a way in, and all are told."""
    scripted([b'HTTP/1.1 200 OK\r\n', endless], 76, 'malformed answer: '
             '(more than|a head of more)', 'an endless head')
    scripted(b'HTTP/1.1 200 OK\r\nX: ' + b'y' * 20000, 76,
             'a head of more than', 'an endless field')
    scripted([b'HTTP/1.1 100 Continue\r\n\r\n' * 20], 76, 'interim',
             'nothing but interim answers')
    scripted(b'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello', 76,
             'after its answer', 'a 200 with a body')
    scripted(b'HTTP/1.1 200 OK\r\n\r\n' + t.ws.frame(2, b'x'), 76,
             'after its answer', 'bytes behind the head')
    scripted([b'HTTP/1.1 200 OK\r\n\r\n', late], 76,
             'malformed answer: no HTTP answer',
             'a body in a segment of its own')
    scripted(b'', 76, 'without an answer', 'no answer')
    scripted([b'HTTP/1.1 200', lambda s: s.shutdown(2)], 76,
             'within the answer', 'half of one')
    scripted(b'SSH-2.0-x\r\n', 76, 'malformed answer', 'another protocol')
    scripted(b'HTTP/2 200\r\n\r\n', 76, 'malformed answer', 'HTTP/2')
    scripted(b'HTTP/1.1 200 OK\nX: y\n\n', 76, 'bare LF', 'bare LFs')
    scripted(b'HTTP/1.1 200 \x1b[31m\r\nX: \0\r\n\r\n', 76, 'malformed',
             'control characters')
    r = hello(url(1), '-x', '127.0.0.1:%d' % t.Held().port,
              '--connect-timeout', '500ms')
    fails(r, 75, 'no answer', 'silence')
    def methods_first(sock):
        sock.recv(100)
        sock.sendall(b'\x05\0')
        t.drip(b'\x05\0\0\x03\xff', b'a')(sock)
    for scheme, handler, status in (
            ('http', t.drip(b'HTTP/1.1 200 OK\r\nX: ', b'y'), 75),
            ('http', t.drip(b'HTTP/1.1 403 No\r\nContent-Type: text/plain\r\n'
                            b'Content-Length: 999\r\n\r\n', b'y'), 77),
            ('socks5h', methods_first, 75)):
        begin = t.ws.now()
        # A head that says no has to come in time; others may not come at all.
        r = hello(url(1), '-x', '%s://127.0.0.1:%d' % (
            scheme, t.Listener(handler).port), '--connect-timeout',
            '3s' if status == 77 else '500ms')
        t.is_(r.returncode, status, '%s, byte by byte: %d' % (scheme, status))
        t.ok(t.ws.now() - begin < t.BOUND, 'in time')
    s = t.server(t.echo().port)
    p = t.Scripted([b'HTTP/1.1 2'] + [bytes([b]) for b in
                                      b'00 OK\r\nA: b\r\n\r\n'], port=s.port)
    works(hello(url(1), '-x', '127.0.0.1:%d' % p.port),
          'an answer byte by byte is a good one')
    for field in (b'Transfer-Encoding: chunked', b'Content-Length: 99'):
        p = t.Scripted(b'HTTP/1.1 200 OK\r\n' + field + b'\r\n\r\n',
                       port=s.port)
        works(hello(url(1), '-x', '127.0.0.1:%d' % p.port),
              '%s means nothing in a 200' % field.decode())


def test_hostile_socks():
    for answer, status, word, name in (
            ([b'\x04\0'], 76, 'not one of SOCKS 5', 'SOCKS 4'),
            ([b'HTTP/1.1 400 Bad\r\n\r\n'], 76, 'not one of SOCKS 5', 'HTTP'),
            ([b'\x05'], 76, 'without an answer', 'half a method'),
            ([b'\x05\x01'], 76, 'not offered', 'another method'),
            ([b'\x05\xff'], 77, 'credentials', 'no method'),
            ([b'\x05\0more'], 76, 'after its answer', 'early bytes'),
            ([b'\x05\0', b'\x05\0\0\x07aaaaaaaaaaaaaaa'], 76, 'malformed',
             'an unknown kind of address'),
            ([b'\x05\0', b'\x05\0\0\x03\xff' + b'a' * 255 + b'\0\0more'], 76,
             'after its answer', 'bytes behind the last answer'),
            ([b'\x05\0', b'\x05\0\0\x01\0\0\0'], 76, 'without an answer',
             'half an address'),
            ([b'\x05\0', b'\x05\x02\0\x01\0\0\0\0\0\0'], 77, 'its rules',
             'not allowed'),
            ([b'\x05\0', b'\x05\x06\0\x01\0\0\0\0\0\0'], 75, 'TTL',
             'expired')):
        def serve(sock, answer=answer):
            for piece in answer:
                sock.recv(1000)
                sock.sendall(piece)
            sock.shutdown(1)
            return t.ws.read_all(sock)
        p = t.Listener(serve)
        r = hello(url(1), '-x', 'socks5h://127.0.0.1:%d' % p.port)
        fails(r, status, word, name)
    r = hello(url(1), '-x', 'socks5h://127.0.0.1:%d' % t.Held().port,
              '--connect-timeout', '500ms')
    fails(r, 75, 'no answer', 'silence')
    fails(hello(url(1), '-x', 'socks5h://%s:x@127.0.0.1:%d' % (
        'u' * 256, t.Listener(lambda s: (s.recv(9), s.sendall(b'\5\2'),
                              t.ws.read_all(s))).port)), 64, '255',
        'a user too long for SOCKS')


def test_environment():
    s = t.server(t.echo().port)
    cert = t.certificate()
    n = t.nginx(s.port, cert)
    p = t.Scripted()
    proxy = 'http://127.0.0.1:%d' % p.port
    none = 'http://127.0.0.1:1'

    def by(want, name, where=None, *options, **env):
        before = len(p.seen)
        r = hello(where or url(s.port), *options, **env)
        works(r, '%s: %s' % (name, 'by the proxy' if want else 'directly'))
        t.is_(len(p.seen) - before, int(want), 'it is')

    tls = (n.url, '--cacert', cert.ca)
    by(True, 'http_proxy', http_proxy=proxy)
    by(True, 'http_proxy without a scheme', http_proxy=proxy[7:] + '/')
    by(False, 'HTTP_PROXY', HTTP_PROXY=proxy)
    by(True, 'https_proxy', *tls, https_proxy=proxy)
    by(True, 'HTTPS_PROXY', *tls, HTTPS_PROXY=proxy)
    by(False, 'http_proxy for wss', *tls, http_proxy=proxy)
    by(False, 'https_proxy for ws', https_proxy=proxy)
    by(True, 'all_proxy', all_proxy=proxy)
    by(True, 'all_proxy', *tls, all_proxy=proxy)
    by(True, 'ALL_PROXY', ALL_PROXY=proxy)
    by(True, 'the special one first', http_proxy=proxy, all_proxy=none)
    by(True, 'lower case first', *tls, https_proxy=proxy, HTTPS_PROXY=none)
    by(False, 'an empty one', http_proxy='')
    by(True, '--proxy first', None, '-x', proxy, http_proxy=none)
    by(False, '--proxy ""', None, '-x', '', http_proxy=none)
    by(False, 'no_proxy', http_proxy=none, no_proxy='x, 127.0.0.1')
    by(False, 'a network', http_proxy=none, no_proxy='127.0.0.0/8')
    by(False, 'NO_PROXY', http_proxy=none, NO_PROXY='*')
    by(False, 'a name', url(s.port, 'localhost'), http_proxy=none,
       no_proxy='.localhost')
    by(True, 'another name', http_proxy=proxy, no_proxy='localhost')
    by(False, '--noproxy', None, '-x', none, '--noproxy', '127.0.0.1')
    by(True, '--noproxy ""', None, '--noproxy', '', http_proxy=proxy,
       no_proxy='*')
    fails(hello(url(s.port), http_proxy='ftp://%s@x' % GOOD), 64,
          "environment variable http_proxy: 'ftp://'", 'a bad word')
    fails(hello(url(s.port), http_proxy='http://%s@127.0.0.1:%d' % (
        GOOD, t.free_port())), 69,
        r'proxy http://127.0.0.1:\d+ \(of http_proxy\): cannot connect',
        'no listener')


def test_redirect():
    """The proxy is chosen anew for where a redirect leads."""
    s = t.server(t.echo().port)
    p = t.Scripted()
    first = t.WSServer(answer=lambda line, f: (
        'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:%d/\r\n'
        'Content-Length: 0\r\n\r\n' % s.port).encode())
    works(hello(url(first.port, 'localhost'), '-x', '127.0.0.1:%d' % p.port,
                '--noproxy', 'localhost'), 'from without to with')
    t.is_(len(p.seen), 1, 'one of two by the proxy')
    cert = t.certificate()
    port = t.stunnel('accept', t.tinyproxy().port, cert)
    x = ('-x', 'https://localhost:%d' % port, '--noproxy', 'localhost')
    works(hello(url(first.port, 'localhost'), *x, '--proxy-cacert', cert.ca),
          'to one with TLS, which nothing had before')
    fails(hello(url(first.port, 'localhost'), *x), 77,
          'certificate of localhost', 'which has to be known')


def test_check():
    """inetws check tells of the proxy, and is judged by what it says."""
    s = t.server(t.echo().port)
    p = t.tinyproxy(ANN)
    x = ('-x', 'http://%s@127.0.0.1:%d' % (GOOD, p.port))
    r = t.run_inetws('check', *x, url(s.port))
    t.is_(r.returncode, 0, 'check by a proxy')
    t.like(r.stdout, r'(?m)^ok +proxy +[0-9.]+ \S+ +proxy http://127.0.0.1:%d \(of'
           % p.port, 'has a line for it')
    t.ok(ANN[1].encode() not in r.stdout + r.stderr, 'without the password')
    r = t.run_inetws('check', '--json', *x, url(s.port))
    t.ok(json.loads(r.stdout)['ms']['proxy'] > 0, 'and a time in JSON')
    r = t.run_inetws('check', '--json', url(s.port))
    t.is_(json.loads(r.stdout)['ms']['proxy'], None, 'null without one')
    r = t.run_inetws('check', *x, '--proxy-user', 'ann:guess', url(s.port))
    t.is_(r.returncode, 77, 'a wrong password: 77')
    t.like(r.stdout, 'failed: proxy .* answered', 'and the error says so')


def test_overrides():
    cert = t.certificate(['DNS:name.example'])
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    where = 'wss://name.example:%d/ssh/' % n.port
    ca = ('--cacert', cert.ca)
    works(hello(where, *ca, '--resolve', 'name.example:%d:127.0.0.1' %
                n.port), '--resolve, the certificate is for the name')
    works(hello(where, *ca, '--resolve', '*:%d:[::1],127.0.0.1' % n.port),
          'for all, with two addresses, the first of which is dead')
    works(hello(where, *ca, '-4', '--resolve', '*:%d:::1,127.0.0.1' %
                n.port), 'one of which is of the wrong family')
    works(hello('wss://name.example/ssh/', *ca, '--connect-to',
                'name.example:443:127.0.0.1:%d' % n.port), '--connect-to')
    works(hello('wss://name.example/ssh/', *ca, '--connect-to',
                '::x.example:%d' % n.port, '--resolve',
                'x.example:%d:127.0.0.1' % n.port), 'both of them')
    fails(hello(where, *ca, '--resolve', 'other.example:%d:127.0.0.1' %
                n.port), t.unknown_name()[0], 'cannot resolve name.example',
          'of another host')
    p = t.Scripted(port=n.port)
    works(hello('wss://name.example/ssh/', *ca, '-x', 'p.example:%d' % p.port,
                '--connect-to', '::y.example:1', '--resolve',
                'p.example:%d:127.0.0.1' % p.port),
          "the proxy's name is looked up by --resolve")
    t.like(p.seen[0], r'\ACONNECT y.example:1 ',
           'and asked for what --connect-to says')
    path = os.path.join(t.folder(), 's')
    u = t.server(t.echo().port, listen='unix:' + path)
    works(hello('ws://name.example/', '--unix-socket', path),
          '--unix-socket')
    works(hello('ws://name.example/', '--unix-socket', path,
                http_proxy='http://127.0.0.1:1'),
          'which goes before the proxy of the environment')
    u.wait_line('event=closed')
    r = t.run_inetws('connect', '--unix-socket', path, '-x', 'h:1', 'ws://h')
    t.is_(r.returncode, 64, 'but not with --proxy')
    fails(hello('ws://h/', '--unix-socket', path + 'x'), 69,
          'cannot connect to unix:', 'no such socket')


def test_bad_words():
    for words, named in (
            (['-x', 'ftp://h'], 'ftp://'),
            (['-x', 'http://u:s3cret-of-ann@h:x'], '--proxy'),
            (['-x', 'http://h/p'], 'path'),
            (['--proxy-user', 's3cret-of-ann'], 'colon'),
            (['--proxy-user', 'a:s3cret-of-ann\r\nX: y'], 'control'),
            (['--proxy-user', '@/nonexistent'], 'nonexistent'),
            (['--proxy-header', 'Host: x'], 'Host must not'),
            (['--proxy-header', 'X: s3cret-of-ann\r\nY: z'], 'line break'),
            (['--proxy-header', 'Connection: x'], 'Connection must not'),
            (['--noproxy', 'a\nb'], 'noproxy'),
            (['--resolve', 'h:1'], 'HOST:PORT:ADDRESS'),
            (['--resolve', 'h:1:name'], 'name'),
            (['--connect-to', 'h:1:x'], 'HOST1:PORT1'),
            (['--unix-socket', 'relative'], '/PATH')):
        r = t.run_inetws('connect', *words, 'ws://h/')
        t.is_(r.returncode, 64, '%s: 64' % words[0])
        t.like(r.stderr, named, 'which is named')
        t.ok(b's3cret' not in r.stderr, 'and no secret')


t.main()
