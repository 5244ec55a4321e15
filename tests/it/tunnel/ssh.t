#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""ssh, scp, sftp, rsync and git through nginx and TLS, by ProxyCommand and by
inetws client.  All keys are made for this test.

If it fails: the first use of inetws, ssh through a web server, does not work.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "..", "lib"))
import inetws as t      # noqa: E402
import hashlib          # noqa: E402
import shlex            # noqa: E402
import signal           # noqa: E402
import subprocess       # noqa: E402


def chain():
    """sshd, inetws server, nginx: (sshd, nginx, certificate)"""
    d = t.sshd()
    cert = t.certificate()
    s = t.server(d.port)
    n = t.nginx(s.port, cert)
    return d, n, cert, s


def ways(d, n, cert):
    """(name, [ssh options]) of the two ways in."""
    proxy = 'ProxyCommand=%s connect --cacert %s %s' % (
        shlex.quote(t.INETWS), cert.ca, n.url)
    c = t.client(n.url, '--cacert', cert.ca)
    return (('connect', ['-F', d.config, '-o', proxy]),
            ('client', ['-F', d.config, '-o', 'Port=%d' % c.port]))


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def random_file(size):
    path = t.folder() + '/data'
    with open(path, 'wb') as f:
        f.write(os.urandom(size))
    return path


def run(argv, **kw):
    r = t.run(argv, timeout=60 * t.SCALE, **kw)
    if r.returncode:
        t.diag(r.stderr)
    return r


@t.limit(120)
def test_ssh():
    t.need('ssh', 'sshd', 'nginx')
    d, n, cert, s = chain()
    for name, options in ways(d, n, cert):
        r = run(['ssh'] + options + ['there', 'echo hi; exit 3'])
        t.is_((r.stdout, r.returncode), (b'hi\n', 3),
              '%s: ssh, its output and its status' % name)
        t.is_(r.stderr, b'', 'and nothing is said on its terminal')
        data = os.urandom(1 << 20)
        r = run(['ssh'] + options + ['there', 'cat'], input=data)
        t.ok(r.stdout == data, '%s: ssh cat, a megabyte there and back' %
             name)
        r = run(['ssh'] + options + ['there', 'wc -c'], input=b'x' * 1000)
        t.is_(r.stdout.strip(), b'1000', '%s: end of file goes through' %
              name)
    t.ok(t.until(lambda: not t.children(s.pid)), 'nothing is left')


@t.limit(120)
def test_scp_and_sftp():
    t.need('scp', 'sftp', 'sshd', 'nginx')
    d, n, cert, s = chain()
    data = random_file(10 << 20)
    for name, options in ways(d, n, cert):
        to = t.folder()
        r = run(['scp', '-q'] + options + [data, 'there:%s/up' % to])
        t.is_(r.returncode, 0, '%s: scp up' % name)
        t.is_(digest(to + '/up'), digest(data), 'equal')
        r = run(['scp', '-q'] + options + ['there:' + data, to + '/down'])
        t.is_(r.returncode, 0, '%s: scp down' % name)
        t.is_(digest(to + '/down'), digest(data), 'equal')
        batch = 'put %s %s/put\nget %s/put %s/got\n' % (data, to, to, to)
        r = run(['sftp', '-q', '-b', '-'] + options + ['there'],
                input=batch.encode())
        t.is_(r.returncode, 0, '%s: sftp put and get' % name)
        t.is_(digest(to + '/got'), digest(data), 'equal')


@t.limit(60)
def test_interrupt():
    """Ctrl-C in sftp stops a transfer and not the session: sftp ignores INT
    for its ProxyCommand."""
    script, sftp = t.need('script', 'sftp', 'sshd')[:2]
    d = t.sshd()
    s = t.server(d.port)
    to = t.folder()
    with open(to + '/large', 'wb') as f:
        f.truncate(8 << 30)
    # exec: a shell that waited for sftp would die of the Ctrl-C instead.
    command = 'exec ' + ' '.join(shlex.quote(w) for w in (
        sftp, '-F', d.config, '-o', 'ProxyCommand=%s connect ws://127.0.0.1:'
        '%d/' % (shlex.quote(t.INETWS), s.port), 'there'))
    p = t.Program([script, '-qec', command, '/dev/null'],
                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def type_(text):
        p.stdin.write(text)
        p.stdin.flush()

    seen = b''

    def see(word):
        """Reads to the end of a word.  What is typed before a prompt may be
        lost: the terminal changes its mode there."""
        nonlocal seen
        while word not in seen:
            more = os.read(p.stdout.fileno(), 4096)
            if not more:
                t.diag(seen)
                return False
            seen += more
        seen = seen[seen.index(word) + len(word):]
        return True
    t.ok(see(b'sftp>'), 'sftp on a terminal')
    type_(b'get %s/large %s/copy\n' % (to.encode(), to.encode()))
    t.ok(t.until(lambda: os.path.exists(to + '/copy') and
                 os.path.getsize(to + '/copy') > 0), 'a transfer')
    type_(b'\x03')
    t.ok(see(b'nterrupt') and see(b'sftp>'), 'Ctrl-C stops it')
    type_(b'pwd\n')
    t.ok(see(b'Remote working directory') and see(b'sftp>'),
         'and the session goes on')
    type_(b'bye\n')
    t.is_(p.wait(), 0, 'to its end')


@t.limit(120)
def test_rsync():
    t.need('rsync', 'ssh', 'sshd', 'nginx')
    d, n, cert, s = chain()
    tree = t.folder()
    for i in range(200):
        os.makedirs('%s/src/%d' % (tree, i % 7), exist_ok=True)
        with open('%s/src/%d/%d' % (tree, i % 7, i), 'wb') as f:
            f.write(os.urandom(i * 100))
    for name, options in ways(d, n, cert):
        ssh = ' '.join(shlex.quote(w) for w in ['ssh'] + options)
        to = t.folder()
        r = run(['rsync', '-a', '-e', ssh, tree + '/src', 'there:%s/' % to])
        t.is_(r.returncode, 0, '%s: rsync up' % name)
        r = run(['rsync', '-a', '-e', ssh, 'there:%s/src' % to, to + '/back'])
        t.is_(r.returncode, 0, '%s: rsync down' % name)
        r = run(['diff', '-r', tree + '/src', to + '/back/src'])
        t.is_(r.returncode, 0, 'equal')


@t.limit(120)
def test_git():
    t.need('git', 'ssh', 'sshd', 'nginx')
    d, n, cert, s = chain()
    repo = t.folder()
    env = dict(os.environ, HOME=repo, GIT_CONFIG_NOSYSTEM='1',
               GIT_AUTHOR_NAME='a', GIT_AUTHOR_EMAIL='a@example.org',
               GIT_COMMITTER_NAME='a', GIT_COMMITTER_EMAIL='a@example.org')
    with open(repo + '/file', 'wb') as f:
        f.write(os.urandom(1 << 20))
    for words in (['init', '-q'], ['add', 'file'], ['commit', '-qm', 'one']):
        run(['git', '-C', repo] + words, env=env)
    for name, options in ways(d, n, cert):
        to = t.folder()
        ssh = ' '.join(shlex.quote(w) for w in ['ssh'] + options)
        r = run(['git', 'clone', '-q', 'there:' + repo, to + '/clone'],
                env=dict(env, GIT_SSH_COMMAND=ssh))
        t.is_(r.returncode, 0, '%s: git clone' % name)
        t.is_(digest(to + '/clone/file'), digest(repo + '/file'), 'equal')
        r = run(['git', '-C', to + '/clone', 'push', '-q', 'origin',
                 'HEAD:refs/heads/pushed-' + name],
                env=dict(env, GIT_SSH_COMMAND=ssh))
        t.is_(r.returncode, 0, '%s: git push' % name)


@t.limit(120)
def test_dead_ssh_leaves_nothing():
    t.need('ssh', 'sshd', 'nginx')
    d, n, cert, s = chain()
    name, options = ways(d, n, cert)[0]
    for sig in (signal.SIGKILL, signal.SIGHUP, signal.SIGTERM):
        p = t.Program(['ssh'] + options + ['there', 'echo up; sleep 600'],
                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        t.is_(p.stdout.readline(), b'up\n', 'a session is up')
        p.send(sig)
        p.wait()
        t.ok(t.until(lambda: not [x for x in t.family()
                                  if 'inetws connect' in t.command_of(x)]),
             'ssh dies of %s: no inetws is left on its side' % sig.name)
        t.ok(t.until(lambda: not t.children(s.pid), 30),
             'nor on the other')


t.main()
