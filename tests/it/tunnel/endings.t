#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""How tunnels to plain peers end.  A clean end of file is shown only if every
byte arrived; everything else is a reset, which Python shows as
ConnectionResetError.

If it fails: a truncated transfer looks complete.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import netns            # noqa: E402
import contextlib       # noqa: E402
import random           # noqa: E402
import reverse          # noqa: E402
import select           # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import ssl              # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402

f = t.ws.frame
K = b'\x11\x22\x33\x44'


def pair(*options):
    """(server, websocket peer, the target's end)"""
    target = t.Held()
    s = t.server(target.port, *options)
    w = t.ws.connect(s.port)
    return s, w, target.next()


def client_pair(*options):
    """(client, websocket peer, the visitor's end)"""
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port, *options)
    stream = t.ws.dial(c.port)
    return c, server.next(), stream


SIDES = (('server', pair), ('client', client_pair))


def test_peer_closes_cleanly():
    for side, make in SIDES:
        for code in (1000, 1001, None):
            p, w, stream = make()
            w.send(b'all of it')
            w.close(code)
            broken = side == 'client' and code == 1001
            t.is_(t.ws.read_all(stream),
                  (b'all of it', 'reset' if broken else 'eof'),
                  '%s: Close %s is %s' % (side, code, 'a reset: the server '
                  'went away' if broken else 'a clean end'))
            t.ok(w.take_close(answer=False) in (1000, 1005, code),
                 'and is answered')
            t.is_(w.take_end(), 'eof', 'and the transport ends')


def test_peer_closes_badly():
    for side, make in SIDES:
        for code in (1002, 1003, 1008, 1009, 1011, 1012, 3000, 4000):
            p, w, stream = make()
            w.send(b'some')
            w.close(code, b'sorry')
            t.is_(t.ws.read_all(stream)[1], 'reset',
                  '%s: Close %d is a reset' % (side, code))
            w.drop()
            t.ok(p.has_line('closed .*code=%d reason=sorry( |$)' % code),
                 'and its code and words are in the log')


def test_words_of_a_close():
    for side, make in SIDES:
        for reason, want in ((b'x' * 123, 'reason=' + 'x' * 123 + r'( |$)'),
                             (b'a\nb "c" end=ended',
                              r'reason="a\\nb \\x22c\\x22 end=ended"( |$)'),
                             (b'', 'code=1000(?!.* reason)')):
            p, w, stream = make('--linger', '100ms')
            w.close(1000, reason)
            t.is_(t.ws.read_all(stream)[1], 'eof', side + ': a clean end')
            stream.close(), w.drop()
            t.like(p.wait_line('event=closed.*')[0], want,
                   'the words are logged, escaped')


def test_wire_is_lost():
    for side, make in SIDES:
        for name, end in (('a bare end', lambda w: w.drop()),
                          ('a reset', lambda w: w.reset())):
            p, w, stream = make('--resume', '0')
            w.send(b'some')
            t.is_(t.ws.read_exactly(stream, 4), b'some', 'data passes')
            end(w)
            t.is_(t.ws.read_all(stream)[1], 'reset',
                  '%s: %s of the websocket resets the stream' % (side, name))
            t.ok(p.has_line('event=closed .*end=websocket-lost', 10),
                 'logged')


@t.limit(120)
def test_truncated_never_looks_complete():
    rng = random.Random(1)
    for side, make in SIDES:
        key = K if side == 'server' else None
        sent = (f(2, b'a' * 300, key=key) + f(9, b'p', key=key) +
                f(2, b'b' * 70000, key=key) +
                f(2, b'', fin=False, key=key) + f(0, b'c' * 10, key=key))
        plain = b'a' * 300 + b'b' * 70000 + b'c' * 10
        cuts = [1, 2, 5, 303, len(sent) - 1, len(sent)]
        cuts += [rng.randrange(1, len(sent)) for _ in range(10)]
        for cut in cuts:
            p, w, stream = make()
            w.raw(sent[:cut])
            w.drop()
            got, how = t.ws.read_all(stream)
            t.ok(how == 'reset' and plain.startswith(got),
                 '%s: cut at %d of %d' % (side, cut, len(sent)))
            p.stop()


def test_stream_is_reset():
    for side, make in SIDES:
        p, w, stream = make()
        stream.sendall(b'some')
        t.is_(w.take_data(4), b'some', 'data passes')
        t.ws.reset(stream)
        code = w.take_close()
        t.is_(code, 1011, side + ': a reset stream is no clean end')


def test_reset_behind_end():
    """A stream that ends and is then reset."""
    for side, make in SIDES:
        p, w, stream = make()
        stream.shutdown(socket.SHUT_WR)
        t.ok(t.ws.quiet_for(w.sock, 0.2), 'the Close is held back')
        t.ws.reset(stream)
        w.send(b'x' * 100000)
        code = w.take_close()
        t.is_(code, 1011, side + ': no clean end')


def test_process_dies_early():
    """Before it forwards anything."""
    server = t.Held()                   # does not answer
    c = t.client('ws://127.0.0.1:%d/' % server.port)
    stream = t.ws.dial(c.port)
    server.next()
    for pid in t.children(c.pid):
        os.kill(pid, signal.SIGKILL)
    t.is_(t.ws.read_all(stream), (b'', 'reset'),
          'client: a process that is killed while it dials resets')
    config = t.folder() + '/wrong'
    with open(config, 'w') as x:
        x.write('nonsense = 1\n')
    for words in (('--cacert', '/dev/null'), ('--nonsense',), ('-K', config)):
        for how, start in HANDED:
            (stream, given), = streams(1)
            with given:
                start(given, words + ('wss://127.0.0.1:1/',)).wait()
            t.is_(t.ws.read_all(stream), (b'', 'reset'),
                  'and so does one that cannot start: %s, %s' %
                  (how, words[0]))


def streams(n):
    """Connections: (our end, the end that a program is given)."""
    with socket.create_server(('127.0.0.1', 0)) as s:
        return [(t.ws.dial(s.getsockname()[1]), s.accept()[0])
                for _ in range(n)]


def by_inetd(given, words):
    return t.inetws('client', *words, stdin=given, stdout=given)


def by_word(given, words):
    return t.inetws('client', '-l', 'fd:%d' % given.fileno(), *words,
                    pass_fds=[given.fileno()])


def by_systemd(given, words):
    """As a unit with Accept=yes is started."""
    return t.Program(['bash', '-c', 'export LISTEN_PID=$$ LISTEN_FDS=1; '
                      'exec "$@" 3<&%d' % given.fileno(), 'bash', t.INETWS,
                      'client', *words], pass_fds=[given.fileno()])


HANDED = ('inetd', by_inetd), ('fd:N', by_word), ('systemd', by_systemd)


def is_killed(name, pids, stream):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):   # one that waits may end
            os.kill(pid, signal.SIGKILL)
    t.is_(t.ws.read_all(stream), (b'', 'reset'),
          name + ': the stream of a process that is killed is reset')


def far_end(target, stream):
    """The target's end of a tunnel through which a byte has gone."""
    stream.sendall(b'x')
    far = target.next()
    t.is_(t.ws.read_exactly(far, 1), b'x', 'a byte arrives')
    return far


def test_process_dies():
    """Wherever its stream has come from."""
    target = t.Held()
    s = t.server(target.port)
    url = 'ws://127.0.0.1:%d/' % s.port
    for words in (), ('--warm', '1'):
        c = t.client(url, *words)
        stream = t.ws.dial(c.port)
        far = far_end(target, stream)
        is_killed(' '.join(('client',) + words), t.children(c.pid), stream)
        c.stop()
        is_killed('server', t.children(s.pid), far)
    for mode in 'client', 'connect':
        (stream, given), = streams(1)
        with given:
            p = t.inetws(mode, url, stdin=given, stdout=given)
        far_end(target, stream)
        is_killed(mode + ' with a socket', [p.pid], stream)
    for words in TWO:
        p, up, down = two_sockets(*words, url)
        far_end(target, up)
        t.ok(t.until(lambda: keepalive(down)), 'keepalive looks after both')
        os.kill(p.pid, signal.SIGKILL)
        t.is_([t.ws.read_all(x) for x in (up, down)], [(b'', 'reset')] * 2,
              words[0] + ' with two sockets: both are reset')
    g = reverse.gate()
    a = reverse.agent(g.url(), target.port)
    t.ok(reverse.parked(g), 'a websocket waits')
    stream = reverse.visit(g.visitors)
    far = far_end(target, stream)
    is_killed('gate', t.children(g.pid), stream)
    is_killed('agent', t.children(a.pid), far)


TWO = ('connect',), ('client', '-l', '-')


def two_sockets(*words):
    """A program whose standard input is one connection and whose output and
    standard error are another one."""
    (up, a), (down, b) = streams(2)
    with a, b:
        return t.inetws(*words, stdin=a, stdout=b, stderr=b), up, down


def test_two_sockets():
    """Each has its own end, and nothing but the stream's bytes."""
    target = t.Held()
    url = 'ws://127.0.0.1:%d/' % t.server(target.port).port
    data = os.urandom(1 << 20)
    for words in TWO:
        p, up, down = two_sockets(*words, url)
        far = far_end(target, up)
        writer = threading.Thread(target=lambda: (
            far.sendall(data), far.shutdown(socket.SHUT_WR)))
        writer.start()
        t.ok(t.ws.read_all(down) == (data, 'eof'), words[0] +
             ': all that the target sent, and its end')
        writer.join()
        up.sendall(b'last')
        up.shutdown(socket.SHUT_WR)
        t.is_(t.ws.read_all(far), (b'last', 'eof'), 'the other direction')
        t.is_(p.wait(), 0, 'a good end')
        p, up, down = two_sockets(*words, 'ws://127.0.0.1:1/')
        t.is_(t.ws.read_all(down), (b'', 'reset'),
              'no line of the log is in the stream')


def test_usage_error():
    """The stream gets none of its words."""
    for words in ('connect', '--nonsense'), ('client', '-l', '-', '-l', '-'):
        (down, given), = streams(1)
        with given:
            t.inetws(*words, 'ws://127.0.0.1:1/', stdout=given,
                     stderr=given).wait()
        t.is_(t.ws.read_all(down), (b'', 'reset'), ' '.join(words))


def keepalive(stream):
    """Whether /proc shows a keepalive timer of a minute or less at the other end
    of a socket."""
    near, far = ('%08X:%04X' % (socket.htonl(int.from_bytes(
        socket.inet_aton(host), 'big')), port) for host, port in
        (stream.getpeername(), stream.getsockname()))
    with open('/proc/net/tcp') as f:
        lines = [line.split() for line in f]
    timer, left = [line[5] for line in lines
                   if line[1:3] == [near, far]][0].split(':')
    return timer == '02' and int(left, 16) <= 60 * os.sysconf('SC_CLK_TCK')


def test_process_dies_activated():
    """The connection that a program was started for came before it."""
    target = t.Held()
    s = t.server(target.port)
    for mode, last, alive in (
            ('client', 'ws://127.0.0.1:%d/' % s.port, 0),
            ('client', 'ws://127.0.0.1:%d/' % s.port, 1),
            ('server', '127.0.0.1:%d' % target.port, 0)):
        with socket.create_server(('127.0.0.1', 0)) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, alive)
            stream = t.ws.dial(sock.getsockname()[1])
            p = t.inetws(mode, '-l', 'fd:%d' % sock.fileno(), last,
                         pass_fds=[sock.fileno()])
        if mode == 'server':
            stream.sendall(t.ws.request())
            target.next()
        else:
            far_end(target, stream)
        t.ok(t.until(lambda: keepalive(stream)),
             mode + ': its peer is looked after by keepalive')
        if mode == 'client':
            is_killed('activated client', t.children(p.pid), stream)


def test_half_close_is_held():
    """The stream's end of file does not cut the reply off."""
    for side, make in SIDES:
        p, w, stream = make()
        stream.sendall(b'question')
        stream.shutdown(socket.SHUT_WR)
        t.is_(w.take_data(8), b'question', 'the question arrives')
        t.ok(t.ws.quiet_for(w.sock, 0.5),
             '%s: no Close yet' % side)
        w.send(b'an')
        t.is_(t.ws.read_exactly(stream, 2), b'an', 'half of the reply')
        t.ok(t.ws.quiet_for(w.sock, 0.3), 'still no Close')
        w.send(b'swer')
        w.close(1000)
        t.is_(t.ws.read_all(stream), (b'swer', 'eof'),
              'the rest, and a clean end')
        t.ok(w.take_close(answer=False) in (1000, 1005), 'Close is answered')


def test_linger():
    for side, make in SIDES:
        for _ in range(9):      # a busy machine may be late with a byte
            p, w, stream = make('--linger', '700ms')
            stream.sendall(b'bye')
            stream.shutdown(socket.SHUT_WR)
            t.is_(w.take_data(3), b'bye', 'data passes')
            begin, sent = t.ws.now(), 0
            while sent < 4 and t.ws.quiet_for(w.sock, 0.4):
                w.send(b'.')
                sent += 1
            if sent == 4:
                break
        t.is_(sent, 4, '%s: each byte begins the wait anew' % side)
        t.is_(w.take_close(), 1000, 'Close 1000 after --linger')
        took = t.ws.now() - begin
        t.ok(1.9 < took < 1.9 + t.BOUND, 'not before (%.1f s)' % took)
        t.is_(t.ws.read_all(stream), (b'....', 'eof'), 'a clean end')


def test_eof_close():
    for side, make in SIDES:
        p, w, stream = make('--eof=close', '--linger', '20s')
        stream.sendall(b'bye')
        stream.shutdown(socket.SHUT_WR)
        begin = t.ws.now()
        t.is_(w.take_data(3), b'bye', 'data passes')
        t.is_(w.take_close(), 1000, '%s: Close 1000 at once' % side)
        t.ok(t.ws.now() - begin < 8, 'that is, before --linger')
        t.is_(t.ws.read_all(stream), (b'', 'eof'), 'a clean end')


def test_data_in_flight_behind_close():
    """With --eof=close what the peer sent before its own Close arrives."""
    for side, make in SIDES:
        p, w, stream = make('--eof=close')
        stream.shutdown(socket.SHUT_WR)
        t.is_(w.take_close(answer=False), 1000, '%s: Close came' % side)
        w.send(b'late')
        w.close(1000)
        t.is_(t.ws.read_all(stream), (b'late', 'eof'),
              'what was under way arrives')


def test_close_is_not_answered():
    """A peer that never answers our Close is left after --linger."""
    for side, make in SIDES:
        p, w, stream = make('--eof=close', '--linger', '500ms')
        stream.shutdown(socket.SHUT_WR)
        t.is_(w.take_close(answer=False), 1000, '%s: Close came' % side)
        t.ok(w.take_end() in ('eof', 'reset'), 'the transport ends')
        t.ok(t.until(lambda: not t.children(p.pid)), 'no child is left')


def test_big_answer_then_end():
    """Bytes before an end are not overtaken by it, whoever is slow."""
    data = os.urandom(5 << 20)
    for side, make in SIDES:
        p, w, stream = make('--eof=close')
        import threading
        threading.Thread(target=lambda: (
            stream.sendall(data), stream.shutdown(socket.SHUT_WR)),
            daemon=True).start()
        t.ok(w.take_data(len(data)) == data, '%s: 5 MiB arrive' % side)
        t.is_(w.take_close(), 1000, 'and then Close')
        p, w, stream = make()
        def feed():
            w.send(data)
            w.close(1000)
        threading.Thread(target=feed, daemon=True).start()
        got, how = t.ws.read_all(stream)
        t.ok(got == data, '%s: 5 MiB arrive at the stream' % side)
        t.is_(how, 'eof', 'and then its end')


def pause(w):
    """Longer than --linger: does nothing come, not even an end?"""
    return not select.select([w.sock], [], [], 3.5)[0]


def test_reader_that_pauses():
    """For longer than --linger, while the peer sends: that is no silence."""
    data = os.urandom(1 << 20) * 20
    for mode in ('--eof=hold', '--eof=close'):
        server = t.WSServer()
        p = t.connect('ws://127.0.0.1:%d/' % server.port, mode, '--linger',
                      '2500ms', stdin=subprocess.DEVNULL)
        w = server.next()

        def send():
            for i in range(0, len(data), 1 << 16):
                w.send(data[i:i + (1 << 16)])
            w.close(1000)
        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        if mode == '--eof=hold':
            t.ok(pause(w), 'no Close in a pause')
        else:
            t.is_(w.take_close(answer=False), 1000, 'Close at once')
            t.ok(pause(w), 'the websocket stays')
        t.ok(p.stdout.read() == data, mode + ': all of it arrives')
        t.is_(p.wait(), 0, 'and ends well')
        thread.join()


def test_cut_with_tls():
    """Who is on the path holds back the rest, and ends TCP."""
    cert = t.certificate()
    server = t.WSServer(tls=t.tls_context(cert))
    path = t.Proxy(server.port)
    p = t.connect('wss://127.0.0.1:%d/' % path.port, '-k', '--linger', '3s',
                  '-vv', stdin=subprocess.DEVNULL)
    w = server.next()
    w.send(b'first')
    t.is_(os.read(p.stdout.fileno(), 100), b'first', 'connect: half of it')
    path.blackhole()
    w.send(b'second')
    t.ok(p.has_line('to=close-sent'), 'Close is sent after --linger')
    path.cut('fin')
    t.is_(p.wait(), 74, 'a reset')

    target = t.Held()
    s = t.server(target.port, '--tls-cert', cert.cert, '--tls-key', cert.key,
                 '--linger', '3s')
    for how in ('close_notify', 'fin'):
        path = t.Proxy(s.port)
        raw = ssl._create_unverified_context().wrap_socket(
            t.ws.dial(path.port))
        raw.sendall(t.ws.request())
        w = t.ws.WebSocket(raw, True, t.ws.read_head(raw)[1])
        stream = target.next()
        w.send(b'first')
        t.is_(t.ws.read_exactly(stream, 5), b'first', 'server: half of it')
        stream.shutdown(socket.SHUT_WR)
        t.is_(w.take_close(answer=False), 1000, 'the held back Close')
        if how == 'fin':
            path.cut('fin')
        else:
            with contextlib.suppress(ssl.SSLError):     # it ends at once
                raw.unwrap()
        t.is_(t.ws.read_all(stream)[1],
              'reset' if how == 'fin' else 'eof', how)
        path.close()


def slow(sock, size, step, say):
    """Reads step bytes at a time and says something now and then."""
    got, how, said = 0, 'eof', 0
    try:
        while True:
            if t.ws.now() > said + 0.4:
                said = t.ws.now()
                say()
            time.sleep(0.03 * t.SCALE)
            data = sock.recv(step)
            if not data:
                break
            got += len(data)
    except OSError as e:
        how = str(e)
    return got, how


def small_buffer(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return sock


@t.limit(60)
def test_slow_to_take():
    """What was written is taken over more than --linger."""
    if not sys.platform.startswith('linux'):
        return t.skip('only Linux tells what was acknowledged')
    linger = '%dms' % (3000 * t.SCALE)
    with small_buffer(socket.socket()) as listener:
        listener.bind(('127.0.0.1', 0))
        listener.listen(5)
        s = t.server(listener.getsockname()[1], '--linger', linger)
        w = t.ws.connect(s.port)
        stream, _ = listener.accept()
    size = 200 << 10
    w.send(b'u' * size)
    w.close(1000)
    t.is_(slow(stream, size, 1024, lambda: stream.send(b'.')), (size, 'eof'),
          'a target that reads slowly and sends gets all, and the end')
    stream.close(), w.drop()
    t.like(s.wait_line('event=closed.*')[0], 'end=ended', 'and the log says so')

    data = b'd' * (200 << 10)
    s = t.server(t.source(data).port, '--linger', linger)
    sock = small_buffer(socket.socket())
    sock.connect(('127.0.0.1', s.port))
    sock.sendall(t.ws.request())
    early = len(t.ws.read_head(sock)[1])
    got, how = slow(sock, len(data), 2048, lambda: sock.sendall(
        t.ws.frame(9, b'p', key=K)))
    t.ok(got + early > len(data), 'a peer that reads slowly and pings gets '
         'all (%d, %s)' % (got + early, how))


@t.limit(60)
def test_pings_prolong_nothing():
    """Pongs are on their way at any time; the data has arrived."""
    size = 200 << 10
    link = netns.Slow(0.05)     # so that there is always one on its way
    s = t.Program(link.far([
        t.INETWS, 'server', '-l', netns.FAR + ':0', '--linger', '1s', '-vv',
        '--', 'head', '-c', str(size), '/dev/zero']))
    with netns.inside(link.pids[0]):
        sock = small_buffer(socket.socket())
    sock.connect((netns.FAR, t.port_of(t.listening(s)[0])))
    sock.sendall(t.ws.request())
    got = len(t.ws.read_head(sock)[1])
    over = threading.Event()

    def ping():
        with contextlib.suppress(OSError):
            while not over.wait(0.01):
                sock.sendall(t.ws.frame(9, b'p', key=K))
    thread = threading.Thread(target=ping)
    thread.start()
    while got < size:
        got += len(sock.recv(4096))
    t.ok(s.has_line('to=close-sent'),
         'a peer that has read all and pings all the time gets the Close')
    over.set()
    thread.join()
    sock.close()


def test_stopped():
    """A silent peer does not keep a process that is told to end."""
    p, w, stream = pair('--linger', '60s', '--drain', '0')
    t.is_(p.stop(), 0, 'server: TERM, and the peer does not answer')
    t.like(p.log, 'event=closed .*end=stopped', 'the tunnel has its line')
    for number in signal.SIGTERM, signal.SIGINT:
        server = t.WSServer()
        p = t.connect('ws://127.0.0.1:%d/' % server.port, '--linger', '60s')
        w = server.next()
        w.send(b'x')
        t.is_(os.read(p.stdout.fileno(), 1), b'x', 'connect is open')
        t.is_(p.stop(number), 74, 'it ends, too')


def test_program_that_does_not_read():
    """What it wrote is not lost, and it has ended well."""
    for options in ((), ('--program-pipes',)):
        s = t.inetws('server', '-l', '127.0.0.1:0', *options, '--', 'sh', '-c',
                     'read -r x && echo all of it')
        w = t.ws.connect(t.port_of(t.listening(s)[0]))
        # sh reads byte by byte, and leaves the rest
        w.send(b'go\n' + b'unread')
        t.is_(w.take_data(10), b'all of it\n', 'its output (%s)' %
              ' '.join(options))
        w.close(1000)
        t.like(s.wait_line('event=closed.*')[0], 'end=ended .*exit 0',
               'a clean end')


def test_log_tells_the_truth():
    p, w, stream = pair('--linger', '500ms')
    w.send(b'x' * 1234)
    t.ws.read_exactly(stream, 1234)
    stream.sendall(b'y' * 567)
    w.take_data(567)
    w.close(1000)
    w.take_close(answer=False)
    line = p.wait_line('event=closed.*')[0]
    t.like(line, r' up=1234 down=567 ', 'bytes of both ways: ' + line)
    t.like(line, r'127\.0\.0\.1:\d+', 'who')


t.main()
