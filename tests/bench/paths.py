#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Long, slow and broken paths: inetws client and server on the two ends of a
simulated path (path.c), next to the same transfer without them.  README.md
says how; `make bench-paths` runs everything."""

import argparse
import concurrent.futures
import fcntl
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import cutting          # noqa: E402
import inetws as t      # noqa: E402
import netns            # noqa: E402
import shells           # noqa: E402

SECONDS, SKIP = 8, 3    # of a transfer; its beginning does not count
PATTERN = bytes((i * 7 + i // 251) & 255 for i in range(251 * 1021))
TWICE = PATTERN * 4
CHUNK = 1 << 18
PROGRAM = t.INETWS


# ------------------------------------------------------------ the ends
# Each runs in a process of its own, inside a namespace, and prints one line.

def send(sock, seconds):
    """The pattern for so long; the bytes that were taken."""
    sent, end = 0, time.monotonic() + seconds
    view = memoryview(TWICE)
    while time.monotonic() < end:
        at = sent % len(PATTERN)
        try:
            sent += sock.send(view[at:at + CHUNK])
        except OSError:
            break
    return sent


def take(sock, seconds, skip):
    """Reads for so long.  Bytes, MB/s behind the first `skip' seconds, the
    times at which something came (at most one each 10 ms), and whether the
    bytes were right."""
    buf = memoryview(bytearray(CHUNK))
    n, early, right, at = 0, 0, True, []
    begin = time.monotonic()
    sock.settimeout(.5)
    while time.monotonic() < begin + seconds:
        try:
            k = sock.recv_into(buf)
        except TimeoutError:
            continue
        except OSError:
            right = False
            break
        now = time.monotonic()
        if k == 0:
            break
        off = n % len(PATTERN)
        right = right and buf[:k] == TWICE[off:off + k]
        n += k
        if now < begin + skip:
            early = n
        if not at or now > at[-1] + .01:
            at.append(now)
    return {'bytes': n, 'right': right, 'at': at,
            'rate': (n - early) / (seconds - skip) / 1e6}


def end_listen(role, seconds, skip):
    """Prints its port, serves one connection in the role."""
    with socket.create_server(('0.0.0.0', 0)) as s:
        print(s.getsockname()[1], flush=True)
        sock, _ = s.accept()
    end_role(role, sock, seconds, skip)


def unsent(sock):
    """Bytes that the system has taken from us, and nobody has from it."""
    return struct.unpack('i', fcntl.ioctl(sock, termios.TIOCOUTQ,
                                          bytes(4)))[0]


def end_role(role, sock, seconds, skip):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if role == 'send':
        print(json.dumps({'bytes': send(sock, seconds)}), flush=True)
        time.sleep(1)
    elif role == 'take':
        print(json.dumps(take(sock, seconds, skip)), flush=True)
    elif role == 'hold':            # never reads
        time.sleep(seconds + skip)
    elif role == 'fill':            # until nothing has been taken for 4 s
        sock.settimeout(4)
        n = 0
        try:
            while True:
                n += sock.send(TWICE[:65536])
        except TimeoutError:
            pass
        print(json.dumps({'bytes': n, 'own': unsent(sock)}), flush=True)
    elif role == 'tick':            # a byte each 20 ms, both ways
        end_tick(sock, seconds)


def end_tick(sock, seconds):
    """Sends a byte each 20 ms and notes when an echo comes; says so of the
    first one, from which the seconds count."""
    at = []
    sock.sendall(b'.')
    sock.recv(1)
    print('up', flush=True)

    def echoes():
        while True:
            try:
                if not sock.recv(4096):
                    return
            except OSError:
                return
            at.append(time.monotonic())
    th = threading.Thread(target=echoes, daemon=True)
    th.start()
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            sock.sendall(b'.')
            time.sleep(.02)
    except OSError as e:
        print(json.dumps({'at': at, 'error': str(e)}), flush=True)
        return
    print(json.dumps({'at': at, 'error': None}), flush=True)


def end_echo():
    with socket.create_server(('0.0.0.0', 0)) as s:
        print(s.getsockname()[1], flush=True)
        while True:
            sock, _ = s.accept()
            threading.Thread(target=lambda c=sock: [
                c.sendall(b) for b in iter(lambda: c.recv(65536), b'')],
                daemon=True).start()


# ------------------------------------------------------------ the path

class Path(netns.Two):
    """One-way delay in ms, rate in Mbit/s, loss in percent."""

    def __init__(self, tool, delay, rate=1000, loss=0, queue=100):
        super().__init__()
        words = [tool, '-d', delay, '-r', rate, '-q', queue, '-l', loss]
        for letter, pid, address in (('a', self.pids[0], netns.NEAR),
                                     ('b', self.pids[1], netns.FAR)):
            words += ['-' + letter, '/proc/%d/ns/net' % pid,
                      '-' + letter.upper(), address + '/24']
        if not loss:
            words.append('-g')
        self.process = subprocess.Popen(
            [str(w) for w in words], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        t.on_close(self.close)
        if self.process.stdout.readline() != 'ready\n':
            raise t.Skip('no simulated path here')
        self.started = []
        self.ends = []
        for where in (self.near, self.far):
            for name, value in (('tcp_congestion_control',
                                 'bbr' if loss else 'cubic'),
                                ('tcp_slow_start_after_idle', '0')):
                subprocess.run(where(['sh', '-c', 'echo %s '
                                      '>/proc/sys/net/ipv4/%s' % (
                                          value, name)]),
                               stderr=subprocess.DEVNULL)

    def order(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def start(self, where, words):
        p = subprocess.Popen(where(words), stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
        self.started.append(p)
        return p

    def end(self, where, role, *words):
        return self.start(where, [sys.executable, __file__, '--end', role] +
                          [str(w) for w in words])

    def listener(self, where, role, seconds=SECONDS, skip=SKIP):
        p = self.end(where, 'listen', role, seconds, skip)
        return p, int(p.stdout.readline())

    def tunnel(self, port, options, client_options=()):
        """A server at the far end in front of a port there, a client at the
        near end; the port of the client."""
        if options is None:
            return netns.FAR, port
        server = subprocess.Popen(
            self.far([PROGRAM, 'server', '-l', netns.FAR + ':0', *options,
                      '127.0.0.1:%d' % port]), stderr=subprocess.PIPE,
            text=True)
        self.started.append(server)
        there = announced(server)
        client = subprocess.Popen(
            self.near([PROGRAM, 'client', '-l', '127.0.0.1:0', *options,
                       *client_options,
                       'ws://%s:%d/' % (netns.FAR, there)]),
            stderr=subprocess.PIPE, text=True)
        self.started.append(client)
        self.log = []
        return '127.0.0.1', announced(client, self.log)

    def on_end(self, function):
        self.ends.append(function)

    def close(self):
        for function in self.ends:
            try:
                function()
            except OSError:
                pass
        self.ends = []
        for p in self.started:
            p.kill()
        for p in self.started:
            p.wait()
        self.started = []
        self.process.stdin.close()
        self.process.wait()
        for pid in self.pids:
            try:
                os.kill(pid, 9)
            except OSError:
                pass


def announced(process, log=None):
    """The port of "listening on ADDR:PORT"; the lines after that go to log."""
    log = [] if log is None else log
    for line in process.stderr:
        if line.startswith('listening on '):
            threading.Thread(target=lambda: log.extend(process.stderr),
                             daemon=True).start()
            return int(line.rsplit(':', 1)[1])
    raise SystemExit('%s did not start' % process.args)


# ------------------------------------------------------------ measures

def transfer(a, direction, delay, options, rate=1000, loss=0, server=(),
             client=()):
    """MB/s of one stream."""
    path = Path(a.tool, delay, rate, loss)
    near, far = ('send', 'take') if direction == 'up' else ('take', 'send')
    end, port = path.listener(path.far, far)
    if options is not None and (server or client):
        where = path.tunnel(port, list(server), list(client))
    else:
        where = path.tunnel(port, options)
    other = path.end(path.near, near, '%s:%d' % where, SECONDS, SKIP)
    taker = end if far == 'take' else other
    line = taker.stdout.readline()
    path.close()
    r = json.loads(line)
    if not r['right']:
        raise SystemExit('wrong bytes: %s ms, %s' % (delay, options))
    return r['rate']


def stalled(a, options):
    """KiB that are taken from a source while the sink never reads; what waits
    in the source's own socket is not counted, if that is one of a tunnel: its
    system lets it hold 3 MiB on the loopback interface, however little is
    received."""
    path = Path(a.tool, 20, 10)
    _, port = path.listener(path.far, 'hold', 60)
    where = path.tunnel(port, options)
    p = path.end(path.near, 'fill', '%s:%d' % where, 0, 0)
    r = json.loads(p.stdout.readline())
    path.close()
    return (r['bytes'] - (r['own'] if options is not None else 0)) / 1024


def silence(at, since):
    """How long nothing came around and after a moment: until the first byte
    behind it that is followed by more."""
    late = [x for x in at if x > since]
    return late[0] - since if late else float('inf')


def longest_gap(at):
    return max((b - a for a, b in zip(at, at[1:])), default=float('inf'))


def begin_ticks(path, name, seconds):
    """Something each 20 ms both ways, by inetws, ssh or mosh or direct; the
    process that prints when it came."""
    if name in ('inetws', 'direct'):
        p = path.end(path.far, 'echo')
        port = int(p.stdout.readline())
        where = path.tunnel(port, DEFAULT if name == 'inetws' else None)
        return path.end(path.near, 'tick', '%s:%d' % where, seconds, 0)
    if name == 'ssh':
        argv, key = shells.ssh(path), None
    else:
        argv, key = shells.mosh(path)
    return path.start(path.near, [sys.executable, shells.__file__, json.dumps(
        {'argv': argv, 'key': key, 'seconds': seconds})])


def broken(a, name, event, seconds):
    """Seconds from the event's end to data flowing again."""
    path = Path(a.tool, 20, 100)
    tick = begin_ticks(path, name, seconds + 16)
    if tick.stdout.readline() != 'up\n':
        raise SystemExit('%s did not work before it was broken' % name)
    time.sleep(4)
    since = event(path)
    at = json.loads(tick.stdout.readline())['at']
    path.close()
    return silence(at, since)


def down(seconds):
    def event(path):
        path.order('down')
        time.sleep(seconds)
        path.order('up')
        return time.monotonic()
    return event


def forget(path):
    path.order('forget')
    return time.monotonic() + .1


def renumber(path):
    path._ip(path.near, 'address', 'flush', 'dev', 'path')
    path._ip(path.near, 'address', 'add', '10.91.0.3/24', 'dev', 'path')
    return time.monotonic()


def full_queue(a, seconds):
    """Websockets given up, and MB moved, in so many seconds of bulk both ways
    over 2 Mbit/s with a queue of 2 s."""
    path = Path(a.tool, 20, 2, 0, 2000)
    ends = []
    logs = []
    for near, far in (('send', 'take'), ('take', 'send')):
        end, port = path.listener(path.far, far, seconds, 0)
        where = path.tunnel(port, DEFAULT, ['-v'])
        logs.append(path.log)
        other = path.end(path.near, near, '%s:%d' % where, seconds, 0)
        ends.append(end if far == 'take' else other)
    moved = [json.loads(e.stdout.readline()) for e in ends]
    path.close()
    if not all(m['right'] for m in moved):
        raise SystemExit('wrong bytes behind a full queue')
    lost = sum('event=websocket-lost' in line for log in logs for line in log)
    doubted = sum('event=websocket-doubted' in line
                  for log in logs for line in log)
    return lost, doubted, sum(m['bytes'] for m in moved) / 1e6


def moves(a, times=10):
    """Seconds that each of so many new addresses in the middle of a transfer
    cost, or None if a byte is wrong."""
    path = Path(a.tool, 20, 100)
    end, port = path.listener(path.far, 'take', 3 * times + 6, 0)
    where = path.tunnel(port, DEFAULT, ['-v'])
    other = path.end(path.near, 'send', '%s:%d' % where, 3 * times + 2, 0)
    time.sleep(2)
    events = []
    for i in range(times):
        path._ip(path.near, 'address', 'flush', 'dev', 'path')
        path._ip(path.near, 'address', 'add', '10.91.0.%d/24' % (20 + i),
                 'dev', 'path')
        events.append(time.monotonic())
        time.sleep(3)
    took = json.loads(end.stdout.readline())
    sent = json.loads(other.stdout.readline())
    path.close()
    if not took['right'] or sent['bytes'] != took['bytes']:
        return None
    return [longest_gap([x for x in took['at'] if e - .5 < x < e + 3])
            for e in events]


def crowd(a, n=800, seconds=2):
    """Seconds from the restart of a proxy until all of so many tunnels have
    answered, and how many did."""
    server = t.server(t.echo().port, '-q')
    proxy = t.nginx(server.port)
    client = t.client(proxy.url, '-q')
    socks = [socket.create_connection(('127.0.0.1', client.port))
             for _ in range(n)]
    for s in socks:
        s.settimeout(60)

    def speak(text, between=lambda: None):
        """Each sends it; how many get it back."""
        for s in socks:
            s.sendall(text)
        between()
        return sum(s.recv(len(text)) == text for s in socks)

    speak(b'before')
    for pid in t.children(proxy.pid) + [proxy.pid]:
        os.kill(pid, 9)
    proxy.wait()
    began = None

    def restart():
        nonlocal began
        time.sleep(seconds)
        again = subprocess.Popen(proxy.argv)
        t.on_close(again.kill)
        while not answers(proxy.port):
            time.sleep(.005)
        began = time.monotonic()
    good = speak(b'after', restart)
    took = time.monotonic() - began
    t.cleanup()
    return took, good


def answers(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


DEFAULT, PLAIN = [], ['--resume', '0']
WINDOWS = ('64k', '1m', '16m')


def median(a, measure, *args, **kw):
    return statistics.median(measure(a, *args, **kw) for _ in range(a.rounds))


def say(*words):
    print('%-34s %s' % (words[0], '  '.join(words[1:])), flush=True)


def all_transfers(a):
    say('one stream, MB/s', 'direct', 'inetws (x direct)',
        '--resume 0 (x direct)')
    for rtt in a.rtt:
        for direction in ('up', 'down'):
            r = [median(a, transfer, direction, rtt / 2, o)
                 for o in (None, DEFAULT, PLAIN)]
            say('1 Gbit/s, %d ms, %s' % (rtt, direction), '%.1f' % r[0],
                *('%.1f (%.2f)' % (x, x / r[0]) for x in r[1:]))
    if not a.quick:
        r = [median(a, transfer, 'up', 25, o, rate=100, loss=1)
             for o in (None, DEFAULT, PLAIN)]
        say('100 Mbit/s, 50 ms, 1 % lost, up', '%.1f' % r[0],
            *('%.1f (%.2f)' % (x, x / r[0]) for x in r[1:]))


def all_windows(a):
    say('windows client/server, MB/s', 'up', 'down')
    for c in WINDOWS:
        for s in WINDOWS:
            r = [median(a, transfer, d, 1, DEFAULT,
                        server=['--window', s], client=['--window', c])
                 for d in ('up', 'down')]
            say('%s/%s, 2 ms' % (c, s), *('%.1f' % x for x in r))


def all_stalls(a):
    r = [median(a, stalled, o) for o in (None, DEFAULT, PLAIN)]
    say('sink that never reads, KiB taken', *('%.0f' % x for x in r))


def late(seconds):
    return 'not in 10 s' if seconds == float('inf') else '%.1f' % seconds


def all_breaks(a):
    """All contenders at once, each on a path of its own."""
    names = ['inetws', 'direct'] + [n for n in ('ssh', 'mosh')
                                    if shells.has(n)]
    say('back to data flowing, s', *names)
    events = [('link down for %d s' % n, down(n), n + 4)
              for n in ((1, 5) if a.quick else (1, 5, 15, 30, 60, 110))]
    events += [('flow forgotten', forget, 4), ('address changed', renumber, 4)]
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        for name, event, seconds in events:
            rounds = [list(pool.map(
                lambda n, e=event, s=seconds: broken(a, n, e, s), names))
                for _ in range(a.rounds)]
            say(name, *(late(statistics.median(r)) for r in zip(*rounds)),
                'of ' + ' '.join(late(r[0]) for r in rounds))
    for _ in range(a.rounds):
        r = moves(a)
        say('10 moves in a transfer, longest', 'wrong bytes' if r is None
            else '%.1f' % max(r))


def refused(a, status, seconds=10):
    """Redials are answered like this for so long: seconds from then until data
    flows, or None if it never does; how many were answered so; are all bytes
    whole?"""
    target = t.Held()
    server = t.server(target.port, '-q')
    cutter = cutting.Cutter(server.port)
    client = t.client('ws://localhost:%d/' % cutter.port, '-q')
    flow = cutting.Flow(t.ws.dial(client.port), target.next(), 4 << 20, 1 << 20)
    flow.reached(1 << 19)
    cutter.answer = b'HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n' % status
    cutter.cut('rst')
    flow.allow(4 << 20)
    time.sleep(seconds)
    before = sum(h.got for h in flow.halves)
    cutter.answer = None
    since = time.monotonic()
    moved = t.until(lambda: sum(h.got for h in flow.halves) > before, 20, .005)
    took = time.monotonic() - since
    result = took if moved else float('inf'), len(cutter.answered), flow.whole()
    t.cleanup()
    return result


def all_answers(a):
    say('10 s of answers to redials, s', 'until data flows', 'answers',
        'bytes')
    for status in (404, 403, 502, 200):
        r = [refused(a, status) for _ in range(a.rounds)]
        say('%d' % status, late(statistics.median(x[0] for x in r)),
            '%d' % statistics.median(x[1] for x in r),
            'all' if all(x[2] for x in r) else 'LOST')


def all_queues(a):
    seconds = 60 if a.quick else a.queue_seconds
    lost, doubted, mb = full_queue(a, seconds)
    say('%d s of a full queue of 2 s' % seconds, '%d lost' % lost,
        '%d doubted' % doubted, '%.0f MB' % mb)


def all_crowds(a):
    for _ in range(a.rounds):
        took, good = crowd(a)
        say('proxy restarted, 800 tunnels', '%.1f s' % took,
            '%d answer' % good)


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    p.add_argument('--tool', default='build/tests/bench/path')
    p.add_argument('--only', default='transfers,windows,stalls,breaks,answers,queues,'
                   'crowds')
    p.add_argument('--rtt', type=lambda s: [int(x) for x in s.split(',')],
                   default=[20, 100, 200, 300], metavar='MS,...')
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--queue-seconds', type=int, default=600, metavar='N')
    p.add_argument('--quick', action='store_true',
                   help='fewer and shorter measures')
    p.add_argument('--end', nargs='+', help=argparse.SUPPRESS)
    a = p.parse_args()
    if a.end:
        return run_end(a.end)
    for name in a.only.split(','):
        globals()['all_' + name](a)


def run_end(words):
    role, rest = words[0], words[1:]
    if role == 'listen':
        return end_listen(rest[0], float(rest[1]), float(rest[2]))
    if role == 'echo':
        return end_echo()
    host, port = rest[0].rsplit(':', 1)
    with socket.create_connection((host, int(port))) as sock:
        end_role(role, sock, float(rest[1]), float(rest[2]))


if __name__ == '__main__':
    main()
