#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What one more connection costs, with few and with many that are idle:
the supervisor's processor time, and the time until the first byte is back.
Both shall be the same.

usage: growth.py [--few N] [--many N] [--names N] [--connections N]
"""

import argparse
import os
import resource
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', 'lib'))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402


def cpu_ns(pid):
    with open('/proc/%d/schedstat' % pid) as f:
        return int(f.read().split()[0])


def measure(pid, connect, n):
    """(supervisor's microseconds, milliseconds to the first byte)."""
    took, before = [], cpu_ns(pid)
    for _ in range(n):
        begin = time.perf_counter()
        w = connect()
        took.append(time.perf_counter() - begin)
        w.sock.close() if hasattr(w, 'sock') else w.close()
    t.until(lambda: True)
    return (cpu_ns(pid) - before) / n / 1e3, statistics.median(took) * 1e3


def echoed(w):
    w.send(b'x')
    w.take_data(1)
    del w.data[:]
    return w


def server(idle, n):
    s = t.server(t.echo().port, '--max-connections', str(idle + 500))
    held = [echoed(t.ws.connect(s.port)) for _ in range(idle)]
    found = measure(s.pid, lambda: echoed(t.ws.connect(s.port)), n)
    for w in held:
        w.sock.close()
    s.stop()
    return found


def gate(names, agents, n):
    """Agents come to a gate that has listeners for so many names."""
    d = t.folder()
    line = '%s ' + r.hashlib.sha256(b'secret').hexdigest() + '\n'
    with open(d + '/agents', 'w') as f:
        f.writelines(line % ('n%d' % i) for i in range(names))
    g = r.gate('--visitors-dir', d, '--agents-file', d + '/agents',
               '--max-connections', str(agents + 500), auth=(), visitors=None)
    t.until(lambda: os.path.exists(d + '/n%d.sock' % (names - 1)))
    held = [r.raw_agent(g, '/n%d' % i, secret='secret')
            for i in range(agents)]

    class Agent:
        def __init__(self):
            self.raw = r.raw_agent(g, '/n%d' % (names - 1), secret='secret')
            self.close = self.raw.drop
    found = measure(g.pid, Agent, n)
    for a in held:
        a.drop()
    g.stop()
    return found


def show(what, few, many):
    for name, unit, a, b in zip(('supervisor', 'first byte'), ('us', 'ms'),
                                few, many):
        print('%-34s %-12s %8.2f %8.2f %s   ratio %.2f' %
              (what, name, a, b, unit, b / a), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--few', type=int, default=50)
    p.add_argument('--many', type=int, default=3000)
    p.add_argument('--names', type=int, default=3000)
    p.add_argument('--connections', type=int, default=300)
    a = p.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    show('server, %d and %d idle tunnels' % (a.few, a.many),
         server(a.few, a.connections), server(a.many, a.connections))
    show('gate, 30 and %d names' % a.names,
         gate(30, 25, a.connections),
         gate(a.names, a.names * 5 // 6, a.connections))
    t.cleanup()


main()
