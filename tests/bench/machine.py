# SPDX-License-Identifier: ISC
"""The machine a benchmark runs on: a network of its own, processes whose CPU
and memory are accounted together, and words that describe it."""

import ctypes
import fcntl
import os
import platform
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import time

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

LIBC = ctypes.CDLL(None, use_errno=True)


def read(path):
    with open(path) as f:
        return f.read()


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)


# ---------------------------------------------------------------- network

def unshare_network():
    """A network namespace, with a user namespace where we are not root."""
    uid, gid = os.geteuid(), os.getegid()
    if uid == 0:
        return LIBC.unshare(CLONE_NEWNET) == 0
    if LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        return False
    write('/proc/self/setgroups', 'deny')
    write('/proc/self/uid_map', '0 %d 1' % uid)
    write('/proc/self/gid_map', '0 %d 1' % gid)
    return True


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', IFF_UP))


def isolate():
    """Returns what kind of network this is, in words."""
    try:
        alone = unshare_network()
        if alone:
            loopback_up()
    except OSError:
        alone = False
    sysctl = '/proc/sys/net/ipv4/'
    done = []
    if alone:
        # Finished connections must not use up the ports.
        for name, value in (('tcp_congestion_control', 'reno'),
                            ('ip_local_port_range', '10000 65535'),
                            ('tcp_max_tw_buckets', '1024')):
            try:
                write(sysctl + name, value)
                done.append(name)
            except OSError:
                pass
    control = read(sysctl + 'tcp_congestion_control').strip()
    if not alone:
        return 'no network namespace permitted, %s' % control
    return 'network namespace of its own, %s' % control


class Ports:
    """Ports for contenders: any we like where the network is ours."""

    def __init__(self, alone):
        self.next = 2000 if alone else None

    def get(self):
        if self.next is not None:
            self.next += 1
            return self.next
        with socket.socket() as s:
            s.bind(('127.0.0.1', 0))
            return s.getsockname()[1]


def wait_port(port, alive, seconds=10):
    """Connect until a listener accepts.  alive() says whether to go on."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(('127.0.0.1', port)) == 0:
                return
        if not alive():
            raise RuntimeError('ended at once')
        select.select([], [], [], 0.01)
    raise RuntimeError('does not listen after %d s' % seconds)


# ------------------------------------------------------------- accounting

def mounts():
    for line in read('/proc/self/mounts').splitlines():
        yield line.split()[:4]


def own_cgroups():
    """{controller: path}, '' for version 2."""
    own = {}
    for line in read('/proc/self/cgroup').splitlines():
        _, names, path = line.split(':', 2)
        for name in names.split(','):
            own[name] = path
    return own


def make_cgroup(mount, path, name, files):
    """A directory that has these files, below path or one of its parents."""
    path = path.strip('/')
    while True:
        made = os.path.join(mount, path, name)
        try:
            os.mkdir(made)
            if all(os.path.exists(os.path.join(made, f)) for f in files):
                return made
            os.rmdir(made)
        except OSError:
            pass
        if path == '':
            return None
        path = os.path.dirname(path)


class Accounts:
    """How processes are accounted on this machine; .how says it."""

    def __init__(self):
        self.roots = self.v2() or self.v1() or []
        self.serial = 0

    def v2(self):
        for _, mount, kind, _ in mounts():
            if kind == 'cgroup2':
                found = self.root(mount, '', ('memory.current', 'cpu.stat'))
                if found:
                    self.how = 'cgroup version 2'
                    self.files = ('cpu.stat', 'memory.current')
                    return [found, found]
        return None

    def v1(self):
        found = {}
        for _, mount, kind, options in mounts():
            if kind != 'cgroup':
                continue
            for name, file in (('cpuacct', 'cpuacct.usage'),
                               ('memory', 'memory.usage_in_bytes')):
                if name in options.split(','):
                    found[name] = self.root(mount, name, (file,))
        if found.get('cpuacct') and found.get('memory'):
            self.how = 'cgroup version 1 (cpuacct and memory)'
            self.files = ('cpuacct.usage', 'memory.usage_in_bytes')
            return [found['cpuacct'], found['memory']]
        self.how = ('/proc, since no cgroup can be made here: CPU of children'
                    ' nobody waited for is missing, memory is PSS without'
                    ' page tables')
        return None

    def root(self, mount, name, files):
        """Where a trial directory could be made, and entered by a child."""
        own = own_cgroups().get(name, '/')
        made = make_cgroup(mount, own, 'inetws-bench-%d' % os.getpid(), files)
        if made is None:
            return None
        join = 'echo 0 > "$1/cgroup.procs"'
        ok = subprocess.run(['sh', '-c', join, 'sh', made],
                            stderr=subprocess.DEVNULL).returncode == 0
        os.rmdir(made)
        return os.path.dirname(made) if ok else None

    def group(self, name):
        self.serial += 1
        return Group(self, '%s-%d' % (name, self.serial))


class Group:
    """A contender's processes."""

    def __init__(self, accounts, name):
        self.accounts = accounts
        self.tops = []
        self.dirs = []
        for root in accounts.roots:
            made = os.path.join(root, 'inetws-bench-%d-%s' %
                                (os.getpid(), name))
            if made not in self.dirs:
                os.mkdir(made)
            self.dirs.append(made)

    def enter(self):
        """In the child, before the program."""
        os.setsid()
        for path in set(self.dirs):
            write(os.path.join(path, 'cgroup.procs'), '0')
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    def start(self, argv, **how):
        top = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                               preexec_fn=self.enter, **how)
        self.tops.append(top)
        return top

    def alive(self):
        return all(top.poll() is None for top in self.tops)

    def pids(self):
        if self.dirs:
            return [int(p) for p in
                    read(self.dirs[0] + '/cgroup.procs').split()]
        sessions = [top.pid for top in self.tops]
        return [pid for pid, stat in processes()
                if int(stat[3]) in sessions and stat[0] != 'Z']

    def cpu(self):
        """Seconds used so far, ended children included."""
        if not self.dirs:
            ticks = os.sysconf('SC_CLK_TCK')
            pids = self.pids()
            return sum(sum(map(int, stat[11:15])) for pid, stat in processes()
                       if pid in pids) / ticks
        words = read(os.path.join(self.dirs[0], self.accounts.files[0]))
        if words.startswith('usage_usec'):
            return int(words.split()[1]) / 1e6
        return int(words) / 1e9

    def memory(self):
        """Bytes charged now."""
        if self.dirs:
            return int(read(os.path.join(self.dirs[1],
                                         self.accounts.files[1])))
        return sum(pss(pid) for pid in self.pids())

    def steady_memory(self, least=2.0, most=8.0):
        """Once it no longer changes, which may be after a timer of theirs."""
        begun = time.monotonic()
        seen = []
        while True:
            seen.append(self.memory())
            waited = time.monotonic() - begun
            last = seen[-4:]
            steady = len(last) == 4 and max(last) - min(last) < max(last) / 200
            if waited > most or (waited > least and steady):
                return seen[-1]
            select.select([], [], [], 0.25)

    def stop(self):
        """End them: asked first, then each by its number."""
        for top in self.tops:
            if top.poll() is None:
                top.terminate()
        until = time.monotonic() + 2
        while self.pids() and time.monotonic() < until:
            for top in self.tops:
                top.poll()
            select.select([], [], [], 0.02)
        until = time.monotonic() + 5
        while self.pids() and time.monotonic() < until:
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            for top in self.tops:
                top.poll()
            select.select([], [], [], 0.02)
        for top in self.tops:
            top.wait(5)
        for path in set(self.dirs):
            remove_cgroup(path)
        self.tops, self.dirs = [], []


def remove_cgroup(path, seconds=5):
    """Exited processes leave theirs a moment after they are gone."""
    until = time.monotonic() + seconds
    while True:
        try:
            os.rmdir(path)
            return
        except FileNotFoundError:
            return
        except OSError:
            if time.monotonic() > until:
                return
            select.select([], [], [], 0.02)


def processes():
    """(pid, fields of stat from the state on) of everybody."""
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            yield int(name), read('/proc/%s/stat' % name).rpartition(
                ')')[2].split()
        except OSError:
            pass


def pss(pid):
    try:
        for line in read('/proc/%d/smaps_rollup' % pid).splitlines():
            if line.startswith('Pss:'):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


# ------------------------------------------------------------ description

def more_files():
    """As many descriptors as we may have; how many that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def available_memory():
    for line in read('/proc/meminfo').splitlines():
        if line.startswith('MemAvailable:'):
            return int(line.split()[1]) * 1024
    return 0


def describe():
    model = 'unknown CPU'
    for line in read('/proc/cpuinfo').splitlines():
        if line.startswith('model name'):
            model = line.partition(':')[2].strip()
            break
    virtual = 'hypervisor' in read('/proc/cpuinfo')
    return '%d cores of %s%s, %.0f GiB, Linux %s' % (
        os.cpu_count(), model, ' (virtual machine)' if virtual else '',
        os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30,
        platform.release())


def find(*names):
    """The first of these programs that is installed, or None."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    return None
