#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The round trips that a tunnel costs when nginx is 50 ms away: none with
client --warm, one with an agent whose websocket is parked at the gate.  Set-up
is the time by which the first byte is slower than the second.

If it fails: each connection takes several round trips longer to open.

The path is a slow link between two network namespaces; where these cannot be
made, a proxy that delays, behind which the handshake of TCP costs nothing.
"""

import collections
import contextlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import netns                            # noqa: E402
import reverse as r                     # noqa: E402

DELAY = .05             # seconds each way
TRIP = 2 * DELAY
ROUNDS = 5
MOST = 40               # if the machine is too busy for so few


class Way:
    """near() is where nginx and what is behind it are, far() where those are
    who dial it.  .dial: round trips to have a websocket."""

    def __init__(self):
        self.near = self.far = contextlib.nullcontext
        self.host, self.link = 'localhost', None
        try:
            self.link = netns.Slow(DELAY)
            self.near, self.far = self.link.in_near, self.link.in_far
            self.host = netns.NEAR
        except t.Skip as e:
            t.diag('a delaying proxy instead of a slow link: %s' % e)
        self.dial = 3 if self.link else 2       # TCP, TLS, the upgrade
        self.cert = t.certificate(['IP:' + netns.NEAR, 'DNS:localhost'])

    def nginx(self, upstream):
        """The URL for the side that is far."""
        port = t.free_port()
        t.nginx_site(port, 'server { listen %d ssl; ssl_certificate %s; '
                     'ssl_certificate_key %s; %s }' % (
                         port, self.cert.cert, self.cert.key,
                         t.location(upstream, '/')))
        if self.link is None:
            port = r.Delay(port, DELAY).port
        return 'wss://%s:%d/' % (self.host, port)


class Visit:
    """A visitor of an echo.  answers(): how long the first one took, and the
    second one, for which there was a tunnel."""

    def __init__(self, where):
        self.begin = time.monotonic()
        self.sock = r.visit(where)
        self.sock.sendall(b'x')

    def answers(self):
        self.sock.recv(1)
        first = time.monotonic() - self.begin
        begin = time.monotonic()
        self.sock.sendall(b'y')
        self.sock.recv(1)
        second = time.monotonic() - begin
        self.sock.close()
        return first, second


def setup(times):
    """Round trips, by the least of each: a busy machine adds to all of them, and
    takes nothing away."""
    first, second = map(min, zip(*times))
    return (first - second) / TRIP


def judge(ready, expected, cold, least, again):
    """again(): another round of each."""
    def is_busy():
        return not expected - .5 <= setup(ready) < expected + .5 or \
            setup(cold) - setup(ready) < least - .5
    while is_busy() and len(ready) < MOST:
        again()
    ready, cold = setup(ready), setup(cold)
    t.ok(ready >= expected - .5, 'set-up of one that waits: %.2f round trips '
         'of %d ms' % (ready, 1000 * TRIP))
    t.ok(cold - ready >= least - .5,
         'and of one that has to be dialled: %.2f' % cold)
    t.ok(ready < expected + .5 or t.SCALE > 1 and ready < cold / 2,
         'so the first has cost %d' % expected)


def test_client():
    way, took = Way(), collections.defaultdict(list)
    with way.near():
        s = t.server(t.echo().port)
        url = way.nginx(s.port)
    with way.far():
        cold, warm = (t.client(url, '--cacert', way.cert.ca, '--warm', n)
                      for n in '01')

    def again():
        took[cold].append(Visit(cold.port).answers())
        r.parked(s)
        r.parked(warm)
        took[warm].append(Visit(warm.port).answers())
    with way.far():
        for _ in range(ROUNDS):
            again()
        judge(took[warm], 0, took[cold], way.dial, again)


def test_agent():
    """With one websocket the second of two visitors at once waits for the
    next one."""
    way, took = Way(), [[], []]
    with way.near():
        g = r.gate()
        url = way.nginx(g.port)
    with way.far():
        r.agent(url + 'agents/a', t.echo().port, '--cacert', way.cert.ca,
                '--spare', '1')

    def again():
        r.parked(g)
        visits = [Visit(g.visitors) for _ in range(2)]
        for visit, times in zip(visits, took):
            times.append(visit.answers())
    with way.near():
        for _ in range(ROUNDS):
            again()
        judge(took[0], 1, took[1], way.dial, again)


if __name__ == '__main__':
    t.main()
