#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Everything at once and for long: idle and busy tunnels, connections that come
and go, sessions whose proxy is restarted, and peers that are slow, flood or
never read, at a server and at a client.

    make soak                                   ten minutes
    make soak SOAK='--seconds 60 --idle 1000'

If it fails: a service that has run for days holds memory, descriptors or
processes that nothing needs, keeps good clients waiting, or mixes up bytes.
"""

import argparse
import os
import random
import resource
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import crowds           # noqa: E402
import hostile          # noqa: E402

WINDOW = 1024           # KiB
MEMORY = 2 * WINDOW + 1024      # of a process, as inetws(1) says
TABLE = 0.6     # KiB of a supervisor for each child that it ever had at once
ENDED = ('slow head', 'slow close', 'wrong lines')
ANSWERED = ('pings', 'one-byte frames', 'slow head')
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def options():
    p = argparse.ArgumentParser()
    for name, short in (('seconds', 20), ('idle', 200), ('busy', 20),
                        ('churn', 600), ('sessions', 40), ('restarts', 2),
                        ('hostile', 2)):
        p.add_argument('--' + name, type=int, default=short)
    return p.parse_args(os.environ.get('SOAK', '').split())


def pss_kib(pid):
    """None: it has ended."""
    try:
        with open('/proc/%d/smaps_rollup' % pid) as f:
            for line in f:
                if line.startswith('Pss:'):
                    return int(line.split()[1])
    except OSError:
        pass
    return None


def own_kib(pid):
    """What it has written, also before a fork; without the statistics page,
    which has its size from the beginning."""
    total = 0
    with open('/proc/%d/smaps' % pid) as f:
        for line in f:
            words = line.split()
            if not words[0].endswith(':'):
                shared = words[1].endswith('s')
            elif words[0] == 'Anonymous:' and not shared:
                total += int(words[1])
    return total


class Instance:
    """A supervisor: what it has at first, and the most it has had since."""

    def __init__(self, name, program, places):
        self.name, self.program, self.pid = name, program, program.pid
        self.places = places
        self.loaded = self.loaded_with = None   # before the attack
        self.first = self.state()
        self.most = dict.fromkeys(('processes', 'descriptors', 'largest'), 0)

    def state(self):
        return {'descriptors': t.descriptors(self.pid),
                'kib': own_kib(self.pid)}

    def look(self, children):
        """MiB of all its processes; a sample of them, if they are many."""
        sample = random.sample(children, min(1500, len(children)))
        sizes = [x for x in map(pss_kib, sample) if x is not None] or [0]
        m = self.most
        for name, value in (('processes', len(children)),
                            ('descriptors', t.descriptors(self.pid)),
                            ('largest', max(sizes))):
            m[name] = max(m[name], value)
        return sum(sizes) / len(sizes) * len(children) / 1024


class Soak:
    def __init__(self, o):
        self.o = o
        bad = o.hostile * len(hostile.KINDS)
        # The end waits for sessions whose hostile peers have gone.
        resume = (120 if o.seconds > 60 else 20) * t.SCALE
        limits = ('--window', '%dk' % WINDOW, '--handshake-timeout',
                  '%ds' % (10 * t.SCALE), '--linger', '3s', '--resume',
                  '%ds' % resume, '-q', '--max-connections')
        self.bound = resume + 4 * t.BOUND
        self.echo = crowds.worker(crowds.Echo)
        self.peers = crowds.worker(hostile.Attackers)
        tunnels = o.idle + o.busy + 600
        places = tunnels + o.sessions + 2 * bad + 100
        s = t.server(self.echo.ask('port'), *limits, places)
        c = t.client('ws://127.0.0.1:%d/' % s.port, *limits, tunnels)
        self.forward = crowds.worker(crowds.Forwarder, s.port)
        self.proxy = self.forward.ask('port')
        p = t.client('ws://127.0.0.1:%d/' % self.proxy, *limits,
                     o.sessions + 10)
        v = t.client('ws://127.0.0.1:%d/' % self.peers.ask('lure'), *limits,
                     2 * bad + 10)
        self.server_port, self.victim_port = s.port, v.port
        self.client_port = c.port
        self.instances = [
            Instance('server', s, places), Instance('client', c, tunnels),
            Instance('client behind the proxy', p, o.sessions + 10),
            Instance('client of hostile servers', v, 2 * bad + 10)]
        self.idle, self.busy, self.sessions, self.churn, self.good = (
            crowds.worker(crowds.Streams, port)
            for port in (c.port, c.port, p.port, c.port, c.port))
        self.streams = (('idle', self.idle), ('busy', self.busy),
                        ('sessions', self.sessions), ('churn', self.churn),
                        ('good', self.good))
        self.memory = []
        self.back = []          # [the proxy is killed, all sessions go on]

    def look(self):
        table = t.parents()
        of = {i.pid: [] for i in self.instances}
        for pid, (parent, _) in table.items():
            if parent in of:
                of[parent].append(pid)
        self.memory.append(sum(i.look(of[i.pid]) for i in self.instances))
        return sum(map(len, of.values()))

    def wait(self, what, crowd, good, times=4):
        """Until its report is as it should be."""
        last = {}

        def now():
            last.update(crowd.ask('report'))
            return good(last)
        if not t.ok(t.until(now, times * t.BOUND, .2), what):
            t.diag(last)
        return last

    def restart(self):
        """kill -9 of the proxy, which comes back at the same port."""
        begin = time.monotonic()
        self.forward.kill()
        time.sleep(0.5)                 # for redials that find nothing there
        self.forward = crowds.worker(crowds.Forwarder, self.server_port,
                                     self.proxy)
        self.sessions.ask('mark')
        if t.until(lambda: not self.sessions.ask('report')['marked'],
                   4 * t.BOUND, .1):
            self.back.append([begin, time.monotonic()])

    def load(self):
        o = self.o
        self.idle.ask('open', count=o.idle, chunk=1)
        self.busy.ask('open', count=o.busy, chunk=4096, pause=0.5)
        self.sessions.ask('open', count=o.sessions, chunk=100, pause=2)
        for name, crowd in self.streams[:3]:
            n = getattr(o, name)
            self.wait('%d %s tunnels' % (n, name), crowd, lambda r:
                      r['opening'] == 0 and r['live'] == n, 40)

    def attack(self):
        o = self.o
        self.good.ask('visits', rate=4, most=8192)
        self.churn.ask('visits', rate=o.churn / 60, most=20000)
        self.peers.ask('attack', port=self.server_port, count=o.hostile)
        self.peers.ask('visit', port=self.victim_port,
                       count=o.hostile * len(hostile.KINDS))
        self.peers.ask('visit', port=self.client_port, count=o.hostile,
                       reads=False)

    def run(self):
        """Everything at once."""
        begin, restarts = time.monotonic(), 0
        while time.monotonic() < begin + self.o.seconds:
            time.sleep(max(1, self.o.seconds / 60))
            self.look()
            part = self.o.seconds / (self.o.restarts + 1)
            if time.monotonic() > begin + (restarts + 1) * part and \
                    restarts < self.o.restarts:
                restarts += 1
                self.restart()


def during(s):
    """What has been seen while everything was going on."""
    o, found = s.o, s.peers.ask('stop')
    for name in hostile.KINDS:
        t.ok(found.get(name, 0) >= 2 * o.hostile, '%s: %d came, %d were ended' %
             (name, found.get(name, 0), found.get(name + ': ended', 0)))
    for name in ENDED:
        t.ok(found.get(name + ': ended', 0) > 0, '%s: not for ever' % name)
    for name in ANSWERED:
        t.ok(found.get(name + ': bytes back', 0) > 0, '%s: are answered' % name)
    t.ok(o.seconds < 20 or found.get('never reads: held up', 0) >= o.hostile,
         'never reads: can send no more in the end')
    during, took = s.good.ask('took', apart=s.back)
    t.ok(during[0] + took[0] >= 4 * o.seconds * .9, 'good clients: %d' %
         (during[0] + took[0]))
    for name, (n, *x), limits in (
            ('at other times', took, (.25, 1, 5)),
            ('while sessions redial', during, (5, 15, 15))):
        t.ok(all(a < b * t.SCALE for a, b in zip(x, limits)),
             '%d of them %s: first byte within %s ms (half, 99 %%, all)' %
             (n, name, ', '.join('%.0f' % (a * 1e3) for a in x)))
    r = s.churn.ask('report')
    t.ok(r['opened'] >= o.churn / 60 * o.seconds * .9,
         '%d connections came and went' % r['opened'])
    t.ok(len(s.back) == o.restarts, 'the proxy of %d sessions is restarted: '
         'all go on within %s s' % (o.sessions, ' '.join(
             '%.1f' % (b - a) for a, b in s.back)))
    for i in s.instances:
        m = i.most
        t.ok(m['processes'] <= i.places + 16, '%s: %d processes at most, '
             '%d places' % (i.name, m['processes'], i.places))
        t.ok(m['descriptors'] <= i.first['descriptors'] +
             m['processes'] + 32, '%s: %d descriptors at most' %
             (i.name, m['descriptors']))
        # When a proxy is back, all its sessions have a process more for a
        # moment, which the looks of this test may miss.
        now, more = own_kib(i.pid), i.places - i.loaded_with
        t.ok(t.SANITIZED or now <= i.loaded + 128 + more * TABLE,
             '%s: the supervisor has not grown: %d KiB before, %d behind' %
             (i.name, i.loaded, now))
        t.ok(t.SANITIZED or m['largest'] <= MEMORY,
             '%s: no process is larger than %d KiB (PSS; %d is said)' %
             (i.name, m['largest'], MEMORY))


def ends(s):
    """All streams end well; nothing of them is left."""
    for crowd in (s.good, s.churn):
        crowd.ask('visits', rate=0, most=0)
    moved = 0
    for name, crowd in s.streams:
        if name == 'idle':
            crowd.ask('ask')
        s.wait('%s: all that was sent is back' % name, crowd,
               lambda r: name in ('busy', 'sessions') or not r['behind'])
        crowd.ask('finish')
        r = s.wait('%s: all of them end' % name, crowd,
                   lambda r: not r['live'], 8)
        t.is_(r['faults'], [], '%s: %d tunnels, %d bytes, none wrong, no '
              'other end' % (name, r['opened'], r['bytes']))
        moved += r['bytes']
    t.ok(t.until(lambda: not any(t.children(i.pid) for i in s.instances),
                 s.bound, .2), 'no process is left')
    for i in s.instances:
        t.until(lambda: i.state()['descriptors'] == i.first['descriptors'])
        now = i.state()
        t.is_(now['descriptors'], i.first['descriptors'],
              '%s: descriptors as at first' % i.name)
        most = i.first['kib'] + 128 + i.most['processes'] * TABLE
        t.ok(t.SANITIZED or now['kib'] <= most, '%s: memory as at first, %d '
             'KiB, and its table of children: now %d, limit %d' %
             (i.name, i.first['kib'], now['kib'], most))
    for one in t.status()['instances']:
        t.is_(one['active'], 0, 'nothing on the page of %d' % one['pid'])
    return moved


def test_soak():
    o = options()
    resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))
    need = 2 * (o.idle + o.busy) + 1000
    if HARD < need:
        raise t.Skip('needs ulimit -Hn %d' % need)
    t.rundir()
    s = Soak(o)
    s.load()
    n = s.look()
    print('# %d processes without load: %.0f MiB (PSS), %.0f KiB each' %
          (n, s.memory[0], s.memory[0] * 1024 / n))
    for i in s.instances:
        i.loaded, i.loaded_with = own_kib(i.pid), i.most['processes']
    s.attack()
    s.run()
    during(s)
    moved = ends(s)
    print('# %d MB compared; %.0f MiB at most' %
          (moved / 1e6, max(s.memory)))
    for i in s.instances:
        t.is_(i.program.stop(), 0, '%s: TERM ends it' % i.name)


test_soak.limit = 600 + 4 * options().seconds
t.main()
