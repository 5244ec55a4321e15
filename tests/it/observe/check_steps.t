#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws check as the doctor: each step names what is wrong with it, and what
to do next.

If it fails: a user with a broken path is not told which part to mend.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import ca               # noqa: E402
import json             # noqa: E402
import pty              # noqa: E402
import reverse          # noqa: E402
import select           # noqa: E402
import socket           # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402

STEPS = ['name', 'connect', 'proxy', 'tls', 'answer', 'upgrade', 'extension',
         'subprotocol', 'ping', 'resume', 'message', 'target', 'idle']


def look(*words, env=None):
    """(exit status, object, {step: its object}) of check --json."""
    r = t.run_inetws('check', '--json', *words, timeout=3 * t.BOUND,
                     env=dict(os.environ, **(env or {})))
    if r.stderr:
        t.diag(r.stderr)
    c = json.loads(r.stdout)
    return r.returncode, c, {s['step']: s for s in c['steps']}


def look_until(is_good, *words):
    """The first look that is good, or the last one: a target's end may come
    when check does not wait for it any more."""
    found = []
    t.until(lambda: found.append(look(*words)) or is_good(*found[-1]))
    return found[-1]


def judged(r, step, state, text, advice, what):
    """The step has this state, text and advice, and no other has failed."""
    code, c, steps = r
    s = steps[step]
    t.is_(s['state'], state, '%s: %s' % (what, step))
    t.like(s['text'] or '', text, 'and what')
    t.like(s['advice'] or '', advice, 'and what to do')
    if advice:
        t.ok(s['advice'] in c['next'], 'which is told last')
    t.is_([k for k, v in steps.items() if v['state'] == 'failed' and
           k != step], [], 'the others have not failed')
    t.is_(code == 0, state == 'ok', 'the exit status')


def url(port, scheme='ws', host='127.0.0.1'):
    return '%s://%s:%d/' % (scheme, host, port)


def site(text, before=''):
    """nginx with this in its server block; its URL."""
    port = t.free_port()
    t.nginx_site(port, '%s server { listen 127.0.0.1:%d; %s }\n' %
                 (before, port, text))
    return url(port)


def pass_to(port, more=''):
    return ('proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; '
            'proxy_set_header Upgrade $http_upgrade; '
            'proxy_set_header Connection "upgrade"; %s' % (port, more))


def test_order():
    s = t.server(t.source(b'SSH-2.0-there\r\n').port)
    code, c, steps = look(url(s.port))
    t.is_((code, [x['step'] for x in c['steps']]), (0, STEPS),
          'all steps, in order')
    t.is_({k: v['state'] for k, v in steps.items()},
          dict({k: 'ok' for k in STEPS}, tls='not tried',
               subprotocol='not tried', resume='not tried',
               idle='not tried'), 'and their states')
    t.is_((c['target'], c['target_says']), ('reached', 'SSH-2.0-there'),
          'what the target says')
    t.like(c['next'][0], r"use it: ssh -o ProxyCommand='inetws connect ws:",
           'what to do next: ssh')
    r = t.run_inetws('check', url(s.port))
    t.like(r.stdout.decode(), r'(?s)\nall is well\nnext:\n  use it: ssh.*\n$',
           'and for a person')
    t.is_([line.split()[1] for line in r.stdout.decode().split('\n')
           if line.startswith(('ok ', '- '))], STEPS, 'a line for each')
    code, c, steps = look(url(t.free_port()))
    t.is_([k for k, v in steps.items() if v['state'] != 'not tried'],
          ['name', 'connect', 'proxy'], 'none behind the one that failed')


def test_addresses():
    s = t.server(t.echo().port)
    code, c, steps = look('--resolve', 'h.example:%d:127.0.0.2,127.0.0.1' %
                          s.port, 'ws://h.example:%d/' % s.port)
    t.is_((code, [(a['address'], a['ms'] is not None) for a in
                  c['connects']]),
          (0, [('127.0.0.2:%d' % s.port, False),
               ('127.0.0.1:%d' % s.port, True)]), 'which of them connect')
    t.like(steps['connect']['text'], 'refused', 'and why not')
    t.like(steps['name']['text'], 'IPv4 only', 'the families')
    both = t.server(t.echo().port, listen='0.0.0.0:0')
    code, c, steps = look('--resolve', 'h.example:%d:127.0.0.1,127.0.0.3' %
                          both.port, 'ws://h.example:%d/' % both.port)
    t.like(steps['connect']['text'], '127.0.0.3:.* connects too', 'both do')
    code, c, steps = look('--resolve', 'h.example:%d:[::1],127.0.0.1' %
                          s.port, 'ws://h.example:%d/' % s.port)
    t.like(steps['name']['text'], 'IPv4 and IPv6', 'both families')
    judged(look(url(t.free_port())), 'connect', 'failed', 'refused',
           'listening on', 'no listener')


def test_proxies():
    s = t.server(t.echo().port)
    p = t.Scripted(port=s.port)
    at = 'http://127.0.0.1:%d' % p.port
    where = 'ws://h.example:%d/' % s.port
    code, c, steps = look(where, env={'http_proxy': at})
    t.is_((code, len(p.seen)), (0, 1), 'by a proxy of the environment')
    t.like(steps['proxy']['text'], r'of http_proxy', 'which is named')
    code, c, steps = look('-x', at, where)
    t.like(steps['proxy']['text'], r'of --proxy', 'and an option')
    code, c, steps = look(url(s.port), env={'http_proxy': at,
                                            'no_proxy': '127.0.0.1'})
    t.like(steps['proxy']['text'], 'none: no_proxy excepts', 'not this host')
    judged(look(url(t.free_port()), env={'HTTPS_PROXY': at}), 'connect',
           'failed', 'refused', 'HTTPS_PROXY is set, but does not count for '
           'ws://: set http_proxy', 'a variable for other URLs')
    asks = t.Scripted(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=x'
                      b'\r\nContent-Length: 0\r\n\r\n')
    x = 'http://127.0.0.1:%d' % asks.port
    judged(look('-x', x, where), 'proxy', 'failed', '407',
           '--proxy-user @FILE', 'a proxy that asks for a password')
    judged(look('-x', x, '--proxy-user', 'a:b', where), 'proxy', 'failed',
           '407', 'password is wrong', 'and gets a wrong one')
    dead = 'http://127.0.0.1:%d' % t.free_port()
    judged(look('-x', dead, where), 'connect', 'failed', 'refused',
           'no proxy listens there', 'a proxy that is not there')
    forbids = t.Scripted(b'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n')
    judged(look('-x', 'http://127.0.0.1:%d' % forbids.port, where), 'proxy',
           'failed', '403', 'port 443', 'one that forbids the port')


def test_nginx():
    s = t.server(t.echo().port, '--path', '/right/')
    plain = 'location / { proxy_pass http://127.0.0.1:%d; %%s }' % s.port
    for more, status in (('', 505), ('proxy_http_version 1.1;', 426)):
        judged(look(site(plain % more)), 'upgrade', 'failed', str(status),
               'proxy_set_header Upgrade', 'no Upgrade lines')
    judged(look(site('location /x { %s }' % pass_to(s.port))), 'upgrade',
           'failed', '404', 'location', "nginx's 404")
    judged(look(site('location / { %s }' % pass_to(s.port))), 'upgrade',
           'failed', 'no such path', '--path', "inetws's 404 behind nginx")
    r = look(site('location / { %s }' % pass_to(t.free_port())))
    judged(r, 'upgrade', 'failed', '502', 'proxy_pass', 'nothing behind')
    t.is_((r[1]['answered_by'], r[1]['answered_by_name']),
          ('server', 'nginx'), 'by nginx')
    cert = t.certificate()
    n = t.nginx(s.port, cert)
    judged(look(n.url.replace('wss:', 'ws:')), 'upgrade', 'failed', '400',
           'use wss://', 'ws:// at a port that speaks TLS')
    judged(look(url(s.port, 'wss')), 'tls', 'failed', 'does not speak TLS',
           'use ws://', 'and the other way round')
    users = t.folder() + '/users'
    with open(users, 'w') as f:
        f.write('ann:{PLAIN}right\n')
    basic = site('location / { auth_basic x; auth_basic_user_file %s; %s }' %
                 (users, pass_to(s.port)))
    judged(look(basic), 'answer', 'failed', '401', '-u @FILE', 'a password')
    judged(look('-u', 'ann:left', basic), 'answer', 'failed', '401',
           'correct the user', 'a wrong one')


def test_secret():
    """What a gate wants is no password."""
    g = reverse.gate(auth=('--agents-file', reverse.agents_file(a='s3cret')))
    judged(look(g.url('a')), 'answer', 'failed', '401',
           '-H @FILE with a line Authorization: Bearer', 'no secret')
    judged(look('-H', 'Authorization: Bearer else', g.url('a')), 'answer',
           'failed', '403', '--agents-file', 'a wrong one')


def test_gate():
    """A client at the address for agents."""
    g = t.inetws('gate', '-l', '127.0.0.1:0', '--allow-any-agent',
                 '--visitors', '127.0.0.1:0')
    port = t.port_of(t.listening(g)[0])
    judged(look(url(port)), 'upgrade', 'failed', 'only inetws agents',
           'a gate answers', 'a gate')


def test_login():
    page = ('default_type text/html; return 200 "<html><head><title>Sign in'
            '</title></head><form><input type=password></form></html>";')
    r = look(site('location / { return 302 /sso/?to=ssh; } '
                  'location /sso/ { %s }' % page))
    judged(r, 'answer', 'failed', 'Sign in', 'a login page stands before',
           'a login page by redirect')
    t.is_((r[1]['answered_by'], r[1]['title']), ('login', 'Sign in'),
          'is known as one')
    t.like(t.run_inetws('connect', r[1]['url'], input=b'').stderr,
           r"its page: 'Sign in'", 'connect names the page too')
    r = look(site('location / { default_type text/html; return 200 '
                  '"<title>Holidays</title>"; }'))
    judged(r, 'upgrade', 'failed', 'Holidays', 'compare the path',
           'any other page')


def test_cdn():
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\nCF-RAY: 1-FRA\r\n'
        b'Content-Type: text/html\r\nContent-Length: 0\r\n\r\n'))
    r = look(url(up.port))
    judged(r, 'answer', 'failed', '403', 'rule of the web server or CDN',
           'a CDN that forbids')
    t.is_((r[1]['answered_by'], r[1]['answered_by_name']),
          ('cdn', 'Cloudflare'), 'is named')


def haproxy(port):
    program, = t.need('haproxy')
    at = t.free_port()
    path = t.folder() + '/cfg'
    with open(path, 'w') as f:
        f.write('defaults\n  mode http\n  timeout connect 5s\n'
                '  timeout client 60s\n  timeout server 60s\n'
                'frontend f\n  bind 127.0.0.1:%d\n  default_backend b\n'
                'backend b\n  server s 127.0.0.1:%d\n' % (at, port))
    return t.answering(t.Program([program, '-db', '-f', path]), at) and at


def test_haproxy():
    s = t.server(t.echo().port)
    code, c, steps = look(url(haproxy(s.port)))
    t.is_((code, c['extension'], c['target']), (0, 'agreed', 'reached'),
          'through HAProxy')
    r = look(url(haproxy(t.free_port())))
    judged(r, 'upgrade', 'failed', '503', 'no server that is alive',
           'nothing behind it')
    t.is_(r[1]['answered_by_name'], 'HAProxy', 'it is known')


def test_certificates():
    s = t.server(t.echo().port)
    for cert, words, text, advice in (
            (t.certificate(days=-1), ('ca',), 'expired', 'set the clock'),
            (t.certificate(['DNS:other.example']), ('ca',), 'mismatch',
             'use a name of the certificate'),
            (t.certificate(), (), 'unknown authority', '--cacert'),
            (ca.self_signed(), (), 'self-signed', '--pinnedpubkey sha256//')):
        n = t.nginx(s.port, cert)
        judged(look(*(('--cacert', cert.ca) if words else ()), n.url), 'tls',
               'failed', text, advice, 'a certificate: ' + text)


def test_extension():
    s = t.server(t.echo().port)
    for more in ('proxy_set_header Sec-WebSocket-Extensions "";',
                 'proxy_hide_header Sec-WebSocket-Extensions;'):
        r = look(site('location / { %s }' % pass_to(s.port, more)))
        judged(r, 'extension', 'warning', 'something between removes',
               'let the proxy pass Sec-WebSocket-Extensions', more)
        t.is_((r[1]['extension'], r[1]['inetws']), ('stripped', True),
              'it is inetws behind it')
    plain = t.WSServer()
    threading.Thread(target=lambda: pong(plain.next()), daemon=True).start()
    code, c, steps = look(url(plain.port))
    t.is_((code, c['extension'], c['inetws'], c['target']),
          (0, 'plain', False, None), 'a plain peer, whose target is not known')


def pong(w):
    while True:
        f = w.read_frame()
        if f is None or f.opcode == t.ws.CLOSE:
            return w.sock.close()
        if f.opcode == t.ws.PING:
            w.pong(f.payload)


def test_subprotocol():
    s = t.server(t.echo().port, '--subprotocol', 'mqtt')
    code, c, steps = look('--subprotocol', 'mqtt', url(s.port))
    t.is_((code, steps['subprotocol']['text']), (0, 'mqtt'), 'the same')
    judged(look('--subprotocol', 'binary', url(s.port)), 'subprotocol',
           'warning', '^binary was offered, but', 'the same --subprotocol',
           'another one')
    up = t.WSServer(headers=[('Sec-WebSocket-Protocol', 'chat')])
    judged(look(url(up.port)), 'subprotocol', 'failed', 'was not offered',
           '--subprotocol', 'one that was not offered')


class Collector(t.Proxy):
    """Passes bytes on only when so many have come, or after a time; all that
    comes with a head at once."""

    def __init__(self, port, size, seconds=None):
        self.size, self.seconds = size, seconds
        super().__init__(port)

    def _copy(self, src, dst):
        kept, upgraded = b'', False
        try:
            while True:
                if not select.select([src], [], [], self.seconds)[0]:
                    dst.sendall(kept)
                    kept = b''
                    continue
                data = src.recv(65536)
                if not data:
                    break
                kept += data
                if not upgraded and b'\r\n\r\n' in kept:
                    upgraded = True
                elif len(kept) < self.size:
                    continue
                dst.sendall(kept)
                kept = b''
        except OSError:
            pass
        for s in (src, dst):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def test_buffering():
    s = t.server(t.echo().port)
    p = Collector(s.port, 4096)
    r = look('--handshake-timeout', '3s', url(p.port))
    judged(r, 'message', 'warning', 'only when more comes behind it',
           'switch buffering off', 'a proxy that collects bytes')
    t.is_(r[1]['message'], 'held', 'and in JSON')
    p = Collector(s.port, 4096, 0.3)
    r = look(url(p.port))
    judged(r, 'message', 'warning', 'late: the handshake',
           'switch buffering off', 'one that does so for a while')
    t.is_(r[1]['message'], 'late', 'and in JSON')


def test_no_timeout():
    """A peer that never answers holds no check for ever, whatever the options."""
    peer = t.WSServer([('Sec-WebSocket-Extensions', 'inetws; v=2; id=x')])

    def answer_pings():
        w = peer.next()
        try:
            while w.take() is not None:
                pass
        except OSError:
            pass
    threading.Thread(target=answer_pings, daemon=True).start()
    code, c, steps = look('--handshake-timeout', '0', url(peer.port))
    t.is_((code, c['message']), (1, 'lost'), 'its line has no answer')


def test_slow_is_not_buffered():
    """A long way is no fault."""
    s = t.server(t.echo().port)

    class Far(t.Proxy):
        def _copy(self, src, dst):
            todo = []
            try:
                while True:
                    wait = None if not todo else max(
                        0, todo[0][0] - time.monotonic())
                    if select.select([src], [], [], wait)[0]:
                        data = src.recv(65536)
                        if not data:
                            break
                        todo.append((time.monotonic() + 0.1, data))
                    while todo and todo[0][0] <= time.monotonic():
                        dst.sendall(todo.pop(0)[1])
            except OSError:
                pass
            for s in (src, dst):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
    code, c, steps = look(url(Far(s.port).port))
    t.is_((code, c['message']), (0, 'at once'), 'a round trip of 0.2 s')
    t.ok(c['ping']['least_ms'] >= 200, 'which is seen')


def test_target():
    s = t.server(t.free_port())
    judged(look(url(s.port)), 'target', 'failed', '502', 'start the target',
           'a dead target')
    s = t.server(t.source(b'').port)
    judged(look_until(lambda code, c, steps: c['target'] == 'ended',
                      url(s.port)), 'target', 'warning', 'without a byte',
           'whether the target refuses', 'one that ends at once')
    s = t.server(t.Listener(t.ws.reset).port)

    def seen(code, c, steps):
        return code != 0 and c['target'] in ('ended', 'dead')
    t.ok(seen(*look_until(seen, url(s.port))), 'one that resets')
    bare = t.WSServer()

    def tell():
        w = bare.next()
        w.close(1011, b'no such host')
    threading.Thread(target=tell, daemon=True).start()
    judged(look(url(bare.port)), 'target', 'failed', '1011: no such host',
           'start the target', 'a plain peer that tells of it')


def test_resume():
    s = t.server(t.source(b'hello').port)
    n = t.nginx(s.port)
    for where in (url(s.port), n.url):
        mark = s.mark()
        code, c, steps = look('--test-resume', where)
        t.is_((code, c['test_resume'], steps['resume']['state']),
              (0, 'went on', 'ok'), 'cut and resumed')
        t.ok(s.has_line('event=resumed', since=mark),
             "the server's log says so")
    t.ok(t.until(lambda: not t.children(s.pid)), 'nothing is left')
    off = t.server(t.echo().port, '--resume', '0')
    judged(look('--test-resume', url(off.port)), 'resume', 'warning',
           'no session', '--resume 0', 'a server without sessions')


def test_resume_elsewhere():
    """Two instances at one address, which find no session of the other."""
    if os.getuid() != 0:
        raise t.Skip('needs root: instances of one user share sessions')
    two = [t.server(t.echo().port), t.server(
        t.echo().port, preexec_fn=t.unprivileged(),
        program=t.world_executable())]
    shared = site('location / { %s }' % pass_to(0).replace(
        '127.0.0.1:0', 'both'), 'upstream both { server 127.0.0.1:%d; server '
        '127.0.0.1:%d; }' % (two[0].port, two[1].port))
    r = look('--test-resume', shared)
    judged(r, 'resume', 'warning', 'another instance', 'sticky',
           'a balancer that is not sticky')

    class Elsewhere(t.Proxy):
        """Leads each connection but the first one to the other."""

        def _serve(self, a):
            if self.pairs or self.to[1] == two[0].port and self.accepted > 1:
                self.to = ('127.0.0.1', two[1].port)
            super()._serve(a)
    p = Elsewhere(two[0].port)
    r = look('--test-resume', url(p.port))
    judged(r, 'resume', 'failed', 'did not go on', 'sticky',
           'one that never finds it')
    t.is_(r[0], 74, '74')


def on_terminal(words, env):
    ours, theirs = pty.openpty()
    p = subprocess.Popen([t.INETWS, 'check', *words], stdout=theirs,
                         stdin=subprocess.DEVNULL, stderr=theirs,
                         env=dict(dict(os.environ, TERM='xterm'), **env))
    os.close(theirs)
    text = b''
    try:
        while True:
            data = os.read(ours, 65536)
            if not data:
                break
            text += data
    except OSError:
        pass
    os.close(ours)
    p.wait(t.BOUND)
    return text.decode()


def test_colours():
    s = t.server(t.source(b'').port)
    found = []
    t.until(lambda: found.append(on_terminal(
        [url(s.port)], {'NO_COLOR': ''})) or 'warning' in found[-1])
    shown = found[-1]
    t.like(shown, '\x1b\\[32mok\x1b\\[0m +name', 'green')
    t.like(shown, '\x1b\\[33mwarning\x1b\\[0m +target', 'yellow')
    t.like(on_terminal([url(t.free_port())], {}),
           '\x1b\\[31mfailed\x1b\\[0m +connect', 'red')
    t.unlike(on_terminal([url(s.port)], {'NO_COLOR': '1'}), '\x1b\\[3',
             'none with NO_COLOR')
    t.unlike(on_terminal([url(s.port)], {'TERM': 'dumb'}), '\x1b\\[3',
             'none on a dumb terminal')
    t.unlike(t.run_inetws('check', url(s.port)).stdout, '\x1b',
             'none in a file')


t.main()
