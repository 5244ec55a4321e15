# SPDX-License-Identifier: ISC
"""A container with a copy of this machine's files: its root file system under
an overlay in memory, in namespaces of its own, with systemd as its init.

    g = container.Container()
    g.put('/etc/inetws/a.conf', text)
    g.boot()
    r = g.run('systemctl', 'start', 'inetws@a')

A test may change anything in it: nothing is seen outside, and it is removed
after the case.  It needs root; where that is not enough the case is skipped.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess

import daemons
import ca
import launchers
import netns
import proc
import tap

# $1 is an empty folder.  What is a file system of its own on this machine
# (/dev, /proc, /run) is an empty folder in the copy.  The kernel is not copied:
# whatever sets it up is kept away from it.
MAKE = r'''set -e
d=$1
mount -t tmpfs -o mode=755 container "$d"
mkdir "$d/up" "$d/work" "$d/root"
mount -t overlay -o "lowerdir=/,upperdir=$d/up,workdir=$d/work" container \
    "$d/root"
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
	exit unless defined(<STDIN>);
	$SIG{CHLD} = "DEFAULT";
	open(STDIN, "<", "/dev/null");
	open(STDOUT, ">", "/dev/null");
	exec("/lib/systemd/systemd", "--system", "--unit=basic.target");'
'''


# A control group for its init, one a container.  $1 is a folder to mount them
# at, for this process only; $2 is its name.
ENTER = r'''set -e
mount -t cgroup2 cgroup2 "$1"
mkdir "$1/$2"
echo $$ >"$1/$2/cgroup.procs"
umount "$1"
shift 2
exec "$@"'''

LEAVE = r'''mount -t cgroup2 cgroup2 "$1" || exit
while [ -d "$1/$2" ]; do
	find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.05
done'''


class Container:
    def __init__(self):
        if os.getuid() != 0:
            raise tap.Skip('needs root')
        self.unshare, self.nsenter = proc.need('unshare', 'nsenter')
        if not os.access('/lib/systemd/systemd', os.X_OK):
            raise tap.Skip('systemd is not installed')
        self.cgroup = 'inetws-container-%d-%d' % (os.getpid(), id(self))
        self.program = proc.Program(
            self._in_groups(ENTER) +
            [self.unshare, '-p', '-f', '--kill-child', '-m', '-u', '-i', '-n',
             '-C', 'sh', '-c', MAKE, 'sh', proc.folder()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            # PR_SET_PDEATHSIG: not longer than this test, however it ends.
            preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        proc.on_close(self._leave)
        if self.program.stdout.readline() != b'made\n':
            raise tap.Skip('no namespaces or mounts here: ' +
                           self.program.wait_log())
        self.pid = proc.children(self.program.pid)[0]
        with self.net(), socket.socket() as s:
            name = struct.pack('16sh', b'lo', 0x41)     # up and running
            fcntl.ioctl(s, 0x8914, name)                # SIOCSIFFLAGS
        # A unit does not let a leak checker trace, which then spoils the
        # exit status.
        self.put('/etc/systemd/system.conf.d/leaks.conf',
                 '[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n')

    def _in_groups(self, script):
        return [self.unshare, '-m', 'sh', '-c', script, 'sh', proc.folder(),
                self.cgroup]

    def _leave(self):
        """Kills its init, which ends all its processes."""
        proc.run(self._in_groups(LEAVE))

    def net(self):
        """Sockets, threads and programs made within this context are in its
        network."""
        return netns.inside(self.pid)

    def at(self, path):
        """The path of a file of the container outside of it."""
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
        """Installs the files of a package, if this machine does not have it.
        """
        if all(self.run('dpkg', '-s', name).returncode
               for name in launchers.names(package)):
            shutil.copytree(launchers.unpack(package), self.at('/'),
                            symlinks=True, dirs_exist_ok=True)

    def site(self, locations, *names):
        """Starts nginx with TLS at port 443 in the container.  The container
        resolves the names of the site, and trusts its certificate."""
        cert = ca.certificate(['DNS:' + n for n in names])
        r = proc.run(['openssl', 'x509', '-noout', '-hash', '-in', cert.ca])
        self.copy(cert.ca, '/etc/ssl/certs/%s.0' % r.stdout.decode().strip())
        self.put('/etc/hosts', '127.0.0.1 localhost %s\n' % ' '.join(names))
        with self.net():
            daemons.nginx_site(443, 'server { listen 443 ssl; ssl_certificate '
                               '%s; ssl_certificate_key %s; %s }' % (
                                   cert.cert, cert.key, locations))

    def command(self, *words):
        """The command that runs these words in the container."""
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
        """Runs a command that must succeed; its output."""
        r = self.run(*words, **kw)
        if r.returncode:
            raise AssertionError('%s: %d\n%s%s' % (
                ' '.join(words), r.returncode, r.stdout, r.stderr))
        return r.stdout

    def program_in(self, *words, **kw):
        """Starts a program in the container that goes on running."""
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

    def journal(self, unit=None):
        """The journal of a unit, or all of it: a line that came by syslog(3)
        from a process that had ended belongs to no unit."""
        return self.run('journalctl', '-q', '--no-pager', '-o', 'cat',
                        *(['-u', unit] if unit else [])).stdout
