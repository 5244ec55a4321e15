#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A program as the target: its environment, its streams, its end.

If it fails: programs behind a server lose output, or stay behind as orphans.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import hashlib          # noqa: E402
import re               # noqa: E402
import launchers        # noqa: E402
import shlex            # noqa: E402
import signal           # noqa: E402
import exchange         # noqa: E402


def start(*argv, options=(), **kw):
    s = t.inetws('server', '-l', '127.0.0.1:0', '--eof=close', *options, '--',
                 *argv, **kw)
    s.port = t.port_of(t.listening(s)[0])
    return s


def output(w):
    """All data until the Close, and its code."""
    code = w.take_close()
    w.sock.close()
    return bytes(w.data), code


def test_environment():
    env = {'HTTP_SPOOFED': 'x', 'REMOTE_USER': 'x', 'KEPT': 'kept',
           'NOTIFY_SOCKET': '@nobody'}
    s = start('env', '-0', env=env)
    w = t.ws.connect(s.port, '/a/b?c=d&e', headers=[
        ('Authorization', 'Basic c2VjcmV0'), ('Proxy', 'http://evil/'),
        ('X-Forwarded-For', '192.0.2.1'), ('x-forwarded-for', '192.0.2.2'),
        ('X_Under', 'x'), ('Cookie', 'a=b'), ('Cookie', 'c=d'),
        ('X-Empty', '')])
    host, port = w.sock.getsockname()
    data, _ = output(w)
    got = dict(line.split('=', 1) for line in
               data.decode().split('\0') if line)
    for name, value in (('REMOTE_ADDR', host), ('REMOTE_PORT', str(port)),
                        ('REQUEST_METHOD', 'GET'),
                        ('REQUEST_URI', '/a/b?c=d&e'),
                        ('QUERY_STRING', 'c=d&e'),
                        ('SERVER_PROTOCOL', 'HTTP/1.1'),
                        ('HTTP_X_FORWARDED_FOR', '192.0.2.1, 192.0.2.2'),
                        ('HTTP_COOKIE', 'a=b; c=d'), ('HTTP_X_EMPTY', ''),
                        ('KEPT', 'kept')):
        t.is_(got.get(name), value, name)
    t.ok('HTTP_HOST' in got, 'HTTP_HOST')
    for name in ('HTTP_AUTHORIZATION', 'HTTP_PROXY', 'HTTP_X_UNDER',
                 'HTTP_CONNECTION', 'HTTP_SEC_WEBSOCKET_KEY', 'REMOTE_USER',
                 'HTTP_SPOOFED', 'NOTIFY_SOCKET'):
        t.is_(got.get(name), None, 'no ' + name)


def test_no_manager():
    """Without a manager that listens no other process removes it."""
    a, b = socket.socketpair()
    with a, b:
        t.inetws('server', '-l', 'fd:%d' % b.fileno(), '--', 'sh', '-c',
                 'echo ${NOTIFY_SOCKET-none}', pass_fds=(b.fileno(),),
                 env={'NOTIFY_SOCKET': '@nobody'})
        b.close()
        a.settimeout(t.BOUND)
        a.sendall(t.ws.request())
        head, early = t.ws.read_head(a)
        t.is_(output(t.ws.WebSocket(a, True, early))[0], b'none\n',
              'no NOTIFY_SOCKET under inetd')


def test_descriptors_and_signals():
    t.need('ps')
    s = start('sh', '-c', 'ls -l /proc/$$/fd; ps -o pid=,pgid=,sid= $$; '
              'exec cat /proc/self/status')
    w = t.ws.connect(s.port)
    text = output(w)[0].decode()
    fds = [line.split()[-3:] for line in text.splitlines() if '->' in line]
    t.is_(sorted(f[0] for f in fds), ['0', '1', '2'],
          'it has three descriptors')
    t.ok(all('socket:' in f[2] for f in fds if f[0] in '01'),
         '0 and 1 are a socket')
    t.like(text, r'SigBlk:\s+0+$', 'no signal is blocked')
    ignored = int(text.split("SigIgn:")[1].split()[0], 16)
    t.is_(ignored & 0x7fffffff, 0, 'nor ignored')
    pid, pgid, sid = text[:text.index('Name:')].splitlines()[-1].split()
    t.ok(pid == pgid == sid, 'it leads a session of its own')


def test_exit_status():
    go = t.folder() + '/go'
    os.mkfifo(go)
    for script, word, code in (
            ('exit 0', 'exit 0', 1000), ('exit 3', 'exit 3', 1000),
            ('kill -9 $$', 'signal 9', 1011),
            ('echo half; kill -11 $$', 'signal 11', 1011),
            ('sleep .01 & kill -9 $$', 'signal 9', 1011),
            ('exec 0<&- 1>&-; read x <%s; kill -9 $$' % go, 'signal 9',
             1000)):
        s = start('sh', '-c', script)
        w = t.ws.connect(s.port)
        t.is_(w.take_close(), code, '%s: Close %d' % (script, code))
        t.is_(bytes(w.data), b'half\n' if 'half' in script else b'',
              'behind its output')
        w.sock.close()
        if go in script:
            with open(go, 'w') as f:
                f.write('x\n')
        t.ok(s.has_line(r'event=closed .*program="%s"' % word),
             'the log says ' + word)
        t.ok(t.until(lambda: not t.children(s.pid)), 'it is reaped')


def test_killed():
    """The reader of a stream is shown that it is not whole."""
    for options in ((), ('--program-pipes',)):
        s = start('sh', '-c', 'head -c 3000000 /dev/zero; kill -9 $$',
                  options=options)
        c = t.client('ws://127.0.0.1:%d/' % s.port)
        k = exchange.Exchange(t.ws.dial(c.port), b'')
        t.is_(k.join(), 'reset', 'a killed program is a reset %s' %
              ' '.join(options))
        t.ok(c.has_line('event=closed .*end=peer-reset'), 'of the peer')
        t.ok(s.has_line('event=closed .*end=stream-reset.*'
                        'program="signal 9"'), 'and the log says why')


def test_cannot_run():
    d = t.folder()
    with open(d + '/plain', 'w') as f:
        f.write('x')
    for name, why in ((d + '/none', 'No such file'),
                      (d + '/plain', 'Permission denied')):
        r = t.run_inetws('server', '-l', '127.0.0.1:0', '--', name)
        t.is_(r.returncode, 64, '%s: refused at the start' % why)
        t.like(r.stderr, '^inetws: PROGRAM %s: %s' % (name, why), 'and why')
    os.chmod(d + '/plain', 0o755)
    s = start(d + '/plain')
    os.unlink(d + '/plain')
    a = t.ws.ask(s.port, t.ws.request())
    t.is_(a.status, 502, 'removed later: 502 before the 101')
    t.unlike(a.body.decode(), d, 'which does not tell the path')
    t.ok(s.has_line(r'event=failed .*No such file'), 'but the log does')
    t.ok(t.until(lambda: not t.children(s.pid)), 'nothing is left')


def test_standard_error():
    s = start('sh', '-c', 'echo word >&2')
    w = t.ws.connect(s.port)
    t.is_(output(w)[0], b'', 'its standard error is not in the stream')
    t.ok(s.has_line('^word$'), 'but where the log is')


def test_standard_error_elsewhere():
    """Where standard error is not the log it gets there all the same."""
    script = 'echo a word >&2; printf "%0500d" 7 >&2; exit 3'
    s = start('sh', '-c', script, options=('--log-format', 'json'))
    s.wait_line('"event":"listening"')
    w = t.ws.connect(s.port)
    t.is_(output(w)[0], b'', 'nothing in the stream')
    s.wait_line('"event":"closed".*exit 3')
    s.wait_line('"text":"0+7"')
    t.is_([line for line in s.lines[1:] if not line.startswith('{')], [],
          'each line is one of the log')
    t.like(s.log, '"event":"program-stderr".*"text":"a word"', 'a line')
    t.like(s.log, '"text":"0{300,400}"', 'a long one in parts')
    t.ok(t.until(lambda: t.family() == [s.pid]), 'and no process is left')
    if os.getuid() != 0:
        raise t.Skip('syslog needs root')
    log = launchers.Syslog()
    a, b = exchange.pair()
    t.Program(log.prefix() + [t.INETWS, 'server', '--eof=close', '--', 'sh',
                              '-c', script], stdin=b, stdout=b, stderr=b)
    b.close()
    a.settimeout(t.BOUND)
    a.sendall(t.ws.request())
    head, rest = t.ws.read_head(a)
    t.is_(output(t.ws.WebSocket(a, True, rest)), (b'', 1000),
          'under inetd, too')
    t.ok(log.has('text="a word"'), 'in syslog')
    t.ok(log.has('program="exit 3"'), 'with its status')


def test_half_close_and_bulk():
    s = start('sh', '-c', 'sha256sum; echo more; cat /dev/zero | '
              'head -c 3000000')
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    data = exchange.noise(3 << 20)
    k = exchange.Exchange(t.ws.dial(c.port), data)
    t.is_(k.join(), 'eof', 'a clean end')
    want = hashlib.sha256(data).hexdigest().encode() + b'  -\nmore\n'
    t.ok(bytes(k.got) == want + bytes(3000000),
         'end of file reaches it, and its answer comes back')
    t.ok(s.has_line('program="exit 0"'), 'and its status is told')


def test_pipes():
    """Some open /dev/stdin or /dev/stdout, which a socket does not allow."""
    words = ('sh', '-c', 'sha256sum /dev/stdin >/dev/stdout && ls -l '
             '/proc/$$/fd && head -c 3000000 /dev/zero')
    s = start(*words, options=['--program-pipes'])
    c = t.client('ws://127.0.0.1:%d/' % s.port)
    data = exchange.noise(3 << 20)
    k = exchange.Exchange(t.ws.dial(c.port), data)
    t.is_(k.join(), 'eof', 'two pipes: a clean end')
    head, _, rest = bytes(k.got).partition(b'  /dev/stdin\n')
    t.is_(head, hashlib.sha256(data).hexdigest().encode(),
          'with the end of file in between')
    t.is_(len(re.findall(rb' [01] -> pipe:', rest)), 2, '0 and 1 are pipes')
    t.ok(rest.endswith(bytes(3000000)), 'and all comes back')
    t.ok(s.has_line('program="exit 0"'), 'and its status is told')
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--program-pipes', 'h:1')
    t.is_(r.returncode, 64, 'a TARGET has no pipes')
    t.like(r.stderr, '--program-pipes: needs a PROGRAM', 'in words')
    s = start('sh', '-c', 'exec <&-; echo closed; sleep 600',
              options=['--program-pipes'])
    w = t.ws.connect(s.port)
    w.take_data(7)          # before that the pipe would hold what is sent
    w.send(b'x' * 100000)
    w.close(1000)
    t.is_(w.take_close(), 1011, 'one that refuses its input resets')
    d = t.folder()
    s = start('sh', '-c', 'cat >/dev/null; touch %s/complete; sleep 600' % d,
              options=['--program-pipes'])
    w = t.ws.connect(s.port)
    w.send(b'half')
    t.until(lambda: len(t.family(s.pid)) > 2)
    w.drop()
    t.ok(s.has_line('event=closed .*program="signal 1"'), 'HUP ends it')
    t.ok(not os.path.exists(d + '/complete'), 'before its end of file')


def test_cut_off():
    """A socket pair knows no reset: HUP says that this is not the end."""
    d = t.folder()
    s = start('sh', '-c', 'cat >/dev/null; touch %s/complete; sleep 600' % d)
    w = t.ws.connect(s.port)
    w.send(b'half')
    t.until(lambda: len(t.family(s.pid)) > 2)
    w.drop()
    t.ok(s.has_line('event=closed .*program="signal 1"'), 'HUP ends it')
    t.ok(not os.path.exists(d + '/complete'),
         'before it sees an end of file')
    t.ok(t.until(lambda: not t.family(s.pid)), 'no process is left')


def test_told_to_end():
    s = start('sleep', '600', options=('--drain', '0'))
    w = t.ws.connect(s.port)
    s.send(signal.SIGTERM)
    t.is_(w.take_close(), 1001, 'Close 1001')
    w.sock.close()
    t.is_(s.wait(), 0, 'the server ends')
    t.ok(t.until(lambda: not t.family()), 'and the program too')


def test_killed_relay():
    if t.COMPAT:
        raise t.Skip('only Linux tells a program of it')
    s = start('sleep', '600')
    w = t.ws.connect(s.port)
    for pid in t.children(s.pid):
        os.kill(pid, signal.SIGKILL)
    w.take_end()
    t.ok(t.until(lambda: t.family() == [s.pid]),
         'a program does not survive the kill -9 of its process')


def test_lives_on():
    """One that ignores HUP wants to."""
    s = start('sh', '-c', 'trap "" HUP; echo $$; exec sleep 600 0<&- 1>&-',
              options=['--linger', '0'])
    w = t.ws.connect(s.port)
    data, code = output(w)
    t.ok(s.has_line('program=running'), 'the log says that it runs')
    t.ok('sleep' in t.command_of(int(data)), 'it lives on')
    t.ok(t.until(lambda: not t.children(s.pid)), 'its relay does not')


def test_finishes_its_work():
    d = t.folder()
    s = start('sh', '-c', 'cat >/dev/null; exec 0<&- 1>&-; read x <%s/go; '
              'exit 7' % d)
    os.mkfifo(d + '/go')
    w = t.ws.connect(s.port)
    w.bye()
    with open(d + '/go', 'w') as f:
        f.write('x\n')
    t.ok(s.has_line('program="exit 7"'),
         'a program may finish after its end of file')


@t.limit(120)
def test_sshd():
    t.need('ssh', 'sshd')
    d = t.sshd()
    program, = t.need('sshd')
    s = start(program, '-i', '-f', d.folder + '/sshd_config')
    proxy = 'ProxyCommand=%s connect ws://127.0.0.1:%d/' % (
        shlex.quote(t.INETWS), s.port)
    data = exchange.noise(10 << 20)
    r = t.run(['ssh', '-F', d.config, '-o', proxy, 'there', 'cat'],
              input=data, timeout=60 * t.SCALE)
    t.ok(r.stdout == data, 'sshd -i: 10 MB there and back')
    t.is_(r.returncode, 0, 'and its status')
    t.ok(t.until(lambda: not t.children(s.pid)), 'nothing is left')


def test_inetd():
    """Under inetd a program's standard error must not be the connection."""
    a, b = exchange.pair()
    p = t.inetws('server', '--eof=close', '--', 'sh', '-c',
                 'echo stray >&2; echo word',
                 stdin=b, stdout=b, stderr=b)
    b.close()
    a.settimeout(t.BOUND)
    a.sendall(t.ws.request())
    head, rest = t.ws.read_head(a)
    data, code = output(t.ws.WebSocket(a, True, rest))
    t.is_((data, code), (b'word\n', 1000), 'only its output is in the stream')
    a.close()
    t.is_(p.wait(), 0, 'status 0')


def test_file():
    """A program in a configuration file."""
    d = t.folder()
    with open(d + '/c', 'w') as f:
        f.write('mode server\neof close\nlisten 127.0.0.1:0\n'
                'target -- sh -c "echo a word"\n')
    dump = t.run_inetws('-K', d + '/c', '--dump-config')
    if dump.returncode:
        t.diag(dump.stderr.decode())
    p = t.inetws('-K', d + '/c')
    w = t.ws.connect(t.port_of(t.listening(p)[0]))
    t.is_(output(w)[0], b'a word\n', 'target -- PROGRAM')


t.main()
