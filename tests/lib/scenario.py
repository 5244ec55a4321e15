# SPDX-License-Identifier: ISC
"""A scenario is a folder with a page for users and a test of what stands in
it: command lines come from README.md, configurations from files in its folder,
and only addresses and places are replaced.

    s = Scenario(__file__, {'127.0.0.1:39000': '127.0.0.1:%d' % port, ...})
    s.inetws('gate')         the command line of the page that begins so
    s.site('nginx.conf')     nginx with that file
    s.exec_start('a.service')   what systemd would start
"""

import os
import re
import shlex
import subprocess

import daemons
import proc


class Scenario:
    def __init__(self, path, replace=None):
        self.folder = os.path.dirname(os.path.abspath(path))
        self.replace = dict(replace or {})

    def text(self, name):
        with open(os.path.join(self.folder, name)) as f:
            return self.replaced(f.read())

    def replaced(self, text):
        """All at once, the longest first."""
        if not self.replace:
            return text
        words = sorted(self.replace, key=len, reverse=True)
        return re.sub('|'.join(map(re.escape, words)),
                      lambda m: str(self.replace[m.group(0)]), text)

    def commands(self, begin):
        """Command lines of the page, in its order."""
        with open(os.path.join(self.folder, 'README.md')) as f:
            page = f.read().replace('\\\n', ' ')
        found = [m.group(1) for m in
                 re.finditer(r'(?m)^    [\w.@-]*[$#] (.*)$', page)
                 if m.group(1).startswith(begin)]
        if not found:
            raise AssertionError('%s: no line begins with %r' % (
                self.folder, begin))
        return [shlex.split(self.replaced(line)) for line in found]

    def folders(self, begin):
        """Makes the folders of these lines, for our own user and group."""
        for argv in self.commands(begin):
            for option in ('-o', '-g'):
                if option in argv:
                    at = argv.index(option)
                    del argv[at:at + 2]
            subprocess.run(argv, check=True)

    def exec_start(self, unit, **specifiers):
        """The command of a unit, in its folder or in contrib/systemd."""
        path = os.path.join(self.folder, unit)
        if not os.path.exists(path):
            path = os.path.join(proc.ROOT, 'contrib', 'systemd', unit)
        with open(path) as f:
            line = re.search(r'(?m)^ExecStart=(.*)$', f.read())[1]
        for letter, word in specifiers.items():
            line = line.replace('%' + letter, word)
        return shlex.split(self.replaced(line))

    def inetws(self, mode, number=0, more=(), cwd=None, **kw):
        """By way of a file, as the unit has it: what it is for is a service,
        for which the page says --dump-config."""
        argv = self.commands('inetws ' + mode)[number]
        made = proc.run_inetws(*argv[1:], '--dump-config', cwd=cwd)
        if made.returncode:
            raise AssertionError('%s: %r' % (argv, made.stderr))
        conf = os.path.join(proc.folder(), 'conf')
        with open(conf, 'wb') as f:
            f.write(made.stdout)
        p = proc.inetws('-K', conf, *more, cwd=cwd, **kw)
        if mode in ('server', 'client', 'gate'):
            proc.listening(p)
        if mode == 'gate':      # it keeps listeners and visitors for a while
            p.baseline = None
        return p

    def site(self, name, before=''):
        """nginx with that file inside http {}; it names its own ports."""
        ports = re.findall(r'listen\s+127\.0\.0\.1:(\d+)', self.text(name))
        return daemons.nginx_site(int(ports[0]), before + self.text(name))
