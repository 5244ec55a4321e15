#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Tunnels whose processes meet failing, short, interrupted and slow calls,
cuts and signals; a few of those of `make check-faults`.

If it fails: a machine without memory or descriptors, or a process that dies,
makes a truncated stream look complete.
"""

import collections
import os
import socket
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, '..', '..', 'faults'),
                os.path.join(HERE, '..', '..', 'lib')]
import inetws as t      # noqa: E402
import plan             # noqa: E402
import rounds           # noqa: E402


def run(seed, **kw):
    """The round, and what was wrong."""
    r = rounds.Round(seed, **kw)
    try:
        r.run_all()
        return r, ''
    except rounds.Wrong as e:
        return r, str(e)


def test_every_call_is_reached():
    """The program may be built so that a call passes the library by."""
    calls, met = collections.Counter(), collections.Counter()

    def add(seed, **kw):
        r, wrong = run(seed, profile='smooth', **kw)
        if not t.ok(not wrong, 'every byte arrives: %s' % r.name()):
            t.diag(wrong)
        calls.update(r.plan.calls())
        met.update(r.plan.done())
        t.cleanup()

    add(6, way='reverse', tls=True, tunnels=4)
    # tee(2), for one, is called only where much comes at once, twice.
    for seed in range(6, 16):
        add(seed, way='pair', most=3000000, tls=False, resume=True,
            program=True, tunnels=6)
        # where no certificate is loaded and no process is alone
        missed = [k for k in plan.KINDS
                  if not calls[k] and k not in ('mmap', 'recv')]
        unmet = [e for e in ('poll.intr', 'readv.short', 'readv.again',
                             'writev.short') if not met[e]]
        if not missed + unmet:
            break
    t.is_(missed, [], 'calls of all kinds are made through the library')
    t.is_(unmet, [], 'they fail in the sandbox too')


def faults_of(seed):
    """What a process that fails to connect has met."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))        # nobody listens
        p = plan.Plan(seed, {'slow': .2, 'intr': .2})
        p.arm()
        t.run_inetws('connect', 'ws://127.0.0.1:%d/' % s.getsockname()[1],
                     env=dict(os.environ, **p.env()))
    return [(f.kind, f.effect, f.n, f.process, f.error)
            for f in p.page.told[:p.page.ntold]]


def test_a_seed_replays():
    """Of a few runs two are alike: how often a process has to wait, and so how
    many calls it makes, is chance on a busy machine."""
    seen = []
    while len(seen) < 6 and not any(seen.count(x) > 1 for x in seen):
        seen.append(faults_of(1))
    t.ok(len(seen[-1]) > 3, '%d faults' % len(seen[-1]))
    t.ok(seen.count(seen[-1]) > 1, 'the same seed: the same faults') or \
        t.diag('\n'.join(map(str, seen)))
    t.ok(faults_of(2) not in seen, 'another seed: others')


def test_start_without_descriptors():
    """Under inetd, where only the connection can tell."""
    p = plan.Plan(1, {'open.lack': 1})
    p.arm()
    with socket.create_server(('127.0.0.1', 0)) as s:
        stream = t.ws.dial(s.getsockname()[1])
        with s.accept()[0] as given:
            c = t.inetws('client', 'ws://127.0.0.1:1/', stdin=given,
                         stdout=given, env=p.env())
            t.is_(c.wait(), 71, 'no descriptor at the start')
    t.is_(t.ws.read_all(stream), (b'', 'reset'), 'a reset says so')


def test_start_without_memory():
    """Whatever mmap(2) refuses: it starts, or says why not."""
    silent = []
    for seed in range(10, 35):
        p = plan.Plan(seed, {'mmap.lack': .08})
        p.arm()
        s = t.inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                     env=dict(p.env(), XDG_RUNTIME_DIR=t.folder()))
        if not s.has_line('listening on') and (s.wait() < 0 or not s.lines):
            silent.append((seed, s.wait(), p.tell()))
        t.cleanup()
    t.is_(silent, [], 'it starts, or exits with a message')


@t.limit(300)                   # what is lost may be dialled 30 s later
def test_tunnels():
    """Six rounds, one for each profile, of different ways."""
    tunnels = 0
    for seed, profile, way in ((101, 'smooth', 'inetd'), (102, 'cut', 'pair'),
                               (103, 'lack', 'warm'),
                               (104, 'signals', 'reverse'),
                               (105, 'all', 'connect'), (106, 'all', 'pair')):
        r, wrong = run(seed, profile=profile, way=way, tunnels=8)
        if not t.ok(not wrong, '%d tunnels, %d faults, %d signals: %s' % (
                len(r.tunnels), sum(r.plan.done().values()), r.sent_signals,
                r.name())):
            t.diag(wrong)
            t.diag('python3 tests/faults/run.py --seed %d --profile %s '
                   '--way %s --tunnels 8 -v' % (seed, profile, way))
        t.cleanup()


why = plan.lacking()
if why:
    t.skip_all(why)
t.main()
