#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Signals that the launcher ignores.

If it fails: Ctrl-C in sftp ends the session it runs through, or programs that
inetws starts seem never to end.
"""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

URL = 'ws://127.0.0.1:%d/'


def ignoring(*signals):
    """A preexec_fn."""
    def ignore():
        for s in signals:
            signal.signal(s, signal.SIG_IGN)
    return ignore


def script(text):
    path = os.path.join(t.folder(), 'script')
    with open(path, 'w') as f:
        f.write('#!/bin/sh\n' + text)
    os.chmod(path, 0o700)
    return path


def ignored(pid):
    """Of INT, QUIT and HUP, those that a process ignores."""
    with open('/proc/%d/status' % pid) as f:
        mask, = [int(line.split()[1], 16) for line in f
                 if line.startswith('SigIgn:')]
    return [s for s in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
            if mask >> s - 1 & 1]


ALL = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT]


def test_connect():
    """As sftp starts a ProxyCommand."""
    s = t.server(t.echo().port)
    c = t.connect(URL % s.port, preexec_fn=ignoring(*ALL))
    c.stdin.write(b'one')
    c.stdin.flush()
    t.is_(c.stdout.read(3), b'one', 'a tunnel')
    t.is_(ignored(c.pid), ALL, 'ignored signals stay ignored')
    for s in ALL:
        os.kill(c.pid, s)
    c.stdin.write(b'two')
    c.stdin.flush()
    t.is_(c.stdout.read(3), b'two', 'and the tunnel goes on')
    c.stdin.close()
    t.is_(c.wait(), 0, 'to its end')


def test_supervisor():
    target = t.echo()
    s = t.server(target.port, preexec_fn=ignoring(*ALL))
    w = t.ws.connect(s.port)
    w.send(b'one')
    t.is_(w.take_data(3), b'one', 'a tunnel')
    child = t.child(s.pid)
    t.is_((ignored(s.pid), ignored(child)), (ALL, ALL),
          'both processes ignore what their launcher does')
    for pid in (s.pid, child):
        for signo in ALL:
            os.kill(pid, signo)
    w.send(b'two')
    t.is_(w.take_data(3), b'two', 'and go on')
    w.sock.close()
    t.is_(s.stop(), 0, 'TERM ends it')


def test_not_ignored():
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    w.send(b'one')
    w.take_data(3)
    child = t.child(s.pid)
    os.kill(child, signal.SIGQUIT)
    t.ok(t.until(lambda: child not in t.family(s.pid)),
         'QUIT ends a child')
    t.is_(s.stop(signal.SIGINT), 0, 'INT ends a supervisor')


def test_children_of_the_launcher():
    """A launcher that ignores SIGCHLD has no zombies; inetws needs them."""
    quiet = ignoring(signal.SIGCHLD)
    s = t.server(t.echo().port, '--auth-command', script('exit 0'),
                 preexec_fn=quiet)
    t.is_(t.ws.ask(s.port, t.ws.request()).status, 101, '--auth-command')
    c = t.run_inetws('connect', '--header-command', script('echo X: y'),
                     URL % s.port, input=b'one', preexec_fn=quiet)
    t.is_((c.stdout, c.returncode), (b'one', 0), '--header-command')
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'sh', '-c', 'exit 3',
                 preexec_fn=quiet)
    w = t.ws.connect(t.port_of(t.listening(s)[0]))
    w.take_close()
    w.sock.close()
    t.ok(s.has_line('program="exit 3"'), 'the status of a program as target')


def test_standard_error():
    """The process that logs a program's standard error ends at TERM, and not
    at a terminal's Ctrl-C, as the program may go on."""
    s = t.inetws('server', '-l', '127.0.0.1:0', '--log-format', 'json', '--',
                 'sh', '-c', 'echo one >&2; read x; echo two >&2; read x')
    s.wait_line('"event":"listening"')
    port = int(re.search(r'127.0.0.1:(\d+)', s.log)[1])
    w = t.ws.connect(port)
    s.wait_line('"text":"one"')
    title = 'logging standard error of sh for %s:%d' % w.sock.getsockname()
    logger, = [pid for pid in t.parents() if title in t.command_of(pid)]
    os.kill(logger, signal.SIGINT)
    os.kill(logger, signal.SIGHUP)
    w.send(b'x\n')
    t.ok(s.has_line('"text":"two"'), 'INT and HUP do not end it')
    os.kill(logger, signal.SIGTERM)
    t.ok(t.until(lambda: t.parents().get(logger, (0, 'Z'))[1] == 'Z'),
         'TERM does')
    w.sock.close()


t.main()
