# SPDX-License-Identifier: ISC
"""ssh and mosh on the simulated path of paths.py, for comparison: a program at
the far end that shows something each 20 ms, and when that arrives."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'lib'))
import inetws as t      # noqa: E402
import netns            # noqa: E402

PERIOD = .02
WIDTH = 12              # letters of a kind that mosh's own texts never have
SCREEN = re.compile(rb'([a-z])\1{%d}' % (WIDTH // 2))

_sshd = []


def has(name):
    try:
        t.need(*{'mosh': ('mosh-server', 'mosh-client'),
                 'ssh': ('ssh', 'sshd', 'ssh-keygen')}[name])
        return True
    except t.Skip:
        return False


def ssh(path):
    """The command that runs cat at the far end."""
    if not _sshd:
        _sshd.append(t.sshd())
    s = _sshd[0]
    text = {}
    for name, address in (('sshd_config', 'ListenAddress %s'),
                          ('ssh_config', 'HostName %s')):
        with open(os.path.join(s.folder, name)) as f:
            text[name] = f.read().replace(address % '127.0.0.1',
                                          address % netns.FAR)
        with open(os.path.join(s.folder, 'far_' + name), 'w') as f:
            f.write(text[name])
    path.start(path.far, [t.need('sshd')[0], '-D', '-f',
                          os.path.join(s.folder, 'far_sshd_config')])
    there = 'exec 3<>/dev/tcp/%s/%d' % (netns.FAR, s.port)
    if not t.until(lambda: subprocess.run(
            path.near(['bash', '-c', there]), stderr=subprocess.DEVNULL)
            .returncode == 0):
        raise SystemExit('sshd does not start at the far end')
    return ['ssh', '-F', os.path.join(s.folder, 'far_ssh_config'), 'there',
            'cat']


def mosh(path):
    """The command of a client, and its key, of a server at the far end that
    shows letters()."""
    r = subprocess.run(
        path.far(['env', 'LC_ALL=C.UTF-8', 'mosh-server', 'new', '-i',
                  netns.FAR, '-p', '60001', '--', sys.executable, __file__,
                  'letters']), capture_output=True, text=True)
    key = re.search(r'MOSH CONNECT 60001 (\S+)', r.stdout)
    pid = re.search(r'pid = (\d+)', r.stderr)
    if not key or not pid:
        raise SystemExit('mosh-server: ' + r.stdout + r.stderr)
    path.on_end(lambda: os.kill(int(pid[1]), signal.SIGTERM))
    return ['mosh-client', netns.FAR, '60001'], key[1]


def letters():
    """At the far end: a line of another letter each time, until hung up on."""
    tty.setraw(0)
    i = 0
    while True:
        sys.stdout.write('\r' + chr(97 + i % 26) * WIDTH)
        sys.stdout.flush()
        i += 1
        if select.select([0], [], [], PERIOD)[0] and not os.read(0, 4096):
            return


def run(argv, seconds, key=None):
    """At the near end: types each 20 ms and prints when something came back,
    echoes of cat or letters on mosh's screen; as the ticks of paths.py."""
    if key:
        os.environ.update(MOSH_KEY=key, LC_ALL='C.UTF-8', TERM='xterm',
                          MOSH_PREDICTION_DISPLAY='never')
        pid, fd = pty.fork()
        if pid == 0:
            termios.tcsetwinsize(0, (24, 80))
            os.execvp(argv[0], argv)
        reader = writer = fd
    else:
        p = subprocess.Popen(argv, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, bufsize=0)
        pid, reader, writer = p.pid, p.stdout.fileno(), p.stdin.fileno()
    at, end, next_key = [], time.monotonic() + 60, 0
    os.set_blocking(writer, False)
    while (now := time.monotonic()) < end:
        try:
            if now >= next_key:
                next_key = now + PERIOD
                os.write(writer, b'.')
        except BlockingIOError:
            pass
        except OSError:
            break
        try:
            if not select.select([reader], [], [], max(0, next_key - now))[0]:
                continue
            got = os.read(reader, 65536)
        except OSError:
            break
        if not got:
            break
        if not key or SCREEN.search(got):
            if not at:
                print('up', flush=True)
                end = time.monotonic() + seconds
            at.append(time.monotonic())
    os.kill(pid, signal.SIGKILL)
    print(json.dumps({'at': at}), flush=True)


def main():
    if sys.argv[1] == 'letters':
        return letters()
    words = json.loads(sys.argv[1])
    run(words['argv'], words['seconds'], words['key'])


if __name__ == '__main__':
    main()
