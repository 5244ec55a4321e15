#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""This program with an earlier one (tests/lib/earlier.py), each in each role:
equal bytes both ways, true ends, and agents and gates that work or
log why not.

If it fails: upgrading one side of a tunnel breaks it before the other side is
upgraded.
"""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t              # noqa: E402
import earlier                  # noqa: E402
import exchange                 # noqa: E402
import reverse as r             # noqa: E402

UP, DOWN = exchange.noise(3 << 20, 1), exchange.noise(3 << 20, 2)
QUICK = ('--linger', '1s')


def version(program):
    """The version of inetws-protocol(7) that a program offers."""
    server = t.WSServer()
    p = t.connect('ws://127.0.0.1:%d/' % server.port, program=program)
    offer = server.next().request.get('sec-websocket-extensions', '')
    p.stop(signal.SIGKILL)
    return int(re.search(r'\binetws; v=(\d+)', offer)[1])


def pairs():
    """[(name, the accepting program, the dialling one)]"""
    old = earlier.program()
    return (('new to earlier', old, t.INETWS), ('earlier to new', t.INETWS,
                                                old))


@t.limit(900)
def test_versions():
    """First, because it builds."""
    old, new = version(earlier.program()), version(t.INETWS)
    t.ok(old <= new, 'versions: earlier %d, new %d' % (old, new))


def serve(sock):
    """Sends DOWN and reads to the end."""
    b = exchange.Exchange(sock, DOWN)
    return b.join(), b.got == UP


def test_client():
    """Data both ways, and the end of each direction."""
    for name, accepts, dials in pairs():
        for options in ((), ('--resume', '0'), ('--warm', '1')):
            target = t.Listener(serve)
            s = t.server(target.port, *QUICK, program=accepts)
            c = t.client('ws://127.0.0.1:%d/' % s.port, *QUICK, *options,
                         program=dials)
            what = ' '.join((name,) + options)
            a = exchange.Exchange(t.ws.dial(c.port), UP)
            t.is_((a.join(), a.got == DOWN), ('eof', True),
                  what + ': all comes back, and a clean end')
            # A server that cannot park dials for a warm websocket, too.
            t.ok(t.until(lambda: ('eof', True) in target.results),
                 what + ': all arrives, and a clean end')
            for p in (s, c):
                t.ok(p.has_line('event=closed .*end=ended'), what +
                     ': the log of each says so')
            t.cleanup()


def test_connect():
    for name, accepts, dials in pairs():
        s = t.server(t.echo().port, *QUICK, program=accepts)
        p = t.run([dials, 'connect', *QUICK, 'ws://127.0.0.1:%d/' % s.port],
                  input=UP)
        t.is_((p.returncode, p.stdout == UP), (0, True),
              name + ': connect: all comes back, status 0')
        t.cleanup()


def test_reset():
    """A stream that is reset, and a process that is killed, are no ends."""
    for name, accepts, dials in pairs():
        for how in ('reset', 'kill'):
            target = t.Held()
            s = t.server(target.port, *QUICK, program=accepts)
            c = t.client('ws://127.0.0.1:%d/' % s.port, *QUICK, '--resume',
                         '1s', program=dials)
            a = t.ws.dial(c.port)
            a.sendall(b'x')
            b = target.next()
            t.is_(b.recv(1), b'x', '%s, %s: a tunnel' % (name, how))
            if how == 'reset':
                t.ws.reset(b)
            else:
                for child in t.children(s.pid):
                    os.kill(child, signal.SIGKILL)
            t.is_(t.ws.read_all(a)[1], 'reset',
                  '%s, %s: the client is reset' % (name, how))
            t.cleanup()


def test_gate():
    same = version(earlier.program()) == version(t.INETWS)
    for name, accepts, dials in pairs():
        g = r.gate(program=accepts)
        a = r.agent(g.url(), t.echo().port, '--retry', '1', program=dials)
        if same:
            visit = exchange.Exchange(r.visit(g.visitors), UP)
            t.is_((visit.join(), visit.got == UP), ('eof', True),
                  name + ': an agent and a gate work')
        else:
            t.is_(a.wait(), 76, name + ': the agent is refused: 76')
            if accepts == t.INETWS:
                for p in (g, a):
                    t.ok(p.has_line(r'version 2\b.*version 1\b'),
                         name + ': each logs both versions')
            else:       # which does not know of a later version
                t.ok(a.has_line('answered 400 .*agent'),
                     name + ': the log has the answer')
        t.cleanup()


if __name__ == '__main__':
    t.main()
