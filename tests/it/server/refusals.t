#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What operators are told of a refusal: the exit status of a server that was
started for one connection, its log line, and the counter of refusals.

If it fails: inetd and scripts take a refused connection for a served one, and
graphs show no refusals.
"""

import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t      # noqa: E402


def inetd(request, *words):
    """(HTTP status, exit status, log) of one connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        p = t.inetws('server', '-l', 'inetd', *words, stdin=theirs,
                     stdout=subprocess.DEVNULL)
        theirs.close()
        ours.settimeout(t.BOUND)
        ours.sendall(request)
        head, _ = t.ws.read_head(ours)
        ours.shutdown(socket.SHUT_WR)
        t.ws.read_all(ours)
        status = p.wait()
    return int(head.split()[1]) if head else 0, status, p.wait_log()


def script(text):
    path = os.path.join(t.folder(), 'program')
    with open(path, 'w') as f:
        f.write('#!/bin/sh\n' + text + '\n')
    os.chmod(path, 0o755)
    return path


def test_exit_status():
    echo = t.echo()
    good = '127.0.0.1:%d' % echo.port
    users = os.path.join(t.folder(), 'users')
    with open(users, 'w') as f:
        f.write('ann:%s\n' % t.run([t.need('openssl')[0], 'passwd', '-6',
                                    'word']).stdout.decode().strip())
    request = t.ws.request()
    for name, data, words, http, status in (
            ('another path', t.ws.request('/other'), ('--path', '/right',
                                                      good), 404, 76),
            ('no upgrade', t.ws.request(drop=('Upgrade', 'Connection')),
             (good,), 426, 76),
            ('a malformed request', b'GET / HTTP/1.1\r\nno colon\r\n\r\n',
             (good,), 400, 76),
            ('another version', t.ws.request(
                drop=('Sec-WebSocket-Version',),
                headers=[('Sec-WebSocket-Version', '8')]), (good,), 426, 76),
            ('another origin', t.ws.request(
                headers=[('Origin', 'https://other.example')]), (good,), 403,
             77),
            ('no password', request, ('--auth-file', users, good), 401, 77),
            ('a program that says no', request,
             ('--auth-command', script('exit 1'), good), 403, 77),
            ('no listener', request, ('127.0.0.1:%d' % t.free_port(),), 502,
             69)):
        got = inetd(data, *words)
        t.is_(got[:2], (http, status), '%s: %d, and exit status %d' % (
            name, http, status))
        t.like(got[2], 'event=failed .*why=".*%d' % http
               if http != 502 else 'event=failed .*why="', name + ': logged')
    got = inetd(request + t.ws.frame(t.ws.CLOSE, t.ws.close_payload(1000),
                                     key=b'abcd'), good)
    t.is_(got[:2], (101, 0), 'a tunnel that ends well: 101, and 0')


def refused(s):
    text = t.http(s.metrics, '/metrics')[2]
    return t.series(text)['inetws_connections_refused_total']


def watched(*words):
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0', *words)
    s.metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    return s


def test_counted():
    """Each limit counts each refusal once."""
    for words, name in ((('--max-per-source', '2'), 'by source'),
                        (('--max-connections', '2'), 'in all')):
        t.rundir()
        s = watched(*words)
        ws = [t.ws.connect(s.port) for _ in range(2)]
        t.is_(refused(s), 0, name + ': none at first')
        for i in range(3):
            t.is_(t.ws.ask(s.port, t.ws.request()).status, 503, '503')
        t.ok(t.until(lambda: refused(s) == 3), name + ': three')
        for w in ws:
            w.bye()
        t.ok(t.until(lambda: t.one()['active'] == 0), 'none is left')
        t.is_(refused(s), 3, 'and no more than that')
        t.cleanup()
    t.rundir()
    s = watched('--max-handshakes', '1')
    mute = t.ws.dial(s.port)
    t.until(lambda: t.children(s.pid))
    t.ok(t.until(lambda: t.ws.ask(s.port, t.ws.request()).status == 503),
         'handshakes: 503')
    t.ok(t.until(lambda: refused(s) >= 1), 'counted')
    mute.close()


if __name__ == '__main__':
    t.main()
