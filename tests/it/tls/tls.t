#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""wss://: which servers are trusted, through nginx and against a bare TLS
peer.

If it fails: a client talks to a server with a forged certificate.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import hashlib          # noqa: E402
import ssl              # noqa: E402
import threading        # noqa: E402
import warnings         # noqa: E402

warnings.simplefilter('ignore', DeprecationWarning)     # of TLS 1.1


def hello(url, *options, **kw):
    return t.run_inetws('connect', *options, url, input=b'hello', **kw)


def works(r, name):
    t.is_((r.returncode, r.stdout), (0, b'hello'), name)
    if r.returncode:
        t.diag(r.stderr)


def test_through_nginx():
    cert = t.certificate()
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    works(hello(n.url, '--cacert', cert.ca), '--cacert: ' + n.url)
    works(hello(n.url.replace('localhost', '127.0.0.1'), '--cacert',
                cert.ca), 'an address in the certificate')
    works(hello(n.url.replace('wss:', 'https:'), '--cacert', cert.ca),
          'https:// means the same')
    works(hello(n.url, '-k'), '-k')
    works(hello(n.url, '--insecure'), '--insecure')
    r = hello(n.url)
    t.is_(r.returncode, 77, 'an unknown authority is refused: 77')
    t.like(r.stderr, '(?i)certificate', 'and the error says so')
    t.is_(r.stderr.count(b'\n'), 1, 'in one line')
    plain = {k: v for k, v in os.environ.items()
             if not k.startswith('SSL_CERT_')}
    r = hello(n.url, env=plain)
    t.ok(r.returncode == 77 or b'ca-certificates' in r.stderr,
         "as by the system's own authorities: %d" % r.returncode)
    c = t.client(n.url, '--cacert', cert.ca)
    v = t.ws.dial(c.port)
    v.sendall(b'x' * 100000)
    t.is_(len(t.ws.read_exactly(v, 100000)), 100000, 'client over TLS')
    r = hello(n.url.replace('wss:', 'ws:'))
    t.is_(r.returncode, 76, 'ws:// to a TLS port is answered 400: 76')
    r = hello(n.url.replace('/ssh/', '/nowhere/'), '--cacert', cert.ca)
    t.is_(r.returncode, 76, 'another path: 404, 76')
    t.like(r.stderr, '404', 'and the error says so')


def test_capath():
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    d = t.folder()
    os.symlink(cert.ca, d + '/ca.pem')
    openssl, = t.need('openssl')
    t.run([openssl, 'rehash', d])
    works(hello(n.url, '--capath', d), '--capath')
    empty = t.folder()
    t.is_(hello(n.url, '--capath', empty).returncode, 77,
          'an empty directory: 77')
    r = hello(n.url, '--cacert', d + '/none.pem')
    t.is_(r.returncode, 64, 'no such file: 64')
    t.like(r.stderr, 'none.pem', 'which is named')


def test_wrong_names():
    s = t.server(t.echo().port)
    cert = t.certificate(['DNS:example.org'])
    n = t.nginx(s.port, cert)
    r = hello(n.url, '--cacert', cert.ca)
    t.is_(r.returncode, 77, "another host's certificate: 77")
    t.like(r.stderr, 'hostname mismatch', 'and the error says so')
    works(hello(n.url, '-k'), 'unless -k')
    cert = t.certificate(['DNS:localhost'])
    n = t.nginx(s.port, cert)
    r = hello(n.url.replace('localhost', '127.0.0.1'), '--cacert', cert.ca)
    t.is_(r.returncode, 77, 'an address that is not in it: 77')
    works(hello(n.url, '--cacert', cert.ca), 'the name that is')
    wild = t.certificate(['DNS:*.example.org'])
    n = t.nginx(s.port, wild)
    t.is_(hello(n.url, '--cacert', wild.ca).returncode, 77,
          'a wildcard for others: 77')


def test_expired():
    cert = t.certificate(days=-1)
    n = t.nginx(t.server(t.echo().port).port, cert)
    r = hello(n.url, '--cacert', cert.ca)
    t.is_(r.returncode, 77, 'an expired certificate: 77')
    t.like(r.stderr, '(?i)expired', 'and the error says so')


def test_versions():
    cert = t.certificate()
    for version, want in ((ssl.TLSVersion.TLSv1_1, 76),
                          (ssl.TLSVersion.TLSv1_2, 0),
                          (ssl.TLSVersion.TLSv1_3, 0)):
        context = t.tls_context(cert)
        context.set_ciphers('ALL:@SECLEVEL=0')
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = version
        server = t.WSServer(tls=context)
        p = t.connect('wss://localhost:%d/' % server.port, '--cacert',
                      cert.ca)
        if want == 0:
            w = server.next()
            w.bye()
            p.stdin.close()
        t.is_(p.wait(), want, '%s: %d' % (version.name, want))


def test_sni():
    cert = t.certificate()
    seen = []
    context = t.tls_context(cert)
    context.sni_callback = lambda sock, name, ctx: seen.append(name)
    server = t.WSServer(tls=context)
    for host, want in (('localhost', 'localhost'), ('127.0.0.1', None),
                       ('localhost.', 'localhost'), ('LOCALHOST', 'LOCALHOST')):
        t.connect('wss://%s:%d/' % (host, server.port), '--cacert', cert.ca,
                  '--resolve', '%s:%d:127.0.0.1' % (host, server.port))
        server.next()
        t.is_(seen.pop(), want, 'server name for %s: %s' % (host, want))
    t.connect('wss://[::1]/', '-k', '--connect-to',
              '::127.0.0.1:%d' % server.port)
    server.next()
    t.is_(seen, [None], 'none for an address of IPv6')


def test_no_tls_there():
    plain = t.server(t.echo().port)
    r = hello('wss://127.0.0.1:%d/' % plain.port, '-k')
    t.is_(r.returncode, 76, 'TLS to a port without it: 76')
    mute = t.Held()
    begin = t.ws.now()
    r = hello('wss://127.0.0.1:%d/' % mute.port, '-k', '--connect-timeout',
              '500ms', '--handshake-timeout', '500ms')
    t.is_(r.returncode, 75, 'no TLS answer: 75')
    t.ok(t.ws.now() - begin < t.BOUND, 'in time')


def test_truncation():
    """A TLS stream that ends without close_notify is a lost websocket, even
    behind a Close that was cut off."""
    cert = t.certificate()
    server = t.WSServer(tls=t.tls_context(cert))
    c = t.client('wss://localhost:%d/' % server.port, '--cacert', cert.ca,
                 '--resume', '0')
    for name, data in (('in silence', b''),
                       ('within a frame', t.ws.frame(2, b'x' * 50)[:20])):
        v = t.ws.dial(c.port)
        w = server.next()
        w.send(b'some')
        t.is_(t.ws.read_exactly(v, 4), b'some', 'data passes')
        if data:
            w.raw(data)
        os.close(w.sock.detach())       # the TCP end, and nothing of TLS
        t.is_(t.ws.read_all(v)[1], 'reset', 'cut %s: reset' % name)


def test_clean_end():
    cert = t.certificate()
    server = t.WSServer(tls=t.tls_context(cert))
    c = t.client('wss://localhost:%d/' % server.port, '--cacert', cert.ca)
    v = t.ws.dial(c.port)
    w = server.next()
    data = os.urandom(2 << 20)
    read = []
    reader = threading.Thread(target=lambda: read.append(t.ws.read_all(v)))
    reader.start()
    w.send(data)
    w.close(1000)
    reader.join(t.BOUND)
    (got, how), = read
    t.ok(got == data, 'the last 2 MiB before Close arrive')
    t.is_(how, 'eof', 'and a clean end')
    code = w.take_close(answer=False)
    t.ok(code in (1000, 1005), 'Close is answered: %s' % code)
    t.is_(tls_end(w), 'eof', 'and the transport ends with close_notify')


def tls_end(w):
    w.sock.suppress_ragged_eofs = False
    return w.take_end()


def test_clean_end_elsewhere():
    """Of a websocket that goes away or has not been used."""
    cert = t.certificate()
    for code in 1012, 1001:
        server = t.WSServer(tls=t.tls_context(cert), headers=[(
            'Sec-WebSocket-Extensions', 'inetws; v=2; id=a; resume="%s"' %
            ('0' * 32))])
        url = 'wss://localhost:%d/' % server.port
        c = t.client(url, '--cacert', cert.ca)
        v = t.ws.dial(c.port)
        w = server.next()
        w.send(b'some')
        t.is_(t.ws.read_exactly(v, 4), b'some', 'a session')
        w.close(code)
        t.is_((w.take_close(answer=False), tls_end(w)), (code, 'eof'),
              'Close %d: close_notify behind both' % code)
    for name, start in (
            ('--warm', lambda url: t.client(
                url, '--cacert', cert.ca, '--warm', '1', '--linger', '100ms')),
            ('check', lambda url: t.inetws(
                'check', '--cacert', cert.ca, url))):
        server = t.WSServer(tls=t.tls_context(cert))
        start('wss://localhost:%d/' % server.port)
        w = server.next()
        t.is_((w.take_close(), tls_end(w)), (1000, 'eof'),
              name + ': close_notify behind Close')


def last_of(sock):
    """How a connection ends for who reads it."""
    sock.suppress_ragged_eofs = False
    try:
        while sock.recv(65536):
            pass
        return 'eof'
    except OSError as e:
        return repr(e)


def test_clean_end_answered():
    """close_notify (RFC 8446 6.1) behind an answer that is no websocket, or is
    one of no use."""
    cert = t.certificate()
    context = t.tls_context(cert)

    def answers(head):
        def answer(sock):
            while b'\r\n\r\n' not in sock.recv(65536):
                pass
            sock.sendall(b'HTTP/1.1 ' + head +
                         b'\r\nContent-Length: 0\r\n\r\n')
            return last_of(sock)
        return t.Listener(answer, tls=context)
    refuses = answers(b'403 Forbidden')
    away = answers(b'302 Found\r\nLocation: wss://localhost:%d/' %
                   refuses.port)
    for to in refuses, away:
        c = t.connect('wss://localhost:%d/' % to.port, '--cacert', cert.ca)
        t.is_((c.wait(), refuses.take()), (77, 'eof'),
              'the client, behind 403')
    t.is_(away.take(), 'eof', 'and behind 302, before it goes on')

    plain = t.WSServer(tls=context)
    t.inetws('agent', '--cacert', cert.ca, '--retry', '1',
             'wss://localhost:%d/agents/a' % plain.port, '127.0.0.1:1')
    w = plain.next()
    t.is_((w.take_close(), tls_end(w)), (1000, 'eof'),
          'an agent, where no gate is')

    def fields(more):
        return [('Sec-WebSocket-Extensions', 'inetws; v=2; id=a; ' + more)]
    session = 'resume="%s"' % ('0' * 32)
    redials = (('knows no sessions', [], 1000),
               ('has another position', fields(session + '; at=7'), 1002))
    answers = iter([fields(session)] + [headers for _, headers, _ in redials])
    server = t.WSServer(tls=context, answer=lambda first, has: t.switch(
        has, next(answers, [])))
    c = t.client('wss://localhost:%d/' % server.port, '--cacert', cert.ca)
    v = t.ws.dial(c.port)
    w = server.next()
    for what, _, code in redials:
        w.sock.close()
        w = server.next()
        t.is_((w.take_close(), tls_end(w)), (code, 'eof'),
              'a redial answered by a peer that ' + what)
    v.close()

    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key)
    sock = ssl.create_default_context(cafile=cert.ca).wrap_socket(
        t.ws.dial(s.port), server_hostname='localhost')
    raised = None
    try:
        sock.unwrap()
    except OSError as e:
        raised = e
    t.is_(raised, None, 'a server, to a peer that leaves without a request')


def test_big():
    """Both directions at once through nginx and TLS."""
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    c = t.client(n.url, '--cacert', cert.ca)
    v = t.ws.dial(c.port)
    data = os.urandom(8 << 20)
    threading.Thread(target=lambda: v.sendall(data), daemon=True).start()
    got = t.ws.read_exactly(v, len(data))
    t.is_(hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest(),
          '8 MiB there and back')


def redirect(to):
    def answer(first, fields):
        return ('HTTP/1.1 302 Found\r\nLocation: %s\r\n'
                'Content-Length: 0\r\n\r\n' % to).encode()
    return answer


def test_redirects():
    cert = t.certificate()
    plain = t.WSServer()
    secret = t.WSServer(tls=t.tls_context(cert))
    up = t.WSServer(answer=redirect('wss://localhost:%d/x' % secret.port))
    p = t.connect('ws://127.0.0.1:%d/' % up.port, '--cacert', cert.ca)
    w = secret.next()
    t.is_(w.request_line, 'GET /x HTTP/1.1', 'from ws to wss')
    w.bye()
    p.stdin.close()
    t.is_(p.wait(), 0, 'status 0')

    for scheme in ('ws', 'http'):
        down = t.WSServer(tls=t.tls_context(cert), answer=redirect(
            '%s://127.0.0.1:%d/' % (scheme, plain.port)))
        r = hello('wss://localhost:%d/' % down.port, '--cacert', cert.ca)
        t.is_(r.returncode, 76, 'never from wss to %s: 76' % scheme)
        t.is_(plain.accepted, 0, 'the plain one is not even dialled')

    other = t.certificate(['DNS:example.org'])
    wrong = t.WSServer(tls=t.tls_context(other))
    up = t.WSServer(tls=t.tls_context(cert), answer=redirect(
        'wss://localhost:%d/' % wrong.port))
    r = hello('wss://localhost:%d/' % up.port, '--cacert', cert.ca)
    t.is_(r.returncode, 77, 'the target of a redirect is verified too')


def test_nginx_proxies_statuses():
    """What the server answers reaches the user through the proxy."""
    cert = t.certificate()
    s = t.server(t.free_port())
    n = t.nginx(s.port, cert)
    r = hello(n.url, '--cacert', cert.ca)
    t.is_(r.returncode, 69, 'a dead target: 502, 69')
    t.like(r.stderr, '502', 'and the error says so')
    n = t.nginx(t.free_port(), cert)
    r = hello(n.url, '--cacert', cert.ca)
    t.is_(r.returncode, 69, 'a dead server: 502 of nginx, 69')


t.main()
