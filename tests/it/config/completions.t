#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Completions as a person meets them: bash and zsh on a terminal, where they
go on after "=", after "@", and behind "--".

If it fails: TAB offers nothing, or destroys what was typed.
"""

import os
import pty
import re
import select
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402

DEADLINE = 20 * t.SCALE


class Shell:
    """A shell on a terminal of its own."""

    def __init__(self, argv, folder):
        self.seen, self.lines = b'', 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(argv[0], argv, {
                'TERM': 'dumb', 'PS1': '> ', 'HOME': folder, 'COLUMNS': '200',
                'PATH': os.path.dirname(t.INETWS) + ':/usr/bin:/bin'})

    def types(self, text, pattern):
        """Whether the terminal shows the pattern after these keys."""
        start = len(self.seen)
        os.write(self.fd, text.encode())
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if re.search(pattern, self.seen[start:].decode(errors='replace')):
                return True
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536)
                except OSError:
                    break
        t.diag(repr(self.seen[start:]))
        return False

    def completes(self, line, pattern):
        t.ok(self.types(line + '\t\t', pattern), line)
        # Behind all that the shell still shows of it.
        self.lines += 1
        self.types('\x15echo e""nd%d\r' % self.lines,
                   r'(?s)end%d\r?\n.*> ' % self.lines)

    def ends(self):
        os.close(self.fd)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def scene(shell, name):
    folder = t.folder()
    os.mkdir(folder + '/lib')
    for path in (name, 'secret.txt', 'two words', 'lib/x'):
        with open(os.path.join(folder, path), 'wb') as f:
            if path == name:
                f.write(t.run_inetws('--completions', shell).stdout)
    return folder


LINES = (
    ('inetws server --eof=', 'hold'),
    ('inetws server --eof=cl', '--eof=close'),
    ('inetws server --eof cl', '--eof close'),
    ('inetws server --syslog=da', '--syslog=daemon'),
    ('inetws server --auth-file sec', '--auth-file secret.txt'),
    ('inetws server --auth-file=sec', '--auth-file=secret.txt'),
    ('inetws server --auth-file=tw', r'two\\ words'),
    ('inetws connect -u @sec', '-u @secret.txt'),
    ('inetws connect --user=@sec', '--user=@secret.txt'),
    ('inetws connect -H @sec', '-H @secret.txt'),
    ('inetws server -- ./sec', '-- ./secret.txt'),
    ('inetws server --auth-command sec', '--auth-command secret.txt'),
    ('inetws connect --header-command=sec', '--header-command=secret.txt'),
    ('inetws server -l unix:sec', '-l unix:secret.txt'),
    ('inetws client --listen=unix:./sec', '--listen=unix:./secret.txt'),
    ('inetws gate --metrics unix:sec', '--metrics unix:secret.txt'),
    ('inetws server -l 8080 unix:sec', '8080 unix:secret.txt'),
    ('inetws check ws+unix:sec', r'check ws\+unix:secret.txt'),
    ('inetws status sec', 'status secret.txt'),
    ('inetws status --js', 'status --json'),
    ('inetws gate --visitors-d', '--visitors-dir'),
    ('inetws -K sec', '-K secret.txt'),
    ('inetws --config=sec', '--config=secret.txt'),
    ('inetws --vers', '--version'),
    ('inetws hel', 'inetws help '),
    ('inetws help ng', 'help nginx'),
    ('inetws help gat', 'help gate'),
)


def shown(pattern):
    """A terminal goes back before it writes a word anew."""
    head, _, tail = pattern.rpartition('@')
    return re.escape(head) + '@.*' + re.escape(tail) if head else pattern


def run(shell, argv, folder, start):
    s = Shell(argv, folder)
    t.ok(s.types(start + '; echo rea""dy\r', 'ready'), shell + ' runs')
    for line, pattern in LINES:
        s.completes(line, shown(pattern))
    return s


def test_bash():
    bash, = t.need('bash')
    folder = scene('bash', 'inetws')
    run('bash', [bash, '--norc', '-i'], folder, '. ./inetws').ends()


def test_zsh():
    zsh, = t.need('zsh')
    s = run('zsh', [zsh, '-f', '-i'], scene('zsh', '_inetws'),
            'fpath=($PWD $fpath); autoload -U compinit; compinit -D -u')
    s.completes('inetws ', 'server *-- accepts websockets')
    s.ends()


def test_fish():
    fish, = t.need('fish')
    folder = scene('fish', 'inetws.fish')

    def offered(line):
        r = t.run([fish, '-N', '-c', 'source inetws.fish; complete -C "%s"' %
                   line], cwd=folder, env={'HOME': folder,
                                           'PATH': os.environ['PATH']})
        return [word.split('\t')[0] for word in r.stdout.decode().split('\n')]
    t.ok({'help', 'server'} <= set(offered('inetws ')), 'modes, and help')
    t.is_([w for w in offered('inetws help ') if w in (
        'ssh', 'gate', '--listen')], ['gate', 'ssh'], 'topics and modes')
    t.is_(offered('inetws help ng'), ['nginx', ''], 'a topic')
    t.is_([w for w in offered('inetws help nginx ') if w], [],
          'and none behind one')
    whole = {'inetws server --eof=': '--eof=hold',
             'inetws check ws+unix:sec': 'ws+unix:secret.txt',
             'inetws server --auth-file=tw': '--auth-file=two words'}
    for line, pattern in LINES:
        want = whole.get(line, pattern.split()[-1])
        t.ok(want in offered(line), line)
    t.is_(offered('inetws connect -u sec'), [''], 'a file only behind "@"')
    t.ok('--listen' not in offered('inetws server -- --li'),
         'no option behind "--"')


def test_topics():
    """Every topic of the page is offered, in every shell."""
    with open(os.path.join(t.ROOT, 'man', 'inetws-examples.7')) as f:
        topics = set(re.findall(r'(?m)^\.\\" help (\w+):', f.read()))
    t.ok(topics >= {'ssh', 'nginx', 'proxy'}, 'topics: ' +
         ' '.join(sorted(topics)))
    for shell in ('bash', 'zsh', 'fish'):
        said = t.run_inetws('--completions', shell).stdout.decode()
        t.ok(any(topics <= set(re.findall(r'\w+', line))
                 for line in said.split('\n') if 'help' in line), shell)


t.main()
