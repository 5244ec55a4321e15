#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""README.md in this folder, with real programs.

If it fails: the page token/README.md does not work as it is written.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from scenario import Scenario           # noqa: E402

TOKEN = 'my_b!g_$secret!!'


def web(name, tls=None):
    """A web server that shows its name, the path and the requested host."""
    def answer(sock):
        head = b''
        while b'\r\n\r\n' not in head:
            head += sock.recv(4096)
        host = [line.split(': ')[1] for line in head.decode().split('\r\n')
                if line.lower().startswith('host: ')][0]
        body = '%s %s %s' % (name, head.decode().split()[1], host)
        sock.sendall(('HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s' % (
            len(body), body)).encode())
        sock.close()
    return t.Listener(answer, tls=tls)


class World:
    def __init__(self, office_ca=None):
        curl, = t.need('curl')
        self.curl_program = curl
        self.cert = t.certificate()
        wiki = t.certificate(('DNS:wiki.example.org',))
        self.folder = t.folder()
        ports = {name: t.free_port() for name in (
            '443', '39000', '39001', '8088')}
        self.ports = ports
        self.s = Scenario(__file__, {
            'listen 443': 'listen 127.0.0.1:%d' % ports['443'],
            '127.0.0.1:39000': '127.0.0.1:%d' % ports['39000'],
            '127.0.0.1:39001': '127.0.0.1:%d' % ports['39001'],
            '127.0.0.1:8088': '127.0.0.1:%d' % ports['8088'],
            '127.0.0.1:8000': '127.0.0.1:%d' % web('default').port,
            '127.0.0.1:8001': '127.0.0.1:%d' % web('intranet').port,
            '127.0.0.1:8443': '127.0.0.1:%d' % web(
                'wiki', t.tls_context(wiki)).port,
            'gate.example.org': 'localhost:%d' % ports['443'],
            'server_name gate.example.org': 'server_name localhost',
            '/run/inetws/tokens': self.folder + '/tokens',
            '/var/log/nginx': self.folder,
            '/etc/ssl/gate.pem': self.cert.cert,
            '/etc/ssl/gate.key': self.cert.key,
            '/etc/ssl/office-ca.pem': office_ca or wiki.ca})
        self.s.folders('install -d')
        self.gate = self.s.inetws('gate')
        self.s.site('nginx-gate.conf')
        self.s.site('nginx-agent.conf')

    def agent(self, token=TOKEN, number=0, more=()):
        self.s.replace['TOKEN'] = token
        return self.s.inetws('agent', number,
                             more=('--cacert', self.cert.ca, *more))

    def curl(self, number, *more):
        """The page's request of that number: (status, body)."""
        argv = self.s.commands('curl')[number]
        out = t.run([self.curl_program, '-sS', '--cacert', self.cert.ca,
                     '-w', '\n%{http_code}'] + list(more) + argv[1:],
                    timeout=3 * t.BOUND)
        body, _, code = out.stdout.decode().rpartition('\n')
        return int(code), body


def test_requests():
    w = World()
    a = w.agent()
    t.ok(r.parked(w.gate, 2), 'the agent waits')
    t.is_(w.curl(0), (200, 'default /some/path localhost:%d' %
                      w.ports['443']), 'by path')
    t.is_(w.curl(1)[1].split()[:2], ['default', '/some/path'], 'by header')
    t.is_(w.curl(2), (200, 'wiki / wiki.example.org'),
          'X-Host with https://')
    t.is_(w.curl(1, '-H', 'X-Host: intranet.example.org')[1].split()[0],
          'intranet', 'X-Host')
    t.is_(w.curl(1, '-H', 'X-Host: evil.example.org')[0], 403,
          'one that is not listed: 403')
    two = 'another-token-of-length'
    w.agent(two)
    t.ok(t.until(lambda: w.curl(0)[0] == 200), 'a second token')
    w.s.replace['TOKEN'] = TOKEN
    t.is_(w.curl(0)[0], 200, 'and the first, at once')
    for bad in ('../../../etc/passwd', 'short', 'unknown-but-long-enough'):
        w.s.replace['TOKEN'] = bad
        t.ok(w.curl(1)[0] in (404, 502), '%s: refused' % bad)
    with open(w.folder + '/requests.log') as f:
        log = f.read()
    t.like(log, r'^127\.0\.0\.1 [0-9a-f]{32} "GET /_token/my_b!g\.\.\./some/'
           r'path" 200 \d+ ', 'one line for each request')
    t.ok(not any(TOKEN in x for x in (log, w.gate.log, a.log)),
         'and no token in any log')


def test_queue():
    w = World()
    health = lambda: t.run([w.curl_program, '-sS', '-o', '/dev/null', '-w',
                            '%{http_code}', '--cacert', w.cert.ca,
                            'https://localhost:%d/health' %
                            w.ports['443']]).stdout.decode()
    t.is_(health(), '503', 'no agent: not healthy')
    a = w.agent()
    r.parked(w.gate, 2)
    a.stop()
    t.ok(t.until(lambda: not t.children(w.gate.pid)), 'the agent has left')
    later = t.Program([w.curl_program, '-sS', '--cacert', w.cert.ca] +
                      w.s.commands('curl')[0][1:], stdout=-1)
    t.ok(t.until(lambda: b'visitors waiting' in t.http(
        w.ports['39001'], '/')[2].encode()), 'a request waits for it')
    w.agent()
    t.is_(later.wait(), 0, 'and completes when it is back')
    t.like(later.stdout.read(), '^default /some/path', 'with its answer')


def test_not_the_wiki():
    """The server that answers as the wiki has another certificate."""
    w = World(office_ca=t.certificate().ca)
    w.agent()
    t.ok(t.until(lambda: w.curl(0)[0] == 200), 'the agent is there')
    t.is_(w.curl(2)[0], 502, 'X-Host with https://: refused')


def test_proxy():
    """By a proxy that wants a password."""
    w = World()
    secret = w.folder + '/proxy'
    way = t.tinyproxy(('ann', 'pw-of-the-proxy'))
    w.s.replace.update({'proxy.example.com:3128': '127.0.0.1:%d' % way.port,
                        '/etc/inetws/proxy': secret})
    for word, good in (('ann:wrong', False), ('ann:pw-of-the-proxy', True)):
        with open(secret, 'w') as f:
            f.write(word + '\n')
        a = w.agent(number=1, more=() if good else ('--retry', '1'))
        if not good:
            t.is_(a.wait(), 77, 'a wrong password for the proxy: refused')
            t.like(a.log, 'proxy .*answered 40[17]', 'which the log says')
    t.ok(r.parked(w.gate, 2), 'with the right one the agent waits')
    for number in (0, 1, 2):
        t.is_(w.curl(number)[0], 200, 'request %d is answered' % number)
    way.stop()
    t.ok(t.until(lambda: not any('parked' in t.command_of(c) for c in
                                 t.children(w.gate.pid))),
         'it is the proxy that they came by')
    t.ok('pw-of-the-proxy' not in a.log, 'its password is not in the log')


if __name__ == '__main__':
    t.main()
