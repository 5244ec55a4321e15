#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Sessions that wait for their websockets and the limits of an instance:
redials need no place, and one user's sessions leave room for others.  That a
session gives its place away after 15 seconds is in tests/long/places.t.

If it fails: tunnels whose websockets were lost do not come back while an
instance is full, or keep everybody out.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import inetws_peer as p     # noqa: E402
import reverse as r     # noqa: E402
import waiting as w     # noqa: E402


def test_too_early():
    """A session that was lost just now keeps its place."""
    s = t.server(t.echo().port, '--max-connections', '2')
    raws = [w.session(s.port) for _ in range(2)]
    w.lose(s, raws)
    t.is_(w.status_of(s.port), 503, 'full: one more is refused')
    t.ok(s.has_line('event=at-limit max-connections=2 refused=1'),
         'which is logged')
    t.is_([w.redial(s.port, r) for r in raws], [101, 101],
          'and both sessions come back')


def test_at_max_handshakes():
    s = t.server(t.echo().port, '--max-handshakes', '3',
                 '--handshake-timeout', '60s')
    raws = []
    for _ in range(4):
        raws.append(w.session(s.port))
        t.until(lambda: [r['state'] for r in w.instance(s)['tunnels']] ==
                ['open'] * len(raws))       # not in its handshake any more
    w.lose(s, raws)
    mute = [t.ws.dial(s.port) for _ in range(3)]
    t.until(lambda: len(t.children(s.pid)) == 7)
    t.is_(w.status_of(s.port), 503, 'so many are in their handshakes')
    t.is_([w.redial(s.port, r) for r in raws], [101] * 4,
          'redials are served nevertheless')
    t.ok(all(t.ws.quiet_for(x, 0) for x in mute), 'while those wait')


def test_replace():
    """Nothing is replaced by a websocket that is refused."""
    g = r.gate('--replace', '--max-connections', '2', '--max-handshakes', '1',
               '--handshake-timeout', '60s')
    a = r.raw_agent(g)
    r.parked(g)
    mute = t.ws.dial(g.port)
    t.until(lambda: len(t.children(g.pid)) == 2)
    t.is_(w.status_of(g.port, path='/agents/a',
                      offer=r.OFFER.replace('agent1', 'other')), 503,
          'no more may be in their handshakes')
    visitor = r.visit(g.visitors)
    t.is_(r.line(a)[:5], 'open ', 'and the one that is parked stays')
    visitor.close()
    mute.close()


def test_silent_redials():
    """Those who say nothing do not keep redials out for long."""
    s = t.server(t.echo().port, '--max-connections', '1',
                 '--handshake-timeout', '60s')
    raw = w.session(s.port)
    mute = [t.ws.dial(s.port) for _ in range(16)]
    t.until(lambda: len(t.children(s.pid)) == 17)
    t.is_(w.status_of(s.port), 503, 'as many as may are looked at')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 1),
         'they are given up soon')
    w.lose(s, [raw])
    t.is_(w.redial(s.port, raw), 101, 'and redials are served')
    t.is_({t.ws.read_all(x)[0][:12] for x in mute}, {b'HTTP/1.1 408'},
          'whatever the handshake timeout')


def test_share_of_agents():
    """By name, whatever the address that several of them come from."""
    folder = t.folder()
    g = r.gate('--visitors-dir', folder, '--max-connections', '7',
               '--trusted-proxy', '127.0.0.0/8', '--real-ip-header',
               'X-Forwarded-For', visitors=None,
               auth=('--agents-file', r.agents_file(aa='s3cret', bb='s3cret')))
    agents = []
    for name in 'aa', 'bb':
        raw = w.session(g.port, '203.0.113.1', '/' + name,
                        'Authorization: Bearer s3cret\r\n',
                        r.OFFER + '; resume')
        v = r.visit('%s/%s.sock' % (folder, name))
        v.sendall(b'x')
        t.is_(r.line(raw)[:5], 'open ', 'a visitor of ' + name)
        raw.text('ok')
        agents.append((raw, v))
    w.lose(g, [raw for raw, _ in agents])
    t.is_(len(w.lost(g)), 2, 'the sessions of both wait')


def test_share():
    """A quarter of --max-connections, at least one, for each user."""
    s = t.server(t.echo().port, '--max-connections', '8', '--metrics',
                 '127.0.0.1:0', '--trusted-proxy', '127.0.0.0/8',
                 '--real-ip-header', 'X-Forwarded-For')
    page = int(s.wait_line('metrics on .*:([0-9]+)')[1])
    a = [w.session(s.port, '203.0.113.1') for _ in range(3)]
    w.lose(s, a[:2])
    a[2].drop()
    t.ok(s.has_line(r'event=closed .*peer=203\.0\.113\.1 .*end=websocket-lost '
                    '.*too many sessions of this user or address wait'),
         'the third one of an address does not wait, which is logged')
    t.is_([w.redial(s.port, r, '203.0.113.1') for r in a], [101, 101, 410],
          'its redial gets 410, those of the others succeed')
    t.like(t.http(page, '/metrics')[2], 'inetws_sessions_gave_way_total 1\n',
           'it is counted')
    t.is_(w.instance(s)['gave_way'], 1, 'by status too')
    b = [w.session(s.port, '203.0.113.2') for _ in range(2)]
    w.lose(s, b, 2)
    t.is_([w.redial(s.port, r, '203.0.113.2') for r in b], [101, 101],
          'another address has its own share')
    for r in a[:2] + b:
        r.drop()
    t.until(lambda: len(w.lost(s)) == 4 == len(t.children(s.pid)))
    c = [w.session(s.port) for _ in range(4)]
    w.lose(s, c, 8)
    t.is_([w.redial(s.port, r) for r in c], [101] * 4,
          'a proxy that tells no address is no one in particular')


t.main()
