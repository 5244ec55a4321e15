#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The sandbox's tables of system calls on other architectures, each built from
that architecture's own numbers and interpreted here.  These come from
linux-libc-dev-ARCH-cross, or Debian's multiarch headers.

If it fails: there, an intruder has more of the kernel to attack, or tunnels
fail.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

# Debian's name, the triplet, what its compiler defines, AUDIT_ARCH_
ARCHES = (
    ('amd64', 'x86_64-linux-gnu', ('__x86_64__', '__LP64__'), 'X86_64'),
    ('i386', 'i?86-linux-gnu', ('__i386__',), 'I386'),
    ('arm64', 'aarch64-linux-gnu', ('__aarch64__', '__LP64__'), 'AARCH64'),
    ('armhf', 'arm-linux-gnueabihf', ('__arm__', '__ARM_EABI__'), 'ARM'),
    ('riscv64', 'riscv64-linux-gnu',
     ('__riscv', '__riscv_xlen=64', '__LP64__',
      '__SIZEOF_POINTER__=8'), 'RISCV64'),
    ('ppc64el', 'powerpc64le-linux-gnu',
     ('__powerpc64__', '__powerpc__', '__LITTLE_ENDIAN__', '__LP64__'),
     'PPC64LE'),
    ('s390x', 's390x-linux-gnu', ('__s390x__', '__s390__', '__LP64__'),
     'S390X'),
)

if sys.platform != 'linux':
    t.skip_all('the tables are for Linux')
CC, = t.need('cc')


def headers(triplet):
    """The folders to include from, of another architecture or multiarch."""
    import glob
    for cross in glob.glob('/usr/%s/include' % triplet):
        if os.path.exists(cross + '/asm/unistd.h'):
            return (cross,)
    for multi in glob.glob('/usr/include/' + triplet):
        if os.path.exists(multi + '/asm/unistd.h'):
            return (multi, '/usr/include')
    return None


def numbers(where, defines, folder):
    """An asm/unistd.h with all numbers and nothing else."""
    r = t.run([CC, '-E', '-dM', '-undef', '-nostdinc', '-x', 'c'] +
              ['-D' + d for d in defines] +
              [a for d in where for a in ('-isystem', d)] + ['-'],
              input=b'#include <asm/unistd.h>\n')
    lines = [x for x in r.stdout.decode().splitlines()
             if x.startswith('#define __NR')]
    os.mkdir(folder + '/asm')
    with open(folder + '/asm/unistd.h', 'w') as f:
        f.write('\n'.join(lines) + '\n')
    return len(lines)


def test_tables():
    for name, triplet, defines, audit in ARCHES:
        where = headers(triplet)
        if where is None:
            print('# %s is not tried: no numbers, install '
                  'linux-libc-dev-%s-cross' % (name, name))
            continue
        d = t.folder()
        t.ok(numbers(where, defines, d) > 250, name + ': its numbers')
        source = [os.path.join(t.ROOT, x) for x in (
            'src/sandbox/linux_calls.c', 'src/sandbox/linux_refused.c',
            'tests/unit/sandbox/calls.c')]
        r = t.run([CC, '-O1', '-std=gnu11', '-D_GNU_SOURCE',
                   '-DSANDBOX_linux', '-DSANDBOX_ARCH=AUDIT_ARCH_' + audit,
                   '-I' + d, '-I' + t.ROOT + '/src',
                   '-I' + t.ROOT + '/tests/unit', '-o', d + '/calls'] +
                  source)
        t.is_(r.returncode, 0, name + ': the table is built')
        if r.returncode != 0:
            print('# ' + r.stderr.decode().replace('\n', '\n# '))
            continue
        r = t.run([d + '/calls'])
        t.is_(r.returncode, 0, name + ': each call is answered as it should')
        if r.returncode != 0:
            print('# ' + r.stdout.decode().replace('\n', '\n# '))


t.main()
