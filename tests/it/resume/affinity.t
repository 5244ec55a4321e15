#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Resuming behind a balancer with two servers, by the files of contrib: HAProxy
with a cookie and with a table of sessions, nginx with a hash.

If it fails: behind a balancer a tunnel does not find its server again.
"""

import os
import re
import socket
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402

MB = 1 << 20
TUNNELS = 6


class Server:
    """In a network namespace of its own, so that it knows the sessions of no
    other one; reached by a Unix socket."""

    def __init__(self, name, target, *options):
        self.path = os.path.join(t.folder(), name)
        own = t.need_unshare('-n' if os.getuid() == 0 else '-rn')
        self.program = t.Program(own + [
            t.INETWS, 'server', '-l', 'unix:%s,mode=0666' % self.path,
            *options, 'unix:' + target.path])
        t.listening(self.program)
        os.chmod(os.path.dirname(self.path), 0o755)

    def instance(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(t.BOUND)
            s.connect(self.path)
            return instance(s)

    def resumed(self, since):
        return len([x for x in self.program.lines[since:]
                    if 'event=resumed' in x])


def instance(sock, *headers):
    """What names the server that answers."""
    sock.sendall(t.ws.request('/ssh/', headers=[(
        'Sec-WebSocket-Extensions', 'inetws; v=2; id=a; resume="%s"; n=1; '
        'at=0' % ('ab' * 16)), *headers]))
    head, _ = t.ws.read_head(sock)
    return re.search(b'(?i)inetws-instance: ([0-9a-f]+)', head)[1]


def names_for(two, port, cert):
    """Names of tunnels, in turn of one server and of the other: the paths of
    their sockets, which differ each time, make the hash."""
    context = ssl.create_default_context(cafile=cert.ca)
    found = {s.instance(): [] for s in two}
    i = 0
    while min(map(len, found.values())) < TUNNELS:
        with context.wrap_socket(t.ws.dial(port),
                                 server_hostname='localhost') as s:
            name = 'laptop-%d' % i
            found[instance(s, ('X-Tunnel', name))].append(name)
        i += 1
    return [name for pair in zip(*found.values()) for name in pair]


def servers(*options):
    target = t.Held(path=os.path.join(t.folder(), 'target'))
    two = [Server(name, target, *options) for name in ('one', 'two')]
    return target, two


def loop(what, target, two, port, cert, path, words=lambda i: (),
         tunnels=TUNNELS):
    """Many tunnels at once, all of which lose their websocket."""
    cutter = cutting.Cutter(port)
    marks = [s.program.mark() for s in two]
    clients, flows = [], []
    for i in range(tunnels):
        c = t.client('wss://localhost:%d%s' % (cutter.port, path),
                     '--cacert', cert.ca, '-v', *words(i))
        a = t.ws.dial(c.port)
        flows.append(cutting.Flow(a, target.next(), 3 * MB, MB))
        clients.append(c)
    t.ok(all(f.reached(MB // 2) for f in flows), '%s: bytes flow' % what)
    cutter.cut('rst')
    for f in flows:
        f.allow(3 * MB)
    t.ok(all(f.whole() for f in flows), '%s: %d tunnels resumed, every byte '
         'arrives once' % (what, tunnels))
    resumed = [s.resumed(since) for s, since in zip(two, marks)]
    t.ok(all(resumed) and sum(resumed) == tunnels,
         '%s: at both servers: %s' % (what, resumed))
    t.is_([x for c in clients for x in c.lines if 'redial-failed' in x], [],
          '%s: each redial finds its server' % what)


def test_haproxy():
    program, = t.need('haproxy')
    target, two = servers('--accept-proxy')
    cert = t.certificate()
    port, at = t.free_port(), t.folder()
    with open(at + '/pem', 'w') as f:
        for path in (cert.cert, cert.key):
            with open(path) as g:
                f.write(g.read())
    with open(at + '/cfg', 'w') as f:
        f.write(t.contrib('haproxy/affinity.cfg',
                          ('bind :443', 'bind 127.0.0.1:%d' % port),
                          ('/etc/haproxy/example.org.pem', at + '/pem'),
                          ('192.0.2.11:8080', 'unix@' + two[0].path),
                          ('192.0.2.12:8080', 'unix@' + two[1].path)))
    r = t.run([program, '-c', '-V', '-f', at + '/cfg'])
    t.is_((r.returncode, r.stderr), (0, b''), 'haproxy has no warnings')
    t.answering(t.Program([program, '-db', '-f', at + '/cfg']), port)
    loop('cookie', target, two, port, cert, '/ssh/')
    loop('stick-table', target, two, port, cert, '/db/')


def test_nginx():
    target, two = servers()
    t.ok(two[0].instance() != two[1].instance(), 'two servers that share no '
         'sessions')
    cert = t.certificate()
    port = t.free_port()
    t.nginx_site(port, t.contrib(
        'nginx/affinity.conf', (' 443 ssl', ' 127.0.0.1:%d ssl' % port),
        ('/etc/ssl/certs/example.org.pem', cert.cert),
        ('/etc/ssl/private/example.org.key', cert.key),
        ('server 192.0.2.11:8080', 'server unix:' + two[0].path),
        ('server 192.0.2.12:8080', 'server unix:' + two[1].path)))
    names = names_for(two, port, cert)[:2 * TUNNELS]
    loop('nginx', target, two, port, cert, '/ssh/',
         lambda i: ('-H', 'X-Tunnel: ' + names[i]), len(names))


t.main()
