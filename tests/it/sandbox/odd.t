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
from filters import PR_SET_NO_NEW_PRIVS, filtering, refused  # noqa: E402

if sys.platform != 'linux' or platform.machine() != 'x86_64':
    t.skip_all('the numbers of system calls here are those of x86-64')

# What older kernels, or the profiles of older container programs, do not have.
CALLS = {
    'landlock_create_ruleset': 444, 'seccomp': 317, 'pidfd_open': 434,
    'pidfd_send_signal': 424, 'close_range': 436, 'memfd_create': 319,
    'clone3': 435, 'statx': 332, 'openat2': 437, 'faccessat2': 439,
    'rseq': 334, 'splice': 275,
}
SOCKET, AF_INET6 = 41, 10
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


def test_calls():
    """One after the other with both errors, then all at once."""
    told = {'landlock_create_ruleset': 'landlock', 'seccomp': 'seccomp'}
    for name, number in CALLS.items():
        for error in (errno.ENOSYS, errno.EPERM):
            if name == 'clone3' and error == errno.EPERM:
                continue        # glibc itself needs ENOSYS
            tunnel('%s: %s' % (name, errno.errorcode[error]),
                   preexec_fn=filtering(refused(number, error)),
                   missing='event=sandbox missing=' + told[name]
                   if name in told else None)
    rules = b''.join(refused(n, errno.ENOSYS) for n in CALLS.values())
    tunnel('all of them', preexec_fn=filtering(rules),
           missing='event=sandbox missing="landlock seccomp"')


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
    unshare, _, _ = t.need('unshare', 'setpriv', 'mount')
    if os.geteuid() != 0:
        raise t.Skip('mounts need root')
    r = t.run([unshare, '-m', 'true'])
    if r.returncode:
        raise t.Skip('no mount namespaces here')
    binary = os.path.dirname(t.INETWS)
    # what lies below a folder that is covered stays reachable
    keep = 'mkdir -p /mnt && mount --bind %s /mnt' % binary
    return [unshare, '-m', 'sh', '-ec', '%s; %s; program=$1; shift; '
            'exec env -i %s "/mnt/${program##*/}" "$@"' %
            (keep, commands, user), 'sh']


def test_bare():
    for name, commands in BARE.items():
        tunnel('%s, no home, no entry in passwd' % name, run=bare(commands),
               cwd='/')
    s = tunnel('all of that', run=bare('; '.join(BARE.values())), cwd='/')
    t.unlike(s.log, 'level=error', 'and no error is logged')


def test_no_syslog():
    """Nothing listens at /dev/log: lines are lost, tunnels are not."""
    tunnel('no /dev/log', options=('--syslog',), run=bare(
        'mount -t tmpfs tmpfs /dev; mknod -m 666 /dev/null c 1 3'), cwd='/')


t.main()
