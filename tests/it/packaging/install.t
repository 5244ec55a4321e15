#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make install puts every file in its place, make uninstall removes exactly
those, make dist makes the same bytes twice, and shells load the completions.

If it fails: an installation lacks files, and a release cannot be reproduced.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import re               # noqa: E402
import tarfile          # noqa: E402
from tree import BUILD, make  # noqa: E402

MODES = ('server', 'client', 'connect', 'status')


def files(root):
    """{path below root: mode} of all that is no folder."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, root)] = os.stat(path).st_mode & 0o777
    return found


def read(*path):
    with open(os.path.join(*path)) as f:
        return f.read()


def test_layout():
    d = t.folder()
    os.umask(0o022)
    make('install', 'DESTDIR=' + d, 'PREFIX=/opt/x')
    found = files(d)
    p = 'opt/x/'
    for path, mode in (
            ('bin/inetws', 0o755), ('share/man/man1/inetws.1', 0o644),
            ('share/man/man7/inetws-protocol.7', 0o644),
            ('share/bash-completion/completions/inetws', 0o644),
            ('share/zsh/site-functions/_inetws', 0o644),
            ('share/fish/vendor_completions.d/inetws.fish', 0o644),
            ('lib/systemd/system/inetws@.service', 0o644),
            ('lib/systemd/system/inetws@.socket', 0o644),
            ('lib/systemd/system/inetws-each@.service', 0o644),
            ('lib/systemd/system/inetws-each.socket', 0o644),
            ('lib/sysusers.d/inetws.conf', 0o644),
            ('share/doc/inetws/README.md', 0o644),
            ('share/doc/inetws/LICENSE', 0o644),
            ('share/doc/inetws/CHANGES', 0o644),
            ('share/doc/inetws/examples/scenarios/fleet/nginx.conf', 0o644),
            ('share/doc/inetws/examples/nginx/inetws.conf', 0o644),
            ('share/doc/inetws/examples/runit/log/run', 0o755)):
        t.is_(found.get(p + path), mode, '%s, %o' % (path, mode))
    t.is_([f for f in found if not f.startswith(p)], [],
          'nothing elsewhere')
    t.ok(os.path.isdir(d + '/opt/x/etc/inetws'), 'a folder for configuration')
    for unit in ('inetws@', 'inetws-each@'):
        t.like(read(d, p, 'lib/systemd/system', unit + '.service'),
               '(?m)^ExecStart=-?/opt/x/bin/inetws -K /opt/x/etc/inetws/',
               '%s runs what was installed' % unit)
    t.like(read(d, p, 'share/man/man1/inetws.1'),
           '/opt/x/share/doc/inetws/examples', 'the manual names the folders')
    r = t.run([os.path.join(d, p, 'bin/inetws'), '--version'])
    t.is_(r.returncode, 0, 'it runs')
    links(os.path.join(d, p))


def links(root):
    """What the installed pages link to is installed too."""
    pages = [f for f in files(root) if f.endswith('.md')]
    lost = ['%s: %s' % (page, link) for page in pages
            for link in re.findall(r'\]\(([^)#]+)[^)]*\)', read(root, page))
            if '://' not in link and not os.path.exists(
                os.path.join(root, os.path.dirname(page), link))]
    t.is_(lost, [], 'every link of %d pages leads to a file' % len(pages))
    t.ok(len(pages) > 8, 'the scenarios are among them')


def test_where_units_look():
    for prefix, where in (('/usr', '/etc'), ('/usr/local', '/etc')):
        d = t.folder()
        make('install', 'DESTDIR=' + d, 'PREFIX=' + prefix)
        t.ok(os.path.isdir(d + where + '/inetws'),
             '%s: configuration is in %s' % (prefix, where))


def test_ordinary_user():
    """make install PREFIX=$HOME/x needs no root."""
    make('install', 'DESTDIR=' + t.folder())     # builds the completions
    home = t.folder()
    prefix = home + '/x'
    command = ['-s', '-C', t.ROOT, 'B=' + BUILD, '-o', t.INETWS, 'install',
               'PREFIX=' + prefix]
    who = []
    if os.getuid() == 0:
        os.chown(home, 65534, 65534)
        who = [t.need('setpriv')[0], '--reuid=65534', '--regid=65534',
               '--clear-groups']
        if t.run(who + ['test', '-r', t.ROOT + '/Makefile']).returncode != 0:
            raise t.Skip('the source is where only root reads')
    env = {k: v for k, v in os.environ.items() if not k.startswith('MAKE')}
    r = t.run(who + t.need('make') + command, env=env)
    t.is_((r.returncode, r.stderr), (0, b''), 'without root')
    t.is_({f.split('/')[0] for f in files(home)}, {'x'}, 'all is below it')
    r = t.run([prefix + '/bin/inetws', '--version'])
    t.is_(r.returncode, 0, 'it runs')
    t.run(who + t.need('make') + command[:-2] + ['uninstall', command[-1]],
          env=env)
    t.is_(files(home), {}, 'and is removed')


def test_uninstall():
    d = t.folder()
    others = ('usr/local/bin/other', 'etc/inetws/mine.conf',
              'usr/local/share/doc/inetws/notes')
    make('install', 'DESTDIR=' + d)
    for path in others:
        with open(os.path.join(d, path), 'w') as f:
            f.write('x')
    make('uninstall', 'DESTDIR=' + d)
    t.is_(sorted(files(d)), sorted(others), 'what others put there stays')
    for path in others:
        os.unlink(os.path.join(d, path))
    make('uninstall', 'DESTDIR=' + d)
    left = [os.path.join(f, n) for f, names, _ in os.walk(d) for n in names]
    t.is_([x for x in left if 'inetws' in x[len(d):]], [],
          'no folder of ours is left')
    t.is_(files(d), {}, 'nothing else either, done twice')


def test_dist():
    d = t.folder()
    for n in ('a', 'b'):
        os.mkdir('%s/%s' % (d, n))
        make('B=%s/%s' % (d, n), '%s/%s/inetws-%s.tar.gz' % (
            d, n, version()))
    a, b = ('%s/%s/inetws-%s.tar.gz' % (d, n, version()) for n in 'ab')
    with open(a, 'rb') as f, open(b, 'rb') as g:
        t.ok(f.read() == g.read(), 'the same bytes twice')
    with tarfile.open(a) as f:
        names = [n.partition('/')[2] for n in f.getnames()]
        owners = {(m.uid, m.gid, m.mtime) for m in f.getmembers()}
    t.is_([n for n in names if re.match(r'build|\.git$|.*(~|\.pyc|\.o|\.orig|'
                                        r'\.gz|__pycache__)$', n)], [],
          'nothing that was built, nothing of git')
    t.is_(len(owners), 1, "no names and times of the machine")
    for name in ('Makefile', 'contrib/debian/rules',
                 'tests/it/packaging/install.t'):
        t.ok(name in names, '%s is in it' % name)


def version():
    return re.search(r'(?m)^VERSION = (\S+)', read(t.ROOT, 'Makefile'))[1]


def test_version():
    t.like(read(t.ROOT, 'contrib/debian/changelog'), r'\Ainetws \(%s\) ' %
           re.escape(version()), 'the Debian package has it too')


def completions(shell):
    path = t.folder() + '/' + shell
    r = t.run_inetws('--completions', shell)
    with open(path, 'wb') as f:
        f.write(r.stdout)
    return path


def options(mode):
    """The long options that a mode's help shows."""
    r = t.run_inetws(mode, '--help')
    return set(re.findall(r'(?<![\w-])--[a-z][a-z0-9-]+', r.stdout.decode()))


def test_bash():
    bash, = t.need('bash')
    path = completions('bash')
    script = ('. %s; COMP_WORDS=(inetws %s); COMP_CWORD=%d; _inetws; '
              'printf "%%s\\n" "${COMPREPLY[@]}"')

    def offers(words, n):
        return t.run([bash, '-c', script % (path, words, n)]
                     ).stdout.decode().split()
    t.is_(sorted(set(MODES) - set(offers("''", 1))), [], 'bash: all modes')
    for mode in MODES:
        t.is_(set(offers(mode + ' --', 2)), options(mode),
              'bash: the options of ' + mode)
    t.is_(offers('server --eof ""', 3), ['hold', 'close'], 'bash: choices')


def test_zsh():
    zsh, = t.need('zsh')
    path = completions('zsh')
    d = os.path.dirname(path)
    os.rename(path, d + '/_inetws')
    script = ('fpath=(%s $fpath); autoload -U compinit; compinit -D -u; '
              'echo $_comps[inetws]; autoload +X _inetws && echo loaded' % d)
    r = t.run([zsh, '-f', '-c', script])
    t.is_(r.stdout.decode().split(), ['_inetws', 'loaded'],
          'zsh: found and read by compinit')
    t.is_(r.stderr, b'', 'zsh: without a word')


def test_fish():
    fish, = t.need('fish')
    path = completions('fish')
    env = dict(os.environ, HOME=os.path.dirname(path))

    def offers(line):
        r = t.run([fish, '--no-config', '-c', 'source %s; complete -C "%s"' %
                   (path, line)], env=env)
        return {row.split('\t')[0] for row in r.stdout.decode().splitlines()}
    t.is_(set(MODES) - offers('inetws '), set(), 'fish: all modes')
    for mode in MODES:
        t.is_(options(mode) - offers('inetws %s --' % mode), set(),
              'fish: the options of ' + mode)
    t.is_(offers('inetws server --eof '), {'hold', 'close'}, 'fish: choices')


t.main()
