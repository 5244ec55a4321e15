# SPDX-License-Identifier: ISC
"""Filters of system calls (seccomp(2)) for a program: what an older kernel or
a container refuses it."""

import ctypes
import os
import struct

PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 22, 38


def op(code, jt, jf, k):
    return struct.pack('HBBI', code, jt, jf, k)


def refused(number, error, argument=None):
    """Instructions that let this call, with this first argument, fail with an
    error."""
    answer = op(0x06, 0, 0, 0x00050000 | error)
    if argument is None:
        return op(0x15, 0, 1, number) + answer
    return (op(0x15, 0, 4, number) + op(0x20, 0, 0, 16) +
            op(0x15, 0, 1, argument) + answer + op(0x20, 0, 0, 0))


def refused_bits(number, error, argument, bits):
    """The same where an argument (from 0) has all these bits."""
    return (op(0x15, 0, 5, number) + op(0x20, 0, 0, 16 + 8 * argument) +
            op(0x54, 0, 0, bits) + op(0x15, 0, 1, bits) +
            op(0x06, 0, 0, 0x00050000 | error) + op(0x20, 0, 0, 0))


def filtering(rules):
    """A preexec_fn that installs the filter."""
    def enter():
        program = op(0x20, 0, 0, 0) + rules + op(0x06, 0, 0, 0x7fff0000)
        code = ctypes.create_string_buffer(program, len(program))
        fprog = struct.pack('HxxxxxxP', len(program) // 8,
                            ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
                libc.prctl(PR_SET_SECCOMP, 2, fprog, 0, 0):
            os._exit(99)
    return enter
