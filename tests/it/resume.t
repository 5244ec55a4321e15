#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""200 MB in both directions at once through nginx, whose wire is cut 50
times."""

import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import signal           # noqa: E402

TOTAL = 200 << 20
# A black hole costs the time it takes to be noticed.
QUICK = ('--ping-interval', '100ms', '--ping-timeout', '%dms' % (700 * t.SCALE))


def kill_workers(nginx):
    """kill -9 of all that serve: the master starts others."""
    for pid in t.children(nginx.pid, zombies=False):
        if 'worker process' in t.command_of(pid):
            os.kill(pid, signal.SIGKILL)


def tunnel(*options):
    """(client, server, nginx, cutter, our end, the target's end)"""
    target = t.Held()
    s = t.server(target.port, '-v')
    n = t.nginx(s.port)
    cutter = cutting.Cutter(n.port)
    c = t.client('ws://localhost:%d/ssh/' % cutter.port, '-v', *options)
    a = t.ws.dial(c.port)
    return c, s, n, cutter, a, target.next()


@t.limit(120)
def test_200_mb_cut_50_times():
    c, s, n, cutter, a, b = tunnel(*QUICK)
    ways = (('nginx reload', lambda: n.send(signal.SIGHUP)),
            ('kill -9 of the worker', lambda: kill_workers(n)),
            ('end of file', lambda: cutter.cut('fin')),
            ('reset', lambda: cutter.cut('rst')),
            ('black hole', cutter.hole))
    cuts = [ways[i % 5] if i % 5 or i < 30 else ways[1] for i in range(50)]
    share = TOTAL // 50
    flow = cutting.Flow(a, b, TOTAL, 2 * share)
    done = 0
    for i, (name, cut) in enumerate(cuts):
        if not flow.reached(i * share + share // 3, 4 * t.BOUND):
            t.diag('stuck before cut %d, %s' % (i, name))
            break
        cut()
        flow.allow((i + 3) * share)
        if not c.has_line('event="resumed after', count=i + 1):
            t.diag('not resumed after cut %d, %s' % (i, name))
            break
        done += 1
    flow.allow(TOTAL)
    t.is_(done, 50, 'cut 50 times and resumed 50 times')
    if not t.ok(flow.whole(), '200 MB both ways at once, sha256 equal'):
        t.diag(flow.tell())
    for name, p in (('client', c), ('server', s)):
        m = p.has_line('event=closed .*end=ended .*resumes=([0-9]+)')
        t.ok(m and int(m[1]) >= 50, '%s: a clean end, resumes=%s' % (
            name, m and m[1]))
        t.ok(p.has_line(r'event="wire lost'), 'it says when a wire is lost')
        t.unlike(p.log, '[0-9a-f]{32}', 'and never the id of the session')


t.main()
