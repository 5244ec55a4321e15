#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""websockify as the server of inetws client and connect: behind nginx with
TLS, and with its own TLS.

If it fails: services behind websockify cannot be reached.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import shlex            # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402

BIG = 8 << 20


def websockify(target, *options):
    """It listens; .port."""
    program, = t.need('websockify')
    port = t.free_port()
    p = t.Program([program, *options, '127.0.0.1:%d' % port,
                   '127.0.0.1:%d' % target])

    def up():
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            return not p.alive()
    t.until(up)
    p.port = port
    return p


def behind_nginx(target):
    """(url, options) of a websockify, as noVNC has it."""
    cert = t.certificate()
    n = t.nginx(websockify(target).port, cert, path='/websockify')
    return n.url, ['--cacert', cert.ca]


def own_tls(target):
    cert = t.certificate()
    w = websockify(target, '--ssl-only', '--cert', cert.cert, '--key',
                   cert.key)
    return 'wss://localhost:%d/websockify' % w.port, ['--cacert', cert.ca]


def heartbeat(target):
    """It sends pings, each second."""
    w = websockify(target, '--heartbeat=1')
    return 'ws://127.0.0.1:%d/' % w.port, []


def use(url, options, echo, name):
    for more in ([], ['--subprotocol', 'binary']):
        c = t.client(url, *options, *more, '--linger=1s')
        s = t.ws.dial(c.port)
        data = os.urandom(BIG)
        th = threading.Thread(target=s.sendall, args=(data,), daemon=True)
        th.start()
        got = t.ws.read_exactly(s, BIG)
        th.join(t.BOUND)
        t.ok(got == data, '%s%s: %d bytes there and back' %
             (name, ' '.join([''] + more), BIG))
        s.shutdown(socket.SHUT_WR)
        t.is_(t.ws.read_all(s), (b'', 'eof'), 'a clean end')
        t.ok(c.has_line('event=closed .*up=%d down=%d' % (BIG, BIG)),
             'and the log knows')
        t.is_(echo.take(), (BIG, 'eof'), 'the target saw it too')


@t.limit(90)
def test_nginx():
    t.need('nginx', 'websockify')
    echo = t.echo()
    use(*behind_nginx(echo.port), echo, 'nginx')


@t.limit(90)
def test_own_tls():
    t.need('websockify')
    echo = t.echo()
    use(*own_tls(echo.port), echo, 'its own TLS')


def test_heartbeat():
    t.need('websockify')
    echo = t.echo()
    url, options = heartbeat(echo.port)
    c = t.client(url, *options, '--ping-interval=300ms', '--ping-timeout=4s')
    s = t.ws.dial(c.port)
    s.sendall(b'before')
    t.is_(t.ws.read_exactly(s, 6), b'before', 'a tunnel')
    t.ok(t.ws.quiet_for(s, 6), 'idle for a while, with pings both ways')
    s.sendall(b'behind')
    t.is_(t.ws.read_exactly(s, 6), b'behind', 'it lives')


def test_target_ends():
    t.need('nginx', 'websockify')
    data = os.urandom(1 << 20)
    source = t.source(data)
    url, options = behind_nginx(source.port)
    r = t.run_inetws('connect', *options, url)
    t.ok(r.stdout == data, 'a target that sends and ends: all of it')
    t.is_(r.returncode, 0, 'and all is well')
    c = t.client(url, *options)
    s = t.ws.dial(c.port)
    got = t.ws.read_all(s)
    t.ok(got == (data, 'eof'), 'by client: all of it, and a clean end')


def test_visitor_ends():
    """websockify has no half-close: what it has sent when we end is all."""
    t.need('nginx', 'websockify')
    held = t.Held()
    url, options = behind_nginx(held.port)
    c = t.client(url, *options, '--linger=1s')
    s = t.ws.dial(c.port)
    s.sendall(b'question')
    s.shutdown(socket.SHUT_WR)
    target = held.next()
    t.is_(t.ws.read_exactly(target, 8), b'question', 'a question arrives')
    t.ok(t.ws.quiet_for(target, 0.3), 'and no end, for a reply may come')
    target.sendall(b'answer')
    t.is_(t.ws.read_exactly(s, 6), b'answer', 'one does')
    t.is_(t.ws.read_all(target), (b'', 'eof'), 'then it ends')
    target.close()
    t.is_(t.ws.read_all(s), (b'', 'eof'), 'cleanly')


def test_dead_target():
    """It accepts before it dials: a tunnel that drops, and is a reset."""
    t.need('nginx', 'websockify')
    url, options = behind_nginx(t.free_port())
    c = t.client(url, *options)
    s = t.ws.dial(c.port)
    t.is_(t.ws.read_all(s), (b'', 'reset'), 'a dead target is a reset')
    line = c.wait_line('event=closed .*')[0]
    t.like(line, 'code=1011', 'with its code')
    t.like(line, 'Failed to connect', 'and its words in the log')


@t.limit(90)
def test_ssh():
    t.need('ssh', 'sshd', 'nginx', 'websockify')
    d = t.sshd()
    url, options = behind_nginx(d.port)
    proxy = 'ProxyCommand=%s connect %s %s' % (
        shlex.quote(t.INETWS), ' '.join(options), url)
    data = os.urandom(1 << 20)
    r = t.run(['ssh', '-F', d.config, '-o', proxy, 'there', 'cat; exit 3'],
              input=data, timeout=4 * t.BOUND)
    t.ok(r.stdout == data, 'ssh through websockify, a megabyte both ways')
    t.is_((r.returncode, r.stderr), (3, b''), 'its status, and no words')


t.main()
