#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""HUP with new options: what is parked with the old ones is replaced.

If it fails: a visitor or a connection after HUP is served with options that are
in the file no more, perhaps days later; or one is lost by it.
"""

import hashlib
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import reverse as r                     # noqa: E402
from exchange import Exchange, noise            # noqa: E402


HEADER = b'PROXY TCP4 192.0.2.7 192.0.2.8 7 8\r\n'


class Conf:
    """A file of options."""

    def __init__(self, *lines):
        self.path = os.path.join(t.folder(), 'conf')
        self.write(*lines)

    def write(self, *lines):
        with open(self.path, 'w') as f:
            f.writelines(x + '\n' for x in lines)

    def reload(self, program, *lines):
        """HUP with these, until all is read."""
        self.write(*lines)
        mark = program.mark()
        program.send(signal.SIGHUP)
        assert program.wait_line('event=reloaded', since=mark)


class WithHeader(t.Proxy):
    """Sends a PROXY header first, once there is one."""
    header = b''

    def _copy(self, src, dst):
        if dst.getpeername() == self.to:
            dst.sendall(self.header)
        super()._copy(src, dst)


def parked(program):
    return {c for c in t.children(program.pid)
            if 'parked' in t.command_of(c)}


def replaced(program, old, count):
    """Are there so many that are parked, and none of the old ones?"""
    return t.until(lambda: len(parked(program)) == count and
                   not parked(program) & old)


def named(name):
    """A target that sends its name."""
    return t.source(name)


def says(port):
    """What the first connection there is told."""
    with r.visit(port) as s:
        return s.recv(100)


def agent(conf, gate, *options):
    a = t.inetws('agent', '-K', conf.path, *options)
    assert r.parked(gate, 2) and t.until(lambda: len(parked(a)) == 2)
    return a


def client(conf):
    c = t.inetws('client', '-l', '127.0.0.1:0', '-K', conf.path)
    c.port = t.port_of(t.listening(c)[0])
    return c


def target_is(port):
    return 'target 127.0.0.1:%d' % port


def test_agent_target():
    g, old, new = r.gate(), named(b'old'), t.Held()
    conf = Conf('url ' + g.url(), target_is(old.port))
    a = agent(conf, g)
    v = r.visit(g.visitors)
    t.is_(v.recv(3), b'old', 'a visitor of the first target')
    v.close()
    t.until(lambda: len(parked(a)) == 2)
    conf.reload(a, 'url ' + g.url(), target_is(new.port), 'send-proxy')
    with r.visit(g.visitors):
        with new.next() as s:
            t.like(s.recv(200).decode(), '^PROXY TCP4 127.0.0.1 ',
                   'the next one comes to the new one, with its header')
    t.is_(old.accepted, 1, 'and not to the old one')


def test_agent_url():
    old, new, target = r.gate(), r.gate(), named(b'x')
    conf = Conf('url ' + old.url(), target_is(target.port))
    a = agent(conf, old)
    conf.reload(a, 'url ' + new.url(), target_is(target.port))
    t.ok(r.parked(new, 2), 'they wait at the new gate')
    t.ok(t.until(lambda: not parked(old)), 'and none at the old one')
    t.unlike(a.log, 'event=(failed|closed)', 'which is no failure')
    busy = t.WSServer(answer=lambda first, fields: (
        b'HTTP/1.1 503 No\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n'))
    conf.reload(a, 'url ws://127.0.0.1:%d/agents/a' % busy.port,
                target_is(target.port))
    t.ok(a.wait_line('event=failed .*503') and
         t.until(lambda: not t.children(a.pid)),
         'one asks it to wait half a minute')
    begin = time.monotonic()
    conf.reload(a, 'url ' + old.url(), target_is(target.port))
    t.ok(t.until(lambda: len(parked(old)) == 2) and
         time.monotonic() - begin < 25, 'but not for another one')
    t.is_(busy.accepted, 1, 'and it has waited')


def test_agent_trust():
    """What was dialled with the certificates of before is of no use."""
    cert = t.certificate()
    g = r.gate('--tls-cert', cert.cert, '--tls-key', cert.key)
    same = ('url wss://localhost:%d/agents/a' % g.port, target_is(1))
    conf = Conf(*same, 'spare 3', 'insecure')
    a = t.inetws('agent', '-K', conf.path)
    t.ok(t.until(lambda: len(parked(a)) == 3), 'three wait')
    for _ in range(3):
        mark = a.mark()
        conf.reload(a, *same, 'spare 3')
        t.ok(a.wait_line('event=reloaded-file', since=mark),
             'the certificates are read')
        t.ok(t.until(lambda: not parked(a)), 'none trusts any gate any more')
        t.ok(a.wait_line('event=failed .*certificate', since=mark),
             'and none is dialled so')
        t.is_(parked(a), set(), 'none waits')
        conf.reload(a, *same, 'spare 3', 'insecure')
        t.ok(t.until(lambda: len(parked(a)) == 3, 3 * t.BOUND),
             'with the option they come again')


def test_client_url():
    old, new = named(b'old'), named(b'new')
    first, second = t.server(old.port), t.server(new.port)
    conf = Conf('url ws://127.0.0.1:%d/' % first.port, 'warm 2')
    c = client(conf)
    t.ok(t.until(lambda: len(parked(c)) == 2), 'two are warm')
    conf.reload(c, 'url ws://127.0.0.1:%d/' % second.port, 'warm 2')
    t.is_(says(c.port), b'new', 'a connection comes to the new server')
    t.ok(t.until(lambda: len(parked(c)) == 2 and len(parked(second)) == 2 and
                 not parked(first)), 'where two are warm again')
    t.is_(old.accepted, 0, 'the old one gets none')


def test_server_target():
    old, new = named(b'old'), named(b'new')
    conf = Conf(target_is(old.port))
    s = t.inetws('server', '-l', '127.0.0.1:0', '-K', conf.path)
    port = t.port_of(t.listening(s)[0])
    clients = [t.client('ws://127.0.0.1:%d/' % port, '--warm', '2', *options)
               for options in ((), ('--resume', '0'))]
    t.ok(t.until(lambda: len(parked(s)) == 4), 'two of each client are warm')
    was = parked(s)
    conf.reload(s, target_is(new.port))
    t.ok(replaced(s, was, 4), 'they are replaced')
    t.until(lambda: all(len(parked(c)) == 2 for c in clients))
    t.is_([says(c.port) for c in clients for _ in range(3)], [b'new'] * 6,
          'all connections come to the new target')
    t.is_(old.accepted, 0, 'and none to the old one')


def test_gate_header():
    g_conf, target = Conf(), t.Held()
    g = r.gate('-K', g_conf.path)
    proxy = WithHeader(g.port)
    r.agent('ws://127.0.0.1:%d/agents/a' % proxy.port, target.port)
    r.parked(g, 2)
    was = parked(g)
    proxy.header = HEADER
    g_conf.reload(g, 'accept-proxy')
    for n in range(3):
        with r.visit(g.visitors) as v:
            v.sendall(HEADER + b'hello')
            with target.next() as s:
                t.is_(s.recv(100), b'hello',
                      'visitor %d: its header is not for the target' % n)
    t.ok(replaced(g, was, 2), 'the agent has come again')


def test_gate_agents():
    conf = Conf('allow-any-agent')
    listed = os.path.join(t.folder(), 'agents')
    with open(listed, 'w') as f:
        f.write('b %s\n' % hashlib.sha256(b's3cret').hexdigest())
    g = r.gate('-K', conf.path, '--queue', '1s', auth=())
    r.agent(g.url('a'), named(b'a').port)
    r.parked(g, 2)
    conf.reload(g, 'agents-file ' + listed)
    t.ok(r.visitor_is_reset(g.visitors),
         'no visitor comes to an agent that is not in the file')
    t.ok(t.until(lambda: not parked(g)), 'and nothing of it is parked')
    b = r.raw_agent(g, '/b', secret='s3cret')
    v = r.visit(g.visitors)
    t.like(r.line(b), '^open ', 'one that is listed gets them')
    v.close()


def test_same():
    """Nothing that a parked websocket has changes: it stays."""
    target = named(b'x')
    gate_conf = Conf('allow-any-agent')
    g = r.gate('-K', gate_conf.path, auth=())
    agent_conf = Conf('url ' + g.url(), target_is(target.port))
    a = agent(agent_conf, g)
    server_conf = Conf(target_is(target.port))
    s = t.inetws('server', '-l', '127.0.0.1:0', '-K', server_conf.path)
    to_s = 'url ws://127.0.0.1:%d/' % t.port_of(t.listening(s)[0])
    client_conf = Conf(to_s, 'warm 2')
    c = client(client_conf)
    t.until(lambda: len(parked(c)) == 2 and len(parked(s)) == 2)
    programs = g, a, s, c
    was = [parked(x) for x in programs]
    t.is_([len(x) for x in was], [2] * 4, 'two wait at each')
    gate_conf.reload(g, '# the same', 'allow-any-agent', 'queue 7s',
                     'max-waiting 7')
    agent_conf.reload(a, target_is(target.port), 'retry 9', 'url ' + g.url())
    server_conf.reload(s, target_is(target.port), 'max-connections 99')
    client_conf.reload(c, 'warm 2', 'log-level debug', to_s)
    for conf, x, bad in ((agent_conf, a, 'url ' + g.url()),
                         (server_conf, s, 'target nowhere')):
        conf.write(bad)
        x.send(signal.SIGHUP)
        t.ok(x.wait_line('event=reload '), 'options that are refused')
    t.is_((says(g.visitors), says(c.port)), (b'x', b'x'), 'two are used')
    t.ok(t.until(lambda: all(len(parked(x)) == 2 and parked(x) & old
                             for x, old in zip(programs, was))),
         'the others are the same as before')


def test_tunnels_stay():
    old, new = t.echo(), named(b'new')
    g = r.gate()
    conf = Conf('url ' + g.url(), target_is(old.port))
    a = agent(conf, g)
    v = r.visit(g.visitors)
    v.sendall(b'1')
    t.is_(v.recv(1), b'1', 'a tunnel')
    conf.reload(a, 'url ' + g.url(), target_is(new.port))
    v.sendall(b'2')
    t.is_(v.recv(1), b'2', 'goes on')
    t.is_(says(g.visitors), b'new', 'while the next one has the new options')
    v.close()


def test_crossing():
    """The agent's Close and the gate's "open" meet on the way."""
    old, new = named(b'old'), named(b'new')
    g = r.gate()
    proxy = t.Proxy(g.port)
    url = 'url ws://127.0.0.1:%d/agents/a' % proxy.port
    conf = Conf(url, target_is(old.port))
    a = agent(conf, g)
    was = parked(a)
    proxy.stall()
    with r.visit(g.visitors) as v:
        t.ok(t.until(lambda: any(
            t.unread(b.getsockname()[1]) for _, b in proxy.pairs)), 'it is on its way')
        conf.reload(a, url, target_is(new.port))
        proxy.resume()
        t.is_(v.recv(100), b'new', 'the visitor is served by another one')
    t.ok(t.until(lambda: not parked(a) & was), 'with the new options')
    t.is_((old.accepted, new.accepted), (0, 1), 'once')


def test_busy():
    """Visitors come all the time, and so does HUP: each is served once."""
    targets = t.echo(), t.echo()
    g = r.gate()
    lines = [('url ' + g.url(), target_is(x.port)) for x in targets]
    conf = Conf(*lines[0])
    a = agent(conf, g)
    data, exchanges = noise(1000), []
    for n in range(5):
        exchanges += [Exchange(r.visit(g.visitors), data) for _ in range(6)]
        conf.reload(a, *lines[(n + 1) % 2])
    t.is_(sum(x.join() == 'eof' and x.got == data for x in exchanges), 30,
          'all of them')
    t.is_(sum(x.accepted for x in targets), 30, 'and none twice')


if __name__ == '__main__':
    t.main()
