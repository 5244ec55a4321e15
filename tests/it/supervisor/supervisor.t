#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The supervisor: signals, limits, restarts, and that no process is left
behind.

If it fails: the service does not stop, or leaves processes behind.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import errno            # noqa: E402
import platform         # noqa: E402
import resource         # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import subprocess       # noqa: E402
from filters import filtering, refused as refused_call  # noqa: E402


def pair(*options, **kw):
    target = t.Held()
    s = t.server(target.port, *options, **kw)
    w = t.ws.connect(s.port)
    return s, w, target.next(), target


def lives(w, stream, name):
    w.send(b'ping')
    got = t.ws.read_exactly(stream, 4)
    stream.sendall(b'pong')
    t.is_((got, w.take_data(4)), (b'ping', b'pong'), name)


def forked_ahead(s):
    """Children that are just being forked have what their supervisor has."""
    t.until(lambda: len(t.ahead(s.pid)) == 2)


def none_left():
    t.until(lambda: not t.family())
    t.is_(t.family(), [], 'no process is left')


def refused(port):
    try:
        t.ws.dial(port, 2).close()
        return False
    except OSError:
        return True


def test_no_sandbox():
    """A build for a system without one says so at start."""
    if not os.environ.get('INETWS_SANITIZED'):
        raise t.Skip('this build has one')
    s = t.server(t.echo().port)
    t.ok(s.has_line('event=sandbox missing="no_new_privs capabilities landlock '
                    'seccomp" why="not available on this system"'), 'told')


def test_drain():
    for sig in (signal.SIGTERM, signal.SIGINT):
        s, w, stream, _ = pair('--drain', '20s')
        s.send(sig)
        t.ok(t.until(lambda: refused(s.port)), '%s: stops accepting' %
             sig.name)
        lives(w, stream, 'a tunnel goes on')
        t.ok(s.alive(), 'and the supervisor waits for it')
        w.bye()
        t.is_(t.ws.read_all(stream), (b'', 'eof'), 'until its clean end')
        stream.close()
        t.is_(s.wait(), 0, 'then it ends with 0')


def test_drain_runs_out():
    s, w, stream, _ = pair('--drain', '500ms')
    begin = t.ws.now()
    s.send(signal.SIGTERM)
    t.is_(w.take_close(), 1001, 'Close 1001 when --drain has run out')
    w.sock.close()
    t.ok(t.ws.now() - begin > 0.4, 'not before')
    t.is_(s.wait(), 0, 'status 0')
    none_left()


def test_drain_zero():
    s, w, stream, _ = pair('--drain', '0')
    s.send(signal.SIGTERM)
    t.is_(w.take_close(), 1001, '--drain 0 ends tunnels at once, with 1001')
    w.sock.close()
    t.is_(t.ws.read_all(stream), (b'', 'reset'), 'the stream is reset')
    t.is_(s.wait(), 0, 'status 0')


def test_drain_leave():
    s, w, stream, target = pair('--drain', 'leave')
    forked_ahead(s)
    begin = t.ws.now()
    s.send(signal.SIGTERM)
    t.is_(s.wait(), 0, '--drain leave ends at once with 0')
    t.ok(t.ws.now() - begin < 5, 'that is, without waiting')
    lives(w, stream, 'its tunnel lives on')
    again = t.server(target.port, listen='127.0.0.1:%d' % s.port)
    w2 = t.ws.connect(again.port)
    lives(w2, target.next(), 'a new one serves on the same port')
    lives(w, stream, 'next to the old tunnel')
    w.bye()
    t.is_(t.ws.read_all(stream), (b'', 'eof'), 'which ends well')
    stream.close()
    t.ok(t.until(lambda: len(t.family()) <= 2), 'and is gone')


def test_supervisor_is_killed():
    s, w, stream, target = pair()
    forked_ahead(s)
    s.send(signal.SIGKILL)
    s.wait()
    lives(w, stream, 'kill -9 of the supervisor leaves the tunnel alive')
    again = t.server(target.port, listen='127.0.0.1:%d' % s.port)
    w2 = t.ws.connect(again.port)
    lives(w2, target.next(), 'the port is free for the next one at once')
    lives(w, stream, 'the old tunnel lives on')


def in_a_hurry(sig, drains):
    """Ends with this signal.  Processes of tunnels have 0.25 s then, so one of
    a few tries must be such that they are run in that time."""
    for _ in range(5):
        s, w, stream, _ = pair('--drain', '60s')
        if drains:
            s.send(signal.SIGTERM)
            t.ok(t.until(lambda: refused(s.port)), 'it drains')
        begin = t.ws.now()
        s.send(sig)
        code = w.take_close()
        w.sock.close()
        status, took = s.wait(), t.ws.now() - begin
        if code == 1001:
            break
    t.is_(code, 1001, '%s tells the peers: 1001' % sig.name)
    t.is_(status, 0, 'and ends')
    t.ok(took < 5, 'at once')
    none_left()


def test_second_term():
    for sig in (signal.SIGTERM, signal.SIGINT):
        in_a_hurry(sig, True)


def test_quit():
    in_a_hurry(signal.SIGQUIT, False)


def test_hup_and_usr1():
    s, w, stream, _ = pair()
    mark = s.mark()
    s.send(signal.SIGHUP)
    lives(w, stream, 'HUP disturbs no tunnel')
    t.ok(s.alive() and not refused(s.port), 'nor the listener')
    s.send(signal.SIGUSR1)
    line = s.wait_line(r'statistics.*', since=mark)[0]
    t.like(line, r'active=\d+', 'USR1 logs statistics: ' + line)
    t.like(line, r'total=\d+', 'with the total')


def test_idle_term():
    s = t.server(9)
    begin = t.ws.now()
    t.is_(s.stop(), 0, 'TERM without tunnels: 0')
    t.ok(t.ws.now() - begin < 5, 'at once')


def test_unix_socket_is_removed():
    path = t.folder() + '/s'
    s = t.server(9, listen='unix:' + path)
    s.stop()
    t.ok(not os.path.exists(path), 'TERM removes the Unix socket')


def test_unix_socket_of_another():
    """A path that another process has taken meanwhile is left to it."""
    d = t.folder()
    s = t.server(9, '--metrics', 'unix:%s/m' % d, listen='unix:%s/s' % d)
    others = []
    for name in 's', 'm':
        os.unlink('%s/%s' % (d, name))
        others.append(socket.socket(socket.AF_UNIX))
        others[-1].bind('%s/%s' % (d, name))
    t.is_(s.stop(), 0, 'the end')
    t.is_(sorted(os.listdir(d)), ['m', 's'], "another's sockets stay")
    for other in others:
        other.close()


def test_limit():
    target = t.Held()
    s = t.server(target.port, '--max-connections', '3')
    open_ = []
    for _ in range(3):
        open_.append((t.ws.connect(s.port), target.next()))
    mark = s.mark()
    for _ in range(5):
        a = t.ws.ask(s.port, t.ws.request())
        t.is_(a.status, 503, 'beyond --max-connections: 503')
    t.like(a.headers.get('retry-after', ''), r'^\d+$', 'with Retry-After')
    t.like(a.body, r'\A[^\n]+\n?\Z', 'and one line')
    t.ok(s.has_line('event=at-limit max-connections=3', 5, since=mark),
         'logged')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 3),
         'no more children than that')
    for w, stream in open_:
        lives(w, stream, 'open tunnels go on')
    open_[0][0].bye()
    open_[0][1].close()
    t.until(lambda: len(t.children(s.pid)) < 3)
    w = t.ws.connect(s.port)
    lives(w, target.next(), 'one leaves, one comes in')


@t.limit(120)
def test_a_thousand():
    """1000 connections leave no zombie, no descriptor, no process."""
    echo = t.echo()
    s = t.server(echo.port)
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    w = t.ws.connect(s.port)
    w.send(b'x')
    w.take_data(1)
    w.bye()
    t.until(lambda: not t.children(s.pid))
    forked_ahead(s)
    before = t.descriptors(s.pid), t.descriptors(c.pid)
    done = 0
    for batch in range(20):
        socks = []
        for i in range(25):     # websockets
            w = t.ws.connect(s.port)
            w.send(b'hello')
            socks.append(w)
        for i in range(25):     # visitors of the client
            v = t.ws.dial(c.port)
            v.sendall(b'hello')
            socks.append(v)
        for i, w in enumerate(socks):
            if isinstance(w, t.ws.WebSocket):
                done += w.take_data(5) == b'hello'
                if i % 3 == 0:
                    w.bye()
                elif i % 3 == 1:
                    w.reset()
                    continue
                w.sock.close()
            else:
                done += t.ws.read_exactly(w, 5) == b'hello'
                if i % 2:
                    t.ws.reset(w)
                else:
                    w.close()
    t.is_(done, 1000, '1000 connections have been served')
    t.ok(t.until(lambda: not t.children(s.pid) and not t.children(c.pid), 30),
         'no process and no zombie is left')

    def now():
        return t.descriptors(s.pid), t.descriptors(c.pid)
    t.until(lambda: now() == before)
    t.is_(now(), before, 'and no descriptor')
    t.until(lambda: len(t.family()) == 2)
    t.is_(sorted(t.family()), sorted([s.pid, c.pid]), 'no other process')
    s.send(signal.SIGUSR1)
    t.ok(s.has_line(r'event=statistics active=0 total=1001 '),
         'the count is right')


def links(pid):
    """What the descriptors of a process are."""
    found = []
    for fd in os.listdir('/proc/%d/fd' % pid):
        try:
            found.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
        except OSError:
            pass
    return found


def holds_its_tunnel(p, page, name):
    """Does its child hold two sockets, the log, the page, and no more?"""
    log = os.readlink('/proc/%d/fd/2' % p.pid)
    child = t.child(p.pid)

    def others():
        return set(links(child)) - sockets_of(child) - {'/dev/null'}
    t.ok(t.until(lambda: others() == {log, page} and
                 len(sockets_of(child)) == 2),
         '%s: a tunnel holds two sockets, the log, the page: %s' % (
             name, links(child)))


def test_children_keep_no_listener():
    """Nor anything else of the supervisor's."""
    d = t.folder()
    page, other = d + '/page', d + '/other'
    s, w, stream, _ = pair('--pidfile', d + '/pid', '--stats-file', page,
                           '--metrics', '127.0.0.1:0', '-l', '127.0.0.1:0')
    lives(w, stream, 'a tunnel')
    holds_its_tunnel(s, page, 'server')
    server = t.WSServer()
    c = t.client('ws://127.0.0.1:%d/' % server.port, '--stats-file', other,
                 '--metrics', '127.0.0.1:0')
    v = t.ws.dial(c.port)
    lives(server.next(), v, 'a tunnel')
    holds_its_tunnel(c, other, 'client')


def sockets_of(pid):
    return {x for x in links(pid) if x.startswith('socket:')}


def test_title():
    s, w, stream, target = pair()
    child = t.child(s.pid)
    peer = '127.0.0.1:%d' % w.sock.getsockname()[1]
    title = '%s -> 127.0.0.1:%d,' % (peer, target.port)
    t.ok(t.until(lambda: title in t.command_of(child)),
         'ps shows the peer and the target: ' + t.command_of(child))
    t.ok(t.until(lambda: ' 1 active' in t.command_of(s.pid)),
         "and the supervisor's count: " + t.command_of(s.pid))


def no_more(pid, limits):
    """A limit with which it keeps the descriptors it has, and gets no new
    one: the lowest free number."""
    t.at_rest(pid)
    used = {int(fd) for fd in os.listdir('/proc/%d/fd' % pid)}
    return min(set(range(len(used) + 1)) - used), limits[1]


def test_out_of_descriptors():
    """EMFILE makes it pause, not spin, nor die."""
    s = t.server(t.echo().port)
    before = resource.prlimit(s.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, no_more(s.pid, before))
    waiting = [t.ws.dial(s.port) for _ in range(5)]
    for w in waiting:
        w.sendall(t.ws.request())
    t.ok(s.has_line('event=accept-paused', 10),
         'it says that it pauses')
    cpu = t.cpu_ticks(s.pid)
    t.ok(t.ws.quiet_for(waiting[4], 0.5), 'new connections wait')
    used = t.cpu_ticks(s.pid) - cpu
    t.ok(used < 20, 'and it does not spin (%d ticks)' % used)
    t.ok(s.alive(), 'nor die')
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, before)
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'and serves again when there are some')


def test_metrics_out_of_descriptors():
    """Metrics connections make it pause as well."""
    s = t.server(t.echo().port, '--metrics', '127.0.0.1:0')
    port = int(s.wait_line('metrics on .*:([0-9]+)')[1])
    before = resource.prlimit(s.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, no_more(s.pid, before))
    asks = t.ws.dial(port)
    asks.sendall(b'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    t.ok(s.has_line('event=accept-paused', 10), 'it says that it pauses')
    cpu = t.cpu_ticks(s.pid)
    t.ok(t.ws.quiet_for(asks, 0.5), 'a metrics request waits')
    used = t.cpu_ticks(s.pid) - cpu
    t.ok(used < 20, 'and it does not spin (%d ticks)' % used)
    resource.prlimit(s.pid, resource.RLIMIT_NOFILE, before)
    t.like(t.ws.read_all(asks)[0].decode(), '^HTTP/1.[01] 200 ',
           'and is answered when there are some')


def test_child_is_killed():
    s, w, stream, target = pair()
    signals = [signal.SIGKILL, signal.SIGQUIT]
    if not t.SANITIZED:             # sanitizers catch it, and exit
        signals.append(signal.SIGSEGV)
    for signo in signals:
        os.kill(t.child(s.pid), signo)
        t.ok(s.has_line('event=child-killed .*signal=%d ' % signo, 10),
             'a child that signal %d ends is logged' % signo)
        t.is_(t.ws.read_all(stream)[1], 'reset', 'its stream is reset')
        t.is_(w.sock.recv(1), b'', 'and the peer gets no Close')
        w = t.ws.connect(s.port)
        stream = target.next()
        lives(w, stream, 'and the supervisor serves on')


def test_child_is_told_to_end():
    s, w, stream, target = pair()
    os.kill(t.child(s.pid), signal.SIGTERM)
    t.is_(w.take_close(), 1001, 'TERM to a tunnel: Close 1001')
    w.sock.close()
    t.ok(t.until(lambda: not t.children(s.pid)), 'and it is gone')
    t.ok(s.alive(), 'the supervisor is not')


def test_port_is_taken():
    target = t.Held()
    r = t.run_inetws('server', '-l', '127.0.0.1:%d' % target.port,
                     '127.0.0.1:1')
    t.is_(r.returncode, 71, 'a port that is taken: 71')
    t.like(r.stderr, '%d' % target.port, 'which is named')


def test_log_is_whole():
    """Lines of many processes do not mix."""
    s = t.server(t.echo().port)
    for _ in range(30):
        ws = [t.ws.connect(s.port) for _ in range(5)]
        for w in ws:
            w.close(1000)
        for w in ws:
            w.take_close(answer=False)
            w.sock.close()
    t.until(lambda: not t.children(s.pid))
    s.stop()
    lines = [x for x in s.lines if 'listening on' not in x]
    bad = [x for x in lines if x.count('level=') > 1 or '=' not in x]
    t.is_(bad, [], 'each line is one event')
    t.ok(len(lines) >= 150, 'one for every connection (%d)' % len(lines))


def test_start_refused():
    """The kernel has no object left that a supervisor needs."""
    number = {'x86_64': 291, 'aarch64': 20}.get(platform.machine())
    if number is None or sys.platform != 'linux':
        raise t.Skip('the number of epoll_create1(2) is not known here')
    p = t.Program([t.INETWS, 'server', '-l', '127.0.0.1:0', '127.0.0.1:9'],
                  preexec_fn=filtering(refused_call(number, errno.ENOMEM)))
    t.is_(p.wait(), 71, 'exit status')
    t.ok(p.has_line('event=start why="cannot watch the listeners" '
                    'error="Cannot allocate memory"'), 'the reason')


t.main()
