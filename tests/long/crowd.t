#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A supervisor that nothing stops: few descriptors for a minute, everything
that is slow or hostile at once, logs that take nothing, 5,000 tunnels.

If it fails: an instance under load or attack serves nobody, or does not end.
"""

import os
import select
import signal
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import inject           # noqa: E402
import launchers        # noqa: E402
import reverse as r     # noqa: E402
import resource         # noqa: E402

SENDTO = 44
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))


def cpu_ms(pid):
    with open('/proc/%d/schedstat' % pid) as f:
        return int(f.read().split()[0]) / 1e6


def timed(action):
    begin = time.monotonic()
    value = action()
    return time.monotonic() - begin, value


# --- few descriptors ---

def crowd(port, end, served):
    """Connections come, more than fit, and go, until a time."""
    held = []
    while time.monotonic() < end:
        try:
            s = t.ws.dial(port, 1)
            held.append(s)
            s.sendall(b'x')
            served.append((time.monotonic(), s.recv(1) == b'x'))
        except OSError:
            served.append((time.monotonic(), False))
        # More than fit: half of them leave when ten have not been served.
        if sum(not ok for _, ok in served[-10:]) == 10 or len(held) > 90:
            for s in held[:len(held) // 2]:
                s.close()
            del held[:len(held) // 2]
    for s in held:
        s.close()


@t.limit(300)
def test_few_descriptors():
    """ulimit -n 64, for a minute: client --warm 4 and server, gate and
    agent."""
    program, drain = t.limited(), ('--drain', '2s')
    s = t.server(t.echo().port, *drain, '-q', program=program)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '4', '-q', *drain,
                 program=program)
    g = r.gate('--queue', '1s', '-q', *drain, program=program)
    a = r.agent(g.url(), t.echo().port, '--spare', '4', '-q', *drain,
                program=program)
    r.parked(g, 1)
    end, found = time.monotonic() + 60, ([], [])
    threads = [threading.Thread(target=crowd, args=(port, end, served))
               for port, served in zip((c.port, g.visitors), found)]
    for x in threads:
        x.start()
    for x in threads:
        x.join(90)
    for name, served in zip(('client and server', 'gate and agent'), found):
        good = [at for at, ok in served if ok]
        late = [at for at in good if at > end - 20]
        t.ok(late, '%s: of %d connections %d are served, %d of them in the '
             'last 20 s' % (name, len(served), len(good), len(late)))
    t.until(lambda: all(len(t.children(p.pid)) <= 8 for p in (s, c, g, a)))
    before = [cpu_ms(p.pid) for p in (s, c, g, a)]
    time.sleep(2)
    used = [cpu_ms(p.pid) - b for p, b in zip((s, c, g, a), before)]
    t.ok(max(used) < 40, 'idle for 2 s they use %s ms' %
         ' '.join('%.1f' % u for u in used))
    for name, p in (('client', c), ('agent', a), ('server', s), ('gate', g)):
        took, status = timed(lambda: (p.send(signal.SIGTERM), p.wait())[1])
        t.ok(status == 0 and took < 2 + 4 * t.SCALE,
             '%s: TERM ends it after %.1f s' % (name, took))


# --- everything at once ---

def endless(port, stop):
    """A client that sends a head without an end."""
    try:
        sock = t.ws.dial(port)
        sock.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n')
        while not stop.wait(0.01):
            sock.sendall(b'A: b\r\n')
    except OSError:
        pass


def rubbish(pid, page, stop):
    """A child that fills its slot and its channel."""
    with open(page, 'r+b', buffering=0) as f:
        data = f.read()
        at = data.find(pid.to_bytes(4, 'little'), 1024)
        while not stop.wait(0.005):
            f.seek(at - 8)
            f.write(os.urandom(8) + pid.to_bytes(4, 'little') +
                    os.urandom(700))


def channel_of(pid):
    """Descriptors that are sockets, all of them."""
    return [int(fd) for fd in os.listdir('/proc/%d/fd' % pid)
            if os.readlink('/proc/%d/fd/%s' % (pid, fd)).startswith('socket')]


def noise(pids, stop, sent):
    """The first process sends rubbish on its channel for as long as it is
    there, then the next one: when, is noted."""
    for pid in pids:
        while not stop.wait(0.02):
            try:
                with inject.Inside(pid) as p:
                    n = [p.call(SENDTO, fd, b'TBpNPE!'[i % 7:i % 7 + 1] +
                                b' a b c', 7, 0x4040, 0, 0)
                         for fd in channel_of(pid) for i in range(40)]
                if 7 not in n:
                    break       # the supervisor has closed its end
                sent.append(time.monotonic())
            except (OSError, AssertionError, inject.Killed):
                break


@t.limit(120)
def test_everything_at_once():
    t.rundir()
    d = t.folder()
    names = ['here%d' % i for i in range(4)] + ['gone']
    path = r.agents_file(**{n: 'secret' for n in names})
    g = r.gate('--visitors-dir', d, '--agents-file', path, '--metrics',
               '127.0.0.1:0', '--queue', '60s', '--handshake-timeout', '60s',
               '-q', auth=(), visitors=None)
    page = int(g.wait_line('metrics on .*:([0-9]+)')[1])
    t.until(lambda: os.path.exists(d + '/gone.sock'))

    def agent(name):
        before = set(t.children(g.pid))
        raw = r.raw_agent(g, '/' + name, secret='secret')
        r.parked(g)
        return raw, (set(t.children(g.pid)) - before).pop()
    stopped, bad = agent('here1'), [agent('here2') for _ in range(30)]
    stop, threads, sent = threading.Event(), [], []
    os.kill(stopped[1], signal.SIGSTOP)
    visitor = r.visit(d + '/here1.sock')    # is offered to that
    if not inject.lacking():
        threads.append(threading.Thread(target=noise, args=(
            [pid for _, pid in bad], stop, sent)))
    threads.append(threading.Thread(target=rubbish, args=(
        bad[0][1], t.page_of(g.pid), stop)))
    threads += [threading.Thread(target=endless, args=(page, stop))
                for _ in range(8)]
    for x in threads:
        x.daemon = True
        x.start()
    mute = [t.ws.dial(g.port) for _ in range(300)]
    silent = [t.ws.dial(page) for _ in range(30)]
    waiting = [r.visit(d + '/gone.sock') for _ in range(200)]

    def good():
        raw = r.raw_agent(g, '/here0', secret='secret')
        v = r.visit(d + '/here0.sock')
        r.line(raw)
        raw.text('ok')
        v.sendall(b'x')
        raw.frame(t.BOUND)
        raw.drop()
        v.close()
    took = []
    end = time.monotonic() + 15
    while time.monotonic() < end:
        took.append(timed(good)[0])
        time.sleep(0.1)
    took.sort()
    t.ok(took[-1] < 0.5 * t.SCALE, 'of %d good clients, one after the other, '
         'each is served within %.3f s (half of them within %.3f)' %
         (len(took), took[-1], took[len(took) // 2]))
    stop.set()
    for x in threads:
        x.join(10)
    t.ok(stopped[1] not in t.children(g.pid),
         'the stopped process, which held a visitor, has been ended')
    ended = select.select(mute + waiting, [], [], 0)[0]
    t.is_(len(ended), 0, 'with 300 slow handshakes, 200 visitors of an absent '
          'agent, which all go on, 38 readers of metrics, a stopped process '
          'and one whose slot is filled with rubbish')
    if inject.lacking():
        raise t.Skip('rubbish on channels: ' + inject.lacking())
    gaps = [y - x for x, y in zip(sent, sent[1:] + [end])]
    t.ok(sent and max(gaps) < 1 * t.SCALE, 'and with rubbish on a channel, %d '
         'times, all the time' % len(sent))


# --- logs that take nothing ---

def dies_well(p, name):
    took = []
    begin = time.monotonic()
    for _ in range(500):
        w = t.ws.connect(p.port)
        w.send(b'x')
        w.take_data(1)
        w.bye()
    took = time.monotonic() - begin
    p.send(signal.SIGUSR1)
    p.send(signal.SIGHUP)
    w = t.ws.connect(p.port)
    w.send(b'x')
    t.ok(w.take_data(1) == b'x', '%s: 500 connections are served in %.1f s, '
         'and more after USR1 and HUP' % (name, took))
    w.bye()
    t.ok(t.until(lambda: not t.children(p.pid)), 'all of them end')
    ended, status = timed(p.stop)
    t.ok(status == 0 and ended < 4 * t.SCALE,
         'TERM ends it (%.1f s)' % ended)


def with_stderr(fd):
    s = t.server(t.echo().port)
    s.stop()
    p = t.inetws('server', '-l', '127.0.0.1:%d' % s.port,
                 '127.0.0.1:%d' % t.echo().port, stderr=fd)
    p.port = s.port

    def up():
        try:
            t.ws.dial(p.port).close()
            return True
        except OSError:
            return False
    t.until(up)
    return p


@t.limit(180)
def test_dev_full():
    with open('/dev/full', 'w') as f:
        dies_well(with_stderr(f), '/dev/full')


@t.limit(180)
def test_full_pipe():
    r_, w = os.pipe()
    p = with_stderr(w)
    fill = os.open('/proc/self/fd/%d' % w, os.O_WRONLY | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(fill, size * b'x')
        except BlockingIOError:
            pass
    dies_well(p, 'a full pipe')
    for fd in (r_, w, fill):
        os.close(fd)


@t.limit(180)
def test_syslog():
    if os.getuid() != 0:
        raise t.Skip('needs root for a /dev of its own')
    log = launchers.Syslog(reads=False)
    p = t.Program(log.prefix() + [
        t.INETWS, 'server', '-l', '127.0.0.1:0', '--syslog',
        '127.0.0.1:%d' % t.echo().port])
    p.port = t.port_of(t.listening(p)[0])
    dies_well(p, 'a /dev/log that is not read')


# --- 5,000 tunnels ---

def answer_ms(port):
    """Until a new connection is answered."""
    took, _ = timed(lambda: t.ws.ask(port, b'GET / HTTP/1.0\r\n\r\n'))
    return took * 1e3


def held_up(s, action):
    """ms that the supervisor's processor works for a second in which it is
    asked, and until the slowest answer."""
    before, slowest, asked = cpu_ms(s.pid), 0, 0
    begin = time.monotonic()
    while time.monotonic() < begin + 1:
        if action is not None:
            action()
            action = None
        slowest = max(slowest, answer_ms(s.port))
        asked += 1
        time.sleep(0.01)
    return cpu_ms(s.pid) - before, slowest, asked


def of_signal(s, signo):
    """What a signal takes of the supervisor: ms of its processor, the middle
    of some rounds; and the slowest answer with it and without, of the best
    round, which nothing else on this machine has held up."""
    used, slow_with, slow = [], [], []
    for _ in range(9):
        cpu, slowest, n = held_up(s, None)
        slow.append(slowest)
        cpu_with, slowest, n_with = held_up(s, lambda: s.send(signo))
        slow_with.append(slowest)
        used.append(max(0, cpu_with - cpu * n_with / n))
    return sorted(used)[4], min(slow_with), min(slow)


def holds_for(s, signo, most, name):
    cpu, slow, plain = of_signal(s, signo)
    t.ok(cpu <= most, '%s: %.1f ms of the processor' % (name, cpu))
    t.ok(slow - plain <= most * t.SCALE, '%s: accepting is held up for %.1f ms '
         '(slowest answer %.1f ms, %.1f without)' %
         (name, max(0, slow - plain), slow, plain))


@t.limit(600)
def test_5000():
    n = 5000
    t.rundir()
    s = t.server(t.echo_process(), '--max-connections', str(n + 100),
                 '--metrics', '127.0.0.1:0', '-q')
    page = int(s.wait_line('metrics on .*:([0-9]+)')[1])
    held = []
    for _ in range(n):
        w = t.ws.connect(s.port)
        w.send(b'x')
        w.take_data(1)
        held.append(w)
    for name, get in (
            ('status', lambda: t.run_inetws('status')),
            ('status --json', lambda: t.run_inetws('status', '--json')),
            ('/', lambda: t.http(page, '/')),
            ('/metrics', lambda: t.http(page, '/metrics'))):
        took = min(timed(get)[0] for _ in range(15))
        t.ok(took <= 0.15 * t.SCALE, '%s: %.0f ms' % (name, took * 1e3))
    for name, signo in (('USR1', signal.SIGUSR1), ('HUP', signal.SIGHUP)):
        holds_for(s, signo, 20, name)
    for w in held:
        w.sock.close()


@t.limit(300)
def test_hup_of_gate():
    """HUP with 2,500 connections, and no file that has changed."""
    g = r.gate('--max-connections', '2600', '-q', '--max-parked', '2600')
    held = [r.raw_agent(g) for _ in range(2500)]
    holds_for(g, signal.SIGHUP, 50, 'HUP')
    for a in held:
        a.drop()


t.main()
