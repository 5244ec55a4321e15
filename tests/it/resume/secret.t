#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Who may take over a session, and that its id is shown to no one.

If it fails: another user of the machine or of the network takes over a tunnel.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import inetws_peer as p     # noqa: E402
import manual           # noqa: E402
import array            # noqa: E402
import base64           # noqa: E402
import contextlib       # noqa: E402
import hashlib          # noqa: E402
import re               # noqa: E402
import socket           # noqa: E402
import struct           # noqa: E402
import time             # noqa: E402

OFFER = 'inetws; v=2; id=me; resume'


def handoff_name(sid):
    return '\0inetws-' + hashlib.sha256(sid.encode()).hexdigest()


class Session:
    """A server, the test's websocket (.raw) and the target's end (.far)."""

    def __init__(self, *options, headers='', **kw):
        self.target = t.Held()
        self.program = t.server(self.target.port, '-v', '-v', *options, **kw)
        self.raw = self.dial(OFFER, headers)
        self.far = self.target.next()
        self.sid = self.raw.params['resume']

    def dial(self, offer, headers=''):
        return p.raw_dial('127.0.0.1', self.program.port, '/', offer, headers,
                          timeout=t.BOUND)

    def redial(self, n, at, sid=None, headers=''):
        """101, or the status and the words of its refusal."""
        try:
            self.next = self.dial('inetws; v=2; id=me; resume="%s"; n=%d; '
                                  'at=%d' % (sid or self.sid, n, at), headers)
        except p.Refused as e:
            return e.status
        return 101

    def alive(self, name):
        self.raw.data(b'yes')
        t.is_(t.ws.read_exactly(self.far, 3), b'yes', name)


def letter(user=b'', data=b''):
    """What a process that accepted a redial sends to the handoff socket."""
    return struct.pack('=I128s', len(data), user), data


def visit(sid):
    """Hands a connection over; what becomes of it."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(t.BOUND)
    s.connect(handoff_name(sid))
    a, b = socket.socketpair()
    request = (b'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'
               b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
               b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
               b'Sec-WebSocket-Extensions: inetws; v=2; id=me; '
               b'resume="%s"; n=1; at=0\r\n\r\n' % sid.encode())
    head, data = letter(data=request)
    try:
        s.sendmsg([head], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                            array.array('i', [b.fileno()]))])
        s.sendall(data)
    except OSError:
        pass
    b.close()
    try:
        receipt = s.recv(1)
    except ConnectionResetError:
        receipt = b''
    a.settimeout(t.BOUND)
    answer = a.recv(4096) if receipt else b''
    return receipt, answer[:12]


def test_another_user_hands_over():
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    if os.geteuid() != 0:
        raise t.Skip('needs root, to be another user')
    x = Session()
    x.alive('a session')
    got = [t.as_nobody(lambda: visit(x.sid)) for _ in range(20)]
    t.is_(set(got), {repr((b'', b''))}, 'another user, who knows the id, is '
          'refused, twenty times')
    x.alive('and disturbs nothing')
    t.is_(visit(x.sid)[0], b'\0', 'the same from our own user is taken')


def test_squatter():
    """Another user listens where a session might."""
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    if os.geteuid() != 0:
        raise t.Skip('needs root, to be another user')
    sid = os.urandom(16).hex()
    trap = socket.socket(socket.AF_UNIX)
    ready, done = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        trap.bind(handoff_name(sid))
        trap.listen()
        os.write(done, b'.')
        trap.accept()
        os.read(ready, 1)
        os._exit(0)
    t.on_close(lambda: os.kill(pid, 9))
    trap.close()
    os.read(ready, 1)
    x = Session()
    t.is_(x.redial(1, 0, sid), 410, 'a handoff socket of another user: 410')
    x.alive('and nothing is disturbed')


def test_silent_visitor():
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    x = Session()
    s = socket.socket(socket.AF_UNIX)
    s.connect(handoff_name(x.sid))
    x.alive('a connection that sends nothing does not stop a tunnel for long')
    s.close()
    s = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for one in s:
        one.connect(handoff_name(x.sid))
        one.send(b'nonsense')
        one.close()
    x.alive('nor does one that sends nonsense')
    t.is_(x.redial(1, 0), 101, 'and a right one is accepted after them')


def basic(name, password):
    return 'Authorization: Basic %s\r\n' % base64.b64encode(
        ('%s:%s' % (name, password)).encode()).decode()


def test_another_name():
    """The id takes the place of no password."""
    if t.COMPAT:
        raise t.Skip('only Linux has names of sockets that are no files')
    htpasswd, = t.need('htpasswd')
    path = t.folder() + '/users'
    t.run([htpasswd, '-c', '-B', '-C', '4', '-b', path, 'ann', 'a'])
    t.run([htpasswd, '-B', '-C', '4', '-b', path, 'bob', 'b'])
    os.chmod(path, 0o600)
    x = Session('--auth-file', path, headers=basic('ann', 'a'))
    t.is_(x.redial(1, 0), 401, 'the id alone: 401')
    t.is_(x.redial(1, 0, headers=basic('ann', 'b')), 401, 'wrong: 401')
    t.is_(x.redial(1, 0, headers=basic('bob', 'b')), 410,
          'another user: 410, as if there were no such session')
    t.ok(x.program.has_line('event=failed mode=server peer=127.* user=bob why='
                            '"refused with 410: it is not the one that began'),
         'which is logged')
    x.alive('which is not disturbed')
    t.is_(x.redial(1, 0, headers=basic('ann', 'a')), 101, 'its owner: 101')


def test_another_id():
    """Who knows a session's ID alone cannot fill the log."""
    s = t.server(t.echo().port, '--drain', '0')
    raw = p.raw_dial('127.0.0.1', s.port, '/', 'inetws; v=2; id=me; resume')
    for _ in range(14):
        with contextlib.suppress(p.Refused):
            p.raw_dial('127.0.0.1', s.port, '/', 'inetws; v=2; id=you; '
                       'resume="%s"; n=1; at=0' % raw.params['resume'])
    t.is_(s.stop(), 0, 'TERM ends it')
    t.is_(s.log.count('event=failed '), 10, 'ten lines a minute')


def refusal(x, sid, n, own='me', headers=''):
    """The bytes of the answer but for its date."""
    sock = t.ws.dial(x.program.port)
    sock.sendall((
        'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s'
        'Sec-WebSocket-Extensions: inetws; v=2; id=%s; resume="%s"; n=%d; at=0'
        '\r\n\r\n' % (headers, own, sid, n)).encode())
    answer, _ = t.ws.read_all(sock)
    return re.sub('(?m)^Date: .*\r\n', '', answer.decode())


def test_what_refusals_tell():
    """Who may not have a session does not learn that it is there."""
    htpasswd, = t.need('htpasswd')
    path = t.folder() + '/users'
    t.run([htpasswd, '-c', '-B', '-C', '4', '-b', path, 'ann', 'a'])
    t.run([htpasswd, '-B', '-C', '4', '-b', path, 'bob', 'b'])
    ann, bob = basic('ann', 'a'), basic('bob', 'b')
    x = Session('--auth-file', path, headers=ann)
    x.alive('a session')
    unknown = refusal(x, os.urandom(16).hex(), 1, headers=bob)
    t.like(unknown, r'^HTTP/1\.1 410 ', 'an unknown session: 410')
    t.is_(refusal(x, x.sid, 1, headers=bob), unknown, "another user's: the same")
    t.is_(refusal(x, x.sid, 1, 'you', ann), unknown, 'another id: the same')
    t.is_(x.redial(7, 0, headers=ann), 101, 'its owner: 101')
    x.raw = x.next
    for n in (1, 7, 8):
        t.is_(refusal(x, x.sid, n, headers=bob), unknown,
              "another user, attempt %d after 7: the same" % n)
    x.alive('which is not disturbed')


def example(begin):
    """The answer in an example of the manual, but for its date."""
    text = manual.block(begin, page='inetws-protocol.7').split('\nA: ')[1]
    head, body = re.sub(r'(?m)^ {3}', '', text).split('\n\n')
    head = re.sub(r'(?m)^Date: .*\n', '', head + '\n')
    return head.replace('\n', '\r\n') + '\r\n' + body.strip().replace(
        '\\n', '\n')


def test_refusals_of_the_manual():
    """Its examples are what the program answers."""
    x = Session()
    token = x.raw.fields.get('inetws-instance', 'none')
    t.is_(refusal(x, os.urandom(16).hex(), 1), example(
        'D: Sec-WebSocket-Extensions: inetws; v=2; id=c4q1;\n'
        '       resume="ffeeddccbbaa99887766554433221100"').replace(
            '5d2c8e7f01a94b36', token), 'a session that is not there')
    t.is_(x.redial(1, 0), 101, 'a redial')
    t.is_(refusal(x, x.sid, 1), example(
        'D: Sec-WebSocket-Extensions: inetws; v=2; id=c4q1;\n'
        '       resume="00112233445566778899aabbccddeeff"'),
          'the same attempt once more')


def test_refusals_do_not_stop_a_tunnel():
    """Also where a refused connection stays open."""
    x = Session()
    x.alive('a session')
    t.is_(x.redial(9, 0), 101, 'redialled')
    x.raw = x.next
    x.alive('and goes on')
    socks = []
    began = time.monotonic()
    for _ in range(10):
        s = t.ws.dial(x.program.port)
        s.sendall(b'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n'
                  b'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
                  b'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
                  b'Sec-WebSocket-Extensions: inetws; v=2; id=me; '
                  b'resume="%s"; n=9; at=0\r\n\r\n' % x.sid.encode())
        socks.append(s)
    t.is_({s.recv(12) for s in socks}, {b'HTTP/1.1 410'},
          'ten replayed attempts, whose senders stay: 410')
    x.alive('and the tunnel goes on')
    t.ok(time.monotonic() - began < 5 * t.SCALE, 'at once')


COMMAND = '''#!/bin/sh
env >>%s/env
'''


def test_shown_nowhere():
    t.rundir()
    d = t.folder()
    with open(d + '/ask', 'w') as f:
        f.write(COMMAND % d)
    os.chmod(d + '/ask', 0o755)
    s = t.inetws('server', '-l', '127.0.0.1:0', '-v', '-v', '--auth-command',
                 d + '/ask', '--metrics', '127.0.0.1:0', '--', 'sh', '-c',
                 'env; exec cat')
    port = t.port_of(t.listening(s)[0])
    metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    cutter = cutting.Cutter(port)
    url = 'ws://localhost:%d/' % cutter.port
    c = t.client(url, '-v', '-v', '-v')
    q = t.connect(url, '-v', '-v')
    v = t.ws.dial(c.port)
    # Bytes that are in no name of a variable or folder of the environment.
    mark = os.urandom(8).hex().encode()
    v.sendall(mark)
    q.stdin.write(mark)
    q.stdin.flush()
    shown = t.ws.read_exactly(v, 1) + q.stdout.read(1)  # both are up
    cutter.cut('rst')
    for x in (c, q):
        t.ok(x.has_line('event=resumed'), 'cut and resumed')
    places = {'the log of the server': lambda: s.log,
              'the log of the client': lambda: c.log,
              'the log of connect': lambda: q.log,
              "the authenticator's environment":
              lambda: open(d + '/env').read(),
              'status': lambda: str(t.status()),
              'metrics': lambda: str([t.http(metrics, w)[2] for w in (
                  '/', '/metrics')]),
              'the statistics pages': lambda: ''.join(
                  open(os.path.join(os.environ['RUNTIME_DIRECTORY'], n), 'rb'
                       ).read().decode('latin-1')
                  for n in os.listdir(os.environ['RUNTIME_DIRECTORY'])),
              'the titles of processes': lambda: ''.join(
                  t.command_of(pid) for pid in t.family()),
              'names of sockets': lambda: open('/proc/net/unix').read()}
    text = {name: look() for name, look in places.items()}
    v.shutdown(socket.SHUT_WR)
    shown += t.ws.read_all(v)[0]
    q.stdin.close()
    shown += q.stdout.read()
    q.wait()
    text["the program's environment"] = shown.decode('latin-1')
    t.ok(shown.count(mark) == 2, 'the data comes back')
    heads = b''.join(cutter.heads).decode('latin-1')
    sids = set(re.findall('resume="([0-9a-f]{32})"', heads))
    t.is_(len(sids), 2, 'two sessions have an id that proxies see')
    for name in text:
        t.ok(text[name] and not any(sid in text[name] for sid in sids),
             'not in %s' % name)


t.main()
