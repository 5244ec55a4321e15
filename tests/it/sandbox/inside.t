#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The sandbox from inside: each forbidden thing is tried by a live child that
relays, in each role, as root and as another user.

If it fails: an intruder in such a child can read files, kill the user's
processes, reach the network, or, as root, change the system.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import inject           # noqa: E402
import reverse          # noqa: E402
import signal           # noqa: E402
import socket           # noqa: E402
import struct           # noqa: E402

if t.SANITIZED:
    t.skip_all('sanitizers do what the sandbox refuses')
if inject.lacking():
    t.skip_all('to make calls in another process ' + inject.lacking())

OPENAT, SOCKET, MMAP, MPROTECT, KILL, PRCTL = 257, 41, 9, 10, 62, 157
SECCOMP, GETPPID = 317, 110
EXECVE, EXECVEAT, PTRACE, READV, WRITEV = 59, 322, 101, 310, 311
AT_FDCWD = -100
R, W, X = 1, 2, 4
PRIVATE, SHARED, ANONYMOUS = 2, 1, 32

# In every role.
NEVER = (
    ('open to write', OPENAT, AT_FDCWD, b'/dev/null', os.O_RDWR),
    ('make a file', OPENAT, AT_FDCWD, b'/tmp/inetws-x', os.O_CREAT, 0o600),
    ('truncate', OPENAT, AT_FDCWD, b'/tmp/inetws-x', os.O_TRUNC),
    ('unlink', 87, b'/tmp/inetws-x'),
    ('mkdir', 83, b'/tmp/inetws-x', 0o700),
    ('chmod', 90, b'/tmp', 0o777),
    ('rename', 82, b'/tmp/inetws-x', b'/tmp/inetws-y'),
    ('fork', 56, signal.SIGCHLD, 0, 0, 0, 0),
    ('clone3', 435, 0, 0),
    ('code in memory', MMAP, 0, 4096, R | X, PRIVATE | ANONYMOUS, -1, 0),
    ('memory to write and execute', MMAP, 0, 4096, R | W | X,
     PRIVATE | ANONYMOUS, -1, 0),
    ('code by mprotect', MPROTECT, 0, 4096, R | X),
    ('memfd_create', 319, b'x', 0),
    ('raw packets', SOCKET, socket.AF_PACKET, socket.SOCK_RAW, 0),
    ('raw IP', SOCKET, socket.AF_INET, socket.SOCK_RAW, 1),
    ('ping socket', SOCKET, socket.AF_INET, socket.SOCK_DGRAM, 1),
    ('netfilter', SOCKET, socket.AF_NETLINK, socket.SOCK_RAW, 12),
    ('kernel crypto', SOCKET, 38, 5, 0),
    ('vsock', SOCKET, 40, 1, 0),
    ('socketpair', 53, 1, 1, 0, b'12345678'),
    ('listen', 50, 0, 1),
    ('kill all', KILL, -1, signal.SIGHUP),
    ('kill its group', KILL, 0, signal.SIGHUP),
    ('kill init', KILL, 1, signal.SIGHUP),
    ('tgkill', 234, 1, 1, signal.SIGHUP),
    ('pidfd_open', 434, 1, 0),
    ('signals by fcntl', 72, 0, 8, 1),
    ('type into a terminal', 16, 0, 0x5412, b'x'),
    ('setuid', 105, 0),
    ('capset', 126, b'\0' * 8, b'\0' * 24),
    ('prctl', PRCTL, 4, 1, 0, 0, 0),
    ('mount', 165, b'none', b'/mnt', b'tmpfs', 0, 0),
    ('unshare', 272, 0x10000000),
    ('chroot', 161, b'/'),
    ('bpf', 321, 0, 0, 0),
    ('io_uring', 425, 8, b'\0' * 128),
    ('keyctl', 250, 0, -3, 0),
    ('perf', 298, b'\0' * 128, 0, -1, -1, 0),
)

# Without a redial.
NOT_WITHOUT_REDIAL = (
    ('read a file', OPENAT, AT_FDCWD, b'/etc/hosts', os.O_RDONLY),
    ('a TCP socket', SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0),
    ('a Unix socket', SOCKET, socket.AF_UNIX, socket.SOCK_STREAM, 0),
    ('netlink', SOCKET, socket.AF_NETLINK, socket.SOCK_RAW, 0),
    ('connect', 42, 0, b'\0' * 16, 16),
    ('bind', 49, 0, b'\0' * 16, 16),
    ('a timer', 283, 1, 0),
    ('another terminal', 16, 0, 0x541b, b'12345678'),
)

DEADLY = (
    ('execve', EXECVE, b'/bin/true', 0, 0),
    ('execveat', EXECVEAT, AT_FDCWD, b'/bin/true', 0, 0, 0),
    ('ptrace', PTRACE, 16, 1, 0, 0),
    ('read memory', READV, 1, b'', 0, b'', 0, 0),
    ('write memory', WRITEV, 1, b'', 0, b'', 0, 0),
)


def user(name):
    """Options to run as that user, 'root' without any."""
    return () if name == 'root' else ('--run-as', name)


def landlock():
    """Its version, 0 without."""
    return max(0, inject.LIBC.syscall(444, None, 0, 1))


def capabilities(pid):
    """The effective and the permitted set."""
    with open('/proc/%d/status' % pid) as f:
        text = f.read()
    return tuple(int(re.search(r'^%s:\s+(\w+)' % word, text, re.M)[1], 16)
                 for word in ('CapEff', 'CapPrm'))


class Tunnels:
    """Tunnels of one role: .child() is the process of one that is fresh."""

    def __init__(self, role, who):
        self.role, self.who, self.stuff = role, user(who), []
        self.echo = t.echo()
        getattr(self, role.replace(' ', '_'))()

    def keep(self, thing):
        self.stuff.append(thing)
        return thing

    def tunnel(self, port):
        v = self.keep(t.ws.dial(port))
        v.sendall(b'x')
        if t.ws.read_exactly(v, 1) != b'x':
            raise AssertionError('no tunnel')

    def server(self):
        self.p = t.server(self.echo.port, *self.who)
        self.far = t.client('ws://127.0.0.1:%d/' % self.p.port)
        self.enter = lambda: self.tunnel(self.far.port)

    def program(self):
        self.p = t.inetws('server', '-l', '127.0.0.1:0', *self.who, '--',
                          'cat')
        self.far = t.client('ws://127.0.0.1:%d/' % t.port_of(
            t.listening(self.p)[0]))
        self.enter = lambda: self.tunnel(self.far.port)

    def client(self):
        self.far = t.server(self.echo.port)
        self.p = t.client('ws://127.0.0.1:%d/' % self.far.port, *self.who)
        self.enter = lambda: self.tunnel(self.p.port)

    def warm_client(self):
        self.far = t.server(self.echo.port)
        self.p = t.client('ws://127.0.0.1:%d/' % self.far.port, '--warm',
                          '1', *self.who)
        self.enter = lambda: None

    def gate(self):
        self.p = reverse.gate(*self.who)
        self.far = reverse.agent(self.p.url(), self.echo.port)
        self.enter = lambda: reverse.parked(self.p)

    def agent(self):
        self.far = reverse.gate()
        self.p = reverse.agent(self.far.url(), self.echo.port, *self.who)
        self.enter = lambda: self.tunnel(self.far.visitors)

    def agent_program(self):
        self.far = reverse.gate()
        self.p = t.inetws('agent', *self.who, self.far.url(), '--', 'cat')
        self.enter = lambda: self.tunnel(self.far.visitors)

    def child(self):
        """In the sandbox, whichever it is."""
        self.enter()

        def inside():
            for pid in t.children(self.p.pid, zombies=False):
                if 'cat' in t.command_of(pid).split():
                    continue
                try:
                    with open('/proc/%d/status' % pid) as f:
                        status = f.read()
                except FileNotFoundError:       # the one before has ended
                    continue
                if re.search(r'^Seccomp:\s+2', status, re.M):
                    self.found = pid
                    return True
            return False

        if not t.until(inside):
            raise AssertionError('no child in the sandbox')
        return self.found


def try_role(role, who):
    name = '%s as %s' % (role, who)
    tunnels = Tunnels(role, who)
    dials = role in ('client', 'warm client', 'agent', 'agent program')
    pid = tunnels.child()
    have = capabilities(pid)
    allowed = (6 if dials else 0) | (32 if 'program' in role else 0)
    t.ok(have[0] | have[1] in (0, allowed if who == 'root' else 0),
         '%s: capabilities %x %x' % ((name,) + have))
    with open('/proc/%d/status' % pid) as f:
        t.like(f.read(), r'NoNewPrivs:\s+1', 'no new privileges')
    # The files in /proc of a process that is not dumpable belong to root.
    t.is_(os.stat('/proc/%d/mem' % pid).st_uid, 0,
          '%s: its memory is closed to its user' % name)
    refused = NEVER + (() if dials else NOT_WITHOUT_REDIAL)
    with inject.Inside(pid) as p:
        wrong = [(what, e) for what, *call in refused
                 for e in (p.error(*call),) if e != 'EPERM']
        t.is_(wrong, [], '%s: all that is forbidden is refused' % name)
        if dials:
            try_dialling(p, name)
        if role == 'program':
            try_program(p, name, pid)
    for what, *call in DEADLY:
        t.is_(inject.dies(tunnels.child(), *call), 'SIGSYS',
              '%s: dies of %s' % (name, what))
    t.ok(tunnels.p.alive(), 'its supervisor lives')
    for x in tunnels.stuff:
        x.close()
    tunnels.p.stop(signal.SIGQUIT)
    tunnels.far.stop(signal.SIGQUIT)


def try_dialling(p, name):
    t.ok(p.call(SOCKET, socket.AF_INET, socket.SOCK_STREAM, 0) >= 0,
         name + ': can make a TCP socket')
    t.ok(p.call(SOCKET, socket.AF_INET6, socket.SOCK_DGRAM |
                socket.SOCK_CLOEXEC, 17) >= 0 or not socket.has_ipv6,
         'and a UDP socket')
    library = next(x for x in os.popen('ldd /bin/true').read().split()
                   if x.startswith('/') and 'libc' in x)
    fd = p.call(OPENAT, AT_FDCWD, library.encode(), os.O_RDONLY)
    t.ok(fd >= 0, 'can open a library')
    t.ok(p.call(MMAP, 0, 4096, R | X, PRIVATE, fd, 0) > 0 or
         p.call(MMAP, 0, 4096, R | X, PRIVATE, fd, 0) < -4095,
         'and execute it')
    for what, protection, flags in (('private', R | W | X, PRIVATE),
                                    ('shared', R | X, SHARED)):
        t.is_(p.error(MMAP, 0, 4096, protection, flags, fd, 0), 'EPERM',
              'but not %s memory of it that is written' % what)
    if landlock():
        t.is_(p.error(OPENAT, AT_FDCWD, b'/proc/1/environ', os.O_RDONLY),
              'EACCES', 'nor read what is no business of it')


def try_program(p, name, pid):
    program, = (x for x in t.children(pid))
    t.is_(p.error(KILL, -program, signal.SIGTERM), 'EPERM',
          name + ': no other signal to its program')
    t.is_(p.error(KILL, program, signal.SIGHUP), 'EPERM', 'only its group')
    t.is_(p.error(KILL, p.call(39), signal.SIGHUP), 'EPERM', 'not itself')
    t.is_(p.error(KILL, -program, signal.SIGHUP), '', 'HUP to its group')


def test_roles():
    for who in ('root', 'nobody'):
        for role in ('server', 'program', 'client', 'warm client', 'gate',
                     'agent', 'agent program'):
            try_role(role, who)


def test_key():
    """A client's key is read again only for a redirect to TLS."""
    if not landlock():
        raise t.Skip('no Landlock')
    cert = t.certificate()
    ours = ('--cert', cert.cert, '--key', cert.key)
    echo = t.echo()
    s = t.server(echo.port, '--tls-cert', cert.cert, '--tls-key', cert.key)
    plain = t.server(echo.port)
    for url, options, error in (
            ('wss://localhost:%d/' % s.port, ('--cacert', cert.ca), 'EACCES'),
            ('ws://localhost:%d/' % plain.port, (), ''),
            ('ws://localhost:%d/' % plain.port, ('--resume', '0'), 'EACCES')):
        c = t.client(url, *ours, *options)
        v = t.ws.dial(c.port)
        v.sendall(b'x')
        t.is_(t.ws.read_exactly(v, 1), b'x', url.split(':')[0])
        with inject.Inside(t.child(c.pid)) as p:
            t.is_(p.error(OPENAT, AT_FDCWD, cert.key.encode(), os.O_RDONLY),
                  error, ' '.join(options) + ': its key: ' +
                  (error or 'can be read'))
        v.close()
        c.stop(signal.SIGQUIT)


def become_nobody():
    os.setgid(65534)
    os.setuid(65534)


def test_memory_of_a_user():
    """Started by a user, so that no change of users closes it by itself."""
    if t.run(['sh', '-c', 'test -x "$0"', t.INETWS],
             preexec_fn=become_nobody).returncode:
        raise t.Skip('%s is not for all users' % t.INETWS)
    s = t.server(t.echo().port, preexec_fn=become_nobody)
    w = t.ws.connect(s.port)
    w.send(b'x')
    t.is_(w.take_data(1), b'x', 'a tunnel')
    pid = t.child(s.pid)
    t.is_(os.stat('/proc/%d/mem' % pid).st_uid, 0, 'its memory is closed')
    t.is_(os.stat('/proc/%d' % s.pid).st_uid, 65534,
          'which would be that of its user')
    w.bye()


def test_later_failure():
    """A part of the sandbox that worked at start and fails later."""
    s = t.server(t.echo().port)
    refuse = b''.join(struct.pack('HBBI', *op) for op in (
        (0x20, 0, 0, 0), (0x15, 0, 1, SECCOMP), (0x06, 0, 0, 0x50001),
        (0x06, 0, 0, 0x7fff0000)))
    with inject.Inside(s.pid) as p:
        at = (p.old['rsp'] - 8192) & ~15
        with open('/proc/%d/mem' % s.pid, 'r+b', buffering=0) as f:
            f.seek(at)
            f.write(refuse)
        t.is_(p.error(PRCTL, 38, 1, 0, 0, 0), '', 'no_new_privs')
        t.is_(p.error(SECCOMP, 1, 0, struct.pack('HxxxxxxQ', 4, at)), '',
              'the supervisor cannot use seccomp any more')
    # These can; one that is just forked has no title yet.
    before = {pid for pid, (parent, _) in t.parents().items()
              if parent == s.pid}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    t.until(lambda: not before & set(t.parents()))
    r = t.run_inetws('connect', 'ws://127.0.0.1:%d/' % s.port, input=b'hi')
    t.is_((r.returncode, r.stdout), (75, b''), 'a client gets 75')
    t.like(r.stderr, '503', 'for a 503')
    s.wait_line('event=sandbox .*cannot enter.*Operation not permitted')
    t.ok(s.alive(), 'the supervisor goes on')


t.main()
