#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Sessions of a server, or a gate, with a certificate of its own: the process
that accepted a redial stays as its TLS end.

If it fails: such tunnels are lost with their connection, differ from what was
sent, or leave processes behind.
"""

import os
import signal
import socket
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import launchers        # noqa: E402
import reverse as r     # noqa: E402

MB = 1 << 20
OFFER = 'inetws; v=2; id=me; win=65536; resume'


def own(cert):
    return '--tls-cert', cert.cert, '--tls-key', cert.key


def tls_ends(mode, port):
    """The processes that are TLS ends of tunnels to this target."""
    end = '-> 127.0.0.1:%d, TLS' % port
    return [pid for pid in t.parents()
            if t.command_of(pid).startswith('inetws %s: ' % mode) and
            t.command_of(pid).endswith(end)]


class Tunnel:
    """.s server, .c client, .cutter between, .a our end, .b the target's."""

    def __init__(self, *options, make=t.server, client=()):
        self.cert = t.certificate()
        self.target = t.Held()
        self.s = make(self.target.port, '-v', *own(self.cert), *options)
        self.cutter = cutting.Cutter(self.s.port)
        self.url = 'wss://localhost:%d/' % self.cutter.port
        self.c = t.client(self.url, '-v', '--cacert', self.cert.ca, *client)
        self.a = t.ws.dial(self.c.port)
        self.a.sendall(b'x')
        self.b = self.target.next()
        t.is_(t.ws.read_exactly(self.b, 1), b'x', 'a tunnel')

    def resumed(self, n, name):
        return t.ok(self.c.has_line('event=resumed', count=n), name)

    def passes(self, name):
        self.a.sendall(b'there')
        self.b.sendall(b'back')
        t.is_((t.ws.read_exactly(self.b, 5), t.ws.read_exactly(self.a, 4)),
              (b'there', b'back'), name)

    def ends(self):
        return tls_ends('server', self.target.port)


def privileges(pid):
    """What the kernel shows of a process's sandbox."""
    try:
        with open('/proc/%d/status' % pid) as f:
            return [line for line in f if line.startswith(
                ('NoNewPrivs:', 'Seccomp:', 'CapEff:'))]
    except OSError:
        return None


def descriptors(pid):
    return sorted(x.split(':')[0] for x in t.opened(pid))


@t.limit(120)
def test_50_cuts():
    x = Tunnel(client=('--ping-interval', '100ms', '--ping-timeout',
                       '%dms' % (700 * t.SCALE)))
    child = t.child(x.s.pid)
    before = descriptors(child)
    total, share = 100 * MB, 2 * MB
    flow = cutting.Flow(x.a, x.b, total, 2 * share)
    ways = (lambda: x.cutter.cut('fin'), lambda: x.cutter.cut('rst'),
            lambda: x.cutter.cut('fin'), lambda: x.cutter.cut('rst'),
            x.cutter.hole)
    done = 0
    for i in range(50):
        if not flow.reached(i * share + share // 3, 4 * t.BOUND):
            t.diag('stuck before cut %d' % i)
            break
        ways[i % 5]()
        flow.allow(min((i + 3) * share, total - MB))
        if not x.c.has_line('event=resumed', count=i + 1):
            t.diag('not resumed after cut %d' % i)
            break
        done += 1
    t.is_(done, 50, 'cut and resumed 50 times')
    t.ok(t.until(lambda: len(x.ends()) == 1), 'one TLS end is left')
    t.ok(t.until(lambda: t.children(x.s.pid, zombies=False) == [child]),
         'the supervisor has one child')
    t.ok(t.until(lambda: [privileges(pid) for pid in x.ends()] ==
                 [privileges(child)]), 'they are in the same sandbox')
    t.ok(t.until(lambda: len(descriptors(child)) == len(before)),
         'which has as many descriptors as before') or t.diag(
             '%s, before %s' % (descriptors(child), before))
    flow.allow(total)
    t.ok(flow.whole(), '100 MB both ways, sha256 equal') or \
        t.diag(flow.tell())
    for name, p in (('client', x.c), ('server', x.s)):
        m = p.has_line('event=closed .*end=ended .*resumes=([0-9]+)')
        t.ok(m and int(m[1]) >= 50, '%s: a clean end, resumes=%s' % (
            name, m and m[1]))
    t.ok(x.s.has_line('event=closed .*via=127.0.0.1:'),
         'the log tells where the last one came from')
    t.ok(t.until(lambda: not x.ends()), 'the TLS end ends with the session')
    t.ok(t.until(lambda: not t.children(x.s.pid)), 'and so does its owner')


def test_connect_status():
    """Both ends succeed, and only when all has been delivered."""
    cert = t.certificate()
    target = t.Held()
    s = t.server(target.port, '-v', *own(cert))
    cutter = cutting.Cutter(s.port)
    c = t.connect('wss://localhost:%d/' % cutter.port, '-v', '--cacert',
                  cert.ca)
    b = target.next()
    for i in range(3):
        c.popen.stdin.write(b'there')
        c.popen.stdin.flush()
        t.is_(t.ws.read_exactly(b, 5), b'there', 'bytes')
        cutter.cut('rst')
        t.ok(c.has_line('event=resumed', count=i + 1), 'cut and resumed')
    c.popen.stdin.close()
    t.is_(t.ws.read_all(b), (b'', 'eof'), 'the end arrives')
    b.sendall(b'last')
    b.shutdown(socket.SHUT_WR)
    t.is_(c.popen.stdout.read(), b'last', 'and what came last')
    t.is_(c.wait(), 0, 'exit status 0')


def test_places():
    """A TLS end takes no place of a connection, and a redial needs none."""
    x = Tunnel('--max-connections', '2')
    x.cutter.cut('rst')
    x.resumed(1, 'resumed')
    t.ok(t.until(lambda: len(t.children(x.s.pid, zombies=False)) == 1),
         'one child is counted')
    second = t.ws.dial(x.c.port)
    second.sendall(b'y')
    t.is_(t.ws.read_exactly(x.target.next(), 1), b'y',
          'there is a place for another tunnel')
    x.cutter.cut('rst')
    x.resumed(3, 'at the limit both are resumed')
    x.passes('bytes')
    full = t.run_inetws('connect', '--cacert', x.cert.ca,
                        'wss://localhost:%d/' % x.s.port, input=b'')
    t.like(full.stderr, 'answered 503 .*too many', 'a third one: 503')


def test_stopped():
    """What the owner says at its end passes through the TLS end."""
    x = Tunnel('--drain', '0')
    x.cutter.cut('fin')
    x.resumed(1, 'resumed')
    x.passes('bytes')
    t.is_(x.s.stop(), 0, 'TERM')
    t.ok(x.c.has_line('closed .*end=peer-reset'), 'the client is told by rst')
    t.ok(t.until(lambda: not x.ends()), 'the TLS end is gone')


def test_end_killed():
    """It is as if its connection were cut."""
    x = Tunnel()
    end = None
    for i, signo in enumerate((0, signal.SIGTERM, signal.SIGKILL)):
        if signo == 0:
            x.cutter.cut('fin')
        else:
            os.kill(end, signo)
        x.resumed(i + 1, 'signal %d: resumed' % signo)
        x.passes('bytes')
        t.ok(t.until(lambda: len(x.ends()) == 1 and x.ends() != [end]),
             'with one TLS end')
        end, = x.ends()


def test_owner_killed():
    x = Tunnel(client=('--resume', '1s'))
    child = t.child(x.s.pid)
    x.cutter.cut('rst')
    x.resumed(1, 'resumed')
    os.kill(child, signal.SIGKILL)
    t.ok(t.until(lambda: not x.ends()), 'its TLS end ends with it')
    t.ok(x.c.has_line('event=closed .*end=websocket-lost'),
         'and the session is lost')


def test_single():
    """Without a supervisor the process itself stays."""
    def make(port, *options):
        words = [t.INETWS, 'server', *options, '127.0.0.1:%d' % port]
        p, p.port = launchers.socket_activate('-a')(t.free_port(), words)
        return p
    x = Tunnel(make=make)
    flow = cutting.Flow(x.a, x.b, 20 * MB, 2 * MB)
    for i, how in enumerate(('fin', 'rst')):
        t.ok(flow.reached(MB * (1 + 4 * i), 4 * t.BOUND), 'bytes flow')
        x.cutter.cut(how)
        flow.allow((i + 2) * 4 * MB)
        x.resumed(i + 1, 'resumed (%s)' % how)
    flow.allow(20 * MB)
    t.ok(flow.whole(), 'every byte arrives once') or t.diag(flow.tell())
    t.ok(t.until(lambda: not x.ends()), 'no process is left')


def dial(port, ca, cert, offer):
    """The socket and the head of its answer."""
    context = ssl.create_default_context(cafile=ca)
    context.load_cert_chain(cert.cert, cert.key)
    sock = context.wrap_socket(t.ws.dial(port), server_hostname='localhost')
    sock.sendall(t.ws.request(headers=[('Sec-WebSocket-Extensions', offer)]))
    return sock, t.ws.read_head(sock)[0].decode()


def test_subject():
    """A session belongs to the certificate that it began with."""
    ca = t.Authority()
    alice, bob = ca.issue('alice'), ca.issue('bob')
    s = t.server(t.echo().port, *own(ca.issue()), '--tls-client-ca', ca.cert)
    first, head = dial(s.port, ca.cert, alice, OFFER)
    t.like(head, 'resume="[0-9a-f]{32}"', 'a session')
    sid = head.partition('resume="')[2][:32]
    for n, (cert, status) in enumerate(((bob, 410), (alice, 101), (bob, 410),
                                        (alice, 101)), 1):
        sock, head = dial(s.port, ca.cert, cert,
                          '%s="%s"; n=%d; at=0' % (OFFER, sid, n))
        t.like(head, '^HTTP/1.1 %d ' % status, 'redial %d: %d' % (n, status))


def test_gate():
    cert = t.certificate()
    g = r.gate(*own(cert), '-v')
    cutter = cutting.Cutter(g.port)
    target = t.Held()
    a = r.agent('wss://localhost:%d/agents/a' % cutter.port, target.port,
                '-v', '--cacert', cert.ca, '--spare', '1')
    v = r.visit(g.visitors)
    far = target.next()
    flow = cutting.Flow(v, far, 20 * MB, 2 * MB)
    for i, how in enumerate(('fin', 'rst')):
        t.ok(flow.reached(MB * (1 + 4 * i), 4 * t.BOUND), 'bytes flow')
        cutter.cut(how)
        flow.allow((i + 2) * 4 * MB)
        t.ok(a.has_line('event=resumed', count=i + 1), 'resumed (%s)' % how)
    flow.allow(20 * MB)
    t.ok(flow.whole(), 'every byte arrives once') or t.diag(flow.tell())
    t.ok(g.has_line('closed .*end=ended .*resumes=2'), 'a clean end')


t.main()
