#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Peers that behave as trazfr's tcp-over-websocket does, played by a script,
with its times shortened.  In both roles: binary messages of at most 1024
bytes, an end without half-close by a Close without a code and a bare end of
the transport at once, text refused.  Its client sends an empty message after
10 seconds of idleness, its server dials the target after the 101, and an end
of that shows as a bare end.

If it fails: installations that still have that program at one end do not work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import select           # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import threading        # noqa: E402

KEEPALIVE = 0.1         # 10 s in the original
MESSAGE = 1024
BIG = 2 << 20


class Theirs:
    """A tunnel of theirs between a websocket and a stream."""

    def __init__(self, w, stream):
        self.w, self.stream = w, stream
        self.lock = threading.Lock()
        self.pings = self.texts = 0
        self.empty = 0              # keepalives sent
        self.threads = [threading.Thread(target=f, daemon=True)
                        for f in (self.up, self.down)]
        for th in self.threads:
            th.start()

    def send(self, *words):
        with self.lock:
            self.w.send(*words)

    def up(self):
        """From the stream: a message for each read, one when idle."""
        try:
            while True:
                if self.w.is_client and not select.select(
                        [self.stream], [], [], KEEPALIVE)[0]:
                    self.send(b'')
                    self.empty += 1
                    continue
                data = self.stream.recv(MESSAGE)
                if not data:
                    break
                self.send(data)
        except OSError:
            pass
        self.end()

    def down(self):
        try:
            while True:
                f = self.w.read_frame()
                if f is None or f.opcode == t.ws.CLOSE:
                    break
                if f.opcode == t.ws.TEXT:
                    self.texts += 1
                    break
                if f.opcode == t.ws.PING:
                    self.pings += 1
                    self.send(f.payload, t.ws.PONG)
                elif f.opcode in (t.ws.BINARY, t.ws.CONT):
                    self.stream.sendall(f.payload)
        except (OSError, EOFError):
            pass
        self.end()

    def end(self):
        """Close without a code, and no waiting for an answer."""
        try:
            self.send(b'', t.ws.CLOSE)
        except OSError:
            pass
        for s in (self.w.sock, self.stream):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def join(self):
        for th in self.threads:
            th.join(t.BOUND)
        for s in (self.w.sock, self.stream):
            s.close()
        return not any(th.is_alive() for th in self.threads)


# Their client, our server.

def client(chain):
    """A websocket by TLS and nginx."""
    context = ssl.create_default_context(cafile=chain.cert.ca)
    plain = t.ws.dial(chain.nginx.port)
    sock = context.wrap_socket(plain, server_hostname='localhost')
    sock.sendall(t.ws.request('/ssh/', headers=[
        ('User-Agent', 'Go-http-client/1.1')]))
    head, rest = t.ws.read_head(sock)
    if b' 101 ' not in head.split(b'\r\n')[0]:
        raise AssertionError('no 101 but %r' % head)
    return t.ws.WebSocket(sock, True, rest)


def visitor(where):
    """Their tunnel to a server; the visitor's end of it."""
    ours, theirs = socket.socketpair()
    ours.settimeout(t.BOUND)
    t.on_close(ours.close)
    w = client(where) if isinstance(where, t.Chain) else t.ws.connect(where)
    return Theirs(w, theirs), ours


def test_client_data():
    """By nginx; TLS objects are one thread's affair, so it takes turns."""
    t.need('nginx')
    chain = t.chain(t.echo().port)
    w = client(chain)
    data = os.urandom(BIG)
    got = b''
    for i in range(0, BIG, 64 * MESSAGE):
        for j in range(i, i + 64 * MESSAGE, MESSAGE):
            w.send(data[j:j + MESSAGE])
        w.send(b'')
        got += w.take_data(64 * MESSAGE)
    t.ok(got == data, '%d bytes there and back through nginx' % BIG)
    t.is_({op for op, _ in w.frames}, {t.ws.BINARY}, 'nothing but binary')


def test_client_keepalive():
    target = t.Held()
    s = t.server(target.port, '--ping-interval=200ms', '--ping-timeout=4s')
    tunnel, v = visitor(s.port)
    stream = target.next()
    v.sendall(b'before')
    t.is_(t.ws.read_exactly(stream, 6), b'before', 'a tunnel')
    begin = t.ws.now()
    t.ok(t.until(lambda: tunnel.empty >= 20 and t.ws.now() > begin + 5),
         'empty messages come')
    t.ok(t.ws.quiet_for(stream, 0.3), 'they are no data and no end')
    stream.sendall(b'behind')
    t.is_(t.ws.read_exactly(v, 6), b'behind', 'it lives on')
    v.close()
    t.is_(t.ws.read_all(stream), (b'', 'eof'), 'the visitor leaves: an end')
    stream.close()
    t.ok(tunnel.join(), 'and theirs is done')
    line = s.wait_line('event=closed.*')[0]
    t.like(line, r'up=6 down=6 .*end=ended code=1005', 'a good end')


def test_client_keepalive_is_no_data():
    """... not for --idle-timeout either."""
    target = t.Held()
    s = t.server(target.port, '--idle-timeout=3s')
    tunnel, v = visitor(s.port)
    stream = target.next()
    t.ok(s.has_line('event=closed .*end=idle'), 'an idle tunnel ends')
    t.ok(tunnel.empty > 3, 'empty messages or not (%d)' % tunnel.empty)


def test_client_leaves():
    """Its Close and its end come in one piece, behind all of its bytes."""
    target = t.Held()
    s = t.server(target.port)
    data = os.urandom(BIG)
    for i in range(10):
        tunnel, v = visitor(s.port)
        stream = target.next()
        v.sendall(data)
        v.close()
        got = t.ws.read_all(stream)
        t.ok(got == (data, 'eof'), 'all bytes and a clean end')
        stream.close()
        tunnel.join()
    t.ok(t.until(lambda: not t.children(s.pid)), 'no tunnel is left')


def test_target_of_ours_ends():
    data = os.urandom(BIG)
    source = t.source(data)
    s = t.server(source.port, '--linger=500ms')
    tunnel, v = visitor(s.port)
    t.ok(t.ws.read_all(v) == (data, 'eof'),
         'a target that sends and ends: all of it')
    t.ok(tunnel.join(), 'and theirs is done')
    t.is_(source.take(), (b'', 'eof'), 'so is the target')


# Our client, their server.

class Server(t.WSServer):
    """Dials its target behind the 101."""

    def __init__(self, target, **kw):
        self.target, self.tunnels = target, []
        super().__init__(**kw)

    def _hold(self, sock):
        super()._hold(sock)
        w = self.next()
        try:
            stream = socket.create_connection(('127.0.0.1', self.target))
        except OSError:
            w.drop()            # without a Close
            return
        self.tunnels.append(Theirs(w, stream))


def ours(target, *options, front=True):
    """Their server, behind nginx if it is there; our client."""
    theirs = Server(target)
    if not front:
        return theirs, t.client('ws://127.0.0.1:%d/' % theirs.port, *options)
    cert = t.certificate()
    n = t.nginx(theirs.port, cert)
    return theirs, t.client(n.url, '--cacert', cert.ca, *options)


def test_server_data():
    t.need('nginx')
    echo = t.echo()
    theirs, c = ours(echo.port, '--ping-interval=100ms', '--ping-timeout=4s',
                     '--linger=1s')
    v = t.ws.dial(c.port)
    data = os.urandom(BIG)
    th = threading.Thread(target=v.sendall, args=(data,), daemon=True)
    th.start()
    t.ok(t.ws.read_exactly(v, BIG) == data, '%d bytes there and back' % BIG)
    th.join(t.BOUND)
    tunnel, = t.until(lambda: theirs.tunnels)
    t.ok(t.until(lambda: tunnel.pings > 50), 'our pings keep it')
    t.is_(tunnel.texts, 0, 'it was told no text')
    v.close()
    t.is_(echo.take()[1], 'eof', 'our visitor leaves: a clean end')
    t.ok(tunnel.join(), 'theirs is done')


def test_server_reply_behind_our_end():
    """Its Close would cut a reply off: ours is held back."""
    t.need('nginx')
    held = t.Held()
    theirs, c = ours(held.port)
    v = t.ws.dial(c.port)
    v.sendall(b'question')
    v.shutdown(socket.SHUT_WR)
    stream = held.next()
    t.is_(t.ws.read_exactly(stream, 8), b'question', 'a question')
    t.ok(t.ws.quiet_for(stream, 0.5), 'no end yet')
    reply = os.urandom(BIG)
    stream.sendall(reply)
    stream.close()
    t.ok(t.ws.read_all(v) == (reply, 'eof'), 'all of the reply, and its end')
    t.ok(c.has_line('event=closed .*up=8 down=%d .*end=ended code=1005' %
                    BIG), 'a good end')


def test_server_target_is_dead():
    for front in (False, True):
        if front:
            t.need('nginx')
        theirs, c = ours(t.free_port(), front=front)
        v = t.ws.dial(c.port)
        t.is_(t.ws.read_all(v), (b'', 'reset'),
              'a bare end behind the 101 is a reset')
        t.ok(c.has_line('event=closed .*end=websocket-lost'),
             'the log says so')


def test_server_target_resets():
    """It passes a reset on as a good end: its peer cannot know better."""
    held = t.Held()
    theirs, c = ours(held.port, front=False)
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    stream = held.next()
    t.ws.read_exactly(stream, 1)
    t.ws.reset(stream)
    t.is_(t.ws.read_all(v), (b'', 'eof'), 'an end')


t.main()
