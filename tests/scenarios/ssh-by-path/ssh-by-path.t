#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, with sshd and nginx; and with peers that send
frames as trazfr's tcp-over-websocket does.

If it fails: the page ssh-by-path/README.md does not work as it is written.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402
from exchange import Exchange           # noqa: E402


def world(git):
    cert = t.certificate()
    port = {p: t.free_port() for p in (443, 39001, 39002, 39101, 2222)}
    s = Scenario(__file__, {'127.0.0.1:%d' % p: '127.0.0.1:%d' % to
                            for p, to in port.items()})
    s.replace.update({
        'listen 443': 'listen 127.0.0.1:%d' % port[443],
        '127.0.0.1:9418': '127.0.0.1:%d' % git,
        'server_name example.org': 'server_name localhost',
        'wss://example.org': 'wss://localhost:%d' % port[443],
        '/etc/ssl/site.pem': cert.cert, '/etc/ssl/site.key': cert.key})
    s.port, s.cert = port, cert
    return s


def target(argv, port):
    """The last word of a server's line is its target."""
    return argv[:-1] + ['127.0.0.1:%d' % port]


def test_ssh():
    ssh, = t.need('ssh')
    sshd, git = t.sshd(), t.source(b'git')
    s = world(git.port)
    lines = s.commands('inetws server')
    for argv, port in zip(lines, (sshd.port, git.port)):
        t.listening(t.inetws(*target(argv, port)[1:]))
    s.site('nginx.conf')
    proxy = s.commands('ssh')[0][2].replace(
        'inetws connect', '%s connect --cacert %s' % (t.INETWS, s.cert.ca))
    out = t.run([ssh, '-F', sshd.config, '-o', proxy, 'there', 'echo',
                 'hello'], timeout=2 * t.BOUND)
    t.is_(out.stdout, b'hello\n', 'ssh by path, as ProxyCommand')
    s.inetws('client', more=('--cacert', s.cert.ca))
    out = t.run([ssh, '-F', sshd.config, '-p', str(s.port[2222]), 'there',
                 'echo', 'again'], timeout=2 * t.BOUND)
    t.is_(out.stdout, b'again\n', 'and by a port')
    out = t.run_inetws('connect', '--cacert', s.cert.ca,
                       'wss://localhost:%d/git/' % s.port[443])
    t.is_(out.stdout, b'git', 'the other path leads elsewhere')
    t.like(t.http(s.port[39101], '/metrics')[2],
           r'(?m)^http_to_tcp_connections\S* [1-9]', 'metrics, by its names')


def test_same_words():
    """The other program's command lines, both sides."""
    echo = t.echo()
    s = world(echo.port)
    server = target(s.commands('inetws -listen_ws')[0], echo.port)
    t.listening(t.inetws(*server[1:]))
    s.site('nginx.conf')
    client = s.commands('inetws -listen_tcp')[0]
    t.listening(t.inetws(*client[1:], '--cacert', s.cert.ca))
    exchange = Exchange(r.visit(s.port[2222]), b'hello')
    t.is_((exchange.join(), bytes(exchange.got)), ('eof', b'hello'),
          'its words, both sides')


def test_its_client():
    """Binary messages of 1024 bytes at the most, an empty one now and then;
    at the end Close without a code, and gone."""
    target_ = t.Held()
    s = t.server(target_.port)
    w = t.ws.connect(s.port)
    far = target_.next()
    w.send(b'a' * 1024)
    w.send(b'')
    w.send(b'b' * 10)
    got = b''
    while len(got) < 1034:
        got += far.recv(4096)
    t.is_(got, b'a' * 1024 + b'b' * 10, 'empty messages are nothing')
    far.sendall(b'reply')
    f = w.read_frame()
    t.is_((f.opcode, f.payload), (2, b'reply'), 'replies are binary')
    w.close()
    w.sock.close()
    t.is_(far.recv(10), b'', 'its Close is an end of file')
    far.close()
    s.wait_line('event=closed .*end=ended')


def test_its_server():
    """Its target is dialled behind the 101; a dead one is a bare end."""
    ws = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/ssh/' % ws.port)
    v = r.visit(c.port)
    w = ws.next()
    v.sendall(b'hello')
    f = w.read_frame()
    t.is_((f.opcode, f.payload), (2, b'hello'), 'binary messages')
    w.send(b'reply')
    t.is_(v.recv(10), b'reply', 'and back')
    w.close()
    t.is_(v.recv(10), b'', 'Close without a code is an end of file')
    v.close()
    w.drop()
    v = r.visit(c.port)
    ws.next().drop()
    t.ok(r.was_reset(v), 'a dead target is a reset, not an end')


if __name__ == '__main__':
    t.main()
