#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The static programs that `make release` builds (contrib/release), if it has
been run: one small file that needs nothing around it.

If it fails: what people copy to a router or a container does not start there.
"""

import glob
import os
import platform
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'lib'))
os.environ['INETWS_NO_BINARY'] = '1'
import inetws as t      # noqa: E402

BUILT = sorted(glob.glob(os.path.join(
    t.ROOT, 'build', 'release', 'inetws-*-linux-*')))


def ours():
    """The one for this machine."""
    for path in BUILT:
        if path.endswith('-linux-' + platform.machine()):
            return path
    raise t.Skip('make release has not been run')


def test_other_linkers():
    """That of the cross compiler has no --wrap, which a static program would
    like to have: it does without."""
    make, cc = t.need('make', 'cc')
    poor = t.folder() + '/cc'
    with open(poor, 'w') as f:
        f.write('#!/bin/sh\ncase "$*" in *--wrap*) exit 1 ;; esac\n'
                'exec %s "$@"\n' % cc)
    os.chmod(poor, 0o755)
    for compiler, wraps in ((cc, True), (poor, False)):
        r = t.run(['env', '-u', 'MAKEFLAGS', make, '-C', t.ROOT, '-n',
                   'STATIC=1', 'VARIANT=none', 'CC=' + compiler, 'all'])
        out = r.stdout.decode()
        t.is_((r.returncode, '--wrap=OPENSSL' in out,
               '-DOPENSSL_ASKS_LATE' in out), (0, wraps, wraps),
              'OpenSSL asks late if the linker can do it: %s' % wraps)


def test_files():
    readelf, = t.need('readelf')
    if not BUILT:
        raise t.Skip('make release has not been run')
    for path in BUILT:
        name = os.path.basename(path)
        t.ok(os.path.getsize(path) <= 6 << 20, '%s: %d KiB' % (
            name, os.path.getsize(path) >> 10))
        r = t.run([readelf, '-lW', path])
        t.unlike(r.stdout.decode(), 'INTERP|DYNAMIC', name + ' is static')


def test_emulated():
    """Those for other machines, by qemu-user in the root of this one."""
    others = [p for p in BUILT
              if not p.endswith('-linux-' + platform.machine())]
    if not others:
        raise t.Skip('make release has not been run for other machines')
    for path in others:
        name = os.path.basename(path)
        emulator, = t.need('qemu-' + name.rpartition('-')[2].replace('v7', ''))
        r = t.run([emulator, path, '--version'])
        t.like(r.stdout.decode(), r'^inetws \d.*\nOpenSSL 3\.',
               name + ' starts')
        tunnel([emulator, path], 'a tunnel works')


def tunnel(run, what):
    name, = t.listening(t.Program(run + [
        'server', '-l', '127.0.0.1:0', '127.0.0.1:%d' % t.echo().port]))
    p = subprocess.run(run + ['connect', 'ws://%s/' % name],
                       input=b'hello', stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, timeout=t.SCALE * 20)
    t.is_((p.returncode, p.stdout, p.stderr), (0, b'hello', b''), what)


def empty_root():
    """A root directory with nothing but the program, and the words that run
    it there."""
    program = ours()
    chroot, = t.need('chroot')
    if os.getuid() != 0:
        raise t.Skip('chroot needs root')
    root = t.folder()
    shutil.copy(program, root + '/inetws')
    return [chroot, root, '/inetws']


def test_empty_root():
    run = empty_root()
    r = t.run(run + ['--version'])
    t.like(r.stdout.decode(), r'^inetws \d.*\nOpenSSL 3\.', 'it starts')
    r = t.run(run + ['connect', 'wss://127.0.0.1:1/'], input=b'')
    t.is_(r.returncode, 71, 'without authorities there is no wss://')
    t.like(r.stderr.decode(), 'ca-certificates or use --cacert',
           'and the message names the cure')


def test_tunnel():
    tunnel(empty_root(), 'a tunnel works in it, without /dev and /proc')


t.main()
