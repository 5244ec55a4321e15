#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws check: its steps, times, certificates, pings, and idle times of
paths.

If it fails: a broken path is reported as good, or the wrong hop is blamed.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import json             # noqa: E402
import pty              # noqa: E402
import re               # noqa: E402
import reverse          # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import subprocess       # noqa: E402
import threading        # noqa: E402
import time             # noqa: E402


def look(*words):
    """(exit status, object) of check --json."""
    r = t.run_inetws('check', '--json', *words, timeout=3 * t.BOUND)
    if r.stderr:
        t.diag(r.stderr)
    return r.returncode, json.loads(r.stdout)


def url(port, scheme='ws', host='127.0.0.1'):
    return '%s://%s:%d/' % (scheme, host, port)


def test_inetws():
    s = t.server(t.echo().port)
    r = t.run_inetws('check', url(s.port))
    t.is_((r.returncode, r.stderr), (0, b''), 'all is well: 0')
    for word in ('name', 'connect', 'answer', 'ping', 'message'):
        t.like(r.stdout, r'^ok +%s +\d+\.\d\d ms  ' % word,
               word + ' and its time')
    t.like(r.stdout, 'the peer is inetws', 'the peer is known')
    t.like(r.stdout, '5 of 5 answered', 'pings')
    t.like(r.stdout, '^all is well$', 'and the verdict')
    code, c = look(url(s.port))
    t.is_((code, c['result'], c['status'], c['why'], c['warnings']),
          (0, 'ok', 0, None, []), '--json')
    t.is_((c['inetws'], c['http_status'], c['tls'], c['idle']),
          (True, 101, None, None), 'the peer is known')
    t.is_((c['ping']['sent'], c['ping']['answered']), (5, 5), 'pings')
    t.ok(0 < c['ping']['least_ms'] <= c['ping']['mean_ms'] <=
         c['ping']['most_ms'], 'in their order')
    t.ok(all(0 <= c['ms'][k] < 1000 * t.BOUND for k in
             ('resolve', 'connect', 'upgrade')), 'and times')
    t.is_(c['peer'], '127.0.0.1:%d' % s.port, 'where it went')
    t.ok(c['resume'], 'a lost websocket is resumed')
    line = s.wait_line('event=closed.* peer-id=%s' % c['id'])[0]
    t.like(line, ' id=%s ' % c['peer_id'], "the server's log has both ids")

    def ended():
        c = look(url(s.port))[1]
        return 'end=ended' in s.wait_line('event=closed.* peer-id=%s' %
                                          c['id']).string
    # The end of an echo is waited for no longer than a second.
    t.ok('end=ended' in line or t.until(ended), 'and a clean end')


def test_resume():
    """Whether there are sessions; none is left behind."""
    banner = t.source(b'hello, who are you?')
    stays = t.Held()
    for target, end in ((banner, 'ended'), (stays, 'peer-reset')):
        s = t.server(target.port)
        r = t.run_inetws('check', url(s.port))
        t.like(r.stdout, 'a lost websocket +is resumed', 'sessions')
        t.ok(s.has_line('event=closed .*end=%s ' % end),
             'the one that was asked for ends: %s' % end)
        t.ok(t.until(lambda: not t.children(s.pid)), 'and leaves nothing')
    s = t.server(t.echo().port, '--resume', '0')
    r = t.run_inetws('check', url(s.port))
    t.like(r.stdout, 'a lost websocket +is the end: .*--resume 0',
           'a server without says so')
    t.is_(look(url(s.port))[1]['resume'], False, 'also in --json')
    cert = t.certificate()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 cert.key)
    r = t.run_inetws('check', '--cacert', cert.ca, 'wss://localhost:%d/' %
                     s.port)
    t.like(r.stdout, 'a lost websocket +is resumed',
           'one that does TLS itself resumes')


def test_secrets():
    s = t.server(t.echo().port)
    r = t.run_inetws('check', 'ws://me:hunter2@127.0.0.1:%d/a?token=hunter3' %
                     s.port, '-v')
    t.is_(r.returncode, 0, 'with user and query')
    t.unlike(r.stdout, 'hunter|aHVudGVy', 'which are not shown')
    t.unlike(r.stderr, 'hunter2|bWU6aHVudGVyMg', 'nor the user by -v')


def test_names():
    s = t.server(t.echo().port, listen=':0')
    code, c = look(url(s.port, host='localhost'), '-4')
    t.is_((code, c['addresses']), (0, ['127.0.0.1:%d' % s.port]),
          'a name and its address')
    code, c = look('ws://nobody.invalid/')
    t.is_((code, c['status']), (t.unknown_name()[0],) * 2,
          'a name that is not there')
    t.is_((c['result'], c['ms']['resolve']), ('critical', None), 'critical')


def test_unix():
    path = t.folder() + '/s'
    t.server(t.echo().port, listen='unix:' + path)
    code, c = look('ws+unix:%s:/' % path)
    t.is_((code, c['addresses'], c['peer']), (0, [], 'unix:' + path),
          'a Unix socket')


def test_refusals():
    code, c = look(url(t.free_port()))
    t.is_((code, c['status'], c['ms']['connect']), (69, 69, None),
          'no listener: 69')
    t.like(c['why'], '(?i)refused', 'and why')
    s = t.server(t.free_port())
    code, c = look(url(s.port))
    t.is_((code, c['http_status'], c['result']), (69, 502, 'critical'),
          'a dead target: 502, 69')
    t.ok(c['ms']['upgrade'] >= 0, 'with the time of the answer')
    r = t.run_inetws('check', url(s.port))
    t.like(r.stdout, r'^failed +target .* answered 502', 'the table says so')
    t.like(r.stdout, '^failed: .*502', 'and why')
    s = t.server(t.echo().port, '--path', '/right')
    t.is_(look(url(s.port))[0], 76, '404: 76')
    mute = t.Held()
    t.is_(look(url(mute.port), '--handshake-timeout', '300ms')[0], 75,
          'no answer: 75')
    up = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:%d/right\r\n'
        b'Content-Length: 0\r\n\r\n' % s.port))
    code, c = look(url(up.port))
    t.is_((code, c['redirected_to']), (0, url(s.port) + 'right'),
          'a redirect is followed and told')


def test_tls():
    cert = t.certificate()
    s = t.server(t.echo().port)
    n = t.nginx(s.port, cert)
    code, c = look(n.url, '--cacert', cert.ca)
    t.is_(code, 0, 'through nginx')
    tls = c['tls']
    t.like(tls['version'], r'^TLSv1\.[23]$', 'the version')
    t.is_((tls['verified'], tls['names'], tls['issuer']),
          (True, 'CN=throw-away / DNS:localhost, IP:127.0.0.1, IP:::1',
           'CN=throw-away CA'), 'the certificate')
    t.is_(tls['chain'], ['CN=throw-away', 'CN=throw-away CA'], 'its chain')
    openssl, = t.need('openssl')
    der = t.run([openssl, 'pkey', '-pubin', '-outform', 'DER'], input=t.run(
        [openssl, 'x509', '-in', cert.cert, '-noout', '-pubkey']).stdout)
    pin = t.run([openssl, 'base64', '-A'], input=t.run(
        [openssl, 'dgst', '-sha256', '-binary'], input=der.stdout).stdout)
    t.is_(tls['pin'], 'sha256//' + pin.stdout.decode().strip(),
          'the pin is what openssl makes of it')
    until = t.run([openssl, 'x509', '-in', cert.cert, '-noout', '-enddate',
                   '-dateopt', 'iso_8601']).stdout.decode()
    t.is_(until.strip().split('=')[1].replace(' ', 'T'), tls['until'],
          'the date too')
    t.ok(c['ms']['tls'] > 0, 'the time of TLS')
    t.like(c['server'], '^nginx', 'the Server')
    code, c = look(n.url, '--cacert', cert.ca, '--warn-expiry', '10')
    t.is_((code, c['result'], c['tls']['days'] in (0, 1)),
          (1, 'warning', True),
          '--warn-expiry: 1')
    t.like(c['warnings'][0], 'expires in . days?, limit 10', 'and what')
    t.is_(look(n.url, '--cacert', cert.ca, '--warn-rtt', '60s')[0], 0,
          '--warn-rtt within')
    code, c = look(n.url, '-k')
    t.is_((code, c['tls']['verified']), (0, False), '-k: not verified')


def test_redirect_to_tls():
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    up = t.WSServer(answer=lambda first, fields: (
        'HTTP/1.1 301 Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n' %
        n.url).encode())
    code, c = look(url(up.port), '--cacert', cert.ca)
    t.is_((code, c['redirected_to']), (0, n.url), 'from ws to wss')
    t.is_((c['tls'] or {}).get('verified'), True, 'with its certificate')


def test_long_lived():
    cert = t.certificate(days=100)
    n = t.nginx(t.server(t.echo().port).port, cert)
    code, c = look(n.url, '-k', '--warn-expiry', '99')
    t.is_((code, c['tls']['days'] in (99, 100)), (0, True),
          'days until it expires')
    t.is_(look(n.url, '-k', '--warn-expiry', '101')[0], 1, 'one more warns')


def test_bad_certificates():
    good = t.certificate()
    s = t.server(t.echo().port)
    for name, cert, options, says in (
            ('an unknown authority', good, (), 'unknown authority'),
            ("another's name", t.certificate(['DNS:example.org']), ('ca',),
             'mismatch'),
            ('an expired one', t.certificate(days=-1), ('ca',), 'expired')):
        n = t.nginx(s.port, cert)
        words = ('--cacert', cert.ca) if options else ()
        code, c = look(n.url, *words)
        t.is_((code, c['result'], c['tls']['verified']),
              (77, 'critical', False), name + ': 77')
        t.like(c['why'], says, 'and why')
        t.like(c['tls']['pin'], '^sha256//[A-Za-z0-9+/]{43}=$',
               'with its pin')
        t.is_((c['ms']['tls'], c['http_status']), (None, 0),
              'nothing was sent')
        if says == 'expired':
            t.ok(c['tls']['days'] < 0, 'days below 0')
    r = t.run_inetws('check', n.url)
    t.like(r.stdout, '^failed +tls +certificate ', 'the table says so')
    r = t.run_inetws('check', url(s.port, 'wss'), '-k')
    t.is_(r.returncode, 76, 'no TLS there: 76')


def test_pins():
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    code, c = look(n.url, '-k')
    pin = c['tls']['pin']
    t.is_(look(n.url, '-k', '--pinnedpubkey', pin)[0], 0,
          'the pin can be copied')
    wrong = 'sha256//' + 'A' * 43 + '='
    code, c = look(n.url, '-k', '--pinnedpubkey', wrong)
    t.is_((code, c['tls']['pin'], c['tls']['verified']), (77, pin, False),
          'another one: 77, and the right one is told')


def test_nagios():
    cert = t.certificate()
    n = t.nginx(t.server(t.echo().port).port, cert)
    for words, code, says in (
            ((n.url, '-k'), 0, r'^INETWS OK - wss://\S+ \| time=\d+us '
             r'rtt=\d+us expiry=\d+$'),
            ((n.url, '-k', '--warn-expiry', '30', '--warn-rtt', '9s'), 1,
             r'^INETWS WARNING - .* \| .*rtt=\d+us;9000000 expiry=\d+;30:$'),
            ((n.url,), 2, r'^INETWS CRITICAL - certificate of [^|]*\|'),
            ((n.url, '--cacert', '/none.pem'), 3,
             r'^INETWS UNKNOWN - .*none\.pem')):
        r = t.run_inetws('check', '--nagios', *words)
        t.is_(r.returncode, code, '--nagios: %d' % code)
        t.like(r.stdout, says, 'in its words')
        t.is_((r.stdout.count(b'\n'), r.stdout.count(b'|')), (1, 1),
              'on one line')


def test_other_servers():
    """Peers that are not inetws."""
    websockify, = t.need('websockify')
    target, port = t.echo(), t.free_port()
    p = t.Program([websockify, '127.0.0.1:%d' % port,
                   '127.0.0.1:%d' % target.port])
    t.until(lambda: look(url(port))[0] != 69)
    code, c = look(url(port))
    t.is_((code, c['inetws'], c['id'], c['ping']['answered']),
          (0, False, None, 5), 'websockify')
    code, c = look(url(port), '--subprotocol', 'binary')
    t.is_((code, c['subprotocol']), (0, 'binary'), 'with its subprotocol')
    p.stop()
    t.Program([websockify, '127.0.0.1:%d' % port,
               '127.0.0.1:%d' % t.free_port()])
    t.until(lambda: look(url(port))[1]['http_status'])
    code, c = look(url(port))
    t.is_((code, c['close']), (69, 1011), 'its target is dead: 1011, 69')
    t.like(c['why'], '1011: Failed to connect', 'with its words')


def test_python_websockets():
    path = t.folder() + '/serve.py'
    with open(path, 'w') as f:
        f.write('''
import asyncio, websockets
async def serve(ws, path=None):
    await ws.wait_closed()
async def main():
    async with websockets.serve(serve, '127.0.0.1', 0) as s:
        print(s.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()
asyncio.run(main())
''')
    if t.run(['/usr/bin/python3', '-c', 'import websockets']).returncode:
        raise t.Skip('python3-websockets is not installed')
    import subprocess
    p = t.Program(['/usr/bin/python3', path], stdout=subprocess.PIPE)
    port = int(p.stdout.readline())
    code, c = look(url(port))
    t.is_((code, c['inetws'], c['ping']['answered']), (0, False, 5),
          "Python's websockets")
    t.like(c['server'], '(?i)python', 'which says so')


def test_odd_ends():
    done = t.source(b'bye')
    s = t.server(done.port)
    code, c = look(url(s.port))
    t.ok(code == 0 and c['close'] in (None, 1000),
         'a target that has nothing more to say is no fault')
    bare = t.WSServer()
    threading.Thread(target=lambda: bare.next().sock.close(),
                     daemon=True).start()
    code, c = look(url(bare.port))
    t.is_(code, 74, 'a bare end: 74')
    says = t.WSServer()
    threading.Thread(target=lambda: [says.next().close(
        1011, b'not "now" \\\1') for _ in range(2)], daemon=True).start()
    code, c = look(url(says.port))
    t.is_((code, c['close'], c['reason']), (69, 1011, 'not "now" \\\1'),
          'the reason of a Close comes as it is')
    t.like(t.run_inetws('check', url(says.port)).stdout,
           r'closed with 1011: not \\x22now\\x22 \\x5c\\x01$', 'and escaped for a terminal')
    leaves = t.WSServer()
    threading.Thread(target=lambda: [leaves.next().close(code) for code in
                                     (1000, 1001, None)], daemon=True).start()
    for shown in 1000, 1001, 1005:
        code, c = look(url(leaves.port))
        t.is_((code, c['result'], c['close'], c['target']),
              (1, 'warning', shown, 'ended'),
              'a good Close without a byte before it: %d' % shown)
        t.like(c['warnings'][0], 'ended without a byte', 'as it says')
    silent = t.WSServer()
    code, c = look(url(silent.port), '--handshake-timeout', '3s')
    t.is_((code, c['ping']['answered']), (75, 0), 'no answer at all: 75')
    t.is_((c['status'], c['message']), (75, None), 'also in JSON')
    t.like(' '.join(c['next']), 'the server hangs', 'and what to do')
    t.unlike(' '.join(c['next']), '--ping-interval', 'which no option mends')
    wrong = t.WSServer(early=t.ws.frame(3, b'x'))
    t.is_(look(url(wrong.port))[0], 76, 'a broken rule: 76')
    masked = t.WSServer(early=t.ws.frame(2, b'x', key=b'abcd'))
    t.is_(look(url(masked.port))[0], 76, 'a masked frame: 76')
    noise = t.WSServer(early=b''.join(t.ws.frame(2, b'x' * n) for n in
                                      (0, 1, 125, 126, 3000)) +
                       t.ws.frame(9, b'y'))

    def serve():
        w = noise.next()
        for _ in range(6):
            f = w.read_frame()
            if f.opcode == t.ws.PING:
                w.send(b'z' * 70000)
                w.pong(f.payload)
        w.read_frame()
    threading.Thread(target=serve, daemon=True).start()
    code, c = look(url(noise.port))
    t.is_((code, c['ping']['answered']), (0, 5),
          'data and pings in between do not matter')


def test_idle_answer():
    """A proxy that ends what is idle by an answer to no request."""
    ws = t.WSServer()

    def serve():
        w = ws.next()
        while w.take() is not None and w.close_frame is None:
            pass
        w.sock.close()
        for w in [ws.next() for _ in range(4)]:
            w.raw(b'HTTP/1.0 408 Request Time-out\r\n\r\n')
            w.sock.shutdown(socket.SHUT_WR)
    threading.Thread(target=serve, daemon=True).start()
    code, c = look(url(ws.port), '--proxy-idle=2s')
    t.is_((code, c['idle']['end']), (1, 'cut'), 'cut: a warning')
    t.like(' '.join(c['next']), 'use --ping-interval ', 'and what to do')


def codes(w):
    """The codes of the Closes that come until the connection ends."""
    found = []
    while (f := w.read_frame()) is not None:
        if f.opcode == t.ws.CLOSE:
            found.append(int.from_bytes(f.payload[:2], 'big'))
    return found


def test_later_dials():
    """What is said of the certificate is what the first dial has seen."""
    cert = t.certificate()

    class Once(t.WSServer):
        def _serve(self, sock):
            if self.accepted > 1:
                return sock.close()
            super()._serve(sock)

        def _hold(self, sock):
            super()._hold(sock)
            w = self.next()
            while w.take() is not None and w.close_frame is None:
                pass
            w.close()
    for words in (), ('--nagios',):
        once = Once(tls=t.tls_context(cert))
        r = t.run_inetws('check', '--cacert', cert.ca, '--warn-expiry', '99',
                         *words, 'wss://localhost:%d/' % once.port)
        t.is_(r.returncode, 1, 'the second dial fails: a warning %s' %
              ' '.join(words))
        t.like(r.stdout, r'(?m)^(INETWS WARNING - |warning: )certificate '
               '.*limit 99', 'of the certificate')


def test_says_close():
    """Each websocket ends with its Close, whoever or whatever ends it."""
    dead = t.Listener(reverse.reset)
    s = t.server(dead.port, '--max-connections', '3')
    for n in range(6):
        # 502 if that comes before its connection is there
        t.ok(look(url(s.port))[1]['http_status'] in (101, 502),
             'the target resets: check %d has a place' % n)
        t.until(lambda: not t.children(s.pid))      # its process has ended
    t.ok(not t.children(s.pid), 'no session waits for a redial')
    t.unlike(s.log, 'event=websocket-lost', 'none was lost')

    def serve(ws, good, act, got):
        for _ in range(good):           # answers pings, as it should
            w = ws.next()
            while w.take() is not None and w.close_frame is None:
                pass
            w.sock.close()
        w = ws.next()
        act(w)
        got.append(codes(w))
        w.sock.close()

    for what, act, answer in (
            ('a Close', lambda w: w.close(1000), [1000]),
            ('a broken rule', lambda w: w.send(b'', 3), [1002]),
            ('no answers', lambda w: None, [1000]),
            ('an end', lambda w: w.sock.shutdown(socket.SHUT_WR), [])):
        for good, words in ((0, ()), (1, ('--proxy-idle=250ms',))):
            if what == 'no answers':
                if good:
                    continue    # that takes 5 s
                words = ('--handshake-timeout', '3s')
            ws, got = t.WSServer(), []
            threading.Thread(target=serve, args=(ws, good, act, got),
                             daemon=True).start()
            look(*words, url(ws.port))
            t.ok(t.until(lambda: got), 'it ends')
            t.is_(got, [answer], 'after %s%s: %r' % (
                what, ' while idle' if good else '', answer))


class Cutter(t.Proxy):
    """A proxy that ends what has been idle, with or without a word; not the
    first connection, whose messages may only be slow."""

    def __init__(self, port, after, silently=False):
        self.after, self.silently, self.last = after, silently, {}
        super().__init__(port)

    def _copy(self, src, dst):
        import select
        last = t.ws.now()
        while True:
            left = last + self.after - t.ws.now()
            came = select.select([src], [], [], max(0, left))[0]
            if t.ws.now() >= last + self.after and self.accepted > 1:
                if self.silently:
                    return time.sleep(4 * t.BOUND)
                break
            # Before it is passed on: who gets it counts from then on.
            last = t.ws.now()
            if came:
                data = src.recv(65536)
                if not data:
                    break
                dst.sendall(data)
        for s in (src, dst):
            try:
                s.shutdown(2)
            except OSError:
                pass


def test_idle():
    s = t.server(t.echo().port)
    p = Cutter(s.port, 3)
    begin = t.ws.now()
    code, c = look(url(p.port), '--proxy-idle=20s')
    t.is_((code, c['result'], c['idle']['end']), (1, 'warning', 'cut'),
          'a path that cuts')
    t.ok(1000 <= c['idle']['end_ms'] <= 8000, 'after its time (%d ms)' %
         c['idle']['end_ms'])
    t.ok(t.ws.now() - begin < 15 * t.SCALE, 'no longer than needed')
    told = re.search(r'--ping-interval (\S+)', ' '.join(c['next']))[1]
    t.is_(t.run_inetws('connect', '--ping-interval', told, '--dump-config',
                       url(s.port)).returncode, 0,
          'its advice can be pasted: ' + told)
    t.ok(400 <= c['idle']['ping_interval_ms'] < c['idle']['end_ms'] or
         c['idle']['ping_interval_ms'] == 1000, 'a ping interval')
    code, c = look(url(s.port), '--proxy-idle=1s')
    t.is_((code, c['idle']['end'], c['idle']['lived_ms'],
           c['idle']['ping_interval_ms']), (0, 'lives', 1000, None),
          'a path that does not')
    s = t.server(t.echo().port, '--ping-interval', '300ms')
    code, c = look(url(s.port), '--proxy-idle=3s')
    t.ok(c['idle']['peer_pings'] >= 3, "the peer's pings are told (%d)" %
         c['idle']['peer_pings'])
    ended = t.WSServer()

    def serve():
        w = ended.next()
        for _ in range(5):
            w.pong(w.read_frame().payload)
        w = ended.next()
        w.close(1000)
    threading.Thread(target=serve, daemon=True).start()
    code, c = look(url(ended.port), '--proxy-idle=20s')
    t.is_((code, c['idle']['end']), (0, 'ended'),
          'a far side that ends it is not the path')


def test_idle_not_begun():
    """The websockets that were to be idle are refused."""
    asked = []

    def full(first, fields):
        asked.append(first)
        return None if len(asked) == 1 else (
            b'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n')
    p = t.WSServer(answer=full)

    def serve():
        w = p.next()
        while w.take() is not None:
            pass
    threading.Thread(target=serve, daemon=True).start()
    code, c = look(url(p.port), '--proxy-idle=1s')
    t.is_((code, c['idle']), (75, None), 'nothing is said of the path')
    t.like(c['why'], 'answered 503', 'but why')
    step = [s for s in c['steps'] if s['step'] == 'idle'][0]
    t.is_(step['state'], 'failed', 'and where')
    silent = t.WSServer()
    r = t.run_inetws('check', '--proxy-idle=1s', '--test-resume',
                     url(silent.port))
    t.like(r.stdout, '^failed +ping', 'a step before it fails')
    t.ok(b'not asked for' not in r.stdout, 'it was asked for all the same')


def test_idle_nginx():
    """What nginx does to websockets that its upstream is silent on."""
    s = t.server(t.echo().port)
    n = t.nginx(s.port, extra='''location /short/ {
        proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
        proxy_read_timeout 3s; }''' % s.port)
    code, c = look(n.url.replace('/ssh/', '/short/'), '--proxy-idle=20s')
    t.is_((code, c['idle']['end']), (1, 'cut'), 'nginx cuts')
    t.ok(1000 <= c['idle']['end_ms'] <= 9000, 'after proxy_read_timeout '
         '(%d ms)' % c['idle']['end_ms'])
    r = t.run_inetws('check', '--proxy-idle=1s', n.url)
    t.like(r.stdout, '^ok +idle +lives for 1.0s at least',
           'not where it is told to wait')


@t.limit(40)
def test_idle_silent():
    """A path that forgets without a word."""
    s = t.server(t.echo().port)
    p = Cutter(s.port, 3.9, silently=True)
    code, c = look(url(p.port), '--proxy-idle=8s')
    t.is_((code, c['idle']['end'], c['idle']['lived_ms']),
          (1, 'silent', 2000), 'silence')
    t.is_(c['idle']['end_ms'], 4000, 'is found between two pings')


def test_words():
    for words, named in ((('--warn-rtt', 'soon'), 'warn-rtt'),
                         (('--warn-expiry', '-1'), 'warn-expiry'),
                         (('--proxy-idle=long',), 'proxy-idle'),
                         (('--linger', '1s'), 'linger')):
        r = t.run_inetws('check', *words, url(1))
        t.is_(r.returncode, 64, ' '.join(words) + ': 64')
        t.like(r.stderr, named, 'and it is named')
        r = t.run_inetws('check', '--nagios', *words, url(1))
        t.is_((r.returncode, r.stderr), (3, b''), 'with --nagios: 3')
        t.like(r.stdout, '^INETWS UNKNOWN - .*' + named, 'and it is named')
    r = t.run_inetws('check', '--nagios', '--no|ne', url(1))
    t.like(r.stdout, r'^INETWS UNKNOWN - [^|]*no/ne[^|]* \|\n$',
           'a | in a message begins no figures')



def test_idle_stopped():
    """Ctrl-C keeps what was found; on a terminal there is a sign of life."""
    s = t.server(t.echo().port)
    ours, theirs = pty.openpty()
    p = subprocess.Popen([t.INETWS, 'check', '--proxy-idle=1h',
                          'ws://127.0.0.1:%d/' % s.port],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=theirs)
    os.close(theirs)
    text = b''
    while b'idle' not in text:
        text += os.read(ours, 4096)
    t.like(text.decode(), r'idle \S+ of 1h00m; answered after nothing yet',
           'how far it is')
    first = os.read(p.stdout.fileno(), 65536).decode()
    t.like(first, 'answer .*inetws\n(.*\n)*ok +ping .*answered',
           'the steps are there meanwhile')
    p.send_signal(signal.SIGINT)
    rest = p.stdout.read().decode()
    t.is_(p.wait(t.BOUND), 130, 'stopped: not all is known')
    t.like(rest, r'(?m)^stopped by INT in the step idle: .*\nnext:\n'
           '  let the check run to its end', 'and says so')
    p.stdout.close()
    os.close(ours)


t.main()
