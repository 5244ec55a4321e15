#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What one more connection costs, with few and with many that are idle: the
processor time of the supervisor and of the connection's process, and the time
until the first byte is back.  They shall be the same.  A program that only
forks and copies (forker.c) shows what the kernel's part is.

An instance with few and one with many live at the same time and take turns,
so that what else the machine does meets both.

usage: growth.py [--few N] [--many N] [--names N] [--connections N]
                 [--only server,forker,gate] [--forker PROGRAM] [--most R]
"""

import argparse
import os
import resource
import socket
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

ROUND = 20              # connections, until the other one has its turn


def cpu_ns(pid):
    with open('/proc/%d/schedstat' % pid) as f:
        return int(f.read().split()[0])


def children_us(pid):
    """Of processes that were waited for."""
    with open('/proc/%d/stat' % pid) as f:
        words = f.read().rpartition(')')[2].split()
    return (int(words[13]) + int(words[14])) * 1e6 / os.sysconf('SC_CLK_TCK')


class Instance:
    """connect() returns what has a method close()."""

    def __init__(self, pid, connect, idle):
        self.pid, self.connect = pid, connect
        self.held = [connect() for _ in range(idle)]
        self.took = []

    def turn(self, n):
        for _ in range(n):
            begin = time.perf_counter()
            w = self.connect()
            self.took.append(time.perf_counter() - begin)
            w.close()
        time.sleep(0.05)

    def end(self):
        for w in self.held:
            w.close()


def measure(few, many, n):
    """[(us of the supervisor, of the child, ms to the first byte)]"""
    both = (few, many)
    for i in both:
        i.turn(ROUND)                   # warm
        i.took.clear()
    time.sleep(1)
    before = [(cpu_ns(i.pid), children_us(i.pid)) for i in both]
    for _ in range(max(1, n // ROUND)):
        for i in both:
            i.turn(ROUND)
    time.sleep(2)                       # all are taken back
    return [((cpu_ns(i.pid) - b[0]) / len(i.took) / 1e3,
             (children_us(i.pid) - b[1]) / len(i.took),
             statistics.quantiles(i.took, n=4)[0] * 1e3)
            for i, b in zip(both, before)]


class Echoed:
    def __init__(self, port):
        self.w = t.ws.connect(port)
        self.w.send(b'x')
        self.w.take_data(1)
        self.close = self.w.sock.close


def server(target, idle):
    s = t.server(target, '--max-connections', str(idle + 500), '-q')
    return Instance(s.pid, lambda: Echoed(s.port), idle)


class Plain:
    def __init__(self, port):
        s = socket.create_connection(('127.0.0.1', port), 10)
        s.sendall(b'x')
        s.recv(1)
        self.close = s.close


def forker(program, target, idle, *held):
    """held: so many descriptors, which its children close."""
    port = t.free_port()
    f = t.Program([program, str(port), str(target), *held])

    def up():
        try:
            Plain(port).close()
            return True
        except OSError:
            return False
    t.until(up)
    return Instance(f.pid, lambda: Plain(port), idle)


def gate(names, agents):
    """Agents come to a gate that has listeners for so many names."""
    d = t.folder()
    line = '%s ' + r.hashlib.sha256(b'secret').hexdigest() + '\n'
    with open(d + '/agents', 'w') as f:
        f.writelines(line % ('n%d' % i) for i in range(names))
    g = r.gate('--visitors-dir', d, '--agents-file', d + '/agents', '-q',
               '--max-connections', str(agents + 500), auth=(), visitors=None)
    t.until(lambda: os.path.exists(d + '/n%d.sock' % (names - 1)))
    count = iter(range(10 ** 9))

    class Agent:
        def __init__(self):
            k = next(count)
            name = k if k < agents else names - 1
            self.raw = r.raw_agent(g, '/n%d' % name, secret='secret')
            self.close = self.raw.drop
    return Instance(g.pid, Agent, agents)


def show(what, few, many, n):
    found = []
    for name, unit, a, b in zip(('supervisor', 'child', 'first byte'),
                                ('us', 'us', 'ms'), *measure(few, many, n)):
        if b == 0:              # nobody waits for them
            continue
        print('%-38s %-11s %8.2f %8.2f %s   ratio %.2f' %
              (what, name, a, b, unit, b / a), flush=True)
        found.append(b / a)
    few.end(), many.end()
    t.cleanup()
    return found


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--few', type=int, default=50)
    p.add_argument('--many', type=int, default=6000)
    p.add_argument('--names', type=int, default=3000)
    p.add_argument('--connections', type=int, default=400)
    p.add_argument('--only', default='server,forker,gate')
    p.add_argument('--forker', default='build/tests/bench/forker')
    p.add_argument('--most', type=float,
                   help='fail if a ratio of server or gate is higher')
    a = p.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found = []
    if 'server' in a.only:
        port = t.echo_process()
        found += show('server, %d and %d idle tunnels' % (a.few, a.many),
                      server(port, a.few), server(port, a.many),
                      a.connections)
    if 'forker' in a.only:
        port = t.echo_process()
        show('fork and copy, %d and %d idle' % (a.few, a.many),
             forker(a.forker, port, a.few), forker(a.forker, port, a.many),
             a.connections)
    if 'gate' in a.only:
        port, agents = t.echo_process(), a.names * 5 // 6
        show('fork and copy, 55 and %d descriptors' % (a.names + agents),
             forker(a.forker, port, 25, '55'),
             forker(a.forker, port, agents, str(a.names + agents)),
             a.connections)
        found += show('gate, 30 names and %d' % a.names, gate(30, 25),
                      gate(a.names, a.names * 5 // 6), a.connections)
    t.cleanup()
    if a.most and found and max(found) > a.most:
        sys.exit('a ratio is above %.2f' % a.most)


main()
