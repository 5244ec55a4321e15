#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The client's address: header fields of proxies, and the PROXY protocol in
both directions.

If it fails: logs, limits and access rules act on a forged address.
"""

import os
import socket
import struct
import sys
import textwrap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t          # noqa: E402
import inetws_peer as p     # noqa: E402
import peers                # noqa: E402
import reverse as r         # noqa: E402

PARK = r.OFFER.replace('serve', 'park')
MAGIC = b'\r\n\r\n\0\r\nQUIT\n'
V1 = b'PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n'
V2 = (MAGIC + b'\x21\x11' + struct.pack('>H', 12) +
      socket.inet_aton('203.0.113.8') + socket.inet_aton('192.0.2.1') +
      struct.pack('>HH', 4712, 443))
V2_SIX = (MAGIC + b'\x21\x21' + struct.pack('>H', 36 + 4) +
          socket.inet_pton(socket.AF_INET6, '2001:db8::7') +
          socket.inet_pton(socket.AF_INET6, '2001:db8::1') +
          struct.pack('>HH', 4713, 443) + b'\x04\0\x01x')
LOCAL = MAGIC + b'\x20\0\0\0'


def peer_of(s, headers=(), before=b'', pieces=False):
    """The peer address that the log shows for a finished tunnel."""
    mark = s.mark()
    data = before + t.ws.request(headers=headers)
    sock = t.ws.dial(s.port)
    if pieces:
        for b in data[:len(before) + 20]:
            sock.sendall(bytes([b]))
        data = data[len(before) + 20:]
    sock.sendall(data)
    head, rest = t.ws.read_head(sock)
    if b' 101 ' not in head:
        return head
    t.ws.WebSocket(sock, True, rest).bye()
    return s.wait_line(r'event=closed .*peer=(\S+)', since=mark)[1]


def test_header():
    x, r, f = 'X-Forwarded-For', 'X-Real-IP', 'Forwarded'
    local = r'127\.0\.0\.1:'
    for option, name, value, want in (
            (x, x, '203.0.113.7', '203.0.113.7'),
            (x, x, '198.51.100.1, 203.0.113.7', '203.0.113.7'),
            (x, x, '203.0.113.7, 10.0.0.1', '203.0.113.7'),
            (x, x, '1.1.1.1, 203.0.113.7, 10.0.0.1, 10.9.9.9',
             '203.0.113.7'),
            (x, x, '10.0.0.3, 10.0.0.2', '10.0.0.3'),
            (x, x, '203.0.113.7:99', '203.0.113.7:99'),
            (x, x, '2001:db8::1', '2001:db8::1'),
            (x, x, 'unknown', local), (x, x, 'x, 10.0.0.1', '10.0.0.1'),
            (x, x, '", 203.0.113.7', '203.0.113.7'),
            (x, r, '203.0.113.7', local),
            (r, r, '203.0.113.7', '203.0.113.7'),
            (r, x, '203.0.113.7', local),
            (f, f, 'for=203.0.113.7', '203.0.113.7'),
            (f, f, 'for=1.1.1.1, proto=https;For="203.0.113.7:5";by=_x',
             '203.0.113.7:5'),
            (f, f, 'for="[2001:db8::7]:99"', r'\[2001:db8::7\]:99'),
            (f, f, 'host="a;for=1.1.1.1;b";for=203.0.113.7',
             '203.0.113.7'),
            (f, f, 'for=_hidden', local), (f, f, 'for="a\\"b"', local)):
        s = t.server(t.echo().port, '--trusted-proxy', '127.0.0.1',
                     '--trusted-proxy', '10.0.0.0/8', '--real-ip-header',
                     option)
        t.like(peer_of(s, [(name, value)]), '^' + want,
               '%s: %s with %s: %s' % (name, value, option, want))
        s.stop()


def test_unended():
    """A quoted string cannot hide what the proxy appends."""
    s = t.server(t.echo().port, '--trusted-proxy', '127.0.0.1',
                 '--real-ip-header', 'Forwarded')
    t.like(peer_of(s, [('Forwarded', 'for="1.1.1.1, for=203.0.113.7')]),
           ' 400 ', 'a quote that does not end: 400')
    s.wait_line('event=failed .*malformed Forwarded')
    t.like(peer_of(s, [('Forwarded', 'for="1.1.1.1'),
                       ('Forwarded', 'for=203.0.113.7')]), ' 400 ',
           'also in a field of its own')


def test_swallowed():
    """A client's own parameter, behind a proxy that appends correctly on the
    same line: RFC 7239's grammar or 400."""
    s = t.server(t.echo().port, '--trusted-proxy', '127.0.0.1',
                 '--real-ip-header', 'Forwarded')
    for value in ('for=9.9.9.9;x=", for=203.0.113.7;host="a\\"b"',
                  'for=9.9.9.9 for=203.0.113.7', 'for=203.0.113.7:5',
                  'for=9.9.9.9;for=203.0.113.7'):
        t.like(peer_of(s, [('Forwarded', value)]), ' 400 ', value + ': 400')


def opens(s, headers, address):
    """A warm client's websocket, that tells for which address it opens."""
    w = p.raw_dial('127.0.0.1', s.port, '/', PARK, ''.join(
        '%s: %s\r\n' % h for h in headers))
    w.text('open ' + address)
    return w


def test_open_is_trusted():
    """What "open" tells counts if the peer itself is trusted, not the proxy
    that it came by."""
    x = ('--trusted-proxy', '127.0.0.1', '--trusted-proxy', '10.0.0.0/8',
         '--real-ip-header', 'X-Forwarded-For', '--send-proxy')
    for via, want in (('203.0.113.9', '203.0.113.9'), ('10.0.0.1', '10.9.8.7'),
                      ('203.0.113.9, 10.0.0.1', '203.0.113.9')):
        target = t.Held()
        s = t.server(target.port, *x)
        w = opens(s, [('X-Forwarded-For', via)], '10.9.8.7:4444')
        t.like(target.next().recv(200).decode(), 'PROXY TCP4 %s ' % want,
               'X-Forwarded-For: %s: %s' % (via, want))
        w.drop()
        t.ok(s.has_line('event=closed.*peer=%s' % want), 'the log too')


def test_open_of_the_unknown():
    """A visitor without a name by the trusted proxy is not believed."""
    for name, via in (('Forwarded', 'for=_hidden'), ('Forwarded', 'for=unknown'),
                      ('Forwarded', 'for=203.0.113.9, for=_hidden'),
                      ('Forwarded', 'proto=https'),
                      ('X-Forwarded-For', 'unknown'),
                      ('X-Forwarded-For', '203.0.113.9, unknown'),
                      ('X-Forwarded-For', '')):
        target = t.Held()
        s = t.server(target.port, '--trusted-proxy', '127.0.0.1',
                     '--real-ip-header', name, '--send-proxy')
        w = opens(s, [(name, via)], '10.9.8.7:4444')
        t.like(target.next().recv(200).decode(), 'PROXY TCP4 127.0.0.1 ',
               '%s: %s' % (name, via))
        w.drop()


def test_open_is_counted():
    """--max-per-source counts the address that a warm client opens for."""
    target = t.Held()
    s = t.server(target.port, '--trusted-proxy', '127.0.0.1',
                 '--real-ip-header', 'Forwarded', '--max-per-source', '1')
    a = opens(s, (), '203.0.113.9:1')
    t.is_(r.line(a), 'ok', 'the first of a source')
    b = opens(s, (), '203.0.113.9:2')
    t.like(r.line(b), 'fail limit of 1 connection', 'the second is not served')
    c = opens(s, (), '203.0.113.10:1')
    t.is_(r.line(c), 'ok', 'one of another source is')
    for w in (a, b, c):
        w.drop()


def test_warm_is_counted():
    """--max-per-source of a warm client."""
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '2',
                 '--max-per-source', '1')
    r.parked(c, 2)
    first = r.visit(c.port)
    first.sendall(b'x')
    t.is_(first.recv(1), b'x', 'the first of a source')
    r.parked(c, 2)
    t.ok(r.visitor_is_reset(c.port), 'the second is refused')
    t.ok(c.has_line('limit of 1 connections per source'), 'the log says why')


class Announce(peers.Proxy):
    """A proxy that begins each connection with a PROXY header."""

    def _copy(self, src, dst):
        if dst.getpeername() == self.to:
            dst.sendall(V1)
        super()._copy(src, dst)


def test_gate_accepts_proxy():
    """A visitor's PROXY header is no data, also if the visitor goes to another
    agent than the first."""
    target = t.Held()
    g = r.gate('--accept-proxy')
    way = Announce(g.port)
    bad = p.raw_dial('127.0.0.1', way.port, '/agents/a', r.OFFER)
    t.ok(r.parked(g), 'an agent waits')
    v = r.visit(g.visitors)
    for b in V1:
        v.sendall(bytes([b]))
    v.sendall(b'hello')
    t.is_(r.line(bad), 'open 203.0.113.7:4711', 'the agent is told who it is')
    bad.drop()
    r.agent('ws://127.0.0.1:%d/agents/a' % way.port, target.port,
            '--send-proxy')
    conn = target.next()
    got = b''
    while len(got) < len(b'hello') or not got.endswith(b'hello'):
        data = conn.recv(200)
        if not data:
            break
        got += data
    t.like(got.decode(), r'^PROXY TCP4 203\.0\.113\.7 \S+ 4711 \d+\r\nhello$',
           'and the target gets what comes after the header')
    v.close()
    mute = r.visit(g.visitors)
    mute.sendall(b'hello, no header')
    t.ok(r.was_reset(mute), 'a visitor without one is dropped')


def is_taken(side, v):
    """Whether a child has this visitor."""
    port = ':%04X' % v.getsockname()[1]
    with open('/proc/net/tcp') as f:
        found = ['socket:[%s]' % line.split()[9] for line in f
                 if line.split()[2].endswith(port)]
    return any(x in (t.opened(child) or ()) for x in found
               for child in t.children(side.pid))


def leave_in_header(side, where):
    """Visitors that end, or are reset, within their headers are noticed at
    once; those that come later are served."""
    for leave, why in ((lambda v: v.shutdown(socket.SHUT_WR),
                        'the peer left within it'),
                       (r.reset, 'Connection reset by peer')):
        if why.startswith('Connection') and not isinstance(where, int):
            continue                    # the stream of a Unix socket just ends
        t.ok(r.parked(side), 'a websocket waits')
        mark = side.mark()
        v = r.visit(where)
        v.sendall(V1[:14])
        # One that is reset before a process has it is dropped without a word.
        t.ok(not isinstance(where, int) or
             t.until(lambda: is_taken(side, v)), 'a process has it')
        leave(v)
        t.ok(side.wait_line('event=failed .*why="PROXY header: %s"' % why,
                            since=mark), 'noticed: ' + why)
        t.ok(v.fileno() == -1 or r.was_reset(v), 'it is dropped')
        v = r.visit(where)
        v.sendall(V1 + b'hello')
        t.is_(v.recv(9), b'hello', 'the next one is served')
        v.close()


def test_left_in_header():
    """By a process whose visitor's header stays in the socket."""
    for words in ('--connect-timeout', '0'), ():
        s = t.server(t.echo().port)
        for where in None, os.path.join(t.folder(), 's'):
            c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '1',
                         '--accept-proxy', *words,
                         **({'listen': 'unix:' + where} if where else {}))
            leave_in_header(c, where or c.port)
            c.stop()
        g = r.gate('--accept-proxy', *words)
        r.agent('ws://127.0.0.1:%d/agents/a' % Announce(g.port).port,
                t.echo().port)
        leave_in_header(g, g.visitors)


def test_untrusted():
    """Neither in the log, nor towards the target, nor where sources are
    counted; and what a warm client says no more than what a field says."""
    named = [('X-Forwarded-For', '203.0.113.7'), ('X-Real-IP', '203.0.113.7'),
             ('Forwarded', 'for=203.0.113.7')]
    x = ('--real-ip-header', 'X-Forwarded-For', '--trusted-proxy')
    for options in ((), (*x, '10.0.0.0/8'), (*x, 'unix')):
        if 'unix' in options:           # which is another listener
            def server(*args):
                return t.server(*args, *options, '-l', 'unix:%s/s' %
                                t.folder())
        else:
            def server(*args):
                return t.server(*args, *options)
        s = server(t.echo().port)
        t.like(peer_of(s, named), r'^127\.0\.0\.1:',
               'an untrusted peer is not believed')
        target = t.Held()
        s = server(target.port, '--send-proxy')
        for w in (t.ws.connect(s.port, headers=named),
                  opens(s, named, '10.9.8.7:4444'),
                  opens(s, (), '10.9.8.7:4444')):
            t.like(target.next().recv(200).decode(), 'PROXY TCP4 127.0.0.1 ',
                   'not announced by it')
            w.drop()
        for header in (V1, V2, LOCAL):
            t.like(peer_of(s, before=header), '^HTTP/1.1 400 ',
                   'without --accept-proxy a PROXY header is an error')
        s = server(t.echo().port, '--max-per-source', '1')
        w = t.ws.connect(s.port, headers=named)
        t.like(peer_of(s, [('X-Forwarded-For', '203.0.113.8')]),
               '^HTTP/1.1 503 ', 'nor counted by it')
        w.drop()
    for word in ('10.0.0.0/33', '10.0.0', 'localhost', '::/129', ''):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '--trusted-proxy',
                         word, '127.0.0.1:1')
        t.is_(r.returncode, 64, "--trusted-proxy '%s': 64" % word)
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--real-ip-header',
                     'X-Real-IP', '127.0.0.1:1')
    t.is_(r.returncode, 64, '--real-ip-header alone: 64')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--trusted-proxy',
                     '::1', '--real-ip-header', 'Host', '127.0.0.1:1')
    t.is_(r.returncode, 64, '--real-ip-header Host: 64')


def test_unix_peer():
    path = os.path.join(t.folder(), 's')
    s = t.server(t.echo().port, '--real-ip-header', 'X-Real-IP',
                 '--trusted-proxy', 'unix', listen='unix:' + path)
    s.port = path
    t.is_(peer_of(s, [('X-Real-IP', '203.0.113.7')]), '203.0.113.7',
          'a peer at the Unix socket is believed')


def test_accept_proxy():
    s = t.server(t.echo().port, '--accept-proxy')
    for name, data, want in (('version 1', V1, '203.0.113.7:4711'),
                             ('version 2', V2, '203.0.113.8:4712'),
                             ('IPv6 and an extension', V2_SIX,
                              '[2001:db8::7]:4713')):
        t.is_(peer_of(s, before=data), want, name + ', in one segment')
        t.is_(peer_of(s, before=data, pieces=True), want, 'and in pieces')
    for name, data in (('UNKNOWN', b'PROXY UNKNOWN\r\n'),
                       ('UNKNOWN with words', b'PROXY UNKNOWN a b c d\r\n'),
                       ('LOCAL', LOCAL)):
        t.like(peer_of(s, before=data), r'^127\.0\.0\.1:', name)
    for name, data in (
            ('none', b''), ('a bare word', b'PROXY\r\n'),
            ('a wrong family', V1.replace(b'TCP4', b'TCP5')),
            ('an address of the wrong family', V1.replace(b'TCP4', b'TCP6')),
            ('a bad address', V1.replace(b'203.0.113.7', b'203.0.113')),
            ('a bad port', V1.replace(b'4711', b'65536')),
            ('a signed port', V1.replace(b'4711', b'+4711')),
            ('two blanks', V1.replace(b' 4711', b'  4711')),
            ('one word more', V1.replace(b'443', b'443 x')),
            ('a bare LF', V1.replace(b'\r\n', b'\n')),
            ('no end', b'PROXY TCP4 ' + b'x' * 200),
            ('version 3', MAGIC + b'\x31\x11\0\0'),
            ('a wrong command', MAGIC + b'\x22\x11\0\0'),
            ('too short', MAGIC + b'\x21\x11\0\x04abcd'),
            ('far too long', MAGIC + b'\x21\x11\xff\xff')):
        mark = s.mark()
        sock = t.ws.dial(s.port)
        sock.sendall(data + t.ws.request())
        t.is_(t.ws.read_all(sock)[0], b'', name + ': not a byte')
        t.ok(s.has_line('PROXY header: ', since=mark), 'and the log says so')
    s = t.server(t.echo().port, '--accept-proxy', '--handshake-timeout',
                 '1s')
    mute = t.ws.dial(s.port)
    t.ok(s.has_line('PROXY header: .*timed out'), 'silence is bounded')
    mute.close()


def test_proxy_line_then_header():
    """The address of the PROXY header is what trust is asked about."""
    s = t.server(t.echo().port, '--accept-proxy', '--trusted-proxy',
                 '203.0.113.7', '--real-ip-header', 'X-Real-IP')
    t.is_(peer_of(s, [('X-Real-IP', '198.51.100.9')], V1), '198.51.100.9',
          'trusted')
    t.is_(peer_of(s, [('X-Real-IP', '198.51.100.9')], V2),
          '203.0.113.8:4712', 'not trusted')


def test_send_proxy():
    def first(sock):
        return sock.recv(4096)

    for option, want in (
            ('--send-proxy', rb'PROXY TCP4 203.0.113.7 127.0.0.1 4711 %d'),
            ('--send-proxy=v1', rb'PROXY TCP4 203.0.113.7 127.0.0.1 4711 '
             rb'%d')):
        target = t.Listener(first)
        s = t.server(target.port, option, '--accept-proxy')
        sock = t.ws.dial(s.port)
        sock.sendall(V1 + t.ws.request())
        t.is_(target.take(), want % s.port + b'\r\n', option)
    target = t.Listener(first)
    s = t.server(target.port, '--send-proxy=v2', '--accept-proxy')
    sock = t.ws.dial(s.port)
    sock.sendall(V1 + t.ws.request())
    t.is_(target.take(), MAGIC + b'\x21\x11\0\x0c' +
          socket.inet_aton('203.0.113.7') + socket.inet_aton('127.0.0.1') +
          struct.pack('>HH', 4711, s.port), '--send-proxy=v2')
    target = t.Listener(first)
    s = t.server(target.port, '--send-proxy', '--accept-proxy')
    sock = t.ws.dial(s.port)
    sock.sendall(V2_SIX + t.ws.request())
    t.is_(target.take(), b'PROXY TCP6 2001:db8::7 ::ffff:127.0.0.1 4713 %d'
          b'\r\n' % s.port, 'two families become IPv6')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--send-proxy=v3',
                     '127.0.0.1:1')
    t.is_(r.returncode, 64, '--send-proxy=v3: 64')


def haproxy(port, options, mode='tcp'):
    program, = t.need('haproxy')
    listen = t.free_port()
    conf = os.path.join(t.folder(), 'haproxy.cfg')
    with open(conf, 'w') as f:
        f.write(textwrap.dedent('''\
            defaults
                mode %s
                timeout connect 5s
                timeout client 1m
                timeout server 1m
            listen it
                bind 127.0.0.1:%d
                server it 127.0.0.1:%d %s
            ''') % (mode, listen, port, options))
    p = t.Program([program, '-f', conf, '-db'])
    if not t.until(lambda: answers(listen) or not p.alive()):
        raise AssertionError('haproxy does not start: ' + p.log)
    p.port = listen
    return p


def answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


def test_haproxy():
    for word in ('send-proxy', 'send-proxy-v2'):
        s = t.server(t.echo().port, '--accept-proxy')
        h = haproxy(s.port, word)
        mark = s.mark()
        sock = t.ws.dial(h.port)
        me = '%s:%d' % sock.getsockname()
        sock.sendall(t.ws.request())
        head, rest = t.ws.read_head(sock)
        t.like(head, ' 101 ', 'through HAProxy with ' + word)
        t.ws.WebSocket(sock, True, rest).bye()
        t.is_(s.wait_line(r'event=closed .*peer=(\S+)', since=mark)[1], me,
              'whose word is taken')


def test_haproxy_as_target():
    """HAProxy, as the target, takes our header and passes it on."""
    seen = t.Listener(lambda sock: sock.recv(4096))
    for word in ('v1', 'v2'):
        h = haproxy(seen.port, 'send-proxy')
        h.stop()
        conf = h.argv[2]
        with open(conf) as f:
            text = f.read()
        with open(conf, 'w') as f:
            f.write(text.replace('bind 127.0.0.1:%d' % h.port,
                                 'bind 127.0.0.1:%d accept-proxy' % h.port))
        p = t.Program(h.argv)
        t.until(lambda: answers(h.port) or not p.alive())
        s = t.server(h.port, '--send-proxy=' + word, '--accept-proxy')
        sock = t.ws.dial(s.port)
        sock.sendall(V1 + t.ws.request())
        # A look at whether it answers may have ended in a reset.
        got = t.until(lambda: [r for r in seen.results if
                               isinstance(r, bytes) and b'203.0.113.7' in r])
        t.ok(got, 'HAProxy has understood ' + word)
        seen.results.clear()


def test_forward_peer():
    s = t.server(t.echo().port, '--trusted-proxy', '127.0.0.1',
                 '--real-ip-header', 'Forwarded')
    other = t.server(t.echo().port, '--trusted-proxy', '::1',
                     '--real-ip-header', 'Forwarded')
    for server, believed in ((s, True), (other, False)):
        c = t.client('ws://127.0.0.1:%d/' % server.port, '--forward-peer')
        v = t.ws.dial(c.port)
        me = '%s:%d' % v.getsockname()
        v.sendall(b'x')
        t.is_(v.recv(1), b'x', 'a tunnel')
        v.close()
        got = server.wait_line(r'event=closed .*peer=(\S+)')[1]
        t.is_(got == me, believed, 'the server %s the address' % (
            'knows' if believed else 'does not believe'))
    up = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % up.port, '--forward-peer',
                 '--accept-proxy')
    v = t.ws.dial(c.port)
    v.sendall(V2_SIX + b'data')
    w = up.next()
    t.is_(w.request['forwarded'], 'for="[2001:db8::7]:4713"',
          'with --accept-proxy the address that the header told')
    t.is_(w.take_data(4), b'data', 'behind which the data begins')
    up2 = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % up2.port)
    v = t.ws.dial(c.port)
    w = up2.next()
    t.ok('forwarded' not in w.request, 'nothing is told unasked')


t.main()
