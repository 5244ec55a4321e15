#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""inetws connect: stdin and stdout, its ends, its exit statuses; and the
checks of a server's answer, which client shares.

If it fails: ssh's ProxyCommand hangs or loses bytes, and scripts read a wrong
exit status.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import fcntl            # noqa: E402
import pty              # noqa: E402
import re               # noqa: E402
import resource         # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import subprocess       # noqa: E402
import termios          # noqa: E402
import tty              # noqa: E402


def url(port, path='/'):
    return 'ws://127.0.0.1:%d%s' % (port, path)


def test_hello():
    s = t.server(t.echo().port)
    r = t.run_inetws('connect', url(s.port), input=b'hello')
    t.is_(r.stdout, b'hello', 'stdin goes in, stdout comes out')
    t.is_(r.returncode, 0, 'status 0')
    t.is_(r.stderr, b'', 'and nothing is said')
    data = os.urandom(3 << 20)
    r = t.run_inetws('connect', url(s.port), input=data, timeout=60)
    t.ok(r.stdout == data, '3 MiB there and back')
    t.is_(r.returncode, 0, 'status 0')


def test_ends_when_the_far_side_ends():
    """printf x | inetws connect ..."""
    server = t.WSServer()
    p = t.connect(url(server.port))
    p.stdin.write(b'x')
    p.stdin.close()
    w = server.next()
    t.is_(w.take_data(1), b'x', 'the byte arrives')
    t.ok(t.ws.quiet_for(w.sock, 0.4), 'the end of stdin is no Close yet')
    w.send(b'reply')
    w.bye()
    t.is_(p.stdout.read(), b'reply', 'the reply is whole')
    t.is_(p.wait(), 0, 'it ends when the far side ends')

    s = t.server(t.source(b'banner').port)
    r = t.run_inetws('connect', url(s.port), input=b'x')
    t.is_((r.stdout, r.returncode), (b'banner', 0), 'between two of ours')

    p = t.connect(url(s.port))      # stdin stays open
    t.is_(p.stdout.read(), b'banner', 'an open stdin: the banner')
    p.stdin.close()
    t.is_(p.wait(), 0, 'and the end')


def test_far_close_with_stdin_open():
    """A Close of a plain peer is the end even if stdin stays open."""
    server = t.WSServer()
    p = t.connect(url(server.port), '--linger', '1s')
    w = server.next()
    w.send(b'last words')
    w.bye()
    t.is_(p.stdout.read(), b'last words', 'all of it')
    t.is_(p.wait(), 0, 'and it ends')


def test_closed_stdin():
    s = t.server(t.source(b'data').port)
    p = t.inetws('connect', url(s.port), stdout=subprocess.PIPE,
                 preexec_fn=lambda: os.close(0))
    t.is_(p.stdout.read(), b'data', 'without a stdin at all')
    p.wait()
    t.ok(not p.alive(), 'it ends')


def test_closed_from_the_start():
    """With >&-: nothing is connected, taken or lost."""
    server = t.WSServer()
    r = t.run_inetws('connect', url(server.port),
                     preexec_fn=lambda: os.close(1))
    t.is_(r.returncode, 64, 'no standard output: 64')
    t.like(r.stderr, 'standard output is closed', 'and it is named')
    t.is_(server.accepted, 0, 'the server was not asked')


def test_closed_stdout():
    held = t.Held()
    s = t.server(held.port)
    p = t.connect(url(s.port))
    stream = held.next()
    p.stdout.close()
    try:
        while True:
            stream.sendall(b'x' * 65536)
            if not p.alive():
                break
    except OSError:
        pass
    t.ok(p.wait() not in (0, None), 'a closed stdout ends it (%s)' %
         p.popen.returncode)
    p.stdin.close()
    t.ok(t.until(lambda: not t.children(s.pid)), 'and the far side')



def test_last_words():
    """What comes in one piece with a bad end is said before the error."""
    for name, end in (('Close 1011', t.ws.frame(t.ws.CLOSE, b'\3\xf3')),
                      ('a bare end', b'')):
        server = t.WSServer()
        p = t.connect(url(server.port))
        w = server.next()
        w.raw(t.ws.frame(t.ws.BINARY, 300000 * b'y') + end)
        w.drop()
        t.is_(len(p.stdout.read()), 300000, name + ': all that came is said')
        t.is_(p.wait(), 74, 'and the status is 74')


def test_full_device():
    server = t.WSServer()
    with open('/dev/full', 'wb') as f:
        p = t.connect(url(server.port), stdin=subprocess.DEVNULL, stdout=f)
    w = server.next()
    w.send(b'x')
    t.is_(w.take_close(), 1011, 'a full disk is Close 1011')
    w.drop()
    t.is_(p.wait(), 74, 'status 74')
    t.like(p.log, 'end=stream-reset code=1011 why="No space left on device"',
           'and the reason is told')


# A file system that tells at the last close that it has no room.
FULL_AT_CLOSE = r'''
#define _GNU_SOURCE
#include <sys/stat.h>
#include <dlfcn.h>
#include <errno.h>

int close(int fd)
{
	static int (*real)(int);
	struct stat st;
	int full = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_ISVTX) && st.st_size > 0, r;

	if (real == 0)
		real = (int (*)(int))dlsym(RTLD_NEXT, "close");
	r = real(fd);
	if (full) {
		errno = ENOSPC;
		return -1;
	}
	return r;
}
'''


def test_full_at_close():
    """All was written; that it is not stored is known only then."""
    env = t.preloaded(FULL_AT_CLOSE)
    path = os.path.join(t.folder(), 'out')
    with open(path, 'wb') as f:
        os.chmod(path, 0o1600)
        server = t.WSServer()
        p = t.connect(url(server.port), stdin=subprocess.DEVNULL, stdout=f,
                      env=env)
        w = server.next()
        w.send(b'all of it')
        w.close(1000)
        t.is_(p.wait(), 74, 'connect: status 74')
        w.drop()
        t.like(p.log, 'stream-reset.*No space left on device',
               'and the reason is told')
        s = t.server(t.source(b'all of it').port)
        p = t.connect(url(s.port), stdin=subprocess.DEVNULL, stdout=f, env=env)
        t.is_(p.wait(), 74, 'with another inetws: the same')
        t.like(s.wait_line('event=closed.*')[0], 'end=peer-reset',
               'which is told that it is not delivered')
        for words in (('--help',), ('status',), ('check', url(1)),
                      ('server', '--dump-config', '-l', '80', 'a:1')):
            r = subprocess.run([t.INETWS, *words], stdout=f, env=env,
                               stderr=subprocess.PIPE, timeout=t.BOUND)
            t.is_(r.returncode, 71, ' '.join(words) + ': status 71')
            t.like(r.stderr.decode(), 'standard output: No space left',
                   'and the reason')


def test_file_size_limit():
    """Beyond ulimit -f a write is an error like another, and no signal."""
    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    server = t.WSServer()
    with open(os.path.join(t.folder(), 'out'), 'wb') as f:
        p = t.connect(url(server.port), stdin=subprocess.DEVNULL, stdout=f,
                      preexec_fn=limited)
    w = server.next()
    w.send(bytes(5000))
    t.is_(w.take_close(), 1011, 'a file at its limit is Close 1011')
    w.drop()
    t.is_(p.wait(), 74, 'status 74')
    t.like(p.log, 'why="File too large"', 'and the reason is told')


def test_appended_file():
    """connect ... >> file: big frames, and a file that none can be moved
    into inside the kernel."""
    data = os.urandom(1 << 20)
    name = os.path.join(t.folder(), 'log')
    with open(name, 'wb') as f:
        f.write(b'before')
    server = t.WSServer()
    with open(name, 'ab') as f:
        p = t.connect(url(server.port), stdin=subprocess.DEVNULL, stdout=f)
    w = server.next()
    for _ in range(4):
        w.send(data)
    w.bye()
    t.is_(p.wait(), 0, 'appending to a file: status 0')
    with open(name, 'rb') as f:
        t.ok(f.read() == b'before' + 4 * data, 'and every byte is there')


def ends(kind, reads):
    """A descriptor of this kind for the program, and how it is used here."""
    if kind == 'pipe':
        r, w = os.pipe()
        return (r, w) if reads else (w, r)
    if kind == 'socket':
        a, b = socket.socketpair()
        return a.detach(), b.detach()
    if kind == 'tcp':
        with socket.create_server(('127.0.0.1', 0)) as ls:
            a = socket.create_connection(ls.getsockname())
            return a.detach(), ls.accept()[0].detach()
    if kind == 'terminal':
        parent, child = pty.openpty()
        tty.setraw(child)
        return child, parent
    path = os.path.join(t.folder(), 'file')
    with open(path, 'wb') as f:
        f.write(b'hello' if reads else b'')
    return os.open(path, os.O_RDONLY if reads else os.O_WRONLY), \
        os.open(path, os.O_RDONLY)


KINDS = ('pipe', 'socket', 'tcp', 'terminal', 'file')


def test_any_descriptor():
    """Whatever 0 and 1 are: all of it arrives, and what others share of it is
    as it was."""
    echo = t.echo().port
    s = t.server(echo)
    for kind in KINDS:
        for other in KINDS:
            theirs, ours = ends(kind, True)
            out, here = ends(other, False)
            p = t.inetws('connect', '--linger', '1s', url(s.port),
                         stdin=theirs, stdout=out)
            if kind != 'file':
                os.write(ours, b'hello')
            got = b''
            while t.until(lambda: other != 'file' or
                          os.fstat(here).st_size == 5) and len(got) < 5:
                got += os.read(here, 5)
            flags = [fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
                     for fd, k in ((theirs, kind), (out, other))
                     if k in ('pipe', 'terminal', 'file')]
            os.close(theirs)
            os.close(ours)
            status = p.wait()
            t.is_((got, sum(flags), status in (0, 74)),
                  (b'hello', 0, True), '%s and %s' % (kind, other))
            os.close(out)
            os.close(here)


def test_one_socket():
    """As socat, systemd and inetd have it."""
    s = t.server(t.echo().port)
    a, b = socket.socketpair()
    p = t.inetws('connect', url(s.port), stdin=a, stdout=a)
    a.close()
    b.sendall(b'hello')
    t.is_(t.ws.read_exactly(b, 5), b'hello', 'one socket is both')
    b.shutdown(socket.SHUT_WR)
    t.is_(t.ws.read_all(b), (b'', 'eof'), 'and has an end each way')
    t.is_(p.wait(), 0, 'status 0')


def stopped(pid):
    return t.stat_of(pid)[0] == 'T'


def test_job_control():
    """Ctrl-Z suspends, fg goes on, however long that was."""
    bash, = t.need('bash')
    server = t.server(t.echo().port, '--ping-interval', '100ms',
                      '--ping-timeout', '300ms')
    parent, child = pty.openpty()
    p = subprocess.Popen([bash, '--norc', '--noprofile', '-i'], stdin=child,
                         stdout=child, stderr=child, start_new_session=True,
                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY,
                                                        0))
    os.close(child)
    seen = b''

    def see(pattern):
        nonlocal seen
        while not re.search(pattern, seen):
            seen += os.read(parent, 4096)
        seen = seen[re.search(pattern, seen).end():]
        return True
    words = ' '.join([t.INETWS, 'connect', '--log-level', 'debug',
                      '--ping-interval', '100ms', '--ping-timeout', '300ms',
                      url(server.port)])
    os.write(parent, b'stty -echo; echo rea""dy\n')
    see(b'ready')               # no echo of the terminal's from here on
    os.write(parent, words.encode() + b'\n')
    os.write(parent, b'one-1\n')
    t.ok(see(b'one-1'), 'a tunnel on a terminal')
    pid = t.child(p.pid)
    os.write(parent, b'\x1a')
    t.ok(t.until(lambda: stopped(pid)), 'Ctrl-Z suspends it')
    # On a busy machine it may have been lost, and resumed, before.
    t.until(lambda: re.findall('event=(websocket-lost|resumed)',
                               server.log)[-1:] == ['websocket-lost'])
    mark = server.mark()
    os.write(parent, b'fg\n')
    t.ok(t.until(lambda: not stopped(pid)), 'fg')
    server.wait_line('event=resumed', since=mark)
    os.write(parent, b'two-2\n')
    t.ok(see(b'two-2'), 'goes on, with a new websocket')
    os.write(parent, b'\x04')
    t.ok(t.until(lambda: not t.children(p.pid)), 'and Ctrl-D ends it')
    os.write(parent, b'exit\n')
    os.close(parent)
    p.wait(t.BOUND)


def test_two_sockets_of_a_dead_parent():
    """Two socket pairs as standard input and output, as of node: they hang up
    where pipes have an error, and that is to be noticed once."""
    s = t.server(t.Listener(lambda s: s.recv(1) and s.recv(1)).port)
    ours, theirs = socket.socketpair(), socket.socketpair()
    p = t.connect(url(s.port), '--linger', '1h', stdin=ours[1],
                  stdout=theirs[1])
    ours[1].close()
    theirs[1].close()
    ours[0].send(b'x')
    ours[0].close()
    theirs[0].close()
    t.ok(not t.until(lambda: t.cpu_ticks(p.pid) > 15, 2),
         'a process whose parent is dead does not spin')
    t.is_(p.stop(), 74, 'and can be ended')


def test_dead_parent():
    """As when ssh dies: both pipes close, nothing else is said."""
    held = t.Held()
    s = t.server(held.port)
    p = t.connect(url(s.port))
    stream = held.next()
    p.stdin.close()
    p.stdout.close()
    stream.settimeout(t.BOUND)
    try:
        for _ in range(50):
            stream.sendall(b'x' * 1000)
            if not p.alive():
                break
            t.until(lambda: not p.alive(), 0.1)
    except OSError:
        pass
    t.ok(p.wait(30) is not None, 'no process is left')
    t.ok(t.until(lambda: not t.children(s.pid)), 'nor in the server')


def test_dead_parent_in_silence():
    """A far side that says nothing: the broken stdout is noticed anyway."""
    server = t.WSServer()
    p = t.connect(url(server.port), '--linger', '1s')
    w = server.next()
    p.stdin.close()
    p.stdout.close()
    t.ok(t.until(lambda: not p.alive(), 30), 'it ends by itself')


def test_terminal():
    """A terminal that is hung up leaves no process."""
    held = t.Held()
    s = t.server(held.port)
    parent, child = pty.openpty()
    p = t.inetws('connect', url(s.port), stdin=child, stdout=child)
    stream = held.next()
    os.write(parent, b'typed\n')
    t.is_(t.ws.read_exactly(stream, 6), b'typed\n', 'from a terminal')
    flags = fcntl.fcntl(child, fcntl.F_GETFL)
    t.ok(not flags & os.O_NONBLOCK, "its O_NONBLOCK is left alone")
    stream.sendall(b'shown')
    got = b''
    while b'shown' not in got:
        got += os.read(parent, 100)
    t.is_(got[-5:], b'shown', 'to a terminal')
    os.close(child)
    os.close(parent)
    p.wait(30)
    t.ok(t.until(lambda: not t.children(s.pid)), 'a closed terminal ends all')


def test_error_before_end():
    """The error is there when the output ends: ssh ends its ProxyCommand
    then, by HUP."""
    early = 0
    for port in [t.free_port()] * 20:
        p = subprocess.Popen([t.INETWS, 'connect', 'ws://127.0.0.1:%d/' % port],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        p.stdout.read()
        os.set_blocking(p.stderr.fileno(), False)
        early += b'refused' in (p.stderr.read() or b'')
        p.stdin.close()
        p.wait(t.BOUND)
        p.stderr.close()
        p.stdout.close()
    t.is_(early, 20, 'the error comes before the end of the output')


def person(*words):
    """What connect writes to a terminal, and its exit status."""
    text, status = t.on_terminal('connect', *words)
    return text.decode(), status


def test_error_for_a_person():
    """On a terminal an error is a sentence, no line of a log."""
    port = t.free_port()
    text, status = person('ws://127.0.0.1:%d/' % port)
    t.is_(status, 69, 'refused: 69')
    t.is_(text, 'inetws: cannot connect to 127.0.0.1:%d: Connection refused'
          '\r\n' % port, 'in one sentence')
    text, status = person('--cacert', '/nonexistent', 'wss://127.0.0.1:1/')
    t.like(text, r'\Ainetws: --cacert /nonexistent: [^\n]*\r\n\Z',
           'a file that is missing, too')
    text, status = person('--log-format', 'json', 'ws://127.0.0.1:%d/' % port)
    t.like(text, '"event":"failed"', 'but what was asked for is there')


def tunnel():
    """connect, its server, and the target's end; a byte has passed."""
    held = t.Held()
    s = t.server(held.port)
    p = t.connect(url(s.port))
    stream = held.next()
    p.stdin.write(b'1')
    p.stdin.flush()
    t.ws.read_exactly(stream, 1)
    return p, s, stream


def test_term():
    for sig in (signal.SIGTERM, signal.SIGINT):
        p, _, stream = tunnel()
        p.send(sig)
        t.is_(p.wait(), 74, '%s ends it: 74' % sig.name)
        t.is_(t.ws.read_all(stream)[1], 'reset', 'and its tunnel')
    server = t.WSServer()
    p = t.connect(url(server.port), '--linger', '1h')
    w = server.next()
    w.send(b'x')
    p.stdout.read(1)
    p.send(signal.SIGTERM)
    begin = t.ws.now()
    t.is_(w.take_close(answer=False), 1001, 'a peer that does not answer')
    t.is_(p.wait(10 * t.SCALE), 74, 'is waited for (%.1f s), but not long' % (
        t.ws.now() - begin))


def test_hangup():
    """What was written before HUP, or just behind it, still arrives; what comes
    is not read any more."""
    p, s, stream = tunnel()
    p.send(signal.SIGHUP)
    p.stdin.write(b'last words')
    p.stdin.close()
    t.is_(t.ws.read_all(stream)[0], b'last words', 'HUP: all is forwarded')
    t.is_(p.wait(), 74, 'and the tunnel ended, 74')
    t.ok(s.has_line('end=peer-reset code=1001'), 'as by TERM')
    p, s, stream = tunnel()
    begin = t.ws.now()
    p.send(signal.SIGHUP)
    t.is_(p.wait(10 * t.SCALE), 74, 'a tunnel that goes on')
    t.ok(t.ws.now() - begin > 1.9, 'has two seconds (%.1f)' % (
        t.ws.now() - begin))


def test_usr1():
    """It asks a listening process for its tunnels, and may be sent to all."""
    p, _, stream = tunnel()
    held = t.Held()
    listener = socket.create_server(('127.0.0.1', 0))
    w = t.ws.dial(listener.getsockname()[1])
    conn, _ = listener.accept()
    listener.close()
    alone = t.Program([t.INETWS, 'server', '-l', 'inetd', '127.0.0.1:%d' %
                       held.port], stdin=conn)
    conn.close()
    w.sendall(t.ws.request())
    t.like(t.ws.read_head(w)[0].decode(), r'\AHTTP/1\.1 101 ', 'inetd: 101')
    for name, one, far in (('connect', p, stream),
                           ('inetd', alone, held.next())):
        for sig in (signal.SIGUSR1, signal.SIGTERM):
            one.send(sig)
        t.is_(one.wait(), 74, '%s: USR1 does nothing, TERM ends it' % name)
        t.is_(t.ws.read_all(far)[1], 'reset', 'in order')


def test_usr1_in_handshake():
    """Also before there is a tunnel."""
    silent = t.Held()
    p = t.connect(url(silent.port))
    request = silent.next()
    p.send(signal.SIGUSR1)
    t.ok(b'Upgrade' in request.recv(4096), 'a request, not answered')
    p.send(signal.SIGTERM)
    t.is_(p.wait(), -signal.SIGTERM, 'USR1 does nothing, TERM ends it')


def answers(status, *fields, body=b'no\n'):
    head = 'HTTP/1.1 %s\r\n' % status
    fields += ('Content-Length: %d' % len(body),)
    return lambda first, f: (head + '\r\n'.join(fields) +
                             '\r\n\r\n').encode() + body


def status_of(answer, *options):
    server = t.WSServer(answer=answer)
    r = t.run_inetws('connect', *options, url(server.port))
    return r


def test_http_statuses():
    for status, want in (('400 Bad Request', 76), ('401 Unauthorized', 77),
                         ('403 Forbidden', 77), ('404 Not Found', 76),
                         ('407 Proxy Authentication Required', 77),
                         ('408 Request Timeout', 75), ('426 Upgrade', 76),
                         ('429 Too Many Requests', 75),
                         ('500 Internal Server Error', 69),
                         ('502 Bad Gateway', 69),
                         ('503 Service Unavailable', 75),
                         ('504 Gateway Timeout', 75), ('200 OK', 76),
                         ('204 No Content', 76)):
        r = status_of(answers(status))
        t.is_(r.returncode, want, '%s: %d' % (status, want))
        t.like(r.stderr, status[:3], 'the status is said')
        t.is_(r.stderr.count(b'\n'), 1, 'in one line')


def test_other_statuses():
    r = t.run_inetws('connect', 'ws://no-such-name.invalid/')
    t.is_(r.returncode, t.unknown_name()[0], 'a name that is not found')
    t.like(r.stderr, 'no-such-name.invalid', 'is named')
    t.is_(r.stderr.count(b'\n'), 1, 'in one line')

    port = t.free_port()
    r = t.run_inetws('connect', url(port))
    t.is_(r.returncode, 69, 'refused: 69')
    t.like(r.stderr, '(?i)refused', 'and the error says so')

    r = t.run_inetws('connect', 'ws+unix:/nowhere/at/all:/')
    t.is_(r.returncode, 69, 'a Unix socket that is not there: 69')

    mute = t.Held()
    r = t.run_inetws('connect', '--handshake-timeout', '500ms',
                     '--connect-timeout', '500ms', url(mute.port))
    t.is_(r.returncode, 75, 'no answer: 75')
    t.like(r.stderr, '(?i)time', 'and the error says so')

    server = t.WSServer()
    p = t.connect(url(server.port), '--resume', '0')
    w = server.next()
    w.send(b'x')
    p.stdout.read(1)
    w.drop()
    t.is_(p.wait(), 74, 'an established tunnel that is lost: 74')
    t.like(p.wait_log(), 'event=closed .*end=websocket-lost',
           'and the error says so')

    p = t.connect(url(server.port))
    w = server.next()
    w.bye(1011)
    t.is_(p.wait(), 74, 'Close 1011: 74')

    p = t.connect(url(server.port))
    w = server.next()
    w.raw(t.ws.frame(3, b'x'))
    t.is_(w.take_close(), 1002, 'a broken frame: Close 1002')
    w.drop()
    t.is_(p.wait(), 76, 'a broken frame: 76')

    garbage = t.Listener(lambda s: s.sendall(b'SSH-2.0-OpenSSH\r\n\r\n'))
    r = t.run_inetws('connect', url(garbage.port))
    t.is_(r.returncode, 76, 'something that is no HTTP: 76')
    closing = t.Listener(lambda s: (s.recv(1000), s.close()))
    r = t.run_inetws('connect', url(closing.port))
    t.is_(r.returncode, 76, 'an end instead of an answer: 76')


def test_answer_is_checked():
    for name, answer in (
            ('a wrong accept value', lambda first, f: t.switch(
                f, Sec_WebSocket_Accept='s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')),
            ('no accept value', lambda first, f: t.switch(
                f, Sec_WebSocket_Accept=None)),
            ('no Upgrade', lambda first, f: t.switch(f, Upgrade=None)),
            ('a wrong Upgrade', lambda first, f: t.switch(
                f, Upgrade='h2c')),
            ('no Connection', lambda first, f: t.switch(
                f, Connection=None)),
            ('a subprotocol that was not offered', lambda first, f: t.switch(
                f, [('Sec-WebSocket-Protocol', 'binary')])),
            ('an extension that was not offered', lambda first, f: t.switch(
                f, [('Sec-WebSocket-Extensions', 'permessage-deflate')])),
            ('two accept values', lambda first, f: t.switch(
                f, [('Sec-WebSocket-Accept',
                     t.ws.accept_of(f['sec-websocket-key']))])),
            ('HTTP/2.0', lambda first, f: t.switch(f).replace(
                b'HTTP/1.1', b'HTTP/2.0')),
            ('a head over 16 KiB', lambda first, f: t.switch(
                f, [('X', 'y' * 17000)])),
            ('a bare LF', lambda first, f: t.switch(f).replace(
                b'\r\nConn', b'\nConn'))):
        r = status_of(answer)
        t.is_(r.returncode, 76, name + ': 76')
        t.is_(r.stderr.count(b'\n'), 1, 'said in one line')


def test_answer_is_right():
    for name, answer in (
            ('tokens in any case', lambda first, f: t.switch(
                f, Upgrade='WebSocket', Connection='keep-alive, UPGRADE')),
            ('other fields', lambda first, f: t.switch(
                f, [('Server', 'x'), ('Date', 'y')]))):
        server = t.WSServer(answer=answer)
        p = t.connect(url(server.port))
        w = server.next()
        w.send(b'hello')
        w.bye()
        t.is_(p.stdout.read(), b'hello', name)
        p.stdin.close()
        t.is_(p.wait(), 0, 'status 0')
    server = t.WSServer(early=t.ws.frame(2, b'early') + t.ws.frame(2, b'!'))
    p = t.connect(url(server.port))
    w = server.next()
    w.bye()
    t.is_(p.stdout.read(), b'early!', 'frames in the segment of the head')


def test_interim_answers():
    """RFC 9110 15.2: whatever comes before the last answer is skipped."""
    for name, first in (
            ('100', b'HTTP/1.1 100 Continue\r\n\r\n'),
            ('103 with fields', b'HTTP/1.1 103 Early Hints\r\n'
             b'Link: </a>\r\nUpgrade: h2c\r\n\r\n'),
            ('seven of an unknown kind', b'HTTP/1.1 199 X\r\n\r\n' * 7)):
        server = t.WSServer(answer=lambda line, f: first + t.switch(f))
        p = t.connect(url(server.port))
        w = server.next()
        w.send(b'hello')
        w.bye()
        t.is_(p.stdout.read(), b'hello', name + ', then 101')
        p.stdin.close()
        t.is_(p.wait(), 0, 'status 0')
    r = status_of(lambda line, f: b'HTTP/1.1 100 Continue\r\n\r\n' * 8 +
                  t.switch(f))
    t.is_(r.returncode, 76, 'eight: 76')


def test_request():
    server = t.WSServer()
    p = t.connect(url(server.port, '/p?q'), '-H', 'X-One: 1', '--header',
                  'X-Two: 2')
    w = server.next()
    t.is_(w.request_line, 'GET /p?q HTTP/1.1', 'the request line')
    r = w.request
    t.is_(r.get('sec-websocket-version'), '13', 'version')
    t.is_(r.get('upgrade', '').lower(), 'websocket', 'Upgrade')
    t.like(r.get('connection', ''), '(?i)upgrade', 'Connection')
    t.like(r.get('sec-websocket-key', ''), r'^[A-Za-z0-9+/]{22}==$', 'key')
    t.ok('sec-websocket-protocol' not in r, 'no subprotocol is offered')
    t.is_((r.get('x-one'), r.get('x-two')), ('1', '2'), '-H, --header')
    t.like(r.get('user-agent', ''), r'^inetws/\d', 'User-Agent')
    first = r['sec-websocket-key']
    server = t.WSServer(headers=[('Sec-WebSocket-Protocol', 'binary')])
    p = t.connect(url(server.port), '--subprotocol', 'binary')
    w = server.next()
    t.is_(w.request.get('sec-websocket-protocol'), 'binary', '--subprotocol')
    t.ok(w.request['sec-websocket-key'] != first, 'a new key each time')
    w.send(b'x')
    t.is_(p.stdout.read(1), b'x', 'and the tunnel is up')


def test_secrets_are_not_shown():
    r = t.run_inetws('connect', 'ws://user:s3cret@127.0.0.1:%d/?token=t0ken' %
                     t.free_port())
    t.unlike(r.stderr, 's3cret|t0ken', 'a password and a token never show')


def test_redirects():
    last = t.WSServer()
    for code in (301, 302, 303, 307, 308):
        first = t.WSServer(answer=answers(
            '%d Elsewhere' % code, 'Location: http://127.0.0.1:%d/new?x' %
            last.port))
        p = t.connect(url(first.port))
        w = last.next()
        t.is_(w.request_line, 'GET /new?x HTTP/1.1', '%d is followed' % code)
        w.bye()
        p.stdin.close()
        t.is_(p.wait(), 0, 'status 0')

    for base, where, want in (('/a/b', 'c', '/a/c'), ('/a/b', '/c', '/c'),
                              ('/a/b', '../c?d', '/c?d'),
                              ('/a/b', '?d', '/a/b?d')):
        seen = []

        def answer(first, f):
            seen.append(first.split(' ')[1])
            if len(seen) == 1:
                return answers('302 F', 'Location: ' + where)(first, f)
            return None
        server = t.WSServer(answer=answer)
        p = t.connect(url(server.port, base))
        w = server.next()
        t.is_(seen, [base, want], '%s from %s' % (where, base))

    loop = t.WSServer(answer=answers('302 F', 'Location: /again'))
    r = t.run_inetws('connect', url(loop.port))
    t.is_(r.returncode, 76, 'a loop ends with 76')
    t.is_(loop.accepted, 6, 'after five redirects')
    r = status_of(answers('302 Found'))
    t.is_(r.returncode, 76, 'no Location: 76')
    r = status_of(answers('302 Found', 'Location: ftp://x/'))
    t.is_(r.returncode, 76, 'a Location that is no websocket: 76')


def test_init_of_a_container():
    """No signal has a default action there."""
    alone = t.need_unshare('-p', '-f')
    for sig in signal.SIGTERM, signal.SIGINT:
        silent = socket.create_server(('127.0.0.1', 0))
        p = t.Program(alone + [t.INETWS, 'connect', '--handshake-timeout',
                               '9m', url(silent.getsockname()[1])])
        silent.settimeout(10 * t.SCALE)
        conn, _ = silent.accept()
        conn.recv(1)                    # of the request
        os.kill(t.child(p.pid), sig)
        t.is_(p.wait(), 128 + sig, '%s ends it' % sig.name)
        conn.close()


def test_verbose():
    s = t.server(t.echo().port)
    r = t.run_inetws('connect', '-v', url(s.port), input=b'x')
    t.is_(r.stdout, b'x', '-v goes to stderr only')
    t.ok(r.stderr.count(b'\n') >= 3, 'and shows the steps')
    t.like(r.stderr, '101', 'the answer among them')


def test_options_of_a_family():
    s = t.server(t.echo().port)
    r = t.run_inetws('connect', '-4', 'ws://localhost:%d/' % s.port,
                     input=b'x')
    t.is_((r.returncode, r.stdout), (0, b'x'), '-4')
    r = t.run_inetws('connect', '-6', 'ws://localhost:%d/' % s.port,
                     input=b'x')
    # 75: /etc/hosts has no ::1, and no name server answers.
    t.ok(r.returncode in (68, 69, 75), '-6 does not try IPv4: %d' %
         r.returncode)


# A resolver that cannot even ask.
LACKS = r'''
#include <errno.h>
#include <netdb.h>
int getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
	errno = EMFILE;
	return EAI_SYSTEM;
}
'''


def test_resolver_that_lacks_something():
    r = t.run_inetws('connect', '-4', 'ws://a.example/',
                     env=t.preloaded(LACKS))
    t.is_(r.returncode, 71, 'a call that failed says nothing of the name: 71')
    t.like(r.stderr, 'why="cannot resolve a.example: Too many open files"',
           'nor of its families')


def test_one_address_twice():
    """glibc finds 127.0.0.1 by both of these lines, when IPv4 is wanted."""
    unshare, = t.need('unshare')
    hosts = t.folder() + '/hosts'
    with open(hosts, 'w') as f:
        f.write('127.0.0.1 twice.example\n::1 twice.example\n')
    apart = [unshare, '-m', 'sh', '-c',
             'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    r = t.run(apart + ['true'])
    if r.returncode:
        raise t.Skip('no mounts of our own: %s' % r.stderr.decode())
    port = t.free_port()
    r = t.run(apart + [t.INETWS, 'connect', '-4',
                       'ws://twice.example:%d/' % port])
    t.is_((r.returncode, r.stderr.count(b'127.0.0.1:%d' % port)), (69, 1),
          'it is dialled once')


t.main()
