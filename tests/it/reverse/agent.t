#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The agent against gates that are led frame by frame, and against the Python
peer as another implementation of the gate.

If it fails: a service behind an agent cannot be reached, or the agent gives
up.
"""

import os
import queue
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
from exchange import Exchange, noise, pair      # noqa: E402


class Gate:
    """Accepts every websocket; next() is a Raw that an agent has dialled.
    .times are those of its requests, each before its answer, so that a pause
    of the agent between two of them is not longer than what lies between them.
    """

    def __init__(self, reply='inetws; v=2; id=gate', status=None, port=0):
        self.reply, self.status = reply, status
        self.websockets = queue.Queue()
        self.times = []
        self.sock = socket.create_server(('127.0.0.1', port), backlog=64)
        self.port = self.sock.getsockname()[1]
        self.url = 'ws://127.0.0.1:%d/agents/a' % self.port
        self.open = True
        t.on_close(self.close)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while self.open:
            try:
                self.websockets.put(p.raw_accept(self, self.reply, 60,
                                                 self.status))
            except OSError:
                return
            except Exception:
                continue

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def accept(self):
        accepted = self.sock.accept()
        self.times.append(time.monotonic())
        return accepted

    @property
    def count(self):
        return len(self.times)

    def next(self):
        return self.websockets.get(timeout=t.BOUND)

    def close(self):
        self.open = False
        self.sock.close()


def agent(gate, target, *options, **kw):
    url = gate if isinstance(gate, str) else gate.url
    target = '127.0.0.1:%d' % target if isinstance(target, int) else target
    rest = [target] if isinstance(target, str) else ['--'] + target
    return t.inetws('agent', *options, url, *rest, **kw)


def line(raw, timeout=None):
    op, body = raw.frame(timeout or t.BOUND)
    assert op == p.TEXT, (op, body)
    return body


def test_parks():
    gate, target = Gate(), t.echo()
    a = agent(gate, target.port, '--spare', '3')
    websockets = [gate.next() for _ in range(3)]
    t.ok(all('serve' in w.params and 'park' not in w.params
             for w in websockets),
         'three websockets, each an offer to serve')
    a.wait_line('event=parked at=ws://127.0.0.1')
    t.is_(len(t.children(a.pid)), 3, 'each in a process of its own')
    t.is_(target.accepted, 0, 'the target is not dialled')
    w = websockets[1]
    w.send(p.PING, b'?')
    t.is_(w.frame(t.BOUND, pings=True), (p.PONG, b'?'),
          'a waiting websocket answers pings')
    w.text('open 192.0.2.7:4711')
    t.is_(line(w), 'ok', 'open: the target is dialled, and ok is said')
    gate.next()
    t.ok(True, 'a new websocket waits at once')
    w.data(b'hello')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'hello'), 'data flows')
    w.text('eof 5')
    t.is_(w.frame(t.BOUND), (p.TEXT, 'ack 5'), 'the end is confirmed')
    t.is_(w.frame(t.BOUND), (p.TEXT, 'eof 5'), 'half-close both ways')
    w.text('ack 5')
    t.is_(w.frame(t.BOUND), (p.CLOSE, 1000), 'and Close')
    w.closing()
    w.drop()
    line_ = a.wait_line(r'event=closed mode=agent .*')[0]
    t.like(line_, r'peer=192\.0\.2\.7:4711 .*target=127\.0\.0\.1:%d up=5 '
           r'down=5 .*end=ended' % target.port, 'one line says who and what')
    for raw in (websockets[0], websockets[2]):
        raw.drop()
    t.is_(a.stop(), 0, 'TERM ends it')
    t.is_(t.family(), [], 'and all its websockets')


def test_own_target_only():
    """A gate opens the agent's target, and nothing that it names."""
    gate, target, other = Gate(), t.echo(), t.echo()
    agent(gate, target.port)
    for word in ('127.0.0.1:%d' % other.port, '-'):
        w = gate.next()
        w.text('open ' + word)
        t.is_(line(w), 'ok', 'open %s' % word)
        w.data(b'hello')
        t.is_(w.frame(t.BOUND), (p.BINARY, b'hello'), 'a stream')
    t.is_((target.accepted, other.accepted), (2, 0), 'of its own target')


def test_close_and_term():
    gate, target = Gate(), t.echo()
    a = agent(gate, target.port, '--spare', '1')
    gate.next().closing()
    w = gate.next()
    t.ok(True, 'a websocket that the gate closes is dialled again')
    a.send(signal.SIGTERM)
    t.is_(w.lines_to_close(t.BOUND), ([], b'', 1001),
          'TERM: a waiting websocket is closed with 1001')
    w.closing()
    w.drop()
    t.is_(a.wait(), 0, 'status 0')
    t.unlike(a.wait_log(), 'event=closed', 'unused websockets are not logged')


def test_drain():
    gate, target = Gate(), t.echo()
    a = agent(gate, target.port, '--spare', '1')
    w = gate.next()
    w.text('open -')
    t.is_(line(w), 'ok', 'a tunnel')
    spare = gate.next()
    a.send(signal.SIGTERM)
    t.is_(spare.frame(t.BOUND), (p.CLOSE, 1001), 'the spare is closed')
    spare.closing()
    spare.drop()
    w.data(b'still')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'still'), 'the tunnel goes on')
    w.text('rst')
    t.is_(w.frame(t.BOUND), (p.CLOSE, 1000), 'until it ends')
    w.closing()
    w.drop()
    t.is_(a.wait(), 0, 'then the agent ends')


def test_leave():
    gate, target = Gate(), t.echo()
    a = agent(gate, target.port, '--spare', '1', '--drain', 'leave')
    w = gate.next()
    w.text('open -')
    line(w)
    spare = gate.next()
    t.is_(a.stop(), 0, '--drain leave: it is gone at once')
    kind, code = spare.frame(t.BOUND)
    t.ok(kind == p.CLOSE and code in (1000, 1001),
         'the spare too (%s)' % code)
    spare.closing()
    spare.drop()
    w.data(b'still')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'still'), 'the tunnel lives on')


def test_quick_visitors():
    """Visitors who leave at once, as probes of a port do, are no failures."""
    g, e = r.gate(), t.echo()
    a = r.agent(g.url(), e.port, '--spare', '1')
    a.wait_line('event=parked')
    for _ in range(12):
        r.parked(g)
        r.reset(r.visit(g.visitors))
    begin = time.monotonic()
    v = r.visit(g.visitors)
    v.sendall(b'x')
    t.is_(v.recv(1), b'x', 'the next one is served')
    t.ok(time.monotonic() - begin < 5 * t.SCALE, 'at once')
    t.is_(a.log.count('event=parked'), 1, 'the agent had no trouble')


def stat_of(pid):
    """S: asleep, T: stopped."""
    return t.parents().get(pid, (0, ''))[1]


def test_lost_at_ok():
    """The gate dies while the target is dialled: nothing stays behind."""
    gate = Gate('inetws; v=2; id=gate; resume="%s"' % ('0' * 32))
    target = t.Held()
    a = agent(gate, target.port, '--spare', '1', '--resume', '1s')
    w = gate.next()
    r.parked(a)
    child = t.child(a.pid)
    t.until(lambda: stat_of(child) == 'S')
    for pid in (a.pid, child):      # else it would be replaced
        os.kill(pid, signal.SIGSTOP)
        t.until(lambda: stat_of(pid) == 'T')
    w.text('open -')
    w.drop('rst')
    gate.close()
    os.kill(child, signal.SIGCONT)
    t.until(lambda: stat_of(child) != 'T')
    os.kill(a.pid, signal.SIGCONT)
    s = target.next()
    t.ok(r.was_reset(s), 'the target is reset')
    t.ok(t.until(lambda: child not in t.children(a.pid)),
         'and its process has gone')


def test_stopped():
    """A parked process that is stopped is no spare: another one is dialled."""
    g, e = r.gate(), t.echo()
    a = r.agent(g.url(), e.port, '--spare', '2')
    r.parked(g, 2)
    r.parked(a, 2)
    stopped = t.children(a.pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    t.ok(t.until(lambda: not set(stopped) & set(t.children(a.pid))),
         'they are gone')
    v = r.visit(g.visitors)
    v.sendall(b'x')
    t.is_(v.recv(1), b'x', 'and others serve')
    t.ok(r.parked(a, 2), 'as many as there were')


def test_inherited_tunnels():
    """The limit counts the tunnels of an earlier agent while they last."""
    env = {'RUNTIME_DIRECTORY': t.folder()}
    g, e = r.gate(), t.echo()
    options = ('--max-connections', '1', '--spare', '1', '--drain', 'leave')
    a = r.agent(g.url(), e.port, *options, env=env)
    a.wait_line('event=parked')
    v = r.visit(g.visitors)
    v.sendall(b'x')
    t.is_(v.recv(1), b'x', 'a tunnel')
    t.is_(a.stop(), 0, 'TERM leaves it')
    b = r.agent(g.url(), e.port, *options, env=env)
    b.wait_line('event=inherited-tunnels')
    v.sendall(b'y')
    t.is_(v.recv(1), b'y', 'the next agent has no room')
    v.close()
    t.ok(b.wait_line('event=parked'), 'until that has ended')


def test_spare_again():
    conf = os.path.join(t.folder(), 'conf')
    with open(conf, 'w') as out:
        out.write('spare 1\n')
    g, e = r.gate(), t.echo()
    a = r.agent(g.url(), e.port, '-K', conf)
    t.ok(r.parked(g, 1), 'one websocket')
    with open(conf, 'w') as out:
        out.write('spare 3\n')
    a.send(signal.SIGHUP)
    t.ok(r.parked(g, 3), 'HUP: more of them')


def test_killed_supervisor():
    gate, target = Gate(), t.echo()
    a = agent(gate, target.port, '--spare', '2')
    websockets = [gate.next(), gate.next()]
    a.wait_line('event=parked')
    a.send(signal.SIGKILL)
    for w in websockets:
        t.is_(w.frame(t.BOUND), (p.CLOSE, 1000),
              'the supervisor is killed: a waiting websocket ends')
        w.closing()
        w.drop()
    t.ok(t.until(lambda: not t.family()), 'nothing is left')


def test_target_down():
    gate = Gate()
    a = agent(gate, t.free_port(), '--spare', '1')
    w = gate.next()
    w.text('open -')
    t.like(line(w), r'^fail .*refused', 'a dead target: fail and why')
    t.is_(w.frame(t.BOUND), (p.CLOSE, 1000), 'and Close')
    w.closing()
    w.drop()
    gate.next()
    t.ok(True, 'and a new websocket waits')
    a.wait_line('event=no-target .*refused')


def test_target_stays_down():
    """Lines of one kind are limited, as those of other failures."""
    g = r.gate()
    a = r.agent(g.url(), t.free_port())
    for _ in range(14):
        t.ok(r.parked(g), 'a websocket waits')
        t.ok(r.visitor_is_reset(g.visitors), 'no target')
    t.is_(a.stop(), 0, 'TERM ends it')
    t.is_(a.log.count('event=no-target'), 10, 'ten lines a minute')
    t.like(a.log, 'event=no-target mode=agent .*target=127', 'with a target')


def test_slow_target():
    """A target that does not answer is told of before the gate gives up."""
    gate = Gate()
    agent(gate, t.full(), '--spare', '1')
    took = []
    while not took or min(took) >= 4.9 * t.SCALE and len(took) < 4:
        w = gate.next()         # a busy machine may delay one of them
        begin = time.monotonic()
        w.text('open -')
        said = line(w)
        took.append(time.monotonic() - begin)
        t.like(said, '^fail .*time', 'a dead end: ' + said)
        w.drop()
    t.ok(min(took) < 4.9 * t.SCALE, 'in less than 5 s')


def test_send_proxy():
    gate, target = Gate(), t.Held()
    agent(gate, target.port, '--spare', '1', '--send-proxy')
    w = gate.next()
    w.text('open [2001:db8::7]:4711')
    s = target.next()
    t.is_(line(w), 'ok', 'ok')
    got = b''
    while b'\r\n' not in got:
        got += s.recv(200)
    t.like(got, r'^PROXY TCP6 2001:db8::7 .* 4711 ',
           'the target is told who the visitor is')


def test_program():
    gate = Gate()
    a = agent(gate, ['sh', '-c', 'echo $REMOTE_ADDR; cat'], '--spare', '1')
    w = gate.next()
    w.text('open 192.0.2.7:4711')
    t.is_(line(w), 'ok', 'a program as the target')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'192.0.2.7\n'), 'knows the visitor')
    w.data(b'x')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'x'), 'and exchanges bytes with it')
    w.text('eof 1')
    t.is_(w.frame(t.BOUND), (p.TEXT, 'ack 1'), 'which ends')
    t.is_(w.frame(t.BOUND), (p.TEXT, 'eof 11'), 'both ways')
    w.drop()
    a.wait_line('event=closed .*program=')


def test_program_hup():
    """A program is told when the tunnel is cut off."""
    gate, d = Gate(), t.folder()
    agent(gate, ['sh', '-c', 'trap "echo hup >%s/hup; exit" HUP; '
                 'while read x; do echo $x; done; sleep 60 & wait' % d],
          '--spare', '1')
    w = gate.next()
    w.text('open -')
    line(w)
    w.data(b'x\n')
    t.is_(w.frame(t.BOUND), (p.BINARY, b'x\n'), 'the program runs')
    w.text('rst')
    t.ok(t.until(lambda: os.path.exists(d + '/hup')), 'rst: it gets HUP')
    w.drop()


def test_bad_gates():
    gate = Gate(reply=None)
    a = agent(gate, 1, '--spare', '1', '--retry', '2')
    t.is_(a.wait(), 76, 'a plain peer is no gate: --retry 2, status 76')
    t.like(a.wait_log(), 'does not speak', 'the log says so')
    t.is_(gate.count, 2, 'two tries')
    t.ok(gate.times[1] - gate.times[0] > .09, 'with a pause between')
    gate = Gate(status=403)
    a = agent(gate, 1, '--spare', '4', '--retry', '1')
    t.is_(a.wait(), 77, '403: status 77')
    t.is_(gate.count, 1, '--retry 1 is one try, whatever --spare says')
    t.like(a.wait_log(), r'(?m)event=stopping active=0 tunnels=drained$',
           'and no tunnel is waited for')
    a = agent('ws://127.0.0.1:%d/' % t.free_port(), 1, '--retry', '1')
    t.is_(a.wait(), 69, 'no gate there: status 69')


def test_backoff():
    """It goes on, at growing intervals, and is back soon."""
    gate = Gate(status=503)
    a = agent(gate, t.echo().port, '--spare', '2')
    t.ok(t.until(lambda: gate.count >= 4), 'it goes on trying')
    gaps = [b - a for a, b in zip(gate.times, gate.times[1:])]
    # 200 ms, doubled twice, less a half
    t.ok(gaps[2] > .39, 'at growing intervals: %s' % gaps)
    t.ok(all(g > .09 for g in gaps), 'one at a time')
    gate.status = None
    t.ok(a.has_line('event=parked', 2 * t.BOUND),
         'and is back when the gate is')


def test_lost_wires():
    """A gate that takes websockets and loses them at once is not stormed."""
    gate = Gate()
    a = agent(gate, t.echo().port, '--spare', '2')
    begin = time.monotonic()
    while time.monotonic() < begin + 2 or (
            gate.count < 3 and time.monotonic() < begin + t.BOUND):
        try:
            gate.websockets.get(timeout=.1).drop()
        except queue.Empty:
            pass
    t.ok(3 <= gate.count <= 24, '%d websockets in %.1f seconds' % (
        gate.count, time.monotonic() - begin))
    t.ok(a.alive(), 'and the agent lives')


def test_usage():
    r = t.run_inetws('agent', 'ws://127.0.0.1:1/')
    t.is_(r.returncode, 64, 'no TARGET: usage')
    r = t.run_inetws('agent', '--spare', '0', 'ws://127.0.0.1:1/', '1.2.3.4:5')
    t.is_(r.returncode, 64, '--spare 0: usage')
    a, b = socket.socketpair()
    q = t.Program([t.INETWS, 'agent', 'ws://127.0.0.1:1/', '127.0.0.1:1'],
                  stdin=b, stdout=b, stderr=b)
    t.is_(q.wait(), 64, 'under inetd: usage')
    a.close()
    b.close()


class PeerGate:
    """The Python peer as a gate: .visitors are handed out one by one."""

    def __init__(self, **kw):
        self.queue = queue.Queue()
        self.server = p.Server(None, p.Settings(visitor=self.queue.get, **kw))
        t.on_close(self.server.stop)
        self.url = 'ws://127.0.0.1:%d/agents/a' % self.server.port

    def visit(self, data=b'', **kw):
        near, inner = pair()
        exchange = Exchange(near, data, **kw)
        self.queue.put(inner)
        return exchange


def test_peer_gate():
    gate, target = PeerGate(), t.echo()
    a = agent(gate, target.port, '--spare', '2')
    data = noise(3 << 20)
    exchanges = [gate.visit(data) for _ in range(5)]
    for exchange in exchanges:
        how = exchange.join()
        t.ok(how == 'eof' and exchange.got == data,
             '3 MB there and back through the Python gate: %s, %d' %
             (how, len(exchange.got)))
    t.ok(a.alive(), 'the agent is well')


def test_peer_gate_resumes():
    """20 cuts each way while 10 MB go through."""
    data = noise(5 << 20)
    faults = p.RandomFaults(5, 20, 400000)
    gate, target = PeerGate(), t.echo()
    gate.server.faults = faults
    agent(gate, target.port, '--spare', '1')
    exchange = gate.visit(data)
    how = exchange.join()
    t.ok(how == 'eof' and exchange.got == data,
         'nothing is lost: %s, %d bytes' % (how, len(exchange.got)))
    tunnel = gate.server.tunnels[0]
    t.ok(tunnel.resumes >= 5, 'through %d resumes' % tunnel.resumes)
    t.ok(t.until(lambda: tunnel.outcome == 'ended'), 'and ends well')


def test_many():
    """A websocket for each visitor, though two wait at a time."""
    gate, target = PeerGate(), t.echo()
    a = agent(gate, target.port, '--spare', '2', '--max-connections', '64')
    exchanges = [gate.visit(b'%d' % i * 100) for i in range(40)]
    good = sum(exchange.join() == 'eof' and exchange.got == exchange.data
               for exchange in exchanges)
    t.is_(good, 40, '40 visitors are served')
    t.ok(t.until(lambda: len(t.children(a.pid)) <= 3), 'and leave nothing')


if __name__ == '__main__':
    t.main()
