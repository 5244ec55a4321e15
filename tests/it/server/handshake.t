#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Requests, right and wrong, at the server (RFC 6455 4.2.1, RFC 9112): each
wrong one is answered with its status and logged with its reason.

If it fails: clients are refused without a reason, or a malformed request does
damage.
"""

import email.utils
import os
import signal
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
req = t.ws.request


def bare(*lines):
    """A request of exactly these lines."""
    return ('\r\n'.join(lines) + '\r\n\r\n').encode('latin-1')


# (name, request, status, how the log gives its reason)
BAD = [
    ('no Host', req(drop=['Host']), 400, 'no Host'),
    ('two Hosts', req(headers=[('Host', 'b')]), 400, 'more than one Host'),
    ('a Host with no port that could be', req(
        drop=['Host'], headers=[('Host', 'a:99999')]), 400, 'malformed Host'),
    ('two empty lines first', b'\r\n\r\n' + req(), 400, 'an empty line'),
    ('no key', req(drop=['Sec-WebSocket-Key']), 400, 'no Sec-WebSocket-Key'),
    ('two keys', req(headers=[('Sec-WebSocket-Key', KEY)]), 400,
     'more than one Sec-WebSocket-Key'),
    ('a key of 15 bytes', req(key='AAAAAAAAAAAAAAAAAAAA'), 400,
     'Sec-WebSocket-Key is not base64'),
    ('a key of 17 bytes', req(key='AAAAAAAAAAAAAAAAAAAAAAA='), 400,
     'Sec-WebSocket-Key is not base64'),
    ('a key that is no base64', req(key='dGhlIHNhbXBsZSBub25j!!=='), 400,
     'Sec-WebSocket-Key is not base64'),
    ('an empty key', req(key=''), 400, 'Sec-WebSocket-Key is not base64'),
    ('version 12', req(drop=['Sec-WebSocket-Version'],
                       headers=[('Sec-WebSocket-Version', '12')]), 426,
     'Sec-WebSocket-Version is not 13'),
    ('no version', req(drop=['Sec-WebSocket-Version']), 426,
     'no Sec-WebSocket-Version'),
    ('two versions', req(headers=[('Sec-WebSocket-Version', '13')]),
     400, 'more than one Sec-WebSocket-Version'),
    ('POST', req(method='POST'), 405, 'method POST instead of GET'),
    ('BREW', req(method='BREW'), 501, 'method BREW instead of GET'),
    ('HEAD', req(method='HEAD'), 405, 'method HEAD instead of GET'),
    ('HTTP/1.0', req(version='HTTP/1.0'), 505, 'HTTP/1.0 instead of HTTP/1.1'),
    ('HTTP/2.0', req(version='HTTP/2.0'), 505, 'HTTP/2.0 instead of HTTP/1.1'),
    ('HTTP/9.9', req(version='HTTP/9.9'), 505, 'HTTP/9.9 instead of HTTP/1.1'),
    ('a body by Content-Length', req(headers=[('Content-Length', '5')]) +
     b'hello', 400, 'a request with a body'),
    ('Transfer-Encoding', req(headers=[('Transfer-Encoding', 'chunked')]),
     400, 'a Transfer-Encoding'),
    ('a folded line', bare('GET / HTTP/1.1', 'Host: a', 'X: 1', ' 2',
                           'Upgrade: websocket', 'Connection: Upgrade',
                           'Sec-WebSocket-Key: ' + KEY,
                           'Sec-WebSocket-Version: 13'), 400, 'a folded field'),
    ('a folded line with a tab', bare('GET / HTTP/1.1', 'Host: a', 'X: 1',
                                      '\t2', 'Upgrade: websocket',
                                      'Connection: Upgrade',
                                      'Sec-WebSocket-Key: ' + KEY,
                                      'Sec-WebSocket-Version: 13'), 400,
     'a folded field'),
    ('a blank before the colon', req(headers=[('X ', '1')]), 400,
     'a blank before the colon'),
    ('bare LF', req().replace(b'\r\n', b'\n'), 400, 'a bare LF'),
    ('one bare LF', req(headers=[('X', '1\nY: 2')]), 400,
     'a bare LF'),
    ('a bare CR', req(headers=[('X', '1\rY: 2')]), 400, 'a CR without LF'),
    ('NUL in a value', req(headers=[('X', 'a\0b')]), 400, 'a NUL byte'),
    ('NUL in the path', req(path='/a\0b'), 400, 'a NUL byte'),
    ('a field without a name', req(headers=[('', 'x')]), 400,
     'a field without a name'),
    ('a line without a colon', bare('GET / HTTP/1.1', 'Host: a', 'nonsense'),
     400, 'a field without a colon'),
    ('a head over 16 KiB', req(headers=[('X', 'y' * 17000)]), 431,
     'a head of more than 16384 bytes'),
    ('a path over 16 KiB', req(path='/' + 'y' * 17000), 414,
     'a request line of more than 16384'),
    ('extensions that are no list', req(
        headers=[('Sec-WebSocket-Extensions', 'a; b=')]), 400,
     'malformed Sec-WebSocket-Extensions'),
    ('subprotocols that are no list', req(
        headers=[('Sec-WebSocket-Protocol', 'b@d, binary')]), 400,
     'malformed Sec-WebSocket-Protocol'),
    ('no subprotocol in the field', req(
        headers=[('Sec-WebSocket-Protocol', '')]), 400,
     'an empty Sec-WebSocket-Protocol'),
    ('101 fields', req(headers=[('X', 'y')] * 96 + [('Z', 'z')] * 10), 431,
     'more than 100 fields'),
    ('no upgrade', bare('GET / HTTP/1.1', 'Host: a'), 426,
     'this is a websocket endpoint'),
    ('Upgrade to something else',
     req(drop=['Upgrade'], headers=[('Upgrade', 'h2c')]), 426,
     "no 'Upgrade: websocket'"),
    ('Connection without upgrade',
     req(drop=['Connection'], headers=[('Connection', 'keep-alive')]),
     400, "no 'Connection: Upgrade'"),
    ('a TLS greeting', b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' +
     b'\r\n\r\n', 400, 'the client speaks TLS'),
    ('an ssh greeting', b'SSH-2.0-OpenSSH_9.2\r\n\r\n', 400,
     "no HTTP request: 'SSH-2"),
    ('nothing but empty lines', b'\r\n' * 9000, 400, 'an empty line'),
]


@t.limit(120)
def test_bad_requests():
    echo = t.echo()
    s = t.server(echo.port, '--log-level', 'debug')
    for name, data, status, word in BAD:
        mark = s.mark()
        a = t.ws.ask(s.port, data)
        t.is_(a.status, status, '%s: %s' % (name, status))
        why = 'event=(failed|probe) .*why="refused with %d: %s' % (status, word)
        t.ok(s.has_line(why, 5, since=mark), '%s: the log names it' % name)
    t.is_(echo.accepted, 0, 'none of them reached the target')
    w = t.ws.connect(s.port)
    w.send(b'still here')
    t.is_(w.take_data(10), b'still here', 'the server serves on')


def test_peer_that_leaves():
    s = t.server(t.echo().port, '--log-level', 'debug')
    for sent, words in (
            (b'', 'the peer left without a request'),
            (b'GET / HT', 'the peer left after 8 bytes of its request')):
        mark = s.mark()
        with t.ws.dial(s.port) as c:
            c.sendall(sent)
            c.shutdown(socket.SHUT_WR)
            t.ok(s.has_line(words, 10, since=mark), words)


def test_refusal_form():
    s = t.server(t.echo().port)
    a = t.ws.ask(s.port, bare('GET / HTTP/1.1', 'Host: a'))
    t.is_(a.status, 426, 'a browser gets 426')
    t.like(a.body, r'(?i)\A[^\n]*websocket[^\n]*\n?\Z',
           'and one line that says what this is')
    t.is_(a.headers.get('content-length'), str(len(a.body)),
          'Content-Length is right')
    t.like(a.headers.get('connection', ''), r'(?i)\bclose\b',
           'Connection: close')
    t.is_(a.headers.get('upgrade', '').lower(), 'websocket',
          'Upgrade: websocket (RFC 9110 15.5.22)')
    date = email.utils.parsedate_to_datetime(a.headers.get('date'))
    t.ok(abs(time.time() - date.timestamp()) < t.BOUND,
         'Date (RFC 9110 6.6.1): %s' % a.headers['date'])
    a = t.ws.ask(s.port, req(drop=['Sec-WebSocket-Version'],
                             headers=[('Sec-WebSocket-Version', '8')]))
    t.is_(a.headers.get('sec-websocket-version'), '13',
          'a wrong version is told the right one')
    a = t.ws.ask(s.port, req(method='PUT'))
    t.is_((a.headers.get('allow'), a.headers.get('connection')),
          ('GET', 'close'), '405 says Allow: GET, and Connection: close')
    for before in (b'', b'\r\n'):
        head = t.ws.ask(s.port, before + req(method='HEAD'))
        t.is_((head.status, head.headers.get('allow'), head.body),
              (405, 'GET', b''), 'HEAD: the same, without content')


def test_good_requests():
    echo = t.echo()
    s = t.server(echo.port)

    def good(name, data, **want):
        a = t.ws.ask(s.port, data)
        t.is_(a.status, 101, name)
        for key, value in want.items():
            key = key.replace('_', '-')
            t.is_(a.headers.get(key), value, '%s: %s' % (name, key))

    good("the RFC's own key", req(),
         sec_websocket_accept='s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
         sec_websocket_protocol=None, sec_websocket_extensions=None)
    good('behind an empty line', b'\r\n' + req())
    good('tokens in any case, in lists',
         req(drop=['Upgrade', 'Connection'],
             headers=[('UPGRADE', 'h2c, WebSocket'),
                      ('connection', 'keep-alive,  UPGRADE')]))
    good('tokens in repeated fields',
         req(headers=[('Connection', 'keep-alive'), ('Upgrade', 'h2c')]))
    good('field names in any case',
         req().replace(b'Host', b'hOST')
         .replace(b'Sec-WebSocket-Key', b'sec-websocket-KEY'))
    good('any path and query', req(path='/any/path%20?x=1&y=/'))
    good('"binary" is echoed',
         req(headers=[('Sec-WebSocket-Protocol', 'binary')]),
         sec_websocket_protocol='binary')
    good('"binary" among others',
         req(headers=[('Sec-WebSocket-Protocol', 'base64, binary')]),
         sec_websocket_protocol='binary')
    good('other subprotocols are not',
         req(headers=[('Sec-WebSocket-Protocol', 'chat, binary2')]),
         sec_websocket_protocol=None)
    good('permessage-deflate is declined',
         req(headers=[('Sec-WebSocket-Extensions',
                       'permessage-deflate; client_max_window_bits')]),
         sec_websocket_extensions=None)
    good('100 (Continue) is left out, as there is no content',
         req(headers=[('Expect', '100-continue')]))
    good('no blank behind the colon', req().replace(b': ', b':'))
    good('blanks around the value', req().replace(b': ', b': \t ')
         .replace(b'websocket\r', b'websocket  \t\r'))
    good('99 fields', req(headers=[('X', 'y')] * 94))
    good('15 KiB of head', req(headers=[('X', 'y' * 15000)]))
    good('its own Origin', req(headers=[('Origin', 'https://localhost')]))


def test_path():
    s = t.server(t.echo().port, '--path', '/secret')
    t.is_(t.ws.ask(s.port, req(path='/secret')).status, 101, 'the path')
    for path in ('/', '/secret2', '/secre', '/SECRET', '/x/secret'):
        mark = s.mark()
        t.is_(t.ws.ask(s.port, req(path=path)).status, 404, '404 at ' + path)
        t.ok(s.has_line('event=failed .*why="refused with 404: ', 5,
                        since=mark), 'logged')


def test_chunks():
    """The head may come in any pieces, and the first frames with it."""
    s = t.server(t.echo().port)
    frames = t.ws.frame(2, b'early', key=b'abcd')
    sock = t.ws.dial(s.port)
    sock.sendall(req() + frames)
    head, rest = t.ws.read_head(sock)
    w = t.ws.WebSocket(sock, True, rest)
    t.is_(w.take_data(5), b'early', 'frames in the segment of the head')

    sock = t.ws.dial(s.port)
    for b in req() + frames:
        sock.sendall(bytes([b]))
    head, rest = t.ws.read_head(sock)
    t.like(head, r'\AHTTP/1.1 101 ', 'a head byte by byte')
    w = t.ws.WebSocket(sock, True, rest)
    t.is_(w.take_data(5), b'early', 'and its first frame')

    sock = t.ws.dial(s.port)
    sock.sendall(req() + frames * 20000)
    head, rest = t.ws.read_head(sock)
    w = t.ws.WebSocket(sock, True, rest)
    t.is_(w.take_data(100000), b'early' * 20000,
          'more with the head than any buffer holds')


def test_slow():
    s = t.server(t.echo().port, '--handshake-timeout', '1s')
    begin = t.ws.now()
    sock = t.ws.dial(s.port)
    head, _ = t.ws.read_head(sock)
    took = t.ws.now() - begin
    t.like(head, r'\AHTTP/1.1 408 ', 'silence: 408')
    t.ok(0.8 < took < t.BOUND, 'at the deadline (%.1f s)' % took)
    t.ok(s.has_line('why="refused with 408: no request came', 5), 'logged')

    begin = t.ws.now()
    sock = t.ws.dial(s.port)
    sock.settimeout(0.1)
    got = b''
    for b in (req(headers=[('X', 'y' * 1000)])):
        try:
            sock.sendall(bytes([b]))
            got = sock.recv(4096)
            break
        except TimeoutError:
            pass
        except OSError:
            break
    took = t.ws.now() - begin
    t.like(got, r'\AHTTP/1.1 408 ', 'a drip: 408')
    t.ok(0.8 < took < t.BOUND,
         'a drip does not move the deadline (%.1f s)' % took)

    def serves():
        try:
            w = t.ws.connect(s.port)
        except AssertionError:          # too slow, on a busy machine
            return False
        w.send(b'x')
        return w.take_data(1) == b'x'
    t.ok(t.until(lambda: not t.children(s.pid)), 'no child is left')
    t.ok(t.until(serves), 'the server serves on')


def test_leaves_early():
    s = t.server(t.echo().port)
    sock = t.ws.dial(s.port)
    sock.sendall(b'GET / HT')
    sock.close()
    t.ok(s.has_line('event=failed .*why="the peer left after 8 bytes'),
         'a client that leaves early is logged')
    t.ok(t.until(lambda: not t.children(s.pid)), 'no child is left')
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'the server serves on')


def test_drip_is_linear():
    """16,000 bytes one by one cost what they cost, not their square."""
    s = t.server(t.echo().port, '--handshake-timeout', '1m')
    sock = t.ws.dial(s.port)
    data = req(headers=[('X', 'y' * 15000)])
    for b in data[:-2]:
        sock.send(bytes([b]))
    cpu = t.cpu_ticks(t.child(s.pid)) / os.sysconf('SC_CLK_TCK')
    t.ok(cpu < 2 * t.SCALE, 'CPU time of a drip: %.2f s' % cpu)
    sock.sendall(data[-2:])
    t.like(t.ws.read_head(sock)[0], r'\AHTTP/1.1 101 ', 'then 101')


def test_target():
    """The target is dialled before the 101."""
    port = t.free_port()
    s = t.server(port)
    a = t.ws.ask(s.port, req())
    t.is_(a.status, 502, 'no listener there: 502')
    t.like(a.body, r'(?i)\A[^\n]*refused[^\n]*\n?\Z', 'with a reason')
    t.ok(s.has_line('event=failed .*:%d: Connection refused' % port, 5),
         'logged')
    late = t.Held(port=port)
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(late.next().recv(1), b'x', 'and once it does: 101')

    s = t.server('no-such-name.invalid:22')
    a = t.ws.ask(s.port, req())
    t.ok(a.status in (502, 503, 504), 'an unknown name: %d' % a.status)
    t.ok(s.has_line('no-such-name', 5), 'logged')


def test_target_timeout():
    s = t.server(t.full(), '--connect-timeout', '700ms')
    begin = t.ws.now()
    a = t.ws.ask(s.port, req())
    took = t.ws.now() - begin
    t.is_(a.status, 504, 'a target that does not answer: 504')
    t.like(a.body, r'(?i)time', 'with a reason')
    t.ok(0.5 < took < t.BOUND, 'after --connect-timeout (%.1f s)' % took)


def stopped(s, sock):
    """What TERM of the server makes of a request, and the log's line."""
    t.child(s.pid)
    s.send(signal.SIGTERM)
    answer = b''.join(iter(lambda: sock.recv(4096), b''))
    t.is_(s.wait(), 0, 'TERM ends the server')
    return answer.decode(), next(x for x in s.lines if 'event=failed' in x)


def test_stop_within_request():
    """Its peer is told, and not blamed."""
    cert = t.Authority().issue()
    context = ssl.create_default_context(cafile=cert.ca)
    for options in ((), ('--tls-cert', cert.cert, '--tls-key', cert.key)):
        s = t.server(t.echo().port, '--drain', '0', *options)
        sock = t.ws.dial(s.port)
        if options:     # the end without a close_notify would be an error
            sock = context.wrap_socket(sock, server_hostname='localhost',
                                       suppress_ragged_eofs=False)
        sock.sendall(b'GET / HTTP/1.1\r\nHost:')
        answer, line = stopped(s, sock)
        t.like(answer, r'^HTTP/1\.1 503 ', 'half a request: 503')
        t.like(line, 'why="refused with 503: this server is being stopped"',
               'and the log says so')


def test_stop_within_proxy_header():
    s = t.server(t.echo().port, '--drain', '0', '--accept-proxy')
    sock = t.ws.dial(s.port)
    sock.sendall(b'PROXY TCP4 ')
    t.child(s.pid)
    s.send(signal.SIGTERM)
    t.is_(s.wait(), 0, 'TERM ends the server')
    t.ok(s.has_line('event=failed .*why="PROXY header: interrupted"'),
         'and the log says why')


def test_stop_while_dialling():
    """A Unix socket whose backlog is full."""
    path = t.folder() + '/target'
    target = socket.socket(socket.AF_UNIX)
    target.bind(path)
    target.listen(0)
    waiting = []
    try:
        while True:
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            waiting[-1].connect(path)
    except BlockingIOError:
        pass
    s = t.server('unix:' + path, '--drain', '0')
    sock = t.ws.dial(s.port)
    child = t.child(s.pid)
    sockets = sum('socket:' in x for x in t.opened(child) or ())
    sock.sendall(t.ws.request())
    t.ok(t.until(lambda: sum('socket:' in x for x in t.opened(
        child) or ()) > sockets), 'it dials')
    answer, line = stopped(s, sock)
    t.like(answer, r'^HTTP/1\.1 504 ', 'a target that is full: 504')
    t.like(line, 'cannot connect to unix:%s: interrupted' % path,
           'and the log says so')
    s = t.server('unix:' + path)
    w = t.ws.dial(s.port)
    w.sendall(t.ws.request())
    t.child(s.pid)
    for sock in waiting:
        sock.close()
        target.accept()[0].close()
    t.like(t.ws.read_head(w)[0].decode(), '^HTTP.1.1 101 ', 'with room again: a tunnel')
    w.close()
    target.close()


t.main()
