# SPDX-License-Identifier: ISC
"""Programs that accept connections and start other programs for them: inetd
and the like, one function each.

A function gets a port and a command, starts the launcher and returns (program,
where): the program that was started, and where to connect to.
"""

import glob
import os
import shlex
import shutil
import socket
import sys
import threading

import proc
import tap

# Into a private /dev, so that syslog(3) finds a socket of ours there.
DEV = '''set -e
for f in null zero random urandom tty; do
	: >"$1/$f"; mount --bind /dev/$f "$1/$f"
done
mount --rbind "$1" /dev
shift
exec "$@"'''


class Syslog:
    """What a command and its descendants send to syslog; needs root."""

    def __init__(self, dev=None, reads=True):
        self.dev = dev or proc.folder()
        self.reads = reads
        self.reader = None
        self.lines = []
        self.change = threading.Condition()
        self.start()
        proc.on_close(self.close)

    def start(self):
        """Opens another socket, as a syslogd does that was started again."""
        path = self.dev + '/log'
        if os.path.exists(path):
            self.close()
            os.unlink(path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o666)
        os.chmod(self.dev, 0o755)
        if self.reads:
            self.read()

    def close(self):
        if self.reader:
            proc.end_reader(self.sock, self.reader)
        self.reader = None
        self.sock.close()

    def read(self):
        self.reader = threading.Thread(target=self._collect, daemon=True)
        self.reader.start()

    def _collect(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            with self.change:
                self.lines.append(data.decode('utf-8', 'replace'))
                self.change.notify_all()

    def has(self, word):
        with self.change:
            return self.change.wait_for(
                lambda: any(word in line for line in self.lines), proc.BOUND)

    def prefix(self):
        return proc.need_unshare('-m') + ['sh', '-c', DEV, 'sh', self.dev]


def fetch(package, program):
    """A program of a package that conflicts with others: it is unpacked, not
    installed."""
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    for d in path.split(':'):
        if os.access(os.path.join(d, program), os.X_OK) and package in \
                proc.run(['dpkg', '-S', os.path.join(d, program)]
                         ).stdout.decode().split(':')[0]:
            return os.path.join(d, program)
    return os.path.join(unpack(package), 'usr/sbin', program)


def names(package):
    """What it is called; Debian 13 has added t64 to libraries."""
    return [package, package + 't64']


def unpack(package):
    """Unpacks a package into a folder of its own, which is kept for the next
    run."""
    root = os.path.join(os.path.dirname(proc.INETWS), 'packages', package)
    if os.path.isdir(root):
        return root
    proc.need('apt-get', 'dpkg')
    d = proc.folder()
    for name in names(package):
        proc.run(['apt-get', '-qq', 'download', name], cwd=d, timeout=60)
    debs = glob.glob(d + '/*.deb')
    if not debs:
        raise tap.Skip('%s is not installed and cannot be fetched' % package)
    os.makedirs(os.path.dirname(root), exist_ok=True)
    proc.run(['dpkg', '-x', debs[0], d + '/tree'])
    try:
        shutil.copytree(d + '/tree', root + '.%d' % os.getpid(),
                        symlinks=True)
        os.rename(root + '.%d' % os.getpid(), root)
    except OSError:
        if not os.path.isdir(root):     # another test was faster
            raise
    return root


def is_listening(where):
    """Is there a listener at a port of 127.0.0.1, or at a Unix socket?"""
    if isinstance(where, int):
        with open('/proc/net/tcp') as f:
            return any(line.split()[1] == '0100007F:%04X' % where and
                       line.split()[3] == '0A' for line in list(f)[1:])
    with open('/proc/net/unix') as f:       # flag 0x10000: it accepts
        return any(line.split()[7:] == [where] and
                   int(line.split()[3], 16) & 0x10000 for line in
                   list(f)[1:])


def ready(p, where):
    """Waits for a listener: when a socket is bound its file exists, but it
    does not listen yet."""
    if not proc.until(lambda: is_listening(where) or not p.alive()) or \
            not p.alive():
        log = p.wait_log()
        if 'shared libraries' in log:
            raise tap.Skip(log)
        raise AssertionError('%s does not start: %s' % (p.argv[0], log))
    return p, where


def _conf(text):
    path = proc.folder() + '/conf'
    with open(path, 'w') as f:
        f.write(text)
    return path


def _inetd(program, options, how, port, command, prefix):
    conf = _conf('127.0.0.1:%d stream tcp %s root %s %s\n' % (
        port, how, command[0], ' '.join(['inetws'] + command[1:])))
    return ready(proc.Program(prefix + [program] + options + [conf]), port)


def openbsd_inetd(how):
    def start(port, command, prefix=()):
        return _inetd(fetch('openbsd-inetd', 'inetd'), ['-i'], how, port,
                      command, list(prefix))
    return start


def inetutils_inetd(how):
    def start(port, command, prefix=()):
        return _inetd(fetch('inetutils-inetd', 'inetutils-inetd'),
                      ['-d', '-p' + proc.folder() + '/pid'], how, port,
                      command, list(prefix))
    return start


def xinetd(how):
    def start(port, command, prefix=()):
        d = proc.folder()
        conf = _conf('''service inetws
{
	type = UNLISTED
	socket_type = stream
	protocol = tcp
	port = %d
	bind = 127.0.0.1
	wait = %s
	user = root
	server = %s
	server_args = %s
}
''' % (port, how, command[0], ' '.join(command[1:])))
        return ready(proc.Program(
            list(prefix) + [fetch('xinetd', 'xinetd'), '-dontfork', '-f',
                            conf, '-pidfile', d + '/pid', '-filelog',
                            d + '/log']), port)
    return start


def _by_words(*words):
    """A launcher that takes the command as words of its own command line."""
    def start(port, command):
        program, = proc.need(words[0])
        return ready(proc.Program(
            [program] + [w.replace('PORT', str(port)) for w in words[1:]] +
            command), port)
    return start


tcpserver = _by_words('tcpserver', '-H', '-R', '-l0', '127.0.0.1', 'PORT')
# -l: without it, it drops all connections where no name server answers.
tcpsvd = _by_words('tcpsvd', '-l', 'localhost', '127.0.0.1', 'PORT')


def s6_ipcserver(port, command):
    path = proc.folder() + '/s'
    return ready(proc.Program([proc.need('s6-ipcserver')[0], path] +
                               command), path)


def socat(port, command):
    return ready(proc.Program(
        [proc.need('socat')[0], '-t60',
         'TCP-LISTEN:%d,bind=127.0.0.1,reuseaddr,fork' % port,
         'EXEC:"%s"' % ' '.join(command)]), port)


def ncat(port, command):
    return ready(proc.Program(
        [proc.need('ncat')[0], '-lk', '127.0.0.1', str(port), '--sh-exec',
         ' '.join(shlex.quote(w) for w in command)]), port)


# Each connection becomes two pipes, or a pair of sockets.
COPIES = '''import os, socket, subprocess, sys, threading
def copy(read, write, end):
    try:
        while data := read(65536):
            write(data)
    except OSError:
        pass
    try:
        end()
    except OSError:
        pass
def pipes(command):
    p = subprocess.Popen(command, stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, bufsize=0)
    def put(data):
        while data:
            data = data[p.stdin.write(data):]
    return p, lambda n: os.read(p.stdout.fileno(), n), put, p.stdin.close
def pair(command):
    near, far = socket.socketpair()
    p = subprocess.Popen(command, stdin=far, stdout=far)
    far.close()
    return p, near.recv, near.sendall, lambda: near.shutdown(socket.SHUT_WR)
def serve(sock):
    p, get, put, end = globals()[sys.argv[2]](sys.argv[3:])
    down = threading.Thread(target=copy, args=(
        get, sock.sendall, lambda: sock.shutdown(socket.SHUT_WR)))
    down.start()
    copy(sock.recv, put, end)
    down.join()
    sock.close()
    p.wait()
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as listener:
    while True:
        threading.Thread(target=serve, args=listener.accept()[:1]).start()
'''


def _copies(kind):
    def start(port, command):
        return ready(proc.Program([sys.executable, '-c', COPIES, str(port),
                                   kind] + command), port)
    return start


pipes = _copies('pipes')
socketpair = _copies('pair')


def socket_activate(*options):
    return _by_words('systemd-socket-activate', '-l', '127.0.0.1:PORT',
                     *options)
