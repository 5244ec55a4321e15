#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The statistics page under churn and kill -9: right, and no counter that
falls.

If it fails: `inetws status` and the metrics count connections that do not
exist.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import fcntl            # noqa: E402
import json             # noqa: E402
import random           # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import struct           # noqa: E402
import subprocess       # noqa: E402


def active(n, *words):
    return t.until(lambda: t.one(*words)['active'] == n)


def test_counts():
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    before = t.one()
    t.is_((before['active'], before['total'], before['pid']), (0, 0, s.pid),
          'no connection at first')
    w = t.ws.connect(s.port)
    w.send(b'x' * 1000)
    w.take_data(1000)
    t.ok(t.until(lambda: t.one()['up'] == 1000 and t.one()['down'] == 1000),
         'bytes each way, of one that is open')
    i = t.one()
    row = i['tunnels'][0]
    t.is_((row['state'], row['up'], row['down'], row['pid']),
          ('open', 1000, 1000, t.child(s.pid)), 'its row')
    t.is_(row['peer'], '127.0.0.1:%d' % w.sock.getsockname()[1], 'its peer')
    t.is_(row['target'], '127.0.0.1:%d' % echo.port, 'its target')
    w.bye()
    t.ok(active(0), 'it is gone')
    i = t.one()
    t.is_((i['total'], i['up'], i['ended']['ended'], i['tunnels']),
          (1, 1000, 1, []), 'and stays counted')
    t.ws.ask(s.port, b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    t.ok(t.until(lambda: t.one()['ended']['protocol'] == 1),
         'what is refused is counted as that')
    dead = t.server(t.free_port())
    t.ws.ask(dead.port, t.ws.request())
    t.ok(t.until(lambda: [1 for x in t.status()['instances'] if
         x['pid'] == dead.pid and x['ended']['unreachable'] == 1]),
         'so is a dead target')


def test_killed():
    t.rundir()
    target = t.Held()
    s = t.server(target.port)
    ws = [t.ws.connect(s.port) for _ in range(3)]
    for _ in ws:
        target.next()
    t.ok(active(3), 'three are open')
    ws[0].send(b'abc')
    t.ok(t.until(lambda: t.one()['up'] == 3), 'one has sent something')
    for pid in t.children(s.pid):
        os.kill(pid, signal.SIGKILL)
    t.ok(active(0), 'kill -9 of all: none is active')
    i = t.one()
    t.is_((i['ended']['killed'], i['up'], i['total']), (3, 3, 3),
          'they are counted as killed, and their bytes stay')
    w = t.ws.connect(s.port)
    t.ok(active(1), 'their slots are good again')
    t.is_(t.one()['ended']['killed'], 3, 'and the dead counted once')
    w.bye()


def test_supervisor_killed():
    d = t.rundir()
    target = t.Held()
    s = t.server(target.port)
    w = t.ws.connect(s.port)
    stream = target.next()
    s.send(signal.SIGKILL)
    s.wait()
    i = t.one()
    t.is_((i['pid'], i['active']), (None, 1),
          'the tunnel of a killed supervisor is still seen')
    w.send(b'abc')
    t.ws.read_exactly(stream, 3)
    t.ok(t.until(lambda: t.one()['up'] == 3), 'and counts on')
    w.bye()
    stream.close()
    t.ok(t.until(lambda: t.run_inetws('status').returncode == 69),
         'then nothing is left')
    t.is_(os.listdir(d + '/inetws'), [], 'nor a stale page')


def test_another_version():
    """Such a page is ignored, and removed when no process uses it."""
    d = t.rundir() + '/inetws'
    s = t.server(t.free_port())
    page, = os.listdir(d)
    with open(os.path.join(d, page), 'rb') as f:
        magic, version, rest = struct.unpack('II56s', f.read(64))
    with open(os.path.join(d, '1.stats'), 'w+b') as f:
        f.write(struct.pack('II56s', magic, version + 1, rest))
        f.flush()
        fcntl.lockf(f, fcntl.LOCK_EX, 1, 5)
        r = t.run_inetws('status', '--json')
        t.is_(r.returncode, 0, 'some process has it:')
        t.is_(sorted(os.listdir(d)), sorted(['1.stats', page]), 'it stays')
        t.is_(len(json.loads(r.stdout)['instances']), 1, 'and is not shown')
        t.like(t.run_inetws('status').stderr, r'1\.stats: of another version of inetws \(its format '
               r'is %d, this one reads %d\); its tunnels go on' % (
                   version + 1, version), 'which is told')
        r = t.run_inetws('status', f.name)
        t.is_(r.returncode, 78, 'by itself: 78')
    with open(os.path.join(d, '2.stats'), 'wb') as f:
        f.write(b'something else that ends like this')
    t.is_(t.run_inetws('status', '--json').returncode, 0, 'no process uses it:')
    t.is_(sorted(os.listdir(d)), sorted(['2.stats', page]),
          'it is removed, and what is no page is not')
    t.is_(t.one()['pid'], s.pid, 'as is what is in use')


def test_end():
    d = t.rundir()
    s = t.server(t.free_port())
    pages = os.listdir(d + '/inetws')
    t.is_(['%s/inetws/%s' % (d, x) for x in pages], [t.page_of(s.pid)],
          'a page in the runtime directory')
    t.is_(os.stat(d + '/inetws/' + pages[0]).st_mode & 0o777, 0o600,
          'for its owner only')
    s.stop()
    t.is_(os.listdir(d + '/inetws'), [], 'gone at the end')
    target = t.Held()
    s = t.server(target.port, '--drain', 'leave')
    w = t.ws.connect(s.port)
    target.next().close()
    w2 = t.ws.connect(s.port)
    kept = target.next()
    t.is_(s.stop(), 0, '--drain leave')
    t.ok(t.until(lambda: t.one()['active'] >= 1),
         'leaves the page with the tunnels')
    w.sock.close()
    w2.bye()
    kept.close()


def test_no_directory():
    """It works, though it is not listed."""
    os.environ['XDG_RUNTIME_DIR'] = '/dev/null'
    try:
        echo = t.echo()
        s = t.server(echo.port)
        w = t.ws.connect(s.port)
        w.send(b'abc')
        t.is_(w.take_data(3), b'abc', 'no runtime directory: it serves')

        def told():
            mark = s.mark()
            s.send(signal.SIGUSR1)
            return 'up=3 down=3' in s.wait_line('event=statistics',
                                                since=mark).string
        mark = t.until(told) and s.mark()
        s.send(signal.SIGUSR1)
        t.like(s.wait_line('event=tunnel ', since=mark).string, 'state=open',
               'USR1 lists the tunnels')
        t.like(s.wait_line('event=statistics', since=mark).string,
               r'active=1 total=1 .*up=3 down=3', 'and what there was')
        w.bye()
    finally:
        del os.environ['XDG_RUNTIME_DIR']


def inetd(page, target, **kw):
    """An inetws of one connection, as inetd starts it."""
    a, b = socket.socketpair()
    p = t.inetws('server', '-l', 'fd:%d' % b.fileno(), '--stats-file', page,
                 '127.0.0.1:%d' % target, pass_fds=(b.fileno(),), **kw)
    b.close()
    t.on_close(a.close)
    return p, a


def upgraded(sock):
    sock.settimeout(t.BOUND)
    sock.sendall(t.ws.request())
    t.ws.read_head(sock)
    return t.ws.WebSocket(sock, True)


def test_shared_file():
    t.rundir()
    page = t.folder() + '/page'
    target = t.Held()
    several = [inetd(page, target.port) for _ in range(5)]
    ws = [upgraded(a) for _, a in several]
    streams = [target.next() for _ in ws]
    t.ok(active(5, page), 'five processes that do not know each other')
    i = t.one(page)
    t.is_(sorted(r['pid'] for r in i['tunnels']),
          sorted(p.pid for p, _ in several), 'have a row each')
    t.is_(i['pid'], None, 'and no supervisor')
    ws[0].send(b'abcd')
    t.ok(t.until(lambda: t.one(page)['up'] == 4), 'bytes count')
    several[0][0].send(signal.SIGKILL)
    several[0][0].wait()
    t.is_((t.one(page)['active'], t.one(page)['ended']['killed'],
           t.one(page)['up']), (4, 1, 4), 'kill -9: seen at once')
    p, a = inetd(page, target.port)
    w = upgraded(a)
    t.ok(active(5, page), 'the next one takes its place')
    t.is_((t.one(page)['ended']['killed'], t.one(page)['total']), (1, 6),
          'and nothing is counted twice')
    w.bye()
    for s in streams:
        s.close()


def test_full():
    """More than there are slots: not listed, but counted."""
    t.rundir()
    page = t.folder() + '/page'
    target = t.Held()
    first = []
    for _ in range(6):
        a, b = socket.socketpair()
        t.on_close(a.close)
        p = t.inetws('server', '-l', 'fd:%d' % b.fileno(), '--stats-file',
                     page, '--max-connections', '4', '127.0.0.1:%d' %
                     target.port, pass_fds=(b.fileno(),))
        b.close()
        first.append((p, upgraded(a), target.next()))
    t.ok(active(6, page), 'all six are active')
    i = t.one(page)
    t.is_((len(i['tunnels']), i['unlisted'], i['total']), (4, 2, 6),
          'two of them without a row')
    for _, w, _ in first:
        w.send(b'abc')
    for _, _, stream in first:
        t.ws.read_exactly(stream, 3)
    t.ok(t.until(lambda: t.one(page)['up'] == 18), 'bytes of all')
    listed = [r['pid'] for r in i['tunnels']]
    for p, w, stream in first:
        if p.pid in listed:
            continue
        p.send(signal.SIGKILL)
        p.wait()
        break
    t.is_(t.one(page)['active'], 5, 'a killed one is seen')
    for p, w, stream in first:
        if p.alive():
            w.bye()
            stream.close()
    t.ok(active(0, page), 'all gone')
    t.is_((t.one(page)['ended']['ended'], t.one(page)['up']), (5, 18),
          'and counted')


def test_shared_between_connections():
    """A page of --stats-file among those of instances, as systemd's unit for
    one connection has it, stays when no connection is there."""
    page = t.rundir() + '/inetws/each.stats'
    echo = t.echo()
    s = t.server(echo.port)
    for n in range(1, 4):
        r = t.run_inetws('connect', '--stats-file', page,
                         'ws://127.0.0.1:%d/' % s.port, input=b'abc')
        t.is_((r.returncode, r.stdout), (0, b'abc'), 'a connection')
        found = {i['file']: i['total'] for i in t.status()['instances']}
        t.is_(found.get(page), n, 'status shows it, and keeps it')
        t.server(echo.port)             # so does another instance
        t.is_(t.one(page)['total'], n, 'nothing is lost')


def test_two_containers():
    """Processes with one number in containers that share the directory."""
    d = t.rundir() + '/inetws'
    new = t.need_unshare('--pid', '--fork', '--kill-child') + [
        t.INETWS, 'server', '-l', '127.0.0.1:0', '127.0.0.1:9']
    for p in [t.Program(new) for _ in range(2)]:
        p.wait_line('listening on')
    t.ok(t.until(lambda: len(os.listdir(d)) == 2), 'two pages')
    t.is_(len(t.status()['instances']), 2, 'two instances')
    t.is_({i['pid'] for i in t.status()['instances']}, {1},
          'though both have one number')


def test_held_lock():
    """Another process that may read a shared page locks it for ever."""
    echo = t.echo()
    for made in (False, True):
        page = t.folder() + '/page'
        if made:
            t.run_inetws('connect', '--stats-file', page,
                         'ws://127.0.0.1:%d/' % t.server(echo.port).port,
                         input=b'x')
        with open(page, 'ab') as f:
            fcntl.lockf(f, fcntl.LOCK_EX)
            s = t.server(echo.port, '--stats-file', page)
            r = t.run_inetws('connect', '--stats-file', page,
                             'ws://127.0.0.1:%d/' % s.port, input=b'hello')
            t.is_((r.returncode, r.stdout), (0, b'hello'),
                  'connections are served')
            t.is_('no-statistics' in s.log, not made,
                  'with a line if there are no statistics')
            s.stop()


def test_cut_short():
    """Its owner truncates the page: statistics are lost, and nothing else."""
    d = t.rundir()
    echo = t.echo()
    page = t.folder() + '/page'
    for options in (('--stats-file', page), ()):
        s = t.server(echo.port, '--max-handshakes', '1', *options)
        w = t.ws.connect(s.port)
        w.send(b'abc')
        w.take_data(3)
        path = page if options else t.page_of(s.pid)
        os.truncate(path, 0)
        w.send(b'abc')
        t.is_(w.take_data(3), b'abc', 'an open tunnel goes on')
        more = [t.ws.connect(s.port) for _ in range(5)]
        for x in more:
            x.send(b'def')
            t.is_(x.take_data(3), b'def', 'there are new ones')
        s.send(signal.SIGUSR1)
        s.wait_line('event=statistics')
        t.is_(t.run_inetws('status', path).returncode, 78,
              'status says what it is')
        for x in more + [w]:
            x.bye()
        t.is_(s.stop(), 0, 'the process that listens is well')
        t.unlike(s.log, 'child-killed', 'and none was killed')


def test_full_disk():
    """What has no room there is not counted there, but works."""
    if os.getuid() != 0:
        raise t.Skip('needs root for a file system of its own')
    t.rundir()
    echo = t.echo()
    p = t.Program([*t.need_unshare('-m'), 'sh', '-c',
                   'mount -t tmpfs -o size=4k none "$RUNTIME_DIRECTORY" || '
                   'exit 99; exec "$@"', 'sh',
                   t.INETWS, 'server', '-l', '127.0.0.1:0', '127.0.0.1:%d' %
                   echo.port])
    t.until(lambda: 'listening' in p.log or not p.alive())
    if p.popen.poll() == 99:
        raise t.Skip('no file system of its own: ' + p.log)
    port = t.port_of(t.listening(p)[0])
    ws = [t.ws.connect(port) for _ in range(20)]
    for w in ws:
        w.send(b'abc')
    for w in ws:
        t.is_(w.take_data(3), b'abc', 'a tunnel')
    for w in ws:
        w.bye()
    t.is_(p.stop(), 0, 'the process that listens is well')
    t.unlike(p.log, 'child-killed', 'and none was killed')


def forged(path, version):
    with open(path, 'wb') as f:
        f.write(struct.pack('II', 0x73777465, version).ljust(1 << 16, b'\0'))


def test_shared_file_of_another_version():
    """It is made anew after an upgrade; that of a later program is left to
    it."""
    page = t.folder() + '/page'
    forged(page, 1)
    echo = t.echo()
    ran = [t.connect('ws://127.0.0.1:%d/' % t.server(echo.port).port,
                     '--stats-file', page) for _ in range(8)]
    for p in ran:
        p.stdin.write(b'hello')
        p.stdin.flush()
    t.ok(t.until(lambda: t.run_inetws('status', page).returncode == 0) and
         active(8, page),
         'one of an earlier version is made anew, once for all')
    for p in ran:
        p.stdin.close()
        t.is_(p.wait(), 0, 'and nothing else happens')
    t.is_(os.listdir(os.path.dirname(page)), ['page'], 'there is no other file')
    forged(page, 1000)
    s = t.server(echo.port, '--stats-file', page)
    t.ok(s.has_line('event=no-statistics .*of another version'),
         'one of a later version: no statistics')
    w = t.ws.connect(s.port)
    w.send(b'hello')
    t.is_(w.take_data(5), b'hello', 'but a server')
    with open(page, 'rb') as f:
        t.is_(struct.unpack('II', f.read(8))[1], 1000, 'and it stays')


def test_not_a_page():
    d = t.folder()
    with open(d + '/x', 'w') as f:
        f.write('hello' * 1000)
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--stats-file', d + '/x',
                     'a:1')
    t.is_(r.returncode, 64, '--stats-file of something else: 64')
    t.like(r.stderr, d + '/x', 'which is named')
    with open(d + '/x') as f:
        t.is_(f.read(5), 'hello', 'and left as it was')


@t.limit(60)
def test_churn():
    """Many, with random kills: what is shown is what is."""
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port, '--max-connections', '200')
    rng = random.Random(7)
    open_, sent, killed, begun, last = {}, 0, 0, 0, None

    def is_counted():
        now = t.one()
        return (now['total'], now['up'], now['down']) == (begun, sent, sent)
    for step in range(240):
        what = rng.random()
        if what < .6 or not open_:
            w = t.ws.connect(s.port)
            data = rng.randbytes(rng.randrange(1, 3000))
            w.send(data)
            w.take_data(len(data))
            sent += len(data)
            begun += 1
            new = set(t.children(s.pid, zombies=False)) - set(open_)
            open_[new.pop()] = w
        elif what < .8:
            pid = rng.choice(list(open_))
            t.until(is_counted)         # what it has not counted is lost
            os.kill(pid, signal.SIGKILL)
            open_.pop(pid).sock.close()
            killed += 1
            t.until(lambda: pid not in t.children(s.pid))
        else:
            pid = rng.choice(list(open_))
            open_.pop(pid).bye()
            t.until(lambda: pid not in t.children(s.pid))
        if step % 40 == 39:
            t.ok(t.until(lambda: t.one()['active'] == len(open_)),
                 '%d are active' % len(open_))
            t.until(is_counted)
            now = t.one()
            flat = {k: now[k] for k in ('total', 'up', 'down')}
            t.is_(flat, {'total': begun, 'up': sent, 'down': sent},
                  'totals are what the clients counted')
            t.is_(now['ended']['killed'], killed, 'killed ones too')
            if last:
                t.ok(all(now['ended'][k] >= last[k] for k in last),
                     'nothing goes back')
            last = now['ended']


def test_no_system_calls():
    """A message costs no more of them: none is the statistics' own."""
    if t.COMPAT:
        raise t.Skip('poll(2) and pselect(2) for ppoll(2)')
    strace, = t.need('strace')
    t.rundir()
    echo = t.echo()
    s = t.server(echo.port)
    w = t.ws.connect(s.port)
    w.send(b'x')
    w.take_data(1)
    d = t.folder()
    p = t.Program([strace, '-o', d + '/trace', '-p', t.child(s.pid)],
                  stderr=subprocess.PIPE)
    if not p.has_line('attached'):
        raise t.Skip('strace may not attach here')
    for _ in range(50):
        w.send(b'x')
        w.take_data(1)
    p.stop(signal.SIGINT)
    with open(d + '/trace') as f:
        calls = [line.split('(')[0] for line in f if '(' in line]
    allowed = {'ppoll', 'read', 'readv', 'write', 'writev', 'recvmsg',
               'sendmsg', 'rt_sigpending', 'restart_syscall', 'recvfrom',
               'sendto', 'ioctl', 'madvise'}
    t.is_(sorted(set(calls) - allowed - {'strace'}), [],
          'no system call but those of relaying (%d for 100 messages)' %
          len(calls))


t.main()
