#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Files of users and agents that change under a running server: their tables.

If it fails: a changed file lets in who is not in it, or keeps out who is; or a
file that changes stops the service.
"""

import hashlib
import os
import pwd
import shutil
import signal
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402


def token(name, secret):
    return 'token:%s:%s\n' % (name, hashlib.sha256(
        secret.encode()).hexdigest())


def put(path, text):
    """Another file under the same name."""
    new = path + '.new'
    with open(new, 'wb') as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    os.rename(new, path)


def users(text):
    path = t.folder() + '/users'
    put(path, text)
    return path


def status(s, secret):
    return t.ws.ask(s.port, t.ws.request(headers=[
        ('Authorization', 'Bearer ' + secret)])).status


def helper(s):
    """The process that makes a table, or None."""
    for pid in t.children(s.pid):
        if 'reading the file' in (t.command_of(pid) or ''):
            return pid
    return None


def wait_stable(path):
    """Until the table that is made once more after a change is there: the
    file's times tell of every later change."""
    while time.time() < os.stat(path).st_ctime + 0.1:
        time.sleep(0.01)


def test_every_change_counts():
    """Also one that is written over another of the same moment."""
    path = users(token('a', 'one'))
    s = t.server(t.echo().port, '--auth-file', path)
    wrong = []
    for i in range(60):
        now, other = ('one', 'two') if i % 2 else ('two', 'one')
        if i % 3 == 0:
            put(path, token('a', now))
        else:
            with open(path, 'r+b') as f:
                f.write(token('a', now).encode())
        if status(s, now) != 101:
            wrong.append('%d: %s is kept out' % (i, now))
        if status(s, other) != 401:
            wrong.append('%d: %s is let in' % (i, other))
    t.is_(wrong, [], 'after each of 60 changes the new file counts, at once')
    wait_stable(path)
    t.is_((status(s, now), status(s, other)), (101, 401), 'and later')
    before = t.cpu_ticks(s.pid)
    t.is_([status(s, 'one') for _ in range(5)], [101] * 5, 'again')
    t.is_(helper(s), None, 'without a look into the file')
    t.ok(t.cpu_ticks(s.pid) - before < 20, 'at no cost')


def test_odd_files():
    """What is no file admits nobody, and holds nobody up."""
    path = users(token('a', 'one'))
    s = t.server(t.echo().port, '--auth-file', path)
    t.is_(status(s, 'one'), 101, 'a file')
    for make, say in ((os.unlink, 'No such file'), (os.mkfifo, 'not a reg'),
                      (os.mkdir, 'not a regular file')):
        mark = s.mark()
        if make != os.unlink and os.path.lexists(path):
            os.unlink(path)
        make(path)
        t.is_(status(s, 'one'), 500, '%s: 500' % make.__name__)
        t.ok(s.has_line('event=auth-file .*' + say, since=mark), 'says so')
    os.rmdir(path)
    put(path, token('a', 'one'))
    t.is_(status(s, 'one'), 101, 'a file again')
    with open(path, 'r+b') as f:
        f.truncate((16 << 20) + 1)
    t.is_(status(s, 'one'), 500, 'one of more than 16 MiB')
    t.ok(s.has_line('event=auth-file .*larger than 16 MiB'), 'which is told')
    out = t.run_inetws('server', '-l', '127.0.0.1:0', '--auth-file',
                       '/dev/null', '127.0.0.1:1')
    t.is_(out.returncode, 64, 'a device at the start')
    t.like(out.stderr, 'not a regular file', 'says why')


def fifo(text):
    """A FIFO, to which the text is written once."""
    path = t.folder() + '/fifo'
    os.mkfifo(path)

    def write():
        with open(path, 'w') as f:
            f.write(text)
    threading.Thread(target=write, daemon=True).start()
    return path


def reload_fails(p, event, say):
    mark = p.mark()
    p.send(signal.SIGHUP)
    t.ok(p.has_line('event=%s .*%s.*: restart to read it' % (event, say),
                    since=mark), '%s: at HUP the log says so' % say)


def test_fifos_at_the_start():
    """A FIFO is read at the start, and not again: nothing may write to it."""
    cert = t.Authority().issue()
    s = t.server(t.echo().port, '--tls-cert', cert.cert, '--tls-key',
                 t.encrypted(cert.key, 'secret'), '--key-password-file',
                 fifo('secret\n'))
    context = ssl.create_default_context(cafile=cert.ca)
    for i in range(2):
        context.wrap_socket(t.ws.dial(s.port),
                            server_hostname='localhost').close()
        t.ok(True, 'the password came from a FIFO: connection %d' % i)
    reload_fails(s, 'certificates', '--key-password-file')
    t.is_(s.stop(), 0, 'TERM ends it')
    url = 'ws://127.0.0.1:%d/' % t.server(t.echo().port).port
    for option, prefix, text in (('--config', '', 'ping-interval 20s\n'),
                                 ('--header', '@', 'X-A: b\n')):
        path = fifo(text)
        c = t.client(url, option, prefix + path)
        reload_fails(c, 'reload', path)
        t.is_(c.stop(), 0, 'TERM ends it')


def test_fifos_later():
    """What has become a FIFO is not opened."""
    ca = t.Authority()
    cert = ca.issue()
    d = t.folder()
    options = {'--tls-cert': cert.cert, '--tls-key': cert.key,
               '--tls-client-ca': cert.ca, '--crlfile': ca.crl(),
               '--tls-peer-certs': cert.cert}
    argv = []
    for name, path in options.items():
        options[name] = d + '/' + name[2:]
        shutil.copy(path, options[name])
        argv += [name, options[name]]
    s = t.server(t.echo().port, *argv)
    for name, path in options.items():
        os.rename(path, path + '.old')
        os.mkfifo(path)
        reload_fails(s, 'certificates', name)
        os.rename(path + '.old', path)
    mark = s.mark()
    s.send(signal.SIGHUP)
    t.ok(s.has_line('event=reloaded-file', since=mark), 'all are files again')
    t.is_(s.stop(), 0, 'TERM ends it')


def test_lines():
    """A malformed line admits nobody, and the others hold."""
    path = users(token('a', 'one'))
    s = t.server(t.echo().port, '--auth-file', path)
    mark = s.mark()
    put(path, b'\xef\xbb\xbf# users\r\n' + token('b', 'two').encode() +
        b'\r\nann:plain\r\n' + token('c', 'three').encode()[:-2] + b'\n' +
        token('\0', 'four').encode() +
        token('d', 'five').upper().replace('TOKEN', 'token').encode() +
        token('e', 'five').encode() + token('f', 'six').encode()[:-1])
    t.is_([status(s, x) for x in ('one', 'two', 'three', 'four', 'five',
                                  'six')],
          [401, 101, 401, 401, 101, 101], 'the lines that are whole')
    for line, why in ((4, 'a hash of a kind'), (5, 'expected user:HASH'),
                      (6, 'expected user:HASH')):
        t.ok(s.has_line('event=auth-file .*line=%d why="%s' % (line, why),
                        since=mark), 'line %d is told' % line)
    wait_stable(path)
    t.is_(status(s, 'five'), 101, 'a token that two lines have')
    t.ok(t.until(lambda: s.log.count('user=D ') == 2), 'is the first one\'s')
    t.ok('user=e ' not in s.log, 'each time')
    t.is_(s.log.count('line=4'), 1, 'a line is told once')
    mark = s.mark()
    put(path, 'wrong\n' * 50 + token('a', 'one'))
    t.is_(status(s, 'one'), 101, 'one behind 50 that are malformed')
    s.wait_line('why="42 more lines like these"', since=mark)
    t.is_('\n'.join(s.log.split('\n')[mark:]).count('expected user:HASH'), 8,
          'of which some are told')
    put(path, '# none\n')
    t.is_(status(s, 'one'), 401, 'no users')
    # A request right after the file was read does not have it read again.
    t.ok(t.until(lambda: status(s, 'one') == 401 and
                 'has no users' in s.log), 'which is told')


def test_agents():
    """Of an agent's lines each counts."""
    d = t.folder()
    text = ''.join('%s %s\n' % (name, hashlib.sha256(
        secret.encode()).hexdigest()) for name, secret in (
            ('b', 'x'), ('a', 'one'), ('a', 'two'), ('c', 'y')))
    put(d + '/agents', text)
    g = r.gate('--agents-file', d + '/agents', auth=())
    wait_stable(d + '/agents')
    held = [r.raw_agent(g, '/a', secret=secret) for secret in ('one', 'two')]
    t.ok(r.parked(g, 2), 'both secrets of a name')
    with open(d + '/agents', 'a') as f:
        f.write('late %s\nwrong\n' % hashlib.sha256(b'z').hexdigest())
    held.append(r.raw_agent(g, '/late', secret='z'))
    t.ok(r.parked(g, 3), 'a new line counts at once')
    t.ok(g.has_line('event=agents-file .*line=6'), 'a wrong one is told')
    put(d + '/agents', text.upper().replace('A ', 'a '))
    mark = g.mark()
    g.send(signal.SIGHUP)
    g.wait_line('event=reloaded', since=mark)
    t.is_(held[2].frame(t.BOUND), (8, 1000),
          'HUP: one that is no longer listed is closed')
    held[2].drop()
    t.ok(t.until(lambda: len(t.children(g.pid)) == 2), 'and ends')
    t.ok(r.parked(g, 2), 'those that are, in other letters, stay')


# A file that takes long to read, so that its helper can be met.
LONG = ''.join(token('u%d' % i, 's%d' % i) for i in range(1000)) * 100


def stopped_helper(s, mark):
    """The helper, stopped; or None if it has been too fast: HUP, sent since
    that line of the log, is through."""
    while not s.has_line('event=reloaded', 0.001, since=mark):
        pid = helper(s)
        if pid is not None:
            try:
                os.kill(pid, signal.SIGSTOP)
            except ProcessLookupError:
                return None
            t.until(lambda: (t.stat_of(pid) or 'Z')[0] in 'TZX')
            return pid if (t.stat_of(pid) or 'Z')[0] == 'T' else None
    return None


def meet(s, path):
    for _ in range(10):
        put(path, LONG)
        mark = s.mark()
        s.send(signal.SIGHUP)
        if stopped_helper(s, mark) is not None:
            return True
    raise t.Skip('helpers are too fast here')


@t.limit(60)
def test_stuck_helper():
    """Requests wait, then are refused; signals are taken all the time."""
    path = users(token('a', 'one'))
    s = t.server(t.echo().port, '--auth-file', path, '--handshake-timeout',
                 '700ms')
    meet(s, path)
    begin = time.monotonic()
    t.is_(status(s, 's7'), 503, 'a helper that is stuck: 503')
    t.ok(0.5 < time.monotonic() - begin, 'but not before the time is over')
    t.ok(s.has_line('event=tables .*--handshake-timeout'), 'the log says so')
    t.ok(t.until(lambda: status(s, 's7') == 101), 'another one is started')
    t.ok(s.has_line('event=auth-file .*has failed'), 'for that which is gone')
    meet(s, path)
    w = t.ws.dial(s.port)
    s.send(signal.SIGUSR1)
    t.ok(s.has_line('event=statistics'), 'USR1 while a request waits')
    begin = time.monotonic()
    t.is_(s.stop(), 0, 'TERM while it waits')
    t.ok(time.monotonic() - begin < 5 * t.SCALE, 'takes effect')
    w.close()


@t.limit(60)
def test_hup_meanwhile():
    """HUP that comes while an older file is read: the new one counts, also for
    those that make no request."""
    names = {'n%d' % i: 's%d' % i for i in range(1000)}
    lines = ['%s %s\n' % (n, hashlib.sha256(x.encode()).hexdigest())
             for n, x in names.items()]
    path = users(''.join(lines))
    g = r.gate('--agents-file', path, auth=())
    a = r.raw_agent(g, '/n7', secret='s7')
    r.parked(g)
    for _ in range(10):
        put(path, ''.join(lines) * 100)
        mark = g.mark()
        g.send(signal.SIGHUP)
        pid = stopped_helper(g, mark)
        while pid is not None and any('/users' in x for x in t.opened(pid) or ()):
            os.kill(pid, signal.SIGCONT)        # it has not read all yet
            pid = stopped_helper(g, mark)
        if pid is not None:
            break
    else:
        raise t.Skip('helpers are too fast here')
    put(path, lines[0])
    mark = g.mark()
    g.send(signal.SIGHUP)
    g.send(signal.SIGUSR1)
    g.wait_line('event=statistics', since=mark)     # HUP is taken before it
    t.unlike('\n'.join(g.log.split('\n')[mark:]), 'event=reloaded',
             'HUP is not through')
    os.kill(pid, signal.SIGCONT)
    t.ok(g.has_line('event=reloaded', since=mark), 'it is when all is read')
    t.is_(a.frame(t.BOUND), (0x8, 1000), 'who is no more in it has to go')


@t.limit(60)
def test_killed_helper():
    path = users(token('a', 'one'))
    s = t.server(t.echo().port, '--auth-file', path)
    meet(s, path)
    os.kill(helper(s), signal.SIGKILL)
    t.is_(status(s, 's7'), 101, 'a helper that is killed is replaced')


def test_other_user():
    """--run-as: the helper has the rights that the children have."""
    if os.getuid() != 0:
        raise t.Skip('needs root')
    user = pwd.getpwnam('nobody')
    path = users(token('a', 'one'))
    os.chmod(os.path.dirname(path), 0o755)
    s = t.server(t.echo().port, '--auth-file', path, '--run-as', 'nobody',
                 program=t.world_executable())
    t.is_(status(s, 'one'), 101, 'a file that the user may read')
    os.chmod(path, 0o600)
    t.is_(status(s, 'one'), 500, 'may not read any more')
    t.ok(s.has_line('event=auth-file .*Permission denied'), 'which is told')
    os.chown(path, user.pw_uid, user.pw_gid)
    t.is_(status(s, 'one'), 101, 'and may again')


def test_memory():
    """A tunnel does not keep the table."""
    path = users(token('a', 's7'))
    s = t.server(t.echo().port, '--auth-file', path)
    wait_stable(path)
    w = t.ws.connect(s.port, headers=[('Authorization', 'Bearer s7')])
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'a tunnel')
    t.ok(t.until(lambda: len(t.children(s.pid)) == 1), 'is all there is')
    child = t.child(s.pid)
    name = '/tmp/inetws-' if t.COMPAT else 'inetws table'
    with open('/proc/%d/maps' % child) as f:
        t.ok(name not in f.read(), 'has no table')
    with open('/proc/%d/maps' % s.pid) as f:
        line, = [x for x in f if name in x]
    t.like(line, ' r--p ', 'the one that it had could not be written to')
    w.bye()


@t.limit(90)
def test_time():
    """HUP, USR1 and changed files with 200 tunnels and 10,000 users."""
    path = users(''.join(token('u%d' % i, 's%d' % i) for i in range(10000)))
    s = t.server(t.discard().port, '--auth-file', path)
    wait_stable(path)
    ws = [t.ws.connect(s.port, headers=[('Authorization', 'Bearer s%d' % i)])
          for i in range(200)]
    t.ok(t.until(lambda: len(t.children(s.pid)) == len(ws)), '200 tunnels')

    def worst(action, most):
        """The longest of ten requests in the best of some rounds, as others run
        here: so many that it is below this.  And what a round takes of the
        processor, which is what a request waits for where it is alone."""
        rounds, before = [], t.cpu_ticks(s.pid, True)
        while len(rounds) < 3 or (min(rounds) > most and len(rounds) < 15):
            action()
            took = []
            for _ in range(10):
                begin = time.monotonic()
                t.ws.ask(s.port, b'GET / HTTP/1.0\r\n\r\n')
                took.append(time.monotonic() - begin)
            rounds.append(max(took) * 1000)
        work = 10 * (t.cpu_ticks(s.pid, True) - before)
        return min(rounds), work / len(rounds)

    usual, idle = worst(lambda: None, 5)
    for name, action, ms in (
            ('HUP, nothing changed', lambda: s.send(signal.SIGHUP), 20),
            ('USR1', lambda: s.send(signal.SIGUSR1), 20),
            ('HUP, the file changed', lambda: (os.utime(path), s.send(
                signal.SIGHUP)), 50)):
        took, work = worst(action, ms)
        work -= idle
        most = (usual + ms) * t.SCALE
        t.ok(took < most or (work < most and took < 10 * most),
             '%s: the next request takes %.1f ms, usually %.1f; all of '
             'them %.1f more of the processor' % (name, took, usual, work))


t.main()
