# SPDX-License-Identifier: ISC
"""Two network namespaces and a link between them.  Needs root and the right
to make them, else the case is skipped."""

import os
import time

import proc
import tap

NEAR, FAR = '10.91.0.1', '10.91.0.2'


class Pair:
    """.near(words) and .far(words): the command to run words in one of them.
    The link between 10.91.0.1 and 10.91.0.2 is up until down()."""

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
        near, far = self.pids
        r = proc.run(self.near([self.ip, 'link', 'add', 'wire', 'type',
                                'veth', 'peer', 'name', 'wire', 'netns',
                                far]))
        if r.returncode:
            raise tap.Skip('no virtual links here: %s' % r.stderr.decode())
        for where, address in ((self.near, NEAR), (self.far, FAR)):
            self._ip(where, 'address', 'add', address + '/24', 'dev', 'wire')
            for link in ('lo', 'wire'):
                self._ip(where, 'link', 'set', link, 'up')

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

    def down(self, seconds):
        """The far end of the link is down for so long: nothing gets through,
        and nobody is told."""
        self._ip(self.far, 'link', 'set', 'wire', 'down')
        time.sleep(seconds)
        self._ip(self.far, 'link', 'set', 'wire', 'up')

    def renumber(self, address):
        """The near end gets another address, as a laptop does that moves."""
        self._ip(self.near, 'address', 'flush', 'dev', 'wire')
        self._ip(self.near, 'address', 'add', address + '/24', 'dev', 'wire')
