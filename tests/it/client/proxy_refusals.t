#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a forward proxy's refusal tells, at the first dial and at a redial, and
whose credentials a proxy and a server get.

If it fails: nobody can tell which proxy refused what, or a password goes to
another proxy than the one it belongs to.
"""

import base64
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import threading        # noqa: E402


def answering(*pieces):
    """A proxy's side: sends a piece for each message, and ends."""
    def serve(sock):
        for piece in pieces:
            if not sock.recv(1000):
                return
            sock.sendall(piece)
        sock.shutdown(1)
        t.ws.read_all(sock)
    return serve


def silent(sock):
    t.ws.read_all(sock)


def http(line):
    return answering(('HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n' % line)
                     .encode())


# (scheme, what the proxy does, exit status, words of the error)
REFUSALS = (
    ('http', http('403 Forbidden'), 77,
     'answered 403 Forbidden: its rules do not allow that'),
    ('http', http('407 Login'), 77, 'answered 407'),
    ('http', http('500 No'), 69,
     'answered 500 No: the proxy does not reach the server'),
    ('http', http('502 Bad Gateway'), 69,
     'answered 502 Bad Gateway: the proxy does not reach the server'),
    ('http', http('503 Busy'), 75,
     'answered 503 Busy: the proxy does not reach the server'),
    ('http', http('504 Slow'), 75,
     'answered 504 Slow: the proxy does not reach the server'),
    ('http', http('400 No'), 76, 'answered 400 No: is it a forward proxy?'),
    ('http', answering(), 76, 'closed without an answer (is it an HTTP proxy? '
     'a SOCKS proxy is socks5h://)'),
    ('http', answering(b'\x05\xff'), 76,
     'it speaks SOCKS, and not HTTP: use socks5h://'),
    ('http', answering(b'\x05'), 76, 'use socks5h://'),
    ('http', silent, 75, 'no answer'),
    ('https', silent, 75, 'a proxy without TLS is http://'),
    ('socks5h', answering(b'\x05\xff'), 77, 'wants credentials'),
    ('socks5', answering(b'\x05\0', b'\x05\2\0\1\0\0\0\0\0\0'), 77,
     'it refuses to connect: not allowed by its rules'),
    ('socks5h', answering(b'\x05\0', b'\x05\5\0\1\0\0\0\0\0\0'), 69,
     'it refuses to connect: connection refused'),
    ('socks5', answering(b'\x05\0', b'\x05\4\0\1\0\0\0\0\0\0'), 69,
     'host unreachable'),
    ('socks5', answering(b'\x05\0'), 76, 'closed without an answer'),
    ('socks5h', answering(), 76, 'closed without an answer (is it a SOCKS '
     'proxy? an HTTP proxy is http://)'),
    ('socks5h', http('400 No'), 76, 'it speaks HTTP, use http://'),
    ('socks4', http('400 No'), 76, 'it speaks HTTP, use http://'),
    ('socks5', answering(b'\x15\3\1\0\2\2\x46'), 76,
     'it speaks TLS, use https://'),
    ('socks4a', answering(b'\x05\xff'), 76, 'it speaks SOCKS 5, use socks5h://'),
    ('socks5', answering(b'\0\x5b\0\0\0\0\0\0'), 76,
     'it speaks SOCKS 4, use socks4a://'),
    ('socks5h', silent, 75, 'no answer'),
    ('socks4', answering(b'\0\x5b\0\0\0\0\0\0'), 69, 'it refuses to connect: code 91'),
    ('socks4a', answering(b'\0\x5d\0\0\0\0\0\0'), 77, 'it refuses to connect: code 93'),
    ('socks4', answering(), 76, 'closed without an answer (is it a SOCKS '
     'proxy? an HTTP proxy is http://)'),
    ('socks4a', silent, 75, 'an HTTP proxy is http://)'))


def names(scheme, port, words, server):
    """Both ends of what was refused, and why."""
    return r'proxy %s://127\.0\.0\.1:%d:? .*%s.*%s' % (
        scheme, port, re.escape(words), '' if scheme == 'https' else
        r'.*\(asked for 127\.0\.0\.1:%d\)' % server)


def test_first_dial():
    port = t.free_port()
    for scheme, serve, status, words in REFUSALS:
        p = t.Listener(serve)
        more = ['--proxy-insecure'] if scheme == 'https' else []
        if serve is silent:
            more += ['--connect-timeout', '700ms']
        r = t.run_inetws('connect', '-x', '%s://127.0.0.1:%d' % (
            scheme, p.port), *more, 'ws://127.0.0.1:%d/' % port)
        t.is_(r.returncode, status, '%s, %s: %d' % (scheme, words, status))
        t.like(r.stderr, names(scheme, p.port, words, port),
               'names the proxy and what it was asked for')


class Turning:
    """A relay to a proxy that can be told to refuse instead."""

    def __init__(self, port):
        self.refuse = None
        self.relay = t.Proxy(port)
        self.listener = t.Listener(self._serve)
        self.port = self.listener.port
        self.joined = []

    def _serve(self, sock):
        if self.refuse:
            return self.refuse(sock)
        far = t.ws.dial(self.relay.port)
        self.joined = [sock, far]
        sock.settimeout(None)
        far.settimeout(None)
        back = threading.Thread(target=self._copy, args=(far, sock),
                                daemon=True)
        back.start()
        self._copy(sock, far)
        back.join()

    @staticmethod
    def _copy(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(1)
        except OSError:
            pass

    def cut(self):
        for s in self.joined:
            try:
                s.shutdown(2)
            except OSError:
                pass


@t.limit(120)
def test_redial():
    """In the log of a tunnel that was lost, from inside the sandbox."""
    s = t.server(t.echo().port)
    http_proxy, socks = t.Scripted(), t.ssh_dynamic()
    lost = []
    for scheme, serve, _, words in REFUSALS:
        if scheme == 'https':
            continue
        p = Turning((http_proxy if scheme == 'http' else socks).port)
        c = t.client('ws://127.0.0.1:%d/' % s.port, '-v', '-x',
                     '%s://127.0.0.1:%d' % (scheme, p.port),
                     '--connect-timeout', '%ds' % (4 * t.SCALE))
        v = t.ws.dial(c.port)
        v.sendall(b'one')
        t.is_(t.ws.read_exactly(v, 3), b'one', scheme + ': a tunnel')
        lost.append((scheme, words, p, c, v))
        p.refuse = serve
        p.cut()
    for scheme, words, p, c, _ in lost:
        t.ok(c.has_line('event=redial-failed .*why=.*' + names(
            scheme, p.port, words, s.port)), 'is told at a redial: ' + words)
        p.refuse = None
    for scheme, words, p, c, v in lost:
        v.sendall(b'two')
        t.is_(t.ws.read_exactly(v, 3), b'two', 'and goes on behind ' + words)


def basic(word):
    return 'Basic ' + base64.b64encode(word.encode()).decode()


def config(text):
    path = os.path.join(t.folder(), 'conf')
    with open(path, 'w') as f:
        f.write(text)
    return path


def sent(field, heads):
    found = [re.search(r'(?mi)^%s: (.*)\r$' % field, h) for h in heads]
    return [m[1] if m else None for m in found]


def test_whose_credentials():
    """Those of a configuration file are for its own proxy."""
    s = t.server(t.echo().port)
    p = t.Scripted()
    ours = 'http://127.0.0.1:%d' % p.port
    with_user = ours.replace('//', '//url:1@')
    file_user = 'proxy-user file:2\nproxy-header "X-Secret: 3"\n'
    for text, words, env, want, name in (
            ('proxy %s\n' % ours + file_user, (), {}, 'file:2',
             'proxy and user of one file'),
            ('proxy %s\n' % with_user + file_user, (), {}, 'file:2',
             '... whose user takes precedence'),
            ('proxy http://127.0.0.1:1\n' + file_user, ('-x', ours), {}, None,
             '--proxy on the command line: not the user of the file'),
            (file_user, ('-x', ours), {}, None, '... also without a proxy '
             'there'),
            (file_user, ('-x', with_user), {}, 'url:1', '... that of the URL'),
            (file_user, ('-x', ours, '--proxy-user', 'cli:4'), {}, 'cli:4',
             '... that of the command line'),
            ('proxy %s\n' % ours + file_user, ('--proxy-user', 'cli:4'), {},
             'cli:4', '--proxy-user on the command line'),
            (file_user, (), {'http_proxy': ours}, 'file:2',
             'a proxy of the environment, a user of the file'),
            (file_user, (), {'http_proxy': with_user}, 'url:1',
             '... which yields to the one there'),
            ('', ('--proxy-user', 'cli:4'), {'http_proxy': with_user},
             'cli:4', '... as one of the command line does not')):
        p.seen.clear()
        r = t.run_inetws('connect', '-K', config(text), *words,
                         'ws://127.0.0.1:%d/' % s.port, input=b'hello',
                         env=dict(os.environ, **env))
        t.is_((r.returncode, r.stdout), (0, b'hello'), name)
        t.is_(sent('Proxy-Authorization', p.seen), [want and basic(want)],
              'the proxy gets %s' % (want or 'none'))
        t.is_(sent('X-Secret', p.seen),
              ['3' if text and '-x' not in words else None],
              'and a field of the file with its own proxy only')
    r = t.run_inetws('connect', '-K', config('proxy-insecure\n'), '-x',
                     'https://localhost:%d' % t.stunnel(
                         'accept', p.port, t.certificate()),
                     'ws://127.0.0.1:%d/' % s.port)
    t.is_(r.returncode, 77, 'nor does its proxy-insecure hold for another')
    r = t.run_inetws('connect', '-K', config('proxy %s\n' % ours + file_user),
                     '-x', '', 'ws://127.0.0.1:%d/' % s.port, input=b'hello')
    t.is_((r.returncode, r.stdout), (0, b'hello'),
          'an empty --proxy needs none of them')


def test_whose_user():
    """Likewise for the user of a server."""
    server = t.WSServer()
    here = 'ws://127.0.0.1:%d/' % server.port
    rest = 'user file:2\nheader "X-Secret: 3"\n'
    for text, words, want, secret, name in (
            ('url %s\n' % here + rest, (), 'file:2', '3', 'URL of the file'),
            ('url %s\n' % here + rest, (here + 'x',), 'file:2', '3',
             'another path'),
            (rest, (here,), 'file:2', '3', 'a file without a URL'),
            ('url wss://127.0.0.1:1/\n' + rest, (here,), None, None,
             'another server'),
            ('url wss://127.0.0.1:1/\n' + rest, (here, '-u', 'cli:4'),
             'cli:4', None, 'another server and user'),
            ('url wss://127.0.0.1:1/\n' + rest,
             (here.replace('//', '//url:1@'), '-H', 'X-Secret: 5'), 'url:1',
             '5', 'those of the other URL')):
        p = t.inetws('connect', '-K', config(text), *words)
        w = server.next()
        t.is_(w.request.get('authorization'), want and basic(want), name)
        t.is_(w.request.get('x-secret'), secret, 'and its fields')
        w.bye()
        p.wait()


t.main()
