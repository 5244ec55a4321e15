# SPDX-License-Identifier: ISC
"""A table of the launchers that Debian packages, and inetws under each of
them."""

import os

import daemons
import launchers
import proc
import tap

# ncat ends everything at the first end of file.
NO_HALF_CLOSE = ['ncat --sh-exec']

# name: (launcher, words of ours, log, does it know the peer?)
TABLE = {
    'openbsd-inetd nowait':
        (launchers.openbsd_inetd('nowait'), [], 'syslog', True),
    'openbsd-inetd wait':
        (launchers.openbsd_inetd('wait'), [], 'syslog', True),
    'inetutils-inetd nowait':
        (launchers.inetutils_inetd('nowait'), [], 'syslog', True),
    'inetutils-inetd wait':
        (launchers.inetutils_inetd('wait'), [], 'syslog', True),
    'xinetd nowait': (launchers.xinetd('no'), [], 'syslog', True),
    'xinetd wait': (launchers.xinetd('yes'), [], 'syslog', True),
    'tcpserver': (launchers.tcpserver, [], 'stderr', True),
    'tcpsvd': (launchers.tcpsvd, [], 'stderr', True),
    's6-ipcserver': (launchers.s6_ipcserver, [], 'stderr', False),
    'socat EXEC': (launchers.socat, [], 'stderr', True),
    'ncat --sh-exec': (launchers.ncat, ['-l', '-'], 'stderr', True),
    'systemd-socket-activate':
        (launchers.socket_activate(), [], 'stderr', True),
    'systemd-socket-activate -a':
        (launchers.socket_activate('-a'), [], 'stderr', True),
    'systemd-socket-activate --inetd':
        (launchers.socket_activate('--inetd'), [], 'stderr', True),
    'systemd-socket-activate -a --inetd':
        (launchers.socket_activate('-a', '--inetd'), [], 'stderr', True),
    'systemd-socket-activate, named':
        (launchers.socket_activate('--fdname=web'), ['-l', 'systemd:web'],
         'stderr', True),
}


class Launched:
    """inetws, started by a launcher."""

    def __init__(self, name, mode, goal):
        start, words, log, self.knows = TABLE[name]
        command = [proc.INETWS, mode, '-v'] + words + [goal]
        self.syslog = None
        if log == 'syslog':
            if os.getuid() != 0:
                raise tap.Skip('needs root')
            self.syslog = launchers.Syslog()
            self.program, self.where = start(
                daemons.free_port(), command, prefix=self.syslog.prefix())
        else:
            self.program, self.where = start(daemons.free_port(), command)

    def logged(self, sock, name):
        if not self.knows:
            return
        peer = 'peer=%s:%d ' % sock
        good = (self.syslog.has(peer) if self.syslog else
                self.program.has_line(peer))
        if not tap.ok(good, '%s: the log knows the peer' % name) and \
                self.syslog:
            tap.diag('\n'.join(self.syslog.lines))

    def url(self):
        return ('ws://127.0.0.1:%d/' % self.where
                if isinstance(self.where, int) else
                'ws+unix:%s:/' % self.where)
