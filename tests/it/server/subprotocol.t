#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Subprotocols at the serving side, tokens among them.

If it fails: MQTT, STOMP or a page's own script cannot connect, or a token
shows.
"""

import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402


def answered(server, offer):
    """The subprotocol of the answer, '' for none, or the status."""
    fields = [('Sec-WebSocket-Protocol', offer)] if offer else []
    a = t.ws.ask(server.port, t.ws.request(headers=fields))
    return a.status if a.status != 101 else a.headers.get(
        'sec-websocket-protocol', '')


def test_choice():
    for options, offer, want in (
            ((), 'mqtt, binary', 'binary'),
            ((), 'mqtt', ''),
            (('--subprotocol', 'mqtt,mqttv3.1'), 'mqttv3.1, mqtt',
             'mqttv3.1'),
            (('--subprotocol', 'mqtt'), 'binary', ''),
            (('--subprotocol', '*'), 'v12.stomp, v11.stomp', 'v12.stomp'),
            (('--subprotocol', '*'), '', ''),
            (('--require-subprotocol',), 'mqtt', 400),
            (('--require-subprotocol',), '', 400),
            (('--require-subprotocol', '--subprotocol', 'mqtt'), 'mqtt',
             'mqtt')):
        s = t.server(t.echo().port, *options)
        t.is_(answered(s, offer), want, '%s, offered "%s"' % (
            ' '.join(options), offer))
        s.stop()


def test_client():
    s = t.server(t.echo().port, '--subprotocol', 'b,c', '--resume', '0')
    r = t.run_inetws('connect', '-v', '--subprotocol', 'a,b',
                     'ws://127.0.0.1:%d/' % s.port, input=b'x')
    t.is_((r.returncode, r.stdout), (0, b'x'), 'a client offers several')
    t.like(r.stderr, 'Sec-WebSocket-Protocol: b', 'and one is chosen')
    r = t.run_inetws('connect', '--subprotocol', '*', 'ws://127.0.0.1:1/')
    t.is_(r.returncode, 64, 'a client has to name them')
    for word in ('a, b,a', 'a b', 'a@b', 'a/b', 'a;b', 'a,,b', '"a"', 'f\xfcr'):
        r = t.run_inetws('connect', '--subprotocol', word, 'ws://127.0.0.1:1/')
        t.is_(r.returncode, 64, 'tokens, each of them once: not %s' %
              ascii(word))


def test_bearer():
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('token:alice:%s\n' % hashlib.sha256(b's3cret').hexdigest())
    s = t.server(t.echo().port, '--auth-file', users, '--subprotocol', 'mqtt',
                 '--bearer-subprotocol', 'bearer.', '-v')
    t.is_(answered(s, 'mqtt, bearer.s3cret'), 'mqtt', 'the token lets in, the '
          'other subprotocol is answered')
    t.is_(answered(s, 'bearer.s3cret'), '', 'the token alone is never echoed')
    t.is_(answered(s, 'mqtt, bearer.wrong'), 401, 'a wrong one: 401')
    t.is_(answered(s, 'mqtt'), 401, 'none: 401')
    t.is_(answered(s, 'bearer.s3cret, bearer.x'), 400, 'two: 400')
    t.ok(s.has_line('user=alice'), 'the log names the user')
    t.ok('s3cret' not in s.log, 'and not the token')


def test_bearer_of_program():
    """A program gets the offer without the token, also when it is run for a
    warm client."""
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('token:alice:%s\n' % hashlib.sha256(b's3cret').hexdigest())
    s = t.inetws('server', '-l', '127.0.0.1:0', '--auth-file', users,
                 '--subprotocol', 'mqtt', '--bearer-subprotocol', 'bearer.',
                 '--eof=close', '--', 'env')
    port = t.port_of(t.listening(s)[0])
    for offer, want in (('mqtt, bearer.s3cret', 'mqtt'),
                        ('bearer.s3cret,a,b', 'a, b'), ('bearer.s3cret', None)):
        w = t.ws.connect(port, headers=[('Sec-WebSocket-Protocol', offer)])
        w.take_close()
        w.sock.close()
        env = dict(line.split('=', 1) for line in
                   bytes(w.data).decode().splitlines() if '=' in line)
        t.is_(env.get('HTTP_SEC_WEBSOCKET_PROTOCOL'), want, 'of "%s"' % offer)
        t.is_(env.get('REMOTE_USER'), 'alice', 'REMOTE_USER is there')
        t.ok('s3cret' not in str(env), 'and the token nowhere')
    c = t.client('ws://127.0.0.1:%d/' % port, '--warm', '1',
                 '--subprotocol', 'mqtt,bearer.s3cret')
    with t.ws.dial(c.port) as x:
        seen = t.ws.read_all(x)[0].decode()
    t.like(seen, '(?m)^HTTP_SEC_WEBSOCKET_PROTOCOL=mqtt$', 'a warm client')
    t.ok('s3cret' not in seen, 'not there either')


t.main()
