#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The gate: agents that are led frame by frame, the Python peer as another
implementation of the agent, and the agent of this program.

If it fails: visitors of a gate are lost, mixed up or served by the wrong
agent.
"""

import hashlib
import os
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t                      # noqa: E402
import inetws_peer as p                 # noqa: E402
import reverse as r                     # noqa: E402
from exchange import Exchange, noise            # noqa: E402


def test_serves():
    g = r.gate()
    a = r.raw_agent(g)
    t.ok('serve' not in a.params and a.params['id'] != 'agent1',
         'the agent is let in')
    v = r.visit(g.visitors)
    name = '%s:%d' % v.getsockname()
    v.sendall(b'early')
    t.is_(r.line(a), 'open ' + name, 'open, with the visitor\'s address')
    try:
        t.ok(False, 'nothing before ok, not %r' % (a.frame(.5),))
    except socket.timeout:
        t.ok(True, 'nothing of the visitor\'s before ok')
    a.text('ok')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'early'), 'then it comes')
    a.data(b'reply')
    t.is_(v.recv(100), b'reply', 'and replies do')
    v.shutdown(socket.SHUT_WR)
    t.is_(a.frame(t.BOUND), (p.TEXT, 'eof 5'), 'half-close')
    a.data(b'late')
    a.text('eof 9')
    t.is_(v.recv(100) + v.recv(100), b'late', 'and what comes after it')
    t.is_(a.frame(t.BOUND), (p.TEXT, 'ack 9'), 'which is confirmed')
    a.text('ack 5')
    t.is_(a.frame(t.BOUND), (p.CLOSE, 1000), 'Close')
    a.closing()
    a.drop()
    t.like(g.wait_line('event=closed .*')[0],
           r'mode=gate peer=%s .*up=9 down=5 .*end=ended' % name,
           'one line of log')


def test_tls():
    ca = t.Authority()
    site, alice = ca.issue(), ca.issue('alice')
    g = r.gate('--tls-cert', site.cert, '--tls-key', site.key,
               '--tls-client-ca', ca.cert, auth=())
    url = 'wss://localhost:%d/agents/a' % g.port
    other = t.run_inetws('agent', '--retry', '1', '--cacert', ca.cert,
                         url, '127.0.0.1:1')
    t.is_(other.returncode, 77, 'without a certificate it is no agent')
    r.agent(url, t.echo().port, '--cacert', ca.cert, '--cert', alice.cert,
            '--key', alice.key, '--spare', '1')
    v = r.visit(g.visitors)
    v.sendall(b'hello')
    t.is_(v.recv(100), b'hello', 'who has one is')
    v.shutdown(socket.SHUT_WR)
    t.is_(v.recv(100), b'', 'and what ends at one side does at the other')


def test_fail_and_reset():
    g = r.gate()
    a = r.raw_agent(g)
    v = r.visit(g.visitors)
    r.line(a)
    a.text('fail connection refused')
    begin = time.monotonic()
    t.ok(r.was_reset(v), 'fail: the visitor is reset')
    t.ok(time.monotonic() - begin < 4 * t.SCALE, 'at once')
    t.is_(a.frame(t.BOUND), (p.CLOSE, 1000), 'Close')
    a.drop()
    g.wait_line('end=peer-reset why="connection refused"')
    a = r.raw_agent(g)
    v = r.visit(g.visitors)
    r.line(a)
    r.reset(v)
    t.is_(a.frame(t.BOUND), (p.TEXT, 'rst'), 'a visitor who leaves: rst')
    a.drop()


def test_moves_on():
    """A websocket that is lost, closed, or silent at open: the next one."""
    g = r.gate()
    for how in ('lost', 'closed', 'reset', 'fault'):
        first = r.raw_agent(g)
        r.parked(g)
        second = r.raw_agent(g)
        r.parked(g, 2)
        v = r.visit(g.visitors)
        v.sendall(b'hello')
        t.like(r.line(first), '^open ', how)
        if how == 'lost':
            first.drop()
        elif how == 'reset':
            first.drop('rst')
        elif how == 'closed':
            first.closing(1001)
        else:
            first.data(b'too early')
        t.like(r.line(second), '^open ', 'goes to the next')
        second.text('ok')
        t.is_(second.frame(t.BOUND), (p.BINARY, b'hello'),
              'who gets everything')
        second.data(b'fine')
        t.is_(v.recv(10), b'fine', 'and the visitor has not noticed')
        second.text('rst')
        second.drop()
        first.drop()
        v.close()
        t.until(lambda: len(t.children(g.pid)) == 0)


def test_silent():
    g = r.gate()
    first = r.raw_agent(g)
    r.parked(g)
    second = r.raw_agent(g)
    r.parked(g, 2)
    begin = time.monotonic()
    v = r.visit(g.visitors)
    r.line(first)
    t.like(r.line(second), '^open ', 'silent: to the next')
    t.ok(4.5 < time.monotonic() - begin < 7.9 * t.SCALE, 'in five seconds')
    t.unlike(g.log, 'event=child-killed', 'and not as one that hangs')
    second.text('ok')
    second.data(b'fine')
    t.is_(v.recv(10), b'fine', 'who serves')
    first.text('ok')
    first.data(b'WRONG')
    second.data(b'!')
    t.is_(v.recv(10), b'!', 'the late one has no say')


def test_killed_child():
    """Even a child that is killed loses no visitor before ok."""
    g = r.gate()
    first = r.raw_agent(g)
    r.parked(g)
    child = t.child(g.pid)
    second = r.raw_agent(g)
    r.parked(g, 2)
    v = r.visit(g.visitors)
    r.line(first)
    os.kill(child, signal.SIGKILL)
    t.like(r.line(second), '^open ', 'killed: to the next')
    second.text('ok')
    second.data(b'fine')
    t.is_(v.recv(10), b'fine', 'who serves')


def test_stopped():
    """A process that is stopped keeps its visitor for a while only."""
    cases = []
    for others in (1, 0):
        g = r.gate('--queue', '30s' if others else '1s')
        agents = [r.raw_agent(g)]
        r.parked(g)
        child = t.child(g.pid)
        os.kill(child, signal.SIGSTOP)
        v = r.visit(g.visitors)     # first of all to the one that is stopped
        for _ in range(others):
            agents.append(r.raw_agent(g))
            r.parked(g, 2)
        cases.append((g, agents, v, child))
    g, agents, v, child = cases[0]
    t.like(r.line(agents[1]), '^open ', 'stopped: to another agent')
    agents[1].text('ok')
    agents[1].data(b'fine')
    t.is_(v.recv(10), b'fine', 'which serves the visitor')
    t.ok(t.until(lambda: child not in t.children(g.pid)),
         'the process is gone')
    t.ok(g.has_line('event=child-killed .*signal=9'), 'and the log says so')
    t.ok(r.was_reset(cases[1][2]), 'no other agent: the visitor is reset')
    cases[1][0].wait_line('event=no-agent')


def test_lost_at_ok():
    """A session's websocket that is lost just after ok counts as lost."""
    g = r.gate('--resume', '1s', '--linger', '1s')
    a = r.raw_agent(g, offer=r.OFFER + '; resume')
    r.parked(g)
    child = t.child(g.pid)
    v = r.visit(g.visitors)
    v.sendall(b'early')
    r.line(a)
    os.kill(child, signal.SIGSTOP)
    a.text('ok')
    a.drop('rst')
    os.kill(child, signal.SIGCONT)
    t.ok(r.was_reset(v), 'the visitor is reset when --resume is over')
    t.ok(t.until(lambda: not t.children(g.pid)), 'and nothing is left')


def test_queue():
    g = r.gate('--queue', '1m', '--max-waiting', '3')
    vs = [r.visit(g.visitors) for _ in range(3)]
    t.ok(r.visitor_is_reset(g.visitors), 'beyond --max-waiting: reset')
    for i, v in enumerate(vs):
        v.sendall(b'%d' % i)
    a = r.raw_agent(g)
    t.is_(r.line(a), 'open %s:%d' % vs[0].getsockname(),
          'an agent that comes gets the first who waits')
    a.text('ok')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'0'), 'and what he said')
    r.reset(vs[1])
    a2 = r.raw_agent(g)
    t.is_(r.line(a2), 'open %s:%d' % vs[2].getsockname(),
          'one who has left is passed over')
    a2.text('ok')
    half = r.visit(g.visitors)
    half.sendall(b'bye')
    half.shutdown(socket.SHUT_WR)
    a3 = r.raw_agent(g)
    r.line(a3)
    a3.text('ok')
    t.is_([a3.frame(t.BOUND) for _ in range(2)],
          [(p.BINARY, b'bye'), (p.TEXT, 'eof 3')],
          'an end of file from one who waits is a half-close')
    t.unlike(g.log, 'event=no-agent', 'nobody has waited too long')
    g = r.gate('--queue', '1500ms')
    begin = time.monotonic()
    late = r.visit(g.visitors)
    t.ok(r.was_reset(late), 'no agent comes: reset')
    t.ok(1.3 < time.monotonic() - begin < 6 * t.SCALE, 'after --queue')
    g.wait_line('event=no-agent')


def test_departed():
    """Visitors who were reset keep no place."""
    g = r.gate('--max-waiting', '3')
    for _ in range(3):
        r.reset(r.visit(g.visitors))

    def comes():
        try:
            v = r.visit(g.visitors)
            v.settimeout(.2)
            v.recv(1)
        except socket.timeout:
            return v
        except OSError:
            return None
    t.ok(t.until(comes), 'the next one waits')
    v = r.visit(g.visitors)
    a = r.raw_agent(g)
    t.like(r.line(a), '^open ', 'and is served')
    v.close()


def test_nobody_answers():
    """Each websocket is silent: the visitor's time runs out all the same."""
    g = r.gate('--queue', '2s')
    first = r.raw_agent(g)
    r.parked(g)
    v = r.visit(g.visitors)
    r.line(first)
    second = r.raw_agent(g)
    r.parked(g, 2)
    t.ok(r.was_reset(v), 'he is reset')
    t.ok(g.wait_line('event=no-agent'), 'and the log says so')
    w = r.visit(g.visitors)
    t.is_(r.line(second), 'open %s:%d' % w.getsockname(),
          'the second websocket has waited for the next one')
    w.close()


def test_pings():
    """A dead waiting websocket is found before a visitor finds it."""
    g = r.gate('--ping-interval', '300ms', '--ping-timeout', '900ms')
    a = r.raw_agent(g)
    t.is_(a.frame(t.BOUND, pings=True)[0], p.PING, 'it is pinged')
    t.ok(t.until(lambda: not t.children(g.pid)), 'no answer: it goes')
    v = r.visit(g.visitors)
    b = r.raw_agent(g)
    t.like(r.line(b), '^open ', 'and no visitor meets it')
    v.close()


def test_limits():
    g = r.gate('--max-parked', '2')
    websockets = [r.raw_agent(g), r.raw_agent(g)]
    try:
        r.raw_agent(g)
        t.ok(False, 'a third websocket is let in')
    except p.Refused as e:
        t.is_(e.status, 503, '--max-parked: 503')
    for w in websockets:
        w.drop()
    g = r.gate('--max-connections', '2')
    websockets = [r.raw_agent(g), r.raw_agent(g)]
    try:
        r.raw_agent(g)
        t.ok(False, 'a third websocket is let in')
    except p.Refused as e:
        t.is_(e.status, 503, '--max-connections: 503')


def refused(g, path, offer=r.OFFER, **kw):
    try:
        r.raw_agent(g, path, offer, **kw).drop()
        return None
    except p.Refused as e:
        return e.status


def test_who():
    g = r.gate(auth=('--path', '/forward/7f3a'))
    t.is_(refused(g, '/forward/7f3a'), None, '--path lets one in')
    t.is_(refused(g, '/forward/7f3b'), 404, 'another id: 404')
    t.is_(refused(g, '/forward/7f3a', 'inetws; v=2; id=x'), 400,
          'no agent: 400')
    t.is_(refused(g, '/forward/7f3a', None), 400, 'a plain peer: 400')
    t.is_(refused(g, '/forward/7f3a', 'inetws; v=2; id=x; resume="%s"; '
                  'n=1; at=0' % ('0' * 32)), 410, 'an unknown session: 410')
    f = r.agents_file(office__ssh='s3cret', other='else')
    g = r.gate(auth=('--agents-file', f))
    t.is_(refused(g, '/agents/office-ssh', secret='s3cret'), None,
          '--agents-file: name and secret')
    t.is_(refused(g, '/agents/office-ssh'), 401, 'no secret: 401')
    a = t.ws.ask(g.port, t.ws.request('/agents/office-ssh', headers=[
        ('Sec-WebSocket-Extensions', r.OFFER)]))
    t.is_((a.status, a.headers.get('www-authenticate')),
          (401, 'Bearer realm="inetws"'), 'with a challenge')
    t.is_(refused(g, '/agents/office-ssh', secret='else'), 403,
          'another one\'s: 403')
    t.is_(refused(g, '/agents/nobody', secret='else'), 403, 'unlisted: 403')
    t.is_(refused(g, '/agents/', secret='else'), 400, 'no name: 400')
    with open(f, 'a') as o:
        o.write('late 0000\n')
    r_ = t.run_inetws('gate', '-l', '0', '--visitors', '0', '--agents-file',
                      f)
    t.is_(r_.returncode, 64, 'a bad line: usage')
    t.like(r_.stderr, r'agents:4: expected NAME SHA256', 'and where')


def test_reload():
    """HUP: a line that is wrong admits nobody, and the others hold."""
    conf = os.path.join(t.folder(), 'conf')
    f = r.agents_file(a='s3cret', b='0ther')

    def write(*lines):
        with open(conf, 'w') as out:
            out.writelines(x + '\n' for x in lines)

    write('agents-file ' + f)
    g = r.gate('-K', conf, auth=())
    a = r.raw_agent(g, '/a', secret='s3cret')
    b = r.raw_agent(g, '/b', secret='0ther')
    r.parked(g, 2)
    write('')
    g.send(signal.SIGHUP)
    t.ok(g.wait_line('event=reload why="who may be an agent'),
         'no option names the agents: the old options stay')
    t.is_(refused(g, '/a'), 401, 'and the secret is still needed')
    write('agents-file ' + f)
    with open(f, 'a') as out:
        out.write('broken\n')
    g.send(signal.SIGHUP)
    t.ok(g.wait_line('event=agents-file .*line=4 why="expected NAME'),
         'a broken line: told')
    v = r.visit(g.visitors)
    t.like(r.line(a), '^open ', 'and who waits goes on waiting')
    a.text('ok')
    with open(f, 'w') as out:
        out.write('b %s\n' % hashlib.sha256(b'new').hexdigest())
    mark = g.mark()
    g.send(signal.SIGHUP)
    t.ok(g.wait_line('event=reloaded', since=mark), 'a good one')
    t.is_(b.frame(t.BOUND), (p.CLOSE, 1000),
          'who waits by a secret that is no more in it has to go')
    b.drop()
    v.sendall(b'x')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'x'), 'a tunnel goes on')
    c = r.raw_agent(g, '/b', secret='new')
    r.parked(g)
    mark = g.mark()
    g.send(signal.SIGHUP)
    t.ok(g.wait_line('event=reloaded', since=mark), 'again')
    w = r.visit(g.visitors)
    t.like(r.line(c), '^open ', 'who is in it goes on waiting')
    v.close()
    w.close()


def test_usage():
    for words, says in (
            (('--visitors', '0'), 'who may be an agent'),
            (('--allow-any-agent',), 'expected --visitors or --visitors-dir'),
            (('--allow-any-agent', '--visitors', '0', '--visitors-dir',
              '/tmp'), '--visitors: not together with --visitors-dir'),
            (('--allow-any-agent', '--visitors', '0', 'x'), 'unexpected'),
            (('--allow-any-agent', '--visitors', '-'), 'not an address')):
        out = t.run_inetws('gate', '-l', '127.0.0.1:0', *words)
        t.is_(out.returncode, 64, ' '.join(words))
        t.like(out.stderr, says, 'says why')
    out = t.run_inetws('gate', '-l', '127.0.0.1:0', '--allow-any-agent',
                       '--visitors-dir', '/nonexistent')
    t.is_(out.returncode, 71, 'no such directory')
    a, b = socket.socketpair()
    q = t.Program([t.INETWS, 'gate', '--visitors', '0',
                   '--allow-any-agent'], stdin=b, stdout=b, stderr=b)
    t.is_(q.wait(), 64, 'under inetd: usage')
    a.close()
    b.close()


def port():
    """An address that no other program takes while nothing listens there."""
    return '127.0.0.1:%d' % t.free_port()


def test_end():
    g = r.gate(visitors=port())
    a, b = r.raw_agent(g), r.raw_agent(g)
    v = r.visit(g.visitors)
    first, spare = a, b
    r.line(first)
    first.text('ok')
    g.send(signal.SIGTERM)
    t.is_(spare.frame(t.BOUND), (p.CLOSE, 1001),
          'TERM: a waiting websocket ends')
    spare.closing()
    spare.drop()
    v.sendall(b'on')
    t.is_(first.frame(t.BOUND), (p.BINARY, b'on'), 'a tunnel goes on')
    try:
        r.visit(g.visitors).close()
        t.ok(False, 'visitors are let in')
    except OSError:
        t.ok(True, 'the listeners are closed')
    v.close()
    first.text('rst')
    first.drop()
    t.is_(g.wait(), 0, 'then it ends')
    g = r.gate()
    v = r.visit(g.visitors)
    t.is_(g.stop(), 0, 'TERM with one who waits')
    t.ok(r.was_reset(v), 'resets him')


def test_leave():
    g = r.gate('--drain', 'leave', listen=port(), visitors=port())
    a, b = r.raw_agent(g), r.raw_agent(g)
    v = r.visit(g.visitors)
    r.line(a)
    a.text('ok')
    a.data(b'x')
    v.recv(1)
    t.is_(g.stop(), 0, '--drain leave: it is gone')
    g2 = r.gate(listen=g.name, visitors='127.0.0.1:%d' % g.visitors)
    t.ok(True, 'a new one has its listeners at once')
    kind, code = b.frame(t.BOUND)
    t.ok(kind == p.CLOSE and code in (1000, 1001),
         'waiting websockets end (%s)' % code)
    v.sendall(b'on')
    t.is_(a.frame(t.BOUND), (p.BINARY, b'on'), 'the tunnel lives on')
    t.ok(g2.alive(), 'both are well')


def test_leave_while_connecting():
    """The agent has been told of a visitor, and is dialling its target."""
    for how in ('TERM', 'KILL'):
        g = r.gate('--drain', 'leave')
        a, b = r.raw_agent(g), r.raw_agent(g)
        v, w = r.visit(g.visitors), r.visit(g.visitors)
        for agent in (a, b):
            t.like(r.line(agent), '^open ', how + ': an agent is told')
        if how == 'TERM':
            t.is_(g.stop(), 0, 'the gate leaves')
        else:
            g.send(signal.SIGKILL)
            g.wait()
        a.text('ok')
        a.data(b'fine')
        t.is_(v.recv(10), b'fine', 'the agent serves its visitor')
        v.sendall(b'so it is')
        t.is_(a.frame(t.BOUND), (p.BINARY, b'so it is'), 'both ways')
        b.text('fail no target')
        t.ok(r.was_reset(w), 'one that it cannot serve is reset')


def test_unix_listener():
    d = t.folder()
    g = r.gate(visitors='unix:%s/socket,mode=0660' % d)
    t.is_(os.stat(d + '/socket').st_mode & 0o777, 0o660, 'a Unix socket')
    a = r.raw_agent(g)
    v = r.visit(d + '/socket')
    t.is_(r.line(a), 'open -', 'whose visitors have no address')
    v.close()
    a.drop()
    t.is_(g.stop(), 0, 'the end')
    t.ok(not os.path.exists(d + '/socket'), 'removes the socket')


def listener():
    s = socket.create_server(('127.0.0.1', 0), backlog=16)
    t.on_close(s.close)
    return s.fileno(), s.getsockname()[1]


def served(g, what, agents, visitors, metrics=None):
    g.port = agents
    a = r.raw_agent(g)
    v = r.visit(visitors)
    t.is_(r.line(a), 'open 127.0.0.1:%d' % v.getsockname()[1],
          what + ': visitors come')
    a.text('ok')
    a.data(b'x')
    t.is_(v.recv(1), b'x', 'and are served')
    if metrics is not None:
        t.like(t.http(metrics, '/metrics')[2],
               r'(?m)^inetws_connections_active'
               ' 1$', 'and so are metrics')
    a.text('rst')
    a.drop()
    v.close()
    t.is_(g.stop(), 0, 'to the end')


def test_given_listeners():
    """All of its listeners are handed over."""
    (a, to_a), (v, to_v), (m, to_m) = [listener() for _ in range(3)]
    g = r.gate(listen='fd:%d' % a, visitors='fd:%d' % v,
               auth=('--allow-any-agent', '--metrics', 'fd:%d' % m),
               pass_fds=(a, v, m))
    t.is_((g.port, g.visitors), (to_a, to_v), 'fd:N: announced')
    served(g, 'fd:N', to_a, to_v, to_m)
    activate, = t.need('systemd-socket-activate')
    for words in (('-l', 'systemd:agents', '--visitors', 'systemd:visitors',
                   '--metrics', 'systemd:numbers'),
                  ('--visitors', 'systemd:visitors', '--metrics',
                   'systemd:numbers')):
        ports = [t.free_port() for _ in range(3)]
        g = t.Program([activate] + [w for port in ports for w in (
            '-l', '127.0.0.1:%d' % port)] + [
                '--fdname=agents:visitors:numbers', t.INETWS, 'gate',
                '--allow-any-agent', *words])
        g.wait_line('Listening on', count=3)
        served(g, ' '.join(words[:2]), *ports)
    q = t.run_inetws('gate', '-l', '0', '--visitors', 'systemd:visitors',
                     '--allow-any-agent')
    t.is_(q.returncode, 64, 'nothing was passed: usage')
    t.like(q.stderr.decode(), 'systemd has passed no socket',
           'and the log says so')


def test_agent_given_metrics():
    fd, port = listener()
    g = r.gate()
    a = r.agent(g.url(), t.echo().port, '--metrics', 'fd:%d' % fd,
                pass_fds=(fd,))
    t.is_(t.port_of(a.wait_line(r'metrics on (\S+)')[1]), port,
          'an agent can be given one too')
    t.is_(t.http(port, '/healthz')[0], 200, 'which answers')


class PeerAgent:
    """The Python peer as an agent: one websocket after another."""

    def __init__(self, g, target, faults=None, **kw):
        self.g, self.target, self.faults = g, target, faults
        self.settings = p.Settings(serve=True, **kw)
        self.tunnels = []
        self.open = True
        t.on_close(self.close)
        threading.Thread(target=self.run, daemon=True).start()

    def get(self, addr):
        self.addr = addr
        return socket.create_connection(('127.0.0.1', self.target.port))

    def live(self, tunnel):
        self.tunnels.append(tunnel)

    def run(self):
        while self.open:
            try:
                p.dial('127.0.0.1', self.g.port, '/agents/a', None,
                       self.settings, self.faults, self.get, self.live)
            except (OSError, p.Refused, p.Lost):
                time.sleep(.05)

    def close(self):
        self.open = False


def test_peer_agent():
    g, target = r.gate(), t.echo()
    agents = [PeerAgent(g, target) for _ in range(2)]
    r.parked(g, 2)
    data = noise(2 << 20)
    for i in range(4):
        exchange = Exchange(r.visit(g.visitors), data)
        how = exchange.join()
        t.ok(how == 'eof' and exchange.got == data,
             '2 MB there and back by the Python agent: %s' % how)
    t.ok(t.until(lambda: all('ended' in [x.outcome for x in a.tunnels]
                             for a in agents)), 'both took part')


def test_peer_resumes():
    g, target = r.gate(), t.echo()
    agent = PeerAgent(g, target, p.RandomFaults(7, 20, 400000))
    data = noise(5 << 20)
    exchange = Exchange(r.visit(g.visitors), data)
    how = exchange.join()
    t.ok(how == 'eof' and exchange.got == data,
         'cut again and again, nothing lost: %s, %d' % (
             how, len(exchange.got)))
    resumes = max(x.resumes for x in agent.tunnels)
    t.ok(resumes >= 5, 'through %d resumes' % resumes)


def test_own_agent():
    g, target = r.gate(), t.echo()
    a = r.agent(g.url(), target.port, '--spare', '4')
    t.ok(r.parked(g, 4), 'four websockets wait')
    data = noise(100000)
    exchanges = [Exchange(r.visit(g.visitors), data) for _ in range(200)]
    good = sum(x.join() == 'eof' and x.got == data for x in exchanges)
    t.is_(good, 200, '200 visitors at once, four websockets: all are served')
    t.ok(r.parked(g, 4), 'and four wait again')
    t.ok(t.until(lambda: len(t.children(a.pid)) == 4 and
                 len(t.children(g.pid)) == 4), 'nothing is left behind')
    t.is_(a.stop(), 0, 'the agent ends')
    t.ok(t.until(lambda: not t.children(g.pid)), 'its websockets are gone')
    t.is_(g.stop(), 0, 'the gate ends')


def test_restart():
    """The agent is back when the gate is."""
    g, target = r.gate(listen=port(), visitors=port()), t.echo()
    r.agent(g.url(), target.port)
    r.parked(g, 2)
    name, visitors = g.name, g.visitors
    g.send(signal.SIGKILL)
    g.wait()
    g = r.gate(listen=name, visitors='127.0.0.1:%d' % visitors)
    exchange = Exchange(r.visit(g.visitors), b'hello')
    t.ok(exchange.join() == 'eof' and exchange.got == b'hello',
         'killed and started again: the next visitor is served')


if __name__ == '__main__':
    t.main()
