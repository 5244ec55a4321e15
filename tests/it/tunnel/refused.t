#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A stream that takes no more input, and still has something to say.

If it fails: the last output of a program that stopped reading is lost, or a
transfer that was not taken whole looks like a success.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import contextlib       # noqa: E402
import cutting          # noqa: E402
import exchange         # noqa: E402
import inetws_peer as p         # noqa: E402
import reverse as r     # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402

BIG = 3000000
SAYS = 'head -c 1 >/dev/null; head -c %d /dev/zero; echo done' % BIG
WANT = BIG + len('done\n')
OUTPUT = b'o' * 700000


def program(*options, says=SAYS):
    s = t.inetws('server', '-l', '127.0.0.1:0', *options, '--', 'sh', '-c',
                 says)
    s.port = t.port_of(t.listening(s)[0])
    return s


def feed(send):
    """Sends until that fails."""
    def run():
        with contextlib.suppress(OSError, ValueError):
            while True:
                send(b'x' * 65536)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def take(recv):
    """All that comes, and how it ended."""
    got = bytearray()
    try:
        while True:
            piece = recv(65536)
            if not piece:
                return bytes(got), 'eof'
            got += piece
    except ConnectionResetError:
        return bytes(got), 'reset'


def truth(s, what):
    line = s.wait_line('event=closed.*')[0]
    t.like(line, 'end=stream-reset', what + ': told as a reset')


def test_program():
    for options in ((), ('--resume', '0')):
        for pipes in ((), ('--program-pipes',)):
            what = ' '.join(options + pipes) or 'a session'
            s = program(*options, *pipes)
            c = t.connect('ws://127.0.0.1:%d/' % s.port, *options)
            feed(lambda b, fd=c.stdin.fileno(): os.write(fd, b))
            got, how = take(lambda n, fd=c.stdout.fileno(): os.read(fd, n))
            t.ok(len(got) == WANT and got.endswith(b'done\n'),
                 '%s: all of the output of a program (%d)' % (what, len(got)))
            t.is_(c.wait(), 74, '%s: and no success' % what)
            truth(s, what)


def test_tcp_client():
    """The user reads only after the reset has come to the client."""
    s = program(says='head -c 1 >/dev/null; head -c 20000 /dev/zero')
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(('127.0.0.1', c.port))
    feed(sock.sendall)
    truth(s, 'TCP')
    got, how = take(sock.recv)
    t.ok(len(got) == 20000, 'TCP: all of the output (%d, %s)' %
         (len(got), how))
    t.ok(c.has_line('event=closed .*end=peer-reset'), 'and then a reset')


def test_cut():
    """The websocket is lost while the rest is on its way."""
    s = program()
    cutter = cutting.Cutter(s.port)
    c = t.connect('ws://127.0.0.1:%d/' % cutter.port)
    feed(lambda b, fd=c.stdin.fileno(): os.write(fd, b))
    read = lambda n, fd=c.stdout.fileno(): os.read(fd, n)   # noqa: E731
    got = b''
    while len(got) < BIG // 4:
        got += read(65536)
    cutter.cut('rst')
    rest, how = take(read)
    t.is_(len(got + rest), WANT, 'a websocket that is cut loses nothing')
    t.is_(c.wait(), 74, 'nor does it make a success of it')
    t.like(s.wait_line('event=closed.*')[0], 'end=stream-reset .*resumes=1',
           'the session went on')


def test_plain():
    """A peer without the extension that sends and pings all the time."""
    s = program()
    w = t.ws.connect(s.port)
    w.send(b'x')
    w.take_data(1)
    w.ping(b'still there')
    feed(w.send)
    code = w.take_close(answer=False)
    t.is_(len(w.data) + 1, WANT, 'a plain peer: all of the output')
    t.is_(code, 1011, 'and a reset')
    t.ok(b'still there' in w.pongs,
         'its Pings are answered')
    truth(s, 'a plain peer')


def unix_server(serve):
    path = os.path.join(t.folder(), 's')
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(8)

    def run():
        conn, _ = listener.accept()
        serve(conn)
    threading.Thread(target=run, daemon=True).start()
    return 'unix:' + path


def test_unix_socket():
    """It takes no more after SHUT_RD, or is closed with input unread."""
    go = threading.Event()

    def shut(conn):
        conn.recv(1)
        conn.shutdown(socket.SHUT_RD)
        conn.sendall(OUTPUT)
        go.wait(60)
        conn.sendall(OUTPUT)
        conn.close()

    def close(conn):
        conn.recv(1)
        conn.sendall(OUTPUT + OUTPUT)
        conn.close()
    for serve in shut, close:
        s = t.server(unix_server(serve))
        w = t.ws.connect(s.port)
        w.send(b'x')
        w.take_data(1)
        w.send(b'y' * 100000)
        w.take_data(len(OUTPUT) - 1)
        w.send(b'y' * 100000)
        go.set()
        code = w.take_close()
        t.is_((len(w.data), code), (len(OUTPUT), 1011),
              '%s: all of it, then a reset' % serve.__name__)
        truth(s, serve.__name__)


def test_gate():
    """The target of an agent takes no more, then a visitor."""
    g = r.gate()
    a = t.inetws('agent', g.url(), '--', 'sh', '-c', SAYS)
    r.parked(g)
    v = r.visit(g.visitors)
    feed(v.sendall)
    t.is_(len(take(v.recv)[0]), WANT, 'agent: all of the output of a program')
    truth(a, 'agent')
    t.ok(g.has_line('event=closed .*end=peer-reset'), 'and at the gate')
    g = r.gate(visitors='unix:' + os.path.join(t.folder(), 'v'))
    target = t.Held()
    a = r.agent(g.url(), target.port)
    r.parked(g)
    v = r.visit(g.visitors[len('unix:'):])
    v.sendall(b'x')
    there = target.next()
    t.is_(there.recv(1), b'x', 'a tunnel')
    v.shutdown(socket.SHUT_RD)
    feed(there.sendall)
    v.sendall(OUTPUT)
    v.shutdown(socket.SHUT_WR)
    t.is_(len(take(there.recv)[0]), len(OUTPUT),
          'gate: all that the visitor sent')
    truth(g, 'gate')
    t.ok(a.has_line('event=closed .*end=peer-reset'), 'and at the agent')


def test_warm():
    """A websocket that waited for its connection."""
    s = program()
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '1')
    r.parked(c)
    v = r.visit(c.port)
    feed(v.sendall)
    t.is_(len(take(v.recv)[0]), WANT, '--warm: all of the output of a program')
    truth(s, '--warm')


def test_inetd():
    """Without a supervisor."""
    ours, its = exchange.pair()
    s = t.inetws('server', '--linger', '2s', '--', 'sh', '-c', SAYS, stdin=its,
                 stdout=its)
    its.close()
    ours.sendall(t.ws.request())
    w = t.ws.WebSocket(ours, True, t.ws.read_head(ours)[1])
    w.send(b'x')
    feed(w.send)
    code = w.take_close(answer=False)
    t.is_((len(w.data), code), (WANT, 1011),
          'inetd: all of the output, then a reset')
    truth(s, 'inetd')


def holding(first, go):
    """A target that takes no more, sends first, waits, and sends as much."""
    def serve(conn):
        conn.recv(1)
        conn.shutdown(socket.SHUT_RD)
        conn.sendall(first)
        go.wait(60)
        with contextlib.suppress(OSError):
            conn.sendall(first)
        conn.close()
    return unix_server(serve)


def test_drain():
    """--drain waits for the rest, and no longer than it says."""
    for drain, is_over in ('500ms', True), ('60s', False):
        go = threading.Event()
        s = t.server(holding(OUTPUT, go), '--drain', drain)
        c = t.connect('ws://127.0.0.1:%d/' % s.port)
        feed(lambda b: os.write(c.stdin.fileno(), b))
        read = lambda n: os.read(c.stdout.fileno(), n)     # noqa: E731
        got = b''
        while len(got) < len(OUTPUT):
            got += read(65536)
        s.send(signal.SIGTERM)
        if not is_over:
            s.wait_line('event=stopping')
            go.set()
        rest = take(read)[0]
        t.is_(len(got + rest), (1 if is_over else 2) * len(OUTPUT),
              '--drain %s: what came in time' % drain)
        t.is_(s.wait(), 0, 'the server ends')
        t.is_(c.wait(), 74, 'and connect, as of a reset')
        t.like(s.log, 'event=closed .*end=' +
               ('stopped' if is_over else 'stream-reset'), 'the log says which')
        go.set()


def test_python_peer():
    """A peer written from inetws-protocol(7), whose stream takes no more."""
    for faults in None, p.RandomFaults(5, 3):
        go = threading.Event()
        go.set()
        near, inner = socket.socketpair()
        server = p.Server(lambda: inner, faults=faults)

        def serve():
            near.recv(1)
            near.shutdown(socket.SHUT_RD)
            near.sendall(OUTPUT)
            near.close()
        threading.Thread(target=serve, daemon=True).start()
        c = t.connect('ws://127.0.0.1:%d/' % server.port)
        feed(lambda b: os.write(c.stdin.fileno(), b))
        got = take(lambda n: os.read(c.stdout.fileno(), n))[0]
        t.is_(len(got), len(OUTPUT), 'connect gets all of its output')
        t.is_(c.wait(), 74, 'and ends as of a reset')
        t.ok(server.join(t.BOUND), 'the peer ends')
        t.is_(server.tunnels[0].outcome, 'stream-reset', 'and knows why')
        server.stop()


def test_connect_without_output():
    """Its reader has gone: it need not wait for its input."""
    target = socket.create_server(('127.0.0.1', 0))
    s = t.server('127.0.0.1:%d' % target.getsockname()[1])
    c = t.connect('ws://127.0.0.1:%d/' % s.port)
    conn, _ = target.accept()
    conn.sendall(b'a line\n')
    t.is_(os.read(c.stdout.fileno(), 100), b'a line\n', 'connect is open')
    c.stdout.close()
    with contextlib.suppress(OSError):
        while True:
            conn.sendall(b'more\n' * 1000)
    t.is_(c.wait(), 74, 'connect ends with its reader')


t.main()
