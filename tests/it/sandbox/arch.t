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
import functools        # noqa: E402
import glob             # noqa: E402
import re               # noqa: E402

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


def headers(name, triplet):
    """The folders to include from, of another architecture or multiarch."""
    for cross in glob.glob('/usr/%s/include' % triplet):
        if os.path.exists(cross + '/asm/unistd.h'):
            return (cross,)
    for multi in glob.glob('/usr/include/' + triplet):
        if os.path.exists(multi + '/asm/unistd.h'):
            return (multi, '/usr/include')
    raise t.Skip('no numbers, install linux-libc-dev-%s-cross' % name)


def preprocessed(where, defines, text, *options):
    """As the compiler of that architecture sees it."""
    r = t.run([CC, '-E', '-undef', '-nostdinc', '-x', 'c', *options] +
              ['-D' + d for d in defines] +
              [a for d in where for a in ('-isystem', d)] + ['-'],
              input=text.encode())
    if r.returncode:
        raise AssertionError(r.stderr.decode())
    return r.stdout.decode()


def numbers(where, defines, folder):
    """An asm/unistd.h with all numbers and nothing else."""
    lines = [x for x in preprocessed(
        where, defines, '#include <asm/unistd.h>\n', '-dM').splitlines()
        if x.startswith('#define __NR')]
    for name, text in (('asm/unistd.h', '\n'.join(lines) + '\n'),
                       ('sys/syscall.h', '#include <asm/unistd.h>\n')):
        os.makedirs(os.path.dirname(os.path.join(folder, name)))
        with open(os.path.join(folder, name), 'w') as f:
            f.write(text)
    return len(lines)


def meaning(where, defines, header, name):
    """What a macro of a header stands for there."""
    out = preprocessed(where, defines, '#include <%s>\nmeans %s\n' %
                       (header, name))
    return re.sub(r'(?m)^#.*|\s', '', out).rpartition('means')[2]


def table(name, triplet, defines, audit):
    where = headers(name, triplet)
    d = t.folder()
    t.ok(numbers(where, defines, d) > 250, name + ': its numbers')
    t.is_(meaning((d, *where, t.ROOT + '/src'), defines,
                  'sandbox/linux_arch.h', 'SANDBOX_ARCH'),
          meaning(where, defines, 'linux/audit.h', 'AUDIT_ARCH_' + audit),
          name + ': is taken for itself')
    source = [os.path.join(t.ROOT, x) for x in (
        'src/sandbox/linux_calls.c', 'src/sandbox/linux_refused.c',
        'tests/unit/sandbox/calls.c')]
    os.remove(d + '/sys/syscall.h')
    r = t.run([CC, '-O1', '-std=gnu11', '-D_GNU_SOURCE', '-DSANDBOX_linux',
               '-DSANDBOX_ARCH=AUDIT_ARCH_' + audit, '-I' + d,
               '-I' + t.ROOT + '/src', '-I' + t.ROOT + '/tests/unit', '-o',
               d + '/calls'] + source)
    t.is_(r.returncode, 0, name + ': the table is built')
    if r.returncode != 0:
        print('# ' + r.stderr.decode().replace('\n', '\n# '))
        return
    r = t.run([d + '/calls'])
    t.is_(r.returncode, 0, name + ': each call is answered as it should')
    if r.returncode != 0:
        print('# ' + r.stdout.decode().replace('\n', '\n# '))


def test_all():
    with open(os.path.join(t.ROOT, 'src/sandbox/linux_arch.h')) as f:
        known = re.findall(r'define SANDBOX_ARCH\s+AUDIT_ARCH_(\w+)', f.read())
    t.is_(sorted(known), sorted(a[3] for a in ARCHES),
          'every architecture with a table is tried')


for arch in ARCHES:
    globals()['test_' + arch[0]] = functools.partial(table, *arch)

t.main()
