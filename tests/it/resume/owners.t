#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A session stays with the process that keeps it: its supervisor may be killed
or restarted, or there may be none (inetd and its kin).

If it fails: a restart of the service ends the tunnels it should keep.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import inetws_peer as p # noqa: E402
import launchers        # noqa: E402
import signal           # noqa: E402

MB = 1 << 20


def test_stopped_owner():
    """Nobody waits for what a process that hangs has been handed over."""
    target = t.Held()
    s = t.server(target.port, '-v')
    offer = 'inetws; v=2; id=d1; win=65536; resume'
    w = p.raw_dial('127.0.0.1', s.port, '/', offer, timeout=t.BOUND)
    target.next()
    child = t.child(s.pid)
    os.kill(child, signal.SIGSTOP)
    again = offer + '="%s"; n=%d; at=0'
    how = 'an answer'
    try:
        p.raw_dial('127.0.0.1', s.port, '/', again % (w.params['resume'], 1),
                   timeout=t.BOUND)
    except p.Lost as e:
        how = str(e)
    t.like(how, 'bare end', 'the process of the session hangs: a bare end')
    os.kill(child, signal.SIGCONT)
    p.raw_dial('127.0.0.1', s.port, '/', again % (w.params['resume'], 2),
               timeout=t.BOUND)
    t.ok(s.has_line('event=resumed'), 'it goes on: the next redial has it')
    t.is_(len([x for x in s.lines if 'event=resumed' in x]), 1,
          'the first one, which had ended, has not')


def again(port, target, *options):
    """Another server on the same port."""
    return t.server(target.port, '-v', *options,
                    listen='127.0.0.1:%d' % port)


def server(port, *options):
    """A server at a port that no other program gets when it has ended."""
    return t.server(port, *options, listen='127.0.0.1:%d' % t.free_port())


def tunnel(*options, make=server):
    """(server, client, cutter, our end, the target's end, target)"""
    target = t.Held()
    s = make(target.port, '-v', *options)
    cutter = cutting.Cutter(s.port)
    c = t.client('ws://localhost:%d/' % cutter.port, '-v')
    a = t.ws.dial(c.port)
    return s, c, cutter, a, target.next(), target


def flows(flow, n, name):
    t.ok(flow.reached(n, 4 * t.BOUND), name)


def resumed(c, n):
    return c.has_line('event=resumed', count=n)


def test_supervisor_killed():
    s, c, cutter, a, b, target = tunnel()
    flow = cutting.Flow(a, b, 30 * MB, 5 * MB)
    flows(flow, MB, 'bytes flow both ways')
    child = t.child(s.pid)
    s.send(signal.SIGKILL)
    s.wait()
    flow.allow(10 * MB)
    flows(flow, 9 * MB, 'kill -9 of the supervisor: they go on')
    cutter.cut('rst')
    t.ok(c.has_line('event=redial-failed'),
         'a websocket lost while there is none: redials fail')
    flow.allow(20 * MB)
    n = again(s.port, target)
    t.ok(resumed(c, 1), 'and are resumed when a new one runs')
    flows(flow, 19 * MB, 'bytes flow')
    t.ok(os.path.exists('/proc/%d' % child), 'in the old process')
    t.is_(t.until(lambda: t.children(n.pid) == []), True,
          'the new supervisor has nothing to do with it')
    n.send(signal.SIGKILL)
    n.wait()
    cutter.cut('fin')
    again(s.port, target)
    t.ok(resumed(c, 2), 'and once more')
    flow.allow(30 * MB)
    t.ok(flow.whole(), 'every byte arrives once') or t.diag(flow.tell())
    t.ok(c.has_line('closed .*end=ended .*resumes=2'), 'resumes=2')
    t.ok(s.has_line('closed .*end=ended .*resumes=2'),
         'in the log of the orphan too')
    t.ok(t.until(lambda: not os.path.exists('/proc/%d' % child) or
                 child in t.parents() and t.parents()[child][1] == 'Z'),
         'which is gone')


def test_client_supervisor_killed():
    s, c, cutter, a, b, target = tunnel()
    flow = cutting.Flow(a, b, 10 * MB, 2 * MB)
    flows(flow, MB, 'bytes flow both ways')
    c.send(signal.SIGKILL)
    c.wait()
    cutter.cut('fin')
    flow.allow(10 * MB)
    t.ok(flow.whole(), "kill -9 of the client's supervisor: its tunnels "
         'redial') or t.diag(flow.tell())
    t.ok(c.has_line('closed .*end=ended .*resumes=1'), 'resumes=1')


def test_restart_with_drain_leave():
    """An upgrade: the old supervisor leaves, the new one takes its port."""
    s, c, cutter, a, b, target = tunnel('--drain', 'leave')
    flow = cutting.Flow(a, b, 20 * MB, 5 * MB)
    flows(flow, MB, 'bytes flow both ways')
    t.is_(s.stop(), 0, 'TERM with --drain leave')
    again(s.port, target, '--drain', 'leave')
    flow.allow(10 * MB)
    flows(flow, 9 * MB, 'the tunnel goes on')
    cutter.cut('rst')
    t.ok(resumed(c, 1), 'and is resumed through the new supervisor')
    flow.allow(20 * MB)
    t.ok(flow.whole(), 'every byte arrives once') or t.diag(flow.tell())


def test_drain_ends_sessions():
    """A server that ends its tunnels sends rst: the client does not redial."""
    s, c, cutter, a, b, target = tunnel('--drain', '0')
    a.sendall(b'x')
    t.is_(t.ws.read_exactly(b, 1), b'x', 'a tunnel')
    t.is_(s.stop(), 0, 'TERM with --drain 0')
    for name, sock in (("the client's", a), ("the server's", b)):
        t.is_(t.ws.read_all(sock)[1], 'reset', '%s stream is reset' % name)
    t.ok(c.has_line('closed .*end=peer-reset'), 'told by rst')
    t.unlike(c.log, 'event=(websocket-lost|redial-failed)', 'no redial')


def alone(start, syslog=False, listen=()):
    """make= for tunnel(): each connection has a process from a launcher."""
    def make(port, *options):
        words = [t.INETWS, 'server'] + list(listen) + list(options) + \
            ['127.0.0.1:%d' % port]
        log = launchers.Syslog() if syslog else None
        if syslog and os.getuid() != 0:
            raise t.Skip('needs root')
        p, p.port = start(t.free_port(), words,
                          **({'prefix': log.prefix()} if log else {}))
        p.syslog = log
        return p
    return make


def without_supervisor(name, make):
    s, c, cutter, a, b, target = tunnel(make=make)
    flow = cutting.Flow(a, b, 20 * MB, 2 * MB)
    flows(flow, MB, '%s: bytes flow both ways' % name)
    for i, how in enumerate(('fin', 'rst')):
        cutter.cut(how)
        flow.allow((i + 2) * 4 * MB)
        if not t.ok(resumed(c, i + 1), '%s: a lost websocket is resumed (%s)' %
                    (name, how)):
            return
    flow.allow(20 * MB)
    t.ok(flow.whole(), '%s: every byte arrives once' % name) or \
        t.diag(flow.tell())
    t.ok(s.syslog.has('resumes=2') if s.syslog else
         s.has_line('closed .*end=ended .*resumes=2'), '%s: resumes=2' % name)


def test_openbsd_inetd():
    without_supervisor('openbsd-inetd', alone(
        launchers.openbsd_inetd('nowait'), True))


def test_socat():
    """Without nofork it would end our process with its connection."""
    def socat(port, command):
        return launchers.ready(t.Program(
            [t.need('socat')[0], 'TCP-LISTEN:%d,bind=127.0.0.1,reuseaddr,fork'
             % port, 'EXEC:"%s",nofork' % ' '.join(command)]), port)
    without_supervisor('socat EXEC,nofork', alone(socat))


def test_tcpserver():
    without_supervisor('tcpserver', alone(launchers.tcpserver))


def test_systemd_accept_yes():
    without_supervisor('systemd-socket-activate -a', alone(
        launchers.socket_activate('-a')))


def test_systemd_accept_yes_inetd():
    without_supervisor('systemd-socket-activate -a --inetd', alone(
        launchers.socket_activate('-a', '--inetd')))


def test_stdio():
    """Of two pipes there is not one descriptor that could be handed over."""
    for name in 'tcpserver', 'socketpair', 'pipes':
        without_supervisor('-l -, ' + name, alone(getattr(launchers, name),
                                                  listen=('-l', '-')))


def test_takeover_without_supervisor():
    """The server does not know yet that the old websocket is dead."""
    target = t.Held()
    s = alone(launchers.socket_activate('-a'))(target.port, '-v')
    cutter = cutting.Cutter(s.port)
    c = t.client('ws://localhost:%d/' % cutter.port, '-v', '--ping-interval',
                 '300ms', '--ping-timeout', '%dms' % (1000 * t.SCALE))
    a = t.ws.dial(c.port)
    flow = cutting.Flow(a, target.next(), 8 * MB, 2 * MB)
    flows(flow, MB, 'bytes flow both ways')
    cutter.hole()
    flow.allow(8 * MB)
    t.ok(flow.whole(), 'a black hole: the redial takes over') or \
        t.diag(flow.tell())
    t.ok(s.has_line('closed .*end=ended .*resumes=[1-9]'), 'resumed')


t.main()
