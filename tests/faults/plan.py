# SPDX-License-Identifier: ISC
"""The plan of faults.c: a file that it and this program map.

    p = Plan(seed, {'short': .1, 'read.gone': .001}); p.env(); p.arm()
"""

import collections
import ctypes
import errno
import mmap
import os
import re

import proc

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('INETWS_FAULTS_LIB') or \
    os.path.join(proc.ROOT, 'build', 'tests', 'faults')
LIBRARY = os.path.join(BUILD, 'faults.so')
PLUG = os.path.join(BUILD, 'plug')
TOLD = 4096


def _names(what):
    with open(os.path.join(HERE, 'faults.c')) as f:
        text = f.read()
    body = re.search(r'#define %s\(X\)((?:.*\\\n)*.*)' % what, text)[1]
    return re.findall(r'X\((\w+)\)', body)


KINDS, EFFECTS = _names('KINDS'), _names('EFFECTS')


class Told(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int32) for n in ('pid', 'fd', 'error')] + [
        ('kind', ctypes.c_uint8), ('effect', ctypes.c_uint8),
        ('process', ctypes.c_uint16), ('n', ctypes.c_uint64)]


class Page(ctypes.Structure):
    _fields_ = [('seed', ctypes.c_uint64), ('name', ctypes.c_char * 16),
                ('armed', ctypes.c_uint32), ('attached', ctypes.c_uint32),
                ('rate', ctypes.c_uint32 * len(EFFECTS) * len(KINDS)),
                ('calls', ctypes.c_uint64 * len(KINDS)),
                ('done', ctypes.c_uint64 * len(EFFECTS) * len(KINDS)),
                ('ntold', ctypes.c_uint64), ('told', Told * TOLD)]


def lacking():
    """Why no faults can be had here, or ''."""
    if proc.SANITIZED:
        return 'the sanitizers want to be loaded first'
    if not os.path.exists(LIBRARY):
        return '%s is not built (make unit)' % LIBRARY
    probe = Plan(1, {})
    proc.run_inetws('--version', env=dict(os.environ, **probe.env()))
    return '' if probe.page.attached else \
        '%s does not load libraries (static?)' % proc.INETWS


class Plan:
    """rates: by effect, or by KIND.EFFECT, which counts more."""

    def __init__(self, seed, rates):
        self.path = os.path.join(proc.folder(), 'plan')
        with open(self.path, 'w+b') as f:
            f.truncate(ctypes.sizeof(Page))
            self.map = mmap.mmap(f.fileno(), ctypes.sizeof(Page))
        os.chmod(self.path, 0o666)
        self.page = Page.from_buffer(self.map)
        self.page.seed = seed
        self.page.name = os.path.basename(proc.INETWS).encode()[:15]
        for i, kind in enumerate(KINDS):
            for j, effect in enumerate(EFFECTS):
                rate = rates.get(kind + '.' + effect, rates.get(effect, 0))
                self.page.rate[i][j] = min(int(rate * (1 << 32)),
                                           (1 << 32) - 1)

    def env(self):
        return {'LD_PRELOAD': LIBRARY, 'INETWS_FAULTS': self.path}

    def arm(self, on=True):
        self.page.armed = on

    def calls(self):
        return {k: self.page.calls[i] for i, k in enumerate(KINDS)}

    def done(self):
        """Counter: {'read.short': 17, ...}"""
        return collections.Counter({
            k + '.' + e: self.page.done[i][j] for i, k in enumerate(KINDS)
            for j, e in enumerate(EFFECTS) if self.page.done[i][j]})

    def tell(self, but=('short', 'intr', 'again', 'slow')):
        """The last faults, for a person."""
        n = self.page.ntold
        lines = []
        for i in range(max(0, n - TOLD), n):
            t = self.page.told[i % TOLD]
            if EFFECTS[t.effect] not in but:
                lines.append('pid %d: %s.%s number %d, descriptor %d, %s' % (
                    t.pid, KINDS[t.kind], EFFECTS[t.effect], t.n, t.fd,
                    errno.errorcode.get(t.error, t.error)))
        return lines
