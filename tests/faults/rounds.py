# SPDX-License-Identifier: ISC
"""A round: a few tunnels of one kind, under faults, all of it from a seed.

What a round is to show: what an end reads is what the other end sent, up to an
end; an end of file means that it was all; otherwise there is a reset, HUP for
a program, an exit status.  Afterwards one more tunnel is served as ever, and
nothing is left: processes, descriptors of a supervisor, files.
"""

import functools
import os
import random
import resource
import selectors
import signal
import socket
import subprocess
import time

import ca
import cutting
import ends
import peers
import plan
import proc
import reverse
import tap

# How many of 2^32 calls meet what.
SMOOTH = {'short': .06, 'intr': .02, 'again': .02, 'slow': .001,
          'malloc.slow': 0, 'poll.again': 0}
LACK = dict(SMOOTH, lack=.002)
ALL = dict(LACK, gone=.002)

# name: (rates, websockets are cut, signals are sent, from the start)
PROFILES = {'smooth': (SMOOTH, False, False, False),
            'cut': (SMOOTH, True, False, False),
            'lack': (LACK, False, False, False),
            'signals': (SMOOTH, True, True, False),
            'all': (ALL, True, True, False),
            'start': (ALL, True, True, True)}
WAYS = ('pair', 'pair', 'connect', 'inetd', 'reverse', 'warm')
SIGNALS = ('KILL', 'SEGV', 'STOP', 'STOP', 'TERM')


class Cuts(cutting.Cutter):
    """Meets some websockets with a cut somewhere."""

    def __init__(self, port, r, cuts, tls):
        self.random, self.cuts = r, cuts
        super().__init__(port)
        self.tls = tls

    @property
    def plan(self):
        r = self.random
        if not (self.cuts and self.planning) or r.random() < .5:
            return None
        # not in TLS's handshake: there a tunnel may fail
        return (r.choice(('up', 'down')), int((1 << 20) ** r.random()) +
                (8192 if self.tls else 0),
                r.choice(('fin', 'rst', 'fin', 'rst', 'hole')))

    @plan.setter
    def plan(self, value):
        pass


class Wrong(Exception):
    """What a round has shown."""


class Refused(Exception):
    """A program did not start, and said so."""


class Round:
    def __init__(self, seed, tunnels=12, rates=(), most=300000, **chosen):
        r = self.random = random.Random(seed)
        self.seed, self.most = seed, most
        self.way = r.choice(WAYS)
        self.profile = r.choice(list(PROFILES))
        self.tls = r.random() < .3
        self.resume = r.random() < .6
        self.program = r.random() < .3
        for name, value in chosen.items():      # way, profile, tls ...
            if value is not None:
                setattr(self, name, value)
        self.count = tunnels
        self.rates, self.cuts, self.signals, self.early = \
            PROFILES[self.profile]
        self.rates = dict(self.rates, **dict(rates))
        if self.tls:                    # a handshake makes thousands of calls
            self.rates['malloc.lack'] = 0 if self.early else \
                self.rates.get('lack', 0) / 10
        # may a tunnel fail, and say so?
        self.may_fail = self.signals or any(
            v for k, v in self.rates.items() if 'lack' in k or 'gone' in k) \
            or (self.cuts and not self.resume)
        # what was parked on a path that is dead by now had no session yet
        self.may_fail |= self.cuts and self.way in ('warm', 'reverse')
        self.loop = ends.Loop()
        self.tunnels, self.nameless, self.wrong = {}, [], []
        self.sent_signals, self.stopped = 0, []
        self.supervisors, self.singles, self.alone = [], [], []

    def name(self):
        return '%s, %s%s%s%s' % (self.profile, self.way, ', wss'
                                 if self.tls else '', ', sessions'
                                 if self.resume else '', ', program'
                                 if self.program else '')

    # --- what is under test ---

    def options(self):
        long = not self.may_fail
        scale = tap.SCALE
        return ['--resume', '%ds' % (30 if long else 3) if self.resume
                else '0', '--linger', '%ds' % (10 if long else 2),
                '--ping-interval', '300ms' if self.cuts else '5s',
                '--ping-timeout', '%dms' % ((2000 if self.cuts else 20000)
                                            * scale)]

    def time_to_dial(self):
        return ['--connect-timeout', '%ds' % (
            (3 if self.may_fail else 20) * tap.SCALE)]

    def inetws(self, *words, **kw):
        return proc.inetws(*words, env=dict(
            self.plan.env(), XDG_RUNTIME_DIR=self.run), **kw)

    def begin(self):
        self.run = proc.folder()
        self.plan = plan.Plan(self.seed, self.rates)
        self.plan.arm(self.early)
        self.listen_targets()
        self.cert = certificate() if self.tls else None
        try:
            getattr(self, 'begin_' + self.way)()
        except AssertionError:
            # closed: nothing holds its standard error any more
            if self.early and any((p.closed or not p.alive()) and p.wait()
                                  for p in self.supervisors):
                raise Refused()
            raise

    def warm_up(self):
        """What is loaded once is loaded without faults: OpenSSL silently leaves
        out algorithms for which it found no memory then."""
        self.cutter.planning = False
        self.turn_until(self.dial(1 << 33, True).over, 30)
        self.cutter.planning = True

    def target(self):
        return ['--', plan.PLUG, self.plugs] if self.program and \
            self.way != 'reverse' else self.time_to_dial() + ['127.0.0.1:%d' % self.target_port]

    def serving(self):
        return self.options() + ['--handshake-timeout', '%ds' % (
            (3 if self.may_fail else 20) * tap.SCALE)] + (
                ['--tls-cert', self.cert.cert, '--tls-key', self.cert.key]
                if self.tls else [])

    def dialling(self):
        return self.options() + self.time_to_dial() + (['--cacert', self.cert.ca]
                                 if self.tls else [])

    def url(self, path=''):
        return '%s://localhost:%d/%s' % ('wss' if self.tls else 'ws',
                                         self.cutter.port, path)

    def listening(self, p, count=1):
        self.supervisors.append(p)
        return proc.listening(p, count)

    def begin_server(self):
        p = self.inetws('server', '-l', '127.0.0.1:0', *self.serving(),
                        *self.target())
        return proc.port_of(self.listening(p)[0])

    def begin_cutter(self, port):
        self.cutter = Cuts(port, self.random, self.cuts, self.tls)

    def begin_client(self, *options):
        p = self.inetws('client', '-l', '127.0.0.1:0', *options,
                        *self.dialling(), self.url())
        self.port = proc.port_of(self.listening(p)[0])

    def begin_pair(self):
        self.begin_cutter(self.begin_server())
        self.begin_client()

    def begin_warm(self):
        self.begin_cutter(self.begin_server())
        self.begin_client('--warm', '3')

    def begin_connect(self):
        self.begin_cutter(self.begin_server())

    def begin_inetd(self):
        s = self.listener(lambda sock: self.single(
            sock, 'server', *self.serving(), *self.target()))
        self.begin_cutter(s)
        self.port = self.listener(lambda sock: self.single(
            sock, 'client', *self.dialling(), self.url()))

    def begin_reverse(self):
        g = self.inetws('gate', '-l', '127.0.0.1:0', '--visitors',
                        '127.0.0.1:0', '--allow-any-agent', *self.serving())
        names = self.listening(g)
        self.port = proc.port_of(g.wait_line(r'visitors on (\S+)')[1])
        self.begin_cutter(proc.port_of(names[0]))
        a = self.inetws('agent', '--spare', '3', *self.dialling(), self.url('agents/a'),
                        '127.0.0.1:%d' % self.target_port)
        self.supervisors.append(a)
        if self.early:
            proc.until(lambda: reverse.parked(g) or not a.alive(), 5)
        if not a.alive():
            raise AssertionError('the agent has ended')

    def single(self, sock, *words):
        """A process for a connection, as inetd starts it."""
        p = self.inetws(*words, stdin=sock, stdout=sock)
        self.singles.append(p)
        sock.close()

    # --- ends ---

    def listener(self, call, family=socket.AF_INET):
        if family == socket.AF_UNIX:
            s = socket.socket(family)
            self.plugs = os.path.join(proc.folder(), 'plugs')
            s.bind(self.plugs)
            s.listen(100)
        else:
            s = socket.create_server(('127.0.0.1', 0), backlog=100)
        s.setblocking(False)
        proc.on_close(s.close, end=True)

        def ready(events):
            try:
                sock = s.accept()[0]
            except OSError:
                return
            sock.setblocking(True)
            call(sock)
        self.loop.watch(s.fileno(), selectors.EVENT_READ, ready)
        return s.getsockname()[1]

    def listen_targets(self):
        self.target_port = self.listener(self.target_came)
        self.listener(self.program_came, socket.AF_UNIX)

    def target_came(self, sock):
        fd = sock.detach()
        self.came(ends.End(self.loop, fd, fd, 'target'))

    def program_came(self, sock):
        sock.settimeout(10)
        try:
            fds = ends.passed(sock)
        except OSError:
            fds = []
        if len(fds) != 2:
            return
        os.close(fds[1])                # they are one socket
        end = ends.End(self.loop, fds[0], fds[0], 'program')
        end.asked = sock
        self.came(end)

    def came(self, end):
        self.nameless.append(end)
        end.on_change = functools.partial(self.identify, end)
        end.update()

    def identify(self, end):
        if end not in self.nameless:
            return
        if len(end.early) >= ends.HEAD:
            no = int.from_bytes(end.early[:ends.HEAD], 'big')
            self.nameless.remove(end)
            t = self.tunnels.get(no)
            if t is None or t.b is not None:
                self.wrong.append('a second end for tunnel %d' % no)
                end.close()
            else:
                t.target(end)
        elif end.how is not None:
            self.nameless.remove(end)
            if end.how == 'eof' and not (self.signals and
                                         end.name == 'program'):
                self.wrong.append('%s: an end behind %d bytes' % (
                    end.name, len(end.early)))
            end.close()

    def dial(self, no, gentle):
        t = ends.Tunnel(self.loop, self.seed, no, self.most, gentle)
        self.tunnels[no] = t
        if self.way == 'connect':
            a, b = socket.socketpair()
            if t.random.random() < .5:
                pipes = os.pipe(), os.pipe()
                t.process = self.inetws('connect', *self.dialling(),
                                        self.url(), stdin=pipes[0][0],
                                        stdout=pipes[1][1])
                for fd in (pipes[0][0], pipes[1][1]):
                    os.close(fd)
                end = ends.End(self.loop, pipes[1][0], pipes[0][1], 'connect')
            else:
                t.process = self.inetws('connect', *self.dialling(),
                                        self.url(), stdin=b, stdout=b)
                fd = os.dup(a.fileno())
                end = ends.End(self.loop, fd, fd, 'connect')
            a.close()
            b.close()
            self.alone.append(t.process)
        else:
            fd = socket.create_connection(('127.0.0.1', self.port)).detach()
            end = ends.End(self.loop, fd, fd, 'client')
        t.client(end)
        return t

    # --- the round ---

    def turn_until(self, condition, seconds):
        end = time.monotonic() + seconds * tap.SCALE
        while not condition():
            if time.monotonic() > end:
                return False
            self.loop.turn()
        return True

    def processes(self):
        """Those that may get a signal: not before they have looked at what they
        were given."""
        found = [p.pid for p in self.singles + self.alone
                 if p.alive() and ' -> ' in proc.command_of(p.pid)]
        for p in self.supervisors:
            found += proc.children(p.pid, zombies=False)
        return found

    def signal_one(self):
        r = self.random
        if not self.plan.page.armed:
            return                      # too late
        name, pids = r.choice(SIGNALS), self.processes()
        if r.random() < .1:
            name, pids = 'STOP', [p.pid for p in self.supervisors]
        if pids:
            pid = r.choice(pids)
            self.send(pid, name)
            if name == 'STOP':
                self.stopped.append(pid)
                self.loop.after(r.random(), functools.partial(self.go_on, pid))

    def go_on(self, pid):
        self.stopped.remove(pid)
        self.send(pid, 'CONT')

    def send(self, pid, name):
        try:
            os.kill(pid, getattr(signal, 'SIG' + name))
            self.sent_signals += name != 'CONT'
        except ProcessLookupError:
            pass

    def all_over(self):
        return not self.nameless and all(
            t.over() for t in self.tunnels.values()) and not any(
                p.alive() for p in self.singles)

    def run_tunnels(self):
        r = self.random
        for no in range(self.count):
            self.loop.after(r.random() * .1 * no,
                            functools.partial(self.dial, no, not self.may_fail))
        if self.signals:
            for _ in range(self.count // 2):
                self.loop.after(r.random() * .1 * self.count,
                                self.signal_one)
        started = lambda: set(range(self.count)) <= set(self.tunnels)
        self.turn_until(lambda: started() and self.all_over(), 40)
        self.plan.arm(False)
        if not self.turn_until(lambda: started() and self.all_over(), 40):
            self.wrong.append('tunnels that do not end')

    def good_tunnel(self):
        """Everything that was broken has been mended by itself."""
        self.cutter.planning = False
        self.turn_until(lambda: not self.stopped, 5)
        # a dead path of a parked websocket is noticed after a while, and what
        # could not be dialled is dialled again after 30 s at the latest
        tries = 4 if self.waiting() else 1
        for i in range(tries):
            t = self.dial((1 << 32) + i, True)
            self.turn_until(t.over, 30)
            if t.whole():
                return
        self.wrong.append('afterwards: %s' % t.tell())

    def waiting(self):
        """How many children there may be: those of parked websockets."""
        return 3 if self.way in ('warm', 'reverse') else 0

    def nothing_left(self):
        for p in self.supervisors:
            if not p.alive():
                self.wrong.append('%s has ended: %s' % (
                    p.argv[1], p.popen.returncode))
            elif not self.turn_until(lambda: len(proc.children(p.pid)) <=
                                     self.waiting(), 10):
                self.wrong.append('%s has %d children' % (
                    p.argv[1], len(proc.children(p.pid))))
            elif p.baseline is not None and not self.waiting() and \
                    not self.turn_until(lambda: len(proc.opened(p.pid)) <=
                                        len(p.baseline), 5):
                self.wrong.append('%s keeps descriptors: %s' % (
                    p.argv[1], sorted(proc.opened(p.pid))))

    def end(self):
        for p in self.supervisors:
            p.send(signal.SIGTERM)
        for p in self.supervisors:
            try:
                status = p.wait()
            except subprocess.TimeoutExpired:
                status = 'none'
            if status != 0:
                self.wrong.append('%s ends with %s' % (p.argv[1], status))
        left = [os.path.join(d, n) for d, _, names in os.walk(self.run)
                for n in names]
        # A single process that was killed leaves its page.
        if left and not (self.signals and self.singles + self.alone):
            self.wrong.append('files are left: %s' % left)
        if not proc.until(lambda: not proc.family(), 5):
            self.wrong.append('processes are left: %s' % [
                proc.command_of(pid) for pid in proc.family()])

    def run_all(self):
        """Raises Wrong."""
        try:
            self.begin()
        except Refused:
            self.plan.arm(False)
            for p in self.supervisors:
                if p.popen.poll() is not None and p.popen.returncode < 0:
                    self.wrong.append('%s: signal %d at its start' % (
                        p.argv[1], -p.popen.returncode))
                p.send(signal.SIGTERM)
            return self.judge()
        if not self.early:
            self.warm_up()
        self.plan.arm()
        self.run_tunnels()
        self.good_tunnel()
        self.nothing_left()
        self.end()
        self.judge()

    def judge(self):
        for t in self.tunnels.values():
            for what in t.wrongs(self.may_fail, self.signals):
                self.wrong.append('%s\n%s' % (what, t.tell()))
        if self.wrong:
            raise Wrong('\n'.join(self.wrong))


@functools.lru_cache()
def certificate():
    """One for all rounds."""
    c = ca.certificate()
    for folder in list(proc._folders):
        if c.cert.startswith(folder) or c.ca.startswith(folder):
            proc._folders.remove(folder)
    return c


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
