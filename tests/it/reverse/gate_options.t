#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A gate and the options that it shares with a server: subprotocols, tokens
among them, pages on its own listener.

If it fails: agents behind proxies and libraries that want these cannot park,
or a token shows.
"""

import hashlib
import os
import re
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402


def answered(g, offer, path='/agents/a'):
    """The subprotocol of the answer, '' for none, or the status."""
    fields = [('Sec-WebSocket-Extensions', r.OFFER)]
    if offer:
        fields.append(('Sec-WebSocket-Protocol', offer))
    a = t.ws.ask(g.port, t.ws.request(path, headers=fields))
    return a.status if a.status != 101 else a.headers.get(
        'sec-websocket-protocol', '')


def served(g, name):
    with r.visit(g.visitors) as v:
        v.sendall(b'hello')
        t.is_(t.ws.read_exactly(v, 5), b'hello', name)


def test_subprotocol():
    for options, offer, want in (
            ((), 'mqtt, binary', 'binary'),
            ((), 'mqtt', ''),
            (('--subprotocol', 'x,tunnel'), 'tunnel, x', 'tunnel'),
            (('--subprotocol', '*'), 'a, b', 'a'),
            (('--require-subprotocol',), 'mqtt', 400),
            (('--require-subprotocol',), '', 400)):
        g = r.gate(*options)
        t.is_(answered(g, offer), want, '%s, offered "%s"' % (
            ' '.join(options), offer))
        g.stop()
    g = r.gate('--subprotocol', 'x,tunnel', '--require-subprotocol')
    r.agent(g.url(), t.echo().port, '--subprotocol', 'other,tunnel')
    served(g, 'an agent that offers one serves')
    a = r.agent(g.url(), t.echo().port, '--retry', '1')
    t.is_(a.wait(), 76, 'one that does not is refused')
    t.like(a.log, 'requires another subprotocol', 'and told why')


def test_bearer():
    """The secret of --agents-file, a token of --auth-file, and what a program
    of --auth-command gets."""
    d = t.folder()
    with open(d + '/users', 'w') as f:
        f.write('token:alice:%s\n' % hashlib.sha256(b's3cret').hexdigest())
    with open(d + '/may', 'w') as f:
        f.write('#!/bin/sh\nenv >>%s/env\n'
                '[ "$HTTP_AUTHORIZATION" = "Bearer s3cret" ]\n' % d)
    os.chmod(d + '/may', 0o755)
    for auth, wrong in (
            (('--agents-file', r.agents_file(a='s3cret')), 403),
            (('--auth-file', d + '/users'), 401),
            (('--auth-command', d + '/may'), 403)):
        g = r.gate('--subprotocol', 'tunnel', '--bearer-subprotocol',
                   'bearer.', '-v', auth=auth)
        t.is_(answered(g, 'tunnel, bearer.s3cret'), 'tunnel',
              auth[0] + ': the token lets in, the other one is answered')
        t.is_(answered(g, 'bearer.s3cret'), '', 'it is never answered')
        t.is_(answered(g, 'tunnel, bearer.gue55'), wrong, 'a wrong one')
        t.ok(answered(g, 'tunnel') in (401, 403), 'none')
        t.is_(answered(g, 'bearer.s3cret, bearer.x'), 400, 'two')
        r.agent(g.url(), t.echo().port, '--subprotocol',
                'bearer.s3cret,tunnel')
        served(g, 'an agent with it serves')
        g.stop()
        t.unlike(g.wait_log(), 's3cret|gue55', 'none is logged')
    env = open(d + '/env').read()
    offers = re.findall('(?m)^HTTP_SEC_WEBSOCKET_PROTOCOL=(.*)$', env)
    t.ok(offers and not any('bearer' in o for o in offers),
         'and none stands in the offer that a program sees')


def test_of_others():
    """A gate has no plain peers."""
    for word in ('--text', '--max-frame-size=4k'):
        q = t.run_inetws('gate', '-l', '127.0.0.1:0', '--visitors',
                         '127.0.0.1:0', '--allow-any-agent', word)
        t.is_(q.returncode, 64, word + ': usage')
        t.like(q.stderr, 'belongs to server, client and connect', 'and why')


def test_pages():
    t.rundir()
    g = r.gate('--metrics-path', '/m', '--health-path', '/h', '--path',
               '/agents', '--visitors-dir', t.folder(), '-v', visitors=None,
               auth=('--agents-file', r.agents_file(a='s3cret')))
    agent = r.raw_agent(g, secret='s3cret')
    t.is_(t.http(g.port, '/m')[0], 200, 'metrics, without a secret')
    t.ok(t.until(lambda: 'inetws_agent_websockets{name="a",state="parked"} 1'
                 in t.http(g.port, '/m')[2]), 'those of the gate')
    for text, want in (
            ('GET /h HTTP/1.1\r\nHost: x\r\n\r\n', (200, 'alive\n')),
            ('HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n', (200, '')),
            ('GET /h HTTP/1.0\r\n\r\n', (200, 'alive\n')),
            ('GET /agents HTTP/1.1\r\nHost: x\r\n\r\n', (426, None))):
        a = t.http(g.port, None, raw=text.encode())
        t.is_((a[0], a[2] if want[1] is not None else None), want,
              text.split('\r')[0])
    t.is_(answered(g, '', path='/h'), 404, 'a websocket gets no page')
    agent.drop()
    g.stop()
    cert = t.certificate()
    g = r.gate('--health-path', '/h', '--tls-cert', cert.cert, '--tls-key',
               cert.key)
    with ssl.create_default_context(cafile=cert.ca).wrap_socket(
            t.ws.dial(g.port), server_hostname='localhost') as x:
        x.sendall(b'GET /h HTTP/1.1\r\nHost: x\r\n\r\n')
        t.like(t.ws.read_all(x)[0], '\\Aalive|alive', 'by TLS, too')
    for words in (('--metrics-path', '/p', '--health-path', '/p'),
                  ('--metrics-path', '/p', '--path', '/p')):
        q = t.run_inetws('gate', '-l', '0', '--visitors', '0',
                         '--allow-any-agent', *words)
        t.is_(q.returncode, 64, 'one path for two things: ' + words[2])


t.main()
