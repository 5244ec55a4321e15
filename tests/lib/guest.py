# SPDX-License-Identifier: ISC
"""A copy of this machine that may be spoiled: its root file system under an
overlay in memory, in namespaces of its own, with systemd as its init.

    g = guest.Guest()
    g.put('/etc/inetws/a.conf', text)
    g.boot()
    r = g.run('systemctl', 'start', 'inetws@a')

Nothing that happens in there is seen outside, and all of it is gone with the
case.  Needs root; where that is not enough the case is skipped.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess

import launch
import proc
import tap

# $1 is an empty folder.  What is a file system of its own on this machine
# (/dev, /proc, /run) is an empty folder in the copy.  The kernel is not copied:
# whatever sets it up is kept away from it.
MAKE = r'''set -e
d=$1
mount -t tmpfs -o mode=755 guest "$d"
mkdir "$d/up" "$d/work" "$d/root"
mount -t overlay -o "lowerdir=/,upperdir=$d/up,workdir=$d/work" guest "$d/root"
cd "$d/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
mount -t tmpfs -o mode=755 run run
for f in null zero full random urandom tty; do
	: >dev/$f
	mount --bind /dev/$f dev/$f
done
mkdir dev/shm dev/pts run/lock old
mount -t devpts -o newinstance,ptmxmode=0666 pts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
rm -f usr/sbin/policy-rc.d
mkdir -p etc/tmpfiles.d
for f in tmp.conf x11.conf; do ln -sf /dev/null etc/tmpfiles.d/$f; done
for f in timers.target paths.target sockets.target systemd-sysctl.service \
    systemd-modules-load.service systemd-udevd.service \
    systemd-binfmt.service systemd-remount-fs.service systemd-pstore.service \
    systemd-random-seed.service sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-fs-fuse-connections.mount \
    dev-hugepages.mount dev-mqueue.mount; do
	ln -sf /dev/null etc/systemd/system/$f
done
rm -f etc/systemd/system/sysinit.target.wants/*
[ -s etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >etc/machine-id
pivot_root . old
umount -l old
echo made
# An init until told otherwise: no orphan stays a zombie.
exec env -i container=inetws PATH=/usr/sbin:/usr/bin:/sbin:/bin perl -e '
	$SIG{CHLD} = "IGNORE";
	<STDIN>;
	$SIG{CHLD} = "DEFAULT";
	open(STDIN, "<", "/dev/null");
	open(STDOUT, ">", "/dev/null");
	exec("/lib/systemd/systemd", "--system", "--unit=basic.target");'
'''


class Guest:
    def __init__(self):
        if os.getuid() != 0:
            raise tap.Skip('needs root')
        unshare, self.nsenter = proc.need('unshare', 'nsenter')
        if not os.access('/lib/systemd/systemd', os.X_OK):
            raise tap.Skip('systemd is not installed')
        self._cgroup()
        self.program = proc.Program(
            [unshare, '-p', '-f', '--kill-child', '-m', '-u', '-i', '-n',
             '-C', 'sh', '-c', MAKE, 'sh', proc.folder()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=self._enter)
        if self.program.stdout.readline() != b'made\n':
            raise tap.Skip('no namespaces or mounts here: ' +
                           self.program.wait_log())
        self.pid = proc.children(self.program.pid)[0]
        with self.net(), socket.socket() as s:
            name = struct.pack('16sh', b'lo', 0x41)     # up and running
            fcntl.ioctl(s, 0x8914, name)                # SIOCSIFFLAGS

    def _cgroup(self):
        """A control group for its init, so that guests do not meet."""
        top = proc.folder()
        if proc.run(['mount', '-t', 'cgroup2', 'cgroup2', top]).returncode:
            raise tap.Skip('cannot mount cgroup2 here')
        self.cgroup = '%s/inetws-guest-%d' % (top, os.getpid())
        proc.on_close(self._leave)
        try:
            os.mkdir(self.cgroup)
        except OSError as e:
            raise tap.Skip('no control group for us: %s' % e)
        self.top = top

    def _enter(self):
        with open(self.cgroup + '/cgroup.procs', 'w') as f:
            f.write('0')

    def _leave(self):
        """Its init was killed, and with it all that it ran."""
        def gone():
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
            return not os.path.exists(self.cgroup)
        proc.until(gone)
        proc.run(['umount', os.path.dirname(self.cgroup)])

    @contextlib.contextmanager
    def net(self):
        """Sockets, threads and programs made in here are in its network."""
        libc = ctypes.CDLL(None, use_errno=True)

        def enter(path):
            with open(path) as f:
                if libc.setns(f.fileno(), 0x40000000):  # CLONE_NEWNET
                    raise OSError(ctypes.get_errno(), path)
        with open('/proc/thread-self/ns/net') as home:
            enter('/proc/%d/ns/net' % self.pid)
            try:
                yield self
            finally:
                enter('/proc/self/fd/%d' % home.fileno())

    def at(self, path):
        """Where a file of the guest is for us."""
        return '/proc/%d/root%s' % (self.pid, path)

    def put(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        with open(self.at(path), 'w' if isinstance(text, str) else 'wb') as f:
            f.write(text)
        os.chmod(self.at(path), mode)

    def copy(self, source, path):
        os.makedirs(os.path.dirname(self.at(path)), exist_ok=True)
        shutil.copy(source, self.at(path))

    def install(self, package):
        """A package's files, if it is not installed on this machine."""
        if self.run('dpkg', '-s', package).returncode:
            shutil.copytree(launch.unpack(package), self.at('/'),
                            symlinks=True, dirs_exist_ok=True)

    def trust(self, cert):
        """Has it trust the authority of a certificate."""
        r = proc.run(['openssl', 'x509', '-noout', '-hash', '-in', cert.ca])
        self.copy(cert.ca, '/etc/ssl/certs/%s.0' % r.stdout.decode().strip())

    def command(self, *words):
        """What runs words in there."""
        return [self.nsenter, '-t', str(self.pid), '-m', '-u', '-i', '-n',
                '-p', '-C', '-r', '-w', '--', 'env', '-i',
                'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root',
                'DEBIAN_FRONTEND=noninteractive'] + list(words)

    def run(self, *words, **kw):
        kw.setdefault('timeout', 3 * proc.BOUND)
        r = proc.run(self.command(*words), **kw)
        r.stdout = r.stdout.decode('utf-8', 'replace')
        r.stderr = r.stderr.decode('utf-8', 'replace')
        return r

    def must(self, *words, **kw):
        """The output of what must succeed."""
        r = self.run(*words, **kw)
        if r.returncode:
            raise AssertionError('%s: %d\n%s%s' % (
                ' '.join(words), r.returncode, r.stdout, r.stderr))
        return r.stdout

    def program_in(self, *words, **kw):
        """A program that runs on in there."""
        return proc.Program(self.command(*words), **kw)

    def boot(self):
        self.program.stdin.write(b'go\n')
        self.program.stdin.flush()
        good = proc.until(lambda: self.run(
            'systemctl', 'is-active', 'basic.target').stdout == 'active\n'
            or not self.program.alive(), 2 * proc.BOUND, 0.2)
        if not good or not self.program.alive():
            raise tap.Skip('systemd does not start here: ' +
                           self.program.log)

    def journal(self, unit):
        return self.run('journalctl', '-q', '--no-pager', '-o', 'cat', '-u',
                        unit).stdout
