#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The end of a tunnel with a session: success where only the last frames were
lost with a websocket, a reset where any byte was.

If it fails: a truncated transfer looks complete, or a complete one looks
broken.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import signal           # noqa: E402
import subprocess       # noqa: E402
import exchange         # noqa: E402

UP, DOWN = b'a question', b'the whole answer'
# The dialler that has all redials for so long.
LINGER = '--linger', '%ds' % (3 * t.SCALE)


def answerer(log):
    """A target that reads to the end and answers then."""
    def handler(sock):
        data, how = t.ws.read_all(sock)
        if how == 'eof':
            sock.sendall(DOWN)
            sock.shutdown(1)
            how = t.ws.read_all(sock)[1]
        log.append((data, how))
        sock.close()
    return t.Listener(handler)


def chain(*options):
    log = []
    s = t.server(answerer(log).port, '-v', *LINGER, '--resume',
                 '%ds' % (10 * t.SCALE), *options)
    return s, cutting.Cutter(s.port), log


def copy(cutter, *options):
    r = t.run_inetws('connect', '-v', *LINGER, *options,
                     'ws://localhost:%d/' % cutter.port, input=UP)
    return r


def cut_everywhere(how, step, *options):
    """At each byte of either direction behind the heads."""
    s, cutter, log = chain(*options)
    r = copy(cutter, *options)
    t.is_((r.returncode, r.stdout), (0, DOWN), 'a copy without a cut')
    cuts = [(way, n) for way, first in (('up', 1), ('down', 0))
            for n in range(first, cutter.passed[way] + 1, step)]
    bad = []
    for way, n in cuts:
        cutter.plan = (way, n, how)
        r = copy(cutter, *options)
        if (r.returncode, r.stdout) != (0, DOWN):
            bad.append((way, n))
            t.diag('%s at %s %d: %d, %r' % (how, way, n, r.returncode,
                                            r.stdout))
            t.diag(r.stderr.decode())
        elif b'end=ended' not in r.stderr:
            bad.append((way, n, 'log'))
    n = len(cuts)
    t.is_(bad, [], '%s at each of %d places: what was copied is a success' %
          (how, n))
    t.ok(s.has_line('event=closed .*end=ended', 30, count=n + 1),
         'also in the log of the other side')
    t.ok(t.until(lambda: log.count((UP, 'eof')) == n + 1),
         'and for its stream') or t.diag(log)


@t.limit(100)
def test_last_frames_lost():
    cut_everywhere('fin', 1)


@t.limit(100)
def test_last_frames_reset():
    cut_everywhere('rst', 1)


@t.limit(100)
def test_last_frames_swallowed():
    cut_everywhere('hole', 1 if t.LONG else 5,
                   '--ping-interval', '100ms', '--ping-timeout',
                   '%dms' % (500 * t.SCALE))


def late(plan):
    """The answer comes first, then the question; what the last frames are
    lost with is noticed late.  (status, server, cutter)"""
    log = []

    def answer_first(sock):
        sock.sendall(DOWN)
        sock.shutdown(1)
        log.append(t.ws.read_all(sock))
    s = t.server(t.Listener(answer_first).port, '-v', '--linger', '500ms')
    cutter = cutting.Cutter(s.port)
    cutter.plan = plan
    p = t.connect('ws://localhost:%d/' % cutter.port, '-v', '--linger',
                  '500ms', '--ping-interval', '1s', '--ping-timeout', '3s')
    p.stdout.read()             # all of it
    before = cutter.passed['down']
    p.stdin.write(UP)
    p.stdin.close()
    status = p.wait()
    t.until(lambda: log)        # the target's thread may come to it later
    return status, before, s, log


def test_late_redial():
    """The dialler notices a black hole later than the acceptor gives up
    waiting for the answer to its Close."""
    status, before, s, log = late(None)
    t.is_((status, log), (0, [(UP, 'eof')]), 'a copy without a cut')
    status, _, s, log = late(('down', before + 1, 'hole'))
    t.is_((status, log), (0, [(UP, 'eof')]),
          'the last acknowledgement and Close swallowed: a success for the '
          'dialler')
    t.ok(s.has_line('event=closed .*end=ended'), 'and for the acceptor')


# Resets.

def tunnel(server=(), client=(), through_nginx=True):
    """(server, client, cutter, our stream, the target's end of it)"""
    target = t.Held()
    s = t.server(target.port, '-v', *server)
    port = t.nginx(s.port).port if through_nginx else s.port
    cutter = cutting.Cutter(port)
    c = t.client('ws://localhost:%d/ssh/' % cutter.port, '-v', *client)
    a = t.ws.dial(c.port)
    b = target.next()
    a.sendall(b'up')
    b.sendall(b'down')
    t.is_((t.ws.read_exactly(b, 2), t.ws.read_exactly(a, 4)),
          (b'up', b'down'), 'a tunnel through nginx')
    return s, c, cutter, a, b


def word(program):
    m = program.has_line(r'event=closed .*\bend=([a-z-]+)')
    return m and m[1]


def both(resume, ping=()):
    words = ('--resume', resume) + ping
    return {'server': words, 'client': words}


def how(sock):
    return t.ws.read_all(sock)[1]


def test_reset_of_a_stream():
    for resume in ('2m', '0'):
        s, c, cutter, a, b = tunnel(**both(resume))
        t.ws.reset(a)
        t.is_(how(b), 'reset', "--resume %s: a reset of the client's stream "
              'is one at the target' % resume)
        t.is_((word(c), word(s)), ('stream-reset', 'peer-reset'),
              'the log says so')
        s, c, cutter, a, b = tunnel(**both(resume))
        t.ws.reset(b)
        t.is_(how(a), 'reset', "a reset of the target's is one at the client")
        t.is_((word(s), word(c)), ('stream-reset', 'peer-reset'),
              'the log says so')
        t.cleanup()


def test_reset_while_the_wire_is_lost():
    s, c, cutter, a, b = tunnel()
    cutter.refuse = True
    cutter.cut('rst')
    c.wait_line('redial-failed')
    s.wait_line('websocket-lost')
    t.ws.reset(b)
    cutter.refuse = False
    t.is_(how(a), 'reset', 'reset at the target without a websocket: told '
          'by the next one')
    t.is_((word(s), word(c)), ('stream-reset', 'peer-reset'),
          'the log says so')


def test_child_killed():
    s, c, cutter, a, b = tunnel(**both('2s'))
    os.kill(t.child(c.pid), signal.SIGKILL)
    t.is_(how(a), 'reset', "the client's child is killed: its stream is reset")
    t.is_(how(b), 'reset', "the target's too when --resume has run out")
    t.is_(word(s), 'websocket-lost', 'the log says so')
    s, c, cutter, a, b = tunnel()
    os.kill(t.child(s.pid), signal.SIGKILL)
    t.is_(how(b), 'reset', "the server's child is killed: its stream is reset")
    t.is_(how(a), 'reset', "the client's too: a 410 of the same instance")
    t.is_(word(c), 'websocket-lost', 'the log says so')
    t.ok(c.has_line('why=.*no new websocket.*410'), 'the log says why')
    t.cleanup()
    for end in (0, 1):
        s, c, cutter, a, b = tunnel(**both('0'))
        os.kill(t.child((s, c)[end].pid), signal.SIGKILL)
        t.is_((how(a), how(b)), ('reset', 'reset'), '--resume 0: the %s is '
              'killed: both are reset' % ('server', 'client')[end])


def instance(p):
    return [i for i in t.status()['instances'] if i['pid'] == p.pid][0]


def test_log():
    """Without -v: a line for a loss, one for going on, one for giving up."""
    t.rundir()
    target = t.Held()
    s = t.server(target.port)
    cutter = cutting.Cutter(s.port)
    # Sooner than it is doubted, three seconds after a Ping.
    c = t.client('ws://localhost:%d/' % cutter.port, '--ping-interval',
                 '500ms', '--ping-timeout', '2500ms', '--resume',
                 '%ds' % (6 * t.SCALE))
    a = t.ws.dial(c.port)
    b = target.next()
    a.sendall(b'up')
    t.is_(t.ws.read_exactly(b, 2), b'up', 'a tunnel')
    cutter.hole()               # which only the client notices
    a.sendall(b'x' * 1000)
    b.sendall(b'y' * 70)
    t.is_((t.ws.read_exactly(b, 1000), t.ws.read_exactly(a, 70)),
          (b'x' * 1000, b'y' * 70), 'it is resumed')
    for p, why, resent in ((c, 'the peer fell silent', 1000),
                           (s, 'the peer dialled again', 70)):
        t.ok(p.has_line('level=info event=websocket-lost peer=[0-9.:]+ '
                        'id=[0-9a-f]+ why="%s"' % why), 'lost: %s' % why)
        t.ok(p.has_line('level=info event=resumed peer=[0-9.:]+ '
                        r'id=[0-9a-f]+ after=[0-9]\.[0-9]{3} resent=%d$'
                        % resent), 'resumed: %d bytes again' % resent)
    t.ok(t.until(lambda: instance(s)['active'] == 1),
         'the process that handed the websocket over has ended')
    for p in (s, c):
        i = instance(p)
        t.is_((i['total'], i['active'], i['lost'], i['lost_now'],
               i['resumes']), (1, 1, 1, 0, 1),
              'status: one connection, lost and resumed once')
        row, = i['tunnels']
        t.is_((row['lost_ms'], row['longest_gap_ms'], row['resumes']),
              (None, i['longest_gap_ms'], 1), 'and so its row')
        t.ok(row['window_up'] >= 65536 and row['window_down'] >= 65536 and
             max(row['window_up'], row['window_down']) == i['window'],
             'which has its windows')
    t.like(t.run_inetws('status').stdout.decode(),
           '; 1 lost, 1 resumed, longest gap ', 'also in the table')
    cutter.refuse = True
    cutter.cut('rst')

    def wait():
        found = [i for i in t.status()['instances']
                 if i['pid'] in (s.pid, c.pid)]
        return len(found) == 2 and all(
            i['lost_now'] == 1 and i['tunnels'][0]['lost_ms'] >= 100
            for i in found)
    t.ok(t.until(wait), 'status: lost now')
    t.is_(how(a), 'reset', 'given up')
    t.ok(c.has_line('event=closed .*why="[^"]*, for [0-9.]+ ?s no new '
                    'websocket: no server answered; the last try: .+"'), 'says what was tried')
    t.is_([len([x for x in c.lines if 'event=' + e in x]) for e in
           ('websocket-lost', 'resumed', 'redial-failed', 'closed')],
          [2, 1, 0, 1], 'and no line for each try')


def test_wire_lost_without_session():
    for cut in ('fin', 'rst'):
        s, c, cutter, a, b = tunnel(**both('0'))
        cutter.cut(cut)
        t.is_((how(a), how(b)), ('reset', 'reset'),
              '--resume 0: an end without Close (%s): both are reset' % cut)
        t.is_((word(s), word(c)), ('websocket-lost', 'websocket-lost'),
              'the log says so')


def test_silence_without_session():
    s, c, cutter, a, b = tunnel(**both('0', (
        '--ping-interval', '500ms', '--ping-timeout', '3s')))
    cutter.hole()
    t.is_((how(a), how(b)), ('reset', 'reset'),
          '--resume 0: a path that swallows all: both are reset')
    t.is_((word(s), word(c)), ('ping-timeout', 'ping-timeout'),
          'the log says so')


def test_exit_status():
    """connect: 74 for a session that could not go on."""
    s, cutter, log = chain()
    p = t.connect('ws://localhost:%d/' % cutter.port, '--resume', '1s',
                  stderr=subprocess.PIPE)
    t.until(lambda: t.children(s.pid))
    p.stdin.write(UP)
    p.stdin.flush()
    t.until(lambda: cutter.passed.get('up', 0) > 6)
    cutter.refuse = True
    cutter.cut('rst')
    t.is_(p.wait(), 74, 'connect, cut off for good: 74')
    t.like(p.wait_log(), 'websocket-lost', 'and the log says so')


def test_stalled_reader():
    """A peer that does not read does not stop the other direction."""
    for resume in ('2m', '0'):
        for end in (0, 1):
            s, c, cutter, a, b = tunnel(**both(resume))
            slow, fast = (a, b) if end else (b, a)
            half = exchange.noise(8 << 20)
            k = exchange.Exchange(fast, b'x' * (40 << 20), keep=True)
            other = exchange.Exchange(slow, half, slow=.3, keep=True)
            t.ok(t.until(lambda: len(k.got) == len(half), 2 * t.BOUND),
                 '--resume %s: the %s reads slowly: all comes the other way'
                 % (resume, ('target', 'visitor')[end]))
            t.ok(bytes(k.got) == half and len(other.got) < 20 << 20,
                 'while it still has to read')
            for sock in (a, b):
                t.ws.reset(sock)
            t.cleanup()


t.main()
