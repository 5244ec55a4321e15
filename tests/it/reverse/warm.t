#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""client --warm and servers that park: this program and the Python peer, each
in both roles.

If it fails: warm connections are slower than cold ones, or are handed out
dead.
"""

import os
import re
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
import reverse as r                     # noqa: E402
from exchange import Exchange, noise, pair      # noqa: E402

PARK = 'inetws; v=2; id=warm1; win=65536; park'


class Later(p.RandomFaults):
    """Not before the session has begun."""

    def limits(self, no):
        send, recv, how = super().limits(no)
        more = 1000 if no == 0 else 0
        return send and send + more, recv and recv + more, how


def url(server):
    return 'ws://127.0.0.1:%d/' % server.port


def test_refused():
    """The connection of a websocket that waited is told of like any other."""
    s = t.server(t.echo().port)
    for words in (), ('--warm', '1'):
        c = t.client(url(s), '--accept-proxy', '--metrics', '127.0.0.1:0',
                     *words)
        page = int(c.wait_line('metrics on .*:([0-9]+)')[1])
        for _ in range(14):
            t.ok(r.parked(c, len(words) // 2), 'a connection can come')
            v = r.visit(c.port)
            v.sendall(b'PROXY NONSENSE\r\n')
            t.is_(t.ws.read_all(v), (b'', 'reset'), 'is refused')
        name = 'client ' + ' '.join(words)
        t.ok(t.until(lambda: t.series(t.http(page, '/metrics')[2])[
            'inetws_connections_ended_total{result="protocol"}'] == 14),
            name + ': each is counted')
        t.is_(c.stop(), 0, 'TERM ends it')
        t.is_(len(re.findall('event=failed .*why="PROXY', c.log)), 10,
              'ten lines a minute')    # a dial that TERM ends is another
        t.like(c.log, 'event=failed mode=client peer=127.* target=ws:',
               'with peer and target')


def test_warm():
    target = t.echo()
    s = t.server(target.port)
    c = t.client(url(s), '--warm', '3')
    t.ok(r.parked(s, 3) and r.parked(c, 3),
         'three websockets wait at both sides')
    t.is_(target.accepted, 0, 'the target has not been dialled')
    data = noise(1 << 20)
    exchanges = [Exchange(r.visit(c.port), data) for _ in range(10)]
    t.is_(sum(x.join() == 'eof' and x.got == data for x in exchanges), 10,
          'ten visitors are served, warm or cold')
    t.ok(r.parked(s, 3), 'and three websockets wait again')
    c.wait_line('event=closed', count=10)
    t.like(c.log, r'event=closed mode=client peer=127\.0\.0\.1:\d+ .*'
           r'up=1048576 down=1048576', 'logged as ever')
    t.until(lambda: r.parked(c, 3) and len(t.children(c.pid)) == 3)
    child = next(x for x in t.children(c.pid) if 'parked' in t.command_of(x))
    os.kill(child, signal.SIGSTOP)
    t.ok(t.until(lambda: child not in t.children(c.pid)) and r.parked(c, 3),
         'one that is stopped is replaced')
    t.is_(c.stop(), 0, 'TERM ends it')
    t.ok(t.until(lambda: not t.children(s.pid)), 'and what waits')
    t.is_((s.stop(), c.log.count('event=closed'), s.log.count('event=closed')),
          (0, 10, 10), 'unused websockets are not logged')


def test_server_parks():
    target = t.echo()
    s = t.server(target.port)
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK)
    t.ok('park' in w.params, 'the server answers park')
    t.is_(target.accepted, 0, 'the target waits')
    w.text('open 192.0.2.1:7')
    w.data(b'hello')
    t.is_(w.frame(t.BOUND), (p.TEXT, 'ok'), 'open: ok')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'hello'), 'data that was early')
    w.text('rst')
    w.drop()
    line = s.wait_line('event=closed.*')[0]
    t.unlike(line, '192.0.2.1', 'the address of an untrusted peer is ignored')
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK)
    w.closing()
    t.is_(w.frame(t.BOUND), (p.CLOSE, 1000), 'closed while it waits')
    w.drop()
    s = t.server(t.free_port())
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK)
    w.text('open -')
    t.like(r.line(w), '^fail .*refused', 'a dead target: fail')
    w.drop()
    s = t.server(target.port, '--trusted-proxy', '127.0.0.1',
                 '--real-ip-header', 'Forwarded')
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK)
    w.text('open 192.0.2.1:7')
    r.line(w)
    w.text('rst')
    w.drop()
    t.like(s.wait_line('event=closed.*')[0], r'peer=192\.0\.2\.1:7',
           'that of a trusted proxy is')


def test_forward():
    """--forward-peer tells who the visitor is, and nothing else does."""
    for options, known in (((), False), (('--forward-peer',), True)):
        target = t.Held()
        s = t.server(target.port, '--trusted-proxy', '127.0.0.1',
                     '--real-ip-header', 'Forwarded', '--send-proxy')
        c = t.client(url(s), '--warm', '1', *options)
        r.parked(s)
        v = r.visit(c.port)
        v.sendall(b'x')
        got = target.next().recv(200)
        t.is_(b' %d ' % v.getsockname()[1] in got, known,
              '%s: %r' % (options, got))


def test_program():
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'sh', '-c',
                 'echo $REQUEST_URI; cat')
    s.port = t.port_of(t.listening(s)[0])
    c = t.client(url(s) + 'x?y', '--warm', '1')
    r.parked(s)
    exchange = Exchange(r.visit(c.port), b'hi')
    exchange.join()
    t.is_(bytes(exchange.got), b'/x?y\nhi', 'a program knows the request')


def test_no_park():
    """A server that does not park: dialled on demand, not asked again."""
    target = t.echo()
    ws = t.WSServer()
    c = t.client(url(ws), '--warm', '2', '--eof=close')
    first = ws.next()
    t.is_(first.read_frame().opcode, 8,
          'a websocket that may not wait is closed')
    c.wait_line('event=not-parked')
    v = r.visit(c.port)
    second = ws.next()
    v.sendall(b'hello')
    t.is_(second.read_frame().payload, b'hello',
          'a connection has its own websocket')
    t.ok(not t.until(lambda: ws.accepted > 2, .6), 'no more is dialled ahead')
    v.close()
    target.close()


def test_lost():
    """Websockets that die while parked are replaced; no connection notices."""
    target = t.echo()
    s = t.server(target.port)
    proxy = t.Proxy(s.port)
    c = t.client('ws://127.0.0.1:%d/' % proxy.port, '--warm', '2')
    r.parked(s, 2)
    for how in ('fin', 'rst'):
        t.until(lambda: r.parked(c, 2) and len(t.children(c.pid)) == 2)
        old = t.children(c.pid)
        proxy.cut(how)
        t.ok(t.until(lambda: not set(old) & set(t.children(c.pid))),
             'cut: they go')
        exchange = Exchange(r.visit(c.port), b'hello')
        t.is_((exchange.join(), bytes(exchange.got)), ('eof', b'hello'),
              'all cut (%s): served' % how)
        t.ok(r.parked(s, 2), 'and websockets wait again')


def test_late_header():
    """Without a limit for it, a PROXY header may come when it likes."""
    s = t.server(t.echo().port)
    for warm in '0', '1':
        c = t.client(url(s), '--warm', warm, '--accept-proxy',
                     '--connect-timeout', '0')
        t.ok(r.parked(c, int(warm)), 'a client, --warm ' + warm)
        # They are told from others by their titles, which come last.
        t.until(lambda: warm == '1' or len(t.ahead(c.pid)) == 2)

        def held():
            return sum(t.descriptors(x) for x in t.children(c.pid))
        before = held()
        v = r.visit(c.port)
        t.ok(t.until(lambda: held() > before), 'a visitor')
        v.sendall(b'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello')
        t.is_(v.recv(9), b'hello', 'is served when he says who he is')
        v.close()


def test_server_down():
    port = t.free_port()
    s = t.server(t.echo().port, listen='127.0.0.1:%d' % port)
    c = t.client(url(s), '--warm', '1')
    r.parked(s)
    s.stop(signal.SIGQUIT)
    t.ok(r.visitor_is_reset(c.port), 'the server is down: reset')
    t.server(t.echo().port, listen='127.0.0.1:%d' % port)

    def served():
        exchange = Exchange(r.visit(c.port), b'x')
        return exchange.join() == 'eof' and exchange.got == b'x'
    t.ok(t.until(served), 'it is back: served')
    t.ok(t.until(lambda: r.parked(c)), 'and warm again')


def test_python_server():
    target = t.echo()
    server = p.Server(lambda: socket.create_connection(
        ('127.0.0.1', target.port)))
    t.on_close(server.stop)
    c = t.client(url(server), '--warm', '2')
    t.ok(r.parked(c, 2), 'websockets wait at the Python server')
    data = noise(1 << 20)
    for _ in range(3):
        exchange = Exchange(r.visit(c.port), data)
        how = exchange.join()
        t.ok(how == 'eof' and exchange.got == data, 'a visitor is served')


def test_python_client():
    target = t.echo()
    s = t.server(target.port)
    data = noise(1 << 20)
    near, inner = pair()
    exchange = Exchange(near, data)
    tunnel = p.dial('127.0.0.1', s.port, '/', inner,
                    p.Settings(addr='192.0.2.1:7'))
    t.ok(exchange.join() == 'eof' and exchange.got == data,
         'the Python client, warm: %s' % tunnel.outcome)


def test_resume():
    target = t.echo()
    s = t.server(target.port)
    data = noise(5 << 20)
    near, inner = pair()
    exchange = Exchange(near, data)
    tunnel = p.dial('127.0.0.1', s.port, '/', inner,
                    p.Settings(addr='-'), Later(3, 20, 300000))
    t.ok(exchange.join() == 'eof' and exchange.got == data,
         'cut again and again: %s' % tunnel.outcome)
    t.ok(tunnel.resumes >= 5, 'through %d resumes' % tunnel.resumes)
    server = p.Server(lambda: socket.create_connection(
        ('127.0.0.1', target.port)), p.Settings(), p.After('ok', True, 1))
    t.on_close(server.stop)
    c = t.client(url(server), '--warm', '1')
    r.parked(c)
    exchange = Exchange(r.visit(c.port), data)
    t.ok(exchange.join() == 'eof' and exchange.got == data,
         'cut behind ok: it goes on')
    t.is_([x.resumes for x in server.tunnels if x.resumes], [1],
          'over another websocket')


def again(server, first, no):
    """A redial of a warm client that has delivered nothing."""
    return p.raw_dial('127.0.0.1', server.port, '/',
                      'inetws; v=2; id=warm1; win=65536; resume="%s"; n=%d; '
                      'at=0' % (first.params['resume'], no), timeout=t.BOUND)


def test_fails_without_websocket():
    """The websocket is lost while the target is dialled, in vain: the peer is
    told over another one."""
    s = t.server(t.full(), '--linger', '%ds' % t.BOUND, '--connect-timeout',
                 '1s')
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK + '; resume')
    w.text('open -')
    w.drop()
    s.wait_line('event=no-target')
    w = again(s, w, 1)
    t.is_(r.line(w), 'fail the target did not answer in time',
          'fail comes over the next one')
    t.is_(w.frame(t.BOUND), (p.CLOSE, 1000), 'and Close')
    w.closing()
    w.drop()
    t.like(s.wait_line('event=closed.*')[0], 'resumes=1', 'which ends it')


def test_not_begun():
    """What was never opened is no session yet."""
    s = t.server(t.echo().port)
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK + '; resume')
    try:
        again(s, w, 1)
        status = 101
    except p.Refused as e:
        status = e.status
    t.is_(status, 410, 'a redial of a websocket that waits: 410')


def test_usage():
    a, b = socket.socketpair()
    q = t.Program([t.INETWS, 'client', '--warm', '1', 'ws://127.0.0.1:1/'],
                  stdin=b, stdout=b, stderr=b)
    t.is_(q.wait(), 64, '--warm under inetd: usage')
    a.close()
    b.close()


if __name__ == '__main__':
    t.main()
