# SPDX-License-Identifier: ISC
"""A virtual machine with another kernel, which can read this machine's files
and not change them.  It runs a shell script as root; the test gets its output.

    out = emulated.run('uname -r; prove ...', ['tls', 'gcm'], timeout)

It needs qemu, busybox, and a kernel with modules as in Debian's linux-image:
an installed one, or one that is unpacked (dpkg -x) in the folder
$INETWS_KERNEL.  It is emulated in software even where KVM is available, since
that works everywhere.
"""

import glob
import gzip
import os
import subprocess

import proc
import tap

SHARED = ('virtio_pci', '9pnet_virtio', '9p', 'overlay')

# $1 is the script.  Its end of output is marked, since a console says more.
INIT = r'''#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in $(cat /modules/order); do insmod /modules/$m; done
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose \
    root /low
mount -t tmpfs over /over
mkdir /over/up /over/work
mount -t overlay -o lowerdir=/low,upperdir=/over/up,workdir=/over/work over /new
for d in proc sys dev; do mount --move /$d /new/$d; done
mkdir /new/dev/shm /new/dev/pts
mount -t tmpfs shm /new/dev/shm
mount -t devpts pts /new/dev/pts
mount -t tmpfs run /new/run
ip link set lo up
hostname emulated
cp /script /new/run/script
echo BEGIN
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    chroot /new /bin/sh /run/script 2>&1 </new/dev/null
echo END
poweroff -f
'''


def _kernel():
    """The newest kernel: its image and the folder of its modules."""
    root = os.environ.get('INETWS_KERNEL', '/')
    for image in sorted(glob.glob(os.path.join(root, 'boot/vmlinuz-*')),
                        key=os.path.getmtime, reverse=True):
        version = os.path.basename(image)[len('vmlinuz-'):]
        modules = os.path.join(root, 'lib/modules', version)
        if os.path.isdir(modules) and os.access(image, os.R_OK):
            return image, modules
    raise tap.Skip('no kernel with its modules here (linux-image-amd64, or '
                   'unpacked at $INETWS_KERNEL)')


def _must(*words):
    r = proc.run(proc.need(words[0]) + list(words[1:]))
    if r.returncode:
        raise AssertionError('%s: %s' % (' '.join(words), r.stderr.decode()))
    return r.stdout


def _modules(folder, wanted):
    """(name, bytes) of these modules and those that they need, in the order of
    loading, without those that are built in or do not exist."""
    files = {}
    for d, _, names in os.walk(folder):
        for name in names:
            if '.ko' in name:
                files[name.split('.')[0].replace('-', '_')] = \
                    os.path.join(d, name)
    done = []

    def add(name):
        name = name.replace('-', '_')
        if name not in files or any(name == n for n, _ in done):
            return
        path = files[name]
        for other in _must('modinfo', '-F', 'depends', path).decode().split(
                ','):
            add(other.strip())
        unpack = {'.xz': 'xz', '.zst': 'zstd'}.get(os.path.splitext(path)[1])
        if unpack:
            done.append((name, _must(unpack, '-dcq', path)))
        else:
            with open(path, 'rb') as f:
                done.append((name, f.read()))
    for name in wanted:
        add(name)
    return done


def _initramfs(folder, modules, script):
    root = os.path.join(folder, 'root')
    for d in ('bin', 'modules', 'proc', 'sys', 'dev', 'low', 'over', 'new'):
        os.makedirs(os.path.join(root, d))

    def put(path, data, mode=0o644):
        os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
        with open(os.path.join(root, path), 'wb') as f:
            f.write(data)
        os.chmod(f.name, mode)
    busybox, = proc.need('busybox')
    for path in [busybox] + [
            w for w in proc.run(['ldd', busybox]).stdout.decode().split()
            if w.startswith('/')]:
        with open(path, 'rb') as f:
            put('bin/busybox' if path == busybox else path[1:], f.read(),
                0o755)
    put('init', INIT.encode(), 0o755)
    put('script', script.encode())
    for name, data in modules:
        put('modules/' + name, data)
    put('modules/order', '\n'.join(name for name, _ in modules).encode())
    names = [os.path.relpath(os.path.join(d, n), root)
             for d, folders, files in os.walk(root) for n in folders + files]
    packed = subprocess.run([busybox, 'cpio', '-o', '-H', 'newc'], cwd=root,
                            input='\n'.join(names).encode(), check=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    path = os.path.join(folder, 'initramfs')
    with gzip.open(path, 'wb', 1) as f:
        f.write(packed.stdout)
    return path


def run(script, modules, timeout):
    """The output of the script, standard output and error."""
    qemu, = proc.need('qemu-system-x86_64')
    proc.need('busybox', 'modinfo')
    image, folder = _kernel()
    initramfs = _initramfs(proc.folder(), _modules(
        folder, SHARED + tuple(modules)), script)
    r = proc.run([qemu, '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp',
                  '2', '-m', '1G', '-nodefaults', '-nographic', '-no-reboot',
                  '-serial', 'stdio', '-kernel', image, '-initrd', initramfs,
                  '-append', 'console=ttyS0 quiet panic=-1', '-virtfs',
                  'local,path=/,mount_tag=root,security_model=none,'
                  'readonly=on,multidevs=remap'], timeout=timeout)
    out = r.stdout.decode('utf-8', 'replace').replace('\r', '')
    begin, _, rest = out.partition('BEGIN\n')
    output, end, _ = rest.partition('\nEND\n')
    if not end:
        raise AssertionError('the machine has not come to its end: %s\n%s\n%s'
                             % (begin, output, r.stderr.decode()))
    return output
