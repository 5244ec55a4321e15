#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""--huge-text: the text of a static program lies in huge pages, once for all
processes of an instance; where that cannot be, everything works without.

If it fails: each connection of a static program costs as many page faults as
before, an instance does not start on an older kernel or in a container, or one
child can change what the others run.
"""

import ctypes
import errno
import functools
import glob
import os
import platform
import re
import resource
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import manual           # noqa: E402
from filters import filtering, refused, refused_bits  # noqa: E402

TROUBLES = 'inetws-troubleshooting.7'
HUGE = '/sys/kernel/mm/transparent_hugepage/'
# numbers of system calls
CALLS = {'x86_64': {'memfd_create': 319, 'madvise': 28, 'mremap': 25,
                    'mmap': 9, 'mprotect': 10},
         'aarch64': {'memfd_create': 279, 'madvise': 233, 'mremap': 216,
                     'mmap': 222, 'mprotect': 226}}
PROT_WRITE, PROT_EXEC = 2, 4
LIMIT = (2 << 20) - 1
PR_SET_MDWE = 65                # of prctl(2), Linux 6.3


@functools.lru_cache(None)
def static():
    """A static program: the one under test, or its objects linked anew."""
    if t.SANITIZED:
        raise t.Skip('sanitizers are in no static program')
    if t.is_static():
        return t.INETWS
    built = os.path.join(t.ROOT, 'build')
    if os.path.realpath(t.INETWS) != os.path.realpath(built + '/inetws'):
        raise t.Skip('the program is not static, nor built here')
    make, cc = t.need('make', 'cc')
    probe = t.folder() + '/probe'
    r = t.run([cc, '-static', '-o', probe, '-x', 'c', '-', '-lbsd', '-lmd',
               '-lhttp_parser'], input=b'int main(void) { return 0; }')
    if r.returncode != 0:
        raise t.Skip('there are no static libraries')
    r = t.run(['env', '-u', 'MAKEFLAGS', make, '-s', '-C', t.ROOT,
               'build/tests/static'], timeout=t.SCALE * 60)
    if r.returncode != 0:
        raise AssertionError(r.stderr.decode())
    return built + '/tests/static'


def need_kernel():
    """Skips the case where the kernel cannot."""
    release = tuple(int(n) for n in re.findall(r'\d+', os.uname().release)[:2])
    if sys.platform != 'linux' or release < (6, 1):
        raise t.Skip('Linux 6.1 is needed')
    if not os.path.exists(HUGE + 'hpage_pmd_size'):
        raise t.Skip('this kernel has no huge pages')
    with open(HUGE + 'shmem_enabled') as f:
        if '[deny]' in f.read():
            raise t.Skip('this system forbids huge pages of files')
    with open(HUGE + 'hpage_pmd_size') as f:
        if int(f.read()) != 2 << 20:
            raise t.Skip('huge pages are not of 2 MiB here')


def mapped(pid):
    """{'r-xp': bytes, ...} of text in huge pages, if all of it is."""
    found, size = {}, 0
    with open('/proc/%d/smaps' % pid) as f:
        for line in f:
            m = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)',
                         line)
            if m:
                size = int(m[2], 16) - int(m[1], 16)
                mode = m[3] if 'memfd:inetws-text' in m[4] else None
                if 'w' in m[3] and 'x' in m[3]:
                    raise AssertionError('can be written and run: ' + line)
                if 'x' in m[3] and m[4].endswith('/static'):
                    found['file'] = size
            elif line.startswith('Size:') and mode:
                found[mode] = found.get(mode, 0) + size
            elif line.startswith('ShmemPmdMapped:') and mode == 'r-xp':
                found['huge'] = int(line.split()[1]) << 10
    return found


def text_range(pid):
    """Begin, end and offset of the text in huge pages."""
    with open('/proc/%d/maps' % pid) as f:
        m = re.search(r'^(\w+)-(\w+) r-xp (\w+) .*memfd:inetws-text', f.read(),
                      re.M)
    return tuple(int(x, 16) for x in m.groups())


def serving(*options, program=None, **kw):
    """A server, and a tunnel through it."""
    t.rundir()
    s = t.server(t.echo().port, *options, program=program or static(), **kw)
    return s, t.ws.connect(s.port)


def one_byte(port):
    w = t.ws.connect(port)
    w.send(b'x')
    w.take_data(1)
    w.sock.close()


def works(w, what):
    w.send(b'hello')
    t.is_(w.take_data(5), b'hello', what)


def reason():
    """Why there is none, as status says."""
    i = t.one()
    t.is_(i['huge_text'], 0, 'status: none')
    table = t.run_inetws('status').stdout.decode()
    why = i['huge_text_missing']
    t.like(table, '  huge text: off\n' if why == 'off' else
           r'  huge text: no \(' + re.escape(why) + r'\)\n', 'and its table')
    return why


def test_all_processes():
    need_kernel()
    s, w = serving()
    works(w, 'a tunnel works')
    child = [c for c in t.children(s.pid) if t.has_connection(c)]
    t.is_(len(child), 1, 'it has a child')
    own, theirs = mapped(s.pid), mapped(child[0])
    t.ok(own.get('r-xp', 0) >= 2 << 20, 'text is in a file in memory')
    t.is_('file' in own, False, 'none is in that of the program')
    t.is_(own['huge'], own['r-xp'], "the supervisor's: all in huge pages")
    t.is_(theirs['huge'], own['r-xp'], "its child's, too")
    i = t.one()
    t.is_((i['huge_text'], i['huge_text_missing']),
          (own['r-xp'] + own.get('r--p', 0), None), 'status has its size')
    t.like(t.run_inetws('status').stdout.decode(), '  huge text: %d MiB\n' %
           (i['huge_text'] >> 20), 'and its table')
    s.send(signal.SIGHUP)
    s.wait_line('event=reloaded')
    w2 = t.ws.connect(s.port)
    works(w2, 'after HUP, too')
    t.is_(mapped(s.pid), own, 'and nothing has changed')


def test_roles():
    """The other modes that supervise."""
    need_kernel()
    program = static()
    t.rundir()
    s = t.server(t.echo().port)
    c = t.client('ws://127.0.0.1:%d/' % s.port, program=program)
    v = t.ws.dial(c.port)
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'client: works')
    t.ok('r-xp' in mapped(c.pid), 'and has it')
    g = t.inetws('gate', '-l', '127.0.0.1:0', '--visitors', '127.0.0.1:0',
                 '--allow-any-agent', program=program)
    ports = [t.port_of(g.wait_line(word + r' on (\S+)')[1])
             for word in ('listening', 'visitors')]
    a = t.inetws('agent', 'ws://127.0.0.1:%d/' % ports[0], '127.0.0.1:%d' %
                 t.echo().port, program=program)
    v = t.ws.dial(ports[1])
    v.sendall(b'x')
    t.is_(t.ws.read_exactly(v, 1), b'x', 'gate and agent: work')
    t.ok(all('r-xp' in mapped(p.pid) for p in (g, a)), 'and have it')


def test_one_connection():
    """A process for one connection would copy the text for itself alone."""
    program = static()
    t.rundir()
    s = t.server(t.echo().port)
    c = t.connect('ws://127.0.0.1:%d/' % s.port, program=program)
    c.stdin.write(b'x')
    c.stdin.flush()
    t.is_(c.stdout.read(1), b'x', 'connect: works')
    t.is_('r-xp' in mapped(c.pid), False, 'and has none')


def test_off():
    s, w = serving('--huge-text', 'off')
    works(w, 'a tunnel works')
    t.is_('r-xp' in mapped(s.pid), False, 'no text in huge pages')
    t.is_(reason(), 'off', 'status says that it is off')


def test_dynamic():
    t.need_dynamic('and that is another case')
    s, w = serving(program=t.INETWS)
    works(w, 'a tunnel works')
    t.is_(reason(), 'the system cannot' if t.COMPAT else
          'the build is not static', 'status says why not')


def test_values():
    r = t.run_inetws('server', '-l', '127.0.0.1:0', '--huge-text', 'yes',
                     '127.0.0.1:9')
    t.is_(r.returncode, 64, 'another value is a usage error')
    t.like(r.stderr.decode(), 'huge-text.*auto.*off', 'that names the values')
    r = t.run_inetws('connect', '--huge-text', 'off', 'ws://127.0.0.1:9/')
    t.is_(r.returncode, 64, 'and so is it for one connection')


def numbers():
    if platform.machine() not in CALLS or sys.platform != 'linux':
        raise t.Skip('the numbers of system calls are not known here')
    return CALLS[platform.machine()]


def test_refused():
    """A container or an older kernel."""
    need_kernel()
    for name, error in (('memfd_create', errno.EPERM), ('madvise', errno.EINVAL),
                        ('mremap', errno.ENOSYS)):
        s, w = serving(preexec_fn=filtering(refused(numbers()[name], error)))
        works(w, 'without %s a tunnel works' % name)
        t.is_('r-xp' in mapped(s.pid), False, 'the text is as it was')
        t.is_(reason(), 'the kernel cannot: ' + os.strerror(error), 'why')
        s.stop(signal.SIGQUIT)


def test_limit_of_files():
    """A limit for the size of files, of which the statistics page is one."""
    need_kernel()

    def limit():        # less than a huge page
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    s, w = serving('--max-connections', '50', preexec_fn=limit)
    works(w, 'a tunnel works')
    t.is_(reason(), 'the kernel cannot: File too large', 'why')


def test_never_writable_and_run():
    """MemoryDenyWriteExecute= of systemd, which is a filter, and from Linux
    6.3 on a setting of the process."""
    need_kernel()
    n = numbers()
    rules = (refused_bits(n['mmap'], errno.EPERM, 2, PROT_WRITE | PROT_EXEC) +
             refused_bits(n['mprotect'], errno.EPERM, 2, PROT_EXEC))

    def deny():
        ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0)
        filtering(rules)()
    s, w = serving(preexec_fn=deny)
    works(w, 'a tunnel works')
    t.ok('r-xp' in mapped(s.pid), 'with text in huge pages')


def test_unprivileged():
    if os.geteuid() != 0:
        raise t.Skip('only root may change the user and the root directory')
    need_kernel()
    d = t.folder()
    os.chmod(d, 0o755)
    s, w = serving('--run-as', 'nobody', '--chroot', d)
    works(w, '--run-as and --chroot: a tunnel works')
    t.ok('r-xp' in mapped(s.pid), 'with text in huge pages')


def test_private():
    """What one process writes to its text, by whatever means, no other sees."""
    if os.geteuid() != 0:
        raise t.Skip('only root may write to the memory of others')
    need_kernel()
    s, w = serving()
    works(w, 'a tunnel works')
    child = [c for c in t.children(s.pid) if t.has_connection(c)][0]
    begin, end, _ = text_range(s.pid)
    seen = []
    with open('/proc/%d/mem' % child, 'r+b', buffering=0) as f:
        f.seek(end - 8)
        f.write(b'changed!')
    for pid in (child, s.pid):
        with open('/proc/%d/mem' % pid, 'rb', buffering=0) as f:
            f.seek(end - 8)
            seen.append(f.read(8))
    t.is_(seen, [b'changed!', bytes(8)], 'only the child has changed')
    try:
        fd = os.open('/proc/%d/map_files/%x-%x' % (s.pid, begin, end),
                     os.O_RDWR)
    except OSError as e:
        raise t.Skip('the file cannot be opened: %s' % e)
    try:
        for what, change in (('written', lambda: os.pwrite(fd, b'x', 0)),
                             ('cut', lambda: os.ftruncate(fd, 0))):
            try:
                change()
                refusal = None
            except OSError as e:
                refusal = e.errno
            t.is_(refusal, errno.EPERM, 'the file cannot be %s' % what)
    finally:
        os.close(fd)


def test_names():
    """Offsets of the text are those of the program's file, where a profiler
    looks for names; inetws-troubleshooting(7) says how."""
    need_kernel()
    readelf, = t.need('readelf')
    program = static()
    s, _ = serving(program=program)
    begin, _, offset = text_range(s.pid)
    out = t.run([readelf, '-lW', program]).stdout.decode()
    file, address = (int(x, 16) for x in re.search(
        r'LOAD +(0x\w+) (0x\w+) .* R E ', out).groups())
    base = 0 if 'EXEC (' in out else begin - (address & ~0x1fffff)
    t.is_(begin - base - address + file, offset, 'they are')


def test_perf():
    """Names of functions in a profile, as the manual says."""
    need_kernel()
    perf, readelf = t.need('perf', 'readelf')
    program = static()
    if '.symtab' not in t.run([readelf, '-SW', program]).stdout.decode():
        raise t.Skip('the program has no symbols')
    s, _ = serving(program=program)
    d = t.folder()
    p = t.Program([perf, 'record', '-q', '-e', 'cpu-clock', '-F', '5000', '-o',
                   d + '/data', '-p', str(s.pid)])
    t.until(lambda: not p.alive() or any(
        'perf_event' in f for f in t.opened(p.pid) or ()))
    if not p.alive():
        raise t.Skip('perf cannot record here: ' + p.log[:80])
    for _ in range(300):
        one_byte(s.port)
    p.stop(signal.SIGINT)
    mkdir, link, report = manual.lines('$ mkdir names', page=TROUBLES)
    for line in (mkdir, link.replace('/usr/local/bin/inetws', program)):
        t.is_(t.run(['sh', '-c', line], cwd=d).returncode, 0, line)
    out = t.run(['sh', '-c', report + ' --stdio -i data'], cwd=d).stdout
    t.like(out.decode(), r'memfd:inetws-text \(deleted\) +\[\.\] '
           r'(tunnel_|relay|http_|signals_|log_)', 'functions have names')


def test_size():
    """No hole of megabytes in the file."""
    readelf, = t.need('readelf')
    program = static()
    for path in [program] + glob.glob(t.ROOT + '/build*/inetws'):
        out = t.run([readelf, '-lW', path]).stdout.decode()
        parts = sorted((int(a, 16), int(n, 16)) for a, n in re.findall(
            r'LOAD +(0x\w+) 0x\w+ 0x\w+ (0x\w+) ', out))
        holes = [b[0] - sum(a) for a, b in zip(parts, parts[1:])]
        t.ok(holes and all(h < 65536 for h in holes), '%s: %r' % (
            os.path.relpath(path, t.ROOT), holes))
        t.like(out, 'GNU_RELRO', 'and relocations are read-only')


def test_unknown_user():
    """A static program loads no modules of the C library for users and hosts:
    they crash there."""
    r = t.run([static(), 'server', '-l', '127.0.0.1:0', '--run-as', 'nobody-at-all',
               '127.0.0.1:9'])
    t.is_(r.returncode, 64, 'a user who is not there is an error')
    t.like(r.stderr, 'there is no user nobody-at-all', 'that is named')


t.main()
