#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Old kernels, strict containers and bare systems: a server and a client that
lack something of the system start, and their tunnel works.

If it fails: on a router, in a container or on an old system nothing starts.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
import inetws as t      # noqa: E402
import errno            # noqa: E402
import platform         # noqa: E402
import re               # noqa: E402
import socket           # noqa: E402
import netns            # noqa: E402
import reverse          # noqa: E402
from filters import PR_SET_NO_NEW_PRIVS, filtering, refused  # noqa: E402

if sys.platform != 'linux' or platform.machine() != 'x86_64':
    t.skip_all('the numbers of system calls here are those of x86-64')

# What older kernels, or the profiles of older container programs, do not have.
CALLS = {
    'landlock_create_ruleset': 444, 'landlock_restrict_self': 446, 'seccomp': 317, 'pidfd_open': 434,
    'pidfd_send_signal': 424, 'close_range': 436, 'memfd_create': 319,
    'clone3': 435, 'statx': 332, 'openat2': 437, 'faccessat2': 439,
    'rseq': 334, 'splice': 275, 'timerfd_create': 283,
}
# What else a kernel says that was built or started without them.
MORE_ERRORS = {'landlock_create_ruleset': errno.EOPNOTSUPP,
               'seccomp': errno.EINVAL}
OLD = b''.join(refused(n, errno.ENOSYS) for n in CALLS.values())
SOCKET, AF_INET6 = 41, 10
LANDLOCK_ADD_RULE = 445
PRCTL = 157


def tunnel(name, listen='127.0.0.1:0', host='127.0.0.1', run=(), missing=None,
           options=(), **kw):
    """A server and a connect of that kind, and bytes through both."""
    s = t.Program(list(run) + [t.INETWS, 'server', '-l', listen] +
                  list(options) + ['127.0.0.1:%d' % t.echo().port], **kw)
    port = t.port_of(t.listening(s)[0])
    r = t.run(list(run) + [t.INETWS, 'connect', 'ws://%s:%d/' % (host, port)],
              input=b'hello', **kw)
    t.is_((r.returncode, r.stdout, r.stderr), (0, b'hello', b''), name)
    if missing:
        t.ok(s.has_line(missing), 'which is told')
    s.stop()
    return s


def every_mode(run=(), **kw):
    """Instances of each mode, and tunnels through them; one is resumed."""
    target = '127.0.0.1:%d' % t.echo().port

    def start(*words, **more):
        return t.Program([*run, t.INETWS, *words], **kw, **more)

    def comes_back(sock, text, name):
        sock.sendall(text)
        t.is_(t.ws.read_exactly(sock, len(text)), text, name)
    s = start('server', '-l', '127.0.0.1:0', target)
    way = t.Proxy(t.port_of(t.listening(s)[0]))
    url = 'ws://127.0.0.1:%d/' % way.port
    c = start('client', '-l', '127.0.0.1:0', '--warm', '1', url)
    visitor = t.ws.dial(t.port_of(t.listening(c)[0]))
    comes_back(visitor, b'hello', 'client')
    way.cut('rst')
    comes_back(visitor, b'again', 'a session goes on over another websocket')
    g = start('gate', '-l', '127.0.0.1:0', '--visitors', '127.0.0.1:0',
              '--allow-any-agent')
    port = t.port_of(t.listening(g)[0])
    where = t.port_of(g.wait_line(r'visitors on (\S+)')[1])
    a = start('agent', 'ws://127.0.0.1:%d/agents/a' % port, target)
    a.wait_line('event=parked')
    comes_back(reverse.visit(where), b'hello', 'gate and agent')
    r = t.run([*run, t.INETWS, 'check', url], **kw)
    t.is_(r.returncode, 0, 'check')
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            p = start('server', '-l', 'inetd', target, stdin=theirs,
                      stdout=theirs)
        w = t.ws.WebSocket(ours, True)
        ours.sendall(t.ws.request())
        t.like(t.ws.read_head(ours)[0], '^HTTP/1.1 101 ', 'inetd')
        w.send(b'hello')
        t.is_(w.take_data(5), b'hello', 'and its bytes')
        w.bye()
    t.is_(p.wait(), 0, 'to its end')
    visitor.close()
    for p in (c, a, g, s):
        t.is_(p.stop(), 0, 'TERM ends it')
    return c, a, g, s


def test_calls():
    """One after the other with both errors, then all at once."""
    for name, number in CALLS.items():
        told = re.match('(landlock|seccomp)', name)
        for error in {errno.ENOSYS, errno.EPERM,
                      MORE_ERRORS.get(name, errno.EPERM)}:
            if name == 'clone3' and error == errno.EPERM:
                continue        # glibc itself needs ENOSYS
            tunnel('%s: %s' % (name, errno.errorcode[error]),
                   preexec_fn=filtering(refused(number, error)),
                   missing=told and 'event=sandbox missing=' + told[1])
    tunnel('all of them', preexec_fn=filtering(OLD),
           missing='event=sandbox missing="landlock seccomp"')


def test_landlock_rules():
    """Its calls are refused one by one: here the one for those who dial."""
    for error in errno.ENOSYS, errno.EPERM:
        c = t.client('ws://127.0.0.1:1/', preexec_fn=filtering(
            refused(LANDLOCK_ADD_RULE, error)))
        t.ok(c.has_line('event=sandbox missing=landlock'),
             'landlock_add_rule, %s: is told' % errno.errorcode[error])
        c.stop()


def test_old_kernel():
    every_mode(preexec_fn=filtering(OLD))


def test_no_new_privileges():
    tunnel('no_new_privs is refused', missing='event=sandbox '
           'missing="?no_new_privs', preexec_fn=filtering(
               refused(PRCTL, errno.EPERM, PR_SET_NO_NEW_PRIVS)))


def test_no_ipv6():
    """A kernel without it answers EAFNOSUPPORT."""
    without = filtering(refused(SOCKET, errno.EAFNOSUPPORT, AF_INET6))
    for listen in ('0', ':0', 'localhost:0'):
        tunnel('no IPv6: listening on %s' % listen, listen=listen,
               host='localhost', preexec_fn=without)


def test_ipv6_switched_off():
    """As in many containers: sockets can be made, and addresses are none."""
    two = netns.Two()
    for words in (['ip', 'link', 'set', 'lo', 'up'],
                  ['sh', '-c', 'echo 1 >'
                   '/proc/sys/net/ipv6/conf/all/disable_ipv6']):
        t.is_(t.run(two.near(words)).returncode, 0, ' '.join(words))
    with two.in_near():
        for listen in ('0', ':0', 'localhost:0'):
            tunnel('IPv6 is switched off: listening on %s' % listen,
                   listen=listen, host='localhost')


# Commands that take something away from the mounts of a new namespace.
BARE = {
    'no users': 'mount --bind /dev/null /etc/passwd && '
                'mount --bind /dev/null /etc/group && '
                'mount --bind /dev/null /etc/nsswitch.conf',
    'no resolver': 'mount --bind /dev/null /etc/hosts && '
                   'mount --bind /dev/null /etc/resolv.conf',
    'nothing to write to': 'for d in /run /tmp /var/tmp /home /root; do '
                           'mount -t tmpfs -o ro tmpfs "$d"; done; '
                           'mount -o remount,bind,ro /',
    'no /proc': 'mount -t tmpfs -o ro tmpfs /proc',
    'no /dev': 'mount -t tmpfs -o ro tmpfs /dev',
}


def bare(commands, user='setpriv --reuid=12345 --regid=12345 --clear-groups'):
    """The words before a command that runs it so, as a user without entry."""
    t.need('setpriv', 'mount')
    if os.geteuid() != 0:
        raise t.Skip('mounts need root')
    binary = os.path.dirname(t.INETWS)
    # what lies below a folder that is covered stays reachable
    keep = 'mkdir -p /mnt && mount --bind %s /mnt' % binary
    return [*t.need_unshare('-m'), 'sh', '-ec',
            '%s; %s; program=$1; shift; '
            'exec env -i %s "/mnt/${program##*/}" "$@"' %
            (keep, commands, user), 'sh']


def test_bare():
    for name, commands in BARE.items():
        s = tunnel('%s, no home, no entry in passwd' % name,
                   run=bare(commands), cwd='/')
        t.ok(s.has_line('event=not-listed'), 'which status does not find, '
             'as is told')


def test_all_bare():
    """All of that, and then with an old kernel."""
    for kw in {}, {'preexec_fn': filtering(OLD)}:
        for p in every_mode(bare('; '.join(BARE.values())), cwd='/', **kw):
            t.unlike(p.log, 'level=error', 'and no error is logged')


def test_no_syslog():
    """Nothing listens at /dev/log: lines are lost, tunnels are not."""
    tunnel('no /dev/log', options=('--syslog',), run=bare(
        'mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3'), cwd='/')


def test_no_proc_sys():
    """Without /proc/sys a server cannot tell where its sessions are."""
    ask = t.ws.request(headers=[(
        'Sec-WebSocket-Extensions', 'inetws; v=2; id=a1; '
        'resume="0123456789abcdef0123456789abcdef"; n=1; at=0')])
    for commands, n in ('true', 16), ('mount -t tmpfs none /proc/sys', 0):
        p = t.Program([*bare(commands), t.INETWS, 'server', '-l',
                       '127.0.0.1:0', '127.0.0.1:1'], cwd='/')
        r = t.ws.ask(t.port_of(t.listening(p)[0]), ask)
        t.is_((r.status, len(r.headers.get('inetws-instance', ''))), (410, n),
              '410, and %s' % ('the place' if n else 'no place'))


t.main()
