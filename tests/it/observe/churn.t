#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Statistics while 500 tunnels come, go and are killed: right within seconds,
nothing lost, no counter that falls.

If it fails: graphs and alerts show numbers that are not true.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import random           # noqa: E402
import re               # noqa: E402
import resource         # noqa: E402

TUNNELS = 500
ROUNDS = 8
OPEN = 'Accept: application/openmetrics-text;version=1.0.0'


class Truth:
    """What the clients know."""

    def __init__(self, server):
        self.server = server
        self.live = {}          # peer address: websocket
        self.begun = self.up = self.down = self.killed = 0
        self.rng = random.Random(7)

    def open(self, n):
        for _ in range(n):
            w = t.ws.connect(self.server.port)
            self.live['127.0.0.1:%d' % w.sock.getsockname()[1]] = w
            self.begun += 1

    def some(self, n):
        return self.rng.sample(sorted(self.live), min(n, len(self.live)))

    def exchange(self, n):
        sent = []
        for peer in self.some(n):
            size = self.rng.choice((1, 100, 5000, 60000))
            self.live[peer].send(b'x' * size)
            sent.append((peer, size))
            self.up += size
        for peer, size in sent:
            self.live[peer].take_data(size)
            self.down += size
            self.live[peer].data.clear()

    def close(self, n, how):
        for peer in self.some(n):
            w = self.live.pop(peer)
            if how == 'bye':
                w.bye()
            elif how == 'reset':
                t.ws.reset(w.sock)
            else:
                w.sock.close()

    def kill(self, n):
        """Random processes; their clients see it."""
        rows = {r['peer']: r['pid'] for r in t.one()['tunnels']}
        for peer in self.some(n):
            os.kill(rows[peer], 9)
            self.live.pop(peer).sock.close()
            self.killed += 1


def scrape(s):
    """Series of a scrape that an OpenMetrics parser has taken."""
    text = t.http(s.metrics, '/metrics', fields=[OPEN])[2]
    try:
        from prometheus_client.openmetrics import parser
        list(parser.text_string_to_metric_families(text))
    except ImportError:
        pass
    return t.series(text)


def is_promtool_content(s):
    promtool = t.need('promtool')[0]
    text = t.http(s.metrics, '/metrics')[2]
    r = t.run([promtool, 'check', 'metrics'], input=text.encode())
    return (r.returncode, r.stdout + r.stderr) == (0, b'')


def enough_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 4 * TUNNELS
    if hard != resource.RLIM_INFINITY and hard < want:
        raise t.Skip('%d descriptors are too few' % hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, want), hard))


@t.limit(120)
def test_churn():
    enough_descriptors()
    t.rundir()
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0',
                 '--max-connections', str(TUNNELS + 100), '-q')
    s.metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    truth, last, back, wrong = Truth(s), scrape(s), [], 0
    truth.open(TUNNELS)

    def counted():
        m = scrape(s)
        return (m['inetws_connections_active'],
                m['inetws_connections_begun_total'],
                m['inetws_stream_bytes_total{direction="up"}'],
                m['inetws_stream_bytes_total{direction="down"}'])

    def known():
        return len(truth.live), truth.begun, truth.up, truth.down
    slowest = accepted = 0
    for i in range(ROUNDS):
        truth.exchange(60)
        truth.close(10, 'bye')
        truth.close(10, 'reset')
        truth.close(5, 'end')
        begin = t.ws.now()
        if not t.until(lambda: counted() == known()):
            t.is_(counted(), known(), 'round %d' % i)
            wrong += 1
        slowest = max(slowest, t.ws.now() - begin)
        truth.kill(10)
        begin = t.ws.now()
        if not t.until(lambda: counted()[0] == len(truth.live)):
            t.is_(counted(), known(), 'round %d, killed' % i)
            wrong += 1
        slowest = max(slowest, t.ws.now() - begin)
        truth.open(TUNNELS - len(truth.live))
        accepted += is_promtool_content(s)
        now = scrape(s)
        back += [k for k in now if re.search(r'_(total|count|bucket|sum)\b', k)
                 and now[k] < last[k]]
        last = now
    t.is_(wrong, 0, '%d tunnels, %d rounds of churn: always the truth' %
          (TUNNELS, ROUNDS))
    t.ok(slowest < 5 * t.SCALE, 'within seconds (%.2f s)' % slowest)
    t.is_(sorted(set(back)), [], 'nothing ever goes back')
    t.is_(accepted, ROUNDS, 'promtool never finds a fault')
    i = t.one()
    t.is_((i['active'], i['total'], i['up'], i['down'],
           i['ended']['killed']), known() + (truth.killed,),
          'status says the same')
    t.is_(len(i['tunnels']), TUNNELS, 'and lists them all')
    rows = {r['peer'] for r in i['tunnels']}
    t.is_(rows, set(truth.live), 'those and no others')
    for w in truth.live.values():
        w.sock.close()
    truth.live.clear()
    t.ok(t.until(lambda: counted() == known()), 'all gone')
    m = scrape(s)
    t.is_(sum(v for k, v in m.items() if 'connections_ended' in k),
          truth.begun, 'every one that began has ended')


t.main()
