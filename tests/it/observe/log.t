#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The log: its formats and levels, syslog, and what a peer can make it do.

If it fails: an operator cannot find what happened, or a peer forges or floods
the log.
"""

import glob
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import launchers        # noqa: E402
import fcntl            # noqa: E402
import json             # noqa: E402
import re               # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import time             # noqa: E402


def one_tunnel(s, data=b'hello'):
    w = t.ws.connect(s.port)
    w.send(data)
    w.take_data(len(data))
    w.bye()


def test_states():
    """-vv: each change of a state; -v: none."""
    for option in ('-v', '-vv'):
        s = t.server(t.echo().port, option)
        one_tunnel(s)
        m = s.has_line(r'event=closed .*end=ended')
        t.ok(m, option + ': a tunnel')
        states = re.findall('level=debug event=state peer=[0-9.:]+ what=(.*)',
                            s.log)
        t.is_('websocket from=open to=close-received' in states and
              'to-stream from=draining to=ended' in states, option == '-vv',
              '%d changes are told' % len(states))


def test_json():
    t.rundir()
    s = t.inetws('server', '-l', '127.0.0.1:0', '--log-format', 'json',
                 '--metrics', '127.0.0.1:0',
                 '127.0.0.1:%d' % t.echo().port)
    s.port = t.port_of(t.listening(s)[0])
    t.ok(s.wait_line(r'metrics on (\S+)'), 'both addresses are told')
    one_tunnel(s)
    s.wait_line('"event":"closed"')
    dead = t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: "\\x\r\n\r\n')
    t.is_(dead.status, 400, 'an odd Host')
    s.wait_line('"event":"failed"')
    odd = t.ws.ask(s.port, t.ws.request(headers=[
        ('Origin', 'https://a"b\\c.example')]))
    t.is_(odd.status, 403, 'an odd Origin')
    s.wait_line('Origin')
    s.send(signal.SIGUSR1)
    s.wait_line('"event":"statistics"')
    s.stop()
    lines = [json.loads(line) for line in s.wait_log().splitlines()]
    t.ok(len(lines) >= 5, 'every line is an object (%d)' % len(lines))
    first = lines[0]
    t.is_((first['event'], first['address']),
          ('listening', '127.0.0.1:%d' % s.port), 'the first says where')
    for line in lines:
        if not t.re_time.match(line['ts']) or 'level' not in line:
            t.ok(False, 'time and level: %s' % line)
    closed = [x for x in lines if x['event'] == 'closed'][0]
    t.is_((closed['mode'], closed['up'], closed['down'], closed['end']),
          ('server', 5, 5, 'ended'), 'numbers are numbers')
    t.ok(isinstance(closed['seconds'], float), 'with fractions')
    t.ok(any('\\' in x.get('why', '') for x in lines),
         'what is escaped is still to be seen')


t.re_time = re.compile(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$')


def test_json_steps():
    r = t.run_inetws('connect', '-v', '--log-format=json',
                     'ws://127.0.0.1:%d/' % t.server(t.echo().port).port,
                     input=b'x')
    t.is_(r.returncode, 0, 'connect -v')
    steps = [json.loads(line) for line in r.stderr.decode().splitlines()]
    t.ok(any('dialling' in x.get('msg', '') for x in steps),
         'the steps are objects too')
    t.ok(not any(x.get('msg', '').endswith(('\n', '\\n')) for x in steps),
         'without an end of line of their own')


def test_text():
    s = t.server(t.echo().port, '--log-format=text')
    one_tunnel(s)
    t.ok(s.has_line(r'^\S+Z info closed: mode server, peer 127\.0\.0\.1:\d+, '
                    r'target \S+, up 5, down 5, seconds \d'),
         'a line of text')


def test_levels():
    for words, closed, failed in (
            (('--log-level=info',), True, True),
            (('--log-level=warn',), False, True),
            (('--log-level=error',), False, False),
            (('--log-level=info', '-q'), True, True),
            (('-q',), False, False)):
        s = t.server(t.echo().port, *words)
        one_tunnel(s)
        t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        t.until(lambda: not t.children(s.pid))      # they have told
        s.stop()
        log = s.wait_log()
        t.is_(('event=closed' in log, 'event=failed' in log),
              (closed, failed), ' '.join(words))
        t.like(log, '^listening on ', 'the address all the same')
    r = t.run_inetws('server', '--log-level=loud', 'a:1')
    t.is_(r.returncode, 64, 'no such level: 64')
    t.like(r.stderr, 'log-level.*loud', 'which is named')


def test_syslog():
    if os.getuid() != 0:
        raise t.Skip('needs root for a /dev of its own')
    for words, number in ((('--syslog',), 3), (('--syslog=local5',), 21)):
        log = launchers.Syslog()
        p = t.Program(log.prefix() + [t.INETWS, 'server', '-l',
                                      '127.0.0.1:0', *words,
                                      '127.0.0.1:%d' % t.echo().port])
        p.port = t.port_of(t.listening(p)[0])
        one_tunnel(p)
        t.ok(log.has('event=closed'), '%s: the line is there' % words)
        t.ok(log.has('event=listening address=127.0.0.1:%d' % p.port),
             'and where it listens')
        line = [x for x in log.lines if 'event=closed' in x][0]
        t.like(line, r'^<%d>.*inetws\[\d+\]: event=closed mode=server ' %
               (number * 8 + 6), 'with facility and severity')
        p.stop()
        t.unlike(p.wait_log(), 'event=', 'and nothing on standard error')
    r = t.run_inetws('server', '--syslog=kern', 'a:1')
    t.is_(r.returncode, 64, 'no such facility: 64')
    t.like(r.stderr, 'syslog.*kern', 'which is named')


def with_syslog(log, *options):
    p = t.Program(log.prefix() + [
        t.INETWS, 'server', '-l', '127.0.0.1:0', '--syslog', *options,
        '127.0.0.1:%d' % t.echo().port])
    p.port = t.port_of(t.listening(p)[0])
    return p


def test_syslogd_that_hangs():
    """It holds up no connection, and not the supervisor."""
    if os.getuid() != 0:
        raise t.Skip('needs root for a /dev of its own')
    log = launchers.Syslog(reads=False)
    with open('/proc/sys/net/unix/max_dgram_qlen') as f:
        queue = int(f.read())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.connect(log.dev + '/log')
        for _ in range(queue - 2):
            s.send(b'filler')
    p = with_syslog(log)
    begun = time.monotonic()
    for _ in range(50):
        one_tunnel(p)
    t.ok(t.until(lambda: t.family(p.pid) == []), '50 tunnels end')
    took = time.monotonic() - begun
    t.ok(took < 25 * t.SCALE, 'without being held up (%.1f s)' % took)
    p.send(signal.SIGUSR1)
    p.send(signal.SIGHUP)
    one_tunnel(p)
    log.read()
    t.ok(log.has('event=listening'), 'what had room was kept')
    t.ok(t.until(lambda: one_tunnel(p) or 'event=log-lost' in
                 ' '.join(log.lines)), 'and what was lost is reported')
    lost = sum(int(re.search(r'log-lost lines=(\d+)', x)[1])
               for x in log.lines if 'log-lost' in x)
    t.ok(lost > 40, 'with its number (%d)' % lost)
    t.is_(p.stop(), 0, 'TERM ends it')


def test_syslogd_that_is_restarted():
    if os.getuid() != 0:
        raise t.Skip('needs root for a /dev of its own')
    log = launchers.Syslog()
    p = with_syslog(log)
    w = t.ws.connect(p.port)
    w.send(b'x')
    w.take_data(1)
    log.start()
    w.close(1000)
    t.ok(log.has('event=closed'), 'a child in the sandbox finds it again')
    log.lines.clear()
    one_tunnel(p)
    t.ok(log.has('event=closed'), 'so does a new one')
    p.send(signal.SIGTERM)
    t.ok(log.has('event=stopping'), 'and the supervisor')


def test_standard_error_that_is_not_read():
    r, w = os.pipe()
    p = t.inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:%d' %
                 t.echo().port, '--log-format', 'json', stderr=w)
    os.close(w)
    port = int(re.search(rb'127.0.0.1:(\d+)', os.read(r, 4096))[1])
    os.set_blocking(r, False)
    fcntl.fcntl(r, 1031, 4096)          # F_SETPIPE_SZ
    p.port = port
    for _ in range(60):
        one_tunnel(p)
    t.ok(t.until(lambda: t.family(p.pid) == []),
         'tunnels end though nobody reads')
    os.read(r, 65536)
    one_tunnel(p)
    text = b''

    def reported():
        nonlocal text
        try:
            text += os.read(r, 65536)
        except BlockingIOError:
            pass
        return b'"event":"log-lost"' in text
    t.ok(t.until(reported), 'what was lost is reported')
    os.close(r)


def test_ids():
    """Lines of both sides can be joined."""
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    for _ in range(3):
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        t.ws.read_exactly(v, 1)
        v.close()
    joined = set()
    for i in range(3):
        line = c.wait_line(r'event=closed.* id=(\S+) peer-id=(\S+)',
                           count=i + 1)
        s.wait_line('event=closed.* id=%s peer-id=%s' % (line[2], line[1]))
        joined.add(line[1])
    t.is_(len(joined), 3, 'three lines on both sides, by three ids')


def test_killed():
    """What the process could not tell, the supervisor does."""
    t.rundir()
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, '--resume', '0')
    v = t.ws.dial(c.port)
    v.sendall(b'x' * 123)
    t.ws.read_exactly(v, 123)
    t.until(lambda: [(x['up'], x['down']) for i in t.status()['instances']
                     for x in i['tunnels']] == [(123, 123)] * 2)
    os.kill(t.child(s.pid), 9)
    line = s.wait_line('event=child-killed.*')[0]
    t.like(line, r'signal=9 .*peer=127\.0\.0\.1:\d+ target=\S+ up=123 '
           r'down=123 seconds=\S+ id=\S+ peer-id=\S+', 'child-killed')


def test_bytes_of_peers():
    """No peer can make lines of its own."""
    s = t.server(t.echo().port, '--path', '/right')
    for raw in (b'GET /\x01\x1b[31m HTTP/1.1\r\nHost: x\r\n\r\n',
                b'GET /a" level=error event=fake HTTP/1.1\r\nHost: x\r\n\r\n',
                b'\xff\xfe\x00\nts=1 event=fake\n\n'):
        try:
            t.ws.ask(s.port, raw)
        except Exception:
            pass
    w = t.ws.connect(s.port, path='/right')
    w.send(t.ws.close_payload(3000, b'a"\nevent=fake \xe2\x82\xac'), 8)
    s.wait_line('code=3000')
    s.stop()
    log = s.wait_log()
    t.unlike(log, '^(ts=1 )?event=fake', 'no line is made up')
    t.unlike(log, '[\x00-\x09\x0b-\x1f\x7f-\xff]', 'all is plain text')


def test_refusals_are_limited():
    t.rundir()
    s = t.server(t.echo().port)
    n = 400
    # All at once, however slowly they can be sent.
    s.send(signal.SIGSTOP)
    dialled = [t.ws.dial(s.port) for _ in range(n)]
    for i, d in enumerate(dialled):
        d.sendall(b'nonsense%d\r\n\r\n' % i)
    s.send(signal.SIGCONT)
    begin = time.monotonic()
    for d in dialled:
        t.ws.read_all(d)
    took = time.monotonic() - begin
    t.until(lambda: t.one()['ended']['protocol'] == n)
    t.until(lambda: False, 1.1)     # the next second
    t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.until(lambda: not t.children(s.pid))
    t.until(lambda: False, 1.1)
    s.stop()
    log = s.wait_log()
    lines = len(re.findall('event=failed', log))
    left = sum(map(int, re.findall(
        r'failures-left-out count=(\d+)', log)))
    t.is_(lines + left, n + 1, 'every one is told or counted')
    # In the first second and the last one as well, and the one behind them.
    t.ok(lines <= 100 * (int(took) + 2) + 1,
         'of %d within %.1f s not all are told (%d)' % (n, took, lines))


def test_left_out_at_the_end():
    """TERM comes within the second in which too many have failed."""
    t.rundir()
    with open(t.folder() + '/users', 'w') as f:
        f.write('token:robot:%064x\n' % 0)
    s = t.server(t.echo().port, '--auth-file', f.name)
    n = 300
    s.send(signal.SIGSTOP)
    dialled = [t.ws.dial(s.port) for _ in range(n)]
    for d in dialled:
        d.sendall(t.ws.request())
    s.send(signal.SIGCONT)
    for d in dialled:
        t.ws.read_all(d)
    t.until(lambda: not t.children(s.pid))
    s.stop()
    log = s.wait_log()
    t.is_(len(re.findall('event=failed', log)) + sum(map(int, re.findall(
        r'failures-left-out count=(\d+)', log))), n,
          'every one is told or counted')


def test_repeated():
    """Failures of one kind are summed up, others are not; refused
    credentials never are."""
    t.rundir()
    d = t.folder()
    with open(d + '/users', 'w') as f:
        f.write('token:robot:%064x\n' % 0)
    s = t.server(t.echo().port, '--auth-file', d + '/users')
    for _ in range(30):
        t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    for _ in range(15):
        t.ws.ask(s.port, t.ws.request())
    t.ws.ask(s.port, b'nonsense\r\n\r\n')
    s.wait_line('why=.*no HTTP request')
    t.until(lambda: not t.children(s.pid))          # all are counted
    s.stop()
    told = len(re.findall('event=failed .* with 426', s.log))
    t.ok(10 <= told <= 14, 'ten of thirty equal failures are told (%d; '
         'processes may count at the same time)' % told)
    left = re.findall(r'event=failures-left-out count=(\d+) peer=127.0.0.1 '
                      r'why="[^"]*426', s.wait_log())
    t.is_(told + sum(map(int, left)), 30, 'the others are counted, in one '
          'line with host and reason')
    t.is_(len(re.findall('event=failed .* with 401', s.log)), 15,
          'all refused credentials are')
    s = t.server(t.echo().port, '-v')
    for _ in range(12):
        t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.ok(t.until(lambda: s.log.count('event=failed') == 12),
         'and all failures with -v')
    s.stop()
    t.unlike(s.wait_log(), 'failures-left-out', 'where none is left out')


def test_manual():
    """Every event stands in the manual."""
    with open(t.ROOT + '/man/inetws.1') as f:
        page = f.read()
    page = page[page.index('.Sh DIAGNOSTICS'):]
    told = {w.strip() for line in re.findall(r'^\.(?:It )?Li (.*)', page, re.M)
            for w in re.split(r' , ', line.replace(' ,\n', ' , '))}
    seen = set()
    for path in glob.glob(t.ROOT + '/src/**/*.c', recursive=True):
        with open(path) as f:
            text = f.read()
        for call in re.findall(r'\blog_(?:event|begin)\(([^;]*);', text):
            levels = call.index('LOG_L_') if 'LOG_L_' in call else -1
            if levels == -1:
                continue
            rest = call[levels:]
            m = re.match(r'[^,"]*,\s*(?:[\w>-]+ \? )?"([^"]*)"'
                         r'(?: :\s*"([^"]*)")?', rest)
            seen |= {w for w in m.groups() if w} if m else set()
    t.ok(len(seen) > 20, 'there are events (%d)' % len(seen))
    t.is_(sorted(seen - told), [], 'all are in the manual')


def test_full_pipe():
    """A standard error that is not read: no process waits for it."""
    r, w = os.pipe()
    p = t.inetws('server', '-l', '127.0.0.1:0',
                 '127.0.0.1:%d' % t.echo().port, stderr=w)
    p.port = int(re.search(rb'127.0.0.1:(\d+)', os.read(r, 4096))[1])
    fill = os.open('/proc/self/fd/%d' % w, os.O_WRONLY | os.O_NONBLOCK)
    for size in (4096, 1):
        try:
            while True:
                os.write(fill, size * b'x')
        except BlockingIOError:
            pass
    one_tunnel(p)
    t.ok(t.until(lambda: not t.children(p.pid)), 'the tunnel ends')
    t.is_(p.stop(), 0, 'and so does the server')
    for fd in (r, w, fill):
        os.close(fd)


def test_full_pipe_steps():
    """The same with -v, whose lines are not the log's: each is lost at once
    where one was, also with syslog."""
    s = t.server(t.echo().port)
    for options in ((), ('--syslog',)):
        r, w = os.pipe()
        fcntl.fcntl(r, 1031, 4096)          # F_SETPIPE_SZ
        c = t.inetws('client', '-v', *options, '-l', '127.0.0.1:0',
                     'ws://127.0.0.1:%d/' % s.port, stderr=w)
        c.port = int(re.search(rb'127.0.0.1:(\d+)', os.read(r, 4096))[1])
        socks = [t.ws.dial(c.port) for _ in range(30)]
        for sock in socks:
            sock.sendall(b'x')
        t.is_([sock.recv(1) for sock in socks], [b'x'] * 30,
              '-v %s: 30 connections' % ' '.join(options))
        begin = time.monotonic()
        for _ in range(5):
            socks.append(t.ws.dial(c.port))
            socks[-1].sendall(b'x')
            socks[-1].recv(1)
        took = time.monotonic() - begin
        t.ok(took < 10 * t.SCALE, 'and five more, one behind the other, each '
             'within a moment (%.1f s)' % took)
        for sock in socks:
            sock.close()
        t.is_(c.stop(), 0, 'and TERM ends it')
        os.close(r)
        os.close(w)


def test_usr1():
    t.rundir()
    s = t.server(t.echo().port)
    w = t.ws.connect(s.port)
    w.send(b'abc')
    w.take_data(3)
    t.until(lambda: (t.one()['up'], t.one()['down']) == (3, 3))
    s.send(signal.SIGUSR1)
    s.wait_line('event=statistics active=1 total=1')
    t.like(s.log, r'event=tunnel pid=%d state=open peer=127.0.0.1:%d '
           r'target=\S+ .*up=3 down=3' % (t.one()['tunnels'][0]['pid'],
                                         w.sock.getsockname()[1]),
           'USR1: the table')
    w.bye()


t.main()
