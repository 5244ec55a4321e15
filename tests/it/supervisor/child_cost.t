#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What one connection costs each of its two processes: memory of its own, and
system calls from the fork to the exit, those before it comes apart.

If it fails: a connection costs more memory or time than it has to, which is
seen where there are thousands of them.
"""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

# of a tunnel between two inetws, with a session; each a little above what is
# measured (tests/bench/README.md)
OWN_KIB = {'server': 52, 'client': 68}
WRITES = 5
CALLS = {'server': 40, 'client': 37}   # from the connection on,
AHEAD = 7                               # and before
if t.is_static():                       # make release: with musl
    OWN_KIB = {'server': 72, 'client': 80}
    AHEAD = 9

# How often it waits, and tries before it does, is a matter of chance.
WAITING = {'ppoll', 'poll', 'readv', 'connect', 'getsockopt',
           'restart_syscall'}


def pair():
    s = t.server(t.echo().port)
    return {'server': s, 'client': t.client('ws://127.0.0.1:%d/' % s.port)}


def byte_each_way(v):
    v.sendall(b'x')
    if t.ws.read_exactly(v, 1) != b'x':
        raise AssertionError('no byte came back')


def test_memory():
    """
    Once it is idle, when buffers have been given back.  Children that were
    forked at the start keep pages that the supervisor has written since.
    """
    if t.SANITIZED:
        raise t.Skip('sanitizers have memory of their own')
    both = pair()
    for _ in range(4):
        with t.ws.dial(both['client'].port) as v:
            byte_each_way(v)
        t.until(lambda: not any(t.children(p.pid) for p in both.values()))
    v = t.ws.dial(both['client'].port)
    byte_each_way(v)
    for role, p in both.items():
        child = t.child(p.pid)
        kib = []
        t.until(lambda: kib.append(t.private_kib(child)) or
                kib[-1] <= OWN_KIB[role])
        t.ok(kib[-1] <= OWN_KIB[role], '%s: %d KiB of its own' %
             (role, kib[-1]))


def trace(p):
    """Begins to write down the calls of its children; where."""
    strace, = t.need('strace')
    path = t.folder() + '/trace'
    s = t.Program([strace, '-f', '-o', path, '-p', p.pid],
                  stderr=subprocess.PIPE)
    if not s.has_line('attached'):
        raise t.Skip('strace may not attach here')
    t.on_close(lambda: s.stop(signal.SIGINT))
    return path


def calls(path, parent):
    """Of the children that have ended, each by its number; without those that
    were late for their connection, and killed."""
    found, ended = {}, set()
    with open(path) as f:
        for line in f:
            pid, what = line.split(None, 1)
            if int(pid) == parent or ' resumed>' in what:
                continue
            if what.startswith('+++ exited'):
                ended.add(pid)
            elif not what.startswith(('---', '+++')):
                found.setdefault(pid, []).append(what.split('(')[0])
    return [found[pid] for pid in sorted(ended) if pid in found]


def ready(both):
    """Until a connection need not wait for a fork."""
    for p in both.values():
        t.until(lambda: len(t.ahead(p.pid)) == 2)


def counted(path, parent):
    """(calls before its connection, for it, writes) of each child that was
    forked ahead."""
    return [(c.index('recvmsg'), len(c) - c.index('recvmsg'),
             c.count('writev') + c.count('sendmsg'))
            for c in ([name for name in one if name not in WAITING]
                      for one in calls(path, parent)) if 'recvmsg' in c]


def is_little(role, one):
    ahead, for_it, writes = one
    return ahead <= AHEAD and for_it <= CALLS[role] and writes == WRITES


def test_calls():
    """A byte each way, and an orderly end.  Of one of a few tunnels: what a
    process finds at once when it was not run for a while is chance."""
    if t.SANITIZED or t.COMPAT:
        raise t.Skip('another program than users have')
    both = pair()
    ready(both)
    traces = {role: trace(p) for role, p in both.items()}

    def tunnel():
        ready(both)
        v = t.ws.dial(both['client'].port)
        byte_each_way(v)
        v.shutdown(1)
        t.is_(v.recv(1), b'', 'the end comes back')
        v.close()

    def seen(role):
        return counted(traces[role], both[role].pid)
    # The first ones are served by children that were forked before.
    for _ in range(2):
        tunnel()
    for n in range(1, 6):
        tunnel()
        t.until(lambda: all(len(seen(role)) >= n for role in both), 2)
        if all(any(is_little(role, x) for x in seen(role)) for role in both):
            break
    for role in both:
        t.until(lambda: seen(role))
        found = seen(role)
        ahead, for_it, writes = next(
            (x for x in found if is_little(role, x)), found[-1])
        t.ok(ahead <= AHEAD, '%s: %d system calls before its connection' %
             (role, ahead))
        t.ok(for_it <= CALLS[role], '%s: %d system calls for it' %
             (role, for_it))
        t.is_(writes, WRITES, '%s: writes to both sides' % role)


t.main()
