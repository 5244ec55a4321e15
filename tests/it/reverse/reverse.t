#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Agent and gate together: websockets that are cut, processes that are killed,
how long a visitor waits, what the log and statistics show of it.
INETWS_CHAOS_SECONDS is how long the random part lasts.

If it fails: a reverse tunnel does not recover from an ordinary failure.
"""

import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from exchange import Exchange, noise            # noqa: E402

SECONDS = float(os.environ.get('INETWS_CHAOS_SECONDS') or
                (60 if t.LONG else 12))


def test_resume():
    """20 cuts while 100 MB go one way, then the other."""
    data = noise(100 << 20)
    for down in (True, False):
        target = t.source(data) if down else t.Listener(sink)
        g = r.gate()
        proxy = t.Proxy(g.port)
        a = r.agent('ws://127.0.0.1:%d/agents/a' % proxy.port, target.port,
                    '--spare', '1')
        r.parked(g)
        visitor = r.visit(g.visitors)
        exchange = Exchange(visitor, b'' if down else data)
        cuts = 0
        while cuts < 20:
            seen = len(exchange.got) if down else len(got)
            if seen >= (cuts + 1) * len(data) // 22:
                proxy.cut('rst' if cuts % 2 else 'fin')
                cuts += 1
            elif exchange.how:
                break
            else:
                time.sleep(.002)
        how = exchange.join()
        way = 'to the visitor' if down else 'to the target'
        if not down:
            t.until(lambda: len(got) == len(data), 4 * t.BOUND)
        whole = (exchange.got if down else got) == data
        t.ok(how == 'eof' and whole, '100 MB %s, %d cuts: whole (%s)' % (
            way, cuts, how))
        line = a.wait_line('event=closed .*', 2 * t.BOUND)[0]
        t.like(line, r'end=ended .*resumes=\d\d', 'and resumed: ' +
               ' '.join(w for w in line.split() if w.startswith('resumes')))
        for x in (a, g):
            x.stop(signal.SIGQUIT)


got = bytearray()


def sink(sock):
    while True:
        data = sock.recv(1 << 16)
        if not data:
            break
        got.extend(data)
    sock.close()


def test_parked_is_redialled():
    g, target = r.gate(), t.echo()
    proxy = t.Proxy(g.port)
    r.agent('ws://127.0.0.1:%d/agents/a' % proxy.port, target.port)
    r.parked(g, 2)
    old = set(t.children(g.pid))
    proxy.cut()
    t.ok(t.until(lambda: not old & set(t.children(g.pid))) and
         r.parked(g, 2), 'waiting websockets that are cut are dialled afresh')
    exchange = Exchange(r.visit(g.visitors), b'x')
    t.is_((exchange.join(), bytes(exchange.got)), ('eof', b'x'), 'and serve')


def test_seen():
    """status, metrics and the page show who waits."""
    d = t.folder()
    env = {'RUNTIME_DIRECTORY': d}
    g = r.gate('--metrics', '127.0.0.1:0', '--max-parked', '1', '--queue',
               '5m', env=env)
    port = t.port_of(g.wait_line(r'metrics on (\S+)')[1])
    t.is_(t.http(port, '/readyz')[0], 503, 'no agent: not ready')
    a = r.raw_agent(g, '/agents/office')
    r.parked(g)
    status = lambda: json.loads(t.run_inetws(
        'status', '--json', env=dict(os.environ, **env)).stdout)
    t.ok(t.until(lambda: status()['instances'][0]['states']['parked'] == 1),
         'status: one is parked')
    seen = status()['instances'][0]
    t.is_(seen['tunnels'][0]['target'], 'office', 'under its name')
    vs = [r.visit(g.visitors) for _ in range(3)]
    r.line(a)
    a.text('ok')
    t.ok(t.until(lambda: status()['instances'][0]['waiting'] == 2),
         'two visitors wait')
    t.ok(t.until(lambda: [x['state'] for x in status()['instances'][0][
        'tunnels']] == ['open']), 'and one tunnel is open')
    text = t.http(port, '/metrics')[2]
    t.like(text, r'(?m)^inetws_visitors_waiting 2$', 'metrics say so')
    t.like(text, r'inetws_connections{state="parked"} 0', 'and who is parked')
    t.like(t.http(port, '/')[2], '2 visitors waiting', 'the page too')
    t.is_(t.run([t.INETWS, 'status'], env=dict(os.environ, **env)).stdout
          .count(b'2 visitors waiting'), 1, 'and status for people')
    for v in vs:
        v.close()
    a.drop()


class Visitors:
    """Come and go: each sends a block to an echo and looks at what returns."""

    def __init__(self, where, n):
        self.where, self.open = where, True
        self.served = self.cut = self.refused = 0
        self.wrong = []
        self.threads = [threading.Thread(target=self.run, args=(i,),
                                         daemon=True) for i in range(n)]
        for th in self.threads:
            th.start()

    def run(self, seed):
        rnd = random.Random(seed)
        while self.open:
            try:
                s = r.visit(self.where)
            except OSError:
                self.refused += 1
                time.sleep(.05)
                continue
            data = rnd.randbytes(int(10 ** rnd.uniform(0, 6)))
            exchange = Exchange(s, data)
            how = exchange.join()
            if how is None:
                self.wrong.append('stuck after %d of %d' % (
                    len(exchange.got), len(data)))
            elif exchange.got != data[:len(exchange.got)]:
                self.wrong.append('other bytes')
            elif how == 'eof' and len(exchange.got) != len(data):
                self.wrong.append('ended after %d of %d' % (
                    len(exchange.got), len(data)))
            elif how == 'eof':
                self.served += 1
            else:
                self.cut += 1
            exchange.close()

    def stop(self):
        self.open = False
        for th in self.threads:
            th.join(4 * t.BOUND)


@t.limit(120)
def test_chaos():
    rnd = random.Random(int(os.environ.get('INETWS_SEED', '1')))
    target = t.echo()
    g = r.gate('--queue', '5s', '--drain', '0', '--resume', '10s',
               listen='127.0.0.1:%d' % t.free_port(),
               visitors='127.0.0.1:%d' % t.free_port())
    n = t.nginx(g.port, path='/agents/')
    url = 'ws://127.0.0.1:%d/agents/a' % n.port
    options = ('--spare', '3', '--resume', '10s')
    agents = [r.agent(url, target.port, *options) for _ in range(2)]
    name, where = g.name, g.visitors
    r.parked(g, 4)
    visitors = Visitors(where, 6)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(rnd.uniform(.1, .6))
        what = rnd.randrange(6)
        if what == 0:
            agents[0].send(signal.SIGKILL)
            agents[0].wait()
            agents = agents[1:] + [r.agent(url, target.port, *options)]
        elif what == 1:
            agents[0].stop(signal.SIGQUIT)
            agents = agents[1:] + [r.agent(url, target.port, *options)]
        elif what == 2:
            g.send(rnd.choice((signal.SIGKILL, signal.SIGTERM)))
            g.wait()
            g = r.gate('--queue', '5s', '--drain', '0', '--resume', '10s',
                       listen=name,
                       visitors='127.0.0.1:%d' % where)
        elif what == 3:
            n.send(signal.SIGHUP)
        else:
            pids = t.children(rnd.choice([g] + agents).pid)
            if pids:
                try:
                    os.kill(rnd.choice(pids), signal.SIGKILL)
                except OSError:
                    pass
    t.ok(t.until(lambda: r.parked(g, 6), 3 * t.BOUND),
         'everything recovers by itself')
    before = visitors.served
    t.ok(t.until(lambda: visitors.served > before + 10, 2 * t.BOUND),
         'and visitors are served')
    visitors.stop()
    t.diag('%d served, %d reset, %d refused' % (
        visitors.served, visitors.cut, visitors.refused))
    t.is_(visitors.wrong[:5], [], 'no visitor got wrong or too few bytes')
    t.ok(visitors.served > 20, 'most are served')
    for a in agents:
        t.is_(a.stop(), 0, 'an agent ends')
    g.stop(signal.SIGQUIT)
    n.stop()
    t.ok(t.until(lambda: not [x for x in t.family() if 'inetws' in
                              t.command_of(x)], 3 * t.BOUND),
         'nothing is left behind')


if __name__ == '__main__':
    t.main()
