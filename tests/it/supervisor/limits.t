#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Limits on connections: by source address, and on handshakes that are not
finished.

If it fails: one source uses up all connections, and others are refused.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import threading        # noqa: E402

X = ('--trusted-proxy', '127.0.0.0/8', '--real-ip-header', 'X-Forwarded-For')

# Mute connections stay, however slow the machine is.
PATIENT = ('--handshake-timeout', '60s')


def status_of(port, source=None):
    """(status, websocket or None) of a request."""
    sock = t.ws.dial(port)
    sock.sendall(t.ws.request(headers=[('X-Forwarded-For', source)]
                              if source else ()))
    head, rest = t.ws.read_head(sock)
    code = int(head.split()[1])
    return code, t.ws.WebSocket(sock, True, rest) if code == 101 else head


def until_in(port, source=None):
    found = []

    def one():
        found.append(status_of(port, source))
        return found[-1][0] == 101
    t.ok(t.until(one), 'one leaves, one comes in')
    return found[-1][1]


def test_per_source():
    s = t.server(t.echo().port, '--max-per-source', '2', *X)
    a = status_of(s.port, '203.0.113.1')[1]
    first = t.child(s.pid)
    b = status_of(s.port, '203.0.113.1')[1]
    t.until(lambda: len(t.children(s.pid)) == 2)
    second, = set(t.children(s.pid)) - {first}
    mark = s.mark()
    for _ in range(3):
        code, head = status_of(s.port, '203.0.113.1')
        t.is_(code, 503, 'a third one from an address: 503')
    t.like(head, '(?i)^retry-after: [0-9]+', 'with Retry-After')
    t.ok(s.has_line(r'event=failed .*peer=203\.0\.113\.1 .*503: limit of 2 conn',
                    since=mark, count=3), 'and a line for each')
    t.is_(status_of(s.port, '203.0.113.2')[0], 101, 'others come in')
    t.is_([status_of(s.port, '2001:db8::%d' % i)[0] for i in (1, 2, 3)],
          [101, 101, 503], 'of IPv6 a /64 is one source')
    t.is_(status_of(s.port, '2001:db8:0:1::1')[0], 101, 'and others others')
    a.bye()
    w = until_in(s.port, '203.0.113.1')
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'and is served')
    t.until(lambda: first not in t.children(s.pid))
    os.kill(second, 9)
    b.send(b'y')
    until_in(s.port, '203.0.113.1').bye()


def test_at_once():
    """Of many at once exactly as many as may be."""
    s = t.server(t.echo().port, '--max-per-source', '5')
    codes = []
    threads = [threading.Thread(target=lambda: codes.append(
        status_of(s.port))) for _ in range(30)]
    for x in threads:
        x.start()
    for x in threads:
        x.join(t.BOUND)
    t.is_(sorted(c for c, _ in codes), [101] * 5 + [503] * 25,
          '5 of 30 come in')


def test_real_socket():
    """Without a header the socket tells the address; a Unix one has none."""
    s = t.server(t.echo().port, '--max-per-source', '1')
    status_of(s.port)
    t.is_(status_of(s.port)[0], 503, 'all are from here')
    path = t.folder() + '/s'
    t.server(t.echo().port, '--max-per-source', '1', '-l', '127.0.0.1:0',
             listen='unix:' + path)
    t.is_([status_of(path)[0] for _ in range(3)], [101] * 3,
          'its source is not known')


def test_inetd():
    """Without a supervisor, by the page that they share."""
    socat, = t.need('socat')
    page, port = t.folder() + '/stats', t.free_port()
    t.Program([socat, 'TCP-LISTEN:%d,bind=127.0.0.1,reuseaddr,fork' % port,
               'EXEC:"%s server --stats-file %s --max-per-source 2 '
               '127.0.0.1:%d"' % (t.INETWS, page, t.echo().port)])
    ws = []

    def first():
        try:
            ws.append(status_of(port))
            return True
        except ConnectionRefusedError:
            return False
    t.until(first)
    ws.append(status_of(port))
    t.is_([c for c, _ in ws], [101, 101], 'two come in')
    t.is_(status_of(port)[0], 503, 'a third does not')
    ws[0][1].bye()
    until_in(port)


def codes(port, n=6):
    """Of so many requests that stay."""
    stay = [status_of(port) for _ in range(n)]
    t.on_close(lambda: stay.clear())
    return [code for code, _ in stay]


FULL = 'cannot be counted: the statistics page is full'


def test_small_page():
    """The page of an earlier instance has less room: it is made anew, unless
    it is in use, and then who cannot be counted is refused."""
    page, echo = t.folder() + '/stats', t.echo()

    def server(most):
        return t.server(echo.port, '--stats-file', page, '--max-connections',
                        str(most), '--max-per-source', '2')
    small = server(1)
    large = server(50)
    got = codes(large.port)
    t.ok(got.count(101) <= 2 and got.count(503) >= 4,
         'a page that is too small: no more than 2 of 6 (%r)' % got)
    t.ok(large.has_line('event=failed .*503: .*' + FULL), 'the log says why')
    small.stop()
    large.stop()
    large = server(50)
    t.is_(codes(large.port), [101] * 2 + [503] * 4,
          'not in use: made anew, 2 of 6')
    t.is_(large.log.count(FULL), 0, 'all are counted')


def test_raised():
    """HUP raises --max-connections above the room of the page."""
    folder = t.folder()

    def config(most):
        with open(folder + '/c', 'w') as f:
            f.write('stats-file %s/stats\nmax-per-source 2\n'
                    'max-connections %d\n' % (folder, most))
    config(1)
    s = t.server(t.echo().port, '-K', folder + '/c')
    config(50)
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded')
    got = codes(s.port)
    t.ok(got.count(101) <= 2 and got.count(503) >= 4,
         'no more than 2 of 6 (%r)' % got)
    t.ok(s.has_line('event=failed .*503: .*' + FULL), 'the log says why')


def alone(*options):
    """A process for one connection, as under inetd: its answer, and it."""
    near = socket.create_server(('127.0.0.1', 0))
    far = t.ws.dial(near.getsockname()[1])
    conn = near.accept()[0]
    near.close()
    p = t.inetws('server', '-l', 'fd:%d' % conn.fileno(), *options,
                 '127.0.0.1:%d' % t.echo().port, pass_fds=(conn.fileno(),))
    conn.close()
    far.sendall(t.ws.request())
    head, rest = t.ws.read_head(far)
    return int(head.split()[1]), p, far


def test_inetd_small_page():
    page = t.folder() + '/stats'
    made = [alone('--stats-file', page, '--max-connections', '1',
                  '--max-per-source', '2') for _ in range(5)]
    t.is_([code for code, _, _ in made].count(101), 1,
          'as many as the page has room for')
    t.ok(made[-1][1].has_line('event=failed .*503: .*' + FULL),
         'the log says why')


def test_no_page():
    """Nothing to count in: the limit is not off."""
    code, p, _ = alone('--max-per-source', '2')
    t.is_(code, 503, 'without a supervisor and --stats-file')
    t.ok(p.has_line('event=failed .*there is no statistics page, see '
                    '--stats-file'), 'the log says what is needed')
    page = t.folder() + '/stats'
    s = t.server(t.echo().port, '--stats-file', page, '--max-per-source', '2')
    t.is_(status_of(s.port)[0], 101, 'there is a page')
    os.truncate(page, 0)
    t.is_(status_of(s.port)[0], 503, 'it was cut short')
    t.ok(s.has_line('event=failed .*there is no statistics page'), 'logged')


def test_client():
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--max-per-source', '1')
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'a visitor')
    t.is_(t.ws.dial_and_read(c.port), (b'', 'reset'), 'another is reset')
    t.ok(c.has_line('event=failed .*mode=client .*limit of 1 connections'),
         'and the log says why')


def test_resume_is_none():
    """A redial is no connection more."""
    s = t.server(t.echo().port, '--max-per-source', '1')
    p = t.Proxy(s.port)
    c = t.client('ws://127.0.0.1:%d/' % p.port)
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'a tunnel')
    p.cut('rst')
    v.sendall(b'y')
    t.is_(t.ws.read_exactly(v, 1), b'y', 'goes on after a loss')


def tunnels(port, n):
    """Each is up, as its process sees it, before the next one comes."""
    found = []
    for _ in range(n):
        w = t.ws.connect(port)
        w.send(b'x')
        w.take_data(1)
        del w.data[:]
        found.append(w)
    return found


def test_handshakes():
    s = t.server(t.echo().port, '--max-handshakes', '3', *PATIENT)
    ws = tunnels(s.port, 6)
    t.ok(t.until(lambda: len(t.children(s.pid)) == 6), 'tunnels are none')
    mute = [t.ws.dial(s.port) for _ in range(3)]
    t.until(lambda: len(t.children(s.pid)) == 9)
    mark = s.mark()
    for _ in range(4):
        code, head = status_of(s.port)
        t.is_(code, 503, 'beyond --max-handshakes: 503')
    t.like(head, '(?i)^retry-after: [0-9]+', 'with Retry-After')
    t.ok(s.has_line('at-limit.*max-handshakes=3', since=mark), 'logged')
    for w in ws:
        w.send(b'x')
    t.is_([w.take_data(1) for w in ws], [b'x'] * 6, 'open tunnels go on')
    mute[0].sendall(t.ws.request())
    head, rest = t.ws.read_head(mute[0])
    t.is_(head.split()[1], b'101', 'one of them is established')
    until_in(s.port)
    mute[1].close()
    mute[2].close()
    t.is_([until_in(s.port) is not None for _ in range(4)], [True] * 4,
          'a closed one is not counted')


def test_stopped_handshake():
    """A process that is stopped in its handshake does not keep the place."""
    path = t.folder() + '/c'

    def config(timeout):
        with open(path, 'w') as f:
            f.write('max-handshakes 1\nconnect-timeout 100ms\n'
                    'handshake-timeout %s\n' % timeout)

    config('60s')
    s = t.server(t.echo().port, '-K', path)
    mute = t.ws.dial(s.port)
    pid = t.child(s.pid)
    os.kill(pid, signal.SIGSTOP)
    t.is_(status_of(s.port)[0], 503, 'it keeps its place for a while')
    config('100ms')
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded')
    t.ok(t.until(lambda: status_of(s.port)[0] == 101, 3 * t.BOUND, 0.2),
         'then it is killed')
    t.ok(s.has_line('event=child-killed pid=%d signal=9' % pid),
         'which is logged')
    mute.close()


def test_handshakes_of_client():
    mute = t.Held()
    c = t.client('ws://127.0.0.1:%d/' % mute.port, '--max-handshakes', '2',
                 *PATIENT)
    waiting = [t.ws.dial(c.port) for _ in range(2)]
    t.until(lambda: len(t.children(c.pid)) == 2)
    t.is_(t.ws.dial_and_read(c.port), (b'', 'reset'), 'a third is reset')
    t.ok(all(t.ws.quiet_for(x, 0) for x in waiting), 'two wait')


def test_shared_page():
    """The same where processes find a slot by themselves."""
    s = t.server(t.echo().port, '--max-handshakes', '2', '--stats-file',
                 t.folder() + '/stats', *PATIENT)
    ws = tunnels(s.port, 4)
    mute = [t.ws.dial(s.port) for _ in range(2)]
    t.until(lambda: len(t.children(s.pid)) == 6)
    # A child takes its slot a moment after it is born.
    t.ok(t.until(lambda: status_of(s.port)[0] == 503),
         'a third handshake: 503')
    for w in ws:
        w.send(b'x')
    t.is_([w.take_data(1) for w in ws], [b'x'] * 4, 'next to 4 tunnels')
    t.ok(all(t.ws.quiet_for(x, 0) for x in mute), 'and two that wait')


t.main()
