# SPDX-License-Identifier: ISC
"""Two network namespaces and a link between them, which may break or be slow.
Needs root and the right to make them, else the case is skipped."""

import contextlib
import ctypes
import fcntl
import os
import queue
import re
import select
import struct
import threading
import time

import proc
import tap

NEAR, FAR = '10.91.0.1', '10.91.0.2'


@contextlib.contextmanager
def inside(pid):
    """Sockets, threads and programs made within this context are in the
    network of this process."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        with open(path) as f:
            if libc.setns(f.fileno(), 0x40000000):      # CLONE_NEWNET
                raise OSError(ctypes.get_errno(), path)
    with open('/proc/thread-self/ns/net') as home:
        enter('/proc/%d/ns/net' % pid)
        try:
            yield
        finally:
            enter('/proc/self/fd/%d' % home.fileno())


class Two:
    """.near(words) and .far(words): the command to run words in one of them.
    .in_near() and .in_far(): to be there oneself."""

    def __init__(self):
        self.ip, unshare, self.nsenter = proc.need('ip', 'unshare', 'nsenter')
        if os.getuid() != 0:
            raise tap.Skip('network namespaces need root')
        self.pids = []
        for _ in range(2):
            p = proc.Program([unshare, '-n', 'sleep', '600'])
            if not proc.until(lambda: self._apart(p.pid) or not p.alive()) \
                    or not p.alive():
                raise tap.Skip('no network namespaces here: ' + p.wait_log())
            self.pids.append(p.pid)

    @staticmethod
    def _apart(pid):
        try:
            return os.readlink('/proc/%d/ns/net' % pid) != \
                os.readlink('/proc/self/ns/net')
        except OSError:
            return False

    def _ip(self, where, *words):
        r = proc.run(where([self.ip] + list(words)))
        if r.returncode:
            raise AssertionError('ip %s: %s' % (words, r.stderr))

    def _in(self, pid, words):
        return [self.nsenter, '-n', '-t', str(pid)] + [str(w) for w in words]

    def near(self, words):
        return self._in(self.pids[0], words)

    def far(self, words):
        return self._in(self.pids[1], words)

    def in_near(self):
        return inside(self.pids[0])

    def in_far(self):
        return inside(self.pids[1])


class Pair(Two):
    """A link between 10.91.0.1 and 10.91.0.2, which is up until down()."""

    def __init__(self):
        super().__init__()
        near, far = self.pids
        r = proc.run(self.near([self.ip, 'link', 'add', 'link0', 'type',
                                'veth', 'peer', 'name', 'link0', 'netns',
                                far]))
        if r.returncode:
            raise tap.Skip('no virtual links here: %s' % r.stderr.decode())
        for where, address in ((self.near, NEAR), (self.far, FAR)):
            self._ip(where, 'address', 'add', address + '/24', 'dev', 'link0')
            for link in ('lo', 'link0'):
                self._ip(where, 'link', 'set', link, 'up')

    def link_local(self):
        """The fe80:: address of the far end, when both ends may use theirs; or
        None."""
        for where in (self.near, self.far):
            r = proc.run(where([self.ip, '-6', '-o', 'address', 'show', 'dev',
                                'link0', 'scope', 'link', '-tentative']))
            found = re.search(r'(fe80::[0-9a-f:]+)/', r.stdout.decode())
            if not found:
                return None
        return found[1]

    def down(self, seconds):
        """Takes the far end of the link down for some seconds: nothing gets
        through, and neither end is told."""
        self._ip(self.far, 'link', 'set', 'link0', 'down')
        time.sleep(seconds)
        self._ip(self.far, 'link', 'set', 'link0', 'up')

    def renumber(self, address):
        """Gives the near end another address, as a laptop has in another
        network."""
        self._ip(self.near, 'address', 'flush', 'dev', 'link0')
        self._ip(self.near, 'address', 'add', address + '/24', 'dev', 'link0')


class Slow(Two):
    """The link takes so many seconds each way: the packets pass through this
    process (as they would through netem, which few kernels have)."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.open, ends = seconds, True, []
        for pid, where, here, there in (
                (self.pids[0], self.near, NEAR, FAR),
                (self.pids[1], self.far, FAR, NEAR)):
            try:
                with inside(pid):
                    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
                    ends.append(fd)
                    # TUNSETIFF, IFF_TUN | IFF_NO_PI
                    fcntl.ioctl(fd, 0x400454ca,
                                struct.pack('16sH14x', b'link0', 0x1001))
            except OSError as e:
                raise tap.Skip('no /dev/net/tun here: %s' % e)
            self._ip(where, 'address', 'add', here, 'peer', there, 'dev',
                     'link0')
            for link in ('lo', 'link0'):
                self._ip(where, 'link', 'set', link, 'up')
        self.threads = []
        for a, b in (ends, ends[::-1]):
            line = queue.Queue()
            self._thread(self._take, a, line)
            self._thread(self._give, b, line)
        proc.on_close(lambda: self._close(ends))

    def _thread(self, function, *args):
        th = threading.Thread(target=function, args=args, daemon=True)
        self.threads.append(th)
        th.start()

    def _take(self, fd, line):
        try:
            while self.open:
                if select.select([fd], [], [], 0.1)[0]:
                    line.put((time.monotonic() + self.seconds,
                              os.read(fd, 1 << 16)))
        except OSError:
            pass                    # its namespace is gone
        line.put((0, None))

    def _give(self, fd, line):
        while True:
            when, packet = line.get()
            if packet is None:
                return
            time.sleep(max(0, when - time.monotonic()))
            try:
                os.write(fd, packet)
            except OSError:
                pass                # a packet that is lost

    def _close(self, ends):
        self.open = False
        for th in self.threads:
            th.join()
        for fd in ends:
            os.close(fd)
