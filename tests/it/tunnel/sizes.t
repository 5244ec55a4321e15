#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a peer's buffers hold: --max-frame-size in all modes that have it, and
heads of requests and answers up to 16 KiB in all modes that get one.

If it fails: small peers break, or the error does not name the limit.
"""

import os
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402
import socket           # noqa: E402

SIZES = (125, 126, 4096, 65535)
DATA = os.urandom(200000)
LIMIT = 16384
BEYOND = 'more than 16384 bytes'


def frames(w, size, name, exactly=False):
    """All of DATA comes, in frames of at most that size."""
    t.ok(w.take_data(len(DATA)) == DATA, '%s, %d: all bytes' % (name, size))
    largest = max(n for _, n in w.frames)
    t.ok(largest <= size, 'in frames of at most that (%d)' % largest)
    if exactly:
        t.is_(largest, size, 'and not of less')


def test_server():
    """To a target, and of a program; by TLS, where the kernel may do it."""
    cert = t.certificate()
    for size in SIZES:
        option = '--max-frame-size=%d' % size
        target = t.source(DATA)
        frames(t.ws.connect(t.server(target.port, option).port), size,
               'server', exactly=True)
        s = t.server(target.port, option, '--tls-cert', cert.cert,
                     '--tls-key', cert.key)
        raw = ssl.create_default_context(cafile=cert.ca).wrap_socket(
            t.ws.dial(s.port), server_hostname='localhost')
        raw.sendall(t.ws.request())
        head, rest = t.ws.read_head(raw)
        frames(t.ws.WebSocket(raw, True, rest), size, 'server with TLS')
    path = t.folder() + '/data'
    with open(path, 'wb') as f:
        f.write(DATA)
    for more in ((), ('--program-pipes',)):
        p = t.inetws('server', '-l', '127.0.0.1:0', '--max-frame-size=1000',
                     *more, '--', 'cat', path)
        frames(t.ws.connect(t.port_of(t.listening(p)[0])), 1000,
               'server with a program')


def test_inetd():
    ours, theirs = socket.socketpair()
    t.on_close(ours.close)
    t.inetws('server', '-l', '-', '--max-frame-size=1000', '127.0.0.1:%d' %
             t.source(DATA).port, stdin=theirs, stdout=theirs)
    theirs.close()
    ours.settimeout(t.BOUND)
    ours.sendall(t.ws.request())
    head, rest = t.ws.read_head(ours)
    frames(t.ws.WebSocket(ours, True, rest), 1000, 'one connection')


def test_dialling():
    """connect and client, whose frames are masked."""
    server = t.WSServer()
    url = 'ws://127.0.0.1:%d/' % server.port
    for size in SIZES:
        option = '--max-frame-size=%d' % size
        p = t.connect(url, option)
        w = server.next()
        p.stdin.write(DATA)
        p.stdin.flush()
        frames(w, size, 'connect')
        w.drop()
        for more in ((), ('--warm', '1')):
            c = t.client(url, option, *more)
            if more:
                server.next().drop()        # asked to park: cannot
            v = t.ws.dial(c.port)
            w = server.next()
            v.sendall(DATA)
            frames(w, size, ' '.join(('client',) + more))
            w.drop()
            v.close()
            c.stop()


def test_inetws():
    """Two inetws make frames of their own size."""
    s = t.server(t.echo().port, '--max-frame-size', '125')
    r_ = t.run_inetws('connect', '--max-frame-size', '125',
                      'ws://127.0.0.1:%d/' % s.port, input=DATA)
    t.ok(r_.stdout == DATA, 'and lose nothing')
    for words in (('server', 'h:1'), ('client', 'ws://h/'),
                  ('connect', 'ws://h/')):
        for size in ('124', '65536', '0'):
            t.is_(t.run_inetws(words[0], '--max-frame-size', size,
                               words[1]).returncode, 64,
                  '%s: %s is no size' % (words[0], size))
    for words in (('agent', 'ws://h/', 'h:1'), ('check', 'ws://h/')):
        q = t.run_inetws(words[0], '--max-frame-size', '4k', *words[1:])
        t.like(q.stderr, 'belongs to server, client and connect',
               words[0] + ' has none')


def padded(request, size):
    """A request of exactly so many bytes."""
    head = request[:-2] + b'X-Pad: '
    return head + b'y' * (size - len(head) - 4) + b'\r\n\r\n'


def test_requests():
    """At the limit and beyond it."""
    cert = t.certificate()
    tls = ('--tls-cert', cert.cert, '--tls-key', cert.key)
    port = t.echo().port
    offer = [('Sec-WebSocket-Extensions', r.OFFER)]

    def say(where, secure, data):
        sock = t.ws.dial(where)
        if secure:
            sock = ssl.create_default_context(cafile=cert.ca).wrap_socket(
                sock, server_hostname='localhost')
        sock.sendall(data)
        head, body = t.ws.read_head(sock)
        if b' 101 ' not in head:
            body += t.ws.read_all(sock)[0]
        sock.close()
        return int(head.split()[1]), body.decode('latin-1')
    for name, p, secure, request in (
            ('server', t.server(port), False, t.ws.request()),
            ('server with TLS', t.server(port, *tls), True, t.ws.request()),
            ('gate', r.gate(), False, t.ws.request('/a', headers=offer)),
            ('gate with TLS', r.gate(*tls), True,
             t.ws.request('/a', headers=offer))):
        t.is_(say(p.port, secure, padded(request, LIMIT))[0], 101,
              name + ': a head of 16384 bytes')
        status, body = say(p.port, secure, padded(request, LIMIT + 1))
        t.is_(status, 431, 'one more: 431')
        t.like(body, BEYOND, 'which names the limit')
        t.ok(p.has_line('event=failed .*' + BEYOND), 'and so does the log')
    ours, theirs = socket.socketpair()
    ours.settimeout(t.BOUND)
    t.on_close(ours.close)
    t.inetws('server', '-l', '-', '127.0.0.1:%d' % port, stdin=theirs,
             stdout=theirs)
    theirs.close()
    ours.sendall(padded(t.ws.request(), LIMIT + 1))
    t.like(t.ws.read_all(ours)[0], BEYOND, 'one connection')
    t.rundir()
    s = t.server(port, '--metrics', '127.0.0.1:0')
    at = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    get = b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
    t.is_(t.ws.ask(at, padded(get, LIMIT)).status, 200, '--metrics')
    t.is_(t.ws.ask(at, padded(get, LIMIT + 1)).status, 431, 'there too')


def test_answers():
    """All modes that dial, the server's and a proxy's."""
    big = t.Scripted(b'HTTP/1.1 101 Switching\r\nX: ' + b'y' * LIMIT +
                     b'\r\n\r\n')
    url = 'ws://127.0.0.1:%d/' % big.port
    brief = ('--handshake-timeout', '%ds' % (5 * t.SCALE))
    for options in ((), ('-x', 'http://127.0.0.1:%d' % big.port)):
        for words in (('connect',), ('check',)):
            q = t.run_inetws(*words, *options, *brief, url)
            t.is_(q.returncode, 76, ' '.join(words + options[:1]) + ': 76')
            t.like(q.stdout + q.stderr, BEYOND, 'and the limit')
        c = t.client(url, *options, *brief)
        t.ok(r.visitor_is_reset(c.port), 'client: a reset')
        t.ok(c.has_line('event=failed .*' + BEYOND), 'and the limit')
        a = r.agent(url, 1, *options, *brief, '--retry', '1')
        t.is_(a.wait(), 76, 'agent: 76')
        t.like(a.log, BEYOND, 'and the limit')


def test_own_requests():
    """What we would send."""
    q = t.run_inetws('connect', '-H', 'X: ' + 'y' * 9000, 'ws://127.0.0.1:1/')
    t.is_(q.returncode, 64, 'a field of 9,000 bytes: 64')
    t.like(q.stderr, 'the fields have more than 8191 bytes', 'and the limit')


t.main()
