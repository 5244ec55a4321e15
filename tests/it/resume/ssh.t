#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""An interactive ssh session with a terminal goes on when nginx reloads, when
its workers are killed, when the connection is cut, reset and black-holed.

If it fails: ssh sessions end at each reload of the proxy.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import cutting          # noqa: E402
import re               # noqa: E402
import select           # noqa: E402
import shlex            # noqa: E402
import signal           # noqa: E402
import time             # noqa: E402

QUICK = ('--ping-interval', '200ms',
         '--ping-timeout', '%dms' % (900 * t.SCALE))


class Terminal:
    """ssh -tt on a terminal of ours; what it shows goes to .shown."""

    def __init__(self, options):
        self.master, slave = os.openpty()
        self.program = t.Program(
            ['ssh', '-tt'] + options + ['there', 'env PS1= ENV= sh -i'],
            stdin=slave, stdout=slave)
        os.close(slave)
        t.on_close(lambda: os.close(self.master))
        self.shown = b''

    def shows(self, pattern, timeout=None):
        end = time.monotonic() + (timeout or 2 * t.BOUND)
        while not re.search(pattern, self.shown):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [],
                                              left)[0]:
                t.diag(self.shown[-500:])
                return False
            try:
                self.shown += os.read(self.master, 65536)
            except OSError:
                return False
        return True

    def type(self, text):
        os.write(self.master, text.encode())


def sums(term, n):
    """The shell at the other end answers what only it can know."""
    term.type('echo "<$((%d * %d))>"\n' % (n, n))
    return term.shows(b'<%d>' % (n * n))


def survives(name, options, cutter, nginx, program):
    """program: whose log tells of redials."""
    term = Terminal(options)
    if not t.ok(sums(term, 7), '%s: a shell answers' % name):
        return
    term.type('x=kept; stty -echo\n')
    number = 100

    def kill_workers():
        for pid in t.children(nginx.pid, zombies=False):
            if 'worker process' in t.command_of(pid):
                os.kill(pid, signal.SIGKILL)

    def refuse():
        failed = len(re.findall('event=redial-failed', program.log))
        cutter.refuse = True
        cutter.cut('rst')
        program.has_line('event=redial-failed', count=failed + 1)
    for how, cut in (('nginx reloads', lambda: nginx.send(signal.SIGHUP)),
                     ('kill -9 of its workers', kill_workers),
                     ('an end of file', lambda: cutter.cut('fin')),
                     ('a reset', lambda: cutter.cut('rst')),
                     ('a black hole', cutter.hole),
                     ('redials that fail', refuse)):
        count = len(re.findall('event=resumed', program.log))
        number += 1
        cut()
        term.type('echo "<$((%d * %d))>"\n' % (number, number))
        cutter.refuse = False
        t.ok(term.shows(b'<%d>' % (number * number)),
             '%s: survives %s' % (name, how))
        t.ok(program.has_line('event=resumed', count=count + 1),
             'resumed after it')
        t.ok(sums(term, number + 100), 'and goes on')
    term.type('echo $x; seq 1 20000; exit 3\n')
    t.ok(term.shows(b'kept\r?\n1\r?\n2\r?\n'), '%s: the same shell' % name)
    t.ok(term.shows(b'\n20000\r?\n'), 'pages of output')
    t.is_(re.findall(rb'\n(\d+)(?=\r)', term.shown.partition(b'kept')[2]),
          [b'%d' % i for i in range(1, 20001)], 'none lost, none twice')
    t.is_(term.program.wait(), 3, 'its exit status')
    m = program.has_line('event=closed .*end=ended .*resumes=([0-9]+)')
    t.ok(m and int(m[1]) >= 6, 'resumes=%s in the log line' % (m and m[1]))


def chain():
    t.need('ssh', 'sshd', 'nginx')
    d = t.sshd()
    s = t.server(d.port, '-v')
    n = t.nginx(s.port)
    cutter = cutting.Cutter(n.port)
    return d, s, n, cutter, 'ws://localhost:%d/ssh/' % cutter.port


@t.limit(120)
def test_client():
    d, s, n, cutter, url = chain()
    c = t.client(url, '-v', *QUICK)
    survives('client', ['-F', d.config, '-o', 'Port=%d' % c.port], cutter,
             n, c)


@t.limit(120)
def test_connect():
    """As ProxyCommand; ssh's standard error is its own, and a file here."""
    d, s, n, cutter, url = chain()
    log = t.folder() + '/log'
    proxy = '%s connect -v %s %s 2>%s' % (
        shlex.quote(t.INETWS), ' '.join(QUICK), url, log)

    class Tail:
        """Its log, from the file."""
        @property
        def log(self):
            with open(log) as f:
                return f.read()

        def has_line(self, pattern, count=1):
            def found():
                m = list(re.finditer(pattern, self.log))
                return m[count - 1] if len(m) >= count else None
            return t.until(found)
    tail = Tail()
    survives('ProxyCommand', ['-F', d.config, '-o', 'ProxyCommand=' + proxy],
             cutter, n, tail)
    t.unlike(tail.log + s.log, 'resume="?[0-9a-f]', 'the id of the session '
             'is in no log, though requests are shown')
    t.like(tail.log, 'websocket-lost', 'says when it redials')


t.main()
