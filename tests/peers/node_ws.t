#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""node's ws as a client of inetws server, through nginx with TLS.

If it fails: programs with node's ws cannot reach a target.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import base64           # noqa: E402
import hashlib          # noqa: E402
import json             # noqa: E402
import queue            # noqa: E402
import socket           # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BIG = 16 << 20
MUCH = 96 << 20         # more than all sockets on the way take up

# Debian's own modules are found by any node, also one from elsewhere.
ENV = {'NODE_PATH': '/usr/share/nodejs:/usr/lib/nodejs'}


def present():
    node, _ = t.need('node', 'nginx')
    r = t.run([node, '-e', 'require("ws")'], env=dict(os.environ, **ENV))
    if r.returncode:
        t.skip_all('node-ws is not installed')
    return node


class Node:
    """The client in node_ws.js: do() tells it, next() is what it says."""

    def __init__(self, chain, **options):
        self.program = t.Program(
            # of a name it tries one address only, before version 20
            [NODE, HERE + '/node_ws.js',
             chain.url.replace('localhost', '127.0.0.1'), chain.cert.ca,
             json.dumps(options)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env=ENV)
        self.events = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.program.stdout:
            self.events.put(json.loads(line))
        self.events.put(None)

    def do(self, *words):
        self.program.stdin.write(json.dumps(words).encode() + b'\n')
        self.program.stdin.flush()

    def next(self):
        """The next words; None behind the last ones."""
        return self.events.get(timeout=2 * t.BOUND)

    def until(self, word):
        """Goes on to these words; they."""
        while True:
            words = self.next()
            if words is None or words[0] == word:
                return words


def b64(data):
    return base64.b64encode(data).decode()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def test_handshake():
    chain = t.chain(t.echo().port)
    for offered, want in (([], ''), (['binary'], 'binary'),
                          (['base64', 'binary'], 'binary')):
        n = Node(chain, protocols=offered, perMessageDeflate=True)
        t.is_(n.next(), ['open', want, ''],
              'permessage-deflate and subprotocols %s are offered' % offered)
        n.do('close', 1000, '')
        t.is_(n.next(), ['close', 1000, ''], 'closed')
    n = Node(chain, protocols=['chat'])
    t.is_(n.next(), ['error', 'Server sent no subprotocol'],
          'ws insists on one, and we know no other')


def test_messages():
    chain = t.chain(t.echo().port)
    n = Node(chain)
    n.until('open')
    text = 'gr\u00fc\u00dfe \u2713 \U0001f600'
    for name, words, want in (
            ('binary', ('binary', b64(b'\0\1\xff')), b'\0\1\xff'),
            ('text', ('text', text), text.encode()),
            ('fragments', ('pieces', [b64(b'a'), '', b64(b'bc' * 40000)]),
             b'a' + b'bc' * 40000)):
        n.do(*words)
        n.do('take', len(want))
        t.is_(n.next()[:2], ['taken', sha(want)], name)
    n.do('binary', '')
    n.do('text', '')
    n.do('binary', b64(b'behind'))
    n.do('take', 6)
    t.is_(n.next()[:3], ['taken', sha(b'behind'), 6],
          'empty messages are nothing')


def test_big():
    chain = t.chain(t.echo().port)
    n = Node(chain)
    n.until('open')
    n.do('take', BIG)
    n.do('big', BIG)
    digest = n.until('sending')[1]
    for i in range(20):
        n.do('ping', str(i))
    pongs, taken = [], None
    while 19 not in pongs or taken is None:
        words = n.next()
        if words is None or words[0] in ('close', 'error'):
            t.ok(False, 'it lives (%s)' % words)
            return
        if words[0] == 'pong':
            pongs.append(int(words[1]))
        elif words[0] == 'taken':
            taken = words
    t.is_(taken[1:3], [digest, BIG], 'one message of %d bytes comes back' %
          BIG)
    t.ok(taken[3] <= 65535, 'in messages of 65535 bytes at most')
    # only the last of several may be answered (RFC 6455 5.5.3)
    t.is_(pongs, sorted(set(pongs)), 'pings in between are answered in order')


def test_slow_reader():
    """What it does not take stays with the target."""
    target = t.Held()
    chain = t.chain(target.port)
    n = Node(chain)
    n.until('open')
    stream = target.next()
    n.do('pause')
    data = os.urandom(MUCH)
    sent = []

    def send():
        for i in range(0, MUCH, 65536):
            stream.sendall(data[i:i + 65536])
            sent.append(i)
    th = threading.Thread(target=send, daemon=True)
    th.start()
    still = [-1]

    def stuck():
        still.append(len(sent))
        return still[-1] == still[-2] > 0
    t.until(stuck, pause=0.5)
    t.ok(th.is_alive(), 'the target is held up at %d of %d bytes' %
         (len(sent) << 16, MUCH))
    if not t.SANITIZED:
        most = max(t.private_kib(p) for p in t.children(chain.server.pid))
        t.ok(most < 4096, 'the process has %d KiB of its own' % most)
    n.do('resume')
    n.do('take', MUCH)
    t.is_(n.until('taken')[1:3], [sha(data), MUCH], 'then all of it comes')


def test_closes():
    target = t.Held()
    chain = t.chain(target.port, '--linger=1s')
    for code, want in ((1000, 'eof'), (1001, 'eof'), (1011, 'reset'),
                       (4999, 'reset')):
        n = Node(chain)
        n.until('open')
        n.do('binary', b64(b'all'))
        stream = target.next()
        t.is_(t.ws.read_exactly(stream, 3), b'all', 'data')
        n.do('close', code, 'the reason why')
        t.is_(t.ws.read_all(stream), (b'', want), 'Close %d: %s' %
              (code, want))
        stream.close()
        t.is_(n.next(), ['close', code, ''], 'answered')
        t.ok(chain.server.has_line('code=%d reason="the reason why"' % code),
             'and logged')
    n = Node(chain)
    n.until('open')
    n.do('binary', b64(b'half'))
    stream = target.next()
    t.is_(t.ws.read_exactly(stream, 4), b'half', 'some data')
    n.do('die')
    t.is_(t.ws.read_all(stream), (b'', 'reset'), 'its death is a reset')
    t.is_(n.next(), ['close', 1006, ''], 'as it sees it')
    t.ok(t.until(lambda: not t.children(chain.server.pid)),
         'no tunnel is left')


def test_target_ends():
    """Half-close: the Close waits while the client still has something."""
    target = t.Held()
    chain = t.chain(target.port, '--linger=3s')
    n = Node(chain)
    n.until('open')
    stream = target.next()
    n.do('binary', b64(b'question'))
    t.is_(t.ws.read_exactly(stream, 8), b'question', 'asked')
    stream.sendall(b'answer')
    stream.shutdown(socket.SHUT_WR)
    n.do('take', 6)
    t.is_(n.next()[1], sha(b'answer'), 'answered, and ended')
    for i in range(10):         # longer than the lingering
        n.do('binary', b64(b'%d' % i))
        t.is_(t.ws.read_exactly(stream, 1), b'%d' % i,
              'the other direction goes on')
        t.ws.quiet_for(stream, 0.5)
    t.is_(n.next(), ['close', 1000, ''], 'until nothing more comes')
    t.is_(t.ws.read_all(stream), (b'', 'eof'), 'a clean end for the target')


def test_target_resets():
    target = t.Held()
    chain = t.chain(target.port)
    n = Node(chain)
    n.until('open')
    t.ws.reset(target.next())
    code = n.until('close')[1]
    t.ok(code not in (1000, 1001, 1005, 1006), 'told by code %d' % code)


def test_pings():
    chain = t.chain(t.echo().port, '--ping-interval=100ms',
                    '--ping-timeout=4s')
    n = Node(chain)
    n.until('open')
    for i in range(60):         # longer than the timeout
        t.is_(n.until('ping')[0], 'ping', 'a ping comes')
    n.do('pong', 'not asked for')
    n.do('binary', b64(b'alive'))
    n.do('take', 5)
    t.is_(n.until('taken')[1], sha(b'alive'), 'it lives')


def test_refusals():
    chain = t.chain(t.echo().port)
    n = Node(chain, origin='https://elsewhere.example')
    t.is_(n.until('error'), ['error', 'Unexpected server response: 403'],
          'a page from elsewhere is a 403')
    chain = t.chain(t.free_port())
    n = Node(chain)
    t.is_(n.until('error'), ['error', 'Unexpected server response: 502'],
          'a dead target is a 502')


try:
    NODE = present()
except t.Skip as e:
    t.skip_all(e)
t.main()
