#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""200 MB in both directions at once through nginx, whose connection is cut 50
times.

If it fails: bytes are lost or repeated when a websocket is lost.
"""

import hashlib
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402



@t.limit(120)
def test_200_mb_cut_50_times():
    # a reload takes a second, each
    cuts = [cutting.WAYS[i % 5] if i % 5 or i < 30 else cutting.WAYS[1]
            for i in range(50)]
    cutting.storm(200 << 20, cuts)


@t.limit(120)
def test_through_tls():
    """Each redial is a handshake too, and verifies."""
    cutting.storm(30 << 20, 2 * cutting.WAYS, t.certificate())


def pipes_of(pid):
    """How many ends of pipes its processes have."""
    n = 0
    for child in t.children(pid):
        try:
            fds = os.listdir('/proc/%d/fd' % child)
            n += sum(os.readlink('/proc/%d/fd/%s' % (child, fd)).startswith(
                'pipe:') for fd in fds)
        except OSError:
            pass
    return n


def send_mixed(sock, total):
    """Much at once, which moves through pipes and is kept in one, and a little
    at a time, which is copied and kept in the ring, in turn."""
    for i, block in enumerate(cutting.blocks(total, 3)):
        if i % 3 != 2:
            sock.sendall(block)
            continue
        for at in range(0, 64 * 1000, 1000):
            sock.sendall(block[at:at + 1000])
        sock.sendall(block[64000:])
    sock.shutdown(socket.SHUT_WR)


@t.limit(60)
def test_from_pipes_and_ring():
    total, cuts = 48 << 20, 12
    target = t.peers.Held()
    s = t.server(target.port, '-v')
    cutter = cutting.Cutter(s.port)
    c = t.client('ws://127.0.0.1:%d/' % cutter.port, '-v')
    sock = t.ws.dial(c.port)
    source = target.next()
    th = threading.Thread(target=send_mixed, args=(source, total), daemon=True)
    th.start()
    digest, got, done, most = hashlib.sha256(), 0, 0, 0
    while True:
        part = sock.recv(1 << 18)
        if not part:
            break
        digest.update(part)
        got += len(part)
        if done < cuts and got > (done + 1) * total // (cuts + 2):
            most = max(most, pipes_of(s.pid))
            done += 1
            cutter.cut(('fin', 'rst')[done % 2])
            if not c.has_line('event=resumed', count=done):
                break
    want = hashlib.sha256()
    for block in cutting.blocks(total, 3):
        want.update(block)
    t.is_((got, digest.hexdigest()), (total, want.hexdigest()),
          'every byte once, in order')
    t.is_(done, cuts, 'through so many new websockets')
    if os.path.isdir('/proc/self/fd') and not t.COMPAT:   # has no splice(2)
        t.ok(most >= 4, 'two pipes were in use (%d ends)' % most)
    sock.close()
    th.join(10)


t.main()
