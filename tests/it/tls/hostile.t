#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS peers that are slow, silent or wrong: bounded in time, named in one log
line, without effect on other connections.

If it fails: one bad peer blocks a server with TLS.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import struct           # noqa: E402
import time             # noqa: E402


def record(kind, body, version=0x0303, length=None):
    return struct.pack('>BHH', kind, version,
                       len(body) if length is None else length) + body


ALERT, HANDSHAKE, DATA = 21, 22, 23
RUBBISH = (
    ('nothing', b''),
    ('one byte', b'\x16'),
    ('HTTP', b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    ('zeros', bytes(5000)),
    ('noise', bytes(i * 7 & 255 for i in range(5000))),
    ('a record of no length', record(HANDSHAKE, b'')),
    ('500 of them', record(HANDSHAKE, b'') * 500),
    ('a record too long', record(HANDSHAKE, bytes(20000))),
    ('a record of an unknown kind', record(99, b'x' * 50)),
    ('data before a handshake', record(DATA, b'x' * 50)),
    ('a fatal alert', record(ALERT, b'\x02\x28')),
    ('2000 warnings', record(ALERT, b'\x01\x5a') * 2000),
    ('a hello of 16 MiB', record(HANDSHAKE, b'\x01\xff\xff\xff' +
                                 bytes(1000)) + record(HANDSHAKE,
                                                       bytes(16000)) * 40),
    ('a hello of nothing', record(HANDSHAKE, b'\x01\x00\x00\x00')),
    ('a certificate of 16 MiB', record(HANDSHAKE, b'\x0b\xff\xff\xff' +
                                       bytes(1000))),
    ('a hello of the server', record(HANDSHAKE, b'\x02\x00\x00\x26\x03\x03' +
                                     bytes(36))),
    ('an old hello', b'\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10' +
     bytes(40)),
)


def dial(s, cert, **kw):
    context = ssl.create_default_context(cafile=cert.ca)
    for name, value in kw.items():
        setattr(context, name, value)
    return context.wrap_socket(t.ws.dial(s.port), server_hostname='localhost')


def up(sock):
    sock.sendall(t.ws.request())
    t.ws.read_head(sock)
    return t.ws.WebSocket(sock, True)


def says(w):
    w.send(b'hello')
    return w.take_data(5) == b'hello'


def send(port, data):
    """Sends it and reads to the end; does the end come in time?"""
    try:
        sock = t.ws.dial(port)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        t.ws.read_all(sock)
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def server(*options):
    cert = t.certificate()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key, '--log-level', 'debug', *options)
    return cert, s


def test_server_rubbish():
    cert, s = server('--handshake-timeout', '3s')
    w = up(dial(s, cert))
    for name, data in RUBBISH:
        before = s.mark()
        t.ok(send(s.port, data), name + ' is ended')
        t.ok(s.has_line('event=failed.*why="TLS with the client: |'
                        'event=probe', since=before), 'and told of')
    t.ok(says(w), 'a tunnel goes on')
    t.ok(says(up(dial(s, cert))), 'others are served')
    t.ok(t.until(lambda: len(t.children(s.pid)) <= 2), 'nothing is left')
    t.ok('child-killed' not in s.log, 'and nothing crashed')


def test_slow():
    """A peer that sends nothing or a byte now and then is dropped in time."""
    cert, s = server('--handshake-timeout', '%dms' % (4000 * t.SCALE))
    hello = client_hello(s)
    begin = time.monotonic()
    mute = [t.ws.dial(s.port) for _ in range(20)]
    slow = t.ws.dial(s.port)
    t.ok(says(up(dial(s, cert))), 'others are served meanwhile')
    try:
        for byte in hello[:-1]:
            slow.sendall(bytes([byte]))
            time.sleep(0.02 * t.SCALE)
            if time.monotonic() > begin + t.BOUND:
                break
    except OSError:
        pass
    t.ok(time.monotonic() < begin + t.BOUND, 'a byte at a time is ended')
    for sock in mute:
        try:
            t.ws.read_all(sock)
        except OSError:
            pass
    t.ok(time.monotonic() < begin + t.BOUND, 'silence too')
    t.ok(s.has_line('TLS with the client: timed out', count=21),
         'which the log says')


def client_hello(s):
    """The first flight of a real client."""
    got = []
    listener = t.Listener(lambda sock: (got.append(sock.recv(65536)),
                                        sock.shutdown(socket.SHUT_RDWR)))
    context = ssl.create_default_context()
    try:
        context.wrap_socket(t.ws.dial(listener.port),
                            server_hostname='localhost')
    except OSError:
        pass
    t.until(lambda: got)
    return got[0]


def test_cut_hello():
    """A real hello, cut and bent at many places."""
    cert, s = server('--handshake-timeout', '5s')
    hello = client_hello(s)
    t.ok(len(hello) > 200, 'a hello of %d bytes' % len(hello))
    good = all(send(s.port, hello[:n]) for n in range(1, len(hello), 29))
    t.ok(good, 'cut anywhere')
    for i in range(0, len(hello), 17):
        bent = bytearray(hello)
        bent[i] ^= 0xff
        good = good and send(s.port, bytes(bent))
    t.ok(good, 'bent anywhere')
    t.ok(says(up(dial(s, cert))), 'others are served')
    t.ok('child-killed' not in s.log, 'and nothing crashed')


def test_server_tunnel():
    """A tunnel that is broken into, cut off or flooded."""
    cert = t.certificate()
    target = t.discard()
    s = t.server(target.port, '--tls-cert', cert.cert, '--tls-key', cert.key)
    for i, (name, data) in enumerate((
            ('noise', b'\x17\x03\x03\x00\x50' + b'x' * 80),
            ('an alert in plain text', record(ALERT, b'\x01\x00')),
            ('no TLS', b'x' * 100),
            ('an end without close_notify', b''))):
        sock = dial(s, cert)
        w = up(sock)
        w.send(b'some')
        t.ok(target.wait_accepted(i + 1), 'a tunnel is up')
        raw = socket.socket(fileno=sock.detach())
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        t.is_(target.take(), (b'some', 'reset'),
              '%s: the target is reset' % name)
        raw.close()
    s.wait_line('event=closed.*end=', count=4)
    openssl, = t.need('openssl')
    p = t.Program([openssl, 's_client', '-connect', '127.0.0.1:%d' % s.port,
                   '-tls1_3', '-CAfile', cert.ca], stdin=-1, stdout=-1)
    p.stdin.write(t.ws.request())
    p.stdin.flush()
    while b' 101 ' not in p.stdout.readline():
        pass
    for i in range(30):
        p.stdin.write(b'K\n')
        p.stdin.flush()
        p.wait_line('KEYUPDATE', count=i + 1)
    p.stdin.write(t.ws.frame(2, b'some', key=b'abcd') + t.ws.frame(
        8, b'\3\xe8', key=b'abcd'))
    p.stdin.flush()
    t.is_(target.take(), (b'some', 'eof'), 'keys are changed again and again')


class Hostile(t.Listener):
    """Reads a hello and sends this."""

    def __init__(self, data, end=True):
        self.data, self.end = data, end
        super().__init__(self._serve_one)

    def _serve_one(self, sock):
        sock.recv(65536)
        sock.sendall(self.data)
        if self.end:
            sock.shutdown(socket.SHUT_WR)
        try:
            t.ws.read_all(sock)
        except OSError:
            pass


def test_client_rubbish():
    for name, data in RUBBISH:
        for end in (True, False):
            h = Hostile(data, end)
            r = t.run_inetws('connect', '-k', 'wss://localhost:%d/' % h.port,
                             '--connect-timeout', '700ms', input=b'')
            t.ok(r.returncode in (75, 76) and r.stdout == b'',
                 '%s%s: %d' % (name, '' if end else ', then silence',
                               r.returncode))
            t.is_(r.stderr.count(b'\n'), 1, 'in one line')


def test_client_slow():
    """Rubbish that never ends, or comes slowly, ends at the deadline."""
    def trickle(sock):
        sock.recv(65536)
        while True:
            sock.sendall(b'\x16')
            time.sleep(0.1)

    def flood(sock):
        sock.recv(65536)
        while True:
            sock.sendall(record(ALERT, b'\x01\x5a') * 100)

    for name, handler in (('a trickle', trickle), ('a flood', flood)):
        listener = t.Listener(handler)
        begin = time.monotonic()
        r = t.run_inetws('connect', '-k', 'wss://localhost:%d/' %
                         listener.port, '--connect-timeout', '1s', input=b'')
        t.ok(r.returncode in (75, 76), '%s: %d' % (name, r.returncode))
        t.ok(time.monotonic() - begin < t.BOUND, 'in time')


def test_names():
    """Names in a certificate may be anything; a line stays a line."""
    for cn, names in (('evil\nlevel=error event=forged', ()),
                      ('\x1b[31mred', ()), ('x' * 64, ()),
                      ('many', ['DNS:n%d.example.org' % i
                                for i in range(400)])):
        cert = t.Authority().issue(cn, names)
        server = t.WSServer(tls=t.tls_context(cert))
        r = t.run_inetws('connect', '--cacert', cert.ca,
                         'wss://localhost:%d/' % server.port, input=b'')
        t.is_(r.returncode, 77, '%s: 77' % ascii(cn)[:30])
        t.is_(r.stderr.count(b'\n'), 1, 'in one line')
        t.ok(len(r.stderr) < 1000 and b'\x1b' not in r.stderr,
             'of %d plain bytes' % len(r.stderr))


t.main()
