#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""git by its own protocol, git://, through inetws client, nginx with TLS, and
inetws server: to a git daemon that listens, and to one that is run for each
connection.  (git by ssh is in tests/it/tunnel/ssh.t.)

If it fails: git://, which relies on half-close, hangs.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import inetws as t      # noqa: E402
import socket           # noqa: E402

ENV = dict(os.environ, GIT_CONFIG_NOSYSTEM='1', GIT_CONFIG_GLOBAL='/dev/null',
           GIT_AUTHOR_NAME='a', GIT_AUTHOR_EMAIL='a@example.org',
           GIT_COMMITTER_NAME='a', GIT_COMMITTER_EMAIL='a@example.org')


def git(*words, fails=False):
    r = t.run(['git', '-c', 'safe.directory=*'] + list(words), env=ENV,
              timeout=4 * t.BOUND)
    if r.returncode and not fails:
        t.diag(r.stderr)
    return r


def repository():
    """A folder with a bare repository of some megabytes, "it.git"."""
    base = t.folder()
    work = base + '/work'
    git('init', '-q', work)
    for i in range(5):
        with open('%s/file%d' % (work, i), 'wb') as f:
            f.write(os.urandom(1 << 20))
        git('-C', work, 'add', '.')
        git('-C', work, 'commit', '-qm', 'change %d' % i)
    git('clone', '-q', '--bare', work, base + '/it.git')
    return base


def daemon(base, *words):
    return ['git', '-c', 'safe.directory=*', 'daemon', '--export-all',
            '--base-path=' + base, '--enable=receive-pack',
            '--enable=upload-archive'] + list(words)


def use(base, chain, name):
    c = t.at_port(chain)
    url = 'git://127.0.0.1:%d/it.git' % c.port
    to = t.folder() + '/clone'
    t.is_(git('clone', '-q', url, to).returncode, 0, name + ': clone')
    same = lambda: (git('-C', to, 'rev-parse', 'HEAD').stdout ==
                    git('-C', base + '/it.git', 'rev-parse', 'HEAD').stdout)
    t.ok(same(), 'the same commit')
    t.is_(git('-C', to, 'fsck', '--full').returncode, 0, 'nothing is broken')
    with open(to + '/more', 'wb') as f:
        f.write(os.urandom(3 << 20))
    git('-C', to, 'add', '.')
    git('-C', to, 'commit', '-qm', 'more')
    t.ok(not same(), 'a commit of our own')
    t.is_(git('-C', to, 'push', '-q').returncode, 0, name + ': push')
    t.ok(same(), 'is there')
    r = git('archive', '--remote=' + url, 'HEAD', 'more')
    with open(to + '/more', 'rb') as f:
        t.ok(f.read() in r.stdout, name + ': archive, three megabytes')
    r = git('ls-remote', url.replace('it.git', 'none.git'), fails=True)
    t.is_(r.returncode, 128, 'one that is not there is an error')
    t.ok(t.until(lambda: not t.children(chain.server.pid)),
         'no tunnel is left')


@t.limit(120)
def test_daemon():
    t.need('git', 'nginx')
    base = repository()
    port = t.free_port()
    d = t.Program(daemon(base, '--listen=127.0.0.1', '--port=%d' % port),
                  env=ENV)

    def up():
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return True
        except OSError:
            return not d.alive()
    t.until(up)
    use(base, t.chain(port), 'daemon')


@t.limit(120)
def test_program():
    t.need('git', 'nginx')
    base = repository()
    s = t.inetws('server', '-l', '127.0.0.1:0', '--',
                 *daemon(base, '--inetd'), env=ENV)
    s.port = t.port_of(t.listening(s)[0])
    cert = t.certificate()
    n = t.nginx(s.port, cert)
    use(base, t.Chain(s, n, cert, n.url), 'program')


t.main()
