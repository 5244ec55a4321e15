#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS sessions are resumed across the processes of a client.

If it fails: each connection of a client costs a full TLS handshake.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import shutil           # noqa: E402
import signal           # noqa: E402
import ssl              # noqa: E402
import time             # noqa: E402


def site(version='1.3', cert=None, extra=''):
    cert = cert or t.certificate()
    return cert, t.nginx(t.server(t.echo().port).port, cert, extra='''
        ssl_protocols TLSv%s; %s''' % (version, extra))


def visit(c):
    """One connection; was its session resumed?"""
    before = c.mark()
    v = t.ws.dial(c.port)
    v.sendall(b'hello')
    if t.ws.read_exactly(v, 5) != b'hello':
        raise AssertionError('nothing comes back: ' + c.log)
    line = c.wait_line(r'ms  (TLSv\S+ .*), certificate', since=before)[1]
    v.close()
    return 'resumed' in line


def test_resumed():
    for version in ('1.2', '1.3'):
        cert, n = site(version)
        c = t.client(n.url, '--cacert', cert.ca, '-v')
        t.is_([visit(c) for _ in range(6)], [False] + 5 * [True],
              'TLS %s: all but the first' % version)


def test_many_listeners():
    """Their descriptors are closed in the processes of connections, those of
    tickets are not."""
    cert, n = site()
    c = t.client(n.url, '--cacert', cert.ca, '-v',
                 *(15 * ('-l', '127.0.0.1:0')))
    t.is_([visit(c) for _ in range(3)], [False, True, True],
          'with sixteen listeners sessions are resumed too')


def test_many_at_once():
    cert, n = site()
    c = t.client(n.url, '--cacert', cert.ca, '-v')
    visit(c)
    socks = [t.ws.dial(c.port) for _ in range(30)]
    for v in socks:
        v.sendall(b'hello')
    t.ok(all(t.ws.read_exactly(v, 5) == b'hello' for v in socks),
         '30 at once, with few tickets')
    t.ok(visit(c), 'and it goes on')


def test_refused():
    """Tickets that the server does not know any more."""
    cert, n = site()
    c = t.client(n.url, '--cacert', cert.ca, '-v')
    visit(c)
    t.ok(visit(c), 'resumed')
    n.send(signal.SIGHUP)       # new workers have a new key
    t.ok(t.until(lambda: not visit(c)), 'refused, but it goes on')
    t.ok(t.until(lambda: visit(c)), 'and is resumed again')


def test_none():
    cert, n = site(extra='ssl_session_tickets off; ssl_session_cache off;')
    c = t.client(n.url, '--cacert', cert.ca, '-v')
    t.is_([visit(c) for _ in range(3)], 3 * [False],
          'a server without tickets')


def test_changed_files():
    """A server that is not trusted any more is not resumed with."""
    a, b = t.certificate(), t.certificate()
    path = os.path.join(t.folder(), 'ca.pem')
    shutil.copy(a.ca, path)
    cert, n = site(cert=a)
    c = t.client(n.url, '--cacert', path, '-v')
    visit(c)
    t.ok(visit(c), 'resumed')
    shutil.copy(b.ca, path + '.new')
    os.rename(path + '.new', path)
    try:
        t.ws.read_all(t.ws.dial(c.port))
    except OSError:
        pass                    # reset before the socket was ready
    c.wait_line('event=failed.*certificate of localhost')
    t.ok(True, 'another authority: refused')
    shutil.copy(a.ca, path + '.new')
    os.rename(path + '.new', path)
    t.is_([visit(c), visit(c)], [False, True], 'and back again')
    c.send(signal.SIGHUP)
    c.wait_line('event=reloaded-file.*certificates', count=3)
    t.ok(not visit(c), 'HUP: a full handshake')


def test_identity():
    """The certificate of ours holds for resumed sessions; and pins too."""
    ca = t.Authority()
    own, cert = ca.issue('alice', ()), ca.issue()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key, '--tls-client-ca', ca.cert)
    c = t.client('wss://localhost:%d/' % s.port, '--cacert', ca.cert,
                 '--cert', own.cert, '--key', own.key, '--pinnedpubkey',
                 t.pin(cert.cert), '--peer-certs', cert.cert, '-v')
    t.is_([visit(c) for _ in range(3)], [False, True, True],
          'resumed with a server of ours')
    s.wait_line('event=closed.*subject="?CN=alice', count=3)
    t.ok(True, 'which knows the client each time')


def resumes(s, context, session):
    """A handshake with that session: a new one, and was it resumed?"""
    with context.wrap_socket(t.ws.dial(s.port), session=session,
                             server_hostname='localhost') as w:
        w.sendall(t.ws.request())
        if not w.recv(1):
            raise OSError('refused')
        return w.session, w.session_reused


def test_expired_client():
    """A client's certificate that has expired does not get in by a ticket."""
    ca = t.Authority()
    cert = ca.issue()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key, '--tls-client-ca', ca.cert)
    own = ca.issue('alice', (), seconds=10 * t.SCALE)
    end = time.time() + 10 * t.SCALE + 1
    known = []
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=ca.cert)
        context.maximum_version = version
        context.load_cert_chain(own.cert, own.key)
        session, _ = resumes(s, context, None)
        session, reused = resumes(s, context, session)
        t.ok(reused, '%s: resumed' % version.name)
        last, _ = resumes(s, context, session)
        known += [(context, session), (context, last)]
    t.ok(t.until(lambda: time.time() > end, timeout=20 * t.SCALE),
         'time goes by')
    for context, one in known:
        try:
            resumes(s, context, one)
            t.ok(False, 'an expired certificate got in')
        except (OSError, ssl.SSLError):
            t.ok(True, '%s: refused when the certificate has expired' %
                 context.maximum_version.name)


t.main()
