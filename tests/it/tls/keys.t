#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Where private keys are: in the supervisor once, and in no process that
serves a tunnel and makes no other connection.

If it fails: a child that was taken over reveals the private key.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import ssl              # noqa: E402

if sys.byteorder != 'little':
    t.skip_all('keys are searched for as little-endian machines have them')
if t.SANITIZED:
    t.skip_all('sanitizers keep what was freed')

PASSWORD = 'a-password-of-its-own-7Q'
KINDS = {'P-256': None, 'RSA': ('-newkey', 'rsa:2048', '-nodes')}


def live(parts):
    return sorted(name for name in parts if name.endswith('-live'))


def test_server():
    for kind, newkey in KINDS.items():
        cert = t.Authority().issue(newkey=newkey)
        parts = t.key_parts(cert.key)
        s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                     cert.key)
        context = ssl.create_default_context(cafile=cert.ca)
        sock = context.wrap_socket(t.ws.dial(s.port),
                                   server_hostname='localhost')
        child = t.child(s.pid)
        t.ok(t.until(lambda: t.search(child, parts) == []),
             '%s: its child has it no more, before a request' % kind)
        sock.sendall(t.ws.request())
        t.ws.read_head(sock)
        t.is_(t.search(s.pid, parts), live(parts),
              "%s: the supervisor has it once, and nothing of the file" %
              kind)
        t.is_(t.search(child, parts), [], 'its child has not')


def test_client():
    """Which keeps it only as long as it may have to dial again."""
    ca = t.Authority()
    site, own = ca.issue(), ca.issue('alice', ())
    key = t.encrypted(own.key, PASSWORD)
    parts = t.key_parts(own.key)
    secrets = dict(parts, password=PASSWORD.encode())
    pw = os.path.join(t.folder(), 'pw')
    with open(pw, 'w') as f:
        f.write(PASSWORD + '\n')
    n = t.nginx(t.server(t.echo().port).port, site, extra='''
        ssl_verify_client on; ssl_client_certificate %s;''' % ca.cert)
    for resume, keeps in (('0', []), ('1m', live(parts))):
        c = t.client(n.url, '--cacert', ca.cert, '--cert', own.cert, '--key',
                     key, '--key-password-file', pw, '--resume', resume)
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', 'a tunnel is up')
        child = t.child(c.pid)
        t.is_(t.search(child, secrets), keeps, '--resume %s: %s' % (
            resume, 'the key is kept' if keeps else 'nothing is kept'))
        t.is_(t.search(c.pid, secrets), live(parts),
              'the supervisor has the key, not the password')


def test_without_tls():
    """A redirect might have needed it."""
    own = t.Authority().issue('alice', ())
    c = t.client('ws://127.0.0.1:%d/' % t.server(t.echo().port).port,
                 '--cert', own.cert, '--key', own.key, '--resume', '0')
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'a tunnel of ws:// is up')
    t.is_(t.search(t.child(c.pid), t.key_parts(own.key)), [],
          'nothing is kept')


def test_header_command():
    """The command helper of a tunnel has no key, whatever the tunnel keeps."""
    ca = t.Authority()
    site, own = ca.issue(), ca.issue('alice', ())
    parts = t.key_parts(own.key)
    n = t.nginx(t.server(t.echo().port).port, site)
    c = t.client(n.url, '--cacert', ca.cert, '--cert', own.cert, '--key',
                 own.key, '--header-command', 'echo "X: y"')
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    t.is_(v.recv(1), b'x', 'a tunnel')
    child = t.child(c.pid)
    t.is_(t.search(child, parts), live(parts), 'which keeps the key')
    helper = t.child(child)
    t.is_(t.search(helper, parts), [], 'its command helper has none')


def test_tickets():
    """The master secrets of others are no affair of a tunnel's process."""
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    c = t.client(n.url, '--cacert', cert.ca)
    plain = t.client('ws://127.0.0.1:%d/' % t.server(t.echo().port).port)
    for p in (c, plain):
        v = t.ws.dial(p.port)
        v.sendall(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', 'a tunnel is up')
    t.is_(*(t.descriptors(t.child(p.pid)) for p in (c, plain)),
          'no descriptor by which tickets come')


t.main()
