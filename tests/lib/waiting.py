# SPDX-License-Identifier: ISC
"""Sessions that have lost their websockets: a dialling peer that a test drives
frame by frame, and what the server knows of its sessions."""

import inetws as t
import inetws_peer as p

OFFER = 'inetws; v=2; id=me; resume'


def headers(source):
    return 'X-Forwarded-For: %s\r\n' % source if source else ''


def session(port, source=None, path='/', extra='', offer=OFFER):
    """Begins a session; returns its websocket (a Raw)."""
    return p.raw_dial('127.0.0.1', port, path, offer,
                      headers(source) + extra, timeout=t.BOUND)


def status_of(port, source=None, path='/', extra='', offer=OFFER):
    """The HTTP status of a request for a new session, which is ended again."""
    try:
        session(port, source, path, extra, offer).drop()
        return 101
    except p.Refused as e:
        return e.status


def instance(s):
    """What status --json has of a server."""
    i, = [i for i in t.status()['instances'] if i['pid'] == s.pid]
    return i


def lost(s):
    """The tunnels of a server that wait for a websocket."""
    return [r for r in instance(s)['tunnels'] if r['state'] == 'lost']


def lose(s, raws, all_of_them=None):
    """Ends these websockets, and waits until the server has noticed it;
    all_of_them: how many of its tunnels wait for a websocket then."""
    for raw in raws:
        raw.drop()
    t.until(lambda: len(lost(s)) == (all_of_them or len(raws)))


def redial(port, raw, source=None, path='/', extra=''):
    """Redials for the session of raw.  The HTTP status; after 101 raw.drop()
    ends the new websocket."""
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
