#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Every form of LISTEN, TARGET and URL that needs no systemd.

If it fails: an address that the manual allows is refused, or another one is
used.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import stat             # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402


def works(where, name):
    w = t.ws.connect(where)
    w.send(b'hello')
    return t.is_(w.take_data(5), b'hello', name)


def ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(('::1', 0))
        return True
    except OSError:
        return False


def test_listen_ipv4():
    s = t.server(t.echo().port, listen='127.0.0.1:0')
    t.like(s.name, r'^127\.0\.0\.1:\d+$', 'the port is shown: ' + s.name)
    works(s.port, '127.0.0.1:0')
    port = t.free_port()
    s = t.server(t.echo().port, listen='127.0.0.1:%d' % port)
    t.is_(s.name, '127.0.0.1:%d' % port, 'a given port')
    works(port, '127.0.0.1:PORT')
    s = t.server(t.echo().port, listen='localhost:0')
    works(s.port, 'a name')


def test_listen_ipv6():
    if not ipv6():
        raise t.Skip('no IPv6 here')
    s = t.server(t.echo().port, listen='[::1]:0')
    t.like(s.name, r'^\[::1\]:\d+$', 'the port is shown: ' + s.name)
    works(('::1', s.port), '[::1]:0')


def test_listen_bare_port():
    port = t.free_port()
    s = t.inetws('server', '-l', str(port), '127.0.0.1:%d' % t.echo().port)
    names = t.listening(s, 2 if ipv6() else 1)
    t.ok('127.0.0.1:%d' % port in names, 'a bare port: %s' % names)
    works(port, 'over IPv4')
    if ipv6():
        t.ok('[::1]:%d' % port in names, 'and IPv6 on the same port')
        works(('::1', port), 'over IPv6')
    s = t.inetws('server', '-l', '0', '127.0.0.1:%d' % t.echo().port)
    names = t.listening(s, 2 if ipv6() else 1)
    t.is_(len(set(t.port_of(n) for n in names)), 1,
          'port 0 is one free port for both: %s' % names)


def test_listen_all_addresses():
    s = t.server(t.echo().port, listen=':0')
    works(s.port, ':0 over IPv4')
    mark = s.mark()
    w = t.ws.connect(s.port)
    name = r'127\.0\.0\.1:%d' % w.sock.getsockname()[1]
    w.bye()
    t.ok(s.has_line(name, since=mark),
         'the log shows v4-mapped addresses as IPv4')
    t.unlike(s.log, '::ffff', 'and not as they are')
    if ipv6():
        works(('::1', s.port), 'and over IPv6')


def test_several_listeners():
    d = t.folder()
    p = t.inetws('server', '-l', '127.0.0.1:0', '-l', '127.0.0.1:0', '-l',
                 'unix:%s/s' % d, '127.0.0.1:%d' % t.echo().port)
    names = t.listening(p, 3)
    for n in names[:2]:
        works(t.port_of(n), n)
    works('%s/s' % d, names[2])


def test_unix():
    d = t.folder()
    path = os.path.join(d, 'ws')
    s = t.server(t.echo().port, listen='unix:%s,mode=0600' % path)
    t.is_(s.name.split(',')[0], 'unix:' + path, 'shown as written')
    t.is_(stat.S_IMODE(os.stat(path).st_mode), 0o600, 'mode=0600')
    works(path, 'unix:')
    busy = t.run_inetws('server', '-l', 'unix:' + path, '127.0.0.1:1')
    t.is_(busy.returncode, 71, 'a living socket is not taken over')
    works(path, 'and goes on')
    s.popen.kill()
    s.wait()
    t.ok(os.path.exists(path), 'killed, it leaves its socket')
    s = t.server(t.echo().port, listen='unix:%s,mode=0666' % path)
    t.is_(stat.S_IMODE(os.stat(path).st_mode), 0o666, 'mode=0666')
    works(path, 'a stale socket is replaced')
    os.unlink(path)
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded')
    t.ok(not os.path.exists(path), 'removed: not made anew by HUP')
    t.server(t.echo().port, listen='unix:' + path)
    works(path, 'but by another start')
    with open(os.path.join(d, 'file'), 'w') as f:
        f.write('precious')
    r = t.run_inetws('server', '-l', 'unix:%s/file' % d, '127.0.0.1:1')
    t.is_(r.returncode, 71, 'a file that is no socket is not')
    t.is_(open(os.path.join(d, 'file')).read(), 'precious', 'harmed')


def listener():
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen(16)
    return s


def test_listen_fd():
    ls = listener()
    fd = ls.fileno()
    p = t.inetws('server', '-l', 'fd:%d' % fd,
                 '127.0.0.1:%d' % t.echo().port, pass_fds=[fd])
    works(ls.getsockname()[1], 'fd:N that listens')
    works(ls.getsockname()[1], 'serves more than one')
    t.ok(p.alive(), 'and stays')


def sockets():
    """A connected TCP pair."""
    ls = listener()
    a = socket.create_connection(ls.getsockname())
    b, _ = ls.accept()
    ls.close()
    for s in (a, b):
        s.settimeout(t.BOUND)
        t.on_close(s.close)
    return a, b


def upgrade(sock):
    sock.sendall(t.ws.request())
    head, rest = t.ws.read_head(sock)
    if b' 101 ' not in head:
        raise AssertionError('no 101: %r' % head)
    return t.ws.WebSocket(sock, True, rest)


def one_connection(name, *words, how):
    """Serves one connection that it is started with, and ends."""
    a, b = sockets()
    p = how(b, list(words))
    b.close()
    w = upgrade(a)
    w.send(b'hello')
    t.is_(w.take_data(5), b'hello', name)
    t.ok(w.bye() in (1000, 1005), 'Close')
    t.is_(p.wait(), 0, 'and it ends with 0')
    return p


def by_fd(b, words):
    return t.inetws(*[w.replace('N', str(b.fileno()))
                      if w == 'fd:N' else w for w in words],
                    pass_fds=[b.fileno()])


def by_inetd(b, words):
    """As inetd does it: the connection is 0, 1 and 2."""
    return t.inetws(*words, stdin=b, stdout=b, stderr=b)


def by_stdio(b, words):
    return t.inetws(*words, stdin=b, stdout=b)


def test_connected():
    target = '127.0.0.1:%d' % t.echo().port
    one_connection('fd:N that is connected', 'server', '-l', 'fd:N', target,
                   how=by_fd)
    one_connection('inetd by name', 'server', '-l', 'inetd', target,
                   how=by_inetd)
    one_connection('inetd without -l', 'server', target, how=by_inetd)
    one_connection('inetd, stderr elsewhere', 'server', target, how=by_stdio)
    one_connection('- on a socket', 'server', '-l', '-', target, how=by_stdio)


def test_inetd_says_nothing_on_the_socket():
    """Under inetd descriptor 2 is the client's socket: no log goes there."""
    a, b = sockets()
    p = by_inetd(b, ['server', '-v', '127.0.0.1:%d' % t.free_port()])
    b.close()
    a.sendall(t.ws.request())
    data, _ = t.ws.read_all(a)
    t.like(data, r'\AHTTP/1.1 502 ', '502 comes')
    head, _, body = data.partition(b'\r\n\r\n')
    length = int(t.ws.parse_head(head)[1]['content-length'])
    t.is_(len(body), length, 'and nothing behind its body')
    t.ok(p.wait() in (0, 69), 'the status is one of ours')


def test_inetd_wait():
    """inetd's "wait": descriptor 0 listens."""
    ls = listener()
    p = t.inetws('server', '127.0.0.1:%d' % t.echo().port, stdin=ls,
                 stdout=ls)
    works(ls.getsockname()[1], 'a listener on descriptor 0')
    works(ls.getsockname()[1], 'more than once')
    t.ok(p.alive(), 'and it stays')


def test_pipes():
    """- on two pipes."""
    p = t.inetws('server', '-l', '-', '127.0.0.1:%d' % t.echo().port,
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(t.ws.request() + t.ws.frame(2, b'hello', key=b'abcd'))
    p.stdin.flush()
    data = b''
    while not data.endswith(b'hello'):
        more = os.read(p.stdout.fileno(), 4096)
        if not more:
            break
        data += more
    t.ok(data.endswith(t.ws.frame(2, b'hello')), 'a server on two pipes')
    p.stdin.write(t.ws.frame(8, b'\x03\xe8', key=b'abcd'))
    p.stdin.close()
    t.is_(p.wait(), 0, 'and its end')


def test_pipes_slow_target():
    """A target has the time of --connect-timeout, and then comes the answer."""
    target = socket.create_server(('127.0.0.1', 0), backlog=0)
    t.on_close(target.close)
    waits = [socket.socket() for _ in range(3)]
    for w in waits:             # its backlog is full: no SYN is answered
        w.setblocking(False)
        w.connect_ex(target.getsockname())
        t.on_close(w.close)
    p = t.inetws('server', '-l', '-', '--handshake-timeout', '300ms',
                 '127.0.0.1:%d' % target.getsockname()[1],
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    p.stdin.write(t.ws.request())
    p.stdin.flush()
    time.sleep(.5)
    held = []

    def accept():
        try:
            while True:
                held.append(target.accept())
        except OSError:
            pass                # the end of the test
    threading.Thread(target=accept, daemon=True).start()
    t.like(os.read(p.stdout.fileno(), 4096), r'\AHTTP/1\.1 101 ',
           'one that is slower than --handshake-timeout: 101')
    p.stdin.close()
    p.wait()


def test_no_listener():
    r = t.run_inetws('server', '127.0.0.1:22')
    t.is_(r.returncode, 64, 'no -l and no socket on 0: usage')
    t.like(r.stderr, '(?i)listen|-l', 'which says what is missing')


def test_client_forms():
    server = t.server(t.echo().port)
    url = 'ws://127.0.0.1:%d/' % server.port
    d = t.folder()
    c = t.client(url, listen='unix:%s/c' % d)
    s = t.ws.dial('%s/c' % d)
    s.sendall(b'hello')
    t.is_(t.ws.read_exactly(s, 5), b'hello', 'client on a Unix socket')
    a, b = sockets()
    p = by_inetd(b, ['client', url])
    b.close()
    a.sendall(b'hello')
    t.is_(t.ws.read_exactly(a, 5), b'hello', 'client under inetd')
    a.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_all(a), (b'', 'eof'), 'and its end')
    t.is_(p.wait(), 0, 'with 0')


def test_targets():
    d = t.folder()
    echo = t.echo(path='%s/echo' % d)
    works(t.server('unix:%s/echo' % d).port, 'a Unix socket as TARGET')
    # At the other address no other program has the same port.
    works(t.server('localhost:%d' % t.echo(port=t.free_port()).port).port,
          'a name, tried over all its addresses')
    if ipv6():
        works(t.server('[::1]:%d' % t.echo(host='::1').port).port,
              '[v6]:port as TARGET')
        if any(a[0] == socket.AF_INET6
               for a in socket.getaddrinfo('localhost', 1)):
            works(t.server('localhost:%d' % t.echo(
                host='::1', port=t.free_port()).port).port,
                'a name that answers on IPv6 only')
        else:
            t.skip('localhost is IPv4 only here')
    else:
        t.skip('no IPv6 here', 2)
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'cat')
    works(t.port_of(t.listening(s)[0]), 'a program as TARGET')
    t.ok(echo.accepted == 1, 'the Unix target was dialled once')


def test_program():
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'sh', '-c',
                 'read x; echo "got $x"; exit 0')
    w = t.ws.connect(t.port_of(t.listening(s)[0]))
    w.send(b'word\n')
    t.is_(w.take_data(9), b'got word\n', 'a program answers')
    t.is_(w.take_close(), 1000, 'and its end is the end')
    t.ok(t.until(lambda: not t.children(s.pid)), 'no process is left')


def test_urls():
    server = t.WSServer()
    port = server.port

    def asks(url, line, host, *options):
        p = t.connect(url, *options)
        w = server.next()
        t.is_(w.request_line, line, url)
        t.is_(w.request['host'], host, 'Host of it')
        w.bye()
        p.stdin.close()
        t.is_(p.wait(), 0, 'ends with 0')

    here = '127.0.0.1:%d' % port
    asks('ws://%s/' % here, 'GET / HTTP/1.1', here)
    asks('ws://%s' % here, 'GET / HTTP/1.1', here)
    asks('http://%s/a/b?c=d&e' % here, 'GET /a/b?c=d&e HTTP/1.1', here)
    asks('ws://localhost:%d/x' % port, 'GET /x HTTP/1.1',
         'localhost:%d' % port, '-4')
    d = t.folder()
    server = t.WSServer(path='%s/ws' % d)
    p = t.connect('ws+unix:%s/ws:/over/unix' % d)
    w = server.next()
    t.is_(w.request_line, 'GET /over/unix HTTP/1.1', 'ws+unix:')
    w.bye()
    p.stdin.close()
    t.is_(p.wait(), 0, 'ends with 0')
    if ipv6():
        server = t.WSServer(host='::1')
        asks('ws://[::1]:%d/' % server.port, 'GET / HTTP/1.1',
             '[::1]:%d' % server.port)
    else:
        t.skip('no IPv6 here', 3)


def test_trazfr():
    """The spellings of trazfr/tcp-over-websocket."""
    echo = t.echo()
    for dash, glue in (('-', ' '), ('--', '='), ('-', '=')):
        for target in ('remote_tcp', 'connect_tcp'):
            words = []
            for name, value in (('listen_ws', '127.0.0.1:0'),
                                (target, '127.0.0.1:%d' % echo.port)):
                words += (dash + name + glue + value).split(' ')
            p = t.inetws('server', *words)
            port = t.port_of(t.listening(p)[0])
            works(port, ' '.join(words))
    p = t.inetws('-listen_ws', '127.0.0.1:0', '-remote_tcp',
                 '127.0.0.1:%d' % echo.port)
    port = t.port_of(t.listening(p)[0])
    works(port, 'without a mode: a server')
    for name in ('remote_ws', 'connect_ws'):
        c = t.inetws('-listen_tcp', '127.0.0.1:0', '-' + name,
                     'ws://127.0.0.1:%d/' % port)
        s = t.ws.dial(t.port_of(t.listening(c)[0]))
        s.sendall(b'hello')
        t.is_(t.ws.read_exactly(s, 5), b'hello', 'and a client: ' + name)


t.main()
