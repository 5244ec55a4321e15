# SPDX-License-Identifier: ISC
"""Sessions whose websockets are lost, led frame by frame."""

import inetws as t
import inetws_peer as p

OFFER = 'inetws; v=2; id=me; resume'


def headers(source):
    return 'X-Forwarded-For: %s\r\n' % source if source else ''


def session(port, source=None, path='/', extra='', offer=OFFER):
    """A new one; its websocket is a Raw."""
    return p.raw_dial('127.0.0.1', port, path, offer,
                      headers(source) + extra, timeout=t.BOUND)


def status_of(port, source=None, path='/', extra='', offer=OFFER):
    """Of a request for a new one; 101 is closed again."""
    try:
        session(port, source, path, extra, offer).drop()
        return 101
    except p.Refused as e:
        return e.status


def instance(s):
    i, = [i for i in t.status()['instances'] if i['pid'] == s.pid]
    return i


def lost(s):
    return [r for r in instance(s)['tunnels'] if r['state'] == 'lost']


def lose(s, raws, all_of_them=None):
    """Their websockets end, and the server knows."""
    for raw in raws:
        raw.drop()
    t.until(lambda: len(lost(s)) == (all_of_them or len(raws)))


def redial(port, raw, source=None, path='/', extra=''):
    """The status of the next redial; raw is its websocket then."""
    raw.redials = getattr(raw, 'redials', 0) + 1
    try:
        new = p.raw_dial('127.0.0.1', port, path, 'inetws; v=2; id=me; '
                         'resume="%s"; n=%d; at=0' %
                         (raw.params['resume'], raw.redials),
                         headers(source) + extra, timeout=t.BOUND)
    except p.Refused as e:
        return e.status
    raw.drop = new.drop
    return 101
