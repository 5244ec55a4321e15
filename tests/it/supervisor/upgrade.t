#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An upgrade under load: both services are replaced by programs of another
version while 50 tunnels are busy.

If it fails: an upgrade drops the tunnels that are in use.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import shutil           # noqa: E402
import exchange         # noqa: E402
import threading        # noqa: E402

TUNNELS = 50
CHUNK = 20000
NOISE = exchange.noise(1 << 20)


class Busy(threading.Thread):
    """Sends and wants back, until told to stop."""

    def __init__(self, number, sock):
        super().__init__(daemon=True)
        self.number, self.sock = number, sock
        self.chunks = 0
        self.enough = threading.Event()
        self.error = None
        self.start()

    def _once(self):
        at = (self.number * 7919 + self.chunks * 104729) % (1 << 19)
        data = NOISE[at:at + CHUNK]
        if isinstance(self.sock, t.ws.WebSocket):
            self.sock.send(data)
            back = self.sock.take_data(CHUNK)
            del self.sock.data[:]
        else:
            self.sock.sendall(data)
            back = t.ws.read_exactly(self.sock, CHUNK)
        if back != data:
            raise AssertionError('%d of %d bytes, or others' % (
                len(back), CHUNK))
        self.chunks += 1

    def run(self):
        try:
            while not self.enough.is_set():
                self._once()
            if isinstance(self.sock, t.ws.WebSocket):
                self.sock.close(1000)
                code = self.sock.take_close(answer=False)
                if code != 1000:
                    raise AssertionError('closed with %s' % code)
            else:
                self.sock.shutdown(1)
                if self.sock.recv(1):
                    raise AssertionError('bytes behind the end')
        except Exception as e:
            self.error = '%d: %r' % (self.number, e)


def version_of(program):
    return re.match(rb'inetws (\S+)', t.run([program, '--version']).stdout)[1]


def another(path):
    """The program under test with another version in it, of which all but
    the beginning is as it was: linkers let strings share their ends."""
    with open(t.INETWS, 'rb') as f:
        data = f.read()
    old = version_of(t.INETWS)
    new = bytes([old[0] ^ 8]) + old[1:]
    with open(path, 'wb') as f:
        f.write(data.replace(old + b'\0', new + b'\0')
                .replace(b'inetws/' + old, b'inetws/' + new))
    os.chmod(path, 0o755)
    t.is_(version_of(path), new, 'a program of version ' + new.decode())
    return new.decode()


def start(program, mode, goal, where='127.0.0.1:0'):
    p = t.Program([program, mode, '-l', where, '--drain', 'leave', goal])
    p.port = t.port_of(t.listening(p)[0])
    return p


def programs_of(pids):
    """The files that processes run, by what they are now."""
    found = set()
    for p in pids:
        try:
            found.add(os.stat('/proc/%d/exe' % p).st_ino)
        except FileNotFoundError:
            pass                # it has ended: its connection has another one
    return found


def progress(busy, n):
    before = [b.chunks for b in busy]
    return t.until(lambda: all(b.error or b.chunks >= x + n for b, x in
                               zip(busy, before)), 2 * t.BOUND)


@t.limit(120)
def test_upgrade():
    t.need_dynamic('its version is in more places than can be replaced')
    t.rundir()
    d = t.folder()
    program = d + '/inetws'
    shutil.copy(t.INETWS, program)
    echo = t.echo()
    server = start(program, 'server', '127.0.0.1:%d' % echo.port)
    client = start(program, 'client', 'ws://127.0.0.1:%d/' % server.port)
    busy = [Busy(i, t.ws.dial(client.port) if i % 2 else
                 t.ws.connect(server.port)) for i in range(TUNNELS)]
    t.ok(progress(busy, 3), '%d tunnels are busy' % TUNNELS)

    def processes():
        return t.children(server.pid, False) + t.children(client.pid, False)
    t.until(lambda: len(processes()) == TUNNELS + TUNNELS // 2)
    old = processes()
    t.is_(len(old), TUNNELS + TUNNELS // 2, 'with a process for each')
    version = another(d + '/new')
    os.rename(d + '/new', program)
    inode = os.stat(program).st_ino

    for name, p in (('server', server), ('client', client)):
        t.is_(p.stop(), 0, 'the old %s is gone' % name)
    begun = sum(b.chunks for b in busy)
    server2 = start(program, 'server', '127.0.0.1:%d' % echo.port,
                    '127.0.0.1:%d' % server.port)
    client2 = start(program, 'client', 'ws://127.0.0.1:%d/' % server.port,
                    '127.0.0.1:%d' % client.port)
    more = [Busy(TUNNELS + i, t.ws.dial(client.port) if i % 2 else
                 t.ws.connect(server.port)) for i in range(6)]
    t.ok(progress(busy + more, 3), 'all go on, and new ones')
    t.ok(sum(b.chunks for b in busy) > begun + 3 * TUNNELS, 'busily')
    t.is_(programs_of(old) & {inode}, set(), 'old ones by the old program')
    t.is_(programs_of(t.children(server2.pid, False) +
                      t.children(client2.pid, False)), {inode},
          'new ones by the new program')
    seen = {i['mode']: i for i in t.status()['instances']}
    for mode, n in (('server', TUNNELS + 6), ('client', TUNNELS // 2 + 3)):
        t.is_((seen[mode]['active'], seen[mode]['version']), (n, version),
              'inetws status: the %s has all %d' % (mode, n))
    for b in busy + more:
        b.enough.set()
    for b in busy + more:
        b.join(2 * t.BOUND)
    t.is_([b.error for b in busy + more if b.error or b.is_alive()], [],
          'not one was dropped, not one byte was lost')
    t.ok(t.until(lambda: not [p for p in old if os.path.exists(
        '/proc/%d/exe' % p) and t.command_of(p)]), 'and all have ended')


t.main()
