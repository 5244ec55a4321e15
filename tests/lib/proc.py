# SPDX-License-Identifier: ISC
"""Starting programs, waiting for them with time limits, and ending them.

Every program runs in a process session of its own (setsid(2)), and is killed
by its process number after the case that started it.  The test program is a
subreaper (prctl(2)): a process whose parent has ended, such as a tunnel that
outlives its supervisor, becomes its child; family() finds it, and cleanup()
ends it.
"""

import atexit
import ctypes
import fcntl
import json
import math
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import tap

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
INETWS = os.path.abspath(os.environ.get('INETWS') or
                         os.path.join(ROOT, 'build', 'inetws'))
# Does the program run with sanitizers, so that its memory is not measured?
SANITIZED = 'INETWS_SANITIZED' in os.environ
# Was it built without what only Linux has (make COMPAT=all)?
COMPAT = 'INETWS_COMPAT' in os.environ
BOUND = 15 * tap.SCALE      # seconds that anything short may take

# Tests must not use the proxy of the developer.
for _name in list(os.environ):
    if _name.lower().endswith('_proxy'):
        del os.environ[_name]
# script(1), ssh(1) and others run commands with it.
os.environ['SHELL'] = '/bin/sh'

# Programs would inherit that a shell or nohup(1) ignores these signals.
for _signal in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_signal) == signal.SIG_IGN:
        signal.signal(_signal, signal.SIG_DFL)

_programs = []
_folders = []
_closers = []               # called after the case
_ends = []                  # listeners and sockets of the case

try:
    # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)
except (OSError, AttributeError):
    pass


class Program:
    """A running program whose standard error is collected line by line."""

    def __init__(self, argv, stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=None,
                 pass_fds=(), cwd=None, preexec_fn=None):
        self.argv = [str(a) for a in argv]
        self._lines, self._part = [], b''
        self.baseline = None    # its descriptors when it was ready
        self.closed = stderr != subprocess.PIPE
        self.change = threading.Condition()
        full = dict(os.environ)
        full.pop('LISTEN_PID', None)
        full.update(env or {})
        self.popen = subprocess.Popen(
            self.argv, stdin=stdin, stdout=stdout, stderr=stderr, env=full,
            pass_fds=pass_fds, cwd=cwd, start_new_session=True,
            preexec_fn=preexec_fn)
        self.pid = self.popen.pid
        self.stdin, self.stdout = self.popen.stdin, self.popen.stdout
        _programs.append(self)
        if not self.closed:
            threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        while not self.closed:
            self._take(None)

    def _take(self, timeout=0):
        """Reads what a pipe holds, once there is something."""
        fd = self.popen.stderr.fileno()
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        poll.poll(timeout)
        with self.change:
            if self.closed or not poll.poll(0):
                return          # another thread has taken it
            data = os.read(fd, 1 << 20)
            self.closed = not data
            *lines, self._part = (self._part + data).split(b'\n')
            if self.closed and self._part:
                lines.append(self._part)
            self._lines += [x.decode('utf-8', 'backslashreplace')
                            for x in lines]
            self.change.notify_all()

    @property
    def lines(self):
        """All that was written to standard error before."""
        if not self.closed:
            self._take()
        with self.change:
            return tuple(self._lines)

    @property
    def log(self):
        return '\n'.join(self.lines)

    def mark(self):
        """The number of lines so far, for wait_line(..., since=)."""
        return len(self.lines)

    def wait_line(self, pattern, timeout=None, since=0, count=1):
        """The match in the count-th line like pattern; or AssertionError."""
        end = time.monotonic() + (timeout or BOUND)
        with self.change:
            while True:
                found = [m for m in (re.search(pattern, line)
                                     for line in self._lines[since:]) if m]
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    raise AssertionError('no line like %r from %s:\n%s' % (
                        pattern, ' '.join(self.argv[:3]),
                        '\n'.join(self._lines)))
                self.change.wait(left)

    def has_line(self, pattern, timeout=None, since=0, count=1):
        try:
            return self.wait_line(pattern, timeout, since, count)
        except AssertionError:
            return None

    def alive(self):
        return self.popen.poll() is None

    def send(self, number):
        if self.alive():
            os.kill(self.pid, number)

    def wait(self, timeout=None):
        """Its exit status, -N for signal N; TimeoutExpired if it lives on.

        The log is whole then, unless another process still holds it open.
        """
        status = self.popen.wait(timeout or BOUND)
        self.wait_log(0.5)
        return status

    def stop(self, number=signal.SIGTERM):
        self.send(number)
        return self.wait()

    def wait_log(self, timeout=None):
        """The whole log, once no process holds standard error open."""
        end = time.monotonic() + (timeout or BOUND)
        with self.change:
            while not self.closed and time.monotonic() < end:
                self.change.wait(0.1)
        return self.log


def listening(program, count=1):
    """The addresses of count "listening on" lines, in order."""
    names = []
    for i in range(count):
        names.append(program.wait_line(r'listening on (\S+)', count=i + 1)[1])
    program.baseline = opened(program.pid)
    return names


def port_of(name):
    return int(name.rsplit(':', 1)[1])


def world_executable():
    """The program at a path where other users can run it: the tree may be in
    a home directory that is closed to them."""
    open_to_all = lambda path: os.stat(path).st_mode & 0o001
    if all(map(open_to_all, (INETWS, *pathlib.Path(INETWS).parents))):
        return INETWS
    d = folder()
    os.chmod(d, 0o755)
    return shutil.copy(INETWS, d)


def inetws(*args, program=INETWS, **kw):
    """Starts the program under test."""
    return Program([program] + list(args), **kw)


def server(target, *options, listen='127.0.0.1:0', **kw):
    """inetws server; .port is where it listens.  A number is a local port."""
    target = '127.0.0.1:%d' % target if isinstance(target, int) else target
    p = inetws('server', '-l', listen, *options, target, **kw)
    p.name = listening(p)[0]
    p.port = port_of(p.name) if not p.name.startswith('unix:') else None
    return p


def client(url, *options, listen='127.0.0.1:0', **kw):
    """inetws client; .port is where it listens."""
    p = inetws('client', '-l', listen, *options, url, **kw)
    p.name = listening(p)[0]
    p.port = port_of(p.name) if not p.name.startswith('unix:') else None
    return p


def connect(url, *options, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            **kw):
    return inetws('connect', *options, url, stdin=stdin, stdout=stdout, **kw)


def run(argv, input=None, timeout=None, **kw):
    """Runs a program to its end: returncode, stdout, stderr (bytes)."""
    argv = [str(a) for a in argv]
    if input is None:
        kw.setdefault('stdin', subprocess.DEVNULL)
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         start_new_session=True,
                         **dict({'stdin': subprocess.PIPE}, **kw))
    try:
        out, err = p.communicate(input, timeout or BOUND)
    except BaseException:
        _kill_group(p.pid)
        p.wait()
        raise
    return subprocess.CompletedProcess(argv, p.returncode, out, err)


def run_inetws(*args, program=INETWS, **kw):
    return run([program] + list(args), **kw)


def on_terminal(*args):
    """What the program writes to a terminal as its standard error, and its exit
    status."""
    parent, child = os.openpty()
    p = subprocess.Popen([INETWS] + list(args), stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=child)
    os.close(child)
    text = b''
    try:
        while data := os.read(parent, 4096):
            text += data
    except OSError:
        pass
    os.close(parent)
    return text, p.wait(BOUND)


def until(condition, timeout=None, pause=0.02):
    """Calls condition() until it is true, or until the time limit.  Its last
    value.  For conditions that no event announces."""
    end = time.monotonic() + (timeout or BOUND)
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        time.sleep(pause)


def switches(pid):
    """How often a process has gone to sleep."""
    with open('/proc/%d/status' % pid) as f:
        return int(re.search(r'\nvoluntary_ctxt_switches:\s+(\d+)',
                             f.read())[1])


def at_rest(pid):
    """switches(), once it has slept for half a second.  One that waits for a
    processor does not sleep."""
    seen = []                   # of the last half second

    def rests():
        seen.append(switches(pid))
        if stat_of(pid)[0] != 'S':
            seen.clear()
        del seen[:-26]
        return len(seen) == 26 and len(set(seen)) == 1
    if not until(rests):
        raise AssertionError('process %d does not rest' % pid)
    return seen[0]


def fill(fd):
    """Fills a pipe, as if its reader had stopped."""
    fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(fd, False)
    for size in (4096, 1):
        try:
            while os.write(fd, b'x' * size):
                pass
        except BlockingIOError:
            pass
    os.set_blocking(fd, True)


def full_pipe():
    """The two ends of a pipe that is full."""
    ours, its = os.pipe()
    fill(its)
    return ours, its


def sleeps_catching(pid, signo):
    """Does a process sleep, and has it a handler for this signal?"""
    with open('/proc/%d/status' % pid) as f:
        status = f.read()
    mask = int(re.search(r'SigCgt:\s+(\w+)', status)[1], 16)
    return 'State:\tS' in status and mask >> (signo - 1) & 1


def folder():
    """A new folder with a short name, which is removed after the case."""
    path = tempfile.mkdtemp(prefix='iws.')
    _folders.append(path)
    return path


def limited(limits='-n 64'):
    """The path of a program: inetws with these limits of ulimit(1)."""
    path = folder() + '/limited'
    with open(path, 'w') as f:
        f.write('#!/bin/sh\nulimit %s\nexec %s "$@"\n' % (limits, INETWS))
    os.chmod(path, 0o755)
    return path


def is_static():
    """Is the program linked statically?"""
    with open(INETWS, 'rb') as f:
        head = f.read(4096)
    return b'/ld-' not in head and b'/ld.so' not in head


def need_dynamic(why):
    """Skips the case if the program is linked statically."""
    if is_static():
        raise tap.Skip('linked statically: ' + why)


def preloaded(source):
    """An environment in which calls of the program are those of this C text."""
    cc, = need('cc')
    need_dynamic('nothing can be loaded before it')
    if SANITIZED:
        raise tap.Skip('a sanitizer wants to be the first library')
    d = folder()
    with open(d + '/calls.c', 'w') as f:
        f.write(source)
    made = run([cc, '-shared', '-fPIC', '-o', d + '/calls.so', d + '/calls.c',
                '-ldl'])
    if made.returncode:
        raise AssertionError(made.stderr)
    return dict(os.environ, LD_PRELOAD=d + '/calls.so')


def need(*programs):
    """Skips the case unless these programs are there; their full paths."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    found = [shutil.which(p, path=path) for p in programs]
    for name, where in zip(programs, found):
        if where is None:
            raise tap.Skip('%s is not installed' % name)
    return found


def need_unshare(*options):
    """unshare(1) with these options, as the words before a command.  Skips the
    case where it does not work: without rights, in a container, and -m in a
    chroot whose root is no mount."""
    words = need('unshare') + list(options)
    r = run(words + ['true'])
    if r.returncode:
        raise tap.Skip('no namespaces of our own: ' +
                       r.stderr.decode().strip())
    return words


# From /proc.

def parents():
    """{pid: (parent, state)} of all processes."""
    table = {}
    for name in os.listdir('/proc'):
        if name.isdigit():
            try:
                with open('/proc/%s/stat' % name) as f:
                    fields = f.read().rpartition(')')[2].split()
                table[int(name)] = (int(fields[1]), fields[0])
            except (OSError, IndexError):
                pass
    return table


def children(pid, zombies=True):
    """The children of a process, without those that are forked ahead."""
    return sorted(p for p, (parent, state) in parents().items()
                  if parent == pid and (zombies if state == 'Z' else
                                        not is_ahead(p, pid)))


def child(pid):
    """The only one of them, once there is only one that has not ended."""
    found, = until(lambda: len(c := children(pid, zombies=False)) == 1 and
                   not has_ended(c[0]) and c) or children(pid)
    return found


def is_ahead(pid, parent):
    """Is a child forked ahead of its connection?

    A child has its supervisor's title at first, or even the command line, if it
    was forked before the supervisor had a title.  One that serves a connection
    may keep it; one that is forked ahead sets another one as soon as it runs.
    On a busy machine this takes a while, so a child that is not older than a
    second, or waits for a processor, is looked at again.  A supervisor that
    found no memory for titles has none, nor have its children: there it is a
    child without a connection.

    An emulator (qemu-user) hides titles: there it is a child without a
    connection.
    """
    if os.path.basename(command_of(pid).split(' ')[0]).startswith('qemu-'):
        return not has_connection(pid)
    while True:
        title = command_of(pid)
        inherited = title in ('', command_of(parent)) or \
            re.search(r', [0-9]+ active(, draining)?$', title) or \
            title.startswith('/')
        if not inherited or has_ended(pid) or age(pid) > (
                10 if (stat_of(pid) or 'Z')[0] == 'R' else 1) * tap.SCALE:
            return title.endswith('forked ahead') or (
                title.startswith(INETWS + ' ') and
                title == command_of(parent) and not has_connection(pid))
        time.sleep(0.005)


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on; None if it is gone."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return f.read().rpartition(')')[2].split()
    except OSError:
        return None


def age(pid):
    """Seconds since it was forked; infinite if it is gone."""
    fields = stat_of(pid)
    return math.inf if fields is None else (
        time.clock_gettime(time.CLOCK_BOOTTIME) -
        int(fields[19]) / os.sysconf('SC_CLK_TCK'))


def has_ended(pid):
    """Whether it is gone, or its parent has yet to wait for it."""
    fields = stat_of(pid)
    return fields is None or fields[0] in 'ZX'


def has_connection(pid):
    """Whether a process holds a TCP socket that does not listen."""
    held = set(opened(pid) or ())
    for path in ('/proc/net/tcp', '/proc/net/tcp6'):
        try:
            with open(path) as f:
                lines = [line.split() for line in f.readlines()[1:]]
        except OSError:
            continue
        if any(line[3] != '0A' and 'socket:[%s]' % line[9] in held
               for line in lines):
            return True
    return False


def unread(port):
    """Bytes that came to a local TCP port and have not been read yet."""
    try:
        with open('/proc/net/tcp') as f:
            lines = [line.split() for line in f.readlines()[1:]]
    except OSError:
        return 0
    return sum(int(line[4].split(':')[1], 16) for line in lines
               if line[3] != '0A' and line[1].endswith(':%04X' % port))


def ahead(pid):
    """The children of a process that are forked ahead."""
    return sorted(p for p, (parent, state) in parents().items()
                  if parent == pid and state != 'Z' and
                  command_of(p).endswith('forked ahead'))


def family(pid=None):
    """All descendants of a process, of this one by default; without zombies
    that this process has to reap, and without children that are forked ahead.
    """
    me = os.getpid()
    table = {p: v for p, v in parents().items()
             if v[1] != 'Z' or v[0] != me}
    found, todo = [], [pid or me]
    while todo:
        one = todo.pop()
        more = [p for p, (parent, _) in table.items() if parent == one and
                not is_ahead(p, one)]
        found += more
        todo += more
    return sorted(found)


def command_of(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return f.read().replace(b'\0', b' ').decode('latin-1').strip()
    except OSError:
        return ''


def cpu_ticks(pid, ended=False):
    """The time that a process has used so far, in hundredths of a second; with
    that of its children that have ended."""
    return sum(map(int, stat_of(pid)[11:15 if ended else 13]))


def descriptors(pid):
    return len(os.listdir('/proc/%d/fd' % pid))


def opened(pid):
    """What its descriptors are, as /proc names them; None if it does not."""
    found = []
    try:
        for fd in os.listdir('/proc/%d/fd' % pid):
            try:
                found.append(os.readlink('/proc/%d/fd/%s' % (pid, fd)))
            except FileNotFoundError:
                pass                    # closed meanwhile
    except OSError:
        return None
    return found


def private_kib(pid):
    """Memory that is this process's own: not shared with its parent, nor a
    page of a file that no other process happens to use."""
    total = 0
    with open('/proc/%d/smaps_rollup' % pid) as f:
        for line in f:
            if line.startswith('Private_Dirty'):
                total += int(line.split()[1])
    return total


# The end.

def on_close(function, end=False):
    """Called behind the case.  end: it closes an end of a tunnel."""
    (_ends if end else _closers).append(function)


def end_reader(sock, thread):
    """Closes a socket that a thread reads, or accepts from.  The thread ends
    first: it might go on with the next socket of the same number."""
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    thread.join(BOUND)
    sock.close()


def _call(functions):
    while functions:
        try:
            functions.pop()()
        except OSError:
            pass


def is_gate(program):
    return 'gate' in program.argv[1:2]


def listeners():
    """The sockets that listen, as opened() names them."""
    found = set()
    for name, state, column in (('tcp', '0A', 9), ('tcp6', '0A', 9),
                                ('unix', '00010000', 6)):
        try:
            with open('/proc/net/' + name) as f:
                rows = [line.split() for line in f][1:]
        except OSError:
            continue
        found |= {'socket:[%s]' % r[column] for r in rows if r[3] == state}
    return found


def visitors_waiting(gate):
    """What a gate keeps for --queue, also when they have left; all, if it
    does not say."""
    p = run_inetws('status', '--json')
    found = json.loads(p.stdout)['instances'] if p.returncode == 0 else ()
    return sum(i['waiting'] for i in found if i['pid'] == gate.pid) \
        if gate.pid in [i['pid'] for i in found] else sys.maxsize


def check_descriptors(todo):
    """With the ends of its tunnels closed, and no child left, a supervisor has
    as many descriptors as when it was ready; a gate has those of visitors that
    wait and of names as well."""
    until(lambda: not any(children(p.pid) for p in todo), 0.15)
    for p in todo:
        def more():
            now = opened(p.pid)
            if not now or children(p.pid) or len(now) <= len(p.baseline):
                return None
            if is_gate(p):
                known = listeners()
                extra = len([x for x in now if x not in known]) - len(
                    [x for x in p.baseline if x not in known])
                if extra <= 0 or extra <= visitors_waiting(p):
                    return None
            return now
        if more() and not until(lambda: not more()):
            tap.ok(False, 'pid %d keeps no descriptor' % p.pid)
            tap.diag('at first %s' % sorted(p.baseline))
            tap.diag('now      %s' % sorted(opened(p.pid) or ()))


def _end_programs(programs):
    for p in programs:
        _kill_group(p.pid)
    for p in programs:
        try:
            p.popen.wait(5)
        except subprocess.TimeoutExpired:
            tap.diag('pid %d does not die' % p.pid)
        for f in (p.stdin, p.stdout):
            try:
                if f:
                    f.close()
            except OSError:
                pass


def _kill_group(pid):
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except OSError:
            pass


def write_counts():
    """What is still alive of a program that counts what it executes is about
    to be killed: it writes its counts first (tests/coverage/flush.c)."""
    told = []
    for pid in family():
        try:
            if os.readlink('/proc/%d/exe' % pid) == INETWS:
                os.kill(pid, signal.SIGRTMIN + 5)
                told.append(pid)
        except OSError:
            pass
    until(lambda: all(parents().get(pid, (0, 'Z'))[1] == 'Z'
                      for pid in told), 5)


def cleanup():
    tap.tell()
    _call(_ends)
    if 'INETWS_COUNTED' in os.environ:
        write_counts()
    counted = [p for p in _programs if p.baseline is not None and p.alive()]
    gates = [p for p in counted if is_gate(p)]
    check_descriptors([p for p in counted if p not in gates])
    # What waits at a gate leaves first.
    _end_programs([p for p in _programs if p not in gates])
    check_descriptors(gates)
    _end_programs(gates)
    _programs.clear()
    _call(_closers)
    for pid in family():        # sshd's sessions, tunnels left alive
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


def as_nobody(function):
    """What function() returns, run as another user."""
    r, w = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            os.write(w, repr(function()).encode())
        except BaseException as e:
            os.write(w, repr(e).encode())
        os._exit(0)
    os.close(w)
    with os.fdopen(r, 'rb') as f:
        text = f.read().decode()
    os.waitpid(pid, 0)
    return text


def show_logs():
    """The logs of the programs of a failed case."""
    for p in _programs:
        tap.diag('--- %s (pid %d, %s)' % (
            ' '.join(p.argv)[:200], p.pid,
            'alive' if p.popen.poll() is None else p.popen.returncode))
        for line in p.lines[-15:]:
            tap.diag('    ' + line[:400])


def _end(number, frame):
    cleanup()
    os._exit(128 + number)


tap.on_failure(show_logs)
tap.on_cleanup(cleanup)
atexit.register(cleanup)
for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(_number, _end)
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
