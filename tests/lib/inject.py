# SPDX-License-Identifier: ISC
"""System calls that are made in another process, as an intruder there could
make them.  For root on x86-64; the process must be waiting in a system call.
"""

import ctypes
import errno
import os
import platform
import signal
import struct
import sys

import proc

NAMES = ('r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax '
         'rip cs eflags rsp ss fs_base gs_base ds es fs gs').split()
GETREGS, SETREGS, SINGLESTEP, CONT = 12, 13, 9, 7
SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long


def lacking():
    """Why this is not possible here, or ''."""
    if sys.platform != 'linux' or platform.machine() != 'x86_64':
        return 'needs Linux on x86-64'
    return '' if os.geteuid() == 0 else 'needs root'


def _ptrace(what, pid, addr=0, data=None):
    if LIBC.ptrace(what, pid, addr, data) == -1:
        e = ctypes.get_errno()
        raise OSError(e, 'ptrace %#x: %s' % (what, os.strerror(e)))


class Killed(Exception):
    """The process was killed by a signal; .args[0]."""


class Inside:
    """with Inside(pid) as p: p.call(nr, ...); bytes become pointers."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        _ptrace(SEIZE, self.pid)
        if not proc.until(self._stops_in_call):
            raise AssertionError('%d waits in no system call' % self.pid)
        return self

    def _stops_in_call(self):
        """Stops it; it runs on if it was in no system call."""
        _ptrace(INTERRUPT, self.pid)
        self._wait()
        self.old = self._regs()
        with open('/proc/%d/mem' % self.pid, 'rb') as f:
            f.seek(self.old['rip'] - 2)
            if f.read(2) == b'\x0f\x05':
                return True
        _ptrace(CONT, self.pid)
        return False

    def __exit__(self, kind, value, trace):
        if kind is Killed:
            return
        self._set(self.old)
        _ptrace(DETACH, self.pid)

    def _wait(self):
        status = os.waitpid(self.pid, 0x40000000)[1]    # __WALL
        if os.WIFSIGNALED(status):
            raise Killed(os.WTERMSIG(status))
        if not os.WIFSTOPPED(status):
            raise AssertionError('wait status %#x' % status)

    def _regs(self):
        buf = ctypes.create_string_buffer(8 * len(NAMES))
        _ptrace(GETREGS, self.pid, 0, ctypes.addressof(buf))
        return dict(zip(NAMES, struct.unpack('%dQ' % len(NAMES), buf.raw)))

    def _set(self, regs):
        raw = struct.pack('%dQ' % len(NAMES), *(regs[n] for n in NAMES))
        buf = ctypes.create_string_buffer(raw, len(raw))
        _ptrace(SETREGS, self.pid, 0, ctypes.addressof(buf))

    def call(self, number, *args):
        """Makes a system call; its result, which is a negative errno if it
        fails."""
        regs = dict(self.old)
        at = (regs['rsp'] - 4096) & ~15
        words = []
        with open('/proc/%d/mem' % self.pid, 'r+b', buffering=0) as f:
            for a in args:
                if isinstance(a, bytes):
                    f.seek(at)
                    f.write(a + b'\0')
                    words.append(at)
                    at += (len(a) + 16) & ~15
                else:
                    words.append(a & 0xffffffffffffffff)
        words += [0] * (6 - len(words))
        regs.update(zip(('rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'), words))
        regs.update(rax=number, orig_rax=0xffffffffffffffff,
                    rip=self.old['rip'] - 2)
        self._set(regs)
        _ptrace(SINGLESTEP, self.pid)
        self._wait()
        value = self._regs()['rax']
        return value - (1 << 64) if value >> 63 else value

    def error(self, number, *args):
        """Makes a system call; the name of its error, or ''."""
        r = self.call(number, *args)
        return errno.errorcode.get(-r, str(r)) if r < 0 else ''


def dies(pid, number, *args):
    """Does this call kill the process?  The name of the signal, or ''."""
    try:
        with Inside(pid) as p:
            p.call(number, *args)
    except Killed as e:
        return signal.Signals(e.args[0]).name
    return ''
