#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""websocketd, which runs a program for each websocket, as the server of inetws
client and connect, through nginx with TLS.

If it fails: programs behind websocketd cannot be reached.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import socket           # noqa: E402

BIG = 4 << 20


def websocketd(*words):
    """(url, options) of one that runs this."""
    program, _ = t.need('websocketd', 'nginx')
    port = t.free_port()
    p = t.Program([program, '--address=127.0.0.1', '--port=%d' % port,
                   *words])

    def up():
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            return not p.alive()
    t.until(up)
    cert = t.certificate()
    return t.nginx(port, cert).url, ['--cacert', cert.ca]


def test_bytes():
    """In turns: both ways at once it stops for good, whoever the client."""
    url, options = websocketd('--binary', 'cat')
    c = t.client(url, *options, '--linger=1s')
    s = t.ws.dial(c.port)
    data = os.urandom(BIG)
    got = b''
    for i in range(0, BIG, 1 << 16):
        s.sendall(data[i:i + (1 << 16)])
        got += t.ws.read_exactly(s, 1 << 16)
    t.ok(got == data, '%d bytes there and back' % BIG)
    s.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_all(s), (b'', 'eof'), 'a clean end')


def test_source():
    data = t.folder() + '/data'
    with open(data, 'wb') as f:
        f.write(os.urandom(BIG))
    url, options = websocketd('--binary', 'sh', '-c',
                              'cat %s; exec sleep 600' % data)
    c = t.client(url, *options, '--linger=500ms')
    s = t.ws.dial(c.port)
    with open(data, 'rb') as f:
        t.ok(t.ws.read_exactly(s, BIG) == f.read(), 'all that a program says')
    s.close()
    t.ok(c.has_line('event=closed .*down=%d ' % BIG), 'the visitor leaves')


def test_lines():
    """It makes a text message of each line, without its newline."""
    url, options = websocketd('sh', '-c', 'read x; echo "gr\u00fc\u00dfe $x";'
                              'echo two; exec sleep 600')
    c = t.client(url, *options)
    s = t.ws.dial(c.port)
    s.sendall(b'\xe2\x9c\x93\n')
    want = 'gr\u00fc\u00dfe \u2713two'.encode()
    t.is_(t.ws.read_exactly(s, len(want)), want, 'text is data too')


def test_program_ends():
    """It does not report that, so no peer can know whether it was all."""
    url, options = websocketd('--binary', 'echo', 'x')
    r = t.run_inetws('connect', *options, url)
    t.is_(r.returncode, 74, 'an end without Close is no good end')
    t.like(r.stderr, 'the websocket ended without Close', 'the log says so')


t.main()
