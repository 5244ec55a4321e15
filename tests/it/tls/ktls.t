#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""TLS in the kernel: it is logged, bytes that need no mask move inside the
kernel, and nothing else differs.

If it fails: tunnels with TLS in the kernel lose bytes, or do not use it.

Few machines have such a kernel with its module tls loaded; elsewhere `make
check-long` runs this in an emulated machine (tests/long/ktls.t).
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import hashlib          # noqa: E402
import random           # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import struct           # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402

MIB = 1 << 20
TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH = r'ktls=send\+recv'
SENDS = r'ktls=send(\+recv)?'   # OpenSSL 3.0 leaves TLS 1.3's other half


def missing():
    """What this kernel lacks: TCP_ULP, and TLS_TX with AES-128-GCM."""
    with socket.create_server(('127.0.0.1', 0)) as listener, \
            socket.create_connection(listener.getsockname()) as s:
        try:
            s.setsockopt(socket.IPPROTO_TCP, 31, b'tls')
            s.setsockopt(282, 1, struct.pack('HH36x', 0x303, 51))
        except OSError as e:
            return 'no TLS in this kernel (modprobe tls): ' + e.strerror


if missing():
    t.skip_all(missing())


def secure(target, cert, *options):
    return t.server(target.port, '--tls-cert', cert.cert, '--tls-key',
                    cert.key, '-v', *options)


def dial(port, cert, version):
    """A websocket over TLS, by Python."""
    context = ssl.create_default_context(cafile=cert.ca)
    context.minimum_version = context.maximum_version = version
    sock = context.wrap_socket(t.ws.dial(port), server_hostname='localhost',
                               suppress_ragged_eofs=False)
    sock.sendall(t.ws.request())
    head, rest = t.ws.read_head(sock)
    t.like(head, '^HTTP/1.1 101 ', 'a websocket over ' + sock.version())
    return t.ws.WebSocket(sock, True, rest)


def pipes(pid):
    return sum(name.startswith('pipe:') for name in t.opened(pid))


class Blocks:
    """A megabyte many times over, sent by a thread."""

    def __init__(self, count):
        self.block, self.count = random.Random(count).randbytes(MIB), count
        self.errors = []

    def digest(self):
        h = hashlib.sha256()
        for _ in range(self.count):
            h.update(self.block)
        return h.digest()

    def send(self, sendall, end=lambda: None):
        def run():
            try:
                for _ in range(self.count):
                    sendall(self.block)
                end()
            except OSError as e:
                self.errors.append(e)
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()


def test_words():
    """-v says on both sides what the kernel does, for each cipher."""
    cert = t.certificate()
    for words in (('--tls13-ciphers', 'TLS_AES_128_GCM_SHA256'),
                  ('--tls13-ciphers', 'TLS_AES_256_GCM_SHA384'),
                  ('--tls13-ciphers', 'TLS_CHACHA20_POLY1305_SHA256')):
        s = secure(t.echo(), cert, *words)
        r = t.run_inetws('connect', '-v', '--cacert', cert.ca,
                         'wss://localhost:%d/' % s.port, input=b'hello')
        t.is_((r.returncode, r.stdout), (0, b'hello'), 'TLS 1.3, ' + words[1])
        t.like(r.stderr, r'TLSv1\.3 %s, %s, certificate' % (words[1], SENDS),
               'the client says so')
        t.ok(s.has_line(r'event=tls .*with="TLSv1\.3 %s, %s"' % (
            words[1], SENDS)), 'the server says so')
    s = secure(t.echo(), cert, '--ciphers', 'ECDHE-ECDSA-AES128-GCM-SHA256')
    dial(s.port, cert, TLS12).drop()
    t.ok(s.has_line(r'event=tls .*with="TLSv1\.2 .*AES128.*, %s"' % BOTH),
         'TLS 1.2')


def test_none():
    """A cipher that OpenSSL keeps to itself."""
    cert = t.certificate()
    s = secure(t.echo(), cert, '--tls13-ciphers', 'TLS_AES_128_CCM_SHA256')
    r = t.run_inetws('connect', '-v', '--cacert', cert.ca, '--tls13-ciphers',
                     'TLS_AES_128_CCM_SHA256',
                     'wss://localhost:%d/' % s.port, input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'), 'a cipher of the library')
    t.like(r.stderr, ', ktls=none, certificate', 'and the client says so')


def relayed(down, far, near, children):
    """Sends the blocks from far to near: whether what arrives is that, and
    which of the children had a pipe of its own meanwhile."""
    before = [pipes(child) for child in children]
    moved = [False for _ in children]
    down.send(far.sendall)
    h = hashlib.sha256()
    for _ in range(down.count):
        h.update(t.ws.read_exactly(near, MIB))
        moved = [m or pipes(child) == n + 2
                 for m, child, n in zip(moved, children, before)]
    down.thread.join(t.BOUND)
    return h.digest() == down.digest() and not down.errors, moved


def test_moves():
    """From the target to the websocket, and, where the kernel receives,
    from the websocket to the client.  The other way all is masked."""
    cert = t.certificate()
    old = os.path.join(t.folder(), 'openssl.cnf')
    with open(old, 'w') as f:
        f.write('openssl_conf = a\n[a]\nssl_conf = b\n[b]\n'
                'system_default = c\n[c]\nMaxProtocol = TLSv1.2\n')
    for env, version in ((None, '1.3'), ({'OPENSSL_CONF': old}, '1.2')):
        held = t.Held()
        s = secure(held, cert)
        c = t.client('wss://localhost:%d/' % s.port, '--cacert', cert.ca,
                     '-v', env=env)
        v = t.ws.dial(c.port)
        v.sendall(b'hello')
        far = held.next()
        t.is_(t.ws.read_exactly(far, 5), b'hello', 'a tunnel')
        ktls = c.wait_line(r'TLSv%s .*, ktls=(\S+),' % version)[1]
        whole, moved = relayed(Blocks(32), far, v, [
            t.child(p.pid) for p in (s, c)])
        t.ok(whole, 'TLS %s: everything arrives' % version)
        t.is_(moved, [True, 'recv' in ktls], 'moved by the kernel: %s' % ktls)
        v.sendall(b'and back')
        t.is_(t.ws.read_exactly(far, 8), b'and back', 'the other way')
        far.close()
        t.is_(v.recv(1), b'', 'and the end')


def test_behind_nginx():
    """Records that another TLS library made."""
    cert = t.certificate()
    held = t.Held()
    n = t.nginx(t.server(held.port).port, cert,
                extra='ssl_protocols TLSv1.2;')
    c = t.client(n.url, '--cacert', cert.ca, '-v')
    v = t.ws.dial(c.port)
    far = held.next()
    t.ok(c.has_line(BOTH), 'the kernel sends and receives')
    whole, moved = relayed(Blocks(24), far, v, [t.child(c.pid)])
    t.ok(whole, 'everything arrives')
    t.is_(moved, [True], 'some of it moved')
    far.close()
    t.is_(v.recv(1), b'', 'and then the end')


def test_plain_peer():
    """Python gets full records, a Close and close_notify."""
    cert = t.certificate()
    for version in (TLS12, TLS13):
        held, down = t.Held(), Blocks(16)
        s = secure(held, cert)
        w = dial(s.port, cert, version)
        far = held.next()
        down.send(far.sendall, far.close)
        h = hashlib.sha256()
        for _ in range(down.count):
            h.update(w.take_data(MIB))
        t.is_(h.digest(), down.digest(), 'everything arrives')
        t.is_(w.take_close(), 1000, 'then a Close')
        t.is_(w.sock.recv(1), b'', 'then close_notify')


def test_there_and_back():
    """Much both ways at once: what is masked is not moved, but handed over."""
    cert, data = t.certificate(), random.Random(1).randbytes(8 * MIB)
    s = secure(t.echo(), cert)
    r = t.run_inetws('connect', '-v', '--cacert', cert.ca,
                     'wss://localhost:%d/' % s.port, input=data)
    t.is_(r.returncode, 0, 'TLS 1.3')
    t.ok(r.stdout == data, 'all of it')
    n = t.nginx(t.server(t.echo().port).port, cert,
                extra='ssl_protocols TLSv1.2;')
    r = t.run_inetws('connect', '-v', '--cacert', cert.ca, n.url, input=data)
    t.is_(r.returncode, 0, 'TLS 1.2')
    t.ok(r.stdout == data, 'all of it')


def test_ends():
    """While bytes are being moved: a Close, the end of TLS, and neither."""
    cert, block = t.certificate(), random.Random(2).randbytes(MIB)
    context = t.tls_context(cert)
    context.maximum_version = TLS12
    for good in (True, False):
        server = t.WSServer(tls=context)
        p = t.connect('wss://localhost:%d/' % server.port, '-v', '--cacert',
                      cert.ca)
        w, whole = server.next(), True
        for _ in range(8):
            w.send(block)
            whole = whole and p.stdout.read(MIB) == block
        t.ok(whole, 'megabytes')
        t.ok(p.has_line(BOTH), 'by the kernel')
        if good:
            w.close(1000)
            w.take_close(answer=False)
            w.sock.unwrap()
            t.is_(p.wait(), 0, 'a Close and close_notify are an end')
        else:
            w.send(block[:100])
            w.drop()
            t.is_(p.wait(), 74, 'a bare end of file is none')


def test_resumed_sessions():
    cert = t.certificate()
    s = secure(t.echo(), cert)
    c = t.client('wss://localhost:%d/' % s.port, '--cacert', cert.ca, '-v')
    for i in range(3):
        v = t.ws.dial(c.port)
        v.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', 'a tunnel')
        v.close()
        t.ok(c.has_line(r'TLSv1\.3 [^,]*, %s%s, ' % (
            'resumed, ' if i else '', SENDS), count=i or 1),
            'by a ticket that came through the kernel' if i else 'the first')


def test_new_keys():
    """A peer that asks for them cannot have them, and is told by the end."""
    cert = t.certificate()
    openssl, = t.need('openssl')
    s = secure(t.echo(), cert)
    p = t.Program([openssl, 's_client', '-tls1_3', '-connect',
                   '127.0.0.1:%d' % s.port], stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    p.stdin.write(t.ws.request())
    p.stdin.flush()
    while b' 101 ' not in p.stdout.readline():
        pass
    p.stdin.write(b'K\n')
    p.stdin.flush()
    t.ok(s.has_line('level=warn event=key-update .*the client.* new keys'),
         'the log says so')
    t.ok(s.has_line('event=closed .*end=websocket-lost'), 'the tunnel is over')


t.main()
