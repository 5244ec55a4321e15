#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Children that are forked ahead of their connection.

If it fails: a connection is lost or served twice, is served with what was true
before a change, or one that does not exist is counted.
"""

import hashlib
import os
import resource
import signal
import ssl
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import ca               # noqa: E402
import inetws as t      # noqa: E402
import reverse as r     # noqa: E402

MOST = 2


def ready(p, most=MOST):
    """Those that are forked ahead, once there are as many as there may be."""
    t.until(lambda: len(t.ahead(p.pid)) == most)
    return t.ahead(p.pid)


def renewed(p, old):
    """Other ones, once there are."""
    t.until(lambda: len(t.ahead(p.pid)) == MOST and
            not set(t.ahead(p.pid)) & set(old))
    return t.ahead(p.pid)


def served(port):
    """A tunnel through which a byte has gone each way."""
    w = t.ws.connect(port)
    w.send(b'x')
    if w.take_data(1) != b'x':
        raise AssertionError('no byte came back')
    return w


def end(w):
    w.bye()
    w.sock.close()


def in_time(begin):
    """What begin() returns, of one of a few tries: a child that is not run for
    50 ms is late for its connection, and another one serves it."""
    for _ in range(8):
        found = begin()
        if found[-1]:
            break
        t.cleanup()
    return found


def test_each_serves_one():
    def begin():
        s = t.server(t.echo().port)
        first = ready(s)
        a, b = served(s.port), served(s.port)
        return s, first, a, b, t.children(s.pid) == first
    s, first, a, b, good = in_time(begin)
    t.is_(len(first), MOST, 'so many are ready')
    t.ok(good, 'they serve the first connections')
    later = ready(s)
    t.ok(not set(first) & set(later), 'others are ready then')
    end(a)
    end(b)
    t.ok(t.until(lambda: not t.children(s.pid)), 'one ends with its own')
    t.is_(ready(s), later, 'and the others wait on')


def test_client():
    def begin():
        s = t.server(t.echo().port)
        c = t.client('ws://127.0.0.1:%d/' % s.port)
        first = ready(c)
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', 'a client has them too')
        return c, v, set(t.children(c.pid)) < set(first)
    c, v, good = in_time(begin)
    t.ok(good, 'one of which serves')
    port = v.getsockname()[1]
    v.close()
    t.ok(c.has_line('event=closed .*peer=127.0.0.1:%d ' % port),
         'and knows who came')


def test_burst():
    """More at once than are ready."""
    s = t.server(t.echo().port)
    ready(s)
    socks = [t.ws.dial(s.port) for _ in range(60)]
    for v in socks:
        v.sendall(t.ws.request())
    tunnels = [t.ws.WebSocket(v, True, t.ws.read_head(v)[1]) for v in socks]
    done = 0
    for i, w in enumerate(tunnels):
        w.send(b'%3d' % i)
        done += w.take_data(3) == b'%3d' % i
    t.is_(done, 60, 'each has its own tunnel')
    # One that was late may not have left yet.
    t.until(lambda: len(t.children(s.pid)) == 60)
    t.is_(len(t.children(s.pid)), 60, 'in a process of its own')
    for w in tunnels:
        end(w)
    t.ok(t.until(lambda: not t.children(s.pid)), 'which end')
    t.is_(len(ready(s)), MOST, 'and no more are kept than before')


def test_killed():
    """While they wait: nobody notices."""
    for n in 1, MOST:
        s = t.server(t.echo().port)
        first = ready(s)
        for pid in first[:n]:
            os.kill(pid, signal.SIGKILL)
        t.until(lambda: not set(first[:n]) & set(t.parents()))
        for _ in range(MOST + 1):
            end(served(s.port))
        t.ok(set(t.ahead(s.pid)) <= set(first),
             '%d of them killed: all are served, none is forked for a while' %
             n)
        s.send(signal.SIGTERM)
        t.is_(s.wait(), 0, 'TERM ends it')
        t.is_(s.has_line('event=child-killed', 0.1), None,
              'none of them was a connection')


def test_killed_at_hand_over():
    """Before they can receive: nobody notices, either."""
    for _ in range(5):
        s = t.server(t.echo().port)
        for pid in ready(s):
            os.kill(pid, signal.SIGKILL)
        end(served(s.port))
    t.ok(True, 'all are served')


def living(pids):
    table = t.parents()
    return [pid for pid in pids if table.get(pid, (0, 'Z'))[1] != 'Z']


def stopped(pid):
    return t.parents().get(pid, (0, ''))[1] == 'T'


def test_stopped():
    s = t.server(t.echo().port, '--max-connections', '1')
    for _ in range(5):
        old = ready(s)
        for pid in old:
            os.kill(pid, signal.SIGSTOP)
        end(served(s.port))
        t.ok(t.until(lambda: not living(old)),
             'is served, and those that were stopped are gone')
        t.until(lambda: not t.children(s.pid))


def handed_to_stopped(s, ahead, most=1):
    """Connections with requests that come when supervisor and children are
    stopped; then the supervisor goes on."""
    os.kill(s.pid, signal.SIGSTOP)
    socks = [t.ws.dial(s.port) for _ in range(most)]
    for v in socks:
        v.sendall(t.ws.request())
    for pid in ahead:
        os.kill(pid, signal.SIGSTOP)
    t.until(lambda: all(stopped(pid) for pid in ahead))
    os.kill(s.pid, signal.SIGCONT)
    return socks


def test_handed_to_a_stopped_one():
    """The supervisor, stopped as well, hears of one of them at most."""
    s = t.server(t.echo().port, '--max-connections', '1')
    for turn in range(6):
        v, = handed_to_stopped(s, ready(s)[::1 if turn % 2 else -1])
        head, rest = t.ws.read_head(v)
        w = t.ws.WebSocket(v, True, rest)
        w.send(b'x')
        t.is_((b' 101 ' in head, w.take_data(1)), (True, b'x'),
              'the connection is served')
        # One that is being killed has no title any more.
        t.ok(t.until(lambda: len(t.children(s.pid)) == 1), 'by one process')
        end(w)
        t.until(lambda: not t.children(s.pid))
    s.send(signal.SIGTERM)
    t.is_(s.wait(), 0, 'TERM ends it')
    t.is_(s.has_line('event=child-killed', 0.1), None,
          'and no connection was killed')


# The supervisor has no descriptors left whenever it looks around, once it has
# handed over a connection.
FULL = r'''
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/socket.h>
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

static int has_handed;
static pid_t self;

__attribute__((constructor)) static void begin(void)
{
	self = getpid();
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	ssize_t (*real)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT,
	    "sendmsg");
	ssize_t n = real(fd, m, flags);

	has_handed |= getpid() == self && n > 0 && m->msg_controllen > 0;
	return n;
}

static void fill(void)
{
	while (has_handed && getpid() == self && dup(0) != -1)
		;
}

int poll(struct pollfd *p, nfds_t n, int ms)
{
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

	fill();
	return real(p, n, ms);
}

int epoll_pwait(int fd, struct epoll_event *e, int n, int ms,
    const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, int, const sigset_t *) =
	    dlsym(RTLD_NEXT, "epoll_pwait");

	fill();
	return real(fd, e, n, ms, mask);
}
'''


def test_no_descriptors():
    """The connection is taken back from one that is stopped."""
    s = t.server(t.echo().port, program=t.limited(), env=t.preloaded(FULL))
    v, = handed_to_stopped(s, ready(s))
    head, rest = t.ws.read_head(v)
    t.ok(b' 101 ' in head, 'the reserve is the room for it')
    w = t.ws.WebSocket(v, True, rest)
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'and it is served')
    end(w)
    t.is_(s.stop(), 0, 'TERM ends it')


def token(name, secret):
    return 'token:%s:%s\n' % (name, hashlib.sha256(
        secret.encode()).hexdigest())


def put(path, text):
    with open(path + '.new', 'w') as f:
        f.write(text)
    os.rename(path + '.new', path)


def status(s, secret):
    return t.ws.ask(s.port, t.ws.request(headers=[
        ('Authorization', 'Bearer ' + secret)])).status


def test_file_of_users():
    path = t.folder() + '/users'
    put(path, token('a', 's0'))
    s = t.server(t.echo().port, '--auth-file', path)
    wrong = 0
    for i in range(1, 11):
        old = ready(s)
        put(path, token('a', 's%d' % i))
        wrong += status(s, 's%d' % (i - 1)) != 401
        wrong += status(s, 's%d' % i) != 101
        # One that is killed may not have left yet.
        wrong += not t.until(lambda: not set(old) & set(t.ahead(s.pid)))
    t.is_(wrong, 0, 'after a change none is left that was forked before')


def shown(port):
    context = ssl._create_unverified_context()
    with context.wrap_socket(t.ws.dial(port)) as v:
        return ssl.DER_cert_to_PEM_cert(v.getpeercert(True)).split()


def test_certificate():
    first, second = ca.certificate(), ca.certificate()
    d = t.folder()
    for cert in first, second:
        for what in 'cert', 'key':
            with open(getattr(cert, what)) as f:
                put('%s/%s' % (d, what), f.read())
        if cert is first:
            s = t.server(t.echo().port, '--tls-cert', d + '/cert',
                         '--tls-key', d + '/key')
        old = ready(s)
        with open(cert.cert) as f:
            t.ok(' '.join(shown(s.port)) in ' '.join(f.read().split()),
                 'a connection sees the certificate that is there')
        # A fork reads the files, too: not while they change.
        t.until(lambda: t.ahead(s.pid) != old and
                len(t.ahead(s.pid)) == MOST)
    t.ok(not set(old) & set(renewed(s, old)), 'by a process that has it')


def test_hangup():
    d = t.folder()
    put(d + '/conf', 'path /first\n')
    s = t.server(t.echo().port, '--config', d + '/conf')
    old = ready(s)
    put(d + '/conf', 'path /second\n')
    s.send(signal.SIGHUP)
    t.ok(s.has_line('event=reloaded'), 'options are read again')
    t.ok(not set(renewed(s, old)) & set(old), 'all are forked anew')
    t.is_([t.ws.ask(s.port, t.ws.request(path)).status
           for path in ('/first', '/second')], [404, 101],
          'and have the new options')


def test_no_connections():
    """They are counted nowhere."""
    s = t.server(t.echo().port, '--max-connections', '2',
                 '--metrics', '127.0.0.1:0')
    metrics = t.port_of(s.wait_line(r'metrics on (\S+)')[1])
    ready(s)
    rows = t.run_inetws('status', '--json').stdout
    t.ok(b'"active":0' in rows.replace(b' ', b''), 'status: none is active')
    text = t.http(metrics, '/metrics')[2]
    t.ok('inetws_connections_active 0\n' in text, 'metrics: likewise')
    t.ok(t.until(lambda: ', 0 active' in t.command_of(s.pid)), 'ps: likewise')
    a, b = served(s.port), served(s.port)
    t.is_(t.ws.ask(s.port, t.ws.request()).status, 503,
          'the limit is one of connections')
    end(a)
    end(b)
    t.until(lambda: not t.children(s.pid))
    s.send(signal.SIGTERM)
    t.ok(s.has_line('event=stopping active=0'), 'none is waited for')
    t.is_(s.wait(), 0, 'at the end')


def test_end():
    """They end when no connection can come any more."""
    s = t.server(t.echo().port)
    ready(s)
    w = served(s.port)
    old = ready(s)
    s.send(signal.SIGTERM)
    t.ok(t.until(lambda: not living(old)),
         'TERM ends them, while a tunnel is drained')
    end(w)
    t.is_(s.wait(), 0, 'which ends')
    s = t.server(t.echo().port)
    old = ready(s)
    os.kill(s.pid, signal.SIGKILL)
    t.ok(t.until(lambda: not living(old)),
         'so they do when the supervisor is killed')
    s = t.server(t.echo().port)
    old = ready(s)
    os.kill(old[0], signal.SIGTERM)
    t.ok(t.until(lambda: not living(old[:1])), 'TERM ends one alone')


def test_none():
    """Where none can be of use."""
    s = t.server(t.echo().port)
    ready(s)
    g = r.gate()
    a = r.raw_agent(g)
    t.ok(r.parked(g), 'a websocket is parked at a gate')
    w = t.client('ws://127.0.0.1:%d/' % s.port, '--warm', '1')
    c = t.connect('ws://127.0.0.1:%d/' % s.port)
    c.stdin.write(b'x')
    c.stdin.flush()
    t.is_(c.stdout.read(1), b'x', 'connect is there')
    w.wait_line('event=parked')
    for name, p in ('gate', g), ('client --warm', w), ('connect', c):
        t.ok(p.alive(), name + ' runs')
        t.is_(t.ahead(p.pid), [], name + ': none')
    a.drop()


USER = 30000 + os.getpid() % 30000     # which has no other processes


@t.limit(180)
def test_few_processes():
    """They leave their places to what needs one: a file's reader, and once it
    has ended a connection."""
    if os.getuid() != 0:
        raise t.Skip('needs root: processes are counted by user')
    for room in 1 + MOST, 2 + MOST:
        # One that is killed has 0.2 s to leave, which may be too short.
        for _ in range(3):
            got = few_processes(room)
            if got == (101, 101, 0):
                break
            t.cleanup()
        t.is_(got, (101, 101, 0), 'a user; another one, when the file has '
              'changed; TERM ends it')


def few_processes(room):
    path = t.folder() + '/users'
    put(path, token('a', 'one'))
    for name in path, os.path.dirname(path):
        os.chmod(name, 0o755)

    def begin():
        resource.setrlimit(resource.RLIMIT_NPROC, (room, room))
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
    s = t.server(t.echo().port, '--auth-file', path, preexec_fn=begin,
                 program=t.world_executable())
    ready(s)
    one = status(s, 'one')
    ready(s)
    put(path, token('b', 'two'))
    os.chmod(path, 0o644)
    return one, status(s, 'two'), s.stop()


@t.limit(120)
def test_few_processes_stopped():
    """Nor do those that have not taken a connection keep their places."""
    if os.getuid() != 0:
        raise t.Skip('needs root: processes are counted by user')

    def begin():
        resource.setrlimit(resource.RLIMIT_NPROC, (1 + MOST, 1 + MOST))
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
    s = t.server(t.echo().port, preexec_fn=begin, program=t.world_executable())
    served, tries = 0, 0
    # One that is killed has 0.2 s to leave, which may be too short.
    while served < 3 and tries < 5:
        tries += 1
        socks = handed_to_stopped(s, ready(s), MOST)
        served += [t.ws.read_head(v)[0][:12] for v in socks] == [
            b'HTTP/1.1 101'] * MOST
        for v in socks:
            v.close()
        t.until(lambda: not t.children(s.pid))
    t.is_(served, 3, 'all connections are served, in %d rounds' % tries)
    t.is_(s.stop(), 0, 'TERM ends it')


def test_program():
    """A connection needs two processes."""
    s = t.inetws('server', '-l', '127.0.0.1:0', '--', 'cat')
    end(served(t.port_of(t.listening(s)[0])))
    t.is_(t.ahead(s.pid), [], 'none where the target is a program')


def test_few_descriptors():
    """As many as are needed at least: none is forked ahead."""
    s = t.inetws('server', '-l', '127.0.0.1:0', '127.0.0.1:1',
                 program=t.limited('-n 20'))
    least = int(s.wait_line(r'at least (\d+) are needed')[1])
    s = t.server(t.echo().port, program=t.limited('-n %d' % least))
    end(served(s.port))
    t.is_(t.ahead(s.pid), [], 'none')
    t.ok(t.until(lambda: not t.children(s.pid)), 'a connection is served')


t.main()
