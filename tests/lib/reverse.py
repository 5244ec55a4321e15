# SPDX-License-Identifier: ISC
"""Reverse tunnels: gates, agents, visitors, and an agent that a test drives
frame by frame."""

import hashlib
import os
import queue
import socket
import struct
import threading
import time

import inetws_peer as p
import peers
import proc

OFFER = 'inetws; v=2; id=agent1; win=65536; serve'


def gate(*options, listen='127.0.0.1:0', auth=('--allow-any-agent',),
         visitors='127.0.0.1:0', **kw):
    """inetws gate; .port for agents, .visitors for visitors, .url(name)."""
    words = ('--visitors', visitors) if visitors else ()
    g = proc.inetws('gate', '-l', listen, *words, *auth, *options, **kw)
    g.name = proc.listening(g)[0]
    g.port = proc.port_of(g.name)
    if visitors:
        name = g.wait_line(r'visitors on (\S+)')[1]
        g.visitors = name if name.startswith('unix:') else proc.port_of(name)
    g.url = lambda name='agents/a': 'ws://127.0.0.1:%d/%s' % (g.port, name)
    return g


def agent(url, target, *options, **kw):
    target = '127.0.0.1:%d' % target if isinstance(target, int) else target
    return proc.inetws('agent', *options, url, target, **kw)


def parked(g, count=1):
    """Waits until so many websockets wait at a gate."""
    return proc.until(lambda: sum('parked' in proc.command_of(c)
                                  for c in proc.children(g.pid)) >= count)


def raw_agent(g, path='/agents/a', offer=OFFER, secret=None):
    """A Raw that is parked at the gate."""
    field = ('Authorization: Bearer %s\r\n' % secret) if secret else ''
    return p.raw_dial('127.0.0.1', g.port, path, offer, field,
                      timeout=proc.BOUND)


def visit(where, timeout=None):
    """A visitor's socket: to a port, or to the path of a Unix socket."""
    if isinstance(where, int):
        s = socket.create_connection(('127.0.0.1', where),
                                     timeout or proc.BOUND)
    else:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout or proc.BOUND)
        s.connect(where)
    return s


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack('ii', 1, 0))
    sock.close()


def line(raw, timeout=None):
    """The next control line of a Raw."""
    op, body = raw.frame(timeout or proc.BOUND)
    if op != p.TEXT:
        raise AssertionError('no line but %r' % ((op, body),))
    return body


def was_reset(sock):
    """Reads to the end; was it a reset?"""
    try:
        while sock.recv(65536):
            pass
        return False
    except ConnectionResetError:
        return True


def agents_file(**secrets):
    path = os.path.join(proc.folder(), 'agents')
    with open(path, 'w') as f:
        f.write('# NAME SHA256-OF-SECRET\n')
        for name, secret in secrets.items():
            f.write('%s %s\n' % (name.replace('__', '-'), hashlib.sha256(
                secret.encode()).hexdigest()))
    return path


class Delay(peers.Proxy):
    """A proxy that delays all bytes by these seconds, each way."""

    def __init__(self, port, seconds):
        self.seconds = seconds
        super().__init__(port)

    def _copy(self, src, dst):
        line = queue.Queue()
        threading.Thread(target=self._deliver, args=(line, dst),
                         daemon=True).start()
        data = True
        while data:
            try:
                data = src.recv(1 << 16)
            except OSError:
                data = b''
            line.put((time.monotonic() + self.seconds, data))

    def _deliver(self, line, dst):
        while True:
            when, data = line.get()
            time.sleep(max(0, when - time.monotonic()))
            try:
                if not data:
                    dst.shutdown(socket.SHUT_WR)
                    return
                dst.sendall(data)
            except OSError:
                return


def visitor_is_reset(where):
    """Is a visitor there reset, at the latest when it reads?"""
    try:
        with visit(where) as v:
            return was_reset(v)
    except ConnectionResetError:
        return True
