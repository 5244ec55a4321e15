#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Abstract Unix sockets, unix:@NAME, in all places where an address may be one:
listeners of all modes, who gets in there, and targets.

If it fails: another local user reaches a socket that is closed to other users,
or a user who may connect is refused.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

OTHER = 65534
NAMES = iter(range(1000))


def name():
    return '@inetws-test-%d-%d' % (os.getpid(), next(NAMES))


def ask(where, send, uid):
    """What answers first, as this user; '' for an end or a reset."""
    q = t.run(['/usr/bin/python3', '-c', 'import os, socket, sys\n'
               'os.setgroups([])\nos.setuid(%d)\n'
               's = socket.socket(socket.AF_UNIX)\ns.settimeout(%d)\n'
               's.connect("\\0%s")\ntry:\n s.sendall(%r)\n'
               ' print(s.recv(40).decode("latin-1"))\n'
               'except OSError: pass\n' % (uid, t.BOUND, where[1:], send)])
    if q.returncode:
        raise AssertionError(q.stderr)
    return q.stdout.decode().strip()


def listeners(mode, echo, far):
    """(what, words of the command line with LISTEN for the address, what to
    send there, what answers)"""
    web = t.ws.request()
    page = b'GET /healthz HTTP/1.0\r\n\r\n'
    target = '127.0.0.1:%d' % echo.port
    url = 'ws://127.0.0.1:%d/' % far.port
    here = '127.0.0.1:0'
    agent = t.ws.request('/agents/a', headers=[
        ('Sec-WebSocket-Extensions', r.OFFER)])
    return {
        'server': (('-l', 'LISTEN', target), web, 'HTTP/1.1 101'),
        'client': (('-l', 'LISTEN', url), b'hello', 'hello'),
        'gate': (('-l', 'LISTEN', '--visitors', here, '--allow-any-agent'),
                 agent, 'HTTP/1.1 101'),
        'gate --visitors': (('-l', here, '--visitors', 'LISTEN',
                             '--allow-any-agent'), b'hello', 'hello'),
        'server --metrics': (('-l', here, '--metrics', 'LISTEN', target),
                             page, 'HTTP/1.1 200'),
        'client --metrics': (('-l', here, '--metrics', 'LISTEN', url),
                             page, 'HTTP/1.1 200'),
        'gate --metrics': (('-l', here, '--visitors', here,
                            '--allow-any-agent', '--metrics', 'LISTEN'),
                           page, 'HTTP/1.1 200'),
        'agent --metrics': (('--metrics', 'LISTEN', url, target), page,
                            'HTTP/1.1 200'),
    }[mode]


MODES = ('server', 'client', 'gate', 'gate --visitors', 'server --metrics',
         'client --metrics', 'gate --metrics', 'agent --metrics')


def start(mode, word, echo, far, *options):
    words, send, want = listeners(mode, echo, far)
    p = t.inetws(mode.split()[0], *options,
                 *[word if w == 'LISTEN' else w for w in words])
    at = p.wait_line(r'on (unix:\S+)')[1]
    t.is_(at, word.split(',')[0], mode + ': announced')
    if mode == 'gate --visitors':
        port = t.port_of(p.wait_line(r'listening on (\S+:\d+)')[1])
        r.agent('ws://127.0.0.1:%d/agents/a' % port, echo.port, '--retry',
                '1')
        t.ok(r.parked(p), 'an agent is there')
    return p, lambda uid: (ask(at[5:], send, uid)[:len(want)] == want)


def test_who_gets_in():
    if os.getuid() != 0:
        raise t.Skip('needs root to be another user')
    echo = t.echo()
    far = t.server(echo.port)
    for mode in MODES:
        word = 'unix:' + name()
        p, answers = start(mode, word, echo, far)
        t.ok(answers(0), mode + ': root gets in')
        t.ok(not answers(OTHER), 'another user does not')
        p.wait_line('event=not-admitted listener=%s .*hint=' % word[5:])
        t.ok(answers(0), 'and root again')
        p.stop()
        p, answers = start(mode, word + ',mode=0666', echo, far)
        t.ok(answers(OTHER), 'with mode=0666 every user does')
        p.stop()
        p, answers = start(mode, word, echo, far, '--run-as', str(OTHER))
        t.ok(answers(OTHER), 'and the user of --run-as')
        p.stop()


def listen(where):
    ls = socket.socket(socket.AF_UNIX)
    ls.bind('\0' + where[1:])
    ls.listen()
    ls.settimeout(t.BOUND)
    t.on_close(ls.close)
    return ls


def test_targets():
    """Dialled in the open by a server, inside the sandbox by an agent."""
    where = name()
    ls = listen(where)
    s = t.server('unix:' + where)
    w = t.ws.connect(s.port)
    stream = ls.accept()[0]
    stream.sendall(b'hello')
    t.is_(w.take_data(5), b'hello', 'the target of a server')
    g = r.gate()
    r.agent(g.url(), 'unix:' + where)
    with r.visit(g.visitors) as v:
        stream = ls.accept()[0]
        stream.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', 'the target of an agent')
    far = t.server('unix:' + where)
    c = t.client('ws://127.0.0.1:%d/' % far.port, '--warm', '1')
    with t.ws.dial(c.port) as v:
        stream = ls.accept()[0]
        stream.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello',
              'the target of a server for a warm client')
    ls.close()
    r_ = t.ws.ask(s.port, t.ws.request())
    t.is_(r_.status, 502, 'nothing there: 502')


def test_words():
    for word in ('unix:@', 'unix:@a b', 'unix:@x,mode=0660', 'unix:@' +
                 'x' * 108):
        for words in (('server', '-l', word, 'h:1'),
                      ('gate', '-l', '0', '--visitors', word,
                       '--allow-any-agent'),
                      ('server', '-l', '0', '--metrics', word, 'h:1')):
            t.is_(t.run_inetws(*words).returncode, 64, ' '.join(words)[:50])
    for word in ('unix:@', 'unix:@x,mode=0666'):
        t.is_(t.run_inetws('server', '-l', '0', word).returncode, 64,
              'TARGET ' + word)


def test_no_file():
    """A file of that name in the folder is nobody's."""
    os.chdir(t.folder())
    where = name()
    with open(where, 'w') as f:
        f.write('a file of that name\n')
    s = t.inetws('server', '-l', 'unix:' + where, 'h:1')
    t.listening(s)
    t.is_(s.stop(), 0, 'it ends')
    t.ok(os.path.exists(where), 'and removes no file')


t.main()
